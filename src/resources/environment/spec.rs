//! From the configuration of an environment to what a journal keeps of it, and back.
//!
//! Both have the same names for the same things, so that they meet as JSON: what the one leaves out is null in the other.

use serde_json::{Map, Value as Json, json};

use super::{EnvironmentModel, READY};
use crate::{
    framework::{
        Block, Diagnostic, Diagnostics, Failure, Phase, Unknown, Value,
        codec::json::{Unexpected, from_json, to_json},
        decode, encode, schema,
    },
    governance::{
        environment::{ClusterFacts, EnvironmentSpec},
        policy::Policy,
        violation::Violation,
    },
    resources::violations::diagnostic,
};

/// The attributes that are not about the rules.
const FACTS: [&str; 4] = ["name", "stage", "hosting", "labels"];
const PRINCIPALS: [&str; 3] = ["platform_principals", "super_users", "broker_principals"];
const OF_THE_RESOURCE: [&str; 5] = ["id", "environment", "cluster_id", "status", "timeouts"];

/// The word of approvals that have limits.
const AUTO_IF_WITHIN: &str = "auto_if_within";

impl EnvironmentModel {
    /// What is declared, all of it known.
    pub(super) fn spec(&self) -> Result<EnvironmentSpec, Failure> {
        let of_the_resource = Self { id: None.into(), cluster_id: None.into(), status: None.into(), ..self.clone() };
        let value = encode(Self { environment: None.into(), timeouts: Block::default(), ..of_the_resource });
        if !value.is_wholly_known() {
            return Err(Unknown.into());
        }
        read_spec(&value).map_err(|error| Diagnostic::bug(format!("An environment cannot be written: {error}.")).into())
    }

    /// Everything in which the rules contradict themselves, as far as they are known, each at its attribute.
    pub(super) fn contradictions(&self) -> Diagnostics {
        let value = encode(self.clone());
        // What a missing value would contradict, an unknown one may not.
        let naming = value.attribute("naming");
        let unknown_fields = naming.is_unknown() || !naming.attribute("fields").is_wholly_known();
        let unknown_limits = !value.attribute("approval").is_wholly_known();
        let unknown_capabilities = !value.attribute("capabilities").is_wholly_known();
        let Ok(policy) = read_policy(&known_part(value)) else { return Diagnostics::default() };
        let is_certain = |it: &Violation| match it.at.to_string().as_str() {
            "schemas.required" => !unknown_capabilities,
            at if at.starts_with("approval.") => !unknown_limits,
            at => !(unknown_fields && at.starts_with("naming.")),
        };
        let violations = policy.check().into_iter().chain(self.pointless_limits());
        Diagnostics(violations.filter(is_certain).map(|it| diagnostic(&it, Phase::Plan)).collect())
    }

    /// The declaration that makes what a journal keeps, with nothing written that holds anyway.
    pub(super) fn of_spec(spec: &EnvironmentSpec) -> Result<Self, Failure> {
        let bug = |what: String| Failure::from(Diagnostic::bug(format!("An environment cannot be shown: {what}.")));
        let json = shown(spec).map_err(|error| bug(error.to_string()))?;
        let value = from_json(&json, &schema::<Self>().ty(), Unexpected::Refuse).map_err(|it| bug(it.to_string()))?;
        Ok(decode(value)?)
    }

    /// The state after a look into the journal: as it was written where that means the same.
    pub(super) fn seen(self, spec: &EnvironmentSpec) -> Result<Self, Failure> {
        let same = self.spec().is_ok_and(|own| declared(&own) == declared(spec));
        if same {
            return Ok(Self { status: READY.to_owned().into(), ..self });
        }
        let Self { environment, timeouts, .. } = self;
        Ok(Self { environment, status: READY.to_owned().into(), timeouts, ..Self::of_spec(spec)? })
    }
}

/// What of a specification is declared: the rest was seen on the cluster.
fn declared(spec: &EnvironmentSpec) -> EnvironmentSpec {
    let ClusterFacts { platform_principals, super_users, broker_principals, .. } = spec.cluster.clone();
    let cluster = ClusterFacts { platform_principals, super_users, broker_principals, ..ClusterFacts::default() };
    EnvironmentSpec { cluster, ..spec.clone() }
}

/// The value without what is unknown.
fn known_part(value: Value) -> Value {
    match value {
        Value::Unknown(_) => Value::Null,
        Value::Object(them) => Value::Object(them.into_iter().map(|(key, it)| (key, known_part(it))).collect()),
        Value::Map(them) => Value::Map(
            them.into_iter().filter(|(_, it)| !it.is_unknown()).map(|(key, it)| (key, known_part(it))).collect(),
        ),
        Value::List(them) => Value::List(them.into_iter().filter(|it| !it.is_unknown()).map(known_part).collect()),
        Value::Set(them) => Value::set(them.into_iter().filter(|it| !it.is_unknown()).map(known_part)),
        it => it,
    }
}

/// The attributes as JSON, without those that are null.
fn attributes(value: &Value) -> Result<Map<String, Json>, String> {
    let json = to_json(value, &schema::<EnvironmentModel>().ty()).map_err(|error| error.to_string())?;
    match without(json, &Json::Null) {
        Some(Json::Object(it)) => Ok(it),
        _ => Ok(Map::new()),
    }
}

fn read_policy(value: &Value) -> Result<Policy, String> {
    let mut attributes = attributes(value)?;
    attributes.retain(|name, _| ![&FACTS[..], &PRINCIPALS, &OF_THE_RESOURCE].concat().contains(&name.as_str()));
    if let Some(Json::Object(naming)) = attributes.get_mut("naming") {
        let fields = naming.remove("fields").unwrap_or_else(|| json!({}));
        let templates = std::mem::take(naming);
        *naming = Map::from_iter([("fields".to_owned(), fields), ("templates".to_owned(), templates.into())]);
    }
    for verbs in change_approvals(&mut attributes) {
        *verbs = std::mem::take(verbs).into_iter().filter_map(|(verb, it)| Some((verb, read_approval(it)?))).collect();
    }
    serde_json::from_value(attributes.into()).map_err(|error| error.to_string())
}

/// What is written of changes, by kind.
fn change_approvals(rules: &mut Map<String, Json>) -> impl Iterator<Item = &mut Map<String, Json>> {
    let changes = rules.get_mut("approval").and_then(|it| it.get_mut("changes")).and_then(Json::as_object_mut);
    changes.into_iter().flat_map(Map::values_mut).filter_map(Json::as_object_mut)
}

/// Who must agree to a change, as a journal has it; `None` where that is not known.
fn read_approval(written: Json) -> Option<Json> {
    let Json::Object(mut limits) = written else { return None };
    match limits.remove("approval")? {
        word if word == AUTO_IF_WITHIN => Some(json!({AUTO_IF_WITHIN: limits})),
        word => Some(word),
    }
}

/// The same, as a configuration has it.
fn shown_approval(kept: Json) -> Json {
    match kept {
        Json::Object(mut it) => {
            let mut res = it.remove(AUTO_IF_WITHIN).unwrap_or_default();
            res["approval"] = AUTO_IF_WITHIN.into();
            res
        }
        word => json!({"approval": word}),
    }
}

fn read_spec(value: &Value) -> Result<EnvironmentSpec, String> {
    let policy = read_policy(value)?;
    let mut spec = attributes(value)?;
    let mut cluster = spec.clone();
    spec.retain(|name, _| FACTS.contains(&name.as_str()));
    cluster.retain(|name, _| PRINCIPALS.contains(&name.as_str()));
    spec.insert("cluster".to_owned(), cluster.into());
    let spec: EnvironmentSpec = serde_json::from_value(spec.into()).map_err(|error| error.to_string())?;
    Ok(EnvironmentSpec { policy, ..spec })
}

/// A specification by the names of the attributes.
fn shown(spec: &EnvironmentSpec) -> Result<Json, serde_json::Error> {
    let EnvironmentSpec { name, stage, hosting, labels, policy, cluster } = spec;
    let ClusterFacts { platform_principals, super_users, broker_principals, .. } = cluster;
    let mut rules = serde_json::to_value(policy)?;
    let (enforcement, acl_mode, deployer_rights) =
        (rules["enforcement"].clone(), rules["acl_mode"].clone(), rules["deployer_rights"].clone());
    rules = without(rules, &serde_json::to_value(Policy::default())?).unwrap_or_else(|| json!({}));
    if let Some(Json::Object(naming)) = rules.get_mut("naming") {
        let templates = naming.remove("templates");
        naming.extend(templates.as_ref().and_then(Json::as_object).cloned().unwrap_or_default());
    }
    let facts = json!({
        "name": name, "stage": stage, "hosting": hosting, "labels": labels,
        "platform_principals": platform_principals, "super_users": super_users,
        "broker_principals": broker_principals,
    });
    if let Json::Object(rules) = &mut rules {
        for verbs in change_approvals(rules) {
            *verbs = std::mem::take(verbs).into_iter().map(|(verb, it)| (verb, shown_approval(it))).collect();
        }
    }
    let mut res = without(facts, &Json::Null).unwrap_or_else(|| json!({}));
    if let (Json::Object(res), Json::Object(rules)) = (&mut res, rules) {
        res.retain(|_, it| *it != json!({}) && *it != json!([]));
        res.extend(rules);
        // These always have a value.
        res.insert("enforcement".to_owned(), enforcement);
        res.insert("acl_mode".to_owned(), acl_mode);
        res.insert("deployer_rights".to_owned(), deployer_rights);
    }
    Ok(res)
}

/// JSON without what is the same as in another one, and without what is null; `None` if nothing is left of it.
fn without(json: Json, other: &Json) -> Option<Json> {
    match json {
        Json::Null => None,
        it if it == *other => None,
        Json::Object(them) => {
            let kept = them.into_iter().filter_map(|(key, it)| {
                let other = other.get(&key).unwrap_or(&Json::Null);
                Some((key, without(it, other)?))
            });
            Some(Json::Object(kept.collect()))
        }
        it => Some(it),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::framework::Type;

    fn ty() -> Type {
        schema::<EnvironmentModel>().ty()
    }

    fn model(json: &Json) -> EnvironmentModel {
        decode(from_json(json, &ty(), Unexpected::Refuse).unwrap()).unwrap()
    }

    /// Every rule that there is.
    fn all_rules() -> Json {
        json!({
            "naming": {
                "templates": {
                    "topic": "a{code}-{application}-{domain}", "group": "g-{application}", "subject": "{application}.{domain}",
                    "transactional_id": "{application}.", "connector": "{application}-{domain}",
                },
                "fields": {"domain": "[a-z]+"},
            },
            "topics": {
                "partitions": {"min": 1, "max": 12, "default": 3},
                "replication_factor": {"min": 2, "max": 3, "default": 3},
                "config": {"retention.ms": {
                    "allowed": true, "required": true, "min": 0.5, "max": 604_800_000.0, "one_of": ["1", "2"], "default": "2",
                }},
                "max_message_bytes": 1_000_000, "deletion_protection": true, "capacity": "required",
            },
            "schemas": {"weakest_compatibility": "FULL_TRANSITIVE", "subject_naming": "topic_name", "required": true},
            "connectors": {"classes": ["org.example.Sink"], "max_tasks": 4, "identity": "application"},
            "acls": {
                "forbidden_operations": {"cluster": ["ALTER"]}, "allow_any_principal": false, "allow_any_resource": false,
                "allow_deny": false,
            },
            "capabilities": ["connect", "flink", "ksqldb", "schemas"],
            "approval": {
                "applications": "platform", "access": "auto", "distinct_actors": true,
                "changes": {
                    "topic": {
                        "create": {"auto_if_within": {"partitions": 6, "disk_bytes": 7}}, "update": "none",
                        "delete": "platform",
                    },
                    "schema": {"create": "platform"}, "connector": {"update": "platform"},
                },
            },
            "quota": {
                "topics": 1, "partitions": 2, "disk_bytes": 3, "bytes_in_per_second": 4, "bytes_out_per_second": 5,
            },
            "enforcement": "external", "acl_mode": "closing", "deployer_rights": "direct",
            "inbox": true, "reserved_prefixes": ["x-"], "principal_mapping_rules": ["RULE:^CN=(.*?)$/$1/L", "DEFAULT"],
            "reconcile_within_seconds": 3600,
        })
    }

    fn spec(policy: &Json) -> EnvironmentSpec {
        let principals =
            json!({"platform_principals": ["User:p"], "super_users": ["User:s"], "broker_principals": ["User:b"]});
        serde_json::from_value(json!({
            "name": "pre", "stage": "test", "hosting": "azure", "labels": {"region": "eu"},
            "policy": policy, "cluster": principals,
        }))
        .unwrap()
    }

    #[test]
    fn every_rule_survives_being_shown_and_written() {
        for spec in [spec(&all_rules()), spec(&json!({}))] {
            // A rule without an attribute is refused here, and one that is not read is lost.
            let model = EnvironmentModel::of_spec(&spec).unwrap();
            assert_eq!(model.spec(), Ok(spec));
        }
        let Json::Object(rules) = serde_json::to_value(spec(&all_rules()).policy).unwrap() else { unreachable!() };
        let Json::Object(default) = serde_json::to_value(Policy::default()).unwrap() else { unreachable!() };
        let same: Vec<_> = rules.iter().filter(|(name, it)| default.get(*name) == Some(it)).collect();
        assert_eq!(same, Vec::<(&String, &Json)>::new(), "each rule has a value of its own above");
    }

    #[test]
    fn what_means_the_same_stays_as_it_was_written() {
        let written = json!({
            "name": "pre", "stage": "test", "hosting": "azure", "labels": {"region": "eu"}, "platform_principals": ["User:p"],
            "super_users": ["User:s"], "broker_principals": ["User:b"], "naming": {}, "approval": {"access": "owner"},
            "enforcement": "acl", "acl_mode": "closed", "deployer_rights": "mailbox", "status": "ready",
        });
        let written = model(&written);
        assert_eq!(written.clone().seen(&spec(&json!({}))), Ok(written.clone()));
        let changed = written.seen(&spec(&json!({"approval": {"access": "platform"}}))).unwrap();
        let expected = EnvironmentModel::of_spec(&spec(&json!({"approval": {"access": "platform"}}))).unwrap();
        assert_eq!(changed, EnvironmentModel { status: READY.to_owned().into(), ..expected });
    }

    fn contradictions(change: impl FnOnce(&mut BTreeMap<String, Value>)) -> Vec<String> {
        let json = json!({
            "name": "pre", "schemas": {"required": true}, "naming": {"topic": "{application}.{domain}"},
            "topics": {"partitions": {"min": 6, "max": 3}, "config": {"retention.ms": {"min": 2, "max": 1}}},
        });
        let Value::Object(mut config) = encode(model(&json)) else { unreachable!("an object") };
        change(&mut config);
        let told = decode::<EnvironmentModel>(Value::Object(config)).unwrap().contradictions();
        told.0.iter().map(|it| it.path.as_ref().unwrap().to_string()).collect()
    }

    #[test]
    fn contradictions_are_told_all_at_once_at_their_attributes() {
        let all = ["naming.topic", "topics.partitions.min", r#"topics.config["retention.ms"].min"#, "schemas.required"];
        assert_eq!(contradictions(|_| ()), all);
    }

    #[test]
    fn limits_beside_another_approval_are_told_and_unknown_ones_are_not() {
        let told = |change: Json| {
            let config = json!({"name": "pre", "approval": {"changes": {"topic": {"create": change}}}});
            let summaries = model(&config).contradictions().0.into_iter().map(|it| it.summary);
            summaries.collect::<Vec<_>>()
        };
        assert_eq!(told(json!({"approval": "platform", "partitions": 3})), ["Limits of another approval"]);
        assert_eq!(told(json!({"approval": "auto_if_within"})), ["Limits missing"]);
        assert_eq!(told(json!({"approval": "auto_if_within", "partitions": 3})), Vec::<String>::new());
        assert_eq!(contradictions(|config| drop(config.insert("approval".to_owned(), Value::UNKNOWN))).len(), 4);
    }

    #[test]
    fn what_is_unknown_contradicts_nothing() {
        let told = contradictions(|config| {
            for name in ["capabilities", "labels", "naming"] {
                config.insert(name.to_owned(), Value::UNKNOWN);
            }
        });
        assert_eq!(told, ["topics.partitions.min", r#"topics.config["retention.ms"].min"#]);
        let told = contradictions(|config| {
            let Some(Value::Object(naming)) = config.get_mut("naming") else { unreachable!("an object") };
            naming.insert("fields".to_owned(), Value::UNKNOWN);
        });
        assert_eq!(told.len(), 3, "{told:?}");
    }
}

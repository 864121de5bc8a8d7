//! State that other providers made: of the same resource type before this provider's first version, and of other types.

use serde_json::{Value as Json, json};

use super::{
    AclModel,
    words::{Word, Worded},
};
use crate::{
    framework::{Diagnostic, Failure, MoveSource, Set},
    governance::{acl::WILDCARD, acl_set::AclSet},
};

/// The attributes of one rule, as other providers call them.
struct Names {
    principal: &'static str,
    operation: &'static str,
    permission: &'static str,
    host: &'static str,
    pattern: &'static str,
}

const OF_KAFKA: Names = Names {
    principal: "acl_principal",
    operation: "acl_operation",
    permission: "acl_permission_type",
    host: "acl_host",
    pattern: "resource_pattern_type_filter",
};

const OF_CONFLUENT: Names = Names {
    principal: "principal",
    operation: "operation",
    permission: "permission",
    host: "host",
    pattern: "pattern_type",
};

/// A state in the present form: what another provider has for one rule keeps its names, and has the others too.
pub(super) fn upgraded(mut state: Json) -> Json {
    let value = |name: &str| state.get(name).filter(|it| !it.is_null()).cloned();
    let Names { principal, operation, permission, host, pattern } = OF_KAFKA;
    let added = [
        ("principals", value(principal).map(|it| json!([it]))),
        ("operations", value(operation).map(|it| json!([it]))),
        ("permission", value(permission)),
        ("host", value(host)),
        ("pattern_type", value(pattern)),
    ];
    if let Some(attributes) = state.as_object_mut() {
        // It names rules in another way, and the first look names them anew.
        attributes.remove("id");
        for (name, value) in added {
            if let Some(value) = value.filter(|_| attributes.get(name).is_none_or(Json::is_null)) {
                attributes.insert(name.to_owned(), value);
            }
        }
    }
    state
}

/// The state of one rule that another resource type managed; `None` if it is none of those that are known.
pub(super) fn moved(source: &MoveSource) -> Option<Result<AclModel, Failure>> {
    let provider = source.provider.to_ascii_lowercase();
    let moved = match source.resource_type.as_str() {
        "confluent_kafka_acl" => one_rule(&source.state, &OF_CONFLUENT),
        "kafka_acl" if provider.ends_with("/mongey/kafka") => as_written(&source.state),
        _ => return None,
    };
    Some(moved.map_err(|attribute| {
        let detail = format!(
            "`{attribute}` of the state of `{}` is not what an ACL of Kafka has.\n\nRemove the object from the state with a \
             `removed` block and `destroy = false`, and import the rule.",
            source.resource_type
        );
        Diagnostic::error("State cannot be moved", detail).into()
    }))
}

/// One rule as a state; fails with the attribute that is not understood.
fn one_rule(state: &Json, names: &Names) -> Result<AclModel, &'static str> {
    let resource_name = state.get("resource_name").and_then(Json::as_str).ok_or("resource_name")?.to_owned();
    let host = state.get(names.host).and_then(Json::as_str).unwrap_or(WILDCARD).to_owned();
    let principal = state.get(names.principal).and_then(Json::as_str).and_then(|it| it.parse().ok());
    Ok(AclModel::from(AclSet {
        resource_type: word(state, "resource_type")?,
        pattern_type: word(state, names.pattern)?,
        resource_name,
        principals: [principal.ok_or(names.principal)?].into(),
        host,
        operations: [word(state, names.operation)?].into(),
        permission: word(state, names.permission)?,
    }))
}

fn word<T: Worded>(state: &Json, name: &'static str) -> Result<T, &'static str> {
    Ok(Word::read(state.get(name).and_then(Json::as_str).ok_or(name)?).ok_or(name)?.value)
}

/// The same with what a configuration that nobody changed still has.
fn as_written(state: &Json) -> Result<AclModel, &'static str> {
    let model = one_rule(state, &OF_KAFKA)?;
    let text = |name: &str| state.get(name).and_then(Json::as_str);
    let Names { principal, operation, permission, host, pattern } = OF_KAFKA;
    let operation = text(operation).and_then(Word::read);
    Ok(AclModel {
        resource_type: text("resource_type").and_then(Word::read).map_or(model.resource_type, Into::into),
        operations: operation.clone().map(|it| Set(vec![it])).into(),
        permission: text(permission).and_then(Word::read).into(),
        pattern_type: text(pattern).and_then(Word::read).into(),
        acl_principal: text(principal).and_then(|it| it.parse().ok()).into(),
        acl_operation: operation.into(),
        acl_permission_type: text(permission).and_then(Word::read).into(),
        acl_host: text(host).map(str::to_owned).into(),
        resource_pattern_type_filter: text(pattern).and_then(Word::read).into(),
        ..model
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_kafka() -> Json {
        json!({
            "id": "User:a|*|Read|Allow|Topic|orders|Literal", "resource_name": "orders", "resource_type": "Topic",
            "resource_pattern_type_filter": "Literal", "acl_principal": "User:a", "acl_host": "*",
            "acl_operation": "Read", "acl_permission_type": "Allow",
        })
    }

    /// Rule 19 of Terraform's core: what is moved is one rule, wherever its cluster is configured.
    #[test]
    fn one_rule_of_another_type_becomes_rules() {
        let source = |provider: &str, resource_type: &str, state: Json| MoveSource {
            provider: provider.to_owned(),
            resource_type: resource_type.to_owned(),
            version: 1,
            state,
        };
        let confluent = json!({
            "id": "lkc-1/TOPIC#orders#LITERAL#User:a#*#READ#ALLOW", "resource_type": "TOPIC", "resource_name": "orders",
            "pattern_type": "LITERAL", "principal": "User:a", "host": "*", "operation": "READ", "permission": "ALLOW",
        });
        let set = |it: Option<Result<AclModel, Failure>>| it.unwrap().unwrap().set().unwrap().to_string();
        let rule = "TOPIC|LITERAL|orders|User:a|*|READ|ALLOW";
        let from = source("registry.example/confluentinc/confluent", "confluent_kafka_acl", confluent.clone());
        assert_eq!(set(moved(&from)), rule);
        let kafka = moved(&source("registry.example/Mongey/kafka", "kafka_acl", of_kafka()));
        let model = kafka.clone().unwrap().unwrap();
        assert_eq!((set(kafka), model.acl_operation.get()), (rule.to_owned(), Word::read("Read").as_ref()));
        assert_eq!(moved(&source("x/y/z", "other_acl", of_kafka())), None);
        let mut wrong = confluent;
        wrong["operation"] = json!("FLY");
        let Some(Err(Failure::Told(told))) = moved(&source("x", "confluent_kafka_acl", wrong)) else {
            unreachable!("it is refused")
        };
        assert!(told.0[0].detail.starts_with("`operation` of the state"), "{told:?}");
    }

    #[test]
    fn older_state_gets_the_present_names_beside_its_own() {
        let state = upgraded(of_kafka());
        assert_eq!((&state["principals"], &state["operations"]), (&json!(["User:a"]), &json!(["Read"])));
        assert_eq!((&state["permission"], &state["pattern_type"]), (&json!("Allow"), &json!("Literal")));
        assert_eq!((state.get("id"), &state["acl_principal"]), (None, &json!("User:a")));
        let present = json!({"principals": ["User:b"], "acl_principal": null});
        assert_eq!(upgraded(present.clone()), present);
    }
}

//! Which rules of the authorizer may be written by hand.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::governance::{
    acl::{AclBinding, Operation, PatternType, Permission, ResourceType, WILDCARD},
    violation::{At, Violation},
};

/// Which rules may be written, beside those that applications and grants have. The default permits all that Kafka does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AclPolicy {
    /// Operations that no rule permits, by the kind of resource, such as `{"cluster": ["ALTER"]}`. Where one is among them,
    /// so is `ALL`, which permits it.
    pub forbidden_operations: BTreeMap<String, BTreeSet<String>>,
    /// `false` forbids rules that permit something to everybody (`User:*`).
    pub allow_any_principal: Option<bool>,
    /// `false` forbids rules that permit something with every resource of a kind (the literal `*`).
    pub allow_any_resource: Option<bool>,
    /// `false` forbids rules that forbid.
    pub allow_deny: Option<bool>,
}

impl AclPolicy {
    /// In what it contradicts Kafka.
    pub(super) fn check(&self) -> Vec<Violation> {
        let mut res = Vec::new();
        for (kind, operations) in &self.forbidden_operations {
            let at = At::attribute("acls.forbidden_operations").key(kind);
            let Some(resource_type) = resource_type(kind) else {
                let known =
                    ResourceType::ALL.iter().map(|it| format!("`{}`", word(*it))).collect::<Vec<_>>().join(", ");
                let what = format!("`{kind}` is no kind of resource that rules are about.");
                res.push(Violation::new(at, "Unknown kind of resource", what, format!("There are {known}.")));
                continue;
            };
            res.extend(operations.iter().filter(|it| !has(resource_type, it)).map(|it| {
                let what = format!("Resources of the kind `{kind}` have no operation `{it}`.");
                Violation::new(at.clone().element(it), "Operation of another kind", what, "Remove it.")
            }));
        }
        res
    }

    /// What speaks against rules, once for each reason.
    pub fn violations<'a>(&self, bindings: impl IntoIterator<Item = &'a AclBinding>) -> Vec<Violation> {
        let mut reasons = BTreeMap::new();
        for it in bindings {
            for (at, why) in self.against(it) {
                reasons.entry((at, why)).or_insert_with(|| it.to_string());
            }
        }
        let told = |((at, why), rule): ((&str, &str), String)| {
            let what = format!("`{rule}` {why}, and the environment does not permit that.");
            let remedy = "Write another rule, or have the platform change `acls` of `kafka_environment`.";
            Violation::new(At::attribute(at), "ACL refused", what, remedy)
        };
        reasons.into_iter().map(told).collect()
    }

    fn against(&self, it: &AclBinding) -> Vec<(&'static str, &'static str)> {
        let mut res = Vec::new();
        if it.permission == Permission::Deny {
            if self.allow_deny == Some(false) {
                res.push(("permission", "forbids something"));
            }
            return res;
        }
        if self.allow_any_principal == Some(false) && it.principal.is_everybody() {
            res.push(("principals", "is for everybody"));
        }
        let is_every = it.pattern_type == PatternType::Literal && it.resource_name == WILDCARD;
        if self.allow_any_resource == Some(false) && is_every {
            res.push(("resource_name", "is about every resource of its kind"));
        }
        let forbidden = self.forbidden_operations.get(&word(it.resource_type));
        let is_forbidden = |them: &BTreeSet<String>| {
            them.contains(it.operation.as_str()) || (it.operation == Operation::All && !them.is_empty())
        };
        if forbidden.is_some_and(is_forbidden) {
            res.push(("operations", "permits an operation that is among `acls.forbidden_operations`"));
        }
        res
    }
}

fn word(kind: ResourceType) -> String {
    kind.as_str().to_ascii_lowercase()
}

fn resource_type(text: &str) -> Option<ResourceType> {
    ResourceType::ALL.iter().copied().find(|it| word(*it) == text)
}

fn has(kind: ResourceType, operation: &str) -> bool {
    let known = operation.parse::<Operation>();
    known.is_ok_and(|it| it == Operation::All || kind.operations().contains(&it))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_environment_forbids_is_told_once_for_each_reason() {
        let policy: AclPolicy = serde_json::from_value(json!({
            "forbidden_operations": {"cluster": ["ALTER"]}, "allow_any_principal": false, "allow_any_resource": false,
            "allow_deny": false,
        }))
        .unwrap();
        let check = |rule: &str, expected: &[&str]| {
            let told: Vec<_> = policy.violations([&rule.parse().unwrap()]).iter().map(|it| it.at.to_string()).collect();
            assert_eq!(told, expected, "{rule}");
            assert_eq!(AclPolicy::default().violations([&rule.parse().unwrap()]), vec![], "{rule}");
        };
        check("CLUSTER|LITERAL|kafka-cluster|User:a|*|ALTER|ALLOW", &["operations"]);
        check("CLUSTER|LITERAL|kafka-cluster|User:a|*|ALL|ALLOW", &["operations"]);
        check("CLUSTER|LITERAL|kafka-cluster|User:a|*|DESCRIBE|ALLOW", &[]);
        check("TOPIC|LITERAL|*|User:*|*|READ|ALLOW", &["principals", "resource_name"]);
        check("TOPIC|PREFIXED|a|User:a|*|ALL|ALLOW", &[]);
        check("TOPIC|LITERAL|a|User:*|*|READ|DENY", &["permission"]);
        let twice: Vec<AclBinding> = ["TOPIC|LITERAL|a|User:*|*|READ|ALLOW", "TOPIC|LITERAL|a|User:*|*|WRITE|ALLOW"]
            .map(|it| it.parse().unwrap())
            .into();
        assert_eq!(policy.violations(&twice).len(), 1);
    }

    #[test]
    fn words_that_kafka_does_not_have_are_told() {
        let policy: AclPolicy =
            serde_json::from_value(json!({"forbidden_operations": {"queue": ["READ"], "group": ["WRITE", "READ"]}}))
                .unwrap();
        let told: Vec<_> = policy.check().iter().map(|it| (it.at.to_string(), it.summary)).collect();
        let group = r#"acls.forbidden_operations["group"]["WRITE"]"#.to_owned();
        let queue = r#"acls.forbidden_operations["queue"]"#.to_owned();
        assert_eq!(told, [(group, "Operation of another kind"), (queue, "Unknown kind of resource")]);
    }
}

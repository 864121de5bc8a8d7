//! How rules are named in an import.

use std::str::FromStr;

use super::{
    AclIdentity, AclModel,
    words::{Word, Worded},
};
use crate::{
    framework::{Diagnostic, Failure, Import, Optional, Required, Unknown},
    governance::{
        acl::{AclError, PatternType, Permission, Principal, WILDCARD},
        acl_set::AclSet,
    },
};

/// Rules as an import names them: as their identifier does, or in the order of another provider,
/// `<principal>|<host>|<operation>|<permission>|<resource type>|<resource name>|<pattern type>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AclName(pub(super) AclSet);

/// Why a text names no rules.
#[derive(Debug, thiserror::Error)]
#[error(
    "the name of rules is `<resource type>|<pattern type>|<resource name>|<principals>|<host>|<operations>|<permission>`, \
     such as `TOPIC|PREFIXED|billing.|User:billing;User:audit|*|READ;DESCRIBE|ALLOW`"
)]
pub(super) struct AclNameError(#[source] AclError);

impl FromStr for AclName {
    type Err = AclNameError;

    fn from_str(text: &str) -> Result<Self, AclNameError> {
        if let Some(it) = in_other_order(text) {
            return Ok(it);
        }
        let capital: Vec<String> = text
            .split('|')
            .enumerate()
            .map(|(at, it)| if matches!(at, 0 | 1 | 5 | 6) { it.to_ascii_uppercase() } else { it.to_owned() })
            .collect();
        capital.join("|").parse().map(Self).map_err(AclNameError)
    }
}

fn in_other_order(text: &str) -> Option<AclName> {
    let parts: Vec<&str> = text.split('|').collect();
    let [principal, host, operation, permission, resource_type, resource_name, pattern_type] = parts[..] else {
        return None;
    };
    Some(AclName(AclSet {
        resource_type: Word::read(resource_type)?.value,
        pattern_type: Word::read(pattern_type)?.value,
        resource_name: resource_name.to_owned(),
        principals: [principal.parse().ok()?].into(),
        host: host.to_owned(),
        operations: [Word::read(operation)?.value].into(),
        permission: Word::read(permission)?.value,
    }))
}

impl AclIdentity {
    /// What tells the rules of a state from all others, as far as it is known.
    pub(super) fn of(state: &AclModel) -> Self {
        let Ok(set) = state.set() else {
            return Self {
                cluster_id: state.cluster_id.to_required(),
                resource_type: Required::unknown(),
                resource_name: Required::unknown(),
                pattern_type: Optional::unknown(),
                principals: Required::unknown(),
                operations: Required::unknown(),
                permission: Optional::unknown(),
                host: Optional::unknown(),
            };
        };
        Self {
            cluster_id: state.cluster_id.to_required(),
            resource_type: set.resource_type.written().into(),
            resource_name: set.resource_name.into(),
            pattern_type: set.pattern_type.written().into(),
            principals: set.principals.iter().map(ToString::to_string).collect::<Vec<_>>().into(),
            operations: set.operations.iter().map(ToString::to_string).collect::<Vec<_>>().into(),
            permission: set.permission.written().into(),
            host: set.host.into(),
        }
    }

    fn set(&self) -> Result<Result<AclSet, Failure>, Unknown> {
        let Self {
            cluster_id: _,
            resource_type,
            resource_name,
            pattern_type,
            principals,
            operations,
            permission,
            host,
        } = self;
        let (pattern_type, permission) = (pattern_type.known()?, permission.known()?);
        let (principals, operations) = (principals.value()?, operations.value()?);
        let host = host.known()?.cloned().unwrap_or_else(|| WILDCARD.to_owned());
        let (resource_type, resource_name) = (resource_type.value()?, resource_name.value()?.clone());
        let read = || -> Result<AclSet, Failure> {
            let principal = |it: &String| -> Result<Principal, Failure> {
                it.parse().map_err(|error: AclError| wrong("principals").caused_by(&error).into())
            };
            Ok(AclSet {
                resource_type: word("resource_type", resource_type)?,
                pattern_type: pattern_type.map_or(Ok(PatternType::Literal), |it| word("pattern_type", it))?,
                resource_name,
                principals: principals.iter().map(principal).collect::<Result<_, _>>()?,
                host,
                operations: operations.iter().map(|it| word("operations", it)).collect::<Result<_, _>>()?,
                permission: permission.map_or(Ok(Permission::Allow), |it| word("permission", it))?,
            })
        };
        Ok(read())
    }
}

fn word<T: Worded>(attribute: &str, text: &str) -> Result<T, Failure> {
    match Word::read(text) {
        Some(it) => Ok(it.value),
        None => Err(wrong(attribute).into()),
    }
}

fn wrong(attribute: &str) -> Diagnostic {
    let detail = format!("`{attribute}` of the identity names none of what Kafka has.\n\nCorrect it.");
    Diagnostic::error("Invalid identity", detail).at("id")
}

/// The import, with an identity turned into the cluster and the name that it stands for.
pub(super) fn with_name(import: Import<AclIdentity>) -> Result<Import<(Required<String>, AclName)>, Failure> {
    Ok(match import {
        Import::Id(id) => Import::Id(id),
        Import::Identity(it) => {
            let set = it.set()??;
            Import::Identity((it.cluster_id, AclName(set)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_named_in_either_order() {
        let name = |text: &str| text.parse::<AclName>().map(|it| it.0.to_string());
        let own = "TOPIC|PREFIXED|a/b|User:x;User:y|*|READ|ALLOW";
        assert_eq!(name(own).unwrap(), own);
        assert_eq!(name("topic|prefixed|a/b|User:x;User:y|*|read|allow").unwrap(), own);
        let other = name("User:x|*|Read|Allow|TransactionalID|tx|Literal").unwrap();
        assert_eq!(other, "TRANSACTIONAL_ID|LITERAL|tx|User:x|*|READ|ALLOW");
        let wrong = name("orders").unwrap_err();
        assert!(wrong.to_string().contains("`TOPIC|PREFIXED|billing.|"), "{wrong}");
    }
}

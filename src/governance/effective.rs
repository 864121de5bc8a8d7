//! What somebody may really do: all rules of the authorizer together, whoever made them.
//!
//! A rule that was taken away may leave the right with those who had it, by a wildcard or another prefix; and a rule that
//! was made may give nothing, because another forbids it. Neither is seen from the rule itself.

use std::collections::BTreeSet;

use crate::governance::{
    acl::{Access, AclBinding, PatternType, Permission, Principal, Verdict, WILDCARD, verdict},
    policy::AclMode,
};

/// Whether somebody may do something, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective<'a> {
    /// Whether they may.
    pub is_allowed: bool,
    /// Why, or why not.
    pub reason: Reason,
    /// The rules that permit it.
    pub allowed_by: Vec<&'a AclBinding>,
    /// The rules that forbid it, whatever others permit.
    pub denied_by: Vec<&'a AclBinding>,
}

/// Why somebody may do something, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No rule holds for them.
    SuperUser,
    /// A rule permits it.
    Permitted,
    /// A rule forbids it.
    Forbidden,
    /// There is no rule for the resource, and such resources are everybody's.
    Open,
    /// No rule permits it.
    NotPermitted,
}

/// Whether somebody may do something.
pub fn effective<'a>(
    rules: impl IntoIterator<Item = &'a AclBinding>,
    access: Access<'_>,
    super_users: &BTreeSet<Principal>,
    mode: AclMode,
) -> Effective<'a> {
    let about: Vec<&AclBinding> =
        rules.into_iter().filter(|it| it.covers(access.resource_type, access.resource_name)).collect();
    let reason = if super_users.contains(access.principal) {
        Reason::SuperUser
    } else {
        match verdict(about.iter().copied(), access) {
            Verdict::Allowed => Reason::Permitted,
            Verdict::Open if mode != AclMode::Closed => Reason::Open,
            Verdict::Denied if about.iter().any(|it| denies(it, access)) => Reason::Forbidden,
            Verdict::Open | Verdict::Denied => Reason::NotPermitted,
        }
    };
    let allows =
        |it: &&&AclBinding| it.permission == Permission::Allow && it.concerns(access) && it.implies(access.operation);
    Effective {
        is_allowed: matches!(reason, Reason::SuperUser | Reason::Permitted | Reason::Open),
        reason,
        allowed_by: about.iter().filter(allows).copied().collect(),
        denied_by: about.iter().filter(|it| denies(it, access)).copied().collect(),
    }
}

fn denies(rule: &AclBinding, access: Access<'_>) -> bool {
    rule.permission == Permission::Deny && rule.concerns(access) && rule.names(access.operation)
}

/// The rules by which whom a rule is about keeps what it permits, or a part of that, once it is taken away: for the same
/// principal or for everybody, on the same resource, on all of its kind or on what a prefix covers.
pub fn still_permitted_by<'a>(
    rules: impl IntoIterator<Item = &'a AclBinding>,
    taken: &AclBinding,
) -> Vec<&'a AclBinding> {
    let permits = |it: &&AclBinding| {
        it.permission == Permission::Allow && *it != taken && meets(it, taken) && it.implies(taken.operation)
    };
    rules.into_iter().filter(permits).collect()
}

/// Why a rule that permits something gives nothing, or not all of it; empty where it is in force.
pub fn ineffective<'a>(rules: impl IntoIterator<Item = &'a AclBinding>, given: &AclBinding) -> Vec<&'a AclBinding> {
    let forbids = |it: &&AclBinding| it.permission == Permission::Deny && meets(it, given) && it.names(given.operation);
    rules.into_iter().filter(forbids).collect()
}

/// Whether what two rules are about has something in common.
fn meets(one: &AclBinding, other: &AclBinding) -> bool {
    let is_whose = one.principal == other.principal || one.principal.is_everybody();
    let is_where = one.host == other.host || one.host == WILDCARD || other.host == WILDCARD;
    is_whose && is_where && one.resource_type == other.resource_type && overlaps(one, other)
}

fn overlaps(one: &AclBinding, other: &AclBinding) -> bool {
    let is_every = |it: &AclBinding| it.pattern_type == PatternType::Literal && it.resource_name == WILDCARD;
    let (a, b) = (&one.resource_name, &other.resource_name);
    if is_every(one) || is_every(other) {
        return true;
    }
    match (one.pattern_type, other.pattern_type) {
        (PatternType::Literal, PatternType::Literal) => a == b,
        (PatternType::Prefixed, PatternType::Literal) => b.starts_with(a.as_str()),
        (PatternType::Literal, PatternType::Prefixed) => a.starts_with(b.as_str()),
        (PatternType::Prefixed, PatternType::Prefixed) => a.starts_with(b.as_str()) || b.starts_with(a.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::governance::acl::{Operation, ResourceType};

    fn rules(texts: &[&str]) -> Vec<AclBinding> {
        texts.iter().map(|it| it.parse().unwrap()).collect()
    }

    /// Rule 17: wildcards and what is forbidden count too.
    #[test]
    fn what_somebody_may_do_follows_from_all_rules() {
        let check = |texts: &[&str], mode, expected: (bool, Reason, usize, usize)| {
            let rules = rules(texts);
            let principal = Principal::user("shop");
            let access = Access {
                principal: &principal,
                host: None,
                operation: Operation::Read,
                resource_type: ResourceType::Topic,
                resource_name: "pay.x",
            };
            let told = effective(&rules, access, &[Principal::user("super")].into(), mode);
            assert_eq!(
                (told.is_allowed, told.reason, told.allowed_by.len(), told.denied_by.len()),
                expected,
                "{texts:?}"
            );
        };
        let read = "TOPIC|LITERAL|pay.x|User:shop|*|READ|ALLOW";
        let all = "TOPIC|PREFIXED|pay.|User:*|*|ALL|ALLOW";
        let deny = "TOPIC|LITERAL|*|User:shop|*|READ|DENY";
        let write = "TOPIC|LITERAL|pay.x|User:shop|*|WRITE|ALLOW";
        check(&[], AclMode::Closed, (false, Reason::NotPermitted, 0, 0));
        check(&[], AclMode::Open, (true, Reason::Open, 0, 0));
        check(&[write], AclMode::Open, (false, Reason::NotPermitted, 0, 0));
        check(&[read, all], AclMode::Closed, (true, Reason::Permitted, 2, 0));
        check(&[read, deny], AclMode::Closed, (false, Reason::Forbidden, 1, 1));
        let (user, none) = (Principal::user("super"), BTreeSet::new());
        let access = Access {
            principal: &user,
            host: None,
            operation: Operation::Delete,
            resource_type: ResourceType::Topic,
            resource_name: "pay.x",
        };
        assert!(!effective(&none, access, &none_users(), AclMode::Closed).is_allowed);
        assert!(effective(&none, access, &[user.clone()].into(), AclMode::Closed).is_allowed);
    }

    fn none_users() -> BTreeSet<Principal> {
        BTreeSet::new()
    }

    #[test]
    fn what_is_taken_away_may_be_had_otherwise() {
        let all = rules(&[
            "TOPIC|LITERAL|pay.x|User:shop|*|READ|ALLOW",
            "TOPIC|LITERAL|pay.x|User:shop|*|ALL|ALLOW",
            "TOPIC|LITERAL|*|User:*|*|READ|ALLOW",
            "TOPIC|PREFIXED|pay.|User:shop|10.0.0.1|READ|ALLOW",
            "TOPIC|PREFIXED|other.|User:shop|*|READ|ALLOW",
            "TOPIC|LITERAL|pay.x|User:other|*|READ|ALLOW",
            "TOPIC|LITERAL|pay.x|User:shop|*|WRITE|ALLOW",
            "GROUP|LITERAL|pay.x|User:shop|*|READ|ALLOW",
            "TOPIC|PREFIXED|pa|User:*|*|READ|DENY",
        ]);
        let still: Vec<&AclBinding> = still_permitted_by(&all, &all[0]);
        assert_eq!(still, [&all[1], &all[2], &all[3]]);
        assert_eq!(ineffective(&all, &all[0]), [&all[8]]);
        assert_eq!(ineffective(&all, &all[4]), [] as [&AclBinding; 0]);
    }
}

//! Whether a change of rules takes from its author the right to change rules.

use std::collections::BTreeSet;

use crate::governance::acl::{
    Access, AclBinding, CLUSTER, Operation, Principal, ResourceType, Verdict, WILDCARD, verdict,
};

/// What a change of rules takes from its author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The right to change rules, from wherever it connects.
    Certain,
    /// The right, if it connects from that address.
    From,
}

/// What somebody who may change rules by the rules there are would lose by those that would be. A super user never loses
/// the right: no rule gives it.
pub fn loss(
    rules: &[AclBinding],
    caller: &Principal,
    added: &BTreeSet<AclBinding>,
    removed: &BTreeSet<AclBinding>,
) -> Option<Loss> {
    let access = |host| Access {
        principal: caller,
        host,
        operation: Operation::Alter,
        resource_type: ResourceType::Cluster,
        resource_name: CLUSTER,
    };
    let named = rules.iter().chain(added).map(|it| it.host.as_str()).filter(|it| *it != WILDCARD);
    // From somewhere that no rule names, and from each address that one does.
    let hosts: BTreeSet<Option<&str>> = named.map(Some).chain([None]).collect();
    let after: Vec<&AclBinding> = rules.iter().filter(|it| !removed.contains(*it)).chain(added).collect();
    let before: Vec<_> = hosts.into_iter().filter(|it| verdict(rules, access(*it)) == Verdict::Allowed).collect();
    let lost = before.iter().filter(|it| verdict(after.iter().copied(), access(**it)) != Verdict::Allowed).count();
    match lost {
        0 => None,
        all if all == before.len() => Some(Loss::Certain),
        _ => Some(Loss::From),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(texts: &[&str]) -> BTreeSet<AclBinding> {
        texts.iter().map(|it| it.parse().unwrap()).collect()
    }

    #[test]
    fn the_last_right_and_what_forbids_it_are_told_from_the_rest() {
        const FROM: &str = "CLUSTER|LITERAL|kafka-cluster|User:ci|10.0.0.1|ALTER|ALLOW";
        const OWN: &str = "CLUSTER|LITERAL|kafka-cluster|User:ci|*|ALTER|ALLOW";
        const ALL: &str = "CLUSTER|LITERAL|*|User:*|*|ALL|ALLOW";
        let ci = Principal::user("ci");
        let check = |there: &[&str], added: &[&str], removed: &[&str], expected: Option<Loss>| {
            let there: Vec<_> = rules(there).into_iter().collect();
            assert_eq!(loss(&there, &ci, &rules(added), &rules(removed)), expected, "{there:?} {added:?} {removed:?}");
        };
        check(&[OWN], &[], &[OWN], Some(Loss::Certain));
        check(&[OWN, ALL], &[], &[OWN], None);
        check(&[OWN], &[ALL], &[OWN], None);
        check(&[OWN], &["CLUSTER|LITERAL|kafka-cluster|User:*|*|ALTER|DENY"], &[], Some(Loss::Certain));
        check(&[OWN], &["CLUSTER|LITERAL|kafka-cluster|User:*|10.0.0.1|ALTER|DENY"], &[], Some(Loss::From));
        check(&[OWN], &["CLUSTER|LITERAL|kafka-cluster|User:x|*|ALTER|DENY"], &[], None);
        check(&[OWN], &["TOPIC|LITERAL|a|User:ci|*|ALTER|DENY"], &[], None);
        check(&[FROM], &[], &[FROM], Some(Loss::Certain));
        check(&[FROM, OWN], &[], &[FROM], None);
        check(&[FROM, OWN], &[], &[OWN], Some(Loss::From));
        check(&[], &["CLUSTER|LITERAL|kafka-cluster|User:ci|*|ALTER|DENY"], &[], None);
    }
}

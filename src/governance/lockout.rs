//! Whether a change of rules takes from its author the right to change rules.

use std::collections::BTreeSet;

use crate::governance::acl::{Access, AclBinding, CLUSTER, Operation, Principal, ResourceType, Verdict, verdict};

/// Whether somebody who may change rules by the rules there are could not by those that would be. A super user never loses
/// the right: no rule gives it.
pub fn locks_out(
    rules: &[AclBinding],
    caller: &Principal,
    added: &BTreeSet<AclBinding>,
    removed: &BTreeSet<AclBinding>,
) -> bool {
    let access = Access {
        principal: caller,
        host: None,
        operation: Operation::Alter,
        resource_type: ResourceType::Cluster,
        resource_name: CLUSTER,
    };
    let may = |rules: &mut dyn Iterator<Item = &AclBinding>| verdict(rules, access) == Verdict::Allowed;
    may(&mut rules.iter()) && !may(&mut rules.iter().filter(|it| !removed.contains(*it)).chain(added))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(texts: &[&str]) -> BTreeSet<AclBinding> {
        texts.iter().map(|it| it.parse().unwrap()).collect()
    }

    #[test]
    fn the_last_right_and_what_forbids_it_are_told_from_the_rest() {
        const OWN: &str = "CLUSTER|LITERAL|kafka-cluster|User:ci|*|ALTER|ALLOW";
        const ALL: &str = "CLUSTER|LITERAL|*|User:*|*|ALL|ALLOW";
        let ci = Principal::user("ci");
        let check = |there: &[&str], added: &[&str], removed: &[&str], expected: bool| {
            let there: Vec<_> = rules(there).into_iter().collect();
            assert_eq!(
                locks_out(&there, &ci, &rules(added), &rules(removed)),
                expected,
                "{there:?} {added:?} {removed:?}"
            );
        };
        check(&[OWN], &[], &[OWN], true);
        check(&[OWN, ALL], &[], &[OWN], false);
        check(&[OWN], &[ALL], &[OWN], false);
        check(&[OWN], &["CLUSTER|LITERAL|kafka-cluster|User:*|*|ALTER|DENY"], &[], true);
        check(&[OWN], &["CLUSTER|LITERAL|kafka-cluster|User:*|10.0.0.1|ALTER|DENY"], &[], false);
        check(&[OWN], &["CLUSTER|LITERAL|kafka-cluster|User:x|*|ALTER|DENY"], &[], false);
        check(&[OWN], &["TOPIC|LITERAL|a|User:ci|*|ALTER|DENY"], &[], false);
        check(&[], &["CLUSTER|LITERAL|kafka-cluster|User:ci|*|ALTER|DENY"], &[], false);
    }
}

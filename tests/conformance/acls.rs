//! What every authorizer answers.

use terraform_provider_kafka::{
    clients::kafka::{AclFailures, AclFilter, ResourceFilter},
    governance::acl::{AclBinding, PatternType, Principal, ResourceType},
};

use super::{Subject, soon};

impl Subject {
    /// A rule for names that nobody else uses: `~` stands for their beginning.
    fn rule(&self, text: &str) -> AclBinding {
        text.replace('~', &format!("conformance.{}.", self.prefix)).parse().unwrap()
    }

    fn rules(&self, texts: &[&str]) -> Vec<AclBinding> {
        let mut res: Vec<_> = texts.iter().map(|it| self.rule(it)).collect();
        res.sort();
        res
    }

    fn principal(&self) -> Principal {
        Principal::user(&format!("conformance.{}.team", self.prefix))
    }

    async fn create_rules(&self, rules: &[AclBinding]) {
        assert_eq!(self.kafka.create_acls(rules, soon()).await, Ok(AclFailures::new()));
    }

    async fn delete_rules(&self, rules: &[AclBinding]) {
        assert_eq!(self.kafka.delete_acls(rules, soon()).await, Ok(AclFailures::new()));
    }

    /// The rules of the one principal that the cases name.
    async fn rules_there(&self) -> Vec<AclBinding> {
        self.found(AclFilter { principal: Some(self.principal()), ..AclFilter::default() }).await
    }

    /// What a filter finds, of the rules of the one principal, and whether it was read for a refresh or anew.
    async fn found(&self, filter: AclFilter) -> Vec<AclBinding> {
        let mut anew = self.kafka.acls(&filter, soon()).await.unwrap();
        let refreshed = self.kafka.refresh_acls(&filter, soon()).await.unwrap();
        assert!(anew.is_sorted() && refreshed.is_sorted());
        anew.retain(|it| it.principal == self.principal());
        assert!(refreshed.into_iter().filter(|it| it.principal == self.principal()).eq(anew.iter().cloned()));
        anew
    }
}

pub(super) async fn rules_of_every_kind_are_created_shown_and_deleted(on: &Subject) {
    let rules = on.rules(&[
        "TOPIC|LITERAL|~orders|User:~team|*|READ|ALLOW",
        "TOPIC|PREFIXED|~|User:~team|*|ALL|ALLOW",
        "TOPIC|PREFIXED|~|User:~team|10.0.0.1|WRITE|DENY",
        "TOPIC|LITERAL|*|User:~team|*|DESCRIBE_CONFIGS|ALLOW",
        "GROUP|PREFIXED|~|User:~team|*|DELETE|ALLOW",
        "TRANSACTIONAL_ID|LITERAL|~tx|User:~team|*|WRITE|ALLOW",
        "CLUSTER|LITERAL|kafka-cluster|User:~team|*|DESCRIBE|ALLOW",
        "DELEGATION_TOKEN|LITERAL|~token|User:~team|*|DESCRIBE|ALLOW",
    ]);
    on.create_rules(&rules).await;
    assert_eq!(on.rules_there().await, rules);
    on.delete_rules(&rules).await;
    assert_eq!(on.rules_there().await, []);
}

pub(super) async fn a_rule_that_exists_is_created_and_one_that_is_gone_is_deleted(on: &Subject) {
    let rules = on.rules(&["GROUP|LITERAL|~a|User:~team|*|READ|ALLOW"]);
    on.create_rules(&rules).await;
    on.create_rules(&rules).await;
    assert_eq!(on.rules_there().await, rules);
    on.delete_rules(&rules).await;
    on.delete_rules(&rules).await;
    assert_eq!(on.rules_there().await, []);
    on.create_rules(&[]).await;
}

pub(super) async fn deleting_a_rule_spares_those_beside_it(on: &Subject) {
    let rule = on.rule("TOPIC|LITERAL|~a|User:~team|*|READ|ALLOW");
    let beside = on.rules(&[
        "TOPIC|PREFIXED|~a|User:~team|*|READ|ALLOW",
        "TOPIC|LITERAL|*|User:~team|*|READ|ALLOW",
        "TOPIC|LITERAL|~a|User:~team|10.0.0.1|READ|ALLOW",
        "TOPIC|LITERAL|~a|User:~team|*|WRITE|ALLOW",
        "TOPIC|LITERAL|~a|User:~team|*|READ|DENY",
        "GROUP|LITERAL|~a|User:~team|*|READ|ALLOW",
    ]);
    on.create_rules(&beside).await;
    on.create_rules(std::slice::from_ref(&rule)).await;
    on.delete_rules(&[rule]).await;
    assert_eq!(on.rules_there().await, beside);
    // A rule with a name that stands for all others is one rule.
    on.delete_rules(&on.rules(&["TOPIC|LITERAL|*|User:~team|*|READ|ALLOW"])).await;
    assert_eq!(on.rules_there().await.len(), beside.len() - 1);
    on.delete_rules(&beside).await;
}

pub(super) async fn filters_find_what_they_say(on: &Subject) {
    let literal = on.rule("TOPIC|LITERAL|~orders|User:~team|*|READ|ALLOW");
    let prefixed = on.rule("TOPIC|PREFIXED|~|User:~team|*|READ|ALLOW");
    let every = on.rule("TOPIC|LITERAL|*|User:~team|*|READ|ALLOW");
    let group = on.rule("GROUP|LITERAL|~orders|User:~team|*|READ|ALLOW");
    let mut rules = vec![literal.clone(), prefixed.clone(), every.clone(), group.clone()];
    rules.sort();
    on.create_rules(&rules).await;
    let topic = Some(ResourceType::Topic);
    let check = async |resource_type, resource, expected: &[&AclBinding]| {
        let filter = AclFilter { resource_type, resource, principal: None };
        let mut expected: Vec<_> = expected.iter().map(|it| (*it).clone()).collect();
        expected.sort();
        assert_eq!(on.found(filter.clone()).await, expected, "{filter:?}");
    };
    let name = literal.resource_name.clone();
    check(None, ResourceFilter::Any, &[&literal, &prefixed, &every, &group]).await;
    check(topic, ResourceFilter::Any, &[&literal, &prefixed, &every]).await;
    check(topic, ResourceFilter::Written(PatternType::Literal, name.clone()), &[&literal]).await;
    check(None, ResourceFilter::Written(PatternType::Literal, name.clone()), &[&literal, &group]).await;
    check(topic, ResourceFilter::Written(PatternType::Prefixed, name.clone()), &[]).await;
    check(topic, ResourceFilter::Covering(name.clone()), &[&literal, &prefixed, &every]).await;
    check(topic, ResourceFilter::Covering(name + ".dlq"), &[&prefixed, &every]).await;
    check(Some(ResourceType::Cluster), ResourceFilter::Any, &[]).await;
    let other = AclFilter { principal: Some(Principal::user("conformance.nobody")), ..AclFilter::default() };
    assert_eq!(on.kafka.acls(&other, soon()).await, Ok(Vec::new()));
    on.delete_rules(&rules).await;
}

pub(super) async fn many_rules_at_once_are_each_created_and_deleted(on: &Subject) {
    let rules: Vec<Vec<AclBinding>> = (0..40)
        .map(|it| {
            on.rules(&[
                &format!("TOPIC|LITERAL|~{it}|User:~team|*|READ|ALLOW"),
                "GROUP|PREFIXED|~|User:~team|*|READ|ALLOW",
            ])
        })
        .collect();
    for created in [true, false] {
        let mut calls = tokio::task::JoinSet::new();
        for rules in rules.clone() {
            let kafka = on.kafka.clone();
            calls.spawn(async move {
                if created { kafka.create_acls(&rules, soon()).await } else { kafka.delete_acls(&rules, soon()).await }
            });
        }
        while let Some(call) = calls.join_next().await {
            assert_eq!(call.unwrap(), Ok(AclFailures::new()));
        }
        assert_eq!(on.rules_there().await.len(), if created { 41 } else { 0 });
    }
}

//! Trying whether brokers follow the rules of their authorizer: a rule about the caller itself, on a topic that nobody
//! has, must change what the caller may do.
//!
//! One who may see the topic is forbidden to, and one who may not is permitted to, for as long as the try takes. What a
//! killed run left behind is removed by the next.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use crate::{
    clients::kafka::{AclFailures, AclFilter, BrokerSetting, Kafka, KafkaError, ResourceFilter},
    governance::{
        acl::{AclBinding, Operation, PatternType, Permission, Principal, ResourceType, WILDCARD},
        probe::Probed,
        topic::TopicName,
    },
};

/// The topic that there never is: its name is of the journal's family, which no application may claim.
const TOPIC: &str = "_selfserve.probe";

/// How long brokers may take to follow a rule that they show. Those of Kafka 4 take milliseconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often they are asked meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

const SUPER_USERS: &str = "super.users";

/// Tries it as the caller, who is no super user as far as is known here. What stands in the way is an answer too.
pub async fn probe(
    kafka: &dyn Kafka,
    caller: Option<&Principal>,
    super_users: &BTreeSet<Principal>,
    deadline: Instant,
) -> Probed {
    let Some(caller) = caller else { return Probed::Unnamed };
    let told = told_super_users(kafka, deadline).await;
    if super_users.contains(caller) || told.as_ref().is_some_and(|it| it.contains(caller)) {
        return Probed::SuperUser;
    }
    let found = match clean(kafka, deadline).await {
        Ok(()) => attempt(kafka, caller, told.is_some(), deadline).await,
        Err(error) => Err(error),
    };
    // A rule that could not be removed hurts nobody: the next try removes it.
    let _ = clean(kafka, deadline).await;
    found.unwrap_or_else(|error| hindrance(&error))
}

async fn attempt(
    kafka: &dyn Kafka,
    caller: &Principal,
    is_no_super_user: bool,
    deadline: Instant,
) -> Result<Probed, KafkaError> {
    let before = may_see(kafka, deadline).await?;
    let rule = AclBinding {
        resource_type: ResourceType::Topic,
        pattern_type: PatternType::Literal,
        resource_name: TOPIC.to_owned(),
        principal: caller.clone(),
        host: WILDCARD.to_owned(),
        operation: Operation::Describe,
        permission: if before { Permission::Deny } else { Permission::Allow },
    };
    all(kafka.create_acls(std::slice::from_ref(&rule), deadline).await?)?;
    if !kafka.acls(&own(), deadline).await?.contains(&rule) {
        return Ok(Probed::NotShown);
    }
    let asked = tokio::time::Instant::now();
    while may_see(kafka, deadline).await? == before {
        if PATIENCE <= asked.elapsed() {
            // Super users may see everything.
            return Ok(if before && !is_no_super_user { Probed::IgnoredPerhaps } else { Probed::Ignored });
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(Probed::Enforced)
}

/// Whether the caller may see the topic, which is not there.
async fn may_see(kafka: &dyn Kafka, deadline: Instant) -> Result<bool, KafkaError> {
    let name: TopicName = TOPIC.parse().expect("it is a topic's name");
    match kafka.describe_topic(&name, deadline).await {
        Ok(_) => Ok(true),
        Err(KafkaError::Denied { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes what a try left.
async fn clean(kafka: &dyn Kafka, deadline: Instant) -> Result<(), KafkaError> {
    let left = kafka.acls(&own(), deadline).await?;
    if left.is_empty() { Ok(()) } else { all(kafka.delete_acls(&left, deadline).await?) }
}

fn own() -> AclFilter {
    let resource = ResourceFilter::Written(PatternType::Literal, TOPIC.to_owned());
    AclFilter { resource_type: Some(ResourceType::Topic), resource, ..AclFilter::default() }
}

fn all(failures: AclFailures) -> Result<(), KafkaError> {
    failures.into_values().next().map_or(Ok(()), Err)
}

/// The super users, if a broker tells. Most do not: Kafka itself does not know the setting, which is the authorizer's.
pub async fn told_super_users(kafka: &dyn Kafka, deadline: Instant) -> Option<BTreeSet<Principal>> {
    let broker = kafka.cluster(deadline).await.ok()?.brokers.first()?.id;
    match kafka.broker_config(broker, &[SUPER_USERS], deadline).await.ok()?.remove(SUPER_USERS)? {
        BrokerSetting::Value(it) => Some(it.split(';').filter_map(|it| it.trim().parse().ok()).collect()),
        BrokerSetting::Unset | BrokerSetting::Hidden => None,
    }
}

fn hindrance(error: &KafkaError) -> Probed {
    match error {
        KafkaError::Denied { .. } => Probed::NoRight,
        KafkaError::NoAuthorizer
        | KafkaError::Refused { .. }
        | KafkaError::Broker { .. }
        | KafkaError::Unsupported(_) => Probed::NotMade,
        KafkaError::Connect { .. }
        | KafkaError::TopicExists(_)
        | KafkaError::NoTopic(_)
        | KafkaError::Malformed { .. }
        | KafkaError::Throttled
        | KafkaError::Deadline(_) => Probed::NoAnswer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::{kafka::Acls, memory::MemoryCluster};

    fn platform() -> Principal {
        Principal::user("platform")
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    fn cluster(rules: &[&str]) -> MemoryCluster {
        let cluster = MemoryCluster::new(1);
        cluster.add_rules(rules.iter().map(|it| it.parse().unwrap()));
        cluster
    }

    const ADMIN: &str = "CLUSTER|LITERAL|kafka-cluster|User:platform|*|ALTER|ALLOW";
    const SEES: &str = "TOPIC|LITERAL|*|User:platform|*|DESCRIBE|ALLOW";

    /// Tries as a principal, and nothing is left of it.
    async fn found(cluster: &MemoryCluster, super_users: &[&str]) -> Probed {
        let super_users = super_users.iter().map(|it| Principal::user(it)).collect();
        let found = probe(&cluster.seen_by(platform()), Some(&platform()), &super_users, soon()).await;
        assert!(cluster.acls(&own(), soon()).await.unwrap_or_default().is_empty());
        found
    }

    #[tokio::test]
    async fn brokers_that_follow_rules_are_found_by_who_may_see_all_and_by_who_may_not() {
        assert_eq!(found(&cluster(&[ADMIN, SEES]), &[]).await, Probed::Enforced);
        assert_eq!(found(&cluster(&[ADMIN]), &[]).await, Probed::Enforced);
    }

    #[tokio::test]
    async fn what_a_killed_run_left_does_not_mislead_the_next() {
        let left = "TOPIC|LITERAL|_selfserve.probe|User:platform|*|DESCRIBE|DENY";
        assert_eq!(found(&cluster(&[ADMIN, SEES, left]), &[]).await, Probed::Enforced);
    }

    #[tokio::test(start_paused = true)]
    async fn brokers_that_take_rules_and_do_not_follow_them_are_found() {
        let ignoring = cluster(&[ADMIN]);
        ignoring.ignore_rules();
        assert_eq!(found(&ignoring, &[]).await, Probed::IgnoredPerhaps);
        ignoring.set_brokers(SUPER_USERS, Some(BrokerSetting::Value("User:root; User:other".to_owned())));
        assert_eq!(found(&ignoring, &[]).await, Probed::Ignored);
        let forgetful = cluster(&[ADMIN]);
        forgetful.forget_rules();
        assert_eq!(found(&forgetful, &[]).await, Probed::NotShown);
        let open = cluster(&[]);
        open.remove_authorizer();
        assert_eq!(found(&open, &[]).await, Probed::NotMade);
    }

    #[tokio::test]
    async fn who_cannot_try_it_is_told_why() {
        let it = cluster(&[ADMIN, "CLUSTER|LITERAL|kafka-cluster|User:platform|*|DESCRIBE_CONFIGS|ALLOW"]);
        assert_eq!(found(&it, &["platform"]).await, Probed::SuperUser);
        it.set_brokers(SUPER_USERS, Some(BrokerSetting::Value("User:root;User:platform".to_owned())));
        assert_eq!(found(&it, &[]).await, Probed::SuperUser);
        assert_eq!(found(&cluster(&[]), &[]).await, Probed::NoRight);
        assert_eq!(probe(&it, None, &BTreeSet::new(), soon()).await, Probed::Unnamed);
    }

    #[test]
    fn what_stands_in_the_way_is_told_apart() {
        let refused = KafkaError::Refused { code: "SECURITY_DISABLED".to_owned(), message: String::new() };
        assert_eq!(hindrance(&refused), Probed::NotMade);
        assert_eq!(hindrance(&KafkaError::Deadline("asking".to_owned())), Probed::NoAnswer);
    }
}

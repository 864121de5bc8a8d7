//! Looking at a cluster for what an environment promises there.

use std::{collections::BTreeMap, time::Instant};

use crate::{
    clients::{
        journal::{Journal, JournalError},
        kafka::{AclFilter, BrokerSetting, Kafka, KafkaError},
    },
    governance::{
        condition::{Sight, Told},
        record::Fold,
    },
};

const AUTHORIZER: &str = "authorizer.class.name";
const OPEN: &str = "allow.everyone.if.no.acl.found";
const AUTO_CREATION: &str = "auto.create.topics.enable";

/// What is seen of a cluster and of its journal. What the caller may not see is left open.
pub async fn look<S: Fold>(kafka: &dyn Kafka, journal: &Journal<S>, deadline: Instant) -> Result<Sight, KafkaError> {
    let cluster = kafka.cluster(deadline).await?;
    let mut settings = Vec::new();
    for broker in &cluster.brokers {
        // A broker that goes down meanwhile tells nothing.
        let told = kafka.broker_config(broker.id, &[AUTHORIZER, OPEN, AUTO_CREATION], deadline).await;
        settings.push(told.unwrap_or_default());
    }
    let (authorizer, rules) = match kafka.acls(&AclFilter::default(), deadline).await {
        Ok(rules) => (Told::On, Some(rules)),
        Err(KafkaError::NoAuthorizer) => (Told::Off, None),
        Err(_) => (of_all(&settings, |it| it.get(AUTHORIZER).map_or(Told::Nothing, is_named)), None),
    };
    let topics = journal.topics();
    Ok(Sight {
        brokers: cluster.brokers.len(),
        authorizer,
        probed: None,
        open: of_all(&settings, |it| match it.get(OPEN) {
            Some(setting) => is_true(setting),
            // Brokers tell every setting that was written, also those that Kafka itself does not know.
            None if it.is_empty() => Told::Nothing,
            None => Told::Off,
        }),
        auto_creation: of_all(&settings, |it| it.get(AUTO_CREATION).map_or(Told::Nothing, is_true)),
        rules,
        journal_topics: topics.all().map(ToString::to_string).to_vec(),
        journal_lease: topics.lease.clone(),
        journal_problems: problems(journal, deadline).await,
        services: Vec::new(),
    })
}

/// What is wrong with a journal, in sentences without an end.
async fn problems<S: Fold>(journal: &Journal<S>, deadline: Instant) -> Vec<String> {
    let deviations = match journal.deviations(deadline).await {
        Ok(deviations) => deviations,
        // Nobody made it yet, or the caller may not see it.
        Err(JournalError::Absent(_) | JournalError::Incomplete(_) | JournalError::Kafka(_)) => Vec::new(),
        Err(error) => return vec![error.to_string()],
    };
    let deviation = |it: &crate::clients::journal::Deviation| {
        let found = it.found.as_deref().unwrap_or("not set");
        format!("`{}` of topic `{}` is {found} and has to be {}", it.key, it.topic, it.expected)
    };
    deviations.iter().map(deviation).collect()
}

/// What all brokers tell together: one that has it on is enough.
fn of_all(settings: &[BTreeMap<String, BrokerSetting>], of: impl Fn(&BTreeMap<String, BrokerSetting>) -> Told) -> Told {
    let told: Vec<Told> = settings.iter().map(of).collect();
    let found = [Told::On, Told::Hidden, Told::Nothing, Told::Off].into_iter().find(|it| told.contains(it));
    found.unwrap_or_default()
}

fn is_true(setting: &BrokerSetting) -> Told {
    match setting {
        BrokerSetting::Value(value) if value.eq_ignore_ascii_case("true") => Told::On,
        BrokerSetting::Value(_) | BrokerSetting::Unset => Told::Off,
        BrokerSetting::Hidden => Told::Hidden,
    }
}

fn is_named(setting: &BrokerSetting) -> Told {
    match setting {
        BrokerSetting::Value(name) if !name.is_empty() => Told::On,
        BrokerSetting::Value(_) | BrokerSetting::Unset => Told::Off,
        BrokerSetting::Hidden => Told::Hidden,
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        clients::{journal::Claims, memory::MemoryCluster},
        governance::{acl::Principal, state::State},
    };

    async fn seen(cluster: &MemoryCluster, as_whom: &Arc<dyn Kafka>) -> Sight {
        let deadline = Instant::now() + Duration::from_secs(30);
        let journal = Journal::<State>::open(as_whom.clone());
        look(cluster, &journal, deadline).await.unwrap()
    }

    #[tokio::test]
    async fn a_cluster_is_seen_as_it_is_set() {
        let cluster = Arc::new(MemoryCluster::new(2));
        let kafka: Arc<dyn Kafka> = cluster.clone();
        let sight = seen(&cluster, &kafka).await;
        assert_eq!((sight.brokers, sight.authorizer, sight.open), (2, Told::On, Told::Off));
        assert_eq!((sight.auto_creation, sight.rules), (Told::Off, Some(Vec::new())));
        assert_eq!(sight.journal_topics, ["_selfserve", "_selfserve.state", "_selfserve.text"]);
        cluster.set_brokers(OPEN, Some(BrokerSetting::Hidden));
        cluster.set_brokers(AUTO_CREATION, Some(BrokerSetting::Value("true".to_owned())));
        let sight = seen(&cluster, &kafka).await;
        assert_eq!((sight.open, sight.auto_creation), (Told::Hidden, Told::On));
        cluster.remove_authorizer();
        let sight = seen(&cluster, &kafka).await;
        assert_eq!((sight.authorizer, sight.rules), (Told::Off, None));
    }

    #[tokio::test]
    async fn what_may_not_be_seen_is_left_open() {
        let cluster = Arc::new(MemoryCluster::new(2));
        let stranger = cluster.seen_by(Principal::user("team"));
        let kafka: Arc<dyn Kafka> = Arc::new(cluster.seen_by(Principal::user("team")));
        let sight = seen(&stranger, &kafka).await;
        assert_eq!((sight.brokers, sight.rules), (2, None));
        assert_eq!([sight.authorizer, sight.open, sight.auto_creation], [Told::Nothing; 3]);
    }

    #[tokio::test]
    async fn a_journal_that_somebody_changed_is_seen() {
        let cluster = Arc::new(MemoryCluster::new(1));
        let kafka: Arc<dyn Kafka> = cluster.clone();
        let deadline = Instant::now() + Duration::from_secs(30);
        Journal::<State>::open(kafka.clone()).create(Claims::default(), deadline).await.unwrap();
        assert_eq!(seen(&cluster, &kafka).await.journal_problems, Vec::<String>::new());
        let changes = BTreeMap::from([("retention.ms".to_owned(), Some("1000".to_owned()))]);
        kafka.alter_topic_config(&"_selfserve".parse().unwrap(), &changes, deadline).await.unwrap();
        let expected = "`retention.ms` of topic `_selfserve` is 1000 and has to be -1";
        assert_eq!(seen(&cluster, &kafka).await.journal_problems, [expected]);
    }
}

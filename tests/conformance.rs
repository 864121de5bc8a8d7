//! What every `Kafka` answers: the cluster in memory always, and a real one if the environment names it.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `KAFKA_CONFORMANCE_BOOTSTRAP` | `host:port`, or several joined with commas; without it, no real cluster is asked |
//! | `KAFKA_CONFORMANCE_CA` | file of the PEM authority to trust; with it, TLS is spoken |
//! | `KAFKA_CONFORMANCE_CERT`, `KAFKA_CONFORMANCE_KEY` | files of the client's PEM certificate and key |
//! | `KAFKA_CONFORMANCE_SASL` | `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512` |
//! | `KAFKA_CONFORMANCE_USER`, `KAFKA_CONFORMANCE_PASSWORD` | who calls, with the above |
//!
//! The caller needs all rights, and the cluster an authorizer. Topics are named `conformance.…` with a random part, and removed by tests that pass.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "conformance/acls.rs"]
mod acls;
#[path = "conformance/facts.rs"]
mod facts;
#[path = "conformance/logs.rs"]
mod logs;
#[path = "conformance/scram_users.rs"]
mod scram_users;

use std::{
    collections::BTreeMap,
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use acls::{
    a_rule_that_exists_is_created_and_one_that_is_gone_is_deleted, deleting_a_rule_spares_those_beside_it,
    filters_find_what_they_say, many_rules_at_once_are_each_created_and_deleted,
    rules_of_every_kind_are_created_shown_and_deleted,
};
use facts::{
    a_quota_is_set_changed_and_removed_key_by_key, a_quota_that_cannot_be_is_refused, brokers_tell_their_settings,
    checking_a_quota_changes_nothing, idempotence_needs_a_right_before_topics_have_ids,
    quotas_of_every_kind_of_entity_are_listed, rights_are_told_of_the_cluster_and_of_topics,
    the_quotas_of_a_user_and_of_its_clients_are_two,
};
use scram_users::{
    a_credential_that_cannot_be_is_refused, a_password_is_tried_by_logging_in_with_it,
    a_user_has_a_password_for_each_mechanism, both_passwords_of_a_user_may_be_set_at_once,
    many_credentials_at_once_are_each_answered_for_their_own_user,
};
use terraform_provider_kafka::{
    clients::{
        kafka::{HostPort, Kafka, KafkaError, KafkaSettings, Sasl, SaslMechanism, Secret, Tls, Topic, connect},
        memory::MemoryCluster,
    },
    governance::topic::{TopicName, TopicSpec, is_same_value},
};

use logs::*;

/// A cluster, and names that nobody else uses there.
struct Subject {
    kafka: Arc<dyn Kafka>,
    prefix: String,
}

impl Subject {
    fn name(&self, rest: &str) -> TopicName {
        format!("conformance.{}.{rest}", self.prefix).parse().unwrap()
    }

    fn spec(&self, rest: &str) -> TopicSpec {
        TopicSpec { name: self.name(rest), partitions: Some(2), replication_factor: Some(1), config: BTreeMap::new() }
    }

    async fn create(&self, spec: &TopicSpec) -> Topic {
        self.kafka.create_topic(spec, soon()).await.unwrap()
    }

    async fn described(&self, name: &TopicName) -> Topic {
        self.kafka.describe_topic(name, soon()).await.unwrap().unwrap()
    }

    async fn delete(&self, name: &TopicName) {
        self.kafka.delete_topic(name, None, soon()).await.unwrap();
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

fn config(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn changes(entries: &[(&str, Option<&str>)]) -> BTreeMap<String, Option<String>> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned))).collect()
}

/// What a topic sets itself.
fn overrides(topic: &Topic) -> BTreeMap<String, String> {
    let config = topic.config.as_ref().unwrap().iter().filter(|(_, it)| it.overridden);
    config.map(|(key, it)| (key.clone(), it.value.clone().unwrap())).collect()
}

fn refusal<T: std::fmt::Debug>(res: Result<T, KafkaError>) -> String {
    match res {
        Err(KafkaError::Refused { code, message }) => {
            assert!(!message.is_empty());
            code
        }
        res => panic!("not refused: {res:?}"),
    }
}

async fn a_created_topic_is_described_as_it_was_asked_for(on: &Subject) {
    let mut spec = on.spec("orders");
    spec.config = config(&[("retention.ms", "1000"), ("cleanup.policy", "compact")]);
    let created = on.create(&spec).await;
    let described = on.described(&spec.name).await;
    assert_eq!((created.partitions, created.replication_factor), (2, 1));
    assert_eq!(created.id, described.id);
    assert_eq!(overrides(&created), spec.config);
    assert_eq!(created, described);
    let default = &described.config.as_ref().unwrap()["segment.ms"];
    assert_eq!((default.value.as_deref(), default.overridden), (Some("604800000"), false));
    on.delete(&spec.name).await;
}

async fn the_broker_chooses_what_is_not_given(on: &Subject) {
    let spec = TopicSpec { partitions: None, replication_factor: None, ..on.spec("defaults") };
    let created = match on.kafka.create_topic(&spec, soon()).await {
        // Before Kafka 2.4.
        Err(KafkaError::Unsupported(_)) => return,
        created => created.unwrap(),
    };
    assert!(0 < created.partitions && 0 < created.replication_factor, "{created:?}");
    on.delete(&spec.name).await;
}

async fn a_topic_that_exists_is_not_created_again(on: &Subject) {
    let spec = on.spec("twice");
    on.create(&spec).await;
    let name = spec.name.to_string();
    assert_eq!(on.kafka.create_topic(&spec, soon()).await, Err(KafkaError::TopicExists(name.clone())));
    assert_eq!(on.kafka.check_create_topic(&spec, soon()).await, Err(KafkaError::TopicExists(name)));
    on.delete(&spec.name).await;
}

async fn a_topic_that_is_asked_for_twice_at_once_is_created_once(on: &Subject) {
    let spec = on.spec("race");
    let both = tokio::join!(on.kafka.create_topic(&spec, soon()), on.kafka.create_topic(&spec, soon()));
    let exists = Err(KafkaError::TopicExists(spec.name.to_string()));
    assert!(both.0.is_ok() ^ both.1.is_ok(), "{both:?}");
    assert!(both.0 == exists || both.1 == exists, "{both:?}");
    on.delete(&spec.name).await;
}

async fn names_that_differ_in_dots_and_underscores_collide(on: &Subject) {
    let spec = on.spec("a.b");
    on.create(&spec).await;
    let other = on.spec("a_b");
    assert_eq!(refusal(on.kafka.create_topic(&other, soon()).await), "INVALID_TOPIC_EXCEPTION");
    assert_eq!(refusal(on.kafka.check_create_topic(&other, soon()).await), "INVALID_TOPIC_EXCEPTION");
    on.delete(&spec.name).await;
}

async fn what_cannot_be_created_is_refused_and_leaves_nothing(on: &Subject) {
    let brokers = on.kafka.cluster(soon()).await.unwrap().brokers.len();
    let spec = on.spec("refused");
    let too_many = i16::try_from(brokers).unwrap() + 1;
    for (spec, code) in [
        (TopicSpec { replication_factor: Some(too_many), ..spec.clone() }, "INVALID_REPLICATION_FACTOR"),
        (TopicSpec { replication_factor: Some(0), ..spec.clone() }, "INVALID_REPLICATION_FACTOR"),
        (TopicSpec { partitions: Some(0), ..spec.clone() }, "INVALID_PARTITIONS"),
        (TopicSpec { config: config(&[("no.such.key", "1")]), ..spec.clone() }, "INVALID_CONFIG"),
        (TopicSpec { config: config(&[("retention.ms", "long")]), ..spec.clone() }, "INVALID_CONFIG"),
        (TopicSpec { config: config(&[("cleanup.policy", "burn")]), ..spec.clone() }, "INVALID_CONFIG"),
    ] {
        assert_eq!(refusal(on.kafka.check_create_topic(&spec, soon()).await), code, "{spec:?}");
        assert_eq!(refusal(on.kafka.create_topic(&spec, soon()).await), code, "{spec:?}");
    }
    assert_eq!(on.kafka.describe_topic(&spec.name, soon()).await, Ok(None));
}

async fn checking_a_creation_creates_nothing(on: &Subject) {
    let spec = on.spec("checked");
    assert_eq!(on.kafka.check_create_topic(&spec, soon()).await, Ok(()));
    assert_eq!(on.kafka.describe_topic(&spec.name, soon()).await, Ok(None));
}

async fn partitions_grow_and_never_shrink(on: &Subject) {
    let spec = on.spec("growing");
    let name = &spec.name;
    on.create(&spec).await;
    assert_eq!(on.kafka.check_grow_partitions(name, 5, soon()).await, Ok(()));
    assert_eq!(on.described(name).await.partitions, 2);
    assert_eq!(on.kafka.grow_partitions(name, 5, soon()).await, Ok(()));
    assert_eq!(on.described(name).await.partitions, 5);
    // As many as there are is no error: the answer to an earlier request may have been lost.
    assert_eq!(on.kafka.grow_partitions(name, 5, soon()).await, Ok(()));
    assert_eq!(on.kafka.check_grow_partitions(name, 5, soon()).await, Ok(()));
    assert_eq!(refusal(on.kafka.grow_partitions(name, 4, soon()).await), "INVALID_PARTITIONS");
    assert_eq!(refusal(on.kafka.check_grow_partitions(name, 4, soon()).await), "INVALID_PARTITIONS");
    assert_eq!(on.described(name).await.partitions, 5);
    on.delete(name).await;
}

async fn configuration_is_set_and_returned_to_the_default_key_by_key(on: &Subject) {
    let mut spec = on.spec("configured");
    spec.config = config(&[("retention.ms", "1000"), ("segment.ms", "2000")]);
    let name = &spec.name;
    on.create(&spec).await;
    let change = changes(&[("retention.ms", None), ("max.message.bytes", Some("5000"))]);
    assert_eq!(on.kafka.check_alter_topic_config(name, &change, soon()).await, Ok(()));
    assert_eq!(overrides(&on.described(name).await), spec.config);
    assert_eq!(on.kafka.alter_topic_config(name, &change, soon()).await, Ok(()));
    let expected = config(&[("max.message.bytes", "5000"), ("segment.ms", "2000")]);
    assert_eq!(overrides(&on.described(name).await), expected);
    // A key that is at its default already is returned to it without complaint.
    let again = changes(&[("retention.ms", None)]);
    assert_eq!(on.kafka.alter_topic_config(name, &again, soon()).await, Ok(()));
    assert_eq!(overrides(&on.described(name).await), expected);
    on.delete(name).await;
}

async fn wrong_configuration_is_refused_and_changes_nothing(on: &Subject) {
    let spec = on.spec("unchanged");
    let name = &spec.name;
    on.create(&spec).await;
    for change in [
        changes(&[("no.such.key", Some("1")), ("retention.ms", Some("1000"))]),
        changes(&[("retention.ms", Some("long"))]),
        changes(&[("cleanup.policy", Some("burn"))]),
    ] {
        let checked = on.kafka.check_alter_topic_config(name, &change, soon()).await;
        assert_eq!(refusal(checked), "INVALID_CONFIG", "{change:?}");
        let altered = on.kafka.alter_topic_config(name, &change, soon()).await;
        assert_eq!(refusal(altered), "INVALID_CONFIG", "{change:?}");
    }
    assert_eq!(overrides(&on.described(name).await), BTreeMap::new());
    on.delete(name).await;
}

async fn values_are_shown_as_the_broker_reads_them(on: &Subject) {
    for (key, written, shown) in [
        ("cleanup.policy", " compact ,delete", "compact,delete"),
        ("compression.type", " zstd ", "zstd"),
        ("leader.replication.throttled.replicas", "0:1 , 1:1", "0:1,1:1"),
        ("min.cleanable.dirty.ratio", "0.50", "0.5"),
        ("min.cleanable.dirty.ratio", "1", "1.0"),
        ("min.cleanable.dirty.ratio", "0.0001", "1.0E-4"),
        ("preallocate", " TRUE", "true"),
        ("retention.ms", "+01000 ", "1000"),
    ] {
        let mut spec = on.spec("rewritten");
        spec.config = config(&[(key, written)]);
        let created = on.create(&spec).await;
        let created = &overrides(&created)[key];
        assert!(is_same_value(key, written, created), "{key}: {written:?} is answered with {created:?}");
        let described = on.described(&spec.name).await;
        assert_eq!(overrides(&described), config(&[(key, shown)]), "{written:?}");
        assert!(is_same_value(key, written, shown), "{key}: {written:?} is shown as {shown:?}");
        let change = changes(&[("segment.ms", Some("3000 ")), (key, Some(written))]);
        on.kafka.alter_topic_config(&spec.name, &change, soon()).await.unwrap();
        let described = on.described(&spec.name).await;
        assert_eq!(overrides(&described), config(&[("segment.ms", "3000"), (key, shown)]), "{written:?}");
        on.delete(&spec.name).await;
    }
}

async fn an_absent_topic_is_none_to_readers_and_an_error_to_writers(on: &Subject) {
    let name = &on.name("absent");
    let missing = KafkaError::NoTopic(name.to_string());
    let change = changes(&[("retention.ms", Some("1000"))]);
    let keys = ["retention.ms".to_owned()];
    assert_eq!(on.kafka.describe_topic(name, soon()).await, Ok(None));
    assert_eq!(on.kafka.refresh_topic(name, &keys, soon()).await, Ok(None));
    assert_eq!(on.kafka.topic_never_written(name, soon()).await, Err(missing.clone()));
    assert_eq!(on.kafka.grow_partitions(name, 3, soon()).await, Err(missing.clone()));
    assert_eq!(on.kafka.check_grow_partitions(name, 3, soon()).await, Err(missing.clone()));
    assert_eq!(on.kafka.alter_topic_config(name, &change, soon()).await, Err(missing.clone()));
    assert_eq!(on.kafka.check_alter_topic_config(name, &change, soon()).await, Err(missing));
    assert_eq!(on.kafka.delete_topic(name, None, soon()).await, Ok(()));
}

async fn a_deleted_topic_is_gone_at_once_and_may_be_created_again(on: &Subject) {
    let spec = on.spec("deleted");
    let first = on.create(&spec).await;
    on.delete(&spec.name).await;
    assert_eq!(on.kafka.describe_topic(&spec.name, soon()).await, Ok(None));
    assert!(on.kafka.topics(soon()).await.unwrap().iter().all(|it| it.name != spec.name));
    let second = on.create(&spec).await;
    assert!(first.id.is_none() || first.id != second.id);
    on.delete(&spec.name).await;
}

async fn a_deletion_by_id_spares_another_topic_of_the_same_name(on: &Subject) {
    let spec = on.spec("anew");
    let (name, first) = (&spec.name, on.create(&spec).await);
    // Before Kafka 2.8.
    let Some(first) = first.id else { return on.delete(name).await };
    assert_eq!(on.kafka.delete_topic(name, Some(&first), soon()).await, Ok(()));
    assert_eq!(on.kafka.describe_topic(name, soon()).await, Ok(None));
    assert_eq!(on.kafka.delete_topic(name, Some(&first), soon()).await, Ok(()));
    let second = on.create(&spec).await;
    assert_eq!(on.kafka.delete_topic(name, Some(&first), soon()).await, Ok(()));
    assert_eq!(on.described(name).await.id, second.id);
    assert_eq!(on.kafka.delete_topic(name, second.id.as_deref(), soon()).await, Ok(()));
    assert_eq!(on.kafka.describe_topic(name, soon()).await, Ok(None));
}

async fn topics_come_in_order_and_have_what_was_created(on: &Subject) {
    for it in ["b", "a", "c"] {
        on.create(&on.spec(it)).await;
        on.described(&on.name(it)).await;
    }
    let topics = on.kafka.topics(soon()).await.unwrap();
    assert!(topics.is_sorted_by_key(|it| &it.name));
    let ours = format!("conformance.{}.", on.prefix);
    let ours: Vec<_> = topics.into_iter().filter(|it| it.name.as_str().starts_with(&ours)).collect();
    assert_eq!(ours.iter().map(|it| &it.name).collect::<Vec<_>>(), [&on.name("a"), &on.name("b"), &on.name("c")]);
    for topic in ours {
        let described = on.described(&topic.name).await;
        assert_eq!(topic, Topic { config: None, ..described });
    }
    for it in ["a", "b", "c"] {
        on.delete(&on.name(it)).await;
    }
}

async fn a_refresh_sees_own_writes_however_many_reads_came_before(on: &Subject) {
    let mut spec = on.spec("refreshed");
    spec.config = config(&[("retention.ms", "1000")]);
    let keys = ["retention.ms".to_owned(), "segment.ms".to_owned()];
    let name = &spec.name;
    on.create(&spec).await;
    for round in 0..50 {
        let read = on.kafka.refresh_topic(name, &keys, soon()).await.unwrap().unwrap();
        assert_eq!(overrides(&read)["retention.ms"], "1000", "{round}");
    }
    let change = changes(&[("retention.ms", None), ("segment.ms", Some("3000"))]);
    on.kafka.alter_topic_config(name, &change, soon()).await.unwrap();
    on.kafka.grow_partitions(name, 3, soon()).await.unwrap();
    let read = on.kafka.refresh_topic(name, &keys, soon()).await.unwrap().unwrap();
    assert_eq!((overrides(&read), read.partitions), (config(&[("segment.ms", "3000")]), 3));
    on.delete(name).await;
    assert_eq!(on.kafka.refresh_topic(name, &keys, soon()).await, Ok(None));
}

async fn a_new_topic_was_never_written(on: &Subject) {
    let spec = on.spec("untouched");
    on.create(&spec).await;
    assert_eq!(on.kafka.topic_never_written(&spec.name, soon()).await, Ok(true));
    on.delete(&spec.name).await;
}

async fn a_cluster_has_an_id_and_brokers_in_order(on: &Subject) {
    let cluster = on.kafka.cluster(soon()).await.unwrap();
    assert!(!cluster.id.is_empty() && !cluster.brokers.is_empty());
    assert!(cluster.brokers.is_sorted_by_key(|it| it.id));
    assert_eq!(on.kafka.cluster(soon()).await.unwrap().id, cluster.id);
}

async fn an_absent_group_is_none(on: &Subject) {
    let group = format!("conformance.{}.absent", on.prefix);
    assert_eq!(on.kafka.consumer_group(&group, soon()).await, Ok(None));
}

async fn names_that_are_used_are_listed(on: &Subject) {
    let id = format!("conformance.{}.id", on.prefix);
    let listed = on.kafka.group_names(soon()).await.unwrap();
    assert!(listed.is_complete && !listed.names.contains(&id), "{listed:?}");
    let before = match on.kafka.transactional_ids(soon()).await {
        // Before Kafka 3.0.
        Err(KafkaError::Unsupported(_)) => return,
        listed => listed.unwrap(),
    };
    assert!(!before.names.contains(&id), "{before:?}");
    on.kafka.take_lease(&id, soon()).await.unwrap();
    let after = on.kafka.transactional_ids(soon()).await.unwrap();
    assert!(after.names.contains(&id) && !after.is_complete, "{after:?}");
}

async fn many_calls_at_once_are_each_answered_for_their_own_topic(on: &Subject) {
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..40 {
        let kafka = on.kafka.clone();
        let mut spec = on.spec(&format!("many-{number:02}"));
        spec.partitions = Some(1 + number % 3);
        spec.replication_factor = Some(if number == 7 { 99 } else { 1 });
        calls.spawn(async move {
            let created = kafka.create_topic(&spec, soon()).await;
            if number == 7 {
                assert_eq!(refusal(created), "INVALID_REPLICATION_FACTOR");
                return;
            }
            let created = created.unwrap();
            assert_eq!((&created.name, Some(created.partitions)), (&spec.name, spec.partitions));
            assert_eq!(kafka.describe_topic(&spec.name, soon()).await, Ok(Some(created.clone())));
            // By name and by id, in any mixture.
            let id = created.id.filter(|_| number % 2 == 0);
            kafka.delete_topic(&spec.name, id.as_deref(), soon()).await.unwrap();
            assert_eq!(kafka.describe_topic(&spec.name, soon()).await, Ok(None));
        });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
}

macro_rules! conformance {
    ($($case:ident)*) => {
        mod every_cluster {
            $(
                #[tokio::test]
                async fn $case() {
                    for subject in super::subjects() {
                        super::$case(&subject).await;
                    }
                }
            )*
        }
    };
}

conformance! {
    a_created_topic_is_described_as_it_was_asked_for
    the_broker_chooses_what_is_not_given
    a_topic_that_exists_is_not_created_again
    a_topic_that_is_asked_for_twice_at_once_is_created_once
    names_that_differ_in_dots_and_underscores_collide
    what_cannot_be_created_is_refused_and_leaves_nothing
    checking_a_creation_creates_nothing
    partitions_grow_and_never_shrink
    configuration_is_set_and_returned_to_the_default_key_by_key
    wrong_configuration_is_refused_and_changes_nothing
    values_are_shown_as_the_broker_reads_them
    an_absent_topic_is_none_to_readers_and_an_error_to_writers
    a_deleted_topic_is_gone_at_once_and_may_be_created_again
    a_deletion_by_id_spares_another_topic_of_the_same_name
    topics_come_in_order_and_have_what_was_created
    a_refresh_sees_own_writes_however_many_reads_came_before
    a_new_topic_was_never_written
    a_cluster_has_an_id_and_brokers_in_order
    an_absent_group_is_none
    names_that_are_used_are_listed
    many_calls_at_once_are_each_answered_for_their_own_topic
    rules_of_every_kind_are_created_shown_and_deleted
    a_rule_that_exists_is_created_and_one_that_is_gone_is_deleted
    deleting_a_rule_spares_those_beside_it
    filters_find_what_they_say
    many_rules_at_once_are_each_created_and_deleted
    a_quota_is_set_changed_and_removed_key_by_key
    the_quotas_of_a_user_and_of_its_clients_are_two
    a_quota_that_cannot_be_is_refused
    checking_a_quota_changes_nothing
    quotas_of_every_kind_of_entity_are_listed
    a_user_has_a_password_for_each_mechanism
    a_password_is_tried_by_logging_in_with_it
    both_passwords_of_a_user_may_be_set_at_once
    a_credential_that_cannot_be_is_refused
    many_credentials_at_once_are_each_answered_for_their_own_user
    brokers_tell_their_settings
    rights_are_told_of_the_cluster_and_of_topics
    idempotence_needs_a_right_before_topics_have_ids
    an_empty_log_reads_as_nothing
    what_is_written_to_a_log_outside_of_transactions_is_read_at_once
    a_transaction_writes_to_several_topics
    a_writer_that_lost_its_lease_writes_nothing
    a_transaction_that_would_begin_elsewhere_leaves_nothing
    a_log_is_read_from_any_offset
    a_log_larger_than_one_answer_is_read_in_several
    only_topics_of_one_partition_are_logs
    records_are_stamped_when_they_are_appended_or_as_their_writer_says
}

fn subjects() -> Vec<Subject> {
    let mut random = [0; 6];
    aws_lc_rs::rand::fill(&mut random).unwrap();
    let prefix: String = random.iter().map(|it| char::from(b'a' + it % 26)).collect();
    let memory = Subject { kafka: Arc::new(MemoryCluster::new(3)), prefix: prefix.clone() };
    let real = real_settings().map(|it| Subject { kafka: connect(it), prefix });
    [memory].into_iter().chain(real).collect()
}

fn real_settings() -> Option<KafkaSettings> {
    let servers = variable("BOOTSTRAP")?;
    let servers = servers.split(',').map(|it| {
        let (host, port) = it.rsplit_once(':').unwrap();
        HostPort { host: host.to_owned(), port: port.parse().unwrap() }
    });
    let file = |name| variable(name).map(|it| fs::read_to_string(it).unwrap());
    let client = || Some((file("CERT")?, Secret::new(file("KEY")?)));
    let tls = || Some(Tls { ca: Some(file("CA")?), client: client(), insecure: false });
    let sasl = || {
        let mechanism = match variable("SASL")?.as_str() {
            "PLAIN" => SaslMechanism::Plain,
            "SCRAM-SHA-256" => SaslMechanism::ScramSha256,
            "SCRAM-SHA-512" => SaslMechanism::ScramSha512,
            other => panic!("no mechanism: {other}"),
        };
        Some(Sasl { mechanism, username: variable("USER")?, password: Secret::new(variable("PASSWORD")?) })
    };
    Some(KafkaSettings {
        bootstrap_servers: servers.collect(),
        tls: tls(),
        sasl: sasl(),
        request_timeout: Duration::from_secs(30),
        principal: None,
    })
}

#[expect(clippy::disallowed_methods, reason = "the rule is for the provider's settings")]
fn variable(name: &str) -> Option<String> {
    std::env::var(format!("KAFKA_CONFORMANCE_{name}")).ok()
}

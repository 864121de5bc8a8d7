//! What presets promise, by a client that has nothing to do with ours: it does what each is for, and is refused one step
//! beyond.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use acceptance_tests::{Engine, Stack, User, Workspace, hcl};
use rdkafka::{
    ClientConfig, ClientContext, Message,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::DeliveryResult,
    producer::{BaseProducer, BaseRecord, Producer, ProducerContext},
    types::RDKafkaErrorCode as Code,
};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::workspace;

const SOON: Duration = Duration::from_secs(20);

/// What came of the records of a producer.
#[derive(Default)]
struct Deliveries(Mutex<Vec<Result<(), Code>>>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let outcome = result.as_ref().map(drop).map_err(|(error, _)| code(error));
        self.0.lock().expect("nobody panics with it").push(outcome);
    }
}

fn code(error: &KafkaError) -> Code {
    error.rdkafka_error_code().unwrap_or(Code::Fail)
}

/// Somebody whom rules concern.
fn client(user: User) -> ClientConfig {
    let stack = Stack::shared();
    let mut res = ClientConfig::new();
    res.set("bootstrap.servers", stack.sasl_ssl())
        .set("security.protocol", "SASL_SSL")
        .set("ssl.ca.location", stack.ca_file().to_string_lossy())
        .set("sasl.mechanism", "SCRAM-SHA-256")
        .set("sasl.username", user.name)
        .set("sasl.password", user.password)
        .set("allow.auto.create.topics", "false");
    res
}

/// Writes a record.
fn writes(config: &ClientConfig, topic: &str) -> Result<(), Code> {
    let mut config = config.clone();
    config.set("message.timeout.ms", "15000");
    let producer: BaseProducer<Deliveries> =
        config.create_with_context(Deliveries::default()).expect("the settings are right");
    send(&producer, topic)
}

fn send(producer: &BaseProducer<Deliveries>, topic: &str) -> Result<(), Code> {
    producer.send(BaseRecord::<str, str>::to(topic).payload("x")).map_err(|(error, _)| code(&error))?;
    producer.flush(SOON).map_err(|error| code(&error))?;
    producer.context().0.lock().expect("nobody panics with it").pop().unwrap_or(Err(Code::OperationTimedOut))
}

/// Writes a record in a transaction.
fn writes_in_transaction(topic: &str, id: &str) -> Result<(), Code> {
    let mut config = client(Stack::TEAM);
    config.set("transactional.id", id).set("transaction.timeout.ms", "15000");
    let producer: BaseProducer<Deliveries> =
        config.create_with_context(Deliveries::default()).expect("the settings are right");
    producer.init_transactions(SOON).map_err(|error| code(&error))?;
    producer.begin_transaction().map_err(|error| code(&error))?;
    send(&producer, topic)?;
    producer.commit_transaction(SOON).map_err(|error| code(&error))
}

/// Reads a record in a group.
fn reads(topic: &str, group: &str, protocol: &str) -> Result<(), Code> {
    let mut config = client(Stack::TEAM);
    config.set("group.id", group).set("group.protocol", protocol).set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer = config.create().expect("the settings are right");
    consumer.subscribe(&[topic]).expect("the name is right");
    let deadline = Instant::now() + 2 * SOON;
    while Instant::now() < deadline {
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(record)) if record.payload() == Some(b"x") => return Ok(()),
            Some(Err(error)) => match code(&error) {
                // The broker is slow to find the coordinator of a group that is new.
                Code::BrokerTransportFailure | Code::AllBrokersDown | Code::CoordinatorNotAvailable => {}
                other => return Err(other),
            },
            Some(Ok(_)) | None => {}
        }
    }
    Err(Code::OperationTimedOut)
}

/// Makes a topic, as those do who name theirs after themselves.
fn makes(topic: &str) -> Result<(), Code> {
    let admin: AdminClient<DefaultClientContext> = client(Stack::TEAM).create().expect("the settings are right");
    let wanted = NewTopic::new(topic, 1, TopicReplication::Fixed(1));
    let made = Runtime::new().expect("a runtime starts").block_on(admin.create_topics([&wanted], &AdminOptions::new()));
    made.map_err(|error| code(&error))?.pop().expect("there is an answer for each").map(drop).map_err(|(_, code)| code)
}

/// Deletes a topic.
fn deletes(topic: &str) -> Result<(), Code> {
    let admin: AdminClient<DefaultClientContext> = client(Stack::TEAM).create().expect("the settings are right");
    let gone = Runtime::new().expect("a runtime starts").block_on(admin.delete_topics(&[topic], &AdminOptions::new()));
    gone.map_err(|error| code(&error))?.pop().expect("there is an answer for each").map(drop).map_err(|(_, code)| code)
}

/// Gives `User:team` what a preset promises, until the workspace is destroyed.
fn with_preset(engine: &Engine, kind: &str, names: &[(&str, &str)]) -> Workspace {
    let workspace = workspace(engine);
    let names: BTreeMap<_, _> = names.iter().copied().collect();
    let rules = format!("provider::kafka::acl_preset({}, {})", hcl(kind), json!(names));
    workspace.write(
        "main.tf",
        &format!(
            "resource \"kafka_acl\" \"it\" {{\n for_each = {{ for it in {rules} : \"${{it.resource_type}} \
             ${{it.resource_name}}\" => it }}\n resource_type = each.value.resource_type\n resource_name = \
             each.value.resource_name\n pattern_type = each.value.pattern_type\n operations = each.value.operations\n \
             principals = [\"User:team\"]\n}}\n"
        ),
    );
    workspace.applies();
    workspace
}

/// A topic with a record, that everybody else wrote.
fn topic_with_record(name: &str) {
    let stack = Stack::shared();
    if stack.topic(name).is_none() {
        stack.create_topic(name, 1);
    }
    writes(&client(Stack::ADMIN), name).expect("who may do everything writes");
}

#[test]
fn a_producer_writes_to_its_topic_alone() {
    for engine in Engine::usual() {
        for it in ["witness.p.orders", "witness.p.other"] {
            topic_with_record(it);
        }
        assert_eq!(writes(&client(Stack::TEAM), "witness.p.orders"), Err(Code::TopicAuthorizationFailed));
        let workspace = with_preset(&engine, "producer", &[("topic", "witness.p.orders")]);
        assert_eq!(writes(&client(Stack::TEAM), "witness.p.orders"), Ok(()));
        assert_eq!(writes(&client(Stack::TEAM), "witness.p.other"), Err(Code::TopicAuthorizationFailed));
        assert_eq!(reads("witness.p.orders", "witness.p", "classic"), Err(Code::GroupAuthorizationFailed));
        workspace.destroy().success();
    }
}

#[test]
fn a_consumer_reads_its_topics_in_its_groups_alone() {
    for engine in Engine::usual() {
        for it in ["witness.c.orders", "witness.d.orders"] {
            topic_with_record(it);
        }
        let workspace = with_preset(&engine, "consumer", &[("topic", "witness.c.*"), ("group", "witness.c.*")]);
        assert_eq!(reads("witness.c.orders", "witness.c.classic", "classic"), Ok(()));
        assert_eq!(reads("witness.c.orders", "witness.c.consumer", "consumer"), Ok(()));
        assert_eq!(reads("witness.c.orders", "witness.d.group", "classic"), Err(Code::GroupAuthorizationFailed));
        assert_eq!(reads("witness.d.orders", "witness.c.classic", "classic"), Err(Code::TopicAuthorizationFailed));
        assert_eq!(writes(&client(Stack::TEAM), "witness.c.orders"), Err(Code::TopicAuthorizationFailed));
        workspace.destroy().success();
    }
}

#[test]
fn a_transactional_producer_writes_under_its_id_alone() {
    for engine in Engine::usual() {
        for it in ["witness.t.orders", "witness.t.other"] {
            topic_with_record(it);
        }
        let names = [("topic", "witness.t.orders"), ("transactional_id", "witness-t-*")];
        let workspace = with_preset(&engine, "transactional_producer", &names);
        assert_eq!(writes_in_transaction("witness.t.orders", "witness-t-1"), Ok(()));
        let other_id = writes_in_transaction("witness.t.orders", "witness-u-1");
        assert_eq!(other_id, Err(Code::TransactionalIdAuthorizationFailed));
        let other_topic = writes_in_transaction("witness.t.other", "witness-t-1").unwrap_err();
        assert!(matches!(other_topic, Code::TopicAuthorizationFailed | Code::PurgeQueue), "{other_topic:?}");
        workspace.destroy().success();
    }
}

#[test]
fn a_streams_program_does_everything_with_its_internal_topics_alone() {
    for engine in Engine::usual() {
        topic_with_record("witness-s.orders");
        let workspace = with_preset(&engine, "streams", &[("application_id", "witness-s")]);
        let changelog = "witness-s-store-changelog";
        assert_eq!(makes(changelog), Ok(()));
        assert_eq!(writes(&client(Stack::TEAM), changelog), Ok(()));
        assert_eq!(writes_in_transaction(changelog, "witness-s-0_0"), Ok(()));
        assert_eq!(reads(changelog, "witness-s", "classic"), Ok(()));
        assert_eq!(deletes(changelog), Ok(()));
        assert_eq!(makes("witness-sx-store"), Err(Code::TopicAuthorizationFailed));
        assert_eq!(reads("witness-s.orders", "witness-s", "classic"), Err(Code::TopicAuthorizationFailed));
        assert_eq!(reads("witness-s.orders", "witness-s2", "classic"), Err(Code::GroupAuthorizationFailed));
        workspace.destroy().success();
    }
}

#[test]
fn a_connect_worker_makes_and_uses_its_own_topics_alone() {
    for engine in Engine::usual() {
        topic_with_record("witness-k.orders");
        let names = [
            ("group", "witness-k"),
            ("config_topic", "witness-k-config"),
            ("offset_topic", "witness-k-offset"),
            ("status_topic", "witness-k-status"),
        ];
        let workspace = with_preset(&engine, "connect", &names);
        for topic in ["witness-k-config", "witness-k-offset", "witness-k-status"] {
            assert_eq!(makes(topic), Ok(()));
            assert_eq!(writes(&client(Stack::TEAM), topic), Ok(()));
        }
        assert_eq!(reads("witness-k-status", "witness-k", "classic"), Ok(()));
        assert_eq!(makes("witness-k-other"), Err(Code::TopicAuthorizationFailed));
        assert_eq!(deletes("witness-k-config"), Err(Code::TopicAuthorizationFailed));
        assert_eq!(reads("witness-k.orders", "connect-sink", "classic"), Err(Code::TopicAuthorizationFailed));
        workspace.destroy().success();
        for topic in ["witness-k-config", "witness-k-offset", "witness-k-status"] {
            Stack::shared().delete_topic(topic);
        }
    }
}

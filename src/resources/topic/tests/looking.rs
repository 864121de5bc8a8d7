//! What a refresh, an import and an upgrade make of a topic.

use serde_json::json;

use super::{Run, config, map, nothing, orders, told, topic_name, value};
use crate::{
    clients::kafka::{ConnectProblem, Kafka, KafkaError},
    framework::{Import, Severity, Value},
    resources::testing::{quiet, soon},
};

#[tokio::test]
async fn a_topic_deleted_outside_is_gone() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(3)).await;
    run.cluster.delete_topic(&topic_name("orders"), None, soon()).await.unwrap();
    let outcome = Run::on(&run.cluster).read(&stored).await;
    quiet(&outcome.diagnostics);
    assert_eq!(outcome.stored.state, Value::Null);
}

#[tokio::test]
async fn what_may_not_be_described_stays_in_the_state() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(3)).await;
    run.cluster.deny("DESCRIBE", &topic_name("orders"));
    let outcome = run.read(&stored).await;
    told(&outcome.diagnostics, Severity::Warning, "Topic not refreshed");
    assert_eq!(outcome.stored.state, stored.state);
}

/// Only a missing right leaves the state as it was: whatever else keeps the topic from being seen must be told.
#[tokio::test]
async fn what_cannot_be_asked_is_an_error_of_the_refresh() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(3)).await;
    let check = async |error: KafkaError, summary: &str| {
        run.cluster.fail_next(error);
        let outcome = run.read(&stored).await;
        told(&outcome.diagnostics, Severity::Error, summary);
        assert_eq!(outcome.stored, stored);
    };
    let address = "a:1".parse().unwrap();
    let unreachable =
        KafkaError::Connect { broker: address, problem: ConnectProblem::Unreachable("refused".to_owned()) };
    check(unreachable, "Cannot connect to Kafka").await;
    let broken = KafkaError::Broker { code: "UNKNOWN_SERVER_ERROR".to_owned(), message: "it broke".to_owned() };
    check(broken, "Kafka request failed").await;
}

/// Rule 21 of Terraform's core: an import owns exactly what the topic overrides.
#[tokio::test]
async fn an_import_owns_the_overrides() {
    let run = Run::new();
    run.make("orders", 3).await;
    let changes = [("retention.ms".to_owned(), Some("60000".to_owned()))].into();
    run.cluster.alter_topic_config(&topic_name("orders"), &changes, soon()).await.unwrap();
    for id in ["orders", "dev/orders"] {
        let imported = run.import(id).await;
        quiet(&imported.diagnostics);
        let by_identity = run.resource.import(&run.ctx, Import::Identity(imported.stored.identity.clone())).await;
        quiet(&by_identity.diagnostics);
        assert_eq!(by_identity.stored, imported.stored);
        let seen = run.read(&imported.stored).await;
        quiet(&seen.diagnostics);
        assert_eq!(seen.stored.state.attribute("config"), &value(&map([("retention.ms", "60000".into())])));
        let same = config([
            ("name", "orders".into()),
            ("partitions", 3.into()),
            ("config", map([("retention.ms", "60000".into())])),
        ]);
        assert_eq!(run.plan(&seen.stored, &same).await.planned.state, seen.stored.state);
    }
}

/// Rule 21 of Terraform's core: an imported topic is known by its UUID and its partitions as one that was created.
#[tokio::test]
async fn an_imported_topic_is_known_as_one_that_was_created() {
    let run = Run::new();
    run.make("orders", 3).await;
    let imported = run.import("orders").await.stored;
    let stored = run.read(&imported).await.stored;
    assert_eq!(stored.private.text("uuid"), run.actual("orders").await.unwrap().id.as_deref());
    run.cluster.grow_partitions(&topic_name("orders"), 8, soon()).await.unwrap();
    let stored = run.read(&stored).await.stored;
    told(&run.plan(&stored, &orders(3)).await.diagnostics, Severity::Warning, "Partitions grown outside");
    run.cluster.delete_topic(&topic_name("orders"), None, soon()).await.unwrap();
    run.make("orders", 3).await;
    let outcome = run.next().destroy(&stored).await;
    told(&outcome.diagnostics, Severity::Error, "Topic was made anew outside");
}

#[tokio::test]
async fn wrong_identifiers_are_told() {
    let run = Run::new();
    let check = async |id: &str, summary: &str| {
        let outcome = run.import(id).await;
        told(&outcome.diagnostics, Severity::Error, summary);
    };
    check("dev/a b", "Invalid topic identifier").await;
    check("pro/orders", "Unknown environment").await;
    check("dev/__consumer_offsets", "Internal topic").await;
}

/// State of the most used provider, whose schema versions are older than 100.
#[test]
fn state_of_another_provider_is_upgraded() {
    let run = Run::new();
    let state = json!({
        "id": "orders", "name": "orders", "partitions": 3, "replication_factor": 1,
        "config": {"retention.ms": "60000"}, "managed_by_somebody": true,
    });
    let upgraded = run.resource.upgrade(0, state).unwrap();
    assert_eq!(upgraded.attribute("partitions"), &3.into());
    assert_eq!(upgraded.attribute("deletion_protection"), &false.into());
    assert_eq!(upgraded.attribute("environment"), &Value::Null);
}

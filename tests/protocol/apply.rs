//! What is done.

use serde_json::{Value as Json, json};
use terraform_provider_kafka::framework::Value;

use crate::protocol::client::{Host, NOTHING, Object, object, with};

async fn made(host: &Host, config: Value) -> Object {
    let (object, said) = host.create("demo_thing", config).await;
    assert_eq!(said, ["warning: Created"]);
    object
}

fn facts(object: &Object) -> Json {
    serde_json::from_slice(&object.private).unwrap()
}

/// Rule 25 of Terraform's core: Terraform stores state, private facts and identity as they come: one that were left out would be erased.
#[tokio::test]
async fn every_answer_returns_private_facts_and_identity() {
    let host = Host::configured().await;
    let identity = object([("name", "a".into()), ("place", "here".into())]);
    let config = object([("name", "a".into()), ("password_wo", "12345".into())]);
    let made = made(&host, config.clone()).await;
    assert_eq!(facts(&made), json!({"opened with": 5}));
    assert_eq!(made.identity, identity);

    let (read, _) = host.read("demo_thing", &made).await;
    assert_eq!(facts(&read), json!({"opened with": 5, "seen": true}));
    assert_eq!(read.identity, identity);

    let config = with(&config, "size", 4.into());
    let planned = host.plan("demo_thing", &read, config.clone()).await.object;
    assert_eq!(facts(&planned)["opened with"], 5);
    assert_eq!(planned.identity, identity);

    let (updated, _) = host.apply("demo_thing", &read.state, &planned, config).await;
    assert_eq!(facts(&updated), json!({"opened with": 5, "seen": true, "updated": true}));
    assert_eq!(updated.identity, identity);
}

#[tokio::test]
async fn a_create_completes_its_plan() {
    let host = Host::configured().await;
    let config =
        object([("name", "a".into()), ("password_wo", "12345".into()), ("owner", object([("email", "a@b".into())]))]);
    let state = made(&host, config).await.state;
    assert!(state.is_wholly_known());
    for (name, expected) in [
        ("id", "id of a".into()),
        ("digest", "#3".into()),
        ("size", 3.into()),
        ("password_wo", Value::Null),
        ("owner", object([("email", "a@b".into()), ("verified", true.into()), ("pin_wo", Value::Null)])),
    ] {
        assert_eq!(state.attribute(name), &expected, "{name}");
    }
}

#[tokio::test]
async fn an_update_completes_its_plan() {
    let host = Host::configured().await;
    let made = made(&host, object([("name", "a".into())])).await;
    let config = object([("name", "a".into()), ("size", 4.into())]);
    let planned = host.plan("demo_thing", &made, config.clone()).await.object;
    let (updated, said) = host.apply("demo_thing", &made.state, &planned, config).await;
    assert_eq!(said, ["warning: Updated"]);
    assert_eq!(updated.state, with(&with(&made.state, "size", 4.into()), "digest", "#4".into()));
}

#[tokio::test]
async fn other_timeouts_alone_reach_nobody() {
    let host = Host::configured().await;
    let made = made(&host, object([("name", "a".into())])).await;
    let timeouts =
        object([("create", "7m".into()), ("read", Value::Null), ("update", Value::Null), ("delete", Value::Null)]);
    let config = object([("name", "a".into()), ("timeouts", timeouts.clone())]);
    let planned = host.plan("demo_thing", &made, config.clone()).await.object;
    let (updated, said) = host.apply("demo_thing", &made.state, &planned, config).await;
    assert_eq!(said, NOTHING);
    assert_eq!(updated.state, with(&made.state, "timeouts", timeouts));
    assert_eq!(facts(&updated), facts(&made));
    assert_eq!(updated.identity, made.identity);
}

/// State beside an error would taint the new object, and the next apply would destroy it with its data.
#[tokio::test]
async fn a_create_that_fails_half_way_returns_no_state() {
    let host = Host::configured().await;
    for (name, expected) in [
        ("half made", ["warning: Created", "error: Broke down"]),
        ("complains", ["warning: Created", "error: Made, but not well"]),
        ("forgetful", ["warning: Created", "error: Provider bug"]),
    ] {
        let labels = Value::Map([("a".to_owned(), "b".into())].into());
        let (made, said) = host.create("demo_thing", object([("name", name.into()), ("labels", labels)])).await;
        assert_eq!(said, expected);
        assert_eq!((made.state, made.identity), (Value::Null, Value::Null), "{name}");
    }
    let (made, said) = host.create("demo_mishap", object([("during", "create".into())])).await;
    assert_eq!(said, ["error: Provider bug"]);
    assert_eq!(made, Object::default());
}

#[tokio::test]
async fn an_update_that_fails_keeps_what_was_stored() {
    let host = Host::configured().await;
    let made = made(&host, object([("name", "a".into())])).await;
    let config = object([("name", "a".into()), ("size", 13.into())]);
    let planned = host.plan("demo_thing", &made, config.clone()).await.object;
    let (updated, said) = host.apply("demo_thing", &made.state, &planned, config).await;
    assert_eq!(said, ["warning: Updated", "error: Broke down"]);
    // An answer without state has Terraform keep its own: state, private facts and identity.
    assert_eq!(updated, Object::default());
}

/// The plan may be an old one: what it may do is asked again when it is done.
#[tokio::test]
async fn what_may_not_be_is_refused_before_anything_is_done() {
    let host = Host::configured().await;
    let planned = host.plan("demo_thing", &Object::default(), object([("name", "a".into())])).await.object;
    let planned = Object { state: with(&planned.state, "name", "forbidden".into()), ..planned };
    let (made, said) = host.apply("demo_thing", &Value::Null, &planned, object([("name", "forbidden".into())])).await;
    assert_eq!(said, ["error: Name is forbidden at name", "warning: Things are dear"]);
    assert_eq!(made.state, Value::Null);
}

#[tokio::test]
async fn a_destroyed_object_leaves_nothing() {
    let host = Host::configured().await;
    let made = made(&host, object([("name", "a".into())])).await;
    let planned = host.plan("demo_thing", &made, Value::Null).await.object;
    let (gone, said) = host.apply("demo_thing", &made.state, &planned, Value::Null).await;
    assert_eq!(said, NOTHING);
    assert_eq!(gone, Object::default());
}

#[tokio::test]
async fn an_object_that_cannot_be_destroyed_stays() {
    let host = Host::configured().await;
    let made = made(&host, object([("name", "stuck".into())])).await;
    let planned = host.plan("demo_thing", &made, Value::Null).await.object;
    let (kept, said) = host.apply("demo_thing", &made.state, &planned, Value::Null).await;
    assert_eq!(said, ["error: Is stuck"]);
    assert_eq!(kept, Object::default());
}

#[tokio::test]
async fn a_type_that_is_not_there_is_refused() {
    let host = Host::configured().await;
    let (_, said) = host.apply("demo_nothing", &Value::Null, &Object::default(), Value::Null).await;
    assert_eq!(said, ["error: No such resource"]);
}

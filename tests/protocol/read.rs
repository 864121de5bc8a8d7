//! What is there.

use terraform_provider_kafka::framework::Value;

use crate::protocol::client::{Host, NOTHING, Object, object};

fn stored(name: &str) -> Object {
    Object {
        state: object([("name", name.into()), ("size", 4.into()), ("password", "secret".into())]),
        private: r#"{"fact":1}"#.into(),
        identity: Value::Null,
    }
}

#[tokio::test]
async fn what_is_there_is_told() {
    let host = Host::configured().await;
    let (read, said) = host.read("demo_thing", &stored("a")).await;
    assert_eq!(said, NOTHING);
    assert_eq!(read.state.attribute("id"), &"id of a".into());
    assert_eq!(read.state.attribute("digest"), &"#4".into());
    assert_eq!(read.state.attribute("password"), &"secret".into());
    assert_eq!(read.private, r#"{"fact":1,"seen":true}"#);
    assert_eq!(read.identity, object([("name", "a".into()), ("place", "here".into())]));
}

#[tokio::test]
async fn what_is_gone_is_null() {
    let host = Host::configured().await;
    let (read, said) = host.read("demo_thing", &stored("gone")).await;
    assert_eq!(said, NOTHING);
    assert_eq!(read, Object::default());
}

#[tokio::test]
async fn what_cannot_be_looked_at_stays_as_it_is() {
    let host = Host::configured().await;
    let (read, said) = host.read("demo_thing", &stored("unreachable")).await;
    assert_eq!(said, ["error: Not reachable"]);
    assert_eq!(read.state.attribute("size"), &4.into());
    assert_eq!(read.private, r#"{"fact":1}"#);
}

#[tokio::test]
async fn private_facts_of_another_provider_are_left_behind() {
    let host = Host::configured().await;
    let (read, said) = host.read("demo_thing", &Object { private: "no json".into(), ..stored("a") }).await;
    assert_eq!(said, NOTHING);
    assert_eq!(read.private, r#"{"seen":true}"#);
}

#[tokio::test]
async fn a_data_source_completes_its_configuration_or_fails() {
    let host = Host::configured().await;
    let (state, said) = host.look("demo_place", object([("wanted", "rest".into())])).await;
    assert_eq!(said, NOTHING);
    assert_eq!(state, object([("wanted", "rest".into()), ("endpoint", "here".into()), ("looks", 1.into())]));
    let (state, said) = host.look("demo_place", object([("wanted", "paradise".into())])).await;
    assert_eq!((state, said), (Value::Null, vec!["error: Nothing there".to_owned()]));
}

#[tokio::test]
async fn types_that_are_not_there_are_refused() {
    let host = Host::configured().await;
    assert_eq!(host.read("demo_place", &Object::default()).await.1, ["error: No such resource"]);
    assert_eq!(host.look("demo_thing", Value::Null).await.1, ["error: No such data source"]);
}

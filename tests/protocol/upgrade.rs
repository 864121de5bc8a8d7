//! What is stored, in its present form.

use terraform_provider_kafka::{
    framework::Value,
    proto::tfplugin6::{RawState, upgrade_resource_identity, upgrade_resource_state},
};

use crate::protocol::client::{Host, NOTHING, object, said, told_identity, ty, value};

async fn upgrade(version: i64, raw_state: Option<RawState>) -> (Value, Vec<String>) {
    let host = Host::start().await;
    let request = upgrade_resource_state::Request { type_name: "demo_thing".into(), version, raw_state };
    let response = host.client.clone().upgrade_resource_state(request).await.unwrap().into_inner();
    (value(response.upgraded_state.as_ref(), &ty("demo_thing")), said(&response.diagnostics))
}

fn json(text: &'static str) -> RawState {
    RawState { json: text.into(), ..RawState::default() }
}

#[tokio::test]
async fn state_of_the_present_version_is_read_as_it_is() {
    let text = r#"{"id": "i", "name": "a", "size": 9007199254740993, "labels": {"x": null}, "tags": ["t"],
        "extra": {"type": "bool", "value": true}, "parts": [{"key": "k", "count": 2}], "rule": [{"allow": "all"}],
        "password_wo": "never", "dropped long ago": [1]}"#;
    let (state, said) = upgrade(100, Some(json(text))).await;
    assert_eq!(said, NOTHING);
    for (name, expected) in [
        ("id", "i".into()),
        ("size", Value::from(9_007_199_254_740_993)),
        ("labels", Value::Map([("x".to_owned(), Value::Null)].into())),
        ("tags", Value::set(["t".into()])),
        ("parts", Value::List(vec![object([("key", "k".into()), ("count", 2.into())])])),
        ("rule", Value::List(vec![object([("allow", "all".into())])])),
        // Defaults belong to a new version, not to what is stored.
        ("make", Value::Null),
        ("password_wo", Value::Null),
    ] {
        assert_eq!(state.attribute(name), &expected, "{name}");
    }
}

#[tokio::test]
async fn state_of_an_older_version_is_upgraded_and_its_defaults_are_filled() {
    let (state, said) = upgrade(99, Some(json(r#"{"id": "i", "called": "a", "labels": {"x": "y"}}"#))).await;
    assert_eq!(said, NOTHING);
    for (name, expected) in [
        ("id", "i".into()),
        ("name", "a".into()),
        ("size", 3.into()),
        ("make", "plain".into()),
        ("labels", Value::Map([("x".to_owned(), "y".into())].into())),
        // Terraform has no null for blocks that can be written several times.
        ("rule", Value::List(vec![])),
    ] {
        assert_eq!(state.attribute(name), &expected, "{name}");
    }
}

#[tokio::test]
async fn state_that_cannot_be_upgraded_is_refused() {
    let check = async |version, raw, expected: &str| {
        let (state, said) = upgrade(version, raw).await;
        assert_eq!((state, said), (Value::Null, vec![expected.to_owned()]));
    };
    check(98, Some(json("{}")), "error: Too old").await;
    check(101, Some(json("{}")), "error: State is of a newer provider").await;
    check(100, Some(json(r#"{"name": {}}"#)), "error: State cannot be read").await;
    check(100, Some(json("{")), "error: Provider bug").await;
    check(100, None, "error: Provider bug").await;
    let flatmap = [("name".to_owned(), "a".to_owned())].into();
    check(99, Some(RawState { flatmap, ..RawState::default() }), "error: State is too old").await;
}

#[tokio::test]
async fn identities_are_upgraded() {
    let host = Host::start().await;
    let asked = async |type_name: &str, version, raw_identity| {
        let request = upgrade_resource_identity::Request { type_name: type_name.into(), version, raw_identity };
        let response = host.client.clone().upgrade_resource_identity(request).await.unwrap().into_inner();
        (told_identity(response.upgraded_identity.as_ref(), type_name), said(&response.diagnostics))
    };
    let upgrade = async |type_name: &str, version, text| asked(type_name, version, Some(json(text))).await;
    let (identity, said) = upgrade("demo_thing", 9, r#"{"name": "a", "planet": "b"}"#).await;
    assert_eq!(said, NOTHING);
    assert_eq!(identity, object([("name", "a".into()), ("place", Value::Null)]));
    assert_eq!(upgrade("demo_thing", 11, "{}").await.1, ["error: State is of a newer provider"]);
    assert_eq!(upgrade("demo_thing", 10, r#"{"name": []}"#).await.1, ["error: Identity cannot be read"]);
    assert_eq!(upgrade("demo_nothing", 10, "{}").await.1, ["error: No such resource"]);
    // What Terraform before 1.12 and other providers stored has no identity, and Terraform asks to upgrade that, too.
    for none in [None, Some(RawState::default()), Some(json("null"))] {
        assert_eq!(asked("demo_thing", 0, none).await, (Value::Null, vec![]));
    }
}

#[tokio::test]
async fn a_type_that_is_not_there_is_refused() {
    let host = Host::start().await;
    let request =
        upgrade_resource_state::Request { type_name: "demo_nothing".into(), version: 1, raw_state: Some(json("{}")) };
    let response = host.client.clone().upgrade_resource_state(request).await.unwrap().into_inner();
    assert_eq!(said(&response.diagnostics), ["error: No such resource"]);
}

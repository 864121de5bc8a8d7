//! What is to come.

use terraform_provider_kafka::{
    framework::{Type, Value},
    proto::tfplugin6::{DynamicValue, plan_resource_change},
};

use crate::protocol::client::{Host, NOTHING, Object, object, said, sent, with};

/// A thing that was made as its configuration says, and that configuration.
async fn made(host: &Host) -> (Object, Value) {
    let config = object([
        ("name", "a".into()),
        ("parts", Value::List(vec![object([("key", "k".into())])])),
        ("rule", Value::List(vec![object([("allow", "all".into())])])),
    ]);
    let (object, said) = host.create("demo_thing", config.clone()).await;
    assert_eq!(said, ["warning: Created"]);
    (object, config)
}

#[tokio::test]
async fn a_create_fills_defaults_and_leaves_the_rest_unknown() {
    let host = Host::configured().await;
    let config = object([
        ("name", "a".into()),
        ("password_wo", "secret".into()),
        ("owner", object([("email", "a@b".into()), ("pin_wo", 1.into())])),
        ("parts", Value::List(vec![object([("key", "k".into())])])),
    ]);
    let planned = host.plan("demo_thing", &Object::default(), config).await;
    assert_eq!((planned.said, planned.replace), (vec![], vec![]));
    let state = planned.object.state;
    for (name, expected) in [
        ("id", Value::UNKNOWN),
        ("digest", Value::UNKNOWN),
        ("name", "a".into()),
        ("size", 3.into()),
        ("make", "plain".into()),
        ("password_wo", Value::Null),
        ("labels", Value::Null),
        ("owner", object([("email", "a@b".into()), ("verified", Value::UNKNOWN), ("pin_wo", Value::Null)])),
        ("parts", Value::List(vec![object([("key", "k".into()), ("count", 1.into())])])),
        ("rule", Value::List(vec![])),
        ("origin", Value::Null),
    ] {
        assert_eq!(state.attribute(name), &expected, "{name}");
    }
    assert_eq!(planned.object.identity, object([("name", "a".into()), ("place", "here".into())]));
}

#[tokio::test]
async fn unknown_configuration_is_planned_as_unknown() {
    let host = Host::configured().await;
    let config = object([
        ("name", Value::UNKNOWN),
        ("size", Value::UNKNOWN),
        ("labels", Value::Map([("a".to_owned(), Value::UNKNOWN), ("b".to_owned(), "c".into())].into())),
        ("parts", Value::UNKNOWN),
    ]);
    let planned = host.plan("demo_thing", &Object::default(), config.clone()).await;
    assert_eq!(planned.said, NOTHING);
    for name in ["name", "size", "labels", "parts"] {
        assert_eq!(planned.object.state.attribute(name), config.attribute(name), "{name}");
    }
    // OpenTofu cannot store an identity of which a part is unknown.
    assert_eq!(planned.object.identity, Value::Null);
}

#[tokio::test]
async fn what_is_stored_as_configured_is_planned_as_it_is() {
    let host = Host::configured().await;
    let (made, config) = made(&host).await;
    let planned = host.plan("demo_thing", &made, config).await;
    assert_eq!((planned.said, planned.replace), (vec![], vec![]));
    assert_eq!(planned.object.state, made.state);
    assert_eq!(planned.object.identity, made.identity);
}

/// A value that turned unknown with every update would replace whatever depends on it.
#[tokio::test]
async fn computed_values_keep_their_prior_on_update() {
    let host = Host::configured().await;
    let (made, config) = made(&host).await;
    let labels = Value::Map([("a".to_owned(), "b".into())].into());
    let state = host.plan("demo_thing", &made, with(&config, "labels", labels)).await.object.state;
    assert_eq!((state.attribute("id"), state.attribute("digest")), (&"id of a".into(), &"#3".into()));
    let state = host.plan("demo_thing", &made, with(&config, "size", 4.into())).await.object.state;
    assert_eq!((state.attribute("id"), state.attribute("digest")), (&"id of a".into(), &Value::UNKNOWN));
}

#[tokio::test]
async fn a_value_that_holds_at_creation_stays_when_its_line_is_removed() {
    let host = Host::configured().await;
    let config = object([("name", "a".into()), ("make", "fine".into()), ("size", 7.into())]);
    let (made, _) = host.create("demo_thing", config).await;
    let state = host.plan("demo_thing", &made, object([("name", "a".into())])).await.object.state;
    assert_eq!((state.attribute("make"), state.attribute("size")), (&"fine".into(), &3.into()));
}

/// The second plan of a replacement has no prior state and looks like any create: only what the first one left in its
/// private facts tells it.
#[tokio::test]
async fn a_replacement_is_seen_through_the_facts_of_its_first_plan() {
    let host = Host::configured().await;
    let (made, config) = made(&host).await;
    let part = Value::List(vec![object([("key", "other".into())])]);
    let config = with(&with(&config, "name", "b".into()), "parts", part);
    let first = host.plan("demo_thing", &made, config.clone()).await;
    assert_eq!(first.replace, ["name", "parts[0].key"]);
    assert_eq!(first.said, NOTHING);
    assert_eq!(first.object.state.attribute("id"), &Value::UNKNOWN);

    let nothing = Object { private: first.object.private, identity: first.object.identity, state: Value::Null };
    let second = host.plan("demo_thing", &nothing, config.clone()).await;
    assert_eq!(second.said, ["warning: Takes the place of another"]);
    let create = host.plan("demo_thing", &Object::default(), config).await;
    assert_eq!(create.said, NOTHING);
    assert_eq!(create.object.state, second.object.state);
}

/// So does the replacement that only the practitioner asked for, whose first plan changes nothing.
#[tokio::test]
async fn a_replacement_on_request_is_seen_too() {
    let host = Host::configured().await;
    let (made, config) = made(&host).await;
    let first = host.plan("demo_thing", &made, config.clone()).await;
    assert_eq!(first.replace, NOTHING);
    let nothing = Object { private: first.object.private, ..Object::default() };
    let second = host.plan("demo_thing", &nothing, config).await;
    assert_eq!(second.said, ["warning: Takes the place of another"]);
}

#[tokio::test]
async fn a_refused_plan_has_no_state_and_every_reason() {
    let host = Host::configured().await;
    let planned = host.plan("demo_thing", &Object::default(), object([("name", "forbidden".into())])).await;
    assert_eq!(planned.said, ["error: Name is forbidden at name", "warning: Things are dear"]);
    assert_eq!(planned.object, Object::default());
    assert_eq!(planned.replace, NOTHING);
}

#[tokio::test]
async fn what_nobody_changes_turns_no_plan_red() {
    let host = Host::configured().await;
    let (made, config) = made(&host).await;
    let stored = Object { state: with(&made.state, "name", "forbidden".into()), ..made };
    let planned = host.plan("demo_thing", &stored, with(&config, "name", "forbidden".into())).await;
    assert_eq!(planned.said, ["warning: Name is forbidden at name", "warning: Things are dear"]);
    assert_eq!(planned.object.state, stored.state);
}

#[tokio::test]
async fn a_destroy_is_planned_as_nothing() {
    let host = Host::configured().await;
    let (made, _) = made(&host).await;
    let planned = host.plan("demo_thing", &made, Value::Null).await;
    assert_eq!(planned.said, NOTHING);
    assert_eq!((planned.object.state, planned.object.identity), (Value::Null, Value::Null));
}

#[tokio::test]
async fn values_of_any_type_and_elements_without_value_are_kept() {
    let host = Host::configured().await;
    let extra = Value::Dynamic(Box::new((
        Type::Tuple(vec![Type::String, Type::Number]),
        Value::List(vec!["a".into(), 1.into()]),
    )));
    let labels = Value::Map([("a".to_owned(), Value::Null), ("b".to_owned(), "c".into())].into());
    let tags = Value::set(["y".into(), "x".into()]);
    let config =
        object([("name", "a".into()), ("extra", extra.clone()), ("labels", labels.clone()), ("tags", tags.clone())]);
    let (made, _) = host.create("demo_thing", config.clone()).await;
    assert_eq!(made.state.attribute("extra"), &extra);
    assert_eq!(made.state.attribute("labels"), &labels);
    assert_eq!(made.state.attribute("tags"), &tags);
    assert_eq!(host.plan("demo_thing", &made, config).await.object.state, made.state);
}

#[tokio::test]
async fn a_type_that_is_not_there_is_refused() {
    let host = Host::configured().await;
    for name in ["demo_nothing", "demo_", "demo", "thing", "other_thing", ""] {
        let planned = host.plan(name, &Object::default(), object([])).await;
        assert_eq!(planned.said, ["error: No such resource"], "{name}");
    }
}

#[tokio::test]
async fn a_prior_state_that_cannot_be_read_is_a_diagnostic() {
    let host = Host::configured().await;
    let request = plan_resource_change::Request {
        type_name: "demo_thing".into(),
        prior_state: Some(DynamicValue { msgpack: "nonsense".into(), ..DynamicValue::default() }),
        config: Some(sent(&object([("name", "a".into())]), "demo_thing")),
        ..plan_resource_change::Request::default()
    };
    let response = host.client.clone().plan_resource_change(request).await.unwrap().into_inner();
    assert_eq!(said(&response.diagnostics), ["error: Provider bug"]);
    assert_eq!(response.planned_state, None);
}

#[tokio::test]
async fn a_panic_is_told_without_its_words_and_the_process_lives() {
    let host = Host::configured().await;
    let request = plan_resource_change::Request {
        type_name: "demo_mishap".into(),
        config: Some(sent(&object([("during", "plan".into())]), "demo_mishap")),
        ..plan_resource_change::Request::default()
    };
    let response = host.client.clone().plan_resource_change(request).await.unwrap().into_inner();
    assert_eq!(said(&response.diagnostics), ["error: Provider bug"]);
    let detail = &response.diagnostics[0].detail;
    assert!(
        detail.starts_with("PlanResourceChange of `demo_mishap` panicked at tests/protocol/provider.rs:"),
        "{detail}"
    );
    assert!(!detail.contains(crate::protocol::provider::SECRET), "{detail}");

    let never = object([("during", "never".into())]);
    assert_eq!(host.plan("demo_mishap", &Object::default(), never.clone()).await.said, NOTHING);
    let read = Object { state: object([("during", "read".into())]), ..Object::default() };
    assert_eq!(host.read("demo_mishap", &read).await.1, ["error: Provider bug"]);
    assert_eq!(host.validate("demo_mishap", object([("during", "validate".into())])).await, ["error: Provider bug"]);
    assert_eq!(host.validate("demo_mishap", never).await, NOTHING);
}

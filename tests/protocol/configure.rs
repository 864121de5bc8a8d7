//! The provider's configuration: before it, after it, again, and when it is not known.

use terraform_provider_kafka::{
    framework::Value,
    proto::tfplugin6::{import_resource_state, stop_provider},
};

use crate::protocol::client::{Host, NOTHING, Object, object, said};

const UNKNOWN: &str = "warning: Provider configuration not known yet";

fn thing() -> Value {
    object([("name", "a".into())])
}

fn stored() -> Object {
    Object {
        state: object([
            ("id", "whatever it was".into()),
            ("name", "a".into()),
            ("size", 5.into()),
            ("digest", "#5".into()),
            ("make", "plain".into()),
        ]),
        private: r#"{"fact":1}"#.into(),
        identity: object([("name", "a".into()), ("place", "here".into())]),
    }
}

async fn import(host: &Host) -> Vec<String> {
    let request =
        import_resource_state::Request { type_name: "demo_thing".into(), id: "a".into(), ..Default::default() };
    said(&host.client.clone().import_resource_state(request).await.unwrap().into_inner().diagnostics)
}

#[tokio::test]
async fn what_needs_the_configuration_is_refused_before_it() {
    let host = Host::start().await;
    let refused = ["error: Provider not configured"];
    assert_eq!(host.read("demo_thing", &stored()).await.1, refused);
    assert_eq!(host.plan("demo_thing", &Object::default(), thing()).await.said, refused);
    assert_eq!(host.apply("demo_thing", &Value::Null, &stored(), thing()).await.1, refused);
    assert_eq!(host.look("demo_place", object([])).await.1, refused);
    assert_eq!(import(&host).await, refused);
    assert_eq!(host.validate("demo_thing", thing()).await, NOTHING);
}

#[tokio::test]
async fn a_configuration_that_fails_is_none() {
    let host = Host::configured().await;
    assert_eq!(host.configure(Value::Null).await, ["error: No endpoint at endpoint"]);
    assert_eq!(host.look("demo_place", object([])).await.1, ["error: Provider not configured"]);
    assert_eq!(host.configure("nowhere".into()).await, ["error: Endpoint unknown"]);
    assert_eq!(host.look("demo_place", object([])).await.1, ["error: Provider not configured"]);
}

/// Under a debugger one process serves many walks, and Terraform does not say where one ends: what was learned for one
/// must not serve the next.
/// Rule 23 of Terraform's core: nothing tells a provider that a walk ends, but each begins with a configuration.
#[tokio::test]
async fn each_configuration_starts_a_generation() {
    let host = Host::configured().await;
    let look = async || {
        let (state, said) = host.look("demo_place", object([("wanted", "rest".into())])).await;
        assert_eq!(said, NOTHING);
        assert_eq!(state.attribute("wanted"), &"rest".into());
        (state.attribute("endpoint").clone(), state.attribute("looks").clone())
    };
    assert_eq!(look().await, ("here".into(), 1.into()));
    assert_eq!(look().await, ("here".into(), 2.into()));
    assert_eq!(host.configure("there".into()).await, NOTHING);
    assert_eq!(look().await, ("there".into(), 1.into()));
}

/// One unknown value in the provider block must not make every object unknown, nor warn for each of them.
#[tokio::test]
async fn with_an_unknown_configuration_what_is_stored_stays_and_one_warning_says_so() {
    let host = Host::start().await;
    assert_eq!(host.configure(Value::UNKNOWN).await, NOTHING);

    let (read, said) = host.read("demo_thing", &stored()).await;
    assert_eq!(said, [UNKNOWN]);
    // Attributes that were left out are null.
    let expected = Object { state: read.state.clone(), ..stored() };
    assert_eq!(read, expected);
    assert_eq!(read.state.attribute("id"), &"whatever it was".into());

    let planned = host.plan("demo_thing", &read, object([("name", "a".into()), ("size", 5.into())])).await;
    assert_eq!(planned.said, NOTHING);
    assert_eq!(planned.object.state, read.state);
    let (_, said) = host.read("demo_thing", &stored()).await;
    assert_eq!(said, NOTHING);
}

#[tokio::test]
async fn with_an_unknown_configuration_a_create_is_judged_on_what_is_known() {
    let host = Host::start().await;
    host.configure(Value::UNKNOWN).await;
    let planned = host.plan("demo_thing", &Object::default(), object([("name", "permitted".into())])).await;
    assert!(planned.said.contains(&UNKNOWN.to_owned()), "{:?}", planned.said);
    assert_eq!(planned.object.state.attribute("id"), &Value::UNKNOWN);
    assert_eq!(planned.object.state.attribute("name"), &"permitted".into());
    let planned = host.plan("demo_thing", &Object::default(), object([("name", "forbidden".into())])).await;
    assert!(planned.said.contains(&"error: Name is forbidden at name".to_owned()), "{:?}", planned.said);
}

#[tokio::test]
async fn the_warning_comes_again_with_the_next_generation() {
    let host = Host::start().await;
    for _ in 0..2 {
        host.configure(Value::UNKNOWN).await;
        assert_eq!(host.read("demo_thing", &stored()).await.1, [UNKNOWN]);
        assert_eq!(host.read("demo_thing", &stored()).await.1, NOTHING);
    }
}

#[tokio::test]
async fn with_an_unknown_configuration_data_sources_and_imports_fail_each_time() {
    let host = Host::start().await;
    host.configure(Value::UNKNOWN).await;
    let refused = ["error: Provider configuration not known yet"];
    assert_eq!(host.read("demo_thing", &stored()).await.1, [UNKNOWN]);
    for _ in 0..2 {
        assert_eq!(host.look("demo_place", object([])).await.1, refused);
        assert_eq!(import(&host).await, refused);
    }
}

#[tokio::test]
async fn a_provider_that_is_not_configured_can_be_stopped() {
    let host = Host::start().await;
    let response = host.client.clone().stop_provider(stop_provider::Request {}).await.unwrap().into_inner();
    assert_eq!(response.error, "");
    assert_eq!(host.configure("here".into()).await, NOTHING);
    assert_eq!(host.look("demo_place", object([])).await.1, NOTHING);
}

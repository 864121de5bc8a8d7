//! What comes from elsewhere: by import, and from another resource type.

use terraform_provider_kafka::{
    framework::Value,
    proto::tfplugin6::{RawState, import_resource_state, move_resource_state},
};

use crate::protocol::client::{Host, NOTHING, Object, identity, object, said, told_identity, ty, value};

async fn import(host: &Host, request: import_resource_state::Request) -> (Vec<Object>, Vec<String>) {
    let response = host.client.clone().import_resource_state(request).await.unwrap().into_inner();
    let object = |it: import_resource_state::ImportedResource| {
        assert_eq!(it.type_name, "demo_thing");
        Object {
            state: value(it.state.as_ref(), &ty("demo_thing")),
            private: it.private,
            identity: told_identity(it.identity.as_ref(), "demo_thing"),
        }
    };
    (response.imported_resources.into_iter().map(object).collect(), said(&response.diagnostics))
}

fn by_id(id: &str) -> import_resource_state::Request {
    import_resource_state::Request { type_name: "demo_thing".into(), id: id.into(), ..Default::default() }
}

fn by_identity(name: Value) -> import_resource_state::Request {
    let identity = identity(&object([("name", name)]), "demo_thing");
    import_resource_state::Request { type_name: "demo_thing".into(), identity, ..Default::default() }
}

#[tokio::test]
async fn an_object_is_imported_by_identifier_or_identity() {
    let host = Host::configured().await;
    for request in [by_id("a"), by_identity("a".into())] {
        let (imported, said) = import(&host, request).await;
        assert_eq!(said, NOTHING);
        let [it] = &imported[..] else { panic!("{imported:?}") };
        assert_eq!(it.state.attribute("id"), &"id of a".into());
        assert_eq!(it.private, r#"{"imported":true}"#);
        assert_eq!(it.identity, object([("name", "a".into()), ("place", "here".into())]));
        let (read, said) = host.read("demo_thing", it).await;
        assert_eq!((read.state, said), (it.state.clone(), vec![]));
    }
}

#[tokio::test]
async fn what_is_not_there_cannot_be_imported() {
    let host = Host::configured().await;
    assert_eq!(import(&host, by_id("nobody")).await, (vec![], vec!["error: No such thing".to_owned()]));
    assert_eq!(import(&host, by_identity("nobody".into())).await.1, ["error: No such thing"]);
    let elsewhere = import_resource_state::Request { type_name: "demo_nothing".into(), ..by_id("a") };
    assert_eq!(import(&host, elsewhere).await.1, ["error: No such resource"]);
}

async fn moved(change: impl FnOnce(&mut move_resource_state::Request)) -> (Object, Vec<String>) {
    // Terraform moves objects with a provider that was never configured.
    let host = Host::start().await;
    let mut request = move_resource_state::Request {
        source_provider_address: "registry.terraform.io/other/demo".into(),
        source_type_name: "demo_item".into(),
        source_schema_version: 2,
        source_state: Some(RawState { json: r#"{"name": "a", "colour": "red"}"#.into(), ..RawState::default() }),
        source_private: "what another provider wrote".into(),
        target_type_name: "demo_thing".into(),
        ..Default::default()
    };
    change(&mut request);
    let response = host.client.clone().move_resource_state(request).await.unwrap().into_inner();
    let object = Object {
        state: value(response.target_state.as_ref(), &ty("demo_thing")),
        private: response.target_private,
        identity: told_identity(response.target_identity.as_ref(), "demo_thing"),
    };
    (object, said(&response.diagnostics))
}

#[tokio::test]
async fn an_object_of_another_type_is_taken_over() {
    let (object_moved, said) = moved(|_| {}).await;
    assert_eq!(said, NOTHING);
    assert_eq!(object_moved.state.attribute("name"), &"a".into());
    assert_eq!(object_moved.state.attribute("make"), &"plain".into());
    assert_eq!(object_moved.identity, object([("name", "a".into()), ("place", "here".into())]));
    assert_eq!(object_moved.private, "");
}

#[tokio::test]
async fn what_cannot_be_taken_over_is_refused() {
    let check = async |change: fn(&mut move_resource_state::Request), expected: &str| {
        assert_eq!(moved(change).await, (Object::default(), vec![expected.to_owned()]));
    };
    check(|it| it.source_type_name = "demo_other".into(), "error: Resource cannot be moved here").await;
    check(|it| it.target_type_name = "demo_mishap".into(), "error: Resource cannot be moved here").await;
    check(|it| it.target_type_name = "demo_nothing".into(), "error: No such resource").await;
    check(|it| it.source_state = Some(RawState { json: "{}".into(), ..RawState::default() }), "error: Has no name")
        .await;
    check(
        |it| {
            let flatmap = [("name".to_owned(), "a".to_owned())].into();
            it.source_state = Some(RawState { flatmap, ..RawState::default() });
        },
        "error: State is too old",
    )
    .await;
    check(|it| it.source_state = None, "error: Provider bug").await;
}

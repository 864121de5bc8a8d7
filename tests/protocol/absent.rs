//! RPCs about kinds of things of which the provider has none.

use terraform_provider_kafka::proto::tfplugin6::{
    RequestChunkMeta, close_ephemeral_resource, configure_state_store, delete_state, generate_resource_config,
    get_states, invoke_action, list_resource, lock_state, open_ephemeral_resource, plan_action, read_state_bytes,
    renew_ephemeral_resource, unlock_state, validate_action_config, validate_ephemeral_resource_config,
    validate_list_resource_config, validate_state_store, write_state_bytes,
};

use crate::protocol::client::{Host, said};

macro_rules! refuses {
    ($host:ident, $($rpc:ident($request:ident { $field:ident })),+ $(,)?) => {[$({
        let mut request = $request::Request::default();
        request.$field = "demo_x".into();
        let response = $host.client.clone().$rpc(request).await.unwrap().into_inner();
        let [diagnostic] = &response.diagnostics[..] else { panic!("{}: {response:?}", stringify!($rpc)) };
        assert!(diagnostic.detail.contains("`demo_x`"), "{}", diagnostic.detail);
        said(&response.diagnostics)
    }),+].concat()};
}

#[tokio::test]
async fn what_is_asked_of_kinds_that_are_not_there_is_refused_in_words() {
    let host = Host::start().await;
    let ephemeral = refuses!(
        host,
        validate_ephemeral_resource_config(validate_ephemeral_resource_config { type_name }),
        open_ephemeral_resource(open_ephemeral_resource { type_name }),
        renew_ephemeral_resource(renew_ephemeral_resource { type_name }),
        close_ephemeral_resource(close_ephemeral_resource { type_name }),
    );
    assert_eq!(ephemeral, ["error: No such ephemeral resource"; 4]);
    let actions = refuses!(
        host,
        validate_action_config(validate_action_config { type_name }),
        plan_action(plan_action { action_type }),
    );
    assert_eq!(actions, ["error: No such action"; 2]);
    let lists = refuses!(host, validate_list_resource_config(validate_list_resource_config { type_name }));
    assert_eq!(lists, ["error: No such list resource"]);
    let stores = refuses!(
        host,
        validate_state_store_config(validate_state_store { type_name }),
        configure_state_store(configure_state_store { type_name }),
        get_states(get_states { type_name }),
        delete_state(delete_state { type_name }),
        lock_state(lock_state { type_name }),
        unlock_state(unlock_state { type_name }),
    );
    assert_eq!(stores, ["error: No such state store"; 6]);
    let generated = refuses!(host, generate_resource_config(generate_resource_config { type_name }));
    assert_eq!(generated, ["error: Configuration not generated"]);
}

#[tokio::test]
async fn streams_end_after_one_refusal() {
    let client = Host::start().await.client;
    let request = list_resource::Request { type_name: "demo_x".into(), ..Default::default() };
    let mut events = client.clone().list_resource(request).await.unwrap().into_inner();
    let event = events.message().await.unwrap().unwrap();
    assert_eq!(said(&event.diagnostic), ["error: No such list resource"]);
    assert_eq!(events.message().await.unwrap(), None);

    let request = invoke_action::Request { action_type: "demo_x".into(), ..Default::default() };
    let mut events = client.clone().invoke_action(request).await.unwrap().into_inner();
    let Some(invoke_action::event::Type::Completed(completed)) = events.message().await.unwrap().unwrap().r#type else {
        panic!("an action that is not there has no progress");
    };
    assert_eq!(said(&completed.diagnostics), ["error: No such action"]);
    assert_eq!(events.message().await.unwrap(), None);

    let request = read_state_bytes::Request { type_name: "demo_x".into(), ..Default::default() };
    let mut chunks = client.clone().read_state_bytes(request).await.unwrap().into_inner();
    assert_eq!(said(&chunks.message().await.unwrap().unwrap().diagnostics), ["error: No such state store"]);
    assert_eq!(chunks.message().await.unwrap(), None);
}

#[tokio::test]
async fn a_state_that_nobody_stores_is_refused_with_its_first_chunk() {
    let client = Host::start().await.client;
    let first = write_state_bytes::RequestChunk {
        meta: Some(RequestChunkMeta { type_name: "demo_x".into(), state_id: "default".into() }),
        bytes: "state".into(),
        ..Default::default()
    };
    for chunks in [vec![first], vec![]] {
        let response = client.clone().write_state_bytes(tokio_stream::iter(chunks)).await.unwrap().into_inner();
        assert_eq!(said(&response.diagnostics), ["error: No such state store"]);
    }
}

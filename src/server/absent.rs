//! RPCs about kinds of things of which this server has none.

use tonic::Streaming;

use crate::{
    framework::{Diagnostic, Diagnostics, Provider},
    proto::tfplugin6::{self, invoke_action, list_resource},
    server::{Server, rpc::Refusal, to_proto},
};

/// What a name gets that is not in the registry.
pub(super) fn no_such(kind: &str, name: &str) -> Diagnostic {
    Diagnostic::error(
        format!("No such {kind}"),
        format!(
            "This version of the provider has no {kind} `{name}`. Check the name, and whether another version has it."
        ),
    )
}

macro_rules! none {
    ($($method:ident($field:ident): $kind:literal)+) => {$(
        pub(super) fn $method<P: Provider>(
            _: &Server<P>,
            request: &tfplugin6::$method::Request,
        ) -> Result<tfplugin6::$method::Response, Diagnostics> {
            Err(no_such($kind, &request.$field).into())
        }
    )+};
}

none! {
    validate_ephemeral_resource_config(type_name): "ephemeral resource"
    open_ephemeral_resource(type_name): "ephemeral resource"
    renew_ephemeral_resource(type_name): "ephemeral resource"
    close_ephemeral_resource(type_name): "ephemeral resource"
    validate_list_resource_config(type_name): "list resource"
    validate_action_config(type_name): "action"
    plan_action(action_type): "action"
    configure_state_store(type_name): "state store"
    get_states(type_name): "state store"
    delete_state(type_name): "state store"
    lock_state(type_name): "state store"
    unlock_state(type_name): "state store"
}

pub(super) fn generate_resource_config<P: Provider>(
    _: &Server<P>,
    request: &tfplugin6::generate_resource_config::Request,
) -> Result<tfplugin6::generate_resource_config::Response, Diagnostics> {
    let detail = format!("The provider leaves it to Terraform to write configuration for `{}`.", request.type_name);
    Err(Diagnostic::error("Configuration not generated", detail).into())
}

pub(super) fn validate_state_store_config(
    request: &tfplugin6::validate_state_store::Request,
) -> tfplugin6::validate_state_store::Response {
    Refusal::of(no_such("state store", &request.type_name).into())
}

pub(super) fn list_resource(request: &list_resource::Request) -> list_resource::Event {
    let diagnostic = to_proto::diagnostics(no_such("list resource", &request.type_name).into());
    list_resource::Event { diagnostic, ..list_resource::Event::default() }
}

pub(super) fn invoke_action(request: &invoke_action::Request) -> invoke_action::Event {
    let diagnostics = to_proto::diagnostics(no_such("action", &request.action_type).into());
    let completed = invoke_action::event::Completed { diagnostics };
    invoke_action::Event { r#type: Some(invoke_action::event::Type::Completed(completed)) }
}

pub(super) fn read_state_bytes(
    request: &tfplugin6::read_state_bytes::Request,
) -> tfplugin6::read_state_bytes::Response {
    Refusal::of(no_such("state store", &request.type_name).into())
}

/// Answers with the first chunk, which names the store.
pub(super) async fn write_state_bytes(
    mut chunks: Streaming<tfplugin6::write_state_bytes::RequestChunk>,
) -> tfplugin6::write_state_bytes::Response {
    let meta = chunks.message().await.ok().flatten().and_then(|it| it.meta).unwrap_or_default();
    Refusal::of(no_such("state store", &meta.type_name).into())
}

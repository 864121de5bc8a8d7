//! `GetProviderSchema`: all schemas.

use crate::{
    framework::Provider,
    proto::tfplugin6::{ServerCapabilities, get_provider_schema::Response},
    server::{Server, get_functions::functions, to_proto},
};

/// Made for each request: a process is asked once, if at all.
pub(super) fn respond<P: Provider>(server: &Server<P>) -> Response {
    let (resources, data_sources) = (&server.registry.resources, &server.registry.data_sources);
    Response {
        provider: Some(to_proto::schema(&server.settings, 0)),
        resource_schemas: resources
            .iter()
            .map(|(name, it)| (Server::<P>::type_name(name), to_proto::schema(it.schema(), it.version())))
            .collect(),
        data_source_schemas: data_sources
            .iter()
            .map(|(name, it)| (Server::<P>::type_name(name), to_proto::schema(it.schema(), 0)))
            .collect(),
        functions: functions(&server.registry),
        server_capabilities: Some(capabilities()),
        ..Response::default()
    }
}

/// What this server can do that not every one can.
pub(super) fn capabilities() -> ServerCapabilities {
    ServerCapabilities {
        plan_destroy: true,
        get_provider_schema_optional: true,
        move_resource_state: true,
        generate_resource_config: false,
    }
}

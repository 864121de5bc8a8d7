//! `GetMetadata`: the names of what there is.

use crate::{
    framework::Provider,
    proto::tfplugin6::get_metadata::{DataSourceMetadata, FunctionMetadata, ResourceMetadata, Response},
    server::{Server, get_provider_schema::capabilities},
};

pub(super) fn respond<P: Provider>(server: &Server<P>) -> Response {
    let (resources, data_sources) = (&server.registry.resources, &server.registry.data_sources);
    Response {
        server_capabilities: Some(capabilities()),
        resources: resources.keys().map(|it| ResourceMetadata { type_name: Server::<P>::type_name(it) }).collect(),
        data_sources: data_sources
            .keys()
            .map(|it| DataSourceMetadata { type_name: Server::<P>::type_name(it) })
            .collect(),
        functions: server.registry.functions.keys().map(|it| FunctionMetadata { name: (*it).to_owned() }).collect(),
        ..Response::default()
    }
}

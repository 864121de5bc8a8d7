//! `GetResourceIdentitySchemas`: what tells the objects of each resource apart.

use crate::{
    framework::Provider,
    proto::tfplugin6::get_resource_identity_schemas::Response,
    server::{Server, to_proto},
};

pub(super) fn respond<P: Provider>(server: &Server<P>) -> Response {
    let schemas = server.registry.resources.iter().map(|(name, it)| {
        (Server::<P>::type_name(name), to_proto::identity_schema(it.identity_schema(), it.identity_version()))
    });
    Response { identity_schemas: schemas.collect(), ..Response::default() }
}

//! `ImportResourceState`.

use crate::{
    framework::{Diagnostics, Import, Provider, Stored},
    proto::tfplugin6::import_resource_state::{ImportedResource, Request, Response},
    server::{Server, from_proto, to_proto},
};

pub(super) async fn respond<P: Provider>(server: &Server<P>, request: &Request) -> Result<Response, Diagnostics> {
    let resource = server.resource(&request.type_name)?;
    let import = match request.identity.as_ref() {
        Some(it) => Import::Identity(from_proto::identity(Some(it), resource.identity_ty())?),
        None => Import::Id(request.id.clone()),
    };
    let generation = server.generation()?;
    let outcome = generation.unless_stopped(resource.import(&generation.context, import)).await?;
    if outcome.diagnostics.has_errors() {
        return Err(outcome.diagnostics);
    }
    let Stored { state, private, identity } = outcome.stored;
    let imported = ImportedResource {
        type_name: request.type_name.clone(),
        state: to_proto::value(&state, resource.ty())?,
        private: private.to_bytes().into(),
        identity: to_proto::identity(&identity, resource.identity_ty())?,
    };
    Ok(Response {
        imported_resources: vec![imported],
        diagnostics: to_proto::diagnostics(outcome.diagnostics),
        deferred: None,
    })
}

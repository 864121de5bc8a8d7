//! `MoveResourceState`: takes over the object of another type or provider. The provider is not configured by then.

use crate::{
    framework::{Diagnostic, Diagnostics, MoveSource, Provider, Stored},
    proto::tfplugin6::move_resource_state::{Request, Response},
    server::{Server, from_proto, to_proto},
};

pub(super) fn respond<P: Provider>(server: &Server<P>, request: &Request) -> Result<Response, Diagnostics> {
    let resource = server.resource(&request.target_type_name)?;
    let source = MoveSource {
        provider: request.source_provider_address.clone(),
        resource_type: request.source_type_name.clone(),
        version: request.source_schema_version,
        state: from_proto::raw(request.source_state.as_ref(), "state")?,
    };
    let outcome = resource.move_from(&source).ok_or_else(|| not_ours(request))?;
    if outcome.diagnostics.has_errors() {
        return Err(outcome.diagnostics);
    }
    let Stored { state, private, identity } = outcome.stored;
    Ok(Response {
        target_state: to_proto::value(&state, resource.ty())?,
        target_private: private.to_bytes().into(),
        target_identity: to_proto::identity(&identity, resource.identity_ty())?,
        diagnostics: to_proto::diagnostics(outcome.diagnostics),
    })
}

fn not_ours(request: &Request) -> Diagnostic {
    let Request { source_provider_address, source_type_name, target_type_name, .. } = request;
    Diagnostic::error(
        "Resource cannot be moved here",
        format!(
            "`{target_type_name}` does not know how to take over a `{source_type_name}` of `{source_provider_address}`.\
             \n\nUse a `removed` block with `destroy = false` for the old address, and an `import` block for the new one."
        ),
    )
}

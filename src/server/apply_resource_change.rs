//! `ApplyResourceChange`.

use crate::{
    framework::{ApplyRequest, Diagnostics, Provider, Stored},
    proto::tfplugin6::apply_resource_change::{Request, Response},
    server::{Server, from_proto, to_proto},
};

pub(super) async fn respond<P: Provider>(server: &Server<P>, request: &Request) -> Result<Response, Diagnostics> {
    let resource = server.resource(&request.type_name)?;
    let apply = ApplyRequest {
        prior: from_proto::value(request.prior_state.as_ref(), resource.ty(), "prior state")?,
        planned: Stored {
            state: from_proto::value(request.planned_state.as_ref(), resource.ty(), "planned state")?,
            private: from_proto::private(&request.planned_private),
            identity: from_proto::identity(request.planned_identity.as_ref(), resource.identity_ty())?,
        },
        config: from_proto::value(request.config.as_ref(), resource.ty(), "configuration")?,
    };
    let generation = server.generation()?;
    let outcome = generation.unless_stopped(resource.apply(&generation.context, apply)).await?;
    let Stored { state, private, identity } = outcome.stored;
    Ok(Response {
        new_state: to_proto::value(&state, resource.ty())?,
        private: private.to_bytes().into(),
        new_identity: to_proto::identity(&identity, resource.identity_ty())?,
        diagnostics: to_proto::diagnostics(outcome.diagnostics),
        legacy_type_system: false,
    })
}

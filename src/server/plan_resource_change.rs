//! `PlanResourceChange`. Core's proposal is not read: the plan is made from the prior state and the configuration.

use crate::{
    framework::{Diagnostics, PlanRequest, Provider, Stored},
    proto::tfplugin6::plan_resource_change::{Request, Response},
    server::{Server, from_proto, to_proto},
};

pub(super) async fn respond<P: Provider>(server: &Server<P>, request: &Request) -> Result<Response, Diagnostics> {
    let resource = server.resource(&request.type_name)?;
    // While it applies, core plans again, and tells since 1.16 what the first plan remembered.
    let private = if request.prior_private.is_empty() { &request.planned_private } else { &request.prior_private };
    let prior = Stored {
        state: from_proto::value(request.prior_state.as_ref(), resource.ty(), "prior state")?,
        private: from_proto::private(private),
        identity: from_proto::identity(request.prior_identity.as_ref(), resource.identity_ty())?,
    };
    let config = from_proto::value(request.config.as_ref(), resource.ty(), "configuration")?;
    let generation = server.generation()?;
    let plan = resource.plan(&generation.context, PlanRequest { prior, config });
    let mut response = generation.unless_stopped(plan).await?;
    generation.say_once(&mut response.diagnostics);
    if response.diagnostics.has_errors() {
        return Err(response.diagnostics);
    }
    let Stored { state, private, identity } = response.planned;
    Ok(Response {
        planned_state: to_proto::value(&state, resource.ty())?,
        requires_replace: response.replace.iter().map(to_proto::path).collect(),
        planned_private: private.to_bytes().into(),
        planned_identity: to_proto::identity(&identity, resource.identity_ty())?,
        diagnostics: to_proto::diagnostics(response.diagnostics),
        legacy_type_system: false,
        deferred: None,
    })
}

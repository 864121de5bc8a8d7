//! `ReadResource`.

use crate::{
    framework::{Diagnostics, Provider, Stored},
    proto::tfplugin6::read_resource::{Request, Response},
    server::{Server, from_proto, to_proto},
};

pub(super) async fn respond<P: Provider>(server: &Server<P>, request: &Request) -> Result<Response, Diagnostics> {
    let resource = server.resource(&request.type_name)?;
    let stored = Stored {
        state: from_proto::value(request.current_state.as_ref(), resource.ty(), "state")?,
        private: from_proto::private(&request.private),
        identity: from_proto::identity(request.current_identity.as_ref(), resource.identity_ty())?,
    };
    let generation = server.generation()?;
    let mut outcome = generation.unless_stopped(resource.read(&generation.context, stored)).await?;
    generation.say_once(&mut outcome.diagnostics);
    let Stored { state, private, identity } = outcome.stored;
    Ok(Response {
        new_state: to_proto::value(&state, resource.ty())?,
        private: private.to_bytes().into(),
        new_identity: to_proto::identity(&identity, resource.identity_ty())?,
        diagnostics: to_proto::diagnostics(outcome.diagnostics),
        deferred: None,
    })
}

//! `UpgradeResourceIdentity`.

use crate::{
    framework::{Diagnostics, Provider},
    proto::tfplugin6::upgrade_resource_identity::{Request, Response},
    server::{Server, from_proto, to_proto, upgrade_resource_state::not_newer},
};

pub(super) fn respond<P: Provider>(server: &Server<P>, request: &Request) -> Result<Response, Diagnostics> {
    let resource = server.resource(&request.type_name)?;
    not_newer("identity", request.version, resource.identity_version())?;
    let stored = from_proto::raw(request.raw_identity.as_ref(), "identity")?;
    let identity = resource.upgrade_identity(&stored)?;
    Ok(Response { upgraded_identity: to_proto::identity(&identity, resource.identity_ty())?, ..Response::default() })
}

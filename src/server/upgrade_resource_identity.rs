//! `UpgradeResourceIdentity`.

use crate::{
    framework::{Diagnostics, Provider, Value},
    proto::tfplugin6::upgrade_resource_identity::{Request, Response},
    server::{Server, from_proto, to_proto, upgrade_resource_state::not_newer},
};

pub(super) fn respond<P: Provider>(server: &Server<P>, request: &Request) -> Result<Response, Diagnostics> {
    let resource = server.resource(&request.type_name)?;
    not_newer("identity", request.version, resource.identity_version())?;
    let identity = match &request.raw_identity {
        Some(it) if !it.json.is_empty() => resource.upgrade_identity(&from_proto::raw(Some(it), "identity")?)?,
        // State of Terraform before 1.12, or of a provider without identities, has none; the next read tells it.
        _ => Value::Null,
    };
    Ok(Response { upgraded_identity: to_proto::identity(&identity, resource.identity_ty())?, ..Response::default() })
}

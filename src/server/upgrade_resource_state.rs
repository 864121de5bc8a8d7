//! `UpgradeResourceState`: asked for every object in every walk, most of the time without anything to upgrade.

use crate::{
    framework::{Diagnostic, Diagnostics, Provider},
    proto::tfplugin6::upgrade_resource_state::{Request, Response},
    server::{Server, from_proto, to_proto},
};

pub(super) fn respond<P: Provider>(server: &Server<P>, request: &Request) -> Result<Response, Diagnostics> {
    let resource = server.resource(&request.type_name)?;
    not_newer("state", request.version, resource.version())?;
    let stored = from_proto::raw(request.raw_state.as_ref(), "state")?;
    let state = resource.upgrade(request.version, stored)?;
    Ok(Response { upgraded_state: to_proto::value(&state, resource.ty())?, ..Response::default() })
}

/// Refuses what a later version of the provider wrote.
pub(super) fn not_newer(what: &str, version: i64, ours: i64) -> Result<(), Diagnostic> {
    if version <= ours {
        return Ok(());
    }
    Err(Diagnostic::error(
        "State is of a newer provider",
        format!(
            "The {what} has version {version}, and this version of the provider knows up to {ours}. Use the version of \
             the provider that wrote it, or a later one."
        ),
    ))
}

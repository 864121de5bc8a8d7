//! `ValidateProviderConfig`.

use crate::{
    framework::{Diagnostics, Provider, validated},
    proto::tfplugin6::validate_provider_config::{Request, Response},
    server::{Server, from_proto, to_proto},
};

pub(super) fn respond<P: Provider>(server: &Server<P>, request: &Request) -> Result<Response, Diagnostics> {
    let config = from_proto::value(request.config.as_ref(), &server.settings_ty, "configuration")?;
    let report = validated(&server.settings, config, P::validate);
    Ok(Response { diagnostics: to_proto::diagnostics(report.naming_paths()) })
}

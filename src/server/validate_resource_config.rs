//! `ValidateResourceConfig`.

use crate::{
    framework::{Diagnostic, Diagnostics, Path, Provider, check},
    proto::tfplugin6::validate_resource_config::{Request, Response},
    server::{Server, from_proto, to_proto},
};

pub(super) fn respond<P: Provider>(server: &Server<P>, request: &Request) -> Result<Response, Diagnostics> {
    let resource = server.resource(&request.type_name)?;
    let config = from_proto::value(request.config.as_ref(), resource.ty(), "configuration")?;
    let knows_write_only = request.client_capabilities.is_some_and(|it| it.write_only_attributes_allowed);
    let written = if knows_write_only { Vec::new() } else { check::write_only(resource.schema(), &config) };
    let mut report = resource.validate(config);
    report.0.extend(written.into_iter().map(stored_nevertheless));
    Ok(Response { diagnostics: to_proto::diagnostics(report) })
}

/// A client that does not know write-only attributes would store them.
fn stored_nevertheless(path: Path) -> Diagnostic {
    Diagnostic::error(
        "Write-only attributes not supported",
        format!(
            "`{path}` must not be stored, and this client would store it. Use Terraform 1.11, OpenTofu 1.11 or a later \
             version, or leave the attribute out."
        ),
    )
    .at(path)
}

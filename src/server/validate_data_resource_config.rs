//! `ValidateDataResourceConfig`.

use crate::{
    framework::{Diagnostics, Provider},
    proto::tfplugin6::validate_data_resource_config::{Request, Response},
    server::{Server, from_proto, to_proto},
};

pub(super) fn respond<P: Provider>(server: &Server<P>, request: &Request) -> Result<Response, Diagnostics> {
    let data_source = server.data_source(&request.type_name)?;
    let config = from_proto::value(request.config.as_ref(), data_source.ty(), "configuration")?;
    Ok(Response { diagnostics: to_proto::diagnostics(data_source.validate(config)) })
}

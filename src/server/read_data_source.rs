//! `ReadDataSource`.

use crate::{
    framework::{Diagnostics, Provider},
    proto::tfplugin6::read_data_source::{Request, Response},
    server::{Server, from_proto, to_proto},
};

pub(super) async fn respond<P: Provider>(server: &Server<P>, request: &Request) -> Result<Response, Diagnostics> {
    let data_source = server.data_source(&request.type_name)?;
    let config = from_proto::value(request.config.as_ref(), data_source.ty(), "configuration")?;
    let generation = server.generation()?;
    let (state, mut report) = generation.unless_stopped(data_source.read(&generation.context, config)).await?;
    generation.say_once(&mut report);
    if report.has_errors() {
        return Err(report);
    }
    Ok(Response {
        state: to_proto::value(&state, data_source.ty())?,
        diagnostics: to_proto::diagnostics(report),
        deferred: None,
    })
}

//! `ConfigureProvider`: begins a generation.

use crate::{
    framework::{Diagnostics, Provider, decode},
    proto::tfplugin6::configure_provider::{Request, Response},
    server::{Server, from_proto, generation::Generation, to_proto},
};

pub(super) async fn respond<P: Provider>(server: &Server<P>, request: &Request) -> Result<Response, Diagnostics> {
    // Whatever comes of it, the configuration before holds no longer.
    server.begin(None);
    let config = from_proto::value(request.config.as_ref(), &server.settings_ty, "configuration")?;
    let mut report = Diagnostics::default();
    let settings = decode(config).map_err(Diagnostics::naming_paths)?;
    match P::configure(settings, &mut report).await {
        Ok(context) if !report.has_errors() => {
            let generation = Generation::new(context);
            generation.say_once(&mut report);
            server.begin(Some(generation));
        }
        Ok(_) => {}
        Err(failure) => report.append(failure.told()),
    }
    Ok(Response { diagnostics: to_proto::diagnostics(report.naming_paths()) })
}

//! `StopProvider`: says so, and waits for nothing.

use crate::{framework::Provider, proto::tfplugin6::stop_provider::Response, server::Server};

pub(super) fn respond<P: Provider>(server: &Server<P>) -> Response {
    // Without a configuration nothing is under way.
    if let Ok(generation) = server.generation() {
        generation.stop();
    }
    Response::default()
}

//! The request to end, which Terraform makes when it needs the plugin no more.

use std::sync::Arc;

use tokio::sync::Notify;
use tonic::{Request, Response, Status};

use crate::proto::plugin::{Empty, grpc_controller_server::GrpcController};

/// Answers at once and lets the process end after it: Terraform waits for the answer without a deadline, and then
/// for two seconds for the process.
#[derive(Debug)]
pub(super) struct Controller {
    /// Woken by the request.
    pub(super) shutdown: Arc<Notify>,
}

#[tonic::async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.shutdown.notify_one();
        Ok(Response::new(Empty {}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_to_end_is_answered_and_remembered() {
        let shutdown = Arc::new(Notify::new());
        let controller = Controller { shutdown: Arc::clone(&shutdown) };
        assert!(controller.shutdown(Request::new(Empty {})).await.is_ok());
        shutdown.notified().await;
    }
}

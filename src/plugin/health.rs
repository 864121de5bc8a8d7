//! gRPC's health check: who can ask is served.

use tokio_stream::{StreamExt as _, once, pending};
use tonic::{Request, Response, Status, codegen::BoxStream};

use crate::proto::health::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus, health_server::Health,
};

/// Knows the name `plugin`, for which go-plugin asks, and the empty one, which means the whole process.
#[derive(Debug)]
pub(super) struct Healthy;

#[tonic::async_trait]
impl Health for Healthy {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        match status(&request.get_ref().service) {
            ServingStatus::Serving => Ok(Response::new(answer(ServingStatus::Serving))),
            _ => Err(Status::not_found("unknown service")),
        }
    }

    /// The stream stays open, since the protocol takes its end for the server's.
    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<BoxStream<HealthCheckResponse>>, Status> {
        let answer = answer(status(&request.get_ref().service));
        Ok(Response::new(Box::pin(once(Ok(answer)).chain(pending()))))
    }
}

fn status(service: &str) -> ServingStatus {
    match service {
        "" | "plugin" => ServingStatus::Serving,
        _ => ServingStatus::ServiceUnknown,
    }
}

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_plugin_serves_and_other_names_are_unknown() {
        let ask = |service: &str| Request::new(HealthCheckRequest { service: service.to_owned() });
        for service in ["", "plugin"] {
            let answer = Healthy.check(ask(service)).await.unwrap().into_inner();
            assert_eq!(answer.status(), ServingStatus::Serving);
        }
        assert_eq!(Healthy.check(ask("other")).await.unwrap_err().code(), tonic::Code::NotFound);
    }

    #[tokio::test]
    async fn a_watch_tells_the_present_state_first() {
        let watch = |service: &str| Healthy.watch(Request::new(HealthCheckRequest { service: service.to_owned() }));
        let first = watch("other").await.unwrap().into_inner().next().await.unwrap().unwrap();
        assert_eq!(first.status(), ServingStatus::ServiceUnknown);
    }
}

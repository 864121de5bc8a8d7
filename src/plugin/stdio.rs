//! Two streams that go-plugin opens as soon as it is connected, and over which this plugin says nothing.

use tokio_stream::StreamExt as _;
use tonic::{Request, Response, Status, Streaming, codegen::BoxStream};

use crate::proto::plugin::{ConnInfo, StdioData, grpc_broker_server::GrpcBroker, grpc_stdio_server::GrpcStdio};

/// Relays nothing, since nothing but the handshake is ever printed: Terraform would warn of unexpected data.
///
/// The stream stays open for the life of the connection. That also keeps the host's gRPC library from closing a
/// connection over which nothing was asked for half an hour, while other providers are busy.
#[derive(Debug)]
pub(super) struct Stdio;

#[tonic::async_trait]
impl GrpcStdio for Stdio {
    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<BoxStream<StdioData>>, Status> {
        Ok(Response::new(Box::pin(tokio_stream::pending())))
    }
}

/// Offers no further connection, and ends when the host ends its side.
#[derive(Debug)]
pub(super) struct Broker;

#[tonic::async_trait]
impl GrpcBroker for Broker {
    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<BoxStream<ConnInfo>>, Status> {
        Ok(Response::new(Box::pin(request.into_inner().filter_map(|_| None))))
    }
}

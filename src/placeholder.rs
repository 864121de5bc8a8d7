//! A provider of nothing, until the real one is there.

use tonic::{Request, Response, Status};

use crate::proto::tfplugin6::{
    Schema, ServerCapabilities, get_metadata, get_provider_schema, provider_server::Provider, schema,
};

/// Has an empty schema.
#[derive(Debug)]
pub struct Nothing;

#[tonic::async_trait]
impl Provider for Nothing {
    async fn get_metadata(
        &self,
        _: Request<get_metadata::Request>,
    ) -> Result<Response<get_metadata::Response>, Status> {
        Ok(Response::new(get_metadata::Response::default()))
    }

    async fn get_provider_schema(
        &self,
        _: Request<get_provider_schema::Request>,
    ) -> Result<Response<get_provider_schema::Response>, Status> {
        let empty = Schema { version: 0, block: Some(schema::Block::default()) };
        let server_capabilities = Some(ServerCapabilities { get_provider_schema_optional: true, ..Default::default() });
        Ok(Response::new(get_provider_schema::Response {
            provider: Some(empty),
            server_capabilities,
            ..Default::default()
        }))
    }
}

//! The generated types of the plugin protocol and of go-plugin's own services.

#![allow(
    unused_qualifications,
    clippy::allow_attributes_without_reason,
    clippy::pedantic,
    reason = "generated from proto/ by code that is not ours"
)]

/// Terraform's plugin protocol, version 6.11.
pub mod tfplugin6 {
    tonic::include_proto!("tfplugin6");
}

/// The services by which go-plugin ends a plugin, relays its output and brokers connections.
pub mod plugin {
    tonic::include_proto!("plugin");
}

/// gRPC's health check.
pub mod health {
    tonic::include_proto!("grpc.health.v1");
}

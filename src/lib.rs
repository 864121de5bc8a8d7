//! A Terraform provider for Apache Kafka. `ARCHITECTURE.md` has the map.

extern crate self as terraform_provider_kafka;

pub mod clients;
pub mod commands;
pub mod data_sources;
pub mod framework;
pub mod functions;
pub mod governance;
pub mod log;
pub mod plugin;
pub mod proto;
pub mod provider;
pub mod resources;
pub mod schemas;
pub mod server;

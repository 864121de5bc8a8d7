//! One file for each data source.

pub mod access_requests;
pub mod acls;
pub mod applications;
pub mod cluster;
pub mod connector;
pub mod connector_plugins;
pub mod consumer_group;
pub mod environment;
pub mod environments;
pub mod grants;
pub mod quotas;
pub mod schema;
pub mod subjects;
#[cfg(test)]
mod testing;
pub mod topics;
pub mod user_scram_credentials;

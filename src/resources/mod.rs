//! One file for each resource.

pub mod access_decision;
pub mod access_request;
pub mod acl;
pub mod application;
mod attributes;
#[cfg(test)]
mod bad_input;
mod connect;
pub mod connector;
pub mod environment;
mod failures;
mod governed;
mod leave;
mod letters;
mod place;
pub mod quota;
mod registry;
pub mod requests;
pub mod schema;
mod site;
#[cfg(test)]
mod testing;
pub mod topic;
mod totals;
pub mod user_scram_credential;
mod users;
mod violations;

pub use attributes::Moment;

//! What a Kafka platform is and what it permits: values and rules, with no I/O, no clock and no Terraform.
//!
//! An *environment* is one cluster with its [`policy`]. *Applications* own prefixes of names in it; who owns what, who
//! may do what, and what was done is a [`state::State`], put together from the entities that a journal keeps
//! ([`record`]). [`acl`], [`kind`], [`names`] and [`topic`] are the words.
//!
//! Nothing here is changed in place. A decision reads a state and answers with events or with every reason against it;
//! whoever asked writes the events, does the deeds that they announce, and says so with the next command. A run that is
//! killed between two steps leaves a state from which the next run goes on.

pub mod acl;
pub mod acl_set;
pub mod application;
pub mod astray;
pub mod binding;
pub mod capacity;
pub mod changes;
pub mod check_connector;
pub mod check_request;
pub mod check_schema;
pub mod check_topic;
pub mod check_user;
pub mod client_quota;
pub mod command;
pub mod completion;
pub mod condition;
pub mod connector;
pub mod decide;
pub mod effective;
pub mod entity;
pub mod environment;
pub mod grants;
pub mod kind;
pub mod leave;
pub mod likeness;
pub mod lockout;
pub mod mailbox;
pub mod names;
pub mod outstanding;
pub mod owned_topic;
pub mod policy;
pub mod prefix;
pub mod preset;
pub mod probe;
pub mod record;
pub mod request;
pub mod rights;
pub mod schema_demand;
pub mod secret;
pub mod state;
pub mod subject;
pub mod template;
pub mod topic;
pub mod violation;

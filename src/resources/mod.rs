//! One file for each resource.

mod attributes;
mod failures;
pub mod topic;

//! One file for each resource.

mod attributes;
mod failures;
mod place;
pub mod topic;
mod violations;

//! One file for each resource.

pub mod application;
mod attributes;
mod failures;
mod governed;
mod place;
#[cfg(test)]
mod testing;
pub mod topic;
mod violations;

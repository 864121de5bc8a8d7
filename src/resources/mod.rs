//! One file for each resource.

pub mod application;
mod attributes;
#[cfg(test)]
mod bad_input;
pub mod environment;
mod failures;
mod governed;
mod place;
#[cfg(test)]
mod testing;
pub mod topic;
mod totals;
mod violations;

//! One file for each data source.

pub mod cluster;

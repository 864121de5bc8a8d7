//! One file for each function.

pub mod acl_preset;
pub mod parse_name;
pub mod render_name;

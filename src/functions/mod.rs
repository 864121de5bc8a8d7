//! One file for each function.

pub mod parse_name;
pub mod render_name;

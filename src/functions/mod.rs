//! One file for each function.

pub mod acl_preset;
pub mod avro_canonical_form;
pub mod parse_name;
pub mod render_name;

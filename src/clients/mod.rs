//! Speak to the broker, the schema registry and Connect.

pub mod kafka;
pub mod memory;

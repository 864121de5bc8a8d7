//! Speak to the broker, the schema registry and Connect.

pub(crate) mod clock;
pub mod connect;
pub mod governed;
pub mod journal;
pub mod kafka;
pub mod memory;
mod pause;
pub mod probe;
pub mod registry;
pub mod rest;
pub mod sight;

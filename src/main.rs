//! The plugin's process.

use std::process::ExitCode;

use terraform_provider_kafka::{placeholder::Nothing, plugin};

fn main() -> ExitCode {
    plugin::main(env!("CARGO_PKG_VERSION"), || Nothing)
}

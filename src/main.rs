//! The plugin's process.

use std::process::ExitCode;

use terraform_provider_kafka::{plugin, provider::KafkaProvider, server::Server};

fn main() -> ExitCode {
    plugin::main(env!("CARGO_PKG_VERSION"), Server::<KafkaProvider>::new)
}

//! The plugin's process, and the commands of a person.

use std::{env, process::ExitCode};

use terraform_provider_kafka::{commands, plugin, provider::KafkaProvider, server::Server};

fn main() -> ExitCode {
    let arguments = env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned());
    match commands::main(arguments) {
        Some(code) => code,
        None => plugin::main(env!("CARGO_PKG_VERSION"), Server::<KafkaProvider>::new),
    }
}

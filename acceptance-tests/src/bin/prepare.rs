//! Fetches and builds what the acceptance tests need: Kafka's jars, a schema registry, Connect and the engines.

use std::{
    io::{self, Write},
    process::ExitCode,
};

fn main() -> ExitCode {
    match acceptance_tests::prepare() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            // Nobody reads what cannot be written.
            let _ = writeln!(io::stderr(), "{problem}");
            ExitCode::FAILURE
        }
    }
}

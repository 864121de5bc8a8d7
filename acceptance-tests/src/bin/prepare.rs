//! Fetches and builds what the acceptance tests need: Kafka's jars and the engines.

use std::process::ExitCode;

fn main() -> ExitCode {
    match acceptance_tests::prepare() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            #[allow(clippy::print_stderr, reason = "this program is run by a person")]
            {
                eprintln!("{problem}");
            }
            ExitCode::FAILURE
        }
    }
}

//! What a person does with the program: the commands that are named on its command line.
//!
//! | exit code | meaning |
//! | --- | --- |
//! | 0 | it was done |
//! | 1 | it failed, and standard error says why |
//! | 2 | the arguments have no meaning |
//! | 3 | a verification found something wrong, and standard output says what |
//!
//! Of `reconcile` and `revoke`, 1 says that nothing could be done, for whatever reason, and 2 that something is left.

mod arguments;
mod failed;
mod journal;
mod options;
mod progress;
mod reconcile;
mod revoke;

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Instant,
};

use arguments::Asked;
use failed::Failed;

use crate::{
    clients::{governed::Governed, rest::Webhook},
    provider,
};

/// The arguments have no meaning.
const MISUSED: u8 = 2;

/// Something failed or is left.
const LEFT: u8 = 2;

/// Does what the arguments after the program's name say; `None` if they name no command.
pub fn main(arguments: impl Iterator<Item = String>) -> Option<ExitCode> {
    let arguments: Vec<String> = arguments.collect();
    Some(match arguments::read(&arguments)? {
        Asked::Help(text) => tell(&mut io::stdout(), text, ExitCode::SUCCESS),
        Asked::Misused(problem) => tell(&mut io::stderr(), &problem, ExitCode::from(MISUSED)),
        Asked::Unusable(problem) => tell(&mut io::stderr(), &problem, ExitCode::FAILURE),
        Asked::Reconcile(command) => reconcile::run(&command),
        Asked::Revoke(command) => revoke::run(&command),
        Asked::Journal(command) => journal::run(&command),
    })
}

/// The environment that variables name, unless it is another one than it must be.
async fn governance(name: Option<&str>, deadline: Instant) -> Result<Governed, Failed> {
    let environment = provider::environment_from_variables()?;
    let missing = || Failed("The cluster has no environment. Declare one with `kafka_environment`.".to_owned());
    let found = environment.governance_now(deadline).await?.ok_or_else(missing)?;
    let declared = found.snapshot.state.environment().map(|it| it.spec.name.to_string());
    match (name, declared) {
        (Some(wanted), Some(declared)) if wanted != declared => {
            Err(Failed(format!("The cluster is the environment `{declared}`, not `{wanted}`. Nothing was done.")))
        }
        _ => Ok(found.governed),
    }
}

/// Warns of notices that did not arrive.
fn tell_missed(governed: &Governed) {
    for error in governed.notices().map(Webhook::missed).unwrap_or_default() {
        // Whoever closed the stream does not want to know.
        let _ = writeln!(io::stderr(), "Warning: a notice to `KAFKA_WEBHOOK_URL` did not arrive: {error}.");
    }
}

fn tell(whom: &mut dyn Write, text: &str, code: ExitCode) -> ExitCode {
    // Whoever closed the stream does not want to know.
    let _ = writeln!(whom, "{}", text.trim_end());
    code
}

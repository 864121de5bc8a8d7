//! The plugin's process, from its arguments to its exit code.

use std::{env, error::Error, io, iter, process::ExitCode};

use tokio::runtime::Builder;

use crate::{
    log,
    plugin::{
        command_line::{self, Task},
        handshake::{self, Host},
        server,
    },
    proto::tfplugin6::provider_server::Provider,
};

/// Serves a provider until the host needs it no more, or does what the command line asks for instead.
///
/// `version` is the provider's own, such as `0.1.0`. `provider` is called once, after the handshake, while the host is
/// connecting.
pub fn main<P: Provider>(version: &str, provider: impl FnOnce() -> P) -> ExitCode {
    log::start();
    let task = command_line::task(env::args_os().skip(1));
    let outcome = match task {
        Task::Serve => match Host::of_this_process() {
            Some(host) => serve(&host, provider),
            None => return told(&mut io::stderr(), command_line::STARTED_BY_HAND, ExitCode::FAILURE),
        },
        Task::Debug => run(server::debug(provider)),
        Task::Version => return told(&mut io::stdout(), &command_line::version(version), ExitCode::SUCCESS),
        Task::Help => return told(&mut io::stdout(), command_line::HELP, ExitCode::SUCCESS),
        Task::Unknown(argument) => {
            return told(&mut io::stderr(), &command_line::unknown(&argument), ExitCode::FAILURE);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // Terraform takes a line that begins so for an error, and a person can read it.
        Err(error) => told(&mut io::stderr(), &format!("[ERROR] {}\n", chain(&*error)), ExitCode::FAILURE),
    }
}

fn serve<P: Provider>(host: &Host, provider: impl FnOnce() -> P) -> Result<(), Box<dyn Error>> {
    if !host.speaks_our_version {
        log::warn("The host does not speak the provider's protocol", &[("protocol", &handshake::PROTOCOL_VERSION)]);
    }
    run(server::serve(host, provider))
}

/// Terraform makes ten calls at once, and each waits for a cluster far more than it computes: one thread does, and saves
/// the third of the processor time that waking others takes.
fn run(service: impl Future<Output = Result<(), Box<dyn Error>>>) -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let res = runtime.block_on(service);
    // Work that is still under way must not keep the process: the host waits for it.
    runtime.shutdown_background();
    res
}

fn told(whom: &mut dyn io::Write, text: &str, code: ExitCode) -> ExitCode {
    // Whoever closed the stream does not want to know.
    let _ = whom.write_all(text.as_bytes());
    code
}

/// An error and its causes, joined with colons.
fn chain(error: &dyn Error) -> String {
    let causes = iter::successors(Some(error), |&it| it.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

//! The plugin's side of go-plugin, the contract between Terraform or OpenTofu (the *host*) and a provider.
//!
//! A provider is a program of its own. The host starts it anew for every walk of its graph, three to five times in one
//! command, and speaks gRPC with it over a local socket. What holds between the two, apart from the provider protocol:
//!
//! **Start.** The host sets `TF_PLUGIN_MAGIC_COOKIE` to a fixed word. Without it a person started the program, who is
//! told what it is, with exit code 1. `PLUGIN_PROTOCOL_VERSIONS` lists the major versions that the host speaks, in any
//! order. `PLUGIN_CLIENT_CERT` holds the certificate that the host will show. `PLUGIN_MIN_PORT` and `PLUGIN_MAX_PORT`
//! bound the port on Windows; `PLUGIN_UNIX_SOCKET_DIR` and `PLUGIN_UNIX_SOCKET_GROUP` place the socket elsewhere, and
//! Terraform sets neither.
//!
//! **Handshake.** The plugin prints one line on standard output, `1|6|unix|/tmp/plugin…|grpc|<certificate>`: the
//! version of this contract, the version of the protocol, the network, the address, the kind of protocol, and its own
//! certificate as DER in base64 without padding, empty where nothing is encrypted. The plugin must listen by then. The
//! host reads no other line, and gives up after a minute.
//!
//! **TLS.** Each side has made a certificate for this one process and accepts the other's alone; see `tls.rs`.
//!
//! **Services.** The provider's own, and four of go-plugin's: `GRPCController` to end it; `GRPCStdio` and `GRPCBroker`,
//! which the host opens at once and which stay silent; and a health check. A message may be larger than gRPC's usual
//! 4 MiB: the host has no limit but 64 MiB for a schema.
//!
//! **End.** The host calls `Shutdown`, waits for the answer without a deadline, closes the connection and waits for the
//! process; after two seconds it kills it. A plugin that never answers blocks the host for ever, and one that answers
//! and lingers costs it two seconds, every time. The host also waits until standard output and standard error are
//! closed, so that no child process may keep them. So [`main`] returns as soon as the answer has left.
//!
//! **Signals.** Ctrl-C reaches the plugin as well as the host. It is ignored: the host says what it means, by
//! `StopProvider`. Nothing at all is said when the host is killed; see `lifetime.rs`.
//!
//! **Log.** The host reads standard error and, when logs are asked for, takes JSON lines apart; see [`log`].
//!
//! **Reattach.** A person can start the plugin, under a debugger for instance, and tell the host where it is by
//! `TF_REATTACH_PROVIDERS`. Nothing is encrypted then, one process serves every walk and every command, and the person
//! ends it.

mod command_line;
mod connection;
mod controller;
mod handshake;
mod health;
mod lifetime;
mod listener;
pub mod log;
mod reattach;
mod server;
mod signals;
mod stdio;
mod tls;

use std::{env, error::Error, io, iter, process::ExitCode, thread};

use tokio::runtime::Builder;

use crate::{
    plugin::{command_line::Task, handshake::Host},
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

/// Terraform makes ten calls at once, and each waits for a cluster far more than it computes.
fn run(service: impl Future<Output = Result<(), Box<dyn Error>>>) -> Result<(), Box<dyn Error>> {
    let workers = thread::available_parallelism().map_or(2, |it| it.get().clamp(2, 4));
    let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
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

//! Real engines, a real broker, a real provider.
//!
//! [`Stack`] is a Kafka broker out of its published jars, [`Registry`] a schema registry and [`Connect`] a
//! cluster of Connect workers beside it, [`Engine`] a Terraform or an OpenTofu, and [`Workspace`] a
//! folder of configuration that one engine applies to the stack with the provider of this checkout. What was applied is
//! verified with Kafka's own command-line classes ([`Stack::topics`] and its neighbours), never with the provider's code.
//!
//! Everything that is fetched or built is kept in `$XDG_CACHE_HOME/terraform-provider-kafka` (or under `~/.cache`).
#![allow(clippy::panic, reason = "a step of a test that fails ends the test, and says what happened")]

mod cache;
mod engines;
mod environment;
mod fake_connect;
mod fake_registry;
mod fake_service;
mod process;
mod provider;
mod python;
mod stack;
mod witness;
mod workspace;

use std::thread;

pub use engines::Engine;
pub use environment::histories;
pub use fake_connect::FakeConnect;
pub use fake_registry::{FakeRegistry, SCHEMA};
pub use process::{Outcome, Running, children, is_alive, run};
pub use provider::{VERSION, binary, conformance_tests, mirror};
pub use stack::{Certificates, Connect, Identity, LogLine, Registry, Stack, TopicFacts, User};
pub use witness::avro_round_trip;
pub use workspace::{Workspace, hcl};

/// Fetches and builds whatever the tests need and the cache lacks.
///
/// # Errors
/// A sentence for each thing that is missing, with the command that installs it, and for each that failed.
pub fn prepare() -> Result<(), String> {
    // Building OpenTofu takes minutes of CPU, and the others wait for the network.
    let problems: Vec<_> = thread::scope(|scope| {
        let names = environment::engines().unwrap_or_else(|| engines::ALL.map(str::to_owned).to_vec());
        let engines = names.into_iter().map(|it| scope.spawn(move || Engine::named(&it).map(|_| ())));
        let engines: Vec<_> = engines.collect();
        let stack = scope.spawn(|| stack::fetch().map(|_| ()));
        let registry = scope.spawn(stack::fetch_registry);
        let connect = scope.spawn(stack::fetch_connect);
        let all = engines.into_iter().chain([stack, registry, connect]);
        all.filter_map(|it| it.join().expect("fetching ends with an error rather than a panic").err()).collect()
    });
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

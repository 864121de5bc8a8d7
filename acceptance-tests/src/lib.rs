//! Real engines, a real broker, a real provider.
//!
//! [`Stack`] is a Kafka broker out of its published jars, [`Engine`] a Terraform or an OpenTofu, and [`Workspace`] a
//! folder of configuration that one engine applies to the stack with the provider of this checkout. What was applied is
//! verified with Kafka's own command-line classes ([`Stack::topics`] and its neighbours), never with the provider's code.
//!
//! Everything that is fetched or built is kept in `$XDG_CACHE_HOME/terraform-provider-kafka` (or under `~/.cache`).
#![allow(clippy::panic, reason = "a step of a test that fails ends the test, and says what happened")]

mod cache;
mod engines;
mod environment;
mod process;
mod provider;
mod stack;
mod workspace;

pub use engines::Engine;
pub use process::{Outcome, Running, children, is_alive, run};
pub use provider::{VERSION, binary, conformance_tests, mirror};
pub use stack::{Certificates, Identity, Stack, TopicFacts, User};
pub use workspace::{Workspace, hcl};

/// Fetches and builds whatever the tests need and the cache lacks.
///
/// # Errors
/// A sentence that names what is missing and the command that installs it, or what failed.
pub fn prepare() -> Result<(), String> {
    std::thread::scope(|scope| {
        let tofu = scope.spawn(|| Engine::open_tofu().map(|_| ()));
        stack::fetch()?;
        for engine in engines::ALL {
            if engine != engines::OPEN_TOFU {
                Engine::named(engine)?;
            }
        }
        tofu.join().expect("fetching ends with an error rather than a panic")
    })
}

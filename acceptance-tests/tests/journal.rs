//! The journal under many writers, on a real broker. What they wrote is read with Kafka's own consumer, and the chain of
//! hashes is checked with the system's `sha256sum`.

mod damage;
mod faults;
mod restarts;
mod stress;
mod witness;

use std::{
    process::Command,
    time::{Duration, Instant},
};

use acceptance_tests::{Outcome, Running, Stack, run};
use tokio::runtime::Runtime;
use wire_proxy::WireProxy;

/// Most time that anything here may take.
const PATIENCE: Duration = Duration::from_mins(4);

/// A journal of that name on a broker, or on what stands before one.
struct Subject {
    bootstrap: String,
    name: String,
}

impl Subject {
    /// A new journal on the shared broker.
    #[track_caller]
    fn create(name: &str) -> Self {
        Self::create_on(Stack::shared(), name)
    }

    /// A new journal on a broker.
    #[track_caller]
    fn create_on(stack: &Stack, name: &str) -> Self {
        let subject = Self::at(stack.plaintext(), name);
        subject.run(&["create"]).success();
        subject
    }

    fn at(bootstrap: String, name: &str) -> Self {
        Self { bootstrap, name: name.to_owned() }
    }

    /// The same journal through a proxy.
    fn through(&self, proxy: &WireProxy) -> Self {
        Self::at(proxy.address().to_string(), &self.name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_journal-commands"));
        command.arg(&self.bootstrap).arg(&self.name).args(arguments);
        command
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Outcome {
        run(&mut self.command(arguments), PATIENCE).expect("it runs")
    }

    #[track_caller]
    fn start(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments)).expect("it runs")
    }

    /// Counts in so many processes at once, and gives the ids and the offsets of what they say they wrote.
    #[track_caller]
    fn count_in(&self, processes: usize, times: usize, at_once: usize) -> Vec<(String, i64)> {
        let [times, at_once] = [times, at_once].map(|it| it.to_string());
        let arguments = ["count", "number/n", &times, &at_once, "200"];
        let running: Vec<Running> = (0..processes).map(|_| self.start(&arguments)).collect();
        let deadline = Instant::now() + PATIENCE;
        let ended = running.into_iter().map(|it| it.wait(deadline).expect("it runs"));
        ended.flat_map(|it| written(&it.success())).collect()
    }
}

/// The ids and the offsets of what a process says it wrote.
fn written(outcome: &Outcome) -> Vec<(String, i64)> {
    let lines = outcome.stdout.lines().filter_map(|it| it.strip_prefix("written ")?.split_once(' '));
    lines.map(|(id, offset)| (id.to_owned(), offset.parse().expect("an offset"))).collect()
}

/// A proxy before the shared broker, and the runtime that it works in.
fn proxy() -> (Runtime, WireProxy) {
    proxy_before(Stack::shared())
}

fn proxy_before(stack: &Stack) -> (Runtime, WireProxy) {
    let runtime = Runtime::new().expect("the system has threads");
    let proxy = {
        let _inside = runtime.enter();
        WireProxy::start(stack.plaintext_socket()).expect("there are free ports")
    };
    (runtime, proxy)
}

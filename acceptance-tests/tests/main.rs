//! The provider in real engines against a real broker: one file for each resource, and some for what concerns them all.
//!
//! Tests run side by side on one broker: each prefixes its topics with its own name.

mod access;
mod access_decision;
mod access_request;
mod acl;
mod acl_governance;
mod application;
mod approval;
mod changes;
mod chaos;
mod cluster;
mod conformance;
mod connections;
mod connector;
mod consumer_group;
mod enforcement;
mod engines;
mod environment;
mod errors;
mod functions;
mod governance;
mod histories;
mod importing;
mod journal;
mod kills;
mod letters;
mod looking;
mod quota;
mod reconcile;
mod rights;
mod rules;
mod scale;
mod schema;
mod services;
mod subjects;
mod threats;
mod topic;
mod topics;
mod user_scram_credential;
mod witness;

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use acceptance_tests::{Engine, Stack, Workspace, hcl};

/// A file below `examples/`.
fn example(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(path);
    fs::read_to_string(path).expect("what is registered has an example")
}

/// A provider block with one environment, `dev`.
fn provider(environment: &str) -> String {
    format!("provider \"kafka\" {{\n environments = {{\n dev = {{\n{environment}\n}}\n}}\n}}\n")
}

/// The attribute that says where the broker is.
fn servers(address: &str) -> String {
    format!("bootstrap_servers = [{}]\n", hcl(address))
}

/// A workspace whose environment `dev` is the shared broker, where it may do everything.
fn workspace(engine: &Engine) -> Workspace {
    workspace_with(engine, &servers(&Stack::shared().plaintext()))
}

/// A workspace with an environment `dev`.
fn workspace_with(engine: &Engine, environment: &str) -> Workspace {
    let workspace = Workspace::new(engine);
    workspace.write("provider.tf", &provider(environment));
    workspace
}

/// A workspace whose environment `dev` is a broker of its own, where it may do everything.
fn workspace_on(engine: &Engine, stack: &Stack) -> Workspace {
    workspace_with(engine, &servers(&stack.plaintext()))
}

/// Waits until something is so.
#[track_caller]
fn until(what: &str, within: Duration, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not within {within:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A topic `a` of that name.
fn topic_block(name: &str, rest: &str) -> String {
    format!("resource \"kafka_topic\" \"a\" {{\n name = {}\n{rest}\n}}\n", hcl(name))
}

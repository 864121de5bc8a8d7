//! The tests that keep the cluster in memory honest, on a real one.

use std::{path::Path, process::Command, time::Duration};

use acceptance_tests::{Stack, User, conformance_tests, run};

/// Runs them all, as the given variables say.
#[track_caller]
fn conforms(variables: &[(&str, &Path)]) {
    let mut command = Command::new(conformance_tests());
    command.envs(variables.iter().map(|(name, value)| (format!("KAFKA_CONFORMANCE_{name}"), value)));
    let tests = run(&mut command, Duration::from_mins(5)).expect("they end").success();
    assert!(!tests.words().contains("running 0 tests"), "{tests}");
}

#[test]
fn a_real_cluster_answers_like_the_one_in_memory() {
    conforms(&[("BOOTSTRAP", Stack::shared().plaintext().as_ref())]);
}

#[test]
fn a_real_cluster_with_sasl_answers_like_the_one_in_memory() {
    let stack = Stack::shared();
    let User { name, password } = Stack::ADMIN;
    conforms(&[
        ("BOOTSTRAP", stack.sasl_ssl().as_ref()),
        ("CA", &stack.ca_file()),
        ("SASL", "SCRAM-SHA-512".as_ref()),
        ("USER", name.as_ref()),
        ("PASSWORD", password.as_ref()),
    ]);
}

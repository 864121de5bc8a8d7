//! Random histories of an environment: three teams that ask, decide and change their minds, a platform that makes and
//! removes rules and is killed at any step, answers that are lost and asked for again, and rules that others made.
//!
//! A history is a list of [`Step`]s, each whole in itself, so that one that goes wrong is shortened by leaving steps out.
//! `KAFKA_MODEL_RUNS` says how many are tried, and `KAFKA_MODEL_SEED` which is the first.

mod history;
mod invariants;
mod teams;

use std::{
    env,
    fmt::Write,
    panic::{AssertUnwindSafe, catch_unwind},
};

use self::{
    history::{History, Step},
    teams::{POLICIES, Random},
};

const RUNS: u64 = 300;
const STEPS: u64 = 60;

fn number(name: &str, default: u64) -> u64 {
    env::var_os(name).and_then(|it| it.to_str()?.parse().ok()).unwrap_or(default)
}

/// What is wrong with a history, if anything.
fn judge(policy: usize, steps: &[Step]) -> Option<String> {
    let run = || {
        let mut history = History::new(policy);
        for step in steps {
            history.take(step);
            invariants::check(&history);
        }
        history.settle();
        invariants::check(&history);
        invariants::check_settled(&history);
    };
    catch_unwind(AssertUnwindSafe(run)).err().map(|it| {
        let text = it.downcast_ref::<String>().cloned();
        text.or_else(|| it.downcast_ref::<&str>().map(|it| (*it).to_owned())).unwrap_or_default()
    })
}

/// The history of a seed, made as it goes, for what makes sense depends on what happened. If that breaks, the steps so far
/// are there.
fn generate(seed: u64) -> (usize, Vec<Step>) {
    let mut random = Random::new(seed);
    let policy = random.below(POLICIES.len() as u64);
    let mut history = History::new(policy);
    let mut steps = Vec::new();
    let grow = || {
        for _ in 0..random.below(STEPS) + 5 {
            let step = history.propose(&mut random);
            steps.push(step.clone());
            history.take(&step);
        }
    };
    // What is wrong with them is found when they are judged.
    drop(catch_unwind(AssertUnwindSafe(grow)));
    (policy, steps)
}

/// The shortest history that leaving out steps one by one leads to.
fn shortened(policy: usize, mut steps: Vec<Step>) -> Vec<Step> {
    let mut at = steps.len();
    while 0 < at {
        at -= 1;
        let mut shorter = steps.clone();
        shorter.remove(at);
        if judge(policy, &shorter).is_some() {
            steps = shorter;
            at = at.min(steps.len());
        }
    }
    steps
}

#[test]
fn no_history_gives_access_that_nobody_agreed_to() {
    let first = number("KAFKA_MODEL_SEED", 1);
    for seed in first..first + number("KAFKA_MODEL_RUNS", RUNS) {
        let (policy, steps) = generate(seed);
        let Some(wrong) = judge(policy, &steps) else { continue };
        let steps = shortened(policy, steps);
        let wrong = judge(policy, &steps).unwrap_or(wrong);
        let mut told = format!("seed {seed}, policy {:?}: {wrong}\n", POLICIES[policy]);
        for step in &steps {
            writeln!(told, "  {step:?}").unwrap();
        }
        panic!("{told}");
    }
}

/// What the histories would say of nothing: that they get somewhere.
#[test]
fn the_histories_reach_every_status() {
    use crate::governance::request::RequestStatus;

    let mut lacking: Vec<RequestStatus> = RequestStatus::ALL.to_vec();
    for seed in 0..3_000 {
        let (policy, steps) = generate(seed);
        let mut history = History::new(policy);
        for step in &steps {
            history.take(step);
            lacking.retain(|status| !history.state.requests().any(|(_, it)| it.status == *status));
        }
        if lacking.is_empty() {
            return;
        }
    }
    panic!("never reached: {lacking:?}");
}

//! A broker that ends while many write, and comes back; a cluster whose features are raised and lowered meanwhile.

use std::time::Instant;

use acceptance_tests::{Running, Stack, is_alive};
use wire_proxy::ApiKey;

use super::{PATIENCE, Subject, proxy_before, witness, written};
use crate::until;

const PROCESSES: usize = 4;

/// So often that none is done before it is told to end.
const WITHOUT_END: &str = "1000000";

/// Transactions before and after each end of the broker.
const SOME: u64 = 20;

#[test]
fn a_broker_that_is_killed_and_one_that_is_stopped_lose_no_command() {
    let mut stack = Stack::start().expect("a broker starts");
    let journal = Subject::create_on(&stack, "journal.restarted");
    let (_runtime, proxy) = proxy_before(&stack);
    let through = journal.through(&proxy);
    let arguments = ["count", "number/n", WITHOUT_END, "1", "200"];
    let running: Vec<Running> = (0..PROCESSES).map(|_| through.start(&arguments)).collect();
    for end in [Stack::kill_and_start, Stack::restart] {
        proxy.reset_counts();
        until("some are written", PATIENCE, || SOME <= proxy.count(ApiKey::EndTxn));
        end(&mut stack).expect("it starts again");
        assert!(running.iter().all(|it| is_alive(it.id())), "they wait for the broker");
    }
    proxy.reset_counts();
    until("they go on", PATIENCE, || SOME <= proxy.count(ApiKey::EndTxn));
    let deadline = Instant::now() + PATIENCE;
    running.iter().for_each(Running::interrupt);
    let ended = running.into_iter().map(|it| it.wait(deadline).expect("it ends").success());
    let told: Vec<_> = ended.flat_map(|it| written(&it)).collect();
    witness::has_just(&stack, &journal.name, &told);
}

/// Below the second level, clients tell the coordinator what a transaction writes to; from it on, brokers do.
#[test]
fn a_cluster_whose_transactions_change_their_level_loses_no_command() {
    let stack = Stack::start().expect("a broker starts");
    let journal = Subject::create_on(&stack, "journal.levels");
    let (_runtime, proxy) = proxy_before(&stack);
    let through = journal.through(&proxy);
    let mut told = Vec::new();
    for (task, level, adds) in [("downgrade", 1, true), ("upgrade", 2, false)] {
        let running = through.start(&["count", "number/n", WITHOUT_END, "1", "200"]);
        proxy.reset_counts();
        until("some are written", PATIENCE, || SOME <= proxy.count(ApiKey::EndTxn));
        let feature = format!("transaction.version={level}");
        stack.tool("org.apache.kafka.tools.FeatureCommand", &[task, "--feature", &feature]);
        running.interrupt();
        told.extend(written(&running.wait(Instant::now() + PATIENCE).expect("it ends").success()));
        proxy.reset_counts();
        told.extend(written(&through.run(&["count", "number/n", "10", "1"]).success()));
        assert_eq!(0 < proxy.count(ApiKey::AddPartitionsToTxn), adds, "at level {level}");
    }
    witness::has_just(&stack, &journal.name, &told);
}

//! Many processes that write at once.

use std::time::{Duration, Instant};

use acceptance_tests::Stack;

use super::{Subject, proxy, witness};

#[test]
fn eight_processes_of_200_commands_lose_nothing() {
    let journal = Subject::create("journal.eight");
    let written = journal.count_in(8, 200, 2);
    assert_eq!(written.len(), 1600);
    witness::has_just(Stack::shared(), &journal.name, &written);
}

#[test]
fn twenty_processes_far_away_are_done_in_a_minute() {
    let journal = Subject::create("journal.far");
    let (_runtime, proxy) = proxy();
    proxy.delay(Duration::from_millis(50));
    let began = Instant::now();
    // One call at a time: none is written together with another.
    let written = journal.through(&proxy).count_in(20, 10, 1);
    let took = began.elapsed();
    assert_eq!(written.len(), 200);
    witness::has_just(Stack::shared(), &journal.name, &written);
    assert!(took < Duration::from_mins(1), "it took {took:?}");
}

//! Writers that are cut off or killed between any two steps.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use acceptance_tests::Stack;
use wire_proxy::Action;

use super::{PATIENCE, Subject, proxy, witness, written};

#[test]
fn a_connection_that_is_cut_at_any_request_loses_no_command() {
    let journal = Subject::create("journal.cut");
    let (_runtime, proxy) = proxy();
    let through = journal.through(&proxy);
    let mut all = Vec::new();
    for cut in [|| Action::CutBefore, || Action::CutAfter] as [fn() -> Action; 2] {
        for at in 1.. {
            let passed = Arc::new(Mutex::new(false));
            let is_passed = Arc::clone(&passed);
            proxy.on_request(move |_, number| {
                if number == at {
                    *is_passed.lock().expect("nobody panics with it") = true;
                    return cut();
                }
                Action::Forward
            });
            all.extend(written(&through.run(&["count", "number/n", "1", "1"]).success()));
            if !*passed.lock().expect("nobody panics with it") {
                break;
            }
        }
    }
    proxy.forward_all();
    assert!(16 < all.len(), "{} requests", all.len());
    witness::has_just(Stack::shared(), &journal.name, &all);
}

#[test]
fn a_writer_that_is_killed_between_any_two_steps_is_followed_by_the_next() {
    let journal = Subject::create("journal.killed");
    let (_runtime, proxy) = proxy();
    let through = journal.through(&proxy);
    let mut told = Vec::new();
    let mut killed = 0;
    for kill in [Action::KillBefore, Action::KillAfter] as [fn(u32) -> Action; 2] {
        for at in 1.. {
            let pid = Arc::new(Mutex::new(0));
            let running = {
                // The script waits for the id.
                let mut victim = pid.lock().expect("nobody panics with it");
                let pid = Arc::clone(&pid);
                proxy.on_request(move |_, number| {
                    let pid = *pid.lock().expect("nobody panics with it");
                    if number == at { kill(pid) } else { Action::Forward }
                });
                let running = through.start(&["count", "number/n", "1", "1"]);
                *victim = running.id();
                running
            };
            let outcome = running.wait(Instant::now() + PATIENCE).expect("it ends");
            told.extend(written(&outcome));
            if outcome.succeeded() {
                break;
            }
            killed += 1;
            proxy.forward_all();
            // Whatever was left behind is in nobody's way.
            let began = Instant::now();
            told.extend(written(&journal.run(&["count", "number/n", "1", "1"]).success()));
            assert!(began.elapsed().as_secs() < 5, "it waited for {:?}", began.elapsed());
        }
    }
    assert!(16 < killed, "{killed} were killed");
    // Those who were killed after the commit did not say so: their events are in the history all the same.
    let history = witness::history(Stack::shared(), &journal.name);
    for (id, offset) in &told {
        assert!(history.iter().any(|it| it.value["id"] == id.as_str() && it.offset == *offset), "{id} is lost");
    }
    let all = history[1..].iter().map(|it| (it.value["id"].as_str().unwrap_or_default().to_owned(), it.offset));
    let all: Vec<_> = all.collect();
    assert!(told.len() < all.len() && all.len() <= told.len() + killed, "{} told, {} there", told.len(), all.len());
    witness::has_just(Stack::shared(), &journal.name, &all);
}

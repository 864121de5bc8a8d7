//! A hundred random histories on a real broker: three teams that ask, decide and change their minds, one of them by
//! letter, a platform that reconciles, programs that are killed, answers that are lost, and rules that others make.
//!
//! Each history has a journal, applications and topics of its own, whose names begin with its seed. What holds at the end is
//! computed from what was asked and from the order in which the journal has it, and compared with what Kafka's own tool
//! lists.

mod living;
mod process;
#[path = "../../src/governance/decide/model/teams.rs"]
mod teams;
mod verdict;

use std::sync::Arc;

use acceptance_tests::{Stack, histories};
use tokio::{runtime::Runtime, sync::Semaphore, task::JoinSet};

use self::living::{Answer, Lived};

/// How many run at the same time.
const AT_ONCE: usize = 12;

#[test]
fn no_history_gives_access_that_nobody_agreed_to() {
    let stack = Stack::start().expect("a broker starts");
    let runtime = Runtime::new().expect("the system has threads");
    let lived = runtime.block_on(all(&stack));
    let rules = verdict::listed(&stack);
    for it in &lived {
        if let Err(wrong) = verdict::check(it, &rules) {
            panic!("seed {} (`KAFKA_HISTORIES_SEED`), policy {:?}: {wrong}\n{}", it.seed, it.policy, it.tale());
        }
    }
    get_somewhere(&lived);
}

/// What the histories would say of nothing: that they get somewhere.
#[track_caller]
fn get_somewhere(lived: &[Lived]) {
    let events = |kind: &str| lived.iter().flat_map(|it| &it.history).filter(|it| it.event.kind == kind).count();
    let attempts = |is_such: fn(&Answer) -> bool| {
        lived.iter().flat_map(|it| &it.attempts).filter(|it| is_such(&it.answer)).count()
    };
    let counts = [
        ("active grants", events("grant.active")),
        ("grants taken away", events("grant.removed")),
        ("rules of others", lived.iter().map(|it| it.foreign.len()).sum()),
        ("commands done", attempts(|it| *it == Answer::Done)),
        ("letters", attempts(|it| matches!(it, Answer::Filed(_)))),
        ("refusals", attempts(|it| matches!(it, Answer::Refused(_)))),
        ("programs killed", attempts(|it| matches!(it, Answer::Lost(_)))),
    ];
    let few: Vec<_> = counts.iter().filter(|(_, it)| *it < lived.len() / 5).collect();
    assert!(few.is_empty(), "{} histories have few: {counts:?}", lived.len());
}

/// Lives all histories, several at the same time.
async fn all(stack: &Stack) -> Vec<Lived> {
    let (first, count) = histories();
    let (broker, places) = (stack.plaintext_socket(), Arc::new(Semaphore::new(AT_ONCE)));
    let mut running = JoinSet::new();
    for seed in first..first + count {
        let (places, cluster) = (places.clone(), stack.cluster_id().to_owned());
        running.spawn(async move {
            let _place = places.acquire().await;
            living::live(broker, &cluster, seed).await
        });
    }
    running.join_all().await
}

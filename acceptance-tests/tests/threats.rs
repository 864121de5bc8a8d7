//! What a team with credentials of its own could try, on a real broker with a real authorizer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use bytes::Bytes;
use serde_json::json;
use terraform_provider_kafka::{
    clients::kafka::{KafkaError, NewRecord},
    governance::{
        command::{Command, Decision},
        mailbox::{FORM, Letter, MailboxOf, Wish},
        request::{Choice, Judge},
        topic::TopicName,
    },
};

use crate::reconcile::{Stage, asking, id, soon};

fn of(application: &str) -> MailboxOf {
    MailboxOf::Application(application.parse().expect("a name"))
}

fn mailbox(application: &str) -> TopicName {
    of(application).topic().parse().expect("a name")
}

fn record(value: impl Into<Vec<u8>>) -> NewRecord {
    NewRecord { value: Some(Bytes::from(value.into())), ..NewRecord::default() }
}

impl Stage {
    /// Writes records into a mailbox as the team of `shop`.
    fn post(&self, application: &str, records: &[NewRecord]) -> Result<(), KafkaError> {
        self.wait(self.teams_kafka().write_log(&mailbox(application), records, soon())).map(drop)
    }

    /// A letter in which somebody agrees to what `shop` asks.
    fn agreement(&self, application: &str, letter: &str) -> NewRecord {
        let revision = self.known().state.request(&id(1)).expect("it was folded").revision.clone();
        let (request, judge, choice) = (id(1), Judge::Owner, Choice::Approve);
        let wish = Wish::DecideRequest(Decision { request, revision, judge, choice, reason: None });
        let topic = self.wait(self.platform().kafka().describe_topic(&mailbox(application), soon()));
        let topic_id = topic.expect("it is told").expect("it is there").id.expect("it has an id");
        let letter =
            Letter { form: FORM, id: letter.to_owned(), mailbox: topic_id, wish, claimed: None, change_url: None };
        record(serde_json::to_vec(&letter).expect("JSON"))
    }
}

fn is_denied<T>(answer: &Result<T, KafkaError>) -> bool {
    matches!(answer, Err(KafkaError::Denied { .. }))
}

#[test]
fn nobody_decides_for_another() {
    let stage = Stage::new();
    stage.declare("pay", &json!(["User:pay-ci"]), false);
    stage.tell(&stage.team(), asking(1, None));
    stage.reconcile();
    let forged = stage.agreement("pay", "forged");
    assert!(is_denied(&stage.post("pay", &[forged])), "the broker keeps others out of a mailbox");
    let journal: TopicName = "_selfserve".parse().expect("a name");
    let kafka = stage.teams_kafka();
    assert!(is_denied(&stage.wait(kafka.write_log(&journal, &[record("{}")], soon()))));
    assert!(is_denied(&stage.wait(kafka.take_lease("_selfserve.lease", soon()))));
    // In a mailbox of one's own, one is nobody else, whatever one writes.
    stage.post("shop", &[stage.agreement("shop", "own")]).expect("it is theirs");
    stage.reconcile().says(&["Fold the mailbox of `shop`: 1 letters, 1 refused"]);
    assert_eq!(stage.status(1), "pending");
    // What was written for another mailbox says nothing here.
    stage.post("shop", &[stage.agreement("pay", "moved")]).expect("it is theirs");
    stage.reconcile().says(&["0 letters, 0 refused, 1 records set aside"]);
    assert_eq!(stage.status(1), "pending");
    stage.has_nothing_to_do();
}

#[test]
fn what_is_replayed_or_restored_is_not_done_again() {
    let stage = Stage::new();
    stage.tell(&stage.team(), asking(1, None));
    stage.reconcile();
    let kafka = stage.teams_kafka();
    let filed = stage.wait(stage.platform().kafka().read_log(&mailbox("shop"), 0, soon())).expect("it is read").records;
    let copies: Vec<NewRecord> = filed.iter().map(|it| record(it.value.clone().expect("a letter"))).collect();
    stage.tell(&stage.team(), Command::WithdrawRequest(id(1)));
    stage.reconcile();
    assert_eq!(stage.status(1), "withdrawn");
    let before = stage.known().head.offset;
    stage.post("shop", &copies).expect("it is theirs");
    stage.reconcile();
    assert_eq!(stage.status(1), "withdrawn", "a letter is folded once");

    // A mailbox that was deleted and restored from a copy is another one.
    drop(kafka);
    stage.stack.delete_topic(mailbox("shop").as_str());
    stage.wait(stage.platform().make_box(&of("shop"), soon())).expect("it is made");
    stage.post("shop", &copies).expect("it is theirs");
    stage.reconcile().says(&["0 letters, 0 refused, 1 records set aside"]);
    assert_eq!(stage.status(1), "withdrawn");
    let history = stage.wait(stage.platform().journal().history(before + 1, soon())).expect("it is read");
    assert!(history.iter().all(|it| it.event.kind == "mailbox.folded"), "{history:?}");
    stage.has_nothing_to_do();
}

#[test]
fn garbage_and_a_flood_hold_nobody_up() {
    let stage = Stage::new();
    stage.declare("pay", &json!(["User:team-of-pay"]), false);
    let garbage = [&b"\xff\xfe"[..], b"{}", b"[1", br#"{"form": 99}"#, br#"{"form": 1, "wish": {"eat": 1}}"#];
    let garbage: Vec<NewRecord> = garbage.iter().map(|it| record(*it)).chain([NewRecord::default()]).collect();
    stage.post("shop", &garbage).expect("it is theirs");
    stage.reconcile().says(&["0 letters, 0 refused, 6 records set aside"]);
    let flood: Vec<NewRecord> = (0..500).map(|it| record(format!("{{{it}"))).collect();
    for _ in 0..20 {
        stage.post("shop", &flood).expect("it is theirs");
    }
    // `pay` files by hand of the platform's machine, and is folded in the same run.
    stage.tell(&stage.acting("shop"), asking(1, None));
    stage.approve(1);
    let begun = Instant::now();
    let first = stage.run(&["reconcile"]);
    assert_eq!(first.code(), Some(2), "{first}");
    assert_eq!(stage.status(1), "active", "others are not held up");
    let events = stage.known().head.offset;
    stage.reconcile();
    assert!(stage.known().head.offset - events < 40, "bounded work in a run");
    assert!(begun.elapsed() < std::time::Duration::from_mins(1), "{:?}", begun.elapsed());
    stage.tell(&stage.team(), asking(2, None));
    stage.reconcile();
    assert_eq!(stage.status(2), "pending", "the team itself is heard again");
    stage.has_nothing_to_do();
}

/// Who may use the journal's transactional id can stop its writers for a while; they come back, and nothing is half done.
#[test]
fn a_run_survives_others_who_fence_the_journal() {
    let stage = Stage::new();
    for number in 0..6 {
        stage.tell(&stage.acting("shop"), asking(number, None));
        stage.approve(number);
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let (ended, platform) = (is_over.clone(), stage.platform());
    let said = thread::scope(|scope| {
        let fencing = scope.spawn(|| {
            let mut count = 0;
            while !ended.load(Ordering::Relaxed) && count < 8 {
                let taken = stage.wait(platform.kafka().take_lease("_selfserve.lease", soon()));
                count += usize::from(taken.is_ok());
                thread::sleep(std::time::Duration::from_millis(150));
            }
            count
        });
        let said = stage.run(&["reconcile"]);
        is_over.store(true, Ordering::Relaxed);
        assert!(0 < fencing.join().expect("it ends"));
        said
    });
    assert!(said.code().is_some_and(|it| it != 1), "{said}");
    stage.reconcile();
    for number in 0..6 {
        assert_eq!(stage.status(number), "active");
    }
    stage.run(&["journal", "verify"]).success().says(&["All is well"]);
}

#[test]
fn a_deployer_who_was_removed_is_heard_no_more() {
    let stage = Stage::new();
    let team = stage.team();
    stage.tell(&team, asking(1, None));
    stage.declare("shop", &json!([]), false);
    assert!(is_denied(&stage.post("shop", &[record("{}")])), "the broker lets them in no more");
    stage.reconcile();
    assert!(stage.known().state.request(&id(1)).is_none(), "what they filed and nobody folded is not folded any more");
    stage.has_nothing_to_do();
}

//! A journal in a cluster in memory.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde_json::{Value, json};

use super::{CREATED, Claims, Journal, JournalError, JournalTopics, Remembered, WRITER, Warning};
use crate::{
    clients::{
        kafka::{Kafka, KafkaError, Log, NewRecord},
        memory::{LostAnswer, MemoryCluster},
    },
    governance::record::{Event, Fold, Timestamp, Unreadable},
};

/// Entities by key, of which numbers below zero cannot be read.
#[derive(Clone, Debug, Default, PartialEq)]
struct Numbers(BTreeMap<String, i64>);

impl Fold for Numbers {
    fn put(&mut self, key: &str, value: &Value) -> Result<(), Unreadable> {
        let number = value.as_i64().filter(|it| 0 <= *it);
        let number = number.ok_or_else(|| Unreadable { key: key.to_owned(), problem: format!("{value} is none") })?;
        self.0.insert(key.to_owned(), number);
        Ok(())
    }
}

type Numbered = Journal<Numbers>;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn topics() -> JournalTopics {
    JournalTopics::default()
}

fn opened(cluster: &Arc<MemoryCluster>) -> Numbered {
    Journal::open(cluster.clone())
}

async fn created() -> (Arc<MemoryCluster>, Numbered) {
    let cluster = Arc::new(MemoryCluster::new(3));
    let journal = opened(&cluster);
    journal.create(Claims::default(), soon()).await.unwrap();
    (cluster, journal)
}

fn set(key: &str, number: i64) -> Event {
    let entities = BTreeMap::from([(key.to_owned(), json!(number))]);
    Event { kind: "number.set".to_owned(), entities, ..Event::default() }
}

/// Adds one to a number, and refuses to count further than to a limit.
fn count(key: &str, limit: i64) -> impl Fn(&Numbers, Timestamp) -> Result<Vec<Event>, i64> + Send + 'static + use<> {
    let key = key.to_owned();
    move |state, _| {
        let number = state.0.get(&key).copied().unwrap_or(0);
        if number < limit { Ok(vec![set(&key, number + 1)]) } else { Err(number) }
    }
}

async fn counted(journal: &Numbered, key: &str) -> Result<super::Appended<Numbers>, JournalError> {
    journal.append(Claims::default(), soon(), count(key, 1_000)).await.map(Result::unwrap)
}

async fn numbers(journal: &Numbered) -> BTreeMap<String, i64> {
    journal.snapshot(soon()).await.unwrap().state.0.clone()
}

fn record(key: &str, value: &str) -> NewRecord {
    let bytes = |it: &str| Some(Bytes::from(it.to_owned()));
    NewRecord { key: bytes(key), value: bytes(value), timestamp: None }
}

#[tokio::test]
async fn a_new_journal_begins_with_its_genesis_and_the_clusters_id() {
    let (cluster, journal) = created().await;
    let snapshot = journal.snapshot(soon()).await.unwrap();
    assert_eq!((snapshot.head.offset, snapshot.head.cluster.as_str()), (0, "memory-3"));
    let [genesis] = &journal.history(0, soon()).await.unwrap()[..] else { panic!("one event") };
    assert_eq!((genesis.event.kind.as_str(), genesis.previous, genesis.hash), (CREATED, None, snapshot.head.hash));
    assert_eq!(genesis.event.facts["journal"], json!(snapshot.head.journal));
    assert_eq!(journal.deviations(soon()).await, Ok(Vec::new()));
    let history = cluster.describe_topic(&topics().history, soon()).await.unwrap().unwrap();
    assert_eq!((history.partitions, history.replication_factor), (1, 3));
}

#[tokio::test]
async fn a_second_journal_is_refused_by_the_name_of_the_first() {
    let (cluster, journal) = created().await;
    let first = journal.snapshot(soon()).await.unwrap().head.journal.clone();
    let second = opened(&cluster).create(Claims::default(), soon()).await;
    assert_eq!(second.unwrap_err(), JournalError::Exists(first));
}

#[tokio::test]
async fn a_creation_that_was_interrupted_is_finished() {
    for answer in [LostAnswer::Aborted, LostAnswer::Committed] {
        let cluster = Arc::new(MemoryCluster::new(1));
        let journal = opened(&cluster);
        assert_eq!(journal.snapshot(soon()).await.unwrap_err(), JournalError::Absent(topics().history));
        let [history, ..] = topics().specs(1);
        cluster.create_topic(&history, soon()).await.unwrap();
        assert_eq!(journal.snapshot(soon()).await.unwrap_err(), JournalError::Incomplete(topics().state));
        cluster.lose_next_commit(answer);
        let snapshot = journal.create(Claims::default(), soon()).await.unwrap();
        assert_eq!(journal.history(0, soon()).await.unwrap().len(), 1, "{answer:?}");
        assert_eq!(snapshot.head.offset, 0);
    }
}

#[tokio::test]
async fn what_is_written_is_read_by_everybody() {
    let (cluster, journal) = created().await;
    let claims =
        Claims { principal: Some("User:ci".to_owned()), actor: None, change_url: Some("https://x".to_owned()) };
    let appended = journal.append(claims.clone(), soon(), count("a", 9)).await.unwrap().unwrap();
    assert_eq!(appended.snapshot.state.0["a"], 1);
    assert_eq!(numbers(&journal).await, numbers(&opened(&cluster)).await);
    let [written] = &appended.events[..] else { panic!("one event") };
    let history = opened(&cluster).history(0, soon()).await.unwrap();
    let event = history.last().unwrap();
    assert_eq!(
        (&event.id, event.offset, event.hash, &event.claims),
        (&written.id, written.offset, written.hash, &claims)
    );
    assert_eq!(event.previous, Some(history[0].hash));
    assert_eq!(opened(&cluster).snapshot(soon()).await.unwrap().head, appended.snapshot.head);
}

#[tokio::test]
async fn commands_of_one_moment_are_one_transaction_decided_one_after_another() {
    let (cluster, journal) = created().await;
    counted(&journal, "a").await.unwrap();
    let before = cluster.calls().iter().filter(|it| **it == "append_to_logs").count();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let journal = journal.clone();
        running.spawn(async move { journal.append(Claims::default(), soon(), count("a", 41)).await.unwrap() });
    }
    let ends = running.join_all().await;
    assert_eq!(ends.iter().filter(|it| it.is_ok()).count(), 40);
    assert_eq!(ends.iter().filter(|it| matches!(it, Err(41))).count(), 10);
    assert_eq!(numbers(&journal).await["a"], 41);
    let after = cluster.calls().iter().filter(|it| **it == "append_to_logs").count();
    assert!(after - before < 10, "{} transactions", after - before);
    let mut offsets: Vec<i64> = ends.into_iter().flatten().flat_map(|it| it.events).map(|it| it.offset).collect();
    offsets.sort_unstable();
    offsets.dedup();
    assert_eq!(offsets.len(), 40);
}

#[tokio::test]
async fn many_writers_lose_nothing_and_chain_all() {
    let (cluster, journal) = created().await;
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let journal = opened(&cluster);
        running.spawn(async move {
            for _ in 0..25 {
                counted(&journal, "a").await.unwrap();
            }
        });
    }
    running.join_all().await;
    assert_eq!(numbers(&journal).await["a"], 200);
    let history = journal.history(0, soon()).await.unwrap();
    assert_eq!(history.len(), 201);
    assert!(history.windows(2).all(|it| it[1].previous == Some(it[0].hash)));
}

#[tokio::test]
async fn what_is_refused_is_refused_on_what_others_wrote() {
    let (cluster, journal) = created().await;
    let other = opened(&cluster);
    assert_eq!(numbers(&journal).await.len(), 0);
    counted(&other, "a").await.unwrap();
    let refused = journal.append(Claims::default(), soon(), count("a", 1)).await.unwrap();
    assert_eq!(refused.unwrap_err(), 1);
    let nothing = journal.append(Claims::default(), soon(), |_: &Numbers, _| Ok::<_, ()>(Vec::new())).await;
    assert!(nothing.unwrap().unwrap().events.is_empty());
    assert!(!cluster.calls().ends_with(&["append_to_logs"]));
}

/// As brokers leave it that restart right after a commit.
#[tokio::test(start_paused = true)]
async fn a_commit_that_the_coordinator_forgot_is_aborted_and_written_once() {
    let (cluster, journal) = created().await;
    cluster.lose_next_commit(LostAnswer::Forgotten);
    let appended = counted(&journal, "a").await.unwrap();
    assert_eq!(appended.snapshot.state.0["a"], 1);
    assert_eq!(opened(&cluster).history(0, soon()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_lost_answer_is_settled_either_way_and_nothing_is_written_twice() {
    for answer in [LostAnswer::Aborted, LostAnswer::Committed] {
        let (cluster, journal) = created().await;
        cluster.lose_next_commit(answer);
        let appended = counted(&journal, "a").await.unwrap();
        assert_eq!(appended.snapshot.state.0["a"], 1, "{answer:?}");
        let history = opened(&cluster).history(0, soon()).await.unwrap();
        assert_eq!(history.len(), 2);
        assert_eq!(history[1].id, appended.events[0].id);
    }
}

#[tokio::test]
async fn a_panic_in_a_decision_is_its_callers_alone() {
    let (_cluster, journal) = created().await;
    let panicking = journal.clone();
    let panicking = tokio::spawn(async move {
        let decide = |_: &Numbers, _| -> Result<Vec<Event>, ()> { panic!("a bug") };
        panicking.append(Claims::default(), soon(), decide).await
    });
    let (panicked, counted) = tokio::join!(panicking, counted(&journal, "a"));
    assert!(panicked.unwrap_err().is_panic());
    assert_eq!(counted.unwrap().snapshot.state.0["a"], 1);
}

#[tokio::test]
async fn texts_are_kept_apart_and_can_be_erased() {
    let (cluster, journal) = created().await;
    let told = |text: Option<Value>| {
        let text = BTreeMap::from([("a".to_owned(), text)]);
        move |_: &Numbers, _| Ok::<_, ()>(vec![Event { texts: text.clone(), ..set("a", 1) }])
    };
    journal.append(Claims::default(), soon(), told(Some(json!("personal")))).await.unwrap().unwrap();
    assert_eq!(journal.texts(soon()).await.unwrap(), BTreeMap::from([("a".to_owned(), json!("personal"))]));
    for topic in [&topics().history, &topics().state] {
        let read = cluster.read_log(topic, 0, soon()).await.unwrap();
        let bytes: Vec<u8> = read.records.iter().filter_map(|it| it.value.as_deref()).flatten().copied().collect();
        assert!(!String::from_utf8(bytes).unwrap().contains("personal"), "{topic}");
    }
    journal.append(Claims::default(), soon(), told(None)).await.unwrap().unwrap();
    cluster.compact(&topics().text);
    assert_eq!(journal.texts(soon()).await.unwrap(), BTreeMap::new());
}

#[tokio::test]
async fn a_compacted_state_is_the_same() {
    let (cluster, journal) = created().await;
    for key in ["a", "b", "a", "a", "b"] {
        counted(&journal, key).await.unwrap();
    }
    let before = journal.snapshot(soon()).await.unwrap();
    cluster.compact(&topics().state);
    let after = opened(&cluster).snapshot(soon()).await.unwrap();
    assert_eq!((&before.state, &before.head), (&after.state, &after.head));
    counted(&journal, "a").await.unwrap();
    assert_eq!(numbers(&opened(&cluster)).await, BTreeMap::from([("a".to_owned(), 4), ("b".to_owned(), 2)]));
}

#[tokio::test]
async fn a_deleted_journal_is_never_an_empty_one() {
    let (cluster, journal) = created().await;
    let delete = async |topic| cluster.delete_topic(topic, None, soon()).await.unwrap();
    let all = topics();
    delete(&all.text).await;
    assert_eq!(journal.texts(soon()).await.unwrap_err(), JournalError::Incomplete(all.text.clone()));
    delete(&all.history).await;
    assert_eq!(opened(&cluster).snapshot(soon()).await.unwrap_err(), JournalError::Incomplete(all.history.clone()));
    delete(&all.state).await;
    assert_eq!(opened(&cluster).snapshot(soon()).await.unwrap_err(), JournalError::Absent(all.history.clone()));
    assert_eq!(counted(&journal, "a").await.unwrap_err(), JournalError::Absent(all.history.clone()));
    let brokers = 3;
    for spec in all.specs(brokers) {
        cluster.create_topic(&spec, soon()).await.unwrap();
    }
    assert_eq!(opened(&cluster).snapshot(soon()).await.unwrap_err(), JournalError::NoHead(all.state));
}

#[tokio::test]
async fn a_journal_that_was_made_anew_is_not_the_one_that_was_remembered() {
    let (cluster, journal) = created().await;
    let remembered = counted(&journal, "a").await.unwrap().snapshot.head.remembered();
    assert_eq!(journal.check(&remembered, soon()).await, Ok(()));
    assert_eq!(opened(&cluster).check(&remembered, soon()).await, Ok(()));
    for topic in topics().all() {
        cluster.delete_topic(topic, None, soon()).await.unwrap();
    }
    let anew = opened(&cluster);
    let found = anew.create(Claims::default(), soon()).await.unwrap().head.journal.clone();
    let replaced = JournalError::Replaced { remembered: remembered.journal.clone(), found };
    assert_eq!(anew.check(&remembered, soon()).await, Err(replaced));
}

#[tokio::test]
async fn a_journal_that_was_rolled_back_is_told_by_what_is_remembered() {
    let (cluster, journal) = created().await;
    counted(&journal, "a").await.unwrap();
    let remembered = counted(&journal, "a").await.unwrap().snapshot.head.remembered();
    // Both topics, as a restored snapshot of the disks has them: each loses its last transaction.
    cluster.truncate(&topics().history, remembered.offset);
    let state_end = cluster.read_log(&topics().state, 0, soon()).await.unwrap().end;
    cluster.truncate(&topics().state, state_end - 3);
    let rolled_back = JournalError::RolledBack { remembered: remembered.offset, found: remembered.offset - 2 };
    assert_eq!(opened(&cluster).check(&remembered, soon()).await, Err(rolled_back));
    // And if others wrote since, another event is in its place.
    counted(&opened(&cluster), "b").await.unwrap();
    let changed = JournalError::Changed { offset: remembered.offset, expected: remembered.hash };
    assert_eq!(opened(&cluster).check(&remembered, soon()).await, Err(changed.clone()));
    counted(&opened(&cluster), "b").await.unwrap();
    assert_eq!(opened(&cluster).check(&remembered, soon()).await, Err(changed));
}

#[tokio::test]
async fn a_history_that_ends_before_the_state_is_told() {
    let (cluster, journal) = created().await;
    let head = counted(&journal, "a").await.unwrap().snapshot.head.clone();
    cluster.truncate(&topics().history, head.offset);
    let rolled_back = JournalError::RolledBack { remembered: head.offset, found: head.offset - 1 };
    assert_eq!(opened(&cluster).snapshot(soon()).await.unwrap_err(), rolled_back);
}

#[tokio::test]
async fn a_state_that_ends_before_the_history_is_not_written_to() {
    let (cluster, journal) = created().await;
    counted(&journal, "a").await.unwrap();
    let head = counted(&journal, "a").await.unwrap().snapshot.head.clone();
    let state_end = cluster.read_log(&topics().state, 0, soon()).await.unwrap().end;
    cluster.truncate(&topics().state, state_end - 3);
    let behind = JournalError::StateBehind { state: head.offset - 2, history: head.offset };
    assert_eq!(counted(&opened(&cluster), "a").await.unwrap_err(), behind);
}

#[tokio::test]
async fn a_journal_without_its_beginning_is_told() {
    let (cluster, journal) = created().await;
    counted(&journal, "a").await.unwrap();
    let truncated = |topic| Some(JournalError::Truncated { topic, start: 1 });
    cluster.delete_records(&topics().history, 1);
    assert_eq!(opened(&cluster).snapshot(soon()).await.err(), truncated(topics().history));
    cluster.delete_records(&topics().state, 1);
    assert_eq!(opened(&cluster).snapshot(soon()).await.err(), truncated(topics().state));
}

#[tokio::test]
async fn a_journal_of_another_cluster_is_read_and_not_written() {
    let (cluster, journal) = created().await;
    counted(&journal, "a").await.unwrap();
    let head = journal.snapshot(soon()).await.unwrap().head.clone();
    let head = super::Head { cluster: "elsewhere".to_owned(), ..head };
    let copied = NewRecord { key: Some("head".into()), value: Some(head.write()), timestamp: None };
    cluster.write_record(&topics().state, copied);
    let journal = opened(&cluster);
    let snapshot = journal.snapshot(soon()).await.unwrap();
    assert_eq!(snapshot.state.0["a"], 1);
    let foreign = JournalError::Foreign { belongs: "elsewhere".to_owned(), cluster: "memory-3".to_owned() };
    assert_eq!(journal.owner(&snapshot, soon()).await, Err(foreign.clone()));
    assert_eq!(counted(&journal, "a").await.unwrap_err(), foreign);
}

#[tokio::test]
async fn what_a_newer_release_wrote_is_read_and_told_and_not_decided_about() {
    let (cluster, journal) = created().await;
    counted(&journal, "a").await.unwrap();
    let head = journal.snapshot(soon()).await.unwrap().head.clone();
    let hash = head.hash.to_string();
    let newer = json!({ "form": 2, "offset": head.offset, "hash": hash, "value": 7, "more": {} });
    cluster.write_record(&topics().state, record("b", &newer.to_string()));
    let journal = opened(&cluster);
    let snapshot = journal.snapshot(soon()).await.unwrap();
    assert_eq!(snapshot.state.0["b"], 7);
    assert_eq!(snapshot.warnings, [Warning::NewerForm { key: "b".to_owned(), form: 2 }]);
    counted(&journal, "b").await.unwrap();

    let head = super::Head { min_writer: WRITER + 1, ..journal.snapshot(soon()).await.unwrap().head.clone() };
    let newer = NewRecord { key: Some("head".into()), value: Some(head.write()), timestamp: None };
    cluster.write_record(&topics().state, newer);
    assert_eq!(numbers(&journal).await["b"], 8);
    assert_eq!(counted(&journal, "b").await.unwrap_err(), JournalError::NewerWriter(WRITER + 1));
}

#[tokio::test]
async fn garbage_stands_in_nobodys_way_but_of_those_who_change_it() {
    let (cluster, journal) = created().await;
    counted(&journal, "a").await.unwrap();
    cluster.write_record(&topics().state, NewRecord { value: Some("?".into()), ..NewRecord::default() });
    cluster.write_record(&topics().state, record("a", "{"));
    cluster.write_record(&topics().history, record("x", "[]"));
    let journal = opened(&cluster);
    let snapshot = journal.snapshot(soon()).await.unwrap();
    assert!(matches!(snapshot.warnings[..], [Warning::Garbage { .. }]), "{snapshot:?}");
    assert_eq!(snapshot.state.0["a"], 1);
    counted(&journal, "b").await.unwrap();
    let error = counted(&journal, "a").await.unwrap_err();
    assert!(matches!(&error, JournalError::Quarantined { key, .. } if key == "a"), "{error}");
    // Of two commands at once, the other one is written.
    let (a, b) = tokio::join!(counted(&journal, "a"), counted(&journal, "b"));
    assert!(a.is_err());
    assert_eq!(b.unwrap().snapshot.state.0["b"], 2);
}

#[tokio::test]
async fn too_much_for_one_record_is_told_and_too_much_for_one_transaction_is_written_in_two() {
    let (_cluster, journal) = created().await;
    let large = |key: &str, size: usize| {
        let event = Event { facts: [("x".to_owned(), json!("x".repeat(size)))].into_iter().collect(), ..set(key, 1) };
        move |_: &Numbers, _| Ok::<_, ()>(vec![event.clone()])
    };
    let error = journal.append(Claims::default(), soon(), large("a", 1_000_000)).await.unwrap_err();
    assert!(matches!(error, JournalError::TooLarge(1_000_000..)), "{error}");
    let write = |key| journal.append(Claims::default(), soon(), large(key, 500_000));
    let (a, b, c) = tokio::join!(write("a"), write("b"), write("c"));
    let last = [a, b, c].map(|it| it.unwrap().unwrap().events[0].offset);
    assert_eq!(last.iter().max(), Some(&6), "{last:?}");
    assert_eq!(numbers(&journal).await.len(), 3);
}

#[tokio::test]
async fn a_missing_right_is_an_error_and_never_absence() {
    let (cluster, _journal) = created().await;
    cluster.deny("READ", &topics().history);
    let journal = opened(&cluster);
    assert_eq!(numbers(&journal).await.len(), 0);
    assert!(matches!(counted(&journal, "a").await, Err(JournalError::Kafka(KafkaError::Denied { .. }))));
    cluster.deny("READ", &topics().state);
    let error = opened(&cluster).snapshot(soon()).await.unwrap_err();
    assert!(matches!(error, JournalError::Kafka(KafkaError::Denied { .. })), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_foreign_transaction_is_waited_for_and_told_with_the_command_that_ends_it() {
    let (cluster, journal) = created().await;
    let open = cluster.read_log(&topics().history, 0, soon()).await.unwrap().end;
    cluster.open_transaction(&topics().history);
    let late = Instant::now() + Duration::from_hours(1);
    let journal_of_all = journal.clone();
    let waiting = tokio::spawn(async move { journal_of_all.append(Claims::default(), late, count("a", 9)).await });
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(!waiting.is_finished());
    assert_eq!(numbers(&opened(&cluster)).await.len(), 0);
    let stuck = waiting.await.unwrap().unwrap_err();
    assert_eq!(stuck, JournalError::Stuck { topic: topics().history, offset: open });
    let command = format!("abort --topic _selfserve --partition 0 --start-offset {open}");
    assert!(stuck.remedy().unwrap().contains(&command));
    cluster.close_transaction(&topics().history);
    assert!(counted(&journal, "a").await.is_ok());
}

#[tokio::test]
async fn decisions_never_run_behind_what_was_decided() {
    let (_cluster, journal) = created().await;
    let snapshot = journal.snapshot(soon()).await.unwrap();
    assert!(Timestamp(0) < snapshot.newest);
    let mut ahead = (*snapshot).clone();
    ahead.newest = Timestamp(i64::MAX);
    assert_eq!(ahead.now(), Timestamp(i64::MAX));
}

#[tokio::test]
async fn what_is_remembered_is_looked_up_once() {
    let (cluster, journal) = created().await;
    let first = counted(&journal, "a").await.unwrap().snapshot.head.remembered();
    counted(&journal, "a").await.unwrap();
    cluster.compact(&topics().state);
    let journal = opened(&cluster);
    journal.check(&first, soon()).await.unwrap();
    let before = cluster.calls().len();
    for _ in 0..10 {
        journal.check(&first, soon()).await.unwrap();
    }
    assert_eq!(cluster.calls().len(), before);
    let wrong = Remembered { hash: super::EventHash::of(b""), ..first };
    assert!(matches!(journal.check(&wrong, soon()).await, Err(JournalError::Changed { .. })));
}

async fn exported(journal: &Numbered) -> Vec<String> {
    let mut lines = Vec::new();
    journal.export(soon(), |it| lines.push(it.to_string())).await.unwrap();
    lines
}

#[tokio::test]
async fn an_export_is_imported_as_the_same_journal_with_each_event_in_its_place() {
    let (cluster, journal) = created().await;
    let text = BTreeMap::from([("a".to_owned(), Some(json!("personal")))]);
    let told = move |_: &Numbers, _| Ok::<_, ()>(vec![Event { texts: text.clone(), ..set("a", 1) }, set("b", 1)]);
    journal.append(Claims::default(), soon(), told).await.unwrap().unwrap();
    cluster.open_transaction(&topics().history);
    cluster.close_transaction(&topics().history);
    let remembered = counted(&journal, "a").await.unwrap().snapshot.head.remembered();
    // Enough for several transactions.
    for number in 0..40 {
        let large =
            Event { facts: [("x".to_owned(), json!("x".repeat(9_000)))].into_iter().collect(), ..set("c", number) };
        journal.append(Claims::default(), soon(), move |_, _| Ok::<_, ()>(vec![large.clone()])).await.unwrap().unwrap();
    }
    let lines = exported(&journal).await;

    let elsewhere = Arc::new(MemoryCluster::new(1));
    let imported = opened(&elsewhere);
    let head = imported.import(lines.clone().into_iter(), soon()).await.unwrap();
    let (before, after) = (journal.snapshot(soon()).await.unwrap(), imported.snapshot(soon()).await.unwrap());
    assert_eq!((&after.head, &after.state), (&before.head, &before.state));
    assert_eq!(head, after.head);
    imported.check(&remembered, soon()).await.unwrap();
    assert_eq!(imported.texts(soon()).await.unwrap(), journal.texts(soon()).await.unwrap());
    assert_eq!(imported.history(0, soon()).await.unwrap(), journal.history(0, soon()).await.unwrap());
    assert_eq!(imported.deviations(soon()).await.unwrap(), []);
    assert_eq!(exported(&imported).await, lines);
    let again = imported.import(lines.into_iter(), soon()).await;
    assert!(matches!(again, Err(super::ImportError::NotEmpty(_))), "{again:?}");

    // It belongs to the other cluster until it is bound to this one.
    assert!(matches!(counted(&imported, "a").await, Err(JournalError::Foreign { .. })));
    let wrong = imported.verify(soon()).await.unwrap().wrong;
    assert_eq!(wrong, ["The journal belongs to the cluster memory-3, and this one is memory-1."]);
    imported.rebind(Claims::default(), "moved", soon()).await.unwrap();
    counted(&imported, "a").await.unwrap();
    assert_eq!(opened(&elsewhere).verify(soon()).await.unwrap().wrong, Vec::<String>::new());
    let twice = imported.rebind(Claims::default(), "moved", soon()).await;
    assert_eq!(twice, Ok(None));
    let last = exported(&imported).await;
    assert_eq!(last.iter().filter(|it| it.contains("journal.rebound")).count(), 1);
}

#[tokio::test]
async fn a_file_that_is_not_whole_is_not_imported() {
    let (_cluster, journal) = created().await;
    counted(&journal, "a").await.unwrap();
    counted(&journal, "a").await.unwrap();
    let lines = exported(&journal).await;
    let elsewhere = Arc::new(MemoryCluster::new(1));
    let check = async |lines: Vec<String>| {
        let error = opened(&elsewhere).import(lines.into_iter(), soon()).await.unwrap_err();
        assert_eq!(elsewhere.calls(), Vec::<&str>::new());
        error.to_string()
    };
    let without = |at: usize| lines.iter().enumerate().filter(|(it, _)| *it != at).map(|(_, it)| it.clone()).collect();
    assert_eq!(check(Vec::new()).await, "the file is cut off: its last line is missing");
    assert_eq!(check(without(lines.len() - 1)).await, "the file is cut off: its last line is missing");
    assert_eq!(check(without(1)).await, "line 2 is not of an export: it does not name the hash of the event before");
    assert_eq!(check(without(3)).await, "line 4 is not of an export: the events before are not all that were exported");
    let twice = [&lines[..], &lines[1..2]].concat();
    assert_eq!(check(twice).await, "line 6 is not of an export: it comes after the end");
    let changed = lines.iter().map(|it| it.replace("number.set", "number.put")).collect();
    assert_eq!(check(changed).await, "line 4 is not of an export: it does not name the hash of the event before");
    let newer = lines.iter().map(|it| it.replace("\"export\":1", "\"export\":2")).collect();
    assert_eq!(check(newer).await, "line 1 is not of an export: it is of a newer release");
}

#[tokio::test]
async fn verification_finds_what_is_wrong() {
    let (cluster, journal) = created().await;
    counted(&journal, "a").await.unwrap();
    counted(&journal, "b").await.unwrap();
    let verified = journal.verify(soon()).await.unwrap();
    assert_eq!((verified.events, verified.entities, verified.wrong.len()), (3, 2, 0));
    let changes = BTreeMap::from([("retention.ms".to_owned(), Some("1000".to_owned()))]);
    cluster.alter_topic_config(&topics().history, &changes, soon()).await.unwrap();
    let hash = super::EventHash::of(b"").to_string();
    let forged = json!({ "form": 1, "offset": 2, "hash": hash, "value": 9 }).to_string();
    cluster.write_record(&topics().state, record("a", &forged));
    cluster.write_record(&topics().state, record("c", &forged));
    cluster.write_record(&topics().state, record("b", "{"));
    cluster.write_record(&topics().history, record("x", "{}"));
    counted(&opened(&cluster), "d").await.unwrap();
    assert_eq!(
        opened(&cluster).verify(soon()).await.unwrap().wrong,
        [
            "`retention.ms` of topic `_selfserve` is `1000`, and has to be `-1`.",
            "The record at offset 6 of the history is no event of it: it has no `kind`.",
            "The state of `a` is not what the event at offset 2 made of it.",
            "The state of `b` cannot be read: it is no JSON: EOF while parsing an object at line 1 column 1.",
            "The state has `c`, of which the history knows nothing.",
        ]
    );
}

//! What a journal has, as Kafka's own consumer and `sha256sum` see it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
    time::Duration,
};

use acceptance_tests::{LogLine, Stack, run};
use serde_json::Value;

/// An event of the history, and the digits of its record's hash.
pub(super) struct Event {
    pub(super) offset: i64,
    pub(super) hash: String,
    pub(super) value: Value,
}

/// The events of a journal, whose chain holds.
#[track_caller]
pub(super) fn history(stack: &Stack, journal: &str) -> Vec<Event> {
    let mut lines = stack.read(journal);
    // An import fills the places where nothing was.
    lines.retain(|it| it.value != "null");
    let hashes = sha256(&lines);
    let events = lines.iter().zip(hashes).map(|(line, hash)| Event {
        offset: line.offset,
        hash,
        value: serde_json::from_str(&line.value).expect("JSON"),
    });
    let events: Vec<Event> = events.collect();
    let mut previous = Value::Null;
    for event in &events {
        assert_eq!(event.value["previous"], previous, "the chain is broken at offset {}", event.offset);
        previous = Value::from(event.hash.clone());
    }
    events
}

/// The newest value of each key in the state of a journal; what is no JSON is left out.
#[track_caller]
pub(super) fn state(stack: &Stack, journal: &str) -> BTreeMap<String, Value> {
    let lines = stack.read(&format!("{journal}.state"));
    let values = lines.into_iter().filter_map(|it| Some((it.key, serde_json::from_str(&it.value).ok()?)));
    values.collect()
}

/// Nothing is lost, nothing is there twice: the history has just the events that were said to be written, the number
/// was counted once for each of them, and the state says what the last one says.
#[track_caller]
pub(super) fn has_just(stack: &Stack, journal: &str, written: &[(String, i64)]) {
    let history = history(stack, journal);
    let state = state(stack, journal);
    let last = history.last().expect("there is a genesis");
    assert_eq!(state["head"]["offset"], last.offset);
    assert_eq!(state["head"]["hash"], last.hash.as_str());
    let counted = history[1..].iter().map(|it| &it.value["entities"]["number/n"]["number"]);
    let numbers: Vec<i64> = counted.map(|it| it.as_i64().expect("a number")).collect();
    let expected: Vec<i64> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, expected);
    assert_eq!(state["number/n"]["value"]["number"].as_i64(), numbers.last().copied());
    let id = |it: &Event| (it.value["id"].as_str().expect("an id").to_owned(), it.offset);
    let there: BTreeSet<_> = history[1..].iter().map(id).collect();
    assert_eq!(there, written.iter().cloned().collect());
    assert_eq!(there.len(), written.len());
}

/// The hashes of the records, as another program computes them.
#[track_caller]
fn sha256(lines: &[LogLine]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("there is room");
    for (number, line) in lines.iter().enumerate() {
        fs::write(folder.path().join(format!("{number:09}")), &line.value).expect("there is room");
    }
    let mut command = Command::new("sh");
    command.args(["-c", "ls | xargs sha256sum"]).current_dir(folder.path());
    let sums = run(&mut command, Duration::from_mins(1)).expect("it ends").success();
    sums.stdout.lines().map(|it| it.split(' ').next().expect("a sum").to_owned()).collect()
}

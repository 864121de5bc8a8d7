//! Journals that are not what they were, and records of other releases: made with Kafka's own tools.

use std::{fs, time::Instant};

use acceptance_tests::{Outcome, Stack, binary, run};

use super::{PATIENCE, Subject, proxy, witness, written};
use crate::until;

impl Subject {
    /// The newest event's place, as a Terraform state keeps it.
    fn remembered(&self) -> [String; 3] {
        let head = &witness::state(Stack::shared(), &self.name)["head"];
        let text = |key: &str| head[key].as_str().expect("a text").to_owned();
        [text("journal"), head["offset"].to_string(), text("hash")]
    }

    #[track_caller]
    fn check(&self, [journal, offset, hash]: &[String; 3]) -> Outcome {
        self.run(&["check", journal, offset, hash])
    }

    #[track_caller]
    fn count(&self) {
        self.run(&["count", "number/n", "1", "1"]).success();
    }

    /// What a person does with the provider's program.
    #[track_caller]
    fn by_hand(&self, task: &str, rest: &[&str]) -> Outcome {
        let mut command = std::process::Command::new(binary());
        command.args(["journal", task, &format!("--name={}", self.name)]).args(rest);
        command.env("KAFKA_BOOTSTRAP_SERVERS", &self.bootstrap);
        run(&mut command, PATIENCE).expect("it ends")
    }

    #[track_caller]
    fn delete_topics(&self) {
        for topic in ["", ".state", ".text"] {
            Stack::shared().delete_topic(&format!("{}{topic}", self.name));
        }
    }
}

#[test]
fn a_journal_that_was_rolled_back_deleted_or_made_anew_is_told() {
    let journal = Subject::create("journal.lost");
    journal.count();
    let backup = journal.by_hand("export", &[]).success().stdout;
    journal.count();
    let remembered = journal.remembered();
    journal.check(&remembered).success();
    journal.by_hand("verify", &[]).success().says(&["3 events", "All is well"]);

    journal.delete_topics();
    journal.check(&remembered).failure(&["Absent"]);
    let file = tempfile::NamedTempFile::new().expect("there is room");
    fs::write(file.path(), backup).expect("there is room");
    let path = file.path().to_str().expect("a name");
    journal.by_hand("import", &[path]).success();
    journal.by_hand("verify", &[]).success().says(&["2 events", "All is well"]);
    journal.check(&remembered).failure(&["RolledBack"]);
    journal.by_hand("import", &[path]).failure(&["is not empty"]);
    // It goes on from where the backup ends.
    journal.count();
    assert_eq!(witness::history(Stack::shared(), &journal.name).len(), 3);
    journal.check(&remembered).failure(&["Changed"]);

    journal.delete_topics();
    Subject::create("journal.lost");
    journal.check(&remembered).failure(&["Replaced"]);
}

#[test]
fn a_journal_that_was_truncated_is_told() {
    let journal = Subject::create("journal.truncated");
    journal.count();
    let remembered = journal.remembered();
    Stack::shared().delete_records(&journal.name, 1);
    journal.check(&remembered).failure(&["Truncated"]);
    journal.run(&["count", "number/n", "1", "1"]).failure(&["Truncated"]);
    journal.by_hand("verify", &[]).failure(&["was truncated", "journal import"]);
}

#[test]
fn a_journal_without_its_history_is_told_and_not_written_to() {
    let journal = Subject::create("journal.half");
    journal.count();
    Stack::shared().delete_topic(&journal.name);
    journal.run(&["count", "number/n", "1", "1"]).failure(&["Incomplete"]);
    journal.run(&["create"]).failure(&["Incomplete"]);
}

#[test]
fn records_of_other_releases_are_read_and_decided_about_where_they_permit_it() {
    let stack = Stack::shared();
    let journal = Subject::create("journal.forms");
    journal.count();
    let head = witness::state(Stack::shared(), &journal.name)["head"].clone();
    let (offset, hash) = (head["offset"].clone(), head["hash"].clone());
    let state = format!("{}.state", journal.name);
    // An older one without a form, and a newer one with more than is known.
    for (record, number) in [
        (format!(r#"{{"offset":{offset},"hash":{hash},"value":{{"number":7}}}}"#), 8),
        (format!(r#"{{"form":9,"offset":{offset},"hash":{hash},"more":[],"value":{{"number":20,"unit":"x"}}}}"#), 21),
    ] {
        stack.produce(&state, "number/n", &record);
        journal.count();
        assert_eq!(witness::state(Stack::shared(), &journal.name)["number/n"]["value"]["number"], number);
    }
    stack.produce(&state, "number/other", "garbage");
    journal.count();
    journal.run(&["count", "number/other", "1", "1"]).failure(&["Quarantined"]);
    journal.by_hand("verify", &[]).failure(&["`number/other`, of which the history knows nothing"]);

    let mut head = witness::state(Stack::shared(), &journal.name)["head"].clone();
    head["min_writer"] = 9.into();
    stack.produce(&state, "head", &head.to_string());
    journal.run(&["count", "number/n", "1", "1"]).failure(&["NewerWriter(9)"]);
    let remembered = journal.remembered();
    journal.check(&remembered).success();
}

#[test]
fn a_broker_that_goes_and_comes_back_loses_no_command() {
    let journal = Subject::create("journal.back");
    let (runtime, proxy) = proxy();
    let running = journal.through(&proxy).start(&["count", "number/n", "200", "3", "100"]);
    until("some are written", PATIENCE, || 60 < proxy.total());
    runtime.block_on(proxy.refuse_connections(true));
    proxy.cut_connections();
    assert!(acceptance_tests::is_alive(running.id()), "it waits for the broker");
    runtime.block_on(proxy.refuse_connections(false));
    let outcome = running.wait(Instant::now() + PATIENCE).expect("it ends").success();
    let written = written(&outcome);
    assert_eq!(written.len(), 200);
    witness::has_just(Stack::shared(), &journal.name, &written);
}

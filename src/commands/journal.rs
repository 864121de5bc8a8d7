//! `journal export | verify | import | rebind`.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Write},
    process::ExitCode,
    time::Instant,
};

use serde_json::Value;
use tokio::runtime::Builder;

use super::{
    arguments::{JournalCommand, JournalTask},
    failed::{Failed, sentence},
    tell,
};
use crate::{
    clients::journal::{Claims, Journal, JournalTopics},
    governance::record::{Fold, Unreadable},
    provider,
};

/// A verification found something wrong.
const WRONG: u8 = 3;

/// The entities as they are written, whatever they mean.
#[derive(Clone, Debug, Default)]
struct Entities(BTreeMap<String, Value>);

impl Fold for Entities {
    fn put(&mut self, key: &str, value: &Value) -> Result<(), Unreadable> {
        self.0.insert(key.to_owned(), value.clone());
        Ok(())
    }
}

/// Does it, and gives the exit code.
pub(super) fn run(command: &JournalCommand) -> ExitCode {
    let done = Builder::new_current_thread().enable_all().build().map_err(Failed::from);
    match done.and_then(|it| it.block_on(perform(command))) {
        Ok(code) => code,
        Err(Failed(text)) => tell(&mut io::stderr(), &text, ExitCode::FAILURE),
    }
}

async fn perform(command: &JournalCommand) -> Result<ExitCode, Failed> {
    let JournalCommand { task, name, timeout } = command;
    let topics = JournalTopics::named(name).map_err(|error| Failed(format!("`{name}` is no name: {error}.")))?;
    let (kafka, acting) = provider::from_variables()?;
    let journal: Journal<Entities> = Journal::open_topics(kafka, topics);
    let deadline = Instant::now() + *timeout;
    match task {
        JournalTask::Export => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            let mut written = Ok(());
            let tell = |line: &Value| {
                if written.is_ok() {
                    written = writeln!(out, "{line}");
                }
            };
            journal.export(deadline, tell).await?;
            written.and_then(|()| out.flush())?;
            Ok(ExitCode::SUCCESS)
        }
        JournalTask::Verify => {
            let verified = journal.verify(deadline).await?;
            let counts = format!("{} events and {} entities were read.", verified.events, verified.entities);
            if verified.wrong.is_empty() {
                return Ok(tell(&mut io::stdout(), &format!("{counts} All is well."), ExitCode::SUCCESS));
            }
            let text = format!("{}\n{counts}", verified.wrong.join("\n"));
            Ok(tell(&mut io::stdout(), &text, ExitCode::from(WRONG)))
        }
        JournalTask::Import(file) => {
            let lines = match file {
                Some(file) => read_lines(BufReader::new(opened(file)?)),
                None => read_lines(io::stdin().lock()),
            };
            let head = journal.import(lines?.into_iter(), deadline).await?;
            let text = format!("The journal {} was imported, up to offset {}.", head.journal, head.offset);
            Ok(tell(&mut io::stdout(), &text, ExitCode::SUCCESS))
        }
        JournalTask::Rebind { reason } => {
            let claims = Claims { principal: None, actor: acting.actor, change_url: acting.change_url };
            let text = match journal.rebind(claims, reason, deadline).await? {
                Some(head) => format!("The journal {} belongs to the cluster {} now.", head.journal, head.cluster),
                None => "The journal belongs to this cluster already.".to_owned(),
            };
            Ok(tell(&mut io::stdout(), &text, ExitCode::SUCCESS))
        }
    }
}

fn opened(file: &str) -> Result<File, Failed> {
    File::open(file).map_err(|error| Failed(format!("`{file}` cannot be read: {}.", sentence(&error))))
}

fn read_lines(reader: impl BufRead) -> io::Result<Vec<String>> {
    reader.lines().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_missing_is_named() {
        let Err(Failed(told)) = opened("/nowhere/backup.jsonl") else { unreachable!("there is no such file") };
        assert!(told.starts_with("`/nowhere/backup.jsonl` cannot be read: "), "{told}");
    }
}

//! `journal export | verify | import | rebind`.

use std::{
    collections::BTreeMap,
    error::Error,
    fs::File,
    io::{self, BufRead, BufReader, Write},
    iter,
    process::ExitCode,
    time::Instant,
};

use serde_json::Value;
use tokio::runtime::Builder;

use super::{
    arguments::{JournalCommand, JournalTask},
    tell,
};
use crate::{
    clients::journal::{Claims, ImportError, Journal, JournalError, JournalTopics},
    framework::Diagnostics,
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

/// Why a command failed, in sentences.
struct Failed(String);

impl From<JournalError> for Failed {
    fn from(error: JournalError) -> Self {
        Self(format!("{}.\n\n{}", sentence(&error), error.remedy().unwrap_or_default()))
    }
}

impl From<ImportError> for Failed {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Journal(error) => error.into(),
            error => Self(format!("{}.", sentence(&error))),
        }
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self(format!("{}.", sentence(&error)))
    }
}

impl From<Diagnostics> for Failed {
    fn from(diagnostics: Diagnostics) -> Self {
        let told = diagnostics.0.iter().map(|it| format!("{}: {}", it.summary, it.detail));
        Self(told.collect::<Vec<_>>().join("\n"))
    }
}

/// An error and its causes.
fn sentence(error: &dyn Error) -> String {
    let causes = iter::successors(Some(error), |&it| it.source());
    let text = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    let mut letters = text.chars();
    letters.next().map(|it| it.to_uppercase().chain(letters).collect()).unwrap_or_default()
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
                Some(file) => read_lines(BufReader::new(File::open(file)?)),
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

fn read_lines(reader: impl BufRead) -> io::Result<Vec<String>> {
    reader.lines().collect()
}

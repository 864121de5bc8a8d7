//! Runs commands against a journal, as a provider's process does, and tells how each ended: what the stress tests start
//! many of, and kill.
//!
//! ```text
//! journal-commands BOOTSTRAP JOURNAL create
//! journal-commands BOOTSTRAP JOURNAL count KEY TIMES AT_ONCE [SECONDS]
//! journal-commands BOOTSTRAP JOURNAL check UUID OFFSET HASH
//! ```
//!
//! `create` and `check` print the head, as `UUID OFFSET HASH`. `count` adds one to a number so many times, so many of
//! them at once, and prints `written ID OFFSET NUMBER` for each; once interrupted, it ends what it began. What fails is
//! printed as `failed ERROR`, and makes the exit code 1.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    io::{self, Write},
    pin::pin,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use terraform_provider_kafka::{
    clients::{
        journal::{Claims, Head, Journal, JournalError, JournalTopics, Remembered},
        kafka::{HostPort, KafkaSettings, connect},
    },
    governance::record::{Event, Fold, Timestamp, Unreadable},
};
use tokio::{signal, task::JoinSet};

/// Numbers by key.
#[derive(Clone, Debug, Default)]
struct Numbers(BTreeMap<String, i64>);

impl Fold for Numbers {
    fn put(&mut self, key: &str, value: &Value) -> Result<(), Unreadable> {
        let number = value.get("number").and_then(Value::as_i64);
        let problem = || Unreadable { key: key.to_owned(), problem: "it has no number".to_owned() };
        self.0.insert(key.to_owned(), number.ok_or_else(problem)?);
        Ok(())
    }
}

/// One command to be run many times.
#[derive(Clone)]
struct Count {
    journal: Journal<Numbers>,
    key: String,
    deadline: Instant,
}

impl Count {
    /// Adds one, and says where that was written and what it made of the number.
    async fn run(self) -> Result<String, JournalError> {
        let key = self.key.clone();
        let decide = move |state: &Numbers, _: Timestamp| {
            let number = state.0.get(&key).copied().unwrap_or(0) + 1;
            let entities = BTreeMap::from([(key.clone(), json!({ "number": number }))]);
            Ok::<_, Unreadable>(vec![Event { kind: "number.counted".to_owned(), entities, ..Event::default() }])
        };
        match self.journal.append(Claims::default(), self.deadline, decide).await? {
            Ok(appended) => {
                let written = appended.events.iter().map(|it| format!("written {} {}", it.id, it.offset));
                Ok(written.collect::<Vec<_>>().join("\n"))
            }
            Err(refusal) => Ok(format!("refused {refusal}")),
        }
    }
}

fn settings(bootstrap: &str) -> Result<KafkaSettings, Box<dyn Error>> {
    let (host, port) = bootstrap.rsplit_once(':').ok_or("the broker is host:port")?;
    Ok(KafkaSettings {
        bootstrap_servers: vec![HostPort { host: host.to_owned(), port: port.parse()? }],
        tls: None,
        sasl: None,
        request_timeout: Duration::from_secs(10),
        principal: None,
    })
}

fn shown(head: &Head) -> String {
    format!("{} {} {}", head.journal, head.offset, head.hash)
}

/// Prints a line at once, since the process may be killed at any moment.
fn tell(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

async fn run(arguments: &[&str]) -> Result<bool, Box<dyn Error>> {
    let [bootstrap, name, task @ ..] = arguments else { return Err("BOOTSTRAP JOURNAL TASK".into()) };
    let kafka: Arc<_> = connect(settings(bootstrap)?);
    let journal: Journal<Numbers> = Journal::open_topics(kafka, JournalTopics::named(name)?);
    let within = |seconds| Instant::now() + Duration::from_secs(seconds);
    match task {
        ["create"] => tell(&shown(&journal.create(Claims::default(), within(60)).await?.head))?,
        ["check", uuid, offset, hash] => {
            let remembered = Remembered { journal: (*uuid).to_owned(), offset: offset.parse()?, hash: hash.parse()? };
            journal.check(&remembered, within(60)).await?;
            tell(&shown(&journal.snapshot(within(60)).await?.head))?;
        }
        ["count", key, times, at_once, rest @ ..] => {
            let deadline = within(rest.first().map_or(Ok(60), |it| it.parse())?);
            let count = Count { journal, key: (*key).to_owned(), deadline };
            return all(&count, times.parse()?, times.parse::<usize>()?.min(at_once.parse()?)).await;
        }
        _ => return Err("no such task".into()),
    }
    Ok(true)
}

/// Runs the command so many times, or until interrupted, and says whether all that were begun were written.
async fn all(count: &Count, times: usize, at_once: usize) -> Result<bool, Box<dyn Error>> {
    let mut running = JoinSet::new();
    let mut left = times;
    let mut is_good = true;
    for _ in 0..at_once {
        running.spawn(count.clone().run());
        left -= 1;
    }
    let mut interrupted = pin!(signal::ctrl_c());
    loop {
        let ended = tokio::select! {
            ended = running.join_next() => ended,
            _ = &mut interrupted, if 0 < left => {
                left = 0;
                continue;
            }
        };
        let Some(ended) = ended else { return Ok(is_good) };
        match ended? {
            Ok(line) => tell(&line)?,
            Err(error) => {
                is_good = false;
                tell(&format!("failed {error:?}"))?;
            }
        }
        if 0 < left {
            running.spawn(count.clone().run());
            left -= 1;
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody reads what cannot be written.
            let _ = tell(&format!("failed {error:?}"));
            ExitCode::FAILURE
        }
    }
}

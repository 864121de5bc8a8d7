//! The journal of a large organisation: how long it takes to open it and decide, and to decide once more.

use std::{collections::BTreeMap, env, fs, io, net::SocketAddr, process::Command, time::Instant};

use serde_json::{Value, json};
use terraform_provider_kafka::{
    clients::journal::{Claims, Journal},
    governance::{
        record::{Event, Timestamp},
        state::State,
    },
};
use tokio::runtime::Builder;

use crate::{
    kafka::{self, soon},
    table::median,
};

/// The argument by which this program opens the journal of a broker, in a process of its own.
pub(crate) const OPEN: &str = "open-journal";

const APPLICATIONS: usize = 10_000;
const TOPICS_OF_EACH: usize = 10;
/// Applications of which one event tells, with their topics.
const AT_ONCE: usize = 100;
/// Decisions on a journal that is open.
const DECISIONS: usize = 21;

/// What a process that opens the journal measures of itself.
pub(crate) struct Opened {
    /// From the first request to the end of the first decision.
    pub(crate) seconds: f64,
    /// The median of the decisions after it.
    pub(crate) next_milliseconds: f64,
    /// The largest memory that it ever had.
    pub(crate) peak_mib: f64,
}

fn journal(broker: SocketAddr) -> io::Result<Journal<State>> {
    kafka::client(broker).map(Journal::open)
}

fn run<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    // As the plugin does.
    Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Fills a journal with all applications and their topics.
pub(crate) fn fill(broker: SocketAddr) -> io::Result<()> {
    run(async {
        let journal = journal(broker)?;
        journal.create(Claims::default(), soon()).await.map_err(io::Error::other)?;
        for first in (0..APPLICATIONS).step_by(AT_ONCE) {
            let entities: BTreeMap<String, Value> = (first..first + AT_ONCE).flat_map(entities).collect();
            append(&journal, entities).await?;
        }
        Ok(())
    })
}

/// Opens it in a process of its own.
pub(crate) fn open(broker: SocketAddr) -> io::Result<Opened> {
    let output = Command::new(env::current_exe()?).args([OPEN, &broker.to_string()]).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|it| it.parse().ok()).collect();
    match numbers[..] {
        [seconds, next_milliseconds, peak_mib] => Ok(Opened { seconds, next_milliseconds, peak_mib }),
        _ => Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}

/// What that process does. Returns the line that it prints.
pub(crate) fn measured(broker: &str) -> io::Result<String> {
    let broker = broker.parse().map_err(io::Error::other)?;
    run(async {
        let began = Instant::now();
        let journal = journal(broker)?;
        append(&journal, entities(0).collect()).await?;
        let first = began.elapsed();
        let snapshot = journal.snapshot(soon()).await.map_err(io::Error::other)?;
        if let Some((key, wrong)) = snapshot.quarantined.first_key_value() {
            return Err(io::Error::other(format!("`{key}` is not as governance writes it: {}", wrong.problem)));
        }
        drop(snapshot);
        let mut next = Vec::new();
        for _ in 0..DECISIONS {
            let began = Instant::now();
            append(&journal, entities(0).collect()).await?;
            next.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        Ok(format!("{} {} {}", first.as_secs_f64(), median(next.into_iter()), peak_mib()?))
    })
}

async fn append(journal: &Journal<State>, entities: BTreeMap<String, Value>) -> io::Result<()> {
    let decide = move |_: &State, _: Timestamp| {
        let kind = "application.created".to_owned();
        Ok::<_, io::Error>(vec![Event { kind, entities: entities.clone(), ..Event::default() }])
    };
    journal.append(Claims::default(), soon(), decide).await.map_err(io::Error::other)?.map(drop)
}

/// An application and its topics, as governance writes them.
fn entities(number: usize) -> impl Iterator<Item = (String, Value)> {
    let name = format!("app-{number:05}");
    let principal = format!("User:{name}");
    let spec = json!({
        "name": name, "code": "A0205", "team": "payments", "labels": { "hosting": "azure" }, "principals": [principal],
        "deployers": [format!("User:{name}-ci")], "prefixes": { "topic": [format!("a0205-{name}-")] }, "streams": [],
    });
    let application = json!({
        "form": 1, "incarnation": 1, "spec": spec, "status": "ready", "created_at": 1_763_700_000_000_i64,
    });
    let topics = (0..TOPICS_OF_EACH).map(move |it| {
        let topic = json!({
            "form": 1, "application": format!("app-{number:05}"), "incarnation": 1, "partitions": 6,
            "replication_factor": 3, "status": "created", "topic_id": "AAAAAAAAAAAAAAAAAAAAAA",
            "created_at": 1_763_700_000_000_i64,
        });
        (format!("topic/a0205-app-{number:05}-orders-{it}.v1"), topic)
    });
    [(format!("application/{name}"), application)].into_iter().chain(topics)
}

/// The largest memory that this process ever had.
fn peak_mib() -> io::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).ok_or(io::ErrorKind::Unsupported)?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().map_err(io::Error::other)?;
    Ok(kib / 1024.0)
}

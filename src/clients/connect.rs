//! A cluster of Connect workers, by their REST interface.
//!
//! Any worker of a cluster answers for all. While they share out their work anew, which is after every change and whenever a
//! worker comes or goes, they refuse: whoever asks is asked to come again, and does so here until the deadline. What is not
//! there is `None`, and only where a worker says so of that very connector. A client that reads many connectors asks for all
//! of them at once; what it writes itself is not read from a list that is older.

mod answers;
mod doubt;
mod error;
mod offsets;

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    clients::{
        pause::random_part,
        rest::{Listing, Once, Request, Rest, RestError, part},
    },
    governance::connector::ConnectorName,
};
use answers::{DefinitionAnswer, Expanded, PluginAnswer, RootAnswer, StatusAnswer, Validation, read};
use doubt::{again, is_lost};
pub use error::ConnectError;
pub use offsets::Offset;

/// So many connectors are asked for one by one.
const FEW: usize = 2;

/// Of the pauses between two tries while workers share out their work, a random part is waited. They double.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// What a connector is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connector {
    /// Its configuration, with what the workers add to it, and whatever is secret in it.
    pub config: BTreeMap<String, String>,
    /// `source` or `sink`, where the workers know.
    pub kind: Option<String>,
    /// How it is; `None` where nobody has said yet.
    pub status: Option<Status>,
}

/// How a connector is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// How the connector itself is, which shares out the work to its tasks.
    pub state: RunState,
    /// The worker that it runs on.
    pub worker: String,
    /// Why it failed.
    pub trace: Option<String>,
    /// Its tasks, by their numbers.
    pub tasks: Vec<Task>,
}

/// A task of a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its number in the connector, from 0.
    pub id: i64,
    /// How it is.
    pub state: RunState,
    /// The worker that it runs on.
    pub worker: String,
    /// Why it failed.
    pub trace: Option<String>,
}

/// How a connector, or a task of one, is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It works.
    Running,
    /// It was told to rest, and keeps what it holds.
    Paused,
    /// It was told to end, and has no tasks.
    Stopped,
    /// It gave up.
    Failed,
    /// It is between two of these: no worker has it now, or it is being started anew.
    Between,
}

/// What a connector can be told to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// It works.
    Running,
    /// It rests.
    Paused,
    /// It ends, without being deleted.
    Stopped,
}

/// A class that workers have installed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Plugin {
    /// Its full name.
    pub class: String,
    /// `source`, `sink`, `converter`, `transformation` and so on.
    pub kind: String,
    /// Its version, where it has one.
    pub version: Option<String>,
}

/// A key that a class knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The key.
    pub name: String,
    /// `STRING`, `INT`, `PASSWORD` and so on.
    pub kind: String,
    /// Whether it has to be set.
    pub required: bool,
    /// What it is where it is not set.
    pub default: Option<String>,
    /// `HIGH`, `MEDIUM` or `LOW`.
    pub importance: String,
    /// What it is for.
    pub documentation: String,
    /// What it belongs to, such as `Error Handling`.
    pub group: Option<String>,
}

/// What a worker says of a key of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The key.
    pub key: String,
    /// Whether its value is secret.
    pub is_password: bool,
    /// What is wrong, in the worker's words, which may hold the value.
    pub errors: Vec<String>,
}

impl RunState {
    fn of(word: &str) -> Self {
        match word {
            "RUNNING" => Self::Running,
            "PAUSED" => Self::Paused,
            "STOPPED" => Self::Stopped,
            "FAILED" => Self::Failed,
            _ => Self::Between,
        }
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Between => "unassigned",
        })
    }
}

impl Target {
    /// The state that tells that it is so.
    pub fn reached(self) -> RunState {
        match self {
            Self::Running => RunState::Running,
            Self::Paused => RunState::Paused,
            Self::Stopped => RunState::Stopped,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Stopped => "STOPPED",
        }
    }

    const fn request(self) -> &'static str {
        match self {
            Self::Running => "resume",
            Self::Paused => "pause",
            Self::Stopped => "stop",
        }
    }
}

/// Whether a worker shows asterisks in place of a value.
pub fn is_masked(value: &str) -> bool {
    4 <= value.len() && value.bytes().all(|it| it == b'*')
}

/// A cluster of workers.
#[derive(Debug)]
pub struct Connect {
    rest: Rest,
    listing: Listing<ConnectorName, Connector, ConnectError>,
    plugins: Once<Vec<Plugin>, ConnectError>,
    root: Once<Result<RootAnswer, ConnectError>, ConnectError>,
}

impl Connect {
    /// A cluster that was not connected to yet.
    pub fn new(rest: Rest) -> Self {
        let listing = Listing::after(FEW);
        Self { rest, listing, plugins: Once::default(), root: Once::default() }
    }

    /// The service that it is.
    pub fn rest(&self) -> &Rest {
        &self.rest
    }

    /// A connector as it is now; `None` if it is not there.
    pub async fn connector(&self, name: &ConnectorName, deadline: Instant) -> Result<Option<Connector>, ConnectError> {
        let Some(info) = self.read(&path(name, ""), deadline).await? else { return Ok(None) };
        let status = self.status(name, deadline).await?;
        let connector = Expanded { info: Some(read(info)?), status: None }.connector();
        Ok(connector.map(|it| Connector { status, ..it }))
    }

    /// How a connector is now; `None` where it is not there, or nobody has said yet.
    pub async fn status(&self, name: &ConnectorName, deadline: Instant) -> Result<Option<Status>, ConnectError> {
        let answer = self.read(&path(name, "/status"), deadline).await?;
        Ok(answer.map(read::<StatusAnswer>).transpose()?.map(Status::from))
    }

    /// A connector, perhaps from a list that was made for the whole run.
    pub async fn seen(&self, name: &ConnectorName, deadline: Instant) -> Result<Option<Connector>, ConnectError> {
        match self.listing.get(name, self.list(deadline)).await? {
            Some(it) => Ok(Some(it)),
            // That something is missing is believed only of an answer about itself.
            None => self.connector(name, deadline).await,
        }
    }

    /// All connectors; `None` where the workers do not list them with what they are, or too many.
    async fn list(&self, deadline: Instant) -> Result<Option<BTreeMap<ConnectorName, Connector>>, ConnectError> {
        let query = vec![("expand", "status".to_owned()), ("expand", "info".to_owned())];
        let request = Request { method: Method::GET, path: "connectors".to_owned(), query, body: None };
        let answer = match self.send(&request, deadline).await {
            Ok(it) => it,
            // One connector that a worker stumbles over is no reason to know nothing of the others.
            Err(ConnectError::Rest(RestError::TooLarge | RestError::Forbidden | RestError::Broken { .. })) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let Ok(all) = serde_json::from_value::<BTreeMap<String, Expanded>>(answer) else { return Ok(None) };
        let known = |(name, it): (String, Expanded)| Some((name.parse().ok()?, it.connector()?));
        Ok(Some(all.into_iter().filter_map(known).collect()))
    }

    /// Makes a connector that begins in a state, if that is said. Answers whether it certainly was this call that made it.
    ///
    /// # Errors
    /// [`ConnectError::Exists`] if there is one of that name that is configured otherwise, and all others.
    pub async fn create(
        &self,
        name: &ConnectorName,
        config: &BTreeMap<String, String>,
        begins: Option<Target>,
        deadline: Instant,
    ) -> Result<bool, ConnectError> {
        let mut body = json!({ "name": name, "config": config });
        if let Some(it) = begins {
            body["initial_state"] = json!(it.word());
        }
        let request = Request { method: Method::POST, path: "connectors".to_owned(), query: vec![], body: Some(body) };
        let answer = self.send(&request, deadline).await;
        self.listing.forget(name);
        match answer {
            Ok(_) => Ok(true),
            // It may have been this very request, whose answer was lost.
            Err(error) if matches!(error, ConnectError::Exists(_)) || is_lost(&error) => {
                if self.is_as(name, config, deadline).await { Ok(false) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    /// Gives a connector a configuration, whatever it had, and makes it if it is not there.
    pub async fn configure(
        &self,
        name: &ConnectorName,
        config: &BTreeMap<String, String>,
        deadline: Instant,
    ) -> Result<(), ConnectError> {
        match self.put(path(name, "/config"), Some(json!(config)), name, deadline).await {
            Err(error) if is_lost(&error) && self.is_as(name, config, deadline).await => Ok(()),
            answer => answer,
        }
    }

    /// Tells a connector what to be.
    pub async fn bring(&self, name: &ConnectorName, to: Target, deadline: Instant) -> Result<(), ConnectError> {
        self.put(path(name, &format!("/{}", to.request())), None, name, deadline).await
    }

    /// Starts anew what failed of a connector, itself and its tasks, and nothing else.
    pub async fn restart_failed(&self, name: &ConnectorName, deadline: Instant) -> Result<(), ConnectError> {
        let query = vec![("includeTasks", "true".to_owned()), ("onlyFailed", "true".to_owned())];
        let request = Request { method: Method::POST, path: path(name, "/restart"), query, body: None };
        self.listing.forget(name);
        self.send(&request, deadline).await.map(drop)
    }

    /// Deletes a connector. One that is gone is well.
    pub async fn delete(&self, name: &ConnectorName, deadline: Instant) -> Result<(), ConnectError> {
        let request = Request { method: Method::DELETE, path: path(name, ""), query: vec![], body: None };
        self.listing.forget(name);
        match self.send(&request, deadline).await {
            Ok(_) | Err(ConnectError::Absent) => Ok(()),
            // It may be gone, and the answer was lost.
            Err(error) if is_lost(&error) && self.connector(name, again(deadline)).await == Ok(None) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The topics that a connector has used; none where the workers do not note them.
    pub async fn topics(&self, name: &ConnectorName, deadline: Instant) -> Result<Vec<String>, ConnectError> {
        let answer = match self.read(&path(name, "/topics"), deadline).await {
            Err(ConnectError::Unsupported | ConnectError::Rest(RestError::Forbidden)) | Ok(None) => return Ok(vec![]),
            Ok(Some(it)) => it,
            Err(error) => return Err(error),
        };
        let mut topics: Vec<String> = read(answer[name.as_str()]["topics"].clone())?;
        topics.sort();
        Ok(topics)
    }

    /// The classes that are installed, in order, which are asked for once.
    pub async fn plugins(&self, deadline: Instant) -> Result<&[Plugin], ConnectError> {
        let ask = async || {
            let query = vec![("connectorsOnly", "false".to_owned())];
            let request = Request { method: Method::GET, path: "connector-plugins".to_owned(), query, body: None };
            let listed: Vec<PluginAnswer> = read(self.send(&request, deadline).await?)?;
            let mut plugins: Vec<Plugin> = listed.into_iter().map(Plugin::from).collect();
            plugins.sort();
            Ok(plugins)
        };
        self.plugins.get(ask(), is_late).await.map(Vec::as_slice)
    }

    /// The keys that a class knows; `None` where the workers do not tell.
    pub async fn definitions(&self, class: &str, deadline: Instant) -> Result<Option<Vec<Definition>>, ConnectError> {
        match self.read(&format!("connector-plugins/{}/config", part(class)), deadline).await {
            Ok(Some(it)) => Ok(Some(read::<Vec<DefinitionAnswer>>(it)?.into_iter().map(Definition::from).collect())),
            Ok(None) | Err(ConnectError::Unsupported) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What a worker says of a configuration, key by key, without making anything.
    pub async fn validate(
        &self,
        class: &str,
        config: &BTreeMap<String, String>,
        deadline: Instant,
    ) -> Result<Vec<Checked>, ConnectError> {
        let path = format!("connector-plugins/{}/config/validate", part(class));
        let request = Request { method: Method::PUT, path, query: vec![], body: Some(json!(config)) };
        Ok(read::<Validation>(self.send(&request, deadline).await?)?.keys())
    }

    /// The version of the worker that answers, which is asked for once.
    pub async fn version(&self, deadline: Instant) -> Result<&str, ConnectError> {
        Ok(self.root(deadline).await?.version.as_deref().unwrap_or_default())
    }

    /// The id of the Kafka cluster that the workers belong to: the one in which they keep their own data. It is asked for
    /// once, and `None` where they do not tell, as behind a gateway that does not let everything through.
    ///
    /// # Errors
    /// Those of workers that do not answer at all.
    pub async fn kafka_cluster_id(&self, deadline: Instant) -> Result<Option<&str>, ConnectError> {
        match self.root(deadline).await {
            Ok(it) => Ok(it.kafka_cluster_id.as_deref()),
            Err(error) if error.is_silence() => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// What a worker says of itself, or why it does not, which is asked for once.
    async fn root(&self, deadline: Instant) -> Result<&RootAnswer, ConnectError> {
        let ask = async || {
            let request = Request { method: Method::GET, path: String::new(), query: vec![], body: None };
            match self.send(&request, deadline).await.and_then(read) {
                Err(error) if error.is_silence() => Err(error),
                answer => Ok(answer),
            }
        };
        self.root.get(ask(), is_late).await?.as_ref().map_err(Clone::clone)
    }

    /// Whether the workers are of that version of Kafka, or a newer one.
    pub async fn is_at_least(&self, version: (u32, u32), deadline: Instant) -> Result<bool, ConnectError> {
        Ok(kafka_version(self.version(deadline).await?).is_some_and(|it| version <= it))
    }

    async fn put(
        &self,
        path: String,
        body: Option<Value>,
        name: &ConnectorName,
        deadline: Instant,
    ) -> Result<(), ConnectError> {
        let answer = self.send(&Request { method: Method::PUT, path, query: vec![], body }, deadline).await;
        self.listing.forget(name);
        answer.map(drop)
    }

    async fn read(&self, path: &str, deadline: Instant) -> Result<Option<Value>, ConnectError> {
        let request = Request { method: Method::GET, path: path.to_owned(), query: vec![], body: None };
        match self.send(&request, deadline).await {
            Ok(it) => Ok(Some(it)),
            Err(ConnectError::Absent) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the workers answer, once they have shared out their work, and tasks that were stopped have ended.
    async fn send(&self, request: &Request, deadline: Instant) -> Result<Value, ConnectError> {
        let mut longest = FIRST_PAUSE;
        loop {
            let error = match self.rest.send(request, deadline).await.map_err(ConnectError::from) {
                Err(error @ (ConnectError::Unsettled(_) | ConnectError::Stopping(_))) => error,
                other => return other,
            };
            let until = Instant::now() + random_part(longest);
            if deadline <= until {
                return Err(error);
            }
            tokio::time::sleep_until(until.into()).await;
            longest = (longest * 2).min(LONGEST_PAUSE);
        }
    }
}

/// `connectors/<name>` and what follows.
fn path(name: &ConnectorName, rest: &str) -> String {
    format!("connectors/{}{rest}", part(name.as_str()))
}

/// The version of Kafka in that of a worker. Confluent's own numbers, as in `7.7.1-ccs`, are four ahead.
fn kafka_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(['.', '-']).map(str::parse::<u32>);
    let (major, minor) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    let is_confluents = text.contains("-ccs") || text.contains("-ce");
    Some((if is_confluents { major.saturating_sub(4) } else { major }, minor))
}

/// Whether workers did not answer in time.
fn is_late(error: &ConnectError) -> bool {
    matches!(error, ConnectError::Rest(RestError::Deadline))
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

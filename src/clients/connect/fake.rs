//! Workers for tests, in memory and over HTTP: for what real ones cannot be made to show when a test wants it, such as a long
//! rebalance, an answer that is lost, a task that fails, or a server that adds to a configuration.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::Connect;
use crate::clients::rest::{
    Rest, RestSettings,
    fake::{Answer, FakeService},
};

/// What a worker answers with.
const JSON: &str = "application/json";

/// Workers.
#[derive(Clone, Debug)]
pub(crate) struct FakeConnect {
    service: Arc<FakeService>,
    kept: Arc<Mutex<Kept>>,
}

/// What they keep.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// The connectors.
    pub(crate) connectors: BTreeMap<String, FakeConnector>,
    /// Keys that are added to each configuration.
    pub(crate) adds: BTreeMap<String, String>,
    /// Keys whose values are shown as asterisks.
    pub(crate) masks: Vec<String>,
    /// What a configuration is told to be wrong with, by key.
    pub(crate) objections: BTreeMap<String, String>,
    /// Keys that hold passwords.
    pub(crate) passwords: Vec<String>,
    /// The trace with which the task of every connector fails that is started.
    pub(crate) fails_with: Option<String>,
    /// What speaks against all offsets.
    pub(crate) refuses_offsets: Option<String>,
    /// How often offsets are asked to be changed before the tasks of a connector that was stopped have ended.
    pub(crate) lingers: u32,
    /// How many changes are made from now on whose answers are lost.
    pub(crate) loses: u32,
    /// Whether connectors do not become what they are told to be.
    pub(crate) ignores_state: bool,
    /// Whether a connector is deleted by somebody else as soon as it is configured.
    pub(crate) forgets: bool,
    /// What the next calls are answered with, but for what workers say of themselves.
    pub(crate) next: VecDeque<Answer>,
    /// The version of the workers.
    pub(crate) version: String,
    /// The Kafka cluster that they belong to. Where it is empty, a gateway hides what they say of themselves.
    pub(crate) kafka_cluster_id: String,
}

/// A connector.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeConnector {
    /// Its configuration.
    pub(crate) config: BTreeMap<String, String>,
    /// `RUNNING` and so on.
    pub(crate) state: String,
    /// The trace of its task, if that failed.
    pub(crate) trace: Option<String>,
    /// How far it has come.
    pub(crate) offsets: Vec<Value>,
}

type Judged = Result<Value, (u16, String)>;

impl FakeConnect {
    /// Workers without connectors, which have two classes installed.
    pub(crate) async fn start() -> Self {
        let (version, kafka_cluster_id) = ("4.3.1".to_owned(), "memory-1".to_owned());
        let kept = Arc::new(Mutex::new(Kept { version, kafka_cluster_id, ..Kept::default() }));
        let its = kept.clone();
        let service = FakeService::start_whole(move |request| locked(&its).answer(request)).await;
        Self { service: Arc::new(service), kept }
    }

    /// A client of them.
    pub(crate) fn client(&self) -> Connect {
        Connect::new(Rest::new(self.service.settings()))
    }

    /// A client of them that goes to others where they do not answer.
    pub(crate) fn client_with(&self, others: &Self) -> Connect {
        let settings = self.service.settings();
        Connect::new(Rest::new(RestSettings { failover_urls: vec![others.service.settings().url], ..settings }))
    }

    /// What they keep, to be looked at and changed.
    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        locked(&self.kept)
    }

    /// The first words of each request so far: method and path.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.service.asked()
    }
}

fn locked(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The end of the time that a test has.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// What workers answer while they share out their work.
pub(crate) fn rebalance() -> Answer {
    let message = "Cannot complete request momentarily due to stale configuration (typically caused by a concurrent config \
                   change)";
    (409, JSON, json!({ "error_code": 409, "message": message }).to_string())
}

impl Kept {
    fn answer(&mut self, request: &str) -> Answer {
        let mut words = request.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if path != "/"
            && let Some(it) = self.next.pop_front()
        {
            return it;
        }
        let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let done = self.does(method, path, &serde_json::from_str(body).unwrap_or_default());
        if method != "GET" && 0 < self.loses {
            self.loses -= 1;
            return (0, JSON, String::new());
        }
        match done {
            Ok(it) => (200, JSON, it.to_string()),
            Err((status, message)) => (status, JSON, json!({ "error_code": status, "message": message }).to_string()),
        }
    }

    fn does(&mut self, method: &str, path: &str, body: &Value) -> Judged {
        // No other letter of a name in a test needs to be written otherwise.
        let path = path.split('?').next().unwrap_or_default().replace("%20", " ");
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (method, &parts[..]) {
            ("GET", [""]) if !self.kafka_cluster_id.is_empty() => {
                Ok(json!({ "version": self.version, "kafka_cluster_id": self.kafka_cluster_id }))
            }
            ("GET", ["connectors"]) => {
                let all: Vec<String> = self.connectors.keys().cloned().collect();
                let shown = |name: String| {
                    let both = json!({ "info": self.info(&name)?, "status": self.status(&name)? });
                    Ok((name, both))
                };
                all.into_iter().map(shown).collect::<Result<_, _>>().map(Value::Object)
            }
            ("POST", ["connectors"]) => self.create(body),
            ("GET", ["connectors", name]) => self.info(name),
            ("GET", ["connectors", name, "status"]) => self.status(name),
            ("GET", ["connectors", name, "topics"]) => Ok(json!({ *name: { "topics": ["b", "a"] } })),
            ("GET", ["connectors", name, "offsets"]) => Ok(json!({ "offsets": self.one(name)?.offsets })),
            ("PUT", ["connectors", name, "config"]) => {
                if !self.connectors.contains_key(*name) {
                    let begun = FakeConnector { state: "RUNNING".to_owned(), ..FakeConnector::default() };
                    self.connectors.insert((*name).to_owned(), begun);
                }
                let config = texts(body);
                let found = self.one(name)?;
                (found.config, found.trace) = (config, None);
                // What it was told to be stays.
                let state = found.state.clone();
                let answer = self.set(name, &state);
                if self.forgets {
                    self.connectors.remove(*name);
                }
                answer
            }
            ("PUT", ["connectors", name, "pause"]) => self.set(name, "PAUSED"),
            ("PUT", ["connectors", name, "stop"]) => self.set(name, "STOPPED"),
            ("PUT", ["connectors", name, "resume"]) => self.set(name, "RUNNING"),
            ("POST", ["connectors", name, "restart"]) => {
                let found = self.one(name)?;
                found.trace = None;
                let state = found.state.clone();
                self.set(name, &state)
            }
            ("PATCH", ["connectors", name, "offsets"]) => {
                self.ended(name)?.offsets = body["offsets"].as_array().cloned().unwrap_or_default();
                Ok(json!({ "message": "altered" }))
            }
            ("DELETE", ["connectors", name, "offsets"]) => {
                self.ended(name)?.offsets.clear();
                Ok(json!({ "message": "reset" }))
            }
            ("DELETE", ["connectors", name]) => {
                self.one(name)?;
                self.connectors.remove(*name);
                Ok(Value::Null)
            }
            ("GET", ["connector-plugins"]) => Ok(json!([
                { "class": "org.example.FileSourceConnector", "type": "source", "version": "1.0" },
                { "class": "org.example.FileSinkConnector", "type": "sink", "version": "1.0" },
            ])),
            ("PUT", ["connector-plugins", _, "config", "validate"]) => Ok(self.validate(body)),
            _ => Err((404, "HTTP 404 Not Found".to_owned())),
        }
    }

    fn one(&mut self, name: &str) -> Result<&mut FakeConnector, (u16, String)> {
        self.connectors.get_mut(name).ok_or_else(|| (404, format!("Connector {name} not found")))
    }

    fn stopped(&mut self, name: &str) -> Result<&mut FakeConnector, (u16, String)> {
        let found = self.one(name)?;
        let running =
            || (400, "Connectors must be in the STOPPED state before their offsets can be modified".to_owned());
        if found.state == "STOPPED" { Ok(found) } else { Err(running()) }
    }

    fn ended(&mut self, name: &str) -> Result<&mut FakeConnector, (u16, String)> {
        if let Some(it) = self.refuses_offsets.clone().filter(|_| self.stopped(name).is_ok()) {
            return Err((400, it));
        }
        if self.stopped(name).is_ok() && 0 < self.lingers {
            self.lingers -= 1;
            // In the words of Kafka 4.3.
            let message = format!(
                "Failed to reset consumer group offsets for connector {name} either because its tasks haven't stopped \
                 completely yet or the connector was resumed before the request to reset its offsets could be successfully \
                 completed. If the connector is in a stopped state, this operation can be safely retried."
            );
            return Err((500, message));
        }
        self.stopped(name)
    }

    fn create(&mut self, body: &Value) -> Judged {
        let name = body["name"].as_str().unwrap_or_default().to_owned();
        if self.connectors.contains_key(&name) {
            return Err((409, format!("Connector {name} already exists")));
        }
        let config = texts(&body["config"]);
        self.connectors.insert(name.clone(), FakeConnector { config, ..FakeConnector::default() });
        self.set(&name, body["initial_state"].as_str().unwrap_or("RUNNING"))
    }

    fn set(&mut self, name: &str, state: &str) -> Judged {
        let fails = self.fails_with.clone().filter(|_| state == "RUNNING");
        let is_told = !self.ignores_state;
        let found = self.one(name)?;
        if is_told {
            state.clone_into(&mut found.state);
        }
        // What failed stays so until it is started anew, or ended.
        found.trace = found.trace.take().or(fails).filter(|_| state != "STOPPED");
        self.info(name)
    }

    fn info(&mut self, name: &str) -> Judged {
        let (adds, masks) = (self.adds.clone(), self.masks.clone());
        let mut config = self.one(name)?.config.clone();
        config.insert("name".to_owned(), name.to_owned());
        config.extend(adds);
        for key in masks {
            config.entry(key).and_modify(|it| "****************".clone_into(it));
        }
        Ok(json!({ "name": name, "config": config, "tasks": [], "type": "sink" }))
    }

    fn status(&mut self, name: &str) -> Judged {
        let found = self.one(name)?;
        let connector = json!({ "state": found.state, "worker_id": "w:8083" });
        let state = if found.trace.is_some() { "FAILED" } else { &found.state };
        let task = json!({ "id": 0, "state": state, "worker_id": "w:8083", "trace": found.trace });
        let tasks = if found.state == "STOPPED" { json!([]) } else { json!([task]) };
        Ok(json!({ "name": name, "connector": connector, "tasks": tasks, "type": "sink" }))
    }

    fn validate(&self, body: &Value) -> Value {
        let mut keys: Vec<&String> = body.as_object().into_iter().flat_map(|it| it.keys()).collect();
        keys.extend(self.objections.keys());
        keys.sort();
        keys.dedup();
        let one = |key: &String| {
            let kind = if self.passwords.contains(key) { "PASSWORD" } else { "STRING" };
            let errors: Vec<&String> = self.objections.get(key).into_iter().collect();
            json!({ "definition": { "name": key, "type": kind }, "value": { "name": key, "errors": errors } })
        };
        json!({ "name": "x", "error_count": 0, "configs": keys.into_iter().map(one).collect::<Value>() })
    }
}

fn texts(config: &Value) -> BTreeMap<String, String> {
    let entries = config.as_object().into_iter().flatten();
    entries.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

//! What workers answer, as values of ours.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Checked, ConnectError, Connector, Definition, Plugin, RunState, Status, Task};

/// A connector as it is listed.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Expanded {
    pub(super) info: Option<Info>,
    pub(super) status: Option<StatusAnswer>,
}

/// What a connector is.
#[derive(Debug, Deserialize)]
pub(super) struct Info {
    #[serde(default)]
    config: BTreeMap<String, Option<String>>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// How a connector is.
#[derive(Debug, Deserialize)]
pub(super) struct StatusAnswer {
    connector: Part,
    #[serde(default)]
    tasks: Vec<Part>,
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(default)]
    id: i64,
    state: String,
    #[serde(default)]
    worker_id: String,
    trace: Option<String>,
}

/// Reads an answer.
pub(super) fn read<T: serde::de::DeserializeOwned>(answer: Value) -> Result<T, ConnectError> {
    serde_json::from_value(answer).map_err(|error| ConnectError::Strange(error.to_string()))
}

impl Expanded {
    /// The connector; `None` where the worker did not tell what it is.
    pub(super) fn connector(self) -> Option<Connector> {
        let Info { config, kind } = self.info?;
        let config = config.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        Some(Connector { config, kind, status: self.status.map(Status::from) })
    }
}

impl From<StatusAnswer> for Status {
    fn from(StatusAnswer { connector, tasks }: StatusAnswer) -> Self {
        let task = |it: Part| Task { id: it.id, state: RunState::of(&it.state), worker: it.worker_id, trace: it.trace };
        let mut tasks: Vec<Task> = tasks.into_iter().map(task).collect();
        tasks.sort_by_key(|it| it.id);
        let Part { state, worker_id, trace, .. } = connector;
        Self { state: RunState::of(&state), worker: worker_id, trace, tasks }
    }
}

/// What a worker says of itself.
#[derive(Debug, Deserialize)]
pub(super) struct RootAnswer {
    pub(super) version: Option<String>,
    pub(super) kafka_cluster_id: Option<String>,
}

/// A class that workers have installed, as they list it.
#[derive(Debug, Deserialize)]
pub(super) struct PluginAnswer {
    class: String,
    #[serde(rename = "type")]
    kind: String,
    version: Option<String>,
}

impl From<PluginAnswer> for Plugin {
    fn from(PluginAnswer { class, kind, version }: PluginAnswer) -> Self {
        Self { class, kind, version: version.filter(|it| it != "null" && it != "undefined") }
    }
}

/// A key that a class knows.
#[derive(Debug, Deserialize)]
pub(super) struct DefinitionAnswer {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    required: bool,
    default_value: Option<String>,
    #[serde(default)]
    importance: String,
    documentation: Option<String>,
    group: Option<String>,
}

impl From<DefinitionAnswer> for Definition {
    fn from(it: DefinitionAnswer) -> Self {
        let DefinitionAnswer { name, kind, required, default_value, importance, documentation, group } = it;
        let (default, documentation) = (default_value, documentation.unwrap_or_default());
        Self { name, kind, required, default, importance, documentation, group }
    }
}

/// What a worker says of a configuration.
#[derive(Debug, Deserialize)]
pub(super) struct Validation {
    configs: Vec<ValidatedKey>,
}

#[derive(Debug, Deserialize)]
struct ValidatedKey {
    definition: Option<DefinitionAnswer>,
    value: ValidatedValue,
}

#[derive(Debug, Deserialize)]
struct ValidatedValue {
    name: String,
    #[serde(default)]
    errors: Vec<String>,
}

impl Validation {
    /// What is said of each key.
    pub(super) fn keys(self) -> Vec<Checked> {
        let each = self.configs.into_iter().map(|it| Checked {
            key: it.value.name,
            is_password: it.definition.is_some_and(|it| it.kind == "PASSWORD"),
            errors: it.value.errors,
        });
        each.collect()
    }
}

//! `data.kafka_connector`: how a connector is.

use crate::{
    clients::connect::{ConnectError, Offset, Task},
    framework::{Call, Computed, DataSource, Diagnostic, Failure, Model, Nested, OptionalComputed, Required},
    governance::connector::{ConnectorName, is_governed},
    provider::Context,
    resources::connector::{cause, hide, is_the_workers, word},
};

/// A connector of a Connect cluster: how it and its tasks are, which topics it has used, and how far it has come. Its
/// configuration is not shown, for what may be secret in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ConnectorModel {
    /// Name of the environment. Default: the provider's default environment.
    environment: OptionalComputed<String>,
    /// `<environment>/<connect>/<name>`.
    id: Computed<String>,
    /// Name of the Connect cluster in the provider block. Default: the only one.
    connect: OptionalComputed<String>,
    /// Name of the connector.
    name: Required<ConnectorName>,
    /// Its class.
    class: Computed<String>,
    /// `source` or `sink`, where the workers know.
    r#type: Computed<String>,
    /// `running`, `paused`, `stopped`, `failed` where itself or one of its tasks gave up, or `unassigned` where no worker has
    /// it now.
    status: Computed<String>,
    /// The worker that it runs on.
    worker: Computed<String>,
    /// Why the connector itself failed: the first line of the trace, and its last cause. Null where it did not.
    reason: Computed<String>,
    /// Its tasks, by their numbers.
    tasks: Computed<Vec<Nested<TaskModel>>>,
    /// Names of the topics that it has used since it was made, in order. Empty where the workers do not note them.
    topics: Computed<Vec<String>>,
    /// How far it has come. Null where the workers do not tell, as before Kafka 3.5.
    offsets: Computed<Vec<Nested<ShownOffsetModel>>>,
}

/// A task of a connector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct TaskModel {
    /// Its number, from 0.
    id: Computed<i64>,
    /// `running`, `paused`, `failed` or `unassigned`.
    status: Computed<String>,
    /// The worker that it runs on.
    worker: Computed<String>,
    /// Why it failed: the first line of the trace, and its last cause. Null where it did not.
    reason: Computed<String>,
}

/// How far a connector has come in a part of what it reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ShownOffsetModel {
    /// Which part, as an object in JSON of the connector's own keys.
    partition: Computed<String>,
    /// How far, as an object in JSON.
    offset: Computed<String>,
}

/// The data source.
#[derive(Debug)]
pub enum DescribedConnector {}

impl DataSource<Context> for DescribedConnector {
    const NAME: &'static str = "connector";
    type Model = ConnectorModel;

    async fn read(ctx: &Context, config: ConnectorModel, call: &mut Call) -> Result<ConnectorModel, Failure> {
        let environment = ctx.environment(config.environment.get().map(String::as_str))?;
        let (named, connect) = environment.connect(config.connect.known()?.map(String::as_str))?;
        let name = config.name.value()?.clone();
        let found = connect.connector(&name, call.deadline).await?.ok_or_else(|| absent(&name))?;
        let offsets = match connect.offsets(&name, call.deadline).await {
            Err(ConnectError::Unsupported) => None,
            other => other?,
        };
        let offsets = offsets.map(|it| it.into_iter().map(shown_offset).collect::<Vec<_>>());
        let status = found.status.as_ref();
        let values = found.config.iter().filter(|(key, _)| !is_governed(key) && !is_the_workers(key));
        let values: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
        let reason = |trace: &str| cause(&hide(trace, values.iter().copied()));
        let tasks = status.into_iter().flat_map(|it| &it.tasks).map(|it| shown_task(it, reason)).collect::<Vec<_>>();
        let said = status.map(|it| word(it).unwrap_or_else(|| it.state.to_string()));
        Ok(ConnectorModel {
            environment: environment.name.clone().into(),
            id: format!("{}/{named}/{name}", environment.name).into(),
            connect: named.to_owned().into(),
            class: found.config.get("connector.class").cloned().into(),
            r#type: found.kind.into(),
            status: said.unwrap_or_else(|| "unassigned".to_owned()).into(),
            worker: status.map(|it| it.worker.clone()).into(),
            reason: status.and_then(|it| it.trace.as_deref()).map(reason).into(),
            tasks: tasks.into(),
            topics: connect.topics(&name, call.deadline).await?.into(),
            offsets: offsets.into(),
            ..config
        })
    }
}

fn shown_task(Task { id, state, worker, trace }: &Task, reason: impl Fn(&str) -> String) -> Nested<TaskModel> {
    Nested::from(TaskModel {
        id: (*id).into(),
        status: state.to_string().into(),
        worker: worker.clone().into(),
        reason: trace.as_deref().map(reason).into(),
    })
}

fn shown_offset(Offset { partition, offset }: Offset) -> Nested<ShownOffsetModel> {
    Nested::from(ShownOffsetModel { partition: partition.to_string().into(), offset: offset.to_string().into() })
}

fn absent(name: &ConnectorName) -> Failure {
    let detail = format!(
        "The workers have no connector `{name}`.\n\nCorrect the name, or let the data source wait for the connector with \
         `depends_on`."
    );
    Diagnostic::error("No such connector", detail).at("name").into()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use serde_json::{Value as Json, json};

    use super::*;
    use crate::{
        clients::{
            connect::{
                Connect,
                fake::{FakeConnect, soon},
            },
            memory::MemoryCluster,
            rest::Services,
        },
        framework::{
            Diagnostics, Provider, Value,
            codec::json::{Unexpected, from_json},
        },
        provider::{Environment, KafkaProvider},
    };

    async fn read(connect: Connect, name: &str, config: &Json) -> (Value, Diagnostics) {
        let services = Services { connect: BTreeMap::from([("main".to_owned(), connect)]), ..Services::default() };
        let environment = Environment::new("dev", Arc::new(MemoryCluster::new(1)) as _).beside(services);
        let data_source = KafkaProvider::registry().data_sources.remove(name).unwrap();
        let config = from_json(config, &data_source.schema().ty(), Unexpected::Refuse).unwrap();
        data_source.read(&Context::new([environment], None), config).await
    }

    #[tokio::test]
    async fn a_connector_is_shown_with_tasks_topics_and_offsets_and_without_configuration() {
        let fake = FakeConnect::start().await;
        fake.kept().fails_with = Some("java.lang.RuntimeException: a\n\tat b\nCaused by: c hunter2\n".to_owned());
        let values = [("connector.class", "org.example.FileSinkConnector"), ("password", "hunter2")];
        let values = values.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        fake.client().create(&"a".parse().unwrap(), &values, None, soon()).await.unwrap();
        fake.kept().connectors.get_mut("a").unwrap().offsets =
            vec![json!({ "partition": { "p": 1 }, "offset": { "o": 2 } })];
        let (found, report) = read(fake.client(), "connector", &json!({ "name": "a" })).await;
        assert_eq!(report.0, vec![]);
        let shown = ["id", "class", "type", "status"].map(|it| found.attribute(it).clone());
        assert_eq!(shown, ["dev/main/a", "org.example.FileSinkConnector", "sink", "failed"].map(Value::from));
        assert_eq!(found.attribute("topics"), &Value::List(vec!["a".into(), "b".into()]));
        let Value::List(tasks) = found.attribute("tasks") else { unreachable!("a list") };
        let reason = "java.lang.RuntimeException: a\n  Caused by: c …";
        assert_eq!((tasks[0].attribute("status"), tasks[0].attribute("reason")), (&"failed".into(), &reason.into()));
        let Value::List(offsets) = found.attribute("offsets") else { unreachable!("a list") };
        assert_eq!(offsets[0].attribute("offset"), &"{\"o\":2}".into());
        assert!(!format!("{found:?}").contains("hunter2"));
        let (_, report) = read(fake.client(), "connector", &json!({ "name": "b" })).await;
        assert_eq!(report.0[0].summary, "No such connector");
    }

    #[tokio::test]
    async fn what_is_installed_is_listed() {
        let fake = FakeConnect::start().await;
        let (found, report) = read(fake.client(), "connector_plugins", &json!({})).await;
        assert_eq!(report.0, vec![]);
        let Value::List(plugins) = found.attribute("plugins") else { unreachable!("a list") };
        let first = ["class", "type", "version"].map(|it| plugins[0].attribute(it).clone());
        assert_eq!(first, ["org.example.FileSinkConnector", "sink", "1.0"].map(Value::from));
        assert_eq!(found.attribute("definitions"), &Value::Null);
        let (_, report) = read(fake.client(), "connector_plugins", &json!({ "class": "org.example.None" })).await;
        assert_eq!(report.0[0].summary, "No such plugin");
    }
}

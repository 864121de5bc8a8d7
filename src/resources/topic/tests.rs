//! The resource on a cluster in memory, asked as Terraform asks.

mod agreeing;
mod asking;
mod changing;
mod creating;
mod demanding;
mod governed;
mod granted;
mod looking;
mod placing;
mod protecting;
mod reconsidering;

use std::{collections::BTreeMap, ops::Deref, sync::Arc};

use serde_json::Value as Json;

use crate::{
    clients::{
        kafka::{Kafka, Topic},
        memory::MemoryCluster,
    },
    framework::{Diagnostics, Severity, Stored, Value},
    governance::topic::{TopicName, TopicSpec},
    provider::{Acting, Context, Environment},
    resources::testing::{self, nothing, soon},
};

/// One run of Terraform for topics, on a cluster that nothing governs.
struct Run {
    cluster: Arc<MemoryCluster>,
    run: testing::Run,
}

impl Deref for Run {
    type Target = testing::Run;

    fn deref(&self) -> &testing::Run {
        &self.run
    }
}

impl Run {
    fn new() -> Self {
        Self::on(&Arc::new(MemoryCluster::new(1)))
    }

    /// A new process on the same cluster.
    fn on(cluster: &Arc<MemoryCluster>) -> Self {
        Self { cluster: cluster.clone(), run: testing::Run::on(cluster, "topic", Acting::default()) }
    }

    /// The same cluster in the next walk of Terraform, in which each topic is planned once.
    fn next(&self) -> Self {
        Self::on(&self.cluster)
    }

    /// A provider whose environments all lead to the cluster.
    fn twofold(&self) -> Self {
        let environment = |name: &str| Environment::new(name, self.cluster.clone());
        Self::with(&self.cluster, Context::new(["dev", "twin"].map(environment), Some("dev".to_owned())))
    }

    fn with(cluster: &Arc<MemoryCluster>, ctx: Context) -> Self {
        Self { cluster: cluster.clone(), run: testing::Run::with(ctx, "topic") }
    }

    async fn actual(&self, name: &str) -> Option<Topic> {
        self.cluster.describe_topic(&topic_name(name), soon()).await.unwrap()
    }

    async fn make(&self, name: &str, partitions: i32) {
        let spec = TopicSpec {
            name: topic_name(name),
            partitions: Some(partitions),
            replication_factor: None,
            config: BTreeMap::new(),
        };
        self.cluster.create_topic(&spec, soon()).await.unwrap();
    }
}

fn topic_name(name: &str) -> TopicName {
    name.parse().unwrap()
}

#[track_caller]
fn told(diagnostics: &Diagnostics, severity: Severity, summary: &str) {
    testing::told(diagnostics, severity, summary, "");
}

fn config<const N: usize>(attributes: [(&str, Json); N]) -> Json {
    Json::Object(attributes.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())
}

fn orders(partitions: i64) -> Json {
    config([("name", "orders".into()), ("partitions", partitions.into())])
}

fn map<const N: usize>(entries: [(&str, Json); N]) -> Json {
    config(entries)
}

/// The map of texts that is written so, as a state has it.
fn value(map: &Json) -> Value {
    let entries = map.as_object().unwrap().iter();
    Value::Map(entries.map(|(key, it)| (key.clone(), it.as_str().map_or(Value::Null, Value::from))).collect())
}

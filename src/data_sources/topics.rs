//! `data.kafka_topics`: the topics of an environment.

use crate::{
    clients::kafka::Topic,
    framework::{Call, Computed, DataSource, Failure, Model, Nested, Optional, OptionalComputed},
    provider::Context,
};

/// The topics of an environment, in the order of their names: those that the caller may describe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct TopicsModel {
    /// Name of the environment. Default: the provider's default environment.
    environment: OptionalComputed<String>,
    /// Name of the environment, the same as `environment`.
    id: Computed<String>,
    /// Beginning of the names to show. Default: all.
    prefix: Optional<String>,
    /// Whether Kafka's own topics, such as `__consumer_offsets`, are shown too. Default: `false`.
    internal: Optional<bool>,
    /// Names of the topics.
    names: Computed<Vec<String>>,
    /// The topics.
    topics: Computed<Vec<Nested<ListedTopicModel>>>,
}

/// A topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ListedTopicModel {
    /// Name of the topic.
    name: Computed<String>,
    /// Number of partitions.
    partitions: Computed<i32>,
    /// Copies of each partition.
    replication_factor: Computed<i16>,
    /// Whether it is one of Kafka's own.
    internal: Computed<bool>,
}

/// The data source.
#[derive(Debug)]
pub enum Topics {}

impl DataSource<Context> for Topics {
    const NAME: &'static str = "topics";
    type Model = TopicsModel;

    async fn read(ctx: &Context, config: TopicsModel, call: &mut Call) -> Result<TopicsModel, Failure> {
        let environment = ctx.environment(config.environment.get().map(String::as_str))?;
        let prefix = config.prefix.get().map_or("", String::as_str);
        let internal = config.internal.get() == Some(&true);
        let mut topics = environment.kafka()?.topics(call.deadline).await?;
        topics.retain(|it| it.name.as_str().starts_with(prefix) && (internal || !it.name.is_internal()));
        let names: Vec<String> = topics.iter().map(|it| it.name.to_string()).collect();
        Ok(TopicsModel {
            environment: environment.name.clone().into(),
            id: environment.name.clone().into(),
            names: names.into(),
            topics: topics.iter().map(listed).collect::<Vec<_>>().into(),
            ..config
        })
    }
}

fn listed(topic: &Topic) -> Nested<ListedTopicModel> {
    Nested::from(ListedTopicModel {
        internal: topic.name.is_internal().into(),
        name: topic.name.to_string().into(),
        partitions: topic.partitions.into(),
        replication_factor: topic.replication_factor.into(),
    })
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        sync::Arc,
        time::{Duration, Instant},
    };

    use super::*;
    use crate::{
        clients::{kafka::Kafka, memory::MemoryCluster},
        framework::{Diagnostics, Phase, Private},
        governance::topic::TopicSpec,
        provider::Environment,
    };

    #[tokio::test]
    async fn topics_are_shown_by_prefix_and_kafkas_own_only_on_demand() {
        let cluster = Arc::new(MemoryCluster::new(1));
        let soon = Instant::now() + Duration::from_mins(1);
        for name in ["billing.a", "billing.b", "sales.a", "__consumer_offsets"] {
            let name = name.parse().unwrap();
            let spec = TopicSpec { name, partitions: Some(3), replication_factor: Some(1), config: BTreeMap::new() };
            cluster.create_topic(&spec, soon).await.unwrap();
        }
        let ctx = Context::new([Environment::new("dev", Arc::clone(&cluster) as _)], None);
        let check = async |prefix: Option<&str>, internal: Option<bool>, expected: &[&str]| {
            let mut call = Call {
                phase: Phase::Apply,
                private: Private::default(),
                report: Diagnostics::default(),
                deadline: soon,
            };
            let config = TopicsModel {
                prefix: prefix.map(str::to_owned).into(),
                internal: internal.into(),
                ..TopicsModel::default()
            };
            let found = Topics::read(&ctx, config, &mut call).await.unwrap();
            assert_eq!(found.names.get().unwrap(), expected);
            assert_eq!(found.topics.get().unwrap().len(), expected.len());
        };
        check(None, None, &["billing.a", "billing.b", "sales.a"]).await;
        check(Some("billing."), Some(true), &["billing.a", "billing.b"]).await;
        check(None, Some(true), &["__consumer_offsets", "billing.a", "billing.b", "sales.a"]).await;
        check(Some("x"), None, &[]).await;
    }
}

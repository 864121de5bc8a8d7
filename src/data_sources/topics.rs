//! `data.kafka_topics`: the topics of an environment.

use crate::{
    clients::kafka::Topic,
    framework::{Call, Computed, DataSource, Failure, Model, Nested, Optional, OptionalComputed},
    governance::{kind::Kind, names::ApplicationName, owned_topic::OwnedTopic, state::State, topic::TopicName},
    provider::Context,
};

/// How the names of the journal's topics begin.
const JOURNAL: &str = "_selfserve";

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
    /// Name of the application whose topics are shown, in an environment that was declared. Default: everybody's.
    application: Optional<ApplicationName>,
    /// Names of the topics.
    names: Computed<Vec<String>>,
    /// Names of those topics that the journal does not count, whoever owns their names: somebody made them outside. Kafka's own and
    /// the journal's are not among them. Empty where no environment was declared.
    unmanaged: Computed<Vec<String>>,
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
    /// Application that owns it; null where none does, and where no environment was declared.
    owner: Computed<String>,
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
        let governance = environment.governance_now(call.deadline).await?;
        let state = governance.as_ref().map(|it| &it.snapshot.state);
        let mut topics = environment.kafka()?.topics(call.deadline).await?;
        topics.retain(|it| {
            it.name.as_str().starts_with(prefix)
                && (internal || !it.name.is_internal())
                && config.application.get().is_none_or(|wanted| owner(state, &it.name) == Some(wanted))
        });
        let unmanaged = topics.iter().map(|it| &it.name).filter(|it| is_unmanaged(state, it));
        let unmanaged: Vec<String> = unmanaged.map(ToString::to_string).collect();
        let names: Vec<String> = topics.iter().map(|it| it.name.to_string()).collect();
        Ok(TopicsModel {
            environment: environment.name.clone().into(),
            id: environment.name.clone().into(),
            names: names.into(),
            unmanaged: unmanaged.into(),
            topics: topics.iter().map(|it| listed(it, state)).collect::<Vec<_>>().into(),
            ..config
        })
    }
}

/// Whose a topic is: as its place was taken, or by its name.
fn owner<'a>(state: Option<&'a State>, name: &TopicName) -> Option<&'a ApplicationName> {
    let state = state?;
    match state.topic(name).filter(|it| it.is_there()) {
        Some(it) => it.application.as_ref(),
        None => state.owner_of(Kind::Topic, name.as_str()).map(|it| &it.spec.name),
    }
}

fn is_unmanaged(state: Option<&State>, name: &TopicName) -> bool {
    let is_the_journals = name.as_str().starts_with(JOURNAL);
    let is_counted = |state: &State| state.topic(name).is_some_and(OwnedTopic::is_there);
    !name.is_internal() && !is_the_journals && state.is_some_and(|it| !is_counted(it))
}

fn listed(topic: &Topic, state: Option<&State>) -> Nested<ListedTopicModel> {
    Nested::from(ListedTopicModel {
        owner: owner(state, &topic.name).map(ToString::to_string).into(),
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

    use serde_json::json;

    use super::*;
    use crate::{
        clients::{kafka::Kafka, memory::MemoryCluster},
        framework::{Diagnostics, Phase, Private},
        governance::{record::Event, topic::TopicSpec},
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

    #[tokio::test]
    async fn topics_have_owners_and_those_that_nobody_counts_are_told() {
        let cluster = Arc::new(MemoryCluster::new(1));
        let soon = Instant::now() + Duration::from_mins(1);
        let environment = Environment::new("dev", Arc::clone(&cluster) as _);
        let journal = environment.journal().unwrap();
        journal.create(environment.claims(), soon).await.unwrap();
        let entities = [
            ("environment", json!({ "form": 1, "spec": { "name": "dev" }, "created_at": 1 })),
            (
                "application/billing",
                json!({
                    "form": 1, "incarnation": 1, "status": "ready", "created_at": 1,
                    "spec": { "name": "billing", "prefixes": { "topic": ["billing."] } },
                }),
            ),
            (
                "topic/billing.a",
                json!({ "form": 1, "application": "billing", "partitions": 3, "status": "created", "created_at": 1 }),
            ),
        ];
        let event = Event {
            kind: "environment.declared".to_owned(),
            entities: entities.map(|(key, entity)| (key.to_owned(), entity)).into(),
            ..Event::default()
        };
        let decide = move |_: &State, _| Ok::<_, ()>(vec![event.clone()]);
        journal.append(environment.claims(), soon, decide).await.unwrap().unwrap();
        for name in ["billing.a", "billing.b", "sales.a"] {
            let name = name.parse().unwrap();
            let spec = TopicSpec { name, partitions: Some(3), replication_factor: Some(1), config: BTreeMap::new() };
            cluster.create_topic(&spec, soon).await.unwrap();
        }
        let ctx = Context::new([environment], None);
        let read = async |application: Option<&str>| {
            let mut call = Call {
                phase: Phase::Apply,
                private: Private::default(),
                report: Diagnostics::default(),
                deadline: soon,
            };
            let application = application.map(|it| it.parse().unwrap());
            let config = TopicsModel { application: application.into(), ..TopicsModel::default() };
            Topics::read(&ctx, config, &mut call).await.unwrap()
        };
        let all = read(None).await;
        assert_eq!(all.unmanaged.get().unwrap(), &["billing.b", "sales.a"]);
        let owners = all.topics.get().unwrap().iter().map(|it| it.model.owner.get().map(String::as_str));
        let journal = [None; 3];
        assert_eq!(owners.collect::<Vec<_>>(), [&journal[..], &[Some("billing"), Some("billing"), None]].concat());
        assert_eq!(read(Some("billing")).await.names.get().unwrap(), &["billing.a", "billing.b"]);
    }
}

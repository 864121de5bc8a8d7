//! What is asked of topics, many at a time: whether they exist, their shapes and configurations.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use kafka_protocol::messages::{DescribeConfigsRequest, metadata_response::MetadataResponseTopic};

use crate::{
    clients::kafka::{
        ConfigEntry, KafkaError, Topic,
        client::{Client, Target},
        queue::Gathered,
        requests::{SET_BY_TOPIC, config_of, metadata_of},
        trouble::{Asked, Trouble},
    },
    governance::topic::TopicName,
};

/// Topics that one request reads at most: more would hold much memory and gain nothing.
const READ_TOGETHER: usize = 500;

/// What metadata says of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) id: TopicId,
    pub(super) partitions: i32,
    replication_factor: i16,
}

impl Shape {
    /// What an answer says.
    pub(super) fn of(topic: &MetadataResponseTopic) -> Self {
        let first = topic.partitions.iter().min_by_key(|it| it.partition_index);
        let copies = first.map_or(0, |it| it.replica_nodes.len());
        Self {
            id: *topic.topic_id.as_bytes(),
            partitions: i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX),
            replication_factor: i16::try_from(copies).unwrap_or(i16::MAX),
        }
    }

    /// The topic of this shape.
    pub(super) fn topic(self, name: &TopicName, config: Option<BTreeMap<String, ConfigEntry>>) -> Topic {
        Topic {
            name: name.clone(),
            id: topic_id(&self.id),
            partitions: self.partitions,
            replication_factor: self.replication_factor,
            config,
        }
    }
}

/// The bytes of a topic's UUID; zeros from brokers without ids.
pub(super) type TopicId = [u8; 16];

/// Brokers without ids send this one.
pub(super) const NO_ID: TopicId = [0; 16];

/// Kafka's own form of an id; `None` if there is none.
pub(super) fn topic_id(bytes: &TopicId) -> Option<String> {
    (*bytes != NO_ID).then(|| BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// The id that Kafka's own form tells.
pub(super) fn read_topic_id(text: &str) -> Result<TopicId, KafkaError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok().and_then(|it| it.try_into().ok());
    let unreadable = || KafkaError::Unsupported(format!("topic ids that are not UUIDs, such as `{text}`"));
    bytes.filter(|it| *it != NO_ID).ok_or_else(unreadable)
}

/// Of which topic which keys are asked for; `None` for all.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConfigAsked<'a> {
    pub(super) topic: &'a TopicName,
    pub(super) keys: Option<&'a BTreeSet<String>>,
}

/// A topic's configuration, or why it is not known.
type ConfigAnswer = Result<BTreeMap<String, ConfigEntry>, Trouble>;

impl Client {
    /// The shapes of topics, asked by name, in their order; `None` for those that do not exist.
    async fn shapes<'a>(
        &self,
        names: impl Iterator<Item = &'a TopicName> + Clone,
        deadline: Instant,
    ) -> Result<Vec<Result<Option<Shape>, Trouble>>, Trouble> {
        let answer = self.metadata(metadata_of(names.clone()), deadline).await?;
        let found: BTreeMap<&str, &MetadataResponseTopic> =
            answer.topics.iter().filter_map(|it| Some((it.name.as_ref()?.as_str(), it))).collect();
        let shape = |name: &TopicName| {
            let topic = found.get(name.as_str()).ok_or_else(|| unanswered(name))?;
            let asked = Asked { operation: "DESCRIBE", name: name.as_str() };
            match Trouble::of_code(topic.error_code, None, asked) {
                None => {
                    self.own_writes.seen(name);
                    Ok(Some(Shape::of(topic)))
                }
                Some(Trouble::Final(KafkaError::NoTopic(_))) => Ok(None),
                Some(trouble) => Err(trouble),
            }
        };
        Ok(names.map(shape).collect())
    }

    /// The configurations of topics, in their order.
    pub(super) async fn configs<'a>(
        &self,
        asked: impl Iterator<Item = ConfigAsked<'a>> + Clone + Send,
        deadline: Instant,
    ) -> Result<Vec<ConfigAnswer>, Trouble> {
        let resources = asked.clone().map(|it| config_of(it.topic.as_str(), it.keys)).collect();
        let request = DescribeConfigsRequest::default().with_resources(resources);
        let answer = self.call(Target::Any, deadline, |_| Ok(request)).await?;
        let mut found: BTreeMap<String, ConfigAnswer> = BTreeMap::new();
        for it in answer.results {
            let about = Asked { operation: "DESCRIBE_CONFIGS", name: it.resource_name.as_str() };
            let trouble = Trouble::of_code(it.error_code, it.error_message.as_deref(), about);
            let entries = it.configs.into_iter().map(|it| {
                let value = it.value.filter(|_| !it.is_sensitive).map(|it| it.to_string());
                (it.name.to_string(), ConfigEntry { value, overridden: it.config_source == SET_BY_TOPIC })
            });
            let config = trouble.map_or_else(|| Ok(entries.collect()), Err);
            found.insert(it.resource_name.to_string(), config);
        }
        Ok(asked.map(|it| found.remove(it.topic.as_str()).unwrap_or_else(|| Err(unanswered(it.topic)))).collect())
    }
}

/// An answer that leaves a topic out.
pub(super) fn unanswered(name: &TopicName) -> Trouble {
    let message = format!("it said nothing about topic `{name}`");
    Trouble::Final(KafkaError::Broker { code: "UNKNOWN_SERVER_ERROR".to_owned(), message })
}

/// The same trouble for each.
pub(super) fn all<T>(count: usize, trouble: &Trouble) -> Vec<Result<T, Trouble>> {
    (0..count).map(|_| Err(trouble.clone())).collect()
}

/// Whether a topic exists, and its shape.
pub(super) struct Look(pub(super) TopicName);

impl Gathered for Look {
    type Answer = Option<Shape>;
    type Key = TopicName;
    const CAPACITY: usize = READ_TOGETHER;

    fn key(&self) -> &TopicName {
        &self.0
    }

    async fn send(client: &Client, asked: &[Self], deadline: Instant) -> Vec<Result<Self::Answer, Trouble>> {
        match client.shapes(asked.iter().map(Self::key), deadline).await {
            Ok(answers) => answers,
            Err(trouble) => all(asked.len(), &trouble),
        }
    }
}

/// A topic with its configuration: these keys, or all.
pub(super) struct Describe {
    pub(super) name: TopicName,
    pub(super) keys: Option<BTreeSet<String>>,
}

impl Gathered for Describe {
    type Answer = Option<Topic>;
    type Key = TopicName;
    const CAPACITY: usize = READ_TOGETHER;

    fn key(&self) -> &TopicName {
        &self.name
    }

    async fn send(client: &Client, asked: &[Self], deadline: Instant) -> Vec<Result<Self::Answer, Trouble>> {
        let names = asked.iter().map(Self::key);
        let with_config = asked.iter().filter(|it| it.keys.as_ref().is_none_or(|keys| !keys.is_empty()));
        let configs_asked = with_config.clone().map(|it| ConfigAsked { topic: &it.name, keys: it.keys.as_ref() });
        let configs = async {
            if with_config.clone().next().is_none() {
                Ok(Vec::new())
            } else {
                client.configs(configs_asked, deadline).await
            }
        };
        // Both leave at once. Configurations of topics that do not exist are errors that nobody looks at.
        let (shapes, configs) = match tokio::try_join!(client.shapes(names, deadline), configs) {
            Ok(it) => it,
            Err(trouble) => return all(asked.len(), &trouble),
        };
        let mut configs: BTreeMap<&TopicName, ConfigAnswer> = with_config.map(Self::key).zip(configs).collect();
        let mut topic = |asked: &Self, shape: Option<Shape>| -> Result<Option<Topic>, Trouble> {
            let Some(shape) = shape else { return Ok(None) };
            let config = match configs.remove(&asked.name) {
                None => Some(BTreeMap::new()),
                Some(Ok(config)) => Some(config),
                Some(Err(Trouble::Final(KafkaError::Denied { .. }))) => None,
                // It appeared or vanished in between.
                Some(Err(Trouble::Final(error @ KafkaError::NoTopic(_)))) => return Err(Trouble::Again(error)),
                Some(Err(trouble)) => return Err(trouble),
            };
            Ok(Some(shape.topic(&asked.name, config)))
        };
        asked.iter().zip(shapes).map(|(asked, shape)| topic(asked, shape?)).collect()
    }
}

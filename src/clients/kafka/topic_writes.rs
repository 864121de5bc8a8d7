//! What is done to topics, many at a time, and what the controller's answers mean for each.

use std::{collections::BTreeMap, time::Instant};

use kafka_protocol::{
    error::ResponseError,
    messages::{
        CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, IncrementalAlterConfigsRequest,
        create_partitions_request::CreatePartitionsTopic,
        create_topics_request::{CreatableTopic, CreatableTopicConfig},
        create_topics_response::CreatableTopicResult,
        delete_topics_request::DeleteTopicState,
        incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig},
    },
};

use crate::{
    clients::kafka::{
        ConfigEntry, KafkaError, Topic,
        client::{Client, Target},
        queue::Gathered,
        requests::{SET_BY_TOPIC, TOPIC_RESOURCE, wire_name, wire_text},
        topic_reads::{TopicId, all, topic_id, unanswered},
        trouble::{Asked, Trouble},
    },
    governance::topic::{TopicName, TopicSpec},
};

/// Records that `KRaft`'s controller writes for one request at most; it refuses the whole request beyond.
const RECORDS: usize = 10_000;

/// Partitions that a topic is taken to have while only the broker knows.
const USUAL_PARTITIONS: usize = 12;

/// `AlterConfigOp.OpType`.
const SET: i8 = 0;
const DELETE: i8 = 1;

/// Answers in the order of the questions, from what a broker said of each topic: a code, a message, and more.
fn answers<T: Gathered<Key = TopicName>, A>(
    client: &Client,
    operation: &'static str,
    asked: &[T],
    said: impl IntoIterator<Item = (String, i16, Option<String>, A)>,
    answer: impl Fn(&T, A) -> T::Answer,
) -> Vec<Result<T::Answer, Trouble>> {
    let mut found = BTreeMap::new();
    for (name, code, message, rest) in said {
        if code == ResponseError::NotController.code() {
            client.forget_controller();
        }
        let trouble = Trouble::of_code(code, message.as_deref(), Asked { operation, name: &name });
        found.insert(name, trouble.map_or(Ok(rest), Err));
    }
    let mut of = |it: &T| found.remove(it.key().as_str()).unwrap_or_else(|| Err(unanswered(it.key())));
    asked.iter().map(|it| of(it).map(|rest| answer(it, rest))).collect()
}

/// How long the controller may take, so that its answer still comes in time.
fn controller_timeout(client: &Client, deadline: Instant) -> i32 {
    let rest = deadline.saturating_duration_since(Instant::now()).min(client.settings.request_timeout);
    i32::try_from((rest * 4 / 5).as_millis()).unwrap_or(i32::MAX)
}

/// The creation of a topic, or the question whether it would succeed.
pub(super) struct Create {
    pub(super) spec: TopicSpec,
    /// Only to ask: the same for all of a queue.
    pub(super) check: bool,
}

/// What the controller says of a topic it created.
pub(super) enum Created {
    /// All of it.
    Told(Topic),
    /// Too little: the broker is too old, or the caller may not see it.
    Untold,
}

impl Gathered for Create {
    type Answer = Created;
    type Key = TopicName;
    const CAPACITY: usize = RECORDS;

    fn key(&self) -> &TopicName {
        &self.spec.name
    }

    fn weight(&self) -> usize {
        let partitions = self.spec.partitions.map_or(USUAL_PARTITIONS, |it| usize::try_from(it).unwrap_or(0));
        1 + partitions + self.spec.config.len()
    }

    async fn send(client: &Client, asked: &[Self], deadline: Instant) -> Vec<Result<Created, Trouble>> {
        let timeout = controller_timeout(client, deadline);
        let build = |version: i16| {
            let topics = asked.iter().map(|it| creatable(&it.spec, version)).collect::<Result<_, _>>()?;
            let request = CreateTopicsRequest::default().with_topics(topics);
            Ok(request.with_timeout_ms(timeout).with_validate_only(asked.iter().all(|it| it.check)))
        };
        let answer = match client.call(Target::Controller, deadline, build).await {
            Ok(it) => it,
            Err(trouble) => return all(asked.len(), &trouble),
        };
        let said = answer.topics.into_iter().map(|it| {
            let message = it.error_message.as_ref().map(ToString::to_string);
            (it.name.to_string(), it.error_code, message, it)
        });
        answers(client, "CREATE", asked, said, |asked, told| created(&asked.spec.name, told))
    }
}

fn creatable(spec: &TopicSpec, version: i16) -> Result<CreatableTopic, KafkaError> {
    if version < 4 && (spec.partitions.is_none() || spec.replication_factor.is_none()) {
        let what = "default numbers of partitions and replicas for new topics (Kafka 2.4): give both";
        return Err(KafkaError::Unsupported(what.to_owned()));
    }
    let config = |(key, value): (&String, &String)| {
        CreatableTopicConfig::default().with_name(wire_text(key)).with_value(Some(wire_text(value)))
    };
    Ok(CreatableTopic::default()
        .with_name(wire_name(&spec.name))
        .with_num_partitions(spec.partitions.unwrap_or(-1))
        .with_replication_factor(spec.replication_factor.unwrap_or(-1))
        .with_configs(spec.config.iter().map(config).collect()))
}

fn created(name: &TopicName, told: CreatableTopicResult) -> Created {
    // The codec leaves -1 where the version has no such field, as the broker does where the caller may not see it.
    let Some(configs) = told.configs.filter(|_| 0 < told.num_partitions) else { return Created::Untold };
    let entries = configs.into_iter().map(|it| {
        let value = it.value.filter(|_| !it.is_sensitive).map(|it| it.to_string());
        (it.name.to_string(), ConfigEntry { value, overridden: it.config_source == SET_BY_TOPIC })
    });
    Created::Told(Topic {
        name: name.clone(),
        id: topic_id(told.topic_id.as_bytes()),
        partitions: told.num_partitions,
        replication_factor: told.replication_factor,
        config: Some(entries.collect()),
    })
}

/// The growth of a topic, or the question whether it would succeed.
pub(super) struct Grow {
    pub(super) name: TopicName,
    pub(super) count: i32,
    /// Only to ask: the same for all of a queue.
    pub(super) check: bool,
}

impl Gathered for Grow {
    type Answer = ();
    type Key = TopicName;
    const CAPACITY: usize = RECORDS;

    fn key(&self) -> &TopicName {
        &self.name
    }

    fn weight(&self) -> usize {
        usize::try_from(self.count).unwrap_or(0)
    }

    async fn send(client: &Client, asked: &[Self], deadline: Instant) -> Vec<Result<(), Trouble>> {
        let topic = |it: &Self| {
            let topic = CreatePartitionsTopic::default().with_name(wire_name(&it.name));
            topic.with_count(it.count).with_assignments(None)
        };
        let request = CreatePartitionsRequest::default()
            .with_topics(asked.iter().map(topic).collect())
            .with_timeout_ms(controller_timeout(client, deadline))
            .with_validate_only(asked.iter().all(|it| it.check));
        match client.call(Target::Controller, deadline, |_| Ok(request)).await {
            Ok(answer) => {
                let said = answer
                    .results
                    .into_iter()
                    .map(|it| (it.name.to_string(), it.error_code, it.error_message.map(|it| it.to_string()), ()));
                answers(client, "ALTER", asked, said, |_, ()| ())
            }
            Err(trouble) => all(asked.len(), &trouble),
        }
    }
}

/// A change of a topic's configuration, or the question whether it would succeed.
pub(super) struct Alter {
    pub(super) name: TopicName,
    pub(super) changes: BTreeMap<String, Option<String>>,
    /// Only to ask: the same for all of a queue.
    pub(super) check: bool,
}

impl Gathered for Alter {
    type Answer = ();
    type Key = TopicName;
    const CAPACITY: usize = RECORDS;

    fn key(&self) -> &TopicName {
        &self.name
    }

    fn weight(&self) -> usize {
        self.changes.len()
    }

    async fn send(client: &Client, asked: &[Self], deadline: Instant) -> Vec<Result<(), Trouble>> {
        let config = |(key, value): (&String, &Option<String>)| {
            let config = AlterableConfig::default().with_name(wire_text(key));
            let operation = if value.is_some() { SET } else { DELETE };
            config.with_config_operation(operation).with_value(value.as_deref().map(wire_text))
        };
        let resource = |it: &Self| {
            let resource = AlterConfigsResource::default().with_resource_type(TOPIC_RESOURCE);
            let resource = resource.with_resource_name(wire_text(it.name.as_str()));
            resource.with_configs(it.changes.iter().map(config).collect())
        };
        let request = IncrementalAlterConfigsRequest::default()
            .with_resources(asked.iter().map(resource).collect())
            .with_validate_only(asked.iter().all(|it| it.check));
        match client.call(Target::Controller, deadline, |_| Ok(request)).await {
            Ok(answer) => {
                let said = answer.responses.into_iter().map(|it| {
                    (
                        it.resource_name.to_string(),
                        judgement(it.error_code),
                        it.error_message.map(|it| it.to_string()),
                        (),
                    )
                });
                answers(client, "ALTER_CONFIGS", asked, said, |_, ()| ())
            }
            Err(trouble) => all(asked.len(), &trouble),
        }
    }
}

/// Brokers before `KRaft` call a wrong value an invalid request, of which there is no other kind here.
fn judgement(code: i16) -> i16 {
    if code == ResponseError::InvalidRequest.code() { ResponseError::InvalidConfig.code() } else { code }
}

/// The deletion of a topic.
pub(super) struct Delete {
    pub(super) name: TopicName,
    /// The only topic of this name to delete, where brokers have ids.
    pub(super) id: Option<TopicId>,
}

/// The first version of the request that names topics by their ids.
const DELETES_BY_ID: i16 = 6;

impl Gathered for Delete {
    type Answer = ();
    type Key = TopicName;
    const CAPACITY: usize = 1_000;

    fn key(&self) -> &TopicName {
        &self.name
    }

    async fn send(client: &Client, asked: &[Self], deadline: Instant) -> Vec<Result<(), Trouble>> {
        let timeout = controller_timeout(client, deadline);
        let build = |version| {
            let request = DeleteTopicsRequest::default().with_timeout_ms(timeout);
            Ok(if DELETES_BY_ID <= version {
                request.with_topics(asked.iter().map(deletable).collect::<Result<_, _>>()?)
            } else {
                request.with_topic_names(asked.iter().map(|it| wire_name(&it.name)).collect())
            })
        };
        let answer = match client.call(Target::Controller, deadline, build).await {
            Ok(it) => it,
            Err(trouble) => return all(asked.len(), &trouble),
        };
        // Who may not see a topic is told its id alone, and so is who asked for one that is gone.
        let by_id: BTreeMap<TopicId, &TopicName> = asked.iter().filter_map(|it| Some((it.id?, &it.name))).collect();
        let said = answer.responses.into_iter().filter_map(|it| {
            let name = by_id.get(it.topic_id.as_bytes()).map(ToString::to_string);
            let name = name.or_else(|| Some(it.name?.to_string()))?;
            Some((name, gone_is_deleted(it.error_code), it.error_message.map(|it| it.to_string()), ()))
        });
        answers(client, "DELETE", asked, said, |_, ()| ())
    }
}

fn deletable(asked: &Delete) -> Result<DeleteTopicState, KafkaError> {
    let Some(id) = asked.id else {
        return Ok(DeleteTopicState::default().with_name(Some(wire_name(&asked.name))));
    };
    let id = id.to_vec().try_into();
    let id = id.map_err(|_| KafkaError::Unsupported(format!("the id of topic `{}`", asked.name)))?;
    Ok(DeleteTopicState::default().with_name(None).with_topic_id(id))
}

fn gone_is_deleted(code: i16) -> i16 {
    if code == ResponseError::UnknownTopicId.code() { 0 } else { code }
}

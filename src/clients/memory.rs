//! A cluster in memory, for tests: it answers as brokers do, at once, and the conformance suite holds it to that.

mod acls;
mod facts;
mod log;
mod scram_users;

use std::{
    collections::{BTreeMap, BTreeSet},
    future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
pub use log::LostAnswer;
use log::Partition;

use crate::{
    clients::kafka::{
        Answer, Broker, BrokerSetting, Cluster, ConfigEntry, ConsumerGroup, Kafka, KafkaError, Quota, QuotaEntity,
        Topic,
    },
    governance::{
        acl::{AclBinding, Principal},
        topic::{TopicName, TopicSpec},
    },
};

/// A cluster that exists in memory only.
#[derive(Debug)]
pub struct MemoryCluster {
    brokers: i16,
    /// Who calls; a super user if it is nobody.
    caller: Option<Principal>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Who calls, while a call is answered.
    caller: Option<Principal>,
    rules: BTreeSet<AclBinding>,
    quotas: BTreeMap<QuotaEntity, Quota>,
    users: scram_users::Users,
    has_no_sasl: bool,
    /// Settings of the brokers that a test made; `None` for those that they do not know.
    settings: BTreeMap<String, Option<BrokerSetting>>,
    authorizer: Authorizer,
    topics: BTreeMap<TopicName, Kept>,
    groups: BTreeMap<String, ConsumerGroup>,
    created: u128,
    denied: BTreeSet<(&'static str, TopicName)>,
    next_failure: Option<KafkaError>,
    /// By method.
    failures: BTreeMap<&'static str, KafkaError>,
    leases: BTreeMap<String, (i64, i16)>,
    lost_answer: Option<LostAnswer>,
    calls: Vec<&'static str>,
}

/// What becomes of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Authorizer {
    /// They are kept and followed.
    #[default]
    Follows,
    /// They are kept and shown, and something else decides.
    Ignores,
    /// They are taken, and neither kept nor followed.
    Forgets,
    /// There is none, so that everybody may do everything.
    Absent,
}

/// A topic.
#[derive(Debug)]
struct Kept {
    id: u128,
    partitions: i32,
    replication_factor: i16,
    config: BTreeMap<String, String>,
    is_written: bool,
    log: Partition,
}

/// What values a configuration key takes.
#[derive(Clone, Copy)]
enum Values {
    /// A whole number, not below this one.
    AtLeast(i64),
    /// A number between 0 and 1.
    Ratio,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// These words, joined with commas, or nothing.
    SomeOf(&'static [&'static str]),
    /// Any words, joined with commas.
    Words,
    /// `true` or `false`, in letters of either case.
    Boolean,
}

use Values::{AtLeast, Boolean, OneOf, Ratio, SomeOf, Words};

/// The configuration keys of topics, with the defaults of Kafka 4.
const CONFIG: &[(&str, &str, Values)] = &[
    ("cleanup.policy", "delete", SomeOf(&["compact", "delete"])),
    ("compression.type", "producer", OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"])),
    ("delete.retention.ms", "86400000", AtLeast(0)),
    ("file.delete.delay.ms", "60000", AtLeast(0)),
    ("flush.messages", "9223372036854775807", AtLeast(1)),
    ("flush.ms", "9223372036854775807", AtLeast(0)),
    ("follower.replication.throttled.replicas", "", Words),
    ("index.interval.bytes", "4096", AtLeast(0)),
    ("leader.replication.throttled.replicas", "", Words),
    ("local.retention.bytes", "-2", AtLeast(-2)),
    ("local.retention.ms", "-2", AtLeast(-2)),
    ("max.compaction.lag.ms", "9223372036854775807", AtLeast(1)),
    ("max.message.bytes", "1048588", AtLeast(0)),
    ("message.timestamp.after.max.ms", "3600000", AtLeast(0)),
    ("message.timestamp.before.max.ms", "9223372036854775807", AtLeast(0)),
    ("message.timestamp.type", "CreateTime", OneOf(&["CreateTime", "LogAppendTime"])),
    ("min.cleanable.dirty.ratio", "0.5", Ratio),
    ("min.compaction.lag.ms", "0", AtLeast(0)),
    ("min.insync.replicas", "1", AtLeast(1)),
    ("preallocate", "false", Boolean),
    ("remote.storage.enable", "false", Boolean),
    ("retention.bytes", "-1", AtLeast(-1)),
    ("retention.ms", "604800000", AtLeast(-1)),
    ("segment.bytes", "1073741824", AtLeast(1_048_576)),
    ("segment.index.bytes", "10485760", AtLeast(4)),
    ("segment.jitter.ms", "0", AtLeast(0)),
    ("segment.ms", "604800000", AtLeast(1)),
    ("unclean.leader.election.enable", "false", Boolean),
];

impl Values {
    /// A value as brokers show it; `None` if they refuse it.
    fn read(self, value: &str) -> Option<String> {
        let value = value.trim();
        match self {
            AtLeast(least) => value.parse::<i64>().ok().filter(|it| least <= *it).map(|it| it.to_string()),
            Ratio => value.parse::<f64>().ok().filter(|it| (0.0..=1.0).contains(it)).map(shown),
            OneOf(words) => words.contains(&value).then(|| value.to_owned()),
            SomeOf(_) if value.is_empty() => Some(String::new()),
            SomeOf(words) => value.split(',').all(|it| words.contains(&it.trim())).then(|| joined(value)),
            Words => Some(joined(value)),
            Boolean => Some(value.to_ascii_lowercase()).filter(|it| it == "true" || it == "false"),
        }
    }
}

/// A ratio as Java's `Double.toString` writes it.
fn shown(ratio: f64) -> String {
    if ratio == 0.0 || 0.001 <= ratio {
        return format!("{ratio:?}");
    }
    let text = format!("{ratio:E}");
    if text.contains('.') { text } else { text.replace('E', ".0E") }
}

/// A list without spaces, and without the words that were there before.
fn joined(list: &str) -> String {
    let mut res = Vec::new();
    for it in list.split(',').map(str::trim) {
        if !res.contains(&it) {
            res.push(it);
        }
    }
    res.join(",")
}

impl MemoryCluster {
    /// An empty cluster of so many brokers, which its id tells.
    pub fn new(brokers: i16) -> Self {
        Self { brokers, caller: None, state: Arc::default() }
    }

    /// Denies a Kafka operation, such as `DESCRIBE`, on a topic from now on.
    pub fn deny(&self, operation: &'static str, name: &TopicName) {
        self.state().denied.insert((operation, name.clone()));
    }

    /// Fails the next call with this error.
    pub fn fail_next(&self, error: KafkaError) {
        self.state().next_failure = Some(error);
    }

    /// Fails the next call of this method with this error.
    pub fn fail(&self, call: &'static str, error: KafkaError) {
        self.state().failures.insert(call, error);
    }

    /// Writes a record to a topic, as a producer does.
    pub fn write(&self, name: &TopicName) {
        if let Some(it) = self.state().topics.get_mut(name) {
            it.is_written = true;
        }
    }

    /// Has a consumer group from now on.
    pub fn add_group(&self, group: ConsumerGroup) {
        self.state().groups.insert(group.id.clone(), group);
    }

    /// The methods that were called, in their order.
    pub fn calls(&self) -> Vec<&'static str> {
        self.state().calls.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer<T: Send + 'static>(
        &self,
        call: &'static str,
        answer: impl FnOnce(&mut State) -> Result<T, KafkaError>,
    ) -> Answer<'_, T> {
        let mut state = self.state();
        state.calls.push(call);
        state.caller.clone_from(&self.caller);
        let res = match state.next_failure.take().or_else(|| state.failures.remove(call)) {
            Some(error) => Err(error),
            None => answer(&mut state),
        };
        drop(state);
        Box::pin(future::ready(res))
    }

    /// What a creation would make.
    fn admit(&self, state: &State, spec: &TopicSpec) -> Result<Kept, KafkaError> {
        state.allow("CREATE", &spec.name)?;
        if state.topics.contains_key(&spec.name) {
            return Err(KafkaError::TopicExists(spec.name.to_string()));
        }
        if let Some(other) = state.topics.keys().find(|it| it.metric_name() == spec.name.metric_name()) {
            let message = format!("topic `{}` collides with existing topic `{other}`", spec.name);
            return Err(refused("INVALID_TOPIC_EXCEPTION", message));
        }
        let partitions = spec.partitions.unwrap_or(1);
        if partitions < 1 {
            return Err(refused("INVALID_PARTITIONS", "a topic has at least one partition"));
        }
        let replication_factor = spec.replication_factor.unwrap_or(1);
        if !(1..=self.brokers).contains(&replication_factor) {
            return Err(refused("INVALID_REPLICATION_FACTOR", format!("there are {} brokers", self.brokers)));
        }
        let config = spec.config.iter().map(|(key, value)| Ok((key.clone(), read(key, value)?)));
        Ok(Kept {
            id: state.created + 1,
            partitions,
            replication_factor,
            config: config.collect::<Result<_, KafkaError>>()?,
            is_written: false,
            log: Partition::default(),
        })
    }
}

impl State {
    fn kept(&mut self, name: &TopicName) -> Result<&mut Kept, KafkaError> {
        self.topics.get_mut(name).ok_or_else(|| KafkaError::NoTopic(name.to_string()))
    }

    fn describe(&self, name: &TopicName) -> Result<Option<Topic>, KafkaError> {
        self.allow("DESCRIBE", name)?;
        let Some(kept) = self.topics.get(name) else { return Ok(None) };
        let mut topic = kept.topic(name);
        topic.config = topic.config.filter(|_| self.allow("DESCRIBE_CONFIGS", name).is_ok());
        Ok(Some(topic))
    }

    fn growth(&mut self, name: &TopicName, count: i32) -> Result<&mut Kept, KafkaError> {
        self.allow("ALTER", name)?;
        let kept = self.kept(name)?;
        if count < kept.partitions {
            let message =
                format!("topic `{name}` has {} partitions; {count} would not be an increase", kept.partitions);
            return Err(refused("INVALID_PARTITIONS", message));
        }
        Ok(kept)
    }

    /// The topic to alter, and the changes as it will have them.
    fn alteration(
        &mut self,
        name: &TopicName,
        changes: &BTreeMap<String, Option<String>>,
    ) -> Result<(&mut Kept, BTreeMap<String, Option<String>>), KafkaError> {
        self.allow("ALTER_CONFIGS", name)?;
        let kept = self.kept(name)?;
        let change = |(key, value): (&String, &Option<String>)| {
            let value = value.as_deref().map(|it| read(key, it)).transpose()?;
            values_of(key)?;
            Ok((key.clone(), value))
        };
        Ok((kept, changes.iter().map(change).collect::<Result<_, KafkaError>>()?))
    }
}

impl Kept {
    fn shown_id(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.id.to_be_bytes())
    }

    fn topic(&self, name: &TopicName) -> Topic {
        let entry = |(key, default, _): &(&str, &str, Values)| {
            let set = self.config.get(*key);
            let value = set.map_or(*default, String::as_str).to_owned();
            ((*key).to_owned(), ConfigEntry { value: Some(value), overridden: set.is_some() })
        };
        Topic {
            name: name.clone(),
            id: Some(self.shown_id()),
            partitions: self.partitions,
            replication_factor: self.replication_factor,
            config: Some(CONFIG.iter().map(entry).collect()),
        }
    }
}

fn refused(code: &str, message: impl Into<String>) -> KafkaError {
    KafkaError::Refused { code: code.to_owned(), message: message.into() }
}

fn values_of(key: &str) -> Result<Values, KafkaError> {
    let found = CONFIG.iter().find(|(it, _, _)| *it == key);
    let (_, _, values) = found.ok_or_else(|| refused("INVALID_CONFIG", format!("unknown topic config name: {key}")))?;
    Ok(*values)
}

/// A value as brokers show it.
fn read(key: &str, value: &str) -> Result<String, KafkaError> {
    let invalid = || refused("INVALID_CONFIG", format!("invalid value {value} for configuration {key}"));
    values_of(key)?.read(value).ok_or_else(invalid)
}

impl Kafka for MemoryCluster {
    fn cluster(&self, _: Instant) -> Answer<'_, Cluster> {
        let broker = |id: i16| Broker { id: id.into(), host: format!("broker-{id}"), port: 9092, rack: None };
        let brokers = (1..=self.brokers).map(broker).collect();
        let cluster = Cluster { id: format!("memory-{}", self.brokers), controller: Some(1), brokers };
        self.answer("cluster", |_| Ok(cluster))
    }

    fn refresh_topic<'a>(&'a self, name: &'a TopicName, _: &'a [String], _: Instant) -> Answer<'a, Option<Topic>> {
        self.answer("refresh_topic", |state| state.describe(name))
    }

    fn describe_topic<'a>(&'a self, name: &'a TopicName, _: Instant) -> Answer<'a, Option<Topic>> {
        self.answer("describe_topic", |state| state.describe(name))
    }

    fn topics(&self, _: Instant) -> Answer<'_, Vec<Topic>> {
        self.answer("topics", |state| {
            let visible = state.topics.iter().filter(|(name, _)| state.allow("DESCRIBE", name).is_ok());
            Ok(visible.map(|(name, kept)| Topic { config: None, ..kept.topic(name) }).collect())
        })
    }

    fn topic_never_written<'a>(&'a self, name: &'a TopicName, _: Instant) -> Answer<'a, bool> {
        self.answer("topic_never_written", |state| {
            state.allow("DESCRIBE", name)?;
            let kept = state.kept(name)?;
            Ok(!kept.is_written && !kept.log.is_written())
        })
    }

    fn create_topic<'a>(&'a self, spec: &'a TopicSpec, _: Instant) -> Answer<'a, Topic> {
        self.answer("create_topic", |state| {
            let kept = self.admit(state, spec)?;
            let mut topic = kept.topic(&spec.name);
            // The controller answers with the values as they were written.
            for (key, value) in &spec.config {
                if let Some(it) = topic.config.as_mut().and_then(|it| it.get_mut(key)) {
                    it.value = Some(value.clone());
                }
            }
            state.created += 1;
            state.topics.insert(spec.name.clone(), kept);
            Ok(topic)
        })
    }

    fn check_create_topic<'a>(&'a self, spec: &'a TopicSpec, _: Instant) -> Answer<'a, ()> {
        self.answer("check_create_topic", |state| self.admit(state, spec).map(drop))
    }

    fn grow_partitions<'a>(&'a self, name: &'a TopicName, count: i32, _: Instant) -> Answer<'a, ()> {
        self.answer("grow_partitions", |state| {
            state.growth(name, count)?.partitions = count;
            Ok(())
        })
    }

    fn check_grow_partitions<'a>(&'a self, name: &'a TopicName, count: i32, _: Instant) -> Answer<'a, ()> {
        self.answer("check_grow_partitions", |state| state.growth(name, count).map(drop))
    }

    fn alter_topic_config<'a>(
        &'a self,
        name: &'a TopicName,
        changes: &'a BTreeMap<String, Option<String>>,
        _: Instant,
    ) -> Answer<'a, ()> {
        self.answer("alter_topic_config", |state| {
            let (kept, changes) = state.alteration(name, changes)?;
            for (key, value) in changes {
                match value {
                    Some(value) => kept.config.insert(key, value),
                    None => kept.config.remove(&key),
                };
            }
            Ok(())
        })
    }

    fn check_alter_topic_config<'a>(
        &'a self,
        name: &'a TopicName,
        changes: &'a BTreeMap<String, Option<String>>,
        _: Instant,
    ) -> Answer<'a, ()> {
        self.answer("check_alter_topic_config", |state| state.alteration(name, changes).map(drop))
    }

    fn delete_topic<'a>(&'a self, name: &'a TopicName, id: Option<&'a str>, _: Instant) -> Answer<'a, ()> {
        self.answer("delete_topic", |state| {
            if id.is_some_and(|it| state.topics.get(name).is_none_or(|kept| kept.shown_id() != it)) {
                return Ok(());
            }
            state.allow("DELETE", name)?;
            state.topics.remove(name);
            Ok(())
        })
    }

    fn consumer_group<'a>(&'a self, group: &'a str, _: Instant) -> Answer<'a, Option<ConsumerGroup>> {
        self.answer("consumer_group", |state| Ok(state.groups.get(group).cloned()))
    }
}

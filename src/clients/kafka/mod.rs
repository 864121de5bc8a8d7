//! The port to a Kafka cluster: what the resources ask of one, and how it fails.

mod acl_requests;
mod acl_writes;
mod acls;
mod client;
mod connection;
mod consumer_groups;
mod coordinators;
mod error;
mod facts;
mod frame;
mod log;
mod log_reads;
mod log_writes;
mod names;
mod own_writes;
mod queue;
mod quotas;
mod reads;
mod records;
mod requests;
mod sasl;
mod scram_users;
mod settings;
mod snapshot;
mod tls;
mod topic_reads;
mod topic_writes;
mod topics;
mod transactions;
mod trouble;

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

pub use acls::{AclFailures, AclFilter, Acls, ResourceFilter};
pub use client::connect;
pub use error::{ConnectProblem, KafkaError};
pub use facts::{BrokerSetting, Facts};
pub use log::{
    Append, Appended, Lease, LeaseHolder, Log, LogRead, LogRecord, NewRecord, Outcome, TRANSACTION_TIMEOUT_MS,
};
pub use names::{Listed, Names};
pub use quotas::{Quota, QuotaChanges, QuotaEntity, QuotaName, Quotas};
pub use scram_users::{
    ITERATIONS, LogIn, NewScramCredential, ScramCredentials, ScramMechanism, ScramMechanismError, ScramUsers,
};
pub use settings::{HostPort, HostPortError, KafkaSettings, Sasl, SaslMechanism, SaslMechanismError, Secret, Tls};

pub(super) use tls::{client_config, problem as tls_problem};

use crate::governance::topic::{TopicName, TopicSpec};

/// What an asynchronous method of the port answers with.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, KafkaError>> + Send + 'a>>;

/// A Kafka cluster, as the resources need it. Implemented by [`connect`]'s client on the wire, and in memory for tests;
/// one conformance suite holds both to the same answers.
///
/// Every method returns when the cluster agrees, or at the deadline with [`KafkaError::Deadline`]; retriable codes,
/// moved controllers and broken connections are the client's matter. A write whose answer was lost is settled by
/// reading back before an error is returned. Concurrent calls of one kind leave as one request.
pub trait Kafka: Acls + Facts + Log + Names + Quotas + ScramUsers + Send + Sync + fmt::Debug {
    /// The cluster itself: asked anew each time but for the id, which never changes.
    fn cluster(&self, deadline: Instant) -> Answer<'_, Cluster>;

    /// A topic, for a refresh: from a snapshot of at most 30 s, which this client's own writes invalidate. `keys` are
    /// the configuration keys that the answer must have where the topic overrides them; it may have more. `None` only
    /// if a broker, asked by name, said that there is no such topic.
    fn refresh_topic<'a>(
        &'a self,
        name: &'a TopicName,
        keys: &'a [String],
        deadline: Instant,
    ) -> Answer<'a, Option<Topic>>;

    /// A topic with its whole configuration, asked anew. `None` as for [`Kafka::refresh_topic`].
    fn describe_topic<'a>(&'a self, name: &'a TopicName, deadline: Instant) -> Answer<'a, Option<Topic>>;

    /// All topics that the caller may describe, in the order of their names and without configurations, asked anew.
    fn topics(&self, deadline: Instant) -> Answer<'_, Vec<Topic>>;

    /// Whether no record was ever written to the topic: the end offset of each partition is 0.
    fn topic_never_written<'a>(&'a self, name: &'a TopicName, deadline: Instant) -> Answer<'a, bool>;

    /// Creates a topic, and answers from the controller's reply. An existing one is [`KafkaError::TopicExists`], unless
    /// it appeared after an own request whose answer was lost, is as `spec` says and was never written.
    fn create_topic<'a>(&'a self, spec: &'a TopicSpec, deadline: Instant) -> Answer<'a, Topic>;

    /// Asks the cluster whether it would create the topic.
    fn check_create_topic<'a>(&'a self, spec: &'a TopicSpec, deadline: Instant) -> Answer<'a, ()>;

    /// Grows a topic to `count` partitions. A topic that has as many succeeds.
    fn grow_partitions<'a>(&'a self, name: &'a TopicName, count: i32, deadline: Instant) -> Answer<'a, ()>;

    /// Asks the cluster whether it would grow the topic.
    fn check_grow_partitions<'a>(&'a self, name: &'a TopicName, count: i32, deadline: Instant) -> Answer<'a, ()>;

    /// Sets the keys with a value and returns those without to the broker's default, incrementally.
    fn alter_topic_config<'a>(
        &'a self,
        name: &'a TopicName,
        changes: &'a BTreeMap<String, Option<String>>,
        deadline: Instant,
    ) -> Answer<'a, ()>;

    /// Asks the cluster whether it would alter the configuration.
    fn check_alter_topic_config<'a>(
        &'a self,
        name: &'a TopicName,
        changes: &'a BTreeMap<String, Option<String>>,
        deadline: Instant,
    ) -> Answer<'a, ()>;

    /// Deletes a topic and returns when brokers no longer show it. One that is gone already succeeds.
    ///
    /// With an id, in the form of [`Topic::id`], another topic that took the name meanwhile stays, and the call succeeds;
    /// brokers before 2.8, and those that have no ids, delete by name all the same.
    fn delete_topic<'a>(&'a self, name: &'a TopicName, id: Option<&'a str>, deadline: Instant) -> Answer<'a, ()>;

    /// A consumer group, asked anew from its coordinator. `None` if the coordinator said that there is no such group.
    fn consumer_group<'a>(&'a self, group: &'a str, deadline: Instant) -> Answer<'a, Option<ConsumerGroup>>;
}

/// A cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// `cluster.id`.
    pub id: String,
    /// Node id of the active controller, if the broker says.
    pub controller: Option<i32>,
    /// The live brokers, in the order of their node ids.
    pub brokers: Vec<Broker>,
}

/// A broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Node id.
    pub id: i32,
    /// Advertised host.
    pub host: String,
    /// Advertised port.
    pub port: u16,
    /// `broker.rack`.
    pub rack: Option<String>,
}

/// A topic as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: TopicName,
    /// Its UUID in Kafka's own form (22 characters of URL-safe base64); `None` from brokers before 2.8, which have none.
    pub id: Option<String>,
    /// Number of partitions.
    pub partitions: i32,
    /// Copies of the first partition.
    pub replication_factor: i16,
    /// The configuration that was asked for, by key. `None` if none was, or the caller may not describe it.
    pub config: Option<BTreeMap<String, ConfigEntry>>,
}

/// The value of one configuration key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEntry {
    /// The value; `None` if it is sensitive.
    pub value: Option<String>,
    /// Whether the topic itself sets it, rather than the broker or Kafka's default.
    pub overridden: bool,
}

/// A consumer group as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerGroup {
    /// Its id (`group.id`).
    pub id: String,
    /// Kafka's word for its state, such as `Empty` or `Stable`.
    pub state: String,
    /// Node id of the broker that coordinates it.
    pub coordinator: i32,
    /// Who consumes, in the order of client ids and hosts.
    pub members: Vec<GroupMember>,
}

/// A consumer in a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupMember {
    /// What it calls itself (`client.id`).
    pub client_id: String,
    /// The address that it connects from.
    pub host: String,
}

/// Locks what is never held across an await, and whose holders leave it whole even when they panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The cluster on the wire: which broker is asked, over which connection, and how often.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use kafka_protocol::messages::{MetadataRequest, MetadataResponse};
use rustls::ClientConfig;
use tokio::time::timeout_at;

use crate::{
    clients::kafka::{
        Answer, Broker, Cluster, ConnectProblem, ConsumerGroup, HostPort, Kafka, KafkaError, KafkaSettings, Topic,
        acls::Rules,
        connection::{self, Connection},
        coordinators::Coordinators,
        locked,
        log_reads::Leaders,
        own_writes::OwnWrites,
        queue::Queue,
        quotas::QuotaQueues,
        reads::Reads,
        requests::{Ask, metadata_of_brokers},
        scram_users::ScramQueues,
        tls,
        topic_reads::{Describe, Look},
        topic_writes::{Alter, Create, Delete, Grow},
        trouble::{Tries, Trouble},
    },
    governance::topic::{TopicName, TopicSpec},
};

/// How long a broker that was never reached is tried: long enough for one that is starting, and short enough for
/// somebody who waits for a wrong address to be told.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long a failure to connect that another try would not mend is the answer for everybody who asks: each would wait
/// for as long as the first otherwise.
const FAILURE_AGE: Duration = Duration::from_secs(10);

/// A client of the cluster that the settings name. Nothing is sent before the first call.
pub fn connect(settings: KafkaSettings) -> Arc<dyn Kafka> {
    Arc::new(Wired(Arc::new(Client::new(settings))))
}

/// The client behind the port.
pub(super) struct Client {
    pub(super) settings: KafkaSettings,
    tls: OnceLock<Result<Option<Arc<ClientConfig>>, ConnectProblem>>,
    directory: Mutex<Directory>,
    pub(super) coordinators: Coordinators,
    pub(super) leaders: Leaders,
    links: Mutex<BTreeMap<HostPort, Arc<Link>>>,
    preferred: tokio::sync::Mutex<Preferred>,
    requests: AtomicU64,
    pub(super) own_writes: OwnWrites,
    pub(super) reads: Reads,
    pub(super) rules: Rules,
    pub(super) quotas: QuotaQueues,
    pub(super) scram: ScramQueues,
    pub(super) looks: Queue<Look>,
    pub(super) describes: Queue<Describe>,
    pub(super) creates: Queue<Create>,
    pub(super) create_checks: Queue<Create>,
    pub(super) grows: Queue<Grow>,
    pub(super) grow_checks: Queue<Grow>,
    pub(super) alters: Queue<Alter>,
    pub(super) alter_checks: Queue<Alter>,
    pub(super) deletes: Queue<Delete>,
}

/// Which broker a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Any: the same as last time while it answers.
    Any,
    /// The controller, or the broker that forwards to it.
    Controller,
    /// The broker with this node id.
    Node(i32),
}

/// What metadata said last, and where coordinators were found since.
#[derive(Default)]
struct Directory {
    brokers: BTreeMap<i32, HostPort>,
    controller: Option<i32>,
}

/// The connection to one broker, made by one caller while the others wait.
struct Link {
    slot: tokio::sync::Mutex<Slot>,
}

struct Slot {
    connection: Option<Arc<Connection>>,
    was_reached: bool,
    first_tried: Instant,
    failure: Option<Failure>,
}

/// The broker that is asked what any of them can answer.
#[derive(Default)]
struct Preferred {
    connection: Option<Arc<Connection>>,
    failure: Option<Failure>,
}

/// When the last try to connect failed, and how.
struct Failure {
    at: Instant,
    trouble: Trouble,
}

impl Failure {
    fn new(trouble: &Trouble) -> Self {
        Self { at: Instant::now(), trouble: trouble.clone() }
    }

    /// The answer for one who asked at a time: all who waited for the try share its end, and those who come soon after
    /// share one that is final.
    fn answers(&self, asked: Instant) -> Option<Trouble> {
        let is_final = matches!(self.trouble, Trouble::Final(_));
        let is_answer = asked <= self.at || (is_final && self.at.elapsed() < FAILURE_AGE);
        is_answer.then(|| self.trouble.clone())
    }
}

impl Client {
    /// A client that has sent nothing yet.
    pub(super) fn new(settings: KafkaSettings) -> Self {
        Self {
            settings,
            tls: OnceLock::new(),
            directory: Mutex::default(),
            coordinators: Coordinators::default(),
            leaders: Leaders::default(),
            links: Mutex::default(),
            preferred: tokio::sync::Mutex::default(),
            requests: AtomicU64::new(0),
            own_writes: OwnWrites::default(),
            reads: Reads::default(),
            rules: Rules::default(),
            quotas: QuotaQueues::default(),
            scram: ScramQueues::default(),
            looks: Queue::default(),
            describes: Queue::default(),
            creates: Queue::default(),
            create_checks: Queue::default(),
            grows: Queue::default(),
            grow_checks: Queue::default(),
            alters: Queue::default(),
            alter_checks: Queue::default(),
            deletes: Queue::default(),
        }
    }

    /// Sends one request to a broker, once. `build` makes it for the version that both sides know.
    pub(super) async fn call<R: Ask>(
        &self,
        to: Target,
        deadline: Instant,
        build: impl FnOnce(i16) -> Result<R, KafkaError>,
    ) -> Result<R::Response, Trouble> {
        let answer = match in_time(deadline, self.connection_to(to, deadline)).await {
            Ok(it) => self.call_on(&it, deadline, build).await,
            Err(trouble) => Err(trouble),
        };
        if to == Target::Controller && matches!(answer, Err(Trouble::Again(_) | Trouble::Lost(_))) {
            self.forget_controller();
        }
        answer
    }

    async fn connection_to(&self, target: Target, deadline: Instant) -> Result<Arc<Connection>, Trouble> {
        match target {
            Target::Any => self.any_connection().await,
            Target::Controller => self.controller_connection(deadline).await,
            Target::Node(id) => self.node_connection(id).await,
        }
    }

    /// The version in which a request is sent to a broker, to which this connects.
    pub(super) async fn version<R: Ask>(&self, to: Target, deadline: Instant) -> Result<i16, Trouble> {
        let connection = in_time(deadline, self.connection_to(to, deadline)).await?;
        connection.version::<R>().map_err(Trouble::Final)
    }

    async fn call_on<R: Ask>(
        &self,
        connection: &Connection,
        deadline: Instant,
        build: impl FnOnce(i16) -> Result<R, KafkaError>,
    ) -> Result<R::Response, Trouble> {
        let version = connection.version::<R>().map_err(Trouble::Final)?;
        let request = build(version).map_err(Trouble::Final)?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        match connection.call(&request, version, deadline).await {
            Err(Trouble::Lost(KafkaError::Connect { problem: ConnectProblem::Closed, .. }))
                if !connection.has_answered() =>
            {
                in_time(deadline, async { Err(self.closed_at_once(connection.broker()).await) }).await
            }
            answer => answer,
        }
    }

    /// What it means that a broker accepted a connection and closed it instead of answering the first request. One that
    /// expects SASL does so; one that stops as well, and is worth another try.
    async fn closed_at_once(&self, broker: &HostPort) -> Trouble {
        let tls = match self.tls(broker) {
            Ok(tls) => tls,
            Err(error) => return Trouble::Final(error),
        };
        let link = locked(&self.links).get(broker).cloned();
        if self.settings.sasl.is_none()
            && let Some(offered) = connection::expected_sasl(broker, tls.as_ref()).await
        {
            let problem = ConnectProblem::SaslExpected { offered };
            return Trouble::Final(KafkaError::Connect { broker: broker.clone(), problem });
        }
        let error = KafkaError::Connect { broker: broker.clone(), problem: ConnectProblem::Closed };
        match link {
            Some(link) if matches!(link.slot.lock().await.judge(error.clone()), Trouble::Final(_)) => {
                Trouble::Final(error)
            }
            _ => Trouble::Lost(error),
        }
    }

    /// Asks any broker for metadata, and keeps what it says about brokers.
    pub(super) async fn metadata(
        &self,
        request: MetadataRequest,
        deadline: Instant,
    ) -> Result<MetadataResponse, Trouble> {
        let connection = in_time(deadline, self.any_connection()).await?;
        let answer = self.call_on(&connection, deadline, |_| Ok(request)).await?;
        let brokers = answer.brokers.iter().filter_map(|it| {
            let port = u16::try_from(it.port).ok()?;
            Some((it.node_id.0, HostPort { host: it.host.to_string(), port }))
        });
        let brokers = brokers.collect();
        let controller = Some(answer.controller_id.0).filter(|it| 0 <= *it);
        *locked(&self.directory) = Directory { brokers, controller };
        Ok(answer)
    }

    /// Keeps where a broker is, as another answer than metadata told it.
    pub(super) fn learn_broker(&self, id: i32, address: HostPort) {
        locked(&self.directory).brokers.insert(id, address);
    }

    /// Whether a broker's address is known.
    pub(super) fn knows_broker(&self, id: i32) -> bool {
        locked(&self.directory).brokers.contains_key(&id)
    }

    /// Asks for the controller anew before the next request to it.
    pub(super) fn forget_controller(&self) {
        locked(&self.directory).controller = None;
    }

    async fn any_connection(&self) -> Result<Arc<Connection>, Trouble> {
        let asked = Instant::now();
        let mut preferred = self.preferred.lock().await;
        if let Some(it) = preferred.connection.as_ref().filter(|it| it.is_open()) {
            return Ok(it.clone());
        }
        if let Some(trouble) = preferred.failure.as_ref().and_then(|it| it.answers(asked)) {
            return Err(trouble);
        }
        *preferred = Preferred::default();
        let mut last = None;
        for broker in self.candidates() {
            match self.connection(&broker).await {
                Ok(connection) => {
                    preferred.connection = Some(connection.clone());
                    return Ok(connection);
                }
                // What is wrong with the settings is wrong everywhere, but one address of several may be outdated.
                Err(trouble) => last = Some(trouble),
            }
        }
        let nobody = || Trouble::Final(KafkaError::Unsupported("a client without bootstrap servers".to_owned()));
        let trouble = last.unwrap_or_else(nobody);
        preferred.failure = Some(Failure::new(&trouble));
        Err(trouble)
    }

    /// Where to ask: first where the settings say, then brokers that metadata named.
    fn candidates(&self) -> Vec<HostPort> {
        let mut res = self.settings.bootstrap_servers.clone();
        let known: BTreeSet<HostPort> = locked(&self.directory).brokers.values().cloned().collect();
        res.extend(known.into_iter().filter(|it| !self.settings.bootstrap_servers.contains(it)));
        res
    }

    async fn controller_connection(&self, deadline: Instant) -> Result<Arc<Connection>, Trouble> {
        let known = locked(&self.directory).controller;
        if let Some(id) = known {
            return self.node_connection(id).await;
        }
        let id = self.metadata(metadata_of_brokers(), deadline).await?.controller_id.0;
        if id < 0 {
            return Err(Trouble::Again(KafkaError::Broker {
                code: "NOT_CONTROLLER".to_owned(),
                message: "the cluster has no controller at the moment".to_owned(),
            }));
        }
        self.node_connection(id).await
    }

    async fn node_connection(&self, id: i32) -> Result<Arc<Connection>, Trouble> {
        let known = locked(&self.directory).brokers.get(&id).cloned();
        let Some(broker) = known else {
            return Err(Trouble::Again(KafkaError::Broker {
                code: "BROKER_NOT_AVAILABLE".to_owned(),
                message: format!("broker {id} is not among the live brokers"),
            }));
        };
        self.connection(&broker).await
    }

    async fn connection(&self, broker: &HostPort) -> Result<Arc<Connection>, Trouble> {
        let asked = Instant::now();
        let new = || Arc::new(Link { slot: tokio::sync::Mutex::new(Slot::new(asked)) });
        let link = locked(&self.links).entry(broker.clone()).or_insert_with(new).clone();
        let mut slot = link.slot.lock().await;
        if let Some(it) = slot.connection.as_ref().filter(|it| it.is_open()) {
            return Ok(it.clone());
        }
        if let Some(trouble) = slot.failure.as_ref().and_then(|it| it.answers(asked)) {
            return Err(trouble);
        }
        slot.failure = None;
        slot.was_reached |= slot.connection.take().is_some_and(|it| it.has_answered());
        let opened = match self.tls(broker) {
            Ok(tls) => Connection::open(broker, &self.settings, tls.as_ref()).await,
            Err(error) => Err(error),
        };
        match opened {
            Ok(connection) => {
                let connection = Arc::new(connection);
                slot.connection = Some(connection.clone());
                Ok(connection)
            }
            Err(error) => {
                let trouble = slot.judge(error);
                slot.failure = Some(Failure::new(&trouble));
                Err(trouble)
            }
        }
    }

    /// How TLS is spoken, unless plain text is.
    pub(super) fn tls(&self, broker: &HostPort) -> Result<Option<Arc<ClientConfig>>, KafkaError> {
        let made = self.tls.get_or_init(|| self.settings.tls.as_ref().map(tls::client_config).transpose());
        made.clone().map_err(|problem| KafkaError::Connect { broker: broker.clone(), problem })
    }
}

/// Waits until a caller's own deadline for what others wait for as well. What was done so far is given up, and begun
/// again by the next of them.
pub(super) async fn in_time<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    let time_is_up = |_| Err(Trouble::Again(KafkaError::Deadline("waiting for a connection".to_owned())));
    timeout_at(deadline.into(), work).await.unwrap_or_else(time_is_up)
}

impl Slot {
    fn new(first_tried: Instant) -> Self {
        Self { connection: None, was_reached: false, first_tried, failure: None }
    }

    /// Whether another try may help: for a while, or always if the broker was reached before.
    fn judge(&self, error: KafkaError) -> Trouble {
        match &error {
            KafkaError::Connect { problem, .. } if problem.may_pass() => {
                let is_worth_it = self.was_reached || self.first_tried.elapsed() < PATIENCE;
                if is_worth_it { Trouble::Again(error) } else { Trouble::Final(error) }
            }
            _ => Trouble::Final(error),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("bootstrap_servers", &self.settings.bootstrap_servers)
            .field("requests", &self.requests)
            .finish_non_exhaustive()
    }
}

/// The port's implementation: a shared client, so that a request for many callers outlives any one of them.
#[derive(Debug)]
pub(super) struct Wired(pub(super) Arc<Client>);

impl Wired {
    /// An answer, whose refusal names who asked.
    pub(super) fn told<'a, T: 'a>(
        &'a self,
        answer: impl Future<Output = Result<T, KafkaError>> + Send + 'a,
    ) -> Answer<'a, T> {
        Box::pin(async move { answer.await.map_err(|it| it.of(self.0.settings.principal.as_ref())) })
    }
}

impl Kafka for Wired {
    fn cluster(&self, deadline: Instant) -> Answer<'_, Cluster> {
        self.told(self.0.cluster(deadline))
    }

    fn refresh_topic<'a>(
        &'a self,
        name: &'a TopicName,
        keys: &'a [String],
        deadline: Instant,
    ) -> Answer<'a, Option<Topic>> {
        self.told(self.0.refresh_topic(name, keys, deadline))
    }

    fn describe_topic<'a>(&'a self, name: &'a TopicName, deadline: Instant) -> Answer<'a, Option<Topic>> {
        self.told(self.0.describe_topic(name, deadline))
    }

    fn topics(&self, deadline: Instant) -> Answer<'_, Vec<Topic>> {
        self.told(self.0.topics(deadline))
    }

    fn topic_never_written<'a>(&'a self, name: &'a TopicName, deadline: Instant) -> Answer<'a, bool> {
        self.told(self.0.topic_never_written(name, deadline))
    }

    fn create_topic<'a>(&'a self, spec: &'a TopicSpec, deadline: Instant) -> Answer<'a, Topic> {
        self.told(self.0.create_topic(spec, deadline))
    }

    fn check_create_topic<'a>(&'a self, spec: &'a TopicSpec, deadline: Instant) -> Answer<'a, ()> {
        self.told(self.0.check_create_topic(spec, deadline))
    }

    fn grow_partitions<'a>(&'a self, name: &'a TopicName, count: i32, deadline: Instant) -> Answer<'a, ()> {
        self.told(self.0.grow_partitions(name, count, deadline))
    }

    fn check_grow_partitions<'a>(&'a self, name: &'a TopicName, count: i32, deadline: Instant) -> Answer<'a, ()> {
        self.told(self.0.check_grow_partitions(name, count, deadline))
    }

    fn alter_topic_config<'a>(
        &'a self,
        name: &'a TopicName,
        changes: &'a BTreeMap<String, Option<String>>,
        deadline: Instant,
    ) -> Answer<'a, ()> {
        self.told(self.0.alter_topic_config(name, changes, deadline))
    }

    fn check_alter_topic_config<'a>(
        &'a self,
        name: &'a TopicName,
        changes: &'a BTreeMap<String, Option<String>>,
        deadline: Instant,
    ) -> Answer<'a, ()> {
        self.told(self.0.check_alter_topic_config(name, changes, deadline))
    }

    fn delete_topic<'a>(&'a self, name: &'a TopicName, id: Option<&'a str>, deadline: Instant) -> Answer<'a, ()> {
        self.told(self.0.delete_topic(name, id, deadline))
    }

    fn consumer_group<'a>(&'a self, group: &'a str, deadline: Instant) -> Answer<'a, Option<ConsumerGroup>> {
        self.told(self.0.consumer_group(group, deadline))
    }
}

impl Client {
    async fn cluster(&self, deadline: Instant) -> Result<Cluster, KafkaError> {
        let mut tries = Tries::new(deadline, || "reading the cluster".to_owned());
        let (id, answer) = loop {
            let trouble = match self.metadata(metadata_of_brokers(), deadline).await {
                Ok(answer) => match answer.cluster_id.as_ref().filter(|it| !it.is_empty()) {
                    Some(id) => break (id.to_string(), answer),
                    None => Trouble::Again(KafkaError::Broker {
                        code: "BROKER_NOT_AVAILABLE".to_owned(),
                        message: "the broker does not know the cluster's id yet".to_owned(),
                    }),
                },
                Err(trouble) => trouble,
            };
            tries.next(trouble).await?;
        };
        let brokers = answer.brokers.iter().filter_map(|it| {
            let rack = it.rack.as_ref().map(ToString::to_string);
            Some(Broker { id: it.node_id.0, host: it.host.to_string(), port: u16::try_from(it.port).ok()?, rack })
        });
        let mut brokers: Vec<Broker> = brokers.collect();
        brokers.sort_by_key(|it| it.id);
        Ok(Cluster { id, controller: Some(answer.controller_id.0).filter(|it| 0 <= *it), brokers })
    }
}

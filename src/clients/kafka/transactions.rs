//! Writing to several topics in one transaction, as Kafka has it since 0.11: the coordinator of a transactional id gives
//! out leases and hears of each partition before it is written to.
//!
//! Where the cluster has KIP-890's second part (`transaction.version` 2, Kafka 4.0; see [`BY_BROKERS`]), brokers add
//! partitions by themselves, which saves a round trip, and change the epoch with each transaction.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
    time::{Duration, Instant},
};

use crate::{
    clients::kafka::{
        KafkaError,
        client::{Client, Target},
        coordinators::Coordinated,
        log::{Append, Appended, Lease, LeaseHolder, Outcome, TRANSACTION_TIMEOUT_MS},
        records,
        requests::{wire_name, wire_text},
        trouble::{Asked, Tries, Trouble},
    },
    governance::{record::Timestamp, topic::TopicName},
};
use bytes::Bytes;
use kafka_protocol::{
    error::ResponseError,
    messages::{
        AddPartitionsToTxnRequest, DescribeTransactionsRequest, EndTxnRequest, InitProducerIdRequest, ProduceRequest,
        ProducerId, TransactionalId,
        add_partitions_to_txn_request::AddPartitionsToTxnTopic,
        produce_request::{PartitionProduceData, TopicProduceData},
        produce_response::PartitionProduceResponse,
    },
};

/// The first version of [`ProduceRequest`] with which brokers tell the coordinator themselves what is written to, and the
/// first of [`EndTxnRequest`] that answers with the epoch for the next transaction. Both come with the same level of a
/// cluster's feature: see [`Connection`](super::connection::Connection).
pub(super) const BY_BROKERS: (i16, i16) = (12, 5);

/// Acknowledged by all replicas that are in sync.
pub(super) const BY_ALL: i16 = -1;

/// How long a leader waits for its replicas.
pub(super) const REPLICATION_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a step of a transaction was not done.
enum Obstacle {
    /// The lease is gone.
    Fenced,
    /// Anything else.
    Trouble(Trouble),
}

impl From<Trouble> for Obstacle {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl Client {
    pub(super) async fn take_lease(&self, id: &str, deadline: Instant) -> Result<Lease, KafkaError> {
        let mut tries = Tries::new(deadline, || format!("taking the lease `{id}`"));
        loop {
            match self.init_producer(id, deadline).await {
                Ok(lease) => return Ok(lease),
                Err(trouble) => tries.next(self.astray(id, trouble)).await?,
            }
        }
    }

    async fn init_producer(&self, id: &str, deadline: Instant) -> Result<Lease, Trouble> {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(transactional_id(id)))
            .with_transaction_timeout_ms(TRANSACTION_TIMEOUT_MS)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1);
        let coordinator = self.coordinator(Coordinated::Transaction, id, deadline).await?;
        let answer = self.call(Target::Node(coordinator), deadline, |_| Ok(request)).await?;
        match obstacle(answer.error_code, None, Asked { operation: "WRITE", name: id }) {
            None => {
                let (producer_id, epoch) = (answer.producer_id.0, answer.producer_epoch);
                Ok(Lease { id: id.to_owned(), producer_id, epoch, sequences: BTreeMap::new() })
            }
            // Another one takes it at this moment.
            Some(Obstacle::Fenced) => Err(busy(answer.error_code)),
            Some(Obstacle::Trouble(trouble)) => Err(trouble),
        }
    }

    pub(super) async fn lease_holder(&self, id: &str, deadline: Instant) -> Result<Option<LeaseHolder>, KafkaError> {
        let mut tries = Tries::new(deadline, || format!("looking at the lease `{id}`"));
        loop {
            match self.described_holder(id, deadline).await {
                Ok(holder) => return Ok(holder),
                Err(Trouble::Final(KafkaError::Unsupported(_))) => return Ok(None),
                Err(trouble) => tries.next(self.astray(id, trouble)).await?,
            }
        }
    }

    async fn described_holder(&self, id: &str, deadline: Instant) -> Result<Option<LeaseHolder>, Trouble> {
        let request = DescribeTransactionsRequest::default().with_transactional_ids(vec![transactional_id(id)]);
        let coordinator = self.coordinator(Coordinated::Transaction, id, deadline).await?;
        let answer = self.call(Target::Node(coordinator), deadline, |_| Ok(request)).await?;
        let found = answer.transaction_states.into_iter().next().ok_or_else(|| unanswered(id))?;
        if found.error_code == ResponseError::TransactionalIdNotFound.code() {
            return Ok(None);
        }
        let asked = Asked { operation: "DESCRIBE", name: id };
        if let Some(trouble) = Trouble::of_code(found.error_code, None, asked) {
            return Err(trouble);
        }
        let is_writing = !["Empty", "CompleteCommit", "CompleteAbort"].contains(&found.transaction_state.as_str());
        Ok(Some(LeaseHolder { producer_id: found.producer_id.0, epoch: found.producer_epoch, is_writing }))
    }

    /// Has the coordinator asked for anew, unless it is the right one and busy.
    fn astray(&self, id: &str, trouble: Trouble) -> Trouble {
        let is_busy = matches!(&trouble, Trouble::Again(KafkaError::Broker { code, .. }) if code == BUSY);
        if !is_busy {
            self.forget_coordinator(Coordinated::Transaction, id);
        }
        trouble
    }

    pub(super) async fn append_to_logs(
        &self,
        lease: &mut Lease,
        appends: &[Append],
        deadline: Instant,
    ) -> Result<Outcome, KafkaError> {
        if !self.add_to_transaction(lease, appends, deadline).await? {
            return Ok(Outcome::Fenced);
        }
        let written = match self.write_all(lease, appends, deadline).await {
            Ok(Some(written)) => written,
            Ok(None) => return Ok(Outcome::Fenced),
            Err(error) => {
                // Some topics may have been written to. An open transaction would keep readers waiting until the broker
                // aborts it, which it does if this is not heard.
                let _ = self.end(lease, false, deadline).await;
                return Err(error);
            }
        };
        let is_elsewhere = |(append, it): (&Append, &Appended)| append.at.is_some_and(|at| at != it.offset);
        if appends.iter().zip(&written).any(is_elsewhere) {
            return self.abort(lease, deadline).await;
        }
        let before = lease.epoch_of_producer();
        let outcome = self.commit(lease, appends, written, deadline).await?;
        // Each epoch counts its records from the beginning.
        let counted = if lease.epoch_of_producer() == before { appends } else { &[] };
        for it in counted {
            let written = i32::try_from(it.records.len()).unwrap_or(i32::MAX);
            let sequence = lease.sequences.entry(it.topic.clone()).or_default();
            *sequence = sequence.saturating_add(written);
        }
        Ok(outcome)
    }

    /// Tells the coordinator what the transaction is going to write to; `false` if the lease is gone.
    async fn add_to_transaction(
        &self,
        lease: &Lease,
        appends: &[Append],
        deadline: Instant,
    ) -> Result<bool, KafkaError> {
        let mut tries = Tries::new(deadline, || format!("beginning a transaction of `{}`", lease.id));
        loop {
            match self.add_once(lease, appends, deadline).await {
                Ok(()) => return Ok(true),
                Err(Obstacle::Fenced) => return Ok(false),
                Err(Obstacle::Trouble(trouble)) => {
                    let trouble = self.patient_with_one_of(appends.iter().map(|it| &it.topic), trouble);
                    tries.next(self.astray(&lease.id, trouble)).await?;
                }
            }
        }
    }

    async fn add_once(&self, lease: &Lease, appends: &[Append], deadline: Instant) -> Result<(), Obstacle> {
        let topic =
            |it: &Append| AddPartitionsToTxnTopic::default().with_name(wire_name(&it.topic)).with_partitions(vec![0]);
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(transactional_id(&lease.id))
            .with_v3_and_below_producer_id(ProducerId(lease.producer_id))
            .with_v3_and_below_producer_epoch(lease.epoch)
            .with_v3_and_below_topics(appends.iter().map(topic).collect());
        let coordinator = self.coordinator(Coordinated::Transaction, &lease.id, deadline).await?;
        if self.brokers_add(coordinator, appends, deadline).await? {
            return Ok(());
        }
        let answer = self.call(Target::Node(coordinator), deadline, |_| Ok(request)).await?;
        for topic in &answer.results_by_topic_v3_and_below {
            for partition in &topic.results_by_partition {
                let code = partition.partition_error_code;
                // Where one topic is refused, the others answer that they were not tried.
                if code == ResponseError::OperationNotAttempted.code() {
                    continue;
                }
                let is_of_id = code == ResponseError::TransactionalIdAuthorizationFailed.code();
                let name = if is_of_id { &lease.id } else { topic.name.as_str() };
                obstacle(code, None, Asked { operation: "WRITE", name }).map_or(Ok(()), Err)?;
            }
        }
        Ok(())
    }

    /// Whether all brokers that take part tell the coordinator themselves. In a cluster whose feature was raised a moment
    /// ago, some connections may be older than that.
    async fn brokers_add(&self, coordinator: i32, appends: &[Append], deadline: Instant) -> Result<bool, Trouble> {
        let mut nodes = BTreeSet::from([coordinator]);
        for it in appends {
            nodes.insert(self.leader(&it.topic, deadline).await?);
        }
        for node in nodes {
            if self.version::<ProduceRequest>(Target::Node(node), deadline).await? < BY_BROKERS.0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes to all topics at once. A request whose answer was lost is sent again as it was, which brokers recognize.
    async fn write_all(
        &self,
        lease: &Lease,
        appends: &[Append],
        deadline: Instant,
    ) -> Result<Option<Vec<Appended>>, KafkaError> {
        let mut batches = BTreeMap::new();
        for it in appends {
            let batch = records::encode(lease, lease.sequences.get(&it.topic).copied().unwrap_or(0), &it.records)
                .map_err(KafkaError::Unsupported)?;
            batches.insert(it.topic.clone(), batch);
        }
        let mut written: BTreeMap<TopicName, Appended> = BTreeMap::new();
        let mut tries = Tries::new(deadline, || format!("writing in a transaction of `{}`", lease.id));
        loop {
            match self.write_once(lease, &mut batches, &mut written, deadline).await {
                Ok(()) => return Ok(Some(appends.iter().filter_map(|it| written.get(&it.topic).copied()).collect())),
                Err(Obstacle::Fenced) => return Ok(None),
                Err(Obstacle::Trouble(trouble)) => {
                    for topic in batches.keys() {
                        self.forget_leader(topic);
                    }
                    tries.next(self.patient_with_one_of(batches.keys(), trouble)).await?;
                }
            }
        }
    }

    /// Sends the batches, one request to each leader, and moves what was written from the one to the other.
    async fn write_once(
        &self,
        lease: &Lease,
        batches: &mut BTreeMap<TopicName, Bytes>,
        written: &mut BTreeMap<TopicName, Appended>,
        deadline: Instant,
    ) -> Result<(), Obstacle> {
        let mut by_leader: BTreeMap<i32, Vec<TopicProduceData>> = BTreeMap::new();
        for (topic, batch) in batches.iter() {
            let partition = PartitionProduceData::default().with_index(0).with_records(Some(batch.clone()));
            let data = TopicProduceData::default().with_name(wire_name(topic)).with_partition_data(vec![partition]);
            by_leader.entry(self.leader(topic, deadline).await?).or_default().push(data);
        }
        let requests = by_leader.into_iter().map(|(leader, topics)| async move {
            let request = ProduceRequest::default()
                .with_transactional_id(Some(transactional_id(&lease.id)))
                .with_acks(BY_ALL)
                .with_timeout_ms(i32::try_from(REPLICATION_TIMEOUT.as_millis()).unwrap_or(i32::MAX))
                .with_topic_data(topics);
            self.call(Target::Node(leader), deadline, |_| Ok(request)).await
        });
        let mut first = None;
        for answer in all(requests).await {
            let topics = match answer {
                Ok(answer) => answer.responses,
                Err(trouble) => {
                    first = first.or(Some(trouble.into()));
                    continue;
                }
            };
            for (topic, partition) in
                topics.iter().filter_map(|it| Some((it.name.as_str(), it.partition_responses.first()?)))
            {
                let asked = Asked { operation: "WRITE", name: topic };
                if let Some(it) = obstacle(partition.error_code, partition.error_message.as_deref(), asked) {
                    first = first.or(Some(it));
                } else if let Some(topic) = batches.keys().find(|it| it.as_str() == topic).cloned() {
                    batches.remove(&topic);
                    written.insert(topic, appended(partition));
                }
            }
        }
        match first {
            Some(it) => Err(it),
            None if batches.is_empty() => Ok(()),
            None => Err(unanswered(&lease.id).into()),
        }
    }

    async fn commit(
        &self,
        lease: &mut Lease,
        appends: &[Append],
        written: Vec<Appended>,
        deadline: Instant,
    ) -> Result<Outcome, KafkaError> {
        let id = lease.id.clone();
        let mut tries = Tries::new(deadline, || format!("committing a transaction of `{id}`"));
        let mut is_lost = false;
        loop {
            let trouble = match self.end(lease, true, deadline).await {
                Ok(()) if self.are_committed(appends, &written, deadline).await => {
                    return Ok(Outcome::Committed(written));
                }
                Ok(()) => return Ok(Outcome::Unknown),
                // Whoever fenced this writer did so after a commit of which the answer was lost, or before.
                Err(Obstacle::Fenced) if is_lost => return Ok(Outcome::Unknown),
                Err(Obstacle::Fenced) => return Ok(Outcome::Fenced),
                Err(Obstacle::Trouble(trouble)) => trouble,
            };
            is_lost |= trouble.is_lost() || may_be_done(&trouble);
            match tries.next(self.astray(&id, trouble)).await {
                Ok(()) => {}
                Err(_) if is_lost => return Ok(Outcome::Unknown),
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the topics know that a transaction was committed. A coordinator that restarts may take those without a
    /// leader for deleted ones and forget them (KAFKA-20734, seen with 4.3.1), and what was written to them is aborted by
    /// whoever writes next. Who may not read believes the coordinator.
    async fn are_committed(&self, appends: &[Append], written: &[Appended], deadline: Instant) -> bool {
        let ends = appends.iter().zip(written).map(|(to, it)| self.is_committed(&to.topic, it.offset, deadline));
        all(ends).await.iter().all(|it| matches!(it, Ok(true) | Err(KafkaError::Denied { .. })))
    }

    /// Takes back what was written. If that cannot be said, the next lease does it.
    async fn abort(&self, lease: &mut Lease, deadline: Instant) -> Result<Outcome, KafkaError> {
        let id = lease.id.clone();
        let mut tries = Tries::new(deadline, || format!("aborting a transaction of `{id}`"));
        loop {
            match self.end(lease, false, deadline).await {
                Ok(()) => return Ok(Outcome::Elsewhere),
                Err(Obstacle::Fenced) => return Ok(Outcome::Fenced),
                Err(Obstacle::Trouble(trouble)) => tries.next(self.astray(&id, trouble)).await?,
            }
        }
    }

    async fn end(&self, lease: &mut Lease, is_committed: bool, deadline: Instant) -> Result<(), Obstacle> {
        let request = EndTxnRequest::default()
            .with_transactional_id(transactional_id(&lease.id))
            .with_producer_id(ProducerId(lease.producer_id))
            .with_producer_epoch(lease.epoch)
            .with_committed(is_committed);
        let coordinator = self.coordinator(Coordinated::Transaction, &lease.id, deadline).await?;
        let answer = self.call(Target::Node(coordinator), deadline, |_| Ok(request)).await?;
        if let Some(it) = obstacle(answer.error_code, None, Asked { operation: "WRITE", name: &lease.id }) {
            return Err(it);
        }
        if 0 <= answer.producer_id.0 {
            (lease.producer_id, lease.epoch) = (answer.producer_id.0, answer.producer_epoch);
            lease.sequences.clear();
        }
        Ok(())
    }
}

impl Lease {
    fn epoch_of_producer(&self) -> (i64, i16) {
        (self.producer_id, self.epoch)
    }
}

/// `CONCURRENT_TRANSACTIONS`: the coordinator is still ending the transaction before.
const BUSY: &str = "CONCURRENT_TRANSACTIONS";

/// What a code means in a transaction; `None` for success.
fn obstacle(code: i16, message: Option<&str>, asked: Asked<'_>) -> Option<Obstacle> {
    use ResponseError as R;
    match R::try_from_code(code)? {
        // Brokers before 2.7 call a fenced producer one with an invalid epoch, and forget one that was aborted for long.
        R::ProducerFenced
        | R::InvalidProducerEpoch
        | R::InvalidProducerIdMapping
        | R::InvalidTxnState
        | R::UnknownProducerId
        | R::OutOfOrderSequenceNumber
        | R::TransactionAbortable => Some(Obstacle::Fenced),
        R::ConcurrentTransactions => Some(Obstacle::Trouble(busy(code))),
        // Brokers fail so when they are asked to end a transaction while they fence its writer (seen on 4.3).
        R::UnknownServerError => {
            let (code, message) = ("UNKNOWN_SERVER_ERROR".to_owned(), format!("it failed to {}", asked.operation));
            Some(Obstacle::Trouble(Trouble::Lost(KafkaError::Broker { code, message })))
        }
        R::DuplicateSequenceNumber => None,
        _ => Trouble::of_code(code, message, asked).map(Obstacle::Trouble),
    }
}

fn busy(code: i16) -> Trouble {
    let message = format!("the coordinator is ending another transaction (code {code})");
    Trouble::Again(KafkaError::Broker { code: BUSY.to_owned(), message })
}

/// Whether a coordinator that could not say yes may have done what it was asked: one whose own log was slow says that
/// it is not available.
fn may_be_done(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Again(KafkaError::Broker { code, .. }) if code == "COORDINATOR_NOT_AVAILABLE")
}

pub(super) fn appended(partition: &PartitionProduceResponse) -> Appended {
    let time = partition.log_append_time_ms;
    Appended { offset: partition.base_offset, timestamp: (0 <= time).then_some(Timestamp(time)) }
}

fn transactional_id(id: &str) -> TransactionalId {
    TransactionalId(wire_text(id))
}

/// An answer that leaves a topic out.
fn unanswered(id: &str) -> Trouble {
    let message = format!("it did not answer for all topics of a transaction of `{id}`");
    Trouble::Final(KafkaError::Broker { code: "UNKNOWN_SERVER_ERROR".to_owned(), message })
}

/// The outputs of all futures, which run side by side, in their order.
async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<Pin<Box<F>>> = futures.map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = running.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut is_ready = true;
        for (future, output) in running.iter_mut().zip(&mut outputs).filter(|(_, output)| output.is_none()) {
            match future.as_mut().poll(context) {
                Poll::Ready(it) => *output = Some(it),
                Poll::Pending => is_ready = false,
            }
        }
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

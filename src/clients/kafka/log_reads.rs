//! Reading a topic of one partition as a log, from the broker that leads it.

use std::{collections::BTreeMap, sync::Mutex, time::Instant};

use kafka_protocol::{
    error::ResponseError,
    messages::{
        BrokerId, FetchRequest, ListOffsetsRequest,
        fetch_request::{FetchPartition, FetchTopic},
        fetch_response::PartitionData,
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
    },
};

use crate::{
    clients::kafka::{
        KafkaError,
        client::{Client, Target},
        locked,
        log::LogRead,
        records,
        requests::{metadata_of, wire_name, wire_text},
        trouble::{Asked, Tries, Trouble},
    },
    governance::topic::TopicName,
};

/// Bytes of records in one answer.
const LARGEST_READ: i32 = 8 << 20;

/// `IsolationLevel.READ_COMMITTED`.
const READ_COMMITTED: i8 = 1;

/// The timestamps that ask for the two ends of a partition.
const START: i64 = -2;
const END: i64 = -1;

/// The milliseconds that a broker waits for the end of a transaction before it answers, and how often it is asked: an end
/// that does not come is looked for elsewhere.
const LOOK_MS: i32 = 500;
const LOOKS: u32 = 5;

/// Node ids of the brokers that lead the only partitions of topics.
#[derive(Debug, Default)]
pub(super) struct Leaders(Mutex<BTreeMap<TopicName, i32>>);

impl Client {
    pub(super) async fn read_log(
        &self,
        topic: &TopicName,
        from: i64,
        deadline: Instant,
    ) -> Result<LogRead, KafkaError> {
        let mut tries = Tries::new(deadline, || format!("reading the records of topic `{topic}`"));
        loop {
            match self.read_log_once(topic, from, deadline).await {
                Ok(read) => return Ok(read),
                Err(trouble) => {
                    self.forget_leader(topic);
                    tries.next(self.patient(topic, trouble)).await?;
                }
            }
        }
    }

    async fn read_log_once(&self, topic: &TopicName, from: i64, deadline: Instant) -> Result<LogRead, Trouble> {
        let leader = Target::Node(self.leader(topic, deadline).await?);
        let partition = self.fetched(topic, leader, fetch(topic, from, LARGEST_READ), deadline).await?;
        if partition.error_code == ResponseError::OffsetOutOfRange.code() {
            let start = self.log_end(topic, leader, START, deadline).await?;
            let end = self.log_end(topic, leader, END, deadline).await?;
            return Ok(LogRead { next: from, start, end, high_watermark: end, ..LogRead::default() });
        }
        read(topic, from, partition)
    }

    /// What the leader of a log answers to a fetch of it.
    async fn fetched(
        &self,
        topic: &TopicName,
        leader: Target,
        request: FetchRequest,
        deadline: Instant,
    ) -> Result<PartitionData, Trouble> {
        let answer = self.call(leader, deadline, |_| Ok(request)).await?;
        match Trouble::of_code(answer.error_code, None, reading(topic)) {
            None => {
                // Who is throttled gets an empty answer at once, and is heard again after a while.
                let is_throttled = 0 < answer.throttle_time_ms;
                let partition = answer.responses.into_iter().flat_map(|it| it.partitions).next();
                partition
                    .ok_or_else(|| if is_throttled { Trouble::Again(KafkaError::Throttled) } else { unanswered(topic) })
            }
            Some(trouble) => Err(trouble),
        }
    }

    /// Whether the record at an offset is committed. `false` if it was aborted, or its transaction does not end.
    pub(super) async fn is_committed(&self, topic: &TopicName, at: i64, deadline: Instant) -> Result<bool, KafkaError> {
        let mut tries = Tries::new(deadline, || format!("waiting for the end of a transaction in topic `{topic}`"));
        let mut looks = 0;
        loop {
            match self.read_at(topic, at, deadline).await {
                Ok(read) if at < read.end => return Ok(read.records.iter().any(|it| it.offset == at)),
                Ok(_) if looks < LOOKS => looks += 1,
                Ok(_) => return Ok(false),
                Err(trouble) => {
                    self.forget_leader(topic);
                    tries.next(self.patient(topic, trouble)).await?;
                }
            }
        }
    }

    /// The batch at an offset, once its transaction has ended or [`LOOK_MS`] is over.
    async fn read_at(&self, topic: &TopicName, at: i64, deadline: Instant) -> Result<LogRead, Trouble> {
        let leader = Target::Node(self.leader(topic, deadline).await?);
        let request = fetch(topic, at, 1).with_max_wait_ms(LOOK_MS).with_min_bytes(1);
        read(topic, at, self.fetched(topic, leader, request, deadline).await?)
    }

    /// One end of a log.
    async fn log_end(&self, topic: &TopicName, leader: Target, which: i64, deadline: Instant) -> Result<i64, Trouble> {
        let asked = Asked { operation: "DESCRIBE", name: topic.as_str() };
        let wanted = ListOffsetsPartition::default().with_partition_index(0).with_current_leader_epoch(-1);
        let wanted =
            ListOffsetsTopic::default().with_name(wire_name(topic)).with_partitions(vec![wanted.with_timestamp(which)]);
        let request = ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![wanted]);
        let request = request.with_isolation_level(0);
        let answer = self.call(leader, deadline, |_| Ok(request)).await?;
        let partition = answer.topics.iter().flat_map(|it| &it.partitions).next().ok_or_else(|| unanswered(topic))?;
        Trouble::of_code(partition.error_code, None, asked).map_or(Ok(partition.offset), Err)
    }

    /// The broker that leads a topic's only partition.
    pub(super) async fn leader(&self, topic: &TopicName, deadline: Instant) -> Result<i32, Trouble> {
        let known = locked(&self.leaders.0).get(topic).copied();
        if let Some(id) = known {
            return Ok(id);
        }
        let asked = Asked { operation: "DESCRIBE", name: topic.as_str() };
        let answer = self.metadata(metadata_of([topic]), deadline).await?;
        let found = answer.topics.first().ok_or_else(|| unanswered(topic))?;
        if let Some(trouble) = Trouble::of_code(found.error_code, None, asked) {
            return Err(trouble);
        }
        let [partition] = &found.partitions[..] else {
            let message = format!("topic `{topic}` has {} partitions, and a log has one", found.partitions.len());
            return Err(Trouble::Final(KafkaError::Refused { code: "INVALID_PARTITIONS".to_owned(), message }));
        };
        let id = partition.leader_id.0;
        if id < 0 {
            let (code, message) = ("LEADER_NOT_AVAILABLE".to_owned(), format!("topic `{topic}` has no leader"));
            return Err(Trouble::Again(KafkaError::Broker { code, message }));
        }
        locked(&self.leaders.0).insert(topic.clone(), id);
        Ok(id)
    }

    /// Asks for a topic's leader anew before the next request to it.
    pub(super) fn forget_leader(&self, topic: &TopicName) {
        locked(&self.leaders.0).remove(topic);
    }
}

/// A fetch of the batch at an offset and of what follows, up to so many bytes, that does not wait for records to come,
/// outside of any session.
fn fetch(topic: &TopicName, from: i64, bytes: i32) -> FetchRequest {
    let partition = FetchPartition::default().with_partition(0).with_current_leader_epoch(-1).with_fetch_offset(from);
    let partition = partition.with_last_fetched_epoch(-1).with_log_start_offset(-1);
    let partition = partition.with_partition_max_bytes(bytes);
    let topic = FetchTopic::default().with_topic(wire_name(topic)).with_partitions(vec![partition]);
    FetchRequest::default()
        .with_cluster_id(None)
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(0)
        .with_min_bytes(0)
        .with_max_bytes(bytes)
        .with_isolation_level(READ_COMMITTED)
        .with_session_id(0)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
        .with_rack_id(wire_text(""))
}

fn reading(topic: &TopicName) -> Asked<'_> {
    Asked { operation: "READ", name: topic.as_str() }
}

fn read(topic: &TopicName, from: i64, partition: PartitionData) -> Result<LogRead, Trouble> {
    if let Some(trouble) = Trouble::of_code(partition.error_code, None, reading(topic)) {
        return Err(trouble);
    }
    let aborted = partition.aborted_transactions.unwrap_or_default();
    let aborted: Vec<(i64, i64)> = aborted.iter().map(|it| (it.producer_id.0, it.first_offset)).collect();
    let mut read = LogRead {
        next: from,
        start: partition.log_start_offset.max(0),
        end: partition.last_stable_offset,
        high_watermark: partition.high_watermark,
        ..LogRead::default()
    };
    records::decode(&mut read, partition.records.unwrap_or_default(), &aborted);
    Ok(read)
}

/// An answer that leaves the topic out.
fn unanswered(topic: &TopicName) -> Trouble {
    let message = format!("it said nothing about topic `{topic}`");
    Trouble::Final(KafkaError::Broker { code: "UNKNOWN_SERVER_ERROR".to_owned(), message })
}

//! The part of the port that reads and writes topics of one partition as logs: committed records in their order, and
//! several topics written in one transaction under a lease that one writer holds at a time.

use std::{collections::BTreeMap, fmt, time::Instant};

use bytes::Bytes;

use crate::{
    clients::kafka::{Answer, client::Wired},
    governance::{record::Timestamp, topic::TopicName},
};

/// Topics as logs. Deadlines, tries and errors are as [`Kafka`](super::Kafka) has them; nothing is gathered, since an
/// order is what these calls are about.
pub trait Log: Send + Sync + fmt::Debug {
    /// The committed records of a topic's only partition from an offset on, as many as one answer carries; the end is
    /// reached when [`LogRead::next`] is [`LogRead::end`]. Records of aborted transactions are left out, and an open
    /// transaction ends what is read.
    ///
    /// An offset outside of the log reads as nothing, and [`LogRead::start`] and [`LogRead::high_watermark`] say so. A
    /// topic of several partitions is refused with `INVALID_PARTITIONS`.
    fn read_log<'a>(&'a self, topic: &'a TopicName, from: i64, deadline: Instant) -> Answer<'a, LogRead>;

    /// Writes records, at least one, to a topic's only partition, outside of any transaction. When this returns, all
    /// replicas that are in sync have them. After an answer that was lost they are written again: readers tell records
    /// apart by what is in them.
    fn write_log<'a>(
        &'a self,
        topic: &'a TopicName,
        records: &'a [NewRecord],
        deadline: Instant,
    ) -> Answer<'a, Appended>;

    /// Takes the lease of a transactional id from whoever holds it: their open transaction is aborted, and they are
    /// fenced from then on. When this returns, all that was ever committed under the id, as [`Outcome::Committed`] has
    /// it, can be read.
    fn take_lease<'a>(&'a self, id: &'a str, deadline: Instant) -> Answer<'a, Lease>;

    /// Who holds a lease, without taking it. `None` if nobody ever did, or the brokers cannot tell (before Kafka 3.0).
    fn lease_holder<'a>(&'a self, id: &'a str, deadline: Instant) -> Answer<'a, Option<LeaseHolder>>;

    /// Writes to several topics in one transaction. An error means that nothing was written, nor will be. After any end
    /// but [`Outcome::Committed`] the lease is of no use any more, and what the topics had open under it is aborted if
    /// the end is [`Outcome::Elsewhere`].
    fn append_to_logs<'a>(
        &'a self,
        lease: &'a mut Lease,
        appends: &'a [Append],
        deadline: Instant,
    ) -> Answer<'a, Outcome>;
}

/// The milliseconds after which a broker aborts a transaction whose writer is silent.
pub const TRANSACTION_TIMEOUT_MS: i32 = 5000;

/// What was read of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogRead {
    /// The records, in the order of their offsets. Between two, others may have been removed.
    pub records: Vec<LogRecord>,
    /// Offsets of what is there and cannot be read, with the reason.
    pub unreadable: Vec<(i64, String)>,
    /// Where to read on.
    pub next: i64,
    /// The first offset that is kept.
    pub start: i64,
    /// Where reading ends for now: the last stable offset, before which every transaction has ended.
    pub end: i64,
    /// Where the log ends. It is more than [`LogRead::end`] while a transaction is open.
    pub high_watermark: i64,
}

impl LogRead {
    /// Whether all is read that can be.
    pub fn is_at_end(&self) -> bool {
        self.end <= self.next
    }

    /// Whether a transaction is open behind what can be read.
    pub fn is_open(&self) -> bool {
        self.end < self.high_watermark
    }
}

/// A record of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Its place.
    pub offset: i64,
    /// When the broker wrote it, where the topic has `message.timestamp.type=LogAppendTime`; when its writer says that
    /// it did, elsewhere.
    pub timestamp: Timestamp,
    /// The key.
    pub key: Option<Bytes>,
    /// The value; `None` is a tombstone in a compacted topic.
    pub value: Option<Bytes>,
}

/// The right to write under a transactional id, until the next one takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The transactional id.
    pub id: String,
    /// The id of the producer that Kafka made of it.
    pub producer_id: i64,
    /// How often the lease was taken, and on newer clusters written under.
    pub epoch: i16,
    /// How many records were written in this epoch, by topic.
    pub sequences: BTreeMap<TopicName, i32>,
}

/// Who holds a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseHolder {
    /// As [`Lease::producer_id`].
    pub producer_id: i64,
    /// As [`Lease::epoch`].
    pub epoch: i16,
    /// Whether a transaction is open, or its end is on its way.
    pub is_writing: bool,
}

/// What a transaction writes to one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// The topic, of one partition.
    pub topic: TopicName,
    /// The offset that the first record has to get; `None` for any. Where it would get another, the transaction is
    /// aborted with [`Outcome::Elsewhere`].
    pub at: Option<i64>,
    /// The records, at least one.
    pub records: Vec<NewRecord>,
}

/// A record to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewRecord {
    /// The key.
    pub key: Option<Bytes>,
    /// The value.
    pub value: Option<Bytes>,
    /// When it was made, for a topic without `LogAppendTime`; `None` for now.
    pub timestamp: Option<Timestamp>,
}

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was committed, and can be read. Where each of its [`Append`]s begins.
    Committed(Vec<Appended>),
    /// Nothing was written: another writer took the lease, or the broker's patience ended.
    Fenced,
    /// Nothing was written: a topic ends elsewhere than its [`Append::at`] said.
    Elsewhere,
    /// It was committed or it was not: the answer was lost, or the topics do not show what it said. After the next
    /// [`Log::take_lease`], reading to the end tells.
    Unknown,
}

/// Where the records of one [`Append`] begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Offset of the first.
    pub offset: i64,
    /// When the broker wrote them, where the topic has `LogAppendTime`.
    pub timestamp: Option<Timestamp>,
}

impl Log for Wired {
    fn read_log<'a>(&'a self, topic: &'a TopicName, from: i64, deadline: Instant) -> Answer<'a, LogRead> {
        self.told(self.0.read_log(topic, from, deadline))
    }

    fn write_log<'a>(
        &'a self,
        topic: &'a TopicName,
        records: &'a [NewRecord],
        deadline: Instant,
    ) -> Answer<'a, Appended> {
        Box::pin(self.0.write_log(topic, records, deadline))
    }

    fn take_lease<'a>(&'a self, id: &'a str, deadline: Instant) -> Answer<'a, Lease> {
        self.told(self.0.take_lease(id, deadline))
    }

    fn lease_holder<'a>(&'a self, id: &'a str, deadline: Instant) -> Answer<'a, Option<LeaseHolder>> {
        self.told(self.0.lease_holder(id, deadline))
    }

    fn append_to_logs<'a>(
        &'a self,
        lease: &'a mut Lease,
        appends: &'a [Append],
        deadline: Instant,
    ) -> Answer<'a, Outcome> {
        self.told(self.0.append_to_logs(lease, appends, deadline))
    }
}

//! Logs and transactions of the cluster in memory.

use std::{collections::BTreeMap, time::Instant};

use super::{Kept, MemoryCluster, State, refused};
use crate::{
    clients::{
        clock::now,
        kafka::{
            Answer, Append, Appended, KafkaError, Lease, LeaseHolder, Log, LogRead, LogRecord, NewRecord, Outcome,
        },
    },
    governance::{
        acl::{Operation, ResourceType},
        topic::TopicName,
    },
};

/// The only partition of a topic.
#[derive(Debug, Default)]
pub(super) struct Partition {
    records: Vec<LogRecord>,
    start: i64,
    end: i64,
    open: Option<Open>,
}

/// A transaction that is open.
#[derive(Debug)]
struct Open {
    /// The offset at which it begins.
    begin: i64,
    /// The lease under which it was written, where the coordinator forgot that it is open.
    lease: Option<String>,
}

/// How the next transaction ends whose answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostAnswer {
    /// It was committed.
    Committed,
    /// It was not.
    Aborted,
    /// It was, and the coordinator forgot to tell the topics, which is open in them since.
    Forgotten,
}

impl Partition {
    pub(super) fn is_written(&self) -> bool {
        0 < self.end
    }

    fn read(&self, from: i64) -> LogRead {
        let end = self.open.as_ref().map_or(self.end, |it| it.begin);
        let mut read = LogRead { next: from, start: self.start, end, high_watermark: self.end, ..LogRead::default() };
        if (self.start..end).contains(&from) {
            read.records = self.records.iter().filter(|it| (from..end).contains(&it.offset)).cloned().collect();
            read.next = end;
        }
        read
    }

    fn append(&mut self, records: &[NewRecord], has_append_time: bool) -> Appended {
        let (offset, now) = (self.end, now());
        for it in records {
            let timestamp = it.timestamp.filter(|_| !has_append_time).unwrap_or(now);
            let (key, value) = (it.key.clone(), it.value.clone());
            self.records.push(LogRecord { offset: self.end, timestamp, key, value });
            self.end += 1;
        }
        Appended { offset, timestamp: has_append_time.then_some(now) }
    }
}

impl MemoryCluster {
    /// Loses the answer to the next transaction.
    pub fn lose_next_commit(&self, answer: LostAnswer) {
        self.state().lost_answer = Some(answer);
    }

    /// Writes a record to a topic of one partition, outside of any transaction, as anybody may who has the right.
    pub fn write_record(&self, topic: &TopicName, record: NewRecord) {
        if let Some(it) = self.state().topics.get_mut(topic) {
            let has_append_time = it.has_append_time();
            it.log.append(&[record], has_append_time);
        }
    }

    /// Leaves a transaction open at the end of a topic, as another writer who stopped in the middle does, until
    /// [`MemoryCluster::close_transaction`].
    pub fn open_transaction(&self, topic: &TopicName) {
        if let Some(it) = self.state().topics.get_mut(topic) {
            it.log.open = Some(Open { begin: it.log.end, lease: None });
            it.log.end += 1;
        }
    }

    /// Ends the open transaction of a topic, and nothing of it is to be read.
    pub fn close_transaction(&self, topic: &TopicName) {
        if let Some(it) = self.state().topics.get_mut(topic) {
            it.log.open = None;
            it.log.end += 1;
        }
    }

    /// Removes the records of a topic before an offset, as `DeleteRecords` does.
    pub fn delete_records(&self, topic: &TopicName, before: i64) {
        if let Some(it) = self.state().topics.get_mut(topic) {
            it.log.records.retain(|it| before <= it.offset);
            it.log.start = before;
        }
    }

    /// Has a topic end at an offset, as an unclean election may.
    pub fn truncate(&self, topic: &TopicName, end: i64) {
        if let Some(it) = self.state().topics.get_mut(topic) {
            it.log.records.retain(|it| it.offset < end);
            it.log.end = end;
        }
    }

    /// Removes all records of a compacted topic but the last of each key.
    pub fn compact(&self, topic: &TopicName) {
        if let Some(it) = self.state().topics.get_mut(topic) {
            let keys: Vec<_> = it.log.records.iter().map(|it| it.key.clone()).collect();
            let mut at = 0;
            it.log.records.retain(|_| {
                at += 1;
                !keys[at..].contains(&keys[at - 1])
            });
        }
    }
}

impl Kept {
    fn has_append_time(&self) -> bool {
        self.config.get("message.timestamp.type").is_some_and(|it| it == "LogAppendTime")
    }
}

impl State {
    fn log(&mut self, topic: &TopicName) -> Result<&mut Kept, KafkaError> {
        let kept = self.kept(topic)?;
        if kept.partitions == 1 {
            return Ok(kept);
        }
        let message = format!("topic `{topic}` has {} partitions, and a log has one", kept.partitions);
        Err(refused("INVALID_PARTITIONS", message))
    }

    fn write(&mut self, lease: &Lease, appends: &[Append]) -> Result<Outcome, KafkaError> {
        self.permit(Operation::Write, ResourceType::TransactionalId, &lease.id)?;
        for it in appends {
            self.allow("WRITE", &it.topic)?;
            self.log(&it.topic)?;
        }
        if self.leases.get(&lease.id) != Some(&(lease.producer_id, lease.epoch)) {
            return Ok(Outcome::Fenced);
        }
        for it in appends {
            let end = self.log(&it.topic)?.log.end;
            if it.at.is_some_and(|at| at != end) {
                self.abort(lease, appends)?;
                return Ok(Outcome::Elsewhere);
            }
        }
        let lost = self.lost_answer.take();
        if lost == Some(LostAnswer::Aborted) {
            return Ok(Outcome::Unknown);
        }
        let mut res = Vec::new();
        for it in appends {
            let kept = self.log(&it.topic)?;
            let has_append_time = kept.has_append_time();
            let appended = kept.log.append(&it.records, has_append_time);
            res.push(appended);
            if lost == Some(LostAnswer::Forgotten) {
                kept.log.open = Some(Open { begin: appended.offset, lease: Some(lease.id.clone()) });
                continue;
            }
            // The marker of the commit.
            kept.log.end += 1;
        }
        Ok(if lost.is_some() { Outcome::Unknown } else { Outcome::Committed(res) })
    }

    /// Ends in topics what is open under a lease.
    fn abort(&mut self, lease: &Lease, appends: &[Append]) -> Result<(), KafkaError> {
        for it in appends {
            let log = &mut self.log(&it.topic)?.log;
            // Its records, and the marker of the abort.
            log.end += 1 + i64::try_from(it.records.len()).unwrap_or(i64::MAX);
            if let Some(it) = log.open.take_if(|it| it.lease.as_ref() == Some(&lease.id)) {
                log.records.retain(|record| record.offset < it.begin);
            }
        }
        Ok(())
    }
}

impl Log for MemoryCluster {
    fn read_log<'a>(&'a self, topic: &'a TopicName, from: i64, _: Instant) -> Answer<'a, LogRead> {
        self.answer("read_log", |state| {
            // Who leads a topic is told to those who may see it.
            state.allow("DESCRIBE", topic)?;
            state.log(topic)?;
            state.allow("READ", topic)?;
            Ok(state.log(topic)?.log.read(from))
        })
    }

    fn write_log<'a>(&'a self, topic: &'a TopicName, records: &'a [NewRecord], _: Instant) -> Answer<'a, Appended> {
        self.answer("write_log", |state| {
            state.allow("WRITE", topic)?;
            let kept = state.log(topic)?;
            let has_append_time = kept.has_append_time();
            Ok(kept.log.append(records, has_append_time))
        })
    }

    fn take_lease<'a>(&'a self, id: &'a str, _: Instant) -> Answer<'a, Lease> {
        self.answer("take_lease", |state| {
            state.permit(Operation::Write, ResourceType::TransactionalId, id)?;
            let producers = i64::try_from(state.leases.len()).unwrap_or(i64::MAX);
            let (producer_id, epoch) = state.leases.entry(id.to_owned()).or_insert((producers, -1));
            *epoch += 1;
            let sequences = BTreeMap::new();
            Ok(Lease { id: id.to_owned(), producer_id: *producer_id, epoch: *epoch, sequences })
        })
    }

    fn lease_holder<'a>(&'a self, id: &'a str, _: Instant) -> Answer<'a, Option<LeaseHolder>> {
        self.answer("lease_holder", |state| {
            state.permit(Operation::Describe, ResourceType::TransactionalId, id)?;
            let holder = |(producer_id, epoch): &(i64, i16)| LeaseHolder {
                producer_id: *producer_id,
                epoch: *epoch,
                is_writing: false,
            };
            Ok(state.leases.get(id).map(holder))
        })
    }

    fn append_to_logs<'a>(&'a self, lease: &'a mut Lease, appends: &'a [Append], _: Instant) -> Answer<'a, Outcome> {
        self.answer("append_to_logs", |state| state.write(lease, appends))
    }
}

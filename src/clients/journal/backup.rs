//! A journal as a file: JSON lines, from which the same journal is made in an empty cluster, with each event at its own
//! offset and of its own time, so that whoever remembers a place in it finds it again.

use std::{collections::BTreeMap, time::Instant};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::{
    clients::{
        journal::{
            CREATED, EventHash, FORM, HEAD, Head, Journal, JournalError, JournalTopics, REBOUND, Recorded, Shared,
            format::Kept,
            reading::{events, key},
        },
        kafka::{Append, KafkaError, LogRecord, NewRecord, Outcome},
    },
    governance::{
        record::{Fold, Timestamp},
        topic::TopicName,
    },
};

/// Bytes of a transaction of an import, after which it ends at the next place where one may.
const ENOUGH: usize = 64 << 10;

/// Why a file cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// A line that is none of an export's, by its number.
    #[error("line {0} is not of an export: {1}")]
    Line(usize, String),
    /// The last line is missing.
    #[error("the file is cut off: its last line is missing")]
    Cut,
    /// There are records in a topic of the journal.
    #[error("topic `{0}` is not empty: a journal is imported where there is none")]
    NotEmpty(TopicName),
    /// Another process writes at the same time, or the answer was lost.
    #[error("the import was interrupted: delete the journal's topics, and start again")]
    Interrupted,
    /// The cluster failed.
    #[error("importing the journal")]
    Journal(#[from] JournalError),
}

impl From<KafkaError> for ImportError {
    fn from(error: KafkaError) -> Self {
        Self::Journal(error.into())
    }
}

/// What a history leaves behind.
#[derive(Clone, Debug, Default)]
pub(super) struct Folded {
    pub(super) head: Head,
    pub(super) entities: BTreeMap<String, (i64, EventHash, Value)>,
    pub(super) count: usize,
}

impl Folded {
    /// Adds the next event, unless it does not follow the one before.
    pub(super) fn add(&mut self, event: &Recorded) -> Result<(), String> {
        let expected = (0 < self.count).then_some(self.head.hash);
        if event.previous != expected {
            return Err("it does not name the hash of the event before".to_owned());
        }
        let fact = |key: &str| event.event.facts.get(key).and_then(Value::as_str).map(str::to_owned);
        match (self.count, event.event.kind.as_str()) {
            (0, CREATED) => {
                self.head.journal = fact("journal").ok_or("it does not name the journal")?;
                self.head.cluster = fact("cluster").ok_or("it does not name the cluster")?;
            }
            (0, _) => return Err("it is not the genesis of a journal".to_owned()),
            (_, REBOUND) => self.head.cluster = fact("to").ok_or("it does not name the cluster")?,
            _ => {}
        }
        (self.head.offset, self.head.hash) = (event.offset, event.hash);
        self.head.min_writer = self.head.min_writer.max(event.min_writer);
        for (key, value) in &event.event.entities {
            self.entities.insert(key.clone(), (event.offset, event.hash, value.clone()));
        }
        self.count += 1;
        Ok(())
    }
}

impl<S: Fold> Journal<S> {
    /// Tells the journal line by line: a head, the events, the texts, and an end.
    ///
    /// # Errors
    /// As for [`Journal::snapshot`].
    pub async fn export(&self, deadline: Instant, mut tell: impl FnMut(&Value)) -> Result<(), JournalError> {
        let shared = &self.0;
        let head = self.snapshot(deadline).await?.head.clone();
        tell(&json!({ "export": FORM, "journal": head.journal, "cluster": head.cluster }));
        let (mut next, mut folded) = (0, Folded::default());
        loop {
            let read = shared.read_on(&shared.topics.history, next, deadline).await?;
            for (event, record) in events(&read).iter().zip(valid(&read.records)) {
                // What does not chain is none of the journal's; `verify` tells of it.
                if folded.add(event).is_ok() {
                    let value = std::str::from_utf8(record).unwrap_or_default();
                    tell(&json!({ "offset": event.offset, "at": event.at.0, "event": value }));
                }
            }
            next = read.next;
            if read.is_at_end() {
                break;
            }
        }
        for (key, value) in shared.raw(&shared.topics.text, deadline).await? {
            tell(&json!({ "key": key, "text": value }));
        }
        tell(&json!({ "end": folded.count, "hash": folded.head.hash.to_string() }));
        Ok(())
    }

    /// Makes the journal that an export tells, where there is none.
    ///
    /// # Errors
    /// What is wrong with the lines, which is found before anything is made, and those of the cluster. An import that
    /// failed in the middle leaves topics that are not taken for a journal.
    pub async fn import(&self, lines: impl Iterator<Item = String>, deadline: Instant) -> Result<Head, ImportError> {
        let parsed = Parsed::read(lines)?;
        self.0.import(&parsed, deadline).await?;
        Ok(parsed.folded.head)
    }
}

/// The values of the records that are events.
fn valid(records: &[LogRecord]) -> impl Iterator<Item = &[u8]> {
    let value = |it: &'_ LogRecord| Recorded::read(it.offset, it.timestamp, it.value.as_deref()?).ok().map(|_| ());
    records.iter().filter(move |it| value(it).is_some()).filter_map(|it| it.value.as_deref())
}

/// A file that was read and is whole.
struct Parsed {
    events: Vec<(i64, NewRecord)>,
    texts: Vec<(String, String)>,
    folded: Folded,
}

impl Parsed {
    fn read(lines: impl Iterator<Item = String>) -> Result<Self, ImportError> {
        let mut parsed = Self { events: Vec::new(), texts: Vec::new(), folded: Folded::default() };
        let mut is_whole = false;
        for (number, line) in (1..).zip(lines) {
            let wrong = |problem| ImportError::Line(number, problem);
            if is_whole {
                return Err(wrong("it comes after the end".to_owned()));
            }
            let line: Value = serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))?;
            let Value::Object(line) = line else { return Err(wrong("it is no JSON object".to_owned())) };
            is_whole = parsed.take(number, &line).map_err(wrong)?;
        }
        if is_whole { Ok(parsed) } else { Err(ImportError::Cut) }
    }

    /// Takes a line, and says whether it is the last.
    fn take(&mut self, number: usize, line: &Map<String, Value>) -> Result<bool, String> {
        let text = |key: &str| line.get(key).and_then(Value::as_str).map(str::to_owned);
        let integer = |key: &str| line.get(key).and_then(Value::as_i64);
        if let (1, Some(form)) = (number, line.get("export")) {
            let is_known = form.as_u64().is_some_and(|it| it <= FORM);
            return if is_known { Ok(false) } else { Err("it is of a newer release".to_owned()) };
        }
        if let (Some(offset), Some(at), Some(value)) = (integer("offset"), integer("at"), text("event")) {
            let event = Recorded::read(offset, Timestamp(at), value.as_bytes())?;
            if offset <= self.folded.head.offset && 0 < self.folded.count {
                return Err("it does not come after the event before".to_owned());
            }
            self.folded.add(&event)?;
            let record = NewRecord { key: None, value: Some(value.into()), timestamp: Some(Timestamp(at)) };
            self.events.push((offset, record));
            return Ok(false);
        }
        if let (Some(key), Some(text)) = (text("key"), text("text")) {
            self.texts.push((key, text));
            return Ok(false);
        }
        let end = line.get("end").and_then(Value::as_u64).ok_or("it is neither an event nor a text")?;
        if end != self.folded.count as u64 || text("hash") != Some(self.folded.head.hash.to_string()) {
            return Err("the events before are not all that were exported".to_owned());
        }
        if self.folded.count == 0 { Err("there is no event".to_owned()) } else { Ok(true) }
    }

    /// The history as transactions that put each event at its offset: what was between is filled with records that say
    /// nothing, and the marker of a transaction takes one place after its last record.
    fn transactions(&self) -> Vec<(i64, Vec<NewRecord>)> {
        let mut res = Vec::new();
        let (mut first, mut next, mut size) = (0, 0, 0);
        let mut records = Vec::new();
        for (offset, record) in &self.events {
            while next < *offset {
                if ENOUGH <= size {
                    res.push((first, std::mem::take(&mut records)));
                    (first, size) = (next + 1, 0);
                } else {
                    records.push(NewRecord { timestamp: record.timestamp, ..NewRecord::default() });
                    size += 16;
                }
                next += 1;
            }
            size += record.value.as_ref().map_or(0, Bytes::len);
            records.push(record.clone());
            next += 1;
        }
        res.push((first, records));
        res
    }
}

impl<S: Fold> Shared<S> {
    async fn import(&self, parsed: &Parsed, deadline: Instant) -> Result<(), ImportError> {
        self.prepare_topics(deadline).await?;
        for topic in self.topics.all() {
            if self.kafka.read_log(topic, 0, deadline).await?.high_watermark != 0 {
                return Err(ImportError::NotEmpty(topic.clone()));
            }
        }
        // While the history is written, its records keep the times that they had.
        self.stamp(&self.topics.history, "CreateTime", deadline).await?;
        for (first, records) in parsed.transactions() {
            let topic = self.topics.history.clone();
            self.write(Append { topic, at: Some(first), records }, deadline).await?;
        }
        self.stamp(&self.topics.history, "LogAppendTime", deadline).await?;
        for append in text_appends(&self.topics, &parsed.texts) {
            self.write(append, deadline).await?;
        }
        // The head comes last: without it, nobody takes this for a journal.
        for append in state_appends(&self.topics, &parsed.folded) {
            self.write(append, deadline).await?;
        }
        Ok(())
    }

    async fn stamp(&self, topic: &TopicName, by: &str, deadline: Instant) -> Result<(), KafkaError> {
        let changes = BTreeMap::from([("message.timestamp.type".to_owned(), Some(by.to_owned()))]);
        self.kafka.alter_topic_config(topic, &changes, deadline).await
    }

    async fn write(&self, append: Append, deadline: Instant) -> Result<(), ImportError> {
        let mut lease = self.kafka.take_lease(&self.topics.lease, deadline).await?;
        match self.kafka.append_to_logs(&mut lease, &[append], deadline).await? {
            Outcome::Committed(_) => Ok(()),
            Outcome::Fenced | Outcome::Elsewhere | Outcome::Unknown => Err(ImportError::Interrupted),
        }
    }

    /// The newest values of a compacted topic, as they are.
    pub(super) async fn raw(
        &self,
        topic: &TopicName,
        deadline: Instant,
    ) -> Result<BTreeMap<String, String>, JournalError> {
        let (mut next, mut res) = (0, BTreeMap::new());
        loop {
            let read = self.read_on(topic, next, deadline).await?;
            for record in &read.records {
                let Some(key) = key(record) else { continue };
                match record.value.as_deref().map(std::str::from_utf8) {
                    Some(Ok(value)) => res.insert(key, value.to_owned()),
                    Some(Err(_)) => continue,
                    None => res.remove(&key),
                };
            }
            next = read.next;
            if read.is_at_end() {
                return Ok(res);
            }
        }
    }
}

fn text_appends(topics: &JournalTopics, texts: &[(String, String)]) -> Vec<Append> {
    batches(&topics.text, texts.iter().map(|(key, value)| (key.as_str(), Bytes::from(value.clone()))))
}

fn state_appends(topics: &JournalTopics, folded: &Folded) -> Vec<Append> {
    let entities = folded.entities.iter();
    let entities = entities.map(|(key, (offset, hash, value))| (key.as_str(), Kept::write(*offset, *hash, value)));
    batches(&topics.state, entities.chain([(HEAD, folded.head.write())]))
}

/// Records of a compacted topic as transactions of a bearable size.
fn batches<'a>(topic: &TopicName, records: impl Iterator<Item = (&'a str, Bytes)>) -> Vec<Append> {
    let mut res: Vec<Append> = Vec::new();
    let mut size = ENOUGH;
    for (key, value) in records {
        if ENOUGH <= size {
            res.push(Append { topic: topic.clone(), at: None, records: Vec::new() });
            size = 0;
        }
        size += key.len() + value.len();
        let record = NewRecord { key: Some(key.to_owned().into()), value: Some(value), timestamp: None };
        if let Some(last) = res.last_mut() {
            last.records.push(record);
        }
    }
    res
}

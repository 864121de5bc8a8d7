//! Reading the state: all of it once, and then what came since.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    clients::{
        clock,
        journal::{
            EventHash, FORM, Head, Journal, JournalError, Quarantined, Recorded, Shared, Snapshot, Warning,
            drafting::Draft,
            format::{HEAD, Kept},
            in_time,
        },
        kafka::{KafkaError, LogRead, LogRecord},
    },
    governance::{
        record::{Fold, Timestamp},
        topic::TopicName,
    },
};

/// Between two looks at a log that does not go on as it should.
const PAUSE: Duration = Duration::from_millis(50);

/// How long a new leader of a partition may need to know how far the log was acknowledged.
const ELECTION: Duration = Duration::from_secs(3);

/// How long a transaction may be open before it is taken for one that nobody ends: the broker aborts those of our own
/// writers after 5 s, of which it takes notice every 10 s.
pub(super) const STUCK: Duration = Duration::from_secs(30);

/// Warnings that are kept.
const MOST_WARNINGS: usize = 100;

/// What was read of the state.
pub(super) struct Known<S> {
    pub(super) snapshot: Arc<Snapshot<S>>,
    /// The events that entities come from.
    pub(super) origins: BTreeMap<i64, EventHash>,
    /// Where to read on in the state topic.
    pub(super) next: i64,
    /// When the last read began; `None` before the first one ended.
    read_at: Option<Instant>,
}

impl<S: Fold> Default for Known<S> {
    fn default() -> Self {
        let head = Head { offset: -1, ..Head::default() };
        let (newest, quarantined, warnings) = (Timestamp(0), BTreeMap::new(), Vec::new());
        let snapshot = Snapshot { state: S::default(), head, newest, quarantined, warnings };
        Self { snapshot: Arc::new(snapshot), origins: BTreeMap::new(), next: 0, read_at: None }
    }
}

impl<S: Fold> Journal<S> {
    /// The journal as it is now: all that was committed before the call, and could be read by then.
    ///
    /// # Errors
    /// Every reason for which the journal is not what it was, or cannot be read. A journal that belongs to another
    /// cluster is none: see [`Journal::owner`].
    pub async fn snapshot(&self, deadline: Instant) -> Result<Arc<Snapshot<S>>, JournalError> {
        let shared = &self.0;
        let asked = Instant::now();
        let mut known = in_time(deadline, shared.known.lock()).await?;
        shared.catch_up(&mut known, asked, deadline).await?;
        Ok(known.snapshot.clone())
    }

    /// What the last [`Journal::snapshot`] told, without asking again; the first one is asked for.
    ///
    /// # Errors
    /// As for [`Journal::snapshot`].
    pub async fn told(&self, deadline: Instant) -> Result<Arc<Snapshot<S>>, JournalError> {
        let known = in_time(deadline, self.0.known.lock()).await?;
        if known.is_read() {
            return Ok(known.snapshot.clone());
        }
        drop(known);
        self.snapshot(deadline).await
    }

    /// Whether the journal belongs to the cluster in which it is. One that does not is a copy, for reading.
    ///
    /// # Errors
    /// [`JournalError::Foreign`], and those of the cluster.
    pub async fn owner(&self, snapshot: &Snapshot<S>, deadline: Instant) -> Result<(), JournalError> {
        self.0.belongs(&snapshot.head, deadline).await
    }

    /// All texts, by the keys of their entities.
    ///
    /// # Errors
    /// As for [`Journal::snapshot`].
    pub async fn texts(&self, deadline: Instant) -> Result<BTreeMap<String, serde_json::Value>, JournalError> {
        let mut texts = BTreeMap::new();
        let topic = &self.0.topics.text;
        let mut next = 0;
        loop {
            let read = self.0.read_on(topic, next, deadline).await?;
            for record in &read.records {
                let Some(key) = key(record) else { continue };
                match record.value.as_deref().map(Kept::read) {
                    Some(Ok(kept)) => texts.insert(key, kept.value),
                    Some(Err(_)) => None,
                    None => texts.remove(&key),
                };
            }
            next = read.next;
            if read.is_at_end() {
                return Ok(texts);
            }
        }
    }

    /// The events from an offset on. What is no event is left out.
    ///
    /// # Errors
    /// As for [`Journal::snapshot`].
    pub async fn history(&self, from: i64, deadline: Instant) -> Result<Vec<Recorded>, JournalError> {
        Ok(events(&self.0.read_to_end(&self.0.topics.history, from, deadline).await?))
    }
}

impl<S: Fold> Shared<S> {
    /// Reads what came since the last time, unless somebody has since this was asked. Answers with where that ended.
    pub(super) async fn catch_up(
        &self,
        known: &mut Known<S>,
        asked: Instant,
        deadline: Instant,
    ) -> Result<LogRead, JournalError> {
        if known.read_at.is_some_and(|it| asked <= it) {
            return Ok(LogRead::default());
        }
        let began = Instant::now();
        let last = loop {
            let read = self.read_on(&self.topics.state, known.next, deadline).await?;
            known.take(&read);
            if read.is_at_end() {
                break LogRead { records: Vec::new(), ..read };
            }
        };
        if known.snapshot.head.offset < 0 {
            return Err(JournalError::NoHead(self.topics.state.clone()));
        }
        if known.read_at.is_none() {
            self.check_head(&known.snapshot.head, deadline).await?;
        }
        known.read_at = Some(began);
        Ok(last)
    }

    /// Reads a topic on from an offset, at which it must not end before.
    pub(super) async fn read_on(
        &self,
        topic: &TopicName,
        from: i64,
        deadline: Instant,
    ) -> Result<LogRead, JournalError> {
        let began = tokio::time::Instant::now();
        loop {
            let read = match self.kafka.read_log(topic, from, deadline).await {
                Err(KafkaError::NoTopic(_)) => return Err(self.missing(deadline).await),
                read => read?,
            };
            if 0 < read.start {
                return Err(JournalError::Truncated { topic: topic.clone(), start: read.start });
            }
            let is_short = read.high_watermark < from;
            if is_short && ELECTION < began.elapsed() {
                return Err(JournalError::Shortened { topic: topic.clone(), end: read.high_watermark, read: from });
            }
            if !is_short && (read.is_at_end() || from < read.next) {
                return Ok(read);
            }
            self.pause(deadline).await?;
        }
    }

    /// Reads a topic to its end, and keeps all of it.
    pub(super) async fn read_to_end(
        &self,
        topic: &TopicName,
        from: i64,
        deadline: Instant,
    ) -> Result<LogRead, JournalError> {
        let mut res = LogRead { next: from, ..LogRead::default() };
        loop {
            let read = self.read_on(topic, res.next, deadline).await?;
            let is_at_end = read.is_at_end();
            res.records.extend(read.records);
            res.unreadable.extend(read.unreadable);
            (res.next, res.end, res.high_watermark) = (read.next, read.end, read.high_watermark);
            if is_at_end {
                return Ok(res);
            }
        }
    }

    /// Waits a little.
    pub(super) async fn pause(&self, deadline: Instant) -> Result<(), JournalError> {
        if deadline < Instant::now() + PAUSE {
            return Err(KafkaError::Deadline("waiting for the journal".to_owned()).into());
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }

    /// Which of the topics are missing, if one is. Where none is seen and not all are known to be missing, nobody knows
    /// whether there is a journal.
    pub(super) async fn missing(&self, deadline: Instant) -> JournalError {
        let (mut missing, mut count, mut hidden, mut is_seen) = (None, 0, None, false);
        for topic in self.topics.all() {
            match self.kafka.describe_topic(topic, deadline).await {
                Ok(None) => {
                    count += 1;
                    missing = missing.or(Some(topic.clone()));
                }
                Ok(Some(_)) => is_seen = true,
                Err(error @ KafkaError::Denied { .. }) => hidden = hidden.or(Some(error)),
                Err(error) => return error.into(),
            }
        }
        match (missing, hidden) {
            (Some(_), _) if count == 3 => JournalError::Absent(self.topics.history.clone()),
            (Some(_), Some(hidden)) if !is_seen => hidden.into(),
            (Some(topic), _) => JournalError::Incomplete(topic),
            (None, _) => KafkaError::NoTopic(self.topics.state.to_string()).into(),
        }
    }
}

impl<S: Fold> Known<S> {
    /// Whether the state was ever read to its end.
    pub(super) fn is_read(&self) -> bool {
        self.read_at.is_some()
    }

    /// Puts what was written at an offset in its place, as reading it would.
    pub(super) fn keep(&mut self, draft: &Draft, next: i64, at: Option<Timestamp>) {
        let snapshot = Arc::make_mut(&mut self.snapshot);
        for (key, (offset, hash, value)) in &draft.entities {
            match snapshot.state.put(key, value) {
                Ok(()) => drop(self.origins.insert(*offset, *hash)),
                Err(error) => {
                    let quarantined = Quarantined { offset: next, problem: error.problem };
                    snapshot.quarantined.insert(key.clone(), quarantined);
                }
            }
        }
        self.origins.insert(draft.head.offset, draft.head.hash);
        snapshot.head = draft.head.clone();
        snapshot.newest = snapshot.newest.max(at.unwrap_or(snapshot.newest));
        // The marker of the commit is read with what follows.
        self.next = next + i64::try_from(draft.state_count()).unwrap_or(i64::MAX);
    }

    /// Puts records in their place.
    pub(super) fn take(&mut self, read: &LogRead) {
        self.next = read.next;
        if read.records.is_empty() && read.unreadable.is_empty() {
            return;
        }
        let snapshot = Arc::make_mut(&mut self.snapshot);
        for (offset, problem) in &read.unreadable {
            snapshot.warn(Warning::Garbage { offset: *offset, problem: problem.clone() });
        }
        for record in &read.records {
            snapshot.newest = snapshot.newest.max(record.timestamp);
            if let Err((key, problem)) = snapshot.take(record, &mut self.origins) {
                let offset = record.offset;
                match key {
                    Some(key) => drop(snapshot.quarantined.insert(key, Quarantined { offset, problem })),
                    None => snapshot.warn(Warning::Garbage { offset, problem }),
                }
            }
        }
    }
}

impl<S: Fold> Snapshot<S> {
    /// Puts one record in its place; of one that cannot be read, says why and which entity it is about.
    fn take(
        &mut self,
        record: &LogRecord,
        origins: &mut BTreeMap<i64, EventHash>,
    ) -> Result<(), (Option<String>, String)> {
        let key = key(record).ok_or_else(|| (None, "it has no key".to_owned()))?;
        let of_key = |problem| (Some(key.clone()), problem);
        let bytes = record.value.as_deref().ok_or_else(|| of_key("it has no value".to_owned()))?;
        if key == HEAD {
            // A head that cannot be read leaves the one before, which the next writer finds to be wrong.
            self.head = Head::read(bytes).map_err(of_key)?;
            origins.insert(self.head.offset, self.head.hash);
            return Ok(());
        }
        let kept = Kept::read(bytes).map_err(of_key)?;
        if FORM < kept.form {
            self.warn(Warning::NewerForm { key: key.clone(), form: kept.form });
        }
        self.state.put(&key, &kept.value).map_err(|it| of_key(it.problem))?;
        origins.insert(kept.offset, kept.hash);
        self.quarantined.remove(&key);
        Ok(())
    }

    fn warn(&mut self, warning: Warning) {
        if self.warnings.len() < MOST_WARNINGS && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// The moment at which a decision on this is made: what the clock shows, and never before what was decided last.
    pub fn now(&self) -> Timestamp {
        self.newest.max(clock::now())
    }
}

/// The key of a record, where it is a text.
pub(super) fn key(record: &LogRecord) -> Option<String> {
    std::str::from_utf8(record.key.as_deref()?).ok().map(str::to_owned)
}

/// The events among records.
pub(super) fn events(read: &LogRead) -> Vec<Recorded> {
    let event = |it: &LogRecord| Recorded::read(it.offset, it.timestamp, it.value.as_deref()?).ok();
    read.records.iter().filter_map(event).collect()
}

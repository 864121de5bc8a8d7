//! Whether the journal is the one that it was.

use std::time::{Duration, Instant};

use crate::{
    clients::{
        journal::{
            EventHash, Head, Journal, JournalError, Remembered, Shared, WRITER, in_time, locked,
            reading::{STUCK, events},
        },
        kafka::{KafkaError, LogRead, LogRecord},
    },
    governance::{record::Fold, topic::TopicName},
};

/// How long the end of a log may be behind a commit that its writer has seen: 27 ms were measured.
const SETTLING: Duration = Duration::from_secs(3);

impl<S: Fold> Journal<S> {
    /// Whether an event that was there before is still there.
    ///
    /// # Errors
    /// [`JournalError::Replaced`], [`JournalError::RolledBack`] or [`JournalError::Changed`] if it is not, and those of
    /// [`Journal::snapshot`]. A caller who may not read the history is told only what the state shows.
    pub async fn check(&self, remembered: &Remembered, deadline: Instant) -> Result<(), JournalError> {
        let shared = &self.0;
        let head = shared.head_from(remembered, deadline).await?;
        if head.journal != remembered.journal {
            let (remembered, found) = (remembered.journal.clone(), head.journal);
            return Err(JournalError::Replaced { remembered, found });
        }
        if head.offset < remembered.offset {
            return Err(JournalError::RolledBack { remembered: remembered.offset, found: head.offset });
        }
        let origin = in_time(deadline, shared.known.lock()).await?.origins.get(&remembered.offset).copied();
        let known = origin.or_else(|| locked(&shared.found).get(&remembered.offset).copied());
        match known {
            Some(hash) if hash == remembered.hash => Ok(()),
            Some(_) => Err(JournalError::Changed { offset: remembered.offset, expected: remembered.hash }),
            None => match shared.check_event(remembered.offset, remembered.hash, deadline).await {
                // Deployers read the state alone, whose head is no older than what they remember.
                Err(JournalError::Kafka(KafkaError::Denied { operation: "READ" | "DESCRIBE", .. })) => Ok(()),
                res => res,
            },
        }
    }
}

impl<S: Fold> Shared<S> {
    /// The head, once it is as new as what is remembered or is not going to be.
    async fn head_from(&self, remembered: &Remembered, deadline: Instant) -> Result<Head, JournalError> {
        let began = tokio::time::Instant::now();
        loop {
            let mut known = in_time(deadline, self.known.lock()).await?;
            if !known.is_read() || known.snapshot.head.offset < remembered.offset {
                self.catch_up(&mut known, Instant::now(), deadline).await?;
            }
            let head = known.snapshot.head.clone();
            drop(known);
            if head.journal != remembered.journal || remembered.offset <= head.offset || SETTLING < began.elapsed() {
                return Ok(head);
            }
            self.pause(deadline).await?;
        }
    }

    /// Whether the history has the newest event that the state knows.
    pub(super) async fn check_head(&self, head: &Head, deadline: Instant) -> Result<(), JournalError> {
        self.check_event(head.offset, head.hash, deadline).await
    }

    /// Whether the history has an event. Markers of a commit are written to each topic by itself, so that the history's
    /// may come later than the state's.
    async fn check_event(&self, offset: i64, hash: EventHash, deadline: Instant) -> Result<(), JournalError> {
        let topic = &self.topics.history;
        let began = tokio::time::Instant::now();
        loop {
            let read = match self.read_on(topic, offset, deadline).await {
                // Those who may only read the state believe it.
                Err(JournalError::Kafka(KafkaError::Denied { .. })) => return Ok(()),
                Err(JournalError::Shortened { end, .. }) => {
                    return Err(JournalError::RolledBack { remembered: offset, found: end - 1 });
                }
                read => read?,
            };
            if read.end <= offset && offset < read.high_watermark {
                self.wait_for_end(topic, &read, began, deadline).await?;
                continue;
            }
            if read.high_watermark <= offset {
                return Err(JournalError::RolledBack { remembered: offset, found: read.high_watermark - 1 });
            }
            let first = read.records.first().filter(|it| it.offset == offset);
            if first.and_then(|it| it.value.as_deref()).map(EventHash::of) != Some(hash) {
                return Err(JournalError::Changed { offset, expected: hash });
            }
            locked(&self.found).insert(offset, hash);
            return Ok(());
        }
    }

    /// Waits for the end of an open transaction, for as long as that is worth it.
    pub(super) async fn wait_for_end(
        &self,
        topic: &TopicName,
        read: &LogRead,
        began: tokio::time::Instant,
        deadline: Instant,
    ) -> Result<(), JournalError> {
        if STUCK < began.elapsed() {
            return Err(JournalError::Stuck { topic: topic.clone(), offset: read.end });
        }
        self.pause(deadline).await
    }

    /// Whether this process may write to the journal of that head.
    pub(super) async fn may_write(&self, head: &Head, deadline: Instant) -> Result<(), JournalError> {
        if WRITER < head.min_writer {
            return Err(JournalError::NewerWriter(head.min_writer));
        }
        self.belongs(head, deadline).await
    }

    /// Whether the journal belongs to this cluster.
    pub(super) async fn belongs(&self, head: &Head, deadline: Instant) -> Result<(), JournalError> {
        let cluster = self.cluster(deadline).await?;
        if head.cluster == cluster {
            return Ok(());
        }
        Err(JournalError::Foreign { belongs: head.cluster.clone(), cluster: cluster.to_owned() })
    }
}

/// Whether the history ends with the head. Asked under the lease, when nothing else is being written.
pub(super) fn check_end(head: &Head, history: &LogRead) -> Result<(), JournalError> {
    let is_head = |it: &&LogRecord| it.offset == head.offset;
    let found = history.records.iter().find(is_head).and_then(|it| it.value.as_deref());
    if found.map(EventHash::of) != Some(head.hash) {
        return Err(JournalError::Changed { offset: head.offset, expected: head.hash });
    }
    // What does not go on from the head is none of the journal's, whoever wrote it.
    match events(history).iter().find(|it| head.offset < it.offset && it.previous == Some(head.hash)) {
        Some(it) => Err(JournalError::StateBehind { state: head.offset, history: it.offset }),
        None => Ok(()),
    }
}

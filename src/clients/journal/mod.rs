//! The journal: what governs a cluster, kept in the cluster itself, and written by many processes that know nothing of
//! each other.
//!
//! **Topics.** Three of one partition each ([`JournalTopics`]), written in one transaction: the *history* has every event
//! for ever; the *state* is compacted and has the newest value of each entity, and under `head` the place of the newest
//! event; the *text* is compacted as well, and has what may be erased. Reading the state is reading everything.
//!
//! **Chain.** Each event names the SHA-256 of the record before it, and the first is a genesis with the journal's UUID
//! and the cluster's id. Whoever keeps a [`Remembered`] notices that a journal was deleted, made anew, truncated or rolled
//! back: each is an error of its own, and never an empty state.
//!
//! **Writing** is compare-and-append: read and decide; take the lease, which fences every other writer; read the rest,
//! and decide again if there was any; write and commit. The lease is kept for what is written next, which takes three round
//! trips then, or four before Kafka 4.0: to write, to commit, and to see that it is there. Who was fenced starts again after a pause of a random length that doubles each
//! time, once nobody writes. An answer that was lost is settled by taking the lease once more, after which all that was
//! ever committed can be read. Commands of one process that come at the same time are one transaction, each decided on
//! what the one before leaves behind.
//!
//! **Forms.** Records say which form they have and which releases may still decide ([`WRITER`]). A newer form is read and
//! told; what cannot be read is set aside by its offset, and stands in nobody's way but of those who would change that
//! very entity.

mod backup;
mod checking;
mod creating;
mod drafting;
mod error;
mod format;
mod reading;
mod topics;
mod verifying;
mod writing;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::{sync::OnceCell, time::timeout_at};

pub use backup::ImportError;
pub use creating::Deviation;
pub use error::JournalError;
pub(crate) use format::random_uuid;
pub use format::{CREATED, Claims, EventHash, EventHashError, FORM, HEAD, Head, REBOUND, Recorded, Remembered, WRITER};
pub use topics::JournalTopics;
pub use verifying::Verified;
pub use writing::{Appended, Written};

use crate::{
    clients::{
        journal::{
            reading::Known,
            writing::{Held, Pending},
        },
        kafka::{Kafka, KafkaError},
    },
    governance::record::{Fold, Timestamp},
};

/// A journal, whose entities are put together as an `S`. Nothing is sent before the first call; clones share what was
/// read, and their commands are written together.
pub struct Journal<S>(Arc<Shared<S>>);

struct Shared<S> {
    kafka: Arc<dyn Kafka>,
    topics: JournalTopics,
    cluster: OnceCell<String>,
    /// One reads while the others wait for what it reads.
    known: tokio::sync::Mutex<Known<S>>,
    /// Events that were found in the history as they were remembered.
    found: Mutex<BTreeMap<i64, EventHash>>,
    pending: Mutex<Vec<Pending<S>>>,
    /// One group is written at a time, under the lease of the one before if nobody else took it.
    writing: tokio::sync::Mutex<Option<Held>>,
}

/// A journal as it was at a moment.
#[derive(Clone, Debug)]
pub struct Snapshot<S> {
    /// The entities, put together.
    pub state: S,
    /// The newest event's place, and whose journal it is.
    pub head: Head,
    /// When the newest record was written.
    pub newest: Timestamp,
    /// Entities of which the newest record cannot be read, by key: they are as they were before, or missing.
    pub quarantined: BTreeMap<String, Quarantined>,
    /// Everything that somebody should know of.
    pub warnings: Vec<Warning>,
}

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Its offset in the state topic.
    pub offset: i64,
    /// What is wrong.
    pub problem: String,
}

/// What somebody should know of who reads a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A record that cannot be read and belongs to no entity.
    Garbage {
        /// Its offset in the state topic.
        offset: i64,
        /// What is wrong.
        problem: String,
    },
    /// A record of a form that this release does not write: what it has besides was not read.
    NewerForm {
        /// The entity.
        key: String,
        /// The form.
        form: u64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Garbage { offset, problem } => {
                write!(f, "A record of the journal's state cannot be read, at offset {offset}: {problem}.")
            }
            Self::NewerForm { key, form } => {
                write!(f, "`{key}` was written by a newer release, in form {form}: what that added is not understood.")
            }
        }
    }
}

impl<S: Fold> Journal<S> {
    /// The cluster's journal.
    pub fn open(kafka: Arc<dyn Kafka>) -> Self {
        Self::open_topics(kafka, JournalTopics::default())
    }

    /// The journal in these topics.
    pub fn open_topics(kafka: Arc<dyn Kafka>, topics: JournalTopics) -> Self {
        Self(Arc::new(Shared {
            kafka,
            topics,
            cluster: OnceCell::new(),
            known: tokio::sync::Mutex::default(),
            found: Mutex::default(),
            pending: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        }))
    }

    /// Its topics.
    pub fn topics(&self) -> &JournalTopics {
        &self.0.topics
    }
}

impl<S> Clone for Journal<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S> fmt::Debug for Journal<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("topics", &self.0.topics).finish_non_exhaustive()
    }
}

impl<S: Fold> Shared<S> {
    /// The id of the cluster, which is asked for once.
    async fn cluster(&self, deadline: Instant) -> Result<&str, JournalError> {
        let ask = async || self.kafka.cluster(deadline).await.map(|it| it.id);
        Ok(self.cluster.get_or_try_init(ask).await?)
    }
}

/// Waits for a lock until a deadline.
async fn in_time<T>(deadline: Instant, lock: impl Future<Output = T>) -> Result<T, JournalError> {
    let time_is_up = |_| KafkaError::Deadline("waiting for the journal".to_owned()).into();
    timeout_at(deadline.into(), lock).await.map_err(time_is_up)
}

/// Locks what is never held across an await, and whose holders leave it whole even when they panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

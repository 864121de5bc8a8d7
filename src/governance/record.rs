//! What a journal keeps: events, and the entities that they leave behind.
//!
//! A decision makes [`Event`]s. Each carries the whole new state of every entity that it changes, so that reading the
//! newest record of each key is reading everything; what led there is history.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A moment, in milliseconds since 1970 UTC, as Kafka's records count time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The date and time for people, in UTC, or the milliseconds where there is no such date.
    pub fn date(self) -> String {
        let nanoseconds = i128::from(self.0) * 1_000_000;
        let date = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok().and_then(|it| it.format(&Rfc3339).ok());
        date.unwrap_or_else(|| format!("{} ms", self.0))
    }
}

/// One thing that happened, as it was decided and before a journal wrote it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// What happened: the kind of entity and a verb in the past, such as `application.created`.
    pub kind: String,
    /// The entities as they are afterwards, whole, by key such as `application/billing`.
    pub entities: BTreeMap<String, Value>,
    /// Free text that may be erased later, by the key of its entity; `None` erases it.
    pub texts: BTreeMap<String, Option<Value>>,
    /// What else history should tell.
    pub facts: Map<String, Value>,
}

/// All entities, put together from records of which the last of each key holds.
pub trait Fold: Clone + Default + Send + Sync + 'static {
    /// Puts the newest state of an entity in the place of what was known of it. What a newer release wrote and this one
    /// does not know is kept, and never an error.
    ///
    /// # Errors
    /// What is wrong with a value that says of itself that this release can read it.
    fn put(&mut self, key: &str, value: &Value) -> Result<(), Unreadable>;
}

/// Why an entity cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` is not as this release writes it: {problem}")]
pub struct Unreadable {
    /// The entity.
    pub key: String,
    /// What is wrong.
    pub problem: String,
}

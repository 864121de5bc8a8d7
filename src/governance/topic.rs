//! Topics: names, what should be, and the changes that lead there.

use std::{collections::BTreeMap, fmt, str::FromStr};

/// Name of a topic: 1 to 249 ASCII letters, digits, `.`, `_` and `-`; not `.` or `..`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(String);

/// Why a text is no topic name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicNameError {
    /// Empty, or longer than 249 characters.
    #[error("a topic name has 1 to 249 characters, not {0}")]
    Length(usize),
    /// A character that Kafka does not permit.
    #[error("a topic name has only ASCII letters, digits, `.`, `_` and `-`, not {0:?}")]
    Character(char),
    /// `.` or `..`.
    #[error("a topic name is not `.` or `..`")]
    Dots,
}

impl TopicName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the topic is Kafka's own, such as `__consumer_offsets`: their names start with two underscores.
    pub fn is_internal(&self) -> bool {
        self.0.starts_with("__")
    }

    /// The name as Kafka's metrics show it, in which `.` and `_` are the same: two topics may not share it.
    pub fn metric_name(&self) -> String {
        self.0.replace('.', "_")
    }
}

impl FromStr for TopicName {
    type Err = TopicNameError;

    fn from_str(name: &str) -> Result<Self, TopicNameError> {
        if let Some(it) = name.chars().find(|it| !it.is_ascii_alphanumeric() && !".-_".contains(*it)) {
            return Err(TopicNameError::Character(it));
        }
        if name.is_empty() || 249 < name.len() {
            return Err(TopicNameError::Length(name.len()));
        }
        if name == "." || name == ".." {
            return Err(TopicNameError::Dots);
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a topic should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name.
    pub name: TopicName,
    /// Number of partitions; `None` leaves it to the broker (`num.partitions`).
    pub partitions: Option<i32>,
    /// Copies of each partition; `None` leaves it to the broker (`default.replication.factor`).
    pub replication_factor: Option<i16>,
    /// Overrides of the broker's configuration, by Kafka's own keys.
    pub config: BTreeMap<String, String>,
}

/// One step from what a topic is to what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicChange {
    /// Grow to so many partitions.
    GrowPartitions(i32),
    /// Set these keys (`Some`) and return these to the broker's default (`None`).
    AlterConfig(BTreeMap<String, Option<String>>),
}

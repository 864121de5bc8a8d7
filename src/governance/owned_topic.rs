//! Topics as a journal keeps them: whose they are and what they take.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::governance::{
    application::ApplicationUid,
    capacity::{Capacity, Totals},
    names::ApplicationName,
    record::Timestamp,
    topic::{TopicName, TopicSpec},
};

/// Where a topic is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TopicStatus {
    /// Its place is taken, and it is to be made.
    Reserved,
    /// The cluster has it.
    Created,
    /// It is to be deleted.
    Deleting,
    /// It is gone, and remembered.
    Deleted,
}

impl TopicStatus {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 4] = [Self::Reserved, Self::Created, Self::Deleting, Self::Deleted];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Created => "created",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }
}

/// What a team asked for that may not do it, and nobody did yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// Number of partitions; `None` leaves it to the rules and the broker.
    pub partitions: Option<i64>,
    /// Copies of each; `None` leaves it to the rules and the broker.
    pub replication_factor: Option<i64>,
    /// Configuration to set, by Kafka's own keys.
    pub config: BTreeMap<String, String>,
    /// Keys that the topic is to set no more.
    pub reset: BTreeSet<String>,
}

/// A topic, as a journal keeps it. Its name is the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedTopic {
    /// Whose it is; `None` is the platform's.
    pub application: Option<ApplicationName>,
    /// Which life of the application.
    #[serde(default)]
    pub incarnation: u32,
    /// Number of partitions.
    pub partitions: i64,
    /// Copies of each.
    #[serde(default)]
    pub replication_factor: Option<i64>,
    /// What it carries and keeps.
    #[serde(default)]
    pub capacity: Capacity,
    /// What is to be done to it by whoever may.
    #[serde(default)]
    pub asked: Option<Asked>,
    /// Why the cluster did not take what was asked for last.
    #[serde(default)]
    pub refused: Option<String>,
    /// Where it is in its life.
    pub status: TopicStatus,
    /// The id that Kafka gave it, once it is known.
    #[serde(default)]
    pub topic_id: Option<String>,
    /// When it was last said what becomes of it. A letter from before says nothing any more.
    #[serde(default)]
    pub said_at: Option<Timestamp>,
    /// When its place was taken.
    pub created_at: Timestamp,
    /// When it was seen to be gone.
    #[serde(default)]
    pub deleted_at: Option<Timestamp>,
}

impl Asked {
    /// The topic that is to be made of it.
    pub fn spec(&self, name: TopicName) -> TopicSpec {
        TopicSpec {
            name,
            partitions: self.partitions.and_then(|it| it.try_into().ok()),
            replication_factor: self.replication_factor.and_then(|it| it.try_into().ok()),
            config: self.config.clone(),
        }
    }

    /// The configuration keys to set, and those to return to the broker's default.
    pub fn config_changes(&self) -> BTreeMap<String, Option<String>> {
        let reset = self.reset.iter().map(|key| (key.clone(), None));
        reset.chain(self.config.iter().map(|(key, value)| (key.clone(), Some(value.clone())))).collect()
    }
}

impl OwnedTopic {
    /// Whether it still takes its place.
    pub fn is_there(&self) -> bool {
        self.status != TopicStatus::Deleted
    }

    /// Which life of which application owns it.
    pub fn owner(&self) -> Option<ApplicationUid> {
        Some(ApplicationUid { name: self.application.clone()?, incarnation: self.incarnation })
    }

    /// What it takes.
    pub fn totals(&self) -> Totals {
        Totals::of_topic(self.partitions, &self.capacity)
    }
}

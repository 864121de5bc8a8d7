//! The three topics of a journal: their names and their configuration.

use std::collections::BTreeMap;

use crate::governance::topic::{TopicName, TopicNameError, TopicSpec};

/// Bytes of the largest batch that a journal's topics take, Kafka's own default, whatever the brokers' is.
pub(super) const LARGEST_BATCH: usize = 1_048_588;

/// Most copies of a journal's topics; fewer where there are fewer brokers.
const COPIES: i16 = 3;

/// The topics of a journal, and the transactional id under which they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalTopics {
    /// Every event, for ever.
    pub history: TopicName,
    /// The newest state of each entity.
    pub state: TopicName,
    /// The newest text about each entity, which can be erased.
    pub text: TopicName,
    /// The transactional id.
    pub lease: String,
}

impl Default for JournalTopics {
    fn default() -> Self {
        Self::named("_selfserve").expect("it is a topic's name")
    }
}

impl JournalTopics {
    /// The topics of the journal of that name: one cluster has one, and tests have many.
    ///
    /// # Errors
    /// What no topic may be called.
    pub fn named(name: &str) -> Result<Self, TopicNameError> {
        Ok(Self {
            history: name.parse()?,
            state: format!("{name}.state").parse()?,
            text: format!("{name}.text").parse()?,
            lease: format!("{name}.lease"),
        })
    }

    /// The three, history first.
    pub fn all(&self) -> [&TopicName; 3] {
        [&self.history, &self.state, &self.text]
    }

    /// What the topics are on a cluster of so many brokers.
    pub(super) fn specs(&self, brokers: usize) -> [TopicSpec; 3] {
        let copies = i16::try_from(brokers).unwrap_or(COPIES).clamp(1, COPIES);
        self.all().map(|name| TopicSpec {
            name: name.clone(),
            partitions: Some(1),
            replication_factor: Some(copies),
            config: self.config(name, copies),
        })
    }

    /// What a topic of so many copies sets itself.
    pub(super) fn config(&self, topic: &TopicName, copies: i16) -> BTreeMap<String, String> {
        // Brokers stamp the records, since writers' clocks differ; nothing is lost to age, size or a broker that is
        // behind; and nothing is compressed that this client could not read.
        let mut config = vec![
            ("compression.type", "uncompressed".to_owned()),
            ("max.message.bytes", LARGEST_BATCH.to_string()),
            ("message.timestamp.type", "LogAppendTime".to_owned()),
            ("min.insync.replicas", copies.min(2).to_string()),
            ("retention.bytes", "-1".to_owned()),
            ("retention.ms", "-1".to_owned()),
            ("unclean.leader.election.enable", "false".to_owned()),
        ];
        if *topic == self.history {
            config.push(("cleanup.policy", "delete".to_owned()));
        } else {
            config.push(("cleanup.policy", "compact".to_owned()));
            config.push(("segment.bytes", (64 << 20).to_string()));
            // An erased text is gone a day later, a superseded state in a week.
            let days = if *topic == self.text { 1 } else { 7 };
            config.push(("max.compaction.lag.ms", (days * 86_400_000_i64).to_string()));
        }
        config.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_has_as_many_copies_as_there_are_brokers_up_to_three() {
        let copies = |brokers| {
            let [history, _, _] = JournalTopics::default().specs(brokers);
            (history.replication_factor.unwrap(), history.config["min.insync.replicas"].clone())
        };
        assert_eq!(copies(1), (1, "1".to_owned()));
        assert_eq!(copies(2), (2, "2".to_owned()));
        assert_eq!(copies(9), (3, "2".to_owned()));
    }

    #[test]
    fn only_history_is_not_compacted() {
        let policies = JournalTopics::default().specs(3).map(|it| it.config["cleanup.policy"].clone());
        assert_eq!(policies, ["delete", "compact", "compact"]);
    }
}

//! How a journal fails, and what to do then.

use crate::{
    clients::{journal::format::EventHash, kafka::KafkaError},
    governance::topic::TopicName,
};

/// Why a journal could not be read or written. None of these means that there is nothing in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The cluster failed, or the time was up before anything was written.
    #[error("using the journal")]
    Kafka(#[from] KafkaError),
    /// The cluster has no journal: none of its topics.
    #[error("the cluster has no journal: there is no topic `{0}`")]
    Absent(TopicName),
    /// Some of the journal's topics are missing.
    #[error("topic `{0}` of the journal is missing, while others are there")]
    Incomplete(TopicName),
    /// The topics are there, and nothing says whose they are.
    #[error("topic `{0}` of the journal has no head: its creation was interrupted, or it was emptied")]
    NoHead(TopicName),
    /// There is a journal already.
    #[error("the cluster has the journal {0} already")]
    Exists(String),
    /// Another journal is in the place of the one that was remembered.
    #[error("the journal {remembered} was replaced by {found}")]
    Replaced {
        /// The UUID that was remembered.
        remembered: String,
        /// The UUID that is there.
        found: String,
    },
    /// The journal ends before what was remembered.
    #[error("the journal was rolled back: it ends at offset {found}, and offset {remembered} was there")]
    RolledBack {
        /// Offset of the event that was remembered.
        remembered: i64,
        /// Offset of the newest event.
        found: i64,
    },
    /// The history has another event in the place of one that was remembered, or none.
    #[error("the history was changed: at offset {offset}, it has not the event {expected} any more")]
    Changed {
        /// The place.
        offset: i64,
        /// The event that was there.
        expected: EventHash,
    },
    /// A topic has lost its beginning.
    #[error("topic `{topic}` of the journal was truncated: it begins at offset {start}")]
    Truncated {
        /// The topic.
        topic: TopicName,
        /// The first offset that is left.
        start: i64,
    },
    /// A topic ends before what was read of it.
    #[error("topic `{topic}` of the journal was shortened: it ends at offset {end}, and was read up to {read}")]
    Shortened {
        /// The topic.
        topic: TopicName,
        /// Where it ends.
        end: i64,
        /// Where reading ended.
        read: i64,
    },
    /// The history has events that the state does not know.
    #[error("the state of the journal ends at offset {state} of the history, which goes on to {history}")]
    StateBehind {
        /// The newest event that the state knows.
        state: i64,
        /// An event that it does not know.
        history: i64,
    },
    /// The journal belongs to another cluster, from which its topics were copied: it can be read, not written.
    #[error("the journal belongs to the cluster {belongs}, and this one is {cluster}")]
    Foreign {
        /// The cluster's id that the journal has.
        belongs: String,
        /// The id of the cluster where it is.
        cluster: String,
    },
    /// A newer release wrote what this one must not decide about.
    #[error("the journal asks for a release that writes form {0} of its records")]
    NewerWriter(u64),
    /// An entity's newest record cannot be read, and it is to be changed.
    #[error("`{key}` cannot be read, at offset {offset} of the state: {problem}")]
    Quarantined {
        /// The entity.
        key: String,
        /// The offset of its record in the state topic.
        offset: i64,
        /// What is wrong.
        problem: String,
    },
    /// Somebody's transaction stays open.
    #[error("a transaction in topic `{topic}` of the journal has been open for 30 s, from offset {offset}")]
    Stuck {
        /// The topic.
        topic: TopicName,
        /// Where the transaction begins.
        offset: i64,
    },
    /// What is to be written at once does not fit into a record.
    #[error("the decision is {0} bytes large, and one may have {limit}", limit = super::writing::LARGEST_DECISION)]
    TooLarge(usize),
    /// The time was up before it was known whether the decision was written.
    #[error("whether the decision was written is not known: the answer was lost, and the time was up")]
    Unsettled,
}

impl JournalError {
    /// What to do about it, in sentences; `None` where the cause says it.
    pub fn remedy(&self) -> Option<String> {
        let restore = "If it was not meant to be, restore the topics from a backup with `terraform-provider-kafka \
                       journal import`; nothing was planned or changed";
        Some(match self {
            Self::Kafka(_) => return None,
            Self::Absent(_) => "If there was an environment, its journal was deleted: restore it from a backup with \
                                `terraform-provider-kafka journal import`. Else declare a `kafka_environment` on the \
                                cluster."
                .to_owned(),
            Self::Incomplete(_) | Self::Truncated { .. } | Self::Shortened { .. } | Self::StateBehind { .. } => {
                format!("{restore}. `terraform-provider-kafka journal verify` tells all that is wrong.")
            }
            Self::NoHead(_) => format!(
                "If the creation of `kafka_environment` was interrupted, apply it again. {restore}, after deleting the \
                 empty topics."
            ),
            Self::Exists(_) => {
                "One cluster is one environment. Import the existing one, or remove the second.".to_owned()
            }
            Self::Replaced { .. } | Self::RolledBack { .. } | Self::Changed { .. } => format!(
                "{restore}. If the journal is the right one now, remove what depends on the old one from Terraform's \
                 state and import it again."
            ),
            Self::Foreign { .. } => "If the cluster took the place of the other one, run `terraform-provider-kafka \
                                     journal rebind --reason=…` on it. If it is a mirror, do not mirror topics whose \
                                     names begin with `_selfserve`."
                .to_owned(),
            Self::NewerWriter(_) => "Upgrade the provider.".to_owned(),
            Self::Quarantined { .. } => "Find out who may write to the journal's topics. `terraform-provider-kafka \
                                         journal verify` tells what is wrong, and an export that is imported again \
                                         makes the state anew from the history."
                .to_owned(),
            Self::Stuck { topic, offset } => format!(
                "A writer that is none of ours stopped in the middle. Abort its transaction: `kafka-transactions.sh \
                 --bootstrap-server … abort --topic {topic} --partition 0 --start-offset {offset}`."
            ),
            Self::TooLarge(_) => "Make the texts shorter, or change less at once.".to_owned(),
            Self::Unsettled => "Run it again: what was written is found then, and nothing is written twice.".to_owned(),
        })
    }
}

//! What is made of a change once it is agreed to.

use serde::{Deserialize, Serialize};

use super::{Revision, Verb};
use crate::governance::command::{Command, TopicAsk, TopicDeletion};

/// A change, whole, so that exactly this is made when somebody agrees, by whoever may, and nobody has to ask again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// A topic, or a change of one.
    Topic {
        /// What is asked for.
        ask: Box<TopicAsk>,
        /// The id that Kafka gave the topic that is to be changed: another one of its name is another matter.
        topic_id: Option<String>,
    },
    /// The end of a topic.
    TopicEnd {
        /// What is to be deleted.
        deletion: TopicDeletion,
        /// The id that Kafka gave it.
        topic_id: Option<String>,
    },
}

impl Wanted {
    /// A digest of all of it.
    pub fn digest(&self) -> String {
        let text = serde_json::to_string(self).expect("what is wanted has text keys and finite numbers");
        Revision::of(&text).as_str().to_owned()
    }

    /// The command that asks for it.
    pub fn command(&self) -> Command {
        match self {
            Self::Topic { ask, topic_id: _ } => Command::AskTopic(ask.clone()),
            Self::TopicEnd { deletion, topic_id: _ } => Command::DeleteTopic(deletion.clone()),
        }
    }

    /// The id that Kafka gave what is to be changed.
    pub fn topic_id(&self) -> Option<&str> {
        let (Self::Topic { topic_id, .. } | Self::TopicEnd { topic_id, .. }) = self;
        topic_id.as_deref()
    }
}

impl Verb {
    /// Whether it is done to something that is there.
    pub const fn is_of_existing(self) -> bool {
        matches!(self, Self::Update | Self::Delete)
    }
}

//! What an application can own by a prefix of its name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of thing that has a name, and that an application owns by the prefix of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A topic.
    Topic,
    /// A consumer group, classic or new, a share group or a streams group.
    Group,
    /// What a transactional producer calls itself.
    TransactionalId,
    /// A subject of the schema registry.
    Subject,
    /// A connector of a Connect cluster.
    Connector,
}

impl Kind {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [Self::Topic, Self::Group, Self::TransactionalId, Self::Subject, Self::Connector];

    /// The word that policies, entities and attributes have for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Group => "group",
            Self::TransactionalId => "transactional_id",
            Self::Subject => "subject",
            Self::Connector => "connector",
        }
    }

    /// How a sentence names it.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::TransactionalId => "transactional id",
            it => it.word(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.noun())
    }
}

//! Whether brokers follow the rules of their authorizer, as it was tried.

use serde::{Deserialize, Serialize};

use crate::governance::record::Timestamp;

/// What was found, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// What.
    pub found: Probed,
    /// When it was first found so.
    pub since: Timestamp,
}

/// What became of a rule that was made to be tried, on a name that nothing uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probed {
    /// It did what it says.
    Enforced,
    /// It was not taken.
    NotMade,
    /// It was taken, and not shown afterwards.
    NotShown,
    /// It was taken and shown, and did nothing to one who is no super user.
    Ignored,
    /// It was taken and shown, and did nothing to one of whom it is not known whether it is a super user.
    IgnoredPerhaps,
    /// It was not made: no rule holds for the caller, who is a super user.
    SuperUser,
    /// It was not made: it is not known who the caller is.
    Unnamed,
    /// It was not made: the caller may not make rules.
    NoRight,
    /// The cluster did not answer.
    NoAnswer,
}

impl Probed {
    /// All of them, in their order.
    pub const ALL: [Self; 9] = [
        Self::Enforced,
        Self::NotMade,
        Self::NotShown,
        Self::Ignored,
        Self::IgnoredPerhaps,
        Self::SuperUser,
        Self::Unnamed,
        Self::NoRight,
        Self::NoAnswer,
    ];
}

//! Where requests are in their lives.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AccessTo, Request};
use crate::governance::{policy::Enforcement, record::Timestamp};

/// Where a request is in its life: its revision, not what was granted of one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    /// It waits for somebody to agree.
    Pending,
    /// It was agreed to, and nothing is done yet.
    Approved,
    /// Its rules are being made.
    Provisioning,
    /// It has what it asked for.
    Active,
    /// Its rules could not be made; the next run tries again.
    Failed,
    /// It was refused. What was granted of a revision before stays.
    Rejected,
    /// Who asked does not ask any more, before anything was granted.
    Withdrawn,
    /// What it had is being taken away.
    Revoking,
    /// What it had is gone.
    Revoked,
    /// Its time is over, and what it had is being taken away.
    Expiring,
    /// Its time is over, and what it had is gone.
    Expired,
}

impl RequestStatus {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 11] = [
        Self::Pending,
        Self::Approved,
        Self::Provisioning,
        Self::Active,
        Self::Failed,
        Self::Rejected,
        Self::Withdrawn,
        Self::Revoking,
        Self::Revoked,
        Self::Expiring,
        Self::Expired,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Provisioning => "provisioning",
            Self::Active => "active",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Revoking => "revoking",
            Self::Revoked => "revoked",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
        }
    }

    /// Whether it was agreed to and that holds.
    pub const fn is_approved(self) -> bool {
        matches!(self, Self::Approved | Self::Provisioning | Self::Active | Self::Failed)
    }

    /// Whether it is over: nothing revives it but, after its time, another one.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Withdrawn | Self::Revoking | Self::Revoked | Self::Expiring | Self::Expired)
    }
}

impl fmt::Display for RequestStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A request as a reader sees it: what is written, the time, and who enforces rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Look {
    /// As it is written.
    Status(RequestStatus),
    /// Its time is over, and what it had is still there: whoever reconciles is late, or at it.
    ExpiringOverdue,
    /// It is agreed to, and what enforces rights here is not Kafka: the rules are to be made there.
    External,
}

impl Look {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Status(it) => it.word(),
            Self::ExpiringOverdue => "expiring_overdue",
            Self::External => "external",
        }
    }
}

pub(super) fn look(request: &Request, enforcement: Enforcement, now: Timestamp) -> Look {
    let is_access = request.content.access().is_some_and(AccessTo::has_rules);
    let is_overdue = request.grant.as_ref().is_some_and(|it| it.content.is_expired(now));
    match request.status {
        RequestStatus::Expiring => Look::ExpiringOverdue,
        it if is_overdue && it.is_approved() => Look::ExpiringOverdue,
        RequestStatus::Approved if is_access && enforcement == Enforcement::External => Look::External,
        it => Look::Status(it),
    }
}

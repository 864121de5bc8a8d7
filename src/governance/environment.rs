//! Environments: one cluster each, with the rules that hold there.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::governance::{acl::Principal, names::EnvironmentName, policy::Policy, probe::Probe, record::Timestamp};

/// An environment, as its platform team declares it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentSpec {
    /// Its name.
    pub name: EnvironmentName,
    /// Where it stands between development and production, in the organisation's own word.
    #[serde(default)]
    pub stage: Option<String>,
    /// Where it runs, in the organisation's own word, such as `on-premise`.
    #[serde(default)]
    pub hosting: Option<String>,
    /// Free words to find it by.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What it permits.
    #[serde(default)]
    pub policy: Policy,
    /// What the cluster is like.
    #[serde(default)]
    pub cluster: ClusterFacts,
}

/// What a decision must know of a cluster, as it was seen or told when the environment was declared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterFacts {
    /// The cluster's own id.
    pub cluster_id: String,
    /// The principals that the platform works as. They are no application's.
    pub platform_principals: BTreeSet<Principal>,
    /// The principals that no rule holds for (`super.users`).
    pub super_users: BTreeSet<Principal>,
    /// The principals that brokers have among themselves.
    pub broker_principals: BTreeSet<Principal>,
    /// Who declared the environment, where `platform_principals` names nobody: then that is the platform's.
    pub declared_by: Option<Principal>,
    /// Whether producers need a right of its own to be idempotent, as with brokers before 2.8.
    pub wants_idempotent_write: bool,
}

/// An environment, as a journal keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// What was declared.
    pub spec: EnvironmentSpec,
    /// Whether the brokers follow rules, if that was ever tried.
    #[serde(default)]
    pub probe: Option<Probe>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ended; `None` while it holds.
    #[serde(default)]
    pub deleted_at: Option<Timestamp>,
    /// When somebody last did all that was to be done.
    #[serde(default)]
    pub reconciled_at: Option<Timestamp>,
}

impl Environment {
    /// How many seconds ago somebody last did all that was to be done, if that is longer than the policy permits. An
    /// environment in which nobody ever did is as old as it is.
    pub fn overdue_seconds(&self, now: Timestamp) -> Option<i64> {
        let within = self.spec.policy.reconcile_within_seconds?;
        let Timestamp(last) = self.reconciled_at.unwrap_or(self.created_at);
        let ago = now.0.saturating_sub(last) / 1000;
        (within < ago).then_some(ago)
    }
}

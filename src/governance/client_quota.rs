//! How much of each broker clients may use: what Kafka calls quotas.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use crate::governance::{acl::Principal, binding::Holder};

/// What the clients of an application may use of each broker together. `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientQuota {
    /// Bytes written a second.
    pub producer_byte_rate_per_broker: Option<f64>,
    /// Bytes read a second.
    pub consumer_byte_rate_per_broker: Option<f64>,
    /// Share of the time of a broker's threads, in percent of one thread.
    pub request_percentage_per_broker: Option<f64>,
    /// Partitions created and deleted a second, in the whole cluster.
    pub controller_mutation_rate: Option<f64>,
}

impl ClientQuota {
    /// Whether it limits nothing.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The share of each of so many principals. Kafka counts each principal for itself, so that all together stay within
    /// the whole only if each has its part. Bytes are rounded down, but not to nothing.
    #[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 principals")]
    pub fn divided(&self, principals: usize) -> Self {
        let parts = principals.max(1) as f64;
        let bytes = |it: Option<f64>| it.map(|it| (it / parts).floor().max(1.0));
        let share = |it: Option<f64>| it.map(|it| it / parts);
        Self {
            producer_byte_rate_per_broker: bytes(self.producer_byte_rate_per_broker),
            consumer_byte_rate_per_broker: bytes(self.consumer_byte_rate_per_broker),
            request_percentage_per_broker: share(self.request_percentage_per_broker),
            controller_mutation_rate: share(self.controller_mutation_rate),
        }
    }

    /// Whether limits by Kafka's keys are these, and none besides of those that can be given.
    pub fn is_what(&self, found: &BTreeMap<String, f64>) -> bool {
        self.named().into_iter().all(|(_, key, limit)| match (limit, found.get(key)) {
            (Some(limit), Some(found)) => is_same_limit(limit, *found),
            (None, None) => true,
            _ => false,
        })
    }

    /// The limits by Kafka's keys that would be changed or removed, of those that can be given.
    pub fn conflicts(&self, found: &BTreeMap<String, f64>) -> Vec<String> {
        let other = |(_, key, limit): (_, &str, Option<f64>)| {
            let found = *found.get(key)?;
            let is_it = limit.is_some_and(|it| is_same_limit(it, found));
            (!is_it).then(|| format!("{key} = {found}"))
        };
        self.named().into_iter().filter_map(other).collect()
    }

    /// Each limit by the name of its attribute, and by Kafka's key.
    pub fn named(&self) -> [(&'static str, &'static str, Option<f64>); 4] {
        [
            ("producer_byte_rate_per_broker", "producer_byte_rate", self.producer_byte_rate_per_broker),
            ("consumer_byte_rate_per_broker", "consumer_byte_rate", self.consumer_byte_rate_per_broker),
            ("request_percentage_per_broker", "request_percentage", self.request_percentage_per_broker),
            ("controller_mutation_rate", "controller_mutation_rate", self.controller_mutation_rate),
        ]
    }
}

/// Whether two limits are one: brokers keep a fraction as text.
pub fn is_same_limit(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs())
}

/// Whose use is limited: a user, in the form that Kafka's quotas have, which is the principal's name without its type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QuotaUser(pub String);

impl QuotaUser {
    /// The user of a principal.
    pub fn of(principal: &Principal) -> Self {
        let text = principal.as_str();
        Self(text.split_once(':').map_or(text, |(_, name)| name).to_owned())
    }
}

impl fmt::Display for QuotaUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The limits that a cluster has for users, by Kafka's keys.
pub type FoundLimits = BTreeMap<QuotaUser, BTreeMap<String, f64>>;

/// Where a quota is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaStatus {
    /// It is to be set.
    Wanted,
    /// The cluster has it.
    Present,
    /// It is to be removed.
    Removing,
    /// It is gone.
    Removed,
}

/// A quota, as a journal keeps it. It has one holder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quota {
    /// What is limited.
    pub limits: ClientQuota,
    /// Who wants it, or wanted it last.
    pub holder: Holder,
    /// Where it is in its life.
    pub status: QuotaStatus,
}

/// The quotas of principals that divide a whole among them.
pub fn shares(whole: &ClientQuota, principals: &BTreeSet<Principal>) -> Vec<(QuotaUser, ClientQuota)> {
    if whole.is_none() {
        return Vec::new();
    }
    let share = whole.divided(principals.len());
    principals.iter().map(|it| (QuotaUser::of(it), share)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_do_not_exceed_the_whole() {
        let whole = ClientQuota {
            producer_byte_rate_per_broker: Some(1_000_000.0),
            request_percentage_per_broker: Some(50.0),
            ..ClientQuota::default()
        };
        let principals = ["User:a", "User:b", "User:CN=c,O=d:e"].map(|it| it.parse().unwrap()).into();
        let share = ClientQuota {
            producer_byte_rate_per_broker: Some(333_333.0),
            request_percentage_per_broker: Some(50.0 / 3.0),
            ..ClientQuota::default()
        };
        let users = ["CN=c,O=d:e", "a", "b"].map(|it| (QuotaUser(it.to_owned()), share));
        assert_eq!(shares(&whole, &principals), users);
    }

    #[test]
    fn a_limit_that_is_changed_missing_or_added_is_another_quota() {
        let quota = ClientQuota {
            producer_byte_rate_per_broker: Some(1000.0),
            request_percentage_per_broker: Some(50.0 / 3.0),
            ..ClientQuota::default()
        };
        let is_it = |found: &[(&str, f64)]| {
            quota.is_what(&found.iter().map(|(key, limit)| ((*key).to_owned(), *limit)).collect())
        };
        let percentage = ("request_percentage", 16.666_666_666_666_67);
        assert!(is_it(&[("producer_byte_rate", 1000.0), percentage]));
        assert!(is_it(&[("producer_byte_rate", 1000.0), percentage, ("a_key_of_tomorrow", 1.0)]));
        assert!(!is_it(&[("producer_byte_rate", 1001.0), percentage]));
        assert!(!is_it(&[percentage]));
        assert!(!is_it(&[("producer_byte_rate", 1000.0), percentage, ("consumer_byte_rate", 1.0)]));
    }

    #[test]
    fn a_limit_of_others_conflicts_unless_it_is_the_same() {
        let quota = ClientQuota { producer_byte_rate_per_broker: Some(1000.0), ..ClientQuota::default() };
        let found = |key: &str, limit| BTreeMap::from([(key.to_owned(), limit)]);
        assert_eq!(quota.conflicts(&found("producer_byte_rate", 1000.0)), [""; 0]);
        assert_eq!(quota.conflicts(&found("a_key_of_tomorrow", 1.0)), [""; 0]);
        assert_eq!(quota.conflicts(&found("producer_byte_rate", 500.5)), ["producer_byte_rate = 500.5"]);
        assert_eq!(quota.conflicts(&found("consumer_byte_rate", 1.0)), ["consumer_byte_rate = 1"]);
    }

    #[test]
    fn no_limit_makes_no_quota() {
        assert_eq!(shares(&ClientQuota::default(), &["User:a".parse().unwrap()].into()), []);
    }
}

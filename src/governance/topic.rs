//! Topics: names, what should be, and the changes that lead there.

use std::{
    collections::BTreeMap,
    fmt,
    str::{FromStr, ParseBoolError},
};

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

/// Most partitions that one request can make: brokers under `KRaft` refuse an operation of more than 10,000 records.
pub const MOST_PARTITIONS: i32 = 10_000;

/// What becomes of a topic's partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionChange {
    /// They stay.
    Keep,
    /// They grow to as many as are declared.
    Grow,
    /// Fewer are declared than there are, though the declaration was not lowered: somebody else made them grow. They
    /// stay as they are.
    GrownOutside,
    /// The declaration was lowered, which Kafka cannot do.
    Shrink,
}

/// What becomes of `actual` partitions when `declared` are wanted, and `applied` were wanted the last time.
pub fn partition_change(actual: i32, declared: i32, applied: Option<i32>) -> PartitionChange {
    if actual == declared {
        PartitionChange::Keep
    } else if actual < declared {
        PartitionChange::Grow
    } else if applied.is_some_and(|applied| applied <= declared) {
        PartitionChange::GrownOutside
    } else {
        PartitionChange::Shrink
    }
}

/// The configuration keys to set (`Some`) and to return to the broker's default (`None`), from what is owned to what
/// should be.
pub fn config_changes(
    owned: &BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
) -> BTreeMap<String, Option<String>> {
    let set = wanted.iter().filter(|(key, value)| owned.get(*key) != Some(value));
    let reset = owned.keys().filter(|key| !wanted.contains_key(*key));
    set.map(|(key, value)| (key.clone(), Some(value.clone()))).chain(reset.map(|key| (key.clone(), None))).collect()
}

/// How brokers read the value of a configuration key, by the type that Kafka gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ValueKind {
    /// Words between commas.
    List,
    /// A whole number of 64 bits at most.
    Integer,
    /// A floating-point number.
    Decimal,
    /// `true` or `false`.
    Boolean,
    /// Text as it is written, and all keys that are not known here.
    Text,
}

impl ValueKind {
    fn of(key: &str) -> Self {
        match key {
            "cleanup.policy" | "follower.replication.throttled.replicas" | "leader.replication.throttled.replicas" => {
                Self::List
            }
            "min.cleanable.dirty.ratio" => Self::Decimal,
            "message.downconversion.enable"
            | "preallocate"
            | "remote.log.copy.disable"
            | "remote.log.delete.on.disable"
            | "remote.storage.enable"
            | "unclean.leader.election.enable" => Self::Boolean,
            "delete.retention.ms"
            | "file.delete.delay.ms"
            | "flush.messages"
            | "flush.ms"
            | "index.interval.bytes"
            | "local.retention.bytes"
            | "local.retention.ms"
            | "max.compaction.lag.ms"
            | "max.message.bytes"
            | "message.timestamp.after.max.ms"
            | "message.timestamp.before.max.ms"
            | "message.timestamp.difference.max.ms"
            | "min.compaction.lag.ms"
            | "min.insync.replicas"
            | "retention.bytes"
            | "retention.ms"
            | "segment.bytes"
            | "segment.index.bytes"
            | "segment.jitter.ms"
            | "segment.ms" => Self::Integer,
            _ => Self::Text,
        }
    }
}

/// Whether a broker that shows `actual` for a topic's configuration key has what was `written`. Brokers read values by
/// their type and show them in their own way: `compact, delete` as `compact,delete`, `0.50` as `0.5`, ` TRUE` as `true`.
/// Their answers to a creation have the values as they were written, so both ways are compared.
///
/// Never true where Kafka would behave differently: what does not read as its key's type, and what keys that are not
/// known here have, is compared as text, of which brokers ignore the spaces at either end alone.
pub fn is_same_value(key: &str, written: &str, actual: &str) -> bool {
    // What Java's `String.trim` removes.
    let bare = |it| str::trim_matches(it, |it| it <= ' ');
    let (written, actual) = (bare(written), bare(actual));
    written == actual
        || match ValueKind::of(key) {
            ValueKind::List => words(written) == words(actual),
            ValueKind::Integer => is_same(written.parse::<i64>(), actual.parse()),
            ValueKind::Decimal => is_same(written.parse::<f64>(), actual.parse()),
            ValueKind::Boolean => is_same(boolean(written), boolean(actual)),
            ValueKind::Text => false,
        }
}

/// The words of a list in their order, without those that were there before: brokers drop them.
fn words(list: &str) -> Vec<&str> {
    let mut res = Vec::new();
    for it in list.split(',').map(str::trim) {
        if !res.contains(&it) {
            res.push(it);
        }
    }
    res
}

fn boolean(text: &str) -> Result<bool, ParseBoolError> {
    text.to_ascii_lowercase().parse()
}

fn is_same<T: PartialEq, E>(a: Result<T, E>, b: Result<T, E>) -> bool {
    matches!((a, b), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kafkas() {
        for name in ["a", "orders.v1", "A-b_c.9", &"x".repeat(249)] {
            assert_eq!(name.parse::<TopicName>().unwrap().to_string(), name);
        }
        assert_eq!("".parse::<TopicName>(), Err(TopicNameError::Length(0)));
        assert_eq!("x".repeat(250).parse::<TopicName>(), Err(TopicNameError::Length(250)));
        assert_eq!("a b".parse::<TopicName>(), Err(TopicNameError::Character(' ')));
        assert_eq!("naïve".parse::<TopicName>(), Err(TopicNameError::Character('ï')));
        assert_eq!("..".parse::<TopicName>(), Err(TopicNameError::Dots));
    }

    #[test]
    fn dots_and_underscores_are_one_in_metrics() {
        let metric = |name: &str| name.parse::<TopicName>().unwrap().metric_name();
        assert_eq!(metric("a.b_c"), metric("a_b.c"));
    }

    #[test]
    fn partitions_grow_and_never_shrink() {
        let check = |actual, declared, applied, expected| {
            assert_eq!(partition_change(actual, declared, applied), expected);
        };
        check(3, 3, Some(3), PartitionChange::Keep);
        check(3, 6, Some(3), PartitionChange::Grow);
        check(6, 3, Some(6), PartitionChange::Shrink);
        check(6, 3, None, PartitionChange::Shrink);
    }

    /// Rule 9 of Terraform's core: what somebody else made grow must not turn an unrelated plan red.
    #[test]
    fn growth_outside_is_kept() {
        assert_eq!(partition_change(16, 12, Some(12)), PartitionChange::GrownOutside);
        assert_eq!(partition_change(16, 14, Some(12)), PartitionChange::GrownOutside);
    }

    #[test]
    fn applying_the_changes_leads_there() {
        arbtest::arbtest(|u| {
            let owned: BTreeMap<String, String> = u.arbitrary()?;
            let wanted: BTreeMap<String, String> = u.arbitrary()?;
            let mut config = owned.clone();
            for (key, value) in config_changes(&owned, &wanted) {
                match value {
                    Some(value) => config.insert(key, value),
                    None => config.remove(&key),
                };
            }
            assert_eq!(config, wanted);
            Ok(())
        });
    }

    #[test]
    fn values_that_brokers_write_differently_are_the_same() {
        for (key, written, actual) in [
            ("cleanup.policy", "compact, delete", "compact,delete"),
            ("cleanup.policy", " compact ,delete ", "compact,delete"),
            ("cleanup.policy", "delete,compact,delete", "delete,compact"),
            ("leader.replication.throttled.replicas", "0:1, 1:2", "0:1,1:2"),
            ("min.cleanable.dirty.ratio", "0.50", "0.5"),
            ("min.cleanable.dirty.ratio", "5e-1", "0.5"),
            ("min.cleanable.dirty.ratio", "1", "1.0"),
            ("preallocate", " TRUE", "true"),
            ("retention.ms", "+01000 ", "1000"),
            ("min.cleanable.dirty.ratio", "0.0001", "1.0E-4"),
            ("compression.type", " zstd", "zstd"),
            ("vendor.key", "", ""),
        ] {
            assert!(is_same_value(key, written, actual), "{key}: {written:?} {actual:?}");
        }
    }

    #[test]
    fn values_that_brokers_tell_apart_are_different() {
        for (key, written, actual) in [
            ("cleanup.policy", "compact", "delete"),
            ("cleanup.policy", "com pact", "compact"),
            ("cleanup.policy", "Compact", "compact"),
            ("min.cleanable.dirty.ratio", "0.5", "0.51"),
            ("cleanup.policy", "", "delete"),
            ("min.cleanable.dirty.ratio", "", "0"),
            ("preallocate", "1", "true"),
            // Both are the same 64-bit floating-point number.
            ("retention.ms", "9223372036854775806", "9223372036854775807"),
            ("retention.ms", "1e3", "1000"),
            ("retention.ms", "", "0"),
            ("message.timestamp.type", "createtime", "CreateTime"),
            ("compression.type", "zstd", "ZSTD"),
            ("vendor.key", "1.0", "1"),
            ("vendor.key", "a, b", "a,b"),
        ] {
            assert!(!is_same_value(key, written, actual), "{key}: {written:?} {actual:?}");
        }
    }
}

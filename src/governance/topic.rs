//! Topics: names, what should be, and the changes that lead there.

use std::{collections::BTreeMap, fmt, str::FromStr};

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
}

//! How much is needed, how much there may be, and the sums.

use serde::{Deserialize, Serialize};

use crate::governance::violation::{At, Violation};

/// What a topic is expected to carry and to keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capacity {
    /// Messages written a second.
    pub messages_in_per_second: Option<i64>,
    /// Messages read a second, by all readers together.
    pub messages_out_per_second: Option<i64>,
    /// Bytes of a message, on average.
    pub message_bytes: Option<i64>,
    /// Bytes on disk, all copies together.
    pub disk_bytes: Option<i64>,
}

impl Capacity {
    /// Bytes written a second, where rate and size are known.
    pub fn bytes_in_per_second(&self) -> Option<i64> {
        Some(self.messages_in_per_second?.saturating_mul(self.message_bytes?))
    }

    /// Bytes read a second, where rate and size are known.
    pub fn bytes_out_per_second(&self) -> Option<i64> {
        Some(self.messages_out_per_second?.saturating_mul(self.message_bytes?))
    }

    /// What is below 0, each at its attribute of `capacity`.
    pub fn check(&self, at: &At) -> Vec<Violation> {
        let Self { messages_in_per_second, messages_out_per_second, message_bytes, disk_bytes } = *self;
        [
            ("messages_in_per_second", messages_in_per_second),
            ("messages_out_per_second", messages_out_per_second),
            ("message_bytes", message_bytes),
            ("disk_bytes", disk_bytes),
        ]
        .into_iter()
        .filter_map(|(name, value)| negative(&at.clone().then(name), value?))
        .collect()
    }
}

/// Totals of an application: what its topics may take together, or take. `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Topics.
    pub topics: Option<i64>,
    /// Partitions of all topics.
    pub partitions: Option<i64>,
    /// Bytes on disk, all copies together.
    pub disk_bytes: Option<i64>,
    /// Bytes written a second.
    pub bytes_in_per_second: Option<i64>,
    /// Bytes read a second.
    pub bytes_out_per_second: Option<i64>,
}

impl Totals {
    /// Each total by the name of its attribute.
    pub fn named(&self) -> [(&'static str, Option<i64>); 5] {
        let Self { topics, partitions, disk_bytes, bytes_in_per_second, bytes_out_per_second } = *self;
        [
            ("topics", topics),
            ("partitions", partitions),
            ("disk_bytes", disk_bytes),
            ("bytes_in_per_second", bytes_in_per_second),
            ("bytes_out_per_second", bytes_out_per_second),
        ]
    }

    /// These limits, and where there is none, the others.
    pub fn or(self, others: Self) -> Self {
        Self {
            topics: self.topics.or(others.topics),
            partitions: self.partitions.or(others.partitions),
            disk_bytes: self.disk_bytes.or(others.disk_bytes),
            bytes_in_per_second: self.bytes_in_per_second.or(others.bytes_in_per_second),
            bytes_out_per_second: self.bytes_out_per_second.or(others.bytes_out_per_second),
        }
    }

    /// What one topic takes. What is not declared counts as nothing.
    pub fn of_topic(partitions: i64, capacity: &Capacity) -> Self {
        Self {
            topics: Some(1),
            partitions: Some(partitions),
            disk_bytes: capacity.disk_bytes,
            bytes_in_per_second: capacity.bytes_in_per_second(),
            bytes_out_per_second: capacity.bytes_out_per_second(),
        }
    }

    /// Both together; unknown is nothing.
    pub fn plus(self, other: Self) -> Self {
        let sum = |a: Option<i64>, b: Option<i64>| Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0)));
        Self {
            topics: sum(self.topics, other.topics),
            partitions: sum(self.partitions, other.partitions),
            disk_bytes: sum(self.disk_bytes, other.disk_bytes),
            bytes_in_per_second: sum(self.bytes_in_per_second, other.bytes_in_per_second),
            bytes_out_per_second: sum(self.bytes_out_per_second, other.bytes_out_per_second),
        }
    }

    /// The names of the totals that exceed these limits, with the limit and what there would be.
    pub fn exceeded_by(&self, sum: &Self) -> Vec<(&'static str, i64, i64)> {
        let pairs = self.named().into_iter().zip(sum.named());
        let over = pairs.filter_map(|((name, limit), (_, sum))| Some((name, limit?, sum?)));
        over.filter(|(_, limit, sum)| limit < sum).collect()
    }

    /// What is below 0, each at its attribute.
    pub fn check(&self, at: &At) -> Vec<Violation> {
        self.named().into_iter().filter_map(|(name, value)| negative(&at.clone().then(name), value?)).collect()
    }
}

fn negative(at: &At, value: i64) -> Option<Violation> {
    let told = || {
        let what = format!("`{at}` is {value}, and there is no less than nothing.");
        Violation::new(at.clone(), "Negative amount", what, "Write 0 or more, or leave it out.")
    };
    (value < 0).then(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_exceed_limits_only_where_there_are_limits() {
        let limits = Totals { topics: Some(2), disk_bytes: Some(100), ..Totals::default() };
        let one = Totals::of_topic(6, &Capacity { disk_bytes: Some(60), ..Capacity::default() });
        assert_eq!(limits.exceeded_by(&one), []);
        assert_eq!(limits.exceeded_by(&one.plus(one)), [("disk_bytes", 100, 120)]);
        assert_eq!(limits.exceeded_by(&one.plus(one).plus(one)), [("topics", 2, 3), ("disk_bytes", 100, 180)]);
    }

    #[test]
    fn sums_do_not_overflow() {
        let much = Totals { disk_bytes: Some(i64::MAX), ..Totals::default() };
        assert_eq!(much.plus(much).disk_bytes, Some(i64::MAX));
        let capacity =
            Capacity { messages_in_per_second: Some(i64::MAX), message_bytes: Some(2), ..Capacity::default() };
        assert_eq!(capacity.bytes_in_per_second(), Some(i64::MAX));
    }

    #[test]
    fn every_negative_amount_is_told() {
        let totals = Totals { topics: Some(-1), partitions: Some(0), disk_bytes: Some(-2), ..Totals::default() };
        let told: Vec<String> = totals.check(&At::attribute("quota")).iter().map(|it| it.at.to_string()).collect();
        assert_eq!(told, ["quota.topics", "quota.disk_bytes"]);
    }
}

//! What topics may take together, as configurations write it.

use crate::{
    framework::{Model, Nested, Optional, Unknown},
    governance::capacity::Totals,
};

/// What all topics of an application may take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub(super) struct TotalsModel {
    /// Topics.
    topics: Optional<i64>,
    /// Partitions of all topics together.
    partitions: Optional<i64>,
    /// Bytes on disk, all copies together.
    disk_bytes: Optional<i64>,
    /// Bytes written a second.
    bytes_in_per_second: Optional<i64>,
    /// Bytes read a second.
    bytes_out_per_second: Optional<i64>,
}

impl TotalsModel {
    /// The limits.
    pub(super) fn totals(&self) -> Result<Totals, Unknown> {
        Ok(Totals {
            topics: self.topics.known()?.copied(),
            partitions: self.partitions.known()?.copied(),
            disk_bytes: self.disk_bytes.known()?.copied(),
            bytes_in_per_second: self.bytes_in_per_second.known()?.copied(),
            bytes_out_per_second: self.bytes_out_per_second.known()?.copied(),
        })
    }

    /// The limits, if there are any.
    pub(super) fn of(totals: &Totals) -> Option<Nested<Self>> {
        let Totals { topics, partitions, disk_bytes, bytes_in_per_second, bytes_out_per_second } = *totals;
        let model = Self {
            topics: topics.into(),
            partitions: partitions.into(),
            disk_bytes: disk_bytes.into(),
            bytes_in_per_second: bytes_in_per_second.into(),
            bytes_out_per_second: bytes_out_per_second.into(),
        };
        (*totals != Totals::default()).then(|| model.into())
    }
}

//! This machine's clock, as Kafka counts time.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::governance::record::Timestamp;

/// What it shows.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

//! Pauses of a random length, so that those who failed together do not come again together.

use std::time::Duration;

use aws_lc_rs::rand;

/// A random part of a time.
pub(super) fn random_part(of: Duration) -> Duration {
    let mut random = [0; 2];
    // Without random numbers it is merely all of it.
    let part = rand::fill(&mut random).map_or(u16::MAX, |()| u16::from_be_bytes(random));
    of * u32::from(part) / u32::from(u16::MAX)
}

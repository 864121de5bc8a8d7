//! What was read last of one kind, shared by all who ask at the same time.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use crate::clients::kafka::{locked, trouble::Trouble};

/// How long it is served.
pub(super) const MAX_AGE: Duration = Duration::from_secs(30);

/// What was read last, and when something was written that it may not show.
pub(super) struct Snapshot<T> {
    kept: tokio::sync::Mutex<Option<(Instant, Arc<T>)>>,
    /// When a write of this client began or ended last: what was read before says nothing any more.
    written: Mutex<Option<Instant>>,
}

impl<T> Default for Snapshot<T> {
    fn default() -> Self {
        Self { kept: tokio::sync::Mutex::default(), written: Mutex::default() }
    }
}

impl<T> Snapshot<T> {
    /// A write begins or ended.
    pub(super) fn touch(&self) {
        *locked(&self.written) = Some(Instant::now());
    }

    /// The time before which nothing may have been read that a refresh takes.
    pub(super) fn fresh(&self) -> Option<Instant> {
        Instant::now().checked_sub(MAX_AGE).max(*locked(&self.written))
    }

    /// What was not read before a time: what is there, or what is read now. Those who ask together share an answer.
    pub(super) async fn since(
        &self,
        not_before: Option<Instant>,
        read: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<Arc<T>, Trouble> {
        let mut kept = self.kept.lock().await;
        if let Some((_, it)) = kept.as_ref().filter(|(taken, _)| not_before.is_none_or(|time| time <= *taken)) {
            return Ok(it.clone());
        }
        *kept = None;
        let taken = Instant::now();
        let it = Arc::new(read.await?);
        *kept = Some((taken, it.clone()));
        Ok(it)
    }
}

//! What one `ConfigureProvider` made, and how long it serves.

use std::{
    future::Future,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::{sync::watch, time::sleep};

use crate::framework::{Diagnostic, Diagnostics, NOT_CHECKED, Severity};

/// How long operations under way have to finish after a stop.
const GRACE: Duration = Duration::from_secs(10);

/// A configured provider: one walk of Terraform's.
#[derive(Debug)]
pub(super) struct Generation<C> {
    /// What resources and data sources are given.
    pub(super) context: C,
    stopped: watch::Sender<bool>,
    /// Whether the practitioner knows that the plan is not checked.
    told: AtomicBool,
}

impl<C> Generation<C> {
    pub(super) fn new(context: C) -> Self {
        Self { context, stopped: watch::Sender::new(false), told: AtomicBool::new(false) }
    }

    /// Begins the end: see [`Generation::unless_stopped`].
    pub(super) fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// Does `work`, unless there was a stop; gives it some time if one comes.
    pub(super) async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, Diagnostic> {
        if *self.stopped.borrow() {
            return Err(interrupted());
        }
        tokio::select! {
            biased;
            res = work => Ok(res),
            () = self.out_of_time() => Err(interrupted()),
        }
    }

    async fn out_of_time(&self) {
        let mut stopped = self.stopped.subscribe();
        // It cannot fail: the sender lives as long as `self`.
        let _ = stopped.wait_for(|it| *it).await;
        sleep(GRACE).await;
    }

    /// Leaves out what every object would say alike, if it was said before.
    pub(super) fn say_once(&self, report: &mut Diagnostics) {
        report.0.retain(|it| {
            it.severity != Severity::Warning || it.summary != NOT_CHECKED || !self.told.swap(true, Ordering::Relaxed)
        });
    }
}

fn interrupted() -> Diagnostic {
    Diagnostic::error(
        "Interrupted",
        "Terraform asked the provider to stop before this operation was done. What is done already stays, and the next \
         apply finishes the job.",
    )
}

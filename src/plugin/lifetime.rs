//! How long the process lives: as long as somebody is connected.

use std::{future::pending, sync::Arc, time::Duration};

use tokio::{sync::watch, time::timeout};

/// How long a host takes at most until it connects. It gives up on a plugin that takes a minute to start.
const FIRST_CONNECTION: Duration = Duration::from_mins(1);

/// How long a host may take to connect again when its connection broke.
const NEXT_CONNECTION: Duration = Duration::from_secs(1);

/// Counts the connections of the host.
///
/// A host that is killed sends nothing, and the plugin would stay for ever; but its sockets close with it. So the
/// process ends when it has had no connection for a while.
#[derive(Debug, Default)]
pub(super) struct Lifetime {
    count: Arc<watch::Sender<Count>>,
}

#[derive(Debug, Default)]
struct Count {
    opened: u64,
    open: u64,
}

/// One connection: it counts until it is dropped.
#[derive(Debug)]
pub(super) struct Open {
    count: Arc<watch::Sender<Count>>,
}

impl Lifetime {
    /// Counts a connection that was accepted.
    pub(super) fn open(&self) -> Open {
        self.count.send_modify(|it| {
            it.opened += 1;
            it.open += 1;
        });
        Open { count: Arc::clone(&self.count) }
    }

    /// Returns when there is no connection.
    pub(super) async fn closed(&self) {
        self.until(|it| it.open == 0).await;
    }

    /// Returns when the host seems to be gone, and says why.
    pub(super) async fn orphaned(&self) -> &'static str {
        let mut patience = FIRST_CONNECTION;
        let mut seen = 0;
        while timeout(patience, self.until(|it| it.opened > seen)).await.is_ok() {
            self.closed().await;
            seen = self.count.borrow().opened;
            patience = NEXT_CONNECTION;
        }
        if seen == 0 { "nobody connected" } else { "the last connection was closed" }
    }

    async fn until(&self, reached: impl FnMut(&Count) -> bool) {
        if self.count.subscribe().wait_for(reached).await.is_err() {
            // The sender lives as long as `self`.
            pending::<()>().await;
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.count.send_modify(|it| it.open -= 1);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    async fn after(lifetime: &Lifetime) -> (&'static str, Duration) {
        let start = Instant::now();
        (lifetime.orphaned().await, start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_never_connects_is_given_a_minute() {
        let (reason, waited) = after(&Lifetime::default()).await;
        assert_eq!(reason, "nobody connected");
        assert!(waited >= FIRST_CONNECTION);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_came_and_went_unseen_counts() {
        let lifetime = Lifetime::default();
        drop(lifetime.open());
        let (reason, waited) = after(&lifetime).await;
        assert_eq!(reason, "the last connection was closed");
        assert!(waited < NEXT_CONNECTION * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_connection_keeps_the_process_alive() {
        let lifetime = Lifetime::default();
        let (first, second) = (lifetime.open(), lifetime.open());
        drop(first);
        assert!(timeout(FIRST_CONNECTION * 60, lifetime.orphaned()).await.is_err());
        drop(second);
        lifetime.closed().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_may_connect_again_soon() {
        let lifetime = Lifetime::default();
        drop(lifetime.open());
        let again = async {
            tokio::time::sleep(NEXT_CONNECTION / 2).await;
            lifetime.open()
        };
        let (_open, ended) = tokio::join!(again, timeout(FIRST_CONNECTION, lifetime.orphaned()));
        assert!(ended.is_err());
    }
}

//! What one answer does not prove: that something is gone, or as it was just made, and what became of a request without an
//! answer.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{Connect, ConnectError, Connector, is_masked};
use crate::{clients::rest::RestError, governance::connector::ConnectorName};

/// How far a worker may lag behind the others, in one step, and how long that is waited for after a change.
const LAG: Duration = Duration::from_millis(500);
const LONGEST_LAG: Duration = Duration::from_secs(5);

/// How long it may take to read back what became of a request whose answer was lost.
const READ_BACK: Duration = Duration::from_secs(10);

impl Connect {
    /// A connector that a worker did not know, as another one knows it; `None` if all say that it is gone. Each answers by
    /// what it has read itself of what all keep, and one may lag behind.
    pub async fn unless_gone(
        &self,
        name: &ConnectorName,
        deadline: Instant,
    ) -> Result<Option<Connector>, ConnectError> {
        // The only address may lead to several workers.
        for _ in 1..self.rest.urls().count().max(2) {
            tokio::time::sleep(LAG).await;
            self.rest.go_on();
            if let Some(it) = self.connector(name, deadline).await? {
                return Ok(Some(it));
            }
        }
        Ok(None)
    }

    /// A connector that was just made or changed, once the worker that answers knows that it has these values, or after a
    /// while as it knows it.
    pub async fn after_change(
        &self,
        name: &ConnectorName,
        values: &BTreeMap<String, String>,
        deadline: Instant,
    ) -> Result<Option<Connector>, ConnectError> {
        let patience = deadline.min(Instant::now() + LONGEST_LAG);
        loop {
            let found = self.connector(name, deadline).await?;
            let is_current = found.as_ref().is_some_and(|it| values.iter().all(|(key, value)| it.shows(key, value)));
            if is_current || patience <= Instant::now() + LAG {
                return Ok(found);
            }
            tokio::time::sleep(LAG).await;
        }
    }

    /// Whether it can be seen that a connector is there and configured so.
    pub(super) async fn is_as(
        &self,
        name: &ConnectorName,
        config: &BTreeMap<String, String>,
        deadline: Instant,
    ) -> bool {
        let found = self.connector(name, again(deadline)).await.ok().flatten();
        found.is_some_and(|it| config.iter().all(|(key, value)| it.config.get(key) == Some(value)))
    }
}

impl Connector {
    /// Whether a key has a value, as far as the workers show it.
    fn shows(&self, key: &str, value: &str) -> bool {
        self.config.get(key).is_some_and(|it| it == value || is_masked(it))
    }
}

/// Whether what was asked may have been done, and its answer was lost.
pub(super) fn is_lost(error: &ConnectError) -> bool {
    matches!(error, ConnectError::Rest(RestError::Deadline | RestError::Closed(_) | RestError::Broken { .. }))
}

/// The end of the time for reading back what became of a request, which may have used up its own.
pub(super) fn again(deadline: Instant) -> Instant {
    deadline.max(Instant::now() + READ_BACK)
}

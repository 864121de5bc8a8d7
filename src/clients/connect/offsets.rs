//! How far a connector has come.

use std::time::Instant;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Connect, ConnectError, answers::read, path};
use crate::{clients::rest::Request, governance::connector::ConnectorName};

/// How far a connector has come in a part of what it reads: each is an object of the connector's own keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offset {
    /// Which part.
    pub partition: Value,
    /// How far; null is the beginning.
    pub offset: Value,
}

impl Connect {
    /// How far a connector has come; `None` if it is not there.
    ///
    /// # Errors
    /// [`ConnectError::Unsupported`] from workers before Kafka 3.5, and all others.
    pub async fn offsets(&self, name: &ConnectorName, deadline: Instant) -> Result<Option<Vec<Offset>>, ConnectError> {
        let answer = self.read(&path(name, "/offsets"), deadline).await?;
        answer.map(|mut it| read(it["offsets"].take())).transpose()
    }

    /// Sets how far a connector has come, which is stopped.
    ///
    /// # Errors
    /// [`ConnectError::Unsupported`] from workers before Kafka 3.6, and all others.
    pub async fn alter_offsets(
        &self,
        name: &ConnectorName,
        offsets: &[Offset],
        deadline: Instant,
    ) -> Result<(), ConnectError> {
        let body = Some(json!({ "offsets": offsets }));
        let request = Request { method: Method::PATCH, path: path(name, "/offsets"), query: vec![], body };
        self.send(&request, deadline).await.map(drop)
    }

    /// Has a connector, which is stopped, begin from the beginning.
    ///
    /// # Errors
    /// As for [`Connect::alter_offsets`].
    pub async fn reset_offsets(&self, name: &ConnectorName, deadline: Instant) -> Result<(), ConnectError> {
        let request = Request { method: Method::DELETE, path: path(name, "/offsets"), query: vec![], body: None };
        self.send(&request, deadline).await.map(drop)
    }
}

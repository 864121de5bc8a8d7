//! How a cluster of workers fails.

use crate::clients::rest::RestError;

/// Why a call of a worker failed. A variant exists where somebody treats it differently.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// It did not answer, or not as a worker.
    #[error(transparent)]
    Rest(RestError),
    /// What it answers has another form.
    #[error("its answer has another form: {0}")]
    Strange(String),
    /// 409: there is one of that name.
    #[error("it has one of that name: {0}")]
    Exists(String),
    /// 409 while the workers share their work out anew, or the one that decides does not answer the others: it passes.
    #[error("the workers are sharing out their work: {0}")]
    Unsettled(String),
    /// 500 where the tasks of a connector that was stopped have not all ended yet: it passes.
    #[error("its tasks have not ended yet: {0}")]
    Stopping(String),
    /// 400: the configuration, or what else was sent, is refused.
    #[error("it refuses what was sent: {0}")]
    Invalid(String),
    /// 404 or 405 where a newer worker has an answer.
    #[error("it does not know that request")]
    Unsupported,
    /// 404: there is no connector of that name.
    #[error("it has no such connector")]
    Absent,
}

impl From<RestError> for ConnectError {
    fn from(error: RestError) -> Self {
        match error {
            RestError::Refused { status: 409, message, .. } if message.contains("already exists") => {
                Self::Exists(message)
            }
            RestError::Refused { status: 409, message, .. } => Self::Unsettled(message),
            RestError::Broken { message, .. } if is_passing(&message) => Self::Unsettled(message),
            RestError::Broken { message, .. } if message.contains("haven't stopped completely") => {
                Self::Stopping(message)
            }
            RestError::Refused { status: 400 | 422, message, .. } => Self::Invalid(message),
            RestError::Refused { status: 404, message, .. } if is_absence(&message) => Self::Absent,
            RestError::Refused { status: 404 | 405, .. } => Self::Unsupported,
            other => Self::Rest(other),
        }
    }
}

impl ConnectError {
    /// Whether nobody answered, or nobody could: what there is stays as it was.
    pub fn is_silence(&self) -> bool {
        use RestError as E;
        matches!(
            self,
            Self::Unsettled(_)
                | Self::Rest(
                    E::Unresolved(_)
                        | E::Unreachable(_)
                        | E::Closed(_)
                        | E::Busy { .. }
                        | E::Broken { .. }
                        | E::Deadline
                )
        )
    }
}

/// Whether a worker failed because it did not reach the one that decides, or that one did not come to it in time.
fn is_passing(message: &str) -> bool {
    ["IO Error trying to forward REST request", "Request timed out", "rebalance"].iter().any(|it| message.contains(it))
}

/// Whether a worker says of a connector that it is not there. The same number without these words is a path that nobody
/// has.
fn is_absence(message: &str) -> bool {
    ["Connector ", "Unknown connector ", "No status found for connector "].iter().any(|it| message.starts_with(it))
}

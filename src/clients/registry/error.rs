//! How a registry fails.

use crate::clients::rest::RestError;

/// Why a call of a registry failed. A variant exists where somebody treats it differently.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// It did not answer, or not as a registry.
    #[error(transparent)]
    Rest(RestError),
    /// What it answers has another form.
    #[error("its answer has another form: {0}")]
    Strange(String),
    /// 409: the schema may not follow the versions that are there.
    #[error("it calls the schema incompatible: {0}")]
    Incompatible(String),
    /// 42201: the schema is none, or what it refers to is not there.
    #[error("it calls the schema invalid: {0}")]
    Invalid(String),
    /// 42205: the subject, or the whole registry, is not to be changed now.
    #[error("it permits no such operation: {0}")]
    NotPermitted(String),
    /// 42206: another schema refers to it.
    #[error("it is referred to: {0}")]
    Referenced(String),
    /// A setting that was deleted is there as before.
    #[error("it keeps what it was told to delete: {0}")]
    Kept(String),
}

impl From<RestError> for RegistryError {
    fn from(error: RestError) -> Self {
        match error {
            RestError::Refused { code: Some(42201), message, .. } => Self::Invalid(message),
            RestError::Refused { code: Some(42205), message, .. } => Self::NotPermitted(message),
            RestError::Refused { code: Some(42206), message, .. } => Self::Referenced(message),
            RestError::Refused { status: 409, message, .. } => Self::Incompatible(message),
            other => Self::Rest(other),
        }
    }
}

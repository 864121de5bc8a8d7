//! Whether a credential that is there before its create is the planned one, as it is where an apply was interrupted.

use std::time::Instant;

use crate::clients::kafka::{Kafka, KafkaError, LogIn, NewScramCredential};

/// A credential that is there and is not the planned one, or cannot be told from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is hashed so many times, and not as often as planned.
    OtherIterations(u32),
    /// Its password is another one.
    OtherPassword,
    /// Nobody can log in with its mechanism where the provider connects. What is offered there, or `none`.
    NotOffered(String),
    /// The planned password is not known, or this came of logging in with it.
    Untold(Option<KafkaError>),
}

/// What is to be told of a credential that is hashed so many times: nothing if it is as planned, for which the planned
/// password is tried.
pub(super) async fn unlike_planned(
    kafka: &dyn Kafka,
    iterations: u32,
    planned: Option<&NewScramCredential>,
    deadline: Instant,
) -> Option<Found> {
    let Some(planned) = planned else { return Some(Found::Untold(None)) };
    if planned.iterations != iterations {
        return Some(Found::OtherIterations(iterations));
    }
    match kafka.log_in_as(planned, deadline).await {
        Ok(LogIn::Succeeds) => None,
        Ok(LogIn::Fails) => Some(Found::OtherPassword),
        Ok(LogIn::NotOffered(offered)) => Some(Found::NotOffered(offered)),
        Err(error) => Some(Found::Untold(Some(error))),
    }
}

//! What to do about an error: give up, or try again, and until when.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use aws_lc_rs::rand;
use kafka_protocol::error::ResponseError;

use crate::clients::kafka::error::{ConnectProblem, KafkaError};

/// An error, with what it says about another try.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// Another try would not help.
    Final(KafkaError),
    /// Another try may help. Nothing was done.
    Again(KafkaError),
    /// Another try may help. The request may have been carried out: its answer was lost.
    Lost(KafkaError),
}

/// Operation and resource of a request, for a refusal by the authorizer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// Kafka's operation.
    pub(super) operation: &'static str,
    /// Name of the topic, id of the consumer group or transactional id that it is about.
    pub(super) name: &'a str,
}

impl Trouble {
    /// What a code in an answer means; `None` for success.
    pub(super) fn of_code(code: i16, message: Option<&str>, asked: Asked<'_>) -> Option<Self> {
        use ResponseError as R;
        let error = R::try_from_code(code)?;
        let name = code_name(error);
        let message = match message {
            Some(text) if !text.is_empty() => text.to_owned(),
            _ => name.to_lowercase().replace('_', " "),
        };
        let denied =
            |resource| Self::Final(KafkaError::Denied { operation: asked.operation, resource, principal: None });
        Some(match error {
            R::TopicAuthorizationFailed => denied(format!("topic `{}`", asked.name)),
            R::GroupAuthorizationFailed => denied(format!("group `{}`", asked.name)),
            R::TransactionalIdAuthorizationFailed => denied(format!("transactional id `{}`", asked.name)),
            R::ClusterAuthorizationFailed => denied("the cluster".to_owned()),
            R::SecurityDisabled => Self::Final(KafkaError::NoAuthorizer),
            R::TopicAlreadyExists => Self::Final(KafkaError::TopicExists(asked.name.to_owned())),
            R::UnknownTopicOrPartition => Self::Final(KafkaError::NoTopic(asked.name.to_owned())),
            R::UnsupportedVersion => {
                Self::Final(KafkaError::Unsupported(format!("{} here: {message}", asked.operation)))
            }
            R::InvalidTopicException
            | R::InvalidGroupId
            | R::InvalidPartitions
            | R::InvalidReplicationFactor
            | R::InvalidReplicaAssignment
            | R::InvalidConfig
            | R::InvalidRequest
            | R::PolicyViolation
            | R::UnacceptableCredential
            | R::UnsupportedSaslMechanism
            | R::TopicDeletionDisabled => Self::Final(KafkaError::Refused { code: name, message }),
            // The controller did not finish, or the broker in between lost it.
            R::RequestTimedOut | R::NetworkException => Self::Lost(KafkaError::Broker { code: name, message }),
            it if it.is_retriable() => Self::Again(KafkaError::Broker { code: name, message }),
            _ => Self::Final(KafkaError::Broker { code: name, message }),
        })
    }

    /// An answer that leaves out what it was asked about.
    pub(super) fn unanswered(what: &str) -> Self {
        let message = format!("it said nothing about {what}");
        Self::Final(KafkaError::Broker { code: "UNKNOWN_SERVER_ERROR".to_owned(), message })
    }

    /// The error itself.
    pub(super) fn into_error(self) -> KafkaError {
        match self {
            Self::Final(error) | Self::Again(error) | Self::Lost(error) => error,
        }
    }

    /// Whether the request may have been carried out without an answer.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_))
    }
}

impl ConnectProblem {
    /// Whether the same may work a moment later, as it does while a broker restarts.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Resolve(_) | Self::Unreachable(_) | Self::Closed)
    }
}

/// Kafka's name of a code: the codec writes `InvalidConfig` where Kafka writes `INVALID_CONFIG`.
fn code_name(error: ResponseError) -> String {
    if let ResponseError::Unknown(code) = error {
        return format!("error code {code}");
    }
    let mut res = String::new();
    for it in error.to_string().chars() {
        if it.is_ascii_uppercase() && !res.is_empty() {
            res.push('_');
        }
        res.push(it.to_ascii_uppercase());
    }
    res
}

/// The tries of one call: ever longer pauses between them, each of a random length, until the deadline.
#[derive(Debug)]
pub(super) struct Tries<W> {
    deadline: Instant,
    doing: W,
    pause: Duration,
    /// Whether the pauses of different callers end at the same times.
    together: bool,
}

/// When the pauses that end together are counted from.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Many callers share one look, so that it may be frequent.
const LONGEST_PAUSE_BETWEEN_LOOKS: Duration = Duration::from_millis(160);

impl<W: Fn() -> String> Tries<W> {
    /// Tries of what `doing` names, as in "the time was up while …".
    pub(super) fn new(deadline: Instant, doing: W) -> Self {
        Self { deadline, doing, pause: FIRST_PAUSE, together: false }
    }

    /// Looks for what the cluster is about to do. All who wait look at the same times, so that their looks leave as one
    /// request.
    pub(super) fn looking(deadline: Instant, doing: W) -> Self {
        Self { together: true, ..Self::new(deadline, doing) }
    }

    /// Pauses before the next try, or says why there is none.
    pub(super) async fn next(&mut self, trouble: Trouble) -> Result<(), KafkaError> {
        let error = match trouble {
            Trouble::Final(error) => return Err(error),
            Trouble::Again(error) | Trouble::Lost(error) => error,
        };
        let pause = if self.together { until_next(self.pause) } else { jittered(self.pause) };
        let longest = if self.together { LONGEST_PAUSE_BETWEEN_LOOKS } else { LONGEST_PAUSE };
        self.pause = longest.min(self.pause * 2);
        if self.deadline <= Instant::now() + pause {
            return Err(self.time_is_up(&error));
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }

    fn time_is_up(&self, error: &KafkaError) -> KafkaError {
        let doing = (self.doing)();
        match error {
            KafkaError::Deadline(_) => KafkaError::Deadline(doing),
            KafkaError::Connect { problem, .. } => KafkaError::Deadline(format!("{doing} ({error}: {problem})")),
            _ => KafkaError::Deadline(format!("{doing} ({error})")),
        }
    }
}

/// Between half of a pause and all of it, so that callers who failed together do not come back together.
fn jittered(pause: Duration) -> Duration {
    let mut random = [0];
    // Without random numbers the pause is merely a fixed one.
    let _ = rand::fill(&mut random);
    pause / 2 + pause / 2 * u32::from(random[0]) / 255
}

/// What is left until the next multiple of a pause.
fn until_next(pause: Duration) -> Duration {
    let over = EPOCH.elapsed().as_nanos() % pause.as_nanos();
    pause.saturating_sub(Duration::from_nanos(u64::try_from(over).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(code: i16) -> Trouble {
        Trouble::of_code(code, None, Asked { operation: "CREATE", name: "a" }).unwrap()
    }

    #[test]
    fn codes_become_the_errors_that_callers_tell_apart() {
        assert!(Trouble::of_code(0, None, Asked { operation: "CREATE", name: "a" }).is_none());
        assert!(matches!(trouble(36), Trouble::Final(KafkaError::TopicExists(name)) if name == "a"));
        assert!(matches!(trouble(3), Trouble::Final(KafkaError::NoTopic(_))));
        assert!(
            matches!(trouble(29), Trouble::Final(KafkaError::Denied { operation: "CREATE", resource, .. }) if resource == "topic `a`")
        );
        assert!(matches!(trouble(30), Trouble::Final(KafkaError::Denied { resource, .. }) if resource == "group `a`"));
        assert!(matches!(trouble(54), Trouble::Final(KafkaError::NoAuthorizer)));
        assert!(matches!(trouble(40), Trouble::Final(KafkaError::Refused { code, .. }) if code == "INVALID_CONFIG"));
        assert!(matches!(trouble(41), Trouble::Again(KafkaError::Broker { code, .. }) if code == "NOT_CONTROLLER"));
        assert!(matches!(trouble(89), Trouble::Again(_)));
        assert!(matches!(trouble(7), Trouble::Lost(_)));
        assert!(matches!(trouble(999), Trouble::Final(KafkaError::Broker { code, .. }) if code == "error code 999"));
    }

    #[tokio::test]
    async fn the_deadline_ends_the_tries_and_names_the_last_error() {
        let mut tries = Tries::new(Instant::now() + Duration::from_millis(60), || "reading".to_owned());
        let error = loop {
            if let Err(error) = tries.next(trouble(41)).await {
                break error;
            }
        };
        assert!(
            error.to_string().starts_with("the time was up while reading (the broker answered NOT_CONTROLLER"),
            "{error}"
        );
    }
}

//! How a cluster fails, in Kafka's words.

use crate::{clients::kafka::HostPort, governance::acl::Principal};

/// Why a call on a cluster failed. A variant exists where somebody treats it differently.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KafkaError {
    /// No broker could be reached.
    #[error("connecting to broker {broker}")]
    Connect {
        /// The broker that was tried last.
        broker: HostPort,
        /// What went wrong.
        #[source]
        problem: ConnectProblem,
    },
    /// The caller lacks a right. Says nothing about whether the object exists.
    #[error("the caller may not {operation} {resource}")]
    Denied {
        /// Kafka's operation, such as `DESCRIBE`.
        operation: &'static str,
        /// The resource, such as ``topic `a` ``.
        resource: String,
        /// The caller, where the settings tell who that is.
        principal: Option<Principal>,
    },
    /// The cluster has no authorizer, so that there are no ACLs.
    #[error("the cluster has no authorizer")]
    NoAuthorizer,
    /// The topic exists.
    #[error("topic `{0}` already exists")]
    TopicExists(String),
    /// The topic, asked for by name, does not exist.
    #[error("topic `{0}` does not exist")]
    NoTopic(String),
    /// The cluster judged the request and refused it: an invalid value, or a policy.
    #[error("the broker refused: {message}")]
    Refused {
        /// Kafka's name of the error, such as `INVALID_REPLICATION_FACTOR`.
        code: String,
        /// The broker's words, or those of the code.
        message: String,
    },
    /// Any other error that is not worth another try.
    #[error("the broker answered {code}: {message}")]
    Broker {
        /// Kafka's name of the error.
        code: String,
        /// The broker's words, or those of the code.
        message: String,
    },
    /// The broker does not know the request.
    #[error("the broker does not support {0}")]
    Unsupported(String),
    /// The broker's answer is not Kafka's protocol.
    #[error("broker {broker} answered what is not Kafka's protocol: {what}")]
    Malformed {
        /// The broker.
        broker: HostPort,
        /// What is wrong with the answer.
        what: String,
    },
    /// A broker answers nothing for longer than there is time: a client quota limits the caller.
    #[error("the brokers throttle the caller, whom a client quota limits")]
    Throttled,
    /// The time was up.
    #[error("the time was up while {0}")]
    Deadline(String),
}

impl KafkaError {
    /// The error of a caller of that name.
    pub(super) fn of(self, caller: Option<&Principal>) -> Self {
        match self {
            Self::Denied { operation, resource, principal: None } => {
                Self::Denied { operation, resource, principal: caller.cloned() }
            }
            other => other,
        }
    }
}

/// Why a broker could not be reached, each with a setting to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectProblem {
    /// The name does not resolve.
    #[error("the host name does not resolve: {0}")]
    Resolve(String),
    /// Nobody listens, or the network is closed.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// TLS was spoken and the port speaks plain text.
    #[error("the port does not speak TLS")]
    TlsToPlaintext,
    /// Plain text was spoken, and the port speaks TLS.
    #[error("the port speaks TLS")]
    PlaintextToTls,
    /// The broker's certificate comes from an unknown authority.
    #[error("the broker's certificate is signed by an unknown authority")]
    UnknownAuthority,
    /// The broker's certificate is not valid for its name or time.
    #[error("the broker's certificate was not accepted: {0}")]
    Certificate(String),
    /// The broker asks for a client certificate, or did not accept the one it got.
    #[error("the broker did not accept the client's certificate: {0}")]
    ClientCertificate(String),
    /// The given certificate or key cannot be used.
    #[error("the given certificate or key cannot be used: {0}")]
    Material(String),
    /// Other TLS failures.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The broker does not offer the mechanism.
    #[error("the broker does not offer SASL {asked} (offered: {offered})")]
    Mechanism {
        /// What was asked.
        asked: String,
        /// What is offered, joined with commas, or `none`.
        offered: String,
    },
    /// The broker wants to know who calls, and no SASL is spoken.
    #[error("the broker expects SASL (offered: {offered})")]
    SaslExpected {
        /// What is offered, joined with commas.
        offered: String,
    },
    /// Wrong user or password.
    #[error("SASL authentication failed: {0}")]
    Authentication(String),
    /// The broker closed the connection without a word, as it does while it stops.
    #[error("the broker closed the connection")]
    Closed,
}

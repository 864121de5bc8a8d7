//! How errors become diagnostics: what failed, why, and what to do. The chain of causes is told here and nowhere else.

use crate::{
    clients::{
        journal::JournalError,
        kafka::{ConnectProblem, KafkaError},
    },
    framework::{Diagnostic, Failure, Phase},
};

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        journal(&error).into()
    }
}

/// The diagnostic for an error of a journal.
fn journal(error: &JournalError) -> Diagnostic {
    use JournalError as E;
    let summary = match error {
        E::Kafka(error) => return kafka(error),
        E::Absent(_) => "No journal",
        E::Exists(_) => "Journal exists already",
        E::Foreign { .. } => "Journal belongs to another cluster",
        E::NewerWriter(_) => "Newer release needed",
        E::Quarantined { .. } => "Unreadable record in the journal",
        E::Stuck { .. } => "Open transaction in the journal",
        E::TooLarge(_) => "Too much for the journal",
        E::Unsettled => "Answer of the journal lost",
        E::Incomplete(_)
        | E::NoHead(_)
        | E::Replaced { .. }
        | E::RolledBack { .. }
        | E::Changed { .. }
        | E::Truncated { .. }
        | E::Shortened { .. }
        | E::StateBehind { .. } => return not_what_it_was(error),
    };
    Diagnostic::error(summary, error.remedy().unwrap_or_default()).caused_by(error)
}

/// What happened to the journal comes first: what to do about it depends on that.
fn not_what_it_was(error: &JournalError) -> Diagnostic {
    let cause = error.to_string();
    let mut letters = cause.chars();
    let first = letters.next().map(|it| it.to_ascii_uppercase());
    let detail =
        format!("{}{}.\n\n{}", first.unwrap_or_default(), letters.as_str(), error.remedy().unwrap_or_default());
    Diagnostic::error("Journal is not what it was", detail)
}

impl From<KafkaError> for Failure {
    fn from(error: KafkaError) -> Self {
        kafka(&error).into()
    }
}

/// The diagnostic for an error of a cluster.
pub(super) fn kafka(error: &KafkaError) -> Diagnostic {
    let told = |summary: &str, detail: String| Diagnostic::error(summary, detail).caused_by(error);
    match error {
        KafkaError::Connect { broker, problem } => {
            let detail = format!("The broker `{broker}` could not be used.\n\n{}", remedy(problem));
            told("Cannot connect to Kafka", detail)
        }
        KafkaError::Denied { operation, resource, principal } => {
            let who = match principal {
                Some(it) => format!("`{it}`, as whom the provider authenticates,"),
                None => "The principal that the provider authenticates as".to_owned(),
            };
            let remedy = if is_of_the_journal(resource) { OF_THE_JOURNAL } else { GRANT };
            told("Not permitted by Kafka", format!("{who} may not {operation} {resource}.\n\n{remedy}"))
        }
        KafkaError::NoAuthorizer => told(
            "No authorizer",
            "The brokers have no authorizer, so that they know no ACLs and let everybody do everything.\n\nSet \
             `authorizer.class.name` on the brokers, or do without ACLs."
                .to_owned(),
        ),
        KafkaError::TopicExists(name) => told(
            "Topic already exists",
            format!(
                "The cluster has a topic `{name}` already, and it is no leftover of a create that was interrupted: such \
                 a topic is exactly as planned, was never written to and is not of this run.\n\nImport it with an \
                 `import` block, or choose another name."
            ),
        ),
        KafkaError::NoTopic(name) => told(
            "Topic does not exist",
            format!("The cluster has no topic `{name}`; somebody deleted it since the plan.\n\nPlan again."),
        ),
        KafkaError::Refused { .. } => told(
            "Refused by the broker",
            "The broker judged the request and refused it. Change what its message names.".to_owned(),
        ),
        KafkaError::Broker { .. } => told(
            "Kafka request failed",
            "The broker answered with an error that another try would not change.".to_owned(),
        ),
        KafkaError::Unsupported(_) => told(
            "Not supported by the broker",
            "The broker is too old for this request. Upgrade it, or do without the feature.".to_owned(),
        ),
        KafkaError::Malformed { broker, .. } => told(
            "Not a Kafka broker",
            format!("What listens on `{broker}` does not speak Kafka's protocol.\n\nCheck host and port in `bootstrap_servers`."),
        ),
        KafkaError::Throttled => told(
            "Throttled by Kafka",
            "A client quota limits the principal that the provider authenticates as, so that brokers have it wait for longer \
             than there is time.\n\nRaise that quota, which may be one of all users, or give more time in the `timeouts` \
             block."
                .to_owned(),
        ),
        KafkaError::Deadline(_) => told(
            "Time is up",
            "The cluster did not agree in time. What was begun may be done by now; the next apply finishes it.\n\nIf the \
             cluster is slow, give more time in the `timeouts` block."
                .to_owned(),
        ),
    }
}

/// What to do about a right that is missing.
const GRANT: &str = "Grant it the operation with an ACL, or use another principal in the provider block.";

/// The same, of a right that teams are not to have: who writes the journal decides everything.
const OF_THE_JOURNAL: &str = "That is the platform's journal, and no team needs a right to write it. To change something of \
                              an application, apply with the platform's credentials and `KAFKA_ACTING_APPLICATION`, or \
                              with those of one of its `deployers`, whose changes are filed for the platform to make.\n\nOnly \
                              where this is the platform's own principal: Grant it the operation with an ACL, or list it in \
                              `platform_principals` of `kafka_environment`.";

/// Whether a right is one on the journal: its topics, and the lease on writing it. Mailboxes are for others to write.
fn is_of_the_journal(resource: &str) -> bool {
    let named = |it: &str| resource.ends_with(&format!("`{it}`"));
    ["_selfserve", "_selfserve.state", "_selfserve.text", "_selfserve.lease"].into_iter().any(named)
}

/// Which setting to change.
fn remedy(problem: &ConnectProblem) -> &'static str {
    match problem {
        ConnectProblem::Resolve(_) => {
            "Check the host name in `bootstrap_servers`, or the broker's `advertised.listeners` if it is another name."
        }
        ConnectProblem::Unreachable(_) => {
            "Check host and port in `bootstrap_servers`, whether the broker runs, and whether this machine may reach it."
        }
        ConnectProblem::TlsToPlaintext => {
            "The environment has `tls`, and the port speaks plain text. Remove `tls`, or use the port of a TLS listener."
        }
        ConnectProblem::PlaintextToTls => {
            "The environment has no `tls`, and the port speaks TLS. Add `tls = {}`, or use the port of a plain listener."
        }
        ConnectProblem::UnknownAuthority => {
            "Set `tls.ca` to the certificate of the authority that signed the brokers' certificates."
        }
        ConnectProblem::Certificate(_) => {
            "The broker's certificate must be valid and hold the host name that is connected to. Check \
             `bootstrap_servers` and the broker's certificate."
        }
        ConnectProblem::ClientCertificate(_) => {
            "The listener asks for a client certificate. Set `tls.certificate` and `tls.key` to a pair that the brokers \
             trust."
        }
        ConnectProblem::Material(_) => "Check `tls.ca`, `tls.certificate` and `tls.key`.",
        ConnectProblem::Tls(_) => "Check `tls` and which TLS versions the broker permits.",
        ConnectProblem::Mechanism { .. } => "Set `sasl.mechanism` to one that the listener offers.",
        ConnectProblem::SaslExpected { .. } => {
            "The listener asks for SASL. Add `sasl` with a mechanism that it offers, or use another listener."
        }
        ConnectProblem::Authentication(_) => "Check `sasl.username` and `sasl.password`.",
        ConnectProblem::Closed => {
            "The listener may expect SASL (`sasl`) or TLS (`tls`) that the environment does not have, or the broker is \
             shutting down."
        }
    }
}

/// What is there already, of which apply would make another one.
pub(super) fn in_the_way(phase: Phase, summary: &str, detail: String) -> Diagnostic {
    match phase {
        Phase::Plan => Diagnostic::warning(summary, detail),
        Phase::Apply => Diagnostic::error(summary, detail),
    }
}

/// How a sentence ends about what is in the way: a plan of what is tainted has no prior state that would tell it.
pub(super) fn unless_gone(phase: Phase) -> &'static str {
    match phase {
        Phase::Plan => ", unless it is gone by then, as it is where this plan replaces it",
        Phase::Apply => "",
    }
}

/// A refusal of a dry run as what it means for a plan: an error where a value is to blame, else a warning that the broker
/// did not check.
pub(super) fn dry_run(error: &KafkaError) -> Diagnostic {
    match error {
        KafkaError::Refused { code, message } => {
            let at = match code.as_str() {
                "INVALID_PARTITIONS" => Some("partitions"),
                "INVALID_REPLICATION_FACTOR" => Some("replication_factor"),
                "INVALID_CONFIG" => Some("config"),
                "INVALID_TOPIC_EXCEPTION" => Some("name"),
                _ => None,
            };
            let detail = format!("The broker would refuse this: {message}\n\nChange the value, and plan again.");
            let told = Diagnostic::error("Refused by the broker", detail);
            match at {
                Some(attribute) => told.at(attribute),
                None => told,
            }
        }
        KafkaError::TopicExists(name) => Diagnostic::warning(
            "Topic already exists",
            format!(
                "The cluster already has a topic `{name}`. Apply will fail unless it is gone by then, as it is where this \
                 plan replaces it, or is empty and exactly as planned, in which case it is taken over.\n\nImport the \
                 topic with an `import` block, or choose another name."
            ),
        )
        .at("name"),
        _ => {
            let what = match error {
                KafkaError::Connect { problem, .. } => remedy(problem),
                KafkaError::Denied { .. } => "That is as it should be where the plan may only read.",
                _ => "Apply tells more.",
            };
            let detail = "The plan could not be tried on the cluster, so that what the broker would refuse shows only in \
                          apply.";
            Diagnostic::warning("Not checked by the broker", format!("{detail}\n\n{what}")).caused_by(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_team_is_told_to_have_the_journal_granted() {
        let detail = |resource: &str| {
            let principal = Some(crate::governance::acl::Principal::user("ci"));
            kafka(&KafkaError::Denied { operation: "WRITE", resource: resource.to_owned(), principal }).detail
        };
        for it in ["transactional id `_selfserve.lease`", "topic `_selfserve.state`", "topic `_selfserve`"] {
            let told = detail(it);
            let platform = told.find("platform's credentials").unwrap();
            let granting = told.find("Only where this is the platform's own principal: Grant it").unwrap();
            assert!(platform < granting && told.matches("Grant").count() == 1, "{told}");
        }
        for it in ["topic `orders`", "topic `_selfserve.mailbox.billing`"] {
            assert!(detail(it).contains(GRANT), "{it}");
        }
    }
}

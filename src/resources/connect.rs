//! How errors of Connect workers become diagnostics.

use crate::{
    clients::{connect::ConnectError, rest::RestError},
    framework::{Diagnostic, Failure},
};

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        told(&error).into()
    }
}

/// The diagnostic for an error of workers.
pub(super) fn told(error: &ConnectError) -> Diagnostic {
    let (summary, detail) = match error {
        ConnectError::Rest(RestError::Unauthenticated | RestError::Token(_)) => {
            ("Cannot log in to Connect", "The workers did not take who calls.")
        }
        ConnectError::Rest(RestError::Forbidden) => {
            ("Not permitted by Connect", "The workers know who calls, and do not permit it.")
        }
        ConnectError::Rest(_) | ConnectError::Strange(_) => {
            ("Cannot use Connect", "The workers did not do what they were asked.")
        }
        ConnectError::Exists(_) => ("Connector already exists", "The workers have a connector of that name already."),
        ConnectError::Unsettled(_) => (
            "Connect does not settle",
            "All the time, the workers were sharing out their work, and did nothing else until that is over.",
        ),
        ConnectError::Stopping(_) => {
            ("Connector does not stop", "It was told to stop, and all the time the workers still had tasks of it.")
        }
        ConnectError::Invalid(_) => ("Refused by Connect", "The workers read what was sent, and refused it."),
        ConnectError::Unsupported => ("Not supported by Connect", "The workers have no answer to that request."),
        ConnectError::Absent => ("Connector is gone", "The workers have no connector of that name any more."),
    };
    Diagnostic::error(summary, format!("{detail}\n\n{}", remedy(error))).caused_by(error)
}

/// What to do.
pub(super) fn remedy(error: &ConnectError) -> &'static str {
    match error {
        ConnectError::Rest(error) => error.remedy(),
        ConnectError::Strange(_) => "Check that `url` in `connect` leads to Connect workers, its path included.",
        ConnectError::Exists(_) => {
            "Import it with an `import` block, or set `on_existing = \"adopt\"` to give it the configuration."
        }
        ConnectError::Unsettled(_) => {
            "Look whether a worker keeps coming and going, and apply again; `timeouts` say for how long they are waited for."
        }
        ConnectError::Stopping(_) => {
            "Apply again. If it stays so, have the workers started anew: one of them has a task that does not end."
        }
        ConnectError::Invalid(_) => "Correct what it names.",
        ConnectError::Unsupported => {
            "Check that `url` in `connect` leads to Connect workers, and whether they are old: this takes Kafka 3.6."
        }
        ConnectError::Absent => "Plan again: it will be created.",
    }
}

//! How reasons against something become diagnostics.

use crate::{
    framework::{Diagnostic, Diagnostics, Failure, Path, Severity, Step},
    governance::violation::{self, At, Refusal, Violation},
};

impl From<Refusal> for Failure {
    fn from(Refusal(violations): Refusal) -> Self {
        Diagnostics(violations.iter().map(diagnostic).collect()).into()
    }
}

/// A reason as what it means for a plan: what the change brings in is an error, and what was so before is a warning.
pub(super) fn diagnostic(violation: &Violation) -> Diagnostic {
    let Violation { at, summary, detail, introduced } = violation;
    let severity = if *introduced { Severity::Error } else { Severity::Warning };
    let told = Diagnostic { severity, ..Diagnostic::error(*summary, detail.clone()) };
    if at.0.is_empty() { told } else { told.at(path(at)) }
}

fn path(At(steps): &At) -> Path {
    steps.iter().fold(Path::default(), |path, step| {
        path.then(match step {
            violation::Step::Attribute(name) => Step::Attribute(name.clone()),
            violation::Step::Key(key) => Step::Key(key.clone()),
            violation::Step::Element(_) => Step::Element,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_so_before_is_a_warning_at_the_same_attribute() {
        let at = At::attribute("topics.config").key("retention.ms").then("min");
        let mut violation = Violation::new(at, "Contradictory limits", "`min` is more than `max`.", "Change one.");
        let error = diagnostic(&violation);
        assert_eq!(error.severity, Severity::Error);
        assert_eq!(error.path.as_ref().unwrap().to_string(), "topics.config[\"retention.ms\"].min");
        violation.introduced = false;
        assert_eq!(diagnostic(&violation), Diagnostic { severity: Severity::Warning, ..error });
        assert_eq!(diagnostic(&Violation { at: At::all(), ..violation }).path, None);
    }
}

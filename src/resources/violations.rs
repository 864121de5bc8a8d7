//! How reasons against something become diagnostics.

use crate::{
    framework::{Diagnostic, Diagnostics, Failure, Path, Phase, Severity, Step},
    governance::violation::{self, At, Refusal, Violation, Weight},
};

impl From<Refusal> for Failure {
    fn from(Refusal(violations): Refusal) -> Self {
        Diagnostics(violations.iter().map(|it| diagnostic(it, Phase::Apply)).collect()).into()
    }
}

/// A reason as what it means: an error where the change brings it in, and a warning where it was so before, or where a
/// plan may expect that it passes until apply.
pub(super) fn diagnostic(violation: &Violation, phase: Phase) -> Diagnostic {
    let Violation { at, summary, detail, introduced: _, weight } = violation;
    let passes = phase == Phase::Plan && *weight == Weight::Wait;
    let severity = if violation.forbids() && !passes { Severity::Error } else { Severity::Warning };
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
        let error = diagnostic(&violation, Phase::Plan);
        assert_eq!(error.severity, Severity::Error);
        assert_eq!(error.path.as_ref().unwrap().to_string(), "topics.config[\"retention.ms\"].min");
        violation.introduced = false;
        assert_eq!(diagnostic(&violation, Phase::Apply), Diagnostic { severity: Severity::Warning, ..error });
        assert_eq!(diagnostic(&Violation { at: At::all(), ..violation }, Phase::Plan).path, None);
    }

    #[test]
    fn what_may_pass_until_apply_is_a_warning_in_the_plan() {
        let check = |weight, phase, expected| {
            let violation = Violation::new(At::all(), "Not ready", "It waits.", "Apply again.").weighing(weight);
            assert_eq!(diagnostic(&violation, phase).severity, expected, "{weight:?} {phase:?}");
        };
        check(Weight::Wait, Phase::Plan, Severity::Warning);
        check(Weight::Wait, Phase::Apply, Severity::Error);
        check(Weight::Warn, Phase::Apply, Severity::Warning);
        check(Weight::Refuse, Phase::Plan, Severity::Error);
    }
}

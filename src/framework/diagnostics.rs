//! What the practitioner is told.

use crate::framework::{Path, Step, Value};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The operation failed, or must not be done.
    Error,
    /// It was done, and there is something the practitioner can act on.
    Warning,
}

/// One message: what, why, what to do, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A short phrase, always the same for the same problem.
    pub summary: String,
    /// Full sentences: what is wrong, why that is a problem, what to do.
    pub detail: String,
    /// The attribute to blame; none when the provider is.
    pub path: Option<Path>,
}

impl Diagnostic {
    /// An error.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Error, summary: summary.into(), detail: detail.into(), path: None }
    }

    /// A warning.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(summary, detail) }
    }

    /// A mistake of the provider itself.
    pub fn bug(detail: impl std::fmt::Display) -> Self {
        Self::error(
            "Provider bug",
            format!("{detail}\n\nThis is a bug in the provider: please report it with the log."),
        )
    }

    /// The same, at an attribute.
    pub fn at(mut self, path: impl Into<Path>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The same, with the chain of causes at the end.
    pub fn caused_by(mut self, error: &dyn std::error::Error) -> Self {
        let mut chain = error.to_string();
        let mut cause = error.source();
        while let Some(it) = cause {
            chain = format!("{chain}: {it}");
            cause = it.source();
        }
        // What a service says may be a sentence, and end as one.
        self.detail = format!("{}\n\nCause: {}.", self.detail, chain.trim_end_matches('.'));
        self
    }
}

/// Several messages, in the order in which they arose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// A value of the wrong kind. The value is not shown, because it may be secret.
    pub fn mismatch(expected: &str, found: &Value) -> Self {
        Diagnostic::error("Invalid attribute value", format!("It must be {expected}, not {}.", found.kind())).into()
    }

    /// Adds a message.
    pub fn push(&mut self, it: Diagnostic) {
        self.0.push(it);
    }

    /// Adds messages.
    pub fn append(&mut self, them: Self) {
        self.0.extend(them.0);
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|it| it.severity == Severity::Error)
    }

    /// The same messages, seen from one step further out.
    pub fn under(mut self, step: &Step) -> Self {
        for it in &mut self.0 {
            it.path = Some(it.path.take().unwrap_or_default().under(step.clone()));
        }
        self
    }
}

impl Diagnostics {
    /// The same messages, each with the path of a nested attribute in its words. Engines point no deeper than at a block
    /// when they show a message of a provider's configuration.
    pub fn naming_paths(mut self) -> Self {
        for it in &mut self.0 {
            let Some(path) = it.path.as_ref().filter(|path| 1 < path.steps().len()) else { continue };
            let path = format!("`{path}`");
            if !it.detail.contains(&path) {
                it.detail = format!("{path}: {}", it.detail);
            }
        }
        self
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(it: Diagnostic) -> Self {
        Self(vec![it])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_paths_are_told_in_words_once() {
        let nested = Path::attribute("environments").key("dev").then(Step::Attribute("tls".to_owned()));
        let check = |path: Option<Path>, detail: &str, named: &str| {
            let given = Diagnostic { path, ..Diagnostic::error("Wrong", detail) };
            assert_eq!(Diagnostics::from(given).naming_paths().0[0].detail, named);
        };
        check(Some(nested.clone()), "It is wrong.", "`environments[\"dev\"].tls`: It is wrong.");
        check(Some(nested), "`environments[\"dev\"].tls` is wrong.", "`environments[\"dev\"].tls` is wrong.");
        check(Some("environments".into()), "It is wrong.", "It is wrong.");
        check(None, "It is wrong.", "It is wrong.");
    }
}

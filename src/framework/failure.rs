//! Why an operation did not succeed.

use crate::framework::{Diagnostic, Diagnostics, NOT_CHECKED, Unknown};

/// Why an operation of a resource or a data source did not succeed. Every error that arises on the way has a `From`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The practitioner is told.
    Told(Diagnostics),
    /// A value that it needs is not known before apply: a plan leaves the question open.
    Unknown,
    /// The provider's configuration is not known before apply; says which part. What is stored stays as it is.
    Unconfigured(String),
}

impl From<Diagnostic> for Failure {
    fn from(it: Diagnostic) -> Self {
        Self::Told(it.into())
    }
}

impl From<Diagnostics> for Failure {
    fn from(it: Diagnostics) -> Self {
        Self::Told(it)
    }
}

impl From<Unknown> for Failure {
    fn from(_: Unknown) -> Self {
        Self::Unknown
    }
}

impl Failure {
    /// The failure where nothing may be left open: in apply, for a data source and for an import.
    pub(crate) fn told(self) -> Diagnostics {
        match self {
            Self::Told(diagnostics) => diagnostics,
            Self::Unknown => Diagnostic::bug("A value was still unknown where all values must be known.").into(),
            Self::Unconfigured(what) => Diagnostic::error(
                NOT_CHECKED,
                format!(
                    "{what} is not known before apply, and this operation needs it.\n\nApply what it comes from first, \
                     for example with `-target`, or let a data source wait for it with `depends_on`."
                ),
            )
            .into(),
        }
    }
}

//! Why a command failed, in sentences.

use std::{error::Error, io, iter};

use crate::{
    clients::{
        governed::GovernedError,
        journal::{ImportError, JournalError},
    },
    framework::{Diagnostics, Failure},
};

/// Why a command failed.
#[derive(Debug)]
pub(super) struct Failed(pub(super) String);

impl From<JournalError> for Failed {
    fn from(error: JournalError) -> Self {
        Self(format!("{}.\n\n{}", sentence(&error), error.remedy().unwrap_or_default()))
    }
}

impl From<ImportError> for Failed {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Journal(error) => error.into(),
            error => Self(format!("{}.", sentence(&error))),
        }
    }
}

impl From<GovernedError> for Failed {
    fn from(error: GovernedError) -> Self {
        match error {
            GovernedError::Refused(refusal) => {
                let told = refusal.0.iter().map(|it| format!("{}: {}", it.summary, it.detail));
                Self(told.collect::<Vec<_>>().join("\n"))
            }
            GovernedError::Journal(error) => error.into(),
            GovernedError::Kafka(error) => Self(format!("{}.", sentence(&error))),
            GovernedError::Rules(failures) => {
                let told = failures.iter().take(20).map(|(rule, error)| format!("`{rule}`: {error}"));
                Self(format!("Rules could not be changed: {}.", told.collect::<Vec<_>>().join("; ")))
            }
        }
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self(format!("{}.", sentence(&error)))
    }
}

impl From<Diagnostics> for Failed {
    fn from(diagnostics: Diagnostics) -> Self {
        let told = diagnostics.0.iter().map(|it| format!("{}: {}", it.summary, it.detail));
        Self(told.collect::<Vec<_>>().join("\n"))
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Told(diagnostics) => diagnostics.into(),
            Failure::Unknown => Self("Something is not known yet.".to_owned()),
            Failure::Unconfigured(what) => Self(format!("{what} is not known.")),
        }
    }
}

/// An error and its causes.
pub(super) fn sentence(error: &dyn Error) -> String {
    let causes = iter::successors(Some(error), |&it| it.source());
    let text = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    let mut letters = text.chars();
    letters.next().map(|it| it.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

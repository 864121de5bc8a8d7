//! How errors of a schema registry become diagnostics.

use crate::{
    clients::{registry::RegistryError, rest::RestError},
    framework::{Diagnostic, Failure},
};

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        told(&error).into()
    }
}

/// The diagnostic for an error of a registry.
pub(super) fn told(error: &RegistryError) -> Diagnostic {
    let (summary, detail) = match error {
        RegistryError::Rest(RestError::Unauthenticated | RestError::Token(_)) => {
            ("Cannot log in to the schema registry", "The registry did not take who calls.")
        }
        RegistryError::Rest(RestError::Forbidden) => {
            ("Not permitted by the schema registry", "The registry knows who calls, and does not permit it.")
        }
        RegistryError::Rest(_) | RegistryError::Strange(_) => {
            ("Cannot use the schema registry", "The registry did not do what it was asked.")
        }
        RegistryError::Incompatible(_) => {
            ("Schema incompatible", "The registry takes no schema that may not follow the versions that are there.")
        }
        RegistryError::Invalid(_) => ("Schema refused by the registry", "The registry read the schema and refused it."),
        RegistryError::NotPermitted(_) => {
            ("Subject is read-only", "The mode of the subject, or of the whole registry, permits no change.")
        }
        RegistryError::Referenced(_) => {
            ("Schema is referred to", "Schemas of other subjects refer to this one, so that it cannot be deleted.")
        }
        RegistryError::Kept(_) => {
            ("Setting not inherited", "The registry answered that the setting is deleted, and has it as before.")
        }
    };
    let at = match error {
        RegistryError::Incompatible(_) | RegistryError::Invalid(_) => Some("schema"),
        _ => None,
    };
    let told = Diagnostic::error(summary, format!("{detail}\n\n{}", remedy(error))).caused_by(error);
    match at {
        Some(at) => told.at(at),
        None => told,
    }
}

/// What to do.
pub(super) fn remedy(error: &RegistryError) -> &'static str {
    match error {
        RegistryError::Rest(error) => error.remedy(),
        RegistryError::Strange(_) => "Check that `url` of `schema_registry` leads to a registry, its path included.",
        RegistryError::Incompatible(_) => {
            "Change the schema, or set `compatibility` to a level that permits the change; it is loosened before the schema \
             is registered."
        }
        RegistryError::Invalid(_) => "Correct the schema, or what `references` names.",
        RegistryError::NotPermitted(_) => "Set `mode = \"READWRITE\"`, or have the mode of the registry changed.",
        RegistryError::Referenced(_) => "Delete those first, or set `on_destroy = \"retain\"` and apply that before.",
        RegistryError::Kept(_) => "Declare the setting with what the registry has for all subjects.",
    }
}

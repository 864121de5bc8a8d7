//! What is told of SCRAM credentials. No password is in any of it.

use super::{found::Found, name::CredentialName};
use crate::{
    framework::{Diagnostic, Phase},
    resources::failures::{in_the_way, unless_gone},
};

pub(super) fn iterations(count: u32) -> Diagnostic {
    let nearest = if count < 4096 { 4096 } else { 16384 };
    let detail = format!(
        "Kafka hashes a password 4096 to 16384 times, not {count} times.\n\nWrite `scram_iterations = {nearest}`."
    );
    Diagnostic::error("Invalid number of iterations", detail).at("scram_iterations")
}

pub(super) fn stored_password() -> Diagnostic {
    let detail = "`password` would be stored in plain text in every state and plan, and is not supported.\n\nWrite it as \
                  `password_wo`, which is never stored, with `password_wo_version = \"1\"`, and another version whenever the \
                  password changes. What an older state has of it is dropped. Then give the user another password: whoever \
                  could read the state knows this one.";
    Diagnostic::error("Password would be stored", detail).at("password")
}

pub(super) fn empty_password() -> Diagnostic {
    let detail = "An empty password lets everybody in.\n\nWrite a long, random one, for example from an ephemeral \
                  `random_password` or a secret store.";
    Diagnostic::error("Empty password", detail).at("password_wo")
}

pub(super) fn no_version() -> Diagnostic {
    let detail = "The password is not stored, so that nobody could tell that it changed.\n\nWrite `password_wo_version = \
                  \"1\"`, and another version whenever the password changes.";
    Diagnostic::error("Password without version", detail).at("password_wo_version")
}

/// Whether it is an update.
pub(super) fn no_password(is_update: bool) -> Diagnostic {
    let why = if is_update {
        "The version or the iterations change, for which the password has to be sent anew: brokers keep only what was made \
         of it, and nobody can make another form of that."
    } else {
        "A credential is made of a password."
    };
    let detail = format!("{why}\n\nWrite it as `password_wo`.");
    Diagnostic::error("Password missing", detail).at("password_wo")
}

pub(super) fn exists(phase: Phase, name: &CredentialName, found: &Found) -> Diagnostic {
    let CredentialName { user, mechanism } = name;
    let untold =
        "Whether it is the one that is declared here, as it is after an apply that was interrupted, cannot be told";
    let what = match found {
        Found::OtherIterations(count) => {
            format!("It is hashed {count} times, and so is not the one that is declared here.")
        }
        Found::OtherPassword => {
            "Nobody can log in with the one that is declared here, so that it is another one.".to_owned()
        }
        Found::NotOffered(offered) => format!(
            "{untold}: where the provider connects to the cluster, nobody can log in with {mechanism} (offered: {offered})."
        ),
        Found::Untold(_) => format!("{untold}."),
    };
    let detail = format!(
        "The user `{user}` has a password for {mechanism} already. {what} Another one would lock out whoever logs in with \
         it{}.\n\nImport it with an `import` block, after which the first apply sets the password that is declared here, or \
         write `on_existing = \"adopt\"`, which does the same at once.",
        unless_gone(phase)
    );
    let told = in_the_way(phase, "Credential already exists", detail).at("username");
    match found {
        Found::Untold(Some(error)) => told.caused_by(error),
        _ => told,
    }
}

pub(super) fn twice(name: &CredentialName) -> Diagnostic {
    let CredentialName { user, mechanism } = name;
    let detail = format!(
        "Another resource of this plan is the password of `{user}` for {mechanism} too, be it in another environment of the \
         same cluster. Each would set its own.\n\nRemove one of them. What is in the state already leaves it with a \
         `removed` block and `destroy = false`, so that the user keeps its password."
    );
    Diagnostic::error("Credential planned twice", detail).at("username")
}

pub(super) fn kept(name: &CredentialName) -> Diagnostic {
    let CredentialName { user, mechanism } = name;
    let detail = format!(
        "`{user}` has its new password for {mechanism} by now: this run set it. With `create_before_destroy`, a credential \
         of the same user and mechanism is not replaced."
    );
    Diagnostic::warning("Credential not deleted", detail)
}

pub(super) fn own(name: &CredentialName) -> Diagnostic {
    let CredentialName { user, mechanism } = name;
    let detail = format!(
        "The provider authenticates as `User:{user}`, whose password for {mechanism} the plan deletes: it cannot log in \
         with it any more after that.\n\nUse another principal in the provider block first, if that is meant."
    );
    Diagnostic::warning("Own credential is deleted", detail)
}

pub(super) fn own_changes(name: &CredentialName) -> Diagnostic {
    let CredentialName { user, mechanism } = name;
    let detail = format!(
        "The provider authenticates as `User:{user}`, whose password for {mechanism} the plan changes: the next run logs in \
         with the new one.\n\nHave it in the provider block, or wherever the password comes from, before that run."
    );
    Diagnostic::warning("Own credential changes", detail)
}

pub(super) fn not_refreshed(name: &CredentialName) -> Diagnostic {
    let detail =
        format!("The credentials of `{}` may not be described, so that its state stays as it was stored.", name.user);
    Diagnostic::warning("Credential not refreshed", detail)
}

pub(super) fn identifier() -> Diagnostic {
    let detail = "The identifier of a credential is `<environment>/<username>/<mechanism>`, or `<username>/<mechanism>` or \
                  `<username>|<mechanism>` in the default environment; the mechanism is `SCRAM-SHA-256` or \
                  `SCRAM-SHA-512`. A password is no part of it: write it as `password_wo`.";
    Diagnostic::error("Invalid credential identifier", detail)
}

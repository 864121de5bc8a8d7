//! What tells a credential from the others of a cluster, and how it is written.

use std::fmt;

use crate::clients::kafka::ScramMechanism;

/// A user and a mechanism.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CredentialName {
    /// Name of the user.
    pub(super) user: String,
    /// The mechanism.
    pub(super) mechanism: ScramMechanism,
}

/// A text that names no credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoCredential;

impl CredentialName {
    /// What it is noted under.
    pub(super) fn object(&self) -> String {
        format!("scram/{self}")
    }

    /// The environment, unless it is the default one, and the name in an identifier: `<environment>/<user>/<mechanism>`,
    /// `<user>/<mechanism>`, or `<user>|<mechanism>`, as other providers write it. A user's name may have a `/`, where the
    /// environment is told.
    pub(super) fn identified(id: &str) -> Result<(Option<&str>, Self), NoCredential> {
        let of = |user: &str, mechanism: &str| {
            let mechanism = mechanism.parse().map_err(|_| NoCredential)?;
            if user.is_empty() { Err(NoCredential) } else { Ok(Self { user: user.to_owned(), mechanism }) }
        };
        if let Some((user, mechanism)) = id.rsplit_once('|') {
            return Ok((None, of(user, mechanism)?));
        }
        let (rest, mechanism) = id.rsplit_once('/').ok_or(NoCredential)?;
        match rest.split_once('/') {
            Some((environment, user)) => Ok((Some(environment), of(user, mechanism)?)),
            None => Ok((None, of(rest, mechanism)?)),
        }
    }
}

impl fmt::Display for CredentialName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.user, self.mechanism)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_read_in_each_form() {
        for (id, environment, user, mechanism) in [
            ("dev/billing/SCRAM-SHA-512", Some("dev"), "billing", ScramMechanism::Sha512),
            ("billing/SCRAM-SHA-256", None, "billing", ScramMechanism::Sha256),
            ("billing|SCRAM-SHA-256", None, "billing", ScramMechanism::Sha256),
            ("dev/a/b/SCRAM-SHA-256", Some("dev"), "a/b", ScramMechanism::Sha256),
        ] {
            let name = CredentialName { user: user.to_owned(), mechanism };
            assert_eq!(CredentialName::identified(id), Ok((environment, name)), "{id}");
        }
        for id in ["", "billing", "billing/PLAIN", "/SCRAM-SHA-256", "dev//SCRAM-SHA-256", "a|SCRAM-SHA-256|hunter2"] {
            assert_eq!(CredentialName::identified(id), Err(NoCredential), "{id}");
        }
    }
}

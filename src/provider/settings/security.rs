//! How the caller and the servers know each other: what is written of TLS and SASL, and what it becomes.

use super::part;
use crate::{
    clients::kafka::{Sasl, SaslMechanism, Secret, Tls},
    framework::{Diagnostic, Diagnostics, Model, Optional, Path, Required, Step, Unknown},
};

/// How TLS is spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct TlsSettings {
    /// Certificates of the authorities to trust instead of the system's: PEM text, or the path of a file with it.
    pub ca: Optional<String>,
    /// Certificate chain of the client, for mTLS: PEM text, or the path of a file with it.
    pub certificate: Optional<String>,
    /// Private key of the client's certificate (PKCS#8, PKCS#1 or SEC1, not encrypted): PEM text, or the path of a file
    /// with it.
    #[attr(sensitive)]
    pub key: Optional<Secret>,
    /// Whether to accept any certificate of a broker. Nobody is authenticated then: for trials only. Default: `false`.
    pub insecure: Optional<bool>,
}

/// How the caller authenticates by SASL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct SaslSettings {
    /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    pub mechanism: Required<SaslMechanism>,
    /// Name of the user.
    pub username: Required<String>,
    /// Password of the user. An ephemeral value keeps it out of saved plans.
    #[attr(sensitive)]
    pub password: Required<Secret>,
}

impl TlsSettings {
    /// What can be said of the settings at `at`, which are those of `whom`.
    pub(super) fn check(&self, whom: &str, at: &Path, report: &mut Diagnostics) {
        let below = |name: &str| at.then(Step::Attribute(name.to_owned()));
        if self.insecure.get() == Some(&true) {
            let detail = format!(
                "`insecure` lets anybody on the network stand in for {whom} and read the credentials. Set `ca` to the \
                 authority that signed their certificates instead."
            );
            report.push(Diagnostic::warning("TLS certificates are not verified", detail).at(below("insecure")));
        }
        let (certificate, key) = (self.certificate.is_null(), self.key.is_null());
        if certificate != key {
            let missing = if certificate { "certificate" } else { "key" };
            let detail = format!("mTLS needs both `certificate` and `key`; `{missing}` is missing.");
            report.push(Diagnostic::error("Incomplete client certificate", detail).at(below(missing)));
        }
    }

    pub(super) fn resolve(&self, at: &Path, wrong: &mut Diagnostics) -> Result<Tls, Path> {
        let Self { ca, certificate, key, insecure } = self;
        let below = |attribute: &str| at.then(Step::Attribute(attribute.to_owned()));
        let unknown = |attribute: &'static str| move |_: Unknown| below(attribute);
        let mut pem = |attribute: &'static str, given: Option<&str>| {
            given.and_then(|text| match read_pem(attribute, text) {
                Ok(pem) => Some(pem),
                Err(it) => {
                    wrong.push(it.at(below(attribute)));
                    None
                }
            })
        };
        let ca = pem("ca", ca.known().map_err(unknown("ca"))?.map(String::as_str));
        let certificate = pem("certificate", certificate.known().map_err(unknown("certificate"))?.map(String::as_str));
        let key = pem("key", key.known().map_err(unknown("key"))?.map(Secret::expose));
        if key.as_ref().is_some_and(|it| it.contains("ENCRYPTED")) {
            wrong.push(
                Diagnostic::error(
                    "Encrypted private key",
                    "Encrypted private keys are not supported. Decrypt it, for example with `openssl pkey`, and keep it \
                     in a secret store.",
                )
                .at(below("key")),
            );
        }
        let client = certificate.zip(key.map(Secret::new));
        let insecure = insecure.known().map_err(unknown("insecure"))?.copied().unwrap_or(false);
        Ok(Tls { ca, client, insecure })
    }
}

impl SaslSettings {
    pub(super) fn resolve(&self, name: &str) -> Result<Sasl, Path> {
        let Self { mechanism, username, password } = self;
        let unknown = |attribute: &'static str| move |_: Unknown| part(name, &["sasl", attribute]);
        Ok(Sasl {
            mechanism: *mechanism.value().map_err(unknown("mechanism"))?,
            username: username.value().map_err(unknown("username"))?.clone(),
            password: password.value().map_err(unknown("password"))?.clone(),
        })
    }
}

/// A PEM text, or the content of the file that it names. A message shows the name unless it may be a key: those are
/// written without dots.
fn read_pem(attribute: &str, text: &str) -> Result<String, Diagnostic> {
    if text.contains("-----BEGIN") {
        return Ok(text.to_owned());
    }
    // A key pasted without its first line must not come out as the name of a missing file.
    if text.contains('\n') || 1024 < text.len() {
        return Err(Diagnostic::error(
            "Invalid PEM",
            "It is neither PEM text, which has a line `-----BEGIN …-----`, nor the path of a file.",
        ));
    }
    let file = if attribute != "key" || text.contains('.') { format!("file `{text}`") } else { "file".to_owned() };
    let pem = std::fs::read_to_string(text).map_err(|error| {
        let detail = format!(
            "It is no PEM text, which begins with `-----BEGIN`, and so the path of a file. The {file} cannot be read."
        );
        Diagnostic::error("Unreadable PEM file", detail).caused_by(&error)
    })?;
    if pem.contains("-----BEGIN") {
        Ok(pem)
    } else {
        let detail = format!("The {file} has no line `-----BEGIN …-----`, so it holds no PEM text.");
        Err(Diagnostic::error("Invalid PEM", detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_shown_as_a_file_name() {
        for text in ["MIIEvQIBADANBg\nsecret", "MIIEvQIBADANBgsecret"] {
            let error = read_pem("key", text).unwrap_err();
            assert!(!format!("{error:?}").contains("secret"), "{text:?}");
        }
        let error = read_pem("ca", "absent.pem").unwrap_err();
        assert_eq!(error.summary, "Unreadable PEM file");
        assert!(error.detail.contains("The file `absent.pem` cannot be read"), "{error:?}");
    }

    #[test]
    fn an_encrypted_private_key_is_refused() {
        let key = |kind: &str| format!("-----BEGIN {kind}-----\nAA==\n-----END {kind}-----\n");
        let refused = |key: String| {
            let tls = TlsSettings { key: Secret::new(key).into(), ..TlsSettings::default() };
            let mut wrong = Diagnostics::default();
            tls.resolve(&part("dev", &["tls"]), &mut wrong).unwrap();
            wrong.0
        };
        let wrong = refused(key("ENCRYPTED PRIVATE KEY"));
        assert_eq!(wrong.len(), 1);
        assert_eq!(wrong[0].summary, "Encrypted private key");
        assert_eq!(wrong[0].path.as_ref().unwrap().to_string(), r#"environments["dev"].tls.key"#);
        assert_eq!(refused(key("PRIVATE KEY")), []);
    }
}

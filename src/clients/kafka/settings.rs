//! How to reach a cluster.

use std::{fmt, str::FromStr, time::Duration};

use crate::governance::acl::Principal;

/// What a client needs to know to reach a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaSettings {
    /// Where to ask first; any broker knows the others.
    pub bootstrap_servers: Vec<HostPort>,
    /// TLS, or plain text.
    pub tls: Option<Tls>,
    /// Who calls, by SASL.
    pub sasl: Option<Sasl>,
    /// How long one request may take, the connection included.
    pub request_timeout: Duration,
    /// Who Kafka says is calling, as far as that is known, for messages.
    pub principal: Option<Principal>,
}

/// `host:port`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    /// DNS name or IP address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// How TLS is spoken. Certificates and keys are PEM texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The authorities to trust instead of the system's.
    pub ca: Option<String>,
    /// The client's certificate chain and private key (PKCS#8, PKCS#1 or SEC1, not encrypted), for mTLS.
    pub client: Option<(String, Secret)>,
    /// Trust any certificate: nobody is authenticated then.
    pub insecure: bool,
}

/// Who calls, by SASL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sasl {
    /// How it is proven.
    pub mechanism: SaslMechanism,
    /// The user.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// A SASL mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaslMechanism {
    /// `PLAIN`.
    Plain,
    /// `SCRAM-SHA-256`.
    ScramSha256,
    /// `SCRAM-SHA-512`.
    ScramSha512,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the wire alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(sensitive)")
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for SaslMechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        })
    }
}

/// A text that is no `host:port`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a bootstrap server is written as `host:port`, such as `kafka.example.org:9092` or `[::1]:9092`")]
pub struct HostPortError;

impl FromStr for HostPort {
    type Err = HostPortError;

    fn from_str(text: &str) -> Result<Self, HostPortError> {
        let (host, port) = text.rsplit_once(':').ok_or(HostPortError)?;
        let host = match host.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            Some(address) => address,
            None if host.contains(':') => return Err(HostPortError),
            None => host,
        };
        let legal = |it: char| it.is_ascii_alphanumeric() || ".-_:%".contains(it);
        let port = port.parse().ok().filter(|it| *it != 0).ok_or(HostPortError)?;
        if host.is_empty() || !host.chars().all(legal) {
            return Err(HostPortError);
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

/// A text that names no supported SASL mechanism.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SaslMechanismError {
    /// Kerberos needs libraries of the operating system.
    #[error(
        "Kerberos (GSSAPI) is not supported, because it needs libraries of the operating system; use SCRAM or mTLS"
    )]
    Kerberos,
    /// A mechanism that is not there.
    #[error("a SASL mechanism is `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`")]
    Unknown,
}

impl FromStr for SaslMechanism {
    type Err = SaslMechanismError;

    fn from_str(text: &str) -> Result<Self, SaslMechanismError> {
        match text {
            "PLAIN" => Ok(Self::Plain),
            "SCRAM-SHA-256" => Ok(Self::ScramSha256),
            "SCRAM-SHA-512" => Ok(Self::ScramSha512),
            "GSSAPI" => Err(SaslMechanismError::Kerberos),
            _ => Err(SaslMechanismError::Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written_alike() {
        for text in ["localhost:9092", "kafka-1.example.org:443", "10.0.0.1:9092", "[::1]:9092", "my_host:1"] {
            assert_eq!(text.parse::<HostPort>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "localhost",
            "localhost:",
            ":9092",
            "localhost:0",
            "localhost:99999",
            "::1:9092",
            "a b:1",
            "http://a:1",
        ] {
            assert_eq!(text.parse::<HostPort>(), Err(HostPortError), "{text}");
        }
    }

    #[test]
    fn mechanisms_are_kafkas_names() {
        for mechanism in [SaslMechanism::Plain, SaslMechanism::ScramSha256, SaslMechanism::ScramSha512] {
            assert_eq!(mechanism.to_string().parse(), Ok(mechanism));
        }
        assert_eq!("GSSAPI".parse::<SaslMechanism>(), Err(SaslMechanismError::Kerberos));
        assert_eq!("scram".parse::<SaslMechanism>(), Err(SaslMechanismError::Unknown));
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "(sensitive)");
    }
}

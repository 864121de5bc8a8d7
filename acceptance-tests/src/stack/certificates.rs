//! Certificates: the broker's, a client's, and those of strangers.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// A certificate and its key, as PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// The key, as PKCS #8 without a passphrase.
    pub key: String,
}

/// All certificates of a stack, as PEM.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The authority that the broker trusts, and that signed its certificate.
    pub ca: String,
    /// An authority that nobody knows.
    pub strange_ca: String,
    /// A client who may do everything.
    pub client: Identity,
    /// A client whose certificate is from the strange authority.
    pub stranger: Identity,
    /// The broker.
    pub(super) broker: Identity,
}

impl Certificates {
    /// The common name of [`Certificates::client`].
    pub(super) const CLIENT: &'static str = "admin-client";

    /// New keys and certificates.
    pub(super) fn generate() -> Self {
        let ca = authority("stack authority");
        let strange_ca = authority("strange authority");
        Self {
            client: identity(&ca, Self::CLIENT),
            stranger: identity(&strange_ca, "stranger"),
            broker: identity(&ca, "localhost"),
            ca: ca.pem(),
            strange_ca: strange_ca.pem(),
        }
    }
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut parameters = parameters(name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(parameters, key()).expect("the parameters are complete")
}

fn identity(authority: &Authority, name: &str) -> Identity {
    let key = key();
    let certificate = parameters(name).signed_by(&key, authority).expect("the parameters are complete");
    Identity { certificate: certificate.pem(), key: key.serialize_pem() }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("the system has random numbers")
}

fn parameters(name: &str) -> CertificateParams {
    let hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut parameters = CertificateParams::new(hosts).expect("the host names are ASCII");
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.not_before = date_time_ymd(2026, 1, 1);
    parameters.not_after = date_time_ymd(2056, 1, 1);
    parameters
}

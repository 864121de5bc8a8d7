//! Mutual TLS between two processes that know each other's certificate from the handshake.
//!
//! The host makes a certificate for each process that it starts and passes it in the environment; the plugin makes
//! one of its own and prints it. Each side then accepts that one certificate and no other, so that no other process on
//! the machine can use the plugin. There is no authority, no chain and no date to check: rustls' verifier
//! of chains even refuses the host's certificate, which calls itself an authority.

use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::{
    DigitallySignedStruct, DistinguishedName as EncodedName, Error, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{
        CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime,
        pem::{self, PemObject},
    },
    server::danger::{ClientCertVerified, ClientCertVerifier},
    version::TLS13,
};
use tokio_rustls::TlsAcceptor;

/// The name that the host asks for. Go reads it from the alternative names alone.
const NAME: &str = "localhost";

/// Why no secure listener could be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    #[error("reading the host's certificate from `PLUGIN_CLIENT_CERT`")]
    Host(#[source] pem::Error),
    #[error("making the plugin's certificate")]
    Certificate(#[from] rcgen::Error),
    #[error("preparing TLS")]
    Protocol(#[from] Error),
}

/// The plugin's side of a mutual TLS connection.
pub(super) struct Identity {
    /// What the handshake tells the host.
    pub(super) certificate: CertificateDer<'static>,
    /// Accepts the host and nobody else.
    pub(super) acceptor: TlsAcceptor,
}

impl Identity {
    /// Makes a key and a certificate for this process, and accepts the one whose certificate is given in PEM.
    pub(super) fn trusting(host: &str) -> Result<Self, TlsError> {
        let host = CertificateDer::from_pem_slice(host.as_bytes()).map_err(TlsError::Host)?;
        let (certificate, key) = certificate()?;
        let crypto = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&crypto))
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(Arc::new(OneHost { certificate: host, crypto }))
            .with_single_cert(vec![certificate.clone()], key)?;
        // gRPC in Go refuses a connection that did not agree on HTTP/2 here.
        config.alpn_protocols = vec![b"h2".to_vec()];
        // The host connects once and never resumes.
        config.send_tls13_tickets = 0;
        Ok(Self { certificate, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}

/// A certificate for [`NAME`] and its key. It lives as long as the process, and its dates span any clock's error.
fn certificate() -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(vec![NAME.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, NAME);
    let certificate = params.self_signed(&key)?;
    Ok((certificate.into(), PrivatePkcs8KeyDer::from(key.serialize_der()).into()))
}

/// Accepts the client that shows this very certificate and proves to have its key.
#[derive(Debug)]
struct OneHost {
    certificate: CertificateDer<'static>,
    crypto: Arc<CryptoProvider>,
}

impl ClientCertVerifier for OneHost {
    fn root_hint_subjects(&self) -> &[EncodedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if *end_entity == self.certificate {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(rustls::CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.crypto.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.crypto.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }
}

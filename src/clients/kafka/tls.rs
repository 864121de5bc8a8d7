//! TLS to a broker: whom to trust, who calls, and what a failure means.

use std::{io, sync::Arc};

use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::clients::kafka::{ConnectProblem, Tls};

/// The settings as rustls wants them; files of the system's authorities are read here.
pub(in crate::clients) fn client_config(tls: &Tls) -> Result<Arc<ClientConfig>, ConnectProblem> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| ConnectProblem::Material(error.to_string()))?;
    let builder = if tls.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(TrustAnyone { provider }))
    } else {
        builder.with_root_certificates(authorities(tls.ca.as_deref())?)
    };
    let config = match &tls.client {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let chain = certificates(chain, "the client's certificate")?;
            let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
                .map_err(|_| ConnectProblem::Material("the client's key is not an unencrypted PEM key".to_owned()))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| match error {
                Error::InconsistentKeys(_) => {
                    ConnectProblem::Material("the client's key does not belong to its certificate".to_owned())
                }
                error => ConnectProblem::Material(error.to_string()),
            })?
        }
    };
    Ok(Arc::new(config))
}

fn authorities(ca: Option<&str>) -> Result<RootCertStore, ConnectProblem> {
    let mut store = RootCertStore::empty();
    if let Some(pem) = ca {
        for certificate in certificates(pem, "the authority's certificate")? {
            store.add(certificate).map_err(|error| ConnectProblem::Material(error.to_string()))?;
        }
    } else {
        let found = rustls_native_certs::load_native_certs();
        store.add_parsable_certificates(found.certs);
        if store.is_empty() {
            let errors: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
            let text = format!("the system has no trusted authorities {}", errors.join(", "));
            return Err(ConnectProblem::Material(text.trim_end().to_owned()));
        }
    }
    Ok(store)
}

fn certificates(pem: &str, what: &str) -> Result<Vec<CertificateDer<'static>>, ConnectProblem> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(ConnectProblem::Material(format!("{what} has no PEM section CERTIFICATE"))),
        Err(error) => Err(ConnectProblem::Material(format!("{what} is not PEM: {error}"))),
    }
}

/// The handshake. An error of the peer's is told by [`problem`].
pub(super) async fn handshake(
    config: &Arc<ClientConfig>,
    host: &str,
    stream: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(config.clone()).connect(name, stream).await
}

/// What a failed read, write or handshake on TLS means; `None` if it has nothing to do with TLS.
pub(in crate::clients) fn problem(error: &io::Error) -> Option<ConnectProblem> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    Some(match error {
        Error::InvalidMessage(_) => ConnectProblem::TlsToPlaintext,
        // The signature is bad if an authority of the same name, but another key, is trusted.
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            ConnectProblem::UnknownAuthority
        }
        Error::InvalidCertificate(error) => ConnectProblem::Certificate(error.to_string()),
        Error::AlertReceived(alert) if is_about_the_client(*alert) => {
            ConnectProblem::ClientCertificate(format!("it sent the alert {alert:?}"))
        }
        error => ConnectProblem::Tls(error.to_string()),
    })
}

/// A client that verifies has seen nothing wrong when these arrive, so that they speak of its own certificate.
fn is_about_the_client(alert: AlertDescription) -> bool {
    use AlertDescription as A;
    matches!(
        alert,
        A::NoCertificate
            | A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::CertificateRequired
            | A::UnknownCA
            | A::AccessDenied
            | A::DecryptError
    )
}

/// Accepts any certificate, but not a peer without its key.
#[derive(Debug)]
struct TrustAnyone {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for TrustAnyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

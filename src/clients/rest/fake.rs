//! A fake of a service, for tests: it speaks HTTP on loopback and gives the answers that it was told to.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::RestSettings;
use crate::clients::kafka::Tls;

/// Status, content type and body. With the status 0, the connection is closed without an answer. More headers may follow the content type, on lines of their own.
pub(crate) type Answer = (u16, &'static str, String);

/// A server that ends with the test's runtime.
#[derive(Debug)]
pub(crate) struct FakeService {
    port: u16,
    /// The certificate, in PEM, if it speaks TLS.
    pub(crate) certificate: Option<String>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl FakeService {
    /// A server in plain text.
    pub(crate) async fn start(answer: impl Fn(&str) -> Answer + Clone + Send + Sync + 'static) -> Self {
        Self::listen(move |it: &str| answer(path(it)), None, None).await
    }

    /// A server in plain text that answers by all of a request: its first line, its headers and its body.
    pub(crate) async fn start_whole(answer: impl Fn(&str) -> Answer + Clone + Send + Sync + 'static) -> Self {
        Self::listen(answer, None, None).await
    }

    /// A server with TLS, for `localhost`.
    pub(crate) async fn start_tls(answer: impl Fn(&str) -> Answer + Clone + Send + Sync + 'static) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
        let body = BASE64_STANDARD.encode(certificate.der());
        let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], der).unwrap();
        Self::listen(move |it: &str| answer(path(it)), Some(Arc::new(config).into()), Some(pem)).await
    }

    async fn listen(
        answer: impl Fn(&str) -> Answer + Clone + Send + Sync + 'static,
        tls: Option<TlsAcceptor>,
        certificate: Option<String>,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, seen, tls) = (answer.clone(), seen.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, answer, seen).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, answer, seen).await;
                            }
                        }
                    }
                });
            }
        });
        Self { port, certificate, requests }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}", self.port)
    }

    /// How to reach it.
    pub(crate) fn settings(&self) -> RestSettings {
        RestSettings {
            url: self.url().parse().unwrap(),
            failover_urls: Vec::new(),
            login: None,
            tls: Tls { insecure: true, ..Tls::default() },
            headers: BTreeMap::new(),
            request_timeout: Duration::from_secs(10),
        }
    }

    /// The first words of each request so far: method and path.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.requests().iter().map(|it| it.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
    }

    /// The requests so far, each with its headers and its body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The path of a request.
fn path(request: &str) -> &str {
    request.split(' ').nth(1).unwrap_or_default()
}

/// Answers one request.
async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: impl Fn(&str) -> Answer,
    seen: Arc<Mutex<Vec<String>>>,
) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            // As servers answer what is no HTTP, such as the beginning of TLS.
            Ok(byte) if !byte.is_ascii() || byte.is_ascii_control() && request.is_empty() => {
                let _ = stream.write_all(b"HTTP/1.1 400 x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
                return;
            }
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let length = String::from_utf8_lossy(&request)
        .lines()
        .find_map(|it| it.strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    if stream.read_exact(&mut body).await.is_err() {
        return;
    }
    request.extend(body);
    let request = String::from_utf8_lossy(&request).into_owned();
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
    let (status, kind, body) = answer(&request);
    if status == 0 {
        return;
    }
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\nlocation: https://login.example.org/?token=t\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    // Whoever asked may be gone.
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.shutdown().await;
}

//! The built plugin as its host meets it: started, greeted, called and ended.

#![cfg(unix)]

use std::{
    error::Error,
    future::{self, Ready},
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, PKCS_ECDSA_P521_SHA512};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
    sign::{CertifiedKey, SingleCertAndKey},
};
use serde_json::Value;
use terraform_provider_kafka::proto::{
    health::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient},
    plugin::{
        Empty, grpc_broker_client::GrpcBrokerClient, grpc_controller_client::GrpcControllerClient,
        grpc_stdio_client::GrpcStdioClient,
    },
    tfplugin6::{DynamicValue, get_provider_schema, provider_client::ProviderClient, validate_provider_config},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, BufReader},
    net::UnixStream,
    process::{Child, ChildStdout, Command},
    time::timeout,
};
use tokio_rustls::TlsConnector;
use tonic::{
    Code,
    codegen::Service,
    transport::{Channel, Endpoint, Uri},
};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// After so long Terraform kills a plugin that it asked to end.
const BEFORE_KILL: Duration = Duration::from_secs(2);

/// A certificate as Terraform makes one for each plugin: P-521, and an authority of itself.
struct HostCertificate {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl HostCertificate {
    fn new() -> Outcome<Self> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512)?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self { certificate: params.self_signed(&key)?.into(), key })
    }

    fn pem(&self) -> String {
        let body = STANDARD.encode(&self.certificate);
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }
}

/// A started plugin, and what its handshake said.
struct Plugin {
    process: Child,
    stdout: BufReader<ChildStdout>,
    socket: PathBuf,
    certificate: Vec<u8>,
}

fn command() -> Command {
    let mut res = Command::new(env!("CARGO_BIN_EXE_terraform-provider-kafka"));
    for name in ["TF_LOG", "TF_LOG_PROVIDER", "TF_LOG_PROVIDER_KAFKA", "TF_PLUGIN_MAGIC_COOKIE", "PLUGIN_CLIENT_CERT"] {
        res.env_remove(name);
    }
    res.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    res
}

/// The command as Terraform runs it. Without a certificate, it has TLS switched off.
fn hosted(host: Option<&HostCertificate>) -> Command {
    let mut res = command();
    res.env("TF_PLUGIN_MAGIC_COOKIE", COOKIE).env("PLUGIN_PROTOCOL_VERSIONS", "6,5");
    res.envs([("PLUGIN_MIN_PORT", "10000"), ("PLUGIN_MAX_PORT", "25000")]);
    res.envs(host.map(|it| ("PLUGIN_CLIENT_CERT", it.pem())));
    res
}

impl Plugin {
    async fn start(host: Option<&HostCertificate>) -> Outcome<Self> {
        Self::greeted(hosted(host)).await
    }

    async fn greeted(mut command: Command) -> Outcome<Self> {
        let mut process = command.spawn()?;
        let mut stdout = BufReader::new(process.stdout.take().ok_or("no standard output")?);
        let mut line = String::new();
        timeout(PATIENCE, stdout.read_line(&mut line)).await??;
        let fields: Vec<_> = line.trim_end_matches('\n').split('|').collect();
        let ["1", "6", "unix", socket, "grpc", certificate] = fields[..] else {
            return Err(format!("not a handshake: {line:?}").into());
        };
        Ok(Self { process, stdout, socket: socket.into(), certificate: STANDARD_NO_PAD.decode(certificate)? })
    }

    /// Connects as the holder of a certificate, and trusts that of the handshake alone.
    async fn connect(&self, host: &HostCertificate) -> Outcome<Channel> {
        self.connect_with(Some((host.certificate.clone(), host.key()))).await
    }

    async fn connect_with(
        &self,
        identity: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
    ) -> Outcome<Channel> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone().into())?;
        let crypto = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&crypto))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let mut config = match identity {
            Some((certificate, key)) => {
                // Unlike its shorter way, this one of rustls lets a certificate go with a key that is not its own.
                let pair = CertifiedKey::new(vec![certificate], crypto.key_provider.load_private_key(key)?);
                config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(pair)))
            }
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = UnixStream::connect(&self.socket).await?;
        let stream = TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost")?, stream).await?;
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err("HTTP/2 was not agreed on".into());
        }
        channel(stream).await
    }

    /// Ends a plugin that was not ended otherwise: a killed one would leave its socket behind.
    async fn end(mut self) -> Outcome {
        send("TERM", self.number()?)?;
        self.ended().await.map(drop)
    }

    async fn ended(&mut self) -> Outcome<ExitStatus> {
        Ok(timeout(PATIENCE, self.process.wait()).await??)
    }

    fn number(&self) -> Outcome<u32> {
        self.process.id().ok_or_else(|| "the plugin has ended".into())
    }
}

async fn plain(socket: &Path) -> Outcome<Channel> {
    channel(UnixStream::connect(socket).await?).await
}

/// A channel over one connection, which is not made again when it breaks.
async fn channel(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Outcome<Channel> {
    let connector = OneConnection(Some(TokioIo::new(stream)));
    Ok(timeout(PATIENCE, Endpoint::from_static("http://localhost").connect_with_connector(connector)).await??)
}

struct OneConnection<T>(Option<T>);

impl<T> Service<Uri> for OneConnection<T> {
    type Response = T;
    type Error = &'static str;
    type Future = Ready<Result<T, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        future::ready(self.0.take().ok_or("the connection broke"))
    }
}

async fn schema(channel: &Channel) -> Outcome<get_provider_schema::Response> {
    let mut client = ProviderClient::new(channel.clone());
    Ok(timeout(PATIENCE, client.get_provider_schema(get_provider_schema::Request {})).await??.into_inner())
}

async fn shut_down(channel: &Channel) -> Outcome {
    timeout(PATIENCE, GrpcControllerClient::new(channel.clone()).shutdown(Empty {})).await??;
    Ok(())
}

fn send(signal: &str, process: u32) -> Outcome {
    let sent = std::process::Command::new("kill").args([format!("-{signal}"), process.to_string()]).status()?;
    sent.success().then_some(()).ok_or_else(|| "the signal was not sent".into())
}

/// Standard output and standard error of a process that ends by itself.
async fn output(command: &mut Command) -> Outcome<(Output, String, String)> {
    let output = timeout(PATIENCE, command.output()).await??;
    let (stdout, stderr) = (String::from_utf8(output.stdout.clone())?, String::from_utf8(output.stderr.clone())?);
    Ok((output, stdout, stderr))
}

#[tokio::test]
async fn a_host_is_served_over_mutual_tls_and_the_plugin_ends_at_once() -> Outcome {
    let host = HostCertificate::new()?;
    let mut plugin = Plugin::start(Some(&host)).await?;
    let channel = plugin.connect(&host).await?;
    assert!(schema(&channel).await?.provider.is_some());

    let start = Instant::now();
    shut_down(&channel).await?;
    drop(channel);
    assert!(plugin.ended().await?.success());
    let elapsed = start.elapsed();
    assert!(elapsed < Duration::from_millis(200), "{elapsed:?}");

    assert!(!plugin.socket.exists());
    let mut rest = String::new();
    plugin.stdout.read_to_string(&mut rest).await?;
    assert_eq!(rest, "", "nothing but the handshake is printed");
    Ok(())
}

#[tokio::test]
async fn a_host_that_keeps_its_connection_and_streams_open_is_not_waited_for() -> Outcome {
    let host = HostCertificate::new()?;
    let mut plugin = Plugin::start(Some(&host)).await?;
    let channel = plugin.connect(&host).await?;
    let mut printed = GrpcStdioClient::new(channel.clone()).stream_stdio(()).await?.into_inner();
    let broker = GrpcBrokerClient::new(channel.clone()).start_stream(tokio_stream::pending()).await?;

    let health = HealthClient::new(channel.clone())
        .check(HealthCheckRequest { service: "plugin".to_owned() })
        .await?
        .into_inner();
    assert_eq!(health.status(), ServingStatus::Serving);
    assert!(schema(&channel).await?.provider.is_some());

    let start = Instant::now();
    shut_down(&channel).await?;
    assert!(plugin.ended().await?.success());
    let elapsed = start.elapsed();
    assert!(elapsed < BEFORE_KILL, "{elapsed:?}");
    assert!(printed.message().await.is_err(), "nothing was ever relayed");
    drop(broker);
    Ok(())
}

#[tokio::test]
async fn a_host_without_tls_is_served() -> Outcome {
    let mut plugin = Plugin::start(None).await?;
    assert!(plugin.certificate.is_empty());
    let channel = plain(&plugin.socket).await?;
    assert!(schema(&channel).await?.provider.is_some());
    shut_down(&channel).await?;
    drop(channel);
    assert!(plugin.ended().await?.success());
    Ok(())
}

#[tokio::test]
async fn strangers_are_refused_and_do_not_disturb_the_host() -> Outcome {
    let host = HostCertificate::new()?;
    let plugin = Plugin::start(Some(&host)).await?;
    let stranger = HostCertificate::new()?;

    let other = (stranger.certificate.clone(), stranger.key());
    // Who has seen the host's certificate, which is no secret, does not have its key.
    let stolen = (host.certificate.clone(), stranger.key());
    for identity in [None, Some(other), Some(stolen)] {
        // With TLS 1.3, a client learns of the refusal after it is done with its own side.
        let answer = match plugin.connect_with(identity).await {
            Ok(channel) => schema(&channel).await.map(drop),
            Err(error) => Err(error),
        };
        assert!(answer.is_err());
    }
    if let Ok(channel) = plain(&plugin.socket).await {
        assert!(schema(&channel).await.is_err(), "a client without TLS was served");
    }
    assert!(schema(&plugin.connect(&host).await?).await?.provider.is_some());
    plugin.end().await
}

#[tokio::test]
async fn a_message_may_be_larger_than_grpc_s_usual_limit() -> Outcome {
    let plugin = Plugin::start(None).await?;
    let config = Some(DynamicValue { msgpack: vec![0; 8 << 20].into(), ..DynamicValue::default() });
    let answer = ProviderClient::new(plain(&plugin.socket).await?)
        .validate_provider_config(validate_provider_config::Request { config })
        .await;
    assert_ne!(answer.err().map(|it| it.code()), Some(Code::OutOfRange));
    plugin.end().await
}

#[tokio::test]
async fn ctrl_c_is_the_host_s_business() -> Outcome {
    let plugin = Plugin::start(None).await?;
    let channel = plain(&plugin.socket).await?;
    send("INT", plugin.number()?)?;
    send("INT", plugin.number()?)?;
    assert!(schema(&channel).await?.provider.is_some());
    plugin.end().await
}

#[tokio::test]
async fn a_plugin_that_is_asked_to_terminate_leaves_no_socket() -> Outcome {
    let mut plugin = Plugin::start(None).await?;
    assert!(plugin.socket.exists());
    send("TERM", plugin.number()?)?;
    assert!(plugin.ended().await?.success());
    assert!(!plugin.socket.exists());
    Ok(())
}

#[tokio::test]
async fn a_plugin_ends_when_its_host_vanishes() -> Outcome {
    let host = HostCertificate::new()?;
    let mut plugin = Plugin::start(Some(&host)).await?;
    let channel = plugin.connect(&host).await?;
    assert!(schema(&channel).await?.provider.is_some());
    drop(channel);
    assert!(plugin.ended().await?.success());
    assert!(!plugin.socket.exists());
    Ok(())
}

#[tokio::test]
async fn a_host_may_connect_again() -> Outcome {
    let host = HostCertificate::new()?;
    let plugin = Plugin::start(Some(&host)).await?;
    drop(plugin.connect(&host).await?);
    assert!(schema(&plugin.connect(&host).await?).await?.provider.is_some());
    plugin.end().await
}

#[tokio::test]
async fn a_person_is_told_what_the_program_is() -> Outcome {
    let (output, stdout, stderr) = output(&mut command()).await?;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout, "");
    assert!(stderr.contains(r#"source = "selfserve/kafka""#), "{stderr}");
    Ok(())
}

#[tokio::test]
async fn the_command_line_answers() -> Outcome {
    let (output_of, stdout, _) = output(command().arg("--version")).await?;
    assert!(output_of.status.success());
    assert_eq!(stdout, concat!("terraform-provider-kafka ", env!("CARGO_PKG_VERSION"), "\n"));

    let (output_of, stdout, _) = output(command().arg("--help")).await?;
    assert!(output_of.status.success());
    assert!(stdout.contains("--debug"), "{stdout}");

    let (output_of, _, stderr) = output(command().arg("--verbose")).await?;
    assert_eq!(output_of.status.code(), Some(1));
    assert!(stderr.contains("`--verbose`"), "{stderr}");
    Ok(())
}

#[tokio::test]
async fn an_unreadable_certificate_of_the_host_is_an_error() -> Outcome {
    let (output, stdout, stderr) = output(hosted(None).env("PLUGIN_CLIENT_CERT", "no certificate")).await?;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout, "", "no handshake promises a plugin");
    assert!(stderr.starts_with("[ERROR] ") && stderr.contains("`PLUGIN_CLIENT_CERT`"), "{stderr}");
    Ok(())
}

#[tokio::test]
async fn a_host_may_choose_the_socket_s_directory() -> Outcome {
    let directory = std::env::temp_dir().join(format!("kafka-plugin-test-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let mut command = hosted(None);
    command.env("PLUGIN_UNIX_SOCKET_DIR", &directory);
    let plugin = Plugin::greeted(command).await?;
    assert_eq!(plugin.socket.parent(), Some(directory.as_path()));
    plugin.end().await?;
    // Fails if anything was left behind.
    std::fs::remove_dir(&directory)?;
    Ok(())
}

#[tokio::test]
async fn log_lines_are_what_terraform_reads() -> Outcome {
    let mut command = hosted(None);
    command.env("TF_LOG", "trace");
    let mut plugin = Plugin::greeted(command).await?;
    let mut stderr = plugin.process.stderr.take().ok_or("no standard error")?;
    shut_down(&plain(&plugin.socket).await?).await?;
    plugin.ended().await?;

    let mut lines = String::new();
    stderr.read_to_string(&mut lines).await?;
    assert!(!lines.is_empty());
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).map_err(|it| format!("{it}: {line}"))?;
        for key in ["@level", "@message", "@module", "@timestamp"] {
            assert!(line[key].is_string(), "{key} in {line}");
        }
        assert_eq!(line["@timestamp"].as_str().map(str::len), Some("2026-01-02T03:04:05.000006Z".len()), "{line}");
    }
    Ok(())
}

#[tokio::test]
async fn nothing_is_logged_unasked() -> Outcome {
    let mut plugin = Plugin::start(None).await?;
    let mut stderr = plugin.process.stderr.take().ok_or("no standard error")?;
    shut_down(&plain(&plugin.socket).await?).await?;
    plugin.ended().await?;
    let mut lines = String::new();
    stderr.read_to_string(&mut lines).await?;
    assert_eq!(lines, "");
    Ok(())
}

#[tokio::test]
async fn a_debugged_plugin_says_how_to_reach_it_and_stays() -> Outcome {
    let mut process = command().arg("--debug").spawn()?;
    let mut stdout = BufReader::new(process.stdout.take().ok_or("no standard output")?).lines();
    let reattach = loop {
        let line = timeout(PATIENCE, stdout.next_line()).await??.ok_or("nothing to reattach to")?;
        if let Some((_, value)) = line.split_once("TF_REATTACH_PROVIDERS='") {
            break serde_json::from_str::<Value>(value.trim_end_matches('\''))?;
        }
    };
    let plugin = &reattach["registry.terraform.io/selfserve/kafka"];
    assert_eq!(*plugin, reattach["registry.opentofu.org/selfserve/kafka"]);
    assert_eq!(plugin["Pid"].as_u64(), process.id().map(u64::from));
    assert_eq!((&plugin["ProtocolVersion"], &plugin["Test"]), (&6.into(), &true.into()));

    let socket = PathBuf::from(plugin["Addr"]["String"].as_str().ok_or("no address")?);
    for _command in ["plan", "apply"] {
        assert!(schema(&plain(&socket).await?).await?.provider.is_some());
    }
    send("INT", process.id().ok_or("the plugin has ended")?)?;
    assert!(timeout(PATIENCE, process.wait()).await??.success());
    assert!(!socket.exists());
    Ok(())
}

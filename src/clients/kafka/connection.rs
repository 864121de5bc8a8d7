//! One connection to one broker. Requests are sent as they come, without waiting for each other's answers; the broker
//! answers in the same order.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt, io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use kafka_protocol::{
    error::ResponseError,
    messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse},
    protocol::{Request, StrBytes, VersionRange},
};
use rustls::ClientConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, oneshot},
    time::{timeout, timeout_at},
};

use crate::clients::kafka::{
    HostPort, KafkaSettings,
    error::{ConnectProblem, KafkaError},
    frame::{self, FrameError},
    locked,
    requests::Ask,
    sasl, tls,
    transactions::BY_BROKERS,
    trouble::Trouble,
};

/// How long one of a host's addresses may take to accept a connection before the next is tried.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(10);

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// An open connection on which the caller is authenticated.
pub(super) struct Connection {
    broker: HostPort,
    versions: BTreeMap<i16, VersionRange>,
    calls: mpsc::UnboundedSender<Call>,
    last_id: AtomicI32,
    open: Arc<AtomicBool>,
    /// Nothing is sent before.
    muted_until: Mutex<Instant>,
    /// When the broker stops to believe the authentication.
    expires: Option<Instant>,
    request_timeout: Duration,
    has_answered: AtomicBool,
}

/// A request on its way.
struct Call {
    id: i32,
    frame: Bytes,
    answer: oneshot::Sender<Result<Bytes, Trouble>>,
}

impl Connection {
    /// Connects, authenticates, and learns what the broker understands. It takes as long as a request may, whoever
    /// asked for it: many wait for one attempt.
    pub(super) async fn open(
        broker: &HostPort,
        settings: &KafkaSettings,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<Self, KafkaError> {
        let opened = timeout(settings.request_timeout, async {
            let mut wire = Wire::open(broker, tls).await?;
            let lifetime = match &settings.sasl {
                Some(it) => sasl::authenticate(&mut wire, it).await?,
                None => None,
            };
            Ok::<_, KafkaError>((wire, lifetime))
        });
        let Ok(opened) = opened.await else {
            let problem = ConnectProblem::Unreachable("the time was up".to_owned());
            return Err(KafkaError::Connect { broker: broker.clone(), problem });
        };
        let (wire, lifetime) = opened?;
        Ok(Self::start(wire, lifetime, settings.request_timeout))
    }

    fn start(wire: Wire, lifetime: Option<Duration>, request_timeout: Duration) -> Self {
        let (sender, calls) = mpsc::unbounded_channel();
        let open = Arc::new(AtomicBool::new(true));
        tokio::spawn(carry(wire.stream, wire.broker.clone(), calls, open.clone()));
        Self {
            broker: wire.broker,
            versions: wire.versions,
            calls: sender,
            last_id: AtomicI32::new(wire.last_id),
            open,
            muted_until: Mutex::new(Instant::now()),
            // A little earlier than the broker, so that no request meets the end.
            expires: lifetime.map(|it| Instant::now() + it.mul_f32(0.85)),
            request_timeout,
            has_answered: AtomicBool::new(false),
        }
    }

    /// The broker at the other end.
    pub(super) fn broker(&self) -> &HostPort {
        &self.broker
    }

    /// Whether the broker ever answered a request of an authenticated caller.
    pub(super) fn has_answered(&self) -> bool {
        self.has_answered.load(Ordering::Relaxed)
    }

    /// Whether a new request may be sent here.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire) && self.expires.is_none_or(|it| Instant::now() < it)
    }

    /// The newest version of a request that both sides know.
    pub(super) fn version<R: Ask>(&self) -> Result<i16, KafkaError> {
        common_version(self.versions.get(&R::KEY), R::WRITTEN.into_inner())
            .ok_or_else(|| KafkaError::Unsupported(R::PURPOSE.to_owned()))
    }

    /// Sends a request and waits for its answer.
    pub(super) async fn call<R: Ask>(
        &self,
        request: &R,
        version: i16,
        deadline: Instant,
    ) -> Result<R::Response, Trouble> {
        let time_is_up = || KafkaError::Deadline(format!("waiting for broker {}", self.broker));
        let muted_until = *locked(&self.muted_until);
        if deadline <= muted_until {
            return Err(Trouble::Again(KafkaError::Throttled));
        }
        tokio::time::sleep_until(muted_until.into()).await;

        let id = self.last_id.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let frame = frame::request_frame(request, version, id)
            .map_err(|error| Trouble::Final(KafkaError::Unsupported(format!("{}: {error}", R::PURPOSE))))?;
        let (answer, answered) = oneshot::channel();
        let closed = || KafkaError::Connect { broker: self.broker.clone(), problem: ConnectProblem::Closed };
        self.calls.send(Call { id, frame, answer }).map_err(|_| Trouble::Again(closed()))?;

        let limit = Instant::now() + self.request_timeout;
        let frame = match timeout_at(deadline.min(limit).into(), answered).await {
            Ok(Ok(answered)) => answered?,
            Ok(Err(_)) => return Err(Trouble::Lost(closed())),
            Err(_) => {
                if limit <= deadline {
                    // A broker that does not answer in time is given up, for all callers.
                    self.open.store(false, Ordering::Release);
                }
                return Err(Trouble::Lost(time_is_up()));
            }
        };
        let answer = frame::answer::<R>(frame, version).map_err(|what| {
            self.open.store(false, Ordering::Release);
            Trouble::Final(KafkaError::Malformed { broker: self.broker.clone(), what })
        })?;
        self.has_answered.store(true, Ordering::Relaxed);
        if let Ok(throttle @ 1..) = u64::try_from(R::throttle_time_ms(&answer)) {
            *locked(&self.muted_until) = Instant::now() + Duration::from_millis(throttle);
        }
        Ok(answer)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("broker", &self.broker)
            .field("open", &self.is_open())
            .finish_non_exhaustive()
    }
}

/// Carries requests and answers until either side ends the connection, and tells the callers.
async fn carry(
    stream: Box<dyn Stream>,
    broker: HostPort,
    mut calls: mpsc::UnboundedReceiver<Call>,
    open: Arc<AtomicBool>,
) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let waiting = Mutex::new(VecDeque::new());
    let write = async {
        while let Some(call) = calls.recv().await {
            locked(&waiting).push_back((call.id, call.answer));
            writer.write_all(&call.frame).await?;
            writer.flush().await?;
        }
        writer.shutdown().await
    };
    let read = async {
        loop {
            let frame = match frame::read_frame(&mut reader).await {
                Ok(Some(frame)) => frame,
                Ok(None) | Err(FrameError::Io(_)) => return closed(&broker),
                Err(FrameError::Length(head)) => return malformed(&broker, frame::wrong_length(head)),
            };
            let Some((id, answer)) = locked(&waiting).pop_front() else {
                return malformed(&broker, "an answer that nobody asked for".to_owned());
            };
            if frame::answered_id(&frame) != Some(id) {
                let _ = answer.send(Err(malformed(&broker, "an answer to another request".to_owned())));
                return malformed(&broker, "an answer to another request".to_owned());
            }
            // A caller who gave up is not there any more, which is fine.
            let _ = answer.send(Ok(frame));
        }
    };
    let end = tokio::select! {
        _ = write => closed(&broker),
        end = read => end,
    };
    open.store(false, Ordering::Release);
    for (_, answer) in std::mem::take(&mut *locked(&waiting)) {
        let _ = answer.send(Err(end.clone()));
    }
    calls.close();
    while let Some(call) = calls.recv().await {
        let _ = call.answer.send(Err(Trouble::Again(closed(&broker).into_error())));
    }
}

fn closed(broker: &HostPort) -> Trouble {
    Trouble::Lost(KafkaError::Connect { broker: broker.clone(), problem: ConnectProblem::Closed })
}

fn malformed(broker: &HostPort, what: String) -> Trouble {
    Trouble::Final(KafkaError::Malformed { broker: broker.clone(), what })
}

/// Whether the cluster is at the level at which brokers add partitions to transactions. Brokers know versions of requests
/// that they must not be sent before.
fn lets_brokers_add(answer: &ApiVersionsResponse) -> bool {
    let is_valid = 0 <= answer.finalized_features_epoch;
    let mut features = answer.finalized_features.iter();
    is_valid && features.any(|it| it.name.as_str() == "transaction.version" && 2 <= it.max_version_level)
}

/// The newest version in both ranges.
fn common_version(theirs: Option<&VersionRange>, (oldest, newest): (i16, i16)) -> Option<i16> {
    let newest = newest.min(theirs?.max);
    (oldest.max(theirs?.min) <= newest).then_some(newest)
}

/// A connection on which one question is asked at a time, as it is before the caller is authenticated.
pub(super) struct Wire {
    broker: HostPort,
    stream: Box<dyn Stream>,
    speaks_tls: bool,
    versions: BTreeMap<i16, VersionRange>,
    last_id: i32,
}

impl Wire {
    async fn open(broker: &HostPort, tls: Option<&Arc<ClientConfig>>) -> Result<Self, KafkaError> {
        let mut wire = Self::connect(broker, tls).await?;
        match wire.learn_versions().await {
            // Some servers only close when they hear what is not TLS.
            Err(KafkaError::Connect { problem: ConnectProblem::Closed, .. })
                if tls.is_none() && answers_tls(broker).await =>
            {
                Err(wire.failed(ConnectProblem::PlaintextToTls))
            }
            Err(error) => Err(error),
            Ok(()) => Ok(wire),
        }
    }

    async fn connect(broker: &HostPort, tls: Option<&Arc<ClientConfig>>) -> Result<Self, KafkaError> {
        let failed = |problem| KafkaError::Connect { broker: broker.clone(), problem };
        let tcp = connect_tcp(broker).await.map_err(failed)?;
        let stream: Box<dyn Stream> = match tls {
            None => Box::new(tcp),
            Some(config) => match tls::handshake(config, &broker.host, tcp).await {
                Ok(stream) => Box::new(stream),
                Err(error) => return Err(failed(handshake_problem(broker, &error).await)),
            },
        };
        Ok(Self::over(broker, stream, tls.is_some()))
    }

    fn over(broker: &HostPort, stream: Box<dyn Stream>, speaks_tls: bool) -> Self {
        Self { broker: broker.clone(), stream, speaks_tls, versions: BTreeMap::new(), last_id: 0 }
    }

    /// Asks in the newest version of the question, and in the oldest, which every broker knows, if that is too new.
    async fn learn_versions(&mut self) -> Result<(), KafkaError> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("terraform-provider-kafka"))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let frame = self.exchange(&request, 3).await?;
        // A broker that does not know this version says so in the oldest one, whatever was asked.
        let code = frame.get(4..6).map(|it| i16::from_be_bytes([it[0], it[1]]));
        let answer: ApiVersionsResponse = if code == Some(ResponseError::UnsupportedVersion.code()) {
            self.ask(&ApiVersionsRequest::default(), 0).await?
        } else {
            frame::answer::<ApiVersionsRequest>(frame, 3).map_err(|what| self.malformed(what))?
        };
        if let Some(error) = ResponseError::try_from_code(answer.error_code) {
            return Err(self.malformed(format!("asked for its versions, it answered {error}")));
        }
        let range = |min, max| VersionRange { min, max };
        self.versions = answer.api_keys.iter().map(|it| (it.api_key, range(it.min_version, it.max_version))).collect();
        if !lets_brokers_add(&answer) {
            let (produce, end) = BY_BROKERS;
            for (key, first) in [(ApiKey::Produce, produce), (ApiKey::EndTxn, end)] {
                self.versions.entry(key as i16).and_modify(|it| it.max = it.max.min(first - 1));
            }
        }
        Ok(())
    }

    /// Whether the broker knows a version of a request.
    pub(super) fn offers<R: Request>(&self, version: i16) -> bool {
        self.versions.get(&R::KEY).is_some_and(|it| (it.min..=it.max).contains(&version))
    }

    /// Asks a question and waits for its answer.
    pub(super) async fn ask<R: Request>(&mut self, request: &R, version: i16) -> Result<R::Response, KafkaError> {
        let frame = self.exchange(request, version).await?;
        frame::answer::<R>(frame, version).map_err(|what| self.malformed(what))
    }

    async fn exchange<R: Request>(&mut self, request: &R, version: i16) -> Result<Bytes, KafkaError> {
        self.last_id += 1;
        let frame = frame::request_frame(request, version, self.last_id).map_err(KafkaError::Unsupported)?;
        let written = async {
            self.stream.write_all(&frame).await?;
            self.stream.flush().await
        };
        // A peer that refuses what it heard may have said why before it stopped listening.
        let write_error = written.await.err();
        match frame::read_frame(&mut self.stream).await {
            Ok(Some(frame)) if frame::answered_id(&frame) == Some(self.last_id) => Ok(frame),
            Ok(Some(_)) => Err(self.malformed("an answer to another request".to_owned())),
            Ok(None) => Err(self.failed(write_error.as_ref().map_or(ConnectProblem::Closed, io_problem))),
            Err(FrameError::Io(error)) => Err(self.failed(io_problem(&error))),
            // The first bytes of a TLS alert or handshake.
            Err(FrameError::Length([0x15 | 0x16, 3, ..])) if !self.speaks_tls => {
                Err(self.failed(ConnectProblem::PlaintextToTls))
            }
            Err(FrameError::Length(head)) => Err(self.malformed(frame::wrong_length(head))),
        }
    }

    /// An error of connecting.
    pub(super) fn failed(&self, problem: ConnectProblem) -> KafkaError {
        KafkaError::Connect { broker: self.broker.clone(), problem }
    }

    fn malformed(&self, what: String) -> KafkaError {
        KafkaError::Malformed { broker: self.broker.clone(), what }
    }
}

async fn connect_tcp(broker: &HostPort) -> Result<TcpStream, ConnectProblem> {
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((broker.host.as_str(), broker.port))
        .await
        .map_err(|error| ConnectProblem::Resolve(error.to_string()))?
        .collect();
    let mut last = ConnectProblem::Resolve("it has no address".to_owned());
    for address in addresses {
        match timeout(ADDRESS_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Without it, a small request may wait for the answer to the one before.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = ConnectProblem::Unreachable(error.to_string()),
            Err(_) => last = ConnectProblem::Unreachable(format!("{address} does not answer")),
        }
    }
    Err(last)
}

fn io_problem(error: &io::Error) -> ConnectProblem {
    use io::ErrorKind as K;
    match (tls::problem(error), error.kind()) {
        (Some(problem), _) => problem,
        (None, K::UnexpectedEof | K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe) => ConnectProblem::Closed,
        (None, _) => ConnectProblem::Unreachable(error.to_string()),
    }
}

/// Why a handshake failed. A broker without TLS only closes when it hears one, so it is asked whether it is one.
async fn handshake_problem(broker: &HostPort, error: &io::Error) -> ConnectProblem {
    match io_problem(error) {
        ConnectProblem::Closed if answers_plain_text(broker).await => ConnectProblem::TlsToPlaintext,
        problem => problem,
    }
}

/// How long a port is examined after it failed, to find a better reason.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

async fn answers_plain_text(broker: &HostPort) -> bool {
    let probe = async {
        let tcp = connect_tcp(broker).await.ok()?;
        Wire::over(broker, Box::new(tcp), false).learn_versions().await.ok()
    };
    timeout(PROBE_TIMEOUT, probe).await.is_ok_and(|it| it.is_some())
}

/// The mechanisms that a listener wants to hear of before anything else; `None` if it has no SASL.
pub(super) async fn expected_sasl(broker: &HostPort, tls: Option<&Arc<ClientConfig>>) -> Option<String> {
    let probe = async { sasl::offered(&mut Wire::open(broker, tls).await?).await };
    timeout(PROBE_TIMEOUT, probe).await.ok()?.ok()?
}

async fn answers_tls(broker: &HostPort) -> bool {
    let trusting = crate::clients::kafka::Tls { insecure: true, ..Default::default() };
    let probe = async {
        let config = tls::client_config(&trusting).ok()?;
        let tcp = connect_tcp(broker).await.ok()?;
        let end = tls::handshake(&config, &broker.host, tcp).await;
        // An alert, or any other failure that only a TLS server can cause, is an answer as well.
        let proof = match end {
            Ok(_) => true,
            Err(error) => !matches!(tls::problem(&error), None | Some(ConnectProblem::TlsToPlaintext)),
        };
        proof.then_some(())
    };
    timeout(PROBE_TIMEOUT, probe).await.is_ok_and(|it| it.is_some())
}

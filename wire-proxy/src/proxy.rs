//! The proxy: what a test sets and asks, and what its connections share.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt, io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use kafka_protocol::messages::ApiKey;
use tokio::{net::lookup_host, sync::watch, task::JoinHandle};

use crate::{
    action::Action,
    listener::{Port, serve},
    request::{Record, Request},
};
/// Records and problems that are kept, the latest ones.
const KEPT: usize = 10_000;

/// Decides about each request.
type Script = Box<dyn FnMut(&Request, u64) -> Action + Send>;

/// A proxy on the loopback interface. It is started inside a tokio runtime, and serves until it is stopped or dropped.
#[derive(Debug)]
pub struct WireProxy {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl WireProxy {
    /// Starts a proxy for a cluster, one of whose brokers listens without TLS at this address. It need not listen yet.
    pub fn start(broker: SocketAddr) -> io::Result<Self> {
        Self::start_with(broker, false)
    }

    /// Starts a proxy that relays bytes to this address without looking at them, as it must for TLS. The addresses that
    /// the broker advertises stay as they are, so that only the first connections of a client come through.
    pub fn start_opaque(broker: SocketAddr) -> io::Result<Self> {
        Self::start_with(broker, true)
    }

    fn start_with(broker: SocketAddr, opaque: bool) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            opaque,
            state: Mutex::default(),
            connections: AtomicU64::new(0),
            refuse: watch::Sender::new(false),
            cut: watch::Sender::new(()),
        });
        let address = shared.listen(broker)?;
        Ok(Self { shared, address })
    }

    /// Where a client connects to, in place of the broker that the proxy was started for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes every answer come this much later than the broker gives it, as if the round trip took so much longer.
    /// Requests that are under way at the same time wait at the same time. Where the proxy relays bytes, it delays those
    /// of the broker.
    pub fn delay(&self, delay: Duration) {
        self.shared.state().delay = delay;
    }

    /// Has a function decide about each request from now on. It gets the request and its number, from 1, among all that
    /// come through the proxy after this call. It must not block.
    pub fn on_request(&self, script: impl FnMut(&Request, u64) -> Action + Send + 'static) {
        self.shared.state().script = Some((Box::new(script), 0));
    }

    /// Forwards every request again.
    pub fn forward_all(&self) {
        self.shared.state().script = None;
    }

    /// Number of requests by API since the start or [`WireProxy::reset_counts`], in the order of the APIs' numbers.
    pub fn requests(&self) -> Vec<(ApiKey, u64)> {
        let state = self.shared.state();
        state.counts.iter().filter_map(|(key, count)| Some((ApiKey::try_from(*key).ok()?, *count))).collect()
    }

    /// Number of requests of one API since the start or [`WireProxy::reset_counts`].
    pub fn count(&self, key: ApiKey) -> u64 {
        self.shared.state().counts.get(&(key as i16)).copied().unwrap_or_default()
    }

    /// Number of all requests since the start or [`WireProxy::reset_counts`].
    pub fn total(&self) -> u64 {
        self.shared.state().counts.values().sum()
    }

    /// The latest requests, at most 10,000, oldest first, since the start or [`WireProxy::reset_counts`].
    pub fn records(&self) -> Vec<Record> {
        self.shared.state().records.iter().cloned().collect()
    }

    /// Forgets all requests so far.
    pub fn reset_counts(&self) {
        let mut state = self.shared.state();
        state.counts.clear();
        state.records.clear();
    }

    /// Number of connections that clients made so far.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Why connections ended when neither side closed nor a script cut them, such as a broker that is down or a frame
    /// that the proxy could not read. For the message of a test that fails.
    pub fn problems(&self) -> Vec<String> {
        self.shared.state().problems.iter().cloned().collect()
    }

    /// Ends all connections. New ones are accepted.
    pub fn cut_connections(&self) {
        self.shared.cut.send_replace(());
    }

    /// Whether the kernel refuses new connections, on all ports of the proxy, as for a broker that is down; open ones
    /// stay. It is so when this returns.
    pub async fn refuse_connections(&self, refuse: bool) {
        self.shared.refuse.send_replace(refuse);
        let listeners: Vec<_> =
            self.shared.state().listeners.values().map(|listener| listener.refuses.clone()).collect();
        for mut refuses in listeners {
            // A listener that failed accepts nothing either.
            let _ = refuses.wait_for(|refuses| *refuses == refuse).await;
        }
    }

    /// Where the proxy relays bytes, ends each new connection when its client got this many; `None` for no end.
    pub fn cut_after_bytes(&self, bytes: Option<u64>) {
        self.shared.state().answer_bytes = bytes;
    }

    /// Ends all connections and gives the ports back.
    pub async fn stop(self) {
        let listeners = std::mem::take(&mut self.shared.state().listeners);
        for mut listener in listeners.into_values() {
            listener.task.abort();
            // It ends with the error that it was aborted.
            let _ = (&mut listener.task).await;
        }
    }
}

impl Drop for WireProxy {
    fn drop(&mut self) {
        self.shared.state().listeners.clear();
    }
}

/// What the connections of a proxy share.
pub(crate) struct Shared {
    /// Whether the proxy relays bytes.
    pub(crate) opaque: bool,
    state: Mutex<State>,
    connections: AtomicU64,
    /// Whether connections are to be refused.
    pub(crate) refuse: watch::Sender<bool>,
    /// Changes when all connections are to end.
    pub(crate) cut: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    delay: Duration,
    answer_bytes: Option<u64>,
    script: Option<(Script, u64)>,
    counts: BTreeMap<i16, u64>,
    records: VecDeque<Record>,
    problems: VecDeque<String>,
    listeners: BTreeMap<SocketAddr, Listener>,
}

/// The port of the proxy that stands for one broker.
struct Listener {
    address: SocketAddr,
    refuses: watch::Receiver<bool>,
    task: JoinHandle<io::Result<()>>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    /// The proxy's own address for a broker, which gets a port if it has none yet.
    pub(crate) async fn address_for(self: &Arc<Self>, host: &str, port: u16) -> io::Result<SocketAddr> {
        let resolved: Vec<_> = lookup_host((host, port)).await?.collect();
        let broker = resolved.iter().find(|address| address.is_ipv4()).or(resolved.first());
        self.listen(*broker.ok_or(io::ErrorKind::NotFound)?)
    }

    /// The port for a broker, made if need be, that accepts or refuses as the proxy is to.
    fn listen(self: &Arc<Self>, broker: SocketAddr) -> io::Result<SocketAddr> {
        let mut state = self.state();
        if let Some(listener) = state.listeners.get(&broker) {
            return Ok(listener.address);
        }
        let socket = Port::bind(0)?;
        let address = socket.local_addr()?;
        let refuse = *self.refuse.borrow();
        let (applied, refuses) = watch::channel(refuse);
        let task = tokio::spawn(serve(Port::new(socket, refuse)?, broker, Arc::clone(self), applied));
        state.listeners.insert(broker, Listener { address, refuses, task });
        Ok(address)
    }

    /// The number of the connection that just came, from 1.
    pub(crate) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Counts the request.
    pub(crate) fn count(&self, request: &Request) {
        let mut state = self.state();
        *state.counts.entry(request.api_key as i16).or_default() += 1;
        push(&mut state.records, request.record());
    }

    /// Counts the request, and asks the script about it.
    pub(crate) fn decide(&self, request: &Request) -> Action {
        self.count(request);
        let mut state = self.state();
        match &mut state.script {
            Some((script, number)) => {
                *number += 1;
                script(request, *number)
            }
            None => Action::Forward,
        }
    }

    /// How much later answers come.
    pub(crate) fn delay(&self) -> Duration {
        self.state().delay
    }

    /// How many bytes a new connection may get.
    pub(crate) fn answer_bytes(&self) -> u64 {
        self.state().answer_bytes.unwrap_or(u64::MAX)
    }

    /// Keeps why a connection ended.
    pub(crate) fn note(&self, error: &io::Error) {
        push(&mut self.state().problems, error.to_string());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A script that panicked fails its test; the counts are as they were.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").field("opaque", &self.opaque).finish_non_exhaustive()
    }
}

/// Adds an item, in place of the oldest if there are enough.
fn push<T>(kept: &mut VecDeque<T>, item: T) {
    if kept.len() == KEPT {
        kept.pop_front();
    }
    kept.push_back(item);
}

//! The proxy against a broker of a few lines, byte by byte.

use std::{
    io,
    net::SocketAddr,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::{
    messages::{
        BrokerId, FindCoordinatorResponse, MetadataResponse, find_coordinator_response::Coordinator,
        metadata_response::MetadataResponseBroker,
    },
    protocol::{Decodable, Encodable, StrBytes},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::{Action, ApiKey, WireProxy};

/// Long enough for any answer on the loopback interface, on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);
/// Long enough that an answer which comes later was delayed on purpose.
const DELAY: Duration = Duration::from_millis(300);
/// How long silence is observed before it is believed.
const SILENCE: Duration = Duration::from_millis(100);

/// A broker that answers each request with its header's first eight bytes, or with a body of the test's choice.
struct FakeBroker {
    address: SocketAddr,
    served: Arc<AtomicU64>,
}

impl FakeBroker {
    async fn start(body: Option<Bytes>) -> Self {
        Self::start_with(|_| body).await
    }

    async fn start_with(body: impl FnOnce(SocketAddr) -> Option<Bytes>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let body = body(address);
        let served = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&served);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Self::serve(stream, body.clone(), Arc::clone(&counter)));
            }
        });
        Self { address, served }
    }

    async fn serve(mut stream: TcpStream, body: Option<Bytes>, served: Arc<AtomicU64>) -> io::Result<()> {
        loop {
            let length = stream.read_u32().await?;
            let mut request = vec![0; length as usize];
            stream.read_exact(&mut request).await?;
            served.fetch_add(1, Ordering::SeqCst);
            if request.starts_with(&[0, ApiKey::Produce as u8]) {
                continue;
            }
            let mut answer = BytesMut::new();
            answer.put_slice(&request[4..8]);
            answer.put_slice(body.as_deref().unwrap_or(&request[..8]));
            stream.write_u32(u32::try_from(answer.len()).unwrap()).await?;
            stream.write_all(&answer).await?;
        }
    }

    fn served(&self) -> u64 {
        self.served.load(Ordering::SeqCst)
    }
}

/// A client that writes frames and reads them.
struct Client(TcpStream);

impl Client {
    async fn connect(proxy: &WireProxy) -> Self {
        Self(TcpStream::connect(proxy.address()).await.unwrap())
    }

    /// Sends a request with a header of version 1 by the client `t`.
    async fn send(&mut self, key: ApiKey, version: i16, correlation_id: i32, body: &[u8]) {
        let mut frame = BytesMut::new();
        frame.put_i32(i32::try_from(11 + body.len()).unwrap());
        frame.put_i16(key as i16);
        frame.put_i16(version);
        frame.put_i32(correlation_id);
        frame.put_i16(1);
        frame.put_u8(b't');
        frame.put_slice(body);
        self.0.write_all(&frame).await.unwrap();
    }

    /// The next answer: its correlation id and what follows it.
    async fn receive(&mut self) -> io::Result<(i32, Bytes)> {
        timeout(DEADLINE, async {
            let length = self.0.read_u32().await?;
            let correlation_id = self.0.read_i32().await?;
            let mut body = vec![0; length as usize - 4];
            self.0.read_exact(&mut body).await?;
            Ok((correlation_id, body.into()))
        })
        .await?
    }

    async fn exchange(&mut self, key: ApiKey, version: i16, correlation_id: i32) -> io::Result<Bytes> {
        self.send(key, version, correlation_id, &[]).await;
        let (answered, body) = self.receive().await?;
        assert_eq!(answered, correlation_id);
        Ok(body)
    }
}

async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let waited = timeout(DEADLINE, async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

const HEARTBEAT: (ApiKey, i16) = (ApiKey::Heartbeat, 0);

async fn started(body: Option<Bytes>) -> (FakeBroker, WireProxy, Client) {
    let broker = FakeBroker::start(body).await;
    let proxy = WireProxy::start(broker.address).unwrap();
    let client = Client::connect(&proxy).await;
    (broker, proxy, client)
}

#[tokio::test]
async fn requests_are_forwarded_and_counted() {
    let (_broker, proxy, mut client) = started(None).await;
    let body = client.exchange(ApiKey::Heartbeat, 2, 7).await.unwrap();
    assert_eq!(&body[..], [0, 12, 0, 2, 0, 0, 0, 7]);
    client.exchange(ApiKey::ListGroups, 0, 8).await.unwrap();
    client.exchange(ApiKey::Heartbeat, 1, 9).await.unwrap();

    assert_eq!(proxy.requests(), [(ApiKey::Heartbeat, 2), (ApiKey::ListGroups, 1)]);
    assert_eq!((proxy.total(), proxy.count(ApiKey::Heartbeat), proxy.count(ApiKey::Fetch)), (3, 2, 0));
    let record = &proxy.records()[0];
    assert_eq!((record.api_key, record.api_version, record.connection), (ApiKey::Heartbeat, 2, 1));
    assert_eq!(record.client_id.as_deref(), Some("t"));
    proxy.reset_counts();
    assert_eq!((proxy.total(), proxy.records()), (0, vec![]));
    assert_eq!(proxy.problems(), Vec::<String>::new());
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_and_delayed_together() {
    let (_broker, proxy, mut client) = started(None).await;
    proxy.delay(DELAY);
    let sent = Instant::now();
    for number in 0..200 {
        client.send(ApiKey::Heartbeat, 0, number, &[]).await;
    }
    for number in 0..200 {
        assert_eq!(client.receive().await.unwrap().0, number);
        assert!(sent.elapsed() >= DELAY);
    }
    // 200 delays one after the other would take a minute; 32 may wait at once.
    assert!(sent.elapsed() < DELAY * 40, "{:?}", sent.elapsed());
}

#[tokio::test]
async fn many_connections_are_served_at_once() {
    let (broker, proxy, _client) = started(None).await;
    let mut clients = Vec::new();
    for _ in 0..50 {
        clients.push(Client::connect(&proxy).await);
    }
    for client in &mut clients {
        client.exchange(HEARTBEAT.0, HEARTBEAT.1, 1).await.unwrap();
    }
    assert_eq!((broker.served(), proxy.connections()), (50, 51));
}

#[tokio::test]
async fn after_a_dropped_request_the_connection_is_open_and_silent_and_others_are_served() {
    let (broker, proxy, mut client) = started(None).await;
    proxy.on_request(|request, _| if request.correlation_id == 2 { Action::Drop } else { Action::Forward });
    for number in 1..=3 {
        client.send(ApiKey::Heartbeat, 0, number, &[]).await;
    }
    assert_eq!(client.receive().await.unwrap().0, 1);
    assert!(timeout(SILENCE, client.receive()).await.is_err());
    Client::connect(&proxy).await.exchange(ApiKey::Heartbeat, 0, 4).await.unwrap();
    eventually("requests on the silent connection are counted", || proxy.total() == 4).await;
    assert_eq!(broker.served(), 2);
}

#[tokio::test]
async fn a_cut_before_ends_the_connection_and_the_broker_never_sees_the_request() {
    let (broker, proxy, mut client) = started(None).await;
    proxy.on_request(|_, number| if number == 3 { Action::CutBefore } else { Action::Forward });
    for number in 1..=4 {
        client.send(ApiKey::Heartbeat, 0, number, &[]).await;
    }
    assert_eq!(client.receive().await.unwrap().0, 1);
    assert_eq!(client.receive().await.unwrap().0, 2);
    client.receive().await.unwrap_err();
    assert_eq!((broker.served(), proxy.total()), (2, 3));

    let mut client = Client::connect(&proxy).await;
    client.exchange(ApiKey::Heartbeat, 0, 5).await.unwrap();
}

#[tokio::test]
async fn a_cut_after_ends_the_connection_when_the_broker_has_answered() {
    let (broker, proxy, mut client) = started(None).await;
    proxy.on_request(|request, _| if request.correlation_id == 2 { Action::CutAfter } else { Action::Forward });
    client.send(ApiKey::Heartbeat, 0, 1, &[]).await;
    client.send(ApiKey::Heartbeat, 0, 2, &[]).await;
    assert_eq!(client.receive().await.unwrap().0, 1);
    client.receive().await.unwrap_err();
    assert_eq!(broker.served(), 2);
}

#[tokio::test]
async fn a_script_answers_in_place_of_the_broker_with_the_header_of_the_version() {
    let (broker, proxy, mut client) = started(None).await;
    proxy.on_request(|request, _| match request.body.len() {
        0 => Action::Answer(Bytes::from_static(b"own")),
        _ => Action::AnswerRaw(Bytes::from_static(b"\0\0\0\x05\0\0\0\x09!")),
    });
    assert_eq!(&client.exchange(ApiKey::Heartbeat, 0, 1).await.unwrap()[..], b"own");
    client.send(ApiKey::Heartbeat, 0, 2, b"raw").await;
    assert_eq!(client.receive().await.unwrap(), (9, Bytes::from_static(b"!")));
    // Heartbeat 4 is flexible: its request's header has tagged fields, here none, and so has the answer's.
    client.send(ApiKey::Heartbeat, 4, 3, &[0]).await;
    assert_eq!(client.receive().await.unwrap(), (3, Bytes::from_static(b"\0own")));
    assert_eq!(broker.served(), 0);
}

#[tokio::test]
async fn a_script_rewrites_and_delays_answers() {
    let (_broker, proxy, mut client) = started(Some(Bytes::from_static(b"body"))).await;
    proxy.on_request(|_, number| match number {
        1 => Action::rewrite(|body| [&body[..], b"!"].concat().into()),
        _ => Action::Delay(DELAY),
    });
    assert_eq!(&client.exchange(ApiKey::Heartbeat, 0, 1).await.unwrap()[..], b"body!");
    let sent = Instant::now();
    client.exchange(ApiKey::Heartbeat, 0, 2).await.unwrap();
    assert!(sent.elapsed() >= DELAY);
    proxy.forward_all();
    assert_eq!(&client.exchange(ApiKey::Heartbeat, 0, 3).await.unwrap()[..], b"body");
}

#[tokio::test]
async fn a_script_kills_a_process_before_or_after_the_broker_saw_the_request() {
    for (after, served) in [(false, 0), (true, 1)] {
        let (broker, proxy, mut client) = started(None).await;
        let mut process = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
        let id = process.id();
        proxy.on_request(move |_, _| if after { Action::KillAfter(id) } else { Action::KillBefore(id) });
        client.send(ApiKey::Heartbeat, 0, 1, &[]).await;
        client.receive().await.unwrap_err();
        assert!(!process.wait().unwrap().success());
        assert_eq!(broker.served(), served);
    }
}

#[tokio::test]
async fn a_produce_without_acknowledgement_has_no_answer() {
    let (broker, _proxy, mut client) = started(None).await;
    // Version 3: no transactional id, no acknowledgements, a timeout, no topics.
    client.send(ApiKey::Produce, 3, 1, &[0xff, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]).await;
    client.exchange(ApiKey::Heartbeat, 0, 2).await.unwrap();
    assert_eq!(broker.served(), 2);
}

#[tokio::test]
async fn brokers_in_metadata_are_reached_through_the_proxy() {
    let other = FakeBroker::start(Some(Bytes::from_static(b"other"))).await;
    for version in [0, 8, 9, 13] {
        let answer = MetadataResponse::default().with_brokers(vec![
            MetadataResponseBroker::default()
                .with_node_id(BrokerId(2))
                .with_host(StrBytes::from_static_str("127.0.0.1"))
                .with_port(other.address.port().into()),
        ]);
        let mut body = BytesMut::new();
        if version >= 9 {
            body.put_u8(0);
        }
        answer.encode(&mut body, version).unwrap();
        let (_broker, proxy, mut client) = started(Some(body.freeze())).await;
        for correlation_id in 1..=2 {
            let request: &[u8] = if version >= 9 { &[0] } else { &[] };
            client.send(ApiKey::Metadata, version, correlation_id, request).await;
        }
        let (_, first) = client.receive().await.unwrap();
        let (_, second) = client.receive().await.unwrap();
        assert_eq!(first, second, "a broker keeps its port");
        let mut first = first.slice(usize::from(version >= 9)..);
        let answer = MetadataResponse::decode(&mut first, version).unwrap();
        let port = u16::try_from(answer.brokers[0].port).unwrap();
        assert!(![other.address.port(), proxy.address().port()].contains(&port));

        let mut client = Client(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        assert_eq!(&client.exchange(ApiKey::Heartbeat, 0, 1).await.unwrap()[..], b"other");
        assert_eq!(proxy.total(), 3);
    }
}

#[tokio::test]
async fn a_coordinator_on_the_first_broker_has_the_first_address_and_an_absent_one_stays_absent() {
    let broker = FakeBroker::start_with(|address| {
        let found =
            Coordinator::default().with_host(StrBytes::from_static_str("localhost")).with_port(address.port().into());
        let absent = Coordinator::default().with_port(-1);
        let mut body = BytesMut::from(&[0][..]);
        FindCoordinatorResponse::default().with_coordinators(vec![found, absent]).encode(&mut body, 4).unwrap();
        Some(body.freeze())
    })
    .await;
    let proxy = WireProxy::start(broker.address).unwrap();
    let mut client = Client::connect(&proxy).await;
    client.send(ApiKey::FindCoordinator, 4, 1, &[0]).await;
    let (_, body) = client.receive().await.unwrap();
    let answer = FindCoordinatorResponse::decode(&mut body.slice(1..), 4).unwrap();
    let addresses: Vec<_> = answer.coordinators.iter().map(|found| (found.host.as_str(), found.port)).collect();
    assert_eq!(addresses, [("127.0.0.1", proxy.address().port().into()), ("", -1)]);
}

#[tokio::test]
async fn refused_connections_are_refused_by_the_kernel_and_open_ones_stay() {
    let (_broker, proxy, mut client) = started(None).await;
    for _ in 0..3 {
        proxy.refuse_connections(true).await;
        let refused = TcpStream::connect(proxy.address()).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        client.exchange(ApiKey::Heartbeat, 0, 1).await.unwrap();
        proxy.refuse_connections(false).await;
        Client::connect(&proxy).await.exchange(ApiKey::Heartbeat, 0, 1).await.unwrap();
    }
}

#[tokio::test]
async fn cut_connections_end_and_new_ones_are_served() {
    let (_broker, proxy, mut client) = started(None).await;
    client.exchange(ApiKey::Heartbeat, 0, 1).await.unwrap();
    proxy.cut_connections();
    client.receive().await.unwrap_err();
    Client::connect(&proxy).await.exchange(ApiKey::Heartbeat, 0, 1).await.unwrap();
}

#[tokio::test]
async fn the_end_of_one_side_is_the_end_of_the_other() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = WireProxy::start(listener.local_addr().unwrap()).unwrap();

    let mut client = Client::connect(&proxy).await;
    let (broker, _) = listener.accept().await.unwrap();
    drop(broker);
    client.receive().await.unwrap_err();

    let client = Client::connect(&proxy).await;
    let (mut broker, _) = listener.accept().await.unwrap();
    drop(client);
    assert_eq!(timeout(DEADLINE, broker.read(&mut [0])).await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn a_frame_that_cannot_be_read_ends_the_connection_and_is_noted() {
    let (_broker, proxy, mut client) = started(None).await;
    client.0.write_all(&[0x7f, 0xff, 0xff, 0xff]).await.unwrap();
    client.receive().await.unwrap_err();
    eventually("the problem is noted", || proxy.problems().iter().any(|problem| problem.contains("frame longer")))
        .await;
}

#[tokio::test]
async fn a_stopped_proxy_frees_its_port_and_a_dropped_one_ends_its_connections() {
    let (_broker, proxy, _client) = started(None).await;
    let address = proxy.address();
    proxy.stop().await;
    assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);

    let (_broker, proxy, mut client) = started(None).await;
    drop(proxy);
    client.receive().await.unwrap_err();
}

#[tokio::test]
async fn opaque_bytes_are_relayed_delayed_and_cut() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = WireProxy::start_opaque(listener.local_addr().unwrap()).unwrap();
    proxy.delay(DELAY);
    let mut client = Client::connect(&proxy).await.0;
    let (mut broker, _) = listener.accept().await.unwrap();
    client.write_all(b"hello").await.unwrap();
    let mut heard = [0; 5];
    broker.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"hello");
    let sent = Instant::now();
    broker.write_all(b"world").await.unwrap();
    client.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"world");
    assert!(sent.elapsed() >= DELAY);

    proxy.cut_after_bytes(Some(3));
    let mut client = Client::connect(&proxy).await.0;
    let (mut broker, _) = listener.accept().await.unwrap();
    broker.write_all(b"world").await.unwrap();
    let mut heard = Vec::new();
    timeout(DEADLINE, client.read_to_end(&mut heard)).await.unwrap().unwrap();
    assert_eq!(heard, b"wor");
    assert_eq!(proxy.total(), 0);
}

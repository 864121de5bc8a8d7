//! What the client on the wire does when brokers misbehave: scripted brokers on loopback, byte by byte.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::{
    messages::{
        AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse, ApiKey, ApiVersionsResponse, BrokerId,
        ConsumerGroupDescribeResponse, CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest,
        DeleteTopicsResponse, DescribeConfigsRequest, DescribeConfigsResponse, DescribeGroupsRequest,
        DescribeGroupsResponse, DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse,
        FetchResponse, FindCoordinatorRequest, FindCoordinatorResponse, GroupId, ListOffsetsResponse, MetadataRequest,
        MetadataResponse, TopicName as WireTopicName,
        alter_user_scram_credentials_request::ScramCredentialUpsertion,
        alter_user_scram_credentials_response::AlterUserScramCredentialsResult,
        api_versions_response::ApiVersion,
        consumer_group_describe_response::{DescribedGroup as NewGroup, Member},
        create_topics_response::CreatableTopicResult,
        delete_topics_response::DeletableTopicResult,
        describe_configs_response::DescribeConfigsResult,
        describe_groups_response::{DescribedGroup, DescribedGroupMember},
        describe_user_scram_credentials_request::UserName,
        describe_user_scram_credentials_response::{CredentialInfo, DescribeUserScramCredentialsResult},
        fetch_response::{FetchableTopicResponse, PartitionData},
        find_coordinator_response::Coordinator,
        list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse},
        metadata_response::{MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic},
    },
    protocol::{Decodable, Encodable, StrBytes, decode_request_header_from_buffer},
};
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use terraform_provider_kafka::{
    clients::kafka::{
        ConnectProblem, ConsumerGroup, GroupMember, HostPort, Kafka, KafkaError, KafkaSettings, NewScramCredential,
        ScramMechanism, Secret, Tls, connect,
    },
    governance::topic::{TopicName, TopicSpec},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// A request that a broker got.
#[derive(Clone, Debug)]
struct Asked {
    key: ApiKey,
    version: i16,
    body: Bytes,
    /// How many requests of this kind came before.
    earlier: usize,
    /// The broker itself.
    port: u16,
    at: Instant,
}

impl Asked {
    fn decoded<T: Decodable>(&self) -> T {
        T::decode(&mut self.body.clone(), self.version).unwrap()
    }

    fn answer<T: Encodable>(&self, answer: &T) -> Reply {
        let mut body = BytesMut::new();
        answer.encode(&mut body, self.version).unwrap();
        Reply::Answer(body.freeze())
    }
}

enum Reply {
    Answer(Bytes),
    Raw(&'static [u8]),
    Close,
    Nothing,
}

struct FakeBroker {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl FakeBroker {
    async fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (script, all) = (Arc::new(script), asked.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, port, script.clone(), all.clone()));
            }
        });
        Self { port, asked }
    }

    /// A broker that speaks TLS, and asks for a certificate of the same authority if it is `strict`.
    async fn start_tls(authority: &Authority, host: &str, strict: bool) -> Self {
        let (chain, key) = authority.issue(host);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder =
            ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
        let builder = if strict {
            let mut roots = RootCertStore::empty();
            roots.add(authority.certificate.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let chain = vec![CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let all = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, all) = (acceptor.clone(), all.clone());
                tokio::spawn(
                    async move { serve(acceptor.accept(stream).await.ok()?, port, Arc::new(usual), all).await },
                );
            }
        });
        Self { port, asked }
    }

    fn asked(&self, key: ApiKey) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().filter(|it| it.key == key).cloned().collect()
    }

    fn client(&self) -> Arc<dyn Kafka> {
        client(self.port, Duration::from_secs(10))
    }
}

fn client(port: u16, request_timeout: Duration) -> Arc<dyn Kafka> {
    let bootstrap_servers = vec![HostPort { host: "127.0.0.1".to_owned(), port }];
    connect(KafkaSettings { bootstrap_servers, tls: None, sasl: None, request_timeout, principal: None })
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64_STANDARD.encode(der))
}

/// Who signs certificates.
struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    fn issue(&self, host: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (pem("CERTIFICATE", certificate.der()), pem("PRIVATE KEY", &key.serialize_der()))
    }

    fn trusted(&self) -> Tls {
        Tls { ca: Some(pem("CERTIFICATE", self.certificate.der())), ..Tls::default() }
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    port: u16,
    script: Arc<impl Fn(&Asked) -> Reply>,
    all: Arc<Mutex<Vec<Asked>>>,
) -> Option<()> {
    loop {
        // As brokers do with what is no request, such as the first bytes of TLS.
        let length = usize::try_from(stream.read_i32().await.ok()?).ok().filter(|it| *it < 1 << 20)?;
        let mut frame = vec![0; length];
        stream.read_exact(&mut frame).await.ok()?;
        let mut body = Bytes::from(frame);
        let header = decode_request_header_from_buffer(&mut body).unwrap();
        let key = ApiKey::try_from(header.request_api_key).unwrap();
        let version = header.request_api_version;
        let asked = {
            let mut all = all.lock().unwrap();
            let earlier = all.iter().filter(|it: &&Asked| it.key == key).count();
            all.push(Asked { key, version, body, earlier, port, at: Instant::now() });
            all.last().unwrap().clone()
        };
        match script(&asked) {
            Reply::Nothing => {}
            Reply::Close => return None,
            Reply::Raw(bytes) => stream.write_all(bytes).await.ok()?,
            Reply::Answer(body) => {
                let mut frame = BytesMut::new();
                frame.put_i32(header.correlation_id);
                if 1 <= key.response_header_version(version) {
                    frame.put_u8(0);
                }
                frame.extend_from_slice(&body);
                stream.write_i32(i32::try_from(frame.len()).unwrap()).await.ok()?;
                stream.write_all(&frame).await.ok()?;
            }
        }
    }
}

/// A broker of Kafka 4 with all topics that are asked for, of three partitions each, but for `log` with one and those named `absent…`.
fn usual(asked: &Asked) -> Reply {
    match asked.key {
        ApiKey::ApiVersions => asked.answer(&versions(7)),
        ApiKey::Metadata => asked.answer(&metadata(asked, &[asked.port])),
        ApiKey::DescribeConfigs => asked.answer(&configs(asked)),
        ApiKey::CreateTopics => asked.answer(&created(asked, 0)),
        ApiKey::ListOffsets => asked.answer(&end_offsets(0)),
        ApiKey::FindCoordinator => asked.answer(&coordinator(asked, 1, asked.port)),
        ApiKey::DescribeGroups => asked.answer(&classic_group(asked, 0)),
        key => panic!("not scripted: {key:?}"),
    }
}

fn versions(create_topics: i16) -> ApiVersionsResponse {
    let known = [
        (ApiKey::ApiVersions, 3),
        (ApiKey::Metadata, 12),
        (ApiKey::DescribeConfigs, 4),
        (ApiKey::CreateTopics, create_topics),
        (ApiKey::ListOffsets, 7),
        (ApiKey::Fetch, 12),
        (ApiKey::FindCoordinator, 6),
        (ApiKey::DescribeGroups, 6),
        (ApiKey::ConsumerGroupDescribe, 1),
    ];
    let version = |(key, max): (ApiKey, i16)| {
        ApiVersion::default().with_api_key(key as i16).with_min_version(0).with_max_version(max)
    };
    ApiVersionsResponse::default().with_api_keys(known.into_iter().map(version).collect())
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Brokers are numbered from 1; the last is the controller.
fn metadata(asked: &Asked, ports: &[u16]) -> MetadataResponse {
    let brokers = ports.iter().zip(1..).map(|(port, id)| {
        let broker = MetadataResponseBroker::default().with_node_id(BrokerId(id)).with_host(text("127.0.0.1"));
        broker.with_port((*port).into()).with_rack(None)
    });
    let partition = |index| {
        let partition = MetadataResponsePartition::default().with_partition_index(index).with_leader_id(BrokerId(1));
        partition.with_replica_nodes(vec![BrokerId(1)]).with_isr_nodes(vec![BrokerId(1)])
    };
    let topics = asked.decoded::<MetadataRequest>().topics.unwrap_or_default();
    let topics = topics.into_iter().map(|it| {
        let topic = MetadataResponseTopic::default().with_name(it.name.clone());
        match it.name.unwrap().as_str() {
            name if name.starts_with("absent") => topic.with_error_code(3),
            name if name.starts_with("hidden") => topic.with_error_code(29),
            "log" => topic.with_partitions(vec![partition(0)]),
            _ => topic.with_partitions((0..3).map(partition).collect()),
        }
    });
    MetadataResponse::default()
        .with_cluster_id(Some(text("cluster")))
        .with_controller_id(BrokerId(i32::try_from(ports.len()).unwrap()))
        .with_brokers(brokers.collect())
        .with_topics(topics.collect())
}

fn configs(asked: &Asked) -> DescribeConfigsResponse {
    let results = asked.decoded::<DescribeConfigsRequest>().resources.into_iter().map(|it| {
        let result = DescribeConfigsResult::default().with_resource_type(2).with_resource_name(it.resource_name);
        result.with_error_message(None)
    });
    DescribeConfigsResponse::default().with_results(results.collect())
}

fn created(asked: &Asked, code: i16) -> CreateTopicsResponse {
    let topics = asked.decoded::<CreateTopicsRequest>().topics.into_iter().map(|it| {
        let result = CreatableTopicResult::default().with_name(it.name).with_error_code(code).with_error_message(None);
        if asked.version < 5 {
            return result;
        }
        result.with_num_partitions(it.num_partitions).with_replication_factor(1).with_configs(Some(Vec::new()))
    });
    CreateTopicsResponse::default().with_topics(topics.collect())
}

fn end_offsets(offset: i64) -> ListOffsetsResponse {
    let partition = |index| ListOffsetsPartitionResponse::default().with_partition_index(index).with_offset(offset);
    let topic = ListOffsetsTopicResponse::default().with_name(WireTopicName(text("a")));
    ListOffsetsResponse::default().with_topics(vec![topic.with_partitions((0..3).map(partition).collect())])
}

/// The coordinator of the group that is asked for.
fn coordinator(asked: &Asked, id: i32, port: u16) -> FindCoordinatorResponse {
    let request = asked.decoded::<FindCoordinatorRequest>();
    assert_eq!(request.key_type, 0);
    if asked.version < 4 {
        assert_eq!(request.key.as_str(), "g");
        let answer = FindCoordinatorResponse::default().with_node_id(BrokerId(id)).with_host(text("127.0.0.1"));
        return answer.with_port(port.into());
    }
    let found = Coordinator::default().with_key(request.coordinator_keys[0].clone()).with_node_id(BrokerId(id));
    let found = found.with_host(text("127.0.0.1")).with_port(port.into());
    FindCoordinatorResponse::default().with_coordinators(vec![found])
}

fn no_coordinator(asked: &Asked, code: i16) -> FindCoordinatorResponse {
    let key = asked.decoded::<FindCoordinatorRequest>().coordinator_keys[0].clone();
    let nowhere = Coordinator::default().with_key(key).with_node_id(BrokerId(-1)).with_port(-1).with_error_code(code);
    FindCoordinatorResponse::default().with_coordinators(vec![nowhere])
}

/// A group with two members, or one of which only a code is told.
fn classic_group(asked: &Asked, code: i16) -> DescribeGroupsResponse {
    let group = asked.decoded::<DescribeGroupsRequest>().groups[0].clone();
    let described = DescribedGroup::default().with_group_id(group).with_error_code(code);
    let member =
        |id: &str| DescribedGroupMember::default().with_client_id(text(id)).with_client_host(text("/10.0.0.1"));
    let described = match code {
        0 => described.with_group_state(text("Stable")).with_members(vec![member("b"), member("a")]),
        _ => described,
    };
    DescribeGroupsResponse::default().with_groups(vec![described])
}

/// A group of the new protocol.
fn new_group(code: i16) -> ConsumerGroupDescribeResponse {
    let member = Member::default().with_client_id(text("c")).with_client_host(text("/10.0.0.2"));
    let described = NewGroup::default().with_group_id(GroupId(text("g"))).with_error_code(code);
    let described = match code {
        0 => described.with_group_state(text("Reconciling")).with_members(vec![member]),
        _ => described,
    };
    ConsumerGroupDescribeResponse::default().with_groups(vec![described])
}

/// What the client should make of the group with two members.
fn stable_group(coordinator: i32) -> ConsumerGroup {
    let member = |id: &str| GroupMember { client_id: id.to_owned(), host: "10.0.0.1".to_owned() };
    ConsumerGroup {
        id: "g".to_owned(),
        state: "Stable".to_owned(),
        coordinator,
        members: vec![member("a"), member("b")],
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn name(name: &str) -> TopicName {
    name.parse().unwrap()
}

fn spec(topic: &str, partitions: i32) -> TopicSpec {
    let config = BTreeMap::new();
    TopicSpec { name: name(topic), partitions: Some(partitions), replication_factor: Some(1), config }
}

async fn malformed(reply: &'static [u8]) -> String {
    let broker = FakeBroker::start(move |_| Reply::Raw(reply)).await;
    match broker.client().cluster(soon()).await {
        Err(KafkaError::Malformed { what, .. }) => what,
        res => panic!("not malformed: {res:?}"),
    }
}

#[tokio::test]
async fn a_port_that_speaks_another_protocol_is_malformed() {
    assert_eq!(malformed(b"HTTP/1.1 400 Bad Request\r\n\r\n").await, "it begins with `HTTP`");
    // A frame that answers the right request with nonsense.
    malformed(&[0, 0, 0, 10, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).await;
    // A frame that answers another request.
    assert_eq!(malformed(&[0, 0, 0, 4, 0, 0, 0, 9]).await, "an answer to another request");
}

#[tokio::test]
async fn an_announced_frame_of_two_gigabytes_is_malformed_and_not_awaited() {
    assert_eq!(malformed(&[0x7f, 0xff, 0xff, 0xff]).await, "it announces a frame of 2147483647 bytes");
    assert_eq!(malformed(&[0xff, 0xff, 0xff, 0xff]).await, "it announces a frame of -1 bytes");
}

#[tokio::test]
async fn garbage_after_a_good_start_is_malformed_for_the_caller_and_forgotten_by_the_next() {
    let broker = FakeBroker::start(|asked| match (asked.key, asked.earlier) {
        (ApiKey::Metadata, 0) => Reply::Raw(&[0, 0, 0, 6, 0, 0, 0, 2, 0xff, 0xff]),
        _ => usual(asked),
    });
    let kafka = broker.await.client();
    assert!(matches!(kafka.cluster(soon()).await, Err(KafkaError::Malformed { .. })));
    assert_eq!(kafka.cluster(soon()).await.unwrap().id, "cluster");
}

#[tokio::test]
async fn a_tls_alert_says_that_the_port_speaks_tls() {
    let broker = FakeBroker::start(|_| Reply::Raw(&[0x15, 3, 3, 0, 2, 2, 80])).await;
    let res = broker.client().cluster(soon()).await;
    assert!(matches!(res, Err(KafkaError::Connect { problem: ConnectProblem::PlaintextToTls, .. })), "{res:?}");
}

/// How a connection fails; `None` if it does not.
async fn problem(broker: &FakeBroker, tls: Option<Tls>) -> Option<ConnectProblem> {
    let bootstrap_servers = vec![HostPort { host: "127.0.0.1".to_owned(), port: broker.port }];
    let request_timeout = Duration::from_secs(10);
    match connect(KafkaSettings { bootstrap_servers, tls, sasl: None, request_timeout, principal: None })
        .cluster(soon())
        .await
    {
        // The broker says in its metadata that it is where it is.
        Ok(_) => None,
        Err(KafkaError::Connect { problem, .. }) => Some(problem),
        Err(error) => panic!("not a problem of connecting: {error}"),
    }
}

#[tokio::test]
async fn each_failure_of_tls_has_its_name() {
    use ConnectProblem as P;
    let (authority, other) = (Authority::new(), Authority::new());
    let broker = FakeBroker::start_tls(&authority, "127.0.0.1", false).await;
    assert_eq!(problem(&broker, Some(authority.trusted())).await, None);
    assert_eq!(problem(&broker, Some(Tls { insecure: true, ..Tls::default() })).await, None);
    assert_eq!(problem(&broker, Some(other.trusted())).await, Some(P::UnknownAuthority));
    assert_eq!(problem(&broker, None).await, Some(P::PlaintextToTls));

    let renamed = FakeBroker::start_tls(&authority, "kafka.example.org", false).await;
    let found = problem(&renamed, Some(authority.trusted())).await;
    assert!(matches!(found, Some(P::Certificate(_))), "{found:?}");

    let strict = FakeBroker::start_tls(&authority, "127.0.0.1", true).await;
    let with = |(chain, key): (String, String)| Tls { client: Some((chain, Secret::new(key))), ..authority.trusted() };
    assert_eq!(problem(&strict, Some(with(authority.issue("client")))).await, None);
    for tls in [authority.trusted(), with(other.issue("client"))] {
        let found = problem(&strict, Some(tls)).await;
        assert!(matches!(found, Some(P::ClientCertificate(_))), "{found:?}");
    }

    let plain = FakeBroker::start(usual).await;
    assert_eq!(problem(&plain, Some(authority.trusted())).await, Some(P::TlsToPlaintext));
}

#[tokio::test]
async fn certificates_and_keys_that_cannot_be_used_are_told_before_anything_is_sent() {
    let authority = Authority::new();
    let broker = FakeBroker::start_tls(&authority, "127.0.0.1", false).await;
    let ((chain, key), (_, other_key)) = (authority.issue("a"), authority.issue("b"));
    let with =
        |chain: &str, key: &str| Tls { client: Some((chain.to_owned(), Secret::new(key))), ..authority.trusted() };
    for tls in [
        Tls { ca: Some("not PEM".to_owned()), ..Tls::default() },
        with("not PEM", &key),
        with(&chain, "not PEM"),
        with(&chain, &other_key),
    ] {
        let found = problem(&broker, Some(tls)).await;
        assert!(matches!(found, Some(ConnectProblem::Material(_))), "{found:?}");
    }
    assert!(broker.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_read_whose_answer_was_cut_off_is_asked_again() {
    let broker = FakeBroker::start(|asked| match (asked.key, asked.earlier) {
        (ApiKey::Metadata, 0 | 1) => Reply::Close,
        _ => usual(asked),
    });
    let broker = broker.await;
    assert_eq!(broker.client().cluster(soon()).await.unwrap().id, "cluster");
    assert_eq!(broker.asked(ApiKey::Metadata).len(), 3);
}

/// A broker on which the topics that are to be deleted are gone already, and which knows this version of the request.
async fn broker_without_topics(delete_topics: i16) -> FakeBroker {
    FakeBroker::start(move |asked| match asked.key {
        ApiKey::ApiVersions => {
            let mut known = versions(7);
            let version = ApiVersion::default().with_api_key(ApiKey::DeleteTopics as i16);
            known.api_keys.push(version.with_min_version(1).with_max_version(delete_topics));
            asked.answer(&known)
        }
        ApiKey::DeleteTopics => {
            let request = asked.decoded::<DeleteTopicsRequest>();
            let result = |name| DeletableTopicResult::default().with_name(name).with_error_message(None);
            let named = request.topic_names.into_iter().map(|it| result(Some(it)).with_error_code(3));
            let topics = request.topics.into_iter().map(|it| {
                let code = if it.name.is_some() { 3 } else { 100 };
                result(it.name).with_topic_id(it.topic_id).with_error_code(code)
            });
            asked.answer(&DeleteTopicsResponse::default().with_responses(named.chain(topics).collect()))
        }
        _ => usual(asked),
    })
    .await
}

#[tokio::test]
async fn topics_are_deleted_by_id_and_by_name_in_one_request_and_by_name_on_older_brokers() {
    let id = "AAAAAAAAAAAAAAAAAAAAAQ";
    for version in [5, 6] {
        let broker = broker_without_topics(version).await;
        let kafka = broker.client();
        let (by_id, by_name) = (name("absent.a"), name("absent.b"));
        let both =
            tokio::join!(kafka.delete_topic(&by_id, Some(id), soon()), kafka.delete_topic(&by_name, None, soon()));
        assert_eq!(both, (Ok(()), Ok(())), "version {version}");
        let requests = broker.asked(ApiKey::DeleteTopics);
        assert_eq!(requests.len(), 1, "version {version}");
        let request = requests[0].decoded::<DeleteTopicsRequest>();
        if version < 6 {
            assert_eq!(request.topic_names.len(), 2);
            continue;
        }
        let asked = request.topics.iter().map(|it| (it.name.as_ref().map(|it| it.as_str()), it.topic_id.as_u128()));
        assert_eq!(asked.collect::<Vec<_>>(), [(None, 1), (Some("absent.b"), 0)]);
    }
}

#[tokio::test]
async fn an_id_that_is_none_deletes_nothing() {
    let broker = broker_without_topics(6).await;
    for id in ["", "short", "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA=="] {
        let res = broker.client().delete_topic(&name("absent.a"), Some(id), soon()).await;
        assert!(matches!(res, Err(KafkaError::Unsupported(_))), "{res:?}");
    }
    assert!(broker.asked(ApiKey::DeleteTopics).is_empty());
}

#[tokio::test]
async fn a_broker_that_does_not_know_the_clusters_id_yet_is_asked_again() {
    let broker = FakeBroker::start(|asked| match (asked.key, asked.earlier) {
        (ApiKey::Metadata, 0) => asked.answer(&metadata(asked, &[asked.port]).with_cluster_id(None)),
        (ApiKey::Metadata, 1) => asked.answer(&metadata(asked, &[asked.port]).with_cluster_id(Some(text("")))),
        _ => usual(asked),
    });
    let broker = broker.await;
    assert_eq!(broker.client().cluster(soon()).await.unwrap().id, "cluster");
    assert_eq!(broker.asked(ApiKey::Metadata).len(), 3);
}

/// The first creation is carried out without an answer, the second finds the topic.
async fn creation_with_a_lost_answer(partitions: i32, end_offset: i64) -> Result<i32, KafkaError> {
    let broker = FakeBroker::start(move |asked| match (asked.key, asked.earlier) {
        (ApiKey::CreateTopics, 0) => Reply::Close,
        (ApiKey::CreateTopics, _) => asked.answer(&created(asked, 36)),
        (ApiKey::ListOffsets, _) => asked.answer(&end_offsets(end_offset)),
        _ => usual(asked),
    });
    Ok(broker.await.client().create_topic(&spec("a", partitions), soon()).await?.partitions)
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_settled_by_reading_back() {
    let exists = || Err(KafkaError::TopicExists("a".to_owned()));
    assert_eq!(creation_with_a_lost_answer(3, 0).await, Ok(3));
    // Somebody wrote to it already, or it has another shape: it is somebody else's.
    assert_eq!(creation_with_a_lost_answer(3, 1).await, exists());
    assert_eq!(creation_with_a_lost_answer(4, 0).await, exists());
}

#[tokio::test]
async fn a_topic_that_exists_when_no_answer_was_lost_is_an_error() {
    let broker = FakeBroker::start(|asked| match asked.key {
        ApiKey::CreateTopics => asked.answer(&created(asked, 36)),
        _ => usual(asked),
    });
    let res = broker.await.client().create_topic(&spec("a", 3), soon()).await;
    assert_eq!(res, Err(KafkaError::TopicExists("a".to_owned())));
}

#[tokio::test]
async fn a_broker_that_does_not_answer_is_waited_for_until_the_deadline() {
    let broker = FakeBroker::start(|asked| match asked.key {
        ApiKey::Metadata => Reply::Nothing,
        _ => usual(asked),
    });
    let kafka = broker.await.client();
    let begin = Instant::now();
    let res = kafka.cluster(begin + Duration::from_millis(300)).await;
    assert_eq!(res, Err(KafkaError::Deadline("reading the cluster".to_owned())));
    assert!((250..2_000).contains(&begin.elapsed().as_millis()), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_broker_that_is_silent_for_too_long_is_asked_again_on_a_new_connection() {
    let broker = FakeBroker::start(|asked| match (asked.key, asked.earlier) {
        (ApiKey::Metadata, 0) => Reply::Nothing,
        _ => usual(asked),
    });
    let broker = broker.await;
    let kafka = client(broker.port, Duration::from_millis(200));
    assert_eq!(kafka.cluster(soon()).await.unwrap().id, "cluster");
    assert_eq!(broker.asked(ApiKey::ApiVersions).len(), 2);
}

#[tokio::test]
async fn a_throttled_client_leaves_the_broker_alone() {
    let broker = FakeBroker::start(|asked| match asked.key {
        ApiKey::Metadata => asked.answer(&metadata(asked, &[asked.port]).with_throttle_time_ms(300)),
        _ => usual(asked),
    });
    let broker = broker.await;
    let kafka = broker.client();
    kafka.cluster(soon()).await.unwrap();
    kafka.cluster(soon()).await.unwrap();
    let asked = broker.asked(ApiKey::Metadata);
    let pause = asked[1].at - asked[0].at;
    assert!(Duration::from_millis(300) <= pause, "{pause:?}");
    // Nor does a caller wait who has no time for it.
    let error = kafka.cluster(Instant::now() + Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, KafkaError::Deadline(_)), "{error:?}");
    assert!(error.to_string().ends_with("(the brokers throttle the caller, whom a client quota limits)"), "{error}");
}

/// Brokers answer a throttled fetch empty and at once.
#[tokio::test]
async fn a_throttled_fetch_is_asked_again() {
    let broker = FakeBroker::start(|asked| match asked.key {
        ApiKey::Fetch if asked.earlier == 0 => asked.answer(&FetchResponse::default().with_throttle_time_ms(100)),
        ApiKey::Fetch => {
            let partition = PartitionData::default().with_high_watermark(7).with_last_stable_offset(7);
            let topic = FetchableTopicResponse::default().with_topic(WireTopicName(text("log")));
            asked.answer(&FetchResponse::default().with_responses(vec![topic.with_partitions(vec![partition])]))
        }
        _ => usual(asked),
    });
    let broker = broker.await;
    let read = broker.client().read_log(&name("log"), 7, soon()).await.unwrap();
    assert_eq!((read.end, broker.asked(ApiKey::Fetch).len()), (7, 2));
}

/// Whoever is out of time for that learns why.
#[tokio::test]
async fn a_fetch_that_is_throttled_for_too_long_says_so() {
    let broker = FakeBroker::start(|asked| match asked.key {
        ApiKey::Fetch => asked.answer(&FetchResponse::default().with_throttle_time_ms(60_000)),
        _ => usual(asked),
    });
    let broker = broker.await;
    let error = broker.client().read_log(&name("log"), 7, Instant::now() + Duration::from_secs(1)).await.unwrap_err();
    let expected = "the time was up while reading the records of topic `log` (the brokers throttle the caller, whom a client \
                    quota limits)";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_moved_controller_is_found() {
    let controller = FakeBroker::start(usual).await;
    let controller_port = controller.port;
    let broker = FakeBroker::start(move |asked| match (asked.key, asked.earlier) {
        (ApiKey::CreateTopics, _) => asked.answer(&created(asked, 41)),
        (ApiKey::Metadata, 1..) => asked.answer(&metadata(asked, &[asked.port, controller_port])),
        _ => usual(asked),
    });
    let broker = broker.await;
    assert_eq!(broker.client().create_topic(&spec("a", 3), soon()).await.unwrap().partitions, 3);
    assert_eq!(broker.asked(ApiKey::CreateTopics).len(), 1);
    assert_eq!(controller.asked(ApiKey::CreateTopics).len(), 1);
}

#[tokio::test]
async fn a_moved_coordinator_is_found() {
    let moved = FakeBroker::start(usual).await;
    let moved_port = moved.port;
    let broker = FakeBroker::start(move |asked| match (asked.key, asked.earlier) {
        (ApiKey::DescribeGroups, _) => asked.answer(&classic_group(asked, 16)),
        (ApiKey::FindCoordinator, 1..) => asked.answer(&coordinator(asked, 2, moved_port)),
        _ => usual(asked),
    });
    let broker = broker.await;
    let kafka = broker.client();
    assert_eq!(kafka.consumer_group("g", soon()).await, Ok(Some(stable_group(2))));
    // The new one is remembered, and is known although no metadata named it.
    assert_eq!(kafka.consumer_group("g", soon()).await, Ok(Some(stable_group(2))));
    assert_eq!(broker.asked(ApiKey::FindCoordinator).len(), 2);
    assert_eq!((broker.asked(ApiKey::DescribeGroups).len(), moved.asked(ApiKey::DescribeGroups).len()), (1, 2));
}

#[tokio::test]
async fn a_coordinator_that_is_not_there_loads_or_hangs_up_is_looked_for_again() {
    let broker = FakeBroker::start(|asked| match (asked.key, asked.earlier) {
        (ApiKey::FindCoordinator, 0) => asked.answer(&no_coordinator(asked, 15)),
        (ApiKey::DescribeGroups, 0) => asked.answer(&classic_group(asked, 14)),
        (ApiKey::DescribeGroups, 1) => Reply::Close,
        _ => usual(asked),
    });
    let broker = broker.await;
    assert_eq!(broker.client().consumer_group("g", soon()).await, Ok(Some(stable_group(1))));
    assert_eq!(broker.asked(ApiKey::FindCoordinator).len(), 4);
}

/// A group that is none of the classic protocol's, with the code that the new protocol's description has.
async fn group_of_the_new_protocol(code: i16) -> Result<Option<ConsumerGroup>, KafkaError> {
    let broker = FakeBroker::start(move |asked| match asked.key {
        ApiKey::DescribeGroups => asked.answer(&classic_group(asked, 69)),
        ApiKey::ConsumerGroupDescribe => asked.answer(&new_group(code)),
        _ => usual(asked),
    });
    broker.await.client().consumer_group("g", soon()).await
}

#[tokio::test]
async fn a_group_is_absent_only_when_it_is_of_neither_protocol() {
    let found = group_of_the_new_protocol(0).await.unwrap().unwrap();
    assert_eq!((found.state.as_str(), found.members[0].client_id.as_str()), ("Reconciling", "c"));
    assert_eq!(group_of_the_new_protocol(69).await, Ok(None));
    // The new protocol is switched off.
    assert_eq!(group_of_the_new_protocol(35).await, Ok(None));
    let denied = |resource: &str| {
        Err(KafkaError::Denied { operation: "DESCRIBE", resource: resource.to_owned(), principal: None })
    };
    assert_eq!(group_of_the_new_protocol(30).await, denied("group `g`"));
    assert_eq!(group_of_the_new_protocol(29).await, denied("the topics of group `g`"));
}

#[tokio::test]
async fn a_group_that_may_not_be_described_is_denied_and_not_absent() {
    let at_search = FakeBroker::start(|asked| match asked.key {
        ApiKey::FindCoordinator => asked.answer(&no_coordinator(asked, 30)),
        _ => usual(asked),
    });
    let at_description = FakeBroker::start(|asked| match asked.key {
        ApiKey::DescribeGroups => asked.answer(&classic_group(asked, 30)),
        _ => usual(asked),
    });
    for broker in [at_search.await, at_description.await] {
        let res = broker.client().consumer_group("g", soon()).await;
        assert_eq!(
            res,
            Err(KafkaError::Denied { operation: "DESCRIBE", resource: "group `g`".to_owned(), principal: None })
        );
    }
}

#[tokio::test]
async fn an_older_broker_is_asked_for_one_coordinator_and_calls_an_absent_group_dead() {
    let broker = FakeBroker::start(|asked| match (asked.key, asked.earlier) {
        (ApiKey::ApiVersions, _) => {
            let mut known = versions(3);
            known.api_keys.retain(|it| it.api_key != ApiKey::ConsumerGroupDescribe as i16);
            for it in known.api_keys.iter_mut().filter(|it| it.api_key == ApiKey::FindCoordinator as i16) {
                it.max_version = 2;
            }
            for it in known.api_keys.iter_mut().filter(|it| it.api_key == ApiKey::DescribeGroups as i16) {
                it.max_version = 4;
            }
            asked.answer(&known)
        }
        (ApiKey::DescribeGroups, 1..) => {
            let mut answer = classic_group(asked, 0);
            answer.groups[0].group_state = text("Dead");
            answer.groups[0].members.clear();
            asked.answer(&answer)
        }
        _ => usual(asked),
    });
    let kafka = broker.await.client();
    assert_eq!(kafka.consumer_group("g", soon()).await, Ok(Some(stable_group(1))));
    assert_eq!(kafka.consumer_group("g", soon()).await, Ok(None));
}

#[tokio::test]
async fn creations_at_the_same_time_leave_as_one_request_within_the_limit_of_records() {
    let broker = FakeBroker::start(usual).await;
    let kafka = broker.client();
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..50 {
        let kafka = kafka.clone();
        calls.spawn(async move {
            let spec = spec(&format!("t{number}"), if number < 25 { 1 } else { 900 });
            assert_eq!(kafka.create_topic(&spec, soon()).await.unwrap().name, spec.name);
        });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
    let requests = broker.asked(ApiKey::CreateTopics);
    assert!((3..=5).contains(&requests.len()), "{}", requests.len());
    for request in requests {
        let records =
            request.decoded::<CreateTopicsRequest>().topics.iter().map(|it| 1 + it.num_partitions).sum::<i32>();
        assert!(records <= 10_000, "{records}");
    }
}

#[tokio::test]
async fn a_thousand_topics_are_refreshed_with_a_few_requests() {
    let broker = FakeBroker::start(|asked| {
        let all = asked.key == ApiKey::Metadata && asked.decoded::<MetadataRequest>().topics.is_none();
        if !all {
            return usual(asked);
        }
        let topics = (0..1_000).map(|number| {
            let topic = MetadataResponseTopic::default().with_name(Some(WireTopicName(text(&format!("t{number:04}")))));
            topic.with_partitions(vec![MetadataResponsePartition::default().with_replica_nodes(vec![BrokerId(1)])])
        });
        asked.answer(&metadata(asked, &[asked.port]).with_topics(topics.collect()))
    });
    let broker = broker.await;
    let kafka = broker.client();
    let mut calls = tokio::task::JoinSet::new();
    for worker in 0..10 {
        let kafka = kafka.clone();
        calls.spawn(async move {
            for number in (worker..1_000).step_by(10) {
                let keys = [format!("key{}", number % 4)];
                let topic = kafka.refresh_topic(&name(&format!("t{number:04}")), &keys, soon()).await.unwrap();
                assert!(topic.is_some());
            }
        });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
    let requests = broker.asked.lock().unwrap().len();
    assert!(requests < 30, "{requests}");
    // What the snapshot does not have is asked for by name, and may be there all the same, or hidden, or gone.
    assert!(kafka.refresh_topic(&name("unlisted"), &[], soon()).await.unwrap().is_some());
    assert_eq!(kafka.refresh_topic(&name("absent"), &[], soon()).await, Ok(None));
    let hidden = kafka.refresh_topic(&name("hidden"), &[], soon()).await;
    assert!(matches!(hidden, Err(KafkaError::Denied { operation: "DESCRIBE", .. })), "{hidden:?}");
}

#[tokio::test]
async fn an_older_broker_is_spoken_to_in_its_versions() {
    let broker = FakeBroker::start(|asked| match asked.key {
        // Kafka before 2.4: it does not know the question in version 3 and says so in version 0, without more.
        ApiKey::ApiVersions if asked.version == 3 => Reply::Answer(Bytes::from_static(&[0, 35, 0, 0, 0, 0])),
        ApiKey::ApiVersions => asked.answer(&versions(3)),
        _ => usual(asked),
    });
    let broker = broker.await;
    let kafka = broker.client();
    let topic = kafka.create_topic(&spec("a", 3), soon()).await.unwrap();
    assert_eq!((topic.partitions, broker.asked(ApiKey::CreateTopics)[0].version), (3, 3));
    let defaults = TopicSpec { partitions: None, ..spec("b", 1) };
    let res = kafka.create_topic(&defaults, soon()).await;
    assert!(matches!(res, Err(KafkaError::Unsupported(_))), "{res:?}");
    let res = kafka.grow_partitions(&name("a"), 5, soon()).await;
    assert_eq!(res, Err(KafkaError::Unsupported("more partitions for a topic (Kafka 1.0)".to_owned())));
}

#[tokio::test]
async fn nobody_at_the_address_is_told_after_a_while() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let begin = Instant::now();
    let res = client(port, Duration::from_secs(10)).cluster(Instant::now() + Duration::from_mins(1)).await;
    assert!(matches!(res, Err(KafkaError::Connect { problem: ConnectProblem::Unreachable(_), .. })), "{res:?}");
    assert!(begin.elapsed() < Duration::from_secs(15));
}

/// A port that accepts connections and says nothing.
async fn silent() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn a_broker_that_does_not_answer_is_not_tried_anew_by_each_caller() {
    let (_listener, port) = silent().await;
    let kafka = client(port, Duration::from_secs(1));
    let begin = Instant::now();
    let deadline = begin + Duration::from_mins(1);
    let calls = (0..4).map(|_| {
        tokio::spawn({
            let kafka = kafka.clone();
            async move { kafka.cluster(deadline).await }
        })
    });
    let calls: Vec<_> = calls.collect();
    let unreachable = |res: Result<_, KafkaError>| {
        assert!(matches!(res, Err(KafkaError::Connect { problem: ConnectProblem::Unreachable(_), .. })), "{res:?}");
    };
    for call in calls {
        unreachable(call.await.unwrap());
    }
    // The patience with a broker that may be starting, and the attempt during which it ends.
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    let later = Instant::now();
    for _ in 0..4 {
        unreachable(kafka.cluster(deadline).await);
    }
    assert!(later.elapsed() < Duration::from_millis(500), "{:?}", later.elapsed());
}

/// Waits until a broker got so many requests of a kind.
async fn until_asked(broker: &FakeBroker, key: ApiKey, count: usize) {
    let deadline = soon();
    while broker.asked(key).len() < count {
        assert!(Instant::now() < deadline, "not asked");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Ends a call that has little time, while another holds what it waits for.
async fn ends_in_time<T: std::fmt::Debug>(call: impl Future<Output = Result<T, KafkaError>>) {
    let begin = Instant::now();
    let res = call.await;
    assert!(matches!(res, Err(KafkaError::Deadline(_))), "{res:?}");
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

fn shortly() -> Instant {
    Instant::now() + Duration::from_millis(300)
}

#[tokio::test]
async fn a_caller_waits_for_a_connection_until_its_own_deadline() {
    let broker = FakeBroker::start(|_| Reply::Nothing).await;
    let kafka = broker.client();
    let patient = tokio::spawn({
        let kafka = kafka.clone();
        async move { kafka.cluster(soon()).await }
    });
    until_asked(&broker, ApiKey::ApiVersions, 1).await;
    ends_in_time(kafka.cluster(shortly())).await;
    ends_in_time(kafka.describe_topic(&name("a"), shortly())).await;
    patient.abort();
}

#[tokio::test]
async fn a_caller_waits_for_a_snapshot_until_its_own_deadline() {
    let broker = FakeBroker::start(|asked| match asked.key {
        ApiKey::Metadata if asked.decoded::<MetadataRequest>().topics.is_none() => Reply::Nothing,
        _ => usual(asked),
    });
    let broker = broker.await;
    let kafka = broker.client();
    for _ in 0..10 {
        kafka.refresh_topic(&name("a"), &[], soon()).await.unwrap();
    }
    let asked = broker.asked(ApiKey::Metadata).len();
    let patient = tokio::spawn({
        let kafka = kafka.clone();
        async move { kafka.refresh_topic(&name("a"), &[], soon()).await }
    });
    until_asked(&broker, ApiKey::Metadata, asked + 1).await;
    ends_in_time(kafka.refresh_topic(&name("b"), &[], shortly())).await;
    patient.abort();
}

#[tokio::test]
async fn the_end_of_one_callers_time_is_no_failure_for_others() {
    let broker = FakeBroker::start(|asked| match (asked.key, asked.earlier) {
        (ApiKey::ApiVersions, 0) => Reply::Nothing,
        _ => usual(asked),
    });
    let broker = broker.await;
    let kafka = broker.client();
    // Longer than a broker that was never reached is tried.
    let hurried = kafka.cluster(Instant::now() + Duration::from_secs(5));
    let patient = async {
        until_asked(&broker, ApiKey::ApiVersions, 1).await;
        kafka.cluster(soon()).await
    };
    let (hurried, patient) = tokio::join!(hurried, patient);
    assert!(matches!(hurried, Err(KafkaError::Deadline(_))), "{hurried:?}");
    assert_eq!(patient.unwrap().id, "cluster");
}

/// A broker that knows SCRAM, and shows each user with both mechanisms as soon as it is asked.
fn with_scram(asked: &Asked) -> Reply {
    match asked.key {
        ApiKey::ApiVersions => {
            let scram = [ApiKey::DescribeUserScramCredentials, ApiKey::AlterUserScramCredentials];
            let mut all = versions(7);
            all.api_keys.extend(scram.map(|it| ApiVersion::default().with_api_key(it as i16)));
            asked.answer(&all)
        }
        ApiKey::DescribeUserScramCredentials => {
            let users = asked.decoded::<DescribeUserScramCredentialsRequest>().users.unwrap();
            let info = |mechanism| CredentialInfo::default().with_mechanism(mechanism).with_iterations(4096);
            let user = |it: UserName| {
                let user = DescribeUserScramCredentialsResult::default().with_user(it.name).with_error_message(None);
                user.with_credential_infos(vec![info(1), info(2)])
            };
            let answer = DescribeUserScramCredentialsResponse::default().with_error_message(None);
            asked.answer(&answer.with_results(users.into_iter().map(user).collect()))
        }
        ApiKey::AlterUserScramCredentials => {
            let upsertions = asked.decoded::<AlterUserScramCredentialsRequest>().upsertions;
            let user = |it: ScramCredentialUpsertion| {
                AlterUserScramCredentialsResult::default().with_user(it.name).with_error_message(None)
            };
            let results = upsertions.into_iter().map(user).collect();
            asked.answer(&AlterUserScramCredentialsResponse::default().with_results(results))
        }
        _ => usual(asked),
    }
}

#[tokio::test]
async fn passwords_at_the_same_time_leave_salted_in_few_requests_that_name_each_user_once() {
    let broker = FakeBroker::start(with_scram).await;
    let kafka = broker.client();
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..100 {
        let kafka = kafka.clone();
        calls.spawn(async move {
            let mechanism = if number % 2 == 0 { ScramMechanism::Sha256 } else { ScramMechanism::Sha512 };
            let (user, password) = (format!("u{}", number / 2), Secret::new("correct horse"));
            let credential = NewScramCredential { user, mechanism, iterations: 4096, password };
            kafka.set_scram_credential(&credential, soon()).await.unwrap();
        });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
    let requests = broker.asked(ApiKey::AlterUserScramCredentials);
    assert!((2..20).contains(&requests.len()), "{}", requests.len());
    for request in requests {
        assert!(!request.body.windows(13).any(|it| it == b"correct horse"));
        let names = request.decoded::<AlterUserScramCredentialsRequest>().upsertions.into_iter().map(|it| it.name);
        let names: Vec<_> = names.collect();
        let once: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(once.len(), names.len(), "Kafka refuses a user that is named twice");
    }
}

#[tokio::test]
async fn a_broker_that_is_too_old_for_users_or_quotas_is_told_with_the_release_that_is_not() {
    let broker = FakeBroker::start(usual).await;
    let kafka = broker.client();
    let unsupported = |what: &str| KafkaError::Unsupported(what.to_owned());
    let users = unsupported("descriptions of SCRAM credentials (Kafka 2.7)");
    assert_eq!(kafka.refresh_scram_user("a", soon()).await, Err(users.clone()));
    assert_eq!(kafka.scram_users(soon()).await, Err(users));
    let deleted = kafka.delete_scram_credential("a", ScramMechanism::Sha256, soon()).await;
    assert_eq!(deleted, Err(unsupported("changes of SCRAM credentials (Kafka 2.7)")));
    assert_eq!(kafka.quotas(soon()).await, Err(unsupported("descriptions of client quotas (Kafka 2.6)")));
}

//! The client against a fake on loopback.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{
    BaseUrl, BaseUrlError, ClientCredentials, Login, Rest, RestError, RestSettings, Services,
    fake::{Answer, FakeService},
};
use crate::{
    clients::{
        kafka::{Secret, Tls},
        registry::SchemaRegistry,
    },
    governance::condition::{Seen, ServiceKind},
};

const JSON: &str = "application/vnd.schemaregistry.v1+json";

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

fn settings(url: &str) -> RestSettings {
    RestSettings {
        url: url.parse().unwrap(),
        failover_urls: Vec::new(),
        login: None,
        tls: Tls { ca: None, client: None, insecure: true },
        headers: BTreeMap::new(),
        request_timeout: Duration::from_secs(10),
    }
}

async fn asked(settings: RestSettings) -> Result<serde_json::Value, RestError> {
    Rest::new(settings).get("subjects", soon()).await
}

async fn answered(status: u16, kind: &'static str, body: &'static str) -> Result<serde_json::Value, RestError> {
    let fake = FakeService::start(move |_| (status, kind, body.to_owned())).await;
    asked(settings(&fake.url())).await
}

#[test]
fn a_url_is_a_place_and_nothing_else() {
    let below = |url: &str| url.parse::<BaseUrl>().map(|it| it.with("subjects", &[]).to_string());
    assert_eq!(below("https://a.example.org:8081").unwrap(), "https://a.example.org:8081/subjects");
    assert_eq!(below("http://a/apis/ccompat/v7/").unwrap(), "http://a/apis/ccompat/v7/subjects");
    for wrong in ["", "a:8081", "ftp://a", "https://a/?b", "https://a/#b", "https://"] {
        assert_eq!(below(wrong), Err(BaseUrlError::Form), "{wrong}");
    }
    assert_eq!(below("https://user:secret@a"), Err(BaseUrlError::Credentials));
}

#[tokio::test]
async fn who_calls_and_what_else_is_configured_is_sent() {
    let fake = FakeService::start(|_| (200, JSON, "[]".to_owned())).await;
    let basic = Login::Basic { username: "ann".to_owned(), password: Secret::new("hunter2") };
    let headers = BTreeMap::from([("x-tenant".to_owned(), Secret::new("t1"))]);
    let with = RestSettings { login: Some(basic), headers, ..settings(&fake.url()) };
    assert_eq!(asked(with).await, Ok(json!([])));
    let bearer = Some(Login::Bearer(Secret::new("abc")));
    asked(RestSettings { login: bearer, ..settings(&fake.url()) }).await.unwrap();
    let [first, second] = &fake.requests()[..] else { unreachable!("two were sent") };
    assert!(first.starts_with("GET /subjects HTTP/1.1\r\n"), "{first}");
    for sent in ["authorization: Basic YW5uOmh1bnRlcjI=\r\n", "x-tenant: t1\r\n", "accept: application/json\r\n"] {
        assert!(first.contains(sent), "{first}");
    }
    assert!(second.contains("authorization: Bearer abc\r\n"), "{second}");
}

#[tokio::test]
async fn answers_that_are_none_are_told_apart() {
    assert_eq!(answered(401, JSON, "{}").await, Err(RestError::Unauthenticated));
    assert_eq!(answered(403, "text/html", "<html>").await, Err(RestError::Forbidden));
    let page = "a page came instead of JSON".to_owned();
    assert_eq!(answered(200, "text/html; charset=utf-8", "<html>").await, Err(RestError::Strange(page)));
    let elsewhere = "it leads on to `login.example.org`".to_owned();
    assert_eq!(answered(302, JSON, "").await, Err(RestError::Strange(elsewhere)), "a secret may be in the rest");
    let missing = "HTTP 404 and a page came instead of JSON".to_owned();
    assert_eq!(answered(404, "text/html", "<html>").await, Err(RestError::Strange(missing)));
    let body = r#"{"error_code": 40401, "message": "Subject not found."}"#;
    let refused = RestError::Refused { status: 404, code: Some(40401), message: "Subject not found.".to_owned() };
    assert_eq!(answered(404, JSON, body).await, Err(refused));
    let broken = RestError::Broken { status: 500, message: "Error in the backend".to_owned() };
    assert_eq!(answered(500, JSON, r#"{"error_code": 50001, "message": "Error in the backend"}"#).await, Err(broken));
}

#[tokio::test]
async fn connections_that_fail_are_told_apart() {
    let unresolved = asked(settings("http://registry.invalid:1")).await;
    assert!(matches!(unresolved, Err(RestError::Unresolved(_))), "{unresolved:?}");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = asked(settings(&format!("http://{free}"))).await;
    assert!(matches!(refused, Err(RestError::Unreachable(_))), "{refused:?}");
    let plain = FakeService::start(|_| (200, JSON, "[]".to_owned())).await;
    assert_eq!(asked(settings(&plain.url().replace("http:", "https:"))).await, Err(RestError::TlsToPlaintext));
    let tls = FakeService::start_tls(|_| (200, JSON, "[]".to_owned())).await;
    let spoken_plainly = asked(settings(&tls.url().replace("https:", "http:"))).await;
    assert_eq!(spoken_plainly, Err(RestError::NotHttp));
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let impatient = RestSettings { request_timeout: Duration::from_millis(100), ..settings(&url) };
    assert_eq!(asked(impatient).await, Err(RestError::Deadline));
}

/// As a service does that is stopped while it has a request, and a balancer before it.
#[tokio::test]
async fn a_connection_that_ends_without_an_answer_is_tried_again() {
    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers: [&[u8]; 5] = [b"", ANSWER, b"", b"", b""];
    tokio::spawn(async move {
        for answer in answers {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = [0; 4_096];
            assert!(0 < connection.read(&mut request).await.unwrap());
            connection.write_all(answer).await.unwrap();
            connection.shutdown().await.unwrap();
        }
    });
    assert_eq!(asked(settings(&url)).await, Ok(json!([])));
    let lost = asked(settings(&url)).await;
    assert!(matches!(lost, Err(RestError::Closed(_))), "{lost:?}");
}

#[tokio::test]
async fn certificates_are_verified() {
    let fake = FakeService::start_tls(|_| (200, JSON, "[]".to_owned())).await;
    let trusting =
        |ca: Option<String>| RestSettings { tls: Tls { ca, client: None, insecure: false }, ..settings(&fake.url()) };
    assert_eq!(asked(trusting(fake.certificate.clone())).await, Ok(json!([])));
    let other = FakeService::start_tls(|_| (200, JSON, "[]".to_owned())).await;
    assert_eq!(asked(trusting(other.certificate.clone())).await, Err(RestError::UnknownAuthority));
    let by_address = fake.url().replace("localhost", "127.0.0.1").parse().unwrap();
    let answer = asked(RestSettings { url: by_address, ..trusting(fake.certificate.clone()) }).await;
    assert!(matches!(answer, Err(RestError::Certificate(_))), "{answer:?}");
    let useless = asked(trusting(Some("no PEM".to_owned()))).await;
    assert!(matches!(useless, Err(RestError::Material(_))), "{useless:?}");
}

/// No secret is in an error, whatever it is.
#[tokio::test]
async fn errors_show_no_secret() {
    let fake = FakeService::start(|_| (200, JSON, "[]".to_owned())).await;
    let headers = BTreeMap::from([("x-key".to_owned(), Secret::new("hunter2\n"))]);
    let error = asked(RestSettings { headers, ..settings(&fake.url()) }).await.unwrap_err();
    assert_eq!(error, RestError::Material("the header `x-key` cannot be sent".to_owned()));
    let basic = Login::Basic { username: "ann".to_owned(), password: Secret::new("hunter2") };
    let rest = Rest::new(RestSettings { login: Some(basic), ..settings("http://registry.invalid") });
    let error = rest.get("subjects", soon()).await.unwrap_err();
    assert!(!format!("{rest:?} {error:?} {error}").contains("hunter2"));
}

/// Answers so on the first calls, and with an empty list on the others.
fn at_first(answers: &[Answer]) -> impl Fn(&str) -> Answer + Clone + Send + Sync + 'static + use<> {
    let waiting = Arc::new(Mutex::new(VecDeque::from(answers.to_vec())));
    move |_| waiting.lock().unwrap().pop_front().unwrap_or((200, JSON, "[]".to_owned()))
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_may_not_is_told_at_once() {
    let broken = || (500, JSON, r#"{"error_code": 50002, "message": "timeout"}"#.to_owned());
    let fake = FakeService::start(at_first(&[broken(), broken()])).await;
    assert_eq!(asked(settings(&fake.url())).await, Ok(json!([])));
    assert_eq!(fake.requests().len(), 3);
    let fake = FakeService::start(at_first(&[broken(), broken(), broken()])).await;
    assert!(matches!(asked(settings(&fake.url())).await, Err(RestError::Broken { status: 500, .. })));
    let fake = FakeService::start(at_first(&[(401, JSON, "{}".to_owned())])).await;
    assert_eq!(asked(settings(&fake.url())).await, Err(RestError::Unauthenticated));
    assert_eq!(fake.requests().len(), 1);
}

/// Whatever the order in which they are asked: what a living one says may pass.
#[tokio::test]
async fn an_answer_tells_more_than_an_address_that_is_dead() {
    let fake = FakeService::start(|_| (500, JSON, r#"{"message": "asking the leader failed"}"#.to_owned())).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let dead = format!("http://{nobody}");
    for (first, second) in [(fake.url(), dead.clone()), (dead, fake.url())] {
        let both = RestSettings { failover_urls: vec![second.parse().unwrap()], ..settings(&first) };
        let failed = asked(both).await;
        assert!(matches!(failed, Err(RestError::Broken { status: 500, .. })), "{first}: {failed:?}");
    }
}

#[tokio::test]
async fn a_service_that_wants_to_be_left_alone_is() {
    let busy = (429, "application/json\r\nretry-after: 1", "{}".to_owned());
    let fake = FakeService::start(at_first(&[busy])).await;
    let began = Instant::now();
    assert_eq!(asked(settings(&fake.url())).await, Ok(json!([])));
    assert!(Duration::from_secs(1) <= began.elapsed());
    // A wait that is too long for who asks is told without it.
    let date = "application/json\r\nretry-after: Wed, 21 Oct 2093 07:28:00 GMT";
    let fake = FakeService::start(at_first(&[(503, date, "{}".to_owned())])).await;
    let Err(RestError::Busy { after: Some(after) }) = asked(settings(&fake.url())).await else {
        unreachable!("it says for how long");
    };
    assert!(Duration::from_hours(24) < after);
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn another_address_is_asked_where_one_is_dead() {
    let fake = FakeService::start(|_| (200, JSON, "[]".to_owned())).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let dead = format!("http://{nobody}");
    let rest = Rest::new(RestSettings {
        failover_urls: vec![
            "http://registry.invalid".parse().unwrap(),
            format!("{}/a/b/", fake.url()).parse().unwrap(),
        ],
        ..settings(&dead)
    });
    for _ in 0..2 {
        assert_eq!(rest.get("subjects", soon()).await, Ok(json!([])));
    }
    let asked: Vec<_> = fake.requests().iter().map(|it| it.lines().next().unwrap().to_owned()).collect();
    assert_eq!(asked, ["GET /a/b/subjects HTTP/1.1"; 2]);
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_again_when_it_is_not_taken() {
    let gave = Arc::new(AtomicUsize::new(0));
    let giver = gave.clone();
    let fake = FakeService::start_whole(move |request| {
        if request.starts_with("POST /token ") {
            let number = giver.fetch_add(1, Ordering::Relaxed);
            return (200, "application/json", format!(r#"{{"access_token":"t{number}","expires_in":300}}"#));
        }
        if request.contains("Bearer t0") && request.contains("/old") || request.contains("/shut") {
            (401, JSON, "{}".to_owned())
        } else {
            (200, JSON, "[]".to_owned())
        }
    })
    .await;
    let credentials = ClientCredentials {
        token_url: format!("{}/token", fake.url()).parse().unwrap(),
        client_id: "id".to_owned(),
        client_secret: Secret::new("hunter2"),
        scope: Some("a b".to_owned()),
    };
    let headers = BTreeMap::from([("x-key".to_owned(), Secret::new("of the service"))]);
    let rest = Rest::new(RestSettings { login: Some(Login::Client(credentials)), headers, ..settings(&fake.url()) });
    for _ in 0..2 {
        assert_eq!(rest.get("subjects", soon()).await, Ok(json!([])));
    }
    assert_eq!(gave.load(Ordering::Relaxed), 1);
    let form = &fake.requests()[0];
    assert!(form.ends_with("grant_type=client_credentials&scope=a+b"), "{form}");
    assert!(form.contains("authorization: Basic aWQ6aHVudGVyMg=="), "{form}");
    assert!(!form.contains("x-key") && fake.requests()[1].contains("x-key: of the service"), "{form}");
    assert_eq!(rest.get("old", soon()).await, Ok(json!([])), "a token that is not taken is renewed");
    assert_eq!(gave.load(Ordering::Relaxed), 2);
    assert_eq!(rest.get("shut", soon()).await, Err(RestError::Unauthenticated));
    assert_eq!(gave.load(Ordering::Relaxed), 3, "once");
    assert!(!format!("{rest:?}").contains("hunter2"));
}

/// As a registry and a worker answer: the paths and forms are those of Confluent's registry and Kafka's Connect.
fn real(path: &str) -> Answer {
    let worker = r#"{"version":"4.3.1","commit":"c1","kafka_cluster_id":"k1"}"#;
    match path {
        "/subjects" => (200, JSON, r#"["billing.invoices-value"]"#.to_owned()),
        "/" => (200, "application/json", worker.to_owned()),
        _ => (404, "text/html", "<html>".to_owned()),
    }
}

#[tokio::test]
async fn services_are_seen_as_they_answer_and_workers_with_their_cluster() {
    let fake = FakeService::start(real).await;
    let services = Services {
        schema_registry: Some(Arc::new(SchemaRegistry::new(Rest::new(settings(&fake.url()))))),
        connect: BTreeMap::from([(
            "main".to_owned(),
            crate::clients::connect::Connect::new(Rest::new(settings(&fake.url()))),
        )]),
    };
    let seen = services.look("k1", soon()).await;
    let told: Vec<_> = seen.iter().map(|it| (it.kind, it.name.as_str(), &it.seen)).collect();
    let url = fake.url();
    let expected =
        [(ServiceKind::SchemaRegistry, url.as_str(), &Seen::Good), (ServiceKind::Connect, "main", &Seen::Good)];
    assert_eq!(told, expected);
    let Seen::Bad { message, remedy } = &services.look("k2", soon()).await[1].seen else { unreachable!("another one") };
    assert_eq!(message, "its workers belong to the cluster `k1`, and this one is `k2`");
    assert!(remedy.starts_with("Correct `url`"));

    let swapped = Services {
        schema_registry: Some(Arc::new(SchemaRegistry::new(Rest::new(settings(&format!("{url}/x")))))),
        ..Services::default()
    };
    assert!(matches!(swapped.look("k1", soon()).await[0].seen, Seen::Bad { .. }));
    let hidden = FakeService::start(|_| (401, JSON, "{}".to_owned())).await;
    let hidden = Services {
        schema_registry: Some(Arc::new(SchemaRegistry::new(Rest::new(settings(&hidden.url()))))),
        ..Services::default()
    };
    assert!(matches!(hidden.look("k1", soon()).await[0].seen, Seen::Unknown { .. }));
}

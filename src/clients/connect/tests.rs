//! The client against a fake, for what real workers cannot be made to show.

use super::{
    fake::{FakeConnect, rebalance, soon},
    *,
};

fn name(text: &str) -> ConnectorName {
    text.parse().unwrap()
}

fn config(text: &[(&str, &str)]) -> BTreeMap<String, String> {
    text.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn a_connector_lives_from_its_creation_to_its_end() {
    let fake = FakeConnect::start().await;
    let connect = fake.client();
    let (a, file) = (name("a"), config(&[("file", "/tmp/a")]));
    assert_eq!(connect.connector(&a, soon()).await, Ok(None));
    connect.create(&a, &file, Some(Target::Stopped), soon()).await.unwrap();
    let found = connect.connector(&a, soon()).await.unwrap().unwrap();
    assert_eq!(found.status.map(|it| it.state), Some(RunState::Stopped));
    let offset = Offset { partition: json!({ "file": "a" }), offset: json!({ "position": 3 }) };
    connect.alter_offsets(&a, std::slice::from_ref(&offset), soon()).await.unwrap();
    assert_eq!(connect.offsets(&a, soon()).await, Ok(Some(vec![offset])));
    connect.reset_offsets(&a, soon()).await.unwrap();
    assert_eq!(connect.offsets(&a, soon()).await, Ok(Some(vec![])));
    connect.bring(&a, Target::Running, soon()).await.unwrap();
    let refused = connect.reset_offsets(&a, soon()).await;
    assert!(matches!(refused, Err(ConnectError::Invalid(_))), "{refused:?}");
    assert_eq!(connect.topics(&a, soon()).await, Ok(vec!["a".to_owned(), "b".to_owned()]));
    for _ in 0..2 {
        connect.delete(&a, soon()).await.unwrap();
        assert_eq!(connect.offsets(&a, soon()).await, Ok(None));
    }
}

/// Workers say 409 for two things, of which one passes.
#[tokio::test]
async fn a_rebalance_is_waited_for_and_what_exists_is_not() {
    let fake = FakeConnect::start().await;
    let connect = fake.client();
    let a = name("a");
    let forwarded = r#"{"error_code":500,"message":"IO Error trying to forward REST request: Connection refused"}"#;
    let broken = (500, "application/json", forwarded.to_owned());
    fake.kept().next = [rebalance(), broken.clone(), broken.clone(), broken, rebalance()].into();
    connect.create(&a, &config(&[("x", "1")]), None, soon()).await.unwrap();
    assert_eq!(fake.kept().connectors.len(), 1);

    fake.kept().next = (0..1_000).map(|_| rebalance()).collect();
    let storm = connect.configure(&a, &config(&[("x", "2")]), Instant::now() + Duration::from_secs(1)).await;
    assert!(matches!(&storm, Err(ConnectError::Unsettled(it)) if it.contains("stale configuration")), "{storm:?}");
    let asked = fake.asked().iter().filter(|it| it.starts_with("PUT")).count();
    assert!((2..30).contains(&asked), "it is asked again, and not all the time: {asked}");
    fake.kept().next.clear();

    let before = fake.asked().len();
    let other = connect.create(&a, &config(&[("x", "other")]), None, soon()).await;
    assert!(matches!(other, Err(ConnectError::Exists(_))), "{other:?}");
    assert_eq!(fake.asked()[before..], ["POST /connectors", "GET /connectors/a", "GET /connectors/a/status"]);
    // As after an answer that was lost.
    connect.create(&a, &config(&[("x", "1")]), None, soon()).await.unwrap();
}

/// What was asked is sent again where its answer was lost, and read back where none came at all.
#[tokio::test]
async fn what_was_done_counts_though_its_answer_was_lost() {
    let fake = FakeConnect::start().await;
    let (connect, a) = (fake.client(), name("a"));
    for lost in [1, 3] {
        fake.kept().loses = lost;
        let made = connect.create(&a, &config(&[("x", "1")]), None, soon()).await;
        assert_eq!(made, Ok(false), "nobody can tell who made it");
        fake.kept().loses = lost;
        connect.configure(&a, &config(&[("x", "2")]), soon()).await.unwrap();
        fake.kept().loses = lost;
        connect.delete(&a, soon()).await.unwrap();
        assert!(fake.kept().connectors.is_empty());
    }
    fake.kept().loses = 3;
    let refused = connect.bring(&a, Target::Paused, soon()).await;
    assert!(matches!(refused, Err(ConnectError::Rest(RestError::Closed(_)))), "{refused:?}");
}

/// Each worker answers by what it has read so far of what all keep.
#[tokio::test]
async fn a_worker_that_lags_behind_is_not_believed() {
    let (current, behind) = (FakeConnect::start().await, FakeConnect::start().await);
    let (a, values) = (name("a"), config(&[("x", "1")]));
    current.client().create(&a, &values, None, soon()).await.unwrap();
    let connect = behind.client_with(&current);
    assert_eq!(connect.connector(&a, soon()).await, Ok(None));
    assert!(connect.unless_gone(&a, soon()).await.unwrap().is_some(), "the other knows it");
    let connect = behind.client();
    assert_eq!(connect.unless_gone(&a, soon()).await, Ok(None));
    assert_eq!(connect.after_change(&a, &values, Instant::now() + Duration::from_secs(1)).await, Ok(None));
    let learns = async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        behind.client().create(&a, &values, None, soon()).await
    };
    let (found, made) = tokio::join!(connect.after_change(&a, &values, soon()), learns);
    assert_eq!((found.unwrap().unwrap().config["x"].as_str(), made), ("1", Ok(true)));
}

/// Kafka refuses to move a group that has members, and workers tell that a connector is stopped before its tasks have ended.
#[tokio::test]
async fn tasks_that_end_slowly_are_waited_for_before_offsets_are_moved() {
    let fake = FakeConnect::start().await;
    let (connect, a) = (fake.client(), name("a"));
    connect.create(&a, &config(&[("topics", "t")]), Some(Target::Stopped), soon()).await.unwrap();
    // Each request is tried thrice before it counts as failed.
    fake.kept().lingers = 4;
    connect.reset_offsets(&a, soon()).await.unwrap();
    assert_eq!(fake.kept().lingers, 0);
    fake.kept().lingers = u32::MAX;
    let stuck = connect.alter_offsets(&a, &[], Instant::now() + Duration::from_secs(2)).await;
    assert!(matches!(stuck, Err(ConnectError::Stopping(_))), "{stuck:?}");
    fake.kept().lingers = 0;
    connect.alter_offsets(&a, &[], soon()).await.unwrap();
}

/// An absence is believed only of a worker's own answer about that connector.
#[tokio::test]
async fn a_page_that_is_not_found_is_no_absence() {
    let fake = FakeConnect::start().await;
    for answer in [
        (404, "text/html", "<html>".to_owned()),
        (404, "application/json", r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#.to_owned()),
        (200, "text/html", "<html>".to_owned()),
        (200, "application/json", r#"{"connector":"a"}"#.to_owned()),
    ] {
        fake.kept().next = [answer.clone(), answer.clone()].into();
        let read = fake.client().status(&name("a"), soon()).await;
        assert!(read.is_err(), "{answer:?}: {read:?}");
    }
}

#[tokio::test]
async fn many_connectors_are_read_with_few_requests() {
    let fake = FakeConnect::start().await;
    let connect = fake.client();
    let names: Vec<ConnectorName> = (0..500).map(|it| name(&format!("c{it}"))).collect();
    for it in &names {
        connect.create(it, &config(&[("x", "1")]), None, soon()).await.unwrap();
    }
    let (connect, before) = (fake.client(), fake.asked().len());
    for it in &names {
        assert!(connect.seen(it, soon()).await.unwrap().is_some());
    }
    assert_eq!(fake.asked().len() - before, 2 * 2 + 1, "two alone, each with its status, and one list");
    // What this client wrote is read anew.
    connect.configure(&names[7], &config(&[("x", "2")]), soon()).await.unwrap();
    assert_eq!(connect.seen(&names[7], soon()).await.unwrap().unwrap().config["x"], "2");
    // What the list lacks is asked for.
    assert_eq!(connect.seen(&name("absent"), soon()).await, Ok(None));
    assert_eq!(fake.asked().last().unwrap(), "GET /connectors/absent");
    // Where the list fails, each is asked for.
    let stumbling = fake.client();
    for it in &names[..2] {
        stumbling.seen(it, soon()).await.unwrap();
    }
    let broken = r#"{"error_code":500,"message":"null"}"#.to_owned();
    // Each is tried thrice.
    fake.kept().next = vec![(500, "application/json", broken); 3].into();
    assert!(stumbling.seen(&names[3], soon()).await.unwrap().is_some());
    assert_eq!(fake.kept().next.len(), 0);
    // Workers before Kafka 2.3 list names alone.
    let (old, before) = (fake.client(), fake.asked().len());
    for it in &names[..2] {
        old.seen(it, soon()).await.unwrap();
    }
    fake.kept().next = [(200, "application/json", "[\"c0\",\"c1\"]".to_owned())].into();
    for it in &names[..4] {
        assert!(old.seen(it, soon()).await.unwrap().is_some());
    }
    assert_eq!(fake.asked().len() - before, 2 * 2 + 1 + 4 * 2, "it is asked once whether it lists");
}

#[test]
fn versions_are_those_of_kafka() {
    let check = |text, expected| assert_eq!(kafka_version(text), expected, "{text}");
    check("4.3.1", Some((4, 3)));
    check("7.7.1-ccs", Some((3, 7)));
    check("7.4.0-ce", Some((3, 4)));
    check("2.8.0.redhat-1", Some((2, 8)));
    check("unknown", None);
}

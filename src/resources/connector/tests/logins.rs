//! As whom a connector logs in that works as its application.

use super::*;
use crate::{governance::policy::ConnectIdentity, resources::requests::testing::Here};

const KEY: &str = "consumer.override.sasl.jaas.config";
const OWN: &str =
    "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"pay\" password=\"hunter2\";";

async fn governed() -> Here {
    let connectors = ConnectorPolicy { identity: Some(ConnectIdentity::Application), ..ConnectorPolicy::default() };
    Here::under(Policy { connectors, ..Policy::default() }).await
}

fn pay(here: &Here, fake: &FakeConnect) -> Run {
    let acting = Acting { application: Some("pay".parse().unwrap()), ..Acting::default() };
    run_on(&here.cluster, &[("main", fake)], acting)
}

/// With a secret part of that version, if there is one.
fn archive(more: &Json, secret: Option<&str>) -> Json {
    let config = json!({
        "connector.class": "org.example.FileSinkConnector",
        "topics": "pay.orders",
        "file": "/tmp/x",
        "consumer.override.group.id": "pay.archive",
        "consumer.override.security.protocol": "SASL_SSL",
    });
    let res = json!({ "name": "pay.archive", "config": with(&config, more), "config_wo_version": "1" });
    secret.map_or(res.clone(), |it| with(&res, &json!({ "config_wo": { KEY: it } })))
}

const UNKNOWN: &str = "Credentials of nobody known";

fn elsewhere() -> Json {
    json!({ "file": "/tmp/y" })
}

async fn said(run: &Run, stored: &Stored, config: &Json) -> Vec<String> {
    run.plan(stored, config).await.diagnostics.0.into_iter().map(|it| it.summary).collect()
}

async fn made(run: &Run, config: &Json) -> Stored {
    let planned = run.plan(&nothing(), config).await;
    let outcome = run.apply(&nothing(), planned.planned, config).await;
    assert!(outcome.diagnostics.0.iter().all(|it| it.severity == Severity::Warning), "{:?}", outcome.diagnostics);
    outcome.stored
}

/// What is written into `config_wo` later is not sent, and so it is not what counts.
#[tokio::test]
async fn a_login_counts_that_the_workers_have() {
    let (here, fake) = (governed().await, FakeConnect::start().await);
    let reference = archive(&json!({}), Some("${file:/etc/worker.properties:sasl.jaas.config}"));
    let stored = made(&pay(&here, &fake), &reference).await;
    let later = archive(&elsewhere(), Some(OWN));
    assert_eq!(said(&pay(&here, &fake), &stored, &later).await, [UNKNOWN]);
    let sent = with(&later, &json!({ "config_wo_version": "2" }));
    assert_eq!(said(&pay(&here, &fake), &stored, &sent).await, [] as [&str; 0]);
}

#[tokio::test]
async fn a_login_stays_known_where_it_is_not_written_any_more() {
    let (here, fake) = (governed().await, FakeConnect::start().await);
    let stored = made(&pay(&here, &fake), &archive(&json!({}), Some(OWN))).await;
    assert!(!format!("{stored:?}").contains("hunter2"));
    let without = archive(&elsewhere(), None);
    assert_eq!(said(&pay(&here, &fake), &stored, &without).await, [] as [&str; 0]);
    let other = OWN.replace("pay", "shop");
    assert_eq!(said(&pay(&here, &fake), &stored, &archive(&elsewhere(), Some(&other))).await, [UNKNOWN]);
    // What somebody sets behind everybody's back is what the workers have.
    fake.kept().connectors.get_mut("pay.archive").unwrap().config.insert(KEY.to_owned(), other);
    let seen = pay(&here, &fake).read(&stored).await.stored;
    assert_eq!(said(&pay(&here, &fake), &seen, &without).await, ["Login of somebody else"]);
}

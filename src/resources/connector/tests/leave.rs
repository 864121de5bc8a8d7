//! Changes that the platform must agree to.

use std::collections::BTreeMap;

use super::*;
use crate::{
    governance::{
        policy::{Approval, ChangeApproval},
        request::{ChangeKind, Verb},
    },
    resources::requests::testing::Here,
};

const NEEDS: &str = "Change needs approval";
const WAITS: &str = "Change waits for approval";

async fn watching(verbs: &[Verb]) -> Here {
    let verbs: BTreeMap<_, _> = verbs.iter().map(|it| (*it, ChangeApproval::Platform)).collect();
    let changes = [(ChangeKind::Connector, verbs)].into();
    Here::under(Policy { approval: Approval { changes, ..Approval::default() }, ..Policy::default() }).await
}

fn pay(here: &Here, fake: &FakeConnect) -> Run {
    let acting = Acting { application: Some("pay".parse().unwrap()), ..Acting::default() };
    run_on(&here.cluster, &[("main", fake)], acting)
}

fn own() -> Json {
    json!({
        "name": "pay.archive",
        "config": {
            "connector.class": "org.example.FileSinkConnector",
            "topics": "pay.orders",
            "file": "/tmp/x",
            "consumer.override.group.id": "pay.archive",
        },
    })
}

/// Has a plan say it, beside that nobody but plans checks topics.
fn said(diagnostics: &Diagnostics, summary: &str, part: &str) {
    assert!(diagnostics.0.iter().any(|it| it.summary == summary && it.detail.contains(part)), "{diagnostics:?}");
}

/// Has an apply be refused until somebody agrees.
async fn waits(here: &Here, fake: &FakeConnect, stored: &Stored, config: &Json) {
    let planned = pay(here, fake).plan(stored, config).await;
    said(&planned.diagnostics, NEEDS, "The apply files the request `pay-");
    let refused = pay(here, fake).apply(stored, planned.planned, config).await;
    said(&refused.diagnostics, WAITS, "Apply again when it is approved");
}

async fn applied(run: &Run, stored: &Stored, config: &Json) -> Stored {
    let planned = run.plan(stored, config).await;
    let outcome = run.apply(stored, planned.planned, config).await;
    assert!(outcome.diagnostics.0.iter().all(|it| it.severity == Severity::Warning), "{:?}", outcome.diagnostics);
    outcome.stored
}

fn file(fake: &FakeConnect) -> Option<String> {
    fake.kept().connectors.get("pay.archive").map(|it| it.config["file"].clone())
}

#[tokio::test]
async fn a_connector_is_configured_once_the_platform_agreed_and_not_before() {
    let (here, fake) = (watching(&[Verb::Create, Verb::Update, Verb::Delete]).await, FakeConnect::start().await);
    waits(&here, &fake, &nothing(), &own()).await;
    assert_eq!(file(&fake), None);
    here.decided_by_platform("approve").await;
    let stored = applied(&pay(&here, &fake), &nothing(), &own()).await;

    let changed = configured(&own(), &json!({ "file": "/tmp/y" }));
    waits(&here, &fake, &stored, &changed).await;
    assert_eq!(file(&fake).unwrap(), "/tmp/x");
    here.decided_by_platform("reject").await;
    let planned = pay(&here, &fake).plan(&stored, &changed).await;
    said(&planned.diagnostics, NEEDS, "was rejected");
    let rejected = pay(&here, &fake).apply(&stored, planned.planned, &changed).await;
    said(&rejected.diagnostics, "Change rejected", "Declare it otherwise");

    let paused = with(&own(), &json!({ "state": "paused" }));
    let stored = applied(&pay(&here, &fake), &stored, &paused).await;
    assert_eq!(status(&stored), "paused".into(), "operating it is nobody else's matter");
    let other = configured(&paused, &json!({ "file": "/tmp/z" }));
    waits(&here, &fake, &stored, &other).await;
    here.decided_by_platform("approve").await;
    let stored = applied(&pay(&here, &fake), &stored, &other).await;
    assert_eq!(file(&fake).unwrap(), "/tmp/z");

    let ended = pay(&here, &fake).destroy(&stored).await;
    said(&ended.diagnostics, WAITS, "`pay.archive` is not deleted");
    here.decided_by_platform("approve").await;
    quiet(&pay(&here, &fake).destroy(&stored).await.diagnostics);
    assert_eq!(file(&fake), None);
}

/// What is agreed to is in view, and what is not must not be changed by what was agreed to otherwise.
#[tokio::test]
async fn an_approval_is_for_the_secret_keys_that_there_are_and_for_where_it_goes_on() {
    let (here, fake) = (watching(&[Verb::Create, Verb::Update]).await, FakeConnect::start().await);
    let with_secret = |version: &str, values: Json| with(&own(), &secrets(version, &values));
    let first = with_secret("1", json!({ "db.password": "p1" }));
    waits(&here, &fake, &nothing(), &first).await;
    here.decided_by_platform("approve").await;
    let other_keys = with_secret("1", json!({ "db.password": "p1", "db.url": "elsewhere" }));
    waits(&here, &fake, &nothing(), &other_keys).await;
    let other_password = with_secret("1", json!({ "db.password": "p2" }));
    let stored = applied(&pay(&here, &fake), &nothing(), &other_password).await;
    assert_eq!(fake.kept().connectors["pay.archive"].config["db.password"], "p2");

    let rotated = with_secret("2", json!({ "db.password": "p3" }));
    waits(&here, &fake, &stored, &rotated).await;
    let anew = with(&first, &json!({ "offsets": { "reset": true } }));
    waits(&here, &fake, &stored, &anew).await;
    assert_eq!(fake.kept().connectors["pay.archive"].config["db.password"], "p2");
}

/// Otherwise, a state that forgets the connector would be enough to change it without leave.
#[tokio::test]
async fn what_is_there_is_updated_though_it_is_new_to_the_state() {
    let (here, fake) = (watching(&[Verb::Update]).await, FakeConnect::start().await);
    applied(&pay(&here, &fake), &nothing(), &own()).await;
    let adopted = with(&configured(&own(), &json!({ "file": "/tmp/y" })), &json!({ "on_existing": "adopt" }));
    waits(&here, &fake, &nothing(), &adopted).await;
    assert_eq!(file(&fake).unwrap(), "/tmp/x");
}

#[tokio::test]
async fn the_platform_asks_nobody() {
    let (here, fake) = (watching(&[Verb::Create, Verb::Delete]).await, FakeConnect::start().await);
    let platform = || run_on(&here.cluster, &[("main", &fake)], Acting::default());
    let stored = applied(&platform(), &nothing(), &own()).await;
    quiet(&platform().destroy(&stored).await.diagnostics);
    assert_eq!(file(&fake), None);
}

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

async fn watched() -> Here {
    watching(&[Verb::Create, Verb::Update, Verb::Delete]).await
}

async fn watching(verbs: &[Verb]) -> Here {
    let verbs: BTreeMap<_, _> = verbs.iter().map(|it| (*it, ChangeApproval::Platform)).collect();
    let changes = [(ChangeKind::Schema, verbs)].into();
    Here::under(Policy { approval: Approval { changes, ..Approval::default() }, ..Policy::default() }).await
}

fn pay(here: &Here, registry: &FakeRegistry) -> Run {
    let acting = Acting { application: Some("pay".parse().unwrap()), ..Acting::default() };
    run_on(&here.cluster, registry, acting)
}

const NEEDS: &str = "Change needs approval";
const WAITS: &str = "Change waits for approval";

#[tokio::test]
async fn a_schema_is_registered_once_the_platform_agreed_and_not_before() {
    let (here, registry) = (watched().await, FakeRegistry::start().await);
    let config = |schema: &str| json!({ "subject": "pay.order-value", "schema": schema });
    let planned = pay(&here, &registry).plan(&nothing(), &config(ORDER)).await;
    told(&planned.diagnostics, Severity::Warning, NEEDS, "is registered.\n\nThe apply files the request `pay-");
    let waits = pay(&here, &registry).apply(&nothing(), planned.planned, &config(ORDER)).await;
    told(&waits.diagnostics, Severity::Error, WAITS, "Apply again when it is approved");
    assert_eq!((waits.stored.state, registry.does("GET", "/subjects", &json!({}))), (Value::Null, json!([])));
    let planned = pay(&here, &registry).plan(&nothing(), &config(ORDER)).await;
    told(&planned.diagnostics, Severity::Warning, NEEDS, "is `pending`");
    here.decided_by_platform("approve").await;
    let stored = pay(&here, &registry).applied(&nothing(), &config(ORDER)).await;
    assert_eq!(numbers(&stored).0, Value::from(1));

    let changed = config(&with_field("a"));
    let planned = pay(&here, &registry).plan(&stored, &changed).await;
    told(&planned.diagnostics, Severity::Warning, NEEDS, "is changed so");
    let waits = pay(&here, &registry).apply(&stored, planned.planned, &changed).await;
    told(&waits.diagnostics, Severity::Error, WAITS, "is not changed so");
    assert_eq!(waits.stored.state, Value::Null, "the engine keeps what it has");
    assert_eq!(registry.does("GET", "/subjects/pay.order-value/versions", &json!({})), json!([1]));
    here.decided_by_platform("reject").await;
    let planned = pay(&here, &registry).plan(&stored, &changed).await;
    told(&planned.diagnostics, Severity::Warning, NEEDS, "was rejected");
    let rejected = pay(&here, &registry).apply(&stored, planned.planned, &changed).await;
    told(&rejected.diagnostics, Severity::Error, "Change rejected", "Declare it otherwise");
    quiet(&pay(&here, &registry).plan(&stored, &config(ORDER)).await.diagnostics);

    let ended = pay(&here, &registry).destroy(&stored).await;
    told(&ended.diagnostics, Severity::Error, WAITS, "`pay.order-value` is not deleted");
    here.decided_by_platform("approve").await;
    quiet(&pay(&here, &registry).destroy(&stored).await.diagnostics);
    assert_eq!(registry.does("GET", "/subjects", &json!({})), json!([]));
}

/// Otherwise, a state that forgets the subject would be enough to change it without leave.
#[tokio::test]
async fn what_is_there_is_updated_though_it_is_new_to_the_state() {
    let (here, registry) = (watching(&[Verb::Update]).await, FakeRegistry::start().await);
    let config = |schema: &str, more: Json| with(&json!({ "subject": "pay.order-value", "schema": schema }), &more);
    let adopting = json!({ "on_existing": "adopt" });
    pay(&here, &registry).applied(&nothing(), &config(ORDER, adopting.clone())).await;
    for bypass in [config(&with_field("a"), adopting), config(ORDER, json!({ "compatibility": "NONE" }))] {
        let planned = pay(&here, &registry).plan(&nothing(), &bypass).await;
        assert!(summaries(&planned.diagnostics).contains(&NEEDS), "{:?}", planned.diagnostics);
        let waits = pay(&here, &registry).apply(&nothing(), planned.planned, &bypass).await;
        told(&waits.diagnostics, Severity::Error, WAITS, "is not changed so");
    }
    assert_eq!(registry.does("GET", "/subjects/pay.order-value/versions", &json!({})), json!([1]));
}

#[tokio::test]
async fn what_needs_nobody_is_not_asked_for() {
    let (here, registry) = (watched().await, FakeRegistry::start().await);
    let config = json!({ "subject": "pay.order-value", "schema": ORDER });
    let platform = || run_on(&here.cluster, &registry, Acting::default());
    let stored = platform().applied(&nothing(), &config).await;
    let kept = with(&config, &json!({ "on_destroy": "retain" }));
    let kept = pay(&here, &registry).applied(&stored, &kept).await;
    quiet(&pay(&here, &registry).destroy(&kept).await.diagnostics);
    assert_eq!(registry.does("GET", "/subjects", &json!({})), json!(["pay.order-value"]));
}

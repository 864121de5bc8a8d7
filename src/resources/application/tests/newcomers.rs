//! Teams that have no application yet, and ask for one.

use std::sync::Arc;

use super::{
    ApplicationApproval, Approval, Command, Context, MailboxOf, Policy, Principal, Run, Severity, billing,
    first_request, governed_cluster, json, nothing, platform, request_id, soon, status, told,
};
use crate::{
    clients::{kafka::Kafka, memory::MemoryCluster},
    governance::environment::ClusterFacts,
    resources::testing::governed_with,
};

/// A cluster on which everybody may ask for an application, and somebody who has none.
pub(super) async fn newcomer() -> (Arc<MemoryCluster>, Arc<MemoryCluster>) {
    let principals = [Principal::user("platform")].into();
    let facts = ClusterFacts { platform_principals: principals, ..ClusterFacts::default() };
    let approval = Approval { applications: ApplicationApproval::Platform, ..Approval::default() };
    let cluster = governed_with(Policy { approval, inbox: true, ..Policy::default() }, facts).await;
    platform(&cluster).governed().make_box(&MailboxOf::Everybody, soon()).await.unwrap();
    let rules = ["_selfserve.inbox|User:*|*|WRITE", "_selfserve.state|User:*|*|READ"];
    cluster.add_rules(rules.map(|it| format!("TOPIC|LITERAL|{it}|ALLOW").parse().unwrap()));
    let seen = Arc::new(cluster.seen_by(Principal::user("billing-ci")));
    (cluster, seen)
}

pub(super) fn as_newcomer(cluster: &Arc<MemoryCluster>) -> Run {
    let kafka: Arc<dyn Kafka> = cluster.clone();
    let principal = Some(Principal::user("billing-ci"));
    let environment = crate::provider::Environment::new("dev", kafka).acting(Arc::default(), principal);
    Run::with(Context::new([environment], None), "application")
}

/// Rule 19 of governance: who has no application asks for one.
#[tokio::test]
async fn a_newcomer_asks_and_has_its_application_when_the_platform_agreed() {
    let (cluster, seen) = newcomer().await;
    let mut config = billing();
    config["deployers"] = json!(["User:billing-ci"]);
    let planned = as_newcomer(&seen).plan(&nothing(), &config).await;
    assert!(!planned.diagnostics.has_errors(), "{:?}", planned.diagnostics);
    let asked = as_newcomer(&seen).apply(&nothing(), planned.planned, &config).await;
    let summaries: Vec<_> = asked.diagnostics.0.iter().map(|it| it.summary.as_str()).collect();
    assert_eq!(summaries, ["Existing names not looked for", "Application asked for"]);
    assert_eq!(status(&asked.stored), &"requested".into());
    let waiting = as_newcomer(&seen).read(&asked.stored).await;
    let again = as_newcomer(&seen).plan(&waiting.stored, &config).await;
    assert_eq!(again.planned.state, asked.stored.state, "to wait is no change");

    let governed = platform(&cluster).governed();
    governed.fold(&MailboxOf::Everybody, soon()).await.unwrap();
    let folded = as_newcomer(&seen).read(&asked.stored).await;
    assert_eq!((status(&folded.stored), request_id(&folded.stored)), (&"pending".into(), first_request()));
    let again = as_newcomer(&seen).plan(&folded.stored, &config).await;
    assert_eq!(again.planned.state, folded.stored.state);
}

#[tokio::test]
async fn a_newcomer_is_told_why_the_platform_refused() {
    let (cluster, seen) = newcomer().await;
    let run = as_newcomer(&seen);
    let planned = run.plan(&nothing(), &billing()).await;
    let asked = run.apply(&nothing(), planned.planned, &billing()).await;
    let mut other = billing();
    other["name"] = json!("bills");
    other["principals"] = json!(["User:bills"]);
    other["prefixes"] = json!({ "topic": ["billing."] });
    platform(&cluster).applied(&nothing(), &other).await;
    platform(&cluster).governed().fold(&MailboxOf::Everybody, soon()).await.unwrap();
    let refused = as_newcomer(&seen).read(&asked.stored).await;
    told(&refused.diagnostics, Severity::Warning, "Application refused", "`bills`");
    assert_eq!(status(&refused.stored), &"refused".into());
}

/// Rule 19 of governance: a closed inbox shows nothing of what governs the cluster.
#[tokio::test]
async fn a_newcomer_before_a_closed_inbox_is_sent_to_the_platform() {
    let cluster = governed_cluster().await;
    let seen = Arc::new(cluster.seen_by(Principal::user("billing-ci")));
    let planned = as_newcomer(&seen).plan(&nothing(), &billing()).await;
    told(&planned.diagnostics, Severity::Warning, "No environment declared", "its inbox is closed");
}

/// Somebody who was among the deployers, and is not any more.
#[tokio::test]
async fn a_removed_deployer_is_told_what_it_is() {
    let (_, seen) = newcomer().await;
    let governed = as_newcomer(&seen).governed();
    let state = governed.snapshot(soon()).await.unwrap();
    let name = "billing".parse().unwrap();
    let refused = governed.would(&state.state, &Command::DeleteApplication(name)).unwrap_err();
    assert!(refused.0[0].detail.contains("deploys no application, or none any more"), "{refused:?}");
}

#[tokio::test]
async fn a_newcomer_may_ask_for_nothing_but_an_application() {
    let (_, seen) = newcomer().await;
    let known = as_newcomer(&seen).governed();
    let state = known.snapshot(soon()).await.unwrap();
    let refused = known.would(&state.state, &Command::DestroyEnvironment(())).unwrap_err();
    assert_eq!(refused.0[0].summary, "Not yours to decide");
}

//! Teams that change their application with credentials of their own.

use std::sync::Arc;

use super::{
    Json, MailboxOf, Principal, billing, governed_cluster, json, newcomers::as_newcomer, nothing, platform, rules,
    soon, status,
};
use crate::{clients::memory::MemoryCluster, framework::Stored, resources::testing::Run};

/// A team with credentials of its own, and what it filed: another principal.
async fn filed() -> (Arc<MemoryCluster>, impl Fn() -> Run, Json, Stored) {
    let cluster = governed_cluster().await;
    let mut config = billing();
    config["deployers"] = json!(["User:billing-ci"]);
    let stored = platform(&cluster).applied(&nothing(), &config).await;
    let seen = Arc::new(cluster.seen_by(Principal::user("billing-ci")));
    let run = move || as_newcomer(&seen);
    config["principals"] = json!(["User:billing", "User:more"]);
    let planned = run().plan(&stored, &config).await;
    let filed = run().apply(&stored, planned.planned, &config).await;
    assert!(!filed.diagnostics.has_errors(), "{:?}", filed.diagnostics);
    (cluster, run, config, filed.stored)
}

/// What the team files is not done yet, and to wait for the platform is no change.
#[tokio::test]
async fn what_a_deployer_changes_is_made_by_the_platform() {
    let (cluster, run, config, filed) = filed().await;
    assert_eq!(status(&filed), &"requested".into());
    let is_made = async || rules(&cluster).await.iter().any(|it| it.principal == Principal::user("more"));
    assert!(!is_made().await, "a letter does nothing by itself");
    let governed = platform(&cluster).governed();
    for expected in ["requested", "approved"] {
        let waiting = run().read(&filed).await;
        assert_eq!(status(&waiting.stored), &expected.into());
        let again = run().plan(&waiting.stored, &config).await;
        assert_eq!(again.planned.state, waiting.stored.state, "to wait is no change");
        governed.fold(&MailboxOf::Application("billing".parse().unwrap()), soon()).await.unwrap();
    }
    governed.provision(&"billing".parse().unwrap(), soon()).await.unwrap();
    let done = run().read(&filed).await;
    assert_eq!((status(&done.stored), is_made().await), (&"ready".into(), true));
}

#[tokio::test]
async fn a_deployer_is_told_why_its_change_was_refused() {
    let (cluster, run, _, filed) = filed().await;
    let mut other = billing();
    other["name"] = json!("bills");
    other["principals"] = json!(["User:more"]);
    platform(&cluster).applied(&nothing(), &other).await;
    platform(&cluster).governed().fold(&MailboxOf::Application("billing".parse().unwrap()), soon()).await.unwrap();
    let of = |it: &crate::framework::Diagnostics| {
        it.0.iter().find(|it| it.summary == "Change refused").map(|it| it.detail.clone())
    };
    let refused = run().read(&filed).await;
    assert!(of(&refused.diagnostics).is_some_and(|it| it.contains("`bills`")), "{:?}", refused.diagnostics);
    let again = run().read(&refused.stored).await;
    assert_eq!(of(&again.diagnostics), None, "once it is kept in the state");
}

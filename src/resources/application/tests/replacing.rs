//! What a new name, `-replace` and `create_before_destroy` would do.

use std::sync::Arc;

use super::{
    Acting, Json, PlanResponse, Run, Severity, Stored, Value, billing, governed_cluster, json, nothing, platform,
    quiet, status, told,
};
use crate::clients::memory::MemoryCluster;

/// Rule 13 of Terraform's core: no order of deletions makes a new name come true with the topics kept.
#[tokio::test]
async fn an_application_with_topics_is_neither_renamed_nor_replaced() {
    let cluster = governed_cluster().await;
    let stored = platform(&cluster).applied(&nothing(), &billing()).await;
    let topics = Run::on(&cluster, "topic", Acting::default());
    topics.applied(&nothing(), &json!({ "name": "billing.invoices", "partitions": 1 })).await;
    let mut renamed = billing();
    renamed["name"] = "invoicing".into();
    let plan = platform(&cluster).plan(&stored, &renamed).await;
    told(&plan.diagnostics, Severity::Error, "Application in use", "transfer");
    let plan = replacement(&cluster, &stored, &billing()).await;
    told(&plan.diagnostics, Severity::Error, "Application in use", "`billing.invoices`");
}

/// The plan of core's second call, in which what is replaced is gone but for what the first one left.
async fn replacement(cluster: &Arc<MemoryCluster>, stored: &Stored, config: &Json) -> PlanResponse {
    let run = platform(cluster);
    let first = run.plan(stored, config).await;
    quiet(&first.diagnostics);
    run.plan(&Stored { private: first.planned.private, ..nothing() }, config).await
}

/// Rule 2 of Terraform's core: `create_before_destroy` deletes after creating, perhaps the same thing.
#[tokio::test]
async fn an_application_is_not_made_before_the_one_that_it_replaces_is_gone() {
    let cluster = governed_cluster().await;
    let stored = platform(&cluster).applied(&nothing(), &billing()).await;
    for name in ["billing", "invoicing"] {
        let mut config = billing();
        config["name"] = name.into();
        let plan = replacement(&cluster, &stored, &config).await;
        told(&plan.diagnostics, Severity::Warning, "Application replaced", "`create_before_destroy`");
        let early = platform(&cluster).apply(&nothing(), plan.planned.clone(), &config).await;
        assert!(early.diagnostics.has_errors() && early.stored.state == Value::Null, "{name}: {early:?}");
        // What is there stays, and in the other order it comes true.
        quiet(&platform(&cluster).read(&stored).await.diagnostics);
        if name == "invoicing" {
            let run = platform(&cluster);
            quiet(&run.destroy(&stored).await.diagnostics);
            let made = run.apply(&nothing(), plan.planned, &config).await;
            quiet(&made.diagnostics);
            assert_eq!(status(&made.stored), &"ready".into());
        }
    }
}

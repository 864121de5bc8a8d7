//! Topics that are not to be deleted.

use serde_json::Value as Json;

use super::{Run, config, nothing, orders, told, topic_name};
use crate::{
    clients::kafka::{Kafka, KafkaError},
    framework::{Severity, Stored, Value},
    resources::testing::{quiet, soon},
};

#[tokio::test]
async fn a_protected_topic_is_not_deleted() {
    let run = Run::new();
    let protected = config([("name", "orders".into()), ("deletion_protection", true.into())]);
    let stored = run.applied(&nothing(), &protected).await;
    let plan = run.plan_end(&stored).await;
    told(&plan.diagnostics, Severity::Error, "Topic is protected");
    // A removed block has no address that could be shown, and a tainted topic no configuration that lifts anything.
    for phrase in ["`orders`", "`untaint`"] {
        assert!(plan.diagnostics.0[0].detail.contains(phrase), "{phrase}: {:?}", plan.diagnostics);
    }
    // Whatever was planned, the deed asks again.
    let outcome = run.destroy(&stored).await;
    told(&outcome.diagnostics, Severity::Error, "Topic is protected");
    assert_eq!(outcome.stored, Stored::default());
}

/// Rule 22 of Terraform's core: when the line is gone, only the state counts.
#[tokio::test]
async fn protection_holds_when_its_line_is_removed() {
    let run = Run::new();
    let protected = config([("name", "orders".into()), ("deletion_protection", true.into())]);
    let stored = run.applied(&nothing(), &protected).await;
    let plan = run.next().plan(&stored, &config([("name", "orders".into())])).await;
    quiet(&plan.diagnostics);
    assert_eq!(plan.planned.state.attribute("deletion_protection"), &true.into());
}

/// Rule 1 of Terraform's core: the second plan of a replacement looks like a create, and only what the first one left
/// tells it.
#[tokio::test]
async fn a_protected_topic_is_not_replaced() {
    let run = Run::new();
    let protected = |name: &str| config([("name", name.into()), ("deletion_protection", true.into())]);
    let stored = run.applied(&nothing(), &protected("orders")).await;
    let run = run.next();
    let renamed = run.plan(&stored, &protected("orders.v2")).await;
    told(&renamed.diagnostics, Severity::Error, "Topic is protected");
    // `-replace`: nothing changes in the first plan, and the second has no prior state.
    let first = run.plan(&stored, &protected("orders")).await;
    quiet(&first.diagnostics);
    let marked = Stored { private: first.planned.private, ..nothing() };
    let second = Run::on(&run.cluster).plan(&marked, &protected("orders")).await;
    told(&second.diagnostics, Severity::Error, "Topic is protected");
    assert!(second.diagnostics.0[0].detail.contains("`orders`"), "{second:?}");
}

/// Rule 22 of Terraform's core: a rename that lifts the protection in the same change works.
#[tokio::test]
async fn a_rename_may_lift_the_protection() {
    let run = Run::new();
    let declared =
        |name: &str, protected: bool| config([("name", name.into()), ("deletion_protection", protected.into())]);
    let stored = run.applied(&nothing(), &declared("orders", true)).await;
    let first = run.plan(&stored, &declared("orders.v2", false)).await;
    quiet(&first.diagnostics);
    assert_eq!(first.replace, vec!["name".into()]);
    let marked = Stored { private: first.planned.private, ..nothing() };
    let second = run.plan(&marked, &declared("orders.v2", false)).await;
    quiet(&second.diagnostics);
    let next = Run::on(&run.cluster);
    let half = Stored { state: Value::Null, private: second.planned.private.clone(), identity: Value::Null };
    quiet(&next.apply(&stored, half, &Json::Null).await.diagnostics);
    assert_eq!(run.actual("orders").await, None);
    quiet(&next.apply(&nothing(), second.planned, &declared("orders.v2", false)).await.diagnostics);
    assert!(run.actual("orders.v2").await.is_some());
}

/// A failed update leaves the facts of the prior state, or the protection that it was to lift would be gone.
#[tokio::test]
async fn a_failed_update_lifts_no_protection() {
    let run = Run::new();
    let declared = |protected: bool, partitions: i64| {
        config([
            ("name", "orders".into()),
            ("partitions", partitions.into()),
            ("deletion_protection", protected.into()),
        ])
    };
    let stored = run.applied(&nothing(), &declared(true, 3)).await;
    let planned = run.plan(&stored, &declared(false, 6)).await.planned;
    run.cluster.fail_next(KafkaError::Deadline("growing".to_owned()));
    let outcome = run.apply(&stored, planned.clone(), &declared(false, 6)).await;
    told(&outcome.diagnostics, Severity::Error, "Time is up");
    assert_eq!(outcome.stored, Stored::default());
    // Even facts that an older plan left release nothing.
    let left = Stored { private: planned.private, ..stored };
    told(&run.plan_end(&left).await.diagnostics, Severity::Error, "Topic is protected");
}

/// Rule 2 of Terraform's core: with `create_before_destroy` the delete comes after the create of the same name.
#[tokio::test]
async fn what_this_run_created_is_not_deleted() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(3)).await;
    let outcome = run.destroy(&stored).await;
    told(&outcome.diagnostics, Severity::Warning, "Topic not deleted");
    assert!(run.actual("orders").await.is_some());
}

/// Rule 2 of Terraform's core: another topic of the same name holds other data.
#[tokio::test]
async fn a_topic_made_anew_outside_is_not_deleted() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(3)).await;
    run.cluster.delete_topic(&topic_name("orders"), None, soon()).await.unwrap();
    run.make("orders", 3).await;
    let next = Run::on(&run.cluster);
    told(&next.read(&stored).await.diagnostics, Severity::Warning, "Topic was made anew outside");
    let outcome = next.destroy(&stored).await;
    told(&outcome.diagnostics, Severity::Error, "Topic was made anew outside");
    assert!(run.actual("orders").await.is_some());
}

//! Topics of a team whose deployers may only ask.

use serde_json::json;

use super::*;
use crate::{
    clients::kafka::Log,
    framework::PlanResponse,
    governance::{
        acl::Principal,
        command::{Command, TopicFound},
        mailbox::MailboxOf,
        policy::{Limits, Policy, TopicPolicy},
    },
    resources::testing::{change_policy, governed_by, quiet, told},
};

fn policy(most: i64) -> Policy {
    let partitions = Limits { min: None, max: Some(most), default: Some(2) };
    Policy { topics: TopicPolicy { partitions, ..TopicPolicy::default() }, ..Policy::default() }
}

/// A cluster on which `User:ci` deploys the application `billing`.
async fn cluster() -> Arc<MemoryCluster> {
    let cluster = governed_by(policy(12)).await;
    let billing = json!({
        "name": "billing", "owner": { "team": "b" }, "principals": ["User:billing"], "deployers": ["User:ci"],
        "prefixes": { "topic": ["billing."] },
    });
    let platform = testing::Run::on(&cluster, "application", Acting::default());
    platform.applied(&nothing(), &billing).await;
    cluster
}

/// One run of the team, with no other rights than its own.
fn team(cluster: &Arc<MemoryCluster>) -> testing::Run {
    let ci = Principal::user("ci");
    let kafka: Arc<dyn Kafka> = Arc::new(cluster.seen_by(ci.clone()));
    let environment = Environment::new("dev", kafka).acting(Arc::new(Acting::default()), Some(ci));
    testing::Run::with(Context::new([environment], None), "topic")
}

/// The platform folds what was filed.
async fn fold(cluster: &Arc<MemoryCluster>) {
    let governed = testing::Run::on(cluster, "topic", Acting::default()).governed();
    governed.fold(&MailboxOf::Application("billing".parse().unwrap()), soon()).await.unwrap();
}

/// The platform makes a topic that was asked for.
async fn make(cluster: &Arc<MemoryCluster>, partitions: i32) {
    let name: TopicName = "billing.invoices".parse().unwrap();
    if cluster.describe_topic(&name, soon()).await.unwrap().is_some() {
        cluster.grow_partitions(&name, partitions, soon()).await.unwrap();
    } else {
        let (partitions, replication_factor) = (Some(partitions), Some(1));
        let config = BTreeMap::new();
        let spec = TopicSpec { name: name.clone(), partitions, replication_factor, config };
        cluster.create_topic(&spec, soon()).await.unwrap();
    }
    let governed = testing::Run::on(cluster, "topic", Acting::default()).governed();
    governed.command(Command::MarkTopicCreated(TopicFound::new(name, None)), soon()).await.unwrap();
}

fn status(stored: &Stored) -> &Value {
    stored.state.attribute("status")
}

/// What a refresh leaves, which changes nothing in a plan.
async fn refreshed(cluster: &Arc<MemoryCluster>, stored: &Stored, config: &Json) -> Stored {
    let run = team(cluster);
    let outcome = run.read(stored).await;
    quiet(&outcome.diagnostics);
    let PlanResponse { planned, diagnostics, .. } = run.plan(&outcome.stored, config).await;
    quiet(&diagnostics);
    assert_eq!(planned.state, outcome.stored.state, "the second plan is empty");
    outcome.stored
}

#[tokio::test]
async fn a_topic_is_requested_until_the_platform_made_it() {
    let cluster = cluster().await;
    let config = json!({ "name": "billing.invoices", "partitions": 3 });
    let stored = team(&cluster).applied(&nothing(), &config).await;
    assert_eq!(status(&stored), &"requested".into());
    assert_eq!(stored.state.attribute("partitions"), &Value::from(3));
    let name: TopicName = "billing.invoices".parse().unwrap();
    assert!(cluster.describe_topic(&name, soon()).await.unwrap().is_none(), "a deployer makes nothing");
    let stored = refreshed(&cluster, &stored, &config).await;
    assert_eq!(status(&stored), &"requested".into(), "it is in the mailbox");
    fold(&cluster).await;
    let stored = refreshed(&cluster, &stored, &config).await;
    assert_eq!(status(&stored), &"requested".into(), "it is in the journal");
    make(&cluster, 3).await;
    let stored = refreshed(&cluster, &stored, &config).await;
    assert_eq!(status(&stored), &"ready".into());
    let larger = json!({ "name": "billing.invoices", "partitions": 6 });
    let stored = team(&cluster).applied(&stored, &larger).await;
    assert_eq!(status(&stored), &"requested".into());
    let stored = refreshed(&cluster, &stored, &larger).await;
    assert_eq!(stored.state.attribute("partitions"), &Value::from(6), "what was asked for counts as done");
    fold(&cluster).await;
    make(&cluster, 6).await;
    let stored = refreshed(&cluster, &stored, &larger).await;
    assert_eq!(status(&stored), &"ready".into());
}

#[tokio::test]
async fn what_nobody_declares_comes_from_the_rules() {
    let cluster = cluster().await;
    let config = json!({ "name": "billing.invoices" });
    let stored = team(&cluster).applied(&nothing(), &config).await;
    assert_eq!(stored.state.attribute("partitions"), &Value::from(2));
    fold(&cluster).await;
    let stored = refreshed(&cluster, &stored, &config).await;
    make(&cluster, 2).await;
    refreshed(&cluster, &stored, &config).await;
}

#[tokio::test]
async fn a_refusal_is_told_and_asked_for_once_more() {
    let cluster = cluster().await;
    let config = json!({ "name": "billing.invoices", "partitions": 9 });
    let stored = team(&cluster).applied(&nothing(), &config).await;
    change_policy(&cluster, policy(4)).await;
    fold(&cluster).await;
    let run = team(&cluster);
    let seen = run.read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Topic refused", "the environment permits at most 4");
    assert_eq!(status(&seen.stored), &"refused".into());
    let fewer = json!({ "name": "billing.invoices", "partitions": 9, "capacity": { "disk_bytes": 1 } });
    let again = team(&cluster).plan(&seen.stored, &fewer).await;
    assert!(again.planned.state.attribute("status").is_unknown(), "{again:?}");
    change_policy(&cluster, policy(12)).await;
    let run = team(&cluster);
    let planned = run.plan(&seen.stored, &config).await;
    let outcome = run.apply(&seen.stored, planned.planned, &config).await;
    quiet(&outcome.diagnostics);
    fold(&cluster).await;
    let stored = refreshed(&cluster, &outcome.stored, &config).await;
    assert_eq!(status(&stored), &"requested".into());
}

/// What is asked for once more may be less than what was refused: none of that is there.
#[tokio::test]
async fn what_the_brokers_refuse_is_told_and_asked_for_otherwise() {
    let cluster = cluster().await;
    let make = || async {
        let governed = testing::Run::on(&cluster, "topic", Acting::default()).governed();
        governed.make_topic(&"billing.invoices".parse().unwrap(), soon()).await
    };
    let wrong = json!({
        "name": "billing.invoices", "partitions": 9, "replication_factor": 3, "config": { "retention.ms": "1000" },
    });
    let stored = team(&cluster).applied(&nothing(), &wrong).await;
    fold(&cluster).await;
    make().await.unwrap_err();
    let seen = team(&cluster).read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Topic refused", "there are 1 brokers");
    assert_eq!(status(&seen.stored), &"refused".into());
    let right = json!({ "name": "billing.invoices", "partitions": 3, "config": { "retention.ms": "1000" } });
    let stored = team(&cluster).applied(&seen.stored, &right).await;
    assert_eq!(status(&stored), &"requested".into());
    let stored = refreshed(&cluster, &stored, &right).await;
    fold(&cluster).await;
    make().await.unwrap();
    let stored = refreshed(&cluster, &stored, &right).await;
    assert_eq!((status(&stored), stored.state.attribute("partitions")), (&"ready".into(), &Value::from(3)));
    let larger = json!({ "name": "billing.invoices", "partitions": 6, "config": { "segment.ms": "soon" } });
    let stored = team(&cluster).applied(&stored, &larger).await;
    fold(&cluster).await;
    make().await.unwrap_err();
    let seen = team(&cluster).read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Topic refused", "segment.ms");
    // The partitions were made.
    let back = json!({ "name": "billing.invoices", "partitions": 6 });
    let stored = team(&cluster).applied(&seen.stored, &back).await;
    fold(&cluster).await;
    make().await.unwrap();
    let stored = refreshed(&cluster, &stored, &back).await;
    assert_eq!(status(&stored), &"ready".into());
}

#[tokio::test]
async fn the_platform_goes_by_the_cluster_and_not_by_a_refusal() {
    let cluster = cluster().await;
    let stored = team(&cluster).applied(&nothing(), &json!({ "name": "billing.invoices", "partitions": 9 })).await;
    change_policy(&cluster, policy(4)).await;
    fold(&cluster).await;
    let seen = testing::Run::on(&cluster, "topic", Acting::default()).read(&stored).await;
    quiet(&seen.diagnostics);
    assert!(seen.stored.state.is_null(), "it was never made");
}

#[tokio::test]
async fn the_end_of_a_topic_is_asked_for() {
    let cluster = cluster().await;
    let config = json!({ "name": "billing.invoices", "partitions": 3 });
    let stored = team(&cluster).applied(&nothing(), &config).await;
    fold(&cluster).await;
    make(&cluster, 3).await;
    let stored = refreshed(&cluster, &stored, &config).await;
    let outcome = team(&cluster).destroy(&stored).await;
    quiet(&outcome.diagnostics);
    let name: TopicName = "billing.invoices".parse().unwrap();
    assert!(cluster.describe_topic(&name, soon()).await.unwrap().is_some(), "a deployer deletes nothing");
    fold(&cluster).await;
    let governed = testing::Run::on(&cluster, "topic", Acting::default()).governed();
    let known = governed.snapshot(soon()).await.unwrap();
    assert_eq!(known.state.topic(&name).unwrap().status.word(), "deleting");
}

/// Rule 1 of governance: what a team may not have is refused before it is asked for.
#[tokio::test]
async fn nothing_is_filed_that_the_rules_refuse_already() {
    let cluster = cluster().await;
    let mailbox: TopicName = "_selfserve.mailbox.billing".parse().unwrap();
    let config = json!({ "name": "billing.invoices", "partitions": 40 });
    let planned = team(&cluster).plan(&nothing(), &config).await;
    told(&planned.diagnostics, Severity::Error, "Number of partitions refused", "permits at most 12");
    assert_eq!(cluster.read_log(&mailbox, 0, soon()).await.unwrap().records, vec![]);
}

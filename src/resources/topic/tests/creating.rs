//! Topics that are made, and those that are there already.

use std::sync::Arc;

use super::{Run, config, nothing, orders, told, topic_name};
use crate::{
    clients::{
        kafka::{Acls, Kafka, KafkaError},
        memory::MemoryCluster,
    },
    framework::{Severity, Stored, Value},
    governance::acl::Principal,
    resources::testing::{quiet, soon},
};

/// Rule 1 of Terraform's core: the topic may be gone by the time of the apply.
#[tokio::test]
async fn an_existing_topic_is_a_warning_in_the_plan_and_an_error_in_apply() {
    let run = Run::new();
    run.make("orders", 4).await;
    let planned = run.plan(&nothing(), &orders(3)).await;
    told(&planned.diagnostics, Severity::Warning, "Topic already exists");
    let outcome = run.apply(&nothing(), planned.planned, &orders(3)).await;
    told(&outcome.diagnostics, Severity::Error, "Topic already exists");
    assert_eq!(outcome.stored.state, Value::Null);
}

#[tokio::test]
async fn an_interrupted_create_is_resumed_if_nothing_can_be_lost() {
    let run = Run::new();
    run.make("orders", 3).await;
    let planned = run.plan(&nothing(), &orders(3)).await;
    told(&planned.diagnostics, Severity::Warning, "Topic already exists");
    assert!(planned.diagnostics.0[0].detail.contains("empty and exactly as planned"), "{planned:?}");
    let planned = planned.planned;
    let outcome = run.apply(&nothing(), planned.clone(), &orders(3)).await;
    told(&outcome.diagnostics, Severity::Warning, "Topic taken over");
    assert_eq!(outcome.stored.state.attribute("id"), &"dev/orders".into());
    run.cluster.write(&topic_name("orders"));
    let outcome = Run::on(&run.cluster).apply(&nothing(), planned, &orders(3)).await;
    told(&outcome.diagnostics, Severity::Error, "Topic already exists");
}

/// Rule 1 of Terraform's core: state beside an error would taint the topic, and the next apply would delete its data.
#[tokio::test]
async fn a_create_that_fails_leaves_no_state() {
    let run = Run::new();
    let planned = run.plan(&nothing(), &orders(3)).await.planned;
    run.cluster.cluster(soon()).await.unwrap();
    run.cluster.fail_next(KafkaError::Deadline("creating".to_owned()));
    let outcome = run.apply(&nothing(), planned, &orders(3)).await;
    told(&outcome.diagnostics, Severity::Error, "Time is up");
    assert_eq!(outcome.stored.state, Value::Null);
}

#[tokio::test]
async fn two_topics_of_one_name_are_refused() {
    let run = Run::new();
    quiet(&run.plan(&nothing(), &orders(3)).await.diagnostics);
    told(&run.plan(&nothing(), &orders(3)).await.diagnostics, Severity::Error, "Topic planned twice");
}

/// Rule 1 of Terraform's core: to remove either block would delete the data of both, so that not even one that nobody
/// changes may stand beside another.
#[tokio::test]
async fn a_second_resource_beside_one_in_the_state_is_refused() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(3)).await;
    let next = run.next();
    quiet(&next.plan(&stored, &orders(3)).await.diagnostics);
    let second = next.plan(&nothing(), &orders(3)).await.diagnostics;
    let summaries: Vec<_> = second.0.iter().map(|it| (it.severity, it.summary.as_str())).collect();
    let twice = (Severity::Error, "Topic planned twice");
    assert_eq!(summaries, [twice, (Severity::Warning, "Topic already exists")]);
    // The engine may ask in the other order, and the second block may be in the state by now.
    let next = run.next();
    assert!(!next.plan(&nothing(), &orders(3)).await.diagnostics.has_errors());
    told(&next.plan(&stored, &orders(3)).await.diagnostics, twice.0, twice.1);
    told(&next.plan(&stored, &orders(6)).await.diagnostics, twice.0, twice.1);
}

/// Rule 1 of Terraform's core: the two plans of a replacement have one topic, even where only the second is a create.
#[tokio::test]
async fn a_replacement_on_request_is_planned_once() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(3)).await;
    let next = run.next();
    let first = next.plan(&stored, &orders(3)).await;
    quiet(&first.diagnostics);
    let marked = Stored { private: first.planned.private, ..nothing() };
    let second = next.plan(&marked, &orders(3)).await;
    quiet(&second.diagnostics);
    let other = next.plan(&nothing(), &orders(3)).await.diagnostics;
    assert_eq!(other.0[0].summary, "Topic planned twice");
    // A replacement gives its name away, and another resource may take it.
    let next = run.next();
    quiet(&next.plan(&stored, &config([("name", "orders.v2".into())])).await.diagnostics);
    assert!(!next.plan(&nothing(), &orders(3)).await.diagnostics.has_errors());
}

/// Rule 3 of Terraform's core: the name of an environment is local, and two of them may be one cluster.
#[tokio::test]
async fn two_environments_of_one_cluster_have_one_topic_of_a_name() {
    let run = Run::new();
    let within = |environment: &str| {
        config([("name", "orders".into()), ("partitions", 3.into()), ("environment", environment.into())])
    };
    let both = run.twofold();
    let first = both.plan(&nothing(), &within("dev")).await;
    quiet(&first.diagnostics);
    told(&both.plan(&nothing(), &within("twin")).await.diagnostics, Severity::Error, "Topic planned twice");
    // Whatever was planned, what this run made is no leftover.
    let second = run.twofold().plan(&nothing(), &within("twin")).await.planned;
    let stored = both.apply(&nothing(), first.planned, &within("dev")).await.stored;
    let outcome = both.apply(&nothing(), second, &within("twin")).await;
    told(&outcome.diagnostics, Severity::Error, "Topic already exists");
    assert_eq!(outcome.stored.state, Value::Null);
    // The cluster of what is in the state is known without asking.
    let both = run.twofold();
    let asked = || run.cluster.calls().iter().filter(|it| **it == "cluster").count();
    let before = asked();
    quiet(&both.plan(&stored, &within("dev")).await.diagnostics);
    assert_eq!(asked(), before);
    let second = both.plan(&nothing(), &within("twin")).await.diagnostics;
    assert_eq!(second.0[0].summary, "Topic planned twice");
}

#[tokio::test]
async fn the_brokers_refusal_turns_the_plan_red_at_the_attribute() {
    let run = Run::new();
    let declared = config([("name", "orders".into()), ("replication_factor", 3.into())]);
    let planned = run.plan(&nothing(), &declared).await;
    told(&planned.diagnostics, Severity::Error, "Refused by the broker");
    assert_eq!(planned.diagnostics.0[0].path, Some("replication_factor".into()));
}

/// Rule 14 of Terraform's core: rights may be made in the same run.
#[tokio::test]
async fn a_missing_right_is_a_warning_in_the_plan() {
    let run = Run::new();
    run.cluster.deny("CREATE", &topic_name("orders"));
    told(&run.plan(&nothing(), &orders(3)).await.diagnostics, Severity::Warning, "Not checked by the broker");
}

#[tokio::test]
async fn names_that_metrics_confuse_are_refused_in_one_plan() {
    let run = Run::new();
    quiet(&run.plan(&nothing(), &config([("name", "a.b".into())])).await.diagnostics);
    let second = run.plan(&nothing(), &config([("name", "a_b".into())])).await;
    told(&second.diagnostics, Severity::Error, "Topic planned twice");
}

#[test]
fn impossible_values_are_refused_without_a_cluster() {
    let run = Run::new();
    let declared = config([("name", "__orders".into()), ("partitions", 0.into()), ("replication_factor", 0.into())]);
    let wrong = run.validate(&declared);
    let told: Vec<_> = wrong.0.iter().map(|it| (it.summary.as_str(), it.path.clone())).collect();
    let expected = [
        ("Internal topic", Some("name".into())),
        ("Invalid number of partitions", Some("partitions".into())),
        ("Invalid replication factor", Some("replication_factor".into())),
    ];
    assert_eq!(told, expected);
    // What cannot be parsed hides nothing of the rest.
    let broken = config([("name", "a b".into()), ("partitions", 0.into()), ("replication_factor", 0.into())]);
    assert_eq!(run.validate(&broken).0.len(), 3);
    let huge = run.validate(&config([("name", "orders".into()), ("partitions", 1_000_000_000.into())]));
    assert_eq!(huge.0[0].path, Some("partitions".into()));
}

/// A topic that is there and not in the state would be in everybody's way.
#[tokio::test]
async fn a_topic_that_could_not_be_told_is_not_made() {
    let cluster = Arc::new(MemoryCluster::new(1));
    let maker = Principal::user("maker");
    let rules = ["TOPIC|LITERAL|orders|User:maker|*|CREATE|ALLOW".parse().unwrap()];
    cluster.create_acls(&rules, soon()).await.unwrap();
    let run = Run::on(&Arc::new(cluster.seen_by(maker)));
    let config = config([("name", "orders".into()), ("partitions", 1.into())]);
    let planned = run.plan(&nothing(), &config).await;
    let outcome = run.apply(&nothing(), planned.planned, &config).await;
    told(&outcome.diagnostics, Severity::Error, "Topic could not be seen");
    assert!(cluster.describe_topic(&topic_name("orders"), soon()).await.unwrap().is_none());
}

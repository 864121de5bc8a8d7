//! In which environment a topic is, and on which cluster.

use std::sync::Arc;

use super::{Run, config, nothing, orders, told};
use crate::{
    clients::{kafka::Kafka, memory::MemoryCluster},
    framework::{Severity, Stored, Value},
    provider::{Context, Environment},
    resources::testing::quiet,
};

/// Rule 3 of Terraform's core: the name of an environment is local, and its change must not destroy topics.
#[tokio::test]
async fn a_renamed_environment_changes_in_place() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(3)).await;
    let kafka: Arc<dyn Kafka> = run.cluster.clone();
    let renamed = Run::with(&run.cluster, Context::new([Environment::new("pre", kafka)], None));
    let seen = renamed.read(&stored).await;
    quiet(&seen.diagnostics);
    let silent = renamed.plan(&seen.stored, &orders(3)).await;
    told(&silent.diagnostics, Severity::Error, "Environment renamed");
    let written = config([("name", "orders".into()), ("partitions", 3.into()), ("environment", "pre".into())]);
    let stored = renamed.applied(&seen.stored, &written).await;
    assert_eq!(stored.state.attribute("id"), &"pre/orders".into());
    assert_eq!(stored.identity, seen.stored.identity);
}

/// Rule 3 of Terraform's core: another cluster is another topic.
#[tokio::test]
async fn another_cluster_replaces() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(3)).await;
    let other: Arc<dyn Kafka> = Arc::new(MemoryCluster::new(2));
    let kafka: Arc<dyn Kafka> = run.cluster.clone();
    let environments = [Environment::new("dev", kafka), Environment::new("pro", other)];
    let both = Run::with(&run.cluster, Context::new(environments, Some("dev".to_owned())));
    let moved = config([("name", "orders".into()), ("partitions", 3.into()), ("environment", "pro".into())]);
    let planned = both.plan(&stored, &moved).await;
    quiet(&planned.diagnostics);
    assert_eq!(planned.replace, vec!["environment".into()]);
}

/// Rule 3 of Terraform's core: nothing is concluded from a cluster that is not the topic's.
#[tokio::test]
async fn another_cluster_behind_the_same_name_is_an_error() {
    let run = Run::new();
    let mut stored = run.applied(&nothing(), &orders(3)).await;
    let Value::Object(attributes) = &mut stored.state else { unreachable!("a state is an object") };
    attributes.insert("cluster_id".to_owned(), "elsewhere".into());
    let outcome = run.read(&stored).await;
    told(&outcome.diagnostics, Severity::Error, "Environment is another cluster");
    assert_eq!(outcome.stored.state, stored.state);
}

/// Rule 3 of Terraform's core: a saved plan may meet another cluster under the same name.
#[tokio::test]
async fn nothing_is_changed_in_another_cluster() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(3)).await;
    let planned = run.plan(&stored, &orders(6)).await.planned;
    let elsewhere = Run::on(&Arc::new(MemoryCluster::new(2)));
    elsewhere.make("orders", 3).await;
    told(&elsewhere.plan(&stored, &orders(6)).await.diagnostics, Severity::Error, "Environment is another cluster");
    let outcome = elsewhere.apply(&stored, planned, &orders(6)).await;
    told(&outcome.diagnostics, Severity::Error, "Environment is another cluster");
    assert_eq!(elsewhere.actual("orders").await.unwrap().partitions, 3);
}

/// Rule 15 of Terraform's core: a provider that is not known yet leaves everything as it is, and releases nothing.
#[tokio::test]
async fn an_unknown_provider_keeps_what_is_stored_and_protected() {
    let run = Run::new();
    let protected = |name: &str| config([("name", name.into()), ("deletion_protection", true.into())]);
    let stored = run.applied(&nothing(), &protected("orders")).await;
    let what = "`environments` of the provider block".to_owned();
    let unknown = Run::with(&run.cluster, Context::unknown(what));
    let seen = unknown.read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Provider configuration not known yet");
    assert_eq!(seen.stored, stored);
    let same = unknown.plan(&stored, &protected("orders")).await;
    assert_eq!(same.planned.state, stored.state);
    assert!(!same.diagnostics.has_errors());
    let renamed = unknown.plan(&stored, &protected("orders.v2")).await.diagnostics;
    assert!(renamed.0.iter().any(|it| it.summary == "Topic is protected"), "{renamed:?}");
    let created = unknown.plan(&nothing(), &protected("new")).await;
    assert_eq!(created.planned.state.attribute("environment"), &Value::UNKNOWN);
    let imported = unknown.import("orders").await;
    told(&imported.diagnostics, Severity::Error, "Provider configuration not known yet");
}

/// Rule 3 of Terraform's core: the topic stays where it was created, and a new one takes its place there.
#[tokio::test]
async fn another_default_environment_moves_nothing() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(3)).await;
    let kafka: Arc<dyn Kafka> = run.cluster.clone();
    let other: Arc<dyn Kafka> = Arc::new(MemoryCluster::new(2));
    let environments = [Environment::new("dev", kafka), Environment::new("pro", other)];
    let both = Run::with(&run.cluster, Context::new(environments, Some("pro".to_owned())));
    let planned = both.plan(&stored, &orders(3)).await;
    told(&planned.diagnostics, Severity::Warning, "Environment is not the default");
    assert_eq!(planned.planned.state, stored.state);
    let renamed = config([("name", "orders.v2".into()), ("partitions", 3.into())]);
    let first = both.plan(&stored, &renamed).await;
    let marked = Stored { private: first.planned.private, ..nothing() };
    let second = both.plan(&marked, &renamed).await;
    assert_eq!(second.planned.state.attribute("id"), &"dev/orders.v2".into());
}

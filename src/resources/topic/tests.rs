//! The resource on a cluster in memory, asked as Terraform asks.

mod governed;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    clients::{
        kafka::{ConnectProblem, Kafka, KafkaError, Topic},
        memory::MemoryCluster,
    },
    framework::{
        ApplyRequest, Diagnostics, DynResource, Import, Outcome, PlanRequest, PlanResponse, Private, Provider,
        Severity, Stored, Value,
    },
    governance::topic::{TopicName, TopicSpec},
    provider::{Context, Environment, KafkaProvider},
};

/// One run of Terraform: a context, and the resource.
struct Run {
    cluster: Arc<MemoryCluster>,
    ctx: Context,
    topic: Box<dyn DynResource<Context>>,
}

impl Run {
    fn new() -> Self {
        Self::on(&Arc::new(MemoryCluster::new(1)))
    }

    /// A new process on the same cluster.
    fn on(cluster: &Arc<MemoryCluster>) -> Self {
        let kafka: Arc<dyn Kafka> = cluster.clone();
        Self::with(cluster, Context::new([Environment::new("dev", kafka)], None))
    }

    /// The same cluster in the next walk of Terraform, in which each topic is planned once.
    fn next(&self) -> Self {
        Self::on(&self.cluster)
    }

    /// A provider whose environments all lead to the cluster.
    fn twofold(&self) -> Self {
        let environment = |name: &str| Environment::new(name, self.cluster.clone());
        Self::with(&self.cluster, Context::new(["dev", "twin"].map(environment), Some("dev".to_owned())))
    }

    fn with(cluster: &Arc<MemoryCluster>, ctx: Context) -> Self {
        let topic = KafkaProvider::registry().resources.remove("topic").unwrap();
        Self { cluster: cluster.clone(), ctx, topic }
    }

    async fn plan(&self, prior: &Stored, config: Value) -> PlanResponse {
        self.topic.plan(&self.ctx, PlanRequest { prior: prior.clone(), config }).await
    }

    async fn apply(&self, prior: &Stored, planned: Stored, config: Value) -> Outcome {
        self.topic.apply(&self.ctx, ApplyRequest { prior: prior.state.clone(), planned, config }).await
    }

    async fn read(&self, stored: Stored) -> Outcome {
        self.topic.read(&self.ctx, stored).await
    }

    /// Plans, plans again as apply does, and applies; all of it without a message.
    async fn applied(&self, prior: &Stored, config: Value) -> Stored {
        let planned = self.plan(prior, config.clone()).await;
        quiet(&planned.diagnostics);
        assert_eq!(planned.replace, vec![]);
        let outcome = self.apply(prior, planned.planned, config).await;
        quiet(&outcome.diagnostics);
        outcome.stored
    }

    async fn actual(&self, name: &str) -> Option<Topic> {
        self.cluster.describe_topic(&topic_name(name), soon()).await.unwrap()
    }

    async fn make(&self, name: &str, partitions: i32) {
        let spec = TopicSpec {
            name: topic_name(name),
            partitions: Some(partitions),
            replication_factor: None,
            config: BTreeMap::new(),
        };
        self.cluster.create_topic(&spec, soon()).await.unwrap();
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

fn topic_name(name: &str) -> TopicName {
    name.parse().unwrap()
}

#[track_caller]
fn quiet(diagnostics: &Diagnostics) {
    assert_eq!(diagnostics.0, vec![]);
}

#[track_caller]
fn told(diagnostics: &Diagnostics, severity: Severity, summary: &str) {
    let told: Vec<_> = diagnostics.0.iter().map(|it| (it.severity, it.summary.as_str())).collect();
    assert_eq!(told, [(severity, summary)], "{diagnostics:?}");
}

fn config<const N: usize>(attributes: [(&str, Value); N]) -> Value {
    let names = [
        "id",
        "environment",
        "cluster_id",
        "name",
        "partitions",
        "replication_factor",
        "config",
        "policy_config",
        "application",
        "capacity",
        "deletion_protection",
        "timeouts",
    ];
    let mut object: BTreeMap<String, Value> = names.map(|name| (name.to_owned(), Value::Null)).into();
    object.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(object)
}

fn orders(partitions: i64) -> Value {
    config([("name", "orders".into()), ("partitions", partitions.into())])
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.map(|(key, value)| (key.to_owned(), value)).into())
}

fn nothing() -> Stored {
    Stored::default()
}

fn destroyed(prior: &Stored) -> Stored {
    Stored { state: Value::Null, private: prior.private.clone(), identity: Value::Null }
}

#[tokio::test]
async fn a_topic_is_created_changed_and_deleted() {
    let run = Run::new();
    let retention = |value: &str| map([("retention.ms", value.into()), ("cleanup.policy", Value::Null)]);
    let declared = |partitions: i64, value: &str| {
        config([("name", "orders".into()), ("partitions", partitions.into()), ("config", retention(value))])
    };
    let stored = run.applied(&nothing(), declared(3, "60000")).await;
    assert_eq!(stored.state.attribute("id"), &"dev/orders".into());
    assert_eq!(stored.state.attribute("config"), &retention("60000"));
    let run = run.next();
    let stored = run.applied(&stored, declared(6, "120000")).await;
    let actual = run.actual("orders").await.unwrap();
    assert_eq!((actual.partitions, stored.state.attribute("partitions")), (6, &6.into()));
    assert_eq!(actual.config.unwrap()["retention.ms"].value.as_deref(), Some("120000"));
    let outcome = run.read(stored.clone()).await;
    quiet(&outcome.diagnostics);
    assert_eq!(outcome.stored.state, stored.state);
    let gone = run.next().apply(&stored, destroyed(&stored), Value::Null).await;
    quiet(&gone.diagnostics);
    assert_eq!((gone.stored.state, run.actual("orders").await), (Value::Null, None));
}

#[tokio::test]
async fn a_key_that_is_removed_returns_to_the_default() {
    let run = Run::new();
    let with = config([("name", "orders".into()), ("config", map([("retention.ms", "60000".into())]))]);
    let stored = run.applied(&nothing(), with).await;
    run.next().applied(&stored, config([("name", "orders".into())])).await;
    assert!(!run.actual("orders").await.unwrap().config.unwrap()["retention.ms"].overridden);
}

#[tokio::test]
async fn shrinking_partitions_is_refused_in_the_plan() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(6)).await;
    let planned = run.plan(&stored, orders(3)).await;
    told(&planned.diagnostics, Severity::Error, "Partitions cannot shrink");
    assert_eq!(planned.diagnostics.0[0].path, Some("partitions".into()));
}

#[tokio::test]
async fn growth_outside_is_a_warning_and_stays() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(3)).await;
    run.cluster.grow_partitions(&topic_name("orders"), 8, soon()).await.unwrap();
    let run = run.next();
    let stored = run.read(stored).await.stored;
    let planned = run.plan(&stored, orders(3)).await;
    told(&planned.diagnostics, Severity::Warning, "Partitions grown outside");
    assert_eq!(planned.planned.state, stored.state);
    // Another change keeps them too, and the declaration stays the one that was applied.
    let declared = config([
        ("name", "orders".into()),
        ("partitions", 3.into()),
        ("config", map([("retention.ms", "60000".into())])),
    ]);
    let run = run.next();
    let planned = run.plan(&stored, declared.clone()).await.planned;
    let stored = run.apply(&stored, planned, declared.clone()).await.stored;
    told(&run.next().plan(&stored, declared).await.diagnostics, Severity::Warning, "Partitions grown outside");
    assert_eq!(run.actual("orders").await.unwrap().partitions, 8);
}

#[tokio::test]
async fn drift_is_seen_for_owned_keys_alone() {
    let run = Run::new();
    let owned = map([("retention.ms", "60000".into()), ("cleanup.policy", "compact".into())]);
    let stored = run.applied(&nothing(), config([("name", "orders".into()), ("config", owned)])).await;
    let changes = [("retention.ms", Some("1")), ("cleanup.policy", None), ("max.message.bytes", Some("2000000"))];
    let changes = changes.map(|(key, value)| (key.to_owned(), value.map(str::to_owned))).into();
    run.cluster.alter_topic_config(&topic_name("orders"), &changes, soon()).await.unwrap();
    let seen = run.read(stored).await.stored.state;
    assert_eq!(seen.attribute("config"), &map([("retention.ms", "1".into())]));
}

/// Brokers show some values in words of their own, and a plan that follows must still be empty.
#[tokio::test]
async fn values_keep_the_words_of_the_configuration() {
    let run = Run::new();
    let written = map([("cleanup.policy", "compact, delete".into()), ("min.cleanable.dirty.ratio", "0.50".into())]);
    let declared = config([("name", "orders".into()), ("config", written.clone())]);
    let stored = run.applied(&nothing(), declared.clone()).await;
    let seen = Run::on(&run.cluster).read(stored).await.stored;
    assert_eq!(seen.state.attribute("config"), &written);
    assert_eq!(run.plan(&seen, declared.clone()).await.planned.state, seen.state);
    // The same topic, left by a create that was interrupted.
    let planned = Run::on(&run.cluster).plan(&nothing(), declared.clone()).await.planned;
    let outcome = Run::on(&run.cluster).apply(&nothing(), planned, declared).await;
    told(&outcome.diagnostics, Severity::Warning, "Topic taken over");
}

#[tokio::test]
async fn a_topic_deleted_outside_is_gone() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(3)).await;
    run.cluster.delete_topic(&topic_name("orders"), None, soon()).await.unwrap();
    let outcome = Run::on(&run.cluster).read(stored).await;
    quiet(&outcome.diagnostics);
    assert_eq!(outcome.stored.state, Value::Null);
}

#[tokio::test]
async fn what_may_not_be_described_stays_in_the_state() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(3)).await;
    run.cluster.deny("DESCRIBE", &topic_name("orders"));
    let outcome = run.read(stored.clone()).await;
    told(&outcome.diagnostics, Severity::Warning, "Topic not refreshed");
    assert_eq!(outcome.stored.state, stored.state);
}

/// Only a missing right leaves the state as it was: whatever else keeps the topic from being seen must be told.
#[tokio::test]
async fn what_cannot_be_asked_is_an_error_of_the_refresh() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(3)).await;
    let check = async |error: KafkaError, summary: &str| {
        run.cluster.fail_next(error);
        let outcome = run.read(stored.clone()).await;
        told(&outcome.diagnostics, Severity::Error, summary);
        assert_eq!(outcome.stored, stored);
    };
    let address = "a:1".parse().unwrap();
    let unreachable =
        KafkaError::Connect { broker: address, problem: ConnectProblem::Unreachable("refused".to_owned()) };
    check(unreachable, "Cannot connect to Kafka").await;
    let broken = KafkaError::Broker { code: "UNKNOWN_SERVER_ERROR".to_owned(), message: "it broke".to_owned() };
    check(broken, "Kafka request failed").await;
}

#[tokio::test]
async fn a_protected_topic_is_not_deleted() {
    let run = Run::new();
    let protected = config([("name", "orders".into()), ("deletion_protection", true.into())]);
    let stored = run.applied(&nothing(), protected).await;
    let plan = run.plan(&stored, Value::Null).await;
    told(&plan.diagnostics, Severity::Error, "Topic is protected");
    // A removed block has no address that could be shown, and a tainted topic no configuration that lifts anything.
    for phrase in ["`orders`", "`untaint`"] {
        assert!(plan.diagnostics.0[0].detail.contains(phrase), "{phrase}: {:?}", plan.diagnostics);
    }
    // Whatever was planned, the deed asks again.
    let outcome = run.apply(&stored, destroyed(&stored), Value::Null).await;
    told(&outcome.diagnostics, Severity::Error, "Topic is protected");
    assert_eq!(outcome.stored, Stored::default());
}

/// Rule 22 of Terraform's core: when the line is gone, only the state counts.
#[tokio::test]
async fn protection_holds_when_its_line_is_removed() {
    let run = Run::new();
    let protected = config([("name", "orders".into()), ("deletion_protection", true.into())]);
    let stored = run.applied(&nothing(), protected).await;
    let plan = run.next().plan(&stored, config([("name", "orders".into())])).await;
    quiet(&plan.diagnostics);
    assert_eq!(plan.planned.state.attribute("deletion_protection"), &true.into());
}

/// Rule 1 of Terraform's core: the second plan of a replacement looks like a create, and only what the first one left
/// tells it.
#[tokio::test]
async fn a_protected_topic_is_not_replaced() {
    let run = Run::new();
    let protected = |name: &str| config([("name", name.into()), ("deletion_protection", true.into())]);
    let stored = run.applied(&nothing(), protected("orders")).await;
    let run = run.next();
    let renamed = run.plan(&stored, protected("orders.v2")).await;
    told(&renamed.diagnostics, Severity::Error, "Topic is protected");
    // `-replace`: nothing changes in the first plan, and the second has no prior state.
    let first = run.plan(&stored, protected("orders")).await;
    quiet(&first.diagnostics);
    let marked = Stored { private: first.planned.private, ..nothing() };
    let second = Run::on(&run.cluster).plan(&marked, protected("orders")).await;
    told(&second.diagnostics, Severity::Error, "Topic is protected");
    assert!(second.diagnostics.0[0].detail.contains("`orders`"), "{second:?}");
}

/// Rule 22 of Terraform's core: a rename that lifts the protection in the same change works.
#[tokio::test]
async fn a_rename_may_lift_the_protection() {
    let run = Run::new();
    let declared =
        |name: &str, protected: bool| config([("name", name.into()), ("deletion_protection", protected.into())]);
    let stored = run.applied(&nothing(), declared("orders", true)).await;
    let first = run.plan(&stored, declared("orders.v2", false)).await;
    quiet(&first.diagnostics);
    assert_eq!(first.replace, vec!["name".into()]);
    let marked = Stored { private: first.planned.private, ..nothing() };
    let second = run.plan(&marked, declared("orders.v2", false)).await;
    quiet(&second.diagnostics);
    let next = Run::on(&run.cluster);
    let half = Stored { state: Value::Null, private: second.planned.private.clone(), identity: Value::Null };
    quiet(&next.apply(&stored, half, Value::Null).await.diagnostics);
    assert_eq!(run.actual("orders").await, None);
    quiet(&next.apply(&nothing(), second.planned, declared("orders.v2", false)).await.diagnostics);
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
    let stored = run.applied(&nothing(), declared(true, 3)).await;
    let planned = run.plan(&stored, declared(false, 6)).await.planned;
    run.cluster.fail_next(KafkaError::Deadline("growing".to_owned()));
    let outcome = run.apply(&stored, planned.clone(), declared(false, 6)).await;
    told(&outcome.diagnostics, Severity::Error, "Time is up");
    assert_eq!(outcome.stored, Stored::default());
    // Even facts that an older plan left release nothing.
    let left = Stored { private: planned.private, ..stored };
    told(&run.plan(&left, Value::Null).await.diagnostics, Severity::Error, "Topic is protected");
}

/// Rule 2 of Terraform's core: with `create_before_destroy` the delete comes after the create of the same name.
#[tokio::test]
async fn what_this_run_created_is_not_deleted() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(3)).await;
    let outcome = run.apply(&stored, destroyed(&stored), Value::Null).await;
    told(&outcome.diagnostics, Severity::Warning, "Topic not deleted");
    assert!(run.actual("orders").await.is_some());
}

/// Rule 2 of Terraform's core: another topic of the same name holds other data.
#[tokio::test]
async fn a_topic_made_anew_outside_is_not_deleted() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(3)).await;
    run.cluster.delete_topic(&topic_name("orders"), None, soon()).await.unwrap();
    run.make("orders", 3).await;
    let next = Run::on(&run.cluster);
    told(&next.read(stored.clone()).await.diagnostics, Severity::Warning, "Topic was made anew outside");
    let outcome = next.apply(&stored, destroyed(&stored), Value::Null).await;
    told(&outcome.diagnostics, Severity::Error, "Topic was made anew outside");
    assert!(run.actual("orders").await.is_some());
}

/// Rule 1 of Terraform's core: the topic may be gone by the time of the apply.
#[tokio::test]
async fn an_existing_topic_is_a_warning_in_the_plan_and_an_error_in_apply() {
    let run = Run::new();
    run.make("orders", 4).await;
    let planned = run.plan(&nothing(), orders(3)).await;
    told(&planned.diagnostics, Severity::Warning, "Topic already exists");
    let outcome = run.apply(&nothing(), planned.planned, orders(3)).await;
    told(&outcome.diagnostics, Severity::Error, "Topic already exists");
    assert_eq!(outcome.stored.state, Value::Null);
}

#[tokio::test]
async fn an_interrupted_create_is_resumed_if_nothing_can_be_lost() {
    let run = Run::new();
    run.make("orders", 3).await;
    let planned = run.plan(&nothing(), orders(3)).await;
    told(&planned.diagnostics, Severity::Warning, "Topic already exists");
    assert!(planned.diagnostics.0[0].detail.contains("empty and exactly as planned"), "{planned:?}");
    let planned = planned.planned;
    let outcome = run.apply(&nothing(), planned.clone(), orders(3)).await;
    told(&outcome.diagnostics, Severity::Warning, "Topic taken over");
    assert_eq!(outcome.stored.state.attribute("id"), &"dev/orders".into());
    run.cluster.write(&topic_name("orders"));
    let outcome = Run::on(&run.cluster).apply(&nothing(), planned, orders(3)).await;
    told(&outcome.diagnostics, Severity::Error, "Topic already exists");
}

/// Rule 1 of Terraform's core: state beside an error would taint the topic, and the next apply would delete its data.
#[tokio::test]
async fn a_create_that_fails_leaves_no_state() {
    let run = Run::new();
    let planned = run.plan(&nothing(), orders(3)).await.planned;
    run.cluster.cluster(soon()).await.unwrap();
    run.cluster.fail_next(KafkaError::Deadline("creating".to_owned()));
    let outcome = run.apply(&nothing(), planned, orders(3)).await;
    told(&outcome.diagnostics, Severity::Error, "Time is up");
    assert_eq!(outcome.stored.state, Value::Null);
}

#[tokio::test]
async fn two_topics_of_one_name_are_refused() {
    let run = Run::new();
    quiet(&run.plan(&nothing(), orders(3)).await.diagnostics);
    told(&run.plan(&nothing(), orders(3)).await.diagnostics, Severity::Error, "Topic planned twice");
}

/// Rule 1 of Terraform's core: to remove either block would delete the data of both, so that not even one that nobody
/// changes may stand beside another.
#[tokio::test]
async fn a_second_resource_beside_one_in_the_state_is_refused() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(3)).await;
    let next = run.next();
    quiet(&next.plan(&stored, orders(3)).await.diagnostics);
    let second = next.plan(&nothing(), orders(3)).await.diagnostics;
    let summaries: Vec<_> = second.0.iter().map(|it| (it.severity, it.summary.as_str())).collect();
    let twice = (Severity::Error, "Topic planned twice");
    assert_eq!(summaries, [twice, (Severity::Warning, "Topic already exists")]);
    // The engine may ask in the other order, and the second block may be in the state by now.
    let next = run.next();
    assert!(!next.plan(&nothing(), orders(3)).await.diagnostics.has_errors());
    told(&next.plan(&stored, orders(3)).await.diagnostics, twice.0, twice.1);
    told(&next.plan(&stored, orders(6)).await.diagnostics, twice.0, twice.1);
}

/// Rule 1 of Terraform's core: the two plans of a replacement have one topic, even where only the second is a create.
#[tokio::test]
async fn a_replacement_on_request_is_planned_once() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(3)).await;
    let next = run.next();
    let first = next.plan(&stored, orders(3)).await;
    quiet(&first.diagnostics);
    let marked = Stored { private: first.planned.private, ..nothing() };
    let second = next.plan(&marked, orders(3)).await;
    quiet(&second.diagnostics);
    let other = next.plan(&nothing(), orders(3)).await.diagnostics;
    assert_eq!(other.0[0].summary, "Topic planned twice");
    // A replacement gives its name away, and another resource may take it.
    let next = run.next();
    quiet(&next.plan(&stored, config([("name", "orders.v2".into())])).await.diagnostics);
    assert!(!next.plan(&nothing(), orders(3)).await.diagnostics.has_errors());
}

/// Rule 3 of Terraform's core: the name of an environment is local, and two of them may be one cluster.
#[tokio::test]
async fn two_environments_of_one_cluster_have_one_topic_of_a_name() {
    let run = Run::new();
    let within = |environment: &str| {
        config([("name", "orders".into()), ("partitions", 3.into()), ("environment", environment.into())])
    };
    let both = run.twofold();
    let first = both.plan(&nothing(), within("dev")).await;
    quiet(&first.diagnostics);
    told(&both.plan(&nothing(), within("twin")).await.diagnostics, Severity::Error, "Topic planned twice");
    // Whatever was planned, what this run made is no leftover.
    let second = run.twofold().plan(&nothing(), within("twin")).await.planned;
    let stored = both.apply(&nothing(), first.planned, within("dev")).await.stored;
    let outcome = both.apply(&nothing(), second, within("twin")).await;
    told(&outcome.diagnostics, Severity::Error, "Topic already exists");
    assert_eq!(outcome.stored.state, Value::Null);
    // The cluster of what is in the state is known without asking.
    let both = run.twofold();
    let asked = || run.cluster.calls().iter().filter(|it| **it == "cluster").count();
    let before = asked();
    quiet(&both.plan(&stored, within("dev")).await.diagnostics);
    assert_eq!(asked(), before);
    let second = both.plan(&nothing(), within("twin")).await.diagnostics;
    assert_eq!(second.0[0].summary, "Topic planned twice");
}

#[tokio::test]
async fn the_brokers_refusal_turns_the_plan_red_at_the_attribute() {
    let run = Run::new();
    let declared = config([("name", "orders".into()), ("replication_factor", 3.into())]);
    let planned = run.plan(&nothing(), declared).await;
    told(&planned.diagnostics, Severity::Error, "Refused by the broker");
    assert_eq!(planned.diagnostics.0[0].path, Some("replication_factor".into()));
}

/// Rule 14 of Terraform's core: rights may be made in the same run.
#[tokio::test]
async fn a_missing_right_is_a_warning_in_the_plan() {
    let run = Run::new();
    run.cluster.deny("CREATE", &topic_name("orders"));
    told(&run.plan(&nothing(), orders(3)).await.diagnostics, Severity::Warning, "Not checked by the broker");
}

/// Rule 24 of Terraform's core: a saved plan is applied without a refresh.
#[tokio::test]
async fn a_plan_that_the_topic_outgrew_is_stale() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(3)).await;
    let planned = run.plan(&stored, orders(6)).await.planned;
    run.cluster.grow_partitions(&topic_name("orders"), 9, soon()).await.unwrap();
    let outcome = run.apply(&stored, planned, orders(6)).await;
    told(&outcome.diagnostics, Severity::Error, "Plan is stale");
}

/// Rule 3 of Terraform's core: the name of an environment is local, and its change must not destroy topics.
#[tokio::test]
async fn a_renamed_environment_changes_in_place() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(3)).await;
    let kafka: Arc<dyn Kafka> = run.cluster.clone();
    let renamed = Run::with(&run.cluster, Context::new([Environment::new("pre", kafka)], None));
    let seen = renamed.read(stored).await;
    quiet(&seen.diagnostics);
    let silent = renamed.plan(&seen.stored, orders(3)).await;
    told(&silent.diagnostics, Severity::Error, "Environment renamed");
    let written = config([("name", "orders".into()), ("partitions", 3.into()), ("environment", "pre".into())]);
    let stored = renamed.applied(&seen.stored, written).await;
    assert_eq!(stored.state.attribute("id"), &"pre/orders".into());
    assert_eq!(stored.identity, seen.stored.identity);
}

/// Rule 3 of Terraform's core: another cluster is another topic.
#[tokio::test]
async fn another_cluster_replaces() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(3)).await;
    let other: Arc<dyn Kafka> = Arc::new(MemoryCluster::new(2));
    let kafka: Arc<dyn Kafka> = run.cluster.clone();
    let environments = [Environment::new("dev", kafka), Environment::new("pro", other)];
    let both = Run::with(&run.cluster, Context::new(environments, Some("dev".to_owned())));
    let moved = config([("name", "orders".into()), ("partitions", 3.into()), ("environment", "pro".into())]);
    let planned = both.plan(&stored, moved).await;
    quiet(&planned.diagnostics);
    assert_eq!(planned.replace, vec!["environment".into()]);
}

/// Rule 3 of Terraform's core: nothing is concluded from a cluster that is not the topic's.
#[tokio::test]
async fn another_cluster_behind_the_same_name_is_an_error() {
    let run = Run::new();
    let mut stored = run.applied(&nothing(), orders(3)).await;
    let Value::Object(attributes) = &mut stored.state else { unreachable!("a state is an object") };
    attributes.insert("cluster_id".to_owned(), "elsewhere".into());
    let outcome = run.read(stored.clone()).await;
    told(&outcome.diagnostics, Severity::Error, "Environment is another cluster");
    assert_eq!(outcome.stored.state, stored.state);
}

/// Rule 21 of Terraform's core: an import owns exactly what the topic overrides.
#[tokio::test]
async fn an_import_owns_the_overrides() {
    let run = Run::new();
    run.make("orders", 3).await;
    let changes = [("retention.ms".to_owned(), Some("60000".to_owned()))].into();
    run.cluster.alter_topic_config(&topic_name("orders"), &changes, soon()).await.unwrap();
    for id in ["orders", "dev/orders"] {
        let imported = run.topic.import(&run.ctx, Import::Id(id.to_owned())).await;
        quiet(&imported.diagnostics);
        let by_identity = run.topic.import(&run.ctx, Import::Identity(imported.stored.identity.clone())).await;
        quiet(&by_identity.diagnostics);
        assert_eq!(by_identity.stored, imported.stored);
        let seen = run.read(imported.stored).await;
        quiet(&seen.diagnostics);
        assert_eq!(seen.stored.state.attribute("config"), &map([("retention.ms", "60000".into())]));
        let same = config([
            ("name", "orders".into()),
            ("partitions", 3.into()),
            ("config", map([("retention.ms", "60000".into())])),
        ]);
        assert_eq!(run.plan(&seen.stored, same).await.planned.state, seen.stored.state);
    }
}

/// Rule 21 of Terraform's core: an imported topic is known by its UUID and its partitions as one that was created.
#[tokio::test]
async fn an_imported_topic_is_known_as_one_that_was_created() {
    let run = Run::new();
    run.make("orders", 3).await;
    let imported = run.topic.import(&run.ctx, Import::Id("orders".to_owned())).await.stored;
    let stored = run.read(imported).await.stored;
    assert_eq!(stored.private.text("uuid"), run.actual("orders").await.unwrap().id.as_deref());
    run.cluster.grow_partitions(&topic_name("orders"), 8, soon()).await.unwrap();
    let stored = run.read(stored).await.stored;
    told(&run.plan(&stored, orders(3)).await.diagnostics, Severity::Warning, "Partitions grown outside");
    run.cluster.delete_topic(&topic_name("orders"), None, soon()).await.unwrap();
    run.make("orders", 3).await;
    let outcome = run.next().apply(&stored, destroyed(&stored), Value::Null).await;
    told(&outcome.diagnostics, Severity::Error, "Topic was made anew outside");
}

/// Rule 3 of Terraform's core: a saved plan may meet another cluster under the same name.
#[tokio::test]
async fn nothing_is_changed_in_another_cluster() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(3)).await;
    let planned = run.plan(&stored, orders(6)).await.planned;
    let elsewhere = Run::on(&Arc::new(MemoryCluster::new(2)));
    elsewhere.make("orders", 3).await;
    told(&elsewhere.plan(&stored, orders(6)).await.diagnostics, Severity::Error, "Environment is another cluster");
    let outcome = elsewhere.apply(&stored, planned, orders(6)).await;
    told(&outcome.diagnostics, Severity::Error, "Environment is another cluster");
    assert_eq!(elsewhere.actual("orders").await.unwrap().partitions, 3);
}

/// Rule 2 of Terraform's core: another topic of the same name is not changed either.
#[tokio::test]
async fn a_topic_made_anew_outside_is_not_changed() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(3)).await;
    let planned = run.plan(&stored, orders(6)).await.planned;
    run.cluster.delete_topic(&topic_name("orders"), None, soon()).await.unwrap();
    run.make("orders", 3).await;
    let outcome = run.apply(&stored, planned, orders(6)).await;
    told(&outcome.diagnostics, Severity::Error, "Topic was made anew outside");
    assert_eq!(run.actual("orders").await.unwrap().partitions, 3);
}

#[tokio::test]
async fn a_renamed_topic_may_have_fewer_partitions() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(6)).await;
    let renamed = config([("name", "orders.v2".into()), ("partitions", 3.into())]);
    let planned = run.plan(&stored, renamed).await;
    quiet(&planned.diagnostics);
    assert_eq!(planned.replace, vec!["name".into()]);
}

/// Rule 15 of Terraform's core: a provider that is not known yet leaves everything as it is, and releases nothing.
#[tokio::test]
async fn an_unknown_provider_keeps_what_is_stored_and_protected() {
    let run = Run::new();
    let protected = |name: &str| config([("name", name.into()), ("deletion_protection", true.into())]);
    let stored = run.applied(&nothing(), protected("orders")).await;
    let what = "`environments` of the provider block".to_owned();
    let unknown = Run::with(&run.cluster, Context::unknown(what));
    let seen = unknown.read(stored.clone()).await;
    told(&seen.diagnostics, Severity::Warning, "Provider configuration not known yet");
    assert_eq!(seen.stored, stored);
    let same = unknown.plan(&stored, protected("orders")).await;
    assert_eq!(same.planned.state, stored.state);
    assert!(!same.diagnostics.has_errors());
    let renamed = unknown.plan(&stored, protected("orders.v2")).await.diagnostics;
    assert!(renamed.0.iter().any(|it| it.summary == "Topic is protected"), "{renamed:?}");
    let created = unknown.plan(&nothing(), protected("new")).await;
    assert_eq!(created.planned.state.attribute("environment"), &Value::UNKNOWN);
    let imported = unknown.topic.import(&unknown.ctx, Import::Id("orders".to_owned())).await;
    told(&imported.diagnostics, Severity::Error, "Provider configuration not known yet");
}

/// Rule 3 of Terraform's core: the topic stays where it was created, and a new one takes its place there.
#[tokio::test]
async fn another_default_environment_moves_nothing() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(3)).await;
    let kafka: Arc<dyn Kafka> = run.cluster.clone();
    let other: Arc<dyn Kafka> = Arc::new(MemoryCluster::new(2));
    let environments = [Environment::new("dev", kafka), Environment::new("pro", other)];
    let both = Run::with(&run.cluster, Context::new(environments, Some("pro".to_owned())));
    let planned = both.plan(&stored, orders(3)).await;
    told(&planned.diagnostics, Severity::Warning, "Environment is not the default");
    assert_eq!(planned.planned.state, stored.state);
    let renamed = config([("name", "orders.v2".into()), ("partitions", 3.into())]);
    let first = both.plan(&stored, renamed.clone()).await;
    let marked = Stored { private: first.planned.private, ..nothing() };
    let second = both.plan(&marked, renamed).await;
    assert_eq!(second.planned.state.attribute("id"), &"dev/orders.v2".into());
}

#[tokio::test]
async fn names_that_metrics_confuse_are_refused_in_one_plan() {
    let run = Run::new();
    quiet(&run.plan(&nothing(), config([("name", "a.b".into())])).await.diagnostics);
    let second = run.plan(&nothing(), config([("name", "a_b".into())])).await;
    told(&second.diagnostics, Severity::Error, "Topic planned twice");
}

#[tokio::test]
async fn wrong_identifiers_are_told() {
    let run = Run::new();
    let check = async |id: &str, summary: &str| {
        let outcome = run.topic.import(&run.ctx, Import::Id(id.to_owned())).await;
        told(&outcome.diagnostics, Severity::Error, summary);
    };
    check("dev/a b", "Invalid topic identifier").await;
    check("pro/orders", "Unknown environment").await;
    check("dev/__consumer_offsets", "Internal topic").await;
}

#[test]
fn impossible_values_are_refused_without_a_cluster() {
    let run = Run::new();
    let declared = config([("name", "__orders".into()), ("partitions", 0.into()), ("replication_factor", 0.into())]);
    let wrong = run.topic.validate(declared);
    let told: Vec<_> = wrong.0.iter().map(|it| (it.summary.as_str(), it.path.clone())).collect();
    let expected = [
        ("Internal topic", Some("name".into())),
        ("Invalid number of partitions", Some("partitions".into())),
        ("Invalid replication factor", Some("replication_factor".into())),
    ];
    assert_eq!(told, expected);
    // What cannot be parsed hides nothing of the rest.
    let broken = config([("name", "a b".into()), ("partitions", 0.into()), ("replication_factor", 0.into())]);
    assert_eq!(run.topic.validate(broken).0.len(), 3);
    let huge = run.topic.validate(config([("name", "orders".into()), ("partitions", 1_000_000_000.into())]));
    assert_eq!(huge.0[0].path, Some("partitions".into()));
}

/// State of the most used provider, whose schema versions are older than 100.
#[test]
fn state_of_another_provider_is_upgraded() {
    let run = Run::new();
    let state = serde_json::json!({
        "id": "orders", "name": "orders", "partitions": 3, "replication_factor": 1,
        "config": {"retention.ms": "60000"}, "managed_by_somebody": true,
    });
    let upgraded = run.topic.upgrade(0, state).unwrap();
    assert_eq!(upgraded.attribute("partitions"), &3.into());
    assert_eq!(upgraded.attribute("deletion_protection"), &false.into());
    assert_eq!(upgraded.attribute("environment"), &Value::Null);
}

/// Rule 25 of Terraform's core: a change of `timeouts` alone asks nobody.
#[tokio::test]
async fn a_change_of_timeouts_does_no_io() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(3)).await;
    let timeouts = ["create", "read", "update", "delete"].map(|it| (it.to_owned(), Value::Null));
    let mut timeouts: BTreeMap<String, Value> = timeouts.into();
    timeouts.insert("create".to_owned(), "10m".into());
    let declared =
        config([("name", "orders".into()), ("partitions", 3.into()), ("timeouts", Value::Object(timeouts.clone()))]);
    let run = run.next();
    let before = run.cluster.calls();
    let changed = run.applied(&stored, declared).await;
    assert_eq!(changed.state.attribute("timeouts"), &Value::Object(timeouts));
    assert_eq!(run.cluster.calls(), before);
}

#[tokio::test]
async fn private_facts_survive_every_answer() {
    let run = Run::new();
    let stored = run.applied(&nothing(), orders(3)).await;
    let facts = |private: &Private| (private.text("uuid").map(str::to_owned), private.get("partitions").cloned());
    let seen = run.read(stored.clone()).await.stored;
    assert_eq!(facts(&seen.private), facts(&stored.private));
    assert!(facts(&seen.private).0.is_some());
    let planned = run.plan(&seen, orders(3)).await.planned;
    assert_eq!((facts(&planned.private), planned.identity), (facts(&stored.private), stored.identity));
}

//! What a governed cluster does not take: told in the plan at the attribute to blame, and refused in apply before
//! anything is done.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value as Json, json};

use super::testing::{Run, change_policy, governed_by, governed_with, nothing, quiet, soon};
use crate::{
    clients::{
        kafka::{AclFilter, Acls, Kafka, Log},
        memory::MemoryCluster,
    },
    framework::{Diagnostics, Severity, Stored, Value},
    governance::{
        acl::Principal,
        capacity::Totals,
        environment::ClusterFacts,
        policy::{ConfigRule, Limits, Policy, TopicPolicy},
    },
    provider::{Acting, Context, Environment},
};

fn platform(cluster: &Arc<MemoryCluster>, resource: &str) -> Run {
    Run::on(cluster, resource, Acting::default())
}

/// What was told: how badly, what, and where.
fn told(diagnostics: &Diagnostics) -> Vec<(Severity, String, String)> {
    let at = |path: &Option<_>| path.as_ref().map(ToString::to_string).unwrap_or_default();
    diagnostics.0.iter().map(|it| (it.severity, it.summary.clone(), at(&it.path))).collect()
}

fn error(summary: &str, at: &str) -> (Severity, String, String) {
    (Severity::Error, summary.to_owned(), at.to_owned())
}

/// Has the plan and an apply of it tell the same errors, and nothing done on the cluster.
async fn is_refused(cluster: &Arc<MemoryCluster>, resource: &str, config: &Json, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(summary, at)| error(summary, at)).collect();
    let run = platform(cluster, resource);
    let planned = run.plan(&nothing(), config).await;
    assert_eq!(told(&planned.diagnostics), expected, "in the plan of {config}");
    let before = footprint(cluster).await;
    let outcome = run.apply(&nothing(), planned.planned, config).await;
    assert_eq!(told(&outcome.diagnostics), expected, "in the apply of {config}");
    assert_eq!((outcome.stored.state, footprint(cluster).await), (Value::Null, before), "{config}");
}

/// All that is on a cluster and could have been changed.
async fn footprint(cluster: &Arc<MemoryCluster>) -> Vec<String> {
    let rules = cluster.acls(&AclFilter::default(), soon()).await.unwrap();
    let topics = cluster.topics(soon()).await.unwrap();
    let events = match cluster.read_log(&"_selfserve".parse().unwrap(), 0, soon()).await {
        Ok(log) => log.records.len(),
        Err(_) => 0,
    };
    let topics = topics.iter().map(|it| format!("{} {}", it.name, it.partitions));
    rules.iter().map(ToString::to_string).chain(topics).chain([format!("{events} events")]).collect()
}

fn billing() -> Json {
    json!({ "name": "billing", "owner": { "team": "payments" }, "principals": ["User:billing"] })
}

/// An application whose names of every kind but one begin with its own name.
fn other(kind: &str, prefix: &str) -> Json {
    let mut it = json!({
        "name": "other", "owner": { "team": "x" }, "prefixes": { "topic": ["other."], "group": ["other."],
        "transactional_id": ["other."], "subject": ["other."], "connector": ["other."] },
    });
    it["prefixes"][kind] = json!([prefix]);
    it
}

#[tokio::test]
async fn an_environment_that_contradicts_itself_is_refused_at_the_attribute() {
    for (rules, summary, at) in [
        (json!({"topics": {"partitions": {"min": 6, "max": 3}}}), "Contradictory policy", "topics.partitions.min"),
        (
            json!({"topics": {"config": {"retention.ms": {"min": 2, "max": 1}}}}),
            "Contradictory policy",
            "topics.config[\"retention.ms\"].min",
        ),
        (
            json!({"topics": {"replication_factor": {"max": 2, "default": 3}}}),
            "Contradictory policy",
            "topics.replication_factor.default",
        ),
        (json!({"naming": {"topic": "{application}.{domain}"}}), "Invalid name template", "naming.topic"),
        (json!({"naming": {"group": "{application}.{it}"}}), "Invalid name template", "naming.group"),
    ] {
        let mut config = json!({ "name": "pre", "enforcement": "acl" });
        config.as_object_mut().unwrap().extend(rules.as_object().unwrap().clone());
        let cluster = Arc::new(MemoryCluster::new(3));
        let wrong = platform(&cluster, "environment").validate(&config);
        assert_eq!(told(&wrong), [error(summary, at)], "{config}");
        is_refused(&cluster, "environment", &config, &[(summary, at)]).await;
    }
}

#[tokio::test]
async fn a_prefix_that_no_application_may_have_is_refused_at_its_element() {
    let policy = Policy { reserved_prefixes: ["shared-".to_owned()].into(), ..Policy::default() };
    let cluster = governed_by(policy).await;
    platform(&cluster, "application").applied(&nothing(), &billing()).await;
    for (prefix, summary) in [
        ("", "Prefix too wide"),
        ("*", "Prefix too wide"),
        ("billing.", "Prefix owned by another application"),
        ("billing.deep.", "Prefix owned by another application"),
        ("bill", "Prefix without separator"),
        ("_x.", "Prefix reserved"),
        ("__consumer_", "Prefix reserved"),
        ("connect-", "Prefix reserved"),
        ("mm2-x-", "Prefix reserved"),
        ("shared-", "Prefix reserved"),
        ("shared-x-", "Prefix reserved"),
        ("a b.", "Invalid prefix"),
    ] {
        is_refused(&cluster, "application", &other("topic", prefix), &[(summary, "prefixes.topic[…]")]).await;
    }
    for (kind, prefix, summary) in [
        ("group", "", "Prefix too wide"),
        ("transactional_id", "_selfserve.", "Prefix reserved"),
        ("subject", "*", "Prefix too wide"),
        ("connector", "billing.", "Prefix owned by another application"),
    ] {
        let at = format!("prefixes.{kind}[…]");
        is_refused(&cluster, "application", &other(kind, prefix), &[(summary, &at)]).await;
    }
    let several = json!({ "name": "other", "owner": { "team": "x" }, "prefixes": { "topic": ["", "mm2-"] } });
    let plan = platform(&cluster, "application").plan(&nothing(), &several).await;
    let topics: Vec<_> = told(&plan.diagnostics).into_iter().filter(|it| it.2.contains("topic")).collect();
    assert_eq!(topics.len(), 2, "all are told at once: {:?}", plan.diagnostics);
}

#[tokio::test]
async fn a_principal_of_somebody_else_is_refused_at_its_element() {
    let users = |names: &[&str]| names.iter().map(|it| Principal::user(it)).collect();
    let facts = ClusterFacts {
        platform_principals: users(&["platform"]),
        super_users: users(&["root"]),
        broker_principals: users(&["broker"]),
        ..ClusterFacts::default()
    };
    let cluster = governed_with(Policy::default(), facts).await;
    let mut first = billing();
    first["deployers"] = json!(["User:billing-ci"]);
    platform(&cluster, "application").applied(&nothing(), &first).await;
    for (principal, why) in [
        ("User:billing", "belongs to the application `billing`"),
        ("User:billing-ci", "belongs to the application `billing`"),
        ("User:root", "super user"),
        ("User:broker", "is a broker"),
        ("User:platform", "the platform's"),
        ("User:*", "everybody"),
        ("User:ANONYMOUS", "whoever does not say"),
    ] {
        for attribute in ["principals", "deployers"] {
            let mut config = json!({ "name": "other", "owner": { "team": "x" } });
            config[attribute] = json!(["User:other", principal]);
            let at = format!("{attribute}[…]");
            is_refused(&cluster, "application", &config, &[("Principal refused", &at)]).await;
            let plan = platform(&cluster, "application").plan(&nothing(), &config).await;
            let detail = &plan.diagnostics.0[0].detail;
            assert!(detail.contains(why) && detail.contains(principal), "{detail}");
        }
    }
}

/// Rule 13 of Terraform's core.
#[tokio::test]
async fn a_rename_of_an_application_with_topics_points_to_the_transfer() {
    let cluster = governed_by(Policy::default()).await;
    let stored = platform(&cluster, "application").applied(&nothing(), &billing()).await;
    let mut renamed = billing();
    renamed["name"] = "invoicing".into();
    let free = platform(&cluster, "application").plan(&stored, &renamed).await;
    quiet(&free.diagnostics);
    assert_eq!(free.replace.len(), 1, "without topics it is replaced");
    platform(&cluster, "topic").applied(&nothing(), &json!({ "name": "billing.orders" })).await;
    let plan = platform(&cluster, "application").plan(&stored, &renamed).await;
    assert_eq!(told(&plan.diagnostics), [error("Application in use", "name")]);
    let detail = &plan.diagnostics.0[0].detail;
    assert!(["`billing.orders`", "transfer", "take_over_from"].iter().all(|it| detail.contains(it)), "{detail}");
    // What is not renamed is not replaced, and its end is refused in apply alone.
    quiet(&platform(&cluster, "application").plan(&stored, &billing()).await.diagnostics);
}

/// Core plans a replacement twice: the new application may have what the old one still has.
#[tokio::test]
async fn a_rename_of_an_application_without_topics_is_planned_and_applied() {
    let cluster = governed_by(Policy::default()).await;
    let mut first = billing();
    first["prefixes"] = json!({ "topic": ["billing."] });
    let stored = platform(&cluster, "application").applied(&nothing(), &first).await;
    let mut renamed = first.clone();
    renamed["name"] = "invoicing".into();
    let run = platform(&cluster, "application");
    let change = run.plan(&stored, &renamed).await;
    let marked = Stored { private: change.planned.private, ..nothing() };
    let creation = run.plan(&marked, &renamed).await;
    assert_eq!(told(&creation.diagnostics), [(Severity::Warning, "Application replaced".to_owned(), String::new())]);
    quiet(&platform(&cluster, "application").destroy(&stored).await.diagnostics);
    let run = platform(&cluster, "application");
    quiet(&run.plan(&marked, &renamed).await.diagnostics);
    let outcome = run.apply(&nothing(), creation.planned, &renamed).await;
    quiet(&outcome.diagnostics);
    assert_eq!(outcome.stored.state.attribute("status"), &"ready".into());
}

/// Two blocks for one cluster, under one name of the provider block or under two.
#[tokio::test]
async fn two_environments_of_one_cluster_in_one_run_are_refused() {
    let cluster = Arc::new(MemoryCluster::new(1));
    let twofold = || {
        let environment = |name: &str| Environment::new(name, cluster.clone());
        Run::with(Context::new(["dev", "twin"].map(environment), None), "environment")
    };
    let declared = |environment: &str, name: &str| json!({ "environment": environment, "name": name });
    for second in [declared("dev", "pro"), declared("twin", "pro"), declared("twin", "pre")] {
        let run = twofold();
        quiet(&run.plan(&nothing(), &declared("dev", "pre")).await.diagnostics);
        let plan = run.plan(&nothing(), &second).await;
        assert_eq!(told(&plan.diagnostics), [error("Environment planned twice", "environment")], "{second}");
    }
    // Beside one that is there and stays as it is.
    let stored = twofold().applied(&nothing(), &declared("dev", "pre")).await;
    for second in [declared("dev", "pre"), declared("twin", "pre")] {
        let run = twofold();
        quiet(&run.plan(&stored, &declared("dev", "pre")).await.diagnostics);
        let plan = run.plan(&nothing(), &second).await;
        assert_eq!(told(&plan.diagnostics), [error("Environment planned twice", "environment")], "{second}");
    }
}

fn at_most(partitions: i64, retention: f64) -> Policy {
    let limits = Limits { max: Some(partitions), ..Limits::default() };
    let rule = ConfigRule { max: Some(retention), ..ConfigRule::default() };
    let config = BTreeMap::from([("retention.ms".to_owned(), rule)]);
    Policy { topics: TopicPolicy { partitions: limits, config, ..TopicPolicy::default() }, ..Policy::default() }
}

/// Rule 24 of Terraform's core: a saved plan is judged by the rules of its apply.
#[tokio::test]
async fn a_creation_that_the_policy_refuses_since_its_plan_is_refused_in_apply() {
    let orders = json!({ "name": "billing.orders", "partitions": 12, "config": { "retention.ms": "9000" } });
    for (tighter, summary, at) in [
        (at_most(6, 1e9), "Number of partitions refused", "partitions"),
        (at_most(12, 1000.0), "Configuration value refused", "config[\"retention.ms\"]"),
    ] {
        let cluster = governed_by(at_most(12, 1e9)).await;
        platform(&cluster, "application").applied(&nothing(), &billing()).await;
        let planned = platform(&cluster, "topic").plan(&nothing(), &orders).await;
        quiet(&planned.diagnostics);
        change_policy(&cluster, tighter).await;
        let before = footprint(&cluster).await;
        let outcome = platform(&cluster, "topic").apply(&nothing(), planned.planned, &orders).await;
        assert_eq!(told(&outcome.diagnostics), [error(summary, at)]);
        assert_eq!((outcome.stored.state, footprint(&cluster).await), (Value::Null, before));
    }
}

#[tokio::test]
async fn a_change_that_the_policy_refuses_since_its_plan_is_refused_in_apply() {
    let orders = |partitions: i64, retention: &str| json!({ "name": "billing.orders", "partitions": partitions, "config": { "retention.ms": retention } });
    for (changed, tighter, summary, at) in [
        (orders(12, "500"), at_most(6, 1e9), "Number of partitions refused", "partitions"),
        (orders(3, "9000"), at_most(12, 1000.0), "Configuration value refused", "config[\"retention.ms\"]"),
        (orders(6, "9000"), at_most(12, 1000.0), "Configuration value refused", "config[\"retention.ms\"]"),
    ] {
        let cluster = governed_by(at_most(12, 1e9)).await;
        platform(&cluster, "application").applied(&nothing(), &billing()).await;
        let stored = platform(&cluster, "topic").applied(&nothing(), &orders(3, "500")).await;
        let planned = platform(&cluster, "topic").plan(&stored, &changed).await;
        quiet(&planned.diagnostics);
        change_policy(&cluster, tighter).await;
        let before = footprint(&cluster).await;
        let outcome = platform(&cluster, "topic").apply(&stored, planned.planned, &changed).await;
        assert_eq!(told(&outcome.diagnostics), [error(summary, at)]);
        assert_eq!(footprint(&cluster).await, before, "{changed}");
        // What was there before the rules stays, and is no error.
        assert!(!platform(&cluster, "topic").plan(&stored, &orders(3, "500")).await.diagnostics.has_errors());
    }
}

#[tokio::test]
async fn an_application_that_the_policy_refuses_since_its_plan_is_refused_in_apply() {
    let cluster = governed_by(Policy::default()).await;
    let planned = platform(&cluster, "application").plan(&nothing(), &billing()).await;
    quiet(&planned.diagnostics);
    let reserved_prefixes = ["billing.".to_owned()].into();
    change_policy(&cluster, Policy { reserved_prefixes, ..Policy::default() }).await;
    let before = footprint(&cluster).await;
    let outcome = platform(&cluster, "application").apply(&nothing(), planned.planned, &billing()).await;
    assert!(outcome.diagnostics.has_errors());
    assert!(outcome.diagnostics.0.iter().all(|it| it.summary == "Prefix reserved"), "{:?}", outcome.diagnostics);
    assert_eq!((outcome.stored.state, footprint(&cluster).await), (Value::Null, before));
}

const PLATFORM: &str = "platform";

/// What a platform needs that is no super user.
const RIGHTS: [&str; 12] = [
    "CLUSTER|LITERAL|kafka-cluster|User:platform|*|ALTER",
    "CLUSTER|LITERAL|kafka-cluster|User:platform|*|DESCRIBE",
    "TRANSACTIONAL_ID|LITERAL|_selfserve.lease|User:platform|*|WRITE",
    "TOPIC|LITERAL|_selfserve|User:platform|*|READ",
    "TOPIC|LITERAL|_selfserve|User:platform|*|WRITE",
    "TOPIC|LITERAL|_selfserve.state|User:platform|*|READ",
    "TOPIC|LITERAL|_selfserve.state|User:platform|*|WRITE",
    "TOPIC|LITERAL|_selfserve.text|User:platform|*|READ",
    "TOPIC|LITERAL|_selfserve.text|User:platform|*|WRITE",
    "TOPIC|PREFIXED|_selfserve.mailbox.|User:platform|*|READ",
    "TOPIC|PREFIXED|_selfserve.mailbox.|User:platform|*|CREATE",
    "TOPIC|PREFIXED|_selfserve.mailbox.|User:platform|*|DELETE",
];

/// A governed cluster as a platform sees it that lacks the rights whose rules end so.
async fn seen_without(cluster: &Arc<MemoryCluster>, lacks: &[&str]) -> Arc<MemoryCluster> {
    let has = RIGHTS.iter().filter(|it| !lacks.iter().any(|lacks| it.ends_with(lacks)));
    let rules: Vec<_> = has.map(|it| format!("{it}|ALLOW").parse().unwrap()).collect();
    cluster.create_acls(&rules, soon()).await.unwrap();
    Arc::new(cluster.seen_by(Principal::user(PLATFORM)))
}

fn described() -> Json {
    let mut it = billing();
    it["description"] = "Bills.".into();
    it
}

#[track_caller]
fn is_denied(diagnostics: &Diagnostics, right: &str) {
    let errors: Vec<_> = diagnostics.0.iter().filter(|it| it.severity == Severity::Error).collect();
    let summaries: Vec<_> = errors.iter().map(|it| it.summary.as_str()).collect();
    assert_eq!(summaries, ["Not permitted by Kafka"], "without {right}");
    let told = format!("`User:platform`, as whom the provider authenticates, may not {right}.");
    assert!(errors[0].detail.contains(&told), "{diagnostics:?}");
}

#[tokio::test]
async fn a_platform_with_all_rights_and_no_more_makes_an_application() {
    let cluster = seen_without(&governed_by(Policy::default()).await, &[]).await;
    let stored = platform(&cluster, "application").applied(&nothing(), &described()).await;
    quiet(&platform(&cluster, "application").read(&stored).await.diagnostics);
    quiet(&platform(&cluster, "application").destroy(&stored).await.diagnostics);
}

#[tokio::test]
async fn each_right_that_is_missing_for_an_application_is_named() {
    for (lacks, right) in [
        (&["_selfserve.state|User:platform|*|READ"][..], "READ topic `_selfserve.state`"),
        (
            &["_selfserve.state|User:platform|*|READ", "_selfserve.state|User:platform|*|WRITE"],
            "DESCRIBE topic `_selfserve.state`",
        ),
        (&["_selfserve.state|User:platform|*|WRITE"], "WRITE topic `_selfserve.state`"),
        (&["_selfserve|User:platform|*|READ"], "READ topic `_selfserve`"),
        (&["_selfserve|User:platform|*|READ", "_selfserve|User:platform|*|WRITE"], "DESCRIBE topic `_selfserve`"),
        (&["_selfserve|User:platform|*|WRITE"], "WRITE topic `_selfserve`"),
        (&["_selfserve.text|User:platform|*|WRITE"], "WRITE topic `_selfserve.text`"),
        (&["_selfserve.lease|User:platform|*|WRITE"], "WRITE transactional id `_selfserve.lease`"),
        (&["kafka-cluster|User:platform|*|ALTER"], "ALTER the cluster"),
        (&["kafka-cluster|User:platform|*|ALTER", "kafka-cluster|User:platform|*|DESCRIBE"], "DESCRIBE the cluster"),
    ] {
        let whole = governed_by(Policy::default()).await;
        let cluster = seen_without(&whole, lacks).await;
        let run = platform(&cluster, "application");
        let planned = run.plan(&nothing(), &described()).await;
        assert!(!planned.diagnostics.has_errors(), "a plan needs no right: {:?}", planned.diagnostics);
        let planned = platform(&whole, "application").plan(&nothing(), &described()).await;
        let outcome = run.apply(&nothing(), planned.planned, &described()).await;
        is_denied(&outcome.diagnostics, right);
        assert_eq!(outcome.stored.state, Value::Null);
        // What was begun is finished by whoever has the right.
        let stored = platform(&whole, "application").applied(&nothing(), &described()).await;
        assert_eq!(stored.state.attribute("status"), &"ready".into());
    }
}

/// Rule 11 of governance: what may not be seen is not gone.
#[tokio::test]
async fn nothing_is_concluded_from_a_journal_that_may_not_be_read() {
    for (lacks, right) in [
        (&["_selfserve.state|User:platform|*|READ"][..], "READ topic `_selfserve.state`"),
        (
            &["_selfserve.state|User:platform|*|READ", "_selfserve.state|User:platform|*|WRITE"],
            "DESCRIBE topic `_selfserve.state`",
        ),
        (&RIGHTS.map(|it| it.rsplit_once("User:").map_or(it, |(_, it)| it)), "DESCRIBE topic `_selfserve.state`"),
    ] {
        let whole = governed_by(Policy::default()).await;
        let stored = platform(&whole, "application").applied(&nothing(), &described()).await;
        let cluster = seen_without(&whole, lacks).await;
        let before = footprint(&whole).await;
        is_denied(&platform(&cluster, "application").read(&stored).await.diagnostics, right);
        is_denied(&platform(&cluster, "application").destroy(&stored).await.diagnostics, right);
        let imported = platform(&cluster, "application").import("dev/billing").await;
        is_denied(&platform(&cluster, "application").read(&imported.stored).await.diagnostics, right);
        let changed = json!({ "name": "billing", "owner": { "team": "other" } });
        let planned = platform(&whole, "application").plan(&stored, &changed).await;
        let outcome = platform(&cluster, "application").apply(&stored, planned.planned, &changed).await;
        is_denied(&outcome.diagnostics, right);
        assert_eq!(footprint(&whole).await, before);
    }
}

/// Kafka tells a journal that is there from one that is absent to those who may describe it.
#[tokio::test]
async fn a_topic_beside_a_journal_that_is_seen_and_may_not_be_read_is_refused_in_apply() {
    let whole = governed_by(Policy::default()).await;
    platform(&whole, "application").applied(&nothing(), &billing()).await;
    let cluster = seen_without(&whole, &["_selfserve.state|User:platform|*|READ"]).await;
    let create = "CLUSTER|LITERAL|kafka-cluster|User:platform|*|CREATE|ALLOW".parse().unwrap();
    whole.create_acls(&[create], soon()).await.unwrap();
    let orders = json!({ "name": "billing.orders" });
    let planned = platform(&cluster, "topic").plan(&nothing(), &orders).await;
    let unread = (Severity::Warning, "Not checked by the rules".to_owned(), String::new());
    assert_eq!(told(&planned.diagnostics), [unread]);
    let before = footprint(&whole).await;
    let outcome = platform(&cluster, "topic").apply(&nothing(), planned.planned, &orders).await;
    is_denied(&outcome.diagnostics, "READ topic `_selfserve.state`");
    assert_eq!((outcome.stored.state, footprint(&whole).await), (Value::Null, before));
}

/// Kinds without prefixes of their own have those of topics.
#[tokio::test]
async fn a_prefix_that_is_wrong_for_several_kinds_is_told_once() {
    let cluster = governed_by(Policy::default()).await;
    let config = json!({ "name": "other", "owner": { "team": "x" }, "prefixes": { "topic": ["mm2-x-"] } });
    is_refused(&cluster, "application", &config, &[("Prefix reserved", "prefixes.topic[…]")]).await;
    let plan = platform(&cluster, "application").plan(&nothing(), &config).await;
    let detail = &plan.diagnostics.0[0].detail;
    assert!(detail.contains("claimed for topics, groups, transactional ids, subjects, connectors."), "{detail}");
}

/// The journal has none of the other topics of a plan yet.
#[tokio::test]
async fn topics_of_one_plan_that_exceed_a_quota_only_together_are_told() {
    let quota = Totals { partitions: Some(10), ..Totals::default() };
    let cluster = governed_by(Policy { quota, ..Policy::default() }).await;
    platform(&cluster, "application").applied(&nothing(), &billing()).await;
    let topic = |name: &str, partitions: i64| json!({ "name": format!("billing.{name}"), "partitions": partitions });
    let there = platform(&cluster, "topic").applied(&nothing(), &topic("there", 4)).await;
    let run = platform(&cluster, "topic");
    quiet(&run.plan(&nothing(), &topic("a", 3)).await.diagnostics);
    quiet(&run.plan(&nothing(), &topic("b", 3)).await.diagnostics);
    let third = run.plan(&nothing(), &topic("c", 3)).await;
    let together = (Severity::Warning, "Capacity exceeded together".to_owned(), "partitions".to_owned());
    assert_eq!(told(&third.diagnostics), std::slice::from_ref(&together));
    let detail = &third.diagnostics.0[0].detail;
    assert!(detail.contains("may take 10 (partitions)") && detail.contains("2 more of this plan"), "{detail}");
    assert!(detail.contains("it would be 13"), "{detail}");
    // What grows counts as what it becomes, and what is deleted makes room.
    let run = platform(&cluster, "topic");
    quiet(&run.plan(&nothing(), &topic("a", 3)).await.diagnostics);
    assert_eq!(told(&run.plan(&there, &topic("there", 8)).await.diagnostics), [together]);
    let run = platform(&cluster, "topic");
    run.plan_end(&there).await;
    for name in ["a", "b", "c"] {
        quiet(&run.plan(&nothing(), &topic(name, 3)).await.diagnostics);
    }
    // The next walk begins anew.
    quiet(&platform(&cluster, "topic").plan(&nothing(), &topic("c", 3)).await.diagnostics);
}

//! Topics of a cluster that rules govern.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value as Json, json};

use crate::{
    clients::{
        kafka::{Kafka, KafkaError},
        memory::MemoryCluster,
    },
    framework::{PlanRequest, Severity, Stored, Value},
    governance::{
        owned_topic::OwnedTopic,
        policy::{ConfigRule, Policy, TopicPolicy},
        topic::{TopicName, TopicSpec},
    },
    provider::Acting,
    resources::testing::{Run, change_policy, govern, governed_by, nothing, quiet, soon, told},
};

fn run(cluster: &Arc<MemoryCluster>) -> Run {
    Run::on(cluster, "topic", Acting::default())
}

/// A cluster whose rules give topics a retention, and an application there.
async fn cluster() -> Arc<MemoryCluster> {
    let rule = |default: &str| ConfigRule { default: Some(default.to_owned()), ..ConfigRule::default() };
    let config = [("retention.ms", "60000"), ("cleanup.policy", "compact,delete")];
    let config = config.map(|(key, default)| (key.to_owned(), rule(default)));
    let topics = TopicPolicy { config: config.into(), ..TopicPolicy::default() };
    let cluster = governed_by(Policy { topics, ..Policy::default() }).await;
    let billing = json!({ "name": "billing", "owner": { "team": "payments" } });
    Run::on(&cluster, "application", Acting::default()).applied(&Stored::default(), &billing).await;
    cluster
}

fn map(entries: &[(&str, &str)]) -> Value {
    let entries: BTreeMap<_, _> = entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
    Value::Map(entries)
}

fn orders(config: Json) -> Json {
    let mut res = json!({ "name": "billing.orders", "partitions": 1 });
    if !config.is_null() {
        res["config"] = config;
    }
    res
}

/// Rule 21 of Terraform's core: what the rules gave is not shown to be removed.
#[tokio::test]
async fn an_import_leaves_to_the_rules_what_is_as_they_give_it() {
    let cluster = cluster().await;
    let declared = orders(json!({ "max.message.bytes": "2000000", "cleanup.policy": "compact" }));
    let stored = run(&cluster).applied(&Stored::default(), &declared).await;
    assert_eq!(stored.state.attribute("policy_config"), &map(&[("retention.ms", "60000")]));
    let imported = run(&cluster).import("dev/billing.orders").await;
    let seen = run(&cluster).read(&imported.stored).await;
    quiet(&seen.diagnostics);
    for attribute in ["config", "policy_config"] {
        assert_eq!(seen.stored.state.attribute(attribute), stored.state.attribute(attribute), "{attribute}");
    }
    let again = run(&cluster).plan(&seen.stored, &declared).await;
    assert_eq!(again.planned.state, seen.stored.state);
    // Of a topic that declares nothing, nothing is left to declare.
    let cluster = self::cluster().await;
    run(&cluster).applied(&Stored::default(), &orders(Json::Null)).await;
    let imported = run(&cluster).import("dev/billing.orders").await;
    let seen = run(&cluster).read(&imported.stored).await.stored;
    assert_eq!(seen.state.attribute("config"), &Value::Null);
    quiet(&run(&cluster).plan(&seen, &orders(Json::Null)).await.diagnostics);
}

/// How often something was asked of the cluster since.
fn count(cluster: &MemoryCluster, call: &str, since: usize) -> usize {
    cluster.calls()[since..].iter().filter(|it| **it == call).count()
}

#[tokio::test]
async fn an_update_that_the_journal_does_not_keep_writes_nothing_there() {
    let cluster = cluster().await;
    let before = orders(json!({ "max.message.bytes": "2000000" }));
    let stored = run(&cluster).applied(&Stored::default(), &before).await;
    let known = run(&cluster).governed().snapshot(soon()).await.unwrap();
    let topic = known.state.topic(&"billing.orders".parse().unwrap()).unwrap();
    assert_eq!((topic.partitions, topic.replication_factor), (1, Some(1)), "what the broker gave is kept");
    let since = cluster.calls().len();
    let stored = run(&cluster).applied(&stored, &orders(json!({ "max.message.bytes": "3000000" }))).await;
    assert_eq!((count(&cluster, "take_lease", since), count(&cluster, "append_to_logs", since)), (0, 0));
    let since = cluster.calls().len();
    let mut grown = orders(json!({ "max.message.bytes": "3000000" }));
    grown["partitions"] = 4.into();
    run(&cluster).applied(&stored, &grown).await;
    assert_eq!(count(&cluster, "append_to_logs", since), 1, "that it has more partitions");
}

/// A topic of billing's that somebody made who writes no journal.
async fn make_outside(cluster: &Arc<MemoryCluster>, name: &str) {
    let (partitions, replication_factor) = (Some(3), None);
    let spec = TopicSpec { name: name.parse().unwrap(), partitions, replication_factor, config: BTreeMap::new() };
    cluster.create_topic(&spec, soon()).await.unwrap();
}

#[tokio::test]
async fn a_topic_that_the_journal_does_not_know_gets_its_owner_in_one_transaction() {
    let cluster = cluster().await;
    make_outside(&cluster, "billing.orders").await;
    let imported = run(&cluster).import("dev/billing.orders").await;
    let stored = run(&cluster).read(&imported.stored).await.stored;
    let since = cluster.calls().len();
    let mut changed = orders(json!({ "max.message.bytes": "3000000" }));
    changed["partitions"] = 3.into();
    run(&cluster).applied(&stored, &changed).await;
    assert_eq!(count(&cluster, "append_to_logs", since), 1);
    let known = run(&cluster).governed().snapshot(soon()).await.unwrap();
    let topic = known.state.topic(&"billing.orders".parse().unwrap()).unwrap();
    assert_eq!((topic.status.word(), topic.application.as_ref().unwrap().as_str()), ("created", "billing"));
    assert!(topic.topic_id.is_some());
}

#[tokio::test]
async fn topics_that_are_adopted_are_the_applications_with_its_declaration() {
    let cluster = Arc::new(MemoryCluster::new(1));
    let stored = run(&cluster).applied(&nothing(), &orders(Json::Null)).await;
    govern(&cluster, Policy::default()).await;
    let mut billing = json!({ "name": "billing", "owner": { "team": "payments" } });
    billing["on_existing"] = "adopt".into();
    let application = || Run::on(&cluster, "application", Acting::default());
    let declared = application().applied(&nothing(), &billing).await;
    let known = run(&cluster).governed().snapshot(soon()).await.unwrap();
    let topic = known.state.topic(&"billing.orders".parse().unwrap()).unwrap();
    assert_eq!((topic.status.word(), topic.application.as_ref().unwrap().as_str()), ("created", "billing"));
    assert_eq!((topic.partitions, topic.topic_id.is_some()), (1, true));
    let since = cluster.calls().len();
    run(&cluster).applied(&stored, &orders(json!({ "retention.ms": "1000" }))).await;
    assert_eq!(count(&cluster, "append_to_logs", since), 0, "it is known already");
    let planned = application().plan_end(&declared).await;
    told(&planned.diagnostics, Severity::Warning, "Application in use", "`billing.orders`");
}

/// Streams programs make topics under the prefixes of their application, and nobody would own them after it.
#[tokio::test]
async fn an_application_with_topics_of_its_clients_does_not_end() {
    let cluster = cluster().await;
    let imported = Run::on(&cluster, "application", Acting::default()).import("dev/billing").await;
    let application = || Run::on(&cluster, "application", Acting::default());
    let stored = application().read(&imported.stored).await.stored;
    make_outside(&cluster, "billing.sums-changelog").await;
    let planned = application().plan_end(&stored).await;
    told(&planned.diagnostics, Severity::Warning, "Application in use", "`billing.sums-changelog`");
    let refused = application().destroy(&stored).await;
    told(&refused.diagnostics, Severity::Error, "Application in use", "`billing.sums-changelog`");
    cluster.delete_topic(&"billing.sums-changelog".parse().unwrap(), None, soon()).await.unwrap();
    quiet(&application().plan_end(&stored).await.diagnostics);
    quiet(&application().destroy(&stored).await.diagnostics);
}

/// Deletes the journal of a cluster, as one does who may delete topics.
async fn lose_journal(cluster: &Arc<MemoryCluster>) {
    let topics = run(cluster).governed().journal().topics().clone();
    for it in [&topics.state, &topics.history, &topics.text] {
        cluster.delete_topic(it, None, soon()).await.unwrap();
    }
}

/// A plan that changes nothing would tell nothing otherwise, and the next change would meet no rules.
#[tokio::test]
async fn a_refresh_stops_at_a_journal_that_is_not_what_it_was() {
    let cluster = cluster().await;
    let stored = run(&cluster).applied(&nothing(), &orders(Json::Null)).await;
    quiet(&run(&cluster).read(&stored).await.diagnostics);
    let topics = run(&cluster).governed().journal().topics().clone();
    let twin = self::cluster().await;
    let own = run(&twin).applied(&nothing(), &orders(Json::Null)).await;
    twin.truncate(&topics.history, 2);
    let seen = run(&twin).read(&own).await;
    assert_eq!(seen.diagnostics.0[0].summary, "Journal is not what it was");
    assert!(seen.diagnostics.0[0].detail.starts_with("The journal was rolled back: "), "{:?}", seen.diagnostics);
    lose_journal(&cluster).await;
    told(&run(&cluster).read(&stored).await.diagnostics, Severity::Error, "No journal", "was deleted: restore it");
    govern(&cluster, Policy::default()).await;
    let seen = run(&cluster).read(&stored).await;
    told(&seen.diagnostics, Severity::Error, "Journal is not what it was", " was replaced by ");
    assert!(seen.diagnostics.0[0].detail.starts_with("The journal "), "{:?}", seen.diagnostics);
}

/// A team whose pipeline has the platform's rights.
fn team(cluster: &Arc<MemoryCluster>, application: &str) -> Run {
    Run::on(cluster, "topic", Acting { application: Some(application.parse().unwrap()), ..Acting::default() })
}

#[tokio::test]
async fn anothers_topic_is_neither_changed_nor_replaced_nor_deleted_from_a_state_that_has_it() {
    let cluster = cluster().await;
    let shop = json!({ "name": "shop", "owner": { "team": "shop" } });
    Run::on(&cluster, "application", Acting::default()).applied(&nothing(), &shop).await;
    let stored = run(&cluster).applied(&nothing(), &orders(Json::Null)).await;
    let unchanged = team(&cluster, "shop").plan(&stored, &orders(Json::Null)).await;
    let is_warning = unchanged.diagnostics.0.iter().all(|it| it.severity == Severity::Warning);
    assert!(is_warning, "{:?}", unchanged.diagnostics);
    let changed = orders(json!({ "retention.ms": "1000" }));
    let refused = team(&cluster, "shop").plan(&stored, &changed).await;
    told(&refused.diagnostics, Severity::Error, "Topic of another application", "destroy = false");
    let renamed = json!({ "name": "shop.orders", "partitions": 1 });
    let refused = team(&cluster, "shop").plan(&stored, &renamed).await;
    told(&refused.diagnostics, Severity::Error, "Not yours to decide", "The topic `billing.orders` is for");
    let refused = team(&cluster, "shop").destroy(&stored).await;
    told(&refused.diagnostics, Severity::Error, "Not yours to decide", "destroy = false");
    lose_journal(&cluster).await;
    let refused = run(&cluster).destroy(&stored).await;
    told(&refused.diagnostics, Severity::Error, "No journal", "the topic `billing.orders`");
}

/// A place that nobody uses would count against the application for ever.
#[tokio::test]
async fn the_place_of_a_topic_that_the_broker_refuses_is_given_back() {
    let cluster = governed_by(Policy::default()).await;
    let name: TopicName = "orders".parse().unwrap();
    let reserved = async || {
        let known = run(&cluster).governed().snapshot(soon()).await.unwrap();
        known.state.topic(&name).is_some_and(OwnedTopic::is_there)
    };
    let config = json!({ "name": "orders", "partitions": 1 });
    let create = async |error: KafkaError| {
        let run = run(&cluster);
        let planned = run.plan(&Stored::default(), &config).await;
        cluster.fail("create_topic", error);
        let outcome = run.apply(&Stored::default(), planned.planned, &config).await;
        assert!(outcome.diagnostics.has_errors(), "{outcome:?}");
    };
    create(KafkaError::Deadline("creating a topic".to_owned())).await;
    assert!(reserved().await, "it may be there");
    create(KafkaError::Refused { code: "POLICY_VIOLATION".to_owned(), message: "no".to_owned() }).await;
    assert!(!reserved().await);
}

#[tokio::test]
async fn what_the_rules_gave_before_is_told_when_the_topic_is_changed() {
    let cluster = cluster().await;
    let stored = run(&cluster).applied(&Stored::default(), &orders(Json::Null)).await;
    let rule = ConfigRule { max: Some(5000.0), ..ConfigRule::default() };
    let topics = TopicPolicy { config: [("retention.ms".to_owned(), rule)].into(), ..TopicPolicy::default() };
    change_policy(&cluster, Policy { topics, ..Policy::default() }).await;
    let told_of = async |config: Json| run(&cluster).plan(&stored, &orders(config)).await.diagnostics;
    quiet(&told_of(Json::Null).await);
    let changed = told_of(json!({ "max.message.bytes": "3000000" })).await;
    told(&changed, Severity::Warning, "Given value breaks the rules", "Write `\"retention.ms\" = \"5000\"`");
    quiet(&told_of(json!({ "retention.ms": "4000" })).await);
}

/// An environment that is declared in the same run gives what no plan could know.
#[tokio::test]
async fn a_plan_that_sees_no_environment_leaves_open_what_one_would_give() {
    let cluster = Arc::new(MemoryCluster::new(1));
    let run = || Run::on(&cluster, "topic", Acting::default());
    let config = json!({ "name": "shop.orders" });
    let planned = run().plan(&nothing(), &config).await;
    for name in ["policy_config", "request_id"] {
        assert_eq!(planned.planned.state.attribute(name), &Value::UNKNOWN, "{name}");
    }
    let stored = run().applied(&nothing(), &config).await;
    for name in ["policy_config", "request_id"] {
        assert_eq!(stored.state.attribute(name), &Value::Null, "{name}");
    }
    let mut open = run().config(&config);
    let Value::Object(parts) = &mut open else { unreachable!("a configuration is an object") };
    parts.insert("application".to_owned(), Value::UNKNOWN);
    let run = run();
    let planned = run.resource.plan(&run.ctx, PlanRequest { prior: nothing(), config: open }).await;
    assert_eq!(planned.planned.state.attribute("deletion_protection"), &Value::UNKNOWN, "it may protect");
}

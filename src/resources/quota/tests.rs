//! Quotas on a cluster in memory.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::{
    clients::{
        kafka::{KafkaError, Quota, QuotaEntity, QuotaName, Quotas},
        memory::MemoryCluster,
    },
    framework::{Diagnostics, Import, Severity, Value},
    governance::{acl::Principal, policy::Policy},
    provider::Acting,
    resources::testing::{Run, governed_by, nothing, quiet, soon, told},
};

fn cluster() -> Arc<MemoryCluster> {
    Arc::new(MemoryCluster::new(1))
}

fn run(cluster: &Arc<MemoryCluster>) -> Run {
    Run::on(cluster, "quota", Acting::default())
}

fn alice() -> QuotaEntity {
    QuotaEntity::user("alice")
}

async fn found(cluster: &MemoryCluster, of: &QuotaEntity) -> Vec<(String, f64)> {
    cluster.quota(of, soon()).await.unwrap().into_iter().collect()
}

async fn set(cluster: &MemoryCluster, of: &QuotaEntity, key: &str, limit: f64) {
    cluster.alter_quota(of, &[(key.to_owned(), Some(limit))].into(), soon()).await.unwrap();
}

fn limits(limits: &[(&str, f64)]) -> Vec<(String, f64)> {
    limits.iter().map(|(key, limit)| ((*key).to_owned(), *limit)).collect::<Quota>().into_iter().collect()
}

fn summaries(diagnostics: &Diagnostics) -> Vec<(&str, String)> {
    let at = |path: &Option<_>| path.as_ref().map(ToString::to_string).unwrap_or_default();
    diagnostics.0.iter().map(|it| (it.summary.as_str(), at(&it.path))).collect()
}

#[tokio::test]
async fn limits_are_set_changed_and_removed_one_by_one() {
    let cluster = cluster();
    let config = json!({ "user": "alice", "producer_byte_rate": 1024, "request_percentage": 16.7 });
    let stored = run(&cluster).applied(&nothing(), &config).await;
    assert_eq!(stored.state.attribute("id"), &"dev/user=alice".into());
    assert_eq!(
        found(&cluster, &alice()).await,
        limits(&[("producer_byte_rate", 1024.0), ("request_percentage", 16.7)])
    );
    let seen = run(&cluster).read(&stored).await;
    quiet(&seen.diagnostics);
    assert_eq!(seen.stored.state, stored.state, "a fraction is no difference");

    let config = json!({ "user": "alice", "producer_byte_rate": 2048, "consumer_byte_rate": 1 });
    let changed = run(&cluster).applied(&stored, &config).await;
    assert_eq!(found(&cluster, &alice()).await, limits(&[("producer_byte_rate", 2048.0), ("consumer_byte_rate", 1.0)]));

    let calls = cluster.calls().len();
    let again = run(&cluster).plan(&changed, &config).await;
    quiet(&again.diagnostics);
    assert_eq!(again.planned.state, changed.state);
    assert_eq!(cluster.calls()[calls..].iter().filter(|it| it.contains("alter")).count(), 0);
}

#[tokio::test]
async fn limits_of_others_are_no_difference_and_stay() {
    let cluster = cluster();
    set(&cluster, &alice(), "request_percentage", 50.0).await;
    let config = json!({ "user": "alice", "producer_byte_rate": 1024 });
    let stored = run(&cluster).applied(&nothing(), &config).await;
    let seen = run(&cluster).read(&stored).await;
    assert_eq!(seen.stored.state, stored.state);
    quiet(&run(&cluster).destroy(&stored).await.diagnostics);
    assert_eq!(found(&cluster, &alice()).await, limits(&[("request_percentage", 50.0)]));
    let seen = run(&cluster).read(&stored).await;
    assert_eq!(seen.stored.state, Value::Null, "none of its own is there");
    quiet(&run(&cluster).destroy(&stored).await.diagnostics);
}

#[tokio::test]
async fn own_limits_that_somebody_changed_or_removed_are_seen_and_mended() {
    let cluster = cluster();
    let config = json!({ "user": "alice", "producer_byte_rate": 1024, "consumer_byte_rate": 1024 });
    let stored = run(&cluster).applied(&nothing(), &config).await;
    let theirs = [("producer_byte_rate".to_owned(), Some(7.0)), ("consumer_byte_rate".to_owned(), None)];
    cluster.alter_quota(&alice(), &theirs.into(), soon()).await.unwrap();
    let seen = run(&cluster).read(&stored).await;
    quiet(&seen.diagnostics);
    assert_eq!(seen.stored.state.attribute("producer_byte_rate"), &7.into());
    assert_eq!(seen.stored.state.attribute("consumer_byte_rate"), &Value::Null);
    run(&cluster).applied(&seen.stored, &config).await;
    let both = limits(&[("producer_byte_rate", 1024.0), ("consumer_byte_rate", 1024.0)]);
    assert_eq!(found(&cluster, &alice()).await, both);
}

#[tokio::test]
async fn every_kind_of_entity_has_quotas() {
    let cluster = cluster();
    let named = |name: &str| Some(QuotaName::Named(name.to_owned()));
    let default = || Some(QuotaName::Default);
    for (entity, id, of) in [
        (json!({ "user_default": true }), "user=<default>", (default(), None, None)),
        (json!({ "client_id": "app" }), "client-id=app", (None, named("app"), None)),
        (json!({ "user": "a/b", "client_id": "app" }), "user=a%2Fb,client-id=app", (named("a/b"), named("app"), None)),
        (
            json!({ "user": "a", "client_id_default": true }),
            "user=a,client-id=<default>",
            (named("a"), default(), None),
        ),
        (json!({ "ip": "192.0.2.1" }), "ip=192.0.2.1", (None, None, named("192.0.2.1"))),
        (json!({ "ip_default": true, "user_default": false }), "ip=<default>", (None, None, default())),
    ] {
        let of = QuotaEntity { user: of.0, client_id: of.1, ip: of.2 };
        let key = if of.ip.is_some() { "connection_creation_rate" } else { "controller_mutation_rate" };
        let mut config = entity;
        config[key] = json!(5);
        let stored = run(&cluster).applied(&nothing(), &config).await;
        assert_eq!(stored.state.attribute("id"), &format!("dev/{id}").as_str().into());
        assert_eq!(found(&cluster, &of).await, limits(&[(key, 5.0)]), "{config}");

        let imported = run(&cluster).import(&format!("dev/{id}")).await;
        let seen = run(&cluster).read(&imported.stored).await;
        quiet(&seen.diagnostics);
        if config["user_default"] != json!(false) {
            assert_eq!(seen.stored.state, stored.state, "{config}");
        }
        assert_eq!(seen.stored.identity, stored.identity);
        quiet(&run(&cluster).destroy(&stored).await.diagnostics);
    }
    let wrong = run(&cluster).import("dev/alice").await;
    told(&wrong.diagnostics, Severity::Error, "Invalid quota identifier", "user=alice,client-id=app");

    let stored = run(&cluster).applied(&nothing(), &json!({ "user": "a", "producer_byte_rate": 5 })).await;
    let Value::Object(mut identity) = stored.identity else { panic!("{stored:?}") };
    identity.insert("entity".to_owned(), "usr=a".into());
    let run = run(&cluster);
    let wrong = run.resource.import(&run.ctx, Import::Identity(Value::Object(identity))).await;
    told(&wrong.diagnostics, Severity::Error, "Invalid quota identity", "`user=alice`");
}

#[tokio::test]
async fn another_entity_is_another_quota_and_another_form_is_not() {
    let cluster = cluster();
    let old = json!({ "entity_type": "user", "entity_name": "alice", "config": { "producer_byte_rate": 1024 } });
    let stored = run(&cluster).applied(&nothing(), &old).await;
    assert_eq!(found(&cluster, &alice()).await, limits(&[("producer_byte_rate", 1024.0)]));
    let seen = run(&cluster).read(&stored).await;
    assert_eq!(seen.stored.state, stored.state);

    let calls = cluster.calls().len();
    let new = json!({ "user": "alice", "producer_byte_rate": 1024 });
    let rewritten = run(&cluster).applied(&stored, &new).await;
    assert!(!cluster.calls()[calls..].contains(&"alter_quota"), "nothing changes but the words");
    assert_eq!(rewritten.identity, stored.identity);

    for (config, at) in [
        (json!({ "user": "bob", "producer_byte_rate": 1024 }), "user"),
        (json!({ "user": "alice", "client_id": "app", "producer_byte_rate": 1024 }), "client_id"),
        (json!({ "user_default": true, "producer_byte_rate": 1024 }), "user"),
    ] {
        let planned = run(&cluster).plan(&rewritten, &config).await;
        let replaced: Vec<String> = planned.replace.iter().map(ToString::to_string).collect();
        assert_eq!(replaced, [at], "{config}");
    }
    let planned = run(&cluster).plan(&stored, &json!({ "entity_type": "user", "config": old["config"] })).await;
    assert_eq!(planned.replace.len(), 1, "all others are another entity");
}

#[test]
fn state_of_another_provider_is_taken_over() {
    let state = json!({
        "id": "|user", "entity_type": "user", "entity_name": "", "config": { "producer_byte_rate": 1024.0 },
    });
    let upgraded = run(&cluster()).resource.upgrade(0, state).unwrap();
    assert_eq!(upgraded.attribute("entity_name"), &Value::Null);
    assert_eq!(upgraded.attribute("config").attribute("producer_byte_rate"), &Value::Null, "a map has no attributes");
    let Value::Map(config) = upgraded.attribute("config") else { panic!("{upgraded:?}") };
    assert_eq!(config["producer_byte_rate"], 1024.into());
}

#[tokio::test]
async fn other_limits_that_are_there_are_not_changed_unless_they_are_adopted() {
    let cluster = cluster();
    set(&cluster, &alice(), "producer_byte_rate", 7.0).await;
    let mut config = json!({ "user": "alice", "producer_byte_rate": 1024 });
    let planned = run(&cluster).plan(&nothing(), &config).await;
    told(&planned.diagnostics, Severity::Warning, "Quota already exists", "`producer_byte_rate = 7`");
    assert!(planned.diagnostics.0[0].detail.contains("where this plan replaces it"), "{planned:?}");
    let outcome = run(&cluster).apply(&nothing(), planned.planned, &config).await;
    told(&outcome.diagnostics, Severity::Error, "Quota already exists", "on_existing = \"adopt\"");
    assert_eq!(found(&cluster, &alice()).await, limits(&[("producer_byte_rate", 7.0)]));
    // What a run that was killed left is exactly as it was planned.
    config["producer_byte_rate"] = json!(7);
    run(&cluster).applied(&nothing(), &config).await;
    config["producer_byte_rate"] = json!(1024);
    config["on_existing"] = json!("adopt");
    run(&cluster).applied(&nothing(), &config).await;
    assert_eq!(found(&cluster, &alice()).await, limits(&[("producer_byte_rate", 1024.0)]));
}

#[tokio::test]
async fn one_entity_has_one_resource() {
    let cluster = cluster();
    let run = run(&cluster);
    quiet(&run.plan(&nothing(), &json!({ "user": "alice", "producer_byte_rate": 1024 })).await.diagnostics);
    let second = json!({ "entity_type": "user", "entity_name": "alice", "config": { "consumer_byte_rate": 1 } });
    let second = run.plan(&nothing(), &second).await;
    told(&second.diagnostics, Severity::Error, "Quota planned twice", "would undo the other's");
}

#[tokio::test]
async fn a_missing_right_is_no_absence() {
    let cluster = cluster();
    let config = json!({ "user": "alice", "producer_byte_rate": 1024 });
    let stored = run(&cluster).applied(&nothing(), &config).await;
    let nobody = Arc::new(cluster.seen_by(Principal::user("nobody")));
    let seen = run(&nobody).read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Quota not refreshed", "stays as it was stored");
    assert_eq!(seen.stored.state, stored.state);
    let planned = run(&nobody).plan(&nothing(), &config).await;
    told(&planned.diagnostics, Severity::Warning, "Not checked by the broker", "only in apply");
    let outcome = run(&nobody).apply(&nothing(), planned.planned, &config).await;
    told(&outcome.diagnostics, Severity::Error, "Not permitted by Kafka", "DESCRIBE_CONFIGS the cluster");
    let outcome = run(&nobody).destroy(&stored).await;
    told(&outcome.diagnostics, Severity::Error, "Not permitted by Kafka", "ALTER_CONFIGS the cluster");
}

#[tokio::test]
async fn a_broker_that_is_too_old_is_told_in_the_plan() {
    let cluster = cluster();
    cluster.fail("refresh_quota", KafkaError::Unsupported("descriptions of client quotas (Kafka 2.6)".to_owned()));
    let planned = run(&cluster).plan(&nothing(), &json!({ "user": "alice", "producer_byte_rate": 1 })).await;
    told(&planned.diagnostics, Severity::Error, "Not supported by the broker", "(Kafka 2.6)");
}

#[tokio::test]
async fn a_quota_that_is_created_before_it_is_destroyed_stays() {
    let cluster = cluster();
    let config = json!({ "user": "alice", "producer_byte_rate": 1024 });
    let stored = run(&cluster).applied(&nothing(), &config).await;
    let run = run(&cluster);
    let planned = run.plan(&nothing(), &config).await;
    quiet(&run.apply(&nothing(), planned.planned, &config).await.diagnostics);
    let outcome = run.destroy(&stored).await;
    told(&outcome.diagnostics, Severity::Warning, "Quota not deleted", "create_before_destroy");
    assert_eq!(found(&cluster, &alice()).await.len(), 1);
}

#[test]
fn what_cannot_be_is_told_at_its_attribute() {
    let cluster = cluster();
    let check = |config: Json, expected: &[(&str, &str)]| {
        let report = run(&cluster).validate(&config);
        let expected: Vec<_> = expected.iter().map(|(summary, at)| (*summary, (*at).to_owned())).collect();
        assert_eq!(summaries(&report), expected, "{config}");
    };
    let rate = |entity: Json| {
        let mut config = entity;
        config["producer_byte_rate"] = json!(1);
        config
    };
    check(rate(json!({ "user": "a" })), &[]);
    check(rate(json!({})), &[("No entity", "")]);
    check(rate(json!({ "user_default": false })), &[("No entity", "")]);
    check(rate(json!({ "user": "" })), &[("Empty name", "user")]);
    check(rate(json!({ "user": "User:a" })), &[("Username has a type", "user")]);
    check(rate(json!({ "user": "a", "user_default": true })), &[("Name and default together", "user")]);
    check(rate(json!({ "entity_type": "user", "user": "a" })), &[("Two forms together", "entity_type")]);
    check(rate(json!({ "entity_name": "a" })), &[("No entity", "entity_name")]);
    check(rate(json!({ "entity_type": "users", "entity_name": "a" })), &[("Unknown kind of entity", "entity_type")]);
    let address = |entity: Json| {
        let mut config = entity;
        config["connection_creation_rate"] = json!(1);
        config
    };
    check(address(json!({ "ip": "::1" })), &[]);
    check(address(json!({ "ip": "example.org" })), &[("Invalid address", "ip")]);
    check(address(json!({ "entity_type": "ip", "entity_name": "x" })), &[("Invalid address", "entity_name")]);
    check(rate(json!({ "ip": "::1" })), &[("Quota of another kind of entity", "producer_byte_rate")]);
    check(address(json!({ "user": "a" })), &[("Quota of another kind of entity", "connection_creation_rate")]);
    let beside = json!({ "user": "a", "ip": "::1", "producer_byte_rate": 1 });
    check(
        beside,
        &[("Address beside a user or client", "ip"), ("Quota of another kind of entity", "producer_byte_rate")],
    );
    check(json!({ "user": "a" }), &[("No limit", "")]);
    check(json!({ "user": "a", "config": { "producer_byte_rate": null } }), &[("No limit", "")]);
    check(json!({ "user": "a", "producer_byte_rate": -1 }), &[("Invalid limit", "producer_byte_rate")]);
    check(json!({ "user": "a", "request_percentage": 0 }), &[("Invalid limit", "request_percentage")]);
    check(json!({ "user": "a", "consumer_byte_rate": 1.5 }), &[("Invalid limit", "consumer_byte_rate")]);
    check(
        json!({ "user": "a", "config": { "producer_byte_rat": 1 } }),
        &[("Unknown quota", "config[\"producer_byte_rat\"]")],
    );
    check(
        json!({ "user": "a", "producer_byte_rate": 1, "config": { "consumer_byte_rate": 1 } }),
        &[("Two forms together", "config")],
    );
}

/// Rule 23 of governance: a quota has one holder.
#[tokio::test]
async fn quotas_are_the_platforms_unless_an_application_holds_them() {
    let cluster = governed_by(Policy::default()).await;
    let application = json!({
        "name": "billing", "owner": { "team": "x" }, "principals": ["User:billing"],
        "client_quota": { "producer_byte_rate_per_broker": 1000 },
    });
    Run::on(&cluster, "application", Acting::default()).applied(&nothing(), &application).await;
    let held = json!({ "user": "billing", "consumer_byte_rate": 1 });
    let planned = run(&cluster).plan(&nothing(), &held).await;
    told(&planned.diagnostics, Severity::Error, "Quota held by an application", "the application `billing`");
    let free = json!({ "user": "billing", "client_id": "app", "consumer_byte_rate": 1 });
    let stored = run(&cluster).applied(&nothing(), &free).await;

    let acting = Acting { application: Some("billing".parse().unwrap()), ..Acting::default() };
    let team = Run::on(&cluster, "quota", acting);
    let planned = team.plan(&nothing(), &free).await;
    told(&planned.diagnostics, Severity::Error, "Quotas are the platform's", "`client_quota`");
    let outcome = team.destroy(&stored).await;
    told(&outcome.diagnostics, Severity::Error, "Quotas are the platform's", "`client_quota`");
}

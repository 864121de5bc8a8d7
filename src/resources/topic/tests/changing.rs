//! What changes in a topic, here and outside.

use serde_json::{Value as Json, json};

use super::{Run, config, map, nothing, orders, told, topic_name, value};
use crate::{
    clients::kafka::Kafka,
    framework::{Private, Severity, Value},
    resources::testing::{quiet, soon},
};

#[tokio::test]
async fn a_topic_is_created_changed_and_deleted() {
    let run = Run::new();
    let retention = |value: &str| map([("retention.ms", value.into()), ("cleanup.policy", Json::Null)]);
    let declared = |partitions: i64, value: &str| {
        config([("name", "orders".into()), ("partitions", partitions.into()), ("config", retention(value))])
    };
    let stored = run.applied(&nothing(), &declared(3, "60000")).await;
    assert_eq!(stored.state.attribute("id"), &"dev/orders".into());
    assert_eq!(stored.state.attribute("config"), &value(&retention("60000")));
    let run = run.next();
    let stored = run.applied(&stored, &declared(6, "120000")).await;
    let actual = run.actual("orders").await.unwrap();
    assert_eq!((actual.partitions, stored.state.attribute("partitions")), (6, &6.into()));
    assert_eq!(actual.config.unwrap()["retention.ms"].value.as_deref(), Some("120000"));
    let outcome = run.read(&stored).await;
    quiet(&outcome.diagnostics);
    assert_eq!(outcome.stored.state, stored.state);
    let gone = run.next().destroy(&stored).await;
    quiet(&gone.diagnostics);
    assert_eq!((gone.stored.state, run.actual("orders").await), (Value::Null, None));
}

#[tokio::test]
async fn a_key_that_is_removed_returns_to_the_default() {
    let run = Run::new();
    let with = config([("name", "orders".into()), ("config", map([("retention.ms", "60000".into())]))]);
    let stored = run.applied(&nothing(), &with).await;
    run.next().applied(&stored, &config([("name", "orders".into())])).await;
    assert!(!run.actual("orders").await.unwrap().config.unwrap()["retention.ms"].overridden);
}

#[tokio::test]
async fn shrinking_partitions_is_refused_in_the_plan() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(6)).await;
    let planned = run.plan(&stored, &orders(3)).await;
    told(&planned.diagnostics, Severity::Error, "Partitions cannot shrink");
    assert_eq!(planned.diagnostics.0[0].path, Some("partitions".into()));
}

#[tokio::test]
async fn growth_outside_is_a_warning_and_stays() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(3)).await;
    run.cluster.grow_partitions(&topic_name("orders"), 8, soon()).await.unwrap();
    let run = run.next();
    let stored = run.read(&stored).await.stored;
    let planned = run.plan(&stored, &orders(3)).await;
    told(&planned.diagnostics, Severity::Warning, "Partitions grown outside");
    assert_eq!(planned.planned.state, stored.state);
    // Another change keeps them too, and the declaration stays the one that was applied.
    let declared = config([
        ("name", "orders".into()),
        ("partitions", 3.into()),
        ("config", map([("retention.ms", "60000".into())])),
    ]);
    let run = run.next();
    let planned = run.plan(&stored, &declared).await.planned;
    let stored = run.apply(&stored, planned, &declared).await.stored;
    told(&run.next().plan(&stored, &declared).await.diagnostics, Severity::Warning, "Partitions grown outside");
    assert_eq!(run.actual("orders").await.unwrap().partitions, 8);
}

#[tokio::test]
async fn drift_is_seen_for_owned_keys_alone() {
    let run = Run::new();
    let owned = map([("retention.ms", "60000".into()), ("cleanup.policy", "compact".into())]);
    let stored = run.applied(&nothing(), &config([("name", "orders".into()), ("config", owned)])).await;
    let changes = [("retention.ms", Some("1")), ("cleanup.policy", None), ("max.message.bytes", Some("2000000"))];
    let changes = changes.map(|(key, value)| (key.to_owned(), value.map(str::to_owned))).into();
    run.cluster.alter_topic_config(&topic_name("orders"), &changes, soon()).await.unwrap();
    let seen = run.read(&stored).await.stored.state;
    assert_eq!(seen.attribute("config"), &value(&map([("retention.ms", "1".into())])));
}

/// Brokers show some values in words of their own, and a plan that follows must still be empty.
#[tokio::test]
async fn values_keep_the_words_of_the_configuration() {
    let run = Run::new();
    let written = map([("cleanup.policy", "compact, delete".into()), ("min.cleanable.dirty.ratio", "0.50".into())]);
    let declared = config([("name", "orders".into()), ("config", written.clone())]);
    let stored = run.applied(&nothing(), &declared).await;
    let seen = Run::on(&run.cluster).read(&stored).await.stored;
    assert_eq!(seen.state.attribute("config"), &value(&written));
    assert_eq!(run.plan(&seen, &declared).await.planned.state, seen.state);
    // The same topic, left by a create that was interrupted.
    let planned = Run::on(&run.cluster).plan(&nothing(), &declared).await.planned;
    let outcome = Run::on(&run.cluster).apply(&nothing(), planned, &declared).await;
    told(&outcome.diagnostics, Severity::Warning, "Topic taken over");
}

/// Rule 24 of Terraform's core: a saved plan is applied without a refresh.
#[tokio::test]
async fn a_plan_that_the_topic_outgrew_is_stale() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(3)).await;
    let planned = run.plan(&stored, &orders(6)).await.planned;
    run.cluster.grow_partitions(&topic_name("orders"), 9, soon()).await.unwrap();
    let outcome = run.apply(&stored, planned, &orders(6)).await;
    told(&outcome.diagnostics, Severity::Error, "Plan is stale");
}

/// Rule 2 of Terraform's core: another topic of the same name is not changed either.
#[tokio::test]
async fn a_topic_made_anew_outside_is_not_changed() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(3)).await;
    let planned = run.plan(&stored, &orders(6)).await.planned;
    run.cluster.delete_topic(&topic_name("orders"), None, soon()).await.unwrap();
    run.make("orders", 3).await;
    let outcome = run.apply(&stored, planned, &orders(6)).await;
    told(&outcome.diagnostics, Severity::Error, "Topic was made anew outside");
    assert_eq!(run.actual("orders").await.unwrap().partitions, 3);
}

#[tokio::test]
async fn a_renamed_topic_may_have_fewer_partitions() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(6)).await;
    let renamed = config([("name", "orders.v2".into()), ("partitions", 3.into())]);
    let planned = run.plan(&stored, &renamed).await;
    quiet(&planned.diagnostics);
    assert_eq!(planned.replace, vec!["name".into()]);
}

/// Rule 25 of Terraform's core: a change of `timeouts` alone asks nobody.
#[tokio::test]
async fn a_change_of_timeouts_does_no_io() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(3)).await;
    let declared =
        config([("name", "orders".into()), ("partitions", 3.into()), ("timeouts", json!({ "create": "10m" }))]);
    let run = run.next();
    let before = run.cluster.calls();
    let changed = run.applied(&stored, &declared).await;
    assert_eq!(changed.state.attribute("timeouts").attribute("create"), &"10m".into());
    assert_eq!(run.cluster.calls(), before);
}

#[tokio::test]
async fn private_facts_survive_every_answer() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &orders(3)).await;
    let facts = |private: &Private| (private.text("uuid").map(str::to_owned), private.get("partitions").cloned());
    let seen = run.read(&stored).await.stored;
    assert_eq!(facts(&seen.private), facts(&stored.private));
    assert!(facts(&seen.private).0.is_some());
    let planned = run.plan(&seen, &orders(3)).await.planned;
    assert_eq!((facts(&planned.private), planned.identity), (facts(&stored.private), stored.identity));
}

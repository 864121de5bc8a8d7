//! Topics of a cluster that rules govern.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value as Json, json};

use crate::{
    clients::memory::MemoryCluster,
    framework::{Stored, Value},
    governance::policy::{ConfigRule, Policy, TopicPolicy},
    provider::Acting,
    resources::testing::{Run, governed_by, quiet},
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

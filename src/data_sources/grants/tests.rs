//! The data source on a cluster in memory with two applications.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;

use super::*;
use crate::{
    clients::{
        governed::testing::{Here, ID, id, soon},
        kafka::{Acls, Kafka},
        memory::MemoryCluster,
    },
    framework::{Provider, Value},
    governance::{
        acl::{Operation, Principal},
        request::Choice,
    },
    provider::{Acting, Environment, KafkaProvider},
};

async fn read(cluster: Arc<MemoryCluster>, name: &str) -> Value {
    let kafka: Arc<dyn Kafka> = cluster;
    let environment = Environment::new("dev", kafka).acting(Arc::new(Acting::default()), None);
    let ctx = Context::new([environment], None);
    let data_source = KafkaProvider::registry().data_sources.remove("grants").unwrap();
    let attributes = data_source.schema().attributes.keys();
    let mut config: BTreeMap<_, _> = attributes.map(|it| ((*it).to_owned(), Value::Null)).collect();
    config.insert("resource_name".to_owned(), name.into());
    let (it, report) = data_source.read(&ctx, Value::Object(config)).await;
    assert_eq!(report, Diagnostics::default());
    it
}

/// The rules, with where they are in their life, whether they are in force, and what they are there for.
fn rules(it: &Value) -> Vec<(String, String, bool, Vec<String>)> {
    let text = |it: &Value| if let Value::String(it) = it { it.clone() } else { String::new() };
    let Value::List(rules) = it.attribute("rules") else { unreachable!("a list") };
    let shown = rules.iter().map(|it| {
        let Value::List(because) = it.attribute("because") else { unreachable!("a list") };
        let because = because.iter().map(|it| format!("{} {}", text(it.attribute("kind")), text(it.attribute("id"))));
        let effective = *it.attribute("effective") == Value::Bool(true);
        (text(it.attribute("acl")), text(it.attribute("status")), effective, because.collect())
    });
    shown.collect()
}

async fn granted() -> Here {
    let here = Here::new(json!({})).await;
    here.file(&[Operation::Read], None).await;
    here.decide(Choice::Approve).await;
    here.platform().grant(&id(), soon()).await.unwrap();
    here
}

fn expected(rule: &str, status: &str, effective: bool, because: &[&str]) -> (String, String, bool, Vec<String>) {
    (rule.to_owned(), status.to_owned(), effective, because.iter().map(|it| (*it).to_owned()).collect())
}

const GRANTED: &str = "TOPIC|LITERAL|pay.x|User:shop|*|READ|ALLOW";

/// Rule 17 of governance: all rules together, wildcards and what is forbidden included.
#[tokio::test]
async fn every_rule_is_shown_with_what_it_is_there_for() {
    let here = granted().await;
    let everybody = "TOPIC|LITERAL|*|User:*|*|READ|ALLOW";
    let forbidden = "TOPIC|PREFIXED|pa|User:shop|*|READ|DENY";
    here.cluster.add_rules([everybody, forbidden].map(|it| it.parse().unwrap()));
    let it = read(here.cluster.clone(), "pay.x").await;
    assert_eq!((it.attribute("owner"), it.attribute("source")), (&"pay".into(), &"cluster".into()));
    let told = rules(&it);
    let request = format!("grant {ID}");
    for it in [
        expected(GRANTED, "present", false, &[&request]),
        expected(everybody, "present", true, &["foreign "]),
        expected(forbidden, "present", false, &["foreign "]),
        expected("TOPIC|PREFIXED|pay.|User:pay|*|WRITE|ALLOW", "present", true, &["owner pay#1"]),
    ] {
        assert!(told.contains(&it), "{it:?} of {told:#?}");
    }
    let Value::List(shown) = it.attribute("rules") else { unreachable!("a list") };
    let grant = shown.iter().find(|it| *it.attribute("acl") == GRANTED.into()).unwrap();
    assert_eq!(grant.attribute("forbidden_by"), &Value::List(vec![forbidden.into()]));
    assert_eq!(grant.attribute("still_permitted_by"), &Value::List(vec![everybody.into()]));
    assert_eq!(grant.attribute("application"), &"shop".into());
    let Value::List(because) = grant.attribute("because") else { unreachable!("a list") };
    let Value::List(agreed) = because[0].attribute("agreed_by") else { unreachable!("a list") };
    assert!(matches!(&agreed[..], [Value::String(it)] if it.starts_with("owner pay, ")), "{agreed:?}");
}

#[tokio::test]
async fn who_may_not_see_rules_is_told_what_the_journal_says() {
    let here = granted().await;
    here.cluster.add_rules(["TOPIC|LITERAL|*|User:*|*|READ|ALLOW".parse().unwrap()]);
    let it = read(Arc::new(here.cluster.seen_by(Principal::user("pay-ci"))), "pay.x").await;
    assert_eq!(it.attribute("source"), &"journal".into());
    let told = rules(&it);
    let request = format!("grant {ID}");
    assert!(told.contains(&expected(GRANTED, "unseen", true, &[&request])), "{told:#?}");
    assert!(told.iter().all(|(rule, ..)| !rule.contains("User:*")), "{told:#?}");
}

#[tokio::test]
async fn a_rule_that_somebody_removed_is_missing() {
    let here = granted().await;
    here.cluster.delete_acls(&[GRANTED.parse().unwrap()], soon()).await.unwrap();
    let told = rules(&read(here.cluster.clone(), "pay.x").await);
    let request = format!("grant {ID}");
    assert!(told.contains(&expected(GRANTED, "missing", false, &[&request])), "{told:#?}");
}

#[tokio::test]
async fn what_has_no_rule_is_everybodys_where_the_environment_is_open() {
    let closed = Here::new(json!({})).await;
    assert_eq!(read(closed.cluster.clone(), "other").await.attribute("open"), &Value::Bool(false));
    let open = Here::new(json!({"acl_mode": "open"})).await;
    let it = read(open.cluster.clone(), "other").await;
    assert_eq!((it.attribute("open"), it.attribute("owner")), (&Value::Bool(true), &Value::Null));
    assert_eq!(read(open.cluster.clone(), "pay.x").await.attribute("open"), &Value::Bool(false));
}

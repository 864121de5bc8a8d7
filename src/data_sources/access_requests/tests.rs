//! The data source on a cluster in memory with two applications.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;

use super::*;
use crate::{
    clients::{
        governed::testing::{Here, ID, id, soon},
        kafka::Kafka,
        memory::MemoryCluster,
    },
    framework::{Provider, Value},
    governance::{
        acl::{Operation, Principal},
        check_topic::TopicRequest,
        command::{Command, Revocation, TopicAsk},
        record::Timestamp,
        request::Choice,
    },
    provider::{Acting, Environment, KafkaProvider},
};

async fn read(cluster: Arc<MemoryCluster>, filter: &[(&str, Value)]) -> (Value, Diagnostics) {
    let kafka: Arc<dyn Kafka> = cluster;
    let environment = Environment::new("dev", kafka).acting(Arc::new(Acting::default()), None);
    let ctx = Context::new([environment], None);
    let data_source = KafkaProvider::registry().data_sources.remove("access_requests").unwrap();
    let attributes = data_source.schema().attributes.keys();
    let mut config: BTreeMap<_, _> = attributes.map(|it| ((*it).to_owned(), Value::Null)).collect();
    config.extend(filter.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    data_source.read(&ctx, Value::Object(config)).await
}

/// Rule 6 of governance: nothing is agreed to that was not seen.
#[tokio::test]
async fn a_change_is_seen_whole_before_it_is_agreed_to() {
    let here = Here::new(json!({"approval": {"changes": {"topic": {"create": "platform"}}}})).await;
    let topic = TopicRequest {
        partitions: Some(12),
        replication_factor: Some(1),
        config: [("retention.ms".to_owned(), "1000".to_owned())].into(),
        ..TopicRequest::new("shop.orders".parse().unwrap())
    };
    let ask = Command::AskTopic(Box::new(TopicAsk { topic, reset: ["segment.ms".to_owned()].into() }));
    here.acting("shop").command(ask, soon()).await.unwrap();
    let (it, report) = read(here.cluster.clone(), &[("kind", "change".into()), ("status", "pending".into())]).await;
    assert_eq!(report, Diagnostics::default());
    let it = only(&it);
    for (attribute, expected) in [
        ("applicant", "shop#1".into()),
        ("resource_name", "shop.orders".into()),
        ("verb", "create".into()),
        ("partitions", 12.into()),
        ("replication_factor", 1.into()),
        ("config", Value::Map([("retention.ms".to_owned(), "1000".into())].into())),
        ("config_reset", Value::List(vec!["segment.ms".into()])),
    ] {
        assert_eq!(*it.attribute(attribute), expected, "{attribute}");
    }
}

fn only(it: &Value) -> &Value {
    let Value::List(found) = it.attribute("requests") else { unreachable!("a list") };
    assert_eq!(found.len(), 1);
    &found[0]
}

#[tokio::test]
async fn requests_are_found_by_what_they_are_and_where_they_are_in_their_life() {
    let here = Here::new(json!({})).await;
    let check = async |filter: &[(&str, Value)], expected: &[&str]| {
        let (it, report) = read(here.cluster.clone(), filter).await;
        assert_eq!(report, Diagnostics::default());
        let expected = Value::List(expected.iter().map(|it| (*it).into()).collect());
        assert_eq!(*it.attribute("ids"), expected, "{filter:?}");
    };
    here.file(&[Operation::Read], None).await;
    check(&[], &[ID]).await;
    check(&[("kind", "access".into()), ("owner", "pay".into()), ("applicant", "shop".into())], &[ID]).await;
    check(&[("kind", "change".into())], &[]).await;
    check(&[("owner", "shop".into())], &[]).await;
    check(&[("applicant", "pay".into())], &[]).await;
    check(&[("status", "pending".into()), ("since", "2020-01-01T00:00:00Z".into())], &[ID]).await;
    check(&[("since", "2999-01-01T00:00:00Z".into())], &[]).await;
    here.decide(Choice::Approve).await;
    here.platform().grant(&id(), soon()).await.unwrap();
    check(&[("status", "pending".into())], &[]).await;
    check(&[("status", "active".into())], &[ID]).await;
}

#[tokio::test]
async fn a_request_is_shown_with_what_was_decided_and_what_it_gives() {
    let here = Here::new(json!({})).await;
    here.file(&[Operation::Read], Some(Timestamp(4_070_908_800_000))).await;
    here.decide(Choice::Approve).await;
    here.platform().grant(&id(), soon()).await.unwrap();
    let (it, _) = read(here.cluster.clone(), &[("history", true.into())]).await;
    let it = only(&it);
    let shown = |name: &str| it.attribute(name).clone();
    assert_eq!((shown("applicant"), shown("owner")), ("shop#1".into(), "pay#1".into()));
    assert_eq!((shown("resource_type"), shown("resource_name")), ("topic".into(), "pay.x".into()));
    assert_eq!((shown("expires_at"), shown("pattern_type")), ("2099-01-01T00:00:00Z".into(), "literal".into()));
    assert_eq!(shown("acls"), Value::List(vec!["TOPIC|LITERAL|pay.x|User:shop|*|READ|ALLOW".into()]));
    assert_eq!(shown("granted_revision"), shown("revision"));
    let Value::List(decisions) = shown("decisions") else { unreachable!("a list") };
    assert_eq!(
        (decisions[0].attribute("judge"), decisions[0].attribute("choice")),
        (&"owner".into(), &"approve".into())
    );
    let Value::List(events) = shown("events") else { unreachable!("a list") };
    let statuses: Vec<_> = events.iter().map(|it| it.attribute("status").clone()).collect();
    assert_eq!(statuses, ["pending", "approved", "provisioning", "active"].map(Value::from));
}

#[tokio::test]
async fn free_text_and_history_are_for_those_who_may_read_them() {
    let here = Here::new(json!({})).await;
    here.file(&[Operation::Read], None).await;
    here.decide(Choice::Approve).await;
    let reason = Some("not needed any more".to_owned());
    let revocation = Command::RevokeGrant(Revocation { request: id(), reason });
    here.acting("pay").command(revocation, soon()).await.unwrap();
    let (it, _) = read(here.cluster.clone(), &[]).await;
    assert_eq!(only(&it).attribute("revocation_reason"), &"not needed any more".into());
    assert!(only(&it).attribute("events").is_null(), "nobody asked for history");
    // Deployers read the state, and no text.
    let deployer = Arc::new(here.cluster.seen_by(Principal::user("pay-ci")));
    let (it, report) = read(deployer, &[("history", true.into())]).await;
    assert_eq!(report.0.iter().map(|it| it.summary.as_str()).collect::<Vec<_>>(), ["History not readable"]);
    let it = only(&it);
    assert!(it.attribute("revocation_reason").is_null() && it.attribute("events").is_null(), "{it:?}");
    assert_eq!(it.attribute("status"), &"revoked".into(), "nothing was made yet");
}

/// Rules 17 and 20 of governance: what something else enforces is told exactly, and what is over and still there too.
#[tokio::test]
async fn what_is_enforced_elsewhere_and_what_is_overdue_has_a_word() {
    let here = Here::new(json!({"enforcement": "external"})).await;
    here.file(&[Operation::Read], None).await;
    here.decide(Choice::Approve).await;
    let (it, _) = read(here.cluster.clone(), &[("status", "external".into())]).await;
    let acls = Value::List(vec!["TOPIC|LITERAL|pay.x|User:shop|*|READ|ALLOW".into()]);
    assert_eq!(only(&it).attribute("acls"), &acls);
}

#[test]
fn a_word_that_means_nothing_is_refused() {
    let mut report = Diagnostics::default();
    let config = AccessRequestsModel {
        kind: Some("acess".to_owned()).into(),
        status: Some("done".to_owned()).into(),
        ..AccessRequestsModel::default()
    };
    AccessRequests::validate(&config, &mut report);
    let told: Vec<_> = report.0.iter().map(|it| it.path.as_ref().unwrap().to_string()).collect();
    assert_eq!(told, ["kind", "status"]);
}

//! Tests of changes that somebody must agree to.

use serde_json::json;

use crate::governance::{
    check_topic::TopicRequest,
    command::{Command, Decision},
    decide::{
        fixtures::{World, declare, named},
        grant::tests::summaries,
    },
    request::{Change, ChangeKind, Choice, Filing, Judge, RequestId, RequestStatus, Subject, Verb},
};

fn topic(partitions: i64) -> Command {
    Command::ReserveTopic(Box::new(TopicRequest {
        partitions: Some(partitions),
        ..TopicRequest::new("pay.x".parse().unwrap())
    }))
}

fn file(world: &mut World, verb: Verb, partitions: Option<i64>) -> RequestId {
    let change = Change {
        kind: ChangeKind::Topic,
        verb,
        name: "pay.x".to_owned(),
        partitions,
        disk_bytes: None,
        digest: String::new(),
    };
    let id: RequestId = RequestId::new(named("pay"), world.state.requests().count().try_into().unwrap());
    let filing = Filing::new(id.clone(), named("pay"), Subject::Change(change));
    world.ask("pay", &Command::FileRequest(Box::new(filing))).unwrap();
    id
}

fn approve(world: &mut World, id: &RequestId) {
    let revision = world.state.request(id).unwrap().revision.clone();
    let decision =
        Decision { request: id.clone(), revision, judge: Judge::Platform, choice: Choice::Approve, reason: None };
    world.ask("platform", &Command::DecideRequest(decision)).unwrap();
}

/// Rule 24: within its limits a team needs nobody, and beyond them the platform agrees to that very change.
#[test]
fn a_change_beyond_the_limits_waits_for_the_platform() {
    let limits = json!({"auto_if_within": {"partitions": 6}});
    let mut world = World::new(&json!({"approval": {"changes": {"topic": {
        "create": limits, "update": limits, "delete": "platform",
    }}}}));
    world.ask("platform", &declare("pay", json!({}))).unwrap();
    assert_eq!(summaries(&mut world, "pay", &topic(12)), ["Change not approved"]);
    world.ask("pay", &topic(6)).unwrap();
    assert_eq!(summaries(&mut world, "pay", &topic(12)), ["Change not approved"]);
    let id = file(&mut world, Verb::Update, Some(12));
    assert_eq!(summaries(&mut world, "pay", &topic(12)), ["Change not approved"]);
    approve(&mut world, &id);
    assert_eq!(summaries(&mut world, "pay", &topic(13)), ["Change not approved"], "another one");
    world.ask("pay", &topic(12)).unwrap();
    assert_eq!(world.state.request(&id).unwrap().status, RequestStatus::Active);
    assert_eq!(world.ask("pay", &topic(12)), Ok(vec![]));
    let delete = Command::DeleteTopic("pay.x".parse::<crate::governance::topic::TopicName>().unwrap().into());
    assert_eq!(summaries(&mut world, "pay", &delete), ["Change not approved"]);
    let id = file(&mut world, Verb::Delete, None);
    approve(&mut world, &id);
    world.ask("pay", &delete).unwrap();
}

#[test]
fn the_platform_needs_nobody() {
    let mut world = World::new(&json!({"approval": {"changes": {"topic": {"create": "platform"}}}}));
    world.ask("platform", &declare("pay", json!({}))).unwrap();
    world.ask("platform", &topic(3)).unwrap();
}

/// Rule 9: readers of a topic that was deleted would read a new one of that name.
#[test]
fn rules_that_were_left_behind_are_told_before_a_topic_is_made() {
    let mut world = World::new(&json!({}));
    world.ask("platform", &declare("pay", json!({"principals": ["User:pay"]}))).unwrap();
    let old = "TOPIC|LITERAL|pay.x|User:old|*|READ|ALLOW".parse().unwrap();
    let deny = "TOPIC|LITERAL|pay.x|User:old|*|READ|DENY".parse().unwrap();
    let with = |rules: &[&crate::governance::acl::AclBinding], keep_acls| {
        let left_behind = rules.iter().map(|it| (*it).clone()).collect();
        Command::ReserveTopic(Box::new(TopicRequest {
            left_behind,
            keep_acls,
            ..TopicRequest::new("pay.x".parse().unwrap())
        }))
    };
    assert_eq!(summaries(&mut world, "pay", &with(&[&old, &deny], false)), ["Rules left behind"]);
    world.clone().ask("pay", &with(&[&deny], false)).unwrap();
    world.ask("pay", &with(&[&old], true)).unwrap();
}

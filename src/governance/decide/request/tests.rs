//! Tests of requests and decisions, one story each.

mod asked_again;

use serde_json::{Value, json};

use crate::governance::{
    acl::{Operation, PatternType},
    command::{Actor, Command, Decision, Retraction, Role},
    decide::{
        decide,
        fixtures::{NOW, World, change, declare, named},
    },
    kind::Kind,
    record::Timestamp,
    request::{AccessTo, Choice, Filing, Judge, RequestStatus, Revision, Subject},
};

pub(in crate::governance) const ID: &str = "shop-00000001";

/// An environment with `pay`, that owns a topic, and `shop`, both ready.
pub(in crate::governance) fn world(policy: &Value) -> World {
    let mut res = World::new(policy);
    for name in ["pay", "shop"] {
        res.ask("platform", &declare(name, json!({"principals": [format!("User:{name}")]}))).unwrap();
        res.provision(name);
    }
    res
}

pub(in crate::governance) fn filing(name: &str, operations: &[Operation]) -> Filing {
    let operations = operations.iter().copied().collect();
    let access = AccessTo { kind: Kind::Topic, name: name.to_owned(), pattern: PatternType::Literal, operations };
    Filing::new(ID.parse().unwrap(), named("shop"), Subject::Access(access))
}

pub(in crate::governance) fn file(name: &str, operations: &[Operation]) -> Command {
    Command::FileRequest(Box::new(filing(name, operations)))
}

pub(in crate::governance) fn revision(world: &World) -> Revision {
    world.state.request(&ID.parse().unwrap()).unwrap().revision.clone()
}

pub(in crate::governance) fn verdict(world: &World, judge: Judge, choice: Choice) -> Command {
    let request = ID.parse().unwrap();
    Command::DecideRequest(Decision { request, revision: revision(world), judge, choice, reason: None })
}

pub(in crate::governance) fn status(world: &World) -> RequestStatus {
    world.state.request(&ID.parse().unwrap()).unwrap().status
}

fn claiming(role: Role, name: &str) -> Actor {
    Actor { claimed: Some(name.to_owned()), ..Actor::of(role) }
}

#[test]
fn a_request_waits_for_the_owner_and_nobody_else() {
    let mut world = world(&json!({}));
    world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    assert_eq!(status(&world), RequestStatus::Pending);
    assert_eq!(world.ask("shop", &file("pay.x", &[Operation::Read])), Ok(vec![]));
    let approve = verdict(&world, Judge::Owner, Choice::Approve);
    assert_eq!(world.refused("shop", &approve), [(String::new(), "Not yours to decide")]);
    assert_eq!(world.refused("platform", &approve), [("as".to_owned(), "Not yours to decide")]);
    let as_platform = verdict(&world, Judge::Platform, Choice::Approve);
    assert_eq!(world.refused("platform", &as_platform), [("as".to_owned(), "Not asked to decide")]);
    assert_eq!(world.refused("pay", &as_platform), [("as".to_owned(), "Not yours to decide")]);
    world.ask("pay", &approve).unwrap();
    assert_eq!(status(&world), RequestStatus::Approved);
    assert_eq!(world.ask("pay", &approve), Ok(vec![]));
}

#[test]
fn both_must_agree_where_the_policy_says_so_and_one_no_is_enough() {
    let mut world = world(&json!({"approval": {"access": "owner_and_platform"}}));
    world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    let both = |world: &World, choice| [Judge::Platform, Judge::Owner].map(|it| verdict(world, it, choice));
    let [platform, owner] = both(&world, Choice::Approve);
    world.ask("platform", &platform).unwrap();
    assert_eq!(status(&world), RequestStatus::Pending);
    world.ask("pay", &owner).unwrap();
    assert_eq!(status(&world), RequestStatus::Approved);
    let [no, _] = both(&world, Choice::Reject);
    world.ask("platform", &no).unwrap();
    assert_eq!(status(&world), RequestStatus::Rejected);
    world.ask("platform", &platform).unwrap();
    assert_eq!(status(&world), RequestStatus::Approved);
}

#[test]
fn nobody_is_asked_where_the_policy_has_it_so() {
    let mut free = world(&json!({"approval": {"access": "none"}}));
    free.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    assert_eq!(status(&free), RequestStatus::Approved);
    let mut auto = world(&json!({"approval": {"access": "auto"}}));
    auto.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    assert_eq!(status(&auto), RequestStatus::Pending, "no such topic is known");
    let topic = crate::governance::check_topic::TopicRequest::new("pay.y".parse().unwrap());
    auto.ask("pay", &Command::ReserveTopic(Box::new(topic))).unwrap();
    auto.ask("shop", &file("pay.y", &[Operation::Read])).unwrap();
    assert_eq!(status(&auto), RequestStatus::Approved);
    auto.ask("shop", &file("pay.y", &[Operation::AlterConfigs])).unwrap();
    assert_eq!(status(&auto), RequestStatus::Pending, "the owner sees who alters");
}

/// Terraform rule 6: an edit from `read` to `write` does not keep the approval.
#[test]
fn an_amendment_is_decided_anew() {
    let mut world = world(&json!({}));
    world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    let seen = verdict(&world, Judge::Owner, Choice::Approve);
    world.ask("shop", &file("pay.x", &[Operation::Write])).unwrap();
    assert_eq!(world.refused("pay", &seen), [("revision".to_owned(), "Request amended since")]);
    let now = verdict(&world, Judge::Owner, Choice::Approve);
    world.ask("pay", &now).unwrap();
    world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    assert_eq!(status(&world), RequestStatus::Pending);
    let twice = Filing { ticket: Some("T-1".to_owned()), ..filing("pay.x", &[Operation::Read, Operation::Describe]) };
    let before = revision(&world);
    assert_eq!(world.ask("shop", &Command::FileRequest(Box::new(twice))).unwrap().len(), 1);
    assert_eq!(revision(&world), before, "who may read may describe, and a ticket gives nothing");
}

#[test]
fn a_request_that_is_over_stays_so() {
    let mut world = world(&json!({}));
    world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    let approve = verdict(&world, Judge::Owner, Choice::Approve);
    let withdraw = Command::WithdrawRequest(ID.parse().unwrap());
    world.ask("shop", &withdraw).unwrap();
    assert_eq!(status(&world), RequestStatus::Withdrawn);
    assert_eq!(world.ask("shop", &withdraw), Ok(vec![]));
    assert_eq!(world.refused("pay", &approve), [("request_id".to_owned(), "Request over")]);
    assert_eq!(world.ask("shop", &file("pay.x", &[Operation::Read])), Ok(vec![]));
    assert_eq!(world.refused("shop", &file("pay.x", &[Operation::Write])), [("id".to_owned(), "Request over")]);
}

#[test]
fn a_decision_that_is_taken_back_was_never_made() {
    let mut world = world(&json!({}));
    world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    for choice in [Choice::Approve, Choice::Reject] {
        let decide = verdict(&world, Judge::Owner, choice);
        world.ask("pay", &decide).unwrap();
        let retraction = Retraction { request: ID.parse().unwrap(), revision: revision(&world), judge: Judge::Owner };
        let retract = Command::RetractDecision(retraction);
        world.ask("pay", &retract).unwrap();
        assert_eq!(status(&world), RequestStatus::Pending);
        assert_eq!(world.ask("pay", &retract), Ok(vec![]));
    }
}

#[test]
fn who_asks_and_who_agrees_are_different_people() {
    let world = &mut world(&json!({"approval": {"access": "owner_and_platform", "distinct_actors": true}}));
    let ask = |world: &mut World, actor: &Actor, command: &Command| {
        let events = decide(&world.state, actor, command, NOW);
        events.iter().flatten().for_each(|it| world.keep(it));
        events.map(drop).map_err(|it| it.0.iter().map(|it| it.summary).collect::<Vec<_>>())
    };
    let (shop, pay) = (Role::Application(named("shop")), Role::Application(named("pay")));
    let filed = file("pay.x", &[Operation::Read]);
    assert_eq!(ask(world, &Actor::of(shop.clone()), &filed), Err(vec!["Actor unknown"]));
    ask(world, &claiming(shop, "ann"), &filed).unwrap();
    let owner = verdict(world, Judge::Owner, Choice::Approve);
    assert_eq!(ask(world, &Actor::of(pay.clone()), &owner), Err(vec!["Actor unknown"]));
    assert_eq!(ask(world, &claiming(pay.clone(), "ann"), &owner), Err(vec!["Another person must agree"]));
    ask(world, &claiming(pay, "bob"), &owner).unwrap();
    let platform = verdict(world, Judge::Platform, Choice::Approve);
    assert_eq!(ask(world, &claiming(Role::Platform, "bob"), &platform), Err(vec!["Another person must agree"]));
    ask(world, &claiming(Role::Platform, "eve"), &platform).unwrap();
    assert_eq!(status(world), RequestStatus::Approved);
}

#[test]
fn what_cannot_be_asked_for_is_told_all_at_once() {
    let mut world = world(&json!({}));
    world.ask("platform", &declare("idle", json!({}))).unwrap();
    let summaries = |world: &mut World, filing: Filing| -> Vec<&'static str> {
        let role = filing.applicant.to_string();
        world.refused(&role, &Command::FileRequest(Box::new(filing))).into_iter().map(|(_, it)| it).collect()
    };
    for (name, expected) in [
        ("shop.x", "Request for one's own"),
        ("nobody.x", "Owner unknown"),
        ("__consumer_offsets", "Internal topic"),
        ("_selfserve", "Internal topic"),
        ("*", "Wildcard refused"),
        ("", "Name missing"),
        ("pay.ä", "Invalid topic name"),
        ("idle.x", ""),
    ] {
        let told = match decide(
            &world.state,
            &Actor::of(Role::Application(named("shop"))),
            &file(name, &[Operation::Read]),
            NOW,
        ) {
            Ok(_) => vec![],
            Err(it) => it.0.iter().map(|it| it.summary).collect(),
        };
        assert_eq!(told, [expected].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>(), "{name}");
    }
    let mut all = filing("shop.x", &[Operation::Create]);
    all.expires_at = Some(NOW);
    all.ticket = Some("password=hunter2".to_owned());
    all.texts.insert("justification".to_owned(), "token: abc".to_owned());
    assert_eq!(
        summaries(&mut world, all),
        ["Operation refused", "Request for one's own", "Expired already", "Secret in a text", "Secret in a text"]
    );
    let idle = Filing { id: "shop-00000002".parse().unwrap(), applicant: named("idle"), ..filing("pay.x", &[]) };
    assert_eq!(
        summaries(&mut world, idle),
        ["Id of another application", "Nothing asked for", "Nobody to give access to"]
    );
}

#[test]
fn a_prefix_is_within_one_owners() {
    let mut world = world(&json!({}));
    world.ask("platform", &declare("deep", json!({"prefixes": {"topic": ["wide.a.", "wide.b."]}}))).unwrap();
    let prefixed = |name: &str| {
        let Subject::Access(access) = filing(name, &[Operation::Read]).subject else { unreachable!("an access") };
        let subject = Subject::Access(AccessTo { pattern: PatternType::Prefixed, ..access });
        Command::FileRequest(Box::new(Filing { subject, ..filing(name, &[]) }))
    };
    assert_eq!(world.refused("shop", &prefixed("wide.")), [("resource_name".to_owned(), "Wider than one owner")]);
    assert_eq!(world.refused("shop", &prefixed("p")), [("resource_name".to_owned(), "Wider than one owner")]);
    assert_eq!(world.refused("shop", &prefixed("*")), [("resource_name".to_owned(), "Wildcard refused")]);
    world.ask("shop", &prefixed("wide.a.x")).unwrap();
}

/// Rule 6: a program that comes later gets nothing by itself.
#[test]
fn programs_that_come_later_need_a_new_consent() {
    let mut world = world(&json!({}));
    world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    let first = revision(&world);
    world.ask("pay", &verdict(&world, Judge::Owner, Choice::Approve)).unwrap();
    world.ask("platform", &change("shop", json!({"principals": ["User:shop", "User:more"]}))).unwrap();
    assert_eq!(revision(&world), first);
    let waiting = |world: &World| {
        let request = world.state.request(&ID.parse().unwrap()).unwrap();
        crate::governance::grants::waiting_principals(&world.state, request)
    };
    assert_eq!(waiting(&world), ["User:more".parse().unwrap()].into());
    world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    assert_ne!(revision(&world), first);
    assert_eq!(status(&world), RequestStatus::Pending);
    assert_eq!(waiting(&world), [].into());
    let wider = revision(&world);
    world.ask("platform", &change("shop", json!({"principals": ["User:more"]}))).unwrap();
    assert_eq!(world.ask("shop", &file("pay.x", &[Operation::Read])), Ok(vec![]));
    assert_eq!(revision(&world), wider, "fewer take nobody's leave");
}

#[test]
fn an_approval_after_its_time_is_refused() {
    let mut world = world(&json!({}));
    let limited = Filing { expires_at: Some(Timestamp(2_000)), ..filing("pay.x", &[Operation::Read]) };
    world.ask("shop", &Command::FileRequest(Box::new(limited))).unwrap();
    let approve = verdict(&world, Judge::Owner, Choice::Approve);
    let pay = Actor::of(Role::Application(named("pay")));
    let told = decide(&world.state, &pay, &approve, Timestamp(2_000)).unwrap_err();
    assert_eq!(told.0[0].summary, "Request expired");
    assert!(decide(&world.state, &pay, &approve, Timestamp(1_999)).is_ok());
}

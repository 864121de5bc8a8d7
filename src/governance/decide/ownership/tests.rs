//! Tests of ends and transfers with requests and grants, one story each.

use serde_json::json;

use crate::governance::{
    acl::Operation,
    check_topic::TopicRequest,
    command::{Command, Retraction, Takeover, TopicDeletion, Transfer},
    decide::{
        fixtures::{World, change, declare, named},
        grant::tests::{READ, active, approve, granted, removed, revoke, summaries},
        request::tests::{ID, file, revision, status, verdict, world},
    },
    kind::Kind,
    request::{Choice, Judge, RequestStatus},
    topic::TopicName,
};

/// Gives `pay.` to an application.
fn hand_over(world: &mut World, to: &str) {
    let pay = world.state.application(&named("pay")).unwrap();
    let prefixes = pay.spec.prefixes.clone();
    world.ask("pay", &Command::OfferTransfer(Transfer { application: named("pay"), to: named(to), prefixes })).unwrap();
    let takeover = Takeover { application: named(to), from: named("pay") };
    let events = world.ask("platform", &Command::ConfirmTransfer(takeover)).unwrap();
    assert!(events[0].facts.contains_key("grants_handed_over"));
}

fn with_heir(mut world: World) -> World {
    world.ask("platform", &declare("heir", json!({}))).unwrap();
    world.provision("heir");
    world
}

/// Rule 21: what waits is the new owner's to decide, anew.
#[test]
fn a_request_that_waits_goes_to_the_new_owner() {
    let mut world = with_heir(world(&json!({"approval": {"access": "owner_and_platform"}})));
    world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    let seen = verdict(&world, Judge::Owner, Choice::Approve);
    world.ask("pay", &seen).unwrap();
    let retract = Command::RetractDecision(Retraction {
        request: ID.parse().unwrap(),
        revision: revision(&world),
        judge: Judge::Owner,
    });
    hand_over(&mut world, "heir");
    assert_eq!(summaries(&mut world, "heir", &seen), ["Request amended since"]);
    let now = verdict(&world, Judge::Owner, Choice::Approve);
    assert_eq!(summaries(&mut world, "pay", &now), ["Not yours to decide"]);
    let platform = verdict(&world, Judge::Platform, Choice::Approve);
    world.ask("platform", &platform).unwrap();
    assert_eq!(status(&world), RequestStatus::Pending);
    world.ask("heir", &now).unwrap();
    assert_eq!(status(&world), RequestStatus::Approved);
    assert_eq!(world.ask("pay", &retract), Ok(vec![]), "what was decided before is no obstacle to its removal");
    assert_eq!(status(&world), RequestStatus::Approved);
}

#[test]
fn a_grant_stays_and_is_the_new_owners_to_revoke() {
    let mut world = with_heir(active());
    hand_over(&mut world, "heir");
    assert_eq!((status(&world), granted(&world)), (RequestStatus::Active, vec![READ.to_owned()]));
    assert_eq!(world.ask("shop", &file("pay.x", &[Operation::Read])), Ok(vec![]));
    assert_eq!(summaries(&mut world, "pay", &revoke()), ["Not yours to decide"]);
    world.ask("heir", &revoke()).unwrap();
    assert_eq!((status(&world), granted(&world)), (RequestStatus::Revoking, vec![]));
}

#[test]
fn who_comes_to_own_it_asks_no_more() {
    let mut world = world(&json!({}));
    world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    hand_over(&mut world, "shop");
    assert_eq!(status(&world), RequestStatus::Withdrawn);
}

/// Rule 21: grants on either side are named.
#[test]
fn an_application_with_grants_does_not_end() {
    let mut world = active();
    for name in ["pay", "shop"] {
        let told = world.ask(name, &Command::DeleteApplication(named(name))).unwrap_err();
        assert_eq!(told.0[0].summary, "Application with grants");
        assert!(told.0[0].detail.contains(ID), "{}", told.0[0].detail);
    }
    world.ask("pay", &revoke()).unwrap();
    world.ask("pay", &Command::DeleteApplication(named("pay"))).unwrap();
    world.work();
    world.ask("platform", &removed()).unwrap();
    assert_eq!(status(&world), RequestStatus::Revoked);
}

#[test]
fn what_waits_ends_with_its_applicant_and_its_owner() {
    for name in ["pay", "shop"] {
        let mut world = world(&json!({}));
        world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
        world.ask(name, &Command::DeleteApplication(named(name))).unwrap();
        assert_eq!(status(&world), RequestStatus::Withdrawn);
    }
}

/// A new life of a name has nothing of the one before.
#[test]
fn another_life_of_an_application_has_no_requests() {
    let mut world = world(&json!({}));
    world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    world.ask("shop", &Command::DeleteApplication(named("shop"))).unwrap();
    world.work();
    world.ask("platform", &Command::FinishDeletion(named("shop"))).unwrap();
    world.ask("shop", &declare("shop", json!({"principals": ["User:shop"]}))).unwrap();
    assert_eq!(summaries(&mut world, "shop", &file("pay.x", &[Operation::Read])), ["Id in use"]);
}

/// Rule 9: who has access to a topic is named before it goes.
#[test]
fn a_topic_with_grants_is_not_deleted_unless_they_are_revoked() {
    let mut world = active();
    let name: TopicName = "pay.x".parse().unwrap();
    world.ask("pay", &Command::ReserveTopic(Box::new(TopicRequest::new(name.clone())))).unwrap();
    let delete = |revoke_grants| Command::DeleteTopic(TopicDeletion { revoke_grants, ..name.clone().into() });
    let told = world.ask("pay", &delete(false)).unwrap_err();
    assert_eq!(told.0[0].summary, "Topic with grants");
    assert!(told.0[0].detail.contains("`shop`"), "{}", told.0[0].detail);
    world.ask("pay", &delete(true)).unwrap();
    assert_eq!((status(&world), granted(&world)), (RequestStatus::Revoking, vec![]));
}

#[test]
fn a_prefix_under_which_others_have_access_is_not_given_up() {
    let mut world = active();
    approve(&mut world);
    let narrower = change("pay", json!({"principals": ["User:pay"], "prefixes": {"topic": ["pay.other."]}}));
    assert_eq!(summaries(&mut world, "pay", &narrower), ["Prefix in use"]);
    world.ask("pay", &revoke()).unwrap();
    world.ask("pay", &narrower).unwrap();
    assert!(world.state.owner_of(Kind::Topic, "pay.x").is_none());
}

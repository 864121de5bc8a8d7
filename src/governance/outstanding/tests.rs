//! Tests of what is left to do.

use serde_json::json;

use super::*;
use crate::governance::{
    acl::Operation,
    check_topic::TopicRequest,
    command::{Actor, Command, Role},
    decide::{
        decide,
        fixtures::{NOW, World, declare, named},
        grant::tests::active,
        request::tests::{ID, file, filing, status, verdict, world},
    },
    request::{Choice, Filing, Judge, RequestStatus},
};

fn at(world: &mut World, command: &Command, now: Timestamp) {
    for it in &decide(&world.state, &Actor::of(Role::Platform), command, now).unwrap() {
        world.keep(it);
    }
}

#[test]
fn an_environment_in_which_all_is_done_has_nothing_outstanding() {
    assert_eq!(outstanding(&active().state, NOW), []);
    assert_eq!(outstanding(&State::default(), NOW), []);
}

#[test]
fn what_was_agreed_to_is_to_be_made_and_what_ended_to_be_taken_away() {
    let mut world = world(&json!({}));
    let id = || ID.parse::<RequestId>().unwrap();
    let limited = Filing { expires_at: Some(Timestamp(2_000)), ..filing("pay.x", &[Operation::Read]) };
    world.ask("shop", &Command::FileRequest(Box::new(limited))).unwrap();
    assert_eq!(outstanding(&world.state, NOW), []);
    let approve = verdict(&world, Judge::Owner, Choice::Approve);
    world.ask("pay", &approve).unwrap();
    assert_eq!(outstanding(&world.state, NOW), [Task::Grant(id())]);
    assert_eq!(outstanding(&world.state, Timestamp(2_000)), [Task::Expire(id())]);
    let granting = crate::governance::command::Granting { request: id(), on_cluster: [].into() };
    world.ask("platform", &Command::StartGrant(granting)).unwrap();
    assert_eq!(outstanding(&world.state, NOW), [Task::Grant(id()), Task::Rules]);
    world.work();
    world.ask("platform", &Command::FinishGrant(id())).unwrap();
    assert_eq!(outstanding(&world.state, Timestamp(2_000)), [Task::Expire(id())]);
    at(&mut world, &Command::ExpireRequest(id()), Timestamp(2_000));
    assert_eq!(outstanding(&world.state, NOW), [Task::Rules, Task::FinishRevocation(id())]);
    world.work();
    world.ask("platform", &Command::FinishRevocation(id())).unwrap();
    assert_eq!(outstanding(&world.state, Timestamp(9_000)), []);
}

/// Nobody's topics are deleted by a clock: an application that owns something keeps it, without rights.
#[test]
fn a_trial_that_is_over_loses_its_rights_and_keeps_its_topics() {
    let mut world = world(&json!({}));
    let trial = json!({"principals": ["User:trial"], "expires_at": 2_000});
    for name in ["idle", "busy"] {
        let mut parts = trial.clone();
        parts["principals"] = json!([format!("User:{name}")]);
        world.ask("platform", &declare(name, parts)).unwrap();
        world.provision(name);
    }
    let topic = TopicRequest::new("busy.t".parse().unwrap());
    world.ask("busy", &Command::ReserveTopic(Box::new(topic))).unwrap();
    let later = Timestamp(2_000);
    assert_eq!(outstanding(&world.state, later), ["busy", "idle"].map(|it| Task::EndTrial(named(it))));
    for name in ["idle", "busy"] {
        at(&mut world, &Command::EndTrial(named(name)), later);
    }
    let status = |world: &World, name: &str| world.state.application(&named(name)).unwrap().status;
    assert_eq!((status(&world, "idle"), status(&world, "busy")), (Status::Deleting, Status::Expired));
    assert!(!world.rules().iter().any(|it| it.contains("User:busy")));
    assert_eq!(outstanding(&world.state, later), [Task::Rules, Task::FinishDeletion(named("idle"))]);
    world.work();
    world.ask("platform", &Command::FinishDeletion(named("idle"))).unwrap();
    assert_eq!(outstanding(&world.state, later), []);
    let longer = crate::governance::decide::fixtures::change("busy", json!({"expires_at": 3_000}));
    world.ask("platform", &longer).unwrap();
    assert_eq!(status(&world, "busy"), Status::Approved);
}

#[test]
fn a_trial_that_is_over_loses_what_it_was_granted() {
    let mut world = world(&json!({}));
    let shop = json!({"principals": ["User:shop"], "expires_at": 2_000});
    world.ask("platform", &crate::governance::decide::fixtures::change("shop", shop)).unwrap();
    world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    let approve = verdict(&world, Judge::Owner, Choice::Approve);
    world.ask("pay", &approve).unwrap();
    world
        .ask(
            "platform",
            &Command::StartGrant(crate::governance::command::Granting {
                request: ID.parse().unwrap(),
                on_cluster: [].into(),
            }),
        )
        .unwrap();
    at(&mut world, &Command::EndTrial(named("shop")), Timestamp(2_000));
    assert_eq!(status(&world), RequestStatus::Expiring);
    assert!(!world.rules().iter().any(|it| it.contains("User:shop")));
}

/// Rule 20: that nobody looks is seen.
#[test]
fn an_environment_says_when_nobody_reconciles_it() {
    let mut world = World::new(&json!({"reconcile_within_seconds": 60}));
    let overdue = |world: &World, now| world.state.environment().unwrap().overdue_seconds(Timestamp(now));
    assert_eq!((overdue(&world, 61_000), overdue(&world, 62_000)), (None, Some(61)));
    at(&mut world, &Command::Heartbeat(()), Timestamp(50_000));
    assert_eq!((overdue(&world, 110_999), overdue(&world, 111_000)), (None, Some(61)));
    at(&mut world, &Command::Heartbeat(()), Timestamp(40_000));
    assert_eq!(overdue(&world, 110_999), None);
    let told = crate::governance::condition::reconciliation(world.state.environment().unwrap(), Timestamp(200_000));
    assert!(told.unwrap().remedy.is_some());
}

//! What was decided about a revision holds when that comes back, and what nobody asks for any more does not come back.

use serde_json::json;

use super::{ID, file, filing, revision, status, verdict, world};
use crate::governance::{
    acl::Operation,
    command::{Actor, Command, Decision, Retraction, Role},
    decide::{
        decide,
        fixtures::{NOW, World, named},
        grant::tests::{READ, active, approve, grant, granted, removed, revoke, summaries},
    },
    record::Timestamp,
    request::{Choice, Filing, Judge, Look, Request, RequestStatus, Revision},
};

fn read() -> Command {
    file("pay.x", &[Operation::Read])
}

fn wider() -> Command {
    file("pay.x", &[Operation::Read, Operation::Write])
}

fn until(end: i64) -> Command {
    let limited = Filing { expires_at: Some(Timestamp(end)), ..filing("pay.x", &[Operation::Read]) };
    Command::FileRequest(Box::new(limited))
}

fn request(world: &World) -> &Request {
    world.state.request(&ID.parse().unwrap()).unwrap()
}

fn retract(revision: Revision) -> Command {
    Command::RetractDecision(Retraction { request: ID.parse().unwrap(), revision, judge: Judge::Owner })
}

fn decided(world: &mut World, choice: Choice) {
    let decision = verdict(world, Judge::Owner, choice);
    world.ask("pay", &decision).unwrap();
}

fn look(world: &World, now: i64) -> &'static str {
    request(world).look(world.state.policy().unwrap().enforcement, Timestamp(now)).word()
}

#[test]
fn an_amendment_back_to_what_is_granted_leaves_nothing_to_decide() {
    let mut world = active();
    let before = request(&world).clone();
    for amendment in [wider(), until(5_000)] {
        world.ask("shop", &amendment).unwrap();
        assert_eq!(status(&world), RequestStatus::Pending);
        world.ask("shop", &read()).unwrap();
        assert_eq!(request(&world), &before, "status, revision and decisions are as they were");
    }
    world.ask("shop", &wider()).unwrap();
    decided(&mut world, Choice::Reject);
    world.ask("shop", &read()).unwrap();
    assert_eq!((status(&world), &request(&world).decisions), (RequestStatus::Active, &before.decisions));
    assert_eq!(granted(&world), [READ]);
}

#[test]
fn an_end_that_is_put_off_and_taken_back_comes_as_it_was_agreed_to() {
    let mut world = world(&json!({}));
    world.ask("shop", &until(5_000)).unwrap();
    approve(&mut world);
    grant(&mut world);
    world.ask("shop", &until(9_000)).unwrap();
    world.ask("shop", &until(5_000)).unwrap();
    assert_eq!((look(&world, 4_999), look(&world, 5_000)), ("active", Look::ExpiringOverdue.word()));
}

#[test]
fn what_is_granted_comes_back_as_far_as_the_cluster_has_it() {
    let mut world = active();
    world.ask("shop", &wider()).unwrap();
    let lost = crate::governance::command::SeenRules::since(&world.state, [], [READ.parse().unwrap()]);
    world.ask("platform", &Command::MarkBindings(lost)).unwrap();
    world.ask("shop", &read()).unwrap();
    assert_eq!(status(&world), RequestStatus::Provisioning);
    grant(&mut world);
}

#[test]
fn a_rejected_revision_is_rejected_still_when_it_comes_back() {
    let mut world = world(&json!({}));
    world.ask("shop", &read()).unwrap();
    decided(&mut world, Choice::Reject);
    let rejected = request(&world).clone();
    world.ask("shop", &wider()).unwrap();
    assert_eq!((status(&world), request(&world).decisions.len()), (RequestStatus::Pending, 0));
    world.ask("shop", &read()).unwrap();
    assert_eq!(request(&world), &Request { set_aside: [].into(), ..rejected });
    // Who rejected it thinks better of it, while something else is asked for.
    world.ask("shop", &wider()).unwrap();
    let revision = rejected_revision(&world);
    world.ask("pay", &retract(revision)).unwrap();
    world.ask("shop", &read()).unwrap();
    assert_eq!(status(&world), RequestStatus::Pending);
    // A later word of theirs counts, and not the one before.
    decided(&mut world, Choice::Reject);
    world.ask("shop", &wider()).unwrap();
    decided(&mut world, Choice::Reject);
    world.ask("shop", &read()).unwrap();
    assert_eq!(status(&world), RequestStatus::Pending);
}

fn rejected_revision(world: &World) -> Revision {
    request(world).set_aside[&Judge::Owner].revision.clone()
}

/// Rule 6: what somebody agreed to once is not agreed to after they agreed to something else.
#[test]
fn an_approval_before_another_one_agrees_to_nothing() {
    let mut world = world(&json!({}));
    world.ask("shop", &wider()).unwrap();
    approve(&mut world);
    grant(&mut world);
    world.ask("shop", &read()).unwrap();
    approve(&mut world);
    grant(&mut world);
    assert_eq!(granted(&world), [READ]);
    world.ask("shop", &wider()).unwrap();
    assert_eq!((status(&world), granted(&world)), (RequestStatus::Pending, vec![READ.to_owned()]));
}

#[test]
fn half_an_approval_holds_when_its_revision_comes_back() {
    let mut world = world(&json!({"approval": {"access": "owner_and_platform"}}));
    world.ask("shop", &read()).unwrap();
    let platform = verdict(&world, Judge::Platform, Choice::Approve);
    approve(&mut world);
    world.ask("shop", &wider()).unwrap();
    world.ask("shop", &read()).unwrap();
    assert_eq!((status(&world), request(&world).decisions.len()), (RequestStatus::Pending, 1));
    world.ask("platform", &platform).unwrap();
    assert_eq!(status(&world), RequestStatus::Approved);
}

/// What an owner takes away while something else is asked for, does not come back with its revision.
#[test]
fn what_was_taken_away_meanwhile_does_not_come_back() {
    for is_retracted in [true, false] {
        for is_granted in [true, false] {
            let mut world = world(&json!({}));
            world.ask("shop", &read()).unwrap();
            approve(&mut world);
            if is_granted {
                grant(&mut world);
            }
            let seen = revision(&world);
            world.ask("shop", &wider()).unwrap();
            let reject = Decision {
                request: ID.parse().unwrap(),
                revision: seen.clone(),
                judge: Judge::Owner,
                choice: Choice::Reject,
                reason: None,
            };
            let take = if is_retracted { retract(seen) } else { Command::DecideRequest(reject) };
            world.ask("pay", &take).unwrap();
            let before = request(&world).clone();
            world.ask("pay", &take).unwrap();
            assert_eq!(request(&world), &before, "twice changes nothing");
            world.ask("shop", &read()).unwrap();
            let after = if is_retracted { RequestStatus::Pending } else { RequestStatus::Rejected };
            assert_eq!((status(&world), granted(&world)), (after, vec![]));
            assert_eq!(request(&world).live_grant(), None);
        }
    }
}

/// Nobody comes by the place of who asked, for what they agreed to themselves.
#[test]
fn who_agreed_does_not_ask_for_the_same_again() {
    let mut world = world(&json!({"approval": {"access": "owner", "distinct_actors": true}}));
    let mut ask = |application: &str, actor: &str, command: &Command| {
        let actor = Actor { claimed: Some(actor.to_owned()), ..Actor::of(Role::Application(named(application))) };
        let events = decide(&world.state, &actor, command, NOW).unwrap();
        for it in &events {
            world.keep(it);
        }
        (status(&world), verdict(&world, Judge::Owner, Choice::Approve))
    };
    let (_, approve) = ask("shop", "ann", &read());
    assert_eq!(ask("pay", "bob", &approve).0, RequestStatus::Approved);
    ask("shop", "ann", &wider());
    assert_eq!(ask("shop", "bob", &read()).0, RequestStatus::Pending);
    ask("shop", "ann", &wider());
}

#[test]
fn a_rejected_request_that_nobody_asks_for_any_more_does_not_come_back() {
    let mut world = world(&json!({}));
    world.ask("shop", &read()).unwrap();
    decided(&mut world, Choice::Reject);
    let withdraw = Command::WithdrawRequest(ID.parse().unwrap());
    world.ask("shop", &withdraw).unwrap();
    assert_eq!(status(&world), RequestStatus::Withdrawn);
    let revision = revision(&world);
    assert_eq!(world.ask("pay", &retract(revision)), Ok(vec![]));
    let flip = verdict(&world, Judge::Owner, Choice::Approve);
    assert_eq!(summaries(&mut world, "pay", &flip), ["Request over"]);
}

/// What a rejection of an amendment leaves is taken away with the request.
#[test]
fn a_rejected_amendment_is_withdrawn_with_what_was_granted() {
    let mut world = active();
    world.ask("shop", &wider()).unwrap();
    decided(&mut world, Choice::Reject);
    world.ask("shop", &Command::WithdrawRequest(ID.parse().unwrap())).unwrap();
    world.work();
    world.ask("platform", &removed()).unwrap();
    assert_eq!((status(&world), granted(&world)), (RequestStatus::Revoked, vec![]));
    assert_eq!(world.ask("pay", &revoke()), Ok(vec![]));
}

//! Tests of what becomes of an approval, one story each.

use serde_json::json;

use crate::governance::{
    acl::Operation,
    binding::BindingStatus,
    command::{Actor, Command, Decision, GrantFailure, Granting, Retraction, Revocation, Role, SeenRules},
    decide::{
        decide,
        fixtures::{World, change, named},
        request::tests::{ID, file, filing, revision, status, verdict, world},
    },
    record::Timestamp,
    request::{Choice, Filing, Judge, Look, RequestStatus},
};

pub(in crate::governance) const READ: &str = "TOPIC|LITERAL|pay.x|User:shop|*|READ|ALLOW";
const WRITE: &str = "TOPIC|LITERAL|pay.x|User:shop|*|WRITE|ALLOW";

fn start(on_cluster: &[&str]) -> Command {
    let on_cluster = on_cluster.iter().map(|it| it.parse().unwrap()).collect();
    Command::StartGrant(Granting { request: ID.parse().unwrap(), on_cluster })
}

fn finish() -> Command {
    Command::FinishGrant(ID.parse().unwrap())
}

pub(in crate::governance) fn revoke() -> Command {
    Command::RevokeGrant(Revocation { request: ID.parse().unwrap(), reason: None })
}

pub(in crate::governance) fn removed() -> Command {
    Command::FinishRevocation(ID.parse().unwrap())
}

pub(in crate::governance) fn approve(world: &mut World) {
    let approve = verdict(world, Judge::Owner, Choice::Approve);
    world.ask("pay", &approve).unwrap();
}

/// `shop` may read `pay.x`.
pub(in crate::governance) fn active() -> World {
    let mut world = world(&json!({}));
    world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    approve(&mut world);
    grant(&mut world);
    world
}

pub(in crate::governance) fn grant(world: &mut World) {
    world.ask("platform", &start(&[])).unwrap();
    world.work();
    world.ask("platform", &finish()).unwrap();
    world.work();
    assert_eq!(status(world), RequestStatus::Active);
}

pub(in crate::governance) fn granted(world: &World) -> Vec<String> {
    world.rules().into_iter().filter(|it| it.contains("|LITERAL|pay.")).collect()
}

pub(in crate::governance) fn summaries(world: &mut World, role: &str, command: &Command) -> Vec<&'static str> {
    world.refused(role, command).into_iter().map(|(_, it)| it).collect()
}

/// Rule 10: `active` follows what was seen, and what was there before stays.
#[test]
fn a_grant_is_active_once_its_rules_were_seen() {
    let mut world = world(&json!({}));
    world.ask("shop", &file("pay.x", &[Operation::Read, Operation::Write])).unwrap();
    assert_eq!(summaries(&mut world, "platform", &start(&[])), ["Request not approved"]);
    approve(&mut world);
    assert_eq!(granted(&world), [] as [&str; 0]);
    world.ask("platform", &start(&[WRITE])).unwrap();
    assert_eq!(world.ask("platform", &start(&[WRITE])), Ok(vec![]));
    assert_eq!(summaries(&mut world, "platform", &finish()), ["Rights not made yet"]);
    world.work();
    world.ask("platform", &finish()).unwrap();
    assert_eq!((status(&world), granted(&world)), (RequestStatus::Active, vec![READ.to_owned(), WRITE.to_owned()]));
    world.ask("pay", &revoke()).unwrap();
    assert_eq!(status(&world), RequestStatus::Revoking);
    assert_eq!(summaries(&mut world, "platform", &removed()), ["Rights not gone yet"]);
    world.work();
    world.ask("platform", &removed()).unwrap();
    assert_eq!((status(&world), granted(&world)), (RequestStatus::Revoked, vec![WRITE.to_owned()]));
}

#[test]
fn what_was_revoked_is_not_granted_again() {
    let mut world = active();
    let again = verdict(&world, Judge::Owner, Choice::Approve);
    world.ask("platform", &revoke()).unwrap();
    for _ in 0..2 {
        assert_eq!(summaries(&mut world, "pay", &again), ["Request over"]);
        assert_eq!(world.ask("shop", &file("pay.x", &[Operation::Read])), Ok(vec![]));
        assert_eq!(summaries(&mut world, "platform", &start(&[])), ["Request not approved"]);
        world.work();
        world.ask("platform", &removed()).unwrap();
    }
    assert_eq!((status(&world), granted(&world)), (RequestStatus::Revoked, vec![]));
}

/// Terraform rule 6: the old grant lives until the new revision is decided.
#[test]
fn an_amendment_takes_the_place_of_what_was_granted_once_it_is_made() {
    let mut world = active();
    world.ask("shop", &file("pay.x", &[Operation::Write])).unwrap();
    assert_eq!((status(&world), granted(&world)), (RequestStatus::Pending, vec![READ.to_owned()]));
    let reject = verdict(&world, Judge::Owner, Choice::Reject);
    world.ask("pay", &reject).unwrap();
    assert_eq!((status(&world), granted(&world)), (RequestStatus::Rejected, vec![READ.to_owned()]));
    approve(&mut world);
    world.ask("platform", &start(&[])).unwrap();
    assert_eq!(granted(&world), [READ, WRITE], "never without");
    world.work();
    world.ask("platform", &finish()).unwrap();
    world.work();
    assert_eq!((status(&world), granted(&world)), (RequestStatus::Active, vec![WRITE.to_owned()]));
}

/// An applicant that amends does not keep the owner from taking away what it has.
#[test]
fn what_was_granted_before_an_amendment_is_revoked_by_its_revision() {
    let mut world = active();
    let revoked = verdict(&world, Judge::Owner, Choice::Reject);
    world.ask("shop", &file("pay.x", &[Operation::Write])).unwrap();
    world.ask("pay", &revoked).unwrap();
    assert_eq!((status(&world), granted(&world)), (RequestStatus::Pending, vec![]), "the amendment still waits");
    assert_eq!(world.ask("pay", &revoked), Ok(vec![]));
}

/// The reason is kept with what it was for, and holds no secret there either.
#[test]
fn the_reason_for_revoking_what_was_granted_before_an_amendment_is_kept() {
    let mut world = active();
    let Command::DecideRequest(revoked) = verdict(&world, Judge::Owner, Choice::Reject) else {
        unreachable!("a verdict is a decision")
    };
    world.ask("shop", &file("pay.x", &[Operation::Write])).unwrap();
    let because = |it: &str| Command::DecideRequest(Decision { reason: Some(it.to_owned()), ..revoked.clone() });
    assert_eq!(summaries(&mut world, "pay", &because("password: hunter2")), ["Secret in a text"]);
    let events = world.ask("pay", &because("They leak.")).unwrap();
    let texts: Vec<_> = events.iter().flat_map(|it| &it.texts).collect();
    assert_eq!(texts, [(&format!("request/{ID}/owner"), &Some("They leak.".into()))]);
}

#[test]
fn a_rejected_amendment_that_nobody_decides_any_more_takes_what_was_granted_before() {
    let mut world = active();
    world.ask("shop", &file("pay.x", &[Operation::Write])).unwrap();
    let reject = verdict(&world, Judge::Owner, Choice::Reject);
    world.ask("pay", &reject).unwrap();
    let request = ID.parse().unwrap();
    let retract = Command::RetractDecision(Retraction { request, revision: revision(&world), judge: Judge::Owner });
    world.ask("pay", &retract).unwrap();
    assert_eq!((status(&world), granted(&world)), (RequestStatus::Pending, vec![]));
    assert_eq!(world.ask("pay", &retract), Ok(vec![]));
}

/// Where nobody has to agree, and where others had to.
#[test]
fn the_owner_and_the_platform_may_always_take_away_what_is_granted() {
    for (judge, role) in [(Judge::Owner, "pay"), (Judge::Platform, "platform")] {
        let mut world = world(&json!({"approval": {"access": "none"}}));
        world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
        grant(&mut world);
        assert_eq!(granted(&world), [READ]);
        let reject = verdict(&world, judge, Choice::Reject);
        world.ask(role, &reject).unwrap();
        assert_eq!((status(&world), granted(&world)), (RequestStatus::Revoking, vec![]), "{judge:?}");
    }
}

#[test]
fn an_approval_that_is_taken_back_takes_what_it_gave() {
    let mut world = active();
    let request = ID.parse().unwrap();
    let retract = Command::RetractDecision(Retraction { request, revision: revision(&world), judge: Judge::Owner });
    world.ask("shop", &file("pay.x", &[Operation::Write])).unwrap();
    world.ask("pay", &retract).unwrap();
    assert_eq!((status(&world), granted(&world)), (RequestStatus::Pending, vec![]), "the amendment still waits");
    assert_eq!(world.ask("pay", &retract), Ok(vec![]));
    world.work();
    world.ask("platform", &removed()).unwrap();
    approve(&mut world);
    grant(&mut world);
    assert_eq!(granted(&world), [WRITE]);
    let request = ID.parse().unwrap();
    let retract = Command::RetractDecision(Retraction { request, revision: revision(&world), judge: Judge::Owner });
    world.ask("pay", &retract).unwrap();
    assert_eq!((status(&world), granted(&world)), (RequestStatus::Revoking, vec![]));
}

#[test]
fn who_withdraws_gives_back_what_was_granted() {
    let mut world = active();
    world.ask("shop", &Command::WithdrawRequest(ID.parse().unwrap())).unwrap();
    assert_eq!((status(&world), granted(&world)), (RequestStatus::Revoking, vec![]));
}

/// Rule 20: `expired` is said once the rules are gone, and not a moment before its time.
#[test]
fn what_is_over_expires_and_not_before() {
    let mut world = world(&json!({}));
    let limited = |end| Filing { expires_at: Some(Timestamp(end)), ..filing("pay.x", &[Operation::Read]) };
    world.ask("shop", &Command::FileRequest(Box::new(limited(2_000)))).unwrap();
    approve(&mut world);
    grant(&mut world);
    let expire = Command::ExpireRequest(ID.parse().unwrap());
    assert_eq!(summaries(&mut world, "platform", &expire), ["Not expired"]);
    let enforcement = crate::governance::policy::Enforcement::Acl;
    let look = |world: &World| world.state.request(&ID.parse().unwrap()).unwrap().look(enforcement, Timestamp(2_000));
    assert_eq!(look(&world), Look::ExpiringOverdue);
    let platform = Actor::of(Role::Platform);
    let events = decide(&world.state, &platform, &expire, Timestamp(2_000)).unwrap();
    for it in &events {
        world.keep(it);
    }
    assert_eq!((status(&world), look(&world)), (RequestStatus::Expiring, Look::ExpiringOverdue));
    world.work();
    world.ask("platform", &removed()).unwrap();
    assert_eq!((status(&world), granted(&world)), (RequestStatus::Expired, vec![]));
    assert_eq!(world.ask("shop", &Command::FileRequest(Box::new(limited(2_000)))), Ok(vec![]));
    world.ask("shop", &Command::FileRequest(Box::new(limited(3_000)))).unwrap();
    assert_eq!(status(&world), RequestStatus::Pending, "for longer it is asked anew");
}

/// Rule 6: what was a program's goes when it is none any more: another may take its principal.
#[test]
fn a_program_that_leaves_loses_what_was_granted_to_it() {
    let mut world = active();
    world.ask("platform", &change("shop", json!({"principals": ["User:other"]}))).unwrap();
    assert_eq!(granted(&world), [] as [&str; 0]);
    assert_eq!(status(&world), RequestStatus::Active);
    world.work();
    world.ask("platform", &change("shop", json!({"principals": ["User:other", "User:shop"]}))).unwrap();
    grant(&mut world);
    assert_eq!(granted(&world), [READ], "it was agreed to, and the new one was not");
}

#[test]
fn a_grant_that_lost_a_rule_behind_our_back_is_made_again() {
    let mut world = active();
    let lost = SeenRules::since(&world.state, [], [READ.parse().unwrap()]);
    world.ask("platform", &Command::MarkBindings(lost)).unwrap();
    assert_eq!(status(&world), RequestStatus::Provisioning);
    grant(&mut world);
}

#[test]
fn a_grant_that_failed_is_tried_again() {
    let mut world = world(&json!({}));
    world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    approve(&mut world);
    world.ask("platform", &start(&[])).unwrap();
    let failure = GrantFailure { request: ID.parse().unwrap(), reason: "no right".to_owned() };
    world.ask("platform", &Command::FailGrant(failure)).unwrap();
    assert_eq!(status(&world), RequestStatus::Failed);
    grant(&mut world);
}

/// Rule 17: `active` is said only where Kafka enforces it.
#[test]
fn rights_that_are_enforced_elsewhere_stay_approved() {
    let mut world = world(&json!({"enforcement": "none"}));
    world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    approve(&mut world);
    assert_eq!(summaries(&mut world, "platform", &start(&[])), ["Rights made elsewhere"]);
    let request = world.state.request(&ID.parse().unwrap()).unwrap();
    let external = crate::governance::policy::Enforcement::External;
    assert_eq!(request.look(external, Timestamp(0)), Look::External);
    world.ask("pay", &revoke()).unwrap();
    assert_eq!(status(&world), RequestStatus::Revoked);
}

/// Rule 5: the first rule on an open resource shuts everybody else out.
#[test]
fn an_open_topic_is_not_closed_by_a_grant() {
    let mut world = World::new(&json!({"acl_mode": "open"}));
    for (name, parts) in [("pay", json!({})), ("shop", json!({"principals": ["User:shop"]}))] {
        world.ask("platform", &crate::governance::decide::fixtures::declare(name, parts)).unwrap();
    }
    world.ask("shop", &file("pay.x", &[Operation::Read])).unwrap();
    approve(&mut world);
    assert_eq!(summaries(&mut world, "platform", &start(&[])), ["Resource open"]);
    let own = "TOPIC|PREFIXED|pay.|User:pay|*|READ|ALLOW";
    world.ask("platform", &start(&[own])).unwrap();
}

#[test]
fn a_rule_that_is_being_removed_is_waited_for() {
    let mut world = active();
    world.ask("pay", &revoke()).unwrap();
    let other = Filing { id: "shop-00000002".parse().unwrap(), ..filing("pay.x", &[Operation::Read]) };
    world.ask("shop", &Command::FileRequest(Box::new(other.clone()))).unwrap();
    let decision = Decision {
        request: other.id.clone(),
        revision: world.state.request(&other.id).unwrap().revision.clone(),
        judge: Judge::Owner,
        choice: Choice::Approve,
        reason: None,
    };
    world.ask("pay", &Command::DecideRequest(decision)).unwrap();
    let granting = Granting { request: other.id.clone(), on_cluster: [READ.parse().unwrap()].into() };
    world.ask("platform", &Command::StartGrant(granting)).unwrap();
    assert_eq!(summaries(&mut world, "platform", &Command::FinishGrant(other.id.clone())), ["Rights not made yet"]);
    world.ask("platform", &removed()).unwrap();
    world.work();
    world.ask("platform", &Command::FinishGrant(other.id)).unwrap();
    let entry = world.state.binding(&READ.parse().unwrap()).unwrap();
    assert_eq!((entry.status, entry.holders.len()), (BindingStatus::Present, 1));
    assert_eq!(status(&world), RequestStatus::Revoked);
    assert!(world.state.application(&named("shop")).is_some());
}

//! Tests of applications that the platform must agree to.

use serde_json::json;

use crate::governance::{
    application::Status,
    command::{Command, Decision, Retraction},
    decide::{
        fixtures::{World, change, declare, named},
        grant::tests::summaries,
    },
    request::{Choice, Judge, RequestId, RequestStatus},
};

fn world() -> World {
    World::new(&json!({"approval": {"applications": "platform"}}))
}

fn id(world: &World) -> RequestId {
    world.state.application(&named("pay")).unwrap().request_id.clone().unwrap()
}

fn look(world: &World) -> (Status, RequestStatus) {
    let status = world.state.application(&named("pay")).unwrap().status;
    (status, world.state.request(&id(world)).unwrap().status)
}

fn verdict(world: &World, choice: Choice) -> Command {
    let request = id(world);
    let revision = world.state.request(&request).unwrap().revision.clone();
    Command::DecideRequest(Decision { request, revision, judge: Judge::Platform, choice, reason: None })
}

#[test]
fn an_application_waits_for_the_platform() {
    let mut world = world();
    world.ask("nobody", &declare("pay", json!({}))).unwrap();
    assert_eq!(look(&world), (Status::Pending, RequestStatus::Pending));
    let seen = verdict(&world, Choice::Approve);
    world.ask("pay", &change("pay", json!({"principals": ["User:pay"]}))).unwrap();
    assert_eq!(summaries(&mut world, "platform", &seen), ["Request amended since"]);
    let approve = verdict(&world, Choice::Approve);
    assert_eq!(summaries(&mut world, "pay", &approve), ["Not yours to decide"]);
    world.ask("platform", &approve).unwrap();
    assert_eq!(look(&world), (Status::Approved, RequestStatus::Active));
    assert_eq!(world.ask("platform", &approve), Ok(vec![]));
    let reject = verdict(&world, Choice::Reject);
    assert_eq!(summaries(&mut world, "platform", &reject), ["Decided already"]);
}

#[test]
fn an_application_that_is_refused_may_be_declared_anew() {
    let mut world = world();
    world.ask("nobody", &declare("pay", json!({}))).unwrap();
    let (first, reject) = (id(&world), verdict(&world, Choice::Reject));
    world.ask("platform", &reject).unwrap();
    assert_eq!(look(&world), (Status::Rejected, RequestStatus::Rejected));
    assert_eq!(world.ask("platform", &reject), Ok(vec![]));
    let flip = verdict(&world, Choice::Approve);
    world.ask("nobody", &declare("pay", json!({}))).unwrap();
    assert_ne!(id(&world), first);
    assert_eq!(look(&world), (Status::Pending, RequestStatus::Pending));
    assert_eq!(summaries(&mut world, "platform", &flip), ["Request over"], "that one is asked for no more");
}

#[test]
fn a_rejected_application_can_be_agreed_to_while_nobody_else_has_its_names() {
    let mut world = world();
    world.ask("nobody", &declare("pay", json!({}))).unwrap();
    let (reject, flip) = (verdict(&world, Choice::Reject), verdict(&world, Choice::Approve));
    world.ask("platform", &reject).unwrap();
    let mut taken = world.clone();
    world.ask("platform", &flip).unwrap();
    assert_eq!(look(&world), (Status::Approved, RequestStatus::Active));
    taken.ask("platform", &declare("bank", json!({"prefixes": {"topic": ["pay."]}}))).unwrap();
    assert_eq!(summaries(&mut taken, "platform", &flip).len(), 1);
    assert_eq!(look(&taken), (Status::Rejected, RequestStatus::Rejected));
}

#[test]
fn a_rejected_change_is_asked_for_once_more_after_it_was_taken_back() {
    let mut world = world();
    world.ask("platform", &declare("pay", json!({}))).unwrap();
    let wider = change("pay", json!({"principals": ["User:pay"]}));
    world.ask("pay", &wider).unwrap();
    let reject = verdict(&world, Choice::Reject);
    world.ask("platform", &reject).unwrap();
    assert_eq!(world.ask("pay", &wider), Ok(vec![]), "what was rejected stands");
    world.ask("pay", &change("pay", json!({}))).unwrap();
    assert_eq!(look(&world).1, RequestStatus::Withdrawn);
    world.ask("pay", &wider).unwrap();
    assert_eq!(look(&world).1, RequestStatus::Pending);
}

#[test]
fn an_amendment_is_in_force_once_it_is_agreed_to() {
    let mut world = world();
    world.ask("platform", &declare("pay", json!({"principals": ["User:pay"]}))).unwrap();
    world.provision("pay");
    let wider = change("pay", json!({"principals": ["User:pay", "User:more"]}));
    world.ask("pay", &wider).unwrap();
    assert_eq!(look(&world), (Status::Ready, RequestStatus::Pending));
    assert_eq!(world.ask("pay", &wider), Ok(vec![]));
    let runs = |world: &World| world.state.application(&named("pay")).unwrap().spec.principals.len();
    assert_eq!(runs(&world), 1);
    let reject = verdict(&world, Choice::Reject);
    world.ask("platform", &reject).unwrap();
    assert_eq!((look(&world), runs(&world)), ((Status::Ready, RequestStatus::Rejected), 1));
    world.ask("pay", &wider).unwrap();
    let approve = verdict(&world, Choice::Approve);
    world.ask("platform", &approve).unwrap();
    assert_eq!((look(&world), runs(&world)), ((Status::Approved, RequestStatus::Active), 2));
}

#[test]
fn a_question_that_is_taken_back_is_asked_no_more() {
    let mut world = world();
    world.ask("platform", &declare("pay", json!({}))).unwrap();
    world.ask("pay", &change("pay", json!({"principals": ["User:pay"]}))).unwrap();
    let withdraw = Command::WithdrawRequest(id(&world));
    world.ask("pay", &withdraw).unwrap();
    assert_eq!(look(&world), (Status::Approved, RequestStatus::Withdrawn));
    assert_eq!(world.state.application(&named("pay")).unwrap().amendment, None);
    world.ask("pay", &change("pay", json!({"principals": ["User:pay"]}))).unwrap();
    world.ask("pay", &Command::DeleteApplication(named("pay"))).unwrap();
    assert_eq!(world.state.request(&id(&world)).unwrap().status, RequestStatus::Withdrawn);
}

/// What a team gave up does not come back when its rejection is taken back, and neither does what was cleaned up.
#[test]
fn a_rejected_application_that_nobody_asks_for_any_more_does_not_come_back() {
    for (who, is_cleaned_up) in [("pay", false), ("pay", true), ("platform", true)] {
        let mut world = world();
        world.ask("nobody", &declare("pay", json!({}))).unwrap();
        let (request, flip) = (id(&world), verdict(&world, Choice::Approve));
        world.ask("platform", &verdict(&world, Choice::Reject)).unwrap();
        let delete = Command::DeleteApplication(named("pay"));
        if is_cleaned_up {
            world.ask("platform", &delete).unwrap();
            assert_eq!(look(&world), (Status::Deleted, RequestStatus::Rejected), "who asked is told");
        }
        if who == "pay" {
            world.ask(who, &delete).unwrap();
            assert_eq!(look(&world), (Status::Deleted, RequestStatus::Withdrawn));
        }
        assert_eq!(world.ask(who, &delete), Ok(vec![]), "twice is once");
        let revision = world.state.request(&request).unwrap().revision.clone();
        let retraction = Command::RetractDecision(Retraction { request, revision, judge: Judge::Platform });
        assert_eq!(world.ask("platform", &retraction), Ok(vec![]));
        assert_eq!(summaries(&mut world, "platform", &flip), ["Request over"]);
        assert_eq!(look(&world).0, Status::Deleted);
    }
}

#[test]
fn a_rejected_change_ends_with_its_question_or_its_application() {
    for is_whole in [true, false] {
        let mut world = world();
        world.ask("platform", &declare("pay", json!({}))).unwrap();
        world.ask("pay", &change("pay", json!({"principals": ["User:pay"]}))).unwrap();
        let flip = verdict(&world, Choice::Approve);
        world.ask("platform", &verdict(&world, Choice::Reject)).unwrap();
        let end =
            if is_whole { Command::DeleteApplication(named("pay")) } else { Command::WithdrawRequest(id(&world)) };
        world.ask("pay", &end).unwrap();
        assert_eq!(look(&world).1, RequestStatus::Withdrawn);
        assert_eq!(world.state.application(&named("pay")).unwrap().amendment, None);
        assert_eq!(summaries(&mut world, "platform", &flip), ["Request over"]);
    }
}

#[test]
fn a_rejected_change_is_rejected_still_when_it_is_declared_again() {
    let mut world = world();
    world.ask("platform", &declare("pay", json!({}))).unwrap();
    let (wider, other) = (["User:pay"], ["User:other"]);
    let [wider, other] = [wider, other].map(|it| change("pay", json!({"principals": it})));
    world.ask("pay", &wider).unwrap();
    world.ask("platform", &verdict(&world, Choice::Reject)).unwrap();
    world.ask("pay", &other).unwrap();
    assert_eq!(look(&world).1, RequestStatus::Pending);
    world.ask("pay", &wider).unwrap();
    assert_eq!(look(&world).1, RequestStatus::Rejected);
    world.ask("platform", &verdict(&world, Choice::Approve)).unwrap();
    assert_eq!(look(&world).1, RequestStatus::Active);
}

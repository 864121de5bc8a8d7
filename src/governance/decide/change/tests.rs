//! Tests of changes that somebody must agree to.

use serde_json::json;

use crate::governance::{
    changes::{change, is_being_made, waiting_of_topic},
    check_topic::TopicRequest,
    command::{Command, Decision, Retraction, TopicAsk, TopicDeletion, TopicFound},
    decide::{
        fixtures::{World, declare, named},
        grant::tests::summaries,
    },
    outstanding::{Task, outstanding},
    owned_topic::{OwnedTopic, TopicStatus},
    request::{Change, ChangeKind, Choice, Filing, Judge, Request, RequestId, RequestStatus, Subject, Verb},
    topic::TopicName,
};

fn pay_x() -> TopicName {
    "pay.x".parse().unwrap()
}

fn request(partitions: i64) -> TopicRequest {
    TopicRequest { partitions: Some(partitions), ..TopicRequest::new(pay_x()) }
}

/// What somebody makes at once.
fn topic(partitions: i64) -> Command {
    Command::ReserveTopic(Box::new(request(partitions)))
}

/// What somebody asks for.
fn ask(partitions: i64) -> Command {
    Command::AskTopic(Box::new(TopicAsk { topic: request(partitions), reset: [].into() }))
}

fn configure(value: &str) -> Command {
    let config = [("retention.ms".to_owned(), value.to_owned())].into();
    let topic = TopicRequest { config, ..TopicRequest::new(pay_x()) };
    Command::AskTopic(Box::new(TopicAsk { topic, reset: [].into() }))
}

fn delete(ask: bool) -> Command {
    Command::DeleteTopic(TopicDeletion { ask, ..pay_x().into() })
}

fn made(topic_id: &str) -> Command {
    Command::MarkTopicCreated(TopicFound::new(pay_x(), Some(topic_id.to_owned())))
}

fn decided(world: &mut World, id: &RequestId, choice: Choice) -> Result<(), Vec<(String, &'static str)>> {
    let revision = world.state.request(id).unwrap().revision.clone();
    let decision = Decision { request: id.clone(), revision, judge: Judge::Platform, choice, reason: None };
    let refusal = world.ask("platform", &Command::DecideRequest(decision)).err();
    let told = refusal.map(|it| it.0.iter().map(|it| (it.at.to_string(), it.summary)).collect());
    told.map_or(Ok(()), Err)
}

fn approve(world: &mut World, id: &RequestId) {
    decided(world, id, Choice::Approve).unwrap();
}

impl World {
    /// Where the platform agrees to what `pay` does to its topics.
    fn watched() -> Self {
        let all = json!({"create": "platform", "update": "platform", "delete": "platform"});
        let mut res = Self::new(&json!({"approval": {"changes": {"topic": all}}}));
        res.ask("platform", &declare("pay", json!({}))).unwrap();
        res
    }

    /// With a topic of three partitions that was agreed to and made.
    fn made() -> Self {
        let mut res = Self::watched();
        res.ask("platform", &topic(3)).unwrap();
        res.ask("platform", &made("first")).unwrap();
        res
    }

    fn topic(&self) -> Option<&OwnedTopic> {
        self.state.topic(&pay_x()).filter(|it| it.is_there())
    }

    #[track_caller]
    fn waiting(&self) -> RequestId {
        waiting_of_topic(&self.state, &pay_x()).expect("a request waits").0
    }

    fn request(&self, id: &RequestId) -> &Request {
        self.state.request(id).unwrap()
    }

    fn tasks(&self) -> Vec<Task> {
        let mut res = outstanding(&self.state, crate::governance::decide::fixtures::NOW);
        res.retain(|it| matches!(it, Task::MakeTopic(_) | Task::DeleteTopic(_)));
        res
    }
}

/// Rule 24: within its limits a team needs nobody, and beyond them the platform agrees to that very change.
#[test]
fn a_change_beyond_the_limits_waits_for_the_platform() {
    let limits = json!({"auto_if_within": {"partitions": 6}});
    let mut world = World::new(&json!({"approval": {"changes": {"topic": {"create": limits, "update": limits}}}}));
    world.ask("platform", &declare("pay", json!({}))).unwrap();
    assert_eq!(summaries(&mut world, "pay", &topic(12)), ["Change not approved"], "who makes it at once");
    world.ask("pay", &ask(6)).unwrap();
    world.ask("platform", &made("first")).unwrap();
    world.ask("pay", &ask(12)).unwrap();
    let id = world.waiting();
    let it = change(world.request(&id)).unwrap().clone();
    assert_eq!((it.verb, it.partitions, world.topic().unwrap().partitions), (Verb::Update, Some(12), 6));
    assert_eq!(world.tasks(), [], "nothing is to be made of what nobody agreed to");
    assert_eq!(world.ask("pay", &ask(12)), Ok(vec![]), "twice is once");
    approve(&mut world, &id);
    assert_eq!((world.request(&id).status, world.topic().unwrap().partitions), (RequestStatus::Active, 12));
    assert!(is_being_made(&world.state, world.request(&id)));
    assert_eq!(world.tasks(), [Task::MakeTopic(pay_x())]);
    world.ask("platform", &made("first")).unwrap();
    assert!(!is_being_made(&world.state, world.request(&id)));
    // What is beyond the limits and stays so is nobody's business, but what grows is.
    world.ask("pay", &configure("1000")).unwrap();
    assert_eq!(waiting_of_topic(&world.state, &pay_x()), None);
    world.ask("pay", &ask(13)).unwrap();
    assert_ne!(world.waiting(), id, "an approval is good for one change");
}

/// Rule 6: what is agreed to is what was seen.
#[test]
fn another_change_than_the_one_that_was_agreed_to_waits_again() {
    let mut world = World::watched();
    world.ask("pay", &ask(12)).unwrap();
    let id = world.waiting();
    let seen = world.request(&id).revision.clone();
    world.ask("pay", &ask(13)).unwrap();
    assert_eq!(world.waiting(), id, "it is amended");
    let stale =
        Decision { request: id.clone(), revision: seen, judge: Judge::Platform, choice: Choice::Approve, reason: None };
    assert_eq!(summaries(&mut world, "platform", &Command::DecideRequest(stale)), ["Request amended since"]);
    assert!(world.topic().is_none());
    approve(&mut world, &id);
    let asked = world.topic().unwrap().asked.clone().unwrap();
    assert_eq!((asked.partitions, world.topic().unwrap().status), (Some(13), TopicStatus::Reserved));
    world.ask("platform", &made("first")).unwrap();
    // The same configuration twice is two changes, and each has its own request and revision.
    world.ask("pay", &configure("1000")).unwrap();
    let first = world.waiting();
    approve(&mut world, &first);
    world.ask("platform", &made("first")).unwrap();
    world.ask("pay", &configure("1000")).unwrap();
    assert_ne!(world.waiting(), first);
}

#[test]
fn what_was_rejected_is_asked_again_by_another_declaration_alone() {
    let mut world = World::made();
    world.ask("pay", &ask(12)).unwrap();
    let id = world.waiting();
    decided(&mut world, &id, Choice::Reject).unwrap();
    assert_eq!(world.ask("pay", &ask(12)), Ok(vec![]));
    assert_eq!((world.request(&id).status, world.topic().unwrap().partitions), (RequestStatus::Rejected, 3));
    world.ask("pay", &ask(9)).unwrap();
    assert_eq!((world.waiting(), world.request(&id).status), (id.clone(), RequestStatus::Pending));
    world.ask("pay", &ask(3)).unwrap();
    assert_eq!(world.request(&id).status, RequestStatus::Withdrawn, "it is as it is declared");
    assert_eq!((world.tasks(), world.topic().unwrap().asked.clone()), (vec![], None));
}

#[test]
fn the_end_of_a_topic_is_agreed_to_for_that_very_topic() {
    let mut world = World::made();
    assert_eq!(summaries(&mut world, "pay", &delete(false)), ["Change not approved"], "who deletes it at once");
    world.ask("pay", &delete(true)).unwrap();
    let id = world.waiting();
    assert_eq!(change(world.request(&id)).unwrap().verb, Verb::Delete);
    // Who declares it still, deletes it no more.
    let mut kept = world.clone();
    kept.ask("pay", &ask(3)).unwrap();
    assert_eq!(kept.request(&id).status, RequestStatus::Withdrawn);
    // Somebody deleted it and made another one of its name.
    let mut anew = world.clone();
    anew.ask("platform", &Command::MarkTopicDeleted(pay_x())).unwrap();
    let gone = vec![("request_id".to_owned(), "Request out of date")];
    assert_eq!(decided(&mut anew, &id, Choice::Approve), Err(gone.clone()));
    anew.ask("platform", &topic(3)).unwrap();
    anew.ask("platform", &made("second")).unwrap();
    assert_eq!(decided(&mut anew, &id, Choice::Approve), Err(gone));
    assert_eq!(anew.topic().unwrap().status, TopicStatus::Created);

    approve(&mut world, &id);
    assert_eq!(world.tasks(), [Task::DeleteTopic(pay_x())]);
    assert_eq!(world.ask("pay", &delete(true)), Ok(vec![]));
    world.ask("platform", &Command::MarkTopicDeleted(pay_x())).unwrap();
    assert!(!is_being_made(&world.state, world.request(&id)));
}

/// The team may have declared the topic again without a word: to take back a rejection deletes nothing.
#[test]
fn a_rejected_end_of_a_topic_is_asked_for_anew_or_not_at_all() {
    let mut world = World::made();
    world.ask("pay", &delete(true)).unwrap();
    let id = world.waiting();
    decided(&mut world, &id, Choice::Reject).unwrap();
    assert_eq!(world.ask("pay", &delete(true)), Ok(vec![]), "it was rejected");
    // Who declares it again, asks no more.
    let mut kept = world.clone();
    kept.ask("pay", &ask(3)).unwrap();
    assert_eq!(kept.request(&id).status, RequestStatus::Withdrawn);
    assert_eq!(decided(&mut kept, &id, Choice::Approve), Err(vec![("request_id".to_owned(), "Request over")]));
    let revision = world.request(&id).revision.clone();
    let retraction = Command::RetractDecision(Retraction { request: id.clone(), revision, judge: Judge::Platform });
    assert_eq!(kept.ask("platform", &retraction), Ok(vec![]));
    world.ask("platform", &retraction).unwrap();
    assert_eq!(world.request(&id).status, RequestStatus::Withdrawn);
    assert_eq!((world.topic().unwrap().status, world.tasks()), (TopicStatus::Created, vec![]));
    world.ask("pay", &delete(true)).unwrap();
    let again = world.waiting();
    assert_ne!(again, id);
    approve(&mut world, &again);
    assert_eq!(world.tasks(), [Task::DeleteTopic(pay_x())]);
}

/// Where nobody needs to agree any more, a rejection that is taken back still deletes nothing.
#[test]
fn a_rejected_end_of_a_topic_is_not_made_by_other_rules() {
    let mut world = World::made();
    world.ask("pay", &delete(true)).unwrap();
    let id = world.waiting();
    decided(&mut world, &id, Choice::Reject).unwrap();
    let free = crate::governance::decide::fixtures::environment(&json!({}));
    world.ask("platform", &Command::ChangeEnvironment(Box::new(free))).unwrap();
    let revision = world.request(&id).revision.clone();
    let retraction = Retraction { request: id.clone(), revision, judge: Judge::Platform };
    world.ask("platform", &Command::RetractDecision(retraction)).unwrap();
    assert_eq!((world.request(&id).status, world.tasks()), (RequestStatus::Withdrawn, vec![]));
}

#[test]
fn a_rejected_change_of_a_topic_is_withdrawn_and_rejected_still_when_it_comes_back() {
    let mut world = World::made();
    world.ask("pay", &ask(12)).unwrap();
    let id = world.waiting();
    decided(&mut world, &id, Choice::Reject).unwrap();
    world.ask("pay", &ask(9)).unwrap();
    world.ask("pay", &ask(12)).unwrap();
    assert_eq!(world.request(&id).status, RequestStatus::Rejected);
    world.ask("pay", &Command::WithdrawRequest(id.clone())).unwrap();
    assert_eq!(world.request(&id).status, RequestStatus::Withdrawn);
    assert_eq!(decided(&mut world, &id, Choice::Approve), Err(vec![("request_id".to_owned(), "Request over")]));
}

#[test]
fn what_is_no_more_declared_is_no_more_asked_for() {
    let mut world = World::watched();
    world.ask("pay", &ask(12)).unwrap();
    let id = world.waiting();
    world.ask("pay", &delete(true)).unwrap();
    assert_eq!(world.request(&id).status, RequestStatus::Withdrawn);
    assert_eq!(waiting_of_topic(&world.state, &pay_x()), None);
}

/// What the platform agrees to is decided by the rules of that moment, with the team's rights.
#[test]
fn an_approval_gives_no_more_than_the_rules_do() {
    let mut world = World::watched();
    world.ask("pay", &ask(12)).unwrap();
    let id = world.waiting();
    let strict = json!({
        "topics": {"partitions": {"max": 6}}, "approval": {"changes": {"topic": {"create": "platform"}}},
    });
    let strict = crate::governance::decide::fixtures::environment(&strict);
    world.ask("platform", &Command::ChangeEnvironment(Box::new(strict))).unwrap();
    let told = vec![("request_id".to_owned(), "Number of partitions refused")];
    assert_eq!(decided(&mut world, &id, Choice::Approve), Err(told));
    decided(&mut world, &id, Choice::Reject).unwrap();
}

#[test]
fn a_topic_is_asked_for_by_declaring_it_and_nothing_else() {
    let mut world = World::watched();
    let change = Change {
        kind: ChangeKind::Topic,
        verb: Verb::Create,
        name: "pay.x".to_owned(),
        partitions: Some(12),
        disk_bytes: None,
        digest: String::new(),
    };
    let filing = Filing::new("pay-00000001".parse().unwrap(), named("pay"), Subject::Change(change));
    assert_eq!(summaries(&mut world, "pay", &Command::FileRequest(Box::new(filing))), ["Not a request"]);
}

/// Where those who ask and those who agree must differ, it must be known who asks.
#[test]
fn nobody_in_particular_asks_where_people_must_differ() {
    let approval = json!({"changes": {"topic": {"create": "platform"}}, "distinct_actors": true});
    let mut world = World::new(&json!({"approval": approval}));
    world.ask("platform", &declare("pay", json!({}))).unwrap();
    assert_eq!(summaries(&mut world, "pay", &ask(12)), ["Actor unknown"]);
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

//! Runs on a cluster in memory.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::{
    clients::{
        governed::testing::{Here, asking, id, soon},
        kafka::{Acls, Kafka, KafkaError, NewRecord},
        registry::fake::FakeRegistry,
        rest::{Webhook, fake::FakeService},
    },
    governance::{
        acl::Operation,
        application::Status,
        check_topic::TopicRequest,
        command::{ApplicationRequest, Decision, Revocation, TopicAsk, TopicFound, TopicRefusal},
        grants::MadeAnew,
        names::ApplicationName,
        owned_topic::TopicStatus,
        request::{Choice, Judge},
        topic::{TopicName, TopicSpec},
    },
};

fn name() -> TopicName {
    "pay.x".parse().unwrap()
}

impl Here {
    /// A run of the platform, and what it did.
    async fn reconcile(&self) -> (Reconciled, Vec<String>) {
        let mut steps = Vec::new();
        let mut tell =
            |it: &Step| steps.push(format!("{:?} {}", it.work, if it.result.is_ok() { "ok" } else { "failed" }));
        let res = self.platform().reconcile(soon(), &mut tell).await.unwrap();
        (res, steps)
    }

    async fn is_quiet(&self) {
        let (res, steps) = self.reconcile().await;
        assert_eq!((res, steps), (Reconciled::default(), vec![]), "a second run has nothing to do");
    }

    async fn is_quiet_after_one(&self) {
        let (res, steps) = self.reconcile().await;
        assert!(res.is_complete(), "{steps:?}");
        self.is_quiet().await;
    }

    async fn topic_status(&self) -> Option<TopicStatus> {
        self.known().await.state.topic(&name()).map(|it| it.status)
    }

    /// Why the brokers did not take what was asked for.
    async fn refused(&self) -> Option<String> {
        self.known().await.state.topic(&name()).and_then(|it| it.refused.clone())
    }

    fn garbage(&self, application: &str, count: usize) {
        let topic = format!("_selfserve.mailbox.{application}").parse().unwrap();
        for it in 0..count {
            let record = NewRecord { value: Some(Bytes::from(format!("{{{it}"))), ..NewRecord::default() };
            self.cluster.write_record(&topic, record);
        }
    }
}

fn ask(partitions: i64, config: &[(&str, &str)], reset: &[&str]) -> Command {
    let config = config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let topic = TopicRequest { partitions: Some(partitions), config, ..TopicRequest::new(name()) };
    Command::AskTopic(Box::new(TopicAsk { topic, reset: reset.iter().map(|it| (*it).to_owned()).collect() }))
}

#[tokio::test]
async fn what_teams_file_is_folded_and_done_without_a_hand_of_the_platform() {
    let here = Here::new(json!({"deployer_rights": "mailbox"})).await;
    here.deployer("shop").command(asking(&[Operation::Read], None), soon()).await.unwrap();
    let foreseen = here.platform().foresee(soon()).await.unwrap();
    assert_eq!((foreseen.folded.len(), foreseen.tasks), (1, vec![]));
    here.reconcile().await;
    assert_eq!(here.status().await, "pending");
    let revision = here.request().await.revision;
    let decision = Decision { request: id(), revision, judge: Judge::Owner, choice: Choice::Approve, reason: None };
    here.deployer("pay").command(Command::DecideRequest(decision), soon()).await.unwrap();
    assert_eq!(here.status().await, "pending", "what is filed has no effect");
    let (res, steps) = here.reconcile().await;
    assert!(res.is_complete(), "{steps:?}");
    assert_eq!((here.status().await, here.granted().await), ("active", vec!["READ".to_owned()]));
    here.is_quiet().await;
    let revoke = Command::RevokeGrant(Revocation { request: id(), reason: None });
    here.deployer("pay").command(revoke, soon()).await.unwrap();
    here.reconcile().await;
    assert_eq!((here.status().await, here.granted().await), ("revoked", vec![]));
    here.is_quiet().await;
}

#[tokio::test]
async fn what_is_over_is_taken_away() {
    let here = Here::new(json!({})).await;
    let soon_over = Timestamp(now().0 + 700);
    here.file(&[Operation::Read], Some(soon_over)).await;
    here.decide(Choice::Approve).await;
    here.reconcile().await;
    assert_eq!(here.status().await, "active");
    while now() <= soon_over {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(here.platform().foresee(soon()).await.unwrap().tasks, [Task::Expire(id())]);
    here.reconcile().await;
    assert_eq!((here.status().await, here.granted().await), ("expired", vec![]));
    here.is_quiet().await;
}

#[tokio::test]
async fn a_topic_is_made_changed_and_deleted_as_its_team_asks() {
    let policy = json!({
        "deployer_rights": "mailbox", "topics": {"config": {"retention.ms": {"default": "60000"}}},
    });
    let here = Here::new(policy).await;
    here.deployer("pay").command(ask(2, &[("segment.ms", "1000")], &[]), soon()).await.unwrap();
    here.reconcile().await;
    assert_eq!(here.topic_status().await, Some(TopicStatus::Created));
    let found = here.cluster.describe_topic(&name(), soon()).await.unwrap().unwrap();
    let value = |found: &crate::clients::kafka::Topic, key: &str| {
        let entry = &found.config.as_ref().unwrap()[key];
        (entry.value.clone().unwrap(), entry.overridden)
    };
    assert_eq!((found.partitions, value(&found, "retention.ms")), (2, ("60000".to_owned(), true)));
    assert_eq!(value(&found, "segment.ms"), ("1000".to_owned(), true));
    here.is_quiet().await;
    let change = ask(4, &[("max.message.bytes", "2000000")], &["segment.ms"]);
    here.deployer("pay").command(change, soon()).await.unwrap();
    here.reconcile().await;
    let found = here.cluster.describe_topic(&name(), soon()).await.unwrap().unwrap();
    assert_eq!((found.partitions, value(&found, "segment.ms").1), (4, false));
    assert_eq!(value(&found, "max.message.bytes").0, "2000000");
    here.is_quiet().await;
    here.deployer("pay").command(Command::DeleteTopic(name().into()), soon()).await.unwrap();
    assert!(here.cluster.describe_topic(&name(), soon()).await.unwrap().is_some());
    here.reconcile().await;
    assert_eq!(here.cluster.describe_topic(&name(), soon()).await.unwrap(), None);
    assert_eq!(here.topic_status().await, Some(TopicStatus::Deleted));
    here.is_quiet().await;
}

/// Who made a topic anew under a name owns other data, which nobody agreed to delete.
#[tokio::test]
async fn another_topic_of_the_name_is_neither_deleted_nor_changed() {
    for change in [ask(3, &[], &[]), Command::DeleteTopic(name().into())] {
        let here = Here::new(json!({"deployer_rights": "mailbox"})).await;
        here.deployer("pay").command(ask(1, &[], &[]), soon()).await.unwrap();
        here.reconcile().await;
        here.cluster.delete_topic(&name(), None, soon()).await.unwrap();
        let spec = TopicSpec { name: name(), partitions: Some(1), replication_factor: None, config: [].into() };
        let anew = here.cluster.create_topic(&spec, soon()).await.unwrap();
        here.deployer("pay").command(change, soon()).await.unwrap();
        here.reconcile().await;
        let there = here.cluster.describe_topic(&name(), soon()).await.unwrap().unwrap();
        assert_eq!((there.id, there.partitions), (anew.id, 1));
    }
}

/// A run that was killed between the deed and its record is ended by the next.
#[tokio::test]
async fn a_topic_that_a_killed_run_made_or_deleted_is_known_to_the_next() {
    let here = Here::new(json!({"deployer_rights": "mailbox"})).await;
    here.deployer("pay").command(ask(1, &[], &[]), soon()).await.unwrap();
    let spec = TopicSpec { name: name(), partitions: Some(1), replication_factor: None, config: [].into() };
    let made = here.cluster.create_topic(&spec, soon()).await.unwrap();
    here.reconcile().await;
    let known = here.known().await.state.topic(&name()).unwrap().clone();
    assert_eq!((known.status, known.topic_id), (TopicStatus::Created, made.id));
    here.deployer("pay").command(Command::DeleteTopic(name().into()), soon()).await.unwrap();
    here.platform().fold(&MailboxOf::Application("pay".parse().unwrap()), soon()).await.unwrap();
    here.cluster.delete_topic(&name(), None, soon()).await.unwrap();
    here.reconcile().await;
    assert_eq!(here.topic_status().await, Some(TopicStatus::Deleted));
}

#[tokio::test]
async fn data_that_was_there_before_is_not_taken_over() {
    let here = Here::new(json!({"deployer_rights": "mailbox"})).await;
    let spec = TopicSpec { name: name(), partitions: Some(1), replication_factor: None, config: [].into() };
    here.cluster.create_topic(&spec, soon()).await.unwrap();
    here.cluster.write(&name());
    here.deployer("pay").command(ask(1, &[], &[]), soon()).await.unwrap();
    let (res, steps) = here.reconcile().await;
    assert_eq!((res.failed, res.left), (1, vec![]), "{steps:?}");
    assert!(here.refused().await.unwrap().contains("is there already, with data"));
    here.deployer("pay").command(Command::DeleteTopic(name().into()), soon()).await.unwrap();
    here.reconcile().await;
    assert!(here.cluster.describe_topic(&name(), soon()).await.unwrap().is_some());
}

/// Whoever asked would wait for ever, and nobody but the platform would know why.
#[tokio::test]
async fn what_the_brokers_refuse_is_refused_until_somebody_asks_again() {
    let here = Here::new(json!({"deployer_rights": "mailbox", "quota": {"topics": 1}})).await;
    here.deployer("pay").command(ask(1, &[("retention.ms", "soon")], &[]), soon()).await.unwrap();
    let (res, steps) = here.reconcile().await;
    assert_eq!((res.failed, res.left), (1, vec![]), "{steps:?}");
    let reason = here.refused().await.unwrap();
    assert!(reason.contains("invalid value soon for configuration retention.ms"), "{reason}");
    assert_eq!(here.topic_status().await, Some(TopicStatus::Deleted), "its place is free");
    here.is_quiet().await;
    here.deployer("pay").command(ask(1, &[("retention.ms", "1000")], &[]), soon()).await.unwrap();
    here.reconcile().await;
    assert_eq!((here.topic_status().await, here.refused().await), (Some(TopicStatus::Created), None));
    // Of a change, what the brokers took is known.
    here.deployer("pay").command(ask(4, &[("segment.ms", "x")], &[]), soon()).await.unwrap();
    here.reconcile().await;
    let known = here.known().await.state.topic(&name()).unwrap().clone();
    assert_eq!((known.status, known.partitions, known.asked), (TopicStatus::Created, 4, None));
    assert!(known.refused.unwrap().contains("segment.ms"));
    here.is_quiet().await;
}

#[tokio::test]
async fn a_failure_that_may_pass_is_no_refusal() {
    let here = Here::new(json!({"deployer_rights": "mailbox"})).await;
    here.deployer("pay").command(ask(1, &[], &[]), soon()).await.unwrap();
    let denied = KafkaError::Denied { operation: "CREATE", resource: "topic `pay.x`".to_owned(), principal: None };
    for error in [KafkaError::Deadline("creating `pay.x`".to_owned()), denied] {
        here.cluster.fail("create_topic", error);
        let (res, steps) = here.reconcile().await;
        assert_eq!((res.failed, res.left), (1, vec![Task::MakeTopic(name())]), "{steps:?}");
        assert_eq!(here.refused().await, None);
    }
    here.is_quiet_after_one().await;
    assert_eq!(here.topic_status().await, Some(TopicStatus::Created));
}

/// A slow run says that the cluster took it not; meanwhile it was asked for otherwise.
#[tokio::test]
async fn what_was_asked_for_since_is_not_refused() {
    let here = Here::new(json!({"deployer_rights": "mailbox"})).await;
    let fold =
        || async { here.platform().fold(&MailboxOf::Application("pay".parse().unwrap()), soon()).await.unwrap() };
    here.deployer("pay").command(ask(1, &[("retention.ms", "soon")], &[]), soon()).await.unwrap();
    fold().await;
    let asked = here.known().await.state.topic(&name()).unwrap().asked.clone().unwrap();
    here.deployer("pay").command(ask(1, &[("retention.ms", "1000")], &[]), soon()).await.unwrap();
    fold().await;
    let refusal =
        TopicRefusal { name: name(), asked, reason: "no".to_owned(), partitions: None, replication_factor: None };
    here.platform().command(Command::RefuseTopic(refusal), soon()).await.unwrap();
    here.is_quiet_after_one().await;
    assert_eq!((here.topic_status().await, here.refused().await), (Some(TopicStatus::Created), None));
}

#[tokio::test]
async fn one_task_that_fails_leaves_the_others_alone() {
    let here = Here::new(json!({"deployer_rights": "mailbox"})).await;
    here.file(&[Operation::Read], None).await;
    here.decide(Choice::Approve).await;
    here.deployer("pay").command(ask(1, &[], &[]), soon()).await.unwrap();
    here.cluster.fail("create_acls", KafkaError::Unsupported("ACLs".to_owned()));
    let (res, steps) = here.reconcile().await;
    assert!(steps.contains(&format!("{:?} failed", Work::Do(Task::Grant(id())))), "{steps:?}");
    assert_eq!((here.status().await, here.topic_status().await), ("failed", Some(TopicStatus::Created)));
    assert!(!res.is_complete() && res.left.contains(&Task::Grant(id())), "{res:?}");
    let known = here.known().await;
    assert!(known.state.environment().unwrap().reconciled_at.is_some(), "somebody looked");
}

/// Whoever removes rules with Kafka's tools would leave a team without what it was granted until somebody applies.
#[tokio::test]
async fn rules_that_somebody_removed_are_found_and_made_again() {
    let here = Here::new(json!({})).await;
    here.file(&[Operation::Read], None).await;
    here.decide(Choice::Approve).await;
    here.reconcile().await;
    here.is_quiet().await;
    let all = here.rules().await;
    let lost: Vec<_> = all.iter().filter(|it| it.resource_name != "_selfserve.state").cloned().collect();
    here.cluster.delete_acls(&lost, soon()).await.unwrap();
    let (offset, foreseen) = (here.known().await.head.offset, here.platform().foresee(soon()).await.unwrap());
    assert_eq!(foreseen.lost, lost.iter().cloned().collect());
    assert!(foreseen.tasks.contains(&Task::Grant(id())), "{foreseen:?}");
    assert_eq!(here.known().await.head.offset, offset, "a dry run writes nothing");
    let looks = |here: &Here| here.cluster.calls().iter().filter(|it| **it == "acls").count();
    let before = looks(&here);
    here.platform().foresee(soon()).await.unwrap();
    assert_eq!(looks(&here) - before, 1, "one look for all");
    let (res, steps) = here.reconcile().await;
    assert!(res.is_complete(), "{steps:?}");
    assert_eq!((here.status().await, here.rules().await), ("active", all));
    here.is_quiet().await;
    // What is being taken away is not made again.
    here.cluster.delete_acls(&lost, soon()).await.unwrap();
    let revoke = Command::RevokeGrant(Revocation { request: id(), reason: None });
    here.platform().command(revoke, soon()).await.unwrap();
    here.reconcile().await;
    assert_eq!((here.status().await, here.granted().await), ("revoked", vec![]));
    here.is_quiet().await;
}

/// A look that fails leaves the rest alone, and is told.
#[tokio::test]
async fn who_may_not_look_at_rules_is_told() {
    let here = Here::new(json!({"deployer_rights": "mailbox"})).await;
    here.deployer("pay").command(ask(1, &[], &[]), soon()).await.unwrap();
    here.platform().fold(&MailboxOf::Application("pay".parse().unwrap()), soon()).await.unwrap();
    here.cluster.fail("acls", KafkaError::NoAuthorizer);
    let (res, steps) = here.reconcile().await;
    assert_eq!((res.failed, &steps[0][..]), (1, "Look failed"), "{steps:?}");
    assert_eq!(here.topic_status().await, Some(TopicStatus::Created));
}

/// Rule 9 of governance: whose readers could read the topic before is told, and nothing is done about it.
#[tokio::test]
async fn topics_that_somebody_made_anew_are_told_with_who_may_use_them() {
    let here = Here::new(json!({"deployer_rights": "mailbox"})).await;
    here.deployer("pay").command(ask(1, &[], &[]), soon()).await.unwrap();
    here.reconcile().await;
    let make_anew = async || {
        here.cluster.delete_topic(&name(), None, soon()).await.unwrap();
        let spec =
            TopicSpec { name: name(), partitions: Some(1), replication_factor: None, config: BTreeMap::default() };
        here.cluster.create_topic(&spec, soon()).await.unwrap();
    };
    make_anew().await;
    here.is_quiet().await;
    here.file(&[Operation::Read], None).await;
    here.decide(Choice::Approve).await;
    here.reconcile().await;
    let told = vec![Noticed::MadeAnew(MadeAnew { topic: name(), granted: [(id(), "shop".parse().unwrap())].into() })];
    let foreseen = here.platform().foresee(soon()).await.unwrap();
    assert_eq!((&foreseen.noticed, foreseen.is_complete()), (&told, true));
    let (res, steps) = here.reconcile().await;
    assert_eq!((&res.noticed, res.is_complete(), steps), (&told, true, vec![]));
    assert_eq!(here.granted().await, ["READ"]);
    let found = here.cluster.describe_topic(&name(), soon()).await.unwrap().unwrap();
    here.platform().command(Command::MarkTopicCreated(TopicFound::new(name(), found.id)), soon()).await.unwrap();
    here.is_quiet().await;
    make_anew().await;
    here.cluster.fail("topics", KafkaError::Deadline("asking".to_owned()));
    let (res, steps) = here.reconcile().await;
    assert_eq!((res.failed, steps), (1, vec!["Look failed".to_owned()]));
    here.platform().command(Command::RevokeGrant(Revocation { request: id(), reason: None }), soon()).await.unwrap();
    here.is_quiet_after_one().await;
}

/// Rule 7 of governance: who works directly can pass the rules by, and each run says so.
#[tokio::test]
async fn topics_that_deployers_made_past_the_rules_are_told() {
    let here = Here::new(json!({"deployer_rights": "direct", "topics": {"partitions": {"max": 12}}})).await;
    here.is_quiet().await;
    let spec = TopicSpec { name: name(), partitions: Some(20), replication_factor: None, config: BTreeMap::default() };
    here.cluster.create_topic(&spec, soon()).await.unwrap();
    let (res, steps) = here.reconcile().await;
    let [Noticed::Astray(it)] = &res.noticed[..] else { panic!("{res:?}") };
    assert_eq!((&it.topic, it.application.as_str(), it.problems.len()), (&name(), "pay", 1));
    assert_eq!((res.is_complete(), steps), (true, vec![]));
    assert_eq!(here.platform().foresee(soon()).await.unwrap().noticed, res.noticed);
}

/// A ticket elsewhere waits for it. Who does not listen misses it, and everything is done all the same.
#[tokio::test]
async fn requests_that_reach_an_end_are_told() {
    for status in [204, 500] {
        let fake = FakeService::start(move |_| (status, "text/plain", String::new())).await;
        let notices = Some(Arc::new(Webhook::new(fake.url().parse().unwrap(), None)));
        let here = Here::new(json!({})).await;
        here.file(&[Operation::Read], None).await;
        here.decide(Choice::Approve).await;
        let res = here.platform().telling(notices.clone()).reconcile(soon(), &mut |_| {}).await.unwrap();
        assert!(res.is_complete());
        here.platform().telling(notices).reconcile(soon(), &mut |_| {}).await.unwrap();
        let told = fake.requests();
        assert_eq!((here.status().await, told.len()), ("active", 1));
        for part in [r#""status":"active""#, r#""request":"shop-00000001""#, r#""owner":"pay""#] {
            assert!(told[0].contains(part), "{told:?}");
        }
    }
}

/// Rule 20: that somebody looks is written often enough, and not with every run.
#[tokio::test]
async fn that_somebody_looked_is_written_now_and_then() {
    let here = Here::new(json!({"reconcile_within_seconds": 600})).await;
    here.reconcile().await;
    let first = here.known().await;
    assert!(first.state.environment().unwrap().reconciled_at.is_some());
    here.reconcile().await;
    assert_eq!(here.known().await.head.offset, first.head.offset);
    let environment = first.state.environment().unwrap();
    let at = environment.reconciled_at.unwrap().0;
    assert_eq!([149_999, 150_000].map(|it| beats(environment, Timestamp(at + it))), [false, true]);
}

#[tokio::test]
async fn an_application_that_was_refused_is_remembered_and_its_name_is_free() {
    let here = Here::new(json!({"approval": {"applications": "platform"}})).await;
    let late: ApplicationName = "late".parse().unwrap();
    let spec = serde_json::from_value(json!({"name": "late", "principals": ["User:late"]})).unwrap();
    let declare = Command::DeclareApplication(Box::new(ApplicationRequest::new(spec)));
    here.acting("late").command(declare, soon()).await.unwrap();
    here.is_quiet_after_one().await;
    let known = here.known().await;
    let request = known.state.requests().find(|(_, it)| it.applicant().name == late);
    let (request, revision) = request.map(|(id, it)| (id.clone(), it.revision.clone())).unwrap();
    let decision = Decision { request, revision, judge: Judge::Platform, choice: Choice::Reject, reason: None };
    here.platform().command(Command::DecideRequest(decision), soon()).await.unwrap();
    assert_eq!(here.platform().foresee(soon()).await.unwrap().tasks, [Task::CleanUp(late.clone())]);
    here.is_quiet_after_one().await;
    assert_eq!(here.known().await.state.application(&late).unwrap().status, Status::Deleted);
}

#[tokio::test]
async fn nobody_but_the_platform_reconciles() {
    let here = Here::new(json!({})).await;
    let refused = here.deployer("pay").reconcile(soon(), &mut |_| {}).await.unwrap_err();
    assert!(format!("{refused:?}").contains("Not the platform"), "{refused:?}");
    assert!(here.deployer("pay").foresee(soon()).await.is_err());
}

/// A flood is folded piece by piece, and others have their turn before the second piece.
#[tokio::test]
async fn a_flooded_mailbox_holds_nobody_up() {
    let here = Here::new(json!({"deployer_rights": "mailbox"})).await;
    here.garbage("pay", 10_000);
    here.deployer("shop").command(asking(&[Operation::Read], None), soon()).await.unwrap();
    let before = here.known().await.head.offset;
    let (res, steps) = here.reconcile().await;
    assert_eq!((here.status().await, res.failed), ("pending", 0));
    assert!(steps[1].contains("shop"), "{steps:?}");
    assert_eq!(res.unread, [MailboxOf::Application("pay".parse().unwrap())].into());
    assert!(here.known().await.head.offset - before < 30, "bounded work");
    let (res, _) = here.reconcile().await;
    assert!(res.is_complete(), "{res:?}");
    let state = &here.known().await.state;
    let mailbox = state.mailbox(&MailboxOf::Application("pay".parse().unwrap())).unwrap();
    assert_eq!((mailbox.next, mailbox.fates.len()), (10_000, 0));
    here.is_quiet().await;
}

/// What a deployer says that it made is not believed of topics that the platform makes.
#[tokio::test]
async fn a_deployer_does_not_say_what_the_platform_made() {
    let here = Here::new(json!({"deployer_rights": "mailbox"})).await;
    here.deployer("pay").command(ask(1, &[], &[]), soon()).await.unwrap();
    let made = Command::MarkTopicCreated(TopicFound::new(name(), Some("x".to_owned())));
    let told = here.deployer("pay").command(made, soon()).await;
    here.reconcile().await;
    let known = here.known().await.state.topic(&name()).unwrap().clone();
    assert_ne!(known.topic_id.as_deref(), Some("x"), "{told:?}");
}

#[tokio::test]
async fn topics_without_the_schema_that_is_demanded_are_told() {
    let here = Here::new(json!({"capabilities": ["schemas"], "schemas": {"required": true}})).await;
    here.deployer("pay").command(ask(1, &[], &[]), soon()).await.unwrap();
    here.reconcile().await;
    here.is_quiet().await;
    let registry = FakeRegistry::start().await;
    let look = async || {
        let platform = here.platform().beside(registry.services().schema_registry);
        platform.reconcile(soon(), &mut |_| {}).await.unwrap().noticed
    };
    let told = look().await;
    assert!(matches!(&told[..], [Noticed::WithoutSchema(it)] if *it.topic() == name()), "{told:?}");
    registry.kept().next = std::iter::repeat_n((500, "text/html", String::new()), 9).collect();
    assert_eq!(look().await, vec![], "a registry that does not answer tells nothing");
    registry.kept().next.clear();
    registry.does("POST", "/subjects/pay.x-value/versions", &json!({ "schemaType": "AVRO", "schema": "\"int\"" }));
    assert_eq!(look().await, vec![]);
}

//! Topics of a team that needs the platform's leave, in both ways of running.

use serde_json::json;

use crate::{
    clients::kafka::{Kafka, Topic as Found},
    framework::{Severity, Stored, Value},
    governance::{
        changes::{change, waiting_of_topic},
        command::{Command, Decision},
        policy::{Approval, ChangeApproval, Policy},
        request::{ChangeKind, Choice, Judge, RequestId, RequestStatus, Verb},
        topic::TopicName,
    },
    resources::{
        requests::testing::{DECISION, Here, plans_nothing, text},
        testing::{Run, nothing, quiet, soon, told},
    },
};

use super::Json;

/// Rules by which somebody agrees to what is done to topics.
pub(super) fn watched(by: ChangeApproval) -> Policy {
    let verbs = [Verb::Create, Verb::Update, Verb::Delete].map(|it| (it, by));
    let changes = [(ChangeKind::Topic, verbs.into())].into();
    Policy { approval: Approval { changes, ..Approval::default() }, ..Policy::default() }
}

pub(super) fn name() -> TopicName {
    "shop.orders".parse().unwrap()
}

pub(super) fn orders(partitions: i64, retention: &str) -> Json {
    json!({ "name": "shop.orders", "partitions": partitions, "config": { "retention.ms": retention } })
}

/// How a team works.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Way {
    /// In a pipeline of the platform, which says for whom it works.
    Acting,
    /// With its own credentials.
    Deployer,
}

/// A team, and the platform.
pub(super) struct Story {
    pub(super) here: Here,
    pub(super) way: Way,
}

impl Story {
    pub(super) async fn new(way: Way) -> Self {
        Self { here: Here::under(watched(ChangeApproval::Platform)).await, way }
    }

    pub(super) fn team(&self) -> Run {
        match self.way {
            Way::Acting => self.here.run("topic", Some("shop")),
            Way::Deployer => self.here.deployer("topic", "shop"),
        }
    }

    /// Plans what needs leave, and applies it.
    pub(super) async fn asks(&self, prior: &Stored, config: &Json) -> Stored {
        let planned = self.team().plan(prior, config).await;
        told(&planned.diagnostics, Severity::Warning, "Change needs approval", "shop.orders");
        let outcome = self.team().apply(prior, planned.planned, config).await;
        quiet(&outcome.diagnostics);
        assert_eq!(text(&outcome.stored, "status"), "requested");
        let seen = self.refreshed(&outcome.stored, config).await;
        if self.way == Way::Deployer {
            self.here.fold().await;
        }
        self.refreshed(&seen, config).await
    }

    /// What a refresh leaves; the plan that follows is empty and silent.
    pub(super) async fn refreshed(&self, stored: &Stored, config: &Json) -> Stored {
        let seen = self.team().read(stored).await;
        quiet(&seen.diagnostics);
        let planned = self.team().plan(&seen.stored, config).await;
        quiet(&planned.diagnostics);
        assert_eq!(planned.planned.state, seen.stored.state, "the second plan is empty");
        seen.stored
    }

    pub(super) async fn decides(&self, choice: &str) -> Stored {
        let known = self.here.run(DECISION, None).governed().snapshot(soon()).await.unwrap();
        let (id, request) = waiting_of_topic(&known.state, &name()).expect("a request waits");
        let config = json!({
            "request_id": id.to_string(), "revision": request.revision.as_str(), "decision": choice, "as": "platform",
        });
        let run = self.here.run(DECISION, None);
        let planned = run.plan(&nothing(), &config).await;
        if choice == "approve" && change(request).is_some_and(|it| it.verb == Verb::Delete) {
            told(&planned.diagnostics, Severity::Warning, "Approval deletes", "the topic `shop.orders`");
        } else {
            quiet(&planned.diagnostics);
        }
        let outcome = run.apply(&nothing(), planned.planned, &config).await;
        quiet(&outcome.diagnostics);
        outcome.stored
    }

    /// Agrees, and is killed before anything is made.
    pub(super) async fn agrees_alone(&self) {
        let known = self.here.run(DECISION, None).governed().snapshot(soon()).await.unwrap();
        let (request, it) = waiting_of_topic(&known.state, &name()).expect("a request waits");
        let revision = it.revision.clone();
        let (judge, choice) = (Judge::Platform, Choice::Approve);
        let decision = Decision { request, revision, judge, choice, reason: None };
        self.here.command(Command::DecideRequest(decision)).await;
    }

    pub(super) async fn found(&self) -> Option<Found> {
        self.here.cluster.describe_topic(&name(), soon()).await.unwrap()
    }

    pub(super) async fn has(&self, partitions: i32, retention: &str) {
        let found = self.found().await.expect("it is there");
        let config = found.config.unwrap();
        assert_eq!((found.partitions, config["retention.ms"].value.as_deref()), (partitions, Some(retention)));
    }

    pub(super) async fn status(&self, id: &str) -> RequestStatus {
        let id: RequestId = id.parse().unwrap();
        let known = self.here.run(DECISION, None).governed().snapshot(soon()).await.unwrap();
        known.state.request(&id).unwrap().status
    }

    /// What the platform does with letters, where there are any.
    pub(super) async fn folds(&self) {
        if self.way == Way::Deployer {
            self.here.fold().await;
        }
    }

    /// Has a topic made that the platform agreed to.
    pub(super) async fn made(&self) -> Stored {
        let stored = self.asks(&nothing(), &orders(3, "1000")).await;
        self.decides("approve").await;
        self.refreshed(&stored, &orders(3, "1000")).await
    }
}

#[tokio::test]
async fn a_topic_is_made_as_it_was_asked_for_when_the_platform_agrees() {
    for way in [Way::Acting, Way::Deployer] {
        let story = Story::new(way).await;
        let stored = story.asks(&nothing(), &orders(3, "1000")).await;
        assert!(story.found().await.is_none(), "nobody agreed to it");
        let id = text(&stored, "request_id");
        let decision = story.decides("approve").await;
        assert_eq!((text(&decision, "status"), text(&decision, "request_id")), ("active".to_owned(), id));
        story.has(3, "1000").await;
        let stored = story.refreshed(&stored, &orders(3, "1000")).await;
        assert_eq!((text(&stored, "status"), stored.state.attribute("request_id")), ("ready".to_owned(), &Value::Null));

        let stored = story.asks(&stored, &orders(6, "2000")).await;
        assert_eq!(stored.state.attribute("partitions"), &Value::from(6), "what was asked for counts as done");
        story.has(3, "1000").await;
        story.decides("approve").await;
        story.has(6, "2000").await;
        let stored = story.refreshed(&stored, &orders(6, "2000")).await;
        assert_eq!(text(&stored, "status"), "ready");

        // What the configuration alone changes is a change as well.
        let stored = story.asks(&stored, &orders(6, "3000")).await;
        story.has(6, "2000").await;
        story.decides("approve").await;
        let stored = story.refreshed(&stored, &orders(6, "3000")).await;
        assert_eq!(text(&stored, "status"), "ready");
    }
}

#[tokio::test]
async fn what_was_rejected_stays_so_until_it_is_declared_otherwise() {
    for way in [Way::Acting, Way::Deployer] {
        let story = Story::new(way).await;
        let stored = story.made().await;
        let stored = story.asks(&stored, &orders(6, "2000")).await;
        let id = text(&stored, "request_id");
        story.decides("reject").await;
        let seen = story.team().read(&stored).await;
        told(&seen.diagnostics, Severity::Warning, "Change rejected", &id);
        assert_eq!(text(&seen.stored, "status"), "refused");
        let planned = story.team().plan(&seen.stored, &orders(6, "2000")).await;
        quiet(&planned.diagnostics);
        assert_eq!(planned.planned.state, seen.stored.state, "nobody asks for the same again");
        // Another declaration asks again, under the same id.
        let stored = story.asks(&seen.stored, &orders(5, "1000")).await;
        assert_eq!((text(&stored, "request_id"), story.status(&id).await), (id.clone(), RequestStatus::Pending));
        // And what the topic is already needs nobody.
        let stored = story.team().applied(&stored, &orders(3, "1000")).await;
        story.folds().await;
        let stored = story.refreshed(&stored, &orders(3, "1000")).await;
        assert_eq!((text(&stored, "status"), story.status(&id).await), ("ready".to_owned(), RequestStatus::Withdrawn));
        story.has(3, "1000").await;
    }
}

#[tokio::test]
async fn a_topic_is_deleted_when_the_platform_agrees_and_is_managed_until_then() {
    for way in [Way::Acting, Way::Deployer] {
        let story = Story::new(way).await;
        let stored = story.made().await;
        let planned = story.team().plan_end(&stored).await;
        told(&planned.diagnostics, Severity::Warning, "Deletion needs approval", "ends with an error");
        for _ in 0..2 {
            let outcome = story.team().destroy(&stored).await;
            told(&outcome.diagnostics, Severity::Error, "Deletion waits for approval", "the topic `shop.orders`");
        }
        story.folds().await;
        story.has(3, "1000").await;
        story.decides("approve").await;
        assert!(story.found().await.is_none());
        let seen = story.team().read(&stored).await;
        quiet(&seen.diagnostics);
        assert_eq!(seen.stored.state, Value::Null);
    }
}

#[tokio::test]
async fn who_declares_a_topic_again_has_it_deleted_no_more() {
    for way in [Way::Acting, Way::Deployer] {
        let story = Story::new(way).await;
        let stored = story.made().await;
        let outcome = story.team().destroy(&stored).await;
        assert!(outcome.diagnostics.has_errors());
        let seen = story.team().read(&stored).await.stored;
        assert_eq!(text(&seen, "status"), "requested");
        let id = text(&seen, "request_id");
        let planned = story.team().plan(&seen, &orders(3, "1000")).await;
        told(&planned.diagnostics, Severity::Warning, "Deletion taken back", &id);
        let stored = story.team().apply(&seen, planned.planned, &orders(3, "1000")).await.stored;
        story.folds().await;
        let stored = story.refreshed(&stored, &orders(3, "1000")).await;
        assert_eq!((text(&stored, "status"), story.status(&id).await), ("ready".to_owned(), RequestStatus::Withdrawn));
    }
}

#[tokio::test]
async fn what_was_never_made_is_asked_for_otherwise_and_given_up() {
    for way in [Way::Acting, Way::Deployer] {
        let story = Story::new(way).await;
        let stored = story.asks(&nothing(), &orders(3, "1000")).await;
        let id = text(&stored, "request_id");
        let stored = story.asks(&stored, &orders(2, "1000")).await;
        assert_eq!(text(&stored, "request_id"), id, "fewer than were asked for, of what is not there");
        quiet(&story.team().destroy(&stored).await.diagnostics);
        story.folds().await;
        assert_eq!(story.status(&id).await, RequestStatus::Withdrawn);
    }
}

/// Whoever comes next and may, makes what was agreed to.
#[tokio::test]
async fn the_next_apply_makes_what_a_killed_run_left() {
    let story = Story::new(Way::Acting).await;
    let stored = story.asks(&nothing(), &orders(3, "1000")).await;
    story.agrees_alone().await;
    assert!(story.found().await.is_none());
    let seen = story.team().read(&stored).await.stored;
    assert_eq!((text(&seen, "status"), seen.state.attribute("request_id")), ("requested".to_owned(), &Value::Null));
    let stored = story.team().applied(&seen, &orders(3, "1000")).await;
    assert_eq!(text(&stored, "status"), "ready");
    story.has(3, "1000").await;
    let stored = story.refreshed(&stored, &orders(3, "1000")).await;
    // The same of its end.
    assert!(story.team().destroy(&stored).await.diagnostics.has_errors());
    story.agrees_alone().await;
    quiet(&story.team().destroy(&stored).await.diagnostics);
    assert!(story.found().await.is_none());
}

/// What the platform decides it makes at once; where that fails, the next apply of the decision goes on.
#[tokio::test]
async fn a_decision_is_not_done_before_the_change_is() {
    let story = Story::new(Way::Deployer).await;
    story.asks(&nothing(), &orders(3, "1000")).await;
    let known = story.here.run(DECISION, None).governed().snapshot(soon()).await.unwrap();
    let (id, request) = waiting_of_topic(&known.state, &name()).expect("a request waits");
    let config = json!({
        "request_id": id.to_string(), "revision": request.revision.as_str(), "decision": "approve", "as": "platform",
    });
    story.agrees_alone().await;
    let imported = story.here.run(DECISION, None).import(&format!("dev/{id}:platform")).await.stored;
    let seen = story.here.run(DECISION, None).read(&imported).await.stored;
    assert_eq!(text(&seen, "status"), "provisioning");
    let decision = story.here.run(DECISION, None).applied(&seen, &config).await;
    assert_eq!(text(&decision, "status"), "active");
    story.has(3, "1000").await;
}

/// Rule 24: within its limits a team needs nobody.
#[tokio::test]
async fn what_is_within_the_limits_is_agreed_to_at_once() {
    let limits = ChangeApproval::AutoIfWithin { partitions: Some(4), disk_bytes: None };
    let here = Here::under(watched(limits)).await;
    let story = Story { here, way: Way::Acting };
    let stored = story.team().applied(&nothing(), &orders(3, "1000")).await;
    assert_eq!(text(&stored, "status"), "ready");
    let stored = story.team().applied(&stored, &orders(4, "2000")).await;
    story.has(4, "2000").await;
    story.asks(&stored, &orders(5, "2000")).await;
    story.has(4, "2000").await;
}

/// What the rules give where nothing is declared is within the limits, or is not, as if it were declared.
#[tokio::test]
async fn what_the_rules_give_counts_towards_the_limits() {
    let limits = ChangeApproval::AutoIfWithin { partitions: Some(4), disk_bytes: None };
    for (default, expected) in [(4, "ready"), (5, "requested")] {
        let mut policy = watched(limits);
        policy.topics.partitions.default = Some(default);
        let story = Story { here: Here::under(policy).await, way: Way::Acting };
        let config = json!({ "name": "shop.orders" });
        let planned = story.team().plan(&nothing(), &config).await;
        let outcome = story.team().apply(&nothing(), planned.planned, &config).await;
        quiet(&outcome.diagnostics);
        assert_eq!(text(&outcome.stored, "status"), expected);
        story.refreshed(&outcome.stored, &config).await;
    }
}

/// What the rules give where nothing is declared is no change of what was rejected.
#[tokio::test]
async fn what_was_rejected_stays_so_where_the_rules_give_the_copies() {
    for (way, default) in [(Way::Acting, Some(1)), (Way::Deployer, Some(1)), (Way::Acting, None)] {
        let mut policy = watched(ChangeApproval::AutoIfWithin { partitions: Some(4), disk_bytes: None });
        policy.topics.replication_factor.default = default;
        let story = Story { here: Here::under(policy).await, way };
        let config = orders(6, "1000");
        let stored = story.asks(&nothing(), &config).await;
        story.decides("reject").await;
        let seen = story.team().read(&stored).await;
        told(&seen.diagnostics, Severity::Warning, "Change rejected", "");
        assert_eq!(plans_nothing(&story.team(), &seen.stored, &config).await, Vec::<String>::new());
        // What is declared otherwise is asked for.
        for otherwise in [orders(5, "1000"), json!({ "name": "shop.orders", "config": { "retention.ms": "1000" } })] {
            let planned = story.team().plan(&seen.stored, &otherwise).await.planned.state;
            assert!(planned.attribute("status").is_unknown(), "{planned:?}");
        }
        let stored = story.asks(&seen.stored, &orders(5, "1000")).await;
        story.decides("approve").await;
        story.has(5, "1000").await;
        story.refreshed(&stored, &orders(5, "1000")).await;
    }
}

/// Where those who ask and those who agree must differ, the plan tells who does not say who they are.
#[tokio::test]
async fn nobody_in_particular_asks() {
    let mut policy = watched(ChangeApproval::Platform);
    policy.approval.distinct_actors = true;
    let here = Here::under(policy).await;
    let story = Story { here, way: Way::Acting };
    let planned = story.team().plan(&nothing(), &orders(3, "1000")).await;
    told(&planned.diagnostics, Severity::Error, "Actor unknown", "KAFKA_ACTOR");
}

/// What brokers refuse is asked for otherwise.
#[tokio::test]
async fn a_topic_that_the_brokers_refuse_is_declared_otherwise() {
    let story = Story::new(Way::Acting).await;
    let mut config = orders(3, "1000");
    config["replication_factor"] = 3.into();
    let planned = story.team().plan(&nothing(), &config).await;
    let outcome = story.team().apply(&nothing(), planned.planned, &config).await;
    assert_eq!(text(&outcome.stored, "status"), "requested");
    story.agrees_alone().await;
    let seen = story.team().read(&outcome.stored).await.stored;
    let planned = story.team().plan(&seen, &config).await;
    let failed = story.team().apply(&seen, planned.planned, &config).await;
    assert!(failed.diagnostics.has_errors(), "the cluster has one broker");
    let refused = story.team().read(&seen).await;
    told(&refused.diagnostics, Severity::Warning, "Topic refused", "there are 1 brokers");
    assert_eq!(text(&refused.stored, "status"), "refused");
    config["replication_factor"] = 1.into();
    let stored = story.asks(&seen, &config).await;
    story.decides("approve").await;
    story.has(3, "1000").await;
    story.refreshed(&stored, &config).await;
}

/// What needs nobody's leave is asked for again without it, after brokers refused it.
#[tokio::test]
async fn what_the_brokers_refused_within_the_limits_needs_no_leave() {
    let mut policy = watched(ChangeApproval::AutoIfWithin { partitions: Some(4), disk_bytes: None });
    policy.topics.replication_factor.default = Some(3);
    let story = Story { here: Here::under(policy).await, way: Way::Deployer };
    let config = orders(3, "1000");
    let stored = story.team().applied(&nothing(), &config).await;
    story.here.fold().await;
    let platform = story.here.run("topic", None).governed();
    platform.make_topic(&name(), soon()).await.unwrap_err();
    let refused = story.team().read(&stored).await;
    told(&refused.diagnostics, Severity::Warning, "Topic refused", "there are 1 brokers");
    let planned = story.team().plan(&refused.stored, &config).await;
    quiet(&planned.diagnostics);
    assert!(planned.planned.state.attribute("status").is_unknown());
}

/// Rule 24 of Terraform's core: a saved plan does not go further than what it promised.
#[tokio::test]
async fn a_plan_from_before_the_rule_is_stale() {
    let story = Story { here: Here::under(Policy::default()).await, way: Way::Acting };
    let stored = story.team().applied(&nothing(), &orders(3, "1000")).await;
    let planned = story.team().plan(&stored, &orders(3, "2000")).await;
    quiet(&planned.diagnostics);
    crate::resources::testing::change_policy(&story.here.cluster, watched(ChangeApproval::Platform)).await;
    let outcome = story.team().apply(&stored, planned.planned, &orders(3, "2000")).await;
    told(&outcome.diagnostics, Severity::Error, "Plan is stale", "Plan again");
    story.has(3, "1000").await;
}

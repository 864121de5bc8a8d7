//! The resource on a cluster in memory, asked as Terraform asks.

mod preparing;
mod rules;

use std::{collections::BTreeMap, ops::Deref, sync::Arc};

use serde_json::{Value as Json, json};

use crate::{
    clients::{
        kafka::{AclFilter, Acls, BrokerSetting, Kafka, KafkaError},
        memory::MemoryCluster,
    },
    framework::{Diagnostics, Import, Outcome, Severity, Stored, Value},
    governance::{acl::Principal, probe::Probed, record::Event, state::State},
    provider::{Acting, Context, Environment},
    resources::testing::{self, nothing, quiet, soon},
};

/// One run of Terraform for environments, as the platform's principal.
struct Run {
    cluster: Arc<MemoryCluster>,
    run: testing::Run,
}

impl Deref for Run {
    type Target = testing::Run;

    fn deref(&self) -> &testing::Run {
        &self.run
    }
}

impl Run {
    fn new() -> Self {
        let cluster = Arc::new(MemoryCluster::new(3));
        // It is in memory that nobody in particular may do everything.
        cluster.set_brokers("super.users", Some(BrokerSetting::Value("User:platform".to_owned())));
        Self::on(&cluster)
    }

    /// A new process on the same cluster, for the platform.
    fn on(cluster: &Arc<MemoryCluster>) -> Self {
        Self::of(cluster, Acting::default())
    }

    fn of(cluster: &Arc<MemoryCluster>, acting: Acting) -> Self {
        let kafka: Arc<dyn Kafka> = cluster.clone();
        let environment = Environment::new("dev", kafka).acting(Arc::new(acting), Some(Principal::user("platform")));
        let run = testing::Run::with(Context::new([environment], None), "environment");
        Self { cluster: cluster.clone(), run }
    }

    fn again(&self) -> Self {
        Self::on(&self.cluster)
    }

    /// A process of the platform for applications.
    fn applications(&self) -> testing::Run {
        testing::Run::on(&self.cluster, "application", Acting::default())
    }

    /// Plans and applies in a process of its own, all of it without a message.
    async fn applied(&self, prior: &Stored, config: &Json) -> Stored {
        let run = self.again();
        let planned = run.plan(prior, config).await;
        quiet(&planned.diagnostics);
        assert_eq!(planned.replace, vec![]);
        let outcome = run.apply(prior, planned.planned, config).await;
        quiet(&outcome.diagnostics);
        outcome.stored
    }

    async fn ended(&self, prior: &Stored) -> Outcome {
        self.again().destroy(prior).await
    }

    async fn import(&self, import: Import<Value>) -> Outcome {
        let imported = self.resource.import(&self.ctx, import).await;
        quiet(&imported.diagnostics);
        self.read(&imported.stored).await
    }

    /// Writes entities into the journal, whoever would have.
    async fn write(&self, entities: &[(&str, Json)]) {
        let entities = entities.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let event = Event { kind: "test.written".to_owned(), entities, ..Event::default() };
        let environment = self.ctx.environment(None).unwrap();
        let decide = move |_: &State, _| Ok::<_, ()>(vec![event.clone()]);
        environment.journal().unwrap().append(environment.claims(), soon(), decide).await.unwrap().unwrap();
        environment.forget_governance().await;
    }

    async fn rules(&self) -> Vec<String> {
        let rules = self.cluster.acls(&AclFilter::default(), soon()).await.unwrap();
        rules.iter().map(ToString::to_string).collect()
    }
}

#[track_caller]
fn told(diagnostics: &Diagnostics, severity: Severity, summary: &str) {
    testing::told(diagnostics, severity, summary, "");
}

/// An environment `pre`, with more.
fn pre(more: &Json) -> Json {
    let mut json = json!({"name": "pre", "platform_principals": ["User:platform"]});
    json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json
}

/// A cluster as the platform's principal sees it, which has these rights.
async fn with_rights(rules: &[&str]) -> (Arc<MemoryCluster>, Run) {
    let cluster = Arc::new(MemoryCluster::new(3));
    allow(&cluster, rules).await;
    let run = Run::on(&Arc::new(cluster.seen_by(Principal::user("platform"))));
    (cluster, run)
}

async fn allow(cluster: &MemoryCluster, rules: &[&str]) {
    let rules: Vec<_> = rules.iter().map(|it| format!("{it}|ALLOW").parse().unwrap()).collect();
    cluster.create_acls(&rules, soon()).await.unwrap();
}

const ALTER: &str = "CLUSTER|LITERAL|kafka-cluster|User:platform|*|ALTER";

/// An application with these principals, and with whatever is on the cluster.
async fn declare(run: &Run, name: &str, principals: &Json) -> Outcome {
    let applications = run.applications();
    let mut config = json!({"name": name, "owner": {"team": "payments"}});
    config.as_object_mut().unwrap().extend(principals.as_object().unwrap().clone());
    let planned = applications.plan(&nothing(), &config).await;
    applications.apply(&nothing(), planned.planned, &config).await
}

/// What a plan on a cluster without an environment would have been.
async fn planned_as(run: &Run, config: &Json) -> Stored {
    let cluster = Run::new();
    assert_eq!(run.cluster.cluster(soon()).await.unwrap().id, cluster.cluster.cluster(soon()).await.unwrap().id);
    cluster.plan(&nothing(), config).await.planned
}

#[tokio::test]
async fn an_environment_is_declared_changed_and_ended() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    let text = |name: &str| stored.state.attribute(name).clone();
    assert_eq!((text("id"), text("environment"), text("status")), ("dev".into(), "dev".into(), "ready".into()));
    assert_eq!((text("cluster_id"), text("enforcement")), ("memory-3".into(), "acl".into()));
    assert_eq!(stored.identity.attribute("cluster_id"), &"memory-3".into());
    for topic in ["_selfserve", "_selfserve.state", "_selfserve.text"] {
        assert!(run.cluster.describe_topic(&topic.parse().unwrap(), soon()).await.unwrap().is_some(), "{topic}");
    }
    let outcome = run.again().read(&stored).await;
    quiet(&outcome.diagnostics);
    assert_eq!(outcome.stored.state, stored.state);
    let plan = run.again().plan(&outcome.stored, &pre(&json!({}))).await;
    quiet(&plan.diagnostics);
    assert_eq!(plan.planned.state, stored.state, "a second plan is empty");

    let changed = pre(&json!({"topics": {"partitions": {"max": 12}}, "stage": "test"}));
    let stored = run.applied(&outcome.stored, &changed).await;
    let outcome = run.again().read(&stored).await;
    assert_eq!(outcome.stored.state, stored.state);

    let ended = run.ended(&stored).await;
    told(&ended.diagnostics, Severity::Warning, "Journal stays");
    let outcome = run.again().read(&stored).await;
    quiet(&outcome.diagnostics);
    assert!(outcome.stored.state.is_null(), "it ended");
    run.applied(&nothing(), &pre(&json!({}))).await;
}

#[tokio::test]
async fn a_second_environment_on_a_cluster_is_refused_naming_the_first() {
    let run = Run::new();
    run.applied(&nothing(), &pre(&json!({}))).await;
    let second = pre(&json!({"name": "pro"}));
    let again = run.again();
    let planned = again.plan(&nothing(), &second).await;
    told(&planned.diagnostics, Severity::Error, "Second environment on a cluster");
    assert!(planned.diagnostics.0[0].detail.contains("`pre`"), "{planned:?}");
    let before = run.rules().await;
    let outcome = again.apply(&nothing(), planned_as(&again, &second).await, &second).await;
    told(&outcome.diagnostics, Severity::Error, "Second environment on a cluster");
    assert_eq!(run.rules().await, before);
    assert!(outcome.stored.state.is_null());
}

/// Rule 1 of Terraform's core: what exists already is a warning in a plan, and an interrupted create is resumed.
#[tokio::test]
async fn an_environment_that_exists_is_a_warning_in_a_plan_unless_it_is_the_same() {
    let run = Run::new();
    run.applied(&nothing(), &pre(&json!({}))).await;
    let other = pre(&json!({"stage": "test"}));
    let again = run.again();
    let planned = again.plan(&nothing(), &other).await;
    told(&planned.diagnostics, Severity::Warning, "Environment exists");
    let outcome = again.apply(&nothing(), planned.planned, &other).await;
    told(&outcome.diagnostics, Severity::Error, "Environment exists");
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    assert_eq!(stored.state.attribute("id"), &"dev".into());
}

#[tokio::test]
async fn an_environment_is_not_renamed() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    let planned = run.again().plan(&stored, &pre(&json!({"name": "pro"}))).await;
    assert!(planned.diagnostics.has_errors(), "{planned:?}");
    assert_eq!(planned.diagnostics.0[0].path, Some("name".into()));
}

#[tokio::test]
async fn what_is_declared_twice_in_one_plan_is_refused() {
    let run = Run::new();
    quiet(&run.plan(&nothing(), &pre(&json!({}))).await.diagnostics);
    let planned = run.plan(&nothing(), &pre(&json!({"name": "pro"}))).await;
    told(&planned.diagnostics, Severity::Error, "Environment planned twice");
}

#[tokio::test]
async fn an_environment_with_applications_does_not_end() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    let application = |status: &str| json!({"form": 1, "incarnation": 1, "spec": {"name": "billing"}, "status": status, "created_at": 1});
    run.write(&[("application/billing", application("ready"))]).await;
    let planned = run.again().plan(&stored, &Json::Null).await;
    told(&planned.diagnostics, Severity::Warning, "Environment in use");
    let outcome = run.ended(&stored).await;
    told(&outcome.diagnostics, Severity::Error, "Environment in use");
    assert!(outcome.diagnostics.0[0].detail.contains("`billing`"));
    run.write(&[("application/billing", application("deleted"))]).await;
    quiet(&run.again().plan(&stored, &Json::Null).await.diagnostics);
    told(&run.ended(&stored).await.diagnostics, Severity::Warning, "Journal stays");
}

/// Rule 11 of governance: a journal that is gone or another one is an error, and never absence.
#[tokio::test]
async fn a_journal_that_is_not_the_one_that_was_is_an_error() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    for topic in ["_selfserve", "_selfserve.state", "_selfserve.text"] {
        run.cluster.delete_topic(&topic.parse().unwrap(), None, soon()).await.unwrap();
    }
    let outcome = run.again().read(&stored).await;
    told(&outcome.diagnostics, Severity::Error, "No journal");
    run.applied(&nothing(), &pre(&json!({}))).await;
    let outcome = run.again().read(&stored).await;
    told(&outcome.diagnostics, Severity::Error, "Journal is not what it was");
    let outcome = run.ended(&stored).await;
    told(&outcome.diagnostics, Severity::Error, "Journal is not what it was");
}

#[tokio::test]
async fn an_environment_that_may_not_be_read_stays_as_it_was() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    let stranger = Run::on(&Arc::new(run.cluster.seen_by(Principal::user("stranger"))));
    let outcome = stranger.read(&stored).await;
    told(&outcome.diagnostics, Severity::Warning, "Environment not refreshed");
    assert_eq!(outcome.stored.state, stored.state);
}

#[tokio::test]
async fn an_import_is_as_good_as_a_creation() {
    let run = Run::new();
    let config = pre(&json!({"topics": {"partitions": {"max": 12}}, "labels": {"region": "eu"}}));
    let stored = run.applied(&nothing(), &config).await;
    let identity = Value::Object(BTreeMap::from([("cluster_id".to_owned(), "memory-3".into())]));
    for import in [Import::Id("dev".to_owned()), Import::Identity(identity)] {
        let outcome = run.again().import(import).await;
        quiet(&outcome.diagnostics);
        assert_eq!(outcome.stored.state, stored.state);
    }
    let plain = Run::new().import(Import::Id("dev".to_owned())).await;
    quiet(&plain.diagnostics);
    assert!(plain.stored.state.is_null(), "there is nothing to import");
}

#[tokio::test]
async fn what_is_changed_elsewhere_is_seen() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    run.applied(&stored, &pre(&json!({"stage": "test"}))).await;
    let outcome = run.again().read(&stored).await;
    assert_eq!(outcome.stored.state.attribute("stage"), &"test".into());
}

/// Rule 1 of governance: who acts for an application decides nothing for the platform.
#[tokio::test]
async fn an_application_does_not_declare_an_environment() {
    let acting = Acting { application: Some("billing".parse().unwrap()), ..Acting::default() };
    let run = Run::of(&Arc::new(MemoryCluster::new(3)), acting);
    let planned = run.plan(&nothing(), &pre(&json!({}))).await;
    told(&planned.diagnostics, Severity::Error, "Not yours to decide");
    let planned = planned_as(&run, &pre(&json!({}))).await;
    let outcome = run.apply(&nothing(), planned, &pre(&json!({}))).await;
    told(&outcome.diagnostics, Severity::Error, "Not yours to decide");
    assert_eq!(run.rules().await, Vec::<String>::new());
}

#[tokio::test]
async fn the_id_waits_for_the_environment() {
    let planned = Run::new().plan(&nothing(), &pre(&json!({}))).await;
    assert!(planned.planned.state.attribute("id").is_unknown(), "what refers to it is judged by rules that are there");
    assert_eq!(planned.planned.state.attribute("environment"), &"dev".into());
}

/// Rule 20: that nobody does what is to be done is told in every plan.
#[tokio::test]
async fn an_environment_that_nobody_reconciles_is_told() {
    let run = Run::new();
    let declared = json!({ "name": "dev", "reconcile_within_seconds": 3600 });
    let stored = run.applied(&Stored::default(), &declared).await;
    quiet(&run.again().read(&stored).await.diagnostics);
    let governed = run.governed();
    let age = |state: &State, _| {
        let mut environment = serde_json::to_value(state.environment().unwrap()).unwrap();
        environment["created_at"] = 1.into();
        environment["form"] = 1.into();
        let entities = BTreeMap::from([("environment".to_owned(), environment)]);
        Ok::<_, ()>(vec![Event { kind: "environment.declared".to_owned(), entities, ..Event::default() }])
    };
    governed.journal().append(crate::clients::journal::Claims::default(), soon(), age).await.unwrap().unwrap();
    let seen = run.again().read(&stored).await;
    testing::told(&seen.diagnostics, Severity::Warning, "Reconciliation is late", "terraform-provider-kafka reconcile");
}

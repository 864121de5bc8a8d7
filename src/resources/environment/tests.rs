//! The resource on a cluster in memory, asked as Terraform asks.

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

/// Rule 14 of governance: the transactional id has its rule before it is first used.
#[tokio::test]
async fn the_journal_is_the_platforms_before_it_is_used() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    let calls = run.cluster.calls();
    let first = |call: &str| calls.iter().position(|it| *it == call).unwrap();
    assert!(first("create_acls") < first("take_lease"), "{calls:?}");
    let lease = "TRANSACTIONAL_ID|LITERAL|_selfserve.lease|User:platform|*|WRITE|ALLOW".to_owned();
    let write = "TOPIC|LITERAL|_selfserve.text|User:platform|*|WRITE|ALLOW".to_owned();
    let rules = run.rules().await;
    assert!(rules.contains(&lease) && rules.contains(&write), "{rules:?}");

    let two = pre(&json!({"platform_principals": ["User:platform", "User:other"]}));
    let stored = run.applied(&stored, &two).await;
    assert_eq!(run.rules().await.len(), 2 * rules.len());
    run.applied(&stored, &pre(&json!({}))).await;
    assert_eq!(run.rules().await, rules, "who is the platform no more has no rights");
}

#[tokio::test]
async fn everybody_may_ask_where_there_is_an_inbox_and_nobody_afterwards() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    let (inbox, before) = ("_selfserve.inbox".parse().unwrap(), run.rules().await);
    assert_eq!(run.cluster.describe_topic(&inbox, soon()).await.unwrap().map(|it| it.name), None);
    let open = run.applied(&stored, &pre(&json!({"inbox": true}))).await;
    let made = run.cluster.describe_topic(&inbox, soon()).await.unwrap().unwrap();
    assert_eq!(made.config.unwrap()["retention.bytes"].value.as_deref(), Some("67108864"));
    let rules = run.rules().await;
    let new: Vec<_> = rules.iter().filter(|it| !before.contains(it)).collect();
    let expected =
        ["TOPIC|LITERAL|_selfserve.inbox|User:*|*|WRITE|ALLOW", "TOPIC|LITERAL|_selfserve.state|User:*|*|READ|ALLOW"];
    assert_eq!(new, expected);
    run.applied(&open, &pre(&json!({"inbox": false}))).await;
    assert_eq!(run.rules().await, before);
    assert!(run.cluster.describe_topic(&inbox, soon()).await.unwrap().is_some(), "what was asked is not lost");
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

/// What a plan on a cluster without an environment would have been.
async fn planned_as(run: &Run, config: &Json) -> Stored {
    let cluster = Run::new();
    assert_eq!(run.cluster.cluster(soon()).await.unwrap().id, cluster.cluster.cluster(soon()).await.unwrap().id);
    cluster.plan(&nothing(), config).await.planned
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
async fn what_breaks_new_rules_is_warned_about_and_they_are_applied() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    let application = json!({
        "form": 1, "incarnation": 1, "spec": {"name": "billing", "prefixes": {"topic": ["billing."]}}, "status": "ready",
        "created_at": 1,
    });
    let topic = json!({"form": 1, "application": "billing", "partitions": 24, "status": "created", "created_at": 1});
    run.write(&[("application/billing", application), ("topic/billing.orders", topic)]).await;
    let tighter = pre(&json!({"topics": {"partitions": {"max": 12}}}));
    let again = run.again();
    let planned = again.plan(&stored, &tighter).await;
    told(&planned.diagnostics, Severity::Warning, "Existing objects break the new rules");
    assert!(planned.diagnostics.0[0].detail.contains("billing.orders"), "{planned:?}");
    let outcome = again.apply(&stored, planned.planned, &tighter).await;
    quiet(&outcome.diagnostics);
    quiet(&run.again().plan(&outcome.stored, &tighter).await.diagnostics);
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

#[tokio::test]
async fn contradictory_rules_are_told_at_their_attributes_without_a_cluster() {
    let run = Run::new();
    let wrong = pre(&json!({
        "naming": {"topic": "{application}.{domain}"}, "topics": {"partitions": {"min": 6, "max": 3}},
    }));
    let report = run.validate(&wrong);
    let paths: Vec<_> = report.0.iter().map(|it| it.path.as_ref().unwrap().to_string()).collect();
    assert_eq!(paths, ["naming.topic", "topics.partitions.min"]);
    assert!(report.has_errors());
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

/// Rule 17 of governance: what is not enforced is said.
#[tokio::test]
async fn a_cluster_without_authorizer_works_with_a_warning() {
    let run = Run::new();
    run.cluster.remove_authorizer();
    let planned = run.plan(&nothing(), &pre(&json!({}))).await;
    told(&planned.diagnostics, Severity::Warning, "Cluster is not as it should be");
    let outcome = run.apply(&nothing(), planned.planned, &pre(&json!({}))).await;
    quiet(&outcome.diagnostics);
    assert_eq!(outcome.stored.state.attribute("enforcement"), &"none".into());
    quiet(&run.again().read(&outcome.stored).await.diagnostics);
    let said = pre(&json!({"enforcement": "none"}));
    quiet(&Run::on(&open_cluster()).plan(&nothing(), &said).await.diagnostics);
}

fn open_cluster() -> Arc<MemoryCluster> {
    let res = Arc::new(MemoryCluster::new(3));
    res.remove_authorizer();
    res
}

#[tokio::test]
async fn a_plan_tells_what_is_wrong_with_the_cluster() {
    let run = Run::new();
    run.cluster.set_brokers("auto.create.topics.enable", Some(BrokerSetting::Value("true".to_owned())));
    let planned = run.plan(&nothing(), &pre(&json!({}))).await;
    told(&planned.diagnostics, Severity::Warning, "Cluster is not as it should be");
    assert!(planned.diagnostics.0[0].detail.contains("auto.create.topics.enable"), "{planned:?}");
}

#[tokio::test]
async fn the_id_waits_for_the_environment() {
    let planned = Run::new().plan(&nothing(), &pre(&json!({}))).await;
    assert!(planned.planned.state.attribute("id").is_unknown(), "what refers to it is judged by rules that are there");
    assert_eq!(planned.planned.state.attribute("environment"), &"dev".into());
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
const CREATE: &str = "CLUSTER|LITERAL|kafka-cluster|User:platform|*|CREATE";

#[tokio::test]
async fn rights_that_are_missing_are_told_and_what_was_begun_is_finished() {
    for (has, lacks) in [(&[][..], "ALTER the cluster"), (&[ALTER], "CREATE topic `_selfserve`")] {
        let (cluster, run) = with_rights(has).await;
        let config = pre(&json!({}));
        let planned = run.plan(&nothing(), &config).await;
        assert!(!planned.diagnostics.has_errors(), "a plan needs no right: {planned:?}");
        let outcome = run.apply(&nothing(), planned.planned, &config).await;
        told(&outcome.diagnostics, Severity::Error, "Not permitted by Kafka");
        assert!(outcome.diagnostics.0[0].detail.contains(lacks), "{outcome:?}");
        assert!(outcome.stored.state.is_null());
        allow(&cluster, &[ALTER, CREATE]).await;
        let again = run.again();
        let planned = again.plan(&nothing(), &config).await;
        let outcome = again.apply(&nothing(), planned.planned, &config).await;
        quiet(&outcome.diagnostics);
    }
}

#[tokio::test]
async fn a_journal_of_which_topics_are_missing_is_finished() {
    let create = |it: &str| format!("TOPIC|LITERAL|{it}|User:platform|*|CREATE");
    let (first, second) = (create("_selfserve"), create("_selfserve.state"));
    let (cluster, run) = with_rights(&[ALTER, &first, &second]).await;
    let config = pre(&json!({}));
    let planned = run.plan(&nothing(), &config).await;
    let outcome = run.apply(&nothing(), planned.planned, &config).await;
    told(&outcome.diagnostics, Severity::Error, "Not permitted by Kafka");
    assert!(cluster.describe_topic(&"_selfserve.state".parse().unwrap(), soon()).await.unwrap().is_some());
    allow(&cluster, &[CREATE]).await;
    let again = run.again();
    let planned = again.plan(&nothing(), &config).await;
    assert!(!planned.diagnostics.has_errors(), "{planned:?}");
    quiet(&again.apply(&nothing(), planned.planned, &config).await.diagnostics);
}

#[tokio::test]
async fn who_applies_does_not_lock_itself_out() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    let planned = run.again().plan(&stored, &pre(&json!({"platform_principals": ["User:other"]}))).await;
    told(&planned.diagnostics, Severity::Error, "Caller would lock itself out");
    assert_eq!(planned.diagnostics.0[0].path, Some("platform_principals".into()));
    let other = json!({"platform_principals": ["User:other"], "super_users": ["User:platform"]});
    quiet(&run.again().plan(&stored, &pre(&other)).await.diagnostics);
}

#[tokio::test]
async fn who_is_not_the_platform_declares_no_environment() {
    let (others, unnamed) = (pre(&json!({"platform_principals": ["User:other"]})), json!({"name": "pre"}));
    let run = Run::new();
    quiet(&run.plan(&nothing(), &others).await.diagnostics);
    run.cluster.set_brokers("super.users", None);
    let planned = run.again().plan(&nothing(), &others).await;
    told(&planned.diagnostics, Severity::Error, "Caller is not the platform");
    let outcome = run.apply(&nothing(), planned_as(&run, &others).await, &others).await;
    told(&outcome.diagnostics, Severity::Error, "Caller is not the platform");
    assert_eq!(run.rules().await, Vec::<String>::new());
    let stored = run.applied(&nothing(), &unnamed).await;
    let planned = run.again().plan(&stored, &others).await;
    told(&planned.diagnostics, Severity::Error, "Caller is not the platform");
}

/// An application with these principals, and with whatever is on the cluster.
async fn declare(run: &Run, name: &str, principals: &Json) -> Outcome {
    let applications = run.applications();
    let mut config = json!({"name": name, "owner": {"team": "payments"}});
    config.as_object_mut().unwrap().extend(principals.as_object().unwrap().clone());
    let planned = applications.plan(&nothing(), &config).await;
    applications.apply(&nothing(), planned.planned, &config).await
}

#[tokio::test]
async fn principals_of_applications_are_not_the_platforms() {
    let run = Run::new();
    let unnamed = json!({"name": "pre"});
    let stored = run.applied(&nothing(), &unnamed).await;
    let outcome = declare(&run, "billing", &json!({"principals": ["User:platform"]})).await;
    told(&outcome.diagnostics, Severity::Error, "Principal refused");
    let outcome = declare(&run, "billing", &json!({"principals": ["User:b"], "deployers": ["User:ci"]})).await;
    quiet(&outcome.diagnostics);
    for (attribute, principal) in
        [("platform_principals", "User:b"), ("super_users", "User:ci"), ("broker_principals", "User:b")]
    {
        let mut changed = json!({"name": "pre", "platform_principals": ["User:platform"]});
        let mut principals = vec![Json::from("User:platform")];
        principals.push(principal.into());
        changed[attribute] = principals.into();
        let again = run.again();
        let planned = again.plan(&stored, &changed).await;
        told(&planned.diagnostics, Severity::Error, "Principal of an application");
        assert!(planned.diagnostics.0[0].detail.contains("`billing`"), "{planned:?}");
        assert!(planned.diagnostics.0[0].path.as_ref().unwrap().to_string().starts_with(attribute), "{planned:?}");
        let outcome = again.apply(&stored, planned.planned, &changed).await;
        told(&outcome.diagnostics, Severity::Error, "Principal of an application");
    }
}

/// The operations on topics that a principal is given under its prefix.
async fn given(run: &Run, principal: &str) -> Vec<String> {
    let about = format!("TOPIC|PREFIXED|billing.|{principal}|*|");
    let operations = run.rules().await.into_iter().filter_map(|it| it.strip_prefix(&about).map(str::to_owned));
    operations.map(|it| it.trim_end_matches("|ALLOW").to_owned()).collect()
}

#[tokio::test]
async fn other_rights_of_deployers_are_made_for_applications_that_are_there() {
    let run = Run::new();
    let config = |rights: &str| pre(&json!({"deployer_rights": rights}));
    let stored = run.applied(&nothing(), &config("direct")).await;
    quiet(&declare(&run, "billing", &json!({"deployers": ["User:ci"]})).await.diagnostics);
    let direct = ["CREATE", "DELETE", "ALTER", "ALTER_CONFIGS"];
    let is = |found: Vec<String>, expected: &[&str]| {
        let mut expected: Vec<_> = expected.to_vec();
        let mut found: Vec<_> = found.iter().map(String::as_str).collect();
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected);
    };
    is(given(&run, "User:ci").await, &direct);
    let stored = run.applied(&stored, &config("mailbox")).await;
    is(given(&run, "User:ci").await, &["DESCRIBE", "DESCRIBE_CONFIGS"]);
    run.applied(&stored, &config("direct")).await;
    is(given(&run, "User:ci").await, &direct);
}

#[tokio::test]
async fn applications_whose_rights_could_not_be_made_anew_are_told_and_mended_by_their_own_apply() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({"enforcement": "none"}))).await;
    let application = declare(&run, "billing", &json!({"principals": ["User:b"]})).await;
    quiet(&application.diagnostics);
    let acl = pre(&json!({"enforcement": "acl"}));
    let again = run.again();
    let planned = again.plan(&stored, &acl).await;
    quiet(&planned.diagnostics);
    run.cluster.fail("acls", KafkaError::Deadline("reading ACLs".to_owned()));
    let outcome = again.apply(&stored, planned.planned, &acl).await;
    let told_of: Vec<_> =
        outcome.diagnostics.0.iter().filter(|it| it.summary == "Rights are not as the rules say").collect();
    assert!(
        matches!(&told_of[..], [it] if it.severity == Severity::Warning && it.detail.contains("`billing`")
        && it.detail.contains("reconcile")),
        "{outcome:?}"
    );
    assert_eq!(given(&run, "User:b").await, Vec::<String>::new());

    let applications = run.again().applications();
    let seen = applications.read(&application.stored).await;
    told(&seen.diagnostics, Severity::Warning, "Rights are not as the rules say");
    assert_eq!(seen.stored.state.attribute("status"), &"drifted".into());
    let config = json!({"name": "billing", "owner": {"team": "payments"}, "principals": ["User:b"]});
    applications.applied(&seen.stored, &config).await;
    assert_eq!(given(&run, "User:b").await.len(), 2);
    quiet(&applications.read(&seen.stored).await.diagnostics);
}

#[tokio::test]
async fn rules_that_are_left_behind_are_told() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    quiet(&declare(&run, "billing", &json!({"principals": ["User:b"]})).await.diagnostics);
    let planned = run.again().plan(&stored, &pre(&json!({"enforcement": "external"}))).await;
    told(&planned.diagnostics, Severity::Warning, "ACLs stay");
}

/// Rule 17 of governance: rules that nobody enforces are not called enforced.
#[tokio::test(start_paused = true)]
async fn rules_that_the_brokers_do_not_follow_are_told_in_the_apply_and_remembered() {
    let run = Run::new();
    run.cluster.set_brokers("super.users", Some(BrokerSetting::Value("User:other".to_owned())));
    run.cluster.ignore_rules();
    let config = pre(&json!({}));
    let planned = run.plan(&Stored::default(), &config).await;
    let outcome = run.apply(&Stored::default(), planned.planned, &config).await;
    told(&outcome.diagnostics, Severity::Warning, "Rights are not enforced");
    let governance = run.ctx.environment(None).unwrap().governance(soon()).await.unwrap().unwrap();
    let probe = governance.snapshot.state.environment().unwrap().probe.unwrap();
    assert_eq!(probe.found, Probed::Ignored);
    assert!(run.rules().await.iter().all(|it| !it.contains("_selfserve.probe")), "what was tried with is removed");
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

#[tokio::test]
async fn rules_for_configuration_that_kafka_does_not_take_are_told_at_their_keys() {
    let run = Run::new();
    let config = |rules: Json| pre(&json!({"topics": {"config": rules}}));
    for (rules, severity, summary, path) in [
        (
            json!({"retention.mss": {"max": 5}}),
            Severity::Error,
            "Configuration key unknown to Kafka",
            r#"["retention.mss"]"#,
        ),
        (
            json!({"retention.mss": {"allowed": false}}),
            Severity::Error,
            "Configuration key unknown to Kafka",
            r#"["retention.mss"]"#,
        ),
        (
            json!({"cleanup.policy": {"default": "never"}, "retention.ms": {"default": "5"}}),
            Severity::Error,
            "Default refused by Kafka",
            r#"["cleanup.policy"].default"#,
        ),
        (
            json!({"cleanup.policy": {"one_of": ["delete", "never"]}}),
            Severity::Warning,
            "Value refused by Kafka",
            r#"["cleanup.policy"]"#,
        ),
    ] {
        let (wrong, again) = (config(rules), run.again());
        let planned = again.plan(&nothing(), &wrong).await;
        told(&planned.diagnostics, severity, summary);
        assert_eq!(planned.diagnostics.0[0].path.as_ref().unwrap().to_string(), format!("topics.config{path}"));
        if severity == Severity::Error {
            let outcome = again.apply(&nothing(), planned.planned, &wrong).await;
            told(&outcome.diagnostics, severity, summary);
            assert_eq!(run.rules().await, Vec::<String>::new(), "nothing was made");
        }
    }
    let right = config(json!({"cleanup.policy": {"one_of": ["delete"]}, "retention.ms": {"max": 5}}));
    let stored = run.applied(&nothing(), &right).await;
    let wrong = config(json!({"retention.mss": {"max": 5}}));
    let planned = run.again().plan(&stored, &wrong).await;
    told(&planned.diagnostics, Severity::Error, "Configuration key unknown to Kafka");
    let (_, blind) = with_rights(&[ALTER]).await;
    assert!(!blind.plan(&nothing(), &wrong).await.diagnostics.has_errors(), "who may not try it is told nothing");
}

#[tokio::test]
async fn configuration_that_breaks_new_rules_is_looked_at_on_the_cluster() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    quiet(&declare(&run, "billing", &json!({})).await.diagnostics);
    let topics = testing::Run::on(&run.cluster, "topic", Acting::default());
    let topic = json!({"name": "billing.orders", "partitions": 1, "config": {"retention.ms": "9000"}});
    topics.applied(&nothing(), &topic).await;
    let tighter = pre(&json!({"topics": {"config": {"retention.ms": {"max": 5000}}}}));
    let planned = run.again().plan(&stored, &tighter).await;
    told(&planned.diagnostics, Severity::Warning, "Existing objects break the new rules");
    assert!(planned.diagnostics.0[0].detail.contains("`retention.ms` is `9000`"), "{planned:?}");
    run.cluster.fail("describe_topic", KafkaError::Deadline("describing".to_owned()));
    let planned = run.again().plan(&stored, &tighter).await;
    told(&planned.diagnostics, Severity::Warning, "Configuration not checked");
}

//! The resource on a governed cluster in memory.

mod deployers;
mod newcomers;
mod rejecting;
mod replacing;
mod subjects;

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::{
    clients::{
        kafka::{AclFilter, Acls, ConsumerGroup, Kafka, KafkaError, Log, QuotaEntity, Quotas},
        memory::MemoryCluster,
    },
    framework::{PlanResponse, Severity, Stored, Value},
    governance::{
        acl::{AclBinding, Principal},
        command::ApplicationRequest,
        mailbox::MailboxOf,
        policy::{AclMode, ApplicationApproval, Approval, Policy},
        probe::Probed,
        request::RequestId,
        topic::{TopicName, TopicSpec},
    },
    provider::Acting,
    resources::testing::{Run, change_policy, governed_by, nothing, quiet, soon, told},
};

async fn governed_cluster() -> Arc<MemoryCluster> {
    governed_by(Policy::default()).await
}

fn platform(cluster: &Arc<MemoryCluster>) -> Run {
    Run::on(cluster, "application", Acting::default())
}

fn team(cluster: &Arc<MemoryCluster>, application: &str) -> Run {
    let acting = Acting { application: Some(application.parse().unwrap()), ..Acting::default() };
    Run::on(cluster, "application", acting)
}

fn billing() -> Json {
    json!({
        "name": "billing", "owner": { "team": "payments" }, "principals": ["User:billing"],
        "client_quota": { "producer_byte_rate_per_broker": 1000 },
    })
}

async fn rules(cluster: &MemoryCluster) -> Vec<AclBinding> {
    cluster.acls(&AclFilter::default(), soon()).await.unwrap()
}

fn status(stored: &Stored) -> &Value {
    stored.state.attribute("status")
}

#[tokio::test]
async fn an_application_gets_its_rights_and_loses_them_with_its_end() {
    let cluster = governed_cluster().await;
    let stored = platform(&cluster).applied(&nothing(), &billing()).await;
    assert_eq!((stored.state.attribute("id"), status(&stored)), (&"dev/billing".into(), &"ready".into()));
    let own = Principal::user("billing");
    let made = rules(&cluster).await;
    assert!(
        !made.is_empty() && made.iter().all(|it| it.principal == own && it.resource_name == "billing."),
        "{made:?}"
    );
    let seen = platform(&cluster).read(&stored).await;
    quiet(&seen.diagnostics);
    assert_eq!(seen.stored.state, stored.state);
    let again = platform(&cluster).plan(&stored, &billing()).await;
    quiet(&again.diagnostics);
    assert_eq!(again.planned.state, stored.state);
    let gone = platform(&cluster).destroy(&stored).await;
    quiet(&gone.diagnostics);
    assert_eq!((gone.stored.state, rules(&cluster).await), (Value::Null, vec![]));
    assert_eq!(platform(&cluster).read(&stored).await.stored.state, Value::Null);
}

#[tokio::test]
async fn rights_that_somebody_removed_are_told_and_made_again() {
    let cluster = governed_cluster().await;
    let stored = platform(&cluster).applied(&nothing(), &billing()).await;
    let before = rules(&cluster).await;
    cluster.delete_acls(&before[..1], soon()).await.unwrap();
    let seen = platform(&cluster).read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Rights removed outside", &before[0].to_string());
    assert_eq!(status(&seen.stored), &"drifted".into());
    let stored = platform(&cluster).applied(&seen.stored, &billing()).await;
    assert_eq!((status(&stored), rules(&cluster).await), (&"ready".into(), before));
}

#[tokio::test]
async fn quotas_that_somebody_changed_are_told_and_set_again() {
    let cluster = governed_cluster().await;
    let stored = platform(&cluster).applied(&nothing(), &billing()).await;
    let user = QuotaEntity::user("billing");
    let before = cluster.quota(&user, soon()).await.unwrap();
    assert_eq!(before.get("producer_byte_rate"), Some(&1000.0));
    let changes = [("producer_byte_rate".to_owned(), Some(9999.0)), ("consumer_byte_rate".to_owned(), Some(1.0))];
    cluster.alter_quota(&user, &changes.into(), soon()).await.unwrap();
    let seen = platform(&cluster).read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Quotas changed outside", "`billing`");
    assert_eq!(status(&seen.stored), &"drifted".into());
    let stored = platform(&cluster).applied(&seen.stored, &billing()).await;
    assert_eq!((status(&stored), cluster.quota(&user, soon()).await.unwrap()), (&"ready".into(), before));
    quiet(&platform(&cluster).read(&stored).await.diagnostics);
}

/// Rule 23 of governance: two declare the quota of one user, and each undoes the other's.
#[tokio::test]
async fn a_quota_that_somebody_else_set_is_not_taken_over_unless_it_is_the_same() {
    let cluster = governed_cluster().await;
    let user = QuotaEntity::user("billing");
    let set = async |key: &str, limit| {
        cluster.alter_quota(&user, &[(key.to_owned(), limit)].into(), soon()).await.unwrap();
    };
    let refused = async |limit: &str| {
        let planned = platform(&cluster).plan(&nothing(), &billing()).await;
        told(&planned.diagnostics, Severity::Warning, "Quota set by somebody else", limit);
        assert_eq!(planned.diagnostics.0[0].path.as_ref().unwrap().to_string(), "client_quota");
        let outcome = platform(&cluster).apply(&nothing(), planned.planned, &billing()).await;
        told(&outcome.diagnostics, Severity::Error, "Quota set by somebody else", limit);
        assert_eq!(outcome.stored.state, Value::Null);
    };
    set("producer_byte_rate", Some(500.0)).await;
    refused("user=billing has producer_byte_rate = 500").await;
    set("producer_byte_rate", Some(1000.0)).await;
    set("consumer_byte_rate", Some(7.0)).await;
    refused("user=billing has consumer_byte_rate = 7").await;
    assert_eq!(cluster.quota(&user, soon()).await.unwrap().len(), 2, "what is refused changes nothing");

    set("consumer_byte_rate", None).await;
    let stored = platform(&cluster).applied(&nothing(), &billing()).await;
    assert_eq!(status(&stored), &"ready".into());
    quiet(&platform(&cluster).plan(&stored, &billing()).await.diagnostics);
}

/// Only a missing right leaves open whether the rights are there: whatever else keeps them from being seen must be told.
#[tokio::test]
async fn rights_that_cannot_be_seen_are_told() {
    let cluster = governed_cluster().await;
    let stored = platform(&cluster).applied(&nothing(), &billing()).await;
    let seen = Arc::new(cluster.seen_by(reader(&cluster).await));
    let outcome = platform(&seen).read(&stored).await;
    let open: Vec<_> = outcome.diagnostics.0.iter().map(|it| (it.severity, it.summary.as_str())).collect();
    assert_eq!(open, [(Severity::Warning, "Rights not refreshed"); 2], "rules and quotas");
    assert_eq!(outcome.stored.state, stored.state);
    cluster.fail("refresh_acls", KafkaError::Deadline("reading ACLs".to_owned()));
    let outcome = platform(&cluster).read(&stored).await;
    told(&outcome.diagnostics, Severity::Error, "Time is up", "");
    assert_eq!(outcome.stored, stored);
}

/// Somebody who may read topics, those of the journal too, and nothing else.
async fn reader(cluster: &MemoryCluster) -> Principal {
    let rules = ["TOPIC|LITERAL|*|User:reader|*|DESCRIBE|ALLOW", "TOPIC|LITERAL|*|User:reader|*|READ|ALLOW"];
    let rules: Vec<AclBinding> = rules.iter().map(|it| it.parse().unwrap()).collect();
    cluster.create_acls(&rules, soon()).await.unwrap();
    Principal::user("reader")
}

#[tokio::test]
async fn another_applications_prefix_is_refused_in_the_plan_with_its_owner() {
    let cluster = governed_cluster().await;
    platform(&cluster).applied(&nothing(), &billing()).await;
    for prefix in ["billing.", "billing.deep."] {
        let other = json!({
            "name": "other", "owner": { "team": "x" }, "prefixes": { "topic": [prefix], "group": ["other."],
            "transactional_id": ["other."], "subject": ["other."], "connector": ["other."] },
        });
        let plan = platform(&cluster).plan(&nothing(), &other).await;
        assert!(plan.diagnostics.has_errors(), "{prefix}");
        assert!(plan.diagnostics.0.iter().any(|it| it.detail.contains("`billing`")), "{:?}", plan.diagnostics);
    }
}

#[tokio::test]
async fn a_principal_that_belongs_to_another_is_refused_in_the_plan() {
    let cluster = governed_cluster().await;
    platform(&cluster).applied(&nothing(), &billing()).await;
    let other = json!({ "name": "other", "owner": { "team": "x" }, "principals": ["User:billing", "User:*"] });
    let plan = platform(&cluster).plan(&nothing(), &other).await;
    assert_eq!(plan.diagnostics.0.len(), 2, "{:?}", plan.diagnostics);
}

async fn with_old_topic(cluster: &MemoryCluster) {
    let spec = TopicSpec {
        name: "billing.old".parse().unwrap(),
        partitions: Some(1),
        replication_factor: Some(1),
        config: BTreeMap::new(),
    };
    cluster.create_topic(&spec, soon()).await.unwrap();
}

/// Rule 5 of governance: on an open cluster, a first rule locks out whoever used what was everybody's.
#[tokio::test]
async fn an_application_that_would_close_topics_of_everybody_is_refused_in_plan_and_apply() {
    let open = |acl_mode| Policy { acl_mode, ..Policy::default() };
    let cluster = governed_by(open(AclMode::Open)).await;
    with_old_topic(&cluster).await;
    let mut adopting = billing();
    adopting["on_existing"] = "adopt".into();
    let plan = platform(&cluster).plan(&nothing(), &adopting).await;
    told(&plan.diagnostics, Severity::Error, "Rules would close existing objects", "`billing.old`");
    let outcome = platform(&cluster).apply(&nothing(), plan.planned, &adopting).await;
    told(&outcome.diagnostics, Severity::Error, "Rules would close existing objects", "`acl_mode = \"closing\"`");
    assert_eq!((outcome.stored.state, rules(&cluster).await), (Value::Null, vec![]));
    change_policy(&cluster, open(AclMode::Closing)).await;
    let stored = platform(&cluster).applied(&nothing(), &adopting).await;
    assert_eq!(status(&stored), &"ready".into());
    change_policy(&cluster, open(AclMode::Open)).await;
    adopting["principals"] = json!(["User:billing", "User:second"]);
    platform(&cluster).applied(&stored, &adopting).await;
}

#[tokio::test]
async fn an_application_over_topics_of_nobody_asks_to_adopt_them() {
    let cluster = governed_cluster().await;
    with_old_topic(&cluster).await;
    let plan = platform(&cluster).plan(&nothing(), &billing()).await;
    assert!(plan.diagnostics.0.iter().any(|it| it.detail.contains("`billing.old`")), "{:?}", plan.diagnostics);
    let mut adopting = billing();
    adopting["on_existing"] = "adopt".into();
    let stored = platform(&cluster).applied(&nothing(), &adopting).await;
    assert_eq!(status(&stored), &"ready".into());
}

/// What must be adopted before it can be claimed.
fn claims_refused(plan: &PlanResponse) -> Vec<&str> {
    let refused = plan.diagnostics.0.iter().filter(|it| it.summary == "Prefix covers existing objects");
    refused.map(|it| it.detail.as_str()).collect()
}

#[tokio::test]
async fn an_application_over_groups_and_transactional_ids_of_nobody_asks_to_adopt_them() {
    let cluster = governed_cluster().await;
    for id in ["billing.readers", "sales.readers"] {
        cluster.add_group(group(id));
    }
    cluster.take_lease("billing.writer", soon()).await.unwrap();
    let plan = platform(&cluster).plan(&nothing(), &billing()).await;
    let refused = claims_refused(&plan);
    assert_eq!(refused.len(), 2, "{plan:?}");
    assert!(refused[0].contains("groups under `billing.` that nobody owns: `billing.readers`."), "{refused:?}");
    assert!(refused[1].contains("transactional ids") && refused[1].contains("`billing.writer`"), "{refused:?}");
    let mut adopting = billing();
    adopting["on_existing"] = "adopt".into();
    let stored = platform(&cluster).applied(&nothing(), &adopting).await;
    // What is its own is not looked for again.
    let asked = cluster.calls().len();
    let mut changed = billing();
    changed["description"] = "Bills.".into();
    platform(&cluster).applied(&stored, &changed).await;
    assert!(!cluster.calls()[asked..].contains(&"group_names"));
}

/// Brokers leave out what the caller may not see, without a word.
#[tokio::test]
async fn who_may_not_see_all_groups_is_told_that_they_were_not_looked_for() {
    let cluster = governed_cluster().await;
    cluster.add_group(group("billing.readers"));
    let seen = Arc::new(cluster.seen_by(reader(&cluster).await));
    let plan = platform(&seen).plan(&nothing(), &billing()).await;
    told(&plan.diagnostics, Severity::Warning, "Existing names not looked for", "groups");
}

fn group(id: &str) -> ConsumerGroup {
    ConsumerGroup { id: id.to_owned(), state: "Empty".to_owned(), coordinator: 1, members: vec![] }
}

#[tokio::test]
async fn where_approval_is_demanded_a_teams_application_waits_and_the_platform_makes_it_ready() {
    let approval = Approval { applications: ApplicationApproval::Platform, ..Approval::default() };
    let cluster = governed_by(Policy { approval, ..Policy::default() }).await;
    let run = team(&cluster, "billing");
    let planned = run.plan(&nothing(), &billing()).await;
    let outcome = run.apply(&nothing(), planned.planned, &billing()).await;
    told(&outcome.diagnostics, Severity::Warning, "Application pending", "`billing`");
    assert_eq!((status(&outcome.stored), rules(&cluster).await), (&"pending".into(), vec![]));
    assert_eq!(request_id(&outcome.stored), first_request());
    let again = team(&cluster, "billing").plan(&outcome.stored, &billing()).await;
    assert_eq!(again.planned.state, outcome.stored.state, "to wait is no change");
}

fn request_id(stored: &Stored) -> Value {
    stored.state.attribute("request_id").clone()
}

/// The request of the first life of `billing`.
fn first_request() -> Value {
    RequestId::of_application("billing".parse().unwrap(), 1).to_string().as_str().into()
}

#[tokio::test]
async fn what_a_team_changes_and_the_platform_must_agree_to_is_told() {
    let cluster = governed_cluster().await;
    let stored = platform(&cluster).applied(&nothing(), &billing()).await;
    let approval = Approval { applications: ApplicationApproval::Platform, ..Approval::default() };
    change_policy(&cluster, Policy { approval, ..Policy::default() }).await;
    let mut more = billing();
    more["principals"] = json!(["User:billing", "User:billing-2"]);
    more["prefixes"] = json!({ "topic": ["billing.", "bills."] });
    let run = team(&cluster, "billing");
    let planned = run.plan(&stored, &more).await;
    told(&planned.diagnostics, Severity::Warning, "Change pending", "in `principals` and `prefixes` waits");
    let before = rules(&cluster).await;
    let outcome = run.apply(&stored, planned.planned, &more).await;
    told(&outcome.diagnostics, Severity::Warning, "Change pending", "in `principals` and `prefixes` waits");
    assert_eq!((status(&outcome.stored), rules(&cluster).await), (&"ready".into(), before));
    assert_eq!((request_id(&stored), request_id(&outcome.stored)), (Value::Null, first_request()));
    // It waits, and nothing is to be done until the platform declares the same.
    let seen = team(&cluster, "billing").read(&outcome.stored).await;
    let again = team(&cluster, "billing").plan(&seen.stored, &more).await;
    assert_eq!(again.planned.state, outcome.stored.state);
    told(&again.diagnostics, Severity::Warning, "Change pending", "`principals`");
    let agreed = platform(&cluster).plan(&seen.stored, &more).await;
    quiet(&agreed.diagnostics);
    // What gives no rights holds at once.
    let mut described = billing();
    described["labels"] = json!({ "tier": "gold" });
    team(&cluster, "billing").applied(&seen.stored, &described).await;
}

#[tokio::test]
async fn a_create_that_was_interrupted_is_resumed() {
    let cluster = governed_cluster().await;
    let run = platform(&cluster);
    let governed = run.governed();
    let spec = crate::governance::application::ApplicationSpec {
        team: "payments".to_owned(),
        principals: [Principal::user("billing")].into(),
        ..crate::governance::application::ApplicationSpec::new("billing".parse().unwrap())
    };
    let request = Command::DeclareApplication(Box::new(ApplicationRequest::new(spec)));
    governed.command(request, soon()).await.unwrap();
    assert_eq!(rules(&cluster).await, vec![]);
    let stored = platform(&cluster).applied(&nothing(), &billing()).await;
    assert_eq!(status(&stored), &"ready".into());
    assert!(!rules(&cluster).await.is_empty());
}

#[tokio::test]
async fn an_application_of_an_undeclared_environment_waits_for_it() {
    let cluster = Arc::new(MemoryCluster::new(1));
    let run = platform(&cluster);
    let planned = run.plan(&nothing(), &billing()).await;
    told(&planned.diagnostics, Severity::Warning, "No environment declared", "`kafka_environment`");
    let outcome = run.apply(&nothing(), planned.planned, &billing()).await;
    told(&outcome.diagnostics, Severity::Error, "No journal", "");
    assert_eq!(outcome.stored.state, Value::Null);
}

#[tokio::test]
async fn an_import_finds_what_is_there() {
    let cluster = governed_cluster().await;
    let mut written = billing();
    written["description"] = "Bills.".into();
    let stored = platform(&cluster).applied(&nothing(), &written).await;
    let imported = platform(&cluster).import("dev/billing").await;
    quiet(&imported.diagnostics);
    let seen = platform(&cluster).read(&imported.stored).await;
    quiet(&seen.diagnostics);
    assert_eq!(seen.stored.state, stored.state);
}

#[tokio::test]
async fn a_prefix_goes_to_another_application_in_two_steps_with_its_rights() {
    let cluster = governed_cluster().await;
    let sales = json!({ "name": "sales", "owner": { "team": "sellers" }, "principals": ["User:sales"] });
    let giver = platform(&cluster).applied(&nothing(), &billing()).await;
    let taker = platform(&cluster).applied(&nothing(), &sales).await;
    let mut offering = billing();
    offering["transfer"] = json!({ "to": "sales", "prefixes": { "topic": ["billing."] } });
    let giver = platform(&cluster).applied(&giver, &offering).await;
    let mut taking = sales.clone();
    taking["take_over_from"] = json!(["billing"]);
    let taker = platform(&cluster).applied(&taker, &taking).await;
    let again = platform(&cluster).plan(&taker, &taking).await;
    quiet(&again.diagnostics);
    assert_eq!(again.planned.state, taker.state);
    let on_topics = |it: &&AclBinding| it.resource_type == crate::governance::acl::ResourceType::Topic;
    let owners: Vec<_> = rules(&cluster).await.iter().filter(on_topics).map(|it| it.principal.to_string()).collect();
    assert!(owners.iter().all(|it| it == "User:sales"), "what was given away is not used any more: {owners:?}");
    // Afterwards the lines of the transfer may go.
    let seen = platform(&cluster).read(&giver).await;
    quiet(&seen.diagnostics);
    let giver = platform(&cluster).applied(&seen.stored, &billing()).await;
    assert_eq!(status(&giver), &"ready".into());
    platform(&cluster).applied(&taker, &sales).await;
}

/// Rule 17 of governance: rules that nobody enforces are not called enforced.
#[tokio::test]
async fn an_application_says_that_its_rights_are_not_enforced_where_that_was_found() {
    let cluster = governed_cluster().await;
    let found = Command::MarkEnforcement(Probed::Ignored);
    platform(&cluster).governed().command(found, soon()).await.unwrap();
    let run = platform(&cluster);
    let planned = run.plan(&nothing(), &billing()).await;
    let outcome = run.apply(&nothing(), planned.planned, &billing()).await;
    told(&outcome.diagnostics, Severity::Warning, "Rights are not enforced", "ownership holds in plans alone");
}

/// The run that deleted a topic was killed before it could say so, and its state has nothing of the topic any more.
#[tokio::test]
async fn a_topic_whose_deletion_could_not_be_told_is_in_the_way_of_nobody() {
    let cluster = governed_cluster().await;
    let application = platform(&cluster).applied(&nothing(), &billing()).await;
    let topic = || Run::on(&cluster, "topic", Acting::default());
    let orders = json!({ "name": "billing.orders" });
    let name: TopicName = "billing.orders".parse().unwrap();
    let governed = topic().governed();
    for _ in 0..2 {
        // It is made again under its name.
        topic().applied(&nothing(), &orders).await;
        governed.command(Command::DeleteTopic(name.clone().into()), soon()).await.unwrap();
        let destroyed = platform(&cluster).destroy(&application).await;
        assert!(destroyed.diagnostics.has_errors(), "the topic is still there");
        cluster.delete_topic(&name, None, soon()).await.unwrap();
    }
    quiet(&platform(&cluster).destroy(&application).await.diagnostics);
}

/// What nobody here made is not removed, and not silent either.
#[tokio::test]
async fn rules_that_somebody_added_are_told_one_by_one_and_stay() {
    let cluster = governed_cluster().await;
    let stored = platform(&cluster).applied(&nothing(), &billing()).await;
    let strange = [
        "TOPIC|LITERAL|billing.a|User:billing|*|READ|DENY",
        "TOPIC|PREFIXED|billing.|User:stranger|*|READ|ALLOW",
        "TOPIC|PREFIXED|bill|User:*|*|WRITE|ALLOW",
        "TOPIC|LITERAL|orders.x|User:billing|*|READ|ALLOW",
    ];
    let harmless =
        ["TOPIC|LITERAL|orders.x|User:stranger|*|READ|ALLOW", "TOPIC|LITERAL|billing.a|User:billing|*|DESCRIBE|ALLOW"];
    let added: Vec<AclBinding> = strange.iter().chain(&harmless).map(|it| it.parse().unwrap()).collect();
    cluster.create_acls(&added, soon()).await.unwrap();
    let before = rules(&cluster).await;
    let seen = platform(&cluster).read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Rules of others", "");
    let detail = &seen.diagnostics.0[0].detail;
    assert!(strange.iter().all(|it| detail.contains(it)), "{detail}");
    assert!(!harmless.iter().any(|it| detail.contains(it)), "{detail}");
    assert_eq!(status(&seen.stored), &"ready".into());
    platform(&cluster).applied(&seen.stored, &billing()).await;
    assert_eq!(rules(&cluster).await, before);
}

/// Applications of one plan, in which the journal knows neither.
#[tokio::test]
async fn what_two_applications_of_one_plan_claim_is_told_in_the_plan() {
    let cluster = governed_cluster().await;
    let run = platform(&cluster);
    quiet(&run.plan(&nothing(), &billing()).await.diagnostics);
    let mut other = json!({
        "name": "bills", "owner": { "team": "x" }, "principals": ["User:bills"], "prefixes": { "topic": ["billing.x."] },
    });
    let planned = run.plan(&nothing(), &other).await;
    told(&planned.diagnostics, Severity::Error, "Prefix planned twice", "`billing.x.` overlaps with `billing.`");
    other["prefixes"] = json!({ "topic": ["bills."] });
    other["principals"] = json!(["User:billing"]);
    let planned = run.plan(&nothing(), &other).await;
    told(&planned.diagnostics, Severity::Error, "Principal planned twice", "`User:billing`");
    other["principals"] = json!(["User:bills"]);
    quiet(&run.plan(&nothing(), &other).await.diagnostics);
    // Core plans each object once more before it is made.
    quiet(&run.plan(&nothing(), &billing()).await.diagnostics);
}

#[tokio::test]
async fn a_transfer_without_another_side_is_told_in_the_plan() {
    let cluster = governed_cluster().await;
    platform(&cluster).applied(&nothing(), &billing()).await;
    let mut taker = json!({ "name": "shop", "owner": { "team": "x" }, "take_over_from": ["billing"] });
    let planned = platform(&cluster).plan(&nothing(), &taker).await;
    told(&planned.diagnostics, Severity::Warning, "Nothing offered", "`billing` offers nothing to `shop`");
    taker["take_over_from"] = Json::Null;
    taker["transfer"] = json!({ "to": "billing", "prefixes": { "topic": ["strange."] } });
    let planned = platform(&cluster).plan(&nothing(), &taker).await;
    told(&planned.diagnostics, Severity::Warning, "Prefix not owned", "`strange.`");
    taker["transfer"]["prefixes"]["topic"] = json!(["shop."]);
    quiet(&platform(&cluster).plan(&nothing(), &taker).await.diagnostics);
}

//! Rules on a cluster in memory.

mod governed;

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::super::testing::{Run, governed_by, nothing, quiet, soon, told};
use crate::{
    clients::{
        kafka::{AclFilter, Acls, Kafka, KafkaError},
        memory::MemoryCluster,
    },
    framework::{Diagnostics, Import, PlanRequest, Severity, Stored, Value},
    governance::{
        acl::{AclBinding, Principal},
        policy::Policy,
    },
    provider::{Acting, Context, Environment},
};

fn cluster() -> Arc<MemoryCluster> {
    Arc::new(MemoryCluster::new(1))
}

fn run(cluster: &Arc<MemoryCluster>) -> Run {
    Run::on(cluster, "acl", Acting::default())
}

/// A run as somebody whom rules concern.
fn run_as(cluster: &Arc<MemoryCluster>, principal: &str) -> Run {
    let principal: Principal = principal.parse().unwrap();
    let kafka: Arc<dyn Kafka> = Arc::new(cluster.seen_by(principal.clone()));
    let environment = Environment::new("dev", kafka).acting(Arc::default(), Some(principal));
    Run::with(Context::new([environment], None), "acl")
}

fn orders(principals: &[&str], operations: &[&str]) -> Json {
    json!({
        "resource_type": "topic", "resource_name": "orders", "principals": principals, "operations": operations,
    })
}

async fn rules(cluster: &Arc<MemoryCluster>) -> Vec<String> {
    let found = cluster.acls(&AclFilter::default(), soon()).await.unwrap();
    found.iter().map(ToString::to_string).collect()
}

fn rule(principal: &str, operation: &str) -> String {
    format!("TOPIC|LITERAL|orders|User:{principal}|*|{operation}|ALLOW")
}

fn binding(text: &str) -> AclBinding {
    text.parse().unwrap()
}

fn principals(stored: &Stored) -> Vec<String> {
    let Value::Set(items) = stored.state.attribute("principals") else { return Vec::new() };
    items.iter().filter_map(|it| if let Value::String(it) = it { Some(it.clone()) } else { None }).collect()
}

fn summaries(diagnostics: &Diagnostics) -> Vec<String> {
    let at = |path: &Option<_>| path.as_ref().map(ToString::to_string).unwrap_or_default();
    diagnostics.0.iter().map(|it| format!("{} {}", at(&it.path), it.summary)).collect()
}

#[tokio::test]
async fn rules_live_from_create_to_destroy() {
    let cluster = cluster();
    let config = orders(&["User:a", "User:b"], &["READ", "describe"]);
    let created = run(&cluster).applied(&nothing(), &config).await;
    assert_eq!(rules(&cluster).await.len(), 4);
    let id = "dev/TOPIC|LITERAL|orders|User:a;User:b|*|READ;DESCRIBE|ALLOW";
    assert_eq!(created.state.attribute("id"), &id.into());
    let read = run(&cluster).read(&created).await;
    quiet(&read.diagnostics);
    assert_eq!(read.stored.state, created.state);
    let again = run(&cluster).plan(&read.stored, &config).await;
    quiet(&again.diagnostics);
    assert_eq!(again.planned.state, created.state);
    quiet(&run(&cluster).destroy(&created).await.diagnostics);
    assert_eq!(rules(&cluster).await, Vec::<String>::new());
    quiet(&run(&cluster).destroy(&created).await.diagnostics);
}

#[tokio::test]
async fn a_change_adds_before_it_removes_and_leaves_the_rest_alone() {
    let cluster = cluster();
    let created = run(&cluster).applied(&nothing(), &orders(&["User:a", "User:b"], &["READ"])).await;
    let foreign = binding(&rule("x", "READ"));
    cluster.add_rules([foreign]);
    let calls = cluster.calls().len();
    let changed = run(&cluster).applied(&created, &orders(&["User:b", "User:c"], &["READ"])).await;
    assert_eq!(rules(&cluster).await, [rule("b", "READ"), rule("c", "READ"), rule("x", "READ")]);
    let order: Vec<_> = cluster.calls().split_off(calls).into_iter().filter(|it| it.ends_with("e_acls")).collect();
    assert_eq!(order, ["create_acls", "delete_acls"]);
    let moved = json!({
        "resource_type": "topic", "resource_name": "parcels", "pattern_type": "prefixed", "permission": "deny",
        "host": "10.0.0.1", "principals": ["User:b"], "operations": ["WRITE"],
    });
    run(&cluster).applied(&changed, &moved).await;
    let there = ["TOPIC|PREFIXED|parcels|User:b|10.0.0.1|WRITE|DENY".to_owned()];
    assert_eq!(rules(&cluster).await, [&[rule("x", "READ")], &there[..]].concat());
}

/// Rule 7 of Terraform's core: a partial loss is no product of sets.
#[tokio::test]
async fn a_principal_that_misses_a_rule_gets_all_of_its_own_again() {
    let cluster = cluster();
    let config = orders(&["User:a", "User:b"], &["READ", "WRITE"]);
    let created = run(&cluster).applied(&nothing(), &config).await;
    cluster.delete_acls(&[binding(&rule("a", "READ"))], soon()).await.unwrap();
    let seen = run(&cluster).read(&created).await.stored;
    assert_eq!(principals(&seen), ["User:b"]);
    let seen = run(&cluster).read(&seen).await.stored;
    assert_eq!(principals(&seen), ["User:b"], "a second look remembers");
    let mended = run(&cluster).applied(&seen, &config).await;
    assert_eq!((rules(&cluster).await.len(), mended.state), (4, created.state.clone()));

    cluster.delete_acls(&[binding(&rule("a", "READ"))], soon()).await.unwrap();
    let seen = run(&cluster).read(&created).await.stored;
    let (run, less) = (run(&cluster), orders(&["User:b"], &["READ"]));
    let planned = run.plan(&seen, &less).await.planned;
    quiet(&run.apply(&seen, planned, &less).await.diagnostics);
    assert_eq!(rules(&cluster).await, [rule("b", "READ")], "what the other one had left is removed, too");
}

#[tokio::test]
async fn what_a_principal_has_left_goes_when_nobody_lists_it_any_more() {
    let cluster = cluster();
    let created = run(&cluster).applied(&nothing(), &orders(&["User:a", "User:b"], &["READ", "WRITE"])).await;
    cluster.delete_acls(&[binding(&rule("a", "READ"))], soon()).await.unwrap();
    let config = orders(&["User:b"], &["READ", "WRITE"]);
    let planning = run(&cluster);
    let seen = planning.read(&created).await.stored;
    let planned = planning.plan(&seen, &config).await;
    told(&planned.diagnostics, Severity::Warning, "Rules left of a principal", "`User:a`");
    assert_ne!(planned.planned.state, seen.state, "there is something to do");
    let outcome = planning.apply(&seen, planned.planned, &config).await;
    quiet(&outcome.diagnostics);
    assert_eq!(rules(&cluster).await, [rule("b", "READ"), rule("b", "WRITE")]);
    let seen = run(&cluster).read(&outcome.stored).await.stored;
    assert_eq!(run(&cluster).plan(&seen, &config).await.planned.state, seen.state);

    // One that lost all of its rules has nothing left.
    let gone = [binding(&rule("b", "READ")), binding(&rule("b", "WRITE"))];
    let config = orders(&["User:b", "User:c"], &["READ", "WRITE"]);
    let both = run(&cluster).applied(&seen, &config).await;
    cluster.delete_acls(&gone, soon()).await.unwrap();
    let seen = run(&cluster).read(&both).await.stored;
    let planned = run(&cluster).plan(&seen, &orders(&["User:c"], &["READ", "WRITE"])).await;
    quiet(&planned.diagnostics);
    assert_eq!(planned.planned.state, seen.state);
}

#[tokio::test]
async fn what_somebody_mended_is_as_it_was() {
    let cluster = cluster();
    let created = run(&cluster).applied(&nothing(), &orders(&["User:a"], &["READ", "WRITE"])).await;
    cluster.delete_acls(&[binding(&rule("a", "READ"))], soon()).await.unwrap();
    let seen = run(&cluster).read(&created).await.stored;
    assert_eq!(principals(&seen), Vec::<String>::new());
    cluster.add_rules([binding(&rule("a", "READ"))]);
    assert_eq!(run(&cluster).read(&seen).await.stored.state, created.state);
}

#[tokio::test]
async fn rules_are_gone_only_when_the_cluster_says_so() {
    let cluster = cluster();
    let created = run(&cluster).applied(&nothing(), &orders(&["User:a"], &["READ"])).await;
    let denied = run_as(&cluster, "User:ci").read(&created).await;
    told(&denied.diagnostics, Severity::Warning, "ACLs not refreshed", "DESCRIBE");
    assert_eq!(denied.stored.state, created.state);
    cluster.fail_next(KafkaError::Deadline("x".to_owned()));
    assert!(run(&cluster).read(&created).await.diagnostics.has_errors());
    cluster.delete_acls(&[binding(&rule("a", "READ"))], soon()).await.unwrap();
    assert_eq!(run(&cluster).read(&created).await.stored.state, Value::Null);
}

#[tokio::test]
async fn imports_by_identifier_and_by_identity_are_as_good_as_creation() {
    let cluster = cluster();
    let config = orders(&["User:CN=a/b,O=c", "User:b"], &["READ", "WRITE"]);
    let created = run(&cluster).applied(&nothing(), &config).await;
    let Value::String(id) = created.state.attribute("id").clone() else { unreachable!("it is told") };
    for id in [id.as_str(), id.strip_prefix("dev/").unwrap()] {
        let imported = run(&cluster).import(id).await;
        quiet(&imported.diagnostics);
        let read = run(&cluster).read(&imported.stored).await;
        quiet(&read.diagnostics);
        assert_eq!(read.stored.state, created.state, "{id}");
    }
    let run = run(&cluster);
    let imported = run.resource.import(&run.ctx, Import::Identity(created.identity.clone())).await;
    quiet(&imported.diagnostics);
    assert_eq!(run.read(&imported.stored).await.stored.state, created.state);
    let wrong = run.import("orders").await;
    assert_eq!(wrong.diagnostics.0[0].summary, "Invalid kafka_acl identifier");
}

#[test]
fn what_is_wrong_is_told_at_its_attribute_all_at_once() {
    let run = run(&cluster());
    let told = |config: &Json| summaries(&run.validate(config));
    let many: Vec<String> = (0..5_001).map(|it| format!("User:{it}")).collect();
    let cases = [
        (orders(&["billing"], &["READ"]), vec!["principals[…] Invalid principal"]),
        (orders(&["User:a"], &["REED"]), vec!["operations[…] Unknown operation"]),
        (orders(&[], &[]), vec!["operations Nothing declared", "principals Nothing declared"]),
        (
            json!({"resource_type": "cluster", "resource_name": "dev", "principals": ["User:a"], "operations": ["READ"]}),
            vec!["resource_name Invalid resource name", "operations[…] Operation of another kind"],
        ),
        (
            json!({"resource_type": "topic", "resource_name": "a", "principals": many, "operations": ["READ", "WRITE"]}),
            vec!["principals Too many rules"],
        ),
        (
            json!({"resource_type": "topic", "resource_name": "a"}),
            vec!["principals Missing value", "operations Missing value"],
        ),
        (
            json!({
                "resource_type": "topic", "resource_name": "a", "principals": ["User:a"], "acl_principal": "User:a",
                "acl_operation": "Alter", "acl_host": "host.example.org",
            }),
            vec!["acl_principal Written twice", "acl_host Rule without effect"],
        ),
        (
            json!({
                "resource_type": "Group", "resource_name": "a", "acl_principal": "User:a", "acl_operation": "Write",
            }),
            vec!["acl_operation Operation of another kind"],
        ),
    ];
    for (config, expected) in cases {
        assert_eq!(told(&config), expected, "{config}");
    }
}

#[tokio::test]
async fn a_cluster_without_authorizer_is_told_in_the_plan_and_refuses_in_apply() {
    let cluster = cluster();
    cluster.remove_authorizer();
    let run = run(&cluster);
    let config = orders(&["User:a"], &["READ"]);
    let planned = run.plan(&nothing(), &config).await;
    told(&planned.diagnostics, Severity::Warning, "No authorizer", "`authorizer.class.name`");
    let outcome = run.apply(&nothing(), planned.planned, &config).await;
    told(&outcome.diagnostics, Severity::Error, "No authorizer", "`authorizer.class.name`");
    assert_eq!(outcome.stored.state, Value::Null);
}

#[tokio::test]
async fn who_may_not_alter_the_cluster_is_told_in_the_plan_and_refused_in_apply() {
    let cluster = cluster();
    cluster.add_rules([binding("CLUSTER|LITERAL|kafka-cluster|User:ci|*|DESCRIBE|ALLOW")]);
    let run = run_as(&cluster, "User:ci");
    let config = orders(&["User:a"], &["READ"]);
    let planned = run.plan(&nothing(), &config).await;
    told(&planned.diagnostics, Severity::Warning, "ACLs not permitted", "ALTER the cluster");
    let outcome = run.apply(&nothing(), planned.planned, &config).await;
    told(&outcome.diagnostics, Severity::Error, "Not permitted by Kafka", "ALTER the cluster");
}

#[tokio::test]
async fn nobody_takes_from_itself_the_right_to_change_rules() {
    let cluster = cluster();
    let own = json!({
        "resource_type": "cluster", "resource_name": "kafka-cluster", "principals": ["User:ci"],
        "operations": ["ALTER", "DESCRIBE"],
    });
    let created = run(&cluster).applied(&nothing(), &own).await;
    let run = run_as(&cluster, "User:ci");
    let summary = "Own right would be lost";
    told(&run.plan_end(&created).await.diagnostics, Severity::Error, summary, "`User:ci`");
    let mut less = own.clone();
    less["operations"] = json!(["DESCRIBE"]);
    told(&run.plan(&created, &less).await.diagnostics, Severity::Error, summary, "`User:ci`");
    let mut deny = own;
    deny["permission"] = json!("deny");
    deny["principals"] = json!(["User:*"]);
    told(&run.plan(&nothing(), &deny).await.diagnostics, Severity::Error, summary, "`User:ci`");

    // A replacement removes before it makes.
    let run = run_as(&cluster, "User:ci");
    told(&run.destroy(&created).await.diagnostics, Severity::Error, summary, "`create_before_destroy`");
    assert_eq!(rules(&cluster).await.len(), 2);
}

#[tokio::test]
async fn two_resources_do_not_take_together_what_each_would_leave() {
    let cluster = cluster();
    let cluster_rules = |operation: &str, more: Json| {
        let mut res = json!({
            "resource_type": "cluster", "resource_name": "kafka-cluster", "principals": ["User:ci"],
            "operations": [operation],
        });
        res.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        res
    };
    let one = run(&cluster).applied(&nothing(), &cluster_rules("ALTER", json!({}))).await;
    let two = run(&cluster).applied(&nothing(), &cluster_rules("ALL", json!({}))).await;
    let run = run_as(&cluster, "User:ci");
    quiet(&run.plan_end(&one).await.diagnostics);
    let summary = "Own right would be lost";
    told(&run.plan_end(&two).await.diagnostics, Severity::Error, summary, "`User:ci`");
    let run = run_as(&cluster, "User:ci");
    quiet(&run.destroy(&one).await.diagnostics);
    told(&run.destroy(&two).await.diagnostics, Severity::Error, summary, "`User:ci`");

    let deny = cluster_rules("ALTER", json!({ "permission": "deny", "host": "10.0.0.1" }));
    let planned = run_as(&cluster, "User:ci").plan(&nothing(), &deny).await;
    told(&planned.diagnostics, Severity::Warning, "Own right depends on the address", "`User:ci`");
}

#[tokio::test]
async fn rules_that_two_resources_have_are_told_and_survive_the_end_of_one_in_the_same_run() {
    let cluster = cluster();
    let (one, two) = (orders(&["User:a"], &["READ"]), orders(&["User:a"], &["READ", "WRITE"]));
    let created = run(&cluster).applied(&nothing(), &one).await;
    let planning = run(&cluster);
    quiet(&planning.plan(&created, &one).await.diagnostics);
    let shared = planning.plan(&nothing(), &two).await;
    told(&shared.diagnostics, Severity::Warning, "Rules declared twice", &rule("a", "READ"));
    let same = planning.plan(&nothing(), &one).await;
    told(&same.diagnostics, Severity::Error, "ACL planned twice", "`removed` block");

    // One run makes the wider one and ends the narrower one, in whichever order.
    let applying = run(&cluster);
    let merged = applying.applied(&nothing(), &two).await;
    quiet(&applying.destroy(&created).await.diagnostics);
    assert_eq!(rules(&cluster).await, [rule("a", "READ"), rule("a", "WRITE")]);
    quiet(&run(&cluster).destroy(&merged).await.diagnostics);
    let created = run(&cluster).applied(&nothing(), &one).await;
    let applying = run(&cluster);
    quiet(&applying.destroy(&created).await.diagnostics);
    applying.applied(&nothing(), &two).await;
    assert_eq!(rules(&cluster).await, [rule("a", "READ"), rule("a", "WRITE")]);
}

/// What a block was, another one becomes in the same run: so it is where `count` numbers blocks, and one comes before them.
#[tokio::test]
async fn rules_that_go_from_one_resource_to_a_new_one_stay_in_whichever_order() {
    for governed in [false, true] {
        for order in 0..4 {
            let cluster = if governed { governed_by(Policy::default()).await } else { cluster() };
            let (was, becomes) = (orders(&["User:a"], &["READ", "WRITE"]), orders(&["User:b"], &["READ", "WRITE"]));
            let old = run(&cluster).applied(&nothing(), &was).await;
            let foreign: Vec<_> = rules(&cluster).await.into_iter().filter(|it| !it.contains("|orders|")).collect();
            let (applying, none) = (run(&cluster), nothing());
            let (changed, moved) = match order {
                0 => (applying.applied(&old, &becomes).await, applying.applied(&nothing(), &was).await),
                1 => {
                    let moved = applying.applied(&nothing(), &was).await;
                    (applying.applied(&old, &becomes).await, moved)
                }
                2 => {
                    let planned = applying.plan(&nothing(), &was).await.planned;
                    let changed = applying.applied(&old, &becomes).await;
                    (changed, applying.apply(&nothing(), planned, &was).await.stored)
                }
                _ => tokio::join!(applying.applied(&old, &becomes), applying.applied(&none, &was)),
            };
            let all = [rule("a", "READ"), rule("a", "WRITE"), rule("b", "READ"), rule("b", "WRITE")];
            let own = |it: Vec<String>| it.into_iter().filter(|it| it.contains("|orders|")).collect::<Vec<_>>();
            assert_eq!(own(rules(&cluster).await), all, "governed: {governed}, order {order}");
            quiet(&run(&cluster).destroy(&changed).await.diagnostics);
            assert_eq!(own(rules(&cluster).await), all[..2], "governed: {governed}, order {order}");
            quiet(&run(&cluster).destroy(&moved).await.diagnostics);
            assert_eq!(rules(&cluster).await, foreign, "governed: {governed}, order {order}");
        }
    }
}

#[tokio::test]
async fn other_names_of_attributes_give_the_same_rules() {
    let cluster = cluster();
    let config = json!({
        "resource_type": "Topic", "resource_name": "orders", "acl_principal": "User:a", "acl_operation": "Read",
        "acl_permission_type": "Allow", "acl_host": "*", "resource_pattern_type_filter": "Literal",
    });
    let created = run(&cluster).applied(&nothing(), &config).await;
    assert_eq!(rules(&cluster).await, [rule("a", "READ")]);
    let read = run(&cluster).read(&created).await.stored;
    let again = run(&cluster).plan(&read, &config).await;
    assert_eq!(again.planned.state, created.state);
    let calls = cluster.calls().len();
    let modern = run(&cluster).applied(&read, &orders(&["User:a"], &["READ"])).await;
    let written = cluster.calls().split_off(calls).into_iter().any(|it| it.ends_with("e_acls"));
    assert!(!written, "other words for the same rules change nothing");
    assert_eq!(principals(&modern), ["User:a"]);
}

/// Rule 18 of Terraform's core: state of another provider of the same type is of a lower schema version, and its names
/// stay in the configuration.
#[tokio::test]
async fn state_of_another_provider_goes_on_without_a_change() {
    let cluster = cluster();
    cluster.add_rules([binding(&rule("a", "READ"))]);
    let config = json!({
        "resource_type": "Topic", "resource_name": "orders", "acl_principal": "User:a", "acl_operation": "Read",
        "acl_permission_type": "Allow", "acl_host": "*", "resource_pattern_type_filter": "Literal",
    });
    let first = run(&cluster);
    let state = first.resource.upgrade(1, config.clone()).unwrap();
    let stored = Stored { state, ..Stored::default() };
    let mut elsewhere = config.clone();
    elsewhere["environment"] = json!("dev");
    for config in [&config, &elsewhere] {
        let planned = run(&cluster).plan(&stored, config).await;
        told(&planned.diagnostics, Severity::Error, "State was never refreshed", "without `-refresh=false`");
    }
    let hidden = Run::on(&Arc::new(cluster.seen_by(Principal::user("nobody"))), "acl", Acting::default());
    let unseen = hidden.read(&stored).await;
    told(&unseen.diagnostics, Severity::Warning, "ACLs not refreshed", "as it was stored");
    let read = first.read(&stored).await;
    quiet(&read.diagnostics);
    assert_eq!(unseen.stored.state, read.stored.state, "where it is was no question");
    let mut without_default = config.clone();
    without_default.as_object_mut().unwrap().remove("resource_pattern_type_filter");
    for config in [config, without_default] {
        let planned = run(&cluster).plan(&read.stored, &config).await;
        quiet(&planned.diagnostics);
        assert_eq!(planned.planned.state, read.stored.state);
    }
}

#[tokio::test]
async fn five_thousand_rules_are_one_resource() {
    let cluster = cluster();
    let names: Vec<String> = (0..2_500).map(|it| format!("User:{it}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let config = orders(&names, &["READ", "WRITE"]);
    let created = run(&cluster).applied(&nothing(), &config).await;
    let read = run(&cluster).read(&created).await.stored;
    let again = run(&cluster).plan(&read, &config).await;
    assert_eq!((rules(&cluster).await.len(), again.planned.state), (5_000, created.state.clone()));
    quiet(&run(&cluster).destroy(&created).await.diagnostics);
    assert_eq!(rules(&cluster).await.len(), 0);
}

/// What another resource of the run makes may be any part of a set.
#[tokio::test]
async fn an_element_that_is_not_known_yet_is_planned_as_it_is_declared() {
    let cluster = cluster();
    let stored = run(&cluster).applied(&nothing(), &orders(&["User:a"], &["READ"])).await;
    for prior in [nothing(), stored] {
        for name in ["principals", "operations"] {
            let run = run(&cluster);
            let mut config = run.config(&orders(&["User:a"], &["READ"]));
            let Value::Object(parts) = &mut config else { unreachable!("a configuration is an object") };
            let Value::Set(known) = &parts[name] else { unreachable!("a set") };
            let known = known.iter().next().unwrap().clone();
            let declared = Value::set([known, Value::UNKNOWN]);
            parts.insert(name.to_owned(), declared.clone());
            let planned = run.resource.plan(&run.ctx, PlanRequest { prior: prior.clone(), config }).await;
            quiet(&planned.diagnostics);
            assert_eq!(planned.planned.state.attribute(name), &declared);
            assert_eq!(planned.planned.state.attribute("id"), &Value::UNKNOWN);
        }
    }
}

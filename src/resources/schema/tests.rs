//! The resource on a registry in memory, which answers as Confluent's does.

mod granted;
mod keeping;
mod leave;
mod settings;

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::{
    clients::{memory::MemoryCluster, registry::fake::FakeRegistry},
    framework::{Diagnostics, Nested, Optional, PlanRequest, Required, Severity, Stored, Value},
    governance::{
        policy::{Compatibility, Policy, SchemaPolicy, SubjectNaming},
        subject::SubjectName,
    },
    provider::{Acting, Context, Environment},
    resources::{
        schema::{ReferenceModel, SchemaModel},
        testing::{Run, change_policy, governed_by, nothing, quiet, told},
    },
};

const ORDER: &str = r#"{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"string"}]}"#;

/// The schema with another field that has a default.
fn with_field(name: &str) -> String {
    ORDER.replace("}]}", &format!("}},{{\"name\":\"{name}\",\"type\":\"int\",\"default\":0}}]}}"))
}

fn order(schema: &str) -> Json {
    json!({ "subject": "orders-value", "schema": schema })
}

/// The same, with more attributes.
fn with(config: &Json, more: &Json) -> Json {
    let mut res = config.clone();
    res.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    res
}

fn run_on(cluster: &Arc<MemoryCluster>, registry: &FakeRegistry, acting: Acting) -> Run {
    let environment =
        Environment::new("dev", cluster.clone() as _).acting(Arc::new(acting), None).beside(registry.services());
    Run::with(Context::new([environment], None), "schema")
}

/// A new process beside a cluster that nobody governs.
fn run(registry: &FakeRegistry) -> Run {
    run_on(&Arc::new(MemoryCluster::new(1)), registry, Acting::default())
}

fn numbers(stored: &Stored) -> (Value, Value) {
    (stored.state.attribute("version").clone(), stored.state.attribute("schema_id").clone())
}

fn summaries(diagnostics: &Diagnostics) -> Vec<&str> {
    diagnostics.0.iter().map(|it| it.summary.as_str()).collect()
}

/// Has the plan change nothing.
async fn plans_nothing(registry: &FakeRegistry, stored: &Stored, config: &Json) {
    let planned = run(registry).plan(stored, config).await;
    quiet(&planned.diagnostics);
    assert_eq!(planned.planned.state, stored.state);
}

#[tokio::test]
async fn a_schema_lives_from_its_first_version_to_its_end() {
    let registry = FakeRegistry::start().await;
    let first = run(&registry).applied(&nothing(), &order(ORDER)).await;
    assert_eq!(numbers(&first), (Value::from(1), Value::from(1)));
    assert_eq!(first.state.attribute("id"), &"dev/orders-value".into());
    let seen = run(&registry).read(&first).await;
    quiet(&seen.diagnostics);
    assert_eq!(seen.stored.state, first.state);
    plans_nothing(&registry, &first, &order(ORDER)).await;

    let planned = run(&registry).plan(&first, &order(&with_field("a"))).await;
    quiet(&planned.diagnostics);
    assert_eq!(numbers(&planned.planned), (Value::UNKNOWN, Value::UNKNOWN));
    let second = run(&registry).applied(&first, &order(&with_field("a"))).await;
    assert_eq!(numbers(&second), (Value::from(2), Value::from(2)));

    quiet(&run(&registry).destroy(&second).await.diagnostics);
    assert_eq!(registry.does("GET", "/subjects", &json!({})), json!([]));
    assert_eq!(registry.does("GET", "/subjects?deleted=true", &json!({})), json!(["orders-value"]));
    assert_eq!(run(&registry).read(&second).await.stored.state, Value::Null);
}

/// Rule 25 of Terraform's core: numbers are unknown only where they change, and what means the same is no change.
#[tokio::test]
async fn what_means_the_same_is_no_change() {
    let registry = FakeRegistry::start().await;
    let stored = run(&registry).applied(&nothing(), &order(ORDER)).await;
    let spelled = ORDER.replace(r#""name":"Order","namespace":"shop""#, r#""name": "shop.Order""#);
    plans_nothing(&registry, &stored, &order(&spelled)).await;
    let planned = run(&registry).plan(&stored, &with(&order(&spelled), &json!({ "compatibility": "FULL" }))).await;
    assert_eq!(numbers(&planned.planned), numbers(&stored), "a setting is no version");
    let documented = ORDER.replace(r#""fields""#, r#""doc":"x","fields""#);
    let planned = run(&registry).plan(&stored, &order(&documented)).await;
    told(&planned.diagnostics, Severity::Warning, "Only the documentation changes", "carry another id");
    assert_eq!(numbers(&planned.planned).0, Value::UNKNOWN);
}

#[tokio::test]
async fn references_are_registered_with_the_schema_and_a_change_of_them_alone_is_a_version() {
    let registry = FakeRegistry::start().await;
    let line = json!({ "subject": "line", "schema": r#"{"type":"record","name":"Line","fields":[]}"# });
    run(&registry).applied(&nothing(), &line).await;
    let second = json!({ "subject": "line", "schema": r#"{"type":"record","name":"Line","fields":[],"x":1}"# });
    registry.does("POST", "/subjects/line/versions", &with(&second, &json!({ "schemaType": "AVRO" })));
    let referring = |version: Json| {
        let reference = json!({ "name": "Line", "subject": "line", "version": version });
        json!({ "subject": "list", "schema": r#"{"type":"array","items":"Line"}"#, "references": [reference] })
    };
    let first = run(&registry).applied(&nothing(), &referring(json!(1))).await;
    plans_nothing(&registry, &first, &referring(json!(1))).await;
    let second = run(&registry).applied(&first, &referring(json!(2))).await;
    assert_eq!((numbers(&first).0, numbers(&second).0), (Value::from(1), Value::from(2)));
    let missing = run(&registry).plan(&second, &referring(json!(7))).await;
    told(&missing.diagnostics, Severity::Warning, "Reference is missing", "no version 7 of `line`");
    let failed = run(&registry).apply(&second, missing.planned, &referring(json!(7))).await;
    told(&failed.diagnostics, Severity::Error, "Schema refused by the registry", "Correct the schema");
}

/// Neither what is left out nor the order means anything, and a plan has what is written all the same.
#[tokio::test]
async fn references_that_are_written_otherwise_are_no_version() {
    let registry = FakeRegistry::start().await;
    let stored = run(&registry).applied(&nothing(), &order(ORDER)).await;
    let none = with(&order(ORDER), &json!({ "references": [] }));
    let emptied = run(&registry).applied(&stored, &none).await;
    plans_nothing(&registry, &emptied, &none).await;
    assert_eq!(numbers(&run(&registry).applied(&emptied, &order(ORDER)).await), numbers(&stored));

    let reference = |name: &str| json!({ "name": name, "subject": name, "version": 1 });
    for name in ["A", "B"] {
        let schema = format!(r#"{{"type":"record","name":"{name}","fields":[]}}"#);
        registry.does("POST", &format!("/subjects/{name}/versions"), &json!({ "schema": schema }));
    }
    let referring = |first: &str, second: &str| {
        let references = json!([reference(first), reference(second)]);
        json!({ "subject": "either", "schema": r#"["A","B"]"#, "references": references })
    };
    let stored = run(&registry).applied(&nothing(), &referring("A", "B")).await;
    let turned = run(&registry).applied(&stored, &referring("B", "A")).await;
    assert_eq!(numbers(&turned), numbers(&stored));
}

/// What a plan says for certain holds in the apply, when the rest is known.
#[test]
fn the_text_that_is_planned_does_not_depend_on_what_is_not_known_yet() {
    let refers = |version: Required<i64>| {
        let (name, subject) = ("Line".to_owned().into(), "line".parse::<SubjectName>().unwrap().into());
        Optional::from(vec![Nested::from(ReferenceModel { name, subject, version })])
    };
    let of = |schema: &str, version| SchemaModel {
        schema: schema.to_owned().into(),
        references: refers(version),
        version: 1.into(),
        ..SchemaModel::default()
    };
    let prior = of(r#"{"type":"array","items":"Line"}"#, 1.into());
    for (version, is_known) in [(Required::unknown(), false), (2.into(), false), (1.into(), true)] {
        let mut plan = of(r#"{"items": "Line", "type": "array"}"#, version);
        plan.keep_meaning(&prior);
        assert_eq!((&plan.schema, plan.version.known().is_ok()), (&prior.schema, is_known));
    }
}

#[tokio::test]
async fn a_changed_schema_is_planned_as_that_where_the_environment_is_not_known_yet() {
    let registry = FakeRegistry::start().await;
    let stored = run(&registry).applied(&nothing(), &order(ORDER)).await;
    let run = run(&registry);
    let mut config = run.config(&order(&with_field("a")));
    let Value::Object(parts) = &mut config else { unreachable!("a configuration is an object") };
    parts.insert("environment".to_owned(), Value::UNKNOWN);
    let planned = run.resource.plan(&run.ctx, PlanRequest { prior: stored, config }).await;
    quiet(&planned.diagnostics);
    assert_eq!(numbers(&planned.planned), (Value::UNKNOWN, Value::UNKNOWN));
}

/// What registries do not follow must turn no plan red; what is malformed does.
#[tokio::test]
async fn a_schema_with_references_that_the_check_does_not_follow_is_planned() {
    let registry = FakeRegistry::start().await;
    let line = json!({ "subject": "line", "schema": r#"{"type":"record","name":"Line","fields":[]}"# });
    run(&registry).applied(&nothing(), &line).await;
    let reference = json!({ "name": "Line", "subject": "line", "version": 1 });
    let referring = |schema: &str| json!({ "subject": "list", "schema": schema, "references": [reference] });
    let first = run(&registry).applied(&nothing(), &referring(r#"{"type":"array","items":"Line"}"#)).await;
    registry.kept().blind = true;
    let second = referring(r#"{"type":"map","values":"Line"}"#);
    let planned = run(&registry).plan(&first, &second).await;
    told(&planned.diagnostics, Severity::Warning, "Not checked by the registry", "does not follow `references`");
    quiet(&run(&registry).apply(&first, planned.planned, &second).await.diagnostics);
    let malformed = run(&registry).plan(&first, &referring(r#"{"type":"map","values":"Line","unreadable":1}"#)).await;
    told(&malformed.diagnostics, Severity::Error, "Schema refused by the registry", "Correct the schema");
}

#[tokio::test]
async fn what_was_deleted_behind_the_back_is_registered_again() {
    let registry = FakeRegistry::start().await;
    for ending in ["", "?permanent=true"] {
        let stored = run(&registry).applied(&nothing(), &order(ORDER)).await;
        registry.does("DELETE", "/subjects/orders-value", &json!({}));
        if !ending.is_empty() {
            registry.does("DELETE", "/subjects/orders-value?permanent=true", &json!({}));
        }
        let seen = run(&registry).read(&stored).await;
        quiet(&seen.diagnostics);
        assert_eq!(seen.stored.state, Value::Null, "{ending}");
        let again = run(&registry).applied(&nothing(), &order(ORDER)).await;
        quiet(&run(&registry).destroy(&again).await.diagnostics);
    }
}

#[tokio::test]
async fn newer_versions_of_others_are_told_and_left() {
    let registry = FakeRegistry::start().await;
    let stored = run(&registry).applied(&nothing(), &order(ORDER)).await;
    let newer = json!({ "schemaType": "AVRO", "schema": with_field("theirs") });
    registry.does("POST", "/subjects/orders-value/versions", &newer);
    let seen = run(&registry).read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Newer version registered", "version 2 is newer");
    assert_eq!(seen.stored.state, stored.state);
    // Their version goes, and with it the newest; then ours goes, and theirs is what is left.
    let theirs = run(&registry).applied(&stored, &order(&with_field("theirs"))).await;
    assert_eq!(numbers(&theirs).0, Value::from(2));
    let planned = run(&registry).plan(&theirs, &order(ORDER)).await;
    let back = run(&registry).apply(&theirs, planned.planned, &order(ORDER)).await;
    told(&back.diagnostics, Severity::Warning, "Older version is the same", "version 1 of `orders-value`");
    assert_eq!(numbers(&back.stored).0, Value::from(1));
}

/// A refresh must get over it, so that a plan can tell what to do.
#[tokio::test]
async fn a_schema_that_the_registry_cannot_read_any_more_is_not_registered() {
    let registry = FakeRegistry::start().await;
    let stored = run(&registry).applied(&nothing(), &order(ORDER)).await;
    let newer = json!({ "schemaType": "AVRO", "schema": with_field("theirs") });
    registry.does("POST", "/subjects/orders-value/versions", &newer);
    let newest = registry.does("GET", "/subjects/orders-value/versions/latest", &json!({}));
    let invalid = json!({ "error_code": 42201, "message": "no schema reference found" });
    registry.kept().next =
        [(200, "application/json", newest.to_string()), (422, "application/json", invalid.to_string())].into();
    let seen = run(&registry).read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Version deleted outside", "newest version is 2");
}

#[tokio::test]
async fn a_subject_that_exists_is_not_taken_unless_that_is_meant() {
    let registry = FakeRegistry::start().await;
    let theirs = json!({ "schemaType": "AVRO", "schema": with_field("theirs") });
    registry.does("POST", "/subjects/orders-value/versions", &theirs);
    let planned = run(&registry).plan(&nothing(), &order(ORDER)).await;
    told(&planned.diagnostics, Severity::Warning, "Subject already exists", "Apply will fail");
    let failed = run(&registry).apply(&nothing(), planned.planned, &order(ORDER)).await;
    told(&failed.diagnostics, Severity::Error, "Subject already exists", "on_existing = \"adopt\"");
    assert_eq!(failed.stored.state, Value::Null);

    let left = run(&registry);
    let same = order(&with_field("theirs"));
    let planned = left.plan(&nothing(), &same).await;
    told(&planned.diagnostics, Severity::Warning, "Subject already exists", "takes it over");
    let taken = left.apply(&nothing(), planned.planned, &same).await;
    told(&taken.diagnostics, Severity::Warning, "Subject taken over", "interrupted");

    // A registry may keep another text than it was given, and finds it by that which it was.
    let kept = with(&same, &json!({ "schema": with_field("ours"), "normalize": true }));
    let latest = registry.does("GET", "/subjects/orders-value/versions/latest", &json!({})).to_string();
    registry.kept().next = std::iter::repeat_n((200, "application/json", latest), 2).collect();
    let planned = run(&registry).plan(&nothing(), &kept).await;
    told(&planned.diagnostics, Severity::Warning, "Subject already exists", "takes it over");

    let adopting = with(&order(ORDER), &json!({ "on_existing": "adopt" }));
    let adopted = run(&registry).applied(&nothing(), &adopting).await;
    assert_eq!(numbers(&adopted).0, Value::from(2));
}

/// An end for good begins the numbers anew, and one that is not leaves a gap: what counts is that there is one.
#[tokio::test]
async fn the_only_version_is_taken_over_whatever_its_number() {
    let registry = FakeRegistry::start().await;
    let stored = run(&registry).applied(&nothing(), &order(ORDER)).await;
    quiet(&run(&registry).destroy(&stored).await.diagnostics);
    registry.does("POST", "/subjects/orders-value/versions", &json!({ "schemaType": "AVRO", "schema": ORDER }));
    let planned = run(&registry).plan(&nothing(), &order(ORDER)).await;
    told(&planned.diagnostics, Severity::Warning, "Subject already exists", "takes it over");
    let taken = run(&registry).apply(&nothing(), planned.planned, &order(ORDER)).await;
    told(&taken.diagnostics, Severity::Warning, "Subject taken over", "interrupted");
    assert_eq!(numbers(&taken.stored).0, Value::from(2));
}

#[tokio::test]
async fn the_end_of_a_subject_is_what_its_state_says() {
    let registry = FakeRegistry::start().await;
    let all = "/subjects?deleted=true";
    for (end, live, known) in [("retain", 1, 1), ("hard", 0, 0), ("soft", 0, 1)] {
        let config =
            with(&order(ORDER), &json!({ "on_destroy": end, "compatibility": "FULL", "on_existing": "adopt" }));
        let stored = run(&registry).applied(&nothing(), &config).await;
        quiet(&run(&registry).destroy(&stored).await.diagnostics);
        let count = |path: &str| registry.does("GET", path, &json!({})).as_array().unwrap().len();
        assert_eq!((count("/subjects"), count(all)), (live, known), "{end}");
    }
    let referred = json!({ "schemaType": "AVRO", "schema": "\"x\"" });
    registry.does("POST", "/subjects/line/versions", &referred);
    let line = run(&registry).import("line").await.stored;
    let line = run(&registry).read(&line).await.stored;
    let referring = json!({ "schemaType": "AVRO", "schema": "\"L\"", "references": [{ "name": "L", "subject": "line", "version": 1 }] });
    registry.does("POST", "/subjects/list/versions", &referring);
    let refused = run(&registry).destroy(&line).await;
    told(&refused.diagnostics, Severity::Error, "Schema is referred to", "on_destroy = \"retain\"");
}

#[tokio::test]
async fn an_import_finds_the_newest_version_and_its_settings() {
    let registry = FakeRegistry::start().await;
    let subject = "a/b ä";
    for (schema, more) in [("\"int\"", json!({})), ("{\"type\": \"long\"}", json!({}))] {
        let body = with(&json!({ "schemaType": "AVRO", "schema": schema }), &more);
        registry.does("POST", "/subjects/a%2Fb%20%C3%A4/versions", &body);
    }
    registry.does("PUT", "/config/a%2Fb%20%C3%A4", &json!({ "compatibility": "FULL" }));
    let imported = run(&registry).import(&format!("dev/{subject}")).await;
    quiet(&imported.diagnostics);
    let seen = run(&registry).read(&imported.stored).await;
    quiet(&seen.diagnostics);
    assert_eq!(numbers(&seen.stored), (Value::from(2), Value::from(2)));
    let config = json!({ "subject": subject, "schema": "\"long\"", "compatibility": "FULL" });
    plans_nothing(&registry, &seen.stored, &config).await;
    let absent = run(&registry).import("dev/absent").await;
    assert_eq!(run(&registry).read(&absent.stored).await.stored.state, Value::Null);
}

#[tokio::test]
async fn what_is_wrong_with_a_schema_is_told_without_a_registry() {
    let registry = FakeRegistry::start().await;
    let check = |config: &Json, summary: &str, detail: &str| {
        told(&run(&registry).validate(config), Severity::Error, summary, detail);
    };
    check(&order("{\n  \"type\": \"recor\"\n}"), "Malformed schema", "line 2, column 11: the type `recor`");
    check(&order("syntax = \"proto3\";"), "Malformed schema", "write `format = \"PROTOBUF\"`");
    let proto = with(&order("syntax = \"proto3\";\nmessage A {"), &json!({ "format": "PROTOBUF" }));
    check(&proto, "Malformed schema", "line 2, column");
    let json_schema = with(&order("{\"type\": 3}"), &json!({ "format": "JSON" }));
    check(&json_schema, "Malformed schema", "line 1, column 10: `type` is a text or an array");
    let refers = |it: Json| with(&order(ORDER), &json!({ "references": it }));
    let reference =
        |name: &str, subject: &str, version: i64| json!({ "name": name, "subject": subject, "version": version });
    check(&refers(json!([reference("A", "orders-value", 1)])), "Schema refers to itself", "`orders-value`");
    check(&refers(json!([reference("A", "a", 0)])), "Invalid version of a reference", "count from 1");
    check(&refers(json!([reference("A", "a", 1), reference("A", "b", 1)])), "Reference named twice", "called `A`");
    check(&json!({ "subject": "..", "schema": "\"int\"" }), "Invalid subject", "not called `.` or `..`");
    check(&with(&order(ORDER), &json!({ "format": "XML" })), "Unknown format", "`XML`");
    check(&with(&order(ORDER), &json!({ "mode": "IMPORT" })), "Mode not supported", "removed for good");
    assert_eq!(registry.asked(), Vec::<String>::new());
}

/// Whatever a registry does, nothing is concluded from its silence, and a plan is made all the same.
#[tokio::test]
async fn a_registry_that_fails_is_told_and_nothing_is_concluded() {
    const HTML: &str = "text/html";
    let registry = FakeRegistry::start().await;
    let stored = run(&registry).applied(&nothing(), &order(ORDER)).await;
    for (answer, summary) in [
        ((500, HTML, "<html>".to_owned()), "Cannot use the schema registry"),
        ((200, HTML, "<html>".to_owned()), "Cannot use the schema registry"),
        ((404, HTML, "<html>".to_owned()), "Cannot use the schema registry"),
        ((302, HTML, String::new()), "Cannot use the schema registry"),
        ((401, "application/json", "{}".to_owned()), "Cannot log in to the schema registry"),
        ((403, "application/json", "{}".to_owned()), "Not permitted by the schema registry"),
    ] {
        let always = |count: usize| registry.kept().next = std::iter::repeat_n(answer.clone(), count).collect();
        always(9);
        let seen = run(&registry).read(&stored).await;
        assert_eq!(summaries(&seen.diagnostics), [summary], "{answer:?}");
        always(9);
        let planned = run(&registry).plan(&nothing(), &order(ORDER)).await;
        assert_eq!(summaries(&planned.diagnostics), ["Not checked by the registry"], "{answer:?}");
        assert_eq!(planned.diagnostics.0[0].severity, Severity::Warning);
        always(9);
        let failed = run(&registry).apply(&nothing(), planned.planned, &order(ORDER)).await;
        assert_eq!(summaries(&failed.diagnostics), [summary], "{answer:?}");
        registry.kept().next.clear();
    }
    let nowhere =
        Run::with(Context::new([Environment::new("dev", Arc::new(MemoryCluster::new(1)) as _)], None), "schema");
    told(&nowhere.plan(&nothing(), &order(ORDER)).await.diagnostics, Severity::Error, "No schema registry", "`dev`");
}

#[tokio::test]
async fn a_schema_of_a_megabyte_is_registered_and_compared() {
    let registry = FakeRegistry::start().await;
    let fields = (0..20_000).map(|it| format!(r#"{{"name":"field_{it}","type":"string","doc":"x"}}"#));
    let text = format!(r#"{{"type":"record","name":"Large","fields":[{}]}}"#, fields.collect::<Vec<_>>().join(","));
    assert!(900_000 < text.len());
    let stored = run(&registry).applied(&nothing(), &order(&text)).await;
    plans_nothing(&registry, &stored, &order(&text.replace(',', ", "))).await;
    quiet(&run(&registry).read(&stored).await.diagnostics);
}

/// Two that refer to each other by number cannot be: each needs the other first.
#[tokio::test]
async fn references_in_a_circle_are_told_and_refused() {
    let registry = FakeRegistry::start().await;
    let referring = |own: &str, other: &str| {
        let reference = json!({ "name": "X", "subject": other, "version": 1 });
        json!({ "subject": own, "schema": r#"{"type":"array","items":"X"}"#, "references": [reference] })
    };
    let run = run(&registry);
    for config in [referring("a", "b"), referring("b", "a")] {
        let planned = run.plan(&nothing(), &config).await;
        told(&planned.diagnostics, Severity::Warning, "Reference is missing", "no version 1 of");
        let failed = run.apply(&nothing(), planned.planned, &config).await;
        told(&failed.diagnostics, Severity::Error, "Schema refused by the registry", "what `references` names");
    }
}

#[tokio::test]
async fn a_subject_has_one_resource() {
    let registry = FakeRegistry::start().await;
    let run = run(&registry);
    quiet(&run.plan(&nothing(), &order(ORDER)).await.diagnostics);
    let second = run.plan(&nothing(), &order(&with_field("a"))).await;
    told(&second.diagnostics, Severity::Error, "Subject planned twice", "`orders-value`");
}

#[tokio::test]
async fn the_rules_of_the_environment_hold_for_schemas() {
    let policy = |weakest, naming| Policy {
        schemas: SchemaPolicy { weakest_compatibility: weakest, subject_naming: naming, required: None },
        ..Policy::default()
    };
    let cluster = governed_by(policy(None, None)).await;
    let application = json!({ "name": "billing", "owner": { "team": "payments" }, "principals": ["User:billing"] });
    Run::on(&cluster, "application", Acting::default()).applied(&nothing(), &application).await;
    let registry = FakeRegistry::start().await;
    let team = || {
        let acting = Acting { application: Some("billing".parse().unwrap()), ..Acting::default() };
        run_on(&cluster, &registry, acting)
    };
    let planned = team().plan(&nothing(), &order(ORDER)).await;
    told(&planned.diagnostics, Severity::Error, "Subject outside the prefixes", "subject = \"billing.…\"");
    let failed = team().apply(&nothing(), planned.planned, &order(ORDER)).await;
    told(&failed.diagnostics, Severity::Error, "Subject outside the prefixes", "`billing.`");
    assert_eq!(registry.does("GET", "/subjects", &json!({})), json!([]), "nothing is registered");

    let own = json!({ "subject": "billing.orders-value", "schema": ORDER, "compatibility": "BACKWARD" });
    let stored = team().applied(&nothing(), &own).await;
    change_policy(&cluster, policy(Some(Compatibility::Full), Some(SubjectNaming::RecordName))).await;
    let planned = team().plan(&stored, &own).await;
    let severities: Vec<_> = planned.diagnostics.0.iter().map(|it| it.severity).collect();
    assert_eq!(severities, [Severity::Warning; 2], "what was so before stays: {:?}", planned.diagnostics);
    let weaker = with(&own, &json!({ "compatibility": "NONE" }));
    let planned = team().plan(&stored, &weaker).await;
    assert!(
        planned.diagnostics.0.iter().any(|it| it.severity == Severity::Error && it.summary == "Compatibility too weak")
    );
    let inherits = json!({ "subject": "billing.Order", "schema": ORDER.replace("shop", "billing") });
    let planned = team().plan(&nothing(), &inherits).await;
    told(&planned.diagnostics, Severity::Error, "Compatibility too weak", "is inherited as `BACKWARD`");
    // What somebody set for the subject holds, though nobody declares it.
    change_policy(&cluster, policy(Some(Compatibility::Backward), None)).await;
    registry.does("PUT", "/config/billing.Order", &json!({ "compatibility": "NONE" }));
    let planned = team().plan(&nothing(), &inherits).await;
    told(&planned.diagnostics, Severity::Error, "Compatibility too weak", "is `NONE`");

    let other = Acting { application: Some("shipping".parse().unwrap()), ..Acting::default() };
    let refused = run_on(&cluster, &registry, other).destroy(&stored).await;
    assert!(summaries(&refused.diagnostics).contains(&"Subject of another application"), "{:?}", refused.diagnostics);
    assert_eq!(registry.does("GET", "/subjects", &json!({})), json!(["billing.orders-value"]));
}

#[tokio::test]
async fn many_schemas_are_refreshed_with_few_requests() {
    let registry = FakeRegistry::start().await;
    let config = |at: usize| json!({ "subject": format!("s{at}"), "schema": ORDER });
    let maker = run(&registry);
    let mut all = Vec::new();
    for at in 0..200 {
        let planned = maker.plan(&nothing(), &config(at)).await;
        all.push(maker.apply(&nothing(), planned.planned, &config(at)).await.stored);
    }
    let before = registry.asked().len();
    let reader = run(&registry);
    for (at, stored) in all.iter().enumerate() {
        let seen = reader.read(stored).await;
        quiet(&seen.diagnostics);
        let planned = reader.plan(&seen.stored, &config(at)).await;
        quiet(&planned.diagnostics);
        assert_eq!(planned.planned.state, stored.state);
    }
    assert_eq!(registry.asked().len() - before, 4 + 1);
}

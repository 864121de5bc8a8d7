//! Compatibility and mode, and how they are set around a version.

use super::*;

#[tokio::test]
async fn an_incompatible_schema_is_refused_in_the_plan_with_the_reason() {
    let registry = FakeRegistry::start().await;
    let stored = run(&registry).applied(&nothing(), &order(ORDER)).await;
    registry.kept().objections = vec!["READER_FIELD_MISSING_DEFAULT_VALUE at /fields/1".to_owned()];
    let planned = run(&registry).plan(&stored, &order(&with_field("a"))).await;
    told(
        &planned.diagnostics,
        Severity::Error,
        "Schema incompatible",
        "- READER_FIELD_MISSING_DEFAULT_VALUE at /fields/1",
    );

    let tightened = with(&order(&with_field("a")), &json!({ "compatibility": "FULL" }));
    let planned = run(&registry).plan(&stored, &tightened).await;
    told(&planned.diagnostics, Severity::Error, "Schema incompatible", "READER_FIELD_MISSING");

    let loosened = with(&order(&with_field("a")), &json!({ "compatibility": "NONE" }));
    let loose = run(&registry).applied(&stored, &loosened).await;
    assert_eq!(numbers(&loose).0, Value::from(2), "it is loosened before");
    // From now on everything is refused, so that tightening first would be seen.
    let tightened = with(&order(ORDER), &json!({ "compatibility": "FULL" }));
    let planned = run(&registry).plan(&loose, &tightened).await;
    quiet(&planned.diagnostics);
    let tight = run(&registry).apply(&loose, planned.planned, &tightened).await;
    assert_eq!(summaries(&tight.diagnostics), ["Older version is the same"]);
    assert_eq!(registry.does("GET", "/config/orders-value", &json!({})), json!({ "compatibilityLevel": "FULL" }));

    registry.kept().objections.clear();
    let inherited = run(&registry).applied(&tight.stored, &order(ORDER)).await;
    assert_eq!(inherited.state.attribute("compatibility"), &Value::Null);
    assert!(registry.asked().contains(&"DELETE /config/orders-value".to_owned()));
}

/// A registry answers with a version that it has, whatever it thinks of new ones.
#[tokio::test]
async fn a_return_to_an_older_version_is_not_refused() {
    let registry = FakeRegistry::start().await;
    let first = run(&registry).applied(&nothing(), &order(ORDER)).await;
    let second = run(&registry).applied(&first, &order(&with_field("a"))).await;
    registry.kept().objections = vec!["READER_FIELD_MISSING_DEFAULT_VALUE".to_owned()];
    let planned = run(&registry).plan(&second, &order(ORDER)).await;
    quiet(&planned.diagnostics);
    let back = run(&registry).apply(&second, planned.planned, &order(ORDER)).await;
    assert_eq!(summaries(&back.diagnostics), ["Older version is the same"]);
}

#[tokio::test]
async fn settings_that_somebody_changed_are_seen_where_they_are_declared() {
    let registry = FakeRegistry::start().await;
    let declared = with(&order(ORDER), &json!({ "compatibility": "BACKWARD", "mode": "READWRITE" }));
    let stored = run(&registry).applied(&nothing(), &declared).await;
    let seen = run(&registry).read(&stored).await.stored;
    assert_eq!(seen.state, stored.state, "the same as all have is no difference");
    registry.does("PUT", "/config/orders-value", &json!({ "compatibility": "NONE" }));
    registry.does("PUT", "/mode/orders-value", &json!({ "mode": "READONLY" }));
    let seen = run(&registry).read(&stored).await.stored;
    let settings = (seen.state.attribute("compatibility").clone(), seen.state.attribute("mode").clone());
    assert_eq!(settings, ("NONE".into(), "READONLY".into()));
    run(&registry).applied(&seen, &declared).await;
    assert_eq!(registry.does("GET", "/mode/orders-value", &json!({})), json!({ "mode": "READWRITE" }));
}

#[tokio::test]
async fn a_subject_in_read_only_mode_takes_no_version() {
    let registry = FakeRegistry::start().await;
    let closed = with(&order(ORDER), &json!({ "mode": "READONLY" }));
    let stored = run(&registry).applied(&nothing(), &closed).await;
    assert_eq!(numbers(&stored).0, Value::from(1), "it is closed after the schema is registered");
    let changed = with(&order(&with_field("a")), &json!({ "mode": "READONLY" }));
    let planned = run(&registry).plan(&stored, &changed).await;
    told(&planned.diagnostics, Severity::Error, "Subject is read-only", "Set `mode = \"READWRITE\"`");
    let failed = run(&registry).apply(&stored, planned.planned, &changed).await;
    told(&failed.diagnostics, Severity::Error, "Subject is read-only", "permits no change");
    run(&registry).applied(&stored, &order(&with_field("a"))).await;
    assert_eq!(registry.does("GET", "/subjects/orders-value/versions", &json!({})), json!([1, 2]));
}

#[tokio::test]
async fn a_subject_is_opened_where_all_are_closed_unless_nothing_can_be() {
    let registry = FakeRegistry::start().await;
    let opened = with(&order(ORDER), &json!({ "mode": "READWRITE" }));
    registry.kept().mode_of_all = Some("READONLY".to_owned());
    let closed = run(&registry).plan(&nothing(), &order(ORDER)).await;
    told(&closed.diagnostics, Severity::Error, "Subject is read-only", "Set `mode = \"READWRITE\"`");
    let stored = run(&registry).applied(&nothing(), &opened).await;
    assert_eq!(numbers(&stored).0, Value::from(1));
    quiet(&run(&registry).destroy(&stored).await.diagnostics);
    registry.kept().mode_of_all = Some("READONLY_OVERRIDE".to_owned());
    let closed = run(&registry).plan(&nothing(), &opened).await;
    told(&closed.diagnostics, Severity::Error, "Subject is read-only", "the mode of the registry changed");
}

/// A registry that is read only for a subject keeps its compatibility, too, and takes not even what it has.
#[tokio::test]
async fn a_subject_is_closed_after_all_else_and_opened_before() {
    let registry = FakeRegistry::start().await;
    let closed = with(&order(ORDER), &json!({ "mode": "READONLY", "compatibility": "FULL" }));
    let stored = run(&registry).applied(&nothing(), &closed).await;
    let opened = with(&order(ORDER), &json!({ "mode": "READWRITE", "compatibility": "NONE" }));
    let opened = run(&registry).applied(&stored, &opened).await;
    let stored = run(&registry).applied(&opened, &closed).await;
    assert_eq!(registry.does("GET", "/config/orders-value", &json!({})), json!({ "compatibilityLevel": "FULL" }));
    // As after an apply that was interrupted when all was done.
    let taken = with(&closed, &json!({ "on_existing": "adopt", "compatibility": null }));
    let planned = run(&registry).plan(&nothing(), &taken).await;
    quiet(&planned.diagnostics);
    let again = run(&registry).apply(&nothing(), planned.planned, &taken).await;
    quiet(&again.diagnostics);
    assert_eq!(numbers(&again.stored), numbers(&stored));
}

/// Nobody would know that a subject permits more than before.
#[tokio::test]
async fn what_was_permitted_for_what_failed_is_taken_back() {
    let registry = FakeRegistry::start().await;
    let closed = with(&order(ORDER), &json!({ "mode": "READONLY", "compatibility": "FULL" }));
    let stored = run(&registry).applied(&nothing(), &closed).await;
    let settings = || {
        let of = |what: &str| registry.does("GET", &format!("/{what}/orders-value"), &json!({}));
        (of("config")["compatibilityLevel"].clone(), of("mode")["mode"].clone())
    };
    let before = settings();
    let open = |schema: &str| with(&order(schema), &json!({ "mode": "READWRITE", "compatibility": "NONE" }));
    let refused = open(&with_field("unreadable"));
    let planned = run(&registry).plan(&stored, &refused).await;
    let failed = run(&registry).apply(&stored, planned.planned, &refused).await;
    told(&failed.diagnostics, Severity::Error, "Schema refused by the registry", "Correct the schema");
    assert_eq!(settings(), before);

    let referring = json!({ "schemaType": "AVRO", "schema": "\"L\"", "references": [{ "name": "L", "subject": "orders-value", "version": 1 }] });
    registry.does("POST", "/subjects/list/versions", &referring);
    let failed = run(&registry).destroy(&stored).await;
    told(&failed.diagnostics, Severity::Error, "Schema is referred to", "on_destroy = \"retain\"");
    assert_eq!(settings(), before);
}

/// Apicurio keeps `NONE` when it is told to delete it, and whatever a subject had that is deleted.
#[tokio::test]
async fn what_is_declared_no_more_is_inherited_on_a_registry_that_keeps_it() {
    let registry = FakeRegistry::start().await;
    registry.kept().apicurio = true;
    let level = || registry.does("GET", "/config/orders-value", &json!({}))["compatibilityLevel"].clone();
    let loose = with(&order(ORDER), &json!({ "compatibility": "NONE" }));
    let stored = run(&registry).applied(&nothing(), &loose).await;
    assert_eq!(level(), "NONE");
    let inherits = run(&registry).applied(&stored, &order(ORDER)).await;
    assert_eq!(level(), "BACKWARD");
    let stored = run(&registry).applied(&inherits, &loose).await;
    quiet(&run(&registry).destroy(&stored).await.diagnostics);
    run(&registry).applied(&nothing(), &order(ORDER)).await;
    assert_eq!(level(), "BACKWARD", "a new subject of that name begins as all do");
}

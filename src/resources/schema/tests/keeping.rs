//! What a registry keeps: its text where it takes another one for the same, and what nobody moves or ends.

use super::*;

const KEPT: &str = "Registry keeps another text";

async fn apicurio() -> FakeRegistry {
    let registry = FakeRegistry::start().await;
    registry.kept().apicurio = true;
    registry
}

fn documented() -> String {
    ORDER.replace(r#""fields""#, r#""doc":"An order.","fields""#)
}

fn newest(registry: &FakeRegistry) -> Json {
    registry.does("GET", "/subjects/orders-value/versions/latest", &json!({}))
}

#[tokio::test]
async fn what_the_registry_takes_for_the_version_it_has_is_said_and_registers_nothing() {
    let registry = apicurio().await;
    let stored = run(&registry).applied(&nothing(), &order(ORDER)).await;
    let planned = run(&registry).plan(&stored, &order(&documented())).await;
    told(&planned.diagnostics, Severity::Warning, KEPT, "registers nothing, and keeps and gives out this text:");
    assert_eq!(numbers(&planned.planned), numbers(&stored), "nothing is unknown");
    let applied = run(&registry).apply(&stored, planned.planned, &order(&documented())).await;
    told(&applied.diagnostics, Severity::Warning, KEPT, "version 1 of `orders-value`");
    assert_eq!((&newest(&registry)["version"], &newest(&registry)["schema"]), (&json!(1), &json!(ORDER)));
    let register = |it: &&String| it.as_str() == "POST /subjects/orders-value/versions";
    assert_eq!(registry.asked().iter().filter(register).count(), 1, "the first one");
    plans_nothing(&registry, &applied.stored, &order(&documented())).await;

    // With something that is compared, all of it is new; and back is an older one of another text.
    let field = with_field("a").replace(r#""fields""#, r#""doc":"An order.","fields""#);
    let second = run(&registry).applied(&applied.stored, &order(&field)).await;
    assert_eq!((numbers(&second).0, newest(&registry)["schema"].clone()), (Value::from(2), json!(field)));
    let planned = run(&registry).plan(&second, &order(&documented())).await;
    told(&planned.diagnostics, Severity::Warning, KEPT, "version 1 of `orders-value`");
    assert_eq!(numbers(&planned.planned), (Value::UNKNOWN, Value::UNKNOWN));
    let back = run(&registry).apply(&second, planned.planned, &order(&documented())).await;
    assert_eq!(summaries(&back.diagnostics), ["Older version is the same", KEPT]);
}

/// A plan that says the version for certain must not register another one.
#[tokio::test]
async fn a_plan_that_registers_nothing_is_out_of_date_where_something_would_be() {
    let registry = apicurio().await;
    let stored = run(&registry).applied(&nothing(), &order(ORDER)).await;
    let planned = run(&registry).plan(&stored, &order(&documented())).await;
    registry.kept().apicurio = false;
    let failed = run(&registry).apply(&stored, planned.planned, &order(&documented())).await;
    told(&failed.diagnostics, Severity::Error, "Plan out of date", "Plan again.");
    assert_eq!(newest(&registry)["version"], 1);
}

#[tokio::test]
async fn a_subject_of_another_text_is_not_taken_over_in_silence() {
    let registry = apicurio().await;
    registry.does("POST", "/subjects/orders-value/versions", &json!({ "schemaType": "AVRO", "schema": ORDER }));
    let planned = run(&registry).plan(&nothing(), &order(&documented())).await;
    told(&planned.diagnostics, Severity::Warning, "Subject already exists", ORDER);
    let taken = run(&registry).apply(&nothing(), planned.planned, &order(&documented())).await;
    assert_eq!(summaries(&taken.diagnostics), ["Subject taken over", KEPT]);
    let adopting = with(&order(&documented()), &json!({ "on_existing": "adopt" }));
    let planned = run(&registry).plan(&nothing(), &adopting).await;
    told(&planned.diagnostics, Severity::Warning, KEPT, ORDER);
    let taken = run(&registry).apply(&nothing(), planned.planned, &adopting).await;
    assert_eq!(summaries(&taken.diagnostics), [KEPT]);
}

/// As where the first of two calls was the last.
#[tokio::test]
async fn an_end_for_good_that_was_interrupted_is_told() {
    let registry = FakeRegistry::start().await;
    for (end, is_told) in [("hard", true), ("soft", false)] {
        let config = with(&order(ORDER), &json!({ "on_destroy": end }));
        let stored = run(&registry).applied(&nothing(), &config).await;
        registry.does("DELETE", "/subjects/orders-value", &json!({}));
        let seen = run(&registry).read(&stored).await;
        assert_eq!((&seen.stored.state, !seen.diagnostics.0.is_empty()), (&Value::Null, is_told));
        if is_told {
            told(&seen.diagnostics, Severity::Warning, "Subject not deleted for good", "permanent=true");
        }
        registry.does("DELETE", "/subjects/orders-value?permanent=true", &json!({}));
        quiet(&run(&registry).read(&stored).await.diagnostics);
    }
}

/// A process with two environments of one cluster, each beside a registry.
fn beside(cluster: &Arc<MemoryCluster>, registries: [&FakeRegistry; 2]) -> Run {
    let [one, other] = registries;
    let environment =
        |name, registry: &FakeRegistry| Environment::new(name, cluster.clone() as _).beside(registry.services());
    Run::with(Context::new([environment("one", one), environment("other", other)], None), "schema")
}

#[tokio::test]
async fn a_schema_stays_in_its_registry_whatever_its_environment_is_called() {
    let (first, second) = (FakeRegistry::start().await, FakeRegistry::start().await);
    let cluster = Arc::new(MemoryCluster::new(1));
    let of = |environment: &str| with(&order(ORDER), &json!({ "environment": environment }));
    let stored = beside(&cluster, [&first, &second]).applied(&nothing(), &of("one")).await;
    let refused = beside(&cluster, [&first, &second]).plan(&stored, &of("other")).await;
    told(&refused.diagnostics, Severity::Error, "Another schema registry", "a resource of its own");
    let renamed = beside(&cluster, [&first, &first]).plan(&stored, &of("other")).await;
    quiet(&renamed.diagnostics);
    assert_eq!(numbers(&renamed.planned), numbers(&stored));
}

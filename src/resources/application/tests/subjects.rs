//! What a claim finds in the schema registry.

use super::*;
use crate::{
    clients::registry::fake::FakeRegistry,
    provider::{Context, Environment},
};

fn beside(cluster: &Arc<MemoryCluster>, registry: &FakeRegistry) -> Run {
    let environment = Environment::new("dev", cluster.clone() as _).beside(registry.services());
    Run::with(Context::new([environment], None), "application")
}

fn register(registry: &FakeRegistry, subject: &str) {
    let schema = json!({ "schemaType": "AVRO", "schema": "\"int\"" });
    registry.does("POST", &format!("/subjects/{subject}/versions"), &schema);
}

#[tokio::test]
async fn an_application_over_subjects_of_nobody_asks_to_adopt_them() {
    let (cluster, registry) = (governed_cluster().await, FakeRegistry::start().await);
    for subject in ["billing.a-value", "sales.a-value", ":.old:billing.b-value"] {
        register(&registry, subject);
    }
    let plan = beside(&cluster, &registry).plan(&nothing(), &billing()).await;
    let expected = "subjects under `billing.` that nobody owns: `billing.a-value` and `billing.b-value`.";
    assert!(claims_refused(&plan).iter().any(|it| it.contains(expected)), "{plan:?}");
    let refused = beside(&cluster, &registry).apply(&nothing(), plan.planned, &billing()).await;
    assert_eq!(refused.stored.state, Value::Null);
    let mut adopting = billing();
    adopting["on_existing"] = "adopt".into();
    let stored = beside(&cluster, &registry).applied(&nothing(), &adopting).await;
    // What is its own is not looked for again.
    let asked = registry.asked().len();
    let mut changed = billing();
    changed["description"] = "Bills.".into();
    beside(&cluster, &registry).applied(&stored, &changed).await;
    assert_eq!(registry.asked().len(), asked);
}

#[tokio::test]
async fn a_registry_that_does_not_answer_is_told_and_stops_no_application() {
    let (cluster, registry) = (governed_cluster().await, FakeRegistry::start().await);
    register(&registry, "billing.a-value");
    let fail = || registry.kept().next = std::iter::repeat_n((500, "text/html", String::new()), 9).collect();
    fail();
    let plan = beside(&cluster, &registry).plan(&nothing(), &billing()).await;
    told(&plan.diagnostics, Severity::Warning, "Existing names not looked for", "Subjects of the schema registry");
    fail();
    let outcome = beside(&cluster, &registry).apply(&nothing(), plan.planned, &billing()).await;
    told(&outcome.diagnostics, Severity::Warning, "Existing names not looked for", "Subjects of the schema registry");
    assert_eq!(status(&outcome.stored), &"ready".into());
}

//! Topics of an environment that demands a schema of each.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::{
    clients::{memory::MemoryCluster, registry::fake::FakeRegistry},
    framework::{Diagnostics, Severity},
    governance::policy::{Capability, Policy, SchemaPolicy},
    provider::{Context, Environment},
    resources::testing::{Run, governed_by, nothing, quiet, told},
};

async fn cluster() -> Arc<MemoryCluster> {
    let schemas = SchemaPolicy { required: Some(true), ..SchemaPolicy::default() };
    governed_by(Policy { schemas, capabilities: [Capability::Schemas].into(), ..Policy::default() }).await
}

/// A new process, for topics or for schemas.
fn run(cluster: &Arc<MemoryCluster>, registry: &FakeRegistry, resource: &str) -> Run {
    let environment = Environment::new("dev", cluster.clone() as _).beside(registry.services());
    Run::with(Context::new([environment], None), resource)
}

fn topic(name: &str) -> Json {
    json!({ "name": name, "partitions": 1 })
}

fn missing(diagnostics: &Diagnostics) -> Vec<&str> {
    let told = diagnostics.0.iter().inspect(|it| assert_eq!(it.severity, Severity::Warning));
    told.map(|it| it.summary.as_str()).collect()
}

/// Topic and schema come in one run, either of them first: nothing is refused, and so nothing waits for the other.
#[tokio::test]
async fn a_topic_without_schema_is_told_in_plans_and_never_refused() {
    let (cluster, registry) = (cluster().await, FakeRegistry::start().await);
    let topics = run(&cluster, &registry, "topic");
    let planned = topics.plan(&nothing(), &topic("orders")).await;
    told(&planned.diagnostics, Severity::Warning, "Topic without schema", "no subject `orders-value`");
    let made = topics.apply(&nothing(), planned.planned, &topic("orders")).await;
    quiet(&made.diagnostics);
    let again = run(&cluster, &registry, "topic").plan(&made.stored, &topic("orders")).await;
    assert_eq!(missing(&again.diagnostics), ["Topic without schema"], "it is there, and has none");
    let mut changed = topic("orders");
    changed["partitions"] = 2.into();
    let again = run(&cluster, &registry, "topic").plan(&made.stored, &changed).await;
    assert_eq!(missing(&again.diagnostics), ["Topic without schema"], "a change is not refused for it");

    let int = json!({ "schemaType": "AVRO", "schema": "\"int\"" });
    registry.does("POST", "/subjects/orders-value/versions", &int);
    quiet(&run(&cluster, &registry, "topic").plan(&made.stored, &topic("orders")).await.diagnostics);
}

#[tokio::test]
async fn a_schema_of_the_same_plan_is_enough() {
    let (cluster, registry) = (cluster().await, FakeRegistry::start().await);
    let schemas = run(&cluster, &registry, "schema");
    let schema = json!({ "subject": "orders-value", "schema": "\"int\"" });
    quiet(&schemas.plan(&nothing(), &schema).await.diagnostics);
    let topics = Run::with(schemas.ctx, "topic");
    quiet(&topics.plan(&nothing(), &topic("orders")).await.diagnostics);
    assert_eq!(missing(&topics.plan(&nothing(), &topic("orders-eu")).await.diagnostics), ["Topic without schema"]);
    let lists = registry.asked().into_iter().filter(|it| it == "GET /subjects").count();
    assert_eq!(lists, 1, "the list serves all topics");
}

#[tokio::test]
async fn a_registry_that_does_not_answer_is_told_once() {
    let (cluster, registry) = (cluster().await, FakeRegistry::start().await);
    let topics = run(&cluster, &registry, "topic");
    registry.kept().next = std::iter::repeat_n((500, "text/html", String::new()), 9).collect();
    let planned = topics.plan(&nothing(), &topic("orders")).await;
    assert_eq!(missing(&planned.diagnostics), ["Schemas of topics not looked for"]);
    quiet(&topics.plan(&nothing(), &topic("others")).await.diagnostics);

    let nowhere = Run::with(Context::new([Environment::new("dev", cluster.clone() as _)], None), "topic");
    let planned = nowhere.plan(&nothing(), &topic("orders")).await;
    told(&planned.diagnostics, Severity::Warning, "Schemas of topics not looked for", "`schema_registry = ");
}

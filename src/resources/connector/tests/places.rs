//! Which workers have a connector.

use super::*;

#[tokio::test]
async fn several_clusters_of_workers_are_told_apart() {
    let (one, two) = (FakeConnect::start().await, FakeConnect::start().await);
    let cluster = Arc::new(MemoryCluster::new(1));
    let both = || run_on(&cluster, &[("one", &one), ("two", &two)], Acting::default());
    let planned = both().plan(&nothing(), &sink()).await;
    told(&planned.diagnostics, Severity::Error, "No Connect cluster named", "`one`, `two`");
    let stray = with(&sink(), &json!({ "connect": "three" }));
    let planned = both().plan(&nothing(), &stray).await;
    told(&planned.diagnostics, Severity::Error, "Unknown Connect cluster", "only `one`, `two`");
    let on = |name: &str| with(&sink(), &json!({ "connect": name }));
    let stored = both().applied(&nothing(), &on("one")).await;
    assert_eq!((one.kept().connectors.len(), two.kept().connectors.len()), (1, 0));
    let planned = both().plan(&stored, &on("two")).await;
    assert_eq!(planned.replace.iter().map(ToString::to_string).collect::<Vec<_>>(), ["connect"]);
    // A name that the provider block does not have any more was changed there.
    let renamed = || run_on(&cluster, &[("first", &one), ("two", &two)], Acting::default());
    let planned = renamed().plan(&stored, &on("first")).await;
    assert_eq!(planned.replace, vec![]);
    assert_eq!(planned.planned.state.attribute("id"), &Value::from("dev/first/a b"));
}

/// Nothing is concluded from what workers of another cluster have or lack, and nothing is done there.
#[tokio::test]
async fn workers_of_another_cluster_are_left_alone() {
    let fake = FakeConnect::start().await;
    let changed = configured(&sink(), &json!({ "file": "/tmp/y" }));
    let adopting = with(&changed, &json!({ "on_existing": "adopt" }));
    let planned = run(&fake).plan(&nothing(), &adopting).await;
    let stored = run(&fake).applied(&nothing(), &sink()).await;
    let update = run(&fake).plan(&stored, &changed).await;
    "another".clone_into(&mut fake.kept().kafka_cluster_id);
    let check = |diagnostics: &Diagnostics| {
        told(diagnostics, Severity::Error, "Workers of another cluster", "belong to the cluster `another`");
    };

    let seen = run(&fake).read(&stored).await;
    check(&seen.diagnostics);
    assert_eq!(seen.stored, stored);
    check(&run(&fake).plan(&nothing(), &sink()).await.diagnostics);
    check(&run(&fake).plan(&stored, &changed).await.diagnostics);
    check(&run(&fake).apply(&stored, update.planned, &changed).await.diagnostics);
    check(&run(&fake).apply(&nothing(), planned.planned.clone(), &adopting).await.diagnostics);
    check(&run(&fake).destroy(&stored).await.diagnostics);
    assert_eq!(sent(&fake), sink()["config"]);
    let imported = run(&fake).import("a b").await;
    check(&run(&fake).read(&imported.stored).await.diagnostics);

    fake.kept().connectors.clear();
    let seen = run(&fake).read(&stored).await;
    check(&seen.diagnostics);
    assert_eq!(seen.stored, stored, "a connector that others lack is not gone");
    check(&run(&fake).apply(&nothing(), planned.planned, &adopting).await.diagnostics);
    assert!(fake.kept().connectors.is_empty());
}

/// A gateway may let through no more than what is below `connectors`.
#[tokio::test]
async fn workers_that_do_not_tell_their_cluster_are_believed() {
    let fake = FakeConnect::start().await;
    fake.kept().kafka_cluster_id.clear();
    let stored = run(&fake).applied(&nothing(), &sink()).await;
    plans_nothing(&fake, &stored, &sink()).await;
    fake.kept().connectors.clear();
    assert_eq!(run(&fake).read(&stored).await.stored.state, Value::Null);
}

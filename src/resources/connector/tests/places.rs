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
}

/// The provider block may call the same workers otherwise: they are known by their addresses.
#[tokio::test]
async fn workers_that_are_renamed_keep_their_connectors() {
    let (one, two) = (FakeConnect::start().await, FakeConnect::start().await);
    let cluster = Arc::new(MemoryCluster::new(1));
    let run = |fakes: &[(&str, &FakeConnect)]| run_on(&cluster, fakes, Acting::default());
    let stored = run(&[("one", &one)]).applied(&nothing(), &sink()).await;
    let on = |name: &str| with(&sink(), &json!({ "connect": name }));
    let renamed = || run(&[("first", &one), ("one", &two)]);
    for (config, is_moved) in [(sink(), false), (on("first"), false), (on("one"), true)] {
        let seen = renamed().read(&stored).await;
        quiet(&seen.diagnostics);
        assert_eq!(seen.stored.state, stored.state, "its name is what the state knows");
        let planned = renamed().plan(&seen.stored, &config).await;
        quiet(&planned.diagnostics);
        assert_eq!(!planned.replace.is_empty(), is_moved, "{config}");
        if !is_moved {
            assert_eq!(planned.planned.state.attribute("id"), &Value::from("dev/first/a b"));
            let followed = renamed().apply(&seen.stored, planned.planned, &config).await;
            quiet(&followed.diagnostics);
            assert_eq!(followed.stored.state.attribute("connect"), &Value::from("first"));
        }
    }
    assert!(two.kept().connectors.is_empty());

    let gone = || run(&[("two", &two)]);
    let seen = gone().read(&stored).await;
    told(&seen.diagnostics, Severity::Error, "Unknown Connect cluster", "while one of their addresses stays");
    assert_eq!(seen.stored, stored);
    told(&gone().plan(&stored, &on("two")).await.diagnostics, Severity::Error, "Unknown Connect cluster", "`one`");
    quiet(&renamed().destroy(&stored).await.diagnostics);
    assert!(one.kept().connectors.is_empty());
}

/// What is on some workers is not made on others besides, where only the apply learns that they are meant.
#[tokio::test]
async fn a_connector_is_not_made_twice() {
    let (one, two) = (FakeConnect::start().await, FakeConnect::start().await);
    let cluster = Arc::new(MemoryCluster::new(1));
    let both = || run_on(&cluster, &[("one", &one), ("two", &two)], Acting::default());
    let on = |name: &str| with(&sink(), &json!({ "connect": name }));
    let stored = both().applied(&nothing(), &on("one")).await;
    let planned = both().plan(&stored, &on("two")).await;
    let moved = both().apply(&stored, planned.planned, &on("two")).await;
    told(&moved.diagnostics, Severity::Error, "Connector on other workers", "Plan again");
    assert!(two.kept().connectors.is_empty());
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

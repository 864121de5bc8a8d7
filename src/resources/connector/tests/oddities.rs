//! What seldom happens: a name that is declared twice, a connector that ends or comes back meanwhile, one that never settles.

use super::*;

#[tokio::test]
async fn two_resources_for_one_connector_are_refused() {
    let fake = FakeConnect::start().await;
    let run = run(&fake);
    quiet(&run.plan(&nothing(), &sink()).await.diagnostics);
    let second = run.plan(&nothing(), &sink()).await;
    told(&second.diagnostics, Severity::Error, "Connector planned twice", "Remove one of them");
}

/// With `create_before_destroy`, the new one has the name of the old one by the time that this is to be deleted.
#[tokio::test]
async fn what_this_run_made_is_not_deleted_as_the_old_one() {
    let fake = FakeConnect::start().await;
    let old = run(&fake).applied(&nothing(), &sink()).await;
    let adopting = with(&sink(), &json!({ "on_existing": "adopt" }));
    let run = run(&fake);
    run.applied(&nothing(), &adopting).await;
    let kept = run.destroy(&old).await;
    told(&kept.diagnostics, Severity::Warning, "Connector not deleted", "this run made it");
    assert_eq!(fake.kept().connectors.len(), 1);
}

#[tokio::test]
async fn a_connector_that_is_not_what_it_was_told_to_be_is_told_as_it_is() {
    let fake = FakeConnect::start().await;
    let stored = run(&fake).applied(&nothing(), &sink()).await;
    fake.kept().ignores_state = true;
    let paused = with(&sink(), &json!({ "state": "paused", "timeouts": { "update": "2s" } }));
    let planned = run(&fake).plan(&stored, &paused).await;
    let late = run(&fake).apply(&stored, planned.planned, &paused).await;
    told(&late.diagnostics, Severity::Error, "Connector not settled", "itself is running, its tasks: running");
    assert!(late.diagnostics.0[0].detail.contains("was told to be paused"), "{:?}", late.diagnostics);
}

#[tokio::test]
async fn a_connector_that_is_deleted_while_it_is_changed_is_gone() {
    let fake = FakeConnect::start().await;
    let careless = with(&sink(), &json!({ "wait_for": "nothing" }));
    let stored = run(&fake).applied(&nothing(), &careless).await;
    let changed = configured(&careless, &json!({ "file": "/tmp/y" }));
    let planned = run(&fake).plan(&stored, &changed).await;
    fake.kept().forgets = true;
    let gone = run(&fake).apply(&stored, planned.planned, &changed).await;
    told(&gone.diagnostics, Severity::Error, "Connector is gone", "somebody deleted it meanwhile");
}

/// An import has no version yet, and somebody removed what it left out.
#[tokio::test]
async fn a_secret_that_is_lost_before_any_version_is_told() {
    let fake = FakeConnect::start().await;
    let config = with(&sink(), &secrets("1", &json!({ "user.password": "hunter2" })));
    run(&fake).applied(&nothing(), &config).await;
    let imported = run(&fake).import("a b").await;
    let stored = refreshed(&fake, &imported.stored).await;
    fake.kept().connectors.get_mut("a b").unwrap().config.remove("user.password");
    let seen = run(&fake).read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Secret lost", "`user.password`");
    run(&fake).applied(&seen.stored, &config).await;
    assert_eq!(sent(&fake)["user.password"], "hunter2");
}

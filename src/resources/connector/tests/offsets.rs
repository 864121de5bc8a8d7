//! Where a connector goes on from.

use super::*;

fn at(version: &str, position: i64) -> Json {
    let partition = json!({ "filename": "/x" }).to_string();
    let offset = json!({ "position": position }).to_string();
    json!({ "offsets": { "version": version, "positions": [{ "partition": partition, "offset": offset }] } })
}

fn state(fake: &FakeConnect) -> String {
    fake.kept().connectors["a b"].state.clone()
}

#[tokio::test]
async fn offsets_are_set_while_the_connector_is_stopped() {
    let fake = FakeConnect::start().await;
    let config = with(&sink(), &at("1", 5));
    let stored = run(&fake).applied(&nothing(), &config).await;
    let offsets = |fake: &FakeConnect| json!(fake.kept().connectors["a b"].offsets);
    assert_eq!(offsets(&fake), json!([{ "partition": { "filename": "/x" }, "offset": { "position": 5 } }]));
    assert_eq!((status(&stored), fake.kept().connectors["a b"].state.as_str()), ("running".into(), "RUNNING"));
    plans_nothing(&fake, &stored, &config).await;
    let reset = with(&sink(), &json!({ "offsets": { "version": "2", "reset": true } }));
    let stored = run(&fake).applied(&stored, &reset).await;
    assert_eq!(offsets(&fake), json!([]));
    assert_eq!(status(&stored), "running".into());
    // Nobody moves it when the block goes.
    run(&fake).applied(&stored, &sink()).await;
    let stops = fake.asked().iter().filter(|it| it.ends_with("/stop")).count();
    assert_eq!(stops, 1, "a new one begins so");
}

#[tokio::test]
async fn a_connector_whose_offsets_cannot_be_set_is_what_it_was() {
    let fake = FakeConnect::start().await;
    for (declared, was) in [(json!({}), "RUNNING"), (json!({ "state": "paused" }), "PAUSED")] {
        let config = with(&with(&sink(), &json!({ "on_existing": "adopt" })), &declared);
        let stored = run(&fake).applied(&nothing(), &config).await;
        fake.kept().refuses_offsets = Some("Failed to parse".to_owned());
        let moving = with(&config, &at("1", 5));
        let planned = run(&fake).plan(&stored, &moving).await;
        let failed = run(&fake).apply(&stored, planned.planned, &moving).await;
        told(&failed.diagnostics, Severity::Error, "Offsets refused", "Failed to parse");
        let back = format!("It was told to be {}, as it was before", was.to_lowercase());
        assert!(failed.diagnostics.0[0].detail.contains(&back), "{:?}", failed.diagnostics);
        assert_eq!(state(&fake), was);
        fake.kept().refuses_offsets = None;
        let stored = run(&fake).applied(&stored, &moving).await;
        assert_eq!((state(&fake).as_str(), fake.kept().connectors["a b"].offsets.len()), (was, 1));
        run(&fake).applied(&stored, &config).await;
    }
}

/// A create that was killed leaves the connector stopped, and a plan of a change cannot tell who stopped it.
#[tokio::test]
async fn what_an_apply_that_was_killed_left_stopped_runs_in_the_end() {
    let fake = FakeConnect::start().await;
    let values = sink()["config"].as_object().unwrap().clone();
    let values = values.into_iter().map(|(key, it)| (key, it.as_str().unwrap().to_owned())).collect();
    let stopped = Some(Target::Stopped);
    fake.client().create(&"a b".parse().unwrap(), &values, stopped, soon()).await.unwrap();
    let config = with(&sink(), &at("1", 5));
    let planned = run(&fake).plan(&nothing(), &config).await;
    let resumed = run(&fake).apply(&nothing(), planned.planned, &config).await;
    told(&resumed.diagnostics, Severity::Warning, "Connector taken over", "as a create leaves it");
    assert_eq!((state(&fake).as_str(), fake.kept().connectors["a b"].offsets.len()), ("RUNNING", 1));

    "STOPPED".clone_into(&mut fake.kept().connectors.get_mut("a b").unwrap().state);
    let seen = refreshed(&fake, &resumed.stored).await;
    let moving = with(&sink(), &at("2", 6));
    let planned = run(&fake).plan(&seen, &moving).await;
    told(&planned.diagnostics, Severity::Warning, "Connector stays stopped", "`state = \"running\"`");
    quiet(&run(&fake).apply(&seen, planned.planned, &moving).await.diagnostics);
    assert_eq!(state(&fake), "STOPPED", "nobody knows that it was not an operator");
    quiet(&run(&fake).plan(&seen, &with(&moving, &json!({ "state": "running" }))).await.diagnostics);
}

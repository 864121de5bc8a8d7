//! The resource on workers in memory.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::{
    clients::{
        connect::{Target, fake::FakeConnect},
        memory::MemoryCluster,
        rest::Services,
    },
    framework::{Diagnostic, Diagnostics, Severity, Stored, Value},
    governance::{
        acl::Principal,
        policy::{ConnectorPolicy, Policy},
    },
    provider::{Acting, Context, Environment},
    resources::testing::{Run, change_policy, govern, governed_by, nothing, quiet, soon, told},
};

mod leave;
mod logins;
mod oddities;
mod offsets;
mod places;

const TRACE: &str =
    "org.apache.kafka.connect.errors.ConnectException: No file\n\tat a.B\nCaused by: java.io.IOException: /x";

fn run_on(cluster: &Arc<MemoryCluster>, fakes: &[(&str, &FakeConnect)], acting: Acting) -> Run {
    let connect = fakes.iter().map(|(name, it)| ((*name).to_owned(), it.client())).collect();
    let services = Services { connect, ..Services::default() };
    let environment = Environment::new("dev", cluster.clone() as _).acting(Arc::new(acting), None).beside(services);
    Run::with(Context::new([environment], None), "connector")
}

/// A new process beside a cluster that nobody governs.
fn run(fake: &FakeConnect) -> Run {
    run_on(&Arc::new(MemoryCluster::new(1)), &[("main", fake)], Acting::default())
}

fn sink() -> Json {
    json!({
        "name": "a b",
        "config": { "connector.class": "org.example.FileSinkConnector", "topics": "t", "file": "/tmp/x" },
    })
}

/// The same, with more attributes.
fn with(config: &Json, more: &Json) -> Json {
    let mut res = config.clone();
    res.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    res
}

/// The same, with other values in `config`.
fn configured(config: &Json, more: &Json) -> Json {
    with(config, &json!({ "config": with(&config["config"], more) }))
}

fn secrets(version: &str, values: &Json) -> Json {
    json!({ "config_wo": values, "config_wo_version": version })
}

fn sent(fake: &FakeConnect) -> Json {
    json!(fake.kept().connectors["a b"].config)
}

fn status(stored: &Stored) -> Value {
    stored.state.attribute("status").clone()
}

/// The value of a key of a map; null where it has none.
fn entry(map: &Value, key: &str) -> Value {
    let Value::Map(entries) = map else { unreachable!("{map:?} is a map") };
    entries.get(key).cloned().unwrap_or_default()
}

async fn refreshed(fake: &FakeConnect, stored: &Stored) -> Stored {
    let seen = run(fake).read(stored).await;
    quiet(&seen.diagnostics);
    seen.stored
}

/// Has a refresh and a plan change nothing.
async fn plans_nothing(fake: &FakeConnect, stored: &Stored, config: &Json) {
    let seen = refreshed(fake, stored).await;
    assert_eq!(seen.state, stored.state);
    let planned = run(fake).plan(&seen, config).await;
    quiet(&planned.diagnostics);
    assert_eq!(planned.planned.state, stored.state);
}

#[tokio::test]
async fn a_connector_lives_from_its_creation_to_its_end() {
    let fake = FakeConnect::start().await;
    let stored = run(&fake).applied(&nothing(), &sink()).await;
    assert_eq!(stored.state.attribute("id"), &Value::from("dev/main/a b"));
    assert_eq!(status(&stored), "running".into());
    plans_nothing(&fake, &stored, &sink()).await;

    let changed = configured(&sink(), &json!({ "file": "/tmp/y" }));
    let stored = run(&fake).applied(&stored, &changed).await;
    assert_eq!(sent(&fake), changed["config"]);
    let paused = with(&changed, &json!({ "state": "paused" }));
    let stored = run(&fake).applied(&stored, &paused).await;
    assert_eq!((status(&stored), fake.kept().connectors["a b"].state.as_str()), ("paused".into(), "PAUSED"));
    plans_nothing(&fake, &stored, &paused).await;

    quiet(&run(&fake).destroy(&stored).await.diagnostics);
    assert!(fake.kept().connectors.is_empty());
    let gone = run(&fake).read(&stored).await;
    assert_eq!(gone.stored.state, Value::Null);
}

#[tokio::test]
async fn what_workers_add_is_no_drift_and_what_others_set_is() {
    let fake = FakeConnect::start().await;
    fake.kept().adds = [("cloud.id".to_owned(), "c1".to_owned()), ("__internal.x".to_owned(), "1".to_owned())].into();
    let stored = run(&fake).applied(&nothing(), &sink()).await;
    plans_nothing(&fake, &stored, &sink()).await;

    // Each value drifts alone; what somebody set may be a secret, and is not shown.
    let connectors = |fake: &FakeConnect, key: &str, value: &str| {
        let mut kept = fake.kept();
        kept.connectors.get_mut("a b").unwrap().config.insert(key.to_owned(), value.to_owned());
    };
    connectors(&fake, "file", "/tmp/other");
    connectors(&fake, "mine", "hunter2");
    let seen = refreshed(&fake, &stored).await;
    let config = seen.state.attribute("config");
    assert_eq!(entry(config, "file"), "/tmp/other".into());
    assert_eq!(entry(config, "mine"), "(set outside)".into());
    assert_eq!(entry(config, "cloud.id"), Value::Null);
    let again = refreshed(&fake, &seen).await;
    assert_eq!(again.state, seen.state, "nor by the next refresh");
    run(&fake).applied(&seen, &sink()).await;
    assert_eq!(sent(&fake), sink()["config"]);

    let referring = configured(&sink(), &json!({ "user.password": "${file:/x:y}" }));
    let stored = run(&fake).applied(&nothing(), &with(&referring, &json!({ "on_existing": "adopt" }))).await;
    connectors(&fake, "user.password", "hunter2");
    let seen = refreshed(&fake, &refreshed(&fake, &stored).await).await;
    assert_eq!(entry(seen.state.attribute("config"), "user.password"), "(set outside)".into());
}

#[tokio::test]
async fn secrets_are_sent_once_and_kept_through_other_changes() {
    let fake = FakeConnect::start().await;
    let config = with(&sink(), &secrets("1", &json!({ "user.password": "hunter2", "other": "x" })));
    let stored = run(&fake).applied(&nothing(), &config).await;
    assert_eq!(sent(&fake)["user.password"], "hunter2");
    assert!(!format!("{stored:?}").contains("hunter2"));
    plans_nothing(&fake, &stored, &config).await;

    // Nothing new is said of the secrets, whether they are written or not.
    fake.kept().connectors.get_mut("a b").unwrap().config.insert("user.password".to_owned(), "rotated".to_owned());
    let edited = configured(&config, &json!({ "file": "/tmp/y" }));
    let stored = run(&fake).applied(&stored, &edited).await;
    assert_eq!((&sent(&fake)["user.password"], &sent(&fake)["file"]), (&json!("rotated"), &json!("/tmp/y")));
    let without = with(&configured(&sink(), &json!({ "file": "/tmp/z" })), &json!({ "config_wo_version": "1" }));
    let stored = run(&fake).applied(&stored, &without).await;
    assert_eq!(sent(&fake)["user.password"], "rotated");

    // Another version replaces them all.
    let rotated = with(&without, &secrets("2", &json!({ "user.password": "new" })));
    let stored = run(&fake).applied(&stored, &rotated).await;
    assert_eq!((&sent(&fake)["user.password"], &sent(&fake)["other"]), (&json!("new"), &Json::Null));

    // A null is none, and without both nothing of them is left.
    let partly = with(&without, &secrets("3", &json!({ "user.password": "new", "none": null })));
    let stored = run(&fake).applied(&stored, &partly).await;
    plans_nothing(&fake, &stored, &partly).await;
    let stored = run(&fake).applied(&stored, &configured(&sink(), &json!({ "file": "/tmp/z" }))).await;
    assert_eq!(sent(&fake)["user.password"], Json::Null);
    let stored = run(&fake).applied(&stored, &rotated).await;

    // Where workers show asterisks, the same is no drift, and the declared secret is sent again.
    fake.kept().masks = vec!["user.password".to_owned()];
    plans_nothing(&fake, &stored, &rotated).await;
    let edited = configured(&rotated, &json!({ "file": "/tmp/w" }));
    let stored = run(&fake).applied(&stored, &edited).await;
    assert_eq!(sent(&fake)["user.password"], "new");
    let without = with(&configured(&sink(), &json!({ "file": "/tmp/v" })), &json!({ "config_wo_version": "2" }));
    let planned = run(&fake).plan(&stored, &without).await;
    told(&planned.diagnostics, Severity::Error, "Secret cannot be kept", "Write it into `config_wo`");

    fake.kept().masks.clear();
    fake.kept().connectors.get_mut("a b").unwrap().config.remove("user.password");
    let seen = run(&fake).read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Secret lost", "`user.password`");
    assert_eq!(seen.stored.state.attribute("config_wo_version"), &Value::Null);
}

#[tokio::test]
async fn a_connector_that_fails_is_told_with_its_cause_and_made_anew() {
    let fake = FakeConnect::start().await;
    fake.kept().fails_with = Some(format!("{TRACE}: hunter2"));
    let config = with(&sink(), &secrets("1", &json!({ "user.password": "hunter2" })));
    let planned = run(&fake).plan(&nothing(), &config).await;
    let failed = run(&fake).apply(&nothing(), planned.planned.clone(), &config).await;
    let detail = "task 0 on `w:8083`: org.apache.kafka.connect.errors.ConnectException: No file\n  Caused by: \
                  java.io.IOException: /x: …";
    told(&failed.diagnostics, Severity::Error, "Connector failed", detail);
    assert!(failed.diagnostics.0[0].detail.contains("It was deleted again"), "{:?}", failed.diagnostics);
    assert_eq!((failed.stored, fake.kept().connectors.len()), (nothing(), 0));

    let message = format!("{}: hunter2", "x".repeat(292));
    let refusal = json!({ "error_code": 400, "message": message }).to_string();
    let absent = json!({ "error_code": 404, "message": "Connector a b not found" }).to_string();
    fake.kept().next = [(404, "application/json", absent), (400, "application/json", refusal)].into();
    let refused = run(&fake).apply(&nothing(), planned.planned.clone(), &config).await;
    told(&refused.diagnostics, Severity::Error, "Refused by Connect", "xx: …");
    assert!(!format!("{:?}", refused.diagnostics).contains("hun"), "{:?}", refused.diagnostics);
    assert_eq!(fake.kept().next.len(), 0);

    let careless = with(&config, &json!({ "wait_for": "nothing" }));
    let stored = run(&fake).applied(&nothing(), &careless).await;
    assert_eq!(status(&stored), "failed".into());
    let seen = run(&fake).read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Connector failed", "Nobody starts it anew");
    assert!(!format!("{:?}", seen.diagnostics).contains("hunter2"), "{:?}", seen.diagnostics);

    fake.kept().fails_with = None;
    let before = fake.asked().len();
    let planned = run(&fake).plan(&seen.stored, &config).await;
    assert_eq!(planned.planned.state.attribute("status"), &Value::UNKNOWN, "what failed is started anew");
    let mended = run(&fake).apply(&seen.stored, planned.planned, &config).await;
    quiet(&mended.diagnostics);
    assert_eq!(status(&mended.stored), "running".into());
    let did: Vec<String> = fake.asked()[before..].iter().filter(|it| !it.starts_with("GET")).cloned().collect();
    assert_eq!(did, ["POST /connectors/a%20b/restart?includeTasks=true&onlyFailed=true"], "and nothing else");
}

#[tokio::test]
async fn what_failed_can_be_paused_and_runs_again_when_it_is_to() {
    let fake = FakeConnect::start().await;
    let careless = with(&sink(), &json!({ "wait_for": "nothing" }));
    let stored = run(&fake).applied(&nothing(), &careless).await;
    // It fails between plan and apply of a change that starts nothing.
    let changed = with(&careless, &json!({ "on_unreachable": "refused" }));
    let planned = run(&fake).plan(&stored, &changed).await;
    fake.kept().connectors.get_mut("a b").unwrap().trace = Some(TRACE.to_owned());
    let before = fake.asked().len();
    let applied = run(&fake).apply(&stored, planned.planned, &changed).await;
    quiet(&applied.diagnostics);
    assert_eq!(status(&applied.stored), "running".into(), "as the plan told");
    assert!(fake.asked()[before..].iter().all(|it| it.starts_with("GET")), "{:?}", fake.asked());

    let paused = with(&sink(), &json!({ "state": "paused" }));
    let stored = run(&fake).applied(&applied.stored, &paused).await;
    assert_eq!((status(&stored), fake.kept().connectors["a b"].state.as_str()), ("failed".into(), "PAUSED"));
    let stored = run(&fake).applied(&stored, &with(&sink(), &json!({ "state": "running" }))).await;
    assert_eq!(status(&stored), "running".into());
}

#[tokio::test]
async fn what_operators_do_stays_where_nothing_is_declared_of_it() {
    let fake = FakeConnect::start().await;
    let stored = run(&fake).applied(&nothing(), &sink()).await;
    fake.kept().connectors.get_mut("a b").unwrap().state = "PAUSED".to_owned();
    let seen = refreshed(&fake, &stored).await;
    assert_eq!(status(&seen), "paused".into());
    plans_nothing(&fake, &seen, &sink()).await;
    let edited = configured(&sink(), &json!({ "file": "/tmp/y" }));
    // The fake starts what is configured anew, as no worker does.
    let declared = with(&edited, &json!({ "state": "running" }));
    let stored = run(&fake).applied(&seen, &declared).await;
    fake.kept().connectors.get_mut("a b").unwrap().state = "STOPPED".to_owned();
    let seen = refreshed(&fake, &stored).await;
    assert_eq!(seen.state.attribute("state"), &Value::from("stopped"), "what is declared is drift");
    let stored = run(&fake).applied(&seen, &declared).await;
    assert_eq!(status(&stored), "running".into());
}

#[tokio::test]
async fn an_import_leaves_out_what_is_secret_and_the_next_apply_keeps_it() {
    let fake = FakeConnect::start().await;
    // One that its class calls a password, one that is called so, and one that has it in it.
    let url = "jdbc:x://h/db?password=hunter2";
    let all = json!({ "user.password": "hunter2", "hec.token": "hunter2", "url": url });
    let config = with(&sink(), &secrets("1", &all));
    run(&fake).applied(&nothing(), &config).await;
    fake.kept().passwords = vec!["user.password".to_owned()];
    for id in ["a b", "dev/a b", "dev/main/a b"] {
        let imported = run(&fake).import(id).await;
        quiet(&imported.diagnostics);
        let stored = refreshed(&fake, &imported.stored).await;
        assert!(!format!("{stored:?}").contains("hunter2"), "{stored:?}");
        plans_nothing(&fake, &stored, &sink()).await;
        let edited = configured(&sink(), &json!({ "file": id }));
        run(&fake).applied(&stored, &edited).await;
        for (key, value) in all.as_object().unwrap() {
            assert_eq!(sent(&fake)[key], *value, "no visible edit drops a secret");
        }
        let back = run(&fake).applied(&refreshed(&fake, &stored).await, &sink()).await;
        run(&fake).applied(&back, &config).await;
    }
    fake.kept().connectors.get_mut("a b").unwrap().config.insert("connector.class".to_owned(), "Gone".to_owned());
    let imported = run(&fake).import("a b").await;
    let seen = run(&fake).read(&imported.stored).await;
    told(&seen.diagnostics, Severity::Warning, "Imported without configuration", "do not know the class");
    assert_eq!(entry(seen.stored.state.attribute("config"), "file"), Value::Null, "anything may be secret");
    let none = run(&fake).import("a/b/c/d").await;
    told(&none.diagnostics, Severity::Error, "Invalid connector identifier", "<environment>/<connect>/<name>");
}

#[tokio::test]
async fn what_exists_is_taken_over_where_it_is_the_same_or_that_is_said() {
    let fake = FakeConnect::start().await;
    run(&fake).applied(&nothing(), &sink()).await;
    let planned = run(&fake).plan(&nothing(), &sink()).await;
    let taken = run(&fake).apply(&nothing(), planned.planned, &sink()).await;
    told(&taken.diagnostics, Severity::Warning, "Connector taken over", "as a create leaves it");
    let other = configured(&sink(), &json!({ "file": "/tmp/y" }));
    let planned = run(&fake).plan(&nothing(), &other).await;
    let refused = run(&fake).apply(&nothing(), planned.planned, &other).await;
    told(&refused.diagnostics, Severity::Error, "Connector already exists", "on_existing = \"adopt\"");
    let adopting = with(&other, &json!({ "on_existing": "adopt" }));
    let planned = run(&fake).plan(&nothing(), &adopting).await;
    quiet(&run(&fake).apply(&nothing(), planned.planned, &adopting).await.diagnostics);
    assert_eq!(sent(&fake)["file"], "/tmp/y");
}

#[tokio::test]
async fn what_workers_and_rules_say_is_told_in_the_plan() {
    let fake = FakeConnect::start().await;
    let policy = |tasks| Policy {
        connectors: ConnectorPolicy { max_tasks: Some(tasks), ..ConnectorPolicy::default() },
        ..Policy::default()
    };
    let cluster = governed_by(policy(2)).await;
    let application = json!({ "name": "billing", "owner": { "team": "payments" }, "principals": ["User:billing"] });
    Run::on(&cluster, "application", Acting::default()).applied(&nothing(), &application).await;
    let team = || {
        let acting = Acting { application: Some("billing".parse().unwrap()), ..Acting::default() };
        run_on(&cluster, &[("main", &fake)], acting)
    };
    let own = json!({
        "name": "billing.sink",
        "config": { "connector.class": "FileSink", "topics": "billing.orders", "tasks.max": "2" },
    });
    let errors = async |config: &Json| {
        let planned = team().plan(&nothing(), config).await;
        let errors = planned.diagnostics.0.into_iter().filter(|it| it.severity == Severity::Error);
        let at = |it: &Diagnostic| it.path.as_ref().map(ToString::to_string).unwrap_or_default();
        errors.map(|it| format!("{}: {}", at(&it), it.summary)).collect::<Vec<_>>()
    };
    assert_eq!(errors(&own).await, Vec::<String>::new());
    assert_eq!(errors(&sink()).await, ["name: Connector outside the prefixes"]);
    let greedy = configured(&own, &json!({ "tasks.max": "3", "topics": "shipping.orders" }));
    let expected = ["config[\"tasks.max\"]: Too many tasks", "config[\"topics\"]: Topic of another application"];
    assert_eq!(errors(&greedy).await, expected);
    let hiding = with(&own, &secrets("1", &json!({ "transforms.r.type": "RegexRouter" })));
    assert_eq!(errors(&hiding).await, ["config[\"transforms.r.type\"]: Key hidden from the rules"]);
    let planned = team().plan(&nothing(), &own).await;
    change_policy(&cluster, policy(1)).await;
    let failed = team().apply(&nothing(), planned.planned, &own).await;
    assert!(failed.diagnostics.0.iter().any(|it| it.summary == "Too many tasks"), "{:?}", failed.diagnostics);
    assert_eq!(fake.kept().connectors.len(), 0, "rules that came between plan and apply hold");
    change_policy(&cluster, policy(2)).await;

    fake.kept().objections = [("file".to_owned(), "Missing \"file\"; is hunter2 one?".to_owned())].into();
    fake.kept().passwords = vec!["user.password".to_owned()];
    let visible = configured(&own, &json!({ "user.password": "hunter2" }));
    let expected = [
        "config[\"file\"]: Configuration refused by Connect",
        "config[\"user.password\"]: Secret in the configuration",
    ];
    assert_eq!(errors(&visible).await, expected);
    let reference = configured(&own, &json!({ "user.password": "${file:/x:y}", "file": "x" }));
    assert_eq!(errors(&reference).await, expected[..1]);
    let hidden = with(&own, &secrets("1", &json!({ "user.password": "hunter2" })));
    let planned = team().plan(&nothing(), &hidden).await;
    assert!(!format!("{:?}", planned.diagnostics).contains("hunter2"), "{:?}", planned.diagnostics);
    let strange = configured(&own, &json!({ "connector.class": "org.example.FileSnkConnector" }));
    let planned = team().plan(&nothing(), &strange).await;
    let told = planned.diagnostics.0.iter().find(|it| it.summary == "Connector class not installed").unwrap();
    for part in
        ["- org.example.FileSourceConnector (source 1.0)", "Is `org.example.FileSinkConnector` meant?", "of `main`"]
    {
        assert!(told.detail.contains(part), "{}", told.detail);
    }

    let before = fake.asked().len();
    fake.kept().objections.clear();
    let stored = team().apply(&nothing(), team().plan(&nothing(), &own).await.planned, &own).await.stored;
    let planned = team().plan(&stored, &own).await;
    assert_eq!(planned.planned.state, stored.state);
    let validated = fake.asked()[before..].iter().filter(|it| it.contains("/validate")).count();
    assert_eq!(validated, 1, "what does not change is not asked about");
}

#[tokio::test]
async fn what_somebody_else_makes_meanwhile_is_not_deleted() {
    let fake = FakeConnect::start().await;
    let other = configured(&sink(), &json!({ "file": "/tmp/theirs" }));
    run(&fake).applied(&nothing(), &other).await;
    let planned = run(&fake).plan(&nothing(), &sink()).await;
    let absent = json!({ "error_code": 404, "message": "Connector a b not found" }).to_string();
    fake.kept().next = [(404, "application/json", absent)].into();
    let refused = run(&fake).apply(&nothing(), planned.planned, &sink()).await;
    told(&refused.diagnostics, Severity::Error, "Connector already exists", "on_existing = \"adopt\"");
    assert_eq!(sent(&fake)["file"], "/tmp/theirs");
}

#[tokio::test]
async fn workers_before_kafka_3_7_are_told_after_they_made_it() {
    let fake = FakeConnect::start().await;
    "3.6.2".clone_into(&mut fake.kept().version);
    let stored = run(&fake).applied(&nothing(), &with(&sink(), &json!({ "state": "paused" }))).await;
    assert_eq!(status(&stored), "paused".into());
    assert!(fake.asked().contains(&"PUT /connectors/a%20b/pause".to_owned()));
}

#[test]
fn bad_input_is_told_at_its_attribute() {
    let run = Run::with(Context::new([], None), "connector");
    let check = |config: &Json, summary: &str, path: &str| {
        let told = run.validate(config);
        let all: Vec<_> =
            told.0.iter().map(|it| (it.summary.as_str(), it.path.as_ref().map(ToString::to_string))).collect();
        assert_eq!(all, [(summary, Some(path.to_owned()))], "{told:?}");
    };
    check(&with(&sink(), &json!({ "name": "a/b" })), "Invalid connector name", "name");
    check(&with(&sink(), &json!({ "name": "a%b" })), "Invalid connector name", "name");
    check(&with(&sink(), &json!({ "state": "failed" })), "Invalid state", "state");
    check(&with(&sink(), &json!({ "config": {} })), "Missing connector class", "config[\"connector.class\"]");
    check(&configured(&sink(), &json!({ "name": "other" })), "Two names", "config[\"name\"]");
    let twice = with(&sink(), &secrets("1", &json!({ "file": "x" })));
    check(&twice, "Key written twice", "config[\"file\"]");
    let unversioned = with(&sink(), &json!({ "config_wo": { "x": "y" } }));
    check(&unversioned, "Missing version of the secrets", "config_wo_version");
    check(&with(&sink(), &json!({ "offsets": { "version": "1" } })), "Invalid offsets", "offsets");
    let odd = json!({ "offsets": { "positions": [{ "partition": "x" }] } });
    check(&with(&sink(), &odd), "Invalid offsets", "offsets.positions[0].partition");
    quiet(&run.validate(&with(&sink(), &json!({ "name": "with spaces" }))));
}

#[tokio::test]
async fn who_cannot_know_the_rules_changes_nothing_of_the_workers() {
    const HIDDEN: &str = "Rules not to be seen";
    let (cluster, fake) = (governed_by(Policy::default()).await, FakeConnect::start().await);
    let stranger = Arc::new(cluster.seen_by(Principal::user("stranger")));
    let stranger = || run_on(&stranger, &[("main", &fake)], Acting::default());
    let planned = stranger().plan(&nothing(), &sink()).await;
    told(&planned.diagnostics, Severity::Warning, HIDDEN, "Connect workers do not");
    let failed = stranger().apply(&nothing(), planned.planned, &sink()).await;
    told(&failed.diagnostics, Severity::Error, HIDDEN, "`KAFKA_ACTING_APPLICATION`");
    assert_eq!(fake.kept().connectors.len(), 0);
    let stored = run_on(&cluster, &[("main", &fake)], Acting::default()).applied(&nothing(), &sink()).await;
    told(&stranger().destroy(&stored).await.diagnostics, Severity::Error, HIDDEN, "changes nothing there");
    assert_eq!(fake.kept().connectors.len(), 1);
}

#[tokio::test]
async fn another_applications_connector_is_neither_imported_nor_replaced() {
    const REFUSED: &str = "Connector of another application";
    let (cluster, fake) = (Arc::new(MemoryCluster::new(1)), FakeConnect::start().await);
    let there = with(&sink(), &json!({ "name": "billing.a" }));
    let stored = run_on(&cluster, &[("main", &fake)], Acting::default()).applied(&nothing(), &there).await;
    govern(&cluster, Policy::default()).await;
    for name in ["billing", "shop"] {
        let application = json!({ "name": name, "owner": { "team": "a" }, "principals": [format!("User:{name}")] });
        Run::on(&cluster, "application", Acting::default()).applied(&nothing(), &application).await;
    }
    let run_as = |application: &str| {
        let acting = Acting { application: Some(application.parse().unwrap()), ..Acting::default() };
        run_on(&cluster, &[("main", &fake)], acting)
    };
    told(&run_as("shop").import("billing.a").await.diagnostics, Severity::Error, REFUSED, "`billing.a`");
    quiet(&run_as("billing").import("billing.a").await.diagnostics);
    let renamed = with(&sink(), &json!({ "name": "shop.a" }));
    let planned = run_as("shop").plan(&stored, &renamed).await;
    assert!(
        planned.diagnostics.0.iter().any(|it| it.severity == Severity::Error && it.summary == REFUSED),
        "{planned:?}"
    );
}

//! SCRAM credentials on a cluster in memory.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::{
    clients::{
        kafka::{KafkaError, NewScramCredential, ScramMechanism, ScramUsers, Secret},
        memory::MemoryCluster,
    },
    framework::{Diagnostics, Severity, Stored, Value, check},
    governance::{
        acl::Principal,
        environment::ClusterFacts,
        policy::{DeployerRights, Policy},
    },
    provider::{Acting, Context, Environment},
    resources::testing::{Run, governed_by, governed_with, nothing, quiet, soon, told},
};

use ScramMechanism::{Sha256, Sha512};

fn cluster() -> Arc<MemoryCluster> {
    Arc::new(MemoryCluster::new(1))
}

fn run(cluster: &Arc<MemoryCluster>) -> Run {
    Run::on(cluster, "user_scram_credential", Acting::default())
}

/// The declaration of a password of `billing`.
fn billing(password: &str, version: &str) -> Json {
    json!({
        "username": "billing", "scram_mechanism": "SCRAM-SHA-512",
        "password_wo": password, "password_wo_version": version,
    })
}

fn with(mut config: Json, key: &str, value: Json) -> Json {
    config[key] = value;
    config
}

fn password(cluster: &MemoryCluster) -> Option<String> {
    cluster.scram_password("billing", Sha512)
}

/// Gives `billing` a password, as somebody else does.
async fn set(cluster: &MemoryCluster, password: &str, iterations: u32) {
    let (user, password) = ("billing".to_owned(), Secret::new(password));
    let credential = NewScramCredential { user, mechanism: Sha512, iterations, password };
    cluster.set_scram_credential(&credential, soon()).await.unwrap();
}

/// All that Terraform keeps of an object.
fn kept(stored: &Stored) -> String {
    format!("{stored:?} {}", String::from_utf8_lossy(&stored.private.to_bytes()))
}

fn summaries(diagnostics: &Diagnostics) -> Vec<(Severity, &str, String)> {
    let at = |path: &Option<_>| path.as_ref().map(ToString::to_string).unwrap_or_default();
    diagnostics.0.iter().map(|it| (it.severity, it.summary.as_str(), at(&it.path))).collect()
}

#[tokio::test]
async fn a_password_reaches_the_cluster_and_nothing_else() {
    let cluster = cluster();
    let config = billing("hunter2", "1");
    let planned = run(&cluster).plan(&nothing(), &config).await;
    assert!(!kept(&planned.planned).contains("hunter2"), "{planned:?}");
    let stored = run(&cluster).applied(&nothing(), &config).await;
    assert_eq!(password(&cluster).as_deref(), Some("hunter2"));
    assert!(!kept(&stored).contains("hunter2"), "{stored:?}");
    assert_eq!(stored.state.attribute("password_wo"), &Value::Null);
    assert_eq!(stored.state.attribute("id"), &"dev/billing/SCRAM-SHA-512".into());
    assert_eq!(stored.state.attribute("scram_iterations"), &4096.into());
    let seen = run(&cluster).read(&stored).await;
    quiet(&seen.diagnostics);
    assert_eq!(seen.stored.state, stored.state);
}

#[tokio::test]
async fn a_password_is_sent_when_its_version_or_the_iterations_change_and_only_then() {
    let cluster = cluster();
    let stored = run(&cluster).applied(&nothing(), &billing("one", "1")).await;
    let unnoticed = run(&cluster).plan(&stored, &billing("two", "1")).await;
    assert_eq!(unnoticed.planned.state, stored.state, "the version is what tells");

    let rotated = run(&cluster).applied(&stored, &billing("two", "2")).await;
    assert_eq!(password(&cluster).as_deref(), Some("two"));

    let config = with(billing("two", "2"), "scram_iterations", json!(8192));
    let hashed = run(&cluster).applied(&rotated, &config).await;
    assert_eq!(cluster.scram_user("billing", soon()).await.unwrap()[&Sha512], 8192);

    // Whoever stops to declare the version keeps the password.
    let bare = json!({ "username": "billing", "scram_mechanism": "SCRAM-SHA-512", "scram_iterations": 8192 });
    let calls = cluster.calls().len();
    let left = run(&cluster).applied(&hashed, &bare).await;
    assert!(!cluster.calls()[calls..].contains(&"set_scram_credential"));
    assert_eq!(left.state.attribute("password_wo_version"), &Value::Null);
}

#[tokio::test]
async fn a_change_that_takes_the_password_is_refused_without_it() {
    let cluster = cluster();
    let without = |version: &str, iterations: i64| {
        json!({
            "username": "billing", "scram_mechanism": "SCRAM-SHA-512", "password_wo_version": version,
            "scram_iterations": iterations,
        })
    };
    let missing = [(Severity::Error, "Password missing", "password_wo".to_owned())];
    let planned = run(&cluster).plan(&nothing(), &without("1", 4096)).await;
    assert_eq!(summaries(&planned.diagnostics), missing);
    let stored = run(&cluster).applied(&nothing(), &billing("one", "1")).await;
    for config in [without("2", 4096), without("1", 5000)] {
        let planned = run(&cluster).plan(&stored, &config).await;
        assert_eq!(summaries(&planned.diagnostics), missing, "{config}");
    }
    let planned = run(&cluster).plan(&stored, &without("1", 4096)).await;
    quiet(&planned.diagnostics);
}

#[tokio::test]
async fn what_somebody_else_did_is_seen_but_for_the_password() {
    let cluster = cluster();
    let config = billing("one", "1");
    let stored = run(&cluster).applied(&nothing(), &config).await;
    set(&cluster, "theirs", 8192).await;
    let seen = run(&cluster).read(&stored).await;
    quiet(&seen.diagnostics);
    assert_eq!(seen.stored.state.attribute("scram_iterations"), &8192.into());
    let mended = run(&cluster).applied(&seen.stored, &config).await;
    assert_eq!(password(&cluster).as_deref(), Some("one"), "iterations take the password with them");
    cluster.delete_scram_credential("billing", Sha512, soon()).await.unwrap();
    let seen = run(&cluster).read(&mended).await;
    quiet(&seen.diagnostics);
    assert_eq!(seen.stored.state, Value::Null);
}

#[tokio::test]
async fn a_missing_right_is_no_absence() {
    let cluster = cluster();
    let stored = run(&cluster).applied(&nothing(), &billing("one", "1")).await;
    let nobody = Arc::new(cluster.seen_by(Principal::user("nobody")));
    let seen = run(&nobody).read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Credential not refreshed", "stays as it was stored");
    assert_eq!(seen.stored.state, stored.state);

    let config = with(billing("one", "1"), "scram_mechanism", json!("SCRAM-SHA-256"));
    let planned = run(&nobody).plan(&nothing(), &config).await;
    let summaries: Vec<_> = planned.diagnostics.0.iter().map(|it| (it.severity, it.summary.as_str())).collect();
    let expected = ["Credentials not permitted", "Not checked by the broker"].map(|it| (Severity::Warning, it));
    assert_eq!(summaries, expected);
    assert!(planned.diagnostics.0[1].detail.contains("only in apply"), "{planned:?}");
    let outcome = run(&nobody).apply(&nothing(), planned.planned, &config).await;
    told(&outcome.diagnostics, Severity::Error, "Not permitted by Kafka", "may not DESCRIBE the cluster");
    let outcome = run(&nobody).destroy(&stored).await;
    told(&outcome.diagnostics, Severity::Error, "Not permitted by Kafka", "may not ALTER the cluster");
    let imported = run(&nobody).import("dev/billing/SCRAM-SHA-512").await;
    let seen = run(&nobody).read(&imported.stored).await;
    told(&seen.diagnostics, Severity::Error, "Not permitted by Kafka", "may not DESCRIBE the cluster");
}

#[tokio::test]
async fn a_plan_tells_whoever_may_only_look_that_apply_takes_more() {
    let cluster = cluster();
    let stored = run(&cluster).applied(&nothing(), &billing("one", "1")).await;
    cluster.add_rules(["CLUSTER|LITERAL|kafka-cluster|User:viewer|*|DESCRIBE|ALLOW".parse().unwrap()]);
    let viewer = Arc::new(cluster.seen_by(Principal::user("viewer")));
    quiet(&run(&viewer).plan(&stored, &billing("one", "1")).await.diagnostics);
    let new = with(billing("one", "1"), "username", json!("orders"));
    for (prior, config) in [(&nothing(), new), (&stored, billing("two", "2"))] {
        let planned = run(&viewer).plan(prior, &config).await;
        told(&planned.diagnostics, Severity::Warning, "Credentials not permitted", "may not ALTER the cluster");
    }
    let planned = run(&viewer).plan_end(&stored).await;
    told(&planned.diagnostics, Severity::Warning, "Credentials not permitted", "may not ALTER the cluster");
}

/// Rule 25 of Terraform's core: an import knows no version, so that the first apply sends the password once.
#[tokio::test]
async fn an_import_sends_the_password_once() {
    let cluster = cluster();
    set(&cluster, "theirs", 5000).await;
    let config = with(billing("ours", "1"), "scram_iterations", json!(5000));
    for id in ["dev/billing/SCRAM-SHA-512", "billing/SCRAM-SHA-512", "billing|SCRAM-SHA-512"] {
        let imported = run(&cluster).import(id).await;
        quiet(&imported.diagnostics);
        let seen = run(&cluster).read(&imported.stored).await;
        assert_eq!(seen.stored.state.attribute("scram_iterations"), &5000.into(), "{id}");
        assert_eq!(seen.stored.state.attribute("password_wo_version"), &Value::Null);
        let stored = run(&cluster).applied(&seen.stored, &config).await;
        assert_eq!(password(&cluster).as_deref(), Some("ours"));
        let again = run(&cluster).plan(&stored, &config).await;
        assert_eq!(again.planned.state, stored.state);
    }
    let wrong = run(&cluster).import("billing|SCRAM-SHA-512|hunter2").await;
    told(&wrong.diagnostics, Severity::Error, "Invalid credential identifier", "A password is no part of it");
    assert!(!format!("{wrong:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_credential_that_exists_is_not_overwritten_unless_it_is_adopted() {
    let cluster = cluster();
    set(&cluster, "theirs", 4096).await;
    let config = billing("ours", "1");
    let planned = run(&cluster).plan(&nothing(), &config).await;
    told(&planned.diagnostics, Severity::Warning, "Credential already exists", "on_existing = \"adopt\"");
    assert!(planned.diagnostics.0[0].detail.contains("where this plan replaces it"), "{planned:?}");
    let outcome = run(&cluster).apply(&nothing(), planned.planned, &config).await;
    told(&outcome.diagnostics, Severity::Error, "Credential already exists", "would lock out");
    assert_eq!((outcome.stored.state, password(&cluster).as_deref()), (Value::Null, Some("theirs")));
    run(&cluster).applied(&nothing(), &with(config, "on_existing", json!("adopt"))).await;
    assert_eq!(password(&cluster).as_deref(), Some("ours"));
}

/// Kill the process at any moment: the next apply finishes the job.
#[tokio::test]
async fn a_credential_whose_making_was_interrupted_is_found_to_be_the_planned_one() {
    let cluster = cluster();
    let config = billing("hunter2", "1");
    set(&cluster, "hunter2", 4096).await;
    let stored = run(&cluster).applied(&nothing(), &config).await;
    assert_eq!(stored.state.attribute("password_wo_version"), &"1".into());
    let sent = cluster.calls().iter().filter(|it| **it == "set_scram_credential").count();
    assert_eq!(sent, 1, "what is there already is not sent again");
    quiet(&run(&cluster).destroy(&stored).await.diagnostics);
    assert_eq!(password(&cluster), None);
}

#[tokio::test]
async fn a_credential_that_is_another_or_may_be_is_told_with_what_is_known_of_it() {
    let cluster = cluster();
    let config = billing("hunter2", "1");
    let refused = async |what: &str| {
        let planned = run(&cluster).plan(&nothing(), &config).await;
        told(&planned.diagnostics, Severity::Warning, "Credential already exists", what);
        let outcome = run(&cluster).apply(&nothing(), planned.planned, &config).await;
        told(&outcome.diagnostics, Severity::Error, "Credential already exists", what);
        told(&outcome.diagnostics, Severity::Error, "Credential already exists", "on_existing = \"adopt\"");
        assert!(!format!("{outcome:?}").contains("hunter2"), "{outcome:?}");
    };
    set(&cluster, "hunter2", 8192).await;
    refused("It is hashed 8192 times").await;
    set(&cluster, "theirs", 4096).await;
    refused("Nobody can log in with the one that is declared here").await;
    set(&cluster, "hunter2", 4096).await;
    cluster.stop_sasl();
    refused("nobody can log in with SCRAM-SHA-512 (offered: none)").await;

    cluster.fail("log_in_as", KafkaError::Deadline("logging in as `billing`".to_owned()));
    let planned = run(&cluster).plan(&nothing(), &config).await;
    told(&planned.diagnostics, Severity::Warning, "Credential already exists", "the time was up while logging in");
}

#[tokio::test]
async fn both_mechanisms_of_a_user_are_two_and_each_goes_alone() {
    let cluster = cluster();
    let config = billing("one", "1");
    let stored = run(&cluster).applied(&nothing(), &config).await;
    let other = with(config, "scram_mechanism", json!("SCRAM-SHA-256"));
    run(&cluster).applied(&nothing(), &other).await;
    quiet(&run(&cluster).destroy(&stored).await.diagnostics);
    let left = cluster.scram_user("billing", soon()).await.unwrap();
    assert_eq!(left.keys().collect::<Vec<_>>(), [&Sha256]);
    quiet(&run(&cluster).destroy(&stored).await.diagnostics);
}

#[tokio::test]
async fn another_user_or_mechanism_is_another_credential() {
    let cluster = cluster();
    let stored = run(&cluster).applied(&nothing(), &billing("one", "1")).await;
    for (key, value) in [("username", "sales"), ("scram_mechanism", "SCRAM-SHA-256")] {
        let planned = run(&cluster).plan(&stored, &with(billing("one", "1"), key, json!(value))).await;
        let replaced: Vec<String> = planned.replace.iter().map(ToString::to_string).collect();
        assert_eq!(replaced, [key]);
    }
}

#[tokio::test]
async fn a_credential_that_is_created_before_it_is_destroyed_stays() {
    let cluster = cluster();
    let config = billing("one", "1");
    let stored = run(&cluster).applied(&nothing(), &config).await;
    let run = run(&cluster);
    let first = run.plan(&stored, &config).await;
    let prior = Stored { private: first.planned.private, ..nothing() };
    let planned = run.plan(&prior, &billing("two", "2")).await;
    quiet(&planned.diagnostics);
    quiet(&run.apply(&nothing(), planned.planned, &billing("two", "2")).await.diagnostics);
    let outcome = run.destroy(&stored).await;
    told(&outcome.diagnostics, Severity::Warning, "Credential not deleted", "create_before_destroy");
    assert_eq!(password(&cluster).as_deref(), Some("two"));
}

#[tokio::test]
async fn one_credential_has_one_resource() {
    let cluster = cluster();
    let run = run(&cluster);
    quiet(&run.plan(&nothing(), &billing("one", "1")).await.diagnostics);
    let second = run.plan(&nothing(), &billing("two", "1")).await;
    told(&second.diagnostics, Severity::Error, "Credential planned twice", "Each would set its own");
    let other = with(billing("one", "1"), "scram_mechanism", json!("SCRAM-SHA-256"));
    quiet(&run.plan(&nothing(), &other).await.diagnostics);
}

#[tokio::test]
async fn whoever_deletes_what_they_log_in_with_is_warned() {
    let cluster = cluster();
    let stored = run(&cluster).applied(&nothing(), &billing("one", "1")).await;
    let principal = Some(Principal::user("billing"));
    let environment = Environment::new("dev", cluster).acting(Arc::default(), principal);
    let run = Run::with(Context::new([environment], None), "user_scram_credential");
    let planned = run.plan_end(&stored).await;
    told(&planned.diagnostics, Severity::Warning, "Own credential is deleted", "cannot log in");
    let planned = run.plan(&stored, &billing("two", "2")).await;
    told(&planned.diagnostics, Severity::Warning, "Own credential changes", "the new one");
}

#[tokio::test]
async fn a_broker_that_is_too_old_is_told_in_the_plan() {
    let cluster = cluster();
    let unsupported = KafkaError::Unsupported("descriptions of SCRAM credentials (Kafka 2.7)".to_owned());
    cluster.fail("refresh_scram_user", unsupported);
    let planned = run(&cluster).plan(&nothing(), &billing("one", "1")).await;
    told(&planned.diagnostics, Severity::Error, "Not supported by the broker", "(Kafka 2.7)");
}

#[test]
fn what_cannot_be_is_told_at_its_attribute_and_never_with_the_password() {
    let cluster = cluster();
    let error = |summary, at: &str| (Severity::Error, summary, at.to_owned());
    let right = || billing("hunter2", "1");
    for (config, expected) in [
        (right(), vec![]),
        (with(right(), "username", json!("")), vec![error("Invalid username", "username")]),
        (
            with(right(), "username", json!("User:billing")),
            vec![(Severity::Warning, "Username has a type", "username".to_owned())],
        ),
        (
            with(right(), "scram_mechanism", json!("SCRAM-SHA-1")),
            vec![error("Invalid SCRAM mechanism", "scram_mechanism")],
        ),
        (
            with(right(), "scram_iterations", json!(4095)),
            vec![error("Invalid number of iterations", "scram_iterations")],
        ),
        (
            with(right(), "scram_iterations", json!(16385)),
            vec![error("Invalid number of iterations", "scram_iterations")],
        ),
        (with(right(), "password_wo", json!("")), vec![error("Empty password", "password_wo")]),
        (
            with(right(), "password_wo_version", Json::Null),
            vec![error("Password without version", "password_wo_version")],
        ),
        (
            json!({ "username": "a", "scram_mechanism": "SCRAM-SHA-256", "password": "hunter2" }),
            vec![error("Password would be stored", "password")],
        ),
    ] {
        let report = run(&cluster).validate(&config);
        assert_eq!(summaries(&report), expected, "{config}");
        assert!(!format!("{report:?}").contains("hunter2"), "{report:?}");
    }
}

/// A client that does not know write-only attributes is refused wherever one of these is set.
#[test]
fn no_password_is_ever_stored_by_a_client() {
    let run = run(&cluster());
    let config = run.config(&with(billing("hunter2", "1"), "password", json!("hunter2")));
    let written: Vec<String> =
        check::write_only(run.resource.schema(), &config).iter().map(ToString::to_string).collect();
    assert_eq!(written, ["password", "password_wo"]);
}

#[test]
fn state_of_another_provider_is_taken_over_without_its_password() {
    let state = json!({
        "id": "billing|SCRAM-SHA-256|hunter2", "username": "billing", "scram_mechanism": "SCRAM-SHA-256",
        "scram_iterations": 8192, "password": "hunter2", "password_wo": null, "password_wo_version": null,
    });
    let upgraded = run(&cluster()).resource.upgrade(0, state).unwrap();
    assert!(!format!("{upgraded:?}").contains("hunter2"), "{upgraded:?}");
    assert_eq!(upgraded.attribute("username"), &"billing".into());
    assert_eq!(upgraded.attribute("scram_iterations"), &8192.into());
}

fn acting(application: &str) -> Acting {
    Acting { application: Some(application.parse().unwrap()), ..Acting::default() }
}

#[tokio::test]
async fn an_application_has_passwords_of_its_own_principals_alone() {
    let cluster = governed_by(Policy::default()).await;
    let application = json!({ "name": "billing", "owner": { "team": "x" }, "principals": ["User:billing"] });
    Run::on(&cluster, "application", Acting::default()).applied(&nothing(), &application).await;
    let team = || Run::on(&cluster, "user_scram_credential", acting("billing"));
    let stored = team().applied(&nothing(), &billing("one", "1")).await;
    let admin = with(billing("one", "1"), "username", json!("admin"));
    let planned = team().plan(&nothing(), &admin).await;
    told(&planned.diagnostics, Severity::Error, "Not a principal of the application", "`User:billing`");
    let planned = run(&cluster).plan(&nothing(), &admin).await;
    quiet(&planned.diagnostics);
    let outcome = team().apply(&nothing(), planned.planned, &admin).await;
    told(&outcome.diagnostics, Severity::Error, "Not a principal of the application", "`User:billing`");
    assert_eq!(cluster.scram_password("admin", Sha512), None);
    // The state may come from the platform, and the end of it is no team's either.
    let of_platform = run(&cluster).applied(&nothing(), &admin).await;
    let outcome = team().destroy(&of_platform).await;
    told(&outcome.diagnostics, Severity::Error, "Not a principal of the application", "`User:billing`");
    assert!(cluster.scram_password("admin", Sha512).is_some());
    quiet(&team().destroy(&stored).await.diagnostics);
}

#[tokio::test]
async fn a_deployer_who_only_files_is_told_in_the_plan() {
    let policy = Policy { deployer_rights: DeployerRights::Mailbox, ..Policy::default() };
    let cluster = governed_with(policy, ClusterFacts::default()).await;
    let application = json!({
        "name": "billing", "owner": { "team": "x" }, "principals": ["User:billing"], "deployers": ["User:ci"],
    });
    Run::on(&cluster, "application", Acting::default()).applied(&nothing(), &application).await;
    let environment =
        Environment::new("dev", Arc::clone(&cluster) as _).acting(Arc::default(), Some(Principal::user("ci")));
    let run = Run::with(Context::new([environment], None), "user_scram_credential");
    let planned = run.plan(&nothing(), &billing("one", "1")).await;
    told(&planned.diagnostics, Severity::Error, "Not with a deployer's credential", "KAFKA_ACTING_APPLICATION");
}

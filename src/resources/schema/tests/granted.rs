//! Subjects of other applications.

use super::*;
use crate::{
    framework::PlanResponse,
    governance::acl::Principal,
    resources::{
        requests::testing::Here,
        testing::{Run, quiet},
    },
};

const LINE: &str = r#"{"type":"record","name":"Line","fields":[]}"#;

/// `shop`'s own pipeline, for schemas.
fn shop(here: &Here, registry: &FakeRegistry) -> Run {
    let acting = Acting { application: Some("shop".parse().unwrap()), ..Acting::default() };
    run_on(&here.cluster, registry, acting)
}

fn asks(access: &str) -> Json {
    json!({
        "application": "shop", "resource_type": "subject", "resource_name": "pay.line", "access": access,
        "justification": "Lines of bills.",
    })
}

/// A schema of `shop` that names one of `pay`.
fn referring() -> Json {
    let reference = json!({ "name": "Line", "subject": "pay.line", "version": 1 });
    json!({ "subject": "shop.list", "schema": r#"{"type":"array","items":"Line"}"#, "references": [reference] })
}

/// The one thing that a plan tells.
fn one(planned: &PlanResponse) -> (Severity, &str) {
    let [it] = &planned.diagnostics.0[..] else { panic!("{planned:?}") };
    (it.severity, it.summary.as_str())
}

#[tokio::test]
async fn a_subject_of_another_is_referred_to_once_its_owner_agreed() {
    const REFUSED: &str = "Reference to another application's subject";
    let (here, registry) = (Here::new().await, FakeRegistry::start().await);
    registry.does("POST", "/subjects/pay.line/versions", &json!({ "schemaType": "AVRO", "schema": LINE }));
    let planned = shop(&here, &registry).plan(&nothing(), &referring()).await;
    assert_eq!(one(&planned), (Severity::Error, REFUSED));
    let request = here.filed(&asks("read")).await;
    let planned = shop(&here, &registry).plan(&nothing(), &referring()).await;
    assert_eq!(one(&planned), (Severity::Warning, REFUSED), "it may be agreed to before the apply");
    let early = shop(&here, &registry).apply(&nothing(), planned.planned, &referring()).await;
    told(&early.diagnostics, Severity::Error, REFUSED, "for that waits: apply again");
    here.decided(&request, "approve").await;
    let request = here.refreshed(&request).await;
    assert_eq!(request.state.attribute("status"), &"active".into());
    assert_eq!(here.granted().await, Vec::<String>::new(), "Kafka has no rule for it");
    let stored = shop(&here, &registry).applied(&nothing(), &referring()).await;
    // Without the access it stays as it is, and is told; nothing of it is changed any more that would refer anew.
    quiet(&here.asking().destroy(&request).await.diagnostics);
    let planned = shop(&here, &registry).plan(&stored, &referring()).await;
    assert_eq!((one(&planned), &planned.planned.state), ((Severity::Warning, REFUSED), &stored.state));
    let newer = LINE.replace("[]", r#"[{"name":"a","type":"int","default":0}]"#);
    registry.does("POST", "/subjects/pay.line/versions", &json!({ "schemaType": "AVRO", "schema": newer }));
    let mut anew = referring();
    anew["references"][0]["version"] = json!(2);
    let planned = shop(&here, &registry).plan(&stored, &anew).await;
    assert_eq!(one(&planned), (Severity::Error, REFUSED));
}

#[tokio::test]
async fn versions_are_registered_in_another_applications_subject_and_it_is_not_ended() {
    let (here, registry) = (Here::new().await, FakeRegistry::start().await);
    let line = json!({ "subject": "pay.line", "schema": LINE });
    let planned = shop(&here, &registry).plan(&nothing(), &line).await;
    assert_eq!(one(&planned), (Severity::Error, "Subject of another application"));
    let request = here.filed(&asks("write")).await;
    here.decided(&request, "approve").await;
    let stored = shop(&here, &registry).applied(&nothing(), &line).await;
    let ended = shop(&here, &registry).destroy(&stored).await;
    told(&ended.diagnostics, Severity::Error, "Subject of another application", "belongs to the application `pay`");
    let kept = shop(&here, &registry).applied(&stored, &with(&line, &json!({ "on_destroy": "retain" }))).await;
    quiet(&shop(&here, &registry).destroy(&kept).await.diagnostics);
    assert_eq!(registry.does("GET", "/subjects", &json!({})), json!(["pay.line"]));
}

#[tokio::test]
async fn who_cannot_know_the_rules_changes_nothing_in_a_registry() {
    const HIDDEN: &str = "Rules not to be seen";
    let (here, registry) = (Here::new().await, FakeRegistry::start().await);
    let line = json!({ "subject": "pay.line", "schema": LINE });
    let platform = run_on(&here.cluster, &registry, Acting::default());
    let stored = platform.applied(&nothing(), &line).await;
    let stranger = || {
        let cluster = Arc::new(here.cluster.seen_by(Principal::user("stranger")));
        run_on(&cluster, &registry, Acting::default())
    };
    let changed = with(&line, &json!({ "compatibility": "NONE" }));
    let planned = stranger().plan(&stored, &changed).await;
    told(&planned.diagnostics, Severity::Warning, HIDDEN, "`READ` on the topic `_selfserve.state`");
    let failed = stranger().apply(&stored, planned.planned, &changed).await;
    told(&failed.diagnostics, Severity::Error, HIDDEN, "changes nothing there");
    told(&stranger().destroy(&stored).await.diagnostics, Severity::Error, HIDDEN, "changes nothing there");
    assert_eq!(registry.does("GET", "/subjects/pay.line/versions", &json!({})), json!([1]));
    assert!(!registry.asked().iter().any(|it| it.starts_with("PUT")), "{:?}", registry.asked());
}

/// An import brings the settings that the owner made into a guest's state: they leave that alone.
#[tokio::test]
async fn the_owners_settings_stay_when_a_guest_imports_and_applies() {
    const SETTING: &str = "Setting of another application's subject";
    let (here, registry) = (Here::new().await, FakeRegistry::start().await);
    registry.does("POST", "/subjects/pay.line/versions", &json!({ "schemaType": "AVRO", "schema": LINE }));
    registry.does("PUT", "/config/pay.line", &json!({ "compatibility": "FULL_TRANSITIVE" }));
    registry.does("PUT", "/mode/pay.line", &json!({ "mode": "READONLY" }));
    let request = here.filed(&asks("write")).await;
    here.decided(&request, "approve").await;
    let imported = shop(&here, &registry).import("pay.line").await.stored;
    let seen = shop(&here, &registry).read(&imported).await.stored;
    assert_eq!(seen.state.attribute("mode"), &"READONLY".into());
    let declared = json!({ "subject": "pay.line", "schema": LINE, "on_destroy": "retain" });
    let as_they_are = with(&declared, &json!({ "mode": "READONLY", "compatibility": "FULL_TRANSITIVE" }));
    let planned = shop(&here, &registry).plan(&seen, &as_they_are).await;
    told(&planned.diagnostics, Severity::Error, SETTING, "Remove the line. What the registry has stays");
    let planned = shop(&here, &registry).plan(&seen, &declared).await;
    told(&planned.diagnostics, Severity::Warning, SETTING, "stay in the registry as they are");
    let applied = shop(&here, &registry).apply(&seen, planned.planned, &declared).await;
    told(&applied.diagnostics, Severity::Warning, SETTING, "leave this state alone");
    assert_eq!(applied.stored.state.attribute("compatibility"), &Value::Null);
    let of = |what: &str| registry.does("GET", &format!("/{what}/pay.line"), &json!({}));
    assert_eq!(of("config"), json!({ "compatibilityLevel": "FULL_TRANSITIVE" }));
    assert_eq!(of("mode"), json!({ "mode": "READONLY" }));
    quiet(&shop(&here, &registry).plan(&applied.stored, &declared).await.diagnostics);
}

#[tokio::test]
async fn another_applications_subject_is_not_replaced() {
    const REFUSED: &str = "Subject of another application";
    let (here, registry) = (Here::new().await, FakeRegistry::start().await);
    let line = json!({ "subject": "pay.line", "schema": LINE });
    let stored = run_on(&here.cluster, &registry, Acting::default()).applied(&nothing(), &line).await;
    let renamed = with(&line, &json!({ "subject": "shop.line" }));
    let planned = shop(&here, &registry).plan(&stored, &renamed).await;
    assert!(
        planned.diagnostics.0.iter().any(|it| it.severity == Severity::Error && it.summary == REFUSED),
        "{planned:?}"
    );
}

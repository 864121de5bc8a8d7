//! What nobody can decide, told in the plan.

use serde_json::{Value as Json, json};

use super::{DECISION, Here, about, id, nothing, reading, text};
use crate::{
    framework::{Diagnostics, Severity, Value},
    governance::{
        command::Command,
        policy::{AccessApproval, ApplicationApproval, Approval, Policy},
    },
    resources::{
        requests::testing::{REQUEST, application, in_milliseconds, pass, plan_without, plans_nothing},
        testing::{Run, quiet, soon},
    },
};

/// What was told: how badly, what, and where.
fn told(diagnostics: &Diagnostics) -> Vec<(Severity, &str, String)> {
    let at = |path: &Option<_>| path.as_ref().map(ToString::to_string).unwrap_or_default();
    diagnostics.0.iter().map(|it| (it.severity, it.summary.as_str(), at(&it.path))).collect()
}

/// Has the plan say this, and an apply of a plan that did not know it yet.
async fn is_refused(run: &Run, config: &Json, summary: &str, at: &str) {
    let expected = [(Severity::Error, summary, at.to_owned())];
    let planned = run.plan(&nothing(), config).await;
    assert_eq!(told(&planned.diagnostics), expected, "{config}");
    let unknown = plan_without(run, &nothing(), config, &["reason"]).await;
    let mut planned = unknown.planned;
    if let Value::Object(attributes) = &mut planned.state {
        attributes.insert("reason".to_owned(), Value::Null);
    }
    let outcome = run.apply(&nothing(), planned, config).await;
    assert_eq!(outcome.stored.state, Value::Null, "{config}");
    assert!(outcome.diagnostics.has_errors(), "{config}");
}

/// Rule 1 of governance: nobody decides as an owner whom the pipeline does not name.
#[tokio::test]
async fn the_platform_is_not_the_owner() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    is_refused(&here.run(DECISION, None), &about(&request, "approve"), "Not yours to decide", "as").await;
    is_refused(&here.run(DECISION, Some("shop")), &about(&request, "approve"), "Not yours to decide", "").await;
    let mut as_platform = about(&request, "approve");
    as_platform["as"] = "platform".into();
    is_refused(&here.run(DECISION, None), &as_platform, "Not asked to decide", "as").await;
    is_refused(&here.deciding(), &as_platform, "Not yours to decide", "as").await;
    // The request is filed in the same run: who decides is known all the same.
    let unknown = ["request_id", "revision"];
    let planned = plan_without(&here.run(DECISION, None), &nothing(), &about(&request, "approve"), &unknown).await;
    assert_eq!(told(&planned.diagnostics), [(Severity::Error, "Not yours to decide", "as".to_owned())]);
    let planned = plan_without(&here.deciding(), &nothing(), &about(&request, "approve"), &unknown).await;
    assert_eq!(told(&planned.diagnostics), []);
    assert_eq!(here.granted().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_request_that_is_not_there_may_be_filed_by_then() {
    let here = Here::new().await;
    let config = json!({
        "request_id": "shop-00000000", "revision": "0".repeat(32), "decision": "approve",
    });
    let planned = here.deciding().plan(&nothing(), &config).await;
    assert_eq!(told(&planned.diagnostics), [(Severity::Warning, "Request unknown", "request_id".to_owned())]);
    let outcome = here.deciding().apply(&nothing(), planned.planned, &config).await;
    assert_eq!(told(&outcome.diagnostics), [(Severity::Error, "Request unknown", "request_id".to_owned())]);
    assert_eq!(outcome.stored.state, Value::Null);
}

#[tokio::test]
async fn a_request_that_ended_is_not_decided() {
    let here = Here::new().await;
    let withdrawn = here.filed(&reading()).await;
    quiet(&here.asking().destroy(&withdrawn).await.diagnostics);
    is_refused(&here.deciding(), &about(&withdrawn, "approve"), "Request over", "request_id").await;
    let mut short = reading();
    let end = in_milliseconds(200);
    short["expires_at"] = end.clone().into();
    let expired = here.filed(&short).await;
    pass(&end).await;
    is_refused(&here.deciding(), &about(&expired, "approve"), "Request expired", "request_id").await;
    here.command(Command::ExpireRequest(id(&expired))).await;
    is_refused(&here.deciding(), &about(&expired, "approve"), "Request over", "request_id").await;
}

/// Rule 6 of Terraform's core: an approval is of what was seen.
#[tokio::test]
async fn what_was_amended_since_is_not_agreed_to() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let planned = here.deciding().plan(&nothing(), &about(&request, "approve")).await;
    let mut wider = reading();
    wider["access"] = "read_write".into();
    here.asking().applied(&request, &wider).await;
    let outcome = here.deciding().apply(&nothing(), planned.planned, &about(&request, "approve")).await;
    assert_eq!(told(&outcome.diagnostics), [(Severity::Error, "Request amended since", "revision".to_owned())]);
    assert!(outcome.diagnostics.0[0].detail.contains("Plan again"));
    assert_eq!(here.granted().await, Vec::<String>::new());
    is_refused(&here.deciding(), &about(&request, "approve"), "Request amended since", "revision").await;
}

#[tokio::test]
async fn what_was_decided_already_is_not_decided_twice() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let first = here.decided(&request, "approve").await;
    let approve = about(&request, "approve");
    let planned = here.deciding().plan(&nothing(), &approve).await;
    assert_eq!(told(&planned.diagnostics), [(Severity::Warning, "Decided already", "request_id".to_owned())]);
    let second = here.deciding().apply(&nothing(), planned.planned, &approve).await;
    quiet(&second.diagnostics);
    assert_eq!(second.stored.state, first.state);
    assert_eq!(here.request(&request).await.decisions.len(), 1);
    assert_eq!(plans_nothing(&here.deciding(), &first, &approve).await, Vec::<String>::new());
}

/// Two states that say the opposite would overrule each other in turn.
#[tokio::test]
async fn a_second_decision_that_says_the_opposite_is_refused() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let early = here.deciding().plan(&nothing(), &about(&request, "reject")).await.planned;
    let first = here.decided(&request, "approve").await;
    is_refused(&here.deciding(), &about(&request, "reject"), "Decided otherwise", "decision").await;
    let outcome = here.deciding().apply(&nothing(), early, &about(&request, "reject")).await;
    assert_eq!(told(&outcome.diagnostics), [(Severity::Error, "Decided otherwise", "decision".to_owned())]);
    assert_eq!(here.granted().await.len(), 1, "what was agreed to holds");
    // Where it is managed, it is changed.
    let planned = here.deciding().plan(&first, &about(&request, "reject")).await;
    assert!(!planned.diagnostics.has_errors(), "{:?}", planned.diagnostics);
}

/// Who only reads what an owner decided is not told to be somebody else.
#[tokio::test]
async fn the_platform_plans_an_owners_decision_without_a_word() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let decision = here.decided(&request, "approve").await;
    let told = plans_nothing(&here.run(DECISION, None), &decision, &about(&request, "approve")).await;
    assert_eq!(told, Vec::<String>::new());
}

/// What was approved and is over is approved no more; who approved it then is only told.
#[tokio::test]
async fn a_request_that_gave_something_and_ended_is_not_approved_again() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let approve = about(&request, "approve");
    let decision = here.decided(&request, "approve").await;
    quiet(&here.asking().destroy(&request).await.diagnostics);
    is_refused(&here.deciding(), &approve, "Request over", "request_id").await;
    assert_eq!(plans_nothing(&here.deciding(), &decision, &approve).await, ["Request over"]);
    let seen = here.deciding().read(&decision).await.stored;
    assert_eq!(plans_nothing(&here.deciding(), &seen, &approve).await, ["Request over"]);
}

/// What nobody owns is the platform's, and whoever is that is told how to say so.
#[tokio::test]
async fn the_platform_is_told_to_decide_as_the_platform() {
    let approval = Approval { applications: ApplicationApproval::Platform, ..Approval::default() };
    let here = Here::under(Policy { approval, ..Policy::default() }).await;
    let team = here.run("application", Some("stock"));
    let planned = team.plan(&nothing(), &application("stock")).await.planned;
    let waiting = team.apply(&nothing(), planned, &application("stock")).await.stored;
    let known = team.governed().snapshot(soon()).await.unwrap();
    let revision = known.state.request(&id(&waiting)).unwrap().revision.to_string();
    let config = json!({ "request_id": text(&waiting, "request_id"), "revision": revision, "decision": "approve" });
    let planned = here.run(DECISION, None).plan(&nothing(), &config).await;
    assert_eq!(told(&planned.diagnostics), [(Severity::Error, "Not decided as an owner", "as".to_owned())]);
    assert!(planned.diagnostics.0[0].detail.contains("Write `as = \"platform\"`."), "{planned:?}");
}

#[tokio::test]
async fn a_reason_holds_no_secret_and_one_person_is_not_two() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let mut config = about(&request, "approve");
    config["reason"] = "password: hunter2".into();
    let planned = here.deciding().plan(&nothing(), &config).await;
    assert_eq!(told(&planned.diagnostics), [(Severity::Error, "Secret in a text", "reason".to_owned())]);

    let approval = Approval { access: AccessApproval::Owner, distinct_actors: true, ..Approval::default() };
    let here = Here::under(Policy { approval, ..Policy::default() }).await;
    let request = here.person(REQUEST, "shop", "ann").applied(&nothing(), &reading()).await;
    is_refused(&here.person(DECISION, "pay", "ann"), &about(&request, "approve"), "Another person must agree", "")
        .await;
    is_refused(&here.deciding(), &about(&request, "approve"), "Actor unknown", "").await;
    let decision = here.person(DECISION, "pay", "bob").applied(&nothing(), &about(&request, "approve")).await;
    assert_eq!(text(&decision, "status"), "active");
}

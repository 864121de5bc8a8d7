//! What nobody can decide, told in the plan.

use serde_json::{Value as Json, json};

use super::{DECISION, Here, about, id, nothing, reading, text};
use crate::{
    framework::{Diagnostics, Severity, Value},
    governance::{
        command::Command,
        policy::{AccessApproval, Approval, Policy},
    },
    resources::{
        requests::testing::{REQUEST, in_milliseconds, pass, plan_without},
        testing::{Run, quiet},
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
    let second = here.decided(&request, "approve").await;
    assert_eq!(second.state, first.state);
    assert_eq!(here.request(&request).await.decisions.len(), 1);
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
    is_refused(&here.person(DECISION, "pay", "ann"), &about(&request, "approve"), "One person for two", "").await;
    is_refused(&here.deciding(), &about(&request, "approve"), "Actor unknown", "").await;
    let decision = here.person(DECISION, "pay", "bob").applied(&nothing(), &about(&request, "approve")).await;
    assert_eq!(text(&decision, "status"), "active");
}

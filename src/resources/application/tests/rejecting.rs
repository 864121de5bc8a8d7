//! What the platform rejects stays in the state, is told, and is asked for anew by another declaration.

use std::sync::Arc;

use super::{
    Json, MailboxOf, Principal, Run, Severity, Stored, Value, billing, json,
    newcomers::{as_newcomer, newcomer},
    nothing, platform, quiet, request_id, rules, soon, status, team, told,
};
use crate::{
    clients::memory::MemoryCluster,
    governance::{
        names::ApplicationName,
        policy::{ApplicationApproval, Approval, Policy},
    },
    provider::Acting,
    resources::testing::{change_policy, governed_by},
};
/// The rules of an environment whose platform agrees to applications.
fn watched() -> Policy {
    Policy {
        approval: Approval { applications: ApplicationApproval::Platform, ..Approval::default() },
        ..Policy::default()
    }
}

async fn watched_cluster() -> Arc<MemoryCluster> {
    governed_by(watched()).await
}

fn wider() -> Json {
    let mut res = billing();
    res["principals"] = json!(["User:billing", "User:billing-2"]);
    res
}

/// Plans and applies, whatever is told.
async fn applied(run: &Run, prior: &Stored, config: &Json) -> Stored {
    let planned = run.plan(prior, config).await;
    assert!(!planned.diagnostics.has_errors(), "{:?}", planned.diagnostics);
    let outcome = run.apply(prior, planned.planned, config).await;
    assert!(!outcome.diagnostics.has_errors(), "{:?}", outcome.diagnostics);
    outcome.stored
}

fn decisions(cluster: &Arc<MemoryCluster>) -> Run {
    Run::on(cluster, "access_decision", Acting { actor: Some("ann".to_owned()), ..Acting::default() })
}

/// The platform's decision about what `billing` asks for now.
async fn decided(cluster: &Arc<MemoryCluster>, choice: &str) -> (Stored, Json) {
    let known = platform(cluster).governed().snapshot(soon()).await.unwrap();
    let name: ApplicationName = "billing".parse().unwrap();
    let id = known.state.application(&name).unwrap().waits_by().unwrap().clone();
    let config = json!({
        "request_id": id.to_string(), "revision": known.state.request(&id).unwrap().revision.as_str(),
        "decision": choice, "as": "platform", "reason": "Too many names.",
    });
    (decisions(cluster).applied(&nothing(), &config).await, config)
}

/// What a refresh leaves; the plan that follows is empty and tells of the rejection.
async fn tells_of_rejection(run: impl Fn() -> Run, stored: &Stored, config: &Json, summary: &str) -> Stored {
    let seen = run().read(stored).await;
    quiet(&seen.diagnostics);
    assert_eq!(status(&seen.stored), &"rejected".into());
    let planned = run().plan(&seen.stored, config).await;
    assert_eq!((&planned.planned.state, &planned.replace), (&seen.stored.state, &vec![]), "the second plan is empty");
    told(&planned.diagnostics, Severity::Warning, summary, "(`ann`) rejected");
    seen.stored
}

#[tokio::test]
async fn a_rejected_change_is_told_with_its_reason_and_asked_for_no_more() {
    let cluster = watched_cluster().await;
    let stored = platform(&cluster).applied(&nothing(), &billing()).await;
    let run = || team(&cluster, "billing");
    let waiting = applied(&run(), &stored, &wider()).await;
    let id = request_id(&waiting);
    decided(&cluster, "reject").await;
    let seen = tells_of_rejection(run, &waiting, &wider(), "Change rejected").await;
    assert_eq!(request_id(&seen), id, "the request can be looked up");
    let planned = run().plan(&seen, &wider()).await;
    let detail = &planned.diagnostics.0[0].detail;
    let is_said = ["what `billing` changes in `principals`", "Too many names.", "asks again"];
    assert!(is_said.iter().all(|it| detail.contains(it)), "{detail}");
    assert_eq!(planned.diagnostics.0[0].path.as_ref().unwrap().to_string(), "status");
    // It was never in force, and the other one's principal is nobody's.
    assert!(!rules(&cluster).await.iter().any(|it| it.principal == Principal::user("billing-2")));
    let mut other = billing();
    other["name"] = "bills".into();
    other["principals"] = json!(["User:billing-2"]);
    platform(&cluster).applied(&nothing(), &other).await;
}

#[tokio::test]
async fn a_rejected_change_is_taken_back_or_asked_otherwise() {
    let cluster = watched_cluster().await;
    let stored = platform(&cluster).applied(&nothing(), &billing()).await;
    let run = || team(&cluster, "billing");
    let waiting = applied(&run(), &stored, &wider()).await;
    decided(&cluster, "reject").await;
    let rejected = tells_of_rejection(run, &waiting, &wider(), "Change rejected").await;
    let mut otherwise = wider();
    otherwise["principals"] = json!(["User:billing", "User:billing-3"]);
    let asked = applied(&run(), &rejected, &otherwise).await;
    assert_eq!((status(&asked), request_id(&asked)), (&"ready".into(), request_id(&waiting)));
    decided(&cluster, "reject").await;
    let rejected = tells_of_rejection(run, &asked, &otherwise, "Change rejected").await;
    let reverted = run().applied(&rejected, &billing()).await;
    assert_eq!((status(&reverted), request_id(&reverted)), (&"ready".into(), Value::Null));
    // The same may be asked once more, and then it waits.
    let again = applied(&run(), &reverted, &otherwise).await;
    assert_eq!((status(&again), request_id(&again)), (&"ready".into(), request_id(&waiting)));
    decided(&cluster, "approve").await;
    let seen = run().read(&again).await.stored;
    assert_eq!((status(&seen), request_id(&seen)), (&"ready".into(), Value::Null));
}

#[tokio::test]
async fn a_rejected_application_stays_in_the_state_and_is_not_planned_anew() {
    let cluster = watched_cluster().await;
    let run = || team(&cluster, "billing");
    let waiting = applied(&run(), &nothing(), &billing()).await;
    decided(&cluster, "reject").await;
    let rejected = tells_of_rejection(run, &waiting, &billing(), "Application rejected").await;
    assert_eq!(request_id(&rejected), request_id(&waiting));
    // The next reconciliation forgets it, and its team does not.
    platform(&cluster).governed().reconcile(soon(), &mut |_| {}).await.unwrap();
    let rejected = tells_of_rejection(run, &rejected, &billing(), "Application rejected").await;
    quiet(&run().plan_end(&rejected).await.diagnostics);
    quiet(&run().destroy(&rejected).await.diagnostics);
    assert_eq!(rules(&cluster).await, vec![]);
}

#[tokio::test]
async fn a_rejected_application_is_asked_for_anew_by_an_edit_and_by_a_replacement() {
    for is_edit in [true, false] {
        let cluster = watched_cluster().await;
        let run = || team(&cluster, "billing");
        let waiting = applied(&run(), &nothing(), &billing()).await;
        decided(&cluster, "reject").await;
        let rejected = tells_of_rejection(run, &waiting, &billing(), "Application rejected").await;
        let asked = if is_edit {
            applied(&run(), &rejected, &wider()).await
        } else {
            quiet(&run().destroy(&rejected).await.diagnostics);
            applied(&run(), &nothing(), &billing()).await
        };
        assert_eq!(status(&asked), &"pending".into());
        assert_ne!(request_id(&asked), request_id(&waiting), "another request");
        let config = if is_edit { wider() } else { billing() };
        let seen = run().read(&asked).await.stored;
        assert_eq!(run().plan(&seen, &config).await.planned.state, asked.state);
        decided(&cluster, "approve").await;
        assert_eq!(status(&run().read(&asked).await.stored), &"ready".into());
    }
}

/// What nobody may read is not told, and that it is so is.
#[tokio::test]
async fn a_newcomer_is_told_of_the_rejection_without_the_reason() {
    let (cluster, seen) = newcomer().await;
    let run = || as_newcomer(&seen);
    let asked = applied(&run(), &nothing(), &billing()).await;
    platform(&cluster).governed().fold(&MailboxOf::Everybody, soon()).await.unwrap();
    let waiting = run().read(&asked).await.stored;
    decided(&cluster, "reject").await;
    for before in [&asked, &waiting] {
        let rejected = tells_of_rejection(run, before, &billing(), "Application rejected").await;
        let detail = run().plan(&rejected, &billing()).await.diagnostics.0[0].detail.clone();
        assert!(detail.contains("cannot be read with these credentials"), "{detail}");
        quiet(&run().plan_end(&rejected).await.diagnostics);
        let end = run().destroy(&rejected).await;
        told(&end.diagnostics, Severity::Warning, "Application may still come", "until its next `reconcile`");
        let again = applied(&run(), &rejected, &wider()).await;
        assert_eq!(status(&again), &"requested".into());
        let seen = run().read(&again).await;
        assert_eq!(status(&seen.stored), &"requested".into(), "nobody looked at it yet");
        let planned = run().plan(&seen.stored, &wider()).await;
        quiet(&planned.diagnostics);
        assert_eq!(planned.planned.state, seen.stored.state);
    }
}

#[tokio::test]
async fn what_was_rejected_holds_once_nobody_has_to_agree() {
    let cluster = watched_cluster().await;
    let stored = platform(&cluster).applied(&nothing(), &billing()).await;
    let run = || team(&cluster, "billing");
    let waiting = applied(&run(), &stored, &wider()).await;
    decided(&cluster, "reject").await;
    change_policy(&cluster, Policy::default()).await;
    let agreed = applied(&run(), &waiting, &billing()).await;
    assert_eq!((status(&agreed), request_id(&agreed)), (&"ready".into(), Value::Null));
    // Nobody has to agree by now.
    let made = run().applied(&agreed, &wider()).await;
    assert_eq!(status(&made), &"ready".into());
}

/// What a team gave up stays so when the platform destroys its rejection.
#[tokio::test]
async fn a_rejected_application_that_its_team_gave_up_does_not_come_back() {
    for is_cleaned_up in [false, true] {
        let cluster = watched_cluster().await;
        let waiting = applied(&team(&cluster, "billing"), &nothing(), &billing()).await;
        let (rejection, mut config) = decided(&cluster, "reject").await;
        if is_cleaned_up {
            platform(&cluster).governed().reconcile(soon(), &mut |_| {}).await.unwrap();
        }
        let rejected = team(&cluster, "billing").read(&waiting).await.stored;
        quiet(&team(&cluster, "billing").destroy(&rejected).await.diagnostics);
        quiet(&decisions(&cluster).plan_end(&rejection).await.diagnostics);
        quiet(&decisions(&cluster).destroy(&rejection).await.diagnostics);
        is_gone(&cluster, &mut config, "withdrawn").await;
    }
}

/// Who asked in the inbox takes nothing back there; what was cleaned up does not come back.
#[tokio::test]
async fn a_rejected_application_of_a_newcomer_does_not_come_back_after_it_was_cleaned_up() {
    let (cluster, seen) = newcomer().await;
    let run = || as_newcomer(&seen);
    let asked = applied(&run(), &nothing(), &billing()).await;
    platform(&cluster).governed().fold(&MailboxOf::Everybody, soon()).await.unwrap();
    let (rejection, mut config) = decided(&cluster, "reject").await;
    let rejected = run().read(&asked).await.stored;
    platform(&cluster).governed().reconcile(soon(), &mut |_| {}).await.unwrap();
    quiet(&run().destroy(&rejected).await.diagnostics);
    let end = decisions(&cluster).plan_end(&rejection).await;
    told(&end.diagnostics, Severity::Warning, "Rejection stays", "nobody asks for that any more");
    quiet(&decisions(&cluster).destroy(&rejection).await.diagnostics);
    is_gone(&cluster, &mut config, "rejected").await;
}

/// The application is not there, and an approval of its request is refused.
async fn is_gone(cluster: &Arc<MemoryCluster>, config: &mut Json, request: &str) {
    let known = platform(cluster).governed().snapshot(soon()).await.unwrap();
    let name: ApplicationName = "billing".parse().unwrap();
    assert!(!known.state.application(&name).unwrap().status.holds_prefixes());
    let id = config["request_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(known.state.request(&id).unwrap().status.word(), request);
    config["decision"] = "approve".into();
    let planned = decisions(cluster).plan(&nothing(), config).await;
    assert!(planned.diagnostics.has_errors(), "{:?}", planned.diagnostics);
}

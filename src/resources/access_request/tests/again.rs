//! Requests that are given up, or asked for as they were: what was decided holds, and nothing comes back to life.

use serde_json::Value as Json;

use super::nothing;
use crate::{
    framework::{Severity, Stored},
    resources::{
        requests::testing::{DECISION, Here, REQUEST, about, in_milliseconds, plans_nothing, reading, text},
        testing::{Run, quiet, soon, told},
    },
};

fn wider() -> Json {
    let mut res = reading();
    res["access"] = "read_write".into();
    res
}

fn later() -> Json {
    let mut res = reading();
    res["expires_at"] = in_milliseconds(3_600_000).into();
    res
}

/// A team, which works for the platform's pipeline or with its own credentials.
fn team(here: &Here, by_letter: bool) -> Run {
    if by_letter { here.deployer(REQUEST, "shop") } else { here.asking() }
}

#[tokio::test]
async fn a_rejected_request_that_its_team_destroyed_stays_so_when_the_rejection_is_taken_back() {
    for by_letter in [false, true] {
        let here = Here::new().await;
        let request = here.filed(&reading()).await;
        let rejection = here.decided(&request, "reject").await;
        let seen = team(&here, by_letter).read(&request).await.stored;
        quiet(&team(&here, by_letter).plan_end(&seen).await.diagnostics);
        quiet(&team(&here, by_letter).destroy(&seen).await.diagnostics);
        if by_letter {
            here.fold().await;
        }
        assert_eq!(here.request(&request).await.status.word(), "withdrawn");
        let seen = here.deciding().read(&rejection).await.stored;
        assert_eq!(plans_nothing(&here.deciding(), &seen, &about(&request, "reject")).await, ["Request over"]);
        quiet(&here.deciding().plan_end(&seen).await.diagnostics);
        quiet(&here.deciding().destroy(&seen).await.diagnostics);
        assert_eq!(here.request(&request).await.status.word(), "withdrawn");
        let planned = here.deciding().plan(&nothing(), &about(&request, "approve")).await;
        told(&planned.diagnostics, Severity::Error, "Request over", "have the request filed anew");
        assert_eq!(here.granted().await, Vec::<String>::new());
    }
}

/// The decision of `pay` as the next plan sees it: it changes nothing and says nothing.
async fn holds(here: &Here, decision: &Stored, config: &Json, status: &str) {
    let seen = here.deciding().read(decision).await;
    quiet(&seen.diagnostics);
    assert_eq!(text(&seen.stored, "status"), status);
    assert_eq!(plans_nothing(&here.deciding(), &seen.stored, config).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_amendment_that_is_taken_back_leaves_nobody_anything_to_do() {
    for amendment in [wider(), later()] {
        let here = Here::new().await;
        let request = here.filed(&reading()).await;
        let decision = here.decided(&request, "approve").await;
        let approve = about(&request, "approve");
        let before = here.request(&request).await;
        let active = here.refreshed(&request).await;
        let pending = here.asking().applied(&active, &amendment).await;
        assert_eq!(text(&pending, "status"), "pending");
        let back = here.asking().applied(&pending, &reading()).await;
        assert_eq!((text(&back, "status"), text(&back, "revision")), ("active".to_owned(), text(&request, "revision")));
        assert_eq!(plans_nothing(&here.asking(), &here.refreshed(&back).await, &reading()).await, Vec::<String>::new());
        holds(&here, &decision, &approve, "active").await;
        let after = here.request(&request).await;
        assert_eq!((&after.decisions, &after.grant), (&before.decisions, &before.grant));
        assert_eq!(here.granted().await.len(), 1);
    }
}

/// Two letters that nobody looked at between.
#[tokio::test]
async fn two_letters_that_undo_each_other_change_nothing() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let decision = here.decided(&request, "approve").await;
    let active = here.refreshed(&request).await;
    let asked = team(&here, true).applied(&active, &wider()).await;
    let back = team(&here, true).applied(&asked, &reading()).await;
    here.fold().await;
    let seen = team(&here, true).read(&back).await.stored;
    assert_eq!(text(&seen, "status"), "active");
    assert_eq!(plans_nothing(&team(&here, true), &seen, &reading()).await, Vec::<String>::new());
    holds(&here, &decision, &about(&request, "approve"), "active").await;
}

#[tokio::test]
async fn a_rejected_revision_that_is_asked_for_again_is_rejected_still() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let rejection = here.decided(&request, "reject").await;
    let rejected = here.refreshed(&request).await;
    let pending = here.asking().applied(&rejected, &wider()).await;
    assert_eq!(text(&pending, "status"), "pending");
    let back = here.asking().applied(&pending, &reading()).await;
    assert_eq!(text(&back, "status"), "rejected");
    holds(&here, &rejection, &about(&request, "reject"), "rejected").await;
    // Who rejected it can think better of it.
    let approved = here.deciding().applied(&rejection, &about(&request, "approve")).await;
    assert_eq!((text(&approved, "status"), here.granted().await.len()), ("active".to_owned(), 1));
}

/// An auditor sees who agreed to what is granted.
#[tokio::test]
async fn who_agreed_is_seen_after_an_amendment_was_taken_back() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    here.decided(&request, "approve").await;
    let pending = here.asking().applied(&here.refreshed(&request).await, &wider()).await;
    here.asking().applied(&pending, &reading()).await;
    let imported = here.run(DECISION, Some("pay")).import(&format!("dev/{}:owner", text(&request, "request_id"))).await;
    let seen = here.deciding().read(&imported.stored).await.stored;
    assert_eq!((text(&seen, "decision"), text(&seen, "status")), ("approve".to_owned(), "active".to_owned()));
    let known = here.deciding().governed().snapshot(soon()).await.unwrap();
    let looked = crate::governance::outstanding::outstanding(&known.state, crate::clients::clock::now());
    assert_eq!(looked, [], "nothing is left to do");
}

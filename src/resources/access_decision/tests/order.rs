//! Requests and decisions in every order: nothing is stranded, and the second plan is empty.

use super::{DECISION, Here, READ, about, id, nothing, plans_nothing, reading, text};
use crate::{
    framework::{Severity, Stored, Value},
    governance::{command::Command, policy::AccessApproval},
    resources::{
        requests::testing::{REQUEST, in_milliseconds, pass, plan_without},
        testing::{quiet, told},
    },
};

/// One state with both, as the platform that decides itself.
#[tokio::test]
async fn request_and_decision_come_and_go_in_one_apply() {
    let here = Here::with(AccessApproval::Platform).await;
    let (requests, decisions) = (here.run(REQUEST, None), here.run(DECISION, None));
    let planned = requests.plan(&nothing(), &reading()).await;
    quiet(&planned.diagnostics);
    let decision = |request: &Stored| {
        let mut config = about(request, "approve");
        config["as"] = "platform".into();
        config
    };
    let placeholder = serde_json::json!({ "decision": "approve", "as": "platform" });
    let unknown = plan_without(&decisions, &nothing(), &placeholder, &["request_id", "revision"]).await;
    quiet(&unknown.diagnostics);
    let request = requests.apply(&nothing(), planned.planned, &reading()).await.stored;
    // Core plans the decision once more, now that all of it is known.
    let decided = here.run(DECISION, None).applied(&nothing(), &decision(&request)).await;
    assert_eq!((text(&decided, "status"), here.granted().await), ("active".to_owned(), vec![READ.to_owned()]));
    let request = here.run(REQUEST, None).read(&request).await.stored;
    assert_eq!(plans_nothing(&here.run(REQUEST, None), &request, &reading()).await, Vec::<String>::new());
    assert_eq!(plans_nothing(&here.run(DECISION, None), &decided, &decision(&request)).await, Vec::<String>::new());

    // An amendment of both in one apply.
    let mut wider = reading();
    wider["access"] = "read_write".into();
    let (requests, decisions) = (here.run(REQUEST, None), here.run(DECISION, None));
    let planned = requests.plan(&request, &wider).await;
    quiet(&planned.diagnostics);
    let unknown = plan_without(&decisions, &decided, &decision(&request), &["revision"]).await;
    quiet(&unknown.diagnostics);
    let request = requests.apply(&request, planned.planned, &wider).await.stored;
    let decided = here.run(DECISION, None).applied(&decided, &decision(&request)).await;
    assert_eq!((text(&decided, "status"), here.granted().await.len()), ("active".to_owned(), 2));

    // What refers to the other goes first.
    quiet(&here.run(DECISION, None).destroy(&decided).await.diagnostics);
    quiet(&here.run(REQUEST, None).destroy(&request).await.diagnostics);
    assert_eq!(here.granted().await, Vec::<String>::new());
}

#[tokio::test]
async fn two_states_live_beside_each_other_and_end_in_either_order() {
    for is_request_first in [true, false] {
        let here = Here::new().await;
        let request = here.filed(&reading()).await;
        let decision = here.decided(&request, "approve").await;
        let approve = about(&request, "approve");
        if is_request_first {
            quiet(&here.asking().destroy(&request).await.diagnostics);
            assert_eq!(here.granted().await, Vec::<String>::new());
            // The decision is still in the owner's configuration.
            let seen = here.deciding().read(&decision).await;
            quiet(&seen.diagnostics);
            assert_eq!(text(&seen.stored, "status"), "revoked");
            assert_eq!(plans_nothing(&here.deciding(), &seen.stored, &approve).await, ["Request over"]);
            quiet(&here.deciding().plan_end(&seen.stored).await.diagnostics);
            quiet(&here.deciding().destroy(&seen.stored).await.diagnostics);
        } else {
            quiet(&here.deciding().destroy(&decision).await.diagnostics);
            assert_eq!(here.granted().await, Vec::<String>::new());
            let seen = here.refreshed(&request).await;
            assert_eq!(text(&seen, "status"), "revoked");
            assert_eq!(plans_nothing(&here.asking(), &seen, &reading()).await, ["Request over"]);
            quiet(&here.asking().plan_end(&seen).await.diagnostics);
            quiet(&here.asking().destroy(&seen).await.diagnostics);
        }
        assert_eq!(here.request(&request).await.status.word(), "revoked");
    }
}

/// `-target` destroys one and leaves the other, whose next plan files and decides anew.
#[tokio::test]
async fn a_targeted_destroy_of_the_request_lets_both_be_made_anew() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let decision = here.decided(&request, "approve").await;
    quiet(&here.asking().destroy(&request).await.diagnostics);
    let anew = here.filed(&reading()).await;
    assert_ne!(id(&anew), id(&request));
    let planned = here.deciding().plan(&decision, &about(&anew, "approve")).await;
    quiet(&planned.diagnostics);
    let replaced: Vec<_> = planned.replace.iter().map(ToString::to_string).collect();
    assert_eq!(replaced, ["request_id"]);
    quiet(&here.deciding().destroy(&decision).await.diagnostics);
    let decision = here.decided(&anew, "approve").await;
    assert_eq!((text(&decision, "status"), here.granted().await), ("active".to_owned(), vec![READ.to_owned()]));
}

#[tokio::test]
async fn a_targeted_destroy_of_the_decision_lets_the_request_be_asked_anew() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let decision = here.decided(&request, "approve").await;
    quiet(&here.deciding().destroy(&decision).await.diagnostics);
    let request = here.refreshed(&request).await;
    plans_nothing(&here.asking(), &request, &reading()).await;
    // The decision is planned anew for a request that is over: that is told, with what to do.
    let config = about(&request, "approve");
    let planned = here.deciding().plan(&nothing(), &config).await;
    told(&planned.diagnostics, Severity::Error, "Request over", "have the request filed anew");
    let mut again = reading();
    again["ticket"] = "OPS-3".into();
    quiet(&here.asking().destroy(&request).await.diagnostics);
    let request = here.filed(&again).await;
    assert_eq!(text(&here.decided(&request, "approve").await, "status"), "active");
}

/// Rule 5 of Terraform's core: what became of a request strands no decision about it.
#[tokio::test]
async fn a_decision_outlives_what_becomes_of_its_request() {
    let here = Here::new().await;
    // Amended: what was agreed to holds, and the plan says that it is not the present one.
    let request = here.filed(&reading()).await;
    let decision = here.decided(&request, "approve").await;
    let mut wider = reading();
    wider["access"] = "read_write".into();
    let amended = here.asking().applied(&here.refreshed(&request).await, &wider).await;
    let seen = here.deciding().read(&decision).await.stored;
    assert_eq!((text(&seen, "status"), here.granted().await), ("amended".to_owned(), vec![READ.to_owned()]));
    let warned = plans_nothing(&here.deciding(), &seen, &about(&request, "approve")).await;
    assert_eq!(warned, ["Request amended since"]);
    let decision = here.deciding().applied(&seen, &about(&amended, "approve")).await;
    assert_eq!((text(&decision, "status"), here.granted().await.len()), ("active".to_owned(), 2));

    // Expired.
    let mut short = reading();
    short["resource_name"] = "pay.invoices".into();
    let end = in_milliseconds(600);
    short["expires_at"] = end.clone().into();
    let request = here.filed(&short).await;
    let decision = here.decided(&request, "approve").await;
    pass(&end).await;
    let overdue = here.deciding().read(&decision).await.stored;
    assert_eq!(text(&overdue, "status"), "expiring_overdue");
    plans_nothing(&here.deciding(), &overdue, &about(&request, "approve")).await;
    here.command(Command::ExpireRequest(id(&request))).await;
    let expiring = here.deciding().read(&overdue).await.stored;
    plans_nothing(&here.deciding(), &expiring, &about(&request, "approve")).await;
    // Whoever destroys it ends what was begun.
    quiet(&here.deciding().destroy(&expiring).await.diagnostics);
    assert_eq!(here.request(&request).await.status.word(), "expired");
    assert!(!here.granted().await.iter().any(|it| it.contains("pay.invoices")));

    // Withdrawn, after it was rejected.
    let mut other = reading();
    other["resource_name"] = "pay.refunds".into();
    let request = here.filed(&other).await;
    let decision = here.decided(&request, "reject").await;
    quiet(&here.asking().destroy(&request).await.diagnostics);
    let seen = here.deciding().read(&decision).await.stored;
    plans_nothing(&here.deciding(), &seen, &about(&request, "reject")).await;
    quiet(&here.deciding().destroy(&seen).await.diagnostics);
}

#[tokio::test]
async fn a_decision_is_gone_only_if_the_journal_never_had_its_request() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let decision = here.decided(&request, "approve").await;
    let other = Here::new().await;
    let lost = other.deciding().read(&decision).await;
    assert!(lost.diagnostics.has_errors(), "another journal concludes nothing");
    let forgetful = Stored { private: crate::framework::Private::default(), ..decision };
    assert_eq!(other.deciding().read(&forgetful).await.stored.state, Value::Null);
}

/// `create_before_destroy` takes back what was decided before, and not what it decided anew.
#[tokio::test]
async fn a_decision_that_is_made_anew_first_survives_the_end_of_the_one_before() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let decision = here.decided(&request, "approve").await;
    let run = here.deciding();
    let planned = run.plan(&nothing(), &about(&request, "approve")).await;
    told(&planned.diagnostics, Severity::Warning, "Decided already", "`removed` block");
    let anew = run.apply(&nothing(), planned.planned, &about(&request, "approve")).await;
    quiet(&anew.diagnostics);
    let anew = anew.stored;
    quiet(&run.destroy(&decision).await.diagnostics);
    assert_eq!((text(&anew, "status"), here.granted().await), ("active".to_owned(), vec![READ.to_owned()]));
    let seen = here.deciding().read(&anew).await.stored;
    assert_eq!(plans_nothing(&here.deciding(), &seen, &about(&request, "approve")).await, Vec::<String>::new());
}

/// Who amends does not keep the owner from taking away what there is.
#[tokio::test]
async fn what_was_granted_before_an_amendment_is_taken_away_by_a_rejection_of_it() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let decision = here.decided(&request, "approve").await;
    let mut wider = reading();
    wider["access"] = "read_write".into();
    here.asking().applied(&here.refreshed(&request).await, &wider).await;
    let seen = here.deciding().read(&decision).await.stored;
    let reject = about(&request, "reject");
    let planned = here.deciding().plan(&seen, &reject).await;
    told(&planned.diagnostics, Severity::Warning, "Access revoked", "`READ` of the topic `pay.orders`");
    let applied = here.deciding().apply(&seen, planned.planned, &reject).await;
    assert!(!applied.diagnostics.has_errors(), "{:?}", applied.diagnostics);
    let decision = applied.stored;
    assert_eq!(here.granted().await, Vec::<String>::new());
    assert_eq!(here.request(&request).await.status.word(), "pending", "the amendment still waits");
    assert_eq!(plans_nothing(&here.deciding(), &decision, &reject).await, ["Request amended since"]);
}

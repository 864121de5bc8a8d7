//! The resource on a governed cluster in memory.

mod bad_input;
mod elsewhere;
mod order;

use crate::{
    framework::{Import, Severity, Stored, Value},
    governance::{
        command::{Command, Retraction},
        policy::{AccessApproval, ApplicationApproval, Approval, ChangeApproval, Policy},
        request::{Change, ChangeKind, Filing, Judge, RequestId, Subject, Verb},
    },
    resources::{
        requests::testing::{DECISION, Here, REQUEST, about, application, id, plans_nothing, reading, text},
        testing::{quiet, soon, told},
    },
};

const READ: &str = "TOPIC|LITERAL|pay.orders|User:shop|*|READ|ALLOW";

fn nothing() -> Stored {
    Stored::default()
}

#[tokio::test]
async fn an_approval_becomes_exactly_the_rules_in_the_same_apply() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    assert_eq!(here.granted().await, Vec::<String>::new());
    let decision = here.decided(&request, "approve").await;
    assert_eq!(text(&decision, "id"), format!("dev/{}:owner", id(&request)));
    assert_eq!((text(&decision, "status"), here.granted().await), ("active".to_owned(), vec![READ.to_owned()]));
    assert_eq!(plans_nothing(&here.deciding(), &decision, &about(&request, "approve")).await, Vec::<String>::new());
    let seen = here.deciding().read(&decision).await;
    quiet(&seen.diagnostics);
    assert_eq!(seen.stored.state, decision.state);
}

#[tokio::test]
async fn a_rejection_gives_nothing_and_can_be_thought_better_of() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let decision = here.decided(&request, "reject").await;
    assert_eq!((text(&decision, "status"), here.granted().await), ("rejected".to_owned(), vec![]));
    assert_eq!(plans_nothing(&here.deciding(), &decision, &about(&request, "reject")).await, Vec::<String>::new());
    let decision = here.deciding().applied(&decision, &about(&request, "approve")).await;
    assert_eq!((text(&decision, "status"), here.granted().await), ("active".to_owned(), vec![READ.to_owned()]));
    let planned = here.deciding().plan(&decision, &about(&request, "reject")).await;
    told(&planned.diagnostics, Severity::Warning, "Access revoked", "`READ` of the topic `pay.orders` from `shop`");
    let outcome = here.deciding().apply(&decision, planned.planned, &about(&request, "reject")).await;
    quiet(&outcome.diagnostics);
    assert_eq!((text(&outcome.stored, "status"), here.granted().await), ("revoked".to_owned(), vec![]));
}

#[tokio::test]
async fn both_must_agree_where_both_are_asked() {
    let here = Here::with(AccessApproval::OwnerAndPlatform).await;
    let request = here.filed(&reading()).await;
    let of_owner = here.decided(&request, "approve").await;
    assert_eq!((text(&of_owner, "status"), here.granted().await), ("pending".to_owned(), vec![]));
    let mut as_platform = about(&request, "approve");
    as_platform["as"] = "platform".into();
    let of_platform = here.run(DECISION, None).applied(&nothing(), &as_platform).await;
    assert_eq!((text(&of_platform, "status"), here.granted().await), ("active".to_owned(), vec![READ.to_owned()]));
    let of_owner = here.deciding().read(&of_owner).await.stored;
    assert_eq!(text(&of_owner, "status"), "active");
    assert_eq!(plans_nothing(&here.deciding(), &of_owner, &about(&request, "approve")).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_destroy_revokes_and_says_so_unless_it_keeps() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let decision = here.decided(&request, "approve").await;
    let mut keeping = about(&request, "approve");
    keeping["on_destroy"] = "keep".into();
    let kept = here.deciding().applied(&decision, &keeping).await;
    told(&here.deciding().plan_end(&kept).await.diagnostics, Severity::Warning, "Access kept", "`active`");
    quiet(&here.deciding().destroy(&kept).await.diagnostics);
    assert_eq!(here.granted().await, [READ]);
    let plan = here.deciding().plan_end(&decision).await;
    told(
        &plan.diagnostics,
        Severity::Warning,
        "Access revoked",
        "revokes `READ` of the topic `pay.orders` from `shop`",
    );
    quiet(&here.deciding().destroy(&decision).await.diagnostics);
    assert_eq!(here.granted().await, Vec::<String>::new());
    assert_eq!(here.request(&request).await.status.word(), "revoked");
}

#[tokio::test]
async fn to_destroy_a_rejection_asks_again() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let decision = here.decided(&request, "reject").await;
    quiet(&here.deciding().plan_end(&decision).await.diagnostics);
    quiet(&here.deciding().destroy(&decision).await.diagnostics);
    assert_eq!(here.request(&request).await.status.word(), "pending");
}

/// What somebody else took back is decided again, for the same content.
#[tokio::test]
async fn a_decision_that_somebody_took_back_is_made_again() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let decision = here.decided(&request, "reject").await;
    let revision = here.request(&request).await.revision;
    let retraction = Retraction { request: id(&request), revision: revision.clone(), judge: Judge::Owner };
    let owner = here.deciding().governed();
    owner.command(Command::RetractDecision(retraction), soon()).await.unwrap();
    let seen = here.deciding().read(&decision).await.stored;
    assert_eq!(text(&seen, "status"), "undecided");
    let again = here.deciding().applied(&seen, &about(&request, "reject")).await;
    assert_eq!(text(&again, "status"), "rejected");
}

/// Who may not decide plans nothing in red, however the request stands.
#[tokio::test]
async fn a_decision_that_the_caller_cannot_repeat_is_no_change() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let decision = here.decided(&request, "reject").await;
    quiet(&here.deciding().destroy(&decision).await.diagnostics);
    let seen = here.run(DECISION, None).read(&decision).await.stored;
    assert_eq!(text(&seen, "status"), "undecided");
    let told = plans_nothing(&here.run(DECISION, None), &seen, &about(&request, "reject")).await;
    assert_eq!(told, ["Not yours to decide"]);
}

#[tokio::test]
async fn a_decision_is_imported_by_id_and_by_identity() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let mut config = about(&request, "approve");
    config["reason"] = "They deliver.".into();
    let decision = here.deciding().applied(&nothing(), &config).await;
    let run = here.deciding();
    let by_id = run.import(&text(&decision, "id")).await;
    quiet(&by_id.diagnostics);
    let by_identity = run.resource.import(&run.ctx, Import::Identity(decision.identity.clone())).await;
    quiet(&by_identity.diagnostics);
    for imported in [by_id.stored, by_identity.stored] {
        let seen = here.deciding().read(&imported).await;
        quiet(&seen.diagnostics);
        assert_eq!(seen.stored.state, decision.state);
        assert_eq!(plans_nothing(&here.deciding(), &seen.stored, &config).await, Vec::<String>::new());
    }
    let undecided = here.deciding().import(&format!("dev/{}:platform", id(&request))).await.stored;
    assert_eq!(here.deciding().read(&undecided).await.stored.state, Value::Null);
    let wrong = here.deciding().import(&format!("dev/{}", id(&request))).await;
    told(&wrong.diagnostics, Severity::Error, "Invalid access decision identifier", "");
}

#[tokio::test]
async fn the_platform_decides_about_an_application_with_the_same_resource() {
    let approval = Approval { applications: ApplicationApproval::Platform, ..Approval::default() };
    let here = Here::under(Policy { approval, ..Policy::default() }).await;
    let team = here.run("application", Some("stock"));
    let planned = team.plan(&nothing(), &application("stock")).await;
    let waiting = team.apply(&nothing(), planned.planned, &application("stock")).await.stored;
    assert_eq!(text(&waiting, "status"), "pending");
    let known = here.run(REQUEST, None).governed().snapshot(soon()).await.unwrap();
    let asked = known.state.requests().find(|(id, _)| id.applicant().as_str() == "stock");
    let (id, found) = asked.expect("an application that waits is a request");
    let config = serde_json::json!({
        "request_id": id.to_string(), "revision": found.revision.as_str(), "decision": "approve", "as": "platform",
    });
    let decision = here.run(DECISION, None).applied(&nothing(), &config).await;
    assert_eq!(text(&decision, "status"), "active");
    let seen = here.run("application", Some("stock")).read(&waiting).await.stored;
    assert_eq!(text(&seen, "status"), "ready");
    assert_eq!(plans_nothing(&here.run(DECISION, None), &decision, &config).await, Vec::<String>::new());
    let end = here.run(DECISION, None).plan_end(&decision).await;
    told(&end.diagnostics, Severity::Warning, "Approval stays", "destroy its `kafka_application`");
    let mut keeping = config.clone();
    keeping["on_destroy"] = "keep".into();
    let kept = here.run(DECISION, None).applied(&decision, &keeping).await;
    quiet(&here.run(DECISION, None).plan_end(&kept).await.diagnostics);
    quiet(&here.run(DECISION, None).destroy(&decision).await.diagnostics);
    let seen = here.run("application", Some("stock")).read(&seen).await.stored;
    assert_eq!(text(&seen, "status"), "ready", "it is not undone");
}

/// A team asks for an application; the platform rejects it and takes that back.
#[tokio::test]
async fn to_destroy_a_rejection_of_an_application_has_it_wait_again() {
    let approval = Approval { applications: ApplicationApproval::Platform, ..Approval::default() };
    for is_taken in [false, true] {
        let here = Here::under(Policy { approval: approval.clone(), ..Policy::default() }).await;
        let team = || here.run("application", Some("stock"));
        let planned = team().plan(&nothing(), &application("stock")).await;
        let waiting = team().apply(&nothing(), planned.planned, &application("stock")).await.stored;
        let known = here.run(REQUEST, None).governed().snapshot(soon()).await.unwrap();
        let id: RequestId = text(&waiting, "request_id").parse().unwrap();
        let config = serde_json::json!({
            "request_id": id.to_string(), "revision": known.state.request(&id).unwrap().revision.as_str(),
            "decision": "reject", "as": "platform",
        });
        let rejection = here.run(DECISION, None).applied(&nothing(), &config).await;
        let rejected = team().read(&waiting).await.stored;
        assert_eq!(text(&rejected, "status"), "rejected");
        let end = if is_taken {
            let mut other = application("other");
            other["prefixes"] = serde_json::json!({ "topic": ["stock."] });
            here.run("application", None).applied(&nothing(), &other).await;
            let end = here.run(DECISION, None).plan_end(&rejection).await;
            told(&end.diagnostics, Severity::Warning, "Rejection stays", "somebody else has");
            "rejected"
        } else {
            quiet(&here.run(DECISION, None).plan_end(&rejection).await.diagnostics);
            "pending"
        };
        quiet(&here.run(DECISION, None).destroy(&rejection).await.diagnostics);
        assert_eq!(text(&team().read(&rejected).await.stored, "status"), end);
    }
}

#[tokio::test]
async fn the_platform_decides_about_a_change_with_the_same_resource() {
    let changes = [(ChangeKind::Connector, [(Verb::Create, ChangeApproval::Platform)].into())].into();
    let approval = Approval { changes, ..Approval::default() };
    let here = Here::under(Policy { approval, ..Policy::default() }).await;
    let change = Change {
        kind: ChangeKind::Connector,
        verb: Verb::Create,
        name: "shop.orders".to_owned(),
        partitions: None,
        disk_bytes: None,
        digest: String::new(),
    };
    let request: RequestId = "shop-00000001".parse().unwrap();
    let filing = Filing::new(request.clone(), "shop".parse().unwrap(), Subject::Change(change));
    here.command(Command::FileRequest(Box::new(filing))).await;
    let known = here.run(REQUEST, None).governed().snapshot(soon()).await.unwrap();
    let config = serde_json::json!({
        "request_id": request.to_string(), "decision": "approve", "as": "platform",
        "revision": known.state.request(&request).unwrap().revision.as_str(),
    });
    let decision = here.run(DECISION, None).applied(&nothing(), &config).await;
    assert_eq!(text(&decision, "status"), "approved");
    assert_eq!(plans_nothing(&here.run(DECISION, None), &decision, &config).await, Vec::<String>::new());
    // Nobody made use of it yet, so that it is taken back.
    quiet(&here.run(DECISION, None).plan_end(&decision).await.diagnostics);
    quiet(&here.run(DECISION, None).destroy(&decision).await.diagnostics);
    let known = here.run(REQUEST, None).governed().snapshot(soon()).await.unwrap();
    assert_eq!(known.state.request(&request).unwrap().status.word(), "pending");
    // It is no access, and not managed as one.
    let imported = here.asking().import("dev/shop-00000001").await.stored;
    told(&here.asking().read(&imported).await.diagnostics, Severity::Error, "Not an access request", "`shop-00000001`");
}

/// Rule 21 of governance: who handed over what was asked for has nothing to decide any more, and nothing to take back.
#[tokio::test]
async fn a_decision_of_a_former_owner_is_destroyed_without_effect() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let decision = here.decided(&request, "approve").await;
    here.hand_over_to_stock().await;
    let seen = here.deciding().read(&decision).await.stored;
    plans_nothing(&here.deciding(), &seen, &about(&request, "approve")).await;
    quiet(&here.deciding().plan_end(&seen).await.diagnostics);
    quiet(&here.deciding().destroy(&seen).await.diagnostics);
    assert_eq!(here.granted().await, [READ], "it is the new owner's to revoke");
    let asked = here.refreshed(&request).await;
    assert_eq!(text(&asked, "owner"), "stock");
    assert_eq!(plans_nothing(&here.asking(), &asked, &reading()).await, Vec::<String>::new());
}

#[tokio::test]
async fn another_reason_is_told_to_change_nothing() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let decision = here.decided(&request, "approve").await;
    let mut config = about(&request, "approve");
    config["reason"] = "On second thought.".into();
    let planned = here.deciding().plan(&decision, &config).await;
    told(&planned.diagnostics, Severity::Warning, "Reason kept", "the state alone");
    let stored = here.deciding().apply(&decision, planned.planned, &config).await;
    quiet(&stored.diagnostics);
    assert_eq!(plans_nothing(&here.deciding(), &stored.stored, &config).await, Vec::<String>::new());
}

/// Nothing is told to go that a letter alone would have given.
#[tokio::test]
async fn an_approval_by_letter_gave_nothing_before_it_was_folded() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let run = || here.deployer(DECISION, "pay");
    let decision = run().applied(&nothing(), &about(&request, "approve")).await;
    quiet(&run().plan_end(&decision).await.diagnostics);
    let rejection = run().applied(&decision, &about(&request, "reject")).await;
    here.fold().await;
    assert_eq!(text(&run().read(&rejection).await.stored, "status"), "rejected");
}

/// A deployer's decision is a letter; the rules are made by who may.
#[tokio::test]
async fn an_owner_with_its_own_credentials_decides_by_letter() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let run = || here.deployer(DECISION, "pay");
    let decision = run().applied(&nothing(), &about(&request, "approve")).await;
    assert_eq!((text(&decision, "status"), here.granted().await), ("requested".to_owned(), vec![]));
    let unseen = run().read(&decision).await.stored;
    assert_eq!(text(&unseen, "status"), "requested", "nobody looked at it yet");
    assert_eq!(plans_nothing(&run(), &unseen, &about(&request, "approve")).await.len(), 0);
    here.fold().await;
    let seen = run().read(&decision).await.stored;
    assert_eq!(text(&seen, "status"), "approved");
    assert_eq!(plans_nothing(&run(), &seen, &about(&request, "approve")).await, Vec::<String>::new());
    // The next apply of one who may makes them.
    let asked = here.refreshed(&request).await;
    assert_eq!(text(&asked, "status"), "approved");
    let asked = here.asking().applied(&asked, &reading()).await;
    assert_eq!((text(&asked, "status"), here.granted().await), ("active".to_owned(), vec![READ.to_owned()]));
    quiet(&run().destroy(&seen).await.diagnostics);
    here.fold().await;
    assert_eq!(here.request(&request).await.status.word(), "revoking");
}

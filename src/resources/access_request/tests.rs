//! The resource on a governed cluster in memory.

mod again;
mod bad_input;
mod granted;
mod mixed;

use serde_json::json;

use crate::{
    framework::{ApplyRequest, Import, Severity, Stored, Value},
    governance::policy::AccessApproval,
    resources::{
        requests::testing::{
            Here, REQUEST, application, id, in_milliseconds, plan_without, plans_nothing, reading, text,
        },
        testing::{quiet, told},
    },
};

fn nothing() -> Stored {
    Stored::default()
}

#[tokio::test]
async fn a_request_waits_and_to_wait_is_no_change() {
    let here = Here::new().await;
    let stored = here.filed(&reading()).await;
    let id = text(&stored, "request_id");
    let digits = id.strip_prefix("shop-").unwrap();
    assert!(digits.len() == 8 && digits.chars().all(|it| it.is_ascii_hexdigit()), "{id}");
    assert_eq!(text(&stored, "id"), format!("dev/{id}"));
    assert_eq!((text(&stored, "status"), text(&stored, "owner")), ("pending".to_owned(), "pay".to_owned()));
    assert_eq!(text(&stored, "revision"), here.request(&stored).await.revision.as_str());
    assert_eq!(here.granted().await, Vec::<String>::new());
    assert_eq!(here.refreshed(&stored).await.state, stored.state);
    assert_eq!(plans_nothing(&here.asking(), &stored, &reading()).await, Vec::<String>::new());
    let mut by_name = reading();
    by_name["application"] = "shop".into();
    assert_eq!(plans_nothing(&here.asking(), &stored, &by_name).await, Vec::<String>::new());
}

#[tokio::test]
async fn where_nobody_needs_to_agree_access_is_there_at_once() {
    let here = Here::with(AccessApproval::None).await;
    let stored = here.filed(&reading()).await;
    assert_eq!(text(&stored, "status"), "active");
    assert_eq!(here.granted().await, ["TOPIC|LITERAL|pay.orders|User:shop|*|READ|ALLOW"]);
    assert_eq!(plans_nothing(&here.asking(), &stored, &reading()).await, Vec::<String>::new());
}

#[tokio::test]
async fn only_what_is_asked_otherwise_is_another_revision() {
    let here = Here::new().await;
    let stored = here.filed(&reading()).await;
    let mut changed = reading();
    changed["ticket"] = "OPS-1".into();
    changed["approver"] = "Ann".into();
    let planned = here.asking().plan(&stored, &changed).await;
    for attribute in ["revision", "status", "owner", "id", "request_id"] {
        let known = planned.planned.state.attribute(attribute);
        assert_eq!(known, stored.state.attribute(attribute), "{attribute}: to tell more asks for nothing else");
    }
    let stored = here.asking().applied(&stored, &changed).await;
    assert_eq!(here.request(&stored).await.ticket.as_deref(), Some("OPS-1"));
    changed["access"] = "read_write".into();
    let planned = here.asking().plan(&stored, &changed).await;
    for (attribute, is_known) in
        [("revision", false), ("status", false), ("owner", false), ("id", true), ("request_id", true)]
    {
        let is = planned.planned.state.attribute(attribute).is_wholly_known();
        assert_eq!(is, is_known, "{attribute}");
    }
    let amended = here.asking().applied(&stored, &changed).await;
    assert_eq!(text(&amended, "request_id"), text(&stored, "request_id"));
    assert_ne!(text(&amended, "revision"), text(&stored, "revision"));
    assert_eq!(plans_nothing(&here.asking(), &amended, &changed).await, Vec::<String>::new());
}

#[tokio::test]
async fn another_resource_or_applicant_is_another_request() {
    let here = Here::new().await;
    let stored = here.filed(&reading()).await;
    for (attribute, value) in [
        ("resource_name", "pay.invoices"),
        ("resource_type", "group"),
        ("pattern_type", "prefixed"),
        ("application", "dev/pay"),
    ] {
        let mut other = reading();
        other[attribute] = value.into();
        let planned = here.asking().plan(&stored, &other).await;
        let replaced: Vec<_> = planned.replace.iter().map(ToString::to_string).collect();
        assert_eq!(replaced, [attribute], "{:?}", planned.diagnostics);
    }
}

/// Rule 10 of Terraform's core: an application, or the owner of what is asked for, may be made in the same run.
#[tokio::test]
async fn what_becomes_known_in_the_same_run_is_asked_in_apply() {
    let here = Here::new().await;
    let run = here.asking();
    let planned = plan_without(&run, &nothing(), &reading(), &["application"]).await;
    quiet(&planned.diagnostics);
    assert!(!planned.planned.state.attribute("request_id").is_wholly_known());
    // Core plans once more when it is known, just before apply.
    let filed = run.applied(&nothing(), &reading()).await;
    assert_eq!(text(&filed, "status"), "pending");
    // Whoever owns the topic is declared in the same run: the plan warns, and apply finds it there.
    let mut of_new = reading();
    of_new["resource_name"] = "stock.levels".into();
    let planned = here.asking().plan(&nothing(), &of_new).await;
    told(&planned.diagnostics, Severity::Warning, "Owner unknown", "`stock.levels`");
    let refused = here.asking().apply(&nothing(), planned.planned.clone(), &of_new).await;
    told(&refused.diagnostics, Severity::Error, "Owner unknown", "`stock.levels`");
    here.run("application", None).applied(&nothing(), &application("stock")).await;
    let filed = here.asking().apply(&nothing(), planned.planned, &of_new).await;
    quiet(&filed.diagnostics);
    assert_eq!(text(&filed.stored, "owner"), "stock");
}

#[tokio::test]
async fn a_create_that_was_interrupted_is_taken_up_again() {
    let here = Here::new().await;
    let first = here.filed(&reading()).await;
    // The process ended before its state was stored.
    let planned = here.asking().plan(&nothing(), &reading()).await;
    let again = here.asking().apply(&nothing(), planned.planned, &reading()).await;
    told(&again.diagnostics, Severity::Warning, "Request taken up again", &text(&first, "request_id"));
    assert_eq!(again.stored.state, first.state);
    // One process files what two resources ask for twice.
    let run = here.asking();
    let mut other = reading();
    other["resource_name"] = "pay.invoices".into();
    let one = run.applied(&nothing(), &other).await;
    let two = run.applied(&nothing(), &other).await;
    assert_ne!(id(&one), id(&two));
    // Somebody else did not have theirs interrupted.
    let planned = here.person(REQUEST, "shop", "ann").plan(&nothing(), &reading()).await;
    let of_ann = here.person(REQUEST, "shop", "ann").apply(&nothing(), planned.planned, &reading()).await;
    quiet(&of_ann.diagnostics);
    assert_ne!(id(&of_ann.stored), id(&first));
}

#[tokio::test]
async fn the_end_is_kept_as_it_is_written() {
    let here = Here::new().await;
    let mut config = reading();
    config["expires_at"] = "2099-03-31T02:00:00+02:00".into();
    let stored = here.filed(&config).await;
    assert_eq!(text(&here.refreshed(&stored).await, "expires_at"), "2099-03-31T02:00:00+02:00");
    assert_eq!(plans_nothing(&here.asking(), &stored, &config).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_request_is_imported_with_all_that_it_says() {
    let here = Here::new().await;
    let mut config = reading();
    config["ticket"] = "OPS-1".into();
    config["expires_at"] = in_milliseconds(3_600_000).into();
    config["application"] = "shop".into();
    let stored = here.filed(&config).await;
    let run = here.asking();
    let by_id = run.import(&text(&stored, "id")).await;
    quiet(&by_id.diagnostics);
    let by_identity = run.resource.import(&run.ctx, Import::Identity(stored.identity.clone())).await;
    quiet(&by_identity.diagnostics);
    for imported in [by_id.stored, by_identity.stored] {
        let seen = here.asking().read(&imported).await;
        quiet(&seen.diagnostics);
        assert_eq!(seen.stored.state, stored.state);
        assert_eq!(plans_nothing(&here.asking(), &seen.stored, &config).await, Vec::<String>::new());
    }
    let mut operations = reading();
    operations.as_object_mut().unwrap().remove("access");
    operations["operations"] = json!(["READ", "ALTER"]);
    let stored = here.filed(&operations).await;
    let imported = here.asking().import(&text(&stored, "id")).await.stored;
    let seen = here.asking().read(&imported).await.stored;
    assert_eq!(seen.state.attribute("operations"), stored.state.attribute("operations"));
    assert_eq!(
        here.asking().read(&here.asking().import("dev/shop-00000000").await.stored).await.stored.state,
        Value::Null
    );
    let wrong = here.asking().import("dev/nonsense").await;
    told(&wrong.diagnostics, Severity::Error, "Invalid access request identifier", "");
}

/// A deployer does not write the journal: what it files is seen as done, and shows what the platform made of it.
#[tokio::test]
async fn a_team_with_its_own_credentials_asks_by_letter() {
    let here = Here::new().await;
    let run = || here.deployer(REQUEST, "shop");
    let stored = run().applied(&nothing(), &reading()).await;
    assert_eq!(text(&stored, "status"), "requested");
    let unseen = run().read(&stored).await.stored;
    assert_eq!(unseen.state, stored.state, "nobody looked at it yet");
    assert_eq!(plans_nothing(&run(), &unseen, &reading()).await, Vec::<String>::new());
    here.fold().await;
    assert_eq!(here.request(&stored).await.revision.as_str(), text(&stored, "revision"));
    let seen = run().read(&stored).await.stored;
    assert_eq!(text(&seen, "status"), "pending");
    assert_eq!(plans_nothing(&run(), &seen, &reading()).await, Vec::<String>::new());
    // An amendment is another letter; what somebody thought of it before does not stand in its way.
    let mut amended = reading();
    amended["access"] = "read_write".into();
    let stored = run().applied(&seen, &amended).await;
    assert_eq!(text(&stored, "status"), "requested");
    here.fold().await;
    let stored = run().read(&stored).await.stored;
    assert_eq!(
        (text(&stored, "status"), plans_nothing(&run(), &stored, &amended).await.len()),
        ("pending".to_owned(), 0)
    );
    let gone = run().destroy(&stored).await;
    quiet(&gone.diagnostics);
    here.fold().await;
    assert_eq!(here.request(&stored).await.status.word(), "withdrawn");
}

/// An amendment that the platform refuses leaves the request as it was, which is told once.
#[tokio::test]
async fn an_amendment_that_is_refused_is_told() {
    let here = Here::new().await;
    let run = || here.deployer(REQUEST, "shop");
    let stored = run().applied(&nothing(), &reading()).await;
    here.fold().await;
    let stored = run().read(&stored).await.stored;
    let mut amended = reading();
    let soon = in_milliseconds(150);
    amended["expires_at"] = soon.clone().into();
    let amended = run().applied(&stored, &amended).await;
    crate::resources::requests::testing::pass(&soon).await;
    let unseen = run().read(&amended).await;
    quiet(&unseen.diagnostics);
    assert_eq!(text(&unseen.stored, "status"), "requested", "nobody looked at it yet");
    here.fold().await;
    let seen = run().read(&amended).await;
    told(&seen.diagnostics, Severity::Warning, "Change refused", "Expired already");
    assert_eq!(text(&seen.stored, "status"), "pending");
    quiet(&run().read(&seen.stored).await.diagnostics);
}

/// What the platform refuses when it folds is told, and keeps the resource until it is changed.
#[tokio::test]
async fn a_letter_that_is_refused_is_told_and_strands_nothing() {
    let here = Here::new().await;
    let run = || here.deployer(REQUEST, "shop");
    let mut config = reading();
    let soon = in_milliseconds(150);
    config["expires_at"] = soon.clone().into();
    let stored = run().applied(&nothing(), &config).await;
    crate::resources::requests::testing::pass(&soon).await;
    here.fold().await;
    let seen = run().read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Request refused", "Expired already");
    assert_eq!(text(&seen.stored, "status"), "refused");
    let planned = run().plan(&seen.stored, &config).await;
    assert_eq!(planned.planned.state, seen.stored.state, "{:?}", planned.diagnostics);
    assert!(!planned.diagnostics.has_errors(), "{:?}", planned.diagnostics);
    config["expires_at"] = in_milliseconds(3_600_000).into();
    let stored = run().applied(&seen.stored, &config).await;
    here.fold().await;
    assert_eq!(here.request(&stored).await.status.word(), "pending");
    quiet(&run().destroy(&stored).await.diagnostics);
}

/// Rule 24 of Terraform's core: what a plan did not see asks for nothing.
#[tokio::test]
async fn a_plan_that_is_stale_does_not_ask_for_more() {
    let here = Here::new().await;
    let stored = here.filed(&reading()).await;
    let mut changed = reading();
    changed["ticket"] = "OPS-1".into();
    let planned = here.asking().plan(&stored, &changed).await.planned;
    let mut more = application("shop");
    more["principals"] = json!(["User:shop", "User:shop-two"]);
    let applications = here.run("application", None);
    let imported = applications.import("dev/shop").await.stored;
    let seen = applications.read(&imported).await.stored;
    applications.applied(&seen, &more).await;
    let config = here.asking().config(&changed);
    let request = ApplyRequest { prior: stored.state.clone(), planned, config };
    let run = here.asking();
    let outcome = run.resource.apply(&run.ctx, request).await;
    told(&outcome.diagnostics, Severity::Error, "Plan is stale", "principals");
    assert_eq!(here.request(&stored).await.revision.as_str(), text(&stored, "revision"));
    // Planned again, it is told and asked for.
    let planned = here.asking().plan(&stored, &changed).await;
    told(&planned.diagnostics, Severity::Warning, "Request filed again", "`User:shop-two`");
    let outcome = here.asking().apply(&stored, planned.planned, &changed).await;
    quiet(&outcome.diagnostics);
    assert_ne!(text(&outcome.stored, "revision"), text(&stored, "revision"));
    assert_eq!(plans_nothing(&here.asking(), &outcome.stored, &changed).await, Vec::<String>::new());
}

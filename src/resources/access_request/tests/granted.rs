//! What becomes of requests once somebody decided.

use serde_json::json;

use super::{Here, application, id, in_milliseconds, nothing, plans_nothing, reading, text};
use crate::{
    clients::kafka::{Acls, KafkaError},
    framework::{Severity, Stored, Value},
    governance::{
        command::{Command, Revocation},
        policy::{AccessApproval, AclMode, Approval, Enforcement, Policy},
    },
    resources::{
        requests::testing::{REQUEST, about, pass},
        testing::{quiet, soon, told},
    },
};

const READ: &str = "TOPIC|LITERAL|pay.orders|User:shop|*|READ|ALLOW";
const WRITE: &str = "TOPIC|LITERAL|pay.orders|User:shop|*|WRITE|ALLOW";

#[tokio::test]
async fn an_approval_is_seen_by_a_refresh_and_changes_no_plan() {
    let here = Here::new().await;
    let stored = here.filed(&reading()).await;
    here.decided(&stored, "approve").await;
    let stored = here.refreshed(&stored).await;
    assert_eq!(text(&stored, "status"), "active");
    assert_eq!(here.granted().await, [READ]);
    assert_eq!(plans_nothing(&here.asking(), &stored, &reading()).await, Vec::<String>::new());
}

/// Rule 6 of governance: another content is another revision, and what was agreed to before holds until that is decided.
#[tokio::test]
async fn an_amendment_waits_while_the_old_grant_lives() {
    let here = Here::new().await;
    let stored = here.filed(&reading()).await;
    here.decided(&stored, "approve").await;
    let stored = here.refreshed(&stored).await;
    let mut wider = reading();
    wider["access"] = "read_write".into();
    let amended = here.asking().applied(&stored, &wider).await;
    assert_eq!((text(&amended, "status"), here.granted().await), ("pending".to_owned(), vec![READ.to_owned()]));
    here.decided(&amended, "approve").await;
    let amended = here.refreshed(&amended).await;
    assert_eq!(
        (text(&amended, "status"), here.granted().await),
        ("active".to_owned(), vec![READ.to_owned(), WRITE.to_owned()])
    );
    let mut narrower = reading();
    narrower["access"] = "write".into();
    let amended = here.asking().applied(&amended, &narrower).await;
    here.decided(&amended, "reject").await;
    let seen = here.refreshed(&amended).await;
    assert_eq!((text(&seen, "status"), here.granted().await.len()), ("rejected".to_owned(), 2));
    assert_eq!(plans_nothing(&here.asking(), &seen, &narrower).await, ["Request rejected"]);
}

/// Rule 10 of governance: what another one needs stays.
#[tokio::test]
async fn a_destroy_takes_away_exactly_what_the_request_gave() {
    let here = Here::with(AccessApproval::None).await;
    let stored = here.filed(&reading()).await;
    let mut both = reading();
    both["access"] = "read_write".into();
    let other = here.filed(&both).await;
    assert_eq!(here.granted().await, [READ, WRITE]);
    let plan = here.asking().plan_end(&other).await;
    told(
        &plan.diagnostics,
        Severity::Warning,
        "Access revoked",
        "revokes `READ` and `WRITE` of the topic `pay.orders` from `shop`",
    );
    let gone = here.asking().destroy(&other).await;
    quiet(&gone.diagnostics);
    assert_eq!((gone.stored.state, here.granted().await), (Value::Null, vec![READ.to_owned()]));
    assert_eq!(here.request(&other).await.status.word(), "revoked");
    quiet(&here.asking().destroy(&stored).await.diagnostics);
    assert_eq!(here.granted().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_destroy_withdraws_what_nobody_decided() {
    let here = Here::new().await;
    let stored = here.filed(&reading()).await;
    quiet(&here.asking().plan_end(&stored).await.diagnostics);
    quiet(&here.asking().destroy(&stored).await.diagnostics);
    assert_eq!(here.request(&stored).await.status.word(), "withdrawn");
    quiet(&here.asking().destroy(&stored).await.diagnostics);
}

#[tokio::test]
async fn access_that_is_to_be_kept_outlives_the_resource() {
    let here = Here::with(AccessApproval::None).await;
    let mut config = reading();
    let stored = here.filed(&config).await;
    config["on_destroy"] = "keep".into();
    let stored = here.asking().applied(&stored, &config).await;
    let plan = here.asking().plan_end(&stored).await;
    told(&plan.diagnostics, Severity::Warning, "Request kept", "`active`");
    quiet(&here.asking().destroy(&stored).await.diagnostics);
    assert_eq!(here.granted().await, [READ]);
}

/// Rule 16 of Terraform's core: a day that comes turns no plan red.
#[tokio::test]
async fn what_ended_is_no_change_and_is_told() {
    let here = Here::new().await;
    let mut config = reading();
    let end = in_milliseconds(400);
    config["expires_at"] = end.clone().into();
    let stored = here.filed(&config).await;
    pass(&end).await;
    let pending = here.refreshed(&stored).await;
    assert_eq!(plans_nothing(&here.asking(), &pending, &config).await, Vec::<String>::new());
    here.command(Command::ExpireRequest(id(&stored))).await;
    let expired = here.refreshed(&stored).await;
    assert_eq!(text(&expired, "status"), "expired");
    assert_eq!(plans_nothing(&here.asking(), &expired, &config).await, ["Request over"]);
    // A later end asks again, under the same id.
    config["expires_at"] = in_milliseconds(3_600_000).into();
    let again = here.asking().applied(&expired, &config).await;
    assert_eq!((text(&again, "status"), id(&again)), ("pending".to_owned(), id(&stored)));
}

/// Rule 20 of governance: until somebody reconciles, what is over is there still, which both sides are told.
#[tokio::test]
async fn access_whose_time_is_over_is_told_until_it_is_taken_away() {
    let here = Here::new().await;
    let mut config = reading();
    let end = in_milliseconds(600);
    config["expires_at"] = end.clone().into();
    let stored = here.filed(&config).await;
    let decision = here.decided(&stored, "approve").await;
    quiet(&here.asking().read(&stored).await.diagnostics);
    pass(&end).await;
    let of_owner = here.deciding().read(&decision).await;
    told(&of_owner.diagnostics, Severity::Warning, "Access overdue", READ);
    let seen = here.asking().read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Access overdue", READ);
    assert_eq!(text(&seen.stored, "status"), "expiring_overdue");
    assert_eq!(plans_nothing(&here.asking(), &seen.stored, &config).await, Vec::<String>::new());
    assert_eq!(here.granted().await, [READ]);
    let platform = here.run(REQUEST, None).governed();
    assert!(platform.reconcile(soon(), &mut |_| ()).await.unwrap().is_complete());
    assert_eq!(
        (text(&here.refreshed(&seen.stored).await, "status"), here.granted().await),
        ("expired".to_owned(), vec![])
    );
}

/// What asks for more waits, and what it had of the revision before is over meanwhile.
#[tokio::test]
async fn access_of_a_revision_before_is_told_when_its_time_is_over() {
    let here = Here::new().await;
    let mut config = reading();
    let end = in_milliseconds(600);
    config["expires_at"] = end.clone().into();
    let stored = here.filed(&config).await;
    here.decided(&stored, "approve").await;
    let stored = here.refreshed(&stored).await;
    config["expires_at"] = in_milliseconds(3_600_000).into();
    let amended = here.asking().applied(&stored, &config).await;
    pass(&end).await;
    let seen = here.asking().read(&amended).await;
    told(&seen.diagnostics, Severity::Warning, "Access overdue", READ);
    assert_eq!(text(&seen.stored, "status"), "pending");
}

#[tokio::test]
async fn what_was_revoked_stays_so_and_a_change_asks_anew() {
    let here = Here::new().await;
    let stored = here.filed(&reading()).await;
    here.decided(&stored, "approve").await;
    let revocation = Revocation { request: id(&stored), reason: None };
    here.command(Command::RevokeGrant(revocation)).await;
    here.run(REQUEST, None).governed().follow(&id(&stored), soon()).await.unwrap();
    assert_eq!(here.granted().await, Vec::<String>::new());
    let revoked = here.refreshed(&stored).await;
    assert_eq!(text(&revoked, "status"), "revoked");
    assert_eq!(plans_nothing(&here.asking(), &revoked, &reading()).await, ["Request over"]);
    let mut changed = reading();
    changed["ticket"] = "OPS-2".into();
    let planned = here.asking().plan(&revoked, &changed).await;
    quiet(&planned.diagnostics);
    assert_eq!(planned.replace.iter().map(ToString::to_string).collect::<Vec<_>>(), ["ticket"]);
    quiet(&here.asking().destroy(&revoked).await.diagnostics);
    let other = here.filed(&changed).await;
    assert_ne!(id(&other), id(&revoked));
}

#[tokio::test]
async fn principals_that_came_later_are_asked_for_by_another_revision() {
    let here = Here::new().await;
    let stored = here.filed(&reading()).await;
    here.decided(&stored, "approve").await;
    let stored = here.refreshed(&stored).await;
    let mut more = application("shop");
    more["principals"] = json!(["User:shop", "User:shop-two"]);
    let applications = here.run("application", None);
    let shop = applications.read(&applications.import("dev/shop").await.stored).await.stored;
    let shop = applications.applied(&shop, &more).await;
    assert_eq!(here.granted().await, [READ], "who came later has nothing");
    let stored = here.refreshed(&stored).await;
    let planned = here.asking().plan(&stored, &reading()).await;
    told(&planned.diagnostics, Severity::Warning, "Request filed again", "`User:shop-two`");
    let amended = here.asking().apply(&stored, planned.planned, &reading()).await;
    quiet(&amended.diagnostics);
    assert_eq!((text(&amended.stored, "status"), here.granted().await), ("pending".to_owned(), vec![READ.to_owned()]));
    let decision = here.decided(&amended.stored, "approve").await;
    assert_eq!(here.granted().await.len(), 2);

    // Who is removed loses it, and nobody is told that it is taken from it once more.
    here.run("application", None).applied(&shop, &application("shop")).await;
    assert_eq!(here.granted().await, [READ]);
    let planned = here.deciding().plan(&decision, &about(&amended.stored, "reject")).await;
    told(&planned.diagnostics, Severity::Warning, "Access revoked", "from `shop` (`User:shop`)");
}

#[tokio::test]
async fn rules_that_somebody_removed_are_told_and_made_again() {
    let here = Here::with(AccessApproval::None).await;
    let stored = here.filed(&reading()).await;
    here.cluster.delete_acls(&[READ.parse().unwrap()], soon()).await.unwrap();
    let seen = here.asking().read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Access removed outside", READ);
    let stored = here.asking().applied(&seen.stored, &reading()).await;
    assert_eq!((text(&stored, "status"), here.granted().await), ("active".to_owned(), vec![READ.to_owned()]));
}

/// The owner is told what its decision gives no more, and that others have it made again.
#[tokio::test]
async fn the_owner_is_told_of_rules_that_somebody_removed() {
    let here = Here::new().await;
    let stored = here.filed(&reading()).await;
    let decision = here.decided(&stored, "approve").await;
    quiet(&here.deciding().read(&decision).await.diagnostics);
    here.cluster.delete_acls(&[READ.parse().unwrap()], soon()).await.unwrap();
    let seen = here.deciding().read(&decision).await;
    told(&seen.diagnostics, Severity::Warning, "Access removed outside", "`reconcile`");
    assert_eq!(plans_nothing(&here.deciding(), &seen.stored, &about(&stored, "approve")).await, Vec::<String>::new());
    // Who may not see rules is not told, and nothing is an error.
    let denied = || KafkaError::Denied { operation: "DESCRIBE", resource: "the cluster".to_owned(), principal: None };
    here.cluster.fail("refresh_acls", denied());
    quiet(&here.deciding().read(&decision).await.diagnostics);
    let platform = here.run(REQUEST, None).governed();
    assert!(platform.reconcile(soon(), &mut |_| ()).await.unwrap().is_complete());
    assert_eq!(here.granted().await, [READ]);
    quiet(&here.deciding().read(&decision).await.diagnostics);
}

/// A team that only files cannot have rules made again: its plan says who does, and stays empty.
#[tokio::test]
async fn a_team_that_only_files_is_told_who_makes_rules_again() {
    let here = Here::with(AccessApproval::None).await;
    let team = || here.deployer(REQUEST, "shop");
    let stored = here.refreshed(&here.filed(&reading()).await).await;
    here.cluster.delete_acls(&[READ.parse().unwrap()], soon()).await.unwrap();
    let seen = team().read(&stored).await;
    told(&seen.diagnostics, Severity::Warning, "Access removed outside", "`reconcile`");
    assert_eq!(text(&seen.stored, "status"), "drifted");
    assert_eq!(plans_nothing(&team(), &seen.stored, &reading()).await, Vec::<String>::new());
}

/// What an amendment leaves until it is decided is looked for, too.
#[tokio::test]
async fn rules_of_the_revision_before_that_somebody_removed_are_told() {
    let here = Here::new().await;
    let stored = here.filed(&reading()).await;
    here.decided(&stored, "approve").await;
    let mut wider = reading();
    wider["access"] = "read_write".into();
    let amended = here.asking().applied(&here.refreshed(&stored).await, &wider).await;
    here.cluster.delete_acls(&[READ.parse().unwrap()], soon()).await.unwrap();
    let seen = here.asking().read(&amended).await;
    told(&seen.diagnostics, Severity::Warning, "Access removed outside", "`reconcile`");
    assert_eq!(text(&seen.stored, "status"), "pending");
    assert_eq!(plans_nothing(&here.asking(), &seen.stored, &wider).await, Vec::<String>::new());
    let platform = here.run(REQUEST, None).governed();
    assert!(platform.reconcile(soon(), &mut |_| ()).await.unwrap().is_complete());
    assert_eq!(here.granted().await, [READ]);
}

/// A grant whose rules failed is finished by the next apply, of whichever of the two.
#[tokio::test]
async fn a_grant_that_failed_is_made_by_the_next_apply() {
    let here = Here::new().await;
    let stored = here.filed(&reading()).await;
    here.cluster.fail("create_acls", KafkaError::Deadline("creating ACLs".to_owned()));
    let run = here.deciding();
    let planned = run.plan(&nothing(), &about(&stored, "approve")).await;
    let failed = run.apply(&nothing(), planned.planned, &about(&stored, "approve")).await;
    assert!(failed.diagnostics.has_errors(), "{failed:?}");
    let seen = here.refreshed(&stored).await;
    assert_eq!((text(&seen, "status"), here.granted().await), ("failed".to_owned(), vec![]));
    let mended = here.asking().applied(&seen, &reading()).await;
    assert_eq!((text(&mended, "status"), here.granted().await), ("active".to_owned(), vec![READ.to_owned()]));
    // The decision was made, and is in no state.
    let run = here.deciding();
    let planned = run.plan(&nothing(), &about(&mended, "approve")).await;
    told(&planned.diagnostics, Severity::Warning, "Decided already", "this decision already");
    let decided = run.apply(&nothing(), planned.planned, &about(&mended, "approve")).await.stored;
    assert_eq!(text(&decided, "status"), "active");
}

/// A run that is killed before it removes what only the revision before had leaves nothing else to do: a refresh sees the
/// request as it is asked.
#[tokio::test]
async fn a_rule_that_an_amendment_left_behind_is_removed_by_the_next_apply() {
    let here = Here::with(AccessApproval::None).await;
    let stored = here.filed(&reading()).await;
    let mut writing = reading();
    writing["access"] = "write".into();
    here.cluster.fail("delete_acls", KafkaError::Deadline("deleting ACLs".to_owned()));
    let run = here.asking();
    let planned = run.plan(&stored, &writing).await;
    let failed = run.apply(&stored, planned.planned, &writing).await;
    assert!(failed.diagnostics.has_errors(), "{failed:?}");
    assert_eq!(here.granted().await, [READ, WRITE]);
    let seen = here.refreshed(&stored).await;
    let mended = here.asking().applied(&seen, &writing).await;
    assert_eq!((text(&mended, "status"), here.granted().await), ("active".to_owned(), vec![WRITE.to_owned()]));
    assert_eq!(plans_nothing(&here.asking(), &mended, &writing).await, Vec::<String>::new());
}

/// Where resources without a rule are everybody's, the owner's own rules keep a grant from shutting anybody out.
#[tokio::test]
async fn where_the_owner_has_rules_a_grant_closes_nothing() {
    let approval = Approval { access: AccessApproval::None, ..Approval::default() };
    let here = Here::under(Policy { approval, acl_mode: AclMode::Open, ..Policy::default() }).await;
    let stored = here.filed(&reading()).await;
    assert_eq!((text(&stored, "status"), here.granted().await), ("active".to_owned(), vec![READ.to_owned()]));
}

/// Rule 17 of governance: where something else enforces rights, nothing is said to be active.
#[tokio::test]
async fn where_rights_are_enforced_elsewhere_an_approval_is_the_end_of_it() {
    let approval = Approval { access: AccessApproval::None, ..Approval::default() };
    let here = Here::under(Policy { approval, enforcement: Enforcement::External, ..Policy::default() }).await;
    let stored = here.filed(&reading()).await;
    assert_eq!((text(&stored, "status"), here.granted().await), ("external".to_owned(), vec![]));
    assert_eq!(plans_nothing(&here.asking(), &here.refreshed(&stored).await, &reading()).await, Vec::<String>::new());
    let plan = here.asking().plan_end(&stored).await;
    told(&plan.diagnostics, Severity::Warning, "Access revoked", "`READ` of the topic `pay.orders`");
    quiet(&here.asking().destroy(&stored).await.diagnostics);
    assert_eq!(here.request(&stored).await.status.word(), "withdrawn");
}

/// What an application asked for ends with it, and its successor of the same name asks anew.
#[tokio::test]
async fn an_application_that_is_made_anew_asks_anew() {
    let here = Here::new().await;
    let stored = here.filed(&reading()).await;
    let applications = here.run("application", None);
    let shop = applications.read(&applications.import("dev/shop").await.stored).await.stored;
    quiet(&applications.destroy(&shop).await.diagnostics);
    let orphan = here.refreshed(&stored).await;
    assert_eq!(text(&orphan, "status"), "withdrawn");
    plans_nothing(&here.asking(), &orphan, &reading()).await;
    here.run("application", None).applied(&nothing(), &application("shop")).await;
    let planned = here.asking().plan(&orphan, &reading()).await;
    quiet(&planned.diagnostics);
    assert_eq!(planned.replace.iter().map(ToString::to_string).collect::<Vec<_>>(), ["application"]);
    quiet(&here.asking().destroy(&orphan).await.diagnostics);
    assert_ne!(id(&here.filed(&reading()).await), id(&orphan));
}

#[tokio::test]
async fn what_the_journal_never_had_is_gone_and_a_failing_cluster_concludes_nothing() {
    let here = Here::new().await;
    let stored = here.filed(&reading()).await;
    here.cluster.fail_next(KafkaError::Deadline("asking".to_owned()));
    let failed = here.asking().read(&stored).await;
    assert!(failed.diagnostics.has_errors());
    assert_eq!(failed.stored, stored);
    let empty = Here::new().await;
    let lost = empty.asking().read(&stored).await;
    assert!(lost.diagnostics.has_errors(), "another journal is an error, and never absence: {lost:?}");
}

/// Rule 2 of Terraform's core: `create_before_destroy` deletes after creating, and what the create made stays.
#[tokio::test]
async fn a_replacement_in_either_order_keeps_what_it_made() {
    let here = Here::with(AccessApproval::None).await;
    let stored = here.filed(&reading()).await;
    let run = here.asking();
    let update = run.plan(&stored, &reading()).await;
    let second = Stored { private: update.planned.private, ..nothing() };
    let planned = run.plan(&second, &reading()).await;
    let anew = run.apply(&nothing(), planned.planned, &reading()).await;
    quiet(&anew.diagnostics);
    assert_ne!(id(&anew.stored), id(&stored), "what is replaced is not taken up");
    quiet(&run.destroy(&stored).await.diagnostics);
    assert_eq!((here.request(&stored).await.status.word(), here.granted().await), ("revoked", vec![READ.to_owned()]));
    assert_eq!(
        plans_nothing(&here.asking(), &here.refreshed(&anew.stored).await, &reading()).await,
        Vec::<String>::new()
    );
    // A tainted one tells nothing of itself, so that it is taken up; its end leaves it alone.
    let run = here.asking();
    let planned = run.plan(&nothing(), &reading()).await;
    let taken = run.apply(&nothing(), planned.planned, &reading()).await;
    told(&taken.diagnostics, Severity::Warning, "Request taken up again", &text(&anew.stored, "request_id"));
    quiet(&run.destroy(&anew.stored).await.diagnostics);
    assert_eq!(
        (here.request(&anew.stored).await.status.word(), here.granted().await),
        ("active", vec![READ.to_owned()])
    );
}

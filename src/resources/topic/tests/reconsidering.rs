//! What becomes of a topic when the platform destroys its decision about it.

use super::{
    Json,
    agreeing::{Story, Way, name, orders, watched},
};
use crate::{
    framework::{Severity, Stored},
    governance::{policy::ChangeApproval, request::RequestStatus},
    resources::{
        requests::testing::{DECISION, Here, text},
        testing::{Run, nothing, quiet, told},
    },
};

fn decisions(story: &Story) -> Run {
    story.here.run(DECISION, None)
}

async fn asked(story: &Story, prior: &Stored, config: &Json) -> (Stored, String) {
    let stored = story.asks(prior, config).await;
    let id = text(&stored, "request_id");
    (stored, id)
}

/// The platform's decision about a request, as an import finds it.
async fn decision(story: &Story, id: &str) -> Stored {
    let imported = decisions(story).import(&format!("dev/{id}:platform")).await.stored;
    decisions(story).read(&imported).await.stored
}

#[tokio::test]
async fn to_destroy_a_rejection_of_a_change_has_it_wait_again() {
    for way in [Way::Acting, Way::Deployer] {
        let story = Story::new(way).await;
        let (stored, id) = asked(&story, &nothing(), &orders(3, "1000")).await;
        let rejection = story.decides("reject").await;
        quiet(&decisions(&story).plan_end(&rejection).await.diagnostics);
        quiet(&decisions(&story).destroy(&rejection).await.diagnostics);
        assert_eq!(story.status(&id).await, RequestStatus::Pending);
        let stored = story.refreshed(&stored, &orders(3, "1000")).await;
        assert_eq!(text(&stored, "status"), "requested");
        story.decides("approve").await;
        story.has(3, "1000").await;
    }
}

#[tokio::test]
async fn to_destroy_an_approval_that_was_carried_out_is_told_to_undo_nothing() {
    let story = Story::new(Way::Acting).await;
    let stored = story.asks(&nothing(), &orders(3, "1000")).await;
    let approval = story.decides("approve").await;
    let end = decisions(&story).plan_end(&approval).await;
    told(&end.diagnostics, Severity::Warning, "Approval stays", "The topic `shop.orders` stays as it was agreed to");
    quiet(&decisions(&story).destroy(&approval).await.diagnostics);
    story.has(3, "1000").await;
    let stored = story.refreshed(&stored, &orders(3, "1000")).await;
    assert_eq!(text(&stored, "status"), "ready");
}

/// What a killed run left to be made is not made, and what it left to be deleted stays.
#[tokio::test]
async fn an_approval_that_was_not_carried_out_is_taken_back() {
    let here = Here::under(watched(ChangeApproval::Platform)).await;
    let story = Story { here, way: Way::Acting };
    let (stored, id) = asked(&story, &nothing(), &orders(3, "1000")).await;
    story.agrees_alone().await;
    let approval = decision(&story, &id).await;
    quiet(&decisions(&story).plan_end(&approval).await.diagnostics);
    quiet(&decisions(&story).destroy(&approval).await.diagnostics);
    assert_eq!((story.status(&id).await, story.found().await), (RequestStatus::Pending, None));
    story.decides("approve").await;
    let stored = story.refreshed(&stored, &orders(3, "1000")).await;

    assert!(story.team().destroy(&stored).await.diagnostics.has_errors(), "it waits");
    let waiting = story.team().read(&stored).await.stored;
    let id = text(&waiting, "request_id");
    story.agrees_alone().await;
    let approval = decision(&story, &id).await;
    quiet(&decisions(&story).destroy(&approval).await.diagnostics);
    assert_eq!(story.status(&id).await, RequestStatus::Pending);
    story.here.run("topic", None).governed().delete_topic(&name(), crate::resources::testing::soon()).await.unwrap();
    story.has(3, "1000").await;
}

/// A new topic that was rejected and given up is not made when the platform destroys its rejection.
#[tokio::test]
async fn a_rejected_topic_that_its_team_gave_up_does_not_come_back() {
    for way in [Way::Acting, Way::Deployer] {
        let story = Story::new(way).await;
        let (stored, id) = asked(&story, &nothing(), &orders(3, "1000")).await;
        let rejection = story.decides("reject").await;
        let refused = story.team().read(&stored).await.stored;
        quiet(&story.team().destroy(&refused).await.diagnostics);
        story.folds().await;
        assert_eq!(story.status(&id).await, RequestStatus::Withdrawn);
        quiet(&decisions(&story).plan_end(&rejection).await.diagnostics);
        quiet(&decisions(&story).destroy(&rejection).await.diagnostics);
        assert_eq!((story.status(&id).await, story.found().await), (RequestStatus::Withdrawn, None));
    }
}

/// A topic whose end was rejected is declared again: the plan says that its end is asked for no more, and nothing deletes it.
#[tokio::test]
async fn a_topic_that_is_declared_again_after_its_end_was_rejected_stays() {
    for way in [Way::Acting, Way::Deployer] {
        let story = Story::new(way).await;
        let stored = story.made().await;
        let (stored, id, rejection) = end_rejected(&story, &stored).await;
        let planned = story.team().plan(&stored, &orders(3, "1000")).await;
        told(&planned.diagnostics, Severity::Warning, "Deletion taken back", &id);
        quiet(&story.team().apply(&stored, planned.planned, &orders(3, "1000")).await.diagnostics);
        story.folds().await;
        assert_eq!(story.status(&id).await, RequestStatus::Withdrawn);
        let seen = story.team().read(&stored).await.stored;
        let stored = story.refreshed(&seen, &orders(3, "1000")).await;
        assert_eq!(text(&stored, "status"), "ready");
        quiet(&decisions(&story).destroy(&rejection).await.diagnostics);
        assert_eq!(story.status(&id).await, RequestStatus::Withdrawn);
        story.has(3, "1000").await;
    }
}

/// Nobody may have said yet that the topic is to stay: a rejection that is taken back deletes nothing.
#[tokio::test]
async fn to_destroy_a_rejection_of_an_end_asks_for_nothing() {
    for way in [Way::Acting, Way::Deployer] {
        let story = Story::new(way).await;
        let stored = story.made().await;
        let (stored, id, rejection) = end_rejected(&story, &stored).await;
        quiet(&decisions(&story).plan_end(&rejection).await.diagnostics);
        quiet(&decisions(&story).destroy(&rejection).await.diagnostics);
        assert_eq!(story.status(&id).await, RequestStatus::Withdrawn);
        let stored = story.refreshed(&stored, &orders(3, "1000")).await;
        assert_eq!(text(&stored, "status"), "ready");
        // Who wants the end still, asks for it anew.
        let outcome = story.team().destroy(&stored).await;
        told(&outcome.diagnostics, Severity::Error, "Deletion waits for approval", "the topic `shop.orders`");
        story.folds().await;
        story.decides("approve").await;
        assert_eq!(story.found().await, None);
    }
}

/// A team asks for the end of its topic, and the platform refuses.
async fn end_rejected(story: &Story, stored: &Stored) -> (Stored, String, Stored) {
    assert!(story.team().destroy(stored).await.diagnostics.has_errors(), "it waits");
    story.folds().await;
    let id = text(&story.team().read(stored).await.stored, "request_id");
    let rejection = story.decides("reject").await;
    let again = story.team().destroy(stored).await;
    told(&again.diagnostics, Severity::Error, "Deletion rejected", "Declare the topic again to keep it");
    story.folds().await;
    (story.team().read(stored).await.stored, id, rejection)
}

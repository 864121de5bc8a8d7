//! Letters, and a pipeline that writes the journal, about the same.

use super::*;
use crate::{
    governance::policy::AccessApproval,
    resources::requests::testing::{DECISION, about, in_milliseconds, pass},
};

/// Waits until the clock went on.
async fn later() {
    pass(&in_milliseconds(1)).await;
}

/// Where nobody has to agree, least of all.
#[tokio::test]
async fn an_older_letter_does_not_widen_what_was_asked_for_since() {
    for approval in [AccessApproval::None, AccessApproval::Owner] {
        let here = Here::with(approval).await;
        let request = here.filed(&reading()).await;
        let deployer = || here.deployer(REQUEST, "shop");
        let mut config = reading();
        config["access"] = "read_write".into();
        let filed = deployer().applied(&here.refreshed(&request).await, &config).await;
        assert_eq!(text(&filed, "status"), "requested");
        later().await;
        config["access"] = "write".into();
        here.asking().applied(&here.refreshed(&request).await, &config).await;
        let before = (here.request(&request).await, here.granted().await);
        here.fold().await;
        let after = (here.request(&request).await, here.granted().await);
        assert_eq!(before, after, "{approval:?}");
        let seen = deployer().read(&filed).await;
        let why = seen.diagnostics.0.iter().find(|it| it.detail.contains("Out of date"));
        assert!(why.is_some_and(|it| it.detail.contains("Plan again")), "{:?}", seen.diagnostics);
    }
}

#[tokio::test]
async fn an_older_letter_does_not_approve_what_was_rejected_since() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let run = || here.deployer(DECISION, "pay");
    let filed = run().applied(&nothing(), &about(&request, "approve")).await;
    later().await;
    here.decided(&request, "reject").await;
    here.fold().await;
    assert_eq!((here.request(&request).await.status.word(), here.granted().await), ("rejected", vec![]));
    let seen = run().read(&filed).await;
    told(&seen.diagnostics, Severity::Warning, "Decision refused", "Out of date");
    let seen = seen.stored;
    assert_eq!((text(&seen, "status"), text(&seen, "decision")), ("refused".to_owned(), "approve".to_owned()));
    let approve = about(&request, "approve");
    assert_eq!(plans_nothing(&run(), &seen, &approve).await, ["Decided otherwise since"]);
    told(&run().destroy(&seen).await.diagnostics, Severity::Warning, "Decided otherwise since", "changes nothing");
    here.fold().await;
    assert_eq!(here.request(&request).await.status.word(), "rejected");
}

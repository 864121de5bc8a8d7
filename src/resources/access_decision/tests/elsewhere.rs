//! Several states that decide about one request: each takes back only what it said itself.

use super::{DECISION, Here, READ, about, id, nothing, plans_nothing, reading, text};
use crate::{
    framework::{Severity, Stored},
    governance::{
        names::ApplicationName,
        policy::{ApplicationApproval, Approval, Policy},
        request::RequestId,
    },
    resources::{
        requests::testing::{Json, application},
        testing::{quiet, soon, told},
    },
};

const OTHERWISE: &str = "Decided otherwise since";

/// The state refreshed, which plans nothing and says who decided since. Twice: nothing takes turns.
async fn overruled(here: &Here, run: &str, stored: &Stored, config: &Json) -> Stored {
    let acting = Some(run).filter(|it| !it.is_empty());
    let mut stored = stored.clone();
    for _ in 0..2 {
        let seen = here.run(DECISION, acting).read(&stored).await;
        quiet(&seen.diagnostics);
        stored = seen.stored;
        assert_eq!(plans_nothing(&here.run(DECISION, acting), &stored, config).await, [OTHERWISE]);
    }
    stored
}

/// Two states of an owner: one rejected what comes back later, and the other agrees to it.
#[tokio::test]
async fn who_rejected_first_does_not_revoke_what_another_state_approves() {
    for is_by_letter in [false, true] {
        let here = Here::new().await;
        let run = || if is_by_letter { here.deployer(DECISION, "pay") } else { here.deciding() };
        let request = here.filed(&reading()).await;
        let config = about(&request, "reject");
        let rejection = run().applied(&nothing(), &config).await;
        here.fold().await;
        let rejection = run().read(&rejection).await.stored;
        assert_eq!(text(&rejection, "status"), "rejected");
        let mut wider = reading();
        wider["access"] = "read_write".into();
        let amended = here.asking().applied(&here.refreshed(&request).await, &wider).await;
        let back = here.asking().applied(&here.refreshed(&amended).await, &reading()).await;
        assert_eq!(text(&back, "revision"), text(&request, "revision"));
        // The rejection holds when what it was about comes back, so that the other state has to take it over.
        let approve = about(&back, "approve");
        let refused = here.deciding().plan(&nothing(), &approve).await;
        told(&refused.diagnostics, Severity::Error, "Decided otherwise", "import it here");
        let held = here.deciding().import(&format!("dev/{}:owner", text(&back, "request_id"))).await.stored;
        let held = here.deciding().read(&held).await.stored;
        let approval = here.deciding().applied(&held, &approve).await;
        assert_eq!(here.granted().await, [READ]);

        let seen = overruled(&here, "pay", &rejection, &config).await;
        assert_eq!((text(&seen, "decision"), text(&seen, "status")), ("reject".to_owned(), "active".to_owned()));
        let end = run().plan_end(&seen).await;
        told(&end.diagnostics, Severity::Warning, OTHERWISE, "changes nothing of that");
        let ended = run().destroy(&seen).await;
        told(&ended.diagnostics, Severity::Warning, OTHERWISE, "by `pay`: `approve`");
        here.fold().await;
        assert_eq!(here.granted().await, [READ]);
        // Who writes what holds answers for it, too.
        let agreed = run().applied(&seen, &about(&back, "approve")).await;
        assert_eq!(plans_nothing(&run(), &agreed, &about(&back, "approve")).await, Vec::<String>::new());
        // The other state's own is its own to take back.
        told(&here.deciding().plan_end(&approval).await.diagnostics, Severity::Warning, "Access revoked", "`shop`");
        quiet(&here.deciding().destroy(&approval).await.diagnostics);
        assert_eq!(here.granted().await, Vec::<String>::new());
    }
}

/// A team, and a platform that agrees to applications.
struct Watched {
    here: Here,
    declared: Stored,
}

fn wider() -> Json {
    let mut res = application("stock");
    res["principals"] = serde_json::json!(["User:stock", "User:stock-2"]);
    res
}

impl Watched {
    async fn new() -> Self {
        let approval = Approval { applications: ApplicationApproval::Platform, ..Approval::default() };
        let here = Here::under(Policy { approval, ..Policy::default() }).await;
        let declared = here.run("application", None).applied(&nothing(), &application("stock")).await;
        Self { here, declared }
    }

    /// Has the team ask for something.
    async fn asks(&mut self, config: &Json) {
        let team = || self.here.run("application", Some("stock"));
        let seen = team().read(&self.declared).await.stored;
        let planned = team().plan(&seen, config).await;
        let outcome = team().apply(&seen, planned.planned, config).await;
        assert!(!outcome.diagnostics.has_errors(), "{:?}", outcome.diagnostics);
        self.declared = outcome.stored;
    }

    /// A decision of the platform about what waits.
    async fn about(&self, decision: &str) -> Json {
        let known = self.here.run(DECISION, None).governed().snapshot(soon()).await.unwrap();
        let name: ApplicationName = "stock".parse().unwrap();
        let id: RequestId = known.state.application(&name).unwrap().waits_by().unwrap().clone();
        let revision = known.state.request(&id).unwrap().revision.clone();
        serde_json::json!({
            "request_id": id.to_string(), "revision": revision.as_str(), "decision": decision, "as": "platform",
        })
    }

    async fn decided(&self, config: &Json) -> Stored {
        let run = || self.here.run(DECISION, None);
        let planned = run().plan(&nothing(), config).await;
        assert!(!planned.diagnostics.has_errors(), "{:?}", planned.diagnostics);
        let outcome = run().apply(&nothing(), planned.planned, config).await;
        quiet(&outcome.diagnostics);
        outcome.stored
    }
}

#[tokio::test]
async fn who_rejected_a_change_is_not_in_the_way_of_who_agrees_to_it_later() {
    let mut it = Watched::new().await;
    it.asks(&wider()).await;
    let config = it.about("reject").await;
    let rejection = it.decided(&config).await;
    it.asks(&application("stock")).await;
    it.asks(&wider()).await;
    let approve = it.about("approve").await;
    assert_eq!((&approve["request_id"], &approve["revision"]), (&config["request_id"], &config["revision"]));
    let approval = it.decided(&approve).await;
    assert_eq!(text(&approval, "status"), "active");

    let seen = overruled(&it.here, "", &rejection, &config).await;
    let run = || it.here.run(DECISION, None);
    told(&run().plan_end(&seen).await.diagnostics, Severity::Warning, OTHERWISE, "by the platform: `approve`");
    told(&run().destroy(&seen).await.diagnostics, Severity::Warning, OTHERWISE, "changes nothing of that");
    // What is there stays there.
    it.asks(&wider()).await;
    assert_eq!(text(&it.declared, "status"), "ready");
    assert_eq!(plans_nothing(&it.here.run(DECISION, None), &approval, &approve).await, Vec::<String>::new());
}

/// Before a destroy, core plans what is written; an error there would keep the destroy from being tried.
#[tokio::test]
async fn a_second_thought_that_comes_too_late_keeps_nobody_from_a_destroy() {
    let mut it = Watched::new().await;
    it.asks(&wider()).await;
    let mut config = it.about("approve").await;
    let approval = it.decided(&config).await;
    config["decision"] = "reject".into();
    let run = || it.here.run(DECISION, None);
    let seen = run().read(&approval).await.stored;
    let planned = run().plan(&seen, &config).await;
    told(&planned.diagnostics, Severity::Warning, "Decided already", "is done");
    let applied = run().apply(&seen, planned.planned, &config).await;
    told(&applied.diagnostics, Severity::Error, "Decided already", "is done");
    told(&run().plan_end(&seen).await.diagnostics, Severity::Warning, "Approval stays", "keeps what was agreed to");
    quiet(&run().destroy(&seen).await.diagnostics);
}

/// What a former owner said is nobody's, so that a new one says it anew without being told of another state.
#[tokio::test]
async fn a_new_owner_decides_anew() {
    let here = Here::new().await;
    let request = here.filed(&reading()).await;
    let former = here.decided(&request, "approve").await;
    here.hand_over_to_stock().await;
    let request = here.refreshed(&request).await;
    let run = || here.run(DECISION, Some("stock"));
    let confirmed = run().applied(&nothing(), &about(&request, "approve")).await;
    assert_eq!(here.granted().await, [READ]);
    assert_eq!(plans_nothing(&run(), &confirmed, &about(&request, "approve")).await, Vec::<String>::new());
    // The former one's is without effect.
    let seen = here.deciding().read(&former).await.stored;
    plans_nothing(&here.deciding(), &seen, &about(&request, "approve")).await;
    here.deciding().destroy(&seen).await;
    assert_eq!((here.granted().await, here.request(&request).await.status.word()), (vec![READ.to_owned()], "active"));
    assert_eq!(id(&request), id(&confirmed));
    told(&run().plan_end(&confirmed).await.diagnostics, Severity::Warning, "Access revoked", "`shop`");
}

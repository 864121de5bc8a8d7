//! What the end of a decision meets, and its reversal.

use super::{AccessDecisionModel, OnDestroy};
use crate::{
    clients::governed::Governed,
    framework::{Call, Change, Diagnostic, Failure},
    governance::{
        command::{Command, Retraction},
        request::Choice,
        state::State,
    },
    resources::{
        governed::tell,
        requests::{taken_away, tell_revocation},
    },
};

/// Tells what a destroy takes away, or leaves.
pub(super) fn tell_end(
    governed: &Governed,
    state: &State,
    prior: &AccessDecisionModel,
    call: &mut Call,
) -> Result<(), Failure> {
    let id = prior.request_id.value()?;
    let Some(found) = state.request(id).filter(|it| !it.status.is_over()) else { return Ok(()) };
    let taken = taken_away(found).filter(|_| prior.gives(found));
    if prior.on_destroy.get() == Some(&OnDestroy::Keep) {
        if taken.is_some() {
            let detail = format!("The request `{id}` is `{}` and stays so, with what it gives.", found.status);
            call.report.push(Diagnostic::warning("Access kept", detail));
        }
        return Ok(());
    }
    let (revision, judge) = (prior.revision.value()?.clone(), prior.judge()?);
    let retraction = Command::RetractDecision(Retraction { request: id.clone(), revision, judge });
    match (governed.would_write(state, &retraction), taken) {
        (Ok(true), Some(taken)) => tell_revocation(id, &taken, call),
        (Err(refusal), _) => tell(&refusal.0, call.phase, call),
        // Who handed over what it is about has nothing to take back.
        (Ok(_), _) => {}
    }
    Ok(())
}

/// Tells what is taken away where an approval becomes a rejection.
pub(super) fn tell_reversal(change: &Change<AccessDecisionModel>, state: &State, call: &mut Call) {
    let (Some(prior), Some(plan)) = (&change.prior, &change.plan) else { return };
    let is_reversed = plan.decision.get() == Some(&Choice::Reject) && plan.revision == prior.revision;
    let Some(id) = prior.request_id.get().filter(|_| is_reversed) else { return };
    let found = state.request(id).filter(|it| !it.status.is_over() && prior.gives(it));
    if let Some(taken) = found.and_then(taken_away) {
        let detail = format!("To reject what was approved revokes {taken}, which the request `{id}` gave.");
        call.report.push(Diagnostic::warning("Access revoked", detail).at("decision"));
    }
}

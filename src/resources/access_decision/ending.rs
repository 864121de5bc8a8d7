//! What the end of a decision meets, and its reversal.

use super::{AccessDecisionModel, OnDestroy, own::left_to_other};
use crate::{
    clients::governed::Governed,
    framework::{Call, Change, Diagnostic, Failure},
    governance::{
        command::Command,
        request::{Change as AskedChange, Choice, Request, RequestId, RequestStatus, Subject, Verb},
        state::State,
    },
    resources::{
        governed::tell,
        requests::{taken_away, tell_revocation},
    },
};

/// Tells what a destroy takes away, or leaves.
pub(super) async fn tell_end(
    governed: &Governed,
    state: &State,
    prior: &AccessDecisionModel,
    call: &mut Call,
) -> Result<(), Failure> {
    let id = prior.request_id.value()?;
    let Some(found) = state.request(id).filter(|it| !it.status.is_over()) else { return Ok(()) };
    let is_kept = prior.on_destroy.get() == Some(&OnDestroy::Keep);
    if !is_kept && let Some((_, held)) = prior.overruled_since(governed, state, call).await? {
        let retraction = Command::RetractDecision(prior.retraction()?);
        if Some(&held.choice) != prior.decision.get() || governed.would_write(state, &retraction) == Ok(true) {
            call.report.push(left_to_other(id, held));
        }
        return Ok(());
    }
    if found.content.access().is_none() {
        return tell_end_of_leave(governed, state, prior, found, call);
    }
    // What was only asked for by letter gave nothing yet.
    let told = governed.journal().told(call.deadline).await?;
    let taken = told.state.request(id).filter(|it| prior.gives(it)).and_then(taken_away);
    if is_kept {
        if taken.is_some() {
            let detail = format!("The request `{id}` is `{}` and stays so, with what it gives.", found.status);
            call.report.push(Diagnostic::warning("Access kept", detail));
        }
        return Ok(());
    }
    match (governed.would_write(state, &Command::RetractDecision(prior.retraction()?)), taken) {
        (Ok(true), Some(taken)) => tell_revocation(id, &taken, call),
        (Err(refusal), _) => tell(&refusal.0, call.phase, call),
        // Who handed over what it is about has nothing to take back.
        (Ok(_), _) => {}
    }
    Ok(())
}

/// The same of a decision about an application or a change: what is done already is not undone by it.
fn tell_end_of_leave(
    governed: &Governed,
    state: &State,
    prior: &AccessDecisionModel,
    found: &Request,
    call: &mut Call,
) -> Result<(), Failure> {
    if prior.on_destroy.get() == Some(&OnDestroy::Keep) || prior.held(found).is_none() {
        return Ok(());
    }
    match governed.would_write(state, &Command::RetractDecision(prior.retraction()?)) {
        Ok(true) => {}
        Ok(false) => call.report.push(stays(prior.request_id.value()?, found)),
        Err(refusal) => tell(&refusal.0, call.phase, call),
    }
    Ok(())
}

/// What the end of a decision leaves as it is.
fn stays(id: &RequestId, found: &Request) -> Diagnostic {
    if found.status == RequestStatus::Rejected {
        let detail = format!(
            "The request `{id}` stays rejected: nobody asks for that any more, or somebody else has what it would need. Who \
             wants it declares it anew."
        );
        return Diagnostic::warning("Rejection stays", detail);
    }
    let applicant = &found.applicant().name;
    let (what, remedy) = match &found.content.subject {
        Subject::Application(asked) if asked.is_amendment => (
            format!("The application `{applicant}` keeps what was agreed to."),
            format!("To undo it, have `{applicant}` declared as it was before."),
        ),
        Subject::Application(_) => (
            format!("The application `{applicant}` and its rights stay."),
            "To end it, destroy its `kafka_application`.".to_owned(),
        ),
        Subject::Change(AskedChange { kind, name, verb: Verb::Delete, .. }) => {
            (format!("The {} `{name}` stays deleted.", kind.word()), "To have it again, declare it.".to_owned())
        }
        Subject::Change(AskedChange { kind, name, verb: Verb::Create | Verb::Update, .. }) => (
            format!("The {} `{name}` stays as it was agreed to, or is made so next.", kind.word()),
            format!("To undo it, have `{applicant}` declare it otherwise, or destroy it."),
        ),
        Subject::Access(_) => (format!("The request `{id}` stays as it is."), "Reject it instead.".to_owned()),
    };
    let detail = format!(
        "The request `{id}` was approved, and that is done: to destroy the decision undoes nothing. {what}\n\n{remedy} With \
         `on_destroy = \"keep\"`, a destroy says nothing of it."
    );
    Diagnostic::warning("Approval stays", detail)
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

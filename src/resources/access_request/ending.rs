//! What the end of a request meets.

use super::{AccessRequestModel, OnDestroy};
use crate::{
    clients::governed::Governed,
    framework::{Call, Diagnostic, Failure, Unknown},
    governance::{command::Command, state::State},
    resources::{
        governed::tell,
        requests::{taken_away, tell_revocation},
    },
};

/// Tells what a destroy takes away, or leaves.
pub(super) fn tell_end(
    governed: &Governed,
    state: &State,
    prior: &AccessRequestModel,
    call: &mut Call,
) -> Result<(), Failure> {
    let id = prior.request_id.get().ok_or(Unknown)?;
    let Some(found) = state.request(id).filter(|it| !it.status.is_over()) else { return Ok(()) };
    if prior.on_destroy.get() == Some(&OnDestroy::Keep) {
        let detail = format!(
            "The request `{id}` is `{}` and stays so, with what it gives.\n\nImport it to manage it again.",
            found.status
        );
        call.report.push(Diagnostic::warning("Request kept", detail));
        return Ok(());
    }
    if let Some(taken) = taken_away(found) {
        tell_revocation(id, &taken, call);
    }
    if let Err(refusal) = governed.would(state, &Command::WithdrawRequest(id.clone())) {
        tell(&refusal.0, call.phase, call);
    }
    Ok(())
}

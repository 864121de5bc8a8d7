//! Letters: what a caller filed who may not write the journal, and what became of it.
//!
//! A state keeps the id of the newest letter among its private facts. While nobody looked at that, what was asked for
//! counts as done; a refusal is kept, so that it is told in the next plan.

use crate::{
    clients::governed::{Filed, Governed},
    framework::{Call, Diagnostic, Failure},
    governance::{command::Command, state::State},
};

/// The status of what the platform has yet to look at.
pub(super) const REQUESTED: &str = "requested";
/// The status of what the platform refused.
pub(super) const REFUSED: &str = "refused";

/// The id of the newest letter: a private fact.
const LETTER: &str = "letter";

/// What became of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome<'a> {
    /// Nobody looked at it yet.
    Awaited,
    /// It had its effect.
    Taken,
    /// It was refused, for this reason.
    Refused(&'a str),
}

/// Has a command written, or filed where the journal is not the caller's to write by what is known. Tells what is known then,
/// and what was filed; a command that would change nothing leaves the letter before the newest.
pub(super) async fn ask(
    governed: &Governed,
    known: &State,
    command: Command,
    call: &mut Call,
) -> Result<Filed, Failure> {
    if governed.mailbox(known).is_none() {
        forget_letter(call);
        return Ok(Filed { snapshot: governed.command(command, call.deadline).await?, id: None });
    }
    let filed = governed.file(&command, call.deadline).await?;
    if let Some(id) = &filed.id {
        call.private.set(LETTER, id.clone());
    }
    Ok(filed)
}

/// Whether the newest change was filed in a letter.
pub(super) fn was_filed(call: &Call) -> bool {
    letter(call).is_some()
}

/// The id of the newest letter.
pub(super) fn letter(call: &Call) -> Option<&str> {
    call.private.text(LETTER)
}

/// What became of the newest letter; `None` if there is none.
pub(super) fn outcome<'a>(call: &Call, state: &'a State) -> Option<Outcome<'a>> {
    let letter = letter(call)?;
    let fate = Governed::mailboxes(state).iter().find_map(|of| state.mailbox(of)?.fates.get(letter));
    Some(match fate.map(|it| it.refused.as_deref()) {
        None => Outcome::Awaited,
        Some(None) => Outcome::Taken,
        Some(Some(why)) => Outcome::Refused(why),
    })
}

/// Whether the caller files what it wants, and nobody looked at the newest letter yet. To its writer, what was filed counts as
/// done; the journal alone knows better.
pub(super) async fn is_awaited(governed: &Governed, call: &Call) -> Result<bool, Failure> {
    if !was_filed(call) {
        return Ok(false);
    }
    let told = governed.journal().told(call.deadline).await?;
    Ok(governed.mailbox(&told.state).is_some() && outcome(call, &told.state) == Some(Outcome::Awaited))
}

/// Tells why the platform did not take the newest change of something that is there. Of a letter that somebody looked at,
/// nothing is to be told again.
pub(super) fn tell_refused(what: &str, known: &State, call: &mut Call) {
    let Some(outcome) = outcome(call, known).filter(|it| *it != Outcome::Awaited) else { return };
    if let Outcome::Refused(why) = outcome {
        let detail = format!("The platform did not take the last change of this {what}, which is as before. {why}");
        call.report.push(Diagnostic::warning("Change refused", detail));
    }
    forget_letter(call);
}

/// Forgets the newest letter, of which nothing is to be told any more.
pub(super) fn forget_letter(call: &mut Call) {
    call.private.take(LETTER);
}

//! What the platform rejected of an application. It stays in the state, so that nothing is planned before somebody
//! declares it otherwise.

use super::{ApplicationModel, Entry, is_own};
use crate::{
    clients::governed::Governed,
    framework::{Call, Change, Diagnostic, Failure},
    governance::{
        application::Status, changes::rejected, command::Command, names::ApplicationName, state::State,
        violation::listed,
    },
    resources::{letters::REQUESTED, requests::rejection},
};

/// Where an application is in its life, as its team sees it.
pub(super) fn status(found: &Entry, known: &State) -> &'static str {
    if rejected(known, found).is_some() { Status::Rejected.word() } else { found.status.word() }
}

/// Whether what was rejected of an application is what is asked for.
pub(super) fn stands(state: &State, after: &Entry) -> bool {
    let is_same = |it: &&Entry| it.uid() == after.uid() && it.amendment == after.amendment;
    state.application(&after.spec.name).filter(is_same).is_some_and(|it| rejected(state, it).is_some())
}

/// Whether an application is not there because it was rejected.
pub(super) fn is_gone(state: &State, name: &ApplicationName) -> bool {
    let there = state.application(name).filter(|it| !it.status.holds_prefixes());
    there.is_some_and(|it| rejected(state, it).is_some())
}

/// Asks no more for an application that was rejected. Who cannot take it back is told that it may come.
pub(super) async fn give_up(
    governed: &Governed,
    state: &State,
    name: &ApplicationName,
    call: &mut Call,
) -> Result<(), Failure> {
    let there = state.application(name).filter(|it| is_own(it, call));
    let Some((it, (id, _))) = there.and_then(|it| Some((it, rejected(state, it)?))) else { return Ok(()) };
    let command = Command::DeleteApplication(name.clone());
    match governed.would_write(state, &command) {
        Ok(true) => {
            governed.command(command, call.deadline).await?;
        }
        Err(_) if it.status == Status::Rejected => {
            let detail = format!(
                "`{name}` was asked for in the inbox, where nothing is taken back: the platform may still think better of \
                 its rejection of `{id}`, until its next `reconcile`.\n\nTell the platform."
            );
            call.report.push(Diagnostic::warning("Application may still come", detail));
        }
        Ok(false) | Err(_) => {}
    }
    Ok(())
}

impl Change<ApplicationModel> {
    /// The application, if it was rejected as a whole and nothing of it is declared otherwise.
    pub(super) fn rejected_whole<'a>(&self, state: &'a State, call: &Call) -> Option<&'a Entry> {
        let (prior, plan) = (self.prior.as_ref()?, self.plan.as_ref()?);
        let name = plan.name.get().filter(|it| !plan.changes(prior) && is_gone(state, it))?;
        state.application(name).filter(|it| is_own(it, call))
    }
}

/// Whether the application was asked for anew since it was rejected, and nobody looked at that yet.
pub(super) fn is_reconsidered(change: &Change<ApplicationModel>) -> bool {
    change.prior.as_ref().and_then(|it| it.status.get()).is_some_and(|it| it == REQUESTED)
}

/// Tells who rejected what, when and why, and what can be done.
pub(super) async fn tell(governed: &Governed, state: &State, it: &Entry, call: &mut Call) {
    let Some((id, request)) = rejected(state, it) else { return };
    let name = &it.spec.name;
    let (summary, what, remedy) = if it.amendment.is_some() {
        let what = format!("what `{name}` changes in {}", listed(it.waiting()));
        let remedy =
            "What was agreed to before holds. Change the declaration, which asks again; or write what it was before.";
        ("Change rejected", what, remedy)
    } else {
        let remedy = "It has no rights. Change the declaration, which asks again; or remove the resource.";
        ("Application rejected", format!("the application `{name}`"), remedy)
    };
    let who = rejection(governed, &id, request, &what, call.deadline).await;
    call.report.push(Diagnostic::warning(summary, format!("{who}\n\n{remedy}")).at("status"));
}

//! Changes that somebody must agree to before they are made.

use super::draft::Draft;
use crate::governance::{
    application::Application,
    check_request::against_change,
    command::ChangeUse,
    request::{Change, Request, RequestStatus, Subject},
    violation::Refusal,
};

/// Makes use of the approval of a change, where one is needed. The platform needs none.
pub(super) fn take(draft: &mut Draft<'_>, owner: Option<&Application>, change: &Change) -> Result<(), Refusal> {
    let Some(owner) = owner.filter(|_| !draft.is_platform()) else { return Ok(()) };
    Refusal::of(against_change(draft.state, owner, change, draft.now).into_iter().collect())?;
    let uid = owner.uid();
    let subject = Subject::Change(change.clone());
    let approved = draft.state.requests().find(|(_, it)| {
        it.status == RequestStatus::Approved && *it.applicant() == uid && it.content.subject == subject
    });
    if let Some((id, it)) = approved {
        draft.set_request(id.clone(), Request { status: RequestStatus::Active, ..it.clone() });
    }
    Ok(())
}

pub(super) fn make_use(draft: &mut Draft<'_>, it: &ChangeUse) -> Result<(), Refusal> {
    let ChangeUse { application, change } = it;
    let owner = draft.state.application(application).ok_or_else(|| super::no_application(application))?;
    take(draft, Some(owner), change)
}

#[cfg(test)]
mod tests;

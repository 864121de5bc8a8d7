//! Changes that somebody must agree to before they are made.
//!
//! Who asks for one has a request filed that holds all of it. When it is agreed to, it is decided once more, with the
//! rights of who asked and by the rules of that moment, and then it is to be made, exactly so, by whoever may.

use super::{
    allowed,
    draft::Draft,
    request::{amended, filed},
    topic,
};
use crate::governance::{
    application::{Application, ApplicationUid},
    changes::{self, change},
    check_request::{against_change, needs_leave, nobody},
    command::{ChangeUse, Role},
    request::{Change, ChangeKind, Content, Request, RequestStatus, Subject, Wanted},
    violation::{At, Refusal, Violation, Weight},
};

/// Whether the change of an owner needs somebody's leave who is not asked yet. The platform needs none.
pub(super) fn is_to_be_asked(draft: &Draft<'_>, owner: Option<&Application>, change: &Change) -> bool {
    draft.agreed_for.is_none() && !draft.is_platform() && owner.is_some() && needs_leave(draft.state, change)
}

/// Files a request for a change, in the place of one for another change of the same thing that waits.
pub(super) fn ask(draft: &mut Draft<'_>, owner: &Application, change: Change, wanted: Wanted) -> Result<(), Refusal> {
    let uid = owner.uid();
    let id = changes::id(draft.state, &uid, change.kind, &change.name);
    let change = Change { digest: wanted.digest(), ..change };
    let subject = Subject::Change(change);
    let content = Content { applicant: uid, owner: None, subject, principals: [].into(), expires_at: None };
    let there = draft.state.request(&id);
    if there.is_some_and(|it| it.revision == content.revision()) {
        return Ok(());
    }
    Refusal::of(nobody(draft.policy(), draft.actor.claimed.as_deref()).into_iter().collect())?;
    let it = match there {
        Some(there) => amended(draft, there, content),
        None => filed(draft, content),
    };
    draft.set_request(id, Request { wanted: Some(wanted), ..it });
    Ok(())
}

/// Asks no more for a change of something, where nothing is declared that needs leave.
pub(super) fn let_go(draft: &mut Draft<'_>, applicant: &ApplicationUid, kind: ChangeKind, name: &str) {
    if draft.agreed_for.is_some() {
        return;
    }
    if let Some((id, there)) = changes::waiting(draft.state, applicant, kind, name) {
        let ended_at = Some(draft.now);
        draft.set_request(id, Request { status: RequestStatus::Withdrawn, ended_at, ..there.clone() });
    }
}

/// After a change was agreed to: it is to be made. One that was asked for otherwise than whole is its asker's to make.
pub(super) fn agreed(draft: &mut Draft<'_>, request: &mut Request) -> Result<(), Refusal> {
    let Some(wanted) = &request.wanted else { return Ok(()) };
    let uid = request.applicant().clone();
    let is_there = draft.state.application(&uid.name).is_some_and(|it| it.uid() == uid && it.status.is_in_force());
    if !is_there {
        let what = format!("The application `{}` that asks is not in force.", uid.name);
        let told = Violation::new(
            At::attribute("request_id"),
            "Application not in force",
            what,
            "Wait until it is, or reject the request.",
        );
        return Err(told.weighing(Weight::Wait).into());
    }
    let role = Role::Application(uid.name);
    allowed(draft.state, &role, &wanted.command()).map_err(of_request)?;
    Refusal::of(out_of_date(draft, request).into_iter().collect())?;
    draft.agreed_for = Some(role);
    let decided = match wanted {
        Wanted::Topic { ask, topic_id: _ } => topic::ask(draft, ask),
        Wanted::TopicEnd { deletion, topic_id: _ } => topic::delete(draft, deletion),
    };
    draft.agreed_for = None;
    decided.map_err(of_request)?;
    request.status = RequestStatus::Active;
    Ok(())
}

/// What speaks against a change of something that is not what it was when the change was asked for.
fn out_of_date(draft: &Draft<'_>, request: &Request) -> Option<Violation> {
    let (change, wanted) = (change(request)?, request.wanted.as_ref()?);
    let there = change.name.parse().ok().and_then(|it| draft.state.topic(&it)).filter(|it| it.is_there());
    let found = there.and_then(|it| it.topic_id.as_deref());
    if !change.verb.is_of_existing() || (there.is_some() && found == wanted.topic_id()) {
        return None;
    }
    let what = format!("The {} `{}` is not the one any more that it was asked for.", change.kind.word(), change.name);
    Some(Violation::new(At::attribute("request_id"), "Request out of date", what, "Reject it, and have it asked anew."))
}

/// What speaks against what was asked for, told to who decides.
fn of_request(Refusal(mut violations): Refusal) -> Refusal {
    for it in &mut violations {
        it.at = At::attribute("request_id");
    }
    Refusal(violations)
}

/// Makes use of the approval of a change, where one is needed. The platform needs none.
pub(super) fn take(draft: &mut Draft<'_>, owner: Option<&Application>, change: &Change) -> Result<(), Refusal> {
    let Some(owner) = owner.filter(|_| !draft.is_platform() && draft.agreed_for.is_none()) else { return Ok(()) };
    Refusal::of(against_change(draft.state, owner, change, draft.now).into_iter().collect())?;
    let uid = owner.uid();
    let subject = Subject::Change(change.clone());
    let approved = draft.state.requests().find(|(_, it)| {
        it.status == RequestStatus::Approved && *it.applicant() == uid && it.content.subject == subject
    });
    if let Some((id, it)) = approved {
        // What was done before is not what is there any more, so that its approval is over.
        let is_older = |other: &Request| is_done(other) && *other.applicant() == uid && is_of_same(other, change);
        let older: Vec<_> = draft.state.requests().filter(|(_, it)| is_older(it)).collect();
        draft.set_request(id.clone(), Request { status: RequestStatus::Active, ..it.clone() });
        for (id, it) in older {
            draft.set_request(id.clone(), Request { ended_at: Some(draft.now), ..it.clone() });
        }
    }
    Ok(())
}

/// Whether an approval was made use of, and no other of the same thing since.
fn is_done(it: &Request) -> bool {
    it.status == RequestStatus::Active && it.wanted.is_none() && it.ended_at.is_none()
}

fn is_of_same(it: &Request, change: &Change) -> bool {
    changes::change(it).is_some_and(|it| (it.kind, &it.name) == (change.kind, &change.name))
}

pub(super) fn make_use(draft: &mut Draft<'_>, it: &ChangeUse) -> Result<(), Refusal> {
    let ChangeUse { application, change } = it;
    let owner = draft.state.application(application).ok_or_else(|| super::no_application(application))?;
    take(draft, Some(owner), change)
}

#[cfg(test)]
mod tests;

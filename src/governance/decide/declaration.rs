//! Declarations of applications that the platform must agree to, as requests like others.

use super::{
    application::checked,
    draft::Draft,
    provisioning,
    request::{amended, filed},
};
use crate::governance::{
    application::{Application, Status},
    command::ApplicationRequest,
    entity::known,
    request::{Content, DeclarationAsked, Request, RequestId, RequestStatus, Revision, Subject},
    violation::{At, Refusal, Violation},
};

/// After a declaration: what must be agreed to is a request, and what holds already is none.
pub(super) fn follow(draft: &mut Draft<'_>, it: &mut Application) {
    let id = RequestId::of_application(it.spec.name.clone(), it.incarnation);
    let there = draft.state.request(&id).cloned();
    let Some(content) = asked(it) else {
        // The platform declared it so itself, or who asked takes the question back: also one that was rejected, so that it
        // may be asked once more.
        match there {
            Some(there) if there.status == RequestStatus::Pending && is_first(&there) => {
                draft.set_request(id, Request { status: RequestStatus::Active, ..there });
            }
            Some(there)
                if matches!(there.status, RequestStatus::Pending | RequestStatus::Rejected) && !is_first(&there) =>
            {
                draft.set_request(id, Request { status: RequestStatus::Withdrawn, ..there });
            }
            _ => {}
        }
        return;
    };
    it.request_id = Some(id.clone());
    let before = draft.state.application(&it.spec.name).filter(|before| before.uid() == it.uid());
    let was_asked = before.and_then(asked).as_ref() == Some(&content);
    let is_known = |it: &Request| match it.status {
        RequestStatus::Pending => it.revision == content.revision(),
        RequestStatus::Rejected => it.revision == content.revision() && was_asked,
        _ => false,
    };
    match there {
        Some(there) if is_known(&there) => {}
        Some(there) => draft.set_request(id, amended(draft, &there, content)),
        None => draft.set_request(id, filed(draft, content)),
    }
}

/// What of an application waits for the platform.
fn asked(it: &Application) -> Option<Content> {
    let (spec, is_amendment) = match (&it.amendment, it.status) {
        (_, Status::Pending) => (&it.spec, false),
        (Some(amendment), _) => (amendment, true),
        (None, _) => return None,
    };
    let digest = Revision::of(&known(spec).to_string()).to_string();
    Some(Content {
        applicant: it.uid(),
        owner: None,
        subject: Subject::Application(DeclarationAsked { digest, is_amendment }),
        principals: [].into(),
        expires_at: None,
    })
}

/// Puts what was agreed to in force.
pub(super) fn agreed(draft: &mut Draft<'_>, request: &mut Request) -> Result<(), Refusal> {
    let uid = &request.content.applicant;
    let there = draft.application(&uid.name).filter(|it| is_asked(it, request)).cloned().ok_or_else(|| {
        let what = format!("Nobody asks for this declaration of the application `{}` any more.", uid.name);
        Violation::new(At::attribute("request_id"), "Request over", what, "Have it declared again.")
    })?;
    let mut next = there.clone();
    match next.amendment.take().filter(|_| there.status != Status::Pending) {
        Some(amendment) => {
            let wanted = ApplicationRequest { adopt: true, ..ApplicationRequest::new(amendment) };
            next.spec = checked(draft, &wanted, Some(&there))?;
            if next.status == Status::Expired && !next.is_expired(draft.now) {
                next.status = Status::Approved;
            }
            provisioning::adjust(draft, &mut next);
        }
        None => next.status = Status::Approved,
    }
    draft.set_application(next);
    request.status = RequestStatus::Active;
    Ok(())
}

/// After a rejection: what was rejected stands until it is declared otherwise, and a new application is none.
pub(super) fn rejected(draft: &mut Draft<'_>, request: &Request) {
    let there = draft.state.application(&request.applicant().name).filter(|it| is_asked(it, request));
    if let Some(there) = there.filter(|it| it.status == Status::Pending) {
        draft.set_application(Application { status: Status::Rejected, ..there.clone() });
    }
}

/// After a rejection does not hold any more: a new application waits again, unless it was cleaned up. What somebody else
/// has by now, or another one of its name, is in the way of that.
pub(super) fn reopened(draft: &mut Draft<'_>, request: &Request) -> Result<(), Refusal> {
    let uid = request.applicant();
    let there = draft.state.application(&uid.name).filter(|it| it.uid() == *uid);
    let is_kept = |it: &&Application| it.status == Status::Rejected;
    let Some(there) = there.filter(is_kept).filter(|_| is_first(request)) else { return Ok(()) };
    let wanted = ApplicationRequest { adopt: true, ..ApplicationRequest::new(there.spec.clone()) };
    let spec = checked(draft, &wanted, None)?;
    draft.set_application(Application { spec, status: Status::Pending, deleted_at: None, ..there.clone() });
    Ok(())
}

/// After a team gave up an application that was rejected: nobody asks for it any more. Who cleans up after a rejection leaves
/// it to be told.
pub(super) fn given_up(draft: &mut Draft<'_>, it: &Application) {
    let id = RequestId::of_application(it.spec.name.clone(), it.incarnation);
    let there = draft.state.request(&id).filter(|it| it.status == RequestStatus::Rejected);
    if let Some(there) = there.filter(|_| !draft.is_platform()) {
        let ended_at = Some(draft.now);
        draft.set_request(id, Request { status: RequestStatus::Withdrawn, ended_at, ..there.clone() });
    }
}

/// Takes back what somebody asked to change.
pub(super) fn withdrawn(draft: &mut Draft<'_>, request: &Request) {
    let there = draft.state.application(&request.applicant().name).filter(|it| is_asked(it, request));
    if let Some(there) = there {
        draft.set_application(Application { amendment: None, ..there.clone() });
    }
}

/// Whether a request is for what is asked of an application now.
fn is_asked(it: &Application, request: &Request) -> bool {
    it.uid() == *request.applicant() && asked(it).is_some_and(|it| it.subject == request.content.subject)
}

/// Whether a request is for what is asked now of the application that it names.
pub(super) fn is_asked_of(draft: &Draft<'_>, request: &Request) -> bool {
    draft.application(&request.applicant().name).is_some_and(|it| is_asked(it, request))
}

/// Whether a request is for an application that is not there yet.
pub(super) fn is_first(it: &Request) -> bool {
    matches!(&it.content.subject, Subject::Application(it) if !it.is_amendment)
}

#[cfg(test)]
mod tests;

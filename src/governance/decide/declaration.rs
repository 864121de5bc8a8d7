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
        if let Some(there) = there.filter(|it| it.status == RequestStatus::Pending) {
            // The platform declared it so itself, or who asked takes the question back.
            let is_first = matches!(&there.content.subject, Subject::Application(it) if !it.is_amendment);
            let status = if is_first { RequestStatus::Active } else { RequestStatus::Withdrawn };
            draft.set_request(id, Request { status, ..there });
        }
        return;
    };
    it.request_id = Some(id.clone());
    let is_known = |it: &Request| {
        it.revision == content.revision() && matches!(it.status, RequestStatus::Pending | RequestStatus::Rejected)
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
    let there = draft.state.application(&uid.name).filter(|it| it.uid() == *uid);
    let there =
        there.filter(|it| asked(it).is_some_and(|it| it.subject == request.content.subject)).ok_or_else(|| {
            let what = format!("Nobody asks for this declaration of the application `{}` any more.", uid.name);
            Violation::new(At::attribute("request_id"), "Request over", what, "Have it declared again.")
        })?;
    let mut next = there.clone();
    match next.amendment.take().filter(|_| there.status != Status::Pending) {
        Some(amendment) => {
            let wanted = ApplicationRequest { adopt: true, ..ApplicationRequest::new(amendment) };
            next.spec = checked(draft, &wanted, Some(there))?;
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

/// Gives up what was refused.
pub(super) fn refused(draft: &mut Draft<'_>, request: &Request) {
    let uid = &request.content.applicant;
    let there = draft.state.application(&uid.name).filter(|it| it.uid() == *uid);
    let Some(there) = there.filter(|it| asked(it).is_some_and(|it| it.subject == request.content.subject)) else {
        return;
    };
    let status = if there.status == Status::Pending { Status::Rejected } else { there.status };
    draft.set_application(Application { status, amendment: None, ..there.clone() });
}

#[cfg(test)]
mod tests;

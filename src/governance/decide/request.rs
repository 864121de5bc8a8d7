//! Requests: filed, amended, withdrawn.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{declaration, draft::Draft, grant};
use crate::governance::{
    check_request::{check_request, content, judges},
    record::Timestamp,
    request::{AccessTo, Choice, Content, Decided, Filing, Grant, Judge, Request, RequestId, RequestStatus, Subject},
    state::request_key,
    violation::{At, Refusal, Violation},
};

pub(super) fn file(draft: &mut Draft<'_>, filing: &Filing) -> Result<(), Refusal> {
    let id = &filing.id;
    let there = draft.state.request(id);
    if let Some(it) = there {
        let is_here = draft.state.application(&filing.applicant).is_none_or(|now| now.uid() == *it.applicant());
        if !is_here {
            let what = format!("`{}` was a request of an application `{}` that ended.", filing.id, filing.applicant);
            return Err(Violation::new(At::attribute("id"), "Id in use", what, "Choose another id.").into());
        }
        if is_same(draft, it, filing) {
            return Ok(());
        }
        Refusal::of(over(&filing.id, it).into_iter().collect())?;
    }
    let actor = draft.actor.claimed.as_deref();
    Refusal::of(check_request(draft.state, filing, there, actor, draft.now))?;
    let content = content(draft.state, filing).ok_or_else(|| {
        let what = "Who asks, or who owns what is asked for, is not there.";
        Violation::new(At::all(), "Request refused", what, "Declare them first.")
    })?;
    let mut it = match there {
        Some(there) if is_agreed_to(there, &content) => there.clone(),
        Some(there) => match there.live_grant().filter(|it| is_granted_so(it, there, &content, draft.now)) {
            Some(grant) => as_granted(draft, id, there, grant, content),
            None => amended(draft, there, content),
        },
        None => filed(draft, content),
    };
    let digest = super::application::digest(&filing.texts);
    if it.text_digest != digest {
        say(draft, filing);
    }
    it.text_digest = digest;
    it.approver.clone_from(&filing.approver);
    it.ticket.clone_from(&filing.ticket);
    settle(draft, &mut it);
    draft.set_request(filing.id.clone(), it);
    Ok(())
}

pub(super) fn withdraw(draft: &mut Draft<'_>, id: &RequestId) {
    let Some(there) = draft.request(id).cloned() else { return };
    if there.status.is_over() {
        return;
    }
    if let Subject::Application(asked) = &there.content.subject {
        // An application that nobody agreed to yet is withdrawn by deleting it.
        if !asked.is_amendment || !matches!(there.status, RequestStatus::Pending | RequestStatus::Rejected) {
            return;
        }
        declaration::withdrawn(draft, &there);
    }
    if grant::is_done(&there) {
        return;
    }
    if there.grant.is_some() {
        grant::end(draft, id, RequestStatus::Revoking);
    } else {
        let ended_at = Some(draft.now);
        draft.set_request(id.clone(), Request { status: RequestStatus::Withdrawn, ended_at, ..there });
    }
}

/// A request that nobody filed before.
pub(super) fn filed(draft: &Draft<'_>, content: Content) -> Request {
    Request {
        revision: content.revision(),
        content,
        status: RequestStatus::Pending,
        filed_by: draft.actor.claimed.clone(),
        approver: None,
        ticket: None,
        text_digest: None,
        wanted: None,
        decisions: BTreeMap::new(),
        set_aside: BTreeMap::new(),
        grant: None,
        former_owners: BTreeSet::new(),
        said_at: None,
        judged_at: BTreeMap::new(),
        created_at: draft.now,
        ended_at: None,
    }
}

/// The request with another content. What is granted stays until that is decided, and what was decided of this very
/// content before holds if nothing was decided since by who decided it.
pub(super) fn amended(draft: &Draft<'_>, there: &Request, content: Content) -> Request {
    let revision = content.revision();
    let (mut decisions, set_aside): (BTreeMap<_, _>, BTreeMap<_, _>) =
        decided_before(there).into_iter().partition(|(_, it)| it.revision == revision);
    decisions.retain(|judge, it| is_valid(&content, *judge, it) && !is_own_approval(draft, it));
    let is_rejected = decisions.values().any(|it| it.choice == Choice::Reject);
    Request {
        revision,
        content,
        status: if is_rejected { RequestStatus::Rejected } else { RequestStatus::Pending },
        filed_by: draft.actor.claimed.clone(),
        decisions,
        set_aside,
        ended_at: None,
        ..there.clone()
    }
}

/// What is granted, asked for again: nothing is left to decide.
fn as_granted(draft: &Draft<'_>, id: &RequestId, there: &Request, grant: &Grant, content: Content) -> Request {
    let is_complete = grant::missing(draft.state, id, &grant.bindings).is_empty();
    let mut set_aside = decided_before(there);
    set_aside.retain(|_, it| it.revision != grant.revision);
    Request {
        revision: grant.revision.clone(),
        content: Content { principals: grant.content.principals.clone(), ..content },
        status: if is_complete { RequestStatus::Active } else { RequestStatus::Provisioning },
        filed_by: draft.actor.claimed.clone(),
        decisions: grant.decisions.clone(),
        set_aside,
        ended_at: None,
        ..there.clone()
    }
}

/// What each last decided about a request that is not over.
fn decided_before(there: &Request) -> BTreeMap<Judge, Decided> {
    if there.status.is_over() {
        return BTreeMap::new();
    }
    let mut res = there.set_aside.clone();
    res.extend(there.decisions.clone());
    res
}

/// Whether who files agreed to it themselves, where others must.
fn is_own_approval(draft: &Draft<'_>, it: &Decided) -> bool {
    draft.policy().approval.distinct_actors && it.choice == Choice::Approve && it.actor == draft.actor.claimed
}

/// Whether what is granted is all that is asked for. What was handed over since belongs to another owner, and is no other
/// content.
fn is_granted_so(grant: &Grant, there: &Request, content: &Content, now: Timestamp) -> bool {
    let Content { applicant: _, owner, subject, principals, expires_at } = &grant.content;
    let is_former = || owner.as_ref().is_some_and(|it| there.former_owners.contains(it));
    *subject == content.subject
        && *expires_at == content.expires_at
        && content.principals.is_subset(principals)
        && (*owner == content.owner || is_former())
        && !grant.content.is_expired(now)
}

/// Agreed to, if all who must have said so and that still holds; waiting, if not.
pub(super) fn settle(draft: &Draft<'_>, it: &mut Request) {
    if it.status != RequestStatus::Pending {
        return;
    }
    let content = &it.content;
    it.decisions.retain(|judge, decided| decided.revision == it.revision && is_valid(content, *judge, decided));
    let judges = judges(draft.state, content);
    let agreed = |judge: &Judge| it.decisions.get(judge).is_some_and(|it| it.choice == Choice::Approve);
    if judges.iter().all(agreed) {
        it.status = RequestStatus::Approved;
    }
}

/// Whether who decided as owner is the owner still.
fn is_valid(content: &Content, judge: Judge, decided: &Decided) -> bool {
    match judge {
        Judge::Owner => decided.application == content.owner,
        Judge::Platform => true,
    }
}

/// Whether nothing else is asked for than before. The owner may be another by now, and who runs may be fewer: that takes
/// nobody's leave.
fn is_agreed_to(there: &Request, content: &Content) -> bool {
    let Content { applicant: _, owner: _, subject, principals, expires_at } = &there.content;
    *subject == content.subject
        && *expires_at == content.expires_at
        && content.principals.is_subset(principals)
        && there.status != RequestStatus::Expired
}

/// Whether nothing at all is otherwise.
fn is_same(draft: &Draft<'_>, there: &Request, filing: &Filing) -> bool {
    let Filing { id: _, applicant, subject, expires_at, approver, ticket, texts } = filing;
    let subject = match subject {
        Subject::Access(it) => Subject::Access(it.canonical()),
        it => it.clone(),
    };
    let runs = draft.state.application(applicant).map(|it| &it.spec.principals);
    let is_access = there.content.access().is_some_and(AccessTo::has_rules);
    let has_more =
        is_access && !there.status.is_over() && runs.is_some_and(|it| !it.is_subset(&there.content.principals));
    (&there.content.subject, &there.content.expires_at) == (&subject, expires_at)
        && (&there.approver, &there.ticket) == (approver, ticket)
        && there.text_digest == super::application::digest(texts)
        && !has_more
}

/// Why a request cannot be asked otherwise any more.
fn over(id: &RequestId, there: &Request) -> Option<Violation> {
    let (what, remedy) = match there.status {
        RequestStatus::Withdrawn | RequestStatus::Revoked => {
            (format!("The request `{id}` is `{}`, and stays so.", there.status), "File another one.")
        }
        RequestStatus::Revoking | RequestStatus::Expiring => (
            format!("The request `{id}` is `{}`: what it had is being taken away.", there.status),
            "File another one, or apply again when it is gone.",
        ),
        _ => return None,
    };
    Some(Violation::new(At::attribute("id"), "Request over", what, remedy))
}

/// Puts the free text of a request where it can be erased.
fn say(draft: &mut Draft<'_>, filing: &Filing) {
    let texts: Map<String, Value> =
        filing.texts.iter().map(|(name, text)| (name.clone(), text.as_str().into())).collect();
    let said = (!texts.is_empty()).then_some(Value::Object(texts));
    draft.texts.insert(request_key(&filing.id), said);
}

#[cfg(test)]
pub(in crate::governance) mod tests;

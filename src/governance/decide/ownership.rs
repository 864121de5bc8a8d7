//! What becomes of requests and grants when what they are about changes hands or ends.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{declaration, draft::Draft, grant, no_application, provisioning, request::settle};
use crate::governance::{
    acl::{AclBinding, Permission},
    application::{Application, Status},
    binding::Holder,
    check_topic::TopicRequest,
    command::TopicDeletion,
    grants,
    names::ApplicationName,
    request::{Content, Request, RequestId, RequestStatus},
    state::State,
    violation::{At, Refusal, Violation, listed},
};

/// After prefixes went from one application to another: what waits is the new owner's to decide, all of it anew, and what
/// is granted is the new owner's to revoke. History says what was granted.
pub(super) fn handed_over(draft: &mut Draft<'_>, from: &Application, to: &Application) {
    let (giver, taker) = (from.uid(), to.uid());
    let is_handed = |content: &Content| {
        let access = content.access().filter(|_| content.owner.as_ref() == Some(&giver));
        access.is_some_and(|it| to.spec.covers(it.kind, &it.name) && !from.spec.covers(it.kind, &it.name))
    };
    let handed: Vec<(RequestId, Request)> = draft
        .state
        .requests()
        .filter(|(_, it)| !it.status.is_over() && is_handed(&it.content))
        .map(|(id, it)| (id.clone(), it.clone()))
        .collect();
    let granted: Vec<String> = handed.iter().filter(|(_, it)| it.is_granted()).map(|(id, _)| id.to_string()).collect();
    let received: Vec<String> = grants::received(draft.state, &giver).map(|(id, _)| id.to_string()).collect();
    draft.facts.insert("grants_handed_over".to_owned(), Value::from(granted));
    draft.facts.insert("grants_kept".to_owned(), Value::from(received));
    for (id, mut it) in handed {
        it.former_owners.insert(giver.clone());
        it.content = it.content.owned_by(taker.clone());
        let is_own = *it.applicant() == taker;
        if is_own && it.grant.is_none() {
            it.status = RequestStatus::Withdrawn;
            it.ended_at = Some(draft.now);
        } else if matches!(it.status, RequestStatus::Pending | RequestStatus::Approved) {
            it.revision = it.content.revision();
            it.status = RequestStatus::Pending;
            it.decisions = BTreeMap::new();
            it.set_aside = BTreeMap::new();
            settle(draft, &mut it);
        }
        draft.set_request(id, it);
    }
}

/// Before an application ends: with grants on either side it does not, and what still waits is over.
pub(super) fn ending(draft: &mut Draft<'_>, it: &Application) -> Result<(), Refusal> {
    Refusal::of(grants::against_end(draft.state, it).into_iter().collect())?;
    let uid = it.uid();
    let is_about = |it: &Request| *it.applicant() == uid || it.content.owner.as_ref() == Some(&uid);
    close(draft, is_about, RequestStatus::Revoking);
    Ok(())
}

/// Ends an application whose time is over: what it was granted goes, and its own rights. It keeps its name while it owns
/// something or others have access to that, so that nothing of theirs is lost; else it is deleted.
pub(super) fn end_trial(draft: &mut Draft<'_>, name: &ApplicationName) -> Result<(), Refusal> {
    let there = draft.state.application(name).ok_or_else(|| no_application(name))?;
    if matches!(there.status, Status::Expired | Status::Rejected | Status::Deleting | Status::Deleted) {
        return Ok(());
    }
    if !there.is_expired(draft.now) {
        let what = format!("The time of the application `{name}` is not over.");
        return Err(Violation::new(At::all(), "Not expired", what, "Delete it instead.").into());
    }
    let uid = there.uid();
    let is_needed = draft.state.topics_of(name).next().is_some() || grants::given(draft.state, &uid).next().is_some();
    let is_about = |it: &Request| *it.applicant() == uid || (!is_needed && it.content.owner.as_ref() == Some(&uid));
    close(draft, is_about, RequestStatus::Expiring);
    let has_rights = provisioning::release_all(draft, there);
    let status = match (is_needed, has_rights) {
        (true, _) => Status::Expired,
        (false, true) => Status::Deleting,
        (false, false) => Status::Deleted,
    };
    let deleted_at = (status == Status::Deleted).then_some(draft.now);
    draft.set_application(Application { status, deleted_at, amendment: None, offer: None, ..there.clone() });
    Ok(())
}

/// Ends requests that are not over: what waits is withdrawn, and what is granted is taken away.
fn close(draft: &mut Draft<'_>, is_closed: impl Fn(&Request) -> bool, into: RequestStatus) {
    for (id, it) in draft.state.requests().filter(|(_, it)| !it.status.is_over() && is_closed(it)) {
        // Who asked for an application that was rejected is told so, for as long as they ask.
        let is_told = it.status == RequestStatus::Rejected && declaration::is_first(it);
        if grant::is_done(it) || is_told {
            continue;
        }
        if it.grant.is_some() {
            grant::end(draft, id, into);
        } else {
            let ended_at = Some(draft.now);
            draft.set_request(id.clone(), Request { status: RequestStatus::Withdrawn, ended_at, ..it.clone() });
        }
    }
}

/// Before a topic is deleted: who has access to it is named, or loses it. Rules survive a topic, and a new one of that
/// name would be read by old readers.
pub(super) fn topic_deleted(draft: &mut Draft<'_>, it: &TopicDeletion) -> Result<(), Refusal> {
    let TopicDeletion { name, revoke_grants, ask: _ } = it;
    let granted: Vec<(RequestId, String)> =
        grants::on_topic(draft.state, name).map(|(id, it)| (id.clone(), it.applicant().name.to_string())).collect();
    if !granted.is_empty() && !revoke_grants {
        let all: Vec<String> = granted.iter().map(|(id, who)| format!("`{who}` (`{id}`)")).collect();
        let what = format!("Other applications were granted access to the topic `{name}`: {}.", all.join(", "));
        let remedy = "Revoke it first, or set `revoke_grants_on_delete = true`.";
        return Err(Violation::new(At::all(), "Topic with grants", what, remedy).into());
    }
    for (id, _) in granted {
        grant::end(draft, &id, RequestStatus::Revoking);
    }
    Ok(())
}

/// Before a topic is made: rules for its very name that nobody here needs are those of the readers of one before.
pub(super) fn left_behind(state: &State, request: &TopicRequest) -> Option<Violation> {
    let is_needed =
        |rule: &AclBinding| state.binding(rule).is_some_and(|it| it.holders.iter().any(|it| *it != Holder::Foreign));
    let facts = state.environment().map(|it| &it.spec.cluster);
    let is_platforms = |rule: &AclBinding| {
        facts.is_some_and(|it| {
            it.platform_principals.contains(&rule.principal) || it.super_users.contains(&rule.principal)
        })
    };
    let strange: Vec<&AclBinding> = request
        .left_behind
        .iter()
        .filter(|it| it.permission == Permission::Allow && !is_needed(it) && !is_platforms(it))
        .collect();
    if strange.is_empty() || request.keep_acls {
        return None;
    }
    let what = format!(
        "The cluster has rules for the name `{}` from before, and whom they are for could use the new topic: {}.",
        request.name,
        listed(strange.iter().take(10))
    );
    let remedy = "Remove them, or set `keep_acls = true` to have them stay.";
    Some(Violation::new(At::attribute("name"), "Rules left behind", what, remedy))
}

#[cfg(test)]
mod tests;

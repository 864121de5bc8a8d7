//! From what was agreed to to what the cluster knows, and back: `approved` → `provisioning` → `active`, and `revoking` →
//! `revoked`, `expiring` → `expired`.
//!
//! What is to be made is held first, then made and seen, and only then is released what a revision before had: who may do
//! something is never without it while that is amended. What is taken away is released first, and said to be gone when
//! it was seen to be.

use std::collections::BTreeSet;

use super::{draft::Draft, request_unknown};
use crate::governance::{
    acl::{AclBinding, PatternType},
    application::Application,
    binding::{BindingEntry, BindingStatus, Holder},
    command::{GrantFailure, Granting, Revocation},
    policy::{AclMode, Enforcement},
    record::Timestamp,
    request::{AccessTo, Choice, Content, Grant, Request, RequestId, RequestStatus, resource_type},
    state::{State, request_key},
    violation::{At, Refusal, Violation, listed},
};

pub(super) fn start(draft: &mut Draft<'_>, it: &Granting) -> Result<(), Refusal> {
    let Granting { request: id, on_cluster } = it;
    let there = draft.state.request(id).ok_or_else(|| request_unknown(id))?;
    Refusal::of(against(draft, id, there, on_cluster).into_iter().collect())?;
    let bindings = wanted(draft.state, &there.content);
    let same = there.grant.as_ref().filter(|it| it.revision == there.revision && !it.is_ending);
    let is_complete = same.is_some_and(|it| it.bindings == bindings) && missing(draft.state, id, &bindings).is_empty();
    if there.status == RequestStatus::Active && is_complete {
        return Ok(());
    }
    let holder = holder(id);
    for binding in &bindings {
        let known = draft.binding(binding).cloned();
        let is_strange = known.as_ref().is_none_or(|it| it.status == BindingStatus::Removed);
        let mut entry = known.unwrap_or_else(BindingEntry::unknown);
        if is_strange && on_cluster.contains(binding) {
            entry.hold(Holder::Foreign);
        }
        entry.hold(holder.clone());
        draft.set_binding(binding.clone(), entry);
    }
    let grant = Grant {
        revision: there.revision.clone(),
        content: there.content.clone(),
        bindings,
        decisions: there.decisions.clone(),
        is_ending: false,
        since: same.map_or(draft.now, |it| it.since),
    };
    let status = RequestStatus::Provisioning;
    draft.set_request(id.clone(), Request { status, grant: Some(grant), ..there.clone() });
    Ok(())
}

pub(super) fn finish(draft: &mut Draft<'_>, id: &RequestId) -> Result<(), Refusal> {
    let there = draft.state.request(id).ok_or_else(|| request_unknown(id))?;
    let grant = match (there.status, &there.grant) {
        (RequestStatus::Active, _) => return Ok(()),
        (RequestStatus::Provisioning, Some(grant)) => grant,
        _ => return Err(not_approved(id, there).into()),
    };
    let open = missing(draft.state, id, &grant.bindings);
    if !open.is_empty() {
        let what = format!("Of `{id}`, the cluster was not yet seen to have {}.", listed(open.iter().take(10)));
        let remedy = "Make them, and say so; then this can be said.";
        return Err(Violation::new(At::all(), "Rights not made yet", what, remedy).into());
    }
    release(draft, id, |it| !grant.bindings.contains(it));
    draft.set_request(id.clone(), Request { status: RequestStatus::Active, ..there.clone() });
    Ok(())
}

pub(super) fn fail(draft: &mut Draft<'_>, it: &GrantFailure) -> Result<(), Refusal> {
    let GrantFailure { request: id, reason } = it;
    let there = draft.state.request(id).ok_or_else(|| request_unknown(id))?;
    match there.status {
        RequestStatus::Failed => Ok(()),
        RequestStatus::Approved | RequestStatus::Provisioning => {
            draft.texts.insert(format!("{}/failure", request_key(id)), Some(reason.as_str().into()));
            draft.set_request(id.clone(), Request { status: RequestStatus::Failed, ..there.clone() });
            Ok(())
        }
        _ => Err(not_approved(id, there).into()),
    }
}

pub(super) fn revoke(draft: &mut Draft<'_>, it: &Revocation) -> Result<(), Refusal> {
    let Revocation { request: id, reason } = it;
    let there = draft.state.request(id).ok_or_else(|| request_unknown(id))?;
    let is_nothing_left = there.status == RequestStatus::Rejected && !there.is_granted();
    if there.status.is_over() || is_nothing_left || is_done(there) {
        return Ok(());
    }
    if !there.is_granted() {
        let what = format!("The request `{id}` is `{}`, and gives nothing.", there.status);
        return Err(Violation::new(At::all(), "Nothing to revoke", what, "Reject it instead.").into());
    }
    if let Some(reason) = reason {
        Refusal::of(crate::governance::check_request::secret("reason", reason).into_iter().collect())?;
        draft.texts.insert(format!("{}/revocation", request_key(id)), Some(reason.as_str().into()));
    }
    end(draft, id, RequestStatus::Revoking);
    Ok(())
}

pub(super) fn expire(draft: &mut Draft<'_>, id: &RequestId) -> Result<(), Refusal> {
    let there = draft.state.request(id).ok_or_else(|| request_unknown(id))?;
    if there.status.is_over() || is_done(there) {
        return Ok(());
    }
    match due(there, draft.now) {
        Some(Due::All) => end(draft, id, RequestStatus::Expiring),
        Some(Due::Granted) => end_granted(draft, id),
        None if there.grant.as_ref().is_some_and(|it| it.is_ending && it.content.is_expired(draft.now)) => {}
        None => {
            let what = format!("The time of the request `{id}` is not over.");
            return Err(Violation::new(At::all(), "Not expired", what, "Revoke it instead.").into());
        }
    }
    Ok(())
}

pub(super) fn finish_revocation(draft: &mut Draft<'_>, id: &RequestId) -> Result<(), Refusal> {
    let there = draft.state.request(id).ok_or_else(|| request_unknown(id))?;
    match &there.grant {
        None => return Ok(()),
        Some(grant) if grant.is_ending => {}
        Some(_) => {
            let what = format!("The request `{id}` is `{}`, and nobody asked to take it away.", there.status);
            return Err(Violation::new(At::all(), "Not being revoked", what, "Ask for that first.").into());
        }
    }
    let holder = holder(id);
    let is_open = |it: &BindingEntry| it.status == BindingStatus::Removing && it.released_by.as_ref() == Some(&holder);
    let open: Vec<_> = draft.state.bindings().filter(|(_, it)| is_open(it)).map(|(it, _)| it).collect();
    if !open.is_empty() {
        let what = format!("Of `{id}`, the cluster may still have {}.", listed(open.iter().take(10)));
        let remedy = "Remove them, and say so; then this can be said.";
        return Err(Violation::new(At::all(), "Rights not gone yet", what, remedy).into());
    }
    let status = finally(there.status);
    let ended_at = if status.is_over() { Some(draft.now) } else { there.ended_at };
    draft.set_request(id.clone(), Request { status, grant: None, ended_at, ..there.clone() });
    Ok(())
}

/// What of a request is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// All of it: also a grant of a revision before, for nobody asks for longer.
    All,
    /// What was granted of a revision before; what is asked for now goes on.
    Granted,
}

/// Whether the time of a request is over.
pub fn due(it: &Request, now: Timestamp) -> Option<Due> {
    let is_waiting = it.status != RequestStatus::Rejected || it.grant.is_some();
    let grant = it.live_grant();
    if it.status.is_over() || is_done(it) {
        None
    } else if it.content.is_expired(now) && is_waiting {
        Some(Due::All)
    } else {
        grant.filter(|it| it.content.is_expired(now)).map(|_| Due::Granted)
    }
}

/// Whether it was for something that is done once and then stays, as an application or a change.
pub(super) fn is_done(it: &Request) -> bool {
    it.content.access().is_none() && it.status == RequestStatus::Active
}

/// Takes everything away that a request has, or was about to have. What others hold stays.
pub(super) fn end(draft: &mut Draft<'_>, id: &RequestId, into: RequestStatus) {
    let Some(there) = draft.request(id).cloned() else { return };
    release(draft, id, |_| true);
    let next = match there.grant {
        Some(grant) => Request { status: into, grant: Some(Grant { is_ending: true, ..grant }), ..there },
        None => Request { status: finally(into), ended_at: Some(draft.now), ..there },
    };
    draft.set_request(id.clone(), next);
}

/// Takes away what was granted of a revision before; what is asked for now is still to be decided. Nobody agrees any more
/// to what they agreed to before.
pub(super) fn end_granted(draft: &mut Draft<'_>, id: &RequestId) {
    let Some(there) = draft.request(id).cloned() else { return };
    release(draft, id, |_| true);
    let grant = there.grant.map(|it| Grant { is_ending: true, ..it });
    let mut set_aside = there.set_aside;
    set_aside.retain(|_, it| it.choice == Choice::Reject);
    draft.set_request(id.clone(), Request { set_aside, grant, ..there });
}

/// After the programs of an application changed: who is none of them any more has nothing that was granted to it.
pub(super) fn follow_programs(draft: &mut Draft<'_>, it: &Application) {
    let uid = it.uid();
    let runs = &it.spec.principals;
    let granted = draft.state.requests().filter(|(_, request)| request.grant.is_some() && *request.applicant() == uid);
    for (id, _) in granted {
        release(draft, id, |binding| !runs.contains(&binding.principal));
        let Some(there) = draft.request(id).cloned() else { continue };
        let grant = there.grant.map(|mut it| {
            it.bindings.retain(|binding| runs.contains(&binding.principal));
            it
        });
        draft.set_request(id.clone(), Request { grant, ..there });
    }
}

/// A grant that lost behind our back what it had is not active any more.
pub(super) fn provision_again(draft: &mut Draft<'_>, id: &str) {
    let Ok(id) = id.parse::<RequestId>() else { return };
    if let Some(it) = draft.request(&id).filter(|it| it.status == RequestStatus::Active).cloned() {
        draft.set_request(id, Request { status: RequestStatus::Provisioning, ..it });
    }
}

/// Whether there is something to make for a request that was agreed to: it was never made, not to the end, or a program
/// that it was agreed for came back.
pub fn needs_granting(state: &State, id: &RequestId, it: &Request, now: Timestamp) -> bool {
    let is_asked = state.policy().is_some_and(|it| it.enforcement == Enforcement::Acl)
        && it.content.access().is_some()
        && it.status.is_approved()
        && !it.content.is_expired(now)
        && super::decision::out_of_date(state, it).is_none();
    let is_complete = || {
        let bindings = wanted(state, &it.content);
        it.grant.as_ref().is_some_and(|it| it.bindings == bindings) && missing(state, id, &bindings).is_empty()
    };
    is_asked && (it.status != RequestStatus::Active || !is_complete())
}

/// The rules that a request needs now: for the programs that it was agreed for and that are the applicant's still.
fn wanted(state: &State, content: &Content) -> BTreeSet<AclBinding> {
    let (Some(access), Some(environment)) = (content.access(), state.environment()) else { return BTreeSet::new() };
    let applicant = state.application(&content.applicant.name).filter(|it| it.uid() == content.applicant);
    let runs = applicant.map(|it| &it.spec.principals);
    let programs =
        content.principals.iter().filter(|it| runs.is_some_and(|runs| runs.contains(*it))).cloned().collect();
    access.bindings(&programs, &environment.spec.cluster)
}

/// What of these rules the cluster was not yet seen to have for the grant.
pub(super) fn missing<'a>(state: &State, id: &RequestId, bindings: &'a BTreeSet<AclBinding>) -> Vec<&'a AclBinding> {
    let holder = holder(id);
    let is_there = |it: &BindingEntry| it.status == BindingStatus::Present && it.holders.contains(&holder);
    bindings.iter().filter(|it| !state.binding(it).is_some_and(is_there)).collect()
}

/// What speaks against making the rules of a request.
fn against(draft: &Draft<'_>, id: &RequestId, it: &Request, on_cluster: &BTreeSet<AclBinding>) -> Option<Violation> {
    let Some(access) = it.content.access() else {
        let what = format!("The request `{id}` is for nothing that rules give.");
        return Some(Violation::new(At::all(), "Nothing to grant", what, "There is nothing to do."));
    };
    if !it.status.is_approved() {
        return Some(not_approved(id, it));
    }
    if draft.enforcement() != Enforcement::Acl {
        let what = "The environment does not have its rights enforced by Kafka's authorizer.";
        let remedy = "Make them where they are enforced; the request stays `approved`.";
        return Some(Violation::new(At::all(), "Rights made elsewhere", what, remedy));
    }
    if it.content.is_expired(draft.now) {
        let what = format!("The time of the request `{id}` is over.");
        return Some(Violation::new(At::all(), "Request expired", what, "Have it filed again."));
    }
    super::decision::out_of_date(draft.state, it).or_else(|| opening(draft, access, on_cluster))
}

/// Where resources without a rule are everybody's, the first rule shuts everybody else out.
fn opening(draft: &Draft<'_>, access: &AccessTo, on_cluster: &BTreeSet<AclBinding>) -> Option<Violation> {
    if draft.policy().acl_mode != AclMode::Open {
        return None;
    }
    let kind = resource_type(access.kind)?;
    let covers = |it: &AclBinding| {
        let is_wide = access.pattern == PatternType::Literal || it.pattern_type == PatternType::Prefixed;
        is_wide && it.covers(kind, &access.name)
    };
    let present = draft.state.bindings().filter(|(_, it)| it.status == BindingStatus::Present).map(|(it, _)| it);
    if present.chain(on_cluster).any(covers) {
        return None;
    }
    let what = format!(
        "The {} `{}` has no rule, and is everybody's: the first rule would shut out all others who use it.",
        access.kind, access.name
    );
    let remedy = "Have its owner provisioned first, or set `acl_mode = \"closing\"`.";
    Some(Violation::new(At::all(), "Resource open", what, remedy))
}

fn not_approved(id: &RequestId, it: &Request) -> Violation {
    let what = format!("The request `{id}` is `{}`.", it.status);
    Violation::new(At::all(), "Request not approved", what, "Its rules are made once it is agreed to.")
}

/// What a request is once what it had is gone.
fn finally(ending: RequestStatus) -> RequestStatus {
    match ending {
        RequestStatus::Revoking => RequestStatus::Revoked,
        RequestStatus::Expiring => RequestStatus::Expired,
        it => it,
    }
}

fn holder(id: &RequestId) -> Holder {
    Holder::Grant(id.to_string())
}

/// Holds these rules of a grant no more.
fn release(draft: &mut Draft<'_>, id: &RequestId, is_released: impl Fn(&AclBinding) -> bool) {
    let holder = holder(id);
    let held: Vec<AclBinding> =
        draft.state.bindings_of(&holder).map(|(it, _)| it.clone()).filter(|it| is_released(it)).collect();
    for binding in held {
        if let Some(mut entry) = draft.binding(&binding).cloned() {
            entry.release(&holder);
            draft.set_binding(binding, entry);
        }
    }
}

#[cfg(test)]
pub(in crate::governance) mod tests;

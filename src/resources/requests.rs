//! What requests and the decisions about them have in common.

use std::{collections::BTreeSet, time::Instant};

use serde::{Deserialize, Serialize};

use super::{attributes::Moment, governed::known, letters::ask, site::Site};
use crate::{
    clients::{clock::now, governed::Governed, kafka::KafkaError},
    framework::{Call, Diagnostic, Failure},
    governance::{
        acl::PatternType,
        binding::{BindingEntry, Holder},
        changes::is_being_made,
        command::Command,
        outstanding::{Task, outstanding},
        policy::Enforcement,
        request::{AccessTo, Choice, Content, Grant, Request, RequestId, RequestStatus},
        state::State,
        violation::listed,
    },
};

/// What becomes of an access when the resource that it came by is destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDestroy {
    /// It is taken away.
    Revoke,
    /// It stays, and nothing here remembers it.
    Keep,
}

/// What the name of a resource means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// It is the name.
    Literal,
    /// Names begin with it.
    Prefixed,
}

impl From<Pattern> for PatternType {
    fn from(it: Pattern) -> Self {
        match it {
            Pattern::Literal => Self::Literal,
            Pattern::Prefixed => Self::Prefixed,
        }
    }
}

impl From<PatternType> for Pattern {
    fn from(it: PatternType) -> Self {
        match it {
            PatternType::Literal => Self::Literal,
            PatternType::Prefixed => Self::Prefixed,
        }
    }
}

/// Where a request is, as its reader sees it.
pub(super) fn status(request: &Request, state: &State) -> &'static str {
    if is_being_made(state, request) {
        return RequestStatus::Provisioning.word();
    }
    let enforcement = state.policy().map_or(Enforcement::None, |it| it.enforcement);
    request.look(enforcement, now()).word()
}

/// Whether there are rules, or a change, to be made for a request, or rules to be removed that only a revision before had,
/// and the caller may do that.
pub(super) fn is_left_to_grant(governed: &Governed, state: &State, id: &RequestId) -> bool {
    let holder = Holder::Grant(id.to_string());
    let request = state.request(id);
    let is_given = || request.is_some_and(|it| it.live_grant().is_some());
    let is_left_over = |it: &BindingEntry| it.released_by.as_ref() == Some(&holder) && it.deed().is_some();
    let is_left = request.is_some_and(|it| is_being_made(state, it))
        || outstanding(state, now()).contains(&Task::Grant(id.clone()))
        || (is_given() && state.bindings().any(|(_, it)| is_left_over(it)));
    is_left && governed.mailbox(state).is_none()
}

/// What the end of a request takes away: what, of which resource, from whom.
pub(super) fn taken_away(request: &Request) -> Option<String> {
    let granted = request.live_grant().map(|it| &it.content);
    let content = granted.or_else(|| request.status.is_approved().then_some(&request.content))?;
    let Content { applicant, principals, .. } = content;
    // Programs that were removed since have it no more.
    let holders: BTreeSet<_> =
        request.live_grant().iter().flat_map(|it| &it.bindings).map(|it| &it.principal).collect();
    let holders = if holders.is_empty() { principals.iter().collect() } else { holders };
    let AccessTo { kind, name, pattern, operations } = content.access()?;
    let of = match pattern {
        PatternType::Literal => format!("the {kind} `{name}`"),
        PatternType::Prefixed => format!("{kind}s that begin with `{name}`"),
    };
    let of_programs = if holders.is_empty() { String::new() } else { format!(" ({})", listed(holders)) };
    Some(format!("{} of {of} from `{}`{of_programs}", listed(operations), applicant.name))
}

/// Has a request ended by a command, unless it is over, with what it had: also what another run left half done.
pub(super) async fn end(site: &Site<'_>, id: &RequestId, command: Command, call: &mut Call) -> Result<(), Failure> {
    let there = known(&site.governed, call.deadline).await?;
    let Some(found) = there.state.request(id) else { return Ok(()) };
    if !found.status.is_over() {
        ask(&site.governed, &there.state, command, call).await?;
    }
    site.governed.follow(id, call.deadline).await?;
    site.environment.forget_governance().await;
    Ok(())
}

/// Tells what a destroy takes away.
pub(super) fn tell_revocation(id: &RequestId, taken: &str, call: &mut Call) {
    let detail = format!(
        "This revokes {taken}, which the request `{id}` gave.\n\nTo keep the access and only stop managing it, apply \
         `on_destroy = \"keep\"` before, or use a `removed` block with `destroy = false`."
    );
    call.report.push(Diagnostic::warning("Access revoked", detail));
}

/// Tells that the time of an access is over and that nobody took it away yet: no clock runs in Kafka.
pub(super) fn tell_overdue(id: &RequestId, request: &Request, call: &mut Call) {
    let is_overdue = |it: &&Grant| !it.is_ending && it.content.is_expired(now());
    let Some(grant) = request.grant.as_ref().filter(is_overdue) else { return };
    let end = grant.content.expires_at.and_then(Moment::utc).map_or_else(String::new, |it| format!(" at {it}"));
    let detail = format!(
        "The time of what `{id}` gave ended{end}, and it is there still: {}.\n\nThe next `reconcile` with the platform's \
         rights takes it away; have one run on a schedule.",
        listed(grant.bindings.iter().take(20))
    );
    call.report.push(Diagnostic::warning("Access overdue", detail).at("status"));
}

/// Tells that somebody took rules of an access away behind everybody's back, and who makes them again. Answers whether
/// there are any, which who may not see rules is not told.
pub(super) async fn tell_lost(
    id: &RequestId,
    known: &State,
    governed: &Governed,
    is_made_again: bool,
    call: &mut Call,
) -> Result<bool, Failure> {
    let lost = match governed.lost_of_grant(id, known, call.deadline).await {
        Ok(lost) if lost.is_empty() => return Ok(false),
        // Who asks or gives need not see the rules of a cluster.
        Err(KafkaError::Denied { .. } | KafkaError::NoAuthorizer) => return Ok(false),
        answer => answer?,
    };
    let who = if is_made_again { "apply" } else { "`reconcile` with the platform's rights" };
    let detail = format!(
        "Somebody removed rules of `{id}` from the cluster: {}.\n\nThe next {who} makes them again.",
        listed(lost.iter().take(20))
    );
    call.report.push(Diagnostic::warning("Access removed outside", detail).at("status"));
    Ok(true)
}

/// Who rejected what by a request, when, and why, as far as the reader may know.
pub(super) async fn rejection(
    governed: &Governed,
    id: &RequestId,
    request: &Request,
    what: &str,
    deadline: Instant,
) -> String {
    let Some((judge, said)) = request.decisions.iter().find(|(_, it)| it.choice == Choice::Reject) else {
        return format!("The request `{id}` was rejected.");
    };
    let who = match &said.application {
        Some(it) => format!("The application `{}`", it.name),
        None => "The platform".to_owned(),
    };
    let actor = said.actor.as_ref().map(|it| format!(" (`{it}`)")).unwrap_or_default();
    let why = match governed.reason(id, *judge, deadline).await {
        Ok(Some(reason)) => format!(" The reason: {reason}"),
        Ok(None) => String::new(),
        Err(_) => " The reason cannot be read with these credentials.".to_owned(),
    };
    format!("{who}{actor} rejected {what} on {}: request `{id}`.{why}", said.at.date())
}

/// What happened to a request that nobody needs to look after any more; `None` while it lives.
pub(super) fn ended(id: &RequestId, request: &Request) -> Option<String> {
    let what = match request.status {
        RequestStatus::Withdrawn => "was withdrawn before anything was granted",
        RequestStatus::Revoking => "was revoked, and what it had is being taken away",
        RequestStatus::Revoked => "was revoked, and gives nothing any more",
        RequestStatus::Expiring => "expired, and what it had is being taken away",
        RequestStatus::Expired => "expired, and gives nothing any more",
        _ => return None,
    };
    Some(format!("The request `{id}` {what}."))
}

#[cfg(test)]
pub(super) mod testing;

//! Who has what of whom: grants by who gave them, by who has them and by what they are on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::governance::{
    acl::{Operation, PatternType, Principal},
    application::{Application, ApplicationSpec, ApplicationUid},
    kind::Kind,
    names::ApplicationName,
    owned_topic::TopicStatus,
    record::Timestamp,
    request::{AccessTo, Content, Grant, Request, RequestId, RequestStatus},
    state::State,
    topic::TopicName,
    violation::{At, Violation},
};

/// A request with its id.
pub type Identified<'a> = (&'a RequestId, &'a Request);

/// What others were granted of what an application owns, and what is about to be made.
pub fn given<'a>(state: &'a State, owner: &'a ApplicationUid) -> impl Iterator<Item = Identified<'a>> {
    live(state).filter(move |(_, it)| it.content.owner.as_ref() == Some(owner))
}

/// What an application was granted of what others own, and what is about to be made.
pub fn received<'a>(state: &'a State, applicant: &'a ApplicationUid) -> impl Iterator<Item = Identified<'a>> {
    live(state).filter(move |(_, it)| it.applicant() == applicant)
}

/// Whether an application may do something with a name that another one owns, by what it was granted.
pub fn may(state: &State, who: &ApplicationName, kind: Kind, name: &str, what: Operation, now: Timestamp) -> bool {
    let Some(who) = state.application(who).map(Application::uid) else { return false };
    let gives = |it: &Content| {
        !it.is_expired(now) && it.access().is_some_and(|it| it.covers(kind, name) && it.operations.contains(&what))
    };
    // What was agreed to is given where no rule has to be made for it; what it amends holds as well until that is done.
    received(state, &who).any(|(_, it)| {
        let agreed = it.status.is_approved().then_some(&it.content);
        agreed.into_iter().chain(it.live_grant().map(|it| &it.content)).any(gives)
    })
}

/// The request by which an application asks for that, where nobody decided yet.
pub fn asking<'a>(
    state: &'a State,
    who: &ApplicationName,
    kind: Kind,
    name: &str,
    what: Operation,
) -> Option<&'a RequestId> {
    let asks = |it: &AccessTo| it.covers(kind, name) && it.operations.contains(&what);
    let mut waiting = state.requests().filter(|(_, it)| it.status == RequestStatus::Pending);
    let found = waiting.find(|(_, it)| it.applicant().name == *who && it.content.access().is_some_and(asks));
    found.map(|(id, _)| id)
}

/// What was granted on a topic by its name; what was granted on a prefix is not for the topic's sake.
pub fn on_topic<'a>(state: &'a State, name: &'a TopicName) -> impl Iterator<Item = Identified<'a>> {
    live(state).filter(move |(_, it)| {
        let contents = [Some(&it.content), it.live_grant().map(|it| &it.content)];
        contents.into_iter().flatten().any(|it| is_on_topic(it, name))
    })
}

/// What was granted on a topic by its name and is being taken away.
pub fn ending_on_topic<'a>(state: &'a State, name: &'a TopicName) -> impl Iterator<Item = Identified<'a>> {
    let is_ending = |it: &Grant| it.is_ending && is_on_topic(&it.content, name);
    state.requests().filter(move |(_, it)| it.grant.as_ref().is_some_and(is_ending))
}

/// A topic that somebody else deleted and made again, and what others were granted on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeAnew {
    /// Its name.
    pub topic: TopicName,
    /// Who has access to it still, by what they asked.
    pub granted: BTreeMap<RequestId, ApplicationName>,
}

/// What others were granted on a topic before it was made again by somebody else: it has another id than the journal
/// knows. Whoever may do that on the cluster may, so that the grants hold, and the owner is to know of them: the new
/// topic's data may not be meant for the same readers.
pub fn made_anew(state: &State, name: &TopicName, id: Option<&str>) -> Option<MadeAnew> {
    let known = state.topic(name).filter(|it| it.status == TopicStatus::Created)?.topic_id.as_deref()?;
    if id.is_none_or(|id| id == known) {
        return None;
    }
    let granted: BTreeMap<_, _> =
        on_topic(state, name).map(|(id, it)| (id.clone(), it.applicant().name.clone())).collect();
    (!granted.is_empty()).then(|| MadeAnew { topic: name.clone(), granted })
}

/// Whether anything is granted to anybody.
pub fn is_any(state: &State) -> bool {
    live(state).next().is_some()
}

impl fmt::Display for MadeAnew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.granted.iter().map(|(id, who)| format!("`{who}` (`{id}`)")).collect();
        write!(f, "{}", all.join(", "))
    }
}

fn is_on_topic(content: &Content, name: &TopicName) -> bool {
    content.access().is_some_and(|access| {
        (access.kind, access.pattern) == (Kind::Topic, PatternType::Literal) && access.name == name.as_str()
    })
}

/// The applicant's programs that a request was not filed for: they get nothing until it is filed again and agreed to again.
pub fn waiting_principals(state: &State, it: &Request) -> BTreeSet<Principal> {
    let applicant = state.application(&it.applicant().name).filter(|now| now.uid() == *it.applicant());
    let runs = applicant.filter(|_| it.content.access().is_some_and(AccessTo::has_rules)).map(|it| &it.spec.principals);
    runs.into_iter().flatten().filter(|who| !it.content.principals.contains(*who)).cloned().collect()
}

fn live(state: &State) -> impl Iterator<Item = Identified<'_>> {
    state.requests().filter(|(_, it)| it.content.access().is_some() && !it.status.is_over() && it.is_granted())
}

/// Why an application cannot end: grants live on either side of it.
pub fn against_end(state: &State, it: &Application) -> Option<Violation> {
    let uid = it.uid();
    let told = |grants: Vec<Identified<'_>>, words: &str, other: fn(&Request) -> Option<&ApplicationUid>| {
        let all: Vec<String> = grants
            .iter()
            .map(|(id, it)| format!("`{id}` ({})", other(it).map_or_else(String::new, |it| it.name.to_string())))
            .collect();
        (!all.is_empty()).then(|| format!("{words}: {}", all.join(", ")))
    };
    let given = told(given(state, &uid).collect(), "It gave access", |it| Some(it.applicant()));
    let received = told(received(state, &uid).collect(), "It has access", |it| it.content.owner.as_ref());
    let both: Vec<String> = given.into_iter().chain(received).collect();
    if both.is_empty() {
        return None;
    }
    let what = format!("The application `{}` has grants that live. {}.", it.spec.name, both.join(". "));
    let remedy = "Revoke what it gave, and withdraw what it has, first: requests and decisions that reference its `id` go \
                  before it.";
    Some(Violation::new(At::all(), "Application with grants", what, remedy))
}

/// Why prefixes cannot be given up: what was granted there would be nobody's to revoke.
pub fn uncovered(state: &State, there: &Application, spec: &ApplicationSpec) -> Option<Violation> {
    let uid = there.uid();
    let is_lost = |it: &Request| {
        let contents = [Some(&it.content), it.live_grant().map(|it| &it.content)];
        contents
            .into_iter()
            .flatten()
            .filter_map(|it| it.access())
            .any(|access| there.spec.covers(access.kind, &access.name) && !spec.covers(access.kind, &access.name))
    };
    let lost: Vec<String> = given(state, &uid).filter(|(_, it)| is_lost(it)).map(|(id, _)| format!("`{id}`")).collect();
    if lost.is_empty() {
        return None;
    }
    let what = format!("Others were granted access under the prefixes that are given up: {}.", lost.join(", "));
    let remedy = "Keep the prefix, revoke the grants first, or offer the prefix to another application.";
    Some(Violation::new(At::attribute("prefixes"), "Prefix in use", what, remedy))
}

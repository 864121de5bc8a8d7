//! Changes that somebody must agree to, by what they are of.
//!
//! Each has a request of its own: one that is waiting is amended, and what comes after its end is another one, so that no
//! approval is ever good for a second time.

use crate::governance::{
    application::{Application, ApplicationUid, Status},
    owned_topic::{OwnedTopic, TopicStatus},
    request::{Change, ChangeKind, Request, RequestId, RequestStatus, Subject},
    state::State,
    topic::TopicName,
};

/// The request for the newest change of something that an application asked for and that is still to be decided, or was
/// rejected and not asked otherwise since.
pub fn waiting<'a>(
    state: &'a State,
    applicant: &ApplicationUid,
    kind: ChangeKind,
    name: &str,
) -> Option<(RequestId, &'a Request)> {
    let id = id(state, applicant, kind, name);
    state.request(&id).map(|it| (id, it))
}

/// The same of a topic, by whose it is or would be.
pub fn waiting_of_topic<'a>(state: &'a State, name: &TopicName) -> Option<(RequestId, &'a Request)> {
    let there = state.topic(name).filter(|it| it.is_there()).and_then(OwnedTopic::owner);
    let applicant = match there {
        Some(it) => it,
        None => state.owner_of(crate::governance::kind::Kind::Topic, name.as_str())?.uid(),
    };
    waiting(state, &applicant, ChangeKind::Topic, name.as_str())
}

/// The id under which a change is to be filed: that of the request that waits, else one that nobody has.
pub(super) fn id(state: &State, applicant: &ApplicationUid, kind: ChangeKind, name: &str) -> RequestId {
    let is_taken = |id: &RequestId| state.request(id).is_some_and(|it| !waits(it, applicant, kind, name));
    let ids = (0_u32..).map(|number| RequestId::of_change(applicant, kind, name, number));
    ids.into_iter().find(|it| !is_taken(it)).expect("there are more numbers than requests")
}

fn waits(it: &Request, applicant: &ApplicationUid, kind: ChangeKind, name: &str) -> bool {
    let is_about = matches!(&it.content.subject, Subject::Change(change) if change.kind == kind && change.name == name);
    let is_open = matches!(it.status, RequestStatus::Pending | RequestStatus::Rejected);
    // A topic's is asked for whole; of what its asker makes, the digest is enough.
    let is_of_asker = it.wanted.is_some() || kind != ChangeKind::Topic;
    is_open && is_about && is_of_asker && it.applicant() == applicant
}

/// The request for an application, or for the newest change of one, that was rejected and not asked otherwise since.
pub fn rejected<'a>(state: &'a State, it: &Application) -> Option<(RequestId, &'a Request)> {
    let id = RequestId::of_application(it.spec.name.clone(), it.incarnation);
    let request = state.request(&id).filter(|it| it.status == RequestStatus::Rejected)?;
    let Subject::Application(asked) = &request.content.subject else { return None };
    let stands = if asked.is_amendment {
        it.amendment.is_some()
    } else {
        matches!(it.status, Status::Rejected | Status::Deleted)
    };
    stands.then_some((id, request))
}

/// The change that a request is for, if it is for one.
pub fn change(it: &Request) -> Option<&Change> {
    match &it.content.subject {
        Subject::Change(it) => Some(it),
        Subject::Access(_) | Subject::Application(_) => None,
    }
}

/// Whether what a request asked for was agreed to, and is still to be made.
pub fn is_being_made(state: &State, it: &Request) -> bool {
    let Some(change) = change(it).filter(|_| it.status == RequestStatus::Active && it.wanted.is_some()) else {
        return false;
    };
    let topic = change.name.parse().ok().and_then(|it: TopicName| state.topic(&it));
    topic.is_some_and(|it| {
        it.status == TopicStatus::Deleting || (it.status != TopicStatus::Deleted && it.asked.is_some())
    })
}

//! What holds at every moment of every history, by rules written a second time.

use super::history::History;
use crate::governance::{
    binding::{BindingStatus, Holder},
    outstanding::outstanding,
    record::Fold,
    request::{Request, RequestId, RequestStatus},
    state::State,
};

pub(super) fn check(history: &History) {
    for rule in &history.foreign {
        assert!(history.cluster.contains(rule), "{rule} was others', and is gone");
    }
    for rule in history.cluster.difference(&history.outside) {
        let entry = history.state.binding(rule).unwrap_or_else(|| panic!("{rule} is there, and nobody knows why"));
        assert_ne!(entry.status, BindingStatus::Removed, "{rule} was said to be gone");
    }
    for (rule, entry) in history.state.bindings() {
        if entry.status == BindingStatus::Present {
            assert!(history.cluster.contains(rule), "{rule} was said to be there");
        }
        for holder in &entry.holders {
            assert!(*holder != Holder::Foreign || history.ever_outside.contains(rule), "{rule} was never others'");
            let Holder::Grant(id) = holder else { continue };
            let id: RequestId = id.parse().unwrap();
            let is_agreed = history.book.permitted(history.access, &id).any(|it| it == rule);
            assert!(is_agreed, "{rule} is given by {id}, and nobody agreed to it");
        }
    }
    for (id, it) in history.state.requests().filter(|(_, it)| it.content.access().is_some()) {
        judge(history, id, it);
    }
}

fn judge(history: &History, id: &RequestId, it: &Request) {
    let holder = Holder::Grant(id.to_string());
    let held: Vec<_> = history.state.bindings_of(&holder).collect();
    if it.status.is_over() || it.live_grant().is_none() {
        assert!(held.is_empty(), "{id} is {} and holds {held:?}", it.status);
    }
    match it.status {
        RequestStatus::Active => {
            let grant = it.grant.as_ref().unwrap();
            assert_eq!(grant.revision, it.revision, "{id} is active");
            for rule in &grant.bindings {
                assert!(history.cluster.contains(rule), "{id} is active without {rule}");
            }
        }
        RequestStatus::Withdrawn | RequestStatus::Revoked | RequestStatus::Expired => {
            assert_eq!(it.grant, None, "{id} is {}", it.status);
        }
        RequestStatus::Revoking | RequestStatus::Expiring => {
            assert!(it.grant.as_ref().is_some_and(|it| it.is_ending), "{id} is {}", it.status);
        }
        _ => {}
    }
}

/// After all was done: nothing is left to do, and nobody is left without an answer but who waits for somebody's.
pub(super) fn check_settled(history: &History) {
    let left = outstanding(&history.state, history.now);
    assert_eq!(left, [], "this is never done");
    for (id, it) in history.state.requests() {
        let is_settled = match it.status {
            RequestStatus::Pending
            | RequestStatus::Active
            | RequestStatus::Rejected
            | RequestStatus::Withdrawn
            | RequestStatus::Revoked
            | RequestStatus::Expired => true,
            // What was agreed to waits for who is not in force.
            RequestStatus::Approved => [Some(&it.applicant().name), it.owner()]
                .into_iter()
                .flatten()
                .any(|name| !history.state.application(name).unwrap().status.is_in_force()),
            _ => false,
        };
        assert!(is_settled, "{id} stays {}", it.status);
    }
    let mut folded = State::default();
    for (key, value) in history.events.iter().flat_map(|it| &it.entities) {
        folded.put(key, value).unwrap();
    }
    for (id, it) in folded.requests() {
        assert_eq!(Some(it), history.state.request(id), "reading again tells something else");
    }
}

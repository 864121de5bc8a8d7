//! Requests that reached an end, for whoever waits elsewhere, such as a ticket.

use serde_json::{Value, json};

use crate::governance::{
    record::{Event, Fold, Timestamp},
    request::{Request, RequestId, RequestStatus, Subject},
    state::State,
};

/// A request that reached an end.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// The environment's name and the id of its cluster.
    environment: (String, String),
    id: RequestId,
    request: Request,
    at: Timestamp,
}

/// The requests that reach an end by events: they have what was asked for, or have it no more, or were refused.
pub fn completions(before: &State, events: &[Event], at: Timestamp) -> Vec<Completion> {
    let mut after = State::default();
    for (key, value) in events.iter().flat_map(|it| &it.entities) {
        if after.put(key, value).is_err() {
            return Vec::new();
        }
    }
    let Some(environment) = before.environment() else { return Vec::new() };
    let names = (environment.spec.name.to_string(), environment.spec.cluster.cluster_id.clone());
    let is_new = |id: &RequestId, it: &Request| {
        is_end(it.status) && before.request(id).is_none_or(|was| was.status != it.status)
    };
    let ended = after.requests().filter(|(id, it)| is_new(id, it));
    ended.map(|(id, it)| Completion { environment: names.clone(), id: id.clone(), request: it.clone(), at }).collect()
}

impl Completion {
    /// The notice, whose form others count on. `at` is in milliseconds since 1970 UTC.
    pub fn notice(&self) -> Value {
        let kind = match self.request.content.subject {
            Subject::Access(_) => "access",
            Subject::Application(_) => "application",
            Subject::Change(_) => "change",
        };
        json!({
            "environment": self.environment.0,
            "cluster_id": self.environment.1,
            "request": self.id.to_string(),
            "kind": kind,
            "status": self.request.status.word(),
            "applicant": self.request.applicant().name.to_string(),
            "owner": self.request.owner().map(ToString::to_string),
            "ticket": self.request.ticket,
            "at": self.at.0,
        })
    }
}

const fn is_end(status: RequestStatus) -> bool {
    matches!(status, RequestStatus::Active | RequestStatus::Rejected | RequestStatus::Revoked | RequestStatus::Expired)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::governance::decide::{
        fixtures::NOW,
        grant::tests::{active, approve, revoke},
        request::tests::{ID, file, world},
    };

    #[test]
    fn a_request_that_reaches_an_end_is_told_once() {
        let mut world = active();
        let granted = world.state.clone();
        let events = world.ask("platform", &revoke()).unwrap();
        assert_eq!(completions(&granted, &events, NOW), vec![], "it is still being taken away");
        world.work();
        let before = world.state.clone();
        let events = world.ask("platform", &crate::governance::decide::grant::tests::removed()).unwrap();
        let told: Vec<Value> = completions(&before, &events, NOW).iter().map(Completion::notice).collect();
        let expected = json!({
            "environment": "pre", "cluster_id": "c1", "request": ID, "kind": "access", "status": "revoked",
            "applicant": "shop", "owner": "pay", "ticket": null, "at": 1_000,
        });
        assert_eq!(told, [expected]);
        assert_eq!(completions(&world.state, &events, NOW), vec![], "it was so before");
    }

    #[test]
    fn what_waits_is_not_told() {
        let mut world = world(&json!({}));
        let before = world.state.clone();
        let events = world.ask("shop", &file("pay.x", &[crate::governance::acl::Operation::Read])).unwrap();
        assert_eq!(completions(&before, &events, NOW), vec![]);
        approve(&mut world);
        assert!(world.state.request(&ID.parse().unwrap()).is_some_and(|it| it.status.is_approved()));
    }
}

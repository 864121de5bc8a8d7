//! The request that the table's rows are about: `billing` asks to read a topic of `other`.

use std::collections::BTreeMap;

use super::with_application;
use crate::governance::{
    acl::{Operation, PatternType},
    application::Status,
    command::Command,
    decide::fixtures::named,
    entity::known,
    kind::Kind,
    record::{Fold, Timestamp},
    request::{
        AccessTo, Change, ChangeKind, Choice, Content, Decided, Filing, Grant, Judge, Request, RequestId,
        RequestStatus, Subject, Verb,
    },
    state::{State, request_key},
};

pub(super) fn id() -> RequestId {
    "billing-00000001".parse().unwrap()
}

fn subject(topic: &str) -> Subject {
    Subject::Access(AccessTo {
        kind: Kind::Topic,
        name: topic.to_owned(),
        pattern: PatternType::Literal,
        operations: [Operation::Read].into(),
    })
}

/// The same as is there, or another.
pub(super) fn file(topic: &str) -> Command {
    Command::FileRequest(Box::new(Filing::new(id(), named("billing"), subject(topic))))
}

pub(super) fn content() -> Content {
    Content {
        applicant: "billing#1".parse().unwrap(),
        owner: Some("other#1".parse().unwrap()),
        subject: subject("other.x"),
        principals: ["User:billing".parse().unwrap()].into(),
        expires_at: None,
    }
}

/// An environment with the request, approved and granted where its status says so.
pub(super) fn with_request(status: RequestStatus) -> State {
    use RequestStatus as S;
    let content = content();
    let choice = if status == S::Rejected { Choice::Reject } else { Choice::Approve };
    let revision = content.revision();
    let decided = Decided {
        revision: revision.clone(),
        choice,
        application: content.owner.clone(),
        actor: None,
        at: Timestamp(2),
    };
    let is_decided = !matches!(status, S::Pending | S::Withdrawn);
    let decisions: BTreeMap<_, _> = is_decided.then_some((Judge::Owner, decided)).into_iter().collect();
    let is_ending = matches!(status, S::Revoking | S::Expiring);
    let is_granted = is_ending || matches!(status, S::Provisioning | S::Active | S::Failed);
    let bindings = [super::GRANTED.parse().unwrap()].into();
    let grant = Grant {
        revision: revision.clone(),
        content: content.clone(),
        bindings,
        decisions: decisions.clone(),
        is_ending,
        since: Timestamp(3),
    };
    let it = Request {
        content,
        revision,
        status,
        filed_by: None,
        approver: None,
        ticket: None,
        text_digest: None,
        wanted: None,
        decisions,
        grant: is_granted.then_some(grant),
        set_aside: [].into(),
        former_owners: [].into(),
        said_at: None,
        judged_at: [].into(),
        created_at: Timestamp(1),
        ended_at: None,
    };
    let mut res = with_application(Status::Ready, &["User:billing"]);
    res.put(&request_key(&id()), &known(&it)).unwrap();
    if is_granted {
        let holders = if is_ending { vec![] } else { vec![format!("grant/{}", id())] };
        let state = match status {
            S::Active => "present",
            S::Provisioning | S::Failed => "wanted",
            _ => "removed",
        };
        let entry = serde_json::json!({"holders": holders, "status": state});
        res.put(&format!("binding/{}", super::GRANTED), &entry).unwrap();
    }
    res
}

/// A change of a topic that nobody needs to agree to.
pub(super) fn change() -> Change {
    Change {
        kind: ChangeKind::Topic,
        verb: Verb::Create,
        name: "billing.x".to_owned(),
        partitions: None,
        disk_bytes: None,
        digest: String::new(),
    }
}

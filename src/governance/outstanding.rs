//! What there is to do in an environment, for whoever does it: once by hand, or on a schedule.
//!
//! A task is the name of something to do, not its steps: whoever does one asks again afterwards, until nothing is left
//! that can be done. A task that fails is there again.

use crate::governance::{
    application::Status,
    decide::{due, needs_granting, needs_provisioning},
    names::ApplicationName,
    owned_topic::TopicStatus,
    record::Timestamp,
    request::RequestId,
    state::State,
    topic::TopicName,
};

/// Something to do. Rights are taken away before any are given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// The time of a request is over.
    Expire(RequestId),
    /// The time of an application is over.
    EndTrial(ApplicationName),
    /// An application was refused: its name is to be free, and it is remembered.
    CleanUp(ApplicationName),
    /// An application's rights are to be made.
    Provision(ApplicationName),
    /// What was agreed to is to be made.
    Grant(RequestId),
    /// Rules or quotas are to be made or removed, for whomever.
    Rules,
    /// A topic is to be made or changed, as its team asked who may not do it.
    MakeTopic(TopicName),
    /// A topic is to be deleted.
    DeleteTopic(TopicName),
    /// An application's rights are being taken away.
    FinishDeletion(ApplicationName),
    /// What a request had is being taken away.
    FinishRevocation(RequestId),
}

/// What there is to do, in the order in which to do it.
pub fn outstanding(state: &State, now: Timestamp) -> Vec<Task> {
    let Some(environment) = state.environment() else { return Vec::new() };
    let mut res = Vec::new();
    for it in state.applications() {
        let name = || it.spec.name.clone();
        let has_ended = matches!(it.status, Status::Expired | Status::Rejected | Status::Deleting | Status::Deleted);
        match it.status {
            Status::Rejected => res.push(Task::CleanUp(name())),
            Status::Deleting => res.push(Task::FinishDeletion(name())),
            _ if !has_ended && it.is_expired(now) => res.push(Task::EndTrial(name())),
            _ if needs_provisioning(environment, state, it) => res.push(Task::Provision(name())),
            _ => {}
        }
    }
    for (id, it) in state.requests() {
        if due(it, now).is_some() {
            res.push(Task::Expire(id.clone()));
        } else if needs_granting(state, id, it, now) {
            res.push(Task::Grant(id.clone()));
        }
        if it.grant.as_ref().is_some_and(|it| it.is_ending) {
            res.push(Task::FinishRevocation(id.clone()));
        }
    }
    for (name, it) in state.topics() {
        match it.status {
            TopicStatus::Reserved | TopicStatus::Created if it.asked.is_some() => {
                res.push(Task::MakeTopic(name.clone()));
            }
            TopicStatus::Deleting => res.push(Task::DeleteTopic(name.clone())),
            _ => {}
        }
    }
    if !state.deeds().is_empty() || !state.quota_deeds().is_empty() {
        res.push(Task::Rules);
    }
    res.sort();
    res
}

#[cfg(test)]
mod tests;

//! What is known of a topic that was asked for, beside what the cluster has.

use super::{AGREED, WAITS, is_declared};
use crate::{
    clients::kafka::Topic,
    framework::{Call, Diagnostic, Element, Failure},
    governance::{
        changes::waiting_of_topic,
        command::Role,
        owned_topic::{Asked, OwnedTopic, TopicStatus},
        request::{Judge, RequestStatus},
        topic::TopicName,
    },
    provider::{Environment, Governing},
    resources::{
        governed::saw_journal,
        letters::{Outcome, REFUSED, REQUESTED, forget_letter, outcome, was_filed},
        topic::{ACTUAL, TopicModel, told},
    },
};

/// What is known of a topic that was asked for, beside what the cluster has. `None` where the cluster says all.
pub(in crate::resources::topic) async fn expected(
    environment: &Environment,
    state: &TopicModel,
    found: Option<&Topic>,
    call: &mut Call,
) -> Result<Option<TopicModel>, Failure> {
    if !was_filed(call) && !call.private.is(WAITS) && !call.private.is(AGREED) {
        return Ok(None);
    }
    let governance = match environment.governance_if_told(call.deadline).await? {
        Governing::Journal(it) => it,
        // Nothing is concluded from a silence.
        Governing::Nothing | Governing::Untold(_) => return Ok(Some(state.clone())),
    };
    let (governed, known) = (&governance.governed, &governance.snapshot.state);
    let name = state.name.value()?;
    if let Some((id, it)) = waiting_of_topic(known, name).filter(|(_, it)| is_declared(it)) {
        if it.status == RequestStatus::Rejected {
            // Who may not read why is told that it was.
            let reason = governed.reason(&id, Judge::Platform, call.deadline).await.ok().flatten();
            call.report.push(told::rejected(name, &id, reason.as_deref()));
        }
        let actual = found.map_or(0, |it| it.partitions);
        return Ok(Some(state.clone().waiting(Some((id, it.status)), actual, REQUESTED, call)));
    }
    call.private.take(WAITS);
    call.private.take(ACTUAL);
    // It is to be seen to be done.
    call.private.set(AGREED, true);
    if let Some(asked) = known.topic(name).and_then(|it| outstanding(it, found)) {
        let seen = TopicModel { status: REQUESTED.to_owned().into(), request_id: None.into(), ..state.clone() };
        if found.is_none() {
            call.private.set(ACTUAL, 0);
        }
        return Ok(Some(seen.once(asked, found)));
    }
    // Who makes topics itself goes by what the cluster has.
    let by_platform = governed.mailbox(known).and_then(|_| match outcome(call, known) {
        Some(Outcome::Refused(why)) => Some(why),
        _ => None,
    });
    let by_cluster = known.topic(name).and_then(|it| it.refused.as_deref());
    if let Some(why) = by_platform.or(by_cluster) {
        call.report.push(refused(name, why));
        let mut res = TopicModel { status: REFUSED.to_owned().into(), request_id: None.into(), ..state.clone() };
        if let Some(found) = found {
            // What is asked for next grows what is there, and not what was refused.
            res.partitions = found.partitions.into();
            res.replication_factor = found.replication_factor.into();
        }
        return Ok(Some(res));
    }
    call.private.take(AGREED);
    forget_letter(call);
    Ok(None)
}

/// Tells of a topic that somebody is asked to have deleted, or refused to: who declares it still asks for that no more.
pub(in crate::resources::topic) async fn mark_ending(
    environment: &Environment,
    seen: &mut TopicModel,
    call: &Call,
) -> Result<(), Failure> {
    if !saw_journal(call) {
        return Ok(());
    }
    let Governing::Journal(it) = environment.governance_if_told(call.deadline).await? else { return Ok(()) };
    let state = &it.snapshot.state;
    if it.governed.caller().role(state) == Role::Platform {
        // What a team asks for is the team's to take back.
        return Ok(());
    }
    if let Some((id, _)) = waiting_of_topic(state, seen.name.value()?).filter(|(_, it)| !is_declared(it)) {
        seen.status = REQUESTED.to_owned().into();
        seen.request_id = id.to_string().into();
    }
    Ok(())
}

/// What is still to be done to a topic.
fn outstanding<'a>(it: &'a OwnedTopic, found: Option<&Topic>) -> Option<&'a Asked> {
    match it.status {
        TopicStatus::Reserved if found.is_none() => it.asked.as_ref(),
        TopicStatus::Reserved | TopicStatus::Created => it.asked.as_ref().filter(|_| found.is_some()),
        TopicStatus::Deleting | TopicStatus::Deleted => None,
    }
}

impl TopicModel {
    /// The topic, as it will be once it is made.
    fn once(mut self, asked: &Asked, found: Option<&Topic>) -> Self {
        let partitions = asked.partitions.and_then(|it| i32::try_from(it).ok());
        let partitions = partitions.or(found.map(|it| it.partitions)).or(self.partitions.get().copied());
        self.partitions = partitions.into();
        let mut config = self.config.get().cloned().unwrap_or_default();
        config.retain(|key, _| !asked.reset.contains(key));
        let is_own = |key: &&String| self.config.get().is_some_and(|it| it.contains_key(*key));
        let set: Vec<_> = asked.config.keys().filter(is_own).cloned().collect();
        for key in set {
            config.insert(key.clone(), Element::Known(asked.config[&key].clone()));
        }
        if !self.config.is_null() {
            self.config = config.into();
        }
        self
    }
}

fn refused(name: &TopicName, reason: &str) -> Diagnostic {
    let detail = format!(
        "What was asked for `{name}` was refused when the platform came to it:\n\n{reason}\n\nChange the declaration; the \
         next apply asks again."
    );
    Diagnostic::warning("Topic refused", detail)
}

//! Topics that a team asks for: who may not make them and leaves the making to the platform, and who needs its leave.
//!
//! What was asked for counts as done: the state says what the topic will be, and `status` that it is not so yet. A
//! refusal is kept, so that it is told in the next plan. What was refused by the rules is asked for once more by the next
//! apply, and what somebody rejected only when it is declared otherwise.

mod difference;
mod expecting;
mod planning;

use std::{sync::Arc, time::Instant};

use difference::Base;
pub(super) use expecting::{expected, mark_ending};
use planning::waiting;
pub(super) use planning::{is_asked, leave_to_platform, tell_leave, waits};

use super::{
    ACTUAL, APPLIED, TopicModel,
    governed::{add_policy, ended},
    planning::note_declared,
    told,
};
use crate::{
    clients::{governed::Governed, journal::Snapshot},
    framework::{Call, Failure},
    governance::{
        changes::{change, waiting_of_topic},
        command::{Command, TopicAsk, TopicDeletion},
        policy::{ChangeApproval, Policy},
        request::{ChangeKind, Request, RequestId, RequestStatus, Verb},
        state::State,
        topic::{TopicName, TopicSpec},
    },
    provider::Environment,
    resources::{
        governed::{known, remember},
        letters::{REFUSED, REQUESTED, ask, forget_letter},
    },
};

/// The topic is as it is declared.
pub(super) const READY: &str = "ready";

/// What is declared waited for somebody's leave when this was stored.
const WAITS: &str = "waits";
/// Somebody agreed to what is declared, and it was not seen to be done.
const AGREED: &str = "agreed";

/// A request about a topic, with its id.
type Waiting = (RequestId, Request);

/// Asks for a topic.
pub(super) async fn ask_for(
    governed: &Governed,
    policy: &Policy,
    plan: TopicModel,
    mut spec: TopicSpec,
    call: &mut Call,
) -> Result<TopicModel, Failure> {
    let there = known(governed, call.deadline).await?;
    let (after, _) = file(governed, &there.state, plan.whole(&spec, &there.state)?, call).await?;
    call.private.set(APPLIED, spec.partitions);
    note_declared(&plan, call);
    let added = add_policy(&mut spec, &policy.topics, &plan);
    let state = TopicModel {
        // What the broker gives where nobody says is seen when it gave it.
        partitions: spec.partitions.into(),
        replication_factor: spec.replication_factor.into(),
        ..plan.with(added)
    };
    let waiting = waiting_of_topic(&after.state, &spec.name).map(|(id, it)| (id, it.status));
    if waiting.is_none() {
        governed.make_topic(&spec.name, call.deadline).await?;
    }
    Ok(state.waiting(waiting, 0, REQUESTED, call))
}

/// Asks for a change. What nobody has to agree to is made at once by who may.
pub(super) async fn ask_change(
    governed: &Governed,
    prior: &TopicModel,
    plan: TopicModel,
    config: &TopicModel,
    call: &mut Call,
) -> Result<TopicModel, Failure> {
    let there = known(governed, call.deadline).await?;
    note_declared(config, call);
    let name = plan.name.value()?.clone();
    // The state has what was asked for, and the cluster what there is.
    let is_refused = prior.is(REFUSED) || there.state.topic(&name).is_some_and(|it| it.refused.is_some());
    let is_undone = is_refused || call.private.is(WAITS);
    let found = if is_undone { governed.kafka().describe_topic(&name, call.deadline).await? } else { None };
    let wanted = match &found {
        Some(found) => plan.difference(&Base::found(found, prior, &plan, &there.state)?)?,
        None if is_undone => plan.whole(&config.spec()?, &there.state)?,
        None => plan.difference(&Base::of(prior)?)?,
    };
    let files = governed.mailbox(&there.state).is_some();
    let is_planned = plan.status.get().is_some();
    if is_planned && waiting(governed, &there.state, wanted.clone(), &name)?.is_some() {
        return Err(told::rules_changed(&name));
    }
    let (after, is_filed) = file(governed, &there.state, wanted, call).await?;
    if !is_filed && is_refused {
        // There is nothing left of what was refused.
        forget_letter(call);
    }
    let waiting = waiting_of_topic(&after.state, &name).map(|(id, it)| (id, it.status));
    if waiting.is_none() && !files {
        governed.make_topic(&name, call.deadline).await?;
        call.private.set(APPLIED, plan.partitions.get().copied());
    }
    let status = match () {
        () if files && is_filed => REQUESTED,
        () if files && !is_undone => prior.status.get().map_or(READY, String::as_str),
        () => READY,
    };
    let actual = found.map(|it| it.partitions).or(prior.partitions.get().copied().filter(|_| !is_undone));
    // What nobody declares is seen when it was made.
    let plan = TopicModel {
        partitions: plan.partitions.get().copied().into(),
        replication_factor: plan.replication_factor.get().copied().into(),
        ..plan
    };
    Ok(plan.waiting(waiting, actual.unwrap_or(0), status, call))
}

/// Asks for the end of a topic, which is an error while somebody has yet to agree.
pub(super) async fn ask_end(governed: &Governed, topic: TopicDeletion, call: &mut Call) -> Result<(), Failure> {
    let name = topic.name.clone();
    let there = known(governed, call.deadline).await?;
    let after = ask(governed, &there.state, Command::DeleteTopic(topic), call).await?.snapshot;
    remember(call, &after);
    refuse_waiting(&after.state, &name)
}

/// Has the end of a topic decided before it is deleted, which is an error while somebody has yet to agree.
pub(super) async fn end_if_agreed(
    environment: &Environment,
    deletion: TopicDeletion,
    deadline: Instant,
) -> Result<(), Failure> {
    let Some(governance) = environment.governance(deadline).await? else { return Ok(()) };
    let name = deletion.name.clone();
    let after = governance.governed.command(Command::DeleteTopic(deletion), deadline).await?;
    refuse_waiting(&after.state, &name)
}

fn refuse_waiting(state: &State, name: &TopicName) -> Result<(), Failure> {
    match waiting_of_topic(state, name) {
        Some((id, it)) if change(it).is_some_and(|it| it.verb == Verb::Delete) => Err(told::end_waits(name, &id, it)),
        _ => Ok(()),
    }
}

/// Asks no more for a topic that is not there.
pub(super) async fn withdraw(environment: &Environment, name: &TopicName, deadline: Instant) -> Result<(), Failure> {
    let Some(governance) = environment.governance(deadline).await? else { return Ok(()) };
    match waiting_of_topic(&governance.snapshot.state, name) {
        Some((id, _)) => ended(environment, Command::WithdrawRequest(id), deadline).await,
        None => Ok(()),
    }
}

/// Files a command, or has it written by who may. Answers whether anything was filed.
async fn file(
    governed: &Governed,
    known: &State,
    wanted: TopicAsk,
    call: &mut Call,
) -> Result<(Arc<Snapshot<State>>, bool), Failure> {
    let mut wanted = wanted;
    let is_new = known.topic(&wanted.topic.name).is_none_or(|it| !it.is_there());
    if is_new && governed.mailbox(known).is_none() {
        wanted.topic.left_behind = governed.left_behind(&wanted.topic.name, call.deadline).await?;
    }
    let filed = ask(governed, known, Command::AskTopic(Box::new(wanted)), call).await?;
    remember(call, &filed.snapshot);
    Ok((filed.snapshot, filed.id.is_some()))
}

/// Whether the environment has somebody agree to some changes of topics.
fn is_watched(state: &State) -> bool {
    let rules = state.policy().and_then(|it| it.approval.changes.get(&ChangeKind::Topic));
    rules.is_some_and(|it| it.values().any(|it| *it != ChangeApproval::None))
}

/// Whether a request is for what is declared of a topic, and not for its end.
fn is_declared(it: &Request) -> bool {
    change(it).is_some_and(|it| it.verb != Verb::Delete)
}

impl TopicModel {
    /// Whether that is where the topic is.
    pub(super) fn is(&self, status: &str) -> bool {
        self.status.get().is_some_and(|it| it == status)
    }

    /// The state of a topic of which somebody has yet to agree to what is declared, or did not. Of one without such a
    /// request, the status says where it is.
    fn waiting(
        self,
        waiting: Option<(RequestId, RequestStatus)>,
        actual: i32,
        status: &str,
        call: &mut Call,
    ) -> TopicModel {
        let Some((id, found)) = waiting else {
            call.private.take(WAITS);
            call.private.take(ACTUAL);
            return Self { status: status.to_owned().into(), request_id: None.into(), ..self };
        };
        call.private.set(WAITS, true);
        call.private.set(ACTUAL, actual);
        let status = if found == RequestStatus::Rejected { REFUSED } else { REQUESTED };
        Self { status: status.to_owned().into(), request_id: id.to_string().into(), ..self }
    }
}

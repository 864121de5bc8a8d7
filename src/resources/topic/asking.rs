//! Topics that a team asks for: who may not make them and leaves the making to the platform, and who needs its leave.
//!
//! What was asked for counts as done: the state says what the topic will be, and `status` that it is not so yet. A
//! refusal is kept, so that it is told in the next plan. What was refused by the rules is asked for once more by the next
//! apply, and what somebody rejected only when it is declared otherwise.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use super::{
    ACTUAL, APPLIED, TopicModel,
    governed::{add_policy, ended},
    told,
};
use crate::{
    clients::{governed::Governed, journal::Snapshot, kafka::Topic},
    framework::{Call, Change, Computed, Diagnostic, Element, Failure, Plan, Unknown},
    governance::{
        changes::{change, waiting_of_topic},
        check_topic::TopicRequest,
        command::{Command, TopicAsk, TopicDeletion},
        owned_topic::{Asked, OwnedTopic, TopicStatus},
        policy::{ChangeApproval, Policy},
        request::{ChangeKind, Judge, Request, RequestId, RequestStatus, Verb, Wanted},
        state::State,
        topic::{TopicName, TopicSpec, config_changes, is_same_value},
        violation::Refusal,
    },
    provider::{Context, Environment, Governing},
    resources::{
        governed::{known, remember, saw_journal, tell},
        letters::{self, Outcome, REFUSED, REQUESTED, forget_letter, outcome, was_filed},
        place::environment_of_plan,
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

/// Leaves open what becomes of a change that is asked for, and has what was refused asked for once more.
pub(super) async fn leave_to_platform(ctx: &Context, plan: &mut Plan<TopicModel>, call: &Call) -> Result<(), Failure> {
    let Some(prior) = plan.prior.as_ref().filter(|_| plan.replace.is_empty()) else { return Ok(()) };
    let is_refused = prior.is(REFUSED) && prior.request_id.get().is_none();
    let is_changed = *prior != TopicModel { timeouts: prior.timeouts.clone(), ..plan.state.clone() };
    if !(is_refused || is_changed || prior.is(REQUESTED)) {
        return Ok(());
    }
    let environment = environment_of_plan(ctx, &plan.state)?;
    let is_open = match environment.governance_if_told(call.deadline).await? {
        Governing::Journal(it) => {
            let (governed, state) = (&it.governed, &it.snapshot.state);
            let is_asked = || is_asked(governed, state, prior, &plan.state).unwrap_or(true);
            prior.is_left(governed, state)? || (is_changed && (governed.only_asks(state) || is_asked()))
        }
        Governing::Nothing | Governing::Untold(_) => false,
    };
    if is_refused || is_open {
        plan.state.status = Computed::unknown();
        plan.state.request_id = Computed::unknown();
    }
    Ok(())
}

/// Tells that a change waits for somebody to agree to it.
pub(super) async fn tell_leave(
    environment: &Environment,
    of: &Change<TopicModel>,
    call: &mut Call,
) -> Result<(), Failure> {
    let Some(plan) = of.plan.as_ref().filter(|it| it.status.get().is_none()) else { return Ok(()) };
    let Governing::Journal(it) = environment.governance_if_told(call.deadline).await? else { return Ok(()) };
    let (governed, state, name) = (&it.governed, &it.snapshot.state, plan.name.value()?);
    let ask = match of.prior.as_ref().filter(|_| !of.replacing) {
        None => of.config.as_ref().ok_or(Unknown).and_then(|it| it.whole(&it.spec()?, state)),
        Some(prior) => plan.difference(&Base::of(prior)?),
    };
    let Ok(ask) = ask else { return Ok(()) };
    match waiting(governed, state, ask, name) {
        Ok(Some((_, it))) if is_declared(&it) => {
            let is_there = state.topic(name).is_some_and(|it| it.status == TopicStatus::Created);
            call.report.push(told::needs_leave(name, !is_there));
        }
        Ok(_) => {}
        // The topic itself may be so: it is about the asking.
        Err(refusal) => tell(&refusal.0, call.phase, call),
    }
    Ok(())
}

/// Whether a new topic waits for somebody to agree to it.
pub(super) fn waits(governed: &Governed, state: &State, plan: &TopicModel, spec: &TopicSpec) -> Result<bool, Failure> {
    Ok(waiting(governed, state, plan.whole(spec, state)?, &spec.name)?.is_some())
}

/// Whether a change is asked for and not made at once: somebody must agree to it, or was asked for something before.
pub(super) fn is_asked(
    governed: &Governed,
    state: &State,
    prior: &TopicModel,
    plan: &TopicModel,
) -> Result<bool, Failure> {
    let name = plan.name.value()?;
    if !prior.is(READY) || waiting_of_topic(state, name).is_some() {
        return Ok(true);
    }
    if !is_watched(state) {
        return Ok(false);
    }
    Ok(waiting(governed, state, plan.difference(&Base::of(prior)?)?, name)?.is_some())
}

/// Whether the environment has somebody agree to some changes of topics.
fn is_watched(state: &State) -> bool {
    let rules = state.policy().and_then(|it| it.approval.changes.get(&ChangeKind::Topic));
    rules.is_some_and(|it| it.values().any(|it| *it != ChangeApproval::None))
}

/// The request that waits after something is asked for.
fn waiting(governed: &Governed, state: &State, ask: TopicAsk, name: &TopicName) -> Result<Option<Waiting>, Refusal> {
    if !is_watched(state) {
        return Ok(None);
    }
    governed.waits_after(state, &Command::AskTopic(Box::new(ask)), name)
}

/// Asks for a topic.
pub(super) async fn ask_for(
    governed: &Governed,
    policy: &Policy,
    plan: TopicModel,
    mut spec: TopicSpec,
    call: &mut Call,
) -> Result<TopicModel, Failure> {
    let there = known(governed, call.deadline).await?;
    let (after, _) = file(governed, plan.whole(&spec, &there.state)?, call).await?;
    call.private.set(APPLIED, spec.partitions);
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
    let name = plan.name.value()?.clone();
    // The state has what was asked for, and the cluster what there is.
    let is_refused = prior.is(REFUSED) || there.state.topic(&name).is_some_and(|it| it.refused.is_some());
    let is_undone = is_refused || call.private.is(WAITS);
    let found = if is_undone { governed.kafka().describe_topic(&name, call.deadline).await? } else { None };
    let ask = match &found {
        Some(found) => plan.difference(&Base::found(found, prior, &plan, &there.state)?)?,
        None if is_undone => plan.whole(&config.spec()?, &there.state)?,
        None => plan.difference(&Base::of(prior)?)?,
    };
    let files = governed.mailbox(&there.state).is_some();
    let is_planned = plan.status.get().is_some();
    if is_planned && waiting(governed, &there.state, ask.clone(), &name)?.is_some() {
        return Err(told::rules_changed(&name));
    }
    let (after, is_filed) = file(governed, ask, call).await?;
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
    let (after, _) = write(governed, Command::DeleteTopic(topic), call).await?;
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
    let waiting = waiting_of_topic(&governance.snapshot.state, name);
    match waiting.filter(|(_, it)| it.status == RequestStatus::Pending) {
        Some((id, _)) => ended(environment, Command::WithdrawRequest(id), deadline).await,
        None => Ok(()),
    }
}

async fn file(governed: &Governed, ask: TopicAsk, call: &mut Call) -> Result<(Arc<Snapshot<State>>, bool), Failure> {
    let mut ask = ask;
    let there = known(governed, call.deadline).await?;
    let is_new = there.state.topic(&ask.topic.name).is_none_or(|it| !it.is_there());
    if is_new && governed.mailbox(&there.state).is_none() {
        ask.topic.left_behind = governed.left_behind(&ask.topic.name, call.deadline).await?;
    }
    write(governed, Command::AskTopic(Box::new(ask)), call).await
}

/// Files a command, or has it written by who may. Answers whether anything was filed.
async fn write(
    governed: &Governed,
    command: Command,
    call: &mut Call,
) -> Result<(Arc<Snapshot<State>>, bool), Failure> {
    let there = known(governed, call.deadline).await?;
    if governed.mailbox(&there.state).is_none() {
        let after = governed.command(command, call.deadline).await?;
        remember(call, &after);
        forget_letter(call);
        return Ok((after, false));
    }
    let filed = letters::file(governed, &command, call).await?;
    remember(call, &filed.snapshot);
    Ok((filed.snapshot, filed.id.is_some()))
}

/// What is known of a topic that was asked for, beside what the cluster has. `None` where the cluster says all.
pub(super) async fn expected(
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

/// Whether a request is for what is declared of a topic, and not for its end.
fn is_declared(it: &Request) -> bool {
    change(it).is_some_and(|it| it.verb != Verb::Delete)
}

/// Tells of a topic that somebody is asked to have deleted: who declares it still asks for that no more.
pub(super) async fn mark_ending(environment: &Environment, seen: &mut TopicModel, call: &Call) -> Result<(), Failure> {
    if !saw_journal(call) {
        return Ok(());
    }
    let Governing::Journal(it) = environment.governance_if_told(call.deadline).await? else { return Ok(()) };
    let waiting = waiting_of_topic(&it.snapshot.state, seen.name.value()?);
    if let Some((id, _)) = waiting.filter(|(_, it)| it.status == RequestStatus::Pending && !is_declared(it)) {
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

/// What a change of a topic starts from.
struct Base {
    partitions: Option<i32>,
    replication_factor: Option<i16>,
    config: BTreeMap<String, String>,
}

impl Base {
    /// What the state has.
    fn of(prior: &TopicModel) -> Result<Self, Unknown> {
        let (partitions, replication_factor) = (prior.partitions.known()?, prior.replication_factor.known()?);
        Ok(Self {
            partitions: partitions.copied(),
            replication_factor: replication_factor.copied(),
            config: prior.config_known()?,
        })
    }

    /// What the cluster has of what is declared, was, or is asked to be reset; in the words of the declaration.
    fn found(found: &Topic, prior: &TopicModel, plan: &TopicModel, state: &State) -> Result<Self, Unknown> {
        let wanted = plan.config_known()?;
        let mut keys: BTreeSet<String> = prior.config_known()?.into_keys().chain(wanted.keys().cloned()).collect();
        let waiting = waiting_of_topic(state, &found.name).and_then(|(_, it)| it.wanted.as_ref());
        if let Some(Wanted::Topic { ask, topic_id: _ }) = waiting {
            keys.extend(ask.reset.iter().cloned());
        }
        let own = found.config.iter().flatten().filter(|(key, it)| it.overridden && keys.contains(*key));
        let said = |key: &String, actual: String| match wanted.get(key) {
            Some(written) if is_same_value(key, written, &actual) => written.clone(),
            _ => actual,
        };
        let config = own.filter_map(|(key, it)| Some((key.clone(), said(key, it.value.clone()?)))).collect();
        let (partitions, replication_factor) = (Some(found.partitions), Some(found.replication_factor));
        Ok(Self { partitions, replication_factor, config })
    }
}

impl TopicModel {
    /// Whether that is where the topic is.
    pub(super) fn is(&self, status: &str) -> bool {
        self.status.get().is_some_and(|it| it == status)
    }

    /// Whether there is something to do for who applies, though nothing is declared otherwise: what was agreed to is to be
    /// made, or the end of what is declared was asked for.
    fn is_left(&self, governed: &Governed, state: &State) -> Result<bool, Unknown> {
        if !self.is(REQUESTED) {
            return Ok(false);
        }
        let name = self.name.value()?;
        Ok(match waiting_of_topic(state, name) {
            Some((_, it)) => !is_declared(it),
            None => governed.mailbox(state).is_none(),
        })
    }

    /// Asks for all of a topic. Who must agree sees how much it takes, also where the rules say that.
    fn whole(&self, spec: &TopicSpec, state: &State) -> Result<TopicAsk, Unknown> {
        let mut spec = spec.clone();
        if let Some(policy) = state.policy().filter(|_| is_watched(state)) {
            policy.topics.complete(&mut spec);
        }
        Ok(TopicAsk { topic: self.request_of(&spec)?, reset: BTreeSet::new() })
    }

    /// Asks for what is otherwise.
    fn difference(&self, base: &Base) -> Result<TopicAsk, Unknown> {
        let changes = config_changes(&base.config, &self.config_known()?);
        let (set, reset): (BTreeMap<_, _>, BTreeMap<_, _>) = changes.into_iter().partition(|(_, it)| it.is_some());
        let request = self.request()?;
        let is_new = |it: &i64, was: Option<i64>| was != Some(*it);
        let topic = TopicRequest {
            partitions: request.partitions.filter(|it| is_new(it, base.partitions.map(i64::from))),
            replication_factor: request
                .replication_factor
                .filter(|it| is_new(it, base.replication_factor.map(i64::from))),
            config: set.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(),
            ..request
        };
        Ok(TopicAsk { topic, reset: reset.into_keys().collect() })
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

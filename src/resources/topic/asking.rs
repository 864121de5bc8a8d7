//! Topics of a team that asks for them, and leaves the making to the platform.
//!
//! What was asked for counts as done: the state says what the topic will be, and `status` that it is not so yet. A
//! refusal is kept, so that it is told in the next plan and asked for once more by the next apply.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    APPLIED, TopicModel,
    governed::{add_policy, only_asks},
};
use crate::{
    clients::{governed::Governed, kafka::Topic},
    framework::{Call, Computed, Diagnostic, Element, Failure, Plan},
    governance::{
        check_topic::TopicRequest,
        command::{Command, TopicAsk, TopicDeletion},
        owned_topic::{Asked, OwnedTopic, TopicStatus},
        policy::Policy,
        topic::{TopicName, TopicSpec, config_changes},
    },
    provider::{Context, Environment, Governing},
    resources::{
        governed::remember,
        letters::{self, Outcome, REFUSED, REQUESTED, forget_letter, outcome, was_filed},
        place::environment_of_plan,
    },
};

/// The topic is as it is declared.
pub(super) const READY: &str = "ready";

/// Leaves open what becomes of a change that is asked for, and has what was refused asked for once more.
pub(super) async fn leave_to_platform(ctx: &Context, plan: &mut Plan<TopicModel>, call: &Call) -> Result<(), Failure> {
    let Some(prior) = plan.prior.as_ref().filter(|_| plan.replace.is_empty()) else { return Ok(()) };
    let is_refused = prior.status.get().is_some_and(|it| it == REFUSED);
    let is_changed = *prior != TopicModel { timeouts: prior.timeouts.clone(), ..plan.state.clone() };
    if is_refused || (is_changed && only_asks(environment_of_plan(ctx, &plan.state)?, call).await?) {
        plan.state.status = Computed::unknown();
    }
    Ok(())
}

/// Asks for a topic.
pub(super) async fn ask_for(
    governed: &Governed,
    policy: &Policy,
    plan: TopicModel,
    mut spec: TopicSpec,
    call: &mut Call,
) -> Result<TopicModel, Failure> {
    let request = plan.declared(&spec)?;
    file(governed, Command::AskTopic(Box::new(TopicAsk { topic: request, reset: BTreeSet::new() })), call).await?;
    call.private.set(APPLIED, spec.partitions);
    let added = add_policy(&mut spec, &policy.topics, &plan);
    Ok(TopicModel {
        status: REQUESTED.to_owned().into(),
        // What the broker gives where nobody says is seen when it gave it.
        partitions: spec.partitions.into(),
        replication_factor: spec.replication_factor.into(),
        ..plan.with(added)
    })
}

/// Asks for a change.
pub(super) async fn ask_change(
    governed: &Governed,
    prior: &TopicModel,
    plan: TopicModel,
    call: &mut Call,
) -> Result<TopicModel, Failure> {
    let is_refused = prior.status.get().is_some_and(|it| it == REFUSED);
    let before = if is_refused { BTreeMap::new() } else { prior.config_known()? };
    let changes = config_changes(&before, &plan.config_known()?);
    let (set, reset): (BTreeMap<_, _>, BTreeMap<_, _>) = changes.into_iter().partition(|(_, value)| value.is_some());
    let request = plan.request()?;
    let topic = TopicRequest {
        partitions: request.partitions.filter(|_| is_refused || prior.partitions != plan.partitions),
        replication_factor: request.replication_factor.filter(|_| is_refused),
        config: set.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(),
        ..request
    };
    let ask = TopicAsk { topic, reset: reset.into_keys().collect() };
    let is_filed = file(governed, Command::AskTopic(Box::new(ask)), call).await?;
    let status = if is_filed { Some(REQUESTED) } else { prior.status.get().map(String::as_str) };
    Ok(TopicModel {
        status: status.unwrap_or(READY).to_owned().into(),
        // What nobody declares is seen when it was made.
        partitions: plan.partitions.get().copied().into(),
        replication_factor: plan.replication_factor.get().copied().into(),
        ..plan
    })
}

/// Asks for the end of a topic.
pub(super) async fn ask_end(governed: &Governed, topic: TopicDeletion, call: &mut Call) -> Result<(), Failure> {
    file(governed, Command::DeleteTopic(topic), call).await.map(drop)
}

/// Files a command, and answers whether there was anything to ask.
async fn file(governed: &Governed, command: Command, call: &mut Call) -> Result<bool, Failure> {
    let filed = letters::file(governed, &command, call).await?;
    remember(call, &filed.snapshot);
    Ok(filed.id.is_some())
}

/// What is known of a topic that was asked for, beside what the cluster has. `None` where the cluster says all.
pub(super) async fn expected(
    environment: &Environment,
    state: &TopicModel,
    found: Option<&Topic>,
    call: &mut Call,
) -> Result<Option<TopicModel>, Failure> {
    if !was_filed(call) {
        return Ok(None);
    }
    let governance = match environment.governance_if_told(call.deadline).await? {
        Governing::Journal(it) => it,
        // Nothing is concluded from a silence.
        Governing::Nothing | Governing::Untold(_) => return Ok(Some(state.clone())),
    };
    let known = &governance.snapshot.state;
    let name = state.name.value()?;
    if let Some(asked) = known.topic(name).and_then(|it| outstanding(it, found)) {
        return Ok(Some(TopicModel { status: REQUESTED.to_owned().into(), ..state.clone() }.once(asked, found)));
    }
    // Who makes topics itself goes by what the cluster has.
    let by_platform = governance.governed.mailbox(known).and_then(|_| match outcome(call, known) {
        Some(Outcome::Refused(why)) => Some(why),
        _ => None,
    });
    let by_cluster = known.topic(name).and_then(|it| it.refused.as_deref());
    if let Some(why) = by_platform.or(by_cluster) {
        call.report.push(refused(name, why));
        let mut res = TopicModel { status: REFUSED.to_owned().into(), ..state.clone() };
        if let Some(found) = found {
            // What is asked for next grows what is there, and not what was refused.
            res.partitions = found.partitions.into();
            res.replication_factor = found.replication_factor.into();
        }
        return Ok(Some(res));
    }
    forget_letter(call);
    Ok(None)
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

    /// The topic as it is declared, without what the rules add.
    fn declared(&self, spec: &TopicSpec) -> Result<TopicRequest, Failure> {
        Ok(self.request_of(spec)?)
    }
}

fn refused(name: &TopicName, reason: &str) -> Diagnostic {
    let detail = format!(
        "What was asked for `{name}` was refused when the platform came to it:\n\n{reason}\n\nChange the declaration; the \
         next apply asks again."
    );
    Diagnostic::warning("Topic refused", detail)
}

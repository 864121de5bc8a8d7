//! What a plan says of a topic that is asked for.

use super::{Base, Waiting, is_declared, is_watched};
use crate::{
    clients::governed::Governed,
    framework::{Call, Change, Computed, Failure, Plan, Unknown},
    governance::{
        changes::waiting_of_topic,
        command::{Command, TopicAsk},
        owned_topic::TopicStatus,
        state::State,
        topic::{TopicName, TopicSpec},
        violation::Refusal,
    },
    provider::{Context, Environment, Governing},
    resources::{
        governed::tell,
        letters::{REFUSED, REQUESTED},
        place::environment_of_plan,
        topic::{TopicModel, UUID, asking::READY, told},
    },
};

/// Leaves open what becomes of a change that is asked for, and has what was refused asked for once more.
pub(in crate::resources::topic) async fn leave_to_platform(
    ctx: &Context,
    plan: &mut Plan<TopicModel>,
    call: &Call,
) -> Result<(), Failure> {
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
pub(in crate::resources::topic) async fn tell_leave(
    environment: &Environment,
    of: &Change<TopicModel>,
    call: &mut Call,
) -> Result<(), Failure> {
    let Some(plan) = of.plan.as_ref().filter(|it| it.status.get().is_none()) else { return Ok(()) };
    let Governing::Journal(it) = environment.governance_if_told(call.deadline).await? else { return Ok(()) };
    let (governed, state, name) = (&it.governed, &it.snapshot.state, plan.name.value()?);
    // Of what was refused and never made, all is asked for.
    let is_made = |it: &&TopicModel| !it.is(REFUSED) || call.private.text(UUID).is_some();
    let ask = match of.prior.as_ref().filter(|_| !of.replacing).filter(is_made) {
        None => of.config.as_ref().ok_or(Unknown).and_then(|it| it.whole(&it.spec()?, state)),
        Some(prior) => plan.difference(&Base::of(prior)?),
    };
    let Ok(ask) = ask else { return Ok(()) };
    match waiting(governed, state, ask, name) {
        Ok(Some((_, it))) if is_declared(&it) => {
            let is_there = state.topic(name).is_some_and(|it| it.status == TopicStatus::Created);
            call.report.push(told::needs_leave(name, !is_there));
        }
        Ok(None) => {
            if let Some((id, _)) = waiting_of_topic(state, name).filter(|(_, it)| !is_declared(it)) {
                call.report.push(told::end_taken_back(name, &id));
            }
        }
        Ok(Some(_)) => {}
        // The topic itself may be so: it is about the asking.
        Err(refusal) => tell(&refusal.0, call.phase, call),
    }
    Ok(())
}

/// Whether a new topic waits for somebody to agree to it.
pub(in crate::resources::topic) fn waits(
    governed: &Governed,
    state: &State,
    plan: &TopicModel,
    spec: &TopicSpec,
) -> Result<bool, Failure> {
    Ok(waiting(governed, state, plan.whole(spec, state)?, &spec.name)?.is_some())
}

/// Whether a change is asked for and not made at once: somebody must agree to it, or was asked for something before.
pub(in crate::resources::topic) fn is_asked(
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

/// The request that waits after something is asked for.
pub(super) fn waiting(
    governed: &Governed,
    state: &State,
    ask: TopicAsk,
    name: &TopicName,
) -> Result<Option<Waiting>, Refusal> {
    if !is_watched(state) {
        return Ok(None);
    }
    governed.waits_after(state, &Command::AskTopic(Box::new(ask)), name)
}

impl TopicModel {
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
}

//! `kafka_access_decision`: the owner of something, or the platform, agrees to a request or refuses it.

mod ending;
mod judging;
mod own;
#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use ending::{tell_end, tell_reversal};
use judging::tell_deletion;
use own::{decided_otherwise, left_to_other};

use super::{
    governed::{known, remember, tell, told},
    letters::{Outcome, REFUSED, REQUESTED, ask, is_awaited, outcome, was_filed},
    place::{
        IMPORTED, Placed, environment_of_plan, import_of, place_attributes, plan_place, settle_imported, settle_seen,
    },
    requests::{self, OnDestroy, ended, tell_lost, tell_overdue},
    site::Site,
};
use crate::{
    clients::governed::Governed,
    framework::{
        Block, Call, Change, Computed, Diagnostic, Failure, Import, Model, Optional, OptionalComputed, Phase, Plan,
        Required, Resource, Timeouts, Unknown,
    },
    governance::{
        command::Command,
        decide::stale,
        request::{Choice, Judge, RequestId, Revision},
        state::State,
        violation::{Refusal, Weight},
    },
    provider::{Context, Governance},
};

/// A decision about a request: of the owner about access to what it owns, or of the platform about that, an application
/// or a change. An approval becomes ACLs in the same apply if the caller may make them. A decision is about one revision
/// of a request, so that nothing else than what was seen is ever agreed to. A request that ends does not strand it: the
/// next plan is empty, and says what happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct AccessDecisionModel {
    /// Identifier of the decision: `<environment>/<request_id>:<as>`.
    #[attr(unknown_when = &["environment"])]
    id: Computed<String>,
    /// Name of the environment. Default: the provider's default environment when the decision is made. Another name for
    /// the same cluster changes nothing; another cluster replaces the decision.
    environment: OptionalComputed<String>,
    /// Id of the cluster that the environment is.
    #[attr(unknown_when = &["environment"])]
    cluster_id: Computed<String>,
    /// Id of the request: the `request_id` of a `kafka_access_request`. Another request is another decision.
    #[attr(requires_replace)]
    request_id: Required<RequestId>,
    /// The `revision` of the request that was looked at. One that was amended since is refused, until this says the new
    /// revision.
    revision: Required<Revision>,
    /// `approve` or `reject`. To reject what was approved takes away what it gave.
    decision: Required<Choice>,
    /// Why. It is kept where it can be erased, with the decision that it was given for; another text changes nothing of
    /// that. It must hold no secret.
    reason: Optional<String>,
    /// As what is decided: as the `owner` of what is asked for, which takes the owner's credentials or
    /// `KAFKA_ACTING_APPLICATION`, or as the `platform`. Another one is another decision. Default: `owner`.
    #[attr(default = Judge::Owner, requires_replace)]
    r#as: OptionalComputed<Judge>,
    /// What becomes of the access when the resource is destroyed: `revoke` takes the decision back and with it what an
    /// approval gave, and `keep` leaves both as they are. A rejection that is taken back has the request wait again if
    /// somebody still asks; the end of a topic is asked for anew. An application that was agreed to, or a change, stays
    /// once it is made, which the plan says. Default: `revoke`.
    #[attr(default = OnDestroy::Revoke)]
    on_destroy: OptionalComputed<OnDestroy>,
    /// What became of what was decided about: the status of the request; `amended` if it is another revision by now;
    /// `undecided` if the decision does not hold any more; `requested` and `refused` while and after the platform looks at
    /// what a team filed with its own credentials.
    #[attr(unknown_when = &["revision", "decision"])]
    status: Computed<String>,
    /// How long each operation may take.
    timeouts: Block<Timeouts>,
}

impl Placed for AccessDecisionModel {
    const WHAT: &'static str = "access decision";

    place_attributes!();

    fn local_name(&self) -> Result<String, Unknown> {
        Ok(DecisionId { request: self.request_id.value()?.clone(), judge: self.judge()? }.to_string())
    }
}

/// What tells a decision from all others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct AccessDecisionIdentity {
    /// Id of the cluster.
    cluster_id: Required<String>,
    /// Id of the request.
    request_id: Required<RequestId>,
    /// As what is decided: `owner` or `platform`.
    r#as: Required<Judge>,
}

/// What names a decision in an environment: `<request_id>:<as>`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct DecisionId {
    request: RequestId,
    judge: Judge,
}

/// Why a text names no decision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a decision is named by the id of its request, `:` and `owner` or `platform`")]
struct DecisionIdError;

impl FromStr for DecisionId {
    type Err = DecisionIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (request, judge) = text.rsplit_once(':').ok_or(DecisionIdError)?;
        let judge = [Judge::Owner, Judge::Platform].into_iter().find(|it| it.word() == judge).ok_or(DecisionIdError)?;
        Ok(Self { request: request.parse().map_err(|_| DecisionIdError)?, judge })
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.request, self.judge.word())
    }
}

/// The status of a decision about a revision that is not the present one.
const AMENDED: &str = "amended";
/// The status of a decision that somebody took back, or that an amendment or another owner made void.
const UNDECIDED: &str = "undecided";

/// Whether the decision is made in the place of one that is there: a fact that a plan tells apply.
const REPLACES: &str = "replaces";

/// The resource.
#[derive(Debug)]
pub enum AccessDecision {}

impl Resource<Context> for AccessDecision {
    const NAME: &'static str = "access_decision";
    type Model = AccessDecisionModel;
    type Identity = AccessDecisionIdentity;

    fn identity(state: &AccessDecisionModel) -> AccessDecisionIdentity {
        AccessDecisionIdentity {
            cluster_id: state.cluster_id.to_required(),
            request_id: state.request_id.clone(),
            r#as: state.r#as.to_required(),
        }
    }

    async fn plan(ctx: &Context, plan: &mut Plan<AccessDecisionModel>, call: &mut Call) -> Result<(), Failure> {
        plan_place(ctx, plan, call).await?;
        plan.plan_repair(ctx, call).await
    }

    async fn admit(ctx: &Context, change: &Change<AccessDecisionModel>, call: &mut Call) -> Result<(), Failure> {
        if call.phase == Phase::Apply {
            // The deed itself is decided on what is newest.
            return Ok(());
        }
        let Some(model) = change.ending().or(change.plan.as_ref()) else { return Ok(()) };
        let governing = environment_of_plan(ctx, model)?.governance_if_told(call.deadline).await?;
        // Where nobody declared an environment, whoever made the request in this run declares it, too.
        let Some(Governance { governed, snapshot }) = &told(governing, call) else { return Ok(()) };
        let state = &snapshot.state;
        if let Some(prior) = change.ending() {
            return tell_end(governed, state, prior, call).await;
        }
        model.refuse_to_be_owner(governed, state)?;
        let decided = model.decided()?;
        let found = state.request(&decided.request);
        let over = found.and_then(|it| ended(&decided.request, it));
        let outdated = found.and_then(|it| stale(&decided.request, it, &decided.revision));
        if let Some(prior) = change.prior.as_ref().filter(|_| !change.replacing && change.decides_the_same())
            && let Some((_, held)) = prior.overruled_since(governed, state, call).await?
            && Some(&held.choice) != prior.decision.get()
        {
            call.report.push(decided_otherwise(&decided.request, held));
            return Ok(());
        }
        // What was only asked for by letter gave nothing yet.
        tell_reversal(change, &governed.journal().told(call.deadline).await?.state, call);
        tell_deletion(&decided, state, call);
        change.tell_other_reason(call);
        call.private.set(REPLACES, change.replacing);
        if change.is_create() && !change.replacing {
            model.tell_twice(state, call)?;
        }
        if change.holds(state) && over.is_none() {
            // What is decided needs nobody who may decide it.
            return Ok(());
        }
        match (governed.would(state, &Command::DecideRequest(decided)), over) {
            (Ok(()), Some(what)) => call.report.push(without_effect(&what)),
            (Err(_), Some(what)) if change.decides_the_same() => call.report.push(without_effect(&what)),
            // Before a destroy, core plans what is written first.
            (Err(Refusal(violations)), _) if change.comes_too_late(state) => {
                let waiting: Vec<_> = violations.into_iter().map(|it| it.weighing(Weight::Wait)).collect();
                tell(&waiting, call.phase, call);
            }
            (Err(Refusal(violations)), _) => tell(&violations, call.phase, call),
            // What is said of an earlier revision stands, and its reader is to know that there is another.
            (Ok(()), None) if change.decides_the_same() => {
                let outdated = outdated.map(|it| it.weighing(Weight::Wait));
                tell(outdated.as_slice(), call.phase, call);
            }
            (Ok(()), None) => {}
        }
        Ok(())
    }

    async fn create(
        ctx: &Context,
        plan: AccessDecisionModel,
        _config: &AccessDecisionModel,
        call: &mut Call,
    ) -> Result<AccessDecisionModel, Failure> {
        let site = Site::of_plan(ctx, &plan, call).await?;
        let there = known(&site.governed, call.deadline).await?;
        if call.private.take(REPLACES) != Some(true.into()) {
            plan.refuse_other_verdict(&there.state)?;
        }
        let state = plan.decide(&site.governed, &there.state, call).await?;
        site.environment.note_made(&state.made()?);
        site.settle(state).await
    }

    async fn read(
        ctx: &Context,
        state: AccessDecisionModel,
        call: &mut Call,
    ) -> Result<Option<AccessDecisionModel>, Failure> {
        let imported = call.private.take(IMPORTED).is_some();
        let site = Site::of_state(ctx, &state, call).await?;
        let Some(Governance { governed, snapshot }) = site.governance("Access decision", imported, call).await? else {
            return Ok((!imported).then_some(state));
        };
        let id = state.request_id.value()?.clone();
        let known = &snapshot.state;
        let Some(found) = known.request(&id) else {
            // Who filed a decision saw the request, so that a journal without it is not the one that was read then.
            return Ok(was_filed(call).then_some(state));
        };
        let awaited = is_awaited(&governed, call).await?;
        let seen = if imported {
            let reason = governed.reason(&id, state.judge()?, call.deadline).await?;
            state.imported(found, known, reason, call)
        } else {
            if !awaited {
                state.note_taken(found, known, call);
            }
            Some(state.seen(found, known, call))
        };
        let Some(mut seen) = seen else { return Ok(None) };
        if imported {
            seen.note_said(found, call);
        }
        remember(call, &snapshot);
        tell_overdue(&id, found, call);
        tell_lost(&id, known, &governed, false, call).await?;
        if awaited {
            seen.status = REQUESTED.to_owned().into();
        } else if (seen.status.get().is_some_and(|it| it == UNDECIDED) || seen.overruled(found, call).is_some())
            && let Some(Outcome::Refused(why)) = outcome(call, known)
        {
            let detail = format!(
                "The platform did not take the decision up: {why}\n\nPlan again for what holds now, or remove the \
                 decision."
            );
            call.report.push(Diagnostic::warning("Decision refused", detail));
            seen.status = REFUSED.to_owned().into();
        }
        Ok(Some(settle_seen(seen, site.environment, site.cluster_id)?))
    }

    async fn update(
        ctx: &Context,
        prior: AccessDecisionModel,
        plan: AccessDecisionModel,
        _config: &AccessDecisionModel,
        call: &mut Call,
    ) -> Result<AccessDecisionModel, Failure> {
        let site = Site::of_change(ctx, &prior, &plan, call).await?;
        // What is only said otherwise, such as `on_destroy`, decides nothing.
        if plan.status.get().is_some() {
            return site.settle(plan).await;
        }
        let there = known(&site.governed, call.deadline).await?;
        let state = plan.decide(&site.governed, &there.state, call).await?;
        site.settle(state).await
    }

    async fn delete(ctx: &Context, state: AccessDecisionModel, call: &mut Call) -> Result<(), Failure> {
        let site = Site::of_state(ctx, &state, call).await?;
        // With `create_before_destroy`, what was decided anew is not taken back by the end of the one before.
        if state.on_destroy.get() == Some(&OnDestroy::Keep) || site.environment.has_made(&state.made()?) {
            return Ok(());
        }
        let there = known(&site.governed, call.deadline).await?;
        if let Some((_, held)) = state.overruled_since(&site.governed, &there.state, call).await? {
            call.report.push(left_to_other(state.request_id.value()?, held));
            return Ok(());
        }
        let retraction = Command::RetractDecision(state.retraction()?);
        requests::end(&site, state.request_id.value()?, retraction, call).await
    }

    async fn import(
        ctx: &Context,
        import: Import<AccessDecisionIdentity>,
        call: &mut Call,
    ) -> Result<AccessDecisionModel, Failure> {
        let named = |AccessDecisionIdentity { cluster_id, request_id, r#as }| {
            Ok((cluster_id, DecisionId { request: request_id.value()?.clone(), judge: *r#as.value()? }))
        };
        let (environment, id) = import_of(ctx, "access decision", import, named, call.deadline).await?;
        let DecisionId { request, judge } = id;
        let state =
            AccessDecisionModel { request_id: request.into(), r#as: judge.into(), ..AccessDecisionModel::default() };
        settle_imported(state, environment, call).await
    }
}

impl AccessDecisionModel {
    /// What a process notes that it made.
    fn made(&self) -> Result<String, Unknown> {
        Ok(format!("decision/{}", self.local_name()?))
    }

    /// Decides, and makes what follows at once.
    async fn decide(self, governed: &Governed, known: &State, call: &mut Call) -> Result<Self, Failure> {
        let decision = self.decided()?;
        let id = decision.request.clone();
        ask(governed, known, Command::DecideRequest(decision), call).await?;
        let made = governed.follow(&id, call.deadline).await?;
        remember(call, &made);
        let status = match made.state.request(&id) {
            Some(found) if !is_awaited(governed, call).await? => {
                self.note_said(found, call);
                self.status_of(found, &made.state)
            }
            // What was filed shows only to those who may read their mailbox.
            _ => REQUESTED,
        };
        Ok(Self { status: status.to_owned().into(), ..self })
    }
}

/// What a decision about a request that is over comes to.
fn without_effect(what: &str) -> Diagnostic {
    let detail = format!("{what} The decision has no effect any more.\n\nRemove it when you like.");
    Diagnostic::warning("Request over", detail)
}

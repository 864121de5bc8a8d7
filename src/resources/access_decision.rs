//! `kafka_access_decision`: the owner of something, or the platform, agrees to a request or refuses it.

mod ending;
mod judging;
#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use ending::{tell_end, tell_reversal};

use super::{
    governed::{expect_journal, known, remember, tell, untold},
    letters::{Outcome, REFUSED, REQUESTED, ask, outcome, was_filed},
    place::{
        Place, PlaceMut, Placed, environment_of_identity, environment_of_plan, environment_of_state, expect_cluster,
        identified, plan_place, settle,
    },
    requests::{IMPORTED, OnDestroy, ended, not_refreshed},
};
use crate::{
    clients::governed::Governed,
    framework::{
        Block, Call, Change, Computed, Diagnostic, Failure, Import, Model, Optional, OptionalComputed, Phase, Plan,
        Required, Resource, Timeouts, Unknown,
    },
    governance::{
        command::{Command, Retraction},
        request::{Choice, Judge, RequestId, Revision},
        violation::Refusal,
    },
    provider::{Context, Governing},
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
    /// approval gave, and `keep` leaves both as they are. Default: `revoke`.
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

    fn place(&self) -> Place<'_> {
        Place { environment: &self.environment, cluster_id: &self.cluster_id }
    }

    fn place_mut(&mut self) -> PlaceMut<'_> {
        PlaceMut { id: &mut self.id, environment: &mut self.environment, cluster_id: &mut self.cluster_id }
    }

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
        let ending = change.prior.as_ref().filter(|_| change.is_destroy() || change.replacing);
        let Some(model) = ending.or(change.plan.as_ref()) else { return Ok(()) };
        let environment = environment_of_plan(ctx, model)?;
        let governance = match environment.governance_if_told(call.deadline).await? {
            Governing::Journal(it) => it,
            // Whoever made the request in this run declares the environment, too.
            Governing::Nothing => return Ok(()),
            Governing::Untold(error) => {
                call.report.push(untold(&error));
                return Ok(());
            }
        };
        let (governed, state) = (&governance.governed, &governance.snapshot.state);
        if let Some(prior) = ending {
            return tell_end(governed, state, prior, call);
        }
        model.refuse_to_be_owner(governed, state)?;
        let decided = model.decided()?;
        let over = state.request(&decided.request).and_then(|it| ended(&decided.request, it));
        tell_reversal(change, state, call);
        change.tell_other_reason(call);
        match (governed.would(state, &Command::DecideRequest(decided)), over) {
            (Ok(()), Some(what)) => call.report.push(without_effect(&what)),
            (Err(_), Some(what)) if change.decides_the_same() => call.report.push(without_effect(&what)),
            (Err(Refusal(violations)), _) => tell(&violations, call.phase, call),
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
        let environment = environment_of_plan(ctx, &plan)?;
        let governed = environment.governed()?;
        let cluster_id = environment.cluster_id(call.deadline).await?.to_owned();
        let mut state = plan.decide(&governed, call).await?;
        environment.note_made(&state.made()?);
        environment.forget_governance().await;
        settle(&mut state, &environment.name, &cluster_id)?;
        Ok(state)
    }

    async fn read(
        ctx: &Context,
        state: AccessDecisionModel,
        call: &mut Call,
    ) -> Result<Option<AccessDecisionModel>, Failure> {
        let imported = call.private.take(IMPORTED).is_some();
        let (environment, cluster_id) = environment_of_state(ctx, &state, call.deadline).await?;
        let governed = environment.governed()?;
        expect_journal(call, &governed, call.deadline).await?;
        let Some(governance) = environment.governance(call.deadline).await? else {
            if imported {
                // There is nothing to keep: it is an error, or an environment that ended.
                known(&governed, call.deadline).await?;
                return Ok(None);
            }
            call.report.push(not_refreshed("Access decision"));
            return Ok(Some(state));
        };
        let id = state.request_id.value()?.clone();
        let known = &governance.snapshot.state;
        let Some(found) = known.request(&id) else {
            // Who filed a decision saw the request, so that a journal without it is not the one that was read then.
            return Ok(was_filed(call).then_some(state));
        };
        let environment = state.environment.get().unwrap_or(&environment.name).clone();
        let seen = if imported {
            let reason = governed.reason(&id, state.judge()?, call.deadline).await?;
            state.imported(found, known, reason)
        } else {
            Some(state.seen(found, known))
        };
        let Some(mut seen) = seen else { return Ok(None) };
        remember(call, &governance.snapshot);
        if seen.status.get().is_some_and(|it| it == UNDECIDED)
            && let Some(Outcome::Refused(why)) = outcome(call, known)
        {
            let detail = format!(
                "The platform did not take the decision up: {why}\n\nPlan again for what holds now, or remove the \
                 decision."
            );
            call.report.push(Diagnostic::warning("Decision refused", detail));
            seen.status = REFUSED.to_owned().into();
        }
        settle(&mut seen, &environment, cluster_id)?;
        Ok(Some(seen))
    }

    async fn update(
        ctx: &Context,
        prior: AccessDecisionModel,
        plan: AccessDecisionModel,
        _config: &AccessDecisionModel,
        call: &mut Call,
    ) -> Result<AccessDecisionModel, Failure> {
        let environment = environment_of_plan(ctx, &plan)?;
        let cluster_id = expect_cluster(&prior, environment, call.deadline).await?.to_owned();
        let governed = environment.governed()?;
        expect_journal(call, &governed, call.deadline).await?;
        // What is only said otherwise, such as `on_destroy`, decides nothing.
        let mut state = if plan.status.get().is_some() { plan } else { plan.decide(&governed, call).await? };
        environment.forget_governance().await;
        settle(&mut state, &environment.name, &cluster_id)?;
        Ok(state)
    }

    async fn delete(ctx: &Context, state: AccessDecisionModel, call: &mut Call) -> Result<(), Failure> {
        let (environment, _) = environment_of_state(ctx, &state, call.deadline).await?;
        let governed = environment.governed()?;
        expect_journal(call, &governed, call.deadline).await?;
        // With `create_before_destroy`, what was decided anew is not taken back by the end of the one before.
        if state.on_destroy.get() == Some(&OnDestroy::Keep) || environment.has_made(&state.made()?) {
            return Ok(());
        }
        let id = state.request_id.value()?;
        let there = known(&governed, call.deadline).await?;
        let Some(found) = there.state.request(id) else { return Ok(()) };
        if !found.status.is_over() {
            let (revision, judge) = (state.revision.value()?.clone(), state.judge()?);
            let retraction = Retraction { request: id.clone(), revision, judge };
            ask(&governed, Command::RetractDecision(retraction), call).await?;
        }
        // Also what another run left half done.
        governed.follow(id, call.deadline).await?;
        environment.forget_governance().await;
        Ok(())
    }

    async fn import(
        ctx: &Context,
        import: Import<AccessDecisionIdentity>,
        call: &mut Call,
    ) -> Result<AccessDecisionModel, Failure> {
        let (environment, DecisionId { request, judge }) = match import {
            Import::Id(id) => identified::<DecisionId>(ctx, "access decision", &id)?,
            Import::Identity(AccessDecisionIdentity { cluster_id, request_id, r#as }) => {
                let id = DecisionId { request: request_id.value()?.clone(), judge: *r#as.value()? };
                (environment_of_identity(ctx, &cluster_id, call.deadline).await?, id)
            }
        };
        call.private.set(IMPORTED, true);
        let mut state =
            AccessDecisionModel { request_id: request.into(), r#as: judge.into(), ..AccessDecisionModel::default() };
        settle(&mut state, &environment.name, environment.cluster_id(call.deadline).await?)?;
        Ok(state)
    }
}

impl AccessDecisionModel {
    /// What a process notes that it made.
    fn made(&self) -> Result<String, Unknown> {
        Ok(format!("decision/{}", self.local_name()?))
    }

    /// Decides, and makes what follows at once.
    async fn decide(self, governed: &Governed, call: &mut Call) -> Result<Self, Failure> {
        let decision = self.decided()?;
        let id = decision.request.clone();
        ask(governed, Command::DecideRequest(decision), call).await?;
        let made = governed.follow(&id, call.deadline).await?;
        remember(call, &made);
        let status = match made.state.request(&id) {
            // What was filed shows only to those who may read their mailbox.
            Some(found) => match self.status_of(found, &made.state) {
                UNDECIDED if was_filed(call) => REQUESTED,
                it => it,
            },
            None => REQUESTED,
        };
        Ok(Self { status: status.to_owned().into(), ..self })
    }
}

/// What a decision about a request that is over comes to.
fn without_effect(what: &str) -> Diagnostic {
    let detail = format!("{what} The decision has no effect any more.\n\nRemove it when you like.");
    Diagnostic::warning("Request over", detail)
}

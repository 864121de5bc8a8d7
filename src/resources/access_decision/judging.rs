//! Between the model of a decision and what governance calls one.

use super::{AMENDED, AccessDecisionModel, OnDestroy, UNDECIDED};
use crate::{
    clients::governed::Governed,
    framework::{Call, Change, Computed, Diagnostic, Failure, Plan, Unknown},
    governance::{
        changes::change as asked_change,
        command::{Command, Decision, Retraction, Role},
        request::{Choice, Decided, Judge, Request, RequestStatus, Revision, Verb},
        state::State,
        violation::{At, Refusal, Violation},
    },
    provider::{Context, Governing},
    resources::{
        place::environment_of_plan,
        requests::{is_left_to_grant, status},
    },
};

impl AccessDecisionModel {
    /// As what is decided.
    pub(super) fn judge(&self) -> Result<Judge, Unknown> {
        Ok(self.r#as.known()?.copied().unwrap_or(Judge::Owner))
    }

    /// What is decided.
    pub(super) fn decided(&self) -> Result<Decision, Unknown> {
        Ok(Decision {
            request: self.request_id.value()?.clone(),
            revision: self.revision.value()?.clone(),
            judge: self.judge()?,
            choice: *self.decision.value()?,
            reason: self.reason.known()?.cloned(),
        })
    }

    /// What takes it back.
    pub(super) fn retraction(&self) -> Result<Retraction, Unknown> {
        let (request, revision) = (self.request_id.value()?.clone(), self.revision.value()?.clone());
        Ok(Retraction { request, revision, judge: self.judge()? })
    }

    /// Refuses the platform that decides as an owner whom nobody knows yet: whose request it is made in this run.
    pub(super) fn refuse_to_be_owner(&self, governed: &Governed, state: &State) -> Result<(), Failure> {
        let is_told = self.request_id.get().is_some_and(|it| state.request(it).is_some());
        if is_told || self.judge()? != Judge::Owner || governed.caller().role(state) != Role::Platform {
            return Ok(());
        }
        let what = "The owner decides as its application, and you act as the platform.";
        let remedy = "Set `KAFKA_ACTING_APPLICATION` where the pipeline of the owner runs, or decide with `as = \
                      \"platform\"` if the environment asks the platform.";
        Err(Refusal::from(Violation::new(At::attribute("as"), "Not yours to decide", what, remedy)).into())
    }

    /// Tells of a decision that is there already: a destroy of either resource takes it back for both.
    pub(super) fn tell_twice(&self, known: &State, call: &mut Call) -> Result<(), Failure> {
        self.refuse_other_verdict(known)?;
        let id = self.request_id.value()?;
        if self.answered(known).is_some() {
            let detail = format!(
                "The request `{id}` has this decision already. If another resource manages it, remove one of them with a \
                 `removed` block and `destroy = false`: a destroy of either takes it back for both."
            );
            call.report.push(Diagnostic::warning("Decided already", detail).at("request_id"));
        }
        Ok(())
    }

    /// Refuses a second decision that says the opposite of one that is there: two states would take turns.
    pub(super) fn refuse_other_verdict(&self, known: &State) -> Result<(), Failure> {
        let id = self.request_id.value()?;
        let Some(held) = self.answered(known).filter(|it| Some(&it.choice) != self.decision.get()) else {
            return Ok(());
        };
        let detail = format!(
            "The request `{id}` was decided otherwise as the {} on {}, and another state may manage that decision: the two \
             would overrule each other in turn.\n\nChange it where it is managed, or import it here to change it.",
            self.judge()?.word(),
            held.at.date()
        );
        Err(Diagnostic::error("Decided otherwise", detail).at("decision").into())
    }

    /// What the journal has of this decision, if somebody answers for it: what a former owner said is nobody's any more.
    fn answered<'a>(&self, known: &'a State) -> Option<&'a Decided> {
        let found = known.request(self.request_id.get()?).filter(|it| !it.status.is_over())?;
        let is_answered = |it: &&Decided| it.application.is_none() || it.application == found.content.owner;
        self.held(found).filter(is_answered)
    }

    /// The state after a look at the journal. What this state said before is drift, where something else did not come
    /// about; what somebody else decided since is theirs.
    pub(super) fn seen(self, found: &Request, known: &State, call: &Call) -> Self {
        let status = self.status_of(found, known);
        let is_own = !found.status.is_over() && self.overruled(found, call).is_none();
        let held = self.held(found).filter(|_| is_own).map(|it| it.choice);
        Self { decision: held.map_or(self.decision, Into::into), status: status.to_owned().into(), ..self }
    }

    /// The state of a decision that is imported; `None` if nobody decided.
    pub(super) fn imported(self, found: &Request, known: &State, reason: Option<String>, call: &Call) -> Option<Self> {
        let judge = self.judge().ok()?;
        let granted = || found.grant.as_ref().and_then(|it| it.decisions.get(&judge));
        let decided = found.decisions.get(&judge).or_else(granted)?;
        let it = Self {
            revision: decided.revision.clone().into(),
            decision: decided.choice.into(),
            reason: reason.into(),
            on_destroy: OnDestroy::Revoke.into(),
            ..self
        };
        Some(it.seen(found, known, call))
    }

    /// What became of what was decided about.
    pub(super) fn status_of(&self, found: &Request, known: &State) -> &'static str {
        let is_present = self.revision.get() == Some(&found.revision);
        if found.status.is_over() {
            status(found, known)
        } else if !is_present {
            AMENDED
        } else if self.held(found).is_some() || self.is_needless(found) {
            status(found, known)
        } else {
            UNDECIDED
        }
    }

    /// What the journal has of this decision.
    pub(super) fn held<'a>(&self, found: &'a Request) -> Option<&'a Decided> {
        let (judge, revision) = (self.judge().ok()?, self.revision.get()?);
        let granted = found.grant.as_ref().and_then(|it| it.decisions.get(&judge));
        [found.decisions.get(&judge), granted].into_iter().flatten().find(|it| it.revision == *revision)
    }

    /// Whether it agrees to what nobody had to agree to.
    fn is_needless(&self, found: &Request) -> bool {
        self.decision.get() == Some(&Choice::Approve) && found.status.is_approved()
    }

    /// Whether an approval of it gives what the request has.
    pub(super) fn gives(&self, found: &Request) -> bool {
        let granted: Option<&Revision> = found.live_grant().map(|it| &it.revision);
        self.decision.get() == Some(&Choice::Approve)
            && self.held(found).is_some_and(|it| it.choice == Choice::Approve)
            && self.revision.get().is_some_and(|it| granted.is_none_or(|granted| granted == it))
    }
}

impl Plan<AccessDecisionModel> {
    /// Has what somebody took back decided again, and what was agreed to made, where the caller may do so.
    pub(super) async fn plan_repair(&mut self, ctx: &Context, call: &mut Call) -> Result<(), Failure> {
        let Some(prior) = self.prior.clone().filter(|_| self.replace.is_empty()) else { return Ok(()) };
        let (Some(id), Ok(decided)) = (prior.request_id.get(), self.state.decided()) else { return Ok(()) };
        let environment = environment_of_plan(ctx, &self.state)?;
        let Governing::Journal(governance) = environment.governance_if_told(call.deadline).await? else {
            return Ok(());
        };
        let (governed, known) = (&governance.governed, &governance.snapshot.state);
        let Some(found) = known.request(id) else { return Ok(()) };
        let is_lost = prior.status_of(found, known) == UNDECIDED;
        let is_decidable = is_lost && governed.would_write(known, &Command::DecideRequest(decided)) == Ok(true);
        if is_decidable || (prior.gives(found) && is_left_to_grant(governed, known, id)) {
            self.state.status = Computed::unknown();
        }
        Ok(())
    }
}

impl Change<AccessDecisionModel> {
    /// Tells that another reason changes nothing of what was said.
    pub(super) fn tell_other_reason(&self, call: &mut Call) {
        let reason = |it: &Option<AccessDecisionModel>| it.as_ref().map(|it| it.reason.clone());
        if self.prior.is_some() && self.decides_the_same() && reason(&self.prior) != reason(&self.plan) {
            let detail = "The journal keeps the reason that the decision was given with. Another one is in the state \
                          alone, until something else is decided.";
            call.report.push(Diagnostic::warning("Reason kept", detail).at("reason"));
        }
    }

    /// Whether nobody changes what is decided, and it holds.
    pub(super) fn holds(&self, known: &State) -> bool {
        let Some(plan) = self.plan.as_ref().filter(|it| self.decides_the_same() && it.status.get().is_some()) else {
            return false;
        };
        let found = plan.request_id.get().and_then(|it| known.request(it));
        found.is_some_and(|it| plan.held(it).is_some() && plan.status_of(it, known) != AMENDED)
    }

    /// Whether something else is decided of what is done already, which stays whatever anybody says.
    pub(super) fn comes_too_late(&self, known: &State) -> bool {
        let found = self.prior.as_ref().filter(|_| !self.replacing).and_then(|it| known.request(it.request_id.get()?));
        found.is_some_and(|it| it.content.access().is_none() && it.status == RequestStatus::Active)
    }

    /// Whether nobody changes what is decided.
    pub(super) fn decides_the_same(&self) -> bool {
        let of = |it: &Option<AccessDecisionModel>| {
            it.as_ref().map(|it| (it.request_id.clone(), it.revision.clone(), it.decision.clone()))
        };
        of(&self.prior) == of(&self.plan)
    }
}

/// Tells that an approval deletes something at once. What was not asked for whole is its asker's to delete.
pub(super) fn tell_deletion(decided: &Decision, state: &State, call: &mut Call) {
    let asked = state.request(&decided.request).filter(|it| it.revision == decided.revision);
    let waits = |it: &&Request| matches!(it.status, RequestStatus::Pending | RequestStatus::Rejected);
    let ends = asked
        .filter(waits)
        .filter(|it| it.wanted.is_some())
        .and_then(asked_change)
        .filter(|it| it.verb == Verb::Delete);
    if let Some(it) = ends.filter(|_| decided.choice == Choice::Approve) {
        let detail = format!(
            "This deletes the {} `{}` with all that it holds, which the request `{}` asks for.",
            it.kind.word(),
            it.name,
            decided.request
        );
        call.report.push(Diagnostic::warning("Approval deletes", detail).at("decision"));
    }
}

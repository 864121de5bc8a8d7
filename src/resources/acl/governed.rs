//! Rules on a cluster whose platform declared an environment: each has its holders, and goes with the last.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::AclModel;
use crate::{
    clients::governed::{Governed, GovernedError},
    framework::{Call, Diagnostic, Failure, Phase, Unknown},
    governance::{
        acl::AclBinding,
        acl_set::AclSet,
        binding::Holder,
        command::{Command, Holding, Role},
        policy::Enforcement,
        request::Revision,
        state::State,
        violation::{Refusal, Violation},
    },
    provider::{Environment, Governance},
    resources::{
        governed::{saw_journal, told},
        violations::diagnostic,
    },
};

/// Who needs the rules of a resource: the declaration itself, known by what it declares, and the application that it
/// is for.
pub(super) fn holder(governed: &Governed, state: &State, model: &AclModel, set: &AclSet) -> Result<Holder, Unknown> {
    let acting = match governed.caller().role(state) {
        Role::Application(it) => Some(it),
        Role::Platform | Role::Nobody => None,
    };
    let application = model.application.known()?.map(|it| it.name.clone()).or(acting);
    let declaration = format!("acl:{}", Revision::of(&set.to_string()));
    Ok(Holder::Declared(application.map_or_else(|| declaration.clone(), |it| format!("{it}/{declaration}"))))
}

/// As whose declaration the journal has the rules of a state: a fact of the state's own. Whoever ends them may be another.
pub(super) const HOLDER: &str = "holder";

/// Who needs the rules of a state, as the journal has it.
pub(super) fn held_by(governed: &Governed, state: &State, model: &AclModel, call: &Call) -> Result<Holder, Unknown> {
    let stored = call.private.get(HOLDER).and_then(Json::as_str).and_then(|it| it.parse().ok());
    stored.map_or_else(|| holder(governed, state, model, &model.set()?), Ok)
}

/// What governs the cluster, for a deed. Refuses whoever may not write the journal, and a cluster whose rights are made
/// elsewhere.
pub(super) async fn governance(environment: &Environment, call: &Call) -> Result<Option<Governance>, Failure> {
    let governance = environment.governance(call.deadline).await?;
    if governance.is_none() && saw_journal(call) {
        environment.journal()?.snapshot(call.deadline).await?;
    }
    if let Some(Governance { governed, snapshot }) = &governance
        && let Some(refused) = refused(governed, &snapshot.state)
    {
        return Err(refused.into());
    }
    Ok(governance)
}

fn refused(governed: &Governed, state: &State) -> Option<Diagnostic> {
    if governed.mailbox(state).is_some() {
        let detail = "The credential is a team's, which has no right to write rules: a rule that a team could write could be \
                      one for everything.\n\nAsk for access to what others own with `kafka_access_request`. What an \
                      application may do with what it owns, its principals have by `kafka_application`. Other rules are \
                      the platform's to write.";
        return Some(Diagnostic::error("ACLs are the platform's", detail));
    }
    let is_elsewhere = state.policy().is_some_and(|it| it.enforcement == Enforcement::External);
    is_elsewhere.then(|| {
        let detail = "Something else than the brokers' authorizer enforces rights here (`enforcement = \"external\"`), and is \
                      told which rules to make.\n\nWrite the rule there.";
        Diagnostic::error("Rights made elsewhere", detail)
    })
}

/// Tells what the rules of the environment say of a change.
pub(super) async fn judge(
    environment: &Environment,
    (prior, plan, config): (Option<&AclModel>, Option<&AclModel>, Option<&AclModel>),
    removed: BTreeSet<AclBinding>,
    call: &mut Call,
) -> Result<(), Failure> {
    let governing = environment.governance_if_told(call.deadline).await?;
    let Some(Governance { governed, snapshot }) = told(governing, call) else { return Ok(()) };
    let state = &snapshot.state;
    if let Some(refused) = refused(&governed, state) {
        return Err(refused.into());
    }
    if let Some(plan) = plan {
        let set = plan.set()?;
        let holder = holder(&governed, state, plan, &set)?;
        match governed.would_hold(state, &holder, set.bindings(), call.deadline).await {
            Ok(()) => {}
            Err(GovernedError::Refused(Refusal(violations))) => tell(&violations, config, call),
            Err(other) => return Err(other.into()),
        }
    }
    if let Some(prior) = prior.filter(|_| !removed.is_empty()) {
        let holder = held_by(&governed, state, prior, call)?;
        if let Err(Refusal(violations)) =
            governed.would(state, &Command::ReleaseBindings(Holding::new(holder, removed)))
        {
            tell(&violations, config, call);
        }
    }
    Ok(())
}

fn tell(violations: &[Violation], config: Option<&AclModel>, call: &mut Call) {
    for it in violations {
        let it = config.map_or_else(|| it.clone(), |config| config.named_as_written(it.clone()));
        let mut told = diagnostic(&it, Phase::Plan);
        if config.is_none() {
            // What ends has no configuration to point at.
            told.path = None;
        }
        call.report.push(told);
    }
}

//! What the resources of users share, rules in part: credentials and quotas are the platform's but for what applications have of their
//! own, and each object has one resource.

use std::time::{Duration, Instant};

use super::{
    governed::{tell, told},
    place::{Placed, environment_of_plan},
};
use crate::{
    framework::{Call, Diagnostic, Failure, Phase, Plan},
    governance::{check_user::Working, state::State, violation::Violation},
    provider::{Context, Environment, Governance},
};

/// The create belongs to a replacement, whose object may still be there.
pub(super) const REPLACING: &str = "replacing";

/// The object that the first plan of a replacement has already.
const PLANNED_AS: &str = "planned_as";

/// How long a plan waits for what it can do without.
const PATIENCE: Duration = Duration::from_secs(30);

/// Facts that a plan tells its apply, and that mean nothing afterwards.
pub(super) const OF_THE_PLAN: [&str; 3] = [super::place::ENVIRONMENT, REPLACING, PLANNED_AS];

/// Until when a plan waits for what is a service to its reader and no deed.
pub(super) fn patience(call: &Call) -> Instant {
    call.deadline.min(Instant::now() + PATIENCE)
}

/// Warns whoever may not change what takes the right to ALTER the cluster.
pub(super) async fn warn_unless_may_alter(
    environment: &Environment,
    what: &str,
    things: &str,
    call: &mut Call,
) -> Result<(), Failure> {
    if environment.rules.may_alter(environment.kafka()?, patience(call)).await {
        return Ok(());
    }
    let detail = format!(
        "The principal that the provider authenticates as may not ALTER the cluster, which it takes to change {things}. That \
         is as it should be where the plan may only read; apply needs the right.\n\nGrant it the operation with an ACL, or \
         apply with another principal."
    );
    call.report.push(Diagnostic::warning(format!("{what} not permitted"), detail));
    Ok(())
}

/// Tells what speaks against a change where an environment is declared.
pub(super) async fn judge(
    environment: &Environment,
    call: &mut Call,
    check: impl Fn(&State, &Working) -> Vec<Violation>,
) -> Result<(), Failure> {
    let governance = match call.phase {
        Phase::Plan => told(environment.governance_if_told(call.deadline).await?, call),
        Phase::Apply => environment.governance(call.deadline).await?,
    };
    if let Some(Governance { governed, snapshot }) = governance {
        let state = &snapshot.state;
        let working = Working { role: governed.caller().role(state), only_asks: governed.only_asks(state) };
        tell(&check(state, &working), call.phase, call);
    }
    Ok(())
}

/// Tells that a plan has an object twice, even where one of the two is not changed: whoever removed one of the blocks
/// would remove the object of the other.
pub(super) async fn plan_once<M: Placed>(
    ctx: &Context,
    plan: &Plan<M>,
    object: &str,
    call: &mut Call,
    twice: impl FnOnce() -> Diagnostic,
) -> Result<(), Failure> {
    if plan.replacing {
        call.private.set(REPLACING, true);
    }
    // The next plan asks for what replaces this one, and the one after that for what the first plan had.
    if !plan.replace.is_empty() || (plan.replacing && call.private.text(PLANNED_AS) == Some(object)) {
        return Ok(());
    }
    let environment = environment_of_plan(ctx, &plan.state)?;
    let cluster_id = match plan.state.place().cluster_id.get() {
        Some(it) => Some(it.as_str()),
        None if ctx.environments()?.count() < 2 => None,
        None => environment.cluster_id(patience(call)).await.ok(),
    };
    if !environment.plan_once_in(cluster_id, object) {
        call.report.push(twice());
    }
    if plan.prior.is_some() {
        call.private.set(PLANNED_AS, object);
    }
    Ok(())
}

/// What is wrong with the name of a user in an attribute.
pub(super) fn username(user: &str, attribute: &'static str) -> Option<Diagnostic> {
    if user.is_empty() {
        let detail = "The name of a user is not empty.\n\nWrite the name that the user logs in with.";
        return Some(Diagnostic::error("Invalid username", detail).at(attribute));
    }
    let name = user.strip_prefix("User:")?;
    let detail = format!(
        "`{user}` begins with `User:`, which belongs to principals in ACLs: who has this name is `User:{user}` there.\n\n\
         Write `{attribute} = \"{name}\"`."
    );
    Some(Diagnostic::warning("Username has a type", detail).at(attribute))
}

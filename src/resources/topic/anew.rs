//! Topics that somebody else deleted and made again, while others were granted access to them.

use super::{UUID, asking::READY, told};
use crate::{
    clients::kafka::Topic,
    framework::{Call, Computed, Failure, Plan},
    governance::grants::made_anew,
    provider::{Environment, Governing},
    resources::{
        governed::{remember, saw_journal},
        topic::TopicModel,
    },
};

/// The journal knows another topic of this name than the state: with the next apply, it knows this one.
pub(super) const MADE_ANEW: &str = "made_anew";

/// Tells who has access still that was granted to the topic before. What a state has that was imported since is what its
/// owner means: the next apply has the journal know it, unless others would have to do that.
pub(super) async fn tell_made_anew(
    environment: &Environment,
    found: &Topic,
    imported: bool,
    call: &mut Call,
) -> Result<(), Failure> {
    call.private.take(MADE_ANEW);
    if !imported && !saw_journal(call) {
        return Ok(());
    }
    let Governing::Journal(it) = environment.governance_if_told(call.deadline).await? else { return Ok(()) };
    let Some(anew) = made_anew(&it.snapshot.state, &found.name, found.id.as_deref()) else { return Ok(()) };
    // That is remembered, so that the next refresh looks again.
    remember(call, &it.snapshot);
    let is_meant = imported || call.private.text(UUID) == found.id.as_deref();
    if is_meant && it.governed.mailbox(&it.snapshot.state).is_none() {
        call.private.set(MADE_ANEW, true);
    }
    call.report.push(told::access_to_new(&anew, is_meant));
    Ok(())
}

/// Has the next apply tell the journal which topic is meant.
pub(super) fn plan_made_anew(plan: &mut Plan<TopicModel>, call: &Call) {
    let is_there = plan.prior.as_ref().is_some_and(|it| it.is(READY));
    if is_there && plan.replace.is_empty() && call.private.is(MADE_ANEW) {
        plan.state.status = Computed::unknown();
    }
}

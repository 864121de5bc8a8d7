//! What the resources of a governed cluster share: the way to its journal, and what a state remembers of it.

use std::{sync::Arc, time::Instant};

use serde_json::json;

use super::violations::diagnostic;
use crate::{
    clients::{
        governed::{Governed, GovernedError},
        journal::{EventHash, Head, JournalError, Remembered, Snapshot},
        kafka::{AclFailures, KafkaError},
    },
    framework::{Call, Diagnostic, Failure, Phase},
    governance::{
        condition::{ConditionStatus, enforcement},
        policy::Enforcement,
        rights::STATE_TOPIC,
        state::State,
        violation::Violation,
    },
    provider::{Environment, Governance, Governing},
};

/// A place in the journal that a state saw: a journal that does not have it any more is another one.
const JOURNAL: &str = "journal";

/// What a state was made or seen with.
pub(super) fn remember(call: &mut Call, snapshot: &Snapshot<State>) {
    let Remembered { journal, offset, hash } = snapshot.head.remembered();
    call.private.set(JOURNAL, json!({ "uuid": journal, "offset": offset, "hash": hash.to_string() }));
}

/// Refuses a journal that is behind what the state saw, or another one.
pub(super) async fn expect_journal(call: &Call, governed: &Governed, deadline: Instant) -> Result<(), Failure> {
    let Some(remembered) = remembered(call) else { return Ok(()) };
    Ok(governed.journal().check(&remembered, deadline).await?)
}

/// The same, by what was read of the journal for a plan, without asking.
pub(super) fn expect_head(call: &Call, head: &Head) -> Result<(), Failure> {
    match remembered(call) {
        Some(it) if it.journal != head.journal => {
            Err(JournalError::Replaced { remembered: it.journal, found: head.journal.clone() }.into())
        }
        Some(it) if head.offset < it.offset => {
            Err(JournalError::RolledBack { remembered: it.offset, found: head.offset }.into())
        }
        _ => Ok(()),
    }
}

/// Refuses the absence of a journal that the state saw. An environment that ended left its journal behind.
pub(super) async fn expect_ended(call: &Call, environment: &Environment) -> Result<(), Failure> {
    if remembered(call).is_some() {
        environment.journal()?.snapshot(call.deadline).await?;
    }
    Ok(())
}

/// Refuses a journal that is not what the state saw, so that a plan which changes nothing stops there too. A journal that
/// does not answer, or that the caller may not see, proves nothing. Asked once for a plan of many objects, except for what
/// they do not share.
pub(super) async fn expect_governed(call: &Call, environment: &Environment) -> Result<(), Failure> {
    let Some(remembered) = remembered(call) else { return Ok(()) };
    if let Governing::Untold(_) = environment.governance_if_told(call.deadline).await? {
        return Ok(());
    }
    match environment.journal()?.check(&remembered, call.deadline).await {
        Err(JournalError::Kafka(KafkaError::Denied { .. })) => Ok(()),
        answer => Ok(answer?),
    }
}

/// Whether a state saw a journal.
pub(super) fn saw_journal(call: &Call) -> bool {
    remembered(call).is_some()
}

fn remembered(call: &Call) -> Option<Remembered> {
    let fact = call.private.get(JOURNAL)?;
    let hash: EventHash = fact["hash"].as_str()?.parse().ok()?;
    Some(Remembered { journal: fact["uuid"].as_str()?.to_owned(), offset: fact["offset"].as_i64()?, hash })
}

/// The failure of an end, with the object named: engines show no address with what is told of a destroy.
pub(super) fn naming(failure: Failure, what: &str) -> Failure {
    let Failure::Told(mut told) = failure else { return failure };
    for it in told.0.iter_mut().filter(|it| !it.detail.contains(what)) {
        it.detail = format!("{}\n\nThis concerns {what}, which is to be deleted.", it.detail);
    }
    Failure::Told(told)
}

/// What is known, once all of it was read.
pub(super) async fn known(governed: &Governed, deadline: Instant) -> Result<Arc<Snapshot<State>>, Failure> {
    Ok(governed.snapshot(deadline).await?)
}

/// Tells that what the environment counts on to enforce rights was found not to.
pub(super) fn tell_unenforced(state: &State, call: &mut Call) {
    let environment = state.environment().filter(|it| it.spec.policy.enforcement == Enforcement::Acl);
    let Some(environment) = environment else { return };
    let it = enforcement(environment.probe.map(|it| it.found));
    if it.status == ConditionStatus::Bad {
        let detail = format!(
            "On this cluster, {}: ownership holds in plans alone.\n\n{}",
            it.message,
            it.remedy.unwrap_or_default()
        );
        call.report.push(Diagnostic::warning("Rights are not enforced", detail));
    }
}

/// Tells what speaks against a plan, or for its reader to know.
pub(super) fn tell(violations: &[Violation], phase: Phase, call: &mut Call) {
    for it in violations {
        call.report.push(diagnostic(it, phase));
    }
}

/// What governs a cluster, for a plan. That the cluster did not tell is told.
pub(super) fn told(governing: Governing, call: &mut Call) -> Option<Governance> {
    match governing {
        Governing::Journal(it) => Some(it),
        Governing::Nothing => None,
        Governing::Untold(error) => {
            call.report.push(untold(&error));
            None
        }
    }
}

/// What governs what a service beside the brokers has: for a plan as it was just now, for a deed as it is.
///
/// Kafka guards its topics against those who may not see the journal, and such a service does not: nothing is done there by
/// those who cannot know whether they may.
pub(super) async fn governance(environment: &Environment, call: &mut Call) -> Result<Option<Governance>, Failure> {
    let governance = match call.phase {
        Phase::Apply => environment.governance_now(call.deadline).await?,
        Phase::Plan => told(environment.governance_if_told(call.deadline).await?, call),
    };
    match environment.hidden().await.filter(|_| governance.is_none()) {
        Some(error) if call.phase == Phase::Apply => return Err(hidden(Diagnostic::error, &error).into()),
        Some(error) => call.report.push(hidden(Diagnostic::warning, &error)),
        None => {}
    }
    Ok(governance)
}

/// That nobody knows whether there are rules, told as an error or as a warning.
fn hidden(told: fn(&'static str, String) -> Diagnostic, error: &KafkaError) -> Diagnostic {
    let detail = format!(
        "Whoever applies does not see the topics whose names begin with `_selfserve`, in which an environment says who owns \
         what, so that nobody knows whether this cluster has one. Kafka guards what is its own against such a caller. Schema registries and \
         Connect workers do not, so that an apply changes nothing there.\n\nWhere \
         there is an environment, have the caller given `READ` on the topic `{STATE_TOPIC}`; where there is none, `DESCRIBE` \
         on the prefix `_selfserve` shows that. A team's pipeline sets \
         `KAFKA_ACTING_APPLICATION` as well."
    );
    told("Rules not to be seen", detail).caused_by(error)
}

/// The same for what an environment alone has. That nobody declared one is told, too.
pub(super) fn told_of_declared(governing: Governing, call: &mut Call) -> Option<Governance> {
    if let Governing::Nothing = governing {
        let detail = "This cluster shows no environment, so that nothing can be checked: nobody declared one yet, or its \
                      journal is not yours to read.\n\nDeclare it with `kafka_environment`; where that is in this \
                      configuration, refer to its `id` in `environment`. If the platform has one, its inbox is closed to \
                      those who have no application yet: ask the platform to declare yours.";
        call.report.push(Diagnostic::warning("No environment declared", detail));
    }
    told(governing, call)
}

/// Tells that the rules could not be asked.
pub(super) fn untold(error: &KafkaError) -> Diagnostic {
    let detail = "The cluster did not say what governs it, so that what its rules refuse shows only in apply.";
    Diagnostic::warning("Not checked by the rules", detail).caused_by(error)
}

impl From<GovernedError> for Failure {
    fn from(error: GovernedError) -> Self {
        match error {
            GovernedError::Refused(it) => it.into(),
            GovernedError::Journal(it) => it.into(),
            GovernedError::Kafka(it) => it.into(),
            GovernedError::Rules(failures) => rules(&failures).into(),
        }
    }
}

fn rules(failures: &AclFailures) -> Diagnostic {
    let told: Vec<String> = failures.iter().take(20).map(|(rule, error)| format!("`{rule}`: {error}")).collect();
    let more = failures.len().saturating_sub(told.len());
    let more = if more == 0 { String::new() } else { format!("\nand {more} more") };
    Diagnostic::error(
        "Rights not made",
        format!(
            "The cluster did not take all of the rules:\n\n{}{more}\n\nWhat was done is remembered. When the cause is \
             gone, apply again: it goes on where this ended.",
            told.join("\n")
        ),
    )
}

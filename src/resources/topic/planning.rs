//! What a schema cannot say of a topic's plan.

use std::time::Instant;

use super::{
    ACTUAL, APPLIED, DRY_RUN, PLANNED_AS, PROTECTED, RELEASED, TopicModel, UUID, environment_of_plan, expect_cluster,
    object, told,
};
use crate::{
    clients::kafka::KafkaError,
    framework::{Call, Change, Diagnostic, Failure, OptionalComputed, Phase, Plan},
    governance::topic::{PartitionChange, config_changes, partition_change},
    provider::{Context, Environment},
    resources::letters::REFUSED,
};

/// Whether partitions and copies were declared of what was asked for.
const DECLARED: &str = "declared";

impl TopicModel {
    /// Decides what becomes of the partitions.
    pub(super) fn partitions_from(
        &mut self,
        prior: &Self,
        declared: Option<&i32>,
        call: &mut Call,
    ) -> Result<(), Failure> {
        // Of what nobody agreed to, the state has what was asked for.
        let counted = call.private.get(ACTUAL).and_then(serde_json::Value::as_i64).and_then(|it| it.try_into().ok());
        let (Some(actual), Some(declared)) = (counted.as_ref().or(prior.partitions.get()), declared) else {
            return Ok(());
        };
        let applied = call.private.get(APPLIED).and_then(serde_json::Value::as_i64).and_then(|it| it.try_into().ok());
        match partition_change(*actual, *declared, applied) {
            PartitionChange::Keep | PartitionChange::Grow => {}
            PartitionChange::GrownOutside => {
                self.partitions = (*actual).into();
                let detail = format!(
                    "The topic has {actual} partitions, more than the {declared} declared: somebody else made it grow. \
                     They stay.\n\nWrite `partitions = {actual}` to agree."
                );
                call.report.push(Diagnostic::warning("Partitions grown outside", detail).at("partitions"));
            }
            PartitionChange::Shrink => {
                let detail = format!(
                    "The topic has {actual} partitions, and Kafka cannot take partitions away.\n\nWrite `partitions = \
                     {actual}` or more, or move to a new topic of another name."
                );
                return Err(Diagnostic::error("Partitions cannot shrink", detail).at("partitions").into());
            }
        }
        Ok(())
    }
}

impl Plan<TopicModel> {
    /// Decides what can change while the topic stays the same one.
    pub(super) fn change_in_place(&mut self, prior: &TopicModel, call: &mut Call) -> Result<(), Failure> {
        if prior.status.get().is_some_and(|it| it == REFUSED) && call.private.text(UUID).is_none() {
            self.open_again(prior, call);
            return Ok(());
        }
        self.state.partitions_from(prior, self.config.partitions.get(), call)?;
        let is_made = call.private.get(ACTUAL).and_then(serde_json::Value::as_i64) != Some(0);
        if is_made && self.state.replication_factor != prior.replication_factor {
            return Err(Diagnostic::error(
                "Replication factor cannot change in place",
                "This version does not move replicas. Change it with Kafka's own tools, then here.",
            )
            .at("replication_factor")
            .into());
        }
        Ok(())
    }

    /// Of what was never made, and can still be anything, leaves open again what nobody declares any more. What nobody
    /// declared before either is open only to what is asked for anew: a rejection holds until the declaration changes.
    fn open_again(&mut self, prior: &TopicModel, call: &Call) {
        let Self { config, state, .. } = self;
        let is_declared = [!config.partitions.is_null(), !config.replication_factor.is_null()];
        let mut is_anew = prior.request_id.get().is_none() || was_declared(call).is_some_and(|it| it != is_declared);
        is_anew |= *prior != TopicModel { timeouts: prior.timeouts.clone(), ..state.clone() };
        if is_anew && config.partitions.is_null() {
            state.partitions = OptionalComputed::unknown();
        }
        if is_anew && config.replication_factor.is_null() {
            state.replication_factor = OptionalComputed::unknown();
        }
    }

    /// Refuses a second resource for one topic, even beside one that nobody changes: whoever removed one of the blocks
    /// would delete the data of the other.
    pub(super) async fn refuse_second(&self, ctx: &Context, call: &mut Call) -> Result<(), Failure> {
        if !self.replace.is_empty() {
            // The next plan asks for the topic that replaces this one.
            return Ok(());
        }
        let (environment, name) = (environment_of_plan(ctx, &self.state)?, self.state.name.value()?);
        if self.replacing && call.private.text(PLANNED_AS) == Some(name.as_str()) {
            return Ok(());
        }
        let cluster_id = match self.state.cluster_id.get() {
            Some(it) => Some(it.as_str()),
            None if ctx.environments()?.count() < 2 => None,
            // The dry run tells if the cluster does not answer, and apply will ask again.
            None => environment.cluster_id(call.deadline.min(Instant::now() + DRY_RUN)).await.ok(),
        };
        let is_first = environment.plan_once_in(cluster_id, &format!("topic named {name}"));
        // Topics that exist have to be looked after even where Kafka would not have them side by side any more.
        let is_told_apart = self.prior.is_some() || environment.plan_once_in(cluster_id, &object(name));
        if !(is_first && is_told_apart) {
            call.report.push(told::twice(name));
        }
        if self.prior.is_some() {
            call.private.set(PLANNED_AS, name.as_str());
        }
        Ok(())
    }
}

impl Change<TopicModel> {
    /// Refuses to delete a protected topic. The prior state decides, and the facts of the first plan where a replacement
    /// has none.
    pub(super) fn refuse_protected(&self, call: &mut Call) {
        // A destroy has no configuration that could release anything: what it finds belongs to an older plan.
        let released = call.private.is(RELEASED) && (call.phase == Phase::Apply || !self.is_destroy());
        let protected = match &self.prior {
            Some(prior) if prior.deletion_protection.get() == Some(&true) && !released => {
                prior.name.get().map(ToString::to_string)
            }
            None if self.replacing => call.private.text(PROTECTED).map(str::to_owned),
            _ => None,
        };
        if let Some(name) = protected.filter(|_| self.is_destroy() || self.replacing) {
            call.report.push(told::protected(&name));
        }
    }
}

/// Remembers whether partitions and copies are declared of what is asked for.
pub(super) fn note_declared(wanted: &TopicModel, call: &mut Call) {
    let declared = [wanted.partitions.get().is_some(), wanted.replication_factor.get().is_some()];
    call.private.set(DECLARED, declared.to_vec());
}

/// What was remembered of that.
fn was_declared(call: &Call) -> Option<[bool; 2]> {
    let noted = call.private.get(DECLARED)?.as_array()?;
    Some([noted.first()?.as_bool()?, noted.get(1)?.as_bool()?])
}

/// Asks the cluster whether it would make the changes of an update.
pub(super) async fn try_update(
    environment: &Environment,
    prior: &TopicModel,
    plan: &TopicModel,
    deadline: Instant,
) -> Result<Result<(), KafkaError>, Failure> {
    let (kafka, name) = (environment.kafka()?, plan.name.value()?);
    let changes = config_changes(&prior.config_known()?, &plan.config_known()?);
    if prior.partitions == plan.partitions && changes.is_empty() {
        return Ok(Ok(()));
    }
    expect_cluster(prior, environment, deadline).await?;
    if let (true, Some(count)) = (prior.partitions != plan.partitions, plan.partitions.known()?)
        && let Err(error) = kafka.check_grow_partitions(name, *count, deadline).await
    {
        // Core plans again before it applies a saved plan, without a refresh.
        return match kafka.describe_topic(name, deadline).await {
            Ok(Some(found)) if *count < found.partitions => Err(told::stale(*count, found.partitions)),
            _ => Ok(Err(error)),
        };
    }
    if changes.is_empty() { Ok(Ok(())) } else { Ok(kafka.check_alter_topic_config(name, &changes, deadline).await) }
}

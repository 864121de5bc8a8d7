//! `kafka_topic`: a topic of one environment.

mod anew;
mod asking;
mod ending;
mod governed;
mod planning;
mod reading;
mod schema_demand;
#[cfg(test)]
mod tests;
mod told;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anew::{MADE_ANEW, plan_made_anew, tell_made_anew};
use asking::{READY, ask_change, ask_for, expected, is_asked, leave_to_platform, mark_ending, tell_leave, waits};
use ending::end;
use governed::{
    Added, CapacityModel, add_policy, application_name, give_back, judge, judge_end, keep, made, only_asks, reserve,
    wrong_application,
};

use super::{
    failures::dry_run,
    governed::{expect_governed, naming},
    place::{
        ENVIRONMENT, IMPORTED, Placed, environment_of_plan, environment_of_state, expect_cluster, import_of,
        place_attributes, plan_place, settle, settle_imported,
    },
};
use crate::{
    clients::{
        governed::left_over,
        kafka::{Kafka, KafkaError, Topic as Found},
    },
    framework::{
        Block, Call, Change, Computed, Diagnostic, Diagnostics, Element, Failure, Import, Model, Nested, Optional,
        OptionalComputed, Phase, Plan, Required, Resource, Timeouts, Unknown,
    },
    governance::{
        acl::Operation,
        check_topic::TopicRequest,
        topic::{MOST_PARTITIONS, TopicName, TopicSpec, config_changes},
    },
    provider::{Context, Governance, Governing},
};

/// A Kafka topic.
///
/// Only the configuration keys that are written here are managed: the broker's defaults and what other tools set are
/// never a difference. A topic is forgotten only when a broker, asked for it by name, says that it is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct TopicModel {
    /// Identifier of the topic: `<environment>/<name>`.
    #[attr(unknown_when = &["environment"])]
    id: Computed<String>,
    /// Name of the environment. Default: the provider's default environment when the topic is created. Another name for
    /// the same cluster changes nothing; another cluster replaces the topic.
    environment: OptionalComputed<String>,
    /// Id of the cluster that holds the topic.
    #[attr(unknown_when = &["environment"])]
    cluster_id: Computed<String>,
    /// Name of the topic, as clients use it: 1 to 249 ASCII letters, digits, `.`, `_` and `-`. Changing it replaces the
    /// topic and its data.
    #[attr(requires_replace)]
    name: Required<TopicName>,
    /// Number of partitions, 1 to 10000. It can grow, which changes the partition that a key belongs to; it can never
    /// shrink. Default: the broker's `num.partitions`.
    partitions: OptionalComputed<i32>,
    /// Copies of each partition, at most one for each broker. It cannot change in place. Default: the broker's
    /// `default.replication.factor`.
    replication_factor: OptionalComputed<i16>,
    /// Configuration of the topic by Kafka's own keys, such as `retention.ms`. A key that is removed, or null, returns to
    /// the broker's default.
    config: Optional<BTreeMap<String, Element<String>>>,
    /// Configuration that the environment's rules gave the topic when it was created, where `config` has nothing.
    policy_config: Computed<BTreeMap<String, String>>,
    /// Application that owns the topic: the `id` of its `kafka_application`, or its name. Default: the one under whose
    /// prefix the name is.
    application: Optional<String>,
    /// What the topic carries and keeps. It counts towards the quota of the application, and is held against the topic's
    /// retention.
    capacity: Optional<Nested<CapacityModel>>,
    /// Whether a plan that would delete the topic is refused. It stays as it was when the line is removed. Default:
    /// what the environment's rules say, or `false`.
    #[attr(initially = false)]
    deletion_protection: OptionalComputed<bool>,
    /// Whether access that others were granted to the topic is revoked when it is deleted. Default: `false`, which refuses
    /// to delete it while there is any.
    revoke_grants_on_delete: Optional<bool>,
    /// Whether ACLs for the topic's very name, which outlived an older topic of that name, may stay when it is created.
    /// Default: `false`, which refuses to create it while there are any that nobody was granted.
    keep_acls: Optional<bool>,
    /// Where the topic is: `ready`; `requested` while the platform has yet to agree to what is declared, or to make what a
    /// team asked for that may not make it; `refused` where the platform did not agree. What was asked for is in the state
    /// from then on, so that the next plan is empty.
    status: Computed<String>,
    /// Id of the request that the platform decides about with `kafka_access_decision`, while what is declared waits for
    /// that or was rejected. Null for what nobody has to agree to, and once it is made.
    request_id: Computed<String>,
    /// How long each operation may take.
    timeouts: Block<Timeouts>,
}

/// What tells a topic from all others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct TopicIdentity {
    /// Id of the cluster.
    cluster_id: Required<String>,
    /// Name of the topic.
    name: Required<TopicName>,
}

/// The topic's UUID: a topic of the same name with another one holds other data.
const UUID: &str = "uuid";
/// The partitions that were declared at the last apply.
const APPLIED: &str = "partitions";
/// The partitions of a topic whose state has those that somebody must agree to; 0 where it is not there.
const ACTUAL: &str = "actual_partitions";
/// When the topic was created, in seconds since 1970: brokers show a new topic with a delay.
const CREATED: &str = "created";
/// The name of the topic if a plan that deletes it is refused, else null.
const PROTECTED: &str = "protected";
/// The topic of the prior state may be deleted although it is protected there.
const RELEASED: &str = "released";
/// The create belongs to a replacement, whose topic may still be there.
const REPLACING: &str = "replacing";
/// The name by which the first plan of a replacement has the topic already.
const PLANNED_AS: &str = "planned_as";
/// Facts that a plan tells its apply, and that mean nothing afterwards.
const OF_THE_PLAN: [&str; 6] = [PROTECTED, RELEASED, ENVIRONMENT, REPLACING, PLANNED_AS, MADE_ANEW];

/// How long a plan waits for a dry run, which is a service to its reader and no deed.
const DRY_RUN: Duration = Duration::from_secs(30);

/// The resource.
#[derive(Debug)]
pub enum Topic {}

impl Resource<Context> for Topic {
    const NAME: &'static str = "topic";
    type Model = TopicModel;
    type Identity = TopicIdentity;

    fn identity(state: &TopicModel) -> TopicIdentity {
        TopicIdentity { cluster_id: state.cluster_id.to_required(), name: state.name.clone() }
    }

    fn validate(config: &TopicModel, report: &mut Diagnostics) {
        if config.name.get().is_some_and(TopicName::is_internal) {
            report.push(told::internal(config.name.get()));
        }
        if let Some(count) = config.partitions.get().filter(|it| !(1..=MOST_PARTITIONS).contains(*it)) {
            let detail = format!("A topic has 1 to {MOST_PARTITIONS} partitions, not {count}.");
            report.push(Diagnostic::error("Invalid number of partitions", detail).at("partitions"));
        }
        if let Some(text) = config.application.get().filter(|it| application_name(it).is_none()) {
            report.push(wrong_application(text));
        }
        if let Some(count) = config.replication_factor.get().filter(|it| **it < 1) {
            let detail =
                format!("A partition has at least 1 copy, not {count}. Leave it out for the broker's default.");
            report.push(Diagnostic::error("Invalid replication factor", detail).at("replication_factor"));
        }
    }

    async fn plan(ctx: &Context, plan: &mut Plan<TopicModel>, call: &mut Call) -> Result<(), Failure> {
        if plan.replacing {
            call.private.set(REPLACING, true);
        }
        let Some(prior) = plan.prior.clone() else {
            plan_place(ctx, plan, call).await?;
            let environment = environment_of_plan(ctx, &plan.state)?;
            plan.leave_to_policy(&environment.governance_if_told(call.deadline).await?);
            return plan.refuse_second(ctx, call).await;
        };
        let released = plan.config.deletion_protection.get() == Some(&false);
        let protected = prior.deletion_protection.get() == Some(&true);
        call.private.set(PROTECTED, prior.name.get().filter(|_| protected && !released).map(ToString::to_string));
        call.private.set(RELEASED, protected && released);
        let moved = plan_place(ctx, plan, call).await;
        if plan.replace.is_empty() && !matches!(moved, Err(Failure::Told(_))) {
            plan.change_in_place(&prior, call)?;
        }
        moved?;
        leave_to_platform(ctx, plan, call).await?;
        plan_made_anew(plan, call);
        plan.refuse_second(ctx, call).await
    }

    async fn admit(ctx: &Context, change: &Change<TopicModel>, call: &mut Call) -> Result<(), Failure> {
        change.refuse_protected(call);
        if call.phase == Phase::Apply {
            // The deed is decided on what is newest.
            return Ok(());
        }
        let (Some(config), Some(plan)) = (&change.config, &change.plan) else {
            let Some(prior) = &change.prior else { return Ok(()) };
            return judge_end(environment_of_plan(ctx, prior)?, prior, call).await;
        };
        if change.replacing
            && let Some(prior) = &change.prior
            && let Ok((environment, _)) = environment_of_state(ctx, prior, call.deadline).await
        {
            judge_end(environment, prior, call).await?;
        }
        let environment = environment_of_plan(ctx, plan)?;
        if !judge(environment, change, call).await? {
            return Ok(());
        }
        tell_leave(environment, change, call).await?;
        let is_undone = change.prior.as_ref().is_some_and(|it| !it.is(READY));
        if change.is_about_timeouts(plan) || is_undone || only_asks(environment, call).await? {
            // The brokers would refuse whoever asks, whatever it is, and know nothing of what was only asked for.
            return Ok(());
        }
        let deadline = call.deadline.min(Instant::now() + DRY_RUN);
        let tried = match &change.prior {
            // The deed follows at once and tells as much.
            None if environment.has_made_anything() => Ok(()),
            None => environment.kafka()?.check_create_topic(&config.spec()?, deadline).await,
            // The next plan asks for the topic that replaces this one.
            Some(_) if change.replacing => Ok(()),
            Some(prior) => planning::try_update(environment, prior, plan, deadline).await?,
        };
        match tried {
            // It is the one that is replaced, or apply will tell.
            Err(KafkaError::TopicExists(_)) if change.replacing => {}
            Err(error) => call.report.push(dry_run(&error)),
            Ok(()) => {}
        }
        Ok(())
    }

    async fn create(
        ctx: &Context,
        plan: TopicModel,
        config: &TopicModel,
        call: &mut Call,
    ) -> Result<TopicModel, Failure> {
        let environment = environment_of_plan(ctx, &plan)?;
        let (kafka, mut spec) = (environment.kafka()?, config.spec()?);
        let cluster_id = environment.cluster_id(call.deadline).await?.to_owned();
        let replacing = call.private.is(REPLACING);
        call.private.forget(&OF_THE_PLAN);
        let governance = environment.governance(call.deadline).await?;
        let mut added = Added::default();
        if let Some(Governance { governed, snapshot }) = &governance
            && let Some(policy) = snapshot.state.policy()
        {
            let is_asked = governed.only_asks(&snapshot.state)
                || (waits(governed, &snapshot.state, &plan, &spec)?
                    && kafka.describe_topic(&spec.name, call.deadline).await?.is_none());
            if is_asked {
                let mut state = ask_for(governed, policy, plan, spec, call).await?;
                settle(&mut state, &environment.name, &cluster_id)?;
                return Ok(state);
            }
            added = add_policy(&mut spec, &policy.topics, &plan);
            may_describe(kafka, &spec, call.deadline).await?;
            let left_behind = governed.left_behind(&spec.name, call.deadline).await?;
            let request = TopicRequest { left_behind, ..config.request_of(&spec)? };
            governed.end_deletions(&snapshot.state, std::iter::once(&spec.name), call.deadline).await?;
            reserve(governed, request, call).await?;
        }
        if governance.is_none() {
            may_describe(kafka, &spec, call.deadline).await?;
        }
        // Nothing that this run made, or is to delete, is left over from an older one.
        let is_left = !replacing && !environment.has_made(&object(&spec.name));
        let found = match kafka.create_topic(&spec, call.deadline).await {
            Err(KafkaError::TopicExists(_)) if is_left => {
                let found = left_over(kafka, &spec, call.deadline).await?;
                call.report.push(told::taken_over(&spec.name));
                found
            }
            Err(error) => {
                if let Some(Governance { governed, .. }) = &governance {
                    give_back(governed, &spec.name, &error, call).await;
                }
                return Err(error.into());
            }
            Ok(found) => found,
        };
        environment.note_made(&object(&spec.name));
        call.private.set(CREATED, now());
        call.private.set(UUID, found.id.clone());
        call.private.set(APPLIED, found.partitions);
        if let Some(Governance { governed, .. }) = &governance {
            made(governed, &found, call).await?;
        }
        let mut state = TopicModel {
            partitions: found.partitions.into(),
            replication_factor: found.replication_factor.into(),
            status: READY.to_owned().into(),
            request_id: None.into(),
            ..plan.with(added)
        };
        settle(&mut state, &environment.name, &cluster_id)?;
        Ok(state)
    }

    async fn read(ctx: &Context, state: TopicModel, call: &mut Call) -> Result<Option<TopicModel>, Failure> {
        let imported = call.private.take(IMPORTED).is_some();
        let (environment, cluster_id) = environment_of_state(ctx, &state, call.deadline).await?;
        expect_governed(call, environment).await?;
        let kafka = environment.kafka()?;
        let name = state.name.value()?.clone();
        let found = if imported {
            kafka.describe_topic(&name, call.deadline).await
        } else {
            reading::refreshed(kafka, &name, &state.owned_keys(), call).await
        };
        match found {
            Ok(None) => expected(environment, &state, None, call).await,
            Ok(Some(found)) => {
                if let Some(expected) = expected(environment, &state, Some(&found), call).await? {
                    return Ok(Some(expected));
                }
                tell_made_anew(environment, &found, imported, call).await?;
                let mut seen = state.seen(found, &environment.name, cluster_id, imported, call);
                if imported
                    && let Governing::Journal(it) = environment.governance_if_told(call.deadline).await?
                    && let Some(policy) = it.snapshot.state.policy()
                {
                    seen.leave_defaults_to(&policy.topics);
                }
                mark_ending(environment, &mut seen, call).await?;
                Ok(Some(seen))
            }
            Err(error @ KafkaError::Denied { .. }) if !imported => {
                let detail =
                    format!("The topic `{name}` may not be described, so that its state stays as it was stored.");
                call.report.push(Diagnostic::warning("Topic not refreshed", detail).caused_by(&error));
                Ok(Some(state))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn update(
        ctx: &Context,
        prior: TopicModel,
        plan: TopicModel,
        config: &TopicModel,
        call: &mut Call,
    ) -> Result<TopicModel, Failure> {
        let environment = environment_of_plan(ctx, &plan)?;
        let (kafka, name) = (environment.kafka()?, plan.name.value()?);
        let changes = config_changes(&prior.config_known()?, &plan.config_known()?);
        call.private.forget(&OF_THE_PLAN);
        expect_governed(call, environment).await?;
        if let Some(Governance { governed, snapshot }) = environment.governance(call.deadline).await? {
            if governed.only_asks(&snapshot.state) || is_asked(&governed, &snapshot.state, &prior, &plan)? {
                let id = plan.id_in(&environment.name)?;
                let asked = ask_change(&governed, &prior, plan.clone(), config, call).await?;
                return Ok(TopicModel { id: id.into(), cluster_id: prior.cluster_id, ..asked });
            }
            keep(&governed, &prior, &plan, call).await?;
        }
        let partitions = *plan.partitions.known()?.ok_or(Unknown)?;
        if prior.partitions != plan.partitions || !changes.is_empty() {
            expect_cluster(&prior, environment, call.deadline).await?;
            let found = kafka.describe_topic(name, call.deadline).await?;
            let found = found.ok_or_else(|| KafkaError::NoTopic(name.to_string()))?;
            same_topic(call, &found)?;
            if partitions < found.partitions {
                return Err(told::stale(partitions, found.partitions));
            }
        }
        if prior.partitions != plan.partitions {
            kafka.grow_partitions(name, partitions, call.deadline).await?;
        }
        if !changes.is_empty() {
            kafka.alter_topic_config(name, &changes, call.deadline).await?;
        }
        if let Some(declared) = config.partitions.get() {
            call.private.set(APPLIED, *declared);
        }
        Ok(TopicModel {
            id: plan.id_in(&environment.name)?.into(),
            cluster_id: prior.cluster_id,
            status: READY.to_owned().into(),
            request_id: None.into(),
            ..plan
        })
    }

    async fn delete(ctx: &Context, state: TopicModel, call: &mut Call) -> Result<(), Failure> {
        let name = state.name.value()?.clone();
        end(ctx, state, call).await.map_err(|it| naming(it, &format!("the topic `{name}`")))
    }

    async fn import(ctx: &Context, import: Import<TopicIdentity>, call: &mut Call) -> Result<TopicModel, Failure> {
        let named = |it: TopicIdentity| Ok((it.cluster_id, it.name.value()?.clone()));
        let (environment, name): (_, TopicName) = import_of(ctx, "topic", import, named, call.deadline).await?;
        if name.is_internal() {
            return Err(told::internal(Some(&name)).into());
        }
        let state = TopicModel { name: name.into(), deletion_protection: false.into(), ..TopicModel::default() };
        settle_imported(state, environment, call).await
    }
}

impl Placed for TopicModel {
    const WHAT: &'static str = "topic";

    place_attributes!();

    fn local_name(&self) -> Result<String, Unknown> {
        Ok(self.name.value()?.to_string())
    }
}

impl TopicModel {
    /// The keys that the state owns.
    fn owned_keys(&self) -> Vec<String> {
        let owned = self.config.get().into_iter().flatten();
        owned.filter(|(_, value)| **value != Element::Null).map(|(key, _)| key.clone()).collect()
    }

    /// The configuration without keys that are null.
    fn config_known(&self) -> Result<BTreeMap<String, String>, Unknown> {
        let mut res = BTreeMap::new();
        for (key, value) in self.config.known()?.into_iter().flatten() {
            res.extend(value.known()?.map(|it| (key.clone(), it.clone())));
        }
        Ok(res)
    }

    fn spec(&self) -> Result<TopicSpec, Unknown> {
        let Self {
            id: _,
            environment: _,
            cluster_id: _,
            name,
            partitions,
            replication_factor,
            config: _,
            policy_config: _,
            application: _,
            capacity: _,
            deletion_protection: _,
            revoke_grants_on_delete: _,
            keep_acls: _,
            status: _,
            request_id: _,
            timeouts: _,
        } = self;
        Ok(TopicSpec {
            name: name.value()?.clone(),
            partitions: partitions.known()?.copied(),
            replication_factor: replication_factor.known()?.copied(),
            config: self.config_known()?,
        })
    }
}

/// Refuses to make a topic of which the broker decides something and that the caller may not look at: what was made could
/// not be told.
async fn may_describe(kafka: &dyn Kafka, spec: &TopicSpec, deadline: Instant) -> Result<(), Failure> {
    if spec.partitions.is_some() && spec.replication_factor.is_some() {
        return Ok(());
    }
    // Brokers that do not tell do not keep anybody from trying.
    let rights = kafka.topic_rights(&spec.name, deadline).await.unwrap_or(None);
    if rights.is_none_or(|it| it.contains(&Operation::Describe)) {
        return Ok(());
    }
    Err(told::not_shown(&spec.name).into())
}

/// Refuses another topic of the same name.
fn same_topic(call: &Call, found: &Found) -> Result<(), Failure> {
    match (call.private.text(UUID), &found.id) {
        (Some(own), Some(actual)) if own != actual => Err(told::made_anew(Diagnostic::error, &found.name).into()),
        _ => Ok(()),
    }
}

/// What tells a topic from those that it cannot stand beside in a cluster: Kafka's metrics do not tell `.` from `_`.
fn object(name: &TopicName) -> String {
    format!("topic/{}", name.metric_name())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs())
}

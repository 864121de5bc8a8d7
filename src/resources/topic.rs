//! `kafka_topic`: a topic of one environment.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use super::failures::dry_run;
use crate::{
    clients::kafka::{ConfigEntry, Kafka, KafkaError, Topic as Found},
    framework::{
        Block, Call, Change, Computed, Diagnostic, Diagnostics, Element, Failure, Import, Model, Optional,
        OptionalComputed, Path, Phase, Plan, Required, Resource, Timeouts, Unknown,
    },
    governance::topic::{MOST_PARTITIONS, PartitionChange, TopicName, TopicSpec, config_changes, partition_change},
    provider::{Context, Environment},
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
    /// Whether a plan that would delete the topic is refused. It stays as it was when the line is removed. Default:
    /// `false`.
    #[attr(initially = false)]
    deletion_protection: OptionalComputed<bool>,
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
/// When the topic was created, in seconds since 1970: brokers show a new topic with a delay.
const CREATED: &str = "created";
/// The state comes from an import, and owns what the topic overrides.
const IMPORTED: &str = "imported";
/// A plan that deletes the topic is refused.
const PROTECTED: &str = "protected";
/// The topic of the prior state may be deleted although it is protected there.
const RELEASED: &str = "released";
/// The create belongs to a replacement, whose topic may still be there.
const REPLACING: &str = "replacing";

/// How long after its creation a topic may be invisible to a broker.
const SETTLING: Duration = Duration::from_mins(1);

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
            report.push(internal(config.name.get()));
        }
        if let Some(count) = config.partitions.get().filter(|it| !(1..=MOST_PARTITIONS).contains(*it)) {
            let detail = format!("A topic has 1 to {MOST_PARTITIONS} partitions, not {count}.");
            report.push(Diagnostic::error("Invalid number of partitions", detail).at("partitions"));
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
        let Some(prior) = plan.prior.clone() else { return plan.state.name_new(ctx, &plan.config) };
        let released = plan.config.deletion_protection.get() == Some(&false);
        let protected = prior.deletion_protection.get() == Some(&true);
        call.private.set(PROTECTED, protected && !released);
        call.private.set(RELEASED, protected && released);
        plan.state.partitions_from(&prior, plan.config.partitions.get(), call)?;
        if plan.state.replication_factor != prior.replication_factor && plan.replace.is_empty() {
            return Err(Diagnostic::error(
                "Replication factor cannot change in place",
                "This version does not move replicas. Change it with Kafka's own tools, then here.",
            )
            .at("replication_factor")
            .into());
        }
        plan.move_to_environment(ctx, &prior, call).await
    }

    async fn admit(ctx: &Context, change: &Change<TopicModel>, call: &mut Call) -> Result<(), Failure> {
        change.refuse_protected(call);
        let (Some(config), Some(plan)) = (&change.config, &change.plan) else { return Ok(()) };
        if call.phase == Phase::Apply {
            return Ok(());
        }
        let environment = ctx.environment(plan.environment.known()?.map(String::as_str))?;
        let name = plan.name.value()?;
        if change.is_create() && !environment.plan_once(&object(name)) {
            let detail = format!("Another resource of this plan has the name `{name}` too. Each topic has one owner.");
            call.report.push(Diagnostic::error("Topic planned twice", detail).at("name"));
            return Ok(());
        }
        if change.replacing && change.is_create() {
            return Ok(());
        }
        let tried = match &change.prior {
            None => environment.kafka()?.check_create_topic(&config.spec()?, call.deadline).await,
            Some(prior) => try_update(environment.kafka()?, prior, plan, call.deadline).await?,
        };
        if let Err(error) = tried {
            call.report.push(dry_run(&error));
        }
        Ok(())
    }

    async fn create(
        ctx: &Context,
        plan: TopicModel,
        config: &TopicModel,
        call: &mut Call,
    ) -> Result<TopicModel, Failure> {
        let environment = ctx.environment(plan.environment.known()?.map(String::as_str))?;
        let (kafka, spec) = (environment.kafka()?, config.spec()?);
        let cluster_id = environment.cluster_id(call.deadline).await?.to_owned();
        let replacing = call.private.take(REPLACING).is_some();
        let found = match kafka.create_topic(&spec, call.deadline).await {
            Err(KafkaError::TopicExists(_)) if !replacing => resume(kafka, &spec, call.deadline).await?,
            answer => answer?,
        };
        environment.note_made(&object(&spec.name));
        call.private.set(CREATED, now());
        call.private.set(UUID, found.id.clone());
        call.private.set(APPLIED, found.partitions);
        Ok(TopicModel {
            id: format!("{}/{}", environment.name, spec.name).into(),
            environment: environment.name.clone().into(),
            cluster_id: cluster_id.into(),
            partitions: found.partitions.into(),
            replication_factor: found.replication_factor.into(),
            ..plan
        })
    }

    async fn read(ctx: &Context, state: TopicModel, call: &mut Call) -> Result<Option<TopicModel>, Failure> {
        let imported = call.private.take(IMPORTED).is_some();
        let cluster_id = state.cluster_id.get().cloned();
        let name = state.environment.get().map(String::as_str);
        let environment = ctx.environment_of(name, cluster_id.as_deref(), call.deadline).await?;
        let actual = environment.cluster_id(call.deadline).await?.to_owned();
        if cluster_id.is_some_and(|it| it != actual) {
            return Err(other_cluster(environment, &actual));
        }
        let kafka = environment.kafka()?;
        let name = state.name.value()?.clone();
        let found = if imported {
            kafka.describe_topic(&name, call.deadline).await
        } else {
            refreshed(kafka, &name, &state.owned_keys(), call).await
        };
        match found {
            Ok(None) => Ok(None),
            Ok(Some(found)) => Ok(Some(state.seen(found, &environment.name, actual, imported, call))),
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
        _config: &TopicModel,
        call: &mut Call,
    ) -> Result<TopicModel, Failure> {
        let environment = ctx.environment(plan.environment.known()?.map(String::as_str))?;
        let (kafka, name) = (environment.kafka()?, plan.name.value()?);
        let partitions = *plan.partitions.known()?.ok_or(Unknown)?;
        if prior.partitions != plan.partitions {
            let found = kafka.describe_topic(name, call.deadline).await?;
            let found = found.ok_or_else(|| KafkaError::NoTopic(name.to_string()))?;
            if partitions < found.partitions {
                return Err(stale(partitions, found.partitions));
            }
            kafka.grow_partitions(name, partitions, call.deadline).await?;
        }
        let changes = config_changes(&prior.config_known()?, &plan.config_known()?);
        if !changes.is_empty() {
            kafka.alter_topic_config(name, &changes, call.deadline).await?;
        }
        call.private.set(APPLIED, partitions);
        Ok(TopicModel { id: format!("{}/{name}", environment.name).into(), cluster_id: prior.cluster_id, ..plan })
    }

    async fn delete(ctx: &Context, state: TopicModel, call: &mut Call) -> Result<(), Failure> {
        let (name, cluster_id) = (state.environment.get().map(String::as_str), state.cluster_id.get());
        let environment = ctx.environment_of(name, cluster_id.map(String::as_str), call.deadline).await?;
        let actual = environment.cluster_id(call.deadline).await?;
        if cluster_id.is_some_and(|it| it != actual) {
            return Err(other_cluster(environment, actual));
        }
        let (kafka, name) = (environment.kafka()?, state.name.value()?);
        let Some(found) = kafka.describe_topic(name, call.deadline).await? else { return Ok(()) };
        if environment.has_made(&object(name)) {
            let detail = format!(
                "`{name}` is the new topic by now: this run created it, or took it over because it was empty. With \
                 `create_before_destroy`, a topic of the same name is not replaced."
            );
            call.report.push(Diagnostic::warning("Topic not deleted", detail));
            return Ok(());
        }
        match (call.private.text(UUID), &found.id) {
            (Some(own), Some(actual)) if own != actual => Err(recreated(Diagnostic::error, name).into()),
            _ => Ok(kafka.delete_topic(name, call.deadline).await?),
        }
    }

    async fn import(ctx: &Context, import: Import<TopicIdentity>, call: &mut Call) -> Result<TopicModel, Failure> {
        let (environment, name) = match import {
            Import::Id(id) => {
                let (environment, name) = match id.rsplit_once('/') {
                    Some((environment, name)) => (Some(environment), name),
                    None => (None, id.as_str()),
                };
                let name = name.parse().map_err(|error| {
                    let form =
                        "The identifier of a topic is `<environment>/<name>`, or `<name>` in the only environment.";
                    Diagnostic::error("Invalid topic identifier", form).caused_by(&error)
                })?;
                (ctx.environment(environment)?, name)
            }
            Import::Identity(TopicIdentity { cluster_id, name }) => {
                let cluster_id = cluster_id.value()?;
                let environment = ctx.with_cluster(cluster_id, call.deadline).await?.ok_or_else(|| {
                    let detail = format!(
                        "No environment of the provider block has the cluster `{cluster_id}`, or it cannot be reached."
                    );
                    Diagnostic::error("Unknown cluster", detail)
                })?;
                (environment, name.value()?.clone())
            }
        };
        if name.is_internal() {
            return Err(internal(Some(&name)).into());
        }
        call.private.set(IMPORTED, true);
        Ok(TopicModel {
            id: format!("{}/{name}", environment.name).into(),
            environment: environment.name.clone().into(),
            cluster_id: environment.cluster_id(call.deadline).await?.to_owned().into(),
            name: name.into(),
            deletion_protection: false.into(),
            ..TopicModel::default()
        })
    }
}

impl TopicModel {
    /// Tells the names of a topic that is to be created, as far as they are known.
    fn name_new(&mut self, ctx: &Context, config: &Self) -> Result<(), Failure> {
        let environment = ctx.environment(config.environment.known()?.map(String::as_str))?;
        self.environment = environment.name.clone().into();
        self.id = format!("{}/{}", environment.name, self.name.value()?).into();
        Ok(())
    }

    /// Decides what becomes of the partitions.
    fn partitions_from(&mut self, prior: &Self, declared: Option<&i32>, call: &mut Call) -> Result<(), Failure> {
        let (Some(actual), Some(declared)) = (prior.partitions.get(), declared) else { return Ok(()) };
        let applied = call.private.get(APPLIED).and_then(serde_json::Value::as_i64).and_then(|it| it.try_into().ok());
        match partition_change(*actual, *declared, applied) {
            PartitionChange::Keep | PartitionChange::Grow(_) => {}
            PartitionChange::GrownOutside => {
                self.partitions = prior.partitions.clone();
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

    /// The keys that the state owns.
    fn owned_keys(&self) -> Vec<String> {
        let owned = self.config.get().into_iter().flatten();
        owned.filter(|(_, value)| **value != Element::Null).map(|(key, _)| key.clone()).collect()
    }

    /// The configuration without keys that are null.
    fn config_known(&self) -> Result<BTreeMap<String, String>, Unknown> {
        let mut res = BTreeMap::new();
        for (key, value) in self.config.known()?.into_iter().flatten() {
            match value {
                Element::Known(value) => _ = res.insert(key.clone(), value.clone()),
                Element::Unknown => return Err(Unknown),
                Element::Null => {}
            }
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
            deletion_protection: _,
            timeouts: _,
        } = self;
        Ok(TopicSpec {
            name: name.value()?.clone(),
            partitions: partitions.known()?.copied(),
            replication_factor: replication_factor.known()?.copied(),
            config: self.config_known()?,
        })
    }

    /// The state after a look at the cluster. Only the keys that the state owns are read: the others are not ours.
    fn seen(mut self, found: Found, environment: &str, cluster_id: String, imported: bool, call: &mut Call) -> Self {
        let Found { name, id, partitions, replication_factor, config } = found;
        match (call.private.text(UUID).map(str::to_owned), id) {
            (Some(own), Some(actual)) if own != actual => call.report.push(recreated(Diagnostic::warning, &name)),
            (None, Some(actual)) => call.private.set(UUID, actual),
            _ => {}
        }
        let environment = self.environment.get().map_or(environment, String::as_str).to_owned();
        match config {
            Some(config) if imported => {
                call.private.set(APPLIED, partitions);
                self.config = overrides(&config);
            }
            Some(config) => self.config = still_owned(self.config, &config),
            None => call.report.push(Diagnostic::warning(
                "Configuration not refreshed",
                format!("The configuration of `{name}` may not be described (DESCRIBE_CONFIGS), so it stays as it was stored."),
            )),
        }
        Self {
            id: format!("{environment}/{name}").into(),
            environment: environment.into(),
            cluster_id: cluster_id.into(),
            name: name.into(),
            partitions: partitions.into(),
            replication_factor: replication_factor.into(),
            config: self.config,
            deletion_protection: self.deletion_protection.get().copied().unwrap_or(false).into(),
            timeouts: self.timeouts,
        }
    }
}

impl Plan<TopicModel> {
    /// Follows an environment that was renamed, and replaces the topic if it is another cluster.
    async fn move_to_environment(&mut self, ctx: &Context, prior: &TopicModel, call: &mut Call) -> Result<(), Failure> {
        if self.state.environment == prior.environment {
            // Nobody moves it, but its environment must still be there.
            let Some(name) = prior.environment.get() else { return Ok(()) };
            return match (self.config.environment.is_null(), ctx.environment(Some(name))) {
                (true, Err(Failure::Told(_))) => Err(Diagnostic::error(
                    "Environment renamed",
                    format!(
                        "The topic belongs to the environment `{name}`, which the provider block does not have.\n\nSet \
                         `environment` to the present name of its cluster, or restore the name."
                    ),
                )
                .at("environment")
                .into()),
                (_, answer) => answer.map(|_| ()),
            };
        }
        let environment = ctx.environment(self.state.environment.known()?.map(String::as_str))?;
        let cluster_id = environment.cluster_id(call.deadline).await?;
        if prior.cluster_id.get().is_some_and(|it| it == cluster_id) {
            self.state.cluster_id = prior.cluster_id.clone();
            self.state.id = format!("{}/{}", environment.name, self.state.name.value()?).into();
        } else {
            self.replace.push(Path::attribute("environment"));
        }
        Ok(())
    }
}

impl Change<TopicModel> {
    /// Refuses to delete a protected topic. The prior state decides, and the facts of the first plan where a replacement
    /// has none.
    fn refuse_protected(&self, call: &mut Call) {
        let protected = match &self.prior {
            Some(prior) => prior.deletion_protection.get() == Some(&true) && !call.private.is(RELEASED),
            None => self.replacing && call.private.is(PROTECTED),
        };
        if protected && (self.is_destroy() || self.replacing) {
            call.report.push(
                Diagnostic::error(
                    "Topic is protected",
                    "The plan would delete a topic and its data, and `deletion_protection` is true in its state.\n\nIf \
                     that is meant, set `deletion_protection = false` and apply, then delete it. To keep the topic and \
                     only stop managing it, use a `removed` block with `destroy = false`.",
                )
                .at("deletion_protection"),
            );
        }
    }
}

/// Asks the cluster whether it would make the changes of an update.
async fn try_update(
    kafka: &dyn Kafka,
    prior: &TopicModel,
    plan: &TopicModel,
    deadline: Instant,
) -> Result<Result<(), KafkaError>, Failure> {
    let name = plan.name.value()?;
    if let (true, Some(count)) = (prior.partitions != plan.partitions, plan.partitions.known()?)
        && let Err(error) = kafka.check_grow_partitions(name, *count, deadline).await
    {
        return Ok(Err(error));
    }
    let changes = config_changes(&prior.config_known()?, &plan.config_known()?);
    if changes.is_empty() { Ok(Ok(())) } else { Ok(kafka.check_alter_topic_config(name, &changes, deadline).await) }
}

/// Takes a topic that is there already for the work of a create that was interrupted: it is as it should be, and nobody
/// ever wrote to it, so that nothing can be lost.
async fn resume(kafka: &dyn Kafka, spec: &TopicSpec, deadline: Instant) -> Result<Found, Failure> {
    let exists = || KafkaError::TopicExists(spec.name.to_string());
    let found = kafka.describe_topic(&spec.name, deadline).await?.ok_or_else(exists)?;
    let overridden = found.config.as_ref().map(|config| {
        let own = config.iter().filter(|(_, it)| it.overridden);
        own.filter_map(|(key, it)| Some((key.clone(), it.value.clone()?))).collect::<BTreeMap<_, _>>()
    });
    let as_planned = spec.partitions.is_none_or(|it| it == found.partitions)
        && spec.replication_factor.is_none_or(|it| it == found.replication_factor)
        && overridden.as_ref() == Some(&spec.config);
    if as_planned && kafka.topic_never_written(&spec.name, deadline).await? { Ok(found) } else { Err(exists().into()) }
}

/// A topic for a refresh. One that was created a moment ago may not show yet, and is asked for until it does.
async fn refreshed(
    kafka: &dyn Kafka,
    name: &TopicName,
    keys: &[String],
    call: &Call,
) -> Result<Option<Found>, KafkaError> {
    let created = call.private.get(CREATED).and_then(serde_json::Value::as_u64).unwrap_or(0);
    loop {
        let found = kafka.refresh_topic(name, keys, call.deadline).await?;
        let settled = SETTLING.as_secs() < now().abs_diff(created) || call.deadline <= Instant::now();
        if found.is_some() || settled {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The configuration that an import owns: exactly what the topic overrides.
fn overrides(config: &BTreeMap<String, ConfigEntry>) -> Optional<BTreeMap<String, Element<String>>> {
    let own = config.iter().filter(|(_, it)| it.overridden);
    let own: BTreeMap<_, _> =
        own.filter_map(|(key, it)| Some((key.clone(), Element::Known(it.value.clone()?)))).collect();
    if own.is_empty() { Optional::default() } else { own.into() }
}

/// The owned keys with their present values. A key that was lost outside is dropped, so that the plan adds it again.
fn still_owned(
    owned: Optional<BTreeMap<String, Element<String>>>,
    config: &BTreeMap<String, ConfigEntry>,
) -> Optional<BTreeMap<String, Element<String>>> {
    let Some(owned) = owned.get() else { return owned };
    let present = |(key, value): (&String, &Element<String>)| match (value, config.get(key)) {
        (Element::Null, _) => Some((key.clone(), Element::Null)),
        (_, Some(ConfigEntry { value: Some(actual), overridden: true })) => {
            Some((key.clone(), Element::Known(actual.clone())))
        }
        _ => None,
    };
    owned.iter().filter_map(present).collect::<BTreeMap<_, _>>().into()
}

fn object(name: &TopicName) -> String {
    format!("topic/{name}")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs())
}

fn internal(name: Option<&TopicName>) -> Diagnostic {
    let name = name.map(ToString::to_string).unwrap_or_default();
    let detail =
        format!("`{name}` is one of Kafka's own topics, whose names begin with `__`. They are not managed here.");
    Diagnostic::error("Internal topic", detail).at("name")
}

fn stale(planned: i32, actual: i32) -> Failure {
    let detail = format!("The plan has {planned} partitions, and by now the topic has {actual}.\n\nPlan again.");
    Diagnostic::error("Plan is stale", detail).at("partitions").into()
}

fn other_cluster(environment: &Environment, actual: &str) -> Failure {
    Diagnostic::error(
        "Environment is another cluster",
        format!(
            "The environment `{}` leads to the cluster `{actual}`, and the topic was made in another one. Nothing is \
             concluded from that.\n\nCorrect `bootstrap_servers`, or give the new cluster an environment name of its own.",
            environment.name
        ),
    )
    .at("environment")
    .into()
}

fn recreated(severity: fn(String, String) -> Diagnostic, name: &TopicName) -> Diagnostic {
    severity(
        "Topic was made anew outside".to_owned(),
        format!(
            "Somebody deleted `{name}` and created it again: it holds other data than the topic that was managed here, \
             and it will not be deleted.\n\nTo manage the new one, remove the old one from the state with a `removed` \
             block and import it."
        ),
    )
}

#[cfg(test)]
mod tests;

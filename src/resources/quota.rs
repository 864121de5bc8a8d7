//! `kafka_quota`: how much of the brokers users, client ids and addresses may use.

mod checking;
mod entity;
mod limits;
#[cfg(test)]
mod tests;
mod told;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use entity::EntityName;
use limits::{changes, conflicts, shown};

use super::{
    application::OnExisting,
    failures::dry_run,
    place::{
        IMPORTED, Placed, environment_of_identity, environment_of_plan, environment_of_state, expect_cluster,
        place_attributes, plan_place, settle, settle_imported, settle_seen,
    },
    users::{OF_THE_PLAN, REPLACING, judge, patience, plan_once},
};
use crate::{
    clients::kafka::{KafkaError, Quota as Limits, QuotaEntity, QuotaName},
    framework::{
        Block, Call, Change, Computed, Diagnostics, Element, Failure, Import, Model, Number, Optional,
        OptionalComputed, Path, Phase, Plan, Required, Resource, Timeouts, Unknown,
    },
    governance::{check_user::check_quota, client_quota::QuotaUser},
    provider::{Context, Environment},
};

/// How much of the brokers somebody may use: a user, a client id, a client id of a user, or an address; each by name, or all
/// that have no quota of their own.
///
/// Each broker counts for itself, so that a user has the limit once on each. Only the limits that are written here are
/// managed: others of the same entity are never a difference, and stay when this is destroyed. A limit that is removed here
/// is removed from the brokers.
///
/// Applying it takes the right `ALTER_CONFIGS` on the cluster, a refresh `DESCRIBE_CONFIGS`, and Kafka 2.6. Where an environment
/// is declared, quotas are the platform's: an application has `client_quota` of its `kafka_application`, and what that holds
/// is refused here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct QuotaModel {
    /// Identifier of the quota: `<environment>/<entity>`, where an entity is written as `user=alice`,
    /// `user=alice,client-id=app`, `client-id=<default>` or `ip=192.0.2.1`, and `,`, `/`, `<` and `%` in a name as `%2C`, `%2F`,
    /// `%3C` and `%25`.
    #[attr(unknown_when = &["environment"])]
    id: Computed<String>,
    /// Name of the environment. Default: the provider's default environment when the quota is created. Another name for the
    /// same cluster changes nothing; another cluster replaces the quota.
    environment: OptionalComputed<String>,
    /// Id of the cluster that keeps the quota.
    #[attr(unknown_when = &["environment"])]
    cluster_id: Computed<String>,
    /// Name of the user, without `User:`. Another entity replaces the quota.
    user: Optional<String>,
    /// Whether all users are meant that have no quota of their own, instead of `user`.
    user_default: Optional<bool>,
    /// The client id (`client.id`), beside a user or alone. Another entity replaces the quota.
    client_id: Optional<String>,
    /// Whether all client ids are meant that have no quota of their own, instead of `client_id`.
    client_id_default: Optional<bool>,
    /// The address that connections come from. Another entity replaces the quota.
    ip: Optional<String>,
    /// Whether all addresses are meant that have no quota of their own, instead of `ip`.
    ip_default: Optional<bool>,
    /// Bytes written to each broker a second.
    producer_byte_rate: Optional<Number>,
    /// Bytes read from each broker a second.
    consumer_byte_rate: Optional<Number>,
    /// Share of the time of each broker's threads, in percent of one thread: `200` is two threads.
    request_percentage: Optional<Number>,
    /// Partitions created and deleted a second, in the whole cluster.
    controller_mutation_rate: Optional<Number>,
    /// Connections made to each broker a second, of an address.
    connection_creation_rate: Optional<Number>,
    /// What becomes of a limit that the entity has already when this one is to be created, if it is another one: `fail` refuses
    /// to change it, `adopt` does. Default: `fail`.
    on_existing: Optional<OnExisting>,
    /// The kind of the entity, as other providers write it: `user`, `client-id` or `ip`.
    #[attr(deprecated = "Write `user`, `client_id` or `ip`.")]
    entity_type: Optional<String>,
    /// The name of the entity, as other providers write it; all others of the kind if it is left out.
    #[attr(deprecated = "Write `user`, `client_id` or `ip`, or `user_default`, `client_id_default` or `ip_default`.")]
    entity_name: Optional<String>,
    /// The limits by Kafka's keys, as other providers write them.
    #[attr(deprecated = "Write each limit as an attribute of its name.")]
    config: Optional<BTreeMap<String, Element<Number>>>,
    /// How long each operation may take.
    timeouts: Block<Timeouts>,
}

/// What tells a quota from all others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct QuotaIdentity {
    /// Id of the cluster.
    cluster_id: Required<String>,
    /// The entity, as in the identifier.
    entity: Required<String>,
}

/// The resource.
#[derive(Debug)]
pub enum Quota {}

impl Resource<Context> for Quota {
    const NAME: &'static str = "quota";
    type Model = QuotaModel;
    type Identity = QuotaIdentity;

    fn identity(state: &QuotaModel) -> QuotaIdentity {
        let entity = state.name().map_or_else(|_| Required::unknown(), |it| it.to_string().into());
        QuotaIdentity { cluster_id: state.cluster_id.to_required(), entity }
    }

    fn validate(config: &QuotaModel, report: &mut Diagnostics) {
        config.check_entity(report);
        config.check_limits(report);
    }

    async fn plan(ctx: &Context, plan: &mut Plan<QuotaModel>, call: &mut Call) -> Result<(), Failure> {
        if let Some(prior) = &plan.prior
            && prior.name()? != plan.state.name().unwrap_or(EntityName(QuotaEntity::default()))
        {
            plan.replace.push(prior.other_entity(&plan.state));
        }
        plan_place(ctx, plan, call).await?;
        let name = plan.state.name()?;
        plan_once(ctx, plan, &name.object(), call, || told::twice(&name)).await
    }

    async fn admit(ctx: &Context, change: &Change<QuotaModel>, call: &mut Call) -> Result<(), Failure> {
        let Some(here) = change.plan.as_ref().or(change.prior.as_ref()) else { return Ok(()) };
        let environment = environment_of_plan(ctx, here)?;
        for it in [change.ending(), change.plan.as_ref()].into_iter().flatten() {
            let user = it.only_user()?;
            judge(environment, call, |state, working| check_quota(state, working, user.as_ref())).await?;
        }
        // The deed tells as much.
        if call.phase == Phase::Apply || call.report.has_errors() || environment.has_made_anything() {
            return Ok(());
        }
        match (&change.plan, &change.prior) {
            (Some(plan), _) if !change.replacing => look_ahead(environment, change.prior.as_ref(), plan, call).await,
            _ => Ok(()),
        }
    }

    async fn create(ctx: &Context, plan: QuotaModel, _: &QuotaModel, call: &mut Call) -> Result<QuotaModel, Failure> {
        let environment = environment_of_plan(ctx, &plan)?;
        let (kafka, name, wanted) = (environment.kafka()?, plan.name()?, plan.limits()?);
        let cluster_id = environment.cluster_id(call.deadline).await?.to_owned();
        let replacing = call.private.is(REPLACING);
        call.private.forget(&OF_THE_PLAN);
        if !replacing && !plan.adopts()? && !environment.has_made(&name.object()) {
            let other = conflicts(&wanted, &kafka.quota(&name.0, call.deadline).await?);
            if !other.is_empty() {
                return Err(told::exists(Phase::Apply, &name, &other).into());
            }
        }
        kafka.alter_quota(&name.0, &changes(&Limits::new(), &wanted), call.deadline).await?;
        environment.note_made(&name.object());
        let mut state = plan;
        settle(&mut state, &environment.name, &cluster_id)?;
        Ok(state)
    }

    async fn read(ctx: &Context, state: QuotaModel, call: &mut Call) -> Result<Option<QuotaModel>, Failure> {
        let is_import = call.private.take(IMPORTED).is_some();
        let (environment, cluster_id) = environment_of_state(ctx, &state, call.deadline).await?;
        let (kafka, name) = (environment.kafka()?, state.name()?);
        let found = match kafka.refresh_quota(&name.0, call.deadline).await {
            // Only an answer about this very entity says that it is gone.
            Ok(found) if state.seen(&found, is_import).is_none() => kafka.quota(&name.0, call.deadline).await,
            found => found,
        };
        match found {
            Ok(found) => match state.seen(&found, is_import) {
                Some(seen) => Ok(Some(settle_seen(seen, environment, cluster_id)?)),
                None => Ok(None),
            },
            Err(error @ KafkaError::Denied { .. }) if !is_import => {
                call.report.push(told::not_refreshed(&name).caused_by(&error));
                Ok(Some(settle_seen(state, environment, cluster_id)?))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn update(
        ctx: &Context,
        prior: QuotaModel,
        plan: QuotaModel,
        _: &QuotaModel,
        call: &mut Call,
    ) -> Result<QuotaModel, Failure> {
        let environment = environment_of_plan(ctx, &plan)?;
        let cluster_id = expect_cluster(&prior, environment, call.deadline).await?.to_owned();
        call.private.forget(&OF_THE_PLAN);
        let changes = changes(&prior.limits()?, &plan.limits()?);
        if !changes.is_empty() {
            environment.kafka()?.alter_quota(&plan.name()?.0, &changes, call.deadline).await?;
        }
        let mut state = plan;
        settle(&mut state, &environment.name, &cluster_id)?;
        Ok(state)
    }

    async fn delete(ctx: &Context, state: QuotaModel, call: &mut Call) -> Result<(), Failure> {
        let (environment, _) = environment_of_state(ctx, &state, call.deadline).await?;
        let name = state.name()?;
        if environment.has_made(&name.object()) {
            call.report.push(told::kept(&name));
            return Ok(());
        }
        let changes = changes(&state.limits()?, &Limits::new());
        Ok(environment.kafka()?.alter_quota(&name.0, &changes, call.deadline).await?)
    }

    async fn import(ctx: &Context, import: Import<QuotaIdentity>, call: &mut Call) -> Result<QuotaModel, Failure> {
        let (environment, EntityName(entity)) = match import {
            Import::Id(id) => {
                let (environment, entity) = EntityName::identified(&id).map_err(|_| told::identifier())?;
                (ctx.environment(environment)?, entity)
            }
            Import::Identity(it) => {
                let environment = environment_of_identity(ctx, &it.cluster_id, call.deadline).await?;
                (environment, it.entity.value()?.parse().map_err(|_| told::entity())?)
            }
        };
        settle_imported(QuotaModel::of(entity), environment, call).await
    }

    /// Other providers store a name that was left out as an empty one, and have identifiers of their own.
    fn upgrade(_version: i64, mut state: Json) -> Result<Json, Failure> {
        if let Some(attributes) = state.as_object_mut() {
            attributes.remove("id");
            attributes.retain(|name, value| name != "entity_name" || value != "");
        }
        Ok(state)
    }
}

/// Tells what the brokers would refuse, and that other limits are there, before anything is done.
async fn look_ahead(
    environment: &Environment,
    prior: Option<&QuotaModel>,
    plan: &QuotaModel,
    call: &mut Call,
) -> Result<(), Failure> {
    let (kafka, name, wanted) = (environment.kafka()?, plan.name()?, plan.limits()?);
    let deadline = patience(call);
    let before = match prior {
        Some(prior) => prior.limits()?,
        None => match kafka.refresh_quota(&name.0, deadline).await {
            Ok(found) => {
                let other = conflicts(&wanted, &found);
                if !other.is_empty() && !plan.adopts()? {
                    call.report.push(told::exists(Phase::Plan, &name, &other));
                }
                Limits::new()
            }
            Err(error @ KafkaError::Unsupported(_)) => return Err(error.into()),
            Err(error) => {
                call.report.push(dry_run(&error));
                return Ok(());
            }
        },
    };
    let changes = changes(&before, &wanted);
    if !changes.is_empty()
        && let Err(error) = kafka.check_alter_quota(&name.0, &changes, deadline).await
    {
        call.report.push(dry_run(&error));
    }
    Ok(())
}

impl Placed for QuotaModel {
    const WHAT: &'static str = "quota";

    place_attributes!();

    fn local_name(&self) -> Result<String, Unknown> {
        Ok(self.name()?.to_string())
    }
}

impl QuotaModel {
    /// One for an entity, without limits.
    fn of(entity: QuotaEntity) -> Self {
        let QuotaEntity { user, client_id, ip } = entity;
        let (user, user_default) = part(user);
        let (client_id, client_id_default) = part(client_id);
        let (ip, ip_default) = part(ip);
        Self { user, user_default, client_id, client_id_default, ip, ip_default, ..Self::default() }
    }

    /// Whom it is for, in whichever form that is written.
    fn name(&self) -> Result<EntityName, Unknown> {
        if let Some(kind) = self.entity_type.known()? {
            let name = self.entity_name.known()?.map_or(QuotaName::Default, |it| QuotaName::Named(it.clone()));
            let mut entity = QuotaEntity::default();
            match kind.as_str() {
                "user" => entity.user = Some(name),
                "client-id" => entity.client_id = Some(name),
                "ip" => entity.ip = Some(name),
                _ => {}
            }
            return Ok(EntityName(entity));
        }
        let named = |name: &Optional<String>, default: &Optional<bool>| {
            let is_default = default.known()? == Some(&true);
            let name = name.known()?.map(|it| QuotaName::Named(it.clone()));
            Ok::<_, Unknown>(name.or(is_default.then_some(QuotaName::Default)))
        };
        Ok(EntityName(QuotaEntity {
            user: named(&self.user, &self.user_default)?,
            client_id: named(&self.client_id, &self.client_id_default)?,
            ip: named(&self.ip, &self.ip_default)?,
        }))
    }

    /// The user whose quota as such it is, which an application may hold.
    fn only_user(&self) -> Result<Option<QuotaUser>, Unknown> {
        Ok(match self.name()?.0 {
            QuotaEntity { user: Some(QuotaName::Named(user)), client_id: None, ip: None } => Some(QuotaUser(user)),
            _ => None,
        })
    }

    /// The attribute that tells another entity, or will.
    fn other_entity(&self, other: &Self) -> Path {
        let is_other = |it: &(bool, &'static str)| it.0;
        let attributes = [
            (self.user != other.user, "user"),
            (self.user_default != other.user_default, "user_default"),
            (self.client_id != other.client_id, "client_id"),
            (self.client_id_default != other.client_id_default, "client_id_default"),
            (self.ip != other.ip, "ip"),
            (self.ip_default != other.ip_default, "ip_default"),
            (self.entity_type != other.entity_type, "entity_type"),
        ];
        Path::attribute(attributes.into_iter().find(is_other).map_or("entity_name", |(_, name)| name))
    }

    /// What it limits, in whichever form that is written.
    fn limits(&self) -> Result<Limits, Unknown> {
        let mut res = Limits::new();
        for (key, limit) in self.attributes() {
            res.extend(limit.known()?.map(|it| (key.to_owned(), it.to_f64())));
        }
        for (key, limit) in self.config.known()?.into_iter().flatten() {
            res.extend(limit.known()?.map(|it| (key.clone(), it.to_f64())));
        }
        Ok(res)
    }

    /// The limits that have an attribute each, by Kafka's keys.
    fn attributes(&self) -> [(&'static str, &Optional<Number>); 5] {
        [
            ("producer_byte_rate", &self.producer_byte_rate),
            ("consumer_byte_rate", &self.consumer_byte_rate),
            ("request_percentage", &self.request_percentage),
            ("controller_mutation_rate", &self.controller_mutation_rate),
            ("connection_creation_rate", &self.connection_creation_rate),
        ]
    }

    fn adopts(&self) -> Result<bool, Unknown> {
        Ok(self.on_existing.known()? == Some(&OnExisting::Adopt))
    }

    /// The state after a look at the brokers: of the limits that it owns, or of all after an import. `None` if none of them is
    /// there.
    fn seen(&self, found: &Limits, is_import: bool) -> Option<Self> {
        let attribute = |key: &str, own: &Optional<Number>| -> Optional<Number> {
            if own.is_null() && !is_import {
                return Optional::default();
            }
            found.get(key).and_then(|it| shown(own.get(), *it)).into()
        };
        let entry = |(key, own): (&String, &Element<Number>)| match (own, found.get(key)) {
            (Element::Null, _) => Some((key.clone(), Element::Null)),
            (Element::Known(own), Some(found)) => Some((key.clone(), Element::Known(shown(Some(own), *found)?))),
            (Element::Known(_) | Element::Unknown, _) => None,
        };
        let config = self.config.get().map(|it| it.iter().filter_map(entry).collect::<BTreeMap<_, _>>());
        let seen = Self {
            producer_byte_rate: attribute("producer_byte_rate", &self.producer_byte_rate),
            consumer_byte_rate: attribute("consumer_byte_rate", &self.consumer_byte_rate),
            request_percentage: attribute("request_percentage", &self.request_percentage),
            controller_mutation_rate: attribute("controller_mutation_rate", &self.controller_mutation_rate),
            connection_creation_rate: attribute("connection_creation_rate", &self.connection_creation_rate),
            config: config.into(),
            ..self.clone()
        };
        let is_there = seen.limits().is_ok_and(|it| !it.is_empty());
        is_there.then_some(seen)
    }
}

/// A part of an entity as attributes.
fn part(name: Option<QuotaName>) -> (Optional<String>, Optional<bool>) {
    match name {
        Some(QuotaName::Named(name)) => (name.into(), Optional::default()),
        Some(QuotaName::Default) => (Optional::default(), true.into()),
        None => (Optional::default(), Optional::default()),
    }
}

//! `kafka_connector`: a connector of a Connect cluster beside one environment.

mod composing;
mod judging;
mod leave;
mod offsets;
mod placing;
mod reading;
mod told;
mod waiting;
mod writing;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    application::OnExisting,
    attributes::ApplicationRef,
    governed::naming,
    place::{
        ENVIRONMENT, IMPORTED, Placed, environment_of_plan, environment_of_state, expect_cluster, place_attributes,
        plan_place, settle, settle_imported, settle_seen,
    },
};
use crate::{
    clients::{connect::Target, kafka::Secret},
    framework::{
        Block, Call, Change, Computed, Diagnostics, Element, Failure, Import, Model, Nested, Optional,
        OptionalComputed, Phase, Plan, Required, Resource, Timeouts, Unknown,
    },
    governance::connector::ConnectorName,
    provider::Context,
};
pub(crate) use composing::{hide, is_the_workers};
use offsets::OffsetsModel;
use placing::Workers;
pub(crate) use reading::word;
pub(crate) use told::cause;

/// A connector of a Connect cluster, and what it is told to be.
///
/// The plan asks the workers what they would say of the configuration, and shows each message at its key. The apply waits
/// until the connector and its tasks run, and shows why they do not. What failed since is told by every refresh and started
/// anew by the next apply, and nothing else is.
///
/// A value of `config` is in the state and in plans, and one of `config_wo` in neither: passwords belong there, or into
/// references that the workers resolve, such as `${file:/run/secrets.properties:password}`. Workers show secrets to whoever
/// may read connectors; who may is set there.
///
/// Terraform 1.11 or OpenTofu 1.11 is the first that does not store write-only values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ConnectorModel {
    /// Identifier of the connector: `<environment>/<connect>/<name>`.
    #[attr(unknown_when = &["environment", "connect"])]
    id: Computed<String>,
    /// Name of the environment. Default: the provider's default environment when the connector is created. Another name for
    /// the same cluster changes nothing; another cluster replaces the connector.
    environment: OptionalComputed<String>,
    /// Id of the Kafka cluster beside which the workers are.
    #[attr(unknown_when = &["environment"])]
    cluster_id: Computed<String>,
    /// Name of the Connect cluster: a key of `connect` in the environment of the provider block. Default: the only one that
    /// there is. Another one replaces the connector; another name for the same workers is followed.
    connect: OptionalComputed<String>,
    /// Name of the connector. Letters that no address of a worker can have, `/`, `\` and `%`, are refused. Changing it
    /// replaces the connector.
    #[attr(requires_replace)]
    name: Required<ConnectorName>,
    /// Configuration of the connector by its own keys, `connector.class` among them. A key that is removed, or null, returns
    /// to the default of its class. What workers add by themselves is left alone. A password is refused here unless it is a
    /// reference that the workers resolve.
    config: Required<BTreeMap<String, Element<String>>>,
    /// The secret part of the configuration. It is not stored, so that only `config_wo_version` tells that it changed.
    #[attr(sensitive, write_only)]
    config_wo: Optional<BTreeMap<String, Element<Secret>>>,
    /// Any text that is changed whenever `config_wo` is, such as `"2"` after `"1"`. What `config_wo` has lost by then is taken
    /// away, and all of it where both are removed. An import leaves it null, so that the first apply after one sends the
    /// secrets, and keeps those that are not declared.
    config_wo_version: Optional<String>,
    /// What the connector is told to be: `running`, `paused`, or `stopped`, which ends its tasks. It begins so when it is
    /// created. Without it, a connector runs when it is created, and what its operators tell it later stays.
    state: Optional<Target>,
    /// What an apply waits for: `settled` until the connector and all its tasks are as `state` says, so that one that fails is
    /// an error, and `nothing`. Default: `settled`.
    wait_for: Optional<WaitFor>,
    /// What becomes of a plan and a refresh while the workers do not answer: `warned` tells that nothing was checked, and
    /// `refused` is an error. Default: `warned`.
    on_unreachable: Optional<OnUnreachable>,
    /// Where the connector goes on from, set once whenever this changes. It is stopped for that, and told to be what it was
    /// afterwards. Takes workers of Kafka 3.6 or newer.
    offsets: Optional<Nested<OffsetsModel>>,
    /// What becomes of a connector that exists already when this is created: `fail` refuses, unless it is configured as is
    /// declared, and `adopt` gives it the configuration. Default: `fail`.
    on_existing: Optional<OnExisting>,
    /// Application that owns the connector: the `id` of its `kafka_application`, or its name. Default: the one under whose
    /// prefix the name is.
    application: Optional<ApplicationRef>,
    /// How the connector is: `running`, `paused`, `stopped`, or `failed` where itself or one of its tasks gave up. Where
    /// `wait_for` does not say `nothing`, the next apply starts anew what failed.
    status: Computed<String>,
    /// How long each operation may take.
    timeouts: Block<Timeouts>,
}

/// What an apply waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// That the connector and its tasks are as they should be.
    Settled,
    /// Nothing.
    Nothing,
}

/// What becomes of a plan while the workers do not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnreachable {
    /// It is made, with a warning.
    Warned,
    /// It is an error.
    Refused,
}

/// What tells a connector from all others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ConnectorIdentity {
    /// Id of the Kafka cluster.
    cluster_id: Required<String>,
    /// Name of the Connect cluster in the provider block. Not needed where there is only one.
    #[attr(optional_for_import)]
    connect: Optional<String>,
    /// Name of the connector.
    name: Required<ConnectorName>,
}

/// The keys of the configuration that were sent and are not in the state.
const SECRETS: &str = "secrets";
/// The users as whom clients log in by what was sent and is not in the state, by how the keys of the client begin.
const LOGINS: &str = "logins";
/// The keys that the workers added to what was sent.
const ADDED: &str = "added";

/// How a connector is that gave up.
const FAILED: &str = "failed";

/// The resource.
#[derive(Debug)]
pub enum Connector {}

impl Resource<Context> for Connector {
    const NAME: &'static str = "connector";
    type Model = ConnectorModel;
    type Identity = ConnectorIdentity;

    fn identity(state: &ConnectorModel) -> ConnectorIdentity {
        ConnectorIdentity {
            cluster_id: state.cluster_id.to_required(),
            connect: state.connect.get().cloned().into(),
            name: state.name.clone(),
        }
    }

    fn validate(config: &ConnectorModel, report: &mut Diagnostics) {
        config.check_keys(report);
        if let Some(it) = config.offsets.get() {
            it.model.check(report);
        }
    }

    async fn plan(ctx: &Context, plan: &mut Plan<ConnectorModel>, call: &mut Call) -> Result<(), Failure> {
        if plan.prior.is_none() {
            placing::plan_new(ctx, plan, call)?;
        }
        plan_place(ctx, plan, call).await?;
        if plan.replace.is_empty() {
            placing::plan_connect(ctx, plan, call)?;
        }
        if let Some(prior) = plan.prior.clone()
            && plan.replace.is_empty()
        {
            plan.state.plan_status(&prior);
        }
        placing::refuse_second(ctx, plan, call)
    }

    async fn admit(ctx: &Context, change: &Change<ConnectorModel>, call: &mut Call) -> Result<(), Failure> {
        if let Some(prior) = change.ending() {
            let (environment, _) = environment_of_state(ctx, prior, call.deadline).await?;
            let name = prior.name.value()?;
            let judged = judging::judge_end(environment, prior, call).await;
            judged.map_err(|it| naming(it, &format!("the connector `{name}`")))?;
        }
        let Some(plan) = &change.plan else { return Ok(()) };
        let environment = environment_of_plan(ctx, plan)?;
        if call.phase == Phase::Plan && change.prior.as_ref().is_some_and(|it| plan.stays_stopped(it)) {
            call.report.push(told::stays_stopped(plan.name.value()?));
        }
        let is_permitted = judging::judge(environment, change, plan, call).await?;
        if is_permitted && call.phase == Phase::Plan && !environment.has_made_anything() {
            judging::try_out(environment, change, plan, call).await?;
        }
        Ok(())
    }

    async fn create(
        ctx: &Context,
        plan: ConnectorModel,
        config: &ConnectorModel,
        call: &mut Call,
    ) -> Result<ConnectorModel, Failure> {
        let environment = environment_of_plan(ctx, &plan)?;
        let cluster_id = environment.cluster_id(call.deadline).await?.to_owned();
        call.private.forget(&[ENVIRONMENT]);
        let mut state = writing::create(environment, &cluster_id, plan, config, call).await?;
        environment.note_made(&state.object()?);
        settle(&mut state, &environment.name, &cluster_id)?;
        Ok(state)
    }

    async fn read(ctx: &Context, state: ConnectorModel, call: &mut Call) -> Result<Option<ConnectorModel>, Failure> {
        let imported = call.private.take(IMPORTED).is_some();
        let (environment, cluster_id) = environment_of_state(ctx, &state, call.deadline).await?;
        let workers = Workers::of_state(environment, &state, cluster_id, &call.private)?;
        let found = if imported {
            reading::imported(workers, state, call).await?
        } else {
            reading::refreshed(workers, state, call).await?
        };
        let Some(seen) = found else { return Ok(None) };
        workers.note(&mut call.private);
        Ok(Some(settle_seen(seen, environment, cluster_id)?))
    }

    async fn update(
        ctx: &Context,
        prior: ConnectorModel,
        plan: ConnectorModel,
        config: &ConnectorModel,
        call: &mut Call,
    ) -> Result<ConnectorModel, Failure> {
        let environment = environment_of_plan(ctx, &plan)?;
        let cluster_id = expect_cluster(&prior, environment, call.deadline).await?.to_owned();
        call.private.forget(&[ENVIRONMENT]);
        let workers = Workers::of_plan(environment, &plan, &cluster_id)?;
        workers.expect_same(&Workers::of_state(environment, &prior, &cluster_id, &call.private)?)?;
        let mut state = writing::update(workers, &prior, plan, config, call).await?;
        environment.note_made(&state.object()?);
        settle(&mut state, &environment.name, &cluster_id)?;
        Ok(state)
    }

    async fn delete(ctx: &Context, state: ConnectorModel, call: &mut Call) -> Result<(), Failure> {
        let (environment, cluster_id) = environment_of_state(ctx, &state, call.deadline).await?;
        if environment.has_made(&state.object()?) {
            call.report.push(told::made_here(state.name.value()?));
            return Ok(());
        }
        let (workers, name) = (Workers::of_state(environment, &state, cluster_id, &call.private)?, state.name.value()?);
        workers.expect_home(call.deadline).await?;
        let deleted = workers.connect.delete(name, call.deadline).await;
        deleted.map_err(|it| naming(it.into(), &format!("the connector `{name}`")))
    }

    async fn import(
        ctx: &Context,
        import: Import<ConnectorIdentity>,
        call: &mut Call,
    ) -> Result<ConnectorModel, Failure> {
        let (environment, connect, name) = placing::imported(ctx, import, call.deadline).await?;
        judging::judge_import(environment, &name, call).await?;
        let state = ConnectorModel {
            connect: connect.into(),
            name: name.into(),
            config: BTreeMap::new().into(),
            ..ConnectorModel::default()
        };
        settle_imported(state, environment, call).await
    }
}

impl Placed for ConnectorModel {
    const WHAT: &'static str = "connector";

    place_attributes!();

    fn local_name(&self) -> Result<String, Unknown> {
        let connect = self.connect.known()?.ok_or(Unknown)?;
        Ok(format!("{connect}/{}", self.name.value()?))
    }
}

impl ConnectorModel {
    /// What tells the connector from its like in an environment.
    fn object(&self) -> Result<String, Unknown> {
        Ok(format!("connector {}", self.local_name()?))
    }

    fn waits(&self) -> bool {
        self.wait_for.get() != Some(&WaitFor::Nothing)
    }

    fn needs_plan_check(&self) -> bool {
        self.on_unreachable.get() == Some(&OnUnreachable::Refused)
    }

    /// What the connector should be, as far as it is the configuration's to say.
    fn target(&self) -> Option<Target> {
        self.state.get().copied()
    }

    /// Leaves open how the connector will be where it is changed, or failed and is to be started anew.
    fn plan_status(&mut self, prior: &Self) {
        let changes = self.is_configured_anew(prior) || self.state != prior.state || self.offsets != prior.offsets;
        let is_failed = prior.status.get().is_some_and(|it| it == FAILED);
        let should_run = self.target().is_none_or(|it| it == Target::Running);
        if changes || is_failed && should_run && self.waits() {
            self.status = Computed::unknown();
        }
    }

    /// Whether it is stopped, and nothing is said of what it is to be after its offsets are set.
    fn stays_stopped(&self, prior: &Self) -> bool {
        let is_stopped = prior.status.get().is_some_and(|it| *it == Target::Stopped.reached().to_string());
        is_stopped && self.state.is_null() && !self.offsets.is_null() && self.offsets != prior.offsets
    }

    /// Whether another configuration is to be sent.
    fn is_configured_anew(&self, prior: &Self) -> bool {
        self.config != prior.config || self.config_wo_version != prior.config_wo_version
    }

    /// What can be said of the keys without workers.
    fn check_keys(&self, report: &mut Diagnostics) {
        if self.config.get().is_some_and(|it| !it.contains_key("connector.class"))
            && self.config_wo.known().is_ok_and(|it| it.is_none_or(|it| !it.contains_key("connector.class")))
        {
            report.push(told::no_class());
        }
        if let (Some(Element::Known(own)), Some(name)) = (self.value("name"), self.name.get())
            && own != name.as_str()
        {
            report.push(told::other_name(own, name));
        }
        for key in self.secret_keys() {
            if self.value(&key).is_some() {
                report.push(told::twice_written(&key));
            }
        }
        if !self.config_wo.is_null() && self.config_wo_version.is_null() {
            report.push(told::no_version());
        }
    }

    fn value(&self, key: &str) -> Option<&Element<String>> {
        self.config.get()?.get(key)
    }

    /// The keys of the secret part, which only a configuration has.
    fn secret_keys(&self) -> BTreeSet<String> {
        let set = self.config_wo.get().into_iter().flatten().filter(|(_, value)| **value != Element::Null);
        set.map(|(key, _)| key.clone()).collect()
    }
}

#[cfg(test)]
mod tests;

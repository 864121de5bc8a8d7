//! Where a connector is: which workers of the environment have it.

use std::{sync::Arc, time::Instant};

use super::{
    ConnectorIdentity, ConnectorModel,
    composing::{remember, remembered},
    told,
};
use crate::{
    clients::connect::{Connect, ConnectError},
    framework::{Call, Diagnostic, Failure, Import, Path, Plan, Private},
    governance::connector::ConnectorName,
    provider::{Context, Environment},
    resources::place::{ENVIRONMENT, Placed, environment_of_identity, environment_of_plan},
};

/// Where the workers were when the connector was last seen or changed: a fact that a state remembers. The provider block may
/// have another name for them by now.
const ADDRESSES: &str = "addresses";

/// The workers that have the connector of a plan or a state, and the cluster that they should belong to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Workers<'a> {
    pub(super) connect: &'a Connect,
    name: &'a str,
    environment: &'a str,
    cluster_id: &'a str,
}

impl<'a> Workers<'a> {
    /// Those that a plan names.
    pub(super) fn of_plan(
        environment: &'a Environment,
        plan: &ConnectorModel,
        cluster_id: &'a str,
    ) -> Result<Self, Failure> {
        let (name, connect) = environment.connect(plan.connect.known()?.map(String::as_str))?;
        Ok(Self { connect, name, environment: &environment.name, cluster_id })
    }

    /// Those that have the connector of a state, whatever they are called by now.
    pub(super) fn of_state(
        environment: &'a Environment,
        state: &ConnectorModel,
        cluster_id: &'a str,
        private: &Private,
    ) -> Result<Self, Failure> {
        let (name, connect) = present(environment, state, private)?;
        Ok(Self { connect, name, environment: &environment.name, cluster_id })
    }

    /// Notes where they are, beside the state of a connector that they have.
    pub(super) fn note(&self, private: &mut Private) {
        remember(private, ADDRESSES, self.connect.rest().urls().map(ToString::to_string).collect());
    }

    /// Refuses others than those that have the connector of a state: to move it takes a replacement.
    pub(super) fn expect_same(&self, other: &Workers<'_>) -> Result<(), Failure> {
        if self.name == other.name { Ok(()) } else { Err(told::moved(self.name, other.name).into()) }
    }

    /// What is wrong where they belong to another cluster, of which nothing is concluded from what they have or lack.
    pub(super) async fn misled(&self, deadline: Instant) -> Result<Option<Diagnostic>, ConnectError> {
        let actual = self.connect.kafka_cluster_id(deadline).await?;
        Ok(actual.filter(|it| *it != self.cluster_id).map(|actual| {
            let url = self.connect.rest().url().to_string();
            told::other_workers((self.name, &url, actual), (self.environment, self.cluster_id))
        }))
    }

    /// Refuses to do anything on workers of another cluster.
    pub(super) async fn expect_home(&self, deadline: Instant) -> Result<(), Failure> {
        self.misled(deadline).await?.map_or(Ok(()), |it| Err(it.into()))
    }
}

/// The workers that have the connector of a state, with their present name.
fn present<'a>(
    environment: &'a Environment,
    state: &ConnectorModel,
    private: &Private,
) -> Result<(&'a str, &'a Connect), Failure> {
    let addresses = remembered(private, ADDRESSES).unwrap_or_default();
    environment.connect_once_at(state.connect.get().map(String::as_str), &addresses)
}

/// Names the Connect cluster of a new connector, and refuses one that there is not.
pub(super) fn plan_new(ctx: &Context, plan: &mut Plan<ConnectorModel>, call: &Call) -> Result<(), Failure> {
    let Ok(named) = plan.config.connect.known() else { return Ok(()) };
    let declared = plan.config.environment.known()?.map(String::as_str);
    let environment = ctx.environment(declared.or(call.private.text(ENVIRONMENT)))?;
    plan.state.connect = environment.connect(named.map(String::as_str))?.0.to_owned().into();
    Ok(())
}

/// Follows workers that are called otherwise by now, or has the connector made anew on others.
pub(super) fn plan_connect(ctx: &Context, plan: &mut Plan<ConnectorModel>, call: &Call) -> Result<(), Failure> {
    let Some(prior) = &plan.prior else { return Ok(()) };
    let environment = environment_of_plan(ctx, &plan.state)?;
    let (present, _) = present(environment, prior, &call.private)?;
    if plan.config.connect.is_null() {
        plan.state.connect = present.to_owned().into();
    } else if plan.state.connect.get().map(String::as_str) != Some(present) {
        plan.replace.push(Path::attribute("connect"));
        return Ok(());
    }
    let id = plan.state.id_in(&environment.name)?;
    plan.state.id = id.into();
    Ok(())
}

/// Refuses a second resource for one connector: each would configure it after the other.
pub(super) fn refuse_second(ctx: &Context, plan: &Plan<ConnectorModel>, call: &mut Call) -> Result<(), Failure> {
    if !plan.replace.is_empty() || plan.replacing {
        return Ok(());
    }
    let environment = environment_of_plan(ctx, &plan.state)?;
    let cluster_id = plan.state.cluster_id.get().map(String::as_str);
    if !environment.plan_once_in(cluster_id, &plan.state.object()?) {
        call.report.push(told::twice(plan.state.name.value()?));
    }
    Ok(())
}

/// The place and the name that an import gives: `<environment>/<connect>/<name>`, `<environment>/<name>` where that has one
/// Connect cluster, or `<name>` in the only environment.
pub(super) async fn imported(
    ctx: &Context,
    import: Import<ConnectorIdentity>,
    deadline: Instant,
) -> Result<(&Arc<Environment>, String, ConnectorName), Failure> {
    let (environment, connect, name) = match import {
        Import::Identity(it) => {
            let environment = environment_of_identity(ctx, &it.cluster_id, deadline).await?;
            (environment, it.connect.known()?.cloned(), it.name.value()?.clone())
        }
        Import::Id(id) => {
            let parts: Vec<&str> = id.split('/').collect();
            let (environment, connect, name) = match parts[..] {
                [name] => (None, None, name),
                [environment, name] => (Some(environment), None, name),
                [environment, connect, name] => (Some(environment), Some(connect.to_owned()), name),
                _ => return Err(told::identifier().into()),
            };
            let name: ConnectorName = name.parse().map_err(|error| told::identifier().caused_by(&error))?;
            (ctx.environment(environment)?, connect, name)
        }
    };
    let connect = environment.connect(connect.as_deref())?.0.to_owned();
    Ok((environment, connect, name))
}

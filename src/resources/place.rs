//! Where an object lives: the environment, the cluster behind it, and the identifier that both give.
//!
//! The name of an environment is a local key. An object is known by its cluster, follows an environment that is renamed,
//! and is replaced only where another cluster is meant.

use std::{str::FromStr, sync::Arc, time::Instant};

use crate::{
    framework::{Call, Computed, Diagnostic, Failure, Import, OptionalComputed, Path, Plan, Required, Unknown},
    provider::{Context, Environment},
};

/// The environment of the object that is replaced, which the new one inherits: a fact that a plan tells its apply.
pub(super) const ENVIRONMENT: &str = "environment";

/// The state comes from an import: a fact for the first read.
pub(super) const IMPORTED: &str = "imported";

/// The model of an object in an environment.
pub(super) trait Placed: Clone + Sync {
    /// What it is to its reader, such as `topic`.
    const WHAT: &'static str;

    /// Its place.
    fn place(&self) -> Place<'_>;

    /// Its place, to be filled.
    fn place_mut(&mut self) -> PlaceMut<'_>;

    /// What tells it from its like in one cluster, as the identifier has it.
    fn local_name(&self) -> Result<String, Unknown>;

    /// Its identifier in an environment.
    fn id_in(&self, environment: &str) -> Result<String, Unknown> {
        Ok(format!("{environment}/{}", self.local_name()?))
    }
}

/// The attributes that tell a place.
#[derive(Debug)]
pub(super) struct Place<'a> {
    /// Name of the environment.
    pub(super) environment: &'a OptionalComputed<String>,
    /// Id of its cluster.
    pub(super) cluster_id: &'a Computed<String>,
}

/// The attributes that tell a place, to be filled.
#[derive(Debug)]
pub(super) struct PlaceMut<'a> {
    /// `<environment>/<name>`.
    pub(super) id: &'a mut Computed<String>,
    /// Name of the environment.
    pub(super) environment: &'a mut OptionalComputed<String>,
    /// Id of its cluster.
    pub(super) cluster_id: &'a mut Computed<String>,
}

/// Where a model keeps its place: in attributes that all objects have.
macro_rules! place_attributes {
    () => {
        fn place(&self) -> $crate::resources::place::Place<'_> {
            $crate::resources::place::Place { environment: &self.environment, cluster_id: &self.cluster_id }
        }

        fn place_mut(&mut self) -> $crate::resources::place::PlaceMut<'_> {
            $crate::resources::place::PlaceMut {
                id: &mut self.id,
                environment: &mut self.environment,
                cluster_id: &mut self.cluster_id,
            }
        }
    };
}
pub(super) use place_attributes;

/// The environment that a plan or a configuration names.
pub(super) fn environment_of_plan<'a>(ctx: &'a Context, plan: &impl Placed) -> Result<&'a Arc<Environment>, Failure> {
    ctx.environment(plan.place().environment.known()?.map(String::as_str))
}

/// The environment in which the object of a state was made, under whatever name, and the id of its cluster.
pub(super) async fn environment_of_state<'a>(
    ctx: &'a Context,
    state: &impl Placed,
    deadline: Instant,
) -> Result<(&'a Arc<Environment>, &'a str), Failure> {
    let Place { environment, cluster_id } = state.place();
    let (name, cluster_id) = (environment.get().map(String::as_str), cluster_id.get().map(String::as_str));
    let environment = ctx.environment_of(name, cluster_id, deadline).await?;
    Ok((environment, expect_cluster(state, environment, deadline).await?))
}

/// The id of the environment's cluster, which must be the one that the object was made in.
pub(super) async fn expect_cluster<'a, M: Placed>(
    state: &M,
    environment: &'a Environment,
    deadline: Instant,
) -> Result<&'a str, Failure> {
    let actual = environment.cluster_id(deadline).await?;
    match state.place().cluster_id.get() {
        Some(own) if own != actual => Err(other_cluster::<M>(environment, actual)),
        _ => Ok(actual),
    }
}

fn other_cluster<M: Placed>(environment: &Environment, actual: &str) -> Failure {
    Diagnostic::error(
        "Environment is another cluster",
        format!(
            "The environment `{}` leads to the cluster `{actual}`, and the {} was made in another one. Nothing is \
             concluded from that.\n\nCorrect `bootstrap_servers`, or give the new cluster an environment name of its own.",
            environment.name,
            M::WHAT
        ),
    )
    .at("environment")
    .into()
}

/// Puts an object that was made or found into its place.
pub(super) fn settle(state: &mut impl Placed, environment: &str, cluster_id: &str) -> Result<(), Unknown> {
    let id = state.id_in(environment)?;
    let place = state.place_mut();
    *place.id = id.into();
    *place.environment = environment.to_owned().into();
    *place.cluster_id = cluster_id.to_owned().into();
    Ok(())
}

/// Puts an object that was looked at into its place. Its environment keeps the name that the state knows it by.
pub(super) fn settle_seen<M: Placed>(mut seen: M, environment: &Environment, cluster_id: &str) -> Result<M, Unknown> {
    let name = seen.place().environment.get().unwrap_or(&environment.name).clone();
    settle(&mut seen, &name, cluster_id)?;
    Ok(seen)
}

/// Puts an object that is imported into its place, for the read that follows.
pub(super) async fn settle_imported<M: Placed>(
    mut state: M,
    environment: &Environment,
    call: &mut Call,
) -> Result<M, Failure> {
    call.private.set(IMPORTED, true);
    settle(&mut state, &environment.name, environment.cluster_id(call.deadline).await?)?;
    Ok(state)
}

/// Names the place of an object that is to be created, as far as it is known.
fn place_new<M: Placed>(ctx: &Context, plan: &mut Plan<M>, call: &Call) -> Result<(), Failure> {
    let declared = plan.config.place().environment.known()?.map(String::as_str);
    let environment = ctx.environment(declared.or(call.private.text(ENVIRONMENT)))?;
    let id = plan.state.id_in(&environment.name);
    let place = plan.state.place_mut();
    *place.environment = environment.name.clone().into();
    *place.id = id?.into();
    Ok(())
}

/// Plans the place: names that of a new object, follows an environment that was renamed, and has the object replaced if
/// another cluster is meant.
pub(super) async fn plan_place<M: Placed>(ctx: &Context, plan: &mut Plan<M>, call: &mut Call) -> Result<(), Failure> {
    let Some(prior) = plan.prior.clone() else { return place_new(ctx, plan, call) };
    let prior = prior.place();
    if prior.cluster_id.is_null() {
        return Err(never_read::<M>().into());
    }
    call.private.set(ENVIRONMENT, prior.environment.get().cloned());
    if plan.state.place().environment == prior.environment {
        // Nobody moves it, but its environment must still be there.
        let Some(name) = prior.environment.get() else { return Ok(()) };
        return match (plan.config.place().environment.is_null(), ctx.environment(Some(name))) {
            (true, Err(Failure::Told(_))) => Err(Diagnostic::error(
                "Environment renamed",
                format!(
                    "The {} belongs to the environment `{name}`, which the provider block does not have.\n\nSet \
                     `environment` to the present name of its cluster, or restore the name.",
                    M::WHAT
                ),
            )
            .at("environment")
            .into()),
            (_, answer) => answer.map(|_| tell_other_default(ctx, &plan.config, name, call)),
        };
    }
    let environment = environment_of_plan(ctx, &plan.state)?;
    let cluster_id = environment.cluster_id(call.deadline).await?;
    if prior.cluster_id.get().is_some_and(|it| it == cluster_id) {
        settle(&mut plan.state, &environment.name, cluster_id)?;
    } else {
        plan.replace.push(Path::attribute("environment"));
    }
    Ok(())
}

/// State of another provider does not say where its object is, nor all that a plan starts from; a refresh does.
fn never_read<M: Placed>() -> Diagnostic {
    let detail = format!(
        "The state of the {} comes from another provider, and no refresh has read it since, so that a plan would start \
         from what is not known.\n\nPlan once without `-refresh=false`, and with a provider block that is known while \
         planning.",
        M::WHAT
    );
    Diagnostic::error("State was never refreshed", detail)
}

/// An object stays where it is when the default changes, and its author should say where that is.
fn tell_other_default<M: Placed>(ctx: &Context, config: &M, name: &str, call: &mut Call) {
    let default = ctx.environment(None).ok().map(|it| it.name.as_str());
    if config.place().environment.is_null() && default.is_some_and(|it| it != name) {
        let detail = format!(
            "The {} stays in `{name}`, where it was created; the default is another environment by now.\n\nWrite \
             `environment = \"{name}\"` to say so.",
            M::WHAT
        );
        call.report.push(Diagnostic::warning("Environment is not the default", detail).at("environment"));
    }
}

/// The environment and the name that an import gives: in an identifier, or in an identity's id of a cluster and name.
pub(super) async fn import_of<'a, I, N>(
    ctx: &'a Context,
    what: &str,
    import: Import<I>,
    named: impl FnOnce(I) -> Result<(Required<String>, N), Unknown>,
    deadline: Instant,
) -> Result<(&'a Arc<Environment>, N), Failure>
where
    N: FromStr<Err: std::error::Error>,
{
    let (cluster_id, name) = match import {
        Import::Id(id) => return identified(ctx, what, &id),
        Import::Identity(identity) => named(identity)?,
    };
    Ok((environment_of_identity(ctx, &cluster_id, deadline).await?, name))
}

/// The environment and the name in an identifier of the form `<environment>/<name>`, or `<name>` in the only environment.
fn identified<'a, N>(ctx: &'a Context, what: &str, id: &str) -> Result<(&'a Arc<Environment>, N), Failure>
where
    N: FromStr<Err: std::error::Error>,
{
    // No name of an environment has a `|`, and names may have a `/` after one.
    let split = id.split_once('/').filter(|(environment, _)| !environment.contains('|'));
    let (environment, name) = split.map_or((None, id), |(environment, name)| (Some(environment), name));
    let name = name.parse().map_err(|error| {
        let form =
            format!("The identifier of a {what} is `<environment>/<name>`, or `<name>` in the only environment.");
        Diagnostic::error(format!("Invalid {what} identifier"), form).caused_by(&error)
    })?;
    Ok((ctx.environment(environment)?, name))
}

/// The environment whose cluster an identity names.
pub(super) async fn environment_of_identity<'a>(
    ctx: &'a Context,
    cluster_id: &Required<String>,
    deadline: Instant,
) -> Result<&'a Arc<Environment>, Failure> {
    let cluster_id = cluster_id.value()?;
    let found = ctx.with_cluster(cluster_id, deadline).await?;
    found.ok_or_else(|| {
        let detail = format!(
            "No environment of the provider block leads to the cluster `{cluster_id}`.\n\nAdd one with its \
             `bootstrap_servers`, or correct the id; `data.kafka_cluster` tells those of the others."
        );
        Diagnostic::error("Unknown cluster", detail).into()
    })
}

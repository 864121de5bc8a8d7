//! `kafka_user_scram_credential`: the password of a user for one mechanism of SCRAM.

mod found;
mod name;
#[cfg(test)]
mod tests;
mod told;

use serde_json::Value as Json;

use found::unlike_planned;
use name::CredentialName;

use super::{
    application::OnExisting,
    failures::dry_run,
    place::{
        IMPORTED, Placed, environment_of_identity, environment_of_plan, environment_of_state, expect_cluster,
        place_attributes, plan_place, settle, settle_imported, settle_seen,
    },
    users::{OF_THE_PLAN, REPLACING, judge, patience, plan_once, username, warn_unless_may_alter},
};
use crate::{
    clients::kafka::{ITERATIONS, KafkaError, NewScramCredential, ScramMechanism, Secret},
    framework::{
        Block, Call, Change, Computed, Diagnostic, Diagnostics, Failure, Import, Model, Optional, OptionalComputed,
        Phase, Plan, Required, Resource, Timeouts, Unknown,
    },
    governance::{acl::Principal, check_user::check_credential},
    provider::{Context, Environment},
};

/// The password of a user for one mechanism of SCRAM, as the brokers keep it: salted and hashed, which is done here, so that
/// the password itself is sent to nobody.
///
/// The password is in no state, no plan and no log: `password_wo` is handed on once and forgotten. It is sent when the
/// credential is created, when `password_wo_version` changes, and when `scram_iterations` does. A refresh sees that
/// somebody removed the credential or changed its iterations; that somebody gave it another password, Kafka tells nobody:
/// another `password_wo_version` sets it again.
///
/// A user with both mechanisms has two of these. Applying it takes the right to ALTER the cluster, a refresh to DESCRIBE it,
/// and brokers that know the requests: Kafka 2.7, or 3.5 in `KRaft` mode. Where an environment is declared, an application
/// has credentials of its own principals alone.
///
/// Terraform 1.11 or OpenTofu 1.11 is the first that does not store write-only values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct UserScramCredentialModel {
    /// Identifier of the credential: `<environment>/<username>/<scram_mechanism>`.
    #[attr(unknown_when = &["environment"])]
    id: Computed<String>,
    /// Name of the environment. Default: the provider's default environment when the credential is created. Another name for
    /// the same cluster changes nothing; another cluster replaces the credential.
    environment: OptionalComputed<String>,
    /// Id of the cluster that keeps the credential.
    #[attr(unknown_when = &["environment"])]
    cluster_id: Computed<String>,
    /// Name of the user, without `User:`. Changing it replaces the credential.
    #[attr(requires_replace)]
    username: Required<String>,
    /// `SCRAM-SHA-256` or `SCRAM-SHA-512`. Changing it replaces the credential.
    #[attr(requires_replace)]
    scram_mechanism: Required<ScramMechanism>,
    /// How often the password is hashed, 4096 to 16384: the more, the longer it takes to guess it from what brokers keep, and
    /// to log in. Changing it sends the password anew. Default: 4096.
    #[attr(default = 4096_u32)]
    scram_iterations: OptionalComputed<u32>,
    /// The password. It is not stored, so that only `password_wo_version` tells that it changed.
    #[attr(sensitive, write_only)]
    password_wo: Optional<Secret>,
    /// Any text that is changed whenever the password is, such as `"2"` after `"1"`. An import leaves it null, so that the
    /// first apply after one sends the password.
    password_wo_version: Optional<String>,
    /// Not supported, because it would be stored in plain text. It is here for configurations of other providers, which are
    /// told what to write instead, and is never stored.
    #[attr(sensitive, write_only, deprecated = "Write `password_wo` and `password_wo_version`.")]
    password: Optional<Secret>,
    /// What becomes of a credential that exists when this one is to be created: `adopt` gives it the password that is
    /// declared here, `fail` refuses to, unless it is that very password with as many iterations, as it is after an apply that
    /// was interrupted. Nobody can read it, so that the provider tries to log in with it, where the environment's
    /// `bootstrap_servers` offer the mechanism. Default: `fail`.
    on_existing: Optional<OnExisting>,
    /// How long each operation may take.
    timeouts: Block<Timeouts>,
}

/// What tells a credential from all others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct UserScramCredentialIdentity {
    /// Id of the cluster.
    cluster_id: Required<String>,
    /// Name of the user.
    username: Required<String>,
    /// The mechanism.
    scram_mechanism: Required<ScramMechanism>,
}

/// The resource.
#[derive(Debug)]
pub enum UserScramCredential {}

impl Resource<Context> for UserScramCredential {
    const NAME: &'static str = "user_scram_credential";
    type Model = UserScramCredentialModel;
    type Identity = UserScramCredentialIdentity;

    fn identity(state: &UserScramCredentialModel) -> UserScramCredentialIdentity {
        UserScramCredentialIdentity {
            cluster_id: state.cluster_id.to_required(),
            username: state.username.clone(),
            scram_mechanism: state.scram_mechanism.clone(),
        }
    }

    fn validate(config: &UserScramCredentialModel, report: &mut Diagnostics) {
        if let Some(user) = config.username.get() {
            report.0.extend(username(user, "username"));
        }
        if let Some(count) = config.scram_iterations.get().filter(|it| !ITERATIONS.contains(*it)) {
            report.push(told::iterations(*count));
        }
        if config.password.get().is_some() {
            report.push(told::stored_password());
        }
        if config.password_wo.get().is_some_and(|it| it.expose().is_empty()) {
            report.push(told::empty_password());
        }
        if !config.password_wo.is_null() && config.password_wo_version.is_null() {
            report.push(told::no_version());
        }
    }

    async fn plan(ctx: &Context, plan: &mut Plan<UserScramCredentialModel>, call: &mut Call) -> Result<(), Failure> {
        plan_place(ctx, plan, call).await?;
        let name = plan.state.name()?;
        plan_once(ctx, plan, &name.object(), call, || told::twice(&name)).await
    }

    async fn admit(ctx: &Context, change: &Change<UserScramCredentialModel>, call: &mut Call) -> Result<(), Failure> {
        if let (Some(config), Some(plan)) = (&change.config, &change.plan)
            && plan.is_sent(change.prior.as_ref())
            && config.password_wo.is_null()
        {
            call.report.push(told::no_password(change.prior.is_some()));
        }
        let Some(here) = change.plan.as_ref().or(change.prior.as_ref()) else { return Ok(()) };
        let environment = environment_of_plan(ctx, here)?;
        let users = [&change.prior, &change.plan].into_iter().flatten().filter_map(|it| it.username.get());
        let users: std::collections::BTreeSet<&String> = users.collect();
        for user in users {
            judge(environment, call, |state, working| check_credential(state, working, user)).await?;
        }
        if call.phase == Phase::Apply {
            return Ok(());
        }
        let is_deed =
            change.ending().is_some() || change.plan.as_ref().is_some_and(|it| it.is_sent(change.prior.as_ref()));
        if is_deed && !environment.has_made_anything() {
            warn_unless_may_alter(environment, "Credentials", "credentials", call).await?;
        }
        if let Some(ending) = change.ending() {
            warn_of_own(environment, &ending.name()?, told::own, call);
        } else if let (Some(plan), Some(_)) = (&change.plan, &change.prior)
            && plan.is_sent(change.prior.as_ref())
        {
            warn_of_own(environment, &plan.name()?, told::own_changes, call);
        }
        match (&change.plan, &change.prior) {
            (Some(plan), None) if !change.replacing && !plan.adopts()? => {
                let credential = change.config.as_ref().and_then(|it| plan.credential(it).ok());
                look_ahead(environment, &plan.name()?, credential.as_ref(), call).await
            }
            _ => Ok(()),
        }
    }

    async fn create(
        ctx: &Context,
        plan: UserScramCredentialModel,
        config: &UserScramCredentialModel,
        call: &mut Call,
    ) -> Result<UserScramCredentialModel, Failure> {
        let environment = environment_of_plan(ctx, &plan)?;
        let (kafka, name) = (environment.kafka()?, plan.name()?);
        let cluster_id = environment.cluster_id(call.deadline).await?.to_owned();
        let replacing = call.private.is(REPLACING);
        call.private.forget(&OF_THE_PLAN);
        let credential = plan.credential(config)?;
        let mut iterations = None;
        if !replacing && !plan.adopts()? && !environment.has_made(&name.object()) {
            iterations = kafka.scram_user(&name.user, call.deadline).await?.get(&name.mechanism).copied();
        }
        match iterations {
            None => kafka.set_scram_credential(&credential, call.deadline).await?,
            // A run that was interrupted may have made it.
            Some(it) => {
                if let Some(found) = unlike_planned(kafka, it, Some(&credential), call.deadline).await {
                    return Err(told::exists(Phase::Apply, &name, &found).into());
                }
            }
        }
        environment.note_made(&name.object());
        let mut state = plan;
        settle(&mut state, &environment.name, &cluster_id)?;
        Ok(state)
    }

    async fn read(
        ctx: &Context,
        mut state: UserScramCredentialModel,
        call: &mut Call,
    ) -> Result<Option<UserScramCredentialModel>, Failure> {
        let is_import = call.private.take(IMPORTED).is_some();
        let (environment, cluster_id) = environment_of_state(ctx, &state, call.deadline).await?;
        let (kafka, name) = (environment.kafka()?, state.name()?);
        let iterations = match kafka.refresh_scram_user(&name.user, call.deadline).await {
            Ok(found) if found.contains_key(&name.mechanism) => Ok(found),
            // Only an answer about this very user says that it is gone.
            Ok(_) => kafka.scram_user(&name.user, call.deadline).await,
            Err(error) => Err(error),
        };
        match iterations.map(|it| it.get(&name.mechanism).copied()) {
            Ok(None) => Ok(None),
            Ok(Some(iterations)) => {
                state.scram_iterations = iterations.into();
                Ok(Some(settle_seen(state, environment, cluster_id)?))
            }
            Err(error @ KafkaError::Denied { .. }) if !is_import => {
                call.report.push(told::not_refreshed(&name).caused_by(&error));
                Ok(Some(settle_seen(state, environment, cluster_id)?))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn update(
        ctx: &Context,
        prior: UserScramCredentialModel,
        plan: UserScramCredentialModel,
        config: &UserScramCredentialModel,
        call: &mut Call,
    ) -> Result<UserScramCredentialModel, Failure> {
        let environment = environment_of_plan(ctx, &plan)?;
        let cluster_id = expect_cluster(&prior, environment, call.deadline).await?.to_owned();
        call.private.forget(&OF_THE_PLAN);
        if plan.is_sent(Some(&prior)) {
            environment.kafka()?.set_scram_credential(&plan.credential(config)?, call.deadline).await?;
        }
        let mut state = plan;
        settle(&mut state, &environment.name, &cluster_id)?;
        Ok(state)
    }

    async fn delete(ctx: &Context, state: UserScramCredentialModel, call: &mut Call) -> Result<(), Failure> {
        let (environment, _) = environment_of_state(ctx, &state, call.deadline).await?;
        let name = state.name()?;
        if environment.has_made(&name.object()) {
            call.report.push(told::kept(&name));
            return Ok(());
        }
        Ok(environment.kafka()?.delete_scram_credential(&name.user, name.mechanism, call.deadline).await?)
    }

    async fn import(
        ctx: &Context,
        import: Import<UserScramCredentialIdentity>,
        call: &mut Call,
    ) -> Result<UserScramCredentialModel, Failure> {
        let (environment, name) = match import {
            Import::Id(id) => {
                let (environment, name) = CredentialName::identified(&id).map_err(|_| told::identifier())?;
                (ctx.environment(environment)?, name)
            }
            Import::Identity(it) => {
                let environment = environment_of_identity(ctx, &it.cluster_id, call.deadline).await?;
                let (user, mechanism) = (it.username.value()?.clone(), *it.scram_mechanism.value()?);
                (environment, CredentialName { user, mechanism })
            }
        };
        let state = UserScramCredentialModel {
            username: name.user.into(),
            scram_mechanism: name.mechanism.into(),
            ..UserScramCredentialModel::default()
        };
        settle_imported(state, environment, call).await
    }

    /// Other providers stored the password. It is dropped with all that this one does not know; so is the identifier, of which
    /// nobody knows what it holds.
    fn upgrade(_version: i64, mut state: Json) -> Result<Json, Failure> {
        if let Some(attributes) = state.as_object_mut() {
            attributes.remove("id");
            attributes.remove("password");
        }
        Ok(state)
    }
}

/// Tells that another credential exists, or that the brokers do not know such, before anything is done.
async fn look_ahead(
    environment: &Environment,
    name: &CredentialName,
    planned: Option<&NewScramCredential>,
    call: &mut Call,
) -> Result<(), Failure> {
    // The deed follows at once and tells as much.
    if environment.has_made_anything() {
        return Ok(());
    }
    let (kafka, deadline) = (environment.kafka()?, patience(call));
    match kafka.refresh_scram_user(&name.user, deadline).await {
        Ok(found) => {
            if let Some(iterations) = found.get(&name.mechanism)
                && let Some(found) = unlike_planned(kafka, *iterations, planned, deadline).await
            {
                call.report.push(told::exists(Phase::Plan, name, &found));
            }
        }
        Err(error @ KafkaError::Unsupported(_)) => return Err(error.into()),
        Err(error) => call.report.push(dry_run(&error)),
    }
    Ok(())
}

/// Warns whoever takes away or changes the password that they log in with.
fn warn_of_own(
    environment: &Environment,
    name: &CredentialName,
    told: fn(&CredentialName) -> Diagnostic,
    call: &mut Call,
) {
    if environment.principal() == Some(&Principal::user(&name.user)) {
        call.report.push(told(name));
    }
}

impl Placed for UserScramCredentialModel {
    const WHAT: &'static str = "SCRAM credential";

    place_attributes!();

    fn local_name(&self) -> Result<String, Unknown> {
        Ok(self.name()?.to_string())
    }
}

impl UserScramCredentialModel {
    fn name(&self) -> Result<CredentialName, Unknown> {
        Ok(CredentialName { user: self.username.value()?.clone(), mechanism: *self.scram_mechanism.value()? })
    }

    fn adopts(&self) -> Result<bool, Unknown> {
        Ok(self.on_existing.known()? == Some(&OnExisting::Adopt))
    }

    /// Whether it takes the password to come here.
    fn is_sent(&self, prior: Option<&Self>) -> bool {
        prior.is_none_or(|prior| {
            let is_new = self.password_wo_version != prior.password_wo_version && !self.password_wo_version.is_null();
            is_new || self.scram_iterations != prior.scram_iterations
        })
    }

    /// The credential, with the password that only the configuration has.
    fn credential(&self, config: &Self) -> Result<NewScramCredential, Failure> {
        let CredentialName { user, mechanism } = self.name()?;
        let iterations = *self.scram_iterations.known()?.ok_or(Unknown)?;
        match config.password_wo.known()? {
            Some(it) if it.expose().is_empty() => Err(told::empty_password().into()),
            Some(password) => Ok(NewScramCredential { user, mechanism, iterations, password: password.clone() }),
            None => Err(told::no_password(false).into()),
        }
    }
}

//! `kafka_environment`: the rules of one cluster.

mod planning;
mod policy;
mod preparing;
mod spec;
#[cfg(test)]
mod tests;
mod trying;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{
    governed::{expect_journal, naming, remember},
    place::{
        ENVIRONMENT, IMPORTED, Placed, environment_of_identity, environment_of_plan, environment_of_state,
        place_attributes, plan_place, settle, settle_imported, settle_seen,
    },
    site::Site,
    totals::TotalsModel,
};
use crate::{
    clients::{journal::JournalError, kafka::KafkaError, sight::look},
    framework::{
        Block, Call, Change, Computed, Diagnostic, Diagnostics, Failure, Import, Model, Nested, Optional,
        OptionalComputed, Phase, Plan, Required, Resource, Set, Timeouts, Unknown,
    },
    governance::{
        acl::Principal,
        command::Command,
        condition::{Sight, Told},
        names::EnvironmentName,
        policy::{AclMode, Capability, DeployerRights, Enforcement},
    },
    provider::Context,
};
pub(super) use policy::ChangeApprovalWord;
use policy::{AclsModel, ApprovalModel, ConnectorsModel, NamingModel, SchemasModel, TopicsModel};

/// The only status: what the cluster is like changes by itself, and is no part of a state.
const READY: &str = "ready";

/// The rules of one Kafka cluster, and the journal in which everything that is asked, decided and done there is kept.
///
/// One cluster is one environment. Creating it makes the journal's topics, `_selfserve` and its neighbours, and the ACLs
/// that keep them the platform's. A change of the rules changes nothing that exists: what breaks a new rule is warned
/// about, and must keep to it from its next change on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct EnvironmentModel {
    /// Identifier of the environment, the same as `environment`. Refer to it in the `environment` of what is made in the
    /// same run.
    #[attr(unknown_when = &["environment"])]
    id: Computed<String>,
    /// Name of the provider's environment, which leads to the cluster. Default: the provider's default environment when
    /// it is created. Another name for the same cluster changes nothing; another cluster replaces the environment.
    environment: OptionalComputed<String>,
    /// Id of the cluster.
    #[attr(unknown_when = &["environment"])]
    cluster_id: Computed<String>,
    /// Name by which people know the environment: 1 to 63 lower-case letters, digits and `-`, a letter first.
    name: Required<EnvironmentName>,
    /// Where it stands between development and production, in the organisation's own word, such as `pre`.
    stage: Optional<String>,
    /// Where it runs, in the organisation's own word, such as `on-premise`.
    hosting: Optional<String>,
    /// Free words to find it by, such as `region`.
    labels: Optional<BTreeMap<String, String>>,
    /// Principals that the platform works as, such as `User:platform`: they may write the journal, and no application may
    /// have them. The one that applies this must be among them, or in `super_users`, or a super user by the brokers' own
    /// word. Default: the one that applies this.
    platform_principals: Optional<Set<Principal>>,
    /// Super users of the brokers (`super.users`), which brokers do not tell: no application may have them.
    super_users: Optional<Set<Principal>>,
    /// Principals that the brokers have among themselves: no application may have them.
    broker_principals: Optional<Set<Principal>>,
    /// How things are named. Default: as Kafka permits.
    naming: Optional<Nested<NamingModel>>,
    /// What topics may be. Default: what Kafka permits.
    topics: Optional<Nested<TopicsModel>>,
    /// What schemas may be.
    schemas: Optional<Nested<SchemasModel>>,
    /// What connectors may be.
    connectors: Optional<Nested<ConnectorsModel>>,
    /// Which rules `kafka_acl` may write. Default: what Kafka permits. What applications and grants need is not asked.
    acls: Optional<Nested<AclsModel>>,
    /// What there is beside brokers: `connect`, `schemas`, `ksqldb`, `flink`. Where `connect` and `schemas` are is said in
    /// the provider block. Default: nothing.
    capabilities: Optional<Set<Capability>>,
    /// Who must agree to what.
    approval: Optional<Nested<ApprovalModel>>,
    /// What one application may take together. Default: no limit.
    quota: Optional<Nested<TotalsModel>>,
    /// Who enforces ownership: `acl`, the brokers' authorizer; `external`, something else that is told which rules to
    /// make; or `none`, so that it holds in plans alone. Default: what the cluster is found to have.
    enforcement: OptionalComputed<Enforcement>,
    /// What brokers do with resources that have no rule (`allow.everyone.if.no.acl.found`): `closed`, nobody may use
    /// them; `open`, everybody may, and rules that would lock anybody out of a topic are refused; `closing`, everybody may,
    /// and rules may end that resource by resource. Default: `closed`.
    #[attr(default = AclMode::Closed)]
    acl_mode: OptionalComputed<AclMode>,
    /// What the deployers of applications may do by themselves: `mailbox`, see what there is and ask; or `direct`, create,
    /// alter and delete within their prefixes, with any tool, so that the rules are advice. Default: `mailbox`.
    #[attr(default = DeployerRights::Mailbox)]
    deployer_rights: OptionalComputed<DeployerRights>,
    /// Whether everybody may ask for an application: `_selfserve.inbox` is made, everybody may write it and read
    /// `_selfserve.state`, which a plan needs, and the platform folds what was asked. Who has an application asks in its
    /// own mailbox. Turned off again, the topic stays, and nobody may write it. Default: `false`.
    inbox: Optional<bool>,
    /// Beginnings of names that no application may claim, besides those that Kafka and its tools use.
    reserved_prefixes: Optional<Set<String>>,
    /// The rules by which brokers make principals of certificates (`ssl.principal.mapping.rules`), in their order.
    principal_mapping_rules: Optional<Vec<String>>,
    /// Seconds within which `terraform-provider-kafka reconcile` runs: later, plans warn. Default: nobody asks.
    reconcile_within_seconds: Optional<i64>,
    /// How the environment is: `ready`. What the cluster is like is in `data.kafka_environment`.
    status: Computed<String>,
    /// How long each operation may take.
    timeouts: Block<Timeouts>,
}

/// What tells an environment from all others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct EnvironmentIdentity {
    /// Id of the cluster.
    cluster_id: Required<String>,
}

/// The create belongs to a replacement, whose environment is still there.
const REPLACING: &str = "replacing";
/// The first plan of a replacement has noted the environment already.
const PLANNED: &str = "planned_once";
/// Facts that a plan tells its apply, and that mean nothing afterwards.
const OF_THE_PLAN: [&str; 3] = [REPLACING, PLANNED, ENVIRONMENT];

/// What tells that an environment is planned or was made, among the objects of a provider's environment.
const OBJECT: &str = "environment";

/// How long a plan looks at a cluster, which is a service to its reader.
const LOOK: Duration = Duration::from_secs(30);

/// The resource.
#[derive(Debug)]
pub enum Environment {}

impl Placed for EnvironmentModel {
    const WHAT: &'static str = "environment";

    place_attributes!();

    fn local_name(&self) -> Result<String, Unknown> {
        self.name.value().map(ToString::to_string)
    }

    /// The environment's own, so that it can stand in the `environment` of others.
    fn id_in(&self, environment: &str) -> Result<String, Unknown> {
        Ok(environment.to_owned())
    }
}

impl Resource<Context> for Environment {
    const NAME: &'static str = "environment";
    type Model = EnvironmentModel;
    type Identity = EnvironmentIdentity;

    fn identity(state: &EnvironmentModel) -> EnvironmentIdentity {
        EnvironmentIdentity { cluster_id: state.cluster_id.to_required() }
    }

    fn validate(config: &EnvironmentModel, report: &mut Diagnostics) {
        report.append(config.contradictions());
    }

    async fn plan(ctx: &Context, plan: &mut Plan<EnvironmentModel>, call: &mut Call) -> Result<(), Failure> {
        if plan.replacing {
            call.private.set(REPLACING, true);
        }
        let placed = plan_place(ctx, plan, call).await;
        if plan.prior.is_none() {
            // What is made in the same run waits for the rules.
            plan.state.id = Computed::unknown();
        }
        placed?;
        plan.refuse_second(ctx, call).await
    }

    async fn admit(ctx: &Context, change: &Change<EnvironmentModel>, call: &mut Call) -> Result<(), Failure> {
        // What is done is decided on what is newest, in the deed.
        if call.phase == Phase::Apply || change.replacing {
            return Ok(());
        }
        let deadline = call.deadline.min(Instant::now() + LOOK);
        let before = call.report.0.len();
        let admitted = match (&change.plan, &change.prior) {
            (Some(plan), None) => planning::admit_new(ctx, plan, deadline, call).await,
            (Some(plan), Some(prior)) if plan != prior => {
                planning::admit_change(ctx, prior, plan, deadline, call).await
            }
            (Some(_), Some(_)) => Ok(()),
            (None, prior) => planning::admit_end(ctx, prior.as_ref(), deadline, call).await,
        };
        match admitted {
            // A cluster that cannot be asked, or a right that this run makes, turns no plan red.
            Err(Failure::Told(told)) if call.report.0.len() == before => {
                call.report.append(planning::as_warnings(told));
                Ok(())
            }
            admitted => admitted,
        }
    }

    async fn create(
        ctx: &Context,
        plan: EnvironmentModel,
        _: &EnvironmentModel,
        call: &mut Call,
    ) -> Result<EnvironmentModel, Failure> {
        let environment = environment_of_plan(ctx, &plan)?;
        let cluster_id = environment.cluster_id(call.deadline).await?.to_owned();
        call.private.forget(&OF_THE_PLAN);
        let sight = look(environment.kafka()?, environment.journal()?, call.deadline).await?;
        let mut state = plan.enforced(&sight);
        settle(&mut state, &environment.name, &cluster_id)?;
        let spec = preparing::with_facts(state.spec()?, environment, call.deadline).await?;
        let command = Command::DeclareEnvironment(Box::new(spec.clone()));
        let governed = environment.governed()?;
        // Whoever may not declare it, or has another one there, changes nothing on the cluster.
        planning::would(environment, &governed, &command, call.deadline).await??;
        preparing::refuse_stranger(environment, &spec, call.deadline).await?;
        preparing::refuse_untaken(environment, None, &spec, call.deadline).await?;
        preparing::make_rules(environment, &spec, call.deadline).await?;
        preparing::make_journal(environment, call.deadline).await?;
        let snapshot = governed.command(command, call.deadline).await?;
        preparing::make_inbox(environment, &spec, call.deadline).await?;
        let snapshot = preparing::probe_enforcement(environment, &spec, snapshot, call).await?;
        environment.forget_governance().await;
        environment.note_made(OBJECT);
        remember(call, &snapshot);
        Ok(EnvironmentModel { status: READY.to_owned().into(), ..state })
    }

    async fn read(
        ctx: &Context,
        state: EnvironmentModel,
        call: &mut Call,
    ) -> Result<Option<EnvironmentModel>, Failure> {
        let imported = call.private.take(IMPORTED).is_some();
        let (environment, cluster_id) = environment_of_state(ctx, &state, call.deadline).await?;
        let journal = environment.journal()?;
        let snapshot = match journal.snapshot(call.deadline).await {
            Ok(it) => it,
            Err(JournalError::Absent(_)) if imported => return Ok(None),
            Err(JournalError::Kafka(error @ KafkaError::Denied { .. })) if !imported => {
                let detail =
                    "The journal of the environment may not be read, so that its state stays as it was stored.";
                call.report.push(Diagnostic::warning("Environment not refreshed", detail).caused_by(&error));
                return Ok(Some(state));
            }
            Err(error) => return Err(error.into()),
        };
        expect_journal(call, &environment.governed()?, call.deadline).await?;
        journal.owner(&snapshot, call.deadline).await?;
        let Some(found) = snapshot.state.environment() else { return Ok(None) };
        remember(call, &snapshot);
        if !imported {
            planning::tell_late(found, call);
        }
        Ok(Some(settle_seen(state.seen(&found.spec)?, environment, cluster_id)?))
    }

    async fn update(
        ctx: &Context,
        prior: EnvironmentModel,
        plan: EnvironmentModel,
        _: &EnvironmentModel,
        call: &mut Call,
    ) -> Result<EnvironmentModel, Failure> {
        call.private.forget(&OF_THE_PLAN);
        let Site { environment, cluster_id, governed } = Site::of_change(ctx, &prior, &plan, call).await?;
        let mut state = plan;
        settle(&mut state, &environment.name, cluster_id)?;
        let (before, spec) = (prior.spec()?, preparing::with_facts(state.spec()?, environment, call.deadline).await?);
        let command = Command::ChangeEnvironment(Box::new(spec.clone()));
        planning::would(environment, &governed, &command, call.deadline).await??;
        preparing::refuse_stranger(environment, &spec, call.deadline).await?;
        preparing::refuse_untaken(environment, Some(&before), &spec, call.deadline).await?;
        preparing::make_rules(environment, &spec, call.deadline).await?;
        let known = governed.snapshot(call.deadline).await?;
        let snapshot = governed.command(command, call.deadline).await?;
        preparing::make_inbox(environment, &spec, call.deadline).await?;
        preparing::probe_enforcement(environment, &spec, snapshot, call).await?;
        let snapshot = preparing::provision_anew(&governed, &known.state, call).await?;
        environment.forget_governance().await;
        preparing::remove_rules(environment, &before, &spec, call.deadline).await?;
        remember(call, &snapshot);
        Ok(EnvironmentModel { status: READY.to_owned().into(), ..state })
    }

    async fn delete(ctx: &Context, state: EnvironmentModel, call: &mut Call) -> Result<(), Failure> {
        let (environment, _) = environment_of_state(ctx, &state, call.deadline).await?;
        if environment.has_made(OBJECT) {
            let detail = "The environment is the new one by now: this run declared it on the same cluster.";
            call.report.push(Diagnostic::warning("Environment not ended", detail));
            return Ok(());
        }
        let governed = environment.governed()?;
        let named = |it| naming(it, &format!("the environment `{}`", environment.name));
        expect_journal(call, &governed, call.deadline).await.map_err(named)?;
        let ended = governed.command(Command::DestroyEnvironment(()), call.deadline).await;
        ended.map_err(|it| named(it.into()))?;
        environment.forget_governance().await;
        let detail = "The environment ended, and nothing is governed by it any more. Its journal stays in the cluster: the \
                      topics `_selfserve`, `_selfserve.state` and `_selfserve.text` hold what was decided.";
        call.report.push(Diagnostic::warning("Journal stays", detail));
        Ok(())
    }

    async fn import(
        ctx: &Context,
        import: Import<EnvironmentIdentity>,
        call: &mut Call,
    ) -> Result<EnvironmentModel, Failure> {
        let environment = match import {
            Import::Id(name) => ctx.environment(Some(&name))?,
            Import::Identity(identity) => environment_of_identity(ctx, &identity.cluster_id, call.deadline).await?,
        };
        settle_imported(EnvironmentModel::default(), environment, call).await
    }
}

impl EnvironmentModel {
    /// With what enforces it, which the cluster decides where nobody says.
    fn enforced(self, sight: &Sight) -> Self {
        let found = if sight.authorizer == Told::Off { Enforcement::None } else { Enforcement::Acl };
        let enforcement = self.enforcement.get().copied().unwrap_or(found);
        Self { enforcement: enforcement.into(), ..self }
    }
}

//! What is told of an environment before anything is done.

use std::time::Instant;

use super::{
    EnvironmentModel, LOOK, OBJECT, PLANNED,
    preparing::{declared_by, is_platform, stranger, untaken},
};
use crate::{
    clients::{
        clock::now,
        governed::Governed,
        journal::JournalError,
        kafka::{Kafka, KafkaError, Topic},
    },
    framework::{Call, Diagnostic, Diagnostics, Failure, Phase, Plan, Severity},
    governance::{
        binding::BindingStatus,
        command::Command,
        condition::{ConditionStatus, Sight, conditions, reconciliation},
        decide::{TopicConfigs, broken_by, owned_topics},
        environment::{Environment, EnvironmentSpec},
        policy::{DeployerRights, Enforcement, Policy},
        state::State,
        violation::Refusal,
    },
    provider::{self, Context},
    resources::{
        governed::tell,
        place::{environment_of_plan, environment_of_state},
        violations::diagnostic,
    },
};

/// Of how many topics the configuration is looked at.
const LOOKED_AT: usize = 500;

/// How many of the objects that break new rules are named.
const NAMED: usize = 20;

impl Plan<EnvironmentModel> {
    /// Refuses a second resource for one cluster, even beside one that nobody changes: whoever removed one of the blocks
    /// would end the environment of the other.
    pub(super) async fn refuse_second(&self, ctx: &Context, call: &mut Call) -> Result<(), Failure> {
        // Of a replacement, the plan of what is new asks, unless the first one did.
        if !self.replace.is_empty() || (self.replacing && call.private.is(PLANNED)) {
            return Ok(());
        }
        let environment = environment_of_plan(ctx, &self.state)?;
        let cluster_id = match self.state.cluster_id.get() {
            Some(it) => Some(it.as_str()),
            None if ctx.environments()?.count() < 2 => None,
            // A cluster that does not answer is told of elsewhere, and apply will ask again.
            None => environment.cluster_id(call.deadline.min(Instant::now() + LOOK)).await.ok(),
        };
        if !environment.plan_once_in(cluster_id, OBJECT) {
            let detail = format!(
                "`{}` leads to a cluster whose environment another resource of this configuration declares already, and one \
                 cluster is one environment.\n\nRemove one of the two, or have it lead to a cluster of its own.",
                environment.name
            );
            call.report.push(Diagnostic::error("Environment planned twice", detail).at("environment"));
        }
        if self.prior.is_some() {
            call.private.set(PLANNED, true);
        }
        Ok(())
    }
}

/// An environment that is to be declared.
pub(super) async fn admit_new(
    ctx: &Context,
    plan: &EnvironmentModel,
    deadline: Instant,
    call: &mut Call,
) -> Result<(), Failure> {
    let environment = environment_of_plan(ctx, plan)?;
    let sight = environment.look(deadline).await?;
    let mut spec = plan.clone().enforced(&sight).spec()?;
    spec.cluster.cluster_id = environment.cluster_id(deadline).await?.to_owned();
    // Where nobody says what enforces it, they count on the authorizer.
    let enforcement = plan.enforcement.get().copied().unwrap_or_default();
    let counted_on = EnvironmentSpec { policy: Policy { enforcement, ..spec.policy.clone() }, ..spec.clone() };
    tell_conditions(&counted_on, &sight, call);
    tell_advice(None, &spec.policy, call);
    spec.cluster.declared_by = declared_by(&spec, environment);
    call.report.0.extend(stranger(environment, &spec, deadline).await?);
    call.report.0.extend(untaken(environment, None, &spec, deadline).await?);
    refusals(environment, &Command::DeclareEnvironment(Box::new(spec)), deadline, call).await
}

/// An environment whose rules are to change.
pub(super) async fn admit_change(
    ctx: &Context,
    prior: &EnvironmentModel,
    plan: &EnvironmentModel,
    deadline: Instant,
    call: &mut Call,
) -> Result<(), Failure> {
    let environment = environment_of_plan(ctx, plan)?;
    let mut spec = plan.spec()?;
    let before = prior.spec()?;
    tell_advice(Some(&before.policy), &spec.policy, call);
    call.report.0.extend(untaken(environment, Some(&before), &spec, deadline).await?);
    if !refuse_lockout(environment, &before, &spec, call) {
        call.report.0.extend(stranger(environment, &spec, deadline).await?);
    }
    spec.cluster.declared_by = declared_by(&spec, environment);
    spec.cluster.cluster_id = environment.cluster_id(deadline).await?.to_owned();
    if let Some(governance) = environment.governance(deadline).await? {
        let state = &governance.snapshot.state;
        let about_config = |it: &EnvironmentSpec| {
            let topics = &it.policy.topics;
            (topics.config.clone(), topics.max_message_bytes)
        };
        let (configs, unseen) = if about_config(&before) == about_config(&spec) {
            (TopicConfigs::new(), 0)
        } else {
            topic_configs(environment.kafka()?, state, deadline).await
        };
        tell_broken(&broken_by(state, &spec, &configs), unseen, call);
        tell_left(&governance.snapshot.state, &spec, call);
    }
    refusals(environment, &Command::ChangeEnvironment(Box::new(spec)), deadline, call).await
}

/// An environment that is to end. Whether it may is decided in apply, when its applications may be gone.
pub(super) async fn admit_end(
    ctx: &Context,
    prior: Option<&EnvironmentModel>,
    deadline: Instant,
    call: &mut Call,
) -> Result<(), Failure> {
    let Some(prior) = prior else { return Ok(()) };
    let (environment, _) = environment_of_state(ctx, prior, deadline).await?;
    let Some(governance) = environment.governance(deadline).await? else { return Ok(()) };
    if let Err(refusal) = governance.governed.would(&governance.snapshot.state, &Command::DestroyEnvironment(())) {
        tell(&refusal.0, call.phase, call);
    }
    Ok(())
}

/// What speaks against a command by now, before anything is done. A journal whose making was interrupted says nothing, nor
/// does one that cannot be read before the rules for it are made.
pub(super) async fn would(
    environment: &provider::Environment,
    governed: &Governed,
    command: &Command,
    deadline: Instant,
) -> Result<Result<(), Refusal>, Failure> {
    let journal = environment.journal()?;
    match journal.snapshot(deadline).await {
        Ok(snapshot) => {
            journal.owner(&snapshot, deadline).await?;
            Ok(governed.would(&snapshot.state, command))
        }
        Err(
            JournalError::Absent(_)
            | JournalError::Incomplete(_)
            | JournalError::NoHead(_)
            | JournalError::Kafka(KafkaError::Denied { .. }),
        ) => Ok(governed.would(&State::default(), command)),
        Err(error) => Err(error.into()),
    }
}

/// The same, told at the attributes to blame.
async fn refusals(
    environment: &provider::Environment,
    command: &Command,
    deadline: Instant,
    call: &mut Call,
) -> Result<(), Failure> {
    let Err(Refusal(violations)) = would(environment, &environment.governed()?, command, deadline).await? else {
        return Ok(());
    };
    for it in &violations {
        let told = diagnostic(it, Phase::Plan);
        // It may be the one that is replaced, or an import may be missing.
        let exists = it.summary == "Environment exists";
        call.report.push(if exists { Diagnostic { severity: Severity::Warning, ..told } } else { told });
    }
    Ok(())
}

/// Tells that the caller was the platform and would not be any more, and whether that is so.
fn refuse_lockout(
    environment: &provider::Environment,
    before: &EnvironmentSpec,
    spec: &EnvironmentSpec,
    call: &mut Call,
) -> bool {
    let was = environment.principal().filter(|it| before.cluster.platform_principals.contains(*it));
    let locked_out = was.filter(|_| !is_platform(environment, spec));
    if let Some(principal) = locked_out {
        let detail = format!(
            "The provider works as `{principal}`, which would lose its rights on the journal and could not give them back.\
             \n\nKeep it in `platform_principals`, or apply this as another one of them."
        );
        call.report.push(Diagnostic::error("Caller would lock itself out", detail).at("platform_principals"));
    }
    locked_out.is_some()
}

/// What of a cluster is not as the rules count on.
fn tell_conditions(spec: &EnvironmentSpec, sight: &Sight, call: &mut Call) {
    for it in conditions(spec, sight).into_iter().filter(|it| it.status == ConditionStatus::Bad) {
        let detail = format!("On this cluster, {}.\n\n{}", it.message, it.remedy.unwrap_or_default());
        call.report.push(Diagnostic::warning("Cluster is not as it should be", detail));
    }
}

/// Tells, where deployers come to make topics themselves, that the rules do not bind what they make with other tools.
fn tell_advice(before: Option<&Policy>, policy: &Policy, call: &mut Call) {
    let is_direct = |it: &Policy| it.deployer_rights == DeployerRights::Direct;
    if is_direct(policy) && !before.is_some_and(is_direct) {
        let detail = "With `direct`, deployers create, change and delete topics under their prefixes with any tool, and this \
                      provider's rules bind what they do with this provider alone.\n\nRun `terraform-provider-kafka \
                      reconcile`, which tells what is not as the rules have it, or write `deployer_rights = \"mailbox\"`.";
        call.report.push(Diagnostic::warning("Rules become advice", detail).at("deployer_rights"));
    }
}

/// That what is to be done in the environment is not done in time.
pub(super) fn tell_late(environment: &Environment, call: &mut Call) {
    if let Some(it) = reconciliation(environment, now()).filter(|it| it.status == ConditionStatus::Bad) {
        let detail = format!("In this environment, {}.\n\n{}", it.message, it.remedy.unwrap_or_default());
        call.report.push(Diagnostic::warning("Reconciliation is late", detail).at("reconcile_within_seconds"));
    }
}

/// Tells of the rules that stay where they are not what enforces rights any more: to take them away before the other means
/// is there would stop every application.
fn tell_left(state: &State, spec: &EnvironmentSpec, call: &mut Call) {
    let was_acl = state.policy().is_some_and(|it| it.enforcement == Enforcement::Acl);
    let count = state.bindings().filter(|(_, it)| it.status != BindingStatus::Removed).count();
    if was_acl && spec.policy.enforcement != Enforcement::Acl && 0 < count {
        let detail = format!(
            "{count} ACLs that were made for applications stay on the cluster as they are, and permit what they did: without \
             them, everything would stop.\n\nRemove them with Kafka's own tools when something else enforces ownership. \
             With `enforcement = \"acl\"` again, they are this provider's again."
        );
        call.report.push(Diagnostic::warning("ACLs stay", detail).at("enforcement"));
    }
}

/// The configuration of the topics that the rules are about, and of how many it was not seen.
async fn topic_configs(kafka: &dyn Kafka, state: &State, deadline: Instant) -> (TopicConfigs, usize) {
    let mut res = TopicConfigs::new();
    let mut unseen = owned_topics(state).skip(LOOKED_AT).count();
    for (name, _) in owned_topics(state).take(LOOKED_AT) {
        match kafka.describe_topic(name, deadline).await {
            Ok(Some(Topic { config: Some(config), .. })) => {
                let own = config.into_iter().filter(|(_, it)| it.overridden);
                res.insert(name.clone(), own.filter_map(|(key, it)| Some((key, it.value?))).collect());
            }
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => unseen += 1,
        }
    }
    (res, unseen)
}

/// What breaks new rules: they hold for it from its next change on. Configuration is not in the journal, so that what was not
/// seen of it is told too.
fn tell_broken(broken: &[String], unseen: usize, call: &mut Call) {
    if 0 < unseen {
        let detail = format!(
            "The configuration of {unseen} of the topics was not looked at, because they are many or may not be described: \
             whether it keeps to the new rules shows when they are changed."
        );
        call.report.push(Diagnostic::warning("Configuration not checked", detail).at("topics"));
    }
    if broken.is_empty() {
        return;
    }
    let more = broken.len().saturating_sub(NAMED);
    let rest = if more == 0 { String::new() } else { format!("\n- and {more} more") };
    let detail = format!(
        "What is there stays as it is, and must keep to the new rules from its next change on:\n- {}{rest}",
        broken.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("\n- ")
    );
    call.report.push(Diagnostic::warning("Existing objects break the new rules", detail));
}

/// What could not be checked, as what it means for a plan.
pub(super) fn as_warnings(told: Diagnostics) -> Diagnostics {
    Diagnostics(told.0.into_iter().map(|it| Diagnostic { severity: Severity::Warning, ..it }).collect())
}

//! What a cluster needs before it can be governed: the rights on the journal, and the journal.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use super::trying::try_config;
use crate::{
    clients::{
        governed::Governed,
        journal::{JournalError, JournalTopics, Snapshot},
        kafka::KafkaError,
        probe::{probe, told_super_users},
    },
    framework::{Call, Diagnostic, Diagnostics, Failure, Severity},
    governance::{
        acl::{AclBinding, Operation, PatternType, Permission, Principal, ResourceType, WILDCARD},
        command::Command,
        decide::needs_provisioning,
        environment::{ClusterFacts, EnvironmentSpec},
        mailbox::MailboxOf,
        names::ApplicationName,
        policy::Enforcement,
        rights::{INBOX, MAILBOXES, STATE_TOPIC},
        state::State,
    },
    provider::Environment,
    resources::governed::tell_unenforced,
};

/// How many of the applications whose rights are not made are named.
const NAMED: usize = 20;

/// A declaration with what decisions must know of the cluster.
pub(super) async fn with_facts(
    mut spec: EnvironmentSpec,
    environment: &Environment,
    deadline: Instant,
) -> Result<EnvironmentSpec, Failure> {
    spec.cluster.cluster_id = environment.cluster_id(deadline).await?.to_owned();
    spec.cluster.wants_idempotent_write = environment.kafka()?.wants_idempotent_write(deadline).await?;
    spec.cluster.declared_by = declared_by(&spec, environment);
    Ok(spec)
}

/// Who declares it, where nobody else is named as the platform: then that is the platform's principal.
pub(super) fn declared_by(spec: &EnvironmentSpec, environment: &Environment) -> Option<Principal> {
    environment.principal().filter(|_| spec.cluster.platform_principals.is_empty()).cloned()
}

/// Makes the journal, unless it is there.
pub(super) async fn make_journal(environment: &Environment, deadline: Instant) -> Result<(), Failure> {
    let journal = environment.journal()?;
    match journal.snapshot(deadline).await {
        Ok(_) => return Ok(()),
        // What an earlier try left unfinished is finished.
        Err(JournalError::Absent(_) | JournalError::Incomplete(_) | JournalError::NoHead(_)) => {}
        Err(error) => return Err(error.into()),
    }
    match journal.create(environment.claims(), deadline).await {
        // Somebody made it meanwhile: what it may be for is decided next.
        Ok(_) | Err(JournalError::Exists(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Makes the rules that keep the journal the platform's. The transactional id has its rule before it is first used, so that
/// nobody else can take it where resources without a rule are everybody's.
pub(super) async fn make_rules(
    environment: &Environment,
    spec: &EnvironmentSpec,
    deadline: Instant,
) -> Result<(), Failure> {
    if spec.policy.enforcement != Enforcement::Acl {
        return Ok(());
    }
    let mut rules = platform_rules(&platform(spec, environment), environment.journal()?.topics());
    if spec.policy.inbox {
        rules.extend(inbox_rules());
    }
    let failures = match environment.kafka()?.create_acls(&rules, deadline).await {
        // That is told as a condition, and ownership holds in plans.
        Err(KafkaError::NoAuthorizer) => return Ok(()),
        answer => answer?,
    };
    match failures.into_iter().next() {
        None => Ok(()),
        Some((rule, error)) => {
            let detail = format!("The rule `{rule}`, which keeps the journal the platform's, was not created.");
            Err(Diagnostic::error("ACL not created", detail).at("platform_principals").caused_by(&error).into())
        }
    }
}

/// Makes the topic in which everybody may ask for an application, where that is wanted. One that is there stays, with what
/// was asked in it.
pub(super) async fn make_inbox(
    environment: &Environment,
    spec: &EnvironmentSpec,
    deadline: Instant,
) -> Result<(), Failure> {
    if spec.policy.inbox {
        environment.governed()?.make_box(&MailboxOf::Everybody, deadline).await?;
    }
    Ok(())
}

/// Tries whether the brokers follow rules, and notes it in the journal.
pub(super) async fn probe_enforcement(
    environment: &Environment,
    spec: &EnvironmentSpec,
    snapshot: Arc<Snapshot<State>>,
    call: &mut Call,
) -> Result<Arc<Snapshot<State>>, Failure> {
    if spec.policy.enforcement != Enforcement::Acl {
        return Ok(snapshot);
    }
    let super_users = &spec.cluster.super_users;
    let found = probe(environment.kafka()?, environment.principal(), super_users, call.deadline).await;
    let snapshot = environment.governed()?.command(Command::MarkEnforcement(found), call.deadline).await?;
    tell_unenforced(&snapshot.state, call);
    Ok(snapshot)
}

/// Makes the rights of the applications anew that are others by the new rules. What is left is told: it is no reason to undo
/// the change, and the next one who looks after the application mends it.
pub(super) async fn provision_anew(
    governed: &Governed,
    before: &State,
    call: &mut Call,
) -> Result<Arc<Snapshot<State>>, Failure> {
    let snapshot = governed.snapshot(call.deadline).await?;
    let was_so = unprovisioned(before);
    let names = unprovisioned(&snapshot.state).difference(&was_so).cloned().collect();
    let left = governed.provision_all(&names, call.deadline).await;
    if !left.is_empty() {
        let told: Vec<String> = left.iter().take(NAMED).map(|(name, why)| format!("- `{name}`: {why}")).collect();
        let more = left.len().saturating_sub(NAMED);
        let more = if more == 0 { String::new() } else { format!("\n- and {more} more") };
        let detail = format!(
            "The rules changed, and these applications have the rights that they had before, or some of them:\n{}{more}\n\n\
             Apply their `kafka_application` again, or run `terraform-provider-kafka reconcile`, which does all of them.",
            told.join("\n")
        );
        call.report.push(Diagnostic::warning("Rights are not as the rules say", detail));
    }
    if names.is_empty() { Ok(snapshot) } else { Ok(governed.snapshot(call.deadline).await.unwrap_or(snapshot)) }
}

/// The applications whose rights are not as the rules say.
fn unprovisioned(state: &State) -> BTreeSet<ApplicationName> {
    let Some(environment) = state.environment() else { return BTreeSet::new() };
    let left = state.applications().filter(|it| needs_provisioning(environment, state, it));
    left.map(|it| it.spec.name.clone()).collect()
}

/// Refuses to declare rules by which the caller could not keep the journal.
pub(super) async fn refuse_stranger(
    environment: &Environment,
    spec: &EnvironmentSpec,
    deadline: Instant,
) -> Result<(), Failure> {
    match stranger(environment, spec, deadline).await? {
        Some(told) => Err(told.into()),
        None => Ok(()),
    }
}

/// Refuses rules for configuration that the brokers do not take.
pub(super) async fn refuse_untaken(
    environment: &Environment,
    before: Option<&EnvironmentSpec>,
    spec: &EnvironmentSpec,
    deadline: Instant,
) -> Result<(), Failure> {
    let told = untaken(environment, before, spec, deadline).await?;
    let wrong: Vec<_> = told.into_iter().filter(|it| it.severity == Severity::Error).collect();
    if wrong.is_empty() { Ok(()) } else { Err(Diagnostics(wrong).into()) }
}

/// What the brokers do not take of the rules for configuration, where these are new.
pub(super) async fn untaken(
    environment: &Environment,
    before: Option<&EnvironmentSpec>,
    spec: &EnvironmentSpec,
    deadline: Instant,
) -> Result<Vec<Diagnostic>, Failure> {
    let topics = &spec.policy.topics;
    if before.is_some_and(|it| it.policy.topics.config == topics.config) {
        return Ok(Vec::new());
    }
    Ok(try_config(environment.kafka()?, topics, deadline).await)
}

/// What speaks against the caller: it is none of the platform's principals, and no super user.
pub(super) async fn stranger(
    environment: &Environment,
    spec: &EnvironmentSpec,
    deadline: Instant,
) -> Result<Option<Diagnostic>, Failure> {
    let Some(principal) = environment.principal().filter(|_| !is_platform(environment, spec)) else { return Ok(None) };
    if told_super_users(environment.kafka()?, deadline).await.is_some_and(|it| it.contains(principal)) {
        return Ok(None);
    }
    let detail = format!(
        "The provider works as `{principal}`, which is none of the platform's principals: it may not write the journal, \
         unless it is a super user, which the brokers do not tell.\n\nAdd it to `platform_principals`, or to `super_users` \
         if it is one."
    );
    Ok(Some(Diagnostic::error("Caller is not the platform", detail).at("platform_principals")))
}

/// Whether who applies this stays able to.
pub(super) fn is_platform(environment: &Environment, spec: &EnvironmentSpec) -> bool {
    let ClusterFacts { platform_principals, super_users, .. } = &spec.cluster;
    let is_named = |it| platform_principals.is_empty() || platform_principals.contains(it) || super_users.contains(it);
    spec.policy.enforcement != Enforcement::Acl || environment.principal().is_none_or(is_named)
}

/// Removes the rules of those who are the platform no more, and of everybody where they may not ask any more.
pub(super) async fn remove_rules(
    environment: &Environment,
    before: &EnvironmentSpec,
    now: &EnvironmentSpec,
    deadline: Instant,
) -> Result<(), Failure> {
    let is_open = now.policy.inbox;
    let now = platform(now, environment);
    let gone: BTreeSet<Principal> = before.cluster.platform_principals.difference(&now).cloned().collect();
    let mut rules = platform_rules(&gone, environment.journal()?.topics());
    if before.policy.inbox && !is_open {
        rules.extend(inbox_rules());
    }
    if rules.is_empty() || before.policy.enforcement != Enforcement::Acl {
        return Ok(());
    }
    match environment.kafka()?.delete_acls(&rules, deadline).await {
        Err(KafkaError::NoAuthorizer) => Ok(()),
        answer => match answer?.into_iter().next() {
            None => Ok(()),
            Some((_, error)) => Err(error.into()),
        },
    }
}

/// The principals that the platform works as. Where none is declared, the one that works now.
fn platform(spec: &EnvironmentSpec, environment: &Environment) -> BTreeSet<Principal> {
    let declared = &spec.cluster.platform_principals;
    if declared.is_empty() { environment.principal().cloned().into_iter().collect() } else { declared.clone() }
}

/// What the platform does with the journal, and with the mailboxes beside it.
fn platform_rules(principals: &BTreeSet<Principal>, topics: &JournalTopics) -> Vec<AclBinding> {
    let mut res = Vec::new();
    for principal in principals {
        let mut allow = |resource_type, pattern_type, name: &str, operations: &[Operation]| {
            res.extend(operations.iter().map(|operation| AclBinding {
                resource_type,
                pattern_type,
                resource_name: name.to_owned(),
                principal: principal.clone(),
                host: WILDCARD.to_owned(),
                operation: *operation,
                permission: Permission::Allow,
            }));
        };
        // The lease first: see `make_rules`.
        allow(ResourceType::TransactionalId, PatternType::Literal, &topics.lease, &[Operation::Write]);
        for topic in topics.all() {
            let operations = [Operation::Read, Operation::Write, Operation::AlterConfigs];
            allow(ResourceType::Topic, PatternType::Literal, topic.as_str(), &operations);
        }
        let operations = [Operation::Read, Operation::Create, Operation::Delete];
        allow(ResourceType::Topic, PatternType::Prefixed, MAILBOXES, &operations);
        allow(ResourceType::Topic, PatternType::Literal, INBOX, &[Operation::Read, Operation::Create]);
    }
    res
}

/// What everybody does who has no application: read what there is, and ask for one.
fn inbox_rules() -> Vec<AclBinding> {
    let everybody = |name: &str, operation| AclBinding {
        resource_type: ResourceType::Topic,
        pattern_type: PatternType::Literal,
        resource_name: name.to_owned(),
        principal: Principal::user(WILDCARD),
        host: WILDCARD.to_owned(),
        operation,
        permission: Permission::Allow,
    };
    vec![everybody(INBOX, Operation::Write), everybody(STATE_TOPIC, Operation::Read)]
}

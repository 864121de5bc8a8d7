//! What a cluster needs before it can be governed: the rights on the journal, and the journal.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use crate::{
    clients::{
        journal::{JournalError, JournalTopics, Snapshot},
        kafka::KafkaError,
        probe::probe,
    },
    framework::{Call, Diagnostic, Failure},
    governance::{
        acl::{AclBinding, Operation, PatternType, Permission, Principal, ResourceType, WILDCARD},
        command::Command,
        environment::EnvironmentSpec,
        mailbox::MailboxOf,
        policy::Enforcement,
        rights::{INBOX, MAILBOXES, STATE_TOPIC},
        state::State,
    },
    provider::Environment,
    resources::governed::tell_unenforced,
};

/// A declaration with what decisions must know of the cluster.
pub(super) async fn with_facts(
    mut spec: EnvironmentSpec,
    environment: &Environment,
    deadline: Instant,
) -> Result<EnvironmentSpec, Failure> {
    spec.cluster.cluster_id = environment.cluster_id(deadline).await?.to_owned();
    spec.cluster.wants_idempotent_write = environment.kafka()?.wants_idempotent_write(deadline).await?;
    Ok(spec)
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

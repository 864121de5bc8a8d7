//! The rules of the authorizer that an application needs, and the principals that may be an application's.
//!
//! Rules are few and exact. A right that another one holds is not written twice: who may read may describe, and what a
//! prefix gives, a longer prefix need not.

use std::collections::BTreeSet;

use crate::governance::{
    acl::{AclBinding, CLUSTER, Operation, PatternType, Permission, Principal, ResourceType, WILDCARD},
    application::ApplicationSpec,
    binding::BindingStatus,
    environment::{ClusterFacts, Environment},
    kind::Kind,
    names::ApplicationName,
    policy::DeployerRights,
    preset::streams,
    state::{State, kind_of},
    violation::{At, Violation},
};

/// The topic that plans read.
pub const STATE_TOPIC: &str = "_selfserve.state";

/// The topic that takes requests for applications from everybody.
pub const INBOX: &str = "_selfserve.inbox";

/// How the topics begin that take the commands of deployers.
pub const MAILBOXES: &str = "_selfserve.mailbox.";

/// The topic that takes the commands of an application's deployers.
pub fn mailbox(application: &ApplicationName) -> String {
    format!("{MAILBOXES}{application}")
}

/// All rules that an application needs in an environment where the brokers' authorizer enforces them.
pub fn wanted(environment: &Environment, spec: &ApplicationSpec) -> BTreeSet<AclBinding> {
    let mut res = BTreeSet::new();
    let facts = &environment.spec.cluster;
    for it in &spec.principals {
        runtime(&mut res, it, spec, facts);
    }
    for it in &spec.deployers {
        deployer(&mut res, it, spec, environment.spec.policy.deployer_rights);
    }
    let is_held_by_another = |it: &AclBinding| res.iter().any(|other| other != it && holds(other, it));
    res.iter().filter(|it| !is_held_by_another(it)).cloned().collect()
}

/// What the running application does: read and write its topics, read as its groups, write in its transactions; and what
/// Kafka Streams does besides with its internal topics.
fn runtime(res: &mut BTreeSet<AclBinding>, principal: &Principal, spec: &ApplicationSpec, facts: &ClusterFacts) {
    let mut allow = |kind, name: &str, operations: &[Operation]| {
        res.extend(operations.iter().map(|it| prefixed(kind, name, principal, *it)));
    };
    for it in spec.prefixes(Kind::Topic) {
        allow(ResourceType::Topic, it, &[Operation::Read, Operation::Write]);
    }
    for it in spec.prefixes(Kind::Group) {
        allow(ResourceType::Group, it, &[Operation::Read]);
    }
    for it in spec.prefixes(Kind::TransactionalId) {
        allow(ResourceType::TransactionalId, it, &[Operation::Write]);
    }
    for it in spec.streams.iter().flat_map(|id| streams(id)) {
        let rule = |operation: &Operation| AclBinding {
            pattern_type: it.pattern_type,
            ..literal(it.resource_type, &it.resource_name, principal, *operation)
        };
        res.extend(it.operations.iter().map(rule));
    }
    if facts.wants_idempotent_write {
        res.insert(literal(ResourceType::Cluster, CLUSTER, principal, Operation::IdempotentWrite));
    }
}

/// What the pipeline does: see what there is, ask the platform for what is the platform's to do, and make its topics by
/// itself or ask for those too.
fn deployer(res: &mut BTreeSet<AclBinding>, principal: &Principal, spec: &ApplicationSpec, rights: DeployerRights) {
    let topic: &[Operation] = match rights {
        DeployerRights::Mailbox => &[Operation::Describe, Operation::DescribeConfigs],
        DeployerRights::Direct => &[Operation::Create, Operation::Delete, Operation::Alter, Operation::AlterConfigs],
    };
    for it in spec.prefixes(Kind::Topic) {
        res.extend(topic.iter().map(|operation| prefixed(ResourceType::Topic, it, principal, *operation)));
    }
    for it in spec.prefixes(Kind::Group) {
        res.insert(prefixed(ResourceType::Group, it, principal, Operation::Describe));
    }
    res.insert(literal(ResourceType::Topic, STATE_TOPIC, principal, Operation::Read));
    for it in [Operation::Read, Operation::Write] {
        res.insert(literal(ResourceType::Topic, &mailbox(&spec.name), principal, it));
    }
}

fn prefixed(kind: ResourceType, name: &str, principal: &Principal, operation: Operation) -> AclBinding {
    AclBinding { pattern_type: PatternType::Prefixed, ..literal(kind, name, principal, operation) }
}

fn literal(kind: ResourceType, name: &str, principal: &Principal, operation: Operation) -> AclBinding {
    AclBinding {
        resource_type: kind,
        pattern_type: PatternType::Literal,
        resource_name: name.to_owned(),
        principal: principal.clone(),
        host: WILDCARD.to_owned(),
        operation,
        permission: Permission::Allow,
    }
}

/// Of the rules that the cluster has, those that nobody here made and that change who may do what of an application: what
/// forbids something to its principals, or to anybody under its prefixes; what gives its principals more than it holds; and
/// what gives others something under its prefixes.
pub fn strange<'a>(
    state: &State,
    spec: &ApplicationSpec,
    rules: impl IntoIterator<Item = &'a AclBinding>,
) -> BTreeSet<&'a AclBinding> {
    let Some(environment) = state.environment() else { return BTreeSet::new() };
    let facts = &environment.spec.cluster;
    let wanted = wanted(environment, spec);
    let is_known = |it: &AclBinding| state.binding(it).is_some_and(|it| it.status != BindingStatus::Removed);
    let is_strange = |it: &&AclBinding| {
        let is_own = spec.all_principals().any(|own| *own == it.principal);
        let is_under = is_under_prefixes(spec, it);
        match it.permission {
            _ if is_known(it) => false,
            Permission::Deny => is_own || is_under,
            Permission::Allow if is_own => !wanted.iter().any(|own| holds(own, it)),
            Permission::Allow => is_under && !is_platforms(facts, &it.principal),
        }
    };
    rules.into_iter().filter(is_strange).collect()
}

/// Whether whoever a rule is for is no application's by right.
fn is_platforms(facts: &ClusterFacts, principal: &Principal) -> bool {
    !principal.is_everybody() && !principal.is_anonymous() && protected(facts, principal).is_some()
}

/// Whether a rule is about names of an application, or about all that begin as some of them do.
fn is_under_prefixes(spec: &ApplicationSpec, rule: &AclBinding) -> bool {
    let AclBinding { resource_type, pattern_type, resource_name, .. } = rule;
    let Some(kind) = kind_of(*resource_type) else { return false };
    let is_wider = || spec.prefixes(kind).any(|it| it.starts_with(resource_name.as_str()));
    spec.covers(kind, resource_name) || (*pattern_type == PatternType::Prefixed && is_wider())
}

/// Whether one rule gives all that another does.
fn holds(wide: &AclBinding, narrow: &AclBinding) -> bool {
    let covers = match wide.pattern_type {
        PatternType::Prefixed => narrow.resource_name.starts_with(&wide.resource_name),
        PatternType::Literal => {
            narrow.pattern_type == PatternType::Literal && narrow.resource_name == wide.resource_name
        }
    };
    covers
        && (&wide.principal, &wide.host, wide.resource_type, wide.permission)
            == (&narrow.principal, &narrow.host, narrow.resource_type, narrow.permission)
        && wide.implies(narrow.operation)
}

/// Whether a rule is about what an application owns, and gives one of its own what such a one may have: it could be one
/// that it needs, or needed.
pub fn is_own(spec: &ApplicationSpec, binding: &AclBinding) -> bool {
    use Operation as O;
    let AclBinding { resource_type, pattern_type, resource_name, principal, host: _, operation, permission } = binding;
    let runs = spec.principals.contains(principal);
    let deploys = spec.deployers.contains(principal);
    let is_platforms = resource_name == STATE_TOPIC || *resource_name == mailbox(&spec.name);
    let is_permitted = match operation {
        O::Read | O::Write if is_platforms => deploys,
        O::Read | O::Write | O::IdempotentWrite => runs,
        O::Create | O::Delete | O::Describe | O::DescribeConfigs => runs || deploys,
        O::Alter | O::AlterConfigs => deploys,
        O::All | O::ClusterAction | O::CreateTokens | O::DescribeTokens | O::TwoPhaseCommit => false,
    };
    let is_whose = match resource_type {
        ResourceType::Cluster => *operation == O::IdempotentWrite,
        ResourceType::Topic if is_platforms => *pattern_type == PatternType::Literal,
        it => kind_of(*it).is_some_and(|kind| spec.covers(kind, resource_name)),
    };
    *permission == Permission::Allow && is_permitted && is_whose
}

/// What speaks against the principals that an application declares.
pub fn principal_violations(state: &State, spec: &ApplicationSpec) -> Vec<Violation> {
    let Some(environment) = state.environment() else { return Vec::new() };
    let facts = &environment.spec.cluster;
    let mut res = Vec::new();
    for (attribute, principals) in [("principals", &spec.principals), ("deployers", &spec.deployers)] {
        for principal in principals {
            let why = match protected(facts, principal) {
                Some(why) => why.to_owned(),
                None => match state.application_of(principal).filter(|it| it.spec.name != spec.name) {
                    Some(other) => format!("belongs to the application `{}`", other.spec.name),
                    None => continue,
                },
            };
            res.push(Violation::new(
                At::attribute(attribute).element(principal.as_str()),
                "Principal refused",
                format!("`{principal}` {why}, and what an application may do would be theirs too."),
                "Give the application a principal of its own.",
            ));
        }
    }
    res
}

/// Why a principal is no application's.
pub fn protected(facts: &ClusterFacts, principal: &Principal) -> Option<&'static str> {
    if principal.is_everybody() {
        Some("is everybody")
    } else if principal.is_anonymous() {
        Some("is whoever does not say who they are")
    } else if facts.super_users.contains(principal) {
        Some("is a super user of the cluster")
    } else if facts.broker_principals.contains(principal) {
        Some("is a broker")
    } else if facts.platform_principals.contains(principal) || facts.declared_by.as_ref() == Some(principal) {
        Some("is the platform's")
    } else {
        None
    }
}

/// What speaks against the Streams programs that an application declares: what they make is named after them.
pub fn streams_violations(spec: &ApplicationSpec) -> Vec<Violation> {
    let kinds = [Kind::Topic, Kind::Group, Kind::TransactionalId];
    let mut res = Vec::new();
    for id in &spec.streams {
        let outside: Vec<&str> = kinds.into_iter().filter(|it| !spec.covers(*it, id)).map(Kind::noun).collect();
        if !outside.is_empty() {
            res.push(Violation::new(
                At::attribute("streams").element(id),
                "Streams program outside the prefixes",
                format!(
                    "Kafka Streams names topics, a group and transactions after `{id}`, and it is under no {} prefix of \
                     the application.",
                    outside.join(" or ")
                ),
                "Begin the `application.id` with the application's prefix.",
            ));
        }
    }
    res
}

//! Access to what another application owns, and the rules that it takes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::governance::{
    acl::{AclBinding, CLUSTER, Operation, PatternType, Permission, Principal, ResourceType, WILDCARD},
    environment::ClusterFacts,
    kind::Kind,
};

/// Access to a resource of another application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTo {
    /// The kind of the resource.
    pub kind: Kind,
    /// Its name, or how names begin.
    pub name: String,
    /// Whether `name` is the name or how names begin.
    pub pattern: PatternType,
    /// What is to be done with it. What another one holds is not named: who may read may describe.
    pub operations: BTreeSet<Operation>,
}

/// What is to be done with a resource, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Fetch from a topic; join a group, and see and commit its offsets; refer to a subject in schemas of one's own. A reader's group is its own, so that no rule for
    /// a group comes with a topic.
    Read,
    /// Produce to a topic; use a transactional id; register versions of a subject, and refer to it.
    Write,
    /// Both, of a topic or a subject.
    ReadWrite,
    /// Operate it for its owner: of a topic, alter its configuration and its partitions, of a group, also delete it and
    /// its offsets. It neither reads nor writes what a topic holds, and cannot make or delete topics: whose topics there
    /// are is their owner's to say.
    Manage,
}

impl Level {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::ReadWrite, Self::Manage];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::ReadWrite => "read_write",
            Self::Manage => "manage",
        }
    }

    /// The operations on a resource of a kind; none where the word has no meaning for it.
    pub fn operations(self, kind: Kind) -> BTreeSet<Operation> {
        use Operation as O;
        let res: &[Operation] = match (kind, self) {
            (Kind::Topic | Kind::Group | Kind::Subject, Self::Read) => &[O::Read],
            (Kind::Topic | Kind::TransactionalId | Kind::Subject, Self::Write) => &[O::Write],
            (Kind::Topic | Kind::Subject, Self::ReadWrite) => &[O::Read, O::Write],
            (Kind::Topic, Self::Manage) => &[O::Alter, O::AlterConfigs],
            (Kind::Group, Self::Manage) => &[O::Read, O::Delete],
            _ => &[],
        };
        res.iter().copied().collect()
    }
}

/// The operations that can be asked for on a kind; none where neither Kafka's authorizer nor a plan here knows any. Nobody
/// creates what bears another's name, and `ALL` is more than anybody can tell.
pub fn askable(kind: Kind) -> Vec<Operation> {
    if kind == Kind::Subject {
        return vec![Operation::Read, Operation::Write];
    }
    let of_kafka = resource_type(kind).map(ResourceType::operations).unwrap_or_default();
    of_kafka.iter().copied().filter(|it| *it != Operation::Create).collect()
}

/// What Kafka calls a kind of resource.
pub fn resource_type(kind: Kind) -> Option<ResourceType> {
    match kind {
        Kind::Topic => Some(ResourceType::Topic),
        Kind::Group => Some(ResourceType::Group),
        Kind::TransactionalId => Some(ResourceType::TransactionalId),
        Kind::Subject | Kind::Connector => None,
    }
}

impl AccessTo {
    /// Whether it is given to programs by rules of Kafka's authorizer. What is not, is given to the application that asks,
    /// whose plans are held against it.
    pub fn has_rules(&self) -> bool {
        resource_type(self.kind).is_some()
    }

    /// Whether a name is what it is about, or begins so.
    pub fn covers(&self, kind: Kind, name: &str) -> bool {
        self.kind == kind
            && match self.pattern {
                PatternType::Literal => self.name == name,
                PatternType::Prefixed => name.starts_with(&self.name),
            }
    }

    /// The same, without the operations that others hold.
    pub fn canonical(&self) -> Self {
        let holds = |wide: Operation, narrow: Operation| wide != narrow && rule_of(wide).implies(narrow);
        let is_held = |it: &Operation| self.operations.iter().any(|wide| holds(*wide, *it));
        let operations = self.operations.iter().copied().filter(|it| !is_held(it)).collect();
        Self { operations, ..self.clone() }
    }

    /// The rules that give it to principals.
    pub fn bindings(&self, principals: &BTreeSet<Principal>, facts: &ClusterFacts) -> BTreeSet<AclBinding> {
        let mut res = BTreeSet::new();
        for principal in principals {
            let rule = |resource_type, pattern_type, name: &str, operation| AclBinding {
                resource_type,
                pattern_type,
                resource_name: name.to_owned(),
                principal: principal.clone(),
                ..rule_of(operation)
            };
            let kind = resource_type(self.kind);
            res.extend(kind.into_iter().flat_map(|kind| {
                self.operations.iter().map(move |operation| rule(kind, self.pattern, &self.name, *operation))
            }));
            let produces = self.kind == Kind::Topic && self.operations.contains(&Operation::Write);
            if produces && facts.wants_idempotent_write {
                let operation = Operation::IdempotentWrite;
                res.insert(rule(ResourceType::Cluster, PatternType::Literal, CLUSTER, operation));
            }
        }
        res
    }
}

/// A rule that permits an operation to nobody in particular.
fn rule_of(operation: Operation) -> AclBinding {
    AclBinding {
        resource_type: ResourceType::Topic,
        pattern_type: PatternType::Literal,
        resource_name: String::new(),
        principal: Principal::user(""),
        host: WILDCARD.to_owned(),
        operation,
        permission: Permission::Allow,
    }
}

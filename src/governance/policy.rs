//! The rules of an environment.

mod acls;
mod check;

use std::collections::{BTreeMap, BTreeSet};

pub use acls::AclPolicy;

use serde::{Deserialize, Serialize};

use crate::governance::{
    capacity::Totals,
    kind::Kind,
    request::{ChangeKind, Verb},
    topic::TopicSpec,
};

/// What an environment permits. The default permits all that Kafka does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// How things are named.
    pub naming: Naming,
    /// What topics may be.
    pub topics: TopicPolicy,
    /// What schemas may be.
    pub schemas: SchemaPolicy,
    /// What connectors may be.
    pub connectors: ConnectorPolicy,
    /// Which rules of the authorizer may be written by hand.
    pub acls: AclPolicy,
    /// What there is besides brokers.
    pub capabilities: BTreeSet<Capability>,
    /// Who must agree to what.
    pub approval: Approval,
    /// What one application may take. The platform may give it other limits.
    pub quota: Totals,
    /// Who enforces rights.
    pub enforcement: Enforcement,
    /// What brokers do with resources that have no rule.
    pub acl_mode: AclMode,
    /// What the deployers of applications may do themselves.
    pub deployer_rights: DeployerRights,
    /// Beginnings of names that no application may claim, besides those that Kafka and its tools use.
    pub reserved_prefixes: BTreeSet<String>,
    /// The rules by which brokers make principals of certificates (`ssl.principal.mapping.rules`), in order.
    pub principal_mapping_rules: Vec<String>,
    /// Whether everybody may ask for an application, in a topic for that.
    pub inbox: bool,
    /// Seconds within which `reconcile` runs; `None` is never asked.
    pub reconcile_within_seconds: Option<i64>,
}

/// How things are named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Naming {
    /// A template for each kind, such as `a{code}-{application}-{domain}-{purpose}{suffix}`.
    pub templates: BTreeMap<Kind, String>,
    /// A pattern for each field of the templates but `code` and `application`, which are the application's own.
    pub fields: BTreeMap<String, String>,
}

/// What topics may be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TopicPolicy {
    /// Numbers of partitions.
    pub partitions: Limits,
    /// Replication factors.
    pub replication_factor: Limits,
    /// Rules for Kafka's configuration keys.
    pub config: BTreeMap<String, ConfigRule>,
    /// Most bytes of a message, for `max.message.bytes` and `capacity.message_bytes`.
    pub max_message_bytes: Option<i64>,
    /// Whether topics are protected from deletion where their declaration does not say.
    pub deletion_protection: Option<bool>,
    /// Whether a topic says what it carries.
    pub capacity: CapacityRule,
}

impl TopicPolicy {
    /// Gives a topic that is to be made how many partitions and copies it has where nothing is declared.
    pub fn complete(&self, spec: &mut TopicSpec) {
        let copies = self.replication_factor.default.and_then(|it| it.try_into().ok());
        spec.partitions = spec.partitions.or(self.partitions.default.and_then(|it| it.try_into().ok()));
        spec.replication_factor = spec.replication_factor.or(copies);
    }

    /// Gives a topic that is to be made the configuration of the policy where none is declared, and answers with that.
    pub fn configure(&self, spec: &mut TopicSpec) -> BTreeMap<String, String> {
        let given = self.config.iter().filter(|(key, _)| !spec.config.contains_key(*key));
        let given: BTreeMap<String, String> =
            given.filter_map(|(key, rule)| Some((key.clone(), rule.default.clone()?))).collect();
        spec.config.extend(given.clone());
        given
    }
}

/// What a number may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// The least.
    pub min: Option<i64>,
    /// The most.
    pub max: Option<i64>,
    /// What it is where it is not declared.
    pub default: Option<i64>,
}

/// What may be written for a configuration key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfigRule {
    /// `false` forbids the key.
    pub allowed: Option<bool>,
    /// `true` demands it.
    pub required: Option<bool>,
    /// The least, of a number.
    pub min: Option<f64>,
    /// The most, of a number. Where Kafka writes "without limit" as -1, that is more than any number.
    pub max: Option<f64>,
    /// The only values.
    pub one_of: Option<BTreeSet<String>>,
    /// What it is where it is not declared.
    pub default: Option<String>,
}

/// Whether a topic says what it carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapacityRule {
    /// A topic without capacity is refused.
    Required,
    /// It is warned about.
    Warned,
    /// Nobody asks.
    #[default]
    Off,
}

/// What schemas may be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SchemaPolicy {
    /// The weakest compatibility.
    pub weakest_compatibility: Option<Compatibility>,
    /// How subjects are called.
    pub subject_naming: Option<SubjectNaming>,
    /// Whether every topic has a schema.
    pub required: Option<bool>,
}

/// What a new version of a schema must be able to do, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Compatibility {
    /// Nothing.
    None,
    /// Read what the version before wrote.
    Backward,
    /// Read what all versions before wrote.
    BackwardTransitive,
    /// Be read by the version before.
    Forward,
    /// Be read by all versions before.
    ForwardTransitive,
    /// Both, for the version before.
    Full,
    /// Both, for all versions before.
    FullTransitive,
}

impl Compatibility {
    /// The registry's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Backward => "BACKWARD",
            Self::BackwardTransitive => "BACKWARD_TRANSITIVE",
            Self::Forward => "FORWARD",
            Self::ForwardTransitive => "FORWARD_TRANSITIVE",
            Self::Full => "FULL",
            Self::FullTransitive => "FULL_TRANSITIVE",
        }
    }

    /// Whether all that another one asks for is asked for by this one: backward and forward ask for different things.
    pub fn includes(self, other: Self) -> bool {
        let asks = |it: Self| {
            let (backward, forward) = match it {
                Self::None => (false, false),
                Self::Backward | Self::BackwardTransitive => (true, false),
                Self::Forward | Self::ForwardTransitive => (false, true),
                Self::Full | Self::FullTransitive => (true, true),
            };
            let all = matches!(it, Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive);
            [backward, forward, all]
        };
        asks(self).into_iter().zip(asks(other)).all(|(own, wanted)| own || !wanted)
    }
}

/// How subjects are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectNaming {
    /// `<topic>-key` and `<topic>-value`.
    TopicName,
    /// The full name of the record.
    RecordName,
    /// `<topic>-<full name of the record>`.
    TopicRecordName,
}

/// What connectors may be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectorPolicy {
    /// The only classes; `None` is any that is installed.
    pub classes: Option<BTreeSet<String>>,
    /// Most tasks of a connector.
    pub max_tasks: Option<i64>,
    /// As whom connectors read and write.
    pub identity: Option<ConnectIdentity>,
}

/// As whom connectors read and write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectIdentity {
    /// As the worker, whoever owns them.
    Worker,
    /// As their application, with its credentials.
    Application,
}

/// What there may be besides brokers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Connect workers.
    Connect,
    /// A schema registry.
    Schemas,
    /// ksqlDB.
    Ksqldb,
    /// Flink.
    Flink,
}

/// Who must agree to what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Approval {
    /// To an application.
    pub applications: ApplicationApproval,
    /// To another's access.
    pub access: AccessApproval,
    /// To what applications change in what is their own, by kind and by what is done to it. What is left out needs nobody.
    pub changes: BTreeMap<ChangeKind, BTreeMap<Verb, ChangeApproval>>,
    /// Whether those who ask and those who agree must be different people, as far as they say who they are.
    pub distinct_actors: bool,
}

/// Who must agree to a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeApproval {
    /// Nobody.
    #[default]
    None,
    /// The platform.
    Platform,
    /// Nobody within these limits, and else the platform. What does not say how much it takes is not within.
    AutoIfWithin {
        /// Most partitions of a topic.
        #[serde(default)]
        partitions: Option<i64>,
        /// Most bytes that it takes on disk, all copies together.
        #[serde(default)]
        disk_bytes: Option<i64>,
    },
}

/// Who must agree to an application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationApproval {
    /// Nobody.
    #[default]
    None,
    /// The platform.
    Platform,
}

/// Who must agree to another's access.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessApproval {
    /// Nobody.
    None,
    /// Who owns the resource.
    #[default]
    Owner,
    /// The platform.
    Platform,
    /// Both.
    OwnerAndPlatform,
    /// Nobody, where every check is green: one topic that is there, to read or write, between two applications that are
    /// ready. Anything else is the owner's to decide.
    Auto,
}

/// Who enforces rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// The brokers' authorizer, by the rules that are made here.
    #[default]
    Acl,
    /// Something else, that is told which rules to make.
    External,
    /// Nobody: ownership holds in plans alone.
    None,
}

/// What brokers do with resources that have no rule (`allow.everyone.if.no.acl.found`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AclMode {
    /// Nobody may use them.
    #[default]
    Closed,
    /// Everybody may.
    Open,
    /// Everybody may, and the platform means to end that: rules may close a resource that was open.
    Closing,
}

/// What the deployers of applications may do themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeployerRights {
    /// See what there is, and ask; the platform does.
    #[default]
    Mailbox,
    /// Create, alter and delete within their prefixes, with any tool, so that the policy is advice.
    Direct,
}

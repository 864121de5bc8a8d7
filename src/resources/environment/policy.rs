//! The rules of an environment, as the configuration writes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    framework::{Model, Nested, Number, Optional, Required, Set},
    governance::{
        acl::Operation,
        policy::{AccessApproval, ApplicationApproval, CapacityRule, Compatibility, ConnectIdentity, SubjectNaming},
        request::{ChangeKind, Verb},
        violation::{At, Violation},
    },
};

use super::EnvironmentModel;

/// How things are named: a template for each kind, and patterns for their fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub(super) struct NamingModel {
    /// Template for names of topics, such as `a{code}-{application}-{domain}-{purpose}`. `{code}` and `{application}` are
    /// the owning application's own; each other field has a pattern in `fields`. Default: any name that Kafka permits.
    topic: Optional<String>,
    /// Template for ids of consumer groups, as for `topic`.
    group: Optional<String>,
    /// Template for transactional ids, as for `topic`.
    transactional_id: Optional<String>,
    /// Template for subjects of the schema registry, as for `topic`.
    subject: Optional<String>,
    /// Template for names of connectors, as for `topic`.
    connector: Optional<String>,
    /// Pattern for each field of the templates: a regular expression that the whole field matches, such as `[a-z]+`.
    fields: Optional<BTreeMap<String, String>>,
}

/// What topics may be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub(super) struct TopicsModel {
    /// Numbers of partitions.
    partitions: Optional<Nested<LimitsModel>>,
    /// Replication factors.
    replication_factor: Optional<Nested<LimitsModel>>,
    /// Rules for configuration keys, by Kafka's own keys, such as `retention.ms`. A key without a rule may be anything.
    config: Optional<BTreeMap<String, Nested<ConfigRuleModel>>>,
    /// Most bytes of a message, for `max.message.bytes` and for the declared size of messages.
    max_message_bytes: Optional<i64>,
    /// Whether topics are protected from deletion where they do not say. Default: `false`.
    deletion_protection: Optional<bool>,
    /// Whether a topic declares what it carries: `required`, `warned` about, or `off`. Default: `off`.
    capacity: Optional<CapacityRule>,
}

/// What a number may be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub(super) struct LimitsModel {
    /// The least that is permitted.
    min: Optional<i64>,
    /// The most that is permitted.
    max: Optional<i64>,
    /// The number where a topic declares none.
    default: Optional<i64>,
}

/// What may be written for a configuration key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub(super) struct ConfigRuleModel {
    /// Whether topics may set the key. Default: `true`.
    allowed: Optional<bool>,
    /// Whether topics must set the key. Default: `false`.
    required: Optional<bool>,
    /// The least value, of a number.
    min: Optional<Number>,
    /// The most, of a number. Kafka's -1 for no limit is more than any number.
    max: Optional<Number>,
    /// The only values.
    one_of: Optional<Set<String>>,
    /// The value where a topic sets none.
    default: Optional<String>,
}

/// What schemas may be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub(super) struct SchemasModel {
    /// The weakest compatibility that a subject may have, in the registry's words, such as `BACKWARD`.
    weakest_compatibility: Optional<Compatibility>,
    /// How subjects are called: `topic_name`, `record_name` or `topic_record_name`.
    subject_naming: Optional<SubjectNaming>,
    /// Whether every topic has a schema: plans and `reconcile` tell of those without. Nothing is refused for it, because a
    /// topic and its schema are made in one run, either of them first. Default: `false`.
    required: Optional<bool>,
}

/// What connectors may be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub(super) struct ConnectorsModel {
    /// The only classes that connectors may have. Default: all that are installed.
    classes: Optional<Set<String>>,
    /// Most tasks that a connector may have.
    max_tasks: Optional<i64>,
    /// As whom connectors read and write: `worker` or `application`.
    identity: Optional<ConnectIdentity>,
}

/// Which rules of the authorizer may be written by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub(super) struct AclsModel {
    /// Operations that no rule permits, by the kind of resource, such as `{ cluster = ["ALTER"] }`. Where one is listed, so
    /// is `ALL`.
    forbidden_operations: Optional<BTreeMap<String, Set<Operation>>>,
    /// Whether rules may permit something to everybody (`User:*`). Default: `true`.
    allow_any_principal: Optional<bool>,
    /// Whether rules may permit something with every resource of a kind (the literal `*`). Default: `true`.
    allow_any_resource: Optional<bool>,
    /// Whether rules may forbid. Default: `true`.
    allow_deny: Optional<bool>,
}

/// Who must agree to what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub(super) struct ApprovalModel {
    /// Who must agree to an application: `none` or `platform`. Default: `none`.
    applications: Optional<ApplicationApproval>,
    /// Who must agree to access to what another application owns: `none`, `owner`, `platform`, `owner_and_platform`; or
    /// `auto`, nobody where every check is green, which is one topic that is there, to read or write, between two
    /// applications that are ready, and else the owner. Default: `owner`.
    access: Optional<AccessApproval>,
    /// Who must agree to what applications change in what is their own. The platform itself needs nobody. A `kafka_topic`,
    /// a `kafka_schema` and a `kafka_connector` file the request by themselves: the topic waits, and the apply of the others
    /// is an error until it is approved. Default: nobody.
    changes: Optional<Nested<ChangesModel>>,
    /// Whether those who ask and those who agree must be different people, as far as they say who they are. Default:
    /// `false`.
    distinct_actors: Optional<bool>,
}

impl EnvironmentModel {
    /// Limits beside an approval that has none.
    pub(super) fn pointless_limits(&self) -> Vec<Violation> {
        let changes = self.approval.get().and_then(|it| it.model.changes.get());
        let Some(Nested { model: ChangesModel { topic, schema, connector }, .. }) = changes else { return Vec::new() };
        let kinds = [(ChangeKind::Topic, topic), (ChangeKind::Schema, schema), (ChangeKind::Connector, connector)];
        let mut res = Vec::new();
        for (kind, verbs) in kinds.into_iter().filter_map(|(kind, it)| Some((kind, it.get()?))) {
            let VerbsModel { create, update, delete } = &verbs.model;
            for (verb, it) in [(Verb::Create, create), (Verb::Update, update), (Verb::Delete, delete)] {
                let Some(ChangeApprovalModel { approval, partitions, disk_bytes }) = it.get().map(|it| &it.model)
                else {
                    continue;
                };
                let has_limits = !partitions.is_null() || !disk_bytes.is_null();
                if has_limits && approval.get().is_some_and(|it| *it != ChangeApprovalWord::AutoIfWithin) {
                    let at = At::attribute("approval.changes").then(kind.word()).then(verb.word());
                    let what = "`partitions` and `disk_bytes` are the limits of `auto_if_within`, and another approval has none.";
                    let remedy = "Leave them out, or write `auto_if_within`.";
                    res.push(Violation::new(at, "Limits of another approval", what, remedy));
                }
            }
        }
        res
    }
}

/// Who must agree to a change, by what is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub(super) struct ChangesModel {
    /// Of topics.
    topic: Optional<Nested<VerbsModel>>,
    /// Of schemas: of versions, compatibility and mode of a subject, and of its end.
    schema: Optional<Nested<VerbsModel>>,
    /// Of connectors: of their configuration and what they go on from, and of their end. What they are told to be, such as
    /// `stopped`, needs nobody.
    connector: Optional<Nested<VerbsModel>>,
}

/// Who must agree to a change, by what is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub(super) struct VerbsModel {
    /// When it is made.
    create: Optional<Nested<ChangeApprovalModel>>,
    /// When it is changed: of a topic, its partitions, capacity or configuration. What a change leaves as it is is within
    /// any limit.
    update: Optional<Nested<ChangeApprovalModel>>,
    /// When it is deleted.
    delete: Optional<Nested<ChangeApprovalModel>>,
}

/// Who must agree to a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub(super) struct ChangeApprovalModel {
    /// `none`, nobody; `platform`; or `auto_if_within`, nobody within the limits beside it, and else the platform.
    approval: Required<ChangeApprovalWord>,
    /// Most partitions of the topic that nobody needs to agree to.
    partitions: Optional<i64>,
    /// Most bytes on disk that nobody needs to agree to, all copies together. A topic that does not declare
    /// `capacity.disk_bytes` is not within.
    disk_bytes: Optional<i64>,
}

/// Who must agree to a change, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::resources) enum ChangeApprovalWord {
    /// Nobody.
    None,
    /// The platform.
    Platform,
    /// Nobody within limits.
    AutoIfWithin,
}

//! What somebody wants, and who.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::governance::{
    acl::AclBinding,
    application::{ApplicationSpec, Prefixes},
    binding::Holder,
    check_topic::TopicRequest,
    client_quota::{FoundLimits, QuotaUser},
    environment::EnvironmentSpec,
    names::ApplicationName,
    owned_topic::Asked,
    prefix::Existing,
    probe::Probed,
    record::Timestamp,
    request::{Change, Choice, Filing, Judge, RequestId, Revision},
    state::State,
    topic::TopicName,
};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// As what they act. It comes from who they are, never from what they ask.
    pub role: Role,
    /// Who they say they are.
    pub claimed: Option<String>,
    /// The change that they say it belongs to.
    pub change_url: Option<String>,
    /// When they asked, if that was by letter: by the clock of the broker that took it.
    pub written_at: Option<Timestamp>,
}

/// As what somebody acts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The platform.
    Platform,
    /// An application's team.
    Application(ApplicationName),
    /// Neither: somebody who is known to Kafka, or nobody at all.
    Nobody,
}

impl Actor {
    /// One who claims nothing.
    pub fn of(role: Role) -> Self {
        Self { role, claimed: None, change_url: None, written_at: None }
    }
}

/// Declares [`Command`] and the list of its kinds from one list, so that a kind cannot be forgotten.
macro_rules! commands {
    ($($(#[doc = $doc:literal])+ $name:ident($payload:ty) = $event:literal;)+) => {
        /// What somebody wants. What has come true already is no error, and changes nothing.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Command {
            $($(#[doc = $doc])+ $name($payload),)+
        }

        /// The kinds of commands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum CommandKind {
            $($(#[doc = $doc])+ $name,)+
        }

        impl CommandKind {
            /// All of them, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The kind of the event that it makes.
            pub const fn event(self) -> &'static str {
                match self {
                    $(Self::$name => $event,)+
                }
            }
        }

        impl Command {
            /// Its kind.
            pub const fn kind(&self) -> CommandKind {
                match self {
                    $(Self::$name(_) => CommandKind::$name,)+
                }
            }
        }
    };
}

commands! {
    /// Make the environment.
    DeclareEnvironment(Box<EnvironmentSpec>) = "environment.declared";
    /// Change its rules.
    ChangeEnvironment(Box<EnvironmentSpec>) = "environment.changed";
    /// End it.
    DestroyEnvironment(()) = "environment.destroyed";
    /// Say whether the brokers follow rules, as it was tried.
    MarkEnforcement(Probed) = "environment.probed";
    /// Make an application.
    DeclareApplication(Box<ApplicationRequest>) = "application.declared";
    /// Change it.
    ChangeApplication(Box<ApplicationRequest>) = "application.changed";
    /// Offer prefixes to another application, or none.
    OfferTransfer(Transfer) = "application.transfer_offered";
    /// Take what another offers.
    ConfirmTransfer(Takeover) = "application.transfer_confirmed";
    /// End it.
    DeleteApplication(ApplicationName) = "application.deleting";
    /// Begin to make its rights. Of the rules that are on the cluster already, nobody here is the holder.
    StartProvisioning(Provisioning) = "application.provisioning";
    /// Say that it can work.
    FinishProvisioning(ApplicationName) = "application.ready";
    /// Say that its rights could not be made.
    FailProvisioning(Failure) = "application.failed";
    /// Say that its rights are gone.
    FinishDeletion(ApplicationName) = "application.deleted";
    /// Need rules.
    HoldBindings(Holding) = "bindings.held";
    /// Need them no more.
    ReleaseBindings(Holding) = "bindings.released";
    /// Say which rules the cluster has and has not.
    MarkBindings(SeenRules) = "bindings.seen";
    /// Call off the removal of rules that somebody needs. Unlike to say that they are gone, it needs no look at the cluster.
    CloseRemovals(BTreeSet<AclBinding>) = "bindings.removal_called_off";
    /// Say which quotas the cluster has and has not.
    MarkQuotas(Seen<QuotaUser>) = "quotas.seen";
    /// Take the place of a topic.
    ReserveTopic(Box<TopicRequest>) = "topic.reserved";
    /// Ask for a topic, or for a change of one, that somebody else is to make.
    AskTopic(Box<TopicAsk>) = "topic.asked";
    /// Say that the cluster has it.
    MarkTopicCreated(TopicFound) = "topic.created";
    /// Say that the cluster does not take it as it was asked for. Without ever having been made, it gives its place back.
    RefuseTopic(TopicRefusal) = "topic.refused";
    /// Change what it takes.
    ChangeTopic(Box<TopicRequest>) = "topic.changed";
    /// Begin to delete it.
    DeleteTopic(TopicDeletion) = "topic.deleting";
    /// Say that it is gone.
    MarkTopicDeleted(TopicName) = "topic.deleted";
    /// Ask for something, or ask otherwise under the same id.
    FileRequest(Box<Filing>) = "request.filed";
    /// Ask no more, and give back what was granted.
    WithdrawRequest(RequestId) = "request.withdrawn";
    /// Agree to a request, or refuse it.
    DecideRequest(Decision) = "request.decided";
    /// Take a decision back. What an approval gave goes with it.
    RetractDecision(Retraction) = "request.decision_retracted";
    /// Begin to make what was agreed to. Of the rules that are on the cluster already, nobody here is the holder.
    StartGrant(Granting) = "grant.provisioning";
    /// Say that the cluster has it.
    FinishGrant(RequestId) = "grant.active";
    /// Say that it could not be made.
    FailGrant(GrantFailure) = "grant.failed";
    /// Take away what was granted, for good.
    RevokeGrant(Revocation) = "grant.revoking";
    /// Take away what was granted, for its time is over.
    ExpireRequest(RequestId) = "request.expiring";
    /// Say that what was taken away is gone.
    FinishRevocation(RequestId) = "grant.removed";
    /// Make use of the approval of a change, where one is needed, before the change is made.
    UseChange(Box<ChangeUse>) = "change.used";
    /// End an application whose time is over. What it owns stays, and its rights go.
    EndTrial(ApplicationName) = "application.expired";
    /// Say that all that was to be done was looked at.
    Heartbeat(()) = "environment.reconciled";
}

/// An application that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct ApplicationRequest {
    /// What it should be. Kinds without prefixes get those of the template, or keep what they have.
    pub spec: ApplicationSpec,
    /// Free text that can be erased, such as `description` and `contact`.
    pub texts: BTreeMap<String, String>,
    /// Whether what is there under the prefixes is the application's.
    pub adopt: bool,
    /// What is there under the prefixes and has no owner.
    pub existing: Existing,
    /// The topics of the cluster under the prefixes, each with what it takes, of those that the application may take over.
    pub topics: Vec<TopicFound>,
    /// What is there and has no rule, where that makes it everybody's (`acl_mode = "open"`).
    pub unruled: Existing,
    /// The limits that the cluster has for those of its principals whose quotas nobody here holds.
    pub limits: FoundLimits,
}

impl ApplicationRequest {
    /// An application with nothing else.
    pub fn new(spec: ApplicationSpec) -> Self {
        Self {
            spec,
            texts: BTreeMap::new(),
            adopt: false,
            existing: Existing::new(),
            topics: Vec::new(),
            unruled: Existing::new(),
            limits: FoundLimits::new(),
        }
    }
}

/// The first step of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Who gives.
    pub application: ApplicationName,
    /// Who may take.
    pub to: ApplicationName,
    /// What; nothing withdraws the offer.
    pub prefixes: Prefixes,
}

/// The second step of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Takeover {
    /// Who takes.
    pub application: ApplicationName,
    /// Who gave.
    pub from: ApplicationName,
}

/// The rights of an application that are to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Provisioning {
    /// Whose.
    pub application: ApplicationName,
    /// Rules that the cluster has already, and nobody here made ([`State::strangers`](super::state::State::strangers)).
    pub on_cluster: BTreeSet<AclBinding>,
    /// What is there and has no rule, where that makes it everybody's (`acl_mode = "open"`).
    pub unruled: Existing,
    /// As [`ApplicationRequest::limits`].
    pub limits: FoundLimits,
}

/// Why rights could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whose.
    pub application: ApplicationName,
    /// What was in the way.
    pub reason: String,
}

/// Rules and who needs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Who.
    pub holder: Holder,
    /// What.
    pub bindings: BTreeSet<AclBinding>,
    /// What is there and has no rule, where that makes it everybody's (`acl_mode = "open"`).
    pub unruled: Existing,
}

impl Holding {
    /// Rules and who needs them, where nothing is everybody's.
    pub fn new(holder: Holder, bindings: impl IntoIterator<Item = AclBinding>) -> Self {
        Self { holder, bindings: bindings.into_iter().collect(), unruled: Existing::new() }
    }
}

/// What was seen on the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<T> {
    /// What it has.
    pub present: BTreeSet<T>,
    /// What it has not.
    pub absent: BTreeSet<T>,
}

/// Rules that were seen on the cluster, or not, each with the generation that it was in when the deed or the look began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenRules {
    /// What it has.
    pub present: BTreeMap<AclBinding, u64>,
    /// What it has not.
    pub absent: BTreeMap<AclBinding, u64>,
}

impl SeenRules {
    /// What was seen after a state was read. Rules that it does not know are nobody's business.
    pub fn since(
        state: &State,
        present: impl IntoIterator<Item = AclBinding>,
        absent: impl IntoIterator<Item = AclBinding>,
    ) -> Self {
        let known = |it: AclBinding| state.binding(&it).map(|entry| (it, entry.generation));
        Self {
            present: present.into_iter().filter_map(known).collect(),
            absent: absent.into_iter().filter_map(known).collect(),
        }
    }
}

/// A topic that is asked for, or a change of one. Where somebody must agree to it, they are asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicAsk {
    /// The topic. Of one that is there, `config` has the keys that are to be set, and no others.
    pub topic: TopicRequest,
    /// Keys that the topic is to set no more.
    #[serde(default)]
    pub reset: BTreeSet<String>,
}

/// A topic that the cluster has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicFound {
    /// Its name.
    pub name: TopicName,
    /// The id that Kafka gave it, if its brokers give ids.
    pub topic_id: Option<String>,
    /// Number of partitions that it was given, where that is news.
    pub partitions: Option<i64>,
    /// Copies of each, where that is news.
    pub replication_factor: Option<i64>,
}

impl TopicFound {
    /// A topic of which only this is news.
    pub fn new(name: TopicName, topic_id: Option<String>) -> Self {
        Self { name, topic_id, partitions: None, replication_factor: None }
    }
}

/// What the cluster does not take, be it asked for again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicRefusal {
    /// The topic.
    pub name: TopicName,
    /// What was tried: what was asked for since is not refused by it.
    pub asked: Asked,
    /// Why, in the cluster's words.
    pub reason: String,
    /// Number of partitions that the topic has all the same.
    pub partitions: Option<i64>,
    /// Copies of each.
    pub replication_factor: Option<i64>,
}

/// What somebody decides about a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The request.
    pub request: RequestId,
    /// What they saw of it.
    pub revision: Revision,
    /// As what they decide.
    pub judge: Judge,
    /// What.
    pub choice: Choice,
    /// Why, in free text that can be erased.
    pub reason: Option<String>,
}

/// A decision that does not hold any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retraction {
    /// The request.
    pub request: RequestId,
    /// What was decided about.
    pub revision: Revision,
    /// As what it was decided.
    pub judge: Judge,
}

/// A grant that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granting {
    /// The request that was agreed to.
    pub request: RequestId,
    /// Rules that the cluster has already, and nobody here made ([`State::strangers`](super::state::State::strangers)).
    pub on_cluster: BTreeSet<AclBinding>,
}

/// Why a grant could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantFailure {
    /// The request that was agreed to.
    pub request: RequestId,
    /// What was in the way.
    pub reason: String,
}

/// A grant that is to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The request that it was made for.
    pub request: RequestId,
    /// Why, in free text that can be erased.
    pub reason: Option<String>,
}

/// A topic that is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicDeletion {
    /// Its name.
    pub name: TopicName,
    /// Whether access that others were granted to it is revoked; else it is refused while there is any.
    pub revoke_grants: bool,
    /// Whether somebody is asked to agree where that is needed; else it is refused there.
    #[serde(default)]
    pub ask: bool,
}

impl From<TopicName> for TopicDeletion {
    fn from(name: TopicName) -> Self {
        Self { name, revoke_grants: false, ask: false }
    }
}

/// A change that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeUse {
    /// Who makes it.
    pub application: ApplicationName,
    /// What.
    pub change: Change,
}

//! Requests: what somebody asks for and somebody else must agree to.
//!
//! A request asks for access to what another application owns, for an application, or for a change that the environment
//! has approved. What it asks for is its [`Content`], and a [`Revision`] is the digest of that: a decision is about one
//! revision, so that nothing else than what was seen is ever agreed to. An amendment is another revision, and what was
//! granted before holds until that is decided.

mod access;
mod id;
mod status;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::{
    access::{AccessTo, Level, askable, resource_type},
    id::{RequestId, RequestIdError, Revision, RevisionError},
    status::{Look, RequestStatus},
    wanted::Wanted,
};
use crate::governance::{
    acl::{AclBinding, Principal},
    application::ApplicationUid,
    names::ApplicationName,
    record::Timestamp,
};

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// To use what another application owns.
    Access(AccessTo),
    /// To have an application, or to have it otherwise: what is declared stands in the application itself.
    Application(DeclarationAsked),
    /// To create, update or delete something of one's own.
    Change(Change),
}

/// The declaration of an application that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclarationAsked {
    /// A digest of it.
    pub digest: String,
    /// Whether it would change an application that is in force.
    pub is_amendment: bool,
}

/// A change that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Of what.
    pub kind: ChangeKind,
    /// What is done to it.
    pub verb: Verb,
    /// Its name.
    pub name: String,
    /// How many partitions it has then, if it is a topic.
    #[serde(default)]
    pub partitions: Option<i64>,
    /// How many bytes it takes on disk then, all copies together, if it is a topic and says so.
    #[serde(default)]
    pub disk_bytes: Option<i64>,
    /// A digest of the rest of it, such as its configuration or the text of a schema.
    #[serde(default)]
    pub digest: String,
}

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A topic.
    Topic,
    /// A schema.
    Schema,
    /// A connector.
    Connector,
}

impl ChangeKind {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Schema => "schema",
            Self::Connector => "connector",
        }
    }
}

/// What is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is deleted.
    Delete,
}

impl Verb {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// Everything that a decision is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Who asks.
    pub applicant: ApplicationUid,
    /// Who owns what is asked for; `None` where the platform alone decides.
    pub owner: Option<ApplicationUid>,
    /// What is asked for.
    pub subject: Subject,
    /// The applicant's running programs as they were when it was filed: those that come later are not in it, and get
    /// nothing until the request is filed again and agreed to again.
    pub principals: BTreeSet<Principal>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

impl Content {
    /// The digest of all of it.
    pub fn revision(&self) -> Revision {
        let Self { applicant, owner, subject, principals, expires_at } = self;
        let canonical =
            json!([applicant, owner, subject.canonical(), principals, expires_at.map(|Timestamp(it)| it)]).to_string();
        Revision::of(&canonical)
    }

    /// The access that is asked for, if it is one.
    pub fn access(&self) -> Option<&AccessTo> {
        match &self.subject {
            Subject::Access(it) => Some(it),
            Subject::Application(_) | Subject::Change(_) => None,
        }
    }

    /// Whether it is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|it| it <= now)
    }

    /// The same, asked of another owner.
    pub fn owned_by(&self, owner: ApplicationUid) -> Self {
        Self { owner: Some(owner), ..self.clone() }
    }
}

impl Subject {
    /// Lists of texts and numbers alone, whose order is fixed.
    fn canonical(&self) -> Value {
        match self {
            Self::Access(AccessTo { kind, name, pattern, operations }) => {
                json!(["access", kind.word(), name, pattern, operations])
            }
            Self::Application(DeclarationAsked { digest, is_amendment }) => {
                json!(["application", digest, is_amendment])
            }
            Self::Change(Change { kind, verb, name, partitions, disk_bytes, digest }) => {
                json!(["change", kind, verb, name, partitions, disk_bytes, digest])
            }
        }
    }
}

/// As what somebody decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judge {
    /// As the owner of what is asked for.
    Owner,
    /// As the platform.
    Platform,
}

impl Judge {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Platform => "platform",
        }
    }
}

/// What somebody decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Yes.
    Approve,
    /// No.
    Reject,
}

impl Choice {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }
}

/// A decision that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// About which revision.
    pub revision: Revision,
    /// What.
    pub choice: Choice,
    /// Which life of which application decided; `None` is the platform.
    pub application: Option<ApplicationUid>,
    /// Who they said they were.
    pub actor: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What an approved request became, and is until it is taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The revision that was approved.
    pub revision: Revision,
    /// What was approved.
    pub content: Content,
    /// The rules that it needs.
    pub bindings: BTreeSet<AclBinding>,
    /// Who agreed to it.
    #[serde(default)]
    pub decisions: BTreeMap<Judge, Decided>,
    /// Whether it is being taken away.
    #[serde(default)]
    pub is_ending: bool,
    /// When its rules were first to be made.
    pub since: Timestamp,
}

/// A request, as a journal keeps it. Its id is the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What is asked for.
    pub content: Content,
    /// The digest of that when it was filed. If an owner hands over what was granted, `content` names the new one and the
    /// revision stays: nothing else was agreed to.
    pub revision: Revision,
    /// Where it is in its life.
    pub status: RequestStatus,
    /// Who said that they file this revision.
    #[serde(default)]
    pub filed_by: Option<String>,
    /// The person who is asked to agree, in free words.
    #[serde(default)]
    pub approver: Option<String>,
    /// The ticket elsewhere that it belongs to.
    #[serde(default)]
    pub ticket: Option<String>,
    /// A digest of its free text, to see whether that changed.
    #[serde(default)]
    pub text_digest: Option<i64>,
    /// What is made of a change once it is agreed to; the digest of its subject is of this.
    #[serde(default)]
    pub wanted: Option<Wanted>,
    /// What was decided about this revision.
    #[serde(default)]
    pub decisions: BTreeMap<Judge, Decided>,
    /// What each last decided about a revision before, and holds when that is asked for again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set_aside: BTreeMap<Judge, Decided>,
    /// What is granted, of this revision or of one before.
    #[serde(default)]
    pub grant: Option<Grant>,
    /// Who owned what is asked for before they handed it over.
    #[serde(default)]
    pub former_owners: BTreeSet<ApplicationUid>,
    /// When it was last said what becomes of it. A letter from before says nothing any more.
    #[serde(default)]
    pub said_at: Option<Timestamp>,
    /// When each last decided about it, or took that back; the same of their letters.
    #[serde(default)]
    pub judged_at: BTreeMap<Judge, Timestamp>,
    /// When it was filed first.
    pub created_at: Timestamp,
    /// When it ended.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
}

impl Request {
    /// Who asks.
    pub fn applicant(&self) -> &ApplicationUid {
        &self.content.applicant
    }

    /// The application that decides as owner.
    pub fn owner(&self) -> Option<&ApplicationName> {
        self.content.owner.as_ref().map(|it| &it.name)
    }

    /// What it gives now, and is not about to take away.
    pub fn live_grant(&self) -> Option<&Grant> {
        self.grant.as_ref().filter(|it| !it.is_ending)
    }

    /// Whether there is anything to take away: a grant, or an approval that is not done yet.
    pub fn is_granted(&self) -> bool {
        self.live_grant().is_some() || self.status.is_approved()
    }

    /// The way that a reader sees it at a time, in an environment where rights are enforced so.
    pub fn look(&self, enforcement: crate::governance::policy::Enforcement, now: Timestamp) -> Look {
        status::look(self, enforcement, now)
    }
}

/// A request that somebody files, or files again with another content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filing {
    /// Its id, which who files it chooses.
    pub id: RequestId,
    /// Who asks.
    pub applicant: ApplicationName,
    /// What for.
    pub subject: Subject,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// The person who is asked to agree.
    pub approver: Option<String>,
    /// The ticket elsewhere that it belongs to.
    pub ticket: Option<String>,
    /// Free text that can be erased, such as `justification`.
    pub texts: BTreeMap<String, String>,
}

impl Filing {
    /// One with nothing else.
    pub fn new(id: RequestId, applicant: ApplicationName, subject: Subject) -> Self {
        Self { id, applicant, subject, expires_at: None, approver: None, ticket: None, texts: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests;

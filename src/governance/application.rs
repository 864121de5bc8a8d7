//! Applications: who owns what, as whom they run, and their life.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use crate::governance::{
    acl::Principal, capacity::Totals, client_quota::ClientQuota, kind::Kind, names::ApplicationName, record::Timestamp,
    request::RequestId, template::Fields,
};

/// Beginnings of names, by kind.
pub type Prefixes = BTreeMap<Kind, BTreeSet<String>>;

/// An application, as it should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplicationSpec {
    /// Its name.
    pub name: ApplicationName,
    /// The organisation's code for it, for names.
    #[serde(default)]
    pub code: Option<String>,
    /// The team that answers for it.
    #[serde(default)]
    pub team: String,
    /// Free words to find it by.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// As whom it runs.
    #[serde(default)]
    pub principals: BTreeSet<Principal>,
    /// As whom its pipeline works.
    #[serde(default)]
    pub deployers: BTreeSet<Principal>,
    /// How the names of what it owns begin. A kind that is left out has the one of the environment's template.
    #[serde(default)]
    pub prefixes: Prefixes,
    /// The `application.id`s of its Kafka Streams programs.
    #[serde(default)]
    pub streams: BTreeSet<String>,
    /// What all its topics may take, instead of the environment's quota.
    #[serde(default)]
    pub capacity: Totals,
    /// How much its clients may use of each broker.
    #[serde(default)]
    pub client_quota: ClientQuota,
    /// When it ends, if it is a trial.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

impl ApplicationSpec {
    /// One that has a name and nothing else.
    pub fn new(name: ApplicationName) -> Self {
        Self {
            name,
            code: None,
            team: String::new(),
            labels: BTreeMap::new(),
            principals: BTreeSet::new(),
            deployers: BTreeSet::new(),
            prefixes: Prefixes::new(),
            streams: BTreeSet::new(),
            capacity: Totals::default(),
            client_quota: ClientQuota::default(),
            expires_at: None,
        }
    }

    /// The fields of names that are the application's own.
    pub fn own_fields(&self) -> Fields {
        let mut res = Fields::from([("application".to_owned(), self.name.to_string())]);
        res.extend(self.code.iter().map(|it| ("code".to_owned(), it.clone())));
        res
    }

    /// Its prefixes of a kind.
    pub fn prefixes(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.prefixes.get(&kind).into_iter().flatten().map(String::as_str)
    }

    /// Whether a name is under one of its prefixes.
    pub fn covers(&self, kind: Kind, name: &str) -> bool {
        self.prefixes(kind).any(|it| name.starts_with(it))
    }

    /// All principals that are its own.
    pub fn all_principals(&self) -> impl Iterator<Item = &Principal> {
        self.principals.iter().chain(&self.deployers)
    }
}

/// One life of an application: a name that is used again after a deletion is another incarnation, and what was granted
/// to the first does not hold for the second.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApplicationUid {
    /// The name.
    pub name: ApplicationName,
    /// Counted from 1.
    pub incarnation: u32,
}

impl fmt::Display for ApplicationUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.name, self.incarnation)
    }
}

/// Why a text is no life of an application.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no application's name, `#` and a number")]
pub struct ApplicationUidError(String);

impl FromStr for ApplicationUid {
    type Err = ApplicationUidError;

    fn from_str(text: &str) -> Result<Self, ApplicationUidError> {
        let read = || {
            let (name, incarnation) = text.split_once('#')?;
            Some(Self { name: name.parse().ok()?, incarnation: incarnation.parse().ok()? })
        };
        read().ok_or_else(|| ApplicationUidError(text.to_owned()))
    }
}

/// Where an application is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits for the platform to agree.
    Pending,
    /// It was agreed to, and nothing is done yet.
    Approved,
    /// Its rights are being made.
    Provisioning,
    /// It can work.
    Ready,
    /// It was refused.
    Rejected,
    /// Its rights could not be made; the next run tries again.
    Failed,
    /// Its time is over: what it owns is there, and nobody may use it.
    Expired,
    /// Its rights are being taken away.
    Deleting,
    /// It is gone, and remembered.
    Deleted,
}

impl Status {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Approved,
        Self::Provisioning,
        Self::Ready,
        Self::Rejected,
        Self::Failed,
        Self::Expired,
        Self::Deleting,
        Self::Deleted,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Provisioning => "provisioning",
            Self::Ready => "ready",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }

    /// Whether the application has its prefixes: others may not claim them.
    pub const fn holds_prefixes(self) -> bool {
        !matches!(self, Self::Rejected | Self::Deleted)
    }

    /// Whether it was agreed to and has not begun to end.
    pub const fn is_in_force(self) -> bool {
        matches!(self, Self::Approved | Self::Provisioning | Self::Ready | Self::Failed)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The first step of a transfer: what its owner gives away, until the other takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Who may take it.
    pub to: ApplicationName,
    /// What.
    pub prefixes: Prefixes,
    /// Whether it was taken.
    #[serde(default)]
    pub is_confirmed: bool,
}

/// An application, as a journal keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Application {
    /// Which life of its name this is, from 1.
    pub incarnation: u32,
    /// What is in force, with all prefixes; while it is pending, what is asked for.
    pub spec: ApplicationSpec,
    /// What its team wants to change and the platform must agree to; until then `spec` holds.
    #[serde(default)]
    pub amendment: Option<ApplicationSpec>,
    /// Where it is in its life.
    pub status: Status,
    /// The request by which its declaration, or the newest amendment, was asked for.
    #[serde(default)]
    pub request_id: Option<RequestId>,
    /// What it offers to another.
    #[serde(default)]
    pub offer: Option<Offer>,
    /// A digest of its free text, to see whether that changed.
    #[serde(default)]
    pub text_digest: Option<i64>,
    /// When it was last said what becomes of it. A letter from before says nothing any more.
    #[serde(default)]
    pub said_at: Option<Timestamp>,
    /// When it was declared.
    pub created_at: Timestamp,
    /// When it ended.
    #[serde(default)]
    pub deleted_at: Option<Timestamp>,
}

impl Application {
    /// Which life of which name this is.
    pub fn uid(&self) -> ApplicationUid {
        ApplicationUid { name: self.spec.name.clone(), incarnation: self.incarnation }
    }

    /// The request by which it, or what its team wants to change, waits for the platform; `None` where nothing waits.
    pub fn waits_by(&self) -> Option<&RequestId> {
        self.request_id.as_ref().filter(|_| self.status == Status::Pending || self.amendment.is_some())
    }

    /// The attributes of what its team wants to change and the platform must agree to.
    pub fn waiting(&self) -> Vec<&'static str> {
        let Some(wanted) = &self.amendment else { return Vec::new() };
        let ApplicationSpec {
            name: _,
            code,
            team,
            labels,
            principals,
            deployers,
            prefixes,
            streams,
            capacity,
            client_quota,
            expires_at,
        } = &self.spec;
        let changes = [
            ("code", *code != wanted.code),
            ("owner", *team != wanted.team),
            ("labels", *labels != wanted.labels),
            ("principals", *principals != wanted.principals),
            ("deployers", *deployers != wanted.deployers),
            ("prefixes", *prefixes != wanted.prefixes),
            ("streams", *streams != wanted.streams),
            ("capacity", *capacity != wanted.capacity),
            ("client_quota", *client_quota != wanted.client_quota),
            ("expires_at", *expires_at != wanted.expires_at),
        ];
        changes.into_iter().filter_map(|(name, is_changed)| is_changed.then_some(name)).collect()
    }

    /// Whether its time is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.spec.expires_at.is_some_and(|it| it <= now)
    }
}

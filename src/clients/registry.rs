//! A schema registry, by the API that Confluent's has and others share.
//!
//! Versions are appended and never change. What is not there is `None`, and only where the registry says so of that very
//! subject. A client that reads many subjects asks for all of them at once, where the registry lists them with their names
//! and numbers; what it says itself is not read from a list that is older.

mod answers;
mod error;
mod listing;
mod paths;

use std::{collections::BTreeSet, time::Instant};

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::{
    clients::rest::{Listing, Request, Rest, RestError},
    governance::{policy::Compatibility, subject::SubjectName},
    schemas::Format,
};
use answers::Answered;
pub use error::RegistryError;
use paths::{below, subject};

/// A list of fewer subjects is taken for whole: registries cut off at twenty thousand, unless they are told otherwise.
const WHOLE: usize = 1_000;

/// A schema with what it needs to be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Its language.
    pub format: Format,
    /// Its text.
    pub schema: String,
    /// The schemas that it names.
    pub references: Vec<Reference>,
}

/// A version of a subject that a schema names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reference {
    /// What it is called there: in Avro the full name of the type, in Protobuf the path of the import.
    pub name: String,
    /// The subject.
    pub subject: SubjectName,
    /// Its version.
    pub version: i64,
}

/// A version of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The subject.
    pub subject: SubjectName,
    /// Its number in the subject.
    pub version: i64,
    /// The number of the schema in the whole registry, which messages carry.
    pub id: i64,
    /// The schema.
    pub body: Body,
}

/// Which version is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The newest.
    Latest,
    /// That one.
    Number(i64),
}

/// What may be done with a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Versions are read and registered.
    #[serde(rename = "READWRITE")]
    ReadWrite,
    /// Nothing is registered.
    #[serde(rename = "READONLY")]
    ReadOnly,
    /// Nothing is registered, whatever is said for single subjects.
    #[serde(rename = "READONLY_OVERRIDE")]
    ReadOnlyOverride,
    /// Versions are registered with the numbers that they had elsewhere.
    #[serde(rename = "IMPORT")]
    Import,
}

/// What a registry says about a new version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may follow the versions that are there.
    pub is_compatible: bool,
    /// Why not, as far as it says.
    pub messages: Vec<String>,
}

/// What a subject says of itself, and what all do where that is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// Its own.
    pub own: Option<T>,
    /// What holds for whoever has none.
    pub general: Option<T>,
}

impl<T: Copy> Setting<T> {
    /// What holds.
    pub fn effective(&self) -> Option<T> {
        self.own.or(self.general)
    }
}

/// A registry.
#[derive(Debug)]
pub struct SchemaRegistry {
    rest: Rest,
    listing: Listing<SubjectName, Registered, RegistryError>,
    /// The names of all subjects as they were when they were first asked for. An error is kept as well, so that many who ask
    /// do not wait for the same silence.
    names: OnceCell<Result<BTreeSet<SubjectName>, RegistryError>>,
    /// The compatibility and the mode of all, as they were first answered: they are nobody's to change here.
    level_of_all: OnceCell<Option<Value>>,
    mode_of_all: OnceCell<Option<Value>>,
}

impl SchemaRegistry {
    /// A registry that was not connected to yet.
    pub fn new(rest: Rest) -> Self {
        Self {
            rest,
            listing: Listing::after(listing::FEW),
            names: OnceCell::new(),
            level_of_all: OnceCell::new(),
            mode_of_all: OnceCell::new(),
        }
    }

    /// The service that it is.
    pub fn rest(&self) -> &Rest {
        &self.rest
    }

    /// A version of a subject; `None` if it is not there, or was deleted.
    pub async fn version(
        &self,
        name: &SubjectName,
        version: Version,
        deadline: Instant,
    ) -> Result<Option<Registered>, RegistryError> {
        let version = match version {
            Version::Latest => "latest".to_owned(),
            Version::Number(it) => it.to_string(),
        };
        let answer = self.read(format!("{}/versions/{version}", subject(name)), vec![], deadline).await?;
        answer.map(|it| Answered(it).registered()).transpose()
    }

    /// The newest version of a subject, perhaps from a list that was made for the whole run.
    pub async fn seen(&self, name: &SubjectName, deadline: Instant) -> Result<Option<Registered>, RegistryError> {
        match self.listing.get(name, listing::list(self, deadline)).await? {
            Some(it) => Ok(Some(it)),
            // That something is missing is believed only of an answer about itself.
            None => self.version(name, Version::Latest, deadline).await,
        }
    }

    /// The numbers of the versions of a subject; none if it is not there.
    pub async fn versions(&self, name: &SubjectName, deadline: Instant) -> Result<Vec<i64>, RegistryError> {
        let answer = self.read(format!("{}/versions", subject(name)), vec![], deadline).await?;
        answer.map_or(Ok(Vec::new()), |it| Answered(it).list())
    }

    /// The version of a subject that is this schema; `None` if there is none.
    pub async fn lookup(
        &self,
        name: &SubjectName,
        body: &Body,
        normalize: bool,
        deadline: Instant,
    ) -> Result<Option<Registered>, RegistryError> {
        let request = post(subject(name), normalizing(normalize), body);
        let answer = absent_is_none(self.rest.send(&request, deadline).await)?;
        answer.map(|it| Answered(it).registered()).transpose()
    }

    /// Registers a schema as a version of a subject, unless it is one, and answers with the number of the schema.
    pub async fn register(
        &self,
        name: &SubjectName,
        body: &Body,
        normalize: bool,
        deadline: Instant,
    ) -> Result<i64, RegistryError> {
        let request = post(format!("{}/versions", subject(name)), normalizing(normalize), body);
        let answer = self.rest.send(&request, deadline).await;
        self.listing.forget(name);
        Answered(answer?).number("id")
    }

    /// Whether a schema may follow the versions of a subject, as far as its compatibility asks.
    pub async fn check(
        &self,
        name: &SubjectName,
        body: &Body,
        normalize: bool,
        deadline: Instant,
    ) -> Result<Verdict, RegistryError> {
        let mut query = normalizing(normalize);
        query.push(("verbose", "true".to_owned()));
        let request = post(format!("compatibility/{}/versions", subject(name)), query, body);
        match absent_is_none(self.rest.send(&request, deadline).await)? {
            Some(it) => Answered(it).verdict(),
            // Whatever comes first is compatible with nothing.
            None => Ok(Verdict { is_compatible: true, messages: Vec::new() }),
        }
    }

    /// The compatibility that a subject asks for.
    pub async fn compatibility(
        &self,
        name: &SubjectName,
        deadline: Instant,
    ) -> Result<Setting<Compatibility>, RegistryError> {
        self.setting(("config", "compatibilityLevel"), &self.level_of_all, name, deadline).await
    }

    /// What a subject permits.
    pub async fn mode(&self, name: &SubjectName, deadline: Instant) -> Result<Setting<Mode>, RegistryError> {
        self.setting(("mode", "mode"), &self.mode_of_all, name, deadline).await
    }

    /// Sets the compatibility of a subject; `None` has it inherit that of all.
    pub async fn set_compatibility(
        &self,
        name: &SubjectName,
        level: Option<Compatibility>,
        deadline: Instant,
    ) -> Result<(), RegistryError> {
        let body = |it: Compatibility| json!({ "compatibility": it });
        self.set("config", name, level.map(body), deadline).await?;
        if level.is_some() {
            return Ok(());
        }
        let kept = self.compatibility(name, deadline).await?;
        let (Some(_), Some(general)) = (kept.own, kept.general) else { return inherited(name, kept.own) };
        // Apicurio takes away every level but `NONE`. What it tells after that is inherited, though it may be another level
        // than it tells of all subjects: subjects follow the one that it was started with.
        self.set("config", name, Some(body(general)), deadline).await?;
        self.set("config", name, None, deadline).await
    }

    /// Sets the mode of a subject; `None` has it inherit that of all.
    pub async fn set_mode(
        &self,
        name: &SubjectName,
        mode: Option<Mode>,
        deadline: Instant,
    ) -> Result<(), RegistryError> {
        self.set("mode", name, mode.map(|it| json!({ "mode": it })), deadline).await
    }

    /// Deletes a subject with all its versions: so that it can be brought back, or for good. One that is gone is well.
    pub async fn delete(&self, name: &SubjectName, for_good: bool, deadline: Instant) -> Result<(), RegistryError> {
        let mut request = Request { method: Method::DELETE, path: subject(name), query: vec![], body: None };
        absent_is_none(self.rest.send(&request, deadline).await)?;
        self.listing.forget(name);
        if for_good {
            // What was not deleted first is refused.
            request.query.push(("permanent", "true".to_owned()));
            absent_is_none(self.rest.send(&request, deadline).await)?;
        }
        Ok(())
    }

    /// The schema of that number, without its subject; `None` if there is none.
    pub async fn schema(&self, id: i64, deadline: Instant) -> Result<Option<Body>, RegistryError> {
        let answer = self.read(format!("schemas/ids/{id}"), vec![], deadline).await?;
        answer.map(|it| Answered(it).body()).transpose()
    }

    /// The names of all subjects, in order; with those that were deleted and can be brought back, if they are asked for.
    pub async fn subjects(&self, deleted: bool, deadline: Instant) -> Result<Vec<SubjectName>, RegistryError> {
        let mut names = BTreeSet::new();
        let mut asked = 0;
        loop {
            let mut query = if deleted { vec![("deleted", "true".to_owned())] } else { vec![] };
            if 0 < asked {
                query.push(("offset", asked.to_string()));
            }
            let answer = self.read("subjects".to_owned(), query, deadline).await?;
            let page: Vec<SubjectName> = Answered(answer.unwrap_or_default()).list()?;
            let (before, count) = (names.len(), page.len());
            names.extend(page);
            asked += count;
            // A registry cuts its list off at a number of its own; one without pages gives all of it again.
            if count < WHOLE || names.len() == before {
                return Ok(names.into_iter().collect());
            }
        }
    }

    /// The numbers of the schemas that refer to a version of a subject, in order.
    pub async fn referring(
        &self,
        name: &SubjectName,
        version: i64,
        deadline: Instant,
    ) -> Result<Vec<i64>, RegistryError> {
        let path = format!("{}/versions/{version}/referencedby", subject(name));
        let answer = self.read(path, vec![], deadline).await?;
        let mut ids: Vec<i64> = answer.map_or(Ok(Vec::new()), |it| Answered(it).list())?;
        ids.sort_unstable();
        Ok(ids)
    }

    /// The names of all subjects as this client first saw them, for many who ask in one run.
    pub async fn subjects_at_first(&self, deadline: Instant) -> Result<&BTreeSet<SubjectName>, &RegistryError> {
        let ask = async || self.subjects(false, deadline).await.map(BTreeSet::from_iter);
        self.names.get_or_init(ask).await.as_ref()
    }

    async fn read(
        &self,
        path: String,
        query: Vec<(&'static str, String)>,
        deadline: Instant,
    ) -> Result<Option<Value>, RegistryError> {
        let request = Request { method: Method::GET, path, query, body: None };
        absent_is_none(self.rest.send(&request, deadline).await)
    }

    /// A setting of a subject. Some registries answer with that of all where a subject has none: the same is taken for
    /// inherited.
    async fn setting<T: serde::de::DeserializeOwned + PartialEq + Copy>(
        &self,
        (what, key): (&str, &str),
        of_all: &OnceCell<Option<Value>>,
        name: &SubjectName,
        deadline: Instant,
    ) -> Result<Setting<T>, RegistryError> {
        let read = |it: Option<Value>| it.map(|it| Answered(it).field(key)).transpose();
        let own = read(self.read(below(what, name), vec![], deadline).await?)?;
        let general = of_all.get_or_try_init(|| self.read(what.to_owned(), vec![], deadline)).await?;
        let general = read(general.clone())?;
        Ok(Setting { own: own.filter(|_| own != general), general })
    }

    async fn set(
        &self,
        what: &str,
        name: &SubjectName,
        body: Option<Value>,
        deadline: Instant,
    ) -> Result<(), RegistryError> {
        let method = if body.is_some() { Method::PUT } else { Method::DELETE };
        let is_reset = body.is_none();
        let answer = self.rest.send(&Request { method, path: below(what, name), query: vec![], body }, deadline).await;
        if is_reset { absent_is_none(answer).map(drop) } else { Ok(answer.map(drop)?) }
    }
}

/// Whether a subject has no level of its own any more, after it was taken away.
fn inherited(name: &SubjectName, own: Option<Compatibility>) -> Result<(), RegistryError> {
    match own {
        None => Ok(()),
        Some(level) => Err(RegistryError::Kept(format!(
            "the compatibility of `{name}` is `{}`, though it was deleted",
            level.word()
        ))),
    }
}

fn normalizing(normalize: bool) -> Vec<(&'static str, String)> {
    if normalize { vec![("normalize", "true".to_owned())] } else { vec![] }
}

fn post(path: String, query: Vec<(&'static str, String)>, body: &Body) -> Request {
    let Body { format, schema, references } = body;
    let mut sent = json!({ "schemaType": format, "schema": schema });
    if !references.is_empty() {
        sent["references"] = json!(references);
    }
    Request { method: Method::POST, path, query, body: Some(sent) }
}

/// What the registry says is not there, by its own numbers: a page that is not found says nothing.
fn absent_is_none(answer: Result<Value, RestError>) -> Result<Option<Value>, RegistryError> {
    match answer {
        Ok(it) => Ok(Some(it)),
        // Some say with 409 what was deleted before. 40405 and 40407 are of what is there, and is to be deleted first.
        Err(RestError::Refused { status: 404 | 409, code: Some(40401..=40404 | 40406 | 40408 | 40409), .. }) => {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

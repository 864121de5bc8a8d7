//! A registry for tests, in memory and over HTTP: it answers as Confluent's API reference says, also where others differ.
//! Its verdicts on compatibility are those that the test gives.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::SchemaRegistry;
use crate::{
    clients::rest::{
        Rest, Services,
        fake::{Answer, FakeService},
    },
    schemas::avro_canonical_form,
};

/// The registry.
#[derive(Clone, Debug)]
pub(crate) struct FakeRegistry {
    service: Arc<FakeService>,
    kept: Arc<Mutex<Kept>>,
}

/// What it keeps.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    subjects: BTreeMap<String, Vec<Kind>>,
    ids: Vec<Value>,
    levels: BTreeMap<String, String>,
    modes: BTreeMap<String, String>,
    /// What holds for subjects without a mode of their own, where that is not `READWRITE`.
    pub(crate) mode_of_all: Option<String>,
    /// Why what is new is not compatible, wherever compatibility is asked for.
    pub(crate) objections: Vec<String>,
    /// Whether all schemas are listed with their subjects.
    pub(crate) lists: bool,
    /// Whether it does not follow references where it judges compatibility, as Apicurio does not.
    pub(crate) blind: bool,
    /// Whether it compares schemas by their canonical form, keeps the level `NONE` and whatever a deleted subject had, and
    /// answers with the level of all where a subject has none, as Apicurio does.
    pub(crate) apicurio: bool,
    /// Most subjects that it names at once.
    pub(crate) most: usize,
    /// What the next calls are answered with.
    pub(crate) next: VecDeque<Answer>,
}

/// A version: its number, its schema and whether it was deleted.
#[derive(Debug)]
struct Kind {
    version: i64,
    id: i64,
    deleted: bool,
}

type Judged = Result<Value, (u16, i64, String)>;

impl FakeRegistry {
    /// A registry without subjects.
    pub(crate) async fn start() -> Self {
        let kept = Arc::new(Mutex::new(Kept { lists: true, most: 20_000, ..Kept::default() }));
        let its = kept.clone();
        let service = FakeService::start_whole(move |request| locked(&its).answer(request)).await;
        Self { service: Arc::new(service), kept }
    }

    /// A client of it.
    pub(crate) fn client(&self) -> SchemaRegistry {
        SchemaRegistry::new(Rest::new(self.service.settings()))
    }

    /// It, as what is beside a cluster.
    pub(crate) fn services(&self) -> Services {
        Services { schema_registry: Some(Arc::new(self.client())), ..Services::default() }
    }

    /// What it keeps, to be looked at and changed.
    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        locked(&self.kept)
    }

    /// The first words of each request so far: method and path.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.service.asked()
    }

    /// Does something behind everybody's back.
    pub(crate) fn does(&self, method: &str, path: &str, body: &Value) -> Value {
        self.kept().does(method, path, body).unwrap_or_else(|it| unreachable!("{method} {path}: {it:?}"))
    }
}

fn locked(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The end of the time that a test has.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

impl Kept {
    fn answer(&mut self, request: &str) -> Answer {
        const JSON: &str = "application/vnd.schemaregistry.v1+json";
        if let Some(it) = self.next.pop_front() {
            return it;
        }
        let mut words = request.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        match self.does(method, path, &serde_json::from_str(body).unwrap_or_default()) {
            Ok(it) => (200, JSON, it.to_string()),
            Err((status, code, message)) => {
                (status, JSON, json!({ "error_code": code, "message": message }).to_string())
            }
        }
    }

    fn does(&mut self, method: &str, path: &str, body: &Value) -> Judged {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let has = |it: &str| query.split('&').any(|part| part == it);
        let parts: Vec<String> = path.trim_start_matches('/').split('/').map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match (method, &parts[..]) {
            ("GET", ["subjects"]) => Ok(self.names(has("deleted=true"), query)),
            ("GET", ["schemas"]) if self.lists => Ok(self.list(query)),
            ("GET", ["schemas", "ids", id]) => self.by_id(id),
            ("GET", ["subjects", subject, "versions"]) => {
                Ok(self.live(subject)?.iter().map(|it| json!(it.version)).collect())
            }
            ("GET", ["subjects", subject, "versions", version]) => self.version(subject, version),
            ("GET", ["subjects", subject, "versions", version, "referencedby"]) => Ok(self.referring(subject, version)),
            ("POST", ["subjects", subject]) => self.lookup(subject, body),
            ("POST", ["subjects", subject, "versions"]) => self.register(subject, body),
            ("POST", ["compatibility", "subjects", subject, "versions"]) => {
                self.live(subject)?;
                read(body)?;
                if self.blind && !body["references"].is_null() {
                    return Err((422, 42201, "Invalid schema: Syntax violation".to_owned()));
                }
                let messages = self.objections_to(subject);
                Ok(json!({ "is_compatible": messages.is_empty(), "messages": messages }))
            }
            ("DELETE", ["subjects", subject]) => self.delete(subject, has("permanent=true")),
            ("GET", ["config"]) => Ok(json!({ "compatibilityLevel": "BACKWARD" })),
            ("GET", ["mode"]) => Ok(json!({ "mode": self.mode_of_all.as_deref().unwrap_or("READWRITE") })),
            (_, ["config", subject]) => {
                if method != "GET" {
                    self.open(subject)?;
                }
                if self.apicurio
                    && let Some(level) = self.level_as_apicurio(method, subject)
                {
                    return Ok(json!({ "compatibilityLevel": level }));
                }
                setting(&mut self.levels, method, subject, &body["compatibility"], ("compatibilityLevel", 40408))
            }
            (_, ["mode", subject]) => setting(&mut self.modes, method, subject, &body["mode"], ("mode", 40409)),
            _ => Err((404, 404, "HTTP 404 Not Found".to_owned())),
        }
    }

    /// What is answered where Confluent's answers otherwise.
    fn level_as_apicurio(&self, method: &str, subject: &str) -> Option<String> {
        let own = self.levels.get(subject);
        let is_kept = own.is_some_and(|it| it == "NONE") || self.live(subject).is_err();
        match (method, own) {
            ("GET", None) => Some("BACKWARD".to_owned()),
            ("DELETE", Some(own)) if is_kept => Some(own.clone()),
            _ => None,
        }
    }

    fn names(&self, deleted: bool, query: &str) -> Value {
        let shown = |versions: &[Kind]| versions.iter().any(|it| deleted || !it.deleted);
        let names = self.subjects.iter().filter(|(_, it)| shown(it)).map(|(name, _)| json!(name));
        names.skip(number(query, "offset=").unwrap_or(0)).take(self.most).collect()
    }

    fn referring(&self, subject: &str, version: &str) -> Value {
        let version: Option<i64> = version.parse().ok();
        let is_it = |it: &Value| it["subject"] == subject && it["version"].as_i64() == version;
        let refers = |it: &Value| it["references"].as_array().into_iter().flatten().any(is_it);
        (1..).zip(&self.ids).filter(|(_, it)| refers(it)).map(|(id, _): (i64, _)| json!(id)).collect()
    }

    /// The versions of a subject that were not deleted.
    fn live(&self, subject: &str) -> Result<Vec<&Kind>, (u16, i64, String)> {
        let all = self.subjects.get(subject).into_iter().flatten();
        let live: Vec<_> = all.filter(|it| !it.deleted).collect();
        let absent = || (404, 40401, format!("Subject '{subject}' not found."));
        if live.is_empty() { Err(absent()) } else { Ok(live) }
    }

    fn list(&self, query: &str) -> Value {
        let newest = self.subjects.keys().filter_map(|it| self.version(it, "latest").ok());
        let most = number(query, "limit=").unwrap_or(usize::MAX);
        newest.skip(number(query, "offset=").unwrap_or(0)).take(most).collect()
    }

    fn shown(&self, subject: &str, kind: &Kind) -> Value {
        let mut res = self.ids[usize::try_from(kind.id).unwrap() - 1].clone();
        res["subject"] = json!(subject);
        res["version"] = json!(kind.version);
        res["id"] = json!(kind.id);
        res
    }

    fn by_id(&self, id: &str) -> Judged {
        let found = id.parse::<usize>().ok().and_then(|it| self.ids.get(it.checked_sub(1)?));
        found.cloned().ok_or((404, 40403, "Schema not found".to_owned()))
    }

    fn version(&self, subject: &str, version: &str) -> Judged {
        let live = self.live(subject)?;
        let found = match version {
            "latest" => live.last(),
            it => live.iter().find(|kind| kind.version.to_string() == it),
        };
        found.map(|it| self.shown(subject, it)).ok_or((404, 40402, format!("Version {version} not found.")))
    }

    fn lookup(&self, subject: &str, body: &Value) -> Judged {
        let (live, schema) = (self.live(subject)?, read(body)?);
        let same = |kept: &Value| *kept == schema || (self.apicurio && canonical(kept) == canonical(&schema));
        let found = live.iter().find(|it| same(&self.ids[usize::try_from(it.id).unwrap() - 1]));
        found.map(|it| self.shown(subject, it)).ok_or((404, 40403, "Schema not found".to_owned()))
    }

    fn register(&mut self, subject: &str, body: &Value) -> Judged {
        let schema = read(body)?;
        self.open(subject)?;
        if let Ok(found) = self.lookup(subject, body) {
            return Ok(json!({ "id": found["id"] }));
        }
        for it in body["references"].as_array().into_iter().flatten() {
            let version = it["version"].to_string();
            self.version(it["subject"].as_str().unwrap_or_default(), &version).map_err(|(_, _, message)| {
                (422, 42201, format!("Invalid schema: no schema reference found: {message}"))
            })?;
        }
        let objections = self.objections_to(subject);
        if self.live(subject).is_ok() && !objections.is_empty() {
            let message = format!("Schema being registered is incompatible with an earlier schema: {objections:?}");
            return Err((409, 409, message));
        }
        let known = self.ids.iter().position(|it| *it == schema);
        let at = known.unwrap_or(self.ids.len());
        if known.is_none() {
            self.ids.push(schema);
        }
        let id = i64::try_from(at).unwrap() + 1;
        let versions = self.subjects.entry(subject.to_owned()).or_default();
        let version = versions.last().map_or(0, |it| it.version) + 1;
        versions.push(Kind { version, id, deleted: false });
        Ok(json!({ "id": id }))
    }

    /// Refuses what changes a subject that is read only.
    fn open(&self, subject: &str) -> Result<(), (u16, i64, String)> {
        let of_all = self.mode_of_all.as_ref();
        let over_all = of_all.filter(|it| *it == "READONLY_OVERRIDE");
        if over_all.or(self.modes.get(subject)).or(of_all).is_some_and(|it| it.starts_with("READONLY")) {
            return Err((422, 42205, format!("Subject {subject} is in read-only mode")));
        }
        Ok(())
    }

    fn objections_to(&self, subject: &str) -> Vec<String> {
        if self.levels.get(subject).is_some_and(|it| it == "NONE") { Vec::new() } else { self.objections.clone() }
    }

    fn delete(&mut self, subject: &str, for_good: bool) -> Judged {
        let referring =
            |it: &Value| it["references"].as_array().into_iter().flatten().any(|it| it["subject"] == subject);
        if self.ids.iter().any(referring) && self.subjects.len() > 1 {
            return Err((422, 42206, format!("One or more references exist to the schema of {subject}")));
        }
        if for_good {
            if self.live(subject).is_ok() {
                return Err((404, 40405, format!("Subject '{subject}' was not deleted first.")));
            }
            self.subjects.remove(subject);
            return Ok(json!([]));
        }
        self.live(subject)?;
        for it in self.subjects.get_mut(subject).into_iter().flatten() {
            it.deleted = true;
        }
        Ok(json!([]))
    }
}

fn number(query: &str, name: &str) -> Option<usize> {
    query.split('&').find_map(|it| it.strip_prefix(name)?.parse().ok())
}

/// Reads a setting of a subject, writes it or takes it away.
fn setting(
    settings: &mut BTreeMap<String, String>,
    method: &str,
    subject: &str,
    value: &Value,
    (key, absent): (&str, i64),
) -> Judged {
    let found = match (method, value.as_str()) {
        ("PUT", Some(it)) => {
            settings.insert(subject.to_owned(), it.to_owned());
            Some(it.to_owned())
        }
        ("DELETE", _) => settings.remove(subject),
        _ => settings.get(subject).cloned(),
    };
    let found = found.ok_or((404, absent, format!("Subject '{subject}' has no such setting.")))?;
    Ok(json!({ key: found }))
}

/// A schema of Avro's without what its canonical form drops.
fn canonical(schema: &Value) -> Value {
    let mut res = schema.clone();
    if let Ok(form) = avro_canonical_form(schema["schema"].as_str().unwrap_or_default()) {
        res["schema"] = json!(form);
    }
    res
}

/// The schema of a body, as it is kept.
fn read(body: &Value) -> Judged {
    let text = body["schema"].as_str().unwrap_or_default();
    if text.is_empty() || text.contains("unreadable") {
        return Err((422, 42201, "Invalid schema".to_owned()));
    }
    let mut res = json!({ "schema": text });
    if body["schemaType"] != "AVRO" {
        res["schemaType"] = body["schemaType"].clone();
    }
    if let Some(it) = body.get("references") {
        res["references"] = it.clone();
    }
    Ok(res)
}

fn decoded(part: &str) -> String {
    let mut bytes = part.bytes();
    let mut res = Vec::new();
    while let Some(byte) = bytes.next() {
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        res.push(if byte == b'%' { u8::try_from(digit().unwrap() * 16 + digit().unwrap()).unwrap() } else { byte });
    }
    String::from_utf8(res).unwrap()
}

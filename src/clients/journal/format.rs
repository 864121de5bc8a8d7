//! How a journal's records are written and read: JSON objects, of which what this release does not know is kept.

use std::{fmt, str::FromStr};

use aws_lc_rs::{digest, rand};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::governance::record::{Event, Timestamp};

/// The form in which this release writes records.
pub const FORM: u64 = 1;

/// What this release is, among those that may decide: one that writes what older releases would decide wrongly about
/// raises it, and says in each record that older ones may not decide any more.
pub const WRITER: u64 = 1;

/// The key of the newest event's place, among the entities of the state.
pub const HEAD: &str = "head";

/// The kind of a journal's first event.
pub const CREATED: &str = "journal.created";

/// The kind of the event by which a journal is moved to another cluster.
pub const REBOUND: &str = "journal.rebound";

/// SHA-256 of the bytes of an event's record, written as 64 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventHash([u8; 32]);

/// A text that is no hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash has 64 hexadecimal digits")]
pub struct EventHashError;

impl EventHash {
    /// The hash of a record.
    pub fn of(bytes: &[u8]) -> Self {
        let mut res = Self::default();
        res.0.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
        res
    }
}

impl fmt::Display for EventHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|it| write!(f, "{it:02x}"))
    }
}

impl fmt::Debug for EventHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for EventHash {
    type Err = EventHashError;

    fn from_str(text: &str) -> Result<Self, EventHashError> {
        let mut res = Self::default();
        if text.len() != 2 * res.0.len() {
            return Err(EventHashError);
        }
        for (byte, digits) in res.0.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digit = |it: u8| char::from(it).to_digit(16).and_then(|it| u8::try_from(it).ok()).ok_or(EventHashError);
            *byte = digit(digits[0])? << 4 | digit(digits[1])?;
        }
        Ok(res)
    }
}

/// A random UUID in its usual form.
pub(crate) fn random_uuid() -> String {
    let mut bytes = [0; 16];
    // Two equal ids would be two journals or events taken for one.
    rand::fill(&mut bytes).expect("the operating system gives random numbers");
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = format!("{:032x}", u128::from_be_bytes(bytes));
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|it| &digits[it]).join("-")
}

/// Who an event is by, as the writer claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// The principal that Kafka knows the writer by, such as `User:ci`.
    pub principal: Option<String>,
    /// The person or the pipeline that CI names.
    pub actor: Option<String>,
    /// The change that CI names, such as a pull request's address.
    pub change_url: Option<String>,
}

impl Claims {
    fn write(&self, into: &mut Map<String, Value>) {
        let Self { principal, actor, change_url } = self;
        for (key, value) in [("principal", principal), ("actor", actor), ("change_url", change_url)] {
            if let Some(value) = value {
                into.insert(key.to_owned(), value.clone().into());
            }
        }
    }

    fn read(from: &Map<String, Value>) -> Self {
        let text = |key| text(from, key);
        Self { principal: text("principal"), actor: text("actor"), change_url: text("change_url") }
    }
}

/// An event as history tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Its place in the history.
    pub offset: i64,
    /// When the broker wrote it.
    pub at: Timestamp,
    /// SHA-256 of its record.
    pub hash: EventHash,
    /// The hash of the event before; `None` for the first.
    pub previous: Option<EventHash>,
    /// Its own UUID.
    pub id: String,
    /// The form in which it was written.
    pub form: u64,
    /// The oldest release that may decide after it.
    pub min_writer: u64,
    /// Who claims to have done it.
    pub claims: Claims,
    /// What happened. Of the texts, history has the keys alone.
    pub event: Event,
}

impl Recorded {
    /// The record of an event.
    pub(super) fn write(id: &str, event: &Event, claims: &Claims, previous: Option<EventHash>) -> Bytes {
        let mut object = Map::new();
        object.insert("form".to_owned(), FORM.into());
        object.insert("min_writer".to_owned(), WRITER.into());
        object.insert("id".to_owned(), id.into());
        object.insert("kind".to_owned(), event.kind.clone().into());
        let entities = event.entities.iter().map(|(key, value)| (key.clone(), value.clone()));
        object.insert("entities".to_owned(), Value::Object(entities.collect()));
        object.insert("texts".to_owned(), event.texts.keys().cloned().collect());
        object.insert("facts".to_owned(), Value::Object(event.facts.clone()));
        claims.write(&mut object);
        object.insert("previous".to_owned(), previous.map_or(Value::Null, |it| it.to_string().into()));
        bytes(&Value::Object(object))
    }

    /// Reads a record. A field that is missing or of another type than this release writes is as if it were not there,
    /// but for the id, the kind and the hash of the event before, without which there is no event.
    pub(super) fn read(offset: i64, at: Timestamp, bytes: &[u8]) -> Result<Self, String> {
        let mut object = object(bytes)?;
        let previous = match object.get("previous") {
            None | Some(Value::Null) => None,
            Some(Value::String(it)) => Some(it.parse().map_err(|error: EventHashError| error.to_string())?),
            Some(_) => return Err("`previous` is no text".to_owned()),
        };
        let event = Event {
            kind: text(&object, "kind").ok_or("it has no `kind`")?,
            texts: keys(object.get("texts")).map(|it| (it, None)).collect(),
            entities: map(object.remove("entities")).into_iter().collect(),
            facts: map(object.remove("facts")),
        };
        Ok(Self {
            offset,
            at,
            hash: EventHash::of(bytes),
            previous,
            id: text(&object, "id").ok_or("it has no `id`")?,
            form: number(&object, "form"),
            min_writer: number(&object, "min_writer"),
            claims: Claims::read(&object),
            event,
        })
    }
}

fn keys(value: Option<&Value>) -> impl Iterator<Item = String> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned))
}

fn map(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(it)) => it,
        _ => Map::new(),
    }
}

/// The newest event's place, and whose journal it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The journal's UUID.
    pub journal: String,
    /// The id of the cluster that it belongs to.
    pub cluster: String,
    /// The newest event's offset in the history.
    pub offset: i64,
    /// SHA-256 of its record.
    pub hash: EventHash,
    /// The oldest release that may decide.
    pub min_writer: u64,
}

impl Head {
    pub(super) fn write(&self) -> Bytes {
        let Self { journal, cluster, offset, hash, min_writer } = self;
        bytes(&json!({
            "form": FORM, "min_writer": min_writer, "journal": journal, "cluster": cluster, "offset": offset,
            "hash": hash.to_string(),
        }))
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let object = object(bytes)?;
        Ok(Self {
            journal: text(&object, "journal").ok_or("it has no `journal`")?,
            cluster: text(&object, "cluster").ok_or("it has no `cluster`")?,
            offset: object.get("offset").and_then(Value::as_i64).ok_or("it has no `offset`")?,
            hash: hash(&object)?,
            min_writer: number(&object, "min_writer"),
        })
    }

    /// What somebody keeps who has to notice that the journal is not what it was.
    pub fn remembered(&self) -> Remembered {
        Remembered { journal: self.journal.clone(), offset: self.offset, hash: self.hash }
    }
}

/// A place in a journal, as Terraform's state keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The journal's UUID.
    pub journal: String,
    /// Offset of an event in the history.
    pub offset: i64,
    /// SHA-256 of its record.
    pub hash: EventHash,
}

/// The newest state of an entity, or a text about it, with the event that it comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kept {
    pub(super) form: u64,
    pub(super) offset: i64,
    pub(super) hash: EventHash,
    pub(super) value: Value,
}

impl Kept {
    pub(super) fn write(offset: i64, hash: EventHash, value: &Value) -> Bytes {
        bytes(&json!({ "form": FORM, "offset": offset, "hash": hash.to_string(), "value": value }))
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut object = object(bytes)?;
        Ok(Self {
            form: number(&object, "form"),
            offset: object.get("offset").and_then(Value::as_i64).ok_or("it has no `offset`")?,
            hash: hash(&object)?,
            value: object.remove("value").ok_or("it has no `value`")?,
        })
    }
}

fn hash(object: &Map<String, Value>) -> Result<EventHash, String> {
    let text = text(object, "hash").ok_or("it has no `hash`")?;
    text.parse().map_err(|error: EventHashError| error.to_string())
}

fn object(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("it is no JSON object".to_owned()),
        Err(error) => Err(format!("it is no JSON: {error}")),
    }
}

fn text(object: &Map<String, Value>, key: &str) -> Option<String> {
    object.get(key)?.as_str().map(str::to_owned)
}

fn number(object: &Map<String, Value>, key: &str) -> u64 {
    object.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn bytes(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn event() -> Event {
        Event {
            kind: "topic.created".to_owned(),
            entities: BTreeMap::from([("topic/a".to_owned(), json!({ "owner": "billing", "partitions": 3 }))]),
            texts: BTreeMap::from([("topic/a".to_owned(), Some(json!("a reason")))]),
            facts: map(Some(json!({ "why": 1 }))),
        }
    }

    #[test]
    fn what_is_written_is_read_but_for_texts() {
        let claims = Claims { principal: Some("User:ci".to_owned()), ..Claims::default() };
        let previous = EventHash::of(b"before");
        let bytes = Recorded::write("id", &event(), &claims, Some(previous));
        assert!(!std::str::from_utf8(&bytes).unwrap().contains("a reason"));
        let read = Recorded::read(7, Timestamp(9), &bytes).unwrap();
        assert_eq!((read.offset, read.at, read.id.as_str()), (7, Timestamp(9), "id"));
        assert_eq!((read.form, read.min_writer, read.claims), (FORM, WRITER, claims));
        assert_eq!((read.previous, read.hash), (Some(previous), EventHash::of(&bytes)));
        let texts = BTreeMap::from([("topic/a".to_owned(), None)]);
        assert_eq!(read.event, Event { texts, ..event() });
    }

    #[test]
    fn what_an_older_release_did_not_write_is_not_missed() {
        let read = Recorded::read(0, Timestamp(0), br#"{"id":"i","kind":"k","new":[{}]}"#).unwrap();
        assert_eq!((read.form, read.min_writer, read.previous), (0, 0, None));
        assert_eq!(read.event, Event { kind: "k".to_owned(), ..Event::default() });
    }

    #[test]
    fn what_is_no_event_is_told() {
        let check = |bytes: &[u8]| Recorded::read(0, Timestamp(0), bytes).unwrap_err();
        assert!(check(b"").starts_with("it is no JSON"));
        assert_eq!(check(b"[]"), "it is no JSON object");
        assert_eq!(check(b"{}"), "it has no `kind`");
        assert_eq!(check(br#"{"kind":"k"}"#), "it has no `id`");
        assert_eq!(check(br#"{"kind":"k","id":"i","previous":"x"}"#), "a hash has 64 hexadecimal digits");
    }

    #[test]
    fn a_hash_is_sha_256_in_hexadecimal_digits() {
        let expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(EventHash::of(b"").to_string(), expected);
        assert_eq!(expected.parse(), Ok(EventHash::of(b"")));
        assert_eq!("g".repeat(64).parse::<EventHash>(), Err(EventHashError));
        assert_eq!("é".repeat(32).parse::<EventHash>(), Err(EventHashError));
    }

    #[test]
    fn a_head_and_an_entity_are_read_as_they_were_written() {
        let hash = EventHash::of(b"a");
        let head = Head { journal: "j".to_owned(), cluster: "c".to_owned(), offset: 3, hash, min_writer: 2 };
        assert_eq!(Head::read(&head.write()), Ok(head));
        let value = json!({ "a": 1.50 });
        let kept = Kept { form: FORM, offset: 3, hash, value: value.clone() };
        assert_eq!(Kept::read(&Kept::write(3, hash, &value)), Ok(kept));
    }

    #[test]
    fn uuids_are_of_version_4() {
        let uuid = random_uuid();
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
        assert_ne!(uuid, random_uuid());
    }
}

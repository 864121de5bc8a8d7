//! An entity as a journal keeps it: what this release knows of it, and what only a newer one does.
//!
//! A release that rewrites an entity must not drop the fields that a newer one put there. They are found by comparing
//! what was read with what is written, and laid over what is written next. A type that is kept so writes all its fields
//! always (no `skip_serializing_if`) and has no lists of objects: in lists, nothing is laid over.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _};
use serde_json::Value;

use crate::governance::{
    acl::{AclBinding, Operation, PatternType, Principal},
    application::ApplicationUid,
    record::Unreadable,
    request::{RequestId, Revision},
    topic::TopicName,
};

/// The form of entities that this release writes. A larger one is a newer release's.
pub const FORM: i64 = 1;

/// What is known of an entity, and what is kept of it besides.
#[derive(Clone, Debug, PartialEq)]
pub struct Entity<T> {
    /// What this release knows.
    pub it: T,
    /// Fields of a newer release: the way to the object that holds each, its name and its value.
    unknown: Vec<(Vec<String>, String, Value)>,
}

impl<T: Serialize + DeserializeOwned> Entity<T> {
    /// One that no other release wrote.
    pub fn new(it: T) -> Self {
        Self { it, unknown: Vec::new() }
    }

    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(key: &str, value: &Value) -> Result<Self, Unreadable> {
        let wrong = |problem| Unreadable { key: key.to_owned(), problem };
        let it = T::deserialize(value).map_err(|error| wrong(error.to_string()))?;
        let mut unknown = Vec::new();
        find_unknown(value, &known(&it), &mut Vec::new(), &mut unknown);
        Ok(Self { it, unknown })
    }

    /// The entity with this in the place of what is known: what a newer release put there stays where it still has a
    /// place.
    pub fn rewritten(&self, it: &T) -> Value {
        let mut res = known(it);
        for (way, name, value) in &self.unknown {
            let object = way.iter().try_fold(&mut res, |object, step| object.get_mut(step));
            if let Some(Value::Object(object)) = object {
                object.entry(name).or_insert_with(|| value.clone());
            }
        }
        res
    }
}

/// The entity as this release alone writes it.
pub fn known<T: Serialize>(it: &T) -> Value {
    let mut res = serde_json::to_value(it).expect("entities have text keys and finite numbers");
    if let Value::Object(object) = &mut res {
        object.insert("form".to_owned(), FORM.into());
    }
    res
}

/// The form that an entity says it has; `None` where it does not say.
pub fn form(value: &Value) -> Option<i64> {
    value.get("form").and_then(Value::as_i64)
}

fn find_unknown(raw: &Value, known: &Value, way: &mut Vec<String>, res: &mut Vec<(Vec<String>, String, Value)>) {
    let (Value::Object(raw), Value::Object(known)) = (raw, known) else { return };
    for (name, value) in raw {
        match known.get(name) {
            Some(known) => {
                way.push(name.clone());
                find_unknown(value, known, way, res);
                way.pop();
            }
            None => res.push((way.clone(), name.clone(), value.clone())),
        }
    }
}

/// Types that entities hold as the texts that they are written as.
macro_rules! texts {
    ($($name:ty),+ $(,)?) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'a> Deserialize<'a> for $name {
            fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    )+};
}

texts! { AclBinding, ApplicationUid, Operation, PatternType, Principal, RequestId, Revision, TopicName }

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        count: Option<i64>,
        parts: BTreeMap<String, Part>,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Part {
        size: i64,
    }

    #[test]
    fn what_a_newer_release_wrote_survives_a_rewrite() {
        let raw =
            json!({"count": 1, "parts": {"a": {"size": 1, "color": 12_345_678_901_234_567_890_u64}}, "later": [1]});
        let entity = Entity::<Sample>::read("x", &raw).unwrap();
        let mut it = entity.it.clone();
        it.count = None;
        it.parts.insert("b".to_owned(), Part { size: 2 });
        let expected = json!({
            "form": 1, "count": null, "later": [1],
            "parts": {"a": {"size": 1, "color": 12_345_678_901_234_567_890_u64}, "b": {"size": 2}},
        });
        assert_eq!(entity.rewritten(&it), expected);
    }

    #[test]
    fn what_was_removed_does_not_come_back_for_its_unknown_fields() {
        let entity = Entity::<Sample>::read("x", &json!({"parts": {"a": {"size": 1, "color": 2}}})).unwrap();
        let it = Sample { count: None, parts: BTreeMap::new() };
        assert_eq!(entity.rewritten(&it), json!({"form": 1, "count": null, "parts": {}}));
    }

    #[test]
    fn what_is_wrong_is_told_with_the_key() {
        let wrong = Entity::<Sample>::read("sample/a", &json!({"count": "one", "parts": {}})).unwrap_err();
        assert_eq!(wrong.key, "sample/a");
        assert!(wrong.problem.contains("invalid type"), "{wrong}");
    }
}

//! JSON Schema, and JSON itself.

use std::collections::BTreeSet;

use serde_json::{Map, Number, Value};

use super::{
    Malformed,
    avro::place,
    position::{Step, of_value},
};

/// Keywords whose value is a schema.
const SCHEMAS: [&str; 13] = [
    "additionalItems",
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
    "extends",
];
/// Keywords whose value is an array of schemas.
const ARRAYS: [&str; 6] = ["allOf", "anyOf", "extends", "items", "oneOf", "prefixItems"];
/// Keywords whose value has a schema for each key.
const MAPS: [&str; 6] = ["$defs", "definitions", "dependentSchemas", "dependencies", "patternProperties", "properties"];
/// Keywords whose value is an array of which the order means nothing.
const SETS: [&str; 3] = ["enum", "required", "type"];
/// Keywords for people.
const DOCUMENTATION: [&str; 4] = ["$comment", "description", "examples", "title"];
const TYPES: [&str; 8] = ["any", "array", "boolean", "integer", "null", "number", "object", "string"];

/// Beyond that, not every whole number is one of 64 bits that float.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads JSON.
pub(super) fn read(text: &str) -> Result<Value, Malformed> {
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        Malformed { at: place(text, &error), message }
    })
}

/// Reads a schema as a value in which all is spelled in one way, and answers with its title, if it has one.
pub(super) fn parse(text: &str) -> Result<(Value, Vec<String>), Malformed> {
    let value = read(text)?;
    let mut path = Vec::new();
    let schema = schema(&value, &mut path).map_err(|message| Malformed { at: of_value(text, &path), message })?;
    let title = schema.get("title").and_then(Value::as_str).map(str::to_owned);
    Ok((schema, title.into_iter().collect()))
}

/// The schema without words for people.
pub(super) fn without_documentation(value: &Value) -> Value {
    let Value::Object(it) = value else { return value.clone() };
    let kept = it.iter().filter(|(key, _)| !DOCUMENTATION.contains(&key.as_str()));
    let part = |key: &str, value: &Value| match value {
        Value::Array(items) if ARRAYS.contains(&key) => Value::Array(items.iter().map(without_documentation).collect()),
        Value::Object(entries) if MAPS.contains(&key) => {
            Value::Object(entries.iter().map(|(name, it)| (name.clone(), without_documentation(it))).collect())
        }
        value if SCHEMAS.contains(&key) => without_documentation(value),
        value => value.clone(),
    };
    Value::Object(kept.map(|(key, value)| (key.clone(), part(key, value))).collect())
}

fn schema(value: &Value, path: &mut Vec<Step>) -> Result<Value, String> {
    match value {
        Value::Bool(_) => Ok(value.clone()),
        Value::Object(it) => {
            let mut res = Map::new();
            for (key, value) in it {
                path.push(Step::Key(key.clone()));
                res.insert(key.clone(), keyword(key, value, path)?);
                path.pop();
            }
            Ok(Value::Object(res))
        }
        _ => Err("a schema is an object, `true` or `false`".to_owned()),
    }
}

fn keyword(key: &str, value: &Value, path: &mut Vec<Step>) -> Result<Value, String> {
    match value {
        Value::Array(items) if ARRAYS.contains(&key) => {
            let mut res = Vec::new();
            for (at, item) in items.iter().enumerate() {
                path.push(Step::Item(at));
                res.push(schema(item, path)?);
                path.pop();
            }
            Ok(Value::Array(res))
        }
        Value::Object(entries) if MAPS.contains(&key) => {
            let mut res = Map::new();
            for (name, entry) in entries {
                path.push(Step::Key(name.clone()));
                // `dependencies` may have names of properties in place of a schema.
                let entry =
                    if key == "dependencies" && entry.is_array() { number(entry) } else { schema(entry, path)? };
                res.insert(name.clone(), entry);
                path.pop();
            }
            Ok(Value::Object(res))
        }
        _ if MAPS.contains(&key) => Err(format!("`{key}` is an object")),
        _ if SCHEMAS.contains(&key) => schema(value, path),
        _ if ARRAYS.contains(&key) => Err(format!("`{key}` is an array of schemas")),
        _ => checked(key, value),
    }
}

/// The value of a keyword that has no schema in it.
fn checked(key: &str, value: &Value) -> Result<Value, String> {
    let is_text = |it: &Value| it.is_string();
    match (key, value) {
        ("type", Value::String(word)) if !TYPES.contains(&word.as_str()) => {
            return Err(format!("`{word}` is no type of JSON Schema's"));
        }
        ("type", it) if !(it.is_string() || it.is_array()) => return Err("`type` is a text or an array".to_owned()),
        ("required", Value::Array(it)) if !it.iter().all(is_text) => {
            return Err("`required` has the names of properties".to_owned());
        }
        ("enum", it) if !it.is_array() => return Err("`enum` is an array".to_owned()),
        ("$ref" | "$id" | "$schema" | "title" | "description" | "pattern", it) if !it.is_string() => {
            return Err(format!("`{key}` is a text"));
        }
        _ => {}
    }
    let value = number(value);
    match value {
        Value::Array(items) if SETS.contains(&key) => {
            let sorted: BTreeSet<String> = items.iter().map(Value::to_string).collect();
            Ok(sorted.into_iter().collect())
        }
        other => Ok(other),
    }
}

/// A value in which each number is written in one way: `1.0` and `1e0` are 1.
pub(super) fn number(value: &Value) -> Value {
    match value {
        Value::Number(it) => Value::Number(one_way(it)),
        Value::Array(items) => Value::Array(items.iter().map(number).collect()),
        Value::Object(it) => Value::Object(it.iter().map(|(key, it)| (key.clone(), number(it))).collect()),
        other => other.clone(),
    }
}

fn one_way(it: &Number) -> Number {
    if it.is_i64() || it.is_u64() {
        return it.clone();
    }
    match it.as_f64() {
        #[allow(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
        Some(float) if float.fract() == 0.0 && float.abs() < EXACT => Number::from(float as i64),
        Some(float) => Number::from_f64(float).filter(|_| it.to_string().len() < 17).unwrap_or_else(|| it.clone()),
        None => it.clone(),
    }
}

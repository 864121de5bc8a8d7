//! Avro: schemas in which every name is spelled in full, and what is left of them in the Parsing Canonical Form.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    Malformed,
    json::number,
    position::{Position, Step, of_value},
};

/// Types that have attributes of their own.
const COMPLEX: [&str; 6] = ["array", "enum", "error", "fixed", "map", "record"];
const PRIMITIVES: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];

/// Reads a schema as a value in which names are full, and answers with the name of its outermost type, if it has one.
pub(super) fn parse(text: &str, refers: bool) -> Result<(Value, Vec<String>), Malformed> {
    let value = super::json::read(text)?;
    let mut reader = Reader { refers, defined: BTreeSet::new(), path: Vec::new() };
    let schema =
        reader.schema(&value, "").map_err(|message| Malformed { at: of_value(text, &reader.path), message })?;
    let name = schema.get("name").and_then(Value::as_str).map(str::to_owned);
    Ok((schema, name.into_iter().collect()))
}

/// The schema without words for people.
pub(super) fn without_documentation(schema: &Value) -> Value {
    match schema {
        Value::Array(branches) => Value::Array(branches.iter().map(without_documentation).collect()),
        Value::Object(it) => {
            let kept = it.iter().filter(|(key, _)| *key != "doc");
            Value::Object(kept.map(|(key, value)| (key.clone(), part(key, value))).collect())
        }
        other => other.clone(),
    }
}

/// What is left of one attribute: a default or a property of somebody's may look like a schema, and is none.
fn part(key: &str, value: &Value) -> Value {
    match key {
        "type" | "items" | "values" | "fields" => without_documentation(value),
        _ => value.clone(),
    }
}

/// The Parsing Canonical Form of a schema whose names are full.
pub(super) fn canonical_form(schema: &Value) -> String {
    match schema {
        Value::Array(branches) => list(branches, canonical_form),
        Value::Object(it) => {
            let kind = it.get("type").and_then(Value::as_str);
            // What is around the name of a type has properties, which are dropped.
            if let Some(kind) = kind.filter(|it| !COMPLEX.contains(it)) {
                return quoted(kind);
            }
            if kind.is_none() && !it.contains_key("name") {
                // It is around another one, with properties that are dropped.
                return it.get("type").map(canonical_form).unwrap_or_default();
            }
            let keys = ["name", "type", "fields", "symbols", "items", "values", "size"];
            let part = |key: &str, value: &Value| match value {
                Value::Array(fields) if key == "fields" => list(fields, field_form),
                // The name of a type is no schema, and neither are symbols.
                Value::Array(symbols) if key == "symbols" => list(symbols, Value::to_string),
                value => canonical_form(value),
            };
            let kept = keys.iter().filter_map(|key| Some(format!("\"{key}\":{}", part(key, it.get(*key)?))));
            format!("{{{}}}", kept.collect::<Vec<_>>().join(","))
        }
        Value::String(it) => quoted(it),
        other => other.to_string(),
    }
}

fn list(items: &[Value], form: impl Fn(&Value) -> String) -> String {
    format!("[{}]", items.iter().map(form).collect::<Vec<_>>().join(","))
}

/// A field has a name and a type, whose own attributes are those of a schema.
fn field_form(field: &Value) -> String {
    format!("{{\"name\":{},\"type\":{}}}", field["name"], canonical_form(&field["type"]))
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// What is known on the way into a schema. After an error, `path` is where it is.
struct Reader {
    refers: bool,
    defined: BTreeSet<String>,
    path: Vec<Step>,
}

impl Reader {
    /// Goes one step further for a part of the schema, and stays there if that is wrong.
    fn within<T>(&mut self, step: Step, read: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        self.path.push(step);
        let res = read(self)?;
        self.path.pop();
        Ok(res)
    }

    fn schema(&mut self, value: &Value, namespace: &str) -> Result<Value, String> {
        match value {
            Value::String(name) => self.named(name, namespace).map(Value::String),
            Value::Array(branches) => self.union(branches, namespace),
            Value::Object(it) => self.object(it, namespace),
            _ => Err("a schema is a name, an object or an array of schemas".to_owned()),
        }
    }

    fn named(&self, name: &str, namespace: &str) -> Result<String, String> {
        if PRIMITIVES.contains(&name) {
            return Ok(name.to_owned());
        }
        let full = full_name(name, namespace)?;
        // Where the namespace has no type of that name, the one without a namespace is meant.
        if self.defined.contains(name) && !self.defined.contains(&full) {
            return Ok(name.to_owned());
        }
        if self.refers || self.defined.contains(&full) {
            return Ok(full);
        }
        Err(format!("the type `{full}` is not defined before this place, and `references` names no other schema"))
    }

    fn union(&mut self, branches: &[Value], namespace: &str) -> Result<Value, String> {
        let (mut res, mut seen) = (Vec::new(), BTreeSet::new());
        for (at, branch) in branches.iter().enumerate() {
            let read = self.within(Step::Item(at), |it| {
                if branch.is_array() {
                    return Err("a union is not directly within another one".to_owned());
                }
                let read = it.schema(branch, namespace)?;
                let kind = read.get("name").or(read.get("type")).unwrap_or(&read).to_string();
                if seen.insert(kind.clone()) { Ok(read) } else { Err(format!("the union has {kind} twice")) }
            })?;
            res.push(read);
        }
        Ok(Value::Array(res))
    }

    fn object(&mut self, schema: &Map<String, Value>, namespace: &str) -> Result<Value, String> {
        let Some(kind) = schema.get("type") else { return Err("`type` is missing".to_owned()) };
        let mut res = plain(schema);
        match kind.as_str() {
            Some("record" | "error") => {
                let (name, inner) = self.define(schema, namespace, &mut res)?;
                let fields = self.within(Step::Key("fields".to_owned()), |it| it.fields(schema, &inner, &name))?;
                res.insert("fields".to_owned(), fields);
            }
            Some("enum") => {
                self.define(schema, namespace, &mut res)?;
                self.within(Step::Key("symbols".to_owned()), |_| symbols(schema))?;
            }
            Some("fixed") => {
                self.define(schema, namespace, &mut res)?;
                let is_size = schema.get("size").is_some_and(|it| it.as_u64().is_some());
                self.within(Step::Key("size".to_owned()), |_| {
                    if is_size { Ok(()) } else { Err("`size` is a whole number of bytes".to_owned()) }
                })?;
            }
            Some(word @ ("array" | "map")) => {
                let key = if word == "array" { "items" } else { "values" };
                let Some(inner) = schema.get(key) else { return Err(format!("`{key}` is missing")) };
                let read = self.within(Step::Key(key.to_owned()), |it| it.schema(inner, namespace))?;
                res.insert(key.to_owned(), read);
            }
            _ => {
                let read = self.within(Step::Key("type".to_owned()), |it| it.schema(kind, namespace))?;
                if res.len() == 1 {
                    return Ok(read);
                }
                res.insert("type".to_owned(), read);
            }
        }
        Ok(Value::Object(res))
    }

    /// Takes down the name of a type, and answers with it and with the namespace of what is within.
    fn define(
        &mut self,
        schema: &Map<String, Value>,
        namespace: &str,
        res: &mut Map<String, Value>,
    ) -> Result<(String, String), String> {
        let Some(name) = schema.get("name").and_then(Value::as_str) else { return Err("`name` is missing".to_owned()) };
        let own = schema.get("namespace").and_then(Value::as_str).unwrap_or(namespace);
        let full = self.within(Step::Key("name".to_owned()), |it| {
            let full = full_name(name, own)?;
            if PRIMITIVES.contains(&full.as_str()) {
                return Err(format!("`{full}` is a type of Avro's own"));
            }
            if it.defined.insert(full.clone()) { Ok(full) } else { Err(format!("the type `{full}` is defined twice")) }
        })?;
        let inner = full.rsplit_once('.').map_or("", |(namespace, _)| namespace).to_owned();
        res.remove("namespace");
        res.insert("name".to_owned(), full.clone().into());
        if let Some(Value::Array(aliases)) = schema.get("aliases") {
            let full = aliases.iter().filter_map(Value::as_str).map(|it| full_name(it, &inner));
            let full = full.collect::<Result<BTreeSet<_>, _>>()?;
            res.insert("aliases".to_owned(), full.into_iter().collect());
        }
        Ok((full, inner))
    }

    fn fields(&mut self, schema: &Map<String, Value>, namespace: &str, record: &str) -> Result<Value, String> {
        let Some(Value::Array(fields)) = schema.get("fields") else {
            return Err(format!("the record `{record}` has no array `fields`"));
        };
        let (mut res, mut seen) = (Vec::new(), BTreeSet::new());
        for (at, field) in fields.iter().enumerate() {
            let read = self.within(Step::Item(at), |it| {
                let Value::Object(field) = field else { return Err("a field is an object".to_owned()) };
                it.field(field, namespace, &mut seen)
            })?;
            res.push(read);
        }
        Ok(Value::Array(res))
    }

    fn field<'a>(
        &mut self,
        field: &'a Map<String, Value>,
        namespace: &str,
        seen: &mut BTreeSet<&'a str>,
    ) -> Result<Value, String> {
        let name = field.get("name").and_then(Value::as_str).ok_or("the field has no `name`")?;
        self.within(Step::Key("name".to_owned()), |_| {
            simple_name(name)?;
            if seen.insert(name) { Ok(()) } else { Err(format!("the field `{name}` is there twice")) }
        })?;
        let kind = field.get("type").ok_or_else(|| format!("the field `{name}` has no `type`"))?;
        let read = self.within(Step::Key("type".to_owned()), |it| it.schema(kind, namespace))?;
        let mut res = plain(field);
        if res.get("order").and_then(Value::as_str) == Some("ascending") {
            // It is what a field has that says nothing.
            res.remove("order");
        }
        if let Some(Value::Array(aliases)) = field.get("aliases") {
            let sorted: BTreeSet<&str> = aliases.iter().filter_map(Value::as_str).collect();
            res.insert("aliases".to_owned(), sorted.into_iter().collect());
        }
        res.insert("type".to_owned(), read);
        Ok(Value::Object(res))
    }
}

/// The attributes as they are written, but for the ways in which numbers are.
fn plain(schema: &Map<String, Value>) -> Map<String, Value> {
    schema.iter().map(|(key, it)| (key.clone(), number(it))).collect()
}

fn symbols(schema: &Map<String, Value>) -> Result<(), String> {
    let Some(Value::Array(symbols)) = schema.get("symbols") else {
        return Err("the enum has no array `symbols`".to_owned());
    };
    let mut seen = BTreeSet::new();
    for symbol in symbols {
        let symbol = symbol.as_str().ok_or("a symbol is a text")?;
        simple_name(symbol)?;
        if !seen.insert(symbol) {
            return Err(format!("the symbol `{symbol}` is there twice"));
        }
    }
    Ok(())
}

fn full_name(name: &str, namespace: &str) -> Result<String, String> {
    let full = if name.contains('.') || namespace.is_empty() {
        name.trim_start_matches('.').to_owned()
    } else {
        format!("{namespace}.{name}")
    };
    full.split('.').try_for_each(simple_name)?;
    Ok(full)
}

fn simple_name(name: &str) -> Result<(), String> {
    let is_letter = |it: char| it.is_ascii_alphabetic() || it == '_';
    let is_name = name.starts_with(is_letter) && name.chars().all(|it| is_letter(it) || it.is_ascii_digit());
    if is_name {
        return Ok(());
    }
    Err(format!("`{name}` is no name of Avro's: ASCII letters, digits and `_`, no digit first"))
}

/// The place of an error of the reader of JSON.
pub(super) fn place(text: &str, error: &serde_json::Error) -> Position {
    let line = error.line().max(1);
    let content = text.split('\n').nth(line - 1).unwrap_or_default();
    // It counts bytes, and from 0 at the end of a text.
    let column = content[..content.floor_char_boundary(error.column())].chars().count().max(1);
    Position { line, column }
}

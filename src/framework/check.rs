//! What Terraform's core demands of a plan and of the state after apply, so that a breach is told as a mistake of the
//! provider with the attribute's path, and before Terraform finds it.
//!
//! The rules are those of core's `objchange.AssertPlanValid` and `objchange.AssertObjectCompatible`.

use crate::framework::{
    AttributeSchema, DefaultValue, Diagnostic, Kind, Mode, Nesting, Path, Refinement, Schema, Step, Value,
};

/// What is wrong with a schema: what core refuses to load, and what the plan could not decide.
pub fn schema(schema: &Schema) -> Vec<String> {
    let mut wrong = Vec::new();
    fields(schema, false, &Path::default(), &mut wrong);
    wrong
}

fn fields(schema: &Schema, in_set: bool, path: &Path, wrong: &mut Vec<String>) {
    const RESERVED: [&str; 7] =
        ["connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"];
    let legal = |name: &str| {
        name.starts_with(|it: char| it.is_ascii_lowercase() || it == '_')
            && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_')
    };
    for name in schema.attributes.keys().chain(schema.blocks.keys()) {
        let path = path.then(Step::Attribute((*name).to_owned()));
        if !legal(name) {
            wrong.push(format!("`{path}`: a name has lower case letters, digits and underscores"));
        }
        if path.steps().len() == 1 && RESERVED.contains(name) {
            wrong.push(format!("`{path}`: the name is Terraform's own"));
        }
        if schema.attributes.contains_key(name) && schema.blocks.contains_key(name) {
            wrong.push(format!("`{path}`: an attribute and a block"));
        }
    }
    for (name, about) in &schema.attributes {
        let path = path.then(Step::Attribute((*name).to_owned()));
        let decided = !about.is_computed() || matches!(about.default, Some(DefaultValue::Always(_)));
        if in_set && (!decided || about.write_only || about.requires_replace) {
            wrong.push(format!("`{path}`: in a set nothing is computed, write-only or replaces"));
        }
        if let Some(stranger) = about.unknown_when.iter().find(|it| !schema.attributes.contains_key(*it)) {
            wrong.push(format!("`{path}`: `unknown_when` names `{stranger}`, which is no sibling"));
        }
        if let Kind::Nested(nesting, schema) = &about.kind {
            if !schema.blocks.is_empty() {
                wrong.push(format!("`{path}`: a nested attribute has no blocks"));
            }
            fields(schema, in_set || *nesting == Nesting::Set, &path, wrong);
        }
    }
    for (name, about) in &schema.blocks {
        let path = path.then(Step::Attribute((*name).to_owned()));
        if about.nesting == Nesting::Map {
            wrong.push(format!("`{path}`: blocks are not arranged as a map"));
        }
        fields(&about.schema, in_set || about.nesting == Nesting::Set, &path, wrong);
    }
}

/// What Terraform leaves unchecked of a configuration: values for attributes that only the provider sets, and required
/// ones that are null, at any depth.
pub fn config(schema: &Schema, config: &Value) -> Vec<Diagnostic> {
    let mut wrong = Vec::new();
    configured(schema, config, &Path::default(), &mut wrong);
    wrong
}

fn configured(schema: &Schema, config: &Value, path: &Path, wrong: &mut Vec<Diagnostic>) {
    let Value::Object(_) = config else { return };
    for (&name, about) in &schema.attributes {
        let path = path.then(Step::Attribute(name.to_owned()));
        let value = config.attribute(name);
        match (about.mode, value) {
            (Mode::Required, Value::Null) => wrong.push(
                Diagnostic::error("Missing value", format!("`{path}` must have a value, and it is null.")).at(path),
            ),
            (_, Value::Null) => {}
            (Mode::Computed, _) => wrong.push(
                Diagnostic::error(
                    "Read-only attribute set",
                    format!("Only the provider sets `{path}`. Remove it from the configuration."),
                )
                .at(path),
            ),
            (_, value) => {
                if let Kind::Nested(_, schema) = &about.kind {
                    each(value, &path, |it, path| configured(schema, it, path, wrong));
                }
            }
        }
    }
    for (&name, about) in &schema.blocks {
        let path = path.then(Step::Attribute(name.to_owned()));
        each(config.attribute(name), &path, |it, path| configured(&about.schema, it, path, wrong));
    }
}

/// The write-only attributes that a configuration sets, at any depth.
pub fn write_only(schema: &Schema, config: &Value) -> Vec<Path> {
    let mut written = Vec::new();
    written_once(schema, config, &Path::default(), &mut written);
    written
}

fn written_once(schema: &Schema, config: &Value, path: &Path, written: &mut Vec<Path>) {
    for (&name, about) in &schema.attributes {
        let path = path.then(Step::Attribute(name.to_owned()));
        let value = config.attribute(name);
        if about.write_only && !value.is_null() {
            written.push(path);
        } else if let Kind::Nested(_, schema) = &about.kind {
            each(value, &path, |it, path| written_once(schema, it, path, written));
        }
    }
    for (&name, about) in &schema.blocks {
        let path = path.then(Step::Attribute(name.to_owned()));
        each(config.attribute(name), &path, |it, path| written_once(&about.schema, it, path, written));
    }
}

/// Calls `see` with each object of an arrangement, and its path.
fn each(value: &Value, path: &Path, mut see: impl FnMut(&Value, &Path)) {
    match value {
        Value::List(items) => items.iter().enumerate().for_each(|(at, it)| see(it, &path.then(Step::Index(at)))),
        Value::Set(items) => items.iter().for_each(|it| see(it, &path.then(Step::Element))),
        Value::Map(entries) => entries.iter().for_each(|(key, it)| see(it, &path.key(key))),
        it => see(it, path),
    }
}

/// Where a planned state is neither the configuration nor the prior state, though it must be one of them.
pub fn plan(schema: &Schema, prior: &Value, config: &Value, planned: &Value) -> Vec<Path> {
    let mut wrong = Vec::new();
    planned_object(schema, prior, config, planned, &Path::default(), &mut wrong);
    wrong
}

/// Where a new state is not what was planned.
pub fn outcome(schema: &Schema, planned: &Value, new: &Value) -> Vec<Path> {
    let mut wrong = Vec::new();
    new_object(schema, planned, new, &Path::default(), &mut wrong);
    wrong
}

fn planned_object(schema: &Schema, prior: &Value, config: &Value, planned: &Value, path: &Path, wrong: &mut Vec<Path>) {
    if planned.is_null() || config.is_null() {
        if planned.is_null() != config.is_null() {
            wrong.push(path.clone());
        }
        return;
    }
    planned_attributes(schema, prior, config, planned, path, wrong);
    for (name, about) in &schema.blocks {
        let path = path.then(Step::Attribute((*name).to_owned()));
        let (prior, config, planned) = (prior.attribute(name), config.attribute(name), planned.attribute(name));
        if same(planned, config) {
            continue;
        }
        if config.is_unknown() || planned.is_unknown() {
            wrong.push(path);
            continue;
        }
        match (about.nesting, config, planned) {
            (Nesting::Single, _, _) => planned_object(&about.schema, prior, config, planned, &path, wrong),
            (Nesting::List, Value::List(config), Value::List(planned)) if config.len() == planned.len() => {
                for (at, (config, planned)) in config.iter().zip(planned).enumerate() {
                    let path = path.then(Step::Index(at));
                    planned_object(&about.schema, element(prior, at), config, planned, &path, wrong);
                }
            }
            (Nesting::Set, _, Value::Set(planned)) if !planned.iter().any(Value::is_unknown) => {}
            _ => wrong.push(path),
        }
    }
}

fn planned_attributes(
    schema: &Schema,
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &Path,
    wrong: &mut Vec<Path>,
) {
    for (name, about) in &schema.attributes {
        let path = path.then(Step::Attribute((*name).to_owned()));
        let part = |of: &Value| if of.is_unknown() { Value::UNKNOWN } else { of.attribute(name).clone() };
        planned_attribute(about, &part(prior), &part(config), &part(planned), &path, wrong);
    }
}

fn planned_attribute(
    about: &AttributeSchema,
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &Path,
    wrong: &mut Vec<Path>,
) {
    // A write-only value is checked first: core asks for null even where the plan equals the configuration.
    if about.write_only {
        if !planned.is_null() {
            wrong.push(path.clone());
        }
        return;
    }
    let kept = same(planned, prior) && !prior.is_null() && !config.is_null();
    if same(planned, config) || kept || about.mode == Mode::Computed || (config.is_null() && about.is_computed()) {
        return;
    }
    let Kind::Nested(nesting, schema) = &about.kind else { return wrong.push(path.clone()) };
    if planned.is_null() || config.is_null() || planned.is_unknown() {
        return wrong.push(path.clone());
    }
    match (nesting, config, planned) {
        (Nesting::Single, _, _) => planned_attributes(schema, prior, config, planned, path, wrong),
        (Nesting::List, Value::List(config), Value::List(planned)) if config.len() == planned.len() => {
            for (at, (config, planned)) in config.iter().zip(planned).enumerate() {
                planned_attributes(schema, element(prior, at), config, planned, &path.then(Step::Index(at)), wrong);
            }
        }
        (Nesting::Map, Value::Map(config), Value::Map(planned)) if config.keys().eq(planned.keys()) => {
            for ((key, config), planned) in config.iter().zip(planned.values()) {
                let prior = match prior {
                    Value::Map(entries) => entries.get(key).unwrap_or(&Value::Null),
                    _ => &Value::Null,
                };
                planned_attributes(schema, prior, config, planned, &path.key(key), wrong);
            }
        }
        (Nesting::Set, Value::Set(config), Value::Set(planned)) if may_be_as_many(config, planned) => {}
        _ => wrong.push(path.clone()),
    }
}

/// Elements that are known in parts may turn out to be equal.
fn may_be_as_many(config: &[Value], planned: &[Value]) -> bool {
    let least = |items: &[Value]| items.iter().filter(|it| it.is_wholly_known()).count().max(items.len().min(1));
    least(planned) <= config.len() && config.len() <= planned.len().max(least(config))
}

fn element(of: &Value, at: usize) -> &Value {
    match of {
        Value::List(items) => items.get(at).unwrap_or(&Value::Null),
        _ => &Value::Null,
    }
}

/// Whether two values are equal but for what is known of unknown ones.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Unknown(_), Value::Unknown(_)) => true,
        (Value::List(a), Value::List(b)) | (Value::Set(a), Value::Set(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Map(a), Value::Map(b)) | (Value::Object(a), Value::Object(b)) => {
            a.keys().eq(b.keys()) && a.values().zip(b.values()).all(|(a, b)| same(a, b))
        }
        (Value::Dynamic(a), Value::Dynamic(b)) => a.0 == b.0 && same(&a.1, &b.1),
        _ => a == b,
    }
}

fn new_object(schema: &Schema, planned: &Value, new: &Value, path: &Path, wrong: &mut Vec<Path>) {
    if planned.is_null() || new.is_null() {
        if planned.is_null() != new.is_null() {
            wrong.push(path.clone());
        }
        return;
    }
    for name in schema.attributes.keys() {
        let path = path.then(Step::Attribute((*name).to_owned()));
        new_value(planned.attribute(name), new.attribute(name), &path, wrong);
    }
    for (name, about) in &schema.blocks {
        let path = path.then(Step::Attribute((*name).to_owned()));
        match (about.nesting, planned.attribute(name), new.attribute(name)) {
            (_, Value::Unknown(_), _) => {}
            (Nesting::Single, planned, new) => new_object(&about.schema, planned, new, &path, wrong),
            (Nesting::List, Value::List(planned), Value::List(new)) if planned.len() == new.len() => {
                for (at, (planned, new)) in planned.iter().zip(new).enumerate() {
                    new_object(&about.schema, planned, new, &path.then(Step::Index(at)), wrong);
                }
            }
            (Nesting::Set, Value::Set(planned), Value::Set(new)) => {
                let fits = |planned: &Value, new: &Value| outcome(&about.schema, planned, new).is_empty();
                if !correlate(planned, new, fits) {
                    wrong.push(path);
                }
            }
            _ => wrong.push(path),
        }
    }
}

fn new_value(planned: &Value, new: &Value, path: &Path, wrong: &mut Vec<Path>) {
    match (planned, new) {
        (Value::Unknown(Some(refinement)), new) if !holds(refinement, new) => wrong.push(path.clone()),
        (Value::Unknown(_), _) => {}
        (Value::List(planned), Value::List(new)) if planned.len() == new.len() => {
            for (at, (planned, new)) in planned.iter().zip(new).enumerate() {
                new_value(planned, new, &path.then(Step::Index(at)), wrong);
            }
        }
        (Value::Map(planned), Value::Map(new)) if planned.keys().eq(new.keys()) => {
            for ((key, planned), new) in planned.iter().zip(new.values()) {
                new_value(planned, new, &path.key(key), wrong);
            }
        }
        (Value::Object(planned), Value::Object(new)) => {
            for (name, planned) in planned {
                let new = new.get(name).unwrap_or(&Value::Null);
                new_value(planned, new, &path.then(Step::Attribute(name.clone())), wrong);
            }
        }
        (Value::Set(planned), Value::Set(new)) => {
            let fits = |planned: &Value, new: &Value| {
                let mut wrong = Vec::new();
                new_value(planned, new, path, &mut wrong);
                wrong.is_empty()
            };
            if !correlate(planned, new, fits) {
                wrong.push(path.clone());
            }
        }
        (Value::Dynamic(planned), Value::Dynamic(new)) if planned.0 == new.0 => {
            new_value(&planned.1, &new.1, path, wrong);
        }
        _ if planned == new => {}
        _ => wrong.push(path.clone()),
    }
}

/// Whether each element has one that it fits, both ways, and the new set is not the larger one.
fn correlate(planned: &[Value], new: &[Value], fits: impl Fn(&Value, &Value) -> bool) -> bool {
    // Most sets are what was planned, and comparing all elements of large ones with each other takes seconds.
    if planned == new && new.iter().all(Value::is_wholly_known) {
        return true;
    }
    new.len() <= planned.len()
        && planned.iter().all(|planned| new.iter().any(|new| fits(planned, new)))
        && new.iter().all(|new| planned.iter().any(|planned| fits(planned, new)))
}

/// Whether what was known of a value holds for it.
fn holds(refinement: &Refinement, new: &Value) -> bool {
    let null = refinement.null.is_none_or(|null| new.is_unknown() || null == new.is_null());
    let prefix = match (&refinement.prefix, new) {
        (Some(prefix), Value::String(it)) => it.starts_with(prefix.as_str()),
        _ => true,
    };
    null && prefix
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::Type;

    fn schema(mode: Mode) -> Schema {
        let about = AttributeSchema::new(Kind::Plain(Type::String), mode, "");
        Schema { attributes: [("a", about)].into(), ..Schema::default() }
    }

    fn object(value: Value) -> Value {
        Value::Object([("a".to_owned(), value)].into())
    }

    #[test]
    fn a_plan_is_the_configuration_or_the_prior_state() {
        let check = |mode, prior: Value, config: Value, planned: Value, valid: bool| {
            let wrong = plan(&schema(mode), &object(prior), &object(config), &object(planned));
            assert_eq!(wrong.is_empty(), valid);
        };
        check(Mode::Optional, "p".into(), "c".into(), "c".into(), true);
        check(Mode::Optional, "p".into(), "c".into(), "p".into(), true);
        check(Mode::Optional, "p".into(), "c".into(), "x".into(), false);
        check(Mode::Optional, "p".into(), Value::Null, "p".into(), false);
        check(Mode::OptionalComputed, "p".into(), Value::Null, "x".into(), true);
        check(Mode::Computed, "p".into(), Value::Null, Value::UNKNOWN, true);
        check(Mode::Required, "p".into(), "c".into(), Value::UNKNOWN, false);
    }

    #[test]
    fn an_outcome_is_what_was_planned() {
        let check = |planned: Value, new: Value, fits: bool| {
            assert_eq!(outcome(&schema(Mode::Optional), &object(planned), &object(new)).is_empty(), fits);
        };
        check("a".into(), "a".into(), true);
        check("a".into(), "b".into(), false);
        check(Value::UNKNOWN, "b".into(), true);
        check(Value::UNKNOWN, Value::Null, true);
        check(Value::Null, "b".into(), false);
        check("a".into(), Value::Null, false);
        let prefix = Refinement { prefix: Some("k-".into()), null: Some(false), ..Refinement::default() };
        check(Value::Unknown(Some(Box::new(prefix.clone()))), "k-1".into(), true);
        check(Value::Unknown(Some(Box::new(prefix.clone()))), "1".into(), false);
        check(Value::Unknown(Some(Box::new(prefix))), Value::Null, false);
    }
}

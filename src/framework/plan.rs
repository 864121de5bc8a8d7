//! The plan that a schema alone decides: defaults, unknowns and replacement, as a pure function.
//!
//! A configured value is planned as it is. What the configuration leaves to the provider keeps its prior value, so that
//! an update does not make everything that depends on it unknown; it becomes unknown when the object is created, and
//! when a sibling that it names in `unknown_when` changes.

use std::collections::BTreeMap;

use crate::framework::{AttributeSchema, DefaultValue, Kind, Mode, Nesting, Path, Schema, Step, Value};

/// A planned state, and the attributes that force a replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The state to come.
    pub state: Value,
    /// The changed attributes that cannot change in place.
    pub replace: Vec<Path>,
}

/// Plans a create (`prior` is null) or an update. `prior` and `config` are objects of the schema.
pub fn plan(schema: &Schema, prior: &Value, config: &Value) -> Planned {
    let mut replace = Vec::new();
    let state = object(schema, prior, config, &Path::default(), &mut replace);
    if replace.is_empty() {
        return Planned { state, replace };
    }
    // The object to come is another one: nothing of the prior one is known to hold.
    let state = object(schema, &Value::Null, config, &Path::default(), &mut Vec::new());
    Planned { state, replace }
}

fn object(schema: &Schema, prior: &Value, config: &Value, path: &Path, replace: &mut Vec<Path>) -> Value {
    let Value::Object(_) = config else { return config.clone() };
    let mut planned = BTreeMap::new();
    for (&name, about) in &schema.attributes {
        let path = path.then(Step::Attribute(name.to_owned()));
        let (before, configured) = (prior.attribute(name), config.attribute(name));
        let value = attribute(about, prior.is_null(), before, configured, &path, replace);
        if about.requires_replace && !prior.is_null() && value != *before {
            replace.push(path);
        }
        planned.insert(name.to_owned(), value);
    }
    for (&name, about) in &schema.blocks {
        let path = path.then(Step::Attribute(name.to_owned()));
        let value =
            arranged(about.nesting, &about.schema, prior.attribute(name), config.attribute(name), &path, replace);
        planned.insert(name.to_owned(), value);
    }
    if !prior.is_null() {
        forget(schema, prior, config, &mut planned);
    }
    Value::Object(planned)
}

fn attribute(
    about: &AttributeSchema,
    created: bool,
    before: &Value,
    configured: &Value,
    path: &Path,
    replace: &mut Vec<Path>,
) -> Value {
    if about.write_only {
        return Value::Null;
    }
    match (configured, &about.kind) {
        (Value::Null, _) => match (about.mode, &about.default) {
            (Mode::Required | Mode::Optional, _) => Value::Null,
            (_, Some(DefaultValue::Always(default))) => default.clone(),
            (_, Some(DefaultValue::Initially(default))) if created => default.clone(),
            _ if created => Value::UNKNOWN,
            _ => before.clone(),
        },
        (_, Kind::Plain(_)) => configured.clone(),
        (_, Kind::Nested(nesting, schema)) => arranged(*nesting, schema, before, configured, path, replace),
    }
}

/// Nested objects, each planned with the prior one that it continues.
fn arranged(
    nesting: Nesting,
    schema: &Schema,
    before: &Value,
    configured: &Value,
    path: &Path,
    replace: &mut Vec<Path>,
) -> Value {
    match (nesting, configured) {
        (Nesting::Single, _) => object(schema, before, configured, path, replace),
        (Nesting::List, Value::List(items)) => {
            let prior = |at| match before {
                Value::List(items) => items.get(at).cloned().unwrap_or_default(),
                _ => Value::Null,
            };
            let item = |(at, it)| object(schema, &prior(at), it, &path.then(Step::Index(at)), replace);
            Value::List(items.iter().enumerate().map(item).collect())
        }
        (Nesting::Map, Value::Map(entries)) => {
            let prior = |key: &str| match before {
                Value::Map(entries) => entries.get(key).cloned().unwrap_or_default(),
                _ => Value::Null,
            };
            let entry =
                |(key, it): (&String, &Value)| (key.clone(), object(schema, &prior(key), it, &path.key(key), replace));
            Value::Map(entries.iter().map(entry).collect())
        }
        // The elements of a set have no names, so none of them continues a prior one: `check::schema` permits nothing in
        // them that a prior value would decide.
        (Nesting::Set, Value::Set(items)) => {
            let path = path.then(Step::Element);
            Value::set(items.iter().map(|it| object(schema, &Value::Null, it, &path, replace)).collect::<Vec<_>>())
        }
        // Null, or unknown as a whole.
        _ => configured.clone(),
    }
}

/// Makes those computed values unknown whose `unknown_when` names a sibling that changes, until no more follow.
fn forget(schema: &Schema, prior: &Value, config: &Value, planned: &mut BTreeMap<String, Value>) {
    loop {
        let stale = schema.attributes.iter().find(|(name, about)| {
            config.attribute(name).is_null()
                && about.is_computed()
                && about.default.is_none()
                && !planned[**name].is_unknown()
                && about.unknown_when.iter().any(|it| planned.get(*it) != Some(prior.attribute(it)))
        });
        let Some((name, _)) = stale else { return };
        planned.insert((*name).to_owned(), Value::UNKNOWN);
    }
}

#[cfg(test)]
mod tests {
    use arbtest::arbitrary::{Result, Unstructured};

    use super::*;
    use crate::framework::{BlockSchema, Type, check, codec::arbitrary};

    fn leaf(mode: Mode) -> AttributeSchema {
        AttributeSchema::new(Kind::Plain(Type::String), mode, "")
    }

    fn schema_of(attributes: impl IntoIterator<Item = (&'static str, AttributeSchema)>) -> Schema {
        Schema { attributes: attributes.into_iter().collect(), ..Schema::default() }
    }

    fn object_of<const N: usize>(attributes: [(&str, Value); N]) -> Value {
        Value::Object(attributes.map(|(name, it)| (name.to_owned(), it)).into())
    }

    fn topic() -> Schema {
        schema_of([
            ("id", AttributeSchema { unknown_when: &["environment"], ..leaf(Mode::Computed) }),
            ("environment", leaf(Mode::OptionalComputed)),
            ("name", AttributeSchema { requires_replace: true, ..leaf(Mode::Required) }),
            (
                "kind",
                AttributeSchema { default: Some(DefaultValue::Always("a".into())), ..leaf(Mode::OptionalComputed) },
            ),
            (
                "safe",
                AttributeSchema { default: Some(DefaultValue::Initially("no".into())), ..leaf(Mode::OptionalComputed) },
            ),
            ("secret", AttributeSchema { write_only: true, ..leaf(Mode::Optional) }),
        ])
    }

    fn stored() -> Value {
        object_of([
            ("id", "1".into()),
            ("environment", "dev".into()),
            ("name", "n".into()),
            ("kind", "a".into()),
            ("safe", "yes".into()),
            ("secret", Value::Null),
        ])
    }

    #[test]
    fn a_create_fills_defaults_and_leaves_the_rest_unknown() {
        let planned = plan(&topic(), &Value::Null, &object_of([("name", "n".into()), ("secret", "s".into())]));
        let expected = object_of([
            ("id", Value::UNKNOWN),
            ("environment", Value::UNKNOWN),
            ("name", "n".into()),
            ("kind", "a".into()),
            ("safe", "no".into()),
            ("secret", Value::Null),
        ]);
        assert_eq!(planned, Planned { state: expected, replace: vec![] });
    }

    #[test]
    fn what_is_stored_is_planned_as_it_is() {
        let planned = plan(&topic(), &stored(), &object_of([("name", "n".into())]));
        assert_eq!(planned, Planned { state: stored(), replace: vec![] });
    }

    /// Rule 4 of Terraform's core: values that turn unknown on every update replace what depends on them.
    #[test]
    fn computed_values_keep_their_prior_on_update_unless_they_say_otherwise() {
        let after = |config| plan(&topic(), &stored(), &config).state;
        let kind = after(object_of([("name", "n".into()), ("kind", "b".into())]));
        assert_eq!(kind.attribute("id"), &"1".into());
        let environment = after(object_of([("name", "n".into()), ("environment", "pro".into())]));
        assert_eq!(environment.attribute("id"), &Value::UNKNOWN);
    }

    #[test]
    fn a_changed_name_replaces_and_an_unknown_one_too() {
        for name in ["m".into(), Value::UNKNOWN] {
            let planned = plan(&topic(), &stored(), &object_of([("name", name)]));
            assert_eq!(planned.replace, vec![Path::attribute("name")]);
            assert_eq!(planned.state.attribute("id"), &Value::UNKNOWN);
        }
    }

    #[test]
    fn nested_defaults_and_replacements_are_not_lost() {
        let inner = schema_of([
            ("key", AttributeSchema { requires_replace: true, ..leaf(Mode::Required) }),
            (
                "size",
                AttributeSchema { default: Some(DefaultValue::Always("1".into())), ..leaf(Mode::OptionalComputed) },
            ),
            ("made", leaf(Mode::Computed)),
        ]);
        let items = AttributeSchema { kind: Kind::Nested(Nesting::List, inner), ..leaf(Mode::Optional) };
        let schema = schema_of([("items", items)]);
        let config = |key: &str| object_of([("items", Value::List(vec![object_of([("key", key.into())])]))]);
        let created = plan(&schema, &Value::Null, &config("a"));
        let item = object_of([("key", "a".into()), ("size", "1".into()), ("made", Value::UNKNOWN)]);
        assert_eq!(created.state, object_of([("items", Value::List(vec![item]))]));
        let item = object_of([("key", "a".into()), ("size", "1".into()), ("made", "x".into())]);
        let prior = object_of([("items", Value::List(vec![item]))]);
        assert_eq!(plan(&schema, &prior, &config("a")), Planned { state: prior.clone(), replace: vec![] });
        let path = Path::attribute("items").then(Step::Index(0)).then(Step::Attribute("key".into()));
        assert_eq!(plan(&schema, &prior, &config("b")).replace, vec![path]);
    }

    const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

    fn random_schema(u: &mut Unstructured<'_>, depth: usize, in_set: bool) -> Result<Schema> {
        let mut schema = Schema::default();
        for name in &NAMES[..u.int_in_range(1..=3)?] {
            let kind = if depth > 0 && u.arbitrary()? {
                let nesting = *u.choose(&[Nesting::Single, Nesting::List, Nesting::Set, Nesting::Map])?;
                Kind::Nested(nesting, random_schema(u, depth - 1, in_set || nesting == Nesting::Set)?)
            } else {
                let ty = arbitrary::ty(u, usize::from(!in_set))?;
                Kind::Plain(if in_set { Type::String } else { ty })
            };
            let modes = [Mode::Required, Mode::Optional, Mode::OptionalComputed, Mode::Computed];
            let mode = *u.choose(if in_set { &modes[..2] } else { &modes })?;
            let write_only = !in_set && mode == Mode::Optional && matches!(kind, Kind::Plain(_)) && u.ratio(1, 4)?;
            let default = match (mode, &kind) {
                (Mode::OptionalComputed, Kind::Plain(Type::String)) => match u.int_in_range(0..=2)? {
                    0 => Some(DefaultValue::Always("z".into())),
                    1 => Some(DefaultValue::Initially("z".into())),
                    _ => None,
                },
                _ => None,
            };
            let requires_replace = !in_set && mode != Mode::Computed && u.ratio(1, 4)?;
            let unknown_when: &[&str] = if mode == Mode::Computed && u.arbitrary()? { &NAMES[..1] } else { &[] };
            let about = AttributeSchema { kind, write_only, requires_replace, default, unknown_when, ..leaf(mode) };
            schema.attributes.insert(name, about);
        }
        for name in &NAMES[3..3 + u.int_in_range(0..=2_usize)? * usize::from(depth > 0 && !in_set)] {
            let nesting = *u.choose(&[Nesting::Single, Nesting::List, Nesting::Set])?;
            let schema_of_block = random_schema(u, depth - 1, nesting == Nesting::Set)?;
            schema.blocks.insert(name, BlockSchema { schema: schema_of_block, nesting, doc: "" });
        }
        Ok(schema)
    }

    /// What a value is generated for: a configuration has no computed values, a state has nothing unknown.
    #[derive(Clone, Copy, PartialEq)]
    enum For {
        Config,
        State,
    }

    fn random_object(u: &mut Unstructured<'_>, schema: &Schema, of: For) -> Result<Value> {
        let mut object = BTreeMap::new();
        for (name, about) in &schema.attributes {
            let value = match (of, about.mode) {
                (For::Config, Mode::Computed) => Value::Null,
                (For::State, _) if about.write_only => Value::Null,
                (_, mode) if mode != Mode::Required && u.ratio(1, 3)? => Value::Null,
                _ => random_attribute(u, about, of)?,
            };
            object.insert((*name).to_owned(), value);
        }
        for (name, about) in &schema.blocks {
            let value = if about.nesting == Nesting::Single && u.arbitrary()? {
                Value::Null
            } else {
                random_arranged(u, about.nesting, &about.schema, of)?
            };
            object.insert((*name).to_owned(), value);
        }
        Ok(Value::Object(object))
    }

    fn random_attribute(u: &mut Unstructured<'_>, about: &AttributeSchema, of: For) -> Result<Value> {
        match &about.kind {
            Kind::Plain(ty) => arbitrary::value(u, ty, of == For::Config),
            Kind::Nested(_, _) if of == For::Config && u.ratio(1, 6)? => Ok(Value::UNKNOWN),
            Kind::Nested(nesting, schema) => random_arranged(u, *nesting, schema, of),
        }
    }

    fn random_arranged(u: &mut Unstructured<'_>, nesting: Nesting, schema: &Schema, of: For) -> Result<Value> {
        if nesting == Nesting::Single {
            return random_object(u, schema, of);
        }
        let items = (0..u.int_in_range(0..=3)?).map(|_| random_object(u, schema, of)).collect::<Result<Vec<_>>>()?;
        Ok(match nesting {
            Nesting::Map => Value::Map(items.into_iter().enumerate().map(|(k, v)| (format!("k{k}"), v)).collect()),
            Nesting::Set => Value::set(items),
            Nesting::Single | Nesting::List => Value::List(items),
        })
    }

    /// The configuration once everything is known, in the way of Terraform's second plan.
    fn resolved(value: &Value, ty: &Type) -> Value {
        match (value, ty) {
            (Value::Unknown(refinement), Type::String) => {
                let prefix = refinement.as_ref().and_then(|it| it.prefix.clone());
                Value::String(format!("{}told", prefix.unwrap_or_default()))
            }
            (Value::Unknown(_), Type::Bool) => Value::Bool(true),
            (Value::Unknown(refinement), Type::Number) => match refinement.as_ref().and_then(|it| it.min.as_ref()) {
                Some(_) => value.clone(),
                None => Value::from(7),
            },
            (Value::Unknown(_), _) => Value::Null,
            (Value::List(items), Type::List(of)) => Value::List(items.iter().map(|it| resolved(it, of)).collect()),
            (Value::List(items), Type::Tuple(of)) => {
                Value::List(items.iter().zip(of).map(|(it, of)| resolved(it, of)).collect())
            }
            (Value::Set(items), Type::Set(of)) => Value::set(items.iter().map(|it| resolved(it, of))),
            (Value::Map(entries), Type::Map(of)) => {
                Value::Map(entries.iter().map(|(key, it)| (key.clone(), resolved(it, of))).collect())
            }
            (Value::Object(attributes), Type::Object(of)) => {
                Value::Object(attributes.iter().map(|(name, it)| (name.clone(), resolved(it, &of[name]))).collect())
            }
            _ => value.clone(),
        }
    }

    #[test]
    fn no_plan_is_one_that_terraform_would_call_invalid() {
        arbtest::arbtest(|u| {
            let schema = random_schema(u, 2, false)?;
            let prior = if u.ratio(1, 4)? { Value::Null } else { random_object(u, &schema, For::State)? };
            let config = random_object(u, &schema, For::Config)?;
            let planned = plan(&schema, &prior, &config);
            assert_eq!(check::plan(&schema, &prior, &config, &planned.state), vec![], "{schema:?}");
            for path in &planned.replace {
                assert!(!prior.is_null(), "{path}");
            }
            Ok(())
        });
    }

    /// In apply Terraform plans again with what it knows by then: the answer must complete the first one.
    #[test]
    fn the_second_plan_completes_the_first() {
        arbtest::arbtest(|u| {
            let schema = random_schema(u, 2, false)?;
            let prior = if u.ratio(1, 4)? { Value::Null } else { random_object(u, &schema, For::State)? };
            let config = random_object(u, &schema, For::Config)?;
            let first = plan(&schema, &prior, &config);
            let second = plan(&schema, &prior, &resolved(&config, &schema.ty()));
            if first.replace.is_empty() {
                assert_eq!(check::outcome(&schema, &first.state, &second.state), vec![], "{schema:?}");
            }
            Ok(())
        });
    }

    #[test]
    fn planning_the_planned_state_changes_nothing() {
        arbtest::arbtest(|u| {
            let schema = random_schema(u, 2, false)?;
            let config = resolved(&random_object(u, &schema, For::Config)?, &schema.ty());
            if !config.is_wholly_known() {
                return Ok(());
            }
            let created = resolved(&plan(&schema, &Value::Null, &config).state, &schema.ty());
            let again = plan(&schema, &created, &config);
            assert_eq!(again.replace, vec![], "{schema:?}");
            assert_eq!(again.state, created, "{schema:?}");
            Ok(())
        });
    }
}

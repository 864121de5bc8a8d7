//! State from elsewhere in the form that Terraform expects of it.

use crate::framework::{DefaultValue, Kind, Nesting, Schema, Value};

/// Whether defaults are filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// The state is of an older schema, or of another provider: what it lacks has its default.
    Defaults,
    /// The state is of the present schema.
    Nothing,
}

/// Completes a state: write-only attributes are null, blocks that are absent are empty where Terraform has no null for
/// them, and defaults are filled in if asked.
pub(crate) fn complete(schema: &Schema, state: &mut Value, fill: Fill) {
    let Value::Object(attributes) = state else { return };
    for (&name, about) in &schema.attributes {
        let value = attributes.entry(name.to_owned()).or_default();
        if about.write_only {
            *value = Value::Null;
            continue;
        }
        match (&about.default, &about.kind, &mut *value) {
            (Some(DefaultValue::Always(default) | DefaultValue::Initially(default)), _, Value::Null)
                if fill == Fill::Defaults =>
            {
                *value = default.clone();
            }
            (_, Kind::Nested(_, schema), value) => complete_each(schema, value, fill),
            _ => {}
        }
    }
    for (&name, about) in &schema.blocks {
        let value = attributes.entry(name.to_owned()).or_default();
        match (about.nesting, &mut *value) {
            (Nesting::List, Value::Null) => *value = Value::List(Vec::new()),
            (Nesting::Set, Value::Null) => *value = Value::Set(Vec::new()),
            (_, value) => complete_each(&about.schema, value, fill),
        }
    }
}

fn complete_each(schema: &Schema, value: &mut Value, fill: Fill) {
    match value {
        Value::List(items) => {
            for it in items {
                complete(schema, it, fill);
            }
        }
        Value::Set(items) => {
            for it in items.iter_mut() {
                complete(schema, it, fill);
            }
            *value = Value::set(std::mem::take(items));
        }
        Value::Map(entries) => {
            for it in entries.values_mut() {
                complete(schema, it, fill);
            }
        }
        it => complete(schema, it, fill),
    }
}

//! Values in JSON, as the state file keeps them.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::framework::{CodecError, Step, Type, Value};

/// What becomes of parts that the type does not expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unexpected {
    /// The value is refused.
    Refuse,
    /// They are dropped: state of an older schema may have attributes that are no more.
    Drop,
}

/// Writes a wholly known value of type `ty`.
pub fn to_json(value: &Value, ty: &Type) -> Result<Json, CodecError> {
    Ok(match (value, ty) {
        (Value::Null, _) => Json::Null,
        (Value::Dynamic(it), Type::Dynamic) => json!({"type": it.0.to_json(), "value": to_json(&it.1, &it.0)?}),
        (Value::Bool(it), Type::Bool) => Json::Bool(*it),
        (Value::Number(it), Type::Number) => {
            Json::Number(it.to_string().parse().expect("the canonical form of a number is JSON"))
        }
        (Value::String(it), Type::String) => Json::String(it.clone()),
        (Value::List(items), Type::List(of)) | (Value::Set(items), Type::Set(of)) => {
            let item = |(at, it)| to_json(it, of).map_err(|error| error.under(Step::Index(at)));
            Json::Array(items.iter().enumerate().map(item).collect::<Result<_, _>>()?)
        }
        (Value::List(items), Type::Tuple(of)) if items.len() == of.len() => {
            let item = |(at, (it, of))| to_json(it, of).map_err(|error: CodecError| error.under(Step::Index(at)));
            Json::Array(items.iter().zip(of).enumerate().map(item).collect::<Result<_, _>>()?)
        }
        (Value::Map(entries), Type::Map(of)) => {
            let entry = |(key, it): (&String, &Value)| {
                Ok((key.clone(), to_json(it, of).map_err(|error| error.under(Step::Key(key.clone())))?))
            };
            Json::Object(entries.iter().map(entry).collect::<Result<Map<_, _>, _>>()?)
        }
        (Value::Object(attributes), Type::Object(of)) => {
            let attribute = |(name, of): (&String, &Type)| {
                let it = attributes.get(name).unwrap_or(&Value::Null);
                Ok((name.clone(), to_json(it, of).map_err(|error| error.under(Step::Attribute(name.clone())))?))
            };
            Json::Object(of.iter().map(attribute).collect::<Result<Map<_, _>, _>>()?)
        }
        (value, _) => return Err(CodecError::new(format!("{} has no JSON of its type", value.kind()))),
    })
}

/// Reads a value of type `ty`. Attributes that are missing are null.
pub fn from_json(json: &Json, ty: &Type, unexpected: Unexpected) -> Result<Value, CodecError> {
    let read = |json: &Json, ty: &Type| from_json(json, ty, unexpected);
    let items = |items: &[Json], of: &Type| {
        let item = |(at, it)| read(it, of).map_err(|error| error.under(Step::Index(at)));
        items.iter().enumerate().map(item).collect::<Result<Vec<_>, _>>()
    };
    Ok(match (json, ty) {
        (Json::Null, _) => Value::Null,
        (Json::Bool(it), Type::Bool) => Value::Bool(*it),
        (Json::Number(it), Type::Number) => {
            Value::Number(it.to_string().parse().map_err(|_| CodecError::new("a number out of range"))?)
        }
        // Terraform converts in both directions, and older state has such numbers and bools.
        (Json::String(it), Type::Number) => Value::Number(it.parse().map_err(|_| CodecError::new("not a number"))?),
        (Json::String(it), Type::Bool) if it == "true" || it == "false" => Value::Bool(it == "true"),
        (Json::String(it), Type::String) => Value::String(it.clone()),
        (Json::Number(it), Type::String) => Value::String(it.to_string()),
        (Json::Bool(it), Type::String) => Value::String(it.to_string()),
        (Json::Array(it), Type::List(of)) => Value::List(items(it, of)?),
        (Json::Array(it), Type::Set(of)) => Value::set(items(it, of)?),
        (Json::Array(it), Type::Tuple(of)) if it.len() == of.len() => {
            let item = |(at, (it, of))| read(it, of).map_err(|error| error.under(Step::Index(at)));
            Value::List(it.iter().zip(of).enumerate().map(item).collect::<Result<_, _>>()?)
        }
        (Json::Object(it), Type::Map(of)) => {
            let entry = |(key, it): (&String, &Json)| {
                Ok((key.clone(), read(it, of).map_err(|error| error.under(Step::Key(key.clone())))?))
            };
            Value::Map(it.iter().map(entry).collect::<Result<BTreeMap<_, _>, _>>()?)
        }
        (Json::Object(it), Type::Object(of)) => {
            if let Some(name) = it.keys().find(|name| unexpected == Unexpected::Refuse && !of.contains_key(*name)) {
                return Err(CodecError::new(format!("an attribute `{name}` that the schema does not have")));
            }
            let attribute = |(name, of): (&String, &Type)| {
                let json = it.get(name).unwrap_or(&Json::Null);
                Ok((name.clone(), read(json, of).map_err(|error| error.under(Step::Attribute(name.clone())))?))
            };
            Value::Object(of.iter().map(attribute).collect::<Result<BTreeMap<_, _>, _>>()?)
        }
        (Json::Object(it), Type::Dynamic) => {
            let (Some(ty), Some(value)) = (it.get("type"), it.get("value")) else {
                return Err(CodecError::new("a dynamic value without type and value"));
            };
            let ty = Type::from_json(ty).map_err(|_| CodecError::new("a dynamic value of no type"))?;
            match read(value, &ty)? {
                Value::Null => Value::Null,
                value => Value::Dynamic(Box::new((ty, value))),
            }
        }
        _ => return Err(CodecError::new("JSON of another type")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::codec::arbitrary;

    #[test]
    fn every_known_value_survives_the_way_there_and_back() {
        arbtest::arbtest(|u| {
            let ty = arbitrary::ty(u, 3)?;
            let value = arbitrary::value(u, &ty, false)?;
            let text = to_json(&value, &ty).unwrap().to_string();
            let json: Json = serde_json::from_str(&text).unwrap();
            assert_eq!(from_json(&json, &ty, Unexpected::Refuse).unwrap(), value, "{ty:?}");
            Ok(())
        });
    }

    #[test]
    fn attributes_of_an_older_schema_are_dropped_when_asked() {
        let ty = Type::Object([("name".to_owned(), Type::String), ("new".to_owned(), Type::Bool)].into());
        let json = json!({"name": "a", "old": 1});
        let expected = Value::Object([("name".to_owned(), "a".into()), ("new".to_owned(), Value::Null)].into());
        assert_eq!(from_json(&json, &ty, Unexpected::Drop).unwrap(), expected);
        assert_eq!(
            from_json(&json, &ty, Unexpected::Refuse).unwrap_err().what,
            "an attribute `old` that the schema does not have"
        );
    }

    #[test]
    fn unknown_values_have_no_json() {
        assert!(to_json(&Value::UNKNOWN, &Type::String).is_err());
    }
}

//! Types, and the JSON in which Terraform writes them.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

/// A Terraform type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// Any type: each value brings its own.
    Dynamic,
    /// `list(…)`
    List(Box<Type>),
    /// `set(…)`
    Set(Box<Type>),
    /// `map(…)`
    Map(Box<Type>),
    /// `tuple([…])`
    Tuple(Vec<Type>),
    /// `object({…})`
    Object(BTreeMap<String, Type>),
}

/// A text that is no type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a type of Terraform's")]
pub struct NotAType;

impl Type {
    /// The type as the protocol writes it, such as `["list","string"]`.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Bool => "bool".into(),
            Self::Number => "number".into(),
            Self::String => "string".into(),
            Self::Dynamic => "dynamic".into(),
            Self::List(it) => json!(["list", it.to_json()]),
            Self::Set(it) => json!(["set", it.to_json()]),
            Self::Map(it) => json!(["map", it.to_json()]),
            Self::Tuple(items) => json!(["tuple", items.iter().map(Self::to_json).collect::<Vec<_>>()]),
            Self::Object(attributes) => {
                let attributes = attributes.iter().map(|(name, it)| (name.clone(), it.to_json()));
                json!(["object", attributes.collect::<serde_json::Map<_, _>>()])
            }
        }
    }

    /// Reads what [`Type::to_json`] writes. Attributes that are marked optional are taken as they are.
    pub fn from_json(json: &Json) -> Result<Self, NotAType> {
        match json {
            Json::String(name) => match name.as_str() {
                "bool" => Ok(Self::Bool),
                "number" => Ok(Self::Number),
                "string" => Ok(Self::String),
                "dynamic" => Ok(Self::Dynamic),
                _ => Err(NotAType),
            },
            Json::Array(parts) => match parts.as_slice() {
                [Json::String(name), of, ..] => match (name.as_str(), of) {
                    ("list", of) => Ok(Self::List(Box::new(Self::from_json(of)?))),
                    ("set", of) => Ok(Self::Set(Box::new(Self::from_json(of)?))),
                    ("map", of) => Ok(Self::Map(Box::new(Self::from_json(of)?))),
                    ("tuple", Json::Array(of)) => {
                        Ok(Self::Tuple(of.iter().map(Self::from_json).collect::<Result<_, _>>()?))
                    }
                    ("object", Json::Object(of)) => {
                        let attribute = |(name, it): (&String, &Json)| Ok((name.clone(), Self::from_json(it)?));
                        Ok(Self::Object(of.iter().map(attribute).collect::<Result<_, _>>()?))
                    }
                    _ => Err(NotAType),
                },
                _ => Err(NotAType),
            },
            _ => Err(NotAType),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_written_as_terraform_reads_them() {
        let check = |text: &str| {
            let json: Json = serde_json::from_str(text).unwrap();
            assert_eq!(Type::from_json(&json).unwrap().to_json(), json);
        };
        check(r#""string""#);
        check(r#"["list","number"]"#);
        check(r#"["object",{"a":["set","bool"],"b":["map","dynamic"]}]"#);
        check(r#"["tuple",["string",["tuple",[]]]]"#);
    }

    #[test]
    fn what_is_no_type_is_refused() {
        for text in ["1", r#""text""#, r#"["list"]"#, r#"["object",[]]"#, "[]"] {
            assert_eq!(Type::from_json(&serde_json::from_str(text).unwrap()), Err(NotAType), "{text}");
        }
    }
}

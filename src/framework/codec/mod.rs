//! Values as bytes: msgpack between Terraform and the plugin, JSON in the state.

pub mod json;
pub mod msgpack;

use crate::framework::Path;

/// Bytes that are no value of the type they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at `{path}`")]
pub struct CodecError {
    /// What is wrong, without the value.
    pub what: String,
    /// Where.
    pub path: Path,
}

impl CodecError {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), path: Path::default() }
    }

    pub(crate) fn under(self, step: crate::framework::Step) -> Self {
        Self { path: self.path.under(step), ..self }
    }
}

#[cfg(test)]
pub(crate) mod arbitrary {
    //! Random types and values, for the tests of both codecs.

    use arbtest::arbitrary::{Result, Unstructured};

    use crate::framework::{Number, Refinement, Type, Value};

    pub(crate) fn ty(u: &mut Unstructured<'_>, depth: usize) -> Result<Type> {
        let kinds = if depth == 0 { 3 } else { 9 };
        Ok(match u.int_in_range(0..=kinds)? {
            0 => Type::Bool,
            1 => Type::Number,
            2 | 3 => Type::String,
            4 => Type::Dynamic,
            5 => Type::List(Box::new(ty(u, depth - 1)?)),
            6 => Type::Set(Box::new(fixed(ty(u, depth - 1)?))),
            7 => Type::Map(Box::new(ty(u, depth - 1)?)),
            8 => Type::Tuple((0..u.int_in_range(0..=3)?).map(|_| ty(u, depth - 1)).collect::<Result<_>>()?),
            _ => Type::Object(
                (0..u.int_in_range(0..=3)?)
                    .map(|it| Ok((format!("a{it}"), ty(u, depth - 1)?)))
                    .collect::<Result<_>>()?,
            ),
        })
    }

    /// Sets have no dynamic parts.
    fn fixed(ty: Type) -> Type {
        match ty {
            Type::Dynamic => Type::String,
            Type::List(it) => Type::List(Box::new(fixed(*it))),
            Type::Set(it) => Type::Set(Box::new(fixed(*it))),
            Type::Map(it) => Type::Map(Box::new(fixed(*it))),
            Type::Tuple(items) => Type::Tuple(items.into_iter().map(fixed).collect()),
            Type::Object(attributes) => Type::Object(attributes.into_iter().map(|(k, v)| (k, fixed(v))).collect()),
            it @ (Type::Bool | Type::Number | Type::String) => it,
        }
    }

    pub(crate) fn number(u: &mut Unstructured<'_>) -> Result<Number> {
        Ok(match u.int_in_range(0..=3)? {
            0 => Number::Int(u.arbitrary()?),
            1 => Number::Int(u.int_in_range(-3..=3)?),
            2 => u.arbitrary::<u64>()?.into(),
            _ => {
                let text = format!("{}.{}e{}", u.arbitrary::<i32>()?, u.arbitrary::<u32>()?, u.int_in_range(-40..=40)?);
                text.parse().expect("a decimal")
            }
        })
    }

    pub(crate) fn value(u: &mut Unstructured<'_>, ty: &Type, unknowns: bool) -> Result<Value> {
        match u.int_in_range(0..=9)? {
            0 => return Ok(Value::Null),
            1 if unknowns => return Ok(Value::UNKNOWN),
            2 if unknowns && matches!(ty, Type::Number) => {
                let min = Some((number(u)?, u.arbitrary()?));
                return Ok(Value::Unknown(Some(Box::new(Refinement {
                    null: Some(false),
                    min,
                    ..Refinement::default()
                }))));
            }
            3 if unknowns && matches!(ty, Type::String) => {
                let prefix = Some("kafka-".to_owned());
                return Ok(Value::Unknown(Some(Box::new(Refinement { prefix, ..Refinement::default() }))));
            }
            _ => {}
        }
        let many = |u: &mut Unstructured<'_>, of: &Type| {
            (0..u.int_in_range(0..=3)?).map(|_| value(u, of, unknowns)).collect::<Result<Vec<_>>>()
        };
        Ok(match ty {
            Type::Bool => Value::Bool(u.arbitrary()?),
            Type::Number => Value::Number(number(u)?),
            Type::String => Value::String(u.arbitrary()?),
            Type::Dynamic => {
                let ty = fixed(self::ty(u, 1)?);
                match value(u, &ty, unknowns)? {
                    Value::Unknown(_) => Value::UNKNOWN,
                    Value::Null => Value::Null,
                    value => Value::Dynamic(Box::new((ty, value))),
                }
            }
            Type::List(of) => Value::List(many(u, of)?),
            Type::Set(of) => Value::set(many(u, of)?),
            Type::Map(of) => {
                Value::Map(many(u, of)?.into_iter().enumerate().map(|(k, v)| (format!("k{k}"), v)).collect())
            }
            Type::Tuple(of) => Value::List(of.iter().map(|it| value(u, it, unknowns)).collect::<Result<_>>()?),
            Type::Object(of) => {
                Value::Object(of.iter().map(|(k, it)| Ok((k.clone(), value(u, it, unknowns)?))).collect::<Result<_>>()?)
            }
        })
    }
}

//! How Rust types are stored in Terraform's.

use std::collections::BTreeMap;

use crate::framework::{Diagnostic, Diagnostics, Kind, Nesting, Number, Step, Type, Unknown, Value};

/// A Rust type that is stored as one Terraform type. What is wrong with a value is said at its path.
pub trait Attribute: Sized + Send + Sync + 'static {
    /// Whether a value that is known in parts is read in parts, rather than as unknown.
    const IN_PARTS: bool = false;

    /// The Terraform type.
    fn kind() -> Kind;

    /// Reads a value, which is neither null nor, unless [`Attribute::IN_PARTS`], unknown anywhere.
    fn from_value(value: Value) -> Result<Self, Diagnostics>;

    /// Writes a value.
    fn into_value(self) -> Value;
}

impl Attribute for String {
    fn kind() -> Kind {
        Kind::Plain(Type::String)
    }

    fn from_value(value: Value) -> Result<Self, Diagnostics> {
        match value {
            Value::String(it) => Ok(it),
            other => Err(Diagnostics::mismatch("a string", &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::String(self)
    }
}

impl Attribute for bool {
    fn kind() -> Kind {
        Kind::Plain(Type::Bool)
    }

    fn from_value(value: Value) -> Result<Self, Diagnostics> {
        match value {
            Value::Bool(it) => Ok(it),
            other => Err(Diagnostics::mismatch("true or false", &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::Bool(self)
    }
}

impl Attribute for Number {
    fn kind() -> Kind {
        Kind::Plain(Type::Number)
    }

    fn from_value(value: Value) -> Result<Self, Diagnostics> {
        match value {
            Value::Number(it) => Ok(it),
            other => Err(Diagnostics::mismatch("a number", &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::Number(self)
    }
}

macro_rules! integers {
    ($($name:ty),+) => {$(
        impl Attribute for $name {
            fn kind() -> Kind {
                Kind::Plain(Type::Number)
            }

            fn from_value(value: Value) -> Result<Self, Diagnostics> {
                let fits = Number::from_value(value)?.as_i64().and_then(|it| it.try_into().ok());
                fits.ok_or_else(|| {
                    let detail = format!("It must be a whole number from {} to {}.", Self::MIN, Self::MAX);
                    Diagnostic::error("Invalid attribute value", detail).into()
                })
            }

            fn into_value(self) -> Value {
                Value::from(i64::from(self))
            }
        }
    )+};
}

integers!(i64, i32, u32, i16);

impl<T: Attribute> Attribute for BTreeMap<String, T> {
    const IN_PARTS: bool = T::IN_PARTS;

    fn kind() -> Kind {
        arranged::<T>(Nesting::Map, Type::Map)
    }

    fn from_value(value: Value) -> Result<Self, Diagnostics> {
        let Value::Map(entries) = value else { return Err(Diagnostics::mismatch("a map", &value)) };
        all(entries, |(key, value)| match T::from_value(value) {
            Ok(it) => Ok((key, it)),
            Err(wrong) => Err(wrong.under(&Step::Key(key))),
        })
    }

    fn into_value(self) -> Value {
        Value::Map(self.into_iter().map(|(key, it)| (key, it.into_value())).collect())
    }
}

impl<T: Attribute> Attribute for Vec<T> {
    const IN_PARTS: bool = T::IN_PARTS;

    fn kind() -> Kind {
        arranged::<T>(Nesting::List, Type::List)
    }

    fn from_value(value: Value) -> Result<Self, Diagnostics> {
        let Value::List(items) = value else { return Err(Diagnostics::mismatch("a list", &value)) };
        all(items.into_iter().enumerate(), |(at, it)| T::from_value(it).map_err(|wrong| wrong.under(&Step::Index(at))))
    }

    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(T::into_value).collect())
    }
}

/// The elements of a set, in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set<T>(pub Vec<T>);

impl<T: Attribute> Attribute for Set<T> {
    const IN_PARTS: bool = T::IN_PARTS;

    fn kind() -> Kind {
        arranged::<T>(Nesting::Set, Type::Set)
    }

    fn from_value(value: Value) -> Result<Self, Diagnostics> {
        let Value::Set(items) = value else { return Err(Diagnostics::mismatch("a set", &value)) };
        all(items, |it| T::from_value(it).map_err(|wrong| wrong.under(&Step::Element))).map(Self)
    }

    fn into_value(self) -> Value {
        Value::set(self.0.into_iter().map(T::into_value))
    }
}

/// An element that may be null or unknown by itself, such as the values of a map of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Element<T> {
    /// No value.
    #[default]
    Null,
    /// A value that apply will tell.
    Unknown,
    /// A value.
    Known(T),
}

impl<T> Element<T> {
    /// The value; none if it is null.
    pub fn known(&self) -> Result<Option<&T>, Unknown> {
        match self {
            Self::Known(value) => Ok(Some(value)),
            Self::Null => Ok(None),
            Self::Unknown => Err(Unknown),
        }
    }
}

impl<T: Attribute> Attribute for Element<T> {
    const IN_PARTS: bool = true;

    fn kind() -> Kind {
        T::kind()
    }

    fn from_value(value: Value) -> Result<Self, Diagnostics> {
        match value {
            Value::Null => Ok(Self::Null),
            part if !part.is_wholly_known() => Ok(Self::Unknown),
            known => T::from_value(known).map(Self::Known),
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Unknown => Value::UNKNOWN,
            Self::Known(it) => it.into_value(),
        }
    }
}

/// The kind of many `T`: nested if `T` is.
fn arranged<T: Attribute>(nesting: Nesting, plain: fn(Box<Type>) -> Type) -> Kind {
    match T::kind() {
        Kind::Plain(ty) => Kind::Plain(plain(Box::new(ty))),
        Kind::Nested(Nesting::Single, schema) => Kind::Nested(nesting, schema),
        Kind::Nested(inner, schema) => {
            let attribute = Kind::Nested(inner, schema);
            unreachable!("nested objects are arranged once, not as {attribute:?}")
        }
    }
}

/// Collects what is right, or everything that is wrong.
fn all<I: IntoIterator, T, C: FromIterator<T>>(
    items: I,
    read: impl FnMut(I::Item) -> Result<T, Diagnostics>,
) -> Result<C, Diagnostics> {
    let mut wrong = Diagnostics::default();
    let right = items.into_iter().map(read).filter_map(|it| it.map_err(|it| wrong.append(it)).ok()).collect();
    if wrong.0.is_empty() { Ok(right) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_does_not_fit_is_told_with_those_that_do() {
        #[track_caller]
        fn check<T: Attribute + std::fmt::Debug>(value: Value, detail: &str) {
            assert_eq!(T::from_value(value).unwrap_err().0[0].detail, detail);
        }
        let huge = Value::Number("99999999999999999999".parse().unwrap());
        check::<i32>(huge, "It must be a whole number from -2147483648 to 2147483647.");
        check::<i16>(100_000.into(), "It must be a whole number from -32768 to 32767.");
        check::<u32>(Value::from(-5), "It must be a whole number from 0 to 4294967295.");
        check::<i64>(
            Value::Number("1.5".parse().unwrap()),
            &format!("It must be a whole number from {} to {}.", i64::MIN, i64::MAX),
        );
        check::<i32>("three".into(), "It must be a number, not a string.");
    }
}

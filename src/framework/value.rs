//! Values, as Terraform's type system has them.

use std::collections::BTreeMap;

use crate::framework::{Number, Type};

/// A Terraform value. Tuples are [`Value::List`]s; what a value is follows from the [`Type`] beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// No value.
    #[default]
    Null,
    /// A value that apply will tell, and what is known of it already.
    Unknown(Option<Box<Refinement>>),
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    String(String),
    /// A list or a tuple.
    List(Vec<Value>),
    /// A set, in the order of its elements; made by [`Value::set`].
    Set(Vec<Value>),
    /// A map.
    Map(BTreeMap<String, Value>),
    /// An object with all its attributes.
    Object(BTreeMap<String, Value>),
    /// A value that brings its own type, where the schema leaves it open.
    Dynamic(Box<(Type, Value)>),
}

/// What is known of an unknown value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refinement {
    /// Whether it is null (`true`) or is not (`false`).
    pub null: Option<bool>,
    /// What the text begins with.
    pub prefix: Option<String>,
    /// The least number, and whether it is possible itself.
    pub min: Option<(Number, bool)>,
    /// The greatest number, and whether it is possible itself.
    pub max: Option<(Number, bool)>,
    /// The least number of elements.
    pub min_length: Option<i64>,
    /// The greatest number of elements.
    pub max_length: Option<i64>,
}

impl Value {
    /// An unknown value of which nothing is known.
    pub const UNKNOWN: Self = Self::Unknown(None);

    /// A set of these elements. Unknown ones are kept apart, because they may turn out to differ.
    pub fn set(elements: impl IntoIterator<Item = Self>) -> Self {
        let mut elements: Vec<Self> = elements.into_iter().collect();
        elements.sort();
        elements.dedup_by(|a, b| a == b && a.is_wholly_known());
        Self::Set(elements)
    }

    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// Whether the value itself is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Whether no part of the value is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown(_) => false,
            Self::List(items) | Self::Set(items) => items.iter().all(Self::is_wholly_known),
            Self::Map(entries) | Self::Object(entries) => entries.values().all(Self::is_wholly_known),
            Self::Dynamic(it) => it.1.is_wholly_known(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => true,
        }
    }

    /// The attribute of an object; null where there is none.
    pub fn attribute(&self, name: &str) -> &Self {
        const NULL: &Value = &Value::Null;
        match self {
            Self::Object(attributes) => attributes.get(name).unwrap_or(NULL),
            _ => NULL,
        }
    }

    /// What kind of value it is, for a message. Never the value itself, which may be secret.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Unknown(_) => "an unknown value",
            Self::Bool(_) => "a bool",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Set(_) => "a set",
            Self::Map(_) => "a map",
            Self::Object(_) => "an object",
            Self::Dynamic(it) => it.1.kind(),
        }
    }
}

impl From<&str> for Value {
    fn from(it: &str) -> Self {
        Self::String(it.to_owned())
    }
}

impl From<bool> for Value {
    fn from(it: bool) -> Self {
        Self::Bool(it)
    }
}

impl From<i64> for Value {
    fn from(it: i64) -> Self {
        Self::Number(it.into())
    }
}

//! What schemas say: Avro, JSON Schema and Protobuf, each read, compared and summed up, without a registry.
//!
//! Two texts mean the same where no reader or writer could tell them apart and no documentation differs: whitespace, the
//! order of keys and whether names are spelled short or in full do not count. That is finer than Avro's Parsing Canonical
//! Form, which drops defaults, aliases and logical types as well, so that real changes would be hidden by it.

mod avro;
mod fingerprint;
mod json;
mod position;
mod protobuf;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use fingerprint::{crc_64_avro, sha_256};
pub use position::Position;

/// A language of schemas, by the word that registries have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Format {
    /// Apache Avro, in JSON.
    Avro,
    /// JSON Schema.
    Json,
    /// Protocol Buffers, as the text of one `.proto` file.
    Protobuf,
}

impl Format {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Avro => "AVRO",
            Self::Json => "JSON",
            Self::Protobuf => "PROTOBUF",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a text is no schema, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {message}", at.line, at.column)]
pub struct Malformed {
    /// Where it is wrong.
    pub at: Position,
    /// What is wrong, without a full stop.
    pub message: String,
}

/// How much one schema differs from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// They mean the same.
    None,
    /// Their words for people differ, and nothing else.
    Documentation,
    /// They differ.
    Meaning,
}

/// What a schema says.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    meaning: Meaning,
    names: Vec<String>,
}

/// What is compared.
#[derive(Clone, Debug, PartialEq)]
enum Meaning {
    /// A JSON value in which everything is spelled in one way.
    Json { format: Format, whole: serde_json::Value, bare: serde_json::Value },
    /// The descriptor of a file, and its comments.
    Protobuf(Box<protobuf::File>),
}

impl Schema {
    /// Reads a schema. Names that are not defined in it are taken for those of other schemas, if it `refers` to any.
    ///
    /// # Errors
    /// Why it is none, with the place.
    pub fn parse(format: Format, text: &str, refers: bool) -> Result<Self, Malformed> {
        match format {
            Format::Avro => {
                let (whole, names) = avro::parse(text, refers)?;
                let bare = avro::without_documentation(&whole);
                Ok(Self { meaning: Meaning::Json { format, whole, bare }, names })
            }
            Format::Json => {
                let (whole, names) = json::parse(text)?;
                let bare = json::without_documentation(&whole);
                Ok(Self { meaning: Meaning::Json { format, whole, bare }, names })
            }
            Format::Protobuf => {
                let file = protobuf::parse(text)?;
                Ok(Self { names: file.messages(), meaning: Meaning::Protobuf(Box::new(file)) })
            }
        }
    }

    /// How much it differs from another one.
    pub fn difference(&self, other: &Self) -> Difference {
        let (is_same, is_bare_same) = match (&self.meaning, &other.meaning) {
            (Meaning::Json { format, whole, bare }, Meaning::Json { format: f, whole: w, bare: b }) => {
                (format == f && whole == w, format == f && bare == b)
            }
            (Meaning::Protobuf(one), Meaning::Protobuf(other)) => (one == other, one.descriptor == other.descriptor),
            _ => (false, false),
        };
        match (is_same, is_bare_same) {
            (true, _) => Difference::None,
            (false, true) => Difference::Documentation,
            (false, false) => Difference::Meaning,
        }
    }

    /// The names by which it may be known: of Avro the full name of the outermost type, of JSON Schema the title, of Protobuf
    /// the full names of the messages that are not within others.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// Whether a text can be registered, by itself and by the names of what it refers to, as far as these are known.
///
/// # Errors
/// Why it cannot, with the place.
pub fn check(format: Format, text: &str, references: Option<&[&str]>) -> Result<(), Malformed> {
    let refers = references.is_none_or(|it| !it.is_empty());
    Schema::parse(format, text, refers)?;
    if format == Format::Protobuf { protobuf::check(text, references) } else { Ok(()) }
}

/// The Parsing Canonical Form of an Avro schema.
///
/// # Errors
/// Why it is none, with the place.
pub fn avro_canonical_form(text: &str) -> Result<String, Malformed> {
    avro::parse(text, true).map(|(schema, _)| avro::canonical_form(&schema))
}

#[cfg(test)]
mod tests;

//! What a registry answers, as values of ours.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Body, Registered, RegistryError, Verdict};
use crate::schemas::Format;

/// An answer in JSON.
#[derive(Debug)]
pub(super) struct Answered(pub(super) Value);

impl Answered {
    /// The value of a key.
    pub(super) fn field<T: DeserializeOwned>(&self, key: &str) -> Result<T, RegistryError> {
        let value = self.0.get(key).cloned().unwrap_or_default();
        serde_json::from_value(value).map_err(|error| strange(&format!("`{key}` is not as expected: {error}")))
    }

    /// The whole number of a key.
    pub(super) fn number(&self, key: &str) -> Result<i64, RegistryError> {
        self.field(key)
    }

    /// A version of a subject.
    pub(super) fn registered(&self) -> Result<Registered, RegistryError> {
        Ok(Registered {
            subject: self.field("subject")?,
            version: self.number("version")?,
            id: self.number("id")?,
            body: self.body()?,
        })
    }

    /// A schema. That it is in Avro is said by saying nothing.
    pub(super) fn body(&self) -> Result<Body, RegistryError> {
        Ok(Body {
            format: self.field::<Option<Format>>("schemaType")?.unwrap_or(Format::Avro),
            schema: self.field("schema")?,
            references: self.field::<Option<_>>("references")?.unwrap_or_default(),
        })
    }

    /// A list of texts or numbers.
    pub(super) fn list<T: DeserializeOwned>(self) -> Result<Vec<T>, RegistryError> {
        match self.0 {
            Value::Null => Ok(Vec::new()),
            list => serde_json::from_value(list).map_err(|error| strange(&error.to_string())),
        }
    }

    /// What it says of a new version.
    pub(super) fn verdict(&self) -> Result<Verdict, RegistryError> {
        Ok(Verdict {
            is_compatible: self.field("is_compatible")?,
            messages: self.field::<Option<_>>("messages")?.unwrap_or_default(),
        })
    }
}

fn strange(what: &str) -> RegistryError {
    RegistryError::Strange(what.to_owned())
}

//! What a resource remembers beside its state, and Terraform never shows.

use serde_json::{Map, Value as Json};

/// Facts by name, kept in Terraform's private data. Plans pass it on to apply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Private(Map<String, Json>);

/// The mark of a plan that had a prior state: the second plan of a replacement has none, and only this tells it.
const PLANNED: &str = "planned";

impl Private {
    /// Reads it from the wire. What another provider wrote there is left behind.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(serde_json::from_slice(bytes).unwrap_or_default())
    }

    /// Writes it for the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        if self.0.is_empty() { Vec::new() } else { Json::Object(self.0.clone()).to_string().into_bytes() }
    }

    /// A fact.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name)
    }

    /// A fact that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// Whether a fact is there and true.
    pub fn is(&self, name: &str) -> bool {
        self.get(name) == Some(&Json::Bool(true))
    }

    /// Remembers a fact.
    pub fn set(&mut self, name: &str, fact: impl Into<Json>) {
        self.0.insert(name.to_owned(), fact.into());
    }

    /// Forgets a fact, and tells it.
    pub fn take(&mut self, name: &str) -> Option<Json> {
        self.0.remove(name)
    }

    /// Forgets several facts.
    pub fn forget(&mut self, names: &[&str]) {
        for name in names {
            self.0.remove(*name);
        }
    }

    pub(crate) fn mark_planned(&mut self) {
        self.set(PLANNED, true);
    }

    pub(crate) fn take_planned(&mut self) -> bool {
        self.take(PLANNED).is_some()
    }
}

//! The Connect clusters of an environment, by the names that the provider block has for them.

use super::Environment;
use crate::{
    clients::connect::Connect,
    framework::{Diagnostic, Failure},
};

impl Environment {
    /// The Connect cluster of that name, or the only one, with its name.
    pub fn connect(&self, name: Option<&str>) -> Result<(&str, &Connect), Failure> {
        let name = match name {
            Some(it) => it,
            None => self.only_connect()?,
        };
        let found = self.connects()?.get_key_value(name).map(|(name, it)| (name.as_str(), it));
        found.ok_or_else(|| {
            let detail = format!(
                "The environment `{}` has no Connect cluster `{name}`, only {}.\n\nCorrect the name, or add it to `connect` \
                 in the provider block.",
                self.name,
                self.names_of_connects()
            );
            Diagnostic::error("Unknown Connect cluster", detail).at("connect").into()
        })
    }

    /// The name of the Connect cluster, where there is one.
    fn only_connect(&self) -> Result<&str, Failure> {
        let mut names = self.connects()?.keys();
        match (names.next(), names.next()) {
            (Some(it), None) => Ok(it),
            (None, _) => {
                let detail = format!(
                    "The environment `{}` has no Connect cluster.\n\nAdd `connect = {{ main = {{ url = \"…\" }} }}` to it in \
                     the provider block.",
                    self.name
                );
                Err(Diagnostic::error("No Connect cluster", detail).at("connect").into())
            }
            (Some(_), Some(_)) => {
                let detail = format!(
                    "The environment `{}` has several Connect clusters, {}, and none is named here.\n\nSet `connect`.",
                    self.name,
                    self.names_of_connects()
                );
                Err(Diagnostic::error("No Connect cluster named", detail).at("connect").into())
            }
        }
    }

    fn names_of_connects(&self) -> String {
        let names = self.connects().map(|it| it.keys().map(|it| format!("`{it}`")).collect::<Vec<_>>());
        names.ok().filter(|it| !it.is_empty()).map_or("there is none".to_owned(), |it| it.join(", "))
    }
}

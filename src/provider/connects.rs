//! The Connect clusters of an environment, by the names that the provider block has for them.

use std::collections::BTreeSet;

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
                 in the provider block. Another name for the same workers is followed while one of their addresses stays.",
                self.name,
                self.names_of_connects()
            );
            Diagnostic::error("Unknown Connect cluster", detail).at("connect").into()
        })
    }

    /// The Connect cluster that had that name while it was at these addresses, with its present name: the provider block may
    /// call it otherwise by now.
    pub fn connect_once_at(
        &self,
        name: Option<&str>,
        addresses: &BTreeSet<String>,
    ) -> Result<(&str, &Connect), Failure> {
        let is_there = |it: &Connect| it.rest().urls().any(|it| addresses.contains(&it.to_string()));
        let named = self.connect(name);
        if named.as_ref().is_ok_and(|(_, it)| is_there(it)) {
            return named;
        }
        let found = self.connects()?.iter().find(|(_, it)| is_there(it));
        found.map_or(named, |(name, it)| Ok((name.as_str(), it)))
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

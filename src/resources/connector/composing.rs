//! What is sent to workers: what is declared, what is secret, and what they have and nobody declares here.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Value as Json, json};

use super::{ADDED, ConnectorModel, LOGINS, SECRETS, told};
use crate::{
    clients::connect::{Connector, Status, Task, is_masked},
    framework::{Call, Diagnostics, Element, Failure, Private, Unknown},
    governance::connector::login,
};

/// So many bytes of a secret are worth hiding: shorter ones are parts of any word.
const LEAST: usize = 4;

/// A configuration to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Composed {
    /// Its keys and values, the secret ones included.
    pub(super) values: BTreeMap<String, String>,
    /// Those of its keys that are in no state.
    pub(super) secret: BTreeSet<String>,
    /// Keys that are declared, and whose values apply will tell.
    pub(super) unknown: BTreeSet<String>,
    /// Whether apply will tell which secrets there are at all.
    pub(super) lacks_secrets: bool,
}

/// A list of keys that was remembered.
pub(super) fn remembered(private: &Private, what: &str) -> Option<BTreeSet<String>> {
    let keys = private.get(what)?.as_array()?;
    Some(keys.iter().filter_map(|it| Some(it.as_str()?.to_owned())).collect())
}

/// Remembers a list of keys.
pub(super) fn remember(private: &mut Private, what: &str, keys: BTreeSet<String>) {
    private.set(what, keys.into_iter().collect::<Vec<_>>());
}

/// The users that were remembered.
pub(super) fn remembered_logins(private: &Private) -> BTreeMap<String, String> {
    let users = private.get(LOGINS).and_then(Json::as_object).into_iter().flatten();
    users.filter_map(|(client, it)| Some((client.clone(), it.as_str()?.to_owned()))).collect()
}

/// As whom the clients of a configuration log in, as far as that is written out.
pub(super) fn logins<'a>(values: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
    let told = values.filter_map(|(key, value)| login(key, value));
    told.map(|(client, user)| (client.to_owned(), user.to_owned())).collect()
}

/// Remembers as whom clients log in by those values of a configuration that no state has.
pub(super) fn remember_logins(private: &mut Private, values: &BTreeMap<String, String>, secret: &BTreeSet<String>) {
    let hidden = values.iter().filter(|(key, _)| secret.contains(*key));
    let users = logins(hidden.map(|(key, value)| (key.as_str(), value.as_str())));
    if users.is_empty() {
        private.take(LOGINS);
    } else {
        private.set(LOGINS, json!(users));
    }
}

/// Whether workers have a key by themselves, whatever is sent.
pub(crate) fn is_the_workers(key: &str) -> bool {
    key == "name" || key.starts_with("__internal.")
}

impl Composed {
    /// What `plan` and its configuration ask for, on top of what is there. A secret of which nothing new is said stays as it
    /// is there, so that no visible edit takes it away.
    pub(super) fn of(
        prior: Option<&ConnectorModel>,
        plan: &ConnectorModel,
        config: &ConnectorModel,
        found: Option<&Connector>,
        call: &Call,
    ) -> Result<Self, Failure> {
        let mut res = Self { lacks_secrets: config.config_wo.known().is_err(), ..Self::default() };
        for (key, value) in plan.config.get().into_iter().flatten() {
            res.add(key, value.known().map(Option::<&String>::cloned));
        }
        let is_new = prior.is_none_or(|it| it.config_wo_version != plan.config_wo_version);
        let there = |key: &str| found.and_then(|it| it.config.get(key)).filter(|it| !is_masked(it));
        for (key, value) in config.config_wo.get().into_iter().flatten() {
            let kept = there(key).filter(|_| !is_new && *value != Element::Null);
            res.add(
                key,
                kept.map_or_else(
                    || value.known().map(|it| it.map(|it| it.expose().to_owned())),
                    |it| Ok(Some(it.clone())),
                ),
            );
            if *value != Element::Null {
                res.secret.insert(key.clone());
            }
        }
        let is_over = config.config_wo.is_null() && plan.config_wo_version.is_null();
        let is_replaced = is_new
            && prior.is_some_and(|it| !it.config_wo_version.is_null())
            && (is_over || !config.config_wo.is_null());
        let kept = remembered(&call.private, SECRETS).filter(|_| !is_replaced).unwrap_or_default();
        let mut lost = Diagnostics::default();
        for key in kept {
            if res.values.contains_key(&key) || res.unknown.contains(&key) {
                continue;
            }
            match found.and_then(|it| it.config.get(&key)) {
                Some(it) if is_masked(it) => lost.push(told::masked(&key)),
                Some(it) => {
                    res.values.insert(key.clone(), it.clone());
                    res.secret.insert(key);
                }
                None => {}
            }
        }
        if lost.has_errors() { Err(lost.into()) } else { Ok(res) }
    }

    fn add(&mut self, key: &str, value: Result<Option<String>, Unknown>) {
        match value {
            Ok(Some(it)) => drop(self.values.insert(key.to_owned(), it)),
            Ok(None) => {}
            Err(Unknown) => drop(self.unknown.insert(key.to_owned())),
        }
    }

    /// Whether part of it is not known yet.
    pub(super) fn is_partial(&self) -> bool {
        self.lacks_secrets || !self.unknown.is_empty()
    }

    /// The class of the connector.
    pub(super) fn class(&self) -> Option<&str> {
        self.values.get("connector.class").map(String::as_str)
    }

    /// Whether that is what is there already, but for what the workers have by themselves.
    pub(super) fn is_there(&self, found: &Connector, added: &BTreeSet<String>) -> bool {
        let is_same = |(key, value): (&String, &String)| found.config.get(key) == Some(value);
        let is_ours = |key: &String| self.values.contains_key(key) || is_the_workers(key) || added.contains(key);
        self.values.iter().all(is_same) && found.config.keys().all(is_ours)
    }

    /// Remembers what was sent and is in no state, and what the workers added to it.
    pub(super) fn remember(self, found: &Connector, private: &mut Private) {
        let added = found.config.keys().filter(|it| !self.values.contains_key(*it) && !is_the_workers(it));
        remember(private, ADDED, added.cloned().collect());
        remember_logins(private, &self.values, &self.secret);
        remember(private, SECRETS, self.secret);
    }

    /// A text of the workers, without the secrets that are in it.
    pub(super) fn hide(&self, text: &str) -> String {
        hide(text, self.secret.iter().filter_map(|it| self.values.get(it)).map(String::as_str))
    }

    /// A failure, without the secrets that are in its words.
    pub(super) fn conceal(&self, failure: Failure) -> Failure {
        let Failure::Told(mut told) = failure else { return failure };
        for it in &mut told.0 {
            it.detail = self.hide(&it.detail);
        }
        Failure::Told(told)
    }
}

/// A text without the secrets that are in it, or within which it breaks off.
pub(crate) fn hide<'a>(text: &str, secrets: impl Iterator<Item = &'a str>) -> String {
    let mut secrets: Vec<&str> = secrets.filter(|it| LEAST <= it.len()).collect();
    // One may be part of another.
    secrets.sort_by_key(|it| Reverse(it.len()));
    secrets.iter().fold(text.to_owned(), |text, it| without_beginning(&text.replace(it, "…"), it))
}

/// A text without the beginning of a secret within which it breaks off.
fn without_beginning(text: &str, secret: &str) -> String {
    let beginnings = secret.char_indices().rev().map(|(at, _)| &secret[..at]).take_while(|it| LEAST <= it.len());
    let cut = beginnings.map(|it| format!("{it}…")).find(|it| text.contains(it));
    cut.map_or_else(|| text.to_owned(), |it| text.replace(&it, "…"))
}

impl Status {
    /// The same, with traces in which something is hidden.
    pub(super) fn with_traces(&self, hide: impl Fn(&str) -> String) -> Self {
        let shown = |it: &Option<String>| it.as_deref().map(&hide);
        let tasks = self.tasks.iter().map(|it| Task { trace: shown(&it.trace), ..it.clone() });
        Self { trace: shown(&self.trace), tasks: tasks.collect(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_secret_is_told() {
        let check = |text: &str, expected: &str| {
            assert_eq!(hide(text, ["hunter2", "my hunter2 word", "abc"].into_iter()), expected);
        };
        check("abc: my hunter2 word, hunter2", "abc: …, …");
        check("it refuses my hunte…", "it refuses …");
        check("it refuses my hunter2 w…", "it refuses …");
        check("it refuses hunter…, and more", "it refuses …, and more");
    }
}

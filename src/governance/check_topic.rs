//! Whether a topic may be as it is declared.
//!
//! Everything that speaks against it is told at once, each at its attribute. What was so before the change and is not
//! touched by it is told too, but not as introduced: a policy that tightens must not turn every plan red.

mod capacity;
mod name;
mod together;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::governance::{
    acl::AclBinding,
    capacity::Capacity,
    command::Role,
    names::ApplicationName,
    policy::{ConfigRule, Limits, TopicPolicy},
    state::State,
    topic::TopicName,
    violation::{At, Violation, Weight, listed},
};

pub(super) use name::{leave, missing, not_in_force, unknown_acting};
pub use together::{Promised, check_together};

/// A topic that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicRequest {
    /// Its name.
    pub name: TopicName,
    /// Whose it is, if that is said; else the name tells.
    pub application: Option<ApplicationName>,
    /// Number of partitions; `None` where it is not known yet.
    pub partitions: Option<i64>,
    /// Copies of each; `None` where it is not known yet.
    pub replication_factor: Option<i64>,
    /// Configuration by Kafka's own keys.
    pub config: BTreeMap<String, String>,
    /// What it carries and keeps.
    pub capacity: Capacity,
    /// Rules of the authorizer that the cluster has for its very name, before it is made.
    pub left_behind: BTreeSet<AclBinding>,
    /// Whether those may stay, whoever made them.
    pub keep_acls: bool,
}

impl TopicRequest {
    /// A topic of which only the name is known.
    pub fn new(name: TopicName) -> Self {
        Self {
            name,
            application: None,
            partitions: None,
            replication_factor: None,
            config: BTreeMap::new(),
            capacity: Capacity::default(),
            left_behind: BTreeSet::new(),
            keep_acls: false,
        }
    }
}

/// What speaks against a topic in an environment; nothing where there is none. `before` is how it was.
///
/// That a topic is another application's is always told as introduced, since it forbids every change.
pub fn check_topic(state: &State, role: &Role, wanted: &TopicRequest, before: Option<&TopicRequest>) -> Vec<Violation> {
    let mut res = against(state, role, wanted, before);
    let earlier = before.map(|it| against(state, role, it, before)).unwrap_or_default();
    if let Some(before) = before {
        for it in &mut res {
            let was_there = earlier.iter().any(|earlier| (&earlier.at, earlier.summary) == (&it.at, it.summary));
            it.introduced = !(was_there && is_untouched(&it.at, wanted, before));
        }
    }
    // Who may not have a topic changes nothing of it, however long it was so.
    res.extend(name::not_permitted(state, role, wanted, before.is_some()));
    res
}

/// Whether a change leaves what an attribute says as it was.
fn is_untouched(at: &At, wanted: &TopicRequest, before: &TopicRequest) -> bool {
    match at.outermost() {
        Some("name") => wanted.name == before.name,
        Some("application") => wanted.application == before.application,
        Some("partitions") => wanted.partitions == before.partitions,
        Some("replication_factor") => wanted.replication_factor == before.replication_factor,
        Some("config") => wanted.config == before.config,
        Some("capacity") => {
            (wanted.capacity, wanted.partitions, &wanted.config) == (before.capacity, before.partitions, &before.config)
        }
        _ => wanted == before,
    }
}

fn against(state: &State, role: &Role, wanted: &TopicRequest, before: Option<&TopicRequest>) -> Vec<Violation> {
    let Some(policy) = state.policy() else { return Vec::new() };
    let (owner, mut res) = name::owner(state, role, wanted, before.is_some());
    res.extend(name::violations(state, wanted, owner));
    let TopicPolicy {
        partitions,
        replication_factor,
        config: _,
        max_message_bytes: _,
        deletion_protection: _,
        capacity: _,
    } = &policy.topics;
    res.extend(number("partitions", wanted.partitions, *partitions, before.and_then(|it| it.partitions)));
    let copies = before.and_then(|it| it.replication_factor);
    res.extend(number("replication_factor", wanted.replication_factor, *replication_factor, copies));
    res.extend(config(&policy.topics, wanted));
    res.extend(capacity::violations(state, wanted, owner));
    res
}

/// What speaks against a number. `there` is what the topic has: Kafka takes no partitions away, and copies are not moved here.
fn number(attribute: &str, value: Option<i64>, limits: Limits, there: Option<i64>) -> Option<Violation> {
    let value = value.filter(|it| !limits.permits(*it))?;
    let nearest = limits.nearest(value);
    let what = format!("`{attribute}` is {value}, and the environment permits {limits}.");
    let remedy = match there {
        Some(there) if attribute == "partitions" && nearest < there => format!(
            "Keep `partitions = {there}`, for Kafka takes no partitions away; or move to a new topic of another name with \
             `partitions = {nearest}`."
        ),
        Some(there) if attribute == "replication_factor" && nearest != there => format!(
            "Keep `replication_factor = {there}` for now, and have the copies moved with Kafka's own tools to {nearest}."
        ),
        _ => format!("Write `{attribute} = {nearest}`."),
    };
    let summary = if attribute == "partitions" { "Number of partitions refused" } else { "Replication factor refused" };
    Some(Violation::new(At::attribute(attribute), summary, what, remedy))
}

fn config(policy: &TopicPolicy, wanted: &TopicRequest) -> Vec<Violation> {
    let mut res = Vec::new();
    for (key, rule) in &policy.config {
        let at = || At::attribute("config").key(key);
        match wanted.config.get(key) {
            Some(_) if rule.allowed == Some(false) => {
                let what = format!("The environment does not permit `{key}`.");
                res.push(Violation::new(at(), "Configuration key refused", what, "Remove it."));
            }
            Some(value) => {
                if let Some(problem) = rule.problem(key, value) {
                    let what = format!("`{key}` is `{value}`, which {problem}.");
                    let remedy = correction(key, rule, Some(value));
                    res.push(Violation::new(at(), "Configuration value refused", what, remedy));
                }
            }
            None if rule.required == Some(true) && rule.default.is_none() => {
                let what = format!("The environment demands `{key}`.");
                res.push(Violation::new(at(), "Configuration key missing", what, correction(key, rule, None)));
            }
            None => {}
        }
    }
    let bytes = wanted.config.get("max.message.bytes").and_then(|it| it.trim().parse::<i64>().ok());
    if let (Some(bytes), Some(most)) = (bytes, policy.max_message_bytes)
        && most < bytes
    {
        let what =
            format!("`max.message.bytes` is {bytes}, and the environment permits messages of at most {most} bytes.");
        let remedy = format!("Write `\"max.message.bytes\" = \"{most}\"`.");
        let at = At::attribute("config").key("max.message.bytes");
        res.push(Violation::new(at, "Messages too large", what, remedy));
    }
    res
}

/// What of the values that rules gave to a topic when it was made these rules do not permit: they stay until somebody writes
/// others. Told where the topic is changed.
pub fn check_given(
    policy: &TopicPolicy,
    given: &BTreeMap<String, String>,
    own: &BTreeMap<String, String>,
) -> Vec<Violation> {
    let mut res = Vec::new();
    for (key, value) in given.iter().filter(|(key, _)| !own.contains_key(*key)) {
        let Some(rule) = policy.config.get(key) else { continue };
        let problem = match rule.problem(key, value) {
            _ if rule.allowed == Some(false) => "the key is not permitted any more".to_owned(),
            Some(problem) => format!("that {problem}"),
            None => continue,
        };
        let what = format!("The rules gave the topic `{key} = {value}` when it was made, and by now {problem}.");
        let remedy = if rule.allowed == Some(false) {
            "It stays; have the platform reset it with Kafka's own tools.".to_owned()
        } else {
            format!("It stays until `config` says otherwise. {}", correction(key, rule, Some(value)))
        };
        let at = At::attribute("config").key(key);
        res.push(Violation::new(at, "Given value breaks the rules", what, remedy).weighing(Weight::Warn));
    }
    res
}

/// What to write for a key: what is permitted and nearest to what was written.
fn correction(key: &str, rule: &ConfigRule, written: Option<&str>) -> String {
    let is_permitted = |it: &String| rule.problem(key, it).is_none();
    let nearest = written.and_then(|it| rule.nearest(key, it)).map(|it| it.to_string());
    let chosen = || rule.one_of.iter().flatten().find(|it| is_permitted(it)).cloned();
    let limit = || rule.max.or(rule.min).map(|it| it.to_string());
    let value = nearest.filter(is_permitted).or_else(|| rule.default.clone()).or_else(chosen).or_else(limit);
    match (value, &rule.one_of) {
        (Some(value), Some(one_of)) if 1 < one_of.len() => {
            format!("Write `\"{key}\" = \"{value}\"`, or another of {}.", listed(one_of))
        }
        (Some(value), _) => format!("Write `\"{key}\" = \"{value}\"`."),
        (None, _) => format!("Write a value for `{key}`."),
    }
}

#[cfg(test)]
mod tests;

//! Whether the brokers know what the rules for configuration are about: they are asked to make a topic so, without making it.

use std::time::Instant;

use crate::{
    clients::kafka::{Kafka, KafkaError},
    framework::{Diagnostic, Path, Step},
    governance::{
        policy::{ConfigRule, TopicPolicy},
        topic::TopicSpec,
    },
};

/// The name of the topic that is never made. It is one that no application can have.
const NAME: &str = "_selfserve.rules";

/// What Kafka calls a configuration that it does not take.
const INVALID: &str = "INVALID_CONFIG";

/// How Kafka says that there is no such key, whatever its value.
const UNKNOWN: &str = "unknown topic config name";

/// A value that a rule gives or permits.
struct Tried<'a> {
    key: &'a str,
    value: String,
    role: Role,
}

/// Where a value comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Topics have it where they set none.
    Default,
    /// Topics may have it.
    Permitted,
    /// It is any value, to see whether there is such a key.
    Any,
}

/// What the brokers do not take of the rules for configuration, each at its key. What they do not answer, because a right is
/// missing or for another reason, is not told: then the topics are what tries it.
pub(super) async fn try_config(kafka: &dyn Kafka, policy: &TopicPolicy, deadline: Instant) -> Vec<Diagnostic> {
    let tried: Vec<Tried<'_>> = policy.config.iter().flat_map(|(key, rule)| values(key, rule)).collect();
    let given = tried.iter().filter(|it| it.role == Role::Default);
    let is_all_given = tried.iter().all(|it| it.role == Role::Default);
    if tried.is_empty() || (is_all_given && refused(kafka, given, deadline).await.is_none()) {
        return Vec::new();
    }
    let mut res = Vec::new();
    for it in &tried {
        let Some(why) = refused(kafka, std::iter::once(it), deadline).await else { continue };
        if let Some(told) = told(it, &why).filter(|told| !res.contains(told)) {
            res.push(told);
        }
    }
    res
}

fn values<'a>(key: &'a str, rule: &'a ConfigRule) -> Vec<Tried<'a>> {
    let tried = |value: String, role| Tried { key, value, role };
    if let Some(default) = &rule.default {
        return vec![tried(default.clone(), Role::Default)];
    }
    if let Some(one_of) = &rule.one_of {
        return one_of.iter().map(|it| tried(it.clone(), Role::Permitted)).collect();
    }
    match rule.max.or(rule.min) {
        Some(limit) => vec![tried(limit.to_string(), Role::Permitted)],
        None => vec![tried("1".to_owned(), Role::Any)],
    }
}

/// Why the brokers would not make a topic with these values; `None` if they would, or did not say.
async fn refused<'a>(
    kafka: &dyn Kafka,
    tried: impl Iterator<Item = &'a Tried<'a>>,
    deadline: Instant,
) -> Option<String> {
    let config = tried.map(|it| (it.key.to_owned(), it.value.clone())).collect();
    let name = NAME.parse().expect("it is a topic's name");
    let spec = TopicSpec { name, partitions: None, replication_factor: None, config };
    match kafka.check_create_topic(&spec, deadline).await {
        Err(KafkaError::Refused { code, message }) if code == INVALID => Some(message),
        _ => None,
    }
}

fn told(it: &Tried<'_>, why: &str) -> Option<Diagnostic> {
    let Tried { key, value, role } = it;
    let path = Path::attribute("topics").then(Step::Attribute("config".to_owned())).key(key);
    if why.to_lowercase().contains(UNKNOWN) {
        let detail = format!(
            "Kafka knows no configuration `{key}` for topics, so that the rule could never be kept: \"{why}\".\n\nCorrect \
             the key, or remove the rule."
        );
        return Some(Diagnostic::error("Configuration key unknown to Kafka", detail).at(path));
    }
    match role {
        Role::Default => {
            let detail = format!(
                "Kafka does not take `\"{key}\" = \"{value}\"`, so that no topic could be made that leaves it out: \
                 \"{why}\".\n\nCorrect `default`."
            );
            Some(
                Diagnostic::error("Default refused by Kafka", detail)
                    .at(path.then(Step::Attribute("default".to_owned()))),
            )
        }
        Role::Permitted => {
            let detail = format!(
                "The rule permits `\"{key}\" = \"{value}\"`, and Kafka does not take it: \"{why}\".\n\nCorrect the rule."
            );
            Some(Diagnostic::warning("Value refused by Kafka", detail).at(path))
        }
        Role::Any => None,
    }
}

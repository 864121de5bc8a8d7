//! Whether a policy agrees with itself.

use std::{collections::BTreeSet, fmt};

use super::{Approval, Capability, ChangeApproval, ConfigRule, Limits, Naming, Policy, SubjectNaming, TopicPolicy};
use crate::governance::{
    kind::Kind,
    request::ChangeKind,
    template::{Template, TemplateError, Unlisted, check_pattern},
    topic::is_same_value,
    violation::{At, Violation, listed},
};

impl Policy {
    /// Everything in which the policy contradicts itself or Kafka, each at its attribute.
    pub fn check(&self) -> Vec<Violation> {
        let Self { naming, topics, schemas, connectors, acls, approval, quota, reserved_prefixes, .. } = self;
        let mut res = naming.check(reserved_prefixes);
        res.extend(topics.check());
        res.extend(acls.check());
        res.extend(approval.check());
        res.extend(quota.check(&At::attribute("quota")));
        if schemas.required == Some(true) && !self.capabilities.contains(&Capability::Schemas) {
            res.push(Violation::new(
                At::attribute("schemas.required"),
                "Contradictory policy",
                "Every topic must have a schema, and `capabilities` says that there is no schema registry.",
                "Add `schemas` to `capabilities`, or do not require schemas.",
            ));
        }
        if schemas.required == Some(true) && schemas.subject_naming == Some(SubjectNaming::RecordName) {
            res.push(Violation::new(
                At::attribute("schemas.required"),
                "Contradictory policy",
                "Every topic must have a schema, and `subject_naming` calls subjects by their records alone, so that nobody \
                 could tell which topic has one.",
                "Use `topic_name` or `topic_record_name`, or do not require schemas.",
            ));
        }
        res.extend(positive(At::attribute("connectors.max_tasks"), connectors.max_tasks));
        res.extend(positive(At::attribute("reconcile_within_seconds"), self.reconcile_within_seconds));
        res.extend(reserved_prefixes.iter().filter(|it| it.trim().is_empty()).map(|it| {
            Violation::new(
                At::attribute("reserved_prefixes").element(it),
                "Empty prefix",
                "Every name begins with nothing, so that no application could own anything.",
                "Remove it.",
            )
        }));
        res.extend(self.principal_mapping_rules.iter().filter(|it| !is_mapping_rule(it)).map(|it| {
            Violation::new(
                At::attribute("principal_mapping_rules").element(it),
                "Invalid mapping rule",
                format!("`{it}` is no rule as `ssl.principal.mapping.rules` has them."),
                "Write `DEFAULT`, or `RULE:pattern/replacement/` and after it nothing, `L` or `U`.",
            )
        }));
        res
    }
}

impl Approval {
    fn check(&self) -> Vec<Violation> {
        let mut res = Vec::new();
        for (kind, verbs) in &self.changes {
            for (verb, approval) in verbs {
                let ChangeApproval::AutoIfWithin { partitions, disk_bytes } = *approval else { continue };
                let at = || At::attribute("approval.changes").then(kind.word()).then(verb.word());
                let limits = [("partitions", partitions), ("disk_bytes", disk_bytes)];
                res.extend(limits.into_iter().filter_map(|(name, it)| positive(at().then(name), it)));
                if limits.iter().all(|(_, it)| it.is_none()) {
                    let what = "Everything is within no limit at all.";
                    let remedy =
                        "Say within what nobody needs to agree: `partitions`, `disk_bytes` or both. Or write `none`.";
                    res.push(Violation::new(at(), "Limits missing", what, remedy));
                } else if *kind != ChangeKind::Topic {
                    let what = format!(
                        "A {} has neither partitions nor bytes of its own, and is within no limit.",
                        kind.word()
                    );
                    res.push(Violation::new(at(), "Limits of a topic", what, "Write `none` or `platform`."));
                }
            }
        }
        res
    }
}

impl Naming {
    /// The template of a kind, if there is one and it is well formed.
    pub fn template(&self, kind: Kind) -> Option<Result<Template, Vec<TemplateError>>> {
        self.templates.get(&kind).map(|it| Template::parse(it, &self.fields, Unlisted::Refused))
    }

    fn check(&self, reserved: &BTreeSet<String>) -> Vec<Violation> {
        let mut res = Vec::new();
        for (field, pattern) in &self.fields {
            if let Err(error) = check_pattern(field, pattern) {
                let at = At::attribute("naming.fields").key(field);
                let what = format!("It cannot be used: {error}.");
                res.push(Violation::new(at, "Invalid pattern", what, "Write a regular expression such as `[a-z]+`."));
            }
        }
        for (kind, text) in &self.templates {
            let at = At::attribute("naming").then(kind.word());
            match Template::parse(text, &self.fields, Unlisted::Refused) {
                Ok(template) => res.extend(check_template(*kind, &template, reserved, &at)),
                Err(errors) => {
                    let told = errors.iter().filter(|it| !self.is_told_at_the_pattern(it));
                    res.extend(told.map(|it| template_error(at.clone(), text, it)));
                }
            }
        }
        res
    }

    fn is_told_at_the_pattern(&self, error: &TemplateError) -> bool {
        matches!(error, TemplateError::Pattern { field, .. } if self.fields.contains_key(field))
    }
}

fn template_error(at: At, text: &str, error: &TemplateError) -> Violation {
    let remedy = match error {
        TemplateError::Unknown { name, .. } => {
            format!("Give the field a pattern, as in `fields = {{ {name} = \"[a-z0-9]+\" }}`.")
        }
        _ => "Write fields as names in braces, such as `a{code}-{application}-{domain}`.".to_owned(),
    };
    Violation::new(at, "Invalid name template", format!("`{text}` is no template: {error}."), remedy)
}

fn check_template(kind: Kind, template: &Template, reserved: &BTreeSet<String>, at: &At) -> Vec<Violation> {
    let mut res = Vec::new();
    let is_legal = |it: char| it.is_ascii_alphanumeric() || ".-_".contains(it);
    if kind == Kind::Topic
        && let Some(it) = template.literals().flat_map(str::chars).find(|it| !is_legal(*it))
    {
        res.push(Violation::new(
            at.clone(),
            "Invalid name template",
            format!(
                "Its topics would have {it:?} in their names, and Kafka permits letters, digits, `.`, `_` and `-`."
            ),
            "Use other letters between the fields.",
        ));
    }
    if let Some(it) = reserved.iter().find(|it| !it.is_empty() && template.beginning().starts_with(it.as_str())) {
        res.push(Violation::new(
            at.clone(),
            "Contradictory policy",
            format!("All names of the template `{template}` begin with `{it}`, which is reserved."),
            "Change the template, or `reserved_prefixes`.",
        ));
    }
    res
}

impl TopicPolicy {
    fn check(&self) -> Vec<Violation> {
        let Self { partitions, replication_factor, config, max_message_bytes, deletion_protection: _, capacity: _ } =
            self;
        let mut res = partitions.check(&At::attribute("topics.partitions"), i64::from(i32::MAX));
        res.extend(replication_factor.check(&At::attribute("topics.replication_factor"), i64::from(i16::MAX)));
        res.extend(positive(At::attribute("topics.max_message_bytes"), *max_message_bytes));
        for (key, rule) in config {
            res.extend(rule.check(key, &At::attribute("topics.config").key(key)));
        }
        let in_sync = config.get("min.insync.replicas").and_then(|it| it.min);
        #[allow(clippy::cast_precision_loss, reason = "a replication factor has at most five digits")]
        if let (Some(least), Some(most)) = (in_sync, replication_factor.max)
            && (most as f64) < least
        {
            res.push(contradictory(
                At::attribute("topics.config").key("min.insync.replicas").then("min"),
                format!("of at most {most} copies (`topics.replication_factor.max`), {least} would have to be in sync"),
            ));
        }
        res
    }
}

impl Limits {
    fn check(&self, at: &At, most: i64) -> Vec<Violation> {
        let Self { min, max, default } = *self;
        let mut res = Vec::new();
        for (name, value) in [("min", min), ("max", max), ("default", default)] {
            if let Some(value) = value.filter(|it| !(1..=most).contains(it)) {
                let what = format!("`{name}` is {value}, and Kafka permits 1 to {most}.");
                res.push(Violation::new(at.clone().then(name), "Impossible limit", what, "Write a number within."));
            }
        }
        if let (Some(min), Some(max)) = (min, max)
            && max < min
        {
            res.push(contradictory(at.clone().then("min"), format!("`min` is {min} and `max` is {max}")));
        } else if let Some(default) = default
            && !self.permits(default)
        {
            res.push(contradictory(
                at.clone().then("default"),
                format!("`default` is {default}, and {self} are permitted"),
            ));
        }
        res
    }

    /// The number within that is nearest.
    pub fn nearest(&self, number: i64) -> i64 {
        let number = self.max.map_or(number, |it| number.min(it));
        self.min.map_or(number, |it| number.max(it))
    }

    /// Whether a number is within.
    pub fn permits(&self, number: i64) -> bool {
        self.min.is_none_or(|it| it <= number) && self.max.is_none_or(|it| number <= it)
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (Some(min), Some(max)) => write!(f, "{min} to {max}"),
            (Some(min), None) => write!(f, "{min} or more"),
            (None, Some(max)) => write!(f, "at most {max}"),
            (None, None) => write!(f, "all numbers"),
        }
    }
}

impl ConfigRule {
    fn check(&self, key: &str, at: &At) -> Vec<Violation> {
        let Self { allowed, required, min, max, one_of, default } = self;
        let mut res = Vec::new();
        if *allowed == Some(false) && (*required == Some(true) || default.is_some()) {
            res.push(contradictory(
                at.clone().then("allowed"),
                "the key is forbidden, and required or given a default",
            ));
        }
        if let (Some(min), Some(max)) = (min, max)
            && max < min
        {
            res.push(contradictory(at.clone().then("min"), format!("`min` is {min} and `max` is {max}")));
        }
        if one_of.as_ref().is_some_and(BTreeSet::is_empty) {
            res.push(contradictory(at.clone().then("one_of"), "there is no value to choose from"));
        }
        if res.is_empty()
            && let Some(default) = default
            && let Some(problem) = self.problem(key, default)
        {
            res.push(contradictory(at.clone().then("default"), format!("`default` is `{default}`, which {problem}")));
        }
        res
    }

    /// The number within the limits that is nearest to a value; `None` where there are none, or it is no number.
    pub fn nearest(&self, key: &str, value: &str) -> Option<f64> {
        let number = read_number(key, value)?;
        let below = self.max.filter(|max| *max < number);
        below.or_else(|| self.min.filter(|min| number < *min))
    }

    /// What speaks against a value, as in "… is more than 3"; `None` if it is permitted.
    pub fn problem(&self, key: &str, value: &str) -> Option<String> {
        let Self { allowed: _, required: _, min, max, one_of, default: _ } = self;
        if let Some(one_of) = one_of
            && !one_of.iter().any(|it| is_same_value(key, value, it))
        {
            return Some(format!("is none of {}", listed(one_of)));
        }
        if min.is_none() && max.is_none() {
            return None;
        }
        let Some(number) = read_number(key, value) else { return Some("is no number".to_owned()) };
        match (min, max) {
            (Some(min), _) if number < *min => Some(format!("is less than {min}")),
            (_, Some(max)) if *max < number && number.is_infinite() => {
                Some(format!("means no limit, which is more than {max}"))
            }
            (_, Some(max)) if *max < number => Some(format!("is more than {max}")),
            _ => None,
        }
    }
}

/// What a value means as a number.
fn read_number(key: &str, value: &str) -> Option<f64> {
    let number = value.trim().parse::<f64>().ok()?;
    Some(if number < 0.0 && is_unlimited_below_zero(key) { f64::INFINITY } else { number })
}

/// Whether Kafka writes "no limit" as a number below 0.
fn is_unlimited_below_zero(key: &str) -> bool {
    matches!(key, "retention.ms" | "retention.bytes" | "local.retention.ms" | "local.retention.bytes")
}

fn contradictory(at: At, what: impl fmt::Display) -> Violation {
    let what = format!("Nothing could satisfy `{at}`: {what}.");
    Violation::new(at, "Contradictory policy", what, "Change one of them.")
}

fn positive(at: At, value: Option<i64>) -> Option<Violation> {
    let value = value.filter(|it| *it < 1)?;
    let what = format!("`{at}` is {value}.");
    Some(Violation::new(at, "Impossible limit", what, "Write 1 or more, or leave it out."))
}

/// Whether a text has the form `DEFAULT` or `RULE:pattern/replacement/[LU]`, in which `\/` is a slash within a part.
fn is_mapping_rule(rule: &str) -> bool {
    if rule == "DEFAULT" {
        return true;
    }
    let Some(rest) = rule.strip_prefix("RULE:") else { return false };
    let rest = rest.replace("\\/", "");
    let parts: Vec<&str> = rest.split('/').collect();
    matches!(parts[..], [pattern, _, "" | "L" | "U"] if !pattern.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn policy(value: Value) -> Policy {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn all_problems_are_told_at_once_with_the_attribute_to_blame() {
        let told: Vec<(String, &str)> = policy(json!({
            "naming": {"templates": {"topic": "{domain}/{region}", "group": "_g{application}"}, "fields": {"domain": "("}},
            "topics": {
                "partitions": {"min": 6, "max": 3, "default": 1},
                "replication_factor": {"min": 0, "max": 2, "default": 3},
                "config": {
                    "retention.ms": {"min": 2, "max": 1},
                    "cleanup.policy": {"one_of": ["delete"], "default": "compact"},
                    "min.insync.replicas": {"min": 3},
                    "compression.type": {"allowed": false, "required": true},
                },
                "max_message_bytes": 0,
            },
            "schemas": {"required": true, "subject_naming": "record_name"},
            "connectors": {"max_tasks": 0},
            "approval": {"changes": {
                "topic": {"create": {"auto_if_within": {"partitions": 0}}, "update": {"auto_if_within": {}}},
                "schema": {"delete": {"auto_if_within": {"disk_bytes": 1}}},
            }},
            "quota": {"topics": -1},
            "reserved_prefixes": ["", "_"],
            "principal_mapping_rules": ["RULE:^CN=(.*?)$/$1/L", "DEFAULT", "CN=x"],
            "reconcile_within_seconds": 0,
        }))
        .check()
        .into_iter()
        .map(|it| (it.at.to_string(), it.summary))
        .collect();
        let expected = [
            ("naming.fields[\"domain\"]", "Invalid pattern"),
            ("naming.topic", "Invalid name template"),
            ("naming.group", "Contradictory policy"),
            ("topics.partitions.min", "Contradictory policy"),
            ("topics.replication_factor.min", "Impossible limit"),
            ("topics.replication_factor.default", "Contradictory policy"),
            ("topics.max_message_bytes", "Impossible limit"),
            ("topics.config[\"cleanup.policy\"].default", "Contradictory policy"),
            ("topics.config[\"compression.type\"].allowed", "Contradictory policy"),
            ("topics.config[\"retention.ms\"].min", "Contradictory policy"),
            ("topics.config[\"min.insync.replicas\"].min", "Contradictory policy"),
            ("approval.changes.topic.create.partitions", "Impossible limit"),
            ("approval.changes.topic.update", "Limits missing"),
            ("approval.changes.schema.delete", "Limits of a topic"),
            ("quota.topics", "Negative amount"),
            ("schemas.required", "Contradictory policy"),
            ("schemas.required", "Contradictory policy"),
            ("connectors.max_tasks", "Impossible limit"),
            ("reconcile_within_seconds", "Impossible limit"),
            ("reserved_prefixes[\"\"]", "Empty prefix"),
            ("principal_mapping_rules[\"CN=x\"]", "Invalid mapping rule"),
        ];
        assert_eq!(told, expected.map(|(at, summary)| (at.to_owned(), summary)));
    }

    #[test]
    fn a_template_with_unknown_fields_says_which_are_known() {
        let naming = json!({"templates": {"topic": "{application}.{region}"}, "fields": {"domain": "[a-z]+"}});
        let told = policy(json!({"naming": naming})).check();
        let expected = "`{application}.{region}` is no template: the field `region` is unknown; the known ones are \
                        `application`, `code` and `domain`.\n\nGive the field a pattern, as in \
                        `fields = { region = \"[a-z0-9]+\" }`.";
        assert_eq!(told.iter().map(|it| it.detail.as_str()).collect::<Vec<_>>(), [expected]);
    }

    #[test]
    fn the_policy_that_says_nothing_is_consistent() {
        assert_eq!(Policy::default().check(), []);
        assert_eq!(policy(json!({})), Policy::default());
    }

    #[test]
    fn no_limit_is_more_than_any_number() {
        let rule = ConfigRule { min: Some(1.0), max: Some(1000.0), ..ConfigRule::default() };
        let check = |key, value, expected: Option<&str>| assert_eq!(rule.problem(key, value).as_deref(), expected);
        check("retention.ms", "-1", Some("means no limit, which is more than 1000"));
        check("retention.ms", "1000", None);
        check("retention.ms", "1001", Some("is more than 1000"));
        check("segment.ms", "-1", Some("is less than 1"));
        check("segment.ms", "week", Some("is no number"));
        let least = ConfigRule { min: Some(5.0), ..ConfigRule::default() };
        assert_eq!(least.problem("retention.ms", "-1"), None);
    }

    #[test]
    fn a_policy_survives_json() {
        let it = policy(json!({
            "naming": {"templates": {"transactional_id": "{application}."}},
            "topics": {"config": {"min.cleanable.dirty.ratio": {"min": 0.25}}, "capacity": "required"},
            "schemas": {"weakest_compatibility": "FULL_TRANSITIVE"},
            "approval": {"access": "owner_and_platform", "changes": {"schema": {"create": "platform"}}},
        }));
        assert_eq!(policy(serde_json::to_value(&it).unwrap()), it);
    }
}

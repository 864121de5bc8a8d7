//! What the configuration of a connector says of topics and of who reads and writes them, by keys that are known.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use regex_lite::Regex;

use super::ConnectorName;
use crate::governance::likeness::distance;

/// The configuration of a connector, with the keys whose values are secret or not known yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The values that are known.
    pub values: BTreeMap<String, String>,
    /// Other keys that are set.
    pub others: BTreeSet<String>,
    /// Those of them that rules are about and that are in no plan.
    pub hidden: BTreeSet<String>,
    /// Whether the connector reads topics, where that is known; else the configuration tells.
    pub is_sink: Option<bool>,
    /// As whom its clients log in by SASL, by how the keys of a client begin, as far as that is written out.
    pub logins: BTreeMap<String, String>,
    /// The clients of which that is not known yet.
    pub later: BTreeSet<String>,
}

/// What is done with topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// They are read.
    Read,
    /// They are written.
    Write,
}

/// Topics that a connector uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopicUse {
    /// The key that says so.
    pub key: String,
    /// What is done with them.
    pub does: Use,
    /// How their names begin, or the name.
    pub name: String,
    /// Whether that is the whole name.
    pub is_whole: bool,
}

/// Keys whose value is the name of a topic that is written.
const WRITTEN: [&str; 7] = [
    "topic",
    "kafka.topic",
    "schema.history.internal.kafka.topic",
    "database.history.kafka.topic",
    "offsets.storage.topic",
    "reporter.error.topic.name",
    "reporter.result.topic.name",
];
/// Keys whose value is what the names of the topics begin with that are written.
const WRITTEN_PREFIXES: [&str; 3] = ["topic.prefix", "topic.heartbeat.prefix", "database.server.name"];
/// Whether workers hold a connector to `tasks.max`, as they do where nothing is said.
pub const ENFORCES_TASKS: &str = "tasks.max.enforce";
/// The consumer group that a sink reads in.
const GROUP: &str = "consumer.override.group.id";
/// Where a sink puts what it could not deliver.
pub const DEAD_LETTERS: &str = "errors.deadletterqueue.topic.name";
/// Transforms of Kafka that leave records in their topic. Of others, nobody knows.
const KEEPING: [&str; 14] = [
    "Cast",
    "DropHeaders",
    "ExtractField",
    "Filter",
    "Flatten",
    "HeaderFrom",
    "HoistField",
    "InsertField",
    "InsertHeader",
    "MaskField",
    "ReplaceField",
    "SetSchemaMetadata",
    "TimestampConverter",
    "ValueToKey",
];
/// How the keys begin by which workers make the topics of a source.
const TOPIC_CREATION: &str = "topic.creation.";
/// What a client's login by SASL is written under.
const LOGIN: &str = "sasl.jaas.config";
/// What a client's credentials are written under.
const CREDENTIALS: [&str; 5] = [
    LOGIN,
    "sasl.login.callback.handler.class",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
];

/// Whether a value is, or holds, a reference that the worker resolves, such as `${file:/run/secrets.properties:password}`.
pub fn is_reference(value: &str) -> bool {
    value.split("${").skip(1).any(|it| {
        it.split_once('}').and_then(|(inside, _)| inside.split_once(':')).is_some_and(|(provider, rest)| {
            !provider.is_empty()
                && !rest.is_empty()
                && provider.chars().all(|it| it.is_alphanumeric() || "-_.".contains(it))
        })
    })
}

/// How the keys of the client begin whose login a key is.
pub fn client_of_login(key: &str) -> Option<&str> {
    key.strip_suffix(LOGIN).filter(|it| it.ends_with(".override."))
}

/// As whom a client logs in by a key and its value, with how the keys of that client begin: `None` for other keys, and where
/// the user is a reference, is not said, or is not all that is said of it. Only modules that log in as their `username` are
/// believed.
///
/// Workers put the values of references into the text before a client reads it: one that is anything else than a password in
/// quotes may change what the rest means.
pub fn login<'a>(key: &'a str, value: &'a str) -> Option<(&'a str, &'a str)> {
    static MODULE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"^\s*org\.apache\.kafka\.common\.security\.(?:plain\.Plain|scram\.Scram)LoginModule\s+required((?:\s+[\w.]+\s*=\s*(?:"[^"\\]*"|'[^'\\]*'))*)\s*;\s*$"#).ok()
    });
    static OPTION: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"([\w.]+)\s*=\s*(?:"([^"\\]*)"|'([^'\\]*)')"#).ok());
    let client = client_of_login(key)?;
    let options = MODULE.as_ref()?.captures(value)?.get(1)?.as_str();
    let mut user = None;
    for it in OPTION.as_ref()?.captures_iter(options) {
        let (name, value) = (it.get(1)?.as_str(), it.get(2).or_else(|| it.get(3))?.as_str());
        if is_open(value) && (name != "password" || !is_reference(value)) {
            return None;
        }
        if name == "username" && user.replace(value).is_some() {
            return None;
        }
    }
    user.filter(|it| !it.is_empty()).map(|it| (client, it))
}

/// Whether rules are about the value of a key.
pub fn is_governed(key: &str) -> bool {
    ["connector.class", "tasks.max", ENFORCES_TASKS, "topics", "topics.regex", DEAD_LETTERS, GROUP].contains(&key)
        || WRITTEN.contains(&key)
        || WRITTEN_PREFIXES.contains(&key)
        || is_type_of_transform(key)
}

fn is_type_of_transform(key: &str) -> bool {
    key.strip_prefix("transforms.").and_then(|it| it.rsplit_once('.')).is_some_and(|(_, it)| it == "type")
}

/// Whether part of a value may be what only the worker finds out.
fn is_open(value: &str) -> bool {
    value.contains("${")
}

impl Settings {
    /// The class of the connector.
    pub fn class(&self) -> Option<&str> {
        self.values.get("connector.class").map(String::as_str)
    }

    /// Most tasks that it asks for. Without the key, workers start one.
    pub fn tasks(&self) -> Option<i64> {
        match self.values.get("tasks.max") {
            Some(it) => it.trim().parse().ok(),
            None if self.others.contains("tasks.max") => None,
            None => Some(1),
        }
    }

    /// Whether it may have more tasks than it asks for.
    pub fn exceeds_tasks(&self) -> bool {
        self.values.get(ENFORCES_TASKS).is_some_and(|it| !it.trim().eq_ignore_ascii_case("true"))
    }

    fn has(&self, key: &str) -> bool {
        self.values.contains_key(key) || self.others.contains(key)
    }

    fn keys(&self) -> impl Iterator<Item = &String> {
        self.values.keys().chain(&self.others)
    }

    /// Whether it reads topics, as far as that is known.
    fn is_sink(&self) -> bool {
        self.is_sink.unwrap_or_else(|| {
            let named = self.class().is_some_and(|it| it.ends_with("SinkConnector") || it.ends_with("Sink"));
            named || (self.has("topics") || self.has("topics.regex")) && !self.is_mirror()
        })
    }

    /// Whether it copies topics of another cluster, whose names its configuration does not tell.
    pub fn is_mirror(&self) -> bool {
        self.class().is_some_and(|it| {
            let simple = it.rsplit('.').next().unwrap_or(it);
            simple.starts_with("Mirror") || simple.contains("Replicator")
        })
    }

    /// Keys that rules are about and that cannot be held against any: secret ones, and those that workers complete.
    pub fn unchecked(&self) -> impl Iterator<Item = &str> {
        let open = self.values.iter().filter(|(key, value)| is_governed(key) && is_open(value)).map(|(key, _)| key);
        self.hidden.iter().chain(open).map(String::as_str)
    }

    /// The topics that it uses, as far as keys say that are known.
    pub fn topics(&self) -> Vec<TopicUse> {
        let value = |key: &str| self.values.get(key).map(|it| it.trim()).filter(|it| !it.is_empty() && !is_open(it));
        let of = |key: &str, does, name: &str, is_whole| TopicUse {
            key: key.to_owned(),
            does,
            name: name.to_owned(),
            is_whole,
        };
        let mut res = Vec::new();
        // Where nobody knows which of them it is, it may be both.
        let is_both = self.is_sink.is_none() && !self.is_mirror();
        if self.is_sink() || is_both {
            let names = value("topics").into_iter().flat_map(|it| it.split(',')).map(str::trim);
            res.extend(names.filter(|it| !it.is_empty()).map(|it| of("topics", Use::Read, it, true)));
            res.extend(value("topics.regex").map(|pattern| {
                let (prefix, is_whole) = beginning(pattern);
                of("topics.regex", Use::Read, &prefix, is_whole)
            }));
        }
        if !self.is_mirror() && (!self.is_sink() || is_both) {
            let whole = WRITTEN.iter().filter_map(|key| Some(of(key, Use::Write, value(key)?, true)));
            res.extend(whole);
            res.extend(WRITTEN_PREFIXES.iter().filter_map(|key| Some(of(key, Use::Write, value(key)?, false))));
        }
        res.extend(value(DEAD_LETTERS).map(|it| of(DEAD_LETTERS, Use::Write, it, true)));
        res
    }

    /// The key of each transform that may have records written into another topic, with its class. Those of sinks write none.
    pub fn routers(&self) -> impl Iterator<Item = (&str, &str)> {
        let types = self.values.iter().filter(|(key, _)| is_type_of_transform(key));
        let types = types.map(|(key, class)| (key.as_str(), class.as_str()));
        types.filter(|(_, class)| self.is_sink != Some(true) && !is_keeping(class))
    }

    /// The clients of the connector that have no credentials of their own, as the keys for them begin, such as
    /// `producer.override.`.
    pub fn without_credentials(&self) -> Vec<&'static str> {
        let has = |prefix: &str| CREDENTIALS.iter().any(|it| self.has(&format!("{prefix}{it}")));
        self.needed().into_iter().filter(|it| !has(it)).collect()
    }

    /// The clients that it needs.
    fn needed(&self) -> Vec<&'static str> {
        let (reads, writes) = (self.is_sink(), !self.is_sink() || self.has(DEAD_LETTERS));
        let creates = self.has(DEAD_LETTERS) || self.creates_topics().is_some();
        let needed = [("consumer.override.", reads), ("producer.override.", writes), ("admin.override.", creates)];
        needed.into_iter().filter(|(_, needed)| *needed).map(|(prefix, _)| prefix).collect()
    }

    /// Of the clients that it needs and that have credentials of their own, those of which nobody can tell whose they are:
    /// a login counts where it is written out, and where the client is told to use it.
    pub fn of_unknown_login(&self) -> Vec<&'static str> {
        let without = self.without_credentials();
        let is_used = |prefix: &str| {
            self.values.get(&format!("{prefix}security.protocol")).is_some_and(|it| it.trim().starts_with("SASL_"))
        };
        let is_told =
            |prefix: &str| self.later.contains(prefix) || (self.logins.contains_key(prefix) && is_used(prefix));
        self.needed().into_iter().filter(|it| !without.contains(it) && !is_told(it)).collect()
    }

    /// The first key by which workers would make topics.
    pub fn creates_topics(&self) -> Option<&str> {
        self.keys().map(String::as_str).find(|it| it.starts_with(TOPIC_CREATION))
    }

    /// The topic for what could not be delivered, if it is told.
    pub fn dead_letters(&self) -> Option<&str> {
        self.values.get(DEAD_LETTERS).map(String::as_str).filter(|it| !it.is_empty() && !is_open(it))
    }

    /// The consumer group that it says.
    pub fn own_group(&self) -> Option<&str> {
        self.values.get(GROUP).map(String::as_str)
    }

    /// The consumer group that a sink of that name reads in, as far as it is known.
    pub fn sink_group(&self, name: &ConnectorName) -> Option<String> {
        let is_known = !self.others.contains(GROUP);
        (is_known && self.is_sink()).then(|| self.own_group().map_or_else(|| name.group(), str::to_owned))
    }
}

/// Whether a transform leaves records in their topic.
fn is_keeping(class: &str) -> bool {
    let simple = class.strip_prefix("org.apache.kafka.connect.transforms.").unwrap_or(class);
    simple.split('$').next().is_some_and(|it| KEEPING.contains(&it))
}

/// Whether a class can be written so: in full, without its package, or without the word at its end that all have.
pub fn is_named(class: &str, written: &str) -> bool {
    let simple = class.rsplit(['.', '$']).next().unwrap_or(class);
    [class, simple].contains(&written) || simple.strip_suffix("Connector") == Some(written)
}

/// The one of many names that is most like another, if any is at all like it.
pub fn nearest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let simple = |it: &str| it.rsplit(['.', '$']).next().unwrap_or(it).to_lowercase();
    let wanted = simple(written);
    let likest = names.map(|it| (distance(&wanted, &simple(it)), it)).min()?;
    Some(likest.1).filter(|_| likest.0 * 2 < wanted.chars().count().max(4))
}

/// What all that fits a pattern begins with, and whether that is all of it.
fn beginning(pattern: &str) -> (String, bool) {
    if pattern.contains('|') {
        return (String::new(), false);
    }
    let pattern = pattern.trim_start_matches('^').trim_end_matches('$');
    let mut res = String::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        let literal = match letter {
            '\\' => match letters.next() {
                Some(it) if !it.is_alphanumeric() => it,
                _ => return (res, false),
            },
            it if it.is_alphanumeric() || "-_".contains(it) => it,
            _ => return (res, false),
        };
        // What may be missing, or come again, is no beginning.
        if letters.peek().is_some_and(|it| "?*{".contains(*it)) {
            return (res, false);
        }
        res.push(literal);
    }
    (res, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &[(&str, &str)]) -> Settings {
        let values = text.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Settings { values, ..Settings::default() }
    }

    #[test]
    fn a_login_is_told_where_its_user_is_written_out() {
        let key = "producer.override.sasl.jaas.config";
        let check = |value: &str, expected| {
            let value = value.replace("M ", "org.apache.kafka.common.security.scram.ScramLoginModule ");
            assert_eq!(login(key, &value).map(|(_, user)| user), expected, "{value}");
        };
        check("org.apache.kafka.common.security.plain.PlainLoginModule required username=\"pay\";", Some("pay"));
        check("org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required username=\"pay\";", None);
        check("M required username=\"pay\" password=\"${file:/x:y}\";", Some("pay"));
        check("M required password='x' username='pay';", Some("pay"));
        check("M required username=\"${env:A}\" password=\"x\";", None);
        check("M required username=\"pay\" password=\"x\"; N required username=\"ord\";", None);
        check("M required username=\"a\" username='pay';", None);
        check("${file:/worker.properties:sasl.jaas.config}", None);
        check("${file:/w:jaas} // required username=\"pay\" password=\"${file:/x:y}\";", None);
        check("${file:/w:jaas} required username=\"pay\";", None);
        check("M required username=\"pay\" password=\"x\" ${file:/x:y};", None);
        check("M required username=\"pay\" other=\"${file:/x:y}\";", None);
        check("M /* x */ required username=\"pay\";", None);
        check("M required username=pay;", None);
        check("M required;", None);
        assert_eq!(login("sasl.jaas.config", "username=\"pay\""), None);
    }

    #[test]
    fn references_are_told_from_what_merely_looks_like_one() {
        for text in ["${file:/a/b.properties:key}", "user \"${vault:x}\" rest", "${env:A}"] {
            assert!(is_reference(text), "{text}");
        }
        for text in ["", "hunter2", "${}", "${topic}", "$file:a", "${:a}", "${file:", "${fi le:x}"] {
            assert!(!is_reference(text), "{text}");
        }
    }

    #[test]
    fn patterns_of_topics_begin_with_what_is_literal() {
        let check =
            |pattern: &str, prefix: &str, is_whole| assert_eq!(beginning(pattern), (prefix.to_owned(), is_whole));
        check("billing\\.orders", "billing.orders", true);
        check("^billing\\..*$", "billing.", false);
        check("billing.*", "billing", false);
        check("billings?", "billing", false);
        check("a|b", "", false);
        check(".*", "", false);
        check("ab{2}", "a", false);
    }

    #[test]
    fn topics_are_found_where_sinks_and_sources_have_them() {
        let check = |text: &[(&str, &str)], expected: &[&str]| {
            let told: Vec<String> = settings(text)
                .topics()
                .iter()
                .map(|it| format!("{} {:?} {}{}", it.key, it.does, it.name, if it.is_whole { "" } else { "…" }))
                .collect();
            assert_eq!(told, expected);
        };
        check(
            &[("connector.class", "x.FileStreamSinkConnector"), ("topics", "a, b,")],
            &["topics Read a", "topics Read b"],
        );
        check(&[("topics.regex", "a\\..*")], &["topics.regex Read a.…"]);
        check(&[("topics.regex", ".*")], &["topics.regex Read …"]);
        check(
            &[("connector.class", "FileStreamSource"), ("topic", "a"), ("topics", "z")],
            &["topics Read z", "topic Write a"],
        );
        check(&[("offsets.storage.topic", "o")], &["offsets.storage.topic Write o"]);
        check(&[("connector.class", "io.debezium.X"), ("topic.prefix", "p")], &["topic.prefix Write p…"]);
        check(&[("topic", "${file:a:b}")], &[]);
        check(
            &[("topics", "a"), ("errors.deadletterqueue.topic.name", "d")],
            &["topics Read a", "errors.deadletterqueue.topic.name Write d"],
        );
        check(&[("connector.class", "MirrorSource"), ("topics", "a")], &[]);
    }

    #[test]
    fn classes_are_written_in_full_or_short_and_the_nearest_is_found() {
        let all = ["org.apache.kafka.connect.file.FileStreamSinkConnector", "io.example.JdbcSourceConnector"];
        for written in [all[0], "FileStreamSinkConnector", "FileStreamSink"] {
            assert!(is_named(all[0], written), "{written}");
        }
        assert!(!is_named(all[0], "FileStream"));
        let check = |written, expected| assert_eq!(nearest(written, all.into_iter()), expected, "{written}");
        check("org.example.FileStreamSnkConector", Some(all[0]));
        check("io.example.JdbcSinkConnector", Some(all[1]));
        check("com.snowflake.Loader", None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn routers_and_missing_credentials_are_seen() {
        let it = settings(&[
            ("topics", "a"),
            ("transforms.r.type", "org.apache.kafka.connect.transforms.RegexRouter"),
            ("transforms.c.type", "org.apache.kafka.connect.transforms.Cast$Value"),
            ("errors.deadletterqueue.topic.name", "d"),
            ("consumer.override.sasl.jaas.config", "x"),
        ]);
        assert_eq!(it.routers().map(|(key, _)| key).collect::<Vec<_>>(), ["transforms.r.type"]);
        assert_eq!(it.without_credentials(), ["producer.override.", "admin.override."]);
        assert_eq!(Settings { is_sink: Some(true), ..it }.routers().count(), 0, "a sink writes no records");
        let own =
            settings(&[("topic", "a"), ("transforms.c.type", "org.example.Cast"), ("transforms.d.type", "Cast$Key")]);
        assert_eq!(own.routers().map(|(key, _)| key).collect::<Vec<_>>(), ["transforms.c.type"]);
        let creating = settings(&[("topic", "a"), ("topic.creation.default.partitions", "1")]);
        assert_eq!(creating.without_credentials(), ["producer.override.", "admin.override."]);
        assert_eq!(settings(&[("topic", "a")]).without_credentials(), ["producer.override."]);
        assert_eq!(settings(&[]).tasks(), Some(1));
        assert_eq!(settings(&[("tasks.max", "x")]).tasks(), None);
    }
}

//! What is told of a connector, to whom.

use serde_json::{Value, json};

use super::*;
use crate::governance::{record::Fold, request::Content};

/// Payments owns `pay.` and groups that begin with `pay-`, and orders owns `ord.`; what may be of connectors is `policy`.
fn state(policy: &Value) -> State {
    let mut res = State::default();
    let environment = json!({"spec": {"name": "pre", "policy": policy}, "created_at": 1});
    res.put("environment", &environment).unwrap();
    for (name, prefix) in [("payments", "pay."), ("orders", "ord.")] {
        let prefixes = json!({"connector": [prefix], "topic": [prefix], "group": [prefix]});
        let spec = json!({"name": name, "prefixes": prefixes, "principals": [format!("User:{}", &prefix[..3])]});
        let application = json!({"incarnation": 1, "spec": spec, "status": "ready", "created_at": 1});
        res.put(&format!("application/{name}"), &application).unwrap();
    }
    res
}

fn request(name: &str, settings: &[(&str, &str)]) -> ConnectorRequest {
    let values = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    ConnectorRequest {
        name: name.parse().unwrap(),
        application: None,
        settings: Settings { values, ..Settings::default() },
        starts: false,
    }
}

fn payments() -> Role {
    Role::Application("payments".parse().unwrap())
}

/// What forbids, each with its attribute.
fn refused(state: &State, role: &Role, wanted: &ConnectorRequest) -> Vec<String> {
    let told = check_connector(state, role, wanted, None);
    told.iter().filter(|it| it.forbids()).map(|it| format!("{}: {}", it.at, it.summary)).collect()
}

#[test]
fn a_connector_is_whose_prefix_it_begins_with() {
    let state = state(&json!({}));
    let check = |role: &Role, name: &str, application: Option<&str>, expected: &[&str]| {
        let wanted = ConnectorRequest { application: application.map(|it| it.parse().unwrap()), ..request(name, &[]) };
        assert_eq!(refused(&state, role, &wanted), expected, "{role:?} {name} {application:?}");
    };
    check(&payments(), "pay.sink", None, &[]);
    check(&payments(), "ord.sink", None, &["name: Connector of another application"]);
    check(&payments(), "sink", None, &["name: Connector outside the prefixes"]);
    check(&payments(), "sink", Some("payments"), &["name: Connector outside the prefixes"]);
    check(&Role::Platform, "ord.x", Some("payments"), &["name: Connector of another application"]);
    check(&Role::Platform, "x", None, &[]);
    check(&Role::Platform, "x", Some("nowhere"), &["application: Application missing"]);
    check(&Role::Nobody, "pay.x", None, &["name: Acting application unknown"]);
    check(&Role::Nobody, "x", None, &["name: Connector without owner"]);
    assert_eq!(
        check_connector(&State::default(), &Role::Nobody, &request("x", &[]), None),
        [],
        "no environment, no rules"
    );
    let end = check_connector_end(&state, &payments(), &"ord.x".parse().unwrap());
    assert_eq!(end.iter().map(|it| it.summary).collect::<Vec<_>>(), ["Connector of another application"]);
}

#[test]
fn topics_are_the_applications_or_granted_to_it() {
    let mut state = state(&json!({}));
    let check = |state: &State, settings: &[(&str, &str)], expected: &[&str]| {
        assert_eq!(refused(state, &payments(), &request("pay.x", settings)), expected, "{settings:?}");
    };
    check(&state, &[("topics", "pay.a, pay.b")], &[]);
    check(&state, &[("topics", "pay.a,ord.b")], &["config[\"topics\"]: Topic of another application"]);
    check(&state, &[("topics.regex", "pay\\..*")], &[]);
    check(&state, &[("topics.regex", "(pay|ord)\\..*")], &["config[\"topics.regex\"]: Topic of another application"]);
    check(&state, &[("topic", "nobodys")], &["config[\"topic\"]: Topic of another application"]);
    check(&state, &[("topic.prefix", "pay.cdc")], &[]);
    check(&state, &[("topic.prefix", "p")], &["config[\"topic.prefix\"]: Topic of another application"]);
    let letters = [("topics", "pay.a"), ("errors.deadletterqueue.topic.name", "ord.dlq")];
    check(&state, &letters, &["config[\"errors.deadletterqueue.topic.name\"]: Topic of another application"]);
    let router = [("topic", "pay.a"), ("transforms.r.type", "org.apache.kafka.connect.transforms.RegexRouter")];
    check(&state, &router, &["config[\"transforms.r.type\"]: Transform refused"]);

    let access = json!({"kind": "topic", "name": "ord.", "pattern": "PREFIXED", "operations": ["READ"]});
    let content = json!({
        "applicant": "payments#1", "owner": "orders#1",
        "subject": {"access": access}, "principals": [], "expires_at": null,
    });
    let revision = serde_json::from_value::<Content>(content.clone()).unwrap().revision();
    let waiting = json!({"content": content, "revision": revision, "status": "pending", "created_at": 1});
    state.put("request/payments-0123abcd", &waiting).unwrap();
    let told = check_connector(&state, &payments(), &request("pay.x", &[("topics", "ord.b")]), None);
    let weights: Vec<Weight> = told.iter().filter(|it| it.forbids()).map(|it| it.weight).collect();
    assert_eq!(weights, [Weight::Wait], "it was asked for: {told:?}");
    let mut granted = waiting;
    granted["status"] = json!("active");
    granted["grant"] = json!({"revision": revision, "content": content, "bindings": [], "since": 1});
    state.put("request/payments-0123abcd", &granted).unwrap();
    check(&state, &[("topics", "ord.b")], &[]);
    check(&state, &[("topic", "ord.b")], &["config[\"topic\"]: Topic of another application"]);
}

#[test]
fn what_rules_are_about_is_neither_secret_nor_a_reference() {
    let rules = state(&json!({ "connectors": { "classes": ["GoodSink"] } }));
    let summary = "Key hidden from the rules";
    let hidden = |keys: &[&str]| {
        let mut res = request("pay.x", &[]);
        res.settings.hidden = keys.iter().map(|it| (*it).to_owned()).collect();
        res
    };
    let wanted = hidden(&["connector.class", "topics", "transforms.r.type"]);
    let expected = ["connector.class", "topics", "transforms.r.type"].map(|it| format!("config[\"{it}\"]: {summary}"));
    assert_eq!(refused(&rules, &payments(), &wanted), expected);
    let told = check_connector(&rules, &payments(), &wanted, Some(&request("pay.x", &[])));
    assert_eq!(told.iter().filter(|it| it.forbids()).count(), 3, "it was not so before: {told:?}");
    let check = |role: &Role, name: &str, settings: &[(&str, &str)], expected: &[String]| {
        assert_eq!(refused(&rules, role, &request(name, settings)), expected, "{settings:?}");
    };
    let references = [("topics", "${file:/x:y}"), ("topics.regex", "pay\\..*\\Q${x:y}\\E"), ("file", "${file:/x:y}")];
    let expected = ["topics", "topics.regex"].map(|it| format!("config[\"{it}\"]: {summary}"));
    check(&payments(), "pay.x", &references, &expected);
    check(&Role::Platform, "x", &references, &[]);
}

#[test]
fn a_group_that_is_written_is_the_applications() {
    let state = state(&json!({}));
    let check = |group: &str, expected: &[&str]| {
        let wanted = request("pay.x", &[("topics", "pay.a"), ("consumer.override.group.id", group)]);
        assert_eq!(refused(&state, &payments(), &wanted), expected, "{group}");
    };
    check("pay.readers", &[]);
    check("connect-pay.x", &[]);
    check("ord.readers", &["config[\"consumer.override.group.id\"]: Group outside the prefixes"]);
}

#[test]
fn the_rules_of_the_environment_hold_for_class_tasks_and_credentials() {
    let check = |policy: &Value, settings: &[(&str, &str)], expected: &[&str]| {
        let state = state(&json!({ "connectors": policy }));
        assert_eq!(refused(&state, &payments(), &request("pay.x", settings)), expected, "{policy} {settings:?}");
    };
    let classes = json!({"classes": ["org.example.GoodSinkConnector"]});
    check(&classes, &[("connector.class", "GoodSink")], &[]);
    check(&classes, &[("connector.class", "BadSink")], &["config[\"connector.class\"]: Connector class refused"]);
    let mirror = [("connector.class", "org.apache.kafka.connect.mirror.MirrorSourceConnector")];
    check(&json!({}), &mirror, &["config[\"connector.class\"]: Topics not told"]);
    let permitted = json!({"classes": ["org.apache.kafka.connect.mirror.MirrorSourceConnector"]});
    check(&permitted, &mirror, &[]);
    let tasks = json!({"max_tasks": 2});
    check(&tasks, &[("tasks.max", "2")], &[]);
    check(&tasks, &[("tasks.max", "3")], &["config[\"tasks.max\"]: Too many tasks"]);
    check(&tasks, &[("tasks.max", "many")], &[]);
    let unbound = [("tasks.max", "2"), ("tasks.max.enforce", "false")];
    check(&tasks, &unbound, &["config[\"tasks.max.enforce\"]: Too many tasks"]);
    let own = json!({"identity": "application"});
    let (key, group) = ("consumer.override.sasl.jaas.config", "consumer.override.group.id");
    check(&own, &[("topics", "pay.a"), (key, "x"), (group, "pay.x")], &[]);
    let without =
        ["config: Connector without credentials", "config[\"consumer.override.group.id\"]: Group outside the prefixes"];
    check(&own, &[("topics", "pay.a")], &without);
    check(&own, &[("topic", "pay.a")], &["config: Connector without credentials"]);
    let mut later = request("pay.x", &[("topics", "pay.a"), (key, "x")]);
    later.settings.others.insert(group.to_owned());
    assert_eq!(refused(&state(&json!({ "connectors": own })), &payments(), &later), Vec::<String>::new());
    let creating = [("topic", "pay.a"), ("topic.creation.default.partitions", "50")];
    check(&json!({}), &creating, &["config[\"topic.creation.default.partitions\"]: Topics made past the rules"]);
}

#[test]
fn only_a_login_that_is_told_and_used_frees_from_rules_about_topics() {
    let state = state(&json!({ "connectors": { "identity": "application" } }));
    let (key, protocol) = ("producer.override.sasl.jaas.config", ("producer.override.security.protocol", "SASL_SSL"));
    let check = |more: &[(&str, &str)], user: Option<&str>, expected: &[&str]| {
        let router = [("connector.class", "X"), ("topic", "pay.a"), ("transforms.r.type", "RegexRouter"), (key, "…")];
        let mut wanted = request("pay.x", &[&router, more].concat());
        wanted.settings.is_sink = Some(false);
        wanted.settings.logins.extend(user.map(|it| ("producer.override.".to_owned(), it.to_owned())));
        assert_eq!(refused(&state, &payments(), &wanted), expected, "{more:?} {user:?}");
    };
    let refused = "config[\"transforms.r.type\"]: Transform refused";
    check(&[protocol], Some("pay"), &[]);
    check(&[], Some("pay"), &[refused]);
    check(&[protocol], None, &[refused]);
    let mut later = request("pay.x", &[("topic", "pay.a"), ("transforms.r.type", "RegexRouter"), (key, "")]);
    later.settings.is_sink = Some(false);
    later.settings.later.insert("producer.override.".to_owned());
    assert_eq!(self::refused(&state, &payments(), &later), Vec::<String>::new(), "the apply knows");
    check(&[protocol], Some("ord"), &["config[\"producer.override.sasl.jaas.config\"]: Login of somebody else"]);
}

#[test]
fn a_topic_for_what_cannot_be_delivered_is_declared() {
    let state = state(&json!({}));
    let wanted = request("pay.x", &[("topics", "pay.a"), ("errors.deadletterqueue.topic.name", "pay.dead")]);
    let told = check_connector(&state, &payments(), &wanted, None);
    let told: Vec<_> = told.iter().filter(|it| it.summary == "Topic not declared").map(Violation::forbids).collect();
    assert_eq!(told, [false]);
}

#[test]
fn what_was_so_before_is_a_warning() {
    let state = state(&json!({"connectors": {"max_tasks": 1}}));
    let (before, after) = (request("pay.x", &[("tasks.max", "9")]), request("pay.x", &[("tasks.max", "8")]));
    let told = check_connector(&state, &payments(), &before, Some(&before));
    assert!(told.iter().all(|it| !it.forbids()), "{told:?}");
    let summaries: Vec<&str> = told.iter().map(|it| it.summary).collect();
    assert_eq!(summaries, ["Too many tasks"]);
    let told = check_connector(&state, &payments(), &after, Some(&before));
    assert!(told.iter().any(Violation::forbids), "{told:?}");
    let started = ConnectorRequest { starts: true, ..before.clone() };
    let told = check_connector(&state, &payments(), &started, Some(&before));
    assert!(told.iter().any(Violation::forbids), "what rests may stay, and does not begin anew: {told:?}");
}

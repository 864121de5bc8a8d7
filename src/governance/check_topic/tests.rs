//! Tests of topics against rules.

use serde_json::{Value, json};

use super::*;
use crate::governance::{record::Fold, violation::Weight};

fn state(policy: &Value) -> State {
    let mut res = State::default();
    let environment = json!({"spec": {"name": "pre", "policy": policy}, "created_at": 1});
    res.put("environment", &environment).unwrap();
    for (name, code, status) in [("payments", "0205", "ready"), ("orders", "0300", "pending")] {
        let prefix = format!("a{code}-{name}-");
        let spec = json!({"name": name, "code": code, "prefixes": {"topic": [prefix]}});
        let application = json!({"incarnation": 1, "spec": spec, "status": status, "created_at": 1});
        res.put(&format!("application/{name}"), &application).unwrap();
    }
    res
}

fn usual() -> State {
    state(&json!({
        "naming": {
            "templates": {"topic": "a{code}-{application}-{domain}-{purpose}{suffix}"},
            "fields": {"domain": "[a-z]+", "purpose": "[a-z]+", "suffix": "(-dlq)?"},
        },
        "topics": {
            "partitions": {"min": 2, "max": 12},
            "replication_factor": {"min": 3, "max": 3},
            "config": {
                "retention.ms": {"max": 604_800_000},
                "cleanup.policy": {"one_of": ["compact", "delete"], "required": true},
                "preallocate": {"allowed": false},
            },
            "max_message_bytes": 1_000_000,
            "capacity": "required",
        },
    }))
}

fn request(name: &str) -> TopicRequest {
    TopicRequest {
        partitions: Some(3),
        replication_factor: Some(3),
        config: [("cleanup.policy".to_owned(), "delete".to_owned())].into(),
        capacity: Capacity { disk_bytes: Some(1), ..Capacity::default() },
        ..TopicRequest::new(name.parse().unwrap())
    }
}

fn payments() -> Role {
    Role::Application("payments".parse().unwrap())
}

fn told(violations: &[Violation]) -> Vec<(String, &str)> {
    violations.iter().map(|it| (it.at.to_string(), it.detail.as_str())).collect()
}

#[test]
fn a_topic_that_fits_is_not_talked_about() {
    assert_eq!(check_topic(&usual(), &payments(), &request("a0205-payments-card-refunds-dlq"), None), []);
    assert_eq!(
        check_topic(&State::default(), &Role::Nobody, &request("anything"), None),
        [],
        "no environment, no rules"
    );
}

#[test]
fn everything_is_told_at_once_with_what_to_write() {
    let wanted = TopicRequest {
        partitions: Some(50),
        replication_factor: Some(1),
        config: [("retention.ms", "-1"), ("preallocate", "true"), ("max.message.bytes", "2000000")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        capacity: Capacity::default(),
        ..request("a0205-payments-Card-Refunds")
    };
    let violations = check_topic(&usual(), &payments(), &wanted, None);
    let expected = [
        (
            "name",
            "`a0205-payments-Card-Refunds` does not fit: the template `a{code}-{application}-{domain}-{purpose}{suffix}` \
             wants the field `domain`, which matches `[a-z]+`, after `a0205-payments-`, where there is `Card-Refunds`.\n\n\
             A name that fits: `name = \"a0205-payments-card-refunds\"`.",
        ),
        ("partitions", "`partitions` is 50, and the environment permits 2 to 12.\n\nWrite `partitions = 12`."),
        (
            "replication_factor",
            "`replication_factor` is 1, and the environment permits 3 to 3.\n\nWrite `replication_factor = 3`.",
        ),
        (
            "config[\"cleanup.policy\"]",
            "The environment demands `cleanup.policy`.\n\nWrite `\"cleanup.policy\" = \"compact\"`, or another of `compact` \
             and `delete`.",
        ),
        ("config[\"preallocate\"]", "The environment does not permit `preallocate`.\n\nRemove it."),
        (
            "config[\"retention.ms\"]",
            "`retention.ms` is `-1`, which means no limit, which is more than 604800000.\n\nWrite `\"retention.ms\" = \
             \"604800000\"`.",
        ),
        (
            "config[\"max.message.bytes\"]",
            "`max.message.bytes` is 2000000, and the environment permits messages of at most 1000000 bytes.\n\nWrite \
             `\"max.message.bytes\" = \"1000000\"`.",
        ),
        (
            "capacity",
            "The environment asks what a topic carries and keeps, so that there is room for all.\n\nWrite `capacity` with \
             what is known of `messages_in_per_second`, `messages_out_per_second`, `message_bytes` and `disk_bytes`: at \
             least one of them.",
        ),
    ];
    assert_eq!(told(&violations), expected.map(|(at, detail)| (at.to_owned(), detail)));
    assert!(violations.iter().all(Violation::forbids));
}

#[test]
fn anothers_prefix_names_its_owner() {
    let check = |role: &Role, name: &str, application: Option<&str>, expected: &[&str]| {
        let wanted = TopicRequest { application: application.map(|it| it.parse().unwrap()), ..request(name) };
        let violations = check_topic(&usual(), role, &wanted, None);
        let summaries: Vec<&str> = violations.iter().map(|it| it.summary).collect();
        assert_eq!(summaries, expected, "{role:?} {name} {application:?}");
    };
    let orders = "a0300-orders-x-y";
    check(&payments(), orders, None, &["Application not in force", "Topic of another application"]);
    check(&payments(), orders, Some("payments"), &["Topic of another application"]);
    check(&payments(), "invoices", None, &["Topic name outside the prefixes"]);
    check(&payments(), "invoices", Some("payments"), &["Topic name outside the prefixes"]);
    check(&Role::Nobody, "a0205-payments-card-x", None, &["Acting application unknown"]);
    check(&Role::Platform, "a0205-payments-card-x", None, &[]);
    check(&Role::Platform, "schemas", None, &[]);
    check(&Role::Platform, "_selfserve.x", None, &["Topic name reserved"]);
    check(&Role::Platform, "x", Some("nowhere"), &["Application missing"]);
}

#[test]
fn a_name_outside_the_prefixes_is_corrected() {
    let wanted = TopicRequest { application: Some("payments".parse().unwrap()), ..request("invoices") };
    let violations = check_topic(&usual(), &payments(), &wanted, None);
    let expected = "`invoices` is under no prefix of the application `payments`, whose topics begin with \
                    `a0205-payments-`.\n\nA name that fits: `name = \"a0205-payments-domain-invoices\"`.";
    assert_eq!(told(&violations), [("name".to_owned(), expected)]);
}

/// Rule 10 of Terraform's core: an owner that waits for approval turns no plan red.
#[test]
fn a_pending_owner_is_a_matter_of_time() {
    let orders = Role::Application("orders".parse().unwrap());
    let violations = check_topic(&usual(), &orders, &request("a0300-orders-x-y"), None);
    let found: Vec<(&str, Weight)> = violations.iter().map(|it| (it.summary, it.weight)).collect();
    assert_eq!(found, [("Application not in force", Weight::Wait)]);
}

/// Rule 12 of Terraform's core: a policy that tightens must not turn every plan red.
#[test]
fn what_was_so_before_warns_and_what_a_change_brings_is_refused() {
    let before = TopicRequest { partitions: Some(50), ..request("a0205-payments-card-x") };
    let introduced = |wanted: &TopicRequest| -> Vec<(String, bool)> {
        let violations = check_topic(&usual(), &payments(), wanted, Some(&before));
        violations.iter().map(|it| (it.at.to_string(), it.introduced)).collect()
    };
    assert_eq!(introduced(&before), [("partitions".to_owned(), false)]);
    let larger = TopicRequest { partitions: Some(60), ..before.clone() };
    assert_eq!(introduced(&larger), [("partitions".to_owned(), true)]);
    let other = TopicRequest { replication_factor: Some(1), ..before.clone() };
    assert_eq!(introduced(&other), [("partitions".to_owned(), false), ("replication_factor".to_owned(), true)]);
}

#[test]
fn anothers_topic_is_not_changed_however_long_it_was_so() {
    let topic = |application: &str| json!({"application": application, "incarnation": 1, "partitions": 3, "status": "created", "created_at": 1});
    let mut state = usual();
    state.put("topic/a0300-orders-x-y", &topic("orders")).unwrap();
    // A name of one's own says nothing of a topic that the journal has for another.
    state.put("topic/a0205-payments-card-x", &topic("orders")).unwrap();
    let told = |role: &Role, name: &str, application: Option<&str>| {
        let before = TopicRequest { application: application.map(|it| it.parse().unwrap()), ..request(name) };
        let mut config = before.config.clone();
        config.insert("retention.ms".to_owned(), "1000".to_owned());
        let violations = check_topic(&state, role, &TopicRequest { config, ..before.clone() }, Some(&before));
        let forbidding = violations.into_iter().filter(Violation::forbids);
        forbidding.map(|it| (it.summary, it.detail.contains("destroy = false"))).collect::<Vec<_>>()
    };
    let anothers = [("Topic of another application", true)];
    assert_eq!(told(&payments(), "a0300-orders-x-y", None), anothers);
    assert_eq!(told(&payments(), "a0300-orders-x-y", Some("payments")), anothers);
    assert_eq!(told(&payments(), "a0205-payments-card-x", None), anothers);
    assert_eq!(told(&payments(), "schemas", None), [("Topic without owner", true)]);
    assert_eq!(told(&Role::Platform, "a0300-orders-x-y", None), []);
    assert_eq!(told(&Role::Application("orders".parse().unwrap()), "a0205-payments-card-x", None), []);
}

#[test]
fn the_disk_must_hold_what_is_retained() {
    let capacity = Capacity {
        messages_in_per_second: Some(10),
        message_bytes: Some(100),
        disk_bytes: Some(1_000_000),
        ..Capacity::default()
    };
    let config = |retention: &str| {
        [("cleanup.policy".to_owned(), "delete".to_owned()), ("retention.ms".to_owned(), retention.to_owned())].into()
    };
    let wanted = |retention| TopicRequest { capacity, config: config(retention), ..request("a0205-payments-card-x") };
    // 1,000 bytes a second in three copies.
    assert_eq!(check_topic(&usual(), &payments(), &wanted("333000"), None), []);
    let violations = check_topic(&usual(), &payments(), &wanted("400000"), None);
    let expected = "1000 bytes a second, kept for 400000 ms in 3 copies, are 1200000 bytes, and `disk_bytes` is 1000000.\n\n\
                    Write `disk_bytes = 1200000`, or keep less with `retention.ms`.";
    assert_eq!(told(&violations), [("capacity.disk_bytes".to_owned(), expected)]);
}

#[test]
fn capacity_can_be_wanted_without_being_demanded() {
    let state = state(&json!({"topics": {"capacity": "warned"}}));
    let wanted = TopicRequest { capacity: Capacity::default(), ..request("a0205-payments-x") };
    let violations = check_topic(&state, &payments(), &wanted, None);
    assert!(matches!(&violations[..], [it] if !it.forbids() && it.weight == Weight::Warn), "{violations:?}");
}

#[test]
fn names_that_metrics_cannot_tell_apart_are_refused() {
    let mut state = state(&json!({}));
    let topic =
        json!({"application": "payments", "incarnation": 1, "partitions": 1, "status": "created", "created_at": 1});
    state.put("topic/a0205-payments-a.b", &topic).unwrap();
    let violations = check_topic(&state, &payments(), &request("a0205-payments-a_b"), None);
    assert_eq!(violations.iter().map(|it| it.summary).collect::<Vec<_>>(), ["Topic name collides"]);
    assert_eq!(check_topic(&state, &payments(), &request("a0205-payments-a.b"), None), []);
}

fn detail_of(violations: &[Violation], at: &str) -> String {
    violations.iter().find(|it| it.at.to_string() == at).map(|it| it.detail.clone()).unwrap_or_default()
}

/// A correction that the next plan refuses is none.
#[test]
fn of_a_topic_that_is_there_no_partitions_are_to_be_taken_away() {
    let before = TopicRequest { partitions: Some(50), ..request("a0205-payments-card-x") };
    for partitions in [50, 60] {
        let wanted = TopicRequest { partitions: Some(partitions), ..before.clone() };
        let told = detail_of(&check_topic(&usual(), &payments(), &wanted, Some(&before)), "partitions");
        let expected = "Keep `partitions = 50`, for Kafka takes no partitions away; or move to a new topic of another name \
                        with `partitions = 12`.";
        assert!(told.ends_with(expected), "{told}");
    }
    let before = TopicRequest { partitions: Some(1), ..request("a0205-payments-card-x") };
    let told = detail_of(&check_topic(&usual(), &payments(), &before, Some(&before)), "partitions");
    assert!(told.ends_with("Write `partitions = 2`."), "{told}");
    let before = TopicRequest { replication_factor: Some(1), ..request("a0205-payments-card-x") };
    let told = detail_of(&check_topic(&usual(), &payments(), &before, Some(&before)), "replication_factor");
    assert!(told.contains("Kafka's own tools"), "{told}");
}

#[test]
fn the_nearest_permitted_value_is_advised_and_never_the_default() {
    let rules = json!({"topics": {"config": {
        "retention.ms": {"min": 1000, "max": 5000, "default": "3000"},
        "min.cleanable.dirty.ratio": {"min": 0.25},
        "cleanup.policy": {"one_of": ["compact", "delete"], "default": "delete"},
    }}});
    let check = |key: &str, value: &str, expected: &str| {
        let config = [(key.to_owned(), value.to_owned())].into();
        let wanted = TopicRequest { config, ..request("a0205-payments-x") };
        let told = check_topic(&state(&rules), &payments(), &wanted, None);
        let told = detail_of(&told, &format!("config[{key:?}]"));
        assert!(told.contains(&format!("Write `\"{key}\" = \"{expected}\"`")), "{told}");
    };
    check("retention.ms", "9000", "5000");
    check("retention.ms", "10", "1000");
    check("retention.ms", "-1", "5000");
    check("retention.ms", "week", "3000");
    check("min.cleanable.dirty.ratio", "0.1", "0.25");
    check("cleanup.policy", "gone", "delete");
}

/// An application of the platform's making whose prefix the template does not give.
fn with_prefix(template: &str, prefix: &str) -> State {
    let naming = json!({"templates": {"topic": template}, "fields": {"domain": "[a-z]+", "kind": "(cdc|ev)"}});
    let mut res = state(&json!({"naming": naming}));
    let spec = json!({"name": "legacy", "code": "0900", "prefixes": {"topic": [prefix]}});
    let application = json!({"incarnation": 1, "spec": spec, "status": "ready", "created_at": 1});
    res.put("application/legacy", &application).unwrap();
    res
}

fn told_of_name(state: &State, name: &str) -> String {
    let legacy = Role::Application("legacy".parse().unwrap());
    detail_of(&check_topic(state, &legacy, &request(name), None), "name")
}

#[test]
fn a_corrected_name_is_under_a_prefix_of_the_application() {
    let fits = with_prefix("{domain}-{application}-{kind}", "old-");
    for name in ["old-Orders", "orders"] {
        let told = told_of_name(&fits, name);
        assert!(told.ends_with("A name that fits: `name = \"old-legacy-cdc\"`."), "{name}: {told}");
    }
    let never = with_prefix("a{code}-{application}-{domain}", "old.");
    for name in ["old.orders", "orders"] {
        let told = told_of_name(&never, name);
        assert!(told.contains("no name under `old.`: ask the platform"), "{name}: {told}");
    }
}

#[test]
fn a_name_that_another_topic_has_is_not_advised() {
    let mut state = usual();
    let topic =
        json!({"application": "payments", "incarnation": 1, "partitions": 1, "status": "created", "created_at": 1});
    let advised = |state: &State| {
        let wanted = request("a0205-payments-Card-Refunds");
        let told = detail_of(&check_topic(state, &payments(), &wanted, None), "name");
        told.rsplit_once("name = \"").map(|(_, it)| it.trim_end_matches("\"`.").to_owned()).unwrap()
    };
    let first = advised(&state);
    assert_eq!(first, "a0205-payments-card-refunds");
    state.put(&format!("topic/{first}"), &topic).unwrap();
    let second = advised(&state);
    assert_ne!(second, first);
    assert_eq!(check_topic(&state, &payments(), &request(&second), None), [], "{second}");
}

#[test]
fn an_acting_application_that_is_not_there_is_told_as_such() {
    let role = Role::Application("paymenst".parse().unwrap());
    for name in ["a0205-payments-card-x", "invoices"] {
        let violations = check_topic(&usual(), &role, &request(name), None);
        let told = violations.iter().find(|it| it.summary == "Acting application missing");
        assert!(told.is_some_and(|it| it.detail.contains("`paymenst`")), "{violations:?}");
        assert!(!violations.iter().any(|it| it.summary == "Topic without owner"), "{violations:?}");
    }
}

/// What the guide shows.
#[test]
fn a_name_is_corrected_to_the_template_of_the_guide() {
    let naming = json!({
        "templates": {"topic": "{application}.{subject}.v{version}"},
        "fields": {"subject": "[a-z][a-z-]*", "version": "[0-9]+"},
    });
    let mut state = state(&json!({"naming": naming}));
    let spec = json!({"name": "billing", "prefixes": {"topic": ["billing."]}});
    let application = json!({"incarnation": 1, "spec": spec, "status": "ready", "created_at": 1});
    state.put("application/billing", &application).unwrap();
    let billing = Role::Application("billing".parse().unwrap());
    let told = detail_of(&check_topic(&state, &billing, &request("billing-invoices"), None), "name");
    assert!(told.ends_with("A name that fits: `name = \"billing.invoices.v1\"`."), "{told}");
}

//! What is told of a subject, to whom.

use serde_json::{Value, json};

use super::*;
use crate::governance::record::Fold;

/// Payments owns `pay.`, and orders `ord.`; the platform did not agree to orders yet.
fn state(schemas: &Value) -> State {
    let mut res = State::default();
    let environment = json!({"spec": {"name": "pre", "policy": {"schemas": schemas}}, "created_at": 1});
    res.put("environment", &environment).unwrap();
    for (name, prefix, status) in [("payments", "pay.", "ready"), ("orders", "ord.", "pending")] {
        let spec = json!({"name": name, "prefixes": {"subject": [prefix]}});
        let application = json!({"incarnation": 1, "spec": spec, "status": status, "created_at": 1});
        res.put(&format!("application/{name}"), &application).unwrap();
    }
    res
}

fn request(subject: &str) -> SchemaRequest {
    SchemaRequest {
        subject: subject.parse().unwrap(),
        application: None,
        compatibility: None,
        is_declared: true,
        names: Some(vec!["pay.Card".to_owned()]),
    }
}

fn payments() -> Role {
    Role::Application("payments".parse().unwrap())
}

fn summaries(violations: &[Violation]) -> Vec<&str> {
    violations.iter().map(|it| it.summary).collect()
}

#[test]
fn a_subject_is_whose_prefix_it_begins_with() {
    let state = state(&json!({}));
    let check = |role: &Role, subject: &str, application: Option<&str>, expected: &[&str]| {
        let wanted = SchemaRequest { application: application.map(|it| it.parse().unwrap()), ..request(subject) };
        assert_eq!(
            summaries(&check_schema(&state, role, &wanted, None)),
            expected,
            "{role:?} {subject} {application:?}"
        );
    };
    check(&payments(), "pay.cards-value", None, &[]);
    check(&payments(), ":.staging:pay.cards-value", None, &[]);
    check(&payments(), "ord.cards-value", None, &["Application not in force", "Subject of another application"]);
    check(&payments(), "cards-value", None, &["Subject outside the prefixes"]);
    check(&payments(), "cards-value", Some("payments"), &["Subject outside the prefixes"]);
    check(&Role::Platform, "ord.x", Some("payments"), &["Subject of another application"]);
    check(&Role::Platform, "x", None, &[]);
    check(&Role::Platform, "x", Some("nowhere"), &["Application missing"]);
    check(&Role::Nobody, "pay.x", None, &["Acting application unknown"]);
    check(&Role::Nobody, "x", None, &["Subject without owner"]);
    assert_eq!(check_schema(&State::default(), &Role::Nobody, &request("x"), None), [], "no environment, no rules");
    let end = |role: &Role| check_schema_end(&state, role, &"ord.x".parse().unwrap());
    assert_eq!((summaries(&end(&payments())), end(&Role::Platform)), (vec!["Subject of another application"], vec![]));
}

#[test]
fn subjects_are_called_as_the_environment_says() {
    let check = |naming: &str, subject: &str, expected: Option<&str>| {
        let state = state(&json!({ "subject_naming": naming }));
        let told = check_schema(&state, &Role::Platform, &request(subject), None);
        let remedies: Vec<_> = told.iter().filter_map(|it| it.detail.split("\n\n").nth(1)).collect();
        assert_eq!(remedies, expected.into_iter().collect::<Vec<_>>(), "{naming} {subject}");
    };
    check("topic_name", "pay.cards-value", None);
    check("topic_name", "pay.cards-key", None);
    let topic = "Write the name of a topic with one of them, as in `subject = \"orders-value\"`.";
    check("topic_name", "pay.cards", Some(topic));
    check("topic_name", "a b-value", Some(topic));
    check("record_name", "pay.Card", None);
    check("record_name", "pay.card", Some("Write `subject = \"pay.Card\"`, or another name in the schema."));
    check("topic_record_name", "pay.cards-pay.Card", None);
    let both = "Write `subject = \"orders-pay.Card\"`, or another name in the schema.";
    check("topic_record_name", "-pay.Card", Some(both));
    check("topic_record_name", "pay.cards-value", Some(both));
}

#[test]
fn a_compatibility_includes_what_the_environment_demands() {
    let check = |weakest: &str, actual: Compatibility, permitted: bool| {
        let state = state(&json!({ "weakest_compatibility": weakest }));
        let wanted = SchemaRequest { compatibility: Some(actual), ..request("pay.a") };
        let expected = if permitted { vec![] } else { vec!["Compatibility too weak"] };
        assert_eq!(summaries(&check_schema(&state, &Role::Platform, &wanted, None)), expected, "{weakest} {actual:?}");
    };
    check("BACKWARD", Compatibility::FullTransitive, true);
    check("BACKWARD", Compatibility::Backward, true);
    check("BACKWARD", Compatibility::None, false);
    check("BACKWARD", Compatibility::ForwardTransitive, false);
    check("FULL_TRANSITIVE", Compatibility::Full, false);
    check("NONE", Compatibility::None, true);
}

#[test]
fn what_was_so_before_is_told_and_not_refused() {
    let state = state(&json!({ "weakest_compatibility": "FULL", "subject_naming": "record_name" }));
    let before = SchemaRequest { compatibility: Some(Compatibility::None), ..request("pay.a") };
    let told = check_schema(&state, &Role::Platform, &before, Some(&before));
    assert_eq!(told.iter().map(Violation::forbids).collect::<Vec<_>>(), [false, false]);
    let changed = SchemaRequest { compatibility: Some(Compatibility::Backward), ..before.clone() };
    let told = check_schema(&state, &Role::Platform, &changed, Some(&before));
    assert_eq!(told.iter().map(Violation::forbids).collect::<Vec<_>>(), [false, true]);
}

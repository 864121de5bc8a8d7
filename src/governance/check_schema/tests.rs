//! What is told of a subject, to whom.

use serde_json::{Value, json};

use super::*;
use crate::governance::{
    acl::PatternType,
    command::Command,
    decide::{
        fixtures::{NOW, World},
        request::tests::{filing, status, verdict, world},
    },
    record::Fold,
    request::{AccessTo, Choice, Filing, Judge, RequestStatus, Subject},
};

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
    let names = Some(vec!["pay.Card".to_owned()]);
    SchemaRequest { is_declared: true, names, ..SchemaRequest::new(subject.parse().unwrap()) }
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
            summaries(&check_schema(&state, role, &wanted, None, NOW)),
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
    assert_eq!(
        check_schema(&State::default(), &Role::Nobody, &request("x"), None, NOW),
        [],
        "no environment, no rules"
    );
    let end = |role: &Role| check_schema_end(&state, role, &"ord.x".parse().unwrap());
    assert_eq!((summaries(&end(&payments())), end(&Role::Platform)), (vec!["Subject of another application"], vec![]));
}

#[test]
fn subjects_are_called_as_the_environment_says() {
    let check = |naming: &str, subject: &str, expected: Option<&str>| {
        let state = state(&json!({ "subject_naming": naming }));
        let told = check_schema(&state, &Role::Platform, &request(subject), None, NOW);
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
        assert_eq!(
            summaries(&check_schema(&state, &Role::Platform, &wanted, None, NOW)),
            expected,
            "{weakest} {actual:?}"
        );
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
    let told = check_schema(&state, &Role::Platform, &before, Some(&before), NOW);
    assert_eq!(told.iter().map(Violation::forbids).collect::<Vec<_>>(), [false, false]);
    let changed = SchemaRequest { compatibility: Some(Compatibility::Backward), ..before.clone() };
    let told = check_schema(&state, &Role::Platform, &changed, Some(&before), NOW);
    assert_eq!(told.iter().map(Violation::forbids).collect::<Vec<_>>(), [false, true]);
}

/// `shop` asks for a subject of `pay`.
fn ask(name: &str, pattern: PatternType, what: Operation) -> Command {
    let access = AccessTo { kind: Kind::Subject, name: name.to_owned(), pattern, operations: [what].into() };
    let filing = Filing { subject: Subject::Access(access), ..filing("pay.x", &[]) };
    Command::FileRequest(Box::new(filing))
}

fn told_to_shop(world: &World, wanted: &SchemaRequest, now: Timestamp) -> Vec<(&'static str, Weight)> {
    let role = Role::Application("shop".parse().unwrap());
    let told = check_schema(&world.state, &role, wanted, None, now);
    told.iter().map(|it| (it.summary, it.weight)).collect()
}

fn pay() -> Role {
    Role::Application("pay".parse().unwrap())
}

const SETTING: &str = "Setting of another application's subject";
const ANOTHERS: &str = "Subject of another application";
const REFERENCE: &str = "Reference to another application's subject";

#[test]
fn who_was_granted_a_subject_registers_there_and_leaves_its_settings() {
    let mut world = world(&json!({}));
    let foreign = SchemaRequest::new("pay.card-value".parse().unwrap());
    assert_eq!(told_to_shop(&world, &foreign, NOW), [(ANOTHERS, Weight::Refuse)]);
    world.ask("shop", &ask("pay.card", PatternType::Prefixed, Operation::Write)).unwrap();
    assert_eq!(told_to_shop(&world, &foreign, NOW), [(ANOTHERS, Weight::Wait)], "it may be agreed to before the apply");
    let shop = Role::Application("shop".parse().unwrap());
    let told = check_schema(&world.state, &shop, &foreign, None, NOW);
    assert!(told[0].detail.ends_with("for that waits: apply again once it is approved."), "{told:?}");
    world.ask("pay", &verdict(&world, Judge::Owner, Choice::Approve)).unwrap();
    assert_eq!(status(&world), RequestStatus::Approved);
    assert_eq!(told_to_shop(&world, &foreign, NOW), []);
    let staged = SchemaRequest::new(":.eu:pay.card-value".parse().unwrap());
    assert_eq!(told_to_shop(&world, &staged, NOW), []);
    let other = SchemaRequest::new("pay.other-value".parse().unwrap());
    assert_eq!(told_to_shop(&world, &other, NOW), [(ANOTHERS, Weight::Refuse)]);
    let set = SchemaRequest { setting: Some("mode"), ..foreign.clone() };
    assert_eq!(told_to_shop(&world, &set, NOW), [(SETTING, Weight::Refuse)]);
    let role = Role::Application("shop".parse().unwrap());
    for (wanted, expected) in [(&foreign, Weight::Warn), (&set, Weight::Refuse)] {
        let told = check_schema(&world.state, &role, wanted, Some(&set), NOW);
        assert_eq!(told.iter().map(|it| (it.summary, it.weight)).collect::<Vec<_>>(), [(SETTING, expected)]);
    }
    let is_anothers = |role: &Role| is_anothers(&world.state, role, &foreign.subject);
    assert_eq!([is_anothers(&role), is_anothers(&Role::Platform), is_anothers(&pay())], [true, false, false]);
    assert_eq!(
        summaries(&check_schema_end(&world.state, &role, &foreign.subject)),
        [ANOTHERS],
        "its end is not theirs"
    );
}

#[test]
fn who_was_granted_a_subject_refers_to_it_for_as_long_as_that_holds() {
    let mut world = world(&json!({}));
    let refers = |to: &[&str]| {
        let references = to.iter().map(|it| (it.parse().unwrap(), [6].into())).collect();
        SchemaRequest { references, ..SchemaRequest::new("shop.x-value".parse().unwrap()) }
    };
    assert_eq!(told_to_shop(&world, &refers(&["shop.y", "nobodys.z"]), NOW), []);
    let foreign = refers(&["pay.card"]);
    assert_eq!(told_to_shop(&world, &foreign, NOW), [(REFERENCE, Weight::Refuse)]);
    let end = Timestamp(NOW.0 + 10);
    let command = match ask("pay.card", PatternType::Literal, Operation::Read) {
        Command::FileRequest(it) => Command::FileRequest(Box::new(Filing { expires_at: Some(end), ..*it })),
        it => it,
    };
    world.ask("shop", &command).unwrap();
    assert_eq!(told_to_shop(&world, &foreign, NOW), [(REFERENCE, Weight::Wait)]);
    world.ask("pay", &verdict(&world, Judge::Owner, Choice::Approve)).unwrap();
    assert_eq!(told_to_shop(&world, &foreign, NOW), []);
    assert_eq!(told_to_shop(&world, &foreign, end), [(REFERENCE, Weight::Refuse)], "its time is over");
    let wanted = SchemaRequest::new("pay.card".parse().unwrap());
    assert_eq!(told_to_shop(&world, &wanted, NOW), [(ANOTHERS, Weight::Refuse)], "to read is not to register");
    let role = Role::Application("shop".parse().unwrap());
    let told = check_schema(&world.state, &role, &foreign, Some(&foreign), end);
    assert!(told.iter().all(|it| !it.forbids()), "what was so before is told: {told:?}");
    let version = |it: &[i64]| SchemaRequest {
        references: [("pay.card".parse().unwrap(), it.iter().copied().collect())].into(),
        ..foreign.clone()
    };
    for (versions, is_refused) in [(&[][..], false), (&[6], false), (&[7], true), (&[6, 7], true)] {
        let told = check_schema(&world.state, &role, &version(versions), Some(&foreign), end);
        assert_eq!(told.iter().map(Violation::forbids).collect::<Vec<_>>(), [is_refused], "{versions:?}");
    }
}

//! The client against a fake that answers as Confluent's registry does.

use super::{
    fake::{FakeRegistry, soon},
    *,
};

fn name(text: &str) -> SubjectName {
    text.parse().unwrap()
}

fn avro(schema: &str) -> Body {
    Body { format: Format::Avro, schema: schema.to_owned(), references: Vec::new() }
}

#[tokio::test]
async fn a_subject_lives_from_its_first_version_to_its_end() {
    let fake = FakeRegistry::start().await;
    let registry = fake.client();
    let subject = name("a/b ä");
    assert_eq!(registry.version(&subject, Version::Latest, soon()).await, Ok(None));
    assert_eq!(registry.lookup(&subject, &avro("\"int\""), false, soon()).await, Ok(None));
    assert_eq!(registry.register(&subject, &avro("\"int\""), false, soon()).await, Ok(1));
    assert_eq!(registry.register(&subject, &avro("\"long\""), true, soon()).await, Ok(2));
    assert_eq!(registry.versions(&subject, soon()).await, Ok(vec![1, 2]));
    let first = registry.lookup(&subject, &avro("\"int\""), false, soon()).await.unwrap().unwrap();
    assert_eq!(first, Registered { subject: subject.clone(), version: 1, id: 1, body: avro("\"int\"") });
    assert_eq!(registry.version(&subject, Version::Number(1), soon()).await, Ok(Some(first)));
    assert_eq!(registry.schema(2, soon()).await, Ok(Some(avro("\"long\""))));
    assert_eq!(registry.schema(9, soon()).await, Ok(None));
    assert_eq!(registry.subjects(false, soon()).await, Ok(vec![subject.clone()]));

    registry.delete(&subject, false, soon()).await.unwrap();
    assert_eq!(registry.versions(&subject, soon()).await, Ok(vec![]));
    assert_eq!(registry.subjects(false, soon()).await, Ok(vec![]));
    assert_eq!(registry.subjects(true, soon()).await, Ok(vec![subject.clone()]));
    // For good, whether it was deleted before or not; and again, as after an answer that was lost.
    for _ in 0..2 {
        registry.delete(&subject, true, soon()).await.unwrap();
        assert_eq!(registry.subjects(true, soon()).await, Ok(vec![]));
    }
    let normalized = "POST /subjects/a%2Fb%20%C3%A4/versions?normalize=true".to_owned();
    assert!(fake.asked().contains(&normalized), "{:?}", fake.asked());
}

#[tokio::test]
async fn settings_are_a_subjects_own_or_inherited() {
    let fake = FakeRegistry::start().await;
    let registry = fake.client();
    let subject = name("a");
    let inherited = Setting { own: None, general: Some(Compatibility::Backward) };
    assert_eq!(registry.compatibility(&subject, soon()).await, Ok(inherited));
    registry.set_compatibility(&subject, Some(Compatibility::FullTransitive), soon()).await.unwrap();
    let own = Setting { own: Some(Compatibility::FullTransitive), general: Some(Compatibility::Backward) };
    assert_eq!(registry.compatibility(&subject, soon()).await, Ok(own));
    for _ in 0..2 {
        registry.set_compatibility(&subject, None, soon()).await.unwrap();
    }
    assert_eq!(registry.compatibility(&subject, soon()).await, Ok(inherited));
    registry.set_mode(&subject, Some(Mode::ReadOnly), soon()).await.unwrap();
    let mode = registry.mode(&subject, soon()).await.unwrap();
    let of_all = fake.asked().into_iter().filter(|it| it == "GET /config").count();
    assert_eq!(of_all, 1, "what is the same for all is asked for once");
    assert_eq!((mode.own, mode.effective()), (Some(Mode::ReadOnly), Some(Mode::ReadOnly)));
    let refused = registry.register(&subject, &avro("\"int\""), false, soon()).await;
    assert!(matches!(refused, Err(RegistryError::NotPermitted(_))), "{refused:?}");
}

#[tokio::test]
async fn verdicts_come_with_their_reasons() {
    let fake = FakeRegistry::start().await;
    let registry = fake.client();
    let subject = name("a");
    fake.kept().objections = vec!["the field x has no default".to_owned()];
    let check = async || registry.check(&subject, &avro("\"long\""), false, soon()).await.unwrap();
    assert!(check().await.is_compatible, "there is nothing to be compatible with");
    registry.register(&subject, &avro("\"int\""), false, soon()).await.unwrap();
    let reasons = vec!["the field x has no default".to_owned()];
    assert_eq!(check().await, Verdict { is_compatible: false, messages: reasons });
    let refused = registry.register(&subject, &avro("\"long\""), false, soon()).await;
    assert!(matches!(refused, Err(RegistryError::Incompatible(_))), "{refused:?}");
    let refused = registry.register(&subject, &avro("unreadable"), false, soon()).await;
    assert_eq!(refused, Err(RegistryError::Invalid("Invalid schema".to_owned())));
    let missing = Reference { name: "A".to_owned(), subject: name("nowhere"), version: 1 };
    let refers = Body { references: vec![missing], ..avro("\"A\"") };
    let refused = registry.register(&name("b"), &refers, false, soon()).await;
    assert!(matches!(refused, Err(RegistryError::Invalid(_))), "{refused:?}");
}

/// An absence is believed only of a registry's own answer.
#[tokio::test]
async fn a_page_that_is_not_found_is_no_absence() {
    let fake = FakeRegistry::start().await;
    for answer in [
        (404, "text/html", "<html>".to_owned()),
        (404, "application/json", r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#.to_owned()),
        (404, "application/json", r#"{"error_code":40405,"message":"was not deleted first"}"#.to_owned()),
        (200, "text/html", "<html>".to_owned()),
        (200, "application/json", r#"{"subject":"a"}"#.to_owned()),
    ] {
        fake.kept().next = [answer.clone()].into();
        let read = fake.client().version(&name("a"), Version::Latest, soon()).await;
        assert!(read.is_err(), "{answer:?}: {read:?}");
    }
}

#[tokio::test]
async fn many_subjects_are_read_with_few_requests() {
    let fake = FakeRegistry::start().await;
    let registry = fake.client();
    let names: Vec<SubjectName> = (0..2_500).map(|it| name(&format!("s{it}"))).collect();
    for it in &names {
        fake.does("POST", &format!("/subjects/{it}/versions"), &json!({ "schema": "\"int\"", "schemaType": "AVRO" }));
    }
    let read_all = async |registry: &SchemaRegistry| {
        for it in &names {
            let found = registry.seen(it, soon()).await.unwrap().unwrap();
            assert_eq!(found.subject, *it);
        }
    };
    read_all(&registry).await;
    assert_eq!(fake.asked().len(), 4 + 3, "four alone, and three pages");
    // What this client wrote is read anew.
    registry.register(&names[7], &avro("\"long\""), false, soon()).await.unwrap();
    assert_eq!(registry.seen(&names[7], soon()).await.unwrap().unwrap().version, 2);
    // What the list lacks is asked for.
    assert_eq!(registry.seen(&name("absent"), soon()).await, Ok(None));
    assert_eq!(fake.asked().last().unwrap(), "GET /subjects/absent/versions/latest");

    fake.kept().lists = false;
    let before = fake.asked().len();
    read_all(&fake.client()).await;
    assert_eq!(fake.asked().len() - before, names.len() + 1, "it is asked once whether it lists");
}

/// A list of all is a convenience: where it fails, each is asked for.
#[tokio::test]
async fn a_list_that_fails_keeps_no_subject_from_being_read() {
    let fake = FakeRegistry::start().await;
    let registry = fake.client();
    let names: Vec<SubjectName> = (0..8).map(|it| name(&format!("s{it}"))).collect();
    for it in &names {
        registry.register(it, &avro("\"int\""), false, soon()).await.unwrap();
    }
    for (status, is_told) in [(500, false), (403, false), (401, true)] {
        let reader = fake.client();
        for it in &names[..listing::FEW] {
            reader.seen(it, soon()).await.unwrap();
        }
        // As often as a failure is tried again.
        let tries = if status == 500 { 3 } else { 1 };
        fake.kept().next = std::iter::repeat_n((status, "application/json", "{}".to_owned()), tries).collect();
        let answers = [reader.seen(&names[6], soon()).await, reader.seen(&names[7], soon()).await];
        assert_eq!(answers.map(|it| it.is_err()), [is_told; 2], "{status}");
    }
}

/// Registries cut long lists off, at a number that their operator chose; some have no pages.
#[tokio::test]
async fn all_subjects_are_listed_however_few_a_registry_names_at_once() {
    let fake = FakeRegistry::start().await;
    let registry = fake.client();
    let schema = json!({ "schema": "\"int\"", "schemaType": "AVRO" });
    for it in 0..2_500 {
        fake.does("POST", &format!("/subjects/s{it:04}/versions"), &schema);
    }
    for (most, requests) in [(20_000, 2), (1_000, 3)] {
        fake.kept().most = most;
        let before = fake.asked().len();
        let listed = registry.subjects(false, soon()).await.unwrap();
        assert_eq!((listed.len(), fake.asked().len() - before), (2_500, requests));
    }
    let all: Vec<String> = (0..1_200).map(|it| format!("s{it}")).collect();
    fake.kept().next = std::iter::repeat_n((200, "application/json", json!(all).to_string()), 2).collect();
    assert_eq!(registry.subjects(false, soon()).await.unwrap().len(), 1_200, "the same again is the end");
}

#[tokio::test]
async fn a_level_that_the_registry_keeps_is_taken_away_by_another() {
    let fake = FakeRegistry::start().await;
    fake.kept().apicurio = true;
    let (registry, subject) = (fake.client(), name("a"));
    registry.register(&subject, &avro("\"int\""), false, soon()).await.unwrap();
    let own = async || registry.compatibility(&subject, soon()).await.unwrap().own;
    registry.set_compatibility(&subject, Some(Compatibility::None), soon()).await.unwrap();
    fake.does("DELETE", "/config/a", &json!({}));
    assert_eq!(own().await, Some(Compatibility::None), "the registry answers that it is gone");
    registry.set_compatibility(&subject, None, soon()).await.unwrap();
    assert_eq!(own().await, None);
    // What is gone has it for ever.
    registry.set_compatibility(&subject, Some(Compatibility::Full), soon()).await.unwrap();
    registry.delete(&subject, false, soon()).await.unwrap();
    fake.does("DELETE", "/config/a", &json!({}));
    assert_eq!(own().await, Some(Compatibility::Full));
    // Where nothing is told of all subjects, there is nothing to take its place.
    let level = |it: &str| (200, "application/json", json!({ "compatibilityLevel": it }).to_string());
    let absent = (404, "application/json", json!({ "error_code": 40408, "message": "none" }).to_string());
    fake.kept().next = [level("NONE"), level("NONE"), absent].into();
    let kept = fake.client().set_compatibility(&subject, None, soon()).await;
    assert!(matches!(kept, Err(RegistryError::Kept(_))), "{kept:?}");
}

//! Tests of what requests are called and what they mean.

use std::collections::BTreeSet;

use super::*;
use crate::governance::{
    acl::{Operation, PatternType},
    environment::ClusterFacts,
    kind::Kind,
};

fn content(operations: &[Operation]) -> Content {
    Content {
        applicant: "shop#1".parse().unwrap(),
        owner: Some("pay#2".parse().unwrap()),
        subject: Subject::Access(access(Kind::Topic, operations)),
        principals: [Principal::user("shop")].into(),
        expires_at: Some(Timestamp(9)),
    }
}

fn access(kind: Kind, operations: &[Operation]) -> AccessTo {
    AccessTo {
        kind,
        name: "pay.x".to_owned(),
        pattern: PatternType::Literal,
        operations: operations.iter().copied().collect(),
    }
}

#[test]
fn the_id_of_a_request_names_who_asks() {
    let id: RequestId = "card-shop-0a1b2c3d".parse().unwrap();
    assert_eq!((id.applicant().as_str(), id.to_string().as_str()), ("card-shop", "card-shop-0a1b2c3d"));
    assert_eq!(RequestId::new("shop".parse().unwrap(), 10).to_string(), "shop-0000000a");
    for text in ["", "shop", "shop-", "-0a1b2c3d", "shop-0A1B2C3D", "shop-0a1b2c3", "shop-0a1b2c3d4", "Shop-0a1b2c3d"] {
        assert_eq!(text.parse::<RequestId>(), Err(RequestIdError), "{text}");
    }
    let [first, second] = [1, 2].map(|it| RequestId::of_application("shop".parse().unwrap(), it));
    assert_ne!(first, second);
    assert_eq!(first.to_string().parse(), Ok(first));
}

/// Terraform rule 6: nothing else than what was seen is agreed to.
#[test]
fn a_revision_is_about_everything_that_is_decided() {
    let before = content(&[Operation::Read]);
    let revision = before.revision();
    assert_eq!(revision.as_str().len(), 32);
    assert_eq!(revision.to_string().parse(), Ok(revision.clone()));
    assert_eq!(before.clone().revision(), revision);
    let mut others = vec![content(&[Operation::Write]), before.owned_by("pay#3".parse().unwrap())];
    others.push(Content { applicant: "shop#2".parse().unwrap(), ..before.clone() });
    others.push(Content { expires_at: None, ..before.clone() });
    others.push(Content { principals: [Principal::user("other")].into(), ..before.clone() });
    let renamed = AccessTo { pattern: PatternType::Prefixed, ..access(Kind::Topic, &[Operation::Read]) };
    others.push(Content { subject: Subject::Access(renamed), ..before.clone() });
    let all: BTreeSet<_> = others.iter().map(Content::revision).chain([revision]).collect();
    assert_eq!(all.len(), others.len() + 1);
}

#[test]
fn a_request_reads_as_it_is_written() {
    let before = content(&[Operation::Read, Operation::AlterConfigs]);
    let value = serde_json::to_value(&before).unwrap();
    assert_eq!(value["applicant"], "shop#1");
    assert_eq!(value["subject"]["access"]["operations"], json!(["READ", "ALTER_CONFIGS"]));
    assert_eq!(serde_json::from_value::<Content>(value).unwrap(), before);
}

/// Rule 22: exactly what is asked for, and nothing twice.
#[test]
fn access_is_exact_rules() {
    let rules = |kind, operations: &[Operation], facts: &ClusterFacts| -> Vec<String> {
        let principals = [Principal::user("a"), Principal::user("b")].into();
        access(kind, operations).canonical().bindings(&principals, facts).iter().map(AclBinding::to_string).collect()
    };
    let facts = ClusterFacts::default();
    let old = ClusterFacts { wants_idempotent_write: true, ..ClusterFacts::default() };
    let read = ["TOPIC|LITERAL|pay.x|User:a|*|READ|ALLOW", "TOPIC|LITERAL|pay.x|User:b|*|READ|ALLOW"];
    assert_eq!(rules(Kind::Topic, &[Operation::Read, Operation::Describe], &facts), read);
    assert_eq!(rules(Kind::Topic, &[Operation::Read], &old), read);
    let write = ["TOPIC|LITERAL|pay.x|User:a|*|WRITE|ALLOW", "TOPIC|LITERAL|pay.x|User:b|*|WRITE|ALLOW"];
    assert_eq!(rules(Kind::Topic, &[Operation::Write], &facts), write);
    let idempotent = [
        "CLUSTER|LITERAL|kafka-cluster|User:a|*|IDEMPOTENT_WRITE|ALLOW",
        "CLUSTER|LITERAL|kafka-cluster|User:b|*|IDEMPOTENT_WRITE|ALLOW",
    ];
    let all: BTreeSet<String> = write.into_iter().chain(idempotent).map(str::to_owned).collect();
    assert_eq!(rules(Kind::Topic, &[Operation::Write], &old).into_iter().collect::<BTreeSet<_>>(), all);
    let group = ["GROUP|LITERAL|pay.x|User:a|*|READ|ALLOW", "GROUP|LITERAL|pay.x|User:b|*|READ|ALLOW"];
    assert_eq!(rules(Kind::Group, &[Operation::Read], &old), group);
}

#[test]
fn a_word_for_access_means_operations_that_can_be_asked_for() {
    for kind in Kind::ALL {
        for level in Level::ALL {
            let permitted = askable(kind);
            assert!(level.operations(kind).iter().all(|it| permitted.contains(it)), "{} {kind}", level.word());
        }
    }
    let manage = Level::Manage.operations(Kind::Topic);
    assert!(
        [Operation::Read, Operation::Write, Operation::Delete, Operation::Create].iter().all(|it| !manage.contains(it))
    );
    assert!(Level::Write.operations(Kind::Group).is_empty());
}

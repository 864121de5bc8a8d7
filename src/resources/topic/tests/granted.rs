//! Topics that others were granted access to.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::{
    clients::kafka::{Kafka, KafkaError},
    framework::{Severity, Stored},
    governance::{
        policy::{AccessApproval, Approval, DeployerRights, Policy},
        topic::TopicSpec,
    },
    resources::{
        requests::testing::{Here, plans_nothing, reading, text},
        testing::{Run, nothing, quiet, soon, told},
    },
};

const READ: &str = "TOPIC|LITERAL|pay.orders|User:shop|*|READ|ALLOW";

fn orders() -> Json {
    json!({ "name": "pay.orders", "partitions": 1, "revoke_grants_on_delete": true })
}

/// Where `shop` may read the topic of `pay`.
async fn granted(deployer_rights: DeployerRights) -> (Here, Stored, Stored) {
    let approval = Approval { access: AccessApproval::None, ..Approval::default() };
    let here = Here::under(Policy { approval, deployer_rights, ..Policy::default() }).await;
    let topic = platform(&here).applied(&nothing(), &orders()).await;
    let request = here.filed(&reading()).await;
    assert_eq!(here.granted().await, [READ]);
    (here, topic, request)
}

fn platform(here: &Here) -> Run {
    here.run("topic", None)
}

async fn reconcile(here: &Here) -> usize {
    let done = platform(here).governed().reconcile(soon(), &mut |_| ()).await.unwrap();
    assert!(done.is_complete(), "{done:?}");
    done.done
}

/// Rule 9 of governance: rules outlive a topic, and old readers would read a new one.
#[tokio::test]
async fn a_destroy_removes_the_rules_of_others_before_the_topic() {
    let (here, topic, request) = granted(DeployerRights::Mailbox).await;
    let since = here.cluster.calls().len();
    quiet(&platform(&here).destroy(&topic).await.diagnostics);
    assert_eq!((here.request(&request).await.status.word(), here.granted().await), ("revoked", vec![]));
    let calls = here.cluster.calls().split_off(since);
    let place = |call| calls.iter().position(|it| *it == call).unwrap();
    assert!(place("delete_acls") < place("delete_topic"), "{calls:?}");
    assert_eq!(reconcile(&here).await, 0, "nothing is left");
}

#[tokio::test]
async fn a_topic_stays_while_it_is_not_known_what_became_of_the_rules_of_others() {
    let (here, topic, request) = granted(DeployerRights::Mailbox).await;
    here.cluster.fail("delete_acls", KafkaError::Deadline("removing ACLs".to_owned()));
    let failed = platform(&here).destroy(&topic).await;
    assert!(failed.diagnostics.has_errors(), "{failed:?}");
    assert!(!here.cluster.calls().contains(&"delete_topic"));
    quiet(&platform(&here).destroy(&topic).await.diagnostics);
    assert_eq!((here.request(&request).await.status.word(), here.granted().await), ("revoked", vec![]));
}

#[tokio::test]
async fn who_may_not_change_rules_says_what_is_left_and_who_removes_it() {
    let (here, topic, _) = granted(DeployerRights::Mailbox).await;
    let denied = || KafkaError::Denied { operation: "ALTER", resource: "the cluster".to_owned(), principal: None };
    here.cluster.fail("delete_acls", denied());
    let gone = platform(&here).destroy(&topic).await;
    told(&gone.diagnostics, Severity::Warning, "Rules left behind", READ);
    assert!(gone.diagnostics.0[0].detail.contains("`reconcile`"), "{gone:?}");
    assert!(here.cluster.calls().contains(&"delete_topic"));
    reconcile(&here).await;
    assert_eq!(here.granted().await, Vec::<String>::new());
    // So does a team that deletes its topics itself, and files the rest.
    let (here, topic, _) = granted(DeployerRights::Direct).await;
    let gone = here.deployer("topic", "pay").destroy(&topic).await;
    told(&gone.diagnostics, Severity::Warning, "Rules left behind", "`shop`");
    reconcile(&here).await;
    assert_eq!(here.granted().await, Vec::<String>::new());
}

/// Other tools delete the topic and make it again.
async fn make_anew(here: &Here) {
    let name = "pay.orders".parse().unwrap();
    here.cluster.delete_topic(&name, None, soon()).await.unwrap();
    let spec = TopicSpec { name, partitions: Some(1), replication_factor: None, config: BTreeMap::new() };
    here.cluster.create_topic(&spec, soon()).await.unwrap();
}

/// Rule 9 of governance: who could read the topic before can read the new one, and its owner is to know that.
#[tokio::test]
async fn old_readers_of_a_topic_that_was_made_anew_are_told() {
    let (here, topic, request) = granted(DeployerRights::Mailbox).await;
    quiet(&platform(&here).read(&topic).await.diagnostics);
    make_anew(&here).await;
    let grantee = format!("`shop` (`{}`)", text(&request, "request_id"));
    let seen = platform(&here).read(&topic).await;
    let summaries: Vec<_> = seen.diagnostics.0.iter().map(|it| it.summary.as_str()).collect();
    assert_eq!(summaries, ["Access to a topic made anew", "Topic was made anew outside"]);
    assert!(seen.diagnostics.0[0].detail.contains(&grantee), "{seen:?}");
    let planned = platform(&here).plan(&seen.stored, &orders()).await;
    assert_eq!(planned.planned.state, seen.stored.state, "which one is meant, an import says");
    assert_eq!(here.granted().await, [READ], "it is for the owner to decide");
}

/// Its owner imports the new topic, and with the apply the journal knows it.
#[tokio::test]
async fn a_topic_that_was_made_anew_is_the_owners_with_an_import() {
    let (here, _, _) = granted(DeployerRights::Mailbox).await;
    make_anew(&here).await;
    // Nothing is declared otherwise.
    let orders = json!({ "name": "pay.orders", "partitions": 1 });
    let imported = platform(&here).import("dev/pay.orders").await.stored;
    let mut seen = platform(&here).read(&imported).await;
    for _ in 0..2 {
        told(&seen.diagnostics, Severity::Warning, "Access to a topic made anew", "The next apply");
        seen = platform(&here).read(&seen.stored).await;
    }
    let team = here.deployer("topic", "pay");
    let of_team = team.read(&seen.stored).await.stored;
    assert_eq!(plans_nothing(&team, &of_team, &orders).await, Vec::<String>::new(), "it writes no journal");
    let stored = platform(&here).applied(&seen.stored, &orders).await;
    let seen = platform(&here).read(&stored).await;
    quiet(&seen.diagnostics);
    assert_eq!(seen.stored.state, stored.state);
    assert_eq!(plans_nothing(&platform(&here), &stored, &orders).await, Vec::<String>::new());
    assert_eq!(here.granted().await, [READ]);
    // So it is where the platform makes again what somebody deleted.
    let name = "pay.orders".parse().unwrap();
    here.cluster.delete_topic(&name, None, soon()).await.unwrap();
    let again = platform(&here).applied(&nothing(), &orders).await;
    quiet(&platform(&here).read(&again).await.diagnostics);
    assert_eq!(here.granted().await, [READ]);
}

/// The platform deletes what a team asked to have deleted, and has the rules gone before.
#[tokio::test]
async fn a_topic_whose_end_was_asked_for_goes_after_the_rules_of_others() {
    let (here, topic, request) = granted(DeployerRights::Mailbox).await;
    quiet(&here.deployer("topic", "pay").destroy(&topic).await.diagnostics);
    here.fold().await;
    let since = here.cluster.calls().len();
    platform(&here).governed().delete_topic(&"pay.orders".parse().unwrap(), soon()).await.unwrap();
    let calls = here.cluster.calls().split_off(since);
    let place = |call| calls.iter().position(|it| *it == call).unwrap();
    assert!(place("delete_acls") < place("delete_topic"), "{calls:?}");
    assert_eq!((here.request(&request).await.status.word(), here.granted().await), ("revoked", vec![]));
}

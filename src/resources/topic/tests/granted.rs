//! Topics that others were granted access to.

use serde_json::{Value as Json, json};

use crate::{
    clients::kafka::KafkaError,
    framework::{Severity, Stored},
    governance::policy::{AccessApproval, Approval, DeployerRights, Policy},
    resources::{
        requests::testing::{Here, reading},
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

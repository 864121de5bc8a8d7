//! Grants on a cluster in memory.

use serde_json::json;

use super::*;
use crate::{
    clients::{
        governed::testing::{Here, id, soon},
        kafka::Acls,
    },
    governance::{
        acl::Operation,
        command::{Retraction, Revocation},
        request::{Choice, Judge},
    },
};

async fn approved() -> Here {
    let here = Here::new(json!({})).await;
    here.file(&[Operation::Read], None).await;
    here.decide(Choice::Approve).await;
    here
}

async fn active() -> Here {
    let here = approved().await;
    here.platform().follow(&id(), soon()).await.unwrap();
    assert_eq!((here.status().await, here.granted().await), ("active", vec!["READ".to_owned()]));
    here
}

fn revoke() -> Command {
    Command::RevokeGrant(Revocation { request: id(), reason: None })
}

#[tokio::test]
async fn what_was_agreed_to_is_made_once_and_taken_away_once() {
    let here = Here::new(json!({})).await;
    let before = here.rules().await;
    here.file(&[Operation::Read], None).await;
    here.platform().follow(&id(), soon()).await.unwrap();
    assert_eq!((here.status().await, here.rules().await), ("pending", before.clone()));
    here.decide(Choice::Approve).await;
    here.acting("pay").follow(&id(), soon()).await.unwrap();
    assert_eq!((here.status().await, here.granted().await), ("active", vec!["READ".to_owned()]));
    let offset = here.known().await.head.offset;
    here.platform().follow(&id(), soon()).await.unwrap();
    assert_eq!(here.known().await.head.offset, offset, "nothing is written twice");
    here.acting("pay").command(revoke(), soon()).await.unwrap();
    for _ in 0..2 {
        here.platform().follow(&id(), soon()).await.unwrap();
        assert_eq!((here.status().await, here.rules().await), ("revoked", before.clone()));
    }
}

/// Who may not write the journal files, and the platform does the rest.
#[tokio::test]
async fn who_only_files_gets_nothing_done_and_no_error() {
    let here = approved().await;
    for application in ["pay", "shop"] {
        here.deployer(application).follow(&id(), soon()).await.unwrap();
        here.deployer(application).revoke_grant(&id(), soon()).await.unwrap();
    }
    assert_eq!((here.status().await, here.granted().await), ("approved", vec![]));
}

/// A run may be killed after each of its steps; the next one ends what it began.
#[tokio::test]
async fn each_step_of_a_grant_is_taken_up_again() {
    let rule: AclBinding = "TOPIC|LITERAL|pay.x|User:shop|*|READ|ALLOW".parse().unwrap();
    let steps = [
        vec![Command::StartGrant(Granting { request: id(), on_cluster: [].into() })],
        vec![
            Command::StartGrant(Granting { request: id(), on_cluster: [].into() }),
            Command::MarkBindings(SeenRules { present: [(rule.clone(), 1)].into(), absent: [].into() }),
        ],
        vec![Command::FailGrant(GrantFailure { request: id(), reason: "no".to_owned() })],
    ];
    for (step, is_made) in steps.iter().flat_map(|it| [(it, false), (it, true)]) {
        let here = approved().await;
        for command in step {
            here.platform().command(command.clone(), soon()).await.unwrap();
        }
        if is_made {
            here.cluster.add_rules([rule.clone()]);
        }
        here.platform().follow(&id(), soon()).await.unwrap();
        assert_eq!((here.status().await, here.granted().await), ("active", vec!["READ".to_owned()]), "{step:?}");
        here.platform().command(revoke(), soon()).await.unwrap();
        here.platform().follow(&id(), soon()).await.unwrap();
        let is_others = is_made && matches!(step[0], Command::FailGrant(_));
        assert_eq!(here.status().await, "revoked");
        assert_eq!(here.granted().await.is_empty(), !is_others, "what was there before the grant stays");
    }
}

#[tokio::test]
async fn each_step_of_a_revocation_is_taken_up_again() {
    for has_removed in [false, true] {
        let here = active().await;
        let rule: AclBinding = "TOPIC|LITERAL|pay.x|User:shop|*|READ|ALLOW".parse().unwrap();
        here.platform().command(revoke(), soon()).await.unwrap();
        assert_eq!(here.status().await, "revoking");
        if has_removed {
            here.cluster.delete_acls(std::slice::from_ref(&rule), soon()).await.unwrap();
            let seen = SeenRules::since(&here.known().await.state, [], [rule]);
            here.platform().command(Command::MarkBindings(seen), soon()).await.unwrap();
        }
        here.platform().revoke_grant(&id(), soon()).await.unwrap();
        assert_eq!((here.status().await, here.granted().await), ("revoked", vec![]));
    }
}

#[tokio::test]
async fn an_amendment_takes_the_place_of_what_was_granted() {
    let here = active().await;
    here.file(&[Operation::Write], None).await;
    here.platform().follow(&id(), soon()).await.unwrap();
    assert_eq!((here.status().await, here.granted().await), ("pending", vec!["READ".to_owned()]));
    here.decide(Choice::Approve).await;
    here.platform().follow(&id(), soon()).await.unwrap();
    assert_eq!((here.status().await, here.granted().await), ("active", vec!["WRITE".to_owned()]));
    assert_eq!(here.known().await.state.deeds(), []);
}

#[tokio::test]
async fn a_retraction_and_a_withdrawal_take_away_what_was_granted() {
    let retract = |revision| Command::RetractDecision(Retraction { request: id(), revision, judge: Judge::Owner });
    let here = active().await;
    let revision = here.request().await.revision;
    here.acting("pay").command(retract(revision), soon()).await.unwrap();
    here.acting("pay").follow(&id(), soon()).await.unwrap();
    assert_eq!(here.granted().await, [""; 0]);
    let here = active().await;
    here.acting("shop").command(Command::WithdrawRequest(id()), soon()).await.unwrap();
    here.acting("shop").follow(&id(), soon()).await.unwrap();
    assert_eq!((here.granted().await, here.known().await.state.deeds().len()), (vec![], 0));
    assert!(here.request().await.grant.is_none());
}

#[tokio::test]
async fn rules_that_somebody_removed_are_told_and_made_again() {
    let here = active().await;
    let rule: AclBinding = "TOPIC|LITERAL|pay.x|User:shop|*|READ|ALLOW".parse().unwrap();
    here.cluster.delete_acls(std::slice::from_ref(&rule), soon()).await.unwrap();
    let known = here.known().await;
    let lost = here.platform().lost_of_grant(&id(), &known.state, soon()).await.unwrap();
    assert_eq!(lost, [rule].into());
    here.platform().follow(&id(), soon()).await.unwrap();
    assert_eq!((here.status().await, here.granted().await), ("active", vec!["READ".to_owned()]));
}

/// Rule 10: active is what was seen, not what was asked for.
#[tokio::test]
async fn a_grant_whose_rules_are_not_to_be_seen_has_failed_and_is_tried_again() {
    let here = approved().await;
    here.cluster.forget_rules();
    let failed = here.platform().follow(&id(), soon()).await;
    assert!(matches!(failed, Err(GovernedError::Rules(ref it)) if it.len() == 1), "{failed:?}");
    assert_eq!(here.status().await, "failed");
    let here = approved().await;
    here.cluster.fail("create_acls", KafkaError::Unsupported("ACLs".to_owned()));
    here.platform().follow(&id(), soon()).await.unwrap_err();
    assert_eq!(here.status().await, "failed");
    let texts = here.platform().journal().texts(soon()).await.unwrap();
    let told: Vec<_> = texts.iter().filter(|(key, _)| key.contains(crate::clients::governed::testing::ID)).collect();
    assert!(format!("{told:?}").contains("does not support ACLs"), "{told:?}");
    let here = approved().await;
    here.cluster.fail_next(KafkaError::Unsupported("x".to_owned()));
    here.platform().follow(&id(), soon()).await.unwrap_err();
    here.platform().follow(&id(), soon()).await.unwrap();
    assert_eq!(here.status().await, "active");
}

#[tokio::test]
async fn what_is_enforced_elsewhere_is_made_elsewhere() {
    for enforcement in ["external", "none"] {
        let here = Here::new(json!({"enforcement": enforcement})).await;
        here.file(&[Operation::Read], None).await;
        here.decide(Choice::Approve).await;
        here.platform().follow(&id(), soon()).await.unwrap();
        assert_eq!((here.status().await, here.rules().await), ("approved", vec![]), "{enforcement}");
        here.platform().command(revoke(), soon()).await.unwrap();
        here.platform().follow(&id(), soon()).await.unwrap();
        assert_eq!(here.status().await, "revoked");
    }
}

/// Where resources without a rule are everybody's, the rules of others decide whether the first one shuts anybody out.
#[tokio::test]
async fn an_open_resource_is_not_closed_by_a_grant() {
    let here = Here::new(json!({"acl_mode": "open"})).await;
    here.file(&[Operation::Read], None).await;
    here.decide(Choice::Approve).await;
    here.platform().follow(&id(), soon()).await.unwrap();
    assert_eq!(here.status().await, "active", "the owner has rules for its prefix");
}

/// Two of the platform work at once, and one of them is slow: it says what it did when the other is further. Who then has
/// what nobody agreed to any more, or has not what was agreed to, would stay so for ever.
#[tokio::test]
async fn what_a_slow_run_says_too_late_neither_leaves_a_rule_nor_takes_one() {
    let rule: AclBinding = "TOPIC|LITERAL|pay.x|User:shop|*|READ|ALLOW".parse().unwrap();
    // It removed the rule of a grant before, and says so when a new grant of the same is to be taken away.
    let here = active().await;
    here.file(&[Operation::Write], None).await;
    here.decide(Choice::Approve).await;
    here.platform().command(Command::StartGrant(granting()), soon()).await.unwrap();
    here.platform().settle(&holder(&id()), soon()).await.unwrap();
    here.platform().command(Command::FinishGrant(id()), soon()).await.unwrap();
    let slow = SeenRules::since(&here.known().await.state, [], [rule.clone()]);
    here.platform().follow(&id(), soon()).await.unwrap();
    assert_eq!(here.granted().await, ["WRITE"]);
    here.file(&[Operation::Read], None).await;
    here.decide(Choice::Approve).await;
    here.platform().follow(&id(), soon()).await.unwrap();
    here.acting("pay").command(revoke(), soon()).await.unwrap();
    here.platform().command(Command::MarkBindings(slow), soon()).await.unwrap();
    here.platform().follow(&id(), soon()).await.unwrap();
    assert_eq!((here.status().await, here.granted().await), ("revoked", vec![]), "nobody has what was taken away");

    // It was about to make the rule of a grant, and made it after that was taken away.
    let here = approved().await;
    here.platform().command(Command::StartGrant(granting()), soon()).await.unwrap();
    let slow = SeenRules::since(&here.known().await.state, [rule.clone()], []);
    here.acting("pay").command(revoke(), soon()).await.unwrap();
    here.platform().follow(&id(), soon()).await.unwrap();
    assert_eq!((here.status().await, here.granted().await), ("revoked", vec![]));
    here.cluster.add_rules([rule.clone()]);
    here.platform().command(Command::MarkBindings(slow.clone()), soon()).await.unwrap();
    here.platform().reconcile(soon(), &mut |_| {}).await.unwrap();
    assert_eq!(here.granted().await, [""; 0], "nobody has what was taken away");

    // It made the rule of a grant that was amended since, and says so when another amendment needs it again.
    let here = approved().await;
    here.platform().command(Command::StartGrant(granting()), soon()).await.unwrap();
    here.file(&[Operation::Write], None).await;
    here.decide(Choice::Approve).await;
    here.platform().follow(&id(), soon()).await.unwrap();
    assert_eq!(here.granted().await, ["WRITE"]);
    here.file(&[Operation::Read], None).await;
    here.decide(Choice::Approve).await;
    here.platform().command(Command::StartGrant(granting()), soon()).await.unwrap();
    here.platform().command(Command::MarkBindings(slow), soon()).await.unwrap();
    assert!(here.platform().command(Command::FinishGrant(id()), soon()).await.is_err(), "nobody made it yet");
    here.platform().follow(&id(), soon()).await.unwrap();
    assert_eq!((here.status().await, here.granted().await), ("active", vec!["READ".to_owned()]));
}

fn granting() -> Granting {
    Granting { request: id(), on_cluster: [].into() }
}

//! What the cluster must be like, and what is made of it before anything is governed.

use super::*;

/// Rule 14 of governance: the transactional id has its rule before it is first used.
#[tokio::test]
async fn the_journal_is_the_platforms_before_it_is_used() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    let calls = run.cluster.calls();
    let first = |call: &str| calls.iter().position(|it| *it == call).unwrap();
    assert!(first("create_acls") < first("take_lease"), "{calls:?}");
    let lease = "TRANSACTIONAL_ID|LITERAL|_selfserve.lease|User:platform|*|WRITE|ALLOW".to_owned();
    let write = "TOPIC|LITERAL|_selfserve.text|User:platform|*|WRITE|ALLOW".to_owned();
    let rules = run.rules().await;
    assert!(rules.contains(&lease) && rules.contains(&write), "{rules:?}");

    let two = pre(&json!({"platform_principals": ["User:platform", "User:other"]}));
    let stored = run.applied(&stored, &two).await;
    assert_eq!(run.rules().await.len(), 2 * rules.len());
    run.applied(&stored, &pre(&json!({}))).await;
    assert_eq!(run.rules().await, rules, "who is the platform no more has no rights");
}

#[tokio::test]
async fn everybody_may_ask_where_there_is_an_inbox_and_nobody_afterwards() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    let (inbox, before) = ("_selfserve.inbox".parse().unwrap(), run.rules().await);
    assert_eq!(run.cluster.describe_topic(&inbox, soon()).await.unwrap().map(|it| it.name), None);
    let open = run.applied(&stored, &pre(&json!({"inbox": true}))).await;
    let made = run.cluster.describe_topic(&inbox, soon()).await.unwrap().unwrap();
    assert_eq!(made.config.unwrap()["retention.bytes"].value.as_deref(), Some("67108864"));
    let rules = run.rules().await;
    let new: Vec<_> = rules.iter().filter(|it| !before.contains(it)).collect();
    let expected =
        ["TOPIC|LITERAL|_selfserve.inbox|User:*|*|WRITE|ALLOW", "TOPIC|LITERAL|_selfserve.state|User:*|*|READ|ALLOW"];
    assert_eq!(new, expected);
    run.applied(&open, &pre(&json!({"inbox": false}))).await;
    assert_eq!(run.rules().await, before);
    assert!(run.cluster.describe_topic(&inbox, soon()).await.unwrap().is_some(), "what was asked is not lost");
}

/// Rule 17 of governance: what is not enforced is said.
#[tokio::test]
async fn a_cluster_without_authorizer_works_with_a_warning() {
    let run = Run::new();
    run.cluster.remove_authorizer();
    let planned = run.plan(&nothing(), &pre(&json!({}))).await;
    told(&planned.diagnostics, Severity::Warning, "Cluster is not as it should be");
    let outcome = run.apply(&nothing(), planned.planned, &pre(&json!({}))).await;
    quiet(&outcome.diagnostics);
    assert_eq!(outcome.stored.state.attribute("enforcement"), &"none".into());
    quiet(&run.again().read(&outcome.stored).await.diagnostics);
    let said = pre(&json!({"enforcement": "none"}));
    quiet(&Run::on(&open_cluster()).plan(&nothing(), &said).await.diagnostics);
}

fn open_cluster() -> Arc<MemoryCluster> {
    let res = Arc::new(MemoryCluster::new(3));
    res.remove_authorizer();
    res
}

#[tokio::test]
async fn a_plan_tells_what_is_wrong_with_the_cluster() {
    let run = Run::new();
    run.cluster.set_brokers("auto.create.topics.enable", Some(BrokerSetting::Value("true".to_owned())));
    let planned = run.plan(&nothing(), &pre(&json!({}))).await;
    told(&planned.diagnostics, Severity::Warning, "Cluster is not as it should be");
    assert!(planned.diagnostics.0[0].detail.contains("auto.create.topics.enable"), "{planned:?}");
}

const CREATE: &str = "CLUSTER|LITERAL|kafka-cluster|User:platform|*|CREATE";

#[tokio::test]
async fn rights_that_are_missing_are_told_and_what_was_begun_is_finished() {
    for (has, lacks) in [(&[][..], "ALTER the cluster"), (&[ALTER], "CREATE topic `_selfserve`")] {
        let (cluster, run) = with_rights(has).await;
        let config = pre(&json!({}));
        let planned = run.plan(&nothing(), &config).await;
        assert!(!planned.diagnostics.has_errors(), "a plan needs no right: {planned:?}");
        let outcome = run.apply(&nothing(), planned.planned, &config).await;
        told(&outcome.diagnostics, Severity::Error, "Not permitted by Kafka");
        assert!(outcome.diagnostics.0[0].detail.contains(lacks), "{outcome:?}");
        assert!(outcome.stored.state.is_null());
        allow(&cluster, &[ALTER, CREATE]).await;
        let again = run.again();
        let planned = again.plan(&nothing(), &config).await;
        let outcome = again.apply(&nothing(), planned.planned, &config).await;
        quiet(&outcome.diagnostics);
    }
}

#[tokio::test]
async fn a_journal_of_which_topics_are_missing_is_finished() {
    let create = |it: &str| format!("TOPIC|LITERAL|{it}|User:platform|*|CREATE");
    let (first, second) = (create("_selfserve"), create("_selfserve.state"));
    let (cluster, run) = with_rights(&[ALTER, &first, &second]).await;
    let config = pre(&json!({}));
    let planned = run.plan(&nothing(), &config).await;
    let outcome = run.apply(&nothing(), planned.planned, &config).await;
    told(&outcome.diagnostics, Severity::Error, "Not permitted by Kafka");
    assert!(cluster.describe_topic(&"_selfserve.state".parse().unwrap(), soon()).await.unwrap().is_some());
    allow(&cluster, &[CREATE]).await;
    let again = run.again();
    let planned = again.plan(&nothing(), &config).await;
    assert!(!planned.diagnostics.has_errors(), "{planned:?}");
    quiet(&again.apply(&nothing(), planned.planned, &config).await.diagnostics);
}

#[tokio::test]
async fn who_applies_does_not_lock_itself_out() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    let planned = run.again().plan(&stored, &pre(&json!({"platform_principals": ["User:other"]}))).await;
    told(&planned.diagnostics, Severity::Error, "Caller would lock itself out");
    assert_eq!(planned.diagnostics.0[0].path, Some("platform_principals".into()));
    let other = json!({"platform_principals": ["User:other"], "super_users": ["User:platform"]});
    quiet(&run.again().plan(&stored, &pre(&other)).await.diagnostics);
}

#[tokio::test]
async fn who_is_not_the_platform_declares_no_environment() {
    let (others, unnamed) = (pre(&json!({"platform_principals": ["User:other"]})), json!({"name": "pre"}));
    let run = Run::new();
    quiet(&run.plan(&nothing(), &others).await.diagnostics);
    run.cluster.set_brokers("super.users", None);
    let planned = run.again().plan(&nothing(), &others).await;
    told(&planned.diagnostics, Severity::Error, "Caller is not the platform");
    let outcome = run.apply(&nothing(), planned_as(&run, &others).await, &others).await;
    told(&outcome.diagnostics, Severity::Error, "Caller is not the platform");
    assert_eq!(run.rules().await, Vec::<String>::new());
    let stored = run.applied(&nothing(), &unnamed).await;
    let planned = run.again().plan(&stored, &others).await;
    told(&planned.diagnostics, Severity::Error, "Caller is not the platform");
}

#[tokio::test]
async fn rules_that_are_left_behind_are_told() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    quiet(&declare(&run, "billing", &json!({"principals": ["User:b"]})).await.diagnostics);
    let planned = run.again().plan(&stored, &pre(&json!({"enforcement": "external"}))).await;
    told(&planned.diagnostics, Severity::Warning, "ACLs stay");
}

/// Rule 17 of governance: rules that nobody enforces are not called enforced.
#[tokio::test(start_paused = true)]
async fn rules_that_the_brokers_do_not_follow_are_told_in_the_apply_and_remembered() {
    let run = Run::new();
    run.cluster.set_brokers("super.users", Some(BrokerSetting::Value("User:other".to_owned())));
    run.cluster.ignore_rules();
    let config = pre(&json!({}));
    let planned = run.plan(&Stored::default(), &config).await;
    let outcome = run.apply(&Stored::default(), planned.planned, &config).await;
    told(&outcome.diagnostics, Severity::Warning, "Rights are not enforced");
    let governance = run.ctx.environment(None).unwrap().governance(soon()).await.unwrap().unwrap();
    let probe = governance.snapshot.state.environment().unwrap().probe.unwrap();
    assert_eq!(probe.found, Probed::Ignored);
    assert!(run.rules().await.iter().all(|it| !it.contains("_selfserve.probe")), "what was tried with is removed");
}

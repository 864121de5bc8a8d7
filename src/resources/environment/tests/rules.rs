//! Rules that change, and what is there already.

use super::*;

#[tokio::test]
async fn what_breaks_new_rules_is_warned_about_and_they_are_applied() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    let application = json!({
        "form": 1, "incarnation": 1, "spec": {"name": "billing", "prefixes": {"topic": ["billing."]}}, "status": "ready",
        "created_at": 1,
    });
    let topic = json!({"form": 1, "application": "billing", "partitions": 24, "status": "created", "created_at": 1});
    run.write(&[("application/billing", application), ("topic/billing.orders", topic)]).await;
    let tighter = pre(&json!({"topics": {"partitions": {"max": 12}}}));
    let again = run.again();
    let planned = again.plan(&stored, &tighter).await;
    told(&planned.diagnostics, Severity::Warning, "Existing objects break the new rules");
    assert!(planned.diagnostics.0[0].detail.contains("billing.orders"), "{planned:?}");
    let outcome = again.apply(&stored, planned.planned, &tighter).await;
    quiet(&outcome.diagnostics);
    quiet(&run.again().plan(&outcome.stored, &tighter).await.diagnostics);
}

#[tokio::test]
async fn contradictory_rules_are_told_at_their_attributes_without_a_cluster() {
    let run = Run::new();
    let wrong = pre(&json!({
        "naming": {"topic": "{application}.{domain}"}, "topics": {"partitions": {"min": 6, "max": 3}},
    }));
    let report = run.validate(&wrong);
    let paths: Vec<_> = report.0.iter().map(|it| it.path.as_ref().unwrap().to_string()).collect();
    assert_eq!(paths, ["naming.topic", "topics.partitions.min"]);
    assert!(report.has_errors());
}

#[tokio::test]
async fn principals_of_applications_are_not_the_platforms() {
    let run = Run::new();
    let unnamed = json!({"name": "pre"});
    let stored = run.applied(&nothing(), &unnamed).await;
    let outcome = declare(&run, "billing", &json!({"principals": ["User:platform"]})).await;
    told(&outcome.diagnostics, Severity::Error, "Principal refused");
    let outcome = declare(&run, "billing", &json!({"principals": ["User:b"], "deployers": ["User:ci"]})).await;
    quiet(&outcome.diagnostics);
    for (attribute, principal) in
        [("platform_principals", "User:b"), ("super_users", "User:ci"), ("broker_principals", "User:b")]
    {
        let mut changed = json!({"name": "pre", "platform_principals": ["User:platform"]});
        let mut principals = vec![Json::from("User:platform")];
        principals.push(principal.into());
        changed[attribute] = principals.into();
        let again = run.again();
        let planned = again.plan(&stored, &changed).await;
        told(&planned.diagnostics, Severity::Error, "Principal of an application");
        assert!(planned.diagnostics.0[0].detail.contains("`billing`"), "{planned:?}");
        assert!(planned.diagnostics.0[0].path.as_ref().unwrap().to_string().starts_with(attribute), "{planned:?}");
        let outcome = again.apply(&stored, planned.planned, &changed).await;
        told(&outcome.diagnostics, Severity::Error, "Principal of an application");
    }
}

/// The operations on topics that a principal is given under its prefix.
async fn given(run: &Run, principal: &str) -> Vec<String> {
    let about = format!("TOPIC|PREFIXED|billing.|{principal}|*|");
    let operations = run.rules().await.into_iter().filter_map(|it| it.strip_prefix(&about).map(str::to_owned));
    operations.map(|it| it.trim_end_matches("|ALLOW").to_owned()).collect()
}

/// Plans and applies that deployers work directly, which the plan says makes advice of the rules.
async fn let_in(run: &Run, prior: &Stored, config: &Json) -> Stored {
    let run = run.again();
    let planned = run.plan(prior, config).await;
    told(&planned.diagnostics, Severity::Warning, "Rules become advice");
    let outcome = run.apply(prior, planned.planned, config).await;
    quiet(&outcome.diagnostics);
    outcome.stored
}

#[tokio::test]
async fn other_rights_of_deployers_are_made_for_applications_that_are_there() {
    let run = Run::new();
    let config = |rights: &str| pre(&json!({"deployer_rights": rights}));
    let stored = let_in(&run, &nothing(), &config("direct")).await;
    quiet(&declare(&run, "billing", &json!({"deployers": ["User:ci"]})).await.diagnostics);
    let direct = ["CREATE", "DELETE", "ALTER", "ALTER_CONFIGS"];
    let is = |found: Vec<String>, expected: &[&str]| {
        let mut expected: Vec<_> = expected.to_vec();
        let mut found: Vec<_> = found.iter().map(String::as_str).collect();
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected);
    };
    is(given(&run, "User:ci").await, &direct);
    let stored = run.applied(&stored, &config("mailbox")).await;
    is(given(&run, "User:ci").await, &["DESCRIBE", "DESCRIBE_CONFIGS"]);
    let stored = let_in(&run, &stored, &config("direct")).await;
    is(given(&run, "User:ci").await, &direct);
    let relabelled = pre(&json!({"deployer_rights": "direct", "labels": {"region": "eu"}}));
    run.applied(&stored, &relabelled).await;
}

#[tokio::test]
async fn applications_whose_rights_could_not_be_made_anew_are_told_and_mended_by_their_own_apply() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({"enforcement": "none"}))).await;
    let application = declare(&run, "billing", &json!({"principals": ["User:b"]})).await;
    quiet(&application.diagnostics);
    let acl = pre(&json!({"enforcement": "acl"}));
    let again = run.again();
    let planned = again.plan(&stored, &acl).await;
    quiet(&planned.diagnostics);
    run.cluster.fail("acls", KafkaError::Deadline("reading ACLs".to_owned()));
    let outcome = again.apply(&stored, planned.planned, &acl).await;
    let told_of: Vec<_> =
        outcome.diagnostics.0.iter().filter(|it| it.summary == "Rights are not as the rules say").collect();
    assert!(
        matches!(&told_of[..], [it] if it.severity == Severity::Warning && it.detail.contains("`billing`")
        && it.detail.contains("reconcile")),
        "{outcome:?}"
    );
    assert_eq!(given(&run, "User:b").await, Vec::<String>::new());

    let applications = run.again().applications();
    let seen = applications.read(&application.stored).await;
    told(&seen.diagnostics, Severity::Warning, "Rights are not as the rules say");
    assert_eq!(seen.stored.state.attribute("status"), &"drifted".into());
    let config = json!({"name": "billing", "owner": {"team": "payments"}, "principals": ["User:b"]});
    applications.applied(&seen.stored, &config).await;
    assert_eq!(given(&run, "User:b").await.len(), 2);
    quiet(&applications.read(&seen.stored).await.diagnostics);
}

#[tokio::test]
async fn rules_for_configuration_that_kafka_does_not_take_are_told_at_their_keys() {
    let run = Run::new();
    let config = |rules: Json| pre(&json!({"topics": {"config": rules}}));
    for (rules, severity, summary, path) in [
        (
            json!({"retention.mss": {"max": 5}}),
            Severity::Error,
            "Configuration key unknown to Kafka",
            r#"["retention.mss"]"#,
        ),
        (
            json!({"retention.mss": {"allowed": false}}),
            Severity::Error,
            "Configuration key unknown to Kafka",
            r#"["retention.mss"]"#,
        ),
        (
            json!({"cleanup.policy": {"default": "never"}, "retention.ms": {"default": "5"}}),
            Severity::Error,
            "Default refused by Kafka",
            r#"["cleanup.policy"].default"#,
        ),
        (
            json!({"cleanup.policy": {"one_of": ["delete", "never"]}}),
            Severity::Warning,
            "Value refused by Kafka",
            r#"["cleanup.policy"]"#,
        ),
    ] {
        let (wrong, again) = (config(rules), run.again());
        let planned = again.plan(&nothing(), &wrong).await;
        told(&planned.diagnostics, severity, summary);
        assert_eq!(planned.diagnostics.0[0].path.as_ref().unwrap().to_string(), format!("topics.config{path}"));
        if severity == Severity::Error {
            let outcome = again.apply(&nothing(), planned.planned, &wrong).await;
            told(&outcome.diagnostics, severity, summary);
            assert_eq!(run.rules().await, Vec::<String>::new(), "nothing was made");
        }
    }
    let right = config(json!({"cleanup.policy": {"one_of": ["delete"]}, "retention.ms": {"max": 5}}));
    let stored = run.applied(&nothing(), &right).await;
    let wrong = config(json!({"retention.mss": {"max": 5}}));
    let planned = run.again().plan(&stored, &wrong).await;
    told(&planned.diagnostics, Severity::Error, "Configuration key unknown to Kafka");
    let (_, blind) = with_rights(&[ALTER]).await;
    assert!(!blind.plan(&nothing(), &wrong).await.diagnostics.has_errors(), "who may not try it is told nothing");
}

#[tokio::test]
async fn configuration_that_breaks_new_rules_is_looked_at_on_the_cluster() {
    let run = Run::new();
    let stored = run.applied(&nothing(), &pre(&json!({}))).await;
    quiet(&declare(&run, "billing", &json!({})).await.diagnostics);
    let topics = testing::Run::on(&run.cluster, "topic", Acting::default());
    let topic = json!({"name": "billing.orders", "partitions": 1, "config": {"retention.ms": "9000"}});
    topics.applied(&nothing(), &topic).await;
    let tighter = pre(&json!({"topics": {"config": {"retention.ms": {"max": 5000}}}}));
    let planned = run.again().plan(&stored, &tighter).await;
    told(&planned.diagnostics, Severity::Warning, "Existing objects break the new rules");
    assert!(planned.diagnostics.0[0].detail.contains("`retention.ms` is `9000`"), "{planned:?}");
    run.cluster.fail("describe_topic", KafkaError::Deadline("describing".to_owned()));
    let planned = run.again().plan(&stored, &tighter).await;
    told(&planned.diagnostics, Severity::Warning, "Configuration not checked");
}

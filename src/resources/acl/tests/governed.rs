//! Rules on a governed cluster in memory.

use std::collections::BTreeMap;

use super::*;
use crate::{
    framework::PlanResponse,
    governance::{
        binding::Holder,
        command::Command,
        policy::{AclMode, Enforcement},
        topic::TopicSpec,
    },
    resources::testing::change_policy,
};

fn acting(application: &str) -> Acting {
    Acting { application: Some(application.parse().unwrap()), ..Acting::default() }
}

/// A cluster where `billing` owns what begins with `billing.`, and runs as `User:billing`.
async fn with_billing(policy: Policy) -> Arc<MemoryCluster> {
    let cluster = governed_by(policy).await;
    let application = Run::on(&cluster, "application", Acting::default());
    let config = json!({ "name": "billing", "owner": { "team": "payments" }, "principals": ["User:billing"] });
    application.applied(&nothing(), &config).await;
    cluster
}

fn invoices(principals: &[&str], operations: &[&str]) -> Json {
    json!({
        "resource_type": "topic", "resource_name": "billing.invoices", "principals": principals,
        "operations": operations,
    })
}

async fn about_invoices(cluster: &Arc<MemoryCluster>) -> Vec<String> {
    rules(cluster).await.into_iter().filter(|it| it.contains("|billing.invoices|")).collect()
}

#[track_caller]
fn refused(planned: &PlanResponse, expected: &[&str]) {
    assert_eq!(summaries(&planned.diagnostics), expected, "{:?}", planned.diagnostics);
    assert!(planned.diagnostics.has_errors());
}

/// Rule 10 of governance: what somebody else needs stays.
#[tokio::test]
async fn rules_that_another_needs_survive_the_end_of_one() {
    let cluster = with_billing(Policy::default()).await;
    let platform = Run::on(&cluster, "acl", Acting::default());
    let one = platform.applied(&nothing(), &invoices(&["User:audit"], &["READ"])).await;
    let wide = Run::on(&cluster, "acl", Acting::default());
    let two = wide.applied(&nothing(), &invoices(&["User:audit", "User:tax"], &["READ"])).await;
    quiet(&Run::on(&cluster, "acl", Acting::default()).destroy(&one).await.diagnostics);
    assert_eq!(about_invoices(&cluster).await.len(), 2);
    let less = invoices(&["User:tax"], &["READ", "DESCRIBE"]);
    let two = Run::on(&cluster, "acl", Acting::default()).applied(&two, &less).await;
    let rule = |operation| format!("TOPIC|LITERAL|billing.invoices|User:tax|*|{operation}|ALLOW");
    assert_eq!(about_invoices(&cluster).await, [rule("READ"), rule("DESCRIBE")]);

    // What the application has by itself is not for a declaration to take away.
    let own = json!({
        "resource_type": "topic", "resource_name": "billing.", "pattern_type": "prefixed",
        "principals": ["User:billing"], "operations": ["READ"],
    });
    let before = rules(&cluster).await;
    let same = Run::on(&cluster, "acl", Acting::default()).applied(&nothing(), &own).await;
    quiet(&Run::on(&cluster, "acl", Acting::default()).destroy(&same).await.diagnostics);
    assert_eq!(rules(&cluster).await, before);
    quiet(&Run::on(&cluster, "acl", Acting::default()).destroy(&two).await.diagnostics);
    assert_eq!(about_invoices(&cluster).await, Vec::<String>::new());
}

#[tokio::test]
async fn rules_that_somebody_took_away_are_made_again_and_imported_ones_go_with_their_end() {
    let cluster = with_billing(Policy::default()).await;
    let config = invoices(&["User:audit"], &["READ", "DESCRIBE"]);
    let created = Run::on(&cluster, "acl", Acting::default()).applied(&nothing(), &config).await;
    let lost = binding("TOPIC|LITERAL|billing.invoices|User:audit|*|READ|ALLOW");
    cluster.delete_acls(&[lost], soon()).await.unwrap();
    let run = Run::on(&cluster, "acl", Acting::default());
    let seen = run.read(&created).await.stored;
    assert_eq!(principals(&seen), Vec::<String>::new());
    run.applied(&seen, &config).await;
    assert_eq!(about_invoices(&cluster).await.len(), 2);

    let foreign = "TOPIC|LITERAL|billing.invoices|User:x|*|READ|ALLOW";
    cluster.add_rules([binding(foreign)]);
    let run = Run::on(&cluster, "acl", Acting::default());
    let imported = run.import(foreign).await.stored;
    let imported = run.read(&imported).await.stored;
    quiet(&run.destroy(&imported).await.diagnostics);
    assert_eq!(about_invoices(&cluster).await.len(), 2);
}

#[tokio::test]
async fn an_application_writes_rules_about_its_own_for_its_own_alone() {
    let cluster = with_billing(Policy::default()).await;
    let team = Run::on(&cluster, "acl", acting("billing"));
    let config = invoices(&["User:billing"], &["READ"]);
    let created = team.applied(&nothing(), &config).await;
    let state = team.governed().snapshot(soon()).await.unwrap();
    let rule = binding("TOPIC|LITERAL|billing.invoices|User:billing|*|READ|ALLOW");
    let holders = &state.state.binding(&rule).unwrap().holders;
    assert!(holders.iter().all(|it| it.declared_by() == Some("billing")), "{holders:?}");
    let team = Run::on(&cluster, "acl", acting("billing"));
    quiet(&team.destroy(&created).await.diagnostics);

    let outside = "Rule outside the application";
    refused(&team.plan(&nothing(), &invoices(&["User:audit"], &["READ"])).await, &[&format!("principals {outside}")]);
    let mut foreign = invoices(&["User:billing"], &["READ"]);
    foreign["resource_name"] = json!("shipping.parcels");
    let planned = team.plan(&nothing(), &foreign).await;
    refused(&planned, &[&format!("resource_name {outside}")]);
    assert!(planned.diagnostics.0[0].detail.contains("`kafka_access_request`"), "{:?}", planned.diagnostics);
    let many = team.plan(&nothing(), &invoices(&["User:billing"], &["ALTER", "DELETE"])).await;
    refused(&many, &[&format!("operations {outside}")]);
    let mut deny = invoices(&["User:billing"], &["READ"]);
    deny["permission"] = json!("deny");
    refused(&team.plan(&nothing(), &deny).await, &[&format!("permission {outside}")]);

    // Nor does it remove what it could not have declared.
    cluster.add_rules([binding("TOPIC|LITERAL|billing.invoices|User:audit|*|READ|ALLOW")]);
    let team = Run::on(&cluster, "acl", acting("billing"));
    let imported = team.import("TOPIC|LITERAL|billing.invoices|User:audit|*|READ|ALLOW").await.stored;
    assert!(team.destroy(&imported).await.diagnostics.has_errors());
    assert_eq!(about_invoices(&cluster).await.len(), 1);
}

/// Who ends rules may be another than who declared them.
#[tokio::test]
async fn the_platform_ends_what_a_team_declared_and_no_team_what_another_did() {
    let cluster = with_billing(Policy::default()).await;
    let team = Run::on(&cluster, "acl", acting("billing"));
    let created = team.applied(&nothing(), &invoices(&["User:billing"], &["READ", "DESCRIBE"])).await;
    let platform = Run::on(&cluster, "acl", Acting::default());
    let less = platform.applied(&created, &invoices(&["User:billing"], &["READ"])).await;
    assert_eq!(about_invoices(&cluster).await.len(), 1);
    let team = Run::on(&cluster, "acl", acting("billing"));
    let summary = "Not yours to decide";
    told(&team.plan_end(&less).await.diagnostics, Severity::Error, summary, "for the platform");
    told(&team.destroy(&less).await.diagnostics, Severity::Error, summary, "`billing`");
    assert_eq!(about_invoices(&cluster).await.len(), 1);
    quiet(&Run::on(&cluster, "acl", Acting::default()).destroy(&less).await.diagnostics);

    let (team, config) = (Run::on(&cluster, "acl", acting("billing")), invoices(&["User:billing"], &["READ"]));
    let created = team.applied(&nothing(), &config).await;
    quiet(&Run::on(&cluster, "acl", Acting::default()).destroy(&created).await.diagnostics);
    assert_eq!(about_invoices(&cluster).await, Vec::<String>::new());
}

#[tokio::test]
async fn rules_for_an_application_go_with_it() {
    let cluster = with_billing(Policy::default()).await;
    let mut config = invoices(&["User:audit"], &["READ"]);
    config["application"] = json!("dev/billing");
    Run::on(&cluster, "acl", Acting::default()).applied(&nothing(), &config).await;
    let governed = Run::on(&cluster, "acl", Acting::default()).governed();
    governed.command(Command::DeleteApplication("billing".parse().unwrap()), soon()).await.unwrap();
    governed.unprovision(&"billing".parse().unwrap(), soon()).await.unwrap();
    let known = governed.snapshot(soon()).await.unwrap();
    let held = known.state.bindings().filter(|(_, it)| it.holders.iter().any(|it| matches!(it, Holder::Declared(_))));
    assert_eq!(held.count(), 0);
    config["application"] = json!("shipping");
    let planned = Run::on(&cluster, "acl", Acting::default()).plan(&nothing(), &config).await;
    told(&planned.diagnostics, Severity::Warning, "Application missing", "`shipping`");
}

#[tokio::test]
async fn what_the_environment_forbids_is_refused_for_everybody() {
    let policy: Policy = serde_json::from_value(json!({
        "acls": { "forbidden_operations": { "topic": ["ALTER"] }, "allow_any_principal": false },
    }))
    .unwrap();
    let cluster = with_billing(policy).await;
    let platform = Run::on(&cluster, "acl", Acting::default());
    let planned = platform.plan(&nothing(), &invoices(&["User:*"], &["ALL"])).await;
    refused(&planned, &["operations ACL refused", "principals ACL refused"]);
    let mut aliased = invoices(&["User:x"], &["READ"]);
    aliased.as_object_mut().unwrap().remove("principals");
    aliased["acl_principal"] = json!("User:*");
    refused(&platform.plan(&nothing(), &aliased).await, &["acl_principal ACL refused"]);
}

/// Rule 5 of governance: where resources without a rule are everybody's, no rule closes or opens what is there.
#[tokio::test]
async fn rules_that_would_close_what_everybody_uses_are_refused_unless_that_is_meant() {
    let open = Policy { acl_mode: AclMode::Open, ..Policy::default() };
    let cluster = governed_by(open.clone()).await;
    let spec = TopicSpec {
        name: "billing.invoices".parse().unwrap(),
        partitions: Some(1),
        replication_factor: Some(1),
        config: BTreeMap::new(),
    };
    cluster.create_topic(&spec, soon()).await.unwrap();
    let config = invoices(&["User:audit"], &["READ"]);
    let planned = Run::on(&cluster, "acl", Acting::default()).plan(&nothing(), &config).await;
    refused(&planned, &["resource_name Rules would close existing objects"]);
    change_policy(&cluster, Policy { acl_mode: AclMode::Closing, ..open }).await;
    Run::on(&cluster, "acl", Acting::default()).applied(&nothing(), &config).await;
    assert_eq!(about_invoices(&cluster).await.len(), 1);
}

#[tokio::test]
async fn rules_are_not_made_where_something_else_enforces_rights_or_with_a_teams_credential() {
    let cluster = with_billing(Policy { enforcement: Enforcement::External, ..Policy::default() }).await;
    let config = invoices(&["User:audit"], &["READ"]);
    let planned = Run::on(&cluster, "acl", Acting::default()).plan(&nothing(), &config).await;
    refused(&planned, &[" Rights made elsewhere"]);

    let cluster = governed_by(Policy::default()).await;
    let application = Run::on(&cluster, "application", Acting::default());
    let spec = json!({ "name": "billing", "owner": { "team": "payments" }, "deployers": ["User:ci"] });
    application.applied(&nothing(), &spec).await;
    let kafka: Arc<dyn Kafka> = cluster.clone();
    let environment = Environment::new("dev", kafka).acting(Arc::default(), Some(Principal::user("ci")));
    let team = Run::with(Context::new([environment], None), "acl");
    let planned = team.plan(&nothing(), &config).await;
    refused(&planned, &[" ACLs are the platform's"]);
    assert!(planned.diagnostics.0[0].detail.contains("`kafka_access_request`"), "{:?}", planned.diagnostics);
    let planned = Run::on(&cluster, "acl", Acting::default()).plan(&nothing(), &config).await.planned;
    let outcome = team.apply(&nothing(), planned, &config).await;
    told(&outcome.diagnostics, Severity::Error, "ACLs are the platform's", "`kafka_application`");
    assert_eq!(about_invoices(&cluster).await, Vec::<String>::new());
}

//! `kafka_acl` on a cluster whose platform declared an environment.

use acceptance_tests::{Engine, Stack, Workspace};

use crate::{
    acl::{block, rules, these, topic_rules},
    governance::workspace,
};

const ENVIRONMENT: &str = r#"
resource "kafka_environment" "dev" {
  name = "dev"

  acls = {
    allow_any_principal  = false
    forbidden_operations = { cluster = ["ALTER"] }
  }
}

resource "kafka_application" "billing" {
  name        = "billing"
  environment = kafka_environment.dev.id
  owner       = { team = "billing" }
  principals  = ["User:acl-billing"]
}
"#;

#[test]
fn an_environment_says_which_rules_may_be_and_the_journal_who_needs_them() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let platform = workspace(&engine, &stack, None);
        platform.write("main.tf", ENVIRONMENT);
        platform.applies();

        what_the_policy_forbids_is_told_in_the_plan(&platform);
        a_team_writes_rules_for_what_is_its_own(&workspace(&engine, &stack, Some("billing")), &stack);
        a_rule_goes_with_the_last_who_needs_it(&engine, &stack);

        platform.destroy().success();
    }
}

#[track_caller]
fn what_the_policy_forbids_is_told_in_the_plan(platform: &Workspace) {
    let everybody = block("everybody", &topic_rules("audit", &["User:*"], &["READ"]));
    let alter = "resource_type = \"cluster\"\nresource_name = \"kafka-cluster\"\nprincipals = [\"User:acl-ops\"]\noperations = [\"ALTER\"]";
    platform.write("acls.tf", &format!("{everybody}{}", block("alter", alter)));
    platform.plan().failure(&[
        "ACL refused",
        "User:*",
        "acls.forbidden_operations",
        "acls.tf line 4",
        "acls.tf line 12",
    ]);
    platform.remove("acls.tf");
}

#[track_caller]
fn a_team_writes_rules_for_what_is_its_own(billing: &Workspace, stack: &Stack) {
    billing.write("main.tf", &block("it", &topic_rules("sales.orders", &["User:acl-billing"], &["READ"])));
    billing.plan().failure(&["Rule outside the application", "|sales.orders|User:acl-billing|"]);
    billing.write("main.tf", &block("it", &topic_rules("billing.invoices", &["User:acl-stranger"], &["READ"])));
    billing.plan().failure(&[
        "Rule outside the application",
        "principals = [\"User:acl-stranger\"]",
        "|User:acl-stranger|",
    ]);
    billing.write("main.tf", &block("it", &topic_rules("billing.invoices", &["User:acl-billing"], &["READ"])));
    billing.applies();
    billing.plans_nothing();
    assert!(rules(stack, "User:acl-billing").contains("TOPIC billing.invoices LITERAL READ ALLOW"));
    billing.destroy().success();
    assert!(!rules(stack, "User:acl-billing").contains("TOPIC billing.invoices LITERAL READ ALLOW"));
}

/// Two states declare one rule, of which neither knows the other.
#[track_caller]
fn a_rule_goes_with_the_last_who_needs_it(engine: &Engine, stack: &Stack) {
    let (first, second) = (workspace(engine, stack, None), workspace(engine, stack, None));
    first.write("main.tf", &block("it", &topic_rules("audit", &["User:acl-audit"], &["READ"])));
    second.write("main.tf", &block("it", &topic_rules("audit", &["User:acl-audit", "User:acl-tax"], &["READ"])));
    first.applies();
    second.applies();
    let rule = these(["TOPIC audit LITERAL READ ALLOW"]);
    first.destroy().success();
    assert_eq!(rules(stack, "User:acl-audit"), rule, "the other state needs it");
    second.plans_nothing();
    second.destroy().success();
    assert_eq!(rules(stack, "User:acl-audit"), these([]));
}

//! `kafka_application`.

use acceptance_tests::{Engine, Stack};

use crate::{
    consumer_group::commit,
    example,
    importing::{examples, imports_are_as_good_as_creation},
    servers, workspace, workspace_with,
};

/// One cluster is one environment, so that each of these has a broker of its own.
#[test]
fn the_example_lives_from_create_to_destroy() {
    for engine in Engine::all() {
        let stack = Stack::start().expect("a broker starts");
        let platform = workspace_with(&engine, &servers(&stack.plaintext()));
        platform.write("environment.tf", "resource \"kafka_environment\" \"dev\" {\n name = \"dev\"\n}\n");
        platform.applies();
        let example = example("resources/kafka_application/resource.tf");
        platform.write("main.tf", &example);
        platform.applies();
        platform.plans_nothing();
        assert_eq!(platform.attributes("kafka_application.billing")["status"], "ready");
        assert!(stack.rules("User:billing").contains("billing."), "{}", stack.rules("User:billing"));
        let examples = examples("kafka_application", &stack);
        imports_are_as_good_as_creation(&platform, "kafka_application.billing", examples);
        platform.remove("main.tf");
        platform.applies();
        assert!(!stack.rules("User:billing").contains("ResourcePattern"), "{}", stack.rules("User:billing"));
    }
}

#[test]
fn groups_of_nobody_under_a_claimed_prefix_are_to_be_adopted() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        stack.create_topic("old", 1);
        commit(&stack, "billing.readers", "old");
        let platform = workspace_with(&engine, &servers(&stack.plaintext()));
        platform.write("environment.tf", "resource \"kafka_environment\" \"dev\" {\n name = \"dev\"\n}\n");
        platform.applies();
        let block = |more: &str| {
            format!(
                "resource \"kafka_application\" \"a\" {{\n name = \"billing\"\n owner = {{ team = \"payments\" }}\n{more}}}\n"
            )
        };
        platform.write("main.tf", &block(""));
        platform.plan().failure(&["Prefix covers existing objects", "`billing.readers`", "on_existing = \"adopt\""]);
        platform.write("main.tf", &block(" on_existing = \"adopt\"\n"));
        platform.applies();
        platform.plans_nothing();
    }
}

#[test]
fn an_application_of_an_undeclared_environment_waits_for_it() {
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &example("resources/kafka_application/resource.tf"));
        workspace.plan().says(&["No environment declared", "Declare it with `kafka_environment`"]);
        workspace.apply().failure(&["No journal", "kafka_application.billing"]);
        assert_eq!(workspace.addresses(), Vec::<String>::new());
    }
}

#[test]
fn what_no_application_can_be_is_refused_without_a_cluster() {
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write(
            "main.tf",
            r#"
resource "kafka_application" "a" {
  name       = "Billing"
  owner      = { team = "payments" }
  principals = ["billing"]
  expires_at = "tomorrow"
}
"#,
        );
        workspace.validate().failure(&["Invalid application name", "Invalid principal", "Invalid date and time"]);
    }
}

//! What the brokers' authorizer makes of the rules.

use acceptance_tests::{Engine, Stack, Workspace};

use crate::{connections::sasl, servers, workspace_with};

const ACLS: &str = "org.apache.kafka.tools.AclCommand";

const CONDITION: &str = r#"
data "kafka_environment" "dev" {
  depends_on = [kafka_environment.dev]
}

output "enforcement" {
  value = one([for it in data.kafka_environment.dev.conditions : it if it.name == "enforcement"])
}
"#;

#[track_caller]
fn says(workspace: &Workspace, status: &str, message: &str) {
    let told = workspace.run(&["output", "-json", "-no-color", "enforcement"]).success();
    told.says(&[&format!("\"status\":\"{status}\""), message]);
}

fn environment(rest: &str) -> String {
    format!("resource \"kafka_environment\" \"dev\" {{\n name = \"dev\"\n{rest}\n}}\n")
}

const ADOPTING: &str = r#"
resource "kafka_application" "legacy" {
  name        = "legacy"
  owner       = { team = "legacy" }
  principals  = ["User:legacy"]
  on_existing = "adopt"
  depends_on  = [kafka_environment.dev]
}
"#;

/// Rule 5 of governance: on an open cluster, the first rule for a topic locks out whoever used it.
#[test]
fn on_an_open_cluster_nobody_is_locked_out_unless_the_platform_means_to() {
    for engine in Engine::usual() {
        let stack = Stack::start_open().expect("a broker starts");
        stack.create_topic("legacy.orders", 1);
        stack.produce_as(Stack::TEAM, "legacy.orders").success().says(&["3 records sent"]);
        let platform = workspace_with(&engine, &servers(&stack.plaintext()));
        let open = environment("acl_mode = \"open\"");
        platform.write("main.tf", &open);
        platform.applies();
        platform.write("main.tf", &[&open, ADOPTING].concat());
        let refusal = ["Rules would close existing objects", "`legacy.orders`", "`acl_mode = \"closing\"`"];
        platform.plan().failure(&refusal);
        stack.produce_as(Stack::TEAM, "legacy.orders").success().says(&["3 records sent"]);
        let closing = environment("acl_mode = \"closing\"");
        platform.write("main.tf", &closing);
        platform.applies();
        platform.write("main.tf", &[&closing, ADOPTING].concat());
        platform.applies();
        stack.produce_as(Stack::TEAM, "legacy.orders").says(&["Not authorized to access topics"]);
        platform.write("main.tf", &[&open, ADOPTING].concat());
        platform.applies();
        platform.plans_nothing();
    }
}

/// Rule 17 of governance: enforcement is claimed after it was tried.
#[test]
fn enforcement_is_tried_by_a_platform_that_is_no_super_user_and_nothing_is_left_of_it() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let rights = ["Create", "Alter", "DescribeConfigs"].map(|it| ["--operation", it]).concat();
        stack.tool(ACLS, &[&["--add", "--cluster", "--allow-principal", "User:team"], &rights[..]].concat());
        let platform = workspace_with(&engine, &sasl(&stack, "SCRAM-SHA-512", Stack::TEAM));
        let declared = environment("platform_principals = [\"User:team\"]");
        platform.write("main.tf", &[&declared, CONDITION].concat());
        platform.applies();
        says(&platform, "good", "the brokers follow rules");
        assert!(!stack.rules("User:team").contains("_selfserve.probe"), "{}", stack.rules("User:team"));

        // One who may see every topic is forbidden to see one.
        stack.allow("team", &["Describe"], "_self");
        let changed = environment("platform_principals = [\"User:team\"]\nstage = \"x\"");
        platform.write("main.tf", &[&changed, CONDITION].concat());
        platform.applies();
        says(&platform, "good", "the brokers follow rules");
        assert!(!stack.rules("User:team").contains("_selfserve.probe"), "{}", stack.rules("User:team"));

        // No rule holds for a super user, so that nothing is found.
        platform.write("provider.tf", &crate::provider(&sasl(&stack, "SCRAM-SHA-512", Stack::ADMIN)));
        let both = "platform_principals = [\"User:team\"]\nsuper_users = [\"User:admin\"]";
        platform.write("main.tf", &[&environment(both), CONDITION].concat());
        platform.applies();
        says(&platform, "unknown", "the caller is a super user");
    }
}

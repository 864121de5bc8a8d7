//! What the brokers' authorizer makes of the rules.

use acceptance_tests::{Engine, Stack};

use crate::{servers, workspace_with};

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

//! `kafka_application`.

use acceptance_tests::Engine;

use crate::{example, workspace};

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

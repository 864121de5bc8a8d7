//! `kafka_access_request`.

use acceptance_tests::{Engine, Stack, Workspace};

use crate::{
    access::{acting, platform},
    example, workspace,
};

const ADDRESS: &str = "kafka_access_request.invoices";

/// One cluster is one environment, so that each of these has a broker of its own.
#[test]
fn the_example_lives_from_create_to_destroy() {
    for engine in Engine::all() {
        let stack = Stack::start().expect("a broker starts");
        let platform = platform(&engine, &stack, "");
        let shipping = acting(&engine, &stack, "shipping");
        shipping.write("main.tf", &example("resources/kafka_access_request/resource.tf"));
        shipping.applies();
        shipping.plans_nothing();
        let made = shipping.attributes(ADDRESS);
        assert_eq!((&made["status"], &made["owner"]), (&"pending".into(), &"billing".into()));
        imports_are_as_good_as_creation(&stack, &shipping);
        shipping.destroy().success();
        platform.plans_nothing();
        platform.destroy().success();
    }
}

#[track_caller]
fn imports_are_as_good_as_creation(stack: &Stack, workspace: &Workspace) {
    let id = workspace.attributes(ADDRESS)["request_id"].as_str().expect("a request has an id").to_owned();
    let named = |file: &str| {
        let text = example(&format!("resources/kafka_access_request/{file}")).replace("shipping-1a2b3c4d", &id);
        text.replace("MkU3OEVBNTcwNTJENDM2Qg", stack.cluster_id())
    };
    let script = named("import.sh");
    let command = script.lines().find_map(|it| it.strip_prefix("terraform ")).expect("the example is a command");
    workspace.forget(ADDRESS);
    workspace.run(&command.split(' ').collect::<Vec<_>>()).success();
    workspace.plans_nothing();
    let by_identity = workspace.engine().imports_by_identity.then(|| named("import-by-identity.tf"));
    for block in [Some(named("import-by-string-id.tf")), by_identity].into_iter().flatten() {
        workspace.forget(ADDRESS);
        workspace.write("import.tf", &block);
        workspace.apply().success().says(&["1 imported"]);
        workspace.remove("import.tf");
        workspace.plans_nothing();
    }
}

#[test]
fn what_no_request_can_be_is_refused_without_a_cluster() {
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write(
            "main.tf",
            r#"
resource "kafka_access_request" "a" {
  application   = "Shipping"
  resource_type = "table"
  resource_name = "billing.invoices.v1"
  access        = "read"
  operations    = ["READ"]
  expires_at    = "tomorrow"
}
"#,
        );
        workspace.validate().failure(&[
            "Invalid application",
            "Invalid resource type",
            "Access or operations",
            "Invalid date and time",
        ]);
    }
}

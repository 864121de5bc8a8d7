//! `kafka_access_request`.

use acceptance_tests::{Engine, Stack};

use crate::{
    access::{acting, platform},
    example,
    importing::{examples, imports_are_as_good_as_creation},
    workspace,
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
        let id = made["request_id"].as_str().expect("a request has an id");
        let examples = examples("kafka_access_request", &stack);
        let named = |file: &str| examples(file).replace("shipping-1a2b3c4d", id);
        imports_are_as_good_as_creation(&shipping, ADDRESS, named);
        shipping.destroy().success();
        platform.plans_nothing();
        platform.destroy().success();
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

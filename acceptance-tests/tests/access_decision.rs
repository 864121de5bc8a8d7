//! `kafka_access_decision`.

use acceptance_tests::{Engine, Stack};

use crate::{
    access::{acting, platform},
    example,
    importing::{examples, imports_are_as_good_as_creation},
    workspace,
};

const ADDRESS: &str = "kafka_access_decision.shipping_reads_invoices";

/// One cluster is one environment, so that each of these has a broker of its own.
#[test]
fn the_example_lives_from_create_to_destroy() {
    for engine in Engine::all() {
        let stack = Stack::start().expect("a broker starts");
        platform(&engine, &stack, "");
        let shipping = acting(&engine, &stack, "shipping");
        shipping.write("main.tf", &example("resources/kafka_access_request/resource.tf"));
        shipping.applies();
        let request = shipping.attributes("kafka_access_request.invoices");
        let of = |attribute: &str| request[attribute].as_str().expect("a request has it").to_owned();
        let (id, revision) = (of("request_id"), of("revision"));
        let examples = examples("kafka_access_decision", &stack);
        let named = |file: &str| {
            examples(file).replace("shipping-1a2b3c4d", &id).replace("00112233445566778899aabbccddeeff", &revision)
        };
        let billing = acting(&engine, &stack, "billing");
        billing.write("main.tf", &named("resource.tf"));
        billing.applies();
        billing.plans_nothing();
        assert_eq!(billing.attributes(ADDRESS)["status"], "active");
        imports_are_as_good_as_creation(&billing, ADDRESS, named);
        billing
            .run(&["plan", "-destroy", "-no-color", "-input=false"])
            .says(&["Access revoked", "revokes `READ` of the topic `billing.invoices.v1` from `shipping`"]);
        billing.destroy().success();
        shipping.plans_nothing();
        assert_eq!(shipping.attributes("kafka_access_request.invoices")["status"], "pending", "as it was stored");
        shipping.run(&["apply", "-refresh-only", "-auto-approve", "-no-color", "-input=false"]).success();
        assert_eq!(shipping.attributes("kafka_access_request.invoices")["status"], "revoked");
        shipping.destroy().success();
    }
}

#[test]
fn what_no_decision_can_be_is_refused_without_a_cluster() {
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write(
            "main.tf",
            r#"
resource "kafka_access_decision" "a" {
  request_id = "shipping"
  revision   = "the newest"
  decision   = "perhaps"
  as         = "king"
}
"#,
        );
        workspace.validate().failure(&["Invalid request id", "Invalid revision", "Invalid decision", "Invalid role"]);
    }
}

//! `kafka_quota` and `data.kafka_quotas`.

use acceptance_tests::{Engine, Stack};
use serde_json::json;

use crate::{
    example,
    importing::{examples, imports_are_as_good_as_creation},
    workspace, workspace_on,
};

/// The options by which Kafka's own tool names the example's entity.
const REPORTS: [&str; 8] = [
    "--entity-type",
    "users",
    "--entity-name",
    "billing-reports",
    "--entity-type",
    "clients",
    "--entity-name",
    "monthly",
];
const OTHERS: [&str; 3] = ["--entity-type", "users", "--entity-default"];

#[test]
fn the_example_lives_from_create_to_destroy() {
    let stack = Stack::shared();
    for engine in Engine::all() {
        let workspace = workspace(&engine);
        let example = example("resources/kafka_quota/resource.tf");
        let shown = crate::example("data-sources/kafka_quotas/data-source.tf");
        workspace.write("main.tf", &example);
        workspace.applies();
        let has = |options: &[&str], expected: &[&str]| {
            let told = stack.entity(options);
            assert!(expected.iter().all(|it| told.contains(it)), "{told}");
        };
        has(&REPORTS, &["producer_byte_rate=1048576", "consumer_byte_rate=1.048576E7", "request_percentage=12.5"]);
        has(&OTHERS, &["controller_mutation_rate=10"]);

        workspace.write("show.tf", &shown);
        workspace.apply().success();
        let limits = &workspace.attributes("data.kafka_quotas.billing")["quotas"][0]["limits"];
        let expected =
            json!({ "producer_byte_rate": 1_048_576, "consumer_byte_rate": 10_485_760, "request_percentage": 12.5 });
        assert_eq!(limits, &expected);
        workspace.remove("show.tf");
        workspace.apply().success();

        stack.set_on_entity(&REPORTS, "producer_byte_rate=7");
        assert_eq!(workspace.plans(), [("kafka_quota.reports".to_owned(), "update".to_owned())]);
        workspace.applies();
        has(&REPORTS, &["producer_byte_rate=1048576"]);

        let without = example.replace("  request_percentage = 12.5\n", "");
        workspace.write("main.tf", &without);
        workspace.applies();
        assert!(!stack.entity(&REPORTS).contains("request_percentage"), "{}", stack.entity(&REPORTS));
        imports_are_as_good_as_creation(&workspace, "kafka_quota.reports", examples("kafka_quota", stack));

        stack.set_on_entity(&REPORTS, "request_percentage=50");
        workspace.plans_nothing();
        workspace.destroy().success();
        let left = stack.entity(&REPORTS);
        assert!(left.contains("request_percentage=50") && !left.contains("byte_rate"), "{left}");
        stack.remove_from_entity(&REPORTS, "request_percentage");
        assert!(!stack.entity(&OTHERS).contains("controller_mutation_rate"));
    }
}

#[test]
fn addresses_and_the_form_of_other_providers_have_quotas() {
    let stack = Stack::shared();
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let address = "resource \"kafka_quota\" \"a\" {\n ip = \"192.0.2.9\"\n connection_creation_rate = 5\n}\n";
        let old = "resource \"kafka_quota\" \"b\" {\n entity_type = \"client-id\"\n entity_name = \"quota.old\"\n config = \
                   { consumer_byte_rate = 4000000 }\n}\n";
        workspace.write("main.tf", &format!("{address}{old}"));
        workspace.applies();
        let of_address = stack.entity(&["--entity-type", "ips", "--entity-name", "192.0.2.9"]);
        assert!(of_address.contains("connection_creation_rate=5"), "{of_address}");
        let of_client = stack.entity(&["--entity-type", "clients", "--entity-name", "quota.old"]);
        assert!(of_client.contains("consumer_byte_rate=4000000"), "{of_client}");

        let new = "resource \"kafka_quota\" \"b\" {\n client_id = \"quota.old\"\n consumer_byte_rate = 4000000\n}\n";
        workspace.write("main.tf", &format!("{address}{new}"));
        assert_eq!(workspace.plans(), [("kafka_quota.b".to_owned(), "update".to_owned())]);
        workspace.applies();
        workspace.destroy().success();
        let of_client = stack.entity(&["--entity-type", "clients", "--entity-name", "quota.old"]);
        assert!(!of_client.contains("consumer_byte_rate"), "{of_client}");
    }
}

#[test]
fn a_quota_that_kafka_does_not_have_is_refused_while_planning() {
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write(
            "main.tf",
            "resource \"kafka_quota\" \"a\" {\n user = \"a\"\n config = { producer_bite_rate = 1 }\n}\n",
        );
        workspace.plan().failure(&["Unknown quota", "Did you mean `producer_byte_rate`?"]);
    }
}

/// Rule 23 of governance: a quota has one holder.
#[test]
fn an_application_takes_the_place_of_no_quota_that_somebody_else_set() {
    let billing = ["--entity-type", "users", "--entity-name", "billing"];
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let workspace = workspace_on(&engine, &stack);
        workspace.write("environment.tf", "resource \"kafka_environment\" \"dev\" {\n name = \"dev\"\n}\n");
        workspace.applies();
        stack.set_on_entity(&billing, "producer_byte_rate=500");
        workspace.write(
            "main.tf",
            "resource \"kafka_application\" \"it\" {\n name = \"billing\"\n owner = { team = \"payments\" }\n principals = \
             [\"User:billing\"]\n client_quota = { consumer_byte_rate_per_broker = 1000 }\n}\n",
        );
        let told = ["Quota set by somebody else", "user=billing has producer_byte_rate = 500", "client_quota"];
        workspace.apply().failure(&told);
        assert!(stack.entity(&billing).contains("producer_byte_rate=500"), "{}", stack.entity(&billing));
        stack.remove_from_entity(&billing, "producer_byte_rate");
        workspace.applies();
        assert!(stack.entity(&billing).contains("consumer_byte_rate=1000"), "{}", stack.entity(&billing));
        workspace.write("main.tf", "");
        workspace.applies();
        assert!(!stack.entity(&billing).contains("byte_rate"), "{}", stack.entity(&billing));
    }
}

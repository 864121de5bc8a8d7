//! What people get wrong, and what they are told.

use std::time::{Duration, Instant};

use acceptance_tests::{Engine, Stack, User, hcl};
use serde_json::json;

use crate::{connections::sasl, provider, servers, topic_block, workspace, workspace_with};

/// Applies a new topic in an environment that cannot work.
#[track_caller]
fn refuses_to_connect(environment: &str, phrases: &[&str]) {
    for engine in Engine::usual() {
        let workspace = workspace_with(&engine, environment);
        workspace.write("main.tf", &topic_block("errors.connect", ""));
        let start = Instant::now();
        let apply = workspace.apply().failure(&["Cannot connect to Kafka"]).says(phrases);
        assert!(start.elapsed() < Duration::from_mins(1), "a wrong setting is told soon\n{apply}");
        assert!(!apply.words().contains("secret"), "{apply}");
        assert_eq!(workspace.addresses(), Vec::<String>::new());
    }
}

#[test]
fn a_wrong_address_is_told() {
    refuses_to_connect(&servers("localhost:1"), &["localhost:1", "`bootstrap_servers`"]);
}

#[test]
fn a_wrong_host_is_told() {
    refuses_to_connect(&servers("kafka.invalid:9092"), &["kafka.invalid:9092", "Check the host name"]);
}

#[test]
fn tls_to_a_plain_port_is_told() {
    let plain = Stack::shared().plaintext();
    refuses_to_connect(&(servers(&plain) + "tls = {}"), &["has `tls`, and the port speaks plain text", "Remove `tls`"]);
}

#[test]
fn plain_text_to_a_tls_port_is_told() {
    let stack = Stack::shared();
    refuses_to_connect(&servers(&stack.sasl_ssl()), &["has no `tls`, and the port speaks TLS", "Add `tls = {}`"]);
}

#[test]
fn an_unknown_authority_is_told() {
    let stack = Stack::shared();
    let known = sasl(stack, "PLAIN", Stack::ADMIN);
    let strange = known.replace(&hcl(&stack.certificates().ca), &hcl(&stack.certificates().strange_ca));
    refuses_to_connect(&strange, &["Set `tls.ca`"]);
    // The authorities of the system do not know it either.
    refuses_to_connect(&known.replace(&hcl(&stack.certificates().ca), "null"), &["Set `tls.ca`"]);
}

#[test]
fn a_missing_or_strange_client_certificate_is_told() {
    let stack = Stack::shared();
    let certificates = stack.certificates();
    let ca = hcl(&certificates.ca);
    let none = format!("{}tls = {{ ca = {ca} }}", servers(&stack.mutual_tls()));
    refuses_to_connect(&none, &["`tls.certificate` and `tls.key`"]);
    let pair = format!("{}, key = {}", hcl(&certificates.stranger.certificate), hcl(&certificates.stranger.key));
    let stranger = format!("{}tls = {{ ca = {ca}, certificate = {pair} }}", servers(&stack.mutual_tls()));
    refuses_to_connect(&stranger, &["`tls.certificate` and `tls.key`"]);
}

#[test]
fn a_wrong_password_is_told_without_it() {
    let wrong = User { name: "admin", password: "wrong-secret" };
    for mechanism in ["PLAIN", "SCRAM-SHA-512"] {
        refuses_to_connect(&sasl(Stack::shared(), mechanism, wrong), &["Check `sasl.username` and `sasl.password`"]);
    }
}

#[test]
fn missing_sasl_is_told() {
    let stack = Stack::shared();
    let without = format!("{}tls = {{ ca = {} }}", servers(&stack.sasl_ssl()), hcl(&stack.certificates().ca));
    refuses_to_connect(&without, &["Add `sasl`"]);
}

#[test]
fn what_is_wrong_in_the_provider_block_is_told_at_its_place() {
    for engine in Engine::usual() {
        let check = |environment: &str, phrases: &[&str]| {
            let workspace = workspace_with(&engine, environment);
            workspace.write("main.tf", &topic_block("errors.block", ""));
            // Engines show the line of the block alone.
            workspace.validate().failure(phrases).says(&["`environments[\"dev\"]."]);
        };
        check("bootstrap_servers = [\"localhost\"]", &["Invalid bootstrap server", "`localhost`", "on provider.tf"]);
        check("bootstrap_servers = []", &["Missing bootstrap servers"]);
        check(&(servers("a:1") + "tls = { certificate = \"c\" }"), &["Incomplete client certificate", "`key`"]);
        check(
            &(servers("a:1") + "tls = { ca = null, certificate = \"c\" }\nrequest_timeout_ms = 0"),
            &["`environments[\"dev\"].tls.key`", "`environments[\"dev\"].request_timeout_ms`"],
        );
        check(&(servers("a:1") + "request_timeout_ms = -5"), &["a whole number from 0 to 4294967295"]);
        let workspace = workspace_with(&engine, &(servers("a:1") + "tls = { ca = \"absent.pem\" }"));
        workspace.write("main.tf", &topic_block("errors.block", ""));
        workspace.plan().failure(&["Unreadable PEM file", "`environments[\"dev\"].tls.ca`", "`absent.pem`"]);
        let kerberos = "sasl = { mechanism = \"GSSAPI\", username = \"u\", password = \"p\" }";
        check(&(servers("a:1") + kerberos), &["mechanism"]);
    }
}

#[test]
fn an_unknown_environment_is_told() {
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &topic_block("errors.environment", "environment = \"pro\""));
        workspace.plan().failure(&["Unknown environment", "`pro`", "`dev`", "on main.tf line 3"]);
        workspace.write("main.tf", &topic_block("errors.environment", ""));
        let two = provider(&servers("a:1")).replace(" dev = {", " one = { bootstrap_servers = [\"b:1\"] }\n dev = {");
        workspace.write("provider.tf", &two);
        workspace.plan().failure(&["No environment", "`dev`", "`one`", "default_environment"]);
        let default = two.replacen("environments", "default_environment = \"pro\"\nenvironments", 1);
        workspace.write("provider.tf", &default);
        workspace.plan().failure(&["Unknown environment", "`pro`"]);
        workspace.write("provider.tf", "provider \"kafka\" {}");
        workspace.plan().failure(&["No environment", "KAFKA_BOOTSTRAP_SERVERS"]);
    }
}

#[test]
fn illegal_names_are_told_all_at_once() {
    let long = "a".repeat(250);
    let names = ["", ".", "..", "a b", "ü", "a/b", &long, "__consumer_offsets"];
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let block =
            |(number, name): (usize, &&str)| topic_block(name, "").replace("\"a\" {", &format!("\"t{number}\" {{"));
        workspace.write("main.tf", &names.iter().enumerate().map(block).collect::<String>());
        let validate = workspace.validate().failure(&["Internal topic"]);
        assert_eq!(validate.words().matches("Error:").count(), names.len(), "{validate}");
        workspace.plan().failure(&["a topic name has"]);
    }
}

#[test]
fn names_that_metrics_confuse_are_refused_in_the_plan() {
    let stack = Stack::shared();
    stack.create_topic("errors.collision.a", 1);
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &topic_block("errors_collision_a", ""));
        workspace.plan().failure(&["errors.collision.a", "on main.tf line 2"]);
    }
    stack.delete_topic("errors.collision.a");
}

#[test]
fn impossible_numbers_are_told_at_their_attribute() {
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let refuses = |line: &str, phrases: &[&str]| {
            workspace.write("main.tf", &topic_block("errors.numbers", line));
            workspace.plan().failure(&["on main.tf line 3", line]).says(phrases);
        };
        refuses("partitions = 0", &["Invalid number of partitions"]);
        refuses("partitions = -1", &["Invalid number of partitions"]);
        refuses("partitions = 1000000000", &["Invalid number of partitions"]);
        let i32 = "a whole number from -2147483648 to 2147483647";
        refuses("partitions = 99999999999999999999", &[i32]);
        refuses("partitions = 1.5", &[i32]);
        refuses("replication_factor = 100000", &["a whole number from -32768 to 32767"]);
        refuses("replication_factor = 0", &["Invalid replication factor"]);
        refuses("replication_factor = 2", &["Refused by the broker", "only 1 broker(s) are registered"]);
        refuses("config = { \"retention\" = \"1\" }", &["Refused by the broker", "retention"]);
        refuses("config = { \"retention.ms\" = \"long\" }", &["Refused by the broker", "retention.ms"]);
    }
}

#[test]
fn two_topics_of_one_name_are_refused_in_the_plan() {
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let one = topic_block("errors.twice", "");
        workspace.write("main.tf", &(one.clone() + &one.replace("\"a\" {", "\"b\" {")));
        workspace.plan().failure(&["Topic planned twice", "`errors.twice`"]);
    }
}

#[test]
fn a_topic_that_exists_is_not_taken_over() {
    let stack = Stack::shared();
    stack.create_topic("errors.exists", 2);
    let topic = stack.topic("errors.exists");
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &topic_block("errors.exists", "partitions = 3"));
        assert_eq!(workspace.plan().says(&["Topic already exists", "`import` block"]).code(), Some(2), "a warning");
        workspace.apply().failure(&["Topic already exists"]);
        assert_eq!(workspace.addresses(), Vec::<String>::new());
    }
    assert_eq!(stack.topic("errors.exists"), topic);
    stack.delete_topic("errors.exists");
}

#[test]
fn a_state_of_a_newer_version_is_left_alone() {
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &topic_block("errors.newer", ""));
        workspace.applies();
        let present = workspace.state_file();
        let mut newer = present.clone();
        newer["resources"][0]["instances"][0]["schema_version"] = json!(100_000);
        workspace.write("terraform.tfstate", &newer.to_string());
        workspace.plan().failure(&["newer"]);
        assert_eq!(workspace.state_file(), newer);
        workspace.write("terraform.tfstate", &present.to_string());
        workspace.destroy().success();
    }
}

#[test]
fn without_the_right_to_describe_a_topic_stays_in_the_state() {
    let stack = Stack::shared();
    let team = sasl(stack, "SCRAM-SHA-256", Stack::TEAM);
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &topic_block("rights.describe", "config = { \"retention.ms\" = \"1000\" }"));
        workspace.applies();
        let state = workspace.attributes("kafka_topic.a");
        workspace.write("provider.tf", &provider(&team));
        assert_eq!(workspace.plan().says(&["Topic not refreshed"]).code(), Some(0));
        workspace.apply().success();
        assert_eq!(workspace.attributes("kafka_topic.a"), state);

        stack.allow("team", &["Describe"], "rights.describe");
        assert_eq!(workspace.plan().says(&["Configuration not refreshed"]).code(), Some(0));
        workspace.destroy().failure(&["Not permitted by Kafka"]);
        assert_eq!(workspace.addresses(), ["kafka_topic.a"]);
        assert!(stack.topic("rights.describe").is_some());
        stack.disallow("team", "Describe", "rights.describe");

        workspace.write("provider.tf", &provider(&servers(&stack.plaintext())));
        workspace.destroy().success();
    }
}

#[test]
fn without_the_right_to_create_nothing_is_made() {
    let stack = Stack::shared();
    let team = sasl(stack, "SCRAM-SHA-512", Stack::TEAM);
    for engine in Engine::usual() {
        let workspace = workspace_with(&engine, &team);
        workspace.write("main.tf", &topic_block("rights.create", ""));
        assert_eq!(workspace.plan().says(&["Not checked by the broker"]).code(), Some(2));
        workspace.apply().failure(&["Topic could not be seen", "`rights.create`"]);
        assert_eq!(stack.topic("rights.create"), None);
        stack.allow("team", &["Describe", "DescribeConfigs"], "rights.create");
        workspace.apply().failure(&["Not permitted by Kafka", "`rights.create`"]);
        assert_eq!(workspace.addresses(), Vec::<String>::new());
        assert_eq!(stack.topic("rights.create"), None);
        stack.allow("team", &["Create", "Delete"], "rights.create");
        workspace.applies();
        workspace.destroy().success();
        for operation in ["Create", "Describe", "DescribeConfigs", "Delete"] {
            stack.disallow("team", operation, "rights.create");
        }
    }
}

#[test]
fn without_the_right_to_alter_nothing_changes() {
    let stack = Stack::shared();
    stack.allow("team", &["Describe", "DescribeConfigs"], "rights.alter");
    let team = sasl(stack, "SCRAM-SHA-512", Stack::TEAM);
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &topic_block("rights.alter", ""));
        workspace.applies();
        let topic = stack.topic("rights.alter");
        workspace.write("provider.tf", &provider(&team));
        for change in ["partitions = 2", "config = { \"retention.ms\" = \"1000\" }"] {
            workspace.write("main.tf", &topic_block("rights.alter", change));
            assert_eq!(workspace.plan().code(), Some(2));
            workspace.apply().failure(&["Not permitted by Kafka", "`rights.alter`"]);
            assert_eq!(stack.topic("rights.alter"), topic);
        }
        workspace.write("provider.tf", &provider(&servers(&stack.plaintext())));
        workspace.applies();
        workspace.destroy().success();
    }
}

#[test]
fn without_the_right_to_delete_the_topic_stays() {
    let stack = Stack::shared();
    stack.allow("team", &["Describe", "DescribeConfigs"], "rights.delete");
    let team = sasl(stack, "SCRAM-SHA-512", Stack::TEAM);
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &topic_block("rights.delete", ""));
        workspace.applies();
        workspace.write("provider.tf", &provider(&team));
        workspace.destroy().failure(&["Not permitted by Kafka", "`rights.delete`"]);
        assert_eq!(workspace.addresses(), ["kafka_topic.a"]);
        assert!(stack.topic("rights.delete").is_some());
        workspace.write("provider.tf", &provider(&servers(&stack.plaintext())));
        workspace.destroy().success();
    }
}

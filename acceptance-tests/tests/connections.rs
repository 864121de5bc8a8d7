//! Every way to log in.

use acceptance_tests::{Engine, Stack, User, hcl};

use crate::{provider, servers, topic_block, workspace_with};

/// The attributes of an environment that logs in with SASL over TLS.
pub(crate) fn sasl(stack: &Stack, mechanism: &str, user: User) -> String {
    let ca = hcl(&stack.certificates().ca);
    let User { name, password } = user;
    format!(
        "{}tls = {{ ca = {ca} }}\nsasl = {{ mechanism = \"{mechanism}\", username = \"{name}\", password = \"{password}\" }}",
        servers(&stack.sasl_ssl())
    )
}

#[test]
fn each_mechanism_and_a_certificate_log_in() {
    let stack = Stack::shared();
    let certificates = stack.certificates();
    let mutual_tls = format!(
        "{}tls = {{\n ca = {}\n certificate = {}\n key = {}\n}}",
        servers(&stack.mutual_tls()),
        hcl(&stack.ca_file().to_string_lossy()),
        hcl(&certificates.client.certificate),
        hcl(&certificates.client.key)
    );
    let insecure = sasl(stack, "SCRAM-SHA-512", Stack::ADMIN).replace("tls = { ", "tls = {\ninsecure = true\n");
    let insecure = insecure.replace(&hcl(&certificates.ca), "null");
    let mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"].map(|it| sasl(stack, it, Stack::ADMIN));
    for engine in Engine::usual() {
        for (number, environment) in mechanisms.iter().chain([&mutual_tls, &insecure]).enumerate() {
            let name = format!("connections.{number}");
            let workspace = workspace_with(&engine, environment);
            workspace.write("main.tf", &topic_block(&name, ""));
            workspace.applies();
            assert!(stack.topic(&name).is_some(), "{environment}");
            workspace.destroy().success();
        }
    }
}

#[test]
fn variables_configure_one_environment() {
    let stack = Stack::shared();
    for engine in Engine::usual() {
        let mut workspace = acceptance_tests::Workspace::new(&engine);
        workspace.set_variable("KAFKA_BOOTSTRAP_SERVERS", &stack.sasl_ssl());
        workspace.set_variable("KAFKA_CA", &stack.ca_file().to_string_lossy());
        workspace.set_variable("KAFKA_SASL_MECHANISM", "SCRAM-SHA-512");
        workspace.set_variable("KAFKA_SASL_USERNAME", Stack::ADMIN.name);
        workspace.set_variable("KAFKA_SASL_PASSWORD", Stack::ADMIN.password);
        workspace.write("main.tf", &topic_block("variables.a", ""));
        workspace.applies();
        assert_eq!(workspace.attributes("kafka_topic.a")["id"], "default/variables.a");
        workspace.destroy().success();
        // What is written counts, and not the variables.
        workspace.write("provider.tf", &provider(&servers("localhost:1")));
        workspace.apply().failure(&["Cannot connect to Kafka", "localhost:1"]);
    }
}

#[test]
fn secrets_are_in_no_plan_and_no_state() {
    let stack = Stack::shared();
    for engine in Engine::usual() {
        let workspace =
            workspace_with(&engine, &sasl(stack, "SCRAM-SHA-512", Stack::ADMIN).replace("admin-secret", "${var.it}"));
        workspace.write("variable.tf", "variable \"it\" {\n type = string\n ephemeral = true\n}\n");
        workspace.write("main.tf", &topic_block("secrets.a", ""));
        let secret = format!("-var=it={}", Stack::ADMIN.password);
        let plan = workspace.run(&["plan", "-no-color", &secret, "-out=plan.bin"]).success();
        let shown = workspace.run(&["show", "-json", "plan.bin"]).success();
        let apply = workspace.run(&["apply", "-no-color", &secret, "plan.bin"]).success();
        for text in [plan.words(), shown.words(), apply.words(), workspace.state_file().to_string()] {
            assert!(!text.contains(Stack::ADMIN.password), "{text}");
        }
        workspace.run(&["destroy", "-no-color", "-auto-approve", &secret]).success();
    }
}

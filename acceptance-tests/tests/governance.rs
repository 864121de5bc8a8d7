//! A platform and two teams with a state each, on one cluster under rules.

use acceptance_tests::{Engine, Stack, User, Workspace, hcl};

use crate::{provider, servers};

const ENVIRONMENT: &str = r#"
resource "kafka_environment" "dev" {
  name = "dev"

  naming = {
    topic  = "{application}.{subject}.v{version}"
    fields = { subject = "[a-z][a-z-]*", version = "[0-9]+" }
  }

  topics = {
    partitions         = { min = 1, max = 12, default = 2 }
    replication_factor = { min = 1, max = 1, default = 1 }
    config = {
      "retention.ms"   = { max = 2592000000, default = "3600000" }
      "cleanup.policy" = { one_of = ["delete", "compact"] }
    }
  }

  quota = { topics = 2 }
}
"#;

/// Somebody with a state of their own. A team's pipeline acts as its application.
pub(crate) fn workspace(engine: &Engine, stack: &Stack, acting: Option<&str>) -> Workspace {
    let mut workspace = Workspace::new(engine);
    workspace.write("provider.tf", &provider(&servers(&stack.plaintext())));
    if let Some(application) = acting {
        workspace.set_variable("KAFKA_ACTING_APPLICATION", application);
    }
    workspace
}

fn application(name: &str, principal: &str) -> String {
    format!(
        "resource \"kafka_application\" {name} {{\n name = {name}\n owner = {{ team = {name} }}\n principals = \
         [{principal}]\n}}\n",
        name = hcl(name),
        principal = hcl(principal)
    )
}

fn topic(name: &str, rest: &str) -> String {
    format!("resource \"kafka_topic\" \"a\" {{\n name = {}\n{rest}\n}}\n", hcl(name))
}

#[test]
fn two_teams_share_a_cluster_under_the_rules_of_a_platform() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let platform = workspace(&engine, &stack, None);
        let applications = [application("billing", "User:team"), application("sales", "User:sales")].concat();
        platform.write(
            "main.tf",
            &format!(
                "{ENVIRONMENT}{}",
                applications.replace("\n principals", "\n environment = kafka_environment.dev.id\n principals",)
            ),
        );
        platform.applies();
        platform.plans_nothing();

        let billing = workspace(&engine, &stack, Some("billing"));
        refusals_are_told_in_the_plan(&billing);
        billing.write("main.tf", &topic("billing.invoices.v1", ""));
        billing.applies();
        billing.plans_nothing();
        let made = stack.topic("billing.invoices.v1").expect("the topic is there");
        assert_eq!((made.partitions, made.config["retention.ms"].as_str()), (2, "3600000"), "the policy's defaults");

        clients_may_do_what_they_should(&stack);
        rights_that_were_removed_are_made_again(&stack, &platform);
        nobody_deletes_what_is_not_theirs(&engine, &stack);
        an_application_in_use_stays(&platform);

        billing.destroy().success();
        platform.write("main.tf", ENVIRONMENT);
        platform.applies();
        assert!(!stack.rules("User:team").contains("ResourcePattern"), "an application that ended has no rights");
        platform.destroy().success();
    }
}

#[track_caller]
fn refusals_are_told_in_the_plan(billing: &Workspace) {
    billing.write("main.tf", &topic("billing-invoices", "partitions = 100\n config = { \"retention.ms\" = \"-1\" }"));
    billing.plan().failure(&[
        "Topic name outside the prefixes",
        "name = \"billing.",
        "Number of partitions refused",
        "Write `partitions = 12`.",
        "Configuration value refused",
        "\"retention.ms\" = ",
    ]);
    billing.write("main.tf", &topic("sales.orders.v1", ""));
    billing.plan().failure(&["Topic of another application", "belongs to the application `sales`"]);
    billing.write("main.tf", &topic("nobody.orders.v1", ""));
    billing.plan().failure(&["Topic name outside the prefixes", "`nobody.orders.v1`", "billing."]);
}

#[track_caller]
fn clients_may_do_what_they_should(stack: &Stack) {
    stack.create_topic("sales.orders.v1", 1);
    stack.produce_as(Stack::TEAM, "billing.invoices.v1").says(&["3 records sent"]);
    stack.consume_as(Stack::TEAM, "billing.invoices.v1", "billing.reader").says(&["Processed a total of 3 messages"]);
    let refused = stack.produce_as(Stack::TEAM, "sales.orders.v1").words();
    assert!(refused.contains("TopicAuthorizationException") || refused.contains("Not authorized"), "{refused}");
    let refused = stack.consume_as(Stack::TEAM, "billing.invoices.v1", "sales.reader").words();
    assert!(refused.contains("Processed a total of 0 messages") || refused.contains("Not authorized"), "{refused}");
    stack.delete_topic("sales.orders.v1");
}

#[track_caller]
fn rights_that_were_removed_are_made_again(stack: &Stack, platform: &Workspace) {
    let before = rules_of_the_team(stack);
    stack.remove_topic_rules("User:team", "billing.");
    assert_ne!(rules_of_the_team(stack), before);
    platform.plan().says(&["Rights removed outside"]);
    platform.applies();
    assert_eq!(rules_of_the_team(stack), before);
    platform.plans_nothing();
}

/// The words of the rules: Kafka's tool tells them in any order.
#[track_caller]
fn rules_of_the_team(stack: &Stack) -> Vec<String> {
    let mut words: Vec<String> = stack.rules("User:team").split_whitespace().map(str::to_owned).collect();
    words.sort();
    words
}

/// Rule 1 of governance: a pipeline with the platform's rights acts as the application that it works for.
#[track_caller]
fn nobody_deletes_what_is_not_theirs(engine: &Engine, stack: &Stack) {
    let sales = workspace(engine, stack, Some("sales"));
    let stolen = topic("billing.invoices.v1", "");
    sales.write("main.tf", &format!("{stolen}import {{\n to = kafka_topic.a\n id = \"dev/billing.invoices.v1\"\n}}\n"));
    sales.apply();
    sales.destroy().failure(&["billing"]);
    assert!(stack.topic("billing.invoices.v1").is_some(), "it stays");
}

#[track_caller]
fn an_application_in_use_stays(platform: &Workspace) {
    platform.write("main.tf", &format!("{ENVIRONMENT}{}", application("sales", "User:sales")));
    platform.plan().says(&["Application in use", "billing.invoices.v1"]);
    platform.apply().failure(&["Application in use"]);
}

/// Rule 2 of governance: plans of pull requests run with a principal that may only read, and the platform applies them.
#[test]
fn plans_work_with_a_read_only_principal() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let platform = workspace(&engine, &stack, None);
        platform.write("main.tf", ENVIRONMENT);
        platform.applies();
        let applications = [application("billing", "User:billing"), application("sales", "User:sales")].concat();
        platform.write("main.tf", &format!("{ENVIRONMENT}{applications}"));
        platform.applies();
        stack.allow("team", &["Describe", "DescribeConfigs"], "billing.");
        stack.allow("team", &["Read"], "_selfserve.state");

        let mut billing = reader(&engine, &stack);
        billing.set_variable("KAFKA_ACTING_APPLICATION", "billing");
        refusals_are_told_in_the_plan(&billing);
        let two = topic("billing.invoices.v1", "partitions = 2");
        let three = two.replace("= 2", "= 3\n config = { \"retention.ms\" = \"1000\" }");
        for step in [&two, &three] {
            billing.write("main.tf", step);
            billing
                .run(&["plan", "-no-color", "-input=false", "-out=plan.bin"])
                .success()
                .says(&["Not checked by the broker"]);
            log_in(&mut billing, Stack::ADMIN);
            billing.run(&["apply", "-no-color", "-input=false", "plan.bin"]).success();
            log_in(&mut billing, Stack::TEAM);
            billing.plans_nothing();
        }
        let made = stack.topic("billing.invoices.v1").expect("the platform made it");
        assert_eq!((made.partitions, made.config["retention.ms"].as_str()), (3, "1000"));
        billing.write("main.tf", &three.replace("= 3", "= 4"));
        billing.apply().failure(&["Not permitted by Kafka"]);
        billing.write("main.tf", &two.replace("= 2", "= 100"));
        billing.plan().failure(&["Number of partitions refused", "Write `partitions = 12`."]);
        the_platforms_own_plans_may_be_read_only(&engine, &stack);
    }
}

/// Somebody whose provider is configured by variables alone, as one who may read.
fn reader(engine: &Engine, stack: &Stack) -> Workspace {
    let mut workspace = Workspace::new(engine);
    workspace.set_variable("KAFKA_BOOTSTRAP_SERVERS", &stack.sasl_ssl());
    workspace.set_variable("KAFKA_CA", &stack.ca_file().to_string_lossy());
    workspace.set_variable("KAFKA_SASL_MECHANISM", "SCRAM-SHA-512");
    log_in(&mut workspace, Stack::TEAM);
    workspace
}

/// As whom a workspace works that is configured by variables.
fn log_in(workspace: &mut Workspace, user: User) {
    workspace.set_variable("KAFKA_SASL_USERNAME", user.name);
    workspace.set_variable("KAFKA_SASL_PASSWORD", user.password);
}

#[track_caller]
fn the_platforms_own_plans_may_be_read_only(engine: &Engine, stack: &Stack) {
    let mut platform = reader(engine, stack);
    platform.write("main.tf", &application("stock", "User:stock"));
    platform.run(&["plan", "-no-color", "-input=false", "-out=plan.bin"]).success();
    log_in(&mut platform, Stack::ADMIN);
    platform.run(&["apply", "-no-color", "-input=false", "plan.bin"]).success();
    log_in(&mut platform, Stack::TEAM);
    platform.plans_nothing();
    platform.write("main.tf", &application("stock", "User:billing"));
    platform.plan().failure(&["Principal refused", "belongs to the application `billing`"]);
}

/// Everything that is new, with what another resource makes in parts of sets, and without a word of the environment where
/// the provider block has only one.
const ALL_AT_ONCE: &str = r#"
resource "terraform_data" "user" {
  input = "User:billing"
}

resource "kafka_application" "billing" {
  environment = kafka_environment.dev.id
  name        = "billing"
  owner       = { team = "billing" }
  principals  = [terraform_data.user.output, "User:batch"]
}

resource "kafka_topic" "orders" {
  name        = "billing.orders.v1"
  application = kafka_application.billing.id
}

resource "kafka_acl" "audit" {
  resource_type = "topic"
  resource_name = kafka_topic.orders.name
  principals    = ["${terraform_data.user.output}-audit"]
  operations    = ["READ"]
}
"#;

#[test]
fn an_environment_and_all_that_is_in_it_come_in_one_run() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let platform = workspace(&engine, &stack, None);
        platform.write("main.tf", &format!("{ENVIRONMENT}{ALL_AT_ONCE}"));
        platform.applies();
        platform.plans_nothing();
        let topic = stack.topic("billing.orders.v1").expect("it is there");
        assert_eq!((topic.partitions, topic.config["retention.ms"].as_str()), (2, "3600000"));
        platform.destroy().success();
        assert!(stack.topic("billing.orders.v1").is_none());
    }
}

//! A platform that lacks, in turn, each right that it needs on the journal: a real authorizer denies it.

use acceptance_tests::{Engine, Stack, Workspace};

use crate::{connections::sasl, provider};

const TOPICS: [&str; 3] = ["_selfserve", "_selfserve.state", "_selfserve.text"];

const ENVIRONMENT: &str =
    "resource \"kafka_environment\" \"it\" {\n name = \"dev\"\n platform_principals = [\"User:team\"]\n}\n";

/// A right, as Kafka's tool and as Kafka's protocol call it, and what it is a right on.
struct Right {
    operation: &'static str,
    resource: [&'static str; 2],
    told: String,
}

fn on_topic(operation: &'static str, topic: &'static str) -> Right {
    let told = format!("{} topic `{topic}`", protocol_name(operation));
    Right { operation, resource: ["--topic", topic], told }
}

fn on_lease(operation: &'static str) -> Right {
    let lease = "_selfserve.lease";
    let told = format!("{} transactional id `{lease}`", protocol_name(operation));
    Right { operation, resource: ["--transactional-id", lease], told }
}

/// `AlterConfigs` is `ALTER_CONFIGS`.
fn protocol_name(operation: &str) -> String {
    operation.replace("Configs", "_Configs").to_uppercase()
}

/// Does something without a right, and sees that it fails for that reason, which is told with who lacks it and what to do.
#[track_caller]
fn fails_without(stack: &Stack, right: &Right, attempt: impl FnOnce() -> acceptance_tests::Outcome) {
    stack.deny("team", right.operation, &right.resource);
    let reason = format!("`User:team`, as whom the provider authenticates, may not {}.", right.told);
    attempt().failure(&["Not permitted by Kafka", &reason, "Grant it the operation with an ACL"]);
    stack.deny_no_more("team", right.operation, &right.resource);
}

fn as_team(engine: &Engine, stack: &Stack) -> Workspace {
    let workspace = Workspace::new(engine);
    workspace.write("provider.tf", &provider(&sasl(stack, "SCRAM-SHA-512", Stack::TEAM)));
    workspace
}

fn application(name: &str) -> String {
    format!(
        "resource \"kafka_application\" \"it\" {{\n name = \"{name}\"\n description = \"It.\"\n owner = {{ team = \"x\" \
         }}\n principals = [\"User:{name}\"]\n}}\n"
    )
}

#[test]
fn each_right_on_the_journal_that_is_missing_is_named_and_nothing_is_written() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let mut rule = vec!["--add", "--cluster", "--allow-principal", "User:team"];
        rule.extend(["Alter", "Create", "Describe", "DescribeConfigs"].iter().flat_map(|it| ["--operation", it]));
        stack.tool("org.apache.kafka.tools.AclCommand", &rule);

        let platform = as_team(&engine, &stack);
        platform.write("main.tf", ENVIRONMENT);
        a_journal_is_not_made_where_its_topics_may_not_be_configured(&stack, &platform);
        platform.applies();

        let billing = as_team(&engine, &stack);
        billing.write("main.tf", &application("billing"));
        billing.applies();
        let before = stack.read(TOPICS[0]);
        nothing_is_planned_away(&stack, &billing);
        nothing_is_imported_without_its_text(&engine, &stack);
        nothing_is_written_without_a_right(&engine, &stack);
        assert_eq!(stack.read(TOPICS[0]), before, "nothing was written");
        assert!(!stack.rules("User:sales").contains("ResourcePattern"), "no deed was done");

        // With all rights it goes on, and nobody's transaction is in the way.
        let sales = as_team(&engine, &stack);
        sales.write("main.tf", &application("sales"));
        sales.applies();
        billing.plans_nothing();
    }
}

/// Topics as a creation leaves them that was interrupted: they are there, and their configuration is not.
#[track_caller]
fn a_journal_is_not_made_where_its_topics_may_not_be_configured(stack: &Stack, platform: &Workspace) {
    for topic in TOPICS {
        stack.create_topic(topic, 1);
    }
    for topic in TOPICS {
        fails_without(stack, &on_topic("AlterConfigs", topic), || platform.apply());
        assert_eq!(platform.addresses(), Vec::<String>::new());
    }
    assert_eq!(stack.read(TOPICS[0]), []);
}

#[track_caller]
fn nothing_is_planned_away(stack: &Stack, billing: &Workspace) {
    for operation in ["Read", "Describe"] {
        fails_without(stack, &on_topic(operation, "_selfserve.state"), || billing.plan());
        fails_without(stack, &on_topic(operation, "_selfserve.state"), || billing.destroy());
    }
    assert_eq!(billing.addresses(), ["kafka_application.it"]);
    billing.plans_nothing();
}

#[track_caller]
fn nothing_is_imported_without_its_text(engine: &Engine, stack: &Stack) {
    let workspace = as_team(engine, stack);
    workspace.write("main.tf", &application("billing"));
    for operation in ["Read", "Describe"] {
        fails_without(stack, &on_topic(operation, "_selfserve.text"), || {
            workspace.import("kafka_application.it", "dev/billing")
        });
        assert_eq!(workspace.addresses(), Vec::<String>::new());
    }
}

#[track_caller]
fn nothing_is_written_without_a_right(engine: &Engine, stack: &Stack) {
    let workspace = as_team(engine, stack);
    workspace.write("main.tf", &application("sales"));
    let of_topics = TOPICS.iter().flat_map(|topic| ["Write", "Describe"].map(|it| on_topic(it, topic)));
    let reads = TOPICS[..2].iter().map(|topic| on_topic("Read", topic));
    for right in of_topics.chain(reads).chain(["Write", "Describe"].map(on_lease)) {
        fails_without(stack, &right, || workspace.apply());
        assert_eq!(workspace.addresses(), Vec::<String>::new(), "without {}", right.told);
    }
}

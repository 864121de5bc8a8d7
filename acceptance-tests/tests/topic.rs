//! `kafka_topic`.

use acceptance_tests::{Engine, Stack, Workspace};
use serde_json::json;

use crate::{
    example,
    importing::{examples, imports_by_blocks, imports_by_command},
    provider, servers, topic_block, workspace,
};

const ORDERS: &str = "billing.orders.v1";

#[test]
fn the_example_lives_from_create_to_destroy() {
    let stack = Stack::shared();
    for engine in Engine::all() {
        let workspace = workspace(&engine);
        let example = example("resources/kafka_topic/resource.tf");
        workspace.write("main.tf", &example);
        workspace.applies();
        let created = stack.topic(ORDERS).expect("apply creates the topic");
        assert_eq!((created.partitions, created.replication_factor), (6, 1));
        assert_eq!(json!(created.config), json!({ "cleanup.policy": "delete", "retention.ms": "604800000" }));

        workspace.destroy().failure(&["Topic is protected", "deletion_protection = false"]);
        assert_eq!(stack.topic(ORDERS), Some(created.clone()));

        drift_is_seen_and_mended(stack, &workspace);
        imports_are_as_good_as_creation(stack, &workspace);
        assert_eq!(stack.topic(ORDERS), Some(created), "imports change nothing");

        workspace.write("main.tf", &example.replace("deletion_protection = true", "deletion_protection = false"));
        workspace.applies();
        workspace.destroy().success();
        assert_eq!(workspace.addresses(), Vec::<String>::new());
        assert_eq!(stack.topic(ORDERS), None, "destroy leaves nothing");
    }
}

#[track_caller]
fn drift_is_seen_and_mended(stack: &Stack, workspace: &Workspace) {
    stack.set_config(ORDERS, "retention.ms=1000");
    assert_eq!(workspace.plans(), updates("kafka_topic.orders"));
    workspace.applies();
    assert_eq!(stack.topic(ORDERS).expect("it is there").config["retention.ms"], "604800000");
}

#[track_caller]
fn imports_are_as_good_as_creation(stack: &Stack, workspace: &Workspace) {
    let examples = examples("kafka_topic", stack);
    imports_by_command(workspace, "kafka_topic.orders", &examples);
    // Whether the topic is protected is not in Kafka, and is all that is missing.
    assert_eq!(workspace.plans(), updates("kafka_topic.orders"));
    workspace.applies();
    imports_by_blocks(workspace, "kafka_topic.orders", examples);
}

#[test]
fn each_attribute_changes_in_its_way() {
    let stack = Stack::shared();
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let becomes = |name: &str, rest: &str, actions: &str| {
            workspace.write("main.tf", &topic_block(name, rest));
            assert_eq!(workspace.plans(), [("kafka_topic.a".to_owned(), actions.to_owned())], "{rest}");
            workspace.applies();
            stack.topic(name).expect("it is there")
        };
        let first = becomes("attributes.a", "", "create");
        assert_eq!((first.partitions, first.replication_factor), (1, 1), "the broker's defaults");

        let grown = becomes("attributes.a", "partitions = 3", "update");
        assert_eq!((grown.partitions, &grown.id), (3, &first.id));

        let config = "config = { \"retention.ms\" = \"1000\", \"cleanup.policy\" = \"compact,delete\" }";
        let configured = becomes("attributes.a", &format!("partitions = 3\n{config}"), "update");
        assert_eq!(json!(configured.config), json!({ "cleanup.policy": "compact,delete", "retention.ms": "1000" }));

        let null = "config = { \"retention.ms\" = null, \"cleanup.policy\" = \"compact\" }";
        let reset = becomes("attributes.a", &format!("partitions = 3\n{null}"), "update");
        assert_eq!(json!(reset.config), json!({ "cleanup.policy": "compact" }));

        let bare = becomes("attributes.a", "partitions = 3\ndeletion_protection = true", "update");
        assert_eq!(json!(bare.config), json!({}), "removed keys return to the broker's default");

        let released = becomes("attributes.a", "partitions = 3\ndeletion_protection = false", "update");
        assert_eq!(released.id, first.id);

        becomes("attributes.b", "partitions = 3", "delete create");
        assert_eq!(stack.topic("attributes.a"), None, "another name is another topic");
        workspace.destroy().success();
    }
}

#[test]
fn partitions_cannot_shrink() {
    let stack = Stack::shared();
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &topic_block("shrink.a", "partitions = 3"));
        workspace.applies();
        workspace.write("main.tf", &topic_block("shrink.a", "partitions = 2"));
        workspace.plan().failure(&["Partitions cannot shrink", "on main.tf line 3", "partitions = 2"]);
        assert_eq!(stack.topic("shrink.a").expect("it is there").partitions, 3);
        workspace.write("main.tf", "");
        workspace.applies();
    }
}

#[test]
fn partitions_that_somebody_added_stay() {
    let stack = Stack::shared();
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &topic_block("grown.a", "partitions = 2"));
        workspace.applies();
        let id = stack.topic("grown.a").expect("it was created").id;
        stack.grow_topic("grown.a", 4);
        let plan = workspace.plan().success();
        plan.says(&["Partitions grown outside", "Write `partitions = 4`"]);
        workspace.apply().success();
        let topic = stack.topic("grown.a").expect("it is there");
        assert_eq!((topic.partitions, topic.id), (4, id));
        workspace.write("main.tf", &topic_block("grown.a", "partitions = 4"));
        workspace.plans_nothing();
        workspace.destroy().success();
    }
}

#[test]
fn keys_that_are_not_written_belong_to_others() {
    let stack = Stack::shared();
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &topic_block("unowned.a", "config = { \"retention.ms\" = \"1000\" }"));
        workspace.applies();
        stack.set_config("unowned.a", "segment.ms=5000");
        workspace.plans_nothing();
        workspace.write("main.tf", &topic_block("unowned.a", "config = { \"retention.ms\" = \"2000\" }"));
        workspace.applies();
        let config = stack.topic("unowned.a").expect("it is there").config;
        assert_eq!(json!(config), json!({ "retention.ms": "2000", "segment.ms": "5000" }));
        workspace.destroy().success();
    }
}

#[test]
fn a_topic_that_somebody_deleted_is_created_again() {
    let stack = Stack::shared();
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &topic_block("deleted.a", ""));
        workspace.applies();
        stack.delete_topic("deleted.a");
        // Absence soon after the creation is waited out: brokers show a new topic late.
        assert_eq!(workspace.plans(), [("kafka_topic.a".to_owned(), "create".to_owned())]);
        workspace.applies();
        assert!(stack.topic("deleted.a").is_some());
        workspace.destroy().success();
    }
}

#[test]
fn a_topic_that_somebody_made_anew_is_not_deleted() {
    let stack = Stack::shared();
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &topic_block("anew.a", ""));
        workspace.applies();
        stack.delete_topic("anew.a");
        stack.create_topic("anew.a", 1);
        workspace.plan().success().says(&["Topic was made anew outside"]);
        workspace.destroy().failure(&["Topic was made anew outside"]);
        assert!(stack.topic("anew.a").is_some());
        stack.delete_topic("anew.a");
    }
}

#[test]
fn a_bare_name_imports_where_there_is_one_environment() {
    let stack = Stack::shared();
    stack.create_topic("bare.a", 2);
    stack.set_config("bare.a", "retention.ms=1000");
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &topic_block("bare.a", "config = { \"retention.ms\" = \"1000\" }"));
        workspace.import("kafka_topic.a", "bare.a").success();
        let attributes = workspace.attributes("kafka_topic.a");
        assert_eq!(attributes["partitions"], 2);
        assert_eq!(attributes["config"], json!({ "retention.ms": "1000" }), "the import owns what the topic overrides");
        workspace.plans_nothing();
        workspace.forget("kafka_topic.a");
        workspace.import("kafka_topic.a", "bare.absent").failure(&["non-existent"]);
        workspace.import("kafka_topic.a", "nowhere/bare.a").failure(&["Unknown environment"]);
        workspace.import("kafka_topic.a", "__consumer_offsets").failure(&["Internal topic"]);
        assert_eq!(workspace.addresses(), Vec::<String>::new());
    }
    stack.delete_topic("bare.a");
}

#[test]
fn one_provider_block_serves_several_clusters() {
    let stack = Stack::shared();
    let other = Stack::start().expect("a second broker starts");
    for engine in Engine::usual() {
        let workspace = Workspace::new(&engine);
        workspace.write(
            "provider.tf",
            &format!(
                "provider \"kafka\" {{\n environments = {{\n one = {{ {} }}\n two = {{ {} }}\n }}\n default_environment = \
                 \"one\"\n}}\n",
                servers(&stack.plaintext()),
                servers(&other.plaintext())
            ),
        );
        let both = topic_block("several.a", "for_each = toset([\"one\", \"two\"])\nenvironment = each.key");
        workspace.write("main.tf", &both);
        workspace.applies();
        assert!(stack.topic("several.a").is_some() && other.topic("several.a").is_some());
        workspace.write("main.tf", &both.replace(", \"two\"", ""));
        workspace.applies();
        assert!(stack.topic("several.a").is_some() && other.topic("several.a").is_none());

        workspace.destroy().success();
        workspace.write("main.tf", &topic_block("several.a", ""));
        workspace.applies();
        assert!(stack.topic("several.a").is_some(), "the default environment takes what names none");
        workspace.write("main.tf", &topic_block("several.a", "environment = \"two\""));
        assert_eq!(workspace.plans(), [("kafka_topic.a".to_owned(), "delete create".to_owned())]);
        workspace.applies();
        assert!(stack.topic("several.a").is_none() && other.topic("several.a").is_some());
        workspace.destroy().success();
    }
}

#[test]
fn a_cluster_that_is_not_known_yet_is_tolerated_in_the_plan() {
    let stack = Stack::shared();
    for engine in Engine::usual() {
        let workspace = Workspace::new(&engine);
        workspace.write("provider.tf", &provider("bootstrap_servers = [terraform_data.address.output]"));
        let address = format!("resource \"terraform_data\" \"address\" {{\n input = \"{}\"\n}}\n", stack.plaintext());
        workspace.write("main.tf", &(topic_block("unknown.a", "") + &address));
        assert_eq!(workspace.plans().len(), 2);
        workspace.applies();
        assert!(stack.topic("unknown.a").is_some());
        workspace.run(&["destroy", "-no-color", "-auto-approve", "-target=kafka_topic.a"]).success();
    }
}

#[track_caller]
fn updates(address: &str) -> Vec<(String, String)> {
    vec![(address.to_owned(), "update".to_owned())]
}

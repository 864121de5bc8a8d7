//! `data.kafka_consumer_group`.

use std::time::Instant;

use acceptance_tests::{Engine, Outcome, Stack, Workspace};
use serde_json::json;

use crate::{example, workspace};

const GROUP: &str = "billing.invoices";
const GROUPS: &str = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";

#[test]
fn the_example_shows_a_group_without_members() {
    let stack = Stack::shared();
    stack.create_topic("consumer-group.empty", 1);
    commit(stack, GROUP, "consumer-group.empty");
    for engine in Engine::all() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &example("data-sources/kafka_consumer_group/data-source.tf"));
        workspace.applies();
        let expected = json!({
            "environment": "dev",
            "id": "dev/billing.invoices",
            "group_id": GROUP,
            "state": "Empty",
            "coordinator_id": 1,
            "members": [],
        });
        assert_eq!(workspace.attributes("data.kafka_consumer_group.billing"), expected);
    }
}

#[test]
fn the_members_of_either_protocol_are_shown() {
    let stack = Stack::shared();
    stack.create_topic("consumer-group.members", 1);
    for engine in Engine::all() {
        for protocol in ["classic", "consumer"] {
            let group = format!("consumer-group.{}.{protocol}", engine.name);
            let client = format!("client-{protocol}");
            let _consumer = stack.consume("consumer-group.members", &group, &client, protocol);
            let workspace = workspace(&engine);
            workspace.write("main.tf", &block(&group));
            // It takes a while to join.
            until(&workspace, |it| it.succeeded() && state(&workspace)["state"] == "Stable");
            assert_eq!(state(&workspace)["members"], json!([{ "client_id": client, "host": "127.0.0.1" }]));
        }
    }
}

#[test]
fn an_absent_group_is_an_error_that_says_what_to_do() {
    for engine in Engine::all() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &block("consumer-group.absent"));
        workspace.plan().failure(&[
            "Consumer group does not exist",
            "has no consumer group `consumer-group.absent`",
            "start a consumer of the group and plan again",
            "group_id = \"consumer-group.absent\"",
        ]);
        workspace.write("main.tf", &block(""));
        workspace.validate().failure(&["Invalid consumer group", "The id of a consumer group is not empty"]);
    }
}

/// Commits an offset for a group, which makes it.
#[track_caller]
pub(super) fn commit(stack: &Stack, group: &str, topic: &str) {
    let reset = ["--reset-offsets", "--to-earliest", "--execute", "--topic", topic, "--group", group];
    stack.tool(GROUPS, &reset);
}

fn block(group: &str) -> String {
    format!("data \"kafka_consumer_group\" \"a\" {{\n group_id = {}\n}}\n", acceptance_tests::hcl(group))
}

#[track_caller]
fn state(workspace: &Workspace) -> serde_json::Value {
    workspace.attributes("data.kafka_consumer_group.a")
}

/// Applies until the outcome is as it should be.
#[track_caller]
fn until(workspace: &Workspace, is_good: impl Fn(&Outcome) -> bool) {
    loop {
        let outcome = workspace.apply();
        if is_good(&outcome) {
            return;
        }
        assert!(Instant::now() < workspace.deadline(), "it never came to this\n{outcome}");
    }
}

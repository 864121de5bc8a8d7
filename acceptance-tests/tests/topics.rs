//! `data.kafka_topics`.

use acceptance_tests::{Engine, Stack};
use serde_json::json;

use crate::{example, workspace};

#[test]
fn the_example_shows_the_topics_of_a_prefix() {
    let stack = Stack::shared();
    stack.create_topic("billing.listed-a", 2);
    stack.create_topic("billing.listed-b", 1);
    for engine in Engine::all() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &example("data-sources/kafka_topics/data-source.tf"));
        workspace.applies();
        // Other tests have topics of this prefix too.
        let partitions = &workspace.state()["values"]["outputs"]["partitions"]["value"];
        assert_eq!((&partitions["billing.listed-a"], &partitions["billing.listed-b"]), (&json!(2), &json!(1)));
        let found = workspace.attributes("data.kafka_topics.billing");
        let names = found["names"].as_array().expect("a list of names");
        assert!(names.iter().all(|it| it.as_str().is_some_and(|it| it.starts_with("billing."))), "{names:?}");
        assert!(found["topics"].as_array().is_some_and(|it| it.len() == names.len()));
    }
}

//! `data.kafka_cluster`.

use acceptance_tests::{Engine, Stack};

use crate::{example, workspace};

#[test]
fn the_example_shows_the_cluster() {
    let stack = Stack::shared();
    for engine in Engine::all() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &example("data-sources/kafka_cluster/data-source.tf"));
        workspace.applies();
        let state = workspace.state();
        assert_eq!(state["values"]["outputs"]["brokers"]["value"], serde_json::json!([stack.plaintext()]));
        let cluster = workspace.attributes("data.kafka_cluster.dev");
        assert_eq!(cluster["cluster_id"], stack.cluster_id());
        assert_eq!(cluster["id"], stack.cluster_id());
        assert_eq!(cluster["controller_id"], 1);
        assert_eq!(cluster["brokers"][0]["rack"], "rack-1");
    }
}

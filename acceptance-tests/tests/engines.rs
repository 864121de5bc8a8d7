//! What holds of every engine.

use acceptance_tests::{Engine, Stack, VERSION, Workspace};

use crate::{example, provider, servers, topic_block};

#[test]
fn init_installs_the_provider_from_a_mirror() {
    let stack = Stack::shared();
    for engine in Engine::all() {
        let name = format!("engines.mirror.{}", engine.name);
        let workspace = Workspace::with_mirror(&engine);
        workspace.write("provider.tf", &provider(&servers(&stack.plaintext())));
        workspace.write("main.tf", &topic_block(&name, ""));
        workspace.run(&["init", "-no-color"]).success().says(&[&format!("selfserve/kafka v{VERSION}")]);
        workspace.applies();
        assert!(stack.topic(&name).is_some());
        workspace.destroy().success();
    }
}

#[test]
fn the_example_of_the_provider_block_is_valid() {
    for engine in Engine::all() {
        let workspace = Workspace::new(&engine);
        workspace.remove("versions.tf");
        workspace.write("provider.tf", &example("provider/provider.tf"));
        workspace.write("main.tf", &topic_block("engines.example", ""));
        workspace.validate().success();
    }
}

#[test]
fn the_schema_is_accepted() {
    for engine in Engine::all() {
        let workspace = Workspace::new(&engine);
        let schemas = workspace.run(&["providers", "schema", "-json"]).success();
        let schemas: serde_json::Value = serde_json::from_str(&schemas.stdout).expect("schemas are JSON");
        let address = format!("{}/selfserve/kafka", engine.registry);
        let topic = &schemas["provider_schemas"][&address]["resource_schemas"]["kafka_topic"];
        assert_eq!(topic["block"]["attributes"]["name"]["required"], true, "{schemas}");
    }
}

#[test]
fn the_provider_tells_a_person_what_it_is() {
    let mut command = std::process::Command::new(acceptance_tests::binary());
    let alone = acceptance_tests::run(&mut command, std::time::Duration::from_secs(10)).expect("it ends at once");
    alone.failure(&["Terraform"]);
}

//! What holds of every engine.

use acceptance_tests::{Engine, Stack, Workspace};

#[test]
fn every_engine_and_the_broker_start() {
    let stack = Stack::shared();
    stack.create_topic("engines.start", 2);
    stack.set_config("engines.start", "cleanup.policy=[compact,delete]");
    stack.set_config("engines.start", "retention.ms=1000");
    let topic = stack.topic("engines.start").expect("it was created");
    assert_eq!(topic.partitions, 2);
    assert_eq!(topic.config["cleanup.policy"], "compact,delete");
    stack.delete_topic("engines.start");
    for engine in Engine::all() {
        let workspace = Workspace::new(&engine);
        workspace.remove("versions.tf");
        workspace.write("main.tf", "resource \"terraform_data\" \"a\" { input = 1 }");
        assert_eq!(workspace.plans(), [("terraform_data.a".to_owned(), "create".to_owned())]);
        workspace.applies();
        assert_eq!(workspace.attributes("terraform_data.a")["output"], 1);
        workspace.destroy().success();
        assert_eq!(workspace.addresses(), Vec::<String>::new());
    }
}

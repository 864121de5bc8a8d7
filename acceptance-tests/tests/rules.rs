//! Where Terraform's core would lose data or turn plans red if a provider took it at its word, on every engine: their
//! cores differ in what they tell a provider.

use acceptance_tests::{Engine, Stack, hcl};

use crate::workspace;

const PROTECTED: &str = "Topic is protected";

/// A provider block whose one environment has that name.
fn provider_with(environment: &str) -> String {
    let server = hcl(&Stack::shared().plaintext());
    format!("provider \"kafka\" {{\n  environments = {{ {environment} = {{ bootstrap_servers = [{server}] }} }}\n}}\n")
}

/// A topic `a` of three partitions with further lines.
fn topic(name: &str, lines: &str) -> String {
    format!("resource \"kafka_topic\" \"a\" {{\n  name = {}\n  partitions = 3\n  {lines}\n}}\n", hcl(name))
}

/// A name of the test's own on each engine.
fn name_on(engine: &Engine, name: &str) -> String {
    format!("rules.{}.{name}", engine.name)
}

#[test]
fn a_protected_topic_is_neither_destroyed_nor_replaced() {
    for engine in Engine::all() {
        let (workspace, name) = (workspace(&engine), name_on(&engine, "protected"));
        workspace.write("main.tf", &topic(&name, "deletion_protection = true"));
        workspace.applies();
        let before = Stack::shared().topic(&name);
        let told = [PROTECTED, &format!("`{name}`")];
        workspace.destroy().failure(&told);
        workspace.run(&["plan", "-no-color", "-input=false", "-replace=kafka_topic.a"]).failure(&told);
        // The line is gone, and so is the block: only the state counts.
        workspace.write("main.tf", &topic(&name, ""));
        workspace.plans_nothing();
        workspace.write("main.tf", "");
        workspace.plan().failure(&told);
        workspace.write("main.tf", &topic(&name_on(&engine, "protected.v2"), "deletion_protection = true"));
        workspace.plan().failure(&[PROTECTED]);
        assert_eq!(Stack::shared().topic(&name), before);
        // A rename that lifts the protection in the same change is what its author means.
        workspace.write("main.tf", &topic(&name_on(&engine, "protected.v2"), "deletion_protection = false"));
        workspace.applies();
        assert_eq!(Stack::shared().topic(&name), None);
        workspace.destroy().success();
    }
}

#[test]
fn a_topic_that_is_no_longer_managed_stays() {
    for engine in Engine::all() {
        let (workspace, name) = (workspace(&engine), name_on(&engine, "removed"));
        workspace.write("main.tf", &topic(&name, "deletion_protection = true"));
        workspace.applies();
        workspace.write("main.tf", "removed {\n  from = kafka_topic.a\n  lifecycle {\n    destroy = false\n  }\n}\n");
        workspace.apply().success();
        assert_eq!(workspace.addresses(), Vec::<String>::new());
        assert!(Stack::shared().topic(&name).is_some());
        Stack::shared().delete_topic(&name);
    }
}

/// With `create_before_destroy` the delete comes after the create, and would delete what was just created.
#[test]
fn a_replacement_by_the_same_name_never_deletes_the_new_topic() {
    for engine in Engine::all() {
        let (workspace, name) = (workspace(&engine), name_on(&engine, "replaced"));
        workspace.write("main.tf", &topic(&name, ""));
        workspace.applies();
        let first = Stack::shared().topic(&name).expect("it was created");
        workspace.run(&["apply", "-no-color", "-auto-approve", "-replace=kafka_topic.a"]).success();
        workspace.plans_nothing();
        let second = Stack::shared().topic(&name).expect("it was created again");
        assert_ne!(first.id, second.id);
        workspace.write("main.tf", &topic(&name, "lifecycle {\n    create_before_destroy = true\n  }"));
        // Whether it is refused or taken over depends on what the engine tells; the topic is there in both cases.
        workspace.run(&["apply", "-no-color", "-auto-approve", "-replace=kafka_topic.a"]);
        assert_eq!(Stack::shared().topic(&name).map(|it| it.id), Some(second.id));
        workspace.plans_nothing();
        workspace.destroy().success();
    }
}

/// A tainted object is planned as a create, without a word of what is there.
#[test]
fn a_tainted_topic_is_made_anew() {
    for engine in Engine::all() {
        let (workspace, name) = (workspace(&engine), name_on(&engine, "tainted"));
        workspace.write("main.tf", &topic(&name, ""));
        workspace.applies();
        let first = Stack::shared().topic(&name).expect("it was created");
        workspace.run(&["taint", "kafka_topic.a"]).success();
        workspace.applies();
        assert_ne!(Stack::shared().topic(&name).map(|it| it.id), Some(first.id));
        workspace.destroy().success();
    }
}

/// The name of an environment is local to a configuration.
#[test]
fn a_renamed_environment_destroys_nothing() {
    for engine in Engine::all() {
        let (workspace, name) = (workspace(&engine), name_on(&engine, "moved"));
        workspace.write("main.tf", &topic(&name, ""));
        workspace.applies();
        let before = Stack::shared().topic(&name);
        workspace.write("provider.tf", &provider_with("pre"));
        workspace.plan().failure(&["Environment renamed"]);
        workspace.write("main.tf", &topic(&name, "environment = \"pre\""));
        assert_eq!(workspace.plans(), [("kafka_topic.a".to_owned(), "update".to_owned())]);
        workspace.applies();
        assert_eq!(workspace.attributes("kafka_topic.a")["id"], format!("pre/{name}"));
        assert_eq!(Stack::shared().topic(&name), before);
        workspace.destroy().success();
    }
}

/// A cluster that is made in the same run: one unknown value leaves what is stored as it is, and the plan green.
#[test]
fn a_provider_that_is_not_known_yet_changes_nothing() {
    for engine in Engine::all() {
        let (workspace, name) = (workspace(&engine), name_on(&engine, "unknown"));
        workspace.write("main.tf", &topic(&name, ""));
        workspace.applies();
        let server = hcl(&Stack::shared().plaintext());
        let cluster = format!("resource \"terraform_data\" \"cluster\" {{\n  input = {server}\n}}\n");
        workspace.write("cluster.tf", &cluster);
        let unknown = "provider \"kafka\" {\n  environments = { dev = { bootstrap_servers = \
                       [terraform_data.cluster.output] } }\n}\n";
        workspace.write("provider.tf", unknown);
        let plan = workspace.plan();
        assert_eq!(plan.code(), Some(2), "{plan}");
        assert_eq!(plan.stdout.matches("Provider configuration not known yet").count(), 1, "{plan}");
        assert!(plan.stdout.contains("1 to add, 0 to change, 0 to destroy"), "{plan}");
        workspace.applies();
        workspace.run(&["destroy", "-no-color", "-auto-approve"]).success();
    }
}

/// A saved plan is applied without a refresh.
#[test]
fn a_saved_plan_that_the_topic_outgrew_is_stale() {
    for engine in Engine::all() {
        let (workspace, name) = (workspace(&engine), name_on(&engine, "stale"));
        workspace.write("main.tf", &topic(&name, ""));
        workspace.applies();
        workspace.write("main.tf", &topic(&name, "").replace("partitions = 3", "partitions = 6"));
        workspace.run(&["plan", "-no-color", "-out=saved.bin"]).success();
        Stack::shared().grow_topic(&name, 9);
        workspace.run(&["apply", "-no-color", "saved.bin"]).failure(&["Plan is stale"]);
        // The next plan sees who grew what: six are declared, and the nine stay.
        workspace.plan().says(&["Partitions grown outside"]);
        workspace.plans_nothing();
        workspace.destroy().success();
    }
}

/// A description of the topic's own, such as its timeouts, leaves those that depend on it alone.
#[test]
fn a_change_leaves_dependents_untouched() {
    for engine in Engine::all() {
        let (workspace, name) = (workspace(&engine), name_on(&engine, "first"));
        let second = "resource \"kafka_topic\" \"b\" {\n  name = \"${kafka_topic.a.name}.second\"\n  config = { \
                      \"retention.ms\" = \"6000${kafka_topic.a.replication_factor}\" }\n}\n";
        workspace.write("second.tf", second);
        workspace.write("main.tf", &topic(&name, ""));
        workspace.applies();
        workspace.write("main.tf", &topic(&name, "config = { \"retention.ms\" = \"60000\" }"));
        assert_eq!(workspace.plans(), [("kafka_topic.a".to_owned(), "update".to_owned())]);
        workspace.applies();
        workspace.destroy().success();
    }
}

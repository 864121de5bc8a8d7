//! `kafka_environment` and its data sources. Each test has a broker of its own: one cluster is one environment.

use acceptance_tests::{Engine, Stack, Workspace};

use crate::{
    connections::sasl,
    example,
    importing::{examples, imports_are_as_good_as_creation},
    provider, servers,
};

/// Where environments are declared: as a super user, since the platform's principals do not exist on this broker.
fn workspace(engine: &Engine, stack: &Stack) -> Workspace {
    let workspace = Workspace::new(engine);
    workspace.write("provider.tf", &provider(&servers(&stack.plaintext())));
    workspace
}

#[test]
fn the_example_lives_from_declaration_to_end() {
    for engine in Engine::all() {
        let stack = Stack::start().expect("a broker starts");
        let workspace = workspace(&engine, &stack);
        let declared = example("resources/kafka_environment/resource.tf");
        workspace.write("main.tf", &declared);
        workspace.applies();
        workspace.plans_nothing();
        for topic in ["_selfserve", "_selfserve.state", "_selfserve.text"] {
            let found = stack.topic(topic).expect("the journal has three topics");
            assert_eq!((found.partitions, &*found.config["retention.ms"]), (1, "-1"), "{topic}");
        }

        changes_are_seen(&workspace, &declared);
        conditions_are_told(&workspace, &declared);
        a_second_environment_is_refused(&workspace, &declared);
        let examples = examples("kafka_environment", &stack);
        imports_are_as_good_as_creation(&workspace, "kafka_environment.dev", examples);

        workspace.destroy().success().says(&["Journal stays"]);
        assert_eq!(workspace.addresses(), Vec::<String>::new());
        assert!(stack.topic("_selfserve").is_some(), "what was decided is kept");
        // It can be declared anew in the same journal.
        workspace.applies();
        workspace.destroy().success();
    }
}

#[track_caller]
fn changes_are_seen(workspace: &Workspace, declared: &str) {
    let tighter = declared.replace("max = 12, default = 3", "max = 6, default = 3");
    workspace.write("main.tf", &tighter);
    assert_eq!(workspace.plans(), [("kafka_environment.dev".to_owned(), "update".to_owned())]);
    workspace.applies();
    workspace.plans_nothing();
    workspace.write("main.tf", &declared.replace("max = 12", "max = 2"));
    workspace.plan().failure(&["Contradictory policy", "topics.partitions.default"]);
    workspace.write("main.tf", &declared.replace("{purpose}", "{region}"));
    workspace.plan().failure(&["Invalid name template", "the field `region` is unknown"]);
    workspace.write("main.tf", declared);
    workspace.applies();
}

#[track_caller]
fn conditions_are_told(workspace: &Workspace, declared: &str) {
    let data = "data \"kafka_environment\" \"it\" {\n depends_on = [kafka_environment.dev]\n}\n\
                data \"kafka_environments\" \"eu\" {\n labels = { region = \"eu\" }\n depends_on = \
                [kafka_environment.dev]\n}\n\
                output \"conditions\" {\n value = { for it in data.kafka_environment.it.conditions : it.name => it.status \
                }\n}\noutput \"ids\" {\n value = data.kafka_environments.eu.ids\n}\n";
    workspace.write("main.tf", &format!("{declared}{data}"));
    workspace.applies();
    let outputs = workspace.run(&["output", "-json", "-no-color"]).success();
    for good in ["brokers", "authorizer", "acl_mode", "auto_creation", "journal", "journal_access"] {
        assert!(outputs.words().contains(&format!("\"{good}\": \"good\"")), "{good}: {outputs}");
    }
    assert!(outputs.words().contains("[ \"dev\" ]") || outputs.words().contains("[\"dev\"]"), "{outputs}");
    workspace.write("main.tf", declared);
    workspace.applies();
}

#[track_caller]
fn a_second_environment_is_refused(workspace: &Workspace, declared: &str) {
    workspace
        .write("main.tf", &format!("{declared}resource \"kafka_environment\" \"other\" {{\n name = \"other\"\n}}\n"));
    workspace.plan().failure(&["Second environment on a cluster", "`dev`"]);
    workspace.write("main.tf", declared);
}

/// Rule 11 of governance: a journal that is gone is an error, and nothing is planned away.
#[test]
fn a_journal_that_somebody_deleted_is_an_error() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let workspace = workspace(&engine, &stack);
        workspace.write("main.tf", "resource \"kafka_environment\" \"a\" {\n name = \"dev\"\n}\n");
        workspace.applies();
        for topic in ["_selfserve", "_selfserve.state", "_selfserve.text"] {
            stack.delete_topic(topic);
        }
        workspace.plan().failure(&["No journal", "journal import"]);
        assert_eq!(workspace.addresses(), ["kafka_environment.a"]);
    }
}

/// Rules 11 and 14 of governance: on a cluster where resources without a rule are nobody's, a principal with rights on the
/// cluster alone gives itself those on the journal, and others are told.
#[test]
fn a_platform_that_is_no_super_user_declares_an_environment() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let rights = |user: &str, operations: &[&str]| {
            let principal = format!("User:{user}");
            let mut rule = vec!["--add", "--cluster", "--allow-principal", &principal];
            rule.extend(operations.iter().flat_map(|it| ["--operation", it]));
            stack.tool("org.apache.kafka.tools.AclCommand", &rule);
        };
        rights("team", &["Alter", "Create", "Describe", "DescribeConfigs"]);
        let workspace = Workspace::new(&engine);
        workspace.write("provider.tf", &provider(&sasl(&stack, "SCRAM-SHA-512", Stack::TEAM)));
        let declared = "resource \"kafka_environment\" \"a\" {\n name = \"dev\"\n platform_principals = \
                        [\"User:team\"]\n}\n";
        workspace.write("main.tf", declared);
        workspace.applies();
        workspace.plans_nothing();
        rights("eve", &["Alter"]);
        let data = "data \"kafka_environment\" \"it\" {\n depends_on = [kafka_environment.a]\n}\n\
                    output \"bad\" {\n value = [for it in data.kafka_environment.it.conditions : it.message if it.status \
                    == \"bad\"]\n}\n";
        workspace.write("main.tf", &format!("{declared}{data}"));
        workspace.apply().success().says(&["`User:eve` may ALTER the cluster"]);
        workspace.destroy().success();
    }
}

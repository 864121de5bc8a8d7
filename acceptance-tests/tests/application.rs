//! `kafka_application`.

use std::sync::{Arc, Mutex};

use acceptance_tests::{Engine, Stack, Workspace};
use tokio::runtime::Runtime;
use wire_proxy::{Action, ApiKey, WireProxy};

use crate::{consumer_group::commit, example, servers, workspace, workspace_with};

/// One cluster is one environment, so that each of these has a broker of its own.
#[test]
fn the_example_lives_from_create_to_destroy() {
    for engine in Engine::all() {
        let stack = Stack::start().expect("a broker starts");
        let platform = workspace_with(&engine, &servers(&stack.plaintext()));
        platform.write("environment.tf", "resource \"kafka_environment\" \"dev\" {\n name = \"dev\"\n}\n");
        platform.applies();
        let example = example("resources/kafka_application/resource.tf");
        platform.write("main.tf", &example);
        platform.applies();
        platform.plans_nothing();
        assert_eq!(platform.attributes("kafka_application.billing")["status"], "ready");
        assert!(stack.rules("User:billing").contains("billing."), "{}", stack.rules("User:billing"));
        imports_are_as_good_as_creation(&stack, &platform);
        platform.remove("main.tf");
        platform.applies();
        assert!(!stack.rules("User:billing").contains("ResourcePattern"), "{}", stack.rules("User:billing"));
    }
}

#[track_caller]
fn imports_are_as_good_as_creation(stack: &Stack, workspace: &Workspace) {
    let script = example("resources/kafka_application/import.sh");
    let command = script.lines().find_map(|it| it.strip_prefix("terraform ")).expect("the example is a command");
    workspace.forget("kafka_application.billing");
    workspace.run(&command.split(' ').collect::<Vec<_>>()).success();
    workspace.plans_nothing();
    let by_id = example("resources/kafka_application/import-by-string-id.tf");
    let by_identity = example("resources/kafka_application/import-by-identity.tf");
    let by_identity = by_identity.replace("MkU3OEVBNTcwNTJENDM2Qg", stack.cluster_id());
    for block in [Some(by_id), workspace.engine().imports_by_identity.then_some(by_identity)].into_iter().flatten() {
        workspace.forget("kafka_application.billing");
        workspace.write("import.tf", &block);
        workspace.apply().success().says(&["1 imported"]);
        workspace.remove("import.tf");
        workspace.plans_nothing();
    }
}

#[test]
fn groups_of_nobody_under_a_claimed_prefix_are_to_be_adopted() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        stack.create_topic("old", 1);
        commit(&stack, "billing.readers", "old");
        let platform = workspace_with(&engine, &servers(&stack.plaintext()));
        platform.write("environment.tf", "resource \"kafka_environment\" \"dev\" {\n name = \"dev\"\n}\n");
        platform.applies();
        let block = |more: &str| {
            format!(
                "resource \"kafka_application\" \"a\" {{\n name = \"billing\"\n owner = {{ team = \"payments\" }}\n{more}}}\n"
            )
        };
        platform.write("main.tf", &block(""));
        platform.plan().failure(&["Prefix covers existing objects", "`billing.readers`", "on_existing = \"adopt\""]);
        platform.write("main.tf", &block(" on_existing = \"adopt\"\n"));
        platform.applies();
        platform.plans_nothing();
    }
}

#[test]
fn an_application_of_an_undeclared_environment_waits_for_it() {
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &example("resources/kafka_application/resource.tf"));
        workspace.plan().says(&["No environment declared", "Declare it with `kafka_environment`"]);
        workspace.apply().failure(&["No journal", "kafka_application.billing"]);
        assert_eq!(workspace.addresses(), Vec::<String>::new());
    }
}

#[test]
fn what_no_application_can_be_is_refused_without_a_cluster() {
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write(
            "main.tf",
            r#"
resource "kafka_application" "a" {
  name       = "Billing"
  owner      = { team = "payments" }
  principals = ["billing"]
  expires_at = "tomorrow"
}
"#,
        );
        workspace.validate().failure(&["Invalid application name", "Invalid principal", "Invalid date and time"]);
    }
}

/// Where a run is killed: before or after the broker's answer to a request, of whose kind there were so many before.
#[derive(Clone, Copy, Debug)]
struct Kill {
    key: ApiKey,
    before: u64,
    action: fn(u32) -> Action,
}

const fn kill(key: ApiKey, before: u64, action: fn(u32) -> Action) -> Kill {
    Kill { key, before, action }
}

/// The middles of a creation. The journal has nothing of it yet, or a decision; the cluster has no rules, or all of them,
/// and the journal does not say so.
const KILLS: [Kill; 6] = [
    kill(ApiKey::InitProducerId, 0, Action::KillAfter),
    kill(ApiKey::EndTxn, 0, Action::KillBefore),
    kill(ApiKey::EndTxn, 0, Action::KillAfter),
    kill(ApiKey::EndTxn, 1, Action::KillAfter),
    kill(ApiKey::CreateAcls, 0, Action::KillBefore),
    kill(ApiKey::CreateAcls, 0, Action::KillAfter),
];

#[test]
fn an_application_whose_creation_is_killed_is_finished_by_the_next_apply() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let runtime = Runtime::new().expect("the system has threads");
        let proxy =
            runtime.block_on(async { WireProxy::start(stack.plaintext_socket()) }).expect("there are free ports");
        let platform = workspace_with(&engine, &servers(&stack.plaintext()));
        platform.write("main.tf", "resource \"kafka_environment\" \"dev\" {\n name = \"dev\"\n}\n");
        platform.applies();
        let whole = workspace_with(&engine, &servers(&stack.plaintext()));
        whole.write("main.tf", &killed("whole"));
        whole.applies();
        let expected = rules_of(&stack, "whole");
        assert!(expected.iter().any(|it| it.contains("operation=WRITE")), "{expected:?}");

        for (number, kill) in KILLS.into_iter().enumerate() {
            let name = format!("killed{number}");
            let workspace = workspace_with(&engine, &servers(&proxy.address().to_string()));
            workspace.write("main.tf", &killed(&name));
            kill_apply_at(&workspace, &proxy, kill);
            assert_eq!(workspace.addresses(), Vec::<String>::new(), "{kill:?}: the run knows of nothing");
            workspace.applies();
            assert_eq!(workspace.attributes("kafka_application.it")["status"], "ready", "{kill:?}");
            assert_eq!(rules_of(&stack, &name), expected, "{kill:?}: as without the kill");
            workspace.destroy().success();
            assert_eq!(rules_of(&stack, &name), Vec::<String>::new());
        }
    }
}

/// An application with rights of every kind.
fn killed(name: &str) -> String {
    format!(
        "resource \"kafka_application\" \"it\" {{\n name = \"{name}\"\n description = \"It.\"\n owner = {{ team = \"x\" \
         }}\n principals = [\"User:{name}\"]\n deployers = [\"User:{name}-ci\"]\n streams = [\"{name}.program\"]\n}}\n"
    )
}

/// Applies, and kills the provider at a request.
#[track_caller]
fn kill_apply_at(workspace: &Workspace, proxy: &WireProxy, kill: Kill) {
    let Kill { key, before, action } = kill;
    workspace.run(&["plan", "-no-color", "-out=plan.bin"]).success();
    let engine_process = Arc::new(Mutex::new(None::<u32>));
    let (pid, mut seen) = (Arc::clone(&engine_process), 0);
    proxy.on_request(move |request, _| {
        if request.api_key != key {
            return Action::Forward;
        }
        seen += 1;
        let engine = *pid.lock().expect("nobody panics with it");
        match engine.and_then(|it| acceptance_tests::children(it).first().copied()) {
            Some(provider) if seen == before + 1 => action(provider),
            _ => Action::Forward,
        }
    });
    let running = {
        // The script waits for the id.
        let mut pid = engine_process.lock().expect("nobody panics with it");
        let running = workspace.start(&["apply", "-no-color", "plan.bin"]);
        *pid = Some(running.id());
        running
    };
    let apply = running.wait(workspace.deadline()).expect("it ends");
    assert!(!apply.succeeded(), "the provider was killed at {kill:?}\n{apply}");
    proxy.forward_all();
}

/// The rules of an application's principals, without its name.
#[track_caller]
fn rules_of(stack: &Stack, name: &str) -> Vec<String> {
    let told = [stack.rules(&format!("User:{name}")), stack.rules(&format!("User:{name}-ci"))].join(" ");
    let mut resource = String::new();
    let mut res = Vec::new();
    // Kafka's tool writes a resource in its first parentheses, and each rule for it in others.
    for part in told.split('(').skip(1) {
        let part = part.split(')').next().unwrap_or_default().replace(name, "…");
        if part.starts_with("principal=") {
            res.push(format!("{resource}: {part}"));
        } else {
            resource = part;
        }
    }
    res.sort();
    res
}

//! Runs on a governed cluster that are killed in the middle: the next apply finishes what they began, and Kafka's own tools
//! see what they would have seen without the kill.

mod access;
mod credential;

use std::sync::{Arc, Mutex};

use acceptance_tests::{Engine, Stack, Workspace};
use tokio::runtime::Runtime;
use wire_proxy::{Action, ApiKey, WireProxy};

use crate::{servers, topic_block, workspace_with};

/// A governed cluster behind a proxy.
struct Site {
    stack: Stack,
    _runtime: Runtime,
    proxy: WireProxy,
}

impl Site {
    #[track_caller]
    fn declare(engine: &Engine) -> Self {
        let stack = Stack::start().expect("a broker starts");
        let platform = workspace_with(engine, &servers(&stack.plaintext()));
        platform.write("main.tf", "resource \"kafka_environment\" \"dev\" {\n name = \"dev\"\n}\n");
        platform.applies();
        Self::of(stack)
    }

    /// A cluster that somebody governs.
    fn of(stack: Stack) -> Self {
        let runtime = Runtime::new().expect("the system has threads");
        let proxy =
            runtime.block_on(async { WireProxy::start(stack.plaintext_socket()) }).expect("there are free ports");
        Self { stack, _runtime: runtime, proxy }
    }

    /// Somebody whose provider may be killed at its requests.
    fn workspace(&self, engine: &Engine) -> Workspace {
        workspace_with(engine, &servers(&self.proxy.address().to_string()))
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
const OF_CREATION: [Kill; 6] = [
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
        let Site { stack, _runtime, proxy } = Site::declare(&engine);
        let whole = workspace_with(&engine, &servers(&stack.plaintext()));
        whole.write("main.tf", &killed("whole"));
        whole.applies();
        let expected = rules_of(&stack, "whole");
        assert!(expected.iter().any(|it| it.contains("operation=WRITE")), "{expected:?}");

        for (number, kill) in OF_CREATION.into_iter().enumerate() {
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

/// The middles of a change of principals and quota: after the decision, and around each deed.
const OF_UPDATE: [Kill; 7] = [
    kill(ApiKey::EndTxn, 0, Action::KillAfter),
    kill(ApiKey::CreateAcls, 0, Action::KillBefore),
    kill(ApiKey::CreateAcls, 0, Action::KillAfter),
    kill(ApiKey::DeleteAcls, 0, Action::KillBefore),
    kill(ApiKey::DeleteAcls, 0, Action::KillAfter),
    kill(ApiKey::AlterClientQuotas, 0, Action::KillBefore),
    kill(ApiKey::AlterClientQuotas, 0, Action::KillAfter),
];

/// The middles of a deletion, as many.
const OF_DELETION: [Kill; 7] = [
    kill(ApiKey::EndTxn, 0, Action::KillBefore),
    kill(ApiKey::EndTxn, 0, Action::KillAfter),
    kill(ApiKey::DeleteAcls, 0, Action::KillBefore),
    kill(ApiKey::DeleteAcls, 0, Action::KillAfter),
    kill(ApiKey::AlterClientQuotas, 0, Action::KillBefore),
    kill(ApiKey::AlterClientQuotas, 0, Action::KillAfter),
    kill(ApiKey::EndTxn, 1, Action::KillAfter),
];

#[test]
fn an_application_whose_change_or_deletion_is_killed_is_finished_by_the_next_apply() {
    for engine in Engine::usual() {
        let site = Site::declare(&engine);
        let whole = site.workspace(&engine);
        for step in [before_update("whole"), after_update("whole")] {
            whole.write("main.tf", &step);
            whole.applies();
        }
        let expected = seen(&site.stack, "whole");
        assert!(expected.iter().any(|it| it.contains("producer_byte_rate=2000")), "{expected:?}");

        for (number, (of_update, of_deletion)) in OF_UPDATE.into_iter().zip(OF_DELETION).enumerate() {
            let name = format!("killed{number}");
            let workspace = site.workspace(&engine);
            workspace.write("main.tf", &before_update(&name));
            workspace.applies();
            workspace.write("main.tf", &after_update(&name));
            kill_apply_at(&workspace, &site.proxy, of_update);
            workspace.applies();
            assert_eq!(seen(&site.stack, &name), expected, "{of_update:?}: as without the kill");

            workspace.write("main.tf", "");
            kill_apply_at(&workspace, &site.proxy, of_deletion);
            workspace.applies();
            assert_eq!(seen(&site.stack, &name), Vec::<String>::new(), "{of_deletion:?}");
        }
    }
}

/// An application whose principals share a quota.
fn before_update(name: &str) -> String {
    let quota = "client_quota = { producer_byte_rate_per_broker = 1000, consumer_byte_rate_per_broker = 3000 }";
    killed(name).replace(" streams", &format!(" {quota}\n streams"))
}

/// The same with another principal in the place of its deployer, and another quota.
fn after_update(name: &str) -> String {
    before_update(name)
        .replace(&format!("[\"User:{name}\"]"), &format!("[\"User:{name}\", \"User:{name}-job\"]"))
        .replace(&format!(" deployers = [\"User:{name}-ci\"]\n"), "")
        .replace(
            "producer_byte_rate_per_broker = 1000, consumer_byte_rate_per_broker = 3000",
            "producer_byte_rate_per_broker = 4000",
        )
}

/// The rules and the quotas of an application's principals, without its name.
#[track_caller]
fn seen(stack: &Stack, name: &str) -> Vec<String> {
    let mut res = rules_of(stack, name);
    let quotas = stack.quotas();
    let own = quotas.lines().filter(|it| it.contains(&format!("'{name}'")) || it.contains(&format!("'{name}-")));
    res.extend(own.map(|it| it.replace(name, "…")));
    res.sort();
    res
}

/// The middles of what becomes of a topic: it is made, grows and is configured anew, and is deleted.
const OF_TOPIC: [[Kill; 4]; 3] = [
    [
        kill(ApiKey::EndTxn, 0, Action::KillAfter),
        kill(ApiKey::CreateTopics, 0, Action::KillBefore),
        kill(ApiKey::CreateTopics, 0, Action::KillAfter),
        kill(ApiKey::EndTxn, 1, Action::KillAfter),
    ],
    [
        kill(ApiKey::CreatePartitions, 0, Action::KillBefore),
        kill(ApiKey::CreatePartitions, 0, Action::KillAfter),
        kill(ApiKey::IncrementalAlterConfigs, 0, Action::KillBefore),
        kill(ApiKey::IncrementalAlterConfigs, 0, Action::KillAfter),
    ],
    [
        kill(ApiKey::EndTxn, 0, Action::KillAfter),
        kill(ApiKey::DeleteTopics, 0, Action::KillBefore),
        kill(ApiKey::DeleteTopics, 0, Action::KillAfter),
        kill(ApiKey::EndTxn, 1, Action::KillAfter),
    ],
];

#[test]
fn a_governed_topic_whose_life_is_killed_at_every_turn_is_finished_by_the_next_apply() {
    for engine in Engine::usual() {
        let site = Site::declare(&engine);
        let owner = site.workspace(&engine);
        owner.write("main.tf", &killed("owner"));
        owner.applies();
        let [of_creation, of_update, of_deletion] = OF_TOPIC;
        for (number, of_creation) in of_creation.into_iter().enumerate() {
            // The name is the same each time: what was deleted leaves no trace.
            let name = "owner.topic";
            let workspace = site.workspace(&engine);
            workspace.write("main.tf", &topic_block(name, "partitions = 1"));
            kill_apply_at(&workspace, &site.proxy, of_creation);
            workspace.applies();

            workspace.write("main.tf", &topic_block(name, "partitions = 2\nconfig = { \"retention.ms\" = \"1000\" }"));
            kill_apply_at(&workspace, &site.proxy, of_update[number]);
            workspace.applies();
            let topic = site.stack.topic(name).expect("it was made");
            assert_eq!((topic.partitions, topic.config["retention.ms"].as_str()), (2, "1000"), "{of_creation:?}");

            workspace.write("main.tf", "");
            kill_apply_at(&workspace, &site.proxy, of_deletion[number]);
            workspace.applies();
            assert_eq!(site.stack.topic(name), None, "{:?}", of_deletion[number]);
        }
        the_application_of_a_topic_that_is_gone_can_go(&site, &engine, &owner);
    }
}

/// The run that deleted the topic could not say so, and nobody makes it again.
#[track_caller]
fn the_application_of_a_topic_that_is_gone_can_go(site: &Site, engine: &Engine, owner: &Workspace) {
    let workspace = site.workspace(engine);
    workspace.write("main.tf", &topic_block("owner.last", ""));
    workspace.applies();
    workspace.write("main.tf", "");
    kill_apply_at(&workspace, &site.proxy, kill(ApiKey::DeleteTopics, 0, Action::KillAfter));
    workspace.applies();
    assert_eq!(site.stack.topic("owner.last"), None);
    owner.destroy().success();
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
    let told = ["", "-ci", "-job"].map(|it| stack.rules(&format!("User:{name}{it}"))).join(" ");
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

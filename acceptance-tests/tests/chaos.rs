//! What breaks in the middle.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use acceptance_tests::{Engine, Running, Stack, Workspace};
use tokio::runtime::Runtime;
use wire_proxy::{Action, ApiKey, WireProxy};

use crate::{servers, topic_block, until, workspace_with};

/// How long what follows at once may take.
const PATIENCE: Duration = Duration::from_secs(30);
const TOPICS: usize = 100;
/// A `CreateTopics` request in the middle of an apply of all: engines create ten objects at once, so that each request
/// has one to ten topics.
const MIDDLE: u64 = 5;

/// A proxy before the shared broker, and the runtime that it works in.
fn proxy() -> (Runtime, WireProxy) {
    let runtime = Runtime::new().expect("the system has threads");
    let proxy = {
        let _inside = runtime.enter();
        WireProxy::start(Stack::shared().plaintext_socket()).expect("there are free ports")
    };
    (runtime, proxy)
}

fn through(engine: &Engine, proxy: &WireProxy) -> Workspace {
    workspace_with(engine, &servers(&proxy.address().to_string()))
}

/// Writes 100 topics whose names start with `prefix`.
fn write_topics(workspace: &Workspace, prefix: &str, rest: &str) {
    let mut blocks = String::new();
    for number in 0..TOPICS {
        let block = topic_block(&format!("{prefix}.{number}"), rest).replace("\"a\" {", &format!("\"t{number}\" {{"));
        blocks.write_str(&block).expect("a string takes everything");
    }
    workspace.write("main.tf", &blocks);
}

#[test]
fn a_lost_answer_is_settled_by_looking() {
    let stack = Stack::shared();
    for engine in Engine::usual() {
        for (number, key) in
            [ApiKey::CreateTopics, ApiKey::CreatePartitions, ApiKey::IncrementalAlterConfigs, ApiKey::DeleteTopics]
                .into_iter()
                .enumerate()
        {
            let (_runtime, proxy) = proxy();
            let name = format!("chaos.lost.{number}");
            let workspace = through(&engine, &proxy);
            let steps = ["partitions = 1", "partitions = 2\nconfig = { \"retention.ms\" = \"1000\" }"];
            for step in steps {
                workspace.write("main.tf", &topic_block(&name, step));
                workspace.run(&["plan", "-no-color", "-out=plan.bin"]).success();
                cut_first(&proxy, key);
                workspace.run(&["apply", "-no-color", "plan.bin"]).success();
                proxy.forward_all();
                workspace.plans_nothing();
            }
            let topic = stack.topic(&name).expect("it was created");
            assert_eq!((topic.partitions, topic.config["retention.ms"].as_str()), (2, "1000"));
            cut_first(&proxy, key);
            workspace.destroy().success();
            assert_eq!(stack.topic(&name), None);
        }
    }
}

/// Loses the answer to the first request of that kind.
fn cut_first(proxy: &WireProxy, key: ApiKey) {
    let mut lost = false;
    proxy.on_request(move |request, _| {
        let cut = request.api_key == key && !lost;
        lost |= cut;
        if cut { Action::CutAfter } else { Action::Forward }
    });
}

#[test]
fn a_broker_that_comes_back_is_waited_for() {
    for engine in Engine::usual() {
        let (runtime, proxy) = proxy();
        let workspace = through(&engine, &proxy);
        write_topics(&workspace, "chaos.back", "");
        let running = apply_until_the_broker_dies(&workspace, &runtime, &proxy);
        proxy.forward_all();
        runtime.block_on(proxy.refuse_connections(false));
        running.wait(workspace.deadline()).expect("it ends").success();
        workspace.plans_nothing();
        workspace.destroy().success();
    }
}

#[test]
fn a_broker_that_dies_in_the_middle_is_told_and_the_next_apply_finishes() {
    for engine in Engine::usual() {
        let (runtime, proxy) = proxy();
        let workspace = through(&engine, &proxy);
        write_topics(&workspace, "chaos.dies", "timeouts {\n create = \"2s\"\n }");
        let running = apply_until_the_broker_dies(&workspace, &runtime, &proxy);
        running.wait(workspace.deadline()).expect("it ends").failure(&["Time is up", "`timeouts` block"]);
        proxy.forward_all();
        runtime.block_on(proxy.refuse_connections(false));
        finishes(&workspace, "chaos.dies");
    }
}

/// Starts an apply, and takes the broker away while it runs.
#[track_caller]
fn apply_until_the_broker_dies(workspace: &Workspace, runtime: &Runtime, proxy: &WireProxy) -> Running {
    workspace.run(&["plan", "-no-color", "-out=plan.bin"]).success();
    proxy.reset_counts();
    let mut creations = 0;
    proxy.on_request(move |request, _| {
        creations += u64::from(request.api_key == ApiKey::CreateTopics);
        if creations < MIDDLE { Action::Forward } else { Action::CutBefore }
    });
    let running = workspace.start(&["apply", "-no-color", "plan.bin"]);
    until("topics are created", PATIENCE, || MIDDLE <= proxy.count(ApiKey::CreateTopics));
    runtime.block_on(proxy.refuse_connections(true));
    running
}

#[test]
fn garbage_is_no_kafka() {
    for engine in Engine::usual() {
        for raw in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"\x00\x00\x00\x08\xff\xff\xff\xff\xff\xff\xff\xff"] {
            let (_runtime, proxy) = proxy();
            proxy.on_request(move |_, _| Action::AnswerRaw(raw.to_vec().into()));
            says_no_kafka(&engine, &proxy);
        }
    }
}

#[test]
fn a_frame_of_two_gigabytes_is_refused() {
    for engine in Engine::usual() {
        let (_runtime, proxy) = proxy();
        proxy.on_request(|_, _| Action::AnswerRaw(i32::MAX.to_be_bytes().to_vec().into()));
        says_no_kafka(&engine, &proxy);
    }
}

#[track_caller]
fn says_no_kafka(engine: &Engine, proxy: &WireProxy) {
    let workspace = through(engine, proxy);
    workspace.write("main.tf", &topic_block("chaos.garbage", ""));
    workspace.apply().failure(&["Not a Kafka broker", "`bootstrap_servers`"]);
    assert_eq!(workspace.addresses(), Vec::<String>::new());
}

#[test]
fn a_provider_that_is_killed_is_finished_by_the_next_apply() {
    for engine in Engine::usual() {
        let (_runtime, proxy) = proxy();
        let workspace = through(&engine, &proxy);
        write_topics(&workspace, "chaos.killed", "");
        workspace.run(&["plan", "-no-color", "-out=plan.bin"]).success();
        let engine_process = Arc::new(Mutex::new(None::<u32>));
        let (pid, mut creations) = (Arc::clone(&engine_process), 0);
        proxy.on_request(move |request, _| {
            creations += u64::from(request.api_key == ApiKey::CreateTopics);
            let engine = *pid.lock().expect("nobody panics with it");
            match engine.and_then(|it| acceptance_tests::children(it).first().copied()) {
                Some(provider) if request.api_key == ApiKey::CreateTopics && creations == MIDDLE => {
                    Action::KillAfter(provider)
                }
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
        assert!(!apply.succeeded(), "the provider was killed in the middle\n{apply}");
        proxy.forward_all();
        finishes(&workspace, "chaos.killed");
    }
}

#[test]
fn an_engine_that_is_killed_leaves_no_provider_behind() {
    for engine in Engine::all() {
        let (_runtime, proxy) = proxy();
        let workspace = through(&engine, &proxy);
        workspace.write("main.tf", &topic_block("chaos.orphan", ""));
        // The provider hangs in a request that nobody answers.
        proxy.on_request(|_, _| Action::Drop);
        let running = workspace.start(&["plan", "-no-color"]);
        until("the provider asks", PATIENCE, || 0 < proxy.total());
        let providers = acceptance_tests::children(running.id());
        assert!(!providers.is_empty());
        running.kill();
        until("the provider ends", PATIENCE, || !providers.iter().any(|it| acceptance_tests::is_alive(*it)));
    }
}

#[test]
fn an_interrupted_apply_keeps_what_it_made() {
    for engine in Engine::usual() {
        let (_runtime, proxy) = proxy();
        let workspace = through(&engine, &proxy);
        write_topics(&workspace, "chaos.interrupted", "");
        workspace.run(&["plan", "-no-color", "-out=plan.bin"]).success();
        proxy.reset_counts();
        proxy.delay(Duration::from_millis(20));
        let running: Running = workspace.start(&["apply", "-no-color", "plan.bin"]);
        until("topics are created", PATIENCE, || MIDDLE <= proxy.count(ApiKey::CreateTopics));
        running.interrupt();
        let apply = running.wait(workspace.deadline()).expect("it ends");
        assert!(!apply.succeeded(), "it was interrupted\n{apply}");
        proxy.delay(Duration::ZERO);
        finishes(&workspace, "chaos.interrupted");
    }
}

/// What was begun is finished by an apply: all topics are there, all are in the state, and there is nothing to do.
#[track_caller]
fn finishes(workspace: &Workspace, prefix: &str) {
    let stack = Stack::shared();
    let made = stack.topics(prefix);
    let known: BTreeSet<_> = workspace.addresses().into_iter().collect();
    assert!(known.len() <= made.len() && made.len() < TOPICS, "{} known, {} made", known.len(), made.len());
    workspace.applies();
    let finished = stack.topics(prefix);
    assert_eq!((workspace.addresses().len(), finished.len()), (TOPICS, TOPICS));
    for (name, facts) in made {
        assert_eq!(finished[&name].id, facts.id, "{name} is the topic that was made first");
    }
    workspace.destroy().success();
    assert!(stack.topics(prefix).is_empty());
}

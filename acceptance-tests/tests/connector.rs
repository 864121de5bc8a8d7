//! `kafka_connector`, on real Connect workers.

mod kinds;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use acceptance_tests::{Connect, Engine, Stack, User, Workspace, hcl};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    access, example, governance,
    importing::{examples, imports_are_as_good_as_creation},
    provider, servers, until, workspace_with,
};

const SINK: &str = "org.apache.kafka.connect.file.FileStreamSinkConnector";
const SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";

/// A workspace whose environment `dev` has the shared broker and these workers.
pub(crate) fn workspace(engine: &Engine, connect: &Connect) -> Workspace {
    workspace_with(engine, &environment(&format!("url = {}", hcl(&connect.url()))))
}

/// The shared broker, with workers that are reached so.
fn environment(worker: &str) -> String {
    servers(&Stack::shared().plaintext()) + &format!("connect = {{ main = {{ {worker} }} }}")
}

/// A connector of that address, name and configuration, with more attributes.
fn block(address: &str, name: &str, config: &[(&str, &str)], rest: &str) -> String {
    let config: Vec<String> = config.iter().map(|(key, value)| format!("{} = {}", hcl(key), hcl(value))).collect();
    format!(
        "resource \"kafka_connector\" {} {{\n name = {}\n config = {{\n{}\n}}\n{rest}\n}}\n",
        hcl(address),
        hcl(name),
        config.join("\n")
    )
}

/// A sink `a` of a topic into a file.
fn sink(name: &str, topic: &str, file: &Path, rest: &str) -> String {
    block("a", name, &[("connector.class", SINK), ("topics", topic), ("file", &file.to_string_lossy())], rest)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("the temporary folder is writable")
}

/// What the workers say of a connector, asked without the provider's code: its state, and those of its tasks.
fn states(connect: &Connect, name: &str) -> (String, Vec<String>) {
    let (_, body) = settled(connect, "GET", &format!("connectors/{name}/status"), "");
    let status: Value = serde_json::from_str(&body).expect("a status");
    let text = |it: &Value| it["state"].as_str().unwrap_or_default().to_owned();
    (text(&status["connector"]), status["tasks"].as_array().into_iter().flatten().map(text).collect())
}

fn running() -> (String, Vec<String>) {
    ("RUNNING".to_owned(), vec!["RUNNING".to_owned()])
}

fn config(connect: &Connect, name: &str) -> Value {
    shown(connect, &format!("connectors/{name}/config"))
}

/// What the workers answer, once they have shared out their work: meanwhile they refuse.
fn settled(connect: &Connect, method: &str, path: &str, body: &str) -> (u16, String) {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let (status, answer) = connect.send(method, path, body);
        let is_passing = status == 409 || answer.contains("rebalance");
        if !is_passing || deadline <= Instant::now() {
            return (status, answer);
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn shown(connect: &Connect, path: &str) -> Value {
    let (status, answer) = settled(connect, "GET", path, "");
    assert_eq!(status, 200, "{path}: {answer}");
    serde_json::from_str(&answer).expect("JSON")
}

/// Has the workers do something.
fn does(connect: &Connect, method: &str, path: &str, body: &str) {
    let (status, answer) = settled(connect, method, path, body);
    assert!(status < 300, "{method} {path}: {status} {answer}");
}

fn status_of(connect: &Connect, name: &str) -> u16 {
    settled(connect, "GET", &format!("connectors/{name}"), "").0
}

/// Sets a key of a connector behind everybody's back.
fn set(connect: &Connect, name: &str, key: &str, value: &str) {
    let mut config = config(connect, name);
    config[key] = json!(value);
    does(connect, "PUT", &format!("connectors/{name}/config"), &config.to_string());
}

fn update(address: &str) -> Vec<(String, String)> {
    vec![(address.to_owned(), "update".to_owned())]
}

#[test]
fn the_example_lives_from_create_to_destroy() {
    const NAME: &str = "billing.orders-file";
    for engine in Engine::all() {
        let (connect, folder) = (Connect::shared(), folder());
        let workspace = workspace(&engine, connect);
        let file = folder.path().join("orders.txt").to_string_lossy().into_owned();
        let text = example("resources/kafka_connector/resource.tf").replace("/var/tmp/billing.orders.v1.txt", &file);
        let told = |state: &str| text.replace("config = {", &format!("state = \"{state}\"\nconfig = {{"));
        workspace.write("main.tf", &text);
        workspace.applies();
        assert_eq!(states(connect, NAME), running());
        assert_eq!(workspace.attributes("kafka_connector.orders")["status"], "running");

        workspace.write("main.tf", &told("paused"));
        workspace.applies();
        assert_eq!(states(connect, NAME), ("PAUSED".to_owned(), vec!["PAUSED".to_owned()]));
        workspace.write("main.tf", &told("stopped"));
        workspace.applies();
        assert_eq!(states(connect, NAME), ("STOPPED".to_owned(), vec![]));
        workspace.write("main.tf", &told("running"));
        workspace.applies();
        assert_eq!(states(connect, NAME), running());
        workspace.write("main.tf", &text);
        workspace.applies();

        // Each value drifts alone, and what somebody set is taken away again.
        set(connect, NAME, "errors.tolerance", "all");
        set(connect, NAME, "tasks.max", "2");
        assert_eq!(workspace.plans(), update("kafka_connector.orders"));
        workspace.plan().says(&["\"tasks.max\"", "\"2\" -> \"1\"", "\"errors.tolerance\"", "(set outside)"]);
        workspace.applies();
        let config = config(connect, NAME);
        assert_eq!((&config["tasks.max"], &config["errors.tolerance"]), (&json!("1"), &Value::Null));

        data_sources_find_it(&workspace);
        let examples = examples("kafka_connector", Stack::shared());
        imports_are_as_good_as_creation(&workspace, "kafka_connector.orders", examples);

        does(connect, "DELETE", &format!("connectors/{NAME}"), "");
        assert_eq!(workspace.plans(), [("kafka_connector.orders".to_owned(), "create".to_owned())]);
        workspace.applies();
        workspace.destroy().success();
        assert_eq!(status_of(connect, NAME), 404);
    }
}

#[track_caller]
fn data_sources_find_it(workspace: &Workspace) {
    for (name, file) in [("a", "kafka_connector"), ("b", "kafka_connector_plugins")] {
        workspace.write(&format!("{name}.tf"), &example(&format!("data-sources/{file}/data-source.tf")));
    }
    workspace.apply().success();
    let outputs = &workspace.state()["values"]["outputs"];
    assert_eq!(outputs["orders"]["value"], "running, with 1 task");
    assert_eq!(outputs["sinks"]["value"], json!([SINK]));
    let keys = outputs["keys"]["value"].to_string();
    assert!(keys.contains("\"file\""), "{keys}");
    let shown = workspace.attributes("data.kafka_connector.orders");
    assert_eq!((&shown["class"], &shown["type"], &shown["offsets"]), (&json!(SINK), &json!("sink"), &json!([])));
    for name in ["a", "b"] {
        workspace.remove(&format!("{name}.tf"));
    }
    workspace.apply().success();
}

/// The witness: what was written to one file is in the other.
#[test]
fn lines_of_a_source_file_come_out_of_the_sink_file_and_again_after_a_reset() {
    let (stack, connect) = (Stack::shared(), Connect::shared());
    stack.create_topic("witness.lines", 1);
    for engine in Engine::usual() {
        let folder = folder();
        let workspace = workspace(&engine, connect);
        let (from, to) = (folder.path().join("from.txt"), folder.path().join("to.txt"));
        fs::write(&from, "one\ntwo\nthree\n").expect("the folder is writable");
        let source = |rest: &str| {
            let file = from.to_string_lossy();
            let config = [("connector.class", SOURCE), ("topic", "witness.lines"), ("file", &*file)];
            block("b", "witness source", &config, rest)
        };
        let sink = sink("witness sink", "witness.lines", &to, "");
        workspace.write("main.tf", &(source("") + &sink));
        workspace.applies();
        let lines = |count: usize| {
            let arrived = || fs::read_to_string(&to).unwrap_or_default().lines().count() == count;
            until(&format!("{count} lines"), Duration::from_mins(1), arrived);
        };
        lines(3);
        let reset = "offsets = {\n version = \"1\"\n reset = true\n}";
        workspace.write("main.tf", &(source(reset) + &sink));
        workspace.applies();
        lines(6);
        let position = "offsets = {\n positions = [{\n partition = jsonencode({ filename = FILE })\n offset = \
                        jsonencode({ position = 4 })\n}]\n}";
        let position = position.replace("FILE", &hcl(&from.to_string_lossy()));
        workspace.write("main.tf", &(source(&position) + &sink));
        workspace.applies();
        lines(8);
        assert_eq!(fs::read_to_string(&to).expect("a file"), "one\ntwo\nthree\n".repeat(2) + "two\nthree\n");
        workspace.destroy().success();
    }
    stack.delete_topic("witness.lines");
}

#[test]
fn a_task_that_fails_is_told_with_its_cause_and_started_anew() {
    let connect = Connect::shared();
    for engine in Engine::usual() {
        let folder = folder();
        let workspace = workspace(&engine, connect);
        let missing: PathBuf = folder.path().join("later/to.txt");
        workspace.write("main.tf", &sink("fails", "failing.a", &missing, ""));
        let failure = ["Connector failed", "task 0 on `127.0.0.1:", "ConnectException", "NoSuchFileException"];
        workspace.apply().failure(&failure).says(&["It was deleted again"]);
        assert_eq!(status_of(connect, "fails"), 404);

        let good = folder.path().join("to.txt");
        workspace.write("main.tf", &sink("fails", "failing.a", &good, ""));
        workspace.applies();
        workspace.write("main.tf", &sink("fails", "failing.a", &missing, ""));
        workspace.apply().failure(&failure);
        workspace.plan().says(&["Connector failed", "The next apply starts anew what failed"]);
        fs::create_dir(folder.path().join("later")).expect("the folder is writable");
        assert_eq!(workspace.plans(), update("kafka_connector.a"));
        workspace.applies();
        assert_eq!(states(connect, "fails"), running());
        workspace.destroy().success();
    }
}

#[test]
fn secrets_are_nowhere_but_on_the_workers() {
    let connect = Connect::shared();
    for engine in Engine::usual() {
        let folder = folder();
        let workspace = workspace(&engine, connect);
        let secret = |version: &str, value: &str, file: &str| {
            let wo = format!(
                "config_wo = {{ \"consumer.override.ssl.key.password\" = {} }}\nconfig_wo_version = \"{version}\"",
                hcl(value)
            );
            sink("secret", "secrets.a", &folder.path().join(file), &wo)
        };
        let there = || config(connect, "secret")["consumer.override.ssl.key.password"].clone();
        workspace.write("main.tf", &secret("1", "hunter2", "a"));
        workspace.applies();
        assert_eq!(there(), "hunter2");
        workspace.write("main.tf", &secret("1", "unsaid", "b"));
        workspace.applies();
        assert_eq!(there(), "hunter2", "nothing new was said of it");
        workspace.write("main.tf", &secret("2", "changed", "b"));
        workspace.applies();
        assert_eq!(there(), "changed");
        let state = workspace.state_file().to_string();
        assert!(!state.contains("changed") && !state.contains("hunter2"), "{state}");
        workspace.forget("kafka_connector.a");
        workspace.import("kafka_connector.a", "dev/secret").success();
        let state = workspace.state_file().to_string();
        assert!(!state.contains("changed"), "the worker says that it is a password: {state}");
        workspace.destroy().success();
    }
}

#[test]
fn workers_that_ask_who_calls_are_told() {
    let connect = Connect::start_with_login(Stack::shared()).expect("a worker starts");
    let User { name, password } = Connect::USER;
    for engine in Engine::usual() {
        let folder = folder();
        let login = |password: &str| {
            let url = hcl(&connect.url());
            provider(&environment(&format!("url = {url}, username = {}, password = {}", hcl(name), hcl(password))))
        };
        let workspace = Workspace::new(&engine);
        workspace.write("provider.tf", &login(password));
        workspace.write("main.tf", &sink("login", "login.a", &folder.path().join("to"), ""));
        workspace.applies();
        assert_eq!(states(&connect, "login"), running());
        workspace.write("provider.tf", &login("wrong"));
        workspace.plan().failure(&["Cannot log in to Connect", "`username`"]);
        workspace.write("provider.tf", &login(password));
        workspace.destroy().success();
    }
}

/// What the workers say of a configuration, and what is said without them, is told in the plan.
#[test]
fn bad_input_is_told_in_the_plan_at_its_key() {
    let connect = Connect::shared();
    for engine in Engine::usual() {
        let workspace = workspace(&engine, connect);
        let plan = |name: &str, config: &[(&str, &str)]| {
            workspace.write("main.tf", &block("a", name, config, ""));
            workspace.plan()
        };
        let of = |class: &str| plan("bad", &[("connector.class", class), ("file", "/tmp/x"), ("topics", "a")]);
        let absent = ["Connector class not installed", "on main.tf line", &format!("Is `{SINK}`")];
        of("org.apache.kafka.connect.file.FileStreamSnkConnector")
            .failure(&absent)
            .says(&[SOURCE, "version any, on the workers of `main`"]);
        of("NoSuch").failure(&["Connector class not installed", "source 4.3.1"]);
        let sink = [("connector.class", SINK), ("file", "/tmp/x"), ("topics", "a")];
        let with = |key: &'static str, value: &'static str| [&sink[..], &[(key, value)]].concat();
        plan("bad", &[("connector.class", SOURCE), ("file", "/tmp/x")])
            .failure(&["Configuration refused by Connect", "`topic`: Missing required configuration"]);
        plan("bad", &with("tasks.max", "many")).failure(&[
            "Configuration refused by Connect",
            "Not a number of type INT",
            "line 7",
        ]);
        plan("bad", &with("tasks.max", "0")).failure(&["Configuration refused by Connect", "Value must be at least 1"]);
        plan("bad", &sink[..1]).failure(&["Configuration refused by Connect", "topics"]);
        plan("a/b", &sink).failure(&["Invalid connector name", "refuse every address"]);
        let password = "consumer.override.ssl.key.password";
        let visible = plan("bad", &with(password, "hunter2"));
        visible.failure(&["Secret in the configuration", "`config_wo`"]);
        for plan in [plan("bad", &with(password, "${file:/run/secrets.properties:x}")), plan("name with spaces", &sink)]
        {
            assert_eq!(plan.code(), Some(2), "{plan}");
        }
        assert_eq!(status_of(connect, "bad"), 404, "nothing was made");
    }
}

#[test]
fn ten_thousand_keys_are_as_good_as_ten() {
    let connect = Connect::shared();
    for engine in Engine::usual() {
        let folder = folder();
        let workspace = workspace(&engine, connect);
        let keys: Vec<String> = (0..10_000).map(|it| format!("unused.key.{it}")).collect();
        let file = folder.path().join("to").to_string_lossy().into_owned();
        let mut all = vec![("connector.class", SINK), ("topics", "many.a"), ("file", file.as_str())];
        all.extend(keys.iter().map(|it| (it.as_str(), "1")));
        workspace.write("main.tf", &block("a", "many keys", &all, ""));
        workspace.applies();
        assert_eq!(config(connect, "many%20keys")["unused.key.9999"], "1");
        workspace.destroy().success();
    }
}

#[test]
fn workers_that_are_gone_are_a_warning_in_a_plan_and_an_error_in_an_apply() {
    for engine in Engine::usual() {
        let folder = folder();
        let mut connect = Connect::start(Stack::shared()).expect("a worker starts");
        let workspace = workspace(&engine, &connect);
        let one = sink("stays", "gone.a", &folder.path().join("to"), "");
        workspace.write("main.tf", &one);
        workspace.applies();
        connect.kill(0).expect("it runs");
        workspace.plan().says(&["Connector not refreshed"]).success();
        let two = one.replace("\"a\" {", "\"b\" {").replace("\"stays\"", "\"new\"");
        workspace.write("main.tf", &(one.clone() + &two));
        let plan = workspace.plan().says(&["Not checked by Connect", "no connection"]);
        assert_eq!(plan.code(), Some(2), "{plan}");
        workspace.apply().failure(&["Cannot use Connect", "no connection"]);
        let refused = two.replace("\n}\n\n}", "\n}\non_unreachable = \"refused\"\n}");
        workspace.write("main.tf", &(one + &refused));
        let plan = workspace.plan().failure(&["Error: Not checked by Connect"]);
        assert_eq!(plan.code(), Some(1), "{plan}");
    }
}

/// Twelve connectors are made while one of two workers is killed: the other does what is left.
#[test]
fn an_apply_goes_on_while_a_worker_is_killed() {
    for engine in Engine::usual() {
        let mut connect = Connect::start_two(Stack::shared()).expect("two workers start");
        let folder = folder();
        let urls = connect.urls();
        let place = format!("url = {}, failover_urls = [{}]", hcl(&urls[0]), hcl(&urls[1]));
        let workspace = workspace_with(&engine, &environment(&place));
        let blocks = (0..12).map(|at| {
            let (name, file) = (format!("many{at}"), folder.path().join(at.to_string()));
            let file = file.to_string_lossy();
            block(&format!("c{at}"), &name, &[("connector.class", SINK), ("topics", "killed.a"), ("file", &*file)], "")
        });
        workspace.write("main.tf", &blocks.collect::<String>());
        let apply = workspace.start(&["apply", "-no-color", "-input=false", "-auto-approve"]);
        until("some are made", Duration::from_mins(1), || {
            let (status, body) = connect.get("connectors");
            status == 200 && serde_json::from_str::<Vec<String>>(&body).is_ok_and(|it| 1 < it.len())
        });
        connect.kill(0).expect("it runs");
        apply.wait(workspace.deadline()).expect("it ends").success();
        until("all run", Duration::from_mins(1), || {
            (0..12).all(|at| states(&connect, &format!("many{at}")) == running())
        });
        workspace.plans_nothing();
    }
}

/// The platform's rules, under which `billing` owns what begins with `billing.`, may start one task, and changes what is
/// there with the platform's leave.
const RULES: &str = r#"
resource "kafka_environment" "dev" {
  name       = "dev"
  connectors = { max_tasks = 1 }
  approval   = { changes = { connector = { update = { approval = "platform" } } } }
}

resource "kafka_application" "billing" {
  environment = kafka_environment.dev.id
  name        = "billing"
  owner       = { team = "billing" }
  principals  = ["User:team"]
}
"#;

const WAITING: &str = r#"
data "kafka_access_requests" "waiting" {
  kind   = "change"
  status = "pending"
}
"#;

#[test]
fn a_team_has_connectors_of_its_own_topics_under_its_own_names() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let connect = Connect::start(&stack).expect("a worker starts");
        let folder = folder();
        let platform = governance::workspace(&engine, &stack, None);
        platform.write("main.tf", RULES);
        platform.applies();
        let team = governance::workspace(&engine, &stack, Some("billing"));
        let place =
            servers(&stack.plaintext()) + &format!("connect = {{ main = {{ url = {} }} }}", hcl(&connect.url()));
        team.write("provider.tf", &provider(&place));
        let file = folder.path().join("to").to_string_lossy().into_owned();
        let plan = |name: &str, topics: &str, tasks: &str| {
            let config = [("connector.class", SINK), ("file", &*file), ("topics", topics), ("tasks.max", tasks)];
            team.write("main.tf", &block("a", name, &config, ""));
            team.plan()
        };
        plan("other.sink", "billing.a", "1").failure(&["Connector outside the prefixes", "name = \"billing.…\""]);
        plan("billing.sink", "billing.a,sales.b", "2").failure(&[
            "Topic of another application",
            "reads `sales.b`",
            "Too many tasks",
            "on main.tf line 7",
        ]);
        plan("billing.sink", "billing.a", "1").says(&["Topics checked in plans alone"]);
        team.applies();
        assert_eq!(states(&connect, "billing.sink"), running());

        plan("billing.sink", "billing.a,billing.b", "1")
            .says(&["Change needs approval", "`billing.sink` is changed so"]);
        team.apply().failure(&["Change waits for approval", "the request `billing-"]);
        assert_eq!(config(&connect, "billing.sink")["topics"], "billing.a");
        platform.write("decision.tf", WAITING);
        platform.applies();
        let waiting = platform.attributes("data.kafka_access_requests.waiting")["requests"][0].clone();
        let request = json!({ "request_id": waiting["id"], "revision": waiting["revision"] });
        platform.write("decision.tf", &access::decision(&request, "approve", "as = \"platform\""));
        platform.applies();
        team.applies();
        team.plans_nothing();
        assert_eq!(config(&connect, "billing.sink")["topics"], "billing.a,billing.b");
        team.destroy().success();
    }
}

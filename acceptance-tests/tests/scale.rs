//! A thousand topics: what does not depend on the speed of the machine. `bench` measures what does.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::ToSocketAddrs,
    process::{Child, Command, Stdio},
};

use acceptance_tests::{Engine, FakeConnect, FakeRegistry, SCHEMA, Stack, Workspace, binary, hcl};
use tokio::runtime::Runtime;
use wire_proxy::WireProxy;

const TOPICS: usize = 1_000;
const SUBJECTS: usize = 2_000;
const CONNECTORS: usize = 500;
/// Requests that a plan of [`CONNECTORS`] connectors may send to the workers: two alone, each with its status, one list, and
/// one for what they say of themselves.
const MOST_OF_CONNECTORS: u64 = 6;
/// Requests that a plan of [`SUBJECTS`] subjects may send to a registry that lists them: a few alone, and two pages.
const MOST_OF_A_LIST: u64 = 8;
/// The same where it does not: one for each, and one to find that out.
const MOST_WITHOUT_LIST: u64 = 2_010;
/// Requests that a plan of [`TOPICS`] existing topics may send to the broker.
const MOST_REQUESTS: u64 = 30;
/// Memory that the provider, built without optimisation, may ever have while it plans them, in KiB. It has about 20 MiB.
const MOST_MEMORY: u64 = 40 << 10;

#[test]
fn a_thousand_topics_are_planned_with_few_requests_and_little_memory() {
    let stack = Stack::start().unwrap_or_else(|problem| panic!("starting Kafka: {problem}"));
    let broker = stack.plaintext().to_socket_addrs().unwrap().find(std::net::SocketAddr::is_ipv4).unwrap();
    let runtime = Runtime::new().unwrap();
    let proxy = {
        let _inside = runtime.enter();
        WireProxy::start(broker).unwrap()
    };
    let mut workspace = Workspace::new(&Engine::open_tofu().unwrap());
    workspace.write("main.tf", &configuration(&proxy.address().to_string()));
    workspace.apply().success();
    // A busy broker shows the last of many new topics late, and a plan asks again for those that it misses.
    assert!((0..20).any(|_| stack.topics("scale.").len() == TOPICS), "the broker does not show all topics");

    proxy.reset_counts();
    workspace.plans_nothing();
    assert!(proxy.total() > 0, "the plan did not come through the proxy");
    assert!(proxy.total() <= MOST_REQUESTS, "{:?} {:?}", proxy.requests(), proxy.problems());

    let provider = Attached::start();
    workspace.set_variable("TF_REATTACH_PROVIDERS", &provider.reattach);
    proxy.reset_counts();
    workspace.plans_nothing();
    assert!(proxy.total() > 0, "the plan did not come through the proxy");
    let memory = provider.peak_memory();
    assert!(memory.is_none_or(|it| it <= MOST_MEMORY), "{memory:?} KiB");
}

#[test]
fn two_thousand_subjects_are_planned_with_few_requests_and_little_memory() {
    let registry = FakeRegistry::start();
    let mut workspace = Workspace::new(&Engine::open_tofu().unwrap());
    workspace.write("main.tf", &schemas(&Stack::shared().plaintext(), registry.url()));
    workspace.apply().success();
    registry.take_requests();
    workspace.plans_nothing();
    let requests = registry.take_requests();
    assert!((1..=MOST_OF_A_LIST).contains(&requests), "{requests}");

    registry.list(false);
    let provider = Attached::start();
    workspace.set_variable("TF_REATTACH_PROVIDERS", &provider.reattach);
    workspace.plans_nothing();
    let requests = registry.take_requests();
    assert!((1..=MOST_WITHOUT_LIST).contains(&requests), "{requests}");
    registry.list(true);
    workspace.plans_nothing();
    let memory = provider.peak_memory();
    assert!(memory.is_none_or(|it| it <= MOST_MEMORY), "{memory:?} KiB");
}

#[test]
fn five_hundred_connectors_are_planned_with_few_requests() {
    let connect = FakeConnect::start();
    let workspace = Workspace::new(&Engine::open_tofu().unwrap());
    workspace.write("main.tf", &connectors(&Stack::shared().plaintext(), connect.url()));
    workspace.apply().success();
    connect.take_requests();
    workspace.plans_nothing();
    let requests = connect.take_requests();
    assert!((1..=MOST_OF_CONNECTORS).contains(&requests), "{requests}");
}

fn connectors(broker: &str, workers: &str) -> String {
    let place = format!("bootstrap_servers = [{}], connect = {{ main = {{ url = {} }} }}", hcl(broker), hcl(workers));
    let provider = format!("provider \"kafka\" {{\n  environments = {{ test = {{ {place} }} }}\n}}\n");
    let connectors = (0..CONNECTORS).map(|number| {
        format!(
            "resource \"kafka_connector\" \"c{number}\" {{\n  name = \"scale.{number}\"\n  wait_for = \"nothing\"\n  \
             config = {{ \"connector.class\" = \"FileSink\", \"topics\" = \"a\" }}\n}}\n"
        )
    });
    [provider].into_iter().chain(connectors).collect()
}

fn schemas(broker: &str, registry: &str) -> String {
    let place = format!("bootstrap_servers = [{}], schema_registry = {{ url = {} }}", hcl(broker), hcl(registry));
    let provider = format!("provider \"kafka\" {{\n  environments = {{ test = {{ {place} }} }}\n}}\n");
    let schema = hcl(SCHEMA);
    let subjects = (0..SUBJECTS).map(|number| {
        format!(
            "resource \"kafka_schema\" \"s{number}\" {{\n  subject = \"scale.s{number}\"\n  schema = {schema}\n}}\n"
        )
    });
    [provider].into_iter().chain(subjects).collect()
}

fn configuration(broker: &str) -> String {
    let provider =
        format!("provider \"kafka\" {{\n  environments = {{ test = {{ bootstrap_servers = [\"{broker}\"] }} }}\n}}\n");
    let topics = (0..TOPICS).map(|number| {
        format!(
            "resource \"kafka_topic\" \"t{number}\" {{\n  name = \"scale.{number:04}\"\n  partitions = 1\n  \
             replication_factor = 1\n  config = {{ \"retention.ms\" = \"3600000\" }}\n}}\n"
        )
    });
    [provider].into_iter().chain(topics).collect()
}

/// A provider that the test started itself, so that it outlives the engine and can be looked at. It ends with the test.
struct Attached {
    process: Child,
    reattach: String,
}

impl Attached {
    fn start() -> Self {
        let mut command = Command::new(binary());
        command.arg("--debug").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("the provider starts");
        let lines = BufReader::new(process.stdout.take().expect("the output is piped")).lines().map_while(Result::ok);
        let mut said =
            lines.filter_map(|it| it.trim().strip_prefix("export TF_REATTACH_PROVIDERS=").map(str::to_owned));
        let reattach = said.next().map(|it| it.trim_matches('\'').to_owned());
        // Built before the check, so that the process ends in any case.
        let this = Self { process, reattach: reattach.unwrap_or_default() };
        assert!(!this.reattach.is_empty(), "the provider did not say where it is");
        this
    }

    /// The largest memory that it ever had, in KiB, where the system tells.
    fn peak_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"))?;
        Some(line.trim().strip_suffix(" kB").and_then(|it| it.parse().ok()).expect("the kernel counts in kB"))
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

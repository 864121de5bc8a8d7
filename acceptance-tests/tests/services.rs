//! What there is beside the brokers: a schema registry and Connect workers, told as conditions.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    thread,
};

use acceptance_tests::{Connect, Engine, Registry, Stack, User, Workspace, hcl};

use crate::{provider, servers};

/// A fake: it answers `/subjects` as Confluent's registry does, and `/` as Kafka's Connect does, to who knows the password.
struct Fake {
    url: String,
}

impl Fake {
    fn start(cluster_id: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let worker = format!("{{\"version\":\"4.3.1\",\"commit\":\"c1\",\"kafka_cluster_id\":{}}}", hcl(cluster_id));
        // It ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Whoever asked may be gone.
                let _ = answer(&stream, &worker);
            }
        });
        Self { url }
    }
}

fn answer(stream: &TcpStream, worker: &str) -> std::io::Result<()> {
    let lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|it| !it.is_empty());
    let request: Vec<String> = lines.collect();
    // `ann:hunter2`
    let is_known = request.iter().any(|it| it.eq_ignore_ascii_case("authorization: basic yw5uomh1bnrlcji="));
    let (status, body) = match request.first().and_then(|it| it.split(' ').nth(1)) {
        _ if !is_known => ("401 Unauthorized", "{\"error_code\":401,\"message\":\"Unauthorized\"}"),
        Some("/subjects") => ("200 OK", "[\"billing.invoices-value\"]"),
        Some("/") => ("200 OK", worker),
        _ => ("404 Not Found", "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}"),
    };
    let length = body.len();
    let head = "content-type: application/json\r\nconnection: close";
    (&*stream).write_all(format!("HTTP/1.1 {status}\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}").as_bytes())
}

fn service(url: &str, password: &str) -> String {
    format!("{{ url = {}, username = \"ann\", password = {} }}", hcl(url), hcl(password))
}

fn environment(capabilities: &str) -> String {
    format!(
        r#"
resource "kafka_environment" "dev" {{
  name         = "dev"
  capabilities = {capabilities}
}}

data "kafka_environment" "dev" {{
  depends_on = [kafka_environment.dev]
}}

output "conditions" {{
  value = {{ for it in data.kafka_environment.dev.conditions : it.name => "${{it.status}}: ${{it.message}}" }}
}}
"#
    )
}

#[track_caller]
fn told(workspace: &Workspace, phrases: &[&str]) {
    workspace.applies();
    let outputs = workspace.run(&["output", "-json", "-no-color", "conditions"]).success();
    outputs.says(phrases);
}

#[test]
fn services_beside_the_brokers_are_looked_at_and_held_against_what_is_declared() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let fake = Fake::start(stack.cluster_id());
        let workspace = Workspace::new(&engine);
        let configured = |registry: &str, connect: &str| {
            let brokers = servers(&stack.plaintext());
            provider(&format!("{brokers}schema_registry = {registry}\nconnect = {{ main = {connect} }}"))
        };
        let known = service(&fake.url, "hunter2");
        workspace.write("provider.tf", &configured(&known, &known));
        workspace.write("main.tf", &environment("[\"schemas\", \"connect\"]"));
        let registry = format!("\"schema_registry\":\"good: `{}` answers", fake.url);
        told(&workspace, &[&registry, "\"connect\":\"good: `main` answers"]);

        let nobody =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr()).expect("a port is free");
        let gone = service(&format!("http://{nobody}"), "hunter2");
        workspace.write("provider.tf", &configured(&gone, &service(&fake.url, "wrong")));
        told(&workspace, &["\"schema_registry\":\"bad: ", "no connection", "\"connect\":\"unknown: ", "HTTP 401"]);

        let other = Fake::start("another");
        workspace.write("provider.tf", &configured(&known, &service(&other.url, "hunter2")));
        workspace.write("main.tf", &environment("[\"connect\"]"));
        let undeclared = "\"schema_registry\":\"bad: the provider block has `schema_registry`";
        told(&workspace, &[undeclared, "\"connect\":\"bad: ", "belong to the cluster `another`"]);
    }
}

#[test]
fn a_real_registry_answers() {
    let stack = Stack::start().expect("a broker starts");
    let registry = Registry::start(&stack).expect("a registry starts");
    assert_eq!(registry.get("subjects"), (200, "[]".to_owned()));
    for engine in Engine::usual() {
        let workspace = Workspace::new(&engine);
        let place = format!("schema_registry = {{ url = {} }}", hcl(&registry.url()));
        workspace.write("provider.tf", &provider(&(servers(&stack.plaintext()) + &place)));
        workspace.write("main.tf", &environment("[\"schemas\"]"));
        told(&workspace, &["\"schema_registry\":\"good: `http://127.0.0.1:"]);
        workspace.destroy().success();
    }
}

#[test]
fn real_connect_workers_answer_and_ask_who_calls() {
    let stack = Stack::start().expect("a broker starts");
    let connect = Connect::start_with_login(&stack).expect("a worker starts");
    assert_eq!(connect.get("connectors"), (200, "[]".to_owned()));
    let User { name, password } = Connect::USER;
    for engine in Engine::usual() {
        let workspace = Workspace::new(&engine);
        let login = |password: &str| {
            let url = hcl(&connect.url());
            let worker = format!("{{ url = {url}, username = {}, password = {} }}", hcl(name), hcl(password));
            provider(&(servers(&stack.plaintext()) + &format!("connect = {{ main = {worker} }}")))
        };
        workspace.write("provider.tf", &login(password));
        workspace.write("main.tf", &environment("[\"connect\"]"));
        told(&workspace, &["\"connect\":\"good: `main` answers"]);
        workspace.write("provider.tf", &login("wrong"));
        told(&workspace, &["\"connect\":\"unknown: ", "HTTP 401"]);
    }
}

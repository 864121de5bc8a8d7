//! Connectors of several kinds, and what only real workers can show of them.

use super::*;

fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

#[track_caller]
fn arrive(file: &Path, expected: &[&str]) {
    until(&format!("{expected:?} in the file"), Duration::from_mins(1), || lines(file) == expected);
}

#[test]
fn a_connector_begins_as_it_is_declared() {
    let (stack, connect) = (Stack::shared(), Connect::shared());
    stack.create_topic("begins.a", 1);
    stack.produce("begins.a", "k", "one");
    for engine in Engine::usual() {
        let folder = folder();
        let workspace = workspace(&engine, connect);
        let file = folder.path().join("to");
        // Its group reads from its end on, where another engine had it.
        let [pauses, stops] = ["pauses", "stops"].map(|it| format!("{it}-{}", engine.name));
        let told = |name: &str, state: &str| sink(name, "begins.a", &file, &format!("state = \"{state}\""));
        workspace.write("main.tf", &told(&pauses, "paused"));
        workspace.applies();
        // It gets tasks when it runs for the first time.
        assert_eq!(states(connect, &pauses), ("PAUSED".to_owned(), vec![]));
        workspace.write("main.tf", &told(&stops, "stopped"));
        workspace.applies();
        assert_eq!(states(connect, &stops), ("STOPPED".to_owned(), vec![]));
        assert_eq!(lines(&file), Vec::<String>::new(), "neither of them read anything");
        workspace.write("main.tf", &told(&stops, "running"));
        workspace.applies();
        arrive(&file, &["one"]);
        workspace.destroy().success();
    }
    stack.delete_topic("begins.a");
}

/// What a file of the workers holds is in neither state nor configuration, and the connector works with it.
#[test]
fn references_and_patterns_are_the_workers_to_resolve() {
    let (stack, connect) = (Stack::shared(), Connect::shared());
    for name in ["pattern.a", "pattern.b"] {
        stack.create_topic(name, 1);
        stack.produce(name, "k", name);
    }
    for engine in Engine::usual() {
        let folder = folder();
        let workspace = workspace(&engine, connect);
        let (secrets, to) = (folder.path().join("secrets.properties"), folder.path().join("hidden.txt"));
        fs::write(&secrets, format!("to={}\n", to.display())).expect("the folder is writable");
        let reference = format!("${{file:{}:to}}", secrets.display());
        let config = [("connector.class", SINK), ("topics.regex", "pattern\\.[ab]"), ("file", reference.as_str())];
        let name = format!("pattern-{}", engine.name);
        workspace.write("main.tf", &block("a", &name, &config, ""));
        workspace.applies();
        until("both topics in the file", Duration::from_mins(1), || lines(&to).len() == 2);
        assert_eq!(super::config(connect, &name)["file"], json!(reference));
        let state = workspace.state_file().to_string();
        assert!(!state.contains("hidden.txt"), "{state}");
        workspace.destroy().success();
    }
    for name in ["pattern.a", "pattern.b"] {
        stack.delete_topic(name);
    }
}

/// `MirrorMaker` from the broker to itself: the copy has another name.
#[test]
fn topics_are_mirrored() {
    const MIRROR: &str = "org.apache.kafka.connect.mirror.MirrorSourceConnector";
    let (stack, connect) = (Stack::shared(), Connect::shared());
    let broker = stack.plaintext();
    stack.create_topic("mirrored.a", 1);
    stack.produce("mirrored.a", "k", "copied");
    for engine in Engine::usual() {
        let workspace = workspace(&engine, connect);
        let bytes = "org.apache.kafka.connect.converters.ByteArrayConverter";
        let alias = engine.name.replace(['-', '.'], "");
        let config = [
            ("connector.class", MIRROR),
            ("source.cluster.alias", alias.as_str()),
            ("target.cluster.alias", "here"),
            ("source.cluster.bootstrap.servers", &*broker),
            ("target.cluster.bootstrap.servers", &*broker),
            ("topics", "mirrored.a"),
            ("key.converter", bytes),
            ("value.converter", bytes),
            ("replication.factor", "1"),
            ("offset-syncs.topic.replication.factor", "1"),
            ("sync.topic.acls.enabled", "false"),
        ];
        workspace.write("main.tf", &block("a", "mirror", &config, ""));
        workspace.applies();
        let copy = format!("{alias}.mirrored.a");
        until("the copy is there", Duration::from_mins(1), || stack.topic(&copy).is_some());
        until("the record is in it", Duration::from_mins(1), || {
            stack.read(&copy).iter().any(|it| it.value == "copied")
        });
        workspace.destroy().success();
        stack.delete_topic(&copy);
    }
    stack.delete_topic("mirrored.a");
}

/// Kafka refuses to move the group of a sink while one of its tasks is a member.
#[test]
fn a_sink_reads_anew_from_the_beginning_and_from_elsewhere() {
    let (stack, connect) = (Stack::shared(), Connect::shared());
    stack.create_topic("anew.a", 1);
    for value in ["one", "two"] {
        stack.produce("anew.a", "k", value);
    }
    for engine in Engine::usual() {
        let folder = folder();
        let workspace = workspace(&engine, connect);
        let file = folder.path().join("to");
        let name = format!("anew-{}", engine.name);
        let declare = |rest: &str| workspace.write("main.tf", &sink(&name, "anew.a", &file, rest));
        declare("");
        workspace.applies();
        arrive(&file, &["one", "two"]);
        declare("offsets = { reset = true }");
        workspace.applies();
        arrive(&file, &["one", "two", "one", "two"]);
        let partition = "jsonencode({ kafka_topic = \"anew.a\", kafka_partition = 0 })";
        let at = |offset: &str| {
            let position = format!("{{ partition = {partition}, offset = jsonencode({offset}) }}");
            format!("offsets = {{ positions = [{position}] }}")
        };
        declare(&at("{ kafka_offset = 1 }"));
        workspace.applies();
        arrive(&file, &["one", "two", "one", "two", "two"]);
        declare(&at("{ wrong = 1 }"));
        workspace.apply().failure(&["Offsets refused", "It was told to be running, as it was before"]);
        until("it runs again", Duration::from_mins(1), || states(connect, &name) == running());
        workspace.destroy().success();
    }
    stack.delete_topic("anew.a");
}

#[test]
fn workers_are_known_by_their_addresses_and_their_cluster() {
    let connect = Connect::shared();
    let other = Stack::start().expect("a broker starts");
    for engine in Engine::usual() {
        let folder = folder();
        let workspace = workspace(&engine, connect);
        workspace.write("main.tf", &sink("placed", "placed.a", &folder.path().join("to"), ""));
        workspace.applies();
        let named = |stack: &Stack, name: &str| {
            let url = hcl(&connect.url());
            provider(&(servers(&stack.plaintext()) + &format!("connect = {{ {name} = {{ url = {url} }} }}")))
        };
        workspace.write("provider.tf", &named(Stack::shared(), "renamed"));
        assert_eq!(workspace.plans(), update("kafka_connector.a"));
        workspace.applies();
        assert_eq!(workspace.attributes("kafka_connector.a")["id"], "dev/renamed/placed");
        workspace.write("provider.tf", &named(Stack::shared(), "again"));
        workspace.destroy().success();
        assert_eq!(status_of(connect, "placed"), 404);

        workspace.write("provider.tf", &named(&other, "main"));
        workspace.plan().failure(&["Workers of another cluster", other.cluster_id(), Stack::shared().cluster_id()]);
    }
}

/// Its own rules, and what another team's topics are, until that team agrees.
#[test]
fn a_team_reads_what_it_was_granted_and_renames_nothing() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let connect = Connect::start(&stack).expect("a worker starts");
        let folder = folder();
        let _platform = access::platform(&engine, &stack, "");
        let (billing, shipping) =
            (access::acting(&engine, &stack, "billing"), access::acting(&engine, &stack, "shipping"));
        access::has_topic(&stack, &billing, "");
        let place =
            servers(&stack.plaintext()) + &format!("connect = {{ main = {{ url = {} }} }}", hcl(&connect.url()));
        shipping.write("provider.tf", &provider(&place));
        let reader = sink("shipping.reader", access::TOPIC, &folder.path().join("to"), "");
        shipping.write("main.tf", &access::request("read", ""));
        shipping.write("connector.tf", &reader);
        shipping.plan().failure(&["Topic of another application", "access = \"read\""]);
        shipping.remove("connector.tf");
        shipping.applies();
        let request = shipping.attributes(access::REQUEST);
        billing.write("main.tf", &access::decision(&request, "approve", "reason = \"They deliver.\""));
        billing.applies();
        shipping.write("connector.tf", &reader);
        shipping.applies();
        until("three records in the file", Duration::from_mins(1), || lines(&folder.path().join("to")).len() == 3);

        let file = folder.path().join("from").to_string_lossy().into_owned();
        let source = [("connector.class", SOURCE), ("topic", "shipping.a"), ("file", file.as_str())];
        let regex = [
            ("transforms", "r"),
            ("transforms.r.type", "org.apache.kafka.connect.transforms.RegexRouter"),
            ("transforms.r.regex", ".*"),
            ("transforms.r.replacement", access::TOPIC),
        ];
        let routed = block("b", "shipping.source", &[&source[..], &regex[..]].concat(), "");
        shipping.write("source.tf", &routed);
        shipping.plan().failure(&["Transform refused", "RegexRouter"]);
        assert_eq!(status_of(&connect, "shipping.source"), 404);
        shipping.remove("source.tf");
        shipping.plans_nothing();
        shipping.destroy().success();
    }
}

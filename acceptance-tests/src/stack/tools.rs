//! Kafka's own command-line classes: the witness that is none of ours.

use std::{collections::BTreeMap, fmt::Display, fs, process::Command, time::Duration};

use super::{Stack, User, fetch, java};
use crate::process::{Outcome, Running, run};

const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";
const CONFIGS: &str = "kafka.admin.ConfigCommand";
const ACLS: &str = "org.apache.kafka.tools.AclCommand";
const PRODUCER: &str = "org.apache.kafka.tools.ProducerPerformance";
const DELETE_RECORDS: &str = "org.apache.kafka.tools.DeleteRecordsCommand";
const CONSOLE_PRODUCER: &str = "org.apache.kafka.tools.ConsoleProducer";
const CONSUMER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";

/// What Kafka says about a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicFacts {
    /// The id that a topic of the same name does not get again.
    pub id: String,
    /// Number of partitions.
    pub partitions: u32,
    /// Copies of each.
    pub replication_factor: u32,
    /// What was set on the topic itself, but for `min.insync.replicas`.
    pub config: BTreeMap<String, String>,
}

/// A record of a topic, as Kafka's consumer prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Its place.
    pub offset: i64,
    /// The key, or `null`.
    pub key: String,
    /// The value, or `null`.
    pub value: String,
}

impl Stack {
    /// The committed records of a topic of one partition, none of which has a line break.
    #[track_caller]
    pub fn read(&self, topic: &str) -> Vec<LogLine> {
        let properties = ["print.offset=true", "print.key=true", "print.value=true"];
        // Without a group, which a broker that just started is slow to make.
        let mut arguments = vec!["--topic", topic, "--partition", "0", "--offset", "earliest"];
        arguments.extend(["--isolation-level", "read_committed", "--timeout-ms", "4000"]);
        arguments.extend(properties.iter().flat_map(|it| ["--formatter-property", it]));
        let outcome = expect(run(self.command(CONSUMER).args(arguments), Duration::from_mins(1)));
        outcome.stdout.lines().map(log_line).collect()
    }

    /// Writes a record to a topic.
    #[track_caller]
    pub fn produce(&self, topic: &str, key: &str, value: &str) {
        let file = expect(tempfile::NamedTempFile::new());
        expect(fs::write(file.path(), format!("{key}\t{value}\n")));
        let mut producer = self.command(CONSOLE_PRODUCER);
        producer.args(["--topic", topic, "--reader-property", "parse.key=true"]);
        // The tool reads its standard input.
        let mut shell = Command::new("sh");
        shell.args(["-c", "file=$1; shift; exec \"$@\" < \"$file\"", "sh"]).arg(file.path());
        shell.arg(producer.get_program()).args(producer.get_args());
        expect(run(&mut shell, Duration::from_mins(1))).success();
    }

    /// Deletes the records of a topic's first partition before an offset.
    #[track_caller]
    pub fn delete_records(&self, topic: &str, before: i64) {
        let file = expect(tempfile::NamedTempFile::new());
        let partition = format!(r#"{{"topic":"{topic}","partition":0,"offset":{before}}}"#);
        expect(fs::write(file.path(), format!(r#"{{"version":1,"partitions":[{partition}]}}"#)));
        self.tool(DELETE_RECORDS, &["--offset-json-file", &file.path().to_string_lossy()]);
    }

    /// The topics whose names start with `prefix`, in one run of Kafka's tool.
    #[track_caller]
    pub fn topics(&self, prefix: &str) -> BTreeMap<String, TopicFacts> {
        let pattern = format!("{}.*", prefix.replace('.', "\\."));
        let answer = self.tool(TOPICS, &["--describe", "--if-exists", "--topic", &pattern]);
        answer.stdout.lines().filter(|it| it.starts_with("Topic: ")).map(topic).collect()
    }

    /// The topic of that name, if there is one.
    #[track_caller]
    pub fn topic(&self, name: &str) -> Option<TopicFacts> {
        self.topics(name).remove(name)
    }

    /// Makes a topic with one copy of each partition.
    #[track_caller]
    pub fn create_topic(&self, name: &str, partitions: u32) {
        self.tool(TOPICS, &["--create", "--topic", name, "--partitions", &partitions.to_string()]);
    }

    /// Deletes a topic, and waits until Kafka does not show it any more.
    #[track_caller]
    pub fn delete_topic(&self, name: &str) {
        self.tool(TOPICS, &["--delete", "--topic", name]);
        assert!((0..20).any(|_| self.topic(name).is_none()), "topic {name} is still there");
    }

    /// Makes a topic grow.
    #[track_caller]
    pub fn grow_topic(&self, name: &str, partitions: u32) {
        self.tool(TOPICS, &["--alter", "--topic", name, "--partitions", &partitions.to_string()]);
    }

    /// Sets a topic's configuration, as `key=value`.
    #[track_caller]
    pub fn set_config(&self, name: &str, setting: &str) {
        let topic = ["--alter", "--entity-type", "topics", "--entity-name", name, "--add-config", setting];
        self.tool(CONFIGS, &topic);
    }

    /// Permits operations on the topics whose names start with `prefix`.
    #[track_caller]
    pub fn allow(&self, user: &str, operations: &[&str], prefix: &str) {
        let principal = format!("User:{user}");
        let mut rule = vec!["--add", "--allow-principal", &principal, "--resource-pattern-type", "prefixed"];
        rule.extend(["--topic", prefix]);
        rule.extend(operations.iter().flat_map(|it| ["--operation", it]));
        self.tool(ACLS, &rule);
    }

    /// Denies an operation on a resource, such as `["--topic", "a"]`, whatever permits it.
    #[track_caller]
    pub fn deny(&self, user: &str, operation: &str, resource: &[&str]) {
        let principal = format!("User:{user}");
        let rule = ["--add", "--deny-principal", &principal, "--operation", operation];
        self.tool(ACLS, &[&rule[..], resource].concat());
    }

    /// Takes back what [`Stack::deny`] denied.
    #[track_caller]
    pub fn deny_no_more(&self, user: &str, operation: &str, resource: &[&str]) {
        let principal = format!("User:{user}");
        let rule = ["--remove", "--force", "--deny-principal", &principal, "--operation", operation];
        self.tool(ACLS, &[&rule[..], resource].concat());
    }

    /// Takes an operation on the topics whose names start with `prefix` back.
    #[track_caller]
    pub fn disallow(&self, user: &str, operation: &str, prefix: &str) {
        let principal = format!("User:{user}");
        let rule = ["--remove", "--force", "--allow-principal", &principal, "--operation", operation];
        self.tool(ACLS, &[&rule[..], &["--resource-pattern-type", "prefixed", "--topic", prefix]].concat());
    }

    /// Starts a consumer in a group, with the `classic` or the `consumer` protocol. It consumes until it is dropped.
    #[track_caller]
    pub fn consume(&self, topic: &str, group: &str, client: &str, protocol: &str) -> Running {
        let (client, protocol) = (format!("client.id={client}"), format!("group.protocol={protocol}"));
        let mut command = self.command(CONSUMER);
        command.args(["--topic", topic, "--group", group]);
        expect(Running::start(command.args(["--command-property", &client, "--command-property", &protocol])))
    }

    /// The rules for a principal, in the words of Kafka's own tool.
    #[track_caller]
    pub fn rules(&self, principal: &str) -> String {
        self.tool(ACLS, &["--list", "--principal", principal]).words()
    }

    /// The client quotas of all users, a line for each, in the words of Kafka's own tool.
    #[track_caller]
    pub fn quotas(&self) -> String {
        self.tool(CONFIGS, &["--describe", "--entity-type", "users"]).stdout
    }

    /// What Kafka has of a user, but for rules: its SCRAM credentials and its quotas, in the words of Kafka's own tool.
    #[track_caller]
    pub fn user(&self, name: &str) -> String {
        self.entity(&["--entity-type", "users", "--entity-name", name])
    }

    /// What Kafka has of something that `--entity-…` options name, in the words of its own tool.
    #[track_caller]
    pub fn entity(&self, options: &[&str]) -> String {
        self.tool(CONFIGS, &[&["--describe"][..], options].concat()).stdout
    }

    /// Sets configuration of something that `--entity-…` options name, as `key=value`.
    #[track_caller]
    pub fn set_on_entity(&self, options: &[&str], setting: &str) {
        self.tool(CONFIGS, &[&["--alter", "--add-config", setting][..], options].concat());
    }

    /// Takes a key of its configuration away from something that `--entity-…` options name.
    #[track_caller]
    pub fn remove_from_entity(&self, options: &[&str], key: &str) {
        self.tool(CONFIGS, &[&["--alter", "--delete-config", key][..], options].concat());
    }

    /// Gives a user a password.
    #[track_caller]
    pub fn set_password(&self, user: &str, mechanism: &str, iterations: u32, password: &str) {
        let setting = format!("{mechanism}=[iterations={iterations},password={password}]");
        self.set_on_entity(&["--entity-type", "users", "--entity-name", user], &setting);
    }

    /// Has a user log in and look for topics with Kafka's own tool.
    #[track_caller]
    pub fn log_in(&self, mechanism: &str, user: &str, password: &str) -> Outcome {
        self.tool_with(mechanism, user, password, TOPICS, &["--list"])
    }

    /// Removes all rules for a principal on topics whose names start with `prefix`.
    #[track_caller]
    pub fn remove_topic_rules(&self, principal: &str, prefix: &str) {
        let pattern = ["--topic", prefix, "--resource-pattern-type", "prefixed"];
        let one = ["--remove", "--force", "--allow-principal", principal, "--operation", "Read"];
        self.tool(ACLS, &[&one[..], &pattern].concat());
    }

    /// Has a user write three records with Kafka's own producer.
    #[track_caller]
    pub fn produce_as(&self, user: User, topic: &str) -> Outcome {
        let records = ["--num-records", "3", "--record-size", "8", "--throughput", "-1", "--topic", topic];
        // It gives up soon where it may not write.
        let property = ["--command-property", "max.block.ms=5000", "acks=all"];
        self.tool_as(user, PRODUCER, &[&records[..], &property].concat())
    }

    /// Has a user read three records in a group with Kafka's own consumer.
    #[track_caller]
    pub fn consume_as(&self, user: User, topic: &str, group: &str) -> Outcome {
        let records = ["--topic", topic, "--group", group, "--from-beginning", "--max-messages", "3"];
        self.tool_as(user, CONSUMER, &[&records[..], &["--timeout-ms", "20000"]].concat())
    }

    /// Runs one of Kafka's classes as a user, who may fail.
    #[track_caller]
    fn tool_as(&self, user: User, class: &str, arguments: &[&str]) -> Outcome {
        self.tool_with("SCRAM-SHA-256", user.name, user.password, class, arguments)
    }

    #[track_caller]
    fn tool_with(&self, mechanism: &str, user: &str, password: &str, class: &str, arguments: &[&str]) -> Outcome {
        let login = format!(
            "security.protocol=SASL_SSL\nsasl.mechanism={mechanism}\nssl.truststore.type=PEM\n\
             ssl.truststore.location={}\nsasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule \
             required username=\"{user}\" password=\"{password}\";\n",
            self.ca_file().display(),
        );
        let file = expect(tempfile::NamedTempFile::new());
        expect(fs::write(file.path(), login));
        let mut command = java(&expect(fetch()), "256m", "log4j2-tool.properties").expect("the broker found it");
        command.args([class, "--bootstrap-server", &self.sasl_ssl(), "--command-config"]).arg(file.path());
        expect(run(command.args(arguments), Duration::from_mins(1)))
    }

    /// Runs one of Kafka's classes against this broker, as a user who may do everything.
    #[track_caller]
    pub fn tool(&self, class: &str, arguments: &[&str]) -> Outcome {
        expect(run(self.command(class).args(arguments), Duration::from_mins(1))).success()
    }

    #[track_caller]
    fn command(&self, class: &str) -> Command {
        let mut command = java(&expect(fetch()), "256m", "log4j2-tool.properties").expect("the broker found it");
        command.args([class, "--bootstrap-server", &self.plaintext()]);
        command
    }
}

/// A line such as `Topic: a⇥TopicId: x⇥PartitionCount: 1⇥ReplicationFactor: 1⇥Configs: b=c,d=e`.
fn topic(line: &str) -> (String, TopicFacts) {
    let fields: BTreeMap<_, _> = line.split('\t').filter_map(|it| it.trim_end().split_once(": ")).collect();
    let field = |name| *fields.get(name).unwrap_or_else(|| panic!("no {name} in {line}"));
    let mut config = fields.get("Configs").map(|it| settings(it)).unwrap_or_default();
    // Kafka 4 keeps it for the whole cluster, and its tool shows it at each topic.
    config.remove("min.insync.replicas");
    let facts = TopicFacts {
        id: field("TopicId").to_owned(),
        partitions: expect(field("PartitionCount").parse()),
        replication_factor: expect(field("ReplicationFactor").parse()),
        config,
    };
    (field("Topic").to_owned(), facts)
}

/// A line such as `Offset:3⇥key⇥value`.
#[track_caller]
fn log_line(line: &str) -> LogLine {
    let fields: Vec<&str> = line.splitn(3, '\t').collect();
    let [offset, key, value] = fields[..] else { panic!("no record: {line}") };
    let offset = offset.strip_prefix("Offset:").unwrap_or_else(|| panic!("no offset: {line}"));
    LogLine { offset: expect(offset.parse()), key: key.to_owned(), value: value.to_owned() }
}

/// `a=b,c=d,e` is `a` = `b` and `c` = `d,e`.
fn settings(text: &str) -> BTreeMap<String, String> {
    let mut settings: Vec<(String, String)> = Vec::new();
    for piece in text.split(',') {
        match (piece.split_once('='), settings.last_mut()) {
            (Some((key, value)), _) => settings.push((key.to_owned(), value.to_owned())),
            (None, Some((_, value))) => value.extend([",", piece]),
            (None, None) => {}
        }
    }
    settings.into_iter().collect()
}

#[track_caller]
fn expect<T>(result: Result<T, impl Display>) -> T {
    result.unwrap_or_else(|problem| panic!("{problem}"))
}

//! One Kafka broker with every kind of listener, on loopback.
//!
//! The broker is killed, and its folder removed, when the [`Stack`] is dropped or the process that started it ends, however
//! it ends: `while-watched.sh` holds one end of a pipe whose other end is here.

mod certificates;
mod configuration;
mod connect;
mod http;
mod ports;
mod registry;
mod tools;

use std::{
    collections::VecDeque,
    hash::{BuildHasher, Hasher, RandomState},
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{OnceLock, mpsc},
    thread,
    time::Duration,
};

pub use certificates::{Certificates, Identity};
pub use connect::Connect;
pub use registry::Registry;
pub use tools::{LogLine, TopicFacts};

use crate::{cache, environment::require, process::run_or_explain};
use ports::Ports;

const KAFKA_VERSION: &str = "4.3.1";
const JAVA: &str = "`sudo apt-get install openjdk-17-jre-headless` or `brew install openjdk@17`";
const MAVEN: &str = "`sudo apt-get install maven` or `brew install maven`";
const START: Duration = Duration::from_mins(1);

/// Who may log in with SASL, with any mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// The name; `User:<name>` is the principal.
    pub name: &'static str,
    /// The password.
    pub password: &'static str,
}

/// A running broker.
#[derive(Debug)]
pub struct Stack {
    ports: Ports,
    cluster_id: String,
    folder: PathBuf,
    certificates: Certificates,
    watcher: Child,
}

impl Stack {
    /// A user who may do everything.
    pub const ADMIN: User = User { name: "admin", password: "admin-secret" };
    /// A user who may do what ACLs permit, and no ACL is there to begin with.
    pub const TEAM: User = User { name: "team", password: "team-secret" };
    /// Two more of the kind, as whom the pipelines of two teams log in.
    pub const PIPELINES: [User; 2] = [
        User { name: "billing-ci", password: "billing-secret" },
        User { name: "shipping-ci", password: "shipping-secret" },
    ];

    /// The broker that the tests of this process share. It ends with the process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Stack> = OnceLock::new();
        SHARED.get_or_init(|| Self::start().unwrap_or_else(|problem| panic!("starting Kafka: {problem}")))
    }

    /// Starts a broker and waits until it serves.
    ///
    /// # Errors
    /// What is missing to run Kafka, or the end of the broker's log.
    pub fn start() -> Result<Self, String> {
        Self::start_with("")
    }

    /// Starts a broker on which resources without a rule are everybody's.
    ///
    /// # Errors
    /// Those of [`Stack::start`].
    pub fn start_open() -> Result<Self, String> {
        Self::start_with("allow.everyone.if.no.acl.found=true")
    }

    /// Starts a broker that has no authorizer.
    ///
    /// # Errors
    /// Those of [`Stack::start`].
    pub fn start_without_authorizer() -> Result<Self, String> {
        Self::start_with("authorizer.class.name=")
    }

    fn start_with(setting: &str) -> Result<Self, String> {
        let jars = fetch()?;
        for _ in 0..2 {
            match Self::start_once(&jars, setting) {
                // Somebody took a port between its choice and its use.
                Err(problem) if problem.contains("Address already in use") => {}
                other => return other,
            }
        }
        Self::start_once(&jars, setting)
    }

    /// Where the broker speaks plain text and takes everybody for somebody who may do everything.
    pub fn plaintext(&self) -> String {
        ports::address(self.ports.plaintext)
    }

    /// The same place, as numbers.
    pub fn plaintext_socket(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.plaintext).into()
    }

    /// Where it speaks TLS and asks for SASL: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
    pub fn sasl_ssl(&self) -> String {
        ports::address(self.ports.sasl_ssl)
    }

    /// Where it speaks TLS and asks for a certificate.
    pub fn mutual_tls(&self) -> String {
        ports::address(self.ports.mutual_tls)
    }

    /// The id of the cluster.
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// Stops the broker as its operator would, and starts it again: on the same ports, with what it has written.
    ///
    /// # Errors
    /// As for [`Stack::start`].
    pub fn restart(&mut self) -> Result<(), String> {
        self.stop("TERM")?;
        self.start_again()
    }

    /// Kills the broker with `kill -9`, and starts it again: on the same ports, with what it has written.
    ///
    /// # Errors
    /// As for [`Stack::start`].
    pub fn kill_and_start(&mut self) -> Result<(), String> {
        self.stop("KILL")?;
        self.start_again()
    }

    /// The process whose child the broker is.
    pub fn watcher(&self) -> u32 {
        self.watcher.id()
    }

    /// The certificates that it knows, and some that it does not.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// The file that holds the authority's certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    fn start_once(jars: &Path, setting: &str) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("kafka-").tempdir().map_err(|it| it.to_string())?;
        let ports = Ports::choose().map_err(|it| it.to_string())?;
        let certificates = Certificates::generate();
        configuration::write(folder.path(), ports, &certificates, setting).map_err(|it| it.to_string())?;
        let cluster_id = random_uuid();
        format_storage(jars, folder.path(), &cluster_id)?;
        let watcher = watch_broker(jars, folder.path())?;
        let mut stack = Self { ports, cluster_id, folder: folder.keep(), certificates, watcher };
        stack.wait_until_started()?;
        Ok(stack)
    }

    /// Sends the broker a signal, and waits until it has ended.
    fn stop(&mut self, signal: &str) -> Result<(), String> {
        let mut orders = self.watcher.stdin.take().ok_or("the broker was stopped before")?;
        writeln!(orders, "{signal}").map_err(|it| format!("stopping the broker: {it}"))?;
        self.watcher.wait().map(|_| ()).map_err(|it| format!("stopping the broker: {it}"))
    }

    fn start_again(&mut self) -> Result<(), String> {
        let jars = fetch()?;
        for _ in 0..2 {
            self.watcher = watch_broker(&jars, &self.folder)?;
            match self.wait_until_started() {
                // The system gave the port to a client of somebody's meanwhile, who is soon done with it.
                Err(problem) if problem.contains("Address already in use") => self.stop("KILL")?,
                other => return other,
            }
        }
        self.watcher = watch_broker(&jars, &self.folder)?;
        self.wait_until_started()
    }

    fn wait_until_started(&mut self) -> Result<(), String> {
        let log = self.watcher.stdout.take().expect("the output is piped");
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut last = VecDeque::new();
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                if line.contains("Kafka Server started") {
                    let _ = sender.send(Ok(()));
                }
                last.push_back(line);
                if last.len() > 60 {
                    last.pop_front();
                }
            }
            let _ = sender.send(Err(last.into_iter().collect::<Vec<_>>().join("\n")));
        });
        let started = receiver.recv_timeout(START).map_err(|_| format!("the broker is not ready after {START:?}"))?;
        started.map_err(|log| format!("the broker ended:\n{log}"))
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
    }
}

/// Starts a broker on what is in a folder.
fn watch_broker(jars: &Path, folder: &Path) -> Result<Child, String> {
    let mut java = java(jars, "512m", "log4j2.properties")?;
    java.arg("kafka.Kafka").arg(folder.join("broker.properties"));
    watch(folder, &java, Stdio::piped())
}

/// Starts a server whose folder goes when it ends. Its end is the end of the standard input of what is returned.
fn watch(folder: &Path, server: &Command, log: Stdio) -> Result<Child, String> {
    let mut command = Command::new("sh");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("stack/while-watched.sh")).arg(folder);
    command.arg(server.get_program()).args(server.get_args());
    // Ctrl-C reaches this process alone, and the server through it.
    command.process_group(0).stdin(Stdio::piped()).stdout(log).stderr(Stdio::inherit());
    command.spawn().map_err(|it| format!("starting sh: {it}"))
}

/// Fetches the schema registry and the Java that it needs.
pub(crate) fn fetch_registry() -> Result<(), String> {
    registry::fetch()?;
    registry::fetch_java().map(|_| ())
}

/// Fetches what Connect's workers are made of.
pub(crate) fn fetch_connect() -> Result<(), String> {
    connect::fetch().map(|_| ())
}

/// The folder with Kafka's jars, fetched when it is first asked for.
pub(crate) fn fetch() -> Result<PathBuf, String> {
    cache::folder(&format!("kafka-{KAFKA_VERSION}"), |folder| {
        let maven = require("mvn", MAVEN);
        let mut maven = match (require("java", JAVA), maven) {
            (Err(java), Err(maven)) => return Err(format!("{java}\n{maven}")),
            (java, maven) => java.and_then(|_| Ok(Command::new(maven?)))?,
        };
        maven.args(["--quiet", "--batch-mode", "--file"]);
        maven.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("stack/pom.xml"));
        maven.arg("dependency:copy-dependencies").arg(format!("-DoutputDirectory={}", folder.display()));
        run_or_explain(&mut maven, Duration::from_mins(15)).map(|_| ())
    })
}

/// A JVM with Kafka's classes, tuned to start soon.
fn java(jars: &Path, heap: &str, logging: &str) -> Result<Command, String> {
    let mut java = Command::new(require("java", JAVA)?);
    let logging = Path::new(env!("CARGO_MANIFEST_DIR")).join("stack").join(logging);
    java.arg(format!("-Xmx{heap}")).args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
    java.arg(format!("-Dlog4j2.configurationFile={}", logging.display()));
    java.arg("-cp").arg(jars.join("*"));
    Ok(java)
}

fn format_storage(jars: &Path, folder: &Path, cluster_id: &str) -> Result<(), String> {
    let mut format = java(jars, "256m", "log4j2-tool.properties")?;
    format.args(["kafka.tools.StorageTool", "format", "--standalone", "--cluster-id", cluster_id]);
    format.arg("--config").arg(folder.join("broker.properties"));
    for user in [Stack::ADMIN, Stack::TEAM].into_iter().chain(Stack::PIPELINES) {
        for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
            format.arg("--add-scram");
            format.arg(format!("{mechanism}=[name={},password={},iterations=4096]", user.name, user.password));
        }
    }
    run_or_explain(&mut format, Duration::from_mins(1)).map(|_| ())
}

/// A name for a cluster, of the 22 characters that Kafka's names have.
fn random_uuid() -> String {
    let random = || RandomState::new().build_hasher().finish();
    // The last of the characters carries two bits of the 128 only.
    let mut uuid = format!("{:016x}{:016x}", random(), random());
    uuid.truncate(21);
    uuid + "Q"
}

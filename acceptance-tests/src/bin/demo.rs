//! The demo: a real broker, a platform that declares rules, and two teams that work under them.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use acceptance_tests::{Engine, Stack, TopicFacts, Workspace, hcl};

const PLATFORM: &str = r#"
resource "kafka_environment" "dev" {
  name = "dev"

  naming = {
    topic  = "{application}.{subject}.v{version}"
    fields = { subject = "[a-z][a-z-]*", version = "[0-9]+" }
  }

  topics = {
    partitions = { min = 1, max = 12, default = 3 }
    config     = { "retention.ms" = { max = 2592000000, default = "604800000" } } # thirty days at most
  }
}

resource "kafka_application" "billing" {
  environment = kafka_environment.dev.id
  name        = "billing"
  owner       = { team = "payments" }
  principals  = ["User:billing"]
}

resource "kafka_application" "sales" {
  environment = kafka_environment.dev.id
  name        = "sales"
  owner       = { team = "shop" }
  principals  = ["User:team"] # as whom its programs log in
}
"#;

const INVOICES: &str = r#"
resource "kafka_topic" "invoices" {
  name       = "billing.invoices.v1"
  partitions = 6
}
"#;

const INVOICES_TOPIC: &str = "billing.invoices.v1";

const REFUSED: &str = r#"
resource "kafka_topic" "orders" {
  name       = "billing.orders.v1"
  partitions = 100
}
"#;

const ORDERS: &str = r#"
resource "kafka_topic" "orders" {
  name       = "sales.orders.v1"
  partitions = 12
}
"#;

const ACCESS: &str = r#"
resource "kafka_access_request" "invoices" {
  application   = "sales"
  resource_type = "topic"
  resource_name = "billing.invoices.v1"
  access        = "read"
  justification = "Orders are shown with what was paid."
}
"#;

/// Somebody with a configuration and a state of their own.
struct Somebody {
    workspace: Workspace,
    /// The application for which the pipeline of a team works.
    application: Option<&'static str>,
}

fn main() -> ExitCode {
    match demo() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            say(&format!("The demo stopped: {problem}"));
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Result<(), String> {
    say("Fetching what is missing, once: Kafka's jars and, where there is no Terraform, OpenTofu (some minutes).");
    let engine = Engine::at_hand()?;
    say("Starting a Kafka broker on this machine. It ends with this program.");
    let stack = Stack::start()?;
    say(&format!(
        "It listens on {}. Now {} installs the provider that was just built, for a platform and for two teams with a state \
         each.",
        stack.plaintext(),
        engine.name
    ));
    let platform = Somebody::new(&engine, &stack, None)?;
    let billing = Somebody::new(&engine, &stack, Some("billing"))?;
    let sales = Somebody::new(&engine, &stack, Some("sales"))?;

    platform.declares("The platform says what is permitted on the cluster, and who owns what:", PLATFORM);
    platform.runs(&["apply", "-auto-approve"])?;
    let rules = stack.tool("org.apache.kafka.tools.AclCommand", &["--list", "--principal", "User:billing"]).stdout;
    say(&format!("Kafka's own tool sees what the clients of billing may do:\n\n{}", rules.trim_end()));

    billing.declares("The team of billing makes a topic. What it leaves out comes from the rules:", INVOICES);
    billing.runs(&["apply", "-auto-approve"])?;
    look(&stack);

    sales.declares("The team of sales asks for a name of billing's, and for too much:", REFUSED);
    sales.is_refused(&["plan"])?;

    sales.declares("The plan said what to write:", ORDERS);
    sales.runs(&["apply", "-auto-approve"])?;
    look(&stack);

    shares(&stack, &billing, &sales)?;

    say("The cluster is as all three say, so that another plan is empty:");
    sales.runs(&["plan", "-detailed-exitcode"])?;

    say("And destroy leaves nothing but the journal, in which all of this is written:");
    for it in [&sales, &billing, &platform] {
        it.ends()?;
    }
    look(&stack);
    say("That was it. docs/guides/access-requests.md goes on from here.");
    Ok(())
}

/// One team reads what another one owns, once that agreed and until it does not agree any more.
fn shares(stack: &Stack, billing: &Somebody, sales: &Somebody) -> Result<(), String> {
    say("The programs of billing write three invoices. Those of sales try to read them with Kafka's own consumer:");
    stack.produce_as(Stack::ADMIN, INVOICES_TOPIC).says(&["3 records sent"]);
    may_read(stack, false)?;

    sales.declares("So the team of sales asks, in its own configuration:", &format!("{ORDERS}{ACCESS}"));
    sales.runs(&["apply", "-auto-approve"])?;
    let request = sales.workspace.attributes("kafka_access_request.invoices");
    let of = |attribute: &str| request[attribute].as_str().unwrap_or_default().to_owned();
    say(&format!("The request `{}` is `{}`, and gives nothing:", of("request_id"), of("status")));
    may_read(stack, false)?;

    let decision = format!(
        "\nresource \"kafka_access_decision\" \"sales_reads_invoices\" {{\n  request_id = {}\n  revision   = {}\n  decision \
           = \"approve\"\n  reason     = \"They show what was paid.\"\n}}\n",
        hcl(&of("request_id")),
        hcl(&of("revision"))
    );
    billing.declares("The team of billing agrees, in its own:", &format!("{INVOICES}{decision}"));
    billing.runs(&["apply", "-auto-approve"])?;
    may_read(stack, true)?;

    billing.declares("Later it does not agree any more, and removes the decision:", INVOICES);
    billing.runs(&["apply", "-auto-approve"])?;
    may_read(stack, false)?;

    say("The team of sales is told in its next plan:");
    sales.runs(&["plan"])?;
    sales.declares("And asks no more:", ORDERS);
    sales.runs(&["apply", "-auto-approve"])
}

/// Has the programs of sales read the invoices, and shows how that ended.
fn may_read(stack: &Stack, expected: bool) -> Result<(), String> {
    let group = if expected { "sales.readers" } else { "sales.refused" };
    let outcome = stack.consume_as(Stack::TEAM, INVOICES_TOPIC, group);
    let words = format!("{}\n{}", outcome.stdout, outcome.stderr);
    let telling = ["Processed a total of 3 messages", "Not authorized", "TopicAuthorizationException"];
    let line = words.lines().find(|line| telling.iter().any(|it| line.contains(it)));
    say(line.ok_or_else(|| format!("the consumer said neither:\n{words}"))?);
    let read = words.contains(telling[0]);
    if read == expected { Ok(()) } else { Err("the consumer was to be told otherwise".to_owned()) }
}

impl Somebody {
    fn new(engine: &Engine, stack: &Stack, application: Option<&'static str>) -> Result<Self, String> {
        let mut workspace = Workspace::with_mirror(engine);
        let servers = hcl(&stack.plaintext());
        let provider =
            format!("provider \"kafka\" {{\n  environments = {{ dev = {{ bootstrap_servers = [{servers}] }} }}\n}}\n");
        workspace.write("provider.tf", &provider);
        if let Some(it) = application {
            workspace.set_variable("KAFKA_ACTING_APPLICATION", it);
        }
        let installed = workspace.command().arg("init").output().map_err(|it| it.to_string())?;
        if installed.status.success() {
            Ok(Self { workspace, application })
        } else {
            Err(format!("`init` failed: {}", String::from_utf8_lossy(&installed.stderr)))
        }
    }

    fn declares(&self, why: &str, configuration: &str) {
        say(&format!("{why}\n{}", configuration.trim_end()));
        self.workspace.write("main.tf", configuration);
    }

    fn runs(&self, arguments: &[&str]) -> Result<(), String> {
        if self.run(arguments)? { Ok(()) } else { Err(format!("`{}` failed", arguments.join(" "))) }
    }

    fn is_refused(&self, arguments: &[&str]) -> Result<(), String> {
        if self.run(arguments)? { Err(format!("`{}` was to be refused", arguments.join(" "))) } else { Ok(()) }
    }

    /// Destroys what the configuration declares, and shows how that ended: a plan of it has every attribute once more.
    fn ends(&self) -> Result<(), String> {
        let arguments = ["destroy", "-auto-approve", "-no-color"];
        let shown = self.announces(&arguments[..2]);
        let output = self.workspace.command().args(arguments).output().map_err(|it| format!("{shown}: {it}"))?;
        let told = String::from_utf8_lossy(&output.stdout);
        let end = told.lines().find(|it| it.starts_with("Destroy complete!"));
        say(end.ok_or_else(|| format!("`{shown}` failed: {}", String::from_utf8_lossy(&output.stderr)))?);
        Ok(())
    }

    /// Runs the engine, whose output goes where this program's goes, and answers whether it succeeded.
    fn run(&self, arguments: &[&str]) -> Result<bool, String> {
        let mut command = self.workspace.command();
        command.args(arguments);
        if !io::stdout().is_terminal() {
            command.arg("-no-color");
        }
        let shown = self.announces(arguments);
        let status = command.status().map_err(|problem| format!("{shown}: {problem}"))?;
        Ok(status.success())
    }

    /// Shows a command as a person would type it, and returns it.
    fn announces(&self, arguments: &[&str]) -> String {
        let acting = self.application.map(|it| format!("KAFKA_ACTING_APPLICATION={it} ")).unwrap_or_default();
        let shown = format!("{acting}{} {}", self.workspace.engine().name, arguments.join(" "));
        say(&format!("$ {shown}"));
        shown
    }
}

/// Shows the topics of the teams as Kafka's own tool sees them.
fn look(stack: &Stack) {
    let topics = stack.topics("");
    let of_teams = topics.iter().filter(|(name, _)| !name.starts_with('_'));
    let mut lines: Vec<_> = of_teams.map(|(name, facts)| line(name, facts)).collect();
    if lines.is_empty() {
        lines.push("  no topic of a team".to_owned());
    }
    say(&format!("Kafka's own tool sees:\n{}", lines.join("\n")));
}

fn line(name: &str, facts: &TopicFacts) -> String {
    let config: Vec<_> = facts.config.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("  {name}: partitions {}, {}", facts.partitions, config.join(", "))
}

fn say(text: &str) {
    // Who closed the output does not want to read it.
    let _ = writeln!(io::stdout(), "\n{text}");
}

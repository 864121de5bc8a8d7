//! The demo: a real broker, and an engine that creates topics, changes them, has nothing left to do, and destroys them.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use acceptance_tests::{Engine, Stack, TopicFacts, Workspace, hcl};

const PREFIX: &str = "demo.";

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
        "It listens on {}. Now {} installs the provider that was just built:",
        stack.plaintext(),
        engine.name
    ));

    let workspace = Workspace::with_mirror(&engine);
    let provider = format!(
        "provider \"kafka\" {{\n  environments = {{\n    dev = {{ bootstrap_servers = [{}] }}\n  }}\n}}\n",
        hcl(&stack.plaintext())
    );
    workspace.write("provider.tf", &provider);
    let topics = topics(3, "86400000");
    workspace.write("main.tf", &topics);
    run(&workspace, &["init"])?;

    say(&format!("This configuration asks for two topics:\n\n{provider}\n{topics}"));
    run(&workspace, &["apply", "-auto-approve"])?;
    look(&stack);

    say("Now the orders get more partitions, and are kept for a week:");
    workspace.write("main.tf", &self::topics(6, "604800000"));
    run(&workspace, &["apply", "-auto-approve"])?;
    look(&stack);

    say("The cluster is as the configuration says, so that a second plan is empty:");
    run(&workspace, &["plan", "-detailed-exitcode"])?;

    say("And destroy leaves nothing:");
    run(&workspace, &["destroy", "-auto-approve"])?;
    look(&stack);
    say("That was it. docs/guides/getting-started.md goes on from here.");
    Ok(())
}

fn topics(partitions: u32, retention: &str) -> String {
    format!(
        "\
resource \"kafka_topic\" \"orders\" {{
  name       = \"{PREFIX}orders.v1\"
  partitions = {partitions}
  config     = {{ \"retention.ms\" = \"{retention}\" }}
}}

resource \"kafka_topic\" \"customers\" {{
  name   = \"{PREFIX}customers.v1\"
  config = {{ \"cleanup.policy\" = \"compact\" }}
}}
"
    )
}

/// Runs the engine, whose output goes where this program's goes.
fn run(workspace: &Workspace, arguments: &[&str]) -> Result<(), String> {
    let mut command = workspace.command();
    command.args(arguments);
    if !io::stdout().is_terminal() {
        command.arg("-no-color");
    }
    let shown = format!("{} {}", workspace.engine().name, arguments.join(" "));
    say(&format!("$ {shown}"));
    let status = command.status().map_err(|problem| format!("{shown}: {problem}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` failed")) }
}

/// Shows the topics of the demo as Kafka's own tool sees them.
fn look(stack: &Stack) {
    let topics = stack.topics(PREFIX);
    let mut lines: Vec<_> = topics.iter().map(|(name, facts)| line(name, facts)).collect();
    if lines.is_empty() {
        lines.push("  no topic of the demo".to_owned());
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

//! The arguments of a person. The host gives none.

use std::ffi::OsString;

/// What the process is to do.
#[derive(Debug, PartialEq)]
pub(super) enum Task {
    /// Serve the host that started it.
    Serve,
    /// Serve whoever connects, under a debugger.
    Debug,
    /// Print the version.
    Version,
    /// Print what it can do.
    Help,
    /// Refuse arguments that have no meaning.
    Unknown(String),
}

/// What a person reads who starts the program like any other.
pub(super) const STARTED_BY_HAND: &str = "\
This is a plugin of Terraform and OpenTofu, which start it themselves. Name it in a configuration and run `terraform \
init` or `tofu init`:

    terraform {
      required_providers {
        kafka = {
          source = \"selfserve/kafka\"
        }
      }
    }

`terraform-provider-kafka --help` says what else it does.
";

/// The answer to `--help`.
pub(super) const HELP: &str = "\
Apache Kafka as self-service through Terraform and OpenTofu.

Usage: terraform-provider-kafka [OPTION]
       terraform-provider-kafka journal COMMAND

Without an option it serves the Terraform or OpenTofu that started it. `journal --help` tells the commands on the journal
in which a cluster keeps what governs it.

Options:
  --debug    Wait for connections, for use with a debugger, and print how to connect
  --version  Print the version
  --help     Print this text
";

/// The answer to `--version`.
pub(super) fn version(version: &str) -> String {
    format!("terraform-provider-kafka {version}\n")
}

/// The answer to arguments that have no meaning.
pub(super) fn unknown(argument: &str) -> String {
    format!("No such option: `{argument}`. `terraform-provider-kafka --help` says which there are.\n")
}

/// Reads the arguments after the program's name. Go's programs take one dash as well as two.
pub(super) fn task(arguments: impl Iterator<Item = OsString>) -> Task {
    let arguments: Vec<_> = arguments.map(|it| it.to_string_lossy().into_owned()).collect();
    match arguments.join(" ").as_str() {
        "" => Task::Serve,
        "--debug" | "-debug" => Task::Debug,
        "--version" | "-version" | "-V" => Task::Version,
        "--help" | "-help" | "-h" => Task::Help,
        unknown => Task::Unknown(unknown.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_say_what_to_do() {
        let check = |arguments: &[&str], expected| {
            assert_eq!(task(arguments.iter().map(OsString::from)), expected, "{arguments:?}");
        };
        check(&[], Task::Serve);
        check(&["--debug"], Task::Debug);
        check(&["-debug"], Task::Debug);
        check(&["--version"], Task::Version);
        check(&["-h"], Task::Help);
        check(&["--verbose"], Task::Unknown("--verbose".to_owned()));
        check(&["--debug", "now"], Task::Unknown("--debug now".to_owned()));
    }
}

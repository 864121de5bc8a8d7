//! The arguments of commands.

use std::time::Duration;

/// What is asked for.
#[derive(Debug, PartialEq)]
pub(super) enum Asked {
    /// How a command is used.
    Help(&'static str),
    /// Nothing that has a meaning; says why.
    Misused(String),
    /// Something about the journal.
    Journal(JournalCommand),
}

/// A command on a journal.
#[derive(Debug, PartialEq)]
pub(super) struct JournalCommand {
    pub(super) task: JournalTask,
    /// Name of the history, from which those of the other topics follow.
    pub(super) name: String,
    pub(super) timeout: Duration,
}

/// What to do with a journal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum JournalTask {
    /// Print it.
    Export,
    /// Read all of it, and say what is wrong.
    Verify,
    /// Make it from what was printed, read from this file or else from standard input.
    Import(Option<String>),
    /// Bind it to the cluster in which it is.
    Rebind {
        /// Why.
        reason: String,
    },
}

/// The answer to `journal --help`.
pub(super) const JOURNAL_HELP: &str = "\
The journal in which a cluster keeps what governs it.

Usage: terraform-provider-kafka journal COMMAND [OPTIONS]

Commands:
  export         Print the journal as JSON lines, for a backup
  verify         Read all of it, and say what is wrong with it
  import [FILE]  Make the journal that was exported, in a cluster that has none; reads standard input without a file
  rebind         Bind a journal that was moved to the cluster in which it is now

Options:
  --reason=TEXT      Why the journal is bound to another cluster; `rebind` needs it
  --name=NAME        Name of the journal's history; `_selfserve` if not given
  --timeout=SECONDS  Most time that it may take; 600 if not given
  --help             Print this text

The cluster is named by the variables of the provider: KAFKA_BOOTSTRAP_SERVERS, KAFKA_TLS, KAFKA_CA,
KAFKA_CLIENT_CERTIFICATE, KAFKA_CLIENT_KEY, KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD. What
`rebind` writes names KAFKA_ACTOR and KAFKA_CHANGE_URL.

Exit codes: 0, it was done; 1, it failed; 2, the arguments have no meaning; 3, `verify` found something wrong.
";

/// Reads the arguments after the program's name; `None` if they name no command.
pub(super) fn read(arguments: &[String]) -> Option<Asked> {
    let (command, rest) = arguments.split_first()?;
    (command == "journal").then(|| journal(rest).unwrap_or_else(Asked::Misused))
}

fn journal(arguments: &[String]) -> Result<Asked, String> {
    let see = "`terraform-provider-kafka journal --help` says how it is used.";
    let misused = |what: String| format!("{what} {see}");
    let (mut words, mut name, mut reason, mut seconds) = (Vec::new(), None, None, None);
    for argument in arguments {
        let slot = match argument.split_once('=') {
            _ if matches!(argument.as_str(), "--help" | "-help" | "-h") => return Ok(Asked::Help(JOURNAL_HELP)),
            _ if !argument.starts_with('-') => {
                words.push(argument.as_str());
                continue;
            }
            Some(("--name", value)) => (&mut name, value),
            Some(("--reason", value)) => (&mut reason, value),
            Some(("--timeout", value)) => (&mut seconds, value),
            _ => return Err(misused(format!("No such option: `{argument}`."))),
        };
        let (slot, value) = slot;
        if slot.replace(value.to_owned()).is_some() || value.is_empty() {
            return Err(misused(format!("`{argument}` is empty, or given twice.")));
        }
    }
    let task = match words[..] {
        [] => return Err(misused("The command is missing.".to_owned())),
        ["export"] => JournalTask::Export,
        ["verify"] => JournalTask::Verify,
        ["import"] => JournalTask::Import(None),
        ["import", file] => JournalTask::Import(Some(file.to_owned())),
        ["rebind"] => {
            let missing = || misused("`rebind` needs a `--reason=`, which the journal keeps.".to_owned());
            JournalTask::Rebind { reason: reason.take().ok_or_else(missing)? }
        }
        _ => return Err(misused(format!("No such command: `{}`.", words.join(" ")))),
    };
    if reason.is_some() {
        return Err(misused("Only `rebind` has a reason.".to_owned()));
    }
    let seconds = seconds.map(|it| it.parse().ok().filter(|it| (1..=86_400).contains(it)).ok_or(it)).transpose();
    let seconds = seconds.map_err(|it| misused(format!("`{it}` is no number of seconds from 1 to 86400.")))?;
    let timeout = Duration::from_secs(seconds.unwrap_or(600));
    Ok(Asked::Journal(JournalCommand { task, name: name.unwrap_or_else(|| "_selfserve".to_owned()), timeout }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Option<Asked> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        read(&arguments)
    }

    fn command(task: JournalTask) -> JournalCommand {
        JournalCommand { task, name: "_selfserve".to_owned(), timeout: Duration::from_mins(10) }
    }

    #[test]
    fn arguments_that_name_no_command_are_the_plugins() {
        for line in ["", "--debug", "--help", "journals", "--version"] {
            assert_eq!(asked(line), None, "{line}");
        }
    }

    #[test]
    fn commands_on_the_journal_are_read() {
        let check = |line, expected| assert_eq!(asked(line), Some(Asked::Journal(expected)), "{line}");
        check("journal export", command(JournalTask::Export));
        check("journal verify", command(JournalTask::Verify));
        check("journal import", command(JournalTask::Import(None)));
        check("journal import a.jsonl", command(JournalTask::Import(Some("a.jsonl".to_owned()))));
        check("journal rebind --reason=moved", command(JournalTask::Rebind { reason: "moved".to_owned() }));
        let named = JournalCommand { name: "a".to_owned(), ..command(JournalTask::Export) };
        check("journal --name=a export", named);
        let long = JournalCommand { timeout: Duration::from_secs(7), ..command(JournalTask::Verify) };
        check("journal verify --timeout=7", long);
        for line in ["journal --help", "journal -h", "journal export --help"] {
            assert_eq!(asked(line), Some(Asked::Help(JOURNAL_HELP)), "{line}");
        }
    }

    #[test]
    fn what_has_no_meaning_is_told() {
        let check = |line, expected: &str| match asked(line) {
            Some(Asked::Misused(problem)) => {
                assert!(problem.starts_with(expected), "{problem}");
                assert!(problem.contains("journal --help"));
            }
            other => panic!("{line}: {other:?}"),
        };
        check("journal", "The command is missing.");
        check("journal delete", "No such command: `delete`.");
        check("journal export a", "No such command: `export a`.");
        check("journal export --all", "No such option: `--all`.");
        check("journal rebind", "`rebind` needs a `--reason=`");
        check("journal rebind --reason=", "`--reason=` is empty, or given twice.");
        check("journal export --reason=a", "Only `rebind` has a reason.");
        check("journal export --name=a --name=b", "`--name=b` is empty, or given twice.");
        check("journal verify --timeout=0", "`0` is no number of seconds");
        check("journal verify --timeout=long", "`long` is no number of seconds");
    }
}

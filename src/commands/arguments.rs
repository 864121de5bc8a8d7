//! The arguments of commands.

use std::time::Duration;

use super::options::Options;
use crate::governance::request::RequestId;

/// What is asked for.
#[derive(Debug, PartialEq)]
pub(super) enum Asked {
    /// How a command is used.
    Help(&'static str),
    /// Nothing that has a meaning; says why.
    Misused(String),
    /// The same, of a command whose exit code says what is left.
    Unusable(String),
    /// Something about the journal.
    Journal(JournalCommand),
    /// All that is outstanding.
    Reconcile(ReconcileCommand),
    /// The end of a grant, at once.
    Revoke(RevokeCommand),
}

/// What to do about what is outstanding.
#[derive(Debug, PartialEq)]
pub(super) struct ReconcileCommand {
    /// The environment that it must be, if that is said.
    pub(super) environment: Option<String>,
    pub(super) is_dry_run: bool,
    pub(super) format: Format,
    pub(super) timeout: Duration,
}

/// How it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// In sentences.
    Text,
    /// One JSON object for each line.
    Json,
}

/// Which grant to end.
#[derive(Debug, PartialEq)]
pub(super) struct RevokeCommand {
    pub(super) request: RequestId,
    pub(super) reason: Option<String>,
    /// The environment that it must be, if that is said.
    pub(super) environment: Option<String>,
    pub(super) timeout: Duration,
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

/// The answer to `reconcile --help`.
pub(super) const RECONCILE_HELP: &str = "\
Does all that is outstanding in an environment: folds what teams filed, makes what was agreed to, and takes away what
ended. To be run on a schedule, by the platform.

Usage: terraform-provider-kafka reconcile [OPTIONS]

Options:
  --environment NAME  Refuse unless the cluster is the environment of that name
  --dry-run           Write nothing, and print what would be done first
  --format FORMAT     `text`, or `json` for one JSON object for each line; `text` if not given
  --timeout SECONDS   Most time that it may take; 600 if not given
  --help              Print this text

The cluster is named by the variables of the provider: KAFKA_BOOTSTRAP_SERVERS, KAFKA_TLS, KAFKA_CA,
KAFKA_CLIENT_CERTIFICATE, KAFKA_CLIENT_KEY, KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD. What it
writes names KAFKA_ACTOR and KAFKA_CHANGE_URL. With KAFKA_WEBHOOK_URL, and KAFKA_WEBHOOK_TOKEN as its bearer token,
requests that reach an end are posted there.

Exit codes: 0, all is done; 1, nothing could be done at all; 2, something failed or is left, and the next run goes on.
";

/// The answer to `revoke --help`.
pub(super) const REVOKE_HELP: &str = "\
Takes away what a request was granted, at once, whatever Terraform says of it: for emergencies.

Usage: terraform-provider-kafka revoke ID [OPTIONS]

Options:
  --reason TEXT       Why, for the applicant to read
  --environment NAME  Refuse unless the cluster is the environment of that name
  --timeout SECONDS   Most time that it may take; 600 if not given
  --help              Print this text

The cluster and who acts are named as for `reconcile`. The next plan of who asked shows that it was revoked.

Exit codes: 0, it is gone; 1, it could not be revoked; 2, it was revoked, and a rule of it may still be there:
`reconcile` goes on.
";

/// Reads the arguments after the program's name; `None` if they name no command.
pub(super) fn read(arguments: &[String]) -> Option<Asked> {
    let (command, rest) = arguments.split_first()?;
    match command.as_str() {
        "journal" => Some(journal(rest).unwrap_or_else(Asked::Misused)),
        "reconcile" => Some(reconcile(rest).unwrap_or_else(|problem| unusable("reconcile", &problem))),
        "revoke" => Some(revoke(rest).unwrap_or_else(|problem| unusable("revoke", &problem))),
        _ => None,
    }
}

fn unusable(command: &str, problem: &str) -> Asked {
    Asked::Unusable(format!("{problem} `terraform-provider-kafka {command} --help` says how it is used."))
}

fn is_help(arguments: &[String]) -> bool {
    arguments.iter().any(|it| matches!(it.as_str(), "--help" | "-help" | "-h"))
}

fn reconcile(arguments: &[String]) -> Result<Asked, String> {
    if is_help(arguments) {
        return Ok(Asked::Help(RECONCILE_HELP));
    }
    let mut options = Options::read(arguments, &["--environment", "--format", "--timeout"], &["--dry-run"])?;
    if let Some(word) = options.words.first() {
        return Err(format!("`{word}` has no meaning here."));
    }
    let format = match options.take("--format").as_deref() {
        None | Some("text") => Format::Text,
        Some("json") => Format::Json,
        Some(other) => return Err(format!("`{other}` is no format: `text` and `json` are.")),
    };
    Ok(Asked::Reconcile(ReconcileCommand {
        environment: options.take("--environment"),
        is_dry_run: options.has("--dry-run"),
        format,
        timeout: timeout(options.take("--timeout"))?,
    }))
}

fn revoke(arguments: &[String]) -> Result<Asked, String> {
    if is_help(arguments) {
        return Ok(Asked::Help(REVOKE_HELP));
    }
    let mut options = Options::read(arguments, &["--environment", "--reason", "--timeout"], &[])?;
    let [id] = &options.words[..] else { return Err("`revoke` needs the id of one request.".to_owned()) };
    let request = id.parse().map_err(|error| format!("`{id}` is no id of a request: {error}."))?;
    Ok(Asked::Revoke(RevokeCommand {
        request,
        reason: options.take("--reason"),
        environment: options.take("--environment"),
        timeout: timeout(options.take("--timeout"))?,
    }))
}

fn timeout(seconds: Option<String>) -> Result<Duration, String> {
    let seconds = seconds.map(|it| it.parse().ok().filter(|it| (1..=86_400).contains(it)).ok_or(it)).transpose();
    let seconds = seconds.map_err(|it| format!("`{it}` is no number of seconds from 1 to 86400."))?;
    Ok(Duration::from_secs(seconds.unwrap_or(600)))
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
    let timeout = timeout(seconds).map_err(misused)?;
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
    fn commands_for_what_is_outstanding_are_read() {
        let all = ReconcileCommand {
            environment: None,
            is_dry_run: false,
            format: Format::Text,
            timeout: Duration::from_mins(10),
        };
        assert_eq!(asked("reconcile"), Some(Asked::Reconcile(all)));
        let named = ReconcileCommand {
            environment: Some("pre".to_owned()),
            is_dry_run: true,
            format: Format::Json,
            timeout: Duration::from_secs(7),
        };
        let line = "reconcile --environment pre --dry-run --format=json --timeout 7";
        assert_eq!(asked(line), Some(Asked::Reconcile(named)));
        let revoked = RevokeCommand {
            request: "shop-00000001".parse().unwrap(),
            reason: Some("leaked".to_owned()),
            environment: None,
            timeout: Duration::from_mins(10),
        };
        assert_eq!(asked("revoke shop-00000001 --reason leaked"), Some(Asked::Revoke(revoked)));
        assert_eq!(asked("reconcile -h"), Some(Asked::Help(RECONCILE_HELP)));
        assert_eq!(asked("revoke x --help"), Some(Asked::Help(REVOKE_HELP)));
        for line in ["reconcile now", "reconcile --format xml", "revoke", "revoke a b", "revoke x --timeout 0"] {
            assert!(matches!(asked(line), Some(Asked::Unusable(_))), "{line}");
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

//! What is told of connectors.

use crate::{
    clients::connect::{ConnectError, Plugin, RunState, Status, Target},
    framework::{Diagnostic, Path, Severity, Step},
    governance::{
        connector::{ConnectorName, nearest},
        secret::looks_secret,
    },
    resources::{application::OnExisting, connect::remedy},
};

/// Most letters of a line of a trace that are shown.
const SHOWN: usize = 400;
/// Most failed tasks that are shown.
const TASKS: usize = 3;

/// The place of a key of the configuration.
pub(super) fn at_key(key: &str) -> Path {
    Path::attribute("config").key(key)
}

pub(super) fn no_class() -> Diagnostic {
    let detail = "A connector is of a class, which says what it does: write `\"connector.class\" = \"…\"`. \
                  `data.kafka_connector_plugins` lists those that are installed.";
    Diagnostic::error("Missing connector class", detail).at(at_key("connector.class"))
}

pub(super) fn other_name(own: &str, name: &ConnectorName) -> Diagnostic {
    let detail = format!(
        "The connector is called `{name}`, and `{own}` in its configuration. Remove the key: workers add it by themselves."
    );
    Diagnostic::error("Two names", detail).at(at_key("name"))
}

pub(super) fn twice_written(key: &str) -> Diagnostic {
    let detail = format!("`{key}` is in `config` and in `config_wo`. Remove it from the one where it does not belong.");
    Diagnostic::error("Key written twice", detail).at(at_key(key))
}

pub(super) fn no_version() -> Diagnostic {
    let detail = "Nobody could tell later that `config_wo` changed: it is not stored. Write any text as \
                  `config_wo_version`, such as `\"1\"`, and another one whenever it changes.";
    Diagnostic::error("Missing version of the secrets", detail).at("config_wo_version")
}

pub(super) fn reset_or_set(both: bool) -> Diagnostic {
    let detail = if both {
        "Offsets are reset or set, not both. Remove `reset` or `positions`."
    } else {
        "It says nothing. Write `reset = true`, or `positions`."
    };
    Diagnostic::error("Invalid offsets", detail).at("offsets")
}

pub(super) fn no_object(at: usize, name: &str) -> Diagnostic {
    let path = Path::attribute("offsets").then(Step::Attribute("positions".to_owned())).then(Step::Index(at));
    let detail = format!("It is an object in JSON, as in `{name} = jsonencode({{ … }})`.");
    Diagnostic::error("Invalid offsets", detail).at(path.then(Step::Attribute(name.to_owned())))
}

pub(super) fn twice(name: &ConnectorName) -> Diagnostic {
    let detail = format!(
        "Another resource of this plan is the connector `{name}` too. Each would configure it after the other.\n\nRemove one \
         of them. What is in the state already leaves it with a `removed` block and `destroy = false`."
    );
    Diagnostic::error("Connector planned twice", detail).at("name")
}

pub(super) fn identifier() -> Diagnostic {
    let detail = "The identifier of a connector is `<environment>/<connect>/<name>`, `<environment>/<name>` where the \
                  environment has one Connect cluster, or `<name>` in the only environment.";
    Diagnostic::error("Invalid connector identifier", detail)
}

pub(super) fn other_workers(
    (name, url, actual): (&str, &str, &str),
    (environment, cluster_id): (&str, &str),
) -> Diagnostic {
    let detail = format!(
        "The workers of `{name}` at `{url}` belong to the cluster `{actual}`, and the environment `{environment}` is the \
         cluster `{cluster_id}`. Nothing is concluded from what they have or lack, and nothing is done there.\n\nCorrect \
         `url`, or give these workers to the environment of that cluster."
    );
    Diagnostic::error("Workers of another cluster", detail).at("connect")
}

pub(super) fn moved(to: &str, from: &str) -> Diagnostic {
    let detail = format!(
        "The connector is on the workers of `{from}`, and only now is known that it should be on those of `{to}`. It would \
         be on both.\n\nPlan again: it is deleted there and made here then."
    );
    Diagnostic::error("Connector on other workers", detail).at("connect")
}

pub(super) fn made_here(name: &ConnectorName) -> Diagnostic {
    let detail = format!(
        "`{name}` is the new one by now: this run made it. With `create_before_destroy`, a connector of the same name is not \
         replaced."
    );
    Diagnostic::warning("Connector not deleted", detail)
}

pub(super) fn taken_over(name: &ConnectorName) -> Diagnostic {
    let detail = format!(
        "The workers had `{name}` already, configured as is declared, as a create leaves it that was interrupted. It is \
         managed here from now on.\n\nIf another state manages it too, remove it from one of them with a `removed` block and \
         `destroy = false`."
    );
    Diagnostic::warning("Connector taken over", detail).at("name")
}

pub(super) fn exists(name: &ConnectorName) -> Diagnostic {
    let exists = ConnectError::Exists(String::new());
    let detail = format!("The workers have `{name}` already, configured otherwise.\n\n{}", remedy(&exists));
    Diagnostic::error("Connector already exists", detail).at("name")
}

pub(super) fn masked(key: &str) -> Diagnostic {
    let detail = format!(
        "The workers show asterisks in place of `{key}`, so that it cannot be sent again with what else changes.\n\nWrite it \
         into `config_wo`."
    );
    Diagnostic::error("Secret cannot be kept", detail).at("config_wo")
}

pub(super) fn secret_lost(name: &ConnectorName, key: &str) -> Diagnostic {
    let detail = format!(
        "Somebody removed `{key}` from `{name}`. The next apply sends `config_wo` again, which has it or should have it."
    );
    Diagnostic::warning("Secret lost", detail).at("config_wo_version")
}

pub(super) fn imported_without_config(name: &ConnectorName) -> Diagnostic {
    let detail = format!(
        "The workers do not know the class of `{name}`, so that nobody can tell which of its values are secret. None of them is \
         in the state but the class.\n\nWrite the configuration, with what is secret in `config_wo`: the next apply sends it."
    );
    Diagnostic::warning("Imported without configuration", detail)
}

/// That the workers have no such class, as what to ask the platform for.
pub(super) fn not_installed(
    class: &str,
    version: Option<&str>,
    plugins: &[Plugin],
    (environment, connect, url): &(&str, &str, String),
) -> Diagnostic {
    let connectors = || plugins.iter().filter(|it| it.is_connector());
    let listed: Vec<String> = connectors()
        .map(|it| {
            format!("- {} ({}{})", it.class, it.kind, it.version.as_ref().map_or(String::new(), |it| format!(" {it}")))
        })
        .collect();
    let listed = if listed.is_empty() { "- none".to_owned() } else { listed.join("\n") };
    let nearest = nearest(class, connectors().map(|it| it.class.as_str()));
    let meant = nearest.map_or_else(String::new, |it| format!("\n\nIs `{it}` meant?"));
    let version = version.unwrap_or("any");
    let detail = format!(
        "The workers have no class `{class}`. Those that are installed:\n\n{listed}{meant}\n\nIf it is right, ask the platform \
         team to install it: the class `{class}`, version {version}, on the workers of `{connect}` in the environment \
         `{environment}`, which were asked at `{url}`."
    );
    Diagnostic::error("Connector class not installed", detail).at(at_key("connector.class"))
}

pub(super) fn refused(key: &str, message: &str, is_secret: bool) -> Diagnostic {
    let message: String = message.trim().chars().take(SHOWN).collect();
    let detail = format!("The workers would refuse `{key}`: {message}");
    let told = Diagnostic::error("Configuration refused by Connect", detail);
    if is_secret { told.at("config_wo") } else { told.at(at_key(key)) }
}

/// The same, where part of the configuration is not known yet.
pub(super) fn refused_so_far(refused: Diagnostic) -> Diagnostic {
    let detail = format!(
        "{}\n\nPart of the configuration is known only after apply, and this may be right by then.",
        refused.detail
    );
    Diagnostic { severity: Severity::Warning, detail, ..refused }
}

pub(super) fn visible_secret(key: &str) -> Diagnostic {
    let detail = format!(
        "`{key}` is a password, and what is in `config` is in the state and in plans for everybody to read who may see \
         those.\n\nMove it to `config_wo`, or write a reference that the workers resolve, such as \
         `$${{file:/run/secrets.properties:{key}}}`."
    );
    Diagnostic::error("Secret in the configuration", detail).at(at_key(key))
}

pub(super) fn not_asked(error: &ConnectError, is_needed: bool) -> Diagnostic {
    let detail = format!(
        "The plan could not be tried on the workers, so that what they would refuse shows only in apply.\n\n{}",
        remedy(error)
    );
    let of = if is_needed { Diagnostic::error } else { Diagnostic::warning };
    of("Not checked by Connect".to_owned(), detail).caused_by(error)
}

pub(super) fn not_refreshed(name: &ConnectorName, error: &ConnectError) -> Diagnostic {
    let detail = format!(
        "The workers do not say how `{name}` is, so that it stays as it was stored. `on_unreachable = \"refused\"` makes this \
         an error.\n\n{}",
        remedy(error)
    );
    Diagnostic::warning("Connector not refreshed", detail).caused_by(error)
}

pub(super) fn existing_in_plan(name: &ConnectorName, is_same: bool, then: Option<&OnExisting>) -> Option<Diagnostic> {
    let detail = match (is_same, then) {
        (_, Some(OnExisting::Adopt)) => return None,
        (true, _) => format!(
            "The workers have `{name}` already, configured as is declared. Apply takes it over, as what a create left that was \
             interrupted."
        ),
        (false, _) => format!(
            "The workers have `{name}` already. Apply will fail unless it is gone by then.\n\n{}",
            remedy(&ConnectError::Exists(String::new()))
        ),
    };
    Some(Diagnostic::warning("Connector already exists", detail).at("name"))
}

/// Why a connector, or part of it, gave up.
pub(super) fn failed(of: fn(String, String) -> Diagnostic, name: &ConnectorName, status: &Status) -> Diagnostic {
    let mut reasons = Vec::new();
    if status.state == RunState::Failed {
        reasons.push(reason("the connector", &status.worker, status.trace.as_deref()));
    }
    let tasks: Vec<_> = status.tasks.iter().filter(|it| it.state == RunState::Failed).collect();
    reasons.extend(tasks.iter().take(TASKS).map(|it| {
        let what = format!("task {}", it.id);
        reason(&what, &it.worker, it.trace.as_deref())
    }));
    if TASKS < tasks.len() {
        reasons.push(format!("- and {} more of its tasks", tasks.len() - TASKS));
    }
    let detail = format!(
        "Of `{name}`, this gave up:\n\n{}\n\nCorrect the configuration, or what it names; the log of the worker has the rest.",
        reasons.join("\n")
    );
    of("Connector failed".to_owned(), detail)
}

pub(super) fn failed_since(name: &ConnectorName, status: &Status, restarts: bool) -> Diagnostic {
    let told = failed(Diagnostic::warning, name, status);
    let next = if restarts { "The next apply starts anew what failed." } else { "Nobody starts it anew." };
    Diagnostic { detail: format!("{} {next}", told.detail), ..told }
}

fn reason(what: &str, worker: &str, trace: Option<&str>) -> String {
    format!("- {what} on `{worker}`: {}", trace.map_or_else(|| "it does not say why".to_owned(), cause))
}

/// The first line of a trace, and its last cause. What may hold a secret is not shown.
pub(crate) fn cause(trace: &str) -> String {
    let shown = |it: &str| {
        let shown: String = it.trim().chars().take(SHOWN).collect();
        if looks_secret(it) {
            "(words that may hold a secret; the log of the worker has them)".to_owned()
        } else {
            shown
        }
    };
    let first = shown(trace.lines().next().unwrap_or_default());
    let cause = trace.lines().rev().find_map(|it| it.trim().strip_prefix("Caused by: ")).map(shown);
    let cause = cause.filter(|it| *it != first).map_or_else(String::new, |it| format!("\n  Caused by: {it}"));
    first + &cause
}

pub(super) fn not_reached(name: &ConnectorName, target: Target, status: Option<&Status>) -> Diagnostic {
    let now = match status {
        None => "the workers do not say how it is".to_owned(),
        Some(it) => {
            let tasks: Vec<String> = it.tasks.iter().map(|it| it.state.to_string()).collect();
            let tasks = if tasks.is_empty() { "none".to_owned() } else { tasks.join(", ") };
            format!("itself is {}, its tasks: {tasks}", it.state)
        }
    };
    let detail = format!(
        "`{name}` was told to be {}, and is not by now: {now}.\n\nLook whether the workers have room for its tasks, and apply \
         again; `timeouts` say for how long it is waited for, and `wait_for = \"nothing\"` that it is not.",
        target.reached()
    );
    Diagnostic::error("Connector not settled", detail)
}

pub(super) fn unmade(error: Option<&ConnectError>) -> String {
    match error {
        None => "It was deleted again, so that the next apply makes it as it is declared then.".to_owned(),
        Some(error) => format!(
            "It could not be deleted again ({error}). Delete it before the next apply, or set `on_existing = \"adopt\"`."
        ),
    }
}

pub(super) fn brought_back(was: Target, error: Option<&ConnectError>) -> String {
    let was = was.reached();
    match error {
        None => format!("It was told to be {was}, as it was before."),
        Some(error) => format!(
            "It was {was} before, could not be told to be so again ({error}), and may be stopped now. Write `state = \
             \"{was}\"` for the next apply, or tell the workers."
        ),
    }
}

pub(super) fn stays_stopped(name: &ConnectorName) -> Diagnostic {
    let detail = format!(
        "`{name}` is stopped, and stays so after its offsets are set: somebody stopped it, or an apply that was killed \
         meanwhile.\n\nWrite `state = \"running\"` if it is to run then."
    );
    Diagnostic::warning("Connector stays stopped", detail).at("offsets")
}

pub(super) fn no_offsets(name: &ConnectorName) -> Diagnostic {
    let detail =
        format!("The workers cannot be told where `{name}` goes on from: that takes Kafka 3.6.\n\nRemove `offsets`.");
    Diagnostic::error("Offsets not supported", detail).at("offsets")
}

pub(super) fn offsets_refused(name: &ConnectorName, message: &str) -> Diagnostic {
    let detail = format!("The workers refuse these offsets of `{name}`: {message}\n\nCorrect them.");
    Diagnostic::error("Offsets refused", detail).at("offsets")
}

pub(super) fn vanished(name: &ConnectorName) -> Diagnostic {
    let detail = format!("`{name}` was made or changed, and is gone: somebody deleted it meanwhile. Apply again.");
    Diagnostic::error("Connector is gone", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_told_by_its_first_line_and_its_last_cause() {
        let trace = "org.apache.kafka.connect.errors.ConnectException: Could not read\n\tat a.B.c(B.java:1)\nCaused by: \
                     java.io.IOException: outer\n\tat d.E\nCaused by: java.nio.file.NoSuchFileException: /x\n\t... 3 more\n";
        let expected = "- task 0 on `w:8083`: org.apache.kafka.connect.errors.ConnectException: Could not read\n  Caused by: \
                        java.nio.file.NoSuchFileException: /x";
        assert_eq!(reason("task 0", "w:8083", Some(trace)), expected);
        let secret = reason("task 0", "w", Some("a.B: wrong\nCaused by: jdbc:x?password=hunter2"));
        assert!(secret.contains("a.B: wrong") && !secret.contains("hunter2"), "{secret}");
        assert_eq!(reason("task 0", "w", None), "- task 0 on `w`: it does not say why");
    }
}

//! Whether a connector may be as it is declared: whose it is, what it is called, of which class, and which topics it uses as
//! whom.
//!
//! Workers know nothing of applications, and connectors that have no credentials of their own read and write what the
//! workers may: what is said here holds for those who come this way.

use crate::governance::{
    acl::{Operation, PatternType, Principal},
    application::Application,
    check_topic::{missing, not_in_force, unknown_acting},
    command::Role,
    connector::{ConnectorName, DEAD_LETTERS, ENFORCES_TASKS, Settings, TopicUse, Use, is_named},
    grants::received,
    kind::Kind,
    names::ApplicationName,
    policy::{ConnectIdentity, ConnectorPolicy},
    request::AccessTo,
    state::State,
    violation::{At, Violation, Weight, listed},
};

/// What somebody wants of a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorRequest {
    /// Its name.
    pub name: ConnectorName,
    /// Whose it is, if that is said; else the name tells.
    pub application: Option<ApplicationName>,
    /// Its configuration, as far as it is known.
    pub settings: Settings,
    /// Whether it is to read or write what it did not before: it is started, or goes on from elsewhere.
    pub starts: bool,
}

/// What speaks against a connector in an environment; nothing where there is none. `before` is how it was: what was so and
/// is not touched is told as that.
pub fn check_connector(
    state: &State,
    role: &Role,
    wanted: &ConnectorRequest,
    before: Option<&ConnectorRequest>,
) -> Vec<Violation> {
    let Some(policy) = state.policy() else { return Vec::new() };
    let owner = owner(state, wanted);
    let mut res: Vec<Violation> = template(state, wanted).into_iter().collect();
    res.extend(class(&policy.connectors, wanted));
    res.extend(tasks(&policy.connectors, wanted));
    res.extend(unchecked(&policy.connectors, owner.is_some(), &wanted.settings));
    if let Some(owner) = owner {
        res.extend(topics(state, owner, &wanted.settings));
        res.extend(created(state, &wanted.settings));
        res.extend(identity(&policy.connectors, owner, wanted, before.is_none()));
    }
    for it in &mut res {
        it.introduced = before.is_none_or(|before| match it.at.outermost() {
            Some("name") => wanted.name != before.name,
            _ => wanted.starts || (&wanted.settings, &wanted.application) != (&before.settings, &before.application),
        });
    }
    // Who may not have a connector changes nothing of it, however long it was so.
    res.extend(ownership(state, role, wanted, before.is_some()));
    res
}

/// What speaks against the end of a connector.
pub fn check_connector_end(state: &State, role: &Role, name: &ConnectorName) -> Vec<Violation> {
    let wanted =
        ConnectorRequest { name: name.clone(), application: None, settings: Settings::default(), starts: false };
    if state.policy().is_none() { Vec::new() } else { ownership(state, role, &wanted, true) }
}

fn living<'a>(state: &'a State, name: &ApplicationName) -> Option<&'a Application> {
    state.application(name).filter(|it| it.status.holds_prefixes())
}

/// The application that the connector is for.
fn owner<'a>(state: &'a State, wanted: &ConnectorRequest) -> Option<&'a Application> {
    match &wanted.application {
        Some(name) => living(state, name),
        None => state.owner_of(Kind::Connector, wanted.name.as_str()),
    }
}

/// That who acts so may not have the connector, or not for that application.
fn ownership(state: &State, role: &Role, wanted: &ConnectorRequest, is_there: bool) -> Vec<Violation> {
    let name = &wanted.name;
    let by_name = state.owner_of(Kind::Connector, name.as_str()).map(|it| &it.spec.name);
    let owner = owner(state, wanted);
    let mut res: Vec<Violation> = unknown_acting(state, role).into_iter().collect();
    if let (Some(declared), None) = (&wanted.application, owner) {
        res.push(missing(declared));
        return res;
    }
    if let (Some(owner), false) = (owner, is_there) {
        res.extend(not_in_force(owner));
    }
    let refused =
        |summary, what: String, remedy: String| Some(Violation::new(At::attribute("name"), summary, what, remedy));
    let others = |owner: &ApplicationName, acting: &ApplicationName| {
        let what = format!("The connector `{name}` belongs to the application `{owner}`, and this is for `{acting}`.");
        let remedy = format!("Choose a name of `{acting}`, or have the team of `{owner}` declare it.");
        refused("Connector of another application", what, remedy)
    };
    let outside = |acting: &Application| {
        let (what, remedy) = outside(name, acting);
        refused("Connector outside the prefixes", what, remedy)
    };
    let acting = match role {
        Role::Application(acting) => Some(acting),
        Role::Platform | Role::Nobody => None,
    };
    res.extend(match (owner.map(|it| &it.spec.name), by_name) {
        (Some(owner), _) if *role == Role::Nobody => {
            let what = format!(
                "The connector `{name}` belongs to the application `{owner}`, and nothing says that this is it."
            );
            let remedy =
                "Act as the application: its deployers are known by their principal, or by what the pipeline sets.";
            refused("Acting application unknown", what, remedy.to_owned())
        }
        (Some(owner), _) if acting.is_some_and(|it| it != owner) => others(owner, acting.unwrap_or(owner)),
        (Some(owner), Some(by_name)) if owner != by_name => others(by_name, owner),
        (Some(_), None) => owner.and_then(outside),
        (None, _) if *role == Role::Nobody => {
            let what =
                format!("No application owns the connector `{name}`, and only the platform makes what nobody owns.");
            let remedy = "Choose a name under a prefix of your application, or set `application`.";
            refused("Connector without owner", what, remedy.to_owned())
        }
        (None, _) => acting.and_then(|it| living(state, it)).and_then(outside),
        _ => None,
    });
    res
}

fn outside(name: &ConnectorName, owner: &Application) -> (String, String) {
    let own: Vec<&str> = owner.spec.prefixes(Kind::Connector).collect();
    let application = &owner.spec.name;
    match own.first() {
        Some(first) => (
            format!(
                "`{name}` is under no prefix of the application `{application}`, whose connectors begin with {}.",
                listed(&own)
            ),
            format!("Write a name that begins so, as in `name = \"{first}…\"`."),
        ),
        None => (
            format!("The application `{application}` has no prefix for connectors."),
            "Give it one: `prefixes = { connector = [\"…\"] }`.".to_owned(),
        ),
    }
}

/// What speaks against the name by the template of connectors.
fn template(state: &State, wanted: &ConnectorRequest) -> Option<Violation> {
    let (name, template) = (wanted.name.as_str(), state.template(Kind::Connector)?);
    let owner = state.owner_of(Kind::Connector, name)?;
    let misfit = template.misfit(name, &owner.spec.own_fields())?;
    let remedy = match misfit.suggestion {
        Some(it) => format!("A name that fits: `name = \"{it}\"`."),
        None => format!("Write a name that follows the template `{template}`."),
    };
    let what = format!("`{name}` does not fit: {}.", misfit.reason);
    Some(Violation::new(At::attribute("name"), "Connector name refused", what, remedy))
}

fn at_key(key: &str) -> At {
    At::attribute("config").key(key)
}

fn class(policy: &ConnectorPolicy, wanted: &ConnectorRequest) -> Option<Violation> {
    let (classes, class) = (policy.classes.as_ref()?, wanted.settings.class()?);
    if classes.iter().any(|it| is_named(it, class)) {
        return None;
    }
    let what = format!("The class of the connector is `{class}`, and the environment permits {}.", listed(classes));
    let remedy = "Write one of them, or have the platform permit another in `connectors.classes`.";
    Some(Violation::new(at_key("connector.class"), "Connector class refused", what, remedy))
}

fn tasks(policy: &ConnectorPolicy, wanted: &ConnectorRequest) -> Option<Violation> {
    let most = policy.max_tasks?;
    if wanted.settings.exceeds_tasks() {
        let what = format!(
            "With `{ENFORCES_TASKS}`, a connector may have more tasks than it asks for, and the environment permits {most}."
        );
        return Some(Violation::new(at_key(ENFORCES_TASKS), "Too many tasks", what, "Remove the key."));
    }
    let tasks = wanted.settings.tasks()?;
    if tasks <= most {
        return None;
    }
    let what = format!("The connector asks for {tasks} tasks, and the environment permits {most}.");
    let remedy =
        format!("Write `\"tasks.max\" = \"{most}\"`, or have the platform permit more in `connectors.max_tasks`.");
    Some(Violation::new(at_key("tasks.max"), "Too many tasks", what, remedy))
}

/// What speaks against hiding what rules are about, where there are any.
fn unchecked(policy: &ConnectorPolicy, is_owned: bool, settings: &Settings) -> Vec<Violation> {
    let is_ruled = |key: &str| match key {
        "connector.class" => is_owned || policy.classes.is_some(),
        "tasks.max" => is_owned || policy.max_tasks.is_some(),
        _ => is_owned,
    };
    let told = |key: &str| {
        let what = format!("The rules of the environment are about `{key}`, and nobody can tell here what it will be.");
        let remedy = format!("Write `{key}` into `config`, and not as a reference: it is no secret.");
        Violation::new(at_key(key), "Key hidden from the rules", what, remedy)
    };
    settings.unchecked().filter(|it| is_ruled(it)).map(told).collect()
}

/// What speaks against the topics: each is the application's own, or was granted to it.
fn topics(state: &State, owner: &Application, settings: &Settings) -> Vec<Violation> {
    settings.topics().iter().filter_map(|it| topic(state, owner, it)).collect()
}

fn topic(state: &State, owner: &Application, used: &TopicUse) -> Option<Violation> {
    let operation = match used.does {
        Use::Read => Operation::Read,
        Use::Write => Operation::Write,
    };
    let covers = |it: &AccessTo| {
        let is_so_called = match it.pattern {
            PatternType::Literal => used.is_whole && it.name == used.name,
            PatternType::Prefixed => used.name.starts_with(&it.name),
        };
        let may = it.operations.contains(&operation) || it.operations.contains(&Operation::All);
        it.kind == Kind::Topic && is_so_called && may
    };
    if owner.spec.prefixes(Kind::Topic).any(|it| used.name.starts_with(it)) {
        return None;
    }
    let uid = owner.uid();
    if received(state, &uid).any(|(_, it)| it.live_grant().and_then(|it| it.content.access()).is_some_and(covers)) {
        return None;
    }
    let is_asked = state
        .requests()
        .any(|(_, it)| *it.applicant() == uid && !it.status.is_over() && it.content.access().is_some_and(covers));
    let (name, application) = (&used.name, &owner.spec.name);
    let does = if used.does == Use::Read { "reads" } else { "writes" };
    let what = match (used.is_whole, state.owner_of(Kind::Topic, name)) {
        (true, Some(it)) => {
            format!("The connector {does} `{name}`, which belongs to the application `{}`.", it.spec.name)
        }
        (true, None) => format!("The connector {does} `{name}`, which is no topic of the application `{application}`."),
        (false, _) if name.is_empty() => {
            format!("The connector {does} topics by a pattern of which nothing is sure: it may be any of the cluster.")
        }
        (false, _) => format!(
            "The connector {does} topics that begin with `{name}`, and not all that may be are the application's, \
             `{application}`."
        ),
    };
    let level = if used.does == Use::Read { "read" } else { "write" };
    let (remedy, weight) = if is_asked {
        ("It was asked for: apply again once that is agreed to.".to_owned(), Weight::Wait)
    } else if used.is_whole {
        let remedy = format!(
            "Ask for it with `kafka_access_request` (`access = \"{level}\"`), and apply that first; or use a topic of the \
             application."
        );
        (remedy, Weight::Refuse)
    } else {
        (
            format!("Begin it with a prefix of the application, or of what it was granted (`access = \"{level}\"`)."),
            Weight::Refuse,
        )
    };
    Some(Violation::new(at_key(&used.key), "Topic of another application", what, remedy).weighing(weight))
}

/// What speaks against topics that workers would make: they follow no rule, and are nobody's in the journal.
fn created(state: &State, settings: &Settings) -> Vec<Violation> {
    let remedy = "Declare the topic with `kafka_topic`, and have the connector depend on it.";
    let by_workers = settings.creates_topics().map(|key| {
        let what = format!("With `{key}`, the workers make topics that no rule of the environment is held against.");
        Violation::new(at_key(key), "Topics made past the rules", what, format!("Remove the key. {remedy}"))
    });
    let is_declared = |it: &str| it.parse().is_ok_and(|it| state.topic(&it).is_some());
    let undeclared = settings.dead_letters().filter(|it| !is_declared(it)).map(|topic| {
        let what =
            format!("Nobody declared the topic `{topic}`: workers make it, past the rules, where it is not there.");
        Violation::new(at_key(DEAD_LETTERS), "Topic not declared", what, remedy).weighing(Weight::Warn)
    });
    by_workers.into_iter().chain(undeclared).collect()
}

/// What speaks against the identity as which the connector works, for an application.
fn identity(policy: &ConnectorPolicy, owner: &Application, wanted: &ConnectorRequest, is_new: bool) -> Vec<Violation> {
    let settings = &wanted.settings;
    if policy.identity == Some(ConnectIdentity::Application) {
        return own_identity(policy, owner, wanted);
    }
    // The group of the workers' own choice is nobody's; another that is written could be anybody's.
    let own_group = settings.own_group().filter(|it| *it != wanted.name.group());
    let mut res: Vec<Violation> = own_group.and_then(|it| group(owner, it)).into_iter().collect();
    res.extend(untold(policy, settings, "The connector works as the workers, which may write them all."));
    if is_new && !settings.is_mirror() {
        let what = "The connector works as the workers, and Kafka holds it to their rights: which topics it uses is checked \
                    here by keys that are known, and by nobody else.";
        let remedy = "To have Kafka check it, have the platform set `connectors.identity = \"application\"`.";
        res.push(
            Violation::new(At::attribute("config"), "Topics checked in plans alone", what, remedy)
                .weighing(Weight::Warn),
        );
    }
    res
}

/// The same where connectors work as their applications.
fn own_identity(policy: &ConnectorPolicy, owner: &Application, wanted: &ConnectorRequest) -> Vec<Violation> {
    let (settings, mut res) = (&wanted.settings, Vec::new());
    let at = At::attribute("config");
    for prefix in settings.without_credentials() {
        let what = format!(
            "Connectors work as their applications here, and this one has no credentials under `{prefix}…`, so that it \
             would work as the workers."
        );
        let remedy =
            format!("Write `\"{prefix}sasl.jaas.config\"` into `config_wo`, with a principal of the application.");
        res.push(Violation::new(at.clone(), "Connector without credentials", what, remedy));
    }
    for (prefix, user) in &settings.logins {
        if owner.spec.principals.contains(&Principal::user(user)) {
            continue;
        }
        // Who it is was written among secrets.
        let what = format!(
            "Under `{prefix}…` the connector logs in as a user that is no principal of the application `{}`.",
            owner.spec.name
        );
        res.push(Violation::new(
            at_key(&format!("{prefix}sasl.jaas.config")),
            "Login of somebody else",
            what,
            "Log in as a principal of the application.",
        ));
    }
    res.extend(settings.sink_group(&wanted.name).and_then(|it| group(owner, &it)));
    let unknown = settings.of_unknown_login();
    if let Some(first) = unknown.first() {
        let what = format!(
            "Connectors work as their applications here, and nobody can tell whose credentials those under {} are: the \
             connector may work as the workers.",
            listed(&unknown)
        );
        let remedy = format!(
            "Write the user out, `username=\"…\"` in `\"{first}sasl.jaas.config\"`, with a reference for the password alone, \
             and `\"{first}security.protocol\"` in `config`, as `SASL_SSL`."
        );
        res.push(Violation::new(at, "Credentials of nobody known", what, remedy).weighing(Weight::Warn));
        res.extend(untold(policy, settings, "Nobody can tell as whom the connector writes them."));
    }
    res
}

/// What speaks against topics that the configuration does not tell, where Kafka may not hold the connector to what is its
/// application's.
fn untold(policy: &ConnectorPolicy, settings: &Settings, why: &str) -> Vec<Violation> {
    let refused = settings.routers().map(|(key, class)| {
        let what = format!("`{class}` may give records other topics than the configuration names. {why}");
        let remedy = "Remove the transform, or have the connector work as its application, with a login that is told \
                      (`connectors.identity = \"application\"` in the environment).";
        Violation::new(at_key(key), "Transform refused", what, remedy)
    });
    let mirror = settings.is_mirror().then(|| {
        let what = format!("The topics that it copies are not told by its configuration. {why}");
        let remedy = "Have the platform declare what copies clusters, or permit the class in `connectors.classes`.";
        // A class that is not permitted is refused as that.
        let weight = if policy.classes.is_some() { Weight::Warn } else { Weight::Refuse };
        Violation::new(at_key("connector.class"), "Topics not told", what, remedy).weighing(weight)
    });
    refused.chain(mirror).collect()
}

/// What speaks against the group in which a sink reads.
fn group(owner: &Application, group: &str) -> Option<Violation> {
    if owner.spec.covers(Kind::Group, group) {
        return None;
    }
    let prefix = owner.spec.prefixes(Kind::Group).next().unwrap_or_default();
    let what = format!(
        "The connector would read in the group `{group}`, which is no group of the application `{}`.",
        owner.spec.name
    );
    let remedy = format!("Write `\"consumer.override.group.id\" = \"{prefix}…\"`.");
    Some(Violation::new(at_key("consumer.override.group.id"), "Group outside the prefixes", what, remedy))
}

#[cfg(test)]
mod tests;

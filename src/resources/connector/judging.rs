//! What is asked before a connector is made or changed: the rules of the environment, and the workers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use super::{
    ConnectorModel, SECRETS,
    composing::{Composed, logins, remembered, remembered_logins},
    leave,
    placing::Workers,
    told,
};
use crate::{
    clients::connect::{Checked, Connect, ConnectError, Plugin, Target},
    framework::{Call, Change, Element, Failure, Unknown},
    governance::{
        check_connector::{ConnectorRequest, check_connector, check_connector_end},
        connector::{ConnectorName, Settings, client_of_login, is_governed, is_named, is_reference},
        violation::{Refusal, Violation},
    },
    provider::{Environment, Governance},
    resources::governed::{governance, tell},
};

/// How long a plan waits for workers, who tell its reader something and do nothing.
const DRY_RUN: Duration = Duration::from_secs(30);

/// Tells what the rules of the environment say against a connector, and answers whether it may be.
pub(super) async fn judge(
    environment: &Environment,
    change: &Change<ConnectorModel>,
    plan: &ConnectorModel,
    call: &mut Call,
) -> Result<bool, Failure> {
    let Some(governance) = governance(environment, call).await? else { return Ok(true) };
    let Governance { governed, snapshot } = &governance;
    let prior = change.prior.as_ref().filter(|_| !change.replacing);
    let kept = prior.and_then(|prior| Kept::of(prior, plan, call));
    let kept_keys = kept.iter().flat_map(|it| &it.keys);
    let mut secret = change.config.as_ref().map(ConnectorModel::secret_keys).unwrap_or_default();
    secret.extend(kept_keys.clone().filter(|it| plan.value(it).is_none()).cloned());
    let is_sink = is_sink(environment, plan, call).await;
    if change.config.as_ref().is_some_and(|it| it.config_wo.known().is_err()) {
        // Any key may be in it.
        return Err(Unknown.into());
    }
    let mut wanted = plan.request(&secret, is_sink)?;
    let declared = change.config.as_ref().map(ConnectorModel::secret_logins).unwrap_or_default();
    let logins = match &kept {
        Some(it) => it.logins(change.config.as_ref(), &declared),
        None => declared,
    };
    wanted.settings.logins.extend(logins.clone());
    wanted.settings.later.extend(change.config.iter().flat_map(ConnectorModel::later_logins));
    let before = match prior {
        Some(prior) => {
            wanted.starts = plan.starts(prior);
            let mut before = prior.request(&secret, is_sink)?;
            before.settings.hidden = kept_keys.filter(|it| is_governed(it)).cloned().collect();
            if kept.is_some() {
                before.settings.logins.extend(logins);
            }
            Some(before)
        }
        None => None,
    };
    let role = governed.caller().role(&snapshot.state);
    let violations = check_connector(&snapshot.state, &role, &wanted, before.as_ref());
    tell(&violations, call.phase, call);
    let is_permitted = !violations.iter().any(Violation::forbids);
    if is_permitted {
        leave::hold(environment, &governance, change, plan, call).await?;
    }
    Ok(is_permitted)
}

/// What workers have that is in no state, and keep through a change: with the same version, nothing else is sent, whatever
/// `config_wo` says by then.
struct Kept {
    /// The keys.
    keys: BTreeSet<String>,
    /// As whom their clients log in.
    users: BTreeMap<String, String>,
}

impl Kept {
    /// `None` where `config_wo` is sent.
    fn of(prior: &ConnectorModel, plan: &ConnectorModel, call: &Call) -> Option<Self> {
        let is_same = prior.config_wo_version == plan.config_wo_version;
        let keys = || remembered(&call.private, SECRETS).unwrap_or_default();
        is_same.then(|| Self { keys: keys(), users: remembered_logins(&call.private) })
    }

    /// The logins that are secret, as far as they are known: what workers have, and a configuration does not contradict.
    fn logins(&self, config: Option<&ConnectorModel>, declared: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let keys = config.map(ConnectorModel::secret_keys).unwrap_or_default();
        let is_declared = |client: &str| keys.iter().any(|it| client_of_login(it) == Some(client));
        let is_true = |(client, user): &(&String, &String)| !is_declared(client) || declared.get(*client) == Some(user);
        self.users.iter().filter(is_true).map(|(client, user)| (client.clone(), user.clone())).collect()
    }
}

/// Tells what the rules of the environment say against the end of a connector.
pub(super) async fn judge_end(
    environment: &Environment,
    prior: &ConnectorModel,
    call: &mut Call,
) -> Result<(), Failure> {
    let Some(governance) = governance(environment, call).await? else { return Ok(()) };
    let violations = against_owner(&governance, prior.name.value()?);
    tell(&violations, call.phase, call);
    if violations.iter().any(Violation::forbids) { Ok(()) } else { leave::hold_end(&governance, prior, call).await }
}

/// Refuses to read another application's connector into a state.
pub(super) async fn judge_import(
    environment: &Environment,
    name: &ConnectorName,
    call: &mut Call,
) -> Result<(), Failure> {
    let Some(governance) = governance(environment, call).await? else { return Ok(()) };
    let violations = against_owner(&governance, name);
    if violations.iter().any(Violation::forbids) { Err(Refusal(violations).into()) } else { Ok(()) }
}

/// What speaks against whoever is about to end a connector, or to see all of it.
fn against_owner(Governance { governed, snapshot }: &Governance, name: &ConnectorName) -> Vec<Violation> {
    check_connector_end(&snapshot.state, &governed.caller().role(&snapshot.state), name)
}

/// Whether the class reads topics, if the workers tell.
async fn is_sink(environment: &Environment, plan: &ConnectorModel, call: &Call) -> Option<bool> {
    let Some(Element::Known(class)) = plan.value("connector.class") else { return None };
    let (_, connect) = environment.connect(plan.connect.known().ok()?.map(String::as_str)).ok()?;
    let deadline = call.deadline.min(Instant::now() + DRY_RUN);
    let plugins = connect.plugins(deadline).await.ok()?;
    plugins.iter().find(|it| is_named(&it.class, class)).map(|it| it.kind == "sink")
}

impl ConnectorModel {
    /// Whether it begins to run, or goes on from elsewhere.
    fn starts(&self, prior: &Self) -> bool {
        let runs = |it: &Self| it.target() == Some(Target::Running);
        self.offsets != prior.offsets || (runs(self) && !runs(prior))
    }

    /// The clients whose login is secret and not known yet.
    fn later_logins(&self) -> Vec<String> {
        let unknown = self.config_wo.get().into_iter().flatten().filter(|(_, value)| **value == Element::Unknown);
        unknown.filter_map(|(key, _)| client_of_login(key)).map(str::to_owned).collect()
    }

    /// The users as whom clients log in whose login is secret, by the client.
    pub(super) fn secret_logins(&self) -> BTreeMap<String, String> {
        logins(self.config_wo.get().into_iter().flatten().filter_map(|(key, value)| match value {
            Element::Known(it) => Some((key.as_str(), it.expose())),
            Element::Unknown | Element::Null => None,
        }))
    }

    fn request(&self, secret: &BTreeSet<String>, is_sink: Option<bool>) -> Result<ConnectorRequest, Unknown> {
        let hidden = secret.iter().filter(|it| is_governed(it)).cloned().collect();
        let mut settings = Settings { others: secret.clone(), hidden, is_sink, ..Settings::default() };
        for (key, value) in self.config.known()?.into_iter().flatten() {
            match value {
                Element::Known(it) => drop(settings.values.insert(key.clone(), it.clone())),
                Element::Unknown => {
                    settings.others.insert(key.clone());
                    settings.later.extend(client_of_login(key).map(str::to_owned));
                }
                Element::Null => {}
            }
        }
        settings.logins = logins(settings.values.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        let application = self.application.known()?.map(|it| it.name.clone());
        Ok(ConnectorRequest { name: self.name.value()?.clone(), application, settings, starts: false })
    }
}

/// Asks the workers what they would say of a plan, without changing anything.
pub(super) async fn try_out(
    environment: &Environment,
    change: &Change<ConnectorModel>,
    plan: &ConnectorModel,
    call: &mut Call,
) -> Result<(), Failure> {
    let prior = change.prior.as_ref().filter(|_| !change.replacing);
    let Some(config) = change.config.as_ref().filter(|_| prior.is_none_or(|it| plan.is_configured_anew(it))) else {
        return Ok(());
    };
    let deadline = call.deadline.min(Instant::now() + DRY_RUN);
    let (_, connect) = environment.connect(plan.connect.known()?.map(String::as_str))?;
    // Brokers that do not answer turn no plan red.
    let cluster_id = environment.cluster_id(deadline).await.ok();
    let workers = cluster_id.map(|it| Workers::of_plan(environment, plan, it)).transpose()?;
    let trial = Trial { environment, workers, connect, name: plan.name.value()?, deadline };
    match trial.run(prior, plan, config, change.replacing, call).await {
        Err(Asked::Connect(error)) => call.report.push(told::not_asked(&error, plan.needs_plan_check())),
        Err(Asked::Failure(failure)) => return Err(failure),
        Ok(()) => {}
    }
    Ok(())
}

/// A plan that is held against workers.
struct Trial<'a> {
    environment: &'a Environment,
    workers: Option<Workers<'a>>,
    connect: &'a Connect,
    name: &'a ConnectorName,
    deadline: Instant,
}

/// Why a question was not answered.
enum Asked {
    Connect(ConnectError),
    Failure(Failure),
}

impl From<ConnectError> for Asked {
    fn from(it: ConnectError) -> Self {
        Self::Connect(it)
    }
}

impl From<Failure> for Asked {
    fn from(it: Failure) -> Self {
        Self::Failure(it)
    }
}

impl Trial<'_> {
    async fn run(
        &self,
        prior: Option<&ConnectorModel>,
        plan: &ConnectorModel,
        config: &ConnectorModel,
        replacing: bool,
        call: &mut Call,
    ) -> Result<(), Asked> {
        let found = self.connect.seen(self.name, self.deadline).await?;
        if let Some(workers) = &self.workers
            && let Some(misled) = workers.misled(self.deadline).await?
        {
            call.report.push(misled);
            return Ok(());
        }
        let wanted = Composed::of(prior, plan, config, found.as_ref().filter(|_| prior.is_some()), call)?;
        if let (Some(found), None, false) = (&found, prior, replacing) {
            let is_same = wanted.unknown.is_empty() && wanted.is_there(found, &BTreeSet::new());
            call.report.0.extend(told::existing_in_plan(self.name, is_same, plan.on_existing.get()));
        }
        tell_logins(&wanted, call);
        let Some(class) = wanted.class() else { return Ok(()) };
        let plugins = self.connect.plugins(self.deadline).await?;
        if !plugins.iter().any(|it| it.is_connector() && is_named(&it.class, class)) {
            let asked = plan.connect.get().map(String::as_str).unwrap_or_default();
            let version = wanted.values.get("connector.plugin.version").map(String::as_str);
            let here = (self.environment.name.as_str(), asked, self.connect.rest().url().to_string());
            call.report.push(told::not_installed(class, version, plugins, &here));
            return Ok(());
        }
        let mut values = wanted.values.clone();
        values.insert("name".to_owned(), self.name.to_string());
        match self.connect.validate(class, &values, self.deadline).await {
            Ok(checked) => tell_checked(&wanted, &checked, call),
            // What is not there yet may be all that they stumble over.
            Err(error) if wanted.is_partial() => call.report.push(told::not_asked(&error, false)),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// Whether what is secret in a value is a reference: all of it is one, or, of a login, which has more than a password, what
/// is secret in it.
pub(super) fn is_referred(value: &str) -> bool {
    const ASSIGNED: [&str; 2] = ["password=", "secret="];
    let lower = value.to_lowercase();
    let is_open = |word: &str| {
        lower
            .match_indices(word)
            .any(|(at, _)| !lower[at + word.len()..].trim_start_matches(['"', '\'', ' ']).starts_with("${"))
    };
    let is_login = ASSIGNED.iter().any(|it| lower.contains(it));
    let is_whole = value.starts_with("${") && value.find('}') == Some(value.len() - 1);
    is_reference(value) && if is_login { !ASSIGNED.into_iter().any(is_open) } else { is_whole }
}

/// What Kafka's clients call a password, but for certificates.
const PASSWORDS: [&str; 7] = [
    "sasl.jaas.config",
    "sasl.oauthbearer.assertion.private.key.passphrase",
    "sasl.oauthbearer.client.credentials.client.secret",
    "ssl.key.password",
    "ssl.keystore.key",
    "ssl.keystore.password",
    "ssl.truststore.password",
];

/// Tells of passwords of Kafka's clients that are in view, by their keys: a class that hands them on to clients of its own
/// does not say what they are.
fn tell_logins(wanted: &Composed, call: &mut Call) {
    let is_handed_on =
        |key: &str| PASSWORDS.iter().any(|it| key.strip_suffix(it).is_some_and(|before| before.ends_with('.')));
    let is_open = |key: &str, value: &str| {
        let has_password = !key.ends_with("sasl.jaas.config") || value.to_lowercase().contains("password");
        has_password && !value.is_empty() && !is_referred(value)
    };
    for (key, value) in wanted.values.iter().filter(|(key, _)| !wanted.secret.contains(*key) && is_handed_on(key)) {
        if is_open(key, value) {
            call.report.push(told::visible_secret(key));
        }
    }
}

/// Tells what the workers say of a configuration, without what is secret in it.
fn tell_checked(wanted: &Composed, checked: &[Checked], call: &mut Call) {
    for it in checked {
        let is_visible = !wanted.secret.contains(&it.key);
        let value = wanted.values.get(&it.key);
        // What is not known yet will be in the state as well.
        let is_open = wanted.unknown.contains(&it.key) || value.is_some_and(|it| !it.is_empty() && !is_referred(it));
        if it.is_password && is_visible && is_open {
            let told = told::visible_secret(&it.key);
            if !call.report.0.contains(&told) {
                call.report.push(told);
            }
            // What the workers say of it may have it.
            continue;
        }
        // What is not known yet is not missing.
        if wanted.unknown.contains(&it.key) || it.key == "name" {
            continue;
        }
        for error in &it.errors {
            let refused = told::refused(&it.key, &wanted.hide(error), wanted.secret.contains(&it.key));
            call.report.push(if wanted.is_partial() { told::refused_so_far(refused) } else { refused });
        }
    }
}

impl Plugin {
    /// Whether it is one that connectors are of.
    pub(super) fn is_connector(&self) -> bool {
        ["source", "sink"].contains(&self.kind.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::{Phase, Private, Severity};

    #[test]
    fn a_reference_beside_a_password_is_none_of_it() {
        let check = |value: &str, expected| assert_eq!(is_referred(value), expected, "{value}");
        check("${file:/x:y}", true);
        check("M required username=\"u\" password=\"${file:/x:y}\";", true);
        check("M required username=\"${env:A}\" password=\"hunter2\";", false);
        check("hunter2", false);
        check("hunter2${file:/x:y}", false);
        check("${file:/x:y}hunter2", false);
    }

    #[test]
    fn a_password_that_a_class_hands_on_is_told_once() {
        let check = |key: &str, value: &str, expected: usize| {
            let wanted = Composed { values: [(key.to_owned(), value.to_owned())].into(), ..Composed::default() };
            let mut call = Call::new(Phase::Plan, Private::default(), DRY_RUN);
            tell_logins(&wanted, &mut call);
            tell_checked(
                &wanted,
                &[Checked { key: key.to_owned(), is_password: 0 < expected, errors: vec![] }],
                &mut call,
            );
            assert_eq!(call.report.0.len(), expected, "{key} {:?}", call.report);
        };
        let login = "M required username=\"a\" password=\"hunter2\";";
        check("source.cluster.sasl.jaas.config", login, 1);
        check("source.cluster.sasl.jaas.config", "M required username=\"a\" password=\"${file:/x:y}\";", 0);
        check("source.cluster.sasl.jaas.config", "M required useKeyTab=true;", 0);
        check("target.cluster.ssl.keystore.password", "hunter2", 1);
        check("source.consumer.ssl.keystore.key", "-----BEGIN PRIVATE KEY-----", 1);
        check("a.sasl.oauthbearer.client.credentials.client.secret", "hunter2", 1);
        check("my-ssl.keystore.passwords", "x", 0);
    }

    #[test]
    fn a_password_that_is_not_known_yet_is_refused_as_well() {
        let key = || "user.password".to_owned();
        let checked = [Checked { key: key(), is_password: true, errors: vec![] }];
        let check = |wanted: &Composed, expected: usize| {
            let mut call = Call::new(Phase::Plan, Private::default(), DRY_RUN);
            tell_checked(wanted, &checked, &mut call);
            assert_eq!(call.report.0.len(), expected, "{:?}", call.report);
        };
        let unknown: BTreeSet<String> = [key()].into();
        check(&Composed { unknown: unknown.clone(), ..Composed::default() }, 1);
        check(&Composed { secret: unknown.clone(), unknown, ..Composed::default() }, 0);
        check(&Composed::default(), 0);
    }

    #[test]
    fn what_may_be_right_once_all_is_known_is_no_error() {
        let checked =
            [Checked { key: "topics.regex".to_owned(), is_password: false, errors: vec!["missing".to_owned()] }];
        let unknown: BTreeSet<String> = ["topics".to_owned()].into();
        for (wanted, expected) in [
            (Composed { unknown, ..Composed::default() }, Severity::Warning),
            (Composed { lacks_secrets: true, ..Composed::default() }, Severity::Warning),
            (Composed::default(), Severity::Error),
        ] {
            let mut call = Call::new(Phase::Plan, Private::default(), DRY_RUN);
            tell_checked(&wanted, &checked, &mut call);
            let told: Vec<_> = call.report.0.iter().map(|it| it.severity).collect();
            assert_eq!(told, [expected], "{wanted:?}");
        }
    }
}

//! Looking at a connector.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ADDED, ConnectorModel, FAILED, SECRETS,
    composing::{hide, is_the_workers, remember, remember_logins, remembered},
    judging::is_referred,
    placing::Workers,
    told,
};
use crate::{
    clients::connect::{Connect, ConnectError, Connector, RunState, Status, Target, is_masked},
    framework::{Call, Element, Failure},
    governance::{
        connector::{is_governed, is_named, is_reference},
        secret::{is_called_secret, looks_secret},
    },
};

/// What stands in the state for a key that somebody else set, whose value may be a secret.
const FOREIGN: &str = "(set outside)";

/// A connector of a state. `None` if it is gone.
pub(super) async fn refreshed(
    workers: Workers<'_>,
    mut state: ConnectorModel,
    call: &mut Call,
) -> Result<Option<ConnectorModel>, Failure> {
    let name = state.name.value()?.clone();
    let look = async || {
        let found = match workers.connect.seen(&name, call.deadline).await? {
            Some(it) => Some(it),
            None => workers.connect.unless_gone(&name, call.deadline).await?,
        };
        Ok::<_, ConnectError>((found, workers.misled(call.deadline).await?))
    };
    let found = match look().await {
        Ok((_, Some(misled))) => return Err(misled.into()),
        Ok((Some(it), None)) => it,
        Ok((None, None)) => return Ok(None),
        Err(error) if error.is_silence() && !state.needs_plan_check() => {
            call.report.push(told::not_refreshed(&name, &error));
            return Ok(Some(state));
        }
        Err(error) => return Err(error.into()),
    };
    let secrets = remembered(&call.private, SECRETS).unwrap_or_default();
    remember_logins(&mut call.private, &found.config, &secrets);
    let added = remembered(&call.private, ADDED);
    state.config = seen_config(&state, &found, &secrets, added.as_ref()).into();
    if let Some(lost) = secrets.iter().find(|it| !found.config.contains_key(*it)) {
        call.report.push(told::secret_lost(&name, lost));
        // So that the next apply sends it.
        state.config_wo_version = None.into();
    }
    if let Some(status) = &found.status {
        state = state.with_status(status);
        if state.status.get().is_some_and(|it| it == FAILED) {
            let status = status.with_traces(|it| hide(it, state.unshown(&found)));
            call.report.push(told::failed_since(&name, &status, state.waits()));
        }
    }
    Ok(Some(state))
}

/// What the state has of the configuration that was found: its own keys, each as it is now, and those that neither it nor the
/// workers put there.
fn seen_config(
    state: &ConnectorModel,
    found: &Connector,
    secrets: &BTreeSet<String>,
    added: Option<&BTreeSet<String>>,
) -> BTreeMap<String, Element<String>> {
    let mut res = BTreeMap::new();
    for (key, value) in state.config.get().into_iter().flatten() {
        match (value, found.config.get(key)) {
            (Element::Null, None) => drop(res.insert(key.clone(), Element::Null)),
            // Nobody here knows it, and nobody who stored a reference wants to store a secret.
            (Element::Known(stored), Some(now)) if stored == FOREIGN || is_reference(stored) && stored != now => {
                drop(res.insert(key.clone(), Element::Known(FOREIGN.to_owned())));
            }
            (_, Some(now)) if is_masked(now) => drop(res.insert(key.clone(), value.clone())),
            (_, Some(now)) => drop(res.insert(key.clone(), Element::Known(now.clone()))),
            (_, None) => {}
        }
    }
    // Before the first apply, nobody knows which of them the workers add.
    let Some(added) = added else { return res };
    for key in found.config.keys() {
        if !res.contains_key(key) && !is_the_workers(key) && !secrets.contains(key) && !added.contains(key) {
            res.insert(key.clone(), Element::Known(FOREIGN.to_owned()));
        }
    }
    res
}

/// A connector that is imported: all of its configuration but what is secret.
pub(super) async fn imported(
    workers: Workers<'_>,
    mut state: ConnectorModel,
    call: &mut Call,
) -> Result<Option<ConnectorModel>, Failure> {
    let (connect, name) = (workers.connect, state.name.value()?.clone());
    workers.expect_home(call.deadline).await?;
    let Some(found) = connect.connector(&name, call.deadline).await? else { return Ok(None) };
    let Some(passwords) = passwords(connect, &found, call).await? else {
        // What of it is secret is anybody's guess.
        call.report.push(told::imported_without_config(&name));
        let visible = found.config.get("connector.class").map(|it| Element::Known(it.clone()));
        state.config =
            visible.into_iter().map(|it| ("connector.class".to_owned(), it)).collect::<BTreeMap<_, _>>().into();
        return Ok(Some(state.with_seen(&found)));
    };
    // A class may call a text what is a secret.
    let may_be = |key: &str, value: &str| {
        passwords.contains(key) || !is_governed(key) && (is_called_secret(key) || looks_secret(value))
    };
    let is_secret = |key: &str, value: &str| is_masked(value) || may_be(key, value) && !is_referred(value);
    let (mut config, mut secrets) = (BTreeMap::new(), BTreeSet::new());
    for (key, value) in &found.config {
        if is_secret(key, value) {
            secrets.insert(key.clone());
        } else if !is_the_workers(key) {
            config.insert(key.clone(), Element::Known(value.clone()));
        }
    }
    remember_logins(&mut call.private, &found.config, &secrets);
    remember(&mut call.private, SECRETS, secrets);
    state.config = config.into();
    Ok(Some(state.with_seen(&found)))
}

/// The keys that hold passwords, by the class; `None` where the workers do not know it.
async fn passwords(connect: &Connect, found: &Connector, call: &Call) -> Result<Option<BTreeSet<String>>, Failure> {
    let Some(class) = found.config.get("connector.class") else { return Ok(None) };
    if !connect.plugins(call.deadline).await?.iter().any(|it| is_named(&it.class, class)) {
        return Ok(None);
    }
    let keys = connect.validate(class, &found.config, call.deadline).await?;
    Ok(Some(keys.into_iter().filter(|it| it.is_password).map(|it| it.key).collect()))
}

/// The word for how a connector is: its own state, unless part of it gave up. `None` where it is between two.
pub(crate) fn word(status: &Status) -> Option<String> {
    let is_failed = status.state == RunState::Failed || status.tasks.iter().any(|it| it.state == RunState::Failed);
    match status.state {
        _ if is_failed => Some(FAILED.to_owned()),
        RunState::Between => None,
        state => Some(state.to_string()),
    }
}

impl ConnectorModel {
    /// The values that workers have and the state does not show.
    fn unshown<'a>(&self, found: &'a Connector) -> impl Iterator<Item = &'a str> {
        let is_shown = |key: &str, now: &str| matches!(self.value(key), Some(Element::Known(it)) if it == now);
        let unshown = found.config.iter().filter(move |(key, now)| !is_shown(key, now) && !is_the_workers(key));
        unshown.map(|(_, now)| now.as_str())
    }

    fn with_seen(self, found: &Connector) -> Self {
        match &found.status {
            Some(it) => self.with_status(it),
            None => self,
        }
    }

    /// The same, as it is now. What an operator told it to be is drift only where the configuration says otherwise.
    pub(super) fn with_status(mut self, status: &Status) -> Self {
        if let Some(it) = word(status) {
            self.status = it.into();
        }
        let is = match status.state {
            RunState::Running | RunState::Failed => Target::Running,
            RunState::Paused => Target::Paused,
            RunState::Stopped => Target::Stopped,
            RunState::Between => return self,
        };
        if !self.state.is_null() {
            self.state = Some(is).into();
        }
        self
    }
}

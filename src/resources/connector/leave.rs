//! Changes of a connector that the platform must agree to: of what it is configured as and goes on from, and its end.
//!
//! What it is told to be, such as `stopped`, is its operators' to say at any time.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::ConnectorModel;
use crate::{
    framework::{Call, Change, Failure, Phase, Unknown},
    governance::{
        connector::{ConnectorName, is_governed},
        leave::change_of,
        request::{Change as Wanted, ChangeKind, Verb},
    },
    provider::{Environment, Governance},
    resources::{
        application::OnExisting,
        leave::{expect_leave, is_watched},
    },
};

/// Tells of a change that needs leave; in apply, files the request for it and refuses it until that is approved.
pub(super) async fn hold(
    environment: &Environment,
    governance: &Governance,
    change: &Change<ConnectorModel>,
    plan: &ConnectorModel,
    call: &mut Call,
) -> Result<(), Failure> {
    let Some(config) = &change.config else { return Ok(()) };
    let is_watched = is_watched(governance, ChangeKind::Connector);
    let verb = match change.prior.as_ref().filter(|_| !change.replacing) {
        None if is_watched && adopts_existing(environment, plan, call).await? => Verb::Update,
        None => Verb::Create,
        Some(prior) if plan.is_configured_anew(prior) || plan.offsets != prior.offsets => Verb::Update,
        Some(_) => return Ok(()),
    };
    match whole(plan, config) {
        Ok(whole) => expect_leave(governance, &wanted(plan.name.value()?, verb, &whole), call).await,
        // What it is made of is made in the same run: the apply knows.
        Err(Unknown) => Ok(()),
    }
}

/// The same of the end of a connector.
pub(super) async fn hold_end(governance: &Governance, prior: &ConnectorModel, call: &mut Call) -> Result<(), Failure> {
    // Of what is there: the end of a connector that is made again otherwise is another one.
    let whole = json!([prior.connect.known()?, visible(prior)?, prior.config_wo_version.known()?]).to_string();
    expect_leave(governance, &wanted(prior.name.value()?, Verb::Delete, &whole), call).await
}

fn wanted(name: &ConnectorName, verb: Verb, whole: &str) -> Wanted {
    change_of(ChangeKind::Connector, name.to_string(), verb, whole)
}

/// Whether what is new to the state is there already and is changed, so that an update is no create because a state forgot
/// the connector.
async fn adopts_existing(environment: &Environment, plan: &ConnectorModel, call: &Call) -> Result<bool, Failure> {
    if plan.on_existing.get() != Some(&OnExisting::Adopt) {
        return Ok(false);
    }
    let (_, connect) = environment.connect(plan.connect.known()?.map(String::as_str))?;
    match connect.seen(plan.name.value()?, call.deadline).await {
        Ok(found) => Ok(found.is_some()),
        // A plan says so where it is tried on the workers.
        Err(_) if call.phase == Phase::Plan => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// All that is agreed to. Of what is secret, that is which keys there are, their version, and what rules are about: a digest
/// of a password would have it guessed.
fn whole(plan: &ConnectorModel, config: &ConnectorModel) -> Result<String, Unknown> {
    let mut hidden: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for (key, value) in config.config_wo.known()?.into_iter().flatten() {
        hidden.extend(value.known()?.map(|it| (key.as_str(), is_governed(key).then(|| it.expose()))));
    }
    let offsets = match plan.offsets.known()? {
        Some(it) => it.model.whole()?,
        None => Json::Null,
    };
    let secret = json!([hidden, config.secret_logins(), plan.config_wo_version.known()?]);
    Ok(json!([plan.connect.known()?, visible(plan)?, secret, offsets]).to_string())
}

fn visible(model: &ConnectorModel) -> Result<BTreeMap<&str, &str>, Unknown> {
    let mut res = BTreeMap::new();
    for (key, value) in model.config.known()?.into_iter().flatten() {
        res.extend(value.known()?.map(|it| (key.as_str(), it.as_str())));
    }
    Ok(res)
}

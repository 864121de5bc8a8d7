//! Changes of a subject that the platform must agree to.
//!
//! A version that waits could not be told by a state, since what refers to it needs its number: an apply ends with an error.

use serde_json::json;

use super::{BodyChange, SchemaModel, SubjectEnd, comparing};
use crate::{
    clients::registry::Version,
    framework::{Call, Change, Failure, Phase, Unknown},
    governance::{
        leave::change_of,
        request::{Change as Wanted, ChangeKind, Verb},
        subject::SubjectName,
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
    change: &Change<SchemaModel>,
    plan: &SchemaModel,
    call: &mut Call,
) -> Result<(), Failure> {
    let prior = change.prior.as_ref().filter(|_| !change.replacing);
    let verb = match prior {
        None if is_watched(governance, ChangeKind::Schema) && changes_existing(environment, plan, call).await? => {
            Verb::Update
        }
        None => Verb::Create,
        Some(prior) if is_changed(prior, plan) => Verb::Update,
        Some(_) => return Ok(()),
    };
    match whole(plan) {
        Ok(whole) => expect_leave(governance, &wanted(plan.subject.value()?, verb, &whole), call).await,
        // What it refers to is made in the same run: the apply knows.
        Err(Unknown) => Ok(()),
    }
}

/// The same of the end of a subject.
pub(super) async fn hold_end(governance: &Governance, prior: &SchemaModel, call: &mut Call) -> Result<(), Failure> {
    let how = if prior.on_destroy.get() == Some(&SubjectEnd::Hard) { "hard" } else { "soft" };
    // Of what is there: the end of a subject that is made again is another one.
    let whole = json!([how, prior.version.get(), prior.schema_id.get()]).to_string();
    expect_leave(governance, &wanted(prior.subject.value()?, Verb::Delete, &whole), call).await
}

fn wanted(subject: &SubjectName, verb: Verb, whole: &str) -> Wanted {
    change_of(ChangeKind::Schema, subject.to_string(), verb, whole)
}

/// Whether what is new to the state is there already and is changed, so that an update is no create because a state forgot
/// the subject.
async fn changes_existing(environment: &Environment, plan: &SchemaModel, call: &Call) -> Result<bool, Failure> {
    let changes =
        plan.on_existing.get() == Some(&OnExisting::Adopt) || !plan.compatibility.is_null() || !plan.mode.is_null();
    if !changes {
        return Ok(false);
    }
    match environment.registry()?.version(plan.subject.value()?, Version::Latest, call.deadline).await {
        Ok(found) => Ok(found.is_some()),
        // A plan says so where it is tried on the registry.
        Err(_) if call.phase == Phase::Plan => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn is_changed(prior: &SchemaModel, plan: &SchemaModel) -> bool {
    let settings = |it: &SchemaModel| (it.compatibility.clone(), it.mode.clone());
    comparing::change(prior, plan) != BodyChange::None || settings(prior) != settings(plan)
}

/// All that is agreed to.
fn whole(plan: &SchemaModel) -> Result<String, Unknown> {
    let body = plan.body()?;
    let settings = json!([plan.compatibility.known()?, plan.mode.known()?, plan.normalizes()]);
    Ok(json!([body.format, body.schema, body.references, settings]).to_string())
}

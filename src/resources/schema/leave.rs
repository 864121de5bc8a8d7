//! Changes of a subject that the platform must agree to.
//!
//! The apply that needs leave files a request and ends with an error, and the subject stays as it is; the first apply after
//! the approval makes the change. A version that waits could not be told by a state: what refers to it needs its number.

use serde_json::json;

use super::{BodyChange, SchemaModel, SubjectEnd, comparing, told};
use crate::{
    clients::{clock::now, registry::Version},
    framework::{Call, Change, Failure, Phase, Unknown},
    governance::{
        command::{ChangeUse, Command, Role},
        request::{Change as Wanted, ChangeKind, Verb},
        schema_change::{change_of, not_agreed, uses_approval},
    },
    provider::{Environment, Governance},
    resources::{application::OnExisting, letters::ask},
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
        None if is_watched(governance) && changes_existing(environment, plan, call).await? => Verb::Update,
        None => Verb::Create,
        Some(prior) if is_changed(prior, plan) => Verb::Update,
        Some(_) => return Ok(()),
    };
    match whole(plan) {
        Ok(whole) => agreed(governance, &change_of(plan.subject.value()?, verb, &whole), call).await,
        // What it refers to is made in the same run: the apply knows.
        Err(Unknown) => Ok(()),
    }
}

/// The same of the end of a subject.
pub(super) async fn hold_end(governance: &Governance, prior: &SchemaModel, call: &mut Call) -> Result<(), Failure> {
    let how = if prior.on_destroy.get() == Some(&SubjectEnd::Hard) { "hard" } else { "soft" };
    // Of what is there: the end of a subject that is made again is another one.
    let whole = json!([how, prior.version.get(), prior.schema_id.get()]).to_string();
    agreed(governance, &change_of(prior.subject.value()?, Verb::Delete, &whole), call).await
}

async fn agreed(governance: &Governance, wanted: &Wanted, call: &mut Call) -> Result<(), Failure> {
    let Governance { governed, snapshot } = governance;
    let state = &snapshot.state;
    let role = governed.caller().role(state);
    match not_agreed(state, &role, wanted, now()) {
        Some(it) if call.phase == Phase::Plan => {
            call.report.push(told::needs_leave(wanted, &it));
            Ok(())
        }
        Some(it) => {
            ask(governed, state, Command::FileRequest(Box::new(it.filing.clone())), call).await?;
            Err(told::waits_for_leave(wanted, &it).into())
        }
        None => {
            let is_used = call.phase == Phase::Apply && governed.mailbox(state).is_none();
            if let (Role::Application(application), Some(_)) = (&role, uses_approval(state, &role, wanted))
                && is_used
            {
                let used = ChangeUse { application: application.clone(), change: wanted.clone() };
                governed.command(Command::UseChange(Box::new(used)), call.deadline).await?;
            }
            Ok(())
        }
    }
}

fn is_watched(Governance { snapshot, .. }: &Governance) -> bool {
    snapshot.state.policy().is_some_and(|it| it.approval.changes.contains_key(&ChangeKind::Schema))
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

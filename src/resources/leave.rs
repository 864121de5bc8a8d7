//! Changes that the platform must agree to and that whoever asks makes.
//!
//! The apply that needs leave files a request and ends with an error, and what is there stays as it is; the first apply after
//! the approval makes the change.

use super::letters::ask;
use crate::{
    clients::clock::now,
    framework::{Call, Diagnostic, Failure, Phase},
    governance::{
        command::{ChangeUse, Command, Role},
        leave::{NotAgreed, not_agreed, uses_approval},
        request::{Change, ChangeKind, RequestStatus, Verb},
    },
    provider::Governance,
};

/// Tells of a change that needs leave; in apply, files the request for it and refuses it until that is approved.
pub(super) async fn expect_leave(governance: &Governance, wanted: &Change, call: &mut Call) -> Result<(), Failure> {
    let Governance { governed, snapshot } = governance;
    let state = &snapshot.state;
    let role = governed.caller().role(state);
    match not_agreed(state, &role, wanted, now()) {
        Some(it) if call.phase == Phase::Plan => {
            call.report.push(needs_leave(wanted, &it));
            Ok(())
        }
        Some(it) => {
            ask(governed, state, Command::FileRequest(Box::new(it.filing.clone())), call).await?;
            Err(waits_for_leave(wanted, &it).into())
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

/// Whether the platform must agree to anything that is done to things of a kind.
pub(super) fn is_watched(Governance { snapshot, .. }: &Governance, kind: ChangeKind) -> bool {
    snapshot.state.policy().is_some_and(|it| it.approval.changes.contains_key(&kind))
}

/// What is done, for the middle of a sentence.
fn done(change: &Change) -> &'static str {
    match (change.verb, change.kind) {
        (Verb::Create, ChangeKind::Schema) => "registered",
        (Verb::Create, ChangeKind::Topic | ChangeKind::Connector) => "created",
        (Verb::Update, _) => "changed so",
        (Verb::Delete, _) => "deleted",
    }
}

fn needs_leave(change: &Change, it: &NotAgreed) -> Diagnostic {
    let (name, done, id) = (&change.name, done(change), &it.filing.id);
    let what = match it.filed {
        None => format!(
            "The apply files the request `{id}` for that and ends with an error; apply again once the platform approved it \
             with a `kafka_access_decision`."
        ),
        Some(RequestStatus::Rejected) => format!(
            "The request `{id}` for that was rejected. Declare it otherwise, which asks again, or have the platform approve \
             it after all."
        ),
        Some(status) => {
            format!("The request `{id}` for that is `{status}`: apply again once the platform approved it.")
        }
    };
    let detail = format!("The environment has the platform agree before `{name}` is {done}.\n\n{what}");
    Diagnostic::warning("Change needs approval", detail)
}

fn waits_for_leave(change: &Change, it: &NotAgreed) -> Diagnostic {
    let (name, done, id) = (&change.name, done(change), &it.filing.id);
    let (summary, detail) = match it.filed {
        Some(RequestStatus::Rejected) => (
            "Change rejected",
            format!(
                "`{name}` is not {done}: the platform rejected the request `{id}` for that.\n\nDeclare it otherwise, which \
                 asks again, or have the platform approve it after all and apply again."
            ),
        ),
        _ => (
            "Change waits for approval",
            format!(
                "`{name}` is not {done}: the request `{id}` for that waits for the platform.\n\nApply again when it is \
                 approved with a `kafka_access_decision`."
            ),
        ),
    };
    Diagnostic::error(summary, detail)
}

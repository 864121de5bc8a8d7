//! Decides: from what is known, who asks, what is asked and the time, to events or to every reason against it.
//!
//! No event means that there is nothing to do: what is asked has come true already. Who may ask what is one table
//! ([`right`]), printed as `decisions.txt`. What the events announce is done by whoever asked, and said with the next
//! command.

mod adoption;
mod application;
mod binding;
mod change;
mod decision;
mod declaration;
mod draft;
mod environment;
pub(in crate::governance) mod grant;
mod open_mode;
mod outdated;
mod ownership;
mod provisioning;
pub(in crate::governance) mod request;
mod topic;
mod transfer;

use crate::governance::{
    check_topic::{TopicRequest, leave},
    command::{Actor, Command, CommandKind, Role},
    kind::Kind,
    names::ApplicationName,
    record::{Event, Timestamp},
    request::RequestId,
    state::State,
    topic::TopicName,
    violation::{At, Refusal, Violation, Weight},
};
pub use decision::stale;
pub use environment::{TopicConfigs, broken_by, owned_topics};
pub use grant::{Due, due, needs_granting};
pub use provisioning::needs_provisioning;

use draft::Draft;

/// What becomes of a command.
///
/// # Errors
/// Everything that speaks against it.
pub fn decide(state: &State, actor: &Actor, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    allowed(state, &actor.role, command)?;
    let mut draft = Draft::new(state, actor, now);
    match command {
        Command::DeclareEnvironment(it) => environment::declare(&mut draft, it),
        Command::ChangeEnvironment(it) => environment::change(&mut draft, it),
        Command::DestroyEnvironment(()) => environment::destroy(&mut draft),
        Command::MarkEnforcement(it) => environment::probed(&mut draft, *it),
        Command::DeclareApplication(it) => application::declare(&mut draft, it),
        Command::ChangeApplication(it) => application::change(&mut draft, it),
        Command::OfferTransfer(it) => transfer::offer(&mut draft, it),
        Command::ConfirmTransfer(it) => transfer::confirm(&mut draft, it),
        Command::DeleteApplication(it) => application::delete(&mut draft, it),
        Command::StartProvisioning(it) => provisioning::start(&mut draft, it),
        Command::FinishProvisioning(it) => provisioning::finish(&mut draft, it),
        Command::FailProvisioning(it) => provisioning::fail(&mut draft, it),
        Command::FinishDeletion(it) => provisioning::finish_deletion(&mut draft, it),
        Command::HoldBindings(it) => binding::hold(&mut draft, it),
        Command::ReleaseBindings(it) => binding::release(&mut draft, it),
        Command::MarkBindings(it) => {
            binding::mark(&mut draft, it);
            Ok(())
        }
        Command::CloseRemovals(it) => {
            binding::close(&mut draft, it);
            Ok(())
        }
        Command::MarkQuotas(it) => {
            binding::mark_quotas(&mut draft, it);
            Ok(())
        }
        Command::ReserveTopic(it) => topic::reserve(&mut draft, it),
        Command::AskTopic(it) => topic::ask(&mut draft, it),
        Command::MarkTopicCreated(it) => topic::created(&mut draft, it),
        Command::RefuseTopic(it) => {
            topic::refuse(&mut draft, it);
            Ok(())
        }
        Command::ChangeTopic(it) => topic::change(&mut draft, it),
        Command::DeleteTopic(it) => topic::delete(&mut draft, it),
        Command::MarkTopicDeleted(it) => {
            topic::deleted(&mut draft, it);
            Ok(())
        }
        Command::FileRequest(it) => request::file(&mut draft, it),
        Command::WithdrawRequest(it) => {
            request::withdraw(&mut draft, it);
            Ok(())
        }
        Command::DecideRequest(it) => decision::decide(&mut draft, it),
        Command::RetractDecision(it) => decision::retract(&mut draft, it),
        Command::StartGrant(it) => grant::start(&mut draft, it),
        Command::FinishGrant(it) => grant::finish(&mut draft, it),
        Command::FailGrant(it) => grant::fail(&mut draft, it),
        Command::RevokeGrant(it) => grant::revoke(&mut draft, it),
        Command::ExpireRequest(it) => grant::expire(&mut draft, it),
        Command::FinishRevocation(it) => grant::finish_revocation(&mut draft, it),
        Command::UseChange(it) => change::make_use(&mut draft, it),
        Command::EndTrial(it) => ownership::end_trial(&mut draft, it),
        Command::Heartbeat(()) => {
            environment::reconciled(&mut draft);
            Ok(())
        }
    }?;
    outdated::note(&mut draft, command);
    let events = draft.events(command.kind());
    if !events.is_empty() {
        outdated::refuse(state, actor, command)?;
    }
    Ok(events)
}

/// Who may ask something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// The platform alone.
    Platform,
    /// The platform, and the application that it is about.
    Owner,
    /// The same, and who has no application yet.
    Newcomer,
}

/// Who may ask a command of a kind.
pub const fn right(kind: CommandKind) -> Right {
    use CommandKind as K;
    match kind {
        K::DeclareEnvironment
        | K::ChangeEnvironment
        | K::DestroyEnvironment
        | K::MarkEnforcement
        | K::StartProvisioning
        | K::FinishProvisioning
        | K::FailProvisioning
        | K::FinishDeletion
        | K::MarkBindings
        | K::CloseRemovals
        | K::MarkQuotas
        | K::RefuseTopic
        | K::StartGrant
        | K::FinishGrant
        | K::FailGrant
        | K::ExpireRequest
        | K::FinishRevocation
        | K::EndTrial
        | K::Heartbeat => Right::Platform,
        K::ChangeApplication
        | K::OfferTransfer
        | K::ConfirmTransfer
        | K::DeleteApplication
        | K::HoldBindings
        | K::ReleaseBindings
        | K::ReserveTopic
        | K::AskTopic
        | K::MarkTopicCreated
        | K::ChangeTopic
        | K::DeleteTopic
        | K::MarkTopicDeleted
        | K::FileRequest
        | K::WithdrawRequest
        | K::DecideRequest
        | K::RetractDecision
        | K::RevokeGrant
        | K::UseChange => Right::Owner,
        K::DeclareApplication => Right::Newcomer,
    }
}

/// The application that a command is about, where the command itself says so. Topics are judged by their owner.
fn subject(state: &State, command: &Command) -> Option<ApplicationName> {
    match command {
        Command::DeclareApplication(it) | Command::ChangeApplication(it) => Some(it.spec.name.clone()),
        Command::OfferTransfer(it) => Some(it.application.clone()),
        Command::ConfirmTransfer(it) => Some(it.application.clone()),
        Command::DeleteApplication(it) | Command::FinishProvisioning(it) | Command::FinishDeletion(it) => {
            Some(it.clone())
        }
        Command::StartProvisioning(it) => Some(it.application.clone()),
        Command::FailProvisioning(it) => Some(it.application.clone()),
        Command::HoldBindings(it) | Command::ReleaseBindings(it) => {
            it.holder.declared_by().and_then(|it| it.parse().ok())
        }
        Command::ReserveTopic(it) | Command::ChangeTopic(it) => of_topic(state, it),
        Command::AskTopic(it) => of_topic(state, &it.topic),
        Command::DeleteTopic(it) => owner(state, &it.name),
        Command::MarkTopicDeleted(name) => owner(state, name),
        Command::MarkTopicCreated(it) => owner(state, &it.name),
        Command::RefuseTopic(it) => owner(state, &it.name),
        Command::FileRequest(it) => Some(it.applicant.clone()),
        Command::UseChange(it) => Some(it.application.clone()),
        Command::WithdrawRequest(id) => Some(id.applicant().clone()),
        Command::DecideRequest(it) => judge(state, &it.request),
        Command::RetractDecision(it) => judge(state, &it.request),
        Command::RevokeGrant(it) => judge(state, &it.request),
        Command::DeclareEnvironment(_)
        | Command::ChangeEnvironment(_)
        | Command::DestroyEnvironment(())
        | Command::MarkEnforcement(_)
        | Command::MarkBindings(_)
        | Command::CloseRemovals(_)
        | Command::MarkQuotas(_)
        | Command::StartGrant(_)
        | Command::FinishGrant(_)
        | Command::FailGrant(_)
        | Command::ExpireRequest(_)
        | Command::FinishRevocation(_)
        | Command::EndTrial(_)
        | Command::Heartbeat(()) => None,
    }
}

/// Whose a topic is to be: as it is said, or as its name says.
fn of_topic(state: &State, it: &TopicRequest) -> Option<ApplicationName> {
    let by_name = || state.owner_of(Kind::Topic, it.name.as_str()).map(|it| it.spec.name.clone());
    it.application.clone().or_else(by_name)
}

/// Whose a topic is: as it was said when its place was taken, or by its name if nobody ever did that.
fn owner(state: &State, name: &TopicName) -> Option<ApplicationName> {
    match state.topic(name) {
        Some(it) => it.application.clone(),
        None => state.owner_of(Kind::Topic, name.as_str()).map(|it| it.spec.name.clone()),
    }
}

/// Who decides a request besides the platform.
fn judge(state: &State, id: &RequestId) -> Option<ApplicationName> {
    state.request(id).and_then(|it| it.owner()).cloned()
}

/// Whether it takes back a decision about what an application handed over since, which changes nothing.
fn decided_once(state: &State, command: &Command, acting: &ApplicationName) -> bool {
    let Command::RetractDecision(it) = command else { return false };
    state.request(&it.request).is_some_and(|it| it.former_owners.iter().any(|it| it.name == *acting))
}

/// The request that must be there for a command to make sense.
fn asked_about(command: &Command) -> Option<&RequestId> {
    match command {
        Command::WithdrawRequest(it)
        | Command::FinishGrant(it)
        | Command::ExpireRequest(it)
        | Command::FinishRevocation(it) => Some(it),
        Command::DecideRequest(it) => Some(&it.request),
        Command::RetractDecision(it) => Some(&it.request),
        Command::StartGrant(it) => Some(&it.request),
        Command::FailGrant(it) => Some(&it.request),
        Command::RevokeGrant(it) => Some(&it.request),
        _ => None,
    }
}

fn allowed(state: &State, role: &Role, command: &Command) -> Result<(), Refusal> {
    if state.environment().is_none() && command.kind() != CommandKind::DeclareEnvironment {
        // An environment that ended is as one that never was, but for its own end, which may be asked for again.
        if *role == Role::Platform && command.kind() == CommandKind::DestroyEnvironment {
            return Ok(());
        }
        let what = "Nobody declared an environment on this cluster, or it ended.";
        return Err(Violation::new(At::all(), "No environment", what, "Declare it first.").into());
    }
    if let Some(id) = asked_about(command).filter(|it| state.request(it).is_none()) {
        return Err(request_unknown(id));
    }
    let subject = subject(state, command);
    let is_allowed = match (role, right(command.kind())) {
        (Role::Platform, _) | (Role::Nobody, Right::Newcomer) => true,
        (Role::Application(acting), Right::Owner | Right::Newcomer) => {
            subject.as_ref() == Some(acting) || decided_once(state, command, acting)
        }
        (Role::Application(_) | Role::Nobody, _) => false,
    };
    if is_allowed { Ok(()) } else { Err(forbidden(role, command, subject.as_ref()).into()) }
}

fn forbidden(role: &Role, command: &Command, subject: Option<&ApplicationName>) -> Violation {
    let who = match role {
        Role::Platform => "the platform".to_owned(),
        Role::Application(it) => format!("the application `{it}`"),
        Role::Nobody => "a principal that deploys no application, or none any more".to_owned(),
    };
    let is_owners = right(command.kind()) != Right::Platform;
    let (what, remedy) = match (object(command), subject) {
        (Object::Topic(name), Some(it)) if is_owners => (
            format!("The topic `{name}` is for the application `{it}` and the platform, and you act as {who}."),
            leave(&format!("Have the team of `{it}` do it.")),
        ),
        (Object::Topic(name), _) => (
            format!("No application owns the topic `{name}`, so that it is for the platform, and you act as {who}."),
            leave("Ask the platform."),
        ),
        (Object::Application(name), Some(_)) if is_owners => (
            format!("The application `{name}` is for its own team and the platform, and you act as {who}."),
            format!("Ask the platform, or the team of `{name}`."),
        ),
        (Object::Environment, _) => (
            format!("The environment is for the platform, and you act as {who}."),
            "Ask the platform, or unset `KAFKA_ACTING_APPLICATION` if you are the platform.".to_owned(),
        ),
        (Object::Other, Some(it)) if is_owners => (
            format!("This is for the application `{it}` and the platform, and you act as {who}."),
            format!("Ask the platform, or the team of `{it}`."),
        ),
        _ => (format!("This is for the platform, and you act as {who}."), "Ask the platform.".to_owned()),
    };
    Violation::new(At::all(), "Not yours to decide", what, remedy)
}

/// What a command is about, to name it.
enum Object<'a> {
    Topic(&'a TopicName),
    Application(&'a ApplicationName),
    Environment,
    Other,
}

fn object(command: &Command) -> Object<'_> {
    match command {
        Command::ReserveTopic(it) | Command::ChangeTopic(it) => Object::Topic(&it.name),
        Command::AskTopic(it) => Object::Topic(&it.topic.name),
        Command::MarkTopicCreated(it) => Object::Topic(&it.name),
        Command::RefuseTopic(it) => Object::Topic(&it.name),
        Command::DeleteTopic(it) => Object::Topic(&it.name),
        Command::MarkTopicDeleted(it) => Object::Topic(it),
        Command::DeclareApplication(it) | Command::ChangeApplication(it) => Object::Application(&it.spec.name),
        Command::DeleteApplication(it) => Object::Application(it),
        Command::OfferTransfer(it) => Object::Application(&it.application),
        Command::ConfirmTransfer(it) => Object::Application(&it.application),
        Command::DeclareEnvironment(_) | Command::ChangeEnvironment(_) | Command::DestroyEnvironment(()) => {
            Object::Environment
        }
        _ => Object::Other,
    }
}

/// The refusal for a request that is not there.
fn request_unknown(id: &RequestId) -> Refusal {
    let what = format!("The environment knows no request `{id}`.");
    let remedy = "Correct the id, or wait until the request is filed.";
    let told = Violation::new(At::attribute("request_id"), "Request unknown", what, remedy);
    told.weighing(Weight::Wait).into()
}

/// The refusal for an application that is not there.
fn no_application(name: &ApplicationName) -> Refusal {
    let what = format!("The environment has no application `{name}`.");
    Violation::new(At::attribute("name"), "Application missing", what, "Declare it first.").into()
}

#[cfg(test)]
pub(in crate::governance) mod fixtures;
#[cfg(test)]
mod model;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;

//! What the end of an application meets: its topics, and the application that is made in its place.

use std::time::Instant;

use super::{ApplicationModel, REPLACED};
use crate::{
    clients::{
        governed::{Governed, free_topics},
        kafka::KafkaError,
    },
    framework::{Call, Change, Diagnostic, Failure},
    governance::{
        command::Command,
        kind::Kind,
        names::ApplicationName,
        state::State,
        topic::TopicName,
        violation::{Refusal, listed},
    },
    resources::governed::{tell, untold},
};

/// The application that a replacement deletes, as the first plan of it told this one.
pub(super) fn replaced(change: &Change<ApplicationModel>, call: &Call) -> Option<ApplicationName> {
    call.private.text(REPLACED).filter(|_| change.replacing && change.prior.is_none())?.parse().ok()
}

/// Tells what the end of an application meets. A new name for one that owns topics is refused at once: no order of
/// deletions makes it come true with the topics kept.
pub(super) fn tell_end(
    governed: &Governed,
    state: &State,
    prior: &ApplicationModel,
    plan: Option<&ApplicationModel>,
    call: &mut Call,
) -> Result<(), Failure> {
    let name = prior.name.value()?;
    if state.application(name).is_none_or(|it| !it.status.holds_prefixes()) {
        // One that was asked for, or rejected, has nothing to lose.
        return Ok(());
    }
    let new = plan.and_then(|it| it.name.get()).filter(|it| *it != name);
    if let (Some(new), Some(owns)) = (new, owned(state, name)) {
        let detail = format!(
            "{owns} Another name makes another application, and this one cannot be deleted before its topics are.\n\n\
                 Keep the name. Or declare `{new}` besides it and transfer what it owns: write `transfer = {{ to = \
                 \"{new}\", prefixes = {{ … }} }}` in `{name}` and apply, then `take_over_from = [\"{name}\"]` in \
                 `{new}`; delete `{name}` at last."
        );
        call.report.push(Diagnostic::error("Application in use", detail).at("name"));
    } else if let Err(refusal) = governed.would(state, &Command::DeleteApplication(name.clone())) {
        tell(&refusal.0, call.phase, call);
    }
    Ok(())
}

/// Warns of topics that the end of an application would leave to nobody: the same run may delete them before.
pub(super) async fn tell_unknown(
    governed: &Governed,
    state: &State,
    prior: &ApplicationModel,
    call: &mut Call,
) -> Result<(), Failure> {
    match unknown_topics(governed, state, prior.name.value()?, call.deadline).await {
        Ok(Some(detail)) => call.report.push(Diagnostic::warning("Application in use", detail)),
        Ok(None) => {}
        // The deed asks again.
        Err(error) => call.report.push(untold(&error)),
    }
    Ok(())
}

/// Refuses the end of an application whose clients made topics that the journal does not know: nobody would own them.
pub(super) async fn refuse_unknown(
    governed: &Governed,
    state: &State,
    name: &ApplicationName,
    deadline: Instant,
) -> Result<(), Failure> {
    match unknown_topics(governed, state, name, deadline).await? {
        Some(detail) => Err(Diagnostic::error("Application in use", detail).into()),
        None => Ok(()),
    }
}

/// What to say of the topics under the prefixes of an application that the journal does not know, if there are any.
async fn unknown_topics(
    governed: &Governed,
    state: &State,
    name: &ApplicationName,
    deadline: Instant,
) -> Result<Option<String>, KafkaError> {
    let Some(it) = state.application(name).filter(|it| it.status.is_in_force()) else { return Ok(None) };
    let on_cluster = free_topics(state, &governed.kafka().topics(deadline).await?);
    let is_unknown = |it: &TopicName| state.topic(it).is_none_or(|it| !it.is_there());
    let unknown: Vec<TopicName> = on_cluster.into_iter().map(|it| it.name).filter(is_unknown).collect();
    let unknown: Vec<&TopicName> = unknown.iter().filter(|topic| it.spec.covers(Kind::Topic, topic.as_str())).collect();
    if unknown.is_empty() {
        return Ok(None);
    }
    let rest = if unknown.len() > 20 { format!(" and {} more", unknown.len() - 20) } else { String::new() };
    Ok(Some(format!(
        "The cluster has topics under the prefixes of the application `{name}` that no configuration has, such as those \
         that its clients made: {}{rest}. Nobody would own them.\n\nDelete them first, or import them and delete them then. \
         To keep them, offer the prefix to another application. Apply refuses until there are none.",
        listed(unknown.iter().take(20))
    )))
}

/// Tells what speaks against deleting an application and making this one in its place. Which of the two comes first is
/// not told to providers, so that what holds in one order alone is a warning.
pub(super) fn tell_replacement(
    state: &State,
    replaced: &ApplicationName,
    command: &Command,
    governed: &Governed,
    call: &mut Call,
) {
    if let Some(owns) = owned(state, replaced) {
        let detail = format!(
            "{owns} To replace it is to delete it, and it cannot be deleted before its topics are.\n\nPlan without \
             `-replace`, and without `replace_triggered_by`: an apply makes what is missing of an application's rights in \
             place."
        );
        call.report.push(Diagnostic::error("Application in use", detail));
        return;
    }
    let is_there = state.application(replaced).is_some_and(|it| it.status.holds_prefixes());
    let is_same = matches!(command, Command::DeclareApplication(it) if it.spec.name == *replaced);
    let Err(Refusal(violations)) = governed.would(state, command) else {
        if is_there && is_same {
            call.report.push(in_order(replaced, "It has the same name."));
        }
        return;
    };
    if is_there && let Some(first) = violations.first() {
        call.report.push(in_order(replaced, first.detail.split("\n\n").next().unwrap_or_default()));
    }
}

/// Refuses to make an application in the place of one that is still there: what is made now would be deleted next.
pub(super) fn refuse_before_end(
    state: &State,
    replaced: Option<&ApplicationName>,
    name: &ApplicationName,
) -> Result<(), Failure> {
    let there = replaced.filter(|it| *it == name).and_then(|it| state.application(it));
    if there.is_none_or(|it| !it.status.holds_prefixes()) {
        return Ok(());
    }
    let detail = format!(
        "`{name}` is to be replaced, and it is still there: with `create_before_destroy`, the deletion that follows would \
         be that of the new one.\n\nRemove `create_before_destroy`, also from what refers to the application, which \
         inherits it."
    );
    Err(Diagnostic::error("Application still there", detail).at("name").into())
}

/// A replacement that comes true only if the deletion comes first.
fn in_order(replaced: &ApplicationName, why: &str) -> Diagnostic {
    let detail = format!(
        "The new application is made when `{replaced}` is deleted, because both cannot be there: {why}\n\nWith \
         `create_before_destroy`, here or in what refers to the application, apply will refuse it. Nothing has the \
         rights between the two."
    );
    Diagnostic::warning("Application replaced", detail)
}

/// A sentence about the topics of an application, if it has any.
fn owned(state: &State, name: &ApplicationName) -> Option<String> {
    let topics: Vec<_> = state.topics_of(name).map(|(it, _)| it).take(20).collect();
    (!topics.is_empty()).then(|| format!("`{name}` owns topics: {}.", listed(topics)))
}

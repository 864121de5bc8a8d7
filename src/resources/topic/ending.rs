//! The end of a topic, and of what others were granted of it.

use super::{
    TopicModel,
    asking::{ask_end, end_if_agreed, withdraw},
    governed::ended,
    object, same_topic, told,
};
use crate::{
    framework::{Call, Diagnostic, Failure},
    governance::{
        command::{Command, TopicDeletion},
        topic::TopicName,
    },
    provider::{Context, Environment, Governance},
    resources::{governed::expect_governed, place::environment_of_state},
};

/// Deletes a topic, or asks for its end.
pub(super) async fn end(ctx: &Context, state: TopicModel, call: &mut Call) -> Result<(), Failure> {
    let (environment, _) = environment_of_state(ctx, &state, call.deadline).await?;
    expect_governed(call, environment).await?;
    let (kafka, name) = (environment.kafka()?, state.name.value()?);
    let revoke_grants = state.revoke_grants_on_delete.get() == Some(&true);
    let deletion = TopicDeletion { name: name.clone(), revoke_grants, ask: true };
    if let Some(Governance { governed, snapshot }) = environment.governance(call.deadline).await?
        && governed.only_asks(&snapshot.state)
    {
        return ask_end(&governed, deletion, call).await;
    }
    let Some(found) = kafka.describe_topic(name, call.deadline).await? else {
        withdraw(environment, name, call.deadline).await?;
        // The run that deleted it may have been killed before it said so.
        return ended(environment, Command::MarkTopicDeleted(name.clone()), call.deadline).await;
    };
    if environment.has_made(&object(name)) {
        let detail = format!(
            "`{name}` is the new topic by now: this run created it, or took it over because it was empty. With \
             `create_before_destroy`, a topic of the same name is not replaced."
        );
        call.report.push(Diagnostic::warning("Topic not deleted", detail));
        return Ok(());
    }
    same_topic(call, &found)?;
    end_if_agreed(environment, deletion, call.deadline).await?;
    revoke_granted(environment, name, call).await?;
    kafka.delete_topic(name, found.id.as_deref(), call.deadline).await?;
    ended(environment, Command::MarkTopicDeleted(name.clone()), call.deadline).await
}

/// Removes the rules of those who were granted access to the topic, before it is gone: a new one of its name is not theirs
/// to read. Who may not remove rules is told what is left.
async fn revoke_granted(environment: &Environment, name: &TopicName, call: &mut Call) -> Result<(), Failure> {
    let Some(Governance { governed, snapshot: _ }) = environment.governance(call.deadline).await? else {
        return Ok(());
    };
    let left = governed.revoke_on_topic(name, call.deadline).await?;
    if !left.is_empty() {
        call.report.push(told::access_left(name, &left));
    }
    Ok(())
}

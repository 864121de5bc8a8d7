//! Topics: their place is taken before they are made, and given back after they are gone, so that two plans cannot take
//! the same place and no run that is killed leaves a topic that nobody counts.

use super::{change, draft::Draft, ownership};
use crate::governance::{
    application::Application,
    check_topic::{TopicRequest, check_topic},
    command::{TopicDeletion, TopicFound},
    kind::Kind,
    owned_topic::{OwnedTopic, TopicStatus},
    request::{Change, ChangeKind, Verb},
    state::State,
    topic::TopicName,
    violation::{At, Refusal, Violation},
};

pub(super) fn reserve(draft: &mut Draft<'_>, request: &TopicRequest) -> Result<(), Refusal> {
    match draft.state.topic(&request.name) {
        Some(there) if there.status == TopicStatus::Deleting => Err(being_deleted(&request.name)),
        Some(there) if there.is_there() => alter(draft, request, there),
        Some(_) | None => {
            let mut wrong = check_topic(draft.state, &draft.actor.role, request, None);
            wrong.extend(ownership::left_behind(draft.state, request));
            Refusal::of(wrong)?;
            let owner = owner(draft.state, request);
            change::take(draft, owner, &asked(Verb::Create, request))?;
            draft.set_topic(
                request.name.clone(),
                OwnedTopic {
                    application: owner.map(|it| it.spec.name.clone()),
                    incarnation: owner.map_or(0, |it| it.incarnation),
                    partitions: request.partitions.unwrap_or(1),
                    replication_factor: request.replication_factor,
                    capacity: request.capacity,
                    status: TopicStatus::Reserved,
                    topic_id: None,
                    created_at: draft.now,
                    deleted_at: None,
                },
            );
            Ok(())
        }
    }
}

pub(super) fn change(draft: &mut Draft<'_>, request: &TopicRequest) -> Result<(), Refusal> {
    match draft.state.topic(&request.name) {
        Some(there) if there.status == TopicStatus::Deleting => Err(being_deleted(&request.name)),
        Some(there) if there.is_there() => alter(draft, request, there),
        Some(_) | None => Err(unknown(&request.name)),
    }
}

pub(super) fn created(draft: &mut Draft<'_>, it: &TopicFound) -> Result<(), Refusal> {
    let TopicFound { name, topic_id, partitions, replication_factor } = it;
    let there = draft.state.topic(name).filter(|it| it.is_there()).ok_or_else(|| unknown(name))?;
    if there.status == TopicStatus::Deleting {
        return Err(being_deleted(name));
    }
    let topic_id = topic_id.clone().or_else(|| there.topic_id.clone());
    draft.set_topic(
        name.clone(),
        OwnedTopic {
            partitions: partitions.unwrap_or(there.partitions),
            replication_factor: replication_factor.or(there.replication_factor),
            status: TopicStatus::Created,
            topic_id,
            ..there.clone()
        },
    );
    Ok(())
}

pub(super) fn delete(draft: &mut Draft<'_>, it: &TopicDeletion) -> Result<(), Refusal> {
    let name = &it.name;
    let Some(there) = draft.state.topic(name).filter(|it| it.is_there()) else { return Ok(()) };
    ownership::topic_deleted(draft, it)?;
    let owner = there.application.as_ref().and_then(|it| draft.state.application(it));
    change::take(draft, owner, &asked(Verb::Delete, &TopicRequest::new(name.clone())))?;
    draft.set_topic(name.clone(), OwnedTopic { status: TopicStatus::Deleting, ..there.clone() });
    Ok(())
}

pub(super) fn deleted(draft: &mut Draft<'_>, name: &TopicName) {
    if let Some(there) = draft.state.topic(name).filter(|it| it.is_there()) {
        let deleted_at = Some(draft.now);
        draft.set_topic(name.clone(), OwnedTopic { status: TopicStatus::Deleted, deleted_at, ..there.clone() });
    }
}

fn alter(draft: &mut Draft<'_>, request: &TopicRequest, there: &OwnedTopic) -> Result<(), Refusal> {
    let before = TopicRequest {
        name: request.name.clone(),
        application: there.application.clone(),
        partitions: Some(there.partitions),
        replication_factor: there.replication_factor,
        // What the configuration was is not kept here: what it violates is judged in the plan.
        config: request.config.clone(),
        capacity: there.capacity,
        ..TopicRequest::new(request.name.clone())
    };
    let request = TopicRequest {
        application: request.application.clone().or_else(|| there.application.clone()),
        replication_factor: request.replication_factor.or(there.replication_factor),
        partitions: request.partitions.or(Some(there.partitions)),
        ..request.clone()
    };
    let mut wrong = check_topic(draft.state, &draft.actor.role, &request, Some(&before));
    if request.application != there.application && !draft.is_platform() {
        let what = format!("The topic `{}` belongs to {}.", request.name, whose(there));
        let remedy = "Have its prefix offered, and take it.";
        wrong.push(Violation::new(At::attribute("application"), "Topic of another application", what, remedy));
    }
    Refusal::of(wrong)?;
    let owner = request.application.as_ref().and_then(|it| draft.state.application(it));
    let it = OwnedTopic {
        application: owner.map(|it| it.spec.name.clone()),
        incarnation: owner.map_or(0, |it| it.incarnation),
        partitions: request.partitions.unwrap_or(there.partitions),
        replication_factor: request.replication_factor,
        capacity: request.capacity,
        ..there.clone()
    };
    let asks_for = |it: &OwnedTopic| (it.partitions, it.replication_factor, it.capacity);
    if asks_for(&it) != asks_for(there) {
        change::take(draft, owner, &asked(Verb::Update, &request))?;
    }
    draft.set_topic(request.name, it);
    Ok(())
}

/// The change that somebody may have to agree to. The configuration is judged by the policy alone.
fn asked(verb: Verb, request: &TopicRequest) -> Change {
    Change {
        kind: ChangeKind::Topic,
        verb,
        name: request.name.to_string(),
        partitions: request.partitions,
        disk_bytes: request.capacity.disk_bytes,
        digest: String::new(),
    }
}

fn owner<'a>(state: &'a State, request: &TopicRequest) -> Option<&'a Application> {
    match &request.application {
        Some(name) => state.application(name),
        None => state.owner_of(Kind::Topic, request.name.as_str()),
    }
}

fn whose(it: &OwnedTopic) -> String {
    it.application.as_ref().map_or_else(|| "the platform".to_owned(), |it| format!("the application `{it}`"))
}

fn unknown(name: &TopicName) -> Refusal {
    let what = format!("The environment does not know the topic `{name}`.");
    let remedy = "Take its place first: that is how an existing topic gets an owner.";
    Violation::new(At::attribute("name"), "Topic unknown", what, remedy).into()
}

fn being_deleted(name: &TopicName) -> Refusal {
    let what = format!("The topic `{name}` is being deleted.");
    Violation::new(At::attribute("name"), "Topic being deleted", what, "Apply again when it is gone.").into()
}

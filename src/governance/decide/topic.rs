//! Topics: their place is taken before they are made, and given back after they are gone, so that two plans cannot take
//! the same place and no run that is killed leaves a topic that nobody counts.

use std::collections::BTreeSet;

use super::{change, draft::Draft, ownership};
use crate::governance::{
    application::Application,
    check_topic::{TopicRequest, check_topic},
    command::{TopicAsk, TopicDeletion, TopicFound, TopicRefusal},
    kind::Kind,
    owned_topic::{Asked, OwnedTopic, TopicStatus},
    request::{Change, ChangeKind, Verb},
    state::State,
    topic::TopicName,
    violation::{At, Refusal, Step, Violation},
};

/// Most letters of a reason that are kept: it is the cluster's, and may be of any length.
const LONGEST_REASON: usize = 1_000;

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
                    asked: None,
                    refused: None,
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

/// What is asked is judged as a whole, since nothing else judged it: of a topic that is there, what is to be set.
pub(super) fn ask(draft: &mut Draft<'_>, TopicAsk { topic, reset }: &TopicAsk) -> Result<(), Refusal> {
    let there = draft.state.topic(&topic.name).filter(|it| it.is_there());
    if let Some(there) = there {
        Refusal::of(set_anew(draft, topic, reset, there))?;
    }
    reserve(draft, topic)?;
    let Some(it) = draft.topic(&topic.name).cloned() else { return Ok(()) };
    let before = there.and_then(|it| it.asked.clone()).unwrap_or_default();
    let mut config = before.config;
    config.retain(|key, _| !reset.contains(key));
    config.extend(topic.config.clone());
    let mut resets = before.reset;
    resets.extend(reset.iter().cloned());
    resets.retain(|it| !config.contains_key(it));
    let asked = Asked {
        partitions: topic.partitions.or(before.partitions),
        replication_factor: topic.replication_factor.or(before.replication_factor),
        config,
        reset: resets,
    };
    draft.set_topic(topic.name.clone(), OwnedTopic { asked: Some(asked), refused: None, ..it });
    Ok(())
}

/// What speaks against the configuration that is to be set on a topic that is there. Keys that are neither set nor reset
/// are not told, and not missing.
fn set_anew(draft: &Draft<'_>, topic: &TopicRequest, reset: &BTreeSet<String>, there: &OwnedTopic) -> Vec<Violation> {
    let before = TopicRequest {
        application: there.application.clone(),
        partitions: Some(there.partitions),
        replication_factor: there.replication_factor,
        capacity: there.capacity,
        ..TopicRequest::new(topic.name.clone())
    };
    let mut res = check_topic(draft.state, &draft.actor.role, topic, Some(&before));
    res.retain(|it| match &it.at.0[..] {
        [Step::Attribute(config), Step::Key(key)] if config == "config" => {
            topic.config.contains_key(key) || reset.contains(key)
        }
        _ => false,
    });
    for it in &mut res {
        it.introduced = true;
    }
    res
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
            asked: None,
            refused: None,
            ..there.clone()
        },
    );
    Ok(())
}

/// What was tried and not taken is asked for no more, until somebody asks again. What was asked for since is not refused.
pub(super) fn refuse(draft: &mut Draft<'_>, it: &TopicRefusal) {
    let TopicRefusal { name, asked, reason, partitions, replication_factor } = it;
    let Some(there) = draft.state.topic(name).filter(|it| it.asked.as_ref() == Some(asked)) else { return };
    let refused = Some(reason.chars().take(LONGEST_REASON).collect());
    let there = OwnedTopic { asked: None, refused, ..there.clone() };
    let after = match there.status {
        TopicStatus::Reserved => OwnedTopic { status: TopicStatus::Deleted, deleted_at: Some(draft.now), ..there },
        TopicStatus::Created => OwnedTopic {
            partitions: partitions.unwrap_or(there.partitions),
            replication_factor: replication_factor.or(there.replication_factor),
            ..there
        },
        TopicStatus::Deleting | TopicStatus::Deleted => return,
    };
    draft.set_topic(name.clone(), after);
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

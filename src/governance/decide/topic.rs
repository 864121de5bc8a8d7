//! Topics: their place is taken before they are made, and given back after they are gone, so that two plans cannot take
//! the same place and no run that is killed leaves a topic that nobody counts.

use std::collections::BTreeSet;

use super::{change, draft::Draft, ownership};
use crate::governance::{
    application::Application,
    changes,
    check_topic::{TopicRequest, check_topic},
    command::{TopicAsk, TopicDeletion, TopicFound, TopicRefusal},
    kind::Kind,
    owned_topic::{Asked, OwnedTopic, TopicStatus},
    record::Timestamp,
    request::{Change, ChangeKind, Request, Verb, Wanted},
    state::State,
    topic::TopicName,
    violation::{At, Refusal, Step, Violation},
};

/// Most letters of a reason that are kept: it is the cluster's, and may be of any length.
const LONGEST_REASON: usize = 1_000;

pub(super) fn reserve(draft: &mut Draft<'_>, request: &TopicRequest) -> Result<(), Refusal> {
    let (it, change) = placed(draft, request)?;
    put(draft, request, it, change)
}

pub(super) fn change(draft: &mut Draft<'_>, request: &TopicRequest) -> Result<(), Refusal> {
    draft.state.topic(&request.name).filter(|it| it.is_there()).ok_or_else(|| unknown(&request.name))?;
    reserve(draft, request)
}

/// Keeps a topic as it is to be, if whoever must agree to that did.
fn put(draft: &mut Draft<'_>, of: &TopicRequest, it: OwnedTopic, change: Option<Change>) -> Result<(), Refusal> {
    let owner = it.application.as_ref().and_then(|it| draft.state.application(it));
    if let Some(change) = change {
        change::take(draft, owner, &change)?;
    }
    if let Some(owner) = owner.filter(|_| !draft.is_platform()) {
        change::let_go(draft, &owner.uid(), ChangeKind::Topic, of.name.as_str());
    }
    draft.set_topic(of.name.clone(), it);
    Ok(())
}

/// A topic as it is to be, and what of it may need somebody's leave.
fn placed(draft: &Draft<'_>, request: &TopicRequest) -> Result<(OwnedTopic, Option<Change>), Refusal> {
    match draft.state.topic(&request.name) {
        Some(there) if there.status == TopicStatus::Deleting => Err(being_deleted(&request.name)),
        Some(there) if there.is_there() => altered(draft, request, there),
        Some(_) | None => {
            let mut wrong = check_topic(draft.state, draft.role(), request, None);
            wrong.extend(ownership::left_behind(draft.state, request));
            Refusal::of(wrong)?;
            let owner = owner(draft.state, request);
            let it = OwnedTopic {
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
                said_at: None,
                deleted_at: None,
            };
            Ok((it, Some(asked(Verb::Create, request))))
        }
    }
}

/// What is asked is judged as a whole, since nothing else judged it: of a topic that is there, what is to be set. What
/// somebody must agree to is a request until they do.
pub(super) fn ask(draft: &mut Draft<'_>, it: &TopicAsk) -> Result<(), Refusal> {
    let TopicAsk { topic, reset } = it;
    let there = draft.state.topic(&topic.name).filter(|it| it.is_there());
    if let Some(there) = there {
        Refusal::of(set_anew(draft, topic, reset, there))?;
    }
    let (place, change) = placed(draft, topic)?;
    let asked = asked_then(there.and_then(|it| it.asked.clone()).unwrap_or_default(), it);
    let change = change.or_else(|| configured(it, &place, &asked));
    let owner = place.application.as_ref().and_then(|it| draft.state.application(it));
    if let (Some(owner), Some(change)) = (owner, &change)
        && change::is_to_be_asked(draft, Some(owner), change)
    {
        let topic = TopicRequest { left_behind: BTreeSet::new(), ..topic.clone() };
        let ask = Box::new(TopicAsk { topic, reset: reset.clone() });
        let topic_id = there.and_then(|it| it.topic_id.clone());
        return change::ask(draft, owner, change.clone(), Wanted::Topic { ask, topic_id });
    }
    let has_all = there.is_some_and(|it| it.status == TopicStatus::Created && it.asked.is_none() && has(it, &asked));
    put(draft, topic, OwnedTopic { asked: (!has_all).then_some(asked), refused: None, ..place }, None)
}

/// What is to be done to a topic, after what was to be done already.
fn asked_then(before: Asked, TopicAsk { topic, reset }: &TopicAsk) -> Asked {
    let mut config = before.config;
    config.retain(|key, _| !reset.contains(key));
    config.extend(topic.config.clone());
    let mut resets = before.reset;
    resets.extend(reset.iter().cloned());
    resets.retain(|it| !config.contains_key(it));
    Asked {
        partitions: topic.partitions.or(before.partitions),
        replication_factor: topic.replication_factor.or(before.replication_factor),
        config,
        reset: resets,
    }
}

/// Whether a topic has all that is asked, so that nothing is to be done.
fn has(there: &OwnedTopic, Asked { partitions, replication_factor, config, reset }: &Asked) -> bool {
    partitions.is_none_or(|it| it == there.partitions)
        && (replication_factor.is_none() || *replication_factor == there.replication_factor)
        && config.is_empty()
        && reset.is_empty()
}

/// The change of a topic that takes as much as it did, and is configured otherwise.
fn configured(TopicAsk { topic, reset }: &TopicAsk, there: &OwnedTopic, asked: &Asked) -> Option<Change> {
    let verb = match there.status {
        TopicStatus::Reserved if there.asked.as_ref() != Some(asked) => Verb::Create,
        TopicStatus::Created if !(topic.config.is_empty() && reset.is_empty()) => Verb::Update,
        _ => return None,
    };
    Some(Change {
        partitions: Some(there.partitions),
        disk_bytes: there.capacity.disk_bytes,
        ..self::asked(verb, topic)
    })
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
    let mut res = check_topic(draft.state, draft.role(), topic, Some(&before));
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

/// Takes back the making or the end of a topic that was agreed to at that moment and is not done yet. What is changed of a
/// topic is not: what it was before is not known here. Answers whether there was anything to take back.
pub(super) fn taken_back(draft: &mut Draft<'_>, request: &Request, at: Timestamp) -> bool {
    let (Some(change), Some(wanted)) = (changes::change(request), &request.wanted) else { return false };
    let Ok(name) = change.name.parse::<TopicName>() else { return false };
    let Some(there) = draft.state.topic(&name).cloned() else { return false };
    let after = match (change.verb, there.status) {
        (Verb::Create, TopicStatus::Reserved) if there.asked.is_some() && there.created_at == at => {
            OwnedTopic { asked: None, status: TopicStatus::Deleted, deleted_at: Some(draft.now), ..there }
        }
        (Verb::Delete, TopicStatus::Deleting) if wanted.topic_id() == there.topic_id.as_deref() => {
            OwnedTopic { status: TopicStatus::Created, ..there }
        }
        _ => return false,
    };
    draft.set_topic(name, after);
    true
}

pub(super) fn delete(draft: &mut Draft<'_>, it: &TopicDeletion) -> Result<(), Refusal> {
    let name = &it.name;
    let Some(there) = draft.state.topic(name).filter(|it| it.is_there()) else {
        let_go(draft, name);
        return Ok(());
    };
    let owner = there.application.as_ref().and_then(|it| draft.state.application(it));
    // Of one that is not made yet nothing is lost, and of one that is being deleted somebody agreed to that.
    let change = asked(Verb::Delete, &TopicRequest::new(name.clone()));
    if let Some(owner) = owner.filter(|_| there.status == TopicStatus::Created) {
        if it.ask && change::is_to_be_asked(draft, Some(owner), &change) {
            ownership::topic_deleted(&mut Draft::new(draft.state, draft.actor, draft.now), it)?;
            let (deletion, topic_id) = (it.clone(), there.topic_id.clone());
            return change::ask(draft, owner, change, Wanted::TopicEnd { deletion, topic_id });
        }
        change::take(draft, Some(owner), &change)?;
    }
    ownership::topic_deleted(draft, it)?;
    let_go(draft, name);
    draft.set_topic(name.clone(), OwnedTopic { status: TopicStatus::Deleting, ..there.clone() });
    Ok(())
}

/// Asks no more for a change of a topic that is to be no more.
fn let_go(draft: &mut Draft<'_>, name: &TopicName) {
    if let Some(applicant) = changes::waiting_of_topic(draft.state, name).map(|(_, it)| it.applicant().clone()) {
        change::let_go(draft, &applicant, ChangeKind::Topic, name.as_str());
    }
}

pub(super) fn deleted(draft: &mut Draft<'_>, name: &TopicName) {
    if let Some(there) = draft.state.topic(name).filter(|it| it.is_there()) {
        let deleted_at = Some(draft.now);
        draft.set_topic(name.clone(), OwnedTopic { status: TopicStatus::Deleted, deleted_at, ..there.clone() });
    }
}

fn altered(
    draft: &Draft<'_>,
    request: &TopicRequest,
    there: &OwnedTopic,
) -> Result<(OwnedTopic, Option<Change>), Refusal> {
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
    let mut wrong = check_topic(draft.state, draft.role(), &request, Some(&before));
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
    let verb = if there.status == TopicStatus::Reserved { Verb::Create } else { Verb::Update };
    let change = (asks_for(&it) != asks_for(there)).then(|| asked(verb, &request));
    Ok((it, change))
}

/// The change that somebody may have to agree to.
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

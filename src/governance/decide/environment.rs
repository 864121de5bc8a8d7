//! Environments: made, changed, ended.

use std::collections::BTreeMap;

use super::{application::outside_template, draft::Draft};
use crate::governance::{
    application::Status,
    check_topic::{TopicRequest, check_topic},
    command::Role,
    entity::known,
    environment::{ClusterFacts, Environment, EnvironmentSpec},
    owned_topic::OwnedTopic,
    policy::Enforcement,
    probe::{Probe, Probed},
    record::Fold,
    state::{ENVIRONMENT, State},
    topic::TopicName,
    violation::{At, Refusal, Violation, Weight, listed},
};

pub(super) fn declare(draft: &mut Draft<'_>, spec: &EnvironmentSpec) -> Result<(), Refusal> {
    Refusal::of(check(draft.state, spec))?;
    if let Some(there) = draft.state.environment() {
        // Who finishes what another one began declares the same.
        let cluster = ClusterFacts { declared_by: there.spec.cluster.declared_by.clone(), ..spec.cluster.clone() };
        if there.spec == (EnvironmentSpec { cluster, ..spec.clone() }) {
            return Ok(());
        }
        if there.spec.name != spec.name {
            return Err(second(there, spec));
        }
        let what = format!("The cluster has the environment `{}` already, with other rules.", spec.name);
        let remedy = "Import it, and change it then.";
        return Err(Violation::new(At::attribute("name"), "Environment exists", what, remedy).into());
    }
    draft.set_environment(Environment {
        spec: spec.clone(),
        probe: None,
        created_at: draft.now,
        deleted_at: None,
        reconciled_at: None,
    });
    Ok(())
}

pub(super) fn change(draft: &mut Draft<'_>, spec: &EnvironmentSpec) -> Result<(), Refusal> {
    let there = draft.environment();
    if there.spec.name != spec.name {
        return Err(second(there, spec));
    }
    let mut wrong = check(draft.state, spec);
    if there.spec.cluster.cluster_id != spec.cluster.cluster_id {
        let what = format!(
            "The environment is the cluster `{}`, and this one is `{}`.",
            there.spec.cluster.cluster_id, spec.cluster.cluster_id
        );
        let remedy = "Rebind the journal if the cluster has moved; declare another environment if it is another one.";
        wrong.push(Violation::new(At::attribute("cluster_id"), "Another cluster", what, remedy));
    }
    Refusal::of(wrong)?;
    // What was found says nothing of other means.
    let probe = there.probe.filter(|_| there.spec.policy.enforcement == spec.policy.enforcement);
    draft.set_environment(Environment { spec: spec.clone(), probe, ..there.clone() });
    Ok(())
}

/// Whether rules are followed, as it was tried. Where they are not what enforces ownership, that is not asked.
pub(super) fn probed(draft: &mut Draft<'_>, found: Probed) -> Result<(), Refusal> {
    let there = draft.environment();
    if draft.enforcement() != Enforcement::Acl {
        let what = "The environment does not count on the brokers' authorizer.";
        return Err(Violation::new(At::all(), "Nothing to try", what, "Set `enforcement = \"acl\"` first.").into());
    }
    let since = there.probe.filter(|it| it.found == found).map_or(draft.now, |it| it.since);
    draft.set_environment(Environment { probe: Some(Probe { found, since }), ..there.clone() });
    Ok(())
}

pub(super) fn destroy(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let Some(there) = draft.state.environment() else { return Ok(()) };
    let living: Vec<_> =
        draft.state.applications().filter(|it| it.status.holds_prefixes()).map(|it| &it.spec.name).collect();
    if !living.is_empty() {
        let what =
            format!("The environment `{}` has applications: {}.", there.spec.name, listed(living.iter().take(20)));
        let remedy = "Delete them first: reference the environment's `id` in them, so that they go before it. Apply refuses until they \
                      are gone.";
        // The same run may delete them before.
        return Err(Violation::new(At::all(), "Environment in use", what, remedy).weighing(Weight::Wait).into());
    }
    draft.set_environment(Environment { deleted_at: Some(draft.now), ..there.clone() });
    Ok(())
}

pub(super) fn reconciled(draft: &mut Draft<'_>) {
    let there = draft.environment();
    // Records keep the order of time, and a clock that went back says nothing new.
    let reconciled_at = there.reconciled_at.max(Some(draft.now));
    draft.set_environment(Environment { reconciled_at, ..there.clone() });
}

fn second(there: &Environment, spec: &EnvironmentSpec) -> Refusal {
    let what = format!(
        "The cluster is the environment `{}`, and a cluster is one environment: `{}` would be a second.",
        there.spec.name, spec.name
    );
    let remedy = format!("Name it `{}`, or declare `{}` on another cluster.", there.spec.name, spec.name);
    Violation::new(At::attribute("name"), "Second environment on a cluster", what, remedy).into()
}

fn check(state: &State, spec: &EnvironmentSpec) -> Vec<Violation> {
    let mut res = spec.policy.check();
    res.extend(principals_of_applications(state, spec));
    res
}

/// What speaks against the principals of the cluster: an application has them, and what it does would be theirs. What was so
/// before is told, and keeps nobody from changing the rest.
fn principals_of_applications(state: &State, spec: &EnvironmentSpec) -> Vec<Violation> {
    let named = |facts: &ClusterFacts| {
        let ClusterFacts { platform_principals, super_users, broker_principals, declared_by, .. } = facts.clone();
        [
            ("platform_principals", platform_principals),
            ("super_users", super_users),
            ("broker_principals", broker_principals),
            ("platform_principals", declared_by.into_iter().collect()),
        ]
    };
    let before = state.environment().map(|it| named(&it.spec.cluster)).unwrap_or_default();
    let mut res = Vec::new();
    for ((attribute, principals), (_, before)) in named(&spec.cluster).into_iter().zip(before) {
        for principal in &principals {
            let Some(owner) = state.application_of(principal) else { continue };
            let what = format!(
                "`{principal}` belongs to the application `{}`, which would have all that this one may.",
                owner.spec.name
            );
            let (at, remedy) = if spec.cluster.declared_by.as_ref() == Some(principal) {
                (At::attribute(attribute), "Apply as a principal of the platform.")
            } else {
                let remedy = "Name another one, or give the application a principal of its own first.";
                (At::attribute(attribute).element(principal.as_str()), remedy)
            };
            let introduced = !before.contains(principal);
            res.push(Violation { introduced, ..Violation::new(at, "Principal of an application", what, remedy) });
        }
    }
    res
}

/// What the cluster has of topics, as far as it was looked at: their configuration, which is not kept here.
pub type TopicConfigs = BTreeMap<TopicName, BTreeMap<String, String>>;

/// What is there, keeps to the rules, and would not, were they these: the rules hold all the same, for what comes.
pub fn broken_by(state: &State, spec: &EnvironmentSpec, configs: &TopicConfigs) -> Vec<String> {
    let Some(there) = state.environment() else { return Vec::new() };
    let mut then = state.clone();
    let it = Environment { spec: spec.clone(), ..there.clone() };
    if then.put(ENVIRONMENT, &known(&it)).is_err() {
        return Vec::new();
    }
    let mut res = Vec::new();
    for (name, topic) in owned_topics(state) {
        let config = configs.get(name);
        let request = TopicRequest {
            application: topic.application.clone(),
            partitions: Some(topic.partitions),
            replication_factor: topic.replication_factor,
            capacity: topic.capacity,
            config: config.cloned().unwrap_or_default(),
            ..TopicRequest::new(name.clone())
        };
        let broken = |state| check_topic(state, &Role::Platform, &request, Some(&request));
        let mut new = added(&broken(state), broken(&then));
        new.retain(|it| config.is_some() || it.at.outermost() != Some("config"));
        res.extend(new.iter().map(|it| format!("topic `{name}`: {}", it.detail.replace("\n\n", " "))));
    }
    let living = state.applications().filter(|it| it.status.holds_prefixes() && it.status != Status::Deleting);
    for it in living {
        let new = added(&outside_template(state, it), outside_template(&then, it));
        let name = &it.spec.name;
        res.extend(new.iter().map(|it| format!("application `{name}`: {}", it.detail.replace("\n\n", " "))));
    }
    res
}

/// The topics that the rules of an environment are about.
pub fn owned_topics(state: &State) -> impl Iterator<Item = (&TopicName, &OwnedTopic)> {
    state.topics().filter(|(_, it)| it.is_there() && it.application.is_some())
}

/// Of what speaks against something now, what did not before. What was refused before in other words is not new.
fn added(before: &[Violation], now: Vec<Violation>) -> Vec<Violation> {
    let is_new = |it: &Violation| !before.iter().any(|old| (&old.at, old.summary) == (&it.at, it.summary));
    now.into_iter().filter(is_new).collect()
}

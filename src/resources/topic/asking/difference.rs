//! What of a topic is asked for: all of it, or what is otherwise than it was.

use std::collections::{BTreeMap, BTreeSet};

use super::is_watched;
use crate::{
    clients::kafka::Topic,
    framework::Unknown,
    governance::{
        changes::waiting_of_topic,
        check_topic::TopicRequest,
        command::TopicAsk,
        request::Wanted,
        state::State,
        topic::{TopicSpec, config_changes, is_same_value},
    },
    resources::topic::TopicModel,
};

/// What a change of a topic starts from.
pub(super) struct Base {
    partitions: Option<i32>,
    replication_factor: Option<i16>,
    config: BTreeMap<String, String>,
}

impl Base {
    /// What the state has.
    pub(super) fn of(prior: &TopicModel) -> Result<Self, Unknown> {
        let (partitions, replication_factor) = (prior.partitions.known()?, prior.replication_factor.known()?);
        Ok(Self {
            partitions: partitions.copied(),
            replication_factor: replication_factor.copied(),
            config: prior.config_known()?,
        })
    }

    /// What the cluster has of what is declared, was, or is asked to be reset; in the words of the declaration.
    pub(super) fn found(found: &Topic, prior: &TopicModel, plan: &TopicModel, state: &State) -> Result<Self, Unknown> {
        let wanted = plan.config_known()?;
        let mut keys: BTreeSet<String> = prior.config_known()?.into_keys().chain(wanted.keys().cloned()).collect();
        let waiting = waiting_of_topic(state, &found.name).and_then(|(_, it)| it.wanted.as_ref());
        if let Some(Wanted::Topic { ask, topic_id: _ }) = waiting {
            keys.extend(ask.reset.iter().cloned());
        }
        let own = found.config.iter().flatten().filter(|(key, it)| it.overridden && keys.contains(*key));
        let said = |key: &String, actual: String| match wanted.get(key) {
            Some(written) if is_same_value(key, written, &actual) => written.clone(),
            _ => actual,
        };
        let config = own.filter_map(|(key, it)| Some((key.clone(), said(key, it.value.clone()?)))).collect();
        let (partitions, replication_factor) = (Some(found.partitions), Some(found.replication_factor));
        Ok(Self { partitions, replication_factor, config })
    }
}

impl TopicModel {
    /// Asks for all of a topic. Who must agree sees how much it takes, also where the rules say that.
    pub(super) fn whole(&self, spec: &TopicSpec, state: &State) -> Result<TopicAsk, Unknown> {
        let mut spec = spec.clone();
        if let Some(policy) = state.policy().filter(|_| is_watched(state)) {
            policy.topics.complete(&mut spec);
        }
        Ok(TopicAsk { topic: self.request_of(&spec)?, reset: BTreeSet::new() })
    }

    /// Asks for what is otherwise.
    pub(super) fn difference(&self, base: &Base) -> Result<TopicAsk, Unknown> {
        let changes = config_changes(&base.config, &self.config_known()?);
        let (set, reset): (BTreeMap<_, _>, BTreeMap<_, _>) = changes.into_iter().partition(|(_, it)| it.is_some());
        let request = self.request()?;
        let is_new = |it: &i64, was: Option<i64>| was != Some(*it);
        let topic = TopicRequest {
            partitions: request.partitions.filter(|it| is_new(it, base.partitions.map(i64::from))),
            replication_factor: request
                .replication_factor
                .filter(|it| is_new(it, base.replication_factor.map(i64::from))),
            config: set.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(),
            ..request
        };
        Ok(TopicAsk { topic, reset: reset.into_keys().collect() })
    }
}

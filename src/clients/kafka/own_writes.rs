//! What this client itself did to topics, so that what brokers still show of before is not taken for the truth.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::{clients::kafka::locked, governance::topic::TopicName};

/// How long after a write brokers may be behind the controller: more than a minute was seen after heavy churn.
const SETTLING: Duration = Duration::from_mins(2);

/// The writes of one client, by topic.
#[derive(Debug, Default)]
pub(super) struct OwnWrites {
    /// Created, and not seen on a broker since.
    unseen: Mutex<BTreeMap<TopicName, Instant>>,
    deleted: Mutex<BTreeMap<TopicName, Instant>>,
    touched: Mutex<BTreeMap<TopicName, Instant>>,
}

impl OwnWrites {
    /// A write begins or ended: what was read before says nothing any more.
    pub(super) fn touch(&self, name: &TopicName) {
        locked(&self.touched).insert(name.clone(), Instant::now());
    }

    /// Whether a write began or ended since.
    pub(super) fn touched_since(&self, name: &TopicName, since: Instant) -> bool {
        locked(&self.touched).get(name).is_some_and(|it| since <= *it)
    }

    /// Forgets writes from before, when nothing that was read earlier is kept any more.
    pub(super) fn forget_touches_before(&self, since: Instant) {
        locked(&self.touched).retain(|_, it| since <= *it);
    }

    /// The controller said that it created the topic.
    pub(super) fn created(&self, name: &TopicName) {
        locked(&self.deleted).remove(name);
        locked(&self.unseen).insert(name.clone(), Instant::now());
    }

    /// The controller said that it deleted the topic.
    pub(super) fn deleted(&self, name: &TopicName) {
        locked(&self.unseen).remove(name);
        locked(&self.deleted).insert(name.clone(), Instant::now());
    }

    /// A broker showed the topic.
    pub(super) fn seen(&self, name: &TopicName) {
        locked(&self.unseen).remove(name);
    }

    /// Whether the topic was created a moment ago and no broker has shown it yet: its absence proves nothing.
    pub(super) fn may_appear(&self, name: &TopicName) -> bool {
        locked(&self.unseen).get(name).is_some_and(|it| it.elapsed() < SETTLING)
    }

    /// Whether the topic was deleted a moment ago: that it exists for the controller may be a remainder.
    pub(super) fn may_linger(&self, name: &TopicName) -> bool {
        locked(&self.deleted).get(name).is_some_and(|it| it.elapsed() < SETTLING)
    }
}

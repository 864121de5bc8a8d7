//! Whether there is room for all topics of one plan together.
//!
//! Topics are planned one by one, in any order, and each is judged by the journal, which has none of the others yet. What
//! a plan takes besides is counted as it is planned. A topic that the plan deletes may come last, so that the sum is only
//! told; what is applied is decided with what the journal has by then.

use std::collections::BTreeMap;

use super::{TopicRequest, capacity, name};
use crate::governance::{
    capacity::Totals,
    command::Role,
    names::ApplicationName,
    state::State,
    topic::TopicName,
    violation::{Violation, Weight},
};

/// What the topics of one plan take, as far as it is made: a topic counts as it was planned last.
#[derive(Debug, Default)]
pub struct Promised {
    owners: BTreeMap<TopicName, Option<ApplicationName>>,
    takes: BTreeMap<ApplicationName, BTreeMap<TopicName, Totals>>,
}

impl Promised {
    /// The topic is nobody's after the plan.
    pub fn free(&mut self, topic: &TopicName) {
        self.promise(topic, None);
    }

    fn promise(&mut self, topic: &TopicName, to: Option<(&ApplicationName, Totals)>) {
        let before = self.owners.insert(topic.clone(), to.map(|(owner, _)| owner.clone())).flatten();
        if let Some(its) = before.and_then(|it| self.takes.get_mut(&it)) {
            its.remove(topic);
        }
        if let Some((owner, totals)) = to {
            self.takes.entry(owner.clone()).or_default().insert(topic.clone(), totals);
        }
    }

    /// What an application takes after the plan.
    fn taken(&self, state: &State, owner: &ApplicationName) -> Totals {
        let stays = state.topics_of(owner).filter(|(name, _)| !self.owners.contains_key(*name));
        let there = stays.fold(Totals::default(), |sum, (_, it)| sum.plus(it.totals()));
        self.takes.get(owner).into_iter().flatten().fold(there, |sum, (_, it)| sum.plus(*it))
    }

    fn topics_of(&self, owner: &ApplicationName) -> usize {
        self.takes.get(owner).map_or(0, BTreeMap::len)
    }
}

/// Counts a topic of a plan, and tells the totals that it exceeds only together with others of the same plan.
pub fn check_together(
    state: &State,
    role: &Role,
    wanted: &TopicRequest,
    before: Option<&TopicRequest>,
    promised: &mut Promised,
) -> Vec<Violation> {
    let (Some(owner), _) = name::owner(state, role, wanted, before.is_some()) else {
        promised.free(&wanted.name);
        return Vec::new();
    };
    let application = &owner.spec.name;
    let own = capacity::takes(state, wanted);
    promised.promise(&wanted.name, Some((application, own)));
    let limits = capacity::limits(state, owner);
    let is_as_it_was = before.is_some_and(|it| capacity::takes(state, it) == own);
    if limits == Totals::default() || is_as_it_was {
        return Vec::new();
    }
    let alone = limits.exceeded_by(&state.taken(application, Some(&wanted.name)).plus(own));
    let together = limits.exceeded_by(&promised.taken(state, application));
    let is_new = |(total, ..): &(&str, i64, i64)| alone.iter().all(|(it, ..)| it != total);
    let others = promised.topics_of(application).saturating_sub(1);
    let tell = |(total, limit, sum): (&'static str, i64, i64)| {
        let what = format!(
            "The application `{application}` may take {limit} ({total}). With this topic and {others} more of this plan, as \
             far as it is made, it would be {sum}, so that apply will refuse some of them."
        );
        let remedy = "Take less, free what is not needed first, or ask the platform for a larger `capacity`.";
        Violation::new(capacity::at(total), "Capacity exceeded together", what, remedy).weighing(Weight::Warn)
    };
    together.into_iter().filter(is_new).map(tell).collect()
}

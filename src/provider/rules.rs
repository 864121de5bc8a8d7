//! What this process knows of the rules of a cluster: which of them its plans have, which it is removing, and what the
//! caller may do about them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::{Notify, OnceCell};

use crate::{
    clients::kafka::{AclFilter, Kafka, KafkaError, ResourceFilter},
    governance::acl::{AclBinding, CLUSTER, Operation, PatternType, ResourceType},
};

/// The rules that the plans of this process have, and those that it is removing. Whoever removes one spares it where
/// another one has it, and whoever makes one makes it again where somebody removed it meanwhile.
#[derive(Debug, Default)]
pub struct Rules {
    state: Mutex<State>,
    changed: Notify,
    of_cluster: OnceCell<Result<Vec<AclBinding>, KafkaError>>,
    may_alter: OnceCell<bool>,
}

#[derive(Debug, Default)]
struct State {
    /// Which resources have a rule.
    held: BTreeMap<AclBinding, BTreeSet<String>>,
    /// How many are removing a rule.
    ending: BTreeMap<AclBinding, usize>,
    /// The rules that somebody removed.
    ended: BTreeSet<AclBinding>,
    /// The rules for the cluster itself that plans would add, and those that they would remove.
    planned: (BTreeSet<AclBinding>, BTreeSet<AclBinding>),
}

/// The rules for the cluster itself. Few rules are asked for, rather than all of them for a list that an apply would not
/// use.
///
/// # Errors
/// Whatever the brokers refuse.
pub async fn rules_of_cluster(kafka: &dyn Kafka, deadline: Instant) -> Result<Vec<AclBinding>, KafkaError> {
    let filter = AclFilter {
        resource_type: Some(ResourceType::Cluster),
        resource: ResourceFilter::Written(PatternType::Literal, CLUSTER.to_owned()),
        principal: None,
    };
    kafka.acls(&filter, deadline).await
}

impl Rules {
    /// The rules for the cluster itself, asked for once, or why they are not known.
    pub async fn of_cluster(&self, kafka: &dyn Kafka, deadline: Instant) -> &Result<Vec<AclBinding>, KafkaError> {
        self.of_cluster.get_or_init(async || rules_of_cluster(kafka, deadline).await).await
    }

    /// Whether the caller may ALTER the cluster, asked once; `true` if nobody says.
    pub async fn may_alter(&self, kafka: &dyn Kafka, deadline: Instant) -> bool {
        let asked = async || match kafka.cluster_rights(deadline).await {
            Ok(Some(rights)) => rights.contains(&Operation::Alter),
            Ok(None) | Err(_) => true,
        };
        *self.may_alter.get_or_init(asked).await
    }

    /// Notes that a resource has these rules, and answers which of them another one has too.
    pub fn hold(&self, id: &str, bindings: &BTreeSet<AclBinding>) -> Vec<AclBinding> {
        let mut state = self.state();
        let mut shared = Vec::new();
        for it in bindings {
            let holders = state.held.entry(it.clone()).or_default();
            holders.insert(id.to_owned());
            if 1 < holders.len() {
                shared.push(it.clone());
            }
        }
        shared
    }

    /// Takes those of the rules for removal that no resource has but the one of an id, if that stays.
    ///
    /// The id is what a resource is to become, never what it was: another one may become just that in the same run.
    pub fn begin_end(&self, id: Option<&str>, bindings: &BTreeSet<AclBinding>) -> Ending<'_> {
        let mut state = self.state();
        let is_free = |it: &&AclBinding| {
            state.held.get(*it).is_none_or(|holders| holders.iter().all(|it| Some(it.as_str()) == id))
        };
        let taken: BTreeSet<AclBinding> = bindings.iter().filter(is_free).cloned().collect();
        for it in &taken {
            *state.ending.entry(it.clone()).or_default() += 1;
        }
        Ending { rules: self, taken }
    }

    /// Notes what a plan would add and remove of the rules for the cluster itself, and answers with what all plans of this
    /// process would.
    pub fn plan(
        &self,
        added: &BTreeSet<AclBinding>,
        removed: &BTreeSet<AclBinding>,
    ) -> (BTreeSet<AclBinding>, BTreeSet<AclBinding>) {
        let mut state = self.state();
        state.planned.0.extend(added.iter().cloned());
        state.planned.1.extend(removed.iter().cloned());
        state.planned.clone()
    }

    /// The rules that are being removed.
    pub fn ending(&self) -> BTreeSet<AclBinding> {
        self.state().ending.keys().cloned().collect()
    }

    /// Whether a resource of that id has any of the rules.
    pub fn is_held_as(&self, id: &str, bindings: &BTreeSet<AclBinding>) -> bool {
        let state = self.state();
        bindings.iter().any(|it| state.held.get(it).is_some_and(|holders| holders.contains(id)))
    }

    /// Waits until nobody is removing any of the rules, and answers with those that somebody removed before.
    pub async fn settled(&self, bindings: &BTreeSet<AclBinding>) -> BTreeSet<AclBinding> {
        loop {
            let changed = self.changed.notified();
            {
                let state = self.state();
                if !bindings.iter().any(|it| state.ending.contains_key(it)) {
                    return bindings.intersection(&state.ended).cloned().collect();
                }
            }
            changed.await;
        }
    }

    /// What is kept is whole between any two changes, so that what another thread left in a panic is still good.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rules that are being removed, until this is dropped.
#[derive(Debug)]
pub struct Ending<'a> {
    rules: &'a Rules,
    /// The rules.
    pub taken: BTreeSet<AclBinding>,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let mut state = self.rules.state();
        let State { ending, ended, .. } = &mut *state;
        for it in &self.taken {
            if let Some(count) = ending.get_mut(it) {
                *count -= 1;
                if *count == 0 {
                    ending.remove(it);
                }
            }
            ended.insert(it.clone());
        }
        drop(state);
        self.rules.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(texts: &[&str]) -> BTreeSet<AclBinding> {
        texts.iter().map(|it| it.parse().unwrap()).collect()
    }

    #[tokio::test]
    async fn what_another_has_is_spared_and_what_is_being_removed_is_waited_for() {
        let (mine, ours) = ("TOPIC|LITERAL|a|User:x|*|READ|ALLOW", "TOPIC|LITERAL|a|User:x|*|WRITE|ALLOW");
        let both = rules(&[mine, ours]);
        let notes = Rules::default();
        assert!(notes.hold("one", &both).is_empty());
        assert_eq!(notes.hold("two", &rules(&[ours])), Vec::from_iter(rules(&[ours])));
        assert!(notes.is_held_as("two", &both) && !notes.is_held_as("two", &rules(&[mine])));
        assert_eq!(notes.begin_end(None, &both).taken, rules(&[]));
        let ending = notes.begin_end(Some("one"), &both);
        assert_eq!(ending.taken, rules(&[mine]));
        assert!(notes.settled(&rules(&[ours])).await.is_empty());
        let (removed, ()) = tokio::join!(notes.settled(&both), async move { drop(ending) });
        assert_eq!(removed, rules(&[mine]));
    }
}

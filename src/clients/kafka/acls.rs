//! The port to a cluster's authorizer, and the operations of the client: tried until the cluster agrees or the time is up.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Instant,
};

use crate::{
    clients::kafka::{
        Answer, KafkaError,
        acl_requests::{CreateAcls, DeleteAcls},
        acl_writes::AclWrites,
        client::{Client, Wired, in_time},
        locked,
        queue::{Gathered, Queue, QueueOf, gathered},
        snapshot::{MAX_AGE, Snapshot},
        trouble::{Tries, Trouble},
    },
    governance::acl::{AclBinding, PatternType, Principal, ResourceType},
};

/// The rules of a cluster's authorizer. Where there is none, every method fails with [`KafkaError::NoAuthorizer`].
///
/// Rules of kinds that this release does not know are left out of every answer, and no method touches them.
pub trait Acls: Send + Sync {
    /// The rules that a filter admits, in their order, for a refresh: from a snapshot of at most 30 s, which this client's
    /// own writes invalidate.
    fn refresh_acls<'a>(&'a self, filter: &'a AclFilter, deadline: Instant) -> Answer<'a, Vec<AclBinding>>;

    /// The rules that a filter admits, in their order, asked anew.
    fn acls<'a>(&'a self, filter: &'a AclFilter, deadline: Instant) -> Answer<'a, Vec<AclBinding>>;

    /// Creates rules. Those that exist succeed. Answers with those that were not created, and why; where all failed alike,
    /// that is the error. Brokers follow the controller within moments; what this client reads from then on shows it.
    fn create_acls<'a>(&'a self, bindings: &'a [AclBinding], deadline: Instant) -> Answer<'a, AclFailures>;

    /// Deletes exactly these rules. Those that are gone already succeed. Answers as [`Acls::create_acls`] does.
    fn delete_acls<'a>(&'a self, bindings: &'a [AclBinding], deadline: Instant) -> Answer<'a, AclFailures>;
}

/// The rules for which something was not done, and why.
pub type AclFailures = BTreeMap<AclBinding, KafkaError>;

/// Which rules are asked for; by default all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AclFilter {
    /// Those about resources of this kind.
    pub resource_type: Option<ResourceType>,
    /// Those about these resources.
    pub resource: ResourceFilter,
    /// Those that name exactly this principal.
    pub principal: Option<Principal>,
}

/// Which rules, by the name of their resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ResourceFilter {
    /// All.
    #[default]
    Any,
    /// Those written with this pattern and name.
    Written(PatternType, String),
    /// Those that are about the resource of this name, in whatever way they are written.
    Covering(String),
}

impl AclFilter {
    /// The rules that are written for the same resource as this one.
    pub fn of_resource(binding: &AclBinding) -> Self {
        let (resource_type, pattern, name) = binding.resource();
        let resource = ResourceFilter::Written(pattern, name.to_owned());
        Self { resource_type: Some(resource_type), resource, principal: None }
    }

    /// Whether it admits a rule.
    pub fn admits(&self, binding: &AclBinding) -> bool {
        self.resource_type.is_none_or(|it| it == binding.resource_type)
            && self.principal.as_ref().is_none_or(|it| *it == binding.principal)
            && match &self.resource {
                ResourceFilter::Any => true,
                ResourceFilter::Written(pattern, name) => {
                    *pattern == binding.pattern_type && *name == binding.resource_name
                }
                ResourceFilter::Covering(name) => binding.covers(binding.resource_type, name),
            }
    }
}

/// What a client keeps of rules.
#[derive(Default)]
pub(super) struct Rules {
    creates: Queue<CreateAcls>,
    deletes: Queue<DeleteAcls>,
    writes: AclWrites,
    /// All rules, in their order.
    snapshot: Snapshot<Vec<AclBinding>>,
    /// When brokers last did not show all rules at once: until a snapshot would be too old, they are not asked again.
    withheld: Mutex<Option<Instant>>,
}

impl Acls for Wired {
    fn refresh_acls<'a>(&'a self, filter: &'a AclFilter, deadline: Instant) -> Answer<'a, Vec<AclBinding>> {
        self.told(self.0.refresh_acls(filter, deadline))
    }

    fn acls<'a>(&'a self, filter: &'a AclFilter, deadline: Instant) -> Answer<'a, Vec<AclBinding>> {
        self.told(self.0.acls(filter, deadline))
    }

    fn create_acls<'a>(&'a self, bindings: &'a [AclBinding], deadline: Instant) -> Answer<'a, AclFailures> {
        self.told(self.0.alter_acls(|it| &it.rules.creates, "creating ACLs", bindings, true, deadline))
    }

    fn delete_acls<'a>(&'a self, bindings: &'a [AclBinding], deadline: Instant) -> Answer<'a, AclFailures> {
        self.told(self.0.alter_acls(|it| &it.rules.deletes, "deleting ACLs", bindings, false, deadline))
    }
}

impl Client {
    async fn refresh_acls(&self, filter: &AclFilter, deadline: Instant) -> Result<Vec<AclBinding>, KafkaError> {
        let mut tries = Tries::new(deadline, || "reading ACLs".to_owned());
        loop {
            if *filter != AclFilter::default() && self.are_acls_withheld() {
                return self.acls(filter, deadline).await;
            }
            match in_time(deadline, Box::pin(self.all_acls(self.rules.snapshot.fresh(), deadline))).await {
                Ok(all) => return Ok(admitted(&all, filter)),
                Err(Trouble::Final(error)) if is_of_the_breadth(&error) => {
                    *locked(&self.rules.withheld) = Some(Instant::now());
                    return self.acls(filter, deadline).await;
                }
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    fn are_acls_withheld(&self) -> bool {
        locked(&self.rules.withheld).is_some_and(|it| it.elapsed() < MAX_AGE)
    }

    async fn acls(&self, filter: &AclFilter, deadline: Instant) -> Result<Vec<AclBinding>, KafkaError> {
        let mut tries = Tries::new(deadline, || "reading ACLs".to_owned());
        loop {
            match self.shown_acls(filter, deadline).await {
                Ok(bindings) => return Ok(bindings),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    /// All rules, as they were not before a time.
    async fn all_acls(&self, not_before: Option<Instant>, deadline: Instant) -> Result<Arc<Vec<AclBinding>>, Trouble> {
        let read = Box::pin(async { self.shown_acls(&AclFilter::default(), deadline).await });
        self.rules.snapshot.since(not_before, read).await
    }

    /// What a broker shows, once it shows what this client has written.
    async fn shown_acls(&self, filter: &AclFilter, deadline: Instant) -> Result<Vec<AclBinding>, Trouble> {
        let found = self.described_acls(filter, deadline).await?;
        if self.rules.writes.are_shown(&found, filter) {
            return Ok(found);
        }
        Err(Trouble::Again(KafkaError::Deadline("waiting for brokers to follow the controller".to_owned())))
    }

    /// Creates or deletes rules, whatever the queue holds.
    async fn alter_acls<T>(
        self: &Arc<Self>,
        queue: QueueOf<T>,
        doing: &'static str,
        bindings: &[AclBinding],
        created: bool,
        deadline: Instant,
    ) -> Result<AclFailures, KafkaError>
    where
        T: Gathered<Answer = Vec<Option<Trouble>>> + From<Arc<[AclBinding]>>,
    {
        self.rules.snapshot.touch();
        let res = self.sent_acls(queue, doing, bindings, deadline).await.and_then(|it| unless_alike(it, bindings));
        if let Ok(failures) = &res {
            self.rules.writes.note(bindings.iter().filter(|it| !failures.contains_key(it)), created);
        }
        self.rules.snapshot.touch();
        res
    }

    async fn sent_acls<T>(
        self: &Arc<Self>,
        queue: QueueOf<T>,
        doing: &'static str,
        bindings: &[AclBinding],
        deadline: Instant,
    ) -> Result<AclFailures, KafkaError>
    where
        T: Gathered<Answer = Vec<Option<Trouble>>> + From<Arc<[AclBinding]>>,
    {
        let mut tries = Tries::new(deadline, || doing.to_owned());
        let mut failures = AclFailures::new();
        for part in bindings.chunks(T::CAPACITY) {
            let mut left: Arc<[AclBinding]> = part.into();
            while !left.is_empty() {
                let troubles = match gathered(self, queue, T::from(left.clone()), deadline).await {
                    Ok(troubles) => troubles,
                    Err(Trouble::Final(error)) => return Err(error),
                    // A rule that was created or deleted all the same is no trouble to the next try.
                    Err(trouble) => vec![Some(trouble); left.len()],
                };
                let (mut again, mut last) = (Vec::new(), None);
                for (binding, trouble) in left.iter().zip(troubles) {
                    match trouble {
                        None => {}
                        Some(Trouble::Final(error)) => _ = failures.insert(binding.clone(), error),
                        Some(trouble) => {
                            again.push(binding.clone());
                            last = Some(trouble);
                        }
                    }
                }
                if let Some(trouble) = last {
                    tries.next(trouble).await?;
                }
                left = again.into();
            }
        }
        Ok(failures)
    }
}

/// What a filter admits of all rules, which are in their order: those of one resource stand together.
fn admitted(all: &[AclBinding], filter: &AclFilter) -> Vec<AclBinding> {
    let part = match (filter.resource_type, &filter.resource) {
        (Some(kind), ResourceFilter::Written(pattern, name)) => {
            let resource = (kind, *pattern, name.as_str());
            let start = all.partition_point(|it| it.resource() < resource);
            let length = all[start..].partition_point(|it| it.resource() == resource);
            &all[start..start + length]
        }
        _ => all,
    };
    part.iter().filter(|it| filter.admits(it)).cloned().collect()
}

/// Whether brokers may answer a narrower question: authorizers of other makes may show some of the rules to one whom they
/// do not show all, or know no list of all.
fn is_of_the_breadth(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Denied { .. } | KafkaError::Refused { .. } | KafkaError::Broker { .. })
}

/// The failures of some rules, or the error that is the same for all.
fn unless_alike(failures: AclFailures, bindings: &[AclBinding]) -> Result<AclFailures, KafkaError> {
    let mut errors = failures.values();
    match errors.next() {
        Some(first) if errors.all(|it| it == first) && bindings.iter().all(|it| failures.contains_key(it)) => {
            Err(first.clone())
        }
        _ => Ok(failures),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(texts: &[&str]) -> Vec<AclBinding> {
        let mut res: Vec<AclBinding> = texts.iter().map(|it| it.parse().unwrap()).collect();
        res.sort();
        res
    }

    #[test]
    fn the_rules_of_one_resource_are_found_among_all() {
        let all = rules(&[
            "TOPIC|LITERAL|a|User:x|*|READ|ALLOW",
            "TOPIC|LITERAL|b|User:x|*|READ|ALLOW",
            "TOPIC|LITERAL|b|User:y|*|WRITE|ALLOW",
            "TOPIC|LITERAL|bb|User:x|*|READ|ALLOW",
            "TOPIC|PREFIXED|b|User:x|*|READ|ALLOW",
            "GROUP|LITERAL|b|User:x|*|READ|ALLOW",
        ]);
        for rule in &all {
            let filter = AclFilter::of_resource(rule);
            let expected: Vec<_> = all.iter().filter(|it| filter.admits(it)).cloned().collect();
            assert_eq!(admitted(&all, &filter), expected, "{rule}");
            let of_principal = AclFilter { principal: Some(rule.principal.clone()), ..filter };
            assert!(admitted(&all, &of_principal).contains(rule), "{rule}");
        }
        let absent = AclFilter::of_resource(&rules(&["TOPIC|LITERAL|ab|User:x|*|READ|ALLOW"])[0]);
        assert_eq!(admitted(&all, &absent), []);
        assert_eq!(admitted(&all, &AclFilter::default()), all);
    }
}

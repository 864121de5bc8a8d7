//! The authorizer in memory: its rules, and what they mean for who calls.

use std::time::Instant;

use super::{Authorizer, MemoryCluster, State};
use crate::{
    clients::kafka::{AclFailures, AclFilter, Acls, Answer, KafkaError},
    governance::{
        acl::{Access, AclBinding, CLUSTER, Operation, Principal, ResourceType, Verdict, verdict},
        topic::TopicName,
    },
};

impl MemoryCluster {
    /// The same cluster, as somebody sees it who may do what rules permit.
    pub fn seen_by(&self, principal: Principal) -> Self {
        Self { brokers: self.brokers, caller: Some(principal), state: self.state.clone() }
    }

    /// Has no authorizer from now on: everybody may do everything.
    pub fn remove_authorizer(&self) {
        self.state().authorizer = Authorizer::Absent;
    }

    /// Keeps and shows rules from now on, and follows none: everybody may do everything, as far as rules go.
    pub fn ignore_rules(&self) {
        self.state().authorizer = Authorizer::Ignores;
    }

    /// Takes rules from now on without keeping them, and follows none.
    pub fn forget_rules(&self) {
        self.state().authorizer = Authorizer::Forgets;
    }

    /// Has these rules too, whoever made them.
    pub fn add_rules(&self, rules: impl IntoIterator<Item = AclBinding>) {
        self.state().rules.extend(rules);
    }

    fn with_rules<T: Send + 'static>(
        &self,
        call: &'static str,
        operation: Operation,
        answer: impl FnOnce(&mut State) -> T,
    ) -> Answer<'_, T> {
        self.answer(call, |state| {
            if state.authorizer == Authorizer::Absent {
                return Err(KafkaError::NoAuthorizer);
            }
            state.permit(operation, ResourceType::Cluster, CLUSTER)?;
            Ok(answer(state))
        })
    }
}

impl State {
    /// Whether who calls may do something: the rules decide, unless it is a super user.
    pub(super) fn permit(
        &self,
        operation: Operation,
        resource_type: ResourceType,
        resource_name: &str,
    ) -> Result<(), KafkaError> {
        let Some(principal) = self.caller.as_ref().filter(|_| self.authorizer == Authorizer::Follows) else {
            return Ok(());
        };
        let access = Access { principal, host: Some("127.0.0.1"), operation, resource_type, resource_name };
        if verdict(&self.rules, access) == Verdict::Allowed {
            return Ok(());
        }
        let kind = match resource_type {
            ResourceType::Topic => "topic",
            ResourceType::Group => "group",
            ResourceType::TransactionalId => "transactional id",
            _ => "the cluster",
        };
        let resource = if kind == "the cluster" { kind.to_owned() } else { format!("{kind} `{resource_name}`") };
        Err(KafkaError::Denied { operation: operation.as_str(), resource, principal: Some(principal.clone()) })
    }

    /// Whether who calls may do something to a topic: neither a rule nor a test denies it.
    pub(super) fn allow(&self, operation: &'static str, name: &TopicName) -> Result<(), KafkaError> {
        if self.denied.contains(&(operation, name.clone())) {
            let (resource, principal) = (format!("topic `{name}`"), self.caller.clone());
            return Err(KafkaError::Denied { operation, resource, principal });
        }
        match operation.parse() {
            // A right to create topics on the cluster is one for every name.
            Ok(Operation::Create) if self.permit(Operation::Create, ResourceType::Cluster, CLUSTER).is_ok() => Ok(()),
            Ok(operation) => self.permit(operation, ResourceType::Topic, name.as_str()),
            Err(_) => Ok(()),
        }
    }
}

impl Acls for MemoryCluster {
    fn refresh_acls<'a>(&'a self, filter: &'a AclFilter, _: Instant) -> Answer<'a, Vec<AclBinding>> {
        self.with_rules("refresh_acls", Operation::Describe, |state| admitted(state, filter))
    }

    fn acls<'a>(&'a self, filter: &'a AclFilter, _: Instant) -> Answer<'a, Vec<AclBinding>> {
        self.with_rules("acls", Operation::Describe, |state| admitted(state, filter))
    }

    fn create_acls<'a>(&'a self, bindings: &'a [AclBinding], _: Instant) -> Answer<'a, AclFailures> {
        self.with_rules("create_acls", Operation::Alter, |state| {
            if state.authorizer != Authorizer::Forgets {
                state.rules.extend(bindings.iter().cloned());
            }
            AclFailures::new()
        })
    }

    fn delete_acls<'a>(&'a self, bindings: &'a [AclBinding], _: Instant) -> Answer<'a, AclFailures> {
        self.with_rules("delete_acls", Operation::Alter, |state| {
            for it in bindings {
                state.rules.remove(it);
            }
            AclFailures::new()
        })
    }
}

fn admitted(state: &State, filter: &AclFilter) -> Vec<AclBinding> {
    state.rules.iter().filter(|it| filter.admits(it)).cloned().collect()
}

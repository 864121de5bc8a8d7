//! What is asked of the authorizer, in Kafka's codes, many rules at a time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use kafka_protocol::{
    error::ResponseError,
    messages::{
        CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest, create_acls_request::AclCreation,
        delete_acls_request::DeleteAclsFilter,
    },
};

use crate::{
    clients::kafka::{
        AclFilter, KafkaError, ResourceFilter,
        client::{Client, Target},
        queue::Gathered,
        requests::wire_text,
        topic_reads::all,
        trouble::{Asked, Trouble},
    },
    governance::acl::{AclBinding, Operation, PatternType, Permission, ResourceType},
};

/// Rules in one request: `KRaft`'s controller refuses to write more records for one, or to delete more rules.
const MOST_TOGETHER: usize = 10_000;

/// The same of deletions: the controller compares each filter of a request with all rules that there are, and does nothing
/// else meanwhile.
const MOST_DELETED_TOGETHER: usize = 500;

/// How long calls wait for each other: brokers and controllers copy all rules that there are for each request that changes
/// one.
const PATIENCE: Duration = Duration::from_millis(20);

/// `ANY` of resource types, pattern types, operations and permissions.
const ANY: i8 = 1;

/// `PatternType.MATCH`: whatever is about the resource of that name.
const MATCH: i8 = 2;

/// The right on the cluster that it takes to see rules, and the one to change them.
const SEEING: Asked<'_> = Asked { operation: "DESCRIBE", name: "" };
const CHANGING: Asked<'_> = Asked { operation: "ALTER", name: "" };

/// A kind of word with codes on the wire.
pub(super) trait Coded: Copy + PartialEq + 'static {
    /// The words in the order of their codes.
    const WORDS: &'static [Self];
    /// The code of the first.
    const FIRST: i8;

    /// Kafka's code.
    fn code(self) -> i8 {
        let at = Self::WORDS.iter().position(|it| *it == self);
        at.and_then(|it| i8::try_from(it).ok()).map_or(0, |it| Self::FIRST + it)
    }

    /// The word of a code; `None` if this release does not know it.
    fn of_code(code: i8) -> Option<Self> {
        let at = usize::try_from(code.checked_sub(Self::FIRST)?).ok()?;
        Self::WORDS.get(at).copied()
    }
}

impl Coded for ResourceType {
    const WORDS: &'static [Self] = Self::ALL;
    const FIRST: i8 = 2;
}

impl Coded for PatternType {
    const WORDS: &'static [Self] = Self::ALL;
    const FIRST: i8 = 3;
}

impl Coded for Operation {
    const WORDS: &'static [Self] = Self::ALL;
    const FIRST: i8 = 2;
}

impl Coded for Permission {
    const WORDS: &'static [Self] = Self::ALL;
    const FIRST: i8 = 2;
}

impl Client {
    /// The rules that a filter admits, in their order.
    pub(super) async fn described_acls(
        &self,
        filter: &AclFilter,
        deadline: Instant,
    ) -> Result<Vec<AclBinding>, Trouble> {
        let AclFilter { resource_type, resource, principal } = filter;
        let (pattern, name) = match resource {
            ResourceFilter::Any => (ANY, None),
            ResourceFilter::Written(pattern, name) => (pattern.code(), Some(wire_text(name))),
            ResourceFilter::Covering(name) => (MATCH, Some(wire_text(name))),
        };
        let request = DescribeAclsRequest::default()
            .with_resource_type_filter(resource_type.map_or(ANY, Coded::code))
            .with_resource_name_filter(name)
            .with_pattern_type_filter(pattern)
            .with_principal_filter(principal.as_ref().map(|it| wire_text(it.as_str())))
            .with_host_filter(None)
            .with_operation(ANY)
            .with_permission_type(ANY);
        let answer = self.call(Target::Any, deadline, |_| Ok(request)).await?;
        if let Some(trouble) = Trouble::of_code(answer.error_code, answer.error_message.as_deref(), SEEING) {
            return Err(trouble);
        }
        let mut res = Vec::new();
        for of in &answer.resources {
            for it in &of.acls {
                let known = || {
                    Some(AclBinding {
                        resource_type: Coded::of_code(of.resource_type)?,
                        pattern_type: Coded::of_code(of.pattern_type)?,
                        resource_name: of.resource_name.to_string(),
                        principal: it.principal.parse().ok()?,
                        host: it.host.to_string(),
                        operation: Coded::of_code(it.operation)?,
                        permission: Coded::of_code(it.permission_type)?,
                    })
                };
                res.extend(known());
            }
        }
        res.sort_unstable();
        Ok(res)
    }
}

/// The creation of rules.
pub(super) struct CreateAcls(Arc<[AclBinding]>);

/// The deletion of rules.
pub(super) struct DeleteAcls(Arc<[AclBinding]>);

impl From<Arc<[AclBinding]>> for CreateAcls {
    fn from(bindings: Arc<[AclBinding]>) -> Self {
        Self(bindings)
    }
}

impl From<Arc<[AclBinding]>> for DeleteAcls {
    fn from(bindings: Arc<[AclBinding]>) -> Self {
        Self(bindings)
    }
}

impl Gathered for CreateAcls {
    type Answer = Vec<Option<Trouble>>;
    type Key = Arc<[AclBinding]>;
    const CAPACITY: usize = MOST_TOGETHER;
    const PATIENCE: Duration = PATIENCE;

    fn key(&self) -> &Self::Key {
        &self.0
    }

    fn weight(&self) -> usize {
        self.0.len()
    }

    async fn send(client: &Client, asked: &[Self], deadline: Instant) -> Vec<Result<Self::Answer, Trouble>> {
        let creations = asked.iter().flat_map(|it| it.0.iter()).map(|it| {
            let AclBinding { resource_type, pattern_type, resource_name, principal, host, operation, permission } = it;
            AclCreation::default()
                .with_resource_type(resource_type.code())
                .with_resource_pattern_type(pattern_type.code())
                .with_resource_name(wire_text(resource_name))
                .with_principal(wire_text(principal.as_str()))
                .with_host(wire_text(host))
                .with_operation(operation.code())
                .with_permission_type(permission.code())
        });
        let request = CreateAclsRequest::default().with_creations(creations.collect());
        match client.call(Target::Controller, deadline, |_| Ok(request)).await {
            Ok(answer) => {
                let said = answer.results.into_iter().map(|it| (it.error_code, it.error_message));
                let said = said.map(|(code, message)| judged(client, code, message.as_deref()));
                divided(asked.iter().map(Self::weight), said)
            }
            Err(trouble) => all(asked.len(), &trouble),
        }
    }
}

impl Gathered for DeleteAcls {
    type Answer = Vec<Option<Trouble>>;
    type Key = Arc<[AclBinding]>;
    const CAPACITY: usize = MOST_DELETED_TOGETHER;
    const PATIENCE: Duration = PATIENCE;

    fn key(&self) -> &Self::Key {
        &self.0
    }

    fn weight(&self) -> usize {
        self.0.len()
    }

    /// Every filter tells all parts of one rule, so that it matches that rule or none.
    async fn send(client: &Client, asked: &[Self], deadline: Instant) -> Vec<Result<Self::Answer, Trouble>> {
        let filters = asked.iter().flat_map(|it| it.0.iter()).map(|it| {
            let AclBinding { resource_type, pattern_type, resource_name, principal, host, operation, permission } = it;
            DeleteAclsFilter::default()
                .with_resource_type_filter(resource_type.code())
                .with_pattern_type_filter(pattern_type.code())
                .with_resource_name_filter(Some(wire_text(resource_name)))
                .with_principal_filter(Some(wire_text(principal.as_str())))
                .with_host_filter(Some(wire_text(host)))
                .with_operation(operation.code())
                .with_permission_type(permission.code())
        });
        let request = DeleteAclsRequest::default().with_filters(filters.collect());
        match client.call(Target::Controller, deadline, |_| Ok(request)).await {
            Ok(answer) => {
                let said = answer.filter_results.into_iter().map(|it| {
                    let of_filter = judged(client, it.error_code, it.error_message.as_deref());
                    let mut of_rules =
                        it.matching_acls.iter().map(|it| judged(client, it.error_code, it.error_message.as_deref()));
                    of_filter.or_else(|| of_rules.find_map(|it| it))
                });
                divided(asked.iter().map(Self::weight), said)
            }
            Err(trouble) => all(asked.len(), &trouble),
        }
    }
}

/// What a code means for one rule.
fn judged(client: &Client, code: i16, message: Option<&str>) -> Option<Trouble> {
    if code == ResponseError::NotController.code() {
        client.forget_controller();
    }
    Trouble::of_code(code, message, CHANGING)
}

/// The answers of one request, which come in the order of the questions, to the calls that they belong to.
fn divided(
    counts: impl Iterator<Item = usize>,
    said: impl Iterator<Item = Option<Trouble>>,
) -> Vec<Result<Vec<Option<Trouble>>, Trouble>> {
    let mut said = said;
    let divide = |count| {
        let part: Vec<_> = said.by_ref().take(count).collect();
        if part.len() == count { Ok(part) } else { Err(too_few()) }
    };
    counts.map(divide).collect()
}

/// An answer that leaves rules out.
fn too_few() -> Trouble {
    let message = "it answered for fewer ACLs than it was asked about".to_owned();
    Trouble::Final(KafkaError::Broker { code: "UNKNOWN_SERVER_ERROR".to_owned(), message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_kafkas_codes() {
        fn check<T: Coded + std::fmt::Debug>(word: T, code: i8) {
            assert_eq!((word.code(), T::of_code(code)), (code, Some(word)));
        }
        check(ResourceType::Topic, 2);
        check(ResourceType::TransactionalId, 5);
        check(ResourceType::User, 7);
        check(PatternType::Literal, 3);
        check(PatternType::Prefixed, 4);
        check(Operation::All, 2);
        check(Operation::Write, 4);
        check(Operation::IdempotentWrite, 12);
        check(Operation::TwoPhaseCommit, 15);
        check(Permission::Deny, 2);
        check(Permission::Allow, 3);
        assert_eq!(Operation::of_code(16), None);
        assert_eq!(PatternType::of_code(2), None);
        assert_eq!(Permission::of_code(i8::MIN), None);
    }
}

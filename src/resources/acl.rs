//! `kafka_acl`: rules of the authorizer for one resource.

mod deeds;
mod elsewhere;
mod governed;
mod importing;
mod judging;
mod planning;
#[cfg(test)]
mod tests;
pub(crate) mod words;

use std::collections::BTreeSet;

use deeds::{change, remove};
use importing::AclName;
use serde_json::Value as Json;
use words::Word;

use super::{
    attributes::ApplicationRef,
    governed::{expect_governed, naming},
    place::{
        IMPORTED, Placed, environment_of_plan, environment_of_state, import_of, place_attributes, settle,
        settle_imported, settle_seen,
    },
    violations::diagnostic,
};
use crate::{
    clients::kafka::{AclFilter, KafkaError, ResourceFilter},
    framework::{
        Block, Call, Change, Computed, Diagnostic, Diagnostics, Failure, Import, Model, MoveSource, Optional,
        OptionalComputed, Phase, Plan, Required, Resource, Set, Timeouts, Unknown,
    },
    governance::{
        acl::{AclBinding, Operation, PatternType, Permission, Principal, ResourceType, WILDCARD},
        acl_set::{AclDraft, AclSet},
    },
    provider::Context,
};

/// Rules of the authorizer (ACLs) for one resource: each of the principals with each of the operations.
///
/// A change adds what is new before it removes what is gone, so that nobody is without access meanwhile. Only the rules
/// that are written here are managed: others for the same resource are never a difference. A principal that misses one of
/// its rules is shown as removed, and gets all of them again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct AclModel {
    /// Identifier of the rules:
    /// `<environment>/<resource type>|<pattern type>|<resource name>|<principals>|<host>|<operations>|<permission>` in
    /// Kafka's own words, with a `;` between principals and between operations. It changes with what it names.
    id: Computed<String>,
    /// Name of the environment. Default: the provider's default environment when the rules are created. Another name for
    /// the same cluster changes nothing; another cluster replaces the rules.
    environment: OptionalComputed<String>,
    /// Id of the cluster that has the rules.
    #[attr(unknown_when = &["environment"])]
    cluster_id: Computed<String>,
    /// Who the rules are about, such as `User:billing`; `User:*` is everybody. Needed, unless the deprecated
    /// `acl_principal` is there.
    principals: OptionalComputed<Set<Principal>>,
    /// What the rules are about, in Kafka's words: `READ`, `WRITE`, `CREATE`, `DELETE`, `ALTER`, `DESCRIBE`,
    /// `CLUSTER_ACTION`, `DESCRIBE_CONFIGS`, `ALTER_CONFIGS`, `IDEMPOTENT_WRITE`, `CREATE_TOKENS`, `DESCRIBE_TOKENS`,
    /// `TWO_PHASE_COMMIT` or `ALL`, as far as the kind of resource has them. `READ`, `WRITE`, `DELETE` and `ALTER` permit
    /// `DESCRIBE` too. Needed, unless the deprecated `acl_operation` is there.
    operations: OptionalComputed<Set<Word<Operation>>>,
    /// `allow`, or `deny`, which no other rule can overrule. Default: `allow`.
    #[attr(default = Permission::Allow)]
    permission: OptionalComputed<Word<Permission>>,
    /// Kind of resource: `topic`, `group`, `cluster`, `transactional_id`, `delegation_token` or `user`.
    resource_type: Required<Word<ResourceType>>,
    /// Name of the resource, or how names begin; `*` is every one of its kind. The cluster is called `kafka-cluster`.
    resource_name: Required<String>,
    /// What `resource_name` is: `literal`, the name itself, or `prefixed`, the beginning of names. Default: `literal`.
    #[attr(default = PatternType::Literal)]
    pattern_type: OptionalComputed<Word<PatternType>>,
    /// Address that the principals connect from; `*` is any. Default: `*`.
    #[attr(default = WILDCARD)]
    host: OptionalComputed<String>,
    /// Application that the rules are declared for: the `id` of its `kafka_application`, or its name. Only where an
    /// environment was declared; the rules go when the application ends. Default: the one that you act as, or none.
    application: Optional<ApplicationRef>,
    /// The principal, where there is one.
    #[attr(deprecated = "Write `principals = [\"User:…\"]`.")]
    acl_principal: Optional<Principal>,
    /// The operation, where there is one.
    #[attr(deprecated = "Write `operations = [\"…\"]`.")]
    acl_operation: Optional<Word<Operation>>,
    /// Another name of `permission`.
    #[attr(deprecated = "Write `permission`.")]
    acl_permission_type: Optional<Word<Permission>>,
    /// Another name of `host`.
    #[attr(deprecated = "Write `host`.")]
    acl_host: Optional<String>,
    /// Another name of `pattern_type`.
    #[attr(deprecated = "Write `pattern_type`.")]
    resource_pattern_type_filter: OptionalComputed<Word<PatternType>>,
    /// How long each operation may take.
    timeouts: Block<Timeouts>,
}

/// What tells rules from all others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct AclIdentity {
    /// Id of the cluster.
    cluster_id: Required<String>,
    /// Kind of resource.
    resource_type: Required<String>,
    /// Name of the resource, or how names begin.
    resource_name: Required<String>,
    /// `literal` or `prefixed`. Default: `literal`.
    #[attr(optional_for_import)]
    pattern_type: Optional<String>,
    /// Who the rules are about, in their order.
    principals: Required<Vec<String>>,
    /// What the rules are about, in their order.
    operations: Required<Vec<String>>,
    /// `allow` or `deny`. Default: `allow`.
    #[attr(optional_for_import)]
    permission: Optional<String>,
    /// Address that the principals connect from. Default: `*`.
    #[attr(optional_for_import)]
    host: Optional<String>,
}

/// The principals that a look found to miss a rule: what they still have is theirs to lose.
const DROPPED: &str = "dropped";

/// The resource.
#[derive(Debug)]
pub enum Acl {}

impl Resource<Context> for Acl {
    const NAME: &'static str = "acl";
    type Model = AclModel;
    type Identity = AclIdentity;

    fn identity(state: &AclModel) -> AclIdentity {
        AclIdentity::of(state)
    }

    fn validate(config: &AclModel, report: &mut Diagnostics) {
        planning::check_forms(config, report);
        for it in config.draft().violations() {
            report.push(diagnostic(&config.named_as_written(it), Phase::Plan));
        }
    }

    async fn plan(ctx: &Context, plan: &mut Plan<AclModel>, call: &mut Call) -> Result<(), Failure> {
        plan.take_aliases();
        plan.settle_place(ctx, call).await?;
        plan.end_remains(call);
        plan.note(ctx, call)
    }

    async fn admit(ctx: &Context, change: &Change<AclModel>, call: &mut Call) -> Result<(), Failure> {
        if call.phase == Phase::Apply {
            // The cluster judges the deed.
            return Ok(());
        }
        judging::judge(ctx, change, call).await
    }

    async fn create(ctx: &Context, plan: AclModel, _: &AclModel, call: &mut Call) -> Result<AclModel, Failure> {
        let environment = environment_of_plan(ctx, &plan)?;
        let cluster_id = environment.cluster_id(call.deadline).await?.to_owned();
        change(environment, None, &plan, BTreeSet::new(), call).await?;
        let mut state = plan;
        settle(&mut state, &environment.name, &cluster_id)?;
        Ok(state)
    }

    async fn read(ctx: &Context, state: AclModel, call: &mut Call) -> Result<Option<AclModel>, Failure> {
        let is_imported = call.private.take(IMPORTED).is_some();
        let (environment, cluster_id) = environment_of_state(ctx, &state, call.deadline).await?;
        expect_governed(call, environment).await?;
        let set = state.set()?;
        let filter = AclFilter {
            resource_type: Some(set.resource_type),
            resource: ResourceFilter::Written(set.pattern_type, set.resource_name.clone()),
            principal: None,
        };
        let kafka = environment.kafka()?;
        let found = if is_imported {
            kafka.acls(&filter, call.deadline).await
        } else {
            kafka.refresh_acls(&filter, call.deadline).await
        };
        match found {
            Ok(found) => {
                let Some(seen) = state.seen(&set, &found, call) else { return Ok(None) };
                Ok(Some(settle_seen(seen, environment, cluster_id)?))
            }
            Err(error @ (KafkaError::Denied { .. } | KafkaError::NoAuthorizer)) if !is_imported => {
                let detail = "The cluster does not show its rules, so that the state stays as it was stored.";
                call.report.push(Diagnostic::warning("ACLs not refreshed", detail).caused_by(&error));
                Ok(Some(settle_seen(state, environment, cluster_id)?))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn update(
        ctx: &Context,
        prior: AclModel,
        plan: AclModel,
        _: &AclModel,
        call: &mut Call,
    ) -> Result<AclModel, Failure> {
        let (environment, cluster_id) = environment_of_state(ctx, &prior, call.deadline).await?;
        expect_governed(call, environment).await?;
        let owned = prior.set()?.with(dropped(call)).bindings();
        change(environment, Some(&prior), &plan, owned, call).await?;
        call.private.take(DROPPED);
        let mut state = plan;
        let name = environment_of_plan(ctx, &state)?.name.clone();
        settle(&mut state, &name, cluster_id)?;
        Ok(state)
    }

    async fn delete(ctx: &Context, state: AclModel, call: &mut Call) -> Result<(), Failure> {
        let (environment, _) = environment_of_state(ctx, &state, call.deadline).await?;
        expect_governed(call, environment).await?;
        let set = state.set()?;
        let owned = set.with(dropped(call)).bindings();
        let removed = remove(environment, &state, owned, call).await;
        removed.map_err(|it| naming(it, &format!("the rules `{set}`")))
    }

    async fn import(ctx: &Context, import: Import<AclIdentity>, call: &mut Call) -> Result<AclModel, Failure> {
        let import = importing::with_name(import)?;
        let (environment, AclName(set)) = import_of(ctx, "kafka_acl", import, Ok, call.deadline).await?;
        settle_imported(AclModel::from(set), environment, call).await
    }

    fn upgrade(_: i64, state: Json) -> Result<Json, Failure> {
        Ok(elsewhere::upgraded(state))
    }

    fn move_from(source: &MoveSource) -> Option<Result<AclModel, Failure>> {
        elsewhere::moved(source)
    }
}

impl Placed for AclModel {
    const WHAT: &'static str = "ACL";

    place_attributes!();

    fn local_name(&self) -> Result<String, Unknown> {
        Ok(self.set()?.to_string())
    }
}

impl From<AclSet> for AclModel {
    fn from(set: AclSet) -> Self {
        let AclSet { resource_type, pattern_type, resource_name, principals, host, operations, permission } = set;
        Self {
            principals: Set(principals.into_iter().collect()).into(),
            operations: Set(operations.into_iter().map(Word::from).collect()).into(),
            permission: Word::from(permission).into(),
            resource_type: Word::from(resource_type).into(),
            resource_name: resource_name.into(),
            pattern_type: Word::from(pattern_type).into(),
            host: host.into(),
            ..Self::default()
        }
    }
}

impl AclModel {
    /// The rules that are declared.
    fn set(&self) -> Result<AclSet, Unknown> {
        let Self {
            id: _,
            environment: _,
            cluster_id: _,
            principals,
            operations,
            permission,
            resource_type,
            resource_name,
            pattern_type,
            host,
            application: _,
            acl_principal: _,
            acl_operation: _,
            acl_permission_type: _,
            acl_host: _,
            resource_pattern_type_filter: _,
            timeouts: _,
        } = self;
        Ok(AclSet {
            resource_type: resource_type.value()?.value,
            pattern_type: pattern_type.known()?.map_or(PatternType::Literal, |it| it.value),
            resource_name: resource_name.value()?.clone(),
            principals: principals.known()?.into_iter().flat_map(|it| it.0.iter().cloned()).collect(),
            host: host.known()?.cloned().unwrap_or_else(|| WILDCARD.to_owned()),
            operations: operations.known()?.into_iter().flat_map(|it| it.0.iter().map(|it| it.value)).collect(),
            permission: permission.known()?.map_or(Permission::Allow, |it| it.value),
        })
    }

    /// What is known of a configuration, in whichever words it is written.
    fn draft(&self) -> AclDraft<'_> {
        let principals = self.principals.get().map(|it| it.0.iter().collect());
        let operations = self.operations.get().map(|it| it.0.iter().map(|it| it.value).collect());
        AclDraft {
            resource_type: self.resource_type.get().map(|it| it.value),
            pattern_type: self.pattern_type.get().or(self.resource_pattern_type_filter.get()).map(|it| it.value),
            resource_name: self.resource_name.get().map(String::as_str),
            principals: principals.or_else(|| self.acl_principal.get().map(|it| vec![it])),
            host: self.host.get().or(self.acl_host.get()).map(String::as_str),
            operations: operations.or_else(|| self.acl_operation.get().map(|it| vec![it.value])),
        }
    }

    /// The state with what the cluster has of the rules; `None` if it has none of them. A principal that misses a rule is
    /// dropped, and remembered if it has others still.
    fn seen(mut self, set: &AclSet, found: &[AclBinding], call: &mut Call) -> Option<Self> {
        let owned = set.with(dropped(call));
        let whole = owned.whole(found);
        if whole.is_empty() && !owned.is_anywhere(found) {
            call.private.take(DROPPED);
            return None;
        }
        let has_some = |it: &&Principal| owned.of(it).any(|it| found.binary_search(&it).is_ok());
        let missing = owned.principals.difference(&whole);
        let dropped: Vec<_> = missing.filter(has_some).map(Principal::as_str).collect();
        if dropped.is_empty() {
            call.private.take(DROPPED);
        } else {
            call.private.set(DROPPED, dropped);
        }
        if whole != set.principals {
            if self.acl_principal.get().is_some_and(|it| !whole.contains(it)) {
                self.acl_principal = None.into();
            }
            self.principals = Set(whole.into_iter().collect()).into();
        }
        Some(self)
    }
}

/// The principals that a look found to miss a rule, and to have others.
fn dropped(call: &Call) -> Vec<Principal> {
    let names = call.private.get(DROPPED).and_then(Json::as_array).into_iter().flatten();
    names.filter_map(|it| it.as_str()?.parse().ok()).collect()
}

//! `data.kafka_acls`: the rules of a cluster's authorizer.

use crate::{
    clients::kafka::{AclFilter, ResourceFilter},
    framework::{Call, Computed, DataSource, Failure, Model, Nested, Optional, OptionalComputed},
    governance::acl::{AclBinding, Operation, PatternType, Permission, Principal, ResourceType},
    provider::Context,
    resources::acl::words::{Word, Worded},
};

/// The rules of the authorizer (ACLs) of an environment, in the order of their resources. Each argument but the environment
/// leaves out those that are otherwise; without any, there are all. It takes `DESCRIBE` on the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct AclsModel {
    /// Name of the environment. Default: the provider's default environment.
    environment: OptionalComputed<String>,
    /// Name of the environment, the same as `environment`.
    id: Computed<String>,
    /// Kind of resource: `topic`, `group`, `cluster`, `transactional_id`, `delegation_token` or `user`.
    resource_type: Optional<Word<ResourceType>>,
    /// Name of the resource, as the rule has it.
    resource_name: Optional<String>,
    /// What the rule's name is: `literal` or `prefixed`. Where it is left out and `resource_name` is there, rules of both
    /// kinds that are about the resource of that name, `*` and the beginnings of its name included.
    pattern_type: Optional<Word<PatternType>>,
    /// Who the rule is about, exactly so.
    principal: Optional<Principal>,
    /// What the rule is about, exactly so.
    operation: Optional<Word<Operation>>,
    /// `allow` or `deny`.
    permission: Optional<Word<Permission>>,
    /// Address, exactly so.
    host: Optional<String>,
    /// The rules.
    acls: Computed<Vec<Nested<ListedAclModel>>>,
}

/// A rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ListedAclModel {
    /// Kind of resource.
    resource_type: Computed<String>,
    /// Name of the resource, or how names begin.
    resource_name: Computed<String>,
    /// `literal` or `prefixed`.
    pattern_type: Computed<String>,
    /// Who it is about.
    principal: Computed<String>,
    /// Address that the principal connects from; `*` is any.
    host: Computed<String>,
    /// What it is about.
    operation: Computed<String>,
    /// `allow` or `deny`.
    permission: Computed<String>,
}

/// The data source.
#[derive(Debug)]
pub enum Acls {}

impl DataSource<Context> for Acls {
    const NAME: &'static str = "acls";
    type Model = AclsModel;

    async fn read(ctx: &Context, config: AclsModel, call: &mut Call) -> Result<AclsModel, Failure> {
        let environment = ctx.environment(config.environment.get().map(String::as_str))?;
        let found = environment.kafka()?.acls(&config.filter(), call.deadline).await?;
        let found: Vec<_> = found.iter().filter(|it| config.admits(it)).map(listed).collect();
        Ok(AclsModel {
            environment: environment.name.clone().into(),
            id: environment.name.clone().into(),
            acls: found.into(),
            ..config
        })
    }
}

impl AclsModel {
    /// What the cluster is asked for.
    fn filter(&self) -> AclFilter {
        let pattern = self.pattern_type.get().map(|it| it.value);
        let resource = match (self.resource_name.get(), pattern) {
            (Some(name), Some(pattern)) => ResourceFilter::Written(pattern, name.clone()),
            (Some(name), None) => ResourceFilter::Covering(name.clone()),
            (None, _) => ResourceFilter::Any,
        };
        AclFilter {
            resource_type: self.resource_type.get().map(|it| it.value),
            resource,
            principal: self.principal.get().cloned(),
        }
    }

    /// Whether a rule is one of those that are asked for.
    fn admits(&self, it: &AclBinding) -> bool {
        self.pattern_type.get().is_none_or(|wanted| wanted.value == it.pattern_type)
            && self.operation.get().is_none_or(|wanted| wanted.value == it.operation)
            && self.permission.get().is_none_or(|wanted| wanted.value == it.permission)
            && self.host.get().is_none_or(|wanted| *wanted == it.host)
    }
}

fn listed(it: &AclBinding) -> Nested<ListedAclModel> {
    Nested::from(ListedAclModel {
        resource_type: it.resource_type.written().into(),
        resource_name: it.resource_name.clone().into(),
        pattern_type: it.pattern_type.written().into(),
        principal: it.principal.to_string().into(),
        host: it.host.clone().into(),
        operation: it.operation.written().into(),
        permission: it.permission.written().into(),
    })
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        time::{Duration, Instant},
    };

    use super::*;
    use crate::{
        clients::memory::MemoryCluster,
        framework::{Diagnostics, Phase, Private},
        provider::Environment,
    };

    #[tokio::test]
    async fn rules_are_shown_by_whatever_they_are_about() {
        let cluster = Arc::new(MemoryCluster::new(1));
        let rules = [
            "TOPIC|LITERAL|orders|User:a|*|READ|ALLOW",
            "TOPIC|LITERAL|*|User:b|*|DESCRIBE|ALLOW",
            "TOPIC|PREFIXED|ord|User:a|10.0.0.1|WRITE|DENY",
            "GROUP|LITERAL|orders|User:a|*|READ|ALLOW",
        ];
        cluster.add_rules(rules.iter().map(|it| it.parse().unwrap()));
        let ctx = Context::new([Environment::new("dev", Arc::clone(&cluster) as _)], None);
        let check = async |config: AclsModel, expected: usize| {
            let deadline = Instant::now() + Duration::from_mins(1);
            let (private, report) = (Private::default(), Diagnostics::default());
            let mut call = Call { phase: Phase::Apply, private, report, deadline };
            let told = format!("{config:?}");
            let found = Acls::read(&ctx, config, &mut call).await.unwrap();
            assert_eq!(found.acls.get().unwrap().len(), expected, "{told}");
        };
        let all = AclsModel::default;
        let topic = || AclsModel { resource_type: Word::from(ResourceType::Topic).into(), ..all() };
        check(all(), 4).await;
        check(topic(), 3).await;
        check(AclsModel { resource_name: "orders".to_owned().into(), ..topic() }, 3).await;
        let literal = Word::from(PatternType::Literal);
        let written = AclsModel { pattern_type: literal.into(), resource_name: "orders".to_owned().into(), ..topic() };
        check(written, 1).await;
        check(AclsModel { principal: Principal::user("a").into(), ..all() }, 3).await;
        check(AclsModel { operation: Word::from(Operation::Read).into(), ..all() }, 2).await;
        check(AclsModel { permission: Word::from(Permission::Deny).into(), ..all() }, 1).await;
        check(AclsModel { host: "10.0.0.1".to_owned().into(), ..all() }, 1).await;
    }
}

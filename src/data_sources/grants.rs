//! `data.kafka_grants`: who may do what to something, and why.

mod rules;

use super::{access_requests::moment, environment::absent};
use crate::{
    framework::{
        Call, Computed, DataSource, Diagnostic, Diagnostics, Failure, Model, Nested, OptionalComputed, Required,
    },
    governance::{
        acl::ResourceType,
        check_request::owner,
        kind::Kind,
        policy::AclMode,
        request::{AccessTo, Request, RequestId, resource_type},
        state::State,
    },
    provider::Context,
};
use rules::{Rules, Source};

/// Who may do what to a topic, a group or a transactional id, and why: the rules of the brokers' authorizer that are about
/// it, those for all of its kind and those for beginnings of names included, each with what it is there for.
///
/// Super users may do everything, whatever the rules say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct GrantsModel {
    /// Name of the environment. Default: the provider's default environment.
    environment: OptionalComputed<String>,
    /// Identifier: `<environment>/<resource_type>/<resource_name>`.
    id: Computed<String>,
    /// Kind of the resource: `topic`, `group` or `transactional_id`. Default: `topic`.
    resource_type: OptionalComputed<String>,
    /// Name of the resource. It need not exist.
    resource_name: Required<String>,
    /// Name of the application that owns it; null if nobody does.
    owner: Computed<String>,
    /// Where the rules come from: `cluster`, the brokers told them; or `journal`, the caller may not see those, so that
    /// only what is made here is told: rules of others are missing, and what the journal has may have been removed.
    source: Computed<String>,
    /// Whether everybody may use it, because it has no rule and the environment is open for what has none.
    open: Computed<bool>,
    /// Super users of the brokers, as the environment declares them.
    super_users: Computed<Vec<String>>,
    /// The rules.
    rules: Computed<Vec<Nested<RuleModel>>>,
}

/// A rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct RuleModel {
    /// The whole rule: `<resource type>|<pattern type>|<name>|<principal>|<host>|<operation>|<permission>`.
    acl: Computed<String>,
    /// Whom it is about; `User:*` is everybody.
    principal: Computed<String>,
    /// Name of the application whose principal it is; null if it is nobody's.
    application: Computed<String>,
    /// Address that it holds for; `*` is any.
    host: Computed<String>,
    /// What it is about, in Kafka's word.
    operation: Computed<String>,
    /// `ALLOW` or `DENY`.
    permission: Computed<String>,
    /// Where it is in its life: `present`; `missing`, by the journal it should be there and it is not; `removing`; or
    /// `unseen`, where the caller may not see what the cluster has.
    status: Computed<String>,
    /// Whether it permits what it says: it is there, and no rule forbids it.
    effective: Computed<bool>,
    /// What it is there for.
    because: Computed<Vec<Nested<ReasonModel>>>,
    /// Rules that forbid what it permits, or a part of that.
    forbidden_by: Computed<Vec<String>>,
    /// Rules by which they would keep what it permits, or a part of that, if it were removed.
    still_permitted_by: Computed<Vec<String>>,
}

/// What a rule is there for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ReasonModel {
    /// `owner`, its own application's; `application`, another one's own, as it has a prefix that covers it; `grant`, what
    /// was agreed to; `declared`, by a resource that declares rules; or `foreign`, nobody here made it.
    kind: Computed<String>,
    /// Which: the life of the application such as `billing#1`, the id of the request, or of the resource.
    id: Computed<String>,
    /// When a grant ends by itself; null for never.
    expires_at: Computed<String>,
    /// Who agreed to a grant: as what, who as their pipeline claimed, and when.
    agreed_by: Computed<Vec<String>>,
}

/// The data source.
#[derive(Debug)]
pub enum Grants {}

/// The kinds that Kafka's authorizer has rules for and applications own.
const KINDS: [Kind; 3] = [Kind::Topic, Kind::Group, Kind::TransactionalId];

impl DataSource<Context> for Grants {
    const NAME: &'static str = "grants";
    type Model = GrantsModel;

    fn validate(config: &GrantsModel, report: &mut Diagnostics) {
        if let Some(wrong) = config.resource_type.get().filter(|it| known_kind(it).is_none()) {
            let detail = format!("`{wrong}` is none of `topic`, `group` and `transactional_id`.");
            report.push(Diagnostic::error("Unknown word", detail).at("resource_type"));
        }
    }

    async fn read(ctx: &Context, config: GrantsModel, call: &mut Call) -> Result<GrantsModel, Failure> {
        let environment = ctx.environment(config.environment.get().map(String::as_str))?;
        let governance = environment.governance_now(call.deadline).await?.ok_or_else(|| absent(&environment.name))?;
        let state = &governance.snapshot.state;
        let kind = config.resource_type.get().map_or(Some(Kind::Topic), |it| known_kind(it)).unwrap_or(Kind::Topic);
        let name = config.resource_name.value()?.clone();
        let whole = resource_type(kind).unwrap_or(ResourceType::Topic);
        let rules = Rules::read(environment.kafka()?, state, whole, &name, call.deadline).await?;
        let owner = owner(state, &named(kind, &name)).map(|it| it.spec.name.clone());
        let cluster = state.environment().map(|it| &it.spec.cluster);
        let super_users = cluster.into_iter().flat_map(|it| &it.super_users).map(ToString::to_string);
        let is_open = state.policy().is_some_and(|it| it.acl_mode != AclMode::Closed) && rules.are_none();
        Ok(GrantsModel {
            environment: environment.name.clone().into(),
            id: format!("{}/{}/{name}", environment.name, kind.word()).into(),
            resource_type: kind.word().to_owned().into(),
            source: match rules.source {
                Source::Cluster => "cluster",
                Source::Journal => "journal",
            }
            .to_owned()
            .into(),
            open: is_open.into(),
            super_users: super_users.collect::<Vec<_>>().into(),
            rules: rules.shown(state, owner.as_ref()).into(),
            owner: owner.map(|it| it.to_string()).into(),
            resource_name: name.into(),
        })
    }
}

fn known_kind(word: &str) -> Option<Kind> {
    KINDS.into_iter().find(|it| it.word() == word)
}

/// The resource of that name, as a request would name it.
fn named(kind: Kind, name: &str) -> AccessTo {
    AccessTo {
        kind,
        name: name.to_owned(),
        pattern: crate::governance::acl::PatternType::Literal,
        operations: [].into(),
    }
}

/// Who agreed to what is granted, in words.
fn agreed_by(it: &Request) -> Vec<String> {
    let decisions = it.grant.as_ref().map(|it| &it.decisions).into_iter().flatten();
    let told = decisions.map(|(judge, decided)| {
        let application = decided.application.as_ref().map(|it| format!(" {}", it.name)).unwrap_or_default();
        let actor = decided.actor.as_ref().map(|it| format!(", {it}")).unwrap_or_default();
        format!("{}{application}{actor}, {}", judge.word(), moment(Some(decided.at)).unwrap_or_default())
    });
    told.collect()
}

/// A grant as the reason for a rule.
fn granted(state: &State, id: &str) -> ReasonModel {
    let request = id.parse().ok().and_then(|it: RequestId| state.request(&it));
    let content = request.and_then(|it| it.grant.as_ref()).map(|it| &it.content);
    ReasonModel {
        kind: "grant".to_owned().into(),
        id: id.to_owned().into(),
        expires_at: moment(content.and_then(|it| it.expires_at)).into(),
        agreed_by: request.map(agreed_by).unwrap_or_default().into(),
    }
}

#[cfg(test)]
mod tests;

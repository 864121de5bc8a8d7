//! The rules about a resource, from the cluster or from the journal, and what they mean together.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use super::{ReasonModel, RuleModel, granted};
use crate::{
    clients::kafka::{AclFilter, Kafka, KafkaError, ResourceFilter},
    framework::{Failure, Nested},
    governance::{
        acl::{AclBinding, Permission, ResourceType},
        binding::{BindingStatus, Holder},
        effective::{ineffective, still_permitted_by},
        names::ApplicationName,
        state::State,
    },
};

/// Where rules come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The brokers told them.
    Cluster,
    /// The caller may not see those.
    Journal,
}

/// The rules about a resource, each with the word for where it is in its life.
pub(super) struct Rules {
    pub(super) source: Source,
    found: BTreeMap<AclBinding, &'static str>,
}

impl Rules {
    /// All rules that are about the resource of this name.
    pub(super) async fn read(
        kafka: &dyn Kafka,
        state: &State,
        kind: ResourceType,
        name: &str,
        deadline: Instant,
    ) -> Result<Self, Failure> {
        let resource = ResourceFilter::Covering(name.to_owned());
        let filter = AclFilter { resource_type: Some(kind), resource, principal: None };
        let on_cluster: Option<BTreeSet<AclBinding>> = match kafka.acls(&filter, deadline).await {
            Ok(it) => Some(it.into_iter().collect()),
            Err(KafkaError::Denied { .. } | KafkaError::NoAuthorizer) => None,
            Err(error) => return Err(error.into()),
        };
        let source = if on_cluster.is_some() { Source::Cluster } else { Source::Journal };
        let mut found: BTreeMap<_, _> = on_cluster.iter().flatten().map(|it| (it.clone(), "present")).collect();
        for (rule, entry) in state.bindings().filter(|(it, _)| it.covers(kind, name)) {
            let is_there = on_cluster.as_ref().map(|it| it.contains(rule));
            let word = match (entry.status, is_there) {
                (BindingStatus::Removed, _) | (BindingStatus::Removing, Some(false)) => continue,
                (BindingStatus::Removing, _) => "removing",
                (_, Some(true)) => "present",
                (_, Some(false)) => "missing",
                (_, None) => "unseen",
            };
            found.insert(rule.clone(), word);
        }
        Ok(Self { source, found })
    }

    /// Whether there are none.
    pub(super) fn are_none(&self) -> bool {
        self.there().next().is_none()
    }

    /// Those that are there, as far as that is known.
    fn there(&self) -> impl Iterator<Item = &AclBinding> {
        self.found.iter().filter(|(_, word)| **word != "missing").map(|(it, _)| it)
    }

    pub(super) fn shown(&self, state: &State, owner: Option<&ApplicationName>) -> Vec<Nested<RuleModel>> {
        let shown = self.found.iter().map(|(rule, word)| self.rule(rule, word, state, owner));
        shown.map(Nested::from).collect()
    }

    fn rule(&self, it: &AclBinding, word: &str, state: &State, owner: Option<&ApplicationName>) -> RuleModel {
        let texts = |them: Vec<&AclBinding>| them.iter().map(ToString::to_string).collect::<Vec<_>>();
        let permits = it.permission == Permission::Allow;
        let (mut forbidden, mut still) = (Vec::new(), Vec::new());
        if permits {
            forbidden = texts(ineffective(self.there(), it));
            still = texts(still_permitted_by(self.there(), it));
        }
        RuleModel {
            acl: it.to_string().into(),
            principal: it.principal.to_string().into(),
            application: state.application_of(&it.principal).map(|it| it.spec.name.to_string()).into(),
            host: it.host.clone().into(),
            operation: it.operation.to_string().into(),
            permission: it.permission.to_string().into(),
            status: word.to_owned().into(),
            effective: (permits && word != "missing" && forbidden.is_empty()).into(),
            because: reasons(it, state, owner).into_iter().map(Nested::from).collect::<Vec<_>>().into(),
            forbidden_by: forbidden.into(),
            still_permitted_by: still.into(),
        }
    }
}

/// What a rule is there for. What is being removed is there for who needed it last.
fn reasons(rule: &AclBinding, state: &State, owner: Option<&ApplicationName>) -> Vec<ReasonModel> {
    let entry = state.binding(rule).filter(|it| it.status != BindingStatus::Removed);
    let holders = entry.into_iter().flat_map(|it| it.holders.iter().chain(&it.released_by));
    let res: Vec<_> = holders.map(|it| reason(it, state, owner)).collect();
    if res.is_empty() { vec![reason(&Holder::Foreign, state, owner)] } else { res }
}

fn reason(holder: &Holder, state: &State, owner: Option<&ApplicationName>) -> ReasonModel {
    let of = |kind: &str, id: Option<String>| ReasonModel {
        kind: kind.to_owned().into(),
        id: id.into(),
        agreed_by: Vec::new().into(),
        ..ReasonModel::default()
    };
    match holder {
        Holder::Application(uid) if Some(&uid.name) == owner => of("owner", Some(uid.to_string())),
        Holder::Application(uid) => of("application", Some(uid.to_string())),
        Holder::Grant(id) => granted(state, id),
        Holder::Declared(id) => of("declared", Some(id.clone())),
        Holder::Foreign => of("foreign", None),
    }
}

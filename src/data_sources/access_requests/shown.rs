//! A request as a reader sees it, by what plans may read.

use std::collections::BTreeSet;

use super::{DecisionModel, FoundRequestModel, kind};
use crate::{
    clients::journal::Snapshot,
    framework::Nested,
    governance::{
        acl::{AclBinding, PatternType},
        changes::is_being_made,
        environment::ClusterFacts,
        grants::waiting_principals,
        policy::Enforcement,
        record::Timestamp,
        request::{Change, Decided, Judge, Look, Request, RequestId, RequestStatus, Subject, Wanted},
        state::State,
    },
    resources::Moment,
};

/// What is known, and when.
pub(super) struct Sight<'a> {
    pub(super) state: &'a State,
    enforcement: Enforcement,
    now: Timestamp,
}

impl<'a> Sight<'a> {
    pub(super) fn of(snapshot: &'a Snapshot<State>) -> Self {
        let enforcement = snapshot.state.policy().map(|it| it.enforcement).unwrap_or_default();
        Self { state: &snapshot.state, enforcement, now: snapshot.now() }
    }

    /// Where a request is in its life, in a word.
    pub(super) fn status(&self, it: &Request) -> &'static str {
        if is_being_made(self.state, it) {
            return RequestStatus::Provisioning.word();
        }
        it.look(self.enforcement, self.now).word()
    }

    /// A request without what only some may read.
    pub(super) fn shown(&self, id: &RequestId, it: &Request) -> FoundRequestModel {
        let Request { content, revision, decisions, grant, .. } = it;
        let principals = |them: &BTreeSet<_>| them.iter().map(ToString::to_string).collect::<Vec<String>>();
        let model = FoundRequestModel {
            id: id.to_string().into(),
            revision: revision.to_string().into(),
            kind: kind(it).to_owned().into(),
            status: self.status(it).to_owned().into(),
            applicant: content.applicant.to_string().into(),
            owner: content.owner.as_ref().map(ToString::to_string).into(),
            principals: principals(&content.principals).into(),
            waiting_principals: principals(&waiting_principals(self.state, it)).into(),
            acls: self.rules(it).iter().map(ToString::to_string).collect::<Vec<_>>().into(),
            granted_revision: grant.as_ref().map(|it| it.revision.to_string()).into(),
            decisions: decisions.iter().map(decision).collect::<Vec<_>>().into(),
            filed_by: it.filed_by.clone().into(),
            approver: it.approver.clone().into(),
            ticket: it.ticket.clone().into(),
            created_at: moment(Some(it.created_at)).into(),
            granted_at: moment(grant.as_ref().map(|it| it.since)).into(),
            expires_at: moment(content.expires_at).into(),
            ended_at: moment(it.ended_at).into(),
            ..FoundRequestModel::default()
        };
        model.about(it)
    }

    /// The rules that a request has, or that somebody else is to make for it.
    fn rules(&self, it: &Request) -> BTreeSet<AclBinding> {
        let facts = self.state.environment().map(|it| &it.spec.cluster);
        match (&it.grant, it.content.access()) {
            (Some(grant), _) => grant.bindings.clone(),
            (None, Some(access)) if it.look(self.enforcement, self.now) == Look::External => {
                access.bindings(&it.content.principals, facts.unwrap_or(&ClusterFacts::default()))
            }
            _ => BTreeSet::new(),
        }
    }
}

impl FoundRequestModel {
    /// With what is asked for.
    fn about(self, it: &Request) -> Self {
        match &it.content.subject {
            Subject::Access(access) => Self {
                resource_type: access.kind.word().to_owned().into(),
                resource_name: access.name.clone().into(),
                pattern_type: pattern(access.pattern).to_owned().into(),
                operations: access.operations.iter().map(ToString::to_string).collect::<Vec<_>>().into(),
                ..self
            },
            Subject::Application(asked) => Self {
                resource_name: it.applicant().name.to_string().into(),
                verb: if asked.is_amendment { "update" } else { "create" }.to_owned().into(),
                ..self
            },
            Subject::Change(Change { kind, verb, name, partitions, disk_bytes, digest: _ }) => Self {
                resource_type: kind.word().to_owned().into(),
                resource_name: name.clone().into(),
                verb: verb.word().to_owned().into(),
                partitions: (*partitions).into(),
                disk_bytes: (*disk_bytes).into(),
                ..self.with(it.wanted.as_ref())
            },
        }
    }

    /// With the rest of a change, as it is to be made.
    fn with(self, wanted: Option<&Wanted>) -> Self {
        let Some(Wanted::Topic { ask, topic_id: _ }) = wanted else { return self };
        Self {
            replication_factor: ask.topic.replication_factor.into(),
            config: ask.topic.config.clone().into(),
            config_reset: ask.reset.iter().cloned().collect::<Vec<_>>().into(),
            ..self
        }
    }
}

/// When something happened to a request, as far as it says.
pub(super) fn times(it: &Request) -> impl Iterator<Item = Timestamp> + '_ {
    let decided = it.decisions.values().map(|it| it.at);
    let granted = it.grant.iter().map(|it| it.since);
    decided.chain(granted).chain([it.created_at]).chain(it.ended_at)
}

/// A moment in words.
pub(in crate::data_sources) fn moment(at: Option<Timestamp>) -> Option<String> {
    Some(Moment::utc(at?)?.to_string())
}

fn decision((judge, it): (&Judge, &Decided)) -> Nested<DecisionModel> {
    let Decided { revision: _, choice, application, actor, at } = it;
    Nested::from(DecisionModel {
        judge: judge.word().to_owned().into(),
        choice: choice.word().to_owned().into(),
        application: application.as_ref().map(ToString::to_string).into(),
        actor: actor.clone().into(),
        at: moment(Some(*at)).into(),
        ..DecisionModel::default()
    })
}

fn pattern(it: PatternType) -> &'static str {
    match it {
        PatternType::Literal => "literal",
        PatternType::Prefixed => "prefixed",
    }
}

//! A decision in the making: entities as they will be, over those that are.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::governance::{
    acl::AclBinding,
    application::Application,
    binding::BindingEntry,
    client_quota::{Quota, QuotaUser},
    command::{Actor, CommandKind, Role},
    environment::Environment,
    names::ApplicationName,
    owned_topic::OwnedTopic,
    policy::{Enforcement, Policy},
    record::{Event, Timestamp},
    request::{Judge, Request, RequestId},
    state::{self, ENVIRONMENT, State},
    topic::TopicName,
};

/// Entities as they will be. What is set to what it was is no change.
pub(super) struct Draft<'a> {
    pub(super) state: &'a State,
    pub(super) actor: &'a Actor,
    pub(super) now: Timestamp,
    /// For whom something is done that was agreed to: with their rights, and with nobody else's leave.
    pub(super) agreed_for: Option<Role>,
    environment: Option<Environment>,
    applications: BTreeMap<ApplicationName, Application>,
    topics: BTreeMap<TopicName, OwnedTopic>,
    bindings: BTreeMap<AclBinding, BindingEntry>,
    quotas: BTreeMap<QuotaUser, Quota>,
    requests: BTreeMap<RequestId, Request>,
    /// Free text, by the key of its entity.
    pub(super) texts: BTreeMap<String, Option<Value>>,
    pub(super) facts: Map<String, Value>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(state: &'a State, actor: &'a Actor, now: Timestamp) -> Self {
        Self {
            state,
            actor,
            now,
            agreed_for: None,
            environment: None,
            applications: BTreeMap::new(),
            topics: BTreeMap::new(),
            bindings: BTreeMap::new(),
            quotas: BTreeMap::new(),
            requests: BTreeMap::new(),
            texts: BTreeMap::new(),
            facts: Map::new(),
        }
    }

    /// With whose rights it is decided.
    pub(super) fn role(&self) -> &Role {
        self.agreed_for.as_ref().unwrap_or(&self.actor.role)
    }

    pub(super) fn is_platform(&self) -> bool {
        *self.role() == Role::Platform
    }

    pub(super) fn environment(&self) -> &'a Environment {
        self.state.environment().expect("without an environment only its declaration gets here")
    }

    pub(super) fn policy(&self) -> &'a Policy {
        &self.environment().spec.policy
    }

    pub(super) fn enforcement(&self) -> Enforcement {
        self.policy().enforcement
    }

    pub(super) fn application(&self, name: &ApplicationName) -> Option<&Application> {
        self.applications.get(name).or_else(|| self.state.application(name))
    }

    pub(super) fn binding(&self, binding: &AclBinding) -> Option<&BindingEntry> {
        self.bindings.get(binding).or_else(|| self.state.binding(binding))
    }

    pub(super) fn quota(&self, user: &QuotaUser) -> Option<&Quota> {
        self.quotas.get(user).or_else(|| self.state.quota(user))
    }

    pub(super) fn request(&self, id: &RequestId) -> Option<&Request> {
        self.requests.get(id).or_else(|| self.state.request(id))
    }

    pub(super) fn set_environment(&mut self, it: Environment) {
        self.environment = Some(it);
    }

    pub(super) fn set_application(&mut self, it: Application) {
        self.applications.insert(it.spec.name.clone(), it);
    }

    pub(super) fn set_topic(&mut self, name: TopicName, it: OwnedTopic) {
        self.topics.insert(name, it);
    }

    pub(super) fn set_binding(&mut self, binding: AclBinding, it: BindingEntry) {
        self.bindings.insert(binding, it);
    }

    pub(super) fn set_quota(&mut self, user: QuotaUser, it: Quota) {
        self.quotas.insert(user, it);
    }

    pub(super) fn set_request(&mut self, id: RequestId, it: Request) {
        self.requests.insert(id, it);
    }

    /// Notes when it was said what becomes of all the applications that change, and of the requests and topics, too, where
    /// they are what it is about.
    pub(super) fn note_said(&mut self, at: Timestamp, with_requests_and_topics: bool) {
        let state = self.state;
        for (_, it) in self.applications.iter_mut().filter(|(name, it)| state.application(name) != Some(it)) {
            it.said_at = it.said_at.max(Some(at));
        }
        if !with_requests_and_topics {
            return;
        }
        for (_, it) in self.requests.iter_mut().filter(|(id, it)| state.request(id) != Some(it)) {
            it.said_at = it.said_at.max(Some(at));
        }
        for (_, it) in self.topics.iter_mut().filter(|(name, it)| state.topic(name) != Some(it)) {
            it.said_at = it.said_at.max(Some(at));
        }
    }

    /// Notes when a request that changes was decided about.
    pub(super) fn note_judged(&mut self, id: &RequestId, judge: Judge, at: Timestamp) {
        if let Some(it) = self.requests.get_mut(id).filter(|it| self.state.request(id) != Some(it)) {
            let last = it.judged_at.get(&judge).copied();
            it.judged_at.insert(judge, last.map_or(at, |it| it.max(at)));
        }
    }

    /// One event with all that changes, or none if nothing does.
    pub(super) fn events(self, kind: CommandKind) -> Vec<Event> {
        let Self {
            state,
            actor,
            now: _,
            agreed_for: _,
            environment,
            applications,
            topics,
            bindings,
            quotas,
            requests,
            texts,
            facts,
        } = self;
        let mut facts = facts;
        let mut entities = BTreeMap::new();
        if let Some(it) = environment.filter(|it| state.any_environment() != Some(it)) {
            entities.insert(ENVIRONMENT.to_owned(), state.rewritten_environment(&it));
        }
        for (name, it) in applications.iter().filter(|(name, it)| state.application(name) != Some(it)) {
            entities.insert(state::application_key(name), state.rewritten_application(it));
        }
        for (name, it) in topics.iter().filter(|(name, it)| state.topic(name) != Some(it)) {
            entities.insert(state::topic_key(name), state.rewritten_topic(name, it));
        }
        for (binding, it) in bindings.iter().filter(|(binding, it)| state.binding(binding) != Some(it)) {
            entities.insert(state::binding_key(binding), state.rewritten_binding(binding, it));
        }
        for (user, it) in quotas.iter().filter(|(user, it)| state.quota(user) != Some(it)) {
            entities.insert(state::quota_key(user), state.rewritten_quota(user, it));
        }
        for (id, it) in requests.iter().filter(|(id, it)| state.request(id) != Some(it)) {
            entities.insert(state::request_key(id), state.rewritten_request(id, it));
        }
        if entities.is_empty() {
            return Vec::new();
        }
        facts.extend(who(actor));
        vec![Event { kind: kind.event().to_owned(), entities, texts, facts }]
    }
}

/// Who asked, for history.
fn who(actor: &Actor) -> Map<String, Value> {
    let Actor { role, claimed, change_url, written_at: _ } = actor;
    let acting = match role {
        Role::Platform => "platform".to_owned(),
        Role::Application(it) => format!("application/{it}"),
        Role::Nobody => "nobody".to_owned(),
    };
    let mut res = Map::from_iter([("acting_as".to_owned(), acting.into())]);
    for (key, value) in [("claimed_actor", claimed), ("claimed_change_url", change_url)] {
        if let Some(value) = value {
            res.insert(key.to_owned(), value.clone().into());
        }
    }
    res
}

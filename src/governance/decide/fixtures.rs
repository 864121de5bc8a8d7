//! An environment to try decisions in.

use serde_json::{Value, json};

use super::decide;
use crate::governance::{
    acl::AclBinding,
    application::ApplicationSpec,
    binding::{BindingStatus, Deed},
    client_quota::QuotaUser,
    command::{Actor, ApplicationRequest, Command, Provisioning, Role, Seen, SeenRules},
    environment::EnvironmentSpec,
    names::ApplicationName,
    record::{Event, Fold, Timestamp},
    state::State,
    violation::Refusal,
};

/// When everything happens.
pub(in crate::governance) const NOW: Timestamp = Timestamp(1_000);

/// What is known, and a way to ask.
#[derive(Clone, Debug, Default)]
pub(in crate::governance) struct World {
    pub(in crate::governance) state: State,
}

impl World {
    /// With an environment of that policy.
    pub(in crate::governance) fn new(policy: &Value) -> Self {
        let mut res = Self::default();
        let spec = environment(policy);
        res.ask("platform", &Command::DeclareEnvironment(Box::new(spec))).unwrap();
        res
    }

    /// Decides, and keeps what was decided.
    pub(in crate::governance) fn ask(&mut self, role: &str, command: &Command) -> Result<Vec<Event>, Refusal> {
        let events = decide(&self.state, &actor(role), command, NOW)?;
        for event in &events {
            self.keep(event);
        }
        Ok(events)
    }

    pub(in crate::governance) fn keep(&mut self, event: &Event) {
        for (key, value) in &event.entities {
            self.state.put(key, value).unwrap();
        }
    }

    /// The attributes and summaries of a refusal.
    pub(in crate::governance) fn refused(&mut self, role: &str, command: &Command) -> Vec<(String, &'static str)> {
        let refusal = self.ask(role, command).unwrap_err();
        refusal.0.iter().map(|it| (it.at.to_string(), it.summary)).collect()
    }

    /// Makes the rights of an application, to the end.
    pub(in crate::governance) fn provision(&mut self, name: &str) {
        self.ask("platform", &start(name)).unwrap();
        self.work();
        self.ask("platform", &Command::FinishProvisioning(named(name))).unwrap();
        self.work();
    }

    /// Does all that is to be done on the cluster, and says so.
    pub(in crate::governance) fn work(&mut self) {
        while !self.state.deeds().is_empty() {
            let (made, gone): (Vec<_>, Vec<_>) = self.state.deeds().into_iter().partition(|(it, _)| *it == Deed::Make);
            let rules = |it: Vec<(Deed, &AclBinding)>| -> Vec<_> { it.into_iter().map(|(_, it)| it.clone()).collect() };
            let seen = SeenRules::since(&self.state, rules(made), rules(gone));
            self.ask("platform", &Command::MarkBindings(seen)).unwrap();
        }
        let users = |wanted: bool| -> std::collections::BTreeSet<QuotaUser> {
            self.state.quota_deeds().into_iter().filter(|(.., it)| *it == wanted).map(|(it, ..)| it.clone()).collect()
        };
        let seen = Seen { present: users(true), absent: users(false) };
        self.ask("platform", &Command::MarkQuotas(seen)).unwrap();
    }

    /// The rules that the cluster has or is to have, as text.
    pub(in crate::governance) fn rules(&self) -> Vec<String> {
        let held =
            self.state.bindings().filter(|(_, it)| it.status != BindingStatus::Removed && !it.holders.is_empty());
        held.map(|(it, _)| it.to_string()).collect()
    }
}

pub(in crate::governance) fn environment(policy: &Value) -> EnvironmentSpec {
    serde_json::from_value(json!({
        "name": "pre",
        "policy": policy,
        "cluster": {
            "cluster_id": "c1",
            "platform_principals": ["User:platform"],
            "super_users": ["User:super"],
            "broker_principals": ["User:broker"],
        },
    }))
    .unwrap()
}

pub(in crate::governance) fn actor(role: &str) -> Actor {
    Actor::of(match role {
        "platform" => Role::Platform,
        "nobody" => Role::Nobody,
        name => Role::Application(named(name)),
    })
}

pub(in crate::governance) fn named(name: &str) -> ApplicationName {
    name.parse().unwrap()
}

/// An application from the parts that matter.
pub(in crate::governance) fn spec(name: &str, parts: Value) -> ApplicationSpec {
    let mut value = parts;
    value["name"] = name.into();
    serde_json::from_value(value).unwrap()
}

pub(in crate::governance) fn declare(name: &str, parts: Value) -> Command {
    Command::DeclareApplication(Box::new(ApplicationRequest::new(spec(name, parts))))
}

pub(in crate::governance) fn change(name: &str, parts: Value) -> Command {
    Command::ChangeApplication(Box::new(ApplicationRequest::new(spec(name, parts))))
}

pub(in crate::governance) fn start(name: &str) -> Command {
    Command::StartProvisioning(Provisioning {
        application: named(name),
        on_cluster: [].into(),
        unruled: [].into(),
        limits: [].into(),
    })
}

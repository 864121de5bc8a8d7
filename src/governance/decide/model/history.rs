//! An environment with a cluster, and what can happen to both.

use std::{collections::BTreeSet, sync::LazyLock};

use serde_json::json;

use super::teams::{Book, POLICIES, Random, Teams};
use crate::governance::{
    acl::AclBinding,
    binding::{BindingStatus, Deed},
    check_topic::TopicRequest,
    command::{Actor, Command, Granting, Provisioning, Role, SeenRules, TopicFound},
    decide::{decide, fixtures::World},
    outstanding::{Task, outstanding},
    record::{Event, Fold, Timestamp},
    request::Judge,
    state::State,
};

/// How long an access lasts that ends soon.
const LIFE: i64 = 500;

/// Three teams that are ready, for each policy.
static READY: LazyLock<Vec<World>> = LazyLock::new(|| POLICIES.iter().map(|it| ready(*it)).collect());

fn ready((access, applications): (&str, &str)) -> World {
    let mut res = World::new(&json!({"approval": {"access": access, "applications": applications}}));
    let teams = Teams::new("", 0, LIFE);
    for name in &teams.names {
        res.ask("platform", &teams.declaration(name)).unwrap();
        res.provision(name.as_str());
        let topic = TopicRequest::new(format!("{name}.x").parse().unwrap());
        res.ask(name.as_str(), &Command::ReserveTopic(Box::new(topic))).unwrap();
    }
    res
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Somebody asks. That the answer is lost makes no difference to what is written: they ask again.
    Ask(Role, Box<Command>),
    /// Time goes by.
    Wait(i64),
    /// The platform looks at which rules the cluster has. What it asks later rests on that.
    Look,
    /// It looks at what is to be done on the cluster.
    Plan,
    /// It does that.
    Act,
    /// It says what it saw afterwards.
    Mark,
    /// It is killed, and the next one begins anew.
    Crash,
    /// Somebody who is none of these makes a rule.
    Outside(AclBinding),
}

/// What happened so far.
pub(super) struct History {
    pub(super) state: State,
    pub(super) cluster: BTreeSet<AclBinding>,
    /// Rules that others made at some time.
    pub(super) ever_outside: BTreeSet<AclBinding>,
    /// Rules that others made, and that are there.
    pub(super) outside: BTreeSet<AclBinding>,
    /// Those of them that were seen before anybody here needed them.
    pub(super) foreign: BTreeSet<AclBinding>,
    /// What was seen when the platform looked last.
    looked: BTreeSet<AclBinding>,
    /// What was asked and agreed to.
    pub(super) book: Book,
    teams: Teams,
    pub(super) access: &'static str,
    pub(super) events: Vec<Event>,
    pub(super) now: Timestamp,
    plan: Vec<(Deed, AclBinding, u64)>,
    said: Vec<Step>,
}

impl History {
    pub(super) fn new(policy: usize) -> Self {
        let state = READY[policy].state.clone();
        let cluster = state.bindings().filter(|(_, it)| it.status == BindingStatus::Present);
        Self {
            cluster: cluster.map(|(it, _)| it.clone()).collect(),
            state,
            ever_outside: BTreeSet::new(),
            outside: BTreeSet::new(),
            foreign: BTreeSet::new(),
            looked: BTreeSet::new(),
            book: Book::default(),
            teams: Teams::new("", 0, LIFE),
            access: POLICIES[policy].0,
            events: Vec::new(),
            now: Timestamp(1_000),
            plan: Vec::new(),
            said: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, step: &Step) {
        match step {
            Step::Ask(role, command) => {
                self.ask(role, command);
                self.said.push(step.clone());
            }
            Step::Wait(it) => self.now.0 += it,
            Step::Look => {
                self.looked = self.state.strangers(&self.cluster);
                self.foreign.extend(self.looked.intersection(&self.outside).cloned());
            }
            Step::Plan => {
                let generation = |rule| self.state.binding(rule).map_or(0, |it| it.generation);
                let deeds = self.state.deeds().into_iter();
                self.plan = deeds.map(|(it, rule)| (it, rule.clone(), generation(rule))).collect();
            }
            Step::Act => {
                for (deed, rule, _) in &self.plan {
                    match deed {
                        Deed::Make => drop(self.cluster.insert(rule.clone())),
                        Deed::Remove => {
                            self.cluster.remove(rule);
                            self.outside.remove(rule);
                        }
                        Deed::Close => {}
                    }
                }
            }
            Step::Mark => self.mark(),
            Step::Crash => self.plan.clear(),
            Step::Outside(rule) => {
                let known = self.state.binding(rule).is_some_and(|it| it.status != BindingStatus::Removed);
                if !known && self.cluster.insert(rule.clone()) {
                    self.outside.insert(rule.clone());
                    self.ever_outside.insert(rule.clone());
                }
            }
        }
    }

    /// What is to be made was seen, and what is to be removed is gone; what is to be called off is not looked at.
    fn mark(&mut self) {
        let plan = std::mem::take(&mut self.plan);
        let mut seen = SeenRules::default();
        let mut closed = BTreeSet::new();
        for (deed, rule, generation) in plan {
            match (deed, self.cluster.contains(&rule)) {
                (Deed::Make, true) => drop(seen.present.insert(rule, generation)),
                (Deed::Remove, false) => drop(seen.absent.insert(rule, generation)),
                (Deed::Close, _) => drop(closed.insert(rule)),
                _ => {}
            }
        }
        self.ask(&Role::Platform, &Command::MarkBindings(seen));
        self.ask(&Role::Platform, &Command::CloseRemovals(closed));
    }

    fn ask(&mut self, role: &Role, command: &Command) {
        let who = Actor::of(role.clone());
        // What the cluster had was looked at some time before.
        let command = &self.with_facts(command);
        let Ok(events) = decide(&self.state, &who, command, self.now) else { return };
        for (key, value) in events.iter().flat_map(|it| &it.entities) {
            self.state.put(key, value).unwrap();
        }
        let again = decide(&self.state, &who, command, self.now);
        // A rule that is said once more to be gone was removed once more, and is to be made again.
        if !matches!(command, Command::MarkBindings(_)) {
            assert_eq!(again.as_deref(), Ok(&[][..]), "twice changes nothing: {role:?} {command:?}");
        }
        self.book.note(&self.state, role, command, !events.is_empty());
        self.events.extend(events);
    }

    fn with_facts(&self, command: &Command) -> Command {
        let on_cluster = self.looked.clone();
        match command {
            Command::StartGrant(it) => Command::StartGrant(Granting { on_cluster, ..it.clone() }),
            Command::StartProvisioning(it) => Command::StartProvisioning(Provisioning { on_cluster, ..it.clone() }),
            it => it.clone(),
        }
    }

    /// Does all that is outstanding, to the end.
    pub(super) fn settle(&mut self) {
        for _ in 0..20 {
            let tasks = outstanding(&self.state, self.now);
            if tasks.is_empty() {
                return;
            }
            for task in tasks {
                for command in Self::commands(&task) {
                    self.ask(&Role::Platform, &command);
                }
                for step in [Step::Plan, Step::Act, Step::Mark, Step::Look] {
                    self.take(&step);
                }
            }
        }
    }

    /// What a task takes, besides work on the cluster.
    fn commands(task: &Task) -> Vec<Command> {
        match task {
            Task::Expire(id) => vec![Command::ExpireRequest(id.clone())],
            Task::EndTrial(name) => vec![Command::EndTrial(name.clone())],
            Task::CleanUp(name) => vec![Command::DeleteApplication(name.clone())],
            Task::Provision(name) => {
                let start = Provisioning {
                    application: name.clone(),
                    on_cluster: BTreeSet::new(),
                    unruled: [].into(),
                    limits: [].into(),
                };
                vec![Command::StartProvisioning(start), Command::FinishProvisioning(name.clone())]
            }
            Task::Grant(id) => {
                let start = Granting { request: id.clone(), on_cluster: BTreeSet::new() };
                vec![Command::StartGrant(start), Command::FinishGrant(id.clone())]
            }
            Task::Rules => vec![],
            Task::MakeTopic(name) => vec![Command::MarkTopicCreated(TopicFound::new(name.clone(), None))],
            Task::DeleteTopic(name) => vec![Command::MarkTopicDeleted(name.clone())],
            Task::FinishDeletion(name) => vec![Command::FinishDeletion(name.clone())],
            Task::FinishRevocation(id) => vec![Command::FinishRevocation(id.clone())],
        }
    }

    /// Something that could happen now.
    pub(super) fn propose(&self, random: &mut Random) -> Step {
        match random.below(20) {
            0..=6 => self.wish(random),
            7..=8 => match outstanding(&self.state, self.now) {
                tasks if tasks.is_empty() => self.wish(random),
                tasks => match Self::commands(&random.choose(&tasks)) {
                    commands if commands.is_empty() => Step::Plan,
                    commands => Step::Ask(Role::Platform, Box::new(random.choose(&commands))),
                },
            },
            9..=10 => {
                let judgement = self.book.judgement(&self.state, random, Judge::Platform);
                Step::Ask(Role::Platform, Box::new(judgement))
            }
            11..=12 => Step::Plan,
            13..=14 => Step::Act,
            15..=16 => Step::Mark,
            17 => random.choose(&[Step::Crash, Step::Wait(400), Step::Look]),
            18 => {
                let rules: Vec<AclBinding> = self.book.rules().cloned().collect();
                if rules.is_empty() { Step::Wait(100) } else { Step::Outside(random.choose(&rules)) }
            }
            _ if self.said.is_empty() => Step::Plan,
            _ => random.choose(&self.said),
        }
    }

    fn wish(&self, random: &mut Random) -> Step {
        let (role, command) = self.teams.wish(&self.state, &self.book, self.now, random);
        Step::Ask(role, Box::new(command))
    }
}

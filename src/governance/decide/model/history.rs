//! An environment with a cluster, and what can happen to both.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde_json::json;

use crate::governance::{
    acl::{AclBinding, Operation, PatternType},
    binding::{BindingStatus, Deed},
    command::{
        Actor, Command, Decision, GrantFailure, Granting, Provisioning, Retraction, Revocation, Role, Seen, Takeover,
        TopicDeletion, TopicFound, Transfer,
    },
    decide::{
        decide,
        fixtures::{World, actor, change, declare, named},
    },
    kind::Kind,
    outstanding::{Task, outstanding},
    record::{Event, Fold, Timestamp},
    request::{AccessTo, Choice, Filing, Judge, RequestId, RequestStatus, Revision, Subject},
    state::State,
};

/// Who agrees to access, and who to applications.
pub(super) const POLICIES: [(&str, &str); 6] = [
    ("none", "none"),
    ("owner", "none"),
    ("platform", "platform"),
    ("owner_and_platform", "none"),
    ("auto", "none"),
    ("owner", "platform"),
];
const TEAMS: [&str; 3] = ["a", "b", "c"];

/// Three teams that are ready, for each policy.
static READY: LazyLock<Vec<World>> = LazyLock::new(|| POLICIES.iter().map(|it| ready(*it)).collect());

fn ready((access, applications): (&str, &str)) -> World {
    let mut res = World::new(&json!({"approval": {"access": access, "applications": applications}}));
    for name in TEAMS {
        res.ask("platform", &declare(name, json!({"principals": [format!("User:{name}")]}))).unwrap();
        res.provision(name);
        let topic = crate::governance::check_topic::TopicRequest::new(format!("{name}.x").parse().unwrap());
        res.ask(name, &Command::ReserveTopic(Box::new(topic))).unwrap();
    }
    res
}

/// Numbers that are the same for the same seed (xorshift64*).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, end: u64) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end.max(1)).unwrap()
    }

    fn choose<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64)].clone()
    }
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Somebody asks. That the answer is lost makes no difference to what is written: they ask again.
    Ask(&'static str, Box<Command>),
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
    /// Who agreed to which revision, and did not take that back.
    pub(super) agreed: BTreeMap<(RequestId, Revision), BTreeSet<Judge>>,
    /// What each revision asked for: the topic, the operations and the programs.
    pub(super) asked: BTreeMap<(RequestId, Revision), BTreeSet<AclBinding>>,
    pub(super) access: &'static str,
    pub(super) events: Vec<Event>,
    pub(super) now: Timestamp,
    plan: Vec<(Deed, AclBinding)>,
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
            agreed: BTreeMap::new(),
            asked: BTreeMap::new(),
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
            Step::Plan => self.plan = self.state.deeds().into_iter().map(|(it, rule)| (it, rule.clone())).collect(),
            Step::Act => {
                for (deed, rule) in &self.plan {
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
        let mut seen = Seen { present: BTreeSet::new(), absent: BTreeSet::new() };
        let mut closed = BTreeSet::new();
        for (deed, rule) in plan {
            match (deed, self.cluster.contains(&rule)) {
                (Deed::Make, true) => drop(seen.present.insert(rule)),
                (Deed::Remove, false) => drop(seen.absent.insert(rule)),
                (Deed::Close, _) => drop(closed.insert(rule)),
                _ => {}
            }
        }
        self.ask("platform", &Command::MarkBindings(seen));
        self.ask("platform", &Command::CloseRemovals(closed));
    }

    fn ask(&mut self, role: &'static str, command: &Command) {
        let who: Actor = actor(role);
        // What the cluster had was looked at some time before.
        let command = &self.with_facts(command);
        let Ok(events) = decide(&self.state, &who, command, self.now) else { return };
        for (key, value) in events.iter().flat_map(|it| &it.entities) {
            self.state.put(key, value).unwrap();
        }
        let again = decide(&self.state, &who, command, self.now);
        assert_eq!(again.as_deref(), Ok(&[][..]), "twice changes nothing: {role} {command:?}");
        self.note(&who.role, command, !events.is_empty());
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

    /// Keeps book of what was asked and agreed, apart from what was decided about it.
    fn note(&mut self, role: &Role, command: &Command, is_new: bool) {
        match command {
            Command::DecideRequest(it) => {
                let key = (it.request.clone(), it.revision.clone());
                match it.choice {
                    Choice::Approve if is_new => drop(self.agreed.entry(key).or_default().insert(it.judge)),
                    Choice::Approve => {}
                    Choice::Reject => drop(self.agreed.entry(key).or_default().remove(&it.judge)),
                }
            }
            Command::RetractDecision(it) => {
                let owner = self.state.request(&it.request).and_then(|it| it.owner()).cloned();
                if it.judge == Judge::Platform || owner.map(Role::Application).as_ref() == Some(role) {
                    let key = (it.request.clone(), it.revision.clone());
                    self.agreed.entry(key).or_default().remove(&it.judge);
                }
            }
            _ => {}
        }
        for (id, it) in self.state.requests() {
            let key = (id.clone(), it.revision.clone());
            let Some(access) = it.content.access().filter(|_| !self.asked.contains_key(&key)) else { continue };
            let rules = it.content.principals.iter().flat_map(|who| {
                let written = |it| format!("TOPIC|LITERAL|{}|{who}|*|{it}|ALLOW", access.name).parse().unwrap();
                access.operations.iter().map(written).collect::<Vec<AclBinding>>()
            });
            self.asked.insert(key, rules.collect());
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
                    self.ask("platform", &command);
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
                let start = Provisioning { application: name.clone(), on_cluster: BTreeSet::new(), unruled: [].into() };
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
            0..=6 => self.team(random),
            7..=8 => match outstanding(&self.state, self.now) {
                tasks if tasks.is_empty() => self.team(random),
                tasks => match Self::commands(&random.choose(&tasks)) {
                    commands if commands.is_empty() => Step::Plan,
                    commands => Step::Ask("platform", Box::new(random.choose(&commands))),
                },
            },
            9..=10 => Step::Ask("platform", Box::new(self.judgement(random, Judge::Platform))),
            11..=12 => Step::Plan,
            13..=14 => Step::Act,
            15..=16 => Step::Mark,
            17 => random.choose(&[Step::Crash, Step::Wait(400), Step::Look]),
            18 => {
                let rules: Vec<AclBinding> = self.asked.values().flatten().cloned().collect();
                if rules.is_empty() { Step::Wait(100) } else { Step::Outside(random.choose(&rules)) }
            }
            _ if self.said.is_empty() => Step::Plan,
            _ => random.choose(&self.said),
        }
    }

    fn team(&self, random: &mut Random) -> Step {
        let team = random.choose(&TEAMS);
        let other = random.choose(&TEAMS);
        let id: RequestId = format!("{team}-0000000{}", random.below(2)).parse().unwrap();
        let command = match random.below(20) {
            0..=6 => {
                let operations = random.choose(&[
                    vec![Operation::Read],
                    vec![Operation::Write],
                    vec![Operation::Read, Operation::Write],
                ]);
                let access = AccessTo {
                    kind: Kind::Topic,
                    name: format!("{other}.x"),
                    pattern: PatternType::Literal,
                    operations: operations.into_iter().collect(),
                };
                let expires_at = random.choose(&[None, None, Some(Timestamp(self.now.0 + 500))]);
                let filing = Filing { expires_at, ..Filing::new(id, named(team), Subject::Access(access)) };
                Command::FileRequest(Box::new(filing))
            }
            7..=8 => Command::WithdrawRequest(id),
            9..=14 => return Step::Ask(team, Box::new(self.judgement(random, Judge::Owner))),
            15 => {
                let principals = random.choose(&[
                    vec![team.to_owned()],
                    vec![team.to_owned(), format!("{team}2")],
                    vec![format!("{other}2")],
                ]);
                let principals: Vec<String> = principals.iter().map(|it| format!("User:{it}")).collect();
                let expires_at = random.choose(&[None, None, Some(self.now.0 + 600)]);
                change(team, json!({"principals": principals, "expires_at": expires_at}))
            }
            16 => {
                let prefixes =
                    self.state.application(&named(team)).map(|it| it.spec.prefixes.clone()).unwrap_or_default();
                Command::OfferTransfer(Transfer { application: named(team), to: named(other), prefixes })
            }
            17 => Command::ConfirmTransfer(Takeover { application: named(team), from: named(other) }),
            18 if random.below(2) == 0 => {
                let name = format!("{team}.x").parse().unwrap();
                Command::DeleteTopic(TopicDeletion { name, revoke_grants: random.below(2) == 0 })
            }
            18 => Command::DeleteApplication(named(team)),
            _ => declare(team, json!({"principals": [format!("User:{team}")]})),
        };
        Step::Ask(team, Box::new(command))
    }

    /// A decision about some request, about what it is now or what it was once.
    fn judgement(&self, random: &mut Random, judge: Judge) -> Command {
        let now = self.state.requests().map(|(id, it)| (id.clone(), it.revision.clone()));
        let known: Vec<(RequestId, Revision)> = self.asked.keys().cloned().chain(now).collect();
        if known.is_empty() {
            return Command::Heartbeat(());
        }
        let (request, then) = random.choose(&known);
        let now = self.state.request(&request).map(|it| it.revision.clone());
        let revision = if random.below(4) == 0 { then } else { now.unwrap_or(then) };
        match random.below(12) {
            0..=7 => {
                let choice = if random.below(4) == 0 { Choice::Reject } else { Choice::Approve };
                Command::DecideRequest(Decision { request, revision, judge, choice, reason: None })
            }
            8..=9 => Command::RetractDecision(Retraction { request, revision, judge }),
            10 if judge == Judge::Platform
                && self.state.request(&request).is_some_and(|it| it.status == RequestStatus::Provisioning) =>
            {
                Command::FailGrant(GrantFailure { request, reason: "no right".to_owned() })
            }
            _ => Command::RevokeGrant(Revocation { request, reason: None }),
        }
    }
}

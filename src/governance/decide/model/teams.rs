//! Three teams and a platform that ask, decide and change their minds at random, and a book of who agreed to what.
//!
//! The acceptance tests run the same against a real broker: they include this file, which therefore names the library as
//! they do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use terraform_provider_kafka::governance::{
    acl::{AclBinding, Operation, PatternType},
    command::{
        ApplicationRequest, Command, Decision, GrantFailure, Retraction, Revocation, Role, Takeover, TopicDeletion,
        Transfer,
    },
    kind::Kind,
    names::ApplicationName,
    record::Timestamp,
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

/// Numbers that are the same for the same seed (xorshift64*).
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, end: u64) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end.max(1)).expect("it is below 2^31")
    }

    pub(super) fn choose<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64)].clone()
    }
}

/// Three teams, each of which has a program, and a topic that the others want.
#[derive(Clone, Debug)]
pub(super) struct Teams {
    pub(super) names: [ApplicationName; 3],
    /// Those that ask by letter: they have a deployer.
    by_letter: BTreeSet<ApplicationName>,
    /// How many milliseconds an access lasts that ends soon.
    life: i64,
}

impl Teams {
    /// Teams whose names begin so, of which so many ask by letter; an access that ends soon lasts so many milliseconds.
    pub(super) fn new(prefix: &str, by_letter: usize, life: i64) -> Self {
        let names: [ApplicationName; 3] =
            ["a", "b", "c"].map(|it| format!("{prefix}{it}").parse().expect("it is a name"));
        let by_letter = names.iter().rev().take(by_letter).cloned().collect();
        Self { names, by_letter, life }
    }

    /// The declaration of a team's application.
    pub(super) fn declaration(&self, team: &ApplicationName) -> Command {
        Command::DeclareApplication(self.application(team, &[team.to_string()], None))
    }

    fn application(
        &self,
        team: &ApplicationName,
        programs: &[String],
        expires_at: Option<i64>,
    ) -> Box<ApplicationRequest> {
        let users = |it: &[String]| it.iter().map(|it| format!("User:{it}")).collect::<Vec<_>>();
        let deployer = self.by_letter.contains(team).then(|| format!("{team}-ci"));
        let parts = json!({
            "name": team, "principals": users(programs), "deployers": users(deployer.as_slice()),
            "expires_at": expires_at,
        });
        Box::new(ApplicationRequest::new(serde_json::from_value(parts).expect("it is an application")))
    }

    /// Something that a team could want now.
    pub(super) fn wish(&self, state: &State, book: &Book, now: Timestamp, random: &mut Random) -> (Role, Command) {
        let team = &random.choose(&self.names);
        let other = &random.choose(&self.names);
        let id = RequestId::new(team.clone(), u32::try_from(random.below(2)).expect("it is small"));
        let command = match random.below(20) {
            0..=6 => self.filing(id, team, other, now, random),
            7..=8 => Command::WithdrawRequest(id),
            9..=14 => book.judgement(state, random, Judge::Owner),
            15 => {
                let programs = random.choose(&[
                    vec![team.to_string()],
                    vec![team.to_string(), format!("{team}2")],
                    vec![format!("{other}2")],
                ]);
                let expires_at = random.choose(&[None, None, Some(now.0 + self.life + 100)]);
                Command::ChangeApplication(self.application(team, &programs, expires_at))
            }
            16 => {
                let prefixes = state.application(team).map(|it| it.spec.prefixes.clone()).unwrap_or_default();
                Command::OfferTransfer(Transfer { application: team.clone(), to: other.clone(), prefixes })
            }
            17 => Command::ConfirmTransfer(Takeover { application: team.clone(), from: other.clone() }),
            18 if random.below(2) == 0 => {
                let name = format!("{team}.x").parse().expect("it is a topic's name");
                Command::DeleteTopic(TopicDeletion {
                    name,
                    revoke_grants: random.below(2) == 0,
                    ask: random.below(2) == 0,
                })
            }
            18 => Command::DeleteApplication(team.clone()),
            _ => self.declaration(team),
        };
        (Role::Application(team.clone()), command)
    }

    fn filing(
        &self,
        id: RequestId,
        team: &ApplicationName,
        other: &ApplicationName,
        now: Timestamp,
        random: &mut Random,
    ) -> Command {
        let operations =
            random.choose(&[vec![Operation::Read], vec![Operation::Write], vec![Operation::Read, Operation::Write]]);
        let access = AccessTo {
            kind: Kind::Topic,
            name: format!("{other}.x"),
            pattern: PatternType::Literal,
            operations: operations.into_iter().collect(),
        };
        let expires_at = random.choose(&[None, None, Some(Timestamp(now.0 + self.life))]);
        let filing = Filing { expires_at, ..Filing::new(id, team.clone(), Subject::Access(access)) };
        Command::FileRequest(Box::new(filing))
    }
}

/// What was asked and agreed to, kept apart from what was decided about it.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    /// Who agreed to which revision, and did not take that back.
    agreed: BTreeMap<(RequestId, Revision), BTreeSet<Judge>>,
    /// What each revision asked for: the topic, the operations and the programs.
    asked: BTreeMap<(RequestId, Revision), BTreeSet<AclBinding>>,
}

impl Book {
    /// After somebody's command was not refused, and left this state; `is_new` if it changed anything.
    pub(super) fn note(&mut self, state: &State, role: &Role, command: &Command, is_new: bool) {
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
                let owner = state.request(&it.request).and_then(|it| it.owner()).cloned();
                if it.judge == Judge::Platform || owner.map(Role::Application).as_ref() == Some(role) {
                    let key = (it.request.clone(), it.revision.clone());
                    self.agreed.entry(key).or_default().remove(&it.judge);
                }
            }
            _ => {}
        }
        for (id, it) in state.requests() {
            let key = (id.clone(), it.revision.clone());
            let Some(access) = it.content.access().filter(|_| !self.asked.contains_key(&key)) else { continue };
            let rules = it.content.principals.iter().flat_map(|who| {
                let text = |it| format!("TOPIC|LITERAL|{}|{who}|*|{it}|ALLOW", access.name);
                let written = |it| text(it).parse().expect("it is a rule");
                access.operations.iter().map(written).collect::<Vec<AclBinding>>()
            });
            self.asked.insert(key, rules.collect());
        }
    }

    /// The rules that were ever asked for.
    pub(super) fn rules(&self) -> impl Iterator<Item = &AclBinding> {
        self.asked.values().flatten()
    }

    /// The rules of all revisions of a request to which all agreed who must, where access takes this approval.
    pub(super) fn permitted<'a>(&'a self, access: &'a str, id: &'a RequestId) -> impl Iterator<Item = &'a AclBinding> {
        let of =
            self.asked.iter().filter(move |((it, revision), _)| it == id && self.is_agreed_to(access, it, revision));
        of.flat_map(|(_, rules)| rules)
    }

    /// Whether all agreed who must. Where checks decide, these topics need nobody while their owners are ready, and the
    /// owner else: either will do.
    fn is_agreed_to(&self, access: &str, id: &RequestId, revision: &Revision) -> bool {
        let agreed = self.agreed.get(&(id.clone(), revision.clone()));
        let needed: &[Judge] = match access {
            "owner" => &[Judge::Owner],
            "platform" => &[Judge::Platform],
            "owner_and_platform" => &[Judge::Owner, Judge::Platform],
            _ => &[],
        };
        needed.iter().all(|it| agreed.is_some_and(|agreed| agreed.contains(it)))
    }

    /// A decision about some request, about what it is now or what it was once.
    pub(super) fn judgement(&self, state: &State, random: &mut Random, judge: Judge) -> Command {
        let now = state.requests().map(|(id, it)| (id.clone(), it.revision.clone()));
        let known: Vec<(RequestId, Revision)> = self.asked.keys().cloned().chain(now).collect();
        if known.is_empty() {
            return Command::Heartbeat(());
        }
        let (request, then) = random.choose(&known);
        let now = state.request(&request).map(|it| it.revision.clone());
        let revision = if random.below(4) == 0 { then } else { now.unwrap_or(then) };
        match random.below(12) {
            0..=7 => {
                let choice = if random.below(4) == 0 { Choice::Reject } else { Choice::Approve };
                Command::DecideRequest(Decision { request, revision, judge, choice, reason: None })
            }
            8..=9 => Command::RetractDecision(Retraction { request, revision, judge }),
            10 if judge == Judge::Platform
                && state.request(&request).is_some_and(|it| it.status == RequestStatus::Provisioning) =>
            {
                Command::FailGrant(GrantFailure { request, reason: "no right".to_owned() })
            }
            _ => Command::RevokeGrant(Revocation { request, reason: None }),
        }
    }
}

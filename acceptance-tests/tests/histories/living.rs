//! One history, as it is lived: what happens next depends on what happened.

use std::{
    collections::BTreeSet,
    fmt::Write,
    net::SocketAddr,
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::json;
use terraform_provider_kafka::{
    clients::{
        governed::{Caller, Governed, GovernedError},
        journal::{Claims, Journal, JournalTopics, Recorded, Snapshot},
        kafka::{AclFilter, Kafka, ResourceFilter},
    },
    governance::{
        acl::{AclBinding, PatternType, Principal, ResourceType},
        binding::BindingStatus,
        check_topic::TopicRequest,
        command::{Command, Role},
        names::ApplicationName,
        record::Timestamp,
        request::{Judge, RequestId},
        state::State,
        violation::Refusal,
    },
};

use super::{
    process::{Process, client, soon},
    teams::{Book, POLICIES, Random, Teams},
};

/// Most that happens in one history.
const ROUNDS: u64 = 24;

/// How long an access lasts that ends soon.
const LIFE: i64 = 1_500;

/// How often all is done that there is to do, until nothing is left.
const SETTLINGS: usize = 5;

/// A history that was lived.
pub(super) struct Lived {
    pub(super) seed: u64,
    /// How the names of its own begin.
    pub(super) prefix: String,
    pub(super) policy: (&'static str, &'static str),
    pub(super) attempts: Vec<Attempt>,
    /// Rules that others made before anybody here needed them.
    pub(super) foreign: BTreeSet<AclBinding>,
    /// What the journal has.
    pub(super) history: Vec<Recorded>,
    /// What that amounts to.
    pub(super) state: State,
    /// What went wrong at once.
    pub(super) wrong: Option<String>,
}

/// Somebody's try to have a command done. Its number is who they claim to be.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) role: Role,
    pub(super) command: Command,
    /// The newest event before it, and one that is not much newer than it.
    pub(super) events: (i64, i64),
    /// When it began, and when it ended.
    pub(super) times: [Timestamp; 2],
    /// Whether nothing could go wrong on the way.
    pub(super) is_safe: bool,
    pub(super) answer: Answer,
}

/// What they were told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    /// It was put into a mailbox, under this id.
    Filed(String),
    Refused(String),
    /// They were killed, or could not know.
    Lost(String),
}

impl Answer {
    pub(super) fn is_known(&self) -> bool {
        !matches!(self, Self::Lost(_))
    }
}

impl Lived {
    /// What happened, a line for each attempt, and the events.
    pub(super) fn tale(&self) -> String {
        let mut res = String::new();
        for (number, it) in self.attempts.iter().enumerate() {
            let Attempt { role, command, events, answer, .. } = it;
            writeln!(res, "  {number} after {}: {role:?} {command:?}: {answer:?}", events.0).expect("it is a text");
        }
        for it in &self.history {
            let by = it.event.facts.get("claimed_actor");
            writeln!(res, "  at {}: {} by {by:?}", it.offset, it.event.kind).expect("it is a text");
            for (key, value) in &it.event.entities {
                let parts = ["status", "revision", "holders"].map(|it| value.get(it).map(ToString::to_string));
                let parts: Vec<_> = parts.into_iter().flatten().collect();
                writeln!(res, "      {key} {}", parts.join(" ")).expect("it is a text");
            }
        }
        res
    }
}

/// Lives the history of a seed, to its end.
pub(super) async fn live(broker: SocketAddr, cluster: &str, seed: u64) -> Lived {
    let mut life = Life::new(broker, seed);
    let led = life.lead(cluster).await;
    let (end, wrong) = led.map_or_else(|wrong| (-1, Some(wrong)), |it| (it, None));
    let read = life.read(end).await;
    let unread = read.as_ref().err().cloned();
    let (history, state) = read.unwrap_or_default();
    Lived {
        seed,
        prefix: life.prefix,
        policy: life.policy,
        attempts: life.attempts,
        foreign: life.foreign,
        history,
        state,
        wrong: wrong.or(unread),
    }
}

/// A history that is being lived.
struct Life {
    broker: SocketAddr,
    prefix: String,
    policy: (&'static str, &'static str),
    random: Random,
    teams: Teams,
    book: Book,
    /// What looks on, and nothing ever goes wrong for.
    kafka: Arc<dyn Kafka>,
    journal: Journal<State>,
    /// In which the teams' pipelines run.
    pipeline: Process,
    /// In which the platform works.
    platform: Process,
    dead: Vec<Process>,
    /// What somebody wants who was not told what became of it, and asks again.
    again: Vec<(Role, Command)>,
    attempts: Vec<Attempt>,
    foreign: BTreeSet<AclBinding>,
}

impl Life {
    fn new(broker: SocketAddr, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let prefix = format!("h{seed}");
        let kafka = client(broker);
        let topics = JournalTopics::named(&prefix).expect("it is a topic's name");
        Self {
            broker,
            policy: POLICIES[random.below(POLICIES.len() as u64)],
            teams: Teams::new(&prefix, 1, LIFE),
            book: Book::default(),
            journal: Journal::open_topics(kafka.clone(), topics),
            kafka,
            pipeline: Process::start(broker, &prefix, random.clone()),
            platform: Process::start(broker, &prefix, random.clone()),
            dead: Vec::new(),
            again: Vec::new(),
            attempts: Vec::new(),
            foreign: BTreeSet::new(),
            prefix,
            random,
        }
    }

    /// Lives it, and answers with where the journal ends then.
    async fn lead(&mut self, cluster: &str) -> Result<i64, String> {
        self.begin(cluster).await.map_err(|it| format!("it does not begin: {it}"))?;
        for _ in 0..self.random.below(ROUNDS) + 6 {
            self.bury();
            match self.random.below(8) {
                0 => self.look().await?,
                _ => self.round().await?,
            }
        }
        self.settle().await
    }

    /// The environment, and three applications that can work.
    async fn begin(&self, cluster: &str) -> Result<(), GovernedError> {
        let (access, applications) = self.policy;
        let platform = self.platform.governed(Caller::default());
        platform.journal().create(Claims::default(), soon()).await?;
        let spec = json!({
            "name": "pre",
            "policy": { "approval": { "access": access, "applications": applications } },
            "cluster": {
                "cluster_id": cluster, "platform_principals": ["User:platform"], "super_users": ["User:ANONYMOUS"],
            },
        });
        let spec = Box::new(serde_json::from_value(spec).expect("it is an environment"));
        platform.command(Command::DeclareEnvironment(spec), soon()).await?;
        for team in &self.teams.names {
            platform.command(self.teams.declaration(team), soon()).await?;
        }
        platform.reconcile(soon(), &mut |_| {}).await?;
        for team in &self.teams.names {
            let topic = TopicRequest::new(format!("{team}.x").parse().expect("it is a topic's name"));
            let acting = Caller { acting: Some(team.clone()), ..Caller::default() };
            self.platform.governed(acting).command(Command::ReserveTopic(Box::new(topic)), soon()).await?;
        }
        Ok(())
    }

    async fn known(&self) -> Result<Arc<Snapshot<State>>, String> {
        self.journal.snapshot(soon()).await.map_err(|it| format!("the journal cannot be read: {it}"))
    }

    /// The events and what they amount to, at least as far as this offset: who did not write sees a commit a little later.
    async fn read(&self, end: i64) -> Result<(Vec<Recorded>, State), String> {
        let deadline = soon();
        loop {
            let known = self.known().await?;
            let history = self.journal.history(0, soon()).await.map_err(|it| it.to_string())?;
            let is_all = end <= known.head.offset && history.last().is_some_and(|it| end <= it.offset);
            if is_all || deadline < Instant::now() {
                return Ok((history, known.state.clone()));
            }
        }
    }

    /// Starts what died anew.
    fn bury(&mut self) {
        for which in [&mut self.pipeline, &mut self.platform] {
            if which.is_dead() {
                which.kill();
                let next = Process::start(self.broker, &self.prefix, self.random.clone());
                self.dead.push(std::mem::replace(which, next));
            }
        }
    }

    /// A team wants something, while the platform works.
    async fn round(&mut self) -> Result<(), String> {
        let known = self.known().await?;
        self.book.note(&known.state, &Role::Nobody, &Command::Heartbeat(()), false);
        let again = self.again.pop();
        let is_safe = again.is_some();
        let (role, command) =
            again.unwrap_or_else(|| self.teams.wish(&known.state, &self.book, now(), &mut self.random));
        let judgement =
            (self.random.below(3) == 0).then(|| self.book.judgement(&known.state, &mut self.random, Judge::Platform));
        let reconciles = self.random.below(2) == 0;
        let dying = |random: &mut Random| (random.below(4) == 0).then(|| random.below(9));
        let death = dying(&mut self.random).filter(|_| !is_safe);
        self.pipeline.suffer(!is_safe && self.random.below(2) == 0, death);
        let death = dying(&mut self.random);
        self.platform.suffer(self.random.below(2) == 0, death);

        let number = self.attempts.len();
        let before = known.head.offset;
        let asking = self.ask(&self.pipeline, number, role.clone(), command.clone(), before, is_safe);
        let working = async {
            let judged = match judgement {
                Some(it) => Some(self.ask(&self.platform, number + 1, Role::Platform, it, before, false).await?),
                None => None,
            };
            if reconciles {
                let governed = self.platform.governed(Caller::default());
                // What it could not do is there for the next one.
                drop(self.platform.run(governed.reconcile(soon(), &mut |_| {})).await);
            }
            Ok::<_, String>(judged)
        };
        let (asked, judged) = tokio::join!(asking, working);
        let asked = asked?;
        if !asked.answer.is_known() && self.random.below(2) == 0 {
            self.again.push((role, command));
        }
        self.attempts.push(asked);
        self.attempts.extend(judged?);
        Ok(())
    }

    /// Has a command decided, and does what follows from it, as a resource does.
    async fn ask(
        &self,
        process: &Process,
        number: usize,
        role: Role,
        command: Command,
        before: i64,
        is_safe: bool,
    ) -> Result<Attempt, String> {
        let governed = process.governed(self.caller(&role, number));
        let began = now();
        let answer = match process.run(tell(&governed, &command)).await {
            Some(Ok(it)) => it,
            Some(Err(GovernedError::Refused(Refusal(all)))) => {
                Answer::Refused(all.iter().map(|it| it.summary).collect::<Vec<_>>().join(", "))
            }
            Some(Err(error)) => {
                // It may still be at it.
                process.kill();
                Answer::Lost(format!("{error:?}"))
            }
            None => Answer::Lost("killed".to_owned()),
        };
        let ended = now();
        if answer == Answer::Done {
            process.run(follow(&governed, &command)).await;
        }
        let after = self.known().await?.head.offset;
        Ok(Attempt { role, command, events: (before, after), times: [began, ended], is_safe, answer })
    }

    /// The last team has a credential of its own, and the others run in a pipeline of the platform's.
    fn caller(&self, role: &Role, number: usize) -> Caller {
        let acting = match role {
            Role::Application(name) => Some(name.clone()),
            Role::Platform | Role::Nobody => None,
        };
        let by_letter = acting.as_ref().filter(|it| self.is_by_letter(it));
        let principal = by_letter.map(|it| Principal::user(&format!("{it}-ci")));
        Caller { principal, acting, claimed: Some(number.to_string()), change_url: None }
    }

    fn is_by_letter(&self, team: &ApplicationName) -> bool {
        self.teams.names.last() == Some(team)
    }

    /// When nobody works, each rule that the cluster has is one that the journal knows, or others'; and others make one more.
    async fn look(&mut self) -> Result<(), String> {
        self.platform.suffer(false, None);
        let platform = self.platform.governed(Caller::default());
        // Whoever was killed before has written what they will ever write.
        let known =
            platform.command(Command::Heartbeat(()), soon()).await.map_err(|it| format!("no heartbeat: {it:?}"))?;
        let mut there = BTreeSet::new();
        for team in &self.teams.names {
            let resource = ResourceFilter::Written(PatternType::Literal, format!("{team}.x"));
            let filter = AclFilter { resource_type: Some(ResourceType::Topic), resource, principal: None };
            there.extend(self.kafka.acls(&filter, soon()).await.map_err(|it| format!("no rules: {it}"))?);
        }
        let is_known = |it: &&AclBinding| known.state.binding(it).is_some_and(|it| it.status != BindingStatus::Removed);
        if let Some(it) = there.difference(&self.foreign).find(|it| !is_known(it)) {
            return Err(format!("{it} is there, and nobody knows why"));
        }
        let new: Vec<_> = self.book.rules().filter(|it| !there.contains(it) && !is_known(it)).cloned().collect();
        if !new.is_empty() {
            let rule = self.random.choose(&new);
            let failed = self.kafka.create_acls(std::slice::from_ref(&rule), soon()).await;
            failed.map_err(|it| format!("others cannot make a rule: {it}"))?;
            self.foreign.insert(rule);
        }
        Ok(())
    }

    /// Does all that is to be done, and answers with where the journal ends then.
    async fn settle(&mut self) -> Result<i64, String> {
        self.pipeline.kill();
        self.platform.kill();
        self.bury();
        let platform = self.platform.governed(Caller::default());
        let mut left = None;
        for _ in 0..SETTLINGS {
            let done = platform.reconcile(soon(), &mut |_| {}).await.map_err(|it| format!("no end: {it:?}"))?;
            if done.is_complete() {
                let known = platform.snapshot(soon()).await.map_err(|it| format!("no end: {it:?}"))?;
                return Ok(known.head.offset);
            }
            left = Some(done);
        }
        Err(format!("this is never done: {left:?}"))
    }
}

async fn tell(governed: &Governed, command: &Command) -> Result<Answer, GovernedError> {
    if governed.caller().principal.is_none() {
        return governed.command(command.clone(), soon()).await.map(|_| Answer::Done);
    }
    let known = governed.journal().snapshot(soon()).await.map_err(GovernedError::from)?;
    if governed.mailbox(&known.state).is_none() {
        // It has no deployer, and no mailbox, before it is declared.
        return governed.command(command.clone(), soon()).await.map(|_| Answer::Done);
    }
    Ok(governed.file(command, soon()).await?.id.map_or(Answer::Done, Answer::Filed))
}

/// What a resource does after its command. What fails is there for the next one.
async fn follow(governed: &Governed, command: &Command) {
    let request: Option<&RequestId> = match command {
        Command::FileRequest(it) => Some(&it.id),
        Command::WithdrawRequest(it) => Some(it),
        Command::DecideRequest(it) => Some(&it.request),
        Command::RetractDecision(it) => Some(&it.request),
        Command::RevokeGrant(it) => Some(&it.request),
        _ => None,
    };
    if let Some(id) = request {
        drop(governed.follow(id, soon()).await);
    }
    match command {
        Command::DeclareApplication(it) | Command::ChangeApplication(it) => {
            drop(governed.provision(&it.spec.name, soon()).await);
        }
        Command::ConfirmTransfer(it) => drop(governed.provision(&it.application, soon()).await),
        Command::DeleteApplication(it) => drop(governed.unprovision(it, soon()).await),
        _ => {}
    }
}

pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    Timestamp(i64::try_from(since.as_millis()).expect("it is not far off"))
}

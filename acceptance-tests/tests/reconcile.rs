//! What teams file with their own credentials, and the platform's command that does it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener},
    process::Command as Process,
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

use acceptance_tests::{Outcome, Running, Stack, binary, run};
use serde_json::{Deserializer, Value, json};
use terraform_provider_kafka::{
    clients::{
        governed::{Caller, Governed},
        journal::{Claims, Journal, Snapshot},
        kafka::{Kafka, KafkaSettings, Sasl, SaslMechanism, Secret, Tls, connect},
    },
    governance::{
        acl::{Operation, PatternType, Principal},
        application::ApplicationSpec,
        check_topic::TopicRequest,
        command::{ApplicationRequest, Command, Decision, Revocation, TopicAsk},
        kind::Kind,
        owned_topic::TopicStatus,
        record::Timestamp,
        request::{AccessTo, Choice, Filing, Judge, RequestId, Subject},
        state::State,
        topic::TopicName,
    },
};
use tokio::runtime::Runtime;

use crate::until;

/// Most time that anything here may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// A broker with an environment in which teams file, and the applications `pay` and `shop`. `User:team` deploys `shop`.
pub(crate) struct Stage {
    pub(crate) stack: Stack,
    runtime: Runtime,
}

pub(crate) fn soon() -> Instant {
    Instant::now() + PATIENCE
}

pub(crate) fn id(number: usize) -> RequestId {
    format!("shop-{number:08}").parse().expect("an id")
}

/// `shop` asks to read a topic of `pay`.
pub(crate) fn asking(number: usize, expires_at: Option<Timestamp>) -> Command {
    let operations = [Operation::Read].into();
    let name = format!("pay.t{number}");
    let access = AccessTo { kind: Kind::Topic, name, pattern: PatternType::Literal, operations };
    let filing = Filing::new(id(number), "shop".parse().expect("a name"), Subject::Access(access));
    Command::FileRequest(Box::new(Filing { expires_at, ..filing }))
}

fn topic(name: &str, partitions: i64) -> Command {
    let topic = TopicRequest { partitions: Some(partitions), ..TopicRequest::new(name.parse().expect("a name")) };
    Command::AskTopic(Box::new(TopicAsk { topic, reset: [].into() }))
}

impl Stage {
    pub(crate) fn new() -> Self {
        let (stack, runtime) = (Stack::start().expect("a broker starts"), Runtime::new().expect("a runtime"));
        let res = Self { stack, runtime };
        let platform = res.platform();
        res.wait(platform.journal().create(Claims::default(), soon())).expect("the journal is made");
        let spec = json!({
            "name": "pre",
            "policy": {"deployer_rights": "mailbox"},
            "cluster": {"cluster_id": res.stack.cluster_id(), "super_users": ["User:ANONYMOUS"]},
        });
        let spec = Box::new(serde_json::from_value(spec).expect("an environment"));
        res.wait(platform.command(Command::DeclareEnvironment(spec), soon())).expect("it is declared");
        res.declare("pay", &json!([]), true);
        res.declare("shop", &json!(["User:team"]), true);
        res
    }

    /// Declares an application, or changes it, with its rights.
    pub(crate) fn declare(&self, name: &str, deployers: &Value, is_new: bool) {
        let spec = json!({"name": name, "principals": [format!("User:{name}")], "deployers": deployers});
        let spec: ApplicationSpec = serde_json::from_value(spec).expect("an application");
        let request = Box::new(ApplicationRequest::new(spec));
        let command = if is_new { Command::DeclareApplication } else { Command::ChangeApplication };
        self.tell(&self.platform(), command(request));
        self.wait(self.platform().provision(&name.parse().expect("a name"), soon())).expect("it is provisioned");
    }

    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Has a command decided, or filed.
    #[track_caller]
    pub(crate) fn tell(&self, whom: &Governed, command: Command) {
        self.wait(whom.command(command, soon())).expect("nothing speaks against it");
    }

    /// A new client of who may do everything.
    pub(crate) fn platform(&self) -> Governed {
        governed(self.anybody(), Caller::default())
    }

    /// The same, acting for an application.
    pub(crate) fn acting(&self, application: &str) -> Governed {
        let acting = Some(application.parse().expect("a name"));
        governed(self.anybody(), Caller { acting, ..Caller::default() })
    }

    /// A new client of the team that deploys `shop`.
    pub(crate) fn team(&self) -> Governed {
        let principal = Some(Principal::user(Stack::TEAM.name));
        governed(self.teams_kafka(), Caller { principal, ..Caller::default() })
    }

    fn anybody(&self) -> Arc<dyn Kafka> {
        self.client(&self.stack.plaintext(), None, None)
    }

    pub(crate) fn teams_kafka(&self) -> Arc<dyn Kafka> {
        let tls = Tls { ca: Some(self.stack.certificates().ca.clone()), ..Tls::default() };
        let sasl = Sasl {
            mechanism: SaslMechanism::ScramSha512,
            username: Stack::TEAM.name.to_owned(),
            password: Secret::new(Stack::TEAM.password),
        };
        self.client(&self.stack.sasl_ssl(), Some(tls), Some(sasl))
    }

    fn client(&self, address: &str, tls: Option<Tls>, sasl: Option<Sasl>) -> Arc<dyn Kafka> {
        let _inside = self.runtime.enter();
        connect(KafkaSettings {
            bootstrap_servers: vec![address.parse().expect("an address")],
            tls,
            sasl,
            request_timeout: Duration::from_secs(30),
            principal: None,
        })
    }

    pub(crate) fn known(&self) -> Arc<Snapshot<State>> {
        self.wait(self.platform().snapshot(soon())).expect("the journal is read")
    }

    /// The word of a request's status.
    #[track_caller]
    pub(crate) fn status(&self, number: usize) -> &'static str {
        self.known().state.request(&id(number)).expect("it was folded").status.word()
    }

    /// `pay` agrees.
    pub(crate) fn approve(&self, number: usize) {
        let revision = self.known().state.request(&id(number)).expect("it was folded").revision.clone();
        let (request, judge, choice) = (id(number), Judge::Owner, Choice::Approve);
        let decision = Decision { request, revision, judge, choice, reason: None };
        self.tell(&self.acting("pay"), Command::DecideRequest(decision));
    }

    pub(crate) fn process(&self, arguments: &[&str]) -> Process {
        let mut res = Process::new(binary());
        res.args(arguments).env("KAFKA_BOOTSTRAP_SERVERS", self.stack.plaintext());
        res
    }

    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        run(&mut self.process(arguments), PATIENCE).expect("it ends")
    }

    #[track_caller]
    pub(crate) fn reconcile(&self) -> Outcome {
        self.run(&["reconcile"]).success()
    }

    #[track_caller]
    pub(crate) fn has_nothing_to_do(&self) {
        let said = self.reconcile();
        assert_eq!(said.stdout, "Nothing to do.\n", "{said}");
    }
}

fn governed(kafka: Arc<dyn Kafka>, caller: Caller) -> Governed {
    Governed::new(kafka.clone(), Journal::open(kafka), caller)
}

/// A fake of whom to tell: its address, and the head and the body of each notice.
fn listener() -> (String, Receiver<(Vec<String>, Value)>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("it listens"));
    let (sender, receiver) = mpsc::channel();
    // It ends with the process.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(&stream);
            let head: Vec<String> =
                reader.by_ref().lines().map_while(Result::ok).take_while(|it| !it.is_empty()).collect();
            let mut notices = Deserializer::from_reader(reader).into_iter();
            let notice = notices.next().and_then(Result::ok).expect("JSON");
            let _ = (&stream).write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
            let _ = sender.send((head, notice));
        }
    });
    (url, receiver)
}

#[test]
fn what_a_team_files_is_done_by_the_next_run_and_once() {
    let stage = Stage::new();
    stage.reconcile();
    stage.has_nothing_to_do();
    let team = stage.team();
    stage.tell(&team, asking(1, None));
    stage.tell(&team, topic("shop.orders", 2));
    let before = stage.known().head.offset;
    let foreseen = stage.run(&["reconcile", "--dry-run"]);
    assert_eq!(foreseen.code(), Some(2), "{foreseen}");
    foreseen.says(&["Would fold the mailbox of `shop`: 2 letters", "Would make or change the topic `shop.orders`."]);
    assert_eq!(stage.known().head.offset, before, "a dry run writes nothing");
    assert_eq!(stage.stack.topic("shop.orders"), None);
    let other = stage.run(&["reconcile", "--environment", "prod"]);
    assert_eq!(other.code(), Some(1), "{other}");
    stage.reconcile().says(&["Fold the mailbox of `shop`: 2 letters, 0 refused", "topic `shop.orders`: done."]);
    assert_eq!(stage.stack.topic("shop.orders").expect("it is made").partitions, 2);
    assert_eq!(stage.status(1), "pending");
    stage.has_nothing_to_do();

    stage.approve(1);
    let (url, posted) = listener();
    let mut process = stage.process(&["reconcile", "--environment=pre", "--format", "json"]);
    process.env("KAFKA_WEBHOOK_URL", url).env("KAFKA_WEBHOOK_TOKEN", "s3cret");
    let said = run(&mut process, PATIENCE).expect("it ends").success();
    let (head, notice) = posted.recv_timeout(PATIENCE).expect("it was told");
    assert!(head.contains(&"authorization: Bearer s3cret".to_owned()), "{head:?}");
    assert_eq!((&notice["request"], &notice["status"]), (&json!(id(1).to_string()), &json!("active")));
    assert_eq!(posted.try_recv().ok(), None, "once");
    let lines: Vec<Value> = said.stdout.lines().map(|it| serde_json::from_str(it).expect("JSON")).collect();
    assert!(lines.contains(&json!({"step": "grant", "request": id(1).to_string(), "status": "done"})), "{lines:?}");
    assert_eq!(lines.last().expect("a summary")["failed"], 0);
    assert_eq!(stage.status(1), "active");
    assert!(stage.stack.rules("User:shop").contains("pay.t1"));
    stage.has_nothing_to_do();

    stage.run(&["revoke", &id(1).to_string(), "--reason", "It leaked."]).success().says(&["is revoked"]);
    assert_eq!(stage.status(1), "revoked");
    assert!(!stage.stack.rules("User:shop").contains("pay.t1"), "{}", stage.stack.rules("User:shop"));
    let orders: TopicName = "shop.orders".parse().expect("a name");
    stage.tell(&team, Command::DeleteTopic(orders.into()));
    stage.reconcile();
    assert_eq!(stage.stack.topic("shop.orders"), None);
    stage.has_nothing_to_do();
    stage.run(&["journal", "verify"]).success().says(&["All is well"]);
}

/// Rule 20: nothing expires but by somebody's doing, and then it does.
#[test]
fn what_is_over_is_taken_away_by_the_next_run() {
    let stage = Stage::new();
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_millis();
    let over = Timestamp(i64::try_from(since).expect("a clock") + 8_000);
    stage.tell(&stage.acting("shop"), asking(1, Some(over)));
    stage.approve(1);
    stage.reconcile();
    assert_eq!(stage.status(1), "active");
    let platform = stage.platform();
    until("it expires", PATIENCE, || !stage.wait(platform.foresee(soon())).expect("it is known").tasks.is_empty());
    stage.reconcile().says(&["Take away for its time is over"]);
    assert_eq!(stage.status(1), "expired");
    assert!(!stage.stack.rules("User:shop").contains("pay.t1"));
    stage.has_nothing_to_do();
}

/// A run that is killed leaves a journal from which the next one goes on, wherever it was.
#[test]
fn a_run_that_is_killed_anywhere_is_ended_by_the_next() {
    const MANY: usize = 12;
    let stage = Stage::new();
    let team = stage.team();
    for number in 0..MANY {
        stage.tell(&team, asking(number, None));
        stage.tell(&team, topic(&format!("shop.t{number}"), 1));
    }
    let begin = stage.known().head.offset;
    let mut kills = 0;
    for round in 0..2 {
        for step in 1..=8 {
            let wanted = stage.known().head.offset + step;
            let run = Running::start(&mut stage.process(&["reconcile"])).expect("it starts");
            let is_killed = kill_at(&stage, run, wanted);
            kills += usize::from(is_killed);
        }
        stage.reconcile();
        if round == 0 {
            for number in 0..MANY {
                stage.approve(number);
            }
        }
    }
    assert!(5 < kills, "runs were killed: {kills}");
    let known = stage.known();
    for number in 0..MANY {
        assert_eq!(stage.status(number), "active");
        let name = format!("shop.t{number}").parse().expect("a name");
        assert_eq!(known.state.topic(&name).expect("it is known").status, TopicStatus::Created);
        assert!(stage.stack.topic(name.as_str()).is_some());
        assert!(stage.stack.rules("User:shop").contains(&format!("pay.t{number}")));
    }
    let history = stage.wait(stage.platform().journal().history(begin, soon())).expect("it is read");
    let of_kind = |kind: &str| history.iter().filter(|it| it.event.kind == kind).count();
    assert_eq!((of_kind("request.filed"), of_kind("grant.active"), of_kind("topic.created")), (MANY, MANY, MANY));
    stage.has_nothing_to_do();
    stage.run(&["journal", "verify"]).success().says(&["All is well"]);
}

/// Kills a run with `kill -9` when the journal has come so far; `false` if it ended before.
fn kill_at(stage: &Stage, run: Running, offset: i64) -> bool {
    let reader = stage.platform();
    let deadline = soon();
    while acceptance_tests::is_alive(run.id()) {
        let known = stage.wait(reader.snapshot(soon())).expect("the journal is read");
        if offset <= known.head.offset {
            run.kill();
            return run.wait(soon()).expect("it is dead").code().is_none();
        }
        assert!(Instant::now() < deadline, "the run neither ends nor comes so far");
    }
    run.wait(soon()).expect("it ended");
    false
}

#[test]
fn a_team_agrees_and_revokes_through_its_mailbox() {
    let stage = Stage::new();
    let request: RequestId = "pay-00000001".parse().expect("an id");
    let (name, operations) = ("shop.t1".to_owned(), [Operation::Read].into());
    let access = AccessTo { kind: Kind::Topic, name, pattern: PatternType::Literal, operations };
    let filing = Filing::new(request.clone(), "pay".parse().expect("a name"), Subject::Access(access));
    stage.tell(&stage.acting("pay"), Command::FileRequest(Box::new(filing)));
    let revision = stage.known().state.request(&request).expect("it was filed").revision.clone();
    let (judge, choice) = (Judge::Owner, Choice::Approve);
    let decision = Decision { request: request.clone(), revision, judge, choice, reason: None };
    stage.tell(&stage.team(), Command::DecideRequest(decision));
    assert!(!stage.stack.rules("User:pay").contains("shop.t1"), "what is filed has no effect yet");
    stage.reconcile().says(&["1 letters, 0 refused", "Grant `pay-00000001`: done."]);
    assert!(stage.stack.rules("User:pay").contains("shop.t1"));
    let revocation = Revocation { request, reason: Some("Enough.".to_owned()) };
    stage.tell(&stage.team(), Command::RevokeGrant(revocation));
    stage.reconcile();
    assert!(!stage.stack.rules("User:pay").contains("shop.t1"), "{}", stage.stack.rules("User:pay"));
    stage.has_nothing_to_do();
}

//! The table of who may ask what, of what in which state: printed, and compared with the committed one.

mod requests;

use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

use serde_json::{Value, json};

use super::{
    decide,
    fixtures::{NOW, World, actor, environment, named, spec},
};
use crate::governance::{
    acl::AclBinding,
    application::Status,
    binding::Holder,
    check_topic::TopicRequest,
    client_quota::QuotaUser,
    command::{
        ApplicationRequest, ChangeUse, Command, CommandKind, Decision, Failure, GrantFailure, Granting, Holding,
        Provisioning, Retraction, Revocation, Seen, SeenRules, Takeover, TopicAsk, TopicFound, TopicRefusal, Transfer,
    },
    kind::Kind,
    owned_topic::{Asked, TopicStatus},
    probe::Probed,
    record::Fold,
    request::{Choice, Judge, RequestStatus},
    state::State,
    topic::TopicName,
};

const ROLES: [&str; 4] = ["platform", "billing", "other", "nobody"];
const RULE: &str = "TOPIC|PREFIXED|billing.|User:billing|*|READ|ALLOW";
const GRANTED: &str = "TOPIC|LITERAL|other.x|User:billing|*|READ|ALLOW";

/// What a kind of command is about, whose states are the rows.
#[derive(Clone, Copy)]
enum About {
    Environment,
    Application,
    Topic,
    Binding,
    Quota,
    Request,
}

/// The rows of each kind. A new kind must say here what it is about.
fn about(kind: CommandKind) -> About {
    use CommandKind as K;
    match kind {
        K::DeclareEnvironment | K::ChangeEnvironment | K::DestroyEnvironment | K::MarkEnforcement | K::Heartbeat => {
            About::Environment
        }
        K::DeclareApplication
        | K::ChangeApplication
        | K::OfferTransfer
        | K::ConfirmTransfer
        | K::DeleteApplication
        | K::StartProvisioning
        | K::FinishProvisioning
        | K::FailProvisioning
        | K::FinishDeletion
        | K::EndTrial
        | K::UseChange => About::Application,
        K::HoldBindings | K::ReleaseBindings | K::MarkBindings | K::CloseRemovals => About::Binding,
        K::MarkQuotas => About::Quota,
        K::ReserveTopic
        | K::AskTopic
        | K::MarkTopicCreated
        | K::RefuseTopic
        | K::ChangeTopic
        | K::DeleteTopic
        | K::MarkTopicDeleted => About::Topic,
        K::FileRequest
        | K::WithdrawRequest
        | K::DecideRequest
        | K::RetractDecision
        | K::StartGrant
        | K::FinishGrant
        | K::FailGrant
        | K::RevokeGrant
        | K::ExpireRequest
        | K::FinishRevocation => About::Request,
    }
}

/// A command of each kind, about `billing`. A new kind must be tried here.
fn sample(kind: CommandKind) -> Command {
    use CommandKind as K;
    let application = || named("billing");
    let request = |team: &str| Box::new(ApplicationRequest::new(spec("billing", own(team))));
    let rule = || -> AclBinding { RULE.parse().unwrap() };
    let holding = || Holding::new(Holder::Declared("billing/x".to_owned()), [rule()]);
    let topic = |partitions| {
        Box::new(TopicRequest { partitions: Some(partitions), ..TopicRequest::new("billing.x".parse().unwrap()) })
    };
    match kind {
        K::DeclareEnvironment => Command::DeclareEnvironment(Box::new(environment(&json!({})))),
        K::ChangeEnvironment => Command::ChangeEnvironment(Box::new(environment(&json!({"quota": {"topics": 9}})))),
        K::DestroyEnvironment => Command::DestroyEnvironment(()),
        K::MarkEnforcement => Command::MarkEnforcement(Probed::Enforced),
        K::DeclareApplication => Command::DeclareApplication(request("one")),
        K::ChangeApplication => Command::ChangeApplication(request("two")),
        K::OfferTransfer => Command::OfferTransfer(Transfer {
            application: application(),
            to: named("other"),
            prefixes: [(Kind::Topic, ["billing.".to_owned()].into())].into(),
        }),
        K::ConfirmTransfer => Command::ConfirmTransfer(Takeover { application: application(), from: named("other") }),
        K::DeleteApplication => Command::DeleteApplication(application()),
        K::StartProvisioning => Command::StartProvisioning(Provisioning {
            application: application(),
            on_cluster: [].into(),
            unruled: [].into(),
            limits: [].into(),
        }),
        K::FinishProvisioning => Command::FinishProvisioning(application()),
        K::FailProvisioning => {
            Command::FailProvisioning(Failure { application: application(), reason: "no right".to_owned() })
        }
        K::FinishDeletion => Command::FinishDeletion(application()),
        K::HoldBindings => Command::HoldBindings(holding()),
        K::ReleaseBindings => Command::ReleaseBindings(holding()),
        K::MarkBindings => Command::MarkBindings(SeenRules { present: [(rule(), 0)].into(), absent: [].into() }),
        K::CloseRemovals => Command::CloseRemovals([rule()].into()),
        K::MarkQuotas => {
            Command::MarkQuotas(Seen { present: [QuotaUser("billing".to_owned())].into(), absent: [].into() })
        }
        K::ReserveTopic => Command::ReserveTopic(topic(3)),
        K::AskTopic => Command::AskTopic(Box::new(TopicAsk { topic: *topic(3), reset: BTreeSet::new() })),
        K::MarkTopicCreated => Command::MarkTopicCreated(TopicFound::new("billing.x".parse().unwrap(), None)),
        K::RefuseTopic => Command::RefuseTopic(TopicRefusal {
            name: "billing.x".parse().unwrap(),
            asked: Asked::default(),
            reason: "too many copies".to_owned(),
            partitions: None,
            replication_factor: None,
        }),
        K::ChangeTopic => Command::ChangeTopic(topic(6)),
        K::DeleteTopic => Command::DeleteTopic("billing.x".parse::<TopicName>().unwrap().into()),
        K::MarkTopicDeleted => Command::MarkTopicDeleted("billing.x".parse().unwrap()),
        K::FileRequest => requests::file("other.x"),
        K::WithdrawRequest => Command::WithdrawRequest(requests::id()),
        K::DecideRequest => Command::DecideRequest(Decision {
            request: requests::id(),
            revision: requests::content().revision(),
            judge: Judge::Owner,
            choice: Choice::Approve,
            reason: None,
        }),
        K::RetractDecision => Command::RetractDecision(Retraction {
            request: requests::id(),
            revision: requests::content().revision(),
            judge: Judge::Owner,
        }),
        K::StartGrant => Command::StartGrant(Granting { request: requests::id(), on_cluster: [].into() }),
        K::FinishGrant => Command::FinishGrant(requests::id()),
        K::FailGrant => Command::FailGrant(GrantFailure { request: requests::id(), reason: "no right".to_owned() }),
        K::RevokeGrant => Command::RevokeGrant(Revocation { request: requests::id(), reason: None }),
        K::ExpireRequest => Command::ExpireRequest(requests::id()),
        K::FinishRevocation => Command::FinishRevocation(requests::id()),
        K::UseChange => {
            Command::UseChange(Box::new(ChangeUse { application: application(), change: requests::change() }))
        }
        K::EndTrial => Command::EndTrial(application()),
        K::Heartbeat => Command::Heartbeat(()),
    }
}

fn own(team: &str) -> Value {
    let prefixes: Vec<(&str, [&str; 1])> = Kind::ALL.iter().map(|it| (it.word(), ["billing."])).collect();
    json!({"team": team, "prefixes": prefixes.into_iter().collect::<std::collections::BTreeMap<_, _>>()})
}

/// The states that the subject of a command can be in.
fn states(about: About) -> Vec<(&'static str, State)> {
    match about {
        About::Environment => {
            let mut ended = World::new(&json!({}));
            ended.ask("platform", &Command::DestroyEnvironment(())).unwrap();
            vec![("absent", State::default()), ("there", World::new(&json!({})).state), ("ended", ended.state)]
        }
        About::Application => {
            let there = Status::ALL.into_iter().map(|it| (it.word(), with_application(it, &[])));
            [("absent", world())].into_iter().chain(there).collect()
        }
        About::Topic => {
            let topic = |status: TopicStatus| {
                let asked = (status == TopicStatus::Reserved).then(Asked::default);
                let topic = json!({"application": "billing", "incarnation": 1, "partitions": 3, "asked": asked, "status": status, "created_at": 1});
                with("topic/billing.x", &topic)
            };
            let there = TopicStatus::ALL.into_iter().map(|it| (it.word(), topic(it)));
            [("absent", with_application(Status::Ready, &["User:billing"]))].into_iter().chain(there).collect()
        }
        About::Binding => {
            let rule = |holders: &[&str], status: &str| {
                with(&format!("binding/{RULE}"), &json!({"holders": holders, "status": status}))
            };
            vec![
                ("absent", with_application(Status::Ready, &["User:billing"])),
                ("wanted", rule(&["declared/billing/x"], "wanted")),
                ("present", rule(&["declared/billing/x"], "present")),
                ("present for another", rule(&["foreign"], "present")),
                ("removing", rule(&[], "removing")),
                ("removing and held", rule(&["declared/billing/x"], "removing")),
                ("removed", rule(&[], "removed")),
            ]
        }
        About::Quota => {
            let quota = |status: &str| {
                with("quota/billing", &json!({"limits": {}, "holder": "application/billing#1", "status": status}))
            };
            ["wanted", "present", "removing", "removed"].map(|it| (it, quota(it))).into_iter().collect()
        }
        About::Request => {
            let there = RequestStatus::ALL.into_iter().map(|it| (it.word(), requests::with_request(it)));
            let absent = ("absent", with_application(Status::Ready, &["User:billing"]));
            [absent].into_iter().chain(there).collect()
        }
    }
}

/// An environment with an application `other` that offers `billing` a prefix.
fn world() -> State {
    let mut res = World::new(&json!({})).state;
    let other = json!({
        "incarnation": 1,
        "spec": {"name": "other", "prefixes": {"topic": ["other.", "spare."]}},
        "status": "ready",
        "created_at": 1,
        "offer": {"to": "billing", "prefixes": {"topic": ["spare."]}},
    });
    res.put("application/other", &other).unwrap();
    res
}

fn with_application(status: Status, principals: &[&str]) -> State {
    let mut res = world();
    let mut spec = own("one");
    spec["name"] = "billing".into();
    spec["principals"] = json!(principals);
    let billing = json!({"incarnation": 1, "spec": spec, "status": status, "created_at": 1});
    res.put("application/billing", &billing).unwrap();
    res
}

fn with(key: &str, value: &Value) -> State {
    let mut res = with_application(Status::Ready, &["User:billing"]);
    res.put(key, value).unwrap();
    res
}

fn table() -> String {
    let mut res = "# Who may ask what: the kind of event, the state of what it is about, and each role.\n\
                   # `yes` is done, `nothing` has come true already, `-` is refused. `billing` is the owner.\n\
                   # UPDATE=1 cargo test --lib governance::decide rewrites this file.\n"
        .to_owned();
    for kind in CommandKind::ALL {
        let mut row = |name: &str, cells: [&str; 4]| {
            writeln!(
                res,
                "{}",
                format!("{name:34}{:10}{:10}{:10}{}", cells[0], cells[1], cells[2], cells[3]).trim_end()
            )
            .unwrap();
        };
        row("", [""; 4]);
        row(kind.event(), ROLES);
        for (name, state) in states(about(*kind)) {
            let cells = ROLES.map(|role| match decide(&state, &actor(role), &sample(*kind), NOW) {
                Ok(events) if events.is_empty() => "nothing",
                Ok(_) => "yes",
                Err(_) => "-",
            });
            row(&format!("  {name}"), cells);
        }
    }
    res
}

#[test]
fn the_table_of_decisions_is_as_committed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/governance/decisions.txt");
    let table = table();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == table, "run `UPDATE=1 cargo test --lib governance::decide` and review the change:\n{table}");
}

#[test]
fn every_sample_is_of_its_kind() {
    for kind in CommandKind::ALL {
        assert_eq!(sample(*kind).kind(), *kind);
    }
}

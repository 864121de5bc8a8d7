//! What holds whatever is asked in whatever order.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use arbtest::arbitrary::{Result, Unstructured};
use serde_json::{Value, json};

use super::{
    decide,
    fixtures::{NOW, World, actor, named, spec},
};
use crate::governance::{
    acl::{AclBinding, Operation, PatternType, Permission, ResourceType},
    application::{Application, Status},
    binding::{BindingStatus, Deed, Holder},
    check_topic::TopicRequest,
    command::{
        ApplicationRequest, Command, CommandKind, Failure, Holding, Provisioning, Seen, SeenRules, Takeover, TopicAsk,
        TopicFound, TopicRefusal, Transfer,
    },
    kind::Kind,
    probe::Probed,
    rights,
    state::{State, kind_of},
};

const NAMES: [&str; 3] = ["a", "b", "c"];
const PREFIXES: [&str; 10] = ["a.", "b.", "a.x.", "shared.", "_x.", "connect-", "*", "", "a", "c-"];
const PRINCIPALS: [&str; 8] =
    ["User:p", "User:q", "User:r", "User:*", "User:ANONYMOUS", "User:super", "User:broker", "User:platform"];
const TOPICS: [&str; 5] = ["a.t", "b.t", "a.x.t", "shared.t", "_x.t"];

fn some<'a>(u: &mut Unstructured<'_>, from: &[&'a str], most: usize) -> Result<BTreeSet<&'a str>> {
    let count = u.int_in_range(0..=most)?;
    (0..count).map(|_| u.choose(from).copied()).collect()
}

fn prefixes(u: &mut Unstructured<'_>, name: &str) -> Result<Value> {
    if u.ratio(2, 3)? {
        let own = [format!("{name}."), format!("{name}.x."), format!("{name}.y-")];
        return Ok(json!({"topic": some(u, &own.each_ref().map(String::as_str), 2)?}));
    }
    let mut res = json!({});
    for kind in ["topic", "group", "transactional_id"] {
        if u.ratio(1, 2)? {
            res[kind] = json!(some(u, &PREFIXES, 2)?);
        }
    }
    Ok(res)
}

fn request(u: &mut Unstructured<'_>) -> Result<Box<ApplicationRequest>> {
    let name = *u.choose(&NAMES)?;
    let principals = if u.ratio(4, 5)? { &PRINCIPALS[..3] } else { &PRINCIPALS };
    let parts = json!({
        "team": u.choose(&["x", "y"])?,
        "principals": some(u, principals, 2)?,
        "deployers": some(u, principals, 1)?,
        "prefixes": prefixes(u, name)?,
        "streams": if u.ratio(1, 5)? { some(u, &["a.s", "shared.s", "z"], 1)? } else { BTreeSet::new() },
        "client_quota": if u.ratio(1, 3)? { json!({"producer_byte_rate_per_broker": 10.0}) } else { json!({}) },
    });
    Ok(Box::new(ApplicationRequest::new(spec(name, parts))))
}

fn binding(u: &mut Unstructured<'_>) -> Result<AclBinding> {
    let kind = *u.choose(&[ResourceType::Topic, ResourceType::Group, ResourceType::Cluster])?;
    Ok(AclBinding {
        resource_type: kind,
        pattern_type: *u.choose(PatternType::ALL)?,
        resource_name: (*u.choose(&["a.", "a.t", "b.", "shared.", "a", "*", "kafka-cluster"])?).to_owned(),
        principal: u.choose(&PRINCIPALS)?.parse().unwrap(),
        host: "*".to_owned(),
        operation: *u.choose(&[Operation::Read, Operation::Write, Operation::All, Operation::Alter])?,
        permission: *u.choose(Permission::ALL)?,
    })
}

fn topic(u: &mut Unstructured<'_>) -> Result<Box<TopicRequest>> {
    let application = if u.ratio(1, 2)? { Some(named(u.choose(&NAMES)?)) } else { None };
    let partitions = Some(u.int_in_range(1..=4)?);
    Ok(Box::new(TopicRequest { application, partitions, ..TopicRequest::new(u.choose(&TOPICS)?.parse().unwrap()) }))
}

fn holding(u: &mut Unstructured<'_>) -> Result<Holding> {
    let holder = u.choose(&["declared/a/1", "declared/b/1", "foreign", "application/a#1", "grant/g"])?;
    Ok(Holding::new(holder.parse().unwrap(), [binding(u)?]))
}

/// What the platform does by itself: it never declares, and says only what it did and saw.
fn chore(u: &mut Unstructured<'_>, state: &State) -> Result<Command> {
    let name = named(u.choose(&NAMES)?);
    let all: Vec<AclBinding> = state.bindings().map(|(it, _)| it.clone()).collect();
    let users: Vec<_> = state.quotas().map(|(it, _)| it.clone()).collect();
    let known: Vec<_> = state.applications().map(|it| it.spec.name.clone()).collect();
    let name = if known.is_empty() || u.ratio(1, 4)? { name } else { u.choose(&known)?.clone() };
    Ok(match u.int_in_range(0..=7)? {
        7 => Command::MarkEnforcement(*u.choose(&Probed::ALL)?),
        0 => Command::StartProvisioning(Provisioning {
            application: name,
            on_cluster: all.into_iter().take(u.int_in_range(0..=2)?).collect(),
            unruled: [].into(),
            limits: [].into(),
        }),
        1 => Command::FinishProvisioning(name),
        2 => Command::FailProvisioning(Failure { application: name, reason: "x".to_owned() }),
        3 => Command::FinishDeletion(name),
        4 => Command::MarkBindings(SeenRules::since(state, all, [])),
        5 => {
            let gone = state.deeds().into_iter().filter(|(it, _)| *it != Deed::Make).map(|(_, it)| it.clone());
            Command::MarkBindings(SeenRules::since(state, [], gone))
        }
        _ => Command::MarkQuotas(Seen {
            present: users.iter().cloned().collect(),
            absent: users.into_iter().take(u.int_in_range(0..=1)?).collect(),
        }),
    })
}

/// Anything that anybody might ask, whether they may or not.
fn anything(u: &mut Unstructured<'_>, state: &State) -> Result<Command> {
    let name = named(u.choose(&NAMES)?);
    let known: Vec<_> = state.topics().map(|(it, _)| it.clone()).collect();
    let topic_name = if known.is_empty() { u.choose(&TOPICS)?.parse().unwrap() } else { u.choose(&known)?.clone() };
    Ok(match u.int_in_range(0..=19)? {
        0..=3 => Command::DeclareApplication(request(u)?),
        4..=5 => Command::ChangeApplication(request(u)?),
        6 => Command::OfferTransfer(Transfer {
            application: name.clone(),
            to: {
                let others: Vec<_> = state.applications().map(|it| &it.spec.name).filter(|it| **it != name).collect();
                if others.is_empty() || u.ratio(1, 6)? {
                    named(u.choose(&NAMES)?)
                } else {
                    (*u.choose(&others)?).clone()
                }
            },
            prefixes: match state.application(&name).filter(|_| u.ratio(5, 6).unwrap_or(false)) {
                Some(it) => it.spec.prefixes.clone(),
                None => serde_json::from_value(prefixes(u, name.as_str())?).unwrap(),
            },
        }),
        7 => {
            let offered = state.applications().find_map(|it| Some((it.spec.name.clone(), it.offer.clone()?.to)));
            match offered.filter(|_| u.ratio(5, 6).unwrap_or(false)) {
                Some((from, application)) => Command::ConfirmTransfer(Takeover { application, from }),
                None => Command::ConfirmTransfer(Takeover { application: name, from: named(u.choose(&NAMES)?) }),
            }
        }
        8 => Command::DeleteApplication(name),
        9 => Command::HoldBindings(holding(u)?),
        10 => Command::ReleaseBindings(holding(u)?),
        11..=12 => Command::ReserveTopic(topic(u)?),
        13 => Command::AskTopic(Box::new(TopicAsk { topic: *topic(u)?, reset: BTreeSet::new() })),
        14 => Command::ChangeTopic(topic(u)?),
        15 => Command::DeleteTopic(topic_name.into()),
        16 => Command::MarkTopicDeleted(topic_name),
        17 => Command::MarkTopicCreated(TopicFound::new(topic_name, Some("id".to_owned()))),
        18 => Command::RefuseTopic(TopicRefusal {
            asked: state.topic(&topic_name).and_then(|it| it.asked.clone()).unwrap_or_default(),
            name: topic_name,
            reason: "no".to_owned(),
            partitions: None,
            replication_factor: None,
        }),
        _ => chore(u, state)?,
    })
}

/// Runs a sequence of commands and looks at every state on the way. Nobody but the platform's own chores acts as the
/// platform.
fn run(u: &mut Unstructured<'_>, policy: &Value, check: impl Fn(&State)) -> Result<()> {
    let mut world = World::new(policy);
    for _ in 0..u.int_in_range(1..=40)? {
        let is_chore = u.ratio(2, 5)?;
        let (role, command) = if is_chore {
            ("platform", chore(u, &world.state)?)
        } else {
            let command = anything(u, &world.state)?;
            let role = *u.choose(&["a", "b", "c", "nobody"])?;
            let owner = super::subject(&world.state, &command).filter(|_| u.ratio(2, 3).unwrap_or(false));
            (owner.and_then(|owner| NAMES.into_iter().find(|it| *it == owner.as_str())).unwrap_or(role), command)
        };
        if let Ok(events) = world.ask(role, &command) {
            let again = decide(&world.state, &actor(role), &command, NOW);
            // A rule that is said once more to be gone was removed once more, and is to be made again.
            if !matches!(command, Command::MarkBindings(_)) {
                assert_eq!(again.as_deref(), Ok(&[][..]), "twice changes nothing: {role} {command:?} first {events:?}");
            }
        }
        check(&world.state);
    }
    Ok(())
}

fn policies() -> [Value; 3] {
    [
        json!({"quota": {"topics": 2, "partitions": 5}}),
        json!({"naming": {"templates": {"topic": "{application}.{purpose:[a-z.]+}"}}, "deployer_rights": "direct"}),
        json!({"approval": {"applications": "platform"}}),
    ]
}

fn for_all_policies(check: impl Fn(&State) + Copy) {
    for policy in policies() {
        arbtest::arbtest(|u| run(u, &policy, check)).size_min(1_000).budget_ms(1_000);
    }
}

/// The applications that have their prefixes.
fn living(state: &State) -> impl Iterator<Item = &Application> {
    state.applications().filter(|it| it.status.holds_prefixes())
}

#[test]
fn nobody_gets_a_right_that_the_policy_does_not_permit() {
    for_all_policies(|state| {
        let environment = state.environment().unwrap();
        for (rule, entry) in state.bindings().filter(|(_, it)| !it.holders.is_empty()) {
            if entry.holders.iter().all(|it| *it == Holder::Foreign) {
                continue;
            }
            assert_eq!(rights::protected(&environment.spec.cluster, &rule.principal), None, "{rule}");
            assert_eq!(rule.permission, Permission::Allow, "{rule}");
            let owners: Vec<_> =
                living(state).filter(|it| it.spec.all_principals().any(|it| *it == rule.principal)).collect();
            assert!(matches!(owners[..], [_]), "{rule} of {owners:?}");
            let owner = owners[0];
            assert!(owner.status.is_in_force(), "{rule} of {owner:?}");
            judge(state, owner, rule);
        }
    });
}

/// Whether a rule stays within what its application owns, by rules written a second time.
fn judge(state: &State, owner: &Application, rule: &AclBinding) {
    let is_deployer = owner.spec.deployers.contains(&rule.principal);
    if rule.resource_name.starts_with("_selfserve") {
        let mailbox = format!("_selfserve.mailbox.{}", owner.spec.name);
        let is_fine = match rule.operation {
            Operation::Read => rule.resource_name == "_selfserve.state" || rule.resource_name == mailbox,
            Operation::Write => rule.resource_name == mailbox,
            _ => false,
        };
        assert!(is_fine && is_deployer && rule.pattern_type == PatternType::Literal, "{rule}");
        return;
    }
    let kind = kind_of(rule.resource_type).unwrap_or_else(|| panic!("{rule} is about the cluster"));
    for other in living(state).filter(|it| it.spec.name != owner.spec.name) {
        let touches = |it: &str| rule.resource_name.starts_with(it) || it.starts_with(&rule.resource_name);
        assert!(!other.spec.prefixes(kind).any(touches), "{rule} touches {:?}", other.spec);
    }
    assert!(owner.spec.covers(kind, &rule.resource_name), "{rule} is outside {:?}", owner.spec);
    assert!(!matches!(rule.operation, Operation::All | Operation::ClusterAction), "{rule}");
    if matches!(rule.operation, Operation::Alter | Operation::AlterConfigs) {
        assert!(is_deployer, "{rule}: running programs alter nothing");
    }
}

#[test]
fn without_the_platforms_agreement_there_is_no_right() {
    let policy = json!({"approval": {"applications": "platform"}});
    arbtest::arbtest(|u| {
        run(u, &policy, |state| {
            assert_eq!(state.bindings().count(), 0);
            assert!(state.applications().all(|it| matches!(it.status, Status::Pending | Status::Deleted)));
        })
    });
}

#[test]
fn every_state_on_the_way_is_legal() {
    for_all_policies(|state| {
        let all: Vec<&Application> = living(state).collect();
        for it in &all {
            for (kind, prefix) in it.spec.prefixes.iter().flat_map(|(kind, all)| all.iter().map(|it| (*kind, it))) {
                let others = state.overlapping(kind, prefix).into_iter().filter(|(_, owner)| **owner != it.spec.name);
                assert_eq!(others.count(), 0, "{prefix} of {}", it.spec.name);
                assert!(prefix.ends_with(['-', '.', '_']) && !prefix.starts_with('_'), "{prefix}");
                let template = state.template(kind);
                assert!(
                    template.is_none_or(|template| template.fits_prefix(prefix, &it.spec.own_fields())),
                    "{prefix}"
                );
            }
        }
        for (name, topic) in state.topics().filter(|(_, it)| it.is_there()) {
            let owner = topic.application.as_ref().and_then(|it| state.application(it)).unwrap();
            assert!(owner.status.holds_prefixes(), "{name} of {owner:?}");
            assert_eq!(topic.owner(), Some(owner.uid()), "{name}");
            assert!(owner.spec.covers(Kind::Topic, name.as_str()), "{name} of {owner:?}");
        }
        for it in &all {
            let quota = state.policy().unwrap().quota;
            assert_eq!(quota.exceeded_by(&state.taken(&it.spec.name, None)), [], "{}", it.spec.name);
        }
        for (rule, entry) in state.bindings() {
            let is_held = !entry.holders.is_empty();
            match entry.status {
                BindingStatus::Wanted | BindingStatus::Present => assert!(is_held, "{rule} {entry:?}"),
                BindingStatus::Removed => assert!(!is_held, "{rule} {entry:?}"),
                BindingStatus::Removing => {}
            }
        }
    });
}

#[test]
fn a_rule_with_a_holder_is_never_planned_for_removal() {
    for_all_policies(|state| {
        for (deed, rule) in state.deeds() {
            let is_held = !state.binding(rule).unwrap().holders.is_empty();
            assert_eq!(deed == Deed::Remove, !is_held, "{rule}");
        }
    });
}

/// What the properties above would say of nothing: that the sequences get somewhere.
#[test]
fn the_sequences_reach_rights_topics_and_transfers() {
    let wanted = [
        "rule Wanted",
        "rule Present",
        "rule Removing",
        "rule Removed",
        "application ready",
        "application deleting",
        "application deleted",
        "topic created",
        "topic deleted",
        "transfer",
    ];
    let seen = std::cell::RefCell::new(BTreeSet::new());
    let note = |state: &State| {
        let mut seen = seen.borrow_mut();
        seen.extend(state.bindings().map(|(_, it)| format!("rule {:?}", it.status)));
        seen.extend(state.applications().map(|it| format!("application {}", it.status)));
        seen.extend(state.topics().map(|(_, it)| format!("topic {}", it.status.word())));
        let confirmed = state.applications().filter_map(|it| it.offer.as_ref()).any(|it| it.is_confirmed);
        seen.extend(confirmed.then(|| "transfer".to_owned()));
    };
    let deadline = Instant::now() + Duration::from_mins(5);
    loop {
        for policy in policies() {
            arbtest::arbtest(|u| run(u, &policy, note)).size_min(1_000).budget_ms(300);
        }
        let lacking: Vec<_> = wanted.iter().filter(|it| !seen.borrow().contains(**it)).collect();
        if lacking.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "never reached: {lacking:?}");
    }
    assert_eq!(CommandKind::ALL.len(), 38, "a new kind of command belongs into `anything`, `chore` or the model");
}

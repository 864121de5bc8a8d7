//! What must hold of a history, by rules written a second time.

use std::collections::{BTreeMap, BTreeSet};

use acceptance_tests::Stack;
use terraform_provider_kafka::{
    clients::journal::Recorded,
    governance::{
        acl::{AclBinding, PatternType, ResourceType},
        binding::{BindingStatus, Holder},
        command::{Actor, Command, Role},
        decide::decide,
        mailbox::MailboxOf,
        record::{Event, Fold, Timestamp},
        request::{RequestId, RequestStatus},
        state::{State, application_key},
        violation::Refusal,
    },
};

use super::{
    living::{Answer, Attempt, Lived},
    teams::Book,
};

/// How many events may have been written since somebody decided, and not been seen by who looked on.
const UNSEEN: i64 = 6;

/// All rules of the cluster, as Kafka's own tool lists them.
#[track_caller]
pub(super) fn listed(stack: &Stack) -> BTreeSet<AclBinding> {
    let told = stack.tool("org.apache.kafka.tools.AclCommand", &["--list"]).stdout;
    let mut res = BTreeSet::new();
    let mut resource = String::new();
    // Each resource stands in its first parentheses, and each rule for it in others.
    for part in told.split('(').skip(1) {
        let fields = part.split(')').next().unwrap_or_default().split(", ");
        let fields: BTreeMap<&str, &str> = fields.filter_map(|it| it.split_once('=')).collect();
        let of = |name: &str| fields.get(name).copied().unwrap_or_default();
        if fields.contains_key("principal") {
            let rule = [of("principal"), of("host"), of("operation"), of("permissionType")].join("|");
            res.insert(format!("{resource}|{rule}").parse().expect("it is a rule"));
        } else {
            resource = [of("resourceType"), of("patternType"), of("name")].join("|");
        }
    }
    assert!(!res.is_empty(), "{told}");
    res
}

/// What is wrong with a history, if anything.
pub(super) fn check(lived: &Lived, on_cluster: &BTreeSet<AclBinding>) -> Result<(), String> {
    if let Some(wrong) = &lived.wrong {
        return Err(wrong.clone());
    }
    let replay = Replay::of(lived)?;
    for (number, it) in lived.attempts.iter().enumerate() {
        replay.fate(lived, number, it).map_err(|wrong| format!("attempt {number}: {wrong}"))?;
    }
    for (id, it) in lived.state.requests() {
        if replay.last().request(id) != Some(it) {
            return Err(format!("the history of {id} does not lead to its state"));
        }
    }
    check_cluster(lived, &replay, on_cluster)
}

/// What the history says, event by event.
struct Replay<'a> {
    /// The state after each event, by its offset.
    states: BTreeMap<i64, State>,
    book: Book,
    /// How often each attempt was written.
    written: BTreeMap<usize, usize>,
    /// Requests that somebody withdrew or revoked, for good.
    over: BTreeSet<&'a RequestId>,
}

impl<'a> Replay<'a> {
    /// No rule is ever announced but for who was agreed to before.
    fn of(lived: &'a Lived) -> Result<Self, String> {
        let mut res =
            Self { states: BTreeMap::new(), book: Book::default(), written: BTreeMap::new(), over: BTreeSet::new() };
        let mut state = State::default();
        for it in &lived.history {
            for (key, value) in &it.event.entities {
                state.put(key, value).map_err(|it| it.to_string())?;
            }
            let by = it.event.facts.get("claimed_actor").and_then(|it| it.as_str()?.parse::<usize>().ok());
            let attempt = by.and_then(|by| Some((by, lived.attempts.get(by)?)));
            match attempt.filter(|(_, asked)| asked.command.kind().event() == it.event.kind) {
                Some((by, asked)) => {
                    *res.written.entry(by).or_default() += 1;
                    res.book.note(&state, &asked.role, &asked.command, true);
                    res.over.extend(ended(&asked.command));
                }
                None => res.book.note(&state, &Role::Nobody, &Command::Heartbeat(()), false),
            }
            for (rule, entry) in state.bindings() {
                res.agreed(lived, rule, &entry.holders).map_err(|wrong| format!("at {}: {wrong}", it.offset))?;
            }
            res.states.insert(it.offset, state.clone());
        }
        Ok(res)
    }

    fn last(&self) -> &State {
        self.states.values().next_back().expect("there is a genesis")
    }

    fn agreed(&self, lived: &Lived, rule: &AclBinding, holders: &BTreeSet<Holder>) -> Result<(), String> {
        for holder in holders {
            let Holder::Grant(id) = holder else { continue };
            let id: RequestId = id.parse().map_err(|_| format!("{id} is no request"))?;
            if !self.book.permitted(lived.policy.0, &id).any(|it| it == rule) {
                return Err(format!("{rule} is given by {id}, and nobody agreed to it"));
            }
        }
        Ok(())
    }

    /// What somebody was told is what became of it, and it was done once at most.
    fn fate(&self, lived: &Lived, number: usize, it: &Attempt) -> Result<(), String> {
        let written = self.written.get(&number).copied().unwrap_or_default();
        if 1 < written {
            return Err(format!("it was written {written} times"));
        }
        if it.is_safe && !it.answer.is_known() {
            return Err("nothing went wrong on its way, and nobody knows what became of it".to_owned());
        }
        match (&it.answer, written) {
            (Answer::Lost(_), _) | (Answer::Done, 1) => Ok(()),
            (Answer::Filed(id), _) => filed(lived, &it.role, id, written),
            (Answer::Done, _) if is_by_letter(lived, &it.role) => Ok(()),
            (Answer::Done, _) => {
                let had_come_true = |it: &Outcome| it.as_deref() == Ok(&[]);
                let is_known = self.ever(number, it, had_come_true);
                if is_known { Ok(()) } else { Err("it is nowhere, and there was something to do".to_owned()) }
            }
            (Answer::Refused(why), 0) => {
                let is_known = is_by_letter(lived, &it.role) || self.ever(number, it, Result::is_err);
                if is_known { Ok(()) } else { Err(format!("nothing spoke against it: {why}")) }
            }
            (Answer::Refused(why), _) => Err(format!("it was refused, and written: {why}")),
        }
    }

    /// Whether a command had such an outcome at any moment of an attempt.
    fn ever(&self, number: usize, it: &Attempt, is_such: impl Fn(&Outcome) -> bool) -> bool {
        let actor = Actor { claimed: Some(number.to_string()), ..Actor::of(it.role.clone()) };
        let (from, to) = it.events;
        let states = self.states.range(from..=to + UNSEEN).map(|(_, it)| it);
        let outcomes = |state| it.times.map(|now: Timestamp| decide(state, &actor, &it.command, now));
        states.flat_map(outcomes).any(|it| is_such(&it))
    }
}

type Outcome = Result<Vec<Event>, Refusal>;

fn is_by_letter(lived: &Lived, role: &Role) -> bool {
    *role == Role::Application(format!("{}c", lived.prefix).parse().expect("it is a name"))
}

/// A letter has one fate. With an application, its mailbox goes.
fn filed(lived: &Lived, role: &Role, id: &str, written: usize) -> Result<(), String> {
    let Role::Application(name) = role else { return Err("it is nobody's letter".to_owned()) };
    let fates = lived.state.mailbox(&MailboxOf::Application(name.clone())).map(|it| &it.fates);
    let own = application_key(name);
    let is_end = |it: &Recorded| it.event.kind == "application.deleted" && it.event.entities.contains_key(&own);
    match fates.and_then(|it| it.get(id)) {
        Some(it) if it.refused.is_some() && 0 < written => Err("it was refused, and written".to_owned()),
        Some(_) => Ok(()),
        None if lived.history.iter().any(is_end) => Ok(()),
        None => Err(format!("nobody folded the letter {id}")),
    }
}

/// The request that a command ends for good.
fn ended(command: &Command) -> Option<&RequestId> {
    match command {
        Command::WithdrawRequest(it) => Some(it),
        Command::RevokeGrant(it) => Some(&it.request),
        _ => None,
    }
}

/// What the cluster has is what others made, and what was agreed to and is not over: no more, and no less than what is said
/// to be active.
fn check_cluster(lived: &Lived, replay: &Replay<'_>, on_cluster: &BTreeSet<AclBinding>) -> Result<(), String> {
    let own = |it: &&AclBinding| {
        let name = it.resource_name.strip_prefix(&lived.prefix).and_then(|it| it.strip_prefix(['a', 'b', 'c']));
        name.is_some_and(|it| it.starts_with('.'))
    };
    let there: BTreeSet<&AclBinding> = on_cluster.iter().filter(own).collect();
    if let Some(it) = lived.foreign.iter().find(|it| !there.contains(it)) {
        return Err(format!("{it} was others', and is gone"));
    }
    let mut may = lived.foreign.iter().collect::<BTreeSet<_>>();
    for (id, it) in lived.state.requests().filter(|(id, _)| !replay.over.contains(id)) {
        may.extend(replay.book.permitted(lived.policy.0, id));
        let active = it.grant.iter().filter(|_| it.status == RequestStatus::Active);
        if let Some(it) = active.flat_map(|it| &it.bindings).find(|it| !there.contains(it)) {
            return Err(format!("{id} is active without {it}"));
        }
    }
    for rule in there {
        let is_present = lived.state.binding(rule).is_some_and(|it| it.status == BindingStatus::Present);
        if !is_present && !lived.foreign.contains(rule) {
            return Err(format!("{rule} is there, and nobody knows why"));
        }
        let is_access = rule.resource_type == ResourceType::Topic && rule.pattern_type == PatternType::Literal;
        let is_owners = lived
            .state
            .owner_of_binding(rule)
            .is_some_and(|it| it.spec.all_principals().any(|it| *it == rule.principal));
        if !(if is_access { may.contains(rule) } else { is_owners }) {
            return Err(format!("{rule} is there, and nobody agreed to it"));
        }
    }
    Ok(())
}

//! Mailboxes: what those ask who may not write the journal.
//!
//! A deployer writes what it wants into its application's mailbox, as a [`Letter`]. That has no effect. A platform writer
//! *folds* it into the journal later: it is decided then, by the rules and rights of that moment and as nobody but the
//! mailbox's own application, since a record says nothing about its writer. What comes of it is written together with
//! where reading goes on, citing the record's place and digest, so that each record is folded once.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::governance::{
    acl::AclBinding,
    application::ApplicationSpec,
    check_topic::TopicRequest,
    client_quota::FoundLimits,
    command::{
        Actor, ApplicationRequest, Command, Decision, Retraction, Revocation, Role, Takeover, TopicAsk, TopicDeletion,
        TopicFound, Transfer,
    },
    decide::decide,
    names::ApplicationName,
    policy::DeployerRights,
    prefix::Existing,
    record::{Event, Fold, Timestamp, Unreadable},
    request::{Filing, RequestId},
    rights::{INBOX, mailbox},
    state::{State, mailbox_key},
    topic::TopicName,
    violation::{At, Refusal, Violation},
};

/// The form of letters that this release writes and reads.
pub const FORM: i64 = 1;

/// Most bytes of a record. What is larger is set aside unread.
pub const LARGEST: usize = 64 << 10;

/// Most records of a mailbox that are folded at once.
pub const MOST_FOLDED: usize = 500;

/// How many letters are remembered with what became of them, and how many records that are none: those of a folding all,
/// so that each is told. Those who filed ask soon.
const REMEMBERED: usize = MOST_FOLDED;

/// The event of a folding after which nothing else is to be written.
const FOLDED: &str = "mailbox.folded";

/// Something that somebody wants who may not write the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    /// The form of the record.
    pub form: i64,
    /// A UUID of its own. What is filed twice under one is folded once.
    pub id: String,
    /// The id that Kafka gave the mailbox it was written for, so that it says nothing in another.
    pub mailbox: String,
    /// What is wanted.
    pub wish: Wish,
    /// Who its author says they are.
    #[serde(default)]
    pub claimed: Option<String>,
    /// The change that they say it belongs to.
    #[serde(default)]
    pub change_url: Option<String>,
}

/// What can be filed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// An application.
    DeclareApplication(Box<ApplicationWish>),
    /// A change of one.
    ChangeApplication(Box<ApplicationWish>),
    /// Its end.
    DeleteApplication(ApplicationName),
    /// An offer of prefixes to another.
    OfferTransfer(Transfer),
    /// The taking of what another offers.
    ConfirmTransfer(Takeover),
    /// A topic, or a change of one.
    AskTopic(Box<TopicAsk>),
    /// The place of a topic that its owner made.
    MarkTopicCreated(TopicFound),
    /// The end of a topic.
    DeleteTopic(TopicDeletion),
    /// That its owner deleted it.
    MarkTopicDeleted(TopicName),
    /// A request, or another content of it.
    FileRequest(Box<Filing>),
    /// The end of a request.
    WithdrawRequest(RequestId),
    /// A decision about another's request.
    DecideRequest(Decision),
    /// That a decision does not hold any more.
    RetractDecision(Retraction),
    /// The end of what was granted.
    RevokeGrant(Revocation),
}

/// An application that is wanted. What exists under its prefixes is looked for by whoever folds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplicationWish {
    /// As [`ApplicationRequest::spec`].
    pub spec: ApplicationSpec,
    /// As [`ApplicationRequest::texts`].
    #[serde(default)]
    pub texts: BTreeMap<String, String>,
    /// As [`ApplicationRequest::adopt`].
    #[serde(default)]
    pub adopt: bool,
}

/// Whose a mailbox is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MailboxOf {
    /// An application's deployers alone write it.
    Application(ApplicationName),
    /// Everybody may write it, to ask for an application.
    Everybody,
}

impl MailboxOf {
    /// Its topic.
    pub fn topic(&self) -> String {
        match self {
            Self::Application(name) => mailbox(name),
            Self::Everybody => INBOX.to_owned(),
        }
    }

    /// As what its letters are decided.
    fn role(&self) -> Role {
        match self {
            Self::Application(name) => Role::Application(name.clone()),
            Self::Everybody => Role::Nobody,
        }
    }
}

/// How far a mailbox was folded, as a journal keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mailbox {
    /// The id that Kafka gave the topic. A topic that was made anew has another, and is read from its beginning.
    pub topic_id: String,
    /// The offset to read on from.
    pub next: i64,
    /// What became of the newest letters, by their ids.
    #[serde(default)]
    pub fates: BTreeMap<String, Fate>,
    /// Why the newest of the records that are no letters are none, by their offsets.
    #[serde(default)]
    pub set_aside: BTreeMap<i64, String>,
}

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fate {
    /// Its place.
    pub offset: i64,
    /// When it was folded.
    pub at: Timestamp,
    /// Why it was refused; `None` if it was not.
    #[serde(default)]
    pub refused: Option<String>,
}

/// A record of a mailbox, as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Posted {
    /// Its place.
    pub offset: i64,
    /// When the broker took it.
    pub written_at: Timestamp,
    /// SHA-256 of its value, in hexadecimal digits.
    pub digest: String,
    /// The letter, or what is wrong with the record.
    pub letter: Result<Letter, String>,
    /// What the cluster has that concerns it, where it is about an application.
    pub found: Found,
}

/// What a cluster has that concerns an application which claims prefixes, or a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// As [`ApplicationRequest::existing`].
    pub existing: Existing,
    /// As [`ApplicationRequest::topics`].
    pub topics: Vec<TopicFound>,
    /// As [`ApplicationRequest::unruled`].
    pub unruled: Existing,
    /// As [`TopicRequest::left_behind`](crate::governance::check_topic::TopicRequest::left_behind).
    pub left_behind: BTreeSet<AclBinding>,
}

impl Letter {
    /// Reads a record.
    ///
    /// # Errors
    /// What is wrong with it, as a clause.
    pub fn read(value: Option<&[u8]>) -> Result<Self, String> {
        let value = value.ok_or("it is empty")?;
        if LARGEST < value.len() {
            return Err(format!("it has {} bytes, and {LARGEST} are the most", value.len()));
        }
        let json: Value = serde_json::from_slice(value).map_err(|error| format!("it is no JSON: {error}"))?;
        match json.get("form").and_then(Value::as_i64) {
            Some(FORM) => Self::deserialize(json).map_err(|error| format!("it is no letter: {error}")),
            Some(it) if FORM < it => Err(format!(
                "it has form {it} of a newer release, and this one reads {FORM}: file it with this release"
            )),
            _ => Err("it does not say its form".to_owned()),
        }
    }

    fn actor(&self, of: &MailboxOf, written_at: Timestamp) -> Actor {
        let (claimed, change_url) = (self.claimed.clone(), self.change_url.clone());
        Actor { role: of.role(), claimed, change_url, written_at: Some(written_at) }
    }

    fn command(&self, found: &Found) -> Command {
        let request = |it: &ApplicationWish| {
            let ApplicationWish { spec, texts, adopt } = it.clone();
            let Found { existing, topics, unruled, left_behind: _ } = found.clone();
            // What they would take the place of is seen when the rights are made.
            Box::new(ApplicationRequest { spec, texts, adopt, existing, topics, unruled, limits: FoundLimits::new() })
        };
        match &self.wish {
            Wish::DeclareApplication(it) => Command::DeclareApplication(request(it)),
            Wish::ChangeApplication(it) => Command::ChangeApplication(request(it)),
            Wish::DeleteApplication(it) => Command::DeleteApplication(it.clone()),
            Wish::OfferTransfer(it) => Command::OfferTransfer(it.clone()),
            Wish::ConfirmTransfer(it) => Command::ConfirmTransfer(it.clone()),
            Wish::AskTopic(it) => {
                let mut it = it.clone();
                it.topic.left_behind.clone_from(&found.left_behind);
                Command::AskTopic(it)
            }
            // What a topic takes is what was decided when it was asked for, whatever its owner says it made.
            Wish::MarkTopicCreated(it) => {
                Command::MarkTopicCreated(TopicFound::new(it.name.clone(), it.topic_id.clone()))
            }
            Wish::DeleteTopic(it) => Command::DeleteTopic(it.clone()),
            Wish::MarkTopicDeleted(it) => Command::MarkTopicDeleted(it.clone()),
            Wish::FileRequest(it) => Command::FileRequest(it.clone()),
            Wish::WithdrawRequest(it) => Command::WithdrawRequest(it.clone()),
            Wish::DecideRequest(it) => Command::DecideRequest(it.clone()),
            Wish::RetractDecision(it) => Command::RetractDecision(it.clone()),
            Wish::RevokeGrant(it) => Command::RevokeGrant(it.clone()),
        }
    }
}

impl Wish {
    /// The topic that it asks for.
    pub fn asks_for(&self) -> Option<&TopicName> {
        match self {
            Self::AskTopic(it) => Some(&it.topic.name),
            _ => None,
        }
    }

    /// Whether it may claim prefixes, so that it matters what is under them.
    pub fn claims_prefixes(&self) -> bool {
        matches!(self, Self::DeclareApplication(_) | Self::ChangeApplication(_))
    }
}

/// What a command files as; `None` for one that only the platform gives.
pub fn wish_of(command: &Command) -> Option<Wish> {
    let application = |it: &ApplicationRequest| {
        let ApplicationRequest { spec, texts, adopt, existing: _, topics: _, unruled: _, limits: _ } = it.clone();
        Box::new(ApplicationWish { spec, texts, adopt })
    };
    match command {
        Command::DeclareApplication(it) => Some(Wish::DeclareApplication(application(it))),
        Command::ChangeApplication(it) => Some(Wish::ChangeApplication(application(it))),
        Command::DeleteApplication(it) => Some(Wish::DeleteApplication(it.clone())),
        Command::OfferTransfer(it) => Some(Wish::OfferTransfer(it.clone())),
        Command::ConfirmTransfer(it) => Some(Wish::ConfirmTransfer(it.clone())),
        Command::AskTopic(it) => Some(Wish::AskTopic(it.clone())),
        // Who makes its topics itself has their places taken by asking for them.
        Command::ReserveTopic(it) | Command::ChangeTopic(it) => {
            Some(Wish::AskTopic(Box::new(TopicAsk { topic: TopicRequest::clone(it), reset: BTreeSet::new() })))
        }
        Command::MarkTopicCreated(it) => Some(Wish::MarkTopicCreated(it.clone())),
        Command::DeleteTopic(it) => Some(Wish::DeleteTopic(it.clone())),
        Command::MarkTopicDeleted(it) => Some(Wish::MarkTopicDeleted(it.clone())),
        Command::FileRequest(it) => Some(Wish::FileRequest(it.clone())),
        Command::WithdrawRequest(it) => Some(Wish::WithdrawRequest(it.clone())),
        Command::DecideRequest(it) => Some(Wish::DecideRequest(it.clone())),
        Command::RetractDecision(it) => Some(Wish::RetractDecision(it.clone())),
        Command::RevokeGrant(it) => Some(Wish::RevokeGrant(it.clone())),
        _ => None,
    }
}

/// What comes of the records of a mailbox that were not folded yet, up to where they were read. The last event says how
/// far that is.
///
/// # Errors
/// What the state does not read of its own events.
pub fn fold(
    state: &State,
    of: &MailboxOf,
    topic_id: &str,
    posted: &[Posted],
    now: Timestamp,
) -> Result<Vec<Event>, Unreadable> {
    let mut mailbox = state.mailbox(of).cloned().unwrap_or_else(|| Mailbox::new(topic_id));
    if mailbox.topic_id != topic_id {
        // What became of what was filed before is kept, so that nothing is folded once more.
        mailbox = Mailbox { fates: mailbox.fates, ..Mailbox::new(topic_id) };
    }
    let (mut running, mut events) = (Cow::Borrowed(state), Vec::new());
    for it in posted {
        if it.offset < mailbox.next {
            continue;
        }
        mailbox.next = it.offset + 1;
        let letter = match &it.letter {
            Ok(letter) if letter.mailbox == topic_id => letter,
            Ok(_) => {
                mailbox.set_aside.insert(it.offset, "it was written for another mailbox".to_owned());
                continue;
            }
            Err(problem) => {
                mailbox.set_aside.insert(it.offset, problem.clone());
                continue;
            }
        };
        if mailbox.fates.contains_key(&letter.id) {
            continue;
        }
        let refused = match decided(&running, of, letter, it, now) {
            Ok(decided) => {
                for mut event in decided {
                    let running = running.to_mut();
                    event.entities.iter().try_for_each(|(key, value)| running.put(key, value))?;
                    event.facts.insert("filed".to_owned(), place(of, topic_id, it, letter));
                    events.push(event);
                }
                None
            }
            Err(refusal) => Some(refusal.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")),
        };
        mailbox.fates.insert(letter.id.clone(), Fate { offset: it.offset, at: now, refused });
    }
    mailbox.forget();
    if state.mailbox(of) == Some(&mailbox) || (posted.is_empty() && state.mailbox(of).is_none()) {
        return Ok(events);
    }
    let entity = state.rewritten_mailbox(of, &mailbox);
    if events.is_empty() {
        events.push(Event { kind: FOLDED.to_owned(), ..Event::default() });
    }
    if let Some(last) = events.last_mut() {
        last.entities.insert(mailbox_key(of), entity);
    }
    Ok(events)
}

/// What is decided of a letter. Everybody's mailbox is for applications that are not there yet.
fn decided(
    state: &State,
    of: &MailboxOf,
    letter: &Letter,
    posted: &Posted,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    if *of == MailboxOf::Everybody && !matches!(letter.wish, Wish::DeclareApplication(_)) {
        let what = "Everybody's mailbox takes requests for applications, and nothing else.";
        let remedy = "File it as a deployer of the application.";
        return Err(Violation::new(At::all(), "Wrong mailbox", what, remedy).into());
    }
    let makes = matches!(letter.wish, Wish::MarkTopicCreated(_) | Wish::MarkTopicDeleted(_));
    if makes && state.policy().is_some_and(|it| it.deployer_rights == DeployerRights::Mailbox) {
        let what = "Here the platform makes topics and deletes them, and nobody else says that it was done.";
        return Err(Violation::new(At::all(), "Not yours to decide", what, "Ask for the topic.").into());
    }
    decide(state, &letter.actor(of, posted.written_at), &letter.command(&posted.found), now)
}

/// Where the record is that an event comes from.
fn place(of: &MailboxOf, topic_id: &str, posted: &Posted, letter: &Letter) -> Value {
    json!({
        "topic": of.topic(), "topic_id": topic_id, "partition": 0, "offset": posted.offset, "digest": posted.digest,
        "id": letter.id,
    })
}

impl Mailbox {
    fn new(topic_id: &str) -> Self {
        Self { topic_id: topic_id.to_owned(), next: 0, fates: BTreeMap::new(), set_aside: BTreeMap::new() }
    }

    /// Leaves the newest.
    fn forget(&mut self) {
        while REMEMBERED < self.set_aside.len() {
            self.set_aside.pop_first();
        }
        if REMEMBERED < self.fates.len() {
            let mut newest: Vec<_> = self.fates.values().map(|it| (it.at, it.offset)).collect();
            newest.sort_unstable();
            let oldest = newest[newest.len() - REMEMBERED];
            self.fates.retain(|_, it| oldest <= (it.at, it.offset));
        }
    }
}

#[cfg(test)]
mod tests;

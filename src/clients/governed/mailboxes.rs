//! Mailboxes on the cluster: made, written to by deployers, and read by those and by the platform.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use bytes::Bytes;

use super::{Governed, GovernedError};
use crate::{
    clients::{
        clock::now,
        journal::{EventHash, JournalError, Snapshot, random_uuid},
        kafka::{AclFilter, KafkaError, NewRecord, ResourceFilter},
    },
    governance::{
        acl::{AclBinding, PatternType, ResourceType},
        application::Application,
        command::Command,
        decide::decide,
        mailbox::{FORM, Found, LARGEST, Letter, MOST_FOLDED, MailboxOf, Posted, Wish, fold, wish_of},
        policy::DeployerRights,
        record::{Fold, Timestamp, Unreadable},
        state::State,
        topic::{TopicName, TopicSpec},
        violation::{At, Violation},
    },
};

/// Most bytes of a mailbox that are read at once, beside [`MOST_FOLDED`] records: more than a team has in a day, and less
/// than a flood. What is left is read next.
const MOST_BYTES: usize = 256 << 10;

/// Most copies of a mailbox; fewer where there are fewer brokers.
const COPIES: usize = 3;

/// What was filed, and what is known with it.
#[derive(Clone, Debug)]
pub struct Filed {
    /// The state as it will be when the platform folds what was filed.
    pub snapshot: Arc<Snapshot<State>>,
    /// The letter's own id; `None` where there was nothing to ask.
    pub id: Option<String>,
}

/// The unread part of a mailbox.
#[derive(Debug)]
pub(super) struct Unread {
    /// The id that Kafka gave the topic.
    pub(super) topic_id: String,
    /// The records, in their order.
    pub(super) posted: Vec<Posted>,
    /// Whether there are more.
    pub(super) is_more: bool,
}

impl Governed {
    /// The mailbox in which the caller asks, because the journal is not theirs to write; `None` for all others.
    pub fn mailbox(&self, state: &State) -> Option<MailboxOf> {
        let own = self.caller.deploys(state).cloned().map(MailboxOf::Application);
        own.or_else(|| self.caller.is_stranger(state).then_some(MailboxOf::Everybody))
    }

    /// Whether the caller has others make what it wants.
    pub fn only_asks(&self, state: &State) -> bool {
        let is_mailbox = state.policy().is_some_and(|it| it.deployer_rights == DeployerRights::Mailbox);
        is_mailbox && self.mailbox(state).is_some()
    }

    /// What is known, with what the caller's own application filed and nobody folded yet, as far as it will be done.
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn with_filed(
        &self,
        known: Arc<Snapshot<State>>,
        deadline: Instant,
    ) -> Result<Arc<Snapshot<State>>, GovernedError> {
        let Some(of @ MailboxOf::Application(_)) = self.mailbox(&known.state) else { return Ok(known) };
        let unread = match self.unread(&of, &known.state, deadline).await {
            Ok(Some(unread)) => unread,
            // The platform did not make it yet, or not the rights on it.
            Ok(None) | Err(GovernedError::Kafka(KafkaError::Denied { .. })) => return Ok(known),
            Err(error) => return Err(error),
        };
        let events = fold(&known.state, &of, &unread.topic_id, &unread.posted, now()).map_err(unreadable)?;
        if events.is_empty() {
            return Ok(known);
        }
        let mut expected = Snapshot::clone(&known);
        for (key, value) in events.iter().flat_map(|it| &it.entities) {
            expected.state.put(key, value).map_err(unreadable)?;
        }
        Ok(Arc::new(expected))
    }

    /// Files a command, unless it would be refused by what is known, or changes nothing.
    ///
    /// # Errors
    /// Everything that speaks against it, and those of the cluster.
    pub async fn file(&self, command: &Command, deadline: Instant) -> Result<Filed, GovernedError> {
        let snapshot = self.snapshot(deadline).await?;
        let Some(of) = self.mailbox(&snapshot.state) else { return Err(not_filed()) };
        if decide(&snapshot.state, &self.caller.actor(&snapshot.state), command, now())?.is_empty() {
            return Ok(Filed { snapshot, id: None });
        }
        let wish = wish_of(command).ok_or_else(not_filed)?;
        let id = self.post(&of, wish, deadline).await?;
        Ok(Filed { snapshot: self.snapshot(deadline).await?, id: Some(id) })
    }

    /// Writes a wish into a mailbox.
    async fn post(&self, of: &MailboxOf, wish: Wish, deadline: Instant) -> Result<String, GovernedError> {
        let topic = topic(of);
        let found = self.kafka.describe_topic(&topic, deadline).await?;
        let found = found.ok_or_else(|| KafkaError::NoTopic(topic.to_string()))?;
        let letter = Letter {
            form: FORM,
            id: random_uuid(),
            mailbox: found.id.unwrap_or_default(),
            wish,
            claimed: self.caller.claimed.clone(),
            change_url: self.caller.change_url.clone(),
        };
        let value = serde_json::to_vec(&letter).expect("letters have text keys and finite numbers");
        if LARGEST < value.len() {
            return Err(too_large(value.len()));
        }
        let record = NewRecord { value: Some(Bytes::from(value)), ..NewRecord::default() };
        self.kafka.write_log(&topic, &[record], deadline).await?;
        Ok(letter.id)
    }

    /// What was filed in a mailbox and is not folded by what is known. `None` where there is no mailbox yet.
    pub(super) async fn unread(
        &self,
        of: &MailboxOf,
        state: &State,
        deadline: Instant,
    ) -> Result<Option<Unread>, GovernedError> {
        let topic = topic(of);
        let Some(found) = self.kafka.describe_topic(&topic, deadline).await? else { return Ok(None) };
        let topic_id = found.id.unwrap_or_default();
        let known = state.mailbox(of).filter(|it| it.topic_id == topic_id);
        let (mut next, mut posted, mut bytes) = (known.map_or(0, |it| it.next), Vec::new(), 0);
        loop {
            let read = self.kafka.read_log(&topic, next, deadline).await?;
            let is_at_end = read.is_at_end();
            let unreadable = read.unreadable.iter().map(|(offset, problem)| aside(*offset, problem));
            let mut page: Vec<Posted> = unreadable.collect();
            for it in &read.records {
                let value = it.value.as_deref();
                bytes += value.map_or(0, <[u8]>::len);
                page.push(Posted {
                    offset: it.offset,
                    written_at: it.timestamp,
                    digest: EventHash::of(value.unwrap_or_default()).to_string(),
                    letter: Letter::read(value),
                    found: Found::default(),
                });
            }
            page.sort_by_key(|it| it.offset);
            posted.extend(page);
            let is_much = MOST_FOLDED <= posted.len() || MOST_BYTES <= bytes;
            if is_at_end || is_much {
                let is_more = !is_at_end || MOST_FOLDED < posted.len();
                posted.truncate(MOST_FOLDED);
                return Ok(Some(Unread { topic_id, posted, is_more }));
            }
            next = read.next.max(read.start).max(next + 1);
        }
    }

    /// The rules that the cluster has for the very name of a topic that is to be made. Who may not see rules sees none.
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn left_behind(&self, name: &TopicName, deadline: Instant) -> Result<BTreeSet<AclBinding>, KafkaError> {
        let resource = ResourceFilter::Written(PatternType::Literal, name.to_string());
        let filter = AclFilter { resource_type: Some(ResourceType::Topic), resource, principal: None };
        match self.kafka.acls(&filter, deadline).await {
            Ok(found) => Ok(found.into_iter().collect()),
            Err(KafkaError::Denied { .. } | KafkaError::NoAuthorizer) => Ok(BTreeSet::new()),
            Err(error) => Err(error),
        }
    }

    /// Makes the mailbox of an application that has deployers.
    pub(super) async fn make_mailbox(&self, application: &Application, deadline: Instant) -> Result<(), KafkaError> {
        if application.spec.deployers.is_empty() {
            return Ok(());
        }
        self.make_box(&MailboxOf::Application(application.spec.name.clone()), deadline).await
    }

    /// Removes the mailbox of an application that ends, so that nobody of the same name is asked by what is left in it.
    pub(super) async fn remove_mailbox(&self, application: &Application, deadline: Instant) -> Result<(), KafkaError> {
        let name = topic(&MailboxOf::Application(application.spec.name.clone()));
        if self.kafka.describe_topic(&name, deadline).await?.is_some() {
            self.kafka.delete_topic(&name, None, deadline).await?;
        }
        Ok(())
    }

    /// Makes a mailbox, unless it is there.
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn make_box(&self, of: &MailboxOf, deadline: Instant) -> Result<(), KafkaError> {
        let name = topic(of);
        if self.kafka.describe_topic(&name, deadline).await?.is_some() {
            return Ok(());
        }
        let brokers = self.kafka.cluster(deadline).await?.brokers.len();
        let copies = i16::try_from(brokers.clamp(1, COPIES)).unwrap_or(1);
        let config = [
            // The only clock of governance is the brokers', and what nobody folded yet is not lost to age.
            ("message.timestamp.type", "LogAppendTime".to_owned()),
            ("retention.ms", "-1".to_owned()),
            ("retention.bytes", (64_i64 << 20).to_string()),
            ("cleanup.policy", "delete".to_owned()),
            ("compression.type", "uncompressed".to_owned()),
            ("max.message.bytes", (LARGEST + 1024).to_string()),
            ("min.insync.replicas", copies.min(2).to_string()),
        ];
        let spec = TopicSpec {
            name,
            partitions: Some(1),
            replication_factor: Some(copies),
            config: config.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
        };
        match self.kafka.create_topic(&spec, deadline).await {
            Ok(_) | Err(KafkaError::TopicExists(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What speaks for nobody: a caller who is no deployer files nothing, and a deployer files no deeds.
fn not_filed() -> GovernedError {
    let what = "This is for the platform to do, and a deployer's mailbox does not take it.";
    GovernedError::Refused(Violation::new(At::all(), "Not yours to decide", what, "Ask the platform.").into())
}

fn too_large(bytes: usize) -> GovernedError {
    let what = format!("What is asked for takes {bytes} bytes, and a mailbox takes {LARGEST} at once.");
    GovernedError::Refused(Violation::new(At::all(), "Too large for a mailbox", what, "Ask for less at once.").into())
}

pub(super) fn unreadable(error: Unreadable) -> GovernedError {
    JournalError::Quarantined { key: error.key, offset: -1, problem: error.problem }.into()
}

fn aside(offset: i64, problem: &str) -> Posted {
    let (written_at, digest) = (Timestamp(0), String::new());
    Posted { offset, written_at, digest, letter: Err(problem.to_owned()), found: Found::default() }
}

fn topic(of: &MailboxOf) -> TopicName {
    of.topic().parse().expect("names of applications are parts of a topic's")
}

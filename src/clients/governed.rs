//! A governed cluster: commands to its journal, and the deeds on the cluster that follow from them.
//!
//! What is to be done is decided and written first, then done, then seen, and then written to be done. Whoever is
//! interrupted leaves a journal that says what is left, and the next one does that.

mod declared;
mod folding;
mod granting;
mod mailboxes;
mod making;
mod noticing;
mod provisioning;
mod reconciling;
#[cfg(test)]
pub(crate) mod testing;
mod unowned;

pub use folding::Folded;
pub use mailboxes::Filed;
pub use making::left_over;
pub use noticing::Noticed;
pub use reconciling::{Foreseen, Reconciled, Step, Work};
pub use unowned::{free_topics, unowned_topics};

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use serde_json::Value;

use crate::{
    clients::{
        clock::now,
        journal::{Claims, Journal, JournalError, Snapshot},
        kafka::{AclFailures, Kafka, KafkaError},
        registry::SchemaRegistry,
        rest::Webhook,
    },
    governance::{
        acl::Principal,
        application::Application,
        changes::{change, waiting_of_topic},
        command::{Actor, Command, Role},
        completion::{Completion, completions},
        decide::decide,
        names::ApplicationName,
        owned_topic::TopicStatus,
        record::{Event, Fold, Timestamp},
        request::{Judge, Request, RequestId, RequestStatus},
        state::{State, application_key, request_key},
        topic::TopicName,
        violation::{At, Refusal, Violation},
    },
    log,
};

/// A cluster, the journal that governs it, and who works there.
#[derive(Clone)]
pub struct Governed {
    kafka: Arc<dyn Kafka>,
    journal: Journal<State>,
    caller: Caller,
    notices: Option<Arc<Webhook>>,
    registry: Option<Arc<SchemaRegistry>>,
}

/// Who works on a cluster: what Kafka knows, and what continuous integration says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// Who Kafka says is calling, as far as that is known here.
    pub principal: Option<Principal>,
    /// The application in whose name a pipeline with the platform's rights works. It comes from the pipeline, and never
    /// from a configuration, which its author could change.
    pub acting: Option<ApplicationName>,
    /// The person or the pipeline that continuous integration names.
    pub claimed: Option<String>,
    /// The change that it names, such as a pull request's address.
    pub change_url: Option<String>,
}

/// Why a command has no effect, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum GovernedError {
    /// The rules speak against it. Nothing was written.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The cluster failed.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// Some rules of the authorizer could not be made or removed. What was done is written; the next run goes on.
    #[error("{} of the rules could not be changed", .0.len())]
    Rules(AclFailures),
}

impl GovernedError {
    /// Whether all that failed is that the caller lacks a right.
    pub fn is_denied(&self) -> bool {
        let is_denied = |it: &KafkaError| matches!(it, KafkaError::Denied { .. });
        match self {
            Self::Kafka(error) => is_denied(error),
            Self::Rules(failures) => failures.values().all(is_denied),
            Self::Refused(_) | Self::Journal(_) => false,
        }
    }
}

impl Caller {
    /// As what the caller acts: as the application that the pipeline names, else as the one whose deployer the principal
    /// is, as nobody if it is known to be nobody's, else as the platform, whose principals alone may write the journal.
    pub fn role(&self, state: &State) -> Role {
        let of_deployer = || self.deploys(state).cloned();
        match self.acting.clone().or_else(of_deployer) {
            Some(application) => Role::Application(application),
            None if self.is_stranger(state) => Role::Nobody,
            None => Role::Platform,
        }
    }

    /// What speaks against the caller: its credential is one application's, and it is to act as another.
    pub fn contradiction(&self, state: &State) -> Option<Violation> {
        let (acting, own) = (self.acting.as_ref()?, self.deploys(state)?);
        let what = || {
            format!(
                "`KAFKA_ACTING_APPLICATION` is `{acting}`, and the principal `{}` deploys the application `{own}`.",
                self.principal.as_ref().map(ToString::to_string).unwrap_or_default()
            )
        };
        let remedy = format!("Leave the variable out, or use a credential of `{acting}` or of the platform.");
        (acting != own).then(|| Violation::new(At::all(), "Not the application to act as", what(), remedy))
    }

    /// Whether the principal is taken for a newcomer: neither the platform's nor an application's, where newcomers may ask.
    fn is_stranger(&self, state: &State) -> bool {
        let (Some(principal), Some(environment)) = (&self.principal, state.environment()) else { return false };
        let facts = &environment.spec.cluster;
        let is_platforms = facts.platform_principals.contains(principal) || facts.super_users.contains(principal);
        // Else it may be one that only plans for the platform, or a super user that nobody declared.
        let are_newcomers_asked = environment.spec.policy.inbox && !facts.platform_principals.is_empty();
        are_newcomers_asked && !is_platforms && state.application_of(principal).is_none()
    }

    /// The application whose deployer the principal is.
    fn deploys<'a>(&self, state: &'a State) -> Option<&'a ApplicationName> {
        let principal = self.principal.as_ref()?;
        let application = state.application_of(principal)?;
        application.spec.deployers.contains(principal).then_some(&application.spec.name)
    }

    fn actor(&self, state: &State) -> Actor {
        let (claimed, change_url) = (self.claimed.clone(), self.change_url.clone());
        Actor { role: self.role(state), claimed, change_url, written_at: None }
    }

    /// What the journal's own record says of the caller.
    pub fn claims(&self) -> Claims {
        Claims {
            principal: self.principal.as_ref().map(ToString::to_string),
            actor: self.claimed.clone(),
            change_url: self.change_url.clone(),
        }
    }
}

impl Governed {
    /// A cluster with its journal.
    pub fn new(kafka: Arc<dyn Kafka>, journal: Journal<State>, caller: Caller) -> Self {
        Self { kafka, journal, caller, notices: None, registry: None }
    }

    /// The same, telling somebody else of requests that reach an end.
    pub fn telling(self, notices: Option<Arc<Webhook>>) -> Self {
        Self { notices, ..self }
    }

    /// The same, with the schema registry beside the cluster.
    pub fn beside(self, registry: Option<Arc<SchemaRegistry>>) -> Self {
        Self { registry, ..self }
    }

    /// The cluster.
    pub fn kafka(&self) -> &dyn Kafka {
        self.kafka.as_ref()
    }

    /// The journal.
    pub fn journal(&self) -> &Journal<State> {
        &self.journal
    }

    /// Who is told of requests that reach an end.
    pub fn notices(&self) -> Option<&Webhook> {
        self.notices.as_deref()
    }

    /// Who works here.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What is known now. To a deployer, what its application filed counts as done.
    ///
    /// # Errors
    /// Those of [`Journal::snapshot`] and of the cluster.
    pub async fn snapshot(&self, deadline: Instant) -> Result<Arc<Snapshot<State>>, GovernedError> {
        let known = self.journal.snapshot(deadline).await?;
        self.with_filed(known, deadline).await
    }

    /// Has a command decided and written. What has come true already writes nothing.
    ///
    /// # Errors
    /// Everything that speaks against it, and what the journal has to say.
    pub async fn command(&self, command: Command, deadline: Instant) -> Result<Arc<Snapshot<State>>, GovernedError> {
        // Whose deployer somebody is hardly changes while they work.
        if self.caller.principal.is_some() && self.mailbox(&self.journal.told(deadline).await?.state).is_some() {
            return Ok(self.file(&command, deadline).await?.snapshot);
        }
        let caller = self.caller.clone();
        let decide = move |state: &State, now| decide(state, &caller.actor(state), &command, now);
        Ok(self.write(deadline, decide).await??)
    }

    /// What would speak against a command, by what is known.
    ///
    /// # Errors
    /// All of it.
    pub fn would(&self, known: &State, command: &Command) -> Result<(), Refusal> {
        self.would_write(known, command).map(drop)
    }

    /// Whether a command would write anything, by what is known.
    ///
    /// # Errors
    /// All that would speak against it.
    pub fn would_write(&self, known: &State, command: &Command) -> Result<bool, Refusal> {
        self.events_of(known, command).map(|it| !it.is_empty())
    }

    /// What a command would write, by what is known.
    fn events_of(&self, known: &State, command: &Command) -> Result<Vec<Event>, Refusal> {
        decide(known, &self.caller.actor(known), command, now())
    }

    /// What would become of an application by a command, by what is known.
    ///
    /// # Errors
    /// All that would speak against the command.
    pub fn application_after(
        &self,
        known: &State,
        command: &Command,
        name: &ApplicationName,
    ) -> Result<Option<Application>, Refusal> {
        let (key, events) = (application_key(name), self.events_of(known, command)?);
        let after = entities_after(&events, |it| it == key);
        Ok(after.application(name).or_else(|| known.application(name)).cloned())
    }

    /// What would become of a request by a command, by what is known.
    ///
    /// # Errors
    /// All that would speak against the command.
    pub fn request_after(&self, known: &State, command: &Command, id: &RequestId) -> Result<Option<Request>, Refusal> {
        let (key, events) = (request_key(id), self.events_of(known, command)?);
        let after = entities_after(&events, |it| it == key);
        Ok(after.request(id).or_else(|| known.request(id)).cloned())
    }

    /// The request about a topic that waits after a command, by what is known: one that the command files or amends, or
    /// that is there for the same. `None` where nobody's leave is needed.
    ///
    /// # Errors
    /// All that would speak against the command.
    pub fn waits_after(
        &self,
        known: &State,
        command: &Command,
        topic: &TopicName,
    ) -> Result<Option<(RequestId, Request)>, Refusal> {
        let events = self.events_of(known, command)?;
        if events.is_empty() {
            return Ok(waiting_of_topic(known, topic).map(|(id, it)| (id, it.clone())));
        }
        let after = entities_after(&events, |it| it.starts_with("request/"));
        let waits = |it: &Request| {
            it.status == RequestStatus::Pending && change(it).is_some_and(|it| it.name == topic.as_str())
        };
        Ok(after.requests().find(|(_, it)| waits(it)).map(|(id, it)| (id.clone(), it.clone())))
    }

    /// Ends the deletions of those of these topics that are known to be under way and that the cluster has no more: the
    /// run that deleted them was killed before it could say so, and whoever ran it has nothing of them in its state.
    ///
    /// # Errors
    /// What speaks against it, and those of the cluster and of the journal.
    pub async fn end_deletions<'a>(
        &self,
        known: &State,
        topics: impl Iterator<Item = &'a TopicName>,
        deadline: Instant,
    ) -> Result<(), GovernedError> {
        let is_begun = |it: &&TopicName| known.topic(it).is_some_and(|it| it.status == TopicStatus::Deleting);
        for name in topics.filter(is_begun) {
            if self.kafka.describe_topic(name, deadline).await?.is_none() {
                self.command(Command::MarkTopicDeleted(name.clone()), deadline).await?;
            }
        }
        Ok(())
    }

    /// Gives back the place of a topic that the cluster refused to make.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn give_back(&self, name: &TopicName, deadline: Instant) -> Result<(), GovernedError> {
        let known = self.snapshot(deadline).await?;
        if known.state.topic(name).is_some_and(|it| it.status == TopicStatus::Reserved) {
            self.follow_up(Command::MarkTopicDeleted(name.clone()), deadline).await?;
        }
        Ok(())
    }

    /// The free text of an application, by attribute.
    ///
    /// # Errors
    /// Those of [`Journal::texts`].
    pub async fn texts_of(
        &self,
        name: &ApplicationName,
        deadline: Instant,
    ) -> Result<BTreeMap<String, String>, JournalError> {
        self.texts_under(&application_key(name), deadline).await
    }

    /// The free text of a request, by attribute.
    ///
    /// # Errors
    /// Those of [`Journal::texts`].
    pub async fn texts_of_request(
        &self,
        id: &RequestId,
        deadline: Instant,
    ) -> Result<BTreeMap<String, String>, JournalError> {
        self.texts_under(&request_key(id), deadline).await
    }

    /// Why a request was decided so, as it was said.
    ///
    /// # Errors
    /// Those of [`Journal::texts`].
    pub async fn reason(
        &self,
        id: &RequestId,
        judge: Judge,
        deadline: Instant,
    ) -> Result<Option<String>, JournalError> {
        let texts = self.journal.texts(deadline).await?;
        Ok(texts.get(&format!("{}/{}", request_key(id), judge.word())).and_then(Value::as_str).map(str::to_owned))
    }

    async fn texts_under(&self, key: &str, deadline: Instant) -> Result<BTreeMap<String, String>, JournalError> {
        let texts = self.journal.texts(deadline).await?;
        let own = texts.get(key).and_then(Value::as_object).into_iter().flatten();
        Ok(own.filter_map(|(attribute, text)| Some((attribute.clone(), text.as_str()?.to_owned()))).collect())
    }

    /// The same, as the platform: for what follows from a command that was agreed to, and for who writes the journal in
    /// an application's name.
    async fn follow_up(&self, command: Command, deadline: Instant) -> Result<Arc<Snapshot<State>>, GovernedError> {
        let caller = self.caller.clone();
        let decide = move |state: &State, now| {
            decide(state, &Actor { role: Role::Platform, ..caller.actor(state) }, &command, now)
        };
        Ok(self.write(deadline, decide).await??)
    }

    /// Writes what is decided, and tells of the requests that it ends.
    async fn write<R, F>(&self, deadline: Instant, decide: F) -> Result<Result<Arc<Snapshot<State>>, R>, JournalError>
    where
        F: Fn(&State, Timestamp) -> Result<Vec<Event>, R> + Send + 'static,
        R: Send + 'static,
    {
        let ended = Arc::<Mutex<Vec<Completion>>>::default();
        let noted = ended.clone();
        let is_told = self.notices.is_some();
        let noting = move |state: &State, now| {
            let events = decide(state, now)?;
            if is_told {
                *noted.lock().unwrap_or_else(PoisonError::into_inner) = completions(state, &events, now);
            }
            Ok(events)
        };
        let written = self.journal.append(self.caller.claims(), deadline, noting).await?;
        if written.is_ok() {
            let ended = std::mem::take(&mut *ended.lock().unwrap_or_else(PoisonError::into_inner));
            self.tell(&ended).await;
        }
        Ok(written.map(|it| it.snapshot))
    }

    /// Tells of requests that reached an end. Who does not listen misses it, and the journal has it all the same.
    async fn tell(&self, ended: &[Completion]) {
        let Some(notices) = &self.notices else { return };
        for it in ended {
            if let Err(Some(error)) = notices.send(&it.notice()).await {
                log::warn("A notice did not arrive", &[("error", &error)]);
            }
        }
    }
}

/// A state with those entities alone that events write and whose key is such a one.
fn entities_after(events: &[Event], is_meant: impl Fn(&str) -> bool) -> State {
    let mut after = State::default();
    for (key, it) in events.iter().flat_map(|it| &it.entities).filter(|(key, _)| is_meant(key)) {
        after.put(key, it).expect("what this release wrote it reads");
    }
    after
}

impl fmt::Debug for Governed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Governed").field("caller", &self.caller).finish_non_exhaustive()
    }
}

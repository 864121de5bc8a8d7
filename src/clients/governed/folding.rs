//! What the platform makes of what was filed.

use std::time::Instant;

use super::{Governed, GovernedError, free_topics, mailboxes::Unread, unowned_topics};
use crate::{
    clients::kafka::KafkaError,
    governance::{
        kind::Kind,
        mailbox::{Fate, Found, Mailbox, MailboxOf, Posted, fold},
        prefix::Existing,
        state::State,
    },
    log,
};

/// What became of what was filed in one mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded {
    /// The mailbox.
    pub of: MailboxOf,
    /// The letters, by id.
    pub fates: Vec<(String, Fate)>,
    /// How many records were none.
    pub set_aside: usize,
    /// Whether there are more, for the next time.
    pub is_more: bool,
}

impl Folded {
    /// How many letters were refused.
    pub fn refused(&self) -> usize {
        self.fates.iter().filter(|(_, it)| it.refused.is_some()).count()
    }

    /// What became of a mailbox since.
    pub(super) fn between(of: &MailboxOf, before: Option<&Mailbox>, after: &State, is_more: bool) -> Option<Self> {
        let now = after.mailbox(of)?;
        let is_new = |id: &String| before.is_none_or(|it| !it.fates.contains_key(id));
        let fates = now.fates.iter().filter(|(id, _)| is_new(id)).map(|(id, it)| (id.clone(), it.clone())).collect();
        let was_aside = |offset: &i64| before.is_some_and(|it| it.set_aside.contains_key(offset));
        let set_aside = now.set_aside.keys().filter(|it| !was_aside(it)).count();
        Some(Self { of: of.clone(), fates, set_aside, is_more })
    }
}

impl Governed {
    /// The mailboxes that somebody may have filed in: everybody's, and those of the applications that have deployers.
    pub fn mailboxes(state: &State) -> Vec<MailboxOf> {
        let applications =
            state.applications().filter(|it| it.status.holds_prefixes() && !it.spec.deployers.is_empty());
        let applications = applications.map(|it| MailboxOf::Application(it.spec.name.clone()));
        applications.chain([MailboxOf::Everybody]).collect()
    }

    /// Folds what was filed in a mailbox; `None` where there is nothing.
    ///
    /// # Errors
    /// Those of the cluster and of the journal. What was folded is written.
    pub async fn fold(&self, of: &MailboxOf, deadline: Instant) -> Result<Option<Folded>, GovernedError> {
        let known = self.snapshot(deadline).await?;
        let Some(unread) = self.unread_and_found(of, &known.state, deadline).await? else { return Ok(None) };
        let before = known.state.mailbox(of).cloned();
        let (topic_id, posted, mailbox) = (unread.topic_id, unread.posted, of.clone());
        let decide = move |state: &State, now| fold(state, &mailbox, &topic_id, &posted, now);
        let known = self.write(deadline, decide).await?.map_err(super::mailboxes::unreadable)?;
        Ok(Folded::between(of, before.as_ref(), &known.state, unread.is_more))
    }

    /// What was filed in a mailbox and not folded, with what the cluster has that concerns it; `None` where there is nothing.
    pub(super) async fn unread_and_found(
        &self,
        of: &MailboxOf,
        state: &State,
        deadline: Instant,
    ) -> Result<Option<Unread>, GovernedError> {
        let unread = self.unread(of, state, deadline).await?;
        let Some(mut unread) = unread.filter(|it| !it.posted.is_empty()) else { return Ok(None) };
        let claims = |it: &&mut Posted| it.letter.as_ref().is_ok_and(|it| it.wish.claims_prefixes());
        let claiming: Vec<_> = unread.posted.iter_mut().filter(claims).collect();
        if !claiming.is_empty() {
            let found = self.found(state, deadline).await?;
            for it in claiming {
                it.found = found.clone();
            }
        }
        for it in &mut unread.posted {
            if let Some(topic) = it.letter.as_ref().ok().and_then(|it| it.wish.asks_for()) {
                it.found.left_behind = self.left_behind(topic, deadline).await?;
            }
        }
        Ok(Some(unread))
    }

    /// What the cluster has that concerns an application which claims prefixes.
    async fn found(&self, state: &State, deadline: Instant) -> Result<Found, KafkaError> {
        let topics = self.kafka.topics(deadline).await?;
        let mut existing = Existing::from([(Kind::Topic, unowned_topics(state, &topics))]);
        for kind in [Kind::Group, Kind::TransactionalId] {
            if let Some(it) = self.unowned(kind, state, deadline).await? {
                existing.insert(kind, it.names);
            }
        }
        match self.unowned_subjects(state, deadline).await {
            Ok(it) => drop(existing.insert(Kind::Subject, it)),
            Err(error) => log::warn("Existing subjects were not looked for", &[("error", &error)]),
        }
        let (topics, unruled) = (free_topics(state, &topics), self.unruled(state, deadline).await?);
        Ok(Found { existing, topics, unruled, ..Found::default() })
    }
}

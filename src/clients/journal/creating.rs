//! Making a journal: its topics, and the genesis that says whose it is.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use serde_json::Map;

use crate::{
    clients::{
        journal::{
            CREATED, Claims, Head, Journal, JournalError, Shared, Snapshot, WRITER, drafting::Draft,
            format::random_uuid, reading::events, writing::Pauses,
        },
        kafka::{KafkaError, Outcome, Topic},
    },
    governance::{
        record::{Event, Fold},
        topic::{TopicName, TopicSpec, is_same_value},
    },
};

/// A setting of a journal's topic that is not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// The topic.
    pub topic: TopicName,
    /// The configuration key, or `partitions`.
    pub key: String,
    /// What it is; `None` if the topic leaves it to the broker, or it may not be seen.
    pub found: Option<String>,
    /// What it has to be.
    pub expected: String,
}

impl<S: Fold> Journal<S> {
    /// Makes the cluster's journal: the topics that are missing, the configuration that is not as it has to be, and the
    /// genesis. What an earlier call left unfinished is finished.
    ///
    /// # Errors
    /// [`JournalError::Exists`] if there is a journal, and [`JournalError::Incomplete`] if there was one.
    pub async fn create(&self, claims: Claims, deadline: Instant) -> Result<Arc<Snapshot<S>>, JournalError> {
        let shared = &self.0;
        shared.prepare_topics(deadline).await?;
        let journal = random_uuid();
        let mut pauses = Pauses::default();
        loop {
            let began = Instant::now();
            match shared.write_genesis(&journal, &claims, deadline).await {
                Err(JournalError::Exists(found)) if found == journal => return self.snapshot(deadline).await,
                Ok(Outcome::Committed(_)) => return self.snapshot_of(&journal, deadline).await,
                Ok(_) => pauses.next(began.elapsed(), deadline).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// What of the topics' configuration is not as it has to be.
    ///
    /// # Errors
    /// Those of the cluster, and [`JournalError::Absent`] or [`JournalError::Incomplete`] if a topic is missing.
    pub async fn deviations(&self, deadline: Instant) -> Result<Vec<Deviation>, JournalError> {
        let shared = &self.0;
        let mut res = Vec::new();
        for name in shared.topics.all() {
            let Some(topic) = shared.kafka.describe_topic(name, deadline).await? else {
                return Err(shared.missing(deadline).await);
            };
            let expected = shared.topics.config(name, topic.replication_factor);
            res.extend(deviations(&topic, &expected));
        }
        Ok(res)
    }

    /// The first snapshot of a new journal, once its markers are written.
    async fn snapshot_of(&self, journal: &str, deadline: Instant) -> Result<Arc<Snapshot<S>>, JournalError> {
        loop {
            match self.snapshot(deadline).await {
                Ok(snapshot) if snapshot.head.journal == journal => return Ok(snapshot),
                Ok(_) | Err(JournalError::NoHead(_)) => self.0.pause(deadline).await?,
                Err(error) => return Err(error),
            }
        }
    }
}

impl<S: Fold> Shared<S> {
    /// Makes the topics that are missing, and corrects the configuration of those that are there.
    pub(super) async fn prepare_topics(&self, deadline: Instant) -> Result<(), JournalError> {
        let brokers = self.kafka.cluster(deadline).await?.brokers.len();
        for spec in self.topics.specs(brokers) {
            self.prepare_topic(&spec, deadline).await?;
        }
        Ok(())
    }

    async fn prepare_topic(&self, spec: &TopicSpec, deadline: Instant) -> Result<(), JournalError> {
        let Some(topic) = self.kafka.describe_topic(&spec.name, deadline).await? else {
            return match self.kafka.create_topic(spec, deadline).await {
                // Another one makes the same journal at this moment; the lease decides whose it is.
                Ok(_) | Err(KafkaError::TopicExists(_)) => Ok(()),
                Err(error) => Err(error.into()),
            };
        };
        let wrong = deviations(&topic, &self.topics.config(&spec.name, topic.replication_factor));
        let changes: BTreeMap<_, _> = wrong.into_iter().map(|it| (it.key, Some(it.expected))).collect();
        if !changes.is_empty() {
            self.kafka.alter_topic_config(&spec.name, &changes, deadline).await?;
        }
        Ok(())
    }

    /// Writes the genesis, if nobody did.
    async fn write_genesis(&self, journal: &str, claims: &Claims, deadline: Instant) -> Result<Outcome, JournalError> {
        let cluster = self.cluster(deadline).await?.to_owned();
        let mut lease = self.kafka.take_lease(&self.topics.lease, deadline).await?;
        let history = self.read_to_end(&self.topics.history, 0, deadline).await?;
        if let Some(first) = events(&history).first() {
            let found = first.event.facts.get("journal").and_then(|it| it.as_str()).unwrap_or_default();
            return Err(JournalError::Exists(found.to_owned()));
        }
        let state = self.read_to_end(&self.topics.state, 0, deadline).await?;
        if !state.records.is_empty() {
            // The history of what the state has is gone.
            return Err(JournalError::Incomplete(self.topics.history.clone()));
        }
        let head = Head { journal: journal.to_owned(), cluster, offset: -1, min_writer: WRITER, ..Head::default() };
        let mut draft = Draft::new(&head, history.next);
        draft.add(claims, &[genesis(&head)]);
        Ok(self.kafka.append_to_logs(&mut lease, &draft.appends(&self.topics, state.next), deadline).await?)
    }
}

fn genesis(head: &Head) -> Event {
    let facts = [("journal", &head.journal), ("cluster", &head.cluster)];
    let facts: Map<_, _> = facts.into_iter().map(|(key, value)| (key.to_owned(), value.clone().into())).collect();
    Event { kind: CREATED.to_owned(), facts, ..Event::default() }
}

fn deviations(topic: &Topic, expected: &BTreeMap<String, String>) -> Vec<Deviation> {
    let of = |key: &str, found: Option<String>, expected: &str| Deviation {
        topic: topic.name.clone(),
        key: key.to_owned(),
        found,
        expected: expected.to_owned(),
    };
    let mut res = Vec::new();
    if topic.partitions != 1 {
        res.push(of("partitions", Some(topic.partitions.to_string()), "1"));
    }
    // Who may not see the configuration cannot say that it is wrong.
    for (key, expected) in topic.config.iter().flat_map(|_| expected) {
        let found = topic.config.as_ref().and_then(|it| it.get(key)).and_then(|it| it.value.clone());
        if !found.as_deref().is_some_and(|it| is_same_value(key, expected, it)) {
            res.push(of(key, found, expected));
        }
    }
    res
}

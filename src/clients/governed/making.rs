//! Topics that a team asked for that may not make them.

use std::{collections::BTreeMap, time::Instant};

use super::{Governed, GovernedError};
use crate::{
    clients::kafka::{Kafka, KafkaError, Topic},
    governance::{
        command::{Command, TopicFound, TopicRefusal},
        owned_topic::{Asked, OwnedTopic, TopicStatus},
        policy::TopicPolicy,
        request::{Change, ChangeKind},
        topic::{TopicName, TopicSpec, is_same_value},
        violation::{At, Violation},
    },
};

impl Governed {
    /// Makes a topic as it was asked for, or changes one that is there, and says so. Nothing that nobody asked for is
    /// done, nor anything for who only files.
    ///
    /// # Errors
    /// What could not be done; the next run goes on, unless the cluster judged what was asked for and does not take it:
    /// then the journal says why, and nobody tries again before somebody asks again.
    pub async fn make_topic(&self, name: &TopicName, deadline: Instant) -> Result<(), GovernedError> {
        let known = self.snapshot(deadline).await?;
        let Some(topic) = known.state.topic(name).filter(|_| self.mailbox(&known.state).is_none()) else {
            return Ok(());
        };
        let Some(asked) = &topic.asked else { return Ok(()) };
        let policy = known.state.policy().map(|it| it.topics.clone()).unwrap_or_default();
        let tried = match topic.status {
            TopicStatus::Reserved => self.create_asked(asked.spec(name.clone()), &policy, deadline).await,
            TopicStatus::Created => self.change_asked(name, topic, asked, deadline).await,
            TopicStatus::Deleting | TopicStatus::Deleted => return Ok(()),
        };
        let found = match tried {
            Ok(found) => found,
            Err(error) => {
                self.refuse_topic(name, topic, asked, &error, deadline).await?;
                return Err(error);
            }
        };
        let created = TopicFound {
            partitions: Some(found.partitions.into()),
            replication_factor: Some(found.replication_factor.into()),
            ..TopicFound::new(name.clone(), found.id)
        };
        self.follow_up(Command::MarkTopicCreated(created), deadline).await.map(drop)
    }

    /// Makes a change that was agreed to, if that is still to be done. What of it brokers do not have, such as schemas, is
    /// made by whoever asked.
    ///
    /// # Errors
    /// What could not be done; the next run goes on.
    pub(super) async fn make_change(&self, change: &Change, deadline: Instant) -> Result<(), GovernedError> {
        let Some(name) = change.name.parse().ok().filter(|_| change.kind == ChangeKind::Topic) else { return Ok(()) };
        self.make_topic(&name, deadline).await?;
        self.delete_topic(&name, deadline).await
    }

    async fn create_asked(
        &self,
        mut spec: TopicSpec,
        policy: &TopicPolicy,
        deadline: Instant,
    ) -> Result<Topic, GovernedError> {
        policy.complete(&mut spec);
        policy.configure(&mut spec);
        match self.kafka.create_topic(&spec, deadline).await {
            Err(KafkaError::TopicExists(_)) => Ok(left_over(self.kafka.as_ref(), &spec, deadline).await?),
            answer => Ok(answer?),
        }
    }

    /// Says why the cluster does not take what was asked for, where it judged that. Everything else may pass.
    async fn refuse_topic(
        &self,
        name: &TopicName,
        topic: &OwnedTopic,
        asked: &Asked,
        error: &GovernedError,
        deadline: Instant,
    ) -> Result<(), GovernedError> {
        let reason = match error {
            GovernedError::Refused(it) => it.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"),
            GovernedError::Kafka(KafkaError::Refused { message, .. }) => format!("The brokers say: {message}"),
            GovernedError::Kafka(KafkaError::TopicExists(_)) => format!(
                "A topic `{name}` is there already, with data or otherwise than asked for, and nobody says whose it is.\n\nImport \
                 it, or have the platform delete it."
            ),
            GovernedError::Kafka(_) | GovernedError::Journal(_) | GovernedError::Rules(_) => return Ok(()),
        };
        let found = self.kafka.describe_topic(name, deadline).await?.filter(|it| !is_another(topic, it));
        if found.is_none() && matches!(error, GovernedError::Kafka(KafkaError::TopicExists(_))) {
            // It was made a moment ago, and not every broker shows it yet.
            return Ok(());
        }
        let refusal = TopicRefusal {
            name: name.clone(),
            asked: asked.clone(),
            reason,
            partitions: found.as_ref().map(|it| it.partitions.into()),
            replication_factor: found.as_ref().map(|it| it.replication_factor.into()),
        };
        self.follow_up(Command::RefuseTopic(refusal), deadline).await.map(drop)
    }

    async fn change_asked(
        &self,
        name: &TopicName,
        topic: &OwnedTopic,
        asked: &Asked,
        deadline: Instant,
    ) -> Result<Topic, GovernedError> {
        let found = self.kafka.describe_topic(name, deadline).await?;
        let found = found.ok_or_else(|| KafkaError::NoTopic(name.to_string()))?;
        if is_another(topic, &found) {
            return Err(made_anew(name));
        }
        let copies = i64::from(found.replication_factor);
        if asked.replication_factor.is_some_and(|it| it != copies) {
            let what = format!("The topic `{name}` has {copies} copies of each partition, and others were asked for.");
            let remedy = "Kafka changes them by a reassignment alone. Ask for as many as there are.";
            let at = At::attribute("replication_factor");
            return Err(GovernedError::Refused(Violation::new(at, "Copies do not change", what, remedy).into()));
        }
        let wanted = asked.partitions.and_then(|it| i32::try_from(it).ok()).filter(|it| found.partitions < *it);
        if let Some(count) = wanted {
            self.kafka.grow_partitions(name, count, deadline).await?;
        }
        let changes = asked.config_changes();
        if !changes.is_empty() {
            self.kafka.alter_topic_config(name, &changes, deadline).await?;
        }
        Ok(Topic { partitions: wanted.unwrap_or(found.partitions), ..found })
    }

    /// Deletes a topic whose end was decided: the one that the journal knows, and no other of its name.
    ///
    /// # Errors
    /// What could not be done; the next run goes on.
    pub async fn delete_topic(&self, name: &TopicName, deadline: Instant) -> Result<(), GovernedError> {
        let known = self.snapshot(deadline).await?;
        let is_ending = |it: &&OwnedTopic| it.status == TopicStatus::Deleting && self.mailbox(&known.state).is_none();
        let Some(topic) = known.state.topic(name).filter(is_ending) else { return Ok(()) };
        let found = self.kafka.describe_topic(name, deadline).await?;
        if let Some(found) = found.filter(|it| !is_another(topic, it)) {
            let is_known = topic.topic_id.is_some() || found.id.is_none();
            if !is_known && !self.kafka.topic_never_written(name, deadline).await? {
                let what = format!(
                    "The topic `{name}` is to be deleted, the journal does not say which one it was, and the one that is \
                     there has data."
                );
                let remedy = "Delete it by hand if it is the one.";
                let told = Violation::new(At::attribute("name"), "Topic unknown", what, remedy);
                return Err(GovernedError::Refused(told.into()));
            }
            // Rules outlive the topic. What is left of them is outstanding by itself.
            self.revoke_on_topic(name, deadline).await?;
            self.kafka.delete_topic(name, found.id.as_deref(), deadline).await?;
        }
        self.follow_up(Command::MarkTopicDeleted(name.clone()), deadline).await.map(drop)
    }
}

/// Takes a topic that is there already for the work of a create that was interrupted: it is as it should be, and nobody
/// ever wrote to it. Nothing in Kafka proves whose it is, so that the caller has to tell.
///
/// # Errors
/// [`KafkaError::TopicExists`] where it is none, and those of the cluster.
pub async fn left_over(kafka: &dyn Kafka, spec: &TopicSpec, deadline: Instant) -> Result<Topic, KafkaError> {
    let exists = || KafkaError::TopicExists(spec.name.to_string());
    let found = kafka.describe_topic(&spec.name, deadline).await?.ok_or_else(exists)?;
    let overridden = found.config.as_ref().map(|config| {
        let own = config.iter().filter(|(_, it)| it.overridden);
        own.filter_map(|(key, it)| Some((key.clone(), it.value.clone()?))).collect::<BTreeMap<_, _>>()
    });
    let as_planned = spec.partitions.is_none_or(|it| it == found.partitions)
        && spec.replication_factor.is_none_or(|it| it == found.replication_factor)
        && overridden.is_some_and(|it| is_same_config(&spec.config, &it));
    if as_planned && kafka.topic_never_written(&spec.name, deadline).await? { Ok(found) } else { Err(exists()) }
}

/// Whether the keys are the same, and the broker understood each value as it was written.
fn is_same_config(written: &BTreeMap<String, String>, actual: &BTreeMap<String, String>) -> bool {
    written.keys().eq(actual.keys())
        && written.iter().zip(actual.values()).all(|((key, written), actual)| is_same_value(key, written, actual))
}

/// Whether a topic that is there is another one than the journal knows.
fn is_another(topic: &OwnedTopic, found: &Topic) -> bool {
    topic.topic_id.is_some() && found.id.is_some() && topic.topic_id != found.id
}

fn made_anew(name: &TopicName) -> GovernedError {
    let what = format!("The topic `{name}` is another one than the one that the change was asked for.");
    let remedy = "Find out who deleted the first and made the second, and have the owner ask again.";
    GovernedError::Refused(Violation::new(At::attribute("name"), "Topic made anew", what, remedy).into())
}

//! What a cluster has that nobody owns.

use std::{collections::BTreeSet, time::Instant};

use super::Governed;
use crate::{
    clients::kafka::{KafkaError, Listed, Topic},
    governance::{command::TopicFound, kind::Kind, state::State},
};

impl Governed {
    /// The names of a kind that the cluster told and that nobody owns; `None` where it does not tell the caller those of
    /// that kind. Topics are not listed so: see [`unowned_topics`].
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn unowned(&self, kind: Kind, state: &State, deadline: Instant) -> Result<Option<Listed>, KafkaError> {
        let listed = match kind {
            Kind::Group => self.kafka.group_names(deadline).await,
            Kind::TransactionalId => self.kafka.transactional_ids(deadline).await,
            Kind::Topic | Kind::Subject | Kind::Connector => return Ok(None),
        };
        match listed {
            Ok(mut it) => {
                it.names.retain(|name| state.owner_of(kind, name).is_none());
                Ok(Some(it))
            }
            Err(KafkaError::Denied { .. } | KafkaError::Unsupported(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The names of the topics that are under nobody's prefix.
pub fn unowned_topics(state: &State, topics: &[Topic]) -> BTreeSet<String> {
    let names = topics.iter().filter(|it| !it.name.is_internal()).map(|it| it.name.to_string());
    names.filter(|it| state.owner_of(Kind::Topic, it).is_none()).collect()
}

/// The topics that no application owns by the journal, each with what it takes.
pub fn free_topics(state: &State, topics: &[Topic]) -> Vec<TopicFound> {
    let is_owned = |it: &Topic| state.topic(&it.name).is_some_and(|it| it.is_there() && it.application.is_some());
    let free = topics.iter().filter(|it| !it.name.is_internal() && !is_owned(it));
    free.map(|it| TopicFound {
        partitions: Some(it.partitions.into()),
        replication_factor: Some(it.replication_factor.into()),
        ..TopicFound::new(it.name.clone(), it.id.clone())
    })
    .collect()
}

//! What a cluster has that nobody owns.

use std::{collections::BTreeSet, time::Instant};

use super::Governed;
use crate::{
    clients::{
        kafka::{KafkaError, Listed, QuotaEntity, Topic},
        registry::RegistryError,
    },
    governance::{
        application::ApplicationSpec,
        client_quota::{FoundLimits, QuotaStatus, QuotaUser, shares},
        command::TopicFound,
        kind::Kind,
        state::State,
        subject::SubjectName,
    },
};

impl Governed {
    /// The names of a kind that the cluster told and that nobody owns; `None` where it does not tell the caller those of
    /// that kind. Topics and subjects are not listed so: see [`unowned_topics`] and [`Governed::unowned_subjects`].
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

    /// The names of the subjects, without their context, that nobody owns; nothing where the registry is not known.
    ///
    /// # Errors
    /// Those of the registry.
    pub async fn unowned_subjects(&self, state: &State, deadline: Instant) -> Result<BTreeSet<String>, RegistryError> {
        let Some(registry) = &self.registry else { return Ok(BTreeSet::new()) };
        let subjects = registry.subjects(false, deadline).await?;
        let names = subjects.iter().map(SubjectName::in_context);
        Ok(names.filter(|it| state.owner_of(Kind::Subject, it).is_none()).map(str::to_owned).collect())
    }

    /// The limits that the cluster has for principals of an application whose quotas nobody here holds: asked anew, or as
    /// a refresh sees them. None where it wants no quota, and where the caller may not see any.
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn unheld_limits(
        &self,
        spec: &ApplicationSpec,
        state: &State,
        anew: bool,
        deadline: Instant,
    ) -> Result<FoundLimits, KafkaError> {
        let is_held = |it: &QuotaUser| state.quota(it).is_some_and(|it| it.status != QuotaStatus::Removed);
        let mut res = FoundLimits::new();
        for (user, _) in shares(&spec.client_quota, &spec.principals).into_iter().filter(|(it, _)| !is_held(it)) {
            let entity = QuotaEntity::user(&user.0);
            let found = if anew {
                self.kafka.quota(&entity, deadline).await
            } else {
                self.kafka.refresh_quota(&entity, deadline).await
            };
            match found {
                Ok(found) => res.insert(user, found),
                Err(KafkaError::Denied { .. } | KafkaError::Unsupported(_)) => return Ok(FoundLimits::new()),
                Err(error) => return Err(error),
            };
        }
        Ok(res)
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

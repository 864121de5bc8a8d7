//! What somebody did to topics past what is kept here: found and told, and for their owners to see to.

use std::time::Instant;

use super::Governed;
use crate::{
    clients::kafka::KafkaError,
    governance::{
        astray::{Astray, astray},
        decide::owned_topics,
        grants::{MadeAnew, is_any, made_anew},
        policy::DeployerRights,
        schema_demand::SchemaDemand,
        state::State,
    },
    log,
};

/// One thing that an owner is to see to. Nothing of it is left to do here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noticed {
    /// A topic that somebody else made anew, and that others have access to still.
    MadeAnew(MadeAnew),
    /// A topic that is there past the rules.
    Astray(Astray),
    /// A topic without the schema that the environment demands.
    WithoutSchema(SchemaDemand),
}

impl Governed {
    /// What is to be noticed about topics, by one look at all of them.
    pub(super) async fn noticed(&self, state: &State, deadline: Instant) -> Result<Vec<Noticed>, KafkaError> {
        let are_direct = state.policy().is_some_and(|it| it.deployer_rights == DeployerRights::Direct);
        let mut without = self.without_schema(state, deadline).await;
        if !are_direct && !is_any(state) {
            return Ok(without);
        }
        let found = self.kafka.topics(deadline).await?;
        let noticed = found.iter().flat_map(|it| {
            let anew = made_anew(state, &it.name, it.id.as_deref()).map(Noticed::MadeAnew);
            let astray = astray(state, &it.name, it.partitions, it.replication_factor.into()).map(Noticed::Astray);
            anew.into_iter().chain(astray)
        });
        without.extend(noticed);
        Ok(without)
    }

    /// The topics that are declared and have no schema where one is demanded. A registry that does not answer tells nothing.
    async fn without_schema(&self, state: &State, deadline: Instant) -> Vec<Noticed> {
        let demands: Vec<_> = owned_topics(state).filter_map(|(it, _)| SchemaDemand::of(state, it)).collect();
        let Some(registry) = self.registry.as_ref().filter(|_| !demands.is_empty()) else { return Vec::new() };
        match registry.subjects(false, deadline).await {
            Ok(subjects) => {
                let lacks = |it: &SchemaDemand| !subjects.iter().any(|subject| it.is_met_by(subject));
                demands.into_iter().filter(lacks).map(Noticed::WithoutSchema).collect()
            }
            Err(error) => {
                log::warn("Schemas of topics were not looked for", &[("error", &error)]);
                Vec::new()
            }
        }
    }
}

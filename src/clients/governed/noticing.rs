//! What somebody did to topics past what is kept here: found and told, and for their owners to see to.

use std::time::Instant;

use super::Governed;
use crate::{
    clients::kafka::KafkaError,
    governance::{
        astray::{Astray, astray},
        grants::{MadeAnew, is_any, made_anew},
        policy::DeployerRights,
        state::State,
    },
};

/// One thing that an owner is to see to. Nothing of it is left to do here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noticed {
    /// A topic that somebody else made anew, and that others have access to still.
    MadeAnew(MadeAnew),
    /// A topic that is there past the rules.
    Astray(Astray),
}

impl Governed {
    /// What is to be noticed about topics, by one look at all of them.
    pub(super) async fn noticed(&self, state: &State, deadline: Instant) -> Result<Vec<Noticed>, KafkaError> {
        let are_direct = state.policy().is_some_and(|it| it.deployer_rights == DeployerRights::Direct);
        if !are_direct && !is_any(state) {
            return Ok(Vec::new());
        }
        let found = self.kafka.topics(deadline).await?;
        let noticed = found.iter().flat_map(|it| {
            let anew = made_anew(state, &it.name, it.id.as_deref()).map(Noticed::MadeAnew);
            let astray = astray(state, &it.name, it.partitions, it.replication_factor.into()).map(Noticed::Astray);
            anew.into_iter().chain(astray)
        });
        Ok(noticed.collect())
    }
}

//! The SCRAM credentials of users in memory.

use std::{collections::BTreeMap, time::Instant};

use super::{MemoryCluster, State, refused};
use crate::{
    clients::kafka::{
        Answer, ITERATIONS, KafkaError, LogIn, NewScramCredential, ScramCredentials, ScramMechanism, ScramUsers, Secret,
    },
    governance::acl::{CLUSTER, Operation, ResourceType},
};

/// Each user's passwords, and how often each is hashed.
pub(super) type Users = BTreeMap<String, BTreeMap<ScramMechanism, (u32, Secret)>>;

impl MemoryCluster {
    /// The password that a user has, which no cluster tells.
    pub fn scram_password(&self, user: &str, mechanism: ScramMechanism) -> Option<String> {
        let state = self.state();
        let (_, password) = state.users.get(user)?.get(&mechanism)?;
        Some(password.expose().to_owned())
    }

    /// Lets nobody log in with SASL from now on.
    pub fn stop_sasl(&self) {
        self.state().has_no_sasl = true;
    }
}

impl State {
    fn shown_user(&self, user: &str) -> Result<ScramCredentials, KafkaError> {
        self.permit(Operation::Describe, ResourceType::Cluster, CLUSTER)?;
        Ok(self.users.get(user).map(shown).unwrap_or_default())
    }
}

fn shown(credentials: &BTreeMap<ScramMechanism, (u32, Secret)>) -> ScramCredentials {
    credentials.iter().map(|(mechanism, (iterations, _))| (*mechanism, *iterations)).collect()
}

impl ScramUsers for MemoryCluster {
    fn refresh_scram_user<'a>(&'a self, user: &'a str, _: Instant) -> Answer<'a, ScramCredentials> {
        self.answer("refresh_scram_user", |state| state.shown_user(user))
    }

    fn scram_user<'a>(&'a self, user: &'a str, _: Instant) -> Answer<'a, ScramCredentials> {
        self.answer("scram_user", |state| state.shown_user(user))
    }

    fn scram_users(&self, _: Instant) -> Answer<'_, BTreeMap<String, ScramCredentials>> {
        self.answer("scram_users", |state| {
            state.permit(Operation::Describe, ResourceType::Cluster, CLUSTER)?;
            Ok(state.users.iter().map(|(user, it)| (user.clone(), shown(it))).collect())
        })
    }

    fn set_scram_credential<'a>(&'a self, credential: &'a NewScramCredential, _: Instant) -> Answer<'a, ()> {
        self.answer("set_scram_credential", |state| {
            state.permit(Operation::Alter, ResourceType::Cluster, CLUSTER)?;
            let NewScramCredential { user, mechanism, iterations, password } = credential;
            let unacceptable = |message: &str| Err(refused("UNACCEPTABLE_CREDENTIAL", message));
            if user.is_empty() {
                return unacceptable("a user has a name");
            }
            if !ITERATIONS.contains(iterations) {
                return unacceptable("too few or too many iterations");
            }
            state.users.entry(user.clone()).or_default().insert(*mechanism, (*iterations, password.clone()));
            Ok(())
        })
    }

    fn delete_scram_credential<'a>(&'a self, user: &'a str, mechanism: ScramMechanism, _: Instant) -> Answer<'a, ()> {
        self.answer("delete_scram_credential", |state| {
            state.permit(Operation::Alter, ResourceType::Cluster, CLUSTER)?;
            let Some(credentials) = state.users.get_mut(user) else { return Ok(()) };
            credentials.remove(&mechanism);
            if credentials.is_empty() {
                state.users.remove(user);
            }
            Ok(())
        })
    }

    fn log_in_as<'a>(&'a self, credential: &'a NewScramCredential, _: Instant) -> Answer<'a, LogIn> {
        self.answer("log_in_as", |state| {
            if state.has_no_sasl {
                return Ok(LogIn::NotOffered("none".to_owned()));
            }
            let known = state.users.get(&credential.user).and_then(|it| it.get(&credential.mechanism));
            let is_it = known.is_some_and(|(_, password)| *password == credential.password);
            Ok(if is_it { LogIn::Succeeds } else { LogIn::Fails })
        })
    }
}

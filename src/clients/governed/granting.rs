//! From a request that was agreed to to what the cluster knows, and back.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use super::{
    Governed, GovernedError,
    provisioning::{enforces, lost},
};
use crate::{
    clients::{
        clock::now,
        journal::Snapshot,
        kafka::{AclFailures, AclFilter, KafkaError, ResourceFilter},
    },
    governance::{
        acl::AclBinding,
        binding::Holder,
        command::{Command, GrantFailure, Granting, SeenRules},
        decide::needs_granting,
        grants::ending_on_topic,
        policy::AclMode,
        request::{Grant, Request, RequestId, RequestStatus, Subject, resource_type},
        state::State,
        topic::TopicName,
    },
};

impl Governed {
    /// Does what follows from what was decided about a request, asked otherwise or taken back: takes away, and then
    /// makes. Who only files gets nothing done, and no error.
    ///
    /// # Errors
    /// What could not be done; the next run goes on.
    pub async fn follow(&self, id: &RequestId, deadline: Instant) -> Result<Arc<Snapshot<State>>, GovernedError> {
        let known = self.snapshot(deadline).await?;
        let Some(request) = known.state.request(id) else { return Ok(known) };
        if matches!(request.content.subject, Subject::Application(_)) {
            return self.provision(&request.applicant().name.clone(), deadline).await;
        }
        if let Subject::Change(change) = &request.content.subject {
            self.make_change(change, deadline).await?;
            return self.snapshot(deadline).await;
        }
        self.revoke_grant(id, deadline).await?;
        self.grant(id, deadline).await
    }

    /// Makes the rules of a request that was agreed to, mends those that somebody took away, and removes what only a
    /// revision before had. One that nobody agreed to, or whose rules are made elsewhere, stays as it is.
    ///
    /// # Errors
    /// What could not be done. The journal says `failed` then, and the next run goes on.
    pub async fn grant(&self, id: &RequestId, deadline: Instant) -> Result<Arc<Snapshot<State>>, GovernedError> {
        let known = self.snapshot(deadline).await?;
        if self.mailbox(&known.state).is_some() || !enforces(&known.state) {
            return Ok(known);
        }
        let holder = holder(id);
        let known = self.mark_lost(id, known, deadline).await?;
        let Some(request) = known.state.request(id) else { return Ok(known) };
        let made = if needs_granting(&known.state, id, request, now()) {
            self.make_grant(id, request, &known.state, deadline).await
        } else {
            Ok(())
        };
        match made {
            Ok(()) => self.settle(&holder, deadline).await,
            Err(error) => {
                self.fail_grant(id, &error, deadline).await?;
                Err(error)
            }
        }
    }

    /// Takes away what a request had, where that was decided or its time is over.
    ///
    /// # Errors
    /// What could not be done; the next run goes on.
    pub async fn revoke_grant(&self, id: &RequestId, deadline: Instant) -> Result<Arc<Snapshot<State>>, GovernedError> {
        let known = self.snapshot(deadline).await?;
        let is_ending = known.state.request(id).and_then(|it| it.grant.as_ref()).is_some_and(|it| it.is_ending);
        if !is_ending || self.mailbox(&known.state).is_some() {
            return Ok(known);
        }
        self.settle(&holder(id), deadline).await?;
        self.follow_up(Command::FinishRevocation(id.clone()), deadline).await
    }

    /// Takes away what others had of a topic by its name, where that was decided with the topic's end: rules outlive a
    /// topic. Answers what is left of that because the caller may not change rules.
    ///
    /// # Errors
    /// What else could not be done; the next run goes on.
    pub async fn revoke_on_topic(
        &self,
        name: &TopicName,
        deadline: Instant,
    ) -> Result<BTreeMap<RequestId, Grant>, GovernedError> {
        let known = self.snapshot(deadline).await?;
        let may_write = self.mailbox(&known.state).is_none();
        let mut left = BTreeMap::new();
        for (id, request) in ending_on_topic(&known.state, name) {
            let is_gone = match self.revoke_grant(id, deadline).await {
                Ok(_) => may_write,
                Err(error) if error.is_denied() => false,
                Err(error) => return Err(error),
            };
            left.extend(request.grant.clone().filter(|_| !is_gone).map(|it| (id.clone(), it)));
        }
        Ok(left)
    }

    /// The rules that a grant has by the journal, and that the cluster has not: somebody removed them.
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn lost_of_grant(
        &self,
        id: &RequestId,
        state: &State,
        deadline: Instant,
    ) -> Result<BTreeSet<AclBinding>, KafkaError> {
        let Some(grant) = live(state, id).filter(|_| enforces(state)) else { return Ok(BTreeSet::new()) };
        let on_cluster = self.rules_on_cluster(grant.content.principals.iter(), false, deadline).await?;
        Ok(lost(state, &holder(id), &on_cluster).cloned().collect())
    }

    /// Says which rules of a grant the cluster has no more, so that they are made again.
    async fn mark_lost(
        &self,
        id: &RequestId,
        known: Arc<Snapshot<State>>,
        deadline: Instant,
    ) -> Result<Arc<Snapshot<State>>, GovernedError> {
        let Some(grant) = live(&known.state, id) else { return Ok(known) };
        let on_cluster = self.rules_on_cluster(grant.content.principals.iter(), true, deadline).await?;
        let absent: BTreeSet<_> = lost(&known.state, &holder(id), &on_cluster).cloned().collect();
        if absent.is_empty() {
            return Ok(known);
        }
        self.follow_up(Command::MarkBindings(SeenRules::since(&known.state, [], absent)), deadline).await
    }

    async fn make_grant(
        &self,
        id: &RequestId,
        request: &Request,
        state: &State,
        deadline: Instant,
    ) -> Result<(), GovernedError> {
        let on_cluster = state.strangers(&self.rules_about(request, state, deadline).await?);
        self.follow_up(Command::StartGrant(Granting { request: id.clone(), on_cluster }), deadline).await?;
        let known = self.settle(&holder(id), deadline).await?;
        let known = self.see_made(id, known, deadline).await?;
        let is_begun = |it: &Request| it.status == RequestStatus::Provisioning;
        if known.state.request(id).is_some_and(is_begun) {
            self.follow_up(Command::FinishGrant(id.clone()), deadline).await?;
        }
        Ok(())
    }

    /// The rules that the cluster has for the programs of a request, and, where the first rule for a resource shuts out
    /// all others, for what is asked for.
    async fn rules_about(
        &self,
        request: &Request,
        state: &State,
        deadline: Instant,
    ) -> Result<BTreeSet<AclBinding>, KafkaError> {
        let mut res = self.rules_on_cluster(request.content.principals.iter(), true, deadline).await?;
        let is_open = state.policy().is_some_and(|it| it.acl_mode == AclMode::Open);
        if let Some(access) = request.content.access().filter(|_| is_open) {
            let resource = ResourceFilter::Covering(access.name.clone());
            let filter = AclFilter { resource_type: resource_type(access.kind), resource, ..AclFilter::default() };
            res.extend(self.kafka.acls(&filter, deadline).await?);
        }
        Ok(res)
    }

    /// Asks the cluster for exactly the rules of a grant before it is said to be active. What is not there is to be made
    /// again.
    async fn see_made(
        &self,
        id: &RequestId,
        known: Arc<Snapshot<State>>,
        deadline: Instant,
    ) -> Result<Arc<Snapshot<State>>, GovernedError> {
        let Some(grant) = live(&known.state, id) else { return Ok(known) };
        let on_cluster = self.rules_on_cluster(grant.content.principals.iter(), true, deadline).await?;
        let absent: BTreeSet<_> = grant.bindings.difference(&on_cluster).cloned().collect();
        if absent.is_empty() {
            return Ok(known);
        }
        let unseen = |it: &AclBinding| (it.clone(), KafkaError::Deadline("waiting to see the rule".to_owned()));
        let failures: AclFailures = absent.iter().map(unseen).collect();
        self.follow_up(Command::MarkBindings(SeenRules::since(&known.state, [], absent)), deadline).await?;
        Err(GovernedError::Rules(failures))
    }

    async fn fail_grant(&self, id: &RequestId, error: &GovernedError, deadline: Instant) -> Result<(), GovernedError> {
        let known = self.snapshot(deadline).await?;
        let is_under_way = |it: &Request| matches!(it.status, RequestStatus::Approved | RequestStatus::Provisioning);
        if known.state.request(id).is_some_and(is_under_way) {
            let failure = GrantFailure { request: id.clone(), reason: error.to_string() };
            self.follow_up(Command::FailGrant(failure), deadline).await?;
        }
        Ok(())
    }
}

fn holder(id: &RequestId) -> Holder {
    Holder::Grant(id.to_string())
}

fn live<'a>(state: &'a State, id: &RequestId) -> Option<&'a Grant> {
    state.request(id)?.live_grant()
}

#[cfg(test)]
mod tests;

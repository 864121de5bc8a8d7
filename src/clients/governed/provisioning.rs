//! From what an application may to what the cluster knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    sync::Arc,
    time::Instant,
};

use super::{Governed, GovernedError};
use crate::{
    clients::{
        journal::Snapshot,
        kafka::{AclFilter, KafkaError, QuotaChanges, QuotaEntity},
    },
    governance::{
        acl::{AclBinding, Principal, ResourceType},
        application::{Application, ApplicationUid, Status},
        binding::{BindingEntry, BindingStatus, Deed, Holder},
        client_quota::{ClientQuota, QuotaStatus, QuotaUser},
        command::{Command, Failure, Provisioning, Seen, SeenRules},
        kind::Kind,
        names::ApplicationName,
        policy::{AclMode, Enforcement},
        prefix::Existing,
        rights::{self, INBOX, MAILBOXES, STATE_TOPIC},
        state::State,
    },
};

/// Rounds of deeds that can follow from one another: a removal that is closed, what is made again, and one for whoever
/// works at the same time. What is left then is left to the next run.
const ROUNDS: usize = 5;

impl Governed {
    /// Makes the rights of an application that was agreed to, mends those that somebody took away, and removes what it
    /// needs no more. One that waits for an agreement, or whose rights are made elsewhere, stays as it is.
    ///
    /// # Errors
    /// What could not be done. The journal says `failed` then, and the next run goes on.
    pub async fn provision(
        &self,
        name: &ApplicationName,
        deadline: Instant,
    ) -> Result<Arc<Snapshot<State>>, GovernedError> {
        let known = self.snapshot(deadline).await?;
        if self.mailbox(&known.state).is_some() {
            return Ok(known);
        }
        let is_ours = known.state.policy().is_some_and(|it| it.enforcement != Enforcement::External);
        let Some(application) = known.state.application(name).filter(|it| is_ours && it.status.is_in_force()) else {
            return Ok(known);
        };
        let holder = Holder::Application(application.uid());
        match self.make_rights(application, &holder, &known.state, deadline).await {
            Ok(()) => {
                self.follow_up(Command::FinishProvisioning(name.clone()), deadline).await?;
                let known = self.settle(&holder, deadline).await?;
                self.settle_granted(known, &application.uid(), deadline).await
            }
            Err(error) => {
                if application.status != Status::Ready {
                    let failure = Failure { application: name.clone(), reason: error.to_string() };
                    self.follow_up(Command::FailProvisioning(failure), deadline).await?;
                }
                Err(error)
            }
        }
    }

    /// Takes from programs what was granted to an application whose they are no more.
    async fn settle_granted(
        &self,
        mut known: Arc<Snapshot<State>>,
        to: &ApplicationUid,
        deadline: Instant,
    ) -> Result<Arc<Snapshot<State>>, GovernedError> {
        let granted = known.state.requests().filter(|(_, it)| it.grant.is_some() && it.applicant() == to);
        let holders = granted.map(|(id, _)| Holder::Grant(id.to_string()));
        let undone: Vec<Holder> = holders.filter(|it| !Rules::of(&known.state, it).is_empty()).collect();
        for holder in undone {
            known = self.settle(&holder, deadline).await?;
        }
        Ok(known)
    }

    /// Provisions applications one after another, and answers for which it was not done, and why.
    pub async fn provision_all(
        &self,
        names: &BTreeSet<ApplicationName>,
        deadline: Instant,
    ) -> BTreeMap<ApplicationName, String> {
        let mut left = BTreeMap::new();
        for name in names {
            if deadline <= Instant::now() {
                left.insert(name.clone(), "the time was over before its turn came".to_owned());
            } else if let Err(error) = self.provision(name, deadline).await {
                left.insert(name.clone(), why(&error));
            }
        }
        left
    }

    async fn make_rights(
        &self,
        application: &Application,
        holder: &Holder,
        state: &State,
        deadline: Instant,
    ) -> Result<(), GovernedError> {
        self.make_mailbox(application, deadline).await?;
        let on_cluster = if enforces(state) {
            self.rules_on_cluster(application.spec.all_principals(), true, deadline).await?
        } else {
            BTreeSet::new()
        };
        let lost: BTreeSet<_> = lost(state, holder, &on_cluster).cloned().collect();
        if !lost.is_empty() {
            self.follow_up(Command::MarkBindings(SeenRules::since(state, [], lost)), deadline).await?;
        }
        self.mark_changed_quotas(application, state, deadline).await?;
        let unruled = self.unruled(state, deadline).await?;
        let on_cluster = state.strangers(&on_cluster);
        let limits = self.unheld_limits(&application.spec, state, true, deadline).await?;
        let provisioning = Provisioning { application: application.spec.name.clone(), on_cluster, unruled, limits };
        self.follow_up(Command::StartProvisioning(provisioning), deadline).await?;
        self.settle(holder, deadline).await.map(drop)
    }

    /// Does what is left to do for an application's rights, such as those that it gave away.
    ///
    /// # Errors
    /// What could not be done; the next run goes on.
    pub async fn settle_rights(&self, name: &ApplicationName, deadline: Instant) -> Result<(), GovernedError> {
        let known = self.snapshot(deadline).await?;
        let application = known.state.application(name).filter(|_| self.mailbox(&known.state).is_none());
        let Some(application) = application else { return Ok(()) };
        self.settle(&Holder::Application(application.uid()), deadline).await.map(drop)
    }

    /// Takes all rights of an application that is being deleted.
    ///
    /// # Errors
    /// What could not be done; the next run goes on.
    pub async fn unprovision(
        &self,
        name: &ApplicationName,
        deadline: Instant,
    ) -> Result<Arc<Snapshot<State>>, GovernedError> {
        let known = self.snapshot(deadline).await?;
        let is_ending = |it: &&Application| it.status == Status::Deleting && self.mailbox(&known.state).is_none();
        let Some(application) = known.state.application(name).filter(is_ending) else {
            return Ok(known);
        };
        self.settle(&Holder::Application(application.uid()), deadline).await?;
        self.settle_declared(name, deadline).await?;
        self.remove_mailbox(application, deadline).await?;
        self.follow_up(Command::FinishDeletion(name.clone()), deadline).await
    }

    /// The rules that a holder has by the journal, and that the cluster has not: somebody removed them.
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn lost_rules(
        &self,
        application: &Application,
        state: &State,
        deadline: Instant,
    ) -> Result<BTreeSet<AclBinding>, KafkaError> {
        if !enforces(state) {
            return Ok(BTreeSet::new());
        }
        let on_cluster = self.rules_on_cluster(application.spec.all_principals(), false, deadline).await?;
        Ok(lost(state, &Holder::Application(application.uid()), &on_cluster).cloned().collect())
    }

    /// The rules that nobody here made and that change who may do what of an application.
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn strange_rules(
        &self,
        application: &Application,
        state: &State,
        deadline: Instant,
    ) -> Result<BTreeSet<AclBinding>, KafkaError> {
        if !enforces(state) {
            return Ok(BTreeSet::new());
        }
        let all = self.kafka.refresh_acls(&AclFilter::default(), deadline).await?;
        Ok(rights::strange(state, &application.spec, &all).into_iter().cloned().collect())
    }

    /// The users whose quotas are not what the journal says: somebody changed them.
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn changed_quotas(
        &self,
        application: &Application,
        state: &State,
        anew: bool,
        deadline: Instant,
    ) -> Result<BTreeSet<QuotaUser>, KafkaError> {
        let mut res = BTreeSet::new();
        let holder = Holder::Application(application.uid());
        let present = state.quotas().filter(|(_, it)| it.holder == holder && it.status == QuotaStatus::Present);
        for (user, quota) in present {
            let entity = QuotaEntity::user(&user.0);
            let found = if anew {
                self.kafka.quota(&entity, deadline).await?
            } else {
                self.kafka.refresh_quota(&entity, deadline).await?
            };
            if !quota.limits.is_what(&found) {
                res.insert(user.clone());
            }
        }
        Ok(res)
    }

    /// Says which quotas are to be set again. Who may set them and not see them leaves them as they are.
    async fn mark_changed_quotas(
        &self,
        application: &Application,
        state: &State,
        deadline: Instant,
    ) -> Result<(), GovernedError> {
        let absent = match self.changed_quotas(application, state, true, deadline).await {
            Err(KafkaError::Denied { .. }) => return Ok(()),
            answer => answer?,
        };
        if !absent.is_empty() {
            let seen = Seen { present: BTreeSet::new(), absent };
            self.follow_up(Command::MarkQuotas(seen), deadline).await?;
        }
        Ok(())
    }

    /// What is on the cluster and has no rule, where that makes it everybody's; nothing elsewhere, and nothing where the
    /// caller may not see rules. These are topics: Kafka does not tell who may name which group or transaction.
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn unruled(&self, state: &State, deadline: Instant) -> Result<Existing, KafkaError> {
        if !enforces(state) || state.policy().is_none_or(|it| it.acl_mode != AclMode::Open) {
            return Ok(Existing::new());
        }
        let rules = match self.kafka.acls(&AclFilter::default(), deadline).await {
            Ok(rules) => rules,
            Err(KafkaError::Denied { .. } | KafkaError::NoAuthorizer) => return Ok(Existing::new()),
            Err(error) => return Err(error),
        };
        let topics = self.kafka.topics(deadline).await?.into_iter().map(|it| it.name);
        let is_ruled = |name: &str| rules.iter().any(|it| it.covers(ResourceType::Topic, name));
        // What governs has its own rules, or gets them with those of the application whose mailbox it is.
        let is_ours = |name: &str| name.starts_with(MAILBOXES) || [STATE_TOPIC, INBOX].contains(&name);
        let is_unruled = |name: &str| !is_ours(name) && !is_ruled(name);
        let unruled = topics.filter(|it| !it.is_internal() && is_unruled(it.as_str())).map(|it| it.to_string());
        Ok(Existing::from([(Kind::Topic, unruled.collect())]))
    }

    /// The rules that the cluster has for principals: asked anew, or as a refresh sees them.
    pub(super) async fn rules_on_cluster(
        &self,
        principals: impl Iterator<Item = &Principal>,
        anew: bool,
        deadline: Instant,
    ) -> Result<BTreeSet<AclBinding>, KafkaError> {
        let mut res = BTreeSet::new();
        for principal in principals {
            let filter = AclFilter { principal: Some(principal.clone()), ..AclFilter::default() };
            let found = if anew {
                self.kafka.acls(&filter, deadline).await?
            } else {
                self.kafka.refresh_acls(&filter, deadline).await?
            };
            res.extend(found);
        }
        Ok(res)
    }

    /// Does what the journal says is left to do for a holder, and says that it is done.
    pub(super) async fn settle(
        &self,
        holder: &Holder,
        deadline: Instant,
    ) -> Result<Arc<Snapshot<State>>, GovernedError> {
        let mut known = self.snapshot(deadline).await?;
        for _ in 0..ROUNDS {
            let before = known.clone();
            let rules = Rules::of(&before.state, holder);
            let quotas = quotas(&known.state, holder);
            if rules.is_empty() && quotas.is_empty() {
                break;
            }
            known = self.settle_quotas(quotas, deadline).await?.unwrap_or(known);
            if !rules.is_empty() {
                known = self.settle_rules(&before.state, rules, deadline).await?;
            }
        }
        Ok(known)
    }

    /// Does what a state says that there is to do for rules. What is said of it is said of that state: others may have
    /// done more since.
    async fn settle_rules(
        &self,
        state: &State,
        rules: Rules,
        deadline: Instant,
    ) -> Result<Arc<Snapshot<State>>, GovernedError> {
        let Rules { make, remove, close } = rules;
        let mut failures = self.kafka.create_acls(&make, deadline).await?;
        failures.extend(self.kafka.delete_acls(&remove, deadline).await?);
        let done = |it: &AclBinding| !failures.contains_key(it);
        let (present, absent) = (make.into_iter().filter(done), remove.into_iter().filter(done));
        let seen = SeenRules::since(state, present, absent);
        let mut known = self.follow_up(Command::MarkBindings(seen), deadline).await?;
        if !close.is_empty() {
            known = self.follow_up(Command::CloseRemovals(close.into_iter().collect()), deadline).await?;
        }
        if failures.is_empty() { Ok(known) } else { Err(GovernedError::Rules(failures)) }
    }

    async fn settle_quotas(
        &self,
        quotas: Vec<(QuotaUser, ClientQuota, QuotaStatus)>,
        deadline: Instant,
    ) -> Result<Option<Arc<Snapshot<State>>>, GovernedError> {
        if quotas.is_empty() {
            return Ok(None);
        }
        let mut seen = Seen { present: BTreeSet::new(), absent: BTreeSet::new() };
        for (user, limits, status) in quotas {
            let is_wanted = status == QuotaStatus::Wanted;
            let changes: QuotaChanges =
                limits.named().map(|(_, key, limit)| (key.to_owned(), limit.filter(|_| is_wanted))).into();
            let entity = QuotaEntity::user(&user.0);
            self.kafka.alter_quota(&entity, &changes, deadline).await?;
            if is_wanted { &mut seen.present } else { &mut seen.absent }.insert(user);
        }
        self.follow_up(Command::MarkQuotas(seen), deadline).await.map(Some)
    }
}

/// What there is to do for the rules of a holder.
#[derive(Debug, Default)]
struct Rules {
    make: Vec<AclBinding>,
    remove: Vec<AclBinding>,
    close: Vec<AclBinding>,
}

impl Rules {
    fn of(state: &State, holder: &Holder) -> Self {
        let mut res = Self::default();
        let concerns = |it: &BindingEntry| it.holders.contains(holder) || it.released_by.as_ref() == Some(holder);
        for (binding, entry) in state.bindings().filter(|(_, it)| concerns(it)) {
            match entry.deed() {
                Some(Deed::Make) => res.make.push(binding.clone()),
                Some(Deed::Remove) => res.remove.push(binding.clone()),
                Some(Deed::Close) => res.close.push(binding.clone()),
                None => {}
            }
        }
        res
    }

    fn is_empty(&self) -> bool {
        self.make.is_empty() && self.remove.is_empty() && self.close.is_empty()
    }
}

fn quotas(state: &State, holder: &Holder) -> Vec<(QuotaUser, ClientQuota, QuotaStatus)> {
    let open = state.quota_deeds().into_iter().filter(|(_, it, _)| it.holder == *holder);
    open.map(|(user, it, _)| (user.clone(), it.limits, it.status)).collect()
}

/// An error with its causes, and with the first of many.
fn why(error: &GovernedError) -> String {
    let first = match error {
        GovernedError::Rules(failures) => failures.iter().next().map(|(rule, error)| format!(": `{rule}`: {error}")),
        _ => error.source().map(|it| format!(": {it}")),
    };
    format!("{error}{}", first.unwrap_or_default())
}

/// Whether the brokers' authorizer is what enforces rights.
pub(super) fn enforces(state: &State) -> bool {
    state.policy().is_some_and(|it| it.enforcement == Enforcement::Acl)
}

pub(super) fn lost<'a>(
    state: &'a State,
    holder: &'a Holder,
    on_cluster: &'a BTreeSet<AclBinding>,
) -> impl Iterator<Item = &'a AclBinding> {
    let present = state.bindings_of(holder).filter(|(_, it)| it.status == BindingStatus::Present);
    present.map(|(binding, _)| binding).filter(|it| !on_cluster.contains(it))
}

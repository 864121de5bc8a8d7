//! Rules that somebody declares by hand: needed by that declaration until it says otherwise.

use std::{collections::BTreeSet, time::Instant};

use super::{Governed, GovernedError, provisioning::lost};
use crate::{
    clients::kafka::{AclFilter, KafkaError},
    governance::{
        acl::AclBinding,
        binding::{BindingStatus, Holder},
        command::{Command, Holding, SeenRules},
        names::ApplicationName,
        prefix::Existing,
        state::State,
    },
};

impl Governed {
    /// Has rules for one resource that somebody declares made, and made again where somebody took them away.
    ///
    /// # Errors
    /// Everything that speaks against them, and what could not be done; the next run goes on.
    pub async fn hold(
        &self,
        holder: &Holder,
        bindings: BTreeSet<AclBinding>,
        deadline: Instant,
    ) -> Result<(), GovernedError> {
        let known = self.snapshot(deadline).await?;
        let unruled = self.unruled(&known.state, deadline).await?;
        let held = known.state.bindings_of(holder).next().is_some();
        let first = bindings.first().map(AclFilter::of_resource);
        let holding = Holding { unruled, ..Holding::new(holder.clone(), bindings) };
        self.command(Command::HoldBindings(holding), deadline).await?;
        if let Some(filter) = first.filter(|_| held) {
            self.mark_missing(holder, &filter, deadline).await?;
        }
        self.settle(holder, deadline).await.map(drop)
    }

    /// Says which rules of a holder the cluster does not have any more.
    async fn mark_missing(&self, holder: &Holder, filter: &AclFilter, deadline: Instant) -> Result<(), GovernedError> {
        let known = self.snapshot(deadline).await?;
        let on_cluster: BTreeSet<_> = self.kafka.acls(filter, deadline).await?.into_iter().collect();
        let lost: BTreeSet<_> = lost(&known.state, holder, &on_cluster).cloned().collect();
        if !lost.is_empty() {
            self.follow_up(Command::MarkBindings(SeenRules::since(&known.state, [], lost)), deadline).await?;
        }
        Ok(())
    }

    /// Removes rules that a declaration needs no more, but for those that somebody else needs. Rules that the journal does
    /// not know, such as those of an import, are removed as well.
    ///
    /// # Errors
    /// As for [`Governed::hold`].
    pub async fn release(
        &self,
        holder: &Holder,
        bindings: BTreeSet<AclBinding>,
        deadline: Instant,
    ) -> Result<(), GovernedError> {
        let known = self.snapshot(deadline).await?;
        let unknown: Vec<_> = bindings.iter().filter(|it| is_unknown(&known.state, it)).cloned().collect();
        if !unknown.is_empty() {
            // Nobody removes by a declaration what they could not have declared.
            let holding = Holding::new(holder.clone(), unknown.iter().cloned());
            self.would(&known.state, &Command::HoldBindings(holding))?;
        }
        self.command(Command::ReleaseBindings(Holding::new(holder.clone(), bindings)), deadline).await?;
        self.settle(holder, deadline).await?;
        if unknown.is_empty() {
            return Ok(());
        }
        let failures = self.kafka.delete_acls(&unknown, deadline).await?;
        if failures.is_empty() { Ok(()) } else { Err(GovernedError::Rules(failures)) }
    }

    /// Does what is left to do for rules that were declared for an application.
    ///
    /// # Errors
    /// What could not be done; the next run goes on.
    pub(super) async fn settle_declared(
        &self,
        application: &ApplicationName,
        deadline: Instant,
    ) -> Result<(), GovernedError> {
        let known = self.snapshot(deadline).await?;
        let released = known.state.bindings().filter_map(|(_, it)| it.released_by.as_ref());
        let of_application: BTreeSet<_> =
            released.filter(|it| it.declared_by() == Some(application.as_str())).cloned().collect();
        for holder in &of_application {
            self.settle(holder, deadline).await?;
        }
        Ok(())
    }

    /// What would speak against rules that somebody declares.
    ///
    /// # Errors
    /// All of it, and those of the cluster.
    pub async fn would_hold(
        &self,
        known: &State,
        holder: &Holder,
        bindings: BTreeSet<AclBinding>,
        deadline: Instant,
    ) -> Result<(), GovernedError> {
        let unruled = match self.unruled(known, deadline).await {
            Err(KafkaError::Deadline(_)) => Existing::new(),
            other => other?,
        };
        let holding = Holding { unruled, ..Holding::new(holder.clone(), bindings) };
        Ok(self.would(known, &Command::HoldBindings(holding))?)
    }
}

/// Whether the journal says nothing of a rule, or that it is gone and nobody needs it.
fn is_unknown(state: &State, binding: &AclBinding) -> bool {
    state.binding(binding).is_none_or(|it| it.status == BindingStatus::Removed && it.holders.is_empty())
}

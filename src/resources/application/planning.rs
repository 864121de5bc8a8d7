//! What a plan of an application has where nothing is declared.

use super::{AMENDED, ApplicationModel, PrefixesModel};
use crate::{
    framework::{Call, Failure, Nested, OptionalComputed, Plan, Set},
    governance::{kind::Kind, mailbox::MailboxOf, policy::Enforcement},
    provider::{Context, Governance, Governing},
    resources::place::environment_of_plan,
};

type Prefixes = OptionalComputed<Nested<PrefixesModel>>;

impl Plan<ApplicationModel> {
    async fn governance(&self, ctx: &Context, call: &Call) -> Result<Option<Governance>, Failure> {
        match environment_of_plan(ctx, &self.state)?.governance_if_told(call.deadline).await? {
            Governing::Journal(it) => Ok(Some(it)),
            Governing::Nothing | Governing::Untold(_) => Ok(None),
        }
    }

    /// Whether the application's rights are made outside of Kafka, so that `approved` is the end of what is done here.
    pub(super) async fn is_enforced_elsewhere(&self, ctx: &Context, call: &Call) -> Result<bool, Failure> {
        let policy = |it: Governance| it.snapshot.state.policy().map(|it| it.enforcement);
        Ok(self.governance(ctx, call).await?.and_then(policy) == Some(Enforcement::External))
    }

    /// Whether the caller files what it declares, and the platform makes the rights.
    pub(super) async fn is_filed(&self, ctx: &Context, call: &Call) -> Result<bool, Failure> {
        let mailbox = |it: Governance| it.governed.mailbox(&it.snapshot.state);
        Ok(matches!(self.governance(ctx, call).await?.and_then(mailbox), Some(MailboxOf::Application(_))))
    }

    /// Prefixes that wait for the platform and are not declared any more give way to those that are in force.
    pub(super) async fn withdraw_prefixes(&mut self, ctx: &Context, call: &Call) -> Result<(), Failure> {
        if !call.private.is(AMENDED) {
            return Ok(());
        }
        let Some(governance) = self.governance(ctx, call).await? else { return Ok(()) };
        let Some(found) = governance.snapshot.state.application(self.state.name.value()?) else { return Ok(()) };
        if found.amendment.as_ref().is_some_and(|it| it.prefixes != found.spec.prefixes) {
            let in_force = |kind| Set(found.spec.prefixes(kind).map(str::to_owned).collect()).into();
            self.state.prefixes = self.state.prefixes_left_out(&self.config, in_force);
        }
        Ok(())
    }
}

impl ApplicationModel {
    /// The prefixes of a plan that takes others over: those that are not declared are told when that is done.
    pub(super) fn prefixes_after_takeover(&self, config: &Self) -> Prefixes {
        if config.prefixes.get().is_none() {
            return OptionalComputed::unknown();
        }
        self.prefixes_left_out(config, |_| OptionalComputed::unknown())
    }

    /// The planned prefixes, with others for the kinds that are not declared.
    fn prefixes_left_out(&self, config: &Self, other: impl Fn(Kind) -> OptionalComputed<Set<String>>) -> Prefixes {
        let Some(mut res) = self.prefixes.get().cloned() else { return self.prefixes.clone() };
        let declared = config.prefixes.get().map(|it| it.model.clone()).unwrap_or_default();
        let PrefixesModel { topic, group, transactional_id, subject, connector } = &mut res.model;
        let planned = [topic, group, transactional_id, subject, connector];
        for (planned, (kind, declared)) in planned.into_iter().zip(declared.by_kind()) {
            if declared.is_null() {
                *planned = other(kind);
            }
        }
        res.into()
    }
}

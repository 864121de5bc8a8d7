//! Where a governed object is worked on: its environment, the cluster behind that, and the journal there.

use super::{
    governed::{expect_journal, known},
    place::{Placed, environment_of_plan, environment_of_state, expect_cluster, settle},
};
use crate::{
    clients::governed::Governed,
    framework::{Call, Diagnostic, Failure},
    provider::{Context, Environment, Governance},
};

/// Where an object is worked on.
#[derive(Debug)]
pub(super) struct Site<'a> {
    /// The environment.
    pub(super) environment: &'a Environment,
    /// Id of its cluster.
    pub(super) cluster_id: &'a str,
    /// The cluster with its journal, and who works there.
    pub(super) governed: Governed,
}

impl<'a> Site<'a> {
    /// Where an object is to be made.
    pub(super) async fn of_plan(ctx: &'a Context, plan: &impl Placed, call: &Call) -> Result<Self, Failure> {
        let environment = environment_of_plan(ctx, plan)?;
        let cluster_id = environment.cluster_id(call.deadline).await?;
        Ok(Self { environment, cluster_id, governed: environment.governed()? })
    }

    /// Where an object is to be changed: in the cluster that it was made in, under the journal that its state saw.
    pub(super) async fn of_change<M: Placed>(
        ctx: &'a Context,
        prior: &M,
        plan: &M,
        call: &Call,
    ) -> Result<Self, Failure> {
        let environment = environment_of_plan(ctx, plan)?;
        let cluster_id = expect_cluster(prior, environment, call.deadline).await?;
        Self::expected(environment, cluster_id, call).await
    }

    /// Where an object is, under whatever name of the environment, and under the journal that its state saw.
    pub(super) async fn of_state(ctx: &'a Context, state: &impl Placed, call: &Call) -> Result<Self, Failure> {
        let (environment, cluster_id) = environment_of_state(ctx, state, call.deadline).await?;
        Self::expected(environment, cluster_id, call).await
    }

    async fn expected(environment: &'a Environment, cluster_id: &'a str, call: &Call) -> Result<Self, Failure> {
        let governed = environment.governed()?;
        expect_journal(call, &governed, call.deadline).await?;
        Ok(Self { environment, cluster_id, governed })
    }

    /// What governs the cluster, for a refresh. Where that cannot be read, the state stays as it was stored, which is told;
    /// of an import there is nothing to keep: it is an error, or an environment that ended.
    pub(super) async fn governance(
        &self,
        what: &str,
        is_import: bool,
        call: &mut Call,
    ) -> Result<Option<Governance>, Failure> {
        let governance = self.environment.governance(call.deadline).await?;
        match governance {
            Some(_) => {}
            None if is_import => _ = known(&self.governed, call.deadline).await?,
            None => call.report.push(not_refreshed(what)),
        }
        Ok(governance)
    }

    /// Puts an object that was made or changed into its place. What was read of the journal before is out of date.
    pub(super) async fn settle<M: Placed>(&self, mut state: M) -> Result<M, Failure> {
        self.environment.forget_governance().await;
        settle(&mut state, &self.environment.name, self.cluster_id)?;
        Ok(state)
    }
}

fn not_refreshed(what: &str) -> Diagnostic {
    let detail = "The journal of the cluster cannot be read, or its environment ended, so that the state stays as it was \
                  stored.";
    Diagnostic::warning(format!("{what} not refreshed"), detail)
}

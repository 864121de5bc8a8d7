//! Whether a change of rules may be, as far as a plan can tell.

use std::collections::BTreeSet;

use super::{AclModel, dropped, governed};
use crate::{
    clients::kafka::KafkaError,
    framework::{Call, Change, Diagnostic, Failure, Unknown},
    governance::{
        acl::{AclBinding, Principal, ResourceType},
        lockout::{Loss, loss},
    },
    provider::{Context, Environment},
    resources::{
        place::environment_of_plan,
        users::{patience, warn_unless_may_alter},
    },
};

/// Tells what would go wrong with a change.
pub(super) async fn judge(ctx: &Context, change: &Change<AclModel>, call: &mut Call) -> Result<(), Failure> {
    let placed = change.plan.as_ref().or(change.prior.as_ref()).ok_or(Unknown)?;
    let environment = environment_of_plan(ctx, placed)?;
    let before = change.prior.as_ref().map(AclModel::set).transpose()?.map(|it| it.with(dropped(call)).bindings());
    let after = change.plan.as_ref().map(AclModel::set).transpose()?.map(|it| it.bindings());
    if before == after {
        return Ok(());
    }
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let (added, removed) = (&after - &before, &before - &after);
    let models = (change.prior.as_ref(), change.plan.as_ref(), change.config.as_ref());
    governed::judge(environment, models, removed.clone(), call).await?;
    if !environment.has_made_anything() {
        judge_standing(environment, &added, &removed, call).await?;
    }
    Ok(())
}

/// Tells what the cluster says of the caller's right to change rules.
async fn judge_standing(
    environment: &Environment,
    added: &BTreeSet<AclBinding>,
    removed: &BTreeSet<AclBinding>,
    call: &mut Call,
) -> Result<(), Failure> {
    let standing = environment.rules.of_cluster(environment.kafka()?, patience(call)).await;
    if let Err(KafkaError::NoAuthorizer) = standing {
        let detail = "The brokers have no authorizer, so that they take no ACLs, and apply will fail.\n\nSet \
                      `authorizer.class.name` on the brokers, or do without ACLs.";
        call.report.push(Diagnostic::warning("No authorizer", detail));
        return Ok(());
    }
    warn_unless_may_alter(environment, "ACLs", "rules", call).await?;
    // No other rule gives or takes the right.
    let (added, removed) = (of_cluster(added), of_cluster(removed));
    if added.is_empty() && removed.is_empty() {
        return Ok(());
    }
    if let (Some(caller), Ok(rules)) = (environment.principal(), standing) {
        // Each of two blocks may leave the right that the other one takes.
        let (added, removed) = environment.rules.plan(&added, &removed);
        match loss(rules, caller, &added, &removed) {
            None => {}
            Some(Loss::Certain) => return Err(own_right_lost(caller).into()),
            Some(Loss::From) => {
                let detail = format!(
                    "After this change, `{caller}`, as whom the provider authenticates, may not ALTER the cluster from an \
                     address from where it may now. If the provider connects from there, it cannot change rules any more, \
                     nor take this back.\n\nApply it from elsewhere, or with another principal."
                );
                call.report.push(Diagnostic::warning("Own right depends on the address", detail));
            }
        }
    }
    Ok(())
}

/// Those of some rules that are for the cluster itself.
fn of_cluster(rules: &BTreeSet<AclBinding>) -> BTreeSet<AclBinding> {
    rules.iter().filter(|it| it.resource_type == ResourceType::Cluster).cloned().collect()
}

/// That the caller may not change rules any more.
pub(super) fn own_right_lost(caller: &Principal) -> Diagnostic {
    let detail = format!(
        "After this change, no rule would permit `{caller}`, as whom the provider authenticates, to ALTER the cluster: it could \
         not change rules any more, nor take this back.\n\nGive it the right with another rule before, or apply this with \
         another principal. A replacement takes the right before it gives it again; with `create_before_destroy`, it does not."
    );
    Diagnostic::error("Own right would be lost", detail)
}

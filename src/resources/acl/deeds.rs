//! How rules are made and removed.

use std::collections::BTreeSet;

use super::{
    AclModel,
    governed::{HOLDER, governance, held_by, holder},
    judging::own_right_lost,
};
use crate::{
    clients::{
        governed::{Governed, GovernedError},
        kafka::{AclFailures, AclFilter, Kafka, KafkaError},
    },
    framework::{Call, Diagnostic, Failure},
    governance::{
        acl::{AclBinding, ResourceType},
        acl_set::AclSet,
        binding::Holder,
        lockout::{Loss, loss},
    },
    provider::{Environment, Governance, rules_of_cluster},
    resources::governed::remember,
};

/// Makes what is new of some rules, then removes what is owned and not wanted any more. A rule that another resource of
/// this process has stays; one that another removed is made again. On a governed cluster, the journal knows who needs what.
pub(super) async fn change(
    environment: &Environment,
    before: Option<&AclModel>,
    wanted: &AclModel,
    owned: BTreeSet<AclBinding>,
    call: &mut Call,
) -> Result<(), Failure> {
    let set = wanted.set()?;
    let bindings = set.bindings();
    environment.rules.hold(&set.to_string(), &bindings);
    let lost = environment.rules.settled(&bindings).await;
    let governance = governance(environment, call).await?;
    if let Some(Governance { governed, snapshot }) = &governance {
        let holder = holder(governed, &snapshot.state, wanted, &set)?;
        governed.hold(&holder, bindings.clone(), call.deadline).await?;
        environment.note_made(&object(&set));
        if let Some(before) = before {
            let released = held_by(governed, &snapshot.state, before, call)?;
            let gone = if released == holder { &owned - &bindings } else { owned };
            release(environment, governed, (&released, before), Some(&set), gone, call).await?;
        }
        call.private.set(HOLDER, holder.to_string());
        remember(call, snapshot);
        return Ok(());
    }
    let there = before.map(AclModel::set).transpose()?.map(|it| it.bindings()).unwrap_or_default();
    let new: Vec<AclBinding> = bindings.iter().filter(|it| !there.contains(it) || lost.contains(it)).cloned().collect();
    let kafka = environment.kafka()?;
    if !new.is_empty() {
        all(kafka.create_acls(&new, call.deadline).await?)?;
    }
    environment.note_made(&object(&set));
    let gone: BTreeSet<AclBinding> = owned.difference(&bindings).cloned().collect();
    if remove_all(environment, Some(&set), gone, call).await? {
        make_missing(kafka, &bindings, call).await?;
    }
    Ok(())
}

/// Has the journal know that a declaration needs rules no more. Where another resource of this run declares just what this
/// one did, it is the one that needs them now.
async fn release(
    environment: &Environment,
    governed: &Governed,
    (holder, declared): (&Holder, &AclModel),
    becomes: Option<&AclSet>,
    gone: BTreeSet<AclBinding>,
    call: &Call,
) -> Result<(), Failure> {
    let (declared, becomes) = (declared.set()?.to_string(), becomes.map(ToString::to_string));
    // Whoever comes to declare them waits for the end of this.
    let ending = environment.rules.begin_end(becomes.as_deref(), &gone);
    if becomes.as_ref() != Some(&declared) && environment.rules.is_held_as(&declared, &gone) {
        return Ok(());
    }
    let known = governed.snapshot(call.deadline).await?;
    let needed = |it: &&AclBinding| known.state.binding(it).is_some_and(|it| it.holders.iter().any(|it| it != holder));
    let taken = ending.taken.iter().filter(|it| !needed(it)).cloned().collect();
    keep_own_right(environment, &taken, call).await?;
    Ok(governed.release(holder, gone, call.deadline).await?)
}

/// Refuses to remove the last rule by which the caller may change rules. A plan refuses it where it sees it; it does not see
/// the removal in a replacement.
async fn keep_own_right(environment: &Environment, taken: &BTreeSet<AclBinding>, call: &Call) -> Result<(), Failure> {
    let Some(caller) = environment.principal() else { return Ok(()) };
    if !taken.iter().any(|it| it.resource_type == ResourceType::Cluster) {
        return Ok(());
    }
    // Who may not look has no right to lose.
    let Ok(rules) = rules_of_cluster(environment.kafka()?, call.deadline).await else { return Ok(()) };
    match loss(&rules, caller, &BTreeSet::new(), &(&environment.rules.ending() | taken)) {
        Some(Loss::Certain) => Err(own_right_lost(caller).into()),
        Some(Loss::From) | None => Ok(()),
    }
}

/// Makes those rules again that are not there although they were made: somebody removed them at the same time.
async fn make_missing(kafka: &dyn Kafka, bindings: &BTreeSet<AclBinding>, call: &Call) -> Result<(), Failure> {
    let Some(first) = bindings.first() else { return Ok(()) };
    let there = match kafka.acls(&AclFilter::of_resource(first), call.deadline).await {
        Ok(it) => it,
        // Who may not look has made them all the same.
        Err(KafkaError::Denied { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let missing: Vec<_> = bindings.iter().filter(|it| there.binary_search(it).is_err()).cloned().collect();
    if missing.is_empty() { Ok(()) } else { all(kafka.create_acls(&missing, call.deadline).await?) }
}

/// Removes rules but for those that another resource of this process has. Those that are gone already are no trouble.
pub(super) async fn remove(
    environment: &Environment,
    state: &AclModel,
    owned: BTreeSet<AclBinding>,
    call: &mut Call,
) -> Result<(), Failure> {
    let set = &state.set()?;
    if environment.has_made(&object(set)) {
        let detail = format!(
            "`{set}` is what this run made. With `create_before_destroy`, rules are not replaced by the same ones."
        );
        call.report.push(Diagnostic::warning("ACL not deleted", detail));
        return Ok(());
    }
    if let Some(Governance { governed, snapshot }) = governance(environment, call).await? {
        let holder = held_by(&governed, &snapshot.state, state, call)?;
        return release(environment, &governed, (&holder, state), None, owned, call).await;
    }
    remove_all(environment, None, owned, call).await.map(drop)
}

/// Whether there was anything to remove.
async fn remove_all(
    environment: &Environment,
    becomes: Option<&AclSet>,
    gone: BTreeSet<AclBinding>,
    call: &Call,
) -> Result<bool, Failure> {
    if gone.is_empty() {
        return Ok(false);
    }
    let ending = environment.rules.begin_end(becomes.map(ToString::to_string).as_deref(), &gone);
    keep_own_right(environment, &ending.taken, call).await?;
    let taken: Vec<AclBinding> = ending.taken.iter().cloned().collect();
    all(environment.kafka()?.delete_acls(&taken, call.deadline).await?)?;
    Ok(true)
}

/// What this process notes of rules that it made.
fn object(set: &AclSet) -> String {
    format!("acl {set}")
}

fn all(failures: AclFailures) -> Result<(), Failure> {
    if failures.is_empty() { Ok(()) } else { Err(GovernedError::Rules(failures).into()) }
}

//! How rules are made and removed.

use std::collections::BTreeSet;

use super::{
    AclModel,
    governed::{governance, holder},
};
use crate::{
    clients::{
        governed::GovernedError,
        kafka::{AclFailures, AclFilter, Kafka, KafkaError},
    },
    framework::{Call, Diagnostic, Failure},
    governance::{acl::AclBinding, acl_set::AclSet},
    provider::{Environment, Governance},
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
    let governance = governance(environment, call).await?;
    if let Some(Governance { governed, snapshot }) = &governance {
        let holder = holder(governed, &snapshot.state, wanted, &set)?;
        governed.hold(&holder, set.bindings(), call.deadline).await?;
        environment.note_made(&object(&set));
        if let Some(before) = before {
            let released = self::holder(governed, &snapshot.state, before, &before.set()?)?;
            let gone = if released == holder { &owned - &set.bindings() } else { owned };
            governed.release(&released, gone, call.deadline).await?;
        }
        remember(call, snapshot);
        return Ok(());
    }
    let before = before.map(AclModel::set).transpose()?;
    change_alone(environment, before.as_ref(), &set, owned, call).await
}

/// The same where nothing is known of other holders but of those in this process.
async fn change_alone(
    environment: &Environment,
    before: Option<&AclSet>,
    wanted: &AclSet,
    owned: BTreeSet<AclBinding>,
    call: &Call,
) -> Result<(), Failure> {
    let (kafka, bindings) = (environment.kafka()?, wanted.bindings());
    let there = before.map(AclSet::bindings).unwrap_or_default();
    environment.rules.hold(&wanted.to_string(), &bindings);
    let lost = environment.rules.settled(&bindings).await;
    let new: Vec<AclBinding> = bindings.iter().filter(|it| !there.contains(it) || lost.contains(it)).cloned().collect();
    if !new.is_empty() {
        all(kafka.create_acls(&new, call.deadline).await?)?;
    }
    environment.note_made(&object(wanted));
    if let Some(before) = before {
        let gone = owned.difference(&bindings).cloned().collect();
        if remove_all(environment, &[&before.to_string(), &wanted.to_string()], gone, call).await? {
            make_missing(kafka, &bindings, call).await?;
        }
    }
    Ok(())
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
        let holder = holder(&governed, &snapshot.state, state, set)?;
        return Ok(governed.release(&holder, owned, call.deadline).await?);
    }
    remove_all(environment, &[&set.to_string()], owned, call).await.map(drop)
}

/// Whether there was anything to remove.
async fn remove_all(
    environment: &Environment,
    own: &[&str],
    gone: BTreeSet<AclBinding>,
    call: &Call,
) -> Result<bool, Failure> {
    if gone.is_empty() {
        return Ok(false);
    }
    let (ending, _) = environment.rules.begin_end(own, &gone);
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

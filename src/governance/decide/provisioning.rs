//! From what an application may to what the cluster knows: `approved` → `provisioning` → `ready`, and `deleting` →
//! `deleted`.
//!
//! What is to be made is held first, then made and seen, and only then is released what is not needed any more: an
//! application that changes its rules is never without them. What is not its own any more, because it gave away the prefix
//! or the principal, is released at once.

use std::collections::{BTreeMap, BTreeSet};

use super::{draft::Draft, grant, no_application, open_mode};
use crate::governance::{
    acl::AclBinding,
    application::{Application, ApplicationSpec, Status},
    binding::{BindingEntry, BindingStatus, Holder},
    client_quota::{ClientQuota, FoundLimits, Quota, QuotaStatus, QuotaUser, shares},
    command::{Failure, Provisioning},
    environment::Environment,
    names::ApplicationName,
    policy::Enforcement,
    rights,
    state::{State, application_key},
    violation::{At, Refusal, Violation, Weight, listed},
};

pub(super) fn start(draft: &mut Draft<'_>, it: &Provisioning) -> Result<(), Refusal> {
    let Provisioning { application, on_cluster, unruled, limits } = it;
    let there = draft.state.application(application).ok_or_else(|| no_application(application))?;
    if draft.enforcement() == Enforcement::External {
        let what = "The environment has its rights enforced outside of Kafka's authorizer.";
        let remedy = "Make them there; the application stays `approved`.";
        return Err(Violation::new(At::all(), "Rights made elsewhere", what, remedy).into());
    }
    match there.status {
        Status::Approved | Status::Provisioning | Status::Ready | Status::Failed => {}
        Status::Pending | Status::Rejected | Status::Expired | Status::Deleting | Status::Deleted => {
            return Err(not_in_force(there).into());
        }
    }
    let mut wrong = open_mode::closed(draft, &there.spec, Some(there), unruled);
    wrong.extend(quotas_of_others(draft, &there.spec, limits));
    Refusal::of(wrong)?;
    let holder = Holder::Application(there.uid());
    let missing = missing(draft, there);
    for binding in missing {
        let known = draft.binding(&binding).cloned();
        let is_strange = known.as_ref().is_none_or(|it| it.status == BindingStatus::Removed);
        let mut entry = known.unwrap_or_else(BindingEntry::unknown);
        if is_strange && on_cluster.contains(&binding) {
            entry.hold(Holder::Foreign);
        }
        entry.hold(holder.clone());
        draft.set_binding(binding, entry);
    }
    hold_quotas(draft, there)?;
    if needs_provisioning(draft.environment(), draft.state, there) {
        draft.set_application(Application { status: Status::Provisioning, ..there.clone() });
    }
    Ok(())
}

pub(super) fn finish(draft: &mut Draft<'_>, name: &ApplicationName) -> Result<(), Refusal> {
    let there = draft.state.application(name).ok_or_else(|| no_application(name))?;
    match there.status {
        Status::Ready => return Ok(()),
        Status::Provisioning => {}
        _ => return Err(not_in_force(there).into()),
    }
    let open = open(draft.environment(), draft.state, there);
    if !open.is_empty() {
        let what = format!(
            "Of the application `{name}`, the cluster was not yet seen to have {}.",
            listed(open.iter().take(10))
        );
        let remedy = "Make them, and say so; then this can be said.";
        return Err(Violation::new(At::all(), "Rights not made yet", what, remedy).into());
    }
    if draft.enforcement() == Enforcement::Acl {
        release(draft, there, &wanted(draft.environment(), there));
    }
    draft.set_application(Application { status: Status::Ready, ..there.clone() });
    Ok(())
}

pub(super) fn fail(draft: &mut Draft<'_>, it: &Failure) -> Result<(), Refusal> {
    let Failure { application, reason } = it;
    let there = draft.state.application(application).ok_or_else(|| no_application(application))?;
    match there.status {
        Status::Failed => Ok(()),
        Status::Approved | Status::Provisioning => {
            draft.texts.insert(format!("{}/failure", application_key(application)), Some(reason.as_str().into()));
            draft.set_application(Application { status: Status::Failed, ..there.clone() });
            Ok(())
        }
        _ => Err(not_in_force(there).into()),
    }
}

pub(super) fn finish_deletion(draft: &mut Draft<'_>, name: &ApplicationName) -> Result<(), Refusal> {
    let there = draft.state.application(name).ok_or_else(|| no_application(name))?;
    match there.status {
        Status::Deleted => return Ok(()),
        Status::Deleting => {}
        _ => {
            let what = format!("The application `{name}` is `{}`, and nobody asked to delete it.", there.status);
            return Err(Violation::new(At::all(), "Not being deleted", what, "Ask for that first.").into());
        }
    }
    let holder = Holder::Application(there.uid());
    let bindings = draft.state.bindings().filter(|(_, it)| {
        it.status == BindingStatus::Removing && it.released_by.as_ref().is_some_and(|it| is_of(it, &holder))
    });
    let quotas = draft.state.quotas().filter(|(_, it)| it.holder == holder && it.status == QuotaStatus::Removing);
    let open: Vec<String> =
        bindings.map(|(it, _)| it.to_string()).chain(quotas.map(|(it, _)| format!("quota of {it}"))).collect();
    if !open.is_empty() {
        let what = format!("Of the application `{name}`, the cluster may still have {}.", listed(open.iter().take(10)));
        let remedy = "Remove them, and say so; then this can be said.";
        return Err(Violation::new(At::all(), "Rights not gone yet", what, remedy).into());
    }
    draft.set_application(Application { status: Status::Deleted, deleted_at: Some(draft.now), ..there.clone() });
    Ok(())
}

/// After its declaration changed: what is not its own any more is released, and if something is missing, it is to be
/// provisioned again.
pub(super) fn adjust(draft: &mut Draft<'_>, it: &mut Application) {
    let is_complete = missing(draft, it).is_empty() && quota_changes(draft, it).is_empty();
    if draft.enforcement() == Enforcement::Acl {
        let wanted = wanted(draft.environment(), it);
        let is_kept =
            |binding: &AclBinding| wanted.contains(binding) || (!is_complete && rights::is_own(&it.spec, binding));
        let kept = held(draft.state, it).into_iter().filter(is_kept).collect();
        release(draft, it, &kept);
    }
    release_declared(draft, it, |binding| rights::is_own(&it.spec, binding));
    grant::follow_programs(draft, it);
    let users = wanted_quotas(draft.environment(), &it.spec).into_keys().collect();
    release_quotas(draft, it, &users);
    if !is_complete && it.status.is_in_force() {
        it.status = Status::Approved;
    }
}

/// Releases all rights. Tells whether the cluster may have some.
pub(super) fn release_all(draft: &mut Draft<'_>, it: &Application) -> bool {
    let holder = Holder::Application(it.uid());
    release(draft, it, &BTreeSet::new());
    release_declared(draft, it, |_| false);
    release_quotas(draft, it, &BTreeSet::new());
    let is_open = |quota: &Quota| quota.holder == holder && quota.status != QuotaStatus::Removed;
    let is_of = |it: &Holder| is_of(it, &holder);
    draft.state.bindings().any(|(_, it)| it.holders.iter().chain(&it.released_by).any(is_of))
        || draft.state.quotas().any(|(_, it)| is_open(it))
}

/// Whether a holder is an application, or what it declares.
fn is_of(it: &Holder, application: &Holder) -> bool {
    let name = match application {
        Holder::Application(uid) => Some(uid.name.as_str()),
        Holder::Grant(_) | Holder::Declared(_) | Holder::Foreign => None,
    };
    it == application || (name.is_some() && it.declared_by() == name)
}

/// Whether an application is to be provisioned: it was never, not to the end, or its rules are others by now.
pub fn needs_provisioning(environment: &Environment, state: &State, it: &Application) -> bool {
    let is_asked = environment.spec.policy.enforcement != Enforcement::External && it.status.is_in_force();
    is_asked && (it.status != Status::Ready || !open(environment, state, it).is_empty())
}

/// The rules that an application needs here.
fn wanted(environment: &Environment, it: &Application) -> BTreeSet<AclBinding> {
    match environment.spec.policy.enforcement {
        Enforcement::Acl => rights::wanted(environment, &it.spec),
        Enforcement::External | Enforcement::None => BTreeSet::new(),
    }
}

fn wanted_quotas(environment: &Environment, spec: &ApplicationSpec) -> BTreeMap<QuotaUser, ClientQuota> {
    match environment.spec.policy.enforcement {
        Enforcement::External => BTreeMap::new(),
        Enforcement::Acl | Enforcement::None => shares(&spec.client_quota, &spec.principals).into_iter().collect(),
    }
}

/// The rules that an application holds.
pub(super) fn held(state: &State, it: &Application) -> BTreeSet<AclBinding> {
    let holder = Holder::Application(it.uid());
    state.bindings_of(&holder).map(|(it, _)| it.clone()).collect()
}

/// The rules that it needs and does not hold.
fn missing(draft: &Draft<'_>, it: &Application) -> BTreeSet<AclBinding> {
    let held = held(draft.state, it);
    wanted(draft.environment(), it).into_iter().filter(|it| !held.contains(it)).collect()
}

/// The quotas that are to be set, or set otherwise.
fn quota_changes(draft: &Draft<'_>, it: &Application) -> BTreeMap<QuotaUser, ClientQuota> {
    let holder = Holder::Application(it.uid());
    let is_so = |user: &QuotaUser, limits: &ClientQuota| {
        draft.state.quota(user).is_some_and(|it| {
            let is_held = matches!(it.status, QuotaStatus::Wanted | QuotaStatus::Present);
            is_held && it.holder == holder && it.limits == *limits
        })
    };
    wanted_quotas(draft.environment(), &it.spec).into_iter().filter(|(user, limits)| !is_so(user, limits)).collect()
}

/// What speaks against quotas that would take the place of limits that somebody else set. Those of a quota that the
/// journal knows are nobody else's: whoever changed them behind its back is undone.
pub(super) fn quotas_of_others(draft: &Draft<'_>, spec: &ApplicationSpec, found: &FoundLimits) -> Option<Violation> {
    let is_known = |user: &QuotaUser| draft.state.quota(user).is_some_and(|it| it.status != QuotaStatus::Removed);
    let other = |(user, limits): (QuotaUser, ClientQuota)| {
        let conflicts = limits.conflicts(found.get(&user).filter(|_| !is_known(&user))?);
        (!conflicts.is_empty()).then(|| format!("user={user} has {}", conflicts.join(", ")))
    };
    let others: Vec<String> = wanted_quotas(draft.environment(), spec).into_iter().filter_map(other).collect();
    if others.is_empty() {
        return None;
    }
    let what = format!(
        "`client_quota` would set the quotas of the principals, of which somebody else set some otherwise: {}. A quota has \
         one holder, or each would undo the other's.",
        listed(others.iter().take(20))
    );
    let remedy = "Remove them with Kafka's own tools, or with the `kafka_quota` that declares them. Limits that are what \
                  each principal would get are taken over; a `kafka_quota` leaves them with a `removed` block and \
                  `destroy = false`.";
    let told = Violation::new(At::attribute("client_quota"), "Quota set by somebody else", what, remedy);
    // They may be removed in the same run.
    Some(told.weighing(Weight::Wait))
}

fn hold_quotas(draft: &mut Draft<'_>, it: &Application) -> Result<(), Refusal> {
    let holder = Holder::Application(it.uid());
    for (user, limits) in quota_changes(draft, it) {
        let other = draft.state.quota(&user).filter(|it| it.holder != holder && it.status != QuotaStatus::Removed);
        if let Some(other) = other {
            let what = format!("The quota of `{user}` belongs to `{}`, and a quota has one owner.", other.holder);
            let remedy = "Remove the other one, or use another principal.";
            return Err(Violation::new(At::attribute("client_quota"), "Quota of another", what, remedy).into());
        }
        draft.set_quota(user, Quota { limits, holder: holder.clone(), status: QuotaStatus::Wanted });
    }
    let users = wanted_quotas(draft.environment(), &it.spec).into_keys().collect();
    release_quotas(draft, it, &users);
    Ok(())
}

/// Releases the rules of an application but these.
fn release(draft: &mut Draft<'_>, it: &Application, kept: &BTreeSet<AclBinding>) {
    let holder = Holder::Application(it.uid());
    for binding in held(draft.state, it).into_iter().filter(|it| !kept.contains(it)) {
        if let Some(mut entry) = draft.binding(&binding).cloned() {
            entry.release(&holder);
            draft.set_binding(binding, entry);
        }
    }
}

/// Releases what an application declared itself and does not own any more.
fn release_declared(draft: &mut Draft<'_>, it: &Application, is_kept: impl Fn(&AclBinding) -> bool) {
    let name = it.spec.name.as_str();
    for (binding, entry) in draft.state.bindings().filter(|(binding, _)| !is_kept(binding)) {
        let mut entry = draft.binding(binding).unwrap_or(entry).clone();
        let declared: Vec<Holder> = entry.holders.iter().filter(|it| it.declared_by() == Some(name)).cloned().collect();
        for holder in &declared {
            entry.release(holder);
        }
        if !declared.is_empty() {
            draft.set_binding(binding.clone(), entry);
        }
    }
}

/// Releases the quotas of an application but those of these users.
fn release_quotas(draft: &mut Draft<'_>, it: &Application, kept: &BTreeSet<QuotaUser>) {
    let holder = Holder::Application(it.uid());
    let is_released = |user: &QuotaUser, it: &Quota| {
        it.holder == holder && matches!(it.status, QuotaStatus::Wanted | QuotaStatus::Present) && !kept.contains(user)
    };
    for (user, it) in draft.state.quotas().filter(|(user, it)| is_released(user, it)) {
        draft.set_quota(user.clone(), Quota { status: QuotaStatus::Removing, ..it.clone() });
    }
}

/// What the cluster was not yet seen to have.
fn open(environment: &Environment, state: &State, it: &Application) -> Vec<String> {
    let holder = Holder::Application(it.uid());
    let is_there = |it: &AclBinding| {
        state.binding(it).is_some_and(|it| it.status == BindingStatus::Present && it.holders.contains(&holder))
    };
    let bindings = wanted(environment, it).into_iter().filter(|it| !is_there(it)).map(|it| it.to_string());
    let is_set = |(user, limits): &(QuotaUser, ClientQuota)| {
        let quota = state.quota(user);
        quota.is_some_and(|it| it.status == QuotaStatus::Present && it.limits == *limits && it.holder == holder)
    };
    let quotas = wanted_quotas(environment, &it.spec).into_iter().filter(|it| !is_set(it));
    bindings.chain(quotas.map(|(user, _)| format!("quota of {user}"))).collect()
}

fn not_in_force(it: &Application) -> Violation {
    let what = format!("The application `{}` is `{}`.", it.spec.name, it.status);
    Violation::new(At::all(), "Application not in force", what, "Its rights are made once it is agreed to.")
}

//! Rules that are needed one by one, and what was seen on the cluster.

use std::collections::{BTreeMap, BTreeSet};

use super::{draft::Draft, grant, open_mode};
use crate::governance::{
    acl::{AclBinding, Operation, PatternType, Permission, ResourceType, WILDCARD},
    application::{Application, Status},
    binding::{BindingEntry, BindingStatus, Holder},
    client_quota::{Quota, QuotaStatus, QuotaUser},
    command::{Holding, Role, Seen, SeenRules},
    rights,
    state::kind_of,
    violation::{At, Refusal, Violation, Weight},
};

pub(super) fn hold(draft: &mut Draft<'_>, it: &Holding) -> Result<(), Refusal> {
    let Holding { holder, bindings, unruled } = it;
    let mut wrong = against(draft, holder, bindings);
    wrong.extend(draft.policy().acls.violations(bindings));
    wrong.extend(open_mode::closed_by(draft, bindings, unruled));
    Refusal::of(wrong)?;
    for binding in bindings {
        let mut entry = draft.binding(binding).cloned().unwrap_or_else(BindingEntry::unknown);
        entry.hold(holder.clone());
        draft.set_binding(binding.clone(), entry);
    }
    Ok(())
}

pub(super) fn release(draft: &mut Draft<'_>, it: &Holding) -> Result<(), Refusal> {
    let Holding { holder, bindings, unruled: _ } = it;
    Refusal::of(not_for_hand(holder).into_iter().chain(open_mode::opened_by(draft, holder, bindings)).collect())?;
    for binding in bindings {
        if let Some(mut entry) = draft.binding(binding).cloned() {
            entry.release(holder);
            draft.set_binding(binding.clone(), entry);
        }
    }
    Ok(())
}

pub(super) fn mark(draft: &mut Draft<'_>, it: &SeenRules) {
    let SeenRules { present, absent } = it;
    let mut lost = BTreeSet::new();
    let present = present.iter().map(|it| (it, true));
    for ((binding, generation), is_there) in present.chain(absent.iter().map(|it| (it, false))) {
        let Some(mut entry) = draft.binding(binding).cloned() else { continue };
        let was_present = entry.status == BindingStatus::Present;
        if is_there {
            entry.made(*generation);
        } else {
            entry.unmade(*generation);
        }
        if was_present && entry.status != BindingStatus::Present {
            lost.extend(entry.holders.iter().cloned());
        }
        draft.set_binding(binding.clone(), entry);
    }
    provision_again(draft, &lost);
}

pub(super) fn close(draft: &mut Draft<'_>, bindings: &BTreeSet<AclBinding>) {
    for binding in bindings {
        if let Some(mut entry) = draft.binding(binding).cloned() {
            entry.close();
            draft.set_binding(binding.clone(), entry);
        }
    }
}

pub(super) fn mark_quotas(draft: &mut Draft<'_>, it: &Seen<QuotaUser>) {
    let Seen { present, absent } = it;
    let mut lost = BTreeSet::new();
    for (user, is_there) in present.iter().map(|it| (it, true)).chain(absent.iter().map(|it| (it, false))) {
        let Some(quota) = draft.quota(user).cloned() else { continue };
        let status = match (quota.status, is_there) {
            (QuotaStatus::Wanted, true) => QuotaStatus::Present,
            (QuotaStatus::Removing, false) => QuotaStatus::Removed,
            (QuotaStatus::Present, false) => {
                lost.insert(quota.holder.clone());
                QuotaStatus::Wanted
            }
            (it, _) => it,
        };
        draft.set_quota(user.clone(), Quota { status, ..quota });
    }
    provision_again(draft, &lost);
}

/// Applications that lost behind our back what they had are not ready any more, and grants not active.
fn provision_again(draft: &mut Draft<'_>, lost: &BTreeSet<Holder>) {
    for it in lost {
        if let Holder::Grant(id) = it {
            grant::provision_again(draft, id);
        }
    }
    let uids = lost.iter().filter_map(|it| match it {
        Holder::Application(it) => Some(it),
        Holder::Grant(_) | Holder::Declared(_) | Holder::Foreign => None,
    });
    for uid in uids {
        let ready = draft.application(&uid.name).filter(|it| it.status == Status::Ready && it.uid() == *uid).cloned();
        if let Some(it) = ready {
            draft.set_application(Application { status: Status::Provisioning, ..it });
        }
    }
}

fn against(draft: &Draft<'_>, holder: &Holder, bindings: &BTreeSet<AclBinding>) -> Vec<Violation> {
    let mut res: Vec<Violation> = not_for_hand(holder).into_iter().collect();
    let Role::Application(acting) = &draft.actor.role else {
        res.extend(for_whom(draft, holder));
        return res;
    };
    let Some(own) = draft.state.application(acting).filter(|it| it.status.is_in_force()) else {
        let what = format!("The application `{acting}` is not in force, and has no rights to give.");
        res.push(Violation::new(At::all(), "Application not in force", what, "Wait until it is."));
        return res;
    };
    // One reason for each attribute, with one of the rules: there may be thousands.
    let mut outside = BTreeMap::new();
    for it in bindings.iter().filter(|it| !is_own_right(draft, own, it)) {
        outside.entry(blamed(own, it)).or_insert(it);
    }
    res.extend(outside.into_iter().map(|(at, it)| {
        let what = format!(
            "`{it}` is more than the application `{acting}` may give: to read and write what it owns, for its own \
             principals."
        );
        let remedy = "Ask the owner for access with `kafka_access_request`, or the platform for the rule.";
        Violation::new(At::attribute(at), "Rule outside the application", what, remedy)
    }));
    res
}

/// The attribute that makes a rule more than an application may give.
fn blamed(own: &Application, it: &AclBinding) -> &'static str {
    let is_whose = kind_of(it.resource_type).is_some_and(|kind| own.spec.covers(kind, &it.resource_name));
    if it.permission == Permission::Deny {
        "permission"
    } else if !own.spec.principals.contains(&it.principal) {
        "principals"
    } else if !is_whose {
        "resource_name"
    } else {
        "operations"
    }
}

/// The application that rules are declared for must be there to go with.
fn for_whom(draft: &Draft<'_>, holder: &Holder) -> Option<Violation> {
    let name = holder.declared_by()?;
    let status = name.parse().ok().and_then(|it| draft.state.application(&it)).map(|it| it.status);
    let (summary, what, remedy) = match status {
        Some(it) if it.is_in_force() => return None,
        None | Some(Status::Deleted | Status::Rejected) => (
            "Application missing",
            format!("The environment has no application `{name}` yet, and the rules are to go with it."),
            "Reference the `id` of its resource, so that it is made first, or correct the name.",
        ),
        Some(Status::Deleting) => (
            "Application not in force",
            format!("The application `{name}` is being deleted, and the rules would go with it."),
            "Name another one, or leave `application` out.",
        ),
        Some(it) => (
            "Application not in force",
            format!("The application `{name}` is `{it}`, and the rules are to go with it."),
            "Apply again when it is agreed to, or leave `application` out.",
        ),
    };
    Some(Violation::new(At::attribute("application"), summary, what, remedy).weighing(Weight::Wait))
}

/// Holders other than declarations come and go with what they are for, never by hand.
fn not_for_hand(holder: &Holder) -> Option<Violation> {
    match holder {
        Holder::Declared(_) => None,
        Holder::Application(_) | Holder::Grant(_) | Holder::Foreign => {
            let what = format!("`{holder}` holds what its own life gives it.");
            Some(Violation::new(At::all(), "Holder refused", what, "Hold rules as what declares them."))
        }
    }
}

/// Whether a rule gives an application's own running programs what these may do with what is its own.
fn is_own_right(draft: &Draft<'_>, own: &Application, binding: &AclBinding) -> bool {
    let AclBinding { resource_type, pattern_type, resource_name, principal, host: _, operation, permission } = binding;
    let permitted: &[Operation] = match resource_type {
        ResourceType::Topic => &[Operation::Read, Operation::Write, Operation::Describe, Operation::DescribeConfigs],
        ResourceType::Group => &[Operation::Read, Operation::Describe],
        ResourceType::TransactionalId => &[Operation::Write, Operation::Describe],
        ResourceType::Cluster | ResourceType::DelegationToken | ResourceType::User => &[],
    };
    let is_every = *pattern_type == PatternType::Literal && resource_name == WILDCARD;
    let is_whose = kind_of(*resource_type).is_some_and(|kind| own.spec.covers(kind, resource_name));
    *permission == Permission::Allow
        && permitted.contains(operation)
        && !is_every
        && is_whose
        && own.spec.principals.contains(principal)
        && rights::protected(&draft.environment().spec.cluster, principal).is_none()
}

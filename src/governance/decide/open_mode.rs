//! Where resources without a rule are everybody's (`acl_mode = "open"`), the first rule for one locks out whoever used it,
//! and the end of the last one lets everybody in. Neither happens to what is there, unless the platform says that it
//! means to close (`closing`).

use std::collections::BTreeSet;

use super::{draft::Draft, provisioning::held};
use crate::governance::{
    acl::AclBinding,
    application::{Application, ApplicationSpec},
    binding::{BindingEntry, BindingStatus, Holder},
    kind::Kind,
    policy::{AclMode, Enforcement},
    prefix::Existing,
    rights,
    state::kind_of,
    violation::{At, Violation, listed},
};

/// How many names a refusal tells.
const NAMED: usize = 10;

/// The way out of each refusal.
const REMEDY: &str = "Set `acl_mode = \"closing\"` on `kafka_environment` for the time of the change";

/// What speaks against an application as it would be, by the rules that it would get and lose. `unruled` is what is on the
/// cluster and has no rule.
pub(super) fn violations(
    draft: &Draft<'_>,
    spec: &ApplicationSpec,
    before: Option<&Application>,
    unruled: &Existing,
) -> Vec<Violation> {
    let mut res = closed(draft, spec, before, unruled);
    res.extend(before.and_then(|it| opened(draft, spec, it)));
    res
}

/// What its first rules would take from everybody. Rules that it holds already, such as those that somebody removed from
/// the cluster, are made again.
pub(super) fn closed(
    draft: &Draft<'_>,
    spec: &ApplicationSpec,
    before: Option<&Application>,
    unruled: &Existing,
) -> Vec<Violation> {
    if !holds(draft) {
        return Vec::new();
    }
    let held = before.map(|it| held(draft.state, it)).unwrap_or_default();
    let new: Vec<AclBinding> =
        rights::wanted(draft.environment(), spec).into_iter().filter(|it| !held.contains(it)).collect();
    let of_kind = |(kind, names): (&Kind, &BTreeSet<String>)| {
        let names: Vec<&String> = names.iter().filter(|it| covered(&new, *kind, it)).collect();
        (!names.is_empty()).then(|| closing(*kind, &names, spec))
    };
    unruled.iter().filter_map(of_kind).collect()
}

/// The topics of an application that would be everybody's without the rules that it gives up.
fn opened(draft: &Draft<'_>, spec: &ApplicationSpec, before: &Application) -> Option<Violation> {
    if !holds(draft) {
        return None;
    }
    let held = held(draft.state, before);
    let own = Holder::Application(before.uid());
    let of_others = draft
        .state
        .bindings()
        .filter(|(_, it)| it.status != BindingStatus::Removed && it.holders.iter().any(|holder| *holder != own));
    let mut kept = rights::wanted(draft.environment(), spec);
    kept.extend(of_others.map(|(it, _)| it.clone()));
    let names: Vec<_> = draft
        .state
        .topics_of(&spec.name)
        .map(|(name, _)| name)
        .filter(|it| covered(&held, Kind::Topic, it.as_str()) && !covered(&kept, Kind::Topic, it.as_str()))
        .collect();
    if names.is_empty() {
        return None;
    }
    let what = format!(
        "Without the rules that this takes away, topics of the application are everybody's, because resources without a \
         rule are (`acl_mode = \"open\"`): {}.",
        told(&names)
    );
    let remedy = format!("Keep a principal. {REMEDY} if that is meant.");
    Some(Violation::new(At::attribute("principals"), "Rules would open existing objects", what, remedy))
}

/// What speaks against topics that change hands: their rules do, and for a moment they have none.
pub(super) fn moved(draft: &Draft<'_>, owner: &Application, taken: &ApplicationSpec) -> Option<Violation> {
    let topics = draft.state.topics_of(&owner.spec.name).map(|(name, _)| name);
    let names: Vec<_> = topics.filter(|it| holds(draft) && taken.covers(Kind::Topic, it.as_str())).collect();
    if names.is_empty() {
        return None;
    }
    let what = format!(
        "Between the rules of `{}` and those of `{}`, topics are everybody's, because resources without a rule are \
         (`acl_mode = \"open\"`): {}.",
        owner.spec.name,
        taken.name,
        told(&names)
    );
    Some(Violation::new(At::attribute("from"), "Rules would open existing objects", what, format!("{REMEDY}.")))
}

/// What rules that are written by hand would take from everybody.
pub(super) fn closed_by(draft: &Draft<'_>, bindings: &BTreeSet<AclBinding>, unruled: &Existing) -> Vec<Violation> {
    if !holds(draft) {
        return Vec::new();
    }
    let is_new = |it: &&AclBinding| draft.state.binding(it).is_none_or(|it| it.status != BindingStatus::Present);
    let new: Vec<&AclBinding> = bindings.iter().filter(is_new).collect();
    let of_kind = |(kind, names): (&Kind, &BTreeSet<String>)| {
        let names: Vec<&String> = names.iter().filter(|it| covered(new.iter().copied(), *kind, it)).collect();
        let what = format!(
            "The {kind}s {} have no rule, so that everybody may use them (`acl_mode = \"open\"`); with these rules, whoever \
             has none is locked out.",
            told(&names)
        );
        let remedy = format!("Give rules to whoever uses them. {REMEDY}, and back afterwards.");
        let violation =
            Violation::new(At::attribute("resource_name"), "Rules would close existing objects", what, remedy);
        (!names.is_empty()).then_some(violation)
    };
    unruled.iter().filter_map(of_kind).collect()
}

/// The topics that would be everybody's without rules that somebody gives up.
pub(super) fn opened_by(draft: &Draft<'_>, holder: &Holder, bindings: &BTreeSet<AclBinding>) -> Option<Violation> {
    if !holds(draft) {
        return None;
    }
    let is_kept = |binding: &AclBinding, it: &BindingEntry| {
        let is_released = bindings.contains(binding) && it.holders.iter().all(|it| it == holder);
        it.status != BindingStatus::Removed && !is_released
    };
    let kept: Vec<&AclBinding> =
        draft.state.bindings().filter(|(binding, it)| is_kept(binding, it)).map(|(it, _)| it).collect();
    let names: Vec<_> = draft
        .state
        .topics()
        .filter(|(_, it)| it.is_there())
        .map(|(name, _)| name)
        .filter(|it| covered(bindings, Kind::Topic, it.as_str()))
        .filter(|it| !covered(kept.iter().copied(), Kind::Topic, it.as_str()))
        .collect();
    if names.is_empty() {
        return None;
    }
    let what = format!(
        "Without these rules, topics are everybody's, because resources without a rule are (`acl_mode = \"open\"`): {}.",
        told(&names)
    );
    let remedy = format!("Keep a rule. {REMEDY} if that is meant.");
    Some(Violation::new(At::attribute("principals"), "Rules would open existing objects", what, remedy))
}

/// Whether rules may neither close nor open what is there.
fn holds(draft: &Draft<'_>) -> bool {
    draft.policy().acl_mode == AclMode::Open && draft.enforcement() == Enforcement::Acl
}

fn covered<'a>(rules: impl IntoIterator<Item = &'a AclBinding>, kind: Kind, name: &str) -> bool {
    rules.into_iter().any(|it| kind_of(it.resource_type) == Some(kind) && it.covers(it.resource_type, name))
}

fn closing(kind: Kind, names: &[&String], spec: &ApplicationSpec) -> Violation {
    let what = format!(
        "The {kind}s {} have no rule, so that everybody may use them (`acl_mode = \"open\"`); with the first rules of the \
         application `{}`, whoever has none is locked out.",
        told(names),
        spec.name
    );
    let remedy = format!("Give rules to whoever uses them. {REMEDY}, and back afterwards.");
    let at = At::attribute("prefixes").then(kind.word());
    Violation::new(at, "Rules would close existing objects", what, remedy)
}

fn told<T: std::fmt::Display>(names: &[T]) -> String {
    let rest = if names.len() > NAMED { format!(" and {} more", names.len() - NAMED) } else { String::new() };
    format!("{}{rest}", listed(names.iter().take(NAMED)))
}

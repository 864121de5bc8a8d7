//! Who may claim which beginnings of names.
//!
//! A name belongs to the one application whose prefix it begins with. So a prefix ends where a word does (`a-pay` would
//! own `a-payments`), overlaps with no other application's, is not one that Kafka and its tools use, and does not silently
//! take over what is there already.

use std::collections::{BTreeMap, BTreeSet};

use crate::governance::{
    application::{Application, ApplicationSpec, Prefixes},
    kind::Kind,
    policy::Policy,
    state::State,
    template::{OWN_FIELDS, Template, ends_with_separator},
    violation::{At, Violation, listed},
};

/// Beginnings of names that Kafka and the tools around it use: internal topics, Connect and the groups of its sinks, and
/// `MirrorMaker`.
pub const RESERVED: [&str; 3] = ["_", "connect-", "mm2-"];

/// The summary for a prefix that overlaps with another application's.
pub const OVERLAP: &str = "Prefix owned by another application";

/// Names that are on the cluster, by kind.
pub type Existing = BTreeMap<Kind, BTreeSet<String>>;

/// What a claim is judged by, besides the state.
#[derive(Clone, Copy, Debug)]
pub struct Claimant<'a> {
    /// What is declared, with all prefixes.
    pub spec: &'a ApplicationSpec,
    /// What was before.
    pub before: Option<&'a Application>,
    /// Whether the platform declares it, which may leave the template.
    pub is_platform: bool,
    /// Whether what is there already is taken over.
    pub adopt: bool,
    /// What is on the cluster under the prefixes.
    pub existing: &'a Existing,
}

/// What is reserved in an environment.
pub fn reserved(policy: &Policy) -> impl Iterator<Item = &str> {
    RESERVED.into_iter().chain(policy.reserved_prefixes.iter().map(String::as_str)).filter(|it| !it.is_empty())
}

/// All prefixes of an application: those that are declared, those that it has, and for kinds without any the beginning of
/// the template, or what its topics have, or its name and a dot.
///
/// # Errors
/// Why there is no prefix for a kind.
pub fn completed(
    state: &State,
    spec: &ApplicationSpec,
    before: Option<&Application>,
) -> Result<Prefixes, Vec<Violation>> {
    let mut res = Prefixes::new();
    let mut wrong = Vec::new();
    for kind in Kind::ALL {
        let has = spec.prefixes.get(&kind).or_else(|| before.and_then(|it| it.spec.prefixes.get(&kind)));
        let prefixes = match (has, state.template(kind)) {
            (Some(it), _) => it.clone(),
            (None, Some(template)) => {
                let Some(it) = template.own_prefix(&spec.own_fields()) else {
                    wrong.push(no_prefix(kind, template, spec));
                    continue;
                };
                BTreeSet::from([it])
            }
            (None, None) if kind == Kind::Topic => BTreeSet::from([format!("{}.", spec.name)]),
            (None, None) => res.get(&Kind::Topic).cloned().unwrap_or_default(),
        };
        res.insert(kind, prefixes);
    }
    if wrong.is_empty() { Ok(res) } else { Err(wrong) }
}

fn no_prefix(kind: Kind, template: &Template, spec: &ApplicationSpec) -> Violation {
    if spec.code.is_none() && template.fields().any(|it| it == "code") {
        let what = format!("Names of {kind}s have the application's code (`{template}`), and it has none.");
        return Violation::new(At::attribute("code"), "Code missing", what, "Set `code`.");
    }
    let what = format!(
        "Names of {kind}s follow the template `{template}`, which does not begin with the application's own fields \
         ({}) and a separator, so that the prefix does not follow from it.",
        listed(OWN_FIELDS)
    );
    let remedy = format!("Write it, as in `prefixes = {{ {} = [\"…\"] }}`.", kind.word());
    Violation::new(At::attribute("prefixes").then(kind.word()), "Prefix missing", what, remedy)
}

/// What speaks against the prefixes that are claimed newly. What is the same for several kinds, as where kinds have the
/// prefixes of topics, is told once.
pub fn violations(state: &State, claimant: Claimant<'_>) -> Vec<Violation> {
    let mut res = Vec::new();
    for (mut violation, kinds) in by_kind(state, claimant) {
        if 1 < kinds.len() {
            let kinds: Vec<String> = kinds.iter().map(|it| format!("{it}s")).collect();
            let claimed = format!(" It is claimed for {}.\n\n", kinds.join(", "));
            violation.detail = violation.detail.replacen("\n\n", &claimed, 1);
        }
        res.push(violation);
    }
    res
}

/// What speaks against them, each with the kinds that it is the same for.
fn by_kind(state: &State, claimant: Claimant<'_>) -> Vec<(Violation, Vec<Kind>)> {
    let mut res: Vec<(Violation, Vec<Kind>)> = Vec::new();
    for (kind, prefixes) in &claimant.spec.prefixes {
        let had = claimant.before.filter(|it| it.status.holds_prefixes()).and_then(|it| it.spec.prefixes.get(kind));
        for prefix in prefixes.iter().filter(|it| had.is_none_or(|had| !had.contains(*it))) {
            let at = At::attribute("prefixes").then(kind.word()).element(prefix);
            let wrong = form(*kind, prefix, &at).map(|it| vec![it]);
            for it in wrong.unwrap_or_else(|| claim(state, claimant, *kind, prefix, &at)) {
                let is_same = |told: &Violation| told.at.0.last() == it.at.0.last() && told.detail == it.detail;
                match res.iter_mut().find(|(told, _)| is_same(told)) {
                    Some((_, kinds)) => kinds.push(*kind),
                    None => res.push((it, vec![*kind])),
                }
            }
        }
    }
    res
}

/// What is wrong with a prefix whoever claims it.
fn form(kind: Kind, prefix: &str, at: &At) -> Option<Violation> {
    if prefix.is_empty() || prefix == "*" {
        let what = if prefix.is_empty() {
            "A prefix of nothing would be every name on the cluster, and no application owns them all."
        } else {
            "`*` would be every name on the cluster, and no application owns them all."
        };
        return Some(Violation::new(
            at.clone(),
            "Prefix too wide",
            what,
            "Write how the application's own names begin.",
        ));
    }
    let illegal = prefix.chars().find(|it| !it.is_ascii_alphanumeric() && !".-_".contains(*it));
    if let Some(it) = illegal.filter(|_| kind == Kind::Topic) {
        let what = format!("`{prefix}` has {it:?}, and topic names have only ASCII letters, digits, `.`, `_` and `-`.");
        return Some(Violation::new(at.clone(), "Invalid prefix", what, "Use other letters."));
    }
    if prefix.len() > 200 {
        let what = format!("It has {} characters, so that hardly any name could follow.", prefix.len());
        return Some(Violation::new(at.clone(), "Invalid prefix", what, "Write a shorter one."));
    }
    if !ends_with_separator(prefix) {
        let what = format!(
            "`{prefix}` does not end with a separator, so that it would also be the beginning of other words: `a-pay` \
             owns `a-payments`."
        );
        let remedy = format!("End it with one, such as `{prefix}-` or `{prefix}.`.");
        return Some(Violation::new(at.clone(), "Prefix without separator", what, remedy));
    }
    None
}

/// What speaks against a claim of a prefix that is well formed.
fn claim(state: &State, claimant: Claimant<'_>, kind: Kind, prefix: &str, at: &At) -> Vec<Violation> {
    let Claimant { spec, before: _, is_platform, adopt, existing } = claimant;
    let mut res = Vec::new();
    let own = spec.own_fields();
    if let Some(template) = state.template(kind).filter(|it| !is_platform && !it.fits_prefix(prefix, &own)) {
        let what =
            format!("`{prefix}` is no beginning of names that the template `{template}` gives this application.");
        let remedy = match template.own_prefix(&own) {
            Some(it) => format!("Its own is `{it}`. The platform may give it another."),
            None => "The platform may give it all the same.".to_owned(),
        };
        res.push(Violation::new(at.clone(), "Prefix outside the template", what, remedy));
    }
    let policy = state.policy().into_iter();
    if let Some(it) = policy.flat_map(reserved).find(|it| prefix.starts_with(it) || it.starts_with(prefix)) {
        let what = if prefix == it {
            format!("Names that begin with `{it}` are reserved, for Kafka, its tools or the platform.")
        } else {
            format!(
                "`{prefix}` has names in common with `{it}`, which is reserved for Kafka, its tools or the platform."
            )
        };
        res.push(Violation::new(at.clone(), "Prefix reserved", what, "Claim another one."));
    }
    for (other, owner) in state.overlapping(kind, prefix).into_iter().filter(|(_, owner)| **owner != spec.name) {
        let what = format!("`{prefix}` overlaps with `{other}`, which the application `{owner}` owns.");
        let remedy = format!(
            "Claim another one, or have `{owner}` offer it: a transfer is confirmed by the one who receives it."
        );
        res.push(Violation::new(at.clone(), OVERLAP, what, remedy));
    }
    let is_owned = |name: &str| {
        let topic = name.parse().ok().filter(|_| kind == Kind::Topic).and_then(|it| state.topic(&it));
        topic.is_some_and(|it| it.is_there() && it.application.is_some())
    };
    let on_cluster = existing.get(&kind).into_iter().flatten();
    let found: Vec<&String> = on_cluster.filter(|it| it.starts_with(prefix) && !is_owned(it)).collect();
    // Who may not claim it anyway does not adopt anything.
    if res.is_empty() && !adopt && !found.is_empty() {
        let rest = if found.len() > 10 { format!(" and {} more", found.len() - 10) } else { String::new() };
        let what = format!(
            "The cluster has {kind}s under `{prefix}` that nobody owns: {}{rest}.",
            listed(found.iter().take(10))
        );
        let remedy = "Claim another one, or set `on_existing = \"adopt\"` if they are this application's.";
        res.push(Violation::new(at.clone(), "Prefix covers existing objects", what, remedy));
    }
    res
}

//! Whether the schema of a subject may be as it is declared: whose the subject is, how it is called, and how much its
//! versions may differ.
//!
//! A registry has its own users, if it has any, and knows nothing of applications: what is said here holds for those who
//! come this way.

use std::collections::{BTreeMap, BTreeSet};

use crate::governance::{
    acl::Operation,
    application::Application,
    check_topic::{missing, not_in_force, unknown_acting},
    command::Role,
    grants::{asking, may},
    kind::Kind,
    names::ApplicationName,
    policy::{Compatibility, SubjectNaming},
    record::Timestamp,
    request::RequestId,
    state::State,
    subject::SubjectName,
    topic::TopicName,
    violation::{At, Violation, Weight, listed},
};

/// What somebody wants of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaRequest {
    /// The subject.
    pub subject: SubjectName,
    /// Whose it is, if that is said; else the name tells.
    pub application: Option<ApplicationName>,
    /// The compatibility that holds for it, as far as that is known.
    pub compatibility: Option<Compatibility>,
    /// Whether that is declared for it, rather than inherited.
    pub is_declared: bool,
    /// The names that its schema has, as far as they are known.
    pub names: Option<Vec<String>>,
    /// The subjects that its schema refers to, and which of their versions, as far as either is known.
    pub references: BTreeMap<SubjectName, BTreeSet<i64>>,
    /// The first setting of the subject that is declared for it, by its attribute.
    pub setting: Option<&'static str>,
}

impl SchemaRequest {
    /// A subject of which only the name is known.
    pub fn new(subject: SubjectName) -> Self {
        Self {
            subject,
            application: None,
            compatibility: None,
            is_declared: false,
            names: None,
            references: BTreeMap::new(),
            setting: None,
        }
    }
}

/// What speaks against a schema in an environment; nothing where there is none. `before` is how it was: what was so and is
/// not touched is told as that.
pub fn check_schema(
    state: &State,
    role: &Role,
    wanted: &SchemaRequest,
    before: Option<&SchemaRequest>,
    now: Timestamp,
) -> Vec<Violation> {
    let Some(policy) = state.policy() else { return Vec::new() };
    let mut res: Vec<Violation> = naming(state, wanted, policy.schemas.subject_naming).into_iter().collect();
    res.extend(template(state, wanted));
    res.extend(compatibility(wanted, policy.schemas.weakest_compatibility));
    if let Some(before) = before {
        for it in &mut res {
            it.introduced = match it.at.outermost() {
                Some("compatibility") => wanted.compatibility != before.compatibility,
                _ => (&wanted.subject, &wanted.names) != (&before.subject, &before.names),
            };
        }
    }
    res.extend(references(state, role, wanted, before, now));
    // Who may not have a subject changes nothing of it, however long it was so.
    if is_guest(state, role, &wanted.subject, now) {
        res.extend(setting_of_another(state, wanted, before));
    } else {
        res.extend(ownership(state, role, wanted, before.is_some()));
    }
    res
}

/// What speaks against the end of a subject.
pub fn check_schema_end(state: &State, role: &Role, subject: &SubjectName) -> Vec<Violation> {
    let wanted = SchemaRequest::new(subject.clone());
    if state.policy().is_none() { Vec::new() } else { ownership(state, role, &wanted, true) }
}

/// The application that a role is not, and that owns a subject.
fn other_owner<'a>(state: &'a State, acting: &ApplicationName, subject: &SubjectName) -> Option<&'a ApplicationName> {
    let owner = state.owner_of(Kind::Subject, subject.in_context()).map(|it| &it.spec.name);
    owner.filter(|it| *it != acting)
}

/// Whether an application registers versions of another's subject because it was granted that.
fn is_guest(state: &State, role: &Role, subject: &SubjectName, now: Timestamp) -> bool {
    let Role::Application(acting) = role else { return false };
    other_owner(state, acting, subject).is_some()
        && may(state, acting, Kind::Subject, subject.in_context(), Operation::Write, now)
}

/// Whether the settings of a subject are another application's to say, and stay as they are whatever becomes of a state.
pub fn is_anothers(state: &State, role: &Role, subject: &SubjectName) -> bool {
    matches!(role, Role::Application(acting) if other_owner(state, acting, subject).is_some())
}

/// Who was granted to register versions does not say how they may differ. What an import brought into the state is not
/// taken from the registry when it leaves the state.
fn setting_of_another(state: &State, wanted: &SchemaRequest, before: Option<&SchemaRequest>) -> Option<Violation> {
    let owner = state.owner_of(Kind::Subject, wanted.subject.in_context())?;
    let (set, left) = (wanted.setting, before.and_then(|it| it.setting));
    let what = format!(
        "The subject `{}` belongs to the application `{}`: its settings are that one's to say.",
        wanted.subject, owner.spec.name
    );
    let (remedy, weight) = match set {
        Some(_) => ("Remove the line. What the registry has stays as it is.", Weight::Refuse),
        None => ("They leave this state alone, and stay in the registry as they are.", Weight::Warn),
    };
    let at = At::attribute(set.or(left)?);
    Some(Violation::new(at, "Setting of another application's subject", what, remedy).weighing(weight))
}

/// What speaks against the subjects that a schema refers to: what another application owns is referred to by those who were
/// granted it, for it cannot be deleted any more.
fn references(
    state: &State,
    role: &Role,
    wanted: &SchemaRequest,
    before: Option<&SchemaRequest>,
    now: Timestamp,
) -> Vec<Violation> {
    let Role::Application(acting) = role else { return Vec::new() };
    let is_granted = |it: &SubjectName| {
        let may = |what| may(state, acting, Kind::Subject, it.in_context(), what, now);
        may(Operation::Read) || may(Operation::Write)
    };
    let refused = wanted.references.iter().filter(|(it, _)| !is_granted(it)).filter_map(|(it, versions)| {
        let owner = other_owner(state, acting, it)?;
        let what = format!(
            "The schema refers to `{it}`, which belongs to the application `{owner}`, and this is for `{acting}`."
        );
        let request = [Operation::Read, Operation::Write].iter();
        let asking = request.copied().find_map(|what| asking(state, acting, Kind::Subject, it.in_context(), what));
        let remedy = asking.map_or_else(
            || {
                format!(
                    "Ask `{owner}` for it with a `kafka_access_request`: `resource_type = \"subject\"`, `access = \"read\"`."
                )
            },
            waiting,
        );
        let told =
            Violation::new(At::attribute("references"), "Reference to another application's subject", what, remedy);
        // What it referred to stays; another version is referred to anew.
        let as_before = |before: &SchemaRequest| before.references.get(it).is_some_and(|it| versions.is_subset(it));
        let introduced = !before.is_some_and(as_before);
        Some(Violation { introduced, ..told.weighing(weight(asking.is_some())) })
    });
    refused.collect()
}

fn at_subject() -> At {
    At::attribute("subject")
}

/// That who acts so may not have the subject, or not for that application.
fn ownership(state: &State, role: &Role, wanted: &SchemaRequest, is_there: bool) -> Vec<Violation> {
    let subject = &wanted.subject;
    let by_name = state.owner_of(Kind::Subject, subject.in_context());
    let mut res: Vec<Violation> = unknown_acting(state, role).into_iter().collect();
    let living = |name: &ApplicationName| state.application(name).filter(|it| it.status.holds_prefixes());
    let owner = match &wanted.application {
        Some(name) => {
            let declared = living(name);
            if declared.is_none() {
                res.push(missing(name));
            }
            declared
        }
        None => by_name,
    };
    if let (Some(owner), false) = (owner, is_there) {
        res.extend(not_in_force(owner));
    }
    res.extend(match (role, owner, by_name) {
        (Role::Application(acting), Some(owner), _) if *acting != owner.spec.name => {
            let asking = asking(state, acting, Kind::Subject, subject.in_context(), Operation::Write);
            let told = anothers(subject, &owner.spec.name, acting, asking);
            Some(told.weighing(weight(asking.is_some())))
        }
        (Role::Nobody, Some(owner), _) => Some(unknown(subject, &owner.spec.name)),
        (_, Some(owner), Some(by_name)) if owner.spec.name != by_name.spec.name => {
            Some(anothers(subject, &by_name.spec.name, &owner.spec.name, None))
        }
        (_, Some(owner), None) => Some(outside(subject, owner)),
        (Role::Application(acting), None, _) if wanted.application.is_none() => {
            living(acting).map(|acting| outside(subject, acting))
        }
        (Role::Nobody, None, _) if wanted.application.is_none() => Some(ownerless(subject)),
        _ => None,
    });
    res
}

/// What somebody must agree to may be agreed to before the apply.
fn weight(is_asked: bool) -> Weight {
    if is_asked { Weight::Wait } else { Weight::Refuse }
}

/// What to do about what was asked for.
fn waiting(asking: &RequestId) -> String {
    format!("The request `{asking}` for that waits: apply again once it is approved.")
}

fn anothers(
    subject: &SubjectName,
    owner: &ApplicationName,
    acting: &ApplicationName,
    asking: Option<&RequestId>,
) -> Violation {
    let what = format!("The subject `{subject}` belongs to the application `{owner}`, and this is for `{acting}`.");
    let ask = || {
        format!(
            "Choose a subject of `{acting}`, have the team of `{owner}` declare it, or ask for it with a \
             `kafka_access_request`: `resource_type = \"subject\"`, `access = \"write\"`."
        )
    };
    let remedy = asking.map_or_else(ask, waiting);
    Violation::new(at_subject(), "Subject of another application", what, remedy)
}

fn unknown(subject: &SubjectName, owner: &ApplicationName) -> Violation {
    let what =
        format!("The subject `{subject}` belongs to the application `{owner}`, and nothing says that this is it.");
    let remedy = "Act as the application: its deployers are known by their principal, or by what the pipeline sets.";
    Violation::new(at_subject(), "Acting application unknown", what, remedy)
}

fn outside(subject: &SubjectName, owner: &Application) -> Violation {
    let own: Vec<&str> = owner.spec.prefixes(Kind::Subject).collect();
    let name = &owner.spec.name;
    let (what, remedy) = match own.first() {
        Some(first) => (
            format!(
                "`{subject}` is under no prefix of the application `{name}`, whose subjects begin with {}.",
                listed(&own)
            ),
            format!("Write a name that begins so, as in `subject = \"{first}…\"`."),
        ),
        None => (
            format!("The application `{name}` has no prefix for subjects."),
            "Give it one: `prefixes = { subject = [\"…\"] }`.".to_owned(),
        ),
    };
    Violation::new(at_subject(), "Subject outside the prefixes", what, remedy)
}

fn ownerless(subject: &SubjectName) -> Violation {
    let what =
        format!("No application owns the subject `{subject}`, and only the platform registers what nobody owns.");
    let remedy = "Choose a name under a prefix of your application, or set `application`.";
    Violation::new(at_subject(), "Subject without owner", what, remedy)
}

/// What speaks against the name by the template of subjects.
fn template(state: &State, wanted: &SchemaRequest) -> Option<Violation> {
    let name = wanted.subject.in_context();
    let owner = state.owner_of(Kind::Subject, name)?;
    let template = state.template(Kind::Subject)?;
    let misfit = template.misfit(name, &owner.spec.own_fields())?;
    let remedy = match misfit.suggestion {
        Some(it) => format!("A name that fits: `subject = \"{it}\"`."),
        None => format!("Write a name that follows the template `{template}`."),
    };
    let what = format!("`{}` does not fit: {}.", wanted.subject, misfit.reason);
    Some(Violation::new(at_subject(), "Subject name refused", what, remedy))
}

/// What speaks against the name by the strategy that tells programs where to look.
fn naming(state: &State, wanted: &SchemaRequest, strategy: Option<SubjectNaming>) -> Option<Violation> {
    let name = wanted.subject.in_context();
    let records = || wanted.names.as_deref();
    let is_topic = |it: &str| it.parse::<TopicName>().is_ok();
    let refused =
        |what: String, remedy: String| Some(Violation::new(at_subject(), "Subject name refused", what, remedy));
    match strategy? {
        SubjectNaming::TopicName => {
            let topic = ["-key", "-value"].iter().find_map(|it| name.strip_suffix(it));
            if topic.is_some_and(is_topic) {
                return None;
            }
            let example = state.topics().next().map_or("orders".to_owned(), |(it, _)| it.to_string());
            refused(
                format!("The environment calls subjects `<topic>-key` and `<topic>-value`, and `{name}` is neither."),
                format!("Write the name of a topic with one of them, as in `subject = \"{example}-value\"`."),
            )
        }
        SubjectNaming::RecordName => {
            let names = records()?;
            if names.iter().any(|it| it == name) {
                return None;
            }
            refused(
                format!("The environment calls subjects by the full name of the record, and `{name}` is another name."),
                wanted_name(names, ""),
            )
        }
        SubjectNaming::TopicRecordName => {
            let names = records()?;
            let topic = names.iter().find_map(|it| name.strip_suffix(it.as_str())?.strip_suffix('-'));
            if topic.is_some_and(is_topic) {
                return None;
            }
            refused(
                format!(
                    "The environment calls subjects `<topic>-<full name of the record>`, and `{name}` is another name."
                ),
                wanted_name(names, "orders-"),
            )
        }
    }
}

fn wanted_name(names: &[String], topic: &str) -> String {
    match names.first() {
        Some(name) => format!("Write `subject = \"{topic}{name}\"`, or another name in the schema."),
        None => "Give the outermost type of the schema a name.".to_owned(),
    }
}

fn compatibility(wanted: &SchemaRequest, weakest: Option<Compatibility>) -> Option<Violation> {
    let (weakest, actual) = (weakest?, wanted.compatibility?);
    if actual.includes(weakest) {
        return None;
    }
    let whence = if wanted.is_declared { "is" } else { "is inherited as" };
    let what = format!(
        "The compatibility of `{}` {whence} `{}`, and the environment permits `{}` and what includes it.",
        wanted.subject,
        actual.word(),
        weakest.word()
    );
    let remedy = format!("Write `compatibility = \"{}\"`.", weakest.word());
    Some(Violation::new(At::attribute("compatibility"), "Compatibility too weak", what, remedy))
}

#[cfg(test)]
mod tests;

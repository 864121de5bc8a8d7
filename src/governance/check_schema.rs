//! Whether the schema of a subject may be as it is declared: whose the subject is, how it is called, and how much its
//! versions may differ.
//!
//! A registry has its own users, if it has any, and knows nothing of applications: what is said here holds for those who
//! come this way.

use crate::governance::{
    application::Application,
    check_topic::{missing, not_in_force, unknown_acting},
    command::Role,
    kind::Kind,
    names::ApplicationName,
    policy::{Compatibility, SubjectNaming},
    state::State,
    subject::SubjectName,
    topic::TopicName,
    violation::{At, Violation, listed},
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
}

/// What speaks against a schema in an environment; nothing where there is none. `before` is how it was: what was so and is
/// not touched is told as that.
pub fn check_schema(
    state: &State,
    role: &Role,
    wanted: &SchemaRequest,
    before: Option<&SchemaRequest>,
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
    // Who may not have a subject changes nothing of it, however long it was so.
    res.extend(ownership(state, role, wanted, before.is_some()));
    res
}

/// What speaks against the end of a subject.
pub fn check_schema_end(state: &State, role: &Role, subject: &SubjectName) -> Vec<Violation> {
    let wanted = SchemaRequest {
        subject: subject.clone(),
        application: None,
        compatibility: None,
        is_declared: false,
        names: None,
    };
    if state.policy().is_none() { Vec::new() } else { ownership(state, role, &wanted, true) }
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
            Some(anothers(subject, &owner.spec.name, acting))
        }
        (Role::Nobody, Some(owner), _) => Some(unknown(subject, &owner.spec.name)),
        (_, Some(owner), Some(by_name)) if owner.spec.name != by_name.spec.name => {
            Some(anothers(subject, &by_name.spec.name, &owner.spec.name))
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

fn anothers(subject: &SubjectName, owner: &ApplicationName, acting: &ApplicationName) -> Violation {
    let what = format!("The subject `{subject}` belongs to the application `{owner}`, and this is for `{acting}`.");
    let remedy = format!("Choose a subject of `{acting}`, or have the team of `{owner}` declare it.");
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

//! Whose a topic is, and whether its name is one of theirs.

use super::TopicRequest;
use crate::governance::{
    application::{Application, Status},
    command::Role,
    kind::Kind,
    names::ApplicationName,
    state::State,
    topic::TopicName,
    violation::{At, Violation, Weight, listed},
};

/// The application that a topic is for, and what speaks against that. A topic that is there already belongs to whom it
/// does, whatever its name.
pub(super) fn owner<'a>(
    state: &'a State,
    role: &Role,
    wanted: &TopicRequest,
    is_there: bool,
) -> (Option<&'a Application>, Vec<Violation>) {
    let mut res: Vec<Violation> = unknown_acting(state, role).into_iter().collect();
    let by_name = state.owner_of(Kind::Topic, wanted.name.as_str());
    let owner = match &wanted.application {
        Some(name) => {
            let declared = state.application(name).filter(|it| it.status.holds_prefixes());
            if declared.is_none() {
                res.push(missing(name));
            }
            declared
        }
        // A name of nobody's is meant to be one of who asks, and is told with one that would be.
        None => by_name.or_else(|| acting(state, role).filter(|_| !is_there)),
    };
    if let (Some(owner), false) = (owner, is_there) {
        res.extend(not_in_force(owner));
    }
    if let (Some(declared), Role::Application(acting)) = (&wanted.application, role)
        && declared != acting
    {
        // What else would be said is for another owner than the one that the topic can have.
        return (owner, res);
    }
    match (owner, by_name) {
        (Some(owner), Some(by_name)) if owner.spec.name != by_name.spec.name => {
            res.push(foreign_name(&wanted.name, owner, by_name));
        }
        (Some(owner), None) => res.push(outside(state, &wanted.name, owner)),
        _ => {}
    }
    (owner, res)
}

/// That who acts so may not have the topic, or change it.
pub(super) fn not_permitted(state: &State, role: &Role, wanted: &TopicRequest, is_there: bool) -> Option<Violation> {
    state.policy()?;
    if let (Some(declared), Role::Application(acting)) = (&wanted.application, role)
        && declared != acting
    {
        return Some(not_yours(declared, acting));
    }
    let by_name = || state.owner_of(Kind::Topic, wanted.name.as_str());
    let kept = state.topic(&wanted.name).filter(|it| is_there && it.is_there());
    let owner = match (kept.and_then(|it| it.application.as_ref()), &wanted.application) {
        (Some(owner), _) => state.application(owner).or_else(by_name),
        (None, Some(declared)) => state.application(declared).filter(|it| it.status.holds_prefixes()),
        (None, None) => by_name().or_else(|| acting(state, role).filter(|_| !is_there)),
    };
    if owner.is_none() && unknown_acting(state, role).is_some() {
        // That is told, and nothing more can be said.
        return None;
    }
    may(role, owner, wanted, is_there)
}

fn acting<'a>(state: &'a State, role: &Role) -> Option<&'a Application> {
    match role {
        Role::Application(name) => state.application(name).filter(|it| it.status.holds_prefixes()),
        Role::Platform | Role::Nobody => None,
    }
}

/// Whether one who acts so may have a topic of that owner.
fn may(role: &Role, owner: Option<&Application>, wanted: &TopicRequest, is_there: bool) -> Option<Violation> {
    let name = &wanted.name;
    match (role, owner) {
        (Role::Application(acting), Some(owner)) if *acting != owner.spec.name => {
            let what = format!("`{name}` belongs to the application `{}`, and you act as `{acting}`.", owner.spec.name);
            let remedy = if is_there {
                leave(&format!("Have the team of `{}` change it.", owner.spec.name))
            } else {
                format!("Choose a name of `{acting}`, or ask the team of `{}`.", owner.spec.name)
            };
            Some(Violation::new(At::attribute("name"), "Topic of another application", what, remedy))
        }
        (Role::Nobody, Some(owner)) => {
            let what =
                format!("`{name}` belongs to the application `{}`, and nothing says that this is it.", owner.spec.name);
            let remedy =
                "Act as the application: its deployers are known by their principal, or by what the pipeline sets.";
            Some(Violation::new(At::attribute("name"), "Acting application unknown", what, remedy))
        }
        (Role::Application(_) | Role::Nobody, None) if is_there && wanted.application.is_none() => {
            let what = format!("No application owns the topic `{name}`, and only the platform changes such topics.");
            let remedy = leave("Have the platform change it, or an application claim its prefix.");
            Some(Violation::new(At::attribute("name"), "Topic without owner", what, remedy))
        }
        (Role::Application(_) | Role::Nobody, None) if wanted.application.is_none() => {
            let what =
                format!("No application owns the name `{name}`, and only the platform makes topics that nobody owns.");
            let remedy = "Choose a name under a prefix of your application, or set `application`.";
            Some(Violation::new(At::attribute("name"), "Topic without owner", what, remedy))
        }
        _ => None,
    }
}

/// What to do about a topic in the state of who may not change it.
pub(in crate::governance) fn leave(first: &str) -> String {
    format!(
        "{first} To have Terraform forget the topic and leave it as it is, write a block `removed {{ from = kafka_topic.… \
         lifecycle {{ destroy = false }} }}` in place of the resource."
    )
}

/// An application as which somebody acts, and that is not there: a slip in the pipeline, or it is declared later in the run.
pub(in crate::governance) fn unknown_acting(state: &State, role: &Role) -> Option<Violation> {
    let Role::Application(name) = role else { return None };
    if state.application(name).is_some_and(|it| it.status.holds_prefixes()) {
        return None;
    }
    let what = format!("You act as the application `{name}`, and the environment has none of that name.");
    let remedy = "Correct `KAFKA_ACTING_APPLICATION`, or have the application declared first.";
    Some(Violation::new(At::all(), "Acting application missing", what, remedy).weighing(Weight::Wait))
}

fn not_yours(declared: &ApplicationName, acting: &ApplicationName) -> Violation {
    let what = format!("The topic is declared for the application `{declared}`, and you act as `{acting}`.");
    let remedy = format!("Leave `application` out, or have the team of `{declared}` declare the topic.");
    Violation::new(At::attribute("application"), "Topic of another application", what, remedy)
}

pub(in crate::governance) fn missing(name: &ApplicationName) -> Violation {
    let what = format!("The environment has no application `{name}`.");
    let remedy = "Reference the `id` of its resource, so that it is made first, or correct the name.";
    // It may be made in the same run, before what is for it.
    Violation::new(At::attribute("application"), "Application missing", what, remedy).weighing(Weight::Wait)
}

/// That an application may have nothing new.
pub(in crate::governance) fn not_in_force(owner: &Application) -> Option<Violation> {
    let name = &owner.spec.name;
    let (what, remedy, weight) = match owner.status {
        Status::Pending => (
            format!("The application `{name}` waits for the platform to agree to it."),
            "Apply again after that.",
            Weight::Wait,
        ),
        Status::Deleting => {
            (format!("The application `{name}` is being deleted."), "Choose another application.", Weight::Refuse)
        }
        Status::Expired => (
            format!("The time of the application `{name}` is over."),
            "Have `expires_at` moved, or choose another application.",
            Weight::Refuse,
        ),
        _ => return None,
    };
    let told = Violation::new(At::attribute("application"), "Application not in force", what, remedy);
    Some(told.weighing(weight))
}

fn foreign_name(name: &TopicName, owner: &Application, by_name: &Application) -> Violation {
    let (owner, other) = (&owner.spec.name, &by_name.spec.name);
    let what = format!("`{name}` is under a prefix of the application `{other}`, and the topic is for `{owner}`.");
    let remedy = format!("Choose a name of `{owner}`, or have `{other}` offer it the prefix.");
    Violation::new(At::attribute("name"), "Topic of another application", what, remedy)
}

fn outside(state: &State, name: &TopicName, owner: &Application) -> Violation {
    let own: Vec<&str> = owner.spec.prefixes(Kind::Topic).collect();
    let what = format!(
        "`{name}` is under no prefix of the application `{}`, whose topics begin with {}.",
        owner.spec.name,
        listed(&own)
    );
    Violation::new(At::attribute("name"), "Topic name outside the prefixes", what, correction(state, name, owner))
}

/// What to write instead: a name that fits the template, if there is one, under a prefix of the owner's, and is not taken.
fn correction(state: &State, name: &TopicName, owner: &Application) -> String {
    let prefixes: Vec<&str> = owner.spec.prefixes(Kind::Topic).collect();
    let Some(first) = prefixes.first() else { return "Give the application a prefix for topics.".to_owned() };
    let Some(template) = state.template(Kind::Topic) else {
        let rest = prefixes.iter().find_map(|it| name.as_str().strip_prefix(it)).unwrap_or(name.as_str());
        let names = ["", "-2", "-3"].map(|ending| format!("{first}{rest}{ending}"));
        return match names.into_iter().find(|it| is_free(state, owner, it)) {
            Some(it) => format!("Write `name = \"{it}\"`."),
            None => format!("Write a name that begins so, as in `name = \"{first}…\"`."),
        };
    };
    let own = owner.spec.own_fields();
    let mut names: Vec<String> =
        template.misfit(name.as_str(), &own).and_then(|it| it.suggestion).into_iter().collect();
    names.extend(prefixes.iter().flat_map(|it| template.names_under(it, name.as_str(), &own)));
    names.extend(template.example(&own));
    let again = format!("{name}-2");
    names.extend(template.misfit(&again, &own).map_or(Some(again), |it| it.suggestion));
    names.retain(|it| owner.spec.covers(Kind::Topic, it));
    if names.is_empty() {
        return format!(
            "The template `{template}` leaves the application `{}` no name under {}: ask the platform for a prefix or a \
             template that fits.",
            owner.spec.name,
            listed(&prefixes)
        );
    }
    match names.into_iter().find(|it| is_free(state, owner, it)) {
        Some(it) => format!("A name that fits: `name = \"{it}\"`."),
        None => format!("Write a name that follows the template `{template}` and that no other topic has."),
    }
}

/// Whether a name could be a new topic of the owner's.
fn is_free(state: &State, owner: &Application, name: &str) -> bool {
    let is_owners = state.owner_of(Kind::Topic, name).is_some_and(|it| it.spec.name == owner.spec.name);
    let name: Option<TopicName> = name.parse().ok();
    let taken = |it: &TopicName| state.topics().any(|(other, topic)| topic.is_there() && is_same_in_metrics(other, it));
    is_owners && name.is_some_and(|it| !taken(&it))
}

/// What speaks against the name itself.
pub(super) fn violations(state: &State, wanted: &TopicRequest, owner: Option<&Application>) -> Vec<Violation> {
    let mut res = Vec::new();
    let name = &wanted.name;
    let at = || At::attribute("name");
    if name.as_str().starts_with("_selfserve") {
        let what = format!("`{name}` is the platform's own: it keeps who owns what in topics that are named so.");
        res.push(Violation::new(at(), "Topic name reserved", what, "Choose another name."));
    }
    if let Some(owner) = owner.filter(|it| it.spec.covers(Kind::Topic, name.as_str()))
        && let Some(template) = state.template(Kind::Topic)
        && let Some(misfit) = template.misfit(name.as_str(), &owner.spec.own_fields())
    {
        let what = format!("`{name}` does not fit: {}.", misfit.reason);
        res.push(Violation::new(at(), "Topic name refused", what, correction(state, name, owner)));
    }
    let twin = state.topics().find(|(it, topic)| topic.is_there() && *it != name && is_same_in_metrics(it, name));
    if let Some((twin, _)) = twin {
        let what = format!("Kafka's metrics do not tell `{name}` from `{twin}`: `.` and `_` are the same there.");
        res.push(Violation::new(at(), "Topic name collides", what, "Choose a name that differs in other letters."));
    }
    res
}

/// Whether two names are one in metrics, found without making texts: there may be very many topics.
fn is_same_in_metrics(a: &TopicName, b: &TopicName) -> bool {
    let shown = |it: u8| if it == b'.' { b'_' } else { it };
    let (a, b) = (a.as_str().as_bytes(), b.as_str().as_bytes());
    a.len() == b.len() && a.iter().zip(b).rev().all(|(a, b)| shown(*a) == shown(*b))
}

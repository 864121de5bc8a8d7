//! Whether somebody may ask for what they ask for.
//!
//! Everything that speaks against it is told at once, each at its attribute. Whether it is agreed to is another question.

use std::collections::BTreeSet;

use crate::governance::{
    acl::{Operation, PatternType, WILDCARD},
    application::{Application, Status},
    kind::Kind,
    owned_topic::OwnedTopic,
    policy::{AccessApproval, ChangeApproval, Policy},
    record::Timestamp,
    request::{AccessTo, Change, ChangeKind, Content, Filing, Judge, Request, Subject, Verb, askable},
    secret::looks_secret,
    state::State,
    subject::{SubjectName, SubjectNameError},
    topic::TopicName,
    violation::{At, Violation, Weight, listed},
};

/// What a request is about, as things stand: who asks, of whom, and for which programs. `None` while there is no
/// application that asks, or no owner.
pub fn content(state: &State, filing: &Filing) -> Option<Content> {
    let applicant = state.application(&filing.applicant)?;
    let (owner, subject, principals) = match &filing.subject {
        Subject::Access(it) => {
            let owner = owner(state, it)?.uid();
            let runs = if it.has_rules() { applicant.spec.principals.clone() } else { BTreeSet::new() };
            (Some(owner), Subject::Access(it.canonical()), runs)
        }
        it @ (Subject::Application(_) | Subject::Change(_)) => (None, it.clone(), BTreeSet::new()),
    };
    Some(Content { applicant: applicant.uid(), owner, subject, principals, expires_at: filing.expires_at })
}

/// Who must agree to a request.
pub fn judges(state: &State, content: &Content) -> BTreeSet<Judge> {
    let Some(policy) = state.policy() else { return BTreeSet::from([Judge::Platform]) };
    match &content.subject {
        Subject::Access(access) => match policy.approval.access {
            AccessApproval::None => BTreeSet::new(),
            AccessApproval::Platform => BTreeSet::from([Judge::Platform]),
            AccessApproval::OwnerAndPlatform => BTreeSet::from([Judge::Owner, Judge::Platform]),
            AccessApproval::Auto if is_green(state, content, access) => BTreeSet::new(),
            AccessApproval::Owner | AccessApproval::Auto => BTreeSet::from([Judge::Owner]),
        },
        Subject::Change(it) if !needs_approval(state, policy, it) => BTreeSet::new(),
        Subject::Application(_) | Subject::Change(_) => BTreeSet::from([Judge::Platform]),
    }
}

/// Whether somebody must agree to a change. What a change leaves as it is, is within any limit.
fn needs_approval(state: &State, policy: &Policy, change: &Change) -> bool {
    let approval = policy.approval.changes.get(&change.kind).and_then(|it| it.get(&change.verb));
    let is_beyond = |most: Option<i64>, it: Option<i64>| most.is_some_and(|most| it.is_none_or(|it| most < it));
    match approval.copied().unwrap_or_default() {
        ChangeApproval::None => false,
        ChangeApproval::Platform => true,
        ChangeApproval::AutoIfWithin { partitions, disk_bytes } => {
            let there = changed_topic(state, change);
            let is_new = |now: Option<i64>, was: Option<Option<i64>>| was.is_none_or(|was| was != now);
            let had_disk = there.map(|it| it.capacity.disk_bytes);
            (is_beyond(partitions, change.partitions) && is_new(change.partitions, there.map(|it| Some(it.partitions))))
                || (is_beyond(disk_bytes, change.disk_bytes) && is_new(change.disk_bytes, had_disk))
        }
    }
}

/// The topic that a change leaves in its place.
fn changed_topic<'a>(state: &'a State, change: &Change) -> Option<&'a OwnedTopic> {
    let name: TopicName = change.name.parse().ok().filter(|_| change.kind == ChangeKind::Topic)?;
    state.topic(&name).filter(|it| change.verb == Verb::Update && it.is_there())
}

/// Whether an application needs somebody's leave for a change.
pub fn needs_leave(state: &State, change: &Change) -> bool {
    state.policy().is_some_and(|it| needs_approval(state, it, change))
}

/// What speaks against a change that an application makes: it needs an approval that it does not have. An approval is for
/// the same change until another one of the same thing is made, or its request is withdrawn or expires: a run that is
/// killed goes on.
pub fn against_change(state: &State, applicant: &Application, change: &Change, now: Timestamp) -> Option<Violation> {
    if !needs_leave(state, change) {
        return None;
    }
    let uid = applicant.uid();
    let about: Vec<_> = state
        .requests()
        .filter(|(_, it)| *it.applicant() == uid && !it.status.is_over() && it.ended_at.is_none())
        .filter(|(_, it)| !it.content.is_expired(now))
        .filter(|(_, it)| matches!(&it.content.subject, Subject::Change(it) if it == change))
        .collect();
    if about.iter().any(|(_, it)| it.status.is_approved()) {
        return None;
    }
    let what = format!("The environment has the platform agree before `{}` is changed so.", change.name);
    let remedy = match about.first() {
        Some((id, it)) => format!("The request `{id}` is `{}`: apply again when it is approved.", it.status),
        None => "File a request for this change, and apply again when it is approved.".to_owned(),
    };
    Some(Violation::new(At::all(), "Change not approved", what, remedy).weighing(Weight::Wait))
}

/// Whether an access needs nobody's eyes where the policy leaves that to checks.
fn is_green(state: &State, content: &Content, access: &AccessTo) -> bool {
    use Operation as O;
    let topic: Option<TopicName> = access.name.parse().ok();
    let is_ready = |uid: &crate::governance::application::ApplicationUid| {
        state.application(&uid.name).is_some_and(|it| it.uid() == *uid && it.status == Status::Ready)
    };
    access.kind == Kind::Topic
        && access.pattern == PatternType::Literal
        && access.operations.iter().all(|it| matches!(it, O::Read | O::Write | O::Describe | O::DescribeConfigs))
        && topic.and_then(|it| state.topic(&it)).is_some_and(OwnedTopic::is_there)
        && is_ready(&content.applicant)
        && content.owner.as_ref().is_some_and(is_ready)
}

/// Whose the resource of an access is: a topic that is there belongs to whom it does, whatever its name, and everything
/// else to whose prefix its name begins with.
pub fn owner<'a>(state: &'a State, access: &AccessTo) -> Option<&'a Application> {
    let AccessTo { kind, name, pattern, operations: _ } = access;
    let there = name.parse().ok().filter(|_| (*kind, *pattern) == (Kind::Topic, PatternType::Literal));
    match there.and_then(|it: TopicName| state.topic(&it)).filter(|it| it.is_there()) {
        Some(topic) => topic.application.as_ref().and_then(|it| state.application(it)),
        None => state.owner_of(*kind, name),
    }
}

/// What speaks against a request. `before` is the one with the same id, `actor` is who files it as far as they say.
pub fn check_request(
    state: &State,
    filing: &Filing,
    before: Option<&Request>,
    actor: Option<&str>,
    now: Timestamp,
) -> Vec<Violation> {
    let Some(policy) = state.policy() else { return Vec::new() };
    let mut res = Vec::new();
    if filing.id.applicant() != &filing.applicant {
        let what = format!("`{}` is no id of a request of `{}`.", filing.id, filing.applicant);
        let remedy = "Choose the application's name, `-` and 8 hexadecimal digits.";
        res.push(Violation::new(At::attribute("id"), "Id of another application", what, remedy));
    }
    res.extend(applicant(state, filing));
    match &filing.subject {
        Subject::Access(it) => res.extend(access(state, filing, it)),
        Subject::Change(Change { kind: ChangeKind::Topic, .. }) => {
            let what = "A change of a topic is asked for by declaring the topic so.";
            res.push(Violation::new(At::all(), "Not a request", what, "Declare it, and it waits for the platform."));
        }
        Subject::Change(it) => res.extend(change(state, filing, it)),
        Subject::Application(_) => {
            let what = "An application is asked for by declaring it.";
            res.push(Violation::new(At::all(), "Not a request", what, "Declare it, and it waits for the platform."));
        }
    }
    res.extend(expiry(filing, before, now));
    res.extend(secrets(filing));
    res.extend(anonymous(state, policy, filing, actor));
    res
}

fn applicant(state: &State, filing: &Filing) -> Option<Violation> {
    let name = &filing.applicant;
    let at = At::attribute("application");
    let status = state.application(name).map(|it| it.status);
    let (summary, what, remedy) = match status {
        Some(it) if it.is_in_force() => return None,
        None | Some(Status::Deleted | Status::Rejected) => (
            "Application missing",
            format!("The environment has no application `{name}`."),
            "Reference the `id` of its resource, so that it is made first, or correct the name.",
        ),
        Some(Status::Deleting) => {
            let what = format!("The application `{name}` is being deleted.");
            return Some(Violation::new(at, "Application not in force", what, "Ask as another one."));
        }
        Some(it) => (
            "Application not in force",
            format!("The application `{name}` is `{it}`."),
            "Apply again when it is agreed to.",
        ),
    };
    Some(Violation::new(at, summary, what, remedy).weighing(Weight::Wait))
}

fn access(state: &State, filing: &Filing, access: &AccessTo) -> Vec<Violation> {
    let AccessTo { kind, name, pattern, operations } = access;
    let mut res = Vec::new();
    let mut tell = |attribute: &str, summary, what: String, remedy: String| {
        res.push(Violation::new(At::attribute(attribute), summary, what, remedy));
    };
    let permitted = askable(*kind);
    if permitted.is_empty() {
        let what = format!("Access to {kind}s cannot be asked for yet: Kafka's authorizer does not know them.");
        let remedy = "Ask for a `topic`, a `group`, a `transactional_id` or a `subject`, such as the topic behind it.";
        tell("resource_type", "Not to be asked for yet", what, remedy.to_owned());
        return res;
    }
    if operations.is_empty() {
        let what = format!("Nothing is asked for: `access` has no meaning for a {kind}, or no operation is named.");
        let remedy = format!("Name operations: {}.", listed(&permitted));
        tell("operations", "Nothing asked for", what, remedy);
    }
    let refused: Vec<_> = operations.iter().filter(|it| !permitted.contains(it)).collect();
    if !refused.is_empty() {
        let what = format!("{} of a {kind} is nothing that another application can be given.", listed(refused));
        tell("operations", "Operation refused", what, format!("It can be given {}.", listed(&permitted)));
    }
    if name.is_empty() {
        let what = match pattern {
            PatternType::Literal => format!("A {kind} has a name, and none is written."),
            PatternType::Prefixed => format!("Every {kind} begins with nothing, also those of other owners."),
        };
        tell("resource_name", "Name missing", what, "Name one resource, or a prefix of one owner.".to_owned());
        return res;
    }
    if name == WILDCARD {
        let what = format!("`{name}` is every {kind}, also those of other owners.");
        let remedy = "Name one resource, or a prefix of one owner.".to_owned();
        tell("resource_name", "Wildcard refused", what, remedy);
        return res;
    }
    if *kind == Kind::Topic && name.starts_with('_') {
        let what = format!("`{name}` is Kafka's own or the platform's, and what it holds is everybody's.");
        tell("resource_name", "Internal topic", what, "Ask for a topic of an application.".to_owned());
        return res;
    }
    if let (Kind::Topic, PatternType::Literal, Err(wrong)) = (kind, pattern, name.parse::<TopicName>()) {
        tell("resource_name", "Invalid topic name", format!("`{name}` cannot be: {wrong}."), "Correct it.".to_owned());
        return res;
    }
    if let (Kind::Subject, Err(wrong)) = (kind, plain_subject(name)) {
        tell("resource_name", "Invalid subject", format!("`{name}` cannot be: {wrong}."), "Correct it.".to_owned());
        return res;
    }
    res.extend(of_owner(state, filing, access));
    if !access.has_rules() {
        return res;
    }
    let programs = state.application(&filing.applicant).map(|it| &it.spec.principals);
    if programs.is_some_and(BTreeSet::is_empty) {
        let what = format!("The application `{}` runs as nobody: there is nobody to give access to.", filing.applicant);
        let remedy = "Declare its `principals` first.";
        res.push(Violation::new(At::attribute("application"), "Nobody to give access to", what, remedy));
    }
    res
}

/// A subject, or how subjects begin, is named as prefixes have them: whatever its context.
fn plain_subject(name: &str) -> Result<(), String> {
    let subject: SubjectName = name.parse().map_err(|error: SubjectNameError| error.to_string())?;
    let plain = subject.in_context();
    if plain == name { Ok(()) } else { Err(format!("owners own subjects in all contexts; write `{plain}`")) }
}

fn of_owner(state: &State, filing: &Filing, access: &AccessTo) -> Option<Violation> {
    let AccessTo { kind, name, pattern, operations: _ } = access;
    let at = At::attribute("resource_name");
    let Some(owner) = owner(state, access) else {
        let within = state.overlapping(*kind, name);
        if *pattern == PatternType::Prefixed && !within.is_empty() {
            let what = format!(
                "`{name}` is wider than what one application owns: {} begin with it.",
                listed(within.iter().map(|(prefix, _)| prefix))
            );
            return Some(Violation::new(at, "Wider than one owner", what, "Ask each owner for what is theirs."));
        }
        let what = format!("No application owns the {kind} `{name}`, so that nobody can agree.");
        let remedy = "Correct the name, or have its owner declared first.";
        return Some(Violation::new(at, "Owner unknown", what, remedy).weighing(Weight::Wait));
    };
    if owner.spec.name == filing.applicant {
        let what = format!("`{name}` is the application's own, and needs nobody's leave.");
        return Some(Violation::new(at, "Request for one's own", what, "Remove the request."));
    }
    if !owner.status.is_in_force() {
        let what = format!("Its owner, the application `{}`, is `{}`.", owner.spec.name, owner.status);
        let told = Violation::new(at, "Owner not in force", what, "Apply again when it is in force.");
        let weight = if owner.status == Status::Pending { Weight::Wait } else { Weight::Refuse };
        return Some(told.weighing(weight));
    }
    None
}

fn change(state: &State, filing: &Filing, change: &Change) -> Option<Violation> {
    let kind = match change.kind {
        ChangeKind::Topic => Kind::Topic,
        ChangeKind::Schema => Kind::Subject,
        ChangeKind::Connector => Kind::Connector,
    };
    let name = &change.name;
    let subject: Option<SubjectName> = name.parse().ok().filter(|_| kind == Kind::Subject);
    let plain = subject.as_ref().map_or(name.as_str(), SubjectName::in_context);
    let owner = state.owner_of(kind, plain).map(|it| &it.spec.name);
    if owner == Some(&filing.applicant) {
        return None;
    }
    let what = format!("`{name}` is under no {kind} prefix of the application `{}`.", filing.applicant);
    let remedy = "Ask for changes of what the application owns.";
    Some(Violation::new(At::attribute("resource_name"), "Change outside the application", what, remedy))
}

fn expiry(filing: &Filing, before: Option<&Request>, now: Timestamp) -> Option<Violation> {
    let had = before.and_then(|it| it.content.expires_at);
    let end = filing.expires_at.filter(|it| *it <= now && had != Some(*it))?;
    let what = format!("`expires_at` is {}, which is over.", end.date());
    let remedy = "Write a time to come, or leave it out.";
    Some(Violation::new(At::attribute("expires_at"), "Expired already", what, remedy))
}

fn secrets(filing: &Filing) -> Vec<Violation> {
    let words = [("approver", &filing.approver), ("ticket", &filing.ticket)];
    let words = words.into_iter().filter_map(|(name, it)| Some((name, it.as_deref()?)));
    let texts = filing.texts.iter().map(|(name, it)| (name.as_str(), it.as_str()));
    words.chain(texts).filter_map(|(name, text)| secret(name, text)).collect()
}

/// What speaks against a text that is kept.
pub fn secret(attribute: &str, text: &str) -> Option<Violation> {
    let what = "It looks like a password or a key, and others can read what is written here.";
    let remedy = "Remove it, and change the secret.";
    looks_secret(text).then(|| Violation::new(At::attribute(attribute), "Secret in a text", what, remedy))
}

/// Where those who ask and those who agree must differ, it must be known who asks.
fn anonymous(state: &State, policy: &Policy, filing: &Filing, actor: Option<&str>) -> Option<Violation> {
    let needs_judge = content(state, filing).is_none_or(|it| !judges(state, &it).is_empty());
    nobody(policy, actor).filter(|_| needs_judge)
}

/// The same of a request that somebody must agree to.
pub(super) fn nobody(policy: &Policy, actor: Option<&str>) -> Option<Violation> {
    if !policy.approval.distinct_actors || actor.is_some() {
        return None;
    }
    let what = "Who asks and who agrees must be different people here, and nothing says who you are.";
    Some(Violation::new(At::all(), "Actor unknown", what, "Set `KAFKA_ACTOR`, as continuous integration does."))
}

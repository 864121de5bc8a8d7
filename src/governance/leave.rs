//! Changes of subjects and connectors that the platform must agree to (`approval.changes`).
//!
//! Registries and workers are not everybody's to write, and what the platform has of them may be less than its asker has: so
//! a change is not kept to be made by somebody else. Its asker makes it, once it is agreed to, and exactly it, by its digest.

use crate::governance::{
    application::Application,
    changes::{self, change},
    check_request::against_change,
    command::Role,
    kind::Kind,
    record::Timestamp,
    request::{Change, ChangeKind, Filing, Request, RequestId, RequestStatus, Revision, Subject, Verb},
    state::State,
    subject::SubjectName,
};

/// What somebody is about to do to a subject or a connector.
pub fn change_of(kind: ChangeKind, name: String, verb: Verb, whole: &str) -> Change {
    Change { kind, verb, name, partitions: None, disk_bytes: None, digest: Revision::of(whole).as_str().to_owned() }
}

/// A change that is not agreed to, and where that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAgreed {
    /// What to file, under the id of the request that waits for another change of the same thing, or a new one.
    pub filing: Filing,
    /// Whether that very change was filed already, and what became of it.
    pub filed: Option<RequestStatus>,
}

/// Whether the platform must agree to a change, and did not. It is asked about what applications do to what is
/// their own: the platform itself needs nobody, and who was granted another's was agreed to by its owner.
pub fn not_agreed(state: &State, role: &Role, change: &Change, now: Timestamp) -> Option<NotAgreed> {
    let owner = owner(state, role, change)?;
    against_change(state, owner, change, now)?;
    let id = changes::id(state, &owner.uid(), change.kind, &change.name);
    let is_same = |it: &&Request| changes::change(it) == Some(change);
    let filed = state.request(&id).filter(is_same).map(|it| it.status);
    let filing = Filing::new(id, owner.spec.name.clone(), Subject::Change(change.clone()));
    Some(NotAgreed { filing, filed })
}

/// Whether a change makes use of an approval.
pub fn uses_approval(state: &State, role: &Role, wanted: &Change) -> Option<RequestId> {
    let owner = owner(state, role, wanted)?.uid();
    let is_about =
        |it: &Request| it.status == RequestStatus::Approved && *it.applicant() == owner && change(it) == Some(wanted);
    state.requests().find(|(_, it)| is_about(it)).map(|(id, _)| id.clone())
}

/// Whoever acts, if what it changes is its own.
fn owner<'a>(state: &'a State, role: &Role, change: &Change) -> Option<&'a Application> {
    let Role::Application(acting) = role else { return None };
    let owner = match change.kind {
        ChangeKind::Topic => state.owner_of(Kind::Topic, &change.name),
        ChangeKind::Schema => state.owner_of(Kind::Subject, change.name.parse::<SubjectName>().ok()?.in_context()),
        ChangeKind::Connector => state.owner_of(Kind::Connector, &change.name),
    };
    owner.filter(|it| it.spec.name == *acting)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::governance::{
        command::{ChangeUse, Command, Decision},
        decide::fixtures::{NOW, World, declare, named},
        request::{Choice, Judge},
    };

    fn world() -> World {
        let watched = json!({"create": "platform", "update": "platform"});
        let mut res = World::new(&json!({"approval": {"changes": {"schema": watched}}}));
        res.ask("platform", &declare("pay", json!({}))).unwrap();
        res
    }

    fn wanted(verb: Verb, whole: &str) -> Change {
        change_of(ChangeKind::Schema, ":.eu:pay.x-value".to_owned(), verb, whole)
    }

    fn seen(world: &World, role: &str, change: &Change) -> Option<NotAgreed> {
        let role = if role == "platform" { Role::Platform } else { Role::Application(named(role)) };
        not_agreed(&world.state, &role, change, NOW)
    }

    fn decide(world: &mut World, id: &RequestId, choice: Choice) {
        let revision = world.state.request(id).unwrap().revision.clone();
        let decision = Decision { request: id.clone(), revision, judge: Judge::Platform, choice, reason: None };
        world.ask("platform", &Command::DecideRequest(decision)).unwrap();
    }

    fn make_use(world: &mut World, change: &Change) {
        let used = ChangeUse { application: named("pay"), change: change.clone() };
        world.ask("pay", &Command::UseChange(Box::new(used))).unwrap();
    }

    #[test]
    fn a_change_waits_until_the_platform_agreed_to_exactly_it() {
        let mut world = world();
        let (first, second) = (wanted(Verb::Create, "1"), wanted(Verb::Create, "2"));
        assert_eq!(seen(&world, "platform", &first), None);
        assert_eq!(seen(&world, "other", &first), None, "that is another rule's to refuse");
        assert_eq!(seen(&world, "pay", &wanted(Verb::Delete, "")), None, "nobody asked to see that");
        let asked = seen(&world, "pay", &first).unwrap();
        assert_eq!(asked.filed, None);
        world.ask("pay", &Command::FileRequest(Box::new(asked.filing.clone()))).unwrap();
        assert_eq!(seen(&world, "pay", &first).unwrap().filed, Some(RequestStatus::Pending));
        // Another text takes the place of the one that waits.
        let amended = seen(&world, "pay", &second).unwrap();
        assert_eq!((&amended.filing.id, amended.filed), (&asked.filing.id, None));
        world.ask("pay", &Command::FileRequest(Box::new(amended.filing))).unwrap();
        decide(&mut world, &asked.filing.id, Choice::Approve);
        assert_eq!((seen(&world, "pay", &second), seen(&world, "pay", &first).is_some()), (None, true));
        let role = Role::Application(named("pay"));
        assert_eq!(uses_approval(&world.state, &role, &second), Some(asked.filing.id.clone()));
        make_use(&mut world, &second);
        assert_eq!((seen(&world, "pay", &second), uses_approval(&world.state, &role, &second)), (None, None));
        let third = seen(&world, "pay", &first).unwrap().filing;
        assert_ne!(third.id, asked.filing.id, "what is done is not amended");
        // Once another change is made, an old approval is good for nothing.
        world.ask("pay", &Command::FileRequest(Box::new(third.clone()))).unwrap();
        decide(&mut world, &third.id, Choice::Approve);
        assert_eq!((seen(&world, "pay", &second), seen(&world, "pay", &first)), (None, None));
        make_use(&mut world, &first);
        assert_eq!(seen(&world, "pay", &first), None, "a run that was killed goes on");
        let again = seen(&world, "pay", &second).unwrap();
        assert_eq!(again.filed, None);
        assert!(![&asked.filing.id, &third.id].contains(&&again.filing.id), "{again:?}");
        world.ask("pay", &Command::FileRequest(Box::new(again.filing))).unwrap();
        assert_eq!(seen(&world, "pay", &second).unwrap().filed, Some(RequestStatus::Pending));
    }

    #[test]
    fn what_was_rejected_is_told_and_another_change_asks_anew() {
        let mut world = world();
        let (first, second) = (wanted(Verb::Update, "1"), wanted(Verb::Update, "2"));
        let asked = seen(&world, "pay", &first).unwrap().filing;
        world.ask("pay", &Command::FileRequest(Box::new(asked.clone()))).unwrap();
        decide(&mut world, &asked.id, Choice::Reject);
        assert_eq!(seen(&world, "pay", &first).unwrap().filed, Some(RequestStatus::Rejected));
        let again = seen(&world, "pay", &second).unwrap();
        assert_eq!(again.filed, None);
        world.ask("pay", &Command::FileRequest(Box::new(again.filing))).unwrap();
        assert_eq!(seen(&world, "pay", &second).unwrap().filed, Some(RequestStatus::Pending));
    }
}

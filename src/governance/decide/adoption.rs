//! Topics that were there before anybody owned them, and that an application takes for its own.

use super::draft::Draft;
use crate::governance::{
    application::{Application, Status},
    command::{ApplicationRequest, TopicFound},
    kind::Kind,
    owned_topic::{OwnedTopic, TopicStatus},
    state::State,
};

/// How many topics one decision takes: what it writes has to fit into a record.
const AT_ONCE: usize = 1_000;

impl ApplicationRequest {
    /// The topics that the application would take and that nobody owns yet.
    pub fn to_adopt<'a>(&'a self, state: &'a State, it: &'a Application) -> impl Iterator<Item = &'a TopicFound> {
        let is_own = |found: &&TopicFound| it.spec.covers(Kind::Topic, found.name.as_str());
        let is_free =
            |found: &&TopicFound| state.topic(&found.name).is_none_or(|it| !it.is_there() || it.application.is_none());
        self.topics.iter().filter(|_| self.adopt).filter(is_own).filter(is_free)
    }
}

/// Gives an application the topics under its prefixes that nobody owns, so that they count. One that waits for the
/// platform owns nothing yet.
pub(super) fn adopt(draft: &mut Draft<'_>, request: &ApplicationRequest, it: &Application) {
    if matches!(it.status, Status::Pending | Status::Expired) {
        return;
    }
    let state = draft.state;
    for found in request.to_adopt(state, it).take(AT_ONCE) {
        let there = state.topic(&found.name).filter(|it| it.is_there());
        let partitions = found.partitions.or(there.map(|it| it.partitions)).unwrap_or(1);
        let topic = OwnedTopic {
            application: Some(it.spec.name.clone()),
            incarnation: it.incarnation,
            partitions,
            replication_factor: found.replication_factor.or(there.and_then(|it| it.replication_factor)),
            capacity: there.map(|it| it.capacity).unwrap_or_default(),
            asked: there.and_then(|it| it.asked.clone()),
            refused: there.and_then(|it| it.refused.clone()),
            status: there.map_or(TopicStatus::Created, |it| it.status),
            topic_id: found.topic_id.clone().or_else(|| there.and_then(|it| it.topic_id.clone())),
            created_at: there.map_or(draft.now, |it| it.created_at),
            said_at: None,
            deleted_at: None,
        };
        draft.set_topic(found.name.clone(), topic);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::governance::{
        command::{Command, TopicFound},
        decide::fixtures::{World, change, declare, named},
    };

    fn found(name: &str, partitions: i64) -> TopicFound {
        TopicFound {
            partitions: Some(partitions),
            replication_factor: Some(3),
            ..TopicFound::new(name.parse().unwrap(), Some(format!("id of {name}")))
        }
    }

    fn adopting(command: Command, topics: Vec<TopicFound>) -> Command {
        let with = |mut it: Box<_>| {
            let request: &mut crate::governance::command::ApplicationRequest = &mut it;
            (request.adopt, request.topics) = (true, topics);
            it
        };
        match command {
            Command::DeclareApplication(it) => Command::DeclareApplication(with(it)),
            Command::ChangeApplication(it) => Command::ChangeApplication(with(it)),
            other => other,
        }
    }

    #[test]
    fn adopted_topics_count_towards_the_quota_and_hold_the_application() {
        let mut world = World::new(&json!({}));
        let there = || vec![found("pay.old", 7), found("strange", 9)];
        world.ask("nobody", &adopting(declare("pay", json!({})), there())).unwrap();
        let topic = world.state.topic(&"pay.old".parse().unwrap()).unwrap().clone();
        assert_eq!((topic.application, topic.status.word()), (Some(named("pay")), "created"));
        assert_eq!((topic.partitions, topic.replication_factor), (7, Some(3)));
        assert_eq!(topic.topic_id.as_deref(), Some("id of pay.old"));
        assert_eq!(world.state.taken(&named("pay"), None).partitions, Some(7));
        assert!(world.state.topic(&"strange".parse().unwrap()).is_none());
        let told = world.refused("platform", &Command::DeleteApplication(named("pay")));
        assert_eq!(told[0].1, "Application in use");
        let again = world.ask("pay", &adopting(change("pay", json!({})), there())).unwrap();
        assert_eq!(again, [], "what is adopted is not adopted once more");
    }

    #[test]
    fn an_application_that_waits_adopts_when_it_was_agreed_to() {
        let mut world = World::new(&json!({"approval": {"applications": "platform"}}));
        world.ask("nobody", &adopting(declare("pay", json!({})), vec![found("pay.old", 7)])).unwrap();
        assert_eq!(world.state.taken(&named("pay"), None).partitions, None);
        world.ask("platform", &adopting(change("pay", json!({})), vec![found("pay.old", 7)])).unwrap();
        assert_eq!(world.state.taken(&named("pay"), None).partitions, Some(7));
    }

    #[test]
    fn so_many_are_adopted_that_a_decision_can_be_written() {
        let mut world = World::new(&json!({}));
        let topics: Vec<_> = (0..1_500).map(|it| found(&format!("pay.{it}"), 1)).collect();
        let events = world.ask("nobody", &adopting(declare("pay", json!({})), topics.clone())).unwrap();
        assert!(serde_json::to_vec(&events[0].entities).unwrap().len() < 900_000);
        assert_eq!(world.state.taken(&named("pay"), None).partitions, Some(1_000));
        world.ask("pay", &adopting(change("pay", json!({})), topics)).unwrap();
        assert_eq!(world.state.taken(&named("pay"), None).partitions, Some(1_500));
    }
}

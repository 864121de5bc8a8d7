//! Topics that somebody made or changed past the rules.
//!
//! Where deployers work directly, Kafka lets them do under their prefixes, with any tool, what the rules of the environment
//! do not permit. Nothing can refuse that; it is found out and told.

use crate::governance::{
    application::Application,
    check_topic::{TopicRequest, check_topic},
    command::Role,
    kind::Kind,
    names::ApplicationName,
    policy::DeployerRights,
    state::State,
    topic::TopicName,
    violation::Violation,
};

/// What Kafka Streams calls the topics that it makes for itself, after its application id.
const INTERNAL_TO_STREAMS: [&str; 2] = ["-changelog", "-repartition"];

/// A topic that is there past the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Astray {
    /// Its name.
    pub topic: TopicName,
    /// Under whose prefix it is.
    pub application: ApplicationName,
    /// Whether it was declared, and changed since.
    pub is_declared: bool,
    /// What speaks against it, and what to write instead, a text for each.
    pub problems: Vec<String>,
}

/// What speaks against a topic as the cluster has it: that nobody declared it, or that it was changed to what the rules do
/// not permit. What was declared and is not permitted any more is no such thing. Configuration is not looked at.
pub fn astray(state: &State, name: &TopicName, partitions: i32, replication_factor: i32) -> Option<Astray> {
    if state.policy()?.deployer_rights != DeployerRights::Direct || name.is_internal() {
        return None;
    }
    let owner = state.owner_of(Kind::Topic, name.as_str())?;
    let there = TopicRequest {
        partitions: Some(partitions.into()),
        replication_factor: Some(replication_factor.into()),
        ..TopicRequest::new(name.clone())
    };
    let declared = state.topic(name).filter(|it| it.is_there() && it.application.is_some()).map(|it| TopicRequest {
        partitions: Some(it.partitions),
        replication_factor: it.replication_factor,
        ..TopicRequest::new(name.clone())
    });
    if declared.is_none() && is_of_streams(owner, name) {
        return None;
    }
    let is_seen = |it: &Violation| matches!(it.at.outermost(), Some("name" | "partitions" | "replication_factor"));
    let against = check_topic(state, &Role::Platform, &there, declared.as_ref());
    let told = against.into_iter().filter(|it| it.introduced && is_seen(it));
    let problems: Vec<String> = told.map(|it| it.detail.replace("\n\n", " ")).collect();
    let is_declared = declared.is_some();
    (!is_declared || !problems.is_empty()).then(|| Astray {
        topic: name.clone(),
        application: owner.spec.name.clone(),
        is_declared,
        problems,
    })
}

/// Whether a topic is one that a Kafka Streams program of the application makes for itself.
fn is_of_streams(owner: &Application, name: &TopicName) -> bool {
    let is_internal = INTERNAL_TO_STREAMS.iter().any(|it| name.as_str().ends_with(it));
    let is_of = |id: &String| name.as_str().strip_prefix(id.as_str()).is_some_and(|it| it.starts_with('-'));
    is_internal && owner.spec.streams.iter().any(is_of)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::governance::record::Fold as _;

    fn state(rights: &str) -> State {
        let mut res = State::default();
        let policy = json!({
            "deployer_rights": rights,
            "topics": {"partitions": {"max": 12}},
            "naming": {"templates": {"topic": "{application}.{purpose}"}, "fields": {"purpose": "[a-z-]+"}},
        });
        let cluster = json!({"cluster_id": "c1", "platform_principals": [], "super_users": []});
        let spec = json!({"name": "pre", "policy": policy, "cluster": cluster});
        res.put("environment", &json!({"form": 1, "spec": spec, "created_at": 1})).unwrap();
        let spec = json!({"name": "pay", "prefixes": {"topic": ["pay."]}, "streams": ["pay.sums"]});
        let pay = json!({"form": 1, "incarnation": 1, "spec": spec, "status": "ready", "created_at": 1});
        res.put("application/pay", &pay).unwrap();
        let orders = json!({"form": 1, "application": "pay", "partitions": 24, "status": "created", "created_at": 1});
        res.put("topic/pay.orders", &orders).unwrap();
        res
    }

    fn found(state: &State, name: &str, partitions: i32) -> Option<Astray> {
        astray(state, &name.parse().unwrap(), partitions, 1)
    }

    #[test]
    fn what_nobody_declared_is_told_with_all_that_the_rules_say_of_it() {
        let it = found(&state("direct"), "pay.Bills", 20).unwrap();
        assert_eq!((it.application.as_str(), it.is_declared, it.problems.len()), ("pay", false, 2), "{it:?}");
        assert!(it.problems[1].contains("`partitions` is 20"), "{it:?}");
        let it = found(&state("direct"), "pay.bills", 2).unwrap();
        assert_eq!((it.is_declared, it.problems), (false, vec![]));
    }

    #[test]
    fn what_was_declared_is_told_only_once_it_was_changed() {
        let state = state("direct");
        assert_eq!(found(&state, "pay.orders", 24), None, "the rules tightened since");
        let it = found(&state, "pay.orders", 30).unwrap();
        assert!(it.is_declared && it.problems[0].contains("`partitions` is 30"), "{it:?}");
        assert_eq!(found(&state, "pay.orders", 12), None);
    }

    #[test]
    fn nothing_is_astray_where_only_the_platform_makes_topics_or_the_names_are_others() {
        assert_eq!(found(&state("mailbox"), "pay.Bills", 20), None);
        let state = state("direct");
        assert_eq!(found(&state, "shop.Bills", 20), None);
        assert_eq!(found(&state, "__consumer_offsets", 50), None);
        assert_eq!(found(&state, "pay.sums-store-changelog", 50), None);
        assert!(found(&state, "pay.sums-store", 2).is_some());
    }
}

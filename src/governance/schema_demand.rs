//! Whether a topic has the schema that an environment demands of every topic.
//!
//! A topic and its schema come in one run, and either may be the first of the two: a topic that waited for its schema, or a
//! schema for its topic, could wait for ever, and so could a plan that is to make the one that is missing. So nothing is
//! refused: who lacks a schema is told by plans, and by each `reconcile`, which looks when no run is under way.

use crate::governance::{policy::SubjectNaming, state::State, subject::SubjectName, topic::TopicName};

/// A topic that is to have a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaDemand {
    topic: TopicName,
    naming: Option<SubjectNaming>,
}

impl SchemaDemand {
    /// What is demanded of a topic. Nothing of Kafka's own and the platform's internal ones, nor where subjects are called
    /// by their records alone, for then they do not say which topics they are for.
    pub fn of(state: &State, topic: &TopicName) -> Option<Self> {
        let schemas = &state.policy()?.schemas;
        let is_demanded = schemas.required == Some(true) && schemas.subject_naming != Some(SubjectNaming::RecordName);
        let demand = Self { topic: topic.clone(), naming: schemas.subject_naming };
        (is_demanded && !topic.is_internal()).then_some(demand)
    }

    /// The topic.
    pub fn topic(&self) -> &TopicName {
        &self.topic
    }

    /// Whether a subject is one for what the topic carries.
    pub fn is_met_by(&self, subject: &SubjectName) -> bool {
        let of_topic = subject.in_context().strip_prefix(self.topic.as_str()).and_then(|it| it.strip_prefix('-'));
        let Some(rest) = of_topic else { return false };
        // A full name has no `-`, so that the subjects of `orders-eu` are none of `orders`.
        let is_record = !rest.is_empty() && !rest.contains('-') && rest != "key" && rest != "value";
        match self.naming {
            Some(SubjectNaming::TopicName) => rest == "value",
            Some(SubjectNaming::TopicRecordName) => is_record,
            Some(SubjectNaming::RecordName) => false,
            None => rest == "value" || is_record,
        }
    }

    /// How such a subject is called, for people.
    pub fn wanted(&self) -> String {
        let topic = &self.topic;
        match self.naming {
            Some(SubjectNaming::TopicRecordName) => format!("`{topic}-<full name of the record>`"),
            _ => format!("`{topic}-value`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::governance::record::Fold as _;

    fn demand(schemas: &Value, topic: &str) -> Option<SchemaDemand> {
        let mut state = State::default();
        let environment = json!({"spec": {"name": "pre", "policy": {"schemas": schemas}}, "created_at": 1});
        state.put("environment", &environment).unwrap();
        SchemaDemand::of(&state, &topic.parse().unwrap())
    }

    #[test]
    fn a_schema_is_demanded_where_the_environment_says_so_and_names_can_tell() {
        let check = |schemas: Value, topic: &str, expected: Option<&str>| {
            assert_eq!(demand(&schemas, topic).map(|it| it.wanted()).as_deref(), expected, "{schemas} {topic}");
        };
        check(json!({}), "orders", None);
        check(json!({"required": false}), "orders", None);
        check(json!({"required": true}), "orders", Some("`orders-value`"));
        check(json!({"required": true}), "__consumer_offsets", None);
        check(json!({"required": true, "subject_naming": "record_name"}), "orders", None);
        let both = json!({"required": true, "subject_naming": "topic_record_name"});
        check(both, "orders", Some("`orders-<full name of the record>`"));
        assert_eq!(SchemaDemand::of(&State::default(), &"orders".parse().unwrap()), None);
    }

    #[test]
    fn a_subject_is_of_a_topic_by_its_name() {
        let check = |naming: Value, subject: &str, expected: bool| {
            let demand = demand(&json!({"required": true, "subject_naming": naming}), "orders").unwrap();
            assert_eq!(demand.is_met_by(&subject.parse().unwrap()), expected, "{naming} {subject}");
        };
        check(json!("topic_name"), "orders-value", true);
        check(json!("topic_name"), ":.eu:orders-value", true);
        check(json!("topic_name"), "orders-key", false);
        check(json!("topic_name"), "orders-shop.Order", false);
        check(json!("topic_record_name"), "orders-shop.Order", true);
        check(json!("topic_record_name"), "orders-value", false);
        check(json!("topic_record_name"), "orders-eu-shop.Order", false);
        check(Value::Null, "orders-value", true);
        check(Value::Null, "orders-shop.Order", true);
        check(Value::Null, "orders", false);
        check(Value::Null, "other-value", false);
    }
}

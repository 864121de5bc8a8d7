//! The rules that kinds of programs need, few and exact. A right that another one holds is not written: who may read or
//! write may describe.

use std::collections::BTreeMap;

use crate::governance::acl::{Operation, PatternType, ResourceType, WILDCARD};

/// What somebody needs to do with a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Kind of resource.
    pub resource_type: ResourceType,
    /// Whether the name is the name or how names begin.
    pub pattern_type: PatternType,
    /// Name of the resource.
    pub resource_name: String,
    /// What.
    pub operations: &'static [Operation],
}

/// A kind of program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Writes to a topic.
    Producer,
    /// Reads a topic in a group: classic, of the new protocol, or a share group.
    Consumer,
    /// Writes to a topic in transactions.
    TransactionalProducer,
    /// What Kafka Streams does besides reading its inputs and writing its outputs.
    Streams,
    /// A worker of Kafka Connect, besides what its connectors read and write.
    Connect,
}

/// Why there are no rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PresetError {
    /// A kind that there is not.
    #[error("`{0}` is none of `producer`, `consumer`, `transactional_producer`, `streams` and `connect`")]
    Kind(String),
    /// A name that is needed.
    #[error("`{kind}` needs the name `{name}`")]
    Missing {
        /// The kind.
        kind: &'static str,
        /// The name's key.
        name: &'static str,
    },
    /// A name that is none.
    #[error("`{name}` is empty")]
    Empty {
        /// The name's key.
        name: &'static str,
    },
    /// A beginning of names where one name is needed.
    #[error(
        "`{name}` is one name: what Kafka Streams names after it begins with it and `-`, so that `{found}` names nothing"
    )]
    Beginning {
        /// The name's key.
        name: &'static str,
        /// What is written.
        found: String,
    },
    /// A name that the kind does not have.
    #[error("`{kind}` has no name `{name}`, only {known}")]
    Strange {
        /// The kind.
        kind: &'static str,
        /// The key.
        name: String,
        /// Those that it has.
        known: String,
    },
}

use Operation as O;

/// With its internal topics, Kafka Streams does everything.
const INTERNAL: &[Operation] = &[O::Read, O::Write, O::Create, O::Delete, O::DescribeConfigs];
/// A worker makes its own topics and looks whether they are compacted.
const OF_WORKERS: &[Operation] = &[O::Read, O::Write, O::Create, O::DescribeConfigs];

impl Preset {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Producer, Self::Consumer, Self::TransactionalProducer, Self::Streams, Self::Connect];

    /// The kind of that name.
    ///
    /// # Errors
    /// That there is none, with those that there are.
    pub fn of(kind: &str) -> Result<Self, PresetError> {
        Self::ALL.into_iter().find(|it| it.word() == kind).ok_or_else(|| PresetError::Kind(kind.to_owned()))
    }

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Consumer => "consumer",
            Self::TransactionalProducer => "transactional_producer",
            Self::Streams => "streams",
            Self::Connect => "connect",
        }
    }

    /// The names that it needs.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Producer => &["topic"],
            Self::Consumer => &["topic", "group"],
            Self::TransactionalProducer => &["topic", "transactional_id"],
            Self::Streams => &["application_id"],
            Self::Connect => &["group", "config_topic", "offset_topic", "status_topic"],
        }
    }

    /// The rules for these names. One that ends with `*` is how names begin; `*` alone is every name.
    ///
    /// # Errors
    /// The first name that is missing, or that is not its.
    pub fn rules(self, names: &BTreeMap<String, String>) -> Result<Vec<Rule>, PresetError> {
        let kind = self.word();
        if let Some(name) = names.keys().find(|it| !self.names().contains(&it.as_str())) {
            let known = self.names().iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
            return Err(PresetError::Strange { kind, name: name.clone(), known });
        }
        let rule = |resource_type, name: &'static str, operations| {
            let written = names.get(name).ok_or(PresetError::Missing { kind, name })?;
            if written.is_empty() {
                return Err(PresetError::Empty { name });
            }
            Ok(named(resource_type, written, operations))
        };
        Ok(match self {
            Self::Producer => vec![rule(ResourceType::Topic, "topic", &[O::Write])?],
            Self::Consumer => {
                vec![rule(ResourceType::Topic, "topic", &[O::Read])?, rule(ResourceType::Group, "group", &[O::Read])?]
            }
            Self::TransactionalProducer => vec![
                rule(ResourceType::Topic, "topic", &[O::Write])?,
                rule(ResourceType::TransactionalId, "transactional_id", &[O::Write])?,
            ],
            Self::Streams => {
                let name = "application_id";
                match names.get(name).map(String::as_str).ok_or(PresetError::Missing { kind, name })? {
                    "" => return Err(PresetError::Empty { name }),
                    it if it.contains(WILDCARD) => return Err(PresetError::Beginning { name, found: it.to_owned() }),
                    it => streams(it).into(),
                }
            }
            Self::Connect => vec![
                rule(ResourceType::Group, "group", &[O::Read])?,
                rule(ResourceType::Topic, "config_topic", OF_WORKERS)?,
                rule(ResourceType::Topic, "offset_topic", OF_WORKERS)?,
                rule(ResourceType::Topic, "status_topic", OF_WORKERS)?,
                // The groups in which sinks read are called after their connectors.
                named(ResourceType::Group, "connect-*", &[O::Read]),
            ],
        })
    }
}

/// What Kafka Streams needs for what it names after an `application.id`.
pub fn streams(id: &str) -> [Rule; 3] {
    let internal = format!("{id}-*");
    [
        named(ResourceType::Topic, &internal, INTERNAL),
        Rule {
            resource_type: ResourceType::Group,
            pattern_type: PatternType::Literal,
            resource_name: id.to_owned(),
            operations: &[O::Read],
        },
        named(ResourceType::TransactionalId, &internal, &[O::Write]),
    ]
}

fn named(resource_type: ResourceType, written: &str, operations: &'static [Operation]) -> Rule {
    let beginning = written.strip_suffix('*').filter(|_| written != WILDCARD);
    let pattern_type = if beginning.is_some() { PatternType::Prefixed } else { PatternType::Literal };
    Rule { resource_type, pattern_type, resource_name: beginning.unwrap_or(written).to_owned(), operations }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(kind: &str, names: &[(&str, &str)]) -> Result<Vec<String>, PresetError> {
        let names = names.iter().map(|(name, it)| ((*name).to_owned(), (*it).to_owned())).collect();
        let shown = |it: Rule| {
            let operations: Vec<&str> = it.operations.iter().map(|it| it.as_str()).collect();
            format!("{}|{}|{}|{}", it.resource_type, it.pattern_type, it.resource_name, operations.join(";"))
        };
        Ok(Preset::of(kind)?.rules(&names)?.into_iter().map(shown).collect())
    }

    #[test]
    fn each_kind_of_program_has_what_it_needs_and_no_more() {
        assert_eq!(rules("producer", &[("topic", "a")]).unwrap(), ["TOPIC|LITERAL|a|WRITE"]);
        let consumer = ["TOPIC|PREFIXED|a.|READ", "GROUP|LITERAL|*|READ"];
        assert_eq!(rules("consumer", &[("topic", "a.*"), ("group", "*")]).unwrap(), consumer);
        let transactional = ["TOPIC|LITERAL|a|WRITE", "TRANSACTIONAL_ID|PREFIXED|tx-|WRITE"];
        let names = [("topic", "a"), ("transactional_id", "tx-*")];
        assert_eq!(rules("transactional_producer", &names).unwrap(), transactional);
        let streams = [
            "TOPIC|PREFIXED|app-|READ;WRITE;CREATE;DELETE;DESCRIBE_CONFIGS",
            "GROUP|LITERAL|app|READ",
            "TRANSACTIONAL_ID|PREFIXED|app-|WRITE",
        ];
        assert_eq!(rules("streams", &[("application_id", "app")]).unwrap(), streams);
        for it in ["*", "app*"] {
            assert!(matches!(rules("streams", &[("application_id", it)]), Err(PresetError::Beginning { .. })), "{it}");
        }
        for (kind, name) in [("streams", "application_id"), ("producer", "topic")] {
            assert_eq!(rules(kind, &[(name, "")]), Err(PresetError::Empty { name }));
        }
        let names = [("group", "g"), ("config_topic", "c"), ("offset_topic", "o"), ("status_topic", "s")];
        let connect = rules("connect", &names).unwrap();
        assert_eq!((connect.len(), connect[4].as_str()), (5, "GROUP|PREFIXED|connect-|READ"));
    }

    #[test]
    fn what_is_missing_or_strange_is_told() {
        let told = |kind, names: &[_]| rules(kind, names).unwrap_err().to_string();
        assert!(told("reader", &[]).starts_with("`reader` is none of `producer`, "));
        assert_eq!(told("consumer", &[("topic", "a")]), "`consumer` needs the name `group`");
        assert_eq!(told("producer", &[("topics", "a")]), "`producer` has no name `topics`, only `topic`");
    }
}

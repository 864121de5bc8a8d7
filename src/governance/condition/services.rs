//! The services beside the brokers: whether they are declared, configured, and answer.

use super::{Condition, Sight, bad, good, unknown};
use crate::governance::{environment::EnvironmentSpec, policy::Capability};

/// A service that the provider's configuration leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// What it is.
    pub kind: ServiceKind,
    /// How the configuration calls it, or where it is.
    pub name: String,
    /// What was seen of it.
    pub seen: Seen,
}

/// A kind of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// The schema registry.
    SchemaRegistry,
    /// A cluster of Connect workers.
    Connect,
}

/// What was seen of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It answers.
    Good,
    /// It does not, or it is another one.
    Bad {
        /// How, in a sentence without an end and without its subject.
        message: String,
        /// What to do, in a sentence.
        remedy: String,
    },
    /// The caller is kept from seeing it.
    Unknown {
        /// As for `Bad`.
        message: String,
        /// As for `Bad`.
        remedy: String,
    },
}

impl ServiceKind {
    /// All of them, in their order.
    pub const ALL: [Self; 2] = [Self::SchemaRegistry, Self::Connect];

    /// The word for its condition, and for its setting in the provider block.
    const fn word(self) -> &'static str {
        match self {
            Self::SchemaRegistry => "schema_registry",
            Self::Connect => "connect",
        }
    }

    const fn capability(self) -> (Capability, &'static str) {
        match self {
            Self::SchemaRegistry => (Capability::Schemas, "schemas"),
            Self::Connect => (Capability::Connect, "connect"),
        }
    }
}

/// What is told of the services of a kind; nothing where there are none and none are declared.
pub(super) fn of_kind(kind: ServiceKind, spec: &EnvironmentSpec, sight: &Sight) -> Option<Condition> {
    let word = kind.word();
    let (capability, declared) = kind.capability();
    let is_declared = spec.policy.capabilities.contains(&capability);
    let found: Vec<&Service> = sight.services.iter().filter(|it| it.kind == kind).collect();
    if found.is_empty() {
        let message = format!("`capabilities` has `{declared}`, and the provider block does not say where that is");
        let remedy = format!("Set `{word}` of the environment in the provider block, or leave out `{declared}`.");
        return is_declared.then(|| unknown(word, message, remedy));
    }
    if !is_declared {
        let message = format!("the provider block has `{word}`, and `capabilities` does not have `{declared}`");
        let remedy = format!("Add `{declared}` to `capabilities` of `kafka_environment`, or remove `{word}`.");
        return Some(bad(word, message, remedy));
    }
    Some(told(word, &found))
}

/// The worst of what was seen, with all that is alike.
fn told(word: &'static str, found: &[&Service]) -> Condition {
    let (mut wrong, mut hidden) = (Vec::new(), Vec::new());
    for service in found {
        match &service.seen {
            Seen::Good => {}
            Seen::Bad { message, remedy } => wrong.push((format!("`{}`: {message}", service.name), remedy)),
            Seen::Unknown { message, remedy } => hidden.push((format!("`{}`: {message}", service.name), remedy)),
        }
    }
    let (is_bad, them) = if wrong.is_empty() { (false, hidden) } else { (true, wrong) };
    let Some((_, remedy)) = them.first() else {
        let names: Vec<String> = found.iter().map(|it| format!("`{}`", it.name)).collect();
        return good(word, format!("{} answers as it should", names.join(", ")));
    };
    let remedy = remedy.as_str();
    let messages = them.iter().map(|(message, _)| message.as_str()).collect::<Vec<_>>().join("; ");
    if is_bad { bad(word, messages, remedy) } else { unknown(word, messages, remedy) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::governance::condition::tests::{sight, spec};

    fn check(declared: &[Capability], services: &[Service], expected: Option<(&str, &str)>) {
        let mut spec = spec();
        spec.policy.capabilities = declared.iter().copied().collect();
        let sight = Sight { services: services.to_vec(), ..sight(&[]) };
        let told: Vec<_> = ServiceKind::ALL.into_iter().filter_map(|it| of_kind(it, &spec, &sight)).collect();
        assert_eq!(told.first().map(|it| (it.name, it.status.word())), expected, "{told:?}");
        assert!(told.iter().all(|it| it.remedy.is_none() == (it.status.word() == "good")), "{told:?}");
    }

    fn service(kind: ServiceKind, seen: Seen) -> Service {
        Service { kind, name: "main".to_owned(), seen }
    }

    #[test]
    fn a_service_is_held_against_what_is_declared_and_what_it_answers() {
        let down = || Seen::Bad { message: "no connection".to_owned(), remedy: "Start it.".to_owned() };
        let hidden = || Seen::Unknown { message: "HTTP 401".to_owned(), remedy: "Log in.".to_owned() };
        let (registry, connect) = (ServiceKind::SchemaRegistry, ServiceKind::Connect);
        check(&[], &[], None);
        check(&[Capability::Schemas], &[], Some(("schema_registry", "unknown")));
        check(&[], &[service(registry, Seen::Good)], Some(("schema_registry", "bad")));
        check(&[Capability::Schemas], &[service(registry, Seen::Good)], Some(("schema_registry", "good")));
        check(&[Capability::Schemas], &[service(registry, down())], Some(("schema_registry", "bad")));
        check(&[Capability::Schemas], &[service(registry, hidden())], Some(("schema_registry", "unknown")));
        check(&[Capability::Connect], &[], Some(("connect", "unknown")));
        let two = [service(connect, hidden()), service(connect, Seen::Good), service(connect, down())];
        check(&[Capability::Connect], &two, Some(("connect", "bad")));
        check(&[Capability::Connect], &two[..2], Some(("connect", "unknown")));
    }
}

//! Rules that are declared together: everybody of some principals, everything of some operations, one resource.

use std::{collections::BTreeSet, fmt, net::IpAddr, str::FromStr};

use crate::governance::{
    acl::{
        AclBinding, AclError, CLUSTER, Operation, PatternType, Permission, Principal, ResourceType, WILDCARD, escaped,
        given, unescaped,
    },
    violation::{At, Violation, Weight},
};

/// Most rules that are declared together: Kafka changes no more in one request.
pub const MOST_RULES: usize = 10_000;

/// What stands between principals, and between operations.
const SEPARATOR: char = ';';

/// Rules for one resource: each principal with each operation.
///
/// Written as [`AclBinding`] is, with several principals and operations between `;`, such as
/// `TOPIC|PREFIXED|billing.|User:billing;User:audit|*|READ;DESCRIBE|ALLOW`; a `;` within a principal is written `%3B`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AclSet {
    /// Kind of resource.
    pub resource_type: ResourceType,
    /// Whether `resource_name` is the name or how names begin.
    pub pattern_type: PatternType,
    /// Name of the resource.
    pub resource_name: String,
    /// Who the rules are about.
    pub principals: BTreeSet<Principal>,
    /// The address that the principals connect from; `*` is any.
    pub host: String,
    /// What the rules are about.
    pub operations: BTreeSet<Operation>,
    /// Whether they permit or forbid.
    pub permission: Permission,
}

impl AclSet {
    /// The rules, in their order.
    pub fn bindings(&self) -> BTreeSet<AclBinding> {
        self.principals.iter().flat_map(|principal| self.of(principal)).collect()
    }

    /// The same for more principals.
    pub fn with(&self, principals: impl IntoIterator<Item = Principal>) -> Self {
        let mut res = self.clone();
        res.principals.extend(principals);
        res
    }

    /// The rules for one principal.
    pub fn of(&self, principal: &Principal) -> impl Iterator<Item = AclBinding> {
        self.operations.iter().map(|operation| AclBinding {
            resource_type: self.resource_type,
            pattern_type: self.pattern_type,
            resource_name: self.resource_name.clone(),
            principal: principal.clone(),
            host: self.host.clone(),
            operation: *operation,
            permission: self.permission,
        })
    }

    /// The principals that have all of their rules among those there are, which are in their order.
    pub fn whole(&self, there: &[AclBinding]) -> BTreeSet<Principal> {
        let has_all = |it: &&Principal| self.of(it).all(|it| there.binary_search(&it).is_ok());
        self.principals.iter().filter(has_all).cloned().collect()
    }

    /// Whether any of the rules is among those there are, which are in their order.
    pub fn is_anywhere(&self, there: &[AclBinding]) -> bool {
        self.principals.iter().any(|it| self.of(it).any(|it| there.binary_search(&it).is_ok()))
    }
}

/// What is known of rules that are declared, of which some is not known yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AclDraft<'a> {
    /// Kind of resource.
    pub resource_type: Option<ResourceType>,
    /// What its name means.
    pub pattern_type: Option<PatternType>,
    /// Name of the resource.
    pub resource_name: Option<&'a str>,
    /// Who the rules are about.
    pub principals: Option<Vec<&'a Principal>>,
    /// The address that the principals connect from.
    pub host: Option<&'a str>,
    /// What the rules are about.
    pub operations: Option<Vec<Operation>>,
}

impl AclDraft<'_> {
    /// What Kafka would not take, or would take and never follow.
    pub fn violations(&self) -> Vec<Violation> {
        let mut res = Vec::new();
        res.extend(self.of_name());
        res.extend(self.of_operations());
        res.extend(self.of_principals());
        res.extend(self.of_host());
        res.extend(self.of_number());
        res
    }

    fn of_name(&self) -> Vec<Violation> {
        let (at_name, at_pattern) = (At::attribute("resource_name"), At::attribute("pattern_type"));
        let mut res = Vec::new();
        let name = self.resource_name;
        let is_cluster = self.resource_type == Some(ResourceType::Cluster);
        if name.is_some_and(str::is_empty) {
            res.push(Violation::new(
                at_name.clone(),
                "Invalid resource name",
                "The name of the resource is empty.",
                "Write the name, or `*` for every one of its kind.",
            ));
        } else if is_cluster && name.is_some_and(|it| it != CLUSTER) {
            let what = "Kafka has one resource of the kind `cluster`, and calls it `kafka-cluster`.";
            let remedy = format!("Write `resource_name = \"{CLUSTER}\"`.");
            res.push(Violation::new(at_name.clone(), "Invalid resource name", what, remedy));
        }
        if self.pattern_type == Some(PatternType::Prefixed) {
            if is_cluster {
                let what = "The cluster is one resource, and no other name begins with its own.";
                res.push(Violation::new(
                    at_pattern,
                    "Invalid pattern type",
                    what,
                    "Write `pattern_type = \"literal\"`.",
                ));
            } else if name == Some(WILDCARD) {
                let what = "`*` stands for every name only where the pattern is literal; prefixed, it is how names begin \
                            that have a `*`, and none can.";
                res.push(without_effect(at_name, what, "Write `pattern_type = \"literal\"`."));
            }
        }
        res
    }

    fn of_operations(&self) -> Vec<Violation> {
        let Some(operations) = &self.operations else { return Vec::new() };
        if operations.is_empty() {
            return vec![empty("operations", "operation")];
        }
        let Some(kind) = self.resource_type else { return Vec::new() };
        let is_strange = |it: &&Operation| **it != Operation::All && !kind.operations().contains(it);
        let of = |it: &Operation| {
            let known = kind.operations().iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
            let what = format!("Resources of the kind `{kind}` have no operation `{it}`.");
            let at = At::attribute("operations").element(it.as_str());
            Violation::new(at, "Operation of another kind", what, format!("They have {known} and `ALL`."))
        };
        operations.iter().filter(is_strange).map(of).collect()
    }

    fn of_principals(&self) -> Vec<Violation> {
        let Some(principals) = &self.principals else { return Vec::new() };
        if principals.is_empty() {
            return vec![empty("principals", "principal")];
        }
        let of = |it: &&Principal| {
            let (kind, name) = it.as_str().split_once(':')?;
            let at = At::attribute("principals").element(it.as_str());
            if kind != "User" && kind.eq_ignore_ascii_case("user") {
                let what =
                    format!("`{it}` is nobody: Kafka tells capital letters from small ones in types of principals.");
                return Some(Violation::new(at, "Invalid principal", what, format!("Write `User:{name}`.")));
            }
            if it.as_str().trim() != it.as_str() {
                let what = format!("`{it}` begins or ends with a blank, which is part of it, and nobody is called so.");
                return Some(without_effect(at, what, format!("Write `{}`.", it.as_str().trim())));
            }
            let is_pattern = name.len() > 1 && (name.ends_with('*') || name.starts_with('*'));
            is_pattern.then(|| {
                let what =
                    format!("`{it}` is one principal whose name has a `*`: Kafka knows no patterns of principals.");
                without_effect(at, what, "List the principals, or write `User:*` for everybody.")
            })
        };
        principals.iter().filter_map(of).collect()
    }

    fn of_host(&self) -> Option<Violation> {
        let host = self.host?;
        let at = At::attribute("host");
        if host.is_empty() {
            let what = "The host is empty.";
            return Some(Violation::new(at, "Invalid host", what, "Write an address, or `*` for any."));
        }
        let found = host.parse::<IpAddr>();
        if let Ok(address) = found {
            let written = as_kafka_writes(address);
            return (host != written).then(|| {
                let what = format!("Kafka compares the text of addresses, and writes `{host}` as `{written}`.");
                without_effect(at, what, format!("Write `{written}`."))
            });
        }
        (host != WILDCARD).then(|| {
            let what = format!("`{host}` is no address, and Kafka compares addresses: no client ever comes from it.");
            without_effect(
                at,
                what,
                "Write an address such as `10.0.0.1`, or `*` for any; a network takes several rules.",
            )
        })
    }

    fn of_number(&self) -> Option<Violation> {
        let (principals, operations) = (self.principals.as_ref()?.len(), self.operations.as_ref()?.len());
        let number = principals.saturating_mul(operations);
        (number > MOST_RULES).then(|| {
            let what = format!(
                "{principals} principals with {operations} operations are {number} rules, and Kafka changes at most \
                 {MOST_RULES} at once."
            );
            Violation::new(At::attribute("principals"), "Too many rules", what, "Divide the principals among several.")
        })
    }
}

/// An address as Kafka's brokers write those of their clients: IPv6 with all its parts, without leading zeros.
fn as_kafka_writes(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(it) => it.to_string(),
        IpAddr::V6(it) => it.segments().map(|it| format!("{it:x}")).join(":"),
    }
}

fn empty(attribute: &str, noun: &str) -> Violation {
    let what = format!("`{attribute}` is empty, so that nothing is declared.");
    Violation::new(At::attribute(attribute), "Nothing declared", what, format!("Name at least one {noun}."))
}

fn without_effect(at: At, what: impl fmt::Display, remedy: impl fmt::Display) -> Violation {
    Violation::new(at, "Rule without effect", what, remedy).weighing(Weight::Warn)
}

impl fmt::Display for AclSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource_type, pattern_type, resource_name, principals, host, operations, permission } = self;
        let (name, host) = (escaped(resource_name), escaped(host));
        let principals = joined(principals.iter().map(|it| escaped(it.as_str()).replace(SEPARATOR, "%3B")));
        let operations = joined(operations.iter().map(ToString::to_string));
        write!(f, "{resource_type}|{pattern_type}|{name}|{principals}|{host}|{operations}|{permission}")
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(&SEPARATOR.to_string())
}

impl FromStr for AclSet {
    type Err = AclError;

    fn from_str(text: &str) -> Result<Self, AclError> {
        let parts: Vec<&str> = text.split('|').collect();
        let [resource_type, pattern_type, name, principals, host, operations, permission] = parts[..] else {
            return Err(AclError::Parts(parts.len()));
        };
        Ok(Self {
            resource_type: resource_type.parse()?,
            pattern_type: pattern_type.parse()?,
            resource_name: given("the name of the resource", name)?,
            principals: principals.split(SEPARATOR).map(|it| unescaped(it)?.parse()).collect::<Result<_, _>>()?,
            host: given("the host", host)?,
            operations: operations.split(SEPARATOR).map(str::parse).collect::<Result<_, _>>()?,
            permission: permission.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft<'a>(kind: ResourceType, name: &'a str, operations: &[Operation]) -> AclDraft<'a> {
        AclDraft {
            resource_type: Some(kind),
            pattern_type: Some(PatternType::Literal),
            resource_name: Some(name),
            operations: Some(operations.to_vec()),
            ..AclDraft::default()
        }
    }

    #[track_caller]
    fn told(draft: &AclDraft<'_>) -> Vec<String> {
        draft.violations().iter().map(|it| format!("{:?} {} {}", it.weight, it.at, it.summary)).collect()
    }

    #[test]
    fn declarations_are_written_and_read() {
        let text = "TOPIC|PREFIXED|billing.|User:CN=a%3BO=b%7C;User:billing|*|READ;DESCRIBE|ALLOW";
        let set: AclSet = text.parse().unwrap();
        assert_eq!(set.to_string(), text);
        let principals: Vec<_> = set.principals.iter().map(Principal::as_str).collect();
        assert_eq!(principals, ["User:CN=a;O=b|", "User:billing"]);
        assert_eq!(set.bindings().len(), 4);
        for text in ["TOPIC|LITERAL", "TOPIC|LITERAL|a||*|READ|ALLOW", "TOPIC|LITERAL|a|User:a|*||ALLOW"] {
            text.parse::<AclSet>().unwrap_err();
        }
    }

    #[test]
    fn a_principal_that_misses_a_rule_is_not_whole() {
        let set: AclSet = "TOPIC|LITERAL|a|User:x;User:y|*|READ;WRITE|ALLOW".parse().unwrap();
        let mut there: Vec<_> = set.bindings().into_iter().collect();
        assert_eq!(set.whole(&there), set.principals);
        there.remove(0);
        assert_eq!(set.whole(&there), [Principal::user("y")].into());
        let rest = &there[..1];
        assert!(set.whole(rest).is_empty() && set.is_anywhere(rest) && !set.is_anywhere(&[]));
    }

    #[test]
    fn what_kafka_would_not_take_is_told_at_the_attribute() {
        use Operation as O;
        assert_eq!(told(&draft(ResourceType::Topic, "a", &[O::Read, O::All])), Vec::<String>::new());
        assert_eq!(
            told(&draft(ResourceType::Cluster, "dev", &[O::Alter, O::Read])),
            ["Refuse resource_name Invalid resource name", "Refuse operations[\"READ\"] Operation of another kind"]
        );
        let prefixed = |it: AclDraft<'static>| AclDraft { pattern_type: Some(PatternType::Prefixed), ..it };
        let cluster = prefixed(draft(ResourceType::Cluster, CLUSTER, &[O::Alter]));
        assert_eq!(told(&cluster), ["Refuse pattern_type Invalid pattern type"]);
        let every = prefixed(draft(ResourceType::Topic, "*", &[O::Read]));
        assert_eq!(told(&every), ["Warn resource_name Rule without effect"]);
        let nothing = AclDraft { principals: Some(Vec::new()), ..draft(ResourceType::Topic, "", &[]) };
        let expected = [
            "Refuse resource_name Invalid resource name",
            "Refuse operations Nothing declared",
            "Refuse principals Nothing declared",
        ];
        assert_eq!(told(&nothing), expected);
        assert_eq!(told(&AclDraft::default()), Vec::<String>::new(), "what is not known is not judged");
    }

    #[test]
    fn principals_and_hosts_that_match_nobody_are_told() {
        let principals: Vec<Principal> =
            ["user:a", "User:ci-*", "User:*", "Group:x", "User:b "].iter().map(|it| it.parse().unwrap()).collect();
        let draft = AclDraft { principals: Some(principals.iter().collect()), ..AclDraft::default() };
        let expected = [
            "Refuse principals[\"user:a\"] Invalid principal",
            "Warn principals[\"User:ci-*\"] Rule without effect",
            "Warn principals[\"User:b \"] Rule without effect",
        ];
        assert_eq!(told(&draft), expected);
        let host = |host| told(&AclDraft { host: Some(host), ..AclDraft::default() });
        assert_eq!(host("ci.example.org"), ["Warn host Rule without effect"]);
        assert_eq!((host("10.0.0.1"), host("*"), host("2001:db8:0:0:0:0:0:1")), (vec![], vec![], vec![]));
        for it in ["::1", "2001:db8::1", "::ffff:10.0.0.1"] {
            assert_eq!(host(it), ["Warn host Rule without effect"], "{it}");
        }
        assert_eq!(as_kafka_writes("2001:DB8::1".parse().unwrap()), "2001:db8:0:0:0:0:0:1");
    }

    #[test]
    fn more_rules_than_one_request_takes_are_refused() {
        let principals: Vec<Principal> = (0..5_000).map(|it| Principal::user(&it.to_string())).collect();
        let of = |operations: &[Operation]| AclDraft {
            principals: Some(principals.iter().collect()),
            operations: Some(operations.to_vec()),
            ..AclDraft::default()
        };
        assert_eq!(told(&of(&[Operation::Read, Operation::Write])), Vec::<String>::new());
        let many = of(&[Operation::Read, Operation::Write, Operation::Create]);
        assert_eq!(told(&many), ["Refuse principals Too many rules"]);
    }
}

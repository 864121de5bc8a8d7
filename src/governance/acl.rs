//! Rules of Kafka's authorizer (ACLs): what they are, how they are written, and what several of them mean together.

use std::{fmt, str::FromStr};

/// One rule of the authorizer: who may, or must not, do what to which resource.
///
/// Written as `<resource type>|<pattern type>|<resource name>|<principal>|<host>|<operation>|<permission>`, in Kafka's own
/// words, such as `TOPIC|PREFIXED|billing.|User:billing|*|READ|ALLOW`; a `|` or `%` within a part is written `%7C` or
/// `%25`. Rules are ordered as they are written: by resource first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AclBinding {
    /// Kind of resource.
    pub resource_type: ResourceType,
    /// Whether `resource_name` is the name or how names begin.
    pub pattern_type: PatternType,
    /// Name of the resource; `*` with [`PatternType::Literal`] is every one of its kind.
    pub resource_name: String,
    /// Who it is about; `User:*` is everybody.
    pub principal: Principal,
    /// The address that the principal connects from; `*` is any.
    pub host: String,
    /// What it is about.
    pub operation: Operation,
    /// Whether it permits or forbids.
    pub permission: Permission,
}

/// Who Kafka says is calling: `<type>:<name>`, such as `User:billing` or `User:CN=billing.pre.example.org`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal(String);

/// Why a text is no rule, or no part of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AclError {
    /// Not the seven parts.
    #[error("a rule has seven parts between `|`, not {0}")]
    Parts(usize),
    /// A part that is none of Kafka's words.
    #[error("`{found}` is none of {words}")]
    Word {
        /// The text.
        found: String,
        /// The words, joined with commas.
        words: String,
    },
    /// A part that may not be empty.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// A `%` that is followed by none of `7C`, `25` and `3B`.
    #[error("`%` stands for itself as `%25` and for `|` as `%7C`")]
    Escape,
    /// No principal.
    #[error("`{0}` is no principal, which has a type and a name as in `User:billing`")]
    Principal(String),
}

macro_rules! words {
    ($($(#[$doc:meta])+ $name:ident { $($(#[$variant_doc:meta])+ $variant:ident = $word:literal,)+ })+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])+ $variant,)+
        }

        impl $name {
            /// All of them, in the order of Kafka's codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Kafka's word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = AclError;

            /// Reads Kafka's word, in capital letters.
            fn from_str(text: &str) -> Result<Self, AclError> {
                let found = Self::ALL.iter().find(|it| it.as_str() == text);
                found.copied().ok_or_else(|| {
                    let words = Self::ALL.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
                    AclError::Word { found: text.to_owned(), words }
                })
            }
        }
    )+};
}

words! {
    /// Kinds of resources that rules are about.
    ResourceType {
        /// Topics.
        Topic = "TOPIC",
        /// Consumer groups, and groups of the other kinds.
        Group = "GROUP",
        /// The cluster itself, whose name is [`CLUSTER`].
        Cluster = "CLUSTER",
        /// Transactional ids of producers.
        TransactionalId = "TRANSACTIONAL_ID",
        /// Delegation tokens.
        DelegationToken = "DELEGATION_TOKEN",
        /// Users, for whom others handle delegation tokens.
        User = "USER",
    }

    /// What the name of a rule's resource means.
    PatternType {
        /// It is the name.
        Literal = "LITERAL",
        /// Names begin with it.
        Prefixed = "PREFIXED",
    }

    /// What may be done to a resource.
    Operation {
        /// Everything.
        All = "ALL",
        /// Fetching from a topic; joining a group.
        Read = "READ",
        /// Producing to a topic; using a transactional id.
        Write = "WRITE",
        /// Creating it.
        Create = "CREATE",
        /// Deleting it.
        Delete = "DELETE",
        /// Altering it; on the cluster, also the rules and the users.
        Alter = "ALTER",
        /// Seeing that it exists and what it is.
        Describe = "DESCRIBE",
        /// What brokers do among themselves.
        ClusterAction = "CLUSTER_ACTION",
        /// Seeing its configuration.
        DescribeConfigs = "DESCRIBE_CONFIGS",
        /// Altering its configuration.
        AlterConfigs = "ALTER_CONFIGS",
        /// Producing idempotently, for which brokers before 2.8 want a right of its own.
        IdempotentWrite = "IDEMPOTENT_WRITE",
        /// Creating delegation tokens for a user.
        CreateTokens = "CREATE_TOKENS",
        /// Seeing the delegation tokens of a user.
        DescribeTokens = "DESCRIBE_TOKENS",
        /// Committing in two phases.
        TwoPhaseCommit = "TWO_PHASE_COMMIT",
    }

    /// What a rule does.
    Permission {
        /// It forbids, whatever others permit.
        Deny = "DENY",
        /// It permits.
        Allow = "ALLOW",
    }
}

/// The name of the cluster as a resource.
pub const CLUSTER: &str = "kafka-cluster";

/// The name that stands for every resource of a kind, and the host that stands for any.
pub const WILDCARD: &str = "*";

/// What somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// Who.
    pub principal: &'a Principal,
    /// From where; `None` from somewhere, so that rules for single hosts say nothing.
    pub host: Option<&'a str>,
    /// What.
    pub operation: Operation,
    /// To which kind of resource.
    pub resource_type: ResourceType,
    /// To the resource of that name.
    pub resource_name: &'a str,
}

/// What rules say of an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A rule permits it, and none forbids it.
    Allowed,
    /// A rule forbids it, or there are rules for the resource and none permits it.
    Denied,
    /// There is no rule for the resource: `allow.everyone.if.no.acl.found` decides, which is `false` by default.
    Open,
}

impl ResourceType {
    /// What can be done to resources of the kind, [`Operation::All`] aside.
    pub fn operations(self) -> &'static [Operation] {
        use Operation as O;
        match self {
            Self::Topic => {
                &[O::Read, O::Write, O::Create, O::Delete, O::Alter, O::Describe, O::DescribeConfigs, O::AlterConfigs]
            }
            Self::Group => &[O::Read, O::Delete, O::Describe, O::DescribeConfigs, O::AlterConfigs],
            Self::Cluster => &[
                O::Create,
                O::Alter,
                O::Describe,
                O::ClusterAction,
                O::DescribeConfigs,
                O::AlterConfigs,
                O::IdempotentWrite,
            ],
            Self::TransactionalId => &[O::Write, O::Describe, O::TwoPhaseCommit],
            Self::DelegationToken => &[O::Describe],
            Self::User => &[O::CreateTokens, O::DescribeTokens],
        }
    }
}

/// What rules say of an access, as Kafka's authorizer judges those who are no super users.
pub fn verdict<'a>(bindings: impl IntoIterator<Item = &'a AclBinding>, access: Access<'_>) -> Verdict {
    let mut res = Verdict::Open;
    for it in bindings.into_iter().filter(|it| it.covers(access.resource_type, access.resource_name)) {
        match it.permission {
            Permission::Deny if it.concerns(access) && it.names(access.operation) => return Verdict::Denied,
            Permission::Allow if it.concerns(access) && it.implies(access.operation) => res = Verdict::Allowed,
            _ if res == Verdict::Open => res = Verdict::Denied,
            _ => {}
        }
    }
    res
}

impl AclBinding {
    /// The resource that it is written for: kind, pattern and name.
    pub fn resource(&self) -> (ResourceType, PatternType, &str) {
        (self.resource_type, self.pattern_type, &self.resource_name)
    }

    /// Whether it is about the resource of that name.
    pub fn covers(&self, resource_type: ResourceType, name: &str) -> bool {
        self.resource_type == resource_type
            && match self.pattern_type {
                PatternType::Literal => self.resource_name == name || self.resource_name == WILDCARD,
                PatternType::Prefixed => name.starts_with(&self.resource_name),
            }
    }

    /// Whether it names an operation, alone or among all.
    pub fn names(&self, operation: Operation) -> bool {
        self.operation == operation || self.operation == Operation::All
    }

    /// Whether the right that it gives holds that operation: who may read, write, delete or alter may describe, and who
    /// may alter the configuration may see it. What is forbidden forbids nothing else.
    pub fn implies(&self, operation: Operation) -> bool {
        use Operation as O;
        self.names(operation)
            || match operation {
                O::Describe => matches!(self.operation, O::Read | O::Write | O::Delete | O::Alter),
                O::DescribeConfigs => self.operation == O::AlterConfigs,
                _ => false,
            }
    }

    /// Whether it is about who wants something, from where.
    pub fn concerns(&self, access: Access<'_>) -> bool {
        let is_principal = self.principal == *access.principal || self.principal.is_everybody();
        is_principal && (self.host == WILDCARD || access.host == Some(self.host.as_str()))
    }
}

impl fmt::Display for AclBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource_type, pattern_type, resource_name, principal, host, operation, permission } = self;
        let (name, principal, host) = (escaped(resource_name), escaped(principal.as_str()), escaped(host));
        write!(f, "{resource_type}|{pattern_type}|{name}|{principal}|{host}|{operation}|{permission}")
    }
}

impl FromStr for AclBinding {
    type Err = AclError;

    fn from_str(text: &str) -> Result<Self, AclError> {
        let parts: Vec<&str> = text.split('|').collect();
        let [resource_type, pattern_type, name, principal, host, operation, permission] = parts[..] else {
            return Err(AclError::Parts(parts.len()));
        };
        Ok(Self {
            resource_type: resource_type.parse()?,
            pattern_type: pattern_type.parse()?,
            resource_name: given("the name of the resource", name)?,
            principal: unescaped(principal)?.parse()?,
            host: given("the host", host)?,
            operation: operation.parse()?,
            permission: permission.parse()?,
        })
    }
}

/// A part that may not be empty, as it was before it was written.
pub(super) fn given(what: &'static str, text: &str) -> Result<String, AclError> {
    match unescaped(text)? {
        it if it.is_empty() => Err(AclError::Empty(what)),
        it => Ok(it),
    }
}

/// A part as it is written.
pub(super) fn escaped(part: &str) -> String {
    part.replace('%', "%25").replace('|', "%7C")
}

/// A part as it was before it was written.
pub(super) fn unescaped(part: &str) -> Result<String, AclError> {
    let mut pieces = part.split('%');
    let mut res = pieces.next().unwrap_or_default().to_owned();
    for it in pieces {
        if let Some(rest) = it.strip_prefix("25") {
            res.push('%');
            res.push_str(rest);
        } else if let Some(rest) = it.strip_prefix("7C") {
            res.push('|');
            res.push_str(rest);
        } else if let Some(rest) = it.strip_prefix("3B") {
            res.push(';');
            res.push_str(rest);
        } else {
            return Err(AclError::Escape);
        }
    }
    Ok(res)
}

impl Principal {
    /// The user of that name: `User:<name>`.
    pub fn user(name: &str) -> Self {
        Self(format!("User:{name}"))
    }

    /// The principal as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for everybody.
    pub fn is_everybody(&self) -> bool {
        self.0 == "User:*"
    }

    /// Whether it is who calls where nobody is authenticated.
    pub fn is_anonymous(&self) -> bool {
        self.0 == "User:ANONYMOUS"
    }
}

impl FromStr for Principal {
    type Err = AclError;

    fn from_str(text: &str) -> Result<Self, AclError> {
        match text.split_once(':') {
            Some((kind, name)) if !kind.is_empty() && !name.is_empty() => Ok(Self(text.to_owned())),
            _ => Err(AclError::Principal(text.to_owned())),
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(text: &str) -> AclBinding {
        text.parse().unwrap()
    }

    #[test]
    fn rules_are_written_in_kafkas_words() {
        let text = "TOPIC|PREFIXED|billing.|User:billing|*|READ|ALLOW";
        let binding = binding(text);
        assert_eq!(binding.to_string(), text);
        assert_eq!((binding.pattern_type, binding.operation), (PatternType::Prefixed, Operation::Read));
        let check = |text: &str, expected: &str| {
            assert_eq!(text.parse::<AclBinding>().unwrap_err().to_string(), expected);
        };
        check("TOPIC|PREFIXED", "a rule has seven parts between `|`, not 2");
        check("TOPIC|MATCH|a|User:a|*|READ|ALLOW", "`MATCH` is none of `LITERAL`, `PREFIXED`");
        check("TOPIC|LITERAL||User:a|*|READ|ALLOW", "the name of the resource is empty");
        check("TOPIC|LITERAL|a|User:a||READ|ALLOW", "the host is empty");
        check("TOPIC|LITERAL|50%|User:a|*|READ|ALLOW", "`%` stands for itself as `%25` and for `|` as `%7C`");
        check(
            "TOPIC|LITERAL|a|billing|*|READ|ALLOW",
            "`billing` is no principal, which has a type and a name as in `User:billing`",
        );
    }

    #[test]
    fn every_rule_survives_being_written_and_read() {
        arbtest::arbtest(|u| {
            let text = |u: &mut arbtest::arbitrary::Unstructured<'_>| Ok(format!("x{}", u.arbitrary::<String>()?));
            let binding = AclBinding {
                resource_type: *u.choose(ResourceType::ALL)?,
                pattern_type: *u.choose(PatternType::ALL)?,
                resource_name: text(u)?,
                principal: Principal::user(&text(u)?),
                host: text(u)?,
                operation: *u.choose(Operation::ALL)?,
                permission: *u.choose(Permission::ALL)?,
            };
            assert_eq!(binding.to_string().parse(), Ok(binding));
            Ok(())
        });
    }

    #[test]
    fn rules_are_judged_as_the_authorizer_does() {
        use Operation as O;
        use Verdict::{Allowed, Denied, Open};
        let (billing, name) = (Principal::user("billing"), "billing.orders");
        let check = |rules: &[&str], operation, expected| {
            let rules: Vec<AclBinding> = rules.iter().map(|it| binding(it)).collect();
            let access = Access {
                principal: &billing,
                host: Some("10.0.0.1"),
                operation,
                resource_type: ResourceType::Topic,
                resource_name: name,
            };
            assert_eq!(verdict(&rules, access), expected, "{rules:?} {operation}");
        };
        let prefixed = "TOPIC|PREFIXED|billing.|User:billing|*|READ|ALLOW";
        check(&[], O::Read, Open);
        check(&["TOPIC|LITERAL|other|User:billing|*|READ|ALLOW"], O::Read, Open);
        check(&["GROUP|LITERAL|*|User:billing|*|READ|ALLOW"], O::Read, Open);
        check(&[prefixed], O::Read, Allowed);
        check(&[prefixed], O::Describe, Allowed);
        check(&[prefixed], O::Write, Denied);
        check(&["TOPIC|LITERAL|*|User:*|*|ALL|ALLOW"], O::AlterConfigs, Allowed);
        check(&["TOPIC|LITERAL|*|User:*|*|ALTER_CONFIGS|ALLOW"], O::DescribeConfigs, Allowed);
        check(&["TOPIC|LITERAL|billing.orders|User:shop|*|READ|ALLOW"], O::Read, Denied);
        check(&["TOPIC|LITERAL|billing.orders|User:billing|10.0.0.2|READ|ALLOW"], O::Read, Denied);
        check(&[prefixed, "TOPIC|LITERAL|*|User:*|10.0.0.1|READ|DENY"], O::Read, Denied);
        // Who must not read may describe all the same.
        check(&[prefixed, "TOPIC|LITERAL|*|User:*|*|READ|DENY"], O::Describe, Allowed);
        check(&[prefixed, "TOPIC|LITERAL|*|User:*|*|ALL|DENY"], O::Describe, Denied);
    }
}

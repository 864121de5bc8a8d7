//! What state an environment's cluster is in: whether the rules that hold there can be relied upon, and what to do where
//! they cannot.

mod services;

use std::collections::{BTreeMap, BTreeSet};

use crate::governance::{
    acl::{AclBinding, CLUSTER, Operation, Permission, Principal, ResourceType},
    environment::{Environment, EnvironmentSpec},
    policy::{AclMode, Enforcement},
    probe::Probed,
    record::Timestamp,
};
pub use services::{Seen, Service, ServiceKind};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What: one word, the same for the same thing.
    pub name: &'static str,
    /// How it is.
    pub status: ConditionStatus,
    /// What was seen, in a sentence.
    pub message: String,
    /// What to do, in a sentence; `None` where there is nothing to do.
    pub remedy: Option<String>,
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionStatus {
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// The cluster did not tell.
    Unknown,
}

impl ConditionStatus {
    /// The word that practitioners read.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Unknown => "unknown",
        }
    }
}

/// What was seen of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// How many brokers are up.
    pub brokers: usize,
    /// Whether they have an authorizer.
    pub authorizer: Told,
    /// Whether they follow its rules, as it was tried when the environment was declared or changed last.
    pub probed: Option<Probed>,
    /// Whether resources without a rule are everybody's (`allow.everyone.if.no.acl.found`).
    pub open: Told,
    /// Whether topics come to be when somebody asks for them (`auto.create.topics.enable`).
    pub auto_creation: Told,
    /// The rules of the authorizer, if the caller may see them.
    pub rules: Option<Vec<AclBinding>>,
    /// The topics of the journal.
    pub journal_topics: Vec<String>,
    /// The transactional id under which the journal is written.
    pub journal_lease: String,
    /// What is wrong with the journal, in sentences without an end.
    pub journal_problems: Vec<String>,
    /// The services that the provider's configuration leads to.
    pub services: Vec<Service>,
}

/// What brokers tell of a setting that is on or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Told {
    /// At least one has it on.
    On,
    /// All have it off.
    Off,
    /// It is set, and they do not tell to what.
    Hidden,
    /// They do not tell.
    #[default]
    Nothing,
}

/// Everything that an environment's cluster is looked at for.
pub fn conditions(spec: &EnvironmentSpec, sight: &Sight) -> Vec<Condition> {
    let mut res = vec![brokers(spec, sight), authorizer(spec, sight)];
    if spec.policy.enforcement == Enforcement::Acl && sight.authorizer != Told::Off {
        res.push(enforcement(sight.probed));
    }
    if sight.authorizer != Told::Off {
        res.push(open_mode(spec, sight));
    }
    res.push(auto_creation(sight));
    res.push(journal(sight));
    if spec.policy.enforcement == Enforcement::Acl && sight.authorizer != Told::Off {
        res.push(journal_access(spec, sight));
    }
    res.extend(ServiceKind::ALL.into_iter().filter_map(|it| services::of_kind(it, spec, sight)));
    res
}

/// Whether what is to be done is done in time: nothing expires but by somebody's doing. `None` where the policy does not
/// ask.
pub fn reconciliation(environment: &Environment, now: Timestamp) -> Option<Condition> {
    let within = environment.spec.policy.reconcile_within_seconds?;
    let message = |ago: i64| format!("what is to be done was last done {ago} seconds ago, and {within} are permitted");
    Some(match environment.overdue_seconds(now) {
        Some(ago) => bad(
            "reconciliation",
            message(ago),
            "Run `terraform-provider-kafka reconcile` on a schedule: until it runs, nothing expires.",
        ),
        None => good("reconciliation", format!("what is to be done was done within {within} seconds")),
    })
}

fn good(name: &'static str, message: impl Into<String>) -> Condition {
    Condition { name, status: ConditionStatus::Good, message: message.into(), remedy: None }
}

fn bad(name: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Condition {
    Condition { name, status: ConditionStatus::Bad, message: message.into(), remedy: Some(remedy.into()) }
}

fn unknown(name: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Condition {
    Condition { name, status: ConditionStatus::Unknown, message: message.into(), remedy: Some(remedy.into()) }
}

fn brokers(spec: &EnvironmentSpec, sight: &Sight) -> Condition {
    let copies = spec.policy.topics.replication_factor;
    let wanted = [copies.min, copies.default].into_iter().flatten().max().unwrap_or(1);
    let up = sight.brokers;
    if i64::try_from(up).is_ok_and(|it| it < wanted) {
        return bad(
            "brokers",
            format!("brokers that are up: {up}; topics must have {wanted} copies, each on a broker of its own"),
            "Start the other brokers, or lower `topics.replication_factor`.",
        );
    }
    good("brokers", format!("brokers that are up: {up}; copies that topics must have: {wanted}"))
}

fn authorizer(spec: &EnvironmentSpec, sight: &Sight) -> Condition {
    let by_acl = spec.policy.enforcement == Enforcement::Acl;
    match sight.authorizer {
        Told::On => good("authorizer", "the brokers have an authorizer"),
        Told::Off if by_acl => bad(
            "authorizer",
            "the brokers have no authorizer: everybody may do everything, and ownership holds in plans alone",
            "Set `authorizer.class.name` on the brokers, or say so with `enforcement = \"none\"`.",
        ),
        Told::Off => good("authorizer", "the brokers have no authorizer, as `enforcement` says"),
        Told::Hidden | Told::Nothing => unknown(
            "authorizer",
            "the brokers do not tell whether they have an authorizer",
            "Give the platform's principal DESCRIBE and DESCRIBE_CONFIGS on the cluster.",
        ),
    }
}

/// Whether rules are followed. Only what was tried counts.
pub fn enforcement(probed: Option<Probed>) -> Condition {
    let name = "enforcement";
    let again = "It is tried whenever `kafka_environment` is created or changed.";
    let elsewhere = "Find out what decides instead, such as IAM or roles of the platform that runs the cluster, and set \
                     `enforcement = \"external\"`, or `\"none\"`.";
    match probed {
        Some(Probed::Enforced) => good(name, "the brokers follow rules: one that was made to try did what it says"),
        Some(Probed::NotMade) => bad(name, "the cluster does not take rules, so that they enforce nothing", elsewhere),
        Some(Probed::NotShown) => bad(
            name,
            "the cluster took a rule and did not show it afterwards, so that rules enforce nothing",
            elsewhere,
        ),
        Some(Probed::Ignored) => bad(
            name,
            "the brokers do not follow rules: one that was made to try changed nothing of what its principal may do",
            elsewhere,
        ),
        Some(Probed::IgnoredPerhaps) => unknown(
            name,
            "a rule that was made to try changed nothing of what the caller may do: either it is a super user, or the \
             brokers do not follow rules",
            format!("Apply as a principal of the platform that is no super user, or name it in `super_users`. {again}"),
        ),
        Some(Probed::SuperUser) => unknown(
            name,
            "whether the brokers follow rules could not be tried, because the caller is a super user",
            format!("Apply as a principal of the platform that is no super user. {again}"),
        ),
        Some(Probed::Unnamed) => unknown(
            name,
            "whether the brokers follow rules could not be tried, because it is not known who the caller is",
            format!("Apply with SASL, as a principal of the platform that is no super user. {again}"),
        ),
        Some(Probed::NoRight) => unknown(
            name,
            "whether the brokers follow rules could not be tried, because the caller may not make any",
            format!("Give the platform's principal ALTER on the cluster. {again}"),
        ),
        Some(Probed::NoAnswer) => {
            unknown(name, "whether the brokers follow rules was tried, and they did not answer in time", again)
        }
        None => unknown(name, "whether the brokers follow rules was never tried", again),
    }
}

fn open_mode(spec: &EnvironmentSpec, sight: &Sight) -> Condition {
    let name = "acl_mode";
    match (sight.open, spec.policy.acl_mode) {
        (Told::On, AclMode::Closed) => bad(
            name,
            "resources without a rule are everybody's (`allow.everyone.if.no.acl.found`), and `acl_mode` is `closed`: the \
             first rule for a resource locks everybody else out, and removing the last one lets everybody in",
            "Set `allow.everyone.if.no.acl.found=false` on the brokers, or `acl_mode = \"closing\"` until then.",
        ),
        (Told::Off, AclMode::Open | AclMode::Closing) => bad(
            name,
            "resources without a rule are nobody's, and `acl_mode` says that they are everybody's",
            "Set `acl_mode = \"closed\"`.",
        ),
        (Told::On, _) => good(name, "resources without a rule are everybody's, as `acl_mode` says"),
        (Told::Off, _) => good(name, "resources without a rule are nobody's"),
        (Told::Hidden, _) => unknown(
            name,
            "`allow.everyone.if.no.acl.found` is set, and brokers do not tell to what",
            "Look it up in the brokers' own configuration, and set `acl_mode` accordingly.",
        ),
        (Told::Nothing, _) => unknown(
            name,
            "the brokers do not tell whether resources without a rule are everybody's",
            "Give the platform's principal DESCRIBE_CONFIGS on the cluster, or look up \
             `allow.everyone.if.no.acl.found`.",
        ),
    }
}

fn auto_creation(sight: &Sight) -> Condition {
    let name = "auto_creation";
    match sight.auto_creation {
        Told::Off => good(name, "topics do not come to be by being asked for"),
        Told::On => bad(
            name,
            "a client that asks for a topic creates it (`auto.create.topics.enable`), with no rule asked",
            "Set `auto.create.topics.enable=false` on all brokers.",
        ),
        Told::Hidden | Told::Nothing => unknown(
            name,
            "the brokers do not tell whether a client that asks for a topic creates it",
            "Give the platform's principal DESCRIBE_CONFIGS on the cluster.",
        ),
    }
}

fn journal(sight: &Sight) -> Condition {
    let problems = &sight.journal_problems;
    if problems.is_empty() {
        return good("journal", "the journal is as it has to be");
    }
    bad(
        "journal",
        format!("the journal is not as it has to be: {}", problems.join("; ")),
        "Find out who may alter its topics, and correct them.",
    )
}

fn journal_access(spec: &EnvironmentSpec, sight: &Sight) -> Condition {
    let name = "journal_access";
    let Some(rules) = &sight.rules else {
        return unknown(
            name,
            "the caller may not see who else may write the journal or alter the cluster",
            "Give the platform's principal DESCRIBE on the cluster.",
        );
    };
    let others = others(spec, sight, rules);
    if others.is_empty() {
        return good(name, "nobody but the platform may write the journal or alter the cluster");
    }
    let told = others.iter().map(|(principal, what)| format!("`{principal}` may {}", listed_plainly(what)));
    bad(
        name,
        format!("others than the platform may meddle: {}", told.collect::<Vec<_>>().join("; ")),
        "Remove their rules, or name them in `platform_principals`.",
    )
}

/// Who may do what to the journal and to the cluster, without being the platform.
fn others(spec: &EnvironmentSpec, sight: &Sight, rules: &[AclBinding]) -> BTreeMap<Principal, BTreeSet<String>> {
    let trusted = [&spec.cluster.platform_principals, &spec.cluster.super_users, &spec.cluster.broker_principals];
    let mut res: BTreeMap<Principal, BTreeSet<String>> = BTreeMap::new();
    let foreign = |it: &&AclBinding| {
        it.permission == Permission::Allow && !trusted.iter().any(|them| them.contains(&it.principal))
    };
    for rule in rules.iter().filter(foreign) {
        let mut note = |what: String| _ = res.entry(rule.principal.clone()).or_default().insert(what);
        for topic in sight.journal_topics.iter().filter(|it| rule.covers(ResourceType::Topic, it)) {
            for operation in [Operation::Write, Operation::Delete, Operation::Alter, Operation::AlterConfigs] {
                if rule.names(operation) {
                    note(format!("{operation} topic `{topic}`"));
                }
            }
        }
        if rule.covers(ResourceType::TransactionalId, &sight.journal_lease) && rule.names(Operation::Write) {
            note(format!("stop its writers with the transactional id `{}`", sight.journal_lease));
        }
        if rule.covers(ResourceType::Cluster, CLUSTER) {
            for operation in [Operation::Alter, Operation::AlterConfigs, Operation::ClusterAction] {
                if rule.names(operation) {
                    note(format!("{operation} the cluster"));
                }
            }
        }
    }
    res
}

fn listed_plainly(what: &BTreeSet<String>) -> String {
    what.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::governance::{environment::ClusterFacts, policy::Policy};

    pub(in crate::governance::condition) fn spec() -> EnvironmentSpec {
        EnvironmentSpec {
            name: "pre".parse().unwrap(),
            stage: None,
            hosting: None,
            labels: BTreeMap::new(),
            policy: Policy::default(),
            cluster: ClusterFacts {
                platform_principals: [Principal::user("platform")].into(),
                ..ClusterFacts::default()
            },
        }
    }

    pub(in crate::governance::condition) fn sight(rules: &[&str]) -> Sight {
        Sight {
            brokers: 3,
            authorizer: Told::On,
            probed: Some(Probed::Enforced),
            open: Told::Off,
            auto_creation: Told::Off,
            rules: Some(rules.iter().map(|it| it.parse().unwrap()).collect()),
            journal_topics: vec!["_selfserve".to_owned(), "_selfserve.state".to_owned()],
            journal_lease: "_selfserve.lease".to_owned(),
            journal_problems: Vec::new(),
            services: Vec::new(),
        }
    }

    fn told(spec: &EnvironmentSpec, sight: &Sight) -> Vec<(&'static str, &'static str)> {
        conditions(spec, sight).iter().map(|it| (it.name, it.status.word())).collect()
    }

    #[test]
    fn a_cluster_as_it_should_be_has_good_conditions_alone() {
        let rules = [
            "TOPIC|LITERAL|_selfserve|User:platform|*|ALL|ALLOW",
            "TOPIC|LITERAL|_selfserve.state|User:*|*|READ|ALLOW",
            "TOPIC|PREFIXED|billing.|User:billing|*|ALL|ALLOW",
            "TOPIC|LITERAL|*|User:*|*|WRITE|DENY",
        ];
        let all = ["brokers", "authorizer", "enforcement", "acl_mode", "auto_creation", "journal", "journal_access"];
        assert_eq!(told(&spec(), &sight(&rules)), all.map(|it| (it, "good")));
        assert!(conditions(&spec(), &sight(&rules)).iter().all(|it| it.remedy.is_none()));
    }

    #[test]
    fn each_thing_that_is_wrong_is_told_with_what_to_do() {
        let mut spec = spec();
        spec.policy.topics.replication_factor.min = Some(3);
        let sight = Sight {
            brokers: 2,
            authorizer: Told::On,
            open: Told::On,
            auto_creation: Told::On,
            journal_problems: vec!["x".to_owned()],
            ..sight(&[])
        };
        let bad = ["brokers", "acl_mode", "auto_creation", "journal"];
        let expected =
            ["brokers", "authorizer", "enforcement", "acl_mode", "auto_creation", "journal", "journal_access"];
        assert_eq!(told(&spec, &sight), expected.map(|it| (it, if bad.contains(&it) { "bad" } else { "good" })));
        let remedies = conditions(&spec, &sight).iter().filter(|it| it.remedy.is_some()).count();
        assert_eq!(remedies, bad.len());
    }

    /// Rule 17 of governance: what is not enforced is not called so.
    #[test]
    fn a_cluster_without_authorizer_is_bad_unless_it_is_said() {
        let mut spec = spec();
        let sight = Sight { authorizer: Told::Off, rules: None, ..sight(&[]) };
        assert_eq!(
            told(&spec, &sight),
            [("brokers", "good"), ("authorizer", "bad"), ("auto_creation", "good"), ("journal", "good")]
        );
        spec.policy.enforcement = Enforcement::None;
        assert_eq!(told(&spec, &sight)[1], ("authorizer", "good"));
    }

    /// Rule 17 of governance: enforcement is claimed after it was tried, and never before.
    #[test]
    fn whether_rules_are_followed_is_told_as_it_was_tried() {
        let check = |probed, expected| {
            let told = told(&spec(), &Sight { probed, ..sight(&[]) });
            assert_eq!(told[2], ("enforcement", expected), "{probed:?}");
            assert_eq!(enforcement(probed).remedy.is_none(), expected == "good", "{probed:?}");
        };
        check(None, "unknown");
        for it in Probed::ALL {
            check(
                Some(it),
                match it {
                    Probed::Enforced => "good",
                    Probed::NotMade | Probed::NotShown | Probed::Ignored => "bad",
                    _ => "unknown",
                },
            );
        }
        let mut elsewhere = spec();
        elsewhere.policy.enforcement = Enforcement::External;
        assert!(told(&elsewhere, &sight(&[])).iter().all(|(name, _)| *name != "enforcement"));
    }

    /// Rule 5 of governance: the mode in which the first rule for a resource locks everybody else out.
    #[test]
    fn the_mode_of_the_authorizer_is_held_against_what_is_declared() {
        let check = |open, declared, expected| {
            let mut spec = spec();
            spec.policy.acl_mode = declared;
            assert_eq!(told(&spec, &Sight { open, ..sight(&[]) })[3], ("acl_mode", expected), "{open:?} {declared:?}");
        };
        check(Told::Off, AclMode::Closed, "good");
        check(Told::On, AclMode::Closed, "bad");
        check(Told::On, AclMode::Closing, "good");
        check(Told::Off, AclMode::Open, "bad");
        check(Told::Hidden, AclMode::Closed, "unknown");
        check(Told::Nothing, AclMode::Open, "unknown");
    }

    /// Rules 11 and 14 of governance: who may write the journal, fence its writers or alter the cluster.
    #[test]
    fn who_may_meddle_is_named_with_what_they_may() {
        let found = |rules: &[&str]| conditions(&spec(), &sight(rules)).remove(6);
        let check = |rule: &str, expected: &str| {
            let it = found(&[rule]);
            assert_eq!(it.status, ConditionStatus::Bad, "{rule}");
            assert!(it.message.ends_with(expected), "{}", it.message);
        };
        check(
            "TOPIC|PREFIXED|_self|User:eve|*|ALTER|ALLOW",
            "`User:eve` may ALTER topic `_selfserve.state`, ALTER topic `_selfserve`",
        );
        check(
            "TRANSACTIONAL_ID|LITERAL|*|User:*|*|WRITE|ALLOW",
            "`User:*` may stop its writers with the transactional id `_selfserve.lease`",
        );
        check("CLUSTER|LITERAL|kafka-cluster|User:eve|*|ALTER|ALLOW", "`User:eve` may ALTER the cluster");
        check(
            "CLUSTER|LITERAL|kafka-cluster|User:eve|10.0.0.1|ALL|ALLOW",
            "ALTER the cluster, ALTER_CONFIGS the cluster, CLUSTER_ACTION the cluster",
        );
        assert_eq!(found(&["TOPIC|LITERAL|_selfserve|User:eve|*|READ|ALLOW"]).status, ConditionStatus::Good);
        let blind = Sight { rules: None, ..sight(&[]) };
        assert_eq!(told(&spec(), &blind)[6], ("journal_access", "unknown"));
    }
}

//! Everything that is known of an environment, put together from its entities.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::governance::{
    acl::{AclBinding, PatternType, Principal, ResourceType},
    application::{Application, ApplicationSpec, Status},
    binding::{BindingEntry, BindingStatus, Deed, Holder},
    capacity::Totals,
    changes::rejected,
    client_quota::{Quota, QuotaStatus, QuotaUser},
    entity::{Entity, FORM, form},
    environment::Environment,
    kind::Kind,
    mailbox::{Mailbox, MailboxOf},
    names::ApplicationName,
    owned_topic::OwnedTopic,
    policy::Policy,
    record::{Fold, Unreadable},
    request::{Request, RequestId},
    template::Template,
    topic::TopicName,
};

/// The key of the environment.
pub const ENVIRONMENT: &str = "environment";

/// All entities of an environment.
///
/// Their keys are `environment`, `application/<name>`, `topic/<name>`, `binding/<rule as text>`, `quota/<user>`,
/// `request/<id>`, `mailbox/<application>` and `inbox`.
/// Entities of other kinds, or in a newer form that does not read, are kept as they are.
#[derive(Clone, Debug, Default)]
pub struct State {
    environment: Option<Entity<Environment>>,
    applications: BTreeMap<ApplicationName, Entity<Application>>,
    topics: BTreeMap<TopicName, Entity<OwnedTopic>>,
    bindings: BTreeMap<AclBinding, Entity<BindingEntry>>,
    quotas: BTreeMap<QuotaUser, Entity<Quota>>,
    mailboxes: BTreeMap<MailboxOf, Entity<Mailbox>>,
    requests: BTreeMap<RequestId, Entity<Request>>,
    /// What only a newer release understands.
    newer: BTreeMap<String, Value>,
    /// Whose the names are that begin so.
    prefixes: BTreeMap<(Kind, String), ApplicationName>,
    templates: BTreeMap<Kind, Template>,
}

impl Fold for State {
    fn put(&mut self, key: &str, value: &Value) -> Result<(), Unreadable> {
        match self.understand(key, value) {
            Ok(true) => {
                self.newer.remove(key);
                Ok(())
            }
            Err(wrong) if form(value).is_none_or(|it| it <= FORM) => Err(wrong),
            Ok(false) | Err(_) => {
                self.newer.insert(key.to_owned(), value.clone());
                Ok(())
            }
        }
    }
}

/// The key of an application.
pub fn application_key(name: &ApplicationName) -> String {
    format!("application/{name}")
}

/// The key of a topic.
pub fn topic_key(name: &TopicName) -> String {
    format!("topic/{name}")
}

/// The key of a mailbox.
pub fn mailbox_key(of: &MailboxOf) -> String {
    match of {
        MailboxOf::Application(name) => format!("mailbox/{name}"),
        MailboxOf::Everybody => "inbox".to_owned(),
    }
}

/// The key of a rule.
pub fn binding_key(binding: &AclBinding) -> String {
    format!("binding/{binding}")
}

/// The key of a request.
pub fn request_key(id: &RequestId) -> String {
    format!("request/{id}")
}

/// The key of a quota.
pub fn quota_key(user: &QuotaUser) -> String {
    format!("quota/{user}")
}

fn named<T: std::str::FromStr>(key: &str, text: &str) -> Result<T, Unreadable>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| Unreadable { key: key.to_owned(), problem: error.to_string() })
}

impl State {
    /// Whether the entity is of a kind that this release knows.
    fn understand(&mut self, key: &str, value: &Value) -> Result<bool, Unreadable> {
        match key.split_once('/') {
            None if key == ENVIRONMENT => self.put_environment(Entity::read(key, value)?),
            Some(("application", name)) => self.put_application(named(key, name)?, Entity::read(key, value)?),
            None if key == "inbox" => {
                self.mailboxes.insert(MailboxOf::Everybody, Entity::read(key, value)?);
            }
            Some(("mailbox", name)) => {
                self.mailboxes.insert(MailboxOf::Application(named(key, name)?), Entity::read(key, value)?);
            }
            Some(("topic", name)) => {
                self.topics.insert(named(key, name)?, Entity::read(key, value)?);
            }
            Some(("binding", rule)) => {
                self.bindings.insert(named(key, rule)?, Entity::read(key, value)?);
            }
            Some(("quota", user)) => {
                self.quotas.insert(QuotaUser(user.to_owned()), Entity::read(key, value)?);
            }
            Some(("request", id)) => {
                self.requests.insert(named(key, id)?, Entity::read(key, value)?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn put_environment(&mut self, environment: Entity<Environment>) {
        let naming = &environment.it.spec.policy.naming;
        let templates = Kind::ALL.into_iter().filter_map(|kind| Some((kind, naming.template(kind)?.ok()?)));
        self.templates = templates.collect();
        self.environment = Some(environment);
    }

    fn put_application(&mut self, name: ApplicationName, application: Entity<Application>) {
        if let Some(before) = self.applications.get(&name) {
            for key in claims(&before.it) {
                // Who takes a prefix over may be read before who gives it.
                if self.prefixes.get(&key) == Some(&name) {
                    self.prefixes.remove(&key);
                }
            }
        }
        if application.it.status.holds_prefixes() {
            self.prefixes.extend(claims(&application.it).map(|it| (it, name.clone())));
        }
        self.applications.insert(name, application);
    }

    /// The environment, if there is one and it holds.
    pub fn environment(&self) -> Option<&Environment> {
        self.any_environment().filter(|it| it.deleted_at.is_none())
    }

    /// The environment, also one that ended.
    pub fn any_environment(&self) -> Option<&Environment> {
        self.environment.as_ref().map(|it| &it.it)
    }

    /// The rules of the environment.
    pub fn policy(&self) -> Option<&Policy> {
        self.environment().map(|it| &it.spec.policy)
    }

    /// The template for names of a kind.
    pub fn template(&self, kind: Kind) -> Option<&Template> {
        self.environment().and_then(|_| self.templates.get(&kind))
    }

    /// An application, also one that ended.
    pub fn application(&self, name: &ApplicationName) -> Option<&Application> {
        self.applications.get(name).map(|it| &it.it)
    }

    /// The state as it is once an application ended.
    pub fn after_end_of(&self, name: &ApplicationName) -> Self {
        let mut res = self.clone();
        if let Some(there) = self.application(name) {
            let ended = Application { status: Status::Deleted, ..there.clone() };
            res.put_application(name.clone(), Entity::new(ended));
        }
        res
    }

    /// All applications, also those that ended.
    pub fn applications(&self) -> impl Iterator<Item = &Application> {
        self.applications.values().map(|it| &it.it)
    }

    /// A topic, also one that is gone.
    pub fn topic(&self, name: &TopicName) -> Option<&OwnedTopic> {
        self.topics.get(name).map(|it| &it.it)
    }

    /// All topics, also those that are gone.
    pub fn topics(&self) -> impl Iterator<Item = (&TopicName, &OwnedTopic)> {
        self.topics.iter().map(|(name, it)| (name, &it.it))
    }

    /// A rule, also one that is gone.
    pub fn binding(&self, binding: &AclBinding) -> Option<&BindingEntry> {
        self.bindings.get(binding).map(|it| &it.it)
    }

    /// All rules, also those that are gone.
    pub fn bindings(&self) -> impl Iterator<Item = (&AclBinding, &BindingEntry)> {
        self.bindings.iter().map(|(binding, it)| (binding, &it.it))
    }

    /// A quota, also one that is gone.
    pub fn quota(&self, user: &QuotaUser) -> Option<&Quota> {
        self.quotas.get(user).map(|it| &it.it)
    }

    /// How far a mailbox was folded; `None` if it never was.
    pub fn mailbox(&self, of: &MailboxOf) -> Option<&Mailbox> {
        self.mailboxes.get(of).map(|it| &it.it)
    }

    pub(super) fn rewritten_mailbox(&self, of: &MailboxOf, it: &Mailbox) -> Value {
        rewritten(self.mailboxes.get(of), it)
    }

    /// All quotas, also those that are gone.
    pub fn quotas(&self) -> impl Iterator<Item = (&QuotaUser, &Quota)> {
        self.quotas.iter().map(|(user, it)| (user, &it.it))
    }

    /// A request, also one that ended.
    pub fn request(&self, id: &RequestId) -> Option<&Request> {
        self.requests.get(id).map(|it| &it.it)
    }

    /// All requests, also those that ended.
    pub fn requests(&self) -> impl Iterator<Item = (&RequestId, &Request)> {
        self.requests.iter().map(|(id, it)| (id, &it.it))
    }

    /// Keys of entities that only a newer release understands.
    pub fn newer(&self) -> impl Iterator<Item = &str> {
        self.newer.keys().map(String::as_str)
    }

    /// Whose a name is: the application with the longest prefix that it begins with.
    pub fn owner_of(&self, kind: Kind, name: &str) -> Option<&Application> {
        self.longest_prefix(kind, name).and_then(|(_, owner)| self.application(owner))
    }

    /// The longest prefix that a name begins with, and whose it is.
    pub fn longest_prefix(&self, kind: Kind, name: &str) -> Option<(&str, &ApplicationName)> {
        let mut name = name;
        loop {
            // What is before the name in order and is no beginning of it shares a beginning with it, and no prefix of the
            // name is longer than that.
            let until = (kind, name.to_owned());
            let ((_, found), owner) = self.prefixes.range((kind, String::new())..=until).next_back()?;
            if name.starts_with(found.as_str()) {
                return Some((found, owner));
            }
            name = common(name, found);
        }
    }

    /// The prefixes that overlap with one: it begins with them, or they with it.
    pub fn overlapping(&self, kind: Kind, prefix: &str) -> Vec<(&str, &ApplicationName)> {
        let wider = (0..prefix.len())
            .filter(|it| prefix.is_char_boundary(*it))
            .filter_map(|end| self.prefixes.get_key_value(&(kind, prefix[..end].to_owned())));
        let within = self
            .prefixes
            .range((kind, prefix.to_owned())..)
            .take_while(|((other, it), _)| *other == kind && it.starts_with(prefix));
        wider.chain(within).map(|((_, it), owner)| (it.as_str(), owner)).collect()
    }

    /// Whose the resource of a rule is: all that it covers is under a prefix of one application.
    pub fn owner_of_binding(&self, binding: &AclBinding) -> Option<&Application> {
        let kind = kind_of(binding.resource_type)?;
        let is_every = binding.pattern_type == PatternType::Literal && binding.resource_name == "*";
        if is_every { None } else { self.owner_of(kind, &binding.resource_name) }
    }

    /// The application that a principal belongs to.
    pub fn application_of(&self, principal: &Principal) -> Option<&Application> {
        let mut living = self.applications().filter(|it| it.status.holds_prefixes());
        living.find(|it| {
            // What was rejected is nobody's.
            let asked = it.amendment.iter().filter(|_| rejected(self, it).is_none());
            let asked = asked.flat_map(ApplicationSpec::all_principals);
            it.spec.all_principals().chain(asked).any(|it| it == principal)
        })
    }

    /// The topics of an application that are there.
    pub fn topics_of<'a>(&'a self, name: &'a ApplicationName) -> impl Iterator<Item = (&'a TopicName, &'a OwnedTopic)> {
        self.topics().filter(move |(_, it)| it.is_there() && it.application.as_ref() == Some(name))
    }

    /// What the topics of an application take together, without one of them.
    pub fn taken(&self, name: &ApplicationName, without: Option<&TopicName>) -> Totals {
        let counted = self.topics_of(name).filter(|(it, _)| Some(*it) != without);
        counted.fold(Totals::default(), |sum, (_, it)| sum.plus(it.totals()))
    }

    /// The rules that a holder needs.
    pub fn bindings_of<'a>(&'a self, holder: &'a Holder) -> impl Iterator<Item = (&'a AclBinding, &'a BindingEntry)> {
        self.bindings().filter(move |(_, it)| it.holders.contains(holder))
    }

    /// Of rules that the cluster was seen to have *after* this state was read, those that nobody here made. To take one that
    /// is made or removed at the moment for another's would leave it there for ever.
    pub fn strangers(&self, on_cluster: &BTreeSet<AclBinding>) -> BTreeSet<AclBinding> {
        let is_strange = |it: &&AclBinding| self.binding(it).is_none_or(|it| it.status == BindingStatus::Removed);
        on_cluster.iter().filter(is_strange).cloned().collect()
    }

    /// What there is to do on the cluster, in order: what is to be made before what is to be removed.
    pub fn deeds(&self) -> Vec<(Deed, &AclBinding)> {
        let mut res: Vec<_> = self.bindings().filter_map(|(binding, it)| Some((it.deed()?, binding))).collect();
        res.sort();
        res
    }

    /// The quotas that are to be set (`true`) or removed.
    pub fn quota_deeds(&self) -> Vec<(&QuotaUser, &Quota, bool)> {
        let open = self.quotas().filter_map(|(user, it)| match it.status {
            QuotaStatus::Wanted => Some((user, it, true)),
            QuotaStatus::Removing => Some((user, it, false)),
            QuotaStatus::Present | QuotaStatus::Removed => None,
        });
        open.collect()
    }

    /// The environment in its new state, as it is written: what a newer release put there is kept.
    pub fn rewritten_environment(&self, it: &Environment) -> Value {
        rewritten(self.environment.as_ref(), it)
    }

    /// An application in its new state, as it is written: what a newer release put there is kept.
    pub fn rewritten_application(&self, it: &Application) -> Value {
        rewritten(self.applications.get(&it.spec.name), it)
    }

    /// A topic in its new state, as it is written: what a newer release put there is kept.
    pub fn rewritten_topic(&self, name: &TopicName, it: &OwnedTopic) -> Value {
        rewritten(self.topics.get(name), it)
    }

    /// A rule in its new state, as it is written: what a newer release put there is kept.
    pub fn rewritten_binding(&self, binding: &AclBinding, it: &BindingEntry) -> Value {
        rewritten(self.bindings.get(binding), it)
    }

    /// A request in its new state, as it is written: what a newer release put there is kept.
    pub fn rewritten_request(&self, id: &RequestId, it: &Request) -> Value {
        rewritten(self.requests.get(id), it)
    }

    /// A quota in its new state, as it is written: what a newer release put there is kept.
    pub fn rewritten_quota(&self, user: &QuotaUser, it: &Quota) -> Value {
        rewritten(self.quotas.get(user), it)
    }
}

fn rewritten<T: Serialize + DeserializeOwned>(before: Option<&Entity<T>>, it: &T) -> Value {
    match before {
        Some(before) => before.rewritten(it),
        None => crate::governance::entity::known(it),
    }
}

/// The kind whose names a rule is about.
pub fn kind_of(resource_type: ResourceType) -> Option<Kind> {
    match resource_type {
        ResourceType::Topic => Some(Kind::Topic),
        ResourceType::Group => Some(Kind::Group),
        ResourceType::TransactionalId => Some(Kind::TransactionalId),
        ResourceType::Cluster | ResourceType::DelegationToken | ResourceType::User => None,
    }
}

fn claims(application: &Application) -> impl Iterator<Item = (Kind, String)> {
    let prefixes = application.spec.prefixes.iter();
    prefixes.flat_map(|(kind, prefixes)| prefixes.iter().map(|it| (*kind, it.clone())))
}

/// What two texts begin with.
fn common<'a>(a: &'a str, b: &str) -> &'a str {
    let same = a.char_indices().zip(b.chars()).find(|((_, a), b)| a != b);
    match same {
        Some(((at, _), _)) => &a[..at],
        None => &a[..a.len().min(b.len())],
    }
}

#[cfg(test)]
mod tests;

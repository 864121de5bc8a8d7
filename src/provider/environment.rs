//! The environments of a provider block, each with its client.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::OnceCell;

use super::{
    governance::{Acting, Read},
    rules::Rules,
    settings::listed,
};
use crate::{
    clients::{
        connect::Connect,
        journal::Journal,
        kafka::{Kafka, KafkaError},
        registry::SchemaRegistry,
        rest::{Services, Webhook},
        sight::look,
    },
    framework::{Diagnostic, Failure},
    governance::{
        acl::Principal, application::ApplicationSpec, check_topic::Promised, condition::Sight, names::ApplicationName,
        state::State,
    },
};

/// How long services beside a cluster are waited for, which are looked at and no more.
const PATIENCE: Duration = Duration::from_secs(10);

/// What every resource is given: the clusters, and what this process did to them. A new one is made each time the
/// provider is configured, so that nothing that was read for one walk serves another.
#[derive(Debug)]
pub struct Context {
    /// The environments by name, or the attribute that is not known yet.
    pub(super) environments: Result<BTreeMap<String, Arc<Environment>>, String>,
    /// The environment of resources that name none, or the attribute that is not known yet.
    pub(super) default: Result<Option<String>, String>,
}

/// One environment: a Kafka cluster under a name that is local to the configuration.
pub struct Environment {
    /// Its name.
    pub name: String,
    /// The client, or the attribute that is not known yet.
    kafka: Result<Arc<dyn Kafka>, String>,
    cluster_id: OnceCell<String>,
    notes: Arc<Notes>,
    /// The principal that the brokers know the caller by, where the provider block tells.
    pub(super) principal: Option<Principal>,
    pub(super) acting: Arc<Acting>,
    pub(super) journal: OnceLock<Journal<State>>,
    pub(super) read: tokio::sync::Mutex<Option<Read>>,
    /// What there is beside the brokers.
    services: Services,
    /// The attribute that says where that is, and that is not known yet.
    services_unknown: Option<String>,
    /// Who is told of requests that reach an end.
    pub(super) notices: Option<Arc<Webhook>>,
    /// When the cluster did not say what governs it.
    pub(super) silent: Mutex<Option<(Instant, KafkaError)>>,
    /// What this process has to do with the authorizer's rules.
    pub rules: Rules,
}

/// What applications of one plan claim, each with whether it gives something to another or takes something.
pub type Claimed = BTreeMap<ApplicationName, (ApplicationSpec, bool)>;

/// What the plans of this configuration have and what this process made, for all environments: two of them may lead to
/// one cluster.
#[derive(Debug, Default)]
pub(super) struct Notes {
    planned: Mutex<BTreeSet<String>>,
    made: Mutex<BTreeSet<String>>,
    /// What topics take by the plans, by the journal that governs them.
    promised: Mutex<BTreeMap<String, Promised>>,
    /// What applications claim by the plans, by the journal that governs them.
    claimed: Mutex<BTreeMap<String, Claimed>>,
}

impl Context {
    /// A context of these environments.
    pub fn new(environments: impl IntoIterator<Item = Environment>, default: Option<String>) -> Self {
        let notes = Arc::default();
        let noting = |it: Environment| (it.name.clone(), Arc::new(it.noting(&notes)));
        let environments = environments.into_iter().map(noting).collect();
        Self { environments: Ok(environments), default: Ok(default) }
    }

    /// A context of which nothing is known before apply; says what that depends on.
    pub fn unknown(what: String) -> Self {
        Self { environments: Err(what.clone()), default: Err(what) }
    }

    /// The environment of that name, or the default one.
    pub fn environment(&self, name: Option<&str>) -> Result<&Arc<Environment>, Failure> {
        let Some(name) = name else { return self.default_environment() };
        let environments = self.all()?;
        environments.get(name).ok_or_else(|| {
            Diagnostic::error(
                "Unknown environment",
                format!(
                    "The provider block has no environment `{name}`, only {}.\n\nCorrect the name, or add the \
                     environment to the provider block.",
                    listed(environments.keys())
                ),
            )
            .at("environment")
            .into()
        })
    }

    /// The environment in which an object was made: the one of that name, or another one with that very cluster where
    /// the name was changed.
    pub async fn environment_of(
        &self,
        name: Option<&str>,
        cluster_id: Option<&str>,
        deadline: Instant,
    ) -> Result<&Arc<Environment>, Failure> {
        let named = self.environment(name);
        let (Err(Failure::Told(_)), Some(cluster_id)) = (&named, cluster_id) else { return named };
        match self.with_cluster(cluster_id, deadline).await? {
            Some(environment) => Ok(environment),
            None => named,
        }
    }

    /// The environment whose cluster has that id.
    pub async fn with_cluster(
        &self,
        cluster_id: &str,
        deadline: Instant,
    ) -> Result<Option<&Arc<Environment>>, Failure> {
        let mut failure = None;
        for environment in self.all()?.values() {
            match environment.cluster_id(deadline).await {
                Ok(it) if it == cluster_id => return Ok(Some(environment)),
                Ok(_) => {}
                // Another one may be the right one; if none is, this one may have been.
                Err(Failure::Told(mut wrong)) => {
                    for it in &mut wrong.0 {
                        it.detail = format!(
                            "None of the environments that answer leads to the cluster `{cluster_id}`, and `{}` cannot \
                             be asked.\n\n{}",
                            environment.name, it.detail
                        );
                    }
                    failure = failure.or(Some(wrong.into()));
                }
                Err(it) => failure = failure.or(Some(it)),
            }
        }
        failure.map_or(Ok(None), Err)
    }

    /// All environments, in the order of their names.
    pub fn environments(&self) -> Result<impl Iterator<Item = &Arc<Environment>>, Failure> {
        Ok(self.all()?.values())
    }

    fn all(&self) -> Result<&BTreeMap<String, Arc<Environment>>, Failure> {
        self.environments.as_ref().map_err(|what| Failure::Unconfigured(what.clone()))
    }

    fn default_environment(&self) -> Result<&Arc<Environment>, Failure> {
        let environments = self.all()?;
        let default = self.default.as_ref().map_err(|what| Failure::Unconfigured(what.clone()))?;
        let found = match default {
            Some(name) => return self.environment(Some(name)),
            None if environments.len() == 1 => environments.values().next(),
            None => None,
        };
        found.ok_or_else(|| {
            let detail = if environments.is_empty() {
                "The provider block has no environment.\n\nAdd `environments = { … }` to it, or set \
                 `KAFKA_BOOTSTRAP_SERVERS`."
                    .to_owned()
            } else {
                format!(
                    "Several environments are configured, {}, and none is named here.\n\nSet `environment`, or \
                     `default_environment` in the provider block.",
                    listed(environments.keys())
                )
            };
            Diagnostic::error("No environment", detail).at("environment").into()
        })
    }
}

impl Environment {
    /// An environment with a client.
    pub fn new(name: impl Into<String>, kafka: Arc<dyn Kafka>) -> Self {
        Self::with(name.into(), Ok(kafka))
    }

    pub(super) fn with(name: String, kafka: Result<Arc<dyn Kafka>, String>) -> Self {
        Self {
            name,
            kafka,
            cluster_id: OnceCell::new(),
            notes: Arc::default(),
            principal: None,
            acting: Arc::default(),
            journal: OnceLock::new(),
            read: tokio::sync::Mutex::default(),
            services: Services::default(),
            services_unknown: None,
            notices: None,
            silent: Mutex::default(),
            rules: Rules::default(),
        }
    }

    /// The environment, for somebody who acts: as a principal, if that is known.
    pub fn acting(self, acting: Arc<Acting>, principal: Option<Principal>) -> Self {
        Self { principal, acting, ..self }
    }

    /// The environment, with what there is beside its brokers.
    pub fn beside(self, services: Services) -> Self {
        Self { services, ..self }
    }

    /// The environment, of which is not known yet what there is beside its brokers.
    pub(super) fn beside_unknown(self, what: String) -> Self {
        Self { services_unknown: Some(what), ..self }
    }

    /// The environment, telling somebody else of requests that reach an end.
    pub fn telling(self, notices: Option<Arc<Webhook>>) -> Self {
        Self { notices, ..self }
    }

    /// What the cluster and what there is beside it look like.
    pub async fn look(&self, deadline: Instant) -> Result<Sight, Failure> {
        let sight = look(self.kafka()?, self.journal()?, deadline).await?;
        let patience = deadline.min(Instant::now() + PATIENCE);
        let services = self.services.look(self.cluster_id(deadline).await?, patience).await;
        Ok(Sight { services, ..sight })
    }

    /// The cluster.
    pub fn kafka(&self) -> Result<&dyn Kafka, Failure> {
        self.kafka.as_deref().map_err(|what| Failure::Unconfigured(what.clone()))
    }

    /// The Connect clusters, by their names.
    pub(super) fn connects(&self) -> Result<&BTreeMap<String, Connect>, Failure> {
        match &self.services_unknown {
            Some(what) => Err(Failure::Unconfigured(what.clone())),
            None => Ok(&self.services.connect),
        }
    }

    /// The schema registry.
    pub fn registry(&self) -> Result<&SchemaRegistry, Failure> {
        if let Some(what) = &self.services_unknown {
            return Err(Failure::Unconfigured(what.clone()));
        }
        self.services.schema_registry.as_deref().ok_or_else(|| {
            let name = &self.name;
            let detail = format!(
                "The environment `{name}` has no schema registry.\n\nAdd `schema_registry = {{ url = \"…\" }}` to it in the \
                 provider block."
            );
            Diagnostic::error("No schema registry", detail).at("environment").into()
        })
    }

    /// The schema registry, to be kept; `None` where there is none, or it is not known yet.
    pub(super) fn shared_registry(&self) -> Option<Arc<SchemaRegistry>> {
        self.services.schema_registry.clone()
    }

    /// The cluster, to be kept.
    pub fn shared_kafka(&self) -> Result<Arc<dyn Kafka>, Failure> {
        self.kafka.clone().map_err(Failure::Unconfigured)
    }

    /// The id of the cluster, which is asked for once.
    pub async fn cluster_id(&self, deadline: Instant) -> Result<&str, Failure> {
        let ask = async || Ok::<_, Failure>(self.kafka()?.cluster(deadline).await?.id);
        Ok(self.cluster_id.get_or_try_init(ask).await?)
    }

    /// The environment, taking notes together with the others.
    pub(super) fn noting(self, notes: &Arc<Notes>) -> Self {
        Self { notes: notes.clone(), ..self }
    }

    /// Notes that a plan has an object, told by its kind and name; `false` if another plan has it already, in this
    /// environment or, as far as the ids of the clusters are known, in another one of the same cluster.
    pub fn plan_once(&self, object: &str) -> bool {
        self.plan_once_in(self.cluster_id.get().map(String::as_str), object)
    }

    /// The same, where the id of the cluster is known from elsewhere, such as a state.
    pub fn plan_once_in(&self, cluster_id: Option<&str>, object: &str) -> bool {
        let mut planned = lock(&self.notes.planned);
        let is_first = !self.places(cluster_id, object).any(|it| planned.contains(&it));
        planned.extend(self.places(cluster_id, object));
        is_first
    }

    /// Whether a plan of this configuration has such an object in this environment.
    pub fn has_planned(&self, is_wanted: impl Fn(&str) -> bool) -> bool {
        let place = self.places(None, "").next().unwrap_or_default();
        lock(&self.notes.planned).iter().filter_map(|it| it.strip_prefix(&place)).any(is_wanted)
    }

    /// What the plans of this configuration promised to topics that a journal governs.
    pub fn with_promised<T>(&self, journal: &str, work: impl FnOnce(&mut Promised) -> T) -> T {
        let mut all = self.notes.promised.lock().unwrap_or_else(PoisonError::into_inner);
        work(all.entry(journal.to_owned()).or_default())
    }

    /// What the plans of this configuration claim for applications that a journal governs.
    pub fn with_claimed<T>(&self, journal: &str, work: impl FnOnce(&mut Claimed) -> T) -> T {
        let mut all = self.notes.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        work(all.entry(journal.to_owned()).or_default())
    }

    /// Notes that this process made an object.
    pub fn note_made(&self, object: &str) {
        lock(&self.notes.made).extend(self.places(self.cluster_id.get().map(String::as_str), object));
    }

    /// Whether this process made anything: it applies a plan then, and core plans each object once more just before.
    pub fn has_made_anything(&self) -> bool {
        !lock(&self.notes.made).is_empty()
    }

    /// Whether this process made an object, in whichever environment of the cluster.
    pub fn has_made(&self, object: &str) -> bool {
        let made = lock(&self.notes.made);
        self.places(self.cluster_id.get().map(String::as_str), object).any(|it| made.contains(&it))
    }

    /// What an object is noted under: an environment's name tells one cluster, and the cluster's id all its names.
    fn places<'a>(&'a self, cluster_id: Option<&'a str>, object: &'a str) -> impl Iterator<Item = String> + 'a {
        let by_id = cluster_id.map(|it| format!("cluster {it}: {object}"));
        [format!("environment {}: {object}", self.name)].into_iter().chain(by_id)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A set is whole between any two inserts, so one that another thread left in a panic is still good.
fn lock(set: &Mutex<BTreeSet<String>>) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clients::{kafka::KafkaError, memory::MemoryCluster};

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test]
    async fn a_cluster_is_found_behind_another_that_is_dead() {
        let (dead, alive) = (Arc::new(MemoryCluster::new(1)), Arc::new(MemoryCluster::new(2)));
        let environments = [Environment::new("a", dead.clone()), Environment::new("b", alive)];
        let ctx = Context::new(environments, None);
        dead.fail_next(KafkaError::Deadline("asking".to_owned()));
        let found = ctx.with_cluster("memory-2", soon()).await.unwrap();
        assert_eq!(found.map(|it| it.name.as_str()), Some("b"));
        // The dead one may be the one that is looked for, so that nothing is concluded.
        dead.fail_next(KafkaError::Deadline("asking".to_owned()));
        let Err(Failure::Told(wrong)) = ctx.with_cluster("memory-3", soon()).await else { unreachable!("it is told") };
        let both = "None of the environments that answer leads to the cluster `memory-3`, and `a` cannot be asked.";
        assert!(wrong.0[0].detail.starts_with(both), "{wrong:?}");
        assert!(ctx.with_cluster("memory-3", soon()).await.unwrap().is_none());
    }
}

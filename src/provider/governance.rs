//! Who acts through the provider, and what governs the cluster of an environment.

use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use super::Environment;
use crate::{
    clients::{
        governed::{Caller, Governed, GovernedError},
        journal::{Claims, Journal, JournalError, Snapshot},
        kafka::KafkaError,
    },
    framework::{Diagnostic, Diagnostics, Failure},
    governance::{acl::Principal, names::ApplicationName, state::State, violation::Refusal},
};

/// How long a plan is judged by what was read before. What is done is decided on what is newest, whatever a plan saw.
const MAX_AGE: Duration = Duration::from_secs(30);

/// How long a plan waits for a cluster that it can do without.
const PATIENCE: Duration = Duration::from_secs(15);

/// Who acts, as the process says that started the provider. No configuration can say it: whoever writes the one may not
/// choose the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acting {
    /// The application for whose team this runs (`KAFKA_ACTING_APPLICATION`).
    pub application: Option<ApplicationName>,
    /// Who that is, as CI claims (`KAFKA_ACTOR`).
    pub actor: Option<String>,
    /// The change that is applied, as CI claims (`KAFKA_CHANGE_URL`).
    pub change_url: Option<String>,
}

/// What governs a cluster, at a moment.
#[derive(Clone, Debug)]
pub struct Governance {
    /// The cluster with its journal, and who works there.
    pub governed: Governed,
    /// What the journal says. It has an environment that did not end.
    pub snapshot: Arc<Snapshot<State>>,
}

/// What governs a cluster, as far as it could be asked.
#[derive(Clone, Debug)]
pub enum Governing {
    /// The rules of a journal.
    Journal(Governance),
    /// Nothing: nobody declared an environment.
    Nothing,
    /// Nobody knows: the cluster did not answer, or does not let the caller read the journal.
    Untold(KafkaError),
}

/// Why it is not known what governs a cluster.
enum Unread {
    /// The provider's configuration does not lead to it yet.
    Unconfigured(Failure),
    /// The journal, or the cluster.
    Journal(JournalError),
}

impl From<Failure> for Unread {
    fn from(it: Failure) -> Self {
        Self::Unconfigured(it)
    }
}

impl From<JournalError> for Unread {
    fn from(it: JournalError) -> Self {
        Self::Journal(it)
    }
}

impl From<GovernedError> for Unread {
    fn from(it: GovernedError) -> Self {
        match it {
            GovernedError::Journal(it) => Self::Journal(it),
            GovernedError::Kafka(it) => Self::Journal(it.into()),
            it @ (GovernedError::Refused(_) | GovernedError::Rules(_)) => Self::Unconfigured(it.into()),
        }
    }
}

impl From<Unread> for Failure {
    fn from(it: Unread) -> Self {
        match it {
            Unread::Unconfigured(it) => it,
            Unread::Journal(it) => it.into(),
        }
    }
}

/// What was read of a journal last.
#[derive(Debug)]
pub(super) struct Read {
    at: Instant,
    found: Found,
}

/// What a look for a journal found.
#[derive(Clone, Debug)]
enum Found {
    /// The journal.
    There(Arc<Snapshot<State>>),
    /// That there is none.
    Absent,
    /// That the caller may not see whether there is one.
    Hidden(KafkaError),
}

impl Acting {
    pub(super) fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Diagnostics> {
        let application = variable("KAFKA_ACTING_APPLICATION").map(|it| it.parse()).transpose();
        let application = application.map_err(|error| {
            let detail = format!("`KAFKA_ACTING_APPLICATION` cannot be used: {error}.");
            Diagnostic::error("Invalid environment variable", detail)
        })?;
        Ok(Self { application, actor: variable("KAFKA_ACTOR"), change_url: variable("KAFKA_CHANGE_URL") })
    }
}

impl Environment {
    /// What governs the cluster, for a plan: as it was at most 30 s ago. `None` where nobody declared an environment, and
    /// where the caller may not describe the journal, which Kafka does not tell from its absence. A journal that is not what
    /// it was, or that belongs to another cluster, is an error; so is the absence of an environment to one who acts for an
    /// application, which exists nowhere else.
    pub async fn governance(&self, deadline: Instant) -> Result<Option<Governance>, Failure> {
        Ok(self.expected_since(Instant::now().checked_sub(MAX_AGE), deadline).await?)
    }

    /// The same, where a plan is made whether the cluster can be asked or not: no answer within a while leaves open what
    /// governs it. A silence is remembered for as long as an answer, so that many objects do not wait for the same one.
    pub async fn governance_if_told(&self, deadline: Instant) -> Result<Governing, Failure> {
        let deadline = deadline.min(Instant::now() + PATIENCE);
        let silent = || self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        let last = silent().clone();
        if let Some((_, error)) = last.filter(|(since, _)| since.elapsed() < MAX_AGE) {
            return Ok(Governing::Untold(error));
        }
        match self.expected_since(Instant::now().checked_sub(MAX_AGE), deadline).await {
            Ok(governance) => Ok(governance.map_or(Governing::Nothing, Governing::Journal)),
            Err(Unread::Journal(JournalError::Kafka(error))) => {
                *silent() = Some((Instant::now(), error.clone()));
                Ok(Governing::Untold(error))
            }
            Err(other) => Err(other.into()),
        }
    }

    /// What governs the cluster, asked anew. Nothing is an answer to whoever acts, since it is for those who look for
    /// environments.
    pub async fn governance_now(&self, deadline: Instant) -> Result<Option<Governance>, Failure> {
        Ok(self.read_since(Some(Instant::now()), deadline).await?)
    }

    /// Why the caller may not see whether anything governs the cluster, if that is what the last look found. What Kafka
    /// guards, it guards against the same caller; what it does not guard is nobody's to change before that is known.
    pub async fn hidden(&self) -> Option<KafkaError> {
        match self.read.lock().await.as_ref().map(|it| &it.found) {
            Some(Found::Hidden(error)) => Some(error.clone()),
            Some(Found::There(_) | Found::Absent) | None => None,
        }
    }

    /// The journal of the cluster, whether there is one or not.
    pub fn journal(&self) -> Result<&Journal<State>, Failure> {
        let kafka = self.shared_kafka()?;
        Ok(self.journal.get_or_init(|| Journal::open(kafka)))
    }

    /// The cluster with its journal, whether there is one or not, and who works there.
    pub fn governed(&self) -> Result<Governed, Failure> {
        let governed = Governed::new(self.shared_kafka()?, self.journal()?.clone(), self.caller());
        Ok(governed.telling(self.notices.clone()).beside(self.shared_registry()))
    }

    fn caller(&self) -> Caller {
        let Acting { application, actor, change_url } = self.acting.as_ref().clone();
        Caller { principal: self.principal.clone(), acting: application, claimed: actor, change_url }
    }

    /// The principal that the brokers know the caller by, where the provider block tells.
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
    }

    /// Who writes, for the journal's own record.
    pub fn claims(&self) -> Claims {
        self.caller().claims()
    }

    /// Has the journal read anew before the next question, after it was written to.
    pub async fn forget_governance(&self) {
        *self.read.lock().await = None;
    }

    async fn expected_since(
        &self,
        not_before: Option<Instant>,
        deadline: Instant,
    ) -> Result<Option<Governance>, Unread> {
        let governance = self.read_since(not_before, deadline).await?;
        match &self.acting.application {
            Some(application) if governance.is_none() => Err(self.ungoverned(application).into()),
            _ => Ok(governance),
        }
    }

    /// Who acts for an application counts on rules, so that their absence is no leave to do everything.
    fn ungoverned(&self, application: &ApplicationName) -> Failure {
        let detail = format!(
            "No environment is declared on the cluster of `{}`, and you act as the application `{application}` \
             (`KAFKA_ACTING_APPLICATION`), so that nothing is planned or changed.\n\nIf there was an environment, its journal \
             was deleted, or the platform ended the environment: a journal is restored from a backup with \
             `terraform-provider-kafka journal import`. If there never was one, check which cluster `bootstrap_servers` \
             leads to, have the platform declare a `kafka_environment`, or unset `KAFKA_ACTING_APPLICATION`.",
            self.name
        );
        Diagnostic::error("No environment to act in", detail).into()
    }

    async fn read_since(&self, not_before: Option<Instant>, deadline: Instant) -> Result<Option<Governance>, Unread> {
        let governed = self.governed()?;
        let mut read = self.read.lock().await;
        let fresh = read.as_ref().filter(|it| not_before.is_none_or(|time| time <= it.at));
        let found = if let Some(it) = fresh {
            it.found.clone()
        } else {
            let at = Instant::now();
            let found = match self.read_journal(governed.journal(), deadline).await? {
                Found::There(it) => Found::There(governed.with_filed(it, deadline).await?),
                other => other,
            };
            *read = Some(Read { at, found: found.clone() });
            found
        };
        drop(read);
        let snapshot = match found {
            Found::There(it) => Some(it).filter(|it| it.state.environment().is_some()),
            Found::Absent | Found::Hidden(_) => None,
        };
        let refused = snapshot.as_ref().and_then(|it| governed.caller().contradiction(&it.state));
        if let Some(refused) = refused {
            return Err(Failure::from(Refusal::from(refused)).into());
        }
        Ok(snapshot.map(|snapshot| Governance { governed, snapshot }))
    }

    async fn read_journal(&self, journal: &Journal<State>, deadline: Instant) -> Result<Found, JournalError> {
        match journal.snapshot(deadline).await {
            Ok(snapshot) => {
                journal.owner(&snapshot, deadline).await?;
                Ok(Found::There(snapshot))
            }
            Err(JournalError::Absent(_)) => Ok(Found::Absent),
            // Who may see the journal and not read it knows that there are rules, and who acts for an application counts
            // on them.
            Err(JournalError::Kafka(error @ KafkaError::Denied { operation: "DESCRIBE", .. }))
                if self.acting.application.is_none() =>
            {
                Ok(Found::Hidden(error))
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::{
        clients::{kafka::Kafka, memory::MemoryCluster},
        governance::{
            application::ApplicationSpec,
            command::{ApplicationRequest, Command},
            record::Event,
            state::ENVIRONMENT,
        },
    };

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    fn on(cluster: &Arc<MemoryCluster>) -> Environment {
        let kafka: Arc<dyn Kafka> = cluster.clone();
        let acting = Acting { actor: Some("ann".to_owned()), ..Acting::default() };
        Environment::new("dev", kafka).acting(Arc::new(acting), Some(Principal::user("platform")))
    }

    async fn declare(environment: &Environment) {
        let spec = json!({"name": "pre"});
        let entity = json!({"form": 1, "spec": spec, "created_at": 1});
        let event = Event {
            kind: "environment.declared".to_owned(),
            entities: BTreeMap::from([(ENVIRONMENT.to_owned(), entity)]),
            ..Event::default()
        };
        let decide = move |_: &State, _| Ok::<_, ()>(vec![event.clone()]);
        environment.journal().unwrap().append(environment.claims(), soon(), decide).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_cluster_is_governed_from_its_declaration_on() {
        let cluster = Arc::new(MemoryCluster::new(1));
        let environment = on(&cluster);
        assert!(environment.governance(soon()).await.unwrap().is_none());
        environment.journal().unwrap().create(environment.claims(), soon()).await.unwrap();
        assert!(environment.governance_now(soon()).await.unwrap().is_none(), "a journal alone governs nothing");
        declare(&environment).await;
        assert!(environment.governance(soon()).await.unwrap().is_none(), "plans are judged by what was read before");
        environment.forget_governance().await;
        let governance = environment.governance(soon()).await.unwrap().unwrap();
        let declared = governance.snapshot.state.environment().unwrap();
        assert_eq!(declared.spec.name.as_str(), "pre");
        assert_eq!(environment.claims().principal.as_deref(), Some("User:platform"));
        assert_eq!(environment.claims().actor.as_deref(), Some("ann"));
    }

    #[tokio::test]
    async fn a_plan_of_many_objects_reads_the_journal_once() {
        let cluster = Arc::new(MemoryCluster::new(1));
        let environment = on(&cluster);
        environment.governance(soon()).await.unwrap();
        let calls = cluster.calls().len();
        for _ in 0..10 {
            environment.governance(soon()).await.unwrap();
        }
        assert_eq!(cluster.calls().len(), calls);
    }

    /// Kafka does not tell a topic that is absent from one that is hidden.
    #[tokio::test]
    async fn who_may_not_read_the_journal_is_not_governed_unless_it_acts_for_an_application() {
        let cluster = Arc::new(MemoryCluster::new(1));
        let environment = on(&cluster);
        environment.journal().unwrap().create(environment.claims(), soon()).await.unwrap();
        declare(&environment).await;
        let stranger: Arc<dyn Kafka> = Arc::new(cluster.seen_by(Principal::user("team")));
        let unaware = Environment::new("dev", stranger.clone());
        assert_eq!(unaware.hidden().await, None);
        assert!(unaware.governance(soon()).await.unwrap().is_none());
        assert!(matches!(unaware.hidden().await, Some(KafkaError::Denied { operation: "DESCRIBE", .. })));
        environment.governance(soon()).await.unwrap();
        assert_eq!(environment.hidden().await, None);
        let acting = Acting { application: Some("billing".parse().unwrap()), ..Acting::default() };
        let team = Environment::new("dev", stranger).acting(Arc::new(acting), None);
        let Err(Failure::Told(told)) = team.governance(soon()).await else { unreachable!("it is refused") };
        assert_eq!(told.0[0].summary, "Not permitted by Kafka");
    }

    /// A journal that somebody deleted would free all teams of all rules otherwise.
    #[tokio::test]
    async fn who_acts_for_an_application_does_nothing_where_there_is_no_environment() {
        let cluster = Arc::new(MemoryCluster::new(1));
        let acting = Acting { application: Some("billing".parse().unwrap()), ..Acting::default() };
        let team = on(&cluster).acting(Arc::new(acting), None);
        let refused = |it: Failure| {
            let Failure::Told(told) = it else { unreachable!("it is told") };
            assert_eq!(told.0[0].summary, "No environment to act in");
            assert!(told.0[0].detail.starts_with("No environment is declared on the cluster of `dev`"), "{told:?}");
            assert!(told.0[0].detail.contains("`terraform-provider-kafka journal import`"), "{told:?}");
        };
        refused(team.governance(soon()).await.unwrap_err());
        refused(team.governance_if_told(soon()).await.unwrap_err());
        let platform = on(&cluster);
        platform.journal().unwrap().create(platform.claims(), soon()).await.unwrap();
        team.forget_governance().await;
        refused(team.governance(soon()).await.unwrap_err());
        declare(&platform).await;
        team.forget_governance().await;
        assert!(team.governance(soon()).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_deployer_does_not_act_as_another_application() {
        let cluster = Arc::new(MemoryCluster::new(1));
        let environment = on(&cluster);
        environment.journal().unwrap().create(environment.claims(), soon()).await.unwrap();
        declare(&environment).await;
        let mut spec = ApplicationSpec::new("billing".parse().unwrap());
        spec.deployers.insert(Principal::user("ci-billing"));
        let command = Command::DeclareApplication(Box::new(ApplicationRequest::new(spec)));
        environment.governed().unwrap().command(command, soon()).await.unwrap();
        let as_deployer = |application: &str| {
            let acting = Acting { application: Some(application.parse().unwrap()), ..Acting::default() };
            let kafka: Arc<dyn Kafka> = cluster.clone();
            Environment::new("dev", kafka).acting(Arc::new(acting), Some(Principal::user("ci-billing")))
        };
        assert!(as_deployer("billing").governance(soon()).await.unwrap().is_some());
        let Err(Failure::Told(told)) = as_deployer("orders").governance(soon()).await else {
            unreachable!("it is refused")
        };
        assert_eq!(told.0[0].summary, "Not the application to act as");
        assert!(told.0[0].detail.contains("`User:ci-billing` deploys the application `billing`"), "{told:?}");
    }

    #[test]
    fn who_acts_comes_from_the_process_alone() {
        let given = |pairs: &'static [(&str, &str)]| {
            let variable = |name: &str| pairs.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned());
            Acting::from_variables(variable)
        };
        assert_eq!(given(&[]), Ok(Acting::default()));
        let acting = given(&[("KAFKA_ACTING_APPLICATION", "billing"), ("KAFKA_CHANGE_URL", "https://example.org/1")]);
        let acting = acting.unwrap();
        assert_eq!(acting.application.unwrap().as_str(), "billing");
        assert_eq!(acting.change_url.as_deref(), Some("https://example.org/1"));
        let wrong = given(&[("KAFKA_ACTING_APPLICATION", "Billing")]).unwrap_err();
        assert_eq!(wrong.0[0].summary, "Invalid environment variable");
    }
}

//! Resources on a cluster in memory, asked as Terraform asks.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value as Json;

use crate::{
    clients::{governed::Governed, kafka::Kafka, memory::MemoryCluster},
    framework::{
        ApplyRequest, Diagnostics, DynResource, Import, Outcome, PlanRequest, PlanResponse, Provider, Severity, Stored,
        Value,
        codec::json::{Unexpected, from_json},
    },
    governance::{
        command::Command,
        environment::{ClusterFacts, EnvironmentSpec},
        policy::Policy,
    },
    provider::{Acting, Context, Environment, KafkaProvider},
};

/// A cluster of one broker whose platform declared an environment.
pub(super) async fn governed_by(policy: Policy) -> Arc<MemoryCluster> {
    governed_with(policy, ClusterFacts::default()).await
}

/// The same, where more is known of the cluster.
pub(super) async fn governed_with(policy: Policy, facts: ClusterFacts) -> Arc<MemoryCluster> {
    let cluster = Arc::new(MemoryCluster::new(1));
    declare(&cluster, policy, facts).await;
    cluster
}

/// Has the platform declare an environment on a cluster that was there before.
pub(super) async fn govern(cluster: &Arc<MemoryCluster>, policy: Policy) {
    declare(cluster, policy, ClusterFacts::default()).await;
}

async fn declare(cluster: &Arc<MemoryCluster>, policy: Policy, facts: ClusterFacts) {
    let run = Run::on(cluster, "application", Acting::default());
    let claims = run.ctx.environment(None).unwrap().claims();
    let governed = run.governed();
    governed.journal().create(claims, soon()).await.unwrap();
    governed.command(Command::DeclareEnvironment(environment(policy, facts)), soon()).await.unwrap();
}

/// Changes the rules, as another run of the platform does.
pub(super) async fn change_policy(cluster: &Arc<MemoryCluster>, policy: Policy) {
    let governed = Run::on(cluster, "application", Acting::default()).governed();
    let command = Command::ChangeEnvironment(environment(policy, ClusterFacts::default()));
    governed.command(command, soon()).await.unwrap();
}

fn environment(policy: Policy, cluster: ClusterFacts) -> Box<EnvironmentSpec> {
    Box::new(EnvironmentSpec {
        name: "pre".parse().unwrap(),
        stage: None,
        hosting: None,
        labels: BTreeMap::new(),
        policy,
        cluster,
    })
}

/// One run of Terraform on one cluster, its environment `dev`, for one resource.
pub(super) struct Run {
    pub(super) ctx: Context,
    pub(super) resource: Box<dyn DynResource<Context>>,
}

impl Run {
    /// A new process.
    pub(super) fn on(cluster: &Arc<MemoryCluster>, resource: &str, acting: Acting) -> Self {
        let kafka: Arc<dyn Kafka> = cluster.clone();
        let environment = Environment::new("dev", kafka).acting(Arc::new(acting), None);
        Self::with(Context::new([environment], None), resource)
    }

    /// A new process with other environments.
    pub(super) fn with(ctx: Context, resource: &str) -> Self {
        Self { ctx, resource: KafkaProvider::registry().resources.remove(resource).unwrap() }
    }

    /// The cluster with its journal.
    pub(super) fn governed(&self) -> Governed {
        self.ctx.environment(None).unwrap().governed().unwrap()
    }

    /// A configuration of which only this is written.
    pub(super) fn config(&self, written: &Json) -> Value {
        from_json(written, self.resource.ty(), Unexpected::Refuse).unwrap()
    }

    /// What is told without a cluster.
    pub(super) fn validate(&self, config: &Json) -> Diagnostics {
        self.resource.validate(self.config(config))
    }

    pub(super) async fn plan(&self, prior: &Stored, config: &Json) -> PlanResponse {
        self.resource.plan(&self.ctx, PlanRequest { prior: prior.clone(), config: self.config(config) }).await
    }

    /// Plans to destroy.
    pub(super) async fn plan_end(&self, prior: &Stored) -> PlanResponse {
        self.resource.plan(&self.ctx, PlanRequest { prior: prior.clone(), config: Value::Null }).await
    }

    pub(super) async fn apply(&self, prior: &Stored, planned: Stored, config: &Json) -> Outcome {
        let config = self.config(config);
        self.resource.apply(&self.ctx, ApplyRequest { prior: prior.state.clone(), planned, config }).await
    }

    pub(super) async fn read(&self, stored: &Stored) -> Outcome {
        self.resource.read(&self.ctx, stored.clone()).await
    }

    pub(super) async fn import(&self, id: &str) -> Outcome {
        self.resource.import(&self.ctx, Import::Id(id.to_owned())).await
    }

    /// Plans and applies, without a message.
    pub(super) async fn applied(&self, prior: &Stored, config: &Json) -> Stored {
        let planned = self.plan(prior, config).await;
        quiet(&planned.diagnostics);
        assert_eq!(planned.replace, vec![]);
        let outcome = self.apply(prior, planned.planned, config).await;
        quiet(&outcome.diagnostics);
        outcome.stored
    }

    /// Destroys.
    pub(super) async fn destroy(&self, prior: &Stored) -> Outcome {
        let planned = Stored { state: Value::Null, private: prior.private.clone(), identity: Value::Null };
        self.resource.apply(&self.ctx, ApplyRequest { prior: prior.state.clone(), planned, config: Value::Null }).await
    }
}

/// What is stored of an object that is not there.
pub(super) fn nothing() -> Stored {
    Stored::default()
}

pub(super) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

#[track_caller]
pub(super) fn quiet(diagnostics: &Diagnostics) {
    assert_eq!(diagnostics.0, vec![]);
}

/// Exactly one message, of which the detail has this.
#[track_caller]
pub(super) fn told(diagnostics: &Diagnostics, severity: Severity, summary: &str, detail: &str) {
    let told: Vec<_> = diagnostics.0.iter().map(|it| (it.severity, it.summary.as_str())).collect();
    assert_eq!(told, [(severity, summary)], "{diagnostics:?}");
    assert!(diagnostics.0[0].detail.contains(detail), "{diagnostics:?}");
}

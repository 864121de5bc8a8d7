//! Resources on a cluster in memory, asked as Terraform asks.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value as Json;

use crate::{
    clients::{kafka::Kafka, memory::MemoryCluster},
    framework::{
        ApplyRequest, Diagnostics, DynResource, Import, Outcome, PlanRequest, PlanResponse, Provider, Severity, Stored,
        Value,
        codec::json::{Unexpected, from_json},
    },
    provider::{Acting, Context, Environment, KafkaProvider},
};

/// One run of Terraform on one cluster, its environment `dev`, for one resource.
pub(super) struct Run {
    pub(super) ctx: Context,
    resource: Box<dyn DynResource<Context>>,
}

impl Run {
    /// A new process.
    pub(super) fn on(cluster: &Arc<MemoryCluster>, resource: &str, acting: Acting) -> Self {
        let kafka: Arc<dyn Kafka> = cluster.clone();
        let environment = Environment::new("dev", kafka).acting(Arc::new(acting), None);
        let resource = KafkaProvider::registry().resources.remove(resource).unwrap();
        Self { ctx: Context::new([environment], None), resource }
    }

    /// A configuration of which only this is written.
    pub(super) fn config(&self, written: &Json) -> Value {
        from_json(written, self.resource.ty(), Unexpected::Refuse).unwrap()
    }

    pub(super) async fn plan(&self, prior: &Stored, config: &Json) -> PlanResponse {
        self.resource.plan(&self.ctx, PlanRequest { prior: prior.clone(), config: self.config(config) }).await
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

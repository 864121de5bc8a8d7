//! Data sources on a cluster in memory, asked as Terraform asks.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value as Json;

use crate::{
    clients::{kafka::Kafka, memory::MemoryCluster},
    framework::{
        Diagnostics, Provider, Value,
        codec::json::{Unexpected, from_json},
    },
    provider::{Context, Environment, KafkaProvider},
};

/// What a data source of the environment `dev` answers, of which only this is written.
pub(super) async fn read(cluster: &Arc<MemoryCluster>, name: &str, written: &Json) -> (Value, Diagnostics) {
    let kafka: Arc<dyn Kafka> = cluster.clone();
    let ctx = Context::new([Environment::new("dev", kafka)], None);
    let data_source = KafkaProvider::registry().data_sources.remove(name).unwrap();
    let config = from_json(written, &data_source.schema().ty(), Unexpected::Refuse).unwrap();
    data_source.read(&ctx, config).await
}

pub(super) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

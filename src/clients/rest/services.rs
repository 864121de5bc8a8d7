//! The services of one environment, and looking at them.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use serde_json::Value;

use super::RestError;
use crate::{
    clients::{connect::Connect, registry::SchemaRegistry},
    governance::condition::{Seen, Service, ServiceKind},
};

/// What there is beside the brokers, as far as the provider's configuration says.
#[derive(Debug, Default)]
pub struct Services {
    /// The schema registry.
    pub schema_registry: Option<Arc<SchemaRegistry>>,
    /// Connect, by the names that the configuration has for its clusters of workers.
    pub connect: BTreeMap<String, Connect>,
}

impl Services {
    /// What is seen of each service of the cluster with that id.
    pub async fn look(&self, cluster_id: &str, deadline: Instant) -> Vec<Service> {
        let mut res = Vec::new();
        if let Some(it) = self.schema_registry.as_deref().map(SchemaRegistry::rest) {
            let answer = it.get("subjects", deadline).await;
            let seen = seen(answer.and_then(|it| if it.is_array() { Ok(()) } else { Err(strange()) }));
            res.push(Service { kind: ServiceKind::SchemaRegistry, name: it.url().to_string(), seen });
        }
        for (name, it) in &self.connect {
            let seen = match it.rest().get("", deadline).await {
                Ok(answer) => of_workers(&answer, cluster_id),
                Err(error) => seen(Err(error)),
            };
            res.push(Service { kind: ServiceKind::Connect, name: name.clone(), seen });
        }
        res
    }
}

fn strange() -> RestError {
    RestError::Strange("the answer has another form".to_owned())
}

/// Workers say which cluster they keep their own data in.
fn of_workers(answer: &Value, cluster_id: &str) -> Seen {
    if answer.get("version").is_none() {
        return seen(Err(strange()));
    }
    match answer.get("kafka_cluster_id").and_then(Value::as_str) {
        Some(other) if other != cluster_id => Seen::Bad {
            message: format!("its workers belong to the cluster `{other}`, and this one is `{cluster_id}`"),
            remedy: "Correct `url`, or give it to the environment of that cluster.".to_owned(),
        },
        _ => Seen::Good,
    }
}

fn seen(answer: Result<(), RestError>) -> Seen {
    let Err(error) = answer else { return Seen::Good };
    let (message, remedy) = (error.to_string(), error.remedy().to_owned());
    if error.leaves_open() { Seen::Unknown { message, remedy } } else { Seen::Bad { message, remedy } }
}

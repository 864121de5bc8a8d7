//! Connect workers that answer as slowly as they are told to, and count what they are asked: to measure the provider with
//! more connectors than real ones would run here.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};

use crate::fake_service::{Answers, FakeService};

/// The workers. They end with the process.
#[derive(Debug)]
pub struct FakeConnect(FakeService);

/// The configurations of the connectors.
#[derive(Debug, Default)]
struct Kept(Mutex<BTreeMap<String, Value>>);

impl FakeConnect {
    /// Starts workers without connectors.
    ///
    /// # Panics
    /// If no port is free.
    pub fn start() -> Self {
        Self(FakeService::start(Arc::<Kept>::default()))
    }

    /// Where they are.
    pub fn url(&self) -> &str {
        self.0.url()
    }

    /// Has each answer come so late, as over a network.
    pub fn delay(&self, delay: Duration) {
        self.0.delay(delay);
    }

    /// The requests since this was asked last.
    pub fn take_requests(&self) -> u64 {
        self.0.take_requests()
    }
}

impl Answers for Kept {
    fn answer(&self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let path = target.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (method, &parts[..]) {
            ("GET", [""]) => (200, json!({ "version": "4.3.1" })),
            ("GET", ["connectors"]) => {
                let both = |(name, config): (&String, &Value)| {
                    (name.clone(), json!({ "info": info(name, config), "status": status(name) }))
                };
                (200, Value::Object(all.iter().map(both).collect()))
            }
            ("POST", ["connectors"]) => {
                let name = body["name"].as_str().unwrap_or_default().to_owned();
                all.insert(name, body["config"].clone());
                (201, body.clone())
            }
            ("GET", ["connectors", name]) if all.contains_key(*name) => (200, info(name, &all[*name])),
            ("GET", ["connectors", name, "status"]) if all.contains_key(*name) => (200, status(name)),
            ("DELETE", ["connectors", name]) if all.contains_key(*name) => {
                all.remove(*name);
                (204, Value::Null)
            }
            (_, ["connectors", name, ..]) => {
                (404, json!({ "error_code": 404, "message": format!("Connector {name} not found") }))
            }
            ("GET", ["connector-plugins"]) => {
                (200, json!([{ "class": "org.example.FileSinkConnector", "type": "sink", "version": "1" }]))
            }
            ("PUT", ["connector-plugins", ..]) => (200, json!({ "configs": [] })),
            _ => (404, json!({ "error_code": 404, "message": "HTTP 404 Not Found" })),
        }
    }
}

fn info(name: &str, config: &Value) -> Value {
    let mut config = config.clone();
    config["name"] = json!(name);
    json!({ "name": name, "config": config, "tasks": [], "type": "sink" })
}

fn status(name: &str) -> Value {
    let running = json!({ "id": 0, "state": "RUNNING", "worker_id": "w:8083" });
    json!({ "name": name, "connector": running, "tasks": [running], "type": "sink" })
}

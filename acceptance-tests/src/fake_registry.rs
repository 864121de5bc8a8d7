//! A schema registry that answers as slowly as it is told to, and counts what it is asked: to measure the provider, and not
//! a registry. Every subject has one version, of one schema.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::fake_service::{Answers, FakeService};

/// The schema of every subject.
pub const SCHEMA: &str = r#"{"type":"record","name":"R","fields":[{"name":"id","type":"string"}]}"#;

/// The registry. It ends with the process.
#[derive(Debug)]
pub struct FakeRegistry {
    service: FakeService,
    kept: Arc<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    subjects: Mutex<BTreeSet<String>>,
    lists: AtomicBool,
}

impl FakeRegistry {
    /// Starts a registry without subjects, which lists its schemas.
    ///
    /// # Panics
    /// If no port is free.
    pub fn start() -> Self {
        let kept = Arc::new(Kept { lists: AtomicBool::new(true), ..Kept::default() });
        Self { service: FakeService::start(kept.clone()), kept }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        self.service.url()
    }

    /// Has each answer come so late, as over a network.
    pub fn delay(&self, delay: Duration) {
        self.service.delay(delay);
    }

    /// Whether it lists its schemas with their subjects.
    pub fn list(&self, lists: bool) {
        self.kept.lists.store(lists, Ordering::Relaxed);
    }

    /// The requests since this was asked last.
    pub fn take_requests(&self) -> u64 {
        self.service.take_requests()
    }
}

impl Answers for Kept {
    fn answer(&self, method: &str, target: &str, _body: &Value) -> (u16, Value) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let mut subjects = self.subjects.lock().unwrap_or_else(PoisonError::into_inner);
        match (method, &parts[..]) {
            ("GET", ["schemas"]) if self.lists.load(Ordering::Relaxed) => {
                let number = |name: &str| query.split('&').find_map(|it| it.strip_prefix(name)?.parse().ok());
                let (offset, limit) = (number("offset=").unwrap_or(0), number("limit=").unwrap_or(usize::MAX));
                (200, subjects.iter().skip(offset).take(limit).map(|it| registered(it)).collect())
            }
            ("POST", ["subjects", subject, "versions"]) => {
                subjects.insert((*subject).to_owned());
                (200, json!({ "id": 1 }))
            }
            ("POST", ["subjects", subject]) | ("GET", ["subjects", subject, "versions", "latest"])
                if subjects.contains(*subject) =>
            {
                (200, registered(subject))
            }
            ("POST" | "GET", ["subjects", ..]) => {
                (404, json!({ "error_code": 40401, "message": "Subject not found." }))
            }
            ("DELETE", ["subjects", subject]) => {
                subjects.remove(*subject);
                (200, json!([1]))
            }
            ("GET", ["config" | "mode", ..]) => (200, json!({ "compatibilityLevel": "BACKWARD", "mode": "READWRITE" })),
            _ => (404, json!({ "error_code": 404, "message": "HTTP 404 Not Found" })),
        }
    }
}

fn registered(subject: &str) -> Value {
    json!({ "subject": subject, "version": 1, "id": 1, "schema": SCHEMA })
}

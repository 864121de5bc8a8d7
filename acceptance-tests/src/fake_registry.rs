//! A schema registry that answers as slowly as it is told to, and counts what it is asked: to measure the provider, and not
//! a registry. Every subject has one version, of one schema.

use std::{
    collections::BTreeSet,
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::{Value, json};

/// The schema of every subject.
pub const SCHEMA: &str = r#"{"type":"record","name":"R","fields":[{"name":"id","type":"string"}]}"#;

/// The registry. It ends with the process.
#[derive(Debug)]
pub struct FakeRegistry {
    url: String,
    kept: Arc<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    subjects: Mutex<BTreeSet<String>>,
    delay_ms: AtomicU64,
    lists: AtomicBool,
    requests: AtomicU64,
}

impl FakeRegistry {
    /// Starts a registry without subjects, which lists its schemas.
    ///
    /// # Panics
    /// If no port is free.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let kept = Arc::new(Kept { lists: AtomicBool::new(true), ..Kept::default() });
        let its = kept.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = its.clone();
                // Whoever asked may be gone.
                thread::spawn(move || _ = serve(&stream, &kept));
            }
        });
        Self { url, kept }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Has each answer come so late, as over a network.
    pub fn delay(&self, delay: Duration) {
        self.kept.delay_ms.store(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether it lists its schemas with their subjects.
    pub fn list(&self, lists: bool) {
        self.kept.lists.store(lists, Ordering::Relaxed);
    }

    /// The requests since this was asked last.
    pub fn take_requests(&self) -> u64 {
        self.kept.requests.swap(0, Ordering::Relaxed)
    }
}

/// Answers the requests of one connection.
fn serve(stream: &TcpStream, kept: &Kept) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let line = line.trim().to_ascii_lowercase();
            if let Some(it) = line.strip_prefix("content-length: ") {
                length = it.parse().unwrap_or(0);
            }
            if line.is_empty() {
                break;
            }
        }
        io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
        kept.requests.fetch_add(1, Ordering::Relaxed);
        thread::sleep(Duration::from_millis(kept.delay_ms.load(Ordering::Relaxed)));
        let (status, body) = kept.answer(&first);
        let body = body.to_string();
        let head = format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}", body.len());
        (&*stream).write_all(format!("{head}\r\n\r\n{body}").as_bytes())?;
    }
}

impl Kept {
    fn answer(&self, request: &str) -> (u16, Value) {
        let mut words = request.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
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

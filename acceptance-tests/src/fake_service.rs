//! A service over HTTP that answers as slowly as it is told to, and counts what it is asked: to measure the provider, and not
//! the service.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::Value;

/// What a service answers to a method, a path with its query, and a body: the status, and the body.
pub(crate) trait Answers: Send + Sync + 'static {
    /// The answer.
    fn answer(&self, method: &str, target: &str, body: &Value) -> (u16, Value);
}

/// A service. It ends with the process.
#[derive(Debug)]
pub(crate) struct FakeService {
    url: String,
    pace: Arc<Pace>,
}

#[derive(Debug, Default)]
struct Pace {
    delay_ms: AtomicU64,
    requests: AtomicU64,
}

impl FakeService {
    /// Starts a service that gives these answers.
    ///
    /// # Panics
    /// If no port is free.
    pub(crate) fn start(answers: Arc<impl Answers>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let pace = Arc::<Pace>::default();
        let its = pace.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, pace) = (answers.clone(), its.clone());
                // Whoever asked may be gone.
                thread::spawn(move || _ = serve(&stream, answers.as_ref(), &pace));
            }
        });
        Self { url, pace }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Has each answer come so late, as over a network.
    pub(crate) fn delay(&self, delay: Duration) {
        self.pace.delay_ms.store(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The requests since this was asked last.
    pub(crate) fn take_requests(&self) -> u64 {
        self.pace.requests.swap(0, Ordering::Relaxed)
    }
}

/// Answers the requests of one connection.
fn serve(stream: &TcpStream, answers: &impl Answers, pace: &Pace) -> io::Result<()> {
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
        let mut body = Vec::new();
        reader.by_ref().take(length).read_to_end(&mut body)?;
        pace.requests.fetch_add(1, Ordering::Relaxed);
        thread::sleep(Duration::from_millis(pace.delay_ms.load(Ordering::Relaxed)));
        let mut words = first.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (status, body) = answers.answer(method, target, &serde_json::from_slice(&body).unwrap_or_default());
        let body = body.to_string();
        let head = format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}", body.len());
        (&*stream).write_all(format!("{head}\r\n\r\n{body}").as_bytes())?;
    }
}

//! What a failure, or an answer that is none, means.

use std::{
    error::Error,
    fmt, io,
    time::{Duration, SystemTime},
};

use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER},
};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use super::RestError;
use crate::clients::kafka::{ConnectProblem, tls_problem};

/// Most letters of a service's own words.
const WORDS: usize = 300;

/// A name that does not resolve.
#[derive(Debug)]
pub(super) struct Unresolved(pub(super) io::Error);

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Unresolved {}

/// Why there is no answer.
pub(super) fn of_error(error: &reqwest::Error) -> RestError {
    if error.is_timeout() {
        return RestError::Deadline;
    }
    let mut last = String::new();
    let mut broken = None;
    for cause in chain(error) {
        if let Some(Unresolved(it)) = cause.downcast_ref() {
            return RestError::Unresolved(it.to_string());
        }
        if let Some(it) = cause.downcast_ref::<hyper::Error>()
            && (it.is_incomplete_message() || it.is_canceled())
        {
            return RestError::Closed(it.to_string());
        }
        if let Some(it) = cause.downcast_ref::<io::Error>() {
            if let Some(problem) = nested(it).find_map(tls_problem) {
                return of_tls(problem);
            }
            broken = nested(it).last().map(ToString::to_string);
        }
        last = cause.to_string();
    }
    match broken {
        Some(it) if error.is_connect() => RestError::Unreachable(it),
        Some(it) => RestError::Closed(it),
        None if error.is_connect() => RestError::Unreachable(last),
        // It answered, and not as HTTP has it.
        None => RestError::NotHttp,
    }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |it: &&'a (dyn Error + 'static)| (*it).source())
}

/// An error of the system, and those that it wraps.
fn nested(error: &io::Error) -> impl Iterator<Item = &io::Error> {
    std::iter::successors(Some(error), |it| it.get_ref()?.downcast_ref())
}

fn of_tls(problem: ConnectProblem) -> RestError {
    match problem {
        ConnectProblem::TlsToPlaintext => RestError::TlsToPlaintext,
        ConnectProblem::UnknownAuthority => RestError::UnknownAuthority,
        ConnectProblem::Certificate(it) => RestError::Certificate(it),
        ConnectProblem::ClientCertificate(it) => RestError::ClientCertificate(it),
        other => RestError::Tls(other.to_string()),
    }
}

/// What was answered, or why that is no answer.
pub(super) fn of_answer(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<Value, RestError> {
    let json = serde_json::from_slice::<Value>(body).ok();
    if status.is_success() {
        if body.is_empty() {
            return Ok(Value::Null);
        }
        return json.ok_or_else(|| RestError::Strange(form(headers)));
    }
    let text = || match &json {
        Some(Value::Object(it)) => it.get("message").and_then(Value::as_str).unwrap_or("no reason").to_owned(),
        _ => status.canonical_reason().unwrap_or("no reason").to_owned(),
    };
    let message = || shortened(text());
    Err(match status {
        StatusCode::UNAUTHORIZED => RestError::Unauthenticated,
        StatusCode::FORBIDDEN => RestError::Forbidden,
        StatusCode::TOO_MANY_REQUESTS => RestError::Busy { after: after(headers) },
        StatusCode::SERVICE_UNAVAILABLE if headers.contains_key(RETRY_AFTER) => {
            RestError::Busy { after: after(headers) }
        }
        it if it.is_server_error() => RestError::Broken { status: it.as_u16(), message: message() },
        it if it.is_redirection() => RestError::Strange(redirection(headers)),
        // Whoever speaks JSON refused; whoever does not has no such path.
        it if json.is_some() => {
            RestError::Refused { status: it.as_u16(), code: code(json.as_ref()), message: message() }
        }
        it => RestError::Strange(format!("HTTP {} and {}", it.as_u16(), form(headers))),
    })
}

/// The beginning of a text, with a mark where that is not all of it.
fn shortened(text: String) -> String {
    match text.char_indices().nth(WORDS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// For how long it wants to be left alone: in seconds, or until a date.
fn after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = SystemTime::from(OffsetDateTime::parse(text, &Rfc2822).ok()?);
    Some(at.duration_since(SystemTime::now()).unwrap_or_default())
}

fn code(json: Option<&Value>) -> Option<i64> {
    json?.get("error_code")?.as_i64()
}

fn form(headers: &HeaderMap) -> String {
    let kind = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    if kind.starts_with("text/html") { "a page came instead of JSON".to_owned() } else { "no JSON came".to_owned() }
}

/// Where it leads, without what may be secret there.
fn redirection(headers: &HeaderMap) -> String {
    let to = headers.get(LOCATION).and_then(|it| it.to_str().ok()).and_then(|it| reqwest::Url::parse(it).ok());
    match to.as_ref().and_then(reqwest::Url::host_str) {
        Some(host) => format!("it leads on to `{host}`"),
        None => "it leads elsewhere".to_owned(),
    }
}

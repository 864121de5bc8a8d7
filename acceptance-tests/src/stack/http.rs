//! What the services of the stack are asked without any code of the provider's.

use std::{fs, path::Path, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use ureq::{Agent, Error, http::Request};

use super::User;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(90);

/// One request, over a connection of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) port: u16,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) body: &'a str,
    pub(super) user: Option<User>,
}

impl<'a> Call<'a> {
    /// A `GET` of nobody.
    pub(super) fn get(port: u16, path: &'a str) -> Self {
        Self { port, method: "GET", path, body: "", user: None }
    }

    /// The status of the answer, and its body.
    pub(super) fn send(self) -> Result<(u16, String), Error> {
        let Self { port, method, path, body, user } = self;
        let mut request = Request::builder().method(method).uri(format!("http://127.0.0.1:{port}{path}"));
        if let Some(User { name, password }) = user {
            let login = BASE64_STANDARD.encode(format!("{name}:{password}"));
            request = request.header("authorization", format!("Basic {login}"));
        }
        let agent =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT)).build().new_agent();
        let mut answer = if body.is_empty() {
            agent.run(request.body(())?)?
        } else {
            agent.run(request.header("content-type", "application/json").body(body)?)?
        };
        Ok((answer.status().as_u16(), answer.body_mut().read_to_string()?))
    }
}

/// The end of a service's log.
pub(super) fn last_lines(log: &Path) -> String {
    let log = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

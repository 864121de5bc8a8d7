//! Services beside the brokers that speak HTTP and JSON: the schema registry and Connect. One client for all of them:
//! who calls, whom to trust, how long to wait, and what a failure means.
//!
//! A client connects with its first request, keeps connections, follows no redirection (a login page is no answer), and
//! honours `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. Credentials are in no error.

mod error;
mod listing;
mod oauth;
mod once;
mod patience;
mod services;
mod settings;
mod trouble;
mod webhook;

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    sync::OnceLock,
    time::{Duration, Instant},
};

use reqwest::{
    Client, Method, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::clients::kafka::{Tls, client_config};
pub use error::RestError;
pub(in crate::clients) use listing::Listing;
use oauth::Tokens;
pub(in crate::clients) use once::Once;
use patience::{Patience, Tries};
pub use services::Services;
pub use settings::{BaseUrl, BaseUrlError, ClientCredentials, Login, RestSettings};
use trouble::{Unresolved, of_answer, of_error};
pub use webhook::{Webhook, WebhookUrl};

/// Most bytes of an answer. A registry of a hundred thousand subjects lists them in less.
const LARGEST_ANSWER: usize = 16 << 20;

/// Most requests that wait for an answer at one time: a service is not to be overrun by a plan of thousands.
const AT_ONCE: usize = 16;

/// One request, below the URL of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What is done. Whatever it is, it may be done twice: a request whose answer was lost is sent again.
    pub method: Method,
    /// Where, as in an address: letters that mean something there are written as their bytes.
    pub path: String,
    /// How, as names and values.
    pub query: Vec<(&'static str, String)>,
    /// With what.
    pub body: Option<Value>,
}

/// A name as one part of an address: each letter that is none of a name's own is written as its bytes.
pub(in crate::clients) fn part(name: &str) -> String {
    let mut res = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            res.push(char::from(byte));
        } else {
            let _ = write!(res, "%{byte:02X}");
        }
    }
    res
}

/// One service.
pub struct Rest {
    settings: RestSettings,
    client: OnceLock<Result<Client, RestError>>,
    /// What asks for tokens: another service, which gets neither headers nor a certificate that are this one's.
    token_client: OnceLock<Result<Client, RestError>>,
    turns: Semaphore,
    patience: Patience,
    tokens: Tokens,
}

impl Rest {
    /// A client that has not connected yet.
    pub fn new(settings: RestSettings) -> Self {
        Self {
            settings,
            client: OnceLock::new(),
            token_client: OnceLock::new(),
            turns: Semaphore::new(AT_ONCE),
            patience: Patience::default(),
            tokens: Tokens::default(),
        }
    }

    /// Where the service is.
    pub fn url(&self) -> &BaseUrl {
        &self.settings.url
    }

    /// Has the next request go to the next address.
    pub fn go_on(&self) {
        self.patience.go_on();
    }

    /// All addresses of the service.
    pub fn urls(&self) -> impl Iterator<Item = &BaseUrl> {
        std::iter::once(&self.settings.url).chain(&self.settings.failover_urls)
    }

    /// What the service answers to a `GET` of a path below its URL, such as `subjects`.
    ///
    /// # Errors
    /// As for [`Rest::send`].
    pub async fn get(&self, path: &str, deadline: Instant) -> Result<Value, RestError> {
        let request = Request { method: Method::GET, path: path.to_owned(), query: vec![], body: None };
        self.send(&request, deadline).await
    }

    /// What the service answers, null if it says no more than that all went well. It is asked at its other addresses where
    /// one does not answer, later where it says so, and again where another try may help.
    ///
    /// # Errors
    /// Why there is no answer in JSON that says that all went well.
    pub async fn send(&self, request: &Request, deadline: Instant) -> Result<Value, RestError> {
        let client = self.client.get_or_init(|| client(&self.settings)).as_ref().map_err(Clone::clone)?;
        let Ok(_turn) = tokio::time::timeout_at(deadline.into(), self.turns.acquire()).await else {
            return Err(RestError::Deadline);
        };
        let mut tries = Tries::new(1 + self.settings.failover_urls.len());
        let mut answered = None;
        let mut may_renew = matches!(self.settings.login, Some(Login::Client(_)));
        loop {
            let at = self.patience.turn(deadline).await?;
            let usual = self.settings.request_timeout;
            let most = if request.method == Method::GET { self.patience.of_question(usual) } else { usual };
            let left = deadline.saturating_duration_since(Instant::now()).min(most);
            let answer = tokio::time::timeout(left, self.ask(client, request, self.settings.url(at))).await;
            self.patience.note(answer.is_ok());
            let error = match answer.unwrap_or(Err(RestError::Deadline)) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // A token may end before its time, and another one be taken.
            if error == RestError::Unauthenticated && std::mem::take(&mut may_renew) {
                continue;
            }
            let wait = tries.after(&error);
            let Some(wait) = wait.filter(|it| *it < deadline.saturating_duration_since(Instant::now())) else {
                return Err(telling(error, answered));
            };
            self.patience.wait(&error, wait, at).await;
            if let RestError::Broken { .. } = error {
                answered = Some(error);
            }
        }
    }

    async fn ask(&self, client: &Client, asked: &Request, url: &BaseUrl) -> Result<Value, RestError> {
        let Request { method, path, query, body: sent } = asked;
        let mut request = client.request(method.clone(), url.with(path, query));
        let mut token = None;
        match &self.settings.login {
            None => {}
            Some(Login::Basic { username, password }) => {
                request = request.basic_auth(username, Some(password.expose()));
            }
            Some(Login::Bearer(token)) => request = request.bearer_auth(token.expose()),
            Some(Login::Client(credentials)) => {
                let given = self.tokens.get(self.token_client()?, credentials).await?;
                request = request.bearer_auth(given.expose());
                token = Some(given);
            }
        }
        if let Some(sent) = sent {
            request = request.header(CONTENT_TYPE, "application/json").body(sent.to_string());
        }
        let response = request.send().await.map_err(|error| of_error(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = body(response).await?;
        let answer = of_answer(status, &headers, &body);
        if let (Err(RestError::Unauthenticated), Some(refused)) = (&answer, token) {
            self.tokens.forget(&refused).await;
        }
        answer
    }

    fn token_client(&self) -> Result<&Client, RestError> {
        let bare = |it: &RestSettings| RestSettings {
            headers: BTreeMap::new(),
            tls: Tls { client: None, ..it.tls.clone() },
            ..it.clone()
        };
        self.token_client.get_or_init(|| client(&bare(&self.settings))).as_ref().map_err(Clone::clone)
    }
}

/// Of a last failure and an earlier answer that was one, that which tells more: that one of several addresses is dead says
/// nothing of those that are not.
fn telling(last: RestError, answered: Option<RestError>) -> RestError {
    match last {
        RestError::Unreachable(_) | RestError::Closed(_) => answered.unwrap_or(last),
        _ => last,
    }
}

/// What a service answered, if it is not too much.
async fn body(mut response: Response) -> Result<Vec<u8>, RestError> {
    let mut res = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| of_error(&error))? {
        res.extend_from_slice(&chunk);
        if LARGEST_ANSWER < res.len() {
            return Err(RestError::TooLarge);
        }
    }
    Ok(res)
}

fn client(settings: &RestSettings) -> Result<Client, RestError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    for (name, value) in &settings.headers {
        let unusable = || RestError::Material(format!("the header `{name}` cannot be sent"));
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| unusable())?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable())?, value);
    }
    let tls = client_config(&settings.tls).map_err(|problem| RestError::Material(problem.to_string()))?;
    let builder = Client::builder()
        .tls_backend_preconfigured(tls.as_ref().clone())
        .dns_resolver(Names)
        .redirect(Policy::none())
        .default_headers(headers)
        .connect_timeout(settings.request_timeout)
        .pool_idle_timeout(Duration::from_secs(30));
    builder.build().map_err(|error| RestError::Material(error.without_url().to_string()))
}

/// The system's resolver, with errors that are told from all others.
#[derive(Debug)]
struct Names;

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(Unresolved)?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest").field("url", &self.settings.url).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

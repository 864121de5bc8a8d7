//! Services beside the brokers that speak HTTP and JSON: the schema registry and Connect. One client for all of them:
//! who calls, whom to trust, how long to wait, and what a failure means.
//!
//! A client connects with its first request, keeps connections, follows no redirection (a login page is no answer), and
//! honours `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. Credentials are in no error.

mod error;
mod services;
mod settings;
mod trouble;
mod webhook;

use std::{
    fmt,
    sync::OnceLock,
    time::{Duration, Instant},
};

use reqwest::{
    Client, Method, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use serde_json::Value;

use crate::clients::kafka::client_config;
pub use error::RestError;
pub use services::Services;
pub use settings::{BaseUrl, BaseUrlError, Login, RestSettings};
use trouble::{Unresolved, of_answer, of_error};
pub use webhook::{Webhook, WebhookUrl};

/// Most bytes of an answer. A registry of a hundred thousand subjects lists them in less.
const LARGEST_ANSWER: usize = 16 << 20;

/// One service.
pub struct Rest {
    settings: RestSettings,
    client: OnceLock<Result<Client, RestError>>,
}

impl Rest {
    /// A client that has not connected yet.
    pub fn new(settings: RestSettings) -> Self {
        Self { settings, client: OnceLock::new() }
    }

    /// Where the service is.
    pub fn url(&self) -> &BaseUrl {
        &self.settings.url
    }

    /// What the service answers to a `GET` of a path below its URL, such as `subjects`.
    ///
    /// # Errors
    /// Why there is no answer in JSON that says that all went well.
    pub async fn get(&self, path: &str, deadline: Instant) -> Result<Value, RestError> {
        let client = self.client.get_or_init(|| client(&self.settings)).as_ref().map_err(Clone::clone)?;
        let left = deadline.saturating_duration_since(Instant::now()).min(self.settings.request_timeout);
        let answer = tokio::time::timeout(left, self.ask(client, Method::GET, path)).await;
        answer.unwrap_or(Err(RestError::Deadline))
    }

    async fn ask(&self, client: &Client, method: Method, path: &str) -> Result<Value, RestError> {
        let mut request = client.request(method, self.settings.url.below(path));
        match &self.settings.login {
            None => {}
            Some(Login::Basic { username, password }) => {
                request = request.basic_auth(username, Some(password.expose()));
            }
            Some(Login::Bearer(token)) => request = request.bearer_auth(token.expose()),
        }
        let response = request.send().await.map_err(|error| of_error(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = body(response).await?;
        of_answer(status, &headers, &body)
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

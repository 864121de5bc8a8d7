//! Telling somebody else's program that something happened.

use std::{
    collections::BTreeMap,
    fmt,
    str::FromStr,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, Url, header::CONTENT_TYPE};
use serde_json::Value;

use super::{
    BaseUrlError, RestError, body, client,
    settings::RestSettings,
    trouble::{of_answer, of_error},
};
use crate::clients::kafka::{Secret, Tls};

/// How long one notice may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// After so many failures in a row nothing is sent any more: who does not listen is not to hold up the work.
const FAILURES: usize = 3;

/// Where notices go. The address may hold a secret, and is in no error.
pub struct Webhook {
    url: WebhookUrl,
    token: Option<Secret>,
    client: OnceLock<Result<Client, RestError>>,
    failures: AtomicUsize,
    missed: Mutex<Vec<RestError>>,
}

/// `http://…` or `https://…`, with all that may follow.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(Url);

impl FromStr for WebhookUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        let url = Url::parse(text).map_err(|_| BaseUrlError::Form)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::Credentials);
        }
        let is_http = url.has_host() && ["http", "https"].contains(&url.scheme());
        if is_http { Ok(Self(url)) } else { Err(BaseUrlError::Form) }
    }
}

impl Webhook {
    /// One that has not connected yet.
    pub fn new(url: WebhookUrl, token: Option<Secret>) -> Self {
        Self { url, token, client: OnceLock::new(), failures: AtomicUsize::new(0), missed: Mutex::default() }
    }

    /// Sends a notice.
    ///
    /// # Errors
    /// Why it did not arrive, as far as is known; `None` once it is given up, so that it is told once.
    pub async fn send(&self, notice: &Value) -> Result<(), Option<RestError>> {
        if FAILURES <= self.failures.load(Ordering::Relaxed) {
            return Err(None);
        }
        let answer = tokio::time::timeout(PATIENCE, self.post(notice)).await.unwrap_or(Err(RestError::Deadline));
        match &answer {
            Ok(()) => self.failures.store(0, Ordering::Relaxed),
            Err(error) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                self.missed.lock().unwrap_or_else(PoisonError::into_inner).push(error.clone());
            }
        }
        answer.map_err(Some)
    }

    /// Why notices did not arrive, of those that were sent.
    pub fn missed(&self) -> Vec<RestError> {
        self.missed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn post(&self, notice: &Value) -> Result<(), RestError> {
        let client = self.client.get_or_init(|| client(&self.settings())).as_ref().map_err(Clone::clone)?;
        let mut request = client.post(self.url.0.clone()).header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        let response = request.body(notice.to_string()).send().await.map_err(|error| of_error(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_success() {
            return Ok(());
        }
        of_answer(status, &headers, &body(response).await?).map(drop)
    }

    fn settings(&self) -> RestSettings {
        RestSettings {
            url: super::BaseUrl::of(self.url.0.clone()),
            failover_urls: Vec::new(),
            login: None,
            tls: Tls::default(),
            headers: BTreeMap::new(),
            request_timeout: PATIENCE,
        }
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").finish_non_exhaustive()
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WebhookUrl").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clients::rest::fake::FakeService;

    fn hook(url: &str, token: Option<&str>) -> Webhook {
        Webhook::new(url.parse().unwrap(), token.map(Secret::new))
    }

    #[tokio::test]
    async fn a_notice_is_posted_as_json() {
        let fake = FakeService::start(|_| (204, "text/plain", String::new())).await;
        let url = format!("{}/hooks/a?sig=1", fake.url());
        assert_eq!(hook(&url, Some("abc")).send(&json!({"status": "active"})).await, Ok(()));
        let sent = &fake.requests()[0];
        assert!(sent.ends_with(r#"{"status":"active"}"#), "{sent}");
        for part in ["POST /hooks/a?sig=1 HTTP/1.1\r\n", "content-type: application/json\r\n", "Bearer abc\r\n"] {
            assert!(sent.contains(part), "{sent}");
        }
    }

    #[tokio::test]
    async fn who_does_not_listen_is_given_up() {
        let fake = FakeService::start(|_| (500, "text/html", "<html>".to_owned())).await;
        let hook = hook(&fake.url(), None);
        for _ in 0..FAILURES {
            assert!(matches!(hook.send(&json!({})).await, Err(Some(_))));
        }
        assert_eq!(hook.send(&json!({})).await, Err(None));
        assert_eq!(hook.missed().len(), FAILURES);
        assert_eq!(fake.requests().len(), FAILURES);
    }

    #[test]
    fn an_address_is_one_of_http_and_hides_itself() {
        for text in ["", "ftp://a", "https://u:p@a", "a.example"] {
            assert!(text.parse::<WebhookUrl>().is_err(), "{text}");
        }
        let url: WebhookUrl = "https://a.example/secret".parse().unwrap();
        assert!(!format!("{url:?} {:?}", Webhook::new(url.clone(), None)).contains("secret"));
    }
}

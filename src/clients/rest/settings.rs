//! How to reach a service.

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use reqwest::Url;

use crate::clients::kafka::{Secret, Tls};

/// What a client needs to know to reach a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestSettings {
    /// Where it is.
    pub url: BaseUrl,
    /// Where else it is, while it does not answer there.
    pub failover_urls: Vec<BaseUrl>,
    /// Who calls.
    pub login: Option<Login>,
    /// How TLS is spoken, if the URL says so.
    pub tls: Tls,
    /// What is sent with every request.
    pub headers: BTreeMap<String, Secret>,
    /// How long one request may take, the connection included.
    pub request_timeout: Duration,
}

impl RestSettings {
    /// One of the addresses: the number is taken round.
    pub(super) fn url(&self, at: usize) -> &BaseUrl {
        match at % (1 + self.failover_urls.len()) {
            0 => &self.url,
            at => &self.failover_urls[at - 1],
        }
    }
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// By name and password.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: Secret,
    },
    /// By a token.
    Bearer(Secret),
    /// By tokens that another service gives (OAuth 2.0, client credentials).
    Client(ClientCredentials),
}

/// What gets a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCredentials {
    /// Where tokens are given.
    pub token_url: BaseUrl,
    /// Who asks for one.
    pub client_id: String,
    /// The password of who asks.
    pub client_secret: Secret,
    /// What the token is for.
    pub scope: Option<String>,
}

/// `http://host:port/path`, or the same with `https`, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// A text that is no such URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It is none, or one of another kind.
    #[error("it is written as `https://host:port`, or with `http`, and has no `?` and no `#`")]
    Form,
    /// It has a user or a password, which would be seen wherever it is.
    #[error("it has a user or a password; write them as `username` and `password`")]
    Credentials,
}

impl BaseUrl {
    /// The address of what is reached by a whole URL of its own.
    pub(super) fn of(url: Url) -> Self {
        Self(url)
    }

    /// The address of a path below it.
    pub(super) fn with(&self, path: &str, query: &[(&str, String)]) -> Url {
        let mut res = self.0.clone();
        res.set_path(&format!("{}/{path}", self.0.path().trim_end_matches('/')));
        if !query.is_empty() {
            res.query_pairs_mut().extend_pairs(query);
        }
        res
    }

    /// The address itself.
    pub(super) fn whole(&self) -> Url {
        self.0.clone()
    }

    /// Whether what is sent there can be read by the network.
    pub fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        let url = Url::parse(text).map_err(|_| BaseUrlError::Form)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::Credentials);
        }
        let is_plain = url.has_host() && url.query().is_none() && url.fragment().is_none();
        if is_plain && ["http", "https"].contains(&url.scheme()) { Ok(Self(url)) } else { Err(BaseUrlError::Form) }
    }
}

/// Without the slash at its end.
impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

//! The services beside the brokers: what is written of them, and what it becomes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{EnvironmentSettings, TlsSettings, part};
use crate::{
    clients::{
        connect::Connect,
        kafka::Secret,
        registry::SchemaRegistry,
        rest::{BaseUrl, ClientCredentials, Login, Rest, RestSettings, Services},
    },
    framework::{Diagnostic, Diagnostics, Model, Nested, Optional, Path, Required, Step, Unknown},
};

/// How to reach one service that speaks HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ServiceSettings {
    /// Where it is, as `https://host:port`, or with `http`. A path may follow.
    pub url: Required<BaseUrl>,
    /// Other addresses of the same service, which are tried in order where one does not answer.
    pub failover_urls: Optional<Vec<BaseUrl>>,
    /// Name of the user.
    pub username: Optional<String>,
    /// Password of the user. An ephemeral value keeps it out of saved plans.
    #[attr(sensitive)]
    pub password: Optional<Secret>,
    /// Token that is sent instead of a user and a password.
    #[attr(sensitive)]
    pub bearer_token: Optional<Secret>,
    /// Where tokens are got by OAuth 2.0, with a client's own credentials.
    pub oauth: Optional<Nested<OauthSettings>>,
    /// TLS, where `url` begins with `https`. Default: the authorities of the system are trusted.
    pub tls: Optional<Nested<TlsSettings>>,
    /// Headers that are sent with every request, such as those that a gateway asks for.
    #[attr(sensitive)]
    pub headers: Optional<BTreeMap<String, Secret>>,
}

/// How a token is got.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct OauthSettings {
    /// Where tokens are given, as `https://host/path`.
    pub token_url: Required<BaseUrl>,
    /// Id of the client.
    pub client_id: Required<String>,
    /// Secret of the client. An ephemeral value keeps it out of saved plans.
    #[attr(sensitive)]
    pub client_secret: Required<Secret>,
    /// What the token is for.
    pub scope: Optional<String>,
}

impl EnvironmentSettings {
    /// The services that are written, with the path of each.
    fn services(&self, environment: &str) -> impl Iterator<Item = (Path, &ServiceSettings)> {
        let registry = self.schema_registry.get().map(|it| (part(environment, &["schema_registry"]), &it.model));
        let at = part(environment, &["connect"]);
        let workers = self.connect.get().into_iter().flatten();
        registry.into_iter().chain(workers.map(move |(name, it)| (at.key(name), &it.model)))
    }

    pub(super) fn check_services(&self, environment: &str, report: &mut Diagnostics) {
        for (at, it) in self.services(environment) {
            it.check(&at, report);
        }
    }

    /// The clients of the services, or the attribute that is not known yet: brokers can be worked with all the same.
    pub(in crate::provider) fn resolve_services(
        &self,
        environment: &str,
        timeout: Duration,
    ) -> Result<Result<Services, Diagnostics>, Path> {
        let mut wrong = Diagnostics::default();
        let (mut schema_registry, mut connect) = (None, BTreeMap::new());
        let at = part(environment, &["schema_registry"]);
        if let Some(it) = self.schema_registry.known().map_err(|_: Unknown| at.clone())? {
            let settings = it.model.resolve(&at, timeout, &mut wrong)?;
            schema_registry = Some(Arc::new(SchemaRegistry::new(Rest::new(settings))));
        }
        let at = part(environment, &["connect"]);
        for (name, it) in self.connect.known().map_err(|_: Unknown| at.clone())?.into_iter().flatten() {
            let settings = it.model.resolve(&at.key(name), timeout, &mut wrong)?;
            connect.insert(name.clone(), Connect::new(Rest::new(settings)));
        }
        Ok(if wrong.has_errors() { Err(wrong) } else { Ok(Services { schema_registry, connect }) })
    }
}

impl ServiceSettings {
    fn check(&self, at: &Path, report: &mut Diagnostics) {
        let below = |name: &str| at.then(Step::Attribute(name.to_owned()));
        let (username, password) = (self.username.is_null(), self.password.is_null());
        if username != password {
            let missing = if username { "username" } else { "password" };
            let detail = format!("A user logs in with both `username` and `password`; `{missing}` is missing.");
            report.push(Diagnostic::error("Incomplete login", detail).at(below(missing)));
        }
        let (has_user, has_token) = (!(username && password), !self.bearer_token.is_null());
        if has_user && has_token {
            let detail = "It is a login, and so are `username` and `password`. Remove the one or the other.";
            report.push(Diagnostic::error("Two logins", detail).at(below("bearer_token")));
        }
        if !self.oauth.is_null() && (has_user || has_token) {
            let detail = "It gets a token, and that is not the only login. Remove the one or the other.";
            report.push(Diagnostic::error("Two logins", detail).at(below("oauth")));
        }
        let has_login = has_user || has_token || !self.oauth.is_null();
        let urls = self.url.get().into_iter().chain(self.failover_urls.get().into_iter().flatten());
        for url in urls.filter(|it| it.is_plain() && has_login) {
            let detail = format!("What logs in at `{url}` is sent readable over the network. Use `https`.");
            report.push(Diagnostic::warning("Password sent in plain text", detail).at(below("url")));
        }
        if let (Some(tls), Some(url)) = (self.tls.get(), self.url.get()) {
            tls.model.check(&format!("`{url}`"), &below("tls"), report);
        }
    }

    fn resolve(&self, at: &Path, timeout: Duration, wrong: &mut Diagnostics) -> Result<RestSettings, Path> {
        let Self { url, failover_urls, username, password, bearer_token, oauth, tls, headers } = self;
        let below = |name: &str| at.then(Step::Attribute(name.to_owned()));
        let unknown = |name: &'static str| move |_: Unknown| below(name);
        let username = username.known().map_err(unknown("username"))?;
        let password = password.known().map_err(unknown("password"))?;
        let token = bearer_token.known().map_err(unknown("bearer_token"))?;
        let basic = username.zip(password);
        let basic = basic.map(|(name, it)| Login::Basic { username: name.clone(), password: it.clone() });
        let tls = match tls.known().map_err(unknown("tls"))? {
            Some(it) => it.model.resolve(&below("tls"), wrong)?,
            None => crate::clients::kafka::Tls::default(),
        };
        let client = match oauth.known().map_err(unknown("oauth"))? {
            Some(it) => Some(it.model.resolve().map_err(unknown("oauth"))?),
            None => None,
        };
        Ok(RestSettings {
            url: url.value().map_err(unknown("url"))?.clone(),
            failover_urls: failover_urls.known().map_err(unknown("failover_urls"))?.cloned().unwrap_or_default(),
            login: token.cloned().map(Login::Bearer).or(basic).or(client.map(Login::Client)),
            tls,
            headers: headers.known().map_err(unknown("headers"))?.cloned().unwrap_or_default(),
            request_timeout: timeout,
        })
    }
}

impl OauthSettings {
    fn resolve(&self) -> Result<ClientCredentials, Unknown> {
        let Self { token_url, client_id, client_secret, scope } = self;
        Ok(ClientCredentials {
            token_url: token_url.value()?.clone(),
            client_id: client_id.value()?.clone(),
            client_secret: client_secret.value()?.clone(),
            scope: scope.known()?.cloned(),
        })
    }
}

//! The provider block that environment variables stand for where none is written.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use super::{EnvironmentSettings, OauthSettings, SaslSettings, ServiceSettings, Settings, TlsSettings};
use crate::{
    clients::{
        kafka::{HostPort, SaslMechanism, Secret},
        rest::BaseUrl,
    },
    framework::{Diagnostic, Diagnostics, Element, Nested, Optional},
};

/// The ends of the names of variables that say where tokens are got; and as whom, and for what.
const OAUTH: &str = "OAUTH_TOKEN_URL";
const OAUTH_BESIDE: [&str; 3] = ["OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_SCOPE"];

/// The settings that environment variables give, as the environment `default`; none if they name no brokers.
pub(in crate::provider) fn from_variables(
    variable: impl Fn(&str) -> Option<String>,
    default_environment: Optional<String>,
) -> Result<Settings, Diagnostics> {
    let mut variables = Variables { variable, wrong: Diagnostics::default() };
    let Some(bootstrap_servers) = variables.servers() else {
        return Ok(Settings { environments: Optional::default(), default_environment });
    };
    let environment = EnvironmentSettings {
        bootstrap_servers: bootstrap_servers.into(),
        tls: variables.tls().into(),
        sasl: variables.sasl().into(),
        principal: variables.parsed("KAFKA_PRINCIPAL").into(),
        schema_registry: variables.service("KAFKA_SCHEMA_REGISTRY").into(),
        connect: variables.service("KAFKA_CONNECT").map(|it| BTreeMap::from([("default".to_owned(), it)])).into(),
        ..EnvironmentSettings::default()
    };
    if !variables.wrong.0.is_empty() {
        return Err(variables.wrong);
    }
    Ok(Settings {
        environments: BTreeMap::from([("default".to_owned(), Nested::from(environment))]).into(),
        default_environment,
    })
}

/// Environment variables, and what is wrong with those that were read.
struct Variables<F> {
    variable: F,
    wrong: Diagnostics,
}

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    fn servers(&mut self) -> Option<Vec<Element<HostPort>>> {
        const NAME: &str = "KAFKA_BOOTSTRAP_SERVERS";
        let written = (self.variable)(NAME)?;
        let servers: Vec<&str> = written.split(',').map(str::trim).filter(|it| !it.is_empty()).collect();
        if servers.is_empty() {
            self.refuse(NAME, &"it names no broker as `host:port`");
        }
        Some(servers.into_iter().filter_map(|it| self.parse(NAME, it)).map(Element::Known).collect())
    }

    fn tls(&mut self) -> Option<Nested<TlsSettings>> {
        let is_on = self.flag("KAFKA_TLS");
        let tls = TlsSettings {
            ca: (self.variable)("KAFKA_CA").into(),
            certificate: (self.variable)("KAFKA_CLIENT_CERTIFICATE").into(),
            key: (self.variable)("KAFKA_CLIENT_KEY").map(Secret::new).into(),
            insecure: self.flag("KAFKA_TLS_INSECURE").into(),
        };
        is_on.unwrap_or(tls != TlsSettings::default()).then(|| Nested::from(tls))
    }

    fn sasl(&mut self) -> Option<Nested<SaslSettings>> {
        const NAME: &str = "KAFKA_SASL_MECHANISM";
        let beside = ["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"];
        let Some(written) = (self.variable)(NAME) else {
            self.refuse_without(NAME, beside.map(str::to_owned));
            return None;
        };
        let mechanism: SaslMechanism = self.parse(NAME, &written)?;
        let [username, password] = beside.map(|it| self.needed(NAME, it));
        Some(Nested::from(SaslSettings {
            mechanism: mechanism.into(),
            username: username.into(),
            password: Secret::new(password).into(),
        }))
    }

    /// A service, by variables that begin alike; none if they do not say where it is.
    fn service(&mut self, prefix: &str) -> Option<Nested<ServiceSettings>> {
        let name = |it: &str| format!("{prefix}_{it}");
        let url = name("URL");
        let Some(written) = (self.variable)(&url) else {
            let beside =
                ["USERNAME", "PASSWORD", "BEARER_TOKEN", "FAILOVER_URLS", OAUTH].into_iter().chain(OAUTH_BESIDE);
            self.refuse_without(&url, beside.map(name));
            return None;
        };
        let url: BaseUrl = self.parse(&url, &written)?;
        let failover_urls = self.urls(&name("FAILOVER_URLS"));
        let oauth = self.oauth(name);
        let of = |it: &str| (self.variable)(&name(it));
        let tls = of("CA").map(|it| Nested::from(TlsSettings { ca: it.into(), ..TlsSettings::default() }));
        Some(Nested::from(ServiceSettings {
            url: url.into(),
            failover_urls: failover_urls.into(),
            username: of("USERNAME").into(),
            password: of("PASSWORD").map(Secret::new).into(),
            bearer_token: of("BEARER_TOKEN").map(Secret::new).into(),
            oauth: oauth.into(),
            tls: tls.into(),
            headers: Optional::default(),
        }))
    }

    /// Addresses, separated by commas.
    fn urls(&mut self, name: &str) -> Option<Vec<BaseUrl>> {
        let written = (self.variable)(name)?;
        let urls = written.split(',').map(str::trim).filter(|it| !it.is_empty());
        Some(urls.filter_map(|it| self.parse(name, it)).collect())
    }

    /// Where a service's tokens are got.
    fn oauth(&mut self, name: impl Fn(&str) -> String) -> Option<Nested<OauthSettings>> {
        let token_url = name(OAUTH);
        let [client_id, client_secret, scope] = OAUTH_BESIDE.map(&name);
        let Some(written) = (self.variable)(&token_url) else {
            self.refuse_without(&token_url, [client_id, client_secret, scope]);
            return None;
        };
        let [client_id, client_secret] = [client_id, client_secret].map(|it| self.needed(&token_url, &it));
        Some(Nested::from(OauthSettings {
            token_url: self.parse::<BaseUrl>(&token_url, &written)?.into(),
            client_id: client_id.into(),
            client_secret: Secret::new(client_secret).into(),
            scope: (self.variable)(&scope).into(),
        }))
    }

    /// A variable without which another one says nothing.
    fn needed(&mut self, name: &str, beside: &str) -> String {
        (self.variable)(beside).unwrap_or_else(|| {
            self.refuse(name, &format!("it needs `{beside}` beside it"));
            String::new()
        })
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        match (self.variable)(name)?.as_str() {
            "false" | "0" => Some(false),
            "true" | "1" => Some(true),
            _ => {
                self.refuse(name, &"it is `true` or `false`");
                None
            }
        }
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let text = (self.variable)(name)?;
        self.parse(name, &text)
    }

    /// Reads the text of a variable, or a part of it.
    fn parse<T: FromStr<Err: Display>>(&mut self, name: &str, text: &str) -> Option<T> {
        text.parse().map_err(|error| self.refuse(name, &error)).ok()
    }

    /// Refuses variables that say nothing because another one is missing.
    fn refuse_without(&mut self, missing: &str, names: impl IntoIterator<Item = String>) {
        for name in names {
            if (self.variable)(&name).is_some() {
                self.refuse(&name, &format!("it needs `{missing}` beside it"));
            }
        }
    }

    fn refuse(&mut self, name: &str, why: &dyn Display) {
        let detail = format!("`{name}` cannot be used: {why}.");
        self.wrong.push(Diagnostic::error("Invalid environment variable", detail));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clients::kafka::Tls;

    fn given(pairs: &[(&str, &str)]) -> Result<Settings, Diagnostics> {
        let variable = |name: &str| pairs.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned());
        from_variables(variable, Optional::default())
    }

    fn environment(settings: &Settings) -> &EnvironmentSettings {
        &settings.environments.get().unwrap()["default"].model
    }

    #[test]
    fn variables_describe_one_environment() {
        let settings = given(&[
            ("KAFKA_BOOTSTRAP_SERVERS", "a:9092, b:9093"),
            ("KAFKA_TLS", "true"),
            ("KAFKA_SASL_MECHANISM", "SCRAM-SHA-512"),
            ("KAFKA_SASL_USERNAME", "u"),
            ("KAFKA_SASL_PASSWORD", "p"),
        ]);
        let settings = settings.unwrap();
        let resolved = environment(&settings).resolve("default").unwrap().unwrap();
        assert_eq!(resolved.bootstrap_servers.len(), 2);
        assert_eq!(resolved.tls, Some(Tls::default()));
        assert_eq!(resolved.sasl.unwrap().mechanism, SaslMechanism::ScramSha512);
    }

    #[test]
    fn the_caller_is_who_the_settings_say_or_the_sasl_user() {
        let servers = ("KAFKA_BOOTSTRAP_SERVERS", "a:9092");
        let caller = |pairs: &[(&str, &str)]| {
            let settings = given(&[&[servers], pairs].concat()).unwrap();
            environment(&settings).caller().map(|it| it.to_string())
        };
        let sasl = [
            ("KAFKA_SASL_MECHANISM", "PLAIN"),
            ("KAFKA_SASL_USERNAME", "ci"),
            ("KAFKA_SASL_PASSWORD", "p"),
            ("KAFKA_PRINCIPAL", "User:CN=ci"),
        ];
        assert_eq!(caller(&[]), None);
        assert_eq!(caller(&sasl[..3]).as_deref(), Some("User:ci"));
        assert_eq!(caller(&sasl).as_deref(), Some("User:CN=ci"));
        let wrong = given(&[servers, ("KAFKA_PRINCIPAL", "ci")]).unwrap_err();
        assert!(wrong.0[0].detail.contains("`ci` is no principal"), "{wrong:?}");
    }

    #[test]
    fn without_variables_there_is_no_environment() {
        assert_eq!(given(&[("KAFKA_TLS", "true")]), Ok(Settings::default()));
    }

    #[test]
    fn tls_can_be_switched_off_whatever_else_is_given() {
        let check = |pairs: &[(&str, &str)], is_on: bool| {
            let servers = [("KAFKA_BOOTSTRAP_SERVERS", "a:9092")];
            let settings = given(&[&servers[..], pairs].concat()).unwrap();
            assert_eq!(!environment(&settings).tls.is_null(), is_on, "{pairs:?}");
        };
        check(&[], false);
        check(&[("KAFKA_CA", "ca.pem")], true);
        check(&[("KAFKA_CA", "ca.pem"), ("KAFKA_TLS", "false")], false);
    }

    #[test]
    fn every_wrong_variable_is_told() {
        let wrong =
            given(&[("KAFKA_BOOTSTRAP_SERVERS", "a"), ("KAFKA_TLS", "yes"), ("KAFKA_SASL_MECHANISM", "GSSAPI")]);
        assert_eq!(wrong.unwrap_err().0.len(), 3);
        let alone = given(&[("KAFKA_BOOTSTRAP_SERVERS", "a:1"), ("KAFKA_SASL_USERNAME", "u")]);
        assert_eq!(alone.unwrap_err().0.len(), 1);
    }

    #[test]
    fn a_variable_that_says_nothing_or_lacks_another_is_named() {
        let check = |pairs: &[(&str, &str)], phrases: &[&str]| {
            let wrong = given(pairs).unwrap_err().0;
            assert_eq!(wrong.len(), phrases.len(), "{wrong:?}");
            for (wrong, phrase) in wrong.iter().zip(phrases) {
                assert!(wrong.detail.contains(phrase), "{phrase}: {wrong:?}");
            }
        };
        check(&[("KAFKA_BOOTSTRAP_SERVERS", ", ,")], &["`KAFKA_BOOTSTRAP_SERVERS` cannot be used: it names no broker"]);
        let plain = [("KAFKA_BOOTSTRAP_SERVERS", "a:1"), ("KAFKA_SASL_MECHANISM", "PLAIN")];
        check(&plain, &["it needs `KAFKA_SASL_USERNAME`", "it needs `KAFKA_SASL_PASSWORD`"]);
        check(&[plain[0], plain[1], ("KAFKA_SASL_USERNAME", "u")], &["it needs `KAFKA_SASL_PASSWORD`"]);
    }

    #[test]
    fn services_are_described_by_variables_of_their_own() {
        let settings = given(&[
            ("KAFKA_BOOTSTRAP_SERVERS", "a:9092"),
            ("KAFKA_SCHEMA_REGISTRY_URL", "https://registry.example.org"),
            ("KAFKA_SCHEMA_REGISTRY_USERNAME", "u"),
            ("KAFKA_SCHEMA_REGISTRY_PASSWORD", "p"),
            ("KAFKA_CONNECT_URL", "http://connect:8083/"),
        ]);
        let settings = settings.unwrap();
        let services = environment(&settings).resolve_services("default", Duration::ZERO).unwrap().unwrap();
        assert_eq!(services.schema_registry.unwrap().rest().url().to_string(), "https://registry.example.org");
        assert_eq!(services.connect["default"].rest().url().to_string(), "http://connect:8083");
        let wrong = given(&[
            ("KAFKA_BOOTSTRAP_SERVERS", "a:9092"),
            ("KAFKA_SCHEMA_REGISTRY_PASSWORD", "p"),
            ("KAFKA_CONNECT_URL", "http://u:hunter2@connect"),
        ]);
        let wrong = wrong.unwrap_err().0;
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[0].detail.contains("`KAFKA_SCHEMA_REGISTRY_URL`") && !wrong[1].detail.contains("hunter2"));
    }

    #[test]
    fn a_service_may_have_further_addresses_and_tokens_of_somebody_else() {
        let registry = [
            ("KAFKA_BOOTSTRAP_SERVERS", "a:9092"),
            ("KAFKA_SCHEMA_REGISTRY_URL", "https://a.example.org"),
            ("KAFKA_SCHEMA_REGISTRY_FAILOVER_URLS", "https://b.example.org, https://c.example.org/x"),
            ("KAFKA_SCHEMA_REGISTRY_OAUTH_TOKEN_URL", "https://login.example.org/token"),
            ("KAFKA_SCHEMA_REGISTRY_OAUTH_CLIENT_ID", "ci"),
            ("KAFKA_SCHEMA_REGISTRY_OAUTH_CLIENT_SECRET", "s"),
            ("KAFKA_SCHEMA_REGISTRY_OAUTH_SCOPE", "registry"),
        ];
        let settings = given(&registry).unwrap();
        let service = &environment(&settings).schema_registry.get().unwrap().model;
        assert_eq!(service.failover_urls.get().map(Vec::len), Some(2));
        let oauth = &service.oauth.get().unwrap().model;
        assert_eq!((oauth.client_id.get().unwrap().as_str(), oauth.scope.get().unwrap().as_str()), ("ci", "registry"));
        let check = |left_out: usize, phrase: &str| {
            let pairs = registry.iter().copied().enumerate().filter(|(at, _)| *at != left_out);
            let pairs: Vec<_> = pairs.map(|(_, it)| it).collect();
            let wrong = given(&pairs).unwrap_err().0;
            assert!(wrong.iter().all(|it| it.detail.contains(phrase)), "{phrase}: {wrong:?}");
        };
        check(1, "it needs `KAFKA_SCHEMA_REGISTRY_URL` beside it");
        check(3, "it needs `KAFKA_SCHEMA_REGISTRY_OAUTH_TOKEN_URL` beside it");
        check(4, "it needs `KAFKA_SCHEMA_REGISTRY_OAUTH_CLIENT_ID` beside it");
        let wrong = given(&[registry[0], registry[1], ("KAFKA_SCHEMA_REGISTRY_FAILOVER_URLS", "b.example.org")]);
        assert_eq!(wrong.unwrap_err().0.len(), 1);
    }
}

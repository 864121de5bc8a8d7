//! The provider block: what is written, and what it becomes.

mod security;
mod services;
#[cfg(test)]
mod tests;
mod variables;

use std::{collections::BTreeMap, time::Duration};

pub use security::{SaslSettings, TlsSettings};
use services::OauthSettings;
pub use services::ServiceSettings;
pub(super) use variables::from_variables;

use crate::{
    clients::kafka::{HostPort, KafkaSettings, SaslMechanism},
    framework::{Diagnostic, Diagnostics, Element, Model, Nested, Optional, Path, Required, Step, Unknown},
    governance::acl::Principal,
};

/// The `kafka` provider runs Apache Kafka as self-service: topics, applications that own them, and the rules
/// under which teams share a cluster, and the schemas and connectors beside it.
///
/// One provider block serves many clusters. Each is an *environment* with a name of its own, which resources refer to
/// by `environment`, so that a module can use `for_each` over environments.
///
/// Who acts is told by the process that runs the provider, and by no configuration: whoever can write the one may not
/// choose the other. `KAFKA_ACTING_APPLICATION` is the application for whose team it runs; without it, the principal of
/// the caller decides. `KAFKA_ACTOR` and `KAFKA_CHANGE_URL` are who made the change and where it is, as CI claims: they
/// are kept in the journal of a governed cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct Settings {
    /// The Kafka clusters, by names of your own such as `pre` and `pro`. Without it, the environment variables
    /// `KAFKA_BOOTSTRAP_SERVERS` (separated by commas), `KAFKA_TLS` (`true` or `false`), `KAFKA_CA`,
    /// `KAFKA_CLIENT_CERTIFICATE`, `KAFKA_CLIENT_KEY`, `KAFKA_TLS_INSECURE`, `KAFKA_SASL_MECHANISM`,
    /// `KAFKA_SASL_USERNAME`, `KAFKA_SASL_PASSWORD` and `KAFKA_PRINCIPAL` describe one environment named `default`;
    /// besides, `KAFKA_SCHEMA_REGISTRY_URL`, `…_FAILOVER_URLS` (separated by commas), `…_USERNAME`, `…_PASSWORD`,
    /// `…_BEARER_TOKEN`, `…_OAUTH_TOKEN_URL`, `…_OAUTH_CLIENT_ID`, `…_OAUTH_CLIENT_SECRET`, `…_OAUTH_SCOPE` and `…_CA` its
    /// schema registry, and those that begin with `KAFKA_CONNECT_` the Connect workers `default`.
    pub environments: Optional<BTreeMap<String, Nested<EnvironmentSettings>>>,
    /// Name of the environment of resources that name none. Not needed where there is only one.
    pub default_environment: Optional<String>,
}

/// How to reach one Kafka cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct EnvironmentSettings {
    /// Brokers to ask first, each as `host:port`. Any broker knows the others.
    pub bootstrap_servers: Required<Vec<Element<HostPort>>>,
    /// TLS. Without it, the brokers are spoken to in plain text; `{}` trusts the authorities of the system.
    pub tls: Optional<Nested<TlsSettings>>,
    /// SASL authentication.
    pub sasl: Optional<Nested<SaslSettings>>,
    /// Who Kafka says is calling, as `<type>:<name>`, such as `User:CN=ci.example.org`. Kafka tells it to nobody. Needed
    /// for mTLS, and where brokers map names to others. Default: `User:` and the SASL username.
    pub principal: Optional<Principal>,
    /// Time for one request, the connection included, in milliseconds. Default: 30000.
    pub request_timeout_ms: Optional<u32>,
    /// The schema registry of the cluster.
    pub schema_registry: Optional<Nested<ServiceSettings>>,
    /// Its Connect workers, by names of your own such as `main`: one for each cluster of workers.
    pub connect: Optional<BTreeMap<String, Nested<ServiceSettings>>>,
}

/// The path of a part of an environment.
fn part(environment: &str, names: &[&str]) -> Path {
    let path = Path::attribute("environments").key(environment);
    names.iter().fold(path, |path, name| path.then(Step::Attribute((*name).to_owned())))
}

impl Settings {
    /// What can be said of the settings without a cluster.
    pub(super) fn check(&self, report: &mut Diagnostics) {
        let Some(environments) = self.environments.get() else { return };
        for (name, environment) in environments {
            environment.model.check(name, report);
        }
        if let Some(default) = self.default_environment.get()
            && !environments.contains_key(default)
        {
            report.push(
                Diagnostic::error(
                    "Unknown environment",
                    format!("`{default}` is none of the `environments`: {}.", listed(environments.keys())),
                )
                .at("default_environment"),
            );
        }
    }
}

impl EnvironmentSettings {
    fn check(&self, name: &str, report: &mut Diagnostics) {
        if name.is_empty() || name.contains('/') {
            report.push(
                Diagnostic::error(
                    "Invalid environment name",
                    format!("`{name}` cannot name an environment: a name is not empty and has no `/`."),
                )
                .at(part(name, &[])),
            );
        }
        if self.request_timeout_ms.get() == Some(&0) {
            report.push(
                Diagnostic::error("Invalid request timeout", "A request takes more than no time: write 1 or more.")
                    .at(part(name, &["request_timeout_ms"])),
            );
        }
        for (at, server) in self.bootstrap_servers.get().into_iter().flatten().enumerate() {
            if *server == Element::Null {
                report.push(
                    Diagnostic::error("Missing bootstrap server", "It is null. Write `host:port`, or leave it out.")
                        .at(part(name, &["bootstrap_servers"]).then(Step::Index(at))),
                );
            }
        }
        if self.bootstrap_servers.get().is_some_and(Vec::is_empty) {
            report.push(
                Diagnostic::error("Missing bootstrap servers", "Name at least one broker as `host:port`.")
                    .at(part(name, &["bootstrap_servers"])),
            );
        }
        let tls = self.tls.get().map(|it| &it.model);
        if let Some(tls) = tls {
            tls.check(&format!("the brokers of `{name}`"), &part(name, &["tls"]), report);
        }
        let mechanism = self.sasl.get().and_then(|it| it.model.mechanism.get());
        if mechanism == Some(&SaslMechanism::Plain) && self.tls.is_null() {
            report.push(
                Diagnostic::warning(
                    "Password sent in plain text",
                    format!("SASL PLAIN without `tls` sends the password of `{name}` readable over the network."),
                )
                .at(part(name, &["sasl", "mechanism"])),
            );
        }
        self.check_services(name, report);
    }

    /// The client's settings, or the attribute that is not known yet.
    pub(super) fn resolve(&self, name: &str) -> Result<Result<KafkaSettings, Diagnostics>, Path> {
        let Self { bootstrap_servers, tls, sasl, principal: _, request_timeout_ms, schema_registry: _, connect: _ } =
            self;
        let unknown = |names: &'static [&str]| move |_: Unknown| part(name, names);
        let mut wrong = Diagnostics::default();
        let servers = bootstrap_servers.value().map_err(unknown(&["bootstrap_servers"]))?;
        let mut addresses = Vec::new();
        for (at, server) in servers.iter().enumerate() {
            match server {
                Element::Known(address) => addresses.push(address.clone()),
                Element::Unknown => return Err(part(name, &["bootstrap_servers"]).then(Step::Index(at))),
                Element::Null => {}
            }
        }
        let tls = match tls.known().map_err(unknown(&["tls"]))? {
            Some(tls) => Some(tls.model.resolve(&part(name, &["tls"]), &mut wrong)?),
            None => None,
        };
        let sasl = match sasl.known().map_err(unknown(&["sasl"]))? {
            Some(sasl) => Some(sasl.model.resolve(name)?),
            None => None,
        };
        let timeout = request_timeout_ms.known().map_err(unknown(&["request_timeout_ms"]))?;
        let settings = KafkaSettings {
            bootstrap_servers: addresses,
            tls,
            sasl,
            request_timeout: Duration::from_millis(timeout.copied().unwrap_or(30_000).into()),
            principal: self.caller(),
        };
        Ok(if wrong.has_errors() { Err(wrong) } else { Ok(settings) })
    }

    /// Who Kafka says is calling, as far as that is known.
    pub(super) fn caller(&self) -> Option<Principal> {
        let of_sasl = || self.sasl.get()?.model.username.get().map(|it| Principal::user(it));
        if self.principal.is_null() { of_sasl() } else { self.principal.get().cloned() }
    }
}

/// Names in backticks, joined with commas.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<String> = names.map(|it| format!("`{it}`")).collect();
    if names.is_empty() { "there are none".to_owned() } else { names.join(", ") }
}

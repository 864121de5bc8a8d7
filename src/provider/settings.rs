//! The provider block: what is written, and what it becomes.

mod services;

use std::{collections::BTreeMap, time::Duration};

use crate::{
    clients::kafka::{HostPort, KafkaSettings, Sasl, SaslMechanism, Secret, Tls},
    framework::{Diagnostic, Diagnostics, Element, Model, Nested, Optional, Path, Required, Step, Unknown},
    governance::acl::Principal,
};

/// The `kafka` provider runs Apache Kafka as self-service: topics, applications that own them, and the rules
/// under which teams share a cluster; schemas and connectors as they are added.
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
    /// besides, `KAFKA_SCHEMA_REGISTRY_URL`, `…_USERNAME`, `…_PASSWORD`, `…_BEARER_TOKEN` and `…_CA` its schema registry,
    /// and those that begin with `KAFKA_CONNECT_` the Connect workers `default`.
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

/// How TLS is spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct TlsSettings {
    /// Certificates of the authorities to trust instead of the system's: PEM text, or the path of a file with it.
    pub ca: Optional<String>,
    /// Certificate chain of the client, for mTLS: PEM text, or the path of a file with it.
    pub certificate: Optional<String>,
    /// Private key of the client's certificate (PKCS#8, PKCS#1 or SEC1, not encrypted): PEM text, or the path of a file
    /// with it.
    #[attr(sensitive)]
    pub key: Optional<Secret>,
    /// Whether to accept any certificate of a broker. Nobody is authenticated then: for trials only. Default: `false`.
    pub insecure: Optional<bool>,
}

/// How the caller authenticates by SASL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct SaslSettings {
    /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    pub mechanism: Required<SaslMechanism>,
    /// Name of the user.
    pub username: Required<String>,
    /// Password of the user. An ephemeral value keeps it out of saved plans.
    #[attr(sensitive)]
    pub password: Required<Secret>,
}

pub use services::ServiceSettings;

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

impl TlsSettings {
    /// What can be said of the settings at `at`, which are those of `whom`.
    fn check(&self, whom: &str, at: &Path, report: &mut Diagnostics) {
        let below = |name: &str| at.then(Step::Attribute(name.to_owned()));
        if self.insecure.get() == Some(&true) {
            let detail = format!(
                "`insecure` lets anybody on the network stand in for {whom} and read the credentials. Set `ca` to the \
                 authority that signed their certificates instead."
            );
            report.push(Diagnostic::warning("TLS certificates are not verified", detail).at(below("insecure")));
        }
        let (certificate, key) = (self.certificate.is_null(), self.key.is_null());
        if certificate != key {
            let missing = if certificate { "certificate" } else { "key" };
            let detail = format!("mTLS needs both `certificate` and `key`; `{missing}` is missing.");
            report.push(Diagnostic::error("Incomplete client certificate", detail).at(below(missing)));
        }
    }

    fn resolve(&self, at: &Path, wrong: &mut Diagnostics) -> Result<Tls, Path> {
        let Self { ca, certificate, key, insecure } = self;
        let below = |attribute: &str| at.then(Step::Attribute(attribute.to_owned()));
        let unknown = |attribute: &'static str| move |_: Unknown| below(attribute);
        let mut pem = |attribute: &'static str, given: Option<&str>| {
            given.and_then(|text| match read_pem(attribute, text) {
                Ok(pem) => Some(pem),
                Err(it) => {
                    wrong.push(it.at(below(attribute)));
                    None
                }
            })
        };
        let ca = pem("ca", ca.known().map_err(unknown("ca"))?.map(String::as_str));
        let certificate = pem("certificate", certificate.known().map_err(unknown("certificate"))?.map(String::as_str));
        let key = pem("key", key.known().map_err(unknown("key"))?.map(Secret::expose));
        if key.as_ref().is_some_and(|it| it.contains("ENCRYPTED")) {
            wrong.push(
                Diagnostic::error(
                    "Encrypted private key",
                    "Encrypted private keys are not supported. Decrypt it, for example with `openssl pkey`, and keep it \
                     in a secret store.",
                )
                .at(below("key")),
            );
        }
        let client = certificate.zip(key.map(Secret::new));
        let insecure = insecure.known().map_err(unknown("insecure"))?.copied().unwrap_or(false);
        Ok(Tls { ca, client, insecure })
    }
}

impl SaslSettings {
    fn resolve(&self, name: &str) -> Result<Sasl, Path> {
        let Self { mechanism, username, password } = self;
        let unknown = |attribute: &'static str| move |_: Unknown| part(name, &["sasl", attribute]);
        Ok(Sasl {
            mechanism: *mechanism.value().map_err(unknown("mechanism"))?,
            username: username.value().map_err(unknown("username"))?.clone(),
            password: password.value().map_err(unknown("password"))?.clone(),
        })
    }
}

/// A PEM text, or the content of the file that it names. A message shows the name unless it may be a key: those are
/// written without dots.
fn read_pem(attribute: &str, text: &str) -> Result<String, Diagnostic> {
    if text.contains("-----BEGIN") {
        return Ok(text.to_owned());
    }
    // A key pasted without its first line must not come out as the name of a missing file.
    if text.contains('\n') || 1024 < text.len() {
        return Err(Diagnostic::error(
            "Invalid PEM",
            "It is neither PEM text, which has a line `-----BEGIN …-----`, nor the path of a file.",
        ));
    }
    let file = if attribute != "key" || text.contains('.') { format!("file `{text}`") } else { "file".to_owned() };
    let pem = std::fs::read_to_string(text).map_err(|error| {
        let detail = format!(
            "It is no PEM text, which begins with `-----BEGIN`, and so the path of a file. The {file} cannot be read."
        );
        Diagnostic::error("Unreadable PEM file", detail).caused_by(&error)
    })?;
    if pem.contains("-----BEGIN") {
        Ok(pem)
    } else {
        let detail = format!("The {file} has no line `-----BEGIN …-----`, so it holds no PEM text.");
        Err(Diagnostic::error("Invalid PEM", detail))
    }
}

/// The settings that environment variables give, as the environment `default`; none if they name no brokers.
pub(super) fn from_variables(
    variable: impl Fn(&str) -> Option<String>,
    default_environment: Optional<String>,
) -> Result<Settings, Diagnostics> {
    let Some(servers) = variable("KAFKA_BOOTSTRAP_SERVERS") else {
        return Ok(Settings { environments: Optional::default(), default_environment });
    };
    let mut wrong = Diagnostics::default();
    let mut refuse = |name: &str, why: &dyn std::fmt::Display| {
        wrong.push(Diagnostic::error("Invalid environment variable", format!("`{name}` cannot be used: {why}.")));
    };
    let mut addresses = Vec::new();
    let servers: Vec<&str> = servers.split(',').map(str::trim).filter(|it| !it.is_empty()).collect();
    if servers.is_empty() {
        refuse("KAFKA_BOOTSTRAP_SERVERS", &"it names no broker as `host:port`");
    }
    for server in servers {
        match server.parse() {
            Ok(address) => addresses.push(Element::Known(address)),
            Err(error) => refuse("KAFKA_BOOTSTRAP_SERVERS", &error),
        }
    }
    let mut flag = |name: &str| match variable(name).as_deref() {
        None => None,
        Some("false" | "0") => Some(false),
        Some("true" | "1") => Some(true),
        Some(_) => {
            refuse(name, &"it is `true` or `false`");
            None
        }
    };
    let (enabled, insecure) = (flag("KAFKA_TLS"), flag("KAFKA_TLS_INSECURE"));
    let tls = TlsSettings {
        ca: variable("KAFKA_CA").into(),
        certificate: variable("KAFKA_CLIENT_CERTIFICATE").into(),
        key: variable("KAFKA_CLIENT_KEY").map(Secret::new).into(),
        insecure: insecure.into(),
    };
    let tls = enabled.unwrap_or(tls != TlsSettings::default()).then(|| Nested::from(tls));
    let sasl = match variable("KAFKA_SASL_MECHANISM") {
        None => {
            for name in ["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"] {
                if variable(name).is_some() {
                    refuse(name, &"it needs `KAFKA_SASL_MECHANISM` beside it");
                }
            }
            None
        }
        Some(mechanism) => match mechanism.parse::<SaslMechanism>() {
            Ok(mechanism) => {
                let mut beside = |name: &str| {
                    variable(name).unwrap_or_else(|| {
                        refuse("KAFKA_SASL_MECHANISM", &format!("it needs `{name}` beside it"));
                        String::new()
                    })
                };
                let (username, password) = (beside("KAFKA_SASL_USERNAME"), beside("KAFKA_SASL_PASSWORD"));
                Some(Nested::from(SaslSettings {
                    mechanism: mechanism.into(),
                    username: username.into(),
                    password: Secret::new(password).into(),
                }))
            }
            Err(error) => {
                refuse("KAFKA_SASL_MECHANISM", &error);
                None
            }
        },
    };
    let principal: Option<Principal> = variable("KAFKA_PRINCIPAL").and_then(|it| match it.parse() {
        Ok(principal) => Some(principal),
        Err(error) => {
            refuse("KAFKA_PRINCIPAL", &error);
            None
        }
    });
    let schema_registry = services::from_variables("KAFKA_SCHEMA_REGISTRY", &variable, &mut refuse);
    let connect = services::from_variables("KAFKA_CONNECT", &variable, &mut refuse);
    if !wrong.0.is_empty() {
        return Err(wrong);
    }
    let environment = EnvironmentSettings {
        bootstrap_servers: addresses.into(),
        tls: tls.into(),
        sasl: sasl.into(),
        principal: principal.into(),
        schema_registry: schema_registry.into(),
        connect: connect.map(|it| BTreeMap::from([("default".to_owned(), it)])).into(),
        ..EnvironmentSettings::default()
    };
    Ok(Settings {
        environments: BTreeMap::from([("default".to_owned(), Nested::from(environment))]).into(),
        default_environment,
    })
}

/// Names in backticks, joined with commas.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<String> = names.map(|it| format!("`{it}`")).collect();
    if names.is_empty() { "there are none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::{Value, schema, validated};

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
    fn an_unknown_password_is_told_by_its_path() {
        let sasl = SaslSettings {
            mechanism: SaslMechanism::Plain.into(),
            username: "u".to_owned().into(),
            password: Required::unknown(),
        };
        let settings = EnvironmentSettings {
            bootstrap_servers: vec![Element::Known("a:1".parse().unwrap())].into(),
            sasl: Nested::from(sasl).into(),
            ..EnvironmentSettings::default()
        };
        let path = settings.resolve("pre").unwrap_err();
        assert_eq!(path.to_string(), r#"environments["pre"].sasl.password"#);
    }

    #[test]
    fn a_key_is_never_shown_as_a_file_name() {
        for text in ["MIIEvQIBADANBg\nsecret", "MIIEvQIBADANBgsecret"] {
            let error = read_pem("key", text).unwrap_err();
            assert!(!format!("{error:?}").contains("secret"), "{text:?}");
        }
        let error = read_pem("ca", "absent.pem").unwrap_err();
        assert_eq!(error.summary, "Unreadable PEM file");
        assert!(error.detail.contains("The file `absent.pem` cannot be read"), "{error:?}");
    }

    #[test]
    fn what_opens_the_credentials_to_the_network_is_a_warning() {
        let sasl = |mechanism: SaslMechanism| {
            let password = Secret::new("p".to_owned()).into();
            Nested::from(SaslSettings { mechanism: mechanism.into(), username: "u".to_owned().into(), password })
        };
        let tls = |insecure: bool| Nested::from(TlsSettings { insecure: insecure.into(), ..TlsSettings::default() });
        let check = |tls: Option<Nested<TlsSettings>>, mechanism: SaslMechanism, expected: &[(&str, &str)]| {
            let bootstrap_servers = vec![Element::Known("a:1".parse().unwrap())].into();
            let (tls, sasl) = (tls.into(), sasl(mechanism).into());
            let settings = EnvironmentSettings { bootstrap_servers, tls, sasl, ..EnvironmentSettings::default() };
            let mut report = Diagnostics::default();
            settings.check("dev", &mut report);
            assert!(!report.has_errors(), "{report:?}");
            let told: Vec<_> =
                report.0.iter().map(|it| (it.summary.as_str(), it.path.as_ref().unwrap().to_string())).collect();
            let expected: Vec<_> = expected.iter().map(|(summary, path)| (*summary, (*path).to_owned())).collect();
            assert_eq!(told, expected);
        };
        let plain = [("Password sent in plain text", r#"environments["dev"].sasl.mechanism"#)];
        let unverified = [("TLS certificates are not verified", r#"environments["dev"].tls.insecure"#)];
        check(None, SaslMechanism::Plain, &plain);
        check(None, SaslMechanism::ScramSha256, &[]);
        check(Some(tls(false)), SaslMechanism::Plain, &[]);
        check(Some(tls(true)), SaslMechanism::Plain, &unverified);
    }

    fn service(url: &str) -> ServiceSettings {
        ServiceSettings {
            url: url.parse::<crate::clients::rest::BaseUrl>().unwrap().into(),
            ..ServiceSettings::default()
        }
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
        assert_eq!(services.schema_registry.unwrap().url().to_string(), "https://registry.example.org");
        assert_eq!(services.connect["default"].url().to_string(), "http://connect:8083");
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
    fn what_is_wrong_with_a_service_is_told_at_its_attribute() {
        let registry = ServiceSettings { username: "u".to_owned().into(), ..service("http://r") };
        let worker = ServiceSettings {
            username: "u".to_owned().into(),
            password: Secret::new("p").into(),
            bearer_token: Secret::new("t").into(),
            tls: Nested::from(TlsSettings { certificate: "c".to_owned().into(), ..TlsSettings::default() }).into(),
            ..service("https://c")
        };
        let environment = EnvironmentSettings {
            bootstrap_servers: vec![Element::Known("a:1".parse().unwrap())].into(),
            schema_registry: Nested::from(registry).into(),
            connect: BTreeMap::from([("main".to_owned(), Nested::from(worker))]).into(),
            ..EnvironmentSettings::default()
        };
        let mut report = Diagnostics::default();
        environment.check("dev", &mut report);
        let told: Vec<_> =
            report.0.iter().map(|it| (it.summary.as_str(), it.path.as_ref().unwrap().to_string())).collect();
        let at = |rest: &str| format!(r#"environments["dev"].{rest}"#);
        let expected = [
            ("Incomplete login", at("schema_registry.password")),
            ("Password sent in plain text", at("schema_registry.url")),
            ("Two logins", at(r#"connect["main"].bearer_token"#)),
            ("Incomplete client certificate", at(r#"connect["main"].tls.key"#)),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_service_that_is_not_known_yet_is_told_by_its_path_and_leaves_the_brokers() {
        let registry = ServiceSettings { password: Optional::unknown(), ..service("https://r") };
        let environment = EnvironmentSettings {
            bootstrap_servers: vec![Element::Known("a:1".parse().unwrap())].into(),
            schema_registry: Nested::from(registry).into(),
            ..EnvironmentSettings::default()
        };
        assert!(environment.resolve("pre").unwrap().is_ok());
        let path = environment.resolve_services("pre", Duration::ZERO).unwrap_err();
        assert_eq!(path.to_string(), r#"environments["pre"].schema_registry.password"#);
    }

    #[test]
    fn an_encrypted_private_key_is_refused() {
        let key = |kind: &str| format!("-----BEGIN {kind}-----\nAA==\n-----END {kind}-----\n");
        let refused = |key: String| {
            let tls = TlsSettings { key: Secret::new(key).into(), ..TlsSettings::default() };
            let mut wrong = Diagnostics::default();
            tls.resolve(&part("dev", &["tls"]), &mut wrong).unwrap();
            wrong.0
        };
        let wrong = refused(key("ENCRYPTED PRIVATE KEY"));
        assert_eq!(wrong.len(), 1);
        assert_eq!(wrong[0].summary, "Encrypted private key");
        assert_eq!(wrong[0].path.as_ref().unwrap().to_string(), r#"environments["dev"].tls.key"#);
        assert_eq!(refused(key("PRIVATE KEY")), []);
    }

    #[test]
    fn a_bootstrap_server_that_is_null_is_told_at_its_index() {
        let servers = vec![Element::Known("a:1".parse().unwrap()), Element::Null, Element::Unknown];
        let environment = EnvironmentSettings { bootstrap_servers: servers.into(), ..EnvironmentSettings::default() };
        let mut report = Diagnostics::default();
        environment.check("dev", &mut report);
        assert_eq!(report.0.len(), 1);
        assert_eq!(report.0[0].summary, "Missing bootstrap server");
        assert_eq!(report.0[0].path.as_ref().unwrap().to_string(), r#"environments["dev"].bootstrap_servers[1]"#);
    }

    #[test]
    fn what_cannot_be_read_hides_nothing_of_the_rest() {
        let object = |parts: &[(&str, Value)]| {
            Value::Object(parts.iter().map(|(name, it)| ((*name).to_owned(), it.clone())).collect())
        };
        let half = object(&[("certificate", "c".into())]);
        let servers = Value::List(vec!["a:1".into(), "b".into()]);
        let environment =
            object(&[("bootstrap_servers", servers), ("tls", half), ("request_timeout_ms", Value::from(-5))]);
        let environments = Value::Map([("a/b".to_owned(), environment), ("c".to_owned(), Value::Null)].into());
        let config = object(&[("environments", environments), ("default_environment", "d".into())]);
        let wrong = validated(&schema::<Settings>(), config, Settings::check);
        let mut told: Vec<_> = wrong.0.iter().map(|it| it.path.as_ref().unwrap().to_string()).collect();
        told.sort();
        let expected = [
            "default_environment",
            r#"environments["a/b"]"#,
            r#"environments["a/b"].bootstrap_servers[1]"#,
            r#"environments["a/b"].request_timeout_ms"#,
            r#"environments["a/b"].tls.key"#,
            r#"environments["c"]"#,
        ];
        assert_eq!(told, expected, "{wrong:?}");
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let tls = TlsSettings { certificate: "c".to_owned().into(), ..TlsSettings::default() };
        let environment = EnvironmentSettings {
            bootstrap_servers: Vec::new().into(),
            tls: Nested::from(tls).into(),
            ..EnvironmentSettings::default()
        };
        let settings = Settings {
            environments: BTreeMap::from([("a/b".to_owned(), Nested::from(environment))]).into(),
            default_environment: "c".to_owned().into(),
        };
        let mut report = Diagnostics::default();
        settings.check(&mut report);
        let summaries: Vec<&str> = report.0.iter().map(|it| it.summary.as_str()).collect();
        assert_eq!(
            summaries,
            [
                "Invalid environment name",
                "Missing bootstrap servers",
                "Incomplete client certificate",
                "Unknown environment"
            ]
        );
    }
}

//! What is told of the provider block, and where.

use super::*;
use crate::{
    clients::kafka::Secret,
    framework::{Value, schema, validated},
};

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
    ServiceSettings { url: url.parse::<crate::clients::rest::BaseUrl>().unwrap().into(), ..ServiceSettings::default() }
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
    let told: Vec<_> = report.0.iter().map(|it| (it.summary.as_str(), it.path.as_ref().unwrap().to_string())).collect();
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
    let environment = object(&[("bootstrap_servers", servers), ("tls", half), ("request_timeout_ms", Value::from(-5))]);
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

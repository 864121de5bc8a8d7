//! The provider: its settings, what they become, and the list of what there is.

mod connects;
mod environment;
mod governance;
mod rules;
mod settings;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub use environment::{Claimed, Context, Environment};
pub use governance::{Acting, Governance, Governing};
pub use rules::{Ending, Rules, rules_of_cluster};
pub use settings::{EnvironmentSettings, SaslSettings, ServiceSettings, Settings, TlsSettings};

use crate::{
    clients::{
        kafka::{self, Kafka, Secret},
        rest::{BaseUrlError, Services, Webhook},
    },
    data_sources::{
        access_requests::AccessRequests, acls::Acls, applications::Applications, cluster::Cluster,
        connector::DescribedConnector, connector_plugins::ConnectorPlugins, consumer_group::ConsumerGroup,
        environment::DeclaredEnvironment, environments::DeclaredEnvironments, grants::Grants, quotas::Quotas,
        schema::RegisteredSchema, subjects::Subjects, topics::Topics, user_scram_credentials::UserScramCredentials,
    },
    framework::{Diagnostic, Diagnostics, Failure, Optional, Provider, Registry},
    functions::{
        acl_preset::AclPreset, avro_canonical_form::AvroCanonicalForm, parse_name::ParseName, render_name::RenderName,
    },
    resources::{
        access_decision::AccessDecision, access_request::AccessRequest, acl::Acl, application::Application,
        connector::Connector, environment::Environment as EnvironmentResource, quota::Quota, schema::Schema,
        topic::Topic, user_scram_credential::UserScramCredential,
    },
};

/// The provider `selfserve/kafka`.
#[derive(Debug)]
pub enum KafkaProvider {}

impl Provider for KafkaProvider {
    const NAME: &'static str = "kafka";
    type Settings = Settings;
    type Context = Context;

    fn registry() -> Registry<Context> {
        Registry::new()
            .data_source::<AccessRequests>()
            .data_source::<Acls>()
            .data_source::<Applications>()
            .data_source::<Cluster>()
            .data_source::<ConnectorPlugins>()
            .data_source::<ConsumerGroup>()
            .data_source::<DeclaredEnvironment>()
            .data_source::<DeclaredEnvironments>()
            .data_source::<DescribedConnector>()
            .data_source::<Grants>()
            .data_source::<Quotas>()
            .data_source::<RegisteredSchema>()
            .data_source::<Subjects>()
            .data_source::<Topics>()
            .data_source::<UserScramCredentials>()
            .function::<AclPreset>()
            .function::<AvroCanonicalForm>()
            .function::<ParseName>()
            .function::<RenderName>()
            .resource::<AccessDecision>()
            .resource::<AccessRequest>()
            .resource::<Acl>()
            .resource::<Application>()
            .resource::<Connector>()
            .resource::<EnvironmentResource>()
            .resource::<Quota>()
            .resource::<Schema>()
            .resource::<Topic>()
            .resource::<UserScramCredential>()
    }

    fn validate(settings: &Settings, report: &mut Diagnostics) {
        settings.check(report);
    }

    async fn configure(settings: Settings, report: &mut Diagnostics) -> Result<Context, Failure> {
        let acting = Arc::new(Acting::from_variables(variable)?);
        if !settings.environments.is_null() {
            return context(&settings, &acting).map_err(Failure::Told);
        }
        let settings = settings::from_variables(variable, settings.default_environment)?;
        // Terraform has only the provider block checked, and knows nothing of variables.
        settings.check(report);
        if report.has_errors() {
            return Err(std::mem::take(report).into());
        }
        context(&settings, &acting).map_err(Failure::Told)
    }
}

/// An environment variable that is not empty.
#[allow(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|it| !it.is_empty())
}

/// The cluster that environment variables name, for commands that have no provider block, and who acts there.
///
/// # Errors
/// What is wrong with the variables, or that they name no brokers.
pub fn from_variables() -> Result<(Arc<dyn Kafka>, Acting), Diagnostics> {
    let environment = environment_from_variables()?;
    let kafka = environment.shared_kafka().map_err(|_| no_brokers())?;
    Ok((kafka, environment.acting.as_ref().clone()))
}

/// The environment of that cluster.
///
/// # Errors
/// As for [`from_variables`].
pub fn environment_from_variables() -> Result<Arc<Environment>, Diagnostics> {
    let acting = Acting::from_variables(variable)?;
    let settings = settings::from_variables(variable, Optional::default())?;
    let mut report = Diagnostics::default();
    settings.check(&mut report);
    if report.has_errors() {
        return Err(report);
    }
    let environments = context(&settings, &Arc::new(acting))?.environments;
    let environment = environments.ok().and_then(|it| it.into_values().next());
    Ok(environment.ok_or_else(no_brokers)?)
}

fn no_brokers() -> Diagnostic {
    Diagnostic::error("No brokers", "Set `KAFKA_BOOTSTRAP_SERVERS` to the addresses of brokers.")
}

/// Who is told of requests that reach an end.
fn notices() -> Result<Option<Arc<Webhook>>, Diagnostics> {
    let Some(url) = variable("KAFKA_WEBHOOK_URL") else { return Ok(None) };
    let url = url.parse().map_err(|error: BaseUrlError| {
        let detail = format!("`KAFKA_WEBHOOK_URL` cannot be used: {error}.");
        Diagnostic::error("Invalid environment variable", detail)
    })?;
    Ok(Some(Arc::new(Webhook::new(url, variable("KAFKA_WEBHOOK_TOKEN").map(Secret::new)))))
}

/// Makes the context. What is not known yet is remembered by its path and fails those that need it.
fn context(settings: &Settings, acting: &Arc<Acting>) -> Result<Context, Diagnostics> {
    let Settings { environments, default_environment } = settings;
    let notices = notices()?;
    let (mut wrong, notes) = (Diagnostics::default(), Arc::default());
    let environments =
        environments.known().map_err(|_| "`environments` of the provider block".to_owned()).map(|named| {
            let mut res = BTreeMap::new();
            for (name, environment) in named.into_iter().flatten() {
                let mut timeout = Duration::from_secs(30);
                let client = match environment.model.resolve(name) {
                    Ok(Ok(settings)) => {
                        timeout = settings.request_timeout;
                        Ok(kafka::connect(settings))
                    }
                    Ok(Err(diagnostics)) => {
                        wrong.append(diagnostics);
                        continue;
                    }
                    Err(path) => Err(format!("`{path}` of the provider block")),
                };
                let principal = environment.model.caller();
                let mut services_unknown = None;
                let services = match environment.model.resolve_services(name, timeout) {
                    Ok(Ok(services)) => services,
                    Ok(Err(diagnostics)) => {
                        wrong.append(diagnostics);
                        continue;
                    }
                    // They are looked at when it is known where they are.
                    Err(path) => {
                        services_unknown = Some(format!("`{path}` of the provider block"));
                        Services::default()
                    }
                };
                let environment = Environment::with(name.clone(), client).acting(acting.clone(), principal);
                let mut environment = environment.beside(services).telling(notices.clone());
                if let Some(what) = services_unknown {
                    environment = environment.beside_unknown(what);
                }
                res.insert(name.clone(), Arc::new(environment.noting(&notes)));
            }
            res
        });
    let default = default_environment.known().map(Option::<&String>::cloned);
    let default = default.map_err(|_| "`default_environment` of the provider block".to_owned());
    if wrong.has_errors() { Err(wrong) } else { Ok(Context { environments, default }) }
}

//! `data.kafka_connector_plugins`: what is installed on Connect workers.

use crate::{
    clients::connect::{Definition, Plugin},
    framework::{Call, Computed, DataSource, Diagnostic, Failure, Model, Nested, Optional, OptionalComputed},
    provider::Context,
};

/// The classes that the workers of a Connect cluster have installed: connectors, converters, transforms and so on. For one of
/// them, the keys that its configuration knows as well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ConnectorPluginsModel {
    /// Name of the environment. Default: the provider's default environment.
    environment: OptionalComputed<String>,
    /// `<environment>/<connect>`.
    id: Computed<String>,
    /// Name of the Connect cluster in the provider block. Default: the only one.
    connect: OptionalComputed<String>,
    /// Class whose keys are shown, in full or short as `connector.class` may have it. Default: none.
    class: Optional<String>,
    /// Version of the workers.
    version: Computed<String>,
    /// The classes, in order.
    plugins: Computed<Vec<Nested<PluginModel>>>,
    /// The keys that `class` knows, as the workers list them. Null without `class`.
    definitions: Computed<Vec<Nested<DefinitionModel>>>,
}

/// A class that is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct PluginModel {
    /// Its full name.
    class: Computed<String>,
    /// `source`, `sink`, `converter`, `header_converter`, `transformation`, `predicate` and so on.
    r#type: Computed<String>,
    /// Its version, where it has one.
    version: Computed<String>,
}

/// A key that a class knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct DefinitionModel {
    /// The key.
    name: Computed<String>,
    /// `STRING`, `INT`, `PASSWORD` and so on.
    r#type: Computed<String>,
    /// Whether it has to be set.
    required: Computed<bool>,
    /// What it is where it is not set; null where it has no default.
    default: Computed<String>,
    /// `HIGH`, `MEDIUM` or `LOW`.
    importance: Computed<String>,
    /// What it is for, in the words of the class.
    documentation: Computed<String>,
    /// What it belongs to; null for nothing in particular.
    group: Computed<String>,
}

/// The data source.
#[derive(Debug)]
pub enum ConnectorPlugins {}

impl DataSource<Context> for ConnectorPlugins {
    const NAME: &'static str = "connector_plugins";
    type Model = ConnectorPluginsModel;

    async fn read(
        ctx: &Context,
        config: ConnectorPluginsModel,
        call: &mut Call,
    ) -> Result<ConnectorPluginsModel, Failure> {
        let environment = ctx.environment(config.environment.get().map(String::as_str))?;
        let (named, connect) = environment.connect(config.connect.known()?.map(String::as_str))?;
        let definitions = match config.class.known()? {
            None => None,
            Some(class) => {
                let found = connect.definitions(class, call.deadline).await?;
                Some(found.ok_or_else(|| absent(class))?)
            }
        };
        let definitions = definitions.map(|it| it.into_iter().map(shown).collect::<Vec<_>>());
        let plugins = connect.plugins(call.deadline).await?.iter().cloned().map(plugin).collect::<Vec<_>>();
        Ok(ConnectorPluginsModel {
            environment: environment.name.clone().into(),
            id: format!("{}/{named}", environment.name).into(),
            connect: named.to_owned().into(),
            version: connect.version(call.deadline).await?.to_owned().into(),
            plugins: plugins.into(),
            definitions: definitions.into(),
            ..config
        })
    }
}

fn plugin(Plugin { class, kind, version }: Plugin) -> Nested<PluginModel> {
    Nested::from(PluginModel { class: class.into(), r#type: kind.into(), version: version.into() })
}

fn shown(it: Definition) -> Nested<DefinitionModel> {
    let Definition { name, kind, required, default, importance, documentation, group } = it;
    Nested::from(DefinitionModel {
        name: name.into(),
        r#type: kind.into(),
        required: required.into(),
        default: default.into(),
        importance: importance.into(),
        documentation: documentation.into(),
        group: group.into(),
    })
}

fn absent(class: &str) -> Failure {
    let detail = format!(
        "The workers have no class `{class}`, or do not tell its keys, as before Kafka 3.2.\n\nCorrect it: without `class`, \
         `plugins` lists those that are installed."
    );
    Diagnostic::error("No such plugin", detail).at("class").into()
}

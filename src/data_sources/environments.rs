//! `data.kafka_environments`: the environments that are declared on the clusters of the provider block.

use std::collections::BTreeMap;

use crate::{
    framework::{Call, Computed, DataSource, Failure, Model, Nested, Optional},
    governance::environment::EnvironmentSpec,
    provider::Context,
};

/// The environments that are declared on the clusters of the provider block, in the order of the provider's names for
/// them. Clusters on which none is declared are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct EnvironmentsModel {
    /// Always `environments`.
    id: Computed<String>,
    /// Where they stand between development and production. Default: wherever.
    stage: Optional<String>,
    /// Where they run. Default: wherever.
    hosting: Optional<String>,
    /// Labels that they have, among others. Default: any.
    labels: Optional<BTreeMap<String, String>>,
    /// Names of the provider's environments that were found, for `for_each`.
    ids: Computed<Vec<String>>,
    /// The environments.
    environments: Computed<Vec<Nested<FoundEnvironmentModel>>>,
}

/// An environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct FoundEnvironmentModel {
    /// Name of the provider's environment, for the `environment` of resources.
    environment: Computed<String>,
    /// Id of the cluster.
    cluster_id: Computed<String>,
    /// Name by which people know it.
    name: Computed<String>,
    /// Where it stands between development and production.
    stage: Computed<String>,
    /// Where it runs.
    hosting: Computed<String>,
    /// Free words to find it by.
    labels: Computed<BTreeMap<String, String>>,
}

/// The data source.
#[derive(Debug)]
pub enum DeclaredEnvironments {}

impl DataSource<Context> for DeclaredEnvironments {
    const NAME: &'static str = "environments";
    type Model = EnvironmentsModel;

    async fn read(ctx: &Context, config: EnvironmentsModel, call: &mut Call) -> Result<EnvironmentsModel, Failure> {
        let mut found = Vec::new();
        for environment in ctx.environments()? {
            let governance = environment.governance_now(call.deadline).await?;
            let declared = governance.as_ref().and_then(|it| it.snapshot.state.environment());
            let Some(it) = declared.map(|it| &it.spec).filter(|it| config.wants(it)) else { continue };
            found.push(FoundEnvironmentModel {
                environment: environment.name.clone().into(),
                cluster_id: environment.cluster_id(call.deadline).await?.to_owned().into(),
                name: it.name.to_string().into(),
                stage: it.stage.clone().into(),
                hosting: it.hosting.clone().into(),
                labels: it.labels.clone().into(),
            });
        }
        let ids: Vec<String> = found.iter().filter_map(|it| it.environment.get().cloned()).collect();
        Ok(EnvironmentsModel {
            id: "environments".to_owned().into(),
            ids: ids.into(),
            environments: found.into_iter().map(Nested::from).collect::<Vec<_>>().into(),
            ..config
        })
    }
}

impl EnvironmentsModel {
    /// Whether an environment is one of those that are looked for.
    fn wants(&self, spec: &EnvironmentSpec) -> bool {
        self.stage.get().is_none_or(|it| spec.stage.as_ref() == Some(it))
            && self.hosting.get().is_none_or(|it| spec.hosting.as_ref() == Some(it))
            && self.labels.get().is_none_or(|it| it.iter().all(|(key, value)| spec.labels.get(key) == Some(value)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::{
        clients::memory::MemoryCluster,
        data_sources::environment::tests::declared,
        framework::{Diagnostics, Provider, Value},
        provider::{Environment, KafkaProvider},
    };

    /// The names of the environments that a filter finds among three clusters, of which one has no environment.
    async fn found(filter: &[(&str, Value)]) -> Value {
        let pre = declared(json!({"name": "pre", "stage": "test", "labels": {"region": "eu", "team": "x"}})).await;
        let pro =
            declared(json!({"name": "pro", "stage": "production", "hosting": "azure", "labels": {"region": "eu"}}));
        let (pro, plain) = (pro.await, Arc::new(MemoryCluster::new(1)));
        let environments = [("a", pre), ("b", plain), ("c", pro)];
        let ctx = Context::new(environments.map(|(name, cluster)| Environment::new(name, cluster)), None);
        let data_source = KafkaProvider::registry().data_sources.remove("environments").unwrap();
        let attributes = data_source.schema().attributes.keys();
        let mut config: BTreeMap<_, _> = attributes.map(|it| ((*it).to_owned(), Value::Null)).collect();
        config.extend(filter.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let (it, report) = data_source.read(&ctx, Value::Object(config)).await;
        assert_eq!(report, Diagnostics::default());
        it.attribute("ids").clone()
    }

    #[tokio::test]
    async fn environments_are_found_by_their_labels() {
        let list = |names: &[&str]| Value::List(names.iter().map(|it| (*it).into()).collect());
        let region = |it: &str| Value::Map(BTreeMap::from([("region".to_owned(), it.into())]));
        assert_eq!(found(&[]).await, list(&["a", "c"]));
        assert_eq!(found(&[("labels", region("eu"))]).await, list(&["a", "c"]));
        assert_eq!(found(&[("labels", region("us"))]).await, list(&[]));
        assert_eq!(found(&[("hosting", "azure".into())]).await, list(&["c"]));
        assert_eq!(found(&[("stage", "test".into()), ("labels", region("eu"))]).await, list(&["a"]));
    }
}

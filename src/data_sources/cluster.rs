//! `data.kafka_cluster`: the cluster behind an environment.

use crate::{
    framework::{Call, Computed, DataSource, Failure, Model, Nested, OptionalComputed},
    provider::Context,
};

/// The Kafka cluster behind an environment: its id and its brokers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ClusterModel {
    /// Name of the environment. Default: the provider's default environment.
    environment: OptionalComputed<String>,
    /// Id of the cluster, the same as `cluster_id`.
    id: Computed<String>,
    /// Id of the cluster, as its brokers tell it.
    cluster_id: Computed<String>,
    /// Node id of the active controller; null where the brokers do not tell.
    controller_id: Computed<i32>,
    /// The live brokers, in the order of their node ids.
    brokers: Computed<Vec<Nested<BrokerModel>>>,
}

/// A broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct BrokerModel {
    /// Node id.
    id: Computed<i32>,
    /// Host that it advertises.
    host: Computed<String>,
    /// Port that it advertises.
    port: Computed<i32>,
    /// Rack or availability zone (`broker.rack`); null where it has none.
    rack: Computed<String>,
}

/// The data source.
#[derive(Debug)]
pub enum Cluster {}

impl DataSource<Context> for Cluster {
    const NAME: &'static str = "cluster";
    type Model = ClusterModel;

    async fn read(ctx: &Context, config: ClusterModel, call: &mut Call) -> Result<ClusterModel, Failure> {
        let environment = ctx.environment(config.environment.get().map(String::as_str))?;
        let cluster = environment.kafka()?.cluster(call.deadline).await?;
        let broker = |it: crate::clients::kafka::Broker| {
            Nested::from(BrokerModel {
                id: it.id.into(),
                host: it.host.into(),
                port: i32::from(it.port).into(),
                rack: it.rack.into(),
            })
        };
        Ok(ClusterModel {
            environment: environment.name.clone().into(),
            id: cluster.id.clone().into(),
            cluster_id: cluster.id.into(),
            controller_id: cluster.controller.into(),
            brokers: cluster.brokers.into_iter().map(broker).collect::<Vec<_>>().into(),
        })
    }
}

//! `data.kafka_consumer_group`: a consumer group of an environment.

use crate::{
    clients::kafka::GroupMember,
    framework::{
        Call, Computed, DataSource, Diagnostic, Diagnostics, Failure, Model, Nested, OptionalComputed, Required,
    },
    provider::Context,
};

/// A consumer group of an environment: its state, who consumes in it, and which broker coordinates it.
///
/// A group exists from its first member or its first committed offset until the broker removes it, some time after both
/// are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ConsumerGroupModel {
    /// Name of the environment. Default: the provider's default environment.
    environment: OptionalComputed<String>,
    /// Identifier of the group: `<environment>/<group_id>`.
    id: Computed<String>,
    /// Id of the group, as its consumers have it in `group.id`.
    group_id: Required<String>,
    /// State of the group in Kafka's words: `Empty` has no members, `Stable` has members that consume, and in
    /// `PreparingRebalance`, `CompletingRebalance`, `Assigning` and `Reconciling` they divide the partitions anew.
    state: Computed<String>,
    /// Node id of the broker that coordinates the group.
    coordinator_id: Computed<i32>,
    /// The members, in the order of their client ids and hosts.
    members: Computed<Vec<Nested<MemberModel>>>,
}

/// A consumer in the group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct MemberModel {
    /// What the consumer calls itself (`client.id`).
    client_id: Computed<String>,
    /// Address that it connects from.
    host: Computed<String>,
}

/// The data source.
#[derive(Debug)]
pub enum ConsumerGroup {}

impl DataSource<Context> for ConsumerGroup {
    const NAME: &'static str = "consumer_group";
    type Model = ConsumerGroupModel;

    fn validate(config: &ConsumerGroupModel, report: &mut Diagnostics) {
        if config.group_id.get().is_some_and(String::is_empty) {
            let detail = "The id of a consumer group is not empty.\n\nSet it to what the consumers have in `group.id`.";
            report.push(Diagnostic::error("Invalid consumer group", detail).at("group_id"));
        }
    }

    async fn read(ctx: &Context, config: ConsumerGroupModel, call: &mut Call) -> Result<ConsumerGroupModel, Failure> {
        let environment = ctx.environment(config.environment.get().map(String::as_str))?;
        let group_id = config.group_id.value()?;
        let found = environment.kafka()?.consumer_group(group_id, call.deadline).await?;
        let group = found.ok_or_else(|| absent(group_id, &environment.name))?;
        let member =
            |it: GroupMember| Nested::from(MemberModel { client_id: it.client_id.into(), host: it.host.into() });
        Ok(ConsumerGroupModel {
            environment: environment.name.clone().into(),
            id: format!("{}/{}", environment.name, group.id).into(),
            group_id: group.id.into(),
            state: group.state.into(),
            coordinator_id: group.coordinator.into(),
            members: group.members.into_iter().map(member).collect::<Vec<_>>().into(),
        })
    }
}

fn absent(group_id: &str, environment: &str) -> Diagnostic {
    Diagnostic::error(
        "Consumer group does not exist",
        format!(
            "The cluster of environment `{environment}` has no consumer group `{group_id}`. A group exists once a \
             consumer joined it or committed an offset, and until its offsets expire.\n\nCorrect the id, or start a \
             consumer of the group and plan again."
        ),
    )
    .at("group_id")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use crate::{
        clients::{
            kafka::{ConsumerGroup, GroupMember, KafkaError},
            memory::MemoryCluster,
        },
        data_sources::testing,
        framework::{Diagnostics, Value},
    };

    async fn read(cluster: &Arc<MemoryCluster>, group: &str) -> (Value, Diagnostics) {
        testing::read(cluster, "consumer_group", &json!({ "group_id": group })).await
    }

    #[tokio::test]
    async fn a_group_is_read_and_one_that_is_not_there_or_hidden_is_an_error() {
        let cluster = Arc::new(MemoryCluster::new(3));
        let members = vec![GroupMember { client_id: "invoicer".to_owned(), host: "10.0.0.1".to_owned() }];
        let (id, state) = ("billing".to_owned(), "Stable".to_owned());
        cluster.add_group(ConsumerGroup { id, state, coordinator: 2, members });
        let (group, report) = read(&cluster, "billing").await;
        assert_eq!(report, Diagnostics::default());
        let text = |value: &str| Value::String(value.to_owned());
        assert_eq!(group.attribute("id"), &text("dev/billing"));
        assert_eq!(group.attribute("environment"), &text("dev"));
        assert_eq!(group.attribute("state"), &text("Stable"));
        assert_eq!(group.attribute("coordinator_id"), &Value::from(2));
        let Value::List(members) = group.attribute("members") else { unreachable!("a list") };
        assert_eq!(members[0].attribute("client_id"), &text("invoicer"));

        let (nothing, report) = read(&cluster, "bill").await;
        assert_eq!((nothing, report.0[0].summary.as_str()), (Value::Null, "Consumer group does not exist"));
        assert_eq!(report.0[0].path, Some("group_id".into()));

        let resource = "group `billing`".to_owned();
        cluster.fail_next(KafkaError::Denied { operation: "DESCRIBE", resource, principal: None });
        let (_, report) = read(&cluster, "billing").await;
        assert!(report.0[0].detail.contains("may not DESCRIBE group `billing`"), "{report:?}");
    }
}

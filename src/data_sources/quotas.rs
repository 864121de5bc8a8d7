//! `data.kafka_quotas`: how much of the brokers who may use.

use std::collections::BTreeMap;

use crate::{
    clients::kafka::{Quota, QuotaEntity, QuotaName},
    framework::{Call, Computed, DataSource, Failure, Model, Nested, Number, Optional, OptionalComputed},
    provider::Context,
};

/// The client quotas of an environment, in the order of users, client ids and addresses.
///
/// It takes the right `DESCRIBE_CONFIGS` on the cluster, and Kafka 2.6.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct QuotasModel {
    /// Name of the environment. Default: the provider's default environment.
    environment: OptionalComputed<String>,
    /// Name of the environment, the same as `environment`.
    id: Computed<String>,
    /// Name of the user whose quotas are shown, with those of its client ids, without `User:`. Default: all.
    user: Optional<String>,
    /// Client id whose quotas are shown, alone and beside users. Default: all.
    client_id: Optional<String>,
    /// Address whose quotas are shown. Default: all.
    ip: Optional<String>,
    /// The quotas.
    quotas: Computed<Vec<Nested<ListedQuotaModel>>>,
}

/// A quota.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ListedQuotaModel {
    /// Name of the user; null if it is for none, or for all others.
    user: Computed<String>,
    /// Whether it is for all users that have no quota of their own.
    user_default: Computed<bool>,
    /// The client id; null if it is for none, or for all others.
    client_id: Computed<String>,
    /// Whether it is for all client ids that have no quota of their own.
    client_id_default: Computed<bool>,
    /// The address; null if it is for none, or for all others.
    ip: Computed<String>,
    /// Whether it is for all addresses that have no quota of their own.
    ip_default: Computed<bool>,
    /// The limits by Kafka's own keys, such as `producer_byte_rate`.
    limits: Computed<BTreeMap<String, Number>>,
}

/// The data source.
#[derive(Debug)]
pub enum Quotas {}

impl DataSource<Context> for Quotas {
    const NAME: &'static str = "quotas";
    type Model = QuotasModel;

    async fn read(ctx: &Context, config: QuotasModel, call: &mut Call) -> Result<QuotasModel, Failure> {
        let environment = ctx.environment(config.environment.get().map(String::as_str))?;
        let all = environment.kafka()?.quotas(call.deadline).await?;
        let is_meant = |wanted: &Optional<String>, part: &Option<QuotaName>| {
            wanted.get().is_none_or(|it| *part == Some(QuotaName::Named(it.clone())))
        };
        let meant = all.iter().filter(|(of, _)| {
            is_meant(&config.user, &of.user)
                && is_meant(&config.client_id, &of.client_id)
                && is_meant(&config.ip, &of.ip)
        });
        Ok(QuotasModel {
            environment: environment.name.clone().into(),
            id: environment.name.clone().into(),
            quotas: meant.map(|(of, quota)| Nested::from(listed(of, quota))).collect::<Vec<_>>().into(),
            ..config
        })
    }
}

fn listed(of: &QuotaEntity, quota: &Quota) -> ListedQuotaModel {
    let name = |part: &Option<QuotaName>| match part {
        Some(QuotaName::Named(name)) => Some(name.clone()),
        Some(QuotaName::Default) | None => None,
    };
    let is_default = |part: &Option<QuotaName>| *part == Some(QuotaName::Default);
    let limit = |(key, limit): (&String, &f64)| Some((key.clone(), limit.to_string().parse().ok()?));
    ListedQuotaModel {
        user: name(&of.user).into(),
        user_default: is_default(&of.user).into(),
        client_id: name(&of.client_id).into(),
        client_id_default: is_default(&of.client_id).into(),
        ip: name(&of.ip).into(),
        ip_default: is_default(&of.ip).into(),
        limits: quota.iter().filter_map(limit).collect::<BTreeMap<_, _>>().into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::{
        clients::{kafka::Quotas as _, memory::MemoryCluster},
        data_sources::testing::{read, soon},
        framework::Value,
        governance::acl::Principal,
    };

    #[tokio::test]
    async fn quotas_are_shown_by_user_client_id_and_address() {
        let cluster = Arc::new(MemoryCluster::new(1));
        let named = |name: &str| Some(QuotaName::Named(name.to_owned()));
        let default = || Some(QuotaName::Default);
        for (of, key) in [
            (QuotaEntity::user("alice"), "request_percentage"),
            (QuotaEntity { client_id: named("app"), ..QuotaEntity::user("alice") }, "request_percentage"),
            (QuotaEntity { user: default(), client_id: named("app"), ip: None }, "request_percentage"),
            (QuotaEntity { ip: named("::1"), ..QuotaEntity::default() }, "connection_creation_rate"),
        ] {
            let limit = if key == "request_percentage" { 12.5 } else { 7.0 };
            cluster.alter_quota(&of, &[(key.to_owned(), Some(limit))].into(), soon()).await.unwrap();
        }
        let shown = async |config| {
            let (state, report) = read(&cluster, "quotas", &config).await;
            assert_eq!(report.0, vec![]);
            let Value::List(quotas) = state.attribute("quotas") else { unreachable!("a list") };
            quotas.clone()
        };
        let all = shown(json!({})).await;
        assert_eq!(all.len(), 4);
        let of_alice = shown(json!({ "user": "alice" })).await;
        assert_eq!(of_alice.len(), 2);
        assert_eq!(shown(json!({ "client_id": "app" })).await.len(), 2);
        assert_eq!(shown(json!({ "user": "alice", "client_id": "app" })).await, of_alice[1..]);
        let of_address = shown(json!({ "ip": "::1" })).await;
        assert_eq!((of_address[0].attribute("ip"), of_address.len()), (&"::1".into(), 1));
        let Value::Map(limits) = of_alice[0].attribute("limits") else { unreachable!("a map") };
        assert_eq!(limits["request_percentage"], Value::Number("12.5".parse().unwrap()));
        let of_others = all.iter().find(|it| it.attribute("user_default") == &Value::Bool(true)).unwrap();
        assert_eq!((of_others.attribute("user"), of_others.attribute("client_id")), (&Value::Null, &"app".into()));

        let stranger = Arc::new(cluster.seen_by(Principal::user("stranger")));
        let (_, report) = read(&stranger, "quotas", &json!({})).await;
        assert_eq!(report.0[0].summary, "Not permitted by Kafka");
    }
}

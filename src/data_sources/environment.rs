//! `data.kafka_environment`: the rules of a cluster, and what state it is in.

use std::collections::BTreeMap;

use crate::{
    clients::clock::now,
    framework::{Call, Computed, DataSource, Diagnostic, Failure, Model, Nested, OptionalComputed},
    governance::{
        condition::{Condition, Sight, conditions, reconciliation},
        environment::EnvironmentSpec,
        kind::Kind,
    },
    provider::Context,
};

/// The environment that is declared on a cluster: its rules, and what state the cluster is in.
///
/// A saved plan keeps what was read, so that names and defaults that are made of it stay the same until it is applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct EnvironmentModel {
    /// Name of the provider's environment, which leads to the cluster. Default: the provider's default environment.
    environment: OptionalComputed<String>,
    /// Name of the provider's environment, the same as `environment`.
    id: Computed<String>,
    /// Id of the cluster.
    cluster_id: Computed<String>,
    /// Name by which people know the environment.
    name: Computed<String>,
    /// Where it stands between development and production.
    stage: Computed<String>,
    /// Where it runs.
    hosting: Computed<String>,
    /// Free words to find it by.
    labels: Computed<BTreeMap<String, String>>,
    /// Template for the names of each kind: `topic`, `group`, `transactional_id`, `subject`, `connector`. A kind without
    /// one is missing.
    name_templates: Computed<BTreeMap<String, String>>,
    /// Pattern for each field of the templates.
    name_fields: Computed<BTreeMap<String, String>>,
    /// Configuration that topics have where they declare none, by Kafka's own keys.
    topic_defaults: Computed<BTreeMap<String, String>>,
    /// Number of partitions that topics have where they declare none; null where it is the broker's.
    partitions: Computed<i64>,
    /// Replication factor that topics have where they declare none; null where it is the broker's.
    replication_factor: Computed<i64>,
    /// What there is beside brokers.
    capabilities: Computed<Vec<String>>,
    /// All rules, as JSON: by the names that `kafka_environment` has for them, and names under `naming.templates`.
    policy: Computed<String>,
    /// `ready` if every condition is good, `degraded` if one is bad, and `unknown` if the cluster does not tell.
    status: Computed<String>,
    /// What state the cluster is in, one thing at a time.
    conditions: Computed<Vec<Nested<ConditionModel>>>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ConditionModel {
    /// What: `brokers`, `authorizer`, `enforcement`, `acl_mode`, `auto_creation`, `journal`, `journal_access`,
    /// `schema_registry`, `connect` or `reconciliation`.
    name: Computed<String>,
    /// `good`, `bad`, or `unknown` if the cluster does not tell.
    status: Computed<String>,
    /// What was seen.
    message: Computed<String>,
    /// What to do; null where there is nothing to do.
    remedy: Computed<String>,
}

/// The data source.
#[derive(Debug)]
pub enum DeclaredEnvironment {}

impl DataSource<Context> for DeclaredEnvironment {
    const NAME: &'static str = "environment";
    type Model = EnvironmentModel;

    async fn read(ctx: &Context, config: EnvironmentModel, call: &mut Call) -> Result<EnvironmentModel, Failure> {
        let environment = ctx.environment(config.environment.get().map(String::as_str))?;
        let governance = environment.governance_now(call.deadline).await?;
        let declared = governance.as_ref().and_then(|it| it.snapshot.state.environment());
        let declared = declared.ok_or_else(|| absent(&environment.name))?;
        let spec = &declared.spec;
        let looked = environment.look(call.deadline).await?;
        let sight = Sight { probed: declared.probe.map(|it| it.found), ..looked };
        let mut conditions = conditions(spec, &sight);
        conditions.extend(reconciliation(declared, now()));
        let model = EnvironmentModel {
            environment: environment.name.clone().into(),
            id: environment.name.clone().into(),
            cluster_id: environment.cluster_id(call.deadline).await?.to_owned().into(),
            status: status(&conditions).to_owned().into(),
            conditions: conditions.into_iter().map(shown).collect::<Vec<_>>().into(),
            ..EnvironmentModel::default()
        };
        model.with(spec)
    }
}

impl EnvironmentModel {
    fn with(self, spec: &EnvironmentSpec) -> Result<Self, Failure> {
        let EnvironmentSpec { name, stage, hosting, labels, policy, cluster: _ } = spec;
        let template = |kind: Kind| Some((kind.word().to_owned(), policy.naming.templates.get(&kind)?.clone()));
        let default =
            |(key, rule): (&String, &crate::governance::policy::ConfigRule)| Some((key.clone(), rule.default.clone()?));
        let json = serde_json::to_value(policy).map_err(|error| Diagnostic::bug(format!("No JSON: {error}.")))?;
        let words = |it: &serde_json::Value| {
            it.as_array().into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        Ok(Self {
            name: name.to_string().into(),
            stage: stage.clone().into(),
            hosting: hosting.clone().into(),
            labels: labels.clone().into(),
            name_templates: Kind::ALL.into_iter().filter_map(template).collect::<BTreeMap<_, _>>().into(),
            name_fields: policy.naming.fields.clone().into(),
            topic_defaults: policy.topics.config.iter().filter_map(default).collect::<BTreeMap<_, _>>().into(),
            partitions: policy.topics.partitions.default.into(),
            replication_factor: policy.topics.replication_factor.default.into(),
            capabilities: words(&json["capabilities"]).into(),
            policy: json.to_string().into(),
            ..self
        })
    }
}

fn shown(condition: Condition) -> Nested<ConditionModel> {
    let Condition { name, status, message, remedy } = condition;
    Nested::from(ConditionModel {
        name: name.to_owned().into(),
        status: status.word().to_owned().into(),
        message: message.into(),
        remedy: remedy.into(),
    })
}

fn status(conditions: &[Condition]) -> &'static str {
    let has = |word: &str| conditions.iter().any(|it| it.status.word() == word);
    match (has("bad"), has("unknown")) {
        (true, _) => "degraded",
        (false, true) => "unknown",
        (false, false) => "ready",
    }
}

pub(super) fn absent(environment: &str) -> Diagnostic {
    Diagnostic::error(
        "No environment declared",
        format!(
            "The cluster of `{environment}` has no environment, or this principal may not read the topic \
             `_selfserve.state` of its journal.\n\nDeclare one with `kafka_environment`; where that is in the same \
             configuration, add `depends_on`."
        ),
    )
    .at("environment")
}

#[cfg(test)]
pub(super) mod tests {
    use std::{
        sync::Arc,
        time::{Duration, Instant},
    };

    use serde_json::json;

    use super::*;
    use crate::{
        clients::{
            connect::Connect,
            journal::{Claims, Journal},
            kafka::{BrokerSetting, Kafka},
            memory::MemoryCluster,
            rest::{Rest, Services, fake::FakeService},
        },
        framework::{Diagnostics, Provider, Value},
        governance::{
            record::Event,
            state::{ENVIRONMENT, State},
        },
        provider::{Environment, KafkaProvider},
    };

    /// A cluster with an environment of these rules.
    pub(in crate::data_sources) async fn declared(spec: serde_json::Value) -> Arc<MemoryCluster> {
        let cluster = Arc::new(MemoryCluster::new(3));
        let deadline = Instant::now() + Duration::from_secs(30);
        let journal = Journal::<State>::open(cluster.clone());
        journal.create(Claims::default(), deadline).await.unwrap();
        let entity = json!({"form": 1, "spec": spec, "created_at": 1, "probe": {"found": "enforced", "since": 1}});
        let event = Event {
            kind: "environment.declared".to_owned(),
            entities: BTreeMap::from([(ENVIRONMENT.to_owned(), entity)]),
            ..Event::default()
        };
        let decide = move |_: &State, _| Ok::<_, ()>(vec![event.clone()]);
        journal.append(Claims::default(), deadline, decide).await.unwrap().unwrap();
        cluster
    }

    async fn read(cluster: &Arc<MemoryCluster>) -> (Value, Diagnostics) {
        read_beside(cluster, Services::default()).await
    }

    async fn read_beside(cluster: &Arc<MemoryCluster>, services: Services) -> (Value, Diagnostics) {
        let kafka: Arc<dyn Kafka> = cluster.clone();
        let ctx = Context::new([Environment::new("dev", kafka).beside(services)], None);
        let data_source = KafkaProvider::registry().data_sources.remove("environment").unwrap();
        let attributes = data_source.schema().attributes.keys();
        let config = attributes.map(|it| ((*it).to_owned(), Value::Null)).collect();
        data_source.read(&ctx, Value::Object(config)).await
    }

    /// Connect workers of a cluster, as a fake of them answers.
    async fn connect(cluster_id: &'static str) -> Services {
        let answer = move |_: &str| {
            let body = json!({"version": "4.3.1", "commit": "c1", "kafka_cluster_id": cluster_id});
            (200, "application/json", body.to_string())
        };
        let fake = FakeService::start(answer).await;
        Services {
            connect: BTreeMap::from([("main".to_owned(), Connect::new(Rest::new(fake.settings())))]),
            ..Services::default()
        }
    }

    #[tokio::test]
    async fn an_environment_is_read_with_its_rules_and_conditions() {
        let cluster = declared(json!({
            "name": "pre", "stage": "test", "labels": {"region": "eu"},
            "policy": {
                "naming": {"templates": {"topic": "{application}.{domain}"}, "fields": {"domain": "[a-z]+"}},
                "topics": {"partitions": {"default": 3}, "config": {"retention.ms": {"default": "1000"}, "segment.ms": {}}},
                "capabilities": ["connect"],
            },
        }))
        .await;
        let (it, report) = read_beside(&cluster, connect("memory-3").await).await;
        assert_eq!(report, Diagnostics::default());
        let map = |key: &str, value: &str| Value::Map(BTreeMap::from([(key.to_owned(), value.into())]));
        assert_eq!(it.attribute("id"), &"dev".into());
        assert_eq!(it.attribute("name"), &"pre".into());
        assert_eq!(it.attribute("hosting"), &Value::Null);
        assert_eq!(it.attribute("labels"), &map("region", "eu"));
        assert_eq!(it.attribute("name_templates"), &map("topic", "{application}.{domain}"));
        assert_eq!(it.attribute("topic_defaults"), &map("retention.ms", "1000"));
        assert_eq!(it.attribute("partitions"), &Value::from(3));
        assert_eq!(it.attribute("capabilities"), &Value::List(vec!["connect".into()]));
        assert_eq!(it.attribute("status"), &"ready".into());
        let (it, _) = read(&cluster).await;
        assert_eq!(it.attribute("status"), &"unknown".into(), "nobody says where the workers are");
        let (it, _) = read_beside(&cluster, connect("another").await).await;
        assert_eq!(it.attribute("status"), &"degraded".into(), "the workers are another cluster's");
        cluster.set_brokers("auto.create.topics.enable", Some(BrokerSetting::Value("true".to_owned())));
        let (it, _) = read_beside(&cluster, connect("memory-3").await).await;
        assert_eq!(it.attribute("status"), &"degraded".into());
        let Value::List(conditions) = it.attribute("conditions") else { unreachable!("a list") };
        let bad: Vec<_> = conditions.iter().filter(|it| *it.attribute("status") == "bad".into()).collect();
        assert_eq!(bad.len(), 1);
        assert_eq!(bad[0].attribute("name"), &"auto_creation".into());
        assert!(!bad[0].attribute("remedy").is_null());
    }

    /// Rule 20: that nobody looks is seen.
    #[tokio::test]
    async fn an_environment_that_nobody_reconciles_is_degraded() {
        let cluster = declared(json!({"name": "pre", "policy": {"reconcile_within_seconds": 60}})).await;
        let (it, _) = read(&cluster).await;
        let Value::List(conditions) = it.attribute("conditions") else { unreachable!("a list") };
        let late = conditions.iter().find(|it| *it.attribute("name") == "reconciliation".into()).unwrap();
        assert_eq!((late.attribute("status"), it.attribute("status")), (&"bad".into(), &"degraded".into()));
    }

    #[tokio::test]
    async fn a_cluster_without_environment_is_told() {
        let (_, report) = read(&Arc::new(MemoryCluster::new(1))).await;
        assert_eq!(report.0[0].summary, "No environment declared");
        assert_eq!(report.0[0].path, Some("environment".into()));
    }
}

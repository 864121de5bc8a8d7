//! `data.kafka_applications`: the applications of an environment.

use std::collections::BTreeMap;

use super::environment::absent;
use crate::{
    framework::{Call, Computed, DataSource, Failure, Model, Nested, Optional, OptionalComputed},
    governance::{
        application::{Application, Status},
        changes::rejected,
        names::ApplicationName,
        state::State,
    },
    provider::Context,
};

/// The applications of an environment, in the order of their names: what they own and where they are in their life.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ApplicationsModel {
    /// Name of the environment. Default: the provider's default environment.
    environment: OptionalComputed<String>,
    /// Name of the environment, the same as `environment`.
    id: Computed<String>,
    /// Name of the team that answers for them. Default: any.
    team: Optional<String>,
    /// Where they are in their life, such as `pending` or `ready`. Default: anywhere but `deleted`.
    status: Optional<String>,
    /// Labels that they have, among others. Default: any.
    labels: Optional<BTreeMap<String, String>>,
    /// Names of the applications.
    names: Computed<Vec<String>>,
    /// The applications.
    applications: Computed<Vec<Nested<FoundApplicationModel>>>,
}

/// An application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct FoundApplicationModel {
    /// Name of the application.
    name: Computed<String>,
    /// Which life of the name this is, such as `billing#2` after the first was deleted.
    uid: Computed<String>,
    /// The organisation's code for it.
    code: Computed<String>,
    /// Name of the team that answers for it.
    team: Computed<String>,
    /// Free words to find it by.
    labels: Computed<BTreeMap<String, String>>,
    /// Where it is in its life.
    status: Computed<String>,
    /// Whether its team asked for a change to which the platform has not agreed yet.
    amendment_pending: Computed<bool>,
    /// Id of the request by which it, or its newest change, waits for the platform; null where nothing waits.
    request_id: Computed<String>,
    /// As whom it runs.
    principals: Computed<Vec<String>>,
    /// As whom its pipeline works.
    deployers: Computed<Vec<String>>,
    /// How the names of what it owns begin, by kind: `topic`, `group`, `transactional_id`, `subject`, `connector`.
    prefixes: Computed<BTreeMap<String, Vec<String>>>,
    /// Number of its topics.
    topics: Computed<i64>,
    /// Number of their partitions.
    partitions: Computed<i64>,
}

/// The data source.
#[derive(Debug)]
pub enum Applications {}

impl DataSource<Context> for Applications {
    const NAME: &'static str = "applications";
    type Model = ApplicationsModel;

    async fn read(ctx: &Context, config: ApplicationsModel, call: &mut Call) -> Result<ApplicationsModel, Failure> {
        let environment = ctx.environment(config.environment.get().map(String::as_str))?;
        let governance = environment.governance_now(call.deadline).await?.ok_or_else(|| absent(&environment.name))?;
        let state = &governance.snapshot.state;
        let found: Vec<&Application> = state.applications().filter(|it| config.wants(it)).collect();
        let taken = taken(state);
        let names: Vec<String> = found.iter().map(|it| it.spec.name.to_string()).collect();
        let shown = found.into_iter().map(|it| {
            let model = shown(it, state);
            let (topics, partitions) = taken.get(&it.spec.name).copied().unwrap_or_default();
            Nested::from(FoundApplicationModel { topics: topics.into(), partitions: partitions.into(), ..model })
        });
        Ok(ApplicationsModel {
            environment: environment.name.clone().into(),
            id: environment.name.clone().into(),
            names: names.into(),
            applications: shown.collect::<Vec<_>>().into(),
            ..config
        })
    }
}

impl ApplicationsModel {
    /// Whether an application is one of those that are looked for.
    fn wants(&self, it: &Application) -> bool {
        let is_there = || it.status != Status::Deleted;
        self.team.get().is_none_or(|team| it.spec.team == *team)
            && self.status.get().map_or_else(is_there, |status| it.status.word() == status)
            && self
                .labels
                .get()
                .is_none_or(|wanted| wanted.iter().all(|(key, value)| it.spec.labels.get(key) == Some(value)))
    }
}

/// Topics and partitions of each application, counted in one go.
fn taken(state: &State) -> BTreeMap<&ApplicationName, (i64, i64)> {
    let mut res: BTreeMap<&ApplicationName, (i64, i64)> = BTreeMap::new();
    for (_, topic) in state.topics().filter(|(_, it)| it.is_there()) {
        if let Some(owner) = &topic.application {
            let (topics, partitions) = res.entry(owner).or_default();
            *topics += 1;
            *partitions += topic.partitions;
        }
    }
    res
}

fn shown(it: &Application, state: &State) -> FoundApplicationModel {
    let spec = &it.spec;
    let texts = |them: &std::collections::BTreeSet<_>| them.iter().map(ToString::to_string).collect::<Vec<String>>();
    let prefixes = spec.prefixes.iter();
    let prefixes = prefixes.map(|(kind, them)| (kind.word().to_owned(), them.iter().cloned().collect::<Vec<_>>()));
    FoundApplicationModel {
        name: spec.name.to_string().into(),
        uid: it.uid().to_string().into(),
        code: spec.code.clone().into(),
        team: spec.team.clone().into(),
        labels: spec.labels.clone().into(),
        status: it.status.word().to_owned().into(),
        amendment_pending: (it.amendment.is_some() && rejected(state, it).is_none()).into(),
        request_id: it.waits_by().map(ToString::to_string).into(),
        principals: texts(&spec.principals).into(),
        deployers: texts(&spec.deployers).into(),
        prefixes: prefixes.collect::<BTreeMap<_, _>>().into(),
        ..FoundApplicationModel::default()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        time::{Duration, Instant},
    };

    use serde_json::json;

    use super::*;
    use crate::{
        clients::{
            journal::{Claims, Journal},
            memory::MemoryCluster,
        },
        data_sources::environment::tests::declared,
        framework::{Diagnostics, Provider, Value},
        governance::record::Event,
        provider::{Environment, KafkaProvider},
    };

    /// A cluster with three applications, one of which is deleted, and a topic.
    async fn cluster() -> Arc<MemoryCluster> {
        let res = declared(json!({"name": "pre"})).await;
        let application = |name: &str, team: &str, status: &str| {
            let spec = json!({"name": name, "team": team, "labels": {"tier": team}, "principals": [format!("User:{name}")],
                "prefixes": {"topic": [format!("{name}.")]}});
            json!({"incarnation": 1, "spec": spec, "status": status, "created_at": 1})
        };
        let topic =
            json!({"application": "billing", "incarnation": 1, "partitions": 6, "status": "created", "created_at": 1});
        let event = Event {
            kind: "application.declared".to_owned(),
            entities: BTreeMap::from([
                ("application/billing".to_owned(), application("billing", "gold", "ready")),
                ("application/sales".to_owned(), application("sales", "silver", "pending")),
                ("application/gone".to_owned(), application("gone", "gold", "deleted")),
                ("topic/billing.x".to_owned(), topic),
            ]),
            ..Event::default()
        };
        let decide = move |_: &State, _| Ok::<_, ()>(vec![event.clone()]);
        let deadline = Instant::now() + Duration::from_secs(30);
        let journal = Journal::<State>::open(res.clone());
        journal.append(Claims::default(), deadline, decide).await.unwrap().unwrap();
        res
    }

    async fn read(cluster: Arc<MemoryCluster>, filter: &[(&str, Value)]) -> (Value, Diagnostics) {
        let ctx = Context::new([Environment::new("dev", cluster)], None);
        let data_source = KafkaProvider::registry().data_sources.remove("applications").unwrap();
        let attributes = data_source.schema().attributes.keys();
        let mut config: BTreeMap<_, _> = attributes.map(|it| ((*it).to_owned(), Value::Null)).collect();
        config.extend(filter.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        data_source.read(&ctx, Value::Object(config)).await
    }

    #[tokio::test]
    async fn applications_are_found_by_team_status_and_labels() {
        let cluster = cluster().await;
        let check = async |filter: &[(&str, Value)], expected: &[&str]| {
            let (it, report) = read(cluster.clone(), filter).await;
            assert_eq!(report, Diagnostics::default());
            let expected = Value::List(expected.iter().map(|it| (*it).into()).collect());
            assert_eq!(*it.attribute("names"), expected, "{filter:?}");
        };
        check(&[], &["billing", "sales"]).await;
        check(&[("team", "gold".into())], &["billing"]).await;
        check(&[("status", "deleted".into())], &["gone"]).await;
        check(&[("status", "pending".into()), ("team", "gold".into())], &[]).await;
        let silver = Value::Map(BTreeMap::from([("tier".to_owned(), "silver".into())]));
        check(&[("labels", silver)], &["sales"]).await;
    }

    #[tokio::test]
    async fn an_application_is_shown_with_what_it_owns() {
        let (it, _) = read(cluster().await, &[("team", "gold".into())]).await;
        let Value::List(found) = it.attribute("applications") else { panic!("a list") };
        let billing = &found[0];
        assert_eq!(*billing.attribute("uid"), "billing#1".into());
        assert_eq!(*billing.attribute("status"), "ready".into());
        assert_eq!(*billing.attribute("principals"), Value::List(vec!["User:billing".into()]));
        assert_eq!((billing.attribute("topics"), billing.attribute("partitions")), (&1.into(), &6.into()));
        let prefixes = BTreeMap::from([("topic".to_owned(), Value::List(vec!["billing.".into()]))]);
        assert_eq!(*billing.attribute("prefixes"), Value::Map(prefixes));
    }

    #[tokio::test]
    async fn without_an_environment_there_is_nothing_to_ask() {
        let (_, report) = read(Arc::new(MemoryCluster::new(1)), &[]).await;
        assert!(report.0.iter().any(|it| it.summary == "No environment declared"), "{report:?}");
    }
}

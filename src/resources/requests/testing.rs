//! Two applications in memory: `shop`, which asks, and `pay`, which owns what is asked for.

use std::{sync::Arc, time::Duration};

pub(in crate::resources) use serde_json::Value as Json;
use serde_json::json;

use crate::{
    clients::{
        clock::now,
        governed::Governed,
        kafka::{AclFilter, Acls, Kafka},
        memory::MemoryCluster,
    },
    framework::{PlanRequest, PlanResponse, Stored, Value},
    governance::{
        acl::Principal,
        command::{Command, Takeover, Transfer},
        environment::ClusterFacts,
        kind::Kind,
        names::ApplicationName,
        policy::{AccessApproval, Approval, Policy},
        record::Timestamp,
        request::{Request, RequestId, RequestStatus},
    },
    provider::{Acting, Context, Environment},
    resources::{
        attributes::Moment,
        testing::{Run, governed_with, quiet, soon},
    },
};

pub(in crate::resources) const REQUEST: &str = "access_request";
pub(in crate::resources) const DECISION: &str = "access_decision";

/// A cluster with the two applications.
pub(in crate::resources) struct Here {
    pub(in crate::resources) cluster: Arc<MemoryCluster>,
}

impl Here {
    /// Where the owner decides.
    pub(in crate::resources) async fn new() -> Self {
        Self::with(AccessApproval::Owner).await
    }

    /// Where those decide.
    pub(in crate::resources) async fn with(access: AccessApproval) -> Self {
        let approval = Approval { access, ..Approval::default() };
        Self::under(Policy { approval, ..Policy::default() }).await
    }

    /// Under these rules.
    pub(in crate::resources) async fn under(policy: Policy) -> Self {
        let platform_principals = [Principal::user("platform")].into();
        let facts = ClusterFacts { platform_principals, ..ClusterFacts::default() };
        let res = Self { cluster: governed_with(policy, facts).await };
        for name in ["pay", "shop"] {
            res.run("application", None).applied(&Stored::default(), &application(name)).await;
        }
        res
    }

    /// A pipeline with the platform's credentials, which may act for an application.
    pub(in crate::resources) fn run(&self, resource: &str, acting: Option<&str>) -> Run {
        let application = acting.map(|it| it.parse().unwrap());
        Run::on(&self.cluster, resource, Acting { application, ..Acting::default() })
    }

    /// A pipeline with the credentials of an application's deployer.
    pub(in crate::resources) fn deployer(&self, resource: &str, application: &str) -> Run {
        let kafka: Arc<dyn Kafka> = self.cluster.clone();
        let principal = Principal::user(&format!("{application}-ci"));
        let environment = Environment::new("dev", kafka).acting(Arc::default(), Some(principal));
        Run::with(Context::new([environment], None), resource)
    }

    /// A pipeline in which a person works.
    pub(in crate::resources) fn person(&self, resource: &str, acting: &str, actor: &str) -> Run {
        let acting =
            Acting { application: Some(acting.parse().unwrap()), actor: Some(actor.to_owned()), ..Acting::default() };
        Run::on(&self.cluster, resource, acting)
    }

    /// `shop`'s own pipeline.
    pub(in crate::resources) fn asking(&self) -> Run {
        self.run(REQUEST, Some("shop"))
    }

    /// `pay`'s own pipeline.
    pub(in crate::resources) fn deciding(&self) -> Run {
        self.run(DECISION, Some("pay"))
    }

    /// Files a request of `shop`.
    pub(in crate::resources) async fn filed(&self, config: &Json) -> Stored {
        self.asking().applied(&Stored::default(), config).await
    }

    /// Has `pay` decide about a request as it is.
    pub(in crate::resources) async fn decided(&self, request: &Stored, decision: &str) -> Stored {
        self.deciding().applied(&Stored::default(), &about(request, decision)).await
    }

    /// Has the platform decide about the one request that waits, and answers with its id.
    pub(in crate::resources) async fn decided_by_platform(&self, decision: &str) -> String {
        let platform = self.run(DECISION, None);
        let known = platform.governed().snapshot(soon()).await.unwrap();
        let mut waiting = known.state.requests().filter(|(_, it)| it.status == RequestStatus::Pending);
        let (id, request) = waiting.next().unwrap();
        assert!(waiting.next().is_none(), "one at a time");
        let revision = request.revision.as_str();
        let config =
            json!({ "request_id": id.to_string(), "revision": revision, "decision": decision, "as": "platform" });
        platform.applied(&Stored::default(), &config).await;
        id.to_string()
    }

    /// The request as the next plan sees it.
    pub(in crate::resources) async fn refreshed(&self, request: &Stored) -> Stored {
        let seen = self.asking().read(request).await;
        quiet(&seen.diagnostics);
        seen.stored
    }

    /// Has the platform command something.
    pub(in crate::resources) async fn command(&self, command: Command) {
        self.run(REQUEST, None).governed().command(command, soon()).await.unwrap();
    }

    /// Has `pay` hand over what it owns to another application, `stock`.
    pub(in crate::resources) async fn hand_over_to_stock(&self) {
        let mut stock = application("stock");
        stock["prefixes"] = json!({ "topic": ["stock."] });
        self.run("application", None).applied(&Stored::default(), &stock).await;
        let prefixes = [(Kind::Topic, ["pay.".to_owned()].into())].into();
        let (pay, to): (ApplicationName, ApplicationName) = ("pay".parse().unwrap(), "stock".parse().unwrap());
        self.command(Command::OfferTransfer(Transfer { application: pay.clone(), to: to.clone(), prefixes })).await;
        self.command(Command::ConfirmTransfer(Takeover { application: to, from: pay })).await;
    }

    /// What the journal has of a request.
    pub(in crate::resources) async fn request(&self, stored: &Stored) -> Request {
        let known = self.run(REQUEST, None).governed().snapshot(soon()).await.unwrap();
        known.state.request(&id(stored)).unwrap().clone()
    }

    /// What `shop` may do outside of what is its own, as the cluster has it.
    pub(in crate::resources) async fn granted(&self) -> Vec<String> {
        let rules = self.cluster.acls(&AclFilter::default(), soon()).await.unwrap();
        let foreign = rules.into_iter().filter(|it| !it.resource_name.starts_with("shop"));
        let given = foreign.filter(|it| it.principal.to_string().starts_with("User:shop"));
        let mut res: Vec<String> = given.map(|it| it.to_string()).collect();
        res.retain(|it| !it.contains("shop-ci"));
        res.sort();
        res
    }

    /// What the platform does once, with all that was filed.
    pub(in crate::resources) async fn fold(&self) {
        let platform = self.run(REQUEST, None).governed();
        let known = platform.snapshot(soon()).await.unwrap();
        for of in Governed::mailboxes(&known.state) {
            platform.fold(&of, soon()).await.unwrap();
        }
    }
}

/// An application that runs and is deployed as users of its name.
pub(in crate::resources) fn application(name: &str) -> Json {
    json!({
        "name": name, "owner": { "team": name }, "principals": [format!("User:{name}")],
        "deployers": [format!("User:{name}-ci")],
    })
}

/// `shop` asks to read a topic of `pay`.
pub(in crate::resources) fn reading() -> Json {
    json!({
        "application": "dev/shop", "resource_type": "topic", "resource_name": "pay.orders", "access": "read",
        "justification": "Delivery needs the orders.",
    })
}

/// A decision about a request as it is stored.
pub(in crate::resources) fn about(request: &Stored, decision: &str) -> Json {
    json!({
        "request_id": text(request, "request_id"), "revision": text(request, "revision"), "decision": decision,
    })
}

pub(in crate::resources) fn text(stored: &Stored, attribute: &str) -> String {
    match stored.state.attribute(attribute) {
        Value::String(it) => it.clone(),
        other => unreachable!("`{attribute}` is {other:?}"),
    }
}

pub(in crate::resources) fn id(stored: &Stored) -> RequestId {
    text(stored, "request_id").parse().unwrap()
}

/// A time that is so far from now, as it is written.
pub(in crate::resources) fn in_milliseconds(offset: i64) -> String {
    Moment::utc(Timestamp(now().0 + offset)).unwrap().to_string()
}

/// Waits until a time that was written is over.
pub(in crate::resources) async fn pass(moment: &str) {
    let moment: Moment = moment.parse().unwrap();
    while now() <= moment.at {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A plan in which these attributes are not known yet.
pub(in crate::resources) async fn plan_without(
    run: &Run,
    prior: &Stored,
    config: &Json,
    unknown: &[&str],
) -> PlanResponse {
    let Value::Object(mut attributes) = run.config(config) else { unreachable!("a configuration is an object") };
    for it in unknown {
        attributes.insert((*it).to_owned(), Value::UNKNOWN);
    }
    let request = PlanRequest { prior: prior.clone(), config: Value::Object(attributes) };
    run.resource.plan(&run.ctx, request).await
}

/// The next plan changes nothing, and says this much.
pub(in crate::resources) async fn plans_nothing(run: &Run, stored: &Stored, config: &Json) -> Vec<String> {
    let planned = run.plan(stored, config).await;
    assert_eq!((&planned.planned.state, &planned.replace), (&stored.state, &vec![]), "{:?}", planned.diagnostics);
    assert!(!planned.diagnostics.has_errors(), "{:?}", planned.diagnostics);
    planned.diagnostics.0.iter().map(|it| it.summary.clone()).collect()
}

//! A governed cluster in memory, with those who work there.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{Caller, Governed};
use crate::{
    clients::{
        journal::{Claims, Journal, Snapshot},
        kafka::{AclFilter, Acls},
        memory::MemoryCluster,
    },
    governance::{
        acl::{AclBinding, Operation, PatternType, Principal},
        command::{ApplicationRequest, Command, Decision},
        kind::Kind,
        record::Timestamp,
        request::{AccessTo, Choice, Filing, Judge, Request, RequestId, Subject},
        state::State,
    },
};

/// The request of `shop` for a topic of `pay`.
pub(crate) const ID: &str = "shop-00000001";

/// A cluster whose platform is `User:platform`, with the applications `pay` and `shop`. `pay` and `shop` have the
/// deployers `User:pay-ci` and `User:shop-ci`.
#[derive(Debug)]
pub(crate) struct Here {
    pub(crate) cluster: Arc<MemoryCluster>,
}

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

pub(crate) fn id() -> RequestId {
    ID.parse().unwrap()
}

impl Here {
    pub(crate) async fn new(policy: Value) -> Self {
        let res = Self { cluster: Arc::new(MemoryCluster::new(1)) };
        let platform = res.platform();
        platform.journal().create(Claims::default(), soon()).await.unwrap();
        let spec = json!({
            "name": "pre",
            "policy": policy,
            "cluster": { "cluster_id": "c1", "platform_principals": ["User:platform"], "super_users": [] },
        });
        let spec = Box::new(serde_json::from_value(spec).unwrap());
        platform.command(Command::DeclareEnvironment(spec), soon()).await.unwrap();
        for name in ["pay", "shop"] {
            let spec = json!({
                "name": name, "principals": [format!("User:{name}")], "deployers": [format!("User:{name}-ci")],
            });
            let spec = ApplicationRequest::new(serde_json::from_value(spec).unwrap());
            platform.command(Command::DeclareApplication(Box::new(spec)), soon()).await.unwrap();
            platform.provision(&name.parse().unwrap(), soon()).await.unwrap();
        }
        res
    }

    /// Another process with the platform's credentials.
    pub(crate) fn platform(&self) -> Governed {
        self.as_caller(Caller { principal: Some(Principal::user("platform")), ..Caller::default() })
    }

    /// A pipeline with the platform's credentials that acts for an application.
    pub(crate) fn acting(&self, application: &str) -> Governed {
        let (principal, acting) = (Some(Principal::user("platform")), Some(application.parse().unwrap()));
        self.as_caller(Caller { principal, acting, ..Caller::default() })
    }

    /// A pipeline with an application's own credentials.
    pub(crate) fn deployer(&self, application: &str) -> Governed {
        let principal = Some(Principal::user(&format!("{application}-ci")));
        self.as_caller(Caller { principal, ..Caller::default() })
    }

    fn as_caller(&self, caller: Caller) -> Governed {
        Governed::new(self.cluster.clone(), Journal::open(self.cluster.clone()), caller)
    }

    pub(crate) async fn known(&self) -> Arc<Snapshot<State>> {
        self.platform().snapshot(soon()).await.unwrap()
    }

    pub(crate) async fn request(&self) -> Request {
        self.known().await.state.request(&id()).unwrap().clone()
    }

    /// The word of the request's status.
    pub(crate) async fn status(&self) -> &'static str {
        self.request().await.status.word()
    }

    /// The rules that the cluster has for what was granted, in short.
    pub(crate) async fn granted(&self) -> Vec<String> {
        let all = self.rules().await.into_iter().filter(|it| it.principal == Principal::user("shop"));
        let granted = all.filter(|it| it.resource_name == "pay.x");
        granted.map(|it| it.operation.as_str().to_owned()).collect()
    }

    pub(crate) async fn rules(&self) -> Vec<AclBinding> {
        self.cluster.acls(&AclFilter::default(), soon()).await.unwrap()
    }

    /// `shop` asks for `pay.x`.
    pub(crate) async fn file(&self, operations: &[Operation], expires_at: Option<Timestamp>) {
        self.acting("shop").command(asking(operations, expires_at), soon()).await.unwrap();
    }

    /// `pay` decides.
    pub(crate) async fn decide(&self, choice: Choice) {
        let revision = self.request().await.revision;
        let decision = Decision { request: id(), revision, judge: Judge::Owner, choice, reason: None };
        self.acting("pay").command(Command::DecideRequest(decision), soon()).await.unwrap();
    }
}

pub(crate) fn asking(operations: &[Operation], expires_at: Option<Timestamp>) -> Command {
    let operations = operations.iter().copied().collect();
    let access = AccessTo { kind: Kind::Topic, name: "pay.x".to_owned(), pattern: PatternType::Literal, operations };
    let filing = Filing::new(id(), "shop".parse().unwrap(), Subject::Access(access));
    Command::FileRequest(Box::new(Filing { expires_at, ..filing }))
}

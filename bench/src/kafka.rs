//! What Kafka itself takes, without an engine: no provider is faster.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use terraform_provider_kafka::{
    clients::kafka::{Kafka, KafkaSettings, connect},
    governance::{
        acl::{AclBinding, Operation, PatternType, Permission, Principal, ResourceType, WILDCARD},
        topic::TopicSpec,
    },
};
use tokio::task::JoinSet;

/// Calls that an engine makes at once.
const AT_ONCE: usize = 10;
/// Time for each call.
const PATIENCE: Duration = Duration::from_mins(2);

/// What is done to each object.
#[derive(Clone, Copy)]
pub(crate) enum Deed {
    /// Create a topic, like those of the configuration.
    CreateTopic,
    /// Delete it.
    DeleteTopic,
    /// Create the ACLs of a block, like those of the configuration.
    CreateAcls,
}

impl Deed {
    async fn done(self, kafka: &dyn Kafka, number: u32) -> io::Result<()> {
        match self {
            Self::CreateTopic => kafka.create_topic(&topic(number)?, soon()).await.map(drop),
            Self::DeleteTopic => kafka.delete_topic(&topic(number)?.name, None, soon()).await,
            Self::CreateAcls => kafka.create_acls(&block(number), soon()).await.map(drop),
        }
        .map_err(io::Error::other)
    }
}

/// Does it to the objects with these numbers, as many at once as an engine does, and takes the time.
pub(crate) async fn each(deed: Deed, broker: SocketAddr, numbers: Range<u32>) -> io::Result<Duration> {
    let kafka = client(broker)?;
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..AT_ONCE {
        let (kafka, own) = (kafka.clone(), numbers.clone().skip(caller).step_by(AT_ONCE));
        callers.spawn(async move {
            for number in own {
                deed.done(&*kafka, number).await?;
            }
            Ok::<_, io::Error>(())
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.map_err(io::Error::other)??;
    }
    Ok(began.elapsed())
}

/// A client of a broker that asks nobody who they are.
pub(crate) fn client(broker: SocketAddr) -> io::Result<Arc<dyn Kafka>> {
    Ok(connect(KafkaSettings {
        bootstrap_servers: vec![broker.to_string().parse().map_err(io::Error::other)?],
        tls: None,
        sasl: None,
        request_timeout: PATIENCE,
        principal: None,
    }))
}

/// When a call is given up that begins now.
pub(crate) fn soon() -> Instant {
    Instant::now() + PATIENCE
}

fn topic(number: u32) -> io::Result<TopicSpec> {
    Ok(TopicSpec {
        name: format!("bench.k{number:04}").parse().map_err(io::Error::other)?,
        partitions: Some(1),
        replication_factor: Some(1),
        config: BTreeMap::from([
            ("cleanup.policy".to_owned(), "compact".to_owned()),
            ("retention.ms".to_owned(), "3600000".to_owned()),
        ]),
    })
}

fn block(number: u32) -> Vec<AclBinding> {
    let rule = |user, operation| acl(format!("bench.k{number:05}"), user, operation);
    [Operation::Read, Operation::DescribeConfigs]
        .into_iter()
        .flat_map(|it| [rule("bench", it), rule("bench-batch", it)])
        .collect()
}

/// A user's right on a topic.
pub(crate) fn acl(topic: String, user: &str, operation: Operation) -> AclBinding {
    AclBinding {
        resource_type: ResourceType::Topic,
        pattern_type: PatternType::Literal,
        resource_name: topic,
        principal: Principal::user(user),
        host: WILDCARD.to_owned(),
        operation,
        permission: Permission::Allow,
    }
}

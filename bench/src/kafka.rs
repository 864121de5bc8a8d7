//! What Kafka itself takes, without an engine: no provider is faster.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use terraform_provider_kafka::{
    clients::kafka::{KafkaSettings, connect},
    governance::topic::TopicSpec,
};
use tokio::task::JoinSet;

/// Calls that an engine makes at once.
const AT_ONCE: u32 = 10;
/// Time for each call.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is done to each topic.
#[derive(Clone, Copy)]
pub(crate) enum Deed {
    /// Create it, like those of the configuration.
    Create,
    /// Delete it.
    Delete,
}

/// Does it to so many topics, as many at once as an engine does, and takes the time.
pub(crate) async fn each(deed: Deed, broker: SocketAddr, count: u32) -> io::Result<Duration> {
    let kafka = connect(KafkaSettings {
        bootstrap_servers: vec![broker.to_string().parse().map_err(io::Error::other)?],
        tls: None,
        sasl: None,
        request_timeout: PATIENCE,
        principal: None,
    });
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..AT_ONCE {
        let kafka = kafka.clone();
        callers.spawn(async move {
            for number in (caller..count).step_by(AT_ONCE as usize) {
                let topic = topic(number)?;
                let done = match deed {
                    Deed::Create => kafka.create_topic(&topic, soon()).await.map(drop),
                    Deed::Delete => kafka.delete_topic(&topic.name, None, soon()).await,
                };
                done.map_err(io::Error::other)?;
            }
            Ok::<_, io::Error>(())
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.map_err(io::Error::other)??;
    }
    Ok(began.elapsed())
}

fn soon() -> Instant {
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

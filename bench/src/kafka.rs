//! What Kafka itself takes, without an engine: no provider is faster.

use std::{
    collections::BTreeMap,
    io,
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

/// Creates so many topics like those of the configuration, as many at once as an engine does, and takes the time. They
/// stay, as the broker ends with the bench.
pub(crate) async fn creates(broker: &str, count: u32) -> io::Result<Duration> {
    let kafka = connect(KafkaSettings {
        bootstrap_servers: vec![broker.parse().map_err(io::Error::other)?],
        tls: None,
        sasl: None,
        request_timeout: PATIENCE,
    });
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..AT_ONCE {
        let kafka = kafka.clone();
        callers.spawn(async move {
            for number in (caller..count).step_by(AT_ONCE as usize) {
                kafka.create_topic(&topic(number)?, Instant::now() + PATIENCE).await.map_err(io::Error::other)?;
            }
            Ok::<_, io::Error>(())
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.map_err(io::Error::other)??;
    }
    Ok(began.elapsed())
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

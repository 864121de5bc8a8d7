//! What a stop does. Time is the tests' own: it moves on when nobody has anything to do.

use std::time::Duration;

use terraform_provider_kafka::{framework::Value, proto::tfplugin6::stop_provider};
use tokio::{
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::protocol::{
    client::{Host, NOTHING, Object, object},
    provider::UNDER_WAY,
};

type Applied = JoinHandle<(Object, Vec<String>)>;

/// A create that takes so many seconds, once it is under way.
async fn creating(host: &Host, seconds: Value) -> Applied {
    let config = object([("seconds", seconds)]);
    let creating = tokio::spawn({
        let host = host.clone();
        async move { host.create("demo_patience", config).await }
    });
    UNDER_WAY.notified().await;
    creating
}

async fn stop(host: &Host) {
    let request = stop_provider::Request {};
    let stopped = timeout(Duration::from_secs(1), host.client.clone().stop_provider(request)).await;
    assert_eq!(stopped.unwrap().unwrap().into_inner().error, "");
}

/// One test, because what is under way is told to the whole process.
#[tokio::test(start_paused = true)]
async fn a_stop_gives_what_is_under_way_ten_seconds_and_begins_nothing_new() {
    let host = Host::configured().await;
    let soon = creating(&host, 9.into()).await;
    let never = creating(&host, Value::Null).await;
    let start = Instant::now();
    stop(&host).await;

    let interrupted = ["error: Interrupted"];
    assert_eq!(host.look("demo_place", object([])).await.1, interrupted);
    assert_eq!(host.plan("demo_patience", &Object::default(), object([])).await.said, interrupted);
    assert_eq!(host.validate("demo_patience", object([])).await, NOTHING);

    let (made, said) = soon.await.unwrap();
    assert_eq!(said, NOTHING);
    assert_eq!(made.state, object([("seconds", 9.into())]));
    let (made, said) = never.await.unwrap();
    assert_eq!(said, interrupted);
    assert_eq!(made, Object::default());
    assert!((10..12).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());

    // Under a debugger the next command meets the same process.
    assert_eq!(host.configure("here".into()).await, NOTHING);
    assert_eq!(host.look("demo_place", object([])).await.1, NOTHING);

    // What was stopped with an earlier generation ends with it, whatever was configured since.
    let never = creating(&host, Value::Null).await;
    stop(&host).await;
    assert_eq!(host.configure("here".into()).await, NOTHING);
    let (made, said) = creating(&host, 30.into()).await.await.unwrap();
    assert_eq!((made.state, said), (object([("seconds", 30.into())]), vec![]));
    assert_eq!(never.await.unwrap().1, interrupted);
}

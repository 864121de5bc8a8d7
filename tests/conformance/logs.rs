//! Topics as logs.

use std::time::{Duration, Instant};

use bytes::Bytes;
use terraform_provider_kafka::{
    clients::kafka::{Append, Appended, KafkaError, Lease, LogRead, LogRecord, NewRecord, Outcome},
    governance::{record::Timestamp, topic::TopicName},
};

use super::{Subject, config, refusal, soon};

impl Subject {
    async fn log(&self, rest: &str, entries: &[(&str, &str)]) -> TopicName {
        let mut spec = self.spec(rest);
        spec.partitions = Some(1);
        spec.config = config(entries);
        self.create(&spec).await.name
    }

    async fn lease(&self, rest: &str) -> Lease {
        self.kafka.take_lease(self.name(rest).as_str(), soon()).await.unwrap()
    }

    async fn append(&self, lease: &mut Lease, appends: &[Append]) -> Outcome {
        self.kafka.append_to_logs(lease, appends, soon()).await.unwrap()
    }

    async fn read(&self, topic: &TopicName, from: i64) -> LogRead {
        self.kafka.read_log(topic, from, soon()).await.unwrap()
    }

    /// Reads once the markers of all transactions under the id are written, which taking its lease waits for.
    async fn read_all(&self, topic: &TopicName, id: &str) -> LogRead {
        self.lease(id).await;
        self.read(topic, 0).await
    }
}

fn record(value: &str) -> NewRecord {
    NewRecord { value: Some(Bytes::from(value.to_owned())), ..NewRecord::default() }
}

fn append(topic: &TopicName, values: &[&str]) -> Append {
    Append { topic: topic.clone(), at: None, records: values.iter().map(|it| record(it)).collect() }
}

fn committed(outcome: Outcome) -> Vec<Appended> {
    match outcome {
        Outcome::Committed(it) => it,
        outcome => panic!("not committed: {outcome:?}"),
    }
}

fn offsets(outcome: Outcome) -> Vec<i64> {
    committed(outcome).iter().map(|it| it.offset).collect()
}

fn values(read: &LogRead) -> Vec<(i64, String)> {
    let value = |it: &LogRecord| String::from_utf8(it.value.as_ref().unwrap().to_vec()).unwrap();
    read.records.iter().map(|it| (it.offset, value(it))).collect()
}

fn expected(values: &[(i64, &str)]) -> Vec<(i64, String)> {
    values.iter().map(|(offset, value)| (*offset, (*value).to_owned())).collect()
}

pub(super) async fn what_is_written_to_a_log_outside_of_transactions_is_read_at_once(on: &Subject) {
    let topic = on.log("plain", &[("message.timestamp.type", "LogAppendTime")]).await;
    let first = on.kafka.write_log(&topic, &[record("a"), record("b")], soon()).await.unwrap();
    let second = on.kafka.write_log(&topic, &[record("c")], soon()).await.unwrap();
    assert_eq!((first.offset, second.offset), (0, 2));
    assert!(first.timestamp <= second.timestamp && first.timestamp.is_some());
    let read = on.read(&topic, 0).await;
    assert_eq!(values(&read), expected(&[(0, "a"), (1, "b"), (2, "c")]));
    assert!(read.is_at_end());
    let absent = on.kafka.write_log(&on.name("absent"), &[record("a")], Instant::now() + Duration::from_secs(3)).await;
    assert!(absent.is_err(), "{absent:?}");
}

pub(super) async fn an_empty_log_reads_as_nothing(on: &Subject) {
    let topic = on.log("empty", &[]).await;
    let read = on.read(&topic, 0).await;
    assert_eq!(read, LogRead::default());
    assert!(read.is_at_end());
    let beyond = on.read(&topic, 7).await;
    assert_eq!(beyond, LogRead { next: 7, ..LogRead::default() });
    on.delete(&topic).await;
    let absent = on.kafka.read_log(&on.name("absent"), 0, soon()).await;
    assert_eq!(absent, Err(KafkaError::NoTopic(on.name("absent").to_string())));
}

pub(super) async fn a_transaction_writes_to_several_topics(on: &Subject) {
    let (a, b) = (on.log("several-a", &[]).await, on.log("several-b", &[("cleanup.policy", "compact")]).await);
    let mut lease = on.lease("several").await;
    let key = |it: &str| Some(Bytes::from(it.to_owned()));
    let keyed = Append {
        topic: b.clone(),
        at: Some(0),
        records: vec![NewRecord { key: key("k"), ..record("v") }, NewRecord { key: key("l"), ..NewRecord::default() }],
    };
    let outcome = on.append(&mut lease, &[append(&a, &["1", "2", "3"]), keyed]).await;
    assert_eq!(offsets(outcome), [0, 0]);
    // Once more under the same lease, and once under the next.
    assert_eq!(offsets(on.append(&mut lease, &[append(&a, &["4"])]).await), [4]);
    let mut lease = on.lease("several").await;
    assert_eq!(offsets(on.append(&mut lease, &[append(&a, &["5"])]).await), [6]);

    let read = on.read_all(&a, "several").await;
    assert_eq!(values(&read), expected(&[(0, "1"), (1, "2"), (2, "3"), (4, "4"), (6, "5")]));
    assert_eq!((read.start, read.next, read.end, read.high_watermark), (0, 8, 8, 8));
    let read = on.read(&b, 0).await;
    let pairs: Vec<_> = read.records.into_iter().map(|it| (it.key, it.value)).collect();
    assert_eq!(pairs, [(key("k"), key("v")), (key("l"), None)]);
    on.delete(&a).await;
    on.delete(&b).await;
}

pub(super) async fn a_writer_that_lost_its_lease_writes_nothing(on: &Subject) {
    let topic = on.log("fenced", &[]).await;
    let mut first = on.lease("fenced").await;
    let mut second = on.lease("fenced").await;
    let holder = on.kafka.lease_holder(on.name("fenced").as_str(), soon()).await.unwrap();
    if let Some(holder) = holder {
        assert_eq!((holder.producer_id, holder.epoch, holder.is_writing), (second.producer_id, second.epoch, false));
    }
    assert_eq!(on.kafka.lease_holder("conformance.nobody", soon()).await, Ok(None));
    assert_eq!(on.append(&mut first, &[append(&topic, &["first"])]).await, Outcome::Fenced);
    assert_eq!(offsets(on.append(&mut second, &[append(&topic, &["second"])]).await), [0]);
    let mut other = on.lease("fenced-other").await;
    assert_eq!(offsets(on.append(&mut other, &[append(&topic, &["other"])]).await), [2]);
    on.lease("fenced-other").await;
    let read = on.read_all(&topic, "fenced").await;
    assert_eq!(values(&read), expected(&[(0, "second"), (2, "other")]));
    on.delete(&topic).await;
}

pub(super) async fn a_transaction_that_would_begin_elsewhere_leaves_nothing(on: &Subject) {
    let (a, b) = (on.log("elsewhere-a", &[]).await, on.log("elsewhere-b", &[]).await);
    let mut lease = on.lease("elsewhere").await;
    let appends = [append(&a, &["1"]), Append { at: Some(1), ..append(&b, &["2"]) }];
    assert_eq!(on.append(&mut lease, &appends).await, Outcome::Elsewhere);
    for topic in [&a, &b] {
        let read = on.read_all(topic, "elsewhere").await;
        assert_eq!(values(&read), []);
        assert!(read.is_at_end());
    }
    on.delete(&a).await;
    on.delete(&b).await;
}

pub(super) async fn a_log_is_read_from_any_offset(on: &Subject) {
    let topic = on.log("anywhere", &[]).await;
    let mut lease = on.lease("anywhere").await;
    committed(on.append(&mut lease, &[append(&topic, &["0", "1", "2"])]).await);
    on.lease("anywhere").await;
    assert_eq!(values(&on.read(&topic, 2).await), expected(&[(2, "2")]));
    let at_end = on.read(&topic, 4).await;
    assert_eq!((at_end.records.len(), at_end.next, at_end.end), (0, 4, 4));
    let beyond = on.read(&topic, 5).await;
    assert_eq!((beyond.records.len(), beyond.start, beyond.high_watermark), (0, 0, 4));
    on.delete(&topic).await;
}

pub(super) async fn a_log_larger_than_one_answer_is_read_in_several(on: &Subject) {
    let topic = on.log("large", &[]).await;
    let value = "x".repeat(100_000);
    for _ in 0..12 {
        let mut lease = on.lease("large").await;
        committed(on.append(&mut lease, &[append(&topic, &[value.as_str(); 9])]).await);
    }
    on.lease("large").await;
    let (mut next, mut count) = (0, 0);
    loop {
        let read = on.read(&topic, next).await;
        count += read.records.len();
        if read.is_at_end() {
            break;
        }
        assert!(next < read.next, "{read:?}");
        next = read.next;
    }
    assert_eq!(count, 12 * 9);
    on.delete(&topic).await;
}

pub(super) async fn only_topics_of_one_partition_are_logs(on: &Subject) {
    let topic = on.create(&on.spec("many-partitions")).await.name;
    assert_eq!(refusal(on.kafka.read_log(&topic, 0, soon()).await), "INVALID_PARTITIONS");
    let mut lease = on.lease("many-partitions").await;
    let appended = on.kafka.append_to_logs(&mut lease, &[append(&topic, &["a"])], soon()).await;
    assert_eq!(refusal(appended), "INVALID_PARTITIONS");
    on.lease("many-partitions").await;
    on.delete(&topic).await;
}

pub(super) async fn records_are_stamped_when_they_are_appended_or_as_their_writer_says(on: &Subject) {
    let stamped = on.log("stamped", &[("message.timestamp.type", "LogAppendTime")]).await;
    let plain = on.log("plain", &[]).await;
    let mut lease = on.lease("stamps").await;
    let given = |topic| {
        let mut append = append(topic, &["a", "b"]);
        append.records[0].timestamp = Some(Timestamp(1_000));
        append.records[1].timestamp = Some(Timestamp(3_000));
        append
    };
    let written = committed(on.append(&mut lease, &[given(&stamped), given(&plain)]).await);
    on.lease("stamps").await;
    let times = |read: LogRead| read.records.iter().map(|it| it.timestamp).collect::<Vec<_>>();
    assert_eq!(times(on.read(&plain, 0).await), [Timestamp(1_000), Timestamp(3_000)]);
    assert_eq!(written[1].timestamp, None);
    let time = written[0].timestamp.unwrap();
    assert!(Timestamp(1_700_000_000_000) < time, "{time:?}");
    assert_eq!(times(on.read(&stamped, 0).await), [time, time]);
    on.delete(&stamped).await;
    on.delete(&plain).await;
}

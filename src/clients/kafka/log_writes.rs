//! Writing to a topic of one partition outside of any transaction.

use std::time::Instant;

use kafka_protocol::messages::{
    ProduceRequest,
    produce_request::{PartitionProduceData, TopicProduceData},
};

use crate::{
    clients::kafka::{
        KafkaError,
        client::{Client, Target},
        log::{Appended, NewRecord},
        records,
        requests::wire_name,
        transactions::{BY_ALL, REPLICATION_TIMEOUT, appended},
        trouble::{Asked, Tries, Trouble},
    },
    governance::topic::TopicName,
};

use bytes::Bytes;

impl Client {
    pub(super) async fn write_log(
        &self,
        topic: &TopicName,
        records: &[NewRecord],
        deadline: Instant,
    ) -> Result<Appended, KafkaError> {
        let batch = records::encode_alone(records).map_err(KafkaError::Unsupported)?;
        let mut tries = Tries::new(deadline, || format!("writing to topic `{topic}`"));
        loop {
            match self.write_log_once(topic, &batch, deadline).await {
                Ok(written) => return Ok(written),
                Err(trouble) => {
                    self.forget_leader(topic);
                    tries.next(self.patient(topic, trouble)).await?;
                }
            }
        }
    }

    async fn write_log_once(&self, topic: &TopicName, batch: &Bytes, deadline: Instant) -> Result<Appended, Trouble> {
        let partition = PartitionProduceData::default().with_index(0).with_records(Some(batch.clone()));
        let data = TopicProduceData::default().with_name(wire_name(topic)).with_partition_data(vec![partition]);
        let request = ProduceRequest::default()
            .with_acks(BY_ALL)
            .with_timeout_ms(i32::try_from(REPLICATION_TIMEOUT.as_millis()).unwrap_or(i32::MAX))
            .with_topic_data(vec![data]);
        let leader = Target::Node(self.leader(topic, deadline).await?);
        let answer = self.call(leader, deadline, |_| Ok(request)).await?;
        let written = answer.responses.iter().find_map(|it| it.partition_responses.first());
        let written = written.ok_or_else(|| unanswered(topic))?;
        let asked = Asked { operation: "WRITE", name: topic.as_str() };
        match Trouble::of_code(written.error_code, written.error_message.as_deref(), asked) {
            None => Ok(appended(written)),
            Some(trouble) => Err(trouble),
        }
    }
}

fn unanswered(topic: &TopicName) -> Trouble {
    let message = format!("it did not say what became of the records of `{topic}`");
    Trouble::Final(KafkaError::Broker { code: "UNKNOWN_SERVER_ERROR".to_owned(), message })
}

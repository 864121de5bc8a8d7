//! The port to what brokers tell of themselves and of the caller's rights.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use kafka_protocol::messages::{
    DescribeClusterRequest, DescribeConfigsRequest, describe_configs_request::DescribeConfigsResource,
};

use crate::{
    clients::kafka::{
        Answer, KafkaError,
        acl_requests::Coded,
        client::{Client, Target, Wired},
        requests::{metadata_of, metadata_of_brokers, wire_text},
        trouble::{Asked, Tries, Trouble},
    },
    governance::{acl::Operation, topic::TopicName},
};

/// What brokers tell of themselves and of the caller. What they do not tell is no error.
pub trait Facts: Send + Sync {
    /// What a live broker is set to, by key. Keys are missing that it does not tell, which are all if the caller may not
    /// see them.
    fn broker_config<'a>(
        &'a self,
        broker: i32,
        keys: &'a [&'a str],
        deadline: Instant,
    ) -> Answer<'a, BTreeMap<String, BrokerSetting>>;

    /// What the caller may do to the cluster; `None` if the broker does not tell.
    fn cluster_rights(&self, deadline: Instant) -> Answer<'_, Option<BTreeSet<Operation>>>;

    /// What the caller may do to a topic; `None` if the broker does not tell, or there is no such topic.
    fn topic_rights<'a>(&'a self, name: &'a TopicName, deadline: Instant) -> Answer<'a, Option<BTreeSet<Operation>>>;

    /// Whether producers need `IDEMPOTENT_WRITE` on the cluster to be idempotent, as with brokers before 2.8.
    fn wants_idempotent_write(&self, deadline: Instant) -> Answer<'_, bool>;
}

/// What a broker says of one of its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrokerSetting {
    /// Its value, be it written or Kafka's default.
    Value(String),
    /// It is not set, and has no default.
    Unset,
    /// It is set, and the broker does not tell to what, as it does with settings that Kafka itself does not know, such
    /// as those of authorizers.
    Hidden,
}

/// `ConfigResource.Type.BROKER`.
const BROKER_RESOURCE: i8 = 4;

/// What stands in the place of rights that were not asked for.
const NOT_TOLD: i32 = i32::MIN;

/// The versions of metadata that tell rights on topics, and those that tell rights on the cluster.
const TELLS_OF_TOPICS: i16 = 8;
const TELLS_OF_THE_CLUSTER: std::ops::RangeInclusive<i16> = 8..=10;

impl Facts for Wired {
    fn broker_config<'a>(
        &'a self,
        broker: i32,
        keys: &'a [&'a str],
        deadline: Instant,
    ) -> Answer<'a, BTreeMap<String, BrokerSetting>> {
        self.told(self.0.broker_config(broker, keys, deadline))
    }

    fn cluster_rights(&self, deadline: Instant) -> Answer<'_, Option<BTreeSet<Operation>>> {
        self.told(self.0.cluster_rights(deadline))
    }

    fn topic_rights<'a>(&'a self, name: &'a TopicName, deadline: Instant) -> Answer<'a, Option<BTreeSet<Operation>>> {
        self.told(self.0.topic_rights(name, deadline))
    }

    fn wants_idempotent_write(&self, deadline: Instant) -> Answer<'_, bool> {
        self.told(self.0.wants_idempotent_write(deadline))
    }
}

impl Client {
    async fn broker_config(
        &self,
        broker: i32,
        keys: &[&str],
        deadline: Instant,
    ) -> Result<BTreeMap<String, BrokerSetting>, KafkaError> {
        let mut tries = Tries::new(deadline, || format!("reading the configuration of broker {broker}"));
        loop {
            match self.described_broker(broker, keys, deadline).await {
                Ok(config) => return Ok(config),
                Err(Trouble::Final(KafkaError::Denied { .. })) => return Ok(BTreeMap::new()),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    /// Each broker answers for itself alone.
    async fn described_broker(
        &self,
        broker: i32,
        keys: &[&str],
        deadline: Instant,
    ) -> Result<BTreeMap<String, BrokerSetting>, Trouble> {
        let resource = DescribeConfigsResource::default()
            .with_resource_type(BROKER_RESOURCE)
            .with_resource_name(wire_text(&broker.to_string()))
            .with_configuration_keys(Some(keys.iter().map(|it| wire_text(it)).collect()));
        let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
        if !self.knows_broker(broker) {
            self.metadata(metadata_of_brokers(), deadline).await?;
        }
        let answer = self.call(Target::Node(broker), deadline, |_| Ok(request)).await?;
        let mut res = BTreeMap::new();
        for it in answer.results {
            let about = Asked { operation: "DESCRIBE_CONFIGS", name: "" };
            if let Some(trouble) = Trouble::of_code(it.error_code, it.error_message.as_deref(), about) {
                return Err(trouble);
            }
            for it in it.configs {
                let setting = match it.value {
                    _ if it.is_sensitive => BrokerSetting::Hidden,
                    Some(value) => BrokerSetting::Value(value.to_string()),
                    None => BrokerSetting::Unset,
                };
                res.insert(it.name.to_string(), setting);
            }
        }
        Ok(res)
    }

    pub(super) async fn cluster_rights(&self, deadline: Instant) -> Result<Option<BTreeSet<Operation>>, KafkaError> {
        let mut tries = Tries::new(deadline, || "reading the rights on the cluster".to_owned());
        loop {
            let request = DescribeClusterRequest::default().with_include_cluster_authorized_operations(true);
            let answer = match self.call(Target::Any, deadline, |_| Ok(request)).await {
                Ok(it) => match Trouble::of_code(it.error_code, it.error_message.as_deref(), ABOUT_THE_CLUSTER) {
                    Some(trouble) => Err(trouble),
                    None => Ok(it.cluster_authorized_operations),
                },
                Err(Trouble::Final(KafkaError::Unsupported(_))) => self.cluster_rights_of_metadata(deadline).await,
                Err(trouble) => Err(trouble),
            };
            match answer {
                Ok(told) => return Ok(rights(told)),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    /// Descriptions of the cluster came in the same release as KIP-679, which made an end of the right.
    async fn wants_idempotent_write(&self, deadline: Instant) -> Result<bool, KafkaError> {
        let mut tries = Tries::new(deadline, || "reading the cluster".to_owned());
        loop {
            let request = DescribeClusterRequest::default();
            match self.call(Target::Any, deadline, |_| Ok(request)).await {
                Ok(_) => return Ok(false),
                Err(Trouble::Final(KafkaError::Unsupported(_))) => return Ok(true),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    /// The rights as brokers before 2.8 tell them.
    async fn cluster_rights_of_metadata(&self, deadline: Instant) -> Result<i32, Trouble> {
        let build = |version| {
            let tells = TELLS_OF_THE_CLUSTER.contains(&version);
            Ok(metadata_of_brokers().with_include_cluster_authorized_operations(tells))
        };
        Ok(self.call(Target::Any, deadline, build).await?.cluster_authorized_operations)
    }

    async fn topic_rights(
        &self,
        name: &TopicName,
        deadline: Instant,
    ) -> Result<Option<BTreeSet<Operation>>, KafkaError> {
        let mut tries = Tries::new(deadline, || format!("reading the rights on topic `{name}`"));
        loop {
            let build =
                |version| Ok(metadata_of([name]).with_include_topic_authorized_operations(TELLS_OF_TOPICS <= version));
            let trouble = match self.call(Target::Any, deadline, build).await {
                Ok(answer) => {
                    let Some(topic) = answer.topics.first() else { return Ok(None) };
                    let about = Asked { operation: "DESCRIBE", name: name.as_str() };
                    match Trouble::of_code(topic.error_code, None, about) {
                        None => return Ok(rights(topic.topic_authorized_operations)),
                        Some(Trouble::Final(KafkaError::NoTopic(_))) => return Ok(None),
                        Some(Trouble::Final(KafkaError::Denied { .. })) => return Ok(Some(BTreeSet::new())),
                        Some(trouble) => trouble,
                    }
                }
                Err(trouble) => trouble,
            };
            tries.next(trouble).await?;
        }
    }
}

const ABOUT_THE_CLUSTER: Asked<'_> = Asked { operation: "DESCRIBE", name: "" };

/// Operations that are told as one bit each, at the place of their codes.
fn rights(bits: i32) -> Option<BTreeSet<Operation>> {
    let is_set = |it: &&Operation| bits >> (**it).code() & 1 == 1;
    (bits != NOT_TOLD).then(|| Operation::ALL.iter().filter(is_set).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_bits_at_the_place_of_their_codes() {
        assert_eq!(rights(i32::MIN), None);
        assert_eq!(rights(0), Some(BTreeSet::new()));
        let some = BTreeSet::from([Operation::Read, Operation::Describe]);
        assert_eq!(rights(1 << 3 | 1 << 8), Some(some));
    }
}

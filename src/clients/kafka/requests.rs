//! The requests that the client sends: in which versions, what each is for, and constructors that set every field that
//! may be null, since the codec's default of those is an empty text and not null.

use std::{collections::BTreeSet, ops::RangeInclusive};

use kafka_protocol::{
    messages::{
        AddPartitionsToTxnRequest, AlterClientQuotasRequest, AlterUserScramCredentialsRequest,
        ConsumerGroupDescribeRequest, CreateAclsRequest, CreatePartitionsRequest, CreateTopicsRequest,
        DeleteAclsRequest, DeleteTopicsRequest, DescribeAclsRequest, DescribeClientQuotasRequest,
        DescribeClusterRequest, DescribeConfigsRequest, DescribeGroupsRequest, DescribeTransactionsRequest,
        DescribeUserScramCredentialsRequest, EndTxnRequest, FetchRequest, FindCoordinatorRequest,
        IncrementalAlterConfigsRequest, InitProducerIdRequest, ListGroupsRequest, ListOffsetsRequest,
        ListTransactionsRequest, MetadataRequest, ProduceRequest, TopicName as WireTopicName,
        describe_configs_request::DescribeConfigsResource, metadata_request::MetadataRequestTopic,
    },
    protocol::{Request, StrBytes},
};

use crate::governance::topic::TopicName;

/// `ConfigResource.Type.TOPIC`.
pub(super) const TOPIC_RESOURCE: i8 = 2;

/// `ConfigSource.DYNAMIC_TOPIC_CONFIG`: the topic itself sets the value.
pub(super) const SET_BY_TOPIC: i8 = 1;

/// A request of this client.
pub(super) trait Ask: Request<Response: Send> + Send + Sync {
    /// The versions that the client writes and understands.
    const WRITTEN: RangeInclusive<i16>;
    /// What it is for, and since when brokers know it.
    const PURPOSE: &'static str;

    /// How long the broker wants to be left alone.
    fn throttle_time_ms(answer: &Self::Response) -> i32;
}

macro_rules! asks {
    ($($request:ty, $written:expr, $purpose:literal;)*) => {$(
        impl Ask for $request {
            const WRITTEN: RangeInclusive<i16> = $written;
            const PURPOSE: &'static str = $purpose;

            fn throttle_time_ms(answer: &Self::Response) -> i32 {
                answer.throttle_time_ms
            }
        }
    )*};
}

// Metadata from 4, which does not create the topics it is asked about, to 12: 13 tells clients to start over, which
// this one does anyway. DeleteTopics from 6 by id. Fetch from 13 and Produce from 13 name topics by id.
asks! {
    MetadataRequest, 4..=12, "metadata that leaves topics as they are (Kafka 0.11)";
    DescribeConfigsRequest, 1..=4, "descriptions of configurations (Kafka 1.1)";
    CreateTopicsRequest, 2..=7, "creation of topics (Kafka 0.11)";
    DeleteTopicsRequest, 1..=6, "deletion of topics (Kafka 0.11)";
    CreatePartitionsRequest, 0..=3, "more partitions for a topic (Kafka 1.0)";
    IncrementalAlterConfigsRequest, 0..=1, "changes of single configuration keys (Kafka 2.3)";
    DescribeAclsRequest, 1..=3, "descriptions of ACLs with prefixes (Kafka 2.0)";
    CreateAclsRequest, 1..=3, "creation of ACLs with prefixes (Kafka 2.0)";
    DeleteAclsRequest, 1..=3, "deletion of ACLs with prefixes (Kafka 2.0)";
    DescribeClientQuotasRequest, 0..=1, "descriptions of client quotas (Kafka 2.6)";
    AlterClientQuotasRequest, 0..=1, "changes of client quotas (Kafka 2.6)";
    DescribeUserScramCredentialsRequest, 0..=0, "descriptions of SCRAM credentials (Kafka 2.7)";
    AlterUserScramCredentialsRequest, 0..=0, "changes of SCRAM credentials (Kafka 2.7)";
    DescribeClusterRequest, 0..=2, "descriptions of the cluster (Kafka 2.8)";
    ListOffsetsRequest, 1..=7, "end offsets (Kafka 0.10.1)";
    FindCoordinatorRequest, 0..=6, "the search for a group's coordinator (Kafka 0.8.2)";
    DescribeGroupsRequest, 0..=6, "descriptions of classic groups (Kafka 0.9)";
    ListGroupsRequest, 0..=5, "lists of groups (Kafka 0.9)";
    ListTransactionsRequest, 0..=1, "lists of transactional ids (Kafka 3.0)";
    FetchRequest, 4..=12, "reads of committed records (Kafka 0.11)";
    InitProducerIdRequest, 0..=4, "leases of transactional ids (Kafka 0.11)";
    DescribeTransactionsRequest, 0..=0, "descriptions of transactions (Kafka 3.0)";
    AddPartitionsToTxnRequest, 0..=3, "transactions (Kafka 0.11)";
    ProduceRequest, 3..=12, "transactional writes (Kafka 0.11)";
    EndTxnRequest, 0..=5, "ends of transactions (Kafka 0.11)";
    ConsumerGroupDescribeRequest, 0..=1, "descriptions of groups of the new consumer protocol (Kafka 3.7)";
}

/// A topic's name on the wire.
pub(super) fn wire_name(name: &TopicName) -> WireTopicName {
    WireTopicName(wire_text(name.as_str()))
}

/// A text on the wire.
pub(super) fn wire_text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Metadata of the brokers alone.
pub(super) fn metadata_of_brokers() -> MetadataRequest {
    MetadataRequest::default().with_topics(Some(Vec::new())).with_allow_auto_topic_creation(false)
}

/// Metadata of all topics that the caller may describe.
pub(super) fn metadata_of_all_topics() -> MetadataRequest {
    MetadataRequest::default().with_topics(None).with_allow_auto_topic_creation(false)
}

/// Metadata of these topics.
pub(super) fn metadata_of<'a>(names: impl IntoIterator<Item = &'a TopicName>) -> MetadataRequest {
    let topics = names.into_iter().map(|it| MetadataRequestTopic::default().with_name(Some(wire_name(it))));
    MetadataRequest::default().with_topics(Some(topics.collect())).with_allow_auto_topic_creation(false)
}

/// The configuration of a topic: these keys, or all.
pub(super) fn config_of(name: &str, keys: Option<&BTreeSet<String>>) -> DescribeConfigsResource {
    DescribeConfigsResource::default()
        .with_resource_type(TOPIC_RESOURCE)
        .with_resource_name(wire_text(name))
        .with_configuration_keys(keys.map(|keys| keys.iter().map(|it| wire_text(it)).collect()))
}

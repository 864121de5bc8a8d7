//! What is asked of consumer groups. A group is of one of two protocols, each with a description of its own: the classic
//! one, and the one of KIP-848, which Kafka 3.7 brought.

use std::time::Instant;

use kafka_protocol::{
    error::ResponseError,
    messages::{
        ConsumerGroupDescribeRequest, DescribeGroupsRequest, GroupId,
        consumer_group_describe_response::DescribedGroup as NewGroup, describe_groups_response::DescribedGroup,
    },
    protocol::StrBytes,
};

use crate::clients::kafka::{
    ConsumerGroup, GroupMember, KafkaError,
    client::{Client, Target},
    coordinators::Coordinated,
    requests::wire_text,
    trouble::{Asked, Tries, Trouble},
};

/// The state in which brokers before Kafka 4.0 describe a classic group that does not exist.
const DEAD: &str = "Dead";

impl Client {
    pub(super) async fn consumer_group(
        &self,
        group: &str,
        deadline: Instant,
    ) -> Result<Option<ConsumerGroup>, KafkaError> {
        let mut tries = Tries::new(deadline, || format!("reading group `{group}`"));
        loop {
            let trouble = match self.described_group(group, deadline).await {
                Ok(it) => return Ok(it),
                Err(trouble) => trouble,
            };
            // Whatever went wrong, the group may have moved.
            self.forget_coordinator(Coordinated::Group, group);
            tries.next(trouble).await?;
        }
    }

    /// Asks the coordinator once. To a question about one protocol's groups, one of the other protocol does not exist.
    async fn described_group(&self, group: &str, deadline: Instant) -> Result<Option<ConsumerGroup>, Trouble> {
        let coordinator = self.coordinator(Coordinated::Group, group, deadline).await?;
        let classic = self.classic_group(group, coordinator, deadline).await?;
        if classic.is_some() {
            return Ok(classic);
        }
        match self.new_group(group, coordinator, deadline).await {
            // A broker that cannot describe such groups, or has them switched off, has none.
            Err(Trouble::Final(KafkaError::Unsupported(_))) => Ok(None),
            answer => answer,
        }
    }

    async fn classic_group(
        &self,
        group: &str,
        coordinator: i32,
        deadline: Instant,
    ) -> Result<Option<ConsumerGroup>, Trouble> {
        let request = DescribeGroupsRequest::default().with_groups(vec![GroupId(wire_text(group))]);
        let answer = self.call(Target::Node(coordinator), deadline, |_| Ok(request)).await?;
        let of_group = |it: &DescribedGroup| it.group_id.as_str() == group;
        let it = answer.groups.into_iter().find(of_group).ok_or_else(|| unanswered(group))?;
        if !exists(group, it.error_code, it.error_message.as_deref())? || it.group_state.as_str() == DEAD {
            return Ok(None);
        }
        let members = it.members.iter().map(|it| member(&it.client_id, &it.client_host)).collect();
        Ok(Some(described(group, &it.group_state, coordinator, members)))
    }

    async fn new_group(
        &self,
        group: &str,
        coordinator: i32,
        deadline: Instant,
    ) -> Result<Option<ConsumerGroup>, Trouble> {
        let request = ConsumerGroupDescribeRequest::default().with_group_ids(vec![GroupId(wire_text(group))]);
        let answer = self.call(Target::Node(coordinator), deadline, |_| Ok(request)).await?;
        let of_group = |it: &NewGroup| it.group_id.as_str() == group;
        let it = answer.groups.into_iter().find(of_group).ok_or_else(|| unanswered(group))?;
        if !exists(group, it.error_code, it.error_message.as_deref())? {
            return Ok(None);
        }
        let members = it.members.iter().map(|it| member(&it.client_id, &it.client_host)).collect();
        Ok(Some(described(group, &it.group_state, coordinator, members)))
    }
}

/// What the code of a description means.
fn exists(group: &str, code: i16, message: Option<&str>) -> Result<bool, Trouble> {
    match ResponseError::try_from_code(code) {
        None => Ok(true),
        Some(ResponseError::GroupIdNotFound) => Ok(false),
        // The broker tells nothing of a group whose topics the caller may not see, nor which they are.
        Some(ResponseError::TopicAuthorizationFailed) => {
            let resource = format!("the topics of group `{group}`");
            Err(Trouble::Final(KafkaError::Denied { operation: "DESCRIBE", resource, principal: None }))
        }
        Some(_) => Trouble::of_code(code, message, Asked { operation: "DESCRIBE", name: group }).map_or(Ok(true), Err),
    }
}

fn described(group: &str, state: &str, coordinator: i32, mut members: Vec<GroupMember>) -> ConsumerGroup {
    // Brokers tell members in any order.
    members.sort();
    ConsumerGroup { id: group.to_owned(), state: state.to_owned(), coordinator, members }
}

/// Brokers write an address without a name as Java does, with a slash before it.
fn member(client_id: &StrBytes, host: &StrBytes) -> GroupMember {
    GroupMember { client_id: client_id.to_string(), host: host.trim_start_matches('/').to_owned() }
}

/// An answer that leaves the group out.
fn unanswered(group: &str) -> Trouble {
    let message = format!("it said nothing about group `{group}`");
    Trouble::Final(KafkaError::Broker { code: "UNKNOWN_SERVER_ERROR".to_owned(), message })
}

//! The port to the names that are used on a cluster: of groups, and of producers with transactions. Each broker tells
//! those that it coordinates.

use std::{collections::BTreeSet, time::Instant};

use kafka_protocol::messages::{ListGroupsRequest, ListTransactionsRequest};

use crate::{
    clients::kafka::{
        Answer, KafkaError,
        client::{Client, Target, Wired},
        requests::metadata_of_brokers,
        trouble::{Asked, Tries, Trouble},
    },
    governance::acl::Operation,
};

/// The names that are used on a cluster.
pub trait Names: Send + Sync {
    /// The groups of all kinds that the caller may describe, asked anew of every live broker.
    fn group_names(&self, deadline: Instant) -> Answer<'_, Listed>;

    /// The transactional ids that were used in the last days and that the caller may describe, asked anew of every live
    /// broker. Brokers before 3.0 do not tell.
    fn transactional_ids(&self, deadline: Instant) -> Answer<'_, Listed>;
}

/// Names of one kind, as a caller sees them. Brokers leave out without a word what the caller may not describe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Those that were told.
    pub names: BTreeSet<String>,
    /// Whether they are known to be all: else nothing follows from a name that is missing.
    pub is_complete: bool,
}

/// Which names are asked for.
#[derive(Clone, Copy, Debug)]
enum Asking {
    Groups,
    TransactionalIds,
}

const LISTING: Asked<'_> = Asked { operation: "DESCRIBE", name: "" };

impl Names for Wired {
    fn group_names(&self, deadline: Instant) -> Answer<'_, Listed> {
        Box::pin(async move {
            // Who may describe the cluster is told of every group.
            let rights = self.0.cluster_rights(deadline).await?;
            let is_complete = rights.is_some_and(|it| it.contains(&Operation::Describe));
            Ok(Listed { names: self.0.listed(Asking::Groups, deadline).await?, is_complete })
        })
    }

    fn transactional_ids(&self, deadline: Instant) -> Answer<'_, Listed> {
        Box::pin(async move {
            let names = self.0.listed(Asking::TransactionalIds, deadline).await?;
            // Each is told to those who may describe it, and no right stands for all of them.
            Ok(Listed { names, is_complete: false })
        })
    }
}

impl Client {
    async fn listed(&self, asking: Asking, deadline: Instant) -> Result<BTreeSet<String>, KafkaError> {
        let mut tries = Tries::new(deadline, || format!("listing {}", asking.noun()));
        loop {
            match self.listed_by_all(asking, deadline).await {
                Ok(names) => return Ok(names),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    async fn listed_by_all(&self, asking: Asking, deadline: Instant) -> Result<BTreeSet<String>, Trouble> {
        let brokers = self.metadata(metadata_of_brokers(), deadline).await?.brokers;
        let mut res = BTreeSet::new();
        for broker in brokers {
            res.extend(self.listed_by(asking, broker.node_id.0, deadline).await?);
        }
        Ok(res)
    }

    async fn listed_by(&self, asking: Asking, broker: i32, deadline: Instant) -> Result<Vec<String>, Trouble> {
        let to = Target::Node(broker);
        let (code, names) = match asking {
            Asking::Groups => {
                let answer = self.call(to, deadline, |_| Ok(ListGroupsRequest::default())).await?;
                (answer.error_code, answer.groups.iter().map(|it| it.group_id.to_string()).collect())
            }
            Asking::TransactionalIds => {
                let request = ListTransactionsRequest::default().with_transactional_id_pattern(None);
                let answer = self.call(to, deadline, |_| Ok(request)).await?;
                let ids = answer.transaction_states.iter().map(|it| it.transactional_id.to_string());
                (answer.error_code, ids.collect())
            }
        };
        Trouble::of_code(code, None, LISTING).map_or(Ok(names), Err)
    }
}

impl Asking {
    fn noun(self) -> &'static str {
        match self {
            Self::Groups => "groups",
            Self::TransactionalIds => "transactional ids",
        }
    }
}

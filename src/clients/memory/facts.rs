//! What the cluster in memory tells of itself and of who calls, and the quotas of its clients.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use super::{Authorizer, MemoryCluster, State, refused};
use crate::{
    clients::kafka::{
        Answer, BrokerSetting, Facts, KafkaError, Listed, Names, Quota, QuotaChanges, QuotaEntity, Quotas,
    },
    governance::{
        acl::{CLUSTER, Operation, ResourceType},
        topic::TopicName,
    },
};

/// What brokers are set to unless a test says otherwise.
const SETTINGS: &[(&str, &str)] = &[
    ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
    ("auto.create.topics.enable", "false"),
    ("min.insync.replicas", "1"),
    ("ssl.principal.mapping.rules", "DEFAULT"),
];

/// Keys of quotas, and whether they are whole numbers.
const OF_USERS: &[(&str, bool)] = &[
    ("consumer_byte_rate", true),
    ("controller_mutation_rate", false),
    ("producer_byte_rate", true),
    ("request_percentage", false),
];
const OF_ADDRESSES: &[(&str, bool)] = &[("connection_creation_rate", true)];

impl MemoryCluster {
    /// Sets the brokers to something; `None` as if they did not know the key.
    pub fn set_brokers(&self, key: &str, setting: Option<BrokerSetting>) {
        self.state().settings.insert(key.to_owned(), setting);
    }
}

impl State {
    fn setting(&self, key: &str) -> Option<BrokerSetting> {
        if let Some(told) = self.settings.get(key) {
            return told.clone();
        }
        let (_, value) = SETTINGS.iter().find(|(it, _)| *it == key)?;
        let is_open = self.authorizer == Authorizer::Absent && key == "authorizer.class.name";
        Some(BrokerSetting::Value(if is_open { String::new() } else { (*value).to_owned() }))
    }

    fn rights(&self, resource_type: ResourceType, name: &str) -> BTreeSet<Operation> {
        let all = resource_type.operations().iter().copied();
        let rights: BTreeSet<_> = all.filter(|it| self.permit(*it, resource_type, name).is_ok()).collect();
        // Brokers tell rights to those who may see what they are about.
        if rights.contains(&Operation::Describe) { rights } else { BTreeSet::new() }
    }

    fn shown_quota(&self, of: &QuotaEntity) -> Result<Quota, KafkaError> {
        self.permit(Operation::DescribeConfigs, ResourceType::Cluster, CLUSTER)?;
        Ok(self.quotas.get(of).cloned().unwrap_or_default())
    }

    fn quota_after(&self, of: &QuotaEntity, changes: &QuotaChanges) -> Result<Quota, KafkaError> {
        self.permit(Operation::AlterConfigs, ResourceType::Cluster, CLUSTER)?;
        let invalid = |message: String| Err(refused("INVALID_REQUEST", message));
        let keys = match (of.ip.is_some(), of.user.is_some() || of.client_id.is_some()) {
            (true, false) => OF_ADDRESSES,
            (false, true) => OF_USERS,
            _ => return invalid("invalid quota entity".to_owned()),
        };
        let mut quota = self.quotas.get(of).cloned().unwrap_or_default();
        for (key, value) in changes {
            let Some((_, whole)) = keys.iter().find(|(it, _)| it == key) else {
                return invalid(format!("invalid configuration key {key}"));
            };
            match value {
                Some(value) if *value <= 0.0 => return invalid(format!("quota {key} must be greater than 0")),
                Some(value) if *whole && 1e-6 < value.fract() => {
                    return invalid(format!("quota {key} must be a whole number"));
                }
                Some(value) => _ = quota.insert(key.clone(), *value),
                None => _ = quota.remove(key),
            }
        }
        Ok(quota)
    }
}

impl Facts for MemoryCluster {
    fn broker_config<'a>(
        &'a self,
        broker: i32,
        keys: &'a [&'a str],
        _: Instant,
    ) -> Answer<'a, BTreeMap<String, BrokerSetting>> {
        self.answer("broker_config", |state| {
            if !(1..=i32::from(self.brokers)).contains(&broker) {
                let message = format!("broker {broker} is not among the live brokers");
                return Err(KafkaError::Broker { code: "BROKER_NOT_AVAILABLE".to_owned(), message });
            }
            if state.permit(Operation::DescribeConfigs, ResourceType::Cluster, CLUSTER).is_err() {
                return Ok(BTreeMap::new());
            }
            Ok(keys.iter().filter_map(|key| Some(((*key).to_owned(), state.setting(key)?))).collect())
        })
    }

    fn cluster_rights(&self, _: Instant) -> Answer<'_, Option<BTreeSet<Operation>>> {
        self.answer("cluster_rights", |state| Ok(Some(state.rights(ResourceType::Cluster, CLUSTER))))
    }

    fn topic_rights<'a>(&'a self, name: &'a TopicName, _: Instant) -> Answer<'a, Option<BTreeSet<Operation>>> {
        self.answer("topic_rights", |state| {
            let rights = state.rights(ResourceType::Topic, name.as_str());
            Ok((rights.is_empty() || state.topics.contains_key(name)).then_some(rights))
        })
    }

    fn wants_idempotent_write(&self, _: Instant) -> Answer<'_, bool> {
        self.answer("wants_idempotent_write", |_| Ok(false))
    }
}

impl Names for MemoryCluster {
    fn group_names(&self, _: Instant) -> Answer<'_, Listed> {
        self.answer("group_names", |state| {
            let is_complete = state.permit(Operation::Describe, ResourceType::Cluster, CLUSTER).is_ok();
            let is_told =
                |it: &&String| is_complete || state.permit(Operation::Describe, ResourceType::Group, it).is_ok();
            Ok(Listed { names: state.groups.keys().filter(is_told).cloned().collect(), is_complete })
        })
    }

    fn transactional_ids(&self, _: Instant) -> Answer<'_, Listed> {
        self.answer("transactional_ids", |state| {
            let is_told = |it: &&String| state.permit(Operation::Describe, ResourceType::TransactionalId, it).is_ok();
            Ok(Listed { names: state.leases.keys().filter(is_told).cloned().collect(), is_complete: false })
        })
    }
}

impl Quotas for MemoryCluster {
    fn refresh_quota<'a>(&'a self, of: &'a QuotaEntity, _: Instant) -> Answer<'a, Quota> {
        self.answer("refresh_quota", |state| state.shown_quota(of))
    }

    fn quota<'a>(&'a self, of: &'a QuotaEntity, _: Instant) -> Answer<'a, Quota> {
        self.answer("quota", |state| state.shown_quota(of))
    }

    fn quotas(&self, _: Instant) -> Answer<'_, BTreeMap<QuotaEntity, Quota>> {
        self.answer("quotas", |state| {
            state.permit(Operation::DescribeConfigs, ResourceType::Cluster, CLUSTER)?;
            Ok(state.quotas.clone())
        })
    }

    fn alter_quota<'a>(&'a self, of: &'a QuotaEntity, changes: &'a QuotaChanges, _: Instant) -> Answer<'a, ()> {
        self.answer("alter_quota", |state| {
            let quota = state.quota_after(of, changes)?;
            if quota.is_empty() {
                state.quotas.remove(of);
            } else {
                state.quotas.insert(of.clone(), quota);
            }
            Ok(())
        })
    }

    fn check_alter_quota<'a>(&'a self, of: &'a QuotaEntity, changes: &'a QuotaChanges, _: Instant) -> Answer<'a, ()> {
        self.answer("check_alter_quota", |state| state.quota_after(of, changes).map(drop))
    }
}

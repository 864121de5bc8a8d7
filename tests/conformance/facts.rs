//! What every cluster tells of itself and of who calls, and what it answers about quotas.

use std::collections::BTreeSet;

use terraform_provider_kafka::{
    clients::kafka::{BrokerSetting, KafkaError, Quota, QuotaChanges, QuotaEntity, QuotaName},
    governance::acl::{Operation, ResourceType},
};

use super::{Subject, refusal, soon};

impl Subject {
    fn user(&self, rest: &str) -> QuotaEntity {
        QuotaEntity::user(&format!("conformance.{}.{rest}", self.prefix))
    }

    async fn alter_quota(&self, of: &QuotaEntity, changes: &[(&str, Option<f64>)]) -> Result<(), KafkaError> {
        self.kafka.alter_quota(of, &quota_changes(changes), soon()).await
    }

    async fn assert_quota(&self, of: &QuotaEntity, expected: &[(&str, f64)]) {
        let expected: Quota = expected.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
        assert_eq!(self.kafka.refresh_quota(of, soon()).await, Ok(expected.clone()), "{of:?}");
        assert_eq!(self.kafka.quota(of, soon()).await, Ok(expected), "{of:?}");
    }
}

fn quota_changes(changes: &[(&str, Option<f64>)]) -> QuotaChanges {
    changes.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect()
}

pub(super) async fn a_quota_is_set_changed_and_removed_key_by_key(on: &Subject) {
    let billing = on.user("billing");
    on.assert_quota(&billing, &[]).await;
    on.alter_quota(&billing, &[("producer_byte_rate", Some(1024.0)), ("request_percentage", Some(12.5))])
        .await
        .unwrap();
    on.assert_quota(&billing, &[("producer_byte_rate", 1024.0), ("request_percentage", 12.5)]).await;
    on.alter_quota(&billing, &[("producer_byte_rate", Some(2048.0)), ("request_percentage", None)]).await.unwrap();
    on.assert_quota(&billing, &[("producer_byte_rate", 2048.0)]).await;
    on.alter_quota(&billing, &[("producer_byte_rate", None), ("consumer_byte_rate", None)]).await.unwrap();
    on.assert_quota(&billing, &[]).await;
}

pub(super) async fn the_quotas_of_a_user_and_of_its_clients_are_two(on: &Subject) {
    let user = on.user("clients");
    let client = QuotaEntity { client_id: Some(QuotaName::Named("app".to_owned())), ..user.clone() };
    let others = QuotaEntity { client_id: Some(QuotaName::Default), ..user.clone() };
    for (of, rate) in [(&user, 1000.0), (&client, 2000.0), (&others, 3000.0)] {
        on.alter_quota(of, &[("consumer_byte_rate", Some(rate))]).await.unwrap();
    }
    for (of, rate) in [(&user, 1000.0), (&client, 2000.0), (&others, 3000.0)] {
        on.assert_quota(of, &[("consumer_byte_rate", rate)]).await;
        on.alter_quota(of, &[("consumer_byte_rate", None)]).await.unwrap();
    }
}

pub(super) async fn quotas_of_every_kind_of_entity_are_listed(on: &Subject) {
    let client = || Some(QuotaName::Named(format!("conformance.{}.listed", on.prefix)));
    let user = on.user("listed");
    let address = QuotaEntity { ip: Some(QuotaName::Named("192.0.2.77".to_owned())), ..QuotaEntity::default() };
    let entities = [
        (QuotaEntity { client_id: client(), ..QuotaEntity::default() }, "producer_byte_rate"),
        (QuotaEntity { client_id: client(), user: Some(QuotaName::Default), ip: None }, "request_percentage"),
        (QuotaEntity { client_id: client(), ..user.clone() }, "consumer_byte_rate"),
        (user, "controller_mutation_rate"),
        (address, "connection_creation_rate"),
    ];
    for (of, key) in &entities {
        on.alter_quota(of, &[(key, Some(7.0))]).await.unwrap();
    }
    let all = on.kafka.quotas(soon()).await.unwrap();
    for (of, key) in &entities {
        assert_eq!(all.get(of), Some(&Quota::from([((*key).to_owned(), 7.0)])), "{of:?}");
        on.alter_quota(of, &[(key, None)]).await.unwrap();
    }
    let all = on.kafka.quotas(soon()).await.unwrap();
    assert!(entities.iter().all(|(of, _)| !all.contains_key(of)), "{all:?}");
}

pub(super) async fn a_quota_that_cannot_be_is_refused(on: &Subject) {
    let of = on.user("wrong");
    let address = QuotaEntity { ip: Some(QuotaName::Named("10.1.2.3".to_owned())), ..QuotaEntity::default() };
    for (of, changes) in [
        (&of, [("no_such_rate", Some(1.0))]),
        (&of, [("producer_byte_rate", Some(0.0))]),
        (&of, [("producer_byte_rate", Some(0.5))]),
        (&of, [("connection_creation_rate", Some(1.0))]),
        (&address, [("producer_byte_rate", Some(1.0))]),
        (&QuotaEntity { ip: address.ip.clone(), ..of.clone() }, [("producer_byte_rate", Some(1.0))]),
    ] {
        let checked = on.kafka.check_alter_quota(of, &quota_changes(&changes), soon()).await;
        assert_eq!(refusal(checked), "INVALID_REQUEST", "{of:?} {changes:?}");
        assert_eq!(refusal(on.alter_quota(of, &changes).await), "INVALID_REQUEST", "{of:?} {changes:?}");
    }
    on.assert_quota(&of, &[]).await;
}

pub(super) async fn checking_a_quota_changes_nothing(on: &Subject) {
    let of = on.user("checked");
    let changes = quota_changes(&[("producer_byte_rate", Some(1024.0))]);
    on.kafka.check_alter_quota(&of, &changes, soon()).await.unwrap();
    on.assert_quota(&of, &[]).await;
}

pub(super) async fn brokers_tell_their_settings(on: &Subject) {
    let broker = on.kafka.cluster(soon()).await.unwrap().brokers[0].id;
    let keys = ["authorizer.class.name", "min.insync.replicas", "no.such.key"];
    let config = on.kafka.broker_config(broker, &keys, soon()).await.unwrap();
    let authorizer = BrokerSetting::Value("org.apache.kafka.metadata.authorizer.StandardAuthorizer".to_owned());
    assert_eq!(config.get("authorizer.class.name"), Some(&authorizer));
    assert_eq!(config.get("min.insync.replicas"), Some(&BrokerSetting::Value("1".to_owned())));
    assert_eq!(config.get("no.such.key"), None);
}

pub(super) async fn rights_are_told_of_the_cluster_and_of_topics(on: &Subject) {
    let all = |it: ResourceType| Ok(Some(it.operations().iter().copied().collect::<BTreeSet<Operation>>()));
    assert_eq!(on.kafka.cluster_rights(soon()).await, all(ResourceType::Cluster));
    let spec = on.spec("rights");
    assert_eq!(on.kafka.topic_rights(&spec.name, soon()).await, Ok(None));
    on.create(&spec).await;
    on.described(&spec.name).await;
    assert_eq!(on.kafka.topic_rights(&spec.name, soon()).await, all(ResourceType::Topic));
    on.delete(&spec.name).await;
}

pub(super) async fn idempotence_needs_a_right_before_topics_have_ids(on: &Subject) {
    let spec = on.spec("idempotence");
    on.create(&spec).await;
    let has_id = on.described(&spec.name).await.id.is_some();
    assert_eq!(on.kafka.wants_idempotent_write(soon()).await, Ok(!has_id), "both came with Kafka 2.8");
    on.delete(&spec.name).await;
}

//! How a topic is looked at, and what a state makes of it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{APPLIED, CREATED, TopicModel, UUID, asking::READY, now, told};
use crate::{
    clients::kafka::{ConfigEntry, Kafka, KafkaError, Topic},
    framework::{Call, Diagnostic, Element, Optional},
    governance::topic::{TopicName, TopicSpec, is_same_value},
};

/// How long after its creation a topic may be invisible to a broker.
const SETTLING: Duration = Duration::from_mins(1);

impl TopicModel {
    /// The state after a look at the cluster. Only the keys that the state owns are read: the others are not ours.
    pub(super) fn seen(
        mut self,
        found: Topic,
        environment: &str,
        cluster_id: &str,
        imported: bool,
        call: &mut Call,
    ) -> Self {
        let Topic { name, id, partitions, replication_factor, config } = found;
        match (call.private.text(UUID).map(str::to_owned), id) {
            (Some(own), Some(actual)) if own != actual => call.report.push(told::made_anew(Diagnostic::warning, &name)),
            (None, Some(actual)) => call.private.set(UUID, actual),
            _ => {}
        }
        let environment = self.environment.get().map_or(environment, String::as_str).to_owned();
        match config {
            Some(config) if imported => {
                call.private.set(APPLIED, partitions);
                self.config = overrides(&config);
            }
            Some(config) => self.config = still_owned(self.config, &config),
            None => call.report.push(Diagnostic::warning(
                "Configuration not refreshed",
                format!("The configuration of `{name}` may not be described (DESCRIBE_CONFIGS), so it stays as it was stored."),
            )),
        }
        Self {
            id: format!("{environment}/{name}").into(),
            environment: environment.into(),
            cluster_id: cluster_id.to_owned().into(),
            name: name.into(),
            partitions: partitions.into(),
            replication_factor: replication_factor.into(),
            config: self.config,
            policy_config: self.policy_config,
            application: self.application,
            capacity: self.capacity,
            deletion_protection: self.deletion_protection.get().copied().unwrap_or(false).into(),
            revoke_grants_on_delete: self.revoke_grants_on_delete,
            keep_acls: self.keep_acls,
            status: READY.to_owned().into(),
            request_id: None.into(),
            timeouts: self.timeouts,
        }
    }
}

/// A topic for a refresh. Brokers show a topic that was created a moment ago with a delay, so that its absence is
/// believed only if the controller would create it.
pub(super) async fn refreshed(
    kafka: &dyn Kafka,
    name: &TopicName,
    keys: &[String],
    call: &Call,
) -> Result<Option<Topic>, KafkaError> {
    let created = call.private.get(CREATED).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let bare = TopicSpec { name: name.clone(), partitions: None, replication_factor: None, config: BTreeMap::new() };
    loop {
        let found = kafka.refresh_topic(name, keys, call.deadline).await?;
        let settled = SETTLING.as_secs() < now().abs_diff(created) || call.deadline <= Instant::now();
        if found.is_some() || settled || kafka.check_create_topic(&bare, call.deadline).await.is_ok() {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The configuration that an import owns: exactly what the topic overrides.
fn overrides(config: &BTreeMap<String, ConfigEntry>) -> Optional<BTreeMap<String, Element<String>>> {
    let own = config.iter().filter(|(_, it)| it.overridden);
    let own: BTreeMap<_, _> =
        own.filter_map(|(key, it)| Some((key.clone(), Element::Known(it.value.clone()?)))).collect();
    if own.is_empty() { Optional::default() } else { own.into() }
}

/// The owned keys with their present values, in the words of the state where the broker shows the same in others. A key
/// that was lost outside is dropped, so that the plan adds it again.
fn still_owned(
    owned: Optional<BTreeMap<String, Element<String>>>,
    config: &BTreeMap<String, ConfigEntry>,
) -> Optional<BTreeMap<String, Element<String>>> {
    let Some(owned) = owned.get() else { return owned };
    let present = |(key, value): (&String, &Element<String>)| match (value, config.get(key)) {
        (Element::Null, _) => Some((key.clone(), Element::Null)),
        (Element::Known(written), Some(ConfigEntry { value: Some(actual), overridden: true }))
            if is_same_value(key, written, actual) =>
        {
            Some((key.clone(), value.clone()))
        }
        (_, Some(ConfigEntry { value: Some(actual), overridden: true })) => {
            Some((key.clone(), Element::Known(actual.clone())))
        }
        _ => None,
    };
    owned.iter().filter_map(present).collect::<BTreeMap<_, _>>().into()
}

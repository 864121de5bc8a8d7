//! The port to client quotas, which brokers enforce on what they see of users, client ids and addresses.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use kafka_protocol::{
    error::ResponseError,
    messages::{
        AlterClientQuotasRequest, DescribeClientQuotasRequest,
        alter_client_quotas_request::{EntityData, EntryData, OpData},
        describe_client_quotas_request::ComponentData,
    },
    protocol::StrBytes,
};

use crate::clients::kafka::{
    Answer, KafkaError,
    client::{Client, Target, Wired, in_time},
    queue::{Gathered, Queue, QueueOf, gathered},
    requests::wire_text,
    snapshot::Snapshot,
    topic_reads::all,
    trouble::{Asked, Tries, Trouble},
};

/// The quotas of clients.
pub trait Quotas: Send + Sync {
    /// The quota of exactly this entity, for a refresh: from a snapshot of at most 30 s, which this client's own writes
    /// invalidate; empty if it has none.
    fn refresh_quota<'a>(&'a self, of: &'a QuotaEntity, deadline: Instant) -> Answer<'a, Quota>;

    /// The quota of exactly this entity, asked anew; empty if it has none.
    fn quota<'a>(&'a self, of: &'a QuotaEntity, deadline: Instant) -> Answer<'a, Quota>;

    /// All quotas, asked anew, but those of entities that this release does not know.
    fn quotas(&self, deadline: Instant) -> Answer<'_, BTreeMap<QuotaEntity, Quota>>;

    /// Sets the keys with a value and removes those without, and returns when a broker shows it.
    fn alter_quota<'a>(&'a self, of: &'a QuotaEntity, changes: &'a QuotaChanges, deadline: Instant) -> Answer<'a, ()>;

    /// Asks the cluster whether it would alter the quota.
    fn check_alter_quota<'a>(
        &'a self,
        of: &'a QuotaEntity,
        changes: &'a QuotaChanges,
        deadline: Instant,
    ) -> Answer<'a, ()>;
}

/// Limits by Kafka's own keys, such as `producer_byte_rate`. Each broker enforces them for itself.
pub type Quota = BTreeMap<String, f64>;

/// The keys to set and to remove.
pub type QuotaChanges = BTreeMap<String, Option<f64>>;

/// Whom a quota is for: users, client ids, users with client ids, or addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct QuotaEntity {
    /// The name of a user, without `User:`.
    pub user: Option<QuotaName>,
    /// A client id.
    pub client_id: Option<QuotaName>,
    /// An address.
    pub ip: Option<QuotaName>,
}

/// One of a kind, or all that have no quota of their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QuotaName {
    /// All others.
    Default,
    /// This one.
    Named(String),
}

impl QuotaEntity {
    /// A user, told by its name without `User:`.
    pub fn user(name: &str) -> Self {
        Self { user: Some(QuotaName::Named(name.to_owned())), ..Self::default() }
    }

    /// Kafka's words for the parts that it has.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &QuotaName)> {
        let Self { user, client_id, ip } = self;
        let parts = [("user", user), ("client-id", client_id), ("ip", ip)];
        parts.into_iter().filter_map(|(kind, it)| Some((kind, it.as_ref()?)))
    }

    /// An entity of parts as Kafka tells them; `None` if this release does not know one.
    fn of_parts<'a>(parts: impl Iterator<Item = (&'a str, Option<&'a StrBytes>)>) -> Option<Self> {
        let mut res = Self::default();
        for (kind, name) in parts {
            let part = match kind {
                "user" => &mut res.user,
                "client-id" => &mut res.client_id,
                "ip" => &mut res.ip,
                _ => return None,
            };
            *part = Some(name.map_or(QuotaName::Default, |it| QuotaName::Named(it.to_string())));
        }
        Some(res)
    }
}

impl QuotaName {
    fn on_wire(&self) -> Option<StrBytes> {
        match self {
            Self::Default => None,
            Self::Named(name) => Some(wire_text(name)),
        }
    }
}

/// `DescribeClientQuotasRequest`'s ways to match: by name, or the default alone.
const EXACT: i8 = 0;
const DEFAULT: i8 = 1;

/// The rights on the cluster that it takes to see quotas, and to change them.
const SEEING: Asked<'_> = Asked { operation: "DESCRIBE_CONFIGS", name: "" };
const CHANGING: Asked<'_> = Asked { operation: "ALTER_CONFIGS", name: "" };

/// How long a changed quota may take to show on a broker until the controller's word is enough.
const SETTLING: Duration = Duration::from_secs(5);

/// What a client keeps of quotas.
#[derive(Default)]
pub(super) struct QuotaQueues {
    alters: Queue<AlterQuota>,
    checks: Queue<AlterQuota>,
    snapshot: Snapshot<BTreeMap<QuotaEntity, Quota>>,
}

/// A change of a quota, or the question whether it would succeed.
struct AlterQuota {
    of: QuotaEntity,
    changes: QuotaChanges,
    /// Only to ask: the same for all of a queue.
    check: bool,
}

impl Quotas for Wired {
    fn refresh_quota<'a>(&'a self, of: &'a QuotaEntity, deadline: Instant) -> Answer<'a, Quota> {
        self.told(self.0.refresh_quota(of, deadline))
    }

    fn quota<'a>(&'a self, of: &'a QuotaEntity, deadline: Instant) -> Answer<'a, Quota> {
        self.told(self.0.quota(of, deadline))
    }

    fn quotas(&self, deadline: Instant) -> Answer<'_, BTreeMap<QuotaEntity, Quota>> {
        self.told(self.0.quotas(deadline))
    }

    fn alter_quota<'a>(&'a self, of: &'a QuotaEntity, changes: &'a QuotaChanges, deadline: Instant) -> Answer<'a, ()> {
        self.told(async move {
            self.0.quotas.snapshot.touch();
            let res = self.0.alter_quota(of, changes, false, deadline).await;
            if res.is_ok() {
                self.0.await_quota(of, changes, deadline.min(Instant::now() + SETTLING)).await;
            }
            self.0.quotas.snapshot.touch();
            res
        })
    }

    fn check_alter_quota<'a>(
        &'a self,
        of: &'a QuotaEntity,
        changes: &'a QuotaChanges,
        deadline: Instant,
    ) -> Answer<'a, ()> {
        self.told(self.0.alter_quota(of, changes, true, deadline))
    }
}

impl Client {
    async fn refresh_quota(&self, of: &QuotaEntity, deadline: Instant) -> Result<Quota, KafkaError> {
        let mut tries = Tries::new(deadline, || "reading client quotas".to_owned());
        loop {
            match self.all_quotas(self.quotas.snapshot.fresh(), deadline).await {
                Ok(all) => return Ok(all.get(of).cloned().unwrap_or_default()),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    /// All quotas, as they were not before a time. Those who ask together share an answer.
    async fn all_quotas(
        &self,
        not_before: Option<Instant>,
        deadline: Instant,
    ) -> Result<Arc<BTreeMap<QuotaEntity, Quota>>, Trouble> {
        let read = self.described_quotas(DescribeClientQuotasRequest::default(), deadline);
        in_time(deadline, Box::pin(self.quotas.snapshot.since(not_before, read))).await
    }

    async fn quotas(&self, deadline: Instant) -> Result<BTreeMap<QuotaEntity, Quota>, KafkaError> {
        let mut tries = Tries::new(deadline, || "reading client quotas".to_owned());
        loop {
            match self.described_quotas(DescribeClientQuotasRequest::default(), deadline).await {
                Ok(quotas) => return Ok(quotas),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    async fn quota(&self, of: &QuotaEntity, deadline: Instant) -> Result<Quota, KafkaError> {
        let mut tries = Tries::new(deadline, || "reading a client quota".to_owned());
        loop {
            match self.described_quota(of, deadline).await {
                Ok(quota) => return Ok(quota),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    async fn described_quota(&self, of: &QuotaEntity, deadline: Instant) -> Result<Quota, Trouble> {
        let component = |(kind, name): (&'static str, &QuotaName)| {
            let match_type = if *name == QuotaName::Default { DEFAULT } else { EXACT };
            let component = ComponentData::default().with_entity_type(wire_text(kind));
            component.with_match_type(match_type).with_match(name.on_wire())
        };
        let request = DescribeClientQuotasRequest::default()
            .with_components(of.parts().map(component).collect())
            .with_strict(true);
        Ok(self.described_quotas(request, deadline).await?.remove(of).unwrap_or_default())
    }

    async fn described_quotas(
        &self,
        request: DescribeClientQuotasRequest,
        deadline: Instant,
    ) -> Result<BTreeMap<QuotaEntity, Quota>, Trouble> {
        let answer = self.call(Target::Any, deadline, |_| Ok(request)).await?;
        if let Some(trouble) = Trouble::of_code(answer.error_code, answer.error_message.as_deref(), SEEING) {
            return Err(trouble);
        }
        let entries = answer.entries.unwrap_or_default().into_iter().filter_map(|it| {
            let parts = it.entity.iter().map(|it| (it.entity_type.as_str(), it.entity_name.as_ref()));
            let of = QuotaEntity::of_parts(parts)?;
            Some((of, it.values.iter().map(|it| (it.key.to_string(), it.value)).collect()))
        });
        Ok(entries.collect())
    }

    async fn alter_quota(
        self: &Arc<Self>,
        of: &QuotaEntity,
        changes: &QuotaChanges,
        check: bool,
        deadline: Instant,
    ) -> Result<(), KafkaError> {
        let mut tries = Tries::new(deadline, || "changing a client quota".to_owned());
        loop {
            let asked = AlterQuota { of: of.clone(), changes: changes.clone(), check };
            let queue: QueueOf<AlterQuota> = if check { |it| &it.quotas.checks } else { |it| &it.quotas.alters };
            match gathered(self, queue, asked, deadline).await {
                Ok(()) => return Ok(()),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    /// Waits until a broker shows a change that the controller has made. It is made all the same if none does in time,
    /// or if the caller may not see it.
    async fn await_quota(&self, of: &QuotaEntity, changes: &QuotaChanges, until: Instant) {
        let is_shown = |all: &BTreeMap<QuotaEntity, Quota>| {
            let quota = all.get(of);
            changes.iter().all(|(key, value)| quota.and_then(|it| it.get(key)) == value.as_ref())
        };
        let mut tries = Tries::looking(until, String::new);
        loop {
            let trouble = match self.all_quotas(Some(Instant::now()), until).await {
                Ok(all) if is_shown(&all) => return,
                Ok(_) => Trouble::Again(KafkaError::Deadline(String::new())),
                Err(trouble) => trouble,
            };
            if tries.next(trouble).await.is_err() {
                return;
            }
        }
    }
}

impl Gathered for AlterQuota {
    type Answer = ();
    type Key = QuotaEntity;
    const CAPACITY: usize = 10_000;

    fn key(&self) -> &QuotaEntity {
        &self.of
    }

    fn weight(&self) -> usize {
        self.changes.len()
    }

    async fn send(client: &Client, asked: &[Self], deadline: Instant) -> Vec<Result<(), Trouble>> {
        let part = |(kind, name): (&'static str, &QuotaName)| {
            EntityData::default().with_entity_type(wire_text(kind)).with_entity_name(name.on_wire())
        };
        let change = |(key, value): (&String, &Option<f64>)| {
            let change = OpData::default().with_key(wire_text(key));
            change.with_value(value.unwrap_or(0.0)).with_remove(value.is_none())
        };
        let entry = |it: &Self| {
            let entry = EntryData::default().with_entity(it.of.parts().map(part).collect());
            entry.with_ops(it.changes.iter().map(change).collect())
        };
        let request = AlterClientQuotasRequest::default()
            .with_entries(asked.iter().map(entry).collect())
            .with_validate_only(asked.iter().all(|it| it.check));
        let answer = match client.call(Target::Controller, deadline, |_| Ok(request)).await {
            Ok(it) => it,
            Err(trouble) => return all(asked.len(), &trouble),
        };
        let mut said = BTreeMap::new();
        for it in answer.entries {
            if it.error_code == ResponseError::NotController.code() {
                client.forget_controller();
            }
            let parts = it.entity.iter().map(|it| (it.entity_type.as_str(), it.entity_name.as_ref()));
            let Some(entity) = QuotaEntity::of_parts(parts) else { continue };
            said.insert(entity, Trouble::of_code(it.error_code, it.error_message.as_deref(), CHANGING));
        }
        asked
            .iter()
            .map(|it| {
                said.remove(&it.of)
                    .unwrap_or_else(|| Some(Trouble::unanswered("the quota that it was asked about")))
                    .map_or(Ok(()), Err)
            })
            .collect()
    }
}

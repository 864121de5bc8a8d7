//! Operations on topics: tried until the cluster agrees or the time is up.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use kafka_protocol::{
    error::ResponseError,
    messages::{
        BrokerId, ListOffsetsRequest,
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
        metadata_response::MetadataResponseTopic,
    },
};

use crate::{
    clients::kafka::{
        ConfigEntry, KafkaError, Topic,
        client::{Client, Target, in_time},
        queue::{QueueOf, gathered},
        requests::{metadata_of, metadata_of_all_topics, wire_name},
        topic_reads::{Describe, Look, NO_ID, Shape, TopicId, read_topic_id},
        topic_writes::{Alter, Create, Created, Delete, Grow},
        trouble::{Asked, Tries, Trouble},
    },
    governance::topic::{TopicName, TopicSpec, is_same_value},
};

/// How long a changed configuration may take to show on a broker until the controller's word is enough.
const CONFIG_SETTLING: Duration = Duration::from_secs(5);

/// How long a broker may be behind a controller that refuses to grow a topic because it has as many partitions.
const GROWTH_SETTLING: Duration = Duration::from_secs(2);

/// The timestamp that asks for the end of a partition.
const END: i64 = -1;

impl Client {
    pub(super) async fn refresh_topic(
        self: &Arc<Self>,
        name: &TopicName,
        keys: &[String],
        deadline: Instant,
    ) -> Result<Option<Topic>, KafkaError> {
        let mut tries = Tries::new(deadline, || format!("reading topic `{name}`"));
        loop {
            let read = Box::pin(self.reads.topic(self, name, keys, deadline));
            match in_time(deadline, read).await {
                Ok(Some(topic)) => return Ok(Some(topic)),
                Ok(None) => return self.read_topic(name, Some(keys.iter().cloned().collect()), deadline).await,
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    pub(super) async fn describe_topic(
        self: &Arc<Self>,
        name: &TopicName,
        deadline: Instant,
    ) -> Result<Option<Topic>, KafkaError> {
        self.read_topic(name, None, deadline).await
    }

    async fn read_topic(
        self: &Arc<Self>,
        name: &TopicName,
        keys: Option<BTreeSet<String>>,
        deadline: Instant,
    ) -> Result<Option<Topic>, KafkaError> {
        let mut tries = Tries::looking(deadline, || format!("reading topic `{name}`"));
        loop {
            let asked = Describe { name: name.clone(), keys: keys.clone() };
            match gathered(self, |it| &it.describes, asked, deadline).await {
                Ok(None) if self.own_writes.may_appear(name) => {
                    tries.next(Trouble::Again(KafkaError::NoTopic(name.to_string()))).await?;
                }
                Ok(topic) => return Ok(topic),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    pub(super) async fn topics(&self, deadline: Instant) -> Result<Vec<Topic>, KafkaError> {
        let mut tries = Tries::new(deadline, || "listing topics".to_owned());
        let answer = loop {
            match self.metadata(metadata_of_all_topics(), deadline).await {
                Ok(it) => break it,
                Err(trouble) => tries.next(trouble).await?,
            }
        };
        // One that is being deleted, or has no leader yet, carries an error and is there all the same.
        let topic = |it: &MetadataResponseTopic| {
            let name: TopicName = it.name.as_ref()?.parse().ok()?;
            Some(Shape::of(it).topic(&name, None))
        };
        let mut topics: Vec<Topic> = answer.topics.iter().filter_map(topic).collect();
        topics.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }

    pub(super) async fn topic_never_written(&self, name: &TopicName, deadline: Instant) -> Result<bool, KafkaError> {
        let mut tries = Tries::new(deadline, || format!("reading the end offsets of topic `{name}`"));
        loop {
            match self.end_offsets(name, deadline).await {
                Ok(offsets) => return Ok(offsets.iter().all(|it| *it == 0)),
                Err(trouble) => tries.next(self.patient(name, trouble)).await?,
            }
        }
    }

    /// The end offsets of a topic's partitions: each leader knows its own.
    async fn end_offsets(&self, name: &TopicName, deadline: Instant) -> Result<Vec<i64>, Trouble> {
        let asked = Asked { operation: "DESCRIBE", name: name.as_str() };
        let metadata = self.metadata(metadata_of([name]), deadline).await?;
        let mut by_leader: BTreeMap<i32, Vec<ListOffsetsPartition>> = BTreeMap::new();
        for topic in &metadata.topics {
            if let Some(trouble) = Trouble::of_code(topic.error_code, None, asked) {
                return Err(trouble);
            }
            for partition in &topic.partitions {
                if partition.leader_id.0 < 0 {
                    let code = ResponseError::LeaderNotAvailable.code();
                    return Err(Trouble::of_code(code, None, asked)
                        .unwrap_or_else(|| Trouble::Again(KafkaError::NoTopic(name.to_string()))));
                }
                let wanted = ListOffsetsPartition::default().with_partition_index(partition.partition_index);
                let wanted = wanted.with_current_leader_epoch(-1).with_timestamp(END);
                by_leader.entry(partition.leader_id.0).or_default().push(wanted);
            }
        }
        let mut res = Vec::new();
        for (leader, partitions) in by_leader {
            let topic = ListOffsetsTopic::default().with_name(wire_name(name)).with_partitions(partitions);
            let request = ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
            let answer = self.call(Target::Node(leader), deadline, |_| Ok(request)).await?;
            for partition in answer.topics.iter().flat_map(|it| &it.partitions) {
                match Trouble::of_code(partition.error_code, None, asked) {
                    None => res.push(partition.offset),
                    Some(trouble) => return Err(trouble),
                }
            }
        }
        Ok(res)
    }

    pub(super) async fn create_topic(
        self: &Arc<Self>,
        spec: &TopicSpec,
        deadline: Instant,
    ) -> Result<Topic, KafkaError> {
        self.own_writes.touch(&spec.name);
        let res = self.create(spec, deadline).await;
        self.own_writes.touch(&spec.name);
        res
    }

    async fn create(self: &Arc<Self>, spec: &TopicSpec, deadline: Instant) -> Result<Topic, KafkaError> {
        let name = &spec.name;
        let mut tries = Tries::new(deadline, || format!("creating topic `{name}`"));
        let mut is_lost = false;
        loop {
            let asked = Create { spec: spec.clone(), check: false };
            match gathered(self, |it| &it.creates, asked, deadline).await {
                Ok(created) => {
                    self.own_writes.created(name);
                    return match created {
                        Created::Told(topic) => Ok(topic),
                        Created::Untold => self.created_untold(spec, deadline).await,
                    };
                }
                Err(Trouble::Final(KafkaError::TopicExists(_))) if is_lost => return self.settle(spec, deadline).await,
                // With ZooKeeper, a deleted topic exists for a while after brokers have stopped to show it.
                Err(Trouble::Final(error @ KafkaError::TopicExists(_)))
                    if self.own_writes.may_linger(name) && self.shape(name, deadline).await?.is_none() =>
                {
                    tries.next(Trouble::Again(error)).await?;
                }
                Err(trouble) => {
                    is_lost |= trouble.is_lost();
                    tries.next(trouble).await?;
                }
            }
        }
    }

    /// A topic that the controller created without saying what it is like.
    async fn created_untold(self: &Arc<Self>, spec: &TopicSpec, deadline: Instant) -> Result<Topic, KafkaError> {
        match (self.describe_topic(&spec.name, deadline).await, spec.partitions, spec.replication_factor) {
            (Ok(Some(topic)), _, _) => Ok(topic),
            (Ok(None), _, _) => Err(KafkaError::NoTopic(spec.name.to_string())),
            // One who may create it, but not see it: it is as it was asked for.
            (Err(KafkaError::Denied { .. }), Some(partitions), Some(replication_factor)) => {
                Ok(Topic { name: spec.name.clone(), id: None, partitions, replication_factor, config: None })
            }
            (Err(error), _, _) => Err(error),
        }
    }

    /// Finds out whether a topic that exists comes from an own request whose answer was lost.
    async fn settle(self: &Arc<Self>, spec: &TopicSpec, deadline: Instant) -> Result<Topic, KafkaError> {
        let exists = || KafkaError::TopicExists(spec.name.to_string());
        let mut tries = Tries::looking(deadline, || format!("finding out whether topic `{}` was created", spec.name));
        let topic = loop {
            match self.describe_topic(&spec.name, deadline).await? {
                Some(topic) => break topic,
                None => tries.next(Trouble::Again(exists())).await?,
            }
        };
        let is_ours = is_as(&topic, spec) && self.topic_never_written(&spec.name, deadline).await?;
        if is_ours { Ok(topic) } else { Err(exists()) }
    }

    pub(super) async fn check_create_topic(
        self: &Arc<Self>,
        spec: &TopicSpec,
        deadline: Instant,
    ) -> Result<(), KafkaError> {
        let mut tries = Tries::new(deadline, || format!("checking the creation of topic `{}`", spec.name));
        loop {
            let asked = Create { spec: spec.clone(), check: true };
            match gathered(self, |it| &it.create_checks, asked, deadline).await {
                Ok(_) => return Ok(()),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    pub(super) async fn grow_partitions(
        self: &Arc<Self>,
        name: &TopicName,
        count: i32,
        deadline: Instant,
    ) -> Result<(), KafkaError> {
        self.own_writes.touch(name);
        let res = async {
            self.grow(name, count, false, deadline).await?;
            self.await_partitions(name, count, deadline).await
        };
        let res = res.await;
        self.own_writes.touch(name);
        res
    }

    pub(super) async fn check_grow_partitions(
        self: &Arc<Self>,
        name: &TopicName,
        count: i32,
        deadline: Instant,
    ) -> Result<(), KafkaError> {
        self.grow(name, count, true, deadline).await
    }

    async fn grow(
        self: &Arc<Self>,
        name: &TopicName,
        count: i32,
        check: bool,
        deadline: Instant,
    ) -> Result<(), KafkaError> {
        let mut tries = Tries::new(deadline, || format!("growing topic `{name}` to {count} partitions"));
        let begin = Instant::now();
        loop {
            let asked = Grow { name: name.clone(), count, check };
            let queue: QueueOf<Grow> = if check { |it| &it.grow_checks } else { |it| &it.grows };
            match gathered(self, queue, asked, deadline).await {
                Ok(()) => return Ok(()),
                // Refused, for one, because it has as many: by us, when the answer was lost, or from before.
                Err(Trouble::Final(error)) if is_about_partitions(&error) => {
                    let partitions = self.shape(name, deadline).await?.map_or(0, |it| it.partitions);
                    if partitions == count {
                        return Ok(());
                    }
                    if count < partitions || GROWTH_SETTLING < begin.elapsed() {
                        return Err(error);
                    }
                    tries.next(Trouble::Again(error)).await?;
                }
                Err(trouble) => tries.next(self.patient(name, trouble)).await?,
            }
        }
    }

    async fn await_partitions(
        self: &Arc<Self>,
        name: &TopicName,
        count: i32,
        deadline: Instant,
    ) -> Result<(), KafkaError> {
        let mut tries = Tries::looking(deadline, || format!("waiting for the new partitions of topic `{name}`"));
        loop {
            match gathered(self, |it| &it.looks, Look(name.clone()), deadline).await {
                Ok(Some(shape)) if count <= shape.partitions => return Ok(()),
                // One who may grow it, but not see it.
                Err(Trouble::Final(KafkaError::Denied { .. })) => return Ok(()),
                Ok(_) => tries.next(Trouble::Again(KafkaError::NoTopic(name.to_string()))).await?,
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    pub(super) async fn alter_topic_config(
        self: &Arc<Self>,
        name: &TopicName,
        changes: &BTreeMap<String, Option<String>>,
        deadline: Instant,
    ) -> Result<(), KafkaError> {
        self.own_writes.touch(name);
        let res = self.alter(name, changes, false, deadline).await;
        if res.is_ok() {
            self.await_config(name, changes, deadline.min(Instant::now() + CONFIG_SETTLING)).await;
        }
        self.own_writes.touch(name);
        res
    }

    pub(super) async fn check_alter_topic_config(
        self: &Arc<Self>,
        name: &TopicName,
        changes: &BTreeMap<String, Option<String>>,
        deadline: Instant,
    ) -> Result<(), KafkaError> {
        self.alter(name, changes, true, deadline).await
    }

    async fn alter(
        self: &Arc<Self>,
        name: &TopicName,
        changes: &BTreeMap<String, Option<String>>,
        check: bool,
        deadline: Instant,
    ) -> Result<(), KafkaError> {
        let mut tries = Tries::new(deadline, || format!("changing the configuration of topic `{name}`"));
        loop {
            let asked = Alter { name: name.clone(), changes: changes.clone(), check };
            let queue: QueueOf<Alter> = if check { |it| &it.alter_checks } else { |it| &it.alters };
            match gathered(self, queue, asked, deadline).await {
                Ok(()) => return Ok(()),
                // Kafka 2.3 fails in this way over a topic that does not exist.
                Err(Trouble::Final(KafkaError::Broker { code, .. }))
                    if code == "UNKNOWN_SERVER_ERROR" && self.shape(name, deadline).await?.is_none() =>
                {
                    return Err(KafkaError::NoTopic(name.to_string()));
                }
                Err(trouble) => tries.next(self.patient(name, trouble)).await?,
            }
        }
    }

    /// Waits until brokers show a change that the controller has made. It is made all the same if they do not in time,
    /// or if the caller may not see it.
    async fn await_config(
        self: &Arc<Self>,
        name: &TopicName,
        changes: &BTreeMap<String, Option<String>>,
        until: Instant,
    ) {
        let mut tries = Tries::looking(until, String::new);
        loop {
            let asked = Describe { name: name.clone(), keys: Some(changes.keys().cloned().collect()) };
            let trouble = match gathered(self, |it| &it.describes, asked, until).await {
                Ok(Some(Topic { config: Some(config), .. })) if !shows(&config, changes) => {
                    Trouble::Again(KafkaError::NoTopic(name.to_string()))
                }
                Ok(None) => Trouble::Again(KafkaError::NoTopic(name.to_string())),
                Ok(Some(_)) => return,
                Err(trouble) => trouble,
            };
            if tries.next(trouble).await.is_err() {
                return;
            }
        }
    }

    pub(super) async fn delete_topic(
        self: &Arc<Self>,
        name: &TopicName,
        id: Option<&str>,
        deadline: Instant,
    ) -> Result<(), KafkaError> {
        let id = id.map(read_topic_id).transpose()?;
        self.own_writes.touch(name);
        let res = async {
            self.await_presence(name, deadline).await?;
            self.delete(name, id, deadline).await?;
            self.own_writes.deleted(name);
            self.await_absence(name, id, deadline).await
        };
        let res = res.await;
        self.own_writes.touch(name);
        res
    }

    async fn delete(
        self: &Arc<Self>,
        name: &TopicName,
        id: Option<TopicId>,
        deadline: Instant,
    ) -> Result<(), KafkaError> {
        let mut tries = Tries::new(deadline, || format!("deleting topic `{name}`"));
        loop {
            let answer = gathered(self, |it| &it.deletes, Delete { name: name.clone(), id }, deadline).await;
            match answer.map_err(|it| self.patient(name, it)) {
                Ok(()) | Err(Trouble::Final(KafkaError::NoTopic(_))) => return Ok(()),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    /// Waits until brokers show a topic that this client created a moment ago: one that they do not show yet cannot be
    /// seen to vanish.
    async fn await_presence(self: &Arc<Self>, name: &TopicName, deadline: Instant) -> Result<(), KafkaError> {
        let mut tries = Tries::looking(deadline, || format!("waiting until topic `{name}` is shown"));
        while self.own_writes.may_appear(name) {
            match gathered(self, |it| &it.looks, Look(name.clone()), deadline).await {
                Ok(Some(_)) | Err(Trouble::Final(KafkaError::Denied { .. })) => return Ok(()),
                Ok(None) => tries.next(Trouble::Again(KafkaError::NoTopic(name.to_string()))).await?,
                Err(trouble) => tries.next(trouble).await?,
            }
        }
        Ok(())
    }

    async fn await_absence(
        self: &Arc<Self>,
        name: &TopicName,
        id: Option<TopicId>,
        deadline: Instant,
    ) -> Result<(), KafkaError> {
        let mut tries = Tries::looking(deadline, || format!("waiting until topic `{name}` is gone"));
        loop {
            match gathered(self, |it| &it.looks, Look(name.clone()), deadline).await {
                // One who may delete it, but not see it, believes the controller.
                Ok(None) | Err(Trouble::Final(KafkaError::Denied { .. })) => return Ok(()),
                // Another topic that has the name now.
                Ok(Some(shape)) if id.is_some_and(|it| shape.id != NO_ID && shape.id != it) => return Ok(()),
                Ok(Some(_)) => tries.next(Trouble::Again(KafkaError::TopicExists(name.to_string()))).await?,
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    async fn shape(self: &Arc<Self>, name: &TopicName, deadline: Instant) -> Result<Option<Shape>, KafkaError> {
        let mut tries = Tries::new(deadline, || format!("reading topic `{name}`"));
        loop {
            match gathered(self, |it| &it.looks, Look(name.clone()), deadline).await {
                Ok(shape) => return Ok(shape),
                Err(trouble) => tries.next(trouble).await?,
            }
        }
    }

    /// The absence of a topic that this client created a moment ago passes.
    pub(super) fn patient(&self, name: &TopicName, trouble: Trouble) -> Trouble {
        match trouble {
            Trouble::Final(error @ KafkaError::NoTopic(_)) if self.own_writes.may_appear(name) => Trouble::Again(error),
            trouble => trouble,
        }
    }

    /// The same, of one of several topics.
    pub(super) fn patient_with_one_of<'a>(
        &self,
        mut names: impl Iterator<Item = &'a TopicName>,
        trouble: Trouble,
    ) -> Trouble {
        let absent = match &trouble {
            Trouble::Final(KafkaError::NoTopic(absent)) => names.find(|it| it.as_str() == absent),
            _ => None,
        };
        match absent {
            Some(name) => self.patient(name, trouble),
            None => trouble,
        }
    }
}

fn is_about_partitions(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Refused { code, .. } if code == "INVALID_PARTITIONS")
}

/// Whether a topic is what a creation asked for, and nothing else.
fn is_as(topic: &Topic, spec: &TopicSpec) -> bool {
    let Some(config) = &topic.config else { return false };
    let overridden = config.iter().filter(|(_, it)| it.overridden).count();
    let asked = spec.config.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
    spec.partitions.is_none_or(|it| it == topic.partitions)
        && spec.replication_factor.is_none_or(|it| it == topic.replication_factor)
        && overridden == spec.config.len()
        && shows(config, &asked)
}

/// Whether a configuration is as changes make it.
fn shows(config: &BTreeMap<String, ConfigEntry>, changes: &BTreeMap<String, Option<String>>) -> bool {
    changes.iter().all(|(key, wanted)| match (config.get(key), wanted) {
        (Some(entry), Some(wanted)) => {
            entry.overridden && entry.value.as_deref().is_none_or(|it| is_same_value(key, wanted, it))
        }
        (None, Some(_)) => false,
        (entry, None) => entry.is_none_or(|it| !it.overridden),
    })
}

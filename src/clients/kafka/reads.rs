//! Reading at scale: a refresh asks for one topic at a time, and the cluster answers for thousands at once.
//!
//! The first reads are gathered and answered by name. When they keep coming, the names and shapes of all topics are
//! taken in one request, a *snapshot*, and configurations in pages of it as they are needed. A snapshot is served for
//! [`MAX_AGE`], but never for a topic that this client wrote to since, and its silence about a topic proves nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    clients::kafka::{
        ConfigEntry, KafkaError, Topic,
        client::Client,
        locked,
        requests::metadata_of_all_topics,
        topic_reads::{ConfigAsked, Shape},
        trouble::Trouble,
    },
    governance::topic::TopicName,
};

/// How long a snapshot is served.
const MAX_AGE: Duration = Duration::from_secs(30);

/// So many reads are answered one by one before the next takes a snapshot.
const READS_BEFORE_SNAPSHOT: usize = 10;

/// Topics whose configurations are fetched together.
const PAGE: usize = 500;

/// So often a page is fetched again for keys it lacks; then with all keys.
const KEYED_FETCHES: usize = 3;

/// The reads of one client.
#[derive(Default)]
pub(super) struct Reads {
    served: AtomicUsize,
    /// All keys that were ever asked for.
    keys: Mutex<BTreeSet<String>>,
    snapshot: tokio::sync::Mutex<Option<Arc<Snapshot>>>,
}

/// All topics that the caller may describe, as they were at one time.
struct Snapshot {
    taken: Instant,
    /// In the order of their names.
    topics: Vec<(TopicName, Shape)>,
    pages: Vec<tokio::sync::Mutex<Page>>,
}

/// The configurations of consecutive topics.
#[derive(Default)]
struct Page {
    fetches: usize,
    /// The keys that were fetched.
    keys: Keys,
    /// What topics override of these, by name; `None` where the caller may not describe it. Topics that are gone, and
    /// those whose configuration is not known, are missing.
    configs: BTreeMap<TopicName, Option<BTreeMap<String, ConfigEntry>>>,
}

enum Keys {
    All,
    These(BTreeSet<String>),
}

impl Default for Keys {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

impl Keys {
    fn cover(&self, wanted: &[String]) -> bool {
        match self {
            Self::All => true,
            Self::These(keys) => wanted.iter().all(|it| keys.contains(it)),
        }
    }
}

impl Reads {
    /// A topic from the snapshot. `None` if it has to be asked for by name: early reads, topics written to since, and
    /// those that the snapshot does not know.
    pub(super) async fn topic(
        &self,
        client: &Client,
        name: &TopicName,
        wanted: &[String],
        deadline: Instant,
    ) -> Result<Option<Topic>, Trouble> {
        locked(&self.keys).extend(wanted.iter().cloned());
        if self.served.fetch_add(1, Ordering::Relaxed) < READS_BEFORE_SNAPSHOT {
            return Ok(None);
        }
        let snapshot = self.snapshot(client, deadline).await?;
        let Ok(place) = snapshot.topics.binary_search_by(|(it, _)| it.cmp(name)) else { return Ok(None) };
        if client.own_writes.touched_since(name, snapshot.taken) {
            return Ok(None);
        }
        let (_, shape) = &snapshot.topics[place];
        if wanted.is_empty() {
            return Ok(Some(shape.topic(name, Some(BTreeMap::new()))));
        }
        let mut page = snapshot.pages[place / PAGE].lock().await;
        if !page.keys.cover(wanted) {
            let start = place / PAGE * PAGE;
            let names = &snapshot.topics[start..snapshot.topics.len().min(start + PAGE)];
            let keys = locked(&self.keys).clone();
            page.fetch(client, names, keys, deadline).await?;
        }
        let config = page.configs.get(name).cloned();
        drop(page);
        // A write may have begun while the page was on its way.
        if client.own_writes.touched_since(name, snapshot.taken) {
            return Ok(None);
        }
        Ok(config.map(|config| shape.topic(name, config)))
    }

    async fn snapshot(&self, client: &Client, deadline: Instant) -> Result<Arc<Snapshot>, Trouble> {
        let mut kept = self.snapshot.lock().await;
        if let Some(it) = kept.as_ref().filter(|it| it.taken.elapsed() < MAX_AGE) {
            return Ok(it.clone());
        }
        *kept = None;
        let taken = Instant::now();
        let answer = client.metadata(metadata_of_all_topics(), deadline).await?;
        client.own_writes.forget_touches_before(taken);
        let known = answer.topics.iter().filter(|it| it.error_code == 0).filter_map(|it| {
            let name = it.name.as_ref()?.parse().ok()?;
            Some((name, Shape::of(it)))
        });
        let mut topics: Vec<(TopicName, Shape)> = known.collect();
        topics.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let pages = topics.chunks(PAGE).map(|_| tokio::sync::Mutex::default()).collect();
        let snapshot = Arc::new(Snapshot { taken, topics, pages });
        *kept = Some(snapshot.clone());
        Ok(snapshot)
    }
}

impl Page {
    async fn fetch(
        &mut self,
        client: &Client,
        topics: &[(TopicName, Shape)],
        keys: BTreeSet<String>,
        deadline: Instant,
    ) -> Result<(), Trouble> {
        let all = KEYED_FETCHES < self.fetches;
        let keys = if all { Keys::All } else { Keys::These(keys) };
        let asked = topics.iter().map(|(name, _)| ConfigAsked {
            topic: name,
            keys: match &keys {
                Keys::All => None,
                Keys::These(keys) => Some(keys),
            },
        });
        let answers = client.configs(asked, deadline).await?;
        self.configs = BTreeMap::new();
        for ((name, _), answer) in topics.iter().zip(answers) {
            let config = match answer {
                Ok(mut config) => {
                    config.retain(|_, it| it.overridden);
                    Some(config)
                }
                Err(Trouble::Final(KafkaError::Denied { .. })) => None,
                Err(_) => continue,
            };
            self.configs.insert(name.clone(), config);
        }
        self.fetches += 1;
        self.keys = keys;
        Ok(())
    }
}

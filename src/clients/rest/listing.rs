//! Reading ahead: who looks at many things of a service is answered from one list of all.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// How long a list is believed.
const AGE: Duration = Duration::from_secs(30);

/// What was read of all things of a service, by their names.
#[derive(Debug)]
pub(in crate::clients) struct Listing<K, V> {
    /// So many are asked for one by one: a service may have very many more than are looked at.
    few: usize,
    asked: AtomicUsize,
    read: tokio::sync::Mutex<Option<Read<K, V>>>,
    /// What was written since: what is listed of it is out of date.
    written: Mutex<BTreeSet<K>>,
}

#[derive(Debug)]
struct Read<K, V> {
    at: Instant,
    /// All of them; `None` where the service does not list them.
    all: Option<BTreeMap<K, V>>,
}

impl<K: Clone + Ord, V: Clone> Listing<K, V> {
    /// Nothing was read, and so many are asked for one by one.
    pub(in crate::clients) fn after(few: usize) -> Self {
        Self { few, asked: AtomicUsize::default(), read: tokio::sync::Mutex::default(), written: Mutex::default() }
    }

    /// What a list has of that name; `list` makes one where it is time for that, or `None` where there can be none.
    pub(in crate::clients) async fn get<E>(
        &self,
        name: &K,
        list: impl Future<Output = Result<Option<BTreeMap<K, V>>, E>>,
    ) -> Result<Option<V>, E> {
        if self.asked.fetch_add(1, Ordering::Relaxed) < self.few || self.written().contains(name) {
            return Ok(None);
        }
        // Whoever comes meanwhile waits for the list rather than asking for its own.
        let mut read = self.read.lock().await;
        if read.as_ref().is_none_or(|it| it.all.is_some() && AGE < it.at.elapsed()) {
            *read = Some(Read { at: Instant::now(), all: list.await? });
        }
        let all = read.as_ref().and_then(|it| it.all.as_ref());
        Ok(all.and_then(|it| it.get(name)).cloned())
    }

    /// Notes that something was written.
    pub(in crate::clients) fn forget(&self, name: &K) {
        self.written().insert(name.clone());
    }

    fn written(&self) -> MutexGuard<'_, BTreeSet<K>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

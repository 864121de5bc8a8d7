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
pub(in crate::clients) struct Listing<K, V, E> {
    /// So many are asked for one by one: a service may have very many more than are looked at.
    few: usize,
    asked: AtomicUsize,
    read: tokio::sync::Mutex<Option<Read<K, V, E>>>,
    /// What was written since: what is listed of it is out of date.
    written: Mutex<BTreeSet<K>>,
}

#[derive(Debug)]
struct Read<K, V, E> {
    at: Instant,
    /// All of them; `None` where the service does not list them. Whoever comes soon after a failure does not wait for another.
    all: Result<Option<BTreeMap<K, V>>, E>,
}

impl<K, V, E> Read<K, V, E> {
    /// That a service does not list is so for good.
    fn is_over(&self) -> bool {
        !matches!(self.all, Ok(None)) && AGE < self.at.elapsed()
    }
}

impl<K: Clone + Ord, V: Clone, E: Clone> Listing<K, V, E> {
    /// Nothing was read, and so many are asked for one by one.
    pub(in crate::clients) fn after(few: usize) -> Self {
        Self { few, asked: AtomicUsize::default(), read: tokio::sync::Mutex::default(), written: Mutex::default() }
    }

    /// What a list has of that name; `list` makes one where it is time for that, or `None` where there can be none.
    pub(in crate::clients) async fn get(
        &self,
        name: &K,
        list: impl Future<Output = Result<Option<BTreeMap<K, V>>, E>>,
    ) -> Result<Option<V>, E> {
        if self.asked.fetch_add(1, Ordering::Relaxed) < self.few || self.written().contains(name) {
            return Ok(None);
        }
        // Whoever comes meanwhile waits for the list rather than asking for its own.
        let mut read = self.read.lock().await;
        if read.as_ref().is_none_or(Read::is_over) {
            let all = list.await;
            *read = Some(Read { at: Instant::now(), all });
        }
        match read.as_ref().map(|it| &it.all) {
            Some(Err(error)) => Err(error.clone()),
            Some(Ok(Some(all))) => Ok(all.get(name).cloned()),
            Some(Ok(None)) | None => Ok(None),
        }
    }

    /// Notes that something was written.
    pub(in crate::clients) fn forget(&self, name: &K) {
        self.written().insert(name.clone());
    }

    fn written(&self) -> MutexGuard<'_, BTreeSet<K>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failure_is_waited_for_once() {
        let listing = Listing::<u8, (), &str>::after(0);
        let tries = AtomicUsize::default();
        for name in 0..3 {
            let list = async {
                tries.fetch_add(1, Ordering::Relaxed);
                Err("silence")
            };
            assert_eq!(listing.get(&name, list).await, Err("silence"));
        }
        assert_eq!(tries.into_inner(), 1);
    }
}

//! Reading ahead: who looks at many subjects is answered from one list of all.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{Registered, RegistryError, SchemaRegistry, answers::Answered};
use crate::{
    clients::rest::{Request, RestError},
    governance::subject::SubjectName,
};

/// So many subjects are asked for one by one: a registry may have very many more than are looked at.
const FEW: usize = 4;

/// Schemas that are asked for at once.
const PAGE: usize = 1_000;

/// More schemas than that are not kept: whoever has them is asked for those that are looked at.
const MOST: usize = 20_000;

/// How long a list is believed.
const AGE: Duration = Duration::from_secs(30);

/// What was read of all subjects.
#[derive(Debug, Default)]
pub(super) struct Listing {
    asked: AtomicUsize,
    read: tokio::sync::Mutex<Option<Read>>,
    /// Subjects that were written since: what is listed of them is out of date.
    written: Mutex<BTreeSet<SubjectName>>,
    names: OnceCell<Result<BTreeSet<SubjectName>, RegistryError>>,
}

#[derive(Debug)]
struct Read {
    at: Instant,
    /// The newest versions; `None` where the registry does not list them.
    newest: Option<BTreeMap<SubjectName, Registered>>,
}

impl Listing {
    /// The newest version of a subject, if a list has it.
    pub(super) async fn get(
        &self,
        registry: &SchemaRegistry,
        name: &SubjectName,
        deadline: Instant,
    ) -> Result<Option<Registered>, RegistryError> {
        if self.asked.fetch_add(1, Ordering::Relaxed) < FEW || self.written().contains(name) {
            return Ok(None);
        }
        // Whoever comes meanwhile waits for the list rather than asking for its own.
        let mut read = self.read.lock().await;
        if read.as_ref().is_none_or(|it| it.newest.is_some() && AGE < it.at.elapsed()) {
            *read = Some(Read { at: Instant::now(), newest: list(registry, deadline).await? });
        }
        let newest = read.as_ref().and_then(|it| it.newest.as_ref());
        Ok(newest.and_then(|it| it.get(name)).cloned())
    }

    /// The names of all subjects as they were when they were first asked for. An error is kept as well, so that many who ask
    /// do not wait for the same silence.
    pub(super) async fn names(
        &self,
        registry: &SchemaRegistry,
        deadline: Instant,
    ) -> Result<&BTreeSet<SubjectName>, &RegistryError> {
        let ask = async || registry.subjects(false, deadline).await.map(BTreeSet::from_iter);
        self.names.get_or_init(ask).await.as_ref()
    }

    /// Notes that a subject was written.
    pub(super) fn forget(&self, name: &SubjectName) {
        self.written().insert(name.clone());
    }

    fn written(&self) -> std::sync::MutexGuard<'_, BTreeSet<SubjectName>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The newest version of every subject, page by page; `None` where there are too many, where the registry does not say
/// whose schemas it lists, or does not list them to this caller.
async fn list(
    registry: &SchemaRegistry,
    deadline: Instant,
) -> Result<Option<BTreeMap<SubjectName, Registered>>, RegistryError> {
    let mut res = BTreeMap::new();
    loop {
        let query = [("latestOnly", "true".to_owned()), ("offset", res.len().to_string()), ("limit", PAGE.to_string())];
        let request = Request { method: Method::GET, path: "schemas".to_owned(), query: query.into(), body: None };
        let page = match registry.rest.send(&request, deadline).await {
            Ok(Value::Array(it)) => it,
            Ok(_)
            | Err(RestError::Refused { .. } | RestError::Forbidden | RestError::TooLarge | RestError::Strange(_)) => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let (before, count) = (res.len(), page.len());
        for it in page {
            let Ok(it) = Answered(it).registered() else { return Ok(None) };
            res.insert(it.subject.clone(), it);
        }
        if MOST < res.len() {
            return Ok(None);
        }
        // A registry without pages gives all, or the same again.
        if count < PAGE || PAGE < count || res.len() == before {
            return Ok(Some(res));
        }
    }
}

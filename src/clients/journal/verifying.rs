//! All that can be wrong with a journal, found by reading all of it.

use std::{collections::BTreeMap, time::Instant};

use serde_json::{Map, json};

use crate::{
    clients::{
        journal::{
            Claims, HEAD, Head, Journal, JournalError, REBOUND, Recorded, Shared, WRITER, backup::Folded,
            drafting::Draft, format::Kept, writing::Pauses,
        },
        kafka::Outcome,
    },
    governance::record::{Event, Fold},
};

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Number of events.
    pub events: usize,
    /// Number of entities.
    pub entities: usize,
    /// What is wrong, in sentences; none if all is well.
    pub wrong: Vec<String>,
}

impl<S: Fold> Journal<S> {
    /// Reads all of the journal, and says what is wrong with it: the configuration of its topics, its genesis, the chain
    /// of its events, and a state that is not what the events leave behind.
    ///
    /// # Errors
    /// Those for which it cannot be read.
    pub async fn verify(&self, deadline: Instant) -> Result<Verified, JournalError> {
        let shared = &self.0;
        let mut wrong = Vec::new();
        for it in self.deviations(deadline).await? {
            let found = it.found.map_or("not set".to_owned(), |found| format!("`{found}`"));
            wrong.push(format!("`{}` of topic `{}` is {found}, and has to be `{}`.", it.key, it.topic, it.expected));
        }
        // The state first: of what is written meanwhile, the history knows more.
        let state = shared.raw(&shared.topics.state, deadline).await?;
        let newest = state.get(HEAD).and_then(|it| Head::read(it.as_bytes()).ok());
        let until = newest.as_ref().map_or(i64::MAX, |it| it.offset);
        let folded = shared.fold_history(until, &mut wrong, deadline).await?;
        compare_head(&folded, newest.as_ref(), &mut wrong);
        if folded.count != 0 {
            compare_entities(&folded, &state, &mut wrong);
            if let Err(foreign) = shared.belongs(&folded.head, deadline).await {
                wrong.push(format!("{foreign}.").replacen("the", "The", 1));
            }
        }
        Ok(Verified { events: folded.count, entities: folded.entities.len(), wrong })
    }

    /// Binds a journal that was moved to this cluster, with the reason for which it was. `None` if it belongs to this
    /// cluster already.
    ///
    /// # Errors
    /// Those of [`Journal::append`].
    pub async fn rebind(&self, claims: Claims, reason: &str, deadline: Instant) -> Result<Option<Head>, JournalError> {
        let shared = &self.0;
        let cluster = shared.cluster(deadline).await?.to_owned();
        let mut pauses = Pauses::default();
        let mut was_sent = false;
        loop {
            let began = Instant::now();
            let head = self.snapshot(deadline).await?.head.clone();
            if head.cluster == cluster {
                return Ok(was_sent.then_some(head));
            }
            let facts = [("from", head.cluster.as_str()), ("to", &cluster), ("reason", reason)];
            let facts: Map<_, _> = facts.into_iter().map(|(key, value)| (key.to_owned(), json!(value))).collect();
            let event = Event { kind: REBOUND.to_owned(), facts, ..Event::default() };
            match shared.append_one(&cluster, &claims, &event, deadline).await? {
                Outcome::Committed(_) | Outcome::Unknown => was_sent = true,
                Outcome::Fenced | Outcome::Elsewhere => {}
            }
            pauses.next(began.elapsed(), deadline).await?;
        }
    }
}

impl<S: Fold> Shared<S> {
    /// Puts together what the history leaves behind, up to an offset, and says what in it is no event or does not chain.
    async fn fold_history(
        &self,
        until: i64,
        wrong: &mut Vec<String>,
        deadline: Instant,
    ) -> Result<Folded, JournalError> {
        let topic = &self.topics.history;
        let mut folded = Folded::default();
        let mut next = 0;
        loop {
            let read = self.read_on(topic, next, deadline).await?;
            for (offset, problem) in &read.unreadable {
                wrong.push(format!("The record at offset {offset} of the history cannot be read: {problem}."));
            }
            for record in read.records.iter().filter(|it| it.offset <= until) {
                // An import fills the places where nothing was.
                let Some(value) = record.value.as_deref() else { continue };
                let event = Recorded::read(record.offset, record.timestamp, value);
                if let Err(problem) = event.and_then(|it| folded.add(&it)) {
                    wrong.push(format!(
                        "The record at offset {} of the history is no event of it: {problem}.",
                        record.offset
                    ));
                }
            }
            next = read.next;
            if read.is_at_end() || until < next {
                return Ok(folded);
            }
        }
    }

    /// Writes one event and binds the journal to a cluster, under a lease of its own.
    async fn append_one(
        &self,
        cluster: &str,
        claims: &Claims,
        event: &Event,
        deadline: Instant,
    ) -> Result<Outcome, JournalError> {
        let (mut lease, tails) = self.lease_anew(deadline).await?;
        let (snapshot, ends) = tails.parts();
        if WRITER < snapshot.head.min_writer {
            return Err(JournalError::NewerWriter(snapshot.head.min_writer));
        }
        let head = Head { cluster: cluster.to_owned(), ..snapshot.head.clone() };
        let mut draft = Draft::new(&head, ends.history);
        draft.add(claims, std::slice::from_ref(event));
        Ok(self.kafka.append_to_logs(&mut lease, &draft.appends(&self.topics, ends.state), deadline).await?)
    }
}

fn compare_head(folded: &Folded, newest: Option<&Head>, wrong: &mut Vec<String>) {
    if folded.count == 0 {
        wrong.push("The history has no event, not even its genesis.".to_owned());
        return;
    }
    match newest {
        Some(head) if *head == folded.head => {}
        Some(head) => wrong.push(format!(
            "The head of the state is the event {} at offset {} of the journal {}, and the history's is {} at offset {} of \
             {}.",
            head.hash, head.offset, head.journal, folded.head.hash, folded.head.offset, folded.head.journal
        )),
        None => wrong.push("The state has no head that can be read.".to_owned()),
    }
}

fn compare_entities(folded: &Folded, state: &BTreeMap<String, String>, wrong: &mut Vec<String>) {
    for (key, (offset, hash, value)) in &folded.entities {
        let problem = match state.get(key).map(|it| Kept::read(it.as_bytes())) {
            Some(Ok(kept)) if (kept.offset, kept.hash) == (*offset, *hash) && kept.value == *value => continue,
            Some(Ok(_)) => format!("is not what the event at offset {offset} made of it"),
            Some(Err(problem)) => format!("cannot be read: {problem}"),
            None => "is missing".to_owned(),
        };
        wrong.push(format!("The state of `{key}` {problem}."));
    }
    let extra = state.keys().filter(|it| *it != HEAD && !folded.entities.contains_key(*it));
    wrong.extend(extra.map(|it| format!("The state has `{it}`, of which the history knows nothing.")));
}

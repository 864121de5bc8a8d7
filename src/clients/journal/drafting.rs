//! What a group of commands is going to write: each decided on what the one before leaves behind.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use crate::{
    clients::{
        journal::{
            Claims, EventHash, Head, JournalError, JournalTopics, Quarantined, Recorded, Snapshot, WRITER, Written,
            format::{HEAD, Kept, random_uuid},
            writing::{Decided, LARGEST_DECISION, Pending},
        },
        kafka::{Append, NewRecord},
    },
    governance::record::{Event, Fold, Unreadable},
};

/// The records of one transaction.
#[derive(Debug)]
pub(super) struct Draft {
    /// The place of the last event.
    pub(super) head: Head,
    /// The events, with their records.
    pub(super) events: Vec<(Written, Bytes)>,
    /// The entities as the last event that changes them leaves them.
    pub(super) entities: BTreeMap<String, (i64, EventHash, Value)>,
    texts: BTreeMap<String, (i64, EventHash, Option<Value>)>,
    /// How many of the events are each command's, of those that have any.
    pub(super) shares: Vec<usize>,
    next: i64,
    sizes: [usize; 3],
}

/// What becomes of one command of a group.
#[derive(Debug)]
pub(super) enum Share {
    /// So many events of the draft are its own.
    Events(usize),
    /// It was refused.
    Refused,
    /// It does not fit beside the others.
    Later,
    /// It cannot be written at all.
    Impossible(JournalError),
}

impl Draft {
    /// An empty draft whose first event gets an offset.
    pub(super) fn new(head: &Head, next: i64) -> Self {
        let head = head.clone();
        let (entities, texts) = (BTreeMap::new(), BTreeMap::new());
        Self { head, events: Vec::new(), entities, texts, shares: Vec::new(), next, sizes: [0; 3] }
    }

    /// Decides all commands, and says what becomes of each.
    pub(super) fn decide<S: Fold>(snapshot: &Snapshot<S>, next: i64, group: &mut [Pending<S>]) -> (Self, Vec<Share>) {
        let mut draft = Self::new(&snapshot.head, next);
        let mut running = None;
        let mut shares = Vec::new();
        let count = group.len();
        for (number, pending) in group.iter_mut().enumerate() {
            let state = running.as_ref().unwrap_or(&snapshot.state);
            let share = match pending.decide(state, snapshot.now()) {
                Decided::No => Share::Refused,
                Decided::Events(events) => draft.admit(snapshot, &pending.claims, &events).unwrap_or_else(|| {
                    // A copy of the state is dear, and the last command needs none.
                    if number + 1 < count && !events.is_empty() {
                        let state = running.get_or_insert_with(|| snapshot.state.clone());
                        if let Err(error) = put(state, &events) {
                            return Share::Impossible(unreadable(error));
                        }
                    }
                    draft.add(&pending.claims, &events);
                    draft.shares.extend(Some(events.len()).filter(|it| 0 < *it));
                    Share::Events(events.len())
                }),
            };
            shares.push(share);
        }
        (draft, shares)
    }

    /// Why events cannot be added, if so.
    fn admit<S>(&self, snapshot: &Snapshot<S>, claims: &Claims, events: &[Event]) -> Option<Share> {
        let keys = events.iter().flat_map(|it| it.entities.keys());
        if let Some((key, Quarantined { offset, problem })) =
            keys.into_iter().find_map(|it| snapshot.quarantined.get_key_value(it))
        {
            let (key, offset, problem) = (key.clone(), *offset, problem.clone());
            return Some(Share::Impossible(JournalError::Quarantined { key, offset, problem }));
        }
        let mut own = Self::new(&self.head, 0);
        own.add(claims, events);
        let largest = own.sizes.into_iter().max().unwrap_or(0);
        if LARGEST_DECISION < largest {
            return Some(Share::Impossible(JournalError::TooLarge(largest)));
        }
        let fits = self.sizes.iter().zip(own.sizes).all(|(one, other)| one + other <= LARGEST_DECISION);
        (!fits).then_some(Share::Later)
    }

    /// Adds events to the chain.
    pub(super) fn add(&mut self, claims: &Claims, events: &[Event]) {
        for event in events {
            let previous = (0 <= self.head.offset).then_some(self.head.hash);
            let id = random_uuid();
            let record = Recorded::write(&id, event, claims, previous);
            let (offset, hash) = (self.next, EventHash::of(&record));
            self.next += 1;
            let length = |value: &Value| value.to_string().len() + 256;
            for (key, value) in &event.entities {
                self.sizes[1] += key.len() + length(value);
                self.entities.insert(key.clone(), (offset, hash, value.clone()));
            }
            for (key, value) in &event.texts {
                self.sizes[2] += key.len() + value.as_ref().map_or(0, length);
                self.texts.insert(key.clone(), (offset, hash, value.clone()));
            }
            self.sizes[0] += record.len();
            self.head.offset = offset;
            self.head.hash = hash;
            self.head.min_writer = self.head.min_writer.max(WRITER);
            self.events.push((Written { id, offset, hash }, record));
        }
    }

    /// Number of records in the state: the entities and the head.
    pub(super) fn state_count(&self) -> usize {
        self.entities.len() + 1
    }

    /// The transaction: the history goes on where the draft begins, and the state at an offset.
    pub(super) fn appends(&self, topics: &JournalTopics, state_next: i64) -> Vec<Append> {
        let history =
            self.events.iter().map(|(_, record)| NewRecord { value: Some(record.clone()), ..NewRecord::default() });
        let entity = |(key, (offset, hash, value)): (&String, &(i64, EventHash, Value))| {
            keyed(key, Some(Kept::write(*offset, *hash, value)))
        };
        let text = |(key, (offset, hash, value)): (&String, &(i64, EventHash, Option<Value>))| {
            keyed(key, value.as_ref().map(|it| Kept::write(*offset, *hash, it)))
        };
        let state = self.entities.iter().map(entity).chain([keyed(HEAD, Some(self.head.write()))]);
        let first = self.events.first().map(|(it, _)| it.offset);
        let mut res = vec![
            Append { topic: topics.history.clone(), at: first, records: history.collect() },
            Append { topic: topics.state.clone(), at: Some(state_next), records: state.collect() },
        ];
        if !self.texts.is_empty() {
            let records = self.texts.iter().map(text).collect();
            res.push(Append { topic: topics.text.clone(), at: None, records });
        }
        res
    }
}

fn keyed(key: &str, value: Option<Bytes>) -> NewRecord {
    NewRecord { key: Some(Bytes::from(key.to_owned())), value, timestamp: None }
}

fn put<S: Fold>(state: &mut S, events: &[Event]) -> Result<(), Unreadable> {
    events.iter().flat_map(|it| &it.entities).try_for_each(|(key, value)| state.put(key, value))
}

/// A decision that its own state does not read is a bug, and is not written.
fn unreadable(error: Unreadable) -> JournalError {
    JournalError::Quarantined { key: error.key, offset: -1, problem: error.problem }
}

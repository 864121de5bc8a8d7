//! Compare-and-append, for many commands at a time.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::{
    clients::{
        journal::{
            Claims, EventHash, Journal, JournalError, Shared, Snapshot,
            checking::check_end,
            drafting::{Draft, Share},
            in_time, locked,
            reading::events,
        },
        kafka::{Append, KafkaError, Lease, LogRead, NewRecord, Outcome},
        pause::random_part,
    },
    governance::{
        record::{Event, Fold, Timestamp},
        topic::TopicName,
    },
};

/// Bytes that one decision may add to each of the topics: less than a batch may have, by what surrounds it.
pub(super) const LARGEST_DECISION: usize = 900_000;

/// The shortest and the longest of the pauses after a writer was fenced, of which a random part is waited. A longer one
/// would leave the journal to itself when the last few writers wait.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long a writer waits for the others to pause, to which comes a random part of as much again: those who began to wait
/// at the same time do not lose their patience together.
const PATIENCE: Duration = Duration::from_secs(10);

/// A lease that is kept after a commit.
#[derive(Debug)]
pub(super) struct Held {
    lease: Lease,
    ends: Ends,
}

/// Where the topics go on if nobody else takes the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) history: i64,
    pub(super) state: i64,
}

/// What a command wrote.
#[derive(Clone, Debug)]
pub struct Appended<S> {
    /// The journal with it.
    pub snapshot: Arc<Snapshot<S>>,
    /// Its events, in their order; none if there was nothing to decide.
    pub events: Vec<Written>,
}

/// An event that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its own UUID.
    pub id: String,
    /// Its place in the history.
    pub offset: i64,
    /// SHA-256 of its record.
    pub hash: EventHash,
}

impl<S: Fold> Journal<S> {
    /// Decides and writes what was decided. `decide` is pure: it is called as often as others write in between, each time
    /// with the state that the events are to follow and the moment of the decision, and what it returned last is what
    /// holds. What it refuses is refused on all that was committed before the call. No events are written as nothing.
    ///
    /// A command that is on its way when its deadline passes may be waited for a little longer, since its outcome is
    /// worth knowing.
    ///
    /// # Errors
    /// The refusal, within. Every reason for which the journal could not be written; after all of them but
    /// [`JournalError::Unsettled`], nothing was.
    pub async fn append<R, F>(
        &self,
        claims: Claims,
        deadline: Instant,
        decide: F,
    ) -> Result<Result<Appended<S>, R>, JournalError>
    where
        F: Fn(&S, Timestamp) -> Result<Vec<Event>, R> + Send + 'static,
        R: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let command = Box::new(Deciding { decide, refusal: None, panic: None, answer });
        locked(&self.0.pending).push(Pending { claims, deadline, command });
        // A task of its own, so that a caller who gives up leaves no other's command behind.
        tokio::spawn(write_pending(self.clone(), deadline));
        match answered.await {
            Ok(End::Known(res)) => res,
            Ok(End::Panic(panic)) => resume_unwind(panic),
            Err(_) => Err(JournalError::Unsettled),
        }
    }
}

/// Writes what waits, unless another task does.
async fn write_pending<S: Fold>(journal: Journal<S>, deadline: Instant) {
    let shared = &journal.0;
    let Ok(mut held) = in_time(deadline, shared.writing.lock()).await else {
        let time_is_up = || JournalError::from(KafkaError::Deadline("waiting for the journal".to_owned()));
        let now = Instant::now();
        let late: Vec<_> = locked(&shared.pending).extract_if(.., |it| it.deadline <= now).collect();
        for it in late {
            it.command.fail(time_is_up());
        }
        return;
    };
    loop {
        let mut group = std::mem::take(&mut *locked(&shared.pending));
        if group.is_empty() {
            return;
        }
        let latest = group.iter().map(|it| it.deadline).max().unwrap_or(deadline);
        if let Err(error) = shared.write_group(&mut group, &mut held, latest).await {
            for it in group {
                it.command.fail(error.clone());
            }
        }
    }
}

impl<S: Fold> Shared<S> {
    /// Writes a group, and tells each of its commands how it ended. After an error, those that are left are to be told.
    async fn write_group(
        &self,
        group: &mut Vec<Pending<S>>,
        held: &mut Option<Held>,
        deadline: Instant,
    ) -> Result<(), JournalError> {
        let mut sent = None;
        let res = self.write_until_settled(group, held, &mut sent, deadline).await;
        if sent.is_some() { res.map_err(|_| JournalError::Unsettled) } else { res }
    }

    /// `sent` is what was sent and may have been written.
    async fn write_until_settled(
        &self,
        group: &mut Vec<Pending<S>>,
        held: &mut Option<Held>,
        sent: &mut Option<Draft>,
        deadline: Instant,
    ) -> Result<(), JournalError> {
        let mut pauses = Pauses::default();
        loop {
            if sent.is_none() {
                self.decide_before(group, deadline).await?;
            }
            if group.is_empty() {
                return Ok(());
            }
            let began = Instant::now();
            let (mut lease, tails) = self.lease_and_tails(held.take(), deadline).await?;
            let is_kept = tails.is_kept;
            if let Some(draft) = sent.take_if(|it| tails.has(it)) {
                Self::succeed(group, &draft, &tails.snapshot);
                return Ok(());
            }
            *sent = None;
            match self.decide_and_append(group, &mut lease, tails, deadline).await? {
                Step::Done(ends) => {
                    *held = Some(Held { lease, ends });
                    return Ok(());
                }
                Step::Unknown(draft) => *sent = Some(*draft),
                // The lease was taken while nothing was being written.
                Step::Again if is_kept => {}
                Step::Again => {
                    pauses.next(began.elapsed(), deadline).await?;
                    self.listen(&pauses, deadline).await?;
                }
            }
        }
    }

    /// The lease that is held, or a new one.
    async fn lease_and_tails(&self, held: Option<Held>, deadline: Instant) -> Result<(Lease, Tails<S>), JournalError> {
        if let Some(held) = held
            && let Some(tails) = self.tails_of(&held, deadline).await?
        {
            return Ok((held.lease, tails));
        }
        self.lease_anew(deadline).await
    }

    /// The journal as it is if nobody took the lease since, which nobody did who left a trace in what is known.
    async fn tails_of(&self, held: &Held, deadline: Instant) -> Result<Option<Tails<S>>, JournalError> {
        let known = in_time(deadline, self.known.lock()).await?;
        // Reading came to the marker of the last commit, or behind it.
        let is_last = (known.next..=known.next + 1).contains(&held.ends.state);
        let snapshot = known.snapshot.clone();
        Ok(is_last.then(|| Tails { snapshot, ends: held.ends, history: LogRead::default(), is_kept: true }))
    }

    /// Waits until nobody seems to write, since taking the lease would only stop them. Not for ever: somebody may always
    /// be writing.
    async fn listen(&self, pauses: &Pauses, deadline: Instant) -> Result<(), JournalError> {
        let until = Instant::now() + PATIENCE + random_part(PATIENCE);
        let mut before = None;
        loop {
            let mut known = in_time(deadline, self.known.lock()).await?;
            let (holder, read) = tokio::join!(
                self.kafka.lease_holder(&self.topics.lease, deadline),
                self.catch_up(&mut known, Instant::now(), deadline)
            );
            let (holder, _, next) = (holder?, read?, known.next);
            drop(known);
            let is_writing = holder.as_ref().is_some_and(|it| it.is_writing);
            let is_quiet = !is_writing && before.as_ref() == Some(&(holder.clone(), next));
            if is_quiet || until < Instant::now() {
                return Ok(());
            }
            before = Some((holder, next));
            pauses.until_next_look(deadline).await?;
        }
    }

    /// Decides on what is known, so that nobody takes the lease for nothing. What is known may be old: before a command
    /// is refused, it is decided on what is there now.
    async fn decide_before(&self, group: &mut Vec<Pending<S>>, deadline: Instant) -> Result<(), JournalError> {
        let asked = Instant::now();
        for is_new in [false, true] {
            let mut known = in_time(deadline, self.known.lock()).await?;
            if is_new || !known.is_read() {
                self.catch_up(&mut known, asked, deadline).await?;
            }
            let snapshot = known.snapshot.clone();
            drop(known);
            self.may_write(&snapshot.head, deadline).await?;
            let (_, shares) = Draft::decide(&snapshot, snapshot.head.offset + 1, group);
            if is_new {
                self.sort_out(group, &shares, &snapshot);
            } else if has_all(&shares) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Tells the commands that write nothing, and leaves those that have a share in the draft.
    fn sort_out(&self, group: &mut Vec<Pending<S>>, shares: &[Share], snapshot: &Arc<Snapshot<S>>) {
        let mut later = Vec::new();
        for (pending, share) in std::mem::take(group).into_iter().zip(shares) {
            match share {
                Share::Events(0) => {
                    pending.command.succeed(Appended { snapshot: snapshot.clone(), events: Vec::new() });
                }
                Share::Events(_) => group.push(pending),
                Share::Refused => pending.command.refuse(),
                Share::Later => later.push(pending),
                Share::Impossible(error) => pending.command.fail(error.clone()),
            }
        }
        let mut waiting = locked(&self.pending);
        later.append(&mut waiting);
        *waiting = later;
    }

    /// A new lease, and the rest of the state and of the history under it.
    pub(super) async fn lease_anew(&self, deadline: Instant) -> Result<(Lease, Tails<S>), JournalError> {
        let mut lease = self.kafka.take_lease(&self.topics.lease, deadline).await?;
        let began = tokio::time::Instant::now();
        let mut is_aborted = false;
        loop {
            let mut known = in_time(deadline, self.known.lock()).await?;
            let from = known.snapshot.head.offset.max(0);
            let (state, history) = tokio::join!(
                self.catch_up(&mut known, Instant::now(), deadline),
                self.read_to_end(&self.topics.history, from, deadline)
            );
            let (state_read, history) = (state?, history?);
            let (snapshot, state) = (known.snapshot.clone(), known.next);
            drop(known);
            // Nobody writes under this lease: an open transaction was forgotten, or is another one's.
            match (history.is_open(), state_read.is_open()) {
                (true, true) if !is_aborted => {
                    is_aborted = self.abort_forgotten(&mut lease, &history, &state_read, deadline).await?;
                    lease = self.kafka.take_lease(&self.topics.lease, deadline).await?;
                }
                (true, _) => self.wait_for_end(&self.topics.history, &history, began, deadline).await?,
                (false, true) => self.wait_for_end(&self.topics.state, &state_read, began, deadline).await?,
                (false, false) => {
                    check_end(&snapshot.head, &history)?;
                    let ends = Ends { history: history.next, state };
                    return Ok((lease, Tails { snapshot, ends, history, is_kept: false }));
                }
            }
        }
    }

    /// Ends what an earlier writer left open and the coordinator forgot. Nobody was told that it was written, since none
    /// of the topics shows it: it is aborted, with a record that cannot be where it is said to have to be. `false` if
    /// somebody else took the lease.
    async fn abort_forgotten(
        &self,
        lease: &mut Lease,
        history: &LogRead,
        state: &LogRead,
        deadline: Instant,
    ) -> Result<bool, JournalError> {
        let append = |topic: &TopicName, at| {
            let record = NewRecord { key: Some(Bytes::from_static(b"aborted")), ..NewRecord::default() };
            Append { topic: topic.clone(), at, records: vec![record] }
        };
        let appends = [
            append(&self.topics.history, Some(history.end)),
            append(&self.topics.state, Some(state.end)),
            append(&self.topics.text, None),
        ];
        Ok(self.kafka.append_to_logs(lease, &appends, deadline).await? == Outcome::Elsewhere)
    }

    async fn decide_and_append(
        &self,
        group: &mut Vec<Pending<S>>,
        lease: &mut Lease,
        tails: Tails<S>,
        deadline: Instant,
    ) -> Result<Step, JournalError> {
        let Tails { snapshot, ends, history: _, is_kept } = tails;
        self.may_write(&snapshot.head, deadline).await?;
        let (draft, shares) = Draft::decide(&snapshot, ends.history, group);
        if is_kept && !has_all(&shares) {
            // Nobody is refused on what others may have changed.
            return Ok(Step::Again);
        }
        self.sort_out(group, &shares, &snapshot);
        if group.is_empty() {
            return Ok(Step::Done(ends));
        }
        // What was read is changed in its place once nobody else looks at it.
        drop(snapshot);
        let appends = draft.appends(&self.topics, ends.state);
        match self.kafka.append_to_logs(lease, &appends, deadline).await? {
            Outcome::Committed(places) => {
                let at = places.first().and_then(|it| it.timestamp);
                let snapshot = self.keep(&draft, ends.state, at, deadline).await?;
                Self::succeed(group, &draft, &snapshot);
                // After the records comes the marker of the commit.
                let after = |count: usize| 1 + i64::try_from(count).unwrap_or(i64::MAX);
                let history = ends.history + after(draft.events.len());
                let state = ends.state + after(draft.state_count());
                Ok(Step::Done(Ends { history, state }))
            }
            Outcome::Fenced | Outcome::Elsewhere => Ok(Step::Again),
            Outcome::Unknown => Ok(Step::Unknown(Box::new(draft))),
        }
    }

    /// Puts what was written where reading it would have, unless somebody has read it already.
    async fn keep(
        &self,
        draft: &Draft,
        state_next: i64,
        at: Option<Timestamp>,
        deadline: Instant,
    ) -> Result<Arc<Snapshot<S>>, JournalError> {
        let mut known = in_time(deadline, self.known.lock()).await.map_err(|_| JournalError::Unsettled)?;
        if (known.next..=known.next + 1).contains(&state_next) {
            known.keep(draft, state_next, at);
        }
        Ok(known.snapshot.clone())
    }

    fn succeed(group: &mut Vec<Pending<S>>, draft: &Draft, snapshot: &Arc<Snapshot<S>>) {
        let mut events = draft.events.iter().map(|(it, _)| it.clone());
        for (pending, count) in std::mem::take(group).into_iter().zip(&draft.shares) {
            let events = events.by_ref().take(*count).collect();
            pending.command.succeed(Appended { snapshot: snapshot.clone(), events });
        }
    }
}

/// Whether every command has something to write.
fn has_all(shares: &[Share]) -> bool {
    shares.iter().all(|it| matches!(it, Share::Events(1..) | Share::Later))
}

/// How one try to write ended.
enum Step {
    /// Each command knows, and the topics go on from here.
    Done(Ends),
    /// Nothing was written.
    Again,
    /// It may have been written.
    Unknown(Box<Draft>),
}

/// The journal as it is under a lease.
pub(super) struct Tails<S> {
    snapshot: Arc<Snapshot<S>>,
    ends: Ends,
    /// The history from the head that was known before.
    history: LogRead,
    /// Whether nothing was read, since the lease is an old one.
    is_kept: bool,
}

impl<S> Tails<S> {
    /// What was read, and where to write.
    pub(super) fn parts(self) -> (Arc<Snapshot<S>>, Ends) {
        (self.snapshot, self.ends)
    }

    /// Whether what was sent was written.
    fn has(&self, draft: &Draft) -> bool {
        let sent = draft.events.first().map(|(it, _)| it);
        events(&self.history).iter().any(|it| sent.is_some_and(|sent| sent.hash == it.hash && sent.offset == it.offset))
    }
}

/// The pauses of a writer that is fenced again and again.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    longest: Duration,
    took: Duration,
}

impl Pauses {
    /// Pauses for a random part of a time that doubles. It begins with twice what a try takes, so that of two writers
    /// one is through before the other comes.
    pub(super) async fn next(&mut self, took: Duration, deadline: Instant) -> Result<(), JournalError> {
        self.took = took.clamp(FIRST_PAUSE, LONGEST_PAUSE);
        self.longest = (self.longest.max(self.took) * 2).min(LONGEST_PAUSE);
        pause_for(random_part(self.longest), deadline).await
    }

    /// Pauses between two looks at what others do: for longer than somebody who writes needs between two transactions,
    /// which is one of the four round trips of a try.
    async fn until_next_look(&self, deadline: Instant) -> Result<(), JournalError> {
        pause_for(self.took / 2 + random_part(self.took), deadline).await
    }
}

async fn pause_for(time: Duration, deadline: Instant) -> Result<(), JournalError> {
    let until = Instant::now() + time;
    if deadline <= until {
        let doing = "waiting for other writers of the journal".to_owned();
        return Err(KafkaError::Deadline(doing).into());
    }
    tokio::time::sleep_until(until.into()).await;
    Ok(())
}

/// A command that waits to be written.
pub(super) struct Pending<S> {
    pub(super) claims: Claims,
    deadline: Instant,
    command: Box<dyn Command<S>>,
}

impl<S> Pending<S> {
    pub(super) fn decide(&mut self, state: &S, now: Timestamp) -> Decided {
        self.command.decide(state, now)
    }
}

/// How a decision ended.
pub(super) enum Decided {
    /// There are events to write, or none.
    Events(Vec<Event>),
    /// It was refused, or it panicked; the command knows.
    No,
}

/// A command without the types of its refusal and its decision.
pub(super) trait Command<S>: Send {
    fn decide(&mut self, state: &S, now: Timestamp) -> Decided;

    /// Tells the refusal.
    fn refuse(self: Box<Self>);

    fn succeed(self: Box<Self>, appended: Appended<S>);

    fn fail(self: Box<Self>, error: JournalError);
}

struct Deciding<S, R, F> {
    decide: F,
    refusal: Option<R>,
    panic: Option<Panic>,
    answer: oneshot::Sender<End<S, R>>,
}

type Panic = Box<dyn std::any::Any + Send>;

/// What the caller of a command hears.
enum End<S, R> {
    Known(Result<Result<Appended<S>, R>, JournalError>),
    Panic(Panic),
}

impl<S, R, F> Command<S> for Deciding<S, R, F>
where
    S: Fold,
    R: Send,
    F: Fn(&S, Timestamp) -> Result<Vec<Event>, R> + Send,
{
    fn decide(&mut self, state: &S, now: Timestamp) -> Decided {
        (self.refusal, self.panic) = (None, None);
        // Nothing outside of the closure changes, and a panic is the caller's.
        match catch_unwind(AssertUnwindSafe(|| (self.decide)(state, now))) {
            Ok(Ok(events)) => return Decided::Events(events),
            Ok(Err(refusal)) => self.refusal = Some(refusal),
            Err(panic) => self.panic = Some(panic),
        }
        Decided::No
    }

    fn refuse(self: Box<Self>) {
        let end = match (self.refusal, self.panic) {
            (Some(refusal), _) => End::Known(Ok(Err(refusal))),
            (None, Some(panic)) => End::Panic(panic),
            (None, None) => End::Known(Err(JournalError::Unsettled)),
        };
        // A caller who gave up is not there any more, here and below.
        let _ = self.answer.send(end);
    }

    fn succeed(self: Box<Self>, appended: Appended<S>) {
        let _ = self.answer.send(End::Known(Ok(Ok(appended))));
    }

    fn fail(self: Box<Self>, error: JournalError) {
        let _ = self.answer.send(End::Known(Err(error)));
    }
}

//! All that is to be done in an environment, done once.
//!
//! What was filed is folded first, one piece of each mailbox in turn, so that nobody holds the others up. Then follow the
//! tasks, each for itself: one that fails leaves the others alone, and is there again for the next run. A run that is
//! killed leaves what each task leaves, since none keeps anything but in the journal.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use super::{Folded, Governed, GovernedError, Noticed, mailboxes::unreadable, provisioning::enforces};
use crate::{
    clients::{
        clock::now,
        kafka::{AclFilter, KafkaError},
    },
    governance::{
        acl::AclBinding,
        binding::{BindingEntry, BindingStatus, Holder},
        command::{Actor, Command, Role, SeenRules},
        decide::decide,
        environment::Environment,
        mailbox::{MailboxOf, fold},
        outstanding::{Task, outstanding},
        record::{Fold, Timestamp},
        state::State,
        violation::{At, Violation},
    },
};

/// Most pieces of one mailbox that one run folds. A flood is folded by several runs.
const PIECES: usize = 10;

/// How often a task is tried in one run that is there again without having failed.
const TRIES: usize = 3;

/// How long one thing may take, so that one that hangs leaves time for the others.
const PATIENCE: Duration = Duration::from_mins(2);

/// How often it is written down that somebody looked, where the policy does not ask for more.
const HEARTBEAT: Duration = Duration::from_hours(1);

/// One thing that a run does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Folds what was filed in a mailbox.
    Fold(MailboxOf),
    /// Looks for rules that somebody removed, and at what somebody did to topics.
    Look,
    /// Has a rule made again that somebody removed.
    MakeAgain(AclBinding),
    /// Does what the environment has outstanding.
    Do(Task),
}

/// What became of one thing.
#[derive(Debug)]
pub struct Step {
    /// What it was.
    pub work: Work,
    /// What was folded, if it was that, or why it was not done.
    pub result: Result<Option<Folded>, GovernedError>,
    /// How many things were done, this one included.
    pub done: usize,
    /// How many there are, as far as that is known.
    pub of: usize,
}

/// What became of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// How many things were done.
    pub done: usize,
    /// How many failed.
    pub failed: usize,
    /// What is outstanding still.
    pub left: Vec<Task>,
    /// The mailboxes that hold more than one run folds.
    pub unread: BTreeSet<MailboxOf>,
    /// What owners are to see to.
    pub noticed: Vec<Noticed>,
}

/// What a run would do first; what follows from that is seen only when it is done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Foreseen {
    /// What would be folded.
    pub folded: Vec<Folded>,
    /// Rules that somebody removed, and that would be made again.
    pub lost: BTreeSet<AclBinding>,
    /// What would be outstanding then.
    pub tasks: Vec<Task>,
    /// What owners would be told to see to.
    pub noticed: Vec<Noticed>,
}

impl Foreseen {
    /// Whether there is nothing to do.
    pub fn is_complete(&self) -> bool {
        self.folded.is_empty() && self.lost.is_empty() && self.tasks.is_empty()
    }
}

impl Reconciled {
    /// Whether nothing is left.
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.left.is_empty() && self.unread.is_empty()
    }
}

impl Governed {
    /// Does all that is to be done, telling of each thing after it was tried.
    ///
    /// # Errors
    /// Why nothing can be done at all: the caller is not the platform, or the journal can be neither read nor written.
    pub async fn reconcile(
        &self,
        deadline: Instant,
        tell: &mut (dyn FnMut(&Step) + Send),
    ) -> Result<Reconciled, GovernedError> {
        let known = self.snapshot(deadline).await?;
        self.refuse_others(&known.state)?;
        let mut run = Run { res: Reconciled::default(), tell };
        self.fold_all(&known.state, &mut run, deadline).await;
        self.find_lost(&mut run, deadline).await?;
        self.do_all(&mut run, deadline).await?;
        self.notice(&mut run, deadline).await?;
        let known = self.snapshot(deadline).await?;
        run.res.left = outstanding(&known.state, now());
        if known.state.environment().is_some_and(|it| beats(it, now())) {
            self.follow_up(Command::Heartbeat(()), deadline).await?;
        }
        Ok(run.res)
    }

    /// What [`Governed::reconcile`] would do first. Nothing is written.
    ///
    /// # Errors
    /// As for that.
    pub async fn foresee(&self, deadline: Instant) -> Result<Foreseen, GovernedError> {
        let known = self.snapshot(deadline).await?;
        self.refuse_others(&known.state)?;
        let (mut state, mut folded) = (known.state.clone(), Vec::new());
        for of in Self::mailboxes(&known.state) {
            let Some(unread) = self.unread_and_found(&of, &state, deadline).await? else { continue };
            let before = state.mailbox(&of).cloned();
            let events = fold(&state, &of, &unread.topic_id, &unread.posted, now()).map_err(unreadable)?;
            for (key, value) in events.iter().flat_map(|it| &it.entities) {
                state.put(key, value).map_err(unreadable)?;
            }
            folded.extend(Folded::between(&of, before.as_ref(), &state, unread.is_more));
        }
        let lost = self.lost_of_all(&state, deadline).await?;
        let seen = Command::MarkBindings(SeenRules::since(&state, [], lost.clone()));
        let events = decide(&state, &Actor::of(Role::Platform), &seen, now())?;
        for (key, value) in events.iter().flat_map(|it| &it.entities) {
            state.put(key, value).map_err(unreadable)?;
        }
        let noticed = self.noticed(&state, deadline).await?;
        Ok(Foreseen { folded, lost, tasks: outstanding(&state, now()), noticed })
    }

    /// Looks for rules that somebody removed behind the back of those who hold them, so that they are outstanding again.
    async fn find_lost(&self, run: &mut Run<'_>, deadline: Instant) -> Result<(), GovernedError> {
        let known = self.snapshot(deadline).await?;
        match self.lost_of_all(&known.state, within(deadline)).await {
            Ok(lost) if lost.is_empty() => {}
            Ok(lost) => {
                let seen = SeenRules::since(&known.state, [], lost.clone());
                self.follow_up(Command::MarkBindings(seen), deadline).await?;
                let count = lost.len();
                for (place, rule) in lost.into_iter().enumerate() {
                    run.told(Work::MakeAgain(rule), Ok(None), count - place - 1);
                }
            }
            Err(error) => run.told(Work::Look, Err(error.into()), 0),
        }
        Ok(())
    }

    /// Looks at topics for what their owners are to see to.
    async fn notice(&self, run: &mut Run<'_>, deadline: Instant) -> Result<(), GovernedError> {
        let known = self.snapshot(deadline).await?;
        match self.noticed(&known.state, within(deadline)).await {
            Ok(found) => run.res.noticed = found,
            Err(error) => run.told(Work::Look, Err(error.into()), 0),
        }
        Ok(())
    }

    /// The rules that anybody has by the journal, and that the cluster has not, by one look at all of them.
    async fn lost_of_all(&self, state: &State, deadline: Instant) -> Result<BTreeSet<AclBinding>, KafkaError> {
        let is_ours = |it: &BindingEntry| it.holders.iter().any(|it| *it != Holder::Foreign);
        let present = state.bindings().filter(|(_, it)| it.status == BindingStatus::Present && is_ours(it));
        let mut res: BTreeSet<AclBinding> = present.map(|(rule, _)| rule.clone()).collect();
        if res.is_empty() || !enforces(state) {
            return Ok(BTreeSet::new());
        }
        for rule in self.kafka.acls(&AclFilter::default(), deadline).await? {
            res.remove(&rule);
        }
        Ok(res)
    }

    fn refuse_others(&self, state: &State) -> Result<(), GovernedError> {
        if state.environment().is_none() {
            let what = "The cluster has no environment.";
            let remedy = "Declare one with `kafka_environment`.";
            return Err(GovernedError::Refused(Violation::new(At::all(), "No environment", what, remedy).into()));
        }
        if self.mailbox(state).is_some() {
            let what = "What is outstanding is for the platform to do, and the caller is not the platform.";
            let remedy = "Run it with the credentials of one of `platform_principals`.";
            return Err(GovernedError::Refused(Violation::new(At::all(), "Not the platform", what, remedy).into()));
        }
        Ok(())
    }

    async fn fold_all(&self, state: &State, run: &mut Run<'_>, deadline: Instant) {
        let mut waiting = Self::mailboxes(state);
        for _ in 0..PIECES {
            let mut more = Vec::new();
            for of in std::mem::take(&mut waiting) {
                let result = self.fold(&of, within(deadline)).await;
                if matches!(result, Ok(None)) {
                    continue;
                }
                if matches!(&result, Ok(Some(it)) if it.is_more) {
                    more.push(of.clone());
                }
                run.told(Work::Fold(of), result, more.len());
            }
            waiting = more;
        }
        run.res.unread = waiting.into_iter().collect();
    }

    async fn do_all(&self, run: &mut Run<'_>, deadline: Instant) -> Result<(), GovernedError> {
        let (mut failed, mut tries) = (BTreeSet::new(), BTreeMap::<Task, usize>::new());
        while Instant::now() < deadline {
            let known = self.snapshot(deadline).await?;
            let is_open = |it: &Task| !failed.contains(it) && tries.get(it).is_none_or(|it| *it < TRIES);
            let tasks: Vec<Task> = outstanding(&known.state, now()).into_iter().filter(is_open).collect();
            if tasks.is_empty() {
                break;
            }
            let count = tasks.len();
            for (place, task) in tasks.into_iter().enumerate() {
                let result = self.perform(&task, within(deadline)).await;
                *tries.entry(task.clone()).or_default() += 1;
                if result.is_err() {
                    failed.insert(task.clone());
                }
                run.told(Work::Do(task), result.map(|()| None), count - place - 1);
            }
        }
        Ok(())
    }

    /// Does one task. One that somebody else did meanwhile is no error.
    ///
    /// # Errors
    /// What could not be done; the next run goes on.
    pub async fn perform(&self, task: &Task, deadline: Instant) -> Result<(), GovernedError> {
        match task {
            Task::Expire(id) => {
                self.follow_up(Command::ExpireRequest(id.clone()), deadline).await?;
                self.revoke_grant(id, deadline).await.map(drop)
            }
            Task::EndTrial(name) => {
                self.follow_up(Command::EndTrial(name.clone()), deadline).await?;
                self.settle_rights(name, deadline).await
            }
            Task::CleanUp(name) => self.follow_up(Command::DeleteApplication(name.clone()), deadline).await.map(drop),
            Task::Provision(name) => self.provision(name, deadline).await.map(drop),
            Task::Grant(id) => self.grant(id, deadline).await.map(drop),
            Task::Rules => self.settle_all(deadline).await,
            Task::MakeTopic(name) => self.make_topic(name, deadline).await,
            Task::DeleteTopic(name) => self.delete_topic(name, deadline).await,
            Task::FinishDeletion(name) => self.unprovision(name, deadline).await.map(drop),
            Task::FinishRevocation(id) => self.revoke_grant(id, deadline).await.map(drop),
        }
    }

    /// Does what is left to do for the rules and quotas of everybody. What fails for one is told after the others had
    /// their turn.
    async fn settle_all(&self, deadline: Instant) -> Result<(), GovernedError> {
        let known = self.snapshot(deadline).await?;
        let mut failure = None;
        for holder in concerned(&known.state) {
            if let Err(error) = self.settle(&holder, deadline).await {
                failure = failure.or(Some(error));
            }
        }
        failure.map_or(Ok(()), Err)
    }
}

/// A run, as far as it got.
struct Run<'a> {
    res: Reconciled,
    tell: &'a mut (dyn FnMut(&Step) + Send),
}

impl Run<'_> {
    fn told(&mut self, work: Work, result: Result<Option<Folded>, GovernedError>, ahead: usize) {
        if result.is_ok() {
            self.res.done += 1;
        } else {
            self.res.failed += 1;
        }
        let done = self.res.done + self.res.failed;
        (self.tell)(&Step { work, result, done, of: done + ahead });
    }
}

fn within(deadline: Instant) -> Instant {
    deadline.min(Instant::now() + PATIENCE)
}

/// Who has something to be done for their rules or quotas.
fn concerned(state: &State) -> BTreeSet<Holder> {
    let entries = state.bindings().filter(|(_, it)| it.deed().is_some());
    let rules = entries.flat_map(|(_, it)| it.holders.iter().chain(&it.released_by));
    let quotas = state.quota_deeds().into_iter().map(|(_, it, _)| &it.holder);
    rules.chain(quotas).cloned().collect()
}

/// Whether it is time to write that somebody looked: often enough for who watches, and not with every run, for the
/// history keeps it for ever.
fn beats(environment: &Environment, now: Timestamp) -> bool {
    let quarter = environment.spec.policy.reconcile_within_seconds.map(|it| it.saturating_mul(1_000) / 4);
    let hour = i64::try_from(HEARTBEAT.as_millis()).unwrap_or(i64::MAX);
    let every = quarter.map_or(hour, |it| it.min(hour));
    environment.reconciled_at.is_none_or(|it| it.0.saturating_add(every) <= now.0)
}

#[cfg(test)]
mod tests;

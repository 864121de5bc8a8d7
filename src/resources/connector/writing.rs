//! What is done with a connector: its configuration first, then where it goes on from, then what it is to be.

use std::time::{Duration, Instant};

use super::{
    ADDED, ConnectorModel,
    composing::{Composed, remembered},
    offsets::Wanted,
    placing::Workers,
    reading, told, waiting,
};
use crate::{
    clients::connect::{Connect, ConnectError, Connector, RunState, Status, Target},
    framework::{Call, Failure, Unknown},
    governance::connector::ConnectorName,
    provider::Environment,
    resources::application::OnExisting,
};

/// The first version of Kafka whose workers begin a connector in another state than running.
const BEGINS_OTHERWISE: (u32, u32) = (3, 7);

/// Makes a connector, or takes over what is there.
pub(super) async fn create(
    environment: &Environment,
    cluster_id: &str,
    plan: ConnectorModel,
    config: &ConnectorModel,
    call: &mut Call,
) -> Result<ConnectorModel, Failure> {
    let (workers, name) = (Workers::of_plan(environment, &plan, cluster_id)?, plan.name.value()?.clone());
    workers.expect_home(call.deadline).await?;
    let connect = workers.connect;
    let found = connect.connector(&name, call.deadline).await?;
    let sent = Composed::of(None, &plan, config, found.as_ref(), call)?;
    let adopts = plan.on_existing.get() == Some(&OnExisting::Adopt) || environment.has_made(&plan.object()?);
    let work = Work { workers, connect, name: &name, sent: &sent };
    let created = match found {
        Some(found) => work.take_over(plan, &found, adopts, call).await,
        None => match work.make(&plan, call).await {
            Ok(()) => work.done(plan, call).await,
            Err((failure, true)) => Err(work.unmake(failure, call).await),
            Err((failure, false)) => Err(failure),
        },
    };
    created.map_err(|it| sent.conceal(it))
}

/// Changes a connector.
pub(super) async fn update(
    workers: Workers<'_>,
    prior: &ConnectorModel,
    plan: ConnectorModel,
    config: &ConnectorModel,
    call: &mut Call,
) -> Result<ConnectorModel, Failure> {
    workers.expect_home(call.deadline).await?;
    let (connect, name) = (workers.connect, plan.name.value()?.clone());
    let found = connect.connector(&name, call.deadline).await?;
    let sent = Composed::of(Some(prior), &plan, config, found.as_ref(), call)?;
    let work = Work { workers, connect, name: &name, sent: &sent };
    work.change(prior, plan, found.as_ref(), call).await.map_err(|it| sent.conceal(it))
}

/// How a connector begins.
struct Beginning {
    /// Its first state, if that is another than running.
    state: Option<Target>,
    /// Where it goes on from, which is set before it runs.
    offsets: Option<Wanted>,
}

impl Beginning {
    fn of(plan: &ConnectorModel) -> Result<Self, Unknown> {
        let offsets = plan.offsets.known()?.map(|it| it.model.wanted()).transpose()?;
        let state = if offsets.is_some() { Some(Target::Stopped) } else { plan.target() };
        Ok(Self { state: state.filter(|it| *it != Target::Running), offsets })
    }
}

/// Work on one connector.
struct Work<'a> {
    workers: Workers<'a>,
    connect: &'a Connect,
    name: &'a ConnectorName,
    sent: &'a Composed,
}

impl Work<'_> {
    /// Takes over a connector that is there, as it is declared or because that is said.
    async fn take_over(
        &self,
        plan: ConnectorModel,
        found: &Connector,
        adopts: bool,
        call: &mut Call,
    ) -> Result<ConnectorModel, Failure> {
        let is_same = self.sent.is_there(found, &remembered(&call.private, ADDED).unwrap_or_default());
        let (mut target, mut runs_for) = (plan.target(), waiting::MADE);
        match (adopts, is_same) {
            (true, true) => {}
            (true, false) => {
                self.connect.configure(self.name, &self.sent.values, call.deadline).await?;
                runs_for = waiting::CHANGED;
            }
            // A create leaves it so that was interrupted, and stopped where it was to go on from somewhere.
            (false, true) => {
                call.report.push(told::taken_over(self.name));
                target = target.or(Some(Target::Running).filter(|_| !plan.offsets.is_null()));
            }
            (false, false) => return Err(told::exists(self.name).into()),
        }
        self.bring(None, &plan, Some(found), (target, runs_for), call).await?;
        self.done(plan, call).await
    }

    /// Changes a connector.
    async fn change(
        &self,
        prior: &ConnectorModel,
        plan: ConnectorModel,
        found: Option<&Connector>,
        call: &mut Call,
    ) -> Result<ConnectorModel, Failure> {
        let added = remembered(&call.private, ADDED).unwrap_or_default();
        let mut runs_for = waiting::MADE;
        if !found.is_some_and(|it| self.sent.is_there(it, &added)) {
            self.connect.configure(self.name, &self.sent.values, call.deadline).await?;
            runs_for = waiting::CHANGED;
        }
        self.bring(Some(prior), &plan, found, (plan.target(), runs_for), call).await?;
        self.done(plan, call).await
    }

    /// Makes a connector that is not there, which begins as it should be where the workers can have it so. A failure comes
    /// with whether this made the connector: what somebody else made meanwhile is not ours to delete.
    async fn make(&self, plan: &ConnectorModel, call: &mut Call) -> Result<(), (Failure, bool)> {
        let beginning = Beginning::of(plan).map_err(|it| (it.into(), false))?;
        let can = match beginning.state {
            None => Ok(true),
            Some(_) => self.connect.is_at_least(BEGINS_OTHERWISE, call.deadline).await,
        };
        let can = can.map_err(|it| (it.into(), false))?;
        let begins = beginning.state.filter(|_| can);
        let made = self.connect.create(self.name, &self.sent.values, begins, call.deadline).await;
        let made = made.map_err(|it| (it.into(), false))?;
        self.begin(plan, &beginning, can, call).await.map_err(|it| (it, made))
    }

    /// Has a connector that was just made be what it should be.
    async fn begin(
        &self,
        plan: &ConnectorModel,
        Beginning { state, offsets }: &Beginning,
        is_so: bool,
        call: &mut Call,
    ) -> Result<(), Failure> {
        if let Some(state) = state.filter(|_| !is_so) {
            self.connect.bring(self.name, state, call.deadline).await?;
        }
        let target = plan.target().unwrap_or(Target::Running);
        if let Some(wanted) = offsets {
            if !is_so {
                self.settled((Target::Stopped, waiting::MADE), call).await?;
            }
            self.move_to(wanted, call).await?;
            if target != Target::Stopped {
                self.connect.bring(self.name, target, call.deadline).await?;
            }
        }
        self.wait(plan, (target, waiting::MADE), call).await
    }

    /// Takes away what was made and does not do: without a state, the next apply makes it anew, as it is declared then.
    async fn unmake(&self, failure: Failure, call: &Call) -> Failure {
        if !matches!(failure, Failure::Told(_)) {
            return failure;
        }
        let deleted = self.connect.delete(self.name, after(call)).await;
        failure.adding(&told::unmade(deleted.as_ref().err()))
    }

    /// Has a connector that was there be what it should be; what it was, where nothing is said of that.
    async fn bring(
        &self,
        prior: Option<&ConnectorModel>,
        plan: &ConnectorModel,
        found: Option<&Connector>,
        (target, runs_for): (Option<Target>, Duration),
        call: &mut Call,
    ) -> Result<(), Failure> {
        let status = found.and_then(|it| it.status.as_ref());
        let was = match status.map(|it| it.state) {
            Some(RunState::Paused) => Target::Paused,
            Some(RunState::Stopped) => Target::Stopped,
            _ => Target::Running,
        };
        let target = target.unwrap_or(was);
        let mut is = was;
        if prior.is_none_or(|it| it.offsets != plan.offsets)
            && let Some(offsets) = plan.offsets.known()?
        {
            if let Err(failure) = self.stop_and_move(&offsets.model.wanted()?, was, call).await {
                return Err(self.bring_back(failure, was, call).await);
            }
            is = Target::Stopped;
        }
        if target != is
            && let Err(error) = self.connect.bring(self.name, target, call.deadline).await
        {
            let is_stopped_here = is != was;
            return Err(if is_stopped_here { self.bring_back(error.into(), was, call).await } else { error.into() });
        }
        if plan.waits() && status.is_some_and(|it| is_to_restart(it, target)) {
            self.connect.restart_failed(self.name, call.deadline).await?;
        }
        self.wait(plan, (target, runs_for), call).await
    }

    async fn stop_and_move(&self, wanted: &Wanted, was: Target, call: &mut Call) -> Result<(), Failure> {
        if was != Target::Stopped {
            self.connect.bring(self.name, Target::Stopped, call.deadline).await?;
            self.settled((Target::Stopped, waiting::MADE), call).await?;
        }
        self.move_to(wanted, call).await
    }

    /// Has a connector be what it was before it was stopped for nothing: nobody would start it later.
    async fn bring_back(&self, failure: Failure, was: Target, call: &Call) -> Failure {
        let back = match was {
            Target::Stopped => Ok(()),
            _ => self.connect.bring(self.name, was, after(call)).await,
        };
        failure.adding(&told::brought_back(was, back.err().as_ref()))
    }

    async fn move_to(&self, wanted: &Wanted, call: &mut Call) -> Result<(), Failure> {
        let answer = match wanted {
            Wanted::Reset => self.connect.reset_offsets(self.name, call.deadline).await,
            Wanted::Set(offsets) => self.connect.alter_offsets(self.name, offsets, call.deadline).await,
        };
        match answer {
            Err(ConnectError::Unsupported) => Err(told::no_offsets(self.name).into()),
            Err(ConnectError::Invalid(message)) => Err(told::offsets_refused(self.name, &message).into()),
            answer => Ok(answer?),
        }
    }

    async fn wait(&self, plan: &ConnectorModel, reached: (Target, Duration), call: &mut Call) -> Result<(), Failure> {
        if plan.waits() { self.settled(reached, call).await } else { Ok(()) }
    }

    async fn settled(&self, reached: (Target, Duration), call: &mut Call) -> Result<(), Failure> {
        waiting::settled(self.connect, self.name, reached, self.sent, call).await.map(drop)
    }

    /// The state after all, and what is remembered beside it.
    async fn done(&self, mut plan: ConnectorModel, call: &mut Call) -> Result<ConnectorModel, Failure> {
        let found = self.connect.after_change(self.name, &self.sent.values, call.deadline).await?;
        let found = found.ok_or_else(|| told::vanished(self.name))?;
        // What the plan told stays as it told it: the next refresh sees what became of it meanwhile.
        if plan.status.known().is_err() {
            let word = found.status.as_ref().and_then(reading::word);
            let meant = plan.target().unwrap_or(Target::Running).reached().to_string();
            plan.status = word.unwrap_or(meant).into();
        }
        self.sent.clone().remember(&found, &mut call.private);
        self.workers.note(&mut call.private);
        Ok(plan)
    }
}

/// The end of the time for setting right what failed: that for the rest may be over.
fn after(call: &Call) -> Instant {
    call.deadline + Duration::from_secs(30)
}

impl Failure {
    /// The same, with a further paragraph.
    fn adding(self, paragraph: &str) -> Self {
        let Self::Told(mut told) = self else { return self };
        for it in &mut told.0 {
            it.detail.push_str("\n\n");
            it.detail.push_str(paragraph);
        }
        Self::Told(told)
    }
}

/// Whether what failed is started anew, which no change of the state does: all that is to run, and a connector that is to
/// pause, which takes no state once it failed.
fn is_to_restart(status: &Status, target: Target) -> bool {
    match target {
        Target::Running => reading::word(status).is_some_and(|it| it == super::FAILED),
        Target::Paused => status.state == RunState::Failed,
        Target::Stopped => false,
    }
}

//! Waiting until a connector and its tasks are as they should be.

use std::time::{Duration, Instant};

use super::{composing::Composed, told};
use crate::{
    clients::connect::{Connect, RunState, Status, Target},
    framework::{Call, Diagnostic, Failure},
    governance::connector::ConnectorName,
};

/// For how long answers are put up with that no worker gives once it has started.
const STARTS: Duration = Duration::from_mins(1);

/// How long a connector runs before that is believed: a task that runs may fail with its first record.
pub(super) const MADE: Duration = Duration::from_secs(1);
/// The same for one that was configured anew: workers tell what was before until they have shared out its tasks anew, and
/// nothing that they tell says whether they have.
pub(super) const CHANGED: Duration = Duration::from_secs(3);
/// The same for one that has no tasks, which may be about to get some.
const WITHOUT_TASKS: Duration = Duration::from_secs(4);
/// How long a failure lasts before it is believed: what is started anew is shown as it was for a moment.
const GIVEN_UP: Duration = Duration::from_secs(3);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// What a look shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// All is as it should be.
    Reached,
    /// It runs and has no tasks.
    Empty,
    /// Part of it gave up.
    Failed,
    /// It is on its way.
    Under,
}

fn seen(status: &Status, target: Target) -> Seen {
    let tasks = || status.tasks.iter().map(|it| it.state);
    if status.state == RunState::Failed || tasks().any(|it| it == RunState::Failed) && target == Target::Running {
        return Seen::Failed;
    }
    if status.state != target.reached() {
        return Seen::Under;
    }
    match target {
        Target::Running if status.tasks.is_empty() => Seen::Empty,
        Target::Stopped if !status.tasks.is_empty() => Seen::Under,
        // What failed rests as well, and no pause changes what it shows.
        _ if tasks().all(|it| it == target.reached() || it == RunState::Failed) => Seen::Reached,
        _ => Seen::Under,
    }
}

fn enough(seen: Seen, target: Target, runs_for: Duration) -> Option<Duration> {
    match seen {
        Seen::Reached if target == Target::Running => Some(runs_for),
        Seen::Reached => Some(Duration::ZERO),
        Seen::Empty => Some(WITHOUT_TASKS),
        Seen::Failed => Some(GIVEN_UP),
        Seen::Under => None,
    }
}

/// Waits until a connector is what it was told to be, running for so long if that is to run, and tells why it is not.
pub(super) async fn settled(
    connect: &Connect,
    name: &ConnectorName,
    (target, runs_for): (Target, Duration),
    sent: &Composed,
    call: &Call,
) -> Result<Status, Failure> {
    let mut since: Option<(Seen, Instant)> = None;
    let mut odd_since: Option<Instant> = None;
    loop {
        let status = match connect.status(name, call.deadline).await {
            // A worker that is silent for a moment says nothing against the connector.
            Err(error) if error.is_silence() => None,
            // One that starts, or a proxy before it, does not answer as it will.
            Err(_) if odd_since.get_or_insert_with(Instant::now).elapsed() < STARTS => None,
            other => {
                odd_since = None;
                other?
            }
        };
        let now = status.as_ref().map_or(Seen::Under, |it| seen(it, target));
        let from = since.filter(|(before, _)| *before == now).map_or_else(Instant::now, |(_, at)| at);
        since = Some((now, from));
        if let (Some(status), Some(long)) = (&status, enough(now, target, runs_for))
            && long <= from.elapsed()
        {
            return if now == Seen::Failed { Err(gave_up(name, status, sent)) } else { Ok(status.clone()) };
        }
        if call.deadline.saturating_duration_since(Instant::now()) <= PAUSE {
            return Err(told::not_reached(name, target, status.as_ref()).into());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn gave_up(name: &ConnectorName, status: &Status, sent: &Composed) -> Failure {
    told::failed(Diagnostic::error, name, &status.with_traces(|it| sent.hide(it))).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        clients::connect::{
            Task,
            fake::{FakeConnect, soon},
        },
        framework::{Phase, Private},
    };

    #[tokio::test]
    async fn a_worker_that_stumbles_says_nothing_against_a_connector() {
        let fake = FakeConnect::start().await;
        let (connect, name) = (fake.client(), "a".parse().unwrap());
        connect.create(&name, &BTreeMap::new(), None, soon()).await.unwrap();
        let broken = (500, "application/json", r#"{"error_code":500,"message":"null"}"#.to_owned());
        let page = || (404, "text/html", "<html>".to_owned());
        fake.kept().next = vec![broken.clone(), broken.clone(), broken.clone(), broken, page(), page()].into();
        let call = Call::new(Phase::Apply, Private::default(), Duration::from_secs(10));
        let reached = settled(&connect, &name, (Target::Running, MADE), &Composed::default(), &call).await;
        assert_eq!(reached.map(|it| it.state).unwrap(), RunState::Running);
    }

    #[test]
    fn a_look_tells_whether_all_is_as_it_should_be() {
        use RunState as R;
        let check = |state, tasks: &[RunState], target, expected| {
            let task = |state: &RunState| Task { id: 0, state: *state, worker: String::new(), trace: None };
            let tasks = tasks.iter().map(task).collect();
            let status = Status { state, worker: String::new(), trace: None, tasks };
            assert_eq!(seen(&status, target), expected, "{status:?} {target:?}");
        };
        check(R::Running, &[R::Running, R::Running], Target::Running, Seen::Reached);
        check(R::Running, &[R::Running, R::Between], Target::Running, Seen::Under);
        check(R::Running, &[R::Running, R::Failed], Target::Running, Seen::Failed);
        check(R::Failed, &[], Target::Running, Seen::Failed);
        check(R::Running, &[], Target::Running, Seen::Empty);
        check(R::Between, &[], Target::Running, Seen::Under);
        check(R::Paused, &[R::Running], Target::Paused, Seen::Under);
        check(R::Paused, &[R::Paused], Target::Paused, Seen::Reached);
        check(R::Stopped, &[R::Paused], Target::Stopped, Seen::Under);
        check(R::Stopped, &[], Target::Stopped, Seen::Reached);
        check(R::Paused, &[R::Failed, R::Paused], Target::Paused, Seen::Reached);
        check(R::Paused, &[R::Failed, R::Running], Target::Paused, Seen::Under);
    }
}

//! When a service is asked again, and at which address.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::RestError;

/// How often each address is tried where another try may help.
const ROUNDS: u32 = 3;

/// The wait before the second round. It doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// The wait where a service wants to be left alone and does not say for how long.
const REST: Duration = Duration::from_secs(1);

/// How long a service that did not answer in time is asked only briefly, and how long that is.
const REMEMBERED: Duration = Duration::from_mins(1);
const BRIEF: Duration = Duration::from_secs(3);

/// What the calls of one service share: which address answers, and until when it wants to be left alone.
#[derive(Debug, Default)]
pub(super) struct Patience {
    at: AtomicUsize,
    until: Mutex<Option<Instant>>,
    /// Since when it does not answer in time.
    silent: Mutex<Option<Instant>>,
}

impl Patience {
    /// Waits until the service may be asked, and says at which of its addresses.
    pub(super) async fn turn(&self, deadline: Instant) -> Result<usize, RestError> {
        loop {
            let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
            match until.filter(|it| Instant::now() < *it) {
                None => return Ok(self.at.load(Ordering::Relaxed)),
                Some(until) if deadline <= until => return Err(RestError::Busy { after: None }),
                Some(until) => tokio::time::sleep_until(until.into()).await,
            }
        }
    }

    /// Goes on to the next address.
    pub(super) fn go_on(&self) {
        self.at.fetch_add(1, Ordering::Relaxed);
    }

    /// For how long to wait for an answer to a question: for a service that let another wait in vain just now, not as long
    /// once more, so that many who ask do not all wait for the same silence.
    pub(super) fn of_question(&self, usual: Duration) -> Duration {
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        if silent.is_some_and(|it| it.elapsed() < REMEMBERED) { usual.min(BRIEF) } else { usual }
    }

    /// Notes whether an answer came in time.
    pub(super) fn note(&self, in_time: bool) {
        *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = (!in_time).then(Instant::now);
    }

    /// Waits after a failure at an address, and has all wait whom that concerns.
    pub(super) async fn wait(&self, error: &RestError, wait: Duration, at: usize) {
        if let RestError::Busy { .. } = error {
            let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
            *until = (*until).max(Some(Instant::now() + wait));
            return;
        }
        // Whoever failed at the same address has gone on already.
        let _ = self.at.compare_exchange(at, at + 1, Ordering::Relaxed, Ordering::Relaxed);
        tokio::time::sleep(wait).await;
    }
}

/// The tries of one call.
#[derive(Debug)]
pub(super) struct Tries {
    addresses: u32,
    failed: u32,
    sent_away: u32,
}

impl Tries {
    /// None so far, of a service with so many addresses.
    pub(super) fn new(addresses: usize) -> Self {
        Self { addresses: u32::try_from(addresses).unwrap_or(u32::MAX), failed: 0, sent_away: 0 }
    }

    /// How long to wait after a failure; `None` if it is final.
    pub(super) fn after(&mut self, error: &RestError) -> Option<Duration> {
        use RestError as E;
        match error {
            E::Busy { after } => {
                self.sent_away += 1;
                // "At once" is what was tried: nobody is asked without a pause until the deadline.
                let said = after.filter(|it| !it.is_zero());
                Some(said.unwrap_or(REST * 2_u32.pow(self.sent_away.min(5) - 1)))
            }
            E::Unreachable(_) | E::Closed(_) | E::Broken { .. } => {
                self.failed += 1;
                let rounds = self.failed / self.addresses;
                let is_round = self.failed.is_multiple_of(self.addresses);
                let wait = FIRST_WAIT * 2_u32.pow(rounds.clamp(1, ROUNDS) - 1);
                (rounds < ROUNDS).then_some(if is_round { wait } else { Duration::ZERO })
            }
            // Another address may be right where this one is wrong.
            E::Unresolved(_)
            | E::Deadline
            | E::TlsToPlaintext
            | E::NotHttp
            | E::UnknownAuthority
            | E::Certificate(_) => {
                self.failed += 1;
                (self.failed < self.addresses).then_some(Duration::ZERO)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_service_is_asked_briefly_until_it_answers() {
        let (patience, usual) = (Patience::default(), Duration::from_secs(30));
        assert_eq!(patience.of_question(usual), usual);
        patience.note(false);
        assert_eq!(patience.of_question(usual), BRIEF);
        assert_eq!(patience.of_question(Duration::from_secs(1)), Duration::from_secs(1));
        patience.note(true);
        assert_eq!(patience.of_question(usual), usual);
    }

    #[test]
    fn each_address_is_tried_thrice_and_a_wrong_one_once() {
        let waits = |addresses: usize, error: &RestError| {
            let mut tries = Tries::new(addresses);
            std::iter::from_fn(|| tries.after(error)).take(9).map(|it| it.as_millis()).collect::<Vec<_>>()
        };
        let broken = RestError::Broken { status: 500, message: String::new() };
        assert_eq!(waits(1, &broken), [200, 400]);
        assert_eq!(waits(2, &broken), [0, 200, 0, 400, 0]);
        assert_eq!(waits(1, &RestError::Deadline), Vec::<u128>::new());
        assert_eq!(waits(3, &RestError::Deadline), [0, 0]);
        assert_eq!(waits(3, &RestError::Unauthenticated), Vec::<u128>::new());
        let busy = |after| RestError::Busy { after };
        assert_eq!(waits(1, &busy(None)), [1_000, 2_000, 4_000, 8_000, 16_000, 16_000, 16_000, 16_000, 16_000]);
        assert_eq!(waits(1, &busy(Some(Duration::from_secs(3))))[..2], [3_000, 3_000]);
        assert_eq!(waits(1, &busy(Some(Duration::ZERO)))[..2], [1_000, 2_000]);
    }
}

//! What a service is asked once, because its answer stays as it is.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tokio::sync::{Mutex, OnceCell};

/// How long a silence is believed.
const AGE: Duration = Duration::from_secs(10);

/// An answer, once there is one. Whoever asks while a service is silent does not wait for the same silence.
#[derive(Debug)]
pub(in crate::clients) struct Once<T, E> {
    answer: OnceCell<T>,
    silent: Mutex<Option<(Instant, E)>>,
}

impl<T, E> Default for Once<T, E> {
    fn default() -> Self {
        Self { answer: OnceCell::new(), silent: Mutex::default() }
    }
}

impl<T, E: Clone> Once<T, E> {
    /// The answer. A failure to get it ends with this call, unless it came late.
    pub(in crate::clients) async fn get(
        &self,
        ask: impl Future<Output = Result<T, E>>,
        is_late: impl FnOnce(&E) -> bool,
    ) -> Result<&T, E> {
        if let Some(it) = self.answer.get() {
            return Ok(it);
        }
        // Whoever comes meanwhile waits for the answer rather than asking for its own.
        let mut silent = self.silent.lock().await;
        if let Some((_, error)) = silent.as_ref().filter(|(since, _)| since.elapsed() < AGE) {
            return Err(error.clone());
        }
        let answer = self.answer.get_or_try_init(|| ask).await;
        *silent = answer.as_ref().err().filter(|it| is_late(it)).map(|it| (Instant::now(), it.clone()));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_silence_is_waited_for_once_and_another_failure_is_tried_again() {
        let once = Once::<u8, &str>::default();
        let is_late = |it: &&str| *it == "late";
        assert_eq!(once.get(async { Err("refused") }, is_late).await, Err("refused"));
        assert_eq!(once.get(async { Err("late") }, is_late).await, Err("late"));
        assert_eq!(once.get(async { Ok(1) }, is_late).await, Err("late"));
        *once.silent.lock().await = None;
        assert_eq!(once.get(async { Ok(2) }, is_late).await, Ok(&2));
        assert_eq!(once.get(async { Err("late") }, is_late).await, Ok(&2));
    }
}

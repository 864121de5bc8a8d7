//! A panic is a mistake of the provider: it ends the operation and not the process.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    pin::pin,
    sync::Once,
    task::Poll,
};

thread_local! {
    /// Where this thread panicked last. What it said is not kept: it may hold a secret.
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes panics leave their location behind, besides whatever is done about them already.
pub(super) fn note_locations() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            let location = info.location().map(ToString::to_string);
            LOCATION.with(|it| it.replace(location));
            before(info);
        }));
    });
}

/// The result of `work`, or the place in the code where it panicked.
///
/// What a panic leaves half-done is dropped with `work`. What outlives it is the provider's context, whose locks tell
/// by themselves that their holder panicked.
pub(super) async fn caught<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let mut work = pin!(work);
    poll_fn(|task| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(task))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(it)) => Poll::Ready(Ok(it)),
        Err(_) => Poll::Ready(Err(LOCATION.take().unwrap_or_else(|| "an unknown place".to_owned()))),
    })
    .await
}

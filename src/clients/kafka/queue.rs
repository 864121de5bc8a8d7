//! Gathering: calls of one kind that come at the same time leave as one request.

use std::{
    collections::{BTreeSet, VecDeque},
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, oneshot},
    time::{timeout, timeout_at},
};

use crate::clients::kafka::{client::Client, error::KafkaError, locked, trouble::Trouble};

/// How long the first call waits for others. While a request is under way, the next ones gather anyway.
const WINDOW: Duration = Duration::from_millis(2);

/// What one call asks for, of which many fit into one request.
pub(super) trait Gathered: Sized + Send + Sync + 'static {
    /// What one call is answered with.
    type Answer: Send + 'static;

    /// What a call is about, such as a topic.
    type Key: Ord + Clone + Send;

    /// The total weight that one request may have.
    const CAPACITY: usize;

    /// How long calls wait, at most, until as many are together as call at once: where a request costs the cluster much,
    /// however little it asks for, few are better than many.
    const PATIENCE: Duration = Duration::ZERO;

    /// What it is about: a request names each once.
    fn key(&self) -> &Self::Key;

    /// How much it counts towards the capacity.
    fn weight(&self) -> usize {
        1
    }

    /// Sends all as one request, once, and answers for each, in their order.
    fn send(
        client: &Client,
        asked: &[Self],
        deadline: Instant,
    ) -> impl Future<Output = Vec<Result<Self::Answer, Trouble>>> + Send;
}

/// Calls of one kind that wait to be sent.
pub(super) struct Queue<T: Gathered> {
    state: Mutex<State<T>>,
    came: Notify,
}

/// Which queue of a client.
pub(super) type QueueOf<T> = fn(&Client) -> &Queue<T>;

struct State<T: Gathered> {
    waiting: VecDeque<Waiting<T>>,
    /// Whether a task empties the queue.
    emptied: bool,
    /// Calls of the request that is under way.
    under_way: usize,
    /// How many call at once, as far as was seen.
    at_once: usize,
}

struct Waiting<T: Gathered> {
    asked: T,
    deadline: Instant,
    answer: oneshot::Sender<Result<T::Answer, Trouble>>,
}

impl<T: Gathered> Default for Queue<T> {
    fn default() -> Self {
        let state = State { waiting: VecDeque::new(), emptied: false, under_way: 0, at_once: 0 };
        Self { state: Mutex::new(state), came: Notify::new() }
    }
}

/// Adds a call to its queue and waits for its answer. One try: whether there is another is the caller's matter.
pub(super) async fn gathered<T: Gathered>(
    client: &Arc<Client>,
    queue: QueueOf<T>,
    asked: T,
    deadline: Instant,
) -> Result<T::Answer, Trouble> {
    let (answer, answered) = oneshot::channel();
    let is_emptied = {
        let mut state = locked(&queue(client).state);
        state.waiting.push_back(Waiting { asked, deadline, answer });
        state.at_once = state.at_once.max(state.under_way + state.waiting.len());
        queue(client).came.notify_one();
        std::mem::replace(&mut state.emptied, true)
    };
    if !is_emptied {
        tokio::spawn(empty(client.clone(), queue));
    }
    let lost = || Trouble::Lost(KafkaError::Deadline("waiting for an answer".to_owned()));
    match timeout_at(deadline.into(), answered).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) | Err(_) => Err(lost()),
    }
}

/// Sends what waits, one request at a time, until nothing waits any more.
async fn empty<T: Gathered>(client: Arc<Client>, queue: QueueOf<T>) {
    let queue = queue(&client);
    let _reset = Reset { queue };
    loop {
        queue.gather().await;
        let Some(batch) = next_batch(queue) else { return };
        let deadline = batch.iter().map(|it| it.deadline).max().unwrap_or_else(Instant::now);
        let (asked, answers): (Vec<_>, Vec<_>) = batch.into_iter().map(|it| (it.asked, it.answer)).unzip();
        let results = T::send(&client, &asked, deadline).await;
        locked(&queue.state).under_way = 0;
        for (answer, result) in answers.into_iter().zip(results) {
            // A caller who gave up is not there any more.
            let _ = answer.send(result);
        }
    }
}

impl<T: Gathered> Queue<T> {
    /// Waits for calls that are to leave together: for a moment, or until as many wait as are expected. If those do not come
    /// in time, fewer are expected from then on.
    async fn gather(&self) {
        if T::PATIENCE.is_zero() || locked(&self.state).at_once <= 1 {
            return tokio::time::sleep(WINDOW).await;
        }
        let all = async {
            while locked(&self.state).lacks_calls() {
                self.came.notified().await;
            }
        };
        if timeout(T::PATIENCE, all).await.is_err() {
            let mut state = locked(&self.state);
            state.at_once = state.waiting.len();
        }
    }
}

impl<T: Gathered> State<T> {
    /// Whether some wait, and fewer than call at once.
    fn lacks_calls(&self) -> bool {
        (1..self.at_once).contains(&self.waiting.len())
    }
}

/// Lets another task empty the queue if this one panics: all who wait see a lost answer, and later callers are served.
struct Reset<'a, T: Gathered> {
    queue: &'a Queue<T>,
}

impl<T: Gathered> Drop for Reset<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut state = locked(&self.queue.state);
            state.emptied = false;
            state.waiting.clear();
            state.under_way = 0;
        }
    }
}

/// The first calls that fit into one request; `None`, and nobody empties the queue any more, if there are none.
fn next_batch<T: Gathered>(queue: &Queue<T>) -> Option<Vec<Waiting<T>>> {
    let mut state = locked(&queue.state);
    let mut batch: Vec<Waiting<T>> = Vec::new();
    let mut keys = BTreeSet::new();
    let mut weight = 0;
    let mut later = VecDeque::new();
    for it in std::mem::take(&mut state.waiting) {
        if it.answer.is_closed() {
            continue;
        }
        let fits = batch.is_empty() || weight + it.asked.weight() <= T::CAPACITY;
        if fits && keys.insert(it.asked.key().clone()) {
            weight += it.asked.weight();
            batch.push(it);
        } else {
            later.push_back(it);
        }
    }
    state.waiting = later;
    state.emptied = !batch.is_empty();
    state.under_way = batch.len();
    (!batch.is_empty()).then_some(batch)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use tokio::sync::Notify;

    use super::*;
    use crate::{clients::kafka::KafkaSettings, governance::topic::TopicName};

    /// Panics over a topic named `bad`, as soon as it may.
    struct Fragile(TopicName);

    static QUEUE: LazyLock<Queue<Fragile>> = LazyLock::new(Queue::default);
    static IS_SENDING: Notify = Notify::const_new();
    static MAY_PANIC: Notify = Notify::const_new();

    impl Gathered for Fragile {
        type Answer = ();
        type Key = TopicName;
        const CAPACITY: usize = 1;

        fn key(&self) -> &TopicName {
            &self.0
        }

        async fn send(_: &Client, asked: &[Self], _: Instant) -> Vec<Result<(), Trouble>> {
            if asked[0].0.as_str() == "bad" {
                IS_SENDING.notify_one();
                MAY_PANIC.notified().await;
                unreachable!("a bad topic");
            }
            vec![Ok(())]
        }
    }

    fn client() -> Arc<Client> {
        Arc::new(Client::new(KafkaSettings {
            bootstrap_servers: Vec::new(),
            tls: None,
            sasl: None,
            request_timeout: Duration::from_secs(1),
            principal: None,
        }))
    }

    /// Takes a while, and notes how many leave together.
    struct Costly(u32);

    static COSTLY: LazyLock<Queue<Costly>> = LazyLock::new(Queue::default);
    static TOGETHER: Mutex<Vec<usize>> = Mutex::new(Vec::new());

    impl Gathered for Costly {
        type Answer = ();
        type Key = u32;
        const CAPACITY: usize = 100;
        const PATIENCE: Duration = Duration::from_millis(20);

        fn key(&self) -> &u32 {
            &self.0
        }

        async fn send(_: &Client, asked: &[Self], _: Instant) -> Vec<Result<(), Trouble>> {
            locked(&TOGETHER).push(asked.len());
            tokio::time::sleep(Duration::from_millis(10)).await;
            asked.iter().map(|_| Ok(())).collect()
        }
    }

    /// Has so many callers make three calls each, one after the other with some work between, and answers how many calls
    /// left together.
    async fn called_by(callers: u32, client: &Arc<Client>) -> Vec<usize> {
        locked(&TOGETHER).clear();
        let calls = (0..callers).map(|caller| {
            let client = client.clone();
            tokio::spawn(async move {
                for call in 0..3 {
                    tokio::time::sleep(Duration::from_millis(caller.into())).await;
                    let deadline = Instant::now() + Duration::from_mins(1);
                    gathered(&client, |_| &COSTLY, Costly(10 * call + caller), deadline).await.unwrap();
                }
            })
        });
        for it in calls.collect::<Vec<_>>() {
            it.await.unwrap();
        }
        std::mem::take(&mut *locked(&TOGETHER))
    }

    #[tokio::test(start_paused = true)]
    async fn what_costs_the_cluster_much_waits_for_all_who_call_at_once_and_never_for_nobody() {
        let client = client();
        let began = tokio::time::Instant::now();
        assert_eq!(called_by(1, &client).await, [1, 1, 1]);
        assert!(began.elapsed() < Duration::from_millis(3 * (10 + 4)), "{:?}", began.elapsed());
        let many = called_by(10, &client).await;
        assert!(many.iter().filter(|it| 8 <= **it).count() >= 2 && many.len() <= 6, "{many:?}");
        let began = tokio::time::Instant::now();
        assert_eq!(called_by(1, &client).await, [1, 1, 1]);
        assert!(began.elapsed() < Duration::from_millis(20 + 3 * (10 + 4)), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn a_panic_is_a_lost_answer_for_all_who_wait_and_nothing_for_later_callers() {
        let client = client();
        let begin = Instant::now();
        let call = |topic: &str| {
            let (client, asked) = (client.clone(), Fragile(topic.parse().unwrap()));
            let deadline = begin + Duration::from_mins(1);
            tokio::spawn(async move { gathered(&client, |_| &QUEUE, asked, deadline).await })
        };
        let first = call("bad");
        IS_SENDING.notified().await;
        let second = call("good");
        while locked(&QUEUE.state).waiting.is_empty() {
            tokio::task::yield_now().await;
        }
        MAY_PANIC.notify_one();
        assert!(matches!(first.await.unwrap(), Err(Trouble::Lost(_))));
        assert!(matches!(second.await.unwrap(), Err(Trouble::Lost(_))));
        assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
        assert!(call("good").await.unwrap().is_ok());
    }
}

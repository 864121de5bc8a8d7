//! A program that works on the cluster, and that loses answers and can be killed.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use terraform_provider_kafka::{
    clients::{
        governed::{Caller, Governed},
        journal::{Journal, JournalTopics},
        kafka::{HostPort, Kafka, KafkaSettings, connect},
    },
    governance::state::State,
};
use tokio::sync::Notify;
use wire_proxy::{Action, ApiKey, WireProxy};

use super::teams::Random;

/// Most time that one thing may take.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) fn soon() -> Instant {
    Instant::now() + PATIENCE
}

/// A client that speaks to what is at an address.
pub(super) fn client(address: SocketAddr) -> Arc<dyn Kafka> {
    connect(KafkaSettings {
        bootstrap_servers: vec![HostPort { host: address.ip().to_string(), port: address.port() }],
        tls: None,
        sasl: None,
        request_timeout: Duration::from_secs(10),
        principal: None,
    })
}

/// A program, from its start until it is killed.
pub(super) struct Process {
    proxy: WireProxy,
    kafka: Arc<dyn Kafka>,
    journal: Journal<State>,
    faults: Arc<Mutex<Faults>>,
    died: Arc<Notify>,
}

/// What goes wrong on its way to the cluster. Only requests that change something count.
struct Faults {
    random: Random,
    /// Whether answers are lost.
    loses: bool,
    /// After how many requests it is killed.
    dies_after: Option<usize>,
    is_dead: bool,
}

impl Process {
    pub(super) fn start(broker: SocketAddr, journal: &str, random: Random) -> Self {
        let proxy = WireProxy::start(broker).expect("there are free ports");
        let kafka = client(proxy.address());
        let topics = JournalTopics::named(journal).expect("it is a topic's name");
        let faults = Arc::new(Mutex::new(Faults { random, loses: false, dies_after: None, is_dead: false }));
        let died = Arc::new(Notify::new());
        let (deciding, telling) = (faults.clone(), died.clone());
        proxy.on_request(move |request, _| {
            let mut faults = locked(&deciding);
            let was_dead = faults.is_dead;
            let action = faults.decide(request.api_key);
            if faults.is_dead && !was_dead {
                telling.notify_one();
            }
            action
        });
        Self { proxy, journal: Journal::open_topics(kafka.clone(), topics), kafka, faults, died }
    }

    /// What goes wrong from now on.
    pub(super) fn suffer(&self, loses: bool, dies_after: Option<usize>) {
        let mut faults = locked(&self.faults);
        (faults.loses, faults.dies_after) = (loses, dies_after);
    }

    pub(super) fn governed(&self, caller: Caller) -> Governed {
        Governed::new(self.kafka.clone(), self.journal.clone(), caller)
    }

    /// Works; `None` if it was killed meanwhile.
    pub(super) async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        if self.is_dead() {
            return None;
        }
        tokio::select! {
            biased;
            () = self.died.notified() => None,
            done = work => Some(done),
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        locked(&self.faults).is_dead
    }

    /// Kills it. Nothing that it still tries reaches the cluster as long as this is kept.
    pub(super) fn kill(&self) {
        locked(&self.faults).is_dead = true;
        self.proxy.cut_connections();
    }
}

impl Faults {
    fn decide(&mut self, key: ApiKey) -> Action {
        if self.is_dead {
            return Action::CutBefore;
        }
        let changes = [
            ApiKey::Produce,
            ApiKey::InitProducerId,
            ApiKey::EndTxn,
            ApiKey::CreateAcls,
            ApiKey::DeleteAcls,
            ApiKey::CreateTopics,
            ApiKey::DeleteTopics,
        ];
        if !changes.contains(&key) {
            return Action::Forward;
        }
        if let Some(left) = &mut self.dies_after {
            self.is_dead = *left == 0;
            *left = left.saturating_sub(1);
        }
        if self.is_dead || (self.loses && self.random.below(5) == 0) {
            return if self.random.below(3) == 0 { Action::CutBefore } else { Action::CutAfter };
        }
        Action::Forward
    }
}

fn locked(faults: &Mutex<Faults>) -> MutexGuard<'_, Faults> {
    faults.lock().unwrap_or_else(PoisonError::into_inner)
}

//! What a claim of prefixes finds on the cluster.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use super::{ApplicationModel, OnExisting};
use crate::{
    clients::{
        governed::{Governed, free_topics, unowned_topics},
        kafka::{KafkaError, Listed},
        registry::RegistryError,
    },
    framework::{Call, Diagnostic, Failure, Phase},
    governance::{
        application::ApplicationSpec,
        command::{ApplicationRequest, TopicFound},
        kind::Kind,
        prefix::{Existing, completed},
        state::State,
    },
    resources::registry::remedy,
};

/// How long a plan waits for a broker that does not say what it coordinates.
const PATIENCE: Duration = Duration::from_secs(15);

impl ApplicationModel {
    /// What is asked for, with what the cluster has under the prefixes that are claimed newly.
    pub(super) async fn request(
        &self,
        governed: &Governed,
        known: &State,
        call: &mut Call,
    ) -> Result<ApplicationRequest, Failure> {
        let (spec, texts) = (self.spec()?, self.texts()?);
        let adopt = self.on_existing.known()? == Some(&OnExisting::Adopt);
        let (existing, mut topics) = existing(governed, known, &claimed(known, &spec), call).await?;
        if adopt && topics.is_empty() {
            topics = free_topics(known, &governed.kafka().topics(call.deadline).await?);
        }
        let unruled = governed.unruled(known, call.deadline).await?;
        let limits = governed.unheld_limits(&spec, known, call.phase == Phase::Apply, call.deadline).await?;
        Ok(ApplicationRequest { spec, texts, adopt, existing, topics, unruled, limits })
    }
}

/// The kinds of which the application claims a prefix that it has not.
fn claimed(known: &State, spec: &ApplicationSpec) -> BTreeSet<Kind> {
    let before = known.application(&spec.name).filter(|it| it.status.holds_prefixes());
    let prefixes = completed(known, spec, before).unwrap_or_else(|_| spec.prefixes.clone());
    let is_new = |kind: Kind, prefix: &str| before.is_none_or(|it| it.spec.prefixes(kind).all(|had| had != prefix));
    let claims = prefixes.into_iter().filter(|(kind, prefixes)| prefixes.iter().any(|it| is_new(*kind, it)));
    claims.map(|(kind, _)| kind).collect()
}

/// What the cluster has of these kinds that nobody owns, and what its topics take, where it is asked for those. Silence
/// about a name proves nothing where the caller is not shown all of them, which is told.
async fn existing(
    governed: &Governed,
    known: &State,
    kinds: &BTreeSet<Kind>,
    call: &mut Call,
) -> Result<(Existing, Vec<TopicFound>), Failure> {
    let (mut res, mut free, mut unseen) = (Existing::new(), Vec::new(), Vec::new());
    for kind in kinds {
        let names = match kind {
            Kind::Topic => {
                let topics = governed.kafka().topics(call.deadline).await?;
                free = free_topics(known, &topics);
                unowned_topics(known, &topics)
            }
            Kind::Group | Kind::TransactionalId => {
                let listed = told(governed.unowned(*kind, known, in_time(call)).await, call)?;
                // Of transactional ids brokers never say that they told all, so that it is told only where they tell none.
                let is_seen = listed.as_ref().is_some_and(|it| it.is_complete || *kind == Kind::TransactionalId);
                unseen.extend((!is_seen).then_some(*kind));
                listed.unwrap_or_default().names
            }
            Kind::Subject => match governed.unowned_subjects(known, in_time(call)).await {
                Ok(names) => names,
                Err(error) => {
                    call.report.push(subjects_not_looked_for(&error));
                    continue;
                }
            },
            Kind::Connector => continue,
        };
        res.insert(*kind, names);
    }
    if !unseen.is_empty() {
        call.report.push(not_looked_for(&unseen));
    }
    Ok((res, free))
}

fn in_time(call: &Call) -> Instant {
    match call.phase {
        Phase::Plan => call.deadline.min(Instant::now() + PATIENCE),
        Phase::Apply => call.deadline,
    }
}

/// What was listed; `None` where it cannot be, and in a plan also where it failed.
fn told(answer: Result<Option<Listed>, KafkaError>, call: &Call) -> Result<Option<Listed>, Failure> {
    match answer {
        Err(_) if call.phase == Phase::Plan => Ok(None),
        answer => Ok(answer?),
    }
}

fn not_looked_for(kinds: &[Kind]) -> Diagnostic {
    let kinds: Vec<String> = kinds.iter().map(|it| format!("{it}s")).collect();
    let detail = format!(
        "Not all {} of the cluster could be looked for: brokers show groups to those who may DESCRIBE the cluster, and \
         transactional ids since Kafka 3.0. What nobody owns and is not seen under the claimed prefixes is the \
         application's from then on.\n\nHave it applied by who may see them.",
        kinds.join(" and ")
    );
    Diagnostic::warning("Existing names not looked for", detail).at("prefixes")
}

fn subjects_not_looked_for(error: &RegistryError) -> Diagnostic {
    let detail = format!(
        "Subjects of the schema registry could not be looked for. What nobody owns and is under the claimed prefixes is the \
         application's from then on.\n\n{}",
        remedy(error)
    );
    Diagnostic::warning("Existing names not looked for", detail).at("prefixes").caused_by(error)
}

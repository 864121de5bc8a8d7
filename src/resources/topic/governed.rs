//! What governance says of a topic, and what it is told.

use std::{collections::BTreeMap, time::Instant};

use super::{TopicModel, UUID, schema_demand::tell_missing_schema, told as messages};
use crate::{
    clients::{
        governed::Governed,
        kafka::{KafkaError, Topic},
    },
    framework::{Call, Change, Diagnostic, Element, Failure, Model, Optional, OptionalComputed, Plan, Unknown},
    governance::{
        capacity::Capacity,
        check_topic::{TopicRequest, check_given, check_together, check_topic},
        command::{Command, TopicDeletion, TopicFound},
        names::ApplicationName,
        owned_topic::OwnedTopic,
        policy::{Policy, TopicPolicy},
        topic::{TopicName, TopicSpec, is_same_value},
        violation::{Refusal, Violation},
    },
    provider::{Environment, Governance, Governing},
    resources::governed::{expect_ended, expect_head, known, naming, remember, tell, told},
};

/// What a topic carries and keeps, as its team expects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub(super) struct CapacityModel {
    /// Messages written a second.
    messages_in_per_second: Optional<i64>,
    /// Messages read a second, by all readers together.
    messages_out_per_second: Optional<i64>,
    /// Bytes of a message, on average.
    message_bytes: Optional<i64>,
    /// Bytes on disk, all copies together.
    disk_bytes: Optional<i64>,
}

impl CapacityModel {
    fn capacity(&self) -> Result<Capacity, Unknown> {
        Ok(Capacity {
            messages_in_per_second: self.messages_in_per_second.known()?.copied(),
            messages_out_per_second: self.messages_out_per_second.known()?.copied(),
            message_bytes: self.message_bytes.known()?.copied(),
            disk_bytes: self.disk_bytes.known()?.copied(),
        })
    }
}

impl TopicModel {
    /// The topic, as governance is asked about it. What the policy gives where nothing is declared is not known in plans.
    pub(super) fn request(&self) -> Result<TopicRequest, Unknown> {
        Ok(TopicRequest {
            application: self.owner()?,
            partitions: self.partitions.get().map(|it| i64::from(*it)),
            replication_factor: self.replication_factor.get().map(|it| i64::from(*it)),
            config: self.config_known()?,
            capacity: self.capacity.known()?.map(|it| it.model.capacity()).transpose()?.unwrap_or_default(),
            keep_acls: self.keep_acls.known()?.copied().unwrap_or(false),
            ..TopicRequest::new(self.name.value()?.clone())
        })
    }

    /// The topic that is to be made, with what the policy gives it.
    pub(super) fn request_of(&self, spec: &TopicSpec) -> Result<TopicRequest, Unknown> {
        Ok(TopicRequest {
            partitions: spec.partitions.map(i64::from),
            replication_factor: spec.replication_factor.map(i64::from),
            config: spec.config.clone(),
            ..self.request()?
        })
    }

    /// After an import, which takes all that the topic overrides for declared: what is as the policy gives it belongs to
    /// the policy, so that no plan takes it away.
    pub(super) fn leave_defaults_to(&mut self, policy: &TopicPolicy) {
        let mut own = self.config.get().cloned().unwrap_or_default();
        let mut given = BTreeMap::new();
        for (key, default) in policy.config.iter().filter_map(|(key, rule)| Some((key, rule.default.as_ref()?))) {
            let is_default = |it: &Element<String>| match it {
                Element::Known(value) => is_same_value(key, default, value),
                Element::Null | Element::Unknown => false,
            };
            if own.get(key).is_some_and(is_default) {
                own.remove(key);
                given.insert(key.clone(), default.clone());
            }
        }
        self.config = Some(own).filter(|it| !it.is_empty()).into();
        self.policy_config = given.into();
    }

    /// The application that is declared: by the identifier of its resource, or by its name.
    fn owner(&self) -> Result<Option<ApplicationName>, Unknown> {
        let Some(text) = self.application.known()? else { return Ok(None) };
        Ok(application_name(text))
    }
}

/// The name in an application's identifier, `<environment>/<name>`, or the name itself.
pub(super) fn application_name(text: &str) -> Option<ApplicationName> {
    text.rsplit_once('/').map_or(text, |(_, name)| name).parse().ok()
}

impl Plan<TopicModel> {
    /// Leaves open what the policy of an environment gives to a new topic. Where there is none, one may be declared before
    /// the topic is made, in the same run where its application is: engines ask for the plan once more then, and take what
    /// was open for anything.
    pub(super) fn leave_to_policy(&mut self, governing: &Governing) {
        let may_protect = match governing {
            Governing::Nothing => self.state.application.known().is_err(),
            Governing::Untold(_) => false,
            Governing::Journal(governance) => {
                let protects = |it: &Policy| it.topics.deletion_protection == Some(true);
                governance.snapshot.state.policy().is_some_and(protects)
            }
        };
        if may_protect && self.config.deletion_protection.is_null() {
            self.state.deletion_protection = OptionalComputed::unknown();
        }
    }
}

/// Tells what speaks against a change of a topic in a governed environment, and answers whether it may be.
pub(super) async fn judge(
    environment: &Environment,
    change: &Change<TopicModel>,
    call: &mut Call,
) -> Result<bool, Failure> {
    let Some(plan) = change.plan.as_ref().filter(|plan| !change.is_about_timeouts(plan)) else { return Ok(true) };
    // What a replaced topic remembers may be the journal of another cluster.
    let asked = if change.replacing {
        whatever_was_seen(environment, call).await?
    } else {
        governance(environment, call).await?
    };
    let Some(governance) = asked else { return Ok(true) };
    let wanted = plan.request()?;
    let before = change.prior.as_ref().filter(|_| !change.replacing).map(TopicModel::request).transpose()?;
    let state = &governance.snapshot.state;
    let role = governance.governed.caller().role(state);
    let violations = check_topic(state, &role, &wanted, before.as_ref());
    tell(&violations, call.phase, call);
    let is_changed = before.as_ref().is_some_and(|it| *it != wanted);
    if let (Some(policy), Some(given)) = (state.policy(), plan.policy_config.get().filter(|_| is_changed)) {
        tell(&check_given(&policy.topics, given, &wanted.config), call.phase, call);
    }
    let together = environment.with_promised(&governance.snapshot.head.journal, |promised| {
        let replaced = change.prior.as_ref().filter(|_| change.replacing).and_then(|it| it.name.get());
        if let Some(name) = replaced {
            promised.free(name);
        }
        check_together(state, &role, &wanted, before.as_ref(), promised)
    });
    tell_missing_schema(environment, state, &wanted.name, call).await?;
    // Where something is made already, the deed follows at once and tells as much.
    if !environment.has_made_anything() {
        tell(&together, call.phase, call);
    }
    Ok(!violations.iter().any(Violation::forbids))
}

impl Change<TopicModel> {
    /// Whether nothing but `timeouts` changes, which concerns nobody else.
    pub(super) fn is_about_timeouts(&self, plan: &TopicModel) -> bool {
        self.prior.as_ref().is_some_and(|prior| {
            prior.timeouts != plan.timeouts && *prior == TopicModel { timeouts: prior.timeouts.clone(), ..plan.clone() }
        })
    }
}

/// Whether the caller has the platform make its topics.
pub(super) async fn only_asks(environment: &Environment, call: &Call) -> Result<bool, Failure> {
    let governing = environment.governance_if_told(call.deadline).await?;
    Ok(matches!(governing, Governing::Journal(it) if it.governed.only_asks(&it.snapshot.state)))
}

/// Tells what speaks against the end of a topic in a governed environment.
pub(super) async fn judge_end(environment: &Environment, prior: &TopicModel, call: &mut Call) -> Result<(), Failure> {
    let name = prior.name.value()?;
    let judged = may_end(environment, prior, call).await;
    judged.map_err(|it| naming(it, &format!("the topic `{name}`")))
}

async fn may_end(environment: &Environment, prior: &TopicModel, call: &mut Call) -> Result<(), Failure> {
    let Some(governance) = governance(environment, call).await? else { return Ok(()) };
    environment.with_promised(&governance.snapshot.head.journal, |it| prior.name.value().map(|name| it.free(name)))?;
    let revoke_grants = prior.revoke_grants_on_delete.get() == Some(&true);
    let command = Command::DeleteTopic(TopicDeletion { name: prior.name.value()?.clone(), revoke_grants, ask: true });
    match governance.governed.waits_after(&governance.snapshot.state, &command, prior.name.value()?) {
        Ok(Some((id, request))) => call.report.push(messages::end_needs_leave(&id, &request)),
        Ok(None) => {}
        Err(refusal) => tell(&refusal.0, call.phase, call),
    }
    Ok(())
}

/// What governs the cluster, for a plan. A journal that the state saw must still be there.
async fn governance(environment: &Environment, call: &mut Call) -> Result<Option<Governance>, Failure> {
    let told = whatever_was_seen(environment, call).await?;
    match &told {
        Some(it) => expect_head(call, &it.snapshot.head)?,
        None if is_ungoverned(environment, call).await? => expect_ended(call, environment).await?,
        None => {}
    }
    Ok(told)
}

async fn is_ungoverned(environment: &Environment, call: &Call) -> Result<bool, Failure> {
    Ok(matches!(environment.governance_if_told(call.deadline).await?, Governing::Nothing))
}

/// What governs the cluster, for a plan, whatever the state saw.
async fn whatever_was_seen(environment: &Environment, call: &mut Call) -> Result<Option<Governance>, Failure> {
    match environment.governance_if_told(call.deadline).await? {
        // The dry run that follows cannot reach the cluster either, and tells why.
        Governing::Untold(KafkaError::Connect { .. }) => Ok(None),
        governing => Ok(told(governing, call)),
    }
}

/// What the policy adds to a topic that is made.
#[derive(Debug, Default)]
pub(super) struct Added {
    /// Configuration keys that are not declared; `None` where nobody gives any.
    pub(super) config: Option<BTreeMap<String, String>>,
    /// Whether the topic is protected where that is not declared.
    pub(super) deletion_protection: bool,
}

impl TopicModel {
    /// The topic with what the policy adds, where the plan left that open.
    pub(super) fn with(self, added: Added) -> Self {
        let policy_config = if self.policy_config.is_null() { self.policy_config } else { added.config.into() };
        let protection = self.deletion_protection.get().copied().unwrap_or(added.deletion_protection);
        Self { policy_config, deletion_protection: protection.into(), ..self }
    }
}

/// Adds to what is declared what the policy gives where nothing is.
///
/// A plan that was made before there was a policy promised no configuration of its, and none is added.
pub(super) fn add_policy(spec: &mut TopicSpec, policy: &TopicPolicy, plan: &TopicModel) -> Added {
    policy.complete(spec);
    let config = if plan.policy_config.is_null() { None } else { Some(policy.configure(spec)) };
    Added { config, deletion_protection: policy.deletion_protection == Some(true) }
}

/// Has the journal say what a topic takes that is to be changed, and whose it is: a topic from before the environment
/// gets its owner so. What the journal says already is not written once more.
pub(super) async fn keep(
    governed: &Governed,
    prior: &TopicModel,
    plan: &TopicModel,
    call: &mut Call,
) -> Result<(), Failure> {
    let there = known(governed, call.deadline).await?;
    let (name, wanted) = (plan.name.value()?.clone(), plan.request()?);
    if prior.config_known()? != wanted.config {
        // The journal does not keep what the configuration was, so that this is not decided with the rest: the newest
        // rules hold, whatever the plan was told.
        let role = governed.caller().role(&there.state);
        Refusal::of(check_topic(&there.state, &role, &wanted, Some(&prior.request()?)))?;
    }
    let is_known = there.state.topic(&name).is_some_and(OwnedTopic::is_there);
    let place = if is_known { Command::ChangeTopic } else { Command::ReserveTopic }(Box::new(wanted));
    let found = TopicFound::new(name, call.private.text(UUID).map(str::to_owned));
    let found = Command::MarkTopicCreated(found);
    let after = if governed.would_write(&there.state, &place)? {
        // Commands of one moment are one transaction, decided one after another.
        let both = tokio::join!(governed.command(place, call.deadline), governed.command(found, call.deadline));
        both.0.and(both.1)?
    } else if governed.would_write(&there.state, &found)? {
        governed.command(found, call.deadline).await?
    } else {
        there
    };
    remember(call, &after);
    Ok(())
}

/// Takes the place of a topic before it is made.
pub(super) async fn reserve(governed: &Governed, request: TopicRequest, call: &mut Call) -> Result<(), Failure> {
    let known = governed.command(Command::ReserveTopic(Box::new(request)), call.deadline).await?;
    remember(call, &known);
    Ok(())
}

/// Gives back the place of a topic that the cluster refused to make. After any other error the topic may be there.
pub(super) async fn give_back(governed: &Governed, name: &TopicName, error: &KafkaError, call: &mut Call) {
    let is_refused =
        matches!(error, KafkaError::Refused { .. } | KafkaError::Denied { .. } | KafkaError::Unsupported(_));
    if is_refused && let Err(error) = governed.give_back(name, call.deadline).await {
        let detail = format!(
            "The topic `{name}` was not made, and its place in the journal could not be given back: it counts as one of its \
             application's until it is made, or deleted."
        );
        call.report.push(Diagnostic::warning("Place not given back", detail).caused_by(&error));
    }
}

/// Says that the cluster has a topic, and what the broker gave it where nobody said.
pub(super) async fn made(governed: &Governed, found: &Topic, call: &mut Call) -> Result<(), Failure> {
    let created = TopicFound {
        partitions: Some(found.partitions.into()),
        replication_factor: Some(found.replication_factor.into()),
        ..TopicFound::new(found.name.clone(), found.id.clone())
    };
    let known = governed.command(Command::MarkTopicCreated(created), call.deadline).await?;
    remember(call, &known);
    Ok(())
}

/// Says that a topic is to be deleted, or that it is gone.
pub(super) async fn ended(environment: &Environment, command: Command, deadline: Instant) -> Result<(), Failure> {
    if let Some(governance) = environment.governance(deadline).await? {
        governance.governed.command(command, deadline).await?;
    }
    Ok(())
}

/// An application that cannot be one.
pub(super) fn wrong_application(text: &str) -> Diagnostic {
    let detail = format!(
        "`{text}` is no application.\n\nWrite the `id` of a `kafka_application`, or its name: lower-case letters, digits and \
         `-`."
    );
    Diagnostic::error("Invalid application", detail).at("application")
}

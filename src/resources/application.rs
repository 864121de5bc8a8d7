//! `kafka_application`: who owns what in an environment.

mod claiming;
mod declaring;
mod drift;
mod ending;
mod inbox;
mod planning;
mod rejection;
mod spec;
#[cfg(test)]
mod tests;
mod together;

use std::{borrow::Cow, collections::BTreeMap};

use declaring::tell_asked;
use ending::{refuse_before_end, refuse_unknown, replaced, tell_end, tell_replacement, tell_unknown};
use serde::{Deserialize, Serialize};
use together::check_claims;

use super::{
    attributes::Moment,
    governed::{known, naming, remember, tell, told_of_declared},
    letters::{REQUESTED, is_awaited, tell_refused},
    place::{
        IMPORTED, Placed, environment_of_plan, import_of, place_attributes, plan_place, settle_imported, settle_seen,
    },
    site::Site,
    totals::TotalsModel,
};
use crate::{
    framework::{
        Block, Call, Change, Computed, Failure, Import, Model, Nested, Number, Optional, OptionalComputed, Phase, Plan,
        Required, Resource, Set, Timeouts, Unknown,
    },
    governance::{
        acl::Principal,
        application::{Application as Entry, Status},
        changes::rejected,
        command::Command,
        names::ApplicationName,
        prefix::{OVERLAP, completed},
        violation::{Refusal, Weight},
    },
    provider::{Context, Governance},
};

/// An application of an environment: a program or a pipeline with a team that answers for it. It owns names by their
/// prefixes, and its principals get the rights to use what it owns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ApplicationModel {
    /// Identifier of the application: `<environment>/<name>`.
    #[attr(unknown_when = &["environment"])]
    id: Computed<String>,
    /// Name of the environment. Default: the provider's default environment when the application is created. Another name
    /// for the same cluster changes nothing; another cluster replaces the application.
    environment: OptionalComputed<String>,
    /// Id of the cluster that the environment is.
    #[attr(unknown_when = &["environment"])]
    cluster_id: Computed<String>,
    /// Name of the application: 1 to 63 lower-case letters, digits and `-`, a letter first. Changing it replaces the
    /// application, which is refused while it owns topics.
    #[attr(requires_replace)]
    name: Required<ApplicationName>,
    /// The organisation's code for the application, for names that have a field `code`.
    code: Optional<String>,
    /// Who answers for the application.
    owner: Required<Nested<OwnerModel>>,
    /// What the application does, for people.
    description: Optional<String>,
    /// Free words to find the application by.
    labels: Optional<BTreeMap<String, String>>,
    /// As whom the application runs, such as `User:billing`. A principal belongs to one application.
    principals: Optional<Set<Principal>>,
    /// As whom the application's pipeline works: its continuous integration.
    deployers: Optional<Set<Principal>>,
    /// How the names of what the application owns begin. A kind that is left out has what the environment's template
    /// gives.
    prefixes: OptionalComputed<Nested<PrefixesModel>>,
    /// The `application.id`s of the application's Kafka Streams programs, each within a prefix for consumer groups. Its
    /// principals may make and delete the internal topics that Streams names after them, read as the group of that name, and
    /// write in the transactions of that name.
    streams: Optional<Set<String>>,
    /// What all topics of the application may take together, instead of the environment's quota.
    capacity: Optional<Nested<TotalsModel>>,
    /// How much of each broker the application's clients may use together. It is divided among the principals. Limits that
    /// somebody else set for one of them are not overwritten: the apply is refused until they are removed, or are what the
    /// principal would get.
    client_quota: Optional<Nested<ClientQuotaModel>>,
    /// When the application ends, if it is a trial: a date and time such as `2027-03-31T00:00:00Z`.
    expires_at: Optional<Moment>,
    /// What becomes of a prefix under which the cluster already has topics, groups or transactional ids that nobody owns:
    /// `fail` refuses it with the list, and `adopt` takes them over. Default: `fail`.
    on_existing: Optional<OnExisting>,
    /// The first step of a transfer: what the application offers to another one, which names this one in
    /// `take_over_from`.
    transfer: Optional<Nested<TransferModel>>,
    /// The second step of a transfer: the applications whose offers this one takes, with the topics and all that is
    /// under them.
    take_over_from: Optional<Set<ApplicationName>>,
    /// Where the application is in its life: `pending` until the platform agrees where that is demanded, `ready` when it
    /// can work, `failed` if its rights could not be made, and `rejected` if the platform rejected it, or the newest change
    /// of it: what was agreed to before holds then, and another declaration asks again. `requested` until the platform looks
    /// at what a team filed with its own credentials or in the inbox, and `refused` if it did not take what was asked in
    /// the inbox.
    status: Computed<String>,
    /// Id of the request by which the application, or the newest change of it, waits for the platform to agree with
    /// `kafka_access_decision`, or was rejected. Null where nothing waits.
    request_id: Computed<String>,
    /// How long each operation may take.
    timeouts: Block<Timeouts>,
}

/// Who answers for an application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct OwnerModel {
    /// Name of the team.
    team: Required<String>,
    /// How to reach the team, such as a mail address or a channel.
    contact: Optional<String>,
}

/// Beginnings of names, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct PrefixesModel {
    /// Of topics.
    topic: OptionalComputed<Set<String>>,
    /// Of consumer groups, share groups and streams groups.
    group: OptionalComputed<Set<String>>,
    /// Of transactional ids.
    transactional_id: OptionalComputed<Set<String>>,
    /// Of subjects.
    subject: OptionalComputed<Set<String>>,
    /// Of connectors.
    connector: OptionalComputed<Set<String>>,
}

/// How much of each broker clients may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ClientQuotaModel {
    /// Bytes written a second to each broker.
    producer_byte_rate_per_broker: Optional<Number>,
    /// Bytes read a second from each broker.
    consumer_byte_rate_per_broker: Optional<Number>,
    /// Share of the time of a broker's threads, in percent of one thread.
    request_percentage_per_broker: Optional<Number>,
    /// Partitions created and deleted a second, in the whole cluster.
    controller_mutation_rate: Optional<Number>,
}

/// What an application gives away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct TransferModel {
    /// Name of the application that may take it.
    to: Required<ApplicationName>,
    /// The prefixes, all of which the application owns.
    prefixes: Required<Nested<OfferedModel>>,
}

/// Beginnings of names that are given away, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct OfferedModel {
    /// Of topics.
    topic: Optional<Set<String>>,
    /// Of consumer groups, share groups and streams groups.
    group: Optional<Set<String>>,
    /// Of transactional ids.
    transactional_id: Optional<Set<String>>,
    /// Of subjects.
    subject: Optional<Set<String>>,
    /// Of connectors.
    connector: Optional<Set<String>>,
}

/// What becomes of what nobody owns under a claimed prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExisting {
    /// The claim is refused.
    Fail,
    /// They are the application's from then on.
    Adopt,
}

impl Placed for ApplicationModel {
    const WHAT: &'static str = "application";

    place_attributes!();

    fn local_name(&self) -> Result<String, Unknown> {
        Ok(self.name.value()?.to_string())
    }
}

/// What tells an application from all others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ApplicationIdentity {
    /// Id of the cluster.
    cluster_id: Required<String>,
    /// Name of the application.
    name: Required<ApplicationName>,
}

/// The life of the name that the state is about: a name that was used again is another application.
const INCARNATION: &str = "incarnation";
/// The application that is there, which a replacement deletes: a fact that a plan tells the next one.
const REPLACED: &str = "replaced";
/// What is in the state waits for the platform, at least in parts.
const AMENDED: &str = "amended";
/// The word for an application whose rights are not what they are to be: somebody took them away, or the rules changed.
const DRIFTED: &str = "drifted";

/// The resource.
#[derive(Debug)]
pub enum Application {}

impl Resource<Context> for Application {
    const NAME: &'static str = "application";
    type Model = ApplicationModel;
    type Identity = ApplicationIdentity;

    fn identity(state: &ApplicationModel) -> ApplicationIdentity {
        ApplicationIdentity { cluster_id: state.cluster_id.to_required(), name: state.name.clone() }
    }

    async fn plan(ctx: &Context, plan: &mut Plan<ApplicationModel>, call: &mut Call) -> Result<(), Failure> {
        plan_place(ctx, plan, call).await?;
        let Some(prior) = plan.prior.clone().filter(|_| plan.replace.is_empty()) else { return Ok(()) };
        plan.withdraw_prefixes(ctx, call).await?;
        if plan.state.take_over_from != prior.take_over_from {
            plan.state.prefixes = plan.state.prefixes_after_takeover(&plan.config);
        }
        if plan.state.changes(&prior) {
            // What changes may have to wait.
            plan.state.request_id = Computed::unknown();
        }
        if plan.is_filed(ctx, call).await? {
            // What is missing is for the platform to make, and an update of the team makes nothing of it.
            if plan.state.changes(&prior) {
                plan.state.status = Computed::unknown();
            }
            return Ok(());
        }
        let is = |words: &[&str]| prior.status.get().is_some_and(|it| words.contains(&it.as_str()));
        let (pending, rejected) = (Status::Pending.word(), Status::Rejected.word());
        if is(&[pending, rejected]) && plan.state.changes(&prior) {
            // It is asked for otherwise, or anew.
            plan.state.status = Computed::unknown();
        }
        let is_settled = is(&[Status::Ready.word(), pending, rejected, REQUESTED]);
        if !is_settled && !plan.is_enforced_elsewhere(ctx, call).await? {
            // An update makes what is missing.
            plan.state.status = Computed::unknown();
        }
        Ok(())
    }

    async fn admit(ctx: &Context, change: &Change<ApplicationModel>, call: &mut Call) -> Result<(), Failure> {
        if call.phase == Phase::Apply {
            // The deed itself is decided on what is newest.
            return Ok(());
        }
        if let Some(prior) = &change.prior {
            call.private.set(REPLACED, prior.name.get().map(ToString::to_string));
        }
        let Some(model) = change.ending().or(change.plan.as_ref()) else { return Ok(()) };
        let environment = environment_of_plan(ctx, model)?;
        let governing = environment.governance_if_told(call.deadline).await?;
        let Some(Governance { governed, snapshot }) = &told_of_declared(governing, call) else { return Ok(()) };
        let state = &snapshot.state;
        if let Some(prior) = change.ending() {
            tell_end(governed, state, prior, change.plan.as_ref(), call)?;
            return tell_unknown(governed, state, prior, call).await;
        }
        let Some(config) = &change.config else { return Ok(()) };
        if let Some(it) = change.rejected_whole(state, call) {
            if !rejection::is_reconsidered(change) {
                rejection::tell(governed, state, it, call).await;
            }
            return Ok(());
        }
        let replaced = replaced(change, call);
        // What a replacement makes comes when the application before it is gone.
        let after = replaced.as_ref().map_or(Cow::Borrowed(state), |it| Cow::Owned(state.after_end_of(it)));
        let request = config.request(governed, &after, call).await?;
        let mut claims = request.spec.clone();
        let before = after.application(&claims.name).filter(|it| it.status.holds_prefixes());
        // Where prefixes do not follow from anything, the decision tells.
        claims.prefixes = completed(&after, &claims, before).unwrap_or(claims.prefixes);
        let told = environment.with_claimed(&snapshot.head.journal, |claimed| {
            let told = check_claims(&after, claimed, &claims, config.moves());
            claimed.insert(claims.name.clone(), (claims.clone(), config.moves()));
            told
        });
        tell(&told, call.phase, call);
        config.tell_transfers(change.prior.as_ref(), &after, &claims, call)?;
        let is_new = change.is_create() || inbox::is_used(governed, &after) || rejection::is_gone(&after, &claims.name);
        let command = if is_new {
            Command::DeclareApplication(Box::new(request))
        } else {
            Command::ChangeApplication(Box::new(request))
        };
        if let Some(name) = &replaced {
            tell_replacement(state, name, &command, governed, call);
        }
        let state = after.as_ref();
        match governed.application_after(state, &command, config.name.value()?) {
            Ok(Some(after)) => tell_asked(governed, state, &after, call).await,
            Ok(None) => {}
            Err(Refusal(mut violations)) => {
                if !config.take_over_from.is_null() {
                    // What is taken over belongs to the other one until then.
                    for it in violations.iter_mut().filter(|it| it.summary == OVERLAP) {
                        it.weight = Weight::Wait;
                    }
                }
                tell(&violations, call.phase, call);
            }
        }
        Ok(())
    }

    async fn create(
        ctx: &Context,
        plan: ApplicationModel,
        config: &ApplicationModel,
        call: &mut Call,
    ) -> Result<ApplicationModel, Failure> {
        let site = Site::of_plan(ctx, &plan, call).await?;
        let replaced = call.private.text(REPLACED).and_then(|it| it.parse().ok());
        call.private.take(REPLACED);
        let there = known(&site.governed, call.deadline).await?;
        refuse_before_end(&there.state, replaced.as_ref(), plan.name.value()?)?;
        let declare = |it| Command::DeclareApplication(Box::new(it));
        site.settle(config.declare(plan, &site.governed, declare, call).await?).await
    }

    async fn read(
        ctx: &Context,
        state: ApplicationModel,
        call: &mut Call,
    ) -> Result<Option<ApplicationModel>, Failure> {
        let imported = call.private.take(IMPORTED).is_some();
        let site = Site::of_state(ctx, &state, call).await?;
        let Some(Governance { governed, snapshot }) = site.governance("Application", imported, call).await? else {
            return Ok((!imported).then_some(state));
        };
        let name = state.name.value()?.clone();
        let known = &snapshot.state;
        let there = known.application(&name).filter(|it| is_own(it, call));
        let Some(found) = there.filter(|it| it.status.holds_prefixes()) else {
            let rejected = there.filter(|_| !imported).and_then(|it| rejected(known, it));
            return Ok(state.not_there(rejected.map(|(id, _)| id), known, call));
        };
        remember(call, &snapshot);
        call.private.set(INCARNATION, found.incarnation);
        call.private.set(AMENDED, found.amendment.is_some());
        let texts = if imported { Some(governed.texts_of(&name, call.deadline).await?) } else { None };
        let mut seen = state.seen(found, known, texts.as_ref());
        if found.status == Status::Ready {
            seen.tell_drift(found, known, &governed, call).await?;
        }
        if is_awaited(&governed, call).await? {
            seen.status = REQUESTED.to_owned().into();
        } else {
            tell_refused("application", known, call);
        }
        Ok(Some(settle_seen(seen, site.environment, site.cluster_id)?))
    }

    async fn update(
        ctx: &Context,
        prior: ApplicationModel,
        plan: ApplicationModel,
        config: &ApplicationModel,
        call: &mut Call,
    ) -> Result<ApplicationModel, Failure> {
        call.private.take(REPLACED);
        let site = Site::of_change(ctx, &prior, &plan, call).await?;
        let there = known(&site.governed, call.deadline).await?;
        let command = if rejection::is_gone(&there.state, prior.name.value()?) {
            |it| Command::DeclareApplication(Box::new(it))
        } else {
            |it| Command::ChangeApplication(Box::new(it))
        };
        site.settle(config.declare(plan, &site.governed, command, call).await?).await
    }

    async fn delete(ctx: &Context, state: ApplicationModel, call: &mut Call) -> Result<(), Failure> {
        let name = state.name.value()?.clone();
        end(ctx, state, call).await.map_err(|it| naming(it, &format!("the application `{name}`")))
    }

    async fn import(
        ctx: &Context,
        import: Import<ApplicationIdentity>,
        call: &mut Call,
    ) -> Result<ApplicationModel, Failure> {
        let named = |it: ApplicationIdentity| Ok((it.cluster_id, it.name.value()?.clone()));
        let (environment, name) = import_of(ctx, "application", import, named, call.deadline).await?;
        let state = ApplicationModel { name: name.into(), ..ApplicationModel::default() };
        settle_imported(state, environment, call).await
    }
}

/// Whether an application is the one that the state is about, as far as that knows.
fn is_own(it: &Entry, call: &Call) -> bool {
    let own = call.private.get(INCARNATION).and_then(serde_json::Value::as_u64);
    own.is_none_or(|own| own == u64::from(it.incarnation))
}

/// Deletes an application and its rights.
async fn end(ctx: &Context, state: ApplicationModel, call: &mut Call) -> Result<(), Failure> {
    let Site { environment, cluster_id: _, governed } = Site::of_state(ctx, &state, call).await?;
    let name = state.name.value()?;
    let there = known(&governed, call.deadline).await?;
    if there.state.application(name).is_none_or(|it| !it.status.holds_prefixes()) {
        rejection::give_up(&governed, &there.state, name, call).await?;
        state.tell_asked(&there.state, call);
        return Ok(());
    }
    let topics = there.state.topics_of(name).map(|(it, _)| it);
    governed.end_deletions(&there.state, topics, call.deadline).await?;
    refuse_unknown(&governed, &there.state, name, call.deadline).await?;
    governed.command(Command::DeleteApplication(name.clone()), call.deadline).await?;
    governed.unprovision(name, call.deadline).await?;
    environment.forget_governance().await;
    Ok(())
}

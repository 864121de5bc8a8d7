//! `data.kafka_access_requests`: what was asked in an environment, and what became of it.

mod shown;
mod told;

use std::collections::BTreeMap;

use super::environment::absent;
use crate::{
    framework::{
        Call, Computed, DataSource, Diagnostic, Diagnostics, Failure, Model, Nested, Optional, OptionalComputed,
    },
    governance::{
        names::ApplicationName,
        request::{Look, Request, RequestStatus, Subject},
    },
    provider::Context,
    resources::Moment,
};
use shown::Sight;
pub(super) use shown::moment;
use told::Told;

/// What was asked in an environment, in the order of the ids: access to what others own, applications, and changes that
/// need approval. With what was decided, what it gives, and what happened to it.
///
/// What is *claimed* is what a pipeline said of itself; nobody proved it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct AccessRequestsModel {
    /// Name of the environment. Default: the provider's default environment.
    environment: OptionalComputed<String>,
    /// Name of the environment, the same as `environment`.
    id: Computed<String>,
    /// What is asked for: `access`, `application` or `change`. Default: anything.
    kind: Optional<String>,
    /// Name of the application that owns what is asked for, or owned it when the request was filed. Default: any.
    owner: Optional<ApplicationName>,
    /// Name of the application that asks. Default: any.
    applicant: Optional<ApplicationName>,
    /// Where they are in their lives: `pending`, `approved`, `provisioning`, `active`, `failed`, `rejected`, `withdrawn`,
    /// `revoking`, `revoked`, `expired`; `external`, agreed to where something else than Kafka enforces it; or
    /// `expiring_overdue`, its time is over and what it had is not taken away yet. Default: anywhere.
    status: Optional<String>,
    /// Those that were filed, decided, granted or ended at this moment or later, such as `2027-01-01T00:00:00Z`. Default:
    /// all.
    since: Optional<Moment>,
    /// Whether `events` is told, for which the whole history is read. Default: `false`.
    history: Optional<bool>,
    /// Ids of the requests.
    ids: Computed<Vec<String>>,
    /// The requests.
    requests: Computed<Vec<Nested<FoundRequestModel>>>,
}

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct FoundRequestModel {
    /// Id of the request.
    id: Computed<String>,
    /// Digest of who asks whom for what until when: a decision is about one revision.
    revision: Computed<String>,
    /// What is asked for: `access`, `application` or `change`.
    kind: Computed<String>,
    /// Where it is in its life, in the words that the filter has.
    status: Computed<String>,
    /// Which life of which application asks, such as `shop#1`.
    applicant: Computed<String>,
    /// Which life of which application owns what is asked for; null where the platform alone decides.
    owner: Computed<String>,
    /// Kind of what is asked for: `topic`, `group`, `transactional_id`; of a change also `schema` or `connector`; null for
    /// an application.
    resource_type: Computed<String>,
    /// Its name, or how names begin; of an application its name.
    resource_name: Computed<String>,
    /// Of access: `literal`, `resource_name` is the name, or `prefixed`, it is how names begin.
    pattern_type: Computed<String>,
    /// Of access: what is to be done with it, in Kafka's words.
    operations: Computed<Vec<String>>,
    /// Of a change: `create`, `update` or `delete`; of an application: `create` or `update`.
    verb: Computed<String>,
    /// Of a change of a topic: how many partitions it has then.
    partitions: Computed<i64>,
    /// Of a change of a topic: how many bytes it takes on disk then, if it says so.
    disk_bytes: Computed<i64>,
    /// Of a change of a topic: how many copies of each partition it has then, if that is asked for.
    replication_factor: Computed<i64>,
    /// Of a change of a topic: the configuration keys that are set then, by Kafka's own names.
    config: Computed<BTreeMap<String, String>>,
    /// Of a change of a topic: the configuration keys that return to the broker's default then.
    config_reset: Computed<Vec<String>>,
    /// The applicant's running programs that it was filed for.
    principals: Computed<Vec<String>>,
    /// Programs that the applicant has by now and that it was not filed for: they get nothing until it is filed again and
    /// agreed to again.
    waiting_principals: Computed<Vec<String>>,
    /// The rules that it has, or that are being taken away; where something else than Kafka enforces rights, those to be
    /// made there. As `<resource type>|<pattern type>|<name>|<principal>|<host>|<operation>|<permission>`.
    acls: Computed<Vec<String>>,
    /// The revision to which these belong: until an amendment is decided, the one before.
    granted_revision: Computed<String>,
    /// What was decided about this revision.
    decisions: Computed<Vec<Nested<DecisionModel>>>,
    /// Who filed this revision, as their pipeline claimed.
    filed_by: Computed<String>,
    /// The person who is asked to agree, in free words.
    approver: Computed<String>,
    /// The ticket elsewhere that it belongs to.
    ticket: Computed<String>,
    /// When it was filed first.
    created_at: Computed<String>,
    /// When its rules were first to be made; null where nothing is granted.
    granted_at: Computed<String>,
    /// When it ends by itself; null for never.
    expires_at: Computed<String>,
    /// When it ended.
    ended_at: Computed<String>,
    /// Why it is asked for. Null also for who may not read `_selfserve.text`.
    justification: Computed<String>,
    /// Why it was revoked. Null also for who may not read `_selfserve.text`.
    revocation_reason: Computed<String>,
    /// Why its rules could not be made. Null also for who may not read `_selfserve.text`.
    failure: Computed<String>,
    /// What happened to it, in order. Null unless `history` is `true`, and for who may not read `_selfserve`.
    events: Computed<Vec<Nested<EventModel>>>,
}

/// A decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct DecisionModel {
    /// As what: `owner` or `platform`.
    judge: Computed<String>,
    /// What: `approve` or `reject`.
    choice: Computed<String>,
    /// Which life of which application decided; null for the platform.
    application: Computed<String>,
    /// Who decided, as their pipeline claimed.
    actor: Computed<String>,
    /// When.
    at: Computed<String>,
    /// Why. Null also for who may not read `_selfserve.text`.
    reason: Computed<String>,
}

/// Something that happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct EventModel {
    /// Its offset in `_selfserve`.
    offset: Computed<i64>,
    /// When the broker wrote it.
    at: Computed<String>,
    /// What happened, such as `request.decided`.
    kind: Computed<String>,
    /// Where the request was in its life afterwards.
    status: Computed<String>,
    /// The principal that wrote it, as it said.
    principal: Computed<String>,
    /// Who did it, as their pipeline claimed.
    actor: Computed<String>,
    /// The change that it belongs to, as their pipeline claimed.
    change_url: Computed<String>,
    /// What else history tells, as JSON: as what it was done and, of what was filed in a mailbox, the record.
    facts: Computed<String>,
}

/// The data source.
#[derive(Debug)]
pub enum AccessRequests {}

impl DataSource<Context> for AccessRequests {
    const NAME: &'static str = "access_requests";
    type Model = AccessRequestsModel;

    fn validate(config: &AccessRequestsModel, report: &mut Diagnostics) {
        refuse_unknown(config.kind.get(), "kind", &KINDS, report);
        refuse_unknown(config.status.get(), "status", &words(), report);
    }

    async fn read(ctx: &Context, config: AccessRequestsModel, call: &mut Call) -> Result<AccessRequestsModel, Failure> {
        let environment = ctx.environment(config.environment.get().map(String::as_str))?;
        let governance = environment.governance_now(call.deadline).await?.ok_or_else(|| absent(&environment.name))?;
        let sight = Sight::of(&governance.snapshot);
        let found: Vec<_> = sight.state.requests().filter(|(_, it)| config.wants(it, &sight)).collect();
        let told = Told::read(governance.governed.journal(), config.history.get() == Some(&true), call).await?;
        Ok(AccessRequestsModel {
            environment: environment.name.clone().into(),
            id: environment.name.clone().into(),
            ids: found.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>().into(),
            requests: found.iter().map(|(id, it)| told.of(id, sight.shown(id, it))).collect::<Vec<_>>().into(),
            ..config
        })
    }
}

const KINDS: [&str; 3] = ["access", "application", "change"];

/// All that a request can look like.
fn words() -> Vec<&'static str> {
    // What is written as expiring looks overdue.
    let written = RequestStatus::ALL.into_iter().filter(|it| *it != RequestStatus::Expiring);
    written.map(RequestStatus::word).chain([Look::External, Look::ExpiringOverdue].map(Look::word)).collect()
}

fn refuse_unknown(value: Option<&String>, name: &str, words: &[&str], report: &mut Diagnostics) {
    if let Some(value) = value.filter(|it| !words.contains(&it.as_str())) {
        let detail = format!(
            "`{value}` is none of {}.",
            words.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
        );
        report.push(Diagnostic::error("Unknown word", detail).at(name));
    }
}

/// What is asked for, in a word.
fn kind(it: &Request) -> &'static str {
    match it.content.subject {
        Subject::Access(_) => "access",
        Subject::Application(_) => "application",
        Subject::Change(_) => "change",
    }
}

impl AccessRequestsModel {
    /// Whether a request is one of those that are looked for.
    fn wants(&self, it: &Request, sight: &Sight<'_>) -> bool {
        let is_of = |wanted: &ApplicationName| {
            it.owner() == Some(wanted) || it.former_owners.iter().any(|former| former.name == *wanted)
        };
        let is_since = |since: &Moment| shown::times(it).any(|at| since.at <= at);
        self.kind.get().is_none_or(|wanted| kind(it) == wanted)
            && self.owner.get().is_none_or(is_of)
            && self.applicant.get().is_none_or(|wanted| it.applicant().name == *wanted)
            && self.status.get().is_none_or(|wanted| sight.status(it) == wanted)
            && self.since.get().is_none_or(is_since)
    }
}

#[cfg(test)]
mod tests;

//! `kafka_access_request`: one application asks to use what another one owns.

mod ending;
mod filing;
mod planning;
#[cfg(test)]
mod tests;

use ending::tell_end;

use super::{
    attributes::{ApplicationRef, Moment},
    governed::{known, remember, tell, told_of_declared},
    letters::{Outcome, REFUSED, REQUESTED, ask, is_awaited, outcome, tell_refused},
    place::{
        IMPORTED, Placed, environment_of_plan, import_of, place_attributes, plan_place, settle_imported, settle_seen,
    },
    requests::{self, OnDestroy, Pattern, tell_overdue},
    site::Site,
};
use crate::{
    clients::governed::Governed,
    framework::{
        Block, Call, Change, Computed, Diagnostic, Diagnostics, Failure, Import, Model, Optional, OptionalComputed,
        Phase, Plan, Required, Resource, Set, Timeouts, Unknown,
    },
    governance::{
        acl::Operation,
        command::Command,
        kind::Kind,
        request::{Level, Request, RequestId},
        state::{State, request_key},
        violation::Refusal,
    },
    provider::{Context, Governance},
};

/// An access request: an application asks to use a topic, a group, a transactional id or a subject that another one owns.
/// Who must agree is a rule of the environment. Once they do, the application's principals get exactly the ACLs that
/// were asked for. To wait is a valid state: the next plan is empty, and a refresh tells the present status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct AccessRequestModel {
    /// Identifier of the resource: `<environment>/<request_id>`.
    #[attr(unknown_when = &["environment"])]
    id: Computed<String>,
    /// Name of the environment. Default: the provider's default environment when the request is filed. Another name for
    /// the same cluster changes nothing; another cluster replaces the request.
    environment: OptionalComputed<String>,
    /// Id of the cluster that the environment is.
    #[attr(unknown_when = &["environment"])]
    cluster_id: Computed<String>,
    /// Id of the request, which a decision names: the applicant's name, `-` and 8 hexadecimal digits.
    request_id: Computed<RequestId>,
    /// The application that asks: the `id` of its `kafka_application`, or its name. Another application is another
    /// request.
    application: Required<ApplicationRef>,
    /// Kind of the resource: `topic`, `group`, `transactional_id` or `subject`. No ACL comes of a subject: the plans of
    /// `kafka_schema` are held against what was agreed to. Another one is another request.
    #[attr(requires_replace)]
    resource_type: Required<Kind>,
    /// Name of the resource, or how names begin. Another one is another request.
    #[attr(requires_replace)]
    resource_name: Required<String>,
    /// Whether `resource_name` is the name (`literal`) or how names begin (`prefixed`). Another one is another request.
    /// Default: `literal`.
    #[attr(default = Pattern::Literal, requires_replace)]
    pattern_type: OptionalComputed<Pattern>,
    /// What is to be done with the resource, in one word: `read` (a topic, a group; refer to a subject), `write` (a
    /// topic, a transactional id; register versions of a subject), `read_write` (a topic, a subject) or `manage` (a topic's configuration and partitions; a group and its offsets). A
    /// reader's consumer group is the applicant's own, and needs no request. Either this or `operations`.
    access: Optional<Level>,
    /// What is to be done with the resource, in Kafka's own words such as `READ` and `DESCRIBE_CONFIGS`. Either this or
    /// `access`.
    operations: Optional<Set<Operation>>,
    /// Why, for those who decide. It is kept where it can be erased, and must hold no secret.
    justification: Optional<String>,
    /// The ticket elsewhere that the request belongs to.
    ticket: Optional<String>,
    /// The person who is asked to agree, in free words.
    approver: Optional<String>,
    /// When the access ends: a date and time such as `2027-03-31T00:00:00Z`. A time that is over is refused when it is
    /// written, and never afterwards.
    expires_at: Optional<Moment>,
    /// What becomes of the access when the resource is destroyed: `revoke` withdraws the request and takes away what it
    /// gave, and `keep` leaves both as they are. Default: `revoke`.
    #[attr(default = OnDestroy::Revoke)]
    on_destroy: OptionalComputed<OnDestroy>,
    /// Digest of what is asked for: of the applicant, its principals, the owner, the resource, the operations and the
    /// end. A decision is about one revision.
    revision: Computed<String>,
    /// The application that owns what is asked for.
    owner: Computed<String>,
    /// Where the request is in its life: `pending`, `approved`, `provisioning`, `active`, `rejected`, `withdrawn`,
    /// `revoking`, `revoked`, `expiring_overdue`, `expired`, `failed`; `drifted` if somebody removed its rules; `external` if it was agreed to and something else
    /// than Kafka enforces rights; `requested` and `refused` while and after the platform looks at what a team filed with
    /// its own credentials.
    status: Computed<String>,
    /// How long each operation may take.
    timeouts: Block<Timeouts>,
}

impl Placed for AccessRequestModel {
    const WHAT: &'static str = "access request";

    place_attributes!();

    fn local_name(&self) -> Result<String, Unknown> {
        Ok(self.request_id.get().ok_or(Unknown)?.to_string())
    }
}

/// What tells a request from all others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct AccessRequestIdentity {
    /// Id of the cluster.
    cluster_id: Required<String>,
    /// Id of the request.
    request_id: Required<RequestId>,
}

/// The request that is there, which a replacement ends: a fact that a plan tells the next one.
const REPLACED: &str = "replaced";

/// The resource.
#[derive(Debug)]
pub enum AccessRequest {}

impl Resource<Context> for AccessRequest {
    const NAME: &'static str = "access_request";
    type Model = AccessRequestModel;
    type Identity = AccessRequestIdentity;

    fn identity(state: &AccessRequestModel) -> AccessRequestIdentity {
        let AccessRequestModel { cluster_id, request_id, .. } = state;
        AccessRequestIdentity { cluster_id: cluster_id.to_required(), request_id: request_id.to_required() }
    }

    fn validate(config: &AccessRequestModel, report: &mut Diagnostics) {
        let (access, operations) = (&config.access, &config.operations);
        let told = match (access.known(), operations.known()) {
            (Ok(None), Ok(None)) => "Nothing is asked for.",
            (Ok(Some(_)), Ok(Some(_))) => "Both `access` and `operations` say what is asked for.",
            _ => return,
        };
        let detail = format!("{told}\n\nWrite `access`, or `operations` for what it has no word for.");
        report.push(Diagnostic::error("Access or operations", detail).at("access"));
    }

    async fn plan(ctx: &Context, plan: &mut Plan<AccessRequestModel>, call: &mut Call) -> Result<(), Failure> {
        plan_place(ctx, plan, call).await?;
        plan.keep_words();
        plan.plan_amendment(ctx, call).await
    }

    async fn admit(ctx: &Context, change: &Change<AccessRequestModel>, call: &mut Call) -> Result<(), Failure> {
        if call.phase == Phase::Apply {
            // The deed itself is decided on what is newest.
            return Ok(());
        }
        if let Some(prior) = &change.prior {
            call.private.set(REPLACED, prior.request_id.get().map(ToString::to_string));
        }
        let Some(model) = change.ending().or(change.plan.as_ref()) else { return Ok(()) };
        let governing = environment_of_plan(ctx, model)?.governance_if_told(call.deadline).await?;
        let Some(Governance { governed, snapshot }) = &told_of_declared(governing, call) else { return Ok(()) };
        let state = &snapshot.state;
        if let Some(prior) = change.ending() {
            return tell_end(governed, state, prior, call);
        }
        let Some(config) = &change.config else { return Ok(()) };
        let id = change.prior.as_ref().and_then(|it| it.request_id.get()).cloned();
        if let Some(id) = &id {
            change.tell_life(id, state, call);
        }
        let id = match id {
            Some(it) => it,
            None => config.new_id()?,
        };
        let command = Command::FileRequest(Box::new(config.filing(id)?));
        if let Err(Refusal(violations)) = governed.would(state, &command) {
            tell(&config.told_at_access(violations), call.phase, call);
        }
        Ok(())
    }

    async fn create(
        ctx: &Context,
        plan: AccessRequestModel,
        config: &AccessRequestModel,
        call: &mut Call,
    ) -> Result<AccessRequestModel, Failure> {
        let site = Site::of_plan(ctx, &plan, call).await?;
        let there = known(&site.governed, call.deadline).await?;
        let replaced = call.private.take(REPLACED);
        let is_replaced = |id: &RequestId| replaced.as_ref().is_some_and(|it| *it == id.to_string());
        let is_own = |id: &RequestId| is_replaced(id) || site.environment.has_made(&request_key(id));
        let id = match config.interrupted(&site.governed, &there.state, is_own)? {
            Some(id) => {
                call.report.push(taken_up(&id));
                id
            }
            None => config.new_id()?,
        };
        let plan = AccessRequestModel { request_id: id.clone().into(), ..plan };
        let state = config.file(plan, &site.governed, call).await?;
        site.environment.note_made(&request_key(&id));
        site.settle(state).await
    }

    async fn read(
        ctx: &Context,
        state: AccessRequestModel,
        call: &mut Call,
    ) -> Result<Option<AccessRequestModel>, Failure> {
        let imported = call.private.take(IMPORTED).is_some();
        let site = Site::of_state(ctx, &state, call).await?;
        let Some(Governance { governed, snapshot }) = site.governance("Access request", imported, call).await? else {
            return Ok((!imported).then_some(state));
        };
        let id = state.request_id.get().ok_or(Unknown)?.clone();
        let known = &snapshot.state;
        let is_awaited = is_awaited(&governed, call).await?;
        let Some(found) = known.request(&id) else { return Ok(state.unfolded(is_awaited, known, call)) };
        remember(call, &snapshot);
        let texts = if imported { Some(governed.texts_of_request(&id, call.deadline).await?) } else { None };
        let Some(mut seen) = state.seen(found, known, texts.as_ref()) else {
            return Err(not_an_access(&id).into());
        };
        tell_overdue(&id, found, call);
        seen.tell_lost(&id, found, known, &governed, call).await?;
        if is_awaited {
            seen.status = REQUESTED.to_owned().into();
        } else {
            tell_refused("request", known, call);
        }
        Ok(Some(settle_seen(seen, site.environment, site.cluster_id)?))
    }

    async fn update(
        ctx: &Context,
        prior: AccessRequestModel,
        plan: AccessRequestModel,
        config: &AccessRequestModel,
        call: &mut Call,
    ) -> Result<AccessRequestModel, Failure> {
        call.private.take(REPLACED);
        let site = Site::of_change(ctx, &prior, &plan, call).await?;
        let id = prior.request_id.get().ok_or(Unknown)?.clone();
        let is_asked = plan.revision.get().is_none() || prior.filing(id.clone())? != config.filing(id.clone())?;
        let state = if is_asked {
            config.file(plan, &site.governed, call).await?
        } else {
            let made = site.governed.follow(&id, call.deadline).await?;
            remember(call, &made);
            plan.after(made.state.request(&id), &made.state)
        };
        site.settle(state).await
    }

    async fn delete(ctx: &Context, state: AccessRequestModel, call: &mut Call) -> Result<(), Failure> {
        let site = Site::of_state(ctx, &state, call).await?;
        let id = state.request_id.get().ok_or(Unknown)?;
        // With `create_before_destroy`, what a create took up is not ended by the end of the one before.
        if state.on_destroy.get() == Some(&OnDestroy::Keep) || site.environment.has_made(&request_key(id)) {
            return Ok(());
        }
        requests::end(&site, id, Command::WithdrawRequest(id.clone()), call).await
    }

    async fn import(
        ctx: &Context,
        import: Import<AccessRequestIdentity>,
        call: &mut Call,
    ) -> Result<AccessRequestModel, Failure> {
        let named = |it: AccessRequestIdentity| Ok((it.cluster_id, it.request_id.value()?.clone()));
        let (environment, id) = import_of(ctx, "access request", import, named, call.deadline).await?;
        let state = AccessRequestModel {
            application: ApplicationRef::from(id.applicant().clone()).into(),
            request_id: id.into(),
            ..AccessRequestModel::default()
        };
        settle_imported(state, environment, call).await
    }
}

impl AccessRequestModel {
    /// Files the request under the id that the plan has, and makes what follows at once.
    async fn file(&self, plan: Self, governed: &Governed, call: &mut Call) -> Result<Self, Failure> {
        let id = plan.request_id.get().ok_or(Unknown)?.clone();
        let command = Command::FileRequest(Box::new(self.filing(id.clone())?));
        let there = known(governed, call.deadline).await?;
        let refused = |it: Refusal| Failure::from(Refusal(self.told_at_access(it.0)));
        let after = governed.request_after(&there.state, &command, &id).map_err(refused)?;
        let planned = plan.revision.get();
        if after.as_ref().is_some_and(|it| planned.is_some_and(|planned| planned != it.revision.as_str())) {
            return Err(stale().into());
        }
        ask(governed, &there.state, command, call).await?;
        let made = governed.follow(&id, call.deadline).await?;
        remember(call, &made);
        // What was filed shows only to those who may read their mailbox.
        let found = made.state.request(&id);
        let is_open = plan.status.get().is_none();
        let res = plan.after(found.or(after.as_ref()), &made.state);
        let is_unseen = found.is_none() || is_awaited(governed, call).await?;
        Ok(if is_open && is_unseen { Self { status: REQUESTED.to_owned().into(), ..res } } else { res })
    }

    /// The state after what was planned. What was planned as known stays, and a refresh tells what became of it meanwhile.
    fn after(self, found: Option<&Request>, known: &State) -> Self {
        let Some(found) = found else { return self };
        let told = |planned: Computed<String>, now: &str| match planned.get() {
            Some(_) => planned,
            None => now.to_owned().into(),
        };
        let owner = found.owner().map(ToString::to_string).unwrap_or_default();
        Self {
            revision: told(self.revision, found.revision.as_str()),
            owner: told(self.owner, &owner),
            status: told(self.status, requests::status(found, known)),
            ..self
        }
    }

    /// The state of a request that no journal has: who filed it may not write one, and nobody folded it yet, or refused it.
    fn unfolded(self, is_awaited: bool, known: &State, call: &mut Call) -> Option<Self> {
        let status = match outcome(call, known)? {
            _ if is_awaited => REQUESTED,
            Outcome::Awaited | Outcome::Taken => REQUESTED,
            Outcome::Refused(why) => {
                let detail = format!(
                    "The platform did not take the request up: {why}\n\nChange it, and the next apply files it again; or \
                     remove it."
                );
                call.report.push(Diagnostic::warning("Request refused", detail));
                REFUSED
            }
        };
        Some(Self { status: status.to_owned().into(), ..self })
    }
}

fn taken_up(id: &RequestId) -> Diagnostic {
    let detail = format!(
        "The request `{id}` asks for the same already and is open, as a create leaves it that was interrupted. It is \
         managed here from now on.\n\nIf another resource manages it too, remove one of them with a `removed` block and \
         `destroy = false`: a destroy of either would end it for both."
    );
    Diagnostic::warning("Request taken up again", detail)
}

fn stale() -> Diagnostic {
    let detail = "Since the plan, the principals of the application changed, so that this would ask for more than was \
                  planned.\n\nPlan again.";
    Diagnostic::error("Plan is stale", detail).at("revision")
}

fn not_an_access(id: &RequestId) -> Diagnostic {
    let detail = format!("The request `{id}` is not for access, and follows from the resource that asks for it.");
    Diagnostic::error("Not an access request", detail)
}

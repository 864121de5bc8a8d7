//! What is asked before a schema is registered: the rules of the environment, and the registry.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use super::{
    BodyChange, SchemaModel, SubjectEnd, comparing, leave,
    told::{self, Existing},
    writing,
};
use crate::{
    clients::{
        clock::now,
        registry::{Body, Mode, Registered, RegistryError, SchemaRegistry, Setting, Version},
    },
    framework::{Call, Change, Failure, Phase, Unknown},
    governance::{
        check_schema::{SchemaRequest, check_schema, check_schema_end, is_anothers},
        policy::Compatibility,
        subject::SubjectName,
        violation::Violation,
    },
    provider::{Environment, Governance},
    resources::{
        application::OnExisting,
        governed::{governance, tell},
        registry::told as told_of_registry,
    },
    schemas::Schema,
};

/// How long a plan waits for a registry, which tells its reader something and does nothing.
const DRY_RUN: Duration = Duration::from_secs(30);

/// Tells what the rules of the environment say against a schema, and answers whether it may be.
pub(super) async fn judge(
    environment: &Environment,
    change: &Change<SchemaModel>,
    plan: &SchemaModel,
    call: &mut Call,
) -> Result<bool, Failure> {
    let Some(governance) = governance(environment, call).await? else { return Ok(true) };
    let Governance { governed, snapshot } = &governance;
    let state = &snapshot.state;
    let asks = state.policy().is_some_and(|it| it.schemas.weakest_compatibility.is_some());
    let role = governed.caller().role(state);
    let mut wanted = request(plan)?;
    let before = change.prior.as_ref().filter(|_| !change.replacing).map(request).transpose()?;
    let mut undeclared = None;
    if asks && !wanted.is_declared {
        let is_reset = before.as_ref().is_some_and(|it| it.is_declared) && !is_anothers(state, &role, &wanted.subject);
        let found = held(environment, &wanted.subject, call).await?;
        // What nobody declares stays as somebody set it; what is declared no more is reset.
        let own = found.and_then(|it| it.own).filter(|_| !is_reset);
        undeclared = own.or(found.and_then(|it| it.general));
        (wanted.compatibility, wanted.is_declared) = (undeclared, own.is_some());
    }
    // What was not declared is what would be: nobody changes that here.
    let before = before.map(|it| SchemaRequest { compatibility: it.compatibility.or(undeclared), ..it });
    let violations = check_schema(state, &role, &wanted, before.as_ref(), now());
    tell(&violations, call.phase, call);
    let is_permitted = !violations.iter().any(Violation::forbids);
    if is_permitted {
        leave::hold(environment, &governance, change, plan, call).await?;
    }
    Ok(is_permitted)
}

/// The state from which a subject is changed. Settings that are another application's to say are changed from what they are
/// to come to: who was granted the subject has had them by an import, and takes none away.
pub(super) async fn changed_from(
    environment: &Environment,
    prior: &SchemaModel,
    plan: &SchemaModel,
    call: &mut Call,
) -> Result<SchemaModel, Failure> {
    let SchemaModel { compatibility, mode, .. } = plan;
    if (&prior.compatibility, &prior.mode) == (compatibility, mode) {
        return Ok(prior.clone());
    }
    let is_anothers = governance(environment, call).await?.is_some_and(|it| {
        let role = it.governed.caller().role(&it.snapshot.state);
        prior.subject.get().is_some_and(|subject| is_anothers(&it.snapshot.state, &role, subject))
    });
    if !is_anothers {
        return Ok(prior.clone());
    }
    Ok(SchemaModel { compatibility: compatibility.clone(), mode: mode.clone(), ..prior.clone() })
}

/// Tells what the rules of the environment say against the end of a subject. One that stays is nobody's to mind.
pub(super) async fn judge_end(environment: &Environment, prior: &SchemaModel, call: &mut Call) -> Result<(), Failure> {
    if prior.on_destroy.get() == Some(&SubjectEnd::Retain) {
        return Ok(());
    }
    let subject = prior.subject.value()?;
    let Some(governance) = governance(environment, call).await? else { return Ok(()) };
    let state = &governance.snapshot.state;
    let violations = check_schema_end(state, &governance.governed.caller().role(state), subject);
    tell(&violations, call.phase, call);
    if violations.iter().any(Violation::forbids) { Ok(()) } else { leave::hold_end(&governance, prior, call).await }
}

fn request(model: &SchemaModel) -> Result<SchemaRequest, Unknown> {
    let body = model.body().ok();
    let read = body.and_then(|it| Schema::parse(it.format, &it.schema, true).ok());
    let compatibility = model.compatibility.known()?.copied();
    let mut references: BTreeMap<SubjectName, BTreeSet<i64>> = BTreeMap::new();
    for it in model.references.get().into_iter().flatten() {
        let Some(subject) = it.model.subject.get() else { continue };
        references.entry(subject.clone()).or_default().extend(it.model.version.get());
    }
    let settings = [("compatibility", compatibility.is_some()), ("mode", !model.mode.is_null())];
    Ok(SchemaRequest {
        application: model.application.known()?.map(|it| it.name.clone()),
        compatibility,
        is_declared: compatibility.is_some(),
        names: read.map(|it| it.names().to_vec()),
        references,
        setting: settings.iter().find(|(_, is_declared)| *is_declared).map(|(attribute, _)| *attribute),
        ..SchemaRequest::new(model.subject.value()?.clone())
    })
}

/// The compatibility that a subject has in the registry. A plan does without where the registry does not tell, which it says
/// where it is tried; an apply does not.
async fn held(
    environment: &Environment,
    subject: &SubjectName,
    call: &Call,
) -> Result<Option<Setting<Compatibility>>, Failure> {
    let deadline = call.deadline.min(Instant::now() + DRY_RUN);
    match environment.registry()?.compatibility(subject, deadline).await {
        Err(_) if call.phase == Phase::Plan => Ok(None),
        answer => Ok(Some(answer?)),
    }
}

/// The version that the registry has for a planned schema already. `None` as well where it does not tell, which is told where
/// the plan is tried on it.
pub(super) async fn taken_for(
    environment: &Environment,
    plan: &SchemaModel,
    call: &Call,
) -> Result<Option<Registered>, Failure> {
    let (subject, body) = (plan.subject.value()?, plan.body()?);
    let Ok(registry) = environment.registry() else { return Ok(None) };
    let deadline = call.deadline.min(Instant::now() + DRY_RUN);
    Ok(registry.lookup(subject, &body, plan.normalizes(), deadline).await.unwrap_or_default())
}

/// Asks the registry what it would say of a plan, without changing anything.
pub(super) async fn try_out(
    environment: &Environment,
    change: &Change<SchemaModel>,
    plan: &SchemaModel,
    call: &mut Call,
) -> Result<(), Failure> {
    let prior = change.prior.as_ref().filter(|_| !change.replacing);
    let changed = prior.map_or(BodyChange::Meaning, |it| comparing::change(it, plan));
    let registry = environment.registry()?;
    // What the registry takes for the version of the state was told already, and nothing is registered.
    let is_kept = prior.is_some() && plan.version.known().is_ok();
    if changed == BodyChange::None || is_kept {
        return Ok(());
    }
    if changed == BodyChange::Documentation && !matches!(taken_for(environment, plan, call).await, Ok(Some(_))) {
        call.report.push(told::documentation(plan.subject.value()?));
    }
    let trial = Trial {
        registry,
        subject: plan.subject.value()?,
        deadline: call.deadline.min(Instant::now() + DRY_RUN),
        plan,
        prior,
    };
    match trial.run(change.replacing, call).await {
        Err(Asked::Registry(error)) => call.report.push(told::not_asked(&error)),
        Err(Asked::Unknown(Unknown)) | Ok(()) => {}
    }
    Ok(())
}

/// A plan that is held against a registry.
struct Trial<'a> {
    registry: &'a SchemaRegistry,
    subject: &'a SubjectName,
    deadline: Instant,
    plan: &'a SchemaModel,
    prior: Option<&'a SchemaModel>,
}

/// Why a question was not answered.
enum Asked {
    Registry(RegistryError),
    Unknown(Unknown),
}

impl From<RegistryError> for Asked {
    fn from(it: RegistryError) -> Self {
        Self::Registry(it)
    }
}

impl From<Unknown> for Asked {
    fn from(it: Unknown) -> Self {
        Self::Unknown(it)
    }
}

impl Trial<'_> {
    async fn run(&self, replacing: bool, call: &mut Call) -> Result<(), Asked> {
        let are_there = self.references(call).await?;
        if self.prior.is_none() && !replacing {
            self.existing(call).await?;
        }
        // What depends on schemas that are not there yet cannot be judged before they are.
        let body = self.plan.body()?;
        if !are_there {
            return Ok(());
        }
        self.mode(&body, call).await?;
        self.compatibility(&body, call).await
    }

    /// Looks for what the schema refers to, as far as that is known.
    async fn references(&self, call: &mut Call) -> Result<bool, Asked> {
        let mut are_there = true;
        let before = self.prior.and_then(|it| comparing::references(it).ok()).unwrap_or_default();
        for (at, it) in self.plan.references.get().into_iter().flatten().enumerate() {
            let (Some(subject), Some(version)) = (it.model.subject.get(), it.model.version.get()) else { continue };
            if before.iter().any(|it| (&it.subject, &it.version) == (subject, version)) {
                continue;
            }
            if self.registry.version(subject, Version::Number(*version), self.deadline).await?.is_none() {
                are_there = false;
                call.report.push(told::missing_reference(at, subject, *version));
            }
        }
        Ok(are_there)
    }

    async fn existing(&self, call: &mut Call) -> Result<(), Asked> {
        let Some(found) = self.registry.version(self.subject, Version::Latest, self.deadline).await? else {
            return Ok(());
        };
        let what = match self.plan.body() {
            Ok(body) => writing::existing(self.registry, &body, self.plan.normalizes(), &found, self.deadline).await?,
            Err(Unknown) => Existing::Other,
        };
        if self.plan.on_existing.get() == Some(&OnExisting::Adopt) {
            call.report.0.extend((what == Existing::Alike).then(|| told::kept(&found)));
            return Ok(());
        }
        call.report.push(told::existing_in_plan(&found, what));
        Ok(())
    }

    async fn mode(&self, body: &Body, call: &mut Call) -> Result<(), Asked> {
        let planned = self.plan.mode.known()?;
        if self.prior.is_some_and(|it| it.mode != self.plan.mode) {
            return Ok(());
        }
        let setting = match planned {
            Some(_) if self.prior.is_some() => planned.copied(),
            planned => {
                let found = self.registry.mode(self.subject, self.deadline).await?;
                let over_all = found.general.filter(|it| *it == Mode::ReadOnlyOverride);
                // What is declared as open is opened first, and for whoever comes after it is what it is now.
                let opened = planned.copied().filter(|it| *it == Mode::ReadWrite);
                over_all.or(opened).or(found.effective())
            }
        };
        let is_closed = matches!(setting, Some(Mode::ReadOnly | Mode::ReadOnlyOverride));
        if is_closed && !self.is_registered(body).await? {
            call.report.push(told::read_only(self.subject));
        }
        Ok(())
    }

    /// Whether the schema is a version already, which no registry refuses.
    async fn is_registered(&self, body: &Body) -> Result<bool, RegistryError> {
        match self.registry.lookup(self.subject, body, self.plan.normalizes(), self.deadline).await {
            Err(RegistryError::Invalid(_)) => Ok(false),
            answer => Ok(answer?.is_some()),
        }
    }

    /// Whether a schema that is called invalid is. Some registries do not follow references where they judge compatibility,
    /// and do where they look for a schema.
    async fn is_malformed(&self, body: &Body) -> Result<bool, RegistryError> {
        if body.references.is_empty() {
            return Ok(true);
        }
        match self.registry.lookup(self.subject, body, self.plan.normalizes(), self.deadline).await {
            Ok(_) => Ok(false),
            Err(RegistryError::Invalid(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    async fn compatibility(&self, body: &Body, call: &mut Call) -> Result<(), Asked> {
        let declared = self.plan.compatibility.known()?.copied();
        let changes = match self.prior {
            Some(prior) => prior.compatibility != self.plan.compatibility,
            None => declared.is_some(),
        };
        if changes && declared == Some(Compatibility::None) {
            return Ok(());
        }
        match self.registry.check(self.subject, body, self.plan.normalizes(), self.deadline).await {
            Ok(verdict) if verdict.is_compatible => {}
            // It returns to a version that is there, and nothing is registered.
            Ok(_) if self.is_registered(body).await? => {}
            Ok(verdict) => {
                // What is tightened is so after the schema is registered.
                let loosened = changes && {
                    let found = self.registry.compatibility(self.subject, self.deadline).await?;
                    writing::loosens(found, declared)
                };
                call.report.push(told::incompatible(self.subject, &verdict.messages, loosened));
            }
            Err(error @ RegistryError::Invalid(_)) => {
                let told = if self.is_malformed(body).await? {
                    told_of_registry(&error)
                } else {
                    told::references_not_followed(&error)
                };
                call.report.push(told);
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

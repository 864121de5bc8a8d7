//! What is done in a registry: what permits comes first, then the schema, then what restrains.

use std::time::Instant;

use super::{
    BodyChange, SchemaModel, SubjectEnd, comparing, object,
    told::{self, Existing},
};
use crate::{
    clients::registry::{Body, Mode, Registered, RegistryError, SchemaRegistry, Setting, Version},
    framework::{Call, Failure},
    governance::{policy::Compatibility, subject::SubjectName},
    provider::Environment,
    resources::application::OnExisting,
};

/// Whether a subject that is there already may become this one.
pub(super) async fn take_over(
    environment: &Environment,
    plan: &SchemaModel,
    found: &Registered,
    call: &mut Call,
) -> Result<(), Failure> {
    let subject = plan.subject.value()?;
    if plan.on_existing.get() == Some(&OnExisting::Adopt) || environment.has_made(&object(subject)) {
        return Ok(());
    }
    match existing(environment.registry()?, &plan.body()?, plan.normalizes(), found, call.deadline).await? {
        Existing::Other => return Err(told::exists(subject).into()),
        Existing::Same => call.report.push(told::taken_over(subject)),
        Existing::Alike => call.report.push(told::taken_over_alike(subject)),
    }
    Ok(())
}

/// Whether a subject is as a create leaves it that was interrupted: its one version is what is declared, in whatever form
/// the registry keeps it.
pub(super) async fn existing(
    registry: &SchemaRegistry,
    declared: &Body,
    normalize: bool,
    found: &Registered,
    deadline: Instant,
) -> Result<Existing, RegistryError> {
    let mut what = Existing::Same;
    if comparing::body_change(&found.body, declared) != BodyChange::None {
        what = match registry.lookup(&found.subject, declared, normalize, deadline).await {
            Err(RegistryError::Invalid(_)) => Existing::Other,
            answer => match answer? {
                Some(it) if it.id == found.id => Existing::Alike,
                _ => Existing::Other,
            },
        };
    }
    let is_left = what != Existing::Other && registry.versions(&found.subject, deadline).await?.len() == 1;
    Ok(if is_left { what } else { Existing::Other })
}

/// Registers the schema of a new subject, or of one that is taken over, by the newest version that it has.
pub(super) async fn create(
    registry: &SchemaRegistry,
    plan: SchemaModel,
    newest: Option<i64>,
    call: &mut Call,
) -> Result<SchemaModel, Failure> {
    let settings = Settings::of(registry, &SchemaModel::default(), &plan, call).await?;
    write(registry, settings, plan, true, newest, call).await
}

/// Registers another version where the schema changes, and changes the settings.
pub(super) async fn update(
    registry: &SchemaRegistry,
    prior: &SchemaModel,
    plan: SchemaModel,
    call: &mut Call,
) -> Result<SchemaModel, Failure> {
    let registers = plan.version.known().is_err();
    if !registers && comparing::change(prior, &plan) != BodyChange::None {
        still_kept(registry, &plan, call).await?;
    }
    let settings = Settings::of(registry, prior, &plan, call).await?;
    write(registry, settings, plan, registers, prior.version.get().copied(), call).await
}

/// That the registry takes a schema for the version that was planned, so that there is nothing to register.
async fn still_kept(registry: &SchemaRegistry, plan: &SchemaModel, call: &mut Call) -> Result<(), Failure> {
    let (subject, body) = (plan.subject.value()?, plan.body()?);
    let found = registry.lookup(subject, &body, plan.normalizes(), call.deadline).await?;
    let Some(found) = found.filter(|it| Some(&it.version) == plan.version.get()) else {
        return Err(told::kept_no_more(subject).into());
    };
    tell_kept(&found, &body, call);
    Ok(())
}

/// Tells of a version that the registry had before, where its text is another than the declared one.
fn tell_kept(found: &Registered, declared: &Body, call: &mut Call) {
    if comparing::body_change(&found.body, declared) != BodyChange::None {
        call.report.push(told::kept(found));
    }
}

async fn write(
    registry: &SchemaRegistry,
    settings: Settings,
    plan: SchemaModel,
    registers: bool,
    before: Option<i64>,
    call: &mut Call,
) -> Result<SchemaModel, Failure> {
    let subject = plan.subject.value()?.clone();
    let mut state = plan;
    let registered = match permitted(registry, &settings, &subject, registers.then_some(&state), call).await {
        Err(error) => {
            settings.take_back(registry, &subject, call).await;
            return Err(error);
        }
        Ok(it) => it,
    };
    if let Some(registered) = registered {
        if before.is_some_and(|it| registered.version < it) {
            call.report.push(told::older(&subject, registered.version));
        }
        if before.is_some_and(|it| registered.version <= it) {
            tell_kept(&registered, &state.body()?, call);
        }
        state = state.numbered(registered.version, registered.id);
    }
    settings.apply(registry, &subject, false, call).await?;
    Ok(state)
}

/// Permits what is to come, and registers the schema, if one is.
async fn permitted(
    registry: &SchemaRegistry,
    settings: &Settings,
    subject: &SubjectName,
    plan: Option<&SchemaModel>,
    call: &Call,
) -> Result<Option<Registered>, Failure> {
    settings.apply(registry, subject, true, call).await?;
    match plan {
        Some(plan) => register(registry, subject, plan, call).await.map(Some),
        None => Ok(None),
    }
}

/// Registers the schema, and finds out which version it is.
async fn register(
    registry: &SchemaRegistry,
    subject: &SubjectName,
    plan: &SchemaModel,
    call: &Call,
) -> Result<Registered, Failure> {
    let (body, normalize) = (plan.body()?, plan.normalizes());
    let id = match registry.register(subject, &body, normalize, call.deadline).await {
        // What takes nothing new may have it already, as where an apply was interrupted.
        Err(error @ RegistryError::NotPermitted(_)) => {
            let found = registry.lookup(subject, &body, normalize, call.deadline).await?;
            return Ok(found.ok_or(error)?);
        }
        answer => answer?,
    };
    if let Some(found) = registry.lookup(subject, &body, normalize, call.deadline).await? {
        return Ok(found);
    }
    // A registry may keep another text than it was given.
    let newest = registry.version(subject, Version::Latest, call.deadline).await?;
    let lost = || RegistryError::Strange(format!("it registered the schema {id} and does not show it in `{subject}`"));
    Ok(newest.filter(|it| it.id == id).ok_or_else(lost)?)
}

/// Whether a level permits more than the one that holds. Where nothing is known of that, it is better to ask for less first.
pub(super) fn loosens(found: Setting<Compatibility>, wanted: Option<Compatibility>) -> bool {
    !wanted.or(found.general).zip(found.effective()).is_some_and(|(new, old)| new.includes(old))
}

/// The settings to come.
struct Settings {
    compatibility: Option<ToCome<Compatibility>>,
    mode: Option<ToCome<Mode>>,
}

/// A setting to come.
#[derive(Clone, Copy)]
struct ToCome<T> {
    wanted: Option<T>,
    /// What the subject has now.
    own: Option<T>,
    /// Whether it permits more than before.
    permits: bool,
}

impl Settings {
    async fn of(
        registry: &SchemaRegistry,
        prior: &SchemaModel,
        plan: &SchemaModel,
        call: &Call,
    ) -> Result<Self, Failure> {
        let subject = plan.subject.value()?;
        let mut res = Self { compatibility: None, mode: None };
        if prior.compatibility != plan.compatibility {
            let found = registry.compatibility(subject, call.deadline).await?;
            let wanted = plan.compatibility.known()?.copied();
            res.compatibility = Some(ToCome { wanted, own: found.own, permits: loosens(found, wanted) });
        }
        if prior.mode != plan.mode {
            let wanted = plan.mode.known()?.copied();
            let restrains = matches!(wanted, Some(Mode::ReadOnly | Mode::ReadOnlyOverride));
            let own = registry.mode(subject, call.deadline).await?.own;
            res.mode = Some(ToCome { wanted, own, permits: !restrains });
        }
        Ok(res)
    }

    /// What was declared goes before the subject does: one of that name would find it, and a registry may not take it from
    /// what is deleted.
    async fn to_end(registry: &SchemaRegistry, state: &SchemaModel, call: &Call) -> Result<Self, Failure> {
        let bare = SchemaModel { subject: state.subject.clone(), ..SchemaModel::default() };
        let mut res = Self::of(registry, state, &bare, call).await?;
        if let Some(level) = &mut res.compatibility {
            level.permits = true;
        }
        Ok(res)
    }

    /// Sets those that permit more, or the others. A subject that is read only keeps its compatibility, too: it is opened
    /// before all else, and closed after all else.
    async fn apply(
        &self,
        registry: &SchemaRegistry,
        subject: &SubjectName,
        permitting: bool,
        call: &Call,
    ) -> Result<(), Failure> {
        let mode = self.mode.filter(|it| it.permits == permitting);
        if let Some(opened) = mode.filter(|_| permitting) {
            registry.set_mode(subject, opened.wanted, call.deadline).await?;
        }
        if let Some(level) = self.compatibility.filter(|it| it.permits == permitting) {
            registry.set_compatibility(subject, level.wanted, call.deadline).await?;
        }
        if let Some(closed) = mode.filter(|_| !permitting) {
            registry.set_mode(subject, closed.wanted, call.deadline).await?;
        }
        Ok(())
    }

    /// Takes back what was permitted for a version that did not come: nobody would know that more is permitted than before.
    async fn take_back(&self, registry: &SchemaRegistry, subject: &SubjectName, call: &mut Call) {
        let undone = async {
            if let Some(level) = self.compatibility.filter(|it| it.permits) {
                registry.set_compatibility(subject, level.own, call.deadline).await?;
            }
            if let Some(mode) = self.mode.filter(|it| it.permits) {
                registry.set_mode(subject, mode.own, call.deadline).await?;
            }
            Ok(())
        };
        if let Err(error) = undone.await {
            call.report.push(told::not_taken_back(subject, &error));
        }
    }
}

/// Ends a subject as its state says.
pub(super) async fn end(environment: &Environment, state: &SchemaModel, call: &mut Call) -> Result<(), Failure> {
    let for_good = match state.on_destroy.get() {
        Some(SubjectEnd::Retain) => return Ok(()),
        Some(SubjectEnd::Hard) => true,
        Some(SubjectEnd::Soft) | None => false,
    };
    let (registry, subject) = (environment.registry()?, state.subject.value()?);
    let settings = Settings::to_end(registry, state, call).await?;
    let ended = async {
        settings.apply(registry, subject, true, call).await?;
        Ok(registry.delete(subject, for_good, call.deadline).await?)
    };
    let ended: Result<(), Failure> = ended.await;
    if ended.is_err() {
        settings.take_back(registry, subject, call).await;
    }
    ended
}

//! Looking at a subject.

use super::{BodyChange, Computed, SchemaModel, SubjectEnd, comparing, told};
use crate::{
    clients::registry::{Registered, RegistryError, SchemaRegistry, Setting, Version},
    framework::{Call, Failure, Nested, Optional},
};

/// A subject that is imported: its newest version, and its own settings.
pub(super) async fn imported(
    registry: &SchemaRegistry,
    state: SchemaModel,
    call: &mut Call,
) -> Result<Option<SchemaModel>, Failure> {
    let subject = state.subject.value()?;
    let Some(found) = registry.version(subject, Version::Latest, call.deadline).await? else { return Ok(None) };
    let compatibility = registry.compatibility(subject, call.deadline).await?.own;
    let mode = registry.mode(subject, call.deadline).await?.own;
    Ok(Some(SchemaModel { compatibility: compatibility.into(), mode: mode.into(), ..state.with(found) }))
}

/// A subject of a state: whether its schema is registered there still. `None` if the subject is gone.
pub(super) async fn refreshed(
    registry: &SchemaRegistry,
    state: SchemaModel,
    call: &mut Call,
) -> Result<Option<SchemaModel>, Failure> {
    let subject = state.subject.value()?.clone();
    let Some(newest) = registry.seen(&subject, call.deadline).await? else {
        tell_remains(registry, &state, call).await?;
        return Ok(None);
    };
    let body = state.body()?;
    let is_newest = comparing::body_change(&newest.body, &body) == BodyChange::None;
    let is_as_before = is_newest && state.version.get() == Some(&newest.version);
    let own = if is_as_before {
        None
    } else {
        match registry.lookup(&subject, &body, state.normalizes(), call.deadline).await {
            // What it cannot read any more, as where a reference is gone, is not registered.
            Err(RegistryError::Invalid(_)) => None,
            answer => answer?,
        }
    };
    let seen = if is_as_before {
        state
    } else if let Some(own) = own {
        if own.version < newest.version {
            call.report.push(told::newer(&subject, own.version, newest.version));
        }
        state.numbered(own.version, own.id)
    } else if is_newest {
        state.numbered(newest.version, newest.id)
    } else {
        // It may have been the subject that went meanwhile.
        let Some(newest) = registry.version(&subject, Version::Latest, call.deadline).await? else { return Ok(None) };
        call.report.push(told::unregistered(&subject, newest.version));
        state.with(newest)
    };
    seen.with_settings(registry, call).await.map(Some)
}

/// Tells that a subject that was to end for good is deleted so that it can be brought back, as where its end was interrupted.
async fn tell_remains(registry: &SchemaRegistry, state: &SchemaModel, call: &mut Call) -> Result<(), Failure> {
    if state.on_destroy.get() != Some(&SubjectEnd::Hard) {
        return Ok(());
    }
    let subject = state.subject.value()?;
    if registry.subjects(true, call.deadline).await?.contains(subject) {
        call.report.push(told::remains(subject));
    }
    Ok(())
}

impl SchemaModel {
    /// The same, as another version has it.
    fn with(self, found: Registered) -> Self {
        let references: Vec<Nested<_>> = found.body.references.into_iter().map(Nested::from).collect();
        Self {
            format: found.body.format.into(),
            schema: found.body.schema.into(),
            references: Some(references).filter(|it| !it.is_empty()).into(),
            ..self.numbered(found.version, found.id)
        }
    }

    pub(super) fn numbered(self, version: i64, id: i64) -> Self {
        Self { version: Computed::from(version), schema_id: Computed::from(id), ..self }
    }

    /// Looks at the settings that are declared; those that are not are somebody else's.
    async fn with_settings(mut self, registry: &SchemaRegistry, call: &Call) -> Result<Self, Failure> {
        let subject = self.subject.value()?;
        if let Some(declared) = self.compatibility.get() {
            let found = registry.compatibility(subject, call.deadline).await?;
            self.compatibility = owned(found, *declared);
        }
        if let Some(declared) = self.mode.get() {
            let found = registry.mode(subject, call.deadline).await?;
            self.mode = owned(found, *declared);
        }
        Ok(self)
    }
}

/// A setting that is declared. Where the same holds for all, nobody can tell whether the subject has it itself.
fn owned<T: Copy + PartialEq>(found: Setting<T>, declared: T) -> Optional<T> {
    if found.effective() == Some(declared) { Some(declared).into() } else { found.own.into() }
}

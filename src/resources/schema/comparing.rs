//! How much a schema changes: by its meaning, and by what it refers to.

use super::SchemaModel;
use crate::{
    clients::registry::{Body, Reference},
    framework::Unknown,
    schemas::{Difference, Schema},
};

/// What becomes of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyChange {
    /// It means the same.
    None,
    /// Nobody knows before apply.
    Unknown,
    /// Its words for people change.
    Documentation,
    /// It changes.
    Meaning,
}

/// What becomes of a schema by a plan.
pub(super) fn change(prior: &SchemaModel, plan: &SchemaModel) -> BodyChange {
    match (prior.body(), plan.body()) {
        (Ok(before), Ok(after)) => body_change(&before, &after),
        _ => BodyChange::Unknown,
    }
}

/// Whether a planned text means the same as the one before, whatever either refers to.
pub(super) fn is_same_text(prior: &SchemaModel, plan: &SchemaModel) -> bool {
    let same = |before: &Body, after: &Body| body_change(before, after) == BodyChange::None;
    prior.text().is_ok_and(|before| plan.text().is_ok_and(|after| same(&before, &after)))
}

/// How one schema differs from another.
pub(super) fn body_change(before: &Body, after: &Body) -> BodyChange {
    if before.format != after.format || sorted(&before.references) != sorted(&after.references) {
        return BodyChange::Meaning;
    }
    if before.schema == after.schema {
        return BodyChange::None;
    }
    let read = |it: &Body| Schema::parse(it.format, &it.schema, true);
    match (read(before), read(after)) {
        (Ok(before), Ok(after)) => match before.difference(&after) {
            Difference::None => BodyChange::None,
            Difference::Documentation => BodyChange::Documentation,
            Difference::Meaning => BodyChange::Meaning,
        },
        _ => BodyChange::Meaning,
    }
}

fn sorted(references: &[Reference]) -> Vec<&Reference> {
    let mut res: Vec<_> = references.iter().collect();
    res.sort();
    res
}

/// What a schema refers to.
pub(super) fn references(model: &SchemaModel) -> Result<Vec<Reference>, Unknown> {
    let declared = model.references.known()?.into_iter().flatten();
    let read = |it: &super::ReferenceModel| {
        let super::ReferenceModel { name, subject, version } = it;
        Ok(Reference { name: name.value()?.clone(), subject: subject.value()?.clone(), version: *version.value()? })
    };
    declared.map(|it| read(&it.model)).collect()
}

//! What is told of schemas.

use crate::{
    clients::registry::{Registered, RegistryError},
    framework::{Diagnostic, Path, Step},
    governance::subject::SubjectName,
    resources::registry::remedy,
    schemas::{Format, Malformed},
};

/// Most letters of the line that is shown of a malformed schema.
const SHOWN: usize = 120;

/// Most letters of the text that a registry keeps.
const SHOWN_OF_KEPT: usize = 600;

/// A subject that is there before it is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    /// Its one version is what is declared.
    Same,
    /// The registry takes what is declared for its one version, whose text is another.
    Alike,
    /// Anything else.
    Other,
}

pub(super) fn malformed(format: Format, text: &str, malformed: &Malformed) -> Diagnostic {
    let line = text.lines().nth(malformed.at.line - 1).unwrap_or_default().trim();
    let line: String = line.chars().take(SHOWN).collect();
    let shown = if line.is_empty() { String::new() } else { format!("\n\n  {line}") };
    let mut detail = format!("This is no schema of the format {format}: {malformed}.{shown}");
    if format == Format::Avro && text.trim_start().starts_with("syntax") {
        detail.push_str("\n\nIt looks like Protobuf: write `format = \"PROTOBUF\"`.");
    }
    Diagnostic::error("Malformed schema", detail).at("schema")
}

fn at_reference(at: usize, attribute: &str) -> Path {
    Path::attribute("references").then(Step::Index(at)).then(Step::Attribute(attribute.to_owned()))
}

pub(super) fn named_twice(at: usize, name: Option<&String>) -> Diagnostic {
    let name = name.map(String::as_str).unwrap_or_default();
    let detail =
        format!("Two of the references are called `{name}`, so that the schema could mean either. Remove one.");
    Diagnostic::error("Reference named twice", detail).at(at_reference(at, "name"))
}

pub(super) fn refers_to_itself(at: usize, subject: Option<&SubjectName>) -> Diagnostic {
    let subject = subject.map(ToString::to_string).unwrap_or_default();
    let detail = format!(
        "The schema refers to `{subject}`, which is its own subject: what it needs would have to be there before \
         it.\n\nWrite the types that name each other into one schema, or into a subject of their own."
    );
    Diagnostic::error("Schema refers to itself", detail).at(at_reference(at, "subject"))
}

pub(super) fn no_version(at: usize) -> Diagnostic {
    let detail = "Versions count from 1. Write the `version` of the other `kafka_schema`.";
    Diagnostic::error("Invalid version of a reference", detail).at(at_reference(at, "version"))
}

pub(super) fn missing_reference(at: usize, subject: &SubjectName, version: i64) -> Diagnostic {
    let detail = format!(
        "The registry has no version {version} of `{subject}` now, and apply will fail unless it is there by \
         then.\n\nWhere it is made in the same run, write the `version` of its `kafka_schema` in place of the number, so that \
         it is made first."
    );
    Diagnostic::warning("Reference is missing", detail).at(at_reference(at, "version"))
}

pub(super) fn import_mode() -> Diagnostic {
    let detail = "A registry in this mode wants versions with ids and numbers of one's own choice, which are not declared here; \
                  and what was deleted of the subject is removed for good when the mode is set.\n\nRemove the line, or write \
                  another mode. Import with a tool of the registry, and declare the subject when that is done.";
    Diagnostic::error("Mode not supported", detail).at("mode")
}

pub(super) fn other_registry(before: &str, after: &str) -> Diagnostic {
    let detail = format!(
        "The environments `{before}` and `{after}` are of one cluster, and have different schema registries: the schema is in \
         that of `{before}`, and would neither be registered in the other nor end where it is.\n\nDeclare it in `{after}` with a \
         resource of its own. If both are one registry, write the same `url` in `schema_registry` of both."
    );
    Diagnostic::error("Another schema registry", detail).at("environment")
}

pub(super) fn twice(subject: &SubjectName) -> Diagnostic {
    let detail = format!(
        "Another resource of this plan is the subject `{subject}` too. Each would register its schema after the \
         other's.\n\nRemove one of them. What is in the state already leaves it with a `removed` block and `destroy = \
         false`."
    );
    Diagnostic::error("Subject planned twice", detail).at("subject")
}

pub(super) fn documentation(subject: &SubjectName) -> Diagnostic {
    let detail = format!(
        "Nothing but the documentation in the schema of `{subject}` changes. It is registered as a version of its own all \
         the same, and messages that are written with it carry another id."
    );
    Diagnostic::warning("Only the documentation changes", detail).at("schema")
}

/// What a registry keeps that takes a schema for one that it has, by a comparison that leaves out some of it.
fn keeps(found: &Registered) -> String {
    let Registered { subject, version, body, .. } = found;
    let mut text: String = body.schema.chars().take(SHOWN_OF_KEPT).collect();
    if text.len() < body.schema.len() {
        text.push('…');
    }
    format!(
        "The registry takes what is declared for version {version} of `{subject}`, because it does not compare all that a schema \
         says, such as documentation, aliases or defaults. It registers nothing, and keeps and gives out this text:\n\n\
         {text}\n\nDeclare that text; or change, along with what is new, something that the registry compares, such as a \
         field."
    )
}

pub(super) fn kept(found: &Registered) -> Diagnostic {
    Diagnostic::warning("Registry keeps another text", keeps(found)).at("schema")
}

pub(super) fn kept_no_more(subject: &SubjectName) -> Diagnostic {
    let detail = format!(
        "When this was planned, the registry took the schema for the version of `{subject}` that is there, and now it does \
         not. Nothing was changed.\n\nPlan again."
    );
    Diagnostic::error("Plan out of date", detail).at("schema")
}

pub(super) fn existing_in_plan(found: &Registered, existing: Existing) -> Diagnostic {
    let subject = &found.subject;
    let detail = match existing {
        Existing::Same => format!(
            "The registry has `{subject}` already, and its schema means the same. Apply takes it over, as what a create left \
             that was interrupted."
        ),
        Existing::Alike => format!(
            "The registry has `{subject}` already. Apply takes it over, as what a create left that was interrupted, though its \
             text is another.\n\n{}",
            keeps(found)
        ),
        Existing::Other => {
            format!("The registry has `{subject}` already. Apply will fail unless it is gone by then.\n\n{ADOPT}")
        }
    };
    Diagnostic::warning("Subject already exists", detail).at("subject")
}

const ADOPT: &str = "Import it with an `import` block, or set `on_existing = \"adopt\"` to register the schema as its next \
                     version.";

pub(super) fn exists(subject: &SubjectName) -> Diagnostic {
    Diagnostic::error("Subject already exists", format!("The registry has `{subject}` already.\n\n{ADOPT}"))
        .at("subject")
}

pub(super) fn taken_over(subject: &SubjectName) -> Diagnostic {
    let detail = format!(
        "The registry had `{subject}` already, with one version that means what is declared, as a create leaves it that was \
         interrupted. It is managed here from now on.\n\nIf another state manages it too, remove it from one of them with a \
         `removed` block and `destroy = false`."
    );
    Diagnostic::warning("Subject taken over", detail).at("subject")
}

pub(super) fn taken_over_alike(subject: &SubjectName) -> Diagnostic {
    let detail = format!(
        "The registry had `{subject}` already, with one version for which it takes what is declared, though its text is \
         another. It is managed here from now on.\n\nIf another state manages it too, remove it from one of them with a \
         `removed` block and `destroy = false`."
    );
    Diagnostic::warning("Subject taken over", detail).at("subject")
}

pub(super) fn made_here(subject: &SubjectName) -> Diagnostic {
    let detail = format!(
        "`{subject}` is the new one by now: this run registered it. With `create_before_destroy`, a subject of the same name \
         is not replaced."
    );
    Diagnostic::warning("Subject not deleted", detail)
}

pub(super) fn incompatible(subject: &SubjectName, messages: &[String], loosened: bool) -> Diagnostic {
    let mut reasons: Vec<String> = messages.iter().take(20).map(|it| format!("- {it}")).collect();
    if reasons.is_empty() {
        reasons.push("It does not say why.".to_owned());
    }
    let reasons = reasons.join("\n");
    if loosened {
        let detail = format!(
            "By the compatibility that `{subject}` has now, the registry would refuse the schema:\n\n{reasons}\n\nThe plan \
             changes the compatibility as well, and apply will tell."
        );
        return Diagnostic::warning("Schema incompatible", detail).at("schema");
    }
    let detail = format!(
        "The registry would refuse the schema of `{subject}`, which may not follow the versions that are \
         there:\n\n{reasons}\n\nChange the schema, or set `compatibility` to a level that permits the change."
    );
    Diagnostic::error("Schema incompatible", detail).at("schema")
}

pub(super) fn read_only(subject: &SubjectName) -> Diagnostic {
    let detail = format!(
        "The registry takes no new version of `{subject}`: its mode permits reading alone.\n\nSet `mode = \"READWRITE\"`, or \
         have the mode of the registry changed."
    );
    Diagnostic::error("Subject is read-only", detail).at("mode")
}

pub(super) fn not_taken_back(subject: &SubjectName, error: &RegistryError) -> Diagnostic {
    let detail = format!(
        "What `{subject}` permits was changed for what failed, and could not be changed back: it may permit more than \
         before.\n\nLook at its compatibility and its mode in the registry, or apply again. {}",
        remedy(error)
    );
    Diagnostic::warning("Setting not taken back", detail).caused_by(error)
}

pub(super) fn not_asked(error: &RegistryError) -> Diagnostic {
    let detail = format!(
        "The plan could not be tried on the registry, so that what it would refuse shows only in apply.\n\n{}",
        remedy(error)
    );
    Diagnostic::warning("Not checked by the registry", detail).caused_by(error)
}

pub(super) fn references_not_followed(error: &RegistryError) -> Diagnostic {
    let detail = "The registry does not follow `references` where it judges compatibility, so that it cannot read the schema \
                  there. It does where it registers: whether it takes the schema shows only in apply.";
    Diagnostic::warning("Not checked by the registry", detail).at("schema").caused_by(error)
}

pub(super) fn newer(subject: &SubjectName, own: i64, newest: i64) -> Diagnostic {
    let detail = format!(
        "The schema that is declared is version {own} of `{subject}`, and version {newest} is newer: somebody else \
         registered it, or the declared one was there before. Programs that take the newest version take that.\n\nWrite the \
         newest schema here, or have it deleted in the registry."
    );
    Diagnostic::warning("Newer version registered", detail).at("schema")
}

pub(super) fn older(subject: &SubjectName, version: i64) -> Diagnostic {
    let detail = format!(
        "The schema is version {version} of `{subject}`, which was there before and is not the newest: registries do not \
         register a schema twice. Programs that take the newest version do not take it.\n\nDelete the newer versions in the \
         registry, or change the schema so that it differs from all before."
    );
    Diagnostic::warning("Older version is the same", detail).at("schema")
}

pub(super) fn unregistered(subject: &SubjectName, newest: i64) -> Diagnostic {
    let detail = format!(
        "The schema that was registered is no version of `{subject}` any more: somebody deleted it. The newest version is \
         {newest}, and the declared schema will be registered again."
    );
    Diagnostic::warning("Version deleted outside", detail).at("schema")
}

pub(super) fn remains(subject: &SubjectName) -> Diagnostic {
    let detail = format!(
        "`{subject}` is deleted, and not for good, as `on_destroy = \"hard\"` has it: its end was interrupted, or somebody else \
         deleted it. The registry can bring it back, and messages that were written with it are read.\n\nDelete it for good in \
         the registry, with `DELETE /subjects/<subject>?permanent=true`; or register it again, and destroy it then."
    );
    Diagnostic::warning("Subject not deleted for good", detail).at("on_destroy")
}

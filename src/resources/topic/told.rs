//! What is told of topics.

use crate::{
    framework::{Diagnostic, Failure},
    governance::topic::TopicName,
};

pub(super) fn internal(name: Option<&TopicName>) -> Diagnostic {
    let name = name.map(ToString::to_string).unwrap_or_default();
    let detail =
        format!("`{name}` is one of Kafka's own topics, whose names begin with `__`. They are not managed here.");
    Diagnostic::error("Internal topic", detail).at("name")
}

pub(super) fn protected(name: &str) -> Diagnostic {
    let detail = format!(
        "The plan would delete the topic `{name}` and its data, and `deletion_protection` is true in its state.\n\nIf \
         that is meant, set `deletion_protection = false` and apply, then delete it. If the topic is tainted, lift the \
         taint before with the engine's `untaint` command: a tainted topic can only be deleted, and its state still \
         protects it. To keep the topic and only stop managing it, use a `removed` block with `destroy = false`."
    );
    Diagnostic::error("Topic is protected", detail).at("deletion_protection")
}

pub(super) fn twice(name: &TopicName) -> Diagnostic {
    let detail = format!(
        "Another resource of this plan is the topic `{name}` too, be it in another environment of the same cluster, or has \
         a name that differs in `.` and `_` alone, which Kafka's metrics do not tell apart. Each topic has one owner.\n\n\
         Remove one of them. What is in the state already leaves it with a `removed` block and `destroy = false`, so that \
         the topic keeps its data."
    );
    Diagnostic::error("Topic planned twice", detail).at("name")
}

pub(super) fn taken_over(name: &TopicName) -> Diagnostic {
    let detail = format!(
        "The topic `{name}` was there already, exactly as planned and never written to, as a create leaves it that was \
         interrupted. It is managed here from now on.\n\nIf another state manages it too, remove it from one of them \
         with a `removed` block and `destroy = false`: a destroy of either would delete the data of both."
    );
    Diagnostic::warning("Topic taken over", detail).at("name")
}

pub(super) fn not_shown(name: &TopicName) -> Diagnostic {
    let detail = format!(
        "The topic `{name}` was not made: the principal that the provider authenticates as may not DESCRIBE it, and the \
         broker is to decide how many partitions and copies it has, which could not be told then.\n\nGrant it DESCRIBE and \
         DESCRIBE_CONFIGS with an ACL, or declare `partitions` and `replication_factor`."
    );
    Diagnostic::error("Topic could not be seen", detail).at("name")
}

pub(super) fn stale(planned: i32, actual: i32) -> Failure {
    let detail = format!("The plan has {planned} partitions, and by now the topic has {actual}.\n\nPlan again.");
    Diagnostic::error("Plan is stale", detail).at("partitions").into()
}

pub(super) fn made_anew(severity: fn(String, String) -> Diagnostic, name: &TopicName) -> Diagnostic {
    severity(
        "Topic was made anew outside".to_owned(),
        format!(
            "Somebody deleted `{name}` and created it again: it holds other data than the topic that was managed here, \
             and it will not be deleted.\n\nTo manage the new one, remove the old one from the state with a `removed` \
             block and import it."
        ),
    )
}

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

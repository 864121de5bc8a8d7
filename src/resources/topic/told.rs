//! What is told of topics.

use std::collections::BTreeMap;

use crate::{
    framework::{Diagnostic, Failure},
    governance::{
        grants::MadeAnew,
        request::{Grant, Request, RequestId, RequestStatus},
        topic::TopicName,
        violation::listed,
    },
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

pub(super) fn access_to_new(it: &MadeAnew, is_meant: bool) -> Diagnostic {
    let remedy = if is_meant {
        "The next apply with the platform's credentials says that this is the topic that they may use. If it is not, \
         revoke their access before."
    } else {
        "If they are to use the new one, have the platform import it and apply; if not, revoke their access."
    };
    let detail = format!(
        "Somebody deleted `{}` and created it again, and the access that others were granted to it before holds: \
         {it}.\n\n{remedy}",
        it.topic
    );
    Diagnostic::warning("Access to a topic made anew", detail)
}

pub(super) fn access_left(name: &TopicName, left: &BTreeMap<RequestId, Grant>) -> Diagnostic {
    let all = left.iter().map(|(id, it)| {
        let rules = listed(it.bindings.iter().take(10));
        format!("`{}` (`{id}`): {rules}", it.content.applicant.name)
    });
    let detail = format!(
        "Access that others had to the topic `{name}` is revoked, and its rules are on the cluster still, for whoever \
         applies may not change them:\n\n{}\n\nA topic that is made of that name before they are gone could be used by \
         them. The next `reconcile` with the platform's rights removes them.",
        all.collect::<Vec<_>>().join("\n")
    );
    Diagnostic::warning("Rules left behind", detail)
}

pub(super) fn needs_leave(name: &TopicName, is_new: bool) -> Diagnostic {
    let (what, until) = if is_new {
        ("is made so", "The topic is not there until that is approved")
    } else {
        ("is changed so", "The topic stays as it is until that is approved")
    };
    let detail = format!(
        "The environment has the platform agree before `{name}` {what}: the apply files a request, and `request_id` names \
         it. {until} with a `kafka_access_decision` of the platform, and is made exactly as it is declared here then."
    );
    Diagnostic::warning("Change needs approval", detail)
}

pub(super) fn end_needs_leave(id: &RequestId, request: &Request) -> Diagnostic {
    let remedy = match request.status {
        RequestStatus::Rejected => {
            "It was rejected. Declare the topic again to keep it, or have the platform approve it."
        }
        _ => {
            "The apply asks for that and ends with an error, and the topic stays until the platform approves it. Apply again \
             then."
        }
    };
    let detail =
        format!("The environment has the platform agree before the topic is deleted: request `{id}`.\n\n{remedy}");
    Diagnostic::warning("Deletion needs approval", detail)
}

pub(super) fn end_waits(name: &TopicName, id: &RequestId, request: &Request) -> Failure {
    let (summary, what, remedy) = match request.status {
        RequestStatus::Rejected => (
            "Deletion rejected",
            "was rejected",
            "Declare the topic again to keep it, or have the platform approve the request after all and apply again.",
        ),
        _ => (
            "Deletion waits for approval",
            "waits for the platform",
            "Apply again when it is approved with a `kafka_access_decision`. To keep the topic, declare it again: that \
             withdraws the request.",
        ),
    };
    let detail = format!("The topic `{name}` is not deleted: the request `{id}` to delete it {what}.\n\n{remedy}");
    Diagnostic::error(summary, detail).into()
}

pub(super) fn end_taken_back(name: &TopicName, id: &RequestId) -> Diagnostic {
    let detail = format!(
        "The topic `{name}` is declared, and the request `{id}` asks to delete it: the apply withdraws that request."
    );
    Diagnostic::warning("Deletion taken back", detail)
}

pub(super) fn rejected(name: &TopicName, id: &RequestId, reason: Option<&str>) -> Diagnostic {
    let reason = reason.map_or_else(|| ".".to_owned(), |it| format!(": {it}"));
    let detail = format!(
        "The platform rejected the request `{id}` for what is declared of `{name}`{reason}\n\nChange the declaration, \
         which asks again, or write what the topic was before, which withdraws the request."
    );
    Diagnostic::warning("Change rejected", detail)
}

pub(super) fn rules_changed(name: &TopicName) -> Failure {
    let detail = format!(
        "The environment has the platform agree before `{name}` is changed so, which it did not when this was planned.\n\n\
         Plan again: the next apply files a request."
    );
    Diagnostic::error("Plan is stale", detail).into()
}

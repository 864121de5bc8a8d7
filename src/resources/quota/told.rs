//! What is told of quotas.

use super::{entity::EntityName, limits::KEYS};
use crate::{
    framework::{Diagnostic, Phase},
    governance::violation::listed,
    resources::failures::{in_the_way, unless_gone},
};

pub(super) fn no_entity() -> Diagnostic {
    let detail = "Nobody is told whom the quota is for.\n\nWrite `user`, `client_id`, both, or `ip`; or `user_default = true`, \
                  `client_id_default = true` or `ip_default = true` for all that have no quota of their own.";
    Diagnostic::error("No entity", detail)
}

pub(super) fn named_and_default(attribute: &'static str) -> Diagnostic {
    let detail = format!(
        "`{attribute}` names one, and `{attribute}_default` means all others.\n\nRemove one of them; each is a quota of its \
         own."
    );
    Diagnostic::error("Name and default together", detail).at(attribute)
}

pub(super) fn address_beside_client() -> Diagnostic {
    let detail = "Kafka has quotas of addresses, and quotas of users and client ids, and none of both together.\n\nWrite a \
                  quota for each.";
    Diagnostic::error("Address beside a user or client", detail).at("ip")
}

pub(super) fn two_forms(old: &'static str, new: &str) -> Diagnostic {
    let detail = format!("`{old}` and `{new}` tell the same in two forms.\n\nRemove `{old}`, which is the older one.");
    Diagnostic::error("Two forms together", detail).at(old)
}

pub(super) fn no_entity_type() -> Diagnostic {
    let detail = "`entity_name` means nothing without a kind.\n\nWrite `user`, `client_id` or `ip` instead.";
    Diagnostic::error("No entity", detail).at("entity_name")
}

pub(super) fn unknown_entity_type(kind: &str) -> Diagnostic {
    let detail = format!(
        "Kafka has no quotas of `{kind}`, only of `user`, `client-id` and `ip`.\n\nWrite `user`, `client_id` or `ip` instead \
         of `entity_type` and `entity_name`."
    );
    Diagnostic::error("Unknown kind of entity", detail).at("entity_type")
}

pub(super) fn empty_name(attribute: &'static str) -> Diagnostic {
    let detail = "The name of an entity is not empty.\n\nWrite a name; for all that have no quota of their own, write \
                  `user_default`, `client_id_default` or `ip_default`.";
    Diagnostic::error("Empty name", detail).at(attribute)
}

pub(super) fn no_address(attribute: &'static str, text: &str) -> Diagnostic {
    let detail = format!("`{text}` is no IP address.\n\nWrite one such as `192.0.2.1` or `2001:db8::1`.");
    Diagnostic::error("Invalid address", detail).at(attribute)
}

pub(super) fn no_limit() -> Diagnostic {
    let detail = "A quota without limits is none: brokers would not keep it.\n\nWrite at least one of `producer_byte_rate`, \
                  `consumer_byte_rate`, `request_percentage` and `controller_mutation_rate`, or `connection_creation_rate` \
                  for addresses.";
    Diagnostic::error("No limit", detail)
}

pub(super) fn unknown_key(key: &str, nearest: Option<&str>) -> Diagnostic {
    let remedy = match nearest {
        Some(nearest) => format!("Did you mean `{nearest}`?"),
        None => format!("Kafka has {}.", listed(KEYS.iter().map(|it| it.name))),
    };
    Diagnostic::error("Unknown quota", format!("Kafka has no quota `{key}`.\n\n{remedy}"))
}

/// `addresses`: whether the key is about them.
pub(super) fn not_of(key: &str, addresses: bool) -> Diagnostic {
    let detail = if addresses {
        format!("`{key}` is for addresses, not for users and client ids.\n\nWrite a quota with `ip` for it.")
    } else {
        format!(
            "`{key}` is for users and client ids, not for addresses, of which Kafka has `connection_creation_rate` \
             alone.\n\nWrite a quota with `user` or `client_id` for it."
        )
    };
    Diagnostic::error("Quota of another kind of entity", detail)
}

pub(super) fn not_positive(key: &str) -> Diagnostic {
    let detail = format!(
        "A limit is more than zero.\n\nWrite a number above zero as `{key}`, or leave it out for no limit. To keep somebody \
         out, use ACLs."
    );
    Diagnostic::error("Invalid limit", detail)
}

pub(super) fn not_whole(key: &str) -> Diagnostic {
    Diagnostic::error(
        "Invalid limit",
        format!("Kafka takes whole numbers up to {} alone as `{key}`.\n\nWrite one.", i64::MAX),
    )
}

/// `other` is what the entity has, such as `producer_byte_rate = 1024`.
pub(super) fn exists(phase: Phase, name: &EntityName, other: &[String]) -> Diagnostic {
    let detail = format!(
        "`{name}` has other limits already: {}. Somebody else may count on them{}.\n\nImport it with an `import` block, or \
         write `on_existing = \"adopt\"`, which changes them at once.",
        other.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", "),
        unless_gone(phase)
    );
    in_the_way(phase, "Quota already exists", detail)
}

pub(super) fn twice(name: &EntityName) -> Diagnostic {
    let detail = format!(
        "Another resource of this plan is the quota of `{name}` too, be it in another environment of the same cluster. A \
         quota has one holder, or each would undo the other's.\n\nWrite all limits in one of them. What is in the state \
         already leaves it with a `removed` block and `destroy = false`."
    );
    Diagnostic::error("Quota planned twice", detail)
}

pub(super) fn kept(name: &EntityName) -> Diagnostic {
    let detail = format!(
        "`{name}` has its new limits by now: this run set them. With `create_before_destroy`, a quota of the same entity is \
         not replaced."
    );
    Diagnostic::warning("Quota not deleted", detail)
}

pub(super) fn not_refreshed(name: &EntityName) -> Diagnostic {
    let detail = format!("The quota of `{name}` may not be described, so that its state stays as it was stored.");
    Diagnostic::warning("Quota not refreshed", detail)
}

/// How an entity is written.
const ENTITY: &str = "`user=alice`, `user=alice,client-id=app`, `client-id=<default>` or `ip=192.0.2.1`, and `,`, `/`, `<` and \
                      `%` in a name as `%2C`, `%2F`, `%3C` and `%25`";

pub(super) fn identifier() -> Diagnostic {
    let detail = format!(
        "The identifier of a quota is `<environment>/<entity>`, or `<entity>` in the default environment; an entity is \
         written as {ENTITY}."
    );
    Diagnostic::error("Invalid quota identifier", detail)
}

pub(super) fn entity() -> Diagnostic {
    Diagnostic::error("Invalid quota identity", format!("`entity` is written as {ENTITY}."))
}

//! What is wrong with a quota by itself.

use std::net::IpAddr;

use super::{
    QuotaModel,
    limits::{self, WrongLimit},
    told,
};
use crate::{
    clients::kafka::QuotaEntity,
    framework::{Diagnostics, Element, Number, Optional, Path},
    resources::users::username,
};

/// The kinds of entities, as other providers write them.
const KINDS: [&str; 3] = ["user", "client-id", "ip"];

impl QuotaModel {
    /// Whether exactly one entity is told, in one form, and Kafka has such.
    pub(super) fn check_entity(&self, report: &mut Diagnostics) {
        let parts = [
            ("user", &self.user, &self.user_default),
            ("client_id", &self.client_id, &self.client_id_default),
            ("ip", &self.ip, &self.ip_default),
        ];
        let is_told = |name: &Optional<String>, default: &Optional<bool>| {
            !name.is_null() || !(default.is_null() || default.get() == Some(&false))
        };
        let told_parts: Vec<&str> =
            parts.iter().filter(|(_, name, default)| is_told(name, default)).map(|it| it.0).collect();
        for (attribute, name, default) in parts {
            if !name.is_null() && default.get() == Some(&true) {
                report.push(told::named_and_default(attribute));
            }
            check_name(attribute, name, report);
        }
        let has_type_or_name = !self.entity_type.is_null() || !self.entity_name.is_null();
        match (has_type_or_name, told_parts.as_slice()) {
            (true, [_, ..]) => report.push(told::two_forms("entity_type", told_parts[0])),
            (true, []) => self.check_old_entity(report),
            (false, []) => report.push(told::no_entity()),
            (false, ["user" | "client_id", .., "ip"]) => report.push(told::address_beside_client()),
            (false, _) => {}
        }
    }

    fn check_old_entity(&self, report: &mut Diagnostics) {
        if self.entity_type.is_null() {
            report.push(told::no_entity_type());
        }
        match self.entity_type.get().map(String::as_str) {
            Some(kind) if !KINDS.contains(&kind) => report.push(told::unknown_entity_type(kind)),
            Some("ip") => check_address("entity_name", &self.entity_name, report),
            _ => {}
        }
        if self.entity_name.get().is_some_and(String::is_empty) {
            report.push(told::empty_name("entity_name"));
        }
    }

    /// Whether there are limits, in one form, and Kafka has such for the entity.
    pub(super) fn check_limits(&self, report: &mut Diagnostics) {
        let is_attribute = self.attributes().into_iter().find(|(_, limit)| !limit.is_null());
        match (is_attribute, self.config.is_null()) {
            (Some((key, _)), false) => report.push(told::two_forms("config", key)),
            (None, true) => report.push(told::no_limit()),
            _ => {}
        }
        let known = self.name().ok().map(|it| it.0).filter(|it| it.parts().next().is_some());
        let of = known.as_ref();
        for (key, limit) in self.attributes() {
            check_limit(key, limit.get(), Path::attribute(key), of, report);
        }
        let config = self.config.get().into_iter().flatten();
        for (key, limit) in config {
            let at = Path::attribute("config").key(key);
            match limit {
                Element::Known(limit) => check_limit(key, Some(limit), at, of, report),
                // Whatever it will be, the key can be judged.
                Element::Unknown => check_limit(key, Some(&Number::Int(1)), at, of, report),
                Element::Null => {}
            }
        }
        let is_empty = self.config.get().is_some_and(|it| it.values().all(|it| *it == Element::Null));
        if is_empty && is_attribute.is_none() {
            report.push(told::no_limit());
        }
    }
}

fn check_name(attribute: &'static str, name: &Optional<String>, report: &mut Diagnostics) {
    match name.get() {
        Some(it) if it.is_empty() => report.push(told::empty_name(attribute)),
        Some(it) if attribute == "user" => report.0.extend(username(it, "user")),
        _ => {}
    }
    if attribute == "ip" {
        check_address(attribute, name, report);
    }
}

fn check_address(attribute: &'static str, name: &Optional<String>, report: &mut Diagnostics) {
    if let Some(text) = name.get().filter(|it| !it.is_empty() && it.parse::<IpAddr>().is_err()) {
        report.push(told::no_address(attribute, text));
    }
}

fn check_limit(key: &str, limit: Option<&Number>, at: Path, of: Option<&QuotaEntity>, report: &mut Diagnostics) {
    let Some(limit) = limit else { return };
    match limits::wrong(key, limit, of) {
        Some(WrongLimit::Unknown(nearest)) => report.push(told::unknown_key(key, nearest).at(at)),
        Some(WrongLimit::NotOf { addresses }) => report.push(told::not_of(key, addresses).at(at)),
        Some(WrongLimit::NotPositive) => report.push(told::not_positive(key).at(at)),
        Some(WrongLimit::NotWhole) => report.push(told::not_whole(key).at(at)),
        None => {}
    }
}

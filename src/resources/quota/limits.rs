//! What a quota limits, by Kafka's own keys.

use crate::{
    clients::kafka::{Quota, QuotaChanges, QuotaEntity},
    framework::Number,
    governance::{client_quota::is_same_limit, likeness::distance},
};

/// A key of a quota.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// Kafka's name of it.
    pub(super) name: &'static str,
    /// Whether Kafka takes whole numbers alone.
    pub(super) is_whole: bool,
    /// Whether it is about addresses, rather than users and client ids.
    pub(super) is_of_addresses: bool,
}

/// All keys that Kafka has.
pub(super) const KEYS: [Key; 5] = [
    Key { name: "producer_byte_rate", is_whole: true, is_of_addresses: false },
    Key { name: "consumer_byte_rate", is_whole: true, is_of_addresses: false },
    Key { name: "request_percentage", is_whole: false, is_of_addresses: false },
    Key { name: "controller_mutation_rate", is_whole: false, is_of_addresses: false },
    Key { name: "connection_creation_rate", is_whole: true, is_of_addresses: true },
];

/// What is wrong with a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WrongLimit {
    /// Kafka has no such key; the one that is meant, if any is like it.
    Unknown(Option<&'static str>),
    /// It is not for such an entity.
    NotOf {
        /// Whether the key is about addresses.
        addresses: bool,
    },
    /// It is zero or less.
    NotPositive,
    /// It is no whole number.
    NotWhole,
}

/// What is wrong with a limit for an entity, if that is known.
pub(super) fn wrong(key: &str, limit: &Number, of: Option<&QuotaEntity>) -> Option<WrongLimit> {
    let Some(key) = KEYS.iter().find(|it| it.name == key) else { return Some(WrongLimit::Unknown(nearest(key))) };
    if of.is_some_and(|it| it.ip.is_some() != key.is_of_addresses) {
        return Some(WrongLimit::NotOf { addresses: key.is_of_addresses });
    }
    if limit.to_f64() <= 0.0 {
        return Some(WrongLimit::NotPositive);
    }
    (key.is_whole && limit.as_i64().is_none()).then_some(WrongLimit::NotWhole)
}

/// What takes one quota to another. What neither has stays as it is.
pub(super) fn changes(before: &Quota, after: &Quota) -> QuotaChanges {
    let gone = before.keys().filter(|it| !after.contains_key(*it)).map(|it| (it.clone(), None));
    let is_new = |(key, limit): &(&String, &f64)| before.get(*key).is_none_or(|it| !is_same_limit(*it, **limit));
    let set = after.iter().filter(is_new).map(|(key, limit)| (key.clone(), Some(*limit)));
    gone.chain(set).collect()
}

/// The keys of which a cluster has another limit already.
pub(super) fn conflicts(wanted: &Quota, found: &Quota) -> Vec<String> {
    let other = |(key, limit): &(&String, &f64)| found.get(*key).is_some_and(|it| !is_same_limit(*it, **limit));
    wanted.iter().filter(other).map(|(key, _)| format!("{key} = {}", found[key])).collect()
}

/// A limit that was found, in the words in which it was declared where it is the same.
pub(super) fn shown(declared: Option<&Number>, found: f64) -> Option<Number> {
    match declared {
        Some(it) if is_same_limit(it.to_f64(), found) => Some(it.clone()),
        _ => found.to_string().parse().ok(),
    }
}

/// The key that is most like a text, if any is at all like it.
fn nearest(text: &str) -> Option<&'static str> {
    let likest = KEYS.iter().map(|it| it.name).min_by_key(|it| distance(it, text))?;
    Some(likest).filter(|it| 2 * distance(it, text) < it.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(limits: &[(&str, f64)]) -> Quota {
        limits.iter().map(|(key, limit)| ((*key).to_owned(), *limit)).collect()
    }

    #[test]
    fn each_limit_is_for_its_kind_of_entity_and_above_nothing() {
        let user = QuotaEntity::user("a");
        let address = QuotaEntity { ip: user.user.clone(), ..QuotaEntity::default() };
        for (key, limit, of, expected) in [
            ("producer_byte_rate", "1024", &user, None),
            ("request_percentage", "0.5", &user, None),
            ("connection_creation_rate", "10", &address, None),
            ("producer_byte_rates", "1024", &user, Some(WrongLimit::Unknown(Some("producer_byte_rate")))),
            ("producer-byte-rate", "1024", &user, Some(WrongLimit::Unknown(Some("producer_byte_rate")))),
            ("controller_mutations", "1", &user, Some(WrongLimit::Unknown(Some("controller_mutation_rate")))),
            ("foo", "1", &user, Some(WrongLimit::Unknown(None))),
            ("connection_creation_rate", "10", &user, Some(WrongLimit::NotOf { addresses: true })),
            ("producer_byte_rate", "10", &address, Some(WrongLimit::NotOf { addresses: false })),
            ("consumer_byte_rate", "0", &user, Some(WrongLimit::NotPositive)),
            ("request_percentage", "-0.5", &user, Some(WrongLimit::NotPositive)),
            ("consumer_byte_rate", "1.5", &user, Some(WrongLimit::NotWhole)),
        ] {
            assert_eq!(wrong(key, &limit.parse().unwrap(), Some(of)), expected, "{key} = {limit}");
        }
    }

    #[test]
    fn only_what_differs_is_changed() {
        let before = quota(&[("a", 1.0), ("b", 2.0), ("c", 1.0 / 3.0)]);
        let after = quota(&[("a", 1.0), ("b", 3.0), ("c", 0.333_333_333_333_333_3), ("d", 4.0)]);
        let changed = [("b", Some(3.0)), ("d", Some(4.0))].map(|(key, limit)| (key.to_owned(), limit));
        assert_eq!(changes(&before, &after), changed.into());
        assert_eq!(changes(&after, &before)["d"], None);
    }

    #[test]
    fn a_limit_keeps_the_words_in_which_it_was_declared() {
        let declared: Number = "16.7".parse().unwrap();
        assert_eq!(shown(Some(&declared), 16.7), Some(declared.clone()));
        assert_eq!(shown(Some(&declared), 17.0), Some(Number::Int(17)));
        assert_eq!(shown(None, 16.7), Some(declared));
    }
}

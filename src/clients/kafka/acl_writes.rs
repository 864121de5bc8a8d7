//! What a client has written of rules and a broker may not show yet: the controller's word comes before a broker's.
//!
//! A look after each write would cost the broker a walk over all its rules. So writes end with the controller's word, and
//! an answer that does not show them is asked for again.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::{
    clients::kafka::{AclFilter, locked},
    governance::acl::AclBinding,
};

/// How long brokers may take to show what the controller has done. After it, what they show is what somebody else did.
const SETTLING: Duration = Duration::from_secs(5);

/// The writes of the last seconds.
#[derive(Default)]
pub(super) struct AclWrites(Mutex<Writes>);

#[derive(Default)]
struct Writes {
    of: BTreeMap<AclBinding, Write>,
    /// When those that settled were forgotten last.
    swept: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Write {
    /// Whether the rule was created, and not deleted.
    created: bool,
    at: Instant,
}

impl Write {
    fn is_settling(self) -> bool {
        self.at.elapsed() < SETTLING
    }
}

impl AclWrites {
    /// The controller has created or deleted rules.
    pub(super) fn note<'a>(&self, bindings: impl Iterator<Item = &'a AclBinding>, created: bool) {
        let mut writes = locked(&self.0);
        let Writes { of, swept } = &mut *writes;
        let at = Instant::now();
        // Going through all of them for each write would make many writes slow.
        if swept.is_none_or(|it| SETTLING <= at - it) {
            of.retain(|_, it| it.is_settling());
            *swept = Some(at);
        }
        of.extend(bindings.map(|it| (it.clone(), Write { created, at })));
    }

    /// Whether what a broker shows for a filter, in order, shows the writes.
    pub(super) fn are_shown(&self, found: &[AclBinding], filter: &AclFilter) -> bool {
        locked(&self.0)
            .of
            .iter()
            .filter(|(binding, write)| write.is_settling() && filter.admits(binding))
            .all(|(binding, write)| found.binary_search(binding).is_ok() == write.created)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> AclBinding {
        text.parse().unwrap()
    }

    #[test]
    fn an_answer_shows_what_was_written_of_what_it_is_about() {
        let (a, b) = (rule("TOPIC|LITERAL|a|User:x|*|READ|ALLOW"), rule("TOPIC|LITERAL|b|User:x|*|READ|ALLOW"));
        let (all, of_b) = (AclFilter::default(), AclFilter::of_resource(&b));
        let writes = AclWrites::default();
        assert!(writes.are_shown(&[], &all));
        writes.note([&a].into_iter(), true);
        assert!(!writes.are_shown(&[], &all));
        assert!(writes.are_shown(&[], &of_b));
        assert!(writes.are_shown(&[a.clone(), b.clone()], &all));
        writes.note([&a].into_iter(), false);
        assert!(!writes.are_shown(std::slice::from_ref(&a), &all));
        assert!(writes.are_shown(&[], &all));
    }

    #[test]
    fn what_settled_long_ago_says_nothing() {
        let a = rule("TOPIC|LITERAL|a|User:x|*|READ|ALLOW");
        let writes = AclWrites::default();
        let at = Instant::now().checked_sub(SETTLING).unwrap();
        locked(&writes.0).of.insert(a.clone(), Write { created: true, at });
        assert!(writes.are_shown(&[], &AclFilter::default()));
        writes.note([].into_iter(), true);
        assert!(locked(&writes.0).of.is_empty());
    }
}

//! Rules of the authorizer with those who need them.
//!
//! A rule has no owner in Kafka, and two may need the same one. So each has its *holders*, and only a rule without holder
//! is removed. A removal is announced before it is done (`removing`). Whoever comes to need the rule meanwhile holds it at
//! once and waits: the removal is closed first, and then the rule is `wanted` and made again, so that a late deletion
//! cannot take what somebody counts on.
//!
//! Two may work on a rule at once, and one of them may be slow: its deed, or what it says of it, can come when others have
//! taken the rule further. So each step of a rule's life has a number, its *generation*; what was seen is said of the
//! generation that it was begun in, and of an older one it only tells that the rule has to be seen to again.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::governance::application::ApplicationUid;

/// Who needs a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Holder {
    /// An application, for its own principals.
    Application(ApplicationUid),
    /// A grant, by its id.
    Grant(String),
    /// A resource that declares rules, by its id: an application's own begins with its name and a `/`, and goes with what
    /// the application owns.
    Declared(String),
    /// Nobody here: the rule was there before.
    Foreign,
}

impl Holder {
    /// The application whose declaration it is.
    pub fn declared_by(&self) -> Option<&str> {
        match self {
            Self::Declared(id) => id.split_once('/').map(|(name, _)| name),
            Self::Application(_) | Self::Grant(_) | Self::Foreign => None,
        }
    }
}

/// Why a text is no holder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no holder")]
pub struct HolderError(String);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Application(it) => write!(f, "application/{it}"),
            Self::Grant(it) => write!(f, "grant/{it}"),
            Self::Declared(it) => write!(f, "declared/{it}"),
            Self::Foreign => write!(f, "foreign"),
        }
    }
}

impl FromStr for Holder {
    type Err = HolderError;

    fn from_str(text: &str) -> Result<Self, HolderError> {
        let wrong = || HolderError(text.to_owned());
        match text.split_once('/') {
            None if text == "foreign" => Ok(Self::Foreign),
            Some(("grant", id)) => Ok(Self::Grant(id.to_owned())),
            Some(("declared", id)) => Ok(Self::Declared(id.to_owned())),
            Some(("application", uid)) => Ok(Self::Application(uid.parse().map_err(|_| wrong())?)),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for Holder {
    type Error = HolderError;

    fn try_from(text: String) -> Result<Self, HolderError> {
        text.parse()
    }
}

impl From<Holder> for String {
    fn from(holder: Holder) -> Self {
        holder.to_string()
    }
}

/// Where a rule is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BindingStatus {
    /// Somebody needs it, and it is to be made.
    Wanted,
    /// The cluster has it.
    Present,
    /// Nobody needed it, and it is being removed.
    Removing,
    /// The cluster does not have it, and nobody needs it.
    Removed,
}

/// A rule's life, as a journal keeps it. The rule itself is the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingEntry {
    /// Who needs it.
    pub holders: BTreeSet<Holder>,
    /// Who needed it last, while there is no holder; `foreign` where nobody knows.
    #[serde(default)]
    pub released_by: Option<Holder>,
    /// Where it is in its life.
    pub status: BindingStatus,
    /// How many steps its life had.
    #[serde(default)]
    pub generation: u64,
}

impl BindingEntry {
    /// One that was never heard of.
    pub fn unknown() -> Self {
        Self { holders: BTreeSet::new(), released_by: None, status: BindingStatus::Removed, generation: 0 }
    }

    /// With one holder more.
    pub fn hold(&mut self, holder: Holder) {
        self.holders.insert(holder);
        self.released_by = None;
        if self.status == BindingStatus::Removed {
            self.step(BindingStatus::Wanted);
        }
    }

    /// With one holder less. Without any, its removal is announced, also of one that was not made yet: nobody knows how
    /// far a run got that was to make it.
    pub fn release(&mut self, holder: &Holder) {
        if self.holders.remove(holder) && self.holders.is_empty() {
            self.released_by = Some(holder.clone());
            if self.status != BindingStatus::Removing {
                self.step(BindingStatus::Removing);
            }
        }
    }

    /// After the cluster was seen to have it by whoever made it in a generation. If nobody needs it by now, it may have
    /// been made after it was removed, and is removed once more.
    pub fn made(&mut self, generation: u64) {
        if generation != self.generation {
            if self.holders.is_empty() {
                self.released_by = self.released_by.take().or(Some(Holder::Foreign));
                self.step(BindingStatus::Removing);
            }
        } else if self.status == BindingStatus::Wanted {
            self.step(BindingStatus::Present);
        }
    }

    /// After the cluster was seen not to have it by whoever looked, or removed it, in a generation. Who holds it by now
    /// gets it made again: it may have been removed after it was made.
    pub fn unmade(&mut self, generation: u64) {
        match self.status {
            BindingStatus::Wanted | BindingStatus::Present if generation != self.generation => {
                self.step(BindingStatus::Wanted);
            }
            _ if generation != self.generation => {}
            BindingStatus::Removing if self.holders.is_empty() => {
                self.step(BindingStatus::Removed);
                self.released_by = None;
            }
            BindingStatus::Removing | BindingStatus::Present => self.step(BindingStatus::Wanted),
            BindingStatus::Wanted | BindingStatus::Removed => {}
        }
    }

    fn step(&mut self, status: BindingStatus) {
        self.status = status;
        self.generation += 1;
    }

    /// After its removal was called off, for somebody needs it: it is made again. The cluster was not looked at, so that
    /// where nobody needs it any more, its removal goes on.
    pub fn close(&mut self) {
        if self.status == BindingStatus::Removing && !self.holders.is_empty() {
            self.step(BindingStatus::Wanted);
        }
    }

    /// What there is to do for it on the cluster.
    pub fn deed(&self) -> Option<Deed> {
        match self.status {
            BindingStatus::Wanted => Some(Deed::Make),
            BindingStatus::Removing if self.holders.is_empty() => Some(Deed::Remove),
            BindingStatus::Removing => Some(Deed::Close),
            BindingStatus::Present | BindingStatus::Removed => None,
        }
    }
}

/// What there is to do for a rule on the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// Make it, see it, and say so.
    Make,
    /// Delete it, see that it is gone, and say so.
    Remove,
    /// Delete nothing, for somebody needs it: call the removal off, and make it again.
    Close,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(id: &str) -> Holder {
        Holder::Declared(id.to_owned())
    }

    #[test]
    fn holders_are_written_and_read() {
        let uid = ApplicationUid { name: "billing".parse().unwrap(), incarnation: 2 };
        for it in [Holder::Application(uid), Holder::Grant("a/b#1".to_owned()), holder("x|y"), Holder::Foreign] {
            assert_eq!(it.to_string().parse(), Ok(it));
        }
        for text in ["", "application/billing", "application/Billing#1", "owner/x"] {
            assert_eq!(text.parse::<Holder>(), Err(HolderError(text.to_owned())));
        }
    }

    #[test]
    fn only_a_rule_without_holder_is_removed() {
        let mut it = BindingEntry::unknown();
        it.hold(holder("a"));
        it.hold(holder("b"));
        assert_eq!(it.deed(), Some(Deed::Make));
        it.made(it.generation);
        it.release(&holder("a"));
        assert_eq!((it.deed(), it.status), (None, BindingStatus::Present));
        it.release(&holder("b"));
        assert_eq!(it.deed(), Some(Deed::Remove));
        it.unmade(it.generation);
        assert_eq!((it.deed(), it.status), (None, BindingStatus::Removed));
    }

    #[test]
    fn who_needs_a_rule_that_is_being_removed_waits_until_that_is_over() {
        let mut it = BindingEntry::unknown();
        it.hold(holder("a"));
        it.made(it.generation);
        it.release(&holder("a"));
        it.hold(holder("b"));
        assert_eq!(it.deed(), Some(Deed::Close));
        it.made(it.generation);
        assert_eq!(it.status, BindingStatus::Removing, "what was seen may be what is about to be deleted");
        it.unmade(it.generation);
        assert_eq!(it.deed(), Some(Deed::Make));
    }

    #[test]
    fn a_removal_is_called_off_only_while_somebody_needs_the_rule() {
        let mut it = BindingEntry::unknown();
        it.hold(holder("a"));
        it.made(it.generation);
        it.release(&holder("a"));
        it.close();
        assert_eq!(it.deed(), Some(Deed::Remove), "the cluster has it still");
        it.hold(holder("b"));
        it.close();
        assert_eq!(it.deed(), Some(Deed::Make));
    }

    #[test]
    fn nobody_releases_what_another_holds() {
        let mut it = BindingEntry::unknown();
        it.hold(holder("a"));
        let before = it.clone();
        it.release(&holder("b"));
        assert_eq!(it, before);
    }

    #[test]
    fn what_is_said_too_late_does_not_count() {
        let mut it = BindingEntry::unknown();
        it.hold(holder("a"));
        let making = it.generation;
        it.release(&holder("a"));
        let removing = it.generation;
        it.unmade(removing);
        it.hold(holder("b"));
        it.made(making);
        assert_eq!(it.deed(), Some(Deed::Make), "what was made then is removed since");
        it.made(it.generation);
        it.release(&holder("b"));
        it.unmade(removing);
        assert_eq!(it.deed(), Some(Deed::Remove), "what was removed then was made since");
        it.unmade(it.generation);
        it.made(making);
        assert_eq!(it.deed(), Some(Deed::Remove), "it may have been made since");
    }

    /// A rule, what the cluster has of it, and two who work on it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct World {
        entry: BindingEntry,
        is_on_cluster: bool,
        changes_left: usize,
        /// What each is about to do or to say, and of which generation.
        workers: [Option<(Deed, u64, bool)>; 2],
    }

    impl World {
        /// What can happen next.
        fn next(&self) -> Vec<Self> {
            let mut res = Vec::new();
            if let Some(left) = self.changes_left.checked_sub(1) {
                let mut it = Self { changes_left: left, ..self.clone() };
                if it.entry.holders.is_empty() {
                    it.entry.hold(holder("a"));
                } else {
                    it.entry.release(&holder("a"));
                }
                res.push(it);
            }
            for place in 0..self.workers.len() {
                let mut it = self.clone();
                match self.workers[place] {
                    None => {
                        let Some(deed) = self.entry.deed() else { continue };
                        it.workers[place] = Some((deed, self.entry.generation, false));
                    }
                    Some((deed, generation, false)) => {
                        match deed {
                            Deed::Make => it.is_on_cluster = true,
                            Deed::Remove => it.is_on_cluster = false,
                            Deed::Close => {}
                        }
                        it.workers[place] = Some((deed, generation, true));
                    }
                    Some((deed, generation, true)) => {
                        match deed {
                            Deed::Make => it.entry.made(generation),
                            Deed::Remove => it.entry.unmade(generation),
                            Deed::Close => it.entry.close(),
                        }
                        it.workers[place] = None;
                    }
                }
                res.push(it);
            }
            res
        }
    }

    /// Rule 10: in whatever order two work on a rule, when both are done the cluster has it if somebody needs it, and only
    /// then.
    #[test]
    fn two_at_once_leave_what_is_needed_and_nothing_else() {
        let (entry, is_on_cluster) = (BindingEntry::unknown(), false);
        let mut waiting = vec![World { entry, is_on_cluster, changes_left: 5, workers: [None, None] }];
        let (mut seen, mut ends) = (BTreeSet::new(), 0);
        while let Some(world) = waiting.pop() {
            if !seen.insert(format!("{world:?}")) {
                continue;
            }
            let next = world.next();
            if next.is_empty() {
                ends += 1;
                assert_eq!(world.is_on_cluster, !world.entry.holders.is_empty(), "{world:?}");
            }
            waiting.extend(next);
        }
        assert!(1_000 < seen.len() && 1 < ends, "{} worlds, {ends} ends", seen.len());
    }
}

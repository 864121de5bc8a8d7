//! Rules of the authorizer with those who need them.
//!
//! A rule has no owner in Kafka, and two may need the same one. So each has its *holders*, and only a rule without holder
//! is removed. A removal is announced before it is done (`removing`). Whoever comes to need the rule meanwhile holds it at
//! once and waits: the removal is closed first, and then the rule is `wanted` and made again, so that a late deletion
//! cannot take what somebody counts on.

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
    /// Who needed it last, while there is no holder.
    #[serde(default)]
    pub released_by: Option<Holder>,
    /// Where it is in its life.
    pub status: BindingStatus,
}

impl BindingEntry {
    /// One that was never heard of.
    pub fn unknown() -> Self {
        Self { holders: BTreeSet::new(), released_by: None, status: BindingStatus::Removed }
    }

    /// With one holder more.
    pub fn hold(&mut self, holder: Holder) {
        self.holders.insert(holder);
        self.released_by = None;
        if self.status == BindingStatus::Removed {
            self.status = BindingStatus::Wanted;
        }
    }

    /// With one holder less. Without any, its removal is announced, also of one that was not made yet: nobody knows how
    /// far a run got that was to make it.
    pub fn release(&mut self, holder: &Holder) {
        if self.holders.remove(holder) && self.holders.is_empty() {
            self.released_by = Some(holder.clone());
            self.status = BindingStatus::Removing;
        }
    }

    /// After the cluster was seen to have it.
    pub fn made(&mut self) {
        if self.status == BindingStatus::Wanted {
            self.status = BindingStatus::Present;
        }
    }

    /// After the cluster was seen not to have it. Who holds it by now gets it made again.
    pub fn unmade(&mut self) {
        match self.status {
            BindingStatus::Removing if self.holders.is_empty() => {
                self.status = BindingStatus::Removed;
                self.released_by = None;
            }
            BindingStatus::Removing | BindingStatus::Present => self.status = BindingStatus::Wanted,
            BindingStatus::Wanted | BindingStatus::Removed => {}
        }
    }

    /// After its removal was called off, for somebody needs it: it is made again. The cluster was not looked at, so that
    /// where nobody needs it any more, its removal goes on.
    pub fn close(&mut self) {
        if self.status == BindingStatus::Removing && !self.holders.is_empty() {
            self.status = BindingStatus::Wanted;
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
        it.made();
        it.release(&holder("a"));
        assert_eq!((it.deed(), it.status), (None, BindingStatus::Present));
        it.release(&holder("b"));
        assert_eq!(it.deed(), Some(Deed::Remove));
        it.unmade();
        assert_eq!((it.deed(), it.status), (None, BindingStatus::Removed));
    }

    #[test]
    fn who_needs_a_rule_that_is_being_removed_waits_until_that_is_over() {
        let mut it = BindingEntry::unknown();
        it.hold(holder("a"));
        it.made();
        it.release(&holder("a"));
        it.hold(holder("b"));
        assert_eq!(it.deed(), Some(Deed::Close));
        it.made();
        assert_eq!(it.status, BindingStatus::Removing, "what was seen may be what is about to be deleted");
        it.unmade();
        assert_eq!(it.deed(), Some(Deed::Make));
    }

    #[test]
    fn a_removal_is_called_off_only_while_somebody_needs_the_rule() {
        let mut it = BindingEntry::unknown();
        it.hold(holder("a"));
        it.made();
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
}

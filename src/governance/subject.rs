//! A subject of a schema registry: a name under which the versions of one schema are kept.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The name of a subject. Registries take almost any text; a context, as in `:.staging:orders-value`, is part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SubjectName(String);

/// Why a text names no subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectNameError {
    /// There is no text.
    #[error("a subject has a name")]
    Empty,
    /// It has letters that nobody could write into an address.
    #[error("a subject has no control characters")]
    Control,
    /// It cannot be part of an address, where it would mean a folder.
    #[error("a subject is not called `.` or `..`")]
    Dots,
    /// It is the registry's own word for what holds for all subjects.
    #[error("`__GLOBAL` and `__EMPTY` are the registry's own")]
    Reserved,
}

impl SubjectName {
    /// The name as a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without its context.
    pub fn in_context(&self) -> &str {
        let context = self.0.strip_prefix(":.").and_then(|it| it.split_once(':'));
        context.map_or(self.as_str(), |(_, name)| name)
    }
}

impl FromStr for SubjectName {
    type Err = SubjectNameError;

    fn from_str(text: &str) -> Result<Self, SubjectNameError> {
        match text {
            "" => Err(SubjectNameError::Empty),
            "." | ".." => Err(SubjectNameError::Dots),
            "__GLOBAL" | "__EMPTY" => Err(SubjectNameError::Reserved),
            _ if text.chars().any(char::is_control) => Err(SubjectNameError::Control),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl TryFrom<String> for SubjectName {
    type Error = SubjectNameError;

    fn try_from(text: String) -> Result<Self, SubjectNameError> {
        text.parse()
    }
}

impl From<SubjectName> for String {
    fn from(it: SubjectName) -> Self {
        it.0
    }
}

impl fmt::Display for SubjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn almost_every_text_names_a_subject() {
        for text in ["a", "billing.orders-value", "a/b ä", ":.staging:orders-value", "…", "..."] {
            assert_eq!(text.parse::<SubjectName>().map(String::from), Ok(text.to_owned()));
        }
        let check = |text: &str, expected| assert_eq!(text.parse::<SubjectName>(), Err(expected), "{text:?}");
        check("", SubjectNameError::Empty);
        check("a\nb", SubjectNameError::Control);
        check("..", SubjectNameError::Dots);
        check("__GLOBAL", SubjectNameError::Reserved);
    }

    #[test]
    fn a_context_is_no_part_of_the_name_that_rules_are_about() {
        let check = |text: &str, expected| assert_eq!(text.parse::<SubjectName>().unwrap().in_context(), expected);
        check(":.staging:orders-value", "orders-value");
        check("orders-value", "orders-value");
        check(":.:a:b", "a:b");
    }
}

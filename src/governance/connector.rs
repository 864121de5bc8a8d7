//! A connector of a Connect cluster: its name, and what its configuration says that rules are about.

mod configuration;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use configuration::{
    DEAD_LETTERS, ENFORCES_TASKS, Settings, TopicUse, Use, client_of_login, is_governed, is_named, is_reference, login,
    nearest,
};

/// The name of a connector: what workers can be asked about again. They take more, and then cannot be made to show, change
/// or delete it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConnectorName(String);

/// Why a text names no connector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectorNameError {
    /// There is no text.
    #[error("a connector has a name")]
    Empty,
    /// Workers would take it for another name.
    #[error("workers cut off the space before and after a name")]
    Space,
    /// It cannot be part of an address.
    #[error("a connector is not called `.` or `..`, which no address can name")]
    Dots,
    /// It has a letter that no address of a worker can have.
    #[error(
        "a connector has no `{0}` in its name: workers make one, and then refuse every address that names it, so that it \
         could not be changed or deleted"
    )]
    Letter(char),
    /// It has letters that nobody could write into an address.
    #[error("a connector has no control characters")]
    Control,
}

impl ConnectorName {
    /// The name as a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The consumer group in which a sink of that name reads, unless its configuration says another.
    pub fn group(&self) -> String {
        format!("connect-{}", self.0)
    }
}

impl FromStr for ConnectorName {
    type Err = ConnectorNameError;

    fn from_str(text: &str) -> Result<Self, ConnectorNameError> {
        match text {
            "" => return Err(ConnectorNameError::Empty),
            "." | ".." => return Err(ConnectorNameError::Dots),
            _ if text.chars().any(char::is_control) => return Err(ConnectorNameError::Control),
            _ if text.trim() != text => return Err(ConnectorNameError::Space),
            _ => {}
        }
        match text.chars().find(|it| matches!(it, '/' | '\\' | '%')) {
            Some(it) => Err(ConnectorNameError::Letter(it)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl TryFrom<String> for ConnectorName {
    type Error = ConnectorNameError;

    fn try_from(text: String) -> Result<Self, ConnectorNameError> {
        text.parse()
    }
}

impl From<ConnectorName> for String {
    fn from(it: ConnectorName) -> Self {
        it.0
    }
}

impl fmt::Display for ConnectorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_workers_can_be_asked_about() {
        for text in ["a", "billing.orders sink", "s;t", "q?r", "ü#+", "..."] {
            assert_eq!(text.parse::<ConnectorName>().map(String::from), Ok(text.to_owned()));
        }
        let check = |text: &str, expected| assert_eq!(text.parse::<ConnectorName>(), Err(expected), "{text:?}");
        check("", ConnectorNameError::Empty);
        check(" a", ConnectorNameError::Space);
        check("a\nb", ConnectorNameError::Control);
        check("..", ConnectorNameError::Dots);
        check("a/b", ConnectorNameError::Letter('/'));
        check("a%b", ConnectorNameError::Letter('%'));
        check("a\\b", ConnectorNameError::Letter('\\'));
    }
}

//! The names that people give: of environments and of applications.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Why a text is no name of an environment or an application.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 63 lower-case ASCII letters, digits and `-`, and begins with a letter")]
pub struct NameError;

fn is_name(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|it: char| it.is_ascii_lowercase())
        && text.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-')
}

macro_rules! names {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                if is_name(text) { Ok(Self(text.to_owned())) } else { Err(NameError) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

names! {
    /// Name of an environment: 1 to 63 lower-case letters, digits and `-`, a letter first.
    EnvironmentName;
    /// Name of an application: 1 to 63 lower-case letters, digits and `-`, a letter first.
    ApplicationName;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_keys_and_topic_names() {
        for text in ["a", "billing", "pre-eu-1", &"x".repeat(63)] {
            assert_eq!(text.parse::<ApplicationName>().unwrap().as_str(), text);
        }
        for text in ["", "1a", "-a", "A", "a_b", "a/b", "a.b", "ä", &"x".repeat(64)] {
            assert_eq!(text.parse::<EnvironmentName>(), Err(NameError), "{text}");
        }
    }
}

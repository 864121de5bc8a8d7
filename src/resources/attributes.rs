//! How domain types are stored in Terraform values.

use crate::{
    clients::kafka::{HostPort, SaslMechanism, Secret},
    framework::{Attribute, Diagnostic, Diagnostics, Kind, Type, Value},
    governance::{
        acl::Principal,
        names::{ApplicationName, EnvironmentName},
        policy::{
            AccessApproval, AclMode, ApplicationApproval, Capability, CapacityRule, Compatibility, ConnectIdentity,
            DeployerRights, Enforcement, SubjectNaming,
        },
        topic::TopicName,
    },
};

/// Types that parse themselves from a text, each with the summary of what is told when they do not.
macro_rules! texts {
    ($($name:ty => $summary:literal),+ $(,)?) => {$(
        impl Attribute for $name {
            fn kind() -> Kind {
                Kind::Plain(Type::String)
            }

            fn from_value(value: Value) -> Result<Self, Diagnostics> {
                let text = String::from_value(value)?;
                text.parse().map_err(|error| refused($summary, &text, &error))
            }

            fn into_value(self) -> Value {
                Value::String(self.to_string())
            }
        }
    )+};
}

texts! {
    ApplicationName => "Invalid application name",
    EnvironmentName => "Invalid environment name",
    HostPort => "Invalid bootstrap server",
    Principal => "Invalid principal",
    SaslMechanism => "Invalid SASL mechanism",
    TopicName => "Invalid topic name",
}

/// Types that are one of a few words, those that a journal has for them too.
macro_rules! words {
    ($($name:ty => $summary:literal),+ $(,)?) => {$(
        impl Attribute for $name {
            fn kind() -> Kind {
                Kind::Plain(Type::String)
            }

            fn from_value(value: Value) -> Result<Self, Diagnostics> {
                let text = String::from_value(value)?;
                let word = serde_json::Value::String(text.clone());
                <$name as serde::Deserialize>::deserialize(word).map_err(|error| refused($summary, &text, &error))
            }

            fn into_value(self) -> Value {
                match serde_json::to_value(self) {
                    Ok(serde_json::Value::String(word)) => Value::String(word),
                    other => unreachable!("the words of {} are texts, not {other:?}", stringify!($name)),
                }
            }
        }
    )+};
}

words! {
    AccessApproval => "Invalid approval",
    AclMode => "Invalid ACL mode",
    ApplicationApproval => "Invalid approval",
    Capability => "Unknown capability",
    CapacityRule => "Invalid capacity rule",
    Compatibility => "Invalid compatibility",
    ConnectIdentity => "Invalid identity of connectors",
    DeployerRights => "Invalid rights of deployers",
    Enforcement => "Invalid enforcement",
    SubjectNaming => "Invalid naming of subjects",
}

fn refused(summary: &str, text: &str, error: &dyn std::error::Error) -> Diagnostics {
    Diagnostic::error(summary, format!("`{}` cannot be used: {error}.", shortened(text))).into()
}

/// A text short enough to be shown.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

impl Attribute for Secret {
    fn kind() -> Kind {
        Kind::Plain(Type::String)
    }

    fn from_value(value: Value) -> Result<Self, Diagnostics> {
        String::from_value(value).map(Self::new)
    }

    fn into_value(self) -> Value {
        Value::String(self.expose().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_parsed_is_told_with_the_reason() {
        let wrong = TopicName::from_value("a b".into()).unwrap_err();
        assert_eq!(wrong.0[0].summary, "Invalid topic name");
        let detail = "`a b` cannot be used: a topic name has only ASCII letters, digits, `.`, `_` and `-`, not ' '.";
        assert_eq!(wrong.0[0].detail, detail);
    }

    #[test]
    fn a_word_is_read_and_written_and_another_one_is_told_with_those_there_are() {
        assert_eq!(AccessApproval::from_value("owner_and_platform".into()), Ok(AccessApproval::OwnerAndPlatform));
        assert_eq!(Compatibility::BackwardTransitive.into_value(), "BACKWARD_TRANSITIVE".into());
        let wrong = Enforcement::from_value("maybe".into()).unwrap_err();
        let detail = "`maybe` cannot be used: unknown variant `maybe`, expected one of `acl`, `external`, `none`.";
        assert_eq!((wrong.0[0].summary.as_str(), wrong.0[0].detail.as_str()), ("Invalid enforcement", detail));
    }

    #[test]
    fn long_texts_are_shown_shortened() {
        assert_eq!(shortened(&"ä".repeat(61)), format!("{}…", "ä".repeat(60)));
    }
}

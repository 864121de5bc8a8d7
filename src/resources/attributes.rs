//! How domain types are stored in Terraform values.

use std::{fmt, str::FromStr};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    application::OnExisting,
    connector::{OnUnreachable, WaitFor},
    environment::ChangeApprovalWord,
    requests::{OnDestroy, Pattern},
    schema::SubjectEnd,
};
use crate::{
    clients::{
        connect::Target,
        kafka::{HostPort, SaslMechanism, ScramMechanism, Secret},
        registry::Mode,
        rest::{BaseUrl, BaseUrlError},
    },
    framework::{Attribute, Diagnostic, Diagnostics, Kind, Type, Value},
    governance::{
        acl::{Operation, Principal},
        connector::ConnectorName,
        kind::Kind as ResourceKind,
        names::{ApplicationName, EnvironmentName},
        policy::{
            AccessApproval, AclMode, ApplicationApproval, Capability, CapacityRule, Compatibility, ConnectIdentity,
            DeployerRights, Enforcement, SubjectNaming,
        },
        record::Timestamp,
        request::{Choice, Judge, Level, RequestId, Revision, askable},
        subject::SubjectName,
        topic::TopicName,
    },
    schemas::Format,
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

/// A moment as it was written: a date and time with an offset, in the form of RFC 3339.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    written: String,
    /// When that is.
    pub at: Timestamp,
}

impl FromStr for Moment {
    type Err = time::error::Parse;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = OffsetDateTime::parse(text, &Rfc3339)?;
        let milliseconds = at.unix_timestamp() * 1_000 + i64::from(at.millisecond());
        Ok(Self { written: text.to_owned(), at: Timestamp(milliseconds) })
    }
}

impl Moment {
    /// A moment in the words of UTC; `None` for one that no calendar has.
    pub fn utc(at: Timestamp) -> Option<Self> {
        let nanoseconds = i128::from(at.0) * 1_000_000;
        let written = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?.format(&Rfc3339).ok()?;
        Some(Self { written, at })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// An application as it was written: the `id` of its resource, or its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApplicationRef {
    written: String,
    /// Its name.
    pub(super) name: ApplicationName,
}

/// Why a text names no application.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an application is named by the `id` of its `kafka_application`, or by its name: lower-case letters, digits and `-`, a \
     letter first"
)]
pub(super) struct ApplicationRefError;

impl FromStr for ApplicationRef {
    type Err = ApplicationRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.rsplit_once('/').map_or(text, |(_, name)| name);
        let name = name.parse().map_err(|_| ApplicationRefError)?;
        Ok(Self { written: text.to_owned(), name })
    }
}

impl From<ApplicationName> for ApplicationRef {
    fn from(name: ApplicationName) -> Self {
        Self { written: name.to_string(), name }
    }
}

impl fmt::Display for ApplicationRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

texts! {
    ApplicationName => "Invalid application name",
    ApplicationRef => "Invalid application",
    ConnectorName => "Invalid connector name",
    EnvironmentName => "Invalid environment name",
    HostPort => "Invalid bootstrap server",
    Moment => "Invalid date and time",
    Operation => "Unknown operation",
    Principal => "Invalid principal",
    RequestId => "Invalid request id",
    Revision => "Invalid revision",
    SaslMechanism => "Invalid SASL mechanism",
    ScramMechanism => "Invalid SCRAM mechanism",
    SubjectName => "Invalid subject",
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
    ChangeApprovalWord => "Invalid approval",
    Choice => "Invalid decision",
    Compatibility => "Invalid compatibility",
    ConnectIdentity => "Invalid identity of connectors",
    DeployerRights => "Invalid rights of deployers",
    Enforcement => "Invalid enforcement",
    Format => "Unknown format",
    Judge => "Invalid role",
    Level => "Invalid access",
    Mode => "Unknown mode",
    OnDestroy => "Invalid choice for the end",
    OnExisting => "Invalid choice for what exists",
    OnUnreachable => "Invalid choice for silent workers",
    Pattern => "Invalid pattern type",
    SubjectEnd => "Invalid choice for the end",
    SubjectNaming => "Invalid naming of subjects",
    Target => "Invalid state",
    WaitFor => "Invalid wait",
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

/// All kinds are read, and those that have rules are offered.
impl Attribute for ResourceKind {
    fn kind() -> Kind {
        Kind::Plain(Type::String)
    }

    fn from_value(value: Value) -> Result<Self, Diagnostics> {
        let text = String::from_value(value)?;
        Self::ALL.into_iter().find(|it| it.word() == text).ok_or_else(|| {
            let offered = Self::ALL.into_iter().filter(|it| !askable(*it).is_empty());
            let offered: Vec<String> = offered.map(|it| format!("`{}`", it.word())).collect();
            let detail = format!("`{}` cannot be used: it is one of {}.", shortened(&text), offered.join(", "));
            Diagnostic::error("Invalid resource type", detail).into()
        })
    }

    fn into_value(self) -> Value {
        self.word().into()
    }
}

/// What cannot be read may hold a password, and is not shown.
impl Attribute for BaseUrl {
    fn kind() -> Kind {
        Kind::Plain(Type::String)
    }

    fn from_value(value: Value) -> Result<Self, Diagnostics> {
        let parsed = String::from_value(value)?.parse();
        parsed.map_err(|error: BaseUrlError| {
            Diagnostic::error("Invalid URL", format!("It cannot be used: {error}.")).into()
        })
    }

    fn into_value(self) -> Value {
        Value::String(self.to_string())
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
    fn what_nobody_can_ask_for_yet_is_not_offered() {
        assert_eq!(ResourceKind::from_value("subject".into()), Ok(ResourceKind::Subject));
        let wrong = ResourceKind::from_value("queue".into()).unwrap_err();
        let detail = "`queue` cannot be used: it is one of `topic`, `group`, `transactional_id`, `subject`.";
        assert_eq!((wrong.0[0].summary.as_str(), wrong.0[0].detail.as_str()), ("Invalid resource type", detail));
    }

    #[test]
    fn a_moment_keeps_its_words() {
        let moment: Moment = "2027-03-31T02:00:00.5+02:00".parse().unwrap();
        assert_eq!(moment.at, Timestamp(1_806_451_200_500));
        assert_eq!(moment.clone().into_value(), "2027-03-31T02:00:00.5+02:00".into());
        assert_eq!(Moment::utc(moment.at).unwrap().to_string(), "2027-03-31T00:00:00.5Z");
        let wrong = Moment::from_value("tomorrow".into()).unwrap_err();
        assert_eq!(wrong.0[0].summary, "Invalid date and time");
    }

    #[test]
    fn a_url_that_cannot_be_used_is_not_shown_for_what_may_be_in_it() {
        let wrong = BaseUrl::from_value("https://ann:hunter2@registry".into()).unwrap_err();
        let detail = "It cannot be used: it has a user or a password; write them as `username` and `password`.";
        assert_eq!((wrong.0[0].summary.as_str(), wrong.0[0].detail.as_str()), ("Invalid URL", detail));
    }

    #[test]
    fn long_texts_are_shown_shortened() {
        assert_eq!(shortened(&"ä".repeat(61)), format!("{}…", "ä".repeat(60)));
    }
}

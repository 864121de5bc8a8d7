//! How domain types are stored in Terraform values.

use crate::{
    clients::kafka::{HostPort, SaslMechanism, Secret},
    framework::{Attribute, Diagnostic, Diagnostics, Kind, Type, Value},
    governance::topic::TopicName,
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
    HostPort => "Invalid bootstrap server",
    SaslMechanism => "Invalid SASL mechanism",
    TopicName => "Invalid topic name",
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
    fn long_texts_are_shown_shortened() {
        assert_eq!(shortened(&"ä".repeat(61)), format!("{}…", "ä".repeat(60)));
    }
}

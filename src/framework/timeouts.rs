//! The `timeouts` block.

use std::{fmt, str::FromStr, time::Duration};

use crate::framework::{Attribute, Diagnostic, Diagnostics, Kind, Model, Optional, Type, Value};

/// How long each operation may take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct Timeouts {
    /// Time for a create, such as `30s` or `5m`. Default: `5m`.
    pub create: Optional<Timeout>,
    /// Time for a read, such as `30s` or `5m`. Default: `5m`.
    pub read: Optional<Timeout>,
    /// Time for an update, such as `30s` or `5m`. Default: `5m`.
    pub update: Optional<Timeout>,
    /// Time for a delete, such as `30s` or `5m`. Default: `5m`.
    pub delete: Optional<Timeout>,
}

/// A duration as Terraform writes it: `90s`, `1h30m`, `500ms`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeout {
    text: String,
    /// The duration, longer than zero and at most a day.
    pub duration: Duration,
}

impl Timeout {
    /// What holds where nothing is said.
    pub const DEFAULT: Duration = Duration::from_mins(5);

    /// The time that an object's `timeouts` block gives to an operation.
    pub(crate) fn of(object: &Value, operation: &str) -> Duration {
        match object.attribute("timeouts").attribute(operation) {
            Value::String(text) => text.parse().map_or(Self::DEFAULT, |it: Self| it.duration),
            _ => Self::DEFAULT,
        }
    }
}

/// A text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a timeout is a number with a unit, such as `30s`, `5m` or `1h30m`, and at most `24h`")]
pub struct TimeoutError;

impl FromStr for Timeout {
    type Err = TimeoutError;

    fn from_str(text: &str) -> Result<Self, TimeoutError> {
        let mut duration = Duration::ZERO;
        let mut rest = text;
        while !rest.is_empty() {
            let digits = rest.find(|it: char| !it.is_ascii_digit()).ok_or(TimeoutError)?;
            let count: u32 = rest[..digits].parse().map_err(|_| TimeoutError)?;
            rest = &rest[digits..];
            let letters = rest.find(|it: char| it.is_ascii_digit()).unwrap_or(rest.len());
            let unit = match &rest[..letters] {
                "ms" => Duration::from_millis(1),
                "s" => Duration::from_secs(1),
                "m" => Duration::from_mins(1),
                "h" => Duration::from_hours(1),
                _ => return Err(TimeoutError),
            };
            rest = &rest[letters..];
            let part = unit.checked_mul(count).ok_or(TimeoutError)?;
            duration = duration.checked_add(part).ok_or(TimeoutError)?;
        }
        if duration.is_zero() || Duration::from_hours(24) < duration {
            return Err(TimeoutError);
        }
        Ok(Self { text: text.to_owned(), duration })
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Attribute for Timeout {
    fn kind() -> Kind {
        Kind::Plain(Type::String)
    }

    fn from_value(value: Value) -> Result<Self, Diagnostics> {
        let wrong = |it: TimeoutError| Diagnostic::error("Invalid timeout", format!("Here {it}.")).into();
        String::from_value(value)?.parse().map_err(wrong)
    }

    fn into_value(self) -> Value {
        Value::String(self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        let check = |text: &str, seconds: u64| {
            assert_eq!(text.parse::<Timeout>().unwrap().duration, Duration::from_secs(seconds), "{text}");
        };
        check("30s", 30);
        check("1h30m", 5400);
        check("24h", 86400);
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "5", "m", "0s", "-1s", "1d", "25h", "99999999999s", "1s2"] {
            assert_eq!(text.parse::<Timeout>(), Err(TimeoutError), "{text}");
        }
    }
}

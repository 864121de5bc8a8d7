//! Log lines as Terraform reads them: one JSON object for each, on standard error.
//!
//! A message is a sentence without interpolation; facts are fields. No field may hold a secret: nothing is filtered
//! here. Nothing is written unless the practitioner asked for logs, and a call then costs one comparison.

use std::{
    env,
    fmt::{Display, Write as _},
    io::{self, Write as _},
    panic,
    sync::atomic::{AtomicU8, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A fact beside the message: its name, such as `tf_resource_type`, and its value.
pub type Field<'a> = (&'a str, &'a dyn Display);

/// How much a line matters, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Steps that only matter to one who looks for a bug.
    Trace = 1,
    /// What was asked and answered.
    Debug,
    /// What a practitioner may want to know.
    Info,
    /// What may be wrong.
    Warn,
    /// What is wrong.
    Error,
}

/// Above every level, so that nothing is written.
const OFF: u8 = u8::MAX;

/// The lowest level that is written.
static THRESHOLD: AtomicU8 = AtomicU8::new(OFF);

/// Terraform splits a line of more than 64 KiB, which then is no JSON any more.
const LONGEST_VALUE: usize = 8 * 1024;

/// What hclog calls the logger's name.
const MODULE: &str = "kafka";

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Takes the level from the variables that Terraform reads itself, and turns panics into lines.
pub fn start() {
    let setting = ["TF_LOG_PROVIDER_KAFKA", "TF_LOG_PROVIDER", "TF_LOG"]
        .into_iter()
        .filter_map(env::var_os)
        .find(|it| !it.is_empty())
        .unwrap_or_default();
    THRESHOLD.store(threshold(&setting.to_string_lossy()), Ordering::Relaxed);
    panic::set_hook(Box::new(|info| {
        // What a panic says may hold a secret; where it happened does not.
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        write(Level::Error, "The provider panicked", &[("location", &location)]);
    }));
}

/// Whether lines of this level are written, for fields that are costly to make.
pub fn enabled(level: Level) -> bool {
    level as u8 >= THRESHOLD.load(Ordering::Relaxed)
}

/// Writes a line of level `trace`.
pub fn trace(message: &str, fields: &[Field<'_>]) {
    log(Level::Trace, message, fields);
}

/// Writes a line of level `debug`.
pub fn debug(message: &str, fields: &[Field<'_>]) {
    log(Level::Debug, message, fields);
}

/// Writes a line of level `info`.
pub fn info(message: &str, fields: &[Field<'_>]) {
    log(Level::Info, message, fields);
}

/// Writes a line of level `warn`.
pub fn warn(message: &str, fields: &[Field<'_>]) {
    log(Level::Warn, message, fields);
}

/// Writes a line of level `error`.
pub fn error(message: &str, fields: &[Field<'_>]) {
    log(Level::Error, message, fields);
}

fn log(level: Level, message: &str, fields: &[Field<'_>]) {
    if enabled(level) {
        write(level, message, fields);
    }
}

fn write(level: Level, message: &str, fields: &[Field<'_>]) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let line = line(level, message, &timestamp(since), fields);
    // There is nowhere left to report that standard error is closed.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Terraform's own reading of `TF_LOG`: a word that it does not know asks for everything.
fn threshold(setting: &str) -> u8 {
    match setting.trim().to_ascii_uppercase().as_str() {
        "" | "OFF" => OFF,
        "ERROR" => Level::Error as u8,
        "WARN" => Level::Warn as u8,
        "INFO" => Level::Info as u8,
        "DEBUG" => Level::Debug as u8,
        _ => Level::Trace as u8,
    }
}

/// One line with its end. `@level`, `@message` and `@timestamp` must be strings, or the host panics.
fn line(level: Level, message: &str, timestamp: &str, fields: &[Field<'_>]) -> String {
    let mut res = format!(r#"{{"@level":"{}","@message":{}"#, level.name(), quoted(message));
    let _ = write!(res, r#","@module":"{MODULE}","@timestamp":"{timestamp}""#);
    for (name, value) in fields {
        let _ = write!(res, ",{}:{}", quoted(name), quoted(&shortened(value.to_string())));
    }
    res.push_str("}\n");
    res
}

fn quoted(text: &str) -> serde_json::Value {
    serde_json::Value::from(text)
}

fn shortened(mut value: String) -> String {
    if value.len() > LONGEST_VALUE {
        let length = value.len();
        value.truncate(value.floor_char_boundary(LONGEST_VALUE));
        let _ = write!(value, "… ({length} bytes)");
    }
    value
}

/// RFC 3339 in UTC with exactly six digits of the second: with any other number Terraform takes the line as plain text.
fn timestamp(since_epoch: Duration) -> String {
    let seconds = since_epoch.as_secs();
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let micros = since_epoch.subsec_micros();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// The Gregorian date of a day, counted from 1970-01-01.
///
/// Years are taken to begin in March, so that the leap day is a year's last day; 719,468 days lie between 0000-03-01
/// and the epoch, and 400 years have 146,097.
fn date(day: u64) -> (u64, u64, u64) {
    let day = day + 719_468;
    let of_era = day % 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let year = year + day / 146_097 * 400;
    if month < 10 { (year, month + 3, of_month) } else { (year + 1, month - 9, of_month) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_json_object_with_the_host_s_keys_first() {
        let topic = String::from("a \"b\"\n");
        let res = line(Level::Warn, "Topic read", "2026-01-02T03:04:05.000006Z", &[("topic", &topic), ("parts", &3)]);
        assert_eq!(
            res,
            concat!(
                r#"{"@level":"warn","@message":"Topic read","@module":"kafka","#,
                r#""@timestamp":"2026-01-02T03:04:05.000006Z","topic":"a \"b\"\n","parts":"3"}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_long_value_is_cut_between_characters_and_says_so() {
        let value = "é".repeat(LONGEST_VALUE);
        let res = shortened(value);
        assert!(res.ends_with("é… (16384 bytes)"), "{}", &res[res.len() - 40..]);
        assert!(res.len() < LONGEST_VALUE + 40);
    }

    #[test]
    fn a_timestamp_has_exactly_six_digits() {
        let check = |seconds, nanos, expected| assert_eq!(timestamp(Duration::new(seconds, nanos)), expected);
        check(0, 0, "1970-01-01T00:00:00.000000Z");
        check(951_782_399, 999_999_999, "2000-02-28T23:59:59.999999Z");
        check(951_782_400, 1_000, "2000-02-29T00:00:00.000001Z");
        check(1_709_251_200, 0, "2024-03-01T00:00:00.000000Z");
        check(1_798_761_599, 120_000_000, "2026-12-31T23:59:59.120000Z");
        check(4_107_542_400, 0, "2100-03-01T00:00:00.000000Z");
    }

    #[test]
    fn the_level_is_read_as_terraform_reads_it() {
        let check = |setting, expected| assert_eq!(threshold(setting), expected, "{setting}");
        check("", OFF);
        check("off", OFF);
        check("error", Level::Error as u8);
        check("Warn", Level::Warn as u8);
        check("INFO", Level::Info as u8);
        check("debug", Level::Debug as u8);
        check("TRACE", Level::Trace as u8);
        check("json", Level::Trace as u8);
        check("1", Level::Trace as u8);
    }
}

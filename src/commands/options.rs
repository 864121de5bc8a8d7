//! Options after a command's name, as `--name value` or `--name=value`.

use std::collections::{BTreeMap, BTreeSet};

/// What was written, by meaning.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Options {
    pub(super) words: Vec<String>,
    values: BTreeMap<&'static str, String>,
    flags: BTreeSet<&'static str>,
}

impl Options {
    /// Reads arguments.
    ///
    /// # Errors
    /// What has no meaning, as a sentence.
    pub(super) fn read(arguments: &[String], valued: &[&'static str], flags: &[&'static str]) -> Result<Self, String> {
        let mut res = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            if !argument.starts_with('-') {
                res.words.push(argument.clone());
                continue;
            }
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            if let Some(flag) = flags.iter().find(|it| **it == name && value.is_none()) {
                res.flags.insert(flag);
                continue;
            }
            let Some(known) = valued.iter().find(|it| **it == name) else {
                return Err(format!("No such option: `{argument}`."));
            };
            let value = value.or_else(|| rest.next().cloned()).filter(|it| !it.is_empty());
            let value = value.ok_or_else(|| format!("`{name}` needs a value."))?;
            if res.values.insert(known, value).is_some() {
                return Err(format!("`{name}` is given twice."));
            }
        }
        Ok(res)
    }

    /// Whether an option without a value was given.
    pub(super) fn has(&self, flag: &str) -> bool {
        self.flags.contains(flag)
    }

    /// The value of an option.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.values.remove(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::read(&arguments, &["--reason"], &["--dry-run"])
    }

    #[test]
    fn values_follow_or_are_joined() {
        for line in ["a --reason x --dry-run", "--dry-run --reason=x a"] {
            let mut it = read(line).unwrap();
            assert_eq!((it.words.join(" "), it.has("--dry-run")), ("a".to_owned(), true));
            assert_eq!((it.take("--reason").as_deref(), it.take("--reason")), (Some("x"), None));
        }
    }

    #[test]
    fn what_has_no_meaning_is_told() {
        assert_eq!(read("--reason").unwrap_err(), "`--reason` needs a value.");
        assert_eq!(read("--reason=").unwrap_err(), "`--reason` needs a value.");
        assert_eq!(read("--reason=a --reason b").unwrap_err(), "`--reason` is given twice.");
        assert_eq!(read("--dry-run=yes").unwrap_err(), "No such option: `--dry-run=yes`.");
        assert_eq!(read("-x").unwrap_err(), "No such option: `-x`.");
    }
}

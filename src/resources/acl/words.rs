//! Kafka's words as configurations write them: in letters of either case, with or without `_`.

use std::fmt;

use crate::{
    framework::{Attribute, Diagnostic, Diagnostics, Kind, Type, Value},
    governance::{
        acl::{Operation, PatternType, Permission, ResourceType},
        likeness::distance,
    },
};

/// One of Kafka's words, as it was written: Terraform wants it back letter by letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word<T> {
    written: String,
    /// What it means.
    pub(crate) value: T,
}

/// A kind of words.
pub(crate) trait Worded: Copy + PartialEq + Send + Sync + fmt::Debug + 'static {
    /// All of them.
    const ALL: &'static [Self];
    /// What is told of a text that is none.
    const SUMMARY: &'static str;
    /// How this provider writes it.
    fn written(self) -> String;
}

macro_rules! worded {
    ($($name:ident => $summary:literal, $written:expr;)+) => {$(
        impl Worded for $name {
            const ALL: &'static [Self] = Self::ALL;
            const SUMMARY: &'static str = $summary;

            fn written(self) -> String {
                $written(self.as_str())
            }
        }
    )+};
}

worded! {
    Operation => "Unknown operation", str::to_owned;
    PatternType => "Invalid pattern type", str::to_ascii_lowercase;
    Permission => "Invalid permission", str::to_ascii_lowercase;
    ResourceType => "Invalid resource type", str::to_ascii_lowercase;
}

impl<T: Worded> From<T> for Word<T> {
    fn from(value: T) -> Self {
        Self { written: value.written(), value }
    }
}

impl<T: Worded> Word<T> {
    /// Reads a word; `None` if it is none of the kind.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let value = *T::ALL.iter().find(|it| letters(&it.written()) == letters(text))?;
        Some(Self { written: text.to_owned(), value })
    }
}

impl<T: Worded> Attribute for Word<T> {
    fn kind() -> Kind {
        Kind::Plain(Type::String)
    }

    fn from_value(value: Value) -> Result<Self, Diagnostics> {
        let text = String::from_value(value)?;
        Self::read(&text).ok_or_else(|| unknown::<T>(&text).into())
    }

    fn into_value(self) -> Value {
        Value::String(self.written)
    }
}

fn letters(text: &str) -> String {
    text.chars().filter(|it| *it != '_').map(|it| it.to_ascii_lowercase()).collect()
}

fn unknown<T: Worded>(text: &str) -> Diagnostic {
    let words = T::ALL.iter().map(|it| it.written());
    let nearest = words.clone().min_by_key(|it| distance(&letters(it), &letters(text)));
    let meant = nearest.filter(|it| distance(&letters(it), &letters(text)) <= it.len() / 2);
    let remedy = meant.map_or_else(String::new, |it| format!("Write `{it}`, if that is meant. "));
    let words = words.map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
    let shown: String = text.chars().take(60).collect();
    Diagnostic::error(T::SUMMARY, format!("`{shown}` is none of Kafka's words here.\n\n{remedy}There are {words}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_letters_and_given_back_as_written() {
        let check = |text: &str, value: ResourceType| {
            let word = Word::<ResourceType>::from_value(text.into()).unwrap();
            assert_eq!((word.value, word.into_value()), (value, text.into()));
        };
        check("topic", ResourceType::Topic);
        check("Topic", ResourceType::Topic);
        check("TransactionalID", ResourceType::TransactionalId);
        check("transactional_id", ResourceType::TransactionalId);
        assert_eq!(Word::from(Operation::IdempotentWrite).into_value(), "IDEMPOTENT_WRITE".into());
        assert_eq!(Word::from(Permission::Allow).into_value(), "allow".into());
        assert_eq!(Word::<Operation>::read("IdempotentWrite").unwrap().value, Operation::IdempotentWrite);
    }

    #[test]
    fn an_unknown_word_is_told_with_the_nearest() {
        let detail = |text: &str| Word::<Operation>::from_value(text.into()).unwrap_err().0[0].detail.clone();
        assert!(detail("REED").contains("Write `READ`, if that is meant."), "{}", detail("REED"));
        assert!(detail("describe-configs").contains("Write `DESCRIBE_CONFIGS`"), "{}", detail("describe-configs"));
        assert!(!detail("x").contains("if that is meant"), "{}", detail("x"));
        assert_eq!((distance("kitten", "sitting"), distance("", "ab"), distance("ab", "ab")), (3, 2, 0));
    }
}

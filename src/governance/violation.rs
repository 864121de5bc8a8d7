//! What speaks against something: at which attribute, what it is, why it matters and what to do.

use std::fmt;

/// One step to an attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// An attribute of an object.
    Attribute(String),
    /// A key of a map.
    Key(String),
    /// An element of a set, by its text.
    Element(String),
}

/// The way from an object to the attribute to blame; empty is the whole object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At(pub Vec<Step>);

impl At {
    /// The whole object.
    pub fn all() -> Self {
        Self::default()
    }

    /// Attributes from the outside in, such as `topics.partitions.min`.
    pub fn attribute(dotted: &str) -> Self {
        Self(dotted.split('.').map(|it| Step::Attribute(it.to_owned())).collect())
    }

    /// One step further, to an attribute.
    pub fn then(mut self, attribute: &str) -> Self {
        self.0.push(Step::Attribute(attribute.to_owned()));
        self
    }

    /// One step further, to the key of a map.
    pub fn key(mut self, key: &str) -> Self {
        self.0.push(Step::Key(key.to_owned()));
        self
    }

    /// One step further, to the element of a set.
    pub fn element(mut self, element: &str) -> Self {
        self.0.push(Step::Element(element.to_owned()));
        self
    }

    /// The first step, if it is an attribute.
    pub fn outermost(&self) -> Option<&str> {
        match self.0.first() {
            Some(Step::Attribute(name)) => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if at == 0 => write!(f, "{name}")?,
                Step::Attribute(name) => write!(f, ".{name}")?,
                Step::Key(key) | Step::Element(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

/// One reason against something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The attribute to blame.
    pub at: At,
    /// A short phrase, the same for the same problem, with no names in it.
    pub summary: &'static str,
    /// Paragraphs: what is wrong, why it matters where that is not obvious, and what to do.
    pub detail: String,
    /// Whether the change brings it in. What was so before and stays is `false`: a reason to warn, not to refuse.
    pub introduced: bool,
    /// What it means.
    pub weight: Weight,
}

/// What a violation means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It is refused.
    Refuse,
    /// It is refused until something else has happened that may well happen by itself, such as an approval: a plan only
    /// warns.
    Wait,
    /// It is permitted, and told.
    Warn,
}

impl Violation {
    /// One that the change brings in; `what` is wrong, and `remedy` says what to do.
    pub fn new(at: At, summary: &'static str, what: impl fmt::Display, remedy: impl fmt::Display) -> Self {
        Self { at, summary, detail: format!("{what}\n\n{remedy}"), introduced: true, weight: Weight::Refuse }
    }

    /// The same, with another weight.
    pub fn weighing(mut self, weight: Weight) -> Self {
        self.weight = weight;
        self
    }

    /// Whether it speaks against doing it now.
    pub fn forbids(&self) -> bool {
        self.introduced && self.weight != Weight::Warn
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, summary, detail, introduced: _, weight: _ } = self;
        if at.0.is_empty() { write!(f, "{summary}: {detail}") } else { write!(f, "{summary} (`{at}`): {detail}") }
    }
}

/// Why nothing was decided: every reason, not the first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("refused for {} reason{}", .0.len(), if .0.len() == 1 { "" } else { "s" })]
pub struct Refusal(pub Vec<Violation>);

impl Refusal {
    /// `Ok` if there is no violation that forbids it.
    ///
    /// # Errors
    /// The refusal for all that do.
    pub fn of(violations: Vec<Violation>) -> Result<(), Self> {
        let violations: Vec<_> = violations.into_iter().filter(Violation::forbids).collect();
        if violations.is_empty() { Ok(()) } else { Err(Self(violations)) }
    }
}

impl From<Violation> for Refusal {
    fn from(violation: Violation) -> Self {
        Self(vec![violation])
    }
}

/// Texts in backticks, with commas and a last `and`.
pub fn listed<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut quoted: Vec<String> = items.into_iter().map(|it| format!("`{it}`")).collect();
    match quoted.pop() {
        None => "none".to_owned(),
        Some(last) if quoted.is_empty() => last,
        Some(last) => format!("{} and {last}", quoted.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_an_attribute_reads_as_in_a_configuration() {
        let at = At::attribute("topics.config").key("retention.ms").then("min");
        assert_eq!(at.to_string(), "topics.config[\"retention.ms\"].min");
        assert_eq!(at.outermost(), Some("topics"));
        assert_eq!(At::all().to_string(), "");
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(listed(Vec::<&str>::new()), "none");
        assert_eq!(listed(["a"]), "`a`");
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` and `c`");
    }
}

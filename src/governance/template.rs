//! Templates of names, such as `a{code}-{application}-{domain}-{purpose}{suffix}`: what a name must look like, how one is
//! made of its fields, and which fields a name has.
//!
//! A field is a name in braces. What may stand in its place is a pattern: from a table, or in the template itself as in
//! `{suffix:(-dlq)?}`. A name can have more than one reading, as `x-y-z` has under `{a:.+}-{b:.+}`: then it fits, but
//! nobody is told fields that are only a guess.

mod misfit;
mod reading;

use std::{collections::BTreeMap, fmt};

pub use misfit::Misfit;
use regex_lite::Regex;

use crate::governance::violation::listed;

/// The fields whose value is the owning application's own.
pub const OWN_FIELDS: [&str; 2] = ["application", "code"];

/// What a field may be where nobody says: letters and digits.
pub const DEFAULT_PATTERN: &str = "[A-Za-z0-9]+";

/// What the field `application` may be: the name of an application.
const APPLICATION_PATTERN: &str = "[a-z][a-z0-9-]*";

/// Values of fields, by name.
pub type Fields = BTreeMap<String, String>;

/// A template that was understood.
#[derive(Clone, Debug)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Literal(String),
    Field(Field),
}

#[derive(Clone, Debug)]
struct Field {
    name: String,
    pattern: Pattern,
}

/// A regular expression for a whole text.
#[derive(Clone, Debug)]
struct Pattern {
    text: String,
    regex: Regex,
}

/// What a template does with a field that has no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlisted {
    /// It is a mistake.
    Refused,
    /// It is letters and digits.
    Permitted,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A `{` without its `}`.
    #[error("a `{{` at character {0} has no `}}`")]
    Unclosed(usize),
    /// A `}` without its `{`.
    #[error("a `}}` at character {0} has no `{{`")]
    Stray(usize),
    /// Not the name of a field.
    #[error("`{0}` is no name of a field: a lower-case letter, then lower-case letters, digits and `_`")]
    FieldName(String),
    /// A field that is there more than once.
    #[error("the field `{0}` is there twice, and only one of them could be read")]
    Twice(String),
    /// A field that nobody knows.
    #[error("the field `{name}` is unknown; the known ones are {known}")]
    Unknown {
        /// Its name.
        name: String,
        /// Those that are known, as a list to read.
        known: String,
    },
    /// A pattern that is no regular expression.
    #[error("the pattern of the field `{field}` is no regular expression: {problem}")]
    Pattern {
        /// The field.
        field: String,
        /// What is wrong.
        problem: String,
    },
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
}

/// Why fields make no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A field has no value, and may not be empty.
    #[error("the field `{field}` has no value; it matches `{pattern}`")]
    Missing {
        /// The field.
        field: String,
        /// Its pattern.
        pattern: String,
    },
    /// A value that its pattern does not permit.
    #[error("`{value}` is no value for the field `{field}`, which matches `{pattern}`")]
    Value {
        /// The field.
        field: String,
        /// The value.
        value: String,
        /// Its pattern.
        pattern: String,
    },
    /// A value for a field that the template does not have.
    #[error("the template has no field `{0}`")]
    Unknown(String),
}

/// Why a name has no fields to tell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It does not fit.
    #[error("{0}")]
    Misfit(String),
    /// It fits in more than one way.
    #[error("the name can be read in more than one way, as {} and as {}", told(.0), told(.1))]
    Ambiguous(Fields, Fields),
}

fn told(fields: &Fields) -> String {
    fields.iter().map(|(name, value)| format!("{name} = `{value}`")).collect::<Vec<_>>().join(", ")
}

impl Template {
    /// Understands a template whose fields have these patterns.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str, patterns: &Fields, unlisted: Unlisted) -> Result<Self, Vec<TemplateError>> {
        let mut wrong = Vec::new();
        let mut parts = Vec::new();
        for piece in pieces(text)? {
            match piece {
                Piece::Literal(it) => parts.push(Part::Literal(it.to_owned())),
                Piece::Field { name, .. } if is_there(&parts, name) => {
                    wrong.push(TemplateError::Twice(name.to_owned()));
                }
                Piece::Field { name, pattern } => {
                    match field(name, pattern.or(patterns.get(name).map(String::as_str)), patterns, unlisted) {
                        Ok(it) => parts.push(Part::Field(it)),
                        Err(error) => wrong.push(error),
                    }
                }
            }
        }
        if parts.is_empty() && wrong.is_empty() {
            wrong.push(TemplateError::Empty);
        }
        if wrong.is_empty() { Ok(Self { text: text.to_owned(), parts }) } else { Err(wrong) }
    }

    /// Makes the name of these fields. A field that may be empty may be left out.
    ///
    /// # Errors
    /// Everything that speaks against the fields.
    pub fn render(&self, fields: &Fields) -> Result<String, Vec<RenderError>> {
        let (mut res, mut wrong) = (String::new(), Vec::new());
        for part in &self.parts {
            match part {
                Part::Literal(it) => res.push_str(it),
                Part::Field(Field { name, pattern }) => match fields.get(name) {
                    Some(value) if pattern.matches(value) => res.push_str(value),
                    Some(value) => wrong.push(RenderError::Value {
                        field: name.clone(),
                        value: value.clone(),
                        pattern: pattern.text.clone(),
                    }),
                    None if pattern.matches("") => {}
                    None => {
                        wrong.push(RenderError::Missing { field: name.clone(), pattern: pattern.text.clone() });
                    }
                },
            }
        }
        let unknown = fields.keys().filter(|it| !is_there(&self.parts, it));
        wrong.extend(unknown.map(|it| RenderError::Unknown(it.clone())));
        if wrong.is_empty() { Ok(res) } else { Err(wrong) }
    }

    /// How the names of an application begin: up to the first field that is not among these, its own. `None` where that
    /// does not end with a separator, so that it could be the beginning of another application's names.
    pub fn own_prefix(&self, own: &Fields) -> Option<String> {
        let mut res = String::new();
        let mut after_separator = false;
        for part in &self.parts {
            match part {
                Part::Literal(it) => res.push_str(it),
                Part::Field(it) => match own.get(&it.name) {
                    Some(value) => res.push_str(value),
                    None => break,
                },
            }
            after_separator = matches!(part, Part::Literal(_));
        }
        let has_own = self.parts.iter().any(|it| matches!(it, Part::Field(it) if own.contains_key(&it.name)));
        (has_own && after_separator && ends_with_separator(&res)).then_some(res)
    }

    /// The names of the fields, in order.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|it| match it {
            Part::Field(it) => Some(it.name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// What every name begins with, before the first field.
    pub fn beginning(&self) -> &str {
        match self.parts.first() {
            Some(Part::Literal(it)) => it,
            _ => "",
        }
    }

    /// The letters between the fields.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|it| match it {
            Part::Literal(it) => Some(it.as_str()),
            Part::Field(_) => None,
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        let fields = |it: &Self| -> Vec<(String, String)> {
            let field = |it: &Part| match it {
                Part::Field(it) => Some((it.name.clone(), it.pattern.text.clone())),
                Part::Literal(_) => None,
            };
            it.parts.iter().filter_map(field).collect()
        };
        self.text == other.text && fields(self) == fields(other)
    }
}

impl Pattern {
    fn new(field: &str, text: &str) -> Result<Self, TemplateError> {
        let wrong =
            |error: regex_lite::Error| TemplateError::Pattern { field: field.to_owned(), problem: error.to_string() };
        // What is written is compiled alone first: `a)(b` is no pattern, though it is one between brackets.
        Regex::new(text).map_err(wrong)?;
        let regex = Regex::new(&format!("^(?:{text})$")).map_err(wrong)?;
        Ok(Self { text: text.to_owned(), regex })
    }

    fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// Whether a pattern can be used for a field.
///
/// # Errors
/// What is wrong with it.
pub fn check_pattern(field: &str, text: &str) -> Result<(), TemplateError> {
    Pattern::new(field, text).map(|_| ())
}

/// The pattern that a value does not match, if a template has the field.
pub fn check_value<'a>(template: &'a Template, field: &str, value: &str) -> Option<&'a str> {
    template.parts.iter().find_map(|it| match it {
        Part::Field(it) if it.name == field && !it.pattern.matches(value) => Some(it.pattern.text.as_str()),
        _ => None,
    })
}

/// Whether a beginning of names ends where a word does, so that `a-pay` does not own `a-payments`.
pub fn ends_with_separator(prefix: &str) -> bool {
    prefix.ends_with(['-', '.', '_', ':', '/'])
}

enum Piece<'a> {
    Literal(&'a str),
    Field { name: &'a str, pattern: Option<&'a str> },
}

/// The literals and the fields of a template, in order.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Vec<TemplateError>> {
    let mut res = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let at = |rest: &str| text.len() - rest.len() + 1;
        let until = rest.find(['{', '}']).unwrap_or(rest.len());
        if 0 < until {
            res.push(Piece::Literal(&rest[..until]));
            rest = &rest[until..];
            continue;
        }
        if rest.starts_with('}') {
            return Err(vec![TemplateError::Stray(at(rest))]);
        }
        let Some(end) = closing(rest) else { return Err(vec![TemplateError::Unclosed(at(rest))]) };
        let inside = &rest[1..end];
        let (name, pattern) = match inside.split_once(':') {
            Some((name, pattern)) => (name, Some(pattern)),
            None => (inside, None),
        };
        res.push(Piece::Field { name, pattern });
        rest = &rest[end + 1..];
    }
    Ok(res)
}

/// Where the brace that opens a text is closed: braces within a pattern come in pairs.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, it) in text.char_indices() {
        match it {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

fn is_there(parts: &[Part], name: &str) -> bool {
    parts.iter().any(|it| matches!(it, Part::Field(it) if it.name == name))
}

fn field(name: &str, pattern: Option<&str>, known: &Fields, unlisted: Unlisted) -> Result<Field, TemplateError> {
    let is_name = name.starts_with(|it: char| it.is_ascii_lowercase())
        && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_');
    if !is_name {
        return Err(TemplateError::FieldName(name.to_owned()));
    }
    let pattern = match pattern {
        Some(it) => it,
        None if name == "application" => APPLICATION_PATTERN,
        None if OWN_FIELDS.contains(&name) || unlisted == Unlisted::Permitted => DEFAULT_PATTERN,
        None => {
            let known = listed(OWN_FIELDS.into_iter().chain(known.keys().map(String::as_str)));
            return Err(TemplateError::Unknown { name: name.to_owned(), known });
        }
    };
    Ok(Field { name: name.to_owned(), pattern: Pattern::new(name, pattern)? })
}

#[cfg(test)]
mod tests;

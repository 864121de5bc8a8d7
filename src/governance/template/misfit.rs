//! Why a name does not fit, and what would.

use super::{Field, Fields, Part, Template};

/// Why a name does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// What is wrong, as a clause without a full stop.
    pub reason: String,
    /// A name that fits, made of what was written as far as that goes.
    pub suggestion: Option<String>,
}

impl Template {
    /// Why a name does not fit; `None` if it does. The fields that are given are the application's own.
    pub fn misfit(&self, name: &str, given: &Fields) -> Option<Misfit> {
        let (place, part) = self.stuck(name, given)?;
        let (before, rest) = name.split_at(place);
        let wanted = match self.parts.get(part) {
            None => "nothing more".to_owned(),
            Some(Part::Literal(it)) => format!("`{it}`"),
            Some(Part::Field(Field { name, pattern })) => match given.get(name) {
                Some(value) => format!("the application's own {} `{value}`", own_noun(name)),
                None => format!("the field `{name}`, which matches `{}`,", pattern.text),
            },
        };
        let place = if before.is_empty() { "at its beginning".to_owned() } else { format!("after `{before}`") };
        let found = if rest.is_empty() { "it ends".to_owned() } else { format!("there is `{rest}`") };
        let reason = format!("the template `{self}` wants {wanted} {place}, where {found}");
        Some(Misfit { reason, suggestion: self.suggestion(name, given) })
    }

    /// A name that fits: own fields as they are, and for others their own names where these match.
    pub fn example(&self, given: &Fields) -> Option<String> {
        self.filled(&Vec::new(), given, None).or_else(|| self.dealt(&[], given))
    }

    /// Names that fit and begin so, the words of another one first: what follows in the template is added to the beginning.
    pub fn names_under(&self, beginning: &str, name: &str, given: &Fields) -> Vec<String> {
        let rest = name.strip_prefix(beginning).unwrap_or(name);
        let written = words(rest).join("-").to_lowercase();
        let mut res = vec![format!("{beginning}{rest}"), format!("{beginning}{written}")];
        for word in [written.as_str(), ""] {
            for from in 0..=self.parts.len() {
                res.extend(self.completed(beginning, from, word, given));
            }
        }
        res.retain(|it| it != beginning && it != name && self.fits(it, given));
        res
    }

    /// A beginning with the parts that follow: the word for the last free one of them that it matches, and for others
    /// something that does.
    fn completed(&self, beginning: &str, from: usize, word: &str, given: &Fields) -> Option<String> {
        let left = &self.parts[from..];
        let takes = |it: &&Part| free(it, given).is_some_and(|it| it.pattern.matches(word));
        let takes_word = left.iter().rposition(|it| takes(&it));
        let mut res = beginning.to_owned();
        for (at, part) in left.iter().enumerate() {
            match part {
                Part::Literal(it) => res.push_str(it),
                Part::Field(it) => match given.get(&it.name) {
                    Some(value) => res.push_str(value),
                    None if it.pattern.matches("") => {}
                    None if takes_word == Some(at) => res.push_str(word),
                    None => res.push_str(&sample(it)?),
                },
            }
        }
        Some(res)
    }

    /// A name that fits, made of the words of one that does not.
    fn suggestion(&self, name: &str, given: &Fields) -> Option<String> {
        let (stem, last) = self.known_ending(name);
        let all = words(stem);
        let own: Vec<String> = given.values().flat_map(|it| words(it)).map(|it| it.to_lowercase()).collect();
        let literal: Vec<String> = self.literals().flat_map(words).map(|it| it.to_lowercase()).collect();
        let is_own = |it: &String| {
            let it = it.to_lowercase();
            own.contains(&it)
                || literal.contains(&it)
                || literal.iter().any(|before| own.iter().any(|own| format!("{before}{own}") == it))
        };
        let foreign: Vec<String> = all.iter().skip_while(|it| is_own(it)).cloned().collect();
        let lower = |words: &[String]| words.iter().map(|it| it.to_lowercase()).collect::<Vec<_>>();
        let choices = [lower(&foreign), foreign, lower(&all), all];
        let said = |it: &&Vec<String>| !it.is_empty();
        let filled = choices.iter().filter(said).find_map(|words| self.filled(words, given, last));
        let dealt = || choices[..2].iter().filter(said).find_map(|words| self.dealt(words, given));
        filled.or_else(dealt).filter(|it| it != name)
    }

    /// The name without the ending that the last field permits, and that ending: only of a field that may be empty, such
    /// as a suffix.
    fn known_ending<'a>(&self, name: &'a str) -> (&'a str, Option<&'a str>) {
        let Some(Part::Field(last)) = self.parts.last() else { return (name, None) };
        if !last.pattern.matches("") {
            return (name, None);
        }
        let ending = name.char_indices().skip(1).map(|(at, _)| at).find(|at| last.pattern.matches(&name[*at..]));
        ending.map_or((name, None), |at| (&name[..at], Some(&name[at..])))
    }

    /// The template with words for its free fields: the last words for the last fields, all that are left over for the
    /// last of them, and a field's own name where there are too few.
    fn filled(&self, words: &[String], given: &Fields, ending: Option<&str>) -> Option<String> {
        let free: Vec<&Field> = self.parts.iter().filter_map(|it| free(it, given)).collect();
        let lacking = free.len().saturating_sub(words.len());
        ["-", ".", "_", ""].iter().find_map(|between| {
            let mut values = given.clone();
            if let (Some(ending), Some(Part::Field(last))) = (ending, self.parts.last()) {
                values.insert(last.name.clone(), ending.to_owned());
            }
            for (at, field) in free.iter().enumerate() {
                let value = match at.checked_sub(lacking) {
                    None => field.name.clone(),
                    Some(at) if lacking + at + 1 == free.len() => words[at..].join(between),
                    Some(at) => words[at].clone(),
                };
                values.insert(field.name.clone(), value);
            }
            values.retain(|name, _| self.fields().any(|it| it == name));
            self.render(&values).ok().filter(|it| self.fits(it, given))
        })
    }

    /// The template with words for those of its free fields that they match, in their order and all of them, and
    /// something that matches for the others.
    fn dealt(&self, words: &[String], given: &Fields) -> Option<String> {
        let free: Vec<&Field> = self.parts.iter().filter_map(|it| free(it, given)).collect();
        if MOST_DEALT < free.len() || MOST_DEALT < words.len() {
            return None;
        }
        let mut values = given.clone();
        values.extend(deal(&free, words)?);
        values.retain(|name, _| self.fields().any(|it| it == name));
        self.render(&values).ok().filter(|it| self.fits(it, given))
    }
}

/// Most words, and most fields, of a name that are tried in all ways.
const MOST_DEALT: usize = 6;

/// What fields without a word may say, beside their own names.
const SAMPLES: [&str; 7] = ["example", "a", "A", "1", "01", "001", "2000"];

fn deal(free: &[&Field], words: &[String]) -> Option<Vec<(String, String)>> {
    let Some((field, rest)) = free.split_first() else { return words.is_empty().then(Vec::new) };
    let with = |value: String, words: &[String]| {
        let mut res = deal(rest, words)?;
        res.push((field.name.clone(), value));
        Some(res)
    };
    let taken = (1..=words.len()).find_map(|count| {
        let (taken, left) = words.split_at(count);
        let values = ["-", ".", "_", ""].map(|between| taken.join(between));
        values.into_iter().filter(|it| field.pattern.matches(it)).find_map(|it| with(it, left))
    });
    taken.or_else(|| with(sample(field)?, words))
}

/// Something that a field may say: its own name, if that matches, or one of the words that its pattern lists.
fn sample(field: &Field) -> Option<String> {
    let listed = field.pattern.text.split(['|', '(', ')', '?', ':']).filter(|it| !it.is_empty());
    let mut samples = std::iter::once(field.name.as_str()).chain(SAMPLES).chain(listed);
    samples.find(|it| field.pattern.matches(it)).map(str::to_owned)
}

/// The field, if a value must be found for it.
fn free<'a>(part: &'a Part, given: &Fields) -> Option<&'a Field> {
    match part {
        Part::Field(it) if !given.contains_key(&it.name) && !it.pattern.matches("") => Some(it),
        _ => None,
    }
}

fn own_noun(field: &str) -> &str {
    if field == "application" { "name" } else { field }
}

/// The words of a name: between anything that is no letter or digit, and where a capital letter follows a small one.
fn words(name: &str) -> Vec<String> {
    let mut res: Vec<String> = Vec::new();
    let mut before = None;
    for it in name.chars() {
        if it.is_alphanumeric() {
            let begins = before
                .is_none_or(|before: char| !before.is_alphanumeric() || (before.is_lowercase() && it.is_uppercase()));
            match res.last_mut() {
                Some(word) if !begins => word.push(it),
                _ => res.push(it.to_string()),
            }
        }
        before = Some(it);
    }
    res
}

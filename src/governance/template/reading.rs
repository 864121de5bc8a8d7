//! Which fields a name has.

use std::collections::BTreeSet;

use super::{Fields, ParseError, Part, Template};

/// A search through the readings of a name.
struct Search<'a> {
    template: &'a Template,
    name: &'a str,
    /// Fields whose value is given.
    given: &'a Fields,
    /// How many readings are enough.
    enough: usize,
    /// Values of the fields that were read up to here, in order.
    values: Vec<&'a str>,
    found: Vec<Fields>,
    /// Pairs of part and place from which no reading gets to the end.
    dead: BTreeSet<(usize, usize)>,
    /// The furthest place, and the part that could not be read there.
    furthest: (usize, usize),
}

impl Template {
    /// Whether a name fits, with these values for the fields that are given.
    pub fn fits(&self, name: &str, given: &Fields) -> bool {
        !self.search(name, given, 1).found.is_empty()
    }

    /// The fields of a name.
    ///
    /// # Errors
    /// Why it has none, or that it has more than one reading.
    pub fn read(&self, name: &str) -> Result<Fields, ParseError> {
        let mut found = self.search(name, &Fields::new(), 2).found;
        match (found.pop(), found.pop()) {
            (Some(only), None) => Ok(only),
            (Some(second), Some(first)) => Err(ParseError::Ambiguous(first, second)),
            (None, _) => {
                let reason = self.misfit(name, &Fields::new()).map_or_else(String::new, |it| it.reason);
                Err(ParseError::Misfit(reason))
            }
        }
    }

    /// How far a name can be read: the place, and the number of the part that does not fit there, which is the number of
    /// all parts where the name goes on after them. `None` if it fits.
    pub(super) fn stuck(&self, name: &str, given: &Fields) -> Option<(usize, usize)> {
        let search = self.search(name, given, 1);
        search.found.is_empty().then_some(search.furthest)
    }

    /// Whether a text is the beginning of names that are an application's own: it ends with a literal of the template,
    /// after all fields that are given.
    pub fn fits_prefix(&self, prefix: &str, given: &Fields) -> bool {
        let is_given = |it: &Part| matches!(it, Part::Field(it) if given.contains_key(&it.name));
        let last_given = self.parts.iter().rposition(is_given);
        let ends = (1..=self.parts.len())
            .filter(|end| last_given.is_none_or(|it| it < *end) && matches!(self.parts[end - 1], Part::Literal(_)));
        ends.map(|end| Self { text: String::new(), parts: self.parts[..end].to_vec() })
            .any(|beginning| beginning.fits(prefix, given))
    }

    fn search<'a>(&'a self, name: &'a str, given: &'a Fields, enough: usize) -> Search<'a> {
        let mut res = Search {
            template: self,
            name,
            given,
            enough,
            values: Vec::new(),
            found: Vec::new(),
            dead: BTreeSet::new(),
            furthest: (0, 0),
        };
        res.walk(0, 0);
        res
    }
}

impl Search<'_> {
    /// Reads from a part and a place on. Tells whether that led to the end.
    fn walk(&mut self, part: usize, place: usize) -> bool {
        if self.dead.contains(&(part, place)) {
            return false;
        }
        let Some(it) = self.template.parts.get(part) else { return self.arrive(part, place) };
        let rest = &self.name[place..];
        let led = match it {
            Part::Literal(it) => rest.starts_with(it.as_str()) && self.walk(part + 1, place + it.len()),
            Part::Field(it) => {
                if let Some(value) = self.given.get(&it.name) {
                    rest.starts_with(value.as_str()) && self.step(part, place, value.len())
                } else {
                    let mut led = false;
                    for end in self.ends(part, rest).into_iter().filter(|end| it.pattern.matches(&rest[..*end])) {
                        led |= self.step(part, place, end);
                        if self.enough <= self.found.len() {
                            break;
                        }
                    }
                    led
                }
            }
        };
        if !led {
            self.dead.insert((part, place));
            self.furthest = self.furthest.max((place, part));
        }
        led
    }

    /// Reads on after a field of so many bytes.
    fn step(&mut self, part: usize, place: usize, length: usize) -> bool {
        let name = self.name;
        self.values.push(&name[place..place + length]);
        let led = self.walk(part + 1, place + length);
        self.values.pop();
        led
    }

    /// Where the field of a part can end: where what follows it begins, or anywhere.
    fn ends(&self, part: usize, rest: &str) -> Vec<usize> {
        match self.template.parts.get(part + 1) {
            None => vec![rest.len()],
            Some(Part::Literal(next)) => {
                rest.char_indices().map(|(at, _)| at).filter(|at| rest[*at..].starts_with(next.as_str())).collect()
            }
            Some(Part::Field(_)) => rest.char_indices().map(|(at, _)| at).chain([rest.len()]).collect(),
        }
    }

    fn arrive(&mut self, part: usize, place: usize) -> bool {
        if place < self.name.len() {
            self.furthest = self.furthest.max((place, part));
            return false;
        }
        let values = self.values.iter().map(|it| (*it).to_owned());
        self.found.push(self.template.fields().map(str::to_owned).zip(values).collect());
        true
    }
}

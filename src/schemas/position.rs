//! Where something is in a text.

/// A place in a text. Lines and columns count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Position {
    /// The place of a byte.
    pub(super) fn of_byte(text: &str, byte: usize) -> Self {
        let before = &text[..text.floor_char_boundary(byte)];
        let line = before.matches('\n').count() + 1;
        let last = before.rsplit('\n').next().unwrap_or_default();
        Self { line, column: last.chars().count() + 1 }
    }
}

/// One step into a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// To the value of a key.
    Key(String),
    /// To an item of an array.
    Item(usize),
}

/// The place of a value in the text of a JSON document, or of the innermost value around it that is found.
pub(super) fn of_value(text: &str, path: &[Step]) -> Position {
    let mut scanner = Scanner { text, at: 0 };
    scanner.space();
    let mut found = scanner.at;
    for step in path {
        let entered = match step {
            Step::Key(key) => scanner.enter_key(key),
            Step::Item(at) => scanner.enter_item(*at),
        };
        if entered.is_none() {
            break;
        }
        found = scanner.at;
    }
    Position::of_byte(text, found)
}

/// A reader of a text that is known to be JSON.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|it| it.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Goes past a character that must be next.
    fn take(&mut self, byte: u8) -> Option<()> {
        self.space();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn enter_key(&mut self, wanted: &str) -> Option<()> {
        self.take(b'{')?;
        loop {
            self.space();
            let start = self.at;
            self.skip_text()?;
            let key: String = serde_json::from_str(&self.text[start..self.at]).ok()?;
            self.take(b':')?;
            self.space();
            if key == wanted {
                return Some(());
            }
            self.skip()?;
            self.take(b',')?;
        }
    }

    fn enter_item(&mut self, wanted: usize) -> Option<()> {
        self.take(b'[')?;
        for _ in 0..wanted {
            self.skip()?;
            self.take(b',')?;
        }
        self.space();
        Some(())
    }

    /// Goes past one value, whose nesting is counted rather than followed.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            self.space();
            match self.peek()? {
                b'"' => self.skip_text()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' if depth == 0 => return None,
                b',' | b':' => {
                    self.at += 1;
                    continue;
                }
                _ => {
                    while self.peek().is_some_and(|it| !b",:]}\" \t\r\n".contains(&it)) {
                        self.at += 1;
                    }
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn skip_text(&mut self) -> Option<()> {
        self.take(b'"')?;
        loop {
            match self.peek()? {
                b'\\' => self.at += 2,
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                _ => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_value_is_found() {
        let text = "{\n  \"a\\\"b\": [1, {\"ä\": \"x,}\", \"c\": true}],\n  \"d\": {}\n}";
        let check =
            |path: &[Step], line, column| assert_eq!(of_value(text, path), Position { line, column }, "{path:?}");
        let key = |it: &str| Step::Key(it.to_owned());
        check(&[], 1, 1);
        check(&[key("d")], 3, 8);
        check(&[key("a\"b"), Step::Item(0)], 2, 12);
        check(&[key("a\"b"), Step::Item(1), key("c")], 2, 33);
        // What is missing is where it would be.
        check(&[key("a\"b"), Step::Item(1), key("e")], 2, 15);
    }
}

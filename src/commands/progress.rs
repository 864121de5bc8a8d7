//! How far something is: a bar for who watches, and lines for who reads later.

use std::io::{self, IsTerminal, Write};

/// How wide the bar is, in letters.
const WIDTH: usize = 30;

/// Lines on standard output, and a bar on standard error where both are a terminal's.
#[derive(Debug)]
pub(super) struct Progress {
    has_bar: bool,
}

impl Progress {
    /// One that has shown nothing. Who reads JSON sees no bar.
    pub(super) fn new(is_wanted: bool) -> Self {
        Self { has_bar: is_wanted && io::stdout().is_terminal() && io::stderr().is_terminal() }
    }

    /// Tells a line, and how far that is. Whoever closed the stream does not want to know.
    pub(super) fn line(&self, text: &str, done: usize, of: usize) {
        self.clear();
        let _ = writeln!(io::stdout(), "{text}");
        if self.has_bar && done < of {
            let mut err = io::stderr();
            let _ = write!(err, "{}", bar(done, of)).and_then(|()| err.flush());
        }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        if self.has_bar {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn bar(done: usize, of: usize) -> String {
    let full = done.saturating_mul(WIDTH).checked_div(of).unwrap_or(WIDTH).min(WIDTH);
    format!("[{}{}] {done}/{of}", "#".repeat(full), "-".repeat(WIDTH - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_grows_to_its_end() {
        assert_eq!(bar(0, 4), format!("[{}] 0/4", "-".repeat(30)));
        assert_eq!(bar(2, 4), format!("[{}{}] 2/4", "#".repeat(15), "-".repeat(15)));
        for (done, of) in [(4, 4), (5, 4), (0, 0)] {
            assert!(bar(done, of).starts_with(&format!("[{}]", "#".repeat(30))), "{done}/{of}");
        }
    }
}

//! The table that the bench prints.

use std::fmt;

/// Ours against the floor.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

/// One line: a measure of both, and what must hold of it.
#[derive(Debug)]
struct Row {
    what: String,
    ours: String,
    floor: String,
    ratio: Option<f64>,
    bound: Option<Bound>,
}

/// What must hold of one number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// What was measured.
    pub(crate) is: f64,
    /// What it may be at most.
    pub(crate) most: f64,
    /// What it is counted in, such as ` ms`.
    pub(crate) unit: &'static str,
}

impl Bound {
    fn holds(&self) -> bool {
        self.is <= self.most
    }
}

impl Table {
    /// A line that says what the following lines are about.
    pub(crate) fn head(&mut self, what: &str) {
        self.row(what, (String::new(), String::new()), None, None);
    }

    /// A line of two measures.
    pub(crate) fn row(
        &mut self,
        what: &str,
        (ours, floor): (String, String),
        ratio: Option<f64>,
        bound: Option<Bound>,
    ) {
        self.rows.push(Row { what: what.to_owned(), ours, floor, ratio, bound });
    }

    /// Whether all that must hold does.
    pub(crate) fn holds(&self) -> bool {
        self.rows.iter().filter_map(|row| row.bound).all(|bound| bound.holds())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<34}{:>12}{:>12}{:>9}  must be", "", "ours", "floor", "ratio")?;
        for row in &self.rows {
            let ratio = row.ratio.map(|ratio| format!("{ratio:.2} ×")).unwrap_or_default();
            let line = format!("{:<34}{:>12}{:>12}{ratio:>9}", row.what, row.ours, row.floor);
            match &row.bound {
                Some(bound) => {
                    let verdict = if bound.holds() { "" } else { "  MISSED" };
                    writeln!(f, "{line}  ≤ {}{}{verdict}", bound.most, bound.unit)?;
                }
                None => writeln!(f, "{}", line.trim_end())?,
            }
        }
        Ok(())
    }
}

/// The middle of the measures, or the mean of the two in the middle.
pub(crate) fn median(measures: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<_> = measures.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    match sorted.as_slice() {
        [] => f64::NAN,
        measures if measures.len() % 2 == 1 => measures[measures.len() / 2],
        measures => f64::midpoint(measures[measures.len() / 2 - 1], measures[measures.len() / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let check = |measures: &[f64], expected: f64| {
            assert!((median(measures.iter().copied()) - expected).abs() < 1e-9, "{measures:?}");
        };
        check(&[3.0], 3.0);
        check(&[9.0, 1.0, 2.0], 2.0);
        check(&[9.0, 1.0, 2.0, 4.0], 3.0);
        assert!(median([]).is_nan());
    }

    #[test]
    fn a_missed_bound_is_named_and_nothing_measured_is_a_miss() {
        let check = |is: f64, holds: bool| {
            let mut table = Table::default();
            table.head("plan");
            table.row("  wall", ("1.3 s".into(), "1 s".into()), Some(is), Some(Bound { is, most: 1.15, unit: " ×" }));
            assert_eq!((table.holds(), table.to_string().contains("≤ 1.15 ×  MISSED")), (holds, !holds));
        };
        check(1.15, true);
        check(1.3, false);
        check(f64::NAN, false);
    }
}

//! Numbers of any size, exactly: Terraform's have 512 bits and are no floats.

use std::{fmt, str::FromStr};

/// A decimal number in one canonical form, so that equal numbers are equal values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Number {
    /// An integer that fits 64 bits.
    Int(i64),
    /// Any other: `[-]digits e exponent`, without leading or trailing zeros in the digits.
    Decimal(Box<str>),
}

/// A text that is no decimal number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number")]
pub struct NotANumber;

impl Number {
    /// The number as an integer, if it is one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(it) => Some(*it),
            Self::Decimal(_) => None,
        }
    }

    /// The nearest float.
    pub fn to_f64(&self) -> f64 {
        self.to_string().parse().expect("the canonical form is one that floats have")
    }

    /// The exact value of a float; infinities and NaN are no numbers.
    pub fn from_f64(float: f64) -> Result<Self, NotANumber> {
        // A double has at most 1,074 digits after the point, and Rust prints as many exactly.
        if float.is_finite() { format!("{float:.1074}").parse() } else { Err(NotANumber) }
    }
}

impl From<i64> for Number {
    fn from(it: i64) -> Self {
        Self::Int(it)
    }
}

impl From<u64> for Number {
    fn from(it: u64) -> Self {
        i64::try_from(it).map_or_else(|_| it.to_string().parse().expect("an integer is a number"), Self::Int)
    }
}

impl FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| NotANumber)?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|it| it.is_ascii_digit()) {
            return Err(NotANumber);
        }
        let digits = all.trim_end_matches('0');
        let dropped = i64::try_from(all.len() - digits.len()).map_err(|_| NotANumber)?;
        let fraction = i64::try_from(fraction.len()).map_err(|_| NotANumber)?;
        let exponent = i64::from(exponent) - fraction + dropped;
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Ok(Self::Int(0));
        }
        if (0..19).contains(&exponent) {
            let zeros = "0".repeat(usize::try_from(exponent).expect("less than 19"));
            if let Ok(int) = format!("{sign}{digits}{zeros}").parse() {
                return Ok(Self::Int(int));
            }
        }
        Ok(Self::Decimal(format!("{sign}{digits}e{exponent}").into()))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(it) => it.fmt(f),
            Self::Decimal(it) => f.write_str(it),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_have_one_form() {
        let check = |texts: &[&str], canonical: &str| {
            for text in texts {
                assert_eq!(text.parse::<Number>().unwrap().to_string(), canonical, "{text}");
            }
        };
        check(&["0", "-0", "0.000", "0e9"], "0");
        check(&["12", "+12", "012", "12.0", "1.2e1", "120e-1"], "12");
        check(&["0.1", "1e-1", "0.10", ".1"], "1e-1");
        check(&["-9223372036854775808"], "-9223372036854775808");
        check(&["9223372036854775808"], "9223372036854775808e0");
        check(&["18446744073709551616000", "18446744073709551616e3"], "18446744073709551616e3");
    }

    #[test]
    fn the_nearest_float_is_told() {
        for (text, expected) in [("12", 12.0), ("-0.5", -0.5), ("0.1", 0.1), ("1e400", f64::INFINITY)] {
            assert_eq!(text.parse::<Number>().unwrap().to_f64().to_bits(), f64::to_bits(expected), "{text}");
        }
    }

    #[test]
    fn floats_are_exact() {
        assert_eq!(Number::from_f64(0.5), "0.5".parse());
        assert_eq!(Number::from_f64(3.0), Ok(Number::Int(3)));
        assert_ne!(Number::from_f64(0.1), "0.1".parse());
        assert_eq!(Number::from_f64(f64::INFINITY), Err(NotANumber));
    }

    #[test]
    fn words_are_no_numbers() {
        for text in ["", "-", ".", "one", "1e", "0x10", "1_000", "1e99999999999"] {
            assert_eq!(text.parse::<Number>(), Err(NotANumber), "{text}");
        }
    }
}

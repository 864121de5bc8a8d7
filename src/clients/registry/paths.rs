//! Subjects in addresses.

use crate::{clients::rest::part, governance::subject::SubjectName};

/// `subjects/<name>`.
pub(super) fn subject(name: &SubjectName) -> String {
    below("subjects", name)
}

/// `<folder>/<name>`.
pub(super) fn below(folder: &str, name: &SubjectName) -> String {
    format!("{folder}/{}", part(name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_an_address() {
        let check = |name: &str, expected: &str| assert_eq!(subject(&name.parse().unwrap()), expected);
        check("billing.orders-value", "subjects/billing.orders-value");
        check("a/b ä?#%", "subjects/a%2Fb%20%C3%A4%3F%23%25");
        check(":.staging:orders", "subjects/%3A.staging%3Aorders");
    }
}

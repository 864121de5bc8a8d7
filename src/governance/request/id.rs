//! The names of requests and of what they ask for.

use std::{fmt, str::FromStr};

use aws_lc_rs::digest::{SHA256, digest};

use super::ChangeKind;
use crate::governance::{application::ApplicationUid, names::ApplicationName};

/// Id of a request: `<application>-<8 lower-case hexadecimal digits>`, the application being who asks.
///
/// Who files a request chooses it, so that they know it before anybody wrote it down.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId {
    applicant: ApplicationName,
    digits: String,
}

/// Why a text is no id of a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a request is the name of the application that asks, `-` and 8 lower-case hexadecimal digits")]
pub struct RequestIdError;

impl RequestId {
    /// The id of an application with a number.
    pub fn new(applicant: ApplicationName, number: u32) -> Self {
        Self { applicant, digits: format!("{number:08x}") }
    }

    /// The id of the request for one life of an application. It needs no choice: there is one.
    pub fn of_application(applicant: ApplicationName, incarnation: u32) -> Self {
        let digits = hex(&format!("application {applicant}#{incarnation}"), 4);
        Self { applicant, digits }
    }

    /// The id of a request for a change of something. It needs no choice: changes of one thing are numbered.
    pub fn of_change(applicant: &ApplicationUid, kind: ChangeKind, name: &str, number: u32) -> Self {
        let digits = hex(&format!("change {applicant} {} {name} {number}", kind.word()), 4);
        Self { applicant: applicant.name.clone(), digits }
    }

    /// Who asks.
    pub fn applicant(&self) -> &ApplicationName {
        &self.applicant
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it))
}

impl FromStr for RequestId {
    type Err = RequestIdError;

    fn from_str(text: &str) -> Result<Self, RequestIdError> {
        let (applicant, digits) = text.rsplit_once('-').ok_or(RequestIdError)?;
        let applicant = applicant.parse().map_err(|_| RequestIdError)?;
        if digits.len() == 8 && is_hex(digits) {
            Ok(Self { applicant, digits: digits.to_owned() })
        } else {
            Err(RequestIdError)
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.applicant, self.digits)
    }
}

/// Digest of what a request asks for: 32 lower-case hexadecimal digits, the first half of a SHA-256.
///
/// Half of that would not do: who files a request chooses what is digested, and could find two contents with one digest,
/// have the harmless one approved and put the other in its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(String);

/// Why a text is no revision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a revision has 32 lower-case hexadecimal digits")]
pub struct RevisionError;

impl Revision {
    /// The digest of a text.
    pub fn of(text: &str) -> Self {
        Self(hex(text, 16))
    }

    /// The revision as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Revision {
    type Err = RevisionError;

    fn from_str(text: &str) -> Result<Self, RevisionError> {
        if text.len() == 32 && is_hex(text) { Ok(Self(text.to_owned())) } else { Err(RevisionError) }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first bytes of the SHA-256 of a text, as digits.
fn hex(text: &str, bytes: usize) -> String {
    use fmt::Write as _;

    let mut res = String::new();
    for byte in digest(&SHA256, text.as_bytes()).as_ref().iter().take(bytes) {
        write!(res, "{byte:02x}").expect("a text takes what is written");
    }
    res
}

//! Fingerprints of Avro's Parsing Canonical Form, by the two algorithms that Avro's specification recommends.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};

/// The fingerprint of no bytes, and the polynomial behind all others.
const EMPTY: u64 = 0xc15d_213a_a4d7_a795;

/// The Rabin fingerprint of 64 bits, in hexadecimal, the highest digit first.
pub fn crc_64_avro(text: &str) -> String {
    let step = |sum: u64, byte: u8| {
        let mut low = (sum ^ u64::from(byte)) & 0xff;
        for _ in 0..8 {
            low = (low >> 1) ^ if low & 1 == 1 { EMPTY } else { 0 };
        }
        (sum >> 8) ^ low
    };
    format!("{:016x}", text.bytes().fold(EMPTY, step))
}

/// SHA-256, in hexadecimal.
pub fn sha_256(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().fold(String::new(), |mut res, byte| {
        let _ = write!(res, "{byte:02x}");
        res
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pairs are those of Avro's own test of fingerprints.
    #[test]
    fn fingerprints_are_those_of_avro() {
        assert_eq!(crc_64_avro("\"null\""), "63dd24e7cc258f8a");
        assert_eq!(crc_64_avro("\"int\""), "7275d51a3f395c8f");
        assert_eq!(sha_256("\"int\""), "3f2b87a9fe7cc9b13835598c3981cd45e3e355309e5090aa0933d7becb6fba45");
    }
}

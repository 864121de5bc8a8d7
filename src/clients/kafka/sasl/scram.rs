//! SCRAM (RFC 5802, RFC 7677): neither side shows the password, and both prove that they know it.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2, rand};
use base64::{Engine, prelude::BASE64_STANDARD};

/// More rounds than any broker stores: a server that asks for more wants to keep the client busy.
const MOST_ITERATIONS: u32 = 1_000_000;

/// Kafka refuses to store fewer.
const FEWEST_ITERATIONS: u32 = 4_096;

/// The hash that a mechanism is named for.
#[derive(Clone, Copy)]
pub(in crate::clients::kafka) struct Hash {
    digest: &'static digest::Algorithm,
    hmac: hmac::Algorithm,
    pbkdf2: pbkdf2::Algorithm,
}

/// `SCRAM-SHA-256`.
pub(in crate::clients::kafka) const SHA_256: Hash =
    Hash { digest: &digest::SHA256, hmac: hmac::HMAC_SHA256, pbkdf2: pbkdf2::PBKDF2_HMAC_SHA256 };

/// `SCRAM-SHA-512`.
pub(in crate::clients::kafka) const SHA_512: Hash =
    Hash { digest: &digest::SHA512, hmac: hmac::HMAC_SHA512, pbkdf2: pbkdf2::PBKDF2_HMAC_SHA512 };

/// The client's side of one exchange, after its first message.
pub(super) struct Exchange {
    hash: Hash,
    nonce: String,
    first_bare: String,
}

/// How the server has to prove that it knows the password.
pub(super) struct Proof {
    hash: Hash,
    key: Vec<u8>,
    signed: String,
}

impl Exchange {
    /// Starts an exchange for a user.
    pub(super) fn start(hash: Hash, user: &str) -> Result<Self, String> {
        let mut nonce = [0; 24];
        rand::fill(&mut nonce).map_err(|_| "the system has no random numbers".to_owned())?;
        Ok(Self::with_nonce(hash, user, BASE64_STANDARD.encode(nonce)))
    }

    fn with_nonce(hash: Hash, user: &str, nonce: String) -> Self {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let first_bare = format!("n={user},r={nonce}");
        Self { hash, nonce, first_bare }
    }

    /// The client's first message.
    pub(super) fn first_message(&self) -> String {
        format!("n,,{}", self.first_bare)
    }

    /// The client's last message, in answer to the server's first, and what the server's last has to prove.
    pub(super) fn last_message(&self, server_first: &[u8], password: &str) -> Result<(String, Proof), String> {
        let server_first = std::str::from_utf8(server_first).map_err(|_| "the server's message is not text")?;
        let nonce = field(server_first, "r")?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("the server's nonce does not continue the client's".to_owned());
        }
        let salt = BASE64_STANDARD.decode(field(server_first, "s")?).map_err(|_| "the server's salt is not base64")?;
        let iterations: u32 = field(server_first, "i")?.parse().map_err(|_| "the server's iterations are no number")?;
        let rounds =
            NonZeroU32::new(iterations).filter(|_| (FEWEST_ITERATIONS..=MOST_ITERATIONS).contains(&iterations));
        let Some(rounds) = rounds else { return Err(format!("the server asks for {iterations} iterations")) };

        let salted = salted(self.hash, password, &salt, rounds);
        let client_key = self.sign(&salted, "Client Key");
        let stored_key = digest::digest(self.hash.digest, &client_key);
        let without_proof = format!("c=biws,r={nonce}");
        let signed = format!("{},{server_first},{without_proof}", self.first_bare);
        let signature = self.sign(stored_key.as_ref(), &signed);
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(key, mask)| key ^ mask).collect();
        let message = format!("{without_proof},p={}", BASE64_STANDARD.encode(proof));
        let key = self.sign(&salted, "Server Key");
        Ok((message, Proof { hash: self.hash, key, signed }))
    }

    fn sign(&self, key: &[u8], text: &str) -> Vec<u8> {
        hmac::sign(&hmac::Key::new(self.hash.hmac, key), text.as_bytes()).as_ref().to_vec()
    }
}

impl Proof {
    /// Checks the server's last message.
    pub(super) fn check(&self, server_last: &[u8]) -> Result<(), String> {
        let server_last = std::str::from_utf8(server_last).map_err(|_| "the server's message is not text")?;
        if let Ok(error) = field(server_last, "e") {
            return Err(error.to_owned());
        }
        let signature =
            BASE64_STANDARD.decode(field(server_last, "v")?).map_err(|_| "the server's proof is not base64")?;
        hmac::verify(&hmac::Key::new(self.hash.hmac, &self.key), self.signed.as_bytes(), &signature)
            .map_err(|_| "the server does not know the password".to_owned())
    }
}

/// A password as servers keep it, hashed so many times.
pub(in crate::clients::kafka) fn salted(hash: Hash, password: &str, salt: &[u8], rounds: NonZeroU32) -> Vec<u8> {
    let mut salted = vec![0; hash.digest.output_len()];
    pbkdf2::derive(hash.pbkdf2, rounds, salt, password.as_bytes(), &mut salted);
    salted
}

fn field<'a>(message: &'a str, name: &str) -> Result<&'a str, String> {
    let value = message.split(',').find_map(|it| it.strip_prefix(name)?.strip_prefix('='));
    value.ok_or_else(|| format!("the server's message has no `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677, section 3.
    fn example() -> (Exchange, &'static str) {
        let exchange = Exchange::with_nonce(SHA_256, "user", "rOprNGfwEbeRWgbNEkqO".to_owned());
        let server = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        (exchange, server)
    }

    #[test]
    fn the_example_of_the_standard_is_answered_and_its_server_believed() {
        let (exchange, server) = example();
        assert_eq!(exchange.first_message(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let (message, proof) = exchange.last_message(server.as_bytes(), "pencil").unwrap();
        assert_eq!(
            message,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        proof.check(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").unwrap();
    }

    #[test]
    fn a_server_that_does_not_know_the_password_is_refused() {
        let (exchange, server) = example();
        let (_, proof) = exchange.last_message(server.as_bytes(), "pencil").unwrap();
        assert!(proof.check(b"v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").is_err());
        assert_eq!(proof.check(b"e=invalid-proof"), Err("invalid-proof".to_owned()));
    }

    #[test]
    fn a_server_that_answers_with_a_foreign_nonce_or_absurd_rounds_is_refused() {
        let (exchange, _) = example();
        for server in [
            "r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000",
            "",
        ] {
            assert!(exchange.last_message(server.as_bytes(), "pencil").is_err(), "{server}");
        }
    }

    #[test]
    fn commas_and_equal_signs_in_a_user_are_escaped() {
        let exchange = Exchange::with_nonce(SHA_512, "a=b,c", "n".to_owned());
        assert_eq!(exchange.first_message(), "n,,n=a=3Db=2Cc,r=n");
    }
}

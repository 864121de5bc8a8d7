//! Whether a free text seems to hold a secret. What is written into a journal stays there.

/// Whether a text has a private key, a token or an assignment to a word for a secret.
pub fn looks_secret(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.contains("-----begin") || assigns_secret(&lower) || text.split_whitespace().any(is_token)
}

/// Whether something is assigned to a password, as in `password=…` or `secret: …`.
fn assigns_secret(lower: &str) -> bool {
    ["password", "passwd", "secret", "token", "api_key", "apikey", "api-key"].iter().any(|word| {
        lower.match_indices(word).any(|(at, _)| {
            let after = lower[at + word.len()..].trim_start_matches([' ', '"', '\'']);
            let value = after.strip_prefix(['=', ':']).map(str::trim_start).unwrap_or_default();
            !value.is_empty() && !value.starts_with(char::is_whitespace)
        })
    })
}

/// Whether a word has the form of a token that services give out.
fn is_token(word: &str) -> bool {
    let is_access_key = word.len() == 20 && word.starts_with("AKIA");
    let is_web_token = word.starts_with("eyJ") && word.matches('.').count() == 2;
    let is_hub_token = ["ghp_", "glpat-", "xoxb-"].iter().any(|it| word.starts_with(it)) && 20 < word.len();
    is_access_key || is_web_token || is_hub_token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_seen_and_sentences_are_not() {
        for text in [
            "password=hunter2",
            "the Secret: abc",
            "\"token\": \"x\"",
            "-----BEGIN PRIVATE KEY-----",
            "AKIAABCDEFGHIJKLMNOP",
            "eyJhbGciOiJIUzI1NiJ9.e30.abc",
        ] {
            assert!(looks_secret(text), "{text}");
        }
        for text in ["", "rotates its password monthly", "the secret of success", "token based", "secret:"] {
            assert!(!looks_secret(text), "{text}");
        }
    }
}

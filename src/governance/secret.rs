//! Whether a free text seems to hold a secret. What is written into a journal stays there.

/// Whether a text has a private key, a token or an assignment to a word for a secret.
pub fn looks_secret(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.contains("-----begin")
        || assigns_secret(&lower)
        || text.split_whitespace().any(|it| is_token(it) || has_credentials(it))
        || follows_bearer(&lower)
}

/// What secrets are called.
const NAMES: [&str; 15] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "accountkey",
    "authorization",
    "passwort",
    "kennwort",
    "contraseña",
    "mot de passe",
];

/// What keys are called that hold a secret, each after another word: of the key itself, nobody knows.
const SECRET_KEYS: [&str; 10] =
    ["access", "account", "api", "auth", "encryption", "license", "master", "private", "sas", "shared"];

/// Whether a setting is called as secrets are, such as `connection.password`, `api.key` or `aws_secret_access_key`. Its value
/// may be one, whatever kind it is said to be.
pub fn is_called_secret(key: &str) -> bool {
    let lower = key.to_lowercase();
    let words: Vec<&str> = lower.split(|it: char| !it.is_alphanumeric()).collect();
    let is_key = words.last() == Some(&"key") && words.iter().rev().nth(1).is_some_and(|it| SECRET_KEYS.contains(it));
    is_key
        || NAMES.iter().any(|it| lower.contains(it))
        || words.iter().any(|it| ["credential", "credentials"].contains(it))
}

/// Whether something is assigned to a password, as in `password=…`, `secret: …` or `the password is …`.
fn assigns_secret(lower: &str) -> bool {
    NAMES.iter().any(|word| {
        lower.match_indices(word).any(|(at, _)| {
            let after = lower[at + word.len()..].trim_start_matches([' ', '"', '\'']);
            let value = after.strip_prefix(['=', ':']).map(str::trim_start).unwrap_or_default();
            let said = after.strip_prefix("is ").and_then(|it| it.split_whitespace().next()).unwrap_or_default();
            !value.is_empty() || is_random(said, 6)
        })
    })
}

/// Whether letters and digits are mixed, so many at least, as in no word.
fn is_random(word: &str, least: usize) -> bool {
    least <= word.len() && word.contains(|it: char| it.is_ascii_digit()) && word.contains(char::is_alphabetic)
}

/// Whether a token stands behind the name of its kind, as in `Bearer …`.
fn follows_bearer(lower: &str) -> bool {
    let after = lower.match_indices("bearer ").filter_map(|(at, it)| lower[at + it.len()..].split_whitespace().next());
    after.into_iter().any(|it| is_random(it, 16))
}

/// Whether a URL has a user and a password.
fn has_credentials(word: &str) -> bool {
    let authority = word.split_once("://").and_then(|(_, rest)| rest.split('/').next()).unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
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
    fn settings_are_told_by_what_they_are_called() {
        for key in [
            "connection.password",
            "consumer.override.ssl.key.password",
            "aws.secret.access.key",
            "aws_secret_access_key",
            "azure.account.key",
            "api.key",
            "apiKey",
            "splunk.hec.token",
            "gcs.credentials.json",
        ] {
            assert!(is_called_secret(key), "{key}");
        }
        for key in ["key.converter", "message.key.columns", "transforms.k.type", "key.ignore", "topics", "file", "key"]
        {
            assert!(!is_called_secret(key), "{key}");
        }
    }

    #[test]
    fn secrets_are_seen_and_sentences_are_not() {
        for text in [
            "password=hunter2",
            "the Secret: abc",
            "\"token\": \"x\"",
            "-----BEGIN PRIVATE KEY-----",
            "AKIAABCDEFGHIJKLMNOP",
            "eyJhbGciOiJIUzI1NiJ9.e30.abc",
            "the password is hunter2Zx9",
            "pwd=Hunter2Zx9",
            "Authorization: Bearer abc",
            "with Bearer abcdef0123456789abcdef",
            "Passwort: geheim123",
            "AccountKey=MDEyMzQ1Njc4OQ==",
            "postgres://user:pa55w0rd@host/db",
        ] {
            assert!(looks_secret(text), "{text}");
        }
        for text in [
            "",
            "rotates its password monthly",
            "the secret of success",
            "token based",
            "secret:",
            "the password is rotated",
            "see https://wiki/a:b@c",
            "mail a@b.c",
        ] {
            assert!(!looks_secret(text), "{text}");
        }
    }
}

//! Tokens of OAuth 2.0, asked for with a client's own credentials and kept for as long as they are good.

use std::time::{Duration, Instant};

use reqwest::{Client, header::CONTENT_TYPE};
use serde_json::Value;

use super::{
    ClientCredentials, RestError, body,
    trouble::{of_answer, of_error},
};
use crate::clients::kafka::Secret;

/// How long a token is good whose giver does not say.
const DEFAULT_LIFE: Duration = Duration::from_mins(5);

/// The part of its life in which a token is used, in percent: what it is sent with takes a while.
const USED: u32 = 90;

/// The newest token.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    newest: tokio::sync::Mutex<Option<(Secret, Instant)>>,
}

impl Tokens {
    /// A token that is good. Who asks while another one does waits for that answer.
    pub(super) async fn get(&self, client: &Client, of: &ClientCredentials) -> Result<Secret, RestError> {
        let mut newest = self.newest.lock().await;
        if let Some((token, _)) = newest.as_ref().filter(|(_, until)| Instant::now() < *until) {
            return Ok(token.clone());
        }
        let (token, life) = ask(client, of).await.map_err(|error| RestError::Token(error.to_string()))?;
        *newest = Some((token.clone(), Instant::now() + life * USED / 100));
        Ok(token)
    }

    /// Forgets a token that was not taken, unless there is a newer one.
    pub(super) async fn forget(&self, refused: &Secret) {
        let mut newest = self.newest.lock().await;
        if newest.as_ref().is_some_and(|(it, _)| it == refused) {
            *newest = None;
        }
    }
}

async fn ask(client: &Client, of: &ClientCredentials) -> Result<(Secret, Duration), RestError> {
    let ClientCredentials { token_url, client_id, client_secret, scope } = of;
    let mut form = token_url.whole();
    form.query_pairs_mut().append_pair("grant_type", "client_credentials");
    if let Some(scope) = scope {
        form.query_pairs_mut().append_pair("scope", scope);
    }
    // The form has the shape of a query, and is sent as the body.
    let sent = form.query().unwrap_or_default().to_owned();
    let request = client.post(token_url.whole()).basic_auth(client_id, Some(client_secret.expose()));
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(sent);
    let response = request.send().await.map_err(|error| of_error(&error))?;
    let (status, headers) = (response.status(), response.headers().clone());
    let answer = of_answer(status, &headers, &body(response).await?)?;
    let token = answer.get("access_token").and_then(Value::as_str);
    let token = token.ok_or_else(|| RestError::Strange("there is no `access_token` in its answer".to_owned()))?;
    let life = answer.get("expires_in").and_then(Value::as_u64).map_or(DEFAULT_LIFE, Duration::from_secs);
    Ok((Secret::new(token), life))
}

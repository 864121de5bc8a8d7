//! SASL: who calls. Each mechanism is a match arm here, and a file if it is more than one message.

pub(super) mod scram;

use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::{
    error::ResponseError,
    messages::{SaslAuthenticateRequest, SaslHandshakeRequest},
    protocol::StrBytes,
};

use crate::clients::kafka::{
    ConnectProblem, Sasl, SaslMechanism, connection::Wire, error::KafkaError, requests::wire_text,
};

/// Authenticates on a fresh connection. Answers how long the broker takes the proof for good, if not forever.
pub(super) async fn authenticate(wire: &mut Wire, sasl: &Sasl) -> Result<Option<Duration>, KafkaError> {
    choose(wire, sasl.mechanism).await?;
    let password = sasl.password.expose();
    match sasl.mechanism {
        SaslMechanism::Plain => {
            let message = format!("\0{}\0{password}", sasl.username);
            Ok(send(wire, message).await?.1)
        }
        SaslMechanism::ScramSha256 => prove(wire, scram::SHA_256, &sasl.username, password).await,
        SaslMechanism::ScramSha512 => prove(wire, scram::SHA_512, &sasl.username, password).await,
    }
}

async fn prove(wire: &mut Wire, hash: scram::Hash, user: &str, password: &str) -> Result<Option<Duration>, KafkaError> {
    let refused = |wire: &Wire, text| wire.failed(ConnectProblem::Authentication(text));
    let exchange = scram::Exchange::start(hash, user).map_err(|error| refused(wire, error))?;
    let (server_first, _) = send(wire, exchange.first_message()).await?;
    let (message, proof) = exchange.last_message(&server_first, password).map_err(|error| refused(wire, error))?;
    let (server_last, lifetime) = send(wire, message).await?;
    proof.check(&server_last).map_err(|error| refused(wire, error))?;
    Ok(lifetime)
}

async fn choose(wire: &mut Wire, mechanism: SaslMechanism) -> Result<(), KafkaError> {
    let asked = mechanism.to_string();
    let request = SaslHandshakeRequest::default().with_mechanism(wire_text(&asked));
    let answer = wire.ask(&request, 1).await?;
    let offered: Vec<&str> = answer.mechanisms.iter().map(StrBytes::as_str).collect();
    let problem = match ResponseError::try_from_code(answer.error_code) {
        None => return Ok(()),
        // A listener without SASL does not expect the request at all.
        Some(ResponseError::IllegalSaslState) => ConnectProblem::Mechanism { asked, offered: "none".to_owned() },
        Some(ResponseError::UnsupportedSaslMechanism) => {
            ConnectProblem::Mechanism { asked, offered: offered.join(", ") }
        }
        Some(error) => ConnectProblem::Authentication(error.to_string()),
    };
    Err(wire.failed(problem))
}

/// The mechanisms that a broker offers, joined with commas; `None` if its listener has no SASL.
pub(super) async fn offered(wire: &mut Wire) -> Result<Option<String>, KafkaError> {
    let answer = wire.ask(&SaslHandshakeRequest::default().with_mechanism(wire_text("NONE")), 1).await?;
    let is_unknown = answer.error_code == ResponseError::UnsupportedSaslMechanism.code();
    let offered: Vec<&str> = answer.mechanisms.iter().map(StrBytes::as_str).collect();
    Ok(is_unknown.then(|| offered.join(", ")))
}

async fn send(wire: &mut Wire, message: String) -> Result<(Bytes, Option<Duration>), KafkaError> {
    let version = i16::from(wire.offers::<SaslAuthenticateRequest>(1));
    let request = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from(message));
    let answer = wire.ask(&request, version).await?;
    if let Some(error) = ResponseError::try_from_code(answer.error_code) {
        let text = answer.error_message.filter(|it| !it.is_empty()).map_or(error.to_string(), |it| it.to_string());
        return Err(wire.failed(ConnectProblem::Authentication(text)));
    }
    let lifetime = u64::try_from(answer.session_lifetime_ms).ok().filter(|it| 0 < *it).map(Duration::from_millis);
    Ok((answer.auth_bytes, lifetime))
}
